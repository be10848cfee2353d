/* SPDX-License-Identifier: MIT */
/* ARM64: where an edge leads when it is linked, near and far, and that its stub stays what it is. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include <string.h>
#include <sys/mman.h>

#include "jit/a64/a64_asm.h"
#include "jit/a64/a64_emit.h"
#include "tests/support/check.h"

enum { SIZE = 1 << 30, HERE = SIZE / 2, STUB = 0x100, STUB_WORDS = 3 };

static u8 *code;

static u32 word(const u8 *at)
{
    u32 w;

    memcpy(&w, at, sizeof(w));
    return w;
}

/* Displacement of @bits at @at in @w, in words. */
static i64 displacement(u32 w, unsigned bits, unsigned at)
{
    return (i64)((u64)w >> at << (64 - bits)) >> (64 - bits);
}

/* Where the branch at @at leads. */
static const u8 *branch_target(const u8 *at)
{
    u32 w = word(at);

    if ((w & 0x7c000000) == 0x14000000) /* B, BL */
        return at + 4 * displacement(w, 26, 0);
    return at + 4 * displacement(w, 19, 5);
}

/* Where the veneer at @at leads: ADRP X16; ADD X16,X16,#; BR X16. */
static const u8 *veneer_target(const u8 *at)
{
    u32 adrp = word(at), add = word(at + 4);
    u64 page = (u64)(uintptr_t)at & ~(u64)0xfff;
    i64 pages = displacement((adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3), 21, 0);

    assert_int_equal(adrp & 0x9f00001f, 0x90000010);
    assert_int_equal(add & 0xffc003ff, 0x91000210);
    assert_int_equal(word(at + 8), 0xd61f0200);
    return code + (page + (u64)(pages * 4096) + (add >> 10 & 0xfff) - (u64)(uintptr_t)code);
}

/* Where whoever takes the edge ends, and whether a veneer is on the way. */
static const u8 *follow(const struct jit_edge *e, bool *far)
{
    const u8 *at = branch_target(e->place);

    if (at == e->stub - 4) /* a conditional branch reaches no further */
        at = branch_target(at);
    *far = at == e->stub - 16;
    return *far ? veneer_target(at) : at;
}

/* An edge at HERE by the branch @how, with room for a veneer. */
static struct jit_edge make_edge(u8 *(*how)(struct codebuf *c), bool guarded)
{
    u8 *at = code + HERE;
    struct codebuf c;
    struct jit_edge e = {.place = at, .stub = at + STUB, .guard = guarded ? at + STUB - 4 : NULL};

    codebuf_init(&c, at, STUB + 4 * STUB_WORDS, 0);
    how(&c);
    while (c.at < e.stub)
        a64_nop(&c);
    if (!guarded) {
        c.at = e.stub - 4;
        a64_b(&c, NULL);
    }
    for (u32 i = 0; i < STUB_WORDS; i++)
        put32(&c, 0x1000 + i);
    assert_true(a64_patch(e.place, e.stub));
    return e;
}

static u8 *jump(struct codebuf *c)
{
    return a64_b(c, NULL);
}

static u8 *call(struct codebuf *c)
{
    return a64_bl(c, NULL);
}

static u8 *branch(struct codebuf *c)
{
    return a64_bcond(c, A64_EQ, NULL);
}

static u8 *branch_zero(struct codebuf *c)
{
    return a64_cbz(c, W32, X16, NULL);
}

static void leads_there_and_back(const struct jit_edge *e, i64 off)
{
    const u8 *target = code + HERE + off;
    u32 op = word(e->place) & 0xfc000000;
    enum a64_reach reach = (op & 0x7c000000) == 0x14000000 ? A64_REACH_B : A64_REACH_CC;
    bool far;

    a64_link(e, target, 0x12345678);
    assert_ptr_equal(follow(e, &far), target);
    assert_int_equal(far, !a64_reaches(reach, e->place, target) &&
                              (e->guard || !a64_reaches(A64_REACH_B, e->stub - 4, target)));
    assert_int_equal(word(e->place) & 0xfc000000, op);
    if (e->guard)
        assert_int_equal(word(e->guard), 0x12345678);
    for (u32 i = 0; i < STUB_WORDS; i++)
        assert_int_equal(word(e->stub + 4 * i), 0x1000 + i);
    a64_link(e, e->stub, INT32_MAX);
    assert_ptr_equal(branch_target(e->place), e->stub);
}

static void edges_lead_anywhere(void **state)
{
    static const i64 off[] = {
        0x40,      -0x40,     0xffffc,       0x100000,      -0x100000,    -0x100004,   0x7fffffc,
        0x8000000, 0x8000ffc, -0x8000000,    -0x8000004,    0x12345678,   -0x12345678, HERE - 4,
        -HERE,     0x800,     0x8000000 + 8, -0x8000000 - 8};
    static u8 *(*const how[])(struct codebuf *) = {jump, call, branch, branch_zero};

    (void)state;
    for (unsigned k = 0; k < ARRAY_LEN(how); k++) {
        for (unsigned guarded = 0; guarded < (k < 2 ? 2 : 1); guarded++) {
            struct jit_edge e = make_edge(how[k], guarded);
            for (unsigned i = 0; i < ARRAY_LEN(off); i++)
                leads_there_and_back(&e, off[i]);
        }
    }
}

/* As much address space as code may have. */
static int setup(void **state)
{
    (void)state;
    code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0);
    return code == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    return munmap(code, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(edges_lead_anywhere, setup, teardown),
    };

    return cmocka_run_group_tests_name("a64_link", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Jumps from page to page, calls and returns: once linked, they stay in generated code. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/jit.h"
#include "tests/support/check.h"
#include "tests/support/little_pc.h"

static const u8 caller[] = {
    0xb9, 0x20, 0x4e, /* mov cx,20000 */
    0xe8, 0xfa, 0x13, /* call 9000h   */
    0xe2, 0xfb,       /* loop         */
    0xf4,
};
static const u8 middle[] = {0xe9, 0xfd, 0x0f}; /* 9000h: jmp a000h    */
static const u8 callee[] = {0x40, 0xc3};       /* a000h: inc ax; ret  */

static u64 count_of(const char *text, const char *name)
{
    char key[32];

    snprintf(key, sizeof(key), " %s ", name);
    const char *at = strstr(strstr(text, "left code by"), key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static void stays_in_code(struct little_pc *pc, u16 cs)
{
    struct jit_desc d = {.cpu = pc->cpu, .physmem = pc->pm, .engine = JIT_HOST};
    u32 base = (u32)cs << 4;
    char text[4096];
    struct jit *j;

    if (!jit_supported())
        skip();
    assert_int_equal(jit_create(&j, &d), STATUS_OK);
    physmem_write(pc->pm, base + 0x9000, middle, sizeof(middle));
    physmem_write(pc->pm, base + 0xa000, callee, sizeof(callee));
    physmem_write(pc->pm, base + 0x7c00, caller, sizeof(caller));
    pc->cpu->rip = 0x7c00;
    pc->cpu->seg[SEG_CS].selector = cs;
    pc->cpu->seg[SEG_CS].base = base;
    assert_int_equal(little_pc_run(pc, 1000000), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_AX], 20000);
    jit_stats(j, text, sizeof(text));
    jit_destroy(j);
    assert_in_range(count_of(text, "edge"), 1, 50);
    assert_in_range(count_of(text, "indirect"), 1, 50);
}

static void where_linear_addresses_are_offsets(void **state)
{
    stays_in_code(*state, 0);
}

static void where_the_segment_has_a_base(void **state)
{
    stays_in_code(*state, 0x1234);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(where_linear_addresses_are_offsets),
        T(where_the_segment_has_a_base),
    };
    return cmocka_run_group_tests_name("jumps", tests, NULL, NULL);
}

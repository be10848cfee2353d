/* SPDX-License-Identifier: MIT */
/*
 * The evaluator of the intermediate form: arithmetic against the executors of the same guest
 * instructions, from random registers and flags; everything else by hand.
 */
#include "cpu/decode.h"
#include "cpu/flags.h"
#include "tests/jit/ir_text.h"
#include "tests/support/little_pc.h"

/* --- arithmetic against the executors --- */

enum { B = BIT(W8), W = BIT(W16), D = BIT(W32), WD = W | D, BWD = B | W | D };

/* In .op, $ is the width and # the immediate, which is also the instruction's last byte. Opcodes
 * are those of the byte form where there is one. */
static const struct pair {
    const char *op;
    u8 bytes[5];
    u8 len;
    u8 widths;
    u8 count; /* the immediate is 1 to this; 0: -128 to 127 */
} pairs[] = {
    {"add.$ r0, r0, r3", {0x00, 0xd8}, 2, BWD, 0},
    {"or.$ r0, r0, r3", {0x08, 0xd8}, 2, BWD, 0},
    {"adc.$ r0, r0, r3", {0x10, 0xd8}, 2, BWD, 0},
    {"sbb.$ r0, r0, r3", {0x18, 0xd8}, 2, BWD, 0},
    {"and.$ r0, r0, r3", {0x20, 0xd8}, 2, BWD, 0},
    {"sub.$ r0, r0, r3", {0x28, 0xd8}, 2, BWD, 0},
    {"xor.$ r0, r0, r3", {0x30, 0xd8}, 2, BWD, 0},
    {"cmp.$ r0, r3", {0x38, 0xd8}, 2, BWD, 0},
    {"test.$ r0, r3", {0x84, 0xd8}, 2, BWD, 0},
    {"add.8 h0, h0, r3", {0x00, 0xdc}, 2, B, 0},
    {"sbb.8 h2, h2, h1", {0x18, 0xee}, 2, B, 0},
    {"cmp.8 h3, r1", {0x38, 0xcf}, 2, B, 0},
    {"add.$ r1, r1, #", {0x83, 0xc1, 0}, 3, WD, 0},
    {"adc.$ r1, r1, #", {0x83, 0xd1, 0}, 3, WD, 0},
    {"sbb.$ r1, r1, #", {0x83, 0xd9, 0}, 3, WD, 0},
    {"cmp.$ r1, #", {0x83, 0xf9, 0}, 3, WD, 0},
    {"and.8 r1, r1, #", {0x80, 0xe1, 0}, 3, B, 0},
    {"test.8 r1, #", {0xf6, 0xc1, 0}, 3, B, 0},
    {"inc.$ r2, r2", {0xfe, 0xc2}, 2, BWD, 0},
    {"dec.$ r2, r2", {0xfe, 0xca}, 2, BWD, 0},
    {"neg.$ r2, r2", {0xf6, 0xda}, 2, BWD, 0},
    {"not.$ r2, r2", {0xf6, 0xd2}, 2, BWD, 0},
    {"mov.$ r6, r3", {0x89, 0xde}, 2, WD, 0},
    {"mov.$ t0, r6\nmov.$ r6, r3\nmov.$ r3, t0", {0x87, 0xde}, 2, WD, 0},
    {"mov.8 h2, h0", {0x88, 0xe6}, 2, B, 0},
    {"zext.$ r6, r3, 8", {0x0f, 0xb6, 0xf3}, 3, WD, 0},
    {"zext.$ r6, h0, 8", {0x0f, 0xb6, 0xf4}, 3, WD, 0},
    {"zext.32 r6, r3, 16", {0x0f, 0xb7, 0xf3}, 3, D, 0},
    {"sext.$ r6, h3, 8", {0x0f, 0xbe, 0xf7}, 3, WD, 0},
    {"sext.32 r6, r3, 16", {0x0f, 0xbf, 0xf3}, 3, D, 0},
    {"addr.$ r0, r3, r1, 2, 0x10", {0x8d, 0x44, 0x8b, 0x10}, 4, WD, 0},
    {"addr.$ r0, r3, -, 0, -0x3", {0x8d, 0x43, 0xfd}, 3, WD, 0},
    {"shl.$ r0, r0, #", {0xc0, 0xe0, 0}, 3, BWD, 31},
    {"shr.$ r0, r0, #", {0xc0, 0xe8, 0}, 3, BWD, 31},
    {"sar.$ r0, r0, #", {0xc0, 0xf8, 0}, 3, BWD, 31},
    {"rol.$ r0, r0, #", {0xc0, 0xc0, 0}, 3, BWD, 31},
    {"ror.$ r0, r0, #", {0xc0, 0xc8, 0}, 3, BWD, 31},
    {"rcl.$ r0, r0, #", {0xc0, 0xd0, 0}, 3, BWD, 31},
    {"rcr.$ r0, r0, #", {0xc0, 0xd8, 0}, 3, BWD, 31},
    {"rol.8 h1, h1, #", {0xc0, 0xc5, 0}, 3, B, 31},
    {"shlv.$ r0, r0", {0xd2, 0xe0}, 2, BWD, 0},
    {"shrv.$ r0, r0", {0xd2, 0xe8}, 2, BWD, 0},
    {"sarv.$ r2, r2", {0xd2, 0xfa}, 2, BWD, 0},
    {"shld.32 r3, r3, r6, #", {0x0f, 0xa4, 0xf3, 0}, 4, D, 31},
    {"shrd.32 r3, r3, r6, #", {0x0f, 0xac, 0xf3, 0}, 4, D, 31},
    {"imul.$ r0, r0, r3", {0x0f, 0xaf, 0xc3}, 3, WD, 0},
    {"imul.$ r0, r3, #", {0x6b, 0xc3, 0}, 3, WD, 0},
    {"mulu.$ r3", {0xf6, 0xe3}, 2, BWD, 0},
    {"muls.$ r3", {0xf6, 0xeb}, 2, BWD, 0},
    {"muls.8 h2", {0xf6, 0xee}, 2, B, 0},
    {"divu.$ r3", {0xf6, 0xf3}, 2, BWD, 0},
    {"divs.$ r3", {0xf6, 0xfb}, 2, BWD, 0},
    {"divu.8 h1", {0xf6, 0xf5}, 2, B, 0},
    {"bt.$ r0, r3", {0x0f, 0xa3, 0xd8}, 3, WD, 0},
    {"bts.$ r0, r0, r3", {0x0f, 0xab, 0xd8}, 3, WD, 0},
    {"btr.$ r0, r0, r3", {0x0f, 0xb3, 0xd8}, 3, WD, 0},
    {"btc.$ r0, r0, #", {0x0f, 0xba, 0xf8, 0}, 4, WD, 15},
    {"bsf.$ r0, r3, r0", {0x0f, 0xbc, 0xc3}, 3, WD, 0},
    {"bsr.$ r0, r3, r0", {0x0f, 0xbd, 0xc3}, 3, WD, 0},
    {"bswap.32 r3, r3", {0x0f, 0xcb}, 2, D, 0},
    {"cmov.$ r0, r0, r3, le", {0x0f, 0x4e, 0xc3}, 3, WD, 0},
    {"setc 0x1", {0xf9}, 1, D, 0},
    {"setc 0x0", {0xf8}, 1, D, 0},
    {"cmc", {0xf5}, 1, D, 0},
    {"putf h0", {0x9e}, 1, D, 0},
    {"getf.8 t0\nor.8 h0, t0, 0x2 ; def -", {0x9f}, 1, D, 0},
    {"df 0x1", {0xfd}, 1, D, 0},
    {"df 0x0", {0xfc}, 1, D, 0},
    {"sext.16 r0, r0, 8", {0x98}, 1, W, 0},
    {"sext.32 r0, r0, 16", {0x98}, 1, D, 0},
    {"sar.32 r2, r0, 0x1f ; def -", {0x99}, 1, D, 0},
};

struct random {
    u64 state;
};

static u32 next_random(struct random *r)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (u32)(r->state >> 32);
}

/* Often at an edge. */
static u32 operand(struct random *r)
{
    static const u32 edge[] = {0,      1,      0x7f,       0x80,       0xff, 0x7fff,
                               0x8000, 0xffff, 0x7fffffff, 0x80000000, ~0u,  0xffffff80};
    u32 n = next_random(r);

    if (n % 3 == 0)
        return edge[next_random(r) % ARRAY_LEN(edge)];
    return n % 3 == 1 ? next_random(r) : next_random(r) >> (next_random(r) & 31);
}

static void expand(const char *op, enum width w, i64 imm, char *out)
{
    for (; *op; op++) {
        if (*op == '$')
            out += sprintf(out, "%u", 8u << w);
        else if (*op == '#')
            out += sprintf(out, "%s0x%x", imm < 0 ? "-" : "", (unsigned)(imm < 0 ? -imm : imm));
        else
            *out++ = *op;
    }
    *out = '\0';
}

/* The guest instruction: operand-size prefix, and the wide form of an opcode that has two. */
static struct insn guest_insn(const struct decode_table *t, const struct pair *p, enum width w,
                              i64 imm)
{
    u8 bytes[8] = {0x66}, *at = bytes + (w == W16);
    struct insn in;

    memcpy(at, p->bytes, p->len);
    if (w != W8 && (p->widths & B))
        at[0] |= 1;
    if (strchr(p->op, '#'))
        at[p->len - 1] = (u8)imm;
    assert_int_equal(decode(t, bytes, p->len + (w == W16), MODE_CS32, &in), DECODE_OK);
    return in;
}

static void compare_once(struct cpu *cpu, const struct decode_table *t, const struct pair *p,
                         enum width w, struct random *r)
{
    static struct ir_block b;
    static struct cpu before, right;
    i64 imm = p->count ? (i64)(1 + next_random(r) % p->count) : (i64)(i8)next_random(r);
    struct insn in = guest_insn(t, p, w, imm);
    char op[128];
    unsigned g, at;

    expand(p->op, w, imm, op);
    ir_text_one(&b, op);
    if (ir_verify(&b, &at))
        fail_msg("%s: %s", op, ir_verify(&b, &at));
    for (unsigned i = 0; i < 8; i++)
        cpu->gpr[i] = operand(r);
    flags_put(cpu, next_random(r) & (FL_OSZAPC | FL_D));
    before = *cpu;
    bool done = in.exec(cpu, &in);
    right = *cpu;
    *cpu = before;
    enum ir_result result = ir_eval(cpu, &b, &g);
    if (result != (done ? IR_DONE : IR_BAILED))
        fail_msg("%s: result %d", op, (int)result);
    for (unsigned i = 0; i < 8; i++) {
        if (cpu->gpr[i] != right.gpr[i])
            fail_msg("%s: r%u is %x, not %x (was %x)", op, i, (u32)cpu->gpr[i], (u32)right.gpr[i],
                     (u32)before.gpr[i]);
    }
    if (flags_get(cpu) != flags_get(&right))
        fail_msg("%s: flags %x, not %x", op, flags_get(cpu), flags_get(&right));
}

static void arithmetic_is_what_the_executors_compute(void **state)
{
    struct little_pc *pc = *state;
    struct random r = {1};
    struct decode_table *t;

    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        for (unsigned n = 0; n < 3000; n++) {
            enum width w = (enum width)(n % 3);
            if (pairs[i].widths >> w & 1)
                compare_once(pc->cpu, t, &pairs[i], w, &r);
        }
    }
    decode_table_destroy(t);
}

/* Flags that nobody may look at are not those that were there. */
static void shifts_by_cl_without_flags_move_the_same_bits(void **state)
{
    static const struct pair by_cl[] = {
        {"shlv.$ r0, r0 ; use -", {0xd2, 0xe0}, 2, BWD, 0},
        {"shrv.$ r0, r0 ; use -", {0xd2, 0xe8}, 2, BWD, 0},
        {"sarv.$ r0, r0 ; use -", {0xd2, 0xf8}, 2, BWD, 0},
        {"rolv.$ r0, r0", {0xd2, 0xc0}, 2, BWD, 0},
        {"rorv.$ r0, r0", {0xd2, 0xc8}, 2, BWD, 0},
    };
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    struct random r = {1};
    struct decode_table *t;
    char op[64];
    unsigned g;

    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned n = 0; n < 15000; n++) {
        const struct pair *p = &by_cl[n % ARRAY_LEN(by_cl)];
        enum width w = (enum width)(n % 3);
        struct insn in = guest_insn(t, p, w, 0);
        u32 a = operand(&r), flags = next_random(&r) & FL_OSZAPC;
        expand(p->op, w, 0, op);
        ir_text_one(&b, op);
        cpu->gpr[REG_CX] = operand(&r);
        cpu->gpr[REG_AX] = a;
        assert_true(in.exec(cpu, &in));
        u64 right = cpu->gpr[REG_AX];
        cpu->gpr[REG_AX] = a;
        flags_put(cpu, flags);
        assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
        if (cpu->gpr[REG_AX] != right)
            fail_msg("%s: %x by %u is %x, not %x", op, a, (u32)cpu->gpr[REG_CX] & 31,
                     (u32)cpu->gpr[REG_AX], (u32)right);
        assert_int_not_equal(flags_arith(cpu), flags);
    }
    decode_table_destroy(t);
}

static void every_condition_is_that_of_the_executor(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    for (unsigned n = 0; n < 64 * 16; n++) {
        unsigned cc = n & 15;
        ir_text_parse(&b, "@0 0x1000\nset.8 r1, o\nbr o, 0x2000");
        b.insn[0].cc = b.insn[1].cc = (u8)cc;
        flags_put(cpu, ir_unpack_flags((u8)(n >> 4)));
        assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
        assert_int_equal(cpu->gpr[REG_CX] & 0xff, flags_cond(cpu, cc));
        assert_int_equal(cpu->rip, flags_cond(cpu, cc) ? 0x2000 : 0x1010);
    }
}

static void flags_outside_def_stay(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    ir_text_one(&b, "add.32 r0, r0, 0x1 ; def ZS");
    cpu->gpr[REG_AX] = 0xffffffff;
    flags_put(cpu, FL_O | FL_S);
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(flags_arith(cpu), FL_O | FL_Z);
    ir_text_one(&b, "xor.32 r0, r0, r0 ; def -");
    flags_put(cpu, FL_C | FL_P | FL_S);
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(flags_arith(cpu), FL_C | FL_P | FL_S);
}

static void getf_has_the_flags_at_their_places(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    ir_text_one(&b, "getf.32 r6");
    flags_put(cpu, FL_C | FL_O | FL_A | FL_D | FL_I);
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(cpu->gpr[REG_SI], FL_C | FL_O | FL_A);
}

static void step_follows_the_direction_flag(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    ir_text_one(&b, "step.32 r6, 2\ndf 0x1\nstep.32 r7, 1");
    flags_put(cpu, 0);
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(cpu->gpr[REG_SI], 4);
    assert_int_equal(cpu->gpr[REG_DI], 0xfffffffe);
}

static void what_is_above_a_temporary_is_not_to_be_relied_on(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    ir_text_one(&b, "mov.8 t0, 0x5\nmov.32 r0, t0");
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(cpu->gpr[REG_AX] & 0xff, 5);
    assert_int_not_equal(cpu->gpr[REG_AX], 5);
    ir_text_one(&b, "addr.16 t0, r3, r6, 0, 0x1\nmov.64 r0, t0"); /* but an address is whole */
    cpu->gpr[REG_BX] = 0x1234ffff;
    cpu->gpr[REG_SI] = 1;
    assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
    assert_int_equal(cpu->gpr[REG_AX], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, little_pc_setup, little_pc_teardown)
        TEST(arithmetic_is_what_the_executors_compute),
        TEST(shifts_by_cl_without_flags_move_the_same_bits),
        TEST(every_condition_is_that_of_the_executor),
        TEST(flags_outside_def_stay),
        TEST(getf_has_the_flags_at_their_places),
        TEST(step_follows_the_direction_flag),
        TEST(what_is_above_a_temporary_is_not_to_be_relied_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

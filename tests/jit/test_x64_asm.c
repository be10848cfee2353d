/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 assembler against capstone: every function that works on data, over all pairs of
 * registers, all widths, addresses and the edges of immediates.
 */
#include "tests/jit/x64_operands.h"

static const char *const legacy_names[] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
static const char *const alu_names[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
static const char *const shift_names[] = {"rol", "ror", "rcl", "rcr", "shl", "shr", NULL, "sar"};
static const char *const unary_names[] = {NULL, NULL, "not", "neg", "mul", "imul", "div", "idiv"};
static const char *const bt_names[] = {NULL, NULL, NULL, NULL, "bt", "bts", "btr", "btc"};

/* --- arithmetic, logic, moves --- */

static void arithmetic_takes_any_two_registers(void **state)
{
    struct asm_check *k = *state;

    for (unsigned op = 0; op < ARRAY_LEN(alu_names); op++) {
        for (struct pair p = pairs(W8, W64); p.w <= p.last; next_pair(&p)) {
            x64_alu_rr(&k->c, op, p.w, p.a, p.b);
            expect(k, "%s %s, %s", alu_names[op], reg(p.w, p.a), reg(p.w, p.b));
        }
    }
}

static void arithmetic_takes_memory_on_either_side(void **state)
{
    struct asm_check *k = *state;

    for (unsigned op = 0; op < ARRAY_LEN(alu_names); op++) {
        for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
            x64_alu_rm(&k->c, op, it.w, it.r, it.m);
            expect(k, "%s %s, %s", alu_names[op], reg(it.w, it.r), it.text);
            x64_alu_mr(&k->c, op, it.w, it.m, it.r);
            expect(k, "%s %s, %s", alu_names[op], it.text, reg(it.w, it.r));
        }
    }
}

static void arithmetic_takes_any_immediate(void **state)
{
    struct asm_check *k = *state;

    for (unsigned op = 0; op < ARRAY_LEN(alu_names); op++) {
        for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
            i32 imm = imms[(it.at + it.r) % ARRAY_LEN(imms)];

            x64_alu_ri(&k->c, op, it.w, it.r, imm);
            expect_number(k, (u64)imm, bits(it.w), "%s %s, ", alu_names[op], reg(it.w, it.r));
            x64_alu_mi(&k->c, op, it.w, it.m, imm);
            expect_number(k, (u64)imm, bits(it.w), "%s %s, ", alu_names[op], it.text);
        }
    }
}

typedef void put_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
typedef void put_rm(struct codebuf *c, enum width w, u8 dst, struct x64_mem m);
typedef void put_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 src);
typedef void put_r(struct codebuf *c, enum width w, u8 r);
typedef void put_m(struct codebuf *c, enum width w, struct x64_mem m);

static void others_take_any_two_registers(void **state)
{
    static const struct {
        const char *name;
        put_rr *put;
        enum width first;
    } rows[] = {
        {"test", x64_test_rr, W8}, {"mov", x64_mov_rr, W8},  {"imul", x64_imul_rr, W16},
        {"bsf", x64_bsf_rr, W16},  {"bsr", x64_bsr_rr, W16}, {"popcnt", x64_popcnt_rr, W16},
    };
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (struct pair p = pairs(rows[i].first, W64); p.w <= p.last; next_pair(&p)) {
            rows[i].put(&k->c, p.w, p.a, p.b);
            expect(k, "%s %s, %s", rows[i].name, reg(p.w, p.a), reg(p.w, p.b));
        }
    }
}

static void exchanges_take_any_two_registers(void **state)
{
    struct asm_check *k = *state;
    char text[2][32];

    for (struct pair p = pairs(W8, W64); p.w <= p.last; next_pair(&p)) {
        x64_xchg_rr(&k->c, p.w, p.a, p.b);
        look(k);
        /* The two orders mean the same, and the short form knows only one. */
        snprintf(text[0], sizeof(text[0]), "xchg %s, %s", reg(p.w, p.a), reg(p.w, p.b));
        snprintf(text[1], sizeof(text[1]), "xchg %s, %s", reg(p.w, p.b), reg(p.w, p.a));
        if (strcmp(k->text, text[1]) != 0)
            expect_same(k, text[0]);
    }
    /* As 90 it would not clear the upper half of RAX. */
    x64_xchg_rr(&k->c, W32, RAX, RAX);
    assert_memory_equal(k->bytes, "\x87\xc0", 2);
}

static void others_take_memory(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
        const char *r = reg(it.w, it.r);

        x64_mov_rm(&k->c, it.w, it.r, it.m);
        expect(k, "mov %s, %s", r, it.text);
        x64_mov_mr(&k->c, it.w, it.m, it.r);
        expect(k, "mov %s, %s", it.text, r);
        x64_test_mr(&k->c, it.w, it.m, it.r);
        expect(k, "test %s, %s", it.text, r);
        x64_xchg_mr(&k->c, it.w, it.m, it.r);
        expect(k, "xchg %s, %s", it.text, r);
        for (unsigned lock = 0; lock < 2; lock++) {
            x64_cmpxchg_mr(&k->c, lock, it.w, it.m, it.r);
            expect(k, "%scmpxchg %s, %s", lock ? "lock " : "", it.text, r);
            x64_xadd_mr(&k->c, lock, it.w, it.m, it.r);
            expect(k, "%sxadd %s, %s", lock ? "lock " : "", it.text, r);
        }
        if (it.w == W8)
            continue;
        x64_imul_rm(&k->c, it.w, it.r, it.m);
        expect(k, "imul %s, %s", r, it.text);
        if (it.w == W16)
            continue;
        x64_lea(&k->c, it.w, it.r, it.m);
        expect(k, "lea %s, %s", r, strchr(it.text, '['));
    }
}

static void moves_and_products_take_any_immediate(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
        i32 imm = imms[(it.at + it.r) % ARRAY_LEN(imms)];

        x64_mov_mi(&k->c, it.w, it.m, imm);
        expect_number(k, (u64)imm, bits(it.w), "mov %s, ", it.text);
        if (it.w <= W16) {
            x64_mov_ri_part(&k->c, it.w, it.r, (u16)imm);
            expect_number(k, (u64)imm, bits(it.w), "mov %s, ", reg(it.w, it.r));
        }
    }
    for (struct pair p = pairs(W16, W64); p.w <= p.last; next_pair(&p)) {
        for (unsigned i = 0; i < ARRAY_LEN(imms); i++) {
            x64_imul_rri(&k->c, p.w, p.a, p.b, imms[i]);
            expect_number(k, (u64)imms[i], bits(p.w), "imul %s, %s, ", reg(p.w, p.a),
                          reg(p.w, p.b));
        }
    }
}

static void a_register_is_given_any_number(void **state)
{
    static const struct {
        u64 value;
        enum width w;
        unsigned length; /* with a register below R8 */
    } rows[] = {
        {0, W32, 5},
        {0x7fffffff, W32, 5},
        {0x80000000, W32, 5},
        {0xffffffff, W32, 5},
        {0x100000000, W64, 10},
        {0xffffffff7fffffff, W64, 10},
        {0xffffffff80000000, W64, 7},
        {UINT64_MAX, W64, 7},
        {0x0123456789abcdef, W64, 10},
    };
    struct asm_check *k = *state;

    for (u8 r = RAX; r <= R15; r++) {
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            bool abs = rows[i].length == 10;

            x64_mov_ri(&k->c, r, rows[i].value);
            expect_number(k, rows[i].value, bits(rows[i].w), "mov%s %s, ", abs ? "abs" : "",
                          reg(rows[i].w, r));
            assert_int_equal(k->length, rows[i].length + (r >= R8 && rows[i].w == W32));
        }
    }
}

/* TEST with an immediate may be narrower, but only so that ZF, SF, PF stay what they are. */
static void tests_take_any_immediate(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
        i32 given = imms[(it.at + it.r) % ARRAY_LEN(imms)];
        i32 imm = it.w == W8 ? (i8)given : it.w == W16 ? (i16)given : given;
        enum width w = imm >= 0 && imm < 0x80 ? W8 : it.w == W64 && imm >= 0 ? W32 : it.w;
        const char *sizes[] = {"byte", "word", "dword", "qword"};

        x64_test_ri(&k->c, it.w, it.r, given);
        expect_number(k, (u64)imm, bits(w), "test %s, ", reg(w, it.r));
        x64_test_mi(&k->c, it.w, it.m, given);
        expect_number(k, (u64)imm, bits(w), "test %s %s, ", sizes[w], strstr(it.text, "ptr"));
    }
}

static void extensions_take_all_widths(void **state)
{
    struct asm_check *k = *state;

    for (struct pair p = pairs(W8, W32); p.w <= p.last; next_pair(&p)) {
        if (p.w <= W16) {
            x64_movzx_rr(&k->c, p.w, p.a, p.b);
            expect(k, "movzx %s, %s", reg(W32, p.a), reg(p.w, p.b));
            x64_movsx_rr(&k->c, W32, p.w, p.a, p.b);
            expect(k, "movsx %s, %s", reg(W32, p.a), reg(p.w, p.b));
        }
        x64_movsx_rr(&k->c, W64, p.w, p.a, p.b);
        expect(k, "movsx%s %s, %s", p.w == W32 ? "d" : "", reg(W64, p.a), reg(p.w, p.b));
    }
    for (struct with_mem it = with_mems(W8, W32); it.w <= it.last; next_mem(&it)) {
        if (it.w <= W16) {
            x64_movzx_rm(&k->c, it.w, it.r, it.m);
            expect(k, "movzx %s, %s", reg(W32, it.r), it.text);
            x64_movsx_rm(&k->c, W32, it.w, it.r, it.m);
            expect(k, "movsx %s, %s", reg(W32, it.r), it.text);
        }
        x64_movsx_rm(&k->c, W64, it.w, it.r, it.m);
        expect(k, "movsx%s %s, %s", it.w == W32 ? "d" : "", reg(W64, it.r), it.text);
    }
}

static void legacy_byte_registers_are_ah_to_bh(void **state)
{
    struct asm_check *k = *state;
    const char *const *name = legacy_names;

    for (u8 a = 0; a < 8; a++) {
        for (u8 b = 0; b < 8; b++) {
            x64_legacy_mov8_rr(&k->c, a, b);
            expect(k, "mov %s, %s", name[a], name[b]);
            x64_legacy_test8_rr(&k->c, a, b);
            expect(k, "test %s, %s", name[a], name[b]);
            x64_legacy_movzx8_rr(&k->c, a, b);
            expect(k, "movzx %s, %s", reg(W32, a), name[b]);
            for (unsigned op = 0; op < ARRAY_LEN(alu_names); op++) {
                x64_legacy_alu8_rr(&k->c, op, a, b);
                expect(k, "%s %s, %s", alu_names[op], name[a], name[b]);
            }
        }
        for (unsigned imm = 0; imm < 256; imm++) {
            x64_legacy_mov8_ri(&k->c, a, (u8)imm);
            expect_number(k, imm, 8, "mov %s, ", name[a]);
            x64_legacy_test8_ri(&k->c, a, (u8)imm);
            expect_number(k, imm, 8, "test %s, ", name[a]);
            x64_legacy_alu8_ri(&k->c, imm % 8, a, (u8)imm);
            expect_number(k, imm, 8, "%s %s, ", alu_names[imm % 8], name[a]);
        }
        for (unsigned cc = 0; cc < 16; cc++) {
            x64_legacy_setcc(&k->c, cc, a);
            expect(k, "set%s %s", cc_names[cc], name[a]);
        }
    }
}

/* --- shifts, bits, conditions --- */

static void shifts_take_any_count(void **state)
{
    struct asm_check *k = *state;

    for (unsigned op = 0; op < ARRAY_LEN(shift_names); op++) {
        if (!shift_names[op])
            continue;
        for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
            u8 count = (u8)((it.at + it.r) % bits(it.w));
            const char *r = reg(it.w, it.r);

            x64_shift_ri(&k->c, op, it.w, it.r, count);
            expect_number(k, count, 8, "%s %s, ", shift_names[op], r);
            x64_shift_mi(&k->c, op, it.w, it.m, count);
            expect_number(k, count, 8, "%s %s, ", shift_names[op], it.text);
            x64_shift_rcl(&k->c, op, it.w, it.r);
            expect(k, "%s %s, cl", shift_names[op], r);
            x64_shift_mcl(&k->c, op, it.w, it.m);
            expect(k, "%s %s, cl", shift_names[op], it.text);
        }
    }
}

static void double_shifts_and_bmi2_take_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct pair p = pairs(W16, W64); p.w <= p.last; next_pair(&p)) {
        const char *a = reg(p.w, p.a), *b = reg(p.w, p.b);

        for (unsigned right = 0; right < 2; right++) {
            x64_shd_rri(&k->c, right, p.w, p.a, p.b, p.b);
            expect_number(k, p.b, 8, "sh%cd %s, %s, ", right ? 'r' : 'l', a, b);
            x64_shd_rrcl(&k->c, right, p.w, p.a, p.b);
            expect(k, "sh%cd %s, %s, cl", right ? 'r' : 'l', a, b);
        }
        if (p.w == W16)
            continue;
        x64_rorx(&k->c, p.w, p.a, p.b, p.b);
        expect_number(k, p.b, 8, "rorx %s, %s, ", a, b);
        for (u8 count = RAX; count <= R15; count++) {
            x64_shlx(&k->c, p.w, p.a, p.b, count);
            expect(k, "shlx %s, %s, %s", a, b, reg(p.w, count));
            x64_shrx(&k->c, p.w, p.a, p.b, count);
            expect(k, "shrx %s, %s, %s", a, b, reg(p.w, count));
            x64_sarx(&k->c, p.w, p.a, p.b, count);
            expect(k, "sarx %s, %s, %s", a, b, reg(p.w, count));
        }
    }
}

static void one_operand_may_be_register_or_memory(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
        for (unsigned op = X64_NOT; op <= X64_IDIV; op++) {
            x64_unary_r(&k->c, op, it.w, it.r);
            expect(k, "%s %s", unary_names[op], reg(it.w, it.r));
            x64_unary_m(&k->c, op, it.w, it.m);
            expect(k, "%s %s", unary_names[op], it.text);
        }
        x64_inc_r(&k->c, it.w, it.r);
        expect(k, "inc %s", reg(it.w, it.r));
        x64_inc_m(&k->c, it.w, it.m);
        expect(k, "inc %s", it.text);
        x64_dec_r(&k->c, it.w, it.r);
        expect(k, "dec %s", reg(it.w, it.r));
        x64_dec_m(&k->c, it.w, it.m);
        expect(k, "dec %s", it.text);
        if (it.w >= W32) {
            x64_bswap(&k->c, it.w, it.r);
            expect(k, "bswap %s", reg(it.w, it.r));
        }
    }
}

static void bit_operations_take_registers_and_memory(void **state)
{
    struct asm_check *k = *state;

    for (unsigned op = X64_BT; op <= X64_BTC; op++) {
        for (struct pair p = pairs(W16, W64); p.w <= p.last; next_pair(&p)) {
            x64_bt_rr(&k->c, op, p.w, p.a, p.b);
            expect(k, "%s %s, %s", bt_names[op], reg(p.w, p.a), reg(p.w, p.b));
            x64_bt_ri(&k->c, op, p.w, p.a, p.b);
            expect_number(k, p.b, 8, "%s %s, ", bt_names[op], reg(p.w, p.a));
        }
        for (struct with_mem it = with_mems(W16, W64); it.w <= it.last; next_mem(&it)) {
            x64_bt_mi(&k->c, op, it.w, it.m, it.r);
            expect_number(k, it.r, 8, "%s %s, ", bt_names[op], it.text);
        }
    }
}

static void conditions_have_their_numbers(void **state)
{
    struct asm_check *k = *state;

    for (unsigned cc = 0; cc < ARRAY_LEN(cc_names); cc++) {
        for (struct pair p = pairs(W16, W64); p.w <= p.last; next_pair(&p)) {
            x64_cmov_rr(&k->c, cc, p.w, p.a, p.b);
            expect(k, "cmov%s %s, %s", cc_names[cc], reg(p.w, p.a), reg(p.w, p.b));
        }
        for (struct with_mem it = with_mems(W8, W64); it.w <= it.last; next_mem(&it)) {
            if (it.w != W8) {
                x64_cmov_rm(&k->c, cc, it.w, it.r, it.m);
                expect(k, "cmov%s %s, %s", cc_names[cc], reg(it.w, it.r), it.text);
                continue;
            }
            x64_setcc_r(&k->c, cc, it.r);
            expect(k, "set%s %s", cc_names[cc], reg(W8, it.r));
            x64_setcc_m(&k->c, cc, it.m);
            expect(k, "set%s %s", cc_names[cc], it.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(arithmetic_takes_any_two_registers),
        TEST(arithmetic_takes_memory_on_either_side),
        TEST(arithmetic_takes_any_immediate),
        TEST(others_take_any_two_registers),
        TEST(exchanges_take_any_two_registers),
        TEST(others_take_memory),
        TEST(moves_and_products_take_any_immediate),
        TEST(a_register_is_given_any_number),
        TEST(tests_take_any_immediate),
        TEST(extensions_take_all_widths),
        TEST(legacy_byte_registers_are_ah_to_bh),
        TEST(shifts_take_any_count),
        TEST(double_shifts_and_bmi2_take_any_registers),
        TEST(one_operand_may_be_register_or_memory),
        TEST(bit_operations_take_registers_and_memory),
        TEST(conditions_have_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

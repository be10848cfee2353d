/* SPDX-License-Identifier: MIT */
/*
 * The A64 assembler against capstone: every function that works on registers and numbers, over all
 * pairs of registers, both widths, and the edges of what a field can hold. Capstone prefers the
 * aliases of [ARM C6.2], so they are what is expected.
 */
#include "tests/jit/a64_operands.h"

static const char *const arith_names[] = {"add", "adds", "sub", "subs"};
static const char *const carry_names[] = {"adc", "adcs", "sbc", "sbcs"};
static const char *const logic_names[] = {"and", "bic", "orr", "orn", "eor", "eon", "ands", "bics"};
static const char *const shift_names[] = {"lsl", "lsr", "asr", "ror"};
static const char *const extend_names[] = {"uxtb", "uxth", "uxtw", "uxtx",
                                           "sxtb", "sxth", "sxtw", "sxtx"};

/* --- arithmetic and logic --- */

/* @m is the last operand, with all that goes with it. */
static void expect_arith(struct asm_check *k, enum a64_arith op, const struct regs *r,
                         const char *m)
{
    const char *d = reg(r->w, r->d), *n = reg(r->w, r->n);

    if (r->d == XZR && (op & 1))
        expect(k, "%s %s, %s", op == A64_ADDS ? "cmn" : "cmp", n, m);
    else if (r->n == XZR && op >= A64_SUB)
        expect(k, "%s %s, %s", op == A64_SUB ? "neg" : "negs", d, m);
    else
        expect(k, "%s %s, %s, %s", arith_names[op], d, n, m);
}

static void arithmetic_takes_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        for (enum a64_arith op = A64_ADD; op <= A64_SUBS; op++) {
            a64_arith_rr(&k->c, op, r.w, r.d, r.n, r.m);
            expect_arith(k, op, &r, reg(r.w, r.m));
        }
        a64_cmp_rr(&k->c, r.w, r.n, r.m);
        expect(k, "cmp %s, %s", reg(r.w, r.n), reg(r.w, r.m));
        a64_cmn_rr(&k->c, r.w, r.n, r.m);
        expect(k, "cmn %s, %s", reg(r.w, r.n), reg(r.w, r.m));
        a64_neg_rr(&k->c, r.w, r.d, r.m);
        expect(k, "neg %s, %s", reg(r.w, r.d), reg(r.w, r.m));
    }
}

static void arithmetic_takes_shifted_registers(void **state)
{
    struct asm_check *k = *state;
    char m[32];

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        u8 amount = (u8)((r.d + 2 * r.n) % bits(r.w));

        for (unsigned i = 0; i < 4 * 3; i++) {
            snprintf(m, sizeof(m), "%s, %s #%d", reg(r.w, r.m), shift_names[i / 4], amount);
            if (amount == 0 && i / 4 == A64_LSL)
                *strchr(m, ',') = 0;
            a64_arith_rs(&k->c, i % 4, r.w, r.d, r.n, r.m, i / 4, amount);
            expect_arith(k, i % 4, &r, m);
        }
    }
}

static void arithmetic_takes_extended_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        enum a64_arith op = (r.d + r.n) % 4;
        enum a64_extend extend = (r.d / 2 + r.n) % 8;
        u8 amount = (r.d + r.n / 2) % 5;
        /* With a stack pointer the extension that does nothing is written as a shift. */
        bool plain = extend == (r.w == W64 ? A64_UXTX : A64_UXTW) &&
                     (r.n == XSP || (r.d == XSP && !(op & 1)));
        bool compare = r.d == XZR && (op & 1);
        char text[64];
        int n = 0;

        if (compare)
            n = snprintf(text, sizeof(text), "%s ", op == A64_ADDS ? "cmn" : "cmp");
        else
            n = snprintf(text, sizeof(text), "%s %s, ", arith_names[op],
                         op & 1 ? reg(r.w, r.d) : reg_or_sp(r.w, r.d));
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s, %s", reg_or_sp(r.w, r.n),
                      reg((extend & 3) == 3 ? r.w : W32, r.m));
        if (!plain)
            n += snprintf(text + n, sizeof(text) - (size_t)n, ", %s", extend_names[extend]);
        else if (amount)
            n += snprintf(text + n, sizeof(text) - (size_t)n, ", lsl");
        if (amount)
            snprintf(text + n, sizeof(text) - (size_t)n, " #%d", amount);
        a64_arith_rx(&k->c, op, r.w, r.d, r.n, r.m, extend, amount);
        expect(k, "%s", text);
    }
}

static void arithmetic_takes_twelve_bits(void **state)
{
    static const u32 imms[] = {1, 9, 10, 0xfff, 0x1000, 0xabc000, 0xfff000};
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        enum a64_arith op = (r.d + r.n) % 4;
        u32 imm = imms[(2 * r.d + r.n) % ARRAY_LEN(imms)];
        const char *lsl = imm > 0xfff ? ", lsl #12" : "", *n = reg_or_sp(r.w, r.n);
        struct number v = num(imm > 0xfff ? imm >> 12 : imm);

        assert_true(a64_arith_fits(imm));
        a64_arith_ri(&k->c, op, r.w, r.d, r.n, imm);
        if (r.d == XZR && (op & 1))
            expect(k, "%s %s, %s%s", op == A64_ADDS ? "cmn" : "cmp", n, v.text, lsl);
        else
            expect(k, "%s %s, %s, %s%s", arith_names[op],
                   op & 1 ? reg(r.w, r.d) : reg_or_sp(r.w, r.d), n, v.text, lsl);
        a64_cmp_ri(&k->c, r.w, r.n, imm);
        expect(k, "cmp %s, %s%s", n, v.text, lsl);
        a64_cmn_ri(&k->c, r.w, r.n, imm);
        expect(k, "cmn %s, %s%s", n, v.text, lsl);
    }
    assert_true(a64_arith_fits(0));
    assert_false(a64_arith_fits(0x1001));
    assert_false(a64_arith_fits(0x1008));
    assert_false(a64_arith_fits(0xfff001));
    assert_false(a64_arith_fits(0x1000000));
    assert_false(a64_arith_fits(UINT64_MAX));
    assert_false(a64_arith_fits(0x100000001));
}

static void carries_take_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        for (enum a64_carry op = A64_ADC; op <= A64_SBCS; op++) {
            const char *d = reg(r.w, r.d), *m = reg(r.w, r.m);

            a64_carry_rr(&k->c, op, r.w, r.d, r.n, r.m);
            if (r.n == XZR && op >= A64_SBC)
                expect(k, "%s %s, %s", op == A64_SBC ? "ngc" : "ngcs", d, m);
            else
                expect(k, "%s %s, %s, %s", carry_names[op], d, reg(r.w, r.n), m);
        }
    }
}

static void expect_logic(struct asm_check *k, enum a64_logic op, const struct regs *r,
                         const char *m, bool shifted)
{
    const char *d = reg(r->w, r->d), *n = reg(r->w, r->n);

    if (r->d == XZR && op == A64_ANDS)
        expect(k, "tst %s, %s", n, m);
    else if (r->n == XZR && op == A64_ORR && !shifted)
        expect(k, "mov %s, %s", d, m);
    else if (r->n == XZR && op == A64_ORN)
        expect(k, "mvn %s, %s", d, m);
    else
        expect(k, "%s %s, %s, %s", logic_names[op], d, n, m);
}

static void logic_takes_any_registers_shifted(void **state)
{
    struct asm_check *k = *state;
    char m[32];

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        u8 amount = (u8)((r.d + 2 * r.n) % bits(r.w));

        for (enum a64_logic op = A64_AND; op <= A64_BICS; op++) {
            enum a64_shift shift = (op + r.d) % 4;
            bool shifted = amount != 0 || shift != A64_LSL;

            a64_logic_rr(&k->c, op, r.w, r.d, r.n, r.m);
            expect_logic(k, op, &r, reg(r.w, r.m), false);
            snprintf(m, sizeof(m), "%s, %s #%d", reg(r.w, r.m), shift_names[shift], amount);
            if (!shifted)
                *strchr(m, ',') = 0;
            a64_logic_rs(&k->c, op, r.w, r.d, r.n, r.m, shift, amount);
            expect_logic(k, op, &r, m, shifted);
        }
        a64_mov_rr(&k->c, r.w, r.d, r.m);
        expect(k, "mov %s, %s", reg(r.w, r.d), reg(r.w, r.m));
        a64_mvn_rr(&k->c, r.w, r.d, r.m);
        expect(k, "mvn %s, %s", reg(r.w, r.d), reg(r.w, r.m));
        a64_tst_rr(&k->c, r.w, r.n, r.m);
        expect(k, "tst %s, %s", reg(r.w, r.n), reg(r.w, r.m));
    }
    a64_mov_sp(&k->c, XSP, X29);
    expect(k, "mov sp, x29");
    a64_mov_sp(&k->c, X29, XSP);
    expect(k, "mov x29, sp");
}

/* --- bit-fields and shifts --- */

static void bit_fields_are_extracted_and_inserted(void **state)
{
    struct asm_check *k = *state;

    for (enum width w = W32; w <= W64; w++) {
        for (unsigned lsb = 1; lsb < bits(w) - 1; lsb++) {
            for (unsigned n = 1; n < bits(w) - lsb; n++) {
                /* Not those at an end, which have other names. */
                u8 d = (u8)(lsb % 32), s = (u8)(n % 31), at = (u8)lsb, size = (u8)n;
                struct number l = num(at), b = num(size);
                char operands[64];

                snprintf(operands, sizeof(operands), "%s, %s, %s, %s", reg(w, d), reg(w, s), l.text,
                         b.text);
                a64_ubfx(&k->c, w, d, s, at, size);
                expect(k, "ubfx %s", operands);
                a64_sbfx(&k->c, w, d, s, at, size);
                expect(k, "sbfx %s", operands);
                a64_bfxil(&k->c, w, d, s, at, size);
                expect(k, "bfxil %s", operands);
                a64_ubfiz(&k->c, w, d, s, at, size);
                expect(k, "ubfiz %s", operands);
                a64_sbfiz(&k->c, w, d, s, at, size);
                expect(k, "sbfiz %s", operands);
                a64_bfi(&k->c, w, d, s, at, size);
                expect(k, "bfi %s", operands);
                a64_bitfield(&k->c, A64_UBFM, w, d, s, at, at + size - 1);
                expect(k, "ubfx %s", operands);
            }
        }
    }
    a64_bfxil(&k->c, W32, X1, X2, 0, 8);
    expect(k, "bfxil w1, w2, #0, #8");
    a64_bfi(&k->c, W64, X1, X2, 56, 8);
    expect(k, "bfi x1, x2, #0x38, #8");
    a64_bfxil(&k->c, W64, X1, X2, 8, 56);
    expect(k, "bfxil x1, x2, #8, #0x38");
}

static void shifts_take_registers_and_numbers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        const char *d = reg(r.w, r.d), *n = reg(r.w, r.n), *m = reg(r.w, r.m);
        u8 amount = (u8)(1 + (r.d + 2 * r.n) % (bits(r.w) - 1));
        struct number v = num(amount);

        for (enum a64_shift op = A64_LSL; op <= A64_ROR; op++) {
            a64_shift_rr(&k->c, op, r.w, r.d, r.n, r.m);
            expect(k, "%s %s, %s, %s", shift_names[op], d, n, m);
            a64_shift_ri(&k->c, op, r.w, r.d, r.n, amount);
            expect(k, "%s %s, %s, %s", shift_names[op], d, n, v.text);
        }
        a64_extr(&k->c, r.w, r.d, r.n, r.m, amount);
        if (r.n == r.m)
            expect(k, "ror %s, %s, %s", d, n, v.text);
        else
            expect(k, "extr %s, %s, %s, %s", d, n, m, v.text);
    }
}

/* By 0 they are moves, without a name of their own for LSL. */
static void shifts_by_nothing_are_moves(void **state)
{
    struct asm_check *k = *state;

    a64_shift_ri(&k->c, A64_LSR, W32, X1, X2, 0);
    expect(k, "lsr w1, w2, #0");
    a64_shift_ri(&k->c, A64_ASR, W64, X1, X2, 0);
    expect(k, "asr x1, x2, #0");
    a64_shift_ri(&k->c, A64_ROR, W64, X1, X2, 0);
    expect(k, "ror x1, x2, #0");
    a64_shift_ri(&k->c, A64_LSL, W64, X1, X2, 0);
    expect(k, "lsr x1, x2, #0");
}

static void extensions_take_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W32); r.w <= r.last; next_regs(&r)) {
        const char *w = reg(W32, r.d), *x = reg(W64, r.d), *n = reg(W32, r.n);

        a64_uxt(&k->c, W8, r.d, r.n);
        expect(k, "uxtb %s, %s", w, n);
        a64_uxt(&k->c, W16, r.d, r.n);
        expect(k, "uxth %s, %s", w, n);
        a64_sxt(&k->c, W32, W8, r.d, r.n);
        expect(k, "sxtb %s, %s", w, n);
        a64_sxt(&k->c, W32, W16, r.d, r.n);
        expect(k, "sxth %s, %s", w, n);
        a64_sxt(&k->c, W64, W8, r.d, r.n);
        expect(k, "sxtb %s, %s", x, n);
        a64_sxt(&k->c, W64, W16, r.d, r.n);
        expect(k, "sxth %s, %s", x, n);
        a64_sxt(&k->c, W64, W32, r.d, r.n);
        expect(k, "sxtw %s, %s", x, n);
    }
}

/* --- multiplication, division, bits --- */

static void products_and_quotients_take_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        const char *d = reg(r.w, r.d), *n = reg(r.w, r.n), *m = reg(r.w, r.m);
        u8 a = (r.d + r.n) % 31;

        a64_madd(&k->c, r.w, r.d, r.n, r.m, a);
        expect(k, "madd %s, %s, %s, %s", d, n, m, reg(r.w, a));
        a64_msub(&k->c, r.w, r.d, r.n, r.m, a);
        expect(k, "msub %s, %s, %s, %s", d, n, m, reg(r.w, a));
        a64_mul(&k->c, r.w, r.d, r.n, r.m);
        expect(k, "mul %s, %s, %s", d, n, m);
        a64_udiv(&k->c, r.w, r.d, r.n, r.m);
        expect(k, "udiv %s, %s, %s", d, n, m);
        a64_sdiv(&k->c, r.w, r.d, r.n, r.m);
        expect(k, "sdiv %s, %s, %s", d, n, m);
        a64_umull(&k->c, r.d, r.n, r.m);
        expect(k, "umull %s, %s, %s", reg(W64, r.d), reg(W32, r.n), reg(W32, r.m));
        a64_smull(&k->c, r.d, r.n, r.m);
        expect(k, "smull %s, %s, %s", reg(W64, r.d), reg(W32, r.n), reg(W32, r.m));
        a64_umulh(&k->c, r.d, r.n, r.m);
        expect(k, "umulh %s, %s, %s", reg(W64, r.d), reg(W64, r.n), reg(W64, r.m));
        a64_smulh(&k->c, r.d, r.n, r.m);
        expect(k, "smulh %s, %s, %s", reg(W64, r.d), reg(W64, r.n), reg(W64, r.m));
    }
}

static void bits_are_counted_and_turned(void **state)
{
    static const struct {
        const char *name;
        void (*put)(struct codebuf *c, enum width w, u8 d, u8 n);
    } rows[] = {{"clz", a64_clz},
                {"cls", a64_cls},
                {"rbit", a64_rbit},
                {"rev", a64_rev},
                {"rev16", a64_rev16}};
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            rows[i].put(&k->c, r.w, r.d, r.n);
            expect(k, "%s %s, %s", rows[i].name, reg(r.w, r.d), reg(r.w, r.n));
        }
    }
}

/* --- conditions --- */

/* The three selections that change @m have another name if it is @n: with the inverse condition. */
static void expect_select(struct asm_check *k, enum a64_select op, const struct regs *r,
                          enum a64_cc cc)
{
    static const char *const names[] = {"csel", "csinc", "csinv", "csneg"};
    static const char *const same[] = {NULL, "cinc", "cinv", "cneg"};
    const char *d = reg(r->w, r->d), *n = reg(r->w, r->n);

    if (op == A64_CSEL || r->n != r->m)
        expect(k, "%s %s, %s, %s, %s", names[op], d, n, reg(r->w, r->m), cc_names[cc]);
    else if (r->n == XZR && op != A64_CSNEG)
        expect(k, "%s %s, %s", op == A64_CSINC ? "cset" : "csetm", d, cc_names[a64_inverse(cc)]);
    else
        expect(k, "%s %s, %s, %s", same[op], d, n, cc_names[a64_inverse(cc)]);
}

static void selections_take_any_registers(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        enum a64_cc cc = (r.d + r.n) % 15;

        for (enum a64_select op = A64_CSEL; op <= A64_CSNEG; op++) {
            if (op != A64_CSEL && r.n == r.m && cc == A64_AL)
                continue; /* capstone gives it a name with "nv", which GNU as refuses */
            a64_select(&k->c, op, r.w, r.d, r.n, r.m, cc);
            expect_select(k, op, &r, cc);
        }
        a64_csel(&k->c, r.w, r.d, r.n, r.m, cc);
        expect_select(k, A64_CSEL, &r, cc);
        if (cc == A64_AL)
            continue;
        a64_cset(&k->c, r.w, r.d, cc);
        expect(k, "cset %s, %s", reg(r.w, r.d), cc_names[cc]);
        a64_csetm(&k->c, r.w, r.d, cc);
        expect(k, "csetm %s, %s", reg(r.w, r.d), cc_names[cc]);
    }
}

static void conditional_compares_take_registers_and_five_bits(void **state)
{
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        enum a64_cc cc = (r.d + r.n) % 15;
        u8 nzcv = (r.d + r.n / 2) % 16, imm = r.d;
        struct number flags = num(nzcv), v = num(imm);

        for (enum a64_ccompare op = A64_CCMN; op <= A64_CCMP; op++) {
            const char *name = op == A64_CCMN ? "ccmn" : "ccmp";

            a64_ccompare_rr(&k->c, op, r.w, r.n, r.m, nzcv, cc);
            expect(k, "%s %s, %s, %s, %s", name, reg(r.w, r.n), reg(r.w, r.m), flags.text,
                   cc_names[cc]);
            a64_ccompare_ri(&k->c, op, r.w, r.n, imm, nzcv, cc);
            expect(k, "%s %s, %s, %s, %s", name, reg(r.w, r.n), v.text, flags.text, cc_names[cc]);
        }
    }
    a64_ccompare_ri(&k->c, A64_CCMP, W32, X1, 0, A64_N | A64_C, A64_EQ);
    expect(k, "ccmp w1, #0, #0xa, eq");
    a64_ccompare_ri(&k->c, A64_CCMP, W32, X1, 0, A64_Z | A64_V, A64_EQ);
    expect(k, "ccmp w1, #0, #5, eq");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(arithmetic_takes_any_registers),
        TEST(arithmetic_takes_shifted_registers),
        TEST(arithmetic_takes_extended_registers),
        TEST(arithmetic_takes_twelve_bits),
        TEST(carries_take_any_registers),
        TEST(logic_takes_any_registers_shifted),
        TEST(bit_fields_are_extracted_and_inserted),
        TEST(shifts_take_registers_and_numbers),
        TEST(shifts_by_nothing_are_moves),
        TEST(extensions_take_any_registers),
        TEST(products_and_quotients_take_any_registers),
        TEST(bits_are_counted_and_turned),
        TEST(selections_take_any_registers),
        TEST(conditional_compares_take_registers_and_five_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

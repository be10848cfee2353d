/* SPDX-License-Identifier: MIT */
/*
 * The A64 assembler against capstone: memory, branches and their patching, system instructions, and
 * what it does at the end of the buffer. What capstone 4 does not know (atomics, FEAT_FlagM, LDAPR)
 * against the words that GNU as gives.
 */
#include "tests/jit/a64_operands.h"

/* --- memory --- */

static const struct access {
    enum a64_mem op;
    enum width w, reg; /* in memory; of the register */
    const char *name, *size;
} accesses[] = {
    {A64_STR, W8, W32, "str", "b"},      {A64_STR, W16, W32, "str", "h"},
    {A64_STR, W32, W32, "str", ""},      {A64_STR, W64, W64, "str", ""},
    {A64_LDR, W8, W32, "ldr", "b"},      {A64_LDR, W16, W32, "ldr", "h"},
    {A64_LDR, W32, W32, "ldr", ""},      {A64_LDR, W64, W64, "ldr", ""},
    {A64_LDRS_X, W8, W64, "ldr", "sb"},  {A64_LDRS_X, W16, W64, "ldr", "sh"},
    {A64_LDRS_X, W32, W64, "ldr", "sw"}, {A64_LDRS_W, W8, W32, "ldr", "sb"},
    {A64_LDRS_W, W16, W32, "ldr", "sh"},
};

/* With the name of the unscaled form: LDUR for LDR. */
static void expect_mem(struct asm_check *k, const struct access *a, bool unscaled, u8 t,
                       const char *address)
{
    expect(k, "%.2s%s%s%s %s, %s", a->name, unscaled ? "u" : "", a->name + 2, a->size,
           reg(a->reg, t), address);
}

static void addresses_have_offsets(void **state)
{
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(accesses); i++) {
        const struct access *a = &accesses[i];
        i32 unit = 1 << a->w;
        const i32 offs[] = {0, unit, 8 * unit, 4095 * unit, 256, -1, -unit, -256, 255, 1, 248};

        for (struct regs r = all_regs(W32, W32); r.w <= r.last; next_regs(&r)) {
            i32 off = offs[(r.d + r.n) % ARRAY_LEN(offs)];
            bool unscaled = off < 0 || off % unit != 0;
            struct number v = num(off);
            char text[64];

            assert_true(a64_mem_fits(a->w, off));
            snprintf(text, sizeof(text), "[%s%s%s]", reg_or_sp(W64, r.n), off ? ", " : "",
                     off ? v.text : "");
            a64_mem_ri(&k->c, a->op, a->w, r.d, r.n, off);
            expect_mem(k, a, unscaled, r.d, text);
            if (r.d == r.n || off < -256 || off > 255)
                continue;
            snprintf(text, sizeof(text), "[%s, %s]!", reg_or_sp(W64, r.n), v.text);
            a64_mem_pre(&k->c, a->op, a->w, r.d, r.n, off);
            expect_mem(k, a, false, r.d, text);
            a64_mem_post(&k->c, a->op, a->w, r.d, r.n, off);
            expect_number(k, (u64)off, 64, "%s%s %s, [%s], #", a->name, a->size, reg(a->reg, r.d),
                          reg_or_sp(W64, r.n));
        }
    }
    a64_ldr(&k->c, W64, X1, XSP, 32760);
    expect(k, "ldr x1, [sp, #0x7ff8]");
    a64_str(&k->c, W8, X1, X2, -256);
    expect(k, "sturb w1, [x2, #-0x100]");
}

static void offsets_fit_scaled_or_in_nine_bits(void **state)
{
    (void)state;
    for (enum width w = W8; w <= W64; w++) {
        i64 unit = 1 << w;

        assert_true(a64_mem_fits(w, 4095 * unit));
        assert_false(a64_mem_fits(w, 4096 * unit));
        assert_false(a64_mem_fits(w, -257));
        assert_int_equal(a64_mem_fits(w, 257), w == W8);
        assert_int_equal(a64_mem_fits(w, 258), w <= W16);
        assert_false(a64_mem_fits(w, (i64)1 << 32));
        assert_false(a64_mem_fits(w, INT64_MIN));
        if (w < W32)
            continue;
        assert_true(a64_pair_fits(w, 63 * unit));
        assert_true(a64_pair_fits(w, -64 * unit));
        assert_false(a64_pair_fits(w, 64 * unit));
        assert_false(a64_pair_fits(w, -65 * unit));
        assert_false(a64_pair_fits(w, 1));
        assert_false(a64_pair_fits(w, 2));
        assert_false(a64_pair_fits(w, (i64)1 << 34));
    }
}

static void addresses_have_index_registers(void **state)
{
    static const enum a64_extend extends[] = {A64_UXTW, A64_UXTX, A64_SXTW, A64_SXTX};
    static const char *const names[] = {"uxtw", "lsl", "sxtw", "sxtx"};
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(accesses); i++) {
        const struct access *a = &accesses[i];

        for (struct regs r = all_regs(W32, W32); r.w <= r.last; next_regs(&r)) {
            unsigned e = (r.d + r.n) % 4;
            bool scaled = (r.d / 4 + r.n) % 2;
            char text[64];
            int n = snprintf(text, sizeof(text), "[%s, %s", reg_or_sp(W64, r.n),
                             reg(e % 2 ? W64 : W32, r.m));

            if (scaled)
                snprintf(text + n, sizeof(text) - (size_t)n, ", %s #%d]", names[e], a->w);
            else if (e == 1)
                snprintf(text + n, sizeof(text) - (size_t)n, "]");
            else
                snprintf(text + n, sizeof(text) - (size_t)n, ", %s]", names[e]);
            a64_mem_rr(&k->c, a->op, a->w, r.d, r.n, r.m, extends[e], scaled);
            expect_mem(k, a, false, r.d, text);
        }
    }
}

static void pairs_are_loaded_and_stored(void **state)
{
    static const struct {
        const char *name, *format;
        void (*put)(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
        bool indexed;
    } rows[] = {
        {"ldp", "[%s, %s]", a64_ldp, false},     {"stp", "[%s, %s]", a64_stp, false},
        {"ldp", "[%s, %s]!", a64_ldp_pre, true}, {"stp", "[%s, %s]!", a64_stp_pre, true},
        {"ldp", "[%s], %s", a64_ldp_post, true}, {"stp", "[%s], %s", a64_stp_post, true},
    };
    static const i32 offs[] = {1, 2, 63, -1, -2, -64};
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W32, W64); r.w <= r.last; next_regs(&r)) {
        i32 off = offs[(r.d + r.n) % ARRAY_LEN(offs)] * (1 << r.w);
        struct number v = num(off);

        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            char address[48], text[80];
            bool after = rows[i].format[3] == ']', before = strchr(rows[i].format, '!') != NULL;

            if (r.d == r.m || (rows[i].indexed && r.n != XSP && (r.d == r.n || r.m == r.n)))
                continue;
            snprintf(address, sizeof(address), "[%s%s, %s%s", reg_or_sp(W64, r.n), after ? "]" : "",
                     v.text,
                     after    ? ""
                     : before ? "]!"
                              : "]");
            snprintf(text, sizeof(text), "%s %s, %s, %s", rows[i].name, reg(r.w, r.d),
                     reg(r.w, r.m), address);
            rows[i].put(&k->c, r.w, r.d, r.m, r.n, off);
            expect(k, "%s", text);
        }
    }
    a64_ldp(&k->c, W64, X1, X2, X3, 0);
    expect(k, "ldp x1, x2, [x3]");
}

static void ordered_and_exclusive_accesses_have_all_widths(void **state)
{
    static const struct {
        const char *name;
        void (*put)(struct codebuf *c, enum width w, u8 t, u8 n);
    } rows[] = {{"ldar", a64_ldar}, {"stlr", a64_stlr}, {"ldxr", a64_ldxr}, {"ldaxr", a64_ldaxr}};
    static const char *const sizes[] = {"b", "h", "", ""};
    struct asm_check *k = *state;

    for (struct regs r = all_regs(W8, W64); r.w <= r.last; next_regs(&r)) {
        const char *n = reg_or_sp(W64, r.n), *t = reg(r.w, r.d), *size = sizes[r.w];

        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            rows[i].put(&k->c, r.w, r.d, r.n);
            expect(k, "%s%s %s, [%s]", rows[i].name, size, t, n);
        }
        if (r.m == r.d || (r.m == r.n && r.n != XSP))
            continue;
        a64_stxr(&k->c, r.w, r.m, r.d, r.n);
        expect(k, "stxr%s %s, %s, [%s]", size, reg(W32, r.m), t, n);
        a64_stlxr(&k->c, r.w, r.m, r.d, r.n);
        expect(k, "stlxr%s %s, %s, [%s]", size, reg(W32, r.m), t, n);
    }
}

/* --- what capstone does not know --- */

static void expect_word(struct asm_check *k, u32 word)
{
    u8 bytes[] = {(u8)word, (u8)(word >> 8), (u8)(word >> 16), (u8)(word >> 24)};

    assert_int_equal(codebuf_off(&k->c), 4);
    assert_memory_equal(k->bytes, bytes, 4);
    k->c.at = k->c.start;
}

static void atomics_are_the_words_of_gnu_as(void **state)
{
    struct asm_check *k = *state;
    struct codebuf *c = &k->c;
    /* casalb w1, w2, [x3] and so on; casp's registers are 2, 4, [x6] */
    static const u32 cas[] = {0x08a17c62, 0x48a17c62, 0x88a17c62, 0xc8a17c62};
    static const u32 casal[] = {0x08e1fc62, 0x48e1fc62, 0x88e1fc62, 0xc8e1fc62};
    static const u32 caspal[] = {0, 0, 0x0862fcc4, 0x4862fcc4};
    static const u32 ldaddal[] = {0x38e10062, 0x78e10062, 0xb8e10062, 0xf8e10062};
    static const u32 ldclral[] = {0x38e11062, 0x78e11062, 0xb8e11062, 0xf8e11062};
    static const u32 ldeoral[] = {0x38e12062, 0x78e12062, 0xb8e12062, 0xf8e12062};
    static const u32 ldsetal[] = {0x38e13062, 0x78e13062, 0xb8e13062, 0xf8e13062};
    static const u32 swpal[] = {0x38e18062, 0x78e18062, 0xb8e18062, 0xf8e18062};
    static const u32 ldapr[] = {0x38bfc041, 0x78bfc041, 0xb8bfc041, 0xf8bfc041};

    for (enum width w = W8; w <= W64; w++) {
        a64_cas(c, w, X1, X2, X3);
        expect_word(k, cas[w]);
        a64_casal(c, w, X1, X2, X3);
        expect_word(k, casal[w]);
        a64_ldaddal(c, w, X1, X2, X3);
        expect_word(k, ldaddal[w]);
        a64_atomic_al(c, A64_LDCLR, w, X1, X2, X3);
        expect_word(k, ldclral[w]);
        a64_atomic_al(c, A64_LDEOR, w, X1, X2, X3);
        expect_word(k, ldeoral[w]);
        a64_atomic_al(c, A64_LDSET, w, X1, X2, X3);
        expect_word(k, ldsetal[w]);
        a64_swpal(c, w, X1, X2, X3);
        expect_word(k, swpal[w]);
        a64_ldapr(c, w, X1, X2);
        expect_word(k, ldapr[w]);
        if (w < W32)
            continue;
        a64_caspal(c, w, X2, X4, X6);
        expect_word(k, caspal[w]);
    }
    a64_casal(c, W64, X30, XZR, XSP); /* casal x30, xzr, [sp] */
    expect_word(k, 0xc8feffff);
    a64_swpal(c, W32, XZR, X30, X29); /* swpal wzr, w30, [x29] */
    expect_word(k, 0xb8ff83be);
}

static void flag_manipulation_is_the_words_of_gnu_as(void **state)
{
    struct asm_check *k = *state;
    struct codebuf *c = &k->c;

    a64_cfinv(c);
    expect_word(k, 0xd500401f);
    a64_rmif(c, X0, 0, 0);
    expect_word(k, 0xba000400);
    a64_rmif(c, X30, 63, 15);
    expect_word(k, 0xba1f87cf);
    a64_rmif(c, X1, 1, 2);
    expect_word(k, 0xba008422);
    a64_setf8(c, X0);
    expect_word(k, 0x3a00080d);
    a64_setf8(c, X30);
    expect_word(k, 0x3a000bcd);
    a64_setf16(c, X0);
    expect_word(k, 0x3a00480d);
    a64_setf16(c, X30);
    expect_word(k, 0x3a004bcd);
    a64_axflag(c);
    expect_word(k, 0xd500405f);
}

/* --- branches --- */

/* What has a displacement: B, BL, B.cond, CBZ, CBNZ, TBZ, TBNZ, LDR, ADR. */
enum { BRANCHES = 3 + 2 * 2 + 2 + 2 + 1, ROW_ADR = BRANCHES - 1 };

static const struct {
    enum a64_reach reach;
    const char *text;
} branches[BRANCHES] = {
    {A64_REACH_B, "b #"},
    {A64_REACH_B, "bl #"},
    {A64_REACH_CC, "b.lt #"},
    {A64_REACH_CC, "cbz w30, #"},
    {A64_REACH_CC, "cbz x0, #"},
    {A64_REACH_CC, "cbnz w0, #"},
    {A64_REACH_CC, "cbnz x30, #"},
    {A64_REACH_TB, "tbz x7, #0x3f, #"},
    {A64_REACH_TB, "tbnz w8, #0x1f, #"},
    {A64_REACH_CC, "ldr w30, #"},
    {A64_REACH_CC, "ldr x0, #"},
    {21 - 2, "adr x29, #"},
};

static u8 *put_branch(struct asm_check *k, unsigned row, const u8 *target)
{
    struct codebuf *c = &k->c;

    switch (row) {
    case 0:
        return a64_b(c, target);
    case 1:
        return a64_bl(c, target);
    case 2:
        return a64_bcond(c, A64_LT, target);
    case 3:
        return a64_cbz(c, W32, X30, target);
    case 4:
        return a64_cbz(c, W64, X0, target);
    case 5:
        return a64_cbnz(c, W32, X0, target);
    case 6:
        return a64_cbnz(c, W64, X30, target);
    case 7:
        return a64_tbz(c, X7, 63, target);
    case 8:
        return a64_tbnz(c, X8, 31, target);
    case 9:
        return a64_ldr_near(c, W32, X30, target);
    case 10:
        return a64_ldr_near(c, W64, X0, target);
    default:
        return a64_adr(c, X29, target);
    }
}

static const u8 *away(const u8 *from, i64 bytes)
{
    return (const u8 *)((uintptr_t)from + (uintptr_t)bytes);
}

static void expect_branch(struct asm_check *k, unsigned row, i64 off)
{
    expect_number(k, (u64)(CODE_ADDRESS + off), 64, "%s", branches[row].text);
}

static void branches_go_where_they_are_patched_to(void **state)
{
    struct asm_check *k = *state;

    for (unsigned row = 0; row < BRANCHES; row++) {
        i64 limit = (i64)4 << (branches[row].reach - 1);
        const i64 offs[] = {0, 4, -4, 0x1234, -0x1234, limit - 4, -limit};

        for (unsigned i = 0; i < ARRAY_LEN(offs); i++) {
            const u8 *target = away(k->bytes, offs[i]);

            u8 *place = put_branch(k, row, NULL);
            assert_ptr_equal(place, k->bytes);
            assert_true(a64_patch(place, target));
            expect_branch(k, row, offs[i]);
            place = put_branch(k, row, target);
            expect_branch(k, row, offs[i]);
            /* Once more: code that is linked to one block and then to another. */
            place = put_branch(k, row, target);
            assert_true(a64_patch(place, k->bytes));
            expect_branch(k, row, 0);
        }
    }
}

static void branches_out_of_reach_are_refused(void **state)
{
    struct asm_check *k = *state;

    for (unsigned row = 0; row < BRANCHES; row++) {
        i64 limit = (i64)4 << (branches[row].reach - 1);
        const i64 offs[] = {limit, -limit - 4, (i64)1 << 36, -((i64)1 << 36)};

        u8 *place = put_branch(k, row, away(k->bytes, 8));
        for (unsigned i = 0; i < ARRAY_LEN(offs); i++) {
            assert_false(a64_patch(place, away(place, offs[i])));
            assert_false(a64_reaches(branches[row].reach, place, away(place, offs[i])));
        }
        assert_true(a64_reaches(branches[row].reach, place, away(place, limit - 4)));
        assert_true(a64_reaches(branches[row].reach, place, away(place, -limit)));
        expect_branch(k, row, 8);
    }
}

static void conditions_and_bits_have_their_numbers(void **state)
{
    struct asm_check *k = *state;

    for (u8 cc = A64_EQ; cc <= A64_LE; cc++) {
        a64_bcond(&k->c, cc, k->bytes);
        expect_number(k, CODE_ADDRESS, 64, "b.%s #", cc_names[cc]);
        assert_int_equal(a64_inverse(a64_inverse(cc)), cc);
    }
    assert_int_equal(a64_inverse(A64_HS), A64_LO);
    assert_int_equal(a64_inverse(A64_GT), A64_LE);
    for (u8 bit = 0; bit < 64; bit++) {
        struct number n = num(bit);

        for (u8 t = X0; t <= XZR; t++) {
            a64_tbz(&k->c, t, bit, k->bytes);
            expect_number(k, CODE_ADDRESS, 64, "tbz %s, %s, #", reg(bit < 32 ? W32 : W64, t),
                          n.text);
            a64_tbnz(&k->c, t, bit, k->bytes);
            expect_number(k, CODE_ADDRESS, 64, "tbnz %s, %s, #", reg(bit < 32 ? W32 : W64, t),
                          n.text);
        }
    }
}

static void addresses_are_relative_to_where_code_runs(void **state)
{
    struct asm_check *k = *state;

    for (i64 off = -9; off <= 9; off++) { /* bytes, not words */
        a64_adr(&k->c, X1, away(k->bytes, off));
        expect_number(k, (u64)(CODE_ADDRESS + off), 64, "adr x1, #");
    }
    a64_adr(&k->c, X1, away(k->bytes, (1 << 20) - 1));
    expect_number(k, CODE_ADDRESS + (1 << 20) - 1, 64, "adr x1, #");

    k->c.exec_off = CODE_ADDRESS - (i64)(uintptr_t)k->bytes;
    for (unsigned i = 0; i < 4; i++) {
        static const u64 targets[] = {0, 0x10fff, 0x12345678, 0x10000fff0};

        assert_true(a64_adrp_reaches(&k->c, targets[i]));
        a64_adrp(&k->c, X2, targets[i]);
        expect_number(k, targets[i] & ~(u64)0xfff, 64, "adrp x2, #");
    }

    const u64 high = 0x7f0000000000; /* where such code runs */
    k->c.exec_off = (i64)high - (i64)(uintptr_t)k->bytes;
    assert_true(a64_adrp_reaches(&k->c, high + 0xffffffff));
    assert_false(a64_adrp_reaches(&k->c, high + 0x100000000));
    assert_true(a64_adrp_reaches(&k->c, high - 0x100000000));
    assert_false(a64_adrp_reaches(&k->c, high - 0x100000001));
}

static void jumps_take_registers(void **state)
{
    struct asm_check *k = *state;

    for (u8 r = X0; r <= X30; r++) {
        a64_br(&k->c, r);
        expect(k, "br %s", reg(W64, r));
        a64_blr(&k->c, r);
        expect(k, "blr %s", reg(W64, r));
    }
    a64_ret(&k->c);
    expect(k, "ret");
}

/* --- system --- */

static void system_registers_are_read_and_written(void **state)
{
    static const struct {
        enum a64_sysreg reg;
        const char *name;
    } rows[] = {{A64_CTR_EL0, "ctr_el0"},
                {A64_NZCV, "nzcv"},
                {A64_FPCR, "fpcr"},
                {A64_FPSR, "fpsr"},
                {A64_CNTVCT_EL0, "cntvct_el0"}};
    struct asm_check *k = *state;

    for (u8 t = X0; t <= XZR; t++) {
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
            a64_mrs(&k->c, t, rows[i].reg);
            expect(k, "mrs %s, %s", reg(W64, t), rows[i].name);
        }
        a64_msr(&k->c, A64_NZCV, t);
        expect(k, "msr nzcv, %s", reg(W64, t));
        a64_msr(&k->c, A64_FPCR, t);
        expect(k, "msr fpcr, %s", reg(W64, t));
        a64_dc_cvau(&k->c, t);
        expect(k, "dc cvau, %s", reg(W64, t));
        a64_ic_ivau(&k->c, t);
        expect(k, "ic ivau, %s", reg(W64, t));
    }
}

static void barriers_say_what_they_order(void **state)
{
    static const struct {
        enum a64_barrier what;
        const char *name;
    } rows[] = {{A64_ISHLD, "ishld"}, {A64_ISHST, "ishst"}, {A64_ISH, "ish"}, {A64_SY, "sy"}};
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        a64_dmb(&k->c, rows[i].what);
        expect(k, "dmb %s", rows[i].name);
        a64_dsb(&k->c, rows[i].what);
        expect(k, "dsb %s", rows[i].name);
    }
    a64_isb(&k->c);
    expect(k, "isb");
    a64_nop(&k->c);
    expect(k, "nop");
    a64_brk(&k->c, 0xabcd);
    expect(k, "brk #0xabcd");
}

/* --- the end of the buffer --- */

static void a_full_buffer_swallows_what_follows(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 8; size++) {
        u8 bytes[16];
        struct codebuf c;

        memset(bytes, 0xa5, sizeof(bytes));
        codebuf_init(&c, bytes, size, 0);
        a64_nop(&c);
        assert_int_equal(c.full, size < 4);
        u8 *place = a64_b(&c, bytes);
        assert_int_equal(c.full, size < 8);
        assert_ptr_equal(place, size < 8 ? NULL : bytes + 4);
        assert_int_equal(codebuf_off(&c), size);
        for (size_t i = size; i < sizeof(bytes); i++)
            assert_int_equal(bytes[i], 0xa5);
        a64_nop(&c);
        assert_true(c.full);
        assert_null(a64_tbz(&c, X0, 0, NULL));
        assert_true(a64_patch(NULL, bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(addresses_have_offsets),
        TEST(offsets_fit_scaled_or_in_nine_bits),
        TEST(addresses_have_index_registers),
        TEST(pairs_are_loaded_and_stored),
        TEST(ordered_and_exclusive_accesses_have_all_widths),
        TEST(atomics_are_the_words_of_gnu_as),
        TEST(flag_manipulation_is_the_words_of_gnu_as),
        TEST(branches_go_where_they_are_patched_to),
        TEST(branches_out_of_reach_are_refused),
        TEST(conditions_and_bits_have_their_numbers),
        TEST(addresses_are_relative_to_where_code_runs),
        TEST(jumps_take_registers),
        TEST(system_registers_are_read_and_written),
        TEST(barriers_say_what_they_order),
        TEST(a_full_buffer_swallows_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Every escape instruction, from random states of the unit, by our executor and by the host.
 * Transcendental results may differ by 1 ulp (and then in C1).
 */
#include "cpu/isa.h"
#include "tests/support/hostfpu.h"

struct row {
    const char *id, *text, *exec_name;
    exec_fn *exec;
    u32 form;
    u8 opcode;
};

static const struct row rows[] = {
#define INSN(id, map, opc, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, x, xlate)          \
    {#id, text, #x, exec_##x, FORM_##form, opc},
#include "cpu/isa_x87.def"
#undef INSN
};

static const struct row *find_row(const char *id)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(rows[i].id, id))
            return &rows[i];
    fail_msg("no row %s", id);
    return NULL;
}

/* Run one of the rows on ours, with ModR/M @modrm. */
static bool run(struct bench *b, const char *id, u8 modrm)
{
    const struct row *r = find_row(id);
    struct insn in = bench_insn(r->exec, r->opcode, modrm, 0, 0);

    return r->exec(&b->cpu, &in);
}

static void errors_reach_mf_or_ferr(void **state)
{
    struct bench *b = bench_create();
    struct x87_state *f = &b->cpu.x87;

    (void)state;
    x87_init(f);
    f->control = 0x37E; /* invalid unmasked */
    assert_true(run(b, "FSQRT", 0xFA));
    assert_int_equal(x87_status_word(f), X87_SW_B | X87_SW_ES | X87_SW_SF | X87_SW_IE);
    assert_true(run(b, "FNSTSW_AX", 0xE0));
    assert_int_equal(b->cpu.gpr[REG_AX], 0x80C1);
    assert_false(run(b, "FLD1", 0xE8));
    assert_int_equal(b->cpu.fault.vector, VEC_MF);
    assert_int_equal(f->empty, 0xFF);
    assert_false(f->ferr);
    assert_true(run(b, "FNCLEX", 0xE2));
    assert_true(run(b, "FLD1", 0xE8));

    b->cpu.cr0 &= ~(u64)CR0_NE;
    assert_true(run(b, "FSIN", 0xFE)); /* ST0 = 1: fine */
    assert_true(run(b, "FADD_STi", 0xC1));
    assert_true(f->ferr);
    assert_true(run(b, "FNINIT", 0xE3));
    assert_false(f->ferr);

    b->cpu.cr0 |= CR0_TS;
    assert_false(run(b, "FNINIT", 0xE3));
    assert_int_equal(b->cpu.fault.vector, VEC_NM);
    b->cpu.cr0 = CR0_PE;
    f->absent = true;
    b->cpu.gpr[REG_AX] = 0x5A5A;
    assert_true(run(b, "FNSTSW_AX", 0xE0)); /* no unit: nothing happens */
    assert_int_equal(b->cpu.gpr[REG_AX], 0x5A5A);
    bench_destroy(b);
}

static void pointers_are_recorded(void **state)
{
    struct bench *b = bench_create();
    u8 *mem = physmem_ram(b->pm) + BENCH_AT;
    const struct row *save = find_row("FNSAVE");
    struct insn in = bench_insn(save->exec, save->opcode, 0x37, INSN_OPSIZE, 0);

    (void)state;
    x87_init(&b->cpu.x87);
    b->cpu.rip = 0x12345;
    b->cpu.seg[SEG_CS].selector = 0x1B;
    assert_true(run(b, "FLD_m32", 0x07));
    b->cpu.rip = 0x12350;
    assert_true(run(b, "FNSTENV", 0x37));
    assert_int_equal(load32(mem), 0xFFFF037F);
    assert_int_equal(load32(mem + 4), 0xFFFF3800);
    assert_int_equal(load32(mem + 8), 0xFFFF7FFF);
    assert_int_equal(load32(mem + 12), 0x12345);
    assert_int_equal(load32(mem + 16), 0x107001B);
    assert_int_equal(load32(mem + 20), BENCH_AT);
    assert_int_equal(load32(mem + 24), 0xFFFF0008);

    b->cpu.cr0 = 0; /* real mode, 16-bit format: linear addresses */
    b->cpu.x87.cs = 0x1000;
    assert_true(save->exec(&b->cpu, &in));
    assert_int_equal(load16(mem + 6), 0x2345);
    assert_int_equal(load16(mem + 8), 0x2107);
    assert_int_equal(load16(mem + 10), BENCH_AT + 0x80);
    assert_int_equal(load16(mem + 12), 0);
    assert_int_equal(b->cpu.x87.empty, 0xFF);
    bench_destroy(b);
}

#ifdef __x86_64__
static unsigned shown;

enum { ROUNDS = 1500 };

static bool in_list(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

static bool is_transcendental(const struct row *r)
{
    static const char *const list[] = {"FSIN",  "FCOS",  "FSINCOS", "FPTAN", "FPATAN",
                                       "F2XM1", "FYL2X", "FYL2XP1", NULL};

    return in_list(r->id, list);
}

/* [SDM] an unmasked invalid comparison keeps EFLAGS, and C1 is 0. AMD's units differ in both. */
static bool is_comi(const struct row *r)
{
    static const char *const list[] = {"FCOMI", "FUCOMI", "FCOMIP", "FUCOMIP", NULL};

    return in_list(r->id, list);
}

static u16 undefined_status(const struct row *r)
{
    return is_transcendental(r) || is_comi(r) ? X87_SW_C1 : 0;
}

static void random_memory(struct fpgen *g, struct fpu_image *s)
{
    struct f80 v = fpgen_f80(g);

    for (unsigned i = 0; i < BENCH_MEM; i += 8)
        store64(s->mem + i, fpgen_bits(g));
    switch (fpgen_below(g, 5)) {
    case 0:
        store32(s->mem, fpgen_f32(g));
        break;
    case 1:
        store64(s->mem, fpgen_f64(g));
        break;
    case 2:
        store64(s->mem, v.mant);
        store16(s->mem + 8, v.sign_exp);
        break;
    case 3:
        for (unsigned i = 0; i < 10; i++)
            s->mem[i] = (u8)(fpgen_below(g, 10) << 4 | fpgen_below(g, 10));
        break;
    default:
        break;
    }
}

static void random_state(struct fpgen *g, struct fpu_image *s)
{
    static const u16 pc[3] = {0, 0x200, 0x300};
    u16 masks = fpgen_below(g, 3) ? 0x3F : fpgen_next(g) & 0x3F;
    struct f80 last = fpgen_f80(g);

    memset(s, 0, sizeof(*s));
    random_memory(g, s);
    store16(s->fx, (u16)(0x40 | masks | pc[fpgen_below(g, 3)] | fpgen_below(g, 4) << 10));
    store16(s->fx + 2, (u16)((fpgen_next(g) & 0x7F00) | (fpgen_next(g) & masks & 0x3F)));
    s->fx[4] = fpgen_below(g, 2) ? (u8)fpgen_next(g) : fpgen_below(g, 3) ? 0x7F : 0xFF;
    store32(s->fx + 24, 0x1F80);
    for (unsigned i = 0; i < 8; i++) {
        struct f80 v = fpgen_f80_near(g, last);

        if (fpgen_below(g, 3) == 0) /* a moderate number */
            v = (struct f80){v.mant | BIT64(63),
                             (u16)((v.sign_exp & 0x8000) | (0x3FFF - 8 + fpgen_below(g, 70)))};
        store64(s->fx + 32 + 16 * i, v.mant);
        store16(s->fx + 40 + 16 * i, v.sign_exp);
        last = v;
    }
    s->flags = fpgen_next(g) & BENCH_ARITH;
    s->rax = (u32)fpgen_next(g);
}

static bool near(const u8 *a, const u8 *b)
{
    i128 d = ((i128)(load16(a + 8) & 0x7FFF) << 63) + (i128)(load64(a) << 1 >> 1) -
             ((i128)(load16(b + 8) & 0x7FFF) << 63) - (i128)(load64(b) << 1 >> 1);

    return !memcmp(a, b, 10) || (d >= -1 && d <= 1 && !((a[9] ^ b[9]) & 0x80));
}

/* What is not compared: pointers in environment images. */
static void forget_pointers(const struct row *r, struct fpu_image *s)
{
    if (!strcmp(r->id, "FNSTENV") || !strcmp(r->id, "FNSAVE"))
        memset(s->mem + 12, 0, 16);
}

static const char *difference(const struct row *r, const struct fpu_image *a,
                              const struct fpu_image *b)
{
    if (load16(a->fx) != load16(b->fx))
        return "control";
    if ((load16(a->fx + 2) ^ load16(b->fx + 2)) & ~undefined_status(r))
        return "status";
    if (a->fx[4] != b->fx[4])
        return "tags";
    for (unsigned i = 0; i < 8; i++)
        if (is_transcendental(r) ? !near(a->fx + 32 + 16 * i, b->fx + 32 + 16 * i)
                                 : memcmp(a->fx + 32 + 16 * i, b->fx + 32 + 16 * i, 10))
            return "register";
    if (memcmp(a->mem, b->mem, BENCH_MEM))
        return "memory";
    if (a->flags != b->flags && !(is_comi(r) && load16(a->fx + 2) & X87_SW_ES))
        return "flags";
    return a->rax != b->rax ? "ax" : NULL;
}

static void print_state(const char *who, const struct fpu_image *s)
{
    print_error("  %s cw %04X sw %04X tags %02X flags %03X mem %016llX %04X\n", who, load16(s->fx),
                load16(s->fx + 2), s->fx[4], (unsigned)s->flags, (unsigned long long)load64(s->mem),
                load16(s->mem + 8));
    for (unsigned i = 0; i < 3; i++)
        print_error("    %04X:%016llX", load16(s->fx + 40 + 16 * i),
                    (unsigned long long)load64(s->fx + 32 + 16 * i));
    print_error("\n");
}

static bool check_one(struct bench *b, struct fpgen *g, const struct row *r)
{
    struct fpu_image start, ours, host;
    u8 modrm = r->form & FORM_MEM              ? (u8)((r->form & 0x38) | 7)
               : (r->form >> 8 & 0xFF) == 0xFF ? (u8)r->form
                                               : (u8)(0xC0 | (r->form & 0x38) | fpgen_below(g, 8));
    struct insn in = bench_insn(r->exec, r->opcode, modrm, 0, 0);
    const char *what;

    random_state(g, &start);
    ours = host = start;
    b->code[0] = r->opcode;
    b->code[1] = modrm;
    b->code[2] = 0xC3;
    bench_host(b, &host);
    bench_load(b, &start);
    assert_true(r->exec(&b->cpu, &in));
    bench_store(b, &ours);
    forget_pointers(r, &ours);
    forget_pointers(r, &host);
    what = difference(r, &ours, &host);
    if (!what)
        return true;
    if (shown++ < 12) {
        print_error("%s (%02X %02X): %s\n", r->id, r->opcode, modrm, what);
        print_state("start", &start);
        print_state("ours ", &ours);
        print_state("host ", &host);
    }
    return false;
}

static void host_agrees(void **state)
{
    struct bench *b = bench_create();
    unsigned bad = 0;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct fpgen g = {i + 1};
        unsigned row_bad = 0;

        shown = 8;
        for (unsigned k = 0; k < ROUNDS; k++)
            row_bad += !check_one(b, &g, &rows[i]);
        if (row_bad)
            print_error("%s: %u of %u differ\n", rows[i].id, row_bad, ROUNDS);
        bad += row_bad;
    }
    bench_destroy(b);
    assert_int_equal(bad, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_reach_mf_or_ferr),
        cmocka_unit_test(pointers_are_recorded),
#ifdef __x86_64__
        cmocka_unit_test(host_agrees),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

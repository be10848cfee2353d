/* SPDX-License-Identifier: MIT */
/*
 * Every MMX, SSE, AES and PCLMULQDQ instruction, register and memory forms, from random states, by
 * our executor and by the host; then what the host cannot show: faults, unmasked exceptions.
 */
#include <signal.h>
#ifdef __x86_64__
#include <cpuid.h>
#include <ucontext.h>
#endif

#include "cpu/isa.h"
#include "tests/support/hostfpu.h"

struct row {
    const char *id;
    exec_fn *exec;
    u32 form;
    u8 map, opcode, pfx, op[3], feat;
};

static const struct row rows[] = {
#define INSN(id, map, opc, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, x, xlate)          \
    {#id,                                                                                          \
     exec_##x,                                                                                     \
     FORM_##form,                                                                                  \
     MAP_##map,                                                                                    \
     opc,                                                                                          \
     PFX_##pfx,                                                                                    \
     {OPND_##o1, OPND_##o2, OPND_##o3},                                                            \
     FEAT_##feat},
#include "cpu/isa_mmx.def"
#include "cpu/isa_sse.def"
#include "cpu/isa_sse2.def"
#include "cpu/isa_sse3.def"
#include "cpu/isa_sse4.def"
#undef INSN
};

/* The executors of these are another part's. */
bool __attribute__((weak)) exec_nop(struct cpu *cpu, const struct insn *in)
{
    (void)cpu;
    (void)in;
    return true;
}

static const struct row *find_row(const char *id)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(rows[i].id, id))
            return &rows[i];
    fail_msg("no row %s", id);
    return NULL;
}

static u8 prefix_flag(const struct row *r)
{
    return r->pfx == PFX_66   ? INSN_OPSIZE
           : r->pfx == PFX_F3 ? INSN_REPE
           : r->pfx == PFX_F2 ? INSN_REPNE
                              : 0;
}

static bool run(struct bench *b, const char *id, u8 modrm)
{
    const struct row *r = find_row(id);
    struct insn in = bench_insn(r->exec, r->opcode, modrm, prefix_flag(r), 0);

    return r->exec(&b->cpu, &in);
}

static void checks_come_first(void **state)
{
    struct bench *b = bench_create();

    (void)state;
    b->cpu.sse.mxcsr = MXCSR_INIT;
    b->cpu.cr0 |= CR0_TS;
    assert_false(run(b, "ADDPS", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_NM);
    b->cpu.cr4 = 0;
    assert_false(run(b, "ADDPS", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_UD);
    assert_false(run(b, "PADDB_Pq", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_NM);
    b->cpu.cr0 = CR0_PE | CR0_NE | CR0_EM;
    assert_false(run(b, "PADDB_Pq", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_UD);

    b->cpu.cr0 = CR0_PE | CR0_NE;
    b->cpu.cr4 = CR4_OSFXSR;
    b->cpu.gpr[REG_DI] = BENCH_AT + 8;
    assert_false(run(b, "MOVAPS_Vx_Wx", 0x07)); /* not aligned */
    assert_int_equal(b->cpu.fault.vector, VEC_GP);
    assert_true(run(b, "MOVUPS_Vx_Wx", 0x07));
    assert_false(run(b, "FXSAVE", 0x07));
    assert_int_equal(b->cpu.fault.vector, VEC_GP);

    b->cpu.x87.status = X87_SW_ES; /* MMX waits for x87 errors */
    assert_false(run(b, "PADDB_Pq", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_MF);
    assert_true(run(b, "PADDB_Vx", 0xC1));
    bench_destroy(b);
}

static void unmasked_exceptions_change_only_flags(void **state)
{
    struct bench *b = bench_create();
    union vec *v = b->cpu.sse.v;

    (void)state;
    b->cpu.sse.mxcsr = MXCSR_INIT & ~0x200u; /* division by zero unmasked */
    v[0].q[0] = v[0].q[1] = 0x3F8000003F800000;
    v[1].q[0] = 0x0000000040400000; /* 3, 0: inexact in lane 0, by zero in lane 1 */
    v[1].q[1] = 0x3F8000003F800000;
    assert_false(run(b, "DIVPS", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_XM);
    assert_int_equal(b->cpu.sse.mxcsr & 0x3F, FP_ZE);
    assert_true(v[0].q[0] == 0x3F8000003F800000);
    b->cpu.cr4 = CR4_OSFXSR;
    assert_false(run(b, "DIVPS", 0xC1));
    assert_int_equal(b->cpu.fault.vector, VEC_UD);
    b->cpu.sse.mxcsr = MXCSR_INIT;
    assert_true(run(b, "DIVPS", 0xC1));
    assert_int_equal(b->cpu.sse.mxcsr & 0x3F, FP_ZE | FP_PE);
    bench_destroy(b);
}

static void mxcsr_refuses_reserved_bits(void **state)
{
    struct bench *b = bench_create();
    u8 *mem = physmem_ram(b->pm) + BENCH_AT;

    (void)state;
    store32(mem, 0x10000 | MXCSR_INIT);
    assert_false(run(b, "LDMXCSR", 0x17));
    assert_int_equal(b->cpu.fault.vector, VEC_GP);
    store32(mem, 0xFFC0);
    assert_true(run(b, "LDMXCSR", 0x17));
    assert_int_equal(b->cpu.sse.mxcsr, 0xFFC0);
    bench_destroy(b);
}

/* |approximation * x - 1| <= 1.5 * 2^-12, by the manual. */
static void approximations_are_close(void **state)
{
    struct bench *b = bench_create();
    union vec *v = b->cpu.sse.v;

    (void)state;
    b->cpu.sse.mxcsr = MXCSR_INIT;
    for (u32 i = 0; i < 20000; i++) {
        u32 x = 0x3F800000 + i * 839; /* [1, 4) */
        float fx, r, s;

        v[1].d[0] = x;
        assert_true(run(b, "RCPSS", 0xC1));
        memcpy(&fx, &x, 4);
        memcpy(&r, &v[0].d[0], 4);
        assert_true(run(b, "RSQRTSS", 0xC1));
        memcpy(&s, &v[0].d[0], 4);
        assert_true((double)r * fx - 1 <= 1.5 / 4096 && 1 - (double)r * fx <= 1.5 / 4096);
        assert_true((double)s * s * fx - 1 <= 3.0 / 4096 && 1 - (double)s * s * fx <= 3.0 / 4096);
    }
    assert_int_equal(b->cpu.sse.mxcsr, MXCSR_INIT);
    bench_destroy(b);
}

#ifdef __x86_64__

enum { ROUNDS = 600 };

static unsigned shown;
static volatile sig_atomic_t host_faults; /* #XM of the host */
static u8 *after_fault;                   /* where it goes on: at the RET */

enum { GREG_RIP = 16 }; /* REG_RIP, which <ucontext.h> shows only to _GNU_SOURCE */

static void on_fault(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;

    (void)sig;
    (void)info;
    host_faults++;
    u->uc_mcontext.gregs[GREG_RIP] = (greg_t)(uintptr_t)after_fault;
}

static void random_vector(struct fpgen *g, u8 *to)
{
    u64 last64 = fpgen_f64(g);
    u32 last32 = fpgen_f32(g), kind = fpgen_below(g, 4);

    for (unsigned i = 0; i < 16; i += 8) {
        u64 v = kind & 1 ? fpgen_bits(g) : fpgen_next(g);

        if (kind == 2)
            v = last64 = fpgen_f64_near(g, last64);
        if (kind == 3)
            v = fpgen_f32_near(g, last32) | (u64)fpgen_f32_near(g, last32) << 32;
        if (fpgen_below(g, 8) == 0)
            v = (u64)fpgen_below(g, 80); /* shift counts */
        store64(to + i, v);
    }
}

/* What state these must start from. */
static void fit_state(struct fpgen *g, const struct row *r, struct fpu_image *s)
{
    /* Makers differ in whether CVTPI2PS from memory, or a faulting CVT..2PI, enters MMX state. */
    if (!strcmp(r->id, "CVTPI2PS") || strstr(r->id, "2PI")) {
        store16(s->fx + 2, 0);
        s->fx[4] = 0xFF;
    }
    if (!strcmp(r->id, "LDMXCSR"))
        store32(s->mem, load32(s->mem) & 0xFFFF);
    if (!strcmp(r->id, "FXRSTOR")) {
        memcpy(s->mem, s->fx, 512);
        store32(s->mem + 24, 0x1F80 | fpgen_below(g, 4) << 13);
        store16(s->mem, 0x37F);
        for (unsigned i = 32; i < 288; i += 16)
            random_vector(g, s->mem + i);
    }
}

static void random_state(struct fpgen *g, const struct row *r, struct fpu_image *s)
{
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < BENCH_MEM; i += 16)
        random_vector(g, s->mem + i);
    store16(s->fx, 0x37F);
    store16(s->fx + 2, (u16)(fpgen_next(g) & 0x7F00));
    s->fx[4] = (u8)fpgen_next(g);
    store32(s->fx + 24, 0x1F80 | fpgen_below(g, 4) << 13 | fpgen_below(g, 2) << 15 |
                            fpgen_below(g, 2) << 6 | (u32)(fpgen_next(g) & 0x3F));
    for (unsigned i = 0; i < 8; i++) {
        random_vector(g, s->fx + 32 + 16 * i);
        memset(s->fx + 32 + 16 * i + 10, 0, 6);
        random_vector(g, s->fx + 160 + 16 * i);
    }
    s->flags = fpgen_next(g) & BENCH_ARITH;
    s->rax = (u32)fpgen_next(g);
    s->rcx = (u32)fpgen_next(g);
    s->rdx = fpgen_below(g, 2) ? fpgen_below(g, 20) : (u32)fpgen_next(g);
    if (fpgen_below(g, 2))
        s->rax = fpgen_below(g, 20);
    fit_state(g, r, s);
}

static void forget_pointers(const struct row *r, struct fpu_image *s)
{
    memset(s->fx + 6, 0, 18);
    store32(s->fx + 28, 0);
    memset(s->fx + 288, 0, 512 - 288);
    for (unsigned i = 0; i < 8; i++)
        memset(s->fx + 32 + 16 * i + 10, 0, 6);
    if (!strcmp(r->id, "FXSAVE")) { /* nor XMM8-15, which 64-bit code saves */
        memset(s->mem + 6, 0, 18);
        store32(s->mem + 28, 0);
        memset(s->mem + 288, 0, 512 - 288);
    }
}

static const char *difference(const struct fpu_image *a, const struct fpu_image *b)
{
    if (memcmp(a->fx, b->fx, 24))
        return "x87 state";
    if (memcmp(a->fx + 24, b->fx + 24, 8))
        return "mxcsr";
    if (memcmp(a->fx + 32, b->fx + 32, 128))
        return "mm";
    if (memcmp(a->fx + 160, b->fx + 160, 128))
        return "xmm";
    if (memcmp(a->mem, b->mem, BENCH_MEM))
        return "memory";
    if (a->flags != b->flags)
        return "flags";
    return a->rax != b->rax || a->rcx != b->rcx ? "gpr" : NULL;
}

static void print_vector(const char *what, const u8 *v)
{
    print_error("  %s %016llX %016llX\n", what, (unsigned long long)load64(v + 8),
                (unsigned long long)load64(v));
}

static void report(const struct row *r, u8 modrm, u8 imm, const char *what,
                   const struct fpu_image *s, const struct fpu_image *ours,
                   const struct fpu_image *host)
{
    unsigned reg = modrm >> 3 & 7, rm = modrm & 7;

    print_error("%s modrm %02X imm %02X: %s; mxcsr %04X -> %04X, host %04X\n", r->id, modrm, imm,
                what, load32(s->fx + 24), load32(ours->fx + 24), load32(host->fx + 24));
    print_vector("xmm reg", s->fx + 160 + 16 * reg);
    print_vector("xmm rm ", s->fx + 160 + 16 * rm);
    print_vector("memory ", s->mem);
    print_vector("ours   ", ours->fx + 160 + 16 * reg);
    print_vector("host   ", host->fx + 160 + 16 * reg);
    print_error("  sw %04X tags %02X, ours %04X %02X, host %04X %02X\n", load16(s->fx + 2),
                s->fx[4], load16(ours->fx + 2), ours->fx[4], load16(host->fx + 2), host->fx[4]);
}

static bool is_gpr(u8 op)
{
    return op == OPND_Gd || op == OPND_Gy || op == OPND_Ey || op == OPND_Ed || op == OPND_Ew_d ||
           op == OPND_Eb_d || op == OPND_Eb || op == OPND_Ev || op == OPND_Gv;
}

/* A ModR/M byte that fits the row; general registers are EAX and ECX. */
static u8 random_modrm(struct fpgen *g, const struct row *r, bool mem)
{
    u8 reg = (u8)fpgen_below(g, 8), rm = (u8)fpgen_below(g, 8);

    if (r->op[0] == OPND_Gd || r->op[0] == OPND_Gy || r->op[0] == OPND_Gv || r->op[1] == OPND_Gd ||
        r->op[1] == OPND_Gv)
        reg &= 1;
    if ((is_gpr(r->op[0]) && r->op[0] != OPND_Gd && r->op[0] != OPND_Gy && r->op[0] != OPND_Gv) ||
        (is_gpr(r->op[1]) && r->op[1] != OPND_Gd))
        rm &= 1;
    if (mem)
        rm = 7;
    if (r->form >> 8 & 0x38)
        reg = r->form >> 3 & 7;
    return (u8)((mem ? 0 : 0xC0) | reg << 3 | rm);
}

static bool check_one(struct bench *b, struct fpgen *g, const struct row *r, bool mem, bool unmask)
{
    static const u8 prefix_bytes[16] = {[PFX_66] = 0x66, [PFX_F3] = 0xF3, [PFX_F2] = 0xF2};
    struct fpu_image start, ours, host;
    u8 modrm = random_modrm(g, r, mem), imm = (u8)fpgen_next(g), *p = b->code;
    bool has_imm = r->op[1] == OPND_Ib || r->op[2] == OPND_Ib;
    struct insn in;
    const char *what;

    if (!strncmp(r->id, "CMP", 3))
        imm &= 7;
    in = bench_insn(r->exec, r->opcode, modrm, prefix_flag(r), imm);
    if (prefix_bytes[r->pfx])
        *p++ = prefix_bytes[r->pfx];
    if (r->map != MAP_1B)
        *p++ = 0x0F;
    if (r->map == MAP_0F38 || r->map == MAP_0F3A)
        *p++ = r->map == MAP_0F38 ? 0x38 : 0x3A;
    *p++ = r->opcode;
    if (r->form & FORM_HAS)
        *p++ = modrm;
    if (has_imm)
        *p++ = imm;
    *p = 0xC3;
    random_state(g, r, &start);
    if (unmask) /* some, and no flags from before */
        store32(start.fx + 24, (load32(start.fx + 24) & ~(u32)(fpgen_next(g) & 0x1F80)) & 0xFFC0);
    ours = host = start;
    host_faults = 0;
    after_fault = p;
    bench_host(b, &host);
    bench_load(b, &start);
    if (r->exec(&b->cpu, &in) != !host_faults || (host_faults && b->cpu.fault.vector != VEC_XM))
        fail_msg("%s: vector %u, host %d", r->id, b->cpu.fault.vector, (int)host_faults);
    bench_store(b, &ours);
    forget_pointers(r, &ours);
    forget_pointers(r, &host);
    what = difference(&ours, &host);
    if (what && shown++ < 2)
        report(r, modrm, imm, what, &start, &ours, &host);
    return !what;
}

/* Of the features that not every host with SSE4.2 has: leaf 1, ECX [SDM 2A CPUID]. */
static bool host_has(u8 feat)
{
    unsigned a, b, c = 0, d;

    if (!__get_cpuid(1, &a, &b, &c, &d))
        return false;
    return feat == FEAT_MOVBE    ? c & bit_MOVBE
           : feat == FEAT_AES    ? c & bit_AES
           : feat == FEAT_PCLMUL ? c & bit_PCLMUL
                                 : true;
}

/* Approximations are the maker's; prefetches and fences are not our executors. */
static bool skipped(const struct row *r)
{
    if (!host_has(r->feat))
        return true;
    return !strncmp(r->id, "RCP", 3) || !strncmp(r->id, "RSQRT", 5) || r->exec == exec_nop;
}

static void host_agrees(void **state)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct bench *b = bench_create();
    unsigned bad = 0;

    (void)state;
    assert_int_equal(sigaction(SIGFPE, &action, NULL), 0);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct fpgen g = {i + 1};
        unsigned row_bad = 0;

        if (skipped(r))
            continue;
        shown = 0;
        for (unsigned k = 0; k < ROUNDS; k++) {
            bool mem = r->form & FORM_MEM || (!(r->form & FORM_REG) && k & 1);

            row_bad += !check_one(b, &g, r, mem, k & 2);
        }
        if (row_bad)
            print_error("%s: %u of %u differ\n", r->id, row_bad, ROUNDS);
        bad += row_bad;
    }
    bench_destroy(b);
    assert_int_equal(bad, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_come_first),
        cmocka_unit_test(unmasked_exceptions_change_only_flags),
        cmocka_unit_test(mxcsr_refuses_reserved_bits),
        cmocka_unit_test(approximations_are_close),
#ifdef __x86_64__
        cmocka_unit_test(host_agrees),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

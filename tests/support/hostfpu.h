/* SPDX-License-Identifier: MIT */
/*
 * One x87, MMX or SSE instruction, by our executor and by the host CPU (x86-64 only), from the
 * same state, which is a FXSAVE image, the arithmetic flags, EAX, ECX, EDX (read only) and a piece
 * of memory that EDI points to. Encodings are the same in 32- and 64-bit code.
 */
#pragma once

#include <sys/mman.h>

#include "cpu/flags.h"
#include "cpu/insn.h"
#include "cpu/state.h"
#include "tests/support/check.h"
#include "tests/support/fpgen.h"

enum { BENCH_MEM = 512, BENCH_AT = 0x2000, BENCH_ARITH = FL_OSZAPC };

struct fpu_image {
    _Alignas(16) u8 fx[512];
    _Alignas(16) u8 mem[BENCH_MEM];
    u64 flags, rax, rcx, rdx;
};

struct bench {
    struct cpu cpu;
    struct physmem *pm;
    u8 *code; /* executable page of the host */
};

static void bench_ferr(void *ctx, bool level)
{
    (void)ctx;
    (void)level;
}

static inline struct bench *bench_create(void)
{
    struct bench *b = aligned_alloc(64, (sizeof(*b) + 63) & ~(size_t)63);

    memset(b, 0, sizeof(*b));
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    assert_int_equal(mmu_create(&b->cpu.mmu, b->pm), STATUS_OK);
    for (unsigned i = 0; i < SEG__COUNT; i++)
        b->cpu.seg[i] = (struct segment){
            .limit = ~0u, .hi = ~0u, .perm = SEG_PERM_R | SEG_PERM_W, .selector = 8};
    b->cpu.cr0 = CR0_PE | CR0_NE;
    b->cpu.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    b->cpu.bus.ferr = bench_ferr;
    b->cpu.gpr[REG_DI] = BENCH_AT;
    b->code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(b->code != MAP_FAILED);
    return b;
}

static inline void bench_destroy(struct bench *b)
{
    munmap(b->code, 4096);
    mmu_destroy(b->cpu.mmu);
    physmem_destroy(b->pm);
    free(b);
}

/* Our CPU takes the state of an image. */
static inline void bench_load(struct bench *b, const struct fpu_image *s)
{
    struct x87_state *f = &b->cpu.x87;

    f->control = load16(s->fx);
    x87_set_status_word(f, load16(s->fx + 2));
    f->empty = (u8)~s->fx[4];
    b->cpu.sse.mxcsr = load32(s->fx + 24);
    for (unsigned i = 0; i < 8; i++) {
        f->r[(f->top + i) & 7] =
            (struct f80){load64(s->fx + 32 + 16 * i), load16(s->fx + 40 + 16 * i)};
        memcpy(b->cpu.sse.v[i].b, s->fx + 160 + 16 * i, 16);
    }
    memcpy(physmem_ram(b->pm) + BENCH_AT, s->mem, BENCH_MEM);
    flags_set(&b->cpu, BENCH_ARITH, (u32)s->flags);
    b->cpu.gpr[REG_AX] = (u32)s->rax;
    b->cpu.gpr[REG_CX] = (u32)s->rcx;
    b->cpu.gpr[REG_DX] = (u32)s->rdx;
}

static inline void bench_store(struct bench *b, struct fpu_image *s)
{
    struct x87_state *f = &b->cpu.x87;

    store16(s->fx, f->control);
    store16(s->fx + 2, x87_status_word(f));
    s->fx[4] = (u8)~f->empty;
    store32(s->fx + 24, b->cpu.sse.mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *r = &f->r[(f->top + i) & 7];

        store64(s->fx + 32 + 16 * i, r->mant);
        store16(s->fx + 40 + 16 * i, r->sign_exp);
        memcpy(s->fx + 160 + 16 * i, b->cpu.sse.v[i].b, 16);
    }
    memcpy(s->mem, physmem_ram(b->pm) + BENCH_AT, BENCH_MEM);
    s->flags = flags_arith(&b->cpu);
    s->rax = b->cpu.gpr[REG_AX];
    s->rcx = b->cpu.gpr[REG_CX];
}

#ifdef __x86_64__
/* The bytes at b->code, which end in RET, on the host. */
static inline void bench_host(const struct bench *b, struct fpu_image *s)
{
    u64 flags = s->flags & BENCH_ARITH, rax = s->rax, rcx = s->rcx, rdx = s->rdx;

    __asm__ volatile("lea -256(%%rsp), %%rsp\n\t"
                     "pushq %[flags]\n\tpopfq\n\t"
                     "fxrstor (%[fx])\n\t"
                     "call *%[code]\n\t"
                     "fxsave (%[fx])\n\t"
                     "pushfq\n\tpopq %[flags]\n\t"
                     "cld\n\tfninit\n\t"
                     "lea 256(%%rsp), %%rsp"
                     : [flags] "+r"(flags), "+a"(rax), "+c"(rcx), "+d"(rdx)
                     : [fx] "r"(s->fx), [code] "r"(b->code), "D"(s->mem)
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7");
    {
        u32 mxcsr = 0x1F80;
        __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    }
    s->flags = flags & BENCH_ARITH;
    s->rax = (u32)rax;
    s->rcx = (u32)rcx;
}
#endif

/* The instruction at b->code, of which the last ModR/M byte is @modrm, as the decoder gives it. */
static inline struct insn bench_insn(exec_fn *exec, u8 opcode, u8 modrm, u8 prefix, u8 imm)
{
    struct insn in = {
        .exec = exec,
        .opcode = opcode,
        .modrm = modrm,
        .prefix = prefix,
        .opsize = prefix & INSN_OPSIZE ? W16 : W32,
        .adsize = W32,
        .reg = modrm >> 3 & 7,
        .rm = modrm & 7,
        .mem = modrm < 0xC0,
        .seg = SEG_DS,
        .base = modrm < 0xC0 ? modrm & 7 : NO_REG,
        .index = NO_REG,
        .imm = imm,
    };

    return in;
}

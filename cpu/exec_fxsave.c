/* SPDX-License-Identifier: MIT */
/* FXSAVE, FXRSTOR, LDMXCSR, STMXCSR  [SDM 1 §10.5, Table 10-2]. */
#include "cpu/simd.h"
#include "cpu/x87_exec.h"

/* Offsets in the FXSAVE area. */
enum {
    FX_FCW = 0,
    FX_FSW = 2,
    FX_FTW = 4,
    FX_FOP = 6,
    FX_FIP = 8,
    FX_FCS = 12,
    FX_FDP = 16,
    FX_FDS = 20,
    FX_MXCSR = 24,
    FX_MXCSR_MASK = 28,
    FX_ST = 32,
    FX_XMM = 160,
    FX_USED = FX_XMM + 8 * 16,
    FX_SIZE = 512,
};

/* The area must be there and aligned. */
static bool area_ok(struct cpu *cpu, const struct insn *in, bool write)
{
    u64 off = insn_ea(cpu, in);

    if (cpu->cr0 & (CR0_EM | CR0_TS))
        return fault_nm(cpu);
    if (!seg_check(cpu, in->seg, off, FX_SIZE, write ? SEG_PERM_W : SEG_PERM_R))
        return false;
    if (seg_linear(cpu, in->seg, off) & 15)
        return fault_gp(cpu, 0);
    return mem_probe(cpu, in->seg, off, FX_SIZE, write);
}

/* Without CR4.OSFXSR the SSE half of the area is left alone, by both instructions. */
bool exec_fxsave(struct cpu *cpu, const struct insn *in)
{
    const struct x87_state *f = &cpu->x87;
    bool sse = cpu->cr4 & CR4_OSFXSR;
    u64 off = insn_ea(cpu, in);
    u8 area[FX_USED] = {0};

    if (!area_ok(cpu, in, true))
        return false;
    store16(area + FX_FCW, f->control);
    store16(area + FX_FSW, x87_status_word(f));
    area[FX_FTW] = (u8)~f->empty;
    store16(area + FX_FOP, f->opcode);
    store32(area + FX_FIP, (u32)f->ip);
    store16(area + FX_FCS, f->cs);
    store32(area + FX_FDP, (u32)f->dp);
    store16(area + FX_FDS, f->ds);
    store32(area + FX_MXCSR, cpu->sse.mxcsr);
    store32(area + FX_MXCSR_MASK, MXCSR_MASK_SSE2);
    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *st = &f->r[(f->top + i) & 7];

        store64(area + FX_ST + 16 * i, st->mant);
        store16(area + FX_ST + 16 * i + 8, st->sign_exp);
        memcpy(area + FX_XMM + 16 * i, cpu->sse.v[i].b, 16);
    }
    if (sse)
        return mem_write_bytes(cpu, in->seg, off, area, FX_USED);
    return mem_write_bytes(cpu, in->seg, off, area, FX_MXCSR) &&
           mem_write_bytes(cpu, in->seg, off + FX_ST, area + FX_ST, FX_XMM - FX_ST);
}

bool exec_fxrstor(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    bool sse = cpu->cr4 & CR4_OSFXSR;
    u8 area[FX_USED];

    if (!area_ok(cpu, in, false) || !mem_read_bytes(cpu, in->seg, insn_ea(cpu, in), area, FX_USED))
        return false;
    if (sse && load32(area + FX_MXCSR) & ~(u32)MXCSR_MASK_SSE2)
        return fault_gp(cpu, 0);
    f->control = (load16(area + FX_FCW) & 0x1F3F) | 0x40;
    x87_set_status_word(f, load16(area + FX_FSW));
    f->empty = (u8)~area[FX_FTW];
    f->opcode = load16(area + FX_FOP) & 0x7FF;
    f->ip = load32(area + FX_FIP);
    f->cs = load16(area + FX_FCS);
    f->dp = load32(area + FX_FDP);
    f->ds = load16(area + FX_FDS);
    for (unsigned i = 0; i < 8; i++)
        f->r[(f->top + i) & 7] =
            (struct f80){load64(area + FX_ST + 16 * i), load16(area + FX_ST + 16 * i + 8)};
    x87_update_ferr(cpu);
    if (!sse)
        return true;
    cpu->sse.mxcsr = load32(area + FX_MXCSR);
    for (unsigned i = 0; i < 8; i++)
        memcpy(cpu->sse.v[i].b, area + FX_XMM + 16 * i, 16);
    return true;
}

bool exec_ldmxcsr(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!sse_enter(cpu) || !mem_read(cpu, in->seg, insn_ea(cpu, in), W32, &v))
        return false;
    if (v & ~(u64)MXCSR_MASK_SSE2)
        return fault_gp(cpu, 0);
    cpu->sse.mxcsr = (u32)v;
    return true;
}

bool exec_stmxcsr(struct cpu *cpu, const struct insn *in)
{
    return sse_enter(cpu) && mem_write(cpu, in->seg, insn_ea(cpu, in), W32, cpu->sse.mxcsr);
}

/* SPDX-License-Identifier: MIT */
/* x87, MMX and SSE state between the CPU and the host's units. */
#include "jit/fp.h"

#include <string.h>

#include "base/bits.h"
#include "cpu/isa.h"
#include "cpu/operand.h"
#include "jit/jit_private.h"

/* Offsets in the FXSAVE area [SDM 1 Table 10-2]. */
enum { FX_FCW = 0, FX_FSW = 2, FX_FTW = 4, FX_MXCSR = 24, FX_ST = 32 };

/* --- instructions --- */

static u8 units_of_operand(u8 operand)
{
    switch (operand) {
    case OPND_Pq:
    case OPND_Qq:
    case OPND_Qd:
    case OPND_Nq:
        return FP_X87;
    case OPND_Vx:
    case OPND_Wx:
    case OPND_Wss:
    case OPND_Wsd:
    case OPND_Wq:
    case OPND_Wd:
    case OPND_Ww:
    case OPND_Ux:
        return FP_SSE;
    default:
        return 0;
    }
}

u8 jit_fp_units(const struct insn *in)
{
    const struct insn_def *d = &insn_def[in->id];
    u8 units = 0;

    if (in->id == INSN_FWAIT || in->id == INSN_EMMS)
        return FP_X87;
    if (in->id == INSN_LDMXCSR || in->id == INSN_STMXCSR)
        return FP_SSE;
    if (!(d->attr & ATTR_Fpu))
        return 0;
    if (d->map == MAP_1B)
        return FP_X87;
    for (unsigned i = 0; i < ARRAY_LEN(d->op); i++)
        units |= units_of_operand(d->op[i]);
    return units ? units : FP_BOTH; /* FXSAVE */
}

bool jit_fp_records(const struct insn *in)
{
    if (insn_def[in->id].map != MAP_1B)
        return false;
    switch (in->id) {
    case INSN_FWAIT:
    case INSN_FNCLEX:
    case INSN_FLDCW:
    case INSN_FNSTCW:
    case INSN_FNSTSW_m16:
    case INSN_FNSTSW_AX:
        return false;
    default:
        return true;
    }
}

/* --- into the host's units --- */

static bool x87_quiet(const struct cpu *cpu, bool raises)
{
    const struct x87_state *f = &cpu->x87;

    return !f->absent && (raises || (f->control & X87_CW_MASKS) == X87_CW_MASKS) &&
           !(f->status & X87_SW_ES);
}

static bool sse_quiet(const struct cpu *cpu)
{
    return (cpu->cr4 & CR4_OSFXSR) && (cpu->sse.mxcsr & MXCSR_MASKS) == MXCSR_MASKS;
}

static void put_x87(struct cpu *cpu)
{
    const struct x87_state *f = &cpu->x87;
    u8 *area = cpu->fp_image;

    store16(area + FX_FCW, f->control);
    store16(area + FX_FSW, x87_status_word(f));
    area[FX_FTW] = (u8)~f->empty;
    store32(area + FX_MXCSR, cpu->jit.host_mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *st = &f->r[(f->top + i) & 7];

        store64(area + FX_ST + 16 * i, st->mant);
        store16(area + FX_ST + 16 * i + 8, st->sign_exp);
    }
}

bool jit_fp_allowed(const struct cpu *cpu, u32 need)
{
    if (cpu->cr0 & (CR0_EM | CR0_TS))
        return false;
    return (!(need & FP_X87) || x87_quiet(cpu, need & FP_RAISES)) &&
           (!(need & FP_SSE) || sse_quiet(cpu));
}

u32 jit_fp_enter(struct cpu *cpu, u32 need)
{
    u32 load = need & FP_BOTH & ~(u32)cpu->jit.fp_live;

    if (!jit_fp_allowed(cpu, load | (need & FP_RAISES)))
        return 0;
    if (load & FP_X87)
        put_x87(cpu);
    cpu->jit.fp_live |= (u8)load;
    return load;
}

/* --- and back --- */

static void get_x87(struct cpu *cpu)
{
    struct x87_state *f = &cpu->x87;
    const u8 *area = cpu->fp_image;
    u16 sw = load16(area + FX_FSW);

    f->control = load16(area + FX_FCW);
    f->status = sw & (u16) ~(X87_SW_TOP | X87_SW_B);
    f->top = sw >> 11 & 7;
    f->empty = (u8)~area[FX_FTW];
    for (unsigned i = 0; i < 8; i++)
        f->r[(f->top + i) & 7] =
            (struct f80){load64(area + FX_ST + 16 * i), load16(area + FX_ST + 16 * i + 8)};
}

/* What code recorded of its last x87 instructions goes where it belongs; segment registers are
 * still what they were then. */
static void flush_record(struct cpu *cpu)
{
    struct jit_view *v = &cpu->jit;
    struct x87_state *f = &cpu->x87;

    if (v->fp_op) {
        f->ip = v->fp_ip;
        f->cs = cpu->seg[SEG_CS].selector;
        f->opcode = (u16)(v->fp_op & 0x7FF);
        v->fp_op = 0;
    }
    if (v->fp_seg) {
        f->dp = v->fp_dp;
        f->ds = cpu->seg[v->fp_seg - 1].selector;
        v->fp_seg = 0;
    }
}

void jit_fp_out(struct jit *j)
{
    struct cpu *cpu = j->cpu;

    flush_record(cpu);
    if (!(cpu->jit.fp_live & FP_X87))
        return;
    void (*save)(struct cpu *);
    u64 at = cache_exec(&j->cache, j->stubs[0].fp_out);
    memcpy(&save, &at, sizeof(save));
    save(cpu);
    get_x87(cpu);
    cpu->jit.fp_live = 0;
}

void jit_fp_before(struct jit *j, const struct insn *in)
{
    flush_record(j->cpu);
    if ((j->cpu->jit.fp_live & FP_X87) && (jit_fp_units(in) & FP_X87))
        jit_fp_out(j);
}

void jit_fp_after(struct jit *j)
{
    if (j->cpu->jit.fp_live && (j->cpu->cr0 & (CR0_EM | CR0_TS)))
        jit_fp_out(j);
}

/* The exception of the instruction that has just retired: FERR# sees the time before that. */
static void raised(struct jit *j)
{
    struct cpu *cpu = j->cpu;

    jit_fp_out(j);
    cpu->clock->left++;
    x87_update_ferr(cpu);
    cpu->clock->left--;
}

void jit_fp_bail(struct jit *j, const struct jit_block *b, const struct jit_site *s)
{
    struct jit_view *v = &j->cpu->jit;

    if (s->fp.last) {
        v->fp_ip = jit_block_eip(b, s->fp.last - 1u);
        v->fp_op = jit_fp_op(&b->insn[s->fp.last - 1]);
    }
    if (s->fp.memory) {
        const struct insn *in = &b->insn[s->fp.memory - 1];
        v->fp_dp = (u32)insn_ea(j->cpu, in);
        v->fp_seg = in->seg + 1;
    }
    if (s->fp.raised)
        raised(j);
    else if (s->fp.gate)
        jit_fp_out(j);
    else
        jit_fp_before(j, &b->insn[s->g]);
}

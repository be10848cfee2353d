/* SPDX-License-Identifier: MIT */
/*
 * SSE on this host's unit: when it is live, groups of instructions and their exceptions, as
 * a64_emit.h describes. MMX is left to its executors.
 *
 * References: [ARM C5.2] FPCR, FPSR; [SDM 1 §10.2.3] MXCSR.
 */
#include <assert.h>
#include <string.h>

#include "cpu/isa.h"
#include "cpu/x87_plain.h"
#include "jit/a64/a64_emit.h"

enum { GUEST_XMMS = 8 };

/* Bits of FPCR and FPSR, and which of the latter's mean that the guest's unit might do something
 * else: all but IXC. As an immediate it comes with copies, of which only QC's bit is in use: by
 * packed integers that saturate. */
enum { FPCR_RMODE = 22, FPCR_FZ = 24, FPSR_IXC = 4, FPSR_IDC = 7 };
#define FPSR_UNUSUAL 0x8f8f8f8fu
/* Bits of MXCSR. */
enum { MXCSR_PE_BIT = 5, MXCSR_DAZ_BIT = 6, MXCSR_RC_BIT = 13 };

/* --- where it is live --- */

static const struct insn *guest_of(const struct a64_emit *e, const struct ir_insn *in)
{
    return &e->ir->guest[in->g];
}

/* What the operations from @from on up to an executor want; false: nothing. */
static bool wants(const struct a64_emit *e, unsigned from, enum fp_want *what)
{
    bool sse = false, x87 = false, raises;

    for (unsigned i = from; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (ir_op_info[in->op].kind == IR_CALL)
            break;
        if (!ir_is_fp(in->op))
            continue;
        sse |= a64_sse_knows(guest_of(e, in), &raises);
        x87 |= x87_plain_knows(guest_of(e, in)) || a64_x87_controls(guest_of(e, in));
    }
    *what = sse ? WANT_SSE : WANT_X87;
    return sse || x87;
}

/* Does an x87 instruction of them rely on the control word? */
static bool rounds(const struct a64_emit *e, unsigned from)
{
    for (unsigned i = from; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (ir_op_info[in->op].kind == IR_CALL || guest_of(e, in)->id == INSN_FLDCW)
            break;
        if (ir_is_fp(in->op) && a64_x87_rounds(guest_of(e, in)))
            return true;
    }
    return false;
}

void a64_fp_gate(struct a64_emit *e, unsigned from)
{
    static const u8 bits[] = {[WANT_SSE] = 1, [WANT_X87] = 4};
    enum fp_want what;

    memset(e->low, 16, sizeof(e->low));
    e->has_sse = e->has_x87 = false;
    if (!wants(e, from, &what))
        return;
    e->has_sse = what != WANT_X87;
    e->has_x87 = what == WANT_X87;
    a64_ldr(e->c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
    struct cold *k = a64_cold(e, COLD_LIVE, a64_tbz(e->c, X16, bits[what], NULL));
    k->g = from ? e->ir->insn[from - 1].g + 1 : 0;
    k->how = (u8)what;
    k->back = e->c->at;
    if (what == WANT_X87)
        a64_x87_gate(e, k->g, rounds(e, from));
}
static_assert(FP_SSE == BIT(1) && FP_USABLE == BIT(4), "the bits above");

/* --- groups --- */

u8 a64_fp_write(struct a64_emit *e, u8 n, u8 low)
{
    if (e->group.open && !(e->group.saved & BIT(n))) {
        a64_vmov(e->c, V_SAVED + n, V_XMM + n);
        e->group.saved |= (u8)BIT(n);
    }
    e->low[n] = low;
    return V_XMM + n;
}

void a64_fp_open(struct a64_emit *e)
{
    if (!e->group.open)
        e->group = (struct fp_group){.open = true, .first = e->ir->insn[e->i].g};
}

/* It goes on over loads and the like up to the next that may raise. */
bool a64_fp_goes_on(const struct a64_emit *e)
{
    const struct ir_insn *in;

    for (unsigned n = 1; (in = a64_next(e, n)); n++) {
        const struct ir_insn *next = a64_next(e, n + 1);
        bool raises = false;

        if (next && next->g == in->g)
            continue;
        if (!ir_is_fp(in->op) || !a64_sse_knows(guest_of(e, in), &raises))
            return false;
        if (raises)
            return true;
        if (in->op == IR_FPG || in->op == IR_FPMG || (in->op == IR_FPM && in->imm & IR_FP_WRITE))
            return false;
    }
    return false;
}

void a64_fp_close(struct a64_emit *e, bool nzcv)
{
    struct codebuf *c = e->c;

    a64_mrs(c, X16, A64_FPSR);
    a64_logic_ri(c, A64_AND, W32, X17, X16, FPSR_UNUSUAL);
    struct cold *k = a64_cold(e, COLD_RAISED, a64_cbnz(c, W32, X17, NULL));
    k->how = nzcv;
    k->back = c->at;
    a64_str(c, W32, X16, REG_CPU, CPU_OFF(jit.fp_flags));
    e->group.open = false;
}

void a64_fp_put_back(struct a64_emit *e, struct cold *k)
{
    struct flag_state fl = k->fl;
    struct codebuf *c = e->c;
    u8 *usual = NULL;

    if (k->kind != COLD_RAISED) {
        a64_mrs(c, X16, A64_FPSR);
        a64_logic_ri(c, A64_AND, W32, X17, X16, FPSR_UNUSUAL);
        usual = a64_cbz(c, W32, X17, NULL);
    } else {
        a64_bl(c, e->u->stubs->fp_unusual[!k->group.picks]);
        a64_cbz(c, W32, X17, k->back);
        if (k->how)
            a64_msr(c, A64_NZCV, X2);
    }
    for (u8 n = 0; n < GUEST_XMMS; n++) {
        if (k->group.saved & BIT(n))
            a64_vmov(c, V_XMM + n, V_SAVED + n);
    }
    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(jit.fp_flags));
    a64_msr(c, A64_FPSR, X16);
    a64_give_up(e, &fl, k->group.first);
    a64_here(c, usual);
}

/* --- operations --- */

void a64_emit_FP(struct a64_emit *e, const struct ir_insn *in)
{
    if (!a64_sse(e, in) && !a64_x87(e, in))
        a64_decline(e);
}

void a64_emit_FPR(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPG(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPF(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPM(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
    if (in->imm & IR_FP_WRITE)
        a64_written(e);
}

void a64_emit_FPMG(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FPM(e, in);
}

/* --- stubs --- */

static u32 xmm_at(unsigned n)
{
    return (u32)(offsetof(struct cpu, sse.v) + n * sizeof(union vec));
}

/* X16 and X17 are lost. */
void a64_fp_save(struct codebuf *c, bool x87)
{
    a64_ldr(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
    u8 *skip = a64_tbz(c, X16, 1, NULL);
    for (u8 n = 0; n < GUEST_XMMS; n++)
        a64_vstr(c, A64_Q, V_XMM + n, REG_CPU, xmm_at(n));
    a64_mrs(c, X16, A64_FPSR);
    a64_logic_ri(c, A64_AND, W32, X16, X16, BIT(FPSR_IXC));
    a64_ldr(c, W32, X17, REG_CPU, CPU_OFF(sse.mxcsr));
    a64_logic_rs(c, A64_ORR, W32, X17, X17, X16, A64_LSL, MXCSR_PE_BIT - FPSR_IXC);
    a64_str(c, W32, X17, REG_CPU, CPU_OFF(sse.mxcsr));
    a64_msr(c, A64_FPCR, XZR);
    if (x87) {
        a64_movz(c, W32, X16, FP_USABLE, 0);
        a64_str(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
        a64_here(c, skip);
    } else {
        a64_here(c, skip);
        a64_str(c, W8, XZR, REG_CPU, CPU_OFF(jit.fp_live));
    }
}

/* What XMM registers are, what they were, and FPCR with FPSR. */
enum { PUSHED = 16 * (2 * GUEST_XMMS + 1) };

void a64_fp_push(struct codebuf *c)
{
    a64_arith_ri(c, A64_SUB, W64, XSP, XSP, PUSHED);
    for (u8 n = 0; n < 2 * GUEST_XMMS; n += 2)
        a64_vstp(c, V_XMM + n, V_XMM + n + 1, XSP, 16 * n);
    a64_mrs(c, X16, A64_FPCR);
    a64_mrs(c, X17, A64_FPSR);
    a64_stp(c, W64, X16, X17, XSP, PUSHED - 16);
    a64_msr(c, A64_FPCR, XZR);
}

void a64_fp_pop(struct codebuf *c)
{
    a64_ldp(c, W64, X1, X17, XSP, PUSHED - 16);
    a64_msr(c, A64_FPCR, X1);
    a64_msr(c, A64_FPSR, X17);
    for (u8 n = 0; n < 2 * GUEST_XMMS; n += 2)
        a64_vldp(c, V_XMM + n, V_XMM + n + 1, XSP, 16 * n);
    a64_arith_ri(c, A64_ADD, W64, XSP, XSP, PUSHED);
}

/* RC has the same numbers for the two modes, but for the order of the bits. */
static void load_modes(struct codebuf *c)
{
    a64_ubfx(c, W32, X17, X16, MXCSR_RC_BIT + 1, 1);
    a64_ubfx(c, W32, X2, X16, MXCSR_RC_BIT, 1);
    a64_bfi(c, W32, X17, X2, 1, 1);
    a64_shift_ri(c, A64_LSL, W32, X17, X17, FPCR_RMODE);
    a64_logic_ri(c, A64_ORR, W32, X17, X17, BIT(FPCR_FZ));
    a64_msr(c, A64_FPCR, X17);
    a64_ubfx(c, W32, X17, X16, MXCSR_PE_BIT, 1);
    a64_shift_ri(c, A64_LSL, W32, X17, X17, FPSR_IXC);
    a64_msr(c, A64_FPSR, X17);
    a64_str(c, W32, X17, REG_CPU, CPU_OFF(jit.fp_flags));
}

void a64_fp_load(struct codebuf *c)
{
    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(sse.mxcsr));
    for (u8 n = 0; n < GUEST_XMMS; n++)
        a64_vldr(c, A64_Q, V_XMM + n, REG_CPU, xmm_at(n));
    load_modes(c);
    a64_ldr(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
    a64_logic_ri(c, A64_ORR, W32, X16, X16, FP_SSE);
    a64_str(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
}

/* X16 is FPSR. QC goes, of both. With DAZ, denormal operands are zeros for the guest, too, and no
 * exception: then, if they are @zeros for the group, so does IDC. X17: what else is unusual. NZCV
 * stay. */
void a64_fp_unusual(struct codebuf *c, bool zeros)
{
    if (zeros) {
        a64_ldr(c, W32, X17, REG_CPU, CPU_OFF(sse.mxcsr));
        a64_logic_ri(c, A64_AND, W32, X17, X17, BIT(MXCSR_DAZ_BIT));
        a64_logic_rs(c, A64_BIC, W32, X16, X16, X17, A64_LSL, FPSR_IDC - MXCSR_DAZ_BIT);
    }
    a64_logic_ri(c, A64_AND, W32, X16, X16, 0xff);
    a64_logic_ri(c, A64_AND, W32, X17, X16, FPSR_UNUSUAL);
    u8 *more = a64_cbnz(c, W32, X17, NULL);
    a64_logic_ri(c, A64_AND, W32, X16, X16, BIT(FPSR_IXC));
    a64_msr(c, A64_FPSR, X16);
    a64_here(c, more);
    a64_ret(c);
}

/* What x87_plain() and code in line ask for, but for operands and stack. */
void a64_fp_use_x87(struct codebuf *c, const u8 *bail)
{
    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(cr0));
    a64_logic_ri(c, A64_AND, W32, X16, X16, CR0_EM | CR0_TS);
    a64_cbnz(c, W32, X16, bail);
    a64_ldr(c, W8, X16, REG_CPU, CPU_OFF(x87.absent));
    a64_cbnz(c, W32, X16, bail);
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.status));
    a64_logic_ri(c, A64_AND, W32, X16, X16, X87_SW_ES);
    a64_cbnz(c, W32, X16, bail);
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.control));
    a64_mvn_rr(c, W32, X16, X16);
    a64_logic_ri(c, A64_AND, W32, X16, X16, X87_SW_PE);
    a64_cbnz(c, W32, X16, bail);
    a64_ldr(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
    a64_logic_ri(c, A64_ORR, W32, X16, X16, FP_USABLE);
    a64_str(c, W8, X16, REG_CPU, CPU_OFF(jit.fp_live));
    a64_ret(c);
}

/* SPDX-License-Identifier: MIT */
/*
 * x87, MMX and SSE: the guest's instruction itself, on the host's units, which hold the guest's
 * state while they are live (jit/fp.h). Of memory operands the address is the host's; of general
 * registers the number.
 */
#include "cpu/isa.h"
#include "jit/mode.h"
#include "jit/x64/x64_emit.h"

enum { GUEST_XMMS = 8 };

/* x87 opcodes that are emitted here without the guest having them. */
enum { OP_D9 = 0xd9, D9_FDECSTP = 0xf6, D9_FINCSTP = 0xf7, D9_FLDCW = 5, D9_FNSTCW = 7 };
enum { OP_DB = 0xdb, DB_FLD80 = 5, DB_FSTP80 = 7, DB_FNCLEX = 0xe2, OP_DC = 0xdc, DC_FADD64 = 0 };
enum { OP_DD = 0xdd, DD_FNSTSW = 7, DD_FSTP_ST0 = 0xd8 };
enum { FX_FSW = 2 }; /* in the FXSAVE area */

/* --- making units live --- */

void x64_fp_gate(struct x64_emit *e, unsigned from)
{
    struct cold *k = NULL;
    u8 need = 0;

    for (unsigned i = from; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (ir_op_info[in->op].kind == IR_CALL)
            break;
        if (ir_is_fp(in->op))
            need |= jit_fp_units(&e->ir->guest[in->g]);
    }
    for (u8 unit = FP_X87; unit <= FP_SSE; unit <<= 1) {
        if (!(need & unit))
            continue;
        x64_test_mi(e->c, W8, CPU_AT(jit.fp_live), unit);
        u8 *branch = x64_jcc(e->c, X64_E, NULL);
        if (!k)
            k = x64_cold(e, COLD_FP);
        k->from[unit == FP_SSE] = branch;
    }
    if (!k)
        return;
    k->g = from ? e->ir->insn[from - 1].g + 1 : 0;
    k->fp.gate = true;
    k->how = need | (e->ir->raises ? FP_RAISES : 0);
    k->back = e->c->at;
    x64_flags_lost(e);
}

/* --- FIP, FDP and FOP --- */

void x64_fp_record(struct x64_emit *e)
{
    if (!e->fp.last)
        return;
    unsigned g = e->fp.last - 1u;
    x64_mov_mi(e->c, W32, CPU_AT(jit.fp_ip), (i32)e->ir->at[g]);
    x64_mov_mi(e->c, W32, CPU_AT(jit.fp_op), (i32)jit_fp_op(&e->ir->guest[g]));
    e->fp.last = 0;
}

static bool writes(const struct ir_insn *in, unsigned reg)
{
    return ir_reg_of(in->d) == (int)reg ||
           (ir_writes_pair(in) && (reg == REG_AX || reg == REG_DX));
}

/* Can the operand of @guest be found again wherever it may be asked for, until another takes its
 * place? */
static bool address_stays(const struct x64_emit *e, const struct insn *guest)
{
    for (unsigned i = e->i + 1; i < e->ir->count; i++) {
        const struct ir_insn *n = &e->ir->insn[i];
        u8 kind = ir_op_info[n->op].kind;
        if (kind == IR_CALL || kind == IR_EXIT || writes(n, guest->base) || writes(n, guest->index))
            return false;
        if ((n->op == IR_FPM || n->op == IR_FPMG) && jit_fp_records(&e->ir->guest[n->g]))
            return true;
    }
    return false;
}

/* The operation, whose operand was looked up, has been emitted. Flags are lost. */
static void record_operand(struct x64_emit *e, const struct insn *guest, u8 g)
{
    struct codebuf *c = e->c;
    bool flat = jit_mode_seg(e->u->mode, guest->seg) == SEGC_FLAT;

    if (address_stays(e, guest)) {
        e->fp.memory = g + 1;
        return;
    }
    e->fp.memory = 0;
    if (!flat) {
        x64_mov_rr(c, W32, REG_ADDEND, e->addr);
        x64_alu_rm(
            c, X64_SUB, W32, REG_ADDEND,
            x64_at(REG_CPU, (i32)(offsetof(struct cpu, seg) + guest->seg * sizeof(struct segment) +
                                  offsetof(struct segment, base)) -
                                CPU_BIAS));
    }
    x64_mov_mr(c, W32, CPU_AT(jit.fp_dp), flat ? e->addr : REG_ADDEND);
    x64_mov_mi(c, W8, CPU_AT(jit.fp_seg), guest->seg + 1);
}

/* --- exceptions that are not masked --- */

/* Can it set flags of the status word? */
static bool may_raise(const struct x64_emit *e, const struct insn *guest)
{
    if (!e->ir->raises || insn_def[guest->id].map != MAP_1B)
        return false;
    switch (guest->id) {
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

/* The unit is as after the instruction, which has retired; the next that waits would fault here. */
static void leave_if_raised(struct x64_emit *e, const struct ir_insn *in)
{
    x64_x87_m(e->c, OP_DD, DD_FNSTSW, CPU_AT(jit.fp_sw));
    x64_test_mi(e->c, W8, CPU_AT(jit.fp_sw), (i8)X87_SW_ES);
    struct cold *k = x64_cold(e, COLD_BAIL);
    k->from[0] = x64_jcc(e->c, X64_NE, NULL);
    k->g = in->g + 1;
    k->fp.last = in->g + 1;
    k->fp.raised = true;
    x64_flags_lost(e);
}

/* --- x87 --- */

/* FLDCW that masks or unmasks something is the interpreter's. */
static void load_control(struct x64_emit *e)
{
    struct codebuf *c = e->c;

    x64_movzx_rm(c, W16, REG_ADDEND, x64_operand(e));
    x64_alu_ri(c, X64_AND, W32, REG_ADDEND, 0x1f3f); /* what can be written; bit 6 reads as 1 */
    x64_alu_ri(c, X64_OR, W32, REG_ADDEND, 0x40);
    x64_mov_mr(c, W16, CPU_AT(jit.fp_cw), REG_ADDEND);
    if (e->ir->raises) {
        x64_x87_m(c, OP_D9, D9_FNSTCW, CPU_AT(jit.fp_up_cw));
        x64_alu_rm(c, X64_XOR, W16, REG_ADDEND, CPU_AT(jit.fp_up_cw));
    } else {
        x64_unary_r(c, X64_NOT, W32, REG_ADDEND);
    }
    x64_test_ri(c, W8, REG_ADDEND, X87_CW_MASKS);
    x64_bail_from(e, x64_jcc(c, X64_NE, NULL), NULL);
    x64_x87_m(c, OP_D9, D9_FLDCW, CPU_AT(jit.fp_cw));
}

/* FCMOVcc for the host's condition. */
static void move_if(struct x64_emit *e, const struct insn *guest)
{
    static const u8 conditions[4] = {X64_B, X64_E, X64_BE, X64_P};
    unsigned cc = conditions[guest->modrm >> 3 & 3] | (guest->opcode & 1);
    enum x64_cc host = x64_flags_cond(e, cc);
    u8 row = 0;

    while (conditions[row] != (host & ~1u))
        row++;
    x64_x87(e->c, 0xda | (host & 1), (u8)(0xc0 | row << 3 | guest->rm));
}

static void x87_registers(struct x64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    struct codebuf *c = e->c;

    if (guest->id == INSN_FWAIT)
        return; /* nothing can be pending */
    if (in->use) {
        move_if(e, guest);
    } else if (in->def) { /* FCOMI: C1 = 0, which not all hosts do by themselves */
        x64_x87(c, OP_D9, D9_FDECSTP);
        x64_x87(c, OP_D9, D9_FINCSTP);
        if (e->ir->raises) { /* then flags are as before: try, without popping */
            x64_x87(c, OP_DB, guest->modrm);
            leave_if_raised(e, in);
        }
        x64_x87(c, guest->opcode, guest->modrm);
    } else {
        x64_x87(c, guest->opcode, guest->modrm);
    }
}

static void x87_memory(struct x64_emit *e, const struct insn *guest)
{
    if (guest->id == INSN_FLDCW)
        load_control(e);
    else
        x64_x87_m(e->c, guest->opcode, guest->reg & 7, x64_operand(e));
}

/* --- MMX and SSE --- */

static bool has_operand(const struct insn *guest, u8 a, u8 b)
{
    const struct insn_def *d = &insn_def[guest->id];

    for (unsigned i = 0; i < ARRAY_LEN(d->op); i++) {
        if (d->op[i] == a || d->op[i] == b)
            return true;
    }
    return false;
}

/* Stores past the caches are stores. */
static u32 simd_opcode(const struct insn *guest)
{
    switch (guest->id) {
    case INSN_MOVNTPS:
    case INSN_MOVNTPD:
        return 0x29; /* MOVAPS, MOVAPD */
    case INSN_MOVNTQ:
    case INSN_MOVNTDQ:
        return 0x7f; /* MOVQ, MOVDQA */
    default:
        return guest->opcode;
    }
}

/* With mandatory prefix and map, as x64_simd_rr() takes it. F3 and F2 win over 66. */
static u32 simd_op(const struct insn *guest)
{
    static const u32 maps[] = {[MAP_0F] = 0x0f, [MAP_0F38] = 0x0f38, [MAP_0F3A] = 0x0f3a};
    u32 prefix = guest->prefix & INSN_REPE     ? 0xf3u
                 : guest->prefix & INSN_REPNE  ? 0xf2u
                 : guest->prefix & INSN_OPSIZE ? 0x66u
                                               : 0u;
    u8 map = insn_def[guest->id].map;

    return prefix << (map == MAP_0F ? 16 : 24) | maps[map] << 8 | simd_opcode(guest);
}

/* LDMXCSR that unmasks something, or sets what is reserved, is the interpreter's. */
static void load_mxcsr(struct x64_emit *e)
{
    const u32 reserved = ~(u32)MXCSR_MASK_SSE2;
    struct codebuf *c = e->c;

    x64_mov_rm(c, W32, REG_ADDEND, x64_operand(e));
    x64_mov_mr(c, W32, CPU_AT(sse.mxcsr), REG_ADDEND); /* stale while SSE is live */
    x64_alu_ri(c, X64_XOR, W32, REG_ADDEND, MXCSR_MASKS);
    x64_test_ri(c, W32, REG_ADDEND, (i32)(reserved | MXCSR_MASKS));
    x64_bail_from(e, x64_jcc(c, X64_NE, NULL), NULL);
    x64_ldmxcsr(c, CPU_AT(sse.mxcsr));
}

static void simd(struct x64_emit *e, const struct insn *guest)
{
    bool general_reg = has_operand(guest, OPND_Gd, OPND_Gy);
    bool general_rm =
        has_operand(guest, OPND_Ed, OPND_Ey) || has_operand(guest, OPND_Ew_d, OPND_Eb_d);
    u8 reg = general_reg ? x64_guest[guest->reg] : guest->reg;
    u32 op = simd_op(guest);

    if (guest->id == INSN_EMMS)
        x64_emms(e->c);
    else if (guest->id == INSN_LDMXCSR)
        load_mxcsr(e);
    else if (guest->mem)
        x64_simd_rm(e->c, op, reg, x64_operand(e));
    else
        x64_simd_rr(e->c, op, reg, general_rm ? x64_guest[guest->rm] : guest->rm);
    if (has_operand(guest, OPND_Ib, OPND_Ib)) /* of a predicate three bits count */
        put8(e->c, (u8)(guest->imm & (guest->opcode == 0xc2 ? 7 : 0xff)));
}

/* --- operations --- */

static void emit(struct x64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];
    const struct insn_def *d = &insn_def[guest->id];
    bool raises = may_raise(e, guest);

    if (e->u->lacks >> d->feat & 1 && d->map != MAP_1B) {
        x64_decline(e);
        return;
    }
    if (raises && !e->fl.recipe)
        x64_flags_store(e, IRF_ALL);
    if (d->map != MAP_1B)
        simd(e, guest);
    else if (guest->mem)
        x87_memory(e, guest);
    else
        x87_registers(e, in, guest);
    if (guest->mem && in->imm & IR_FP_WRITE)
        x64_written(e);
    if (in->def)
        x64_flags_after(e, in, e->i, IRF_ALL, NULL);
    if (jit_fp_records(guest)) {
        if (guest->mem)
            record_operand(e, guest, in->g);
        e->fp.last = in->g + 1;
    }
    if (raises && !in->def)
        leave_if_raised(e, in);
}

void x64_emit_FP(struct x64_emit *e, const struct ir_insn *in)
{
    emit(e, in);
}

void x64_emit_FPR(struct x64_emit *e, const struct ir_insn *in)
{
    emit(e, in);
}

void x64_emit_FPG(struct x64_emit *e, const struct ir_insn *in)
{
    emit(e, in);
}

void x64_emit_FPF(struct x64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];

    x64_mov_ri(e->c, REG_ADDR, guest->id);
    x64_call(e->c, e->u->stubs->fp_function[jit_fp_kind(guest)]);
    x64_site(e);
    x64_flags_lost(e);
    e->fp.last = in->g + 1;
}

void x64_emit_FPM(struct x64_emit *e, const struct ir_insn *in)
{
    const struct insn_def *d = &insn_def[e->ir->guest[in->g].id];
    unsigned size = (unsigned)in->imm & IR_FP_SIZE, w = 0;

    while (x64_bytes(w) != size)
        w++;
    x64_look_up(e, in->a, w, in->imm & IR_FP_WRITE, size == 16 && (d->attr & ATTR_Align));
    emit(e, in);
}

void x64_emit_FPMG(struct x64_emit *e, const struct ir_insn *in)
{
    x64_emit_FPM(e, in);
}

/* --- stubs --- */

static struct x64_mem xmm_at(unsigned n)
{
    return x64_at(REG_CPU, (i32)(offsetof(struct cpu, sse.v) + n * sizeof(union vec)) - CPU_BIAS);
}

enum { MOVAPS_LOAD = 0x0f28, MOVAPS_STORE = 0x0f29 };

void x64_fp_save_sse(struct codebuf *c, bool leave)
{
    x64_test_mi(c, W8, CPU_AT(jit.fp_live), FP_SSE);
    u8 *skip = x64_jcc(c, X64_E, NULL);
    for (unsigned n = 0; n < GUEST_XMMS; n++)
        x64_simd_rm(c, MOVAPS_STORE, (u8)n, xmm_at(n));
    x64_stmxcsr(c, CPU_AT(sse.mxcsr));
    x64_ldmxcsr(c, CPU_AT(jit.host_mxcsr));
    if (leave)
        x64_alu_mi(c, X64_AND, W8, CPU_AT(jit.fp_live), (i8)~FP_SSE);
    x64_patch32(skip, c->at);
}

void x64_fp_load_sse(struct codebuf *c)
{
    x64_test_mi(c, W8, CPU_AT(jit.fp_live), FP_SSE);
    u8 *skip = x64_jcc(c, X64_E, NULL);
    for (unsigned n = 0; n < GUEST_XMMS; n++)
        x64_simd_rm(c, MOVAPS_LOAD, (u8)n, xmm_at(n));
    x64_ldmxcsr(c, CPU_AT(sse.mxcsr));
    x64_patch32(skip, c->at);
}

/* R10 = fn(cpu, ESI). */
static void call_c(struct codebuf *c, const void *fn)
{
    x64_alu_ri(c, X64_SUB, W64, RSP, 8);
    x64_lea(c, W64, RDI, x64_at(REG_CPU, -CPU_BIAS));
    x64_mov_ri(c, RAX, (u64)(uintptr_t)fn);
    x64_call_r(c, RAX);
    x64_mov_rr(c, W32, R10, RAX);
    x64_alu_ri(c, X64_ADD, W64, RSP, 8);
}

static void push_clobbered(struct codebuf *c)
{
    for (unsigned i = 0; i < X64_CLOBBERED; i++)
        x64_push_r(c, x64_clobbered[i]);
}

static void pop_clobbered(struct codebuf *c)
{
    for (unsigned i = X64_CLOBBERED; i-- > 0;)
        x64_pop_r(c, x64_clobbered[i]);
}

void x64_fp_stub(struct codebuf *c, const void *fp_enter, u8 need, const u8 *bail)
{
    x64_fp_save_sse(c, true);
    push_clobbered(c);
    x64_mov_ri(c, RSI, need);
    call_c(c, fp_enter);
    pop_clobbered(c);
    x64_test_rr(c, W32, R10, R10);
    x64_jcc(c, X64_E, bail);
    x64_test_ri(c, W8, R10, FP_X87);
    u8 *skip = x64_jcc(c, X64_E, NULL);
    x64_x87_m(c, OP_D9, D9_FNSTCW, CPU_AT(jit.host_cw));
    x64_fxrstor(c, CPU_AT(fp_image));
    x64_patch32(skip, c->at);
    x64_fp_load_sse(c);
    x64_ret(c);
}

static void load_arg(struct codebuf *c, unsigned n)
{
    x64_x87_m(c, OP_DB, DB_FLD80, CPU_AT(jit.fp_arg[n]));
}

static void store_status(struct codebuf *c)
{
    x64_x87_m(c, OP_DD, DD_FNSTSW, CPU_AT(jit.fp_sw));
}

/* Two results were pushed. If that was one too many, bring the operand back, with the register
 * above it in use, for the executor to find the same; if the operand was missing, C1 is 0. */
static void check_pair(struct codebuf *c, const u8 *bail)
{
    x64_movzx_rm(c, W16, R10, CPU_AT(jit.fp_sw));
    store_status(c);
    x64_test_mi(c, W16, CPU_AT(jit.fp_sw), X87_SW_SF);
    u8 *done = x64_jcc8(c, X64_E);
    x64_x87(c, OP_D9, D9_FINCSTP);
    x64_test_ri(c, W32, R10, X87_SW_SF);
    u8 *missing = x64_jcc8(c, X64_NE);
    x64_x87(c, OP_DD, DD_FSTP_ST0);
    load_arg(c, 2);
    x64_jmp(c, bail);
    x64_patch8(missing, c->at);
    x64_x87(c, OP_D9, D9_FDECSTP);
    x64_patch8(done, c->at);
}

/* With SF set, popping would not show that an operand is missing; C2 could not be cleared. */
void x64_fp_stub_function(struct codebuf *c, const void *fp_function, enum jit_fp_kind kind,
                          const u8 *bail)
{
    bool binary = kind == FP_BINARY;

    store_status(c);
    x64_test_mi(c, W16, CPU_AT(jit.fp_sw), X87_SW_SF | (kind >= FP_SINE ? X87_SW_C2 : 0));
    x64_jcc(c, X64_NE, bail);
    x64_x87_m(c, OP_DB, DB_FSTP80, CPU_AT(jit.fp_arg[0]));
    if (binary)
        x64_x87_m(c, OP_DB, DB_FSTP80, CPU_AT(jit.fp_arg[1]));
    store_status(c);
    x64_x87_m(c, OP_D9, D9_FNSTCW, CPU_AT(jit.fp_cw));
    push_clobbered(c);
    x64_fp_save_sse(c, false);
    x64_mov_rr(c, W32, RSI, REG_ADDR);
    call_c(c, fp_function);
    x64_fp_load_sse(c);
    pop_clobbered(c);
    x64_alu_ri(c, X64_CMP, W32, R10, FP_FOUND_UP);
    u8 *unusual = x64_jcc(c, X64_A, NULL);
    load_arg(c, 0);
    if (kind == FP_PAIR)
        load_arg(c, 1);
    u8 *done = x64_jcc8(c, X64_B);
    x64_x87_m(c, OP_D9, D9_FLDCW, CPU_AT(jit.fp_up_cw));
    x64_x87_m(c, OP_DC, DC_FADD64, CPU_AT(jit.fp_up));
    x64_x87_m(c, OP_D9, D9_FLDCW, CPU_AT(jit.fp_cw));
    x64_patch8(done, c->at);
    if (kind == FP_PAIR)
        check_pair(c, bail);
    x64_ret(c);
    x64_patch32(unusual, c->at);
    if (binary)
        load_arg(c, 1);
    load_arg(c, 0);
    x64_jmp(c, bail);
}

void x64_fp_stub_out(struct codebuf *c)
{
    x64_fxsave(c, x64_at(RDI, offsetof(struct cpu, fp_image)));
    x64_test_mi(c, W8, x64_at(RDI, offsetof(struct cpu, fp_image) + FX_FSW), (i8)X87_SW_ES);
    u8 *quiet = x64_jcc8(c, X64_E);
    x64_x87(c, OP_DB, DB_FNCLEX); /* what follows would fault */
    x64_patch8(quiet, c->at);
    x64_emms(c);
    x64_x87_m(c, OP_D9, D9_FLDCW, x64_at(RDI, offsetof(struct cpu, jit.host_cw)));
    x64_ret(c);
}

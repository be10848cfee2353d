/* SPDX-License-Identifier: MIT */
/*
 * The evaluator: what each operation means, executed one by one. Slow and plain on purpose; a
 * translator is wrong if it differs from the interpreter here, a backend if it differs from this.
 *
 * What is unspecified is made to show: bits of a temporary above its width are filled with a
 * pattern, so that code which relies on them goes wrong.
 */
#include "base/bits.h"
#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "jit/fp.h"
#include "jit/ir_eval_private.h"
#include "jit/ir_private.h"
#include "jit/xlate.h"

#define ABOVE 0xa5b6c7d8e9fa0b1cu /* bits of temporaries that nobody may read */

u64 ir_eval_get(const struct ir_eval *e, const struct ir_insn *in, ir_val v, enum width w)
{
    u64 r = 0;

    if (ir_is_reg(v))
        r = e->cpu->gpr[v - IR_REG];
    else if (ir_is_high(v))
        r = e->cpu->gpr[v - IR_HIGH] >> 8;
    else if (ir_is_temp(v))
        r = e->temp[v - IR_TEMP];
    else if (v == IR_CONST)
        r = (u64)in->imm;
    return r & width_mask(w);
}

void ir_eval_set(struct ir_eval *e, const struct ir_insn *in, u64 v)
{
    u64 mask = width_mask((enum width)in->w);

    if (ir_is_temp(in->d)) {
        u64 good = width_mask(ir_d_width(in));
        e->temp[in->d - IR_TEMP] = (v & mask) | (ABOVE & ~good);
    } else if (ir_is_high(in->d)) {
        u64 *r = &e->cpu->gpr[in->d - IR_HIGH];
        *r = (*r & ~(u64)0xff00) | (u64)(u8)v << 8;
    } else if (in->w >= W32) {
        e->cpu->gpr[in->d - IR_REG] = v & mask;
    } else {
        u64 *r = &e->cpu->gpr[in->d - IR_REG];
        *r = (*r & ~mask) | (v & mask);
    }
}

/* --- memory --- */

/* The host's byte of a linear address, if the access is plain: in one page, allowed, RAM that
 * nobody watches. NULL changes nothing; no A and D bits are set (jit_access.c). */
static u8 *eval_host(struct cpu *cpu, lin_addr lin, enum width w, enum mmu_access kind)
{
    struct mmu_view *view = mmu_view(cpu->mmu);
    u8 *host;
    phys_addr phys;

    if (!mmu_in_page(lin, width_bytes(w)))
        return NULL;
    host = mmu_host(kind == MMU_WRITE ? view->cur.write : view->cur.read, lin);
    if (host)
        return host;
    if ((cpu->eflags & FL_AC) || !mmu_translate_unmarked(cpu->mmu, lin, kind, &phys))
        return NULL; /* an alignment check comes before the walk */
    return mmu_host(kind == MMU_WRITE ? view->cur.write : view->cur.read, lin);
}

static bool eval_memory(struct ir_eval *e, const struct ir_insn *in)
{
    enum width w = (enum width)in->w;
    lin_addr lin = ir_eval_get(e, in, in->a, W32);
    u8 *host = eval_host(e->cpu, lin, w, in->op == IR_LD ? MMU_READ : MMU_WRITE);

    if (!host)
        return false;
    if (in->op == IR_ST) {
        store_le(host, ir_eval_get(e, in, in->b, w), width_bytes(w));
        return true;
    }
    if (in->op == IR_LDW)
        e->modified = host;
    ir_eval_set(e, in, load_le(host, width_bytes(w)));
    return true;
}

static bool eval_seglin(struct ir_eval *e, const struct ir_insn *in)
{
    const struct segment *s = &e->cpu->seg[in->cc];
    u64 off = ir_eval_get(e, in, in->a, (enum width)in->w);
    u8 perm = in->imm & IR_ACCESS_WRITE ? SEG_PERM_W : SEG_PERM_R;

    if (off < s->lo || off + ir_access_size(in->imm) - 1 > s->hi || !(s->perm & perm))
        return false;
    ir_eval_set(e, in, seg_linear(e->cpu, in->cc, off));
    return true;
}

/* --- leaving --- */

static void eval_exit(struct ir_eval *e, const struct ir_insn *in)
{
    struct cpu *cpu = e->cpu;
    bool jump = true;

    e->result = IR_DONE;
    switch (in->op) {
    case IR_LEAVE:
        cpu->rip = cpu->next_rip;
        return;
    case IR_JMPR:
        cpu->rip = ir_eval_get(e, in, in->a, W32);
        return;
    case IR_BR:
        jump = flags_cond(cpu, in->cc);
        break;
    case IR_BRZ:
        jump = (ir_eval_get(e, in, in->a, (enum width)in->w) == 0) == in->cc;
        break;
    }
    cpu->rip = jump ? (u64)in->imm : e->block->fall;
}

/* The guest instructions before @g have retired. */
static void eval_retire(struct ir_eval *e, unsigned g)
{
    e->cpu->clock->left -= g - e->retired;
    e->retired = g;
}

/* The units with an exception that is not masked. */
static u8 unmasked(const struct cpu *cpu)
{
    return (u8)((~cpu->x87.control & X87_CW_MASKS ? FP_X87 : 0) |
                (~cpu->sse.mxcsr & MXCSR_MASKS ? FP_SSE : 0));
}

/* Has an x87 or SSE exception been unmasked that the operations know nothing of? A host makes its
 * unit live behind an executor, or not; here the block ends. */
static bool eval_unmasked(const struct ir_eval *e)
{
    return unmasked(e->cpu) & ~e->unmasked;
}

/* Does the block end behind the executor of guest instruction @g, which did not fail? */
static bool eval_stops(const struct ir_eval *e, unsigned g)
{
    const struct ir_block *b = e->block;
    const struct cpu *cpu = e->cpu;

    return cpu->attention || cpu->inhibit || cpu->halted || cpu->next_rip != b->at[g + 1] ||
           cpu->clock->left < (i64)(b->guests - g) || eval_unmasked(e);
}

/* The counter is read at the instruction's time. */
static bool eval_tsc(struct ir_eval *e, const struct ir_insn *in)
{
    struct cpu *cpu = e->cpu;

    if (cpu->cr4 & CR4_TSD)
        return false;
    eval_retire(e, in->g);
    u64 now = cpu_tsc(cpu);
    cpu->gpr[REG_AX] = (u32)now;
    cpu->gpr[REG_DX] = now >> 32;
    return true;
}

/* Let the executor of the guest instruction do it, at its time. False: the block ends here. */
static bool eval_exec(struct ir_eval *e, const struct ir_insn *in)
{
    const struct ir_block *b = e->block;
    const struct insn *guest = &b->guest[in->g];
    struct cpu *cpu = e->cpu;
    const struct segment *s = &cpu->seg[xlate_loads(guest)];
    u8 class = s->class;

    eval_retire(e, in->g);
    cpu->rip = b->at[in->g];
    cpu->next_rip = b->at[in->g + 1];
    if (!guest->exec(cpu, guest)) {
        e->result = IR_FAULTED;
        return false;
    }
    if (in[1].op == IR_LEAVE && in[1].g == in->g)
        return true;
    e->result = IR_STOPPED;
    if (s->class == class && !eval_stops(e, in->g))
        return true;
    cpu->rip = cpu->next_rip;
    return false;
}

/* Where hosts make the units live that the operations from @in up to the next executor use: false
 * if they cannot, and the block ends there. */
static bool eval_gate(struct ir_eval *e, const struct ir_insn *in)
{
    const struct ir_block *b = e->block;
    u32 need = 0;

    for (; in < b->insn + b->count && ir_op_info[in->op].kind != IR_CALL; in++) {
        if (ir_is_fp(in->op))
            need |= jit_fp_units(&b->guest[in->g]);
    }
    e->result = IR_BAILED;
    return !need || jit_fp_allowed(e->cpu, need | (b->raises ? FP_RAISES : 0));
}

/* One operation that may end the block. */
static bool eval_one(struct ir_eval *e, const struct ir_insn *in)
{
    e->result = IR_BAILED;
    if (ir_is_fp(in->op)) /* is what its executor does */
        return eval_exec(e, in);
    switch (ir_op_info[in->op].kind) {
    case IR_MEM:
        return eval_memory(e, in);
    case IR_CALL:
        return eval_exec(e, in);
    case IR_EXIT:
        eval_exit(e, in);
        return false;
    default:
        break;
    }
    if (in->op == IR_TSC)
        return eval_tsc(e, in);
    return in->op == IR_SEGLIN ? eval_seglin(e, in) : ir_eval_pure(e, in);
}

enum ir_result ir_eval(struct cpu *cpu, const struct ir_block *b, unsigned *g)
{
    struct ir_eval e = {.cpu = cpu, .block = b, .unmasked = unmasked(cpu)};
    const struct ir_insn *in = b->insn;
    unsigned first = 0; /* instruction behind the last gate: it may have no operation any more */

    bool on = eval_gate(&e, in), gate = !on;
    while (on && eval_one(&e, in)) {
        bool call = ir_op_info[in->op].kind == IR_CALL;
        first = call ? in->g + 1u : first;
        in++;
        on = !call || eval_gate(&e, in);
        gate = !on;
    }
    *g = e.result == IR_DONE ? b->guests : e.result == IR_STOPPED ? in->g + 1u : in->g;
    if (gate)
        *g = first;
    eval_retire(&e, *g);
    if (e.result == IR_BAILED || e.result == IR_FAULTED)
        cpu->rip = b->at[*g]; /* it may be interpreted, or its fault delivered, from here */
    return e.result;
}

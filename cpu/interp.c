/* SPDX-License-Identifier: MIT */
/*
 * The interpreter: decoded blocks, executed one instruction at a time, with events looked at
 * between blocks. cpu_run() is in here.
 */
#include "cpu/interp.h"
#include "base/log.h"
#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "cpu/icache.h"
#include "cpu/interrupt.h"
#include "cpu/msr.h"
#include "cpu/operand.h"

/* Debug registers [SDM 3B §17.2]. */
enum { DR7_ENABLES = 0xff, DR6_BS = BIT(14) };

static u32 decode_mode(const struct cpu *cpu)
{
    return cpu_code32(cpu) ? MODE_CS32 : 0;
}

void cpu_interpret_block(struct cpu *cpu, const struct block *b)
{
    struct clock *clock = cpu->clock;
    const struct insn *in = b->insn, *end = in + b->count;

    do {
        cpu->next_rip = cpu->rip + in->len;
        if (UNLIKELY(!in->exec(cpu, in))) {
            interrupt_fault(cpu);
            return;
        }
        cpu->rip = cpu->next_rip;
        if (--clock->left <= 0 || UNLIKELY(cpu->attention | cpu->inhibit))
            return;
    } while (++in < end);
}

void cpu_interpret_one(struct cpu *cpu, const struct insn *in)
{
    cpu->next_rip = cpu->rip + in->len;
    if (UNLIKELY(!in->exec(cpu, in))) {
        interrupt_fault(cpu);
        return;
    }
    cpu->rip = cpu->next_rip;
    cpu->clock->left--;
}

/* Fetch an instruction that may lie on an absent page or a device, or leave the code segment. */
static bool fetch_one(struct cpu *cpu, struct insn *in)
{
    const struct segment *cs = &cpu->seg[SEG_CS];
    u8 bytes[INSN_MAX_LEN];
    unsigned n = 0;
    enum decode_result r;

    do {
        u64 off = cpu->rip + n;
        lin_addr lin = (u32)(cs->base + off);
        phys_addr phys;
        if (off > cs->hi)
            return fault_gp(cpu, 0);
        if (!mmu_translate(cpu->mmu, lin, MMU_EXEC, &phys))
            return fault_pf(cpu);
        bytes[n++] = mmu_fetch_byte(cpu->mmu, phys);
        r = icache_decode(cpu->icache, bytes, n, decode_mode(cpu), in);
    } while (r == DECODE_SHORT && n < INSN_MAX_LEN);
    return r == DECODE_OK || fault_gp(cpu, 0);
}

/* The block at CS:EIP, or NULL: step() walks, faults, and fills the table. */
static struct block *next_block(struct cpu *cpu)
{
    const struct segment *cs = &cpu->seg[SEG_CS];
    struct block *b = icache_at(cpu, (u32)(cs->base + cpu->rip), decode_mode(cpu));

    if (UNLIKELY(b && cpu->rip + b->bytes - 1 > cs->hi))
        return NULL;
    return b;
}

/* One instruction, which goes into *@did as well if that is not NULL; true if it retired. */
static bool step(struct cpu *cpu, struct insn *did)
{
    const struct block *b = next_block(cpu);
    struct insn one;
    const struct insn *in = b ? b->insn : &one;

    if (!b && !fetch_one(cpu, &one)) {
        interrupt_fault(cpu);
        return false;
    }
    if (!b)
        cpu->attention |= ATTN_CODE; /* nobody watches it: REP is fetched for each iteration */
    if (did)
        *did = *in;
    cpu->next_rip = cpu->rip + in->len;
    if (!in->exec(cpu, in)) {
        interrupt_fault(cpu);
        return false;
    }
    cpu->rip = cpu->next_rip;
    cpu->clock->left--;
    return true;
}

/* Has @in, which retired just now, branched? INT n and its like trap nowhere. [SDM 3B §17.4.3] */
static bool branched(const struct cpu *cpu, const struct insn *in)
{
    static exec_fn *const always[] = {
        exec_jmp_j,   exec_jmp_e,     exec_call_j,   exec_call_e,     exec_ret,
        exec_jmp_far, exec_jmp_far_m, exec_call_far, exec_call_far_m, exec_retf,
        exec_iret,    exec_sysenter,  exec_sysexit,
    };
    bool count = cpu->gpr[REG_CX] & width_mask(in->adsize), zero = flags_zf(cpu);

    for (unsigned i = 0; i < ARRAY_LEN(always); i++) {
        if (in->exec == always[i])
            return true;
    }
    return (in->exec == exec_jcc && flags_cond(cpu, in->opcode & 15)) ||
           (in->exec == exec_loop && count) || (in->exec == exec_loope && count && zero) ||
           (in->exec == exec_loopne && count && !zero) || (in->exec == exec_jcxz && !count);
}

/* Does an enabled instruction breakpoint match? Sets the B bits to be or-ed into DR6. */
static bool code_breakpoint(const struct cpu *cpu, u32 *dr6)
{
    lin_addr lin = (u32)(cpu->seg[SEG_CS].base + cpu->rip);
    u32 dr7 = (u32)cpu->dr[7];
    bool hit = false;

    *dr6 = 0;
    for (unsigned i = 0; i < 4; i++) {
        if ((dr7 >> (16 + 4 * i) & 3) == 0 && (u32)cpu->dr[i] == lin) {
            *dr6 |= BIT(i);
            hit |= dr7 >> (2 * i) & 3;
        }
    }
    return hit;
}

/* [SDM 3B §17.3] */
void cpu_interpret_carefully(struct cpu *cpu)
{
    bool trap = cpu->eflags & FL_T;
    bool branches = cpu->msr[MSR_DEBUGCTL] & DEBUGCTL_BTF; /* it traps these only */
    u8 inhibit = cpu->inhibit;
    struct insn did;
    u32 dr6 = 0;

    if ((cpu->dr[7] & DR7_ENABLES) && !(cpu->eflags & FL_RF) &&
        !(inhibit & (INHIBIT_ALL | INHIBIT_REP)) && code_breakpoint(cpu, &dr6)) {
        fault_db(cpu, dr6);
        interrupt_fault(cpu);
        return;
    }
    dr6 = cpu->pending_dr6;
    cpu->pending_dr6 = cpu->inhibit = 0;
    bool rf = cpu->eflags & FL_RF;
    if (trap || (cpu->dr[7] & DR7_ENABLES))
        clock_stop(cpu->clock); /* REP: one iteration, then the trap */
    mmu_view(cpu->mmu)->watch_hits = 0;
    if (!step(cpu, trap && branches ? &did : NULL))
        return;
    if (rf && !(cpu->inhibit & (INHIBIT_KEEP_RF | INHIBIT_REP)))
        cpu->eflags &= ~(u32)FL_RF;
    dr6 |= mmu_view(cpu->mmu)->watch_hits & 15;
    if (trap && !(cpu->inhibit & INHIBIT_STEP) && (!branches || branched(cpu, &did)))
        dr6 |= DR6_BS;
    cpu->inhibit &= (u8) ~(INHIBIT_KEEP_RF | INHIBIT_STEP);
    if (!dr6)
        return;
    if (cpu->inhibit & INHIBIT_ALL) {
        cpu->pending_dr6 = (u8)(dr6 & 15); /* after the next instruction; the step is lost */
    } else {
        fault_db(cpu, dr6);
        interrupt_fault(cpu);
        cpu->inhibit = 0;
    }
}

/* An interrupt or NMI before the next instruction. It counts one, as an exception does: a request
 * that stays high and a gate that leaves IF set must not stop time. */
static void deliver_event(struct cpu *cpu, u8 vector)
{
    struct int_event ev = {
        .vector = vector,
        .source = INT_EXTERNAL,
        .rf = cpu->inhibit & INHIBIT_REP,
    };

    cpu->clock->left--;
    cpu->inhibit = 0;
    cpu->halted = false;
    cpu->next_rip = cpu->rip;
    if (interrupt_deliver(cpu, &ev))
        cpu->rip = cpu->next_rip;
    else
        interrupt_fault(cpu);
}

bool cpu_can_wake(const struct cpu *cpu)
{
    return cpu->eflags & FL_I;
}

/* Resets, NMI and INTR, in their order of priority [SDM 3A Table 6-2]. True: look again. */
static bool take_event(struct cpu *cpu)
{
    if (cpu->attention & ATTN_RESET) {
        cpu->attention &= ~(u32)ATTN_RESET;
        cpu_reset(cpu, cpu->reset_init);
        return true;
    }
    cpu->attention = 0;
    if (cpu->inhibit & INHIBIT_ALL)
        return false;
    if (cpu->nmi_latched && !cpu->nmi_masked) {
        cpu->nmi_latched = false;
        cpu->nmi_masked = true;
        deliver_event(cpu, VEC_NMI);
        return true;
    }
    if (cpu->intr_line && (cpu->eflags & FL_I) && !(cpu->inhibit & INHIBIT_INTR)) {
        cpu->halted = false;
        deliver_event(cpu, cpu->bus.inta(cpu->bus.ctx));
        return true;
    }
    return false;
}

static void log_state(const struct cpu *cpu)
{
    if (log_on(LOG_TRACE, EXEC))
        log_trace(EXEC, "%llu %04x:%08x", (unsigned long long)clock_retired(cpu->clock),
                  cpu->seg[SEG_CS].selector, (u32)cpu->rip);
    if (log_on(LOG_TRACE, CPU)) {
        char text[2048];
        cpu_dump(cpu, text, sizeof(text));
        log_trace(CPU, "%s", text);
    }
}

/* A block, or an instruction, under the eyes of a debugger. */
static void probed_step(struct cpu *cpu)
{
    const struct cpu_probe *p = &cpu->probe;
    lin_addr lin = (u32)(cpu->seg[SEG_CS].base + cpu->rip);

    if (p->breaks(p->ctx, lin, 1) && p->hit(p->ctx))
        return;
    if (cpu->inhibit || (cpu->eflags & (FL_T | FL_RF)) || (cpu->dr[7] & DR7_ENABLES)) {
        cpu_interpret_carefully(cpu);
    } else {
        struct block *b = next_block(cpu);
        if (b && !p->each && !p->breaks(p->ctx, (u32)(lin + 1), b->bytes - 1u))
            cpu_interpret_block(cpu, b);
        else
            step(cpu, NULL);
    }
    if (p->done)
        p->done(p->ctx);
}

enum cpu_exit cpu_run(struct cpu *cpu)
{
    struct clock *clock = cpu->clock;
    bool tracing = log_on(LOG_TRACE, EXEC) || log_on(LOG_TRACE, CPU);

    for (;;) {
        if (UNLIKELY(cpu->shutdown) && !(cpu->attention & ATTN_RESET))
            return CPU_EXIT_SHUTDOWN;
        if (clock->left <= 0) /* first: timers that are due now come before interrupts */
            return CPU_EXIT_BUDGET;
        if (UNLIKELY(cpu->attention || cpu->intr_line || cpu->nmi_latched)) {
            if (take_event(cpu))
                continue;
        }
        if (UNLIKELY(cpu->halted))
            return CPU_EXIT_HALTED;
        if (UNLIKELY(tracing))
            log_state(cpu);
        if (UNLIKELY(cpu->probe.breaks != NULL)) {
            probed_step(cpu);
            continue;
        }
        if (UNLIKELY(cpu->inhibit || (cpu->eflags & (FL_T | FL_RF)) ||
                     (cpu->dr[7] & DR7_ENABLES))) {
            cpu_interpret_carefully(cpu);
            continue;
        }
        struct block *b = next_block(cpu);
        if (UNLIKELY(!b))
            step(cpu, NULL);
        else if (cpu->engine.run)
            cpu->engine.run(cpu->engine.ctx, b);
        else
            cpu_interpret_block(cpu, b);
    }
}

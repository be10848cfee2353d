/* SPDX-License-Identifier: MIT */
/*
 * The x86-64 host: the driver over a block's operations, and the code that all blocks share.
 *
 * Calls follow the System V convention [SysV-ABI §3.2]: RBX, RBP, R12-R15 survive them. Between
 * blocks and in them the host stack is aligned to 16 bytes, in stubs, which are called, it is 8
 * off.
 */
#include <capstone/capstone.h>

#include "jit/x64/x64_emit.h"

typedef void emit_fn(struct x64_emit *e, const struct ir_insn *in);

static emit_fn *const emit_of[IR__COUNT] = {
#define IR_OP(name, ...) [IR_##name] = x64_emit_##name,
#include "jit/ir.def"
};

static void emit_ops(struct x64_emit *e)
{
    const struct jit_unit *u = e->u;

    for (e->i = 0; e->i < e->ir->count && !u->by_exec; e->i++) {
        const struct ir_insn *in = &e->ir->insn[e->i];
        bool fused = e->fused;
        u8 kind = ir_op_info[in->op].kind;
        if (kind == IR_CALL || kind == IR_EXIT)
            x64_fp_record(e);
        emit_of[in->op](e, in);
        if (kind == IR_CALL)
            x64_fp_gate(e, e->i + 1);
        if (fused)
            e->hold = e->fused = false;
        if (!in->def)
            x64_flags_spoil(e, in);
        x64_temps_expire(e);
    }
}

static bool x64_emit_block(struct jit_unit *u)
{
    struct x64_emit e = {.c = u->code, .u = u, .ir = u->ir};
    u8 *start = u->code->at;

    u->sites = u->edges = u->execs = 0;
    u->by_exec = 0;
    u->code->start = start; /* offsets in sites count from here */
    x64_temps_init(&e);
    ir_needs(u->ir, IRF_ALL, e.need);
    x64_emit_head(&e);
    x64_fp_gate(&e, 0);
    emit_ops(&e);
    if (e.loop_mark && !u->by_exec) {
        u->round_size = codebuf_off(u->code);
        x64_emit_loop(&e);
        emit_ops(&e);
    }
    if (u->by_exec) /* what would follow works with values that nobody made */
        return false;
    u->hot_size = codebuf_off(u->code);
    x64_emit_cold(&e);
    return !u->code->full;
}

/* --- stubs --- */

static const u8 saved[] = {RBX, RBP, R12, R13, R14, R15}; /* for our caller */

static void load_guest(struct codebuf *c)
{
    for (unsigned r = 0; r < 8; r++)
        x64_mov_rm(c, W32, x64_guest[r], x64_at(REG_CPU, (i32)(r * 8) - CPU_BIAS));
}

static void save_guest(struct codebuf *c)
{
    x64_fp_save_sse(c, true);
    for (unsigned r = 0; r < 8; r++)
        x64_mov_mr(c, W64, x64_at(REG_CPU, (i32)(r * 8) - CPU_BIAS), x64_guest[r]);
    x64_mov_mr(c, W32, CPU_AT(jit.budget), REG_BUDGET);
}

/* The MMU's current context, and what is left of the budget. */
static void load_engine(struct codebuf *c)
{
    x64_mov_rm(c, W64, REG_TABLES, CPU_AT(mmu));
    x64_mov_rm(c, W64, REG_TABLES, x64_at(REG_TABLES, offsetof(struct mmu_view, cur.read)));
    x64_mov_rm(c, W32, REG_BUDGET, CPU_AT(jit.budget));
}

static void call_c(struct codebuf *c, const void *fn)
{
    x64_mov_ri(c, RAX, (u64)(uintptr_t)fn);
    x64_call_r(c, RAX);
}

static void stub_enter(struct codebuf *c, const struct jit_stubs *s)
{
    for (unsigned i = 0; i < ARRAY_LEN(saved); i++)
        x64_push_r(c, saved[i]);
    x64_alu_ri(c, X64_SUB, W64, RSP, 8);
    x64_lea(c, W64, REG_CPU, x64_at(RDI, CPU_BIAS));
    x64_mov_mr(c, W64, CPU_AT(jit.host_sp), RSP);
    x64_stmxcsr(c, CPU_AT(jit.host_mxcsr));
    x64_mov_rr(c, W64, R11, RSI);
    x64_return_base(c, s);
    load_engine(c);
    load_guest(c);
    x64_jmp_r(c, R11);
}

/* Back to C with EAX as the answer. */
static void go_back(struct codebuf *c)
{
    x64_mov_rm(c, W64, RSP, CPU_AT(jit.host_sp));
    x64_alu_ri(c, X64_ADD, W64, RSP, 8);
    for (unsigned i = ARRAY_LEN(saved); i-- > 0;)
        x64_pop_r(c, saved[i]);
    x64_ret(c);
}

static void stub_leave(struct codebuf *c, enum jit_leave why)
{
    if (why == LEAVE_INDIRECT)
        x64_mov_mr(c, W64, CPU_AT(rip), REG_ADDR);
    else
        x64_mov_mr(c, W32, CPU_AT(jit.leave), REG_ADDR);
    save_guest(c);
    x64_mov_ri(c, RAX, why);
    go_back(c);
}

/* [RSP] is the return address that names the site. */
static void stub_bail(struct codebuf *c)
{
    x64_pop_m(c, CPU_AT(jit.return_pc));
    save_guest(c);
    x64_mov_ri(c, RAX, LEAVE_BAIL);
    go_back(c);
}

/* Return, if the access is in one page, or its two are neighbours on the host, too: then their
 * entries are equal. Otherwise take the branch. */
static u8 *misaligned(struct codebuf *c, unsigned w, bool write)
{
    x64_push_r(c, REG_ADDR);
    x64_alu_ri(c, X64_AND, W32, REG_ADDR, PAGE_SIZE - 1);
    x64_alu_ri(c, X64_CMP, W32, REG_ADDR, (i32)(PAGE_SIZE - x64_bytes(w)));
    x64_pop_r(c, REG_ADDR);
    u8 *crosses = x64_jcc8(c, X64_A);
    x64_ret(c);
    x64_patch8(crosses, c->at);
    x64_push_r(c, REG_ADDR);
    x64_lea(c, W32, REG_ADDR, x64_at(REG_ADDR, (i32)x64_bytes(w) - 1));
    x64_shift_ri(c, X64_SHR, W32, REG_ADDR, PAGE_SHIFT);
    x64_alu_rm(c, X64_CMP, W64, REG_ADDEND,
               x64_idx(REG_TABLES, REG_ADDR, 3, write ? (i32)MMU_WRITE_OFFSET : 0));
    x64_pop_r(c, REG_ADDR);
    u8 *apart = x64_jcc8(c, X64_NE);
    x64_ret(c);
    return apart;
}

/* In: address in R9, the table's entry in R10. Out: an addend in R10 that serves. */
static void stub_access(struct codebuf *c, const struct jit_helpers *h, unsigned w, unsigned write,
                        const u8 *bail)
{
    x64_test_rr(c, W64, REG_ADDEND, REG_ADDEND);
    u8 *absent = x64_jcc8(c, X64_E);
    u8 *apart = w > W8 ? misaligned(c, w, write) : NULL;
    x64_patch8(absent, c->at);
    x64_patch8(apart, c->at);
    for (unsigned i = 0; i < X64_CLOBBERED; i++)
        x64_push_r(c, x64_clobbered[i]);
    x64_fp_save_sse(c, false);
    x64_mov_rm(c, W64, RAX, x64_at(RSP, 8 * X64_CLOBBERED));
    x64_mov_mr(c, W64, CPU_AT(jit.return_pc), RAX);
    x64_alu_ri(c, X64_SUB, W64, RSP, 8);
    x64_lea(c, W64, RDI, x64_at(REG_CPU, -CPU_BIAS));
    x64_mov_rr(c, W32, RSI, REG_ADDR);
    x64_mov_ri(c, RDX, (x64_bytes(w) & 15) | write << 4);
    call_c(c, (const void *)(uintptr_t)h->access);
    x64_mov_rr(c, W64, REG_ADDEND, RAX);
    x64_alu_ri(c, X64_ADD, W64, RSP, 8);
    x64_fp_load_sse(c);
    for (unsigned i = X64_CLOBBERED; i-- > 0;)
        x64_pop_r(c, x64_clobbered[i]);
    x64_test_rr(c, W64, REG_ADDEND, REG_ADDEND);
    x64_jcc(c, X64_E, bail);
    x64_ret(c);
}

/* What was written to jit.xfer goes to two pages. Changes no register and no flag. */
static void stub_written(struct codebuf *c)
{
    static const u8 used[] = {RCX, RSI, RDI};

    for (unsigned i = 0; i < ARRAY_LEN(used); i++)
        x64_push_r(c, used[i]);
    x64_lea(c, W64, RSI, CPU_AT(jit.xfer));
    for (unsigned i = 0; i < 2; i++) {
        i32 more = (i32)(i * sizeof(u64)) - CPU_BIAS;
        x64_mov_rm(c, W64, RDI, x64_at(REG_CPU, (i32)offsetof(struct cpu, jit_halves.host) + more));
        x64_mov_rm(c, W64, RCX,
                   x64_at(REG_CPU, (i32)offsetof(struct cpu, jit_halves.bytes) + more));
        x64_rep_movsb(c);
    }
    x64_mov_rm(c, W64, RCX, CPU_AT(jit_halves.whole));
    x64_mov_mr(c, W64, CPU_AT(jit_halves.written), RCX);
    for (unsigned i = ARRAY_LEN(used); i-- > 0;)
        x64_pop_r(c, used[i]);
    x64_ret(c);
}

/* In: R9 names the jit_exec. */
static void stub_exec(struct codebuf *c, const struct jit_helpers *h)
{
    save_guest(c);
    x64_lea(c, W64, RDI, x64_at(REG_CPU, -CPU_BIAS));
    x64_mov_rr(c, W32, RSI, REG_ADDR);
    x64_alu_ri(c, X64_SUB, W64, RSP, 8);
    call_c(c, (const void *)(uintptr_t)h->exec);
    x64_alu_ri(c, X64_ADD, W64, RSP, 8);
    x64_mov_rr(c, W64, R11, RAX);
    load_engine(c);
    load_guest(c);
    x64_test_rr(c, W64, R11, R11);
    u8 *elsewhere = x64_jcc8(c, X64_NE);
    x64_ret(c);
    x64_patch8(elsewhere, c->at);
    x64_mov_rm(c, W64, RSP, CPU_AT(jit.base_sp)); /* the mode may be another */
    x64_jmp_r(c, R11);
}

/* In: R9 names the jit_exec. It goes on wherever C says. */
static void stub_finish(struct codebuf *c, const struct jit_helpers *h)
{
    save_guest(c);
    x64_lea(c, W64, RDI, x64_at(REG_CPU, -CPU_BIAS));
    x64_mov_rr(c, W32, RSI, REG_ADDR);
    call_c(c, (const void *)(uintptr_t)h->finish);
    x64_mov_rr(c, W64, R11, RAX);
    load_engine(c);
    load_guest(c);
    x64_mov_rm(c, W64, RSP, CPU_AT(jit.base_sp));
    x64_jmp_r(c, R11);
}

void x64_emit_stubs(struct codebuf *c, const struct jit_helpers *h, struct jit_stubs *out)
{
    out->fp_out = c->at;
    x64_fp_stub_out(c);
    for (enum jit_leave why = 0; why < LEAVE__COUNT; why++) {
        out->leave[why] = c->at;
        stub_leave(c, why);
    }
    x64_return_stubs(c, out);
    out->enter = c->at;
    stub_enter(c, out);
    out->bail = c->at;
    stub_bail(c);
    for (unsigned w = W8; w <= X64_W80; w++) {
        for (unsigned write = 0; write <= (w > W8 ? 2u : 1u); write++) {
            out->access[write][w] = c->at;
            stub_access(c, h, w, write, out->bail);
        }
    }
    out->written[0] = c->at;
    x64_ret(c);
    out->written[1] = c->at;
    stub_written(c);
    out->exec = c->at;
    stub_exec(c, h);
    out->finish = c->at;
    stub_finish(c, h);
    out->tsc = c->at;
    x64_stub_tsc(c);
    for (u8 need = 1; need <= FP_BOTH; need++) {
        out->fp[0][need - 1] = c->at;
        x64_fp_stub(c, (const void *)(uintptr_t)h->fp_enter, need, out->bail);
        out->fp[1][need - 1] = c->at;
        x64_fp_stub(c, (const void *)(uintptr_t)h->fp_enter, need | FP_RAISES, out->bail);
    }
    for (enum jit_fp_kind kind = 0; kind < FP_KINDS; kind++) {
        out->fp_function[kind] = c->at;
        x64_fp_stub_function(c, (const void *)(uintptr_t)h->fp_function, kind, out->bail);
    }
}

const struct backend x64_backend = {
    .name = "x64",
    .cs_arch = CS_ARCH_X86,
    .cs_mode = CS_MODE_64,
    .reach = (2u << 30) - 16, /* a branch may have bytes behind its displacement */
    .lazy = true,
    .raises = true,
    .stubs = x64_emit_stubs,
    .emit = x64_emit_block,
    .link = x64_link,
};

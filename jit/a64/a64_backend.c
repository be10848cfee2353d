/* SPDX-License-Identifier: MIT */
/*
 * The ARM64 host: the driver over a block's operations, and the code that all blocks share.
 *
 * Calls follow the procedure call standard [AAPCS64 §6.1]: X19 to X29 and SP survive them. The host
 * stack stays aligned to 16 bytes.
 */
#include <assert.h>
#include <capstone/capstone.h>

#include "cpu/x87_plain.h"
#include "jit/a64/a64_emit.h"

typedef void emit_fn(struct a64_emit *e, const struct ir_insn *in);

static emit_fn *const emit_of[IR__COUNT] = {
#define IR_OP(name, ...) [IR_##name] = a64_emit_##name,
#include "jit/ir.def"
};

static void emit_ops(struct a64_emit *e, unsigned end)
{
    for (e->i = 0; e->i < end && !e->u->by_exec; e->i++) {
        const struct ir_insn *in = &e->ir->insn[e->i];
        a64_x87_before(e, in);
        if (!a64_window_before(e, in))
            emit_of[in->op](e, in);
        a64_temps_expire(e);
    }
}

/* True: it has to be made again, without a window. */
static bool emit_attempt(struct a64_emit *e)
{
    struct jit_unit *u = e->u;
    bool again = false;

    u->sites = u->edges = u->execs = 0;
    u->by_exec = 0;
    a64_temps_init(e);
    a64_window_find(e);
    ir_needs(u->ir, IRF_ALL, e->need);
    a64_emit_head(e);
    emit_ops(e, u->ir->count);
    assert(u->by_exec || !e->group.open);
    if (u->by_exec) /* what would follow works with values that nobody made */
        return false;
    u->hot_size = codebuf_off(u->code);
    if (a64_window_begin_plain(e)) {
        emit_ops(e, e->window.end);
        again = !a64_window_end_plain(e);
    }
    a64_emit_cold(e);
    return again;
}

static bool a64_emit_block(struct jit_unit *u)
{
    struct a64_emit e = {.c = u->code, .u = u, .ir = u->ir};
    struct codebuf before = *u->code;

    before.start = before.at; /* offsets in sites count from here */
    *u->code = before;
    if (emit_attempt(&e) || (u->code->full && e.window.base != IR_NONE)) {
        *u->code = before;
        e = (struct a64_emit){.c = u->code, .u = u, .ir = u->ir, .window.never = true};
        emit_attempt(&e);
    }
    return !u->by_exec && !u->code->full;
}

/* --- stubs --- */

/* Pairs of registers that C may change and that translated code wants to keep. */
static const u8 clobbered[][2] = {{X3, X4},   {X5, X6},   {X7, X8},   {X9, X10},
                                  {X11, X12}, {X13, X14}, {X15, X17}, {X30, XZR}};

static void load_guest(struct codebuf *c)
{
    for (unsigned r = 0; r < 8; r += 2)
        a64_ldp(c, W64, a64_guest(r), a64_guest(r + 1), REG_CPU, CPU_OFF(gpr[0]) + (i32)r * 8);
    a64_flags_from_memory(c);
}

static void save_guest(struct codebuf *c)
{
    a64_flags_to_memory(c);
    a64_fp_save(c, false);
    for (unsigned r = 0; r < 8; r += 2)
        a64_stp(c, W64, a64_guest(r), a64_guest(r + 1), REG_CPU, CPU_OFF(gpr[0]) + (i32)r * 8);
    a64_str(c, W32, REG_BUDGET, REG_CPU, CPU_OFF(jit.budget));
}

/* X16 is lost. */
static void load_tables(struct codebuf *c)
{
    static_assert(MMU_EXEC_OFFSET == 2 * MMU_WRITE_OFFSET, "they are equally far");
    a64_mov_ri64(c, X16, MMU_WRITE_OFFSET);
    a64_arith_rr(c, A64_ADD, W64, REG_WRITES, REG_TABLES, X16);
    a64_arith_rr(c, A64_ADD, W64, REG_EXEC, REG_WRITES, X16);
    a64_ldr(c, W64, REG_JUMPS, REG_CPU, CPU_OFF(jit.jumps));
}

/* The MMU's current context, and what is left of the budget. */
static void load_engine(struct codebuf *c)
{
    a64_ldr(c, W64, REG_TABLES, REG_CPU, CPU_OFF(mmu));
    a64_ldr(c, W64, REG_TABLES, REG_TABLES, offsetof(struct mmu_view, cur.read));
    load_tables(c);
    a64_ldr(c, W32, REG_BUDGET, REG_CPU, CPU_OFF(jit.budget));
}

static void call_c(struct codebuf *c, const void *fn)
{
    a64_mov_ri64(c, X16, (u64)(uintptr_t)fn);
    a64_blr(c, X16);
}

enum { FRAME = 96 }; /* X19 to X30 */

static void stub_enter(struct codebuf *c)
{
    a64_stp_pre(c, W64, X29, X30, XSP, -FRAME);
    for (u8 r = X19; r < X29; r += 2)
        a64_stp(c, W64, r, r + 1, XSP, 16 + (r - X19) * 8);
    a64_mov_rr(c, W64, REG_CPU, X0);
    a64_mov_sp(c, X16, XSP);
    a64_str(c, W64, X16, REG_CPU, CPU_OFF(jit.host_sp));
    a64_return_base(c);
    load_engine(c);
    load_guest(c);
    a64_br(c, X1);
}

/* Back to C with W0 as the answer. */
static void go_back(struct codebuf *c)
{
    a64_ldr(c, W64, X16, REG_CPU, CPU_OFF(jit.host_sp));
    a64_mov_sp(c, XSP, X16);
    for (u8 r = X19; r < X29; r += 2)
        a64_ldp(c, W64, r, r + 1, XSP, 16 + (r - X19) * 8);
    a64_ldp_post(c, W64, X29, X30, XSP, FRAME);
    a64_ret(c);
}

/* W0 says which edge, block or EIP. */
static void stub_leave(struct codebuf *c, enum jit_leave why, const u8 *go)
{
    if (why == LEAVE_INDIRECT)
        a64_str(c, W64, REG_ARG, REG_CPU, CPU_OFF(rip));
    else
        a64_str(c, W32, REG_ARG, REG_CPU, CPU_OFF(jit.leave));
    a64_movz(c, W32, X0, (u16)why, 0);
    a64_b(c, go);
}

/* The return address names the site. */
static void stub_bail(struct codebuf *c, const u8 *go)
{
    a64_str(c, W64, X30, REG_CPU, CPU_OFF(jit.return_pc));
    a64_movz(c, W32, X0, LEAVE_BAIL, 0);
    a64_b(c, go);
}

/* The address is in W0. An access that is only misaligned may go on; one that crosses a page, or
 * has no entry, asks. */
static void stub_access(struct codebuf *c, unsigned w, unsigned write, const u8 *ask)
{
    u8 *crosses = NULL;

    a64_shift_ri(c, A64_LSR, W32, REG_ADDEND, REG_ARG, PAGE_SHIFT);
    a64_mem_rr(c, A64_LDR, W64, REG_ADDEND, write ? REG_WRITES : REG_TABLES, REG_ADDEND, A64_UXTX,
               true);
    u8 *absent = a64_cbz(c, W64, REG_ADDEND, NULL);
    if (w > W8) {
        a64_arith_ri(c, A64_ADD, W32, X1, REG_ARG, BIT(w) - 1);
        a64_logic_rr(c, A64_EOR, W32, X1, X1, REG_ARG);
        crosses = a64_tbnz(c, X1, PAGE_SHIFT, NULL);
    }
    a64_ret(c);
    a64_here(c, absent);
    a64_here(c, crosses);
    a64_movz(c, W32, X2, (u16)((BIT(w) & 15) | write << 4), 0);
    a64_b(c, ask);
}

/* X2: what goes to @half of the two pages; it moves on. X0, X1 and X16 are lost. */
static void copy_half(struct codebuf *c, unsigned half)
{
    i32 more = (i32)(half * sizeof(u64));

    a64_ldr(c, W64, X0, REG_CPU, CPU_OFF(jit_halves.host) + more);
    a64_ldr(c, W64, X1, REG_CPU, CPU_OFF(jit_halves.bytes) + more);
    u8 *again = c->at;
    a64_mem_post(c, A64_LDR, W8, X16, X2, 1);
    a64_mem_post(c, A64_STR, W8, X16, X0, 1);
    a64_arith_ri(c, A64_SUB, W64, X1, X1, 1);
    a64_cbnz(c, W64, X1, again);
}

/* What was written to jit.xfer goes to two pages. X16 is lost, NZCV are not. */
static void stub_written(struct codebuf *c)
{
    a64_stp_pre(c, W64, X0, X1, XSP, -32);
    a64_str(c, W64, X2, XSP, 16);
    a64_arith_ri(c, A64_ADD, W64, X2, REG_CPU, CPU_OFF(jit.xfer));
    for (unsigned half = 0; half < 2; half++)
        copy_half(c, half);
    a64_ldr(c, W64, X16, REG_CPU, CPU_OFF(jit_halves.whole));
    a64_str(c, W64, X16, REG_CPU, CPU_OFF(jit_halves.written));
    a64_ldr(c, W64, X2, XSP, 16);
    a64_ldp_post(c, W64, X0, X1, XSP, 32);
    a64_ret(c);
}

enum { CLOBBERED_FRAME = 16 * ARRAY_LEN(clobbered) };

/* Around a call of C in the middle of a block. */
static void push_clobbered(struct codebuf *c)
{
    a64_mrs(c, X17, A64_NZCV);
    a64_arith_ri(c, A64_SUB, W64, XSP, XSP, CLOBBERED_FRAME);
    for (unsigned i = 0; i < ARRAY_LEN(clobbered); i++)
        a64_stp(c, W64, clobbered[i][0], clobbered[i][1], XSP, (i32)i * 16);
}

static void pop_clobbered(struct codebuf *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(clobbered); i++)
        a64_ldp(c, W64, clobbered[i][0], clobbered[i][1], XSP, (i32)i * 16);
    a64_arith_ri(c, A64_ADD, W64, XSP, XSP, CLOBBERED_FRAME);
    a64_msr(c, A64_NZCV, X17);
}

/* X16 = the helper's answer for address W0, access W2. */
static void stub_ask(struct codebuf *c, const struct jit_helpers *h)
{
    push_clobbered(c);
    a64_str(c, W64, X30, REG_CPU, CPU_OFF(jit.return_pc));
    a64_fp_push(c);
    a64_mov_rr(c, W32, X1, REG_ARG);
    a64_mov_rr(c, W64, X0, REG_CPU);
    call_c(c, (const void *)(uintptr_t)h->access);
    a64_mov_rr(c, W64, REG_ADDEND, X0);
    a64_fp_pop(c);
    pop_clobbered(c);
    a64_return_check(c);
    a64_ret(c);
}

/* W0 = x87_plain(), with all but the CPU where C wants it. What the current operation does not need
 * is lost. */
static void stub_x87(struct codebuf *c)
{
    a64_stp_pre(c, W64, X5, X6, XSP, -48);
    a64_mrs(c, X17, A64_NZCV);
    a64_stp(c, W64, X7, X17, XSP, 16);
    a64_str(c, W64, X30, XSP, 32);
    a64_fp_save(c, true);
    a64_mov_rr(c, W64, X0, REG_CPU);
    call_c(c, (const void *)(uintptr_t)x87_plain);
    a64_ldp(c, W64, X7, X17, XSP, 16);
    a64_msr(c, A64_NZCV, X17);
    a64_ldr(c, W64, X30, XSP, 32);
    a64_ldp_post(c, W64, X5, X6, XSP, 48);
    load_tables(c);
    a64_ret(c);
}

/* SSE becomes live, or the block gives up. */
static void stub_live(struct codebuf *c, const struct jit_helpers *h, const u8 *bail)
{
    push_clobbered(c);
    a64_movz(c, W32, X1, FP_SSE, 0);
    a64_mov_rr(c, W64, X0, REG_CPU);
    call_c(c, (const void *)(uintptr_t)h->fp_enter);
    a64_mov_rr(c, W32, X16, X0);
    pop_clobbered(c);
    a64_cbz(c, W32, X16, bail);
    a64_fp_load(c);
    a64_ret(c);
}

/* W0 names the jit_exec. */
static void stub_exec(struct codebuf *c, const struct jit_helpers *h)
{
    save_guest(c);
    a64_mem_pre(c, A64_STR, W64, X30, XSP, -16);
    a64_mov_rr(c, W32, X1, REG_ARG);
    a64_mov_rr(c, W64, X0, REG_CPU);
    call_c(c, (const void *)(uintptr_t)h->exec);
    a64_mem_post(c, A64_LDR, W64, X30, XSP, 16);
    a64_mov_rr(c, W64, X1, X0);
    load_engine(c);
    load_guest(c);
    u8 *elsewhere = a64_cbnz(c, W64, X1, NULL);
    a64_return_check(c);
    a64_ret(c);
    a64_here(c, elsewhere);
    a64_return_unwind(c); /* the mode may be another */
    a64_br(c, X1);
}

/* W0 names the jit_exec. It goes on wherever C says. */
static void stub_finish(struct codebuf *c, const struct jit_helpers *h)
{
    save_guest(c);
    a64_mov_rr(c, W32, X1, REG_ARG);
    a64_mov_rr(c, W64, X0, REG_CPU);
    call_c(c, (const void *)(uintptr_t)h->finish);
    a64_mov_rr(c, W64, X1, X0);
    load_engine(c);
    load_guest(c);
    a64_return_unwind(c);
    a64_br(c, X1);
}

void a64_emit_stubs(struct codebuf *c, const struct jit_helpers *h, struct jit_stubs *out)
{
    out->enter = c->at;
    stub_enter(c);
    const u8 *go = c->at;
    save_guest(c);
    go_back(c);
    for (enum jit_leave why = 0; why < LEAVE__COUNT; why++) {
        out->leave[why] = c->at;
        stub_leave(c, why, go);
    }
    a64_return_stubs(c, out);
    out->bail = c->at;
    stub_bail(c, go);
    const u8 *ask = c->at;
    stub_ask(c, h);
    for (unsigned w = 0; w <= A64_Q; w++) {
        for (unsigned write = 0; write <= (w > W8 ? 2u : 1u); write++) {
            out->access[write][w] = c->at;
            stub_access(c, w, write, ask);
        }
    }
    out->written[0] = c->at;
    a64_ret(c);
    out->written[1] = c->at;
    stub_written(c);
    out->fp[0][FP_SSE - 1] = c->at;
    stub_live(c, h, out->bail);
    for (unsigned zeros = 0; zeros < 2; zeros++) {
        out->fp_unusual[zeros] = c->at;
        a64_fp_unusual(c, zeros);
    }
    out->fp[0][FP_X87 - 1] = c->at;
    a64_fp_use_x87(c, out->bail);
    out->exec = c->at;
    stub_exec(c, h);
    out->x87 = c->at;
    stub_x87(c);
    static_assert((int)X87__OPS == (int)JIT_X87_OPS, "all of them");
    for (enum x87_op op = 0; op < X87__OPS; op++) {
        out->x87_op[op] = c->at;
        a64_x87_subroutine(c, op);
    }
    out->finish = c->at;
    stub_finish(c, h);
}

const struct backend a64_backend = {
    .name = "a64",
    .cs_arch = CS_ARCH_ARM64,
    .cs_mode = CS_MODE_LITTLE_ENDIAN,
    .reach = (128u << 20) - 4,
    .refuses = true,
    .stubs = a64_emit_stubs,
    .emit = a64_emit_block,
    .link = a64_link,
};

/* SPDX-License-Identifier: MIT */
/* Heads, exits, calls of executors, and the code behind a block that runs rarely. */
#include <assert.h>

#include "jit/a64/a64_emit.h"
#include "jit/jumps.h"

static void count_run(struct a64_emit *e)
{
    struct codebuf *c = e->c;
    u8 *start = c->at;

    a64_mov_ri64(c, X16, (u64)(uintptr_t)e->u->runs);
    a64_ldr(c, W64, X17, X16, 0);
    a64_arith_ri(c, A64_ADD, W64, X17, X17, 1);
    a64_str(c, W64, X17, X16, 0);
    e->u->count_size = (u32)(c->at - start);
}

/* X16: what the MMU's table of executed pages has for @eip. */
static void load_page(struct a64_emit *e, u32 eip)
{
    u32 vpn = (e->u->cs_base + eip) >> PAGE_SHIFT;

    a64_mov_ri64(e->c, X16, (u64)vpn * 4);
    a64_mem_rr(e->c, A64_LDR, W32, X16, REG_EXEC, X16, A64_UXTX, false);
}

/* The instruction goes on in the next page: if that is another now, it is another instruction. */
static void check_tail(struct a64_emit *e)
{
    load_page(e, e->ir->at[1]);
    a64_mov_ri64(e->c, X17, e->u->tail);
    a64_arith_rr(e->c, A64_SUB, W32, X16, X16, X17);
    a64_cold(e, COLD_MOVED, a64_cbnz(e->c, W32, X16, NULL));
}

/* Is it still what it was made from? Whoever finds that it is not goes to the first of the branches
 * with what differs in X17. */
static void check_bytes(struct a64_emit *e)
{
    struct codebuf *c = e->c;
    const struct jit_check *k = &e->u->check;
    u8 *changed = NULL;

    a64_mov_ri64(c, X16, (u64)(uintptr_t)k->at);
    for (unsigned i = 0; i < k->pieces; i++) {
        const struct jit_check_piece *p = &k->piece[i];
        a64_ldr(c, (enum width)p->w, X17, X16, p->off);
        a64_mov_ri64(c, X0, p->want);
        a64_logic_rr(c, A64_EOR, W32, X17, X17, X0);
        u8 *place = a64_cbnz(c, W32, X17, changed);
        if (!changed) {
            changed = place;
            a64_cold(e, COLD_CHANGED, place);
        }
    }
}

/* The whole block is paid for before it begins. */
void a64_emit_head(struct a64_emit *e)
{
    e->u->count_size = 0;
    if (e->u->tail)
        check_tail(e);
    if (e->u->check.at)
        check_bytes(e);
    if (e->u->runs)
        count_run(e);
    a64_arith_ri(e->c, A64_SUB, W32, REG_BUDGET, REG_BUDGET, e->ir->guests);
    a64_cold(e, COLD_BUDGET, a64_tbnz(e->c, REG_BUDGET, 31, NULL));
    e->fl = a64_flags_initial();
    a64_x87_begin(e);
    a64_fp_gate(e, 0);
    a64_window_look_up(e);
}

/* --- exits --- */

static bool same_page(const struct a64_emit *e, u32 eip)
{
    u32 here = e->u->cs_base + (u32)e->ir->eip, there = e->u->cs_base + eip;

    return here >> PAGE_SHIFT == there >> PAGE_SHIFT;
}

/* Before the branch that goes to @eip, once it is linked. Another page is entered only while it is
 * where it was when the edge was linked: the number that is expected there is a word behind the
 * block. */
static struct cold *edge_begin(struct a64_emit *e, u32 eip)
{
    struct codebuf *c = e->c;
    struct jit_edge *d = &e->u->edge[e->u->edges];
    struct cold *k = a64_cold(e, COLD_EDGE, NULL);

    k->how = (u8)e->u->edges;
    *d = (struct jit_edge){.eip = eip};
    if (!same_page(e, eip)) {
        k->guard = a64_ldr_near(c, W32, X17, NULL);
        load_page(e, eip);
        a64_arith_rr(c, A64_SUB, W32, X16, X16, X17);
        k->from[1] = a64_cbnz(c, W32, X16, NULL);
    }
    return k;
}

static void edge_end(struct a64_emit *e, struct cold *k, u8 *place)
{
    e->u->edge[e->u->edges++].place = k->from[0] = place;
}

static void edge(struct a64_emit *e, u32 eip)
{
    struct cold *k = edge_begin(e, eip);

    edge_end(e, k, a64_b(e->c, NULL));
}

/* --- calls and returns --- */

/* A call of the guest's is one of the host's, and so is a return: the host foretells where it goes.
 * An entry is where the host's return goes, and the EIP that the guest has to return to for that.
 * The stack is empty again where code is left, which it is after JIT_CHUNK instructions at the
 * latest, where a return went elsewhere, and where a page was lost that had been executed. */
enum { RETURN_ENTRY = JIT_RETURN_ENTRY };

/* The guest has just pushed it, and nothing but a step of ESP came since: X0 still has it. */
static bool return_is_in_arg(const struct a64_emit *e)
{
    const struct ir_insn *st = e->i >= 2 ? &e->ir->insn[e->i - 2] : NULL;

    return st && st->op == IR_ST && st->b == IR_CONST && st->w == W32 &&
           (u32)st->imm == (u32)e->ir->fall && st[1].op == IR_ADDR && st[1].w == W32 &&
           e->stored_at && e->c->at - e->stored_at <= 4;
}

/* Before a call: X0 = where the guest returns to. */
static void return_to_arg(struct a64_emit *e)
{
    if (!return_is_in_arg(e))
        a64_mov_ri64(e->c, REG_ARG, (u32)e->ir->fall);
}

/* What comes behind the call has to be told with come_back(). */
static u8 *push_return(struct a64_emit *e)
{
    u8 *spot = a64_adr(e->c, X17, NULL);

    a64_stp_pre(e->c, W64, X17, REG_ARG, XSP, -RETURN_ENTRY);
    return spot;
}

/* Behind the call. A page that the guest called from is still there, or the stack is empty. */
static void come_back(struct a64_emit *e, u8 *spot)
{
    a64_here(e->c, spot);
    edge(e, (u32)e->ir->fall);
}

static void go_back_to(struct a64_emit *e, u8 eip)
{
    struct codebuf *c = e->c;

    a64_ldp_post(c, W64, X30, X17, XSP, RETURN_ENTRY);
    a64_arith_rr(c, A64_SUB, W64, X17, X17, eip);
    a64_cold(e, COLD_ASTRAY, a64_cbnz(c, W64, X17, NULL))->reg = eip;
    a64_ret(c);
}

void a64_emit_JMP(struct a64_emit *e, const struct ir_insn *in)
{
    a64_flags_settle(e->c, &e->fl);
    edge(e, (u32)in->imm);
}

void a64_emit_JAL(struct a64_emit *e, const struct ir_insn *in)
{
    return_to_arg(e);
    a64_flags_settle(e->c, &e->fl);
    struct cold *k = edge_begin(e, (u32)in->imm);
    u8 *spot = push_return(e);
    edge_end(e, k, a64_bl(e->c, NULL));
    come_back(e, spot);
}

static u8 *branch_if(struct codebuf *c, struct a64_cond k, bool holds)
{
    if (!k.in_reg)
        return a64_bcond(c, holds ? k.cc : a64_inverse(k.cc), NULL);
    return k.value == holds ? a64_cbnz(c, W32, k.reg, NULL) : a64_cbz(c, W32, k.reg, NULL);
}

/* Taken and same page: the branch itself is linked, as far as it reaches. */
static void branch(struct a64_emit *e, struct a64_cond k, u32 taken)
{
    if (same_page(e, taken)) {
        struct jit_edge *d = &e->u->edge[e->u->edges];
        *d = (struct jit_edge){.eip = taken};
        d->place = branch_if(e->c, k, true);
        struct cold *cold = a64_cold(e, COLD_EDGE, d->place);
        cold->how = (u8)e->u->edges++;
        edge(e, (u32)e->ir->fall);
        return;
    }
    u8 *not_taken = branch_if(e->c, k, false);
    edge(e, taken);
    a64_here(e->c, not_taken);
    edge(e, (u32)e->ir->fall);
}

void a64_emit_BR(struct a64_emit *e, const struct ir_insn *in)
{
    struct a64_cond k = a64_flags_cond(e, in->cc); /* while CF is in the host's C */

    a64_flags_settle(e->c, &e->fl);
    branch(e, k, (u32)in->imm);
}

void a64_emit_BRZ(struct a64_emit *e, const struct ir_insn *in)
{
    struct a64_cond k = {.in_reg = true, .value = !in->cc};

    a64_flags_settle(e->c, &e->fl);
    k.reg = a64_read_zext(e, in->w, in->a, 0, X16);
    branch(e, k, (u32)in->imm);
}

/* W16: a linear address; X17 gets the entry of its page in the MMU's table of executed pages. */
static void page_at(struct codebuf *c, u8 lin)
{
    a64_shift_ri(c, A64_LSR, W32, X16, lin, PAGE_SHIFT);
    a64_mem_rr(c, A64_LDR, W32, X17, REG_EXEC, X16, A64_UXTX, true);
}

/* X17: the upper half of the key of @eip. X16: where its entry in the table of jumps may be; the
 * difference of the two keys, and its code. X1 is lost. */
static void look_up_jump(struct codebuf *c, u8 eip)
{
    a64_arith_rs(c, A64_ADD, W64, X17, eip, X17, A64_LSL, 32);
    a64_logic_rs(c, A64_EOR, W32, X16, eip, eip, A64_LSR, PAGE_SHIFT);
    a64_arith_rx(c, A64_ADD, W64, X16, REG_JUMPS, X16, A64_UXTH, 4);
    a64_ldp(c, W64, X1, X16, X16, 0);
    a64_arith_rr(c, A64_SUB, W64, X17, X17, X1);
}
static_assert(sizeof(struct jit_jump) == 16 && JIT_JUMPS == BIT(16), "16 bits, and the shift");
static_assert(offsetof(struct jit_jump, host) == 8, "the pair above");

/* X16: what the table of jumps has for @eip, if X17 is 0. */
static void find_jump(struct a64_emit *e, u8 eip)
{
    struct codebuf *c = e->c;
    u32 base = e->u->cs_base, mode = jit_jump_mode(e->u->mode);
    u8 lin = eip;

    if (base) {
        a64_mov_ri64(c, X16, base);
        a64_arith_rr(c, A64_ADD, W32, X16, X16, eip);
        lin = X16;
    }
    page_at(c, lin);
    if (mode) {
        a64_movz(c, W32, X1, (u16)(mode >> 16), 16);
        a64_logic_rr(c, A64_EOR, W32, X17, X17, X1);
    }
    look_up_jump(c, eip);
}

/* The table of jumps knows where the target is, if it was there before. */
void a64_emit_JMPR(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 a = a64_reg(e, in->a);
    bool call = in->cc == IR_HINT_CALL;

    if (call)
        return_to_arg(e);
    a64_flags_settle(c, &e->fl);
    if (in->cc == IR_HINT_RET) {
        go_back_to(e, a);
        return;
    }
    find_jump(e, a);
    a64_cold(e, COLD_INDIRECT, a64_cbnz(c, W64, X17, NULL))->reg = a;
    if (!call) {
        a64_br(c, X16);
        return;
    }
    u8 *spot = push_return(e);
    a64_blr(c, X16);
    come_back(e, spot);
}

/* In X0: where to. The table of jumps may know it. */
static void stub_astray(struct codebuf *c, const struct jit_stubs *s)
{
    a64_return_unwind(c);
    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(seg[SEG_CS].base));
    a64_arith_rr(c, A64_ADD, W32, X16, X16, REG_ARG);
    page_at(c, X16);
    a64_ldr(c, W32, X1, REG_CPU, CPU_OFF(jit.jump_mode));
    a64_logic_rr(c, A64_EOR, W32, X17, X17, X1);
    look_up_jump(c, REG_ARG);
    a64_cbnz(c, W64, X17, s->leave[LEAVE_INDIRECT]);
    a64_br(c, X16);
}

void a64_return_stubs(struct codebuf *c, struct jit_stubs *s)
{
    s->astray = c->at;
    stub_astray(c, s);
}

/* No EIP has 64 bits: whoever returns from there goes astray. */
void a64_return_base(struct codebuf *c)
{
    a64_mvn_rr(c, W64, X16, XZR);
    a64_stp_pre(c, W64, XZR, X16, XSP, -RETURN_ENTRY);
    a64_mov_sp(c, X16, XSP);
    a64_str(c, W64, X16, REG_CPU, CPU_OFF(jit.base_sp));
}

void a64_return_unwind(struct codebuf *c)
{
    a64_ldr(c, W64, X17, REG_CPU, CPU_OFF(jit.base_sp));
    a64_mov_sp(c, XSP, X17);
}

void a64_return_check(struct codebuf *c)
{
    a64_ldr(c, W8, X17, REG_CPU, CPU_OFF(jit.stale));
    u8 *fresh = a64_cbz(c, W32, X17, NULL);
    a64_str(c, W8, XZR, REG_CPU, CPU_OFF(jit.stale));
    a64_return_unwind(c);
    a64_here(c, fresh);
}

void a64_emit_LEAVE(struct a64_emit *e, const struct ir_insn *in)
{
    (void)e, (void)in; /* the EXEC before it has jumped */
}

void a64_emit_EXEC(struct a64_emit *e, const struct ir_insn *in)
{
    struct jit_unit *u = e->u;
    const struct ir_insn *n = a64_next(e, 1);
    struct jit_exec *x = &u->exec[u->execs];

    a64_flags_settle(e->c, &e->fl);
    *x = (struct jit_exec){
        .insn = &e->ir->guest[in->g],
        .eip = e->ir->at[in->g],
        .next = e->ir->at[in->g + 1],
        .g = in->g,
        .remaining = (u8)(e->ir->guests - in->g),
        .flags_in = in->use || in->def,
        .flags_out = in->def,
    };
    a64_mov_ri64(e->c, REG_ARG, u->exec_id[u->execs++]);
    if (n && n->op == IR_LEAVE)
        a64_b(e->c, u->stubs->finish);
    else
        a64_bl(e->c, u->stubs->exec);
    a64_x87_executed(e, x->insn);
    a64_fp_gate(e, e->i + 1);
}

/* --- behind the block --- */

static void add_site(struct a64_emit *e, u8 g, struct jit_fp_site fp)
{
    struct jit_unit *u = e->u;

    if (u->sites == ARRAY_LEN(u->site)) {
        e->c->full = true;
        return;
    }
    u->site[u->sites++] = (struct jit_site){codebuf_off(e->c), g, {.kind = RECIPE_STORED}, fp};
}

void a64_give_up(struct a64_emit *e, struct flag_state *fl, u8 g)
{
    a64_flags_settle(e->c, fl);
    a64_bl(e->c, e->u->stubs->bail);
    add_site(e, g, (struct jit_fp_site){0});
}

static void give_up(struct a64_emit *e, struct cold *k)
{
    if (k->group.open)
        a64_fp_put_back(e, k);
    a64_x87_store(e, &k->x87);
    a64_give_up(e, &k->fl, k->g);
}

/* The return address names the site, too: the stub may give up. */
static void cold_live(struct a64_emit *e, const struct cold *k)
{
    const struct jit_stubs *s = e->u->stubs;

    a64_bl(e->c, s->fp[0][(k->how == WANT_X87 ? FP_X87 : FP_SSE) - 1]);
    add_site(e, k->g, (struct jit_fp_site){.gate = true});
    a64_b(e->c, k->back);
}

static void cold_access(struct a64_emit *e, struct cold *k)
{
    struct codebuf *c = e->c;

    a64_mov_rr(c, W32, REG_ARG, k->reg);
    if (k->addend != REG_ADDEND)
        a64_mov_rr(c, W64, REG_ADDEND, k->addend);
    a64_bl(c, e->u->stubs->access[k->how >> 4][k->how & 15]);
    if (k->addend != REG_ADDEND)
        a64_mov_rr(c, W64, k->addend, REG_ADDEND);
    if (k->check)
        a64_window_check(e, k);
    else
        a64_cbnz(c, W64, REG_ADDEND, k->back);
    give_up(e, k);
}

/* Before the stub stands the word that the guard loads, or, for a conditional branch, one to
 * whatever that does not reach; before that, room for what reaches everything. */
enum { FURTHER = 4, VENEER = 12 };

static void leave_room(struct codebuf *c)
{
    for (unsigned i = 0; i < VENEER / 4; i++)
        a64_nop(c);
}

static void cold_edge(struct a64_emit *e, const struct cold *k)
{
    struct codebuf *c = e->c;
    struct jit_edge *d = &e->u->edge[k->how];

    if (e->u->far)
        leave_room(c);
    if (k->guard) {
        d->guard = c->at;
        a64_here(c, k->guard);
        put32(c, INT32_MAX);
    } else {
        a64_b(c, NULL);
    }
    d->stub = c->at;
    a64_here(c, k->from[0]);
    a64_here(c, k->from[1]);
    a64_mov_ri64(c, REG_ARG, e->u->edge_id[k->how]);
    a64_b(c, e->u->stubs->leave[LEAVE_EDGE]);
}

/* The edge to the next version of the block: the last that is made. */
static void changed_edge(struct a64_emit *e, struct cold *k)
{
    k->how = (u8)e->u->edges++;
    e->u->edge[k->how] = (struct jit_edge){.place = k->from[0], .eip = (u32)e->ir->eip};
    cold_edge(e, k);
}

static void emit_one_cold(struct a64_emit *e, struct cold *k)
{
    struct codebuf *c = e->c;
    const struct jit_stubs *s = e->u->stubs;

    for (unsigned i = 0; i < ARRAY_LEN(k->from); i++)
        a64_here(c, k->from[i]);
    switch (k->kind) {
    case COLD_ACCESS:
        cold_access(e, k);
        break;
    case COLD_BAIL:
        give_up(e, k);
        break;
    case COLD_BUDGET:
        a64_mov_ri64(c, REG_ARG, e->u->id);
        a64_b(c, s->leave[LEAVE_BUDGET]);
        break;
    case COLD_EDGE:
        cold_edge(e, k);
        break;
    case COLD_CHANGED:
        changed_edge(e, k);
        break;
    case COLD_LIVE:
        cold_live(e, k);
        break;
    case COLD_MISSED:
        a64_bl(c, s->bail);
        add_site(e, k->g, (struct jit_fp_site){.gate = true, .missed = true});
        break;
    case COLD_X87:
        a64_x87_cold(e, k);
        break;
    case COLD_RAISED:
        a64_fp_put_back(e, k);
        break;
    case COLD_MOVED:
        a64_mov_ri64(c, REG_ARG, (u32)e->ir->eip);
        a64_b(c, s->leave[LEAVE_INDIRECT]);
        break;
    default:
        if (k->reg != REG_ARG)
            a64_mov_rr(c, W32, REG_ARG, k->reg);
        a64_b(c, k->kind == COLD_ASTRAY ? s->astray : s->leave[LEAVE_INDIRECT]);
        break;
    }
}

void a64_emit_cold(struct a64_emit *e)
{
    for (unsigned i = 0; i < e->colds; i++)
        emit_one_cold(e, &e->cold[i]);
}

/* Make the veneer that goes to @target. It may lose X16, which no block begins with. Code that is
 * written and code that runs differ in whole pages, so that either's distance will do. */
static u8 *veneer(u8 *at, const u8 *target)
{
    struct codebuf c;

    codebuf_init(&c, at, VENEER, 0);
    a64_adrp(&c, X16, (u64)(uintptr_t)target);
    a64_arith_ri(&c, A64_ADD, W64, X16, X16, (uintptr_t)target % 4096);
    a64_br(&c, X16);
    assert(!c.full && c.at == c.end);
    return at;
}

void a64_link(const struct jit_edge *e, const u8 *target, u32 page)
{
    u8 *further = e->stub - FURTHER;

    if (e->guard)
        for (unsigned i = 0; i < 4; i++)
            e->guard[i] = (u8)(page >> (8 * i));
    if (a64_patch(e->place, target))
        return;
    if (e->guard || !a64_patch(further, target))
        further = veneer(further - VENEER, target); /* jit_unit.far: else it is not needed */
    bool reached = a64_patch(e->place, further);
    assert(reached);
    (void)reached;
}

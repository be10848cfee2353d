/* SPDX-License-Identifier: MIT */
/* Heads, exits, calls of executors, and the code behind a block that runs rarely. */
#include <assert.h>

#include "jit/jumps.h"
#include "jit/x64/x64_emit.h"

static struct cold *cold_for(struct x64_emit *e, enum cold_kind kind, u8 *from)
{
    struct cold *k = &e->cold[e->colds];

    if (e->colds + 1 < ARRAY_LEN(e->cold))
        e->colds++;
    else
        e->c->full = true;
    *k = (struct cold){.kind = (u8)kind, .from = {from}};
    return k;
}

/* EFLAGS mean nothing at the head. */
static void count_run(struct x64_emit *e)
{
    u8 *start = e->c->at;

    x64_mov_ri(e->c, REG_ADDR, (u64)(uintptr_t)e->u->runs);
    x64_alu_mi(e->c, X64_ADD, W64, x64_at(REG_ADDR, 0), 1);
    e->u->count_size = (u32)(e->c->at - start);
}

/* Where the mapping of @eip's page says which physical page it is. */
static struct x64_mem page_of(const struct x64_emit *e, u32 eip)
{
    u32 vpn = (e->u->cs_base + eip) >> PAGE_SHIFT;

    return x64_at(REG_TABLES, (i32)(MMU_EXEC_OFFSET + (u64)vpn * 4));
}

/* The instruction goes on in the next page: if that is another now, it is another instruction. */
static void check_tail(struct x64_emit *e)
{
    x64_alu_mi(e->c, X64_CMP, W32, page_of(e, e->ir->at[1]), (i32)e->u->tail);
    cold_for(e, COLD_MOVED, x64_jcc(e->c, X64_NE, NULL));
}

/* Is it still what it was made from? Whoever finds that it is not goes to the first of the branches
 * with EFLAGS as they are. */
static void check_bytes(struct x64_emit *e)
{
    const struct jit_check *k = &e->u->check;
    const u8 *missed = NULL;

    x64_mov_ri(e->c, REG_ADDR, (u64)(uintptr_t)k->at);
    for (unsigned i = 0; i < k->pieces; i++) {
        const struct jit_check_piece *p = &k->piece[i];
        x64_alu_mi(e->c, X64_CMP, (enum width)p->w, x64_at(REG_ADDR, p->off),
                   (i32)sign_extend(p->want, (enum width)p->w));
        u8 *here = e->c->at, *place = x64_jcc(e->c, X64_NE, missed);
        if (!missed) {
            missed = here;
            cold_for(e, COLD_CHANGED, place);
        }
    }
}

/* The whole block is paid for before it begins. */
static struct cold *pay(struct x64_emit *e)
{
    x64_alu_ri(e->c, X64_SUB, W32, REG_BUDGET, e->ir->guests);
    return cold_for(e, COLD_BUDGET, x64_jcc(e->c, X64_S, NULL));
}

void x64_emit_head(struct x64_emit *e)
{
    e->u->count_size = 0;
    if (e->u->tail)
        check_tail(e);
    if (e->u->check.at)
        check_bytes(e);
    if (e->u->runs)
        count_run(e);
    pay(e);
    e->fl.stored = IRF_ALL;
}

void x64_emit_loop(struct x64_emit *e)
{
    const struct recipe *r = &e->loop_flags;
    bool step = r->kind == RECIPE_INC || r->kind == RECIPE_DEC;

    e->loop = e->c->at;
    x64_patch32(e->loop_from, e->loop);
    if (e->u->runs)
        count_run(e);
    pay(e)->how = true;
    e->fl = (struct flag_state){
        .recipe = true, .how_to = *r, .carry = step && r->b == RECIPE_IMM};
}

/* --- exits --- */

static bool same_page(const struct x64_emit *e, u32 eip)
{
    u32 here = e->u->cs_base + (u32)e->ir->eip, there = e->u->cs_base + eip;

    return here >> PAGE_SHIFT == there >> PAGE_SHIFT;
}

/* The branch at @place, once it is linked, is one to @eip. If @guarded, or on another page, that is
 * entered only while it is where it was when the edge was linked: the test comes first. */
static struct cold *edge_begin(struct x64_emit *e, u32 eip, bool guarded)
{
    struct jit_edge *d = &e->u->edge[e->u->edges];
    struct cold *k = cold_for(e, COLD_EDGE, NULL);

    k->how = (u8)e->u->edges;
    *d = (struct jit_edge){.eip = eip};
    if (guarded || !same_page(e, eip)) {
        x64_alu_mi(e->c, X64_CMP, W32, page_of(e, eip), INT32_MAX);
        d->guard = e->c->at - 4;
        k->from[1] = x64_jcc(e->c, X64_NE, NULL);
    }
    return k;
}

static void edge_end(struct x64_emit *e, struct cold *k, u8 *place)
{
    e->u->edge[e->u->edges++].place = k->from[0] = place;
}

static void edge(struct x64_emit *e, u32 eip)
{
    struct cold *k = edge_begin(e, eip, false);

    edge_end(e, k, x64_jmp(e->c, NULL));
}

/* The flags on the next edge, the block's whose spoils are u->spoils[@n]. */
static u16 settle_flags(struct x64_emit *e, unsigned n)
{
    u16 lazy = x64_flags_lazy(e, e->u->spoils[n]);

    if (lazy)
        x64_flags_leave(e, lazy);
    else
        x64_flags_store(e, IRF_ALL);
    return lazy;
}

/* Say so of edge @n, which has been made. */
static void edge_lazy(struct x64_emit *e, unsigned n, u16 lazy)
{
    e->u->edge[n].lazy = lazy;
}

/* --- calls and returns --- */

/* A call of the guest's is one of the host's, and so is a return: the host foretells where it goes.
 * An entry is 16 bytes, which keeps RSP aligned. The stack is empty again where code is left, which
 * it is after JIT_CHUNK instructions at the latest, and where a return went elsewhere. */
enum { RETURN_ENTRY = JIT_RETURN_ENTRY };

static void push_return(struct x64_emit *e)
{
    x64_push_r(e->c, RAX); /* whatever it is */
}

/* Behind the call: R9 is where the guest returns to. */
static void come_back(struct x64_emit *e)
{
    u32 eip = (u32)e->ir->fall;

    x64_lea(e->c, W64, RSP, x64_at(RSP, RETURN_ENTRY - 8));
    x64_alu_ri(e->c, X64_CMP, W32, REG_ADDR, (i32)eip);
    x64_jcc(e->c, X64_NE, e->u->stubs->astray);
    struct cold *k = edge_begin(e, eip, true);
    edge_end(e, k, x64_jmp(e->c, NULL));
}

void x64_emit_JMP(struct x64_emit *e, const struct ir_insn *in)
{
    u16 lazy = settle_flags(e, 0);

    edge(e, (u32)in->imm);
    edge_lazy(e, 0, lazy);
}

void x64_emit_JAL(struct x64_emit *e, const struct ir_insn *in)
{
    u16 lazy = settle_flags(e, 0);
    struct cold *k = edge_begin(e, (u32)in->imm, false);

    push_return(e);
    edge_end(e, k, x64_call(e->c, NULL));
    edge_lazy(e, 0, lazy);
    come_back(e);
}

/* Taken and same page: the branch itself is linked. */
static void branch(struct x64_emit *e, enum x64_cc cc, u32 taken)
{
    if (same_page(e, taken)) {
        struct jit_edge *d = &e->u->edge[e->u->edges];
        *d = (struct jit_edge){.eip = taken};
        d->place = x64_jcc(e->c, cc, NULL);
        struct cold *k = cold_for(e, COLD_EDGE, d->place);
        k->how = (u8)e->u->edges++;
        edge(e, (u32)e->ir->fall);
        return;
    }
    u8 *not_taken = x64_jcc(e->c, (enum x64_cc)(cc ^ 1), NULL);
    edge(e, taken);
    x64_patch32(not_taken, e->c->at);
    edge(e, (u32)e->ir->fall);
}

/* Flags need not be stored if the branch is taken. */
static void branch_lazily(struct x64_emit *e, const struct ir_insn *in, u16 taken)
{
    u16 fall = x64_flags_lazy(e, e->u->spoils[1]);

    x64_flags_leave(e, taken);
    struct cold *k = edge_begin(e, (u32)in->imm, false);
    edge_end(e, k, x64_jcc(e->c, (enum x64_cc)in->cc, NULL));
    if (!fall)
        x64_flags_store(e, IRF_ALL);
    edge(e, (u32)e->ir->fall);
    edge_lazy(e, 0, taken);
    edge_lazy(e, 1, fall);
}

/* --- loops of one block --- */

/* The block is put twice: what its first round leaves in memory for lazy flags, the others find
 * there. Larger ones would gain little. */
enum { LOOP_GUESTS = 8 };

static bool fit_for_loop(const struct x64_emit *e)
{
    for (unsigned i = 0; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (ir_op_info[in->op].kind == IR_CALL || ir_is_fp(in->op))
            return false;
    }
    return e->ir->guests <= LOOP_GUESTS && !e->u->tail;
}

/* The mark for the flags that go from the block's end to its head, or 0: it is not put twice. CF
 * that a step keeps is not in EFLAGS in the second round: the branch must not look at it. */
static u16 loop_mark(struct x64_emit *e, const struct ir_insn *in)
{
    const struct recipe *r = &e->fl.how_to;
    bool step = (r->kind == RECIPE_INC || r->kind == RECIPE_DEC) && r->b == RECIPE_IMM;

    if ((u32)in->imm != (u32)e->ir->eip || !fit_for_loop(e) ||
        (step && ir_cond_flags(in->cc) & IRF_C))
        return 0;
    return x64_flags_lazy(e, step ? lazy_spoils_but_carry(e->ir) : lazy_spoils(e->ir));
}

static void loop(struct x64_emit *e, const struct ir_insn *in, u16 mark)
{
    u16 fall = x64_flags_lazy(e, e->u->spoils[1]);
    unsigned n = e->u->edges;
    u8 *again = NULL;

    x64_flags_leave_carry(e);
    again = x64_jcc(e->c, (enum x64_cc)in->cc, e->loop);
    if (!e->loop)
        e->loop_from = again;
    assert(!e->loop || mark == e->loop_mark);
    e->loop_flags = e->fl.how_to;
    e->loop_mark = mark;
    if (fall)
        x64_mov_mi(e->c, W16, CPU_AT(jit.flags), (i16)fall);
    else
        x64_flags_store(e, IRF_ALL);
    edge(e, (u32)e->ir->fall);
    edge_lazy(e, n, fall);
}

void x64_emit_BR(struct x64_emit *e, const struct ir_insn *in)
{
    bool here = !(ir_cond_flags(in->cc) & ~e->fl.host);
    u16 mark = here ? loop_mark(e, in) : 0;
    u16 taken = here ? x64_flags_lazy(e, e->u->spoils[0]) : 0;

    assert(mark || !e->loop);
    if (mark) {
        loop(e, in, mark);
        return;
    }
    if (taken) {
        branch_lazily(e, in, taken);
        return;
    }
    x64_flags_store(e, IRF_ALL); /* mostly leaves them in EFLAGS, too */
    branch(e, x64_flags_cond(e, in->cc), (u32)in->imm);
}

void x64_emit_BRZ(struct x64_emit *e, const struct ir_insn *in)
{
    u8 a = x64_reg(e, in->a);

    x64_flags_store(e, IRF_ALL);
    x64_test_rr(e->c, in->w, a, a);
    branch(e, in->cc ? X64_E : X64_NE, (u32)in->imm);
}

/* R9: an EIP; R10: the same, folded; R11: the upper half of its key. Then R10 is where its entry in
 * the table of jumps is, and EFLAGS say whether that is its entry. */
static void look_up_jump(struct codebuf *c)
{
    x64_alu_ri(c, X64_AND, W32, REG_ADDEND, JIT_JUMPS - 1);
    x64_shift_ri(c, X64_SHL, W32, REG_ADDEND, 4);
    x64_alu_rm(c, X64_ADD, W64, REG_ADDEND, CPU_AT(jit.jumps));
    x64_shift_ri(c, X64_SHL, W64, R11, 32);
    x64_alu_rr(c, X64_OR, W64, R11, REG_ADDR);
    x64_alu_rm(c, X64_CMP, W64, R11, x64_at(REG_ADDEND, offsetof(struct jit_jump, key)));
}
static_assert(sizeof(struct jit_jump) == 16, "the shift above");

static void find_jump(struct x64_emit *e)
{
    struct codebuf *c = e->c;
    u32 base = e->u->cs_base, mode = jit_jump_mode(e->u->mode);

    if (base)
        x64_lea(c, W32, REG_ADDEND, x64_at(REG_ADDR, (i32)base));
    else
        x64_mov_rr(c, W32, REG_ADDEND, REG_ADDR);
    x64_shift_ri(c, X64_SHR, W32, REG_ADDEND, PAGE_SHIFT);
    x64_mov_rm(c, W32, R11, x64_idx(REG_TABLES, REG_ADDEND, 2, (i32)MMU_EXEC_OFFSET));
    if (base) {
        x64_mov_rr(c, W32, REG_ADDEND, REG_ADDR);
        x64_shift_ri(c, X64_SHR, W32, REG_ADDEND, PAGE_SHIFT);
    }
    x64_alu_rr(c, X64_XOR, W32, REG_ADDEND, REG_ADDR);
    if (mode)
        x64_alu_ri(c, X64_XOR, W32, R11, (i32)mode);
    look_up_jump(c);
}

/* The table of jumps knows where the target is, if it was there before. */
void x64_emit_JMPR(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    x64_flags_store(e, IRF_ALL);
    if (x64_in_memory(e, in->a))
        x64_mov_rm(c, W32, REG_ADDR, x64_operand(e));
    else if (x64_reg(e, in->a) != REG_ADDR)
        x64_mov_rr(c, W32, REG_ADDR, x64_reg(e, in->a));
    if (in->cc == IR_HINT_RET) {
        x64_ret(c);
        return;
    }
    find_jump(e);
    cold_for(e, COLD_INDIRECT, x64_jcc(c, X64_NE, NULL));
    if (in->cc != IR_HINT_CALL) {
        x64_jmp_m(c, x64_at(REG_ADDEND, offsetof(struct jit_jump, host)));
        return;
    }
    push_return(e);
    x64_call_m(c, x64_at(REG_ADDEND, offsetof(struct jit_jump, host)));
    come_back(e);
}

/* In R9: where to. The table of jumps may know it. */
static void stub_astray(struct codebuf *c, const struct jit_stubs *s)
{
    x64_mov_rm(c, W64, RSP, CPU_AT(jit.base_sp));
    x64_mov_rm(c, W32, REG_ADDEND, CPU_AT(seg[SEG_CS].base));
    x64_alu_rr(c, X64_ADD, W32, REG_ADDEND, REG_ADDR);
    x64_shift_ri(c, X64_SHR, W32, REG_ADDEND, PAGE_SHIFT);
    x64_mov_rm(c, W32, R11, x64_idx(REG_TABLES, REG_ADDEND, 2, (i32)MMU_EXEC_OFFSET));
    x64_alu_rm(c, X64_XOR, W32, R11, CPU_AT(jit.jump_mode));
    x64_mov_rr(c, W32, REG_ADDEND, REG_ADDR);
    x64_shift_ri(c, X64_SHR, W32, REG_ADDEND, PAGE_SHIFT);
    x64_alu_rr(c, X64_XOR, W32, REG_ADDEND, REG_ADDR);
    look_up_jump(c);
    x64_jcc(c, X64_NE, s->leave[LEAVE_INDIRECT]);
    x64_jmp_m(c, x64_at(REG_ADDEND, offsetof(struct jit_jump, host)));
}

void x64_return_stubs(struct codebuf *c, struct jit_stubs *s)
{
    s->astray = c->at;
    stub_astray(c, s);
}

/* An empty stack: whoever returns from it goes astray. RAX is lost. */
void x64_return_base(struct codebuf *c, const struct jit_stubs *s)
{
    x64_push_r(c, RAX);
    x64_mov_ri(c, RAX, (u64)(uintptr_t)(s->astray + c->exec_off));
    x64_push_r(c, RAX);
    x64_mov_mr(c, W64, CPU_AT(jit.base_sp), RSP);
}

void x64_emit_LEAVE(struct x64_emit *e, const struct ir_insn *in)
{
    (void)e, (void)in; /* the EXEC before it has jumped */
}

void x64_emit_EXEC(struct x64_emit *e, const struct ir_insn *in)
{
    struct jit_unit *u = e->u;
    const struct ir_insn *n = x64_next(e, 1);
    struct jit_exec *x = &u->exec[u->execs];

    x64_flags_store(e, IRF_ALL);
    *x = (struct jit_exec){
        .insn = &e->ir->guest[in->g],
        .eip = e->ir->at[in->g],
        .next = e->ir->at[in->g + 1],
        .g = in->g,
        .remaining = (u8)(e->ir->guests - in->g),
        .flags_in = in->use || in->def,
        .flags_out = in->def,
    };
    x64_mov_ri(e->c, REG_ADDR, u->exec_id[u->execs++]);
    if (n && n->op == IR_LEAVE)
        x64_jmp(e->c, u->stubs->finish);
    else
        x64_call(e->c, u->stubs->exec);
    e->fl = (struct flag_state){.stored = IRF_ALL};
}

/* --- behind the block --- */

static void add_site(struct x64_emit *e, const struct cold *k)
{
    struct jit_unit *u = e->u;

    if (u->sites == ARRAY_LEN(u->site)) {
        e->c->full = true;
        return;
    }
    u->site[u->sites++] = (struct jit_site){codebuf_off(e->c), k->g, k->flags, k->fp};
}

void x64_site(struct x64_emit *e)
{
    const struct cold k = {.g = e->ir->insn[e->i].g, .flags = x64_flags_recipe(e), .fp = e->fp};

    add_site(e, &k);
}

/* The edge to the next version of the block: the last that is made. */
static void changed_edge(struct x64_emit *e, const struct cold *k)
{
    struct jit_unit *u = e->u;

    u->edge[u->edges] =
        (struct jit_edge){.place = k->from[0], .stub = e->c->at, .eip = (u32)e->ir->eip};
    x64_mov_ri(e->c, REG_ADDR, u->edge_id[u->edges++]);
    x64_jmp(e->c, u->stubs->leave[LEAVE_EDGE]);
}

static void emit_one_cold(struct x64_emit *e, const struct cold *k)
{
    struct codebuf *c = e->c;
    const struct jit_stubs *s = e->u->stubs;
    u8 *here = c->at;

    x64_patch32(k->from[0], here);
    x64_patch32(k->from[1], here);
    switch (k->kind) {
    case COLD_ACCESS:
        if (k->reg != REG_ADDR)
            x64_mov_rr(c, W32, REG_ADDR, k->reg);
        x64_call(c, s->access[k->how >> 4][k->how & 15]);
        add_site(e, k);
        x64_jmp(c, k->back);
        break;
    case COLD_BAIL:
        x64_call(c, s->bail);
        add_site(e, k);
        break;
    case COLD_FP:
        x64_call(c, s->fp[!!(k->how & FP_RAISES)][(k->how & FP_BOTH) - 1]);
        add_site(e, k);
        x64_jmp(c, k->back);
        break;
    case COLD_BUDGET:
        if (k->how)
            x64_mov_mi(c, W16, CPU_AT(jit.flags), (i16)e->loop_mark);
        x64_mov_ri(c, REG_ADDR, e->u->id);
        x64_jmp(c, s->leave[LEAVE_BUDGET]);
        break;
    case COLD_EDGE:
        e->u->edge[k->how].stub = here;
        x64_mov_ri(c, REG_ADDR, e->u->edge_id[k->how]);
        x64_jmp(c, s->leave[LEAVE_EDGE]);
        break;
    case COLD_CHANGED:
        changed_edge(e, k);
        break;
    case COLD_MOVED:
        x64_mov_ri(c, REG_ADDR, (u32)e->ir->eip);
        x64_jmp(c, s->leave[LEAVE_INDIRECT]);
        break;
    default:
        x64_jmp(c, s->leave[LEAVE_INDIRECT]);
        break;
    }
}

void x64_emit_cold(struct x64_emit *e)
{
    for (unsigned i = 0; i < e->colds; i++)
        emit_one_cold(e, &e->cold[i]);
}

void x64_link(const struct jit_edge *e, const u8 *target, u32 page)
{
    if (e->guard)
        for (unsigned i = 0; i < 4; i++)
            e->guard[i] = (u8)(page >> (8 * i));
    x64_patch32(e->place, target);
}

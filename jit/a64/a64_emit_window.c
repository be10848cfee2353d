/* SPDX-License-Identifier: MIT */
/*
 * Windows. Where a block makes several accesses at known distances from one register, most often
 * ESP, one look-up at its head serves them all: X15 is where the lowest of them is for the host,
 * and each is one instruction. None of them can give up then, so that steps of the register between
 * them are made in one.
 *
 * Where the window goes over a page's end, or its page is not in the table, the block goes on in a
 * plain copy of what uses the window, behind it, which looks up each access when it comes, with all
 * that this may do to the guest's page tables; it comes back where the window is not used any more.
 */
#include <string.h>

#include "cpu/isa.h"
#include "jit/a64/a64_emit.h"

enum {
    REACH = 1024,  /* bytes that a window has at most                 */
    FAR = 2000,    /* how far from the register it may be             */
    HEAD_COST = 7, /* instructions of its look-up                     */
    FP_ALIGN = 16, /* of its beginning, if there are accesses for SSE */
};

/* What is known of a block's values while it is read. */
struct reading {
    ir_val base;
    i32 moved;       /* by how much the base was                           */
    bool known[256]; /* by temporary: it is the base at the block's head + */
    i32 off[256];    /* this                                               */
    u8 uses[256];    /* by the window                                      */
};

/* --- which accesses there are --- */

static bool is_base(const struct reading *r, ir_val v, unsigned w)
{
    return v == r->base && w == W32;
}

/* Does @in add a constant to the base, and nothing else? */
static bool steps(const struct reading *r, const struct ir_insn *in, i32 *by)
{
    if (!is_base(r, in->d, in->w) || in->a != r->base)
        return false;
    *by = in->op == IR_SUB ? -(i32)in->imm : (i32)in->imm;
    if (in->op == IR_ADDR)
        return in->b == IR_NONE;
    return (in->op == IR_ADD || in->op == IR_SUB) && in->b == IR_CONST;
}

static bool writes_base(const struct reading *r, const struct ir_insn *in)
{
    int reg = r->base - IR_REG;

    return ir_reg_of(in->d) == reg || (ir_writes_pair(in) && (reg == REG_AX || reg == REG_DX));
}

/* Bytes of an access that a window can serve, or 0. */
static unsigned access_size(const struct a64_emit *e, const struct ir_insn *in)
{
    bool raises;

    switch (in->op) {
    case IR_LD:
    case IR_ST:
    case IR_LDW:
        return 1u << in->w;
    case IR_FPM:
        if (!a64_sse_knows(&e->ir->guest[in->g], &raises) ||
            insn_def[e->ir->guest[in->g].id].attr & ATTR_Align)
            return 0;
        return (unsigned)in->imm & IR_FP_SIZE;
    default:
        return 0;
    }
}

/* X15 is lost, or tables change, or nothing is known any more. */
static bool ends(const struct a64_emit *e, const struct ir_insn *in)
{
    u8 kind = ir_op_info[in->op].kind;
    bool raises;

    return kind == IR_CALL || kind == IR_EXIT ||
           (ir_is_fp(in->op) && !a64_sse_knows(&e->ir->guest[in->g], &raises));
}

static void find_access(struct a64_emit *e, struct reading *r, unsigned i)
{
    const struct ir_insn *in = &e->ir->insn[i];
    unsigned size = access_size(e, in);
    bool direct = in->a == r->base, temp = ir_is_temp(in->a) && r->known[in->a];
    i32 off = direct ? r->moved : temp ? r->off[in->a] : 0;

    if (!size || !(direct || temp) || off < -FAR || off > FAR)
        return;
    if (in->op == IR_FPM && off % (i32)size)
        return;
    e->window.off[i] = (i16)off;
    e->window.has[i] = true;
}

/* Fills in has and off; -> where nothing is known any more */
static unsigned read_block(struct a64_emit *e, struct reading *r)
{
    unsigned i;
    i32 by;

    memset(e->window.has, 0, sizeof(e->window.has));
    memset(r->known, 0, sizeof(r->known));
    r->moved = 0;
    for (i = 0; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (ends(e, in))
            break;
        e->window.moved[i] = (i16)r->moved;
        find_access(e, r, i);
        if (ir_is_temp(in->d) && in->op == IR_ADDR && is_base(r, in->a, in->w) &&
            in->b == IR_NONE) {
            r->known[in->d] = true;
            r->off[in->d] = r->moved + (i32)in->imm;
        } else if (steps(r, in, &by)) {
            r->moved += by;
            if (r->moved < -FAR || r->moved > FAR)
                break;
        } else if (writes_base(r, in)) {
            break;
        }
    }
    return i;
}

/* Take accesses of the instruction away that does not end within what is known. */
static void trim(struct a64_emit *e, unsigned end)
{
    if (end == e->ir->count || ir_op_info[e->ir->insn[end].op].kind == IR_EXIT)
        return;
    for (unsigned i = end + 1; i-- > 0 && e->ir->insn[i].g == e->ir->insn[end].g;)
        e->window.has[i] = false;
}

/* --- whether it is worth it --- */

static void range(struct a64_emit *e, unsigned end)
{
    struct a64_window *w = &e->window;
    bool any = false, fp = false;

    w->lo = w->hi = 0;
    w->writes = false;
    for (unsigned i = 0; i < end; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (!w->has[i])
            continue;
        i32 lo = w->off[i], hi = lo + (i32)access_size(e, in);
        w->lo = !any || lo < w->lo ? lo : w->lo;
        w->hi = !any || hi > w->hi ? hi : w->hi;
        any = true;
        fp |= in->op == IR_FPM;
        w->writes |=
            in->op == IR_ST || in->op == IR_LDW || (in->op == IR_FPM && in->imm & IR_FP_WRITE);
    }
    if (fp)
        w->lo &= -FP_ALIGN;
}

/* Can one instruction reach it? If not, it is looked up. */
static void drop_far(struct a64_emit *e, unsigned end)
{
    struct a64_window *w = &e->window;

    for (unsigned i = 0; i < end; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (w->has[i] && in->op != IR_FPM)
            w->has[i] = a64_mem_fits(in->w, w->off[i] - w->lo);
    }
}

static bool one_word(const struct a64_window *w)
{
    return w->hi - w->lo == 4;
}

/* Instructions that the window saves. */
static int gain(const struct a64_emit *e, unsigned end)
{
    const struct a64_window *w = &e->window;
    int saved = one_word(w) ? 2 - HEAD_COST : -HEAD_COST;

    for (unsigned i = 0; i < end; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        if (w->has[i])
            saved += (access_size(e, in) == 1 ? 3 : 4) + ir_is_temp(in->a);
    }
    return saved;
}

/* Addresses that nobody else wants. */
static void find_unused(struct a64_emit *e, const struct reading *r, unsigned end)
{
    struct a64_window *w = &e->window;
    u8 uses[256] = {0};

    for (unsigned i = 0; i < end; i++)
        uses[e->ir->insn[i].a] = (u8)(uses[e->ir->insn[i].a] + w->has[i]);
    for (unsigned i = 0; i < end; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        w->skip[i] = ir_is_temp(in->d) && r->known[in->d] && in->op == IR_ADDR &&
                     uses[in->d] == e->uses[in->d];
    }
}

/* The first operation that does not use it: of the next guest instruction, or the exit. */
static u16 end_of(const struct a64_emit *e, unsigned end)
{
    unsigned last = end;

    while (last-- > 0 && !e->window.has[last])
        ;
    unsigned i = last + 1;
    while (i < end && e->ir->insn[i].g == e->ir->insn[last].g)
        i++;
    return (u16)i;
}

static int try_base(struct a64_emit *e, struct reading *r, unsigned reg)
{
    r->base = (ir_val)(IR_REG + reg);
    unsigned end = read_block(e, r);
    trim(e, end);
    range(e, end);
    if (e->window.hi - e->window.lo > REACH)
        return 0;
    drop_far(e, end);
    range(e, end);
    drop_far(e, end);
    e->window.end = (u16)end;
    return gain(e, end);
}

void a64_window_find(struct a64_emit *e)
{
    struct reading r;
    int best = 0;
    unsigned base = 0;

    e->window.base = IR_NONE;
    if (e->window.never)
        return;
    for (unsigned reg = 0; reg < 8; reg++) {
        int saved = try_base(e, &r, reg);
        if (saved > best) {
            best = saved;
            base = reg;
        }
    }
    if (!best)
        return;
    try_base(e, &r, base);
    find_unused(e, &r, e->window.end);
    e->window.end = end_of(e, e->window.end);
    e->window.base = r.base;
    e->window.active = true;
    e->window.pending = 0;
}

/* --- its look-up --- */

static u8 at_distance(struct a64_emit *e, u8 scratch, u8 base, i32 by)
{
    if (!by)
        return base;
    a64_arith_ri(e->c, by < 0 ? A64_SUB : A64_ADD, W32, scratch, base, (u32)(by < 0 ? -by : by));
    return scratch;
}

/* Bit 12 differs between two pages side by side. */
void a64_window_look_up(struct a64_emit *e)
{
    struct codebuf *c = e->c;
    struct a64_window *w = &e->window;

    if (!w->active)
        return;
    u8 base = a64_reg(e, w->base), first = at_distance(e, X16, base, w->lo);
    if (one_word(w)) {
        a64_logic_ri(c, A64_AND, W32, X17, first, ~(u32)(PAGE_SIZE - 1) | 3);
        a64_shift_ri(c, A64_ROR, W32, X17, X17, PAGE_SHIFT);
    } else {
        u8 last = at_distance(e, X17, base, w->hi > 0 ? w->hi - 1 : 0);
        a64_logic_rr(c, A64_EOR, W32, X17, first, last);
        w->crosses = a64_tbnz(c, X17, PAGE_SHIFT, NULL);
        a64_shift_ri(c, A64_LSR, W32, X17, first, PAGE_SHIFT);
    }
    a64_mem_rr(c, A64_LDR, W64, REG_WINDOW, w->writes ? REG_WRITES : REG_TABLES, X17, A64_UXTX,
               true);
    w->absent = a64_cbz(c, W64, REG_WINDOW, NULL);
    a64_arith_rx(c, A64_ADD, W64, REG_WINDOW, REG_WINDOW, first, A64_UXTW, 0);
}

/* --- while it is used --- */

static void commit(struct a64_emit *e)
{
    struct a64_window *w = &e->window;
    u8 base = a64_reg(e, w->base);

    at_distance(e, base, base, w->pending);
    w->pending = 0;
}

bool a64_window_has(const struct a64_emit *e, i32 *off)
{
    const struct a64_window *w = &e->window;

    *off = w->off[e->i] - w->lo;
    return w->active && w->has[e->i];
}

/* Does @in want the base where it should be? */
static bool wants_base(const struct a64_emit *e, const struct ir_insn *in)
{
    const struct a64_window *w = &e->window;
    u8 kind = ir_op_info[in->op].kind;
    int reg = ir_reg_of(w->base);
    bool has = w->has[e->i];

    return ir_is_fp(in->op) || kind == IR_BAIL || (kind == IR_MEM && !has) ||
           (ir_reg_of(in->a) == reg && !has) || ir_reg_of(in->b) == reg || ir_reg_of(in->d) == reg;
}

/* ESP's, not those of registers that operations read without saying so. */
static bool is_step(const struct a64_window *w, const struct ir_insn *in)
{
    return w->base == IR_REG + REG_SP && in->op == IR_ADDR && in->w == W32 && in->d == w->base &&
           in->a == w->base && in->b == IR_NONE;
}

static struct a64_join join_now(const struct a64_emit *e)
{
    struct a64_join j = {.at = e->c->at, .fl = e->fl, .group = e->group};

    memcpy(j.home, e->home, sizeof(j.home));
    memcpy(j.low, e->low, sizeof(j.low));
    return j;
}

bool a64_window_before(struct a64_emit *e, const struct ir_insn *in)
{
    struct a64_window *w = &e->window;

    if (!w->active)
        return false;
    if (e->i >= w->end) {
        commit(e);
        w->join = join_now(e);
        w->active = false;
        return false;
    }
    if (w->skip[e->i]) {
        a64_dst(e, W32, in->d, X0); /* as the plain copy does */
        return true;
    }
    if (is_step(w, in)) {
        w->pending += (i32)in->imm;
        return true;
    }
    if (wants_base(e, in))
        commit(e);
    return false;
}

bool a64_window_begin_plain(struct a64_emit *e)
{
    struct a64_window *w = &e->window;

    if (w->base == IR_NONE)
        return false;
    a64_here(e->c, w->crosses);
    a64_here(e->c, w->absent);
    e->fl = a64_flags_initial();
    e->group = (struct fp_group){0};
    e->x87 = (struct a64_x87){0};
    memset(e->low, 16, sizeof(e->low));
    a64_temps_init(e);
    return true;
}

static bool same_flags(const struct flag_state *a, const struct flag_state *b)
{
    return a->carry == b->carry && a->own == b->own && a->recipe == b->recipe &&
           a->equal == b->equal && a->differ == b->differ && a->upper == b->upper &&
           (!a->recipe || memcmp(&a->how_to, &b->how_to, sizeof(a->how_to)) == 0);
}

bool a64_window_end_plain(struct a64_emit *e)
{
    const struct a64_join *a = &e->window.join, b = join_now(e);

    a64_b(e->c, a->at);
    return same_flags(&a->fl, &b.fl) && a->group.open == b.group.open &&
           (!b.group.open ||
            (a->group.first == b.group.first && a->group.saved == b.group.saved)) &&
           memcmp(a->home, b.home, sizeof(b.home)) == 0 &&
           memcmp(a->low, b.low, sizeof(b.low)) == 0;
}

/* A write may have been to a page table: is the page still there? If not, go on: give up. */
void a64_window_check(struct a64_emit *e, const struct cold *k)
{
    struct codebuf *c = e->c;
    const struct a64_window *w = &e->window;
    u8 *failed = a64_cbz(c, W64, k->addend, NULL);
    u8 at = at_distance(e, X17, a64_reg(e, w->base), w->lo - w->moved[k->i]);

    a64_shift_ri(c, A64_LSR, W32, X17, at, PAGE_SHIFT);
    a64_mem_rr(c, A64_LDR, W64, X17, w->writes ? REG_WRITES : REG_TABLES, X17, A64_UXTX, true);
    a64_cbnz(c, W64, X17, k->back);
    a64_here(c, failed);
}

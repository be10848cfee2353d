/* SPDX-License-Identifier: MIT */
/*
 * Accesses. The tables of the MMU's context are looked up inline; what is absent there, or may
 * cross a page, goes through a stub, which answers with an addend or gives up. NZCV stay.
 */
#include "jit/a64/a64_emit.h"
#include "jit/mode.h"

struct cold *a64_cold(struct a64_emit *e, enum cold_kind kind, u8 *from)
{
    struct cold *k = &e->cold[e->colds];

    if (e->colds + 1 < ARRAY_LEN(e->cold))
        e->colds++;
    else
        e->c->full = true;
    *k = (struct cold){.kind = (u8)kind,
                       .from = {from},
                       .g = e->ir->insn[e->i].g,
                       .fl = e->fl,
                       .group = e->group,
                       .x87 = e->x87};
    return k;
}

struct cold *a64_bail_from(struct a64_emit *e, u8 *from)
{
    return a64_cold(e, COLD_BAIL, from);
}

/* One look at the table sees whether the page is there and the address aligned, as mmu/mmu.h says:
 * the bits that should be 0 come above the page's number. */
static void index_of(struct codebuf *c, u8 d, u8 r, unsigned size)
{
    if (size < W32) {
        a64_shift_ri(c, A64_LSR, W32, d, r, PAGE_SHIFT);
        return;
    }
    a64_logic_ri(c, A64_AND, W32, d, r, ~(u32)(PAGE_SIZE - 1) | (BIT(size) - 1));
    a64_shift_ri(c, A64_ROR, W32, d, d, PAGE_SHIFT);
}

/* Has the instruction been seen to write across pages? */
static bool writes_apart(const struct a64_emit *e)
{
    return e->u->apart >> e->ir->insn[e->i].g & 1;
}

void a64_written(struct a64_emit *e)
{
    i32 off;

    if (!writes_apart(e) || a64_window_has(e, &off))
        return;
    a64_ldr(e->c, W64, X16, REG_CPU, CPU_OFF(jit_halves.written));
    a64_blr(e->c, X16);
}

void a64_look_up(struct a64_emit *e, u8 r, unsigned size, bool write, enum a64_alignment what,
                 u8 addend)
{
    struct codebuf *c = e->c;
    struct cold *k = a64_cold(e, COLD_ACCESS, NULL);

    index_of(c, addend, r, size == A64_Q ? 0 : size);
    a64_mem_rr(c, A64_LDR, W64, addend, write ? REG_WRITES : REG_TABLES, addend, A64_UXTX, true);
    if (size == W16) {
        k->from[1] = a64_tbnz(c, r, 0, NULL);
    } else if (size == A64_Q) {
        a64_logic_ri(c, A64_AND, W32, X17, r, BIT(A64_Q) - 1);
        u8 *crooked = a64_cbnz(c, W32, X17, NULL);
        if (what == HAS_TO_BE_ALIGNED)
            a64_bail_from(e, crooked);
        else
            k->from[1] = crooked;
    }
    k->from[0] = a64_cbz(c, W64, addend, NULL);
    k->back = c->at;
    k->reg = r;
    k->addend = addend;
    k->how = (u8)(size | (!write ? 0u : size && writes_apart(e) ? 32u : 16u));
    k->check = write && e->window.active;
    k->i = (u16)e->i;
}

static bool extension_follows(const struct a64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *n = a64_next(e, 1);

    return ir_is_temp(in->d) && e->uses[in->d] == 1 && n && n->a == in->d &&
           (n->op == IR_ZEXT || n->op == IR_SEXT) && n->cc == in->w;
}

/* POP and the like move what they load after a step of the stack pointer: it can be loaded to where
 * it is moved, if nothing between looks there. */
void a64_make_there(struct a64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *n;
    unsigned j = 1;

    if (!ir_is_temp(in->d) || e->uses[in->d] != 1 || in->w != W32)
        return;
    while ((n = a64_next(e, j)) && (n->op == IR_ADDR || n->op == IR_STEP))
        j++;
    if (!n || n->op != IR_MOV || n->b != in->d || n->w != W32 || !ir_is_reg(n->d))
        return;
    for (unsigned k = 1; k < j; k++) {
        const struct ir_insn *between = a64_next(e, k);
        if (between->d == n->d || between->a == n->d || between->b == n->d)
            return;
    }
    e->home[in->d] = a64_reg(e, n->d);
}

/* Two words side by side are loaded or stored in one. */
static bool pairs(const struct a64_emit *e, bool load, u8 r, i32 off)
{
    i32 low = off < e->word.off ? off : e->word.off;

    return e->word.behind == e->c->at && e->word.load == load && (!load || r != e->word.reg) &&
           (off == e->word.off + 4 || off == e->word.off - 4) && a64_pair_fits(W32, low);
}

static void in_window(struct a64_emit *e, enum a64_mem op, enum width w, u8 r, i32 off)
{
    struct codebuf *c = e->c;
    bool load = op != A64_STR, above = off > e->word.off;

    if (w != W32) {
        a64_mem_ri(c, op, w, r, REG_WINDOW, off);
        return;
    }
    if (!pairs(e, load, r, off)) {
        a64_mem_ri(c, op, w, r, REG_WINDOW, off);
        e->word.behind = c->at;
        e->word.load = load;
        e->word.reg = r;
        e->word.off = off;
        return;
    }
    u8 first = above ? e->word.reg : r, second = above ? r : e->word.reg;
    c->at -= 4;
    if (load)
        a64_ldp(c, W32, first, second, REG_WINDOW, above ? e->word.off : off);
    else
        a64_stp(c, W32, first, second, REG_WINDOW, above ? e->word.off : off);
    e->word.behind = NULL;
}

void a64_emit_LD(struct a64_emit *e, const struct ir_insn *in)
{
    u8 at = a64_reg(e, in->a);
    enum a64_mem op = A64_LDR;
    enum width w = in->w;
    i32 off;
    bool window = a64_window_has(e, &off);

    if (!window)
        a64_look_up(e, at, w, false, MAY_BE_CROOKED, REG_ADDEND);
    if (extension_follows(e, in)) {
        in = a64_next(e, 1);
        e->i++;
        if (in->op == IR_SEXT && w < W32)
            op = A64_LDRS_W;
    }
    a64_make_there(e, in);
    u8 d = a64_dst(e, in->w, in->d, X0);
    if (window)
        in_window(e, op, w, d, off);
    else
        a64_mem_rr(e->c, op, w, d, REG_ADDEND, at, A64_UXTW, false);
    a64_write(e, in->w, in->d, d, 0);
}

static u8 stored(struct a64_emit *e, const struct ir_insn *in)
{
    if (in->b == IR_CONST && ((u64)in->imm & width_mask(in->w)) == 0)
        return XZR;
    return a64_read(e, in->b, (i64)((u64)in->imm & width_mask(in->w)), X0);
}

void a64_emit_ST(struct a64_emit *e, const struct ir_insn *in)
{
    u8 at = a64_reg(e, in->a);
    i32 off;

    if (a64_window_has(e, &off)) {
        in_window(e, A64_STR, in->w, stored(e, in), off);
    } else {
        a64_look_up(e, at, in->w, true, MAY_BE_CROOKED, REG_ADDEND);
        a64_mem_rr(e->c, A64_STR, in->w, stored(e, in), REG_ADDEND, at, A64_UXTW, false);
        a64_written(e);
    }
    e->stored_at = in->b == IR_CONST && (u32)in->imm ? e->c->at : NULL;
}

/* Look up the address, which has to last until the STW: where it would not, the sum takes its
 * place. */
static void hold(struct a64_emit *e, const struct ir_insn *in)
{
    u8 at = a64_reg(e, in->a);
    bool changes = false;
    unsigned j = e->i + 1;

    for (; j < e->ir->count && e->ir->insn[j].op != IR_STW; j++)
        changes |= ir_is_reg(in->a) && ir_reg_of(e->ir->insn[j].d) == ir_reg_of(in->a);
    a64_temp_keep(e, in->a, j);
    e->held = REG_WINDOW;
    if (a64_window_has(e, &e->held_off))
        return;
    a64_look_up(e, at, in->w, true, MAY_BE_CROOKED, REG_HELD);
    e->held = at;
    if (changes) {
        a64_arith_rx(e->c, A64_ADD, W64, REG_HELD, REG_HELD, at, A64_UXTW, 0);
        e->held = XZR;
    }
}

static void at_held(struct a64_emit *e, enum a64_mem op, enum width w, u8 r)
{
    if (e->held == REG_WINDOW)
        a64_mem_ri(e->c, op, w, r, REG_WINDOW, e->held_off);
    else
        a64_mem_rr(e->c, op, w, r, REG_HELD, e->held, A64_UXTW, false);
}

void a64_emit_LDW(struct a64_emit *e, const struct ir_insn *in)
{
    hold(e, in);
    u8 d = a64_dst(e, in->w, in->d, X0);
    at_held(e, A64_LDR, in->w, d);
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_STW(struct a64_emit *e, const struct ir_insn *in)
{
    at_held(e, A64_STR, in->w, stored(e, in));
    if (e->held != REG_WINDOW)
        a64_written(e);
}

/* --- segments --- */

static i32 seg_off(unsigned s, size_t member)
{
    return (i32)(offsetof(struct cpu, seg) + s * sizeof(struct segment) + member);
}

/* Differences of 32-bit numbers, in 64 bits: their sign is the answer. */
static void check_limit(struct a64_emit *e, const struct ir_insn *in, u8 off, enum seg_class known)
{
    struct codebuf *c = e->c;
    unsigned size = ir_access_size(in->imm);
    struct cold *k = a64_bail_from(e, NULL);

    if (known == SEGC_CHECK) {
        bool write = in->imm & IR_ACCESS_WRITE;
        a64_ldr(c, W8, X17, REG_CPU, seg_off(in->cc, offsetof(struct segment, perm)));
        a64_logic_ri(c, A64_AND, W32, X17, X17, write ? SEG_PERM_W : SEG_PERM_R);
        k->from[1] = a64_cbz(c, W32, X17, NULL);
        a64_ldr(c, W32, X17, REG_CPU, seg_off(in->cc, offsetof(struct segment, lo)));
        a64_arith_rr(c, A64_SUB, W64, X17, off, X17);
        k->from[2] = a64_tbnz(c, X17, 63, NULL);
    }
    a64_ldr(c, W32, X17, REG_CPU, seg_off(in->cc, offsetof(struct segment, hi)));
    a64_arith_rr(c, A64_SUB, W64, X17, X17, off);
    if (size > 1)
        a64_arith_ri(c, A64_SUB, W64, X17, X17, size - 1);
    k->from[0] = a64_tbnz(c, X17, 63, NULL);
}

/* The segment has all offsets: only what would go on at offset 0 is outside. */
static void check_wrap(struct a64_emit *e, const struct ir_insn *in, u8 off)
{
    unsigned size = ir_access_size(in->imm);

    if (size == 1)
        return;
    a64_arith_ri(e->c, A64_ADD, W64, X17, off, size - 1);
    a64_bail_from(e, a64_tbnz(e->c, X17, 32, NULL));
}

void a64_emit_SEGLIN(struct a64_emit *e, const struct ir_insn *in)
{
    enum seg_class known = (enum seg_class)(in->imm >> IR_ACCESS_CLASS_SHIFT & 3);
    u8 off = a64_reg(e, in->a);

    if (known < SEGC_BASE)
        check_limit(e, in, off, known);
    else
        check_wrap(e, in, off);
    a64_ldr(e->c, W32, X17, REG_CPU, seg_off(in->cc, offsetof(struct segment, base)));
    u8 d = a64_dst(e, W32, in->d, X0);
    a64_arith_rr(e->c, A64_ADD, W32, d, off, X17);
    a64_write(e, W32, in->d, d, 0);
}

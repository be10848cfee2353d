/* SPDX-License-Identifier: MIT */
/*
 * Accesses. The tables of the MMU's context are looked up inline; what is absent there, crosses a
 * page or is misaligned goes through a stub, which answers with an addend or gives up.
 */
#include "jit/mode.h"
#include "jit/x64/x64_emit.h"

struct cold *x64_cold(struct x64_emit *e, enum cold_kind kind)
{
    struct cold *k = &e->cold[e->colds];

    if (e->colds + 1 < ARRAY_LEN(e->cold))
        e->colds++;
    else
        e->c->full = true;
    *k = (struct cold){
        .kind = (u8)kind, .g = e->ir->insn[e->i].g, .flags = x64_flags_recipe(e), .fp = e->fp};
    return k;
}

/* Has the instruction been seen to write across pages? */
static bool writes_apart(const struct x64_emit *e)
{
    return e->u->apart >> e->ir->insn[e->i].g & 1;
}

void x64_written(struct x64_emit *e)
{
    if (writes_apart(e))
        x64_call_m(e->c, CPU_AT(jit_halves.written));
}

/* Is the temporary @v a number? It is, if the operation before made it one. */
static bool is_number(const struct x64_emit *e, ir_val v, u32 *n)
{
    const struct ir_insn *before = e->i ? &e->ir->insn[e->i - 1] : NULL;

    if (!before || !ir_is_temp(v) || before->op != IR_MOV || before->d != v ||
        before->b != IR_CONST || before->w != W32)
        return false;
    *n = (u32)before->imm;
    return true;
}

/* The page's entry in the table; and whether it is known that @a, of @bytes, does not go on in the
 * next page and is a multiple of its size if @aligned. It is, of some numbers. */
static bool load_addend(struct x64_emit *e, ir_val a, unsigned bytes, bool write, bool aligned)
{
    i32 table = write ? (i32)MMU_WRITE_OFFSET : 0;
    u32 lin;

    if (is_number(e, a, &lin)) {
        x64_mov_rm(e->c, W64, REG_ADDEND, x64_at(REG_TABLES, table + (i32)(lin >> PAGE_SHIFT) * 8));
        return aligned ? lin % bytes == 0 : mmu_in_page(lin, bytes);
    }
    x64_mov_rr(e->c, W32, REG_ADDEND, x64_reg(e, a));
    x64_shift_ri(e->c, X64_SHR, W32, REG_ADDEND, PAGE_SHIFT);
    x64_mov_rm(e->c, W64, REG_ADDEND, x64_idx(REG_TABLES, REG_ADDEND, 3, table));
    return bytes == 1;
}

void x64_look_up(struct x64_emit *e, ir_val a, unsigned w, bool write, bool aligned)
{
    struct codebuf *c = e->c;
    u8 r = x64_reg(e, a);
    struct cold *k = x64_cold(e, COLD_ACCESS);

    if (!load_addend(e, a, x64_bytes(w), write, aligned)) {
        x64_test_ri(c, W8, r, w >= X64_W128 ? 15 : (1 << w) - 1);
        u8 *from = x64_jcc(c, X64_NE, NULL);
        if (aligned)
            x64_bail_from(e, from, NULL);
        else
            k->from[1] = from;
    }
    x64_test_rr(c, W64, REG_ADDEND, REG_ADDEND);
    k->from[0] = x64_jcc(c, X64_E, NULL);
    k->back = c->at;
    k->reg = r;
    bool apart = w > W8 && writes_apart(e); /* other code was there, if it is a byte now */
    k->how = (u8)(w | (!write ? 0 : apart ? 32 : 16));
    e->addr = r;
    x64_flags_lost(e);
}

static void look_up(struct x64_emit *e, ir_val a, enum width w, bool write)
{
    x64_look_up(e, a, w, write, false);
}

/* A load whose only reader is the next operation need not go through a register. */
static bool reader_takes_memory(const struct x64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *n = x64_next(e, 1);

    if (!ir_is_temp(in->d) || e->uses[in->d] != 1 || !n || n->w != in->w)
        return false;
    switch (n->op) {
    case IR_CMP:
    case IR_TEST:
        return (n->a == in->d && !ir_is_high(n->b)) || (n->b == in->d && !ir_is_high(n->a));
    case IR_ADD:
    case IR_OR:
    case IR_AND:
    case IR_SUB:
    case IR_XOR:
        return n->b == in->d && !ir_is_high(n->a);
    case IR_IMUL:
    case IR_CMOV:
        return n->b == in->d;
    default:
        return false;
    }
}

static bool extension_takes_memory(const struct x64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *n = x64_next(e, 1);

    return ir_is_temp(in->d) && e->uses[in->d] == 1 && n && n->a == in->d &&
           (n->op == IR_ZEXT || n->op == IR_SEXT) && n->cc == in->w;
}

/* The address may be EAX..EBX itself, whose halves byte_begin() would swap under it. */
static bool address_is_swapped(const struct x64_emit *e, ir_val high)
{
    return ir_is_high(high) && e->addr == (u8)(high - IR_HIGH);
}

static void copy_address(struct x64_emit *e)
{
    if (e->busy[REG_ADDR])
        x64_decline(e);
    x64_mov_rr(e->c, W32, REG_ADDR, e->addr);
    e->addr = REG_ADDR;
}

void x64_emit_LD(struct x64_emit *e, const struct ir_insn *in)
{
    look_up(e, in->a, in->w, false);
    if (reader_takes_memory(e, in) || extension_takes_memory(e, in)) {
        e->home[in->d] = HOME_MEM;
        e->hold = e->fused = true;
        return;
    }
    if (ir_is_temp(in->d) && in->w < W32) {
        x64_movzx_rm(e->c, in->w, x64_dst(e, in->d), x64_operand(e));
        return;
    }
    if (in->w == W8) {
        if (address_is_swapped(e, in->d))
            copy_address(e);
        u8 d = x64_byte_begin(e, in->d);
        x64_mov_rm(e->c, W8, d, x64_operand(e));
        x64_byte_end(e, in->d);
        return;
    }
    x64_mov_rm(e->c, in->w, x64_dst(e, in->d), x64_operand(e));
}

static void store(struct x64_emit *e, const struct ir_insn *in)
{
    if (in->b == IR_CONST) {
        x64_mov_mi(e->c, in->w, x64_operand(e), (i32)in->imm);
    } else if (in->w == W8) {
        u8 b = x64_byte_begin(e, in->b);
        x64_mov_mr(e->c, W8, x64_operand(e), b);
        x64_byte_end(e, in->b);
    } else {
        x64_mov_mr(e->c, in->w, x64_operand(e), x64_reg(e, in->b));
    }
    x64_written(e);
}

void x64_emit_ST(struct x64_emit *e, const struct ir_insn *in)
{
    look_up(e, in->a, in->w, true);
    if (address_is_swapped(e, in->b))
        copy_address(e);
    store(e, in);
}

void x64_emit_STW(struct x64_emit *e, const struct ir_insn *in)
{
    if (address_is_swapped(e, in->b))
        x64_decline(e);
    store(e, in);
    e->hold = false;
}

/* --- read-modify-write in one host instruction --- */

static bool modifies_in_place(enum ir_op op)
{
    switch (op) {
    case IR_ADD:
    case IR_OR:
    case IR_ADC:
    case IR_SBB:
    case IR_AND:
    case IR_SUB:
    case IR_XOR:
    case IR_INC:
    case IR_DEC:
    case IR_NEG:
    case IR_NOT:
        return true;
    default:
        return false;
    }
}

static bool is_in_place(const struct x64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *op = x64_next(e, 1), *st = x64_next(e, 2);

    return op && st && modifies_in_place(op->op) && op->a == in->d && st->op == IR_STW &&
           st->b == op->d && op->b != in->d && !ir_is_high(op->b) && e->uses[in->d] == 1 &&
           e->uses[op->d] == 1 && op->w == in->w;
}

static const i8 alu_of[IR__COUNT] = {
    [IR_ADD] = X64_ADD, [IR_OR] = X64_OR,   [IR_ADC] = X64_ADC, [IR_SBB] = X64_SBB,
    [IR_AND] = X64_AND, [IR_SUB] = X64_SUB, [IR_XOR] = X64_XOR,
};

static void in_place(struct x64_emit *e, const struct ir_insn *op)
{
    struct codebuf *c = e->c;
    struct x64_mem m = x64_operand(e);
    enum width w = op->w;

    if (op->use & IRF_C)
        x64_flags_carry(e);
    switch (op->op) {
    case IR_INC:
        x64_inc_m(c, w, m);
        break;
    case IR_DEC:
        x64_dec_m(c, w, m);
        break;
    case IR_NEG:
        x64_unary_m(c, X64_NEG, w, m);
        break;
    case IR_NOT:
        x64_unary_m(c, X64_NOT, w, m);
        break;
    default:
        if (op->b == IR_CONST)
            x64_alu_mi(c, (enum x64_alu)alu_of[op->op], w, m, (i32)op->imm);
        else
            x64_alu_mr(c, (enum x64_alu)alu_of[op->op], w, m, x64_reg(e, op->b));
    }
    x64_written(e);
}

void x64_emit_LDW(struct x64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *op = x64_next(e, 1);

    look_up(e, in->a, in->w, true);
    if (is_in_place(e, in)) {
        unsigned index = e->i + 1;
        e->i = index;
        e->hold = true;
        if (op->op == IR_INC || op->op == IR_DEC) {
            if (e->need[index] & IRF_C)
                x64_flags_carry(e);
        }
        in_place(e, op);
        e->hold = false;
        e->i = index + 1; /* the STW: address and addend are free again */
        x64_temps_expire(e);
        if (op->op == IR_INC || op->op == IR_DEC) {
            struct ir_insn full = *op;
            full.def = IRF_ALL;
            x64_flags_after(e, &full, index, IRF_ALL, NULL);
        } else if (op->op != IR_NOT) {
            x64_flags_after(e, op, index, IRF_ALL, NULL);
        }
        return;
    }
    e->hold = true;
    if (in->w < W32)
        x64_movzx_rm(e->c, in->w, x64_dst(e, in->d), x64_operand(e));
    else
        x64_mov_rm(e->c, in->w, x64_dst(e, in->d), x64_operand(e));
}

/* --- segments --- */

#define SEG_AT(s, what)                                                                            \
    x64_at(REG_CPU, (i32)(offsetof(struct cpu, seg) + (s) * sizeof(struct segment) +               \
                          offsetof(struct segment, what)) -                                        \
                        CPU_BIAS)

static void check_limit(struct x64_emit *e, const struct ir_insn *in, u8 off, enum seg_class known,
                        u8 *from[], unsigned *n)
{
    struct codebuf *c = e->c;
    unsigned size = ir_access_size(in->imm);

    if (known == SEGC_CHECK) {
        u8 perm = in->imm & IR_ACCESS_WRITE ? SEG_PERM_W : SEG_PERM_R;
        x64_test_mi(c, W8, SEG_AT(in->cc, perm), perm);
        from[(*n)++] = x64_jcc(c, X64_E, NULL);
        x64_alu_rm(c, X64_CMP, W32, off, SEG_AT(in->cc, lo));
        from[(*n)++] = x64_jcc(c, X64_B, NULL);
    }
    x64_mov_rm(c, W32, REG_ADDEND, SEG_AT(in->cc, hi));
    x64_alu_rr(c, X64_SUB, W32, REG_ADDEND, off);
    from[(*n)++] = x64_jcc(c, X64_B, NULL);
    if (size > 1) {
        x64_alu_ri(c, X64_CMP, W32, REG_ADDEND, (i32)size - 1);
        from[(*n)++] = x64_jcc(c, X64_B, NULL);
    }
}

void x64_emit_SEGLIN(struct x64_emit *e, const struct ir_insn *in)
{
    enum seg_class known = (enum seg_class)(in->imm >> IR_ACCESS_CLASS_SHIFT & 3);
    u8 off = x64_reg(e, in->a);
    u8 *from[4];
    unsigned n = 0;

    unsigned size = ir_access_size(in->imm);
    if (known < SEGC_BASE) {
        check_limit(e, in, off, known, from, &n);
    } else if (size > 1) { /* what would go on at offset 0 is outside */
        x64_lea(e->c, W32, REG_ADDEND, x64_at(off, (i32)size - 1));
        x64_alu_rr(e->c, X64_CMP, W32, REG_ADDEND, off);
        from[n++] = x64_jcc(e->c, X64_B, NULL);
    }
    for (unsigned i = 0; i < n; i += 2) {
        struct cold *k = x64_cold(e, COLD_BAIL);
        k->from[0] = from[i];
        k->from[1] = i + 1 < n ? from[i + 1] : NULL;
    }
    x64_temps_expire(e);
    u8 d = x64_dst(e, in->d);
    if (d != off)
        x64_mov_rr(e->c, W32, d, off);
    x64_alu_rm(e->c, X64_ADD, W32, d, SEG_AT(in->cc, base));
    x64_flags_lost(e);
}

void x64_bail_from(struct x64_emit *e, u8 *from0, u8 *from1)
{
    struct cold *k = x64_cold(e, COLD_BAIL);

    k->from[0] = from0;
    k->from[1] = from1;
}

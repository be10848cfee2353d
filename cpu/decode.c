/* SPDX-License-Identifier: MIT */
/*
 * Bytes -> struct insn [SDM 2A §2.1, Figure 2-1]: prefixes, opcode, ModR/M, SIB, displacement,
 * immediates. Which fields an opcode has is said by its row in cpu/isa.def.
 *
 * Undefined encodings become UD2 with the length of what had to be fetched to know: the opcode,
 * and ModR/M if the opcode has one.
 *
 * Not implemented: RIP-relative addresses (64-bit mode has REX and its operand sizes only).
 */
#include "cpu/decode_table.h"

enum { REX_B = BIT(0), REX_X = BIT(1), REX_R = BIT(2), REX_W = BIT(3) };

/* No register and no memory of its own: takes the width of the next operand. */
#define NO_WIDTH 0xff

struct decoder {
    const u8 *bytes;
    unsigned pos, avail;
    enum decode_result result;
    const struct decode_table *table;
    struct insn *in;
    u32 mode;
    u8 rex;
    bool segovr;
    enum insn_map map;
    const struct insn_def *def; /* NULL: undefined */
};

/* The next @n bytes, little-endian; 0 and a sticky result if they are not there. */
static u64 take(struct decoder *d, unsigned n)
{
    u64 v = 0;

    if (d->result != DECODE_OK)
        return 0;
    if (d->pos + n > INSN_MAX_LEN && d->avail >= INSN_MAX_LEN) {
        d->result = DECODE_LONG;
        return 0;
    }
    if (d->pos + n > d->avail) {
        d->result = DECODE_SHORT;
        return 0;
    }
    for (unsigned i = 0; i < n; i++)
        v |= (u64)d->bytes[d->pos + i] << 8 * i;
    d->pos += n;
    return v;
}

static i64 take_signed(struct decoder *d, unsigned n)
{
    unsigned unused = 64 - 8 * n;

    return n ? (i64)(take(d, n) << unused) >> unused : 0;
}

/* Segment override prefixes [SDM 2A §2.1.1] */
static bool take_segment(struct decoder *d, u8 byte)
{
    static const u8 seg[] = {SEG_ES, SEG_CS, SEG_SS, SEG_DS};

    if ((byte & 0xe7) == 0x26)
        d->in->seg = seg[byte >> 3 & 3];
    else if (byte == 0x64 || byte == 0x65)
        d->in->seg = byte == 0x64 ? SEG_FS : SEG_GS;
    else
        return false;
    d->in->prefix |= INSN_SEGOVR;
    d->segovr = true;
    return true;
}

static bool take_prefix(struct decoder *d, u8 byte)
{
    struct insn *in = d->in;

    switch (byte) {
    case 0x66:
        in->prefix |= INSN_OPSIZE;
        return true;
    case 0x67:
        in->prefix |= INSN_ADSIZE;
        return true;
    case 0xf0:
        in->prefix |= INSN_LOCK;
        return true;
    case 0xf2:
        in->prefix = (u8)((in->prefix & ~INSN_REPE) | INSN_REPNE);
        return true;
    case 0xf3:
        in->prefix = (u8)((in->prefix & ~INSN_REPNE) | INSN_REPE);
        return true;
    default:
        return take_segment(d, byte);
    }
}

/* Prefixes and opcode bytes: fills map and opcode. */
static void take_opcode(struct decoder *d)
{
    u8 byte;

    for (;;) {
        byte = (u8)take(d, 1);
        if (d->result != DECODE_OK)
            return;
        if (take_prefix(d, byte))
            d->rex = 0; /* REX counts only directly before the opcode */
        else if ((d->mode & MODE_LONG) && (byte & 0xf0) == 0x40)
            d->rex = byte;
        else
            break;
    }
    if (d->rex)
        d->in->prefix |= INSN_REX;
    d->map = MAP_1B;
    if (byte == 0x0f) {
        d->map = MAP_0F;
        byte = (u8)take(d, 1);
        if (byte == 0x38 || byte == 0x3a) {
            d->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
            byte = (u8)take(d, 1);
        }
    }
    d->in->opcode = byte;
}

static enum insn_pfx mandatory_prefix(const struct insn *in)
{
    if (in->prefix & INSN_REPE)
        return PFX_IX_F3;
    if (in->prefix & INSN_REPNE)
        return PFX_IX_F2;
    return in->prefix & INSN_OPSIZE ? PFX_IX_66 : PFX_IX_NP;
}

/* Find the row. Its ModR/M byte, if any, is then taken. */
static void find_row(struct decoder *d)
{
    struct insn *in = d->in;
    u16 row;

    if (decode_table_has_modrm(d->table, d->map, in->opcode))
        in->modrm = (u8)take(d, 1);
    if (d->result != DECODE_OK)
        return;
    row = decode_table_row(d->table, d->map, in->opcode, mandatory_prefix(in), in->modrm);
    if (row == NO_ROW)
        return;
    if (insn_def[row].attr & (d->mode & MODE_LONG ? ATTR_I64 : ATTR_O64))
        return;
    d->def = &insn_def[row];
    in->id = row;
}

static bool uses(const struct insn_def *def, enum operand a, enum operand b)
{
    for (unsigned i = 0; i < ARRAY_LEN(def->op); i++)
        if (def->op[i] == a || def->op[i] == b)
            return true;
    return false;
}

static void set_sizes(struct decoder *d)
{
    struct insn *in = d->in;
    bool op66 = in->prefix & INSN_OPSIZE, ad67 = in->prefix & INSN_ADSIZE;
    bool cs32 = d->mode & MODE_CS32;

    if (!(d->mode & MODE_LONG)) {
        in->opsize = cs32 != op66 ? W32 : W16;
        in->adsize = cs32 != ad67 ? W32 : W16;
        return;
    }
    in->adsize = ad67 ? W32 : W64;
    if ((d->rex & REX_W) || (d->def && (d->def->attr & ATTR_F64)))
        in->opsize = W64;
    else if (op66)
        in->opsize = W16;
    else
        in->opsize = d->def && (d->def->attr & ATTR_D64) ? W64 : W32;
}

/* 16-bit addressing forms [SDM 2A Table 2-1] */
static void take_address16(struct decoder *d, unsigned mod, unsigned rm)
{
    static const u8 base[] = {REG_BX, REG_BX, REG_BP, REG_BP, REG_SI, REG_DI, REG_BP, REG_BX};
    static const u8 index[] = {REG_SI, REG_DI, REG_SI, REG_DI, NO_REG, NO_REG, NO_REG, NO_REG};
    struct insn *in = d->in;

    in->base = base[rm];
    in->index = index[rm];
    in->has_disp = (u8)mod;
    if (mod == 0 && rm == 6) {
        in->base = NO_REG;
        in->has_disp = 2;
    }
    in->disp = (i32)take_signed(d, in->has_disp);
    if (!d->segovr && in->base == REG_BP)
        in->seg = SEG_SS;
}

/* 32- and 64-bit addressing forms [SDM 2A Tables 2-2, 2-3] */
static void take_address32(struct decoder *d, unsigned mod, unsigned rm)
{
    struct insn *in = d->in;
    unsigned low = rm; /* the base field without REX.B, which decides the special cases */

    if (rm == 4) {
        u8 sib = (u8)take(d, 1);
        unsigned index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);

        in->scale = sib >> 6;
        in->index = index == 4 ? NO_REG : (u8)index;
        low = sib & 7;
    }
    in->base = (u8)(low | (d->rex & REX_B ? 8 : 0));
    in->has_disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (mod == 0 && low == 5) {
        in->base = NO_REG;
        in->has_disp = 4;
    }
    in->disp = (i32)take_signed(d, in->has_disp);
    if (!d->segovr && (in->base == REG_SP || in->base == REG_BP))
        in->seg = SEG_SS;
}

/* The ModR/M byte is in already; what it asks for follows. */
static void take_modrm(struct decoder *d)
{
    struct insn *in = d->in;
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;

    in->reg = (u8)((in->modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0));
    /* MOV to and from CRn, DRn: mod is ignored [SDM 2B MOV--Move to/from Control Registers] */
    if (mod == 3 || uses(d->def, OPND_Ry, OPND_Rd)) {
        in->rm = (u8)(rm | (d->rex & REX_B ? 8 : 0));
        return;
    }
    in->rm = (u8)rm;
    in->mem = true;
    if (in->adsize == W16)
        take_address16(d, mod, rm);
    else
        take_address32(d, mod, rm);
}

static u64 to_opsize(const struct insn *in, i64 v)
{
    return in->opsize == W64 ? (u64)v : in->opsize == W32 ? (u32)v : (u16)v;
}

/* An immediate goes to imm; a second one (ENTER) to imm2. */
static void take_immediate(struct decoder *d, enum operand op, bool *second)
{
    struct insn *in = d->in;
    unsigned size_z = in->opsize == W16 ? 2 : 4;

    switch (op) {
    case OPND_Ib:
    case OPND_Iw:
        if (*second)
            in->imm2 = (u16)take(d, op == OPND_Ib ? 1 : 2);
        else
            in->imm = take(d, op == OPND_Ib ? 1 : 2);
        *second = true;
        break;
    case OPND_Ibs:
        in->imm = to_opsize(in, take_signed(d, 1));
        break;
    case OPND_Iz:
        in->imm = to_opsize(in, take_signed(d, size_z));
        break;
    case OPND_Iv:
        in->imm = take(d, 1u << in->opsize);
        break;
    case OPND_I1:
        in->imm = 1;
        break;
    case OPND_I3:
        in->imm = 3;
        break;
    case OPND_Jb:
        in->imm = (u64)take_signed(d, 1);
        break;
    case OPND_Jz:
        in->imm = (u64)take_signed(d, size_z);
        break;
    case OPND_Ap:
        in->imm = take(d, size_z);
        in->imm2 = (u16)take(d, 2);
        break;
    case OPND_Ob:
    case OPND_Ov:
        in->mem = true;
        in->imm = take(d, 1u << in->adsize);
        break;
    default:
        break;
    }
}

/* Width of an operand, or NO_WIDTH if it does not say how wide the operation is. */
static u8 operand_width(enum operand op, const struct insn *in, const struct decoder *d)
{
    switch (op) {
    case OPND_Eb:
    case OPND_Mb:
    case OPND_Gb:
    case OPND_Zb:
    case OPND_Ob:
    case OPND_Xb:
    case OPND_Yb:
    case OPND_AL:
    case OPND_CL:
        return W8;
    case OPND_Ew:
    case OPND_Mw:
    case OPND_Gw:
    case OPND_Sw:
    case OPND_AX:
    case OPND_Mfi16:
        return W16;
    case OPND_EwRv:
        return in->mem ? W16 : in->opsize;
    case OPND_Ed:
    case OPND_Md:
    case OPND_Gd:
    case OPND_Rd:
    case OPND_Mfi32:
    case OPND_Mf32:
    case OPND_Wss:
    case OPND_Wd:
    case OPND_Qd:
    case OPND_Ew_d:
        return op == OPND_Ew_d && in->mem ? W16 : W32;
    case OPND_Ww:
        return W16;
    case OPND_Eb_d:
        return in->mem ? W8 : W32;
    case OPND_Mq:
    case OPND_Mfi64:
    case OPND_Mf64:
    case OPND_Wsd:
    case OPND_Wq:
    case OPND_Pq:
    case OPND_Qq:
    case OPND_Nq:
        return W64;
    case OPND_Ey:
    case OPND_Gy:
        return d->rex & REX_W ? W64 : W32;
    case OPND_Cd:
    case OPND_Dd:
    case OPND_Td:
    case OPND_Ry:
        return d->mode & MODE_LONG ? W64 : W32;
    case OPND_Gz:
    case OPND_Xz:
    case OPND_Yz:
    case OPND_eAX:
        return in->opsize == W16 ? W16 : W32;
    case OPND_Ev:
    case OPND_Gv:
    case OPND_Rv:
    case OPND_Zv:
    case OPND_Ov:
    case OPND_Xv:
    case OPND_Yv:
    case OPND_rAX:
        return in->opsize;
    default:
        return NO_WIDTH;
    }
}

static void take_operands(struct decoder *d)
{
    struct insn *in = d->in;
    bool second = false;

    if (d->def->form & FORM_HAS)
        take_modrm(d);
    in->zreg = (u8)((in->opcode & 7) | (d->rex & REX_B ? 8 : 0));
    in->width = NO_WIDTH;
    for (unsigned i = 0; i < ARRAY_LEN(d->def->op); i++) {
        enum operand op = d->def->op[i];

        if (op == OPND_None)
            break;
        take_immediate(d, op, &second);
        if (in->width == NO_WIDTH && i < 2)
            in->width = operand_width(op, in, d);
    }
    if (in->width == NO_WIDTH)
        in->width = in->opsize;
}

/* Registers that do not exist: segment 6 and 7, MOV to CS, CR1 and CR5-7 [SDM 2B MOV] */
static bool names_no_register(const struct insn *in, const struct insn_def *def)
{
    for (unsigned i = 0; i < 2; i++) {
        if (def->op[i] == OPND_Sw && (in->reg >= SEG__COUNT || (i == 0 && in->reg == SEG_CS)))
            return true;
        if (def->op[i] == OPND_Cd && in->reg != 8 && !(BIT(in->reg) & 0x1d))
            return true;
    }
    return false;
}

static void make_undefined(struct insn *in)
{
    in->id = INSN_UD2;
    in->exec = exec_of[INSN_UD2];
}

enum decode_result decode(const struct decode_table *t, const u8 *bytes, unsigned avail, u32 mode,
                          struct insn *out)
{
    struct decoder d = {
        .bytes = bytes,
        .avail = avail,
        .table = t,
        .mode = mode,
        .in = out,
    };

    *out = (struct insn){.seg = SEG_DS, .base = NO_REG, .index = NO_REG};
    take_opcode(&d);
    if (d.result == DECODE_OK)
        find_row(&d);
    if (d.result != DECODE_OK)
        return d.result;
    set_sizes(&d);
    if (d.def)
        take_operands(&d);
    if (d.result != DECODE_OK)
        return d.result;
    out->len = (u8)d.pos;
    out->exec = exec_of[out->id];
    if (!d.def)
        make_undefined(out);
    else if (names_no_register(out, d.def))
        make_undefined(out);
    else if ((out->prefix & INSN_LOCK) && !(out->mem && (d.def->attr & ATTR_Lock)))
        make_undefined(out);
    return DECODE_OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * struct insn -> Intel syntax, driven by the text and operand columns of cpu/isa.def.
 *
 * How an operand is written is data as well: a kind, the size named before its memory form and
 * the size of its register form.
 */
#include "cpu/disasm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum kind {
    K_NONE,
    K_RM,     /* general register or memory */
    K_REG,    /* general register by ModR/M reg */
    K_Z,      /* general register by opcode */
    K_FIXED,  /* general register whatever the encoding: number in arg */
    K_SEG,    /* segment register: number in arg */
    K_FILE,   /* register of another file by ModR/M reg: name in prefix */
    K_FILERM, /* the same by ModR/M r/m, or memory */
    K_ST0,
    K_STI,
    K_IMM,
    K_SIMM, /* sign-extended immediate, written with its sign */
    K_REL,
    K_FAR,
    K_MOFFS,
    K_SRC, /* string source */
    K_DST, /* string destination */
};

enum size {
    S_B,
    S_W,
    S_D,
    S_Q,
    S_T,    /* 10 bytes, BCD */
    S_F80,  /* 10 bytes, real */
    S_X,    /* 16 bytes */
    S_V,    /* operand size */
    S_Y,    /* 32, or 64 with REX.W */
    S_Z,    /* operand size, at most 32 */
    S_2V,   /* two of operand size */
    S_A,    /* as wide as addresses are (MOV CRn) */
    S_FAR,  /* far pointer */
    S_NONE, /* an address, or an area that has no name */
};

struct operand_text {
    u8 kind, mem, reg; /* mem, reg: enum size */
    u8 arg;
    const char *file;
};

// clang-format off
static const struct operand_text operand_text[OPND__COUNT] = {
    [OPND_Eb] = {K_RM, S_B, S_B},          [OPND_Ew] = {K_RM, S_W, S_W},
    [OPND_Ed] = {K_RM, S_D, S_D},          [OPND_Ev] = {K_RM, S_V, S_V},
    [OPND_Ey] = {K_RM, S_Y, S_Y},          [OPND_EwRv] = {K_RM, S_W, S_V},
    [OPND_M] = {K_RM, S_NONE, S_V},        [OPND_Ma] = {K_RM, S_2V, S_V},
    [OPND_Mp] = {K_RM, S_FAR, S_V},        [OPND_Ms] = {K_RM, S_NONE, S_V},
    [OPND_Mb] = {K_RM, S_B, S_B},          [OPND_Mw] = {K_RM, S_W, S_W},
    [OPND_Md] = {K_RM, S_D, S_D},          [OPND_Mq] = {K_RM, S_Q, S_Q},
    [OPND_Mt] = {K_RM, S_T, S_T},          [OPND_Mdq] = {K_RM, S_X, S_X},
    [OPND_Menv] = {K_RM, S_NONE, S_V},     [OPND_Mfsave] = {K_RM, S_NONE, S_V},
    [OPND_Mfx] = {K_RM, S_NONE, S_V},      [OPND_Mfi16] = {K_RM, S_W, S_W},
    [OPND_Mfi32] = {K_RM, S_D, S_D},       [OPND_Mfi64] = {K_RM, S_Q, S_Q},
    [OPND_Mf32] = {K_RM, S_D, S_D},        [OPND_Mf64] = {K_RM, S_Q, S_Q},
    [OPND_Mf80] = {K_RM, S_F80, S_F80},
    [OPND_Gb] = {K_REG, S_B, S_B},         [OPND_Gw] = {K_REG, S_W, S_W},
    [OPND_Gd] = {K_REG, S_D, S_D},         [OPND_Gv] = {K_REG, S_V, S_V},
    [OPND_Gy] = {K_REG, S_Y, S_Y},         [OPND_Gz] = {K_REG, S_Z, S_Z},
    [OPND_Sw] = {.kind = K_SEG, .arg = NO_REG},
    [OPND_Cd] = {.kind = K_FILE, .file = "cr"},
    [OPND_Dd] = {.kind = K_FILE, .file = "dr"},
    [OPND_Td] = {.kind = K_FILE, .file = "tr"},
    [OPND_Rv] = {K_RM, S_V, S_V},          [OPND_Rd] = {K_RM, S_D, S_D},
    [OPND_Ry] = {K_RM, S_A, S_A},
    [OPND_Zb] = {K_Z, S_B, S_B},           [OPND_Zv] = {K_Z, S_V, S_V},
    [OPND_Ib] = {K_IMM},                   [OPND_Ibs] = {K_SIMM},
    [OPND_Iw] = {K_IMM},                   [OPND_Iz] = {K_IMM},
    [OPND_Iv] = {K_IMM},                   [OPND_I1] = {K_IMM},
    [OPND_I3] = {K_IMM},                   [OPND_Jb] = {K_REL},
    [OPND_Jz] = {K_REL},                   [OPND_Ap] = {K_FAR},
    [OPND_Ob] = {K_MOFFS, S_B, S_B},       [OPND_Ov] = {K_MOFFS, S_V, S_V},
    [OPND_Xb] = {K_SRC, S_B, S_B},         [OPND_Xv] = {K_SRC, S_V, S_V},
    [OPND_Xz] = {K_SRC, S_Z, S_Z},         [OPND_Yb] = {K_DST, S_B, S_B},
    [OPND_Yv] = {K_DST, S_V, S_V},         [OPND_Yz] = {K_DST, S_Z, S_Z},
    [OPND_AL] = {K_FIXED, S_B, S_B, REG_AX},  [OPND_CL] = {K_FIXED, S_B, S_B, REG_CX},
    [OPND_DX] = {K_FIXED, S_W, S_W, REG_DX},  [OPND_AX] = {K_FIXED, S_W, S_W, REG_AX},
    [OPND_rAX] = {K_FIXED, S_V, S_V, REG_AX}, [OPND_eAX] = {K_FIXED, S_Z, S_Z, REG_AX},
    [OPND_ES] = {.kind = K_SEG, .arg = SEG_ES}, [OPND_CS] = {.kind = K_SEG, .arg = SEG_CS},
    [OPND_SS] = {.kind = K_SEG, .arg = SEG_SS}, [OPND_DS] = {.kind = K_SEG, .arg = SEG_DS},
    [OPND_FS] = {.kind = K_SEG, .arg = SEG_FS}, [OPND_GS] = {.kind = K_SEG, .arg = SEG_GS},
    [OPND_ST0] = {K_ST0},                  [OPND_STi] = {K_STI},
    [OPND_Pq] = {.kind = K_FILE, .file = "mm"},
    [OPND_Qq] = {.kind = K_FILERM, .mem = S_Q, .file = "mm"},
    [OPND_Qd] = {.kind = K_FILERM, .mem = S_D, .file = "mm"},
    [OPND_Nq] = {.kind = K_FILERM, .mem = S_Q, .file = "mm"},
    [OPND_Vx] = {.kind = K_FILE, .file = "xmm"},
    [OPND_Wx] = {.kind = K_FILERM, .mem = S_X, .file = "xmm"},
    [OPND_Wss] = {.kind = K_FILERM, .mem = S_D, .file = "xmm"},
    [OPND_Wsd] = {.kind = K_FILERM, .mem = S_Q, .file = "xmm"},
    [OPND_Wq] = {.kind = K_FILERM, .mem = S_Q, .file = "xmm"},
    [OPND_Wd] = {.kind = K_FILERM, .mem = S_D, .file = "xmm"},
    [OPND_Ux] = {.kind = K_FILERM, .mem = S_X, .file = "xmm"},
    [OPND_Ew_d] = {K_RM, S_W, S_D},
    [OPND_XMM0] = {K_NONE},
};
// clang-format on

struct text {
    char *out;
    size_t len, size;
};

PRINTF_LIKE(2, 3) static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->out + t->len, t->size - t->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->len += (size_t)n;
    if (t->len >= t->size)
        t->len = t->size - 1;
}

static void put_number(struct text *t, u64 v)
{
    put(t, v > 9 ? "0x%llx" : "%llu", (unsigned long long)v);
}

static enum width width_of(enum size s, const struct insn *in)
{
    switch (s) {
    case S_B:
        return W8;
    case S_W:
        return W16;
    case S_D:
        return W32;
    case S_V:
        return in->opsize;
    case S_2V:
        return (enum width)(in->opsize + 1);
    case S_Y:
        return in->opsize == W64 ? W64 : W32;
    case S_Z:
        return in->opsize == W16 ? W16 : W32;
    case S_A:
        return in->width == W64 ? W64 : W32;
    default:
        return W64;
    }
}

static void put_gpr(struct text *t, unsigned r, enum width w, bool rex)
{
    static const char low[][3] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
    static const char name[][3] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    static const char lead[] = {[W32] = 'e', [W64] = 'r'};
    static const char *const tail[] = {"b", "w", "d", ""};

    if (r >= 8)
        put(t, "r%u%s", r, tail[w]);
    else if (w == W8 && (r < 4 || !rex))
        put(t, "%s", low[r]);
    else if (w == W8)
        put(t, "%sl", name[r]);
    else if (w == W16)
        put(t, "%s", name[r]);
    else
        put(t, "%c%s", lead[w], name[r]);
}

static void put_segment(struct text *t, unsigned seg)
{
    static const char name[SEG__COUNT][3] = {"es", "cs", "ss", "ds", "fs", "gs"};

    put(t, "%s", seg < SEG__COUNT ? name[seg] : "?");
}

static void put_size(struct text *t, enum size s, const struct insn *in)
{
    static const char *const by_width[] = {"byte", "word", "dword", "qword", "xmmword"};

    if (s == S_NONE)
        return;
    if (s == S_FAR)
        put(t, "ptr ");
    else if (s == S_T || s == S_F80 || s == S_X)
        put(t, "%s ptr ", s == S_T ? "tbyte" : s == S_F80 ? "xword" : "xmmword");
    else
        put(t, "%s ptr ", by_width[width_of(s, in)]);
}

static void put_override(struct text *t, const struct insn *in)
{
    if (in->prefix & INSN_SEGOVR) {
        put_segment(t, in->seg);
        put(t, ":");
    }
}

static void put_memory(struct text *t, enum size s, const struct insn *in)
{
    static const u64 mask[] = {[W16] = 0xffff, [W32] = 0xffffffff, [W64] = ~(u64)0};
    bool reg = in->base != NO_REG || in->index != NO_REG;
    i64 disp = in->disp;

    put_size(t, s, in);
    put_override(t, in);
    put(t, "[");
    if (in->base != NO_REG)
        put_gpr(t, in->base, in->adsize, true);
    if (in->index != NO_REG) {
        if (in->base != NO_REG)
            put(t, " + ");
        put_gpr(t, in->index, in->adsize, true);
        if (in->scale)
            put(t, "*%u", 1u << in->scale);
    }
    if (!reg) {
        put_number(t, (u64)disp & mask[in->adsize]);
    } else if (disp) {
        put(t, disp < 0 ? " - " : " + ");
        put_number(t, (u64)(disp < 0 ? -disp : disp));
    }
    put(t, "]");
}

static void put_string(struct text *t, const struct operand_text *o, const struct insn *in)
{
    put_size(t, o->mem, in);
    if (o->kind == K_DST)
        put(t, "es:");
    else
        put_override(t, in);
    put(t, "[");
    put_gpr(t, o->kind == K_DST ? REG_DI : REG_SI, in->adsize, true);
    put(t, "]");
}

/* Sign-extended immediates show their sign, those of the logical operations their bits. */
static void put_signed(struct text *t, const struct insn *in)
{
    unsigned unused = 64 - (8u << in->opsize);
    i64 v = (i64)(in->imm << unused) >> unused;

    if (v < 0 && in->id != INSN_AND_Ev_Ibs && in->id != INSN_OR_Ev_Ibs &&
        in->id != INSN_XOR_Ev_Ibs) {
        put(t, "-");
        put_number(t, (u64)-v);
    } else {
        put_number(t, in->imm);
    }
}

static void put_target(struct text *t, const struct insn *in, u64 ip)
{
    u64 to = ip + in->len + in->imm;

    put_number(t, in->opsize == W16 ? (u16)to : in->opsize == W32 ? (u32)to : to);
}

static void put_register(struct text *t, const struct operand_text *o, const struct insn *in)
{
    bool rex = in->prefix & INSN_REX;
    enum width w = width_of(o->reg, in);

    switch (o->kind) {
    case K_RM:
        put_gpr(t, in->rm, w, rex);
        break;
    case K_REG:
        put_gpr(t, in->reg, w, rex);
        break;
    case K_Z:
        put_gpr(t, in->zreg, w, rex);
        break;
    case K_FIXED:
        put_gpr(t, o->arg, w, false);
        break;
    case K_SEG:
        put_segment(t, o->arg == NO_REG ? in->reg : o->arg);
        break;
    default:
        put(t, "%s%u", o->file, o->kind == K_FILE ? in->reg : in->rm);
        break;
    }
}

/* @nth: which operand. @second: an immediate has been written already. */
static void put_operand(struct text *t, unsigned nth, const struct insn *in, u64 ip, bool second)
{
    const struct operand_text *o = &operand_text[insn_def[in->id].op[nth]];

    switch (o->kind) {
    case K_RM:
    case K_FILERM:
        if (in->mem)
            put_memory(t, o->mem == S_FAR && nth == 0 ? S_NONE : o->mem, in);
        else
            put_register(t, o, in);
        break;
    case K_ST0:
        put(t, "st(0)");
        break;
    case K_STI:
        put(t, "st(%u)", in->rm);
        break;
    case K_IMM:
        put_number(t, second ? in->imm2 : in->imm);
        break;
    case K_SIMM:
        put_signed(t, in);
        break;
    case K_REL:
        put_target(t, in, ip);
        break;
    case K_FAR:
        put_number(t, in->imm2);
        put(t, ":");
        put_number(t, in->imm);
        break;
    case K_MOFFS:
        put_size(t, o->mem, in);
        put_override(t, in);
        put(t, "[");
        put_number(t, in->imm);
        put(t, "]");
        break;
    case K_SRC:
    case K_DST:
        put_string(t, o, in);
        break;
    default:
        put_register(t, o, in);
        break;
    }
}

static void put_prefixes(struct text *t, const struct insn *in, const struct insn_def *d)
{
    if (in->prefix & INSN_LOCK && in->id != INSN_UD2)
        put(t, "lock ");
    if (!(d->attr & (ATTR_Rep | ATTR_RepZ)))
        return;
    if (in->prefix & INSN_REPNE)
        put(t, "repne ");
    else if (in->prefix & INSN_REPE)
        put(t, d->attr & ATTR_RepZ ? "repe " : "rep ");
}

/* The form of the mnemonic for this operand or address size. */
static void put_mnemonic(struct text *t, const struct insn *in, const char *forms)
{
    enum width w = in->opsize;

    if (*forms == '@') {
        forms++;
        w = in->adsize;
    }
    for (; w > W16 && strchr(forms, '|'); w--)
        forms = strchr(forms, '|') + 1;
    put(t, "%.*s", (int)strcspn(forms, "|"), forms);
}

/* AAM and AAD have a base, which is named only if it is not ten. */
static bool is_hidden(const struct insn *in, enum operand op)
{
    if (in->id == INSN_AAM || in->id == INSN_AAD)
        return in->imm == 10;
    return operand_text[op].kind == K_NONE;
}

void disasm(const struct insn *in, u64 ip, char *out, size_t size)
{
    const struct insn_def *d = &insn_def[in->id];
    struct text t = {.out = out, .size = size};
    bool second = false;

    if (size == 0)
        return;
    out[0] = '\0';
    put_prefixes(&t, in, d);
    put_mnemonic(&t, in, d->text);
    for (unsigned i = 0; i < ARRAY_LEN(d->op) && d->op[i] != OPND_None; i++) {
        if (is_hidden(in, d->op[i]))
            continue;
        put(&t, i ? ", " : " ");
        put_operand(&t, i, in, ip, second);
        second |= d->op[i] == OPND_Ib || d->op[i] == OPND_Iw;
    }
}

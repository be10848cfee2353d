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
#define RM(m, r)        {.kind = K_RM, .mem = (m), .reg = (r)}
#define REG(k, r)       {.kind = (k), .reg = (r)}
#define FIXED(r, n)     {.kind = K_FIXED, .reg = (r), .arg = (n)}
#define MEM(k, m)       {.kind = (k), .mem = (m)}
#define SREG(n)         {.kind = K_SEG, .arg = (n)}
#define FILEREG(f)      {.kind = K_FILE, .file = (f)}
#define FILERM(m, f)    {.kind = K_FILERM, .mem = (m), .file = (f)}
static const struct operand_text operand_text[OPND__COUNT] = {
    [OPND_Eb] = RM(S_B, S_B),              [OPND_Ew] = RM(S_W, S_W),
    [OPND_Ed] = RM(S_D, S_D),              [OPND_Ev] = RM(S_V, S_V),
    [OPND_Ey] = RM(S_Y, S_Y),              [OPND_EwRv] = RM(S_W, S_V),
    [OPND_M] = RM(S_NONE, S_V),            [OPND_Ma] = RM(S_2V, S_V),
    [OPND_Mp] = RM(S_FAR, S_V),            [OPND_Ms] = RM(S_NONE, S_V),
    [OPND_Mb] = RM(S_B, S_B),              [OPND_Mw] = RM(S_W, S_W),
    [OPND_Md] = RM(S_D, S_D),              [OPND_Mq] = RM(S_Q, S_Q),
    [OPND_Mt] = RM(S_T, S_T),              [OPND_Mdq] = RM(S_X, S_X),
    [OPND_Menv] = RM(S_NONE, S_V),         [OPND_Mfsave] = RM(S_NONE, S_V),
    [OPND_Mfx] = RM(S_NONE, S_V),          [OPND_Mfi16] = RM(S_W, S_W),
    [OPND_Mfi32] = RM(S_D, S_D),           [OPND_Mfi64] = RM(S_Q, S_Q),
    [OPND_Mf32] = RM(S_D, S_D),            [OPND_Mf64] = RM(S_Q, S_Q),
    [OPND_Mf80] = RM(S_F80, S_F80),
    [OPND_Gb] = REG(K_REG, S_B),           [OPND_Gw] = REG(K_REG, S_W),
    [OPND_Gd] = REG(K_REG, S_D),           [OPND_Gv] = REG(K_REG, S_V),
    [OPND_Gy] = REG(K_REG, S_Y),           [OPND_Gz] = REG(K_REG, S_Z),
    [OPND_Sw] = SREG(NO_REG),
    [OPND_Cd] = FILEREG("cr"),
    [OPND_Dd] = FILEREG("dr"),
    [OPND_Td] = FILEREG("tr"),
    [OPND_Rv] = RM(S_V, S_V),              [OPND_Rd] = RM(S_D, S_D),
    [OPND_Ry] = RM(S_A, S_A),
    [OPND_Zb] = REG(K_Z, S_B),             [OPND_Zv] = REG(K_Z, S_V),
    [OPND_Ib] = {.kind = K_IMM},           [OPND_Ibs] = {.kind = K_SIMM},
    [OPND_Iw] = {.kind = K_IMM},           [OPND_Iz] = {.kind = K_IMM},
    [OPND_Iv] = {.kind = K_IMM},           [OPND_I1] = {.kind = K_IMM},
    [OPND_I3] = {.kind = K_IMM},           [OPND_Jb] = {.kind = K_REL},
    [OPND_Jz] = {.kind = K_REL},           [OPND_Ap] = {.kind = K_FAR},
    [OPND_Ob] = MEM(K_MOFFS, S_B),         [OPND_Ov] = MEM(K_MOFFS, S_V),
    [OPND_Xb] = MEM(K_SRC, S_B),           [OPND_Xv] = MEM(K_SRC, S_V),
    [OPND_Xz] = MEM(K_SRC, S_Z),           [OPND_Yb] = MEM(K_DST, S_B),
    [OPND_Yv] = MEM(K_DST, S_V),           [OPND_Yz] = MEM(K_DST, S_Z),
    [OPND_AL] = FIXED(S_B, REG_AX),        [OPND_CL] = FIXED(S_B, REG_CX),
    [OPND_DX] = FIXED(S_W, REG_DX),        [OPND_AX] = FIXED(S_W, REG_AX),
    [OPND_rAX] = FIXED(S_V, REG_AX),       [OPND_eAX] = FIXED(S_Z, REG_AX),
    [OPND_ES] = SREG(SEG_ES),              [OPND_CS] = SREG(SEG_CS),
    [OPND_SS] = SREG(SEG_SS),              [OPND_DS] = SREG(SEG_DS),
    [OPND_FS] = SREG(SEG_FS),              [OPND_GS] = SREG(SEG_GS),
    [OPND_ST0] = {.kind = K_ST0},          [OPND_STi] = {.kind = K_STI},
    [OPND_Pq] = FILEREG("mm"),
    [OPND_Qq] = FILERM(S_Q, "mm"),
    [OPND_Qd] = FILERM(S_D, "mm"),
    [OPND_Nq] = FILERM(S_Q, "mm"),
    [OPND_Vx] = FILEREG("xmm"),
    [OPND_Wx] = FILERM(S_X, "xmm"),
    [OPND_Wss] = FILERM(S_D, "xmm"),
    [OPND_Wsd] = FILERM(S_Q, "xmm"),
    [OPND_Wq] = FILERM(S_Q, "xmm"),
    [OPND_Wd] = FILERM(S_D, "xmm"),
    [OPND_Ux] = FILERM(S_X, "xmm"),
    [OPND_Ww] = FILERM(S_W, "xmm"),
    [OPND_Ew_d] = RM(S_W, S_D),
    [OPND_Eb_d] = RM(S_B, S_D),
    [OPND_XMM0] = {.kind = K_NONE},
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

/* CMPPS and its kin: the first eight predicates are part of the mnemonic. */
static bool has_predicate(const struct insn *in, const struct insn_def *d)
{
    return d->map == MAP_0F && d->opcode == 0xc2 && in->imm < 8;
}

/* "cmpps" and 2 -> "cmpleps" */
static void put_predicate(struct text *t, const struct insn *in, const char *text)
{
    static const char name[8][6] = {"eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"};

    put(t, "cmp%s%s", name[in->imm], text + 3);
}

/* AAM and AAD have a base, which is named only if it is not ten. */
static bool is_hidden(const struct insn *in, enum operand op)
{
    if (op == OPND_Ib && has_predicate(in, &insn_def[in->id]))
        return true;
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
    if (has_predicate(in, d))
        put_predicate(&t, in, d->text);
    else
        put_mnemonic(&t, in, d->text);
    for (unsigned i = 0; i < ARRAY_LEN(d->op) && d->op[i] != OPND_None; i++) {
        if (is_hidden(in, d->op[i]))
            continue;
        put(&t, i ? ", " : " ");
        put_operand(&t, i, in, ip, second);
        second |= d->op[i] == OPND_Ib || d->op[i] == OPND_Iw;
    }
}

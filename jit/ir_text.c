/* SPDX-License-Identifier: MIT */
/*
 * The text form of the intermediate form, both ways; docs/IR.md shows it. Operands come in the
 * order of the letters of ir.def's shape; what a field may contain, one table says for the printer
 * and the parser.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/ir_private.h"

static const char *const width_names[] = {"8", "16", "32", "64"};
static const char *const cond_names[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                         "s", "ns", "p", "np", "l", "ge", "le", "g"};
static const char *const seg_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const char *const shift_names[] = {"0", "1", "2", "3"};
static const char *const field_names[IR_FIELDS] = {
    "eflags", "cpl", "busy", "es", "cs", "ss", "ds", "fs", "gs",
};
static const char *const hint_names[] = {"jump", "call", "ret"};
static const char flag_letters[] = "CPAZSO";

static const struct {
    const char *const *name;
    unsigned count;
} x_names[] = {
    [IR_X_COND] = {cond_names, ARRAY_LEN(cond_names)},
    [IR_X_SEG] = {seg_names, ARRAY_LEN(seg_names)},
    [IR_X_SHIFT] = {shift_names, ARRAY_LEN(shift_names)},
    [IR_X_WIDTH] = {width_names, ARRAY_LEN(width_names)},
    [IR_X_HINT] = {hint_names, ARRAY_LEN(hint_names)},
    [IR_X_FLAG] = {shift_names, 2},
    [IR_X_FIELD] = {field_names, ARRAY_LEN(field_names)},
};

/* --- printing --- */

/* Text that may not fit; len is what it would have. */
struct out {
    char *to;
    size_t size, len;
};

static void PRINTF_LIKE(2, 3) put(struct out *o, const char *fmt, ...)
{
    bool room = o->len < o->size;
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(room ? o->to + o->len : NULL, room ? o->size - o->len : 0, fmt, args);
    va_end(args);
    if (n > 0)
        o->len += (size_t)n;
}

static void put_number(struct out *o, i64 n)
{
    put(o, "%s0x%" PRIx64, n < 0 ? "-" : "", n < 0 ? 0 - (u64)n : (u64)n);
}

static void put_value(struct out *o, const struct ir_insn *in, ir_val v)
{
    if (ir_is_temp(v))
        put(o, "t%u", v - (unsigned)IR_TEMP);
    else if (ir_is_high(v))
        put(o, "h%u", v - (unsigned)IR_HIGH);
    else if (ir_is_reg(v))
        put(o, "r%u", v - (unsigned)IR_REG);
    else if (v == IR_CONST)
        put_number(o, in->imm);
    else if (v == IR_NONE)
        put(o, "-");
    else
        put(o, "?%u", v);
}

static void put_x(struct out *o, const struct ir_insn *in)
{
    enum ir_x x = ir_x_of(in->op);

    if (in->cc < x_names[x].count)
        put(o, "%s", x_names[x].name[in->cc]);
    else
        put(o, "?%u", in->cc);
}

static void put_field(struct out *o, const struct ir_insn *in, char field)
{
    bool address = field == 'A' && ir_op_info[in->op].kind == IR_MEM;

    switch (field) {
    case 'D':
        put_value(o, in, in->d);
        break;
    case 'A':
        put(o, "%s", address ? "[" : "");
        put_value(o, in, in->a);
        put(o, "%s", address ? "]" : "");
        break;
    case 'X':
        put_x(o, in);
        break;
    case 'I':
        put_number(o, in->imm);
        break;
    default:
        put_value(o, in, in->b);
        break;
    }
}

static void put_flags(struct out *o, const char *name, u8 flags)
{
    put(o, " %s ", name);
    for (unsigned i = 0; flag_letters[i]; i++) {
        if (flags >> i & 1)
            put(o, "%c", flag_letters[i]);
    }
    if (!flags)
        put(o, "-");
}

static void put_notes(struct out *o, const struct ir_insn *in)
{
    const struct ir_op_info *op = &ir_op_info[in->op];
    bool def = op->def || in->def, use = op->use || in->use;

    if (!def && !use && !in->live && !in->seen && !in->order)
        return;
    put(o, " ;");
    if (def)
        put_flags(o, "def", in->def);
    if (use)
        put_flags(o, "use", in->use);
    if (in->live)
        put_flags(o, "live", in->live);
    if (in->seen)
        put_flags(o, "seen", in->seen);
    if (in->order == IR_ORDER_ATOMIC)
        put(o, " atomic");
}

static void put_insn(struct out *o, const struct ir_insn *in)
{
    const struct ir_op_info *op = &ir_op_info[in->op];
    const char *between = " ";

    put(o, "%s", op->text);
    if (in->w || ir_takes_width(in->op))
        put(o, ".%s", width_names[in->w & 3]);
    for (const char *s = op->shape; *s; s++) {
        put(o, "%s", between);
        put_field(o, in, *s);
        between = ", ";
    }
    put_notes(o, in);
}

void ir_print_insn(const struct ir_insn *in, char *out, size_t size)
{
    struct out o = {out, size, 0};

    if (size)
        *out = '\0';
    put_insn(&o, in);
}

size_t ir_print(const struct ir_block *b, char *out, size_t size)
{
    struct out o = {out, size, 0};
    unsigned next = 0; /* first guest instruction without its line */
    unsigned guests = b->guests < IR_MAX_GUEST ? b->guests : IR_MAX_GUEST;

    put(&o, "block 0x%" PRIx64 " fall 0x%" PRIx64 " temps %u\n", b->eip, b->fall, b->temps);
    for (unsigned i = 0; i <= b->count; i++) {
        unsigned upto = i < b->count ? b->insn[i].g + 1u : guests;
        for (; next < upto && next < guests; next++)
            put(&o, "@%u 0x%x\n", next, b->at[next]);
        if (i == b->count)
            break;
        put(&o, "    ");
        put_insn(&o, &b->insn[i]);
        put(&o, "\n");
    }
    put(&o, "end 0x%x\n", b->at[guests]);
    return o.len;
}

/* --- parsing: every take_xx() advances *@p and returns false if there is something else --- */

static void skip_blanks(const char **p)
{
    while (**p == ' ' || **p == '\t')
        (*p)++;
}

static bool take(const char **p, const char *token)
{
    size_t n = strlen(token);

    skip_blanks(p);
    if (strncmp(*p, token, n) != 0)
        return false;
    *p += n;
    return true;
}

/* One of the names, as a whole word; its number. */
static bool take_name(const char **p, const char *const *name, unsigned count, unsigned *out)
{
    skip_blanks(p);
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(name[i]);
        if (strncmp(*p, name[i], n) == 0 && !isalnum((unsigned char)(*p)[n])) {
            *p += n;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool take_number(const char **p, i64 *out)
{
    bool negative = take(p, "-");
    char *end;

    if (!isdigit((unsigned char)**p))
        return false;
    u64 n = strtoull(*p, &end, 0);
    *p = end;
    *out = (i64)(negative ? 0 - n : n);
    return true;
}

static bool take_below(const char **p, u64 limit, u64 *out)
{
    i64 n;

    if (!take_number(p, &n) || (u64)n >= limit)
        return false;
    *out = (u64)n;
    return true;
}

static bool take_value(const char **p, struct ir_insn *in, ir_val *out)
{
    static const struct {
        const char *letter;
        u8 first, count;
    } kinds[] = {{"r", IR_REG, IR_HIGH - IR_REG},
                 {"h", IR_HIGH, IR_CONST - IR_HIGH},
                 {"t", IR_TEMP, IR_TEMPS}};
    u64 n;

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!take(p, kinds[i].letter))
            continue;
        if (!take_below(p, kinds[i].count, &n))
            return false;
        *out = (ir_val)(kinds[i].first + n);
        return true;
    }
    if (**p == '-' && !isdigit((unsigned char)(*p)[1])) {
        (*p)++;
        *out = IR_NONE;
        return true;
    }
    *out = IR_CONST;
    return take_number(p, &in->imm);
}

static bool take_x(const char **p, struct ir_insn *in)
{
    enum ir_x x = ir_x_of(in->op);
    unsigned n;

    if (!take_name(p, x_names[x].name, x_names[x].count, &n))
        return false;
    in->cc = (u8)n;
    return true;
}

static bool take_field(const char **p, struct ir_insn *in, char field)
{
    bool address = field == 'A' && ir_op_info[in->op].kind == IR_MEM;

    switch (field) {
    case 'D':
        return take_value(p, in, &in->d);
    case 'A':
        return (!address || take(p, "[")) && take_value(p, in, &in->a) &&
               (!address || take(p, "]"));
    case 'X':
        return take_x(p, in);
    case 'I':
        return take_number(p, &in->imm);
    default:
        return take_value(p, in, &in->b);
    }
}

static bool take_flags(const char **p, u8 *out)
{
    const char *letter;
    bool any = take(p, "-");

    *out = 0;
    skip_blanks(p);
    while (!any && **p && (letter = strchr(flag_letters, **p)) != NULL) {
        *out |= (u8)BIT(letter - flag_letters);
        (*p)++;
    }
    return any || *out;
}

static bool take_note(const char **p, struct ir_insn *in)
{
    static const char *const names[] = {"def", "use", "live", "seen", "atomic"};
    u8 *flags[] = {&in->def, &in->use, &in->live, &in->seen};
    unsigned n;

    if (!take_name(p, names, ARRAY_LEN(names), &n))
        return false;
    if (n < ARRAY_LEN(flags))
        return take_flags(p, flags[n]);
    in->order = IR_ORDER_ATOMIC;
    return true;
}

static bool at_end(const char **p)
{
    skip_blanks(p);
    return **p == '\0';
}

static bool take_op(const char **p, unsigned *op)
{
    static const char *const texts[IR__COUNT] = {
#define IR_OP(name, text, ...) [IR_##name] = text,
#include "jit/ir.def"
    };

    return take_name(p, texts, IR__COUNT, op);
}

static bool parse_insn(const char *p, struct ir_block *b)
{
    unsigned op, w = W8;

    if (!b->guests || b->count == IR_MAX_INSNS || !take_op(&p, &op))
        return false;
    if (*p == '.') {
        p++;
        if (!take_name(&p, width_names, ARRAY_LEN(width_names), &w))
            return false;
    }
    struct ir_insn *in = ir_add(b, (enum ir_op)op, (enum width)w, b->guests - 1u);
    for (const char *s = ir_op_info[op].shape; *s; s++) {
        if ((s != ir_op_info[op].shape && !take(&p, ",")) || !take_field(&p, in, *s))
            return false;
    }
    if (take(&p, ";")) {
        do {
            if (!take_note(&p, in))
                return false;
        } while (!at_end(&p));
    }
    return at_end(&p);
}

static bool parse_block(const char *p, struct ir_block *b)
{
    u64 eip, fall, temps;

    if (!take(&p, "block") || !take_below(&p, UINT64_MAX, &eip) || !take(&p, "fall") ||
        !take_below(&p, UINT64_MAX, &fall) || !take(&p, "temps") ||
        !take_below(&p, IR_TEMPS + 1u, &temps))
        return false;
    ir_init(b, eip);
    b->fall = fall;
    b->temps = (u16)temps;
    return at_end(&p);
}

/* "@3 0x1007": what follows belongs to guest instruction 3. */
static bool parse_guest(const char *p, struct ir_block *b)
{
    u64 g, at;

    if (!take(&p, "@") || !take_below(&p, IR_MAX_GUEST, &g) || g != b->guests ||
        !take_below(&p, BIT64(32), &at))
        return false;
    b->at[b->guests++] = (u32)at;
    return at_end(&p);
}

static bool parse_end(const char *p, struct ir_block *b)
{
    u64 at;

    if (!take(&p, "end") || !take_below(&p, BIT64(32), &at))
        return false;
    b->at[b->guests] = (u32)at;
    return at_end(&p);
}

/* Which line may come. */
enum state { AT_BLOCK, IN_BLOCK, AFTER_BLOCK };

static bool parse_line(const char *line, struct ir_block *b, enum state *state)
{
    const char *p = line;

    if (at_end(&p))
        return true;
    switch (*state) {
    case AT_BLOCK:
        *state = IN_BLOCK;
        return parse_block(p, b);
    case IN_BLOCK:
        if (*p == '@')
            return parse_guest(p, b);
        if (!take(&p, "end"))
            return parse_insn(p, b);
        *state = AFTER_BLOCK;
        return parse_end(p - strlen("end"), b);
    default:
        return false;
    }
}

bool ir_parse(const char *text, struct ir_block *b, unsigned *error_line)
{
    enum state state = AT_BLOCK;
    char line[256];

    ir_init(b, 0);
    for (*error_line = 1; *text; (*error_line)++) {
        size_t n = strcspn(text, "\n");
        if (n >= sizeof(line))
            return false;
        memcpy(line, text, n);
        line[n] = '\0';
        if (!parse_line(line, b, &state))
            return false;
        text += n + (text[n] == '\n');
    }
    return state == AFTER_BLOCK;
}

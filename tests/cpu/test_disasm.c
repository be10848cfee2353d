/* SPDX-License-Identifier: MIT */
/*
 * Every row x mode x prefix x ModR/M, SIB and displacement form, decoded and disassembled by us
 * and by capstone: length and text must agree, but for what tests/cpu/capstone_differences.def
 * lists. An unlisted difference fails, and so does a listed one that no longer occurs.
 */
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "tests/cpu/decode_only.h"
#include "tests/support/check.h"

#include <capstone/capstone.h>
#include <fnmatch.h>
#include <stdio.h>

enum kind {
    VALID,  /* one of the two says that the encoding is undefined */
    LENGTH, /* the lengths differ */
    TEXT,   /* the lengths agree, the texts do not */
};

struct sample {
    u8 bytes[24];
    unsigned n;
    u32 mode;
    const struct insn_def *def; /* the row that the bytes were made from */
    u16 row;
    struct insn in; /* what decode() said */
    u32 cs_mode;    /* the mode in which capstone was asked: see ask() */
    const cs_insn *cs;
    char ours[128], theirs[256];
};

struct context {
    struct decode_table *table;
    csh cs[2]; /* 16, 32 bits */
    cs_insn *insn[2];
    unsigned long compared, unlisted;
};

#define IP 0x1000

static bool matches(const struct sample *s, const char *rows)
{
    return fnmatch(rows, s->def->id, 0) == 0;
}

static bool theirs_starts(const struct sample *s, const char *word)
{
    return strncmp(s->theirs, word, strlen(word)) == 0;
}

/* Their text is ours with @word before it. */
static bool theirs_adds(const struct sample *s, const char *word)
{
    return theirs_starts(s, word) && strcmp(s->theirs + strlen(word), s->ours) == 0;
}

static bool has(const struct sample *s, unsigned prefix)
{
    return s->in.prefix & prefix;
}

/* Their text is ours, but for an address without registers: masked to the mode's address size. */
static bool absolute_by_mode(const struct sample *s)
{
    struct insn in = s->in;
    char text[sizeof(s->ours)];

    if (!in.mem || in.base != NO_REG || in.index != NO_REG)
        return false;
    if (s->cs_mode == 0)
        in.disp = (u16)in.disp;
    else
        in.adsize = W32;
    disasm(&in, IP, text, sizeof(text));
    return strcmp(text, s->theirs) == 0;
}

/* Their text is ours, but for the upper half of the target of a branch. */
static bool target_differs_above_16(const struct sample *s)
{
    const char *theirs = s->theirs + (theirs_starts(s, "bnd ") ? 4 : 0);
    const char *a = strrchr(s->ours, ' '), *b = strrchr(theirs, ' ');

    if (!a || !b || a - s->ours != b - theirs || strncmp(s->ours, theirs, (size_t)(b - theirs)))
        return false;
    return ((strtoul(a, NULL, 0) ^ strtoul(b, NULL, 0)) & 0xffff) == 0;
}

static const char *const reasons[] = {
#define DIFF(kind, rows, condition, reason) rows ": " reason,
#include "tests/cpu/capstone_differences.def"
#undef DIFF
    NULL,
};
static unsigned long hits[ARRAY_LEN(reasons)];

static bool listed(const struct sample *s, enum kind kind)
{
    unsigned i = 0;

#define DIFF(k, rows, condition, reason)                                                           \
    if (kind == (k) && matches(s, rows) && (condition)) {                                          \
        hits[i]++;                                                                                 \
        return true;                                                                               \
    }                                                                                              \
    i++;
#include "tests/cpu/capstone_differences.def"
#undef DIFF
    (void)i;
    return false;
}

static void differ(struct context *c, const struct sample *s, enum kind kind)
{
    static const char *const name[] = {"validity", "length", "text"};
    static u16 last_row = 0xffff;
    static unsigned of_row;

    if (listed(s, kind))
        return;
    c->unlisted++;
    of_row = last_row == s->row ? of_row + 1 : 0;
    last_row = s->row;
    if (of_row > 2)
        return; /* a row that is wrong is usually wrong everywhere */
    printf("%s %s, %u bits:", s->def->id, name[kind], s->mode ? 32 : 16);
    for (unsigned i = 0; i < s->n && i < 12; i++)
        printf(" %02x", s->bytes[i]);
    printf("\n    ours   %2u \"%s\"\n    theirs %2u \"%s\"\n", s->in.len, s->ours,
           s->cs ? s->cs->size : 0, s->cs ? s->theirs : "invalid");
}

/*
 * capstone ignores mandatory prefixes in 16-bit code. Those rows do not depend on the operand
 * size, so it is asked about 32-bit code with the other address size, and @size is corrected.
 */
static const cs_insn *ask(struct context *c, struct sample *s, unsigned *size)
{
    u8 bytes[sizeof(s->bytes) + 1] = {0x67};
    unsigned m = s->mode == MODE_CS32, removed = 0;
    const uint8_t *code = bytes;
    size_t left = s->n + 1;
    uint64_t ip = IP;

    *size = 0;
    memcpy(bytes + 1, s->bytes, s->n);
    s->cs_mode = s->mode;
    if (m == 0 && !(s->def->pfx & PFX_NP)) {
        m = 1;
        s->cs_mode = MODE_CS32;
        if (has(s, INSN_ADSIZE)) {
            u8 *at = memchr(bytes + 1, 0x67, s->n);

            memmove(bytes + 2, bytes + 1, (size_t)(at - bytes - 1));
            removed = 2;
        }
    } else {
        removed = 1;
    }
    code += removed;
    left -= removed;
    if (!cs_disasm_iter(c->cs[m], &code, &left, &ip, c->insn[m]))
        return NULL;
    *size = c->insn[m]->size + removed - 1u;
    return c->insn[m];
}

static void compare(struct context *c, struct sample *s)
{
    unsigned size;
    bool undefined;

    c->compared++;
    if (decode(c->table, s->bytes, s->n < 15 ? s->n : 15, s->mode, &s->in) != DECODE_OK)
        fail_msg("%s: not decoded", s->def->id);
    undefined = s->in.id != s->row || (s->in.id == INSN_UD2 && has(s, INSN_LOCK));
    if (undefined && s->in.id != INSN_UD2)
        fail_msg("%s: decoded as %s", s->def->id, insn_def[s->in.id].id);
    disasm(&s->in, IP, s->ours, sizeof(s->ours));
    s->cs = ask(c, s, &size);
    s->theirs[0] = '\0';
    if (s->cs)
        snprintf(s->theirs, sizeof(s->theirs), "%s%s%s", s->cs->mnemonic,
                 s->cs->op_str[0] ? " " : "", s->cs->op_str);
    if (undefined != !s->cs)
        differ(c, s, VALID);
    else if (undefined)
        return;
    else if (s->in.len != size)
        differ(c, s, LENGTH);
    else if (strcmp(s->ours, s->theirs) != 0)
        differ(c, s, TEXT);
}

/* What stands before the opcode besides a mandatory prefix. */
static const struct prefixes {
    u8 byte[2];
    u8 n;
} prefixes[] = {
    {{0}, 0},    {{0x66}, 1},       {{0x67}, 1},       {{0x66, 0x67}, 2}, {{0x26}, 1}, {{0x2e}, 1},
    {{0x36}, 1}, {{0x3e}, 1},       {{0x64}, 1},       {{0x65}, 1},       {{0xf0}, 1}, {{0xf2}, 1},
    {{0xf3}, 1}, {{0xf0, 0x66}, 2}, {{0x67, 0x64}, 2}, {{0xf2, 0x66}, 2},
};

/* What follows: displacements and immediates, positive, negative, zero. */
static const u8 tails[][10] = {
    {0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 0x89, 0x9a},
    {0x01, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78, 0x09, 0x1a},
    {0},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x0a, 0x00, 0x00, 0x80, 0x0a, 0x00, 0x00, 0x80, 0x0a, 0x00},
};

static const u8 some_sibs[] = {0x00, 0x24, 0x25, 0x65, 0xe5, 0x2d, 0xad, 0x6c, 0xd1, 0x98, 0x44};

static void put_byte(struct sample *s, u8 byte)
{
    s->bytes[s->n++] = byte;
}

/* Prefixes, mandatory prefix and opcode. False: these prefixes select another row. */
static bool put_head(struct sample *s, const struct prefixes *p, u8 opcode)
{
    static const u8 mandatory[] = {[PFX_IX_66] = 0x66, [PFX_IX_F3] = 0xf3, [PFX_IX_F2] = 0xf2};
    unsigned pfx = s->def->pfx, effective = PFX_IX_NP;

    s->n = 0;
    for (unsigned i = 0; i < p->n; i++)
        put_byte(s, p->byte[i]);
    if (!(pfx & PFX_NP))
        for (unsigned i = PFX_IX_66; i < PFX__COUNT; i++)
            if (pfx == BIT(i))
                put_byte(s, mandatory[i]);
    for (unsigned i = 0; i < s->n; i++) {
        if (s->bytes[i] == 0xf2 || s->bytes[i] == 0xf3)
            effective = s->bytes[i] == 0xf2 ? PFX_IX_F2 : PFX_IX_F3;
        else if (s->bytes[i] == 0x66 && effective == PFX_IX_NP)
            effective = PFX_IX_66;
    }
    if (s->def->map != MAP_1B)
        put_byte(s, 0x0f);
    if (s->def->map == MAP_0F38 || s->def->map == MAP_0F3A)
        put_byte(s, s->def->map == MAP_0F38 ? 0x38 : 0x3a);
    put_byte(s, opcode);
    return pfx & BIT(effective);
}

static bool fits(u32 form, u8 modrm)
{
    if (form & (modrm >= 0xc0 ? FORM_MEM : FORM_REG))
        return false;
    return ((modrm ^ form) & (form >> 8) & 0xff) == 0;
}

static void with_tails(struct context *c, struct sample *s, unsigned first, unsigned last)
{
    unsigned head = s->n;

    for (unsigned i = first; i <= last; i++) {
        memcpy(s->bytes + head, tails[i], sizeof(tails[i]));
        s->n = head + sizeof(tails[i]);
        compare(c, s);
    }
    s->n = head;
}

/*
 * One row at one opcode with the prefixes numbered @p: every tail without prefixes, and one of
 * two by turns with them.
 */
static void with_prefixes(struct context *c, struct sample *s, unsigned p, bool all_sibs)
{
    unsigned first = p & 1, last = p ? first : ARRAY_LEN(tails) - 1, head = s->n;
    unsigned sib_count = all_sibs ? 256 : ARRAY_LEN(some_sibs);

    if (!(s->def->form & FORM_HAS)) {
        with_tails(c, s, 0, ARRAY_LEN(tails) - 1);
        return;
    }
    for (unsigned modrm = 0; modrm < 256; modrm++) {
        if (!fits(s->def->form, (u8)modrm))
            continue;
        s->n = head;
        put_byte(s, (u8)modrm);
        if (modrm >= 0xc0 || (modrm & 7) != 4) {
            with_tails(c, s, first, last);
            continue;
        }
        for (unsigned i = 0; i < sib_count; i++) {
            s->n = head + 1;
            put_byte(s, all_sibs ? (u8)i : some_sibs[i]);
            with_tails(c, s, first, all_sibs ? first : last);
        }
    }
}

static bool has_z(const struct insn_def *d)
{
    for (unsigned i = 0; i < ARRAY_LEN(d->op); i++)
        if (d->op[i] == OPND_Zb || d->op[i] == OPND_Zv)
            return true;
    return false;
}

static void test_row(struct context *c, u16 row)
{
    struct sample s = {.def = &insn_def[row], .row = row};
    unsigned last = has_z(s.def) ? s.def->opcode | 7u : s.def->opcode;
    bool all_sibs = row == INSN_LEA || row == INSN_MOV_Gv_Ev;

    for (unsigned opcode = s.def->opcode; opcode <= last; opcode++)
        for (unsigned m = 0; m < 2; m++)
            for (unsigned p = 0; p < ARRAY_LEN(prefixes); p++) {
                s.mode = m ? MODE_CS32 : 0;
                if (put_head(&s, &prefixes[p], (u8)opcode))
                    with_prefixes(c, &s, p, all_sibs);
            }
}

static void rows_agree_with_capstone(void **state)
{
    struct context c = {.compared = 0};
    bool stale = false;

    (void)state;
    assert_int_equal(decode_table_create(&c.table, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned m = 0; m < 2; m++) {
        assert_int_equal(cs_open(CS_ARCH_X86, m ? CS_MODE_32 : CS_MODE_16, &c.cs[m]), CS_ERR_OK);
        c.insn[m] = cs_malloc(c.cs[m]);
    }
    for (u16 row = 0; row < INSN__COUNT; row++)
        test_row(&c, row);
    for (unsigned m = 0; m < 2; m++) {
        cs_free(c.insn[m], 1);
        cs_close(&c.cs[m]);
    }
    decode_table_destroy(c.table);
    printf("%lu encodings compared\n", c.compared);
    for (unsigned i = 0; reasons[i]; i++) {
        if (hits[i])
            continue;
        printf("listed, but does not occur: %s\n", reasons[i]);
        stale = true;
    }
    assert_int_equal(c.unlisted, 0);
    assert_false(stale);
}

/* What the list excuses, and 64-bit registers: nothing else checks these texts. */
static void texts_of_our_own(void **state)
{
    static const struct {
        u32 mode;
        u8 bytes[8];
        const char *text;
    } cases[] = {
        {0, {0x98}, "cbw"},
        {0, {0x66, 0x98}, "cwde"},
        {0, {0x99}, "cwd"},
        {0, {0x66, 0x99}, "cdq"},
        {MODE_CS32, {0x66, 0x67, 0x98}, "cbw"},
        {MODE_CS32, {0xf2, 0xa5}, "repne movsd dword ptr es:[edi], dword ptr [esi]"},
        {0, {0xc8, 0xff, 0xff, 0xfe}, "enter 0xffff, 0xfe"},
        {MODE_CS32, {0x0f, 0x03, 0x01}, "lsl eax, word ptr [ecx]"},
        {MODE_CS32, {0xdd, 0x20}, "frstor [eax]"},
        {MODE_CS32, {0xdd, 0x30}, "fnsave [eax]"},
        {MODE_CS32, {0xdd, 0x38}, "fnstsw word ptr [eax]"},
        {MODE_CS32, {0x0f, 0x62, 0x08}, "punpckldq mm1, dword ptr [eax]"},
        {MODE_CS32, {0x0f, 0x2f, 0x08}, "comiss xmm1, dword ptr [eax]"},
        {MODE_CS32, {0x66, 0x0f, 0x2f, 0x08}, "comisd xmm1, qword ptr [eax]"},
        {0, {0x0f, 0x18, 0x20}, "nop word ptr [bx + si]"},
        {0, {0x0f, 0x19, 0xc1}, "nop cx"},
        {0, {0x0f, 0xb9, 0xc1}, "ud1 ax, cx"},
        {0, {0x0f, 0xff, 0xc1}, "ud0 ax, cx"},
        {0, {0x67, 0x64, 0xe3, 0xfc}, "jecxz 0x1000"},
        {0, {0x66, 0xe9, 0xfa, 0xff, 0x00, 0x00}, "jmp 0x11000"},
        {MODE_CS32, {0x66, 0xe9, 0x00, 0xf0}, "jmp 4"},
        {0, {0x67, 0xa1, 0x78, 0x56, 0x34, 0x12}, "mov ax, word ptr [0x12345678]"},
        {MODE_CS32, {0x67, 0x8b, 0x06, 0xf0, 0xff}, "mov eax, dword ptr [0xfff0]"},
        {MODE_LONG, {0x4d, 0x89, 0xc8}, "mov r8, r9"},
        {MODE_LONG, {0x40, 0x88, 0xf4}, "mov spl, sil"},
    };
    struct decode_table *t;

    (void)state;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct insn in;
        char text[128];

        assert_int_equal(decode(t, cases[i].bytes, sizeof(cases[i].bytes), cases[i].mode, &in),
                         DECODE_OK);
        disasm(&in, IP, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
    decode_table_destroy(t);
}

static void output_is_cut_to_size(void **state)
{
    struct decode_table *t;
    struct insn in;
    char out[16];

    (void)state;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    assert_int_equal(decode(t, (const u8[]){0x8b, 0x44, 0xbe, 0x80}, 4, MODE_CS32, &in), DECODE_OK);
    memset(out, 'x', sizeof(out));
    disasm(&in, 0, out, 0);
    assert_int_equal(out[0], 'x');
    disasm(&in, 0, out, 8);
    assert_string_equal(out, "mov eax");
    assert_int_equal(out[8], 'x');
    disasm(&in, 0, out, 1);
    assert_string_equal(out, "");
    decode_table_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_agree_with_capstone),
        cmocka_unit_test(texts_of_our_own),
        cmocka_unit_test(output_is_cut_to_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A failing case made as plain as it can be while it still fails, and printed to be kept. */
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "tests/isa/oracle.h"

struct minimiser {
    struct oracle_case *c;
    struct oracle_image *im;
    oracle_differs_fn *differs;
    void *ctx;
};

/** Keep a change of one word if the case still fails. */
static bool try_word(struct minimiser *m, unsigned i, u32 value)
{
    u32 old = m->im->word[i];

    if (value == old)
        return false;
    m->im->word[i] = value;
    if (m->differs(m->ctx, m->c, m->im))
        return true;
    m->im->word[i] = old;
    return false;
}

/** Leave out what stands before the opcode, byte by byte. */
static bool drop_prefixes(struct minimiser *m)
{
    bool dropped = false;

    for (unsigned i = 0; i + 1 < m->c->len; i++) {
        struct oracle_case old = *m->c;
        memmove(m->c->bytes + i, m->c->bytes + i + 1, sizeof(old.bytes) - i - 1);
        m->c->bytes[sizeof(old.bytes) - 1] = 0xcc;
        m->c->len--;
        if (m->differs(m->ctx, m->c, m->im)) {
            dropped = true;
            i--;
            continue;
        }
        *m->c = old;
        break;
    }
    return dropped;
}

/** To the default, else to fewer and fewer bits. */
static bool simplify_word(struct minimiser *m, unsigned i, u32 plain)
{
    bool simpler = try_word(m, i, plain);

    for (unsigned bit = 32; bit-- > 0 && m->im->word[i] != plain;)
        if ((m->im->word[i] ^ plain) & BIT(bit))
            simpler |= try_word(m, i, m->im->word[i] ^ BIT(bit));
    return simpler;
}

void oracle_minimise(struct oracle_case *c, struct oracle_image *im, oracle_differs_fn *differs,
                     void *ctx)
{
    enum { ROUNDS = 4 };
    struct minimiser m = {.c = c, .im = im, .differs = differs, .ctx = ctx};
    static struct oracle_image plain;
    bool simpler = true;

    image_default(c->mode, &plain);
    if (!c->fpu)
        memset(plain.word + IMAGE_FX, 0, sizeof(c->fx));
    for (unsigned round = 0; round < ROUNDS && simpler; round++) {
        simpler = drop_prefixes(&m);
        for (unsigned i = 0; i < IMAGE__WORDS; i++)
            if (i != IMAGE_EIP && im->word[i] != plain.word[i])
                simpler |= simplify_word(&m, i, plain.word[i]);
    }
}

static void print_word(unsigned i, u32 value)
{
    static const char *const names[] = {"EAX", "ECX", "EDX", "EBX",   "ESP",   "EBP", "ESI",
                                        "EDI", "EIP", "EFL", "FAULT", "ERROR", "CR2"};

    if (i < ARRAY_LEN(names))
        printf(" R(%s, 0x%x)", names[i], value);
    else if (i < IMAGE_FX)
        printf(" R(SEG + %u, 0x%x)", i - IMAGE_SEG, value);
    else if (i < IMAGE_DATA)
        printf(" FX(%u, 0x%x)", (i - IMAGE_FX) * 4, value);
    else if (i < IMAGE_STACK)
        printf(" M(0x%x, 0x%x)", ARENA_DATA + (i - IMAGE_DATA) * 4, value);
    else
        printf(" M(0x%x, 0x%x)", ARENA_STACK + (i - IMAGE_STACK) * 4, value);
}

static void print_difference(const struct oracle_image *from, const struct oracle_image *to)
{
    for (unsigned i = 0; i < IMAGE__WORDS; i++)
        if (from->word[i] != to->word[i])
            print_word(i, to->word[i]);
}

void oracle_print_case(const struct oracle_case *c, const struct oracle_image *in,
                       const struct oracle_image *result)
{
    static const char *const modes[] = {"FLAT32", "CODE16", "MIXED"};
    static const char *const stops[] = {"TRAP", "INT3", "JUMP"};
    static struct oracle_image from;

    printf("CASE(%s, %s, %s, %s, B(", insn_def[c->row].id, modes[c->mode], stops[c->stop],
           c->rep ? "true" : "false");
    for (unsigned i = 0; i < c->len; i++)
        printf("%s0x%02x", i ? ", " : "", c->bytes[i]);
    printf("),\n     IN(");
    image_default(c->mode, &from);
    if (!c->fpu)
        memset(from.word + IMAGE_FX, 0, sizeof(c->fx));
    print_difference(&from, in);
    printf("),\n     OUT(");
    image_of_nothing_done(c, in, &from);
    print_difference(&from, result);
    printf("))\n");
}

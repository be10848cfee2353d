/* SPDX-License-Identifier: MIT */
/* Inputs and results as one array of words, and what differs between two of them as bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tests/isa/oracle.h"

enum { FX_TAGS = 4, FX_MXCSR = 24, MXCSR_RESET = 0x1f80, CONTROL_RESET = 0x37f };

void image_default(enum oracle_mode mode, struct oracle_image *im)
{
    memset(im, 0, sizeof(*im));
    im->word[IMAGE_EIP] = ARENA_CODE + 0x100 - oracle_segments[mode][SEG_CS].base;
    im->word[IMAGE_EFLAGS] = FL_I | 2;
    im->word[IMAGE_FX] = CONTROL_RESET;
    im->word[IMAGE_FX + FX_MXCSR / 4] = MXCSR_RESET;
}

static void windows_to_image(const struct oracle_memory *mem, struct oracle_image *im)
{
    memcpy(im->word + IMAGE_DATA, mem->data, ARENA_WINDOW);
    memcpy(im->word + IMAGE_STACK, mem->stack, ARENA_WINDOW);
}

static void image_to_windows(const struct oracle_image *im, const struct oracle_memory *mem)
{
    memcpy(mem->data, im->word + IMAGE_DATA, ARENA_WINDOW);
    memcpy(mem->stack, im->word + IMAGE_STACK, ARENA_WINDOW);
}

void image_of_input(const struct oracle_case *c, const struct oracle_memory *mem,
                    struct oracle_image *im)
{
    memset(im, 0, sizeof(*im));
    memcpy(im->word + IMAGE_GPR, c->in.gpr, sizeof(c->in.gpr));
    im->word[IMAGE_EIP] = c->in.eip;
    im->word[IMAGE_EFLAGS] = c->in.eflags;
    if (c->fpu)
        memcpy(im->word + IMAGE_FX, c->fx, sizeof(c->fx));
    windows_to_image(mem, im);
}

void image_to_input(const struct oracle_image *im, struct oracle_case *c,
                    const struct oracle_memory *mem)
{
    memcpy(c->in.gpr, im->word + IMAGE_GPR, sizeof(c->in.gpr));
    c->in.eip = im->word[IMAGE_EIP];
    c->in.eflags = im->word[IMAGE_EFLAGS];
    memcpy(c->fx, im->word + IMAGE_FX, sizeof(c->fx));
    image_to_windows(im, mem);
}

void image_of_nothing_done(const struct oracle_case *c, const struct oracle_image *in,
                           struct oracle_image *im)
{
    *im = *in;
    im->word[IMAGE_EIP] += c->len;
    im->word[IMAGE_EFLAGS] &= IMAGE_FLAGS;
    for (unsigned seg = 0; seg < SEG__COUNT; seg++)
        im->word[IMAGE_SEG + seg] = oracle_segments[c->mode][seg].selector;
}

/** What the comparison looks at; the rest as it was. */
static void fpu_to_image(const struct oracle_case *c, const u8 *fx, u8 *to)
{
    enum { FX_ST = 32, FX_XMM = 160, REGISTER = 16, EXTENDED = 10 };

    memcpy(to, c->fx, sizeof(c->fx));
    memcpy(to, fx, FX_TAGS + 1);
    store16(to + FX_MXCSR, load16(fx + FX_MXCSR));
    for (unsigned i = FX_ST; i < FX_XMM; i += REGISTER)
        memcpy(to + i, fx + i, EXTENDED);
    memcpy(to + FX_XMM, fx + FX_XMM, REGISTER * 8);
}

void image_of_result(const struct oracle_case *c, const struct oracle_result *r,
                     const struct oracle_memory *mem, struct oracle_image *im)
{
    memset(im, 0, sizeof(*im));
    memcpy(im->word + IMAGE_GPR, r->regs.gpr, sizeof(r->regs.gpr));
    im->word[IMAGE_EIP] = r->regs.eip;
    im->word[IMAGE_EFLAGS] = r->regs.eflags & IMAGE_FLAGS;
    if (r->fault) {
        im->word[IMAGE_FAULT] = IMAGE_FAULTED | r->vector;
        im->word[IMAGE_ERROR] = r->error;
        im->word[IMAGE_CR2] = r->cr2;
    }
    for (unsigned seg = 0; seg < SEG__COUNT; seg++)
        im->word[IMAGE_SEG + seg] = r->selector[seg];
    if (c->fpu)
        fpu_to_image(c, r->fx, (u8 *)(im->word + IMAGE_FX));
    windows_to_image(mem, im);
}

void image_to_result(const struct oracle_image *im, struct oracle_result *r,
                     const struct oracle_memory *mem)
{
    memset(r, 0, sizeof(*r));
    memcpy(r->regs.gpr, im->word + IMAGE_GPR, sizeof(r->regs.gpr));
    r->regs.eip = im->word[IMAGE_EIP];
    r->regs.eflags = im->word[IMAGE_EFLAGS];
    r->fault = im->word[IMAGE_FAULT] & IMAGE_FAULTED;
    r->vector = (u8)im->word[IMAGE_FAULT];
    r->error = im->word[IMAGE_ERROR];
    r->cr2 = im->word[IMAGE_CR2];
    for (unsigned seg = 0; seg < SEG__COUNT; seg++)
        r->selector[seg] = (u16)im->word[IMAGE_SEG + seg];
    memcpy(r->fx, im->word + IMAGE_FX, sizeof(r->fx));
    image_to_windows(im, mem);
}

u32 image_hash(const struct oracle_case *c, const struct oracle_image *im)
{
    u32 h = 0x811c9dc5; /* FNV-1a, by words */

    for (unsigned i = 0; i < sizeof(c->bytes); i++)
        h = (h ^ c->bytes[i]) * 0x01000193;
    for (unsigned i = 0; i < IMAGE__WORDS; i++)
        h = (h ^ im->word[i]) * 0x01000193;
    return h ^ h >> 16;
}

/* Differences as bytes: for each word that differs, its distance from the last one, and the two
 * values' exclusive or; both as little-endian base-128 numbers. A distance of 0 is the end. */

void vector_put(struct vector_bytes *v, u32 n)
{
    if (v->len + 5 > v->room) {
        v->room = v->room ? 2 * v->room : 1u << 16;
        v->byte = realloc(v->byte, v->room);
        if (!v->byte)
            abort();
    }
    for (; n > 0x7f; n >>= 7)
        v->byte[v->len++] = (u8)(n | 0x80);
    v->byte[v->len++] = (u8)n;
}

u32 vector_get(struct vector_bytes *v)
{
    u32 n = 0;

    for (unsigned shift = 0; shift < 32 && v->at < v->len; shift += 7) {
        u8 byte = v->byte[v->at++];
        n |= (u32)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return n;
    }
    v->damaged = true;
    return 0;
}

void vector_put_difference(struct vector_bytes *v, const struct oracle_image *from,
                           const struct oracle_image *to)
{
    u32 last = 0;

    for (u32 i = 0; i < IMAGE__WORDS; i++) {
        if (from->word[i] == to->word[i])
            continue;
        vector_put(v, i + 1 - last);
        vector_put(v, from->word[i] ^ to->word[i]);
        last = i + 1;
    }
    vector_put(v, 0);
}

void vector_get_difference(struct vector_bytes *v, struct oracle_image *im)
{
    u32 at = 0, step;

    while ((step = vector_get(v)) != 0) {
        at += step;
        u32 flip = vector_get(v);
        if (at == 0 || at > IMAGE__WORDS) {
            v->damaged = true;
            return;
        }
        im->word[at - 1] ^= flip;
    }
}

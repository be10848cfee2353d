/* SPDX-License-Identifier: MIT */
#include "tests/isa/moo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

/** The inside of one chunk, consumed from the front. */
struct chunk {
    const u8 *at, *end;
    const u8 *tag;
};

static bool take(struct chunk *c, unsigned n, u32 *out)
{
    if ((size_t)(c->end - c->at) < n)
        return false;
    *out = (u32)load_le(c->at, n);
    c->at += n;
    return true;
}

static bool next_chunk(struct chunk *in, struct chunk *out)
{
    u32 tag, length;

    out->tag = in->at;
    if (!take(in, 4, &tag) || !take(in, 4, &length) || (size_t)(in->end - in->at) < length)
        return false;
    out->at = in->at;
    out->end = in->at + length;
    in->at += length;
    return true;
}

static bool is(const struct chunk *c, const char *tag)
{
    return memcmp(c->tag, tag, 4) == 0;
}

static bool take_regs(struct chunk *c, u16 *regs)
{
    u32 mask, v;

    if (!take(c, 2, &mask) || mask >> MOO__COUNT)
        return false;
    for (unsigned r = 0; r < MOO__COUNT; r++) {
        if (!(mask >> r & 1))
            continue;
        if (!take(c, 2, &v))
            return false;
        regs[r] = (u16)v;
    }
    return true;
}

static bool take_ram(struct chunk *c, struct moo_ram *ram)
{
    if (!take(c, 4, &ram->count) || (size_t)(c->end - c->at) / 5 < ram->count)
        return false;
    ram->at = c->at;
    for (u32 i = 0; i < ram->count; i++)
        if (moo_ram_address(ram, i) >> MOO_ADDRESS_BITS)
            return false;
    return true;
}

static bool take_state(struct chunk *state, u16 *regs, struct moo_ram *ram)
{
    struct chunk c;

    while (state->at != state->end) {
        if (!next_chunk(state, &c))
            return false;
        if (is(&c, "REGS") && !take_regs(&c, regs))
            return false;
        if (is(&c, "RAM ") && !take_ram(&c, ram))
            return false;
    }
    return true;
}

static bool take_part(struct chunk *c, struct moo_test *t)
{
    u32 vector;

    if (is(c, "BYTS")) {
        t->bytes = c->at + 4;
        return take(c, 4, &t->length) && t->length <= (size_t)(c->end - c->at);
    }
    if (is(c, "INIT")) {
        bool ok = take_state(c, t->before, &t->ram_before);
        memcpy(t->after, t->before, sizeof(t->after));
        return ok;
    }
    if (is(c, "FINA"))
        return take_state(c, t->after, &t->ram_after);
    if (!is(c, "EXCP"))
        return true;
    t->fault = true;
    if (!take(c, 1, &vector))
        return false;
    t->vector = (u8)vector;
    return true;
}

bool moo_open(struct moo_file *f, const char *path)
{
    FILE *in = fopen(path, "rb");
    long size = -1;

    *f = (struct moo_file){0};
    if (!in)
        return false;
    if (fseek(in, 0, SEEK_END) == 0)
        size = ftell(in);
    if (size > 0 && fseek(in, 0, SEEK_SET) == 0)
        f->bytes = malloc((size_t)size);
    if (f->bytes)
        f->size = fread(f->bytes, 1, (size_t)size, in);
    fclose(in);
    return f->bytes != NULL;
}

void moo_close(struct moo_file *f)
{
    free(f->bytes);
}

bool moo_next(struct moo_file *f, struct moo_test *t)
{
    struct chunk file = {.at = f->bytes + f->pos, .end = f->bytes + f->size}, test, part;

    do {
        f->pos = (size_t)(file.at - f->bytes);
        if (file.at == file.end || !next_chunk(&file, &test))
            return false;
    } while (!is(&test, "TEST"));
    *t = (struct moo_test){0};
    if (!take(&test, 4, &t->index))
        return false;
    while (test.at != test.end)
        if (!next_chunk(&test, &part) || !take_part(&part, t))
            return false;
    f->pos = (size_t)(file.at - f->bytes);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "jit/tables.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"

size_t jit_tables_size(const struct jit_block *b)
{
    return (size_t)(jit_sites(b) + b->site_bytes - (const u8 *)b);
}

u32 jit_block_eip(const struct jit_block *b, unsigned g)
{
    u32 eip = b->eip;

    for (unsigned i = 0; i < g; i++)
        eip += b->insn[i].len;
    return eip;
}

/*
 * A site: a byte of what follows it, the distance from the site before, and the guest instruction.
 *
 * The distance is a byte or, with PACK_FAR, two. Then come, of a recipe that is not RECIPE_STORED,
 * its places, and its number, if it is not 0: a byte or four; and what is known of the x87 unit.
 */
enum {
    PACK_KIND = 15, /* enum recipe_kind */
    PACK_FAR = BIT(4),
    PACK_BYTE = BIT(5),
    PACK_NUMBER = BIT(6),
    PACK_FP = BIT(7),
};
enum { PACK_WIDTH_SHIFT = 5, PACK_PLACE = BIT(PACK_WIDTH_SHIFT) - 1 };

static u8 *put(u8 *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static u8 *pack_recipe(u8 *to, u8 *what, const struct recipe *r)
{
    *what |= r->kind;
    if (r->kind == RECIPE_STORED)
        return to;
    assert(r->a <= PACK_PLACE);
    *to++ = (u8)(r->w << PACK_WIDTH_SHIFT | (r->a & PACK_PLACE));
    *to++ = r->b;
    if (r->imm == (i8)r->imm && r->imm) {
        *what |= PACK_BYTE;
        *to++ = (u8)r->imm;
    } else if (r->imm) {
        *what |= PACK_NUMBER;
        to = put(to, &r->imm, sizeof(r->imm));
    }
    return to;
}

static u8 *pack_fp(u8 *to, u8 *what, const struct jit_fp_site *fp)
{
    if (!fp->last && !fp->memory && !fp->gate && !fp->raised && !fp->missed)
        return to;
    *what |= PACK_FP;
    *to++ = fp->last;
    *to++ = fp->memory;
    *to++ = (u8)(fp->gate | fp->raised << 1 | fp->missed << 2);
    return to;
}

static u8 *pack(u8 *to, const struct jit_site *s, u32 distance)
{
    u8 *what = to++;

    *what = 0;
    *to++ = (u8)distance;
    if (distance > UINT8_MAX) {
        *what |= PACK_FAR;
        *to++ = (u8)(distance >> 8);
    }
    *to++ = s->g;
    to = pack_recipe(to, what, &s->flags);
    return pack_fp(to, what, &s->fp);
}

size_t jit_sites_pack(u8 *to, const struct jit_site *site, unsigned count)
{
    const u8 *start = to;
    u32 off = 0;

    for (unsigned i = 0; i < count; i++) {
        assert(site[i].off >= off && site[i].off - off <= UINT16_MAX);
        to = pack(to, &site[i], site[i].off - off);
        off = site[i].off;
    }
    return (size_t)(to - start);
}

static const u8 *unpack_recipe(const u8 *at, u8 what, struct recipe *r)
{
    *r = (struct recipe){.kind = what & PACK_KIND};
    if (r->kind == RECIPE_STORED)
        return at;
    r->w = *at >> PACK_WIDTH_SHIFT;
    r->a = *at++ & PACK_PLACE;
    r->b = *at++;
    if (what & PACK_BYTE) {
        r->imm = (i8)*at++;
    } else if (what & PACK_NUMBER) {
        memcpy(&r->imm, at, sizeof(r->imm));
        at += sizeof(r->imm);
    }
    return at;
}

static const u8 *unpack(const u8 *at, u32 before, struct jit_site *s)
{
    u8 what = *at++;

    s->off = before + *at++;
    if (what & PACK_FAR)
        s->off += (u32)*at++ << 8;
    s->g = *at++;
    at = unpack_recipe(at, what, &s->flags);
    s->fp = (struct jit_fp_site){0};
    if (what & PACK_FP) {
        s->fp = (struct jit_fp_site){at[0], at[1], at[2] & 1, at[2] >> 1 & 1, at[2] >> 2};
        at += 3;
    }
    return at;
}

bool jit_site_at(const struct jit_block *b, u32 off, struct jit_site *out)
{
    const u8 *at = jit_sites(b), *end = at + b->site_bytes;

    out->off = 0;
    while (at < end) {
        at = unpack(at, out->off, out);
        if (out->off == off)
            return true;
    }
    return false;
}

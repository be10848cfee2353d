/* SPDX-License-Identifier: MIT */
/*
 * The rows of cpu/isa.def as an array, and the lookup built from them.
 *
 * One slot per (map, opcode, mandatory prefix) holds a row, or the number of a group where ModR/M
 * decides too. A group has 72 entries: 8 for memory, by the reg field, and 64 for mod = 3, by the
 * reg and r/m fields; that is all that the opcode extensions of [SDM 2D §A.4, §A.5] look at.
 */
#include "cpu/decode_table.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

const struct insn_def insn_def[INSN__COUNT] = {
#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
    [INSN_##id] = {#id,                                                                            \
                   text,                                                                           \
                   MAP_##map,                                                                      \
                   opcode,                                                                         \
                   PFX_##pfx,                                                                      \
                   FORM_##form,                                                                    \
                   {OPND_##o1, OPND_##o2, OPND_##o3},                                              \
                   FEAT_##feat,                                                                    \
                   ATTR_##attr,                                                                    \
                   FL_##rd,                                                                        \
                   FL_##wr,                                                                        \
                   FL_##un},
#include "cpu/isa.def"
};

enum { GROUP_MEM = 8, GROUP_SIZE = GROUP_MEM + 64 };
enum { SLOT_NONE = 0, SLOT_ROW = 1, SLOT_GROUP = 0x8000 }; /* SLOT_ROW + row, SLOT_GROUP + group */

struct group {
    u16 slot[GROUP_SIZE]; /* SLOT_NONE or SLOT_ROW + row */
};

struct decode_table {
    u16 slot[MAP__COUNT][256][PFX__COUNT];
    bool modrm[MAP__COUNT][256];
    struct group *group;
    unsigned groups, room;
};

/* Any row of a slot that is not empty: for the message. */
static u16 first_row(const struct decode_table *t, u16 slot)
{
    const u16 *s = &slot;

    if (slot >= SLOT_GROUP)
        for (s = t->group[slot - SLOT_GROUP].slot; *s == SLOT_NONE; s++)
            ;
    return *s;
}

static enum status conflict(u16 slot, u16 row)
{
    log_error(CPU, "instructions %s and %s have the same encoding", insn_def[slot - SLOT_ROW].id,
              insn_def[row].id);
    return STATUS_CONFLICT;
}

static enum status group_add(struct decode_table *t, u16 *slot)
{
    if (t->groups == t->room) {
        unsigned room = t->room ? 2 * t->room : 64;
        struct group *g = realloc(t->group, room * sizeof(*g));

        if (!g)
            return STATUS_NO_MEMORY;
        t->group = g;
        t->room = room;
    }
    memset(&t->group[t->groups], 0, sizeof(t->group[0]));
    *slot = (u16)(SLOT_GROUP + t->groups++);
    return STATUS_OK;
}

/* Does a ModR/M byte like that of @entry fit the form? */
static bool form_fits(u32 form, unsigned entry)
{
    bool mem = entry < GROUP_MEM;
    u8 modrm = (u8)(mem ? entry << 3 : 0xc0 | (entry - GROUP_MEM));

    if (form & (mem ? FORM_REG : FORM_MEM))
        return false;
    return ((modrm ^ form) & (form >> 8) & 0xff) == 0;
}

static enum status add_to_slot(struct decode_table *t, u16 *slot, u16 row)
{
    u32 form = insn_def[row].form;
    struct group *g;
    enum status s;

    if (form == FORM_NM || form == FORM_RM) {
        if (*slot != SLOT_NONE)
            return conflict(first_row(t, *slot), row);
        *slot = (u16)(SLOT_ROW + row);
        return STATUS_OK;
    }
    if (*slot != SLOT_NONE && *slot < SLOT_GROUP)
        return conflict(*slot, row);
    if (*slot == SLOT_NONE && (s = group_add(t, slot)) != STATUS_OK)
        return s;
    g = &t->group[*slot - SLOT_GROUP];
    for (unsigned e = 0; e < GROUP_SIZE; e++) {
        if (!form_fits(form, e))
            continue;
        if (g->slot[e] != SLOT_NONE)
            return conflict(g->slot[e], row);
        g->slot[e] = (u16)(SLOT_ROW + row);
    }
    return STATUS_OK;
}

static bool has_z(const struct insn_def *d)
{
    for (unsigned i = 0; i < ARRAY_LEN(d->op); i++)
        if (d->op[i] == OPND_Zb || d->op[i] == OPND_Zv)
            return true;
    return false;
}

static enum status add_row(struct decode_table *t, u16 row)
{
    const struct insn_def *d = &insn_def[row];
    unsigned last = has_z(d) ? d->opcode | 7u : d->opcode;

    for (unsigned opcode = d->opcode; opcode <= last; opcode++) {
        for (unsigned pfx = 0; pfx < PFX__COUNT; pfx++) {
            enum status s;

            if (!(d->pfx & BIT(pfx)))
                continue;
            s = add_to_slot(t, &t->slot[d->map][opcode][pfx], row);
            if (s != STATUS_OK)
                return s;
        }
    }
    return STATUS_OK;
}

enum status decode_table_create(struct decode_table **out, u64 features)
{
    struct decode_table *t = calloc(1, sizeof(*t));

    if (!t)
        return STATUS_NO_MEMORY;
    for (u16 row = 0; row < INSN__COUNT; row++) {
        const struct insn_def *d = &insn_def[row];
        enum status s = STATUS_OK;

        if (d->form & FORM_HAS)
            t->modrm[d->map][d->opcode] = true;
        if (features >> d->feat & 1)
            s = add_row(t, row);
        if (s != STATUS_OK) {
            decode_table_destroy(t);
            return s;
        }
    }
    *out = t;
    return STATUS_OK;
}

void decode_table_destroy(struct decode_table *t)
{
    if (!t)
        return;
    free(t->group);
    free(t);
}

bool decode_table_has_modrm(const struct decode_table *t, enum insn_map map, u8 opcode)
{
    return t->modrm[map][opcode];
}

u16 decode_table_row(const struct decode_table *t, enum insn_map map, u8 opcode, enum insn_pfx pfx,
                     u8 modrm)
{
    u16 slot = t->slot[map][opcode][pfx];

    if (slot >= SLOT_GROUP) {
        const struct group *g = &t->group[slot - SLOT_GROUP];
        unsigned reg = modrm >> 3 & 7;

        slot = modrm < 0xc0 ? g->slot[reg] : g->slot[GROUP_MEM + (modrm & 0x3f)];
    }
    return slot == SLOT_NONE ? NO_ROW : (u16)(slot - SLOT_ROW);
}

/* SPDX-License-Identifier: MIT */
/*
 * Instruction tests that were captured on a chip, in the MOO format of the SingleStepTests
 * collections: chunks of a 4-byte tag, a 32-bit length and that many bytes, little-endian, nested.
 */
#pragma once

#include "base/types.h"

/** Registers in the order of the format's bit mask. */
enum moo_reg {
    MOO_AX,
    MOO_BX,
    MOO_CX,
    MOO_DX,
    MOO_CS,
    MOO_SS,
    MOO_DS,
    MOO_ES,
    MOO_SP,
    MOO_BP,
    MOO_SI,
    MOO_DI,
    MOO_IP,
    MOO_FLAGS,
    MOO__COUNT
};

enum { MOO_ADDRESS_BITS = 24 };

/** Bytes of RAM: 5 bytes each, the address and the value. Points into the file. */
struct moo_ram {
    const u8 *at;
    u32 count;
};

static inline u32 moo_ram_address(const struct moo_ram *r, u32 i)
{
    const u8 *p = r->at + (size_t)5 * i;

    return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline u8 moo_ram_value(const struct moo_ram *r, u32 i)
{
    return r->at[(size_t)5 * i + 4];
}

struct moo_test {
    u32 index;
    const u8 *bytes; /* the instruction, and the HLT behind it */
    u32 length;
    u16 before[MOO__COUNT], after[MOO__COUNT];
    struct moo_ram ram_before, ram_after; /* after: what changed */
    bool fault;                           /* an interrupt or exception was taken */
    u8 vector;
};

struct moo_file {
    u8 *bytes;
    size_t size, pos;
};

/** False if there is no such file. */
bool moo_open(struct moo_file *f, const char *path) MUST_CHECK;
void moo_close(struct moo_file *f);

/** The next test; false at the end. Malformed files end early with @f->pos short of @f->size. */
bool moo_next(struct moo_file *f, struct moo_test *t) MUST_CHECK;

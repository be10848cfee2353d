/* SPDX-License-Identifier: MIT */
#include "cpu/icache_soft.h"

#include <string.h>

#include "cpu/isa.h"

/* Size in bytes of the immediates that end @in, which has a ModR/M byte or no offset; *@one: it is
 * one plain one; *@sign: that is extended by its sign. */
static unsigned imm_bytes(const struct insn *in, bool *one, bool *sign)
{
    unsigned bytes = 0, found = 0;

    *sign = false;
    for (unsigned i = 0; i < 3; i++) {
        unsigned n = 0;
        switch (insn_def[in->id].op[i]) {
        case OPND_Ibs:
            *sign = true;
            n = 1;
            break;
        case OPND_Ib:
            n = 1;
            break;
        case OPND_Iz:
            n = in->opsize == W16 ? 2 : 4;
            break;
        case OPND_Iv:
            n = 1u << in->opsize;
            break;
        default:
            break;
        }
        bytes += n;
        found += n != 0;
    }
    *one = found == 1;
    return bytes;
}

struct insn_field insn_immediate(const struct insn *in)
{
    bool one, sign;
    unsigned bytes = imm_bytes(in, &one, &sign);

    return one ? (struct insn_field){(u8)bytes, (u8)bytes, sign} : (struct insn_field){0};
}

struct insn_field insn_displacement(const struct insn *in)
{
    bool one, sign;
    unsigned behind = imm_bytes(in, &one, &sign);

    return (struct insn_field){in->has_disp, (u8)(behind + in->has_disp), true};
}

/* Does [from, to), in bytes from the end of the instruction, lie in @f? */
static bool in_field(struct insn_field f, size_t from, size_t to)
{
    return f.bytes && from <= f.back && to >= (size_t)f.back - f.bytes;
}

/* Does [from, to), in bytes from the end of @in, lie in its soft immediate or displacement? */
static bool soft_part(const struct block *b, unsigned i, size_t from, size_t to)
{
    return (b->soft >> i & 1 && in_field(insn_immediate(&b->insn[i]), from, to)) ||
           (b->soft_disp >> i & 1 && in_field(insn_displacement(&b->insn[i]), from, to));
}

int soft_at(const struct block *b, phys_addr phys, size_t len, phys_addr *start)
{
    *start = b->key >> 2;
    for (unsigned i = 0; (b->soft | b->soft_disp) && i < b->count; i++) {
        phys_addr end = *start + b->insn[i].len;
        if (phys >= *start && phys + len <= end && soft_part(b, i, end - phys, end - phys - len))
            return (int)i;
        *start = end;
    }
    return -1;
}

static void ignore(struct block_check *k, unsigned end, struct insn_field f)
{
    memset(k->mask + end - f.back, 0, f.bytes);
}

void check_set(struct block_check *k, const struct block *b, const u8 *bytes)
{
    unsigned end = 0;

    memset(k->bytes, 0, sizeof(k->bytes));
    memset(k->mask, 0, sizeof(k->mask));
    memcpy(k->bytes, bytes, b->bytes);
    memset(k->mask, 0xff, b->bytes);
    for (unsigned i = 0; i < b->count; i++) {
        end += b->insn[i].len;
        if (b->soft >> i & 1)
            ignore(k, end, insn_immediate(&b->insn[i]));
        if (b->soft_disp >> i & 1)
            ignore(k, end, insn_displacement(&b->insn[i]));
    }
}

bool check_holds(const struct block *b, const u8 *bytes)
{
    const struct block_check *k = b->check;
    u8 now[CHECK_BYTES] = {0};

    memcpy(now, bytes, b->bytes);
    for (unsigned i = 0; i < b->bytes; i += sizeof(u64)) {
        u64 is, was, mask;
        memcpy(&is, now + i, sizeof(is));
        memcpy(&was, k->bytes + i, sizeof(was));
        memcpy(&mask, k->mask + i, sizeof(mask));
        if ((is ^ was) & mask)
            return false;
    }
    return true;
}

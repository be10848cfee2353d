/* SPDX-License-Identifier: MIT */
/*
 * Random and mutated instruction bytes through the decoder and the disassembler, in every mode and
 * for several sets of features. The bytes end where a page that cannot be read begins.
 */
#include <string.h>
#include <sys/mman.h>

#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "cpu/isa.h"
#include "mmu/physmem.h"
#include "tests/fuzz/fuzz.h"

enum { TRIES = 2000, TEXT_SIZE = 128, TABLES = 4 };

static struct {
    u8 *end; /* of what can be read */
    struct decode_table *table[TABLES];
} fixture;

static void prepare(const struct fuzz *f)
{
    static const u64 features[TABLES] = {
        DECODE_ALL_FEATURES,
        BIT64(FEAT_8086),
        BIT64(FEAT_8086) | BIT64(FEAT_186) | BIT64(FEAT_286) | BIT64(FEAT_386) | BIT64(FEAT_FPU),
        ~BIT64(FEAT_LM),
    };

    u8 *at = mmap(NULL, (size_t)PAGE_SIZE * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    if (at == MAP_FAILED || mprotect(at + PAGE_SIZE, PAGE_SIZE, PROT_NONE) != 0)
        fuzz_fail(f, "no memory");
    for (unsigned i = 0; i < TABLES; i++) {
        if (decode_table_create(&fixture.table[i], features[i]) != STATUS_OK)
            fuzz_fail(f, "decode table %u", i);
    }
    fixture.end = at + PAGE_SIZE;
}

/* Prefixes, an opcode that some row has, and bytes: more often an instruction than noise is. */
static void plausible(struct fuzz *f, u8 *b)
{
    static const u8 prefix[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36,
                                0x3e, 0x26, 0x64, 0x65, 0x48, 0x41, 0x4f};
    static const u8 escape[MAP__COUNT][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    const struct insn_def *d = &insn_def[fuzz_below(f, INSN__COUNT)];
    unsigned n = 0;

    for (unsigned k = fuzz_one_in(f, 20) ? 14 : fuzz_below(f, 4); k; k--)
        b[n++] = prefix[fuzz_below(f, ARRAY_LEN(prefix))];
    for (unsigned i = 0; i < 2 && escape[d->map][i] && n < INSN_MAX_LEN; i++)
        b[n++] = escape[d->map][i];
    if (n < INSN_MAX_LEN)
        b[n++] = d->opcode;
    if (n < INSN_MAX_LEN && fuzz_one_in(f, 2))
        b[n] = (u8)((b[n] & ~(d->form >> 8 & 0xff)) | (d->form & 0xff));
}

static void check_text(const struct fuzz *f, const struct insn *in, u64 ip)
{
    char text[TEXT_SIZE], part[TEXT_SIZE];

    memset(text, 0x7e, sizeof(text));
    disasm(in, ip, text, sizeof(text));
    const char *nul = memchr(text, 0, sizeof(text));
    if (!nul || nul == text)
        fuzz_fail(f, "the text of instruction %u is empty or not terminated", in->id);
    for (const char *p = text; *p; p++) {
        if (*p < ' ' || *p > '~')
            fuzz_fail(f, "the text of instruction %u has byte %02x", in->id, (u8)*p);
    }
    size_t size = 1 + (size_t)(ip % TEXT_SIZE);
    memset(part, 0x7e, sizeof(part));
    disasm(in, ip, part, size);
    if (!memchr(part, 0, size) || (size < TEXT_SIZE && part[size] != 0x7e))
        fuzz_fail(f, "the text of instruction %u does not keep to %zu bytes", in->id, size);
}

static void check_insn(const struct fuzz *f, const struct insn *in)
{
    if (in->len == 0 || in->len > INSN_MAX_LEN)
        fuzz_fail(f, "length %u", in->len);
    if (!in->exec || in->id >= INSN__COUNT)
        fuzz_fail(f, "instruction %u cannot be executed", in->id);
    if (in->reg > 15 || in->rm > 15 || in->zreg > 15 || in->seg >= SEG__COUNT || in->scale > 3)
        fuzz_fail(f, "instruction %u: a register that is none", in->id);
    if ((in->base > 15 && in->base != NO_REG) || (in->index > 15 && in->index != NO_REG))
        fuzz_fail(f, "instruction %u: an address register that is none", in->id);
    if (in->opsize > W64 || in->adsize > W64 || in->width > W64)
        fuzz_fail(f, "instruction %u: widths %u %u %u", in->id, in->opsize, in->adsize, in->width);
}

static void try(struct fuzz *f, const u8 *b)
{
    const struct decode_table *t = fixture.table[fuzz_below(f, TABLES)];
    static const u32 modes[] = {0, MODE_CS32, MODE_LONG};
    u32 mode = modes[fuzz_below(f, ARRAY_LEN(modes))];
    enum decode_result full = DECODE_SHORT;
    struct insn in, again;

    /* The same bytes with more and more of them readable: SHORT until the length, then the same. */
    for (unsigned avail = 1; avail <= INSN_MAX_LEN; avail++) {
        u8 *at = fixture.end - avail;
        memcpy(at, b, avail);
        memset(&again, 0, sizeof(again));
        enum decode_result r = decode(t, at, avail, mode, &again);
        if (full == DECODE_OK &&
            (r != DECODE_OK || again.len != in.len || again.id != in.id || again.imm != in.imm))
            fuzz_fail(f, "%u bytes decode differently from %u", avail, in.len);
        if (full == DECODE_SHORT && r == DECODE_OK) {
            if (again.len > avail)
                fuzz_fail(f, "length %u of %u bytes", again.len, avail);
            check_insn(f, &again);
            check_text(f, &again, fuzz_u64(f));
            in = again;
        }
        full = r;
    }
    if (full == DECODE_SHORT)
        fuzz_fail(f, "%u bytes are not enough", INSN_MAX_LEN);
}

static void one(struct fuzz *f)
{
    u8 b[INSN_MAX_LEN + 1];

    if (!fixture.end)
        prepare(f);
    fuzz_bytes(f, b, sizeof(b));
    for (unsigned i = 0; i < TRIES; i++) {
        switch (fuzz_below(f, 4)) {
        case 0:
            fuzz_bytes(f, b, sizeof(b));
            break;
        case 1:
            fuzz_mutate(f, b, INSN_MAX_LEN);
            break;
        default:
            fuzz_bytes(f, b, sizeof(b));
            plausible(f, b);
            break;
        }
        try(f, b);
    }
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_decode", one);
}

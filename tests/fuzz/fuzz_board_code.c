/* SPDX-License-Identifier: MIT */
/* Guest code: noise and pieces of programs, entered from reset in real or protected mode. */
#include <string.h>

#include "base/bits.h"
#include "cpu/isa.h"
#include "tests/fuzz/fuzz_board.h"

enum {
    GDT_AT = 0x800,
    IDT_AT = 0x1000,
    TSS_AT = 0x2000,
    PAGES_AT = 0x4000, /* directory, tables */
    CODE_LEN = 0x3000,
    GDT_ENTRIES = 16,
    SEL_CODE = 0x08,
    SEL_DATA = 0x10,
};

static u32 put(u8 *to, const void *bytes, u32 n)
{
    memcpy(to, bytes, n);
    return n;
}

/* A piece that reaches deeper than noise does. */
static u32 piece(struct fuzz *f, u8 *to)
{
    static const struct {
        u8 n, b[6];
    } pieces[] = {
        {2, {0xf3, 0xa5}},
        {2, {0xf3, 0xaa}},
        {2, {0xf3, 0x6d}},
        {2, {0xf3, 0x6f}},
        {1, {0xfb}},
        {1, {0xf4}},
        {1, {0xcf}},
        {1, {0xcb}},
        {2, {0xcd, 0x80}},
        {3, {0x0f, 0x22, 0xc0}},
        {3, {0x0f, 0x22, 0xd8}},
        {3, {0x0f, 0x22, 0xe0}},
        {2, {0x0f, 0x30}},
        {2, {0x0f, 0x32}},
        {1, {0x9d}},
        {2, {0x8e, 0xd0}},
        {2, {0x8e, 0xd8}},
        {3, {0x0f, 0x00, 0xd8}},
        {3, {0x0f, 0x00, 0xd0}},
        {3, {0x0f, 0x23, 0xf8}},
        {2, {0x0f, 0xa2}},
        {4, {0xc8, 8, 0, 31}},
        {3, {0x0f, 0x01, 0x3e}},
        {1, {0xec}},
        {1, {0xee}},
        {1, {0xef}},
        {3, {0x0f, 0xae, 0x06}},
        {3, {0x0f, 0xae, 0x0e}},
        {2, {0xdd, 0x26}},
        {2, {0xdd, 0x36}},
    };
    unsigned i = fuzz_below(f, ARRAY_LEN(pieces));

    switch (fuzz_below(f, 5)) {
    case 0: { /* load a register */
        u8 mov[] = {(u8)(0xb8 | fuzz_below(f, 8))};
        u32 v = (u32)fuzz_length(f, 32);
        put(to, mov, 1);
        return 1 + put(to + 1, &v, 4);
    }
    case 1: { /* far jump or call through some descriptor */
        u8 far[7] = {fuzz_one_in(f, 2) ? 0xea : 0x9a};
        store32(far + 1, BOARD_CODE + fuzz_below(f, CODE_LEN));
        store16(far + 5, (u16)(fuzz_below(f, GDT_ENTRIES) << 3 | fuzz_below(f, 4)));
        return put(to, far, 7);
    }
    case 2: { /* any instruction of the tables */
        const struct insn_def *d = &insn_def[fuzz_below(f, INSN__COUNT)];
        u8 b[5] = {0x0f, 0x38};
        u32 n = d->map == MAP_1B ? 0 : d->map == MAP_0F ? 1 : 2;
        if (d->map == MAP_0F3A)
            b[1] = 0x3a;
        b[n] = d->opcode;
        b[n + 1] = (u8)((fuzz_u64(f) & ~(d->form >> 8 & 0xff)) | (d->form & 0xff));
        return put(to, b, n + 2);
    }
    default:
        return put(to, pieces[i].b, pieces[i].n);
    }
}

static void fill_code(struct fuzz *f, u8 *code)
{
    u32 noise = 1 + fuzz_below(f, 16);

    fuzz_bytes(f, code, CODE_LEN);
    for (u32 at = 0; at < CODE_LEN - 16;)
        at += fuzz_one_in(f, noise) ? 1 + fuzz_below(f, 4) : piece(f, code + at);
}

/* --- the tables of protected mode --- */

static void fill_gdt(struct fuzz *f, u8 *gdt)
{
    static const u64 entries[] = {
        0,
        0x00cf9b000000ffff, /* code, 32 bits */
        0x00cf93000000ffff, /* data */
        0x0000890020000067, /* TSS */
        0x00008c0000087c00, /* call gate */
        0x00009b000000ffff, /* code, 16 bits */
        0x00cff3000000ffff, /* data, ring 3 */
        0x00cffb000000ffff, /* code, ring 3 */
        0x0000890021000067, /* TSS */
        0x0000850000180000, /* task gate */
        0x000082000800003f, /* LDT over this table */
        0x00cf97000000ffff, /* expand-down data */
        0x00cf9f000000ffff, /* conforming code */
        0x0000810022000067, /* 16-bit TSS */
    };

    fuzz_bytes(f, gdt, GDT_ENTRIES * 8);
    memcpy(gdt, entries, sizeof(entries));
    if (fuzz_one_in(f, 2))
        fuzz_mutate(f, gdt + 3 * 8, (GDT_ENTRIES - 3) * 8);
}

static void fill_idt(struct fuzz *f, u8 *idt)
{
    for (unsigned i = 0; i < 256; i++) {
        u32 to = BOARD_CODE + fuzz_below(f, CODE_LEN);
        u32 type = fuzz_one_in(f, 16)  ? 0x8500u | fuzz_below(f, 16) << 8
                   : fuzz_one_in(f, 2) ? 0xee00
                                       : 0x8f00;
        u32 sel = type == 0x8500 ? 0x18 : SEL_CODE;
        store32(idt + 8 * i, (to & 0xffff) | sel << 16);
        store32(idt + 8 * i + 4, (to & 0xffff0000) | type);
    }
}

static void fill_tss(struct fuzz *f, u8 *tss)
{
    fuzz_bytes(f, tss, 0x300);
    for (unsigned i = 0; i < 2; i++, tss += 0x100) {
        memset(tss, 0, 0x68);
        for (unsigned r = 4; r <= 20; r += 8) {
            store32(tss + r, 0x7000);
            store32(tss + r + 4, SEL_DATA);
        }
        store32(tss + 0x1c, fuzz_one_in(f, 2) ? PAGES_AT : 0);
        store32(tss + 0x20, BOARD_CODE + fuzz_below(f, CODE_LEN));
        store32(tss + 0x24, (u32)fuzz_length(f, 18));
        store32(tss + 0x38, 0x7000);
        for (unsigned r = 0x48; r <= 0x5c; r += 4)
            store32(tss + r, r == 0x4c ? SEL_CODE : SEL_DATA);
    }
}

/* Identity for the first 8 MiB, with some entries elsewhere. */
static void fill_pages(struct fuzz *f, u8 *dir)
{
    for (u32 i = 0; i < 1024; i++) {
        u32 v = fuzz_one_in(f, 3) ? (u32)fuzz_u64(f) : 0;
        store32(dir + 4 * i, i < 2 ? PAGES_AT + 0x1000 * (i + 1) + 7 : v);
    }
    for (u32 i = 0; i < 2048; i++) {
        u32 flags = i < 16 ? 7 : fuzz_one_in(f, 8) ? (u32)fuzz_length(f, 12) : 7;
        store32(dir + 0x1000 + 4 * i, i << 12 | flags);
    }
    if (fuzz_one_in(f, 8))
        fuzz_mutate(f, dir, 0x3000);
}

/* Real-mode code that loads the tables, switches and jumps on; returns its length. */
static u32 protected_entry(struct fuzz *f, u8 *to, u32 *target)
{
    static const u8 head[] = {0xfa, 0x31, 0xc0, 0x8e, 0xd8,  /* cli; ds = 0 */
                              0x0f, 0x01, 0x16, 0x00, 0x06,  /* lgdt [600h] */
                              0x0f, 0x01, 0x1e, 0x08, 0x06}; /* lidt [608h] */
    static const u8 tail[] = {0xb8, SEL_DATA, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x66, 0xbc,
                              0x00, 0x70,     0, 0,    0xb8, 0x18, 0,    0x0f, 0x00, 0xd8};
    bool paging = fuzz_one_in(f, 2);
    u32 cr0 = 1 | (paging ? BIT(31) : 0) | (u32)(fuzz_u64(f) & 0x5003e);
    u32 cr4 = (u32)(fuzz_u64(f) & 0x6df); /* without PAE */
    u32 n = put(to, head, sizeof(head));
    u8 set[] = {0x66, 0xb8, 0, 0, 0, 0, 0x0f, 0x22, 0xd8}; /* mov eax, imm; mov crN, eax */

    store32(set + 2, PAGES_AT);
    n += put(to + n, set, sizeof(set));
    store32(set + 2, cr4);
    set[8] = 0xe0;
    n += put(to + n, set, sizeof(set));
    store32(set + 2, cr0);
    set[8] = 0xc0;
    n += put(to + n, set, sizeof(set));
    n += put(to + n, tail, sizeof(tail));
    *target = BOARD_CODE + n + 5;
    u8 jump[] = {0xea, (u8)*target, (u8)(*target >> 8), fuzz_one_in(f, 4) ? 0x28 : SEL_CODE, 0};
    return n + put(to + n, jump, sizeof(jump));
}

void board_guest_code(struct fuzz *f, struct pc *pc)
{
    u8 *ram = physmem_ram(pc->physmem);
    u32 target;

    if (fuzz_one_in(f, 2)) { /* vectors that lead somewhere */
        for (unsigned i = 0; i < 256; i++)
            store32(ram + 4 * i, BOARD_CODE + fuzz_below(f, CODE_LEN));
    }
    fill_code(f, ram + BOARD_CODE);
    if (fuzz_one_in(f, 3))
        return;
    fill_gdt(f, ram + GDT_AT);
    fill_idt(f, ram + IDT_AT);
    fill_tss(f, ram + TSS_AT);
    fill_pages(f, ram + PAGES_AT);
    store16(ram + 0x600, GDT_ENTRIES * 8 - 1);
    store32(ram + 0x602, GDT_AT);
    store16(ram + 0x608, 256 * 8 - 1);
    store32(ram + 0x60a, IDT_AT);
    protected_entry(f, ram + BOARD_CODE, &target);
}

/* SPDX-License-Identifier: MIT */
/* The machine around a random program: its memory, its tables, its state at the start. */
#include <string.h>

#include "base/bits.h"
#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "tests/jit/gen_program.h"

static bool is_8086(const struct gen_program *p)
{
    return p->kind == GEN_REAL || p->kind == GEN_V86;
}

u32 gen_first_ip(const struct gen_program *p)
{
    return p->start + (p->kind == GEN_FLAT ? (u32)GEN_CODE : 0);
}

u16 gen_code_selector(const struct gen_program *p)
{
    return is_8086(p) ? GEN_CODE >> 4 : (u16)(GEN_SEL_CODE | (p->ring3 ? 3 : 0));
}

/* --- tables --- */

/* Access byte: present, not system, accessed. */
enum { DATA_RW = 0x93, DATA_RO = 0x91, DATA_DOWN = 0x97, CODE_RX = 0x9b, ABSENT = 0x13 };
enum { FLAG_BIG = 4, FLAG_PAGES = 8 };

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
    u64 low = (limit & 0xffff) | base << 16;
    u64 high =
        (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 | (base & 0xff000000);

    return low | high << 32;
}

enum { GDT_ENTRIES = GEN_SEL_TSS / 8 + 1 };

static void make_gdt(const struct gen_program *p, u64 out[GDT_ENTRIES])
{
    bool flat = p->kind == GEN_FLAT;
    u32 ring = p->ring3 ? 0x60 : 0, big = FLAG_BIG | FLAG_PAGES;
    u32 limit = flat ? 0xfffff : 0xffff, pages = flat ? FLAG_PAGES : 0;
    u32 code = pages | (p->code32 ? FLAG_BIG : 0u), stack = pages | (p->stack32 ? FLAG_BIG : 0u);
    u32 data = flat ? big : 0, odd = (u32)(p->data_seed & 0xfff);
    const u64 gdt[GDT_ENTRIES] = {
        [GEN_SEL_KCODE / 8] = descriptor(0, 0xfffff, CODE_RX, big),
        [GEN_SEL_KDATA / 8] = descriptor(0, 0xfffff, DATA_RW, big),
        [GEN_SEL_CODE / 8] = descriptor(flat ? 0 : GEN_CODE, limit, CODE_RX | ring, code),
        [GEN_SEL_DATA / 8] = descriptor(flat ? 0 : GEN_DATA, limit, DATA_RW | ring, data),
        [GEN_SEL_STACK / 8] = descriptor(flat ? 0 : GEN_STACK, limit, DATA_RW | ring, stack),
        [6] = descriptor(GEN_DATA + 0x10, 0xe000 + odd, DATA_RW | ring, 0),
        [7] = descriptor(GEN_DATA, 0x2000 + odd, (DATA_DOWN & ~1u) | ring, 0),
        [8] = descriptor(GEN_CODE, 0xffff, DATA_RW | ring, 0),
        [9] = descriptor(GEN_DATA, 0xffff, DATA_RO | ring, 0),
        [10] = descriptor(GEN_DATA, 0xffff, ABSENT | ring, 0),
        [12] = descriptor(GEN_DATA, 0xfffff, DATA_RW | ring, big),
        [13] = descriptor(0, 0xfffff, DATA_RW | ring, big),
        [14] = descriptor(0xfffff000u + odd, 0xfffff, DATA_RW | ring, big),
        [GEN_SEL_ALIAS / 8] =
            descriptor((flat ? 0u : GEN_CODE) - GEN_ALIAS, limit, CODE_RX | ring, code),
        [GEN_SEL_OTHER / 8] =
            descriptor(flat ? 0 : GEN_CODE, limit, CODE_RX | ring, code ^ FLAG_BIG),
        [GEN_SEL_SWAP / 8] =
            descriptor(flat ? 0 : GEN_STACK, limit, DATA_RW | ring, stack ^ FLAG_BIG),
        [GEN_SEL_TSS / 8] = descriptor(GEN_TSS, 0x67, 0x8b, 0),
    };

    memcpy(out, gdt, sizeof(gdt));
}

static void put_system(const struct gen_program *p, u8 *ram)
{
    u64 gdt[GDT_ENTRIES];

    make_gdt(p, gdt);
    memcpy(ram + GEN_GDT, gdt, sizeof(gdt));
    store32(ram + GEN_TSS + 4, GEN_KERNEL_STACK);
    store32(ram + GEN_TSS + 8, GEN_SEL_KDATA);
    store16(ram + GEN_TSS + 0x66, 0x68);
}

/* An address space at @at. What is reached by its fourth entry has code for its page table. */
static void put_pages(const struct gen_program *p, u8 *ram, u32 at)
{
    u8 *dir = ram + at, *table = dir + PAGE_SIZE;

    store32(dir, (at + PAGE_SIZE) | 7);
    store32(dir + 4, (at + PAGE_SIZE) | 7);
    store32(dir + 8, p->big_pages ? 0x87 : 0);
    if (p->shape == GEN_SMC)
        store32(dir + 12, ((GEN_CODE + p->start + p->at[p->slots]) & ~(u32)(PAGE_SIZE - 1)) | 7);
    for (u32 page = 0; page < GEN_RAM / PAGE_SIZE; page++)
        store32(table + 4 * page, page * PAGE_SIZE | (page < GEN_CODE / PAGE_SIZE ? 3u : 7u));
    for (u32 i = 0; i < GEN_DATA_PAGES; i++)
        store32(table + 4 * (GEN_DATA / PAGE_SIZE + i), p->page[i]);
    store32(table + 4 * (GEN_DEVICE / PAGE_SIZE), GEN_DEVICE | 7);
    store32(table + 4 * (GEN_TABLE / PAGE_SIZE), (GEN_PAGES + PAGE_SIZE) | 7);
}

/* The other one has the data's pages in another order, and every other page of the code's copy. */
static void put_other_pages(const struct gen_program *p, u8 *ram)
{
    u8 *table = ram + GEN_PAGES2 + PAGE_SIZE;

    put_pages(p, ram, GEN_PAGES2);
    for (u32 i = 0; i < GEN_DATA_PAGES; i++)
        store32(table + 4 * (GEN_DATA / PAGE_SIZE + i), p->page[i ^ 1]);
    for (u32 i = 1; i < GEN_WINDOW / PAGE_SIZE; i += 2)
        store32(table + 4 * (GEN_CODE / PAGE_SIZE + i), (GEN_COPY + i * PAGE_SIZE) | 7);
}

/* Some numbers are others than in the code. */
static void put_copy(const struct gen_program *p, u8 *ram)
{
    struct fuzz f = {.state = p->data_seed + 1};

    memcpy(ram + GEN_COPY, ram + GEN_CODE, GEN_WINDOW);
    for (unsigned i = 0; i < p->count; i++) {
        const struct gen_item *it = &p->item[i];
        u32 end = p->start + p->at[i + 1];
        if (!it->removed && it->fix == GEN_FIX_NONE && fuzz_one_in(&f, 4) && end < GEN_WINDOW)
            ram[GEN_COPY + end - 1] ^= 8;
    }
}

static void put_code(const struct gen_program *p, u8 *ram)
{
    u8 *code = ram + GEN_CODE + p->start;

    for (unsigned i = 0; i < p->count; i++) {
        if (p->item[i].removed)
            continue;
        memcpy(code + p->at[i], p->item[i].bytes, p->item[i].len);
        for (unsigned at = p->at[i]; at < p->at[i + 1]; at++)
            store16(ram + GEN_RESUME + 2 * at, p->at[i + 1]);
    }
}

/* Entries that nobody uses are code. */
static void put_table_code(const struct gen_program *p, u8 *ram)
{
    u32 at = p->at[p->slots];

    memcpy(ram + GEN_PAGES + PAGE_SIZE + GEN_TABLE_CODE, ram + GEN_CODE + p->start + at,
           p->at[p->slots + GEN_SLOTS] - at);
}

void gen_image(const struct gen_program *p, u8 *ram)
{
    struct fuzz f = {.state = p->data_seed};

    memset(ram, 0, GEN_RAM);
    fuzz_bytes(&f, ram + GEN_CODE, 3 * GEN_WINDOW);
    store16(ram + GEN_STACK + GEN_LOOPS, p->rounds);
    gen_handlers(p, ram);
    if (p->kind != GEN_REAL) {
        put_system(p, ram);
        put_pages(p, ram, GEN_PAGES);
        put_other_pages(p, ram);
    }
    put_code(p, ram);
    put_copy(p, ram);
    if (p->shape == GEN_SMC && p->paging)
        put_table_code(p, ram);
}

/* --- the CPU at the start --- */

static void start_segments(const struct gen_program *p, struct cpu *cpu)
{
    static const u8 flat[SEG__COUNT] = {GEN_SEL_DATA, GEN_SEL_CODE, GEN_SEL_STACK,
                                        GEN_SEL_DATA, GEN_SEL_DATA, GEN_SEL_DATA};
    static const u8 limited[SEG__COUNT] = {0x30,         GEN_SEL_CODE, GEN_SEL_STACK,
                                           GEN_SEL_DATA, 0x38,         0x40};
    static const u16 paragraph[SEG__COUNT] = {(GEN_DATA >> 4) + 1, GEN_CODE >> 4, GEN_STACK >> 4,
                                              GEN_DATA >> 4,       GEN_DATA >> 4, GEN_CODE >> 4};
    u64 gdt[GDT_ENTRIES];

    make_gdt(p, gdt);
    for (unsigned s = 0; s < SEG__COUNT; s++) {
        struct descriptor d;
        u16 sel = p->kind == GEN_FLAT ? flat[s] : limited[s];
        if (is_8086(p)) {
            segment_set_8086(cpu, s, paragraph[s]);
            continue;
        }
        descriptor_unpack(gdt[sel / 8], &d);
        segment_set(cpu, s, (u16)(sel | (p->ring3 ? 3 : 0)), &d);
    }
}

static void start_system(const struct gen_program *p, struct cpu *cpu)
{
    cpu->cr4 = CR4_OSFXSR | (p->xmm ? CR4_OSXMMEXCPT : 0u) | (p->big_pages ? CR4_PSE : 0u);
    cpu->cr0 = CR0_ET | (p->ne ? CR0_NE : 0u);
    if (p->kind == GEN_REAL)
        return;
    cpu->cr0 |= CR0_PE | (p->wp ? CR0_WP : 0u) | (p->am ? CR0_AM : 0u);
    if (p->paging)
        cpu->cr0 |= CR0_PG;
    cpu->cr3 = GEN_PAGES;
    cpu->gdtr = (struct table_reg){GEN_GDT, GEN_SEL_TSS + 7};
    cpu->idtr = (struct table_reg){GEN_IDT, 8 * GEN_VECTORS - 1};
    cpu->tr = (struct segment){
        .base = GEN_TSS, .limit = 0x67, .selector = GEN_SEL_TSS, .attr = SEG_P | 11};
    cpu->ldtr.attr = 0;
}

/* Numbers of all kinds, in registers of which some are empty. */
static void start_fp(const struct gen_program *p, struct cpu *cpu)
{
    struct fuzz f = {.state = p->data_seed};
    static const u16 exponents[] = {0, 0x7fff, 0x3fff, 0x3ffe, 0x4000, 0x403e, 0x3c00, 0x43ff};

    x87_init(&cpu->x87);
    cpu->x87.control = p->fcw;
    cpu->x87.top = (u8)fuzz_below(&f, 8);
    cpu->x87.empty = (u8)(fuzz_one_in(&f, 2) ? fuzz_u64(&f) : fuzz_u64(&f) & fuzz_u64(&f));
    cpu->sse.mxcsr = p->mxcsr;
    for (unsigned i = 0; i < 8; i++) {
        u16 exp = exponents[fuzz_below(&f, ARRAY_LEN(exponents))];
        u64 mant = fuzz_one_in(&f, 4) ? 0 : fuzz_u64(&f);
        bool special = fuzz_one_in(&f, 8);

        cpu->x87.r[i].mant = exp && !special ? mant | BIT64(63) : mant;
        cpu->x87.r[i].sign_exp = (u16)(exp | (fuzz_u64(&f) & 0x8000));
        cpu->sse.v[i].q[0] = (u64)0x3ff << 52 ^ fuzz_u64(&f) >> fuzz_below(&f, 64);
        cpu->sse.v[i].q[1] = (u64)0x3f8 << 52 ^ fuzz_u64(&f) >> fuzz_below(&f, 64);
    }
}

void gen_start(const struct gen_program *p, struct cpu *cpu)
{
    u32 flags = FL_I | (p->io ? FL_IOPL : 0u) | (p->kind == GEN_V86 ? FL_VM | FL_IOPL : 0u);

    start_system(p, cpu);
    flags_put(cpu, flags);
    start_segments(p, cpu);
    for (unsigned i = 0; i < 8; i++)
        cpu->gpr[i] = p->gpr[i];
    start_fp(p, cpu);
    if (p->ts)
        cpu->cr0 |= CR0_TS;
    cpu->rip = gen_first_ip(p);
    cpu->cpl = p->kind == GEN_V86 || p->ring3 ? 3 : 0;
    cpu_loaded(cpu);
}

/* --- text --- */

static void print_item(const struct gen_program *p, const struct decode_table *t, unsigned i,
                       FILE *out)
{
    const struct gen_item *it = &p->item[i];
    u32 ip = gen_first_ip(p) + p->at[i];
    struct insn in;
    char text[128] = "?";

    fprintf(out, "%8x  ", ip);
    for (unsigned n = 0; n < it->len; n++)
        fprintf(out, "%02x", it->bytes[n]);
    fprintf(out, "%*s", it->len < 12 ? 24 - 2 * it->len : 0, "");
    for (unsigned n = 0; n < it->len; n += in.len) { /* slots have several instructions */
        if (decode(t, it->bytes + n, it->len - n, p->code32 ? MODE_CS32 : 0, &in) != DECODE_OK)
            break;
        disasm(&in, ip + n, text, sizeof(text));
        fprintf(out, "%s %s", n ? ";" : "", text);
    }
    fprintf(out, "\n");
}

static u32 trap_ip(const struct gen_program *p)
{
    return gen_first_ip(p) + p->at[p->trap_item] + p->trap_byte;
}

void gen_print(const struct gen_program *p, FILE *out)
{
    static const char *const kinds[] = {"real", "virtual-8086", "flat", "segments"};
    struct decode_table *t;

    fprintf(out,
            "%s: %s mode, %s-bit code, %s-bit stack%s%s%s%s%s%s%s%s%s%s; %u rounds, timer %u, "
            "NMI %u, DMA %u, FCW %x, MXCSR %x, flickering page %x; interrupts change %x by %x\n",
            gen_shapes[p->shape], kinds[p->kind], p->code32 ? "32" : "16", p->stack32 ? "32" : "16",
            p->ring3 ? ", ring 3" : "", p->paging ? ", paging" : "",
            p->big_pages ? ", big pages" : "", p->io ? ", IOPL 3" : "", p->wp ? ", WP" : "",
            p->am ? ", AM" : "", p->ts ? ", TS" : "", p->ne ? "" : ", no NE",
            p->clear ? ", FNCLEX" : "", p->xmm ? "" : ", no OSXMMEXCPT", p->rounds, p->timer,
            p->nmi, p->dma, p->fcw, p->mxcsr, p->flicker * PAGE_SIZE, trap_ip(p), p->trap_bits);
    for (unsigned i = 0; i < GEN_DATA_PAGES && p->paging; i++) {
        if (p->page[i] != ((GEN_DATA + i * PAGE_SIZE) | 7))
            fprintf(out, "page %x is %x\n", GEN_DATA + i * PAGE_SIZE, p->page[i]);
    }
    if (decode_table_create(&t, DECODE_ALL_FEATURES) != STATUS_OK)
        return;
    for (unsigned i = 0; i < p->count; i++) {
        if (!p->item[i].removed)
            print_item(p, t, i, out);
    }
    decode_table_destroy(t);
}

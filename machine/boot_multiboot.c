/* SPDX-License-Identifier: MIT */
/*
 * Multiboot images: flattens the ELF file (or follows the header's address fields) into one block
 * with the modules behind it, and builds the information structure; the option ROM adds the memory
 * map. Reference: [MULTIBOOT] Multiboot Specification 0.6.96, chapter 3.
 *
 * Not implemented: the video mode of the header (flag 2), ELF symbol tables, 64-bit ELF.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "machine/boot.h"
#include "machine/hostfile.h"

enum {
    MB_SEARCH = 8192,
    MB_HEADER_MAGIC = 0x1badb002,
    MB_UNKNOWN_NEEDS = 0xfff8, /* requirements (flags 0-15) that we do not know */
    MB_VIDEO_MODE = BIT(2),
    MB_AOUT_KLUDGE = BIT(16),

    /* Fields of the header. */
    MBH_FLAGS = 4,
    MBH_HEADER_ADDR = 12,
    MBH_LOAD_ADDR = 16,
    MBH_LOAD_END_ADDR = 20,
    MBH_BSS_END_ADDR = 24,
    MBH_ENTRY_ADDR = 28,

    /* Fields and flags of the information structure. */
    MBI_FLAGS = 0,
    MBI_BOOT_DEVICE = 12,
    MBI_CMDLINE = 16,
    MBI_MODS_COUNT = 20,
    MBI_MODS_ADDR = 24,
    MBI_MMAP_ADDR = 48,
    MBI_BOOT_LOADER_NAME = 64,
    MBI_SIZE = 120,
    MBI_HAS_BOOT_DEVICE = BIT(1),
    MBI_HAS_CMDLINE = BIT(2),
    MBI_HAS_MODS = BIT(3),
    MBI_HAS_LOADER_NAME = BIT(9),

    MBI_AT = 0x9000, /* below 64 KiB: the option ROM fills it in from real mode */
    MBI_ROOM = 0x6000,
    MMAP_ROOM = 48 * 24,
    MODULE_SIZE = 16,
    MODULES_MAX = 64,
    LOW_FIRST = 0x10000, /* below are the ROM's stack and the structure; above, the EBDA */
    LOW_LAST = 0x90000,
    HIGH_FIRST = 0x100000,
    FIRMWARE_TABLES = 0x40000,
};

/* ELF32, as far as it is needed [ELF 1.2 part 1]. */
enum {
    EH_CLASS = 4,
    EH_MACHINE = 18,
    EH_ENTRY = 24,
    EH_PHOFF = 28,
    EH_PHENTSIZE = 42,
    EH_PHNUM = 44,
    EH_SIZE = 52,
    ELFCLASS32 = 1,
    EM_386 = 3,
    PH_TYPE = 0,
    PH_OFFSET = 4,
    PH_VADDR = 8,
    PH_PADDR = 12,
    PH_FILESZ = 16,
    PH_MEMSZ = 20,
    PH_SIZE = 32,
    PT_LOAD = 1,
};

struct layout {
    const struct boot_request *req;
    char *error;
    u8 *block; /* guest memory [start, start + len) */
    u64 start, len;
    u32 entry;

    u8 info[MBI_ROOM];
    u32 info_len;
    u32 mods_at; /* offset in info of the module list */
    unsigned mods;
};

static bool fail(struct layout *m, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(struct layout *m, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(m->error, BOOT_ERROR_MAX, fmt, ap);
    va_end(ap);
    return false;
}

i64 boot_multiboot_header(const u8 *image, size_t len)
{
    for (size_t at = 0; at + 12 <= len && at + 12 <= MB_SEARCH; at += 4) {
        u32 flags = load32(image + at + 4);
        if (load32(image + at) != MB_HEADER_MAGIC ||
            MB_HEADER_MAGIC + flags + load32(image + at + 8) != 0)
            continue;
        if ((flags & MB_AOUT_KLUDGE) && at + MBH_ENTRY_ADDR + 4 > len)
            continue;
        return (i64)at;
    }
    return -1;
}

/* --- the kernel --- */

/* Memory for guest addresses [start, end), checked against what the machine has. What begins in the
 * window of adapters and ROMs, as the headers of a file linked to 1 MiB often do, loses that part:
 * writing there changes nothing. */
static bool reserve(struct layout *m, u64 start, u64 end)
{
    if (start >= LOW_LAST && start < HIGH_FIRST && end > HIGH_FIRST)
        start = HIGH_FIRST;
    bool low = start >= LOW_FIRST && end <= LOW_LAST;
    bool high = start >= HIGH_FIRST && end + FIRMWARE_TABLES <= m->req->ram_bytes;

    if (end <= start || !(low || high))
        return fail(m,
                    "-kernel: '%.200s' wants to be at %08llx-%08llx, where there is no free "
                    "memory",
                    m->req->kernel, (unsigned long long)start, (unsigned long long)end);
    m->start = start;
    m->len = end - start;
    m->block = calloc(1, m->len);
    return m->block || fail(m, "out of memory");
}

/* Put bytes at guest address @to, but for what reserve() cut off. */
static void put(struct layout *m, u64 to, const u8 *from, size_t len)
{
    size_t skip = to < m->start ? (size_t)(m->start - to) : 0;

    if (skip < len)
        memcpy(m->block + (to + skip - m->start), from + skip, len - skip);
}

static bool load_by_header(struct layout *m, size_t at)
{
    const u8 *h = m->req->image + at;
    u32 load = load32(h + MBH_LOAD_ADDR), bss_end = load32(h + MBH_BSS_END_ADDR);
    u64 before = (u64)load32(h + MBH_HEADER_ADDR) - load;
    u64 load_end = load32(h + MBH_LOAD_END_ADDR);

    if (before > at)
        return fail(m, "-kernel: the multiboot header of '%.200s' contradicts itself",
                    m->req->kernel);
    u64 offset = at - before;
    if (load_end == 0)
        load_end = load + (m->req->image_len - offset);
    if (load_end < load || load_end - load > m->req->image_len - offset)
        return fail(m, "-kernel: '%.200s' is cut short", m->req->kernel);
    if (!reserve(m, load, bss_end > load_end ? bss_end : load_end))
        return false;
    put(m, load, m->req->image + offset, load_end - load);
    m->entry = load32(h + MBH_ENTRY_ADDR);
    return true;
}

/* Program header @i if it is to be loaded, else NULL; *@bad if it lies outside of the file. */
static const u8 *elf_segment(const struct boot_request *req, unsigned i, bool *bad)
{
    const u8 *eh = req->image;
    u64 at = (u64)load32(eh + EH_PHOFF) + (u64)i * load16(eh + EH_PHENTSIZE);

    if (at + PH_SIZE > req->image_len) {
        *bad = true;
        return NULL;
    }
    const u8 *ph = eh + at;
    if (load32(ph + PH_TYPE) != PT_LOAD || load32(ph + PH_MEMSZ) == 0)
        return NULL;
    if ((u64)load32(ph + PH_OFFSET) + load32(ph + PH_FILESZ) > req->image_len ||
        load32(ph + PH_FILESZ) > load32(ph + PH_MEMSZ))
        *bad = true;
    return ph;
}

static bool load_elf(struct layout *m)
{
    const struct boot_request *req = m->req;
    const u8 *eh = req->image;
    u64 lo = UINT64_MAX, hi = 0;
    bool bad = false;

    if (req->image_len < EH_SIZE || memcmp(eh, "\177ELF", 4) != 0)
        return fail(m,
                    "-kernel: '%.200s' has a multiboot header, but neither address fields nor "
                    "an ELF header",
                    req->kernel);
    if (eh[EH_CLASS] != ELFCLASS32 || load16(eh + EH_MACHINE) != EM_386)
        return fail(m, "-kernel: '%.200s' is not a 32-bit x86 ELF file", req->kernel);
    unsigned n = load16(eh + EH_PHNUM);
    for (unsigned i = 0; i < n && !bad; i++) {
        const u8 *ph = elf_segment(req, i, &bad);
        if (!ph)
            continue;
        u64 from = load32(ph + PH_PADDR), to = from + load32(ph + PH_MEMSZ);
        lo = from < lo ? from : lo;
        hi = to > hi ? to : hi;
    }
    if (bad || lo > hi)
        return fail(m, "-kernel: '%.200s' is cut short or has nothing to load", req->kernel);
    if (!reserve(m, lo, hi))
        return false;
    m->entry = load32(eh + EH_ENTRY);
    for (unsigned i = 0; i < n; i++) {
        const u8 *ph = elf_segment(req, i, &bad);
        if (!ph)
            continue;
        u32 paddr = load32(ph + PH_PADDR), vaddr = load32(ph + PH_VADDR);
        put(m, paddr, eh + load32(ph + PH_OFFSET), load32(ph + PH_FILESZ));
        /* Kernels linked high give a virtual entry point: make it the address it loads at. */
        u32 e = load32(eh + EH_ENTRY);
        if (vaddr != paddr && e >= vaddr && e - vaddr < load32(ph + PH_MEMSZ))
            m->entry = e - vaddr + paddr;
    }
    return true;
}

/* --- the information structure --- */

/* Append bytes to the structure; *@where gets the guest address. */
static bool info_add(struct layout *m, const void *bytes, size_t len, u32 *where)
{
    if (len + MMAP_ROOM + 4 > MBI_ROOM - m->info_len)
        return fail(m, "-append: the command lines of the kernel and its modules are too long");
    memcpy(m->info + m->info_len, bytes, len);
    *where = MBI_AT + m->info_len;
    m->info_len += (u32)len;
    return true;
}

static bool info_add_cmdline(struct layout *m)
{
    const char *append = m->req->append ? m->req->append : "";
    size_t n = strlen(m->req->kernel);
    u32 at = 0;

    if (!info_add(m, m->req->kernel, n, &at))
        return false;
    store32(m->info + MBI_CMDLINE, at);
    if (*append && (!info_add(m, " ", 1, &at) || !info_add(m, append, strlen(append), &at)))
        return false;
    return info_add(m, "", 1, &at);
}

/* One module: @text is "FILE ARGS". */
static bool add_module(struct layout *m, const char *text)
{
    char path[4096];
    u8 *bytes;
    size_t len, n = strcspn(text, " ");
    u32 string = 0;

    if (m->mods == MODULES_MAX || n >= sizeof(path))
        return fail(m, "-initrd: too many modules, or too long a name");
    memcpy(path, text, n);
    path[n] = 0;
    enum status s = hostfile_read(path, m->req->ram_bytes, &bytes, &len);
    if (s != STATUS_OK)
        return fail(m, "-initrd: cannot read '%.200s': %s", path, status_text(s));

    u64 at = (m->start + m->len + 0xfff) & ~(u64)0xfff;
    u64 end = at + len;
    u64 limit = m->start >= HIGH_FIRST ? m->req->ram_bytes - FIRMWARE_TABLES : LOW_LAST;
    u8 *block = end <= limit ? realloc(m->block, end - m->start) : NULL;
    if (!block) {
        free(bytes);
        return fail(m, "-initrd: '%.200s' does not fit into memory behind the kernel", path);
    }
    m->block = block;
    memset(block + m->len, 0, at - m->start - m->len);
    memcpy(block + (at - m->start), bytes, len);
    m->len = end - m->start;
    free(bytes);
    if (!info_add(m, text, strlen(text) + 1, &string))
        return false;
    u8 *entry = m->info + m->mods_at + m->mods++ * MODULE_SIZE;
    store32(entry, (u32)at);
    store32(entry + 4, (u32)end);
    store32(entry + 8, string);
    return true;
}

/* -initrd "FILE ARGS,FILE2 ARGS": a comma separates, two are one comma of the text. */
static bool add_modules(struct layout *m)
{
    const char *p = m->req->initrd;
    char text[4096];

    while (p && *p) {
        size_t n = 0;
        while (*p && (*p != ',' || p[1] == ',') && n < sizeof(text) - 1) {
            p += *p == ',';
            text[n++] = *p++;
        }
        text[n] = 0;
        if (*p && *p != ',')
            return fail(m, "-initrd: the text of a module is too long");
        p += *p == ',';
        if (n && !add_module(m, text))
            return false;
    }
    return true;
}

static bool build_info(struct layout *m)
{
    u32 at = 0;

    m->info_len = MBI_SIZE;
    m->mods_at = m->info_len;
    m->info_len += MODULES_MAX * MODULE_SIZE;
    if (!info_add_cmdline(m) || !add_modules(m) || !info_add(m, "turbo86", 8, &at))
        return false;
    store32(m->info + MBI_BOOT_LOADER_NAME, at);
    store32(m->info + MBI_BOOT_DEVICE, 0x8000ffff); /* the first hard disk, no partition */
    store32(m->info + MBI_MODS_COUNT, m->mods);
    store32(m->info + MBI_MODS_ADDR, MBI_AT + m->mods_at);
    store32(m->info + MBI_FLAGS,
            MBI_HAS_BOOT_DEVICE | MBI_HAS_CMDLINE | MBI_HAS_MODS | MBI_HAS_LOADER_NAME);
    m->info_len = (m->info_len + 3) & ~3u;
    store32(m->info + MBI_MMAP_ADDR, MBI_AT + m->info_len);
    m->info_len += MMAP_ROOM;
    return true;
}

static bool lay_out(struct layout *m, size_t header_at)
{
    u32 flags = load32(m->req->image + header_at + MBH_FLAGS);

    if (flags & MB_UNKNOWN_NEEDS)
        return fail(m, "-kernel: '%.200s' needs multiboot features %04x, which are not known",
                    m->req->kernel, flags & MB_UNKNOWN_NEEDS);
    if (flags & MB_VIDEO_MODE)
        log_todo(ROM, "multiboot: the kernel asks for a video mode; it gets text mode");
    return (flags & MB_AOUT_KLUDGE ? load_by_header(m, header_at) : load_elf(m)) && build_info(m);
}

bool boot_multiboot(struct fw_list *l, const struct boot_request *req, char error[BOOT_ERROR_MAX])
{
    struct layout *m = calloc(1, sizeof(*m));
    bool ok;

    if (!m) {
        snprintf(error, BOOT_ERROR_MAX, "out of memory");
        return false;
    }
    m->req = req;
    m->error = error;
    ok = lay_out(m, (size_t)boot_multiboot_header(req->image, req->image_len));
    if (ok) {
        fw_add_number(l, FW_KERNEL_ADDR, m->start, 4);
        fw_add_number(l, FW_KERNEL_SIZE, m->len, 4);
        fw_add_number(l, FW_KERNEL_ENTRY, m->entry, 4);
        fw_add_key(l, FW_KERNEL_DATA, m->block, m->len);
        fw_add_number(l, FW_INITRD_ADDR, MBI_AT, 4);
        fw_add_number(l, FW_INITRD_SIZE, m->info_len, 4);
        fw_add_key(l, FW_INITRD_DATA, m->info, m->info_len);
    }
    free(m->block);
    free(m);
    return ok;
}

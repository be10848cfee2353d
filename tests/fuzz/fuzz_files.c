/* SPDX-License-Identifier: MIT */
/*
 * Mutated kernels, RAM disks, disk images, config files and command lines through the parsers that
 * read them: each ends in an error with a sentence or in success.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/block.h"
#include "machine/boot.h"
#include "machine/config_row.h"
#include "machine/drive.h"
#include "machine/pc.h"
#include "tests/fuzz/fuzz.h"

enum { IMAGE_MAX = 48 << 10, TEXT_MAX = 6000, WORDS_MAX = 24 };

/* --- kernels --- */

/* Each builder fills @b with an image that is right, and returns its length. */
static u32 make_bzimage(struct fuzz *f, u8 *b)
{
    b[0x1f1] = (u8)(1 + fuzz_below(f, 8));
    store16(b + 0x1fe, 0xaa55);
    memcpy(b + 0x202, "HdrS", 4);
    store16(b + 0x206, (u16)(0x0200 + fuzz_below(f, 16)));
    b[0x211] = 1;
    store32(b + 0x22c, fuzz_one_in(f, 4) ? (u32)fuzz_length(f, 32) : 0x7fffffff);
    store32(b + 0x238, fuzz_one_in(f, 4) ? (u32)fuzz_length(f, 32) : 2047);
    return (b[0x1f1] + 1u) * 512 + fuzz_below(f, 8192);
}

static void make_multiboot_header(struct fuzz *f, u8 *b, u32 at, u32 flags)
{
    u32 load = fuzz_one_in(f, 2) ? 0x100000 : 0x10000;

    store32(b + at, 0x1badb002);
    store32(b + at + 4, flags);
    store32(b + at + 8, -(0x1badb002u + flags));
    store32(b + at + 12, load + at);
    store32(b + at + 16, load);
    store32(b + at + 20, fuzz_one_in(f, 2) ? 0 : load + 0x1000);
    store32(b + at + 24, load + fuzz_below(f, 0x8000));
    store32(b + at + 28, load + 0x40);
}

static u32 make_multiboot_elf(struct fuzz *f, u8 *b)
{
    u32 n = fuzz_below(f, 5), at = 0x34;

    memcpy(b, "\177ELF\1\1\1", 7);
    store16(b + 18, 3);
    store32(b + 24, 0x100000);
    store32(b + 28, at);
    store16(b + 42, 32);
    store16(b + 44, (u16)n);
    for (u32 i = 0; i < n; i++, at += 32) {
        u32 size = fuzz_below(f, 0x1000);
        store32(b + at, fuzz_one_in(f, 4) ? fuzz_below(f, 8) : 1);
        store32(b + at + 4, 0x1000 + fuzz_below(f, 0x2000));
        store32(b + at + 8, (fuzz_one_in(f, 2) ? 0xc0000000 : 0) + 0x100000 + i * 0x2000);
        store32(b + at + 12, 0x100000 + i * 0x2000);
        store32(b + at + 16, size);
        store32(b + at + 20, size + fuzz_below(f, 0x800));
    }
    make_multiboot_header(f, b, 0x200, fuzz_below(f, 8));
    return 0x4000;
}

static u32 make_multiboot_flat(struct fuzz *f, u8 *b)
{
    make_multiboot_header(f, b, 4 * fuzz_below(f, 64), BIT(16) | fuzz_below(f, 8));
    return 0x800 + fuzz_below(f, 0x2000);
}

static void fill_text(struct fuzz *f, char *to, size_t size)
{
    size_t len = fuzz_one_in(f, 8) ? fuzz_below(f, (u32)size) : (size_t)fuzz_length(f, 6);

    if (len > size - 1)
        len = size - 1;
    for (size_t i = 0; i < len; i++)
        to[i] = "a =,\x7f\xc3 x/"[fuzz_below(f, 9)];
    to[len] = 0;
}

static void check_sentence(const struct fuzz *f, const char *error, size_t size)
{
    if (!*error || strnlen(error, size) == size)
        fuzz_fail(f, "an error without a sentence");
}

static void check_list(const struct fuzz *f, const struct fw_list *l)
{
    if (l->no_memory)
        return;
    for (unsigned i = 0; i < l->count; i++) {
        if (!l->item[i].data || !memchr(l->item[i].name, 0, FW_NAME_MAX))
            fuzz_fail(f, "item %u is not whole", i);
    }
}

static void try_kernel(struct fuzz *f)
{
    static u32 (*const make[])(struct fuzz *, u8 *) = {make_bzimage, make_multiboot_elf,
                                                       make_multiboot_flat};
    /* Not more: a kernel may ask for all of it, and what it gets is copied. */
    static const u32 ram_mib[] = {1, 2, 4, 16, 64, 128};
    char path[FUZZ_PATH_MAX], initrd_path[FUZZ_PATH_MAX], append[TEXT_MAX] = "";
    char error[BOOT_ERROR_MAX] = "", initrd[TEXT_MAX];
    struct fw_list list = {0};
    const char *rom = NULL;
    u8 *b = calloc(1, IMAGE_MAX);

    u32 len = make[fuzz_below(f, ARRAY_LEN(make))](f, b);
    if (!fuzz_one_in(f, 8))
        fuzz_mutate(f, b, fuzz_one_in(f, 3) ? len : 0x280);
    if (fuzz_one_in(f, 4))
        len = fuzz_below(f, len);
    int fd = fuzz_file(path, b, len), initrd_fd = fuzz_file(initrd_path, b, fuzz_below(f, 4096));
    fill_text(f, append, sizeof(append));
    snprintf(initrd, sizeof(initrd), "%s%s%s%s%.3000s", initrd_path, fuzz_one_in(f, 2) ? "," : "",
             initrd_path, fuzz_one_in(f, 2) ? "," : " ", append);
    struct boot_request req = {
        .kernel = path,
        .initrd = fuzz_one_in(f, 3)   ? initrd
                  : fuzz_one_in(f, 2) ? initrd_path
                                      : NULL,
        .append = fuzz_one_in(f, 4) ? NULL : append,
        .ram_bytes = (u64)ram_mib[fuzz_below(f, ARRAY_LEN(ram_mib))] << 20,
    };
    if (!boot_prepare(&list, &req, &rom, error))
        check_sentence(f, error, sizeof(error));
    else if (!rom)
        fuzz_fail(f, "a kernel without an option ROM");
    check_list(f, &list);
    fw_free(&list);
    close(fd);
    close(initrd_fd);
    free(b);
}

/* --- disk images --- */

static void use_block(struct fuzz *f, struct block *b)
{
    u8 buf[16 * BLOCK_SECTOR] = {0};
    u64 sectors = block_sectors(b);

    for (unsigned i = 0; i < 32; i++) {
        u32 count = fuzz_below(f, 17);
        u64 lba = fuzz_one_in(f, 4) ? fuzz_u64(f) : fuzz_below(f, (u32)sectors + 2);
        bool inside = lba <= sectors && count <= sectors - lba;
        enum status s =
            fuzz_one_in(f, 2) ? block_read(b, lba, count, buf) : block_write(b, lba, count, buf);
        if (s == STATUS_OK && !inside)
            fuzz_fail(f, "sectors %llu + %u of %llu", (unsigned long long)lba, count,
                      (unsigned long long)sectors);
    }
    fuzz_bytes(f, buf, sizeof(buf));
    store64(buf, fuzz_length(f, 4));
    store64(buf + 8, fuzz_length(f, 4));
    const u8 *p = buf;
    if (block_load(b, &p, buf + fuzz_below(f, sizeof(buf))) == STATUS_OK)
        (void)block_hash(b);
}

static void try_disk(struct fuzz *f)
{
    struct block_options opt = {.read_only = fuzz_one_in(f, 3), .snapshot = fuzz_one_in(f, 2)};
    char path[FUZZ_PATH_MAX], error[BLOCK_ERR_SIZE] = "";
    u32 len = fuzz_below(f, IMAGE_MAX);
    struct block *b = NULL;
    u8 *bytes = malloc(IMAGE_MAX);

    fuzz_bytes(f, bytes, IMAGE_MAX);
    if (!fuzz_one_in(f, 4))
        len &= ~(BLOCK_SECTOR - 1);
    int fd = fuzz_file(path, bytes, len);
    enum status s =
        fuzz_one_in(f, 8) ? block_create_memory(&b, bytes, len) : block_open(&b, path, &opt, error);
    if (s == STATUS_OK)
        use_block(f, b);
    else if (b)
        fuzz_fail(f, "a failed open gave a disk");
    block_close(b);
    close(fd);
    free(bytes);
}

/* --- configurations --- */

static const char *const values[] = {
    "on",
    "off",
    "help",
    "",
    "1",
    "0",
    "64M",
    "1G",
    "3G",
    "4095K",
    "1M",
    "12.5ms",
    "20s",
    "0.5",
    "65536",
    "65537",
    "99999999999999999999999",
    "1e9",
    "pc",
    "none",
    "max",
    "8086",
    "pentium4",
    "base=utc",
    "base=localtime",
    "base=2006-06-17T16:01:21",
    "base=9999-99-99T99:99:99",
    "base=2006-02-30",
    "c",
    "adc",
    "order=c,menu=on",
    "order=cccccccccccc",
    "menu=off,,",
    "isa-debug-exit",
    "isa-debug-exit,iobase=0xf4,iosize=4",
    "isa-debug-exit,iobase=0xffff,iosize=4",
    "isa-debug-exit,iobase=0x3f8",
    "isa-debug-exit,iosize=0",
    "isa-debug-exit,iosize=0x10000",
    "file=x,index=1",
    "file=x,index=9",
    "file=a,,b,snapshot=on,readonly=on",
    "file=x,if=ide,format=raw",
    "index=0",
    "file=",
    "file=x,cache=none,media=cdrom",
    "null",
    "\xff\xfe",
    "%s%n%x",
    "=",
    ",",
    ",,,",
};

/* A word of a command line or of a file: a key, a value, or one of these after an accident. */
static void make_word(struct fuzz *f, char *to, size_t size, bool key)
{
    const char *from = values[fuzz_below(f, ARRAY_LEN(values))];

    if (key) {
        const struct config_row *r = &config_rows[fuzz_below(f, config_row_count)];
        from = r->group ? "cpu" : fuzz_one_in(f, 4) ? r->aliases : r->key;
    }
    snprintf(to, size, "%s", from);
    if (fuzz_one_in(f, 8))
        fuzz_mutate(f, (u8 *)to, strlen(to));
    if (!key && fuzz_one_in(f, 40)) {
        memset(to, "9a,=."[fuzz_below(f, 5)], size - 1);
        to[fuzz_below(f, (u32)size)] = 0;
    }
}

/* A key and a value; half of them fit each other. */
static void make_pair(struct fuzz *f, char *key, char *value, size_t size)
{
    static const char *const fitting[][2] = {
        {"memory", "2M"},
        {"memory", "4095K"},
        {"rtc", "base=2006-06-17T16:01:21"},
        {"rtc", "base=2006-02-30T24:60:60"},
        {"device", "isa-debug-exit,iobase=0xf4,iosize=4"},
        {"device", "isa-debug-exit,iobase=0xffff,iosize=4"},
        {"device", "isa-debug-exit,iobase=0x3f8,iosize=1"},
        {"boot", "order=dca,menu=on"},
        {"cpu", "8086"},
        {"drive", "file=/dev/null,index=3,snapshot=on"},
        {"drive", "file=a,,b,index=0x3,if=ide,readonly=on"},
        {"drive", "file=x,media=cdrom,index=1"},
        {"drive", "if=floppy,index=1"},
        {"fda", "/dev/null"},
        {"boot", "order=ac,once=n"},
        {"type", "1s:abc<f1><ctrl-alt-delete><20ms><<"},
        {"type", "0.5s:\\n<tab"},
        {"ns-per-insn", "0.0000001"},
        {"timeout", "12.5ms"},
        {"kernel", "/dev/null"},
        {"bios", "/dev/null"},
        {"deterministic", "yes"},
    };
    unsigned i = fuzz_below(f, ARRAY_LEN(fitting));

    if (fuzz_one_in(f, 2)) {
        make_word(f, key, 64, true);
        make_word(f, value, size, false);
        return;
    }
    snprintf(key, 64, "%s", fitting[i][0]);
    snprintf(value, size, "%s", fitting[i][1]);
    if (fuzz_one_in(f, 8))
        fuzz_mutate(f, (u8 *)value, strlen(value));
}

static void check_round_trip(struct fuzz *f, const struct config *c)
{
    char path[FUZZ_PATH_MAX], *text = NULL;
    size_t len = 0;
    struct config again;
    FILE *out = open_memstream(&text, &len);

    config_dump(c, out);
    fclose(out);
    int fd = fuzz_file(path, text, len);
    if (!config_init(&again))
        fuzz_fail(f, "no memory");
    if (config_read_file(&again, path) == CONFIG_BAD)
        fuzz_fail(f, "what --dump-config writes cannot be read: %s", again.error);
    for (unsigned i = 0; i < CONFIG__COUNT; i++) {
        if (again.value[i].num != c->value[i].num || again.value[i].count != c->value[i].count)
            fuzz_fail(f, "--dump-config does not keep %s", config_name(i));
    }
    config_free(&again);
    close(fd);
    free(text);
}

/* Whether a dump can hold it: lines of less than 4 KiB, without line ends and outer blanks. */
static bool is_plain(const char *text)
{
    size_t n = strlen(text);

    if (n > 3000 || (n && (text[0] <= ' ' || text[n - 1] <= ' ')))
        return false;
    for (const char *p = text; *p; p++) {
        if ((u8)*p < ' ')
            return false;
    }
    return true;
}

static void use_config(struct fuzz *f, const struct config *c, bool plain)
{
    static struct drive drives[DRIVE_COUNT];
    char error[PC_ERROR_MAX] = "";

    if (plain)
        check_round_trip(f, c);
    if (!drive_parse(c, drives, error))
        check_sentence(f, error, sizeof(error));
    /* A machine with that key would leave files in /tmp. */
    if (fuzz_one_in(f, 8) && !config_text(c, CONFIG_perf_map)) {
        struct pc *pc = NULL;
        struct pc_host host = {.wall_seconds = fuzz_length(f, 40)};
        enum status s = pc_create(&pc, c, &host, error);
        if ((s == STATUS_OK) != (pc != NULL))
            fuzz_fail(f, "pc_create: status %d", (int)s);
        pc_destroy(pc);
    }
}

static void try_config_file(struct fuzz *f)
{
    char path[FUZZ_PATH_MAX], *text = calloc(1, TEXT_MAX), word[2][4096];
    struct config c;
    u32 len = 0;
    bool plain = true;

    for (u32 n = fuzz_below(f, fuzz_one_in(f, 2) ? 4 : WORDS_MAX); n && len < TEXT_MAX; n--) {
        make_pair(f, word[0], word[1], fuzz_one_in(f, 20) ? 4096 : 200);
        plain = plain && is_plain(word[1]);
        len += (u32)snprintf(text + len, TEXT_MAX - len, "%s = %s\n", word[0], word[1]);
    }
    len = len < TEXT_MAX ? len : TEXT_MAX;
    if (len && fuzz_one_in(f, 2)) {
        fuzz_mutate(f, (u8 *)text, len);
        plain = false;
    }
    int fd = fuzz_file(path, text, len);
    if (!config_init(&c))
        fuzz_fail(f, "no memory");
    if (config_read_file(&c, path) == CONFIG_BAD)
        check_sentence(f, c.error, sizeof(c.error));
    else
        use_config(f, &c, plain);
    config_free(&c);
    close(fd);
    free(text);
}

static void try_command_line(struct fuzz *f)
{
    static char word[WORDS_MAX][4096];
    char *argv[WORDS_MAX + 1];
    int argc = (int)fuzz_below(f, WORDS_MAX / 2);
    struct config c;
    bool plain = true;
    int given = 0;

    for (int i = 0; i + 1 < argc && fuzz_one_in(f, 2); i += 2) {
        argv[i] = word[i], argv[i + 1] = word[i + 1];
        word[i][0] = '-';
        make_pair(f, word[i] + 1, word[i + 1], 200);
        plain = plain && is_plain(word[i + 1]);
        given = i + 2;
    }
    for (int i = given; i < argc; i++) {
        bool key = i % 2 == 0 || fuzz_one_in(f, 8);
        argv[i] = word[i];
        strcpy(word[i], fuzz_one_in(f, 2) ? "-" : "--");
        make_word(f, word[i] + (key ? strlen(word[i]) : 0), fuzz_one_in(f, 20) ? 4000 : 200, key);
        plain = plain && is_plain(word[i]);
    }
    argv[argc] = NULL;
    if (!config_init(&c))
        fuzz_fail(f, "no memory");
    enum config_result r = config_parse(&c, argc, argv);
    if (r == CONFIG_BAD)
        check_sentence(f, c.error, sizeof(c.error));
    else if (r != CONFIG_SHOW_VALUES)
        use_config(f, &c, plain);
    config_free(&c);
}

static void one(struct fuzz *f)
{
    static void (*const kinds[])(struct fuzz *) = {try_kernel, try_disk, try_config_file,
                                                   try_command_line};

    if (log_open("/dev/null") == STATUS_OK)
        kinds[fuzz_below(f, ARRAY_LEN(kinds))](f);
}

static void remove_folder(const char *folder)
{
    DIR *d = opendir(".");

    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        (void)unlink(e->d_name); /* "." and ".." refuse */
    if (d)
        closedir(d);
    if (rmdir(folder) != 0)
        perror(folder);
}

/* Machines leave files, by whatever names the options give: all in a folder that goes at the end.
 */
int main(int argc, char **argv)
{
    char folder[] = "/tmp/fuzz-files-XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) != 0) {
        perror(folder);
        return 2;
    }
    int status = fuzz_main(argc, argv, "fuzz_files", one);
    remove_folder(folder);
    return status;
}

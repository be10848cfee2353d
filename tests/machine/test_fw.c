/* SPDX-License-Identifier: MIT */
/* What firmware is handed: ACPI blobs that link as the script says, and kernels laid out. */
#include <stdio.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/acpi.h"
#include "machine/boot.h"
#include "machine/mptable.h"
#include "tests/support/check.h"

static const struct fw_item *find_key(const struct fw_list *l, unsigned key)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (l->item[i].key == key)
            return &l->item[i];
    }
    return NULL;
}

static const struct fw_item *find_file(const struct fw_list *l, const char *name)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (l->item[i].key == 0 && strcmp(l->item[i].name, name) == 0)
            return &l->item[i];
    }
    return NULL;
}

static u64 number(const struct fw_list *l, unsigned key)
{
    const struct fw_item *it = find_key(l, key);

    assert_non_null(it);
    return load_le(it->data, (unsigned)it->len);
}

/* --- ACPI --- */

/* A firmware in miniature: it runs the loader script with the blobs at fixed addresses. */
struct placed {
    const char *name;
    u8 *data;
    size_t len;
    u32 at;
};

static struct placed *placed_find(struct placed *p, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++) {
        if (p[i].name && strcmp(p[i].name, name) == 0)
            return &p[i];
    }
    fail_msg("the script uses '%s' before it is allocated", name);
    return NULL;
}

static u8 sum(const u8 *p, size_t n)
{
    u8 s = 0;

    while (n--)
        s = (u8)(s + *p++);
    return s;
}

enum { PLACES = 4 };

static void run_script(const struct fw_list *l, struct placed p[PLACES])
{
    const struct fw_item *script = find_file(l, "etc/table-loader");
    unsigned n = 0;

    assert_non_null(script);
    assert_int_equal(script->len % 128, 0);
    for (size_t at = 0; at < script->len; at += 128) {
        const u8 *e = script->data + at;
        const char *name = (const char *)e + 4;
        struct placed *f, *to;
        switch (load32(e)) {
        case 1:
            assert_true(n < PLACES);
            assert_non_null(find_file(l, name));
            p[n] = (struct placed){name, find_file(l, name)->data, find_file(l, name)->len,
                                   (n + 1) * 0x100000};
            n++;
            break;
        case 2:
            f = placed_find(p, n, name);
            to = placed_find(p, n, (const char *)e + 60);
            assert_int_equal(e[120], 4);
            store32(f->data + load32(e + 116), load32(f->data + load32(e + 116)) + to->at);
            break;
        case 3:
            f = placed_find(p, n, name);
            f->data[load32(e + 60)] = 0;
            f->data[load32(e + 60)] = (u8)-sum(f->data + load32(e + 64), load32(e + 68));
            break;
        default:
            fail_msg("unknown command");
        }
    }
}

static void acpi_tables_link_and_sum_to_zero(void **state)
{
    struct fw_list l = {.count = 0};
    struct placed p[PLACES] = {{.name = NULL}};
    struct table_loader ld = {.count = 0};
    u8 dsdt[40] = "DSDT";

    (void)state;
    store32(dsdt + 4, sizeof(dsdt));
    acpi_add_tables(&l, &ld, &(struct acpi_desc){dsdt, sizeof(dsdt), 2});
    table_loader_add(&ld, &l);
    assert_false(l.no_memory);
    run_script(&l, p);
    const struct placed *rsdp = placed_find(p, PLACES, "etc/acpi/rsdp");
    const struct placed *tables = placed_find(p, PLACES, "etc/acpi/tables");
    assert_memory_equal(rsdp->data, "RSD PTR ", 8);
    assert_int_equal(sum(rsdp->data, 20), 0);
    const u8 *rsdt = tables->data + (load32(rsdp->data + 16) - tables->at);
    assert_memory_equal(rsdt, "RSDT", 4);
    assert_int_equal(sum(rsdt, load32(rsdt + 4)), 0);
    const u8 *fadt = tables->data + (load32(rsdt + 36) - tables->at);
    assert_memory_equal(fadt, "FACP", 4);
    assert_int_equal(load32(fadt + 4), 116);
    assert_int_equal(sum(fadt, 116), 0);
    assert_memory_equal(tables->data + (load32(fadt + 36) - tables->at), "FACS", 4);
    assert_int_equal(load32(fadt + 36) % 64, 0);
    assert_memory_equal(tables->data + (load32(fadt + 40) - tables->at), "DSDT", 4);
    const u8 *madt = tables->data + (load32(rsdt + 40) - tables->at);
    assert_memory_equal(madt, "APIC", 4);
    assert_int_equal(sum(madt, load32(madt + 4)), 0);
    assert_int_equal(load32(madt + 36), 0xfee00000);
    assert_int_equal(madt[44 + 8 + 3], 1);               /* the second CPU's ID */
    assert_int_equal(load32(madt + 60 + 4), 0xfec00000); /* the I/O APIC */
    assert_int_equal(load32(madt + 72 + 4), 2);          /* the timer's input */
    fw_free(&l);
}

static void without_apics_there_is_no_madt(void **state)
{
    struct fw_list l = {.count = 0};
    struct placed p[PLACES] = {{.name = NULL}};
    struct table_loader ld = {.count = 0};
    u8 dsdt[40] = "DSDT";

    (void)state;
    store32(dsdt + 4, sizeof(dsdt));
    acpi_add_tables(&l, &ld, &(struct acpi_desc){dsdt, sizeof(dsdt), 0});
    table_loader_add(&ld, &l);
    run_script(&l, p);
    const struct placed *rsdp = placed_find(p, PLACES, "etc/acpi/rsdp");
    const struct placed *tables = placed_find(p, PLACES, "etc/acpi/tables");
    const u8 *rsdt = tables->data + (load32(rsdp->data + 16) - tables->at);
    assert_int_equal(load32(rsdt + 4), 40);
    assert_int_equal(sum(rsdt, 40), 0);
    fw_free(&l);
}

static void the_mp_table_counts_its_entries(void **state)
{
    struct fw_list l = {.count = 0};
    struct placed p[PLACES] = {{.name = NULL}};
    struct table_loader ld = {.count = 0};
    unsigned entries = 0, pci = 0;

    (void)state;
    mptable_add(&l, &ld, &(struct mptable_cpus){2, 0x14, 0xf29, 0x3febfbff});
    table_loader_add(&ld, &l);
    run_script(&l, p);
    const struct placed *floating = placed_find(p, PLACES, "etc/mp/pointer");
    const struct placed *table = placed_find(p, PLACES, "etc/mp/table");
    assert_memory_equal(floating->data, "_MP_", 4);
    assert_int_equal(sum(floating->data, 16), 0);
    assert_int_equal(load32(floating->data + 4), table->at);
    const u8 *t = table->data;
    assert_memory_equal(t, "PCMP", 4);
    assert_int_equal(load16(t + 4), table->len);
    assert_int_equal(sum(t, table->len), 0);
    for (const u8 *e = t + 44; e < t + table->len; e += *e ? 8 : 20) {
        entries++;
        /* INTB# of slot 2 is PIRQC#, input 18 */
        if (e[0] == 3 && e[4] == 0 && e[5] == (2 << 2 | 1))
            pci = e[7];
    }
    assert_int_equal(load16(t + 34), entries);
    assert_int_equal(pci, 18);
    fw_free(&l);
}

/* --- kernels --- */

struct files {
    char kernel[32], initrd[32];
};

static void write_file(char path[32], const void *bytes, size_t len)
{
    strcpy(path, "/tmp/turbo86-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

static void remove_files(struct files *f)
{
    unlink(f->kernel);
    unlink(f->initrd);
}

/* A bzImage of protocol 2.12 with one setup sector beside the first, and 4096 bytes of kernel. */
static void make_bzimage(u8 image[1024 + 4096])
{
    memset(image, 0xcc, 1024 + 4096);
    memset(image, 0, 1024);
    image[0x1f1] = 1;
    store16(image + 0x1fe, 0xaa55);
    memcpy(image + 0x202, "HdrS", 4);
    store16(image + 0x206, 0x020c);
    image[0x211] = 1;
    store32(image + 0x22c, 0x7fffffff);
    store32(image + 0x238, 2047);
    store32(image + 0x1f4, 4096 / 16); /* paragraphs of the kernel */
    store64(image + 0x258, 16 << 20);  /* unpacks itself between 16... */
    store32(image + 0x260, 4 << 20);   /* ...and 20 MiB */
}

static bool prepare(struct fw_list *l, const struct files *f, const char *append, u64 ram,
                    const char **rom, char *error)
{
    const struct boot_request req = {.kernel = f->kernel,
                                     .initrd = *f->initrd ? f->initrd : NULL,
                                     .append = append,
                                     .ram_bytes = ram};
    return boot_prepare(l, &req, rom, error);
}

static void a_bzimage_is_split_and_told_where_things_are(void **state)
{
    u8 image[1024 + 4096];
    struct files f = {"", ""};
    struct fw_list l = {.count = 0};
    char error[BOOT_ERROR_MAX] = "";
    const char *rom;

    (void)state;
    make_bzimage(image);
    write_file(f.kernel, image, sizeof(image));
    write_file(f.initrd, "ramdisk", 7);
    assert_true(prepare(&l, &f, "console=ttyS0 vga=0x314", 64 << 20, &rom, error));
    assert_string_equal(rom, "linuxboot.bin");
    assert_int_equal(number(&l, FW_SETUP_SIZE), 1024);
    assert_int_equal(number(&l, FW_KERNEL_SIZE), 4096);
    assert_int_equal(number(&l, FW_KERNEL_ADDR), 0x100000);
    assert_int_equal(number(&l, FW_CMDLINE_SIZE), strlen("console=ttyS0 vga=0x314") + 1);
    const u8 *setup = find_key(&l, FW_SETUP_DATA)->data;
    assert_int_equal(load32(setup + 0x228), number(&l, FW_CMDLINE_ADDR));
    assert_int_equal(load32(setup + 0x218), number(&l, FW_INITRD_ADDR));
    assert_int_equal(load32(setup + 0x21c), 7);
    assert_int_equal(load16(setup + 0x1fa), 0x314);
    assert_true(setup[0x211] & 0x80);
    u64 at = number(&l, FW_INITRD_ADDR);
    assert_int_equal(at % 4096, 0);
    assert_true(at + 7 <= (64 << 20) && at > (60 << 20));
    fw_free(&l);
    remove_files(&f);
}

static void a_kernel_that_cannot_be_booted_is_refused_in_words(void **state)
{
    u8 image[1024 + 4096];
    struct files f = {"", ""};
    struct fw_list l = {.count = 0};
    char error[BOOT_ERROR_MAX], text[3000];
    const char *rom;

    (void)state;
    make_bzimage(image);
    write_file(f.kernel, image, sizeof(image));
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    assert_false(prepare(&l, &f, text, 64 << 20, &rom, error));
    assert_non_null(strstr(error, "this kernel takes 2047"));
    assert_false(prepare(&l, &f, "quiet vga=big", 64 << 20, &rom, error));
    assert_non_null(strstr(error, "'vga=big' is not"));
    fw_free(&l);
    assert_false(prepare(&l, &f, "", 1 << 20, &rom, error));
    assert_non_null(strstr(error, "does not fit"));
    assert_false(prepare(&l, &f, "", 20 << 20, &rom, error)); /* nowhere to unpack */
    assert_non_null(strstr(error, "does not fit"));
    assert_int_equal(truncate(f.kernel, sizeof(image) - 16), 0);
    assert_false(prepare(&l, &f, "", 64 << 20, &rom, error));
    assert_non_null(strstr(error, "is cut short"));
    unlink(f.kernel);
    write_file(f.kernel, image, sizeof(image));
    strcpy(f.initrd, "/nonexistent");
    assert_false(prepare(&l, &f, "", 64 << 20, &rom, error));
    assert_non_null(strstr(error, "cannot read '/nonexistent'"));
    *f.initrd = 0;
    unlink(f.kernel);
    write_file(f.kernel, "MZ", 2);
    assert_false(prepare(&l, &f, "", 64 << 20, &rom, error));
    assert_non_null(strstr(error, "neither a Linux bzImage nor a multiboot image"));
    fw_free(&l);
    remove_files(&f);
}

/* A 32-bit ELF with a multiboot header at 0x60: one segment of 0x100 bytes in the file, 0x300 in
 * memory, loaded at 1 MiB and linked at 3 GiB + 1 MiB. */
static void make_multiboot(u8 image[0x160])
{
    memset(image, 0, 0x160);
    memcpy(image, "\177ELF\1\1\1", 7);
    store16(image + 18, 3);
    store32(image + 24, 0xc0100010);
    store32(image + 28, 52);
    store16(image + 42, 32);
    store16(image + 44, 1);
    store32(image + 52, 1);
    store32(image + 56, 0x60);
    store32(image + 60, 0xc0100000);
    store32(image + 64, 0x100000);
    store32(image + 68, 0x100);
    store32(image + 72, 0x300);
    store32(image + 0x60, 0x1badb002);
    store32(image + 0x64, 3);
    store32(image + 0x68, (u32) - (0x1badb002 + 3));
}

static void a_multiboot_elf_is_flattened_with_its_modules_behind(void **state)
{
    u8 image[0x160];
    struct files f = {"", ""};
    struct fw_list l = {.count = 0};
    char error[BOOT_ERROR_MAX] = "", initrd[100];
    const char *rom;

    (void)state;
    make_multiboot(image);
    write_file(f.kernel, image, sizeof(image));
    write_file(f.initrd, "module!", 7);
    snprintf(initrd, sizeof(initrd), "%s one,%s two,,three", f.initrd, f.initrd);
    const struct boot_request req = {
        .kernel = f.kernel, .initrd = initrd, .append = "args", .ram_bytes = 64 << 20};
    assert_true(boot_prepare(&l, &req, &rom, error));
    assert_string_equal(rom, "multiboot.bin");
    assert_int_equal(number(&l, FW_KERNEL_ADDR), 0x100000);
    assert_int_equal(number(&l, FW_KERNEL_ENTRY), 0x100010);
    const u8 *block = find_key(&l, FW_KERNEL_DATA)->data;
    assert_int_equal(load32(block), 0x1badb002);
    assert_int_equal(load32(block + 0x100), 0);
    assert_memory_equal(block + 0x1000, "module!", 7);
    assert_memory_equal(block + 0x2000, "module!", 7);

    u32 at = (u32)number(&l, FW_INITRD_ADDR);
    const u8 *info = find_key(&l, FW_INITRD_DATA)->data;
    assert_true(at + number(&l, FW_INITRD_SIZE) <= 0x10000);
    assert_int_equal(load32(info + 20), 2);
    const u8 *mods = info + (load32(info + 24) - at);
    assert_int_equal(load32(mods), 0x101000);
    assert_int_equal(load32(mods + 4), 0x101007);
    assert_int_equal(load32(mods + 16), 0x102000);
    const char *second = (const char *)info + (load32(mods + 24) - at);
    assert_non_null(strstr(second, " two,three"));
    const char *cmdline = (const char *)info + (load32(info + 16) - at);
    assert_non_null(strstr(cmdline, " args"));
    fw_free(&l);
    remove_files(&f);
}

/* Linked to 1 MiB, the segment of the text often takes the file's headers along, just below. */
static void headers_in_the_rom_window_are_left_out(void **state)
{
    u8 image[0x160];
    struct files f = {"", ""};
    struct fw_list l = {.count = 0};
    char error[BOOT_ERROR_MAX] = "";
    const char *rom;

    (void)state;
    make_multiboot(image);
    store32(image + 64, 0xfff80);
    image[0x60 + 0x80] = 0xab;
    write_file(f.kernel, image, sizeof(image));
    assert_true(prepare(&l, &f, NULL, 64 << 20, &rom, error));
    assert_int_equal(number(&l, FW_KERNEL_ADDR), 0x100000);
    assert_int_equal(number(&l, FW_KERNEL_SIZE), 0x300 - 0x80);
    assert_int_equal(*(const u8 *)find_key(&l, FW_KERNEL_DATA)->data, 0xab);
    fw_free(&l);
    remove_files(&f);
}

static void a_damaged_multiboot_elf_is_refused(void **state)
{
    static const struct {
        unsigned at;
        u32 value;
        const char *error;
    } damage[] = {
        {64, 0xfff00000, "no free memory"}, {64, 0x9f000, "no free memory"},
        {28, 0x7fffffff, "cut short"},      {68, 0x7fffffff, "cut short"},
        {68, 0x301, "cut short"},           {18, 62, "not a 32-bit x86 ELF"},
        {72, 0xffffffff, "no free memory"},
    };
    u8 image[0x160];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(damage); i++) {
        struct files f = {"", ""};
        struct fw_list l = {.count = 0};
        char error[BOOT_ERROR_MAX] = "";
        const char *rom;
        make_multiboot(image);
        if (damage[i].at == 18)
            store16(image + 18, (u16)damage[i].value);
        else
            store32(image + damage[i].at, damage[i].value);
        write_file(f.kernel, image, sizeof(image));
        assert_false(prepare(&l, &f, NULL, 64 << 20, &rom, error));
        if (!strstr(error, damage[i].error))
            fail_msg("'%s' is not in '%s'", damage[i].error, error);
        fw_free(&l);
        remove_files(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acpi_tables_link_and_sum_to_zero),
        cmocka_unit_test(without_apics_there_is_no_madt),
        cmocka_unit_test(the_mp_table_counts_its_entries),
        cmocka_unit_test(a_bzimage_is_split_and_told_where_things_are),
        cmocka_unit_test(a_kernel_that_cannot_be_booted_is_refused_in_words),
        cmocka_unit_test(a_multiboot_elf_is_flattened_with_its_modules_behind),
        cmocka_unit_test(headers_in_the_rom_window_are_left_out),
        cmocka_unit_test(a_damaged_multiboot_elf_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

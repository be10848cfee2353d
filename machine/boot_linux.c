/* SPDX-License-Identifier: MIT */
/*
 * Linux bzImages: reads the setup header, decides where everything goes, and fills in what a boot
 * loader must. Reference: [LINUX-BOOT] The Linux/x86 Boot Protocol, "The Real-Mode Kernel Header".
 *
 * Not implemented: zImage (protocol before 2.00), the 32-bit entry point.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "machine/boot.h"
#include "machine/hostfile.h"

/* Offsets into the image: the setup header. */
enum {
    HDR_SETUP_SECTS = 0x1f1,
    HDR_SYSSIZE = 0x1f4, /* of the protected-mode part, in paragraphs */
    HDR_VID_MODE = 0x1fa,
    HDR_HEADER = 0x202, /* "HdrS" */
    HDR_VERSION = 0x206,
    HDR_TYPE_OF_LOADER = 0x210,
    HDR_LOADFLAGS = 0x211,
    HDR_RAMDISK_IMAGE = 0x218,
    HDR_RAMDISK_SIZE = 0x21c,
    HDR_HEAP_END_PTR = 0x224,
    HDR_CMD_LINE_PTR = 0x228,
    HDR_INITRD_ADDR_MAX = 0x22c,
    HDR_CMDLINE_SIZE = 0x238,
    HDR_PREF_ADDRESS = 0x258,
    HDR_INIT_SIZE = 0x260,
    HDR_END = 0x268,

    LOADFLAGS_LOADED_HIGH = BIT(0),
    LOADFLAGS_CAN_USE_HEAP = BIT(7),
    LOADER_UNDEFINED = 0xff,
    VID_MODE_NORMAL = 0xffff,
    VID_MODE_EXTENDED = 0xfffe,
    VID_MODE_ASK = 0xfffd,
};

/* Where things go: setup with its heap and stack, then the command line, below the EBDA. */
enum {
    SETUP_AT = 0x10000,
    HEAP_END = 0xe000, /* offset in the setup segment; the stack's top too */
    CMDLINE_AT = SETUP_AT + HEAP_END,
    CMDLINE_ROOM = 0x2000,
    KERNEL_AT = 0x100000,
    FIRMWARE_TABLES = 0x40000, /* what the BIOS keeps for itself at the top of RAM */
};

static bool fail(char error[BOOT_ERROR_MAX], const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(char error[BOOT_ERROR_MAX], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error, BOOT_ERROR_MAX, fmt, ap);
    va_end(ap);
    return false;
}

bool boot_is_linux(const u8 *image, size_t len)
{
    return len > HDR_END && load16(image + 0x1fe) == 0xaa55 &&
           memcmp(image + HDR_HEADER, "HdrS", 4) == 0;
}

static size_t setup_size(const u8 *image)
{
    unsigned sectors = image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4;

    return ((size_t)sectors + 1) * 512;
}

/* First address above what the kernel needs to unpack itself [Linux/x86 boot protocol, init_size].
 */
static u64 kernel_end(const struct boot_request *req)
{
    const u8 *h = req->image;
    u64 end = KERNEL_AT + (u64)req->image_len;

    if (load16(h + HDR_VERSION) >= 0x020a) {
        u64 unpacked = load64(h + HDR_PREF_ADDRESS) + load32(h + HDR_INIT_SIZE);
        end = unpacked > end ? unpacked : end;
    }
    return end;
}

static bool check_header(const struct boot_request *req, char error[BOOT_ERROR_MAX])
{
    const u8 *h = req->image;
    u16 version = load16(h + HDR_VERSION);

    if (version < 0x0202 || !(h[HDR_LOADFLAGS] & LOADFLAGS_LOADED_HIGH))
        return fail(error,
                    "-kernel: '%.200s' is a Linux image of boot protocol %u.%02u; a bzImage of "
                    "2.02 or later is needed",
                    req->kernel, version >> 8, version & 0xff);
    if (setup_size(h) > 0x9000 || setup_size(h) >= req->image_len)
        return fail(error, "-kernel: '%.200s' is cut short or damaged", req->kernel);
    /* From 2.04 on the header counts the paragraphs of the protected-mode part. The last one need
     * not be whole: that of Memtest86+ is not. */
    if (version >= 0x0204 && setup_size(h) + 16ull * load32(h + HDR_SYSSIZE) > req->image_len + 15)
        return fail(error, "-kernel: '%.200s' is cut short", req->kernel);
    if (kernel_end(req) + FIRMWARE_TABLES > req->ram_bytes)
        return fail(error, "-kernel: '%.200s' does not fit into %u MiB of memory; try -m 64",
                    req->kernel, (unsigned)(req->ram_bytes >> 20));
    return true;
}

static bool add_cmdline(struct fw_list *l, const struct boot_request *req,
                        char error[BOOT_ERROR_MAX])
{
    const char *text = req->append ? req->append : "";
    size_t max = 255;

    if (load16(req->image + HDR_VERSION) >= 0x0206)
        max = load32(req->image + HDR_CMDLINE_SIZE);
    if (max > CMDLINE_ROOM - 1)
        max = CMDLINE_ROOM - 1;
    if (strlen(text) > max)
        return fail(error, "-append: the command line has %u characters; this kernel takes %u",
                    (unsigned)strlen(text), (unsigned)max);
    fw_add_number(l, FW_CMDLINE_ADDR, CMDLINE_AT, 4);
    fw_add_number(l, FW_CMDLINE_SIZE, strlen(text) + 1, 4);
    fw_add_key(l, FW_CMDLINE_DATA, text, strlen(text) + 1);
    return true;
}

/* The mode of a word "vga=..." behind its sign; false: it is none. */
static bool parse_vid_mode(const char *word, size_t len, u16 *mode)
{
    char text[16], *end;

    if (len == 0 || len >= sizeof(text))
        return false;
    memcpy(text, word, len);
    text[len] = 0;
    unsigned long n = strtoul(text, &end, 0);
    if (strcmp(text, "normal") == 0)
        *mode = VID_MODE_NORMAL;
    else if (strcmp(text, "ext") == 0)
        *mode = VID_MODE_EXTENDED;
    else if (strcmp(text, "ask") == 0)
        *mode = VID_MODE_ASK;
    else if (!*end && n <= UINT16_MAX)
        *mode = (u16)n;
    else
        return false;
    return true;
}

/* "vga=MODE" on the command line is for the boot loader [LINUX-BOOT, Special Command Line Options].
 */
static bool set_vid_mode(u8 *setup, const char *append, char error[BOOT_ERROR_MAX])
{
    for (const char *p = append; p && *p;) {
        size_t n = strcspn(p, " ");
        u16 mode;
        if (strncmp(p, "vga=", 4) == 0) {
            if (!parse_vid_mode(p + 4, n - 4, &mode))
                return fail(error, "-append: '%.*s' is not vga=normal, ext, ask or a number",
                            (int)(n < 60 ? n : 60), p);
            store16(setup + HDR_VID_MODE, mode);
        }
        p += n + strspn(p + n, " ");
    }
    return true;
}

/* The initrd goes as high as the kernel and the firmware's tables allow. */
static bool add_initrd(struct fw_list *l, const struct boot_request *req, u8 *setup,
                       char error[BOOT_ERROR_MAX])
{
    u64 top = req->ram_bytes - FIRMWARE_TABLES;
    u64 max = 0x37ffffff;
    u8 *bytes;
    size_t len;

    enum status s = hostfile_read(req->initrd, req->ram_bytes, &bytes, &len);
    if (s != STATUS_OK)
        return fail(error, "-initrd: cannot read '%.200s': %s", req->initrd, status_text(s));
    if (load16(setup + HDR_VERSION) >= 0x0203)
        max = load32(setup + HDR_INITRD_ADDR_MAX);
    if (top > max + 1)
        top = max + 1;
    u64 at = top > len ? (top - len) & ~(u64)0xfff : 0;
    if (at < kernel_end(req)) {
        free(bytes);
        return fail(error, "-initrd: '%.200s' (%u KiB) does not fit into memory above the kernel",
                    req->initrd, (unsigned)(len >> 10));
    }
    store32(setup + HDR_RAMDISK_IMAGE, (u32)at);
    store32(setup + HDR_RAMDISK_SIZE, (u32)len);
    fw_add_number(l, FW_INITRD_ADDR, at, 4);
    fw_add_number(l, FW_INITRD_SIZE, len, 4);
    fw_add_key(l, FW_INITRD_DATA, bytes, len);
    free(bytes);
    return true;
}

bool boot_linux(struct fw_list *l, const struct boot_request *req, char error[BOOT_ERROR_MAX])
{
    u8 *setup = req->image; /* the first sectors; changed in place */

    if (!check_header(req, error) || !add_cmdline(l, req, error) ||
        !set_vid_mode(setup, req->append, error))
        return false;
    setup[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    setup[HDR_LOADFLAGS] |= LOADFLAGS_CAN_USE_HEAP;
    store16(setup + HDR_HEAP_END_PTR, HEAP_END - 0x200);
    store32(setup + HDR_CMD_LINE_PTR, CMDLINE_AT);
    if (req->initrd) {
        if (!add_initrd(l, req, setup, error))
            return false;
    } else {
        fw_add_number(l, FW_INITRD_ADDR, 0, 4);
        fw_add_number(l, FW_INITRD_SIZE, 0, 4);
    }
    size_t size = setup_size(setup);
    fw_add_number(l, FW_SETUP_ADDR, SETUP_AT, 4);
    fw_add_number(l, FW_SETUP_SIZE, size, 4);
    fw_add_key(l, FW_SETUP_DATA, setup, size);
    fw_add_number(l, FW_KERNEL_ADDR, KERNEL_AT, 4);
    fw_add_number(l, FW_KERNEL_SIZE, req->image_len - size, 4);
    fw_add_key(l, FW_KERNEL_DATA, setup + size, req->image_len - size);
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * Kernels given with -kernel: laid out here, offered through fw_cfg, and put in place by our option
 * ROM after the firmware's POST (roms/README.md).
 */
#pragma once

#include "machine/fw.h"

#define BOOT_ERROR_MAX 400u

struct boot_request {
    const char *kernel; /* path          */
    const char *initrd; /* path, or for multiboot "FILE ARGS,FILE2 ARGS"; NULL: none */
    const char *append; /* NULL: ""      */
    u64 ram_bytes;      /* below 4 GiB   */
    u8 *image;          /* the kernel's bytes */
    size_t image_len;
};

/**
 * Recognise the kernel and add its items to @l; *@rom is the name of the option ROM that starts it.
 * False: @error holds one sentence.
 */
bool boot_prepare(struct fw_list *l, const struct boot_request *req, const char **rom,
                  char error[BOOT_ERROR_MAX]) MUST_CHECK;

/* --- the two kinds; boot_prepare() calls them with the image read --- */

bool boot_is_linux(const u8 *image, size_t len);
bool boot_linux(struct fw_list *l, const struct boot_request *req,
                char error[BOOT_ERROR_MAX]) MUST_CHECK;
/** Offset of the multiboot header, or -1. */
i64 boot_multiboot_header(const u8 *image, size_t len);
bool boot_multiboot(struct fw_list *l, const struct boot_request *req,
                    char error[BOOT_ERROR_MAX]) MUST_CHECK;

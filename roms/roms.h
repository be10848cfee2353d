/* SPDX-License-Identifier: MIT */
/* The firmware that is built into the program; roms/README.md says what each image is. */
#ifndef ROMS_ROMS_H
#define ROMS_ROMS_H

#include <stddef.h>

struct rom_image {
    const char *name; /* "linuxboot.bin", "multiboot.bin", "dsdt.aml", "demo.img", "tinybios.bin" */
    const unsigned char *bytes;
    size_t size;
};

/** The image of that name, or NULL. It lives as long as the program. */
const struct rom_image *rom_image_find(const char *name);

#endif

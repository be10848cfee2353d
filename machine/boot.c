/* SPDX-License-Identifier: MIT */
#include "machine/boot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "machine/hostfile.h"

bool boot_prepare(struct fw_list *l, const struct boot_request *given, const char **rom,
                  char error[BOOT_ERROR_MAX])
{
    struct boot_request req = *given;
    bool ok = false;
    enum status s = hostfile_read(req.kernel, req.ram_bytes, &req.image, &req.image_len);

    if (s == STATUS_BAD_SIZE) {
        snprintf(error, BOOT_ERROR_MAX, "-kernel: '%.200s' is larger than the machine's memory",
                 req.kernel);
        return false;
    }
    if (s != STATUS_OK) {
        snprintf(error, BOOT_ERROR_MAX, "-kernel: %.200s: %s", req.kernel, status_text(s));
        return false;
    }
    if (boot_multiboot_header(req.image, req.image_len) >= 0) {
        *rom = "multiboot.bin";
        ok = boot_multiboot(l, &req, error);
    } else if (boot_is_linux(req.image, req.image_len)) {
        *rom = "linuxboot.bin";
        ok = boot_linux(l, &req, error);
    } else {
        snprintf(error, BOOT_ERROR_MAX,
                 "-kernel: '%.200s' is neither a Linux bzImage nor a multiboot image", req.kernel);
    }
    free(req.image);
    return ok;
}

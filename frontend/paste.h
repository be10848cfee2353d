/* SPDX-License-Identifier: MIT */
/* Text from a clipboard as keys of a US keyboard. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** More characters are not typed: that is half an hour of a fast typist. */
#define PASTE_MAX 65536u

struct paste {
    char *text; /* as pc_type() reads it, to be freed; NULL: there was no memory */
    size_t length;
    unsigned left_out; /* characters that no key has */
    bool cut;          /* there was more than PASTE_MAX */
};

/** @clip is UTF-8; lines end as they do anywhere. */
struct paste paste_text(const char *clip);

/** Characters of @text, in that notation, that are one key; not 0. */
size_t paste_key_length(const char *text);

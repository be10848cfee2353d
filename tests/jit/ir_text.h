/* SPDX-License-Identifier: MIT */
/* Blocks of the intermediate form, written as text, for tests. */
#pragma once

#include <stdio.h>

#include "jit/ir.h"
#include "tests/support/check.h"

/** The block with these lines between "block" and "end", which has 8 temporaries. */
static inline void ir_text_parse(struct ir_block *b, const char *lines)
{
    char text[4096];
    unsigned line;

    snprintf(text, sizeof(text), "block 0x1000 fall 0x1010 temps 8\n%s\nend 0x1010\n", lines);
    if (!ir_parse(text, b, &line))
        fail_msg("line %u of\n%s", line, text);
}

/** The block of one guest instruction at 1000h of 2 bytes that does this and then jumps on. */
static inline void ir_text_one(struct ir_block *b, const char *operations)
{
    char lines[2048];

    snprintf(lines, sizeof(lines), "@0 0x1000\n%s\njmp 0x1002", operations);
    ir_text_parse(b, lines);
    b->at[1] = 0x1002;
}

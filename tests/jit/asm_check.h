/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the assemblers share: a buffer for one instruction, and capstone, which says
 * what stands in it. Each expect_*() looks at all that was put since the last one.
 */
#pragma once

#include "jit/codebuf.h"
#include "tests/support/check.h"

#include <capstone/capstone.h>
#include <stdio.h>

#define CODE_ADDRESS 0x10000 /* where capstone is told that the buffer is */

struct asm_check {
    u8 bytes[64];
    struct codebuf c;
    csh cs;
    cs_insn *insn;
    unsigned length;  /* of the instruction looked at last */
    char text[256];   /* capstone's */
    u32 instructions; /* looked at so far */
};

static inline struct asm_check *asm_check_create(cs_arch arch, cs_mode mode)
{
    struct asm_check *k = calloc(1, sizeof(*k));

    assert_non_null(k);
    assert_int_equal(cs_open(arch, mode, &k->cs), CS_ERR_OK);
    assert_int_equal(cs_option(k->cs, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
    k->insn = cs_malloc(k->cs);
    codebuf_init(&k->c, k->bytes, sizeof(k->bytes), 0);
    return k;
}

static inline void asm_check_destroy(struct asm_check *k)
{
    cs_free(k->insn, 1);
    cs_close(&k->cs);
    free(k);
}

static inline void show_bytes(const struct asm_check *k)
{
    for (unsigned i = 0; i < codebuf_off(&k->c); i++)
        fprintf(stderr, "%02x ", k->bytes[i]);
    fprintf(stderr, "is \"%s\"\n", k->text);
}

/* Disassemble the one instruction in the buffer and empty it. */
static inline void look(struct asm_check *k)
{
    const u8 *at = k->bytes;
    size_t left = codebuf_off(&k->c);
    u64 address = CODE_ADDRESS;
    bool known = cs_disasm_iter(k->cs, &at, &left, &address, k->insn);

    k->length = codebuf_off(&k->c);
    k->instructions++;
    snprintf(k->text, sizeof(k->text), "%s", known ? k->insn->mnemonic : "nothing");
    if (known && k->insn->op_str[0])
        snprintf(k->text, sizeof(k->text), "%s %s", k->insn->mnemonic, k->insn->op_str);
    if (k->c.full || !known || left != 0) {
        show_bytes(k);
        fail_msg("not one instruction");
    }
    k->c.at = k->c.start;
}

static inline void expect_same(struct asm_check *k, const char *text)
{
    if (strcmp(k->text, text) != 0) {
        k->c.at = k->c.start + k->length;
        show_bytes(k);
        fail_msg("expected \"%s\"", text);
    }
}

/* The instruction is written in this way. */
PRINTF_LIKE(2, 3) static inline void expect(struct asm_check *k, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    look(k);
    expect_same(k, text);
}

/*
 * The same with a number at the end, @bits of which are compared: how capstone writes numbers
 * depends on the instruction and on its version.
 */
PRINTF_LIKE(4, 5)
static inline void expect_number(struct asm_check *k, u64 number, unsigned bits, const char *format,
                                 ...)
{
    char text[256], *end = NULL;
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    look(k);
    if (strncmp(k->text, text, (size_t)n) == 0) {
        u64 theirs = strtoull(k->text + n, &end, 0);
        if (end != k->text + n && *end == 0 && ((theirs ^ number) << (64 - bits)) == 0)
            return;
    }
    k->c.at = k->c.start + k->length;
    show_bytes(k);
    fail_msg("expected \"%s0x%llx\"", text, (unsigned long long)number);
}

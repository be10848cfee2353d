/* SPDX-License-Identifier: MIT */
/* struct insn -> Intel-syntax text, from the same rows. */
#pragma once

#include "cpu/insn.h"

/**
 * Write the text of @in at address @ip (for relative targets) to @out, always terminated. The form
 * is capstone's for the same bytes; tests/cpu/test_disasm.c lists where and why it differs.
 */
void disasm(const struct insn *in, u64 ip, char *out, size_t size);

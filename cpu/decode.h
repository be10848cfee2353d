/* SPDX-License-Identifier: MIT */
/* Bytes -> struct insn, driven by the rows of cpu/isa.def. */
#pragma once

#include "base/status.h"
#include "cpu/insn.h"

struct decode_table;

/**
 * Build the lookup from (map, opcode, mandatory prefix, ModR/M) to a row, with only the rows whose
 * feature bit is set in @features (bit n = enum cpu_feature n). STATUS_CONFLICT, and a logged pair,
 * if two rows claim one encoding. Read-only afterwards; free with decode_table_destroy().
 */
enum status decode_table_create(struct decode_table **out, u64 features) MUST_CHECK;
void decode_table_destroy(struct decode_table *t);

enum decode_result {
    DECODE_OK,    /* *out is valid. An undefined encoding decodes to a row whose exec is exec_ud */
    DECODE_SHORT, /* more than @avail bytes are needed                                          */
    DECODE_LONG,  /* the instruction would be longer than 15 bytes: #GP(0)                      */
};

/**
 * Decode the instruction at @bytes, of which @avail (1..15 useful) may be read. @mode is made of
 * enum insn_mode. LOCK where the row does not allow it gives exec_ud.
 */
enum decode_result decode(const struct decode_table *t, const u8 *bytes, unsigned avail, u32 mode,
                          struct insn *out) MUST_CHECK;

/** All features: what the disassembler and the tests use. */
#define DECODE_ALL_FEATURES (~(u64)0)

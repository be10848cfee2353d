/* SPDX-License-Identifier: MIT */
/* What the decoder asks of the table built from the rows. Private to the decoder and its tests. */
#pragma once

#include "cpu/decode.h"

#define NO_ROW 0xffff

/** True if some row of this opcode, of whatever feature, has a ModR/M byte. */
bool decode_table_has_modrm(const struct decode_table *t, enum insn_map map, u8 opcode);

/** The row for an encoding, or NO_ROW. @modrm is looked at only where rows depend on it. */
u16 decode_table_row(const struct decode_table *t, enum insn_map map, u8 opcode, enum insn_pfx pfx,
                     u8 modrm);

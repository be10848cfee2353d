/* SPDX-License-Identifier: MIT */
/* Row -> executor. Alone in its file: who only decodes can supply another table and link no
 * executors. */
#include "cpu/exec.h"

exec_fn *const exec_of[INSN__COUNT] = {
#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
    [INSN_##id] = exec_##exec,
#include "cpu/isa.def"
};

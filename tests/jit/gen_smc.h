/* SPDX-License-Identifier: MIT */
/* What gen_smc.c and gen_slot.c share: addresses in the code, and slots. */
#pragma once

#include "tests/jit/gen_program.h"

/** A target: any slot; one that is written to, mostly a favourite. */
unsigned smc_any_slot(struct gen *g);
unsigned smc_slot(struct gen *g);

/** Which of the addresses of code as data: mostly its own. */
enum gen_fix smc_fix(struct gen *g);
/** The segment for it. */
void smc_segment(struct gen *g, enum gen_fix fix);
/** Room for the address of byte @byte of @target. */
void smc_fixed(struct gen *g, enum gen_fix fix, unsigned target, unsigned byte);

/** ModR/M of a displacement, which has to follow, or of SI and that. */
enum smc_address { SMC_PLAIN, SMC_BY_SI };
void smc_modrm(struct gen *g, enum smc_address how, unsigned reg);

/** @op in @n bytes, prefixes first, and byte @byte of item @target as its memory operand. */
void smc_code_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned target, unsigned byte);

/** Items of at most a slot: an instruction; one with an immediate. */
void smc_insn(struct gen *g);
void smc_imm(struct gen *g);

/** A slot; one with an immediate, with any number; another of the family of the last item; one that ends a subroutine. */
void smc_put_slot(struct gen *g);
void smc_put_plain(struct gen *g);
void smc_put_number(struct gen *g);
void smc_put_relative(struct gen *g);
void smc_end(struct gen *g);

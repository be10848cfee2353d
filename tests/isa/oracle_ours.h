/* SPDX-License-Identifier: MIT */
/* The machine that runs a case for us: oracle_ours.c makes it, oracle_engine.c lets it run. */
#pragma once

#include "base/clock.h"
#include "tests/isa/oracle.h"

struct cpu;
struct decode_table;
struct jit;
struct physmem;

/* Where things are in RAM. */
enum oracle_ram {
    RAM_SIZE = 0x100000,
    RAM_DIRECTORY = 0x1000,
    RAM_TABLE = 0x2000,
    RAM_GDT = 0x3000, /* one page: these six */
    RAM_IDT = 0x3100,
    RAM_TSS = 0x3200,
    RAM_HANDLERS = 0x3300, /* a HLT for each vector */
    RAM_STACK = 0x3700,    /* of ring 0: its top     */
    RAM_LDT = 0x3800,
    RAM_ARENA = 0x10000,
};
enum { TABLES = ARENA_EXIT - RAM_GDT }; /* linear address of RAM's 0 where the tables are mapped */

struct ours {
    struct physmem *pm;
    struct clock clock;
    struct cpu *cpu;
    struct decode_table *table;
    enum oracle_engine engine;
    struct jit *jit;       /* or NULL */
    u32 code_at;           /* where the page at ARENA_CODE is in RAM */
    enum oracle_mode mode; /* of the LDT */
};

/** NULL, or why this host has no such engine. */
const char *engine_attach(struct ours *o) MUST_CHECK;
void engine_detach(struct ours *o);

/**
 * Run the instruction, whose bytes are in place and whose registers are loaded, and what stops
 * behind it. Leaves registers as the instruction did and cpu->next_rip at the next one, or tells
 * the fault in @out.
 */
void engine_run(struct ours *o, const struct oracle_case *c, const struct insn *in,
                struct oracle_result *out);

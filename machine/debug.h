/* SPDX-License-Identifier: MIT */
/*
 * What a debugger asks of a machine: registers by gdb's numbers, memory by linear address,
 * breakpoints and watchpoints. Nothing of it can be seen by the guest, but what is written.
 *
 * While there are breakpoints the machine interprets, and with watchpoints instruction by
 * instruction. What bus masters write is not watched.
 */
#pragma once

#include "machine/pc.h"

enum pc_debug_kind {
    PC_DEBUG_BREAK,  /* before the instruction at this linear address   */
    PC_DEBUG_WRITE,  /* after an instruction that writes there          */
    PC_DEBUG_ACCESS, /* ... or reads                                    */
};

/** Where the machine stopped with PC_STOP_DEBUG, or would have. */
struct pc_debug_hit {
    bool hit;
    enum pc_debug_kind kind;
    u32 at;
    u64 retired; /* instructions before the block that did it */
    u64 end;     /* and after it, or where it was left */
};

/** Attach a debugger. STATUS_UNSUPPORTED: not to -jit check. */
enum status pc_debug_open(struct pc *pc) MUST_CHECK;

/** False: there are too many, or @len is not 1 to 4096. The same twice counts once. */
bool pc_debug_insert(struct pc *pc, enum pc_debug_kind kind, u32 at, unsigned len) MUST_CHECK;
void pc_debug_remove(struct pc *pc, enum pc_debug_kind kind, u32 at);
void pc_debug_remove_all(struct pc *pc);

/** Forget the last hit; a breakpoint at the instruction that is next does not count once. */
void pc_debug_resume(struct pc *pc);
/** What hits do. */
enum pc_debug_mode {
    PC_DEBUG_STOP,
    PC_DEBUG_NOTE,      /* the last one before @until instructions is remembered              */
    PC_DEBUG_NOTE_EACH, /* the same, and blocks are single instructions, which is slow        */
    PC_DEBUG_IGNORE,    /* nothing, and the machine runs as without a debugger                */
};
void pc_debug_set_mode(struct pc *pc, enum pc_debug_mode mode, u64 until);
struct pc_debug_hit pc_debug_last(const struct pc *pc);
/** The machine was brought to where @hit was. */
void pc_debug_set_last(struct pc *pc, struct pc_debug_hit hit);

/**
 * gdb's description of the registers, XML, which the caller frees; their number; their sizes. Its
 * architecture is that of the code now: i8086 in 16-bit code, which gdb cannot be told otherwise.
 */
char *pc_debug_description(const struct pc *pc);
unsigned pc_debug_registers(void);
#define PC_DEBUG_REGISTER_MAX 16u
unsigned pc_debug_register_size(unsigned n);
/** Little-endian bytes. EIP is linear: the base of CS is added, so that real mode code is found. */
void pc_debug_get(const struct pc *pc, unsigned n, u8 *to);
/** Ignored by registers that have no simple value. */
void pc_debug_set(struct pc *pc, unsigned n, const u8 *from);

/** How many of @len bytes at linear address @at could be read, or written, from the first on. */
size_t pc_debug_read(struct pc *pc, u32 at, u8 *to, size_t len);
size_t pc_debug_write(struct pc *pc, u32 at, const u8 *from, size_t len);
/** Reading at a physical address. */
size_t pc_debug_read_physical(struct pc *pc, u64 at, u8 *to, size_t len);

/* SPDX-License-Identifier: MIT */
/* Descriptors and segment registers [SDM 3A §3.4, §5]. */
#pragma once

#include "cpu/state.h"

/** A descriptor as read from its table. */
struct descriptor {
    u64 raw;
    u64 base;
    u32 limit;   /* in bytes, granularity applied */
    u16 attr;    /* enum seg_attr */
    lin_addr at; /* where it was read from */
};

/** System descriptor types [SDM 3A Table 3-2]. */
enum sys_type {
    SYS_TSS16 = 1,
    SYS_LDT = 2,
    SYS_TSS16_BUSY = 3,
    SYS_CALL16 = 4,
    SYS_TASK_GATE = 5,
    SYS_INT16 = 6,
    SYS_TRAP16 = 7,
    SYS_TSS32 = 9,
    SYS_TSS32_BUSY = 11,
    SYS_CALL32 = 12,
    SYS_INT32 = 14,
    SYS_TRAP32 = 15,
};

static inline unsigned desc_dpl(const struct descriptor *d)
{
    return d->attr >> 5 & 3;
}

static inline bool desc_is_code(const struct descriptor *d)
{
    return (d->attr & SEG_S) && (d->attr & SEG_CODE);
}

static inline bool desc_is_conforming(const struct descriptor *d)
{
    return desc_is_code(d) && (d->attr & SEG_DC);
}

/** System type, or 0 for code and data. */
static inline unsigned desc_sys(const struct descriptor *d)
{
    return d->attr & SEG_S ? 0 : d->attr & SEG_TYPE;
}

static inline bool selector_is_null(u16 sel)
{
    return !(sel & 0xfffc);
}

/** Take a raw descriptor apart. */
void descriptor_unpack(u64 raw, struct descriptor *out);

/** Read the descriptor of @sel. False: it is outside its table, or reading it faulted (#PF set). */
enum desc_result { DESC_OK, DESC_OUTSIDE, DESC_FAULT };
enum desc_result descriptor_read(struct cpu *cpu, u16 sel, struct descriptor *out) MUST_CHECK;

/** As descriptor_read(), but outside the table raises @vector with the selector as error code. */
bool descriptor_fetch(struct cpu *cpu, u16 sel, u8 vector, struct descriptor *out) MUST_CHECK;

/** Raise @vector (TS NP SS GP) with @error; returns false. */
static inline bool fault_vector(struct cpu *cpu, u8 vector, u32 error)
{
    fault_record(cpu, (struct fault){.vector = vector, .has_error = true, .error = error});
    return false;
}

/** Set the accessed bit in memory if it is clear. */
bool descriptor_set_accessed(struct cpu *cpu, struct descriptor *d) MUST_CHECK;

/** Compute lo, hi and perm from the rest; what is allowed depends on the mode. */
void segment_derive(const struct cpu *cpu, struct segment *s);
/** For all six: after the mode changed. */
void segment_derive_all(struct cpu *cpu);

/** Fill a segment register's hidden part; no checks. */
void segment_set(struct cpu *cpu, unsigned seg, u16 sel, const struct descriptor *d);
void segment_set_null(struct cpu *cpu, unsigned seg, u16 sel);
/** As loads do in real mode and virtual-8086 mode: base = selector * 16. */
void segment_set_8086(struct cpu *cpu, unsigned seg, u16 sel);

/** MOV, POP, LxS into DS ES FS GS SS: every check, the accessed bit, then the load. */
bool segment_load(struct cpu *cpu, unsigned seg, u16 sel) MUST_CHECK;

/** Load SS for a new privilege level with faults of @vector (TS or GP...) [SDM 2A CALL, IRET]. */
bool segment_check_ss(struct cpu *cpu, u16 sel, unsigned cpl, u8 vector,
                      struct descriptor *d) MUST_CHECK;

/** Load CS from a checked descriptor, with RPL = @cpl, and CPL becomes @cpl. */
void segment_set_cs(struct cpu *cpu, u16 sel, const struct descriptor *d, unsigned cpl);

/** Null those of DS ES FS GS that @cpl may no longer use [SDM 2A RET, IRET]. */
void segment_drop_privileged(struct cpu *cpu, unsigned cpl);

/** Load LDTR: #GP/#NP, or @vector for both while switching tasks. */
bool segment_load_ldtr(struct cpu *cpu, u16 sel, bool task_switch) MUST_CHECK;

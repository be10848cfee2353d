/* SPDX-License-Identifier: MIT */
/* The bench kernel: what its files share. Freestanding, 32-bit, one CPU, interrupts masked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

enum {
    PAGE = 4096,
    PTE_P = 1,
    PTE_W = 2,
    PTE_U = 4,
    /* CPUID.1:EDX */
    NEEDS_FPU = 1 << 0,
    NEEDS_SEP = 1 << 11,
    NEEDS_CMOV = 1 << 15,
    NEEDS_SSE2 = 1 << 26,
};

/* Each workload does its work @n times and returns a checksum of all that it computed. */
#define WORKLOAD(name, count, needs, about) u32 w_##name(u32 n);
#include "workloads.def"
#undef WORKLOAD

static inline void outb(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void cr3_write(u32 directory)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
}

static inline u32 random_next(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline u32 fold(u32 sum, u32 value)
{
    return (sum << 5 | sum >> 27) ^ value;
}

/* What vectors 0 to 31 push, by entry.asm; ss and esp only if they come from ring 3 or V86. */
struct frame {
    u32 edi, esi, ebp, esp_here, ebx, edx, ecx, eax;
    u32 vector, error;
    u32 eip, cs, eflags, esp, ss;
};

/** GDT, IDT and TSS; SYSENTER's registers if the CPU has them. */
void tables_init(u32 features);

/** Turn paging on: 16 MiB mapped to themselves for every ring, and what paging.c maps for itself.
 */
void paging_init(void);

/** Handle a page fault at @lin in the region for demand mapping; false: it is not ours. */
bool paging_fault(u32 lin);

/** Say @text through the debug port. */
void say(const char *text);

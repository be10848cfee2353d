/* SPDX-License-Identifier: MIT */
/* Names for the widths and the address spaces of the guest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

typedef u64 lin_addr;  /* after segmentation, before paging  [SDM 3A §3.4] */
typedef u64 phys_addr; /* after paging: what the bus sees    [SDM 3A §4.1] */

/** Width of an operand, as log2 of its bytes. */
enum width { W8, W16, W32, W64 };

#define BIT(n)                 (1u << (n))
#define BIT64(n)               ((u64)1 << (n))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE          static inline __attribute__((always_inline))
#define NOINLINE               __attribute__((noinline))

/* SPDX-License-Identifier: MIT */
/* The segments of the oracle, on both sides. */
#include "tests/isa/oracle.h"

/*
 * Segments. 16-bit code: DATA and STACK end where the offsets of DS, SS and GS do; ES begins with
 * DATA and ends before it; GS reaches only the upper page. Mixed: DS begins inside DATA, whose
 * lower part has the offsets below 4 GiB; GS reaches all but the lower page.
 */

// clang-format off
const struct oracle_segment oracle_segments[ORACLE__MODES][SEG__COUNT] = {
    [ORACLE_FLAT32] = {
        [SEG_ES] = {0, 0xffffffff, 0x2b, ORACLE_DATA, true},
        [SEG_CS] = {0, 0xffffffff, 0x23, ORACLE_CODE, true},
        [SEG_SS] = {0, 0xffffffff, 0x2b, ORACLE_DATA, true},
        [SEG_DS] = {0, 0xffffffff, 0x2b, ORACLE_DATA, true},
        [SEG_GS] = {0, 0xffffffff, 0x2b, ORACLE_DATA, true},
    },
    [ORACLE_CODE16] = {
        [SEG_ES] = {ARENA_DATA, ARENA_WINDOW - 16, 0x07, ORACLE_DATA, false},
        [SEG_CS] = {ARENA_CODE, 0x7fff, 0x0f, ORACLE_CODE, false},
        [SEG_SS] = {ARENA_STACK + ARENA_WINDOW - 0x10000, 0xffff, 0x17, ORACLE_DATA, false},
        [SEG_DS] = {ARENA_DATA + ARENA_WINDOW - 0x10000, 0xffff, 0x1f, ORACLE_DATA, false},
        [SEG_GS] = {ARENA_DATA + ARENA_WINDOW - 0x10000, 0xefff, 0x27, ORACLE_DATA_DOWN, false},
    },
    [ORACLE_MIXED] = {
        [SEG_ES] = {ARENA_DATA, ARENA_WINDOW - 16, 0x07, ORACLE_DATA, true},
        [SEG_CS] = {ARENA_CODE, 0x7fff, 0x0f, ORACLE_CODE, true},
        [SEG_SS] = {ARENA_STACK + ARENA_WINDOW - 0x10000, 0xffff, 0x17, ORACLE_DATA, false},
        [SEG_DS] = {ARENA_DATA + ARENA_MIDDLE / 2, 0xffffffff, 0x1f, ORACLE_DATA, true},
        [SEG_GS] = {ARENA_DATA, 0x0fff, 0x27, ORACLE_DATA_DOWN, true},
    },
};
// clang-format on

// clang-format off
const struct oracle_segment oracle_others[ORACLE_OTHERS] = {
    {ARENA_DATA, 0x1fff,     0x2f, ORACLE_DATA_ABSENT, true},
    {ARENA_DATA, 0x1fff,     0x37, ORACLE_DATA_RO,     true},
    {ARENA_CODE, 0x7fff,     0x3f, ORACLE_CODE_XO,     true},
    {ARENA_CODE, 0x7fff,     0x47, ORACLE_CODE,        true},
    {ARENA_CODE, 0x7fff,     0x4f, ORACLE_CODE,        false},
    {ARENA_CODE, 0x7fff,     0x57, ORACLE_CODE_ABSENT, true},
    {0,          0xffffffff, 0x67, ORACLE_DATA,        true}, /* 5f is empty; 67 the last */
};
// clang-format on

/* SPDX-License-Identifier: MIT */
/* Private to opl3*.c: what the chip plays. It knows its registers, and nobody can look into it. */
#pragma once

#include "base/types.h"

#define OPL3_HZ        49716u /* 14.31818 MHz / 288 */
#define OPL3_OPERATORS 36u
#define OPL3_CHANNELS  18u
#define OPL3_REGISTERS 0x200u

enum opl3_stage { OPL3_OFF, OPL3_ATTACK, OPL3_DECAY, OPL3_SUSTAIN, OPL3_RELEASE };

struct opl3_operator {
    u32 phase; /* of 2^19 in a period */
    u16 level; /* of the envelope: attenuation, 0 to 511 */
    u8 stage;  /* enum opl3_stage */
    u8 keys;   /* bit 0: its channel's key, bit 1: the rhythm section's */
    i16 out, before;
};

struct opl3_synth {
    u8 reg[OPL3_REGISTERS]; /* as the chip's, but for what it ignores */
    struct opl3_operator op[OPL3_OPERATORS];
    u32 time;  /* samples made */
    u32 noise; /* 23 bits */
    i16 log_sin[256], exp[256];
};

void opl3_synth_init(struct opl3_synth *s);
/** @reg, with 100h for the second bank, has this value from now on. */
void opl3_synth_write(struct opl3_synth *s, unsigned reg, u8 val);
/** The next sample, left and right. */
void opl3_synth_sample(struct opl3_synth *s, i32 out[2]);
/** Whether it would be silence, now and until something is written. */
bool opl3_synth_silent(const struct opl3_synth *s);

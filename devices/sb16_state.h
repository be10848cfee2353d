/* SPDX-License-Identifier: MIT */
/* Private to sb16*.c. */
#pragma once

#include "base/bits.h"
#include "base/fields.h"
#include "devices/sb16.h"

#define SB16_HEARD 4096u /* frames on their way to the ear: a power of two */

/* Mixer registers of the CT1745 [SB16-PRG, Mixer]. */
enum sb16_mixer {
    MIX_RESET = 0x00,
    MIX_PRO_VOICE = 0x04,
    MIX_PRO_OUTPUT = 0x0e, /* bit 1: stereo, for the Sound Blaster Pro's commands */
    MIX_PRO_MASTER = 0x22,
    MIX_PRO_MIDI = 0x26,
    MIX_MASTER_LEFT = 0x30, /* bits 7:3; right at 31h */
    MIX_VOICE_LEFT = 0x32,
    MIX_MIDI_LEFT = 0x34,
    MIX_OUTPUT_GAIN_LEFT = 0x41, /* bits 7:6, 6 dB a step */
    MIX_IRQ = 0x80,
    MIX_DMA = 0x81,
    MIX_IRQ_STATUS = 0x82,
    MIX_PRO_STEREO = BIT(1),
};

enum sb16_status { IRQ_STATUS_8 = BIT(0), IRQ_STATUS_16 = BIT(1), IRQ_STATUS_MPU = BIT(2) };

struct sb16_frame {
    u64 at; /* ns */
    i16 level[2]; /* left, right */
};

/* Where decoding is. */
struct sb16_adpcm {
    u8 samples;     /* of a byte; 0: it is no ADPCM */
    u8 to_come;     /* ... of this one: */
    bool reference; /* the next byte is a level */
    u8 byte, level, step;
};

extern const struct field sb16_adpcm_fields[];

struct sb16 {
    struct sb16_desc desc;
    u32 timer;

    /* DSP: commands */
    bool in_reset;
    u8 command, wanted, given, args[3]; /* the command that waits for arguments */
    u8 reply_len, reply[64];
    u8 last_reply; /* what the data port shows without a reply */
    u8 test, speaker_on, dma_id, dma_id_step;
    u16 block_length; /* of command 48h, - 1 */

    /* DSP: a transfer */
    bool running, paused, wide, stereo, is_signed, autoinit, input, silent, ends;
    u32 rate;   /* frames a second */
    u32 left;   /* bytes of the block to go */
    u32 block;  /* bytes of a block */
    u64 begun;  /* ns; the rate counts from here... */
    u64 frames; /* ...and so many have passed */
    struct sb16_adpcm adpcm;
    u8 time_constant;
    bool rate_is_set; /* by 41h or 42h, not by a time constant */
    u16 set_rate;

    u8 irq_status; /* enum sb16_status */
    u8 mixer_index, mixer[256];
    bool mpu_uart, mpu_ack;

    /* For the ear: no state. */
    struct sb16_frame heard[SB16_HEARD];
    u32 first, count;
};

/* sb16.c */
void sb16_raise(struct sb16 *sb, u8 status);

/* sb16_play.c */
/** Blocks of @samples, left and right counted apart, from now on. */
void sb16_start(struct sb16 *sb, u32 samples);
void sb16_stop(struct sb16 *sb);
/** Go on after a pause, or with another rate. */
void sb16_restart_rate(struct sb16 *sb);
void sb16_on_timer(void *dev, u32 arg);
/** One sample of direct output. */
void sb16_hear(struct sb16 *sb, u64 at, i16 left, i16 right);
void sb16_render(void *dev, i32 *mix, unsigned n, u64 first);
/** The next byte of the block, of which there is one. */
u8 sb16_take(struct sb16 *sb);

/* sb16_adpcm.c */
/** False: the command is none of ADPCM. @length: its argument, bytes - 1. */
bool sb16_adpcm_start(struct sb16 *sb, u32 length);
/** Frames until the block's end, at least 1. */
u32 sb16_adpcm_frames(const struct sb16 *sb);
i16 sb16_adpcm_next(struct sb16 *sb);
void sb16_adpcm_loaded(struct sb16 *sb);

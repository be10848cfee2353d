/* SPDX-License-Identifier: MIT */
/*
 * Sound Blaster 16: Creative's ADPCM. A byte holds two samples of 4 bits, or three of 3, 3 and 2
 * bits
 * ("2.6 bits"), or four of 2; each is a sign and a size, in units of a step that follows the sizes.
 *
 * Reference: [SB16-PRG] DSP commands 16h, 17h, 1Fh, 74h to 77h, 7Dh, 7Fh. The guide does not say
 * how samples are computed; the steps are those by which DOS players decode the same data.
 */
#include "devices/sb16_state.h"

const struct field sb16_adpcm_fields[] = {
    FIELD(struct sb16_adpcm, samples),
    FIELD(struct sb16_adpcm, to_come),
    FIELD(struct sb16_adpcm, reference),
    FIELD(struct sb16_adpcm, byte),
    FIELD(struct sb16_adpcm, level),
    FIELD(struct sb16_adpcm, step),
    FIELDS_END,
};

/* What is behind a number of samples in a byte. */
static const struct kind {
    u8 size_bits;
    u8 grow;      /* a size of at least this takes the next step; 0 the one before */
    u8 steps;     /* how many there are */
    u8 step[6];   /* units */
    u8 single[2]; /* commands: without and with a reference byte first */
    u8 autoinit;  /* with one */
} kinds[] = {
    [2] = {3, 5, 4, {1, 2, 4, 8}, {0x74, 0x75}, 0x7d},
    [3] = {2, 3, 5, {1, 2, 4, 8, 10}, {0x76, 0x77}, 0x7f},
    [4] = {1, 1, 6, {1, 2, 4, 8, 16, 32}, {0x16, 0x17}, 0x1f},
};

bool sb16_adpcm_start(struct sb16 *sb, u32 length)
{
    u8 c = sb->command;

    for (u8 n = 2; n < ARRAY_LEN(kinds); n++) {
        const struct kind *k = &kinds[n];
        if (c != k->single[0] && c != k->single[1] && c != k->autoinit)
            continue;
        sb->wide = sb->is_signed = sb->stereo = sb->input = sb->silent = false;
        sb->autoinit = c == k->autoinit;
        sb16_start(sb, (sb->autoinit ? sb->block_length : length) + 1);
        sb->adpcm =
            (struct sb16_adpcm){.samples = n, .reference = c != k->single[0], .level = 0x80};
        sb16_restart_rate(sb);
        return true;
    }
    return false;
}

/* The bits of the next sample: its sign above its size. */
static u8 next_bits(struct sb16_adpcm *a)
{
    unsigned n = a->samples - a->to_come--; /* which one of the byte */

    switch (a->samples) {
    case 2:
        return a->byte >> 4 * (1 - n) & 15;
    case 3:
        return n == 2 ? (u8)(a->byte << 1 & 7) : a->byte >> (5 - 3 * n) & 7;
    default:
        return a->byte >> 2 * (3 - n) & 3;
    }
}

/* Sizes count steps and half of one. */
static void decode(struct sb16_adpcm *a, u8 bits)
{
    const struct kind *k = &kinds[a->samples];
    unsigned size = bits & (BIT(k->size_bits) - 1);
    int step = k->step[a->step], delta = (int)size * step + step / 2;
    int level = bits >> k->size_bits ? a->level - delta : a->level + delta;

    a->level = (u8)(level < 0 ? 0 : level > 255 ? 255 : level);
    if (size >= k->grow && a->step + 1 < k->steps)
        a->step++;
    else if (size == 0 && a->step)
        a->step--;
}

u32 sb16_adpcm_frames(const struct sb16 *sb)
{
    u32 bytes = sb->left - (sb->adpcm.reference && sb->left);
    u32 n = bytes * sb->adpcm.samples + sb->adpcm.to_come;

    return n ? n : 1;
}

i16 sb16_adpcm_next(struct sb16 *sb)
{
    struct sb16_adpcm *a = &sb->adpcm;

    if (a->reference && sb->left) {
        a->level = sb16_take(sb);
        a->reference = false;
    }
    if (!a->to_come && sb->left) {
        a->byte = sb16_take(sb);
        a->to_come = a->samples;
    }
    if (a->to_come)
        decode(a, next_bits(a));
    return (i16)((a->level ^ 0x80) << 8);
}

void sb16_adpcm_loaded(struct sb16 *sb)
{
    struct sb16_adpcm *a = &sb->adpcm;

    if (a->samples < 2 || a->samples >= ARRAY_LEN(kinds))
        *a = (struct sb16_adpcm){0};
    else if (a->to_come > a->samples || a->step >= kinds[a->samples].steps)
        a->to_come = a->step = 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Sound Blaster 16: samples from DMA to the ear.
 *
 * The DSP takes a frame at each tick of its rate. DMA is asked some frames at a time, at latest
 * when the last of a block is due: so interrupts come when they would, and the DMA controller's
 * count moves in small steps. What was taken is heard a moment later, at its own time.
 */
#include <string.h>

#include "base/bits.h"
#include "devices/sb16_state.h"

enum {
    STEP_FRAMES = 64,
    STEP_NS = 2000000,  /* at most between two looks */
    DELAY_NS = 4000000, /* from DMA to the ear: longer than any step */
    LINE_NS = 250000,   /* a level goes to the next one in a line: a tick of the lowest rate */
    HOLD_NS = 20000000, /* how long a level stays that nothing follows... */
    FADE_NS = 30000000, /* ...and how long it takes to nothing then */
    CHUNK = 512,        /* bytes */
    DMA_8 = 1,
    DMA_16 = 5,
};

/* 2 dB a step, the highest is 65536: round(65536 * 10^(-(31 - n) / 10)) [SB16-PRG, CT1745]. */
static const u32 volume[32] = {
    52,   66,    83,    104,   131,   165,   207,   261,   328,   414,   521,
    655,  825,   1039,  1308,  1646,  2072,  2609,  3285,  4135,  5206,  6554,
    8250, 10387, 13076, 16462, 20724, 26090, 32846, 41350, 52057, 65536,
};

static unsigned dma_channel(const struct sb16 *sb)
{
    u8 map = sb->mixer[MIX_DMA];

    if (sb->wide) {
        for (unsigned ch = 5; ch <= 7; ch++) {
            if (map & BIT(ch))
                return ch;
        }
        return DMA_16;
    }
    for (unsigned ch = 0; ch <= 3; ch++) {
        if (map & BIT(ch))
            return ch;
    }
    return DMA_8;
}

static u32 frame_bytes(const struct sb16 *sb)
{
    return (sb->wide ? 2u : 1u) << sb->stereo;
}

static u64 frame_time(const struct sb16 *sb, u64 n)
{
    return sb->begun + clock_tick_time(n, sb->rate);
}

/* Until the block's end. */
static u32 frames_to_go(const struct sb16 *sb)
{
    if (sb->adpcm.samples)
        return sb16_adpcm_frames(sb);
    return (sb->left + frame_bytes(sb) - 1) / frame_bytes(sb);
}

static void arm(struct sb16 *sb)
{
    u32 to_go = frames_to_go(sb);
    u32 step = STEP_FRAMES;
    u32 short_step = (u32)((u64)sb->rate * STEP_NS / CLOCK_NS_PER_SEC);

    if (step > short_step)
        step = short_step ? short_step : 1;
    if (step > to_go)
        step = to_go ? to_go : 1;
    if (sb->running && !sb->paused)
        clock_arm(sb->desc.clk, sb->timer, frame_time(sb, sb->frames + step));
    else
        clock_disarm(sb->desc.clk, sb->timer);
}

/* ---- the ear ---- */

void sb16_hear(struct sb16 *sb, u64 at, i16 left, i16 right)
{
    if (sb->count == SB16_HEARD) {
        sb->first++;
        sb->count--;
    }
    sb->heard[(sb->first + sb->count++) % SB16_HEARD] = (struct sb16_frame){at, {left, right}};
}

/* Of a source and the master, 65536 is 1. @reg: the source's left register. */
static u32 gain(const struct sb16 *sb, unsigned reg, unsigned side)
{
    u64 source = volume[sb->mixer[reg + side] >> 3];
    u64 master = volume[sb->mixer[MIX_MASTER_LEFT + side] >> 3];

    return (u32)(source * master / 65536) << (sb->mixer[MIX_OUTPUT_GAIN_LEFT + side] >> 6);
}

u32 sb16_midi_gain(void *dev, unsigned side)
{
    return gain(dev, MIX_MIDI_LEFT, side);
}

/* The DAC holds its last level; what couples the output lets go of it slowly. So blocks of which
 * each begins when a driver got the interrupt of the one before are one sound. */
static i32 held(i32 level, u64 age)
{
    if (age < HOLD_NS)
        return level;
    age -= HOLD_NS;
    return age < FADE_NS ? (i32)((i64)level * (i64)(FADE_NS - age) / FADE_NS) : 0;
}

/* What is heard at @now, with frame @a reached and @b, if there is one, to come. */
static i32 level_at(i32 a, u64 at, const i16 *b, u64 next, u64 now)
{
    u64 line = b && next - at > LINE_NS ? next - LINE_NS : at;

    if (!b || now < line)
        return held(a, now - at);
    i32 from = held(a, line - at);
    return from + (i32)((i64)(*b - from) * (i64)(now - line) / (i64)(next - line));
}

void sb16_render(void *dev, i32 *mix, unsigned n, u64 first)
{
    struct sb16 *sb = dev;

    for (unsigned i = 0; i < n && sb->count; i++) {
        u64 now = sound_frame_end(first + i);
        now = now > DELAY_NS ? now - DELAY_NS : 0;
        while (sb->count > 1 && sb->heard[(sb->first + 1) % SB16_HEARD].at <= now) {
            sb->first++;
            sb->count--;
        }
        const struct sb16_frame *a = &sb->heard[sb->first % SB16_HEARD];
        if (now < a->at)
            continue;
        const struct sb16_frame *b =
            sb->count > 1 ? &sb->heard[(sb->first + 1) % SB16_HEARD] : NULL;
        for (unsigned c = 0; c < 2; c++) {
            i64 level = level_at(a->level[c], a->at, b ? &b->level[c] : NULL, b ? b->at : 0, now);
            mix[2 * i + c] += (i32)(level * gain(sb, MIX_VOICE_LEFT, c) / 65536);
        }
    }
}

static i16 sample(const struct sb16 *sb, const u8 *p)
{
    if (sb->wide)
        return (i16)(load16(p) ^ (sb->is_signed ? 0 : 0x8000));
    return (i16)((*p ^ (sb->is_signed ? 0 : 0x80)) << 8);
}

static void hear_frames(struct sb16 *sb, const u8 *bytes, u32 n)
{
    u32 size = frame_bytes(sb);

    for (u32 i = 0; i < n; i++) {
        const u8 *p = bytes + (size_t)i * size;
        i16 left = sample(sb, p);
        i16 right = sb->stereo ? sample(sb, p + size / 2) : left;
        sb16_hear(sb, frame_time(sb, sb->frames + i + 1), left, right);
    }
}

/* ---- transfers ---- */

/* An auto-initialized channel goes on after its count has ended. One that is not ready leaves what
 * is there: silence. */
static void transfer(struct sb16 *sb, u8 *bytes, u32 len)
{
    u32 done = 0;
    size_t n;
    bool tc;

    do {
        n = i8237_transfer(sb->desc.dma, dma_channel(sb), bytes + done, len - done, sb->input, &tc);
        done += (u32)n;
    } while (n && done < len);
}

u8 sb16_take(struct sb16 *sb)
{
    u8 byte = 0x80;

    transfer(sb, &byte, 1);
    sb->left--;
    return byte;
}

static void decode_frames(struct sb16 *sb, u32 n)
{
    for (; n; n--) {
        i16 v = sb16_adpcm_next(sb);
        sb16_hear(sb, frame_time(sb, ++sb->frames), v, v);
    }
}

/* @n frames are due; they do not reach beyond the block. */
static void move_frames(struct sb16 *sb, u32 n)
{
    u32 size = frame_bytes(sb);
    u8 bytes[CHUNK];

    if (sb->adpcm.samples) {
        decode_frames(sb, n);
        return;
    }

    while (n) {
        u32 part = n < CHUNK / size ? n : CHUNK / size;
        u32 len = part * size < sb->left ? part * size : sb->left;
        memset(bytes, sb->wide ? 0 : 0x80, sizeof(bytes));
        if (!sb->silent)
            transfer(sb, bytes, len);
        if (!sb->input && !sb->silent)
            hear_frames(sb, bytes, part);
        sb->frames += part;
        sb->left -= len;
        n -= part;
    }
}

static void block_end(struct sb16 *sb)
{
    if (sb->autoinit && !sb->ends) {
        sb->left = sb->block;
    } else {
        sb->running = false;
        i8237_set_dreq(sb->desc.dma, dma_channel(sb), false);
    }
    sb16_raise(sb, sb->wide ? IRQ_STATUS_16 : IRQ_STATUS_8);
}

void sb16_on_timer(void *dev, u32 arg)
{
    struct sb16 *sb = dev;
    u64 due = clock_ticks(clock_now(sb->desc.clk) - sb->begun, sb->rate);

    (void)arg;
    sound_sync(sb->desc.sound); /* what is heard makes room for what comes */
    if (!sb->silent && !i8237_ready(sb->desc.dma, dma_channel(sb))) {
        sb16_restart_rate(sb); /* DACK does not come: the DSP waits for it */
        return;
    }
    while (sb->running && sb->frames < due) {
        u32 to_go = frames_to_go(sb);
        u64 n = due - sb->frames;
        move_frames(sb, n < to_go ? (u32)n : to_go);
        if (sb->left == 0 && sb->adpcm.to_come == 0)
            block_end(sb);
    }
    arm(sb);
}

void sb16_restart_rate(struct sb16 *sb)
{
    u32 rate;

    if (sb->rate_is_set)
        rate = sb->set_rate;
    else
        rate = 1000000 / (256 - sb->time_constant) >> sb->stereo;
    sb->rate = rate < 4000 ? 4000 : rate > 48000 ? 48000 : rate;
    sb->begun = clock_now(sb->desc.clk);
    sb->frames = 0;
    arm(sb);
}

void sb16_start(struct sb16 *sb, u32 samples)
{
    sb->block = samples << sb->wide;
    if (sb->block > frame_bytes(sb)) /* an odd sample would swap the sides from then on */
        sb->block -= sb->block % frame_bytes(sb);
    sb->left = sb->block;
    sb->running = true;
    sb->paused = sb->ends = false;
    sb->adpcm = (struct sb16_adpcm){0};
    i8237_set_dreq(sb->desc.dma, dma_channel(sb), true);
    sb16_restart_rate(sb);
}

void sb16_stop(struct sb16 *sb)
{
    if (sb->running) {
        sb16_hear(sb, clock_now(sb->desc.clk), 0, 0);
        i8237_set_dreq(sb->desc.dma, dma_channel(sb), false);
    }
    sb->running = false;
    arm(sb);
}

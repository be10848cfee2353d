/* SPDX-License-Identifier: MIT */
/*
 * The OPL3's sound: phase generators, envelopes, operators, channels, rhythm section.
 *
 * References: [YMF262] for registers, rates and connections; [YM3812-APP] for the times of
 * envelopes and the depths of tremolo and vibrato. Tables are computed from what they mean: the
 * logarithm of a sine, the power of two.
 */
#include "devices/opl3_synth.h"

#include <math.h>
#include <string.h>

#include "base/types.h"

enum {
    REG_NEW = 0x105, /* bit 0: the OPL3's own modes */
    REG_FOUR = 0x104,
    REG_SELECT = 0x08, /* bit 6: NTS */
    REG_RHYTHM = 0xbd,
    RHYTHM_ON = BIT(5),
    DEEP_VIBRATO = BIT(6),
    DEEP_TREMOLO = BIT(7),
    OP_TREMOLO = BIT(7), /* 20h */
    OP_VIBRATO = BIT(6),
    OP_SUSTAINS = BIT(5),
    OP_KSR = BIT(4),
    SILENCE = 511,
    KEY_CHANNEL = BIT(0),
    KEY_RHYTHM = BIT(1),
    PHASE_MASK = 0x3ff,
};

/* Operator n of channel c is number operator_of(c, n); its registers are at 20h + slot_of(). */
static unsigned operator_of(unsigned channel, unsigned n)
{
    return channel / 9 * 18 + channel % 9 / 3 * 6 + channel % 3 + 3 * n;
}

static unsigned slot_of(unsigned op)
{
    return op / 18 * 0x100 + op % 18 / 6 * 8 + op % 6;
}

static unsigned channel_of(unsigned op)
{
    return op / 18 * 9 + op % 18 / 6 * 3 + op % 3;
}

static unsigned channel_reg(unsigned channel, unsigned base)
{
    return channel / 9 * 0x100 + base + channel % 9;
}

static bool is_new(const struct opl3_synth *s)
{
    return s->reg[REG_NEW] & 1;
}

static bool has_rhythm(const struct opl3_synth *s)
{
    return s->reg[REG_RHYTHM] & RHYTHM_ON;
}

/* The first channel of the pair of a four-operator voice that @channel is in, or none. */
static int four_of(const struct opl3_synth *s, unsigned channel)
{
    unsigned in_bank = channel % 9, bit = channel / 9 * 3 + in_bank % 3;

    if (!is_new(s) || in_bank >= 6 || !(s->reg[REG_FOUR] & BIT(bit)))
        return -1;
    return (int)(channel / 9 * 9 + in_bank % 3);
}

/* The channel whose frequency and key an operator follows. */
static unsigned voice_of(const struct opl3_synth *s, unsigned op)
{
    int first = four_of(s, channel_of(op));

    return first >= 0 ? (unsigned)first : channel_of(op);
}

static u32 f_number(const struct opl3_synth *s, unsigned channel)
{
    return s->reg[channel_reg(channel, 0xa0)] | (s->reg[channel_reg(channel, 0xb0)] & 3u) << 8;
}

static u32 block_of(const struct opl3_synth *s, unsigned channel)
{
    return s->reg[channel_reg(channel, 0xb0)] >> 2 & 7;
}

/* ---- phase ---- */

/* Eight steps of 1024 samples: 0, half, full, half, and the same below. */
static u32 with_vibrato(const struct opl3_synth *s, u32 f)
{
    u32 step = s->time >> 10 & 7;
    u32 range = f >> 7 & 7;

    if (!(step & 3))
        return f;
    if (step & 1)
        range >>= 1;
    if (!(s->reg[REG_RHYTHM] & DEEP_VIBRATO))
        range >>= 1;
    return step & 4 ? f - range : f + range;
}

static void phase_step(struct opl3_synth *s, unsigned n)
{
    static const u8 twice[16] = {1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 20, 24, 24, 30, 30};
    u8 r = s->reg[0x20 + slot_of(n)];
    unsigned voice = voice_of(s, n);
    u32 f = f_number(s, voice);

    if (r & OP_VIBRATO)
        f = with_vibrato(s, f);
    s->op[n].phase += ((f << block_of(s, voice)) >> 1) * twice[r & 15] >> 1;
}

/* ---- envelopes ---- */

/* Rate @r of an operator with what its pitch adds, 0 to 63; 0 stands still. */
static unsigned effective_rate(const struct opl3_synth *s, unsigned n, unsigned r)
{
    unsigned voice = voice_of(s, n);
    unsigned high = s->reg[REG_SELECT] & BIT(6) ? 8 : 9;
    unsigned add = block_of(s, voice) << 1 | (f_number(s, voice) >> high & 1);
    unsigned rate;

    if (r == 0)
        return 0;
    if (!(s->reg[0x20 + slot_of(n)] & OP_KSR))
        add >>= 2;
    rate = 4 * r + add;
    return rate < 63 ? rate : 63;
}

/* How far the envelope goes at this sample. */
static unsigned envelope_step(const struct opl3_synth *s, unsigned rate)
{
    static const u8 pattern[4] = {0xaa, 0xba, 0xee, 0xfe}; /* bit n: step n of eight counts */
    unsigned octave = rate >> 2, fine = rate & 3;

    if (rate == 0)
        return 0;
    if (octave < 12) {
        unsigned shift = 12 - octave;
        if (s->time & (BIT(shift) - 1))
            return 0;
        return pattern[fine] >> (s->time >> shift & 7) & 1;
    }
    if (octave == 15)
        return 8;
    /* From here on every sample has a step, of one and a half the one before, and so on. */
    static const u8 extra[4] = {0x00, 0x88, 0xaa, 0xee};
    unsigned twice = extra[fine] >> (s->time & 7) & 1;
    return 1u << (octave - 12) << twice;
}

static void attack(const struct opl3_synth *s, struct opl3_operator *op, unsigned n, u8 rates)
{
    unsigned rate = effective_rate(s, n, rates >> 4);
    unsigned step = ((op->level + 1u) * envelope_step(s, rate) + 7) >> 3;

    op->level = (u16)(rate >= 60 || step > op->level ? 0 : op->level - step);
    if (op->level == 0)
        op->stage = OPL3_DECAY;
}

static void fall(const struct opl3_synth *s, struct opl3_operator *op, unsigned n, unsigned r)
{
    unsigned level = op->level + envelope_step(s, effective_rate(s, n, r));

    op->level = (u16)(level < SILENCE ? level : SILENCE);
}

static void envelope(struct opl3_synth *s, unsigned n)
{
    struct opl3_operator *op = &s->op[n];
    unsigned slot = slot_of(n);
    u8 rates = s->reg[0x60 + slot], levels = s->reg[0x80 + slot];
    unsigned sustain = levels >> 4 == 15 ? 31 : levels >> 4;

    switch (op->stage) {
    case OPL3_ATTACK:
        attack(s, op, n, rates);
        break;
    case OPL3_DECAY:
        if (op->level >= sustain << 4)
            op->stage = OPL3_SUSTAIN;
        else
            fall(s, op, n, rates & 15);
        break;
    case OPL3_SUSTAIN:
        if (s->reg[0x20 + slot] & OP_SUSTAINS)
            break;
        /* fall through */
    case OPL3_RELEASE:
        fall(s, op, n, levels & 15);
        if (op->level == SILENCE)
            op->stage = OPL3_OFF;
        break;
    default:
        break;
    }
}

static void set_key(struct opl3_synth *s, unsigned n, u8 key, bool down)
{
    struct opl3_operator *op = &s->op[n];
    u8 before = op->keys;

    op->keys = down ? before | key : before & (u8)~key;
    if (!before && op->keys) {
        op->stage = OPL3_ATTACK;
        op->phase = 0;
    } else if (before && !op->keys && op->stage != OPL3_OFF) {
        op->stage = OPL3_RELEASE;
    }
}

/* ---- operators ---- */

/* Higher tones are weaker, by 3 dB an octave and less or more [YMF262, KSL]. */
static unsigned key_scale(const struct opl3_synth *s, unsigned n)
{
    static const u8 rom[16] = {0, 32, 40, 45, 48, 51, 53, 55, 56, 58, 59, 60, 61, 62, 63, 64};
    static const u8 shift[4] = {9, 1, 2, 0};
    unsigned voice = voice_of(s, n);
    int level = rom[f_number(s, voice) >> 6] * 4 - (int)(8 - block_of(s, voice)) * 32;

    return level > 0 ? (unsigned)level >> shift[s->reg[0x40 + slot_of(n)] >> 6] : 0;
}

/* A triangle of 210 steps, 64 samples each: 1 dB, or deep 4.8 dB. */
static unsigned tremolo(const struct opl3_synth *s)
{
    unsigned at = s->time / 64 % 210;

    return (at < 105 ? at : 210 - at) >> (s->reg[REG_RHYTHM] & DEEP_TREMOLO ? 2 : 4);
}

static unsigned attenuation(const struct opl3_synth *s, unsigned n)
{
    unsigned slot = slot_of(n);
    unsigned sum = s->op[n].level + ((s->reg[0x40 + slot] & 63u) << 2) + key_scale(s, n);

    if (s->reg[0x20 + slot] & OP_TREMOLO)
        sum += tremolo(s);
    return sum < SILENCE ? sum : SILENCE;
}

/* 2^-(level / 256), with 12 bits at 0. */
static i32 power(const struct opl3_synth *s, unsigned level)
{
    if (level >> 8 > 12)
        return 0;
    return (s->exp[~level & 255] + 1024) * 2 >> (level >> 8);
}

/* The wave forms as logarithm, with the sign apart; 4096 is silence. */
static unsigned wave(const struct opl3_synth *s, unsigned form, unsigned phase, bool *negative)
{
    unsigned quarter = phase & 0x100 ? ~phase & 255 : phase & 255;
    bool second = phase & 0x200;

    *negative = false;
    switch (form) {
    case 0:
        *negative = second;
        return (unsigned)s->log_sin[quarter];
    case 1:
        return second ? 4096 : (unsigned)s->log_sin[quarter];
    case 2:
        return (unsigned)s->log_sin[quarter];
    case 3:
        return phase & 0x100 ? 4096 : (unsigned)s->log_sin[phase & 255];
    case 4:
    case 5:
        quarter = phase & 0x80 ? ~(phase << 1) & 255 : phase << 1 & 255;
        *negative = form == 4 && phase & 0x100;
        return second ? 4096 : (unsigned)s->log_sin[quarter];
    case 6:
        *negative = second;
        return 0;
    default:
        *negative = second;
        return (second ? ~phase & 0x1ff : phase & 0x1ff) << 3;
    }
}

static i32 operator_at(struct opl3_synth *s, unsigned n, unsigned phase)
{
    struct opl3_operator *op = &s->op[n];
    unsigned level = op->stage == OPL3_OFF ? SILENCE : attenuation(s, n);
    unsigned form = s->reg[0xe0 + slot_of(n)] & (is_new(s) ? 7 : 3);
    bool negative;

    op->before = op->out;
    op->out = 0;
    if (level == SILENCE)
        return 0;
    i32 v = power(s, wave(s, form, phase & PHASE_MASK, &negative) + (level << 3));
    op->out = (i16)(negative ? -v : v);
    return op->out;
}

static i32 operator_out(struct opl3_synth *s, unsigned n, i32 modulation)
{
    return operator_at(s, n, (s->op[n].phase >> 9) + (unsigned)modulation);
}

/* The first operator of a voice modulates itself by the mean of its last two samples. */
static i32 first_operator(struct opl3_synth *s, unsigned channel)
{
    unsigned n = operator_of(channel, 0);
    unsigned feedback = s->reg[channel_reg(channel, 0xc0)] >> 1 & 7;
    i32 sum = s->op[n].out + s->op[n].before;

    return operator_out(s, n, feedback ? sum >> (9 - feedback) : 0);
}

/* ---- channels ---- */

static bool adds(const struct opl3_synth *s, unsigned channel)
{
    return s->reg[channel_reg(channel, 0xc0)] & 1;
}

static i32 two_operators(struct opl3_synth *s, unsigned channel)
{
    i32 a = first_operator(s, channel);
    bool sum = adds(s, channel);
    i32 b = operator_out(s, operator_of(channel, 1), sum ? 0 : a);

    return sum ? a + b : b;
}

static i32 four_operators(struct opl3_synth *s, unsigned channel)
{
    unsigned second = channel + 3;
    bool first_adds = adds(s, channel), second_adds = adds(s, second);
    i32 a = first_operator(s, channel);
    i32 b = operator_out(s, operator_of(channel, 1), first_adds ? 0 : a);
    bool third_alone = second_adds && !first_adds; /* two pairs side by side */
    i32 c = operator_out(s, operator_of(second, 0), third_alone ? 0 : b);
    bool fourth_alone = first_adds && second_adds;
    i32 d = operator_out(s, operator_of(second, 1), fourth_alone ? 0 : c);

    if (fourth_alone)
        return a + c + d;
    return first_adds ? a + d : second_adds ? b + d : d;
}

static void add_channel(const struct opl3_synth *s, unsigned channel, i32 v, i32 out[2])
{
    u8 r = s->reg[channel_reg(channel, 0xc0)];

    if (!is_new(s) || r & BIT(4))
        out[0] += v;
    if (!is_new(s) || r & BIT(5))
        out[1] += v;
}

/* Hi-hat, snare, tom-tom and cymbal are single operators whose phases mix bits and noise. */
static void rhythm(struct opl3_synth *s, i32 out[2])
{
    unsigned hat = s->op[operator_of(7, 0)].phase >> 9, top = s->op[operator_of(8, 1)].phase >> 9;
    unsigned noise = s->noise & 1;
    unsigned mix = ((hat >> 2 ^ hat >> 7) | (hat >> 3 ^ top >> 5) | (top >> 3 ^ top >> 5)) & 1;
    unsigned snare = hat >> 8 & 1;
    unsigned bass = operator_of(6, 1);
    i32 a = first_operator(s, 6);

    add_channel(s, 6, 2 * operator_out(s, bass, adds(s, 6) ? 0 : a), out);
    add_channel(s, 7, 2 * operator_at(s, operator_of(7, 0), mix << 9 | (mix ^ noise ? 0xd0 : 0x34)),
                out);
    add_channel(s, 7, 2 * operator_at(s, operator_of(7, 1), snare << 9 | (snare ^ noise) << 8),
                out);
    add_channel(s, 8, 2 * operator_out(s, operator_of(8, 0), 0), out);
    add_channel(s, 8, 2 * operator_at(s, operator_of(8, 1), mix << 9 | 0x80), out);
}

void opl3_synth_sample(struct opl3_synth *s, i32 out[2])
{
    out[0] = out[1] = 0;
    for (unsigned n = 0; n < OPL3_OPERATORS; n++) {
        if (s->op[n].stage != OPL3_OFF)
            envelope(s, n);
    }
    for (unsigned c = 0; c < OPL3_CHANNELS; c++) {
        int four = four_of(s, c);
        if (c >= 6 && c < 9 && has_rhythm(s))
            continue;
        if (four == (int)c)
            add_channel(s, c, four_operators(s, c), out);
        else if (four < 0)
            add_channel(s, c, two_operators(s, c), out);
    }
    if (has_rhythm(s))
        rhythm(s, out);
    for (unsigned n = 0; n < OPL3_OPERATORS; n++)
        phase_step(s, n);
    s->noise = s->noise >> 1 | ((s->noise ^ s->noise >> 14) & 1) << 22;
    s->time++;
}

bool opl3_synth_silent(const struct opl3_synth *s)
{
    for (unsigned n = 0; n < OPL3_OPERATORS; n++) {
        if (s->op[n].stage != OPL3_OFF)
            return false;
    }
    return true;
}

/* ---- registers ---- */

static void rhythm_keys(struct opl3_synth *s, u8 val)
{
    static const struct {
        u8 bit, channel, n;
    } drum[] = {{BIT(4), 6, 0}, {BIT(4), 6, 1}, {BIT(0), 7, 0},
                {BIT(3), 7, 1}, {BIT(2), 8, 0}, {BIT(1), 8, 1}};

    for (unsigned i = 0; i < ARRAY_LEN(drum); i++)
        set_key(s, operator_of(drum[i].channel, drum[i].n), KEY_RHYTHM,
                val & RHYTHM_ON && val & drum[i].bit);
}

static void channel_key(struct opl3_synth *s, unsigned channel, bool down)
{
    int four = four_of(s, channel);

    if (four >= 0 && four != (int)channel)
        return; /* the first of the pair has the key */
    for (unsigned n = 0; n < 2; n++) {
        set_key(s, operator_of(channel, n), KEY_CHANNEL, down);
        if (four >= 0)
            set_key(s, operator_of(channel + 3, n), KEY_CHANNEL, down);
    }
}

void opl3_synth_write(struct opl3_synth *s, unsigned reg, u8 val)
{
    unsigned low = reg & 0xff;

    if (reg >= 0x100 && reg != REG_NEW && !is_new(s))
        return; /* an OPL2 has one bank */
    s->reg[reg] = val;
    if (reg == REG_RHYTHM)
        rhythm_keys(s, val);
    else if (low >= 0xb0 && low <= 0xb8)
        channel_key(s, reg / 0x100 * 9 + low - 0xb0, val & BIT(5));
}

void opl3_synth_init(struct opl3_synth *s)
{
    const double pi = 3.14159265358979323846;

    memset(s, 0, sizeof(*s));
    s->noise = 1;
    for (unsigned i = 0; i < 256; i++) {
        s->log_sin[i] = (i16)floor(-log2(sin((i + 0.5) * pi / 512)) * 256 + 0.5);
        s->exp[i] = (i16)floor((exp2(i / 256.0) - 1) * 1024 + 0.5);
    }
    for (unsigned n = 0; n < OPL3_OPERATORS; n++)
        s->op[n].level = SILENCE;
}

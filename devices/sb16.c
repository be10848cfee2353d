/* SPDX-License-Identifier: MIT */
/*
 * Sound Blaster 16: the DSP's commands, the mixer's registers, the MPU-401.
 *
 * References: [SB16-PRG] Creative, Sound Blaster Series Hardware Programming Guide: DSP commands,
 * CT1745 mixer, MPU-401 UART mode.
 * Not implemented: recording (silence is recorded), CD and line inputs, tone controls, the
 * MPU-401's intelligent mode, MIDI input; the MIDI output is connected to nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "devices/sb16_state.h"

enum {
    PORT_BASE = 0x220,
    LOW = 4, /* the ports below, and 228h and 229h, are the OPL3's */
    LOW_COUNT = 4,
    HIGH = 10,
    HIGH_COUNT = 6,
    REG_MIXER_INDEX = 4,
    REG_MIXER_DATA = 5,
    REG_RESET = 6,
    REG_READ = 10,
    REG_WRITE = 12,
    REG_READ_STATUS = 14,
    REG_ACK_16 = 15,
    PORT_MPU = 0x330,
    MPU_RESET = 0xff,
    MPU_UART = 0x3f,
    MPU_ACK = 0xfe,
    MPU_NO_DATA = BIT(7),
    DSP_READY = 0xaa,
    DSP_MAJOR = 4,
    DSP_MINOR = 5,
    STATUS_DATA = BIT(7),
    MODE_SIGNED = BIT(4),
    MODE_STEREO = BIT(5),
    CMD_INPUT = BIT(3),
    CMD_AUTO = BIT(2),
    VOLUME_MAX = 0xf8,
    IRQ_5 = BIT(1),
    DMA_1_AND_5 = BIT(1) | BIT(5),
};

/* ---- interrupts ---- */

static void drive_irq(struct sb16 *sb)
{
    for (unsigned i = 0; i < ARRAY_LEN(sb->desc.irq); i++)
        line_set(&sb->desc.irq[i], sb->irq_status && sb->mixer[MIX_IRQ] & BIT(i));
}

void sb16_raise(struct sb16 *sb, u8 status)
{
    sb->irq_status |= status;
    drive_irq(sb);
}

static void acknowledge(struct sb16 *sb, u8 status)
{
    sb->irq_status &= (u8)~status;
    drive_irq(sb);
}

/* ---- DSP ---- */

static void reply(struct sb16 *sb, u8 byte)
{
    if (sb->reply_len < sizeof(sb->reply))
        sb->reply[sb->reply_len++] = byte;
}

static void dsp_reset(struct sb16 *sb)
{
    sb16_stop(sb);
    sb->wanted = sb->given = sb->reply_len = 0;
    sb->paused = sb->ends = sb->rate_is_set = false;
    sb->speaker_on = sb->dma_id = sb->dma_id_step = 0;
    sb->time_constant = 0;
    acknowledge(sb, IRQ_STATUS_8 | IRQ_STATUS_16);
}

static unsigned arguments(u8 command)
{
    switch (command) {
    case 0x10: /* direct output */
    case 0x38: /* MIDI */
    case 0x40:
    case 0xe0:
    case 0xe2:
    case 0xe4:
        return 1;
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x17:
    case 0x24:
    case 0x41:
    case 0x42:
    case 0x48:
    case 0x74:
    case 0x75:
    case 0x76:
    case 0x77:
    case 0x80:
        return 2;
    default:
        return command >= 0xb0 && command < 0xd0 ? 3 : 0;
    }
}

static u32 low_first(const u8 *p)
{
    return (u32)p[0] | (u32)p[1] << 8;
}

/* The 8-bit commands of the cards before. */
static void start_8bit(struct sb16 *sb, u32 length, bool autoinit, bool input)
{
    sb->wide = sb->is_signed = false;
    sb->stereo = sb->mixer[MIX_PRO_OUTPUT] & MIX_PRO_STEREO;
    sb->autoinit = autoinit;
    sb->input = input;
    sb->silent = false;
    sb16_start(sb, length + 1);
}

/* Bxh and Cxh: 16 and 8 bits, the mode in the first argument. */
static void start_any(struct sb16 *sb)
{
    sb->wide = sb->command < 0xc0;
    sb->is_signed = sb->args[0] & MODE_SIGNED;
    sb->stereo = sb->args[0] & MODE_STEREO;
    sb->autoinit = sb->command & CMD_AUTO;
    sb->input = sb->command & CMD_INPUT;
    sb->silent = false;
    sb16_start(sb, low_first(sb->args + 1) + 1);
}

static void pause_transfer(struct sb16 *sb, bool wide, bool paused)
{
    if (!sb->running || sb->wide != wide || sb->paused == paused)
        return;
    sb->paused = paused;
    sb16_restart_rate(sb);
}

/* E2h: the answer goes to memory by DMA; each byte changes a register as drivers expect it. */
static void identify_by_dma(struct sb16 *sb)
{
    static const u8 add[4][8] = {
        {0x01, 0xfe, 0x04, 0xf8, 0x10, 0xe0, 0x40, 0x80},
        {0xff, 0x02, 0xfc, 0x08, 0xf0, 0x20, 0xc0, 0x80},
        {0x01, 0x02, 0xfc, 0xf8, 0x10, 0x20, 0xc0, 0x80},
        {0xff, 0xfe, 0x04, 0x08, 0xf0, 0xe0, 0x40, 0x80},
    };
    u8 sum = 0;
    bool tc;

    for (unsigned bit = 0; bit < 8; bit++) {
        if (sb->args[0] & BIT(bit))
            sum = (u8)(sum + add[sb->dma_id_step & 3][bit]);
    }
    sb->dma_id_step++;
    sb->dma_id = (u8)(sb->dma_id + sum);
    (void)i8237_transfer(sb->desc.dma, 1, &sb->dma_id, 1, true, &tc);
}

static void copyright(struct sb16 *sb)
{
    static const char text[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";

    for (unsigned i = 0; i < sizeof(text); i++)
        reply(sb, (u8)text[i]);
}

static void direct_output(struct sb16 *sb)
{
    i16 v = (i16)((sb->args[0] ^ 0x80) << 8);

    sb16_hear(sb, clock_now(sb->desc.clk), v, v);
}

/* Commands that play and record. False: it is another one. */
static bool execute_transfer(struct sb16 *sb)
{
    u8 c = sb->command;

    switch (c) {
    case 0x10:
        direct_output(sb);
        return true;
    case 0x14:
    case 0x15:
    case 0x91:
        start_8bit(sb, c == 0x91 ? sb->block_length : low_first(sb->args), false, false);
        return true;
    case 0x1c:
    case 0x90:
        start_8bit(sb, sb->block_length, true, false);
        return true;
    case 0x24:
    case 0x99:
        start_8bit(sb, c == 0x99 ? sb->block_length : low_first(sb->args), false, true);
        return true;
    case 0x2c:
    case 0x98:
        start_8bit(sb, sb->block_length, true, true);
        return true;
    case 0x80: /* so many samples of silence, then an interrupt */
        start_8bit(sb, low_first(sb->args), false, false);
        sb->silent = true;
        return true;
    case 0xd0:
    case 0xd4:
        pause_transfer(sb, false, c == 0xd0);
        return true;
    case 0xd5:
    case 0xd6:
        pause_transfer(sb, true, c == 0xd5);
        return true;
    case 0xd9:
    case 0xda:
        sb->ends = true; /* after this block */
        return true;
    default:
        if (c < 0xb0 || c >= 0xd0)
            return sb16_adpcm_start(sb, low_first(sb->args));
        start_any(sb);
        return true;
    }
}

static void execute(struct sb16 *sb)
{
    log_trace(SOUND, "dsp command=%02x args=%02x %02x %02x", sb->command, sb->args[0], sb->args[1],
              sb->args[2]);
    if (execute_transfer(sb))
        return;
    switch (sb->command) {
    case 0x20:
        reply(sb, 0x80); /* silence at the input */
        break;
    case 0x38:
        break;
    case 0x40:
        sb->time_constant = sb->args[0];
        sb->rate_is_set = false;
        break;
    case 0x41:
    case 0x42:
        sb->set_rate = (u16)(sb->args[0] << 8 | sb->args[1]);
        sb->rate_is_set = true;
        if (sb->running)
            sb16_restart_rate(sb);
        break;
    case 0x48:
        sb->block_length = (u16)low_first(sb->args);
        break;
    case 0xd1:
    case 0xd3:
        sb->speaker_on = sb->command == 0xd1 ? 0xff : 0;
        break;
    case 0xd8:
        reply(sb, sb->speaker_on);
        break;
    case 0xe0:
        reply(sb, (u8)~sb->args[0]);
        break;
    case 0xe1:
        reply(sb, DSP_MAJOR);
        reply(sb, DSP_MINOR);
        break;
    case 0xe2:
        identify_by_dma(sb);
        break;
    case 0xe3:
        copyright(sb);
        break;
    case 0xe4:
        sb->test = sb->args[0];
        break;
    case 0xe8:
        reply(sb, sb->test);
        break;
    case 0xf2:
    case 0xf3:
        sb16_raise(sb, sb->command == 0xf2 ? IRQ_STATUS_8 : IRQ_STATUS_16);
        break;
    case 0xf8:
        reply(sb, 0);
        break;
    default:
        log_todo(SOUND, "dsp command=%02x", sb->command);
    }
}

static void dsp_write(struct sb16 *sb, u8 val)
{
    if (sb->wanted == 0) {
        sb->command = val;
        sb->given = 0;
        memset(sb->args, 0, sizeof(sb->args));
        sb->wanted = (u8)arguments(val);
    } else {
        sb->args[sb->given++] = val;
        sb->wanted--;
    }
    if (sb->wanted == 0)
        execute(sb);
}

static u8 dsp_read(struct sb16 *sb)
{
    if (sb->reply_len) {
        sb->last_reply = sb->reply[0];
        sb->reply_len--;
        memmove(sb->reply, sb->reply + 1, sb->reply_len);
    }
    return sb->last_reply;
}

/* ---- mixer ---- */

static void mixer_reset(struct sb16 *sb)
{
    u8 irq = sb->mixer[MIX_IRQ], dma = sb->mixer[MIX_DMA];

    memset(sb->mixer, 0, sizeof(sb->mixer));
    for (unsigned i = MIX_MASTER_LEFT; i < MIX_MIDI_LEFT + 2; i++)
        sb->mixer[i] = VOLUME_MAX; /* not -14 dB: the card's software raised it at each boot */
    sb->mixer[MIX_IRQ] = irq;
    sb->mixer[MIX_DMA] = dma;
}

/* The Pro's registers hold both sides in nibbles, and are other views of the same volumes. */
static unsigned pro_view(u8 index)
{
    return index == MIX_PRO_MASTER  ? MIX_MASTER_LEFT
           : index == MIX_PRO_VOICE ? MIX_VOICE_LEFT
           : index == MIX_PRO_MIDI  ? MIX_MIDI_LEFT
                                    : 0;
}

static u8 mixer_read(const struct sb16 *sb)
{
    unsigned left = pro_view(sb->mixer_index);

    if (sb->mixer_index == MIX_IRQ_STATUS)
        return sb->irq_status;
    if (left)
        return (u8)((sb->mixer[left] & 0xf0) | sb->mixer[left + 1] >> 4);
    return sb->mixer[sb->mixer_index];
}

static void mixer_write(struct sb16 *sb, u8 val)
{
    unsigned left = pro_view(sb->mixer_index);

    sound_sync(sb->desc.sound);
    if (sb->mixer_index == MIX_RESET) {
        mixer_reset(sb);
    } else if (left) {
        sb->mixer[left] = (val & 0xf0) | 0x08;
        sb->mixer[left + 1] = (u8)(val << 4) | 0x08;
    } else if (sb->mixer_index != MIX_IRQ_STATUS) {
        sb->mixer[sb->mixer_index] = val;
    }
    drive_irq(sb);
}

/* ---- ports ---- */

static u32 sb16_read(struct sb16 *sb, u16 off)
{
    switch (off) {
    case REG_MIXER_INDEX:
        return sb->mixer_index;
    case REG_MIXER_DATA:
        return mixer_read(sb);
    case REG_READ:
        return dsp_read(sb);
    case REG_WRITE:
        return 0x7f; /* ready for a command */
    case REG_READ_STATUS:
        acknowledge(sb, IRQ_STATUS_8);
        return sb->reply_len ? 0x7f | STATUS_DATA : 0x7f;
    case REG_ACK_16:
        acknowledge(sb, IRQ_STATUS_16);
        return 0xff;
    default:
        return 0xff;
    }
}

static void sb16_write(struct sb16 *sb, u16 off, u32 val)
{
    switch (off) {
    case REG_MIXER_INDEX:
        sb->mixer_index = (u8)val;
        break;
    case REG_MIXER_DATA:
        mixer_write(sb, (u8)val);
        break;
    case REG_RESET:
        if (sb->in_reset && !(val & 1)) {
            dsp_reset(sb);
            reply(sb, DSP_READY);
        }
        sb->in_reset = val & 1;
        break;
    case REG_WRITE:
        if (!sb->in_reset)
            dsp_write(sb, (u8)val);
        break;
    default:
        log_guest(SOUND, "write port=%03x val=%02x", PORT_BASE + off, val);
    }
}

static u32 low_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return sb16_read(dev, off + LOW);
}

static void low_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)width;
    sb16_write(dev, off + LOW, val);
}

static u32 high_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return sb16_read(dev, off + HIGH);
}

static void high_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)width;
    sb16_write(dev, off + HIGH, val);
}

static u32 mpu_read(void *dev, u16 off, enum width width)
{
    struct sb16 *sb = dev;

    (void)width;
    if (off == 1)
        return sb->mpu_ack ? 0x3f : 0x3f | MPU_NO_DATA;
    sb->mpu_ack = false;
    acknowledge(sb, IRQ_STATUS_MPU);
    return MPU_ACK;
}

static void mpu_write(void *dev, u16 off, u32 val, enum width width)
{
    struct sb16 *sb = dev;

    (void)width;
    if (off == 0)
        return;                                        /* a byte of MIDI */
    sb->mpu_ack = !(val == MPU_RESET && sb->mpu_uart); /* leaving UART mode is not acknowledged */
    sb->mpu_uart = val == MPU_UART || (sb->mpu_uart && val != MPU_RESET);
    if (sb->mpu_ack)
        sb16_raise(sb, IRQ_STATUS_MPU);
}

static const struct ioport_ops low_ops = {low_read, low_write, W8};
static const struct ioport_ops high_ops = {high_read, high_write, W8};
static const struct ioport_ops mpu_ops = {mpu_read, mpu_write, W8};

/* ---- the card ---- */

// clang-format off
static const struct field sb16_fields[] = {
    FIELD(struct sb16, in_reset), FIELD(struct sb16, command), FIELD(struct sb16, wanted),
    FIELD(struct sb16, given), FIELD_ARRAY(struct sb16, args), FIELD(struct sb16, reply_len),
    FIELD_ARRAY(struct sb16, reply), FIELD(struct sb16, last_reply), FIELD(struct sb16, test),
    FIELD(struct sb16, speaker_on), FIELD(struct sb16, dma_id), FIELD(struct sb16, dma_id_step),
    FIELD(struct sb16, block_length), FIELD(struct sb16, running), FIELD(struct sb16, paused),
    FIELD(struct sb16, wide), FIELD(struct sb16, stereo), FIELD(struct sb16, is_signed),
    FIELD(struct sb16, autoinit), FIELD(struct sb16, input), FIELD(struct sb16, silent),
    FIELD(struct sb16, ends), FIELD(struct sb16, rate), FIELD(struct sb16, left),
    FIELD(struct sb16, block), FIELD(struct sb16, begun), FIELD(struct sb16, frames),
    FIELD(struct sb16, time_constant), FIELD(struct sb16, rate_is_set),
    FIELD(struct sb16, set_rate), FIELD(struct sb16, irq_status),
    FIELD(struct sb16, mixer_index), FIELD_ARRAY(struct sb16, mixer),
    FIELD(struct sb16, mpu_uart), FIELD(struct sb16, mpu_ack),
    FIELD_STRUCT(struct sb16, adpcm, sb16_adpcm_fields), FIELDS_END,
};
// clang-format on

static void sb16_reset(void *dev)
{
    struct sb16 *sb = dev;

    sb->mixer[MIX_IRQ] = IRQ_5;
    sb->mixer[MIX_DMA] = DMA_1_AND_5;
    mixer_reset(sb);
    dsp_reset(sb);
    sb->in_reset = false;
    sb->test = sb->last_reply = sb->mixer_index = 0;
    sb->mpu_uart = sb->mpu_ack = false;
    sb->irq_status = 0;
    drive_irq(sb);
}

/* Guests can only reach valid values; a damaged snapshot must not do more. */
static void sb16_loaded(void *dev)
{
    struct sb16 *sb = dev;

    if (sb->wanted > 3 || sb->given > 3 || sb->wanted + sb->given > 3)
        sb->wanted = sb->given = 0;
    if (sb->reply_len > sizeof(sb->reply))
        sb->reply_len = 0;
    if (sb->rate < 4000 || sb->rate > 48000) {
        sb->running = false;
        sb->rate = 4000;
    }
    if (sb->begun > clock_now(sb->desc.clk) || sb->left > 0x20000 || sb->block > 0x20000 ||
        sb->block == 0 || (sb->left == 0 && sb->adpcm.to_come == 0))
        sb->running = false;
    sb->count = 0;
    sb16_adpcm_loaded(sb);
    drive_irq(sb);
}

static void sb16_destroy(void *dev)
{
    free(dev);
}

const struct device_class sb16_class = {
    .name = "sb16",
    .version = 2,
    .fields = sb16_fields,
    .reset = sb16_reset,
    .loaded = sb16_loaded,
    .destroy = sb16_destroy,
};

static enum status claim_ports(struct sb16 *sb)
{
    const struct {
        u16 base, count;
        const struct ioport_ops *ops;
    } ports[] = {{PORT_BASE + LOW, LOW_COUNT, &low_ops},
                 {PORT_BASE + HIGH, HIGH_COUNT, &high_ops},
                 {PORT_MPU, 2, &mpu_ops}};

    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        enum status s = ioport_claim(sb->desc.io, ports[i].base, ports[i].count, ports[i].ops, sb);
        if (s == STATUS_OK)
            continue;
        while (i-- > 0)
            ioport_release(sb->desc.io, ports[i].base, ports[i].count);
        return s;
    }
    return STATUS_OK;
}

enum status sb16_create(struct sb16 **out, const struct sb16_desc *desc)
{
    struct sb16 *sb = calloc(1, sizeof(*sb));
    if (!sb)
        return STATUS_NO_MEMORY;

    sb->desc = *desc;
    sb->rate = 4000;
    enum status s = clock_add(desc->clk, "sb16", sb16_on_timer, sb, 0, &sb->timer);
    if (s == STATUS_OK)
        s = claim_ports(sb);
    if (s != STATUS_OK) {
        free(sb);
        return s;
    }
    sb16_reset(sb);
    sound_add(desc->sound, sb16_render, sb);
    *out = sb;
    return STATUS_OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * MC146818A real-time clock with 114 bytes of RAM. The calendar bytes are brought up to date when
 * somebody looks: the chip remembers when the next update cycle ends, and from that and the time
 * follow the calendar, UIP and the flags of register C. A timer runs only while an interrupt is
 * enabled whose flag is not yet set.
 *
 * References: [MC146818A]; the century byte at 32h is the AT's.
 * Not implemented: daylight saving (DSE is kept but has no effect), the square wave pin, divider
 * settings for other crystals (they stop the clock), the second bank at 72h.
 */
#include "devices/mc146818.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    RTC_BASE = 0x70,
    RTC_INDEX_NMI_MASK = BIT(7),

    RTC_SECONDS = 0x00,
    RTC_SECONDS_ALARM = 0x01,
    RTC_MINUTES = 0x02,
    RTC_MINUTES_ALARM = 0x03,
    RTC_HOURS = 0x04,
    RTC_HOURS_ALARM = 0x05,
    RTC_DAY_OF_WEEK = 0x06, /* Sunday is 1 */
    RTC_DATE = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
    RTC_BYTES = 0x80,

    HOURS_PM = BIT(7), /* in 12-hour mode */
    ALARM_DONT_CARE = 0xc0,

    A_RS = 0x0f,
    A_DV = 0x70,
    A_DV_32768 = 0x20,
    A_UIP = BIT(7),

    B_DSE = BIT(0),
    B_24_12 = BIT(1), /* 1: 24 hours */
    B_DM = BIT(2),    /* 1: binary   */
    B_SQWE = BIT(3),
    B_UIE = BIT(4),
    B_AIE = BIT(5),
    B_PIE = BIT(6),
    B_SET = BIT(7),

    C_UF = BIT(4), /* the flags stand where their enables stand in B */
    C_AF = BIT(5),
    C_PF = BIT(6),
    C_IRQF = BIT(7),
    C_SOURCES = C_UF | C_AF | C_PF,

    D_VRT = BIT(7),
};

#define SECOND      CLOCK_NS_PER_SEC
#define HALF_SECOND (CLOCK_NS_PER_SEC / 2)
#define UIP_NS      (244000u + 1984000u) /* warning, then the update itself */
#define CRYSTAL_HZ  32768u
#define DAY         86400u

struct mc146818 {
    struct mc146818_desc desc;
    u32 timer;
    u8 index; /* with the NMI mask bit */
    u8 ram[RTC_BYTES];
    u64 next_update; /* when the next update cycle ends; also the phase of the divider */
    u64 periods;     /* periodic ticks that PF has already accounted for                */
};

/* --- the calendar --- */

struct calendar {
    unsigned second, minute, hour; /* 0-59, 0-59, 0-23 */
    unsigned weekday, date, month; /* 1-7, 1-31, 1-12  */
    unsigned year, century;        /* 0-99 each        */
};

static unsigned rtc_decode(const struct mc146818 *rtc, u8 v)
{
    return rtc->ram[RTC_B] & B_DM ? v : (v >> 4) * 10u + (v & 15);
}

static u8 rtc_encode(const struct mc146818 *rtc, unsigned v)
{
    return (u8)(rtc->ram[RTC_B] & B_DM ? v : v / 10 << 4 | v % 10);
}

static unsigned rtc_decode_hour(const struct mc146818 *rtc, u8 v)
{
    if (rtc->ram[RTC_B] & B_24_12)
        return rtc_decode(rtc, v);
    return rtc_decode(rtc, v & (u8)~HOURS_PM) % 12 + (v & HOURS_PM ? 12 : 0);
}

static u8 rtc_encode_hour(const struct mc146818 *rtc, unsigned hour)
{
    if (rtc->ram[RTC_B] & B_24_12)
        return rtc_encode(rtc, hour);
    return (u8)(rtc_encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOURS_PM : 0));
}

/* The chip knows no century: a year that 4 divides is a leap year. */
static unsigned days_in_month(unsigned month, unsigned year)
{
    static const u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && year % 4 == 0);
}

static unsigned in_range(unsigned v, unsigned lo, unsigned hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* What the registers say; nonsense that the guest wrote is moved into range. */
static struct calendar rtc_calendar(const struct mc146818 *rtc)
{
    const u8 *r = rtc->ram;

    return (struct calendar){
        .second = in_range(rtc_decode(rtc, r[RTC_SECONDS]), 0, 59),
        .minute = in_range(rtc_decode(rtc, r[RTC_MINUTES]), 0, 59),
        .hour = in_range(rtc_decode_hour(rtc, r[RTC_HOURS]), 0, 23),
        .weekday = in_range(rtc_decode(rtc, r[RTC_DAY_OF_WEEK]), 1, 7),
        .date = in_range(rtc_decode(rtc, r[RTC_DATE]), 1, 31),
        .month = in_range(rtc_decode(rtc, r[RTC_MONTH]), 1, 12),
        .year = in_range(rtc_decode(rtc, r[RTC_YEAR]), 0, 99),
        .century = in_range((r[RTC_CENTURY] >> 4) * 10u + (r[RTC_CENTURY] & 15), 0, 99),
    };
}

static void rtc_set_calendar(struct mc146818 *rtc, const struct calendar *c)
{
    u8 *r = rtc->ram;

    r[RTC_SECONDS] = rtc_encode(rtc, c->second);
    r[RTC_MINUTES] = rtc_encode(rtc, c->minute);
    r[RTC_HOURS] = rtc_encode_hour(rtc, c->hour);
    r[RTC_DAY_OF_WEEK] = rtc_encode(rtc, c->weekday);
    r[RTC_DATE] = rtc_encode(rtc, c->date);
    r[RTC_MONTH] = rtc_encode(rtc, c->month);
    r[RTC_YEAR] = rtc_encode(rtc, c->year);
    r[RTC_CENTURY] = (u8)(c->century / 10 << 4 | c->century % 10); /* BCD in either mode */
}

static void calendar_next_day(struct calendar *c)
{
    c->weekday = c->weekday % 7 + 1;
    if (++c->date <= days_in_month(c->month, c->year))
        return;
    c->date = 1;
    if (++c->month <= 12)
        return;
    c->month = 1;
    c->year = (c->year + 1) % 100;
    if (c->year == 0)
        c->century = (c->century + 1) % 100;
}

static unsigned calendar_second_of_day(const struct calendar *c)
{
    return c->hour * 3600 + c->minute * 60 + c->second;
}

static void calendar_advance(struct calendar *c, u64 seconds)
{
    u64 t = calendar_second_of_day(c) + seconds;

    for (u64 days = t / DAY; days; days--)
        calendar_next_day(c);
    t %= DAY;
    c->hour = (unsigned)(t / 3600);
    c->minute = (unsigned)(t / 60 % 60);
    c->second = (unsigned)(t % 60);
}

/* --- what follows from the time --- */

static bool rtc_divider_runs(const struct mc146818 *rtc)
{
    return (rtc->ram[RTC_A] & A_DV) == A_DV_32768;
}

static bool rtc_updates(const struct mc146818 *rtc)
{
    return rtc_divider_runs(rtc) && !(rtc->ram[RTC_B] & B_SET);
}

static bool alarm_matches(u8 alarm, unsigned decoded, unsigned now)
{
    return (alarm & ALARM_DONT_CARE) == ALARM_DONT_CARE || decoded == now;
}

/* In how many updates, 1 to a day's worth, the alarm matches; 0 for never. */
static unsigned rtc_updates_to_alarm(const struct mc146818 *rtc)
{
    const u8 *r = rtc->ram;
    struct calendar c = rtc_calendar(rtc);
    unsigned start = calendar_second_of_day(&c);
    unsigned t = start + 1;

    while (t <= start + DAY) {
        unsigned now = t % DAY;
        if (!alarm_matches(r[RTC_HOURS_ALARM], rtc_decode_hour(rtc, r[RTC_HOURS_ALARM]),
                           now / 3600))
            t += 3600 - t % 3600;
        else if (!alarm_matches(r[RTC_MINUTES_ALARM], rtc_decode(rtc, r[RTC_MINUTES_ALARM]),
                                now / 60 % 60))
            t += 60 - t % 60;
        else if (!alarm_matches(r[RTC_SECONDS_ALARM], rtc_decode(rtc, r[RTC_SECONDS_ALARM]),
                                now % 60))
            t++;
        else
            return t - start;
    }
    return 0;
}

/* Crystal ticks between two periodic events; 0 for none. */
static u32 rtc_period(const struct mc146818 *rtc)
{
    unsigned rs = rtc->ram[RTC_A] & A_RS;

    if (rs == 0 || !rtc_divider_runs(rtc))
        return 0;
    return rs <= 2 ? BIT(rs + 6) : BIT(rs - 1);
}

/* Guest time as the divider sees it: a whole second passes where an update ends. */
static u64 rtc_divider_offset(const struct mc146818 *rtc)
{
    return SECOND - rtc->next_update % SECOND;
}

static u64 rtc_periods(const struct mc146818 *rtc, u64 now)
{
    u32 period = rtc_period(rtc);

    return period ? clock_ticks(now + rtc_divider_offset(rtc), CRYSTAL_HZ) / period : 0;
}

/* Bring the calendar and the flags up to @now. */
static void rtc_sync(struct mc146818 *rtc, u64 now)
{
    u64 periods = rtc_periods(rtc, now);

    if (periods != rtc->periods) {
        rtc->periods = periods;
        rtc->ram[RTC_C] |= C_PF;
    }
    if (now < rtc->next_update)
        return;

    u64 n = (now - rtc->next_update) / SECOND + 1;
    rtc->next_update += n * SECOND;
    if (!rtc_updates(rtc))
        return;

    unsigned alarm = rtc_updates_to_alarm(rtc);
    struct calendar c = rtc_calendar(rtc);
    calendar_advance(&c, n);
    rtc_set_calendar(rtc, &c);
    rtc->ram[RTC_C] |= C_UF;
    if (alarm && alarm <= n)
        rtc->ram[RTC_C] |= C_AF;
}

/* When the first enabled flag will be set; CLOCK_NEVER if one is set already. */
static u64 rtc_next_interrupt(const struct mc146818 *rtc)
{
    u8 enabled = rtc->ram[RTC_B] & C_SOURCES;
    u64 next = CLOCK_NEVER;

    if (enabled & rtc->ram[RTC_C])
        return next;
    if (enabled & C_UF && rtc_updates(rtc))
        next = rtc->next_update;
    if (enabled & C_AF && rtc_updates(rtc)) {
        unsigned updates = rtc_updates_to_alarm(rtc);
        u64 at = rtc->next_update + (updates - 1) * SECOND;
        if (updates && at < next)
            next = at;
    }
    if (enabled & C_PF && rtc_period(rtc)) {
        u64 tick = (rtc->periods + 1) * rtc_period(rtc);
        u64 at = clock_tick_time(tick, CRYSTAL_HZ) - rtc_divider_offset(rtc);
        if (at < next)
            next = at;
    }
    return next;
}

/* IRQF, the interrupt line and the timer, after anything that may have changed them. */
static void rtc_drive(struct mc146818 *rtc)
{
    u8 *c = &rtc->ram[RTC_C];
    bool irq = *c & rtc->ram[RTC_B] & C_SOURCES;

    *c = (u8)((*c & C_SOURCES) | (irq ? C_IRQF : 0));
    line_set(&rtc->desc.irq8, irq);
    clock_arm(rtc->desc.clk, rtc->timer, rtc_next_interrupt(rtc));
}

static void rtc_on_interrupt(void *dev, u32 arg)
{
    struct mc146818 *rtc = dev;

    (void)arg;
    rtc_sync(rtc, clock_now(rtc->desc.clk));
    rtc_drive(rtc);
}

/* --- registers --- */

static void rtc_write_a(struct mc146818 *rtc, u64 now, u8 val)
{
    bool ran = rtc_divider_runs(rtc);

    rtc->ram[RTC_A] = val & (u8)~A_UIP;
    if (!ran && rtc_divider_runs(rtc))
        rtc->next_update = now + HALF_SECOND; /* the divider starts from reset */
    rtc->periods = rtc_periods(rtc, now);
}

static void rtc_write_b(struct mc146818 *rtc, u8 val)
{
    if (val & B_SET)
        val &= (u8)~B_UIE;
    rtc->ram[RTC_B] = val;
}

static void rtc_write_data(struct mc146818 *rtc, u8 val)
{
    unsigned index = rtc->index & (RTC_BYTES - 1);
    u64 now = clock_now(rtc->desc.clk);

    log_trace(TIMER, "rtc write index=%02x val=%02x", index, val);
    rtc_sync(rtc, now);
    switch (index) {
    case RTC_A:
        rtc_write_a(rtc, now, val);
        break;
    case RTC_B:
        rtc_write_b(rtc, val);
        break;
    case RTC_C:
    case RTC_D:
        log_guest(TIMER, "write to read-only register %02x", index);
        break;
    default:
        rtc->ram[index] = val;
        break;
    }
    rtc_drive(rtc);
}

static u8 rtc_read_data(struct mc146818 *rtc)
{
    unsigned index = rtc->index & (RTC_BYTES - 1);
    u64 now = clock_now(rtc->desc.clk);

    rtc_sync(rtc, now);
    if (index == RTC_A && rtc_updates(rtc) && rtc->next_update - now <= UIP_NS)
        return rtc->ram[RTC_A] | A_UIP;
    if (index != RTC_C) {
        rtc_drive(rtc);
        return rtc->ram[index];
    }

    rtc_drive(rtc); /* so that IRQF counts what has just been synced */
    u8 val = rtc->ram[RTC_C];
    rtc->ram[RTC_C] = 0;
    rtc_drive(rtc);
    return val;
}

static u32 rtc_read(void *dev, u16 off, enum width width)
{
    struct mc146818 *rtc = dev;

    (void)width;
    return off == 0 ? 0xff : rtc_read_data(rtc); /* the index cannot be read */
}

static void rtc_write(void *dev, u16 off, u32 val, enum width width)
{
    struct mc146818 *rtc = dev;

    (void)width;
    if (off == 1) {
        rtc_write_data(rtc, (u8)val);
        return;
    }
    rtc->index = (u8)val;
    line_set(&rtc->desc.nmi_mask, val & RTC_INDEX_NMI_MASK);
}

void mc146818_set(struct mc146818 *rtc, unsigned index, u8 val)
{
    if (index > RTC_D && index < RTC_BYTES)
        rtc->ram[index] = val;
}

u8 mc146818_get(struct mc146818 *rtc, unsigned index)
{
    if (index >= RTC_BYTES)
        return 0xff;
    rtc_sync(rtc, clock_now(rtc->desc.clk));
    rtc_drive(rtc);
    return rtc->ram[index];
}

static const struct ioport_ops rtc_ops = {rtc_read, rtc_write, W8};

static const struct field rtc_fields[] = {
    FIELD(struct mc146818, index),
    FIELD_ARRAY(struct mc146818, ram),
    FIELD(struct mc146818, next_update),
    FIELD(struct mc146818, periods),
    FIELDS_END,
};

/* RESET# leaves time and RAM alone; the battery keeps them. */
static void rtc_reset(void *dev)
{
    struct mc146818 *rtc = dev;

    rtc_sync(rtc, clock_now(rtc->desc.clk));
    rtc->ram[RTC_B] &= (u8) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    rtc->ram[RTC_C] = 0;
    rtc->index = 0;
    line_set(&rtc->desc.nmi_mask, false);
    rtc_drive(rtc);
}

static void rtc_loaded(void *dev)
{
    struct mc146818 *rtc = dev;

    line_set(&rtc->desc.nmi_mask, rtc->index & RTC_INDEX_NMI_MASK);
    line_set(&rtc->desc.irq8, rtc->ram[RTC_C] & C_IRQF);
}

static void rtc_destroy(void *dev)
{
    free(dev);
}

const struct device_class mc146818_class = {
    .name = "mc146818",
    .version = 1,
    .fields = rtc_fields,
    .reset = rtc_reset,
    .loaded = rtc_loaded,
    .destroy = rtc_destroy,
};

/* The battery has been in for some time: the clock runs and is right. */
static void rtc_power_on(struct mc146818 *rtc)
{
    u64 seconds = clock_now(rtc->desc.clk) / SECOND;
    struct calendar c = {.weekday = 5, .date = 1, .month = 1, .year = 70, .century = 19};

    rtc->ram[RTC_A] = A_DV_32768 | 6;
    rtc->ram[RTC_B] = B_24_12;
    rtc->ram[RTC_D] = D_VRT;
    rtc->next_update = (seconds + 1) * SECOND;
    rtc->periods = rtc_periods(rtc, clock_now(rtc->desc.clk));
    calendar_advance(&c, rtc->desc.base_time + seconds);
    rtc_set_calendar(rtc, &c);
}

enum status mc146818_create(struct mc146818 **out, const struct mc146818_desc *desc)
{
    struct mc146818 *rtc = calloc(1, sizeof(*rtc));
    if (!rtc)
        return STATUS_NO_MEMORY;

    rtc->desc = *desc;
    enum status s = clock_add(desc->clk, "mc146818", rtc_on_interrupt, rtc, 0, &rtc->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, RTC_BASE, 2, &rtc_ops, rtc);
    if (s != STATUS_OK) {
        free(rtc);
        return s;
    }
    rtc_power_on(rtc);
    rtc_reset(rtc);
    *out = rtc;
    return STATUS_OK;
}

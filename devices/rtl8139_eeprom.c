/* SPDX-License-Identifier: MIT */
/*
 * 93C46: the serial EEPROM of 64 words in which an RTL8139 keeps its address. Reference: National
 * Semiconductor, NM93C46 [NM93C46].
 *
 * A start bit, two bits of operation and six of address go in, highest first, at rising clocks. A
 * read then gives a zero and sixteen bits. Programming takes no time.
 */
#include <string.h>

#include "devices/rtl8139_state.h"

enum { PIN_DI = BIT(1), PIN_SK = BIT(2), PIN_CS = BIT(3) };
enum { OP_EXTEND = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3, COMMAND_BITS = 9, WRITE_BITS = 25 };
enum { EXTEND_DISABLE = 0, EXTEND_WRITE_ALL = 1, EXTEND_ERASE_ALL = 2, EXTEND_ENABLE = 3 };

void eeprom_init(struct eeprom *e, const u8 mac[NIC_ADDRESS])
{
    memset(e, 0, sizeof(*e));
    e->word[0] = 0x8129;
    e->word[1] = 0x10ec;
    e->word[2] = 0x8139;
    e->word[3] = 0x1af4; /* subsystem */
    e->word[4] = 0x1100;
    for (unsigned i = 0; i < 3; i++)
        e->word[7 + i] = (u16)(mac[2 * i] | mac[2 * i + 1] << 8);
    e->out_bit = true;
}

static void extended(struct eeprom *e, unsigned how, u16 data)
{
    switch (how) {
    case EXTEND_ENABLE:
    case EXTEND_DISABLE:
        e->write_enabled = how == EXTEND_ENABLE;
        break;
    default:
        for (unsigned i = 0; e->write_enabled && i < 64; i++)
            e->word[i] = how == EXTEND_ERASE_ALL ? 0xffff : data;
        break;
    }
}

/* The last bit of a command, or of a write's data, is in. */
static void command(struct eeprom *e, u16 head, u16 data, bool complete)
{
    unsigned op = head >> 6 & 3, at = head & 63;

    if (op == OP_READ && !complete) {
        e->reading = true;
        e->out = e->word[at];
        e->out_bit = false;
    } else if (op == OP_ERASE && !complete && e->write_enabled) {
        e->word[at] = 0xffff;
    } else if (op == OP_WRITE && complete && e->write_enabled) {
        e->word[at] = data;
    } else if (op == OP_EXTEND && complete == (at >> 4 == EXTEND_WRITE_ALL)) {
        extended(e, at >> 4, data);
    }
}

static void clock_in(struct eeprom *e, bool bit)
{
    if (e->reading) {
        e->out_bit = e->out >> 15;
        e->out = (u16)(e->out << 1);
        return;
    }
    if (e->bits == 0 && !bit)
        return; /* before the start bit */
    if (e->bits >= WRITE_BITS)
        return;
    e->bits++;
    if (e->bits <= COMMAND_BITS)
        e->shift = (u16)(e->shift << 1 | bit);
    else
        e->out = (u16)(e->out << 1 | bit);
    if (e->bits == COMMAND_BITS)
        command(e, e->shift, 0, false);
    else if (e->bits == WRITE_BITS)
        command(e, e->shift, e->out, true);
}

void eeprom_drive(struct eeprom *e, u8 pins)
{
    bool rose = pins & PIN_SK && !(e->pins & PIN_SK);

    e->pins = pins & (PIN_CS | PIN_SK | PIN_DI);
    if (!(pins & PIN_CS)) {
        e->bits = 0;
        e->shift = e->out = 0;
        e->reading = false;
        e->out_bit = true;
    } else if (rose) {
        clock_in(e, pins & PIN_DI);
    }
}

u8 eeprom_out(const struct eeprom *e)
{
    return e->out_bit;
}

const struct field eeprom_fields[] = {
    FIELD(struct eeprom, pins),
    FIELD(struct eeprom, bits),
    FIELD(struct eeprom, shift),
    FIELD(struct eeprom, out),
    FIELD(struct eeprom, reading),
    FIELD(struct eeprom, write_enabled),
    FIELD(struct eeprom, out_bit),
    FIELD_ARRAY(struct eeprom, word),
    FIELDS_END,
};

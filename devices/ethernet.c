/* SPDX-License-Identifier: MIT */
#include "devices/ethernet.h"

#define POLYNOMIAL 0xedb88320u /* bits as they go over the wire: lowest first */

static u32 crc(const u8 *bytes, size_t len)
{
    u32 c = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        c ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
    }
    return c;
}

u32 ethernet_fcs(const u8 *frame, size_t len)
{
    return ~crc(frame, len);
}

/* The six bits that leave the generator first, highest first. */
unsigned ethernet_hash(const u8 address[6])
{
    u32 c = crc(address, 6);
    unsigned hash = 0;

    for (unsigned bit = 0; bit < 6; bit++)
        hash = hash << 1 | (c >> bit & 1);
    return hash;
}

u32 ethernet_sum(u32 sum, const u8 *bytes, size_t len)
{
    u64 s = sum;

    for (size_t i = 0; i + 1 < len; i += 2)
        s += (u32)bytes[i] << 8 | bytes[i + 1];
    if (len & 1)
        s += (u32)bytes[len - 1] << 8;
    while (s >> 32)
        s = (s & UINT32_MAX) + (s >> 32);
    return (u32)s;
}

u16 ethernet_fold(u32 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

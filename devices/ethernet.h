/* SPDX-License-Identifier: MIT */
/* What network cards compute over frames [IEEE 802.3 §3.2.9, RFC 1071]. */
#pragma once

#include "base/types.h"

/** The frame check sequence, as a little-endian number behind the frame. */
u32 ethernet_fcs(const u8 *frame, size_t len);

/** Bit number, 0 to 63, of an address in the multicast filters of DP8390 and RTL8139. */
unsigned ethernet_hash(const u8 address[6]);

static inline bool ethernet_is_broadcast(const u8 address[6])
{
    for (unsigned i = 0; i < 6; i++) {
        if (address[i] != 0xff)
            return false;
    }
    return true;
}

static inline bool ethernet_is_multicast(const u8 address[6])
{
    return address[0] & 1;
}

/** Add @len bytes to a ones' complement sum; odd lengths only at the end. */
u32 ethernet_sum(u32 sum, const u8 *bytes, size_t len);

/** The checksum for the headers of IP, TCP and UDP. */
u16 ethernet_fold(u32 sum);

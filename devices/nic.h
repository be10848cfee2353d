/* SPDX-License-Identifier: MIT */
/* Between a network card and its wire. Frames have no frame check sequence. */
#pragma once

#include "base/types.h"

enum {
    NIC_ADDRESS = 6,
    NIC_FRAME_MIN = 60,
    NIC_FRAME_MAX = 1518, /* with a VLAN tag; longer ones are dropped by both sides */
};

/** What the card sends. The frame is the callee's only during the call. */
struct nic_wire {
    void (*send)(void *ctx, const u8 *frame, size_t len); /* NULL: no cable */
    void *ctx;
};

/** What arrives. Called between slices only. */
struct nic_ops {
    /** False: a frame would be lost now, and the card would say so; the wire may keep it a while.
     */
    bool (*ready)(const void *nic);
    /** Take a frame of up to NIC_FRAME_MAX bytes, or drop it, as the card would. */
    void (*receive)(void *nic, const u8 *frame, size_t len);
    /** The cable is pulled out, or put back: no frame passes meanwhile, in either direction. */
    void (*unplug)(void *nic, bool out);
};

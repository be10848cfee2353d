/* SPDX-License-Identifier: MIT */
/* The far end of a network card's cable: what was sent last, and how much. */
#pragma once

#include "devices/nic.h"
#include "tests/support/check.h"

struct wire_spy {
    u8 last[NIC_FRAME_MAX];
    size_t len;
    unsigned frames;
    size_t total;
    u8 log[8][64]; /* how the first ones began */
};

static inline void wire_spy_send(void *ctx, const u8 *frame, size_t len)
{
    struct wire_spy *w = ctx;

    assert_true(len <= NIC_FRAME_MAX);
    memcpy(w->last, frame, len);
    if (w->frames < 8)
        memcpy(w->log[w->frames], frame, len < 64 ? len : 64);
    w->len = len;
    w->total += len;
    w->frames++;
}

static inline struct nic_wire wire_spy_end(struct wire_spy *w)
{
    return (struct nic_wire){wire_spy_send, w};
}

/** A frame to @to of @len bytes that count up behind the addresses. */
static inline void make_frame(u8 *frame, const u8 to[6], size_t len)
{
    memcpy(frame, to, 6);
    memset(frame + 6, 2, 6);
    for (size_t i = 12; i < len; i++)
        frame[i] = (u8)i;
}

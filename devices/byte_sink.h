/* SPDX-License-Identifier: MIT */
/* Where a device's outgoing bytes go: a terminal, a file, a test. */
#pragma once

#include "base/types.h"

struct byte_sink {
    void (*put)(void *ctx, u8 byte);
    void *ctx;
};

static inline void byte_sink_put(const struct byte_sink *sink, u8 byte)
{
    if (sink->put)
        sink->put(sink->ctx, byte);
}

/* SPDX-License-Identifier: MIT */
/*
 * Where an assembler writes: plain bytes, on any host, for any host.
 *
 * Code is written at @at and will run at @at + @exec_off (memory is mapped twice: once writable,
 * once executable). A buffer that is full swallows what follows and says so in @full, so that
 * emitters need not check; whoever ends a piece of code does.
 */
#pragma once

#include <string.h>

#include "base/types.h"

struct codebuf {
    u8 *start, *at, *end;
    i64 exec_off; /* run address - write address */
    bool full;
};

static inline void codebuf_init(struct codebuf *c, u8 *start, size_t size, i64 exec_off)
{
    *c = (struct codebuf){start, start, start + size, exec_off, false};
}

static inline void put8(struct codebuf *c, u8 v)
{
    if (c->at < c->end)
        *c->at++ = v;
    else
        c->full = true;
}

/** Little-endian, whatever the host is. */
static inline void put16(struct codebuf *c, u16 v)
{
    put8(c, (u8)v);
    put8(c, (u8)(v >> 8));
}

static inline void put32(struct codebuf *c, u32 v)
{
    put16(c, (u16)v);
    put16(c, (u16)(v >> 16));
}

static inline void put64(struct codebuf *c, u64 v)
{
    put32(c, (u32)v);
    put32(c, (u32)(v >> 32));
}

/** Bytes written so far. */
static inline u32 codebuf_off(const struct codebuf *c)
{
    return (u32)(c->at - c->start);
}

/* SPDX-License-Identifier: MIT */
/* What every device test needs: time stepped by hand, a line to look at, and save-load-hash. */
#pragma once

#include "base/clock.h"
#include "base/fields.h"
#include "devices/device.h"
#include "devices/line.h"
#include "tests/support/check.h"

/** Let time pass up to @ns, firing every timer at its own deadline. */
static inline void clock_run_to(struct clock *c, u64 ns)
{
    for (u64 next = clock_next(c); next <= ns && next != CLOCK_NEVER; next = clock_next(c)) {
        clock_skip(c, next);
        clock_fire(c);
    }
    clock_skip(c, ns);
}

static inline void clock_run(struct clock *c, u64 ns)
{
    clock_run_to(c, clock_now(c) + ns);
}

/** The listening end of a wire: its level, and how often it rose. */
struct spy {
    bool level;
    unsigned rises;
};

static inline void spy_set(void *ctx, unsigned pin, bool level)
{
    struct spy *s = ctx;

    (void)pin;
    s->rises += level && !s->level;
    s->level = level;
}

static inline struct line spy_line(struct spy *s)
{
    return (struct line){.set = spy_set, .ctx = s};
}

struct state_buffer {
    u8 *at;
};

static inline void state_sink(void *ctx, const void *bytes, size_t n)
{
    struct state_buffer *b = ctx;

    memcpy(b->at, bytes, n);
    b->at += n;
}

/** Save @from, load that into @to, a fresh chip of the same class, and compare the hashes. */
static inline void check_save_load(const struct device_class *class, const void *from, void *to)
{
    size_t size = fields_size(class->fields, from);
    u8 *buf = malloc(size + 1);
    struct state_buffer out = {buf};
    const u8 *p = buf;

    assert_non_null(buf);
    fields_save(class->fields, from, state_sink, &out);
    assert_int_equal(fields_load(class->fields, to, &p, buf + size), STATUS_OK);
    assert_ptr_equal(p, buf + size);
    if (class->loaded)
        class->loaded(to);
    assert_true(fields_hash(class->fields, from) == fields_hash(class->fields, to));
    free(buf);
}

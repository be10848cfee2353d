/* SPDX-License-Identifier: MIT */
/* Private to frontend/qmp*.c. */
#pragma once

#include "frontend/chardev.h"
#include "frontend/qmp.h"

enum { QMP_LINE = 64 << 10 };

struct qmp {
    struct chardev *dev;
    unsigned client; /* 0: none */
    bool negotiated, started, quit;
    bool holds;     /* nothing runs until a cont, as told...      */
    bool prelaunch; /* ...and nothing has since a start or a reset */
    bool off;       /* the client knows that the guest is off     */
    u8 buttons;     /* of the mouse, held by input-send-event */
    u16 x, y;       /* its place, as that has set it */
    u64 resets;     /* that the client knows of */
    char in[QMP_LINE];
    size_t in_len;
};

/** Send formatted text, which is a whole JSON value, as a line. */
void qmp_send(struct qmp *q, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** Send event @name with @data, an object. */
void qmp_event(struct qmp *q, const char *name, const char *data);

/**
 * Execute the command @request, an object that json_skip() accepts, and answer it.
 */
void qmp_execute(struct qmp *q, struct pc *pc, const char *request);

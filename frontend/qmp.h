/* SPDX-License-Identifier: MIT */
/*
 * A control socket (-qmp unix:PATH) that speaks what QEMU's clients expect: the commands of
 * qmp_commands.c, and events. docs/QMP.md lists them.
 *
 * Reference: [QMP].
 */
#pragma once

#include <poll.h>

#include "machine/pc.h"

struct qmp;

#define QMP_ERROR_MAX 400u

/** Listen as -qmp says; *@out is NULL without it. False: @error holds one sentence. */
bool qmp_open(struct qmp **out, const struct config *cfg, char error[QMP_ERROR_MAX]) MUST_CHECK;
/** NULL is accepted, here and below. */
void qmp_close(struct qmp *q);

/** The machine must not run before the client says so. */
bool qmp_holds(const struct qmp *q);
/** Do what the client wants. False: it has ended the run. */
bool qmp_update(struct qmp *q, struct pc *pc) MUST_CHECK;
/** The machine has stopped for good. */
void qmp_ended(struct qmp *q, enum pc_stop stop);
/** What to wait for; false: nothing. */
bool qmp_poll(struct qmp *q, struct pollfd *p);

/* SPDX-License-Identifier: MIT */
/* The networks that a machine's cards are plugged into. */
#pragma once

#include "frontend/netuser.h"

struct nets {
    struct netuser *of[PC_NICS]; /* NULL: no cable */
};

/** Plug the cards of @cfg in, and tell @host. False: told, and nets_close() is still needed. */
bool nets_open(struct nets *n, const struct config *cfg, struct pc_host *host) MUST_CHECK;
/** The machine is there: packet dumps lose what they held before. False: told. */
bool nets_begin(struct nets *n) MUST_CHECK;
void nets_close(struct nets *n);

/** Between two slices, as netuser_exchange(). */
bool nets_exchange(struct nets *n, struct pc *pc);
/** As netuser_poll(). */
nfds_t nets_poll(struct nets *n, struct pollfd *fds, nfds_t max, u64 *ns);

/* SPDX-License-Identifier: MIT */
/*
 * User networking: what a card is plugged into with -nic user. libslirp plays the router of
 * 10.0.2.0/24 and speaks to the world through ordinary sockets of this process.
 *
 * Frames wait in queues between the slices of the guest: the card's side never waits, and never
 * runs inside an instruction.
 */
#pragma once

#include <poll.h>

#include "base/status.h"
#include "base/types.h"
#include "machine/nic.h"
#include "machine/pc.h"

struct netuser;

#define NETUSER_ERROR_MAX 300u

/** Plug into what @net describes. On failure *@out is untouched and @error holds one sentence. */
enum status netuser_open(struct netuser **out, const struct nic_net *net,
                         char error[NETUSER_ERROR_MAX]) MUST_CHECK;
/** The machine is there. False: the packet dump cannot be written. */
bool netuser_begin(struct netuser *n) MUST_CHECK;
/** NULL is accepted. */
void netuser_close(struct netuser *n);

/** A frame from the card; fits struct pc_wire. */
void netuser_send(void *netuser, const u8 *frame, size_t len);

/**
 * Between two slices: give the network what the card sent, look at the sockets, and give the card
 * @nic of @pc what it has room for. True: the card got something, the guest should run on.
 */
bool netuser_exchange(struct netuser *n, struct pc *pc, unsigned nic);

/**
 * What to wait for before the next netuser_exchange(): fills up to @max of @fds, and lowers *@ns,
 * the longest that may be slept, if something is due earlier.
 */
nfds_t netuser_poll(struct netuser *n, struct pollfd *fds, nfds_t max, u64 *ns);

/* SPDX-License-Identifier: MIT */
/*
 * Reference: [LIBSLIRP].
 *
 * Not implemented: IPv6, SMB shares, guest forwards, fragments of IP packets from the guest.
 */
#include "frontend/netuser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/outfile.h"
#include "frontend/pcap.h"

#ifdef TURBO86_SLIRP

#include <arpa/inet.h>
#include <libslirp.h>

enum {
    QUEUE = 512,      /* frames; what does not fit is lost, as on a busy wire */
    FRAME_MAX = 1518, /* the card's longest */
    FDS_MAX = 1024,
    PATIENCE_NS = 20 * 1000 * 1000,
};

struct frame {
    u16 len;
    u8 bytes[FRAME_MAX];
};

struct queue {
    struct frame at[QUEUE];
    unsigned head, count;
};

struct netuser {
    Slirp *slirp;
    const struct pc *pc; /* NULL until the first exchange */
    struct queue to_net, to_card;
    u64 fed; /* guest time when the card last took a frame, or none waited */
    struct pollfd fds[FDS_MAX];
    nfds_t count;
    struct pcap *pcap; /* or NULL */
};

static bool queue_put(struct queue *q, const void *bytes, size_t len)
{
    if (q->count == QUEUE || len > FRAME_MAX)
        return false;
    struct frame *f = &q->at[(q->head + q->count++) % QUEUE];
    f->len = (u16)len;
    memcpy(f->bytes, bytes, len);
    return true;
}

static const struct frame *queue_first(const struct queue *q)
{
    return q->count ? &q->at[q->head] : NULL;
}

static void queue_drop(struct queue *q)
{
    q->head = (q->head + 1) % QUEUE;
    q->count--;
}

static u64 guest_now(const struct netuser *n)
{
    return n->pc ? pc_time(n->pc) : 0;
}

/* --- what libslirp asks --- */

static ssize_t on_packet(const void *bytes, size_t len, void *opaque)
{
    struct netuser *n = opaque;

    if (!queue_put(&n->to_card, bytes, len))
        log_trace(NET, "a frame of %zu bytes to the guest is lost", len);
    return (ssize_t)len;
}

static void on_guest_error(const char *msg, void *opaque)
{
    (void)opaque;
    log_guest(NET, "%s", msg);
}

static int64_t on_clock(void *opaque)
{
    return (int64_t)guest_now(opaque);
}

/* Timers are IPv6's router advertisements only. */
static void *on_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    (void)cb, (void)cb_opaque;
    return opaque;
}

static void on_timer_free(void *timer, void *opaque)
{
    (void)timer, (void)opaque;
}

static void on_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    (void)timer, (void)expire_ms, (void)opaque;
}

static void on_fd(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void on_notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = on_packet,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new = on_timer_new,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_mod,
    .register_poll_fd = on_fd,
    .unregister_poll_fd = on_fd,
    .notify = on_notify,
};

static int on_add_poll(int fd, int events, void *opaque)
{
    struct netuser *n = opaque;
    short e =
        (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                (events & SLIRP_POLL_PRI ? POLLPRI : 0));

    if (n->count == FDS_MAX)
        return -1;
    n->fds[n->count] = (struct pollfd){.fd = fd, .events = e};
    return (int)n->count++;
}

static int on_get_revents(int index, void *opaque)
{
    const struct netuser *n = opaque;

    if (index < 0 || (nfds_t)index >= n->count)
        return 0;
    short e = n->fds[index].revents;
    return (e & POLLIN ? SLIRP_POLL_IN : 0) | (e & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (e & POLLPRI ? SLIRP_POLL_PRI : 0) | (e & POLLERR ? SLIRP_POLL_ERR : 0) |
           (e & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* --- frames --- */

void netuser_send(void *netuser, const u8 *frame, size_t len)
{
    struct netuser *n = netuser;

    if (!queue_put(&n->to_net, frame, len))
        log_trace(NET, "a frame of %zu bytes from the guest is lost", len);
}

/* libslirp 4.7 follows wild pointers when it puts fragments together (tests/fuzz/fuzz_net.c). */
static bool is_fragment(const struct frame *f)
{
    enum { TYPE = 12, IP_FRAGMENT = 20 };

    return f->len > IP_FRAGMENT + 1 && f->bytes[TYPE] == 8 && f->bytes[TYPE + 1] == 0 &&
           ((f->bytes[IP_FRAGMENT] & 0x3f) || f->bytes[IP_FRAGMENT + 1]);
}

static void feed_net(struct netuser *n)
{
    const struct frame *f;

    while ((f = queue_first(&n->to_net))) {
        if (n->pcap)
            pcap_write(n->pcap, guest_now(n), f->bytes, f->len);
        if (!is_fragment(f))
            slirp_input(n->slirp, f->bytes, f->len);
        queue_drop(&n->to_net);
    }
}

/*
 * A card without room makes its frames wait, which TCP likes better than losing them; but not for
 * long: a driver may have missed its interrupt, and only that of the overflow wakes it.
 */
static bool may_feed(const struct netuser *n, const struct pc *pc, unsigned nic)
{
    return pc_nic_ready(pc, nic) || guest_now(n) - n->fed >= PATIENCE_NS;
}

static bool feed_card(struct netuser *n, struct pc *pc, unsigned nic)
{
    const struct frame *f;
    bool fed = false;

    while ((f = queue_first(&n->to_card)) && may_feed(n, pc, nic)) {
        if (n->pcap)
            pcap_write(n->pcap, guest_now(n), f->bytes, f->len);
        pc_nic_receive(pc, nic, f->bytes, f->len);
        queue_drop(&n->to_card);
        n->fed = guest_now(n);
        fed = true;
    }
    if (!f)
        n->fed = guest_now(n);
    return fed;
}

bool netuser_exchange(struct netuser *n, struct pc *pc, unsigned nic)
{
    u32 ms = 0;

    n->pc = pc;
    feed_net(n);
    /* While much waits for the card, the sockets wait too: TCP then slows its sender. */
    if (n->to_card.count < QUEUE / 2) {
        n->count = 0;
        slirp_pollfds_fill(n->slirp, &ms, on_add_poll, n);
        bool failed = poll(n->fds, n->count, 0) < 0;
        slirp_pollfds_poll(n->slirp, failed, on_get_revents, n);
    }
    return feed_card(n, pc, nic);
}

nfds_t netuser_poll(struct netuser *n, struct pollfd *fds, nfds_t max, u64 *ns)
{
    u32 ms = *ns / 1000000 > UINT32_MAX ? UINT32_MAX : (u32)(*ns / 1000000);

    n->count = 0;
    slirp_pollfds_fill(n->slirp, &ms, on_add_poll, n);
    if ((u64)ms * 1000000 < *ns)
        *ns = (u64)ms * 1000000;
    if (n->count < max)
        max = n->count;
    memcpy(fds, n->fds, max * sizeof(*fds));
    return max;
}

/* --- life --- */

static struct in_addr address(u32 a)
{
    return (struct in_addr){.s_addr = htonl(a)};
}

static bool open_slirp(struct netuser *n, const struct nic_net *net)
{
    SlirpConfig cfg = {
        .version = 1,
        .restricted = net->isolated,
        .in_enabled = true,
        .vnetwork = address(0x0a000200), /* 10.0.2.0/24, as everybody's */
        .vnetmask = address(0xffffff00),
        .vhost = address(0x0a000202),
        .vdhcp_start = address(0x0a00020f),
        .vnameserver = address(0x0a000203),
        .vhostname = *net->hostname ? net->hostname : NULL,
        .tftp_path = *net->tftp ? net->tftp : NULL,
        .bootfile = *net->bootfile ? net->bootfile : NULL,
    };

    n->slirp = slirp_new(&cfg, &callbacks, n);
    return n->slirp;
}

static enum status forward(struct netuser *n, const struct nic_net *net, char *error)
{
    for (unsigned i = 0; i < net->forwards; i++) {
        const struct nic_forward *f = &net->forward[i];
        u32 guest = f->guest ? f->guest : 0x0a00020f;
        if (slirp_add_hostfwd(n->slirp, f->udp, address(f->host), f->host_port, address(guest),
                              f->guest_port) == 0)
            continue;
        snprintf(error, NETUSER_ERROR_MAX, "hostfwd: cannot listen at port %u of the host",
                 f->host_port);
        return STATUS_BAD_VALUE;
    }
    return STATUS_OK;
}

static enum status check_tftp(const struct nic_net *net, char *error)
{
    struct stat st;

    if (!*net->tftp || (stat(net->tftp, &st) == 0 && S_ISDIR(st.st_mode)))
        return STATUS_OK;
    snprintf(error, NETUSER_ERROR_MAX, "tftp: '%.200s' is no folder", net->tftp);
    return STATUS_NO_FILE;
}

enum status netuser_open(struct netuser **out, const struct nic_net *net,
                         char error[NETUSER_ERROR_MAX])
{
    struct netuser *n = calloc(1, sizeof(*n));
    enum status s = n ? check_tftp(net, error) : STATUS_NO_MEMORY;

    if (s == STATUS_OK && *net->pcap && !(n->pcap = pcap_open(net->pcap))) {
        snprintf(error, NETUSER_ERROR_MAX, "pcap: cannot write '%.200s': %s", net->pcap,
                 outfile_why(errno));
        s = STATUS_NO_FILE;
    }
    if (s == STATUS_OK && !open_slirp(n, net)) {
        snprintf(error, NETUSER_ERROR_MAX, "the network could not be set up");
        s = STATUS_IO;
    }
    if (s == STATUS_OK)
        s = forward(n, net, error);
    if (s != STATUS_OK) {
        netuser_close(n);
        return s;
    }
    *out = n;
    return STATUS_OK;
}

bool netuser_begin(struct netuser *n)
{
    return !n->pcap || pcap_begin(n->pcap);
}

void netuser_close(struct netuser *n)
{
    if (!n)
        return;
    n->pc = NULL; /* it may be gone */
    if (n->slirp)
        slirp_cleanup(n->slirp);
    pcap_close(n->pcap);
    free(n);
}

#else

enum status netuser_open(struct netuser **out, const struct nic_net *net,
                         char error[NETUSER_ERROR_MAX])
{
    (void)out, (void)net;
    snprintf(error, NETUSER_ERROR_MAX, "this build has no user networking: libslirp was not there");
    return STATUS_UNSUPPORTED;
}

bool netuser_begin(struct netuser *n)
{
    (void)n;
    return true;
}

void netuser_close(struct netuser *n)
{
    (void)n;
}

void netuser_send(void *netuser, const u8 *frame, size_t len)
{
    (void)netuser, (void)frame, (void)len;
}

bool netuser_exchange(struct netuser *n, struct pc *pc, unsigned nic)
{
    (void)n, (void)pc, (void)nic;
    return false;
}

nfds_t netuser_poll(struct netuser *n, struct pollfd *fds, nfds_t max, u64 *ns)
{
    (void)n, (void)fds, (void)max, (void)ns;
    return 0;
}

#endif

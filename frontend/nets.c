/* SPDX-License-Identifier: MIT */
#include "frontend/nets.h"

#include <stdio.h>
#include <stdlib.h>

/* Only an isolated network says the same in every run. */
static bool may_open(const struct config *cfg, const struct nic_net *net, char *error)
{
    if (!config_flag(cfg, CONFIG_deterministic) || (net->isolated && !net->forwards))
        return true;
    snprintf(error, PC_ERROR_MAX,
             "-deterministic: a network needs restrict=on and no hostfwd: the world does not "
             "repeat itself");
    return false;
}

/* What a replaying guest sends was sent then, and what came is in the recording. */
static void drop(void *ctx, const u8 *frame, size_t len)
{
    (void)ctx, (void)frame, (void)len;
}

bool nets_open(struct nets *n, const struct config *cfg, struct pc_host *host)
{
    char error[PC_ERROR_MAX] = "";
    struct nic_list *list = calloc(1, sizeof(*list));
    bool ok = list && nic_parse(cfg, list, error);

    for (unsigned i = 0; ok && i < list->count; i++) {
        const struct nic_net *net = &list->card[i].net;
        if (!net->user)
            continue;
        if (config_text(cfg, CONFIG_replay)) {
            host->nic[i] = (struct pc_wire){drop, NULL};
            continue;
        }
        ok = may_open(cfg, net, error) && netuser_open(&n->of[i], net, error) == STATUS_OK;
        host->nic[i] = (struct pc_wire){netuser_send, n->of[i]};
    }
    if (!ok)
        fprintf(stderr, "turbo86: %s\n", *error ? error : "out of memory");
    free(list);
    return ok;
}

bool nets_begin(struct nets *n)
{
    for (unsigned i = 0; i < PC_NICS; i++) {
        if (!n->of[i] || netuser_begin(n->of[i]))
            continue;
        fprintf(stderr, "turbo86: pcap: the file cannot be written\n");
        return false;
    }
    return true;
}

void nets_close(struct nets *n)
{
    for (unsigned i = 0; i < PC_NICS; i++)
        netuser_close(n->of[i]);
}

bool nets_exchange(struct nets *n, struct pc *pc)
{
    bool any = false;

    for (unsigned i = 0; i < PC_NICS; i++) {
        if (n->of[i])
            any = netuser_exchange(n->of[i], pc, i) || any;
    }
    return any;
}

nfds_t nets_poll(struct nets *n, struct pollfd *fds, nfds_t max, u64 *ns)
{
    nfds_t count = 0;

    for (unsigned i = 0; i < PC_NICS; i++) {
        if (n->of[i])
            count += netuser_poll(n->of[i], fds + count, max - count, ns);
    }
    return count;
}

/* SPDX-License-Identifier: MIT */
#include "machine/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/suboption.h"

#define LOOPBACK 0x7f000001u

static const char *const models[NIC_MODELS] = {
    [NIC_RTL8139] = "rtl8139",
    [NIC_NE2K_PCI] = "ne2k_pci",
    [NIC_NE2K_ISA] = "ne2k_isa",
};

static bool find_model(const char *name, u8 *model)
{
    for (unsigned i = 0; i < NIC_MODELS; i++) {
        if (strcmp(name, models[i]) == 0) {
            *model = (u8)i;
            return true;
        }
    }
    return false;
}

bool nic_is_card(const char *device)
{
    struct suboption o;
    u8 model;

    return suboption_next(&device, &o) && !*o.key && find_model(o.value, &model);
}

/* --- pieces of values --- */

static bool copy(char *to, size_t size, const char *from)
{
    if (strlen(from) >= size)
        return false;
    strcpy(to, from);
    return true;
}

static bool parse_mac(const char *text, u8 mac[6])
{
    unsigned v[6];
    char end;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &end) !=
        6)
        return false;
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (u8)v[i];
    return !(mac[0] & 1); /* not a group */
}

/* ADDRESS:PORT or :PORT up to @end. Without an address *@addr stays. */
static bool parse_endpoint(const char *text, const char *end, u32 *addr, u16 *port)
{
    unsigned a[4], p;
    int used = 0;

    if (*text != ':') {
        if (sscanf(text, "%3u.%3u.%3u.%3u%n", &a[0], &a[1], &a[2], &a[3], &used) != 4 ||
            a[0] > 255 || a[1] > 255 || a[2] > 255 || a[3] > 255)
            return false;
        *addr = a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
        text += used;
    }
    used = 0;
    if (sscanf(text, ":%5u%n", &p, &used) != 1 || text + used != end || p == 0 || p > 65535)
        return false;
    *port = (u16)p;
    return true;
}

/* tcp or udp, the host's end, a dash, the guest's end */
static bool parse_forward(const char *text, struct nic_forward *f)
{
    const char *dash = strchr(text, '-');

    *f = (struct nic_forward){.host = LOOPBACK};
    f->udp = strncmp(text, "udp:", 4) == 0;
    if (!f->udp && strncmp(text, "tcp:", 4) != 0)
        return false;
    return dash && parse_endpoint(text + 4, dash, &f->host, &f->host_port) &&
           parse_endpoint(dash + 1, text + strlen(text), &f->guest, &f->guest_port);
}

/* --- keys --- */

/* Both: is it a key of these? *@want is NULL if its value is right, else what a value must be. */
static bool net_key(struct nic_net *n, const struct suboption *o, const char **want)
{
    static const struct {
        const char *key;
        size_t at, size;
    } texts[] = {
        {"id", offsetof(struct nic_net, id), sizeof(n->id)},
        {"hostname", offsetof(struct nic_net, hostname), sizeof(n->hostname)},
        {"tftp", offsetof(struct nic_net, tftp), sizeof(n->tftp)},
        {"bootfile", offsetof(struct nic_net, bootfile), sizeof(n->bootfile)},
        {"pcap", offsetof(struct nic_net, pcap), sizeof(n->pcap)},
    };

    *want = NULL;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(o->key, texts[i].key) != 0)
            continue;
        if (!*o->value)
            *want = "a text";
        else if (!copy((char *)n + texts[i].at, texts[i].size, o->value))
            *want = "so short that there is room for it";
        return true;
    }
    if (strcmp(o->key, "restrict") == 0) {
        if (!suboption_flag(o, &n->isolated))
            *want = "on or off";
    } else if (strcmp(o->key, "hostfwd") == 0) {
        if (n->forwards == NIC_FORWARDS)
            *want = "one of the 16 that there may be";
        else if (!parse_forward(o->value, &n->forward[n->forwards]))
            *want = "tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT";
        else
            n->forwards++;
    } else {
        return false;
    }
    return true;
}

/* A key that only cards on PCI, or only those on ISA, have. */
static const char *of_bus(const struct nic_card *c, bool isa)
{
    if ((c->model == NIC_NE2K_ISA) == isa)
        return NULL;
    return isa ? "for this card: only ne2k_isa has that" : "for ne2k_isa, which is not on PCI";
}

static bool card_key(struct nic_card *c, const struct suboption *o, const char **want)
{
    u64 v = 0;

    *want = NULL;
    if (strcmp(o->key, "mac") == 0) {
        if (!parse_mac(o->value, c->mac))
            *want = "the address of one card, as 52:54:00:12:34:56";
    } else if (strcmp(o->key, "romfile") == 0) {
        c->no_rom = !*o->value;
        *want = of_bus(c, false);
        if (!*want && !copy(c->rom, sizeof(c->rom), o->value))
            *want = "so short that there is room for it";
    } else if (strcmp(o->key, "addr") == 0) {
        *want = of_bus(c, false);
        if (!*want && (!suboption_number(o, 31, &v) || v < 3))
            *want = "a free PCI slot, 3 to 31";
        c->slot = (u8)v;
    } else if (strcmp(o->key, "iobase") == 0) {
        *want = of_bus(c, true);
        if (!*want && (!suboption_number(o, 0xffe0, &v) || v % 32))
            *want = "a port, a multiple of 0x20";
        c->iobase = (u16)v;
    } else if (strcmp(o->key, "irq") == 0) {
        *want = of_bus(c, true);
        if (!*want && (!suboption_number(o, 15, &v) || !(0xde38 >> v & 1)))
            *want = "one of 3, 4, 5, 9, 10, 11, 12, 14, 15";
        c->irq = (u8)v;
    } else if (strcmp(o->key, "cplus") == 0) {
        if (c->model != NIC_RTL8139)
            *want = "for this card: only rtl8139 has that";
        else if (!suboption_flag(o, &c->cplus))
            *want = "on or off";
    } else {
        return false;
    }
    return true;
}

/* --- whole values --- */

static bool fail(char *error, const char *option, const char *text, const char *why)
{
    snprintf(error, PC_ERROR_MAX, "%s: '%.150s' %s", option, text, why);
    return false;
}

/* A part that is none of @keys, or whose value is not what @want says. */
static bool fail_part(char *error, const char *option, const struct suboption *o, const char *want,
                      const char *keys)
{
    if (want)
        snprintf(error, PC_ERROR_MAX, "%s: %s=%.150s is not %s", option, o->key, o->value, want);
    else
        snprintf(error, PC_ERROR_MAX, "%s: there is no part '%.150s'; there are %s", option,
                 *o->key ? o->key : o->value, keys);
    return false;
}

#define TOO_LONG  "has a part that is too long"
#define NET_KEYS  "hostfwd, hostname, restrict, tftp, bootfile, pcap"
#define CARD_KEYS "mac, romfile, addr, iobase, irq, cplus"

static bool new_card(struct nic_list *l, const char *option, char *error, struct nic_card **out)
{
    if (l->count == PC_NICS) {
        snprintf(error, PC_ERROR_MAX, "the machine has room for %u network cards", PC_NICS);
        return false;
    }
    *out = &l->card[l->count];
    **out = (struct nic_card){
        .option = option,
        .mac = {0x52, 0x54, 0x00, 0x12, 0x34, (u8)(0x56 + l->count)},
        .cplus = true,
        .iobase = 0x300,
        .irq = 9,
    };
    l->count++;
    return true;
}

/* The model first, wherever it stands: other keys depend on it. */
static bool nic_model_of(const char *text, u8 *model)
{
    struct suboption o;

    while (*text) {
        if (!suboption_next(&text, &o))
            return false;
        if (strcmp(o.key, "model") == 0 && !find_model(o.value, model))
            return false;
    }
    return true;
}

static bool parse_nic(struct nic_list *l, const char *text, char *error)
{
    const char *p = text;
    struct nic_card *c;
    struct suboption o;

    if (strcmp(text, "none") == 0)
        return true;
    if (!suboption_next(&p, &o) || *o.key || strcmp(o.value, "user") != 0)
        return fail(error, "-nic", text, "is neither user[,...] nor none");
    if (!new_card(l, "-nic", error, &c))
        return false;
    if (!nic_model_of(p, &c->model))
        return fail(error, "-nic", text, "has no model=rtl8139, ne2k_pci or ne2k_isa");
    c->net.user = true;
    while (*p) {
        const char *want = NULL;
        if (!suboption_next(&p, &o))
            return fail(error, "-nic", text, TOO_LONG);
        bool known = strcmp(o.key, "model") == 0 ||
                     (strcmp(o.key, "id") != 0 && net_key(&c->net, &o, &want)) ||
                     card_key(c, &o, &want);
        if (!known || want)
            return fail_part(error, "-nic", &o, want, "model, " NET_KEYS ", " CARD_KEYS);
    }
    return true;
}

static bool parse_netdev(const char *text, struct nic_net *n, char *error)
{
    const char *p = text;
    struct suboption o;

    *n = (struct nic_net){.user = true};
    if (!suboption_next(&p, &o) || *o.key || strcmp(o.value, "user") != 0)
        return fail(error, "-netdev", text, "is not user,id=ID[,...]");
    while (*p) {
        const char *want;
        if (!suboption_next(&p, &o))
            return fail(error, "-netdev", text, TOO_LONG);
        if (!net_key(n, &o, &want) || want)
            return fail_part(error, "-netdev", &o, want, "id, " NET_KEYS);
    }
    return *n->id || fail(error, "-netdev", text, "has no id=ID");
}

/* The -netdev that -device names. */
static bool find_net(const struct config *cfg, const char *id, struct nic_net *out, char *error)
{
    const struct config_value *v = &cfg->value[CONFIG_netdev];

    for (unsigned i = 0; i < v->count; i++) {
        if (!parse_netdev(v->list[i], out, error))
            return false;
        if (strcmp(out->id, id) == 0)
            return true;
    }
    return fail(error, "-device", id, "is the id of no -netdev");
}

static bool parse_device(const struct config *cfg, struct nic_list *l, const char *text,
                         char *error)
{
    const char *p = text;
    struct nic_card *c;
    struct suboption o;

    if (!new_card(l, "-device", error, &c))
        return false;
    if (!suboption_next(&p, &o) || !find_model(o.value, &c->model))
        return fail(error, "-device", text, "names no network card");
    while (*p) {
        const char *want = NULL;
        if (!suboption_next(&p, &o))
            return fail(error, "-device", text, TOO_LONG);
        if (strcmp(o.key, "netdev") == 0) {
            if (!find_net(cfg, o.value, &c->net, error))
                return false;
        } else if (!card_key(c, &o, &want) || want) {
            return fail_part(error, "-device", &o, want, "netdev, " CARD_KEYS);
        }
    }
    return true;
}

static bool cards_are_apart(const struct nic_list *l, char *error)
{
    for (unsigned i = 0; i < l->count; i++) {
        const struct nic_card *c = &l->card[i];
        for (unsigned k = 0; k < i; k++) {
            if (*c->net.id && strcmp(c->net.id, l->card[k].net.id) == 0)
                return fail(error, "-device", c->net.id, "has two cards");
            if (memcmp(c->mac, l->card[k].mac, sizeof(c->mac)) != 0)
                continue;
            snprintf(error, PC_ERROR_MAX,
                     "%s: two cards have the address %02x:%02x:%02x:%02x:%02x:%02x", c->option,
                     c->mac[0], c->mac[1], c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
            return false;
        }
    }
    return true;
}

static bool has_card(const struct nic_list *l, const char *id)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (strcmp(l->card[i].net.id, id) == 0)
            return true;
    }
    return false;
}

/* Each -netdev has an id of its own, and a card. @net, @other: room for two. */
static bool netdevs_are_used(const struct config_value *netdev, const struct nic_list *l,
                             struct nic_net *net, struct nic_net *other, char *error)
{
    for (unsigned i = 0; i < netdev->count; i++) {
        if (!parse_netdev(netdev->list[i], net, error))
            return false;
        for (unsigned k = 0; k < i; k++) {
            if (!parse_netdev(netdev->list[k], other, error))
                return false;
            if (strcmp(net->id, other->id) == 0)
                return fail(error, "-netdev", net->id, "is the id of two");
        }
        if (!has_card(l, net->id))
            return fail(error, "-netdev", net->id, "has no -device with netdev= and this id");
    }
    return true;
}

bool nic_parse(const struct config *cfg, struct nic_list *out, char error[PC_ERROR_MAX])
{
    const struct config_value *nic = &cfg->value[CONFIG_nic];
    const struct config_value *netdev = &cfg->value[CONFIG_netdev];
    const struct config_value *device = &cfg->value[CONFIG_device];
    struct nic_net net, other;

    out->count = 0;
    for (unsigned i = 0; i < netdev->count; i++) {
        if (!parse_netdev(netdev->list[i], &net, error))
            return false;
    }
    for (unsigned i = 0; i < nic->count; i++) {
        if (!parse_nic(out, nic->list[i], error))
            return false;
    }
    for (unsigned i = 0; i < device->count; i++) {
        if (nic_is_card(device->list[i]) && !parse_device(cfg, out, device->list[i], error))
            return false;
    }
    return netdevs_are_used(netdev, out, &net, &other, error) && cards_are_apart(out, error);
}

/* SPDX-License-Identifier: MIT */
/* Network cards and networks as the user describes them: -nic, -netdev, -device. */
#pragma once

#include "machine/pc.h"

#define NIC_FORWARDS 16u
#define NIC_TEXT_MAX 1024u

enum nic_model { NIC_RTL8139, NIC_NE2K_PCI, NIC_NE2K_ISA, NIC_MODELS };

/** A port of the host that leads to one of the guest. Addresses as numbers, first part highest. */
struct nic_forward {
    bool udp;
    u32 host, guest; /* guest 0: the first address that DHCP gives */
    u16 host_port, guest_port;
};

/** What a card is plugged into. */
struct nic_net {
    bool user;     /* false: nothing, an unplugged cable */
    bool isolated; /* restrict=on: nothing but DHCP, TFTP and the gateway itself */
    char id[32];
    char hostname[64], tftp[NIC_TEXT_MAX], bootfile[128], pcap[NIC_TEXT_MAX];
    struct nic_forward forward[NIC_FORWARDS];
    unsigned forwards;
};

struct nic_card {
    const char *option; /* "-nic" or "-device": what asked for it */
    u8 model;           /* enum nic_model */
    u8 mac[6];
    bool cplus;             /* rtl8139: the C+ model */
    u8 slot;                /* on PCI; 0: the first free one */
    u16 iobase;             /* on ISA */
    u8 irq;                 /* on ISA */
    bool no_rom;            /* romfile= */
    char rom[NIC_TEXT_MAX]; /* "": the model's own */
    struct nic_net net;
};

struct nic_list {
    struct nic_card card[PC_NICS];
    unsigned count;
};

/** Does this value of -device name a network card? */
bool nic_is_card(const char *device);

/** The cards of @cfg, in order. False: @error holds one sentence. */
bool nic_parse(const struct config *cfg, struct nic_list *out, char error[PC_ERROR_MAX]) MUST_CHECK;

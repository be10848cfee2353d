/* SPDX-License-Identifier: MIT */
/* Network cards on the board. */
#include "machine/nic.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ne2000.h"
#include "devices/rtl8139.h"
#include "machine/board.h"
#include "machine/journal_private.h"

enum { FIRST_SLOT = 3 };

/* What it is plugged into looks after frames between slices: this one ends here. */
static void on_send(void *ctx, const u8 *frame, size_t len)
{
    struct pc_nic *n = ctx;
    const struct pc_wire *wire = &n->pc->host.nic[n - n->pc->nic];

    n->frames++;
    wire->send(wire->ctx, frame, len);
    n->pc->look = true;
    clock_stop(&n->pc->clock);
}

bool pc_nic_ready(const struct pc *pc, unsigned nic)
{
    const struct pc_nic *n = &pc->nic[nic];

    return n->ops->ready(n->dev);
}

void pc_nic_receive(struct pc *pc, unsigned nic, const u8 *frame, size_t len)
{
    struct pc_nic *n = &pc->nic[nic];
    struct journal_event e = {.kind = JOURNAL_FRAME, .number = {nic}, .bytes = frame, .len = len};

    if (!journal_input(pc, e))
        return;
    n->frames++;
    n->ops->receive(n->dev, frame, len);
    if (pc->twin)
        pc_nic_receive(pc->twin, nic, frame, len);
}

bool pc_nic_unplug(struct pc *pc, unsigned nic, bool out)
{
    if (nic >= pc->nics)
        return false;
    if (!journal_numbers(pc, JOURNAL_CABLE, nic, out, 0))
        return true;
    pc->nic[nic].ops->unplug(pc->nic[nic].dev, out);
    if (pc->twin)
        (void)pc_nic_unplug(pc->twin, nic, out);
    return true;
}

static enum status free_slot(struct pc *pc, const char *option, u8 wanted, u8 *devfn)
{
    for (unsigned slot = wanted ? wanted : FIRST_SLOT; slot < 32; slot++) {
        *devfn = PCI_DEVFN(slot, 0);
        if (!pci_bus_device(pc->pci, *devfn))
            return STATUS_OK;
        if (wanted)
            break;
    }
    if (!wanted)
        return pc_fail(pc, STATUS_BAD_VALUE, "%s: all PCI slots are taken", option);
    return pc_fail(pc, STATUS_BAD_VALUE, "%s: PCI slot %u is taken", option, wanted);
}

/*
 * A ROM for a family of cards leaves the identification in its PCI data structure empty, and
 * firmware takes only what names the card [PCI 2.2 §6.3.1]. Byte 6 of the header is spare there.
 */
static void name_card(u8 *rom, size_t len, u16 device)
{
    enum {
        HEADER_SPARE = 6,
        HEADER_PCIR = 0x18,
        PCIR_VENDOR = 4,
        PCIR_SIZE = 24,
        REALTEK = 0x10ec
    };
    size_t at = len >= HEADER_PCIR + 2 ? load16(rom + HEADER_PCIR) : len;

    if (at + PCIR_SIZE > len || memcmp(rom + at, "PCIR", 4) != 0 ||
        load32(rom + at + PCIR_VENDOR) != 0)
        return;
    store32(rom + at + PCIR_VENDOR, REALTEK | (u32)device << 16);
    for (unsigned i = 0; i < 4; i++)
        rom[HEADER_SPARE] = (u8)(rom[HEADER_SPARE] - rom[at + PCIR_VENDOR + i]);
}

/* The boot ROM: the one given, or the host's for the model if there is one. */
static enum status load_rom(struct pc *pc, const struct nic_card *c, u8 **rom, size_t *len)
{
    const char *own = c->model == NIC_RTL8139 ? "pxe-rtl8139.rom" : "pxe-ne2k_pci.rom";

    if (c->no_rom)
        return STATUS_OK;
    enum status s = pc_read_firmware(pc, *c->rom ? c->rom : own, rom, len);
    if (s == STATUS_NO_FILE && !*c->rom) {
        log_info(ROM, "there is no %s (package ipxe-qemu): the card cannot boot", own);
        return STATUS_OK;
    }
    if (s != STATUS_OK)
        return pc_fail(pc, s, "romfile: cannot read '%.200s': %s", *c->rom ? c->rom : own,
                       status_text(s));
    if (!*c->rom)
        name_card(*rom, *len, c->model == NIC_RTL8139 ? 0x8139 : 0x8029);
    return STATUS_OK;
}

static enum status create_isa(struct pc *pc, struct pc_nic *n, const struct nic_card *c,
                              struct nic_wire wire)
{
    struct ne2000_isa_desc desc = {
        .io = pc->io, .base = c->iobase, .irq = pc_irq_line(pc, c->irq), .wire = wire};
    struct ne2000 *dev;

    for (unsigned i = 0; i < NIC_ADDRESS; i++)
        desc.mac[i] = c->mac[i];
    enum status s = ne2000_isa_create(&dev, &desc);
    if (s == STATUS_CONFLICT)
        return pc_fail(pc, STATUS_BAD_VALUE, "%s: the ports of ne2k_isa, from %x, are taken",
                       c->option, c->iobase);
    if (s != STATUS_OK)
        return s;
    *n = (struct pc_nic){pc, &ne2000_nic_ops, dev};
    return pc_add_chip(pc, &ne2000_isa_class, dev);
}

static enum status create_ne2k_pci(struct pc *pc, struct pc_nic *n, struct ne2000_pci_desc *desc)
{
    struct ne2000 *dev;
    enum status s = ne2000_pci_create(&dev, desc);

    if (s != STATUS_OK)
        return s;
    *n = (struct pc_nic){pc, &ne2000_nic_ops, dev};
    return pc_add_chip(pc, &ne2000_pci_class, dev);
}

static enum status create_rtl8139(struct pc *pc, struct pc_nic *n, struct rtl8139_desc *desc)
{
    static const char *const names[PC_NICS] = {"rtl8139.0", "rtl8139.1", "rtl8139.2", "rtl8139.3"};
    struct rtl8139 *dev;

    desc->name = names[n - pc->nic];
    desc->pm = pc->physmem;
    desc->clk = &pc->clock;
    enum status s = rtl8139_create(&dev, desc);
    if (s != STATUS_OK)
        return s;
    *n = (struct pc_nic){pc, &rtl8139_nic_ops, dev};
    return pc_add_chip(pc, &rtl8139_class, dev);
}

static enum status create_pci(struct pc *pc, struct pc_nic *n, const struct nic_card *c,
                              struct nic_wire wire)
{
    struct ne2000_pci_desc ne2k = {.pci = pc->pci, .wire = wire};
    struct rtl8139_desc rtl = {.pci = pc->pci, .wire = wire, .cplus = c->cplus};
    u8 *rom = NULL;
    size_t rom_len = 0;
    enum status s;

    if (!pc->pci)
        return pc_fail(pc, STATUS_BAD_VALUE, "%s: that is a PCI card; -M isapc takes ne2k_isa",
                       c->option);
    s = free_slot(pc, c->option, c->slot, &rtl.devfn);

    if (s == STATUS_OK)
        s = load_rom(pc, c, &rom, &rom_len);
    if (s != STATUS_OK)
        return s;
    ne2k.devfn = rtl.devfn;
    ne2k.rom = rtl.rom = rom;
    ne2k.rom_len = rtl.rom_len = rom_len;
    for (unsigned i = 0; i < NIC_ADDRESS; i++)
        ne2k.mac[i] = rtl.mac[i] = c->mac[i];
    s = c->model == NIC_RTL8139 ? create_rtl8139(pc, n, &rtl) : create_ne2k_pci(pc, n, &ne2k);
    free(rom);
    return s;
}

enum status pc_create_nics(struct pc *pc)
{
    struct nic_list *list = calloc(1, sizeof(*list));
    enum status s = STATUS_OK;

    if (!list)
        return STATUS_NO_MEMORY;
    if (!nic_parse(pc->cfg, list, pc->error))
        s = STATUS_BAD_VALUE;
    for (unsigned i = 0; s == STATUS_OK && i < list->count; i++) {
        const struct nic_card *c = &list->card[i];
        struct pc_nic *n = &pc->nic[i];
        struct nic_wire wire = {NULL, n};
        n->pc = pc;
        if (pc->host.nic[i].send)
            wire.send = on_send;
        s = c->model == NIC_NE2K_ISA ? create_isa(pc, n, c, wire) : create_pci(pc, n, c, wire);
        pc->nics += s == STATUS_OK;
    }
    free(list);
    return s;
}

/* SPDX-License-Identifier: MIT */
/* Creates every chip and wires every line. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "devices/debugport.h"
#include "devices/isadebugexit.h"
#include "devices/opl3.h"
#include "devices/port61.h"
#include "devices/port92.h"
#include "devices/sb16.h"
#include "machine/board.h"
#include "machine/nic.h"
#include "machine/rtc_base.h"
#include "machine/suboption.h"

#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_ = (call);                                                                 \
        if (try_ != STATUS_OK)                                                                     \
            return try_;                                                                           \
    } while (0)

/* --- wires --- */

static void set_irq(void *ctx, unsigned pin, bool level)
{
    struct pc *pc = ctx;
    unsigned irq = pin & 15, source = pin >> 4;

    if (level)
        pc->irq_level[irq] |= (u8)BIT(source);
    else
        pc->irq_level[irq] &= (u8)~BIT(source);
    pc_set_irq_level(pc, irq, pc->irq_level[irq] != 0);
}

static struct line irq_line(struct pc *pc, enum irq_source source, unsigned irq)
{
    return (struct line){set_irq, pc, (unsigned)source << 4 | irq};
}

struct line pc_irq_line(struct pc *pc, unsigned irq)
{
    return irq_line(pc, IRQ_ISA, irq);
}

/* The gate is open if any of its drivers opens it [82371SB, A20M#]. */
static void set_a20(void *ctx, unsigned source, bool level)
{
    struct pc *pc = ctx;

    if (level)
        pc->a20 |= (u8)BIT(source);
    else
        pc->a20 &= (u8)~BIT(source);
    physmem_set_a20(pc->physmem, pc->a20 != 0);
}

static void set_cpu_init(void *ctx, unsigned pin, bool level)
{
    struct pc *pc = ctx;

    (void)pin;
    if (!level)
        return;
    for (unsigned i = 0; i < pc->cpus; i++) {
        pc_init_cpu(pc, i);
        cpu_request_reset(pc->cpu[i], true);
    }
}

static void set_reset(void *ctx, unsigned pin, bool level)
{
    struct pc *pc = ctx;

    (void)pin;
    if (!level)
        return;
    pc->reset_wanted = true;
    clock_stop(&pc->clock);
}

static void set_power_off(void *ctx, unsigned pin, bool level)
{
    (void)pin;
    if (level)
        pc_request_stop(ctx, PC_STOP_POWER_OFF);
}

static void set_nmi_mask(void *ctx, unsigned pin, bool level)
{
    (void)pin;
    ((struct pc *)ctx)->nmi_masked = level;
}

/* --- chips --- */

static void sync_speaker(void *pc, unsigned pin, bool level)
{
    if (((struct pc *)pc)->speaker)
        speaker_sync(((struct pc *)pc)->speaker, pin, level);
}

static enum status create_core(struct pc *pc)
{
    struct port61 *p61;
    struct port92 *p92;

    TRY(pc_create_apics(pc));
    TRY(i8259_create(
        &pc->pic, &(struct i8259_desc){.io = pc->io, .intr = {pc_set_intr, pc, 0}, .elcr = true}));
    TRY(pc_add_chip(pc, &i8259_class, pc->pic));
    TRY(i8254_create(&pc->pit, &(struct i8254_desc){.io = pc->io,
                                                    .clk = &pc->clock,
                                                    .irq0 = irq_line(pc, IRQ_ISA, 0),
                                                    .sound = {sync_speaker, pc, 0}}));
    TRY(pc_add_chip(pc, &i8254_class, pc->pit));
    TRY(i8237_create(&pc->dma, &(struct i8237_desc){.io = pc->io, .mem = pc->physmem}));
    TRY(pc_add_chip(pc, &i8237_class, pc->dma));
    TRY(sound_create(&pc->sound, &(struct sound_desc){.clk = &pc->clock,
                                                      .put = pc->host.sound.put,
                                                      .ctx = pc->host.sound.ctx}));
    TRY(speaker_create(&pc->speaker, &(struct speaker_desc){
                                         .clk = &pc->clock, .pit = pc->pit, .sound = pc->sound}));
    TRY(port61_create(&p61, &(struct port61_desc){.io = pc->io,
                                                  .clk = &pc->clock,
                                                  .pit = pc->pit,
                                                  .speaker = {speaker_set, pc->speaker, 0}}));
    TRY(pc_add_chip(pc, &port61_class, p61));
    TRY(port92_create(&p92, &(struct port92_desc){.io = pc->io,
                                                  .a20 = {set_a20, pc, A20_PORT92},
                                                  .cpu_init = {set_cpu_init, pc, 0}}));
    TRY(pc_add_chip(pc, &port92_class, p92));
    TRY(portf0_create(&pc->portf0,
                      &(struct portf0_desc){.io = pc->io, .irq13 = irq_line(pc, IRQ_ISA, 13)}));
    return pc_add_chip(pc, &portf0_class, pc->portf0);
}

static enum status create_keyboard(struct pc *pc)
{
    TRY(i8042_create(&pc->kbc, &(struct i8042_desc){.io = pc->io,
                                                    .clk = &pc->clock,
                                                    .irq1 = irq_line(pc, IRQ_ISA, 1),
                                                    .irq12 = irq_line(pc, IRQ_ISA, 12),
                                                    .a20 = {set_a20, pc, A20_I8042},
                                                    .reset = {set_cpu_init, pc, 0}}));
    TRY(pc_add_chip(pc, &i8042_class, pc->kbc));
    struct ps2kbd_desc desc = {.ready = {i8042_device_ready, pc->kbc, I8042_KEYBOARD}};
    TRY(ps2kbd_create(&pc->kbd, &desc));
    TRY(pc_add_chip(pc, &ps2kbd_class, pc->kbd));
    i8042_attach(pc->kbc, I8042_KEYBOARD, &ps2kbd_ops, pc->kbd);
    struct ps2mouse_desc mouse = {.ready = {i8042_device_ready, pc->kbc, I8042_AUX}};
    TRY(ps2mouse_create(&pc->mouse, &mouse));
    TRY(pc_add_chip(pc, &ps2mouse_class, pc->mouse));
    i8042_attach(pc->kbc, I8042_AUX, &ps2mouse_ops, pc->mouse);
    return STATUS_OK;
}

static enum status create_serial(struct pc *pc)
{
    static const struct {
        const char *name;
        u16 base;
        unsigned irq;
    } com[PC_SERIALS] = {{"com1", 0x3f8, 4}, {"com2", 0x2f8, 3}};

    for (unsigned i = 0; i < PC_SERIALS; i++) {
        const struct uart16550_desc desc = {
            .name = com[i].name,
            .io = pc->io,
            .clk = &pc->clock,
            .base = com[i].base,
            .irq = irq_line(pc, IRQ_ISA, com[i].irq),
            .out = {pc->host.serial[i].put, pc->host.serial[i].ctx},
            .bit_ns = 100, /* nothing but the wire's speed would make a guest wait */
        };
        TRY(uart16550_create(&pc->uart[i], &desc));
        TRY(pc_add_chip(pc, &uart16550_class, pc->uart[i]));
    }
    return STATUS_OK;
}

bool pc_is_isa(const struct pc *pc)
{
    return strcmp(config_text(pc->cfg, CONFIG_machine), "isapc") == 0;
}

/* What a board without PCI has instead. */
static enum status create_shadow(struct pc *pc)
{
    TRY(shadow_create(
        &pc->shadow,
        &(struct shadow_desc){.pm = pc->physmem, .bios = pc->bios, .bios_len = pc->bios_len}));
    return pc_add_chip(pc, &shadow_class, pc->shadow);
}

static enum status create_pci(struct pc *pc)
{
    if (pc_is_isa(pc))
        return create_shadow(pc);
    TRY(pci_bus_create(&pc->pci, &(struct pci_bus_desc){.io = pc->io, .pm = pc->physmem}));
    TRY(pc_add_chip(pc, &pci_bus_class, pc->pci));
    TRY(i440fx_create(&pc->bridge, &(struct i440fx_desc){.pci = pc->pci,
                                                         .pm = pc->physmem,
                                                         .bios = pc->bios,
                                                         .bios_len = pc->bios_len}));
    TRY(pc_add_chip(pc, &i440fx_class, pc->bridge));
    struct piix3_desc isa = {
        .pci = pc->pci,
        .reset = {set_reset, pc, 0},
        .cpu_init = {set_cpu_init, pc, 0},
    };
    for (unsigned i = 0; i < 16; i++)
        isa.irq[i] = irq_line(pc, IRQ_PCI, i);
    for (unsigned i = 0; i < ARRAY_LEN(isa.pirq); i++)
        isa.pirq[i] = (struct line){pc_set_pirq, pc, i};
    TRY(piix3_create(&pc->isa, &isa));
    TRY(pc_add_chip(pc, &piix3_class, pc->isa));
    TRY(piix4_pm_create(&pc->pm, &(struct piix4_pm_desc){.pci = pc->pci,
                                                         .io = pc->io,
                                                         .clk = &pc->clock,
                                                         .sci = piix3_sci(pc->isa),
                                                         .power_off = {set_power_off, pc, 0}}));
    return pc_add_chip(pc, &piix4_pm_class, pc->pm);
}

static enum status create_ide(struct pc *pc)
{
    struct ata_desc desc = {
        .io = pc->io,
        .clk = &pc->clock,
        .irq = {irq_line(pc, IRQ_ISA, 14), irq_line(pc, IRQ_ISA, 15)},
    };

    for (unsigned i = 0; i < DRIVE_IDE; i++) {
        const struct drive *d = &pc->drive[i];
        if (d->present)
            desc.drive[i / 2][i % 2] =
                (struct ata_drive_desc){d->cdrom ? ATA_CDROM : ATA_DISK, pc->disk[i], NULL};
    }
    TRY(ata_create(&pc->ata, &desc));
    TRY(pc_add_chip(pc, &ata_class, pc->ata));
    if (!pc->pci)
        return STATUS_OK;
    TRY(piix_ide_create(
        &pc->ide, &(struct piix_ide_desc){.pci = pc->pci, .pm = pc->physmem, .ata = pc->ata}));
    return pc_add_chip(pc, &piix_ide_class, pc->ide);
}

static enum status create_floppy(struct pc *pc)
{
    struct i82077_desc desc = {
        .io = pc->io,
        .clk = &pc->clock,
        .irq = irq_line(pc, IRQ_ISA, 6),
        .dma = pc->dma,
        .channel = 2,
    };

    for (unsigned i = 0; i < DRIVE_FLOPPIES; i++)
        desc.drive[i] = pc_floppy_type(pc, i);
    TRY(i82077_create(&pc->fdc, &desc));
    TRY(pc_add_chip(pc, &i82077_class, pc->fdc));
    for (unsigned i = 0; i < DRIVE_FLOPPIES; i++) {
        if (pc->disk[DRIVE_IDE + i])
            TRY(i82077_insert(pc->fdc, i, pc->disk[DRIVE_IDE + i]));
    }
    return STATUS_OK;
}

static void set_vga_direct(void *pc, bool direct, size_t off)
{
    struct pc *p = pc;

    if (p->shadow)
        shadow_set_vga_direct(p->shadow, direct, off);
    else
        i440fx_set_vga_direct(p->bridge, direct, off);
}

bool pc_has_cirrus(const struct pc *pc)
{
    return strcmp(config_text(pc->cfg, CONFIG_vga), "cirrus") == 0;
}

static enum status create_vga(struct pc *pc)
{
    bool cirrus = pc_has_cirrus(pc);

    if (cirrus && !pc->pci)
        return pc_fail(pc, STATUS_BAD_VALUE, "-vga cirrus: it is a PCI card: -M isapc has no PCI");
    TRY(vga_create(&pc->vga, &(struct vga_desc){.cirrus = cirrus,
                                                .io = pc->io,
                                                .clk = &pc->clock,
                                                .pm = pc->physmem,
                                                .direct = set_vga_direct,
                                                .direct_ctx = pc,
                                                .pci = pc->pci,
                                                .lfb = pc->shadow ? SHADOW_LFB : 0,
                                                .devfn = PCI_DEVFN(2, 0),
                                                .rom = pc->vga_bios,
                                                .rom_len = pc->vga_bios_len}));
    TRY(pc_add_chip(pc, cirrus ? &cirrus_class : &vga_class, pc->vga));
    if (pc->shadow)
        return shadow_set_vga(pc->shadow, &vga_window_ops, pc->vga);
    return i440fx_set_vga(pc->bridge, &vga_window_ops, pc->vga);
}

static enum status create_fwcfg(struct pc *pc)
{
    struct fwcfg *f;

    TRY(fwcfg_create(&f, &(struct fwcfg_desc){.io = pc->io, .pm = pc->physmem}));
    TRY(pc_add_chip(pc, &fwcfg_class, f));
    if (pc->fw.no_memory)
        return STATUS_NO_MEMORY;
    for (unsigned i = 0; i < pc->fw.count; i++) {
        const struct fw_item *it = &pc->fw.item[i];
        if (it->key)
            TRY(fwcfg_add_bytes(f, it->key, it->data, it->len));
        else
            TRY(fwcfg_add_file(f, it->name, it->data, it->len));
    }
    pc->fwcfg = f;
    pc->fw_hash = fw_hash(&pc->fw);
    fw_free(&pc->fw); /* copied; an initrd is large */
    return STATUS_OK;
}

static enum status create_rtc(struct pc *pc)
{
    const char *text = config_text(pc->cfg, CONFIG_rtc);
    const struct rtc_host host = {pc->host.wall_seconds, pc->host.local_offset, pc->deterministic};
    struct mc146818_desc desc = {
        .io = pc->io,
        .clk = &pc->clock,
        .irq8 = irq_line(pc, IRQ_ISA, 8),
        .nmi_mask = {set_nmi_mask, pc, 0},
    };

    if (!rtc_base_parse(text, &host, &desc.base_time))
        return pc_fail(pc, STATUS_BAD_VALUE,
                       "-rtc: '%.100s' is not base=utc, base=localtime or base=2006-06-17T16:01:21",
                       text);
    TRY(mc146818_create(&pc->rtc, &desc));
    return pc_add_chip(pc, &mc146818_class, pc->rtc);
}

/* --- devices from -device and -debugcon --- */

static void on_exit_port(void *ctx, u32 code)
{
    struct pc *pc = ctx;

    pc->exit_status = (int)(code & 0xff);
    pc_request_stop(pc, PC_STOP_EXIT);
}

struct isa_device {
    char name[32];
    u64 iobase, iosize;
};

static enum status parse_device(struct pc *pc, const char *text, struct isa_device *d)
{
    struct suboption o;
    const char *p = text;

    if (!suboption_next(&p, &o) || *o.key || strlen(o.value) >= sizeof(d->name))
        return pc_fail(pc, STATUS_BAD_VALUE, "-device: '%.100s' names no device", text);
    snprintf(d->name, sizeof(d->name), "%.31s", o.value);
    while (*p) {
        bool ok = suboption_next(&p, &o);
        if (ok && strcmp(o.key, "iobase") == 0)
            ok = suboption_number(&o, 0xffff, &d->iobase);
        else if (ok && strcmp(o.key, "iosize") == 0)
            ok = suboption_number(&o, 4, &d->iosize) && d->iosize;
        else
            ok = false;
        if (!ok)
            return pc_fail(pc, STATUS_BAD_VALUE,
                           "-device: '%.100s': a device takes iobase=PORT and iosize=1..4", text);
    }
    return STATUS_OK;
}

static enum status create_exit_port(struct pc *pc, const struct isa_device *d)
{
    struct isadebugexit *x;
    enum status s = isadebugexit_create(&x, &(struct isadebugexit_desc){
                                                .io = pc->io,
                                                .iobase = (u16)(d->iobase ? d->iobase : 0x501),
                                                .iosize = (u16)(d->iosize ? d->iosize : 2),
                                                .exit = on_exit_port,
                                                .ctx = pc,
                                            });

    if (s == STATUS_CONFLICT)
        return pc_fail(pc, STATUS_BAD_VALUE, "-device: port %llx is taken by another device",
                       (unsigned long long)d->iobase);
    return s != STATUS_OK ? s : pc_add_chip(pc, &isadebugexit_class, x);
}

static enum status create_sb16(struct pc *pc)
{
    static const u8 irq[4] = {9, 5, 7, 10};
    struct sb16_desc desc = {.io = pc->io, .clk = &pc->clock, .dma = pc->dma, .sound = pc->sound};
    struct opl3 *opl;
    struct sb16 *sb;

    for (unsigned i = 0; i < ARRAY_LEN(irq); i++)
        desc.irq[i] = pc_irq_line(pc, irq[i]);
    enum status s = sb16_create(&sb, &desc);
    if (s == STATUS_CONFLICT)
        return pc_fail(pc, STATUS_BAD_VALUE, "-device: there can be only one sb16");
    TRY(s);
    TRY(pc_add_chip(pc, &sb16_class, sb));
    struct opl3_desc synth = {pc->io, &pc->clock, pc->sound, sb16_midi_gain, sb};
    TRY(opl3_create(&opl, &synth));
    return pc_add_chip(pc, &opl3_class, opl);
}

static enum status create_extras(struct pc *pc)
{
    const struct config_value *list = &pc->cfg->value[CONFIG_device];
    u16 console = DEBUGPORT_DEFAULT;

    for (unsigned i = 0; i < list->count; i++) {
        struct isa_device d = {.iobase = 0};
        if (nic_is_card(list->list[i]))
            continue;
        TRY(parse_device(pc, list->list[i], &d));
        if (strcmp(d.name, "isa-debug-exit") == 0)
            TRY(create_exit_port(pc, &d));
        else if (strcmp(d.name, "sb16") == 0)
            TRY(create_sb16(pc));
        else if (strcmp(d.name, "vmmouse") == 0)
            TRY(pc_create_vmmouse(pc));
        else if (strcmp(d.name, "isa-debugcon") == 0)
            console = (u16)(d.iobase ? d.iobase : DEBUGPORT_DEFAULT);
        else
            return pc_fail(pc, STATUS_BAD_VALUE,
                           "-device: there is no device '%s'; -device help lists them", d.name);
    }
    if (pc->host.debugcon.put) {
        struct debugport *p;
        TRY(debugport_create(
            &p, &(struct debugport_desc){.io = pc->io,
                                         .port = console,
                                         .out = {pc->host.debugcon.put, pc->host.debugcon.ctx}}));
        TRY(pc_add_chip(pc, &debugport_class, p));
    }
    return STATUS_OK;
}

enum status pc_create_chips(struct pc *pc)
{
    static enum status (*const group[])(struct pc *) = {
        create_core,   create_rtc, create_keyboard, create_serial, create_pci,    create_ide,
        create_floppy, create_vga, pc_create_nics,  create_fwcfg,  create_extras,
    };

    for (unsigned i = 0; i < ARRAY_LEN(group); i++)
        TRY(group[i](pc));
    return STATUS_OK;
}

/* SPDX-License-Identifier: MIT */
/* Private to machine/pc*.c and machine/run.c: what the board consists of. */
#pragma once

#include "base/clock.h"
#include "cpu/cpu.h"
#include "devices/apic_bus.h"
#include "devices/ata.h"
#include "devices/block.h"
#include "devices/device.h"
#include "devices/fwcfg.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/i82077.h"
#include "devices/i8237.h"
#include "devices/i8254.h"
#include "devices/i8259.h"
#include "devices/ioapic.h"
#include "devices/ioport.h"
#include "devices/line.h"
#include "devices/local_apic.h"
#include "devices/mc146818.h"
#include "devices/nic.h"
#include "devices/pci.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/piix_ide.h"
#include "devices/portf0.h"
#include "devices/ps2kbd.h"
#include "devices/ps2mouse.h"
#include "devices/shadow.h"
#include "devices/sound.h"
#include "devices/speaker.h"
#include "devices/uart16550.h"
#include "devices/vga.h"
#include "devices/vmmouse.h"
#include "jit/jit.h"
#include "machine/boot_order.h"
#include "machine/drive.h"
#include "machine/fw.h"
#include "machine/pacer.h"
#include "machine/pc.h"
#include "machine/typist.h"
#include "mmu/physmem.h"
#include "roms/roms.h"

#define PC_CHIPS_MAX 40u

/** A chip on the board. The array of these drives reset, hash and destruction, in this order. */
struct pc_chip {
    const struct device_class *class;
    void *dev;
};

/** Who may pull an interrupt line: several can share one, which is high while any of them pulls. */
enum irq_source { IRQ_ISA, IRQ_PCI, IRQ_SOURCES };

enum a20_source { A20_PORT92, A20_I8042 };

/** What a CPU asks of the board, for whoever looks on. */
enum pc_access { PC_ACCESS_IN, PC_ACCESS_OUT, PC_ACCESS_READ, PC_ACCESS_WRITE, PC_ACCESS_INTA };

/** @size in bytes; @at is a port, or with READ and WRITE a physical address. */
typedef void pc_tap_fn(void *ctx, enum pc_access kind, u64 at, u64 val, unsigned size);

struct pc_tap {
    pc_tap_fn *fn; /* NULL: nobody */
    void *ctx;
};

struct check;
struct journal;

#define PC_CPUS 1u /* one for now; nothing outside assumes it */

/** What each CPU has of its own; the context of its bus and of its local APIC's wires. */
struct pc_node {
    struct pc *pc;
    unsigned number;
    struct local_apic *apic; /* owned by the array of chips; NULL: the model has none */
};

struct pc {
    struct clock clock;
    struct jit *jit;     /* NULL: the CPU interprets */
    struct check *check; /* -jit check: owned, and so is the twin */
    struct pc *twin;     /* does whatever is done to this machine  */
    bool interprets;     /* it is a twin itself                     */
    struct pc_tap tap;
    struct physmem *physmem;
    struct ioport_bus *io;
    struct cpu *cpu[PC_CPUS];
    struct pc_node node[PC_CPUS];
    unsigned cpus, current;    /* how many, and which one runs */
    struct apic_bus *apic_bus; /* owned; NULL if the CPUs have no local APICs */

    struct pc_chip chip[PC_CHIPS_MAX];
    unsigned chips;

    /* Chips that somebody has to talk to; owned by the array above. */
    struct i8259 *pic;
    struct ioapic *ioapic; /* or NULL */
    struct i8254 *pit;
    struct i8237 *dma;
    struct mc146818 *rtc;
    struct i8042 *kbc;
    struct ps2kbd *kbd;
    struct ps2mouse *mouse;
    struct vmmouse *vmmouse; /* NULL: no such device */
    struct portf0 *portf0;
    struct fwcfg *fwcfg;
    struct typist *typist;   /* owned; no chip */
    struct sound *sound;     /* owned; no chip */
    struct speaker *speaker; /* owned; no chip */
    struct uart16550 *uart[PC_SERIALS];
    struct pci_bus *pci;
    struct i440fx *bridge; /* -M isapc has neither this nor the other PCI chips, but: */
    struct shadow *shadow;
    struct piix3 *isa;
    struct piix4_pm *pm;
    struct vga *vga;
    struct ata *ata;
    struct i82077 *fdc;
    struct piix_ide *ide;

    struct pc_nic {
        struct pc *pc;
        const struct nic_ops *ops;
        void *dev;
        u64 frames; /* for whoever watches; no state */
    } nic[PC_NICS];
    unsigned nics;
    bool look; /* pc_run() returns after this instruction: a frame was sent, or it is poll time */

    u32 timeout_timer, poll_timer;
    u64 poll_ns; /* pc_set_poll(); 0: never */
    bool poll_due;
    struct pc_debugger *debugger; /* owned; NULL: none. machine/debug.c */
    u64 stop_at;                  /* pc_stop_at(); 0: nowhere */
    struct journal *journal;      /* owned; NULL: neither records nor replays */

    u8 *bios; /* owned; a whole number of pages */
    size_t bios_len;
    u8 *vga_bios; /* owned */
    size_t vga_bios_len;
    struct fw_list fw; /* until the fw_cfg device has them */
    u64 fw_hash;       /* of what fw_cfg tells, but: */
    bool nographic;    /* the firmware is told to use the serial port as its console */

    u8 irq_level[16]; /* bit n: source n pulls */
    u8 a20;           /* bit n: source n lets A20 pass */
    bool nmi_masked;

    const struct config *cfg;
    struct pc_host host;
    struct drive drive[DRIVE_COUNT];
    struct block *disk[DRIVE_COUNT]; /* owned; NULL: none, or an empty drive */
    struct boot_order boot;
    u64 ram_bytes;
    bool deterministic;
    struct pacer pacer;
    bool slept;
    bool ahead; /* of a speed limit: pc_run() waits */
    u64 speed;  /* of -speed, instructions a second; 0: no limit */

    bool stopping;     /* stop says why */
    bool off;          /* the guest has said so */
    bool held;         /* a user has said so: pc_set_held() */
    bool reset_wanted; /* RESET# of the board, at the end of the slice */
    enum pc_stop stop;
    int exit_status;
    u64 slices, resets;
    u64 breaks;   /* pc_breaks(): not state */
    u64 slept_ns; /* guest time passed while the CPU was halted */
    char *error;  /* while pc_create() runs: PC_ERROR_MAX bytes */
};

/** End the run, for the first reason given, at the end of the current instruction. */
void pc_request_stop(struct pc *pc, enum pc_stop stop);

/** The machine of @cfg without a compiler, and no twin of its own. As pc_create(). */
enum status pc_create_twin(struct pc **out, const struct config *cfg, const struct pc_host *host,
                           char error[PC_ERROR_MAX]) MUST_CHECK;

/**
 * After a slice that ended with @exit: timers, resets, sleep. False: *@stop says why the machine
 * cannot go on.
 */
bool pc_settle(struct pc *pc, enum cpu_exit exit, u64 host_ns, enum pc_stop *stop) MUST_CHECK;

/** Tell pc->tap, if there is one. */
void pc_look_on(const struct pc *pc, enum pc_access kind, u64 at, u64 val, unsigned size);

/** Guest time was set from outside, forward or back, from @before: the host's limits follow. */
void pc_time_jumped(struct pc *pc, u64 before);

/** RESET# of this machine alone. */
void pc_reset_board(struct pc *pc);

/** Note the sentence that pc_create() fails with, and return @s. */
enum status pc_fail(struct pc *pc, enum status s, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** Put a created chip into the array. */
enum status pc_add_chip(struct pc *pc, const struct device_class *class, void *dev) MUST_CHECK;

/* The stages of pc_create(), in this order. */
enum status pc_load_firmware(struct pc *pc) MUST_CHECK; /* pc_firmware.c */
enum status pc_open_disks(struct pc *pc) MUST_CHECK;    /* pc_disks.c    */
enum status pc_create_chips(struct pc *pc) MUST_CHECK;  /* pc_chips.c    */
enum status pc_fill_cmos(struct pc *pc) MUST_CHECK;     /* pc_firmware.c */
enum status pc_create_typist(struct pc *pc) MUST_CHECK; /* pc_input.c    */
enum status pc_start_typing(struct pc *pc) MUST_CHECK;

/** Characters of code page 437, row by row, as pc_screen_text() gives them. NULL: no memory. */
char *pc_cp437_rows(const u8 *cells, unsigned columns, unsigned rows);

/** Put the translator that is configured in front of the interpreter. */
enum status pc_create_jit(struct pc *pc) MUST_CHECK;

void pc_close_disks(struct pc *pc);
/** Open @d's image, for place @place, as *@out; or @error takes one sentence. */
enum status pc_open_image(struct block **out, const struct drive *d, unsigned place,
                          char error[BLOCK_ERR_SIZE]) MUST_CHECK;
/** What block_identity() says of the medium in @drive; 0: none. */
enum status pc_medium_identity(struct pc *pc, const char *drive, u64 *out) MUST_CHECK;
/** Put @medium (NULL: nothing) into the drive at @place. pc->disk is the caller's to set. */
enum status pc_insert(struct pc *pc, unsigned place, struct block *medium) MUST_CHECK;
/** Whether timer @t belongs to the host and is no state of the guest. */
bool pc_is_host_timer(const struct clock_timer *t);

/** Tell the BIOS in CMOS what to boot from. */
void pc_set_boot_order(struct pc *pc, const char *order);

/** -M isapc: a board without PCI? */
bool pc_is_isa(const struct pc *pc);
/** -vga cirrus? */
bool pc_has_cirrus(const struct pc *pc);
/** The type of floppy drive @n, by the medium that is in it at the start. */
u8 pc_floppy_type(const struct pc *pc, unsigned n);
/** The device of -device vmmouse. pc_input.c */
enum status pc_create_vmmouse(struct pc *pc) MUST_CHECK;
/** IRQ @irq of the ISA bus. */
struct line pc_irq_line(struct pc *pc, unsigned irq);
/** The cards of -nic and -device. pc_nic.c */
enum status pc_create_nics(struct pc *pc) MUST_CHECK;
/** Read the firmware file @name, wherever it is on the host; STATUS_NO_FILE: nowhere. */
enum status pc_read_firmware(struct pc *pc, const char *name, u8 **bytes, size_t *len) MUST_CHECK;

/* --- pc_apic.c: interrupts between the controllers and the CPUs --- */

/** Does the CPU model have a local APIC? The board then has an I/O APIC and says so in its tables.
 */
bool pc_has_apic(const struct pc *pc);
/** The version of its registers, for a model that has one. */
u8 pc_apic_version(const struct cpu_model *m);
enum status pc_create_apics(struct pc *pc) MUST_CHECK;
/** INTR of the 8259 pair; fits struct line. */
void pc_set_intr(void *pc, unsigned pin, bool level);
/** IRQ @irq of the board has this level: the 8259s and the I/O APIC see it. */
void pc_set_irq_level(struct pc *pc, unsigned irq, bool level);
/** PIRQA# to PIRQD# as the PIIX3 drives them; fits struct line. */
void pc_set_pirq(void *pc, unsigned pirq, bool level);
/** INIT# of CPU @number, with its local APIC. */
void pc_init_cpu(struct pc *pc, unsigned number);
/** Can a halted CPU @number wake up by something that is still to come? */
bool pc_can_wake(const struct pc *pc, unsigned number);
/* What a CPU asks; @node is its struct pc_node. */
u8 pc_bus_inta(void *node);
u64 pc_bus_apic_base(void *node);
bool pc_bus_set_apic_base(void *node, u64 val);

/** CMOS byte 39h: how the BIOS is to translate each disk's geometry, 2 bits a disk. */
u8 pc_disk_translation(const struct pc *pc);

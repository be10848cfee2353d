/* SPDX-License-Identifier: MIT */
/*
 * The board: an i440FX PC with everything on it. Frontends and tests see only this header; a
 * machine is a value, and several can live in one process.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"
#include "machine/config.h"

struct pc;

#define PC_SERIALS   2u
#define PC_NICS      4u
#define PC_ERROR_MAX 400u
#define PC_SOUND_HZ  48000u

/** Takes a byte that the guest sends. */
struct pc_output {
    void (*put)(void *ctx, u8 byte); /* NULL: nobody listens */
    void *ctx;
};

/** Takes a frame that a network card sends, without its check sequence; only valid in the call. */
struct pc_wire {
    void (*send)(void *ctx, const u8 *frame, size_t len); /* NULL: no cable */
    void *ctx;
};

/** Takes sound: @n frames, 16 bits left and right, PC_SOUND_HZ for each second of guest time. */
struct pc_sound {
    void (*put)(void *ctx, const i16 *frames, unsigned n); /* NULL: nobody listens */
    void *ctx;
};

/** What the frontend supplies beside the configuration. */
struct pc_host {
    struct pc_output serial[PC_SERIALS];
    struct pc_output debugcon;   /* put is NULL: there is no port 0xE9 */
    struct pc_wire nic[PC_NICS]; /* in the order of nic_parse() */
    struct pc_sound sound;
    u64 wall_seconds; /* since 1970-01-01 00:00:00 UTC, now */
    i64 local_offset; /* seconds that local time is ahead of UTC */
};

/** Why pc_run() returned. */
enum pc_stop {
    PC_STOP_SLICE,        /* time to look after the host; call again                 */
    PC_STOP_IDLE,         /* nothing to do until pc_wake_time() or input; call again */
    PC_STOP_POWER_OFF,    /* the guest switched the machine off                      */
    PC_STOP_EXIT,         /* the exit port was written: pc_exit_status()             */
    PC_STOP_RESET,        /* with no-reboot: the guest reset the machine             */
    PC_STOP_TRIPLE_FAULT, /* with no-reboot: the CPU shut down                       */
    PC_STOP_HALTED,       /* halted, and nothing can wake it                         */
    PC_STOP_TIMEOUT,      /* the configured guest time is over                       */
    PC_STOP_DEBUG,        /* a breakpoint or a watchpoint: machine/debug.h           */
    PC_STOP_DIFFERENCE,   /* -jit check, --replay: pc_check_report()                 */
    PC_STOP_REPLAYED,     /* --replay: the recording is over, in the recorded state  */
};

/**
 * Build the machine that @cfg describes, reset. On failure *@out is untouched, nothing was written
 * anywhere, and @error holds one sentence. STATUS_BAD_VALUE, STATUS_NO_FILE and the like mean that
 * the configuration is to blame; STATUS_NO_MEMORY and STATUS_IO that the host is.
 */
enum status pc_create(struct pc **out, const struct config *cfg, const struct pc_host *host,
                      char error[PC_ERROR_MAX]) MUST_CHECK;
/** Write back and close the disks, free everything. NULL is accepted. */
void pc_destroy(struct pc *pc);

/** All that the user wants is possible: the log and -perf-map's file lose what they held. False:
 * told. */
bool pc_begin(struct pc *pc) MUST_CHECK;

/**
 * Run for about a millisecond. @host_ns is the host's monotonic time: unless the machine is
 * deterministic, guest time follows it.
 */
enum pc_stop pc_run(struct pc *pc, u64 host_ns);

/** Forget the limit of -speed, or obey it again; without one nothing changes. */
void pc_set_turbo(struct pc *pc, bool on);
/** Another limit from now on: what -speed takes. False: it is not that. */
bool pc_set_speed(struct pc *pc, const char *text) MUST_CHECK;
/** Whether there is a limit and it is obeyed. */
bool pc_is_limited(const struct pc *pc);

/**
 * Let pc_run() return whenever guest time is a multiple of @ns, not 0; pc_poll_due() then says so,
 * once. The guest cannot notice.
 */
void pc_set_poll(struct pc *pc, u64 ns);
bool pc_poll_due(struct pc *pc);

/** Let pc_run() return when so many instructions have been retired, or at once; 0: nowhere. */
void pc_stop_at(struct pc *pc, u64 retired);

/** PC_STOP_IDLE: the host time (as given to pc_run) of the next event; UINT64_MAX: none. */
u64 pc_wake_time(const struct pc *pc);
/** PC_STOP_EXIT: the process' exit status. */
int pc_exit_status(const struct pc *pc);

/** PC_STOP_DIFFERENCE: what differs and where, lines of text. */
const char *pc_check_report(const struct pc *pc);

/**
 * Before fork(): @error says why this machine cannot be in two processes (an image that both would
 * write, a network). Afterwards both have the same machine, RAM is copied as it is written, and the
 * child calls pc_forked() first.
 */
enum status pc_prepare_fork(struct pc *pc, char error[PC_ERROR_MAX]) MUST_CHECK;
enum status pc_forked(struct pc *pc, char error[PC_ERROR_MAX]) MUST_CHECK;

/** The RESET# line of the whole board. */
void pc_reset(struct pc *pc);
/** The non-maskable interrupt button. */
void pc_nmi(struct pc *pc);
/** The power button. False: no guest listens. */
bool pc_power_button(struct pc *pc);

/** Whether serial port @port can take a byte now, and giving it one. */
bool pc_serial_ready(const struct pc *pc, unsigned port);
void pc_serial_input(struct pc *pc, unsigned port, u8 byte);

/** A key goes down or up; codes as in devices/ps2kbd.h. False: the keyboard's buffer is full. */
bool pc_key(struct pc *pc, unsigned key, bool down);

/** The mouse moves right and down, its wheel towards the user; buttons: devices/ps2mouse.h. */
void pc_mouse_move(struct pc *pc, int dx, int dy, int dz);
void pc_mouse_buttons(struct pc *pc, u8 down);
/** Whether the guest wants to be told where the pointer is, as -device vmmouse lets it. */
bool pc_mouse_is_absolute(const struct pc *pc);
/** It is there, each from 0 to 65535 of the screen. Otherwise nothing happens. */
void pc_mouse_point(struct pc *pc, u16 x, u16 y);
/** Whether the guest has seen the buttons as they are, or never will: how fast they may change. */
bool pc_mouse_idle(const struct pc *pc);
/** The keyboard's lights: bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
u8 pc_leds(const struct pc *pc);
/** Whether @drive, named as for pc_change_medium(), is there and takes other media. */
bool pc_has_drive(const struct pc *pc, const char *drive);

/**
 * Type @text from now on, or after what is being typed (machine/typist.h says what it may hold).
 * STATUS_BAD_VALUE: @error tells what cannot be typed, and nothing is.
 */
enum status pc_type(struct pc *pc, const char *text, char error[PC_ERROR_MAX]) MUST_CHECK;

/** Whether any machine's pc_type() would take @text; else @error. */
bool pc_can_type(const char *text, char error[PC_ERROR_MAX]);

/** Whether @drive is the name of a drive that takes media, which this machine may have or not. */
bool pc_takes_media(const char *drive);

/**
 * Put the image @path into a drive that takes media ("floppy0", "floppy1", "cdrom"), or with NULL
 * take out what is in it. On failure nothing has changed and @error holds one sentence.
 */
enum status pc_change_medium(struct pc *pc, const char *drive, const char *path,
                             char error[PC_ERROR_MAX]) MUST_CHECK;
/** Whether network card @nic can take a frame now, and giving it one. Between calls of pc_run(). */
bool pc_nic_ready(const struct pc *pc, unsigned nic);
void pc_nic_receive(struct pc *pc, unsigned nic, const u8 *frame, size_t len);
/** Pull the cable out of a card, or put it back. False: there is no such card. */
bool pc_nic_unplug(struct pc *pc, unsigned nic, bool out);

/** Guest time since power-on in ns, and retired instructions. */
u64 pc_time(const struct pc *pc);
u64 pc_retired(const struct pc *pc);
/** Whether no option reads the file @path, which somebody names as an output now; else @error. */
bool pc_may_write(const struct pc *pc, const char *path, char error[PC_ERROR_MAX]) MUST_CHECK;
/** How often RESET# was pulsed, power-on included. */
u64 pc_resets(const struct pc *pc);
/** Changes with every reset and every snapshot that is loaded: it is not the guest of before. */
u64 pc_breaks(const struct pc *pc);
/** Whether the guest has powered the machine off; a reset or a snapshot brings it back. */
bool pc_is_off(const struct pc *pc);
/** A user wants it to stand still: whoever calls pc_run() leaves it until that is over. */
void pc_set_held(struct pc *pc, bool held);
bool pc_is_held(const struct pc *pc);
/** How much of that time the CPU spent halted. */
u64 pc_time_halted(const struct pc *pc);
bool pc_deterministic(const struct pc *pc);

/** xxh64 of the canonical state: CPU, chips, RAM, clock. */
u64 pc_state_hash(struct pc *pc);

/** The text screen as UTF-8 lines, or "" in a graphics mode; the caller frees it. NULL: no memory.
 */
char *pc_screen_text(const struct pc *pc);

/** The same for a graphics mode: what is drawn there in the video BIOS' fonts, exactly. */
char *pc_screen_glyphs(const struct pc *pc);

/** The video BIOS' font: 256 glyphs of 8 by 16, a byte a line from the top. NULL: there is none. */
const u8 *pc_font(const struct pc *pc);

#define PC_TEXT_CELLS 16384u

/** The text screen, cell by cell. */
struct pc_text {
    unsigned columns, rows;
    bool blink; /* bit 7 of an attribute is blinking, not a bright background */
    bool cursor_on;
    unsigned cursor_column, cursor_row;
    struct {
        u16 ch; /* Unicode */
        u8 attr;
    } cell[PC_TEXT_CELLS]; /* row by row; those behind the last are 0 */
};
/** False, and 0 by 0 cells: it shows graphics. */
bool pc_screen_cells(const struct pc *pc, struct pc_text *out);

/** Whether the guest has taken all that was typed. */
bool pc_keyboard_idle(const struct pc *pc);
/** Whether nothing is left of what pc_type() was given: what --type has for later may be. */
bool pc_typing_done(const struct pc *pc);

/** The screen as it is now; the caller frees @pixels (00RRGGBB). */
struct pc_frame {
    u32 *pixels;
    unsigned width, height;
};
enum status pc_screen_frame(const struct pc *pc, struct pc_frame *out) MUST_CHECK;
/** The same without a cursor, and with characters that blink shown: equal screens, equal frames. */
enum status pc_screen_steady(const struct pc *pc, struct pc_frame *out) MUST_CHECK;

/** The screen for a window, kept by the machine. */
struct pc_picture {
    const u32 *pixels; /* 00RRGGBB, row by row; until the next call */
    unsigned width, height;
    unsigned first_row, rows; /* what has changed since the last call */
    bool square;              /* pixels are square; otherwise the picture is 4:3 */
};
/** Draw what has changed. On failure there is nothing to show now. */
enum status pc_show(struct pc *pc, struct pc_picture *out) MUST_CHECK;

/** How often disks were read or written, and how many frames went over the network. */
struct pc_activity {
    u64 disk, net;
};
struct pc_activity pc_activity(const struct pc *pc);

/** Registers as text, into @text. */
void pc_dump_registers(const struct pc *pc, char *text, size_t size);
/** Counters as lines of text. */
void pc_dump_stats(const struct pc *pc, char *text, size_t size);

/** What there is to tell about translated code; "" without any. */
void pc_dump_jit(const struct pc *pc, char *text, size_t size);

/** The drives and what is in them, as lines of text. */
void pc_dump_drives(const struct pc *pc, char *text, size_t size);

/** Tell all CPU models, by name and in a few words. */
void pc_cpu_models(void (*print)(void *ctx, const char *name, const char *text), void *ctx);

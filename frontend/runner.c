/* SPDX-License-Identifier: MIT */
/*
 * Runs the machine in slices. Between two slices, about a millisecond apart, it moves bytes between
 * the serial ports and the host, looks at signals and limits, and sleeps while the guest does.
 */
#include "frontend/runner.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frontend/audio.h"
#include "frontend/chardev.h"
#include "frontend/control.h"
#include "frontend/display.h"
#include "frontend/endings.h"
#include "frontend/exit_codes.h"
#include "frontend/find.h"
#include "frontend/hosttime.h"
#include "frontend/monitor.h"
#include "frontend/nets.h"
#include "frontend/recording.h"
#include "frontend/report.h"
#include "frontend/sandbox.h"
#include "frontend/script.h"
#include "frontend/signals.h"
#include "frontend/window.h"
#include "machine/pc.h"

enum {
    OUT_BUFFER = 4096,
    IN_BUFFER = 65536,
    PORT_DEBUGCON = PC_SERIALS, /* after the serial ports */
    PORT_KEYS,                  /* the terminal, as a keyboard */
    PORTS,
    READ_SIZE = 64,
    CTRL_A = 1,
    MAX_SLEEP_MS = 1000,
    OUTPUT_WAIT_MS = 20, /* between looks at the limits */
    POLL_MAX = 256,
};

/* One connection between a port of the guest and a back end. */
struct port {
    struct runner *r;
    struct chardev *dev; /* NULL: none */
    u8 out[OUT_BUFFER];
    unsigned out_len;
    u8 in[IN_BUFFER]; /* typed, not yet taken by the guest */
    unsigned in_len;
    bool escape; /* Ctrl-a was typed */
};

struct runner {
    const struct config *cfg;
    struct pc *pc;
    struct port port[PORTS];
    struct nets nets;
    struct display *display; /* -display terminal, on PORT_KEYS; or NULL */
    struct script *script;   /* or NULL */
    struct find *find;       /* or NULL */
    struct tape said[TAPES]; /* without a script */
    struct control control;
    struct window *window; /* -display sdl; or NULL */
    struct audio *audio;   /* or NULL */
    bool paused;           /* in the window */
    struct monitor monitor;
    bool in_monitor, quit;
    bool begun;                   /* else there is nothing to report */
    bool lost;                    /* quit, because there is no display any more */
    u64 started;                  /* host time         */
    u64 quiet_since, halted_then; /* guest time of the last output, and pc_time_halted() then */
};

/* --- output --- */

static void port_flush(struct port *p)
{
    if (p->out_len && p->dev)
        chardev_write(p->dev, p->out, p->out_len);
    p->out_len = 0;
}

static void port_put(void *ctx, u8 byte)
{
    struct port *p = ctx;
    struct runner *r = p->r;

    if (r->find || control_replays(&r->control))
        return;
    if (r->script)
        script_output(r->script, (unsigned)(p - r->port), byte);
    else if (!p->dev || !chardev_is_stdio(p->dev)) /* there it can be read already */
        tape_put(&r->said[p - r->port], byte);
    p->out[p->out_len++] = byte;
    if (p->out_len == OUT_BUFFER)
        port_flush(p);
}

static void mark_active(struct runner *r)
{
    r->quiet_since = pc_time(r->pc);
    r->halted_then = pc_time_halted(r->pc);
}

static void flush_all(struct runner *r)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (r->port[i].out_len)
            mark_active(r);
        port_flush(&r->port[i]);
    }
}

/* --- input --- */

static void deliver(struct port *p, u8 byte)
{
    if (p->in_len < IN_BUFFER)
        p->in[p->in_len++] = byte;
}

/* To the monitor and back; a screen makes room for it. */
static void toggle_monitor(struct port *p)
{
    struct runner *r = p->r;

    r->in_monitor = !r->in_monitor;
    if (r->in_monitor && r->display)
        display_suspend(r->display);
    if (r->in_monitor)
        monitor_start(&r->monitor, p->dev, "Ctrl-a c");
    else if (r->display)
        display_resume(r->display);
    else
        monitor_print(p->dev, "\n");
}

static void on_escape(struct port *p, u8 byte)
{
    struct runner *r = p->r;
    bool no_monitor = strcmp(config_text(r->cfg, CONFIG_monitor), "none") == 0;

    switch (byte) {
    case CTRL_A:
        deliver(p, CTRL_A);
        break;
    case 'x':
        r->quit = true;
        break;
    case 'd':
        if (r->display)
            display_ctrl_alt_del(r->display);
        break;
    case 'c':
        if (!no_monitor)
            toggle_monitor(p);
        else if (!r->display)
            monitor_print(p->dev, "\nthere is no monitor (-monitor none)\n");
        break;
    default:
        if (r->display && !no_monitor && !r->in_monitor)
            toggle_monitor(p);
        if (!r->display || r->in_monitor)
            monitor_print(p->dev, chardev_keys_help);
        break;
    }
}

static void on_typed(struct port *p, u8 byte)
{
    struct runner *r = p->r;

    if (!chardev_is_stdio(p->dev)) {
        deliver(p, byte);
    } else if (p->escape) {
        p->escape = false;
        on_escape(p, byte);
    } else if (byte == CTRL_A) {
        p->escape = true;
    } else if (r->in_monitor) {
        r->quit = monitor_input(&r->monitor, p->dev, r->pc, byte) || r->quit;
    } else {
        deliver(p, byte);
    }
}

/* Whether to read more: a keyboard always, for its Ctrl-a; anything else can wait. */
static bool wants_input(const struct port *p)
{
    return p->in_len + READ_SIZE <= IN_BUFFER || chardev_is_keyboard(p->dev);
}

/* Take what was typed, and give the guest what it has room for. */
static void port_input(struct port *p, unsigned index)
{
    struct runner *r = p->r;
    u8 bytes[READ_SIZE];
    unsigned given = 0;

    while (wants_input(p)) {
        size_t n = chardev_read(p->dev, bytes, sizeof(bytes));
        for (size_t i = 0; i < n; i++)
            on_typed(p, bytes[i]);
        if (n < sizeof(bytes))
            break;
    }
    if (index == PORT_DEBUGCON || pc_deterministic(r->pc)) {
        p->in_len = 0; /* deterministic input comes from scripts, not from whoever types when */
        return;
    }
    if (index == PORT_KEYS) {
        if (p->in_len)
            display_typed(r->display, p->in, p->in_len, host_now());
        p->in_len = 0;
        display_press(r->display, r->pc, host_now());
        return;
    }
    while (given < p->in_len && pc_serial_ready(r->pc, index))
        pc_serial_input(r->pc, index, p->in[given++]);
    if (given)
        memmove(p->in, p->in + given, p->in_len - given);
    p->in_len -= given;
}

static void input_all(struct runner *r)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (r->port[i].dev)
            port_input(&r->port[i], i);
    }
}

/* Sleep until @host_ns, input, or a signal. */
static void sleep_until(struct runner *r, u64 host_ns)
{
    struct pollfd fds[PORTS + CONTROL_FDS + POLL_MAX];
    nfds_t n = 0;
    u64 now = host_now();
    u64 ns = host_ns > now ? host_ns - now : 0;

    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &r->port[i];
        if (p->dev && wants_input(p) && chardev_poll(p->dev, &fds[n]))
            n++;
    }
    if (ns > (u64)MAX_SLEEP_MS * 1000000)
        ns = (u64)MAX_SLEEP_MS * 1000000;
    if (r->display && display_wake_time(r->display) < now + ns) {
        u64 wake = display_wake_time(r->display);
        ns = wake > now ? wake - now : 0;
    }
    if (r->window && window_wake_time(r->window) < now + ns) {
        u64 wake = window_wake_time(r->window);
        ns = wake > now ? wake - now : 0;
    }
    n += control_poll(&r->control, fds + n);
    n += nets_poll(&r->nets, fds + n, PORTS + CONTROL_FDS + POLL_MAX - n, &ns);
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    if (n == 0) {
        nanosleep(&t, NULL);
        return;
    }
    /* poll() counts milliseconds: too coarse for a timer tick, so its last one is slept. */
    int ms = (int)(ns / 1000000);
    if (poll(fds, n, ms) == 0) {
        t = (struct timespec){.tv_nsec = (long)(ns % 1000000)};
        nanosleep(&t, NULL);
    }
}

/* --- the loop --- */

static bool all_taken(struct runner *r)
{
    bool all = true;

    for (unsigned i = 0; i < PORTS; i++)
        all = (!r->port[i].dev || chardev_flush(r->port[i].dev)) && all;
    return all;
}

/* Give whoever is slow to read a moment; input and signals end it. */
static void wait_for_output(struct runner *r)
{
    struct pollfd fds[2 * PORTS];
    nfds_t n = 0;

    for (unsigned i = 0; i < PORTS; i++) {
        struct port *p = &r->port[i];
        if (p->dev && chardev_poll_output(p->dev, &fds[n]))
            n++;
        if (p->dev && wants_input(p) && chardev_poll(p->dev, &fds[n]))
            n++;
    }
    poll(fds, n, OUTPUT_WAIT_MS);
}

static bool input_ended(const struct runner *r)
{
    for (unsigned i = 0; i < PC_SERIALS; i++) {
        const struct port *p = &r->port[i];
        if (p->dev && (!chardev_ended(p->dev) || p->in_len))
            return false;
    }
    return true;
}

/* Whether the guest has printed nothing for @idle ns, and was halted for most of them. */
static bool is_idle(struct runner *r, u64 idle)
{
    u64 quiet = pc_time(r->pc) - r->quiet_since;

    if (quiet < idle)
        return false;
    bool halted = pc_time_halted(r->pc) - r->halted_then > quiet / 4 * 3;
    if (!halted)
        mark_active(r); /* it computes: that is not idle */
    return halted;
}

/* A limit of the host's is reached: *@status is the exit status. */
static bool limit_reached(struct runner *r, u64 now, int *status)
{
    u64 wall = config_num(r->cfg, CONFIG_wall_timeout);
    u64 idle = config_num(r->cfg, CONFIG_idle_exit);

    if (signals_caught()) {
        *status = EXIT_CODE_SIGNAL + signals_caught();
        return true;
    }
    if (r->script && script_orphaned(r->script)) {
        *status = EXIT_CODE_SCRIPT;
        return true;
    }
    if (r->quit) {
        *status = r->lost ? EXIT_CODE_HOST : EXIT_CODE_OK;
        return true;
    }
    if (wall && now - r->started >= wall) {
        fprintf(stderr, "turbo86: the wall timeout is over\n");
        *status = EXIT_CODE_WALL_TIMEOUT;
        return true;
    }
    if (idle && input_ended(r) && is_idle(r, idle)) {
        *status = EXIT_CODE_OK;
        return true;
    }
    return false;
}

/* The guest waits until the host has taken what it printed. False: a limit came first. */
static bool deliver_output(struct runner *r, int *status)
{
    flush_all(r);
    while (!all_taken(r)) {
        if (limit_reached(r, host_now(), status))
            return false;
        wait_for_output(r);
        input_all(r);
    }
    return true;
}

/* The machine has stopped for good. */
static int end_of_run(struct runner *r, enum pc_stop stop)
{
    int status = ending_status(r->pc, stop);

    control_ended(&r->control, stop, status);
    return r->script ? script_stopped(r->script, r->pc, stop, status) : status;
}

static void look_at_window(struct runner *r, bool stopped)
{
    if (!r->window)
        return;
    enum window_wish wish = window_update(r->window, r->pc, host_now(), stopped);
    r->paused = wish == WINDOW_PAUSE;
    r->quit = r->quit || wish == WINDOW_QUIT || wish == WINDOW_LOST;
    r->lost = wish == WINDOW_LOST;
    if (r->lost)
        fprintf(stderr, "turbo86: the display is gone; what the guest wrote is on its disks\n");
}

/* Somebody holds the machine. */
static bool is_held(const struct runner *r)
{
    return pc_is_off(r->pc) || r->in_monitor || r->paused || control_holds(&r->control, r->pc);
}

static int run(struct runner *r)
{
    int status;

    r->started = host_now();
    for (;;) {
        u64 now = host_now();
        bool held = is_held(r);
        enum pc_stop stop = held ? PC_STOP_IDLE : pc_run(r->pc, now);
        if (!deliver_output(r, &status))
            return status;
        bool stays =
            stop == PC_STOP_POWER_OFF && config_flag(r->cfg, CONFIG_no_shutdown) && !r->script;
        if (stop != PC_STOP_SLICE && stop != PC_STOP_IDLE && stop != PC_STOP_DEBUG && !stays)
            return end_of_run(r, stop);
        if (r->script && pc_poll_due(r->pc) && script_poll(r->script, r->pc, &status))
            return status;
        input_all(r);
        r->quit = !control_update(&r->control, r->pc, stop) || r->quit;
        bool news = nets_exchange(&r->nets, r->pc);
        if (r->display)
            display_draw(r->display, r->pc, host_now());
        look_at_window(r, pc_is_off(r->pc) || pc_is_held(r->pc) || r->in_monitor);
        if (limit_reached(r, host_now(), &status))
            return status;
        bool released = held && !is_held(r); /* a debugger that steps waits for it */
        if (stop == PC_STOP_IDLE && !news && !released)
            sleep_until(r, held ? now + 50000000 : pc_wake_time(r->pc));
    }
}

/* --- before and after --- */

static bool terminal_is_free(const struct runner *r)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (r->port[i].dev && chardev_is_stdio(r->port[i].dev))
            return false;
    }
    return true;
}

static bool open_port(struct runner *r, unsigned i, const char *spec)
{
    char error[CHARDEV_ERROR_MAX];
    struct port *p = &r->port[i];

    if (strstr(spec, "stdio") && !terminal_is_free(r)) {
        fprintf(stderr, "turbo86: only one port can have the terminal\n");
        return false;
    }
    if (chardev_open(&p->dev, spec, error) == STATUS_OK)
        return true;
    const char *other = i == PORT_KEYS ? "display" : "serial";
    fprintf(stderr, "turbo86: -%s: %s\n", i == PORT_DEBUGCON ? "debugcon" : other, error);
    return false;
}

/* The terminal shows the screen if asked to, or if nothing else wants it and it is one. */
static bool wants_display(const struct runner *r)
{
    const char *display = config_text(r->cfg, CONFIG_display);

    if (config_flag(r->cfg, CONFIG_nographic))
        return false;
    if (r->cfg->value[CONFIG_display].set)
        return strcmp(display, "terminal") == 0;
    return terminal_is_free(r) && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static bool open_display(struct runner *r)
{
    if (!open_port(r, PORT_KEYS, "stdio"))
        return false;
    r->display = display_open(r->port[PORT_KEYS].dev);
    if (!r->display)
        fprintf(stderr, "turbo86: out of memory\n");
    return r->display;
}

/* Without -serial the first port is on the terminal: there is no window to put it in. */
static bool open_ports(struct runner *r)
{
    const struct config_value *serial = &r->cfg->value[CONFIG_serial];
    const char *debugcon = config_text(r->cfg, CONFIG_debugcon);

    if (serial->count > PC_SERIALS) {
        fprintf(stderr, "turbo86: -serial: the machine has %u serial ports\n", PC_SERIALS);
        return false;
    }
    if (debugcon && !open_port(r, PORT_DEBUGCON, debugcon))
        return false;
    for (unsigned i = 0; i < serial->count; i++) {
        if (!open_port(r, i, serial->list[i]))
            return false;
    }
    if (!window_choose(&r->window, r->cfg))
        return false;
    if (r->window || wants_display(r))
        return r->window || open_display(r);
    bool headless = r->cfg->value[CONFIG_display].set && !config_flag(r->cfg, CONFIG_nographic);
    if (serial->count == 0 && !headless && terminal_is_free(r))
        return open_port(r, 0, "stdio");
    return true;
}

static void close_ports(struct runner *r)
{
    display_close(r->display);
    r->display = NULL;
    window_close(r->window);
    r->window = NULL;
    for (unsigned i = 0; i < PORTS; i++) {
        chardev_close(r->port[i].dev);
        r->port[i].dev = NULL;
    }
}

static bool describe_host(struct runner *r, struct pc_host *host)
{
    memset(host, 0, sizeof(*host));
    for (unsigned i = 0; i < PC_SERIALS; i++)
        host->serial[i] = (struct pc_output){port_put, &r->port[i]};
    if (r->port[PORT_DEBUGCON].dev)
        host->debugcon = (struct pc_output){port_put, &r->port[PORT_DEBUGCON]};
    if (r->audio)
        host->sound = (struct pc_sound){audio_put, r->audio};
    host_time_of_day(host);
    return nets_open(&r->nets, r->cfg, host);
}

/* Files lose what they held only now: a mistake in the command line changes nothing. */
static bool begin_files(struct runner *r)
{
    r->begun = pc_begin(r->pc) && nets_begin(&r->nets) && audio_begin(r->audio);
    for (unsigned i = 0; r->begun && i < PORTS; i++)
        r->begun = chardev_begin(r->port[i].dev);
    return r->begun;
}

static int build_and_run(struct runner *r)
{
    char error[PC_ERROR_MAX] = "";
    struct pc_host host;

    if (!report_check(r->cfg))
        return EXIT_CODE_USAGE;
    if (!script_open(&r->script, r->cfg, error) || !find_open(&r->find, r->cfg, error)) {
        fprintf(stderr, "turbo86: %s\n", error);
        return EXIT_CODE_USAGE;
    }
    if (!control_open(&r->control, r->cfg) || !open_ports(r) ||
        !audio_choose(&r->audio, r->cfg, r->window) || !describe_host(r, &host))
        return EXIT_CODE_USAGE;
    enum status s = pc_create(&r->pc, r->cfg, &host, error);
    if (s != STATUS_OK) {
        close_ports(r); /* the terminal is needed for the message */
        fprintf(stderr, "turbo86: %s\n", *error ? error : status_text(s));
        return s == STATUS_NO_MEMORY || s == STATUS_IO ? EXIT_CODE_HOST : EXIT_CODE_USAGE;
    }
    if (!report_check(r->cfg) || /* again: drives have their images now */
        !control_attach(&r->control, r->cfg, r->pc, terminal_is_free(r)) ||
        !recording_begin(r->cfg, r->pc) ||
        !sandbox_start(r->cfg, r->find ? find_script(r->find) : r->script, r->window) ||
        !begin_files(r))
        return EXIT_CODE_USAGE;
    if (!r->find) /* which nothing has to follow */
        signals_catch();
    if (r->script)
        pc_set_poll(r->pc, SCRIPT_POLL_NS);
    int status = r->find ? find_run(r->find, r->pc) : run(r);
    bool wanted = signals_caught() || r->quit;
    return r->script ? script_ended(r->script, r->pc, status, wanted) : status;
}

int runner_main(const struct config *cfg)
{
    struct runner *r = calloc(1, sizeof(*r));
    int status;

    if (!r) {
        fprintf(stderr, "turbo86: out of memory\n");
        return EXIT_CODE_HOST;
    }
    r->cfg = cfg;
    for (unsigned i = 0; i < PORTS; i++)
        r->port[i].r = r;
    status = build_and_run(r);
    if (r->begun && !r->script && !r->find && !r->window && !r->display)
        ending_tell(cfg, r->pc, r->said, status);
    close_ports(r);
    nets_close(&r->nets);
    signals_release(); /* whoever sends another one does not want the report */
    if (r->begun)
        status = recording_end(r->cfg, r->pc, report(r->cfg, r->pc, status));
    for (unsigned i = 0; i < TAPES; i++)
        tape_free(&r->said[i]);
    control_close(&r->control);
    pc_destroy(r->pc);
    script_close(r->script);
    find_close(r->find);
    if (!audio_close(r->audio))
        status = EXIT_CODE_HOST;
    free(r);
    return status;
}

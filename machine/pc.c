/* SPDX-License-Identifier: MIT */
/* The board as a whole: creating it in stages, reset, state hash, and what frontends ask for. */
#include "machine/pc.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/outfile.h"
#include "machine/board.h"
#include "machine/check.h"
#include "machine/config_files.h"
#include "machine/journal_private.h"
#include "machine/snapshot.h"
#include "machine/speed.h"

#define RAM_MIN (1ull << 20)
#define RAM_MAX (3ull << 30)

/* Timers whose names begin so belong to the host's limits and are no state of the guest. */
#define HOST_TIMER_PREFIX "host:"

enum status pc_fail(struct pc *pc, enum status s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(pc->error, PC_ERROR_MAX, fmt, ap);
    va_end(ap);
    return s;
}

void pc_request_stop(struct pc *pc, enum pc_stop stop)
{
    if (!pc->stopping) {
        pc->stopping = true;
        pc->stop = stop;
    }
    clock_stop(&pc->clock);
}

enum status pc_add_chip(struct pc *pc, const struct device_class *class, void *dev)
{
    if (pc->chips == PC_CHIPS_MAX) {
        class->destroy(dev);
        return STATUS_NO_MEMORY;
    }
    pc->chip[pc->chips++] = (struct pc_chip){class, dev};
    return STATUS_OK;
}

/* --- what the CPU asks the board --- */

void pc_look_on(const struct pc *pc, enum pc_access kind, u64 at, u64 val, unsigned size)
{
    if (pc->tap.fn)
        pc->tap.fn(pc->tap.ctx, kind, at, val, size);
}

static u32 bus_in(void *ctx, u16 port, enum width w)
{
    struct pc *pc = ((struct pc_node *)ctx)->pc;
    u32 val = ioport_read(pc->io, port, w);

    pc_look_on(pc, PC_ACCESS_IN, port, val, 1u << w);
    return val;
}

static void bus_out(void *ctx, u16 port, u32 val, enum width w)
{
    struct pc *pc = ((struct pc_node *)ctx)->pc;

    pc_look_on(pc, PC_ACCESS_OUT, port, val, 1u << w);
    ioport_write(pc->io, port, val, w);
}

static void bus_ferr(void *ctx, bool level)
{
    portf0_set_ferr(((struct pc_node *)ctx)->pc->portf0, level);
}

static enum status create_cpu(struct pc *pc)
{
    const char *model = config_text(pc->cfg, CONFIG_cpu);
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < PC_CPUS; i++) {
        struct cpu_desc desc = {
            .clock = &pc->clock,
            .physmem = pc->physmem,
            .model = model,
            .bus = {&pc->node[i], bus_in, bus_out, pc_bus_inta, bus_ferr, pc_bus_apic_base,
                    pc_bus_set_apic_base},
            .number = i,
        };
        pc->node[i] = (struct pc_node){.pc = pc, .number = i};
        s = cpu_create(&pc->cpu[i], &desc);
        if (s == STATUS_OK)
            pc->cpus++;
    }
    if (s == STATUS_NOT_FOUND)
        return pc_fail(pc, s, "-cpu: there is no model '%.60s'; -cpu help lists them", model);
    return s;
}

static bool checks(const struct config *cfg)
{
    return strcmp(config_text(cfg, CONFIG_jit), "check") == 0;
}

enum status pc_create_jit(struct pc *pc)
{
    const char *how = config_text(pc->cfg, CONFIG_jit);
    struct jit_desc d = {
        .cpu = pc->cpu[0],
        .physmem = pc->physmem,
        .engine = strcmp(how, "eval") == 0 ? JIT_EVAL : JIT_HOST,
        .cache_bytes = config_num(pc->cfg, CONFIG_jit_cache_size),
        .threshold = (u32)config_num(pc->cfg, CONFIG_jit_threshold),
        .count = config_flag(pc->cfg, CONFIG_stats),
        .perf_map = config_text(pc->cfg, CONFIG_perf_map),
    };

    if (pc->interprets)
        return STATUS_OK;
    if (checks(pc->cfg) && !jit_supported())
        return pc_fail(pc, STATUS_UNSUPPORTED,
                       "-jit check: there is no translator to this host's code");
    if (strcmp(how, "off") == 0 || (d.engine == JIT_HOST && !jit_supported()))
        return STATUS_OK;
    switch (jit_create(&pc->jit, &d)) {
    case STATUS_OK:
        return STATUS_OK;
    case STATUS_BAD_SIZE:
        return pc_fail(pc, STATUS_BAD_VALUE, "-jit-cache-size: '%.40s' is not between 256K and 1G",
                       config_text(pc->cfg, CONFIG_jit_cache_size));
    case STATUS_NO_FILE:
        return pc_fail(pc, STATUS_NO_FILE, "-perf-map: cannot write '%.200s': %s", d.perf_map,
                       outfile_why(errno));
    case STATUS_UNSUPPORTED:
        return pc_fail(pc, STATUS_UNSUPPORTED,
                       "the host gives no memory for translated code; -jit off runs without it");
    default:
        return STATUS_NO_MEMORY;
    }
}

/* --- life --- */

bool pc_begin(struct pc *pc)
{
    if (!log_begin())
        return false;
    if (jit_begin(pc->jit))
        return true;
    fprintf(stderr, "turbo86: -perf-map: cannot write '%s': %s\n",
            config_text(pc->cfg, CONFIG_perf_map), outfile_why(errno));
    return false;
}

static void on_timeout(void *dev, u32 arg)
{
    (void)arg;
    pc_request_stop(dev, PC_STOP_TIMEOUT);
}

static void on_poll(void *dev, u32 arg)
{
    struct pc *pc = dev;

    (void)arg;
    pc->poll_due = pc->look = true;
    clock_arm(&pc->clock, pc->poll_timer, (clock_now(&pc->clock) / pc->poll_ns + 1) * pc->poll_ns);
}

void pc_set_poll(struct pc *pc, u64 ns)
{
    if (pc->twin)
        pc_set_poll(pc->twin, ns);
    pc->poll_ns = ns;
    clock_arm(&pc->clock, pc->poll_timer, (clock_now(&pc->clock) / ns + 1) * ns);
}

void pc_stop_at(struct pc *pc, u64 retired)
{
    pc->stop_at = retired;
}

bool pc_poll_due(struct pc *pc)
{
    bool due = pc->poll_due;

    pc->poll_due = false;
    return due;
}

void pc_time_jumped(struct pc *pc, u64 before)
{
    u64 limit = clock_deadline(&pc->clock, pc->timeout_timer);
    u64 left = limit > before ? limit - before : 0;

    if (limit != CLOCK_NEVER)
        clock_arm(&pc->clock, pc->timeout_timer, clock_now(&pc->clock) + left);
    if (pc->poll_ns)
        pc_set_poll(pc, pc->poll_ns);
    pc->pacer.started = pc->slept = false;
}

static enum status create_timers(struct pc *pc)
{
    u64 timeout = config_num(pc->cfg, CONFIG_timeout);
    enum status s =
        clock_add(&pc->clock, HOST_TIMER_PREFIX "timeout", on_timeout, pc, 0, &pc->timeout_timer);

    if (s == STATUS_OK)
        s = clock_add(&pc->clock, HOST_TIMER_PREFIX "poll", on_poll, pc, 0, &pc->poll_timer);
    if (s == STATUS_OK && timeout)
        clock_arm(&pc->clock, pc->timeout_timer, timeout);
    return s;
}

static enum status create_basics(struct pc *pc)
{

    pc->ram_bytes = config_num(pc->cfg, CONFIG_memory);
    if (pc->ram_bytes < RAM_MIN || pc->ram_bytes > RAM_MAX || pc->ram_bytes % PAGE_SIZE)
        return pc_fail(pc, STATUS_BAD_VALUE, "%s: '%.40s' is not between 1M and 3G in steps of 4K",
                       config_typed(pc->cfg, CONFIG_memory), config_text(pc->cfg, CONFIG_memory));
    pc->deterministic = config_flag(pc->cfg, CONFIG_deterministic) || checks(pc->cfg);
    clock_init(&pc->clock,
               pc->deterministic ? config_num(pc->cfg, CONFIG_ns_per_insn) : CLOCK_RATIO_DEFAULT);
    pacer_init(&pc->pacer);
    size_t video = pc_has_cirrus(pc) ? VGA_VRAM_CIRRUS : VGA_VRAM_DEFAULT;
    if (!speed_parse(config_text(pc->cfg, CONFIG_speed), &pc->speed))
        return pc_fail(pc, STATUS_BAD_VALUE, "-speed: '%.40s' is not %s",
                       config_text(pc->cfg, CONFIG_speed), speed_names);
    if (pc->speed && pc->deterministic && !config_text(pc->cfg, CONFIG_replay))
        return pc_fail(pc, STATUS_CONFLICT,
                       "-speed is measured in the host's time, which a deterministic run has not");
    pacer_limit(&pc->pacer, pc->speed);
    if (physmem_create_video(&pc->physmem, pc->ram_bytes, video) != STATUS_OK)
        return pc_fail(pc, STATUS_NO_MEMORY, "the host has no %u MiB of memory for the guest",
                       (unsigned)(pc->ram_bytes >> 20));
    pc->io = ioport_create();
    if (!pc->io)
        return STATUS_NO_MEMORY;
    return create_timers(pc);
}

/* Power on, or go on from -loadvm FILE. */
static enum status begin(struct pc *pc)
{
    const char *snapshot = config_text(pc->cfg, CONFIG_loadvm);
    char error[PC_ERROR_MAX] = "";

    pc_reset(pc);
    if (!snapshot || !*snapshot)
        return STATUS_OK;
    enum status s = pc_snapshot_load(pc, snapshot, error);
    return s == STATUS_OK ? s : pc_fail(pc, s, "-loadvm: %.*s", PC_ERROR_MAX - 12, error);
}

static enum status build(struct pc **out, const struct config *cfg, const struct pc_host *host,
                         bool interprets, char error[PC_ERROR_MAX])
{
    static enum status (*const stage[])(struct pc *) = {
        create_basics,   pc_load_firmware, pc_open_disks,    create_cpu, pc_create_jit,
        pc_create_chips, pc_fill_cmos,     pc_create_typist, begin,      pc_start_typing,
    };
    enum status s = STATUS_OK;
    struct pc *pc = calloc(1, sizeof(*pc));

    error[0] = 0;
    if (!pc)
        return STATUS_NO_MEMORY;
    pc->cfg = cfg;
    pc->interprets = interprets;
    pc->host = *host;
    pc->error = error;
    for (unsigned i = 0; s == STATUS_OK && i < ARRAY_LEN(stage); i++)
        s = stage[i](pc);
    if (s != STATUS_OK) {
        pc_destroy(pc);
        return s;
    }
    pc->error = NULL;
    *out = pc;
    return STATUS_OK;
}

enum status pc_create_twin(struct pc **out, const struct config *cfg, const struct pc_host *host,
                           char error[PC_ERROR_MAX])
{
    return build(out, cfg, host, true, error);
}

enum status pc_create(struct pc **out, const struct config *cfg, const struct pc_host *host,
                      char error[PC_ERROR_MAX])
{
    struct pc *pc;
    enum status s = build(&pc, cfg, host, false, error);

    if (s != STATUS_OK)
        return s;
    if (checks(cfg))
        s = check_create(&pc->check, pc, error);
    if (s == STATUS_OK)
        *out = pc;
    else
        pc_destroy(pc);
    return s;
}

void pc_destroy(struct pc *pc)
{
    if (!pc)
        return;
    check_destroy(pc->check);
    free(pc->debugger);
    journal_free(pc->journal);
    typist_destroy(pc->typist);
    for (unsigned i = pc->chips; i-- > 0;)
        pc->chip[i].class->destroy(pc->chip[i].dev);
    speaker_destroy(pc->speaker);
    sound_destroy(pc->sound);
    jit_destroy(pc->jit);
    for (unsigned i = 0; i < pc->cpus; i++)
        cpu_destroy(pc->cpu[i]);
    apic_bus_destroy(pc->apic_bus);
    pc_close_disks(pc);
    if (pc->io)
        ioport_destroy(pc->io);
    if (pc->physmem)
        physmem_destroy(pc->physmem);
    fw_free(&pc->fw);
    free(pc->bios);
    free(pc->vga_bios);
    free(pc);
}

void pc_reset(struct pc *pc)
{
    if (!journal_numbers(pc, JOURNAL_RESET, 0, 0, 0))
        return;
    pc_reset_board(pc);
    if (pc->twin)
        pc_reset_board(pc->twin);
}

void pc_reset_board(struct pc *pc)
{
    pc->reset_wanted = pc->off = false;
    pc->breaks++;
    if (pc->resets++ == 1 && *pc->boot.once)
        pc_set_boot_order(pc, pc->boot.order);
    for (unsigned i = 0; i < pc->chips; i++)
        pc->chip[i].class->reset(pc->chip[i].dev);
    for (unsigned i = 0; i < pc->cpus; i++)
        cpu_reset(pc->cpu[i], false);
}

bool pc_power_button(struct pc *pc)
{
    if (!journal_numbers(pc, JOURNAL_POWER, 0, 0, 0))
        return false;
    if (pc->twin)
        (void)pc_power_button(pc->twin);
    return pc->pm && piix4_pm_power_button(pc->pm);
}

bool pc_serial_ready(const struct pc *pc, unsigned port)
{
    return uart16550_can_receive(pc->uart[port]);
}

void pc_serial_input(struct pc *pc, unsigned port, u8 byte)
{
    if (!journal_numbers(pc, JOURNAL_SERIAL, port, byte, 0))
        return;
    if (!uart16550_receive(pc->uart[port], byte))
        log_guest(UART, "com%u: no room for a byte", port + 1);
    if (pc->twin)
        pc_serial_input(pc->twin, port, byte);
}

void pc_set_turbo(struct pc *pc, bool on)
{
    pacer_limit(&pc->pacer, on ? 0 : pc->speed);
}

bool pc_set_speed(struct pc *pc, const char *text)
{
    if (!speed_parse(text, &pc->speed))
        return false;
    pc_set_turbo(pc, false);
    return true;
}

bool pc_is_limited(const struct pc *pc)
{
    return pc->pacer.slowest;
}

u64 pc_time(const struct pc *pc)
{
    return clock_now(&pc->clock);
}

u64 pc_retired(const struct pc *pc)
{
    return clock_retired(&pc->clock);
}

bool pc_may_write(const struct pc *pc, const char *path, char error[PC_ERROR_MAX])
{
    static_assert(CONFIG_FILES_ERROR_MAX <= PC_ERROR_MAX, "the sentence fits");

    return config_may_write(pc->cfg, path, CONFIG__COUNT, error);
}

u64 pc_resets(const struct pc *pc)
{
    return pc->resets;
}

u64 pc_breaks(const struct pc *pc)
{
    return pc->breaks;
}

bool pc_is_off(const struct pc *pc)
{
    return pc->off;
}

void pc_set_held(struct pc *pc, bool held)
{
    pc->held = held;
}

bool pc_is_held(const struct pc *pc)
{
    return pc->held;
}

u64 pc_time_halted(const struct pc *pc)
{
    return pc->slept_ns;
}

bool pc_deterministic(const struct pc *pc)
{
    return pc->deterministic;
}

const char *pc_check_report(const struct pc *pc)
{
    return pc->check ? check_report(pc->check) : pc->journal ? pc->journal->report : "";
}

int pc_exit_status(const struct pc *pc)
{
    return pc->exit_status;
}

/* --- looking inside --- */

static void hash_sink(void *ctx, const void *bytes, size_t n)
{
    XXH64_update(ctx, bytes, n);
}

bool pc_is_host_timer(const struct clock_timer *t)
{
    return strncmp(t->name, HOST_TIMER_PREFIX, strlen(HOST_TIMER_PREFIX)) == 0;
}

static void hash_clock(const struct clock *c, XXH64_state_t *x)
{
    u64 head[3] = {clock_retired(c), clock_now(c), c->ratio};

    XXH64_update(x, head, sizeof(head));
    for (unsigned i = 0; i < c->timer_count; i++) {
        const struct clock_timer *t = &c->timer[i];
        if (pc_is_host_timer(t))
            continue;
        XXH64_update(x, t->name, strlen(t->name) + 1);
        XXH64_update(x, &t->deadline, sizeof(t->deadline));
    }
}

u64 pc_state_hash(struct pc *pc)
{
    XXH64_state_t *x = XXH64_createState();
    u64 hash;

    if (!x)
        return 0;
    XXH64_reset(x, 0);
    for (unsigned i = 0; i < pc->cpus; i++) {
        cpu_canonicalize(pc->cpu[i]);
        fields_save(cpu_fields, pc->cpu[i], hash_sink, x);
    }
    for (unsigned i = 0; i < pc->chips; i++)
        fields_save(pc->chip[i].class->fields, pc->chip[i].dev, hash_sink, x);
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (pc->disk[i])
            block_save(pc->disk[i], hash_sink, x);
    }
    XXH64_update(x, physmem_ram(pc->physmem), physmem_ram_size(pc->physmem));
    hash_clock(&pc->clock, x);
    hash = XXH64_digest(x);
    XXH64_freeState(x);
    return hash;
}

void pc_dump_registers(const struct pc *pc, char *text, size_t size)
{
    cpu_dump(pc->cpu[0], text, size);
}

void pc_dump_stats(const struct pc *pc, char *text, size_t size)
{
    u64 ns = clock_now(&pc->clock);

    snprintf(text, size,
             "instructions  %llu\n"
             "guest time    %llu.%09llu s\n"
             "slices        %llu\n"
             "resets        %llu\n",
             (unsigned long long)clock_retired(&pc->clock),
             (unsigned long long)(ns / CLOCK_NS_PER_SEC),
             (unsigned long long)(ns % CLOCK_NS_PER_SEC), (unsigned long long)pc->slices,
             (unsigned long long)pc->resets - 1);
    size_t used = strlen(text);
    pc_dump_jit(pc, text + used, size - used);
}

void pc_dump_jit(const struct pc *pc, char *text, size_t size)
{
    *text = 0;
    if (pc->jit)
        jit_stats(pc->jit, text, size);
}

void pc_cpu_models(void (*print)(void *ctx, const char *name, const char *text), void *ctx)
{
    cpu_models_help(print, ctx);
}

/* SPDX-License-Identifier: MIT */
#include "tests/jit/fuzz_machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "jit/jit.h"
#include "mmu/physmem.h"

/* --- engines --- */

/* Half of all pairs of segments are further apart than ARM64's branches reach. Memory that nobody
 * touches costs nothing, but under qemu-user. */
#define FAR_CACHE ((size_t)256 << 20)

static bool jit_attach(struct fuzz_machine *m, enum jit_engine engine, u32 threshold, size_t cache)
{
    struct jit_desc d = {
        .cpu = m->cpu,
        .physmem = m->pm,
        .engine = engine,
        .threshold = threshold,
        .cache_bytes = cache,
        .scattered = cache == FAR_CACHE,
    };

    return jit_create(&m->jit, &d) == STATUS_OK;
}

static bool attach_eval(struct fuzz_machine *m)
{
    return jit_attach(m, JIT_EVAL, 1, 0);
}

static bool attach_jit(struct fuzz_machine *m)
{
    return jit_attach(m, JIT_HOST, 1, JIT_CACHE_MIN);
}

static bool attach_warm(struct fuzz_machine *m)
{
    return jit_attach(m, JIT_HOST, 4, 0);
}

static bool attach_hot(struct fuzz_machine *m)
{
    return jit_attach(m, JIT_HOST, 6, JIT_CACHE_MIN);
}

static bool attach_far(struct fuzz_machine *m)
{
    return jit_attach(m, JIT_HOST, 2, FAR_CACHE);
}

static void detach_jit(struct fuzz_machine *m)
{
    jit_destroy(m->jit);
}

const struct fuzz_engine fuzz_engines[FUZZ_ENGINES] = {
    {"interp", "the interpreter", NULL, NULL, false},
    {"split", "the interpreter in short slices", NULL, NULL, true},
    {"eval", "the evaluator of the intermediate form", attach_eval, detach_jit, false},
    {"jit", "host code, from the first time on, in a small cache", attach_jit, detach_jit, false},
    {"warm", "host code of what was interpreted some times", attach_warm, detach_jit, true},
    {"hot", "the same in a small cache, for as long as it can", attach_hot, detach_jit, false},
    {"far", "host code in blocks that are far apart", attach_far, detach_jit, false},
};

/* --- the device, ports and interrupts: all of them see the time --- */

static u32 device_asked(struct fuzz_machine *m, u64 what)
{
    u64 now = clock_retired(&m->clock);

    m->device_hash = (m->device_hash ^ what ^ now << 32) * 0x9e3779b97f4a7c15u;
    return (u32)now;
}

static void device_told(struct fuzz_machine *m, u64 what)
{
    device_asked(m, ~what);
    clock_arm(&m->clock, m->timer, clock_now(&m->clock) + 1 + (what & 63));
}

static u64 device_read(void *dev, u64 off, unsigned size)
{
    return device_asked(dev, off << 4 | size) & width_mask(size == 1 ? W8 : size == 2 ? W16 : W32);
}

static void device_write(void *dev, u64 off, u64 val, unsigned size)
{
    device_told(dev, off << 40 | (u64)size << 36 | val);
}

static u32 port_in(void *ctx, u16 port, enum width w)
{
    return device_asked(ctx, (u64)port << 4 | w);
}

static void port_out(void *ctx, u16 port, u32 val, enum width w)
{
    device_told(ctx, (u64)port << 40 | (u64)w << 36 | val);
}

static u8 acknowledge(void *ctx)
{
    struct fuzz_machine *m = ctx;

    cpu_set_intr(m->cpu, false);
    return (u8)(0x20 + (m->vectors++ & 7));
}

/* Asks for an interrupt, at once. */
static void ferr(void *ctx, bool level)
{
    struct fuzz_machine *m = ctx;

    device_told(m, level);
    if (level)
        cpu_set_intr(m->cpu, true);
}

static void arm_next(struct fuzz_machine *m, u32 id, u32 mean)
{
    if (mean)
        clock_arm(&m->clock, id, clock_now(&m->clock) + 1 + fuzz_below(&m->events, 2 * mean));
}

static void on_timer(void *dev, u32 arg)
{
    struct fuzz_machine *m = dev;

    (void)arg;
    cpu_set_intr(m->cpu, true);
    arm_next(m, m->timer, m->program->timer);
}

static void on_nmi(void *dev, u32 arg)
{
    struct fuzz_machine *m = dev;

    (void)arg;
    cpu_nmi(m->cpu);
    arm_next(m, m->nmi, m->program->nmi);
}

/* A device writes some of the pool to a slot. */
static void on_dma(void *dev, u32 arg)
{
    struct fuzz_machine *m = dev;
    const struct gen_program *p = m->program;
    u32 from = p->pool + fuzz_below(&m->events, p->count - p->pool);
    u32 to = p->slots + fuzz_below(&m->events, p->pool - p->slots);
    u32 len = 1 + fuzz_below(&m->events, 2 * GEN_SLOT_BYTES);
    u8 bytes[2 * GEN_SLOT_BYTES];

    (void)arg;
    physmem_read(m->pm, GEN_CODE + p->start + p->at[from], bytes, len);
    physmem_write(m->pm, GEN_CODE + p->start + p->at[to], bytes, len);
    arm_next(m, m->dma, p->dma);
}

/* --- life --- */

static void must(enum status s)
{
    if (s != STATUS_OK) {
        fprintf(stderr, "the host has no room for a machine\n");
        exit(2);
    }
}

struct fuzz_machine *fuzz_machine_create(const struct gen_program *p,
                                         const struct fuzz_engine *engine)
{
    static const struct mmio_ops device = {device_read, device_write, 4};
    struct fuzz_machine *m = calloc(1, sizeof(*m));

    if (!m)
        must(STATUS_NO_MEMORY);
    struct cpu_desc desc = {
        .clock = &m->clock,
        .model = "max",
        .bus = {m, port_in, port_out, acknowledge, ferr},
    };
    clock_init(&m->clock, CLOCK_RATIO_DEFAULT);
    must(physmem_create(&m->pm, GEN_RAM));
    physmem_map_ram(m->pm, 0, GEN_RAM, 0);
    must(physmem_map_mmio(m->pm, GEN_DEVICE, PAGE_SIZE, &device, m));
    desc.physmem = m->pm;
    must(cpu_create(&m->cpu, &desc));
    must(clock_add(&m->clock, "timer", on_timer, m, 0, &m->timer));
    must(clock_add(&m->clock, "nmi", on_nmi, m, 0, &m->nmi));
    must(clock_add(&m->clock, "dma", on_dma, m, 0, &m->dma));
    m->engine = engine;
    m->program = p;
    m->events.state = p->event_seed;
    m->slices.state = p->slice_seed;
    gen_image(p, physmem_ram(m->pm));
    gen_start(p, m->cpu);
    arm_next(m, m->timer, p->timer);
    arm_next(m, m->nmi, p->nmi);
    arm_next(m, m->dma, p->dma);
    if (engine->attach && !engine->attach(m)) {
        m->engine = &fuzz_engines[0];
        fuzz_machine_destroy(m);
        return NULL;
    }
    return m;
}

void fuzz_machine_destroy(struct fuzz_machine *m)
{
    if (m->engine->detach)
        m->engine->detach(m);
    cpu_destroy(m->cpu);
    physmem_destroy(m->pm);
    free(m);
}

/* A halted CPU sleeps until something wakes it; nothing will if interrupts are off. */
static void sleep_until_event(struct fuzz_machine *m)
{
    u64 next = clock_next(&m->clock);

    if (!cpu_can_wake(m->cpu) || (next == CLOCK_NEVER && !m->cpu->intr_line)) {
        m->ended = true;
        return;
    }
    if (m->cpu->intr_line || m->cpu->nmi_latched)
        return;
    clock_skip(&m->clock, next);
    clock_fire(&m->clock);
}

void fuzz_machine_run(struct fuzz_machine *m, u64 until)
{
    while (!m->ended && clock_retired(&m->clock) < until) {
        u64 cap = until - clock_retired(&m->clock);
        if (m->engine->split && cap > 1) {
            u32 most = fuzz_one_in(&m->slices, 8) ? 400 : 9;
            cap = 1 + fuzz_below(&m->slices, cap < most ? (u32)cap : most);
        }
        clock_begin(&m->clock, cap);
        enum cpu_exit e = cpu_run(m->cpu);
        clock_fire(&m->clock);
        if (e == CPU_EXIT_SHUTDOWN)
            m->ended = true;
        else if (e == CPU_EXIT_HALTED)
            sleep_until_event(m);
    }
}

/* --- comparing --- */

/* Where a report goes; what it is about. */
struct report {
    FILE *out;
    const struct fuzz_machine *a, *b;
};

static bool differ(const struct report *r, const char *what, u64 a, u64 b)
{
    if (a == b)
        return false;
    if (r->out)
        fprintf(r->out, "%s: %" PRIx64 " with %s, %" PRIx64 " with %s\n", what, a,
                r->a->engine->name, b, r->b->engine->name);
    return true;
}

static bool fields_same(const struct field *f, const void *a, const void *b)
{
    for (; f->kind != FIELD_END_KIND; f++) {
        const u8 *x = (const u8 *)a + f->offset, *y = (const u8 *)b + f->offset;
        if (f->kind != FIELD_SUB && memcmp(x, y, (size_t)f->size * f->count) != 0)
            return false;
        for (u32 i = 0; f->kind == FIELD_SUB && i < f->count; i++) {
            if (!fields_same(f->sub, x + (size_t)i * f->size, y + (size_t)i * f->size))
                return false;
        }
    }
    return true;
}

/* Name the first that differs. */
static bool report_fields(const struct report *r, const struct field *f, const void *a,
                          const void *b, const char *prefix)
{
    char name[96];

    for (; f->kind != FIELD_END_KIND; f++) {
        const u8 *x = (const u8 *)a + f->offset, *y = (const u8 *)b + f->offset;
        for (u32 i = 0; i < f->count; i++, x += f->size, y += f->size) {
            if (f->kind == FIELD_SUB || memcmp(x, y, f->size) != 0)
                snprintf(name, sizeof(name), f->count > 1 ? "%s%s[%u]" : "%s%s", prefix, f->name,
                         i);
            if (f->kind == FIELD_SUB) {
                char sub[100];
                snprintf(sub, sizeof(sub), "%s.", name);
                if (report_fields(r, f->sub, x, y, sub))
                    return true;
            } else if (differ(r, name, load_le(x, f->size), load_le(y, f->size))) {
                return true;
            }
        }
    }
    return false;
}

static bool ram_differs(const struct report *r)
{
    const u8 *a = physmem_ram(r->a->pm), *b = physmem_ram(r->b->pm);
    char name[32];
    u32 at = 0;

    if (memcmp(a, b, GEN_RAM) == 0)
        return false;
    while (a[at] == b[at])
        at++;
    snprintf(name, sizeof(name), "byte at %x", at);
    return differ(r, name, a[at], b[at]);
}

bool fuzz_machine_same(struct fuzz_machine *a, struct fuzz_machine *b, bool ram, FILE *out)
{
    const struct report r = {out, a, b};

    cpu_canonicalize(a->cpu);
    cpu_canonicalize(b->cpu);
    return !differ(&r, "instructions", clock_retired(&a->clock), clock_retired(&b->clock)) &&
           !differ(&r, "ended", a->ended, b->ended) &&
           (fields_same(cpu_fields, a->cpu, b->cpu) ||
            !report_fields(&r, cpu_fields, a->cpu, b->cpu, "")) &&
           !differ(&r, "time", clock_now(&a->clock), clock_now(&b->clock)) &&
           !differ(&r, "device", a->device_hash, b->device_hash) && (!ram || !ram_differs(&r));
}

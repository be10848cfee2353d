/* SPDX-License-Identifier: MIT */
/* The engine's run loop, and what generated code calls. */
#include "jit/jit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "cpu/interp.h"
#include "cpu/interrupt.h"
#include "jit/jit_private.h"

#define THRESHOLD_DEFAULT 6u
#define NEVER             UINT32_MAX /* block.runs: cannot be translated */
/* Instructions: so often checks are looked at, at most. */
#ifndef TURBO86_TIGHT /* as in cpu/icache_private.h */
#define AGE_EVERY (1u << 20)
#else
#define AGE_EVERY 300u
#endif

typedef u32 enter_fn(struct cpu *cpu, const void *code);

/* --- called by generated code --- */

/* Code gets a part of what the clock has left, if the backend wants that. */
static i64 left_of(const struct cpu *cpu)
{
    return cpu->jit.budget + cpu->jit.rest;
}

static i64 chunk_of(const struct cpu *cpu)
{
    return ((const struct jit *)cpu->jit.jit)->chunk;
}

static void give_budget(struct cpu *cpu, i64 left, i64 most)
{
    cpu->jit.budget = (i32)(left < most ? left : most);
    cpu->jit.rest = left - cpu->jit.budget;
}

/* The clock sees the instruction as the interpreter would show it: everything before it retired. */
static const struct insn *begin_exec(struct cpu *cpu, struct jit_call *x)
{
    const struct jit_block *b = jit_owner(x, x->back);
    const struct insn *in = &b->insn[x->g];

    jit_fp_before(cpu->jit.jit, in);
    cpu->clock->left = left_of(cpu) + x->remaining;
    cpu->rip = (u32)(b->eip + x->off);
    cpu->next_rip = (u32)(cpu->rip + in->len);
    return in;
}

/* What the interpreter keeps, to where generated code keeps it, and back. */
static void enter_state(struct cpu *cpu)
{
    jit_returns_begin(cpu->jit.jit);
    jit_flags_in(cpu);
    cpu->jit.step = cpu->eflags & FL_D ? -1 : 1;
    give_budget(cpu, cpu->clock->left, chunk_of(cpu));
}

static void leave_state(struct cpu *cpu)
{
    jit_flags_out(cpu);
    cpu->clock->left = left_of(cpu);
}

/* Code was left between two instructions: tell the clock. True: none has retired since @left. */
static bool stuck_at(struct cpu *cpu, i64 left)
{
    cpu->clock->left = left_of(cpu);
    return cpu->clock->left == left;
}

/* Is there nothing that the run loop would see to before the next instruction? */
static bool undisturbed(const struct cpu *cpu)
{
    return !cpu->attention && !cpu->halted && !cpu->shutdown && !cpu->nmi_latched &&
           !(cpu->intr_line && (cpu->eflags & FL_I)) && !(cpu->eflags & (FL_T | FL_RF)) &&
           !(cpu->dr[7] & 0xff) && cpu->clock->left > 0 && cpu->clock->left <= INT32_MAX;
}

/* After anything may have happened: true if generated code may go on at CS:EIP. */
static bool settled(struct cpu *cpu)
{
    jit_fp_after(cpu->jit.jit);
    while (cpu->inhibit && undisturbed(cpu)) { /* the shadow of STI or MOV SS */
        jit_fp_out(cpu->jit.jit);
        cpu_interpret_carefully(cpu);
    }
    return !cpu->inhibit && undisturbed(cpu);
}

/* What the MMU's table of executed pages has for @eip. */
static u32 exec_page(const struct cpu *cpu, u32 eip)
{
    return mmu_view(cpu->mmu)->cur.exec[(u32)(cpu->seg[SEG_CS].base + eip) >> PAGE_SHIFT];
}

/* An executor is done, and the next instruction may be anywhere, under any mode. */
static u64 go_anywhere(struct jit *j)
{
    struct cpu *cpu = j->cpu;

    cpu->rip = cpu->next_rip;
    cpu->clock->left--;
    if (settled(cpu)) {
        u32 mode = jit_mode_now(j), eip = (u32)cpu->rip;
        u32 page = exec_page(cpu, eip);
        u64 to = page ? cache_jump_find(&j->cache, eip, mode, page) : 0;
        if (to) {
            enter_state(cpu);
            cpu->jit.jump_mode = jit_jump_mode(mode);
            return to;
        }
    }
    return cache_exec(&j->cache, j->stubs[0].leave[LEAVE_STOP]);
}

u64 jit_exec(struct cpu *cpu, u32 site)
{
    struct jit *j = cpu->jit.jit;
    struct jit_call *x = cache_at(&j->cache, site);
    const struct insn *in = begin_exec(cpu, x);
    const struct segment *s = &cpu->seg[x->seg];
    struct clock *clock = cpu->clock;
    u32 next = (u32)cpu->next_rip;
    u8 class = s->class, how = x->how, remaining = x->remaining;
    const struct jit_block *device = how & CALL_DEVICE ? jit_owner(x, x->back) : NULL;
    u64 asked = device ? physmem_asked(j->physmem) : 0;

    if (how & CALL_FLAGS_IN)
        jit_flags_out(cpu);
    if (!in->exec(cpu, in)) {
        if (!(how & CALL_FLAGS_IN))
            jit_flags_out(cpu);
        return cache_exec(&j->cache, j->stubs[0].leave[LEAVE_FAULT]);
    }
    if (device && !jit_devices_sure(j, asked))
        jit_devices_ran(j, device, asked);
    i64 left = clock->left - remaining;
    bool stop = left < 0 || cpu->attention || cpu->inhibit || cpu->halted ||
                cpu->next_rip != next || s->class != class;
    if (!stop) {
        if (how & CALL_FLAGS_OUT)
            jit_flags_in(cpu);
        give_budget(cpu, left, cpu->jit.budget);
        jit_returns_check(j);
        return 0;
    }
    if (!(how & CALL_FLAGS_IN))
        jit_flags_out(cpu);
    return go_anywhere(j);
}

u64 jit_finish(struct cpu *cpu, u32 site)
{
    struct jit *j = cpu->jit.jit;
    const struct insn *in = begin_exec(cpu, cache_at(&j->cache, site));

    jit_flags_out(cpu); /* a task switch brings flags of its own */
    if (!in->exec(cpu, in))
        return cache_exec(&j->cache, j->stubs[0].leave[LEAVE_FAULT]);
    return go_anywhere(j);
}

/* --- running --- */

/* The translation at CS:EIP, made now if it is worth it; NULL: the run loop has to see to it. */
static struct jit_block *block_here(struct jit *j, u32 eip, u32 mode)
{
    struct cpu *cpu = j->cpu;
    const struct segment *cs = &cpu->seg[SEG_CS];
    struct block *b = icache_at(cpu, (u32)(cs->base + eip), mode & JIT_MODE_CS32 ? MODE_CS32 : 0);

    if (!b || eip + b->bytes - 1 > cs->hi || eip + b->bytes - 1 < eip)
        return NULL;
    if (!b->wanted)
        jit_patch_decoded(j, b);
    struct jit_block *n = cache_find(&j->cache, b, eip, mode);
    if (n || b->runs < b->wanted || b->runs == NEVER)
        return n;
    n = jit_translate(j, b, eip, mode);
    if (n)
        b->runs = 0;
    return n;
}

/* Do the flags on @l survive the beginning of @to? The code there may have changed since. */
static bool lazy_stays(const struct jit *j, const struct jit_link *l, const struct jit_block *to)
{
    return !l->lazy || !(lazy_needs(lazy_recipe(&j->lazy, l->guard)) & to->spoils);
}

/* Where edge @l goes: link it if there is something. */
static struct jit_block *edge_target(struct jit *j, struct jit_link *l)
{
    u64 evictions = j->cache.stats.evictions;
    struct jit_block *to = block_here(j, l->eip, jit_owner(l, l->back)->mode);

    if (!to || j->cache.stats.evictions != evictions)
        return to;
    struct jit_block *at = jit_check_target(j, l, to);
    if (!at)
        return to;
    if (lazy_stays(j, l, at))
        cache_link(&j->cache, l, at);
    else
        cache_forget(&j->cache, jit_owner(l, l->back));
    return to;
}

/* @to is entered, or left to the run loop. If nothing has retired since code was entered last
 * (@stuck), it is interpreted first, and time goes on, whatever may be wrong. */
static struct jit_block *go_to(struct jit *j, struct jit_block *to, bool stuck)
{
    struct cpu *cpu = j->cpu;

    if (to && !stuck)
        return to;
    if (to)
        jit_fp_out(j);
    leave_state(cpu);
    if (to && cpu->clock->left > 0)
        cpu_interpret_block(cpu, to->block);
    return NULL;
}

/* An edge wants its target. Where a version missed, nothing of what is at its place has retired. */
static struct jit_block *follow_edge(struct jit *j, bool stuck)
{
    struct jit_link *l = cache_at(&j->cache, j->cpu->jit.leave);
    bool missed = jit_check_missed(l);

    j->cpu->rip = l->eip;
    return go_to(j, edge_target(j, l), stuck || missed);
}

static struct jit_block *follow_jump(struct jit *j)
{
    struct cpu *cpu = j->cpu;
    u32 mode = jit_mode_now(j);
    struct jit_block *to = block_here(j, (u32)cpu->rip, mode);

    if (to)
        cache_jump_set(&j->cache, jit_check_first(j, to), exec_page(cpu, to->eip));
    return to;
}

/* What code was patched for a while and then runs for long is better off without checks. */
static void age(struct jit *j)
{
    u64 now = clock_retired(j->cpu->clock);

    if (now - j->aged < AGE_EVERY)
        return;
    j->aged = now;
    icache_age(j->cpu->icache);
}

/* More instructions than the budget has: the interpreter does those that are left. Or there are
 * more: the block that goes on. */
static const struct jit_block *run_out(struct jit *j)
{
    struct cpu *cpu = j->cpu;
    const struct jit_block *b = cache_at(&j->cache, cpu->jit.leave);

    cpu->jit.budget += b->guests;
    cpu->clock->left = left_of(cpu);
    age(j);
    if (cpu->jit.rest > 0 && b->block) {
        give_budget(cpu, left_of(cpu), chunk_of(cpu));
        return b;
    }
    cpu->rip = b->eip;
    jit_fp_out(j);
    leave_state(cpu);
    if (cpu->clock->left > 0 && b->block && icache_refresh(cpu->icache, b->block))
        cpu_interpret_block(cpu, b->block);
    return NULL;
}

/* Code took the x87 unit for something else than it was: it is made again when it is wanted. */
static void missed(struct jit *j, struct jit_block *b)
{
    struct jit_patch *p = &j->missed[jit_place(b->block->key, JIT_PATCHES)];

    if (p->key != b->block->key)
        *p = (struct jit_patch){.key = b->block->key};
    p->times++;
    cache_forget(&j->cache, b);
}

/* An access gave up: nothing of its instruction has happened. The interpreter does it. Or an x87
 * exception was raised, behind its instruction. */
static void bail(struct jit *j)
{
    struct cpu *cpu = j->cpu;
    u32 off;
    /* The call may be the last thing in its block: look for what lies before. */
    struct jit_block *b = cache_block_at(&j->cache, cpu->jit.return_pc - 1, &off);
    struct jit_site s = {0};
    bool found = jit_site_at(b, off + 1, &s);

    assert(found);
    (void)found;
    cpu->jit_halves.written = cpu->jit_halves.whole;
    if (b->block) /* what it reads anew may be new since the block was found; it may lose @b now */
        (void)icache_refresh(cpu->icache, b->block);
    jit_crossing_bailed(j, b, s.g);
    cpu->clock->left = left_of(cpu) + (b->guests - s.g);
    cpu->rip = jit_block_eip(b, s.g);
    jit_devices_bail(j, b, s.g);
    jit_flags_from(cpu, &s.flags);
    jit_fp_bail(j, b, &s);
    if (s.fp.gate && s.g == 0 && j->count) /* nothing of it was executed */
        cache_runs_of(b)->runs--;
    if (s.fp.raised) /* #MF or IRQ 13 comes at once or later: not code's to know */
        return;
    if (s.fp.gate && s.g == 0 && b->block) /* more of them would follow, one by one */
        cpu_interpret_block(cpu, b->block);
    else
        cpu_interpret_one(cpu, &b->insn[s.g]);
    if (s.fp.missed && b->block)
        missed(j, b);
}

/* After what may have changed anything: the next block, if there is one at once. */
static struct jit_block *go_on(struct jit *j)
{
    struct jit_block *b = settled(j->cpu) ? follow_jump(j) : NULL;

    if (b)
        enter_state(j->cpu);
    return b;
}

/* Execute @b and whatever it leads to. */
static void run_code(struct jit *j, const struct jit_block *b)
{
    struct cpu *cpu = j->cpu;
    enter_fn *enter;
    u64 at = cache_exec(&j->cache, j->stubs[0].enter);

    memcpy(&enter, &at, sizeof(enter));
    enter_state(cpu);
    while (b) {
        i64 left = left_of(cpu);
        bool stuck;
        cpu->jit.jump_mode = jit_jump_mode(b->mode);
        u32 why = enter(cpu, (const void *)(uintptr_t)cache_entry(&j->cache, b));
        j->counts.leaves[why]++;
        jit_flags_settle(j);
        switch (why) {
        case LEAVE_EDGE:
            b = follow_edge(j, stuck_at(cpu, left));
            break;
        case LEAVE_INDIRECT:
            stuck = stuck_at(cpu, left);
            b = go_to(j, follow_jump(j), stuck);
            break;
        case LEAVE_BUDGET:
            b = run_out(j);
            break;
        case LEAVE_BAIL:
            bail(j);
            b = go_on(j);
            break;
        case LEAVE_FAULT:
            interrupt_fault(cpu);
            b = go_on(j);
            break;
        default:
            b = go_on(j);
            break;
        }
    }
}

/* Nothing was made of @b yet, and nothing will be this time. */
static bool stays_cold(const struct block *b)
{
    return !b->code && (b->runs == NEVER || b->runs + 1 < b->wanted);
}

/* The translation of @b here, or NULL: it is interpreted once more. */
static struct jit_block *run_earns(struct jit *j, struct block *b)
{
    u32 mode = jit_mode_now(j), eip = (u32)j->cpu->rip;

    if (!b->wanted)
        jit_patch_decoded(j, b);
    struct jit_block *n = cache_find(&j->cache, b, eip, mode);
    if (!n && b->runs != NEVER && ++b->runs >= b->wanted) {
        n = jit_translate(j, b, eip, mode);
        b->runs = n ? 0 : NEVER; /* the next EIP has to earn it, too */
    }
    return n;
}

static void jit_run_host(void *ctx, struct block *b)
{
    struct jit *j = ctx;
    struct cpu *cpu = j->cpu;
    struct jit_block *n = NULL;

    if (!stays_cold(b))
        n = run_earns(j, b);
    else if (b->runs != NEVER)
        b->runs++;
    if (n && cpu->clock->left <= INT32_MAX) {
        run_code(j, n);
        jit_fp_out(j);
    } else {
        j->counts.interpreted++;
        cpu_interpret_block(cpu, b);
    }
}

/* --- life --- */

static void on_drop(void *ctx, struct block *b, enum icache_drop why)
{
    struct jit *j = ctx;

    if (why == ICACHE_WRITTEN) {
        jit_patch_dropped(j, b);
        cache_isolate(&j->cache, b);
        return;
    }
    if (why == ICACHE_AGED)
        jit_patch_aged(j, b);
    if (why == ICACHE_VAIN)
        jit_patch_vain(j, b);
    cache_drop(&j->cache, b);
}

void jit_flush(struct jit *j)
{
    cache_flush(&j->cache);
}

bool jit_supported(void)
{
    return backend_host() != NULL;
}

static bool make_stubs(struct jit *j, u8 *at, struct jit_stubs *out)
{
    static const struct jit_helpers helpers = {jit_access, jit_exec, jit_finish, jit_fp_enter,
                                               jit_fp_function};
    struct hostmem *mem = &j->cache.mem;
    struct codebuf code;

    codebuf_init(&code, at, CACHE_STUB_BYTES, mem->exec - mem->write);
    hostmem_begin_write(mem, at, CACHE_STUB_BYTES);
    j->backend->stubs(&code, &helpers, out);
    hostmem_publish(mem, at, codebuf_off(&code));
    return !code.full;
}

static enum status create_code(struct jit *j, const struct jit_desc *d, size_t bytes)
{
    struct jit_cache *c = &j->cache;
    enum status s = cache_create(c, bytes, j->backend);
    bool fits = true;

    if (s != STATUS_OK)
        return s;
    c->counts = j->count;
    c->scattered = d->scattered;
    j->cpu->jit.jumps = c->jump;
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        j->stubs[i] = j->stubs[0];
        if (i == 0 || c->segment[i].stubs != c->segment[0].stubs)
            fits &= make_stubs(j, c->segment[i].stubs, &j->stubs[i]);
    }
    jit_access_open(j);
    return fits ? STATUS_OK : STATUS_BAD_SIZE;
}

static u32 chunk_that_fits(void)
{
    size_t fits = hostmem_stack() / 4 / JIT_RETURN_ENTRY;

    fits = fits > JIT_CHUNK_MIN ? fits : JIT_CHUNK_MIN;
    return (u32)(fits < JIT_CHUNK ? fits : JIT_CHUNK);
}

enum status jit_create(struct jit **out, const struct jit_desc *d)
{
    size_t bytes = d->cache_bytes ? d->cache_bytes : JIT_CACHE_DEFAULT;
    struct jit *j;
    enum status s = STATUS_OK;

    if (bytes < JIT_CACHE_MIN || bytes > JIT_CACHE_MAX)
        return STATUS_BAD_SIZE;
    j = calloc(1, sizeof(*j));
    if (!j)
        return STATUS_NO_MEMORY;
    j->perf_file.fd = -1;
    j->cpu = d->cpu;
    j->physmem = d->physmem;
    j->count = d->count && d->engine == JIT_HOST;
    j->lacks = backend_lacks();
    j->flagm = backend_flagm() && !d->baseline;
    j->flagm2 = backend_flagm2() && !d->baseline;
    j->threshold = d->threshold ? d->threshold : THRESHOLD_DEFAULT;
    if (d->engine == JIT_HOST) {
        j->backend = backend_host();
        s = j->backend ? create_code(j, d, bytes) : STATUS_UNSUPPORTED;
        j->chunk = chunk_that_fits();
    }
    if (s == STATUS_OK && j->count && !jit_stats_open(j))
        s = STATUS_NO_MEMORY;
    if (s == STATUS_OK && d->perf_map && !outfile_open(&j->perf_file, d->perf_map))
        s = STATUS_NO_FILE;
    if (s != STATUS_OK) {
        int error = errno;
        jit_destroy(j);
        errno = error;
        return s;
    }
    icache_on_drop(j->cpu->icache, on_drop, j);
    j->cpu->jit.jit = j;
    j->cpu->engine = (struct cpu_engine){d->engine == JIT_EVAL ? jit_run_eval : jit_run_host, j};
    *out = j;
    return STATUS_OK;
}

bool jit_begin(struct jit *j)
{
    if (!j || j->perf_file.fd < 0)
        return true;
    j->perf_map = outfile_begin(&j->perf_file) ? fdopen(j->perf_file.fd, "w") : NULL;
    return j->perf_map;
}

void jit_destroy(struct jit *j)
{
    if (!j)
        return;
    if (j->cpu->jit.jit == j) {
        cache_flush(&j->cache);
        icache_on_drop(j->cpu->icache, NULL, NULL);
        j->cpu->jit.jit = NULL;
        j->cpu->engine = (struct cpu_engine){0};
    }
    cache_destroy(&j->cache);
    jit_stats_close(j);
    if (j->perf_map) {
        fclose(j->perf_map);
        j->perf_file.fd = -1;
    }
    outfile_close(&j->perf_file);
    free(j);
}

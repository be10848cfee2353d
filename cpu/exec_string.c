/* SPDX-License-Identifier: MIT */
/*
 * String instructions and REP [SDM 2B, REP; SDM 1 §7.3.9].
 *
 * Each iteration is one retired instruction. The run loop charges one for the instruction; the
 * others are charged here as they complete, so that a device that an iteration reaches reads the
 * right time. When the budget is used up, or something asks for attention, the instruction ends
 * with registers of the finished iterations and is executed again. A fault leaves those registers
 * too, and charges what was finished.
 *
 * MOVS, STOS, CMPS and SCAS in plain memory run in chunks: as many elements, upwards or downwards,
 * as lie in one page of each operand, in the segment, in the budget. MOVS and STOS do so, too,
 * where a device answers that is as quiet as memory.
 */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/io.h"
#include "cpu/operand.h"

ALWAYS_INLINE bool downwards(const struct cpu *cpu)
{
    return cpu->eflags & FL_D;
}

/** Bytes from one element to the next: negative with DF. */
ALWAYS_INLINE u64 string_step(const struct cpu *cpu, enum width w)
{
    return downwards(cpu) ? 0 - (u64)(1u << w) : 1u << w;
}

ALWAYS_INLINE void advance(struct cpu *cpu, const struct insn *in, unsigned reg, u64 by)
{
    reg_set(cpu, reg, in->adsize, cpu->gpr[reg] + by);
}

/** One iteration: false with the fault set and nothing changed. */
typedef bool string_fn(struct cpu *cpu, const struct insn *in, enum width w);

/**
 * Up to @max iterations at once, all but the last one charged by the caller; how many were done, 0
 * if that is not possible here. Cannot fault. *@found: the last one ended REPE or REPNE.
 */
typedef u64 chunk_fn(struct cpu *cpu, const struct insn *in, enum width w, u64 max, bool *found);

/** Iterations that may still run: the budget, and one in any case. */
ALWAYS_INLINE u64 budget(const struct cpu *cpu)
{
    return cpu->clock->left > 1 && !cpu->attention ? (u64)cpu->clock->left : 1;
}

/** Does REPE or REPNE end after the comparison that the flags are from? */
ALWAYS_INLINE bool compare_ends(const struct cpu *cpu, const struct insn *in)
{
    return flags_zf(cpu) != !(in->prefix & INSN_REPNE);
}

/** @one repeated as the prefixes say; @compares: CMPS and SCAS, which also end by ZF. */
ALWAYS_INLINE bool repeat(struct cpu *cpu, const struct insn *in, enum width w, string_fn *one,
                          chunk_fn *chunk, bool compares)
{
    if (!(in->prefix & (INSN_REPE | INSN_REPNE)))
        return one(cpu, in, w);
    u64 count = reg_get(cpu, REG_CX, in->adsize);
    while (count != 0) {
        u64 max = count < budget(cpu) ? count : budget(cpu);
        bool found = false;
        u64 n = chunk ? chunk(cpu, in, w, max, &found) : 0;
        if (n == 0) {
            if (!one(cpu, in, w))
                return false;
            n = 1;
            found = compares && compare_ends(cpu, in);
        }
        count -= n;
        reg_set(cpu, REG_CX, in->adsize, count);
        cpu->clock->left -= (i64)(n - 1);
        if (found || count == 0)
            break;
        if (cpu->attention || cpu->clock->left <= 1) {
            cpu->next_rip = cpu->rip;
            cpu->inhibit |= INHIBIT_REP;
            break;
        }
        cpu->clock->left--;
    }
    return true;
}

/** Elements from @reg's offset, itself included, to the end of the segment, of the address size and
 * of the page; downwards, to the beginning of the segment and of the page. */
ALWAYS_INLINE u64 room(const struct cpu *cpu, const struct insn *in, enum width w, unsigned seg,
                       unsigned reg, unsigned perm)
{
    const struct segment *s = &cpu->seg[seg];
    u64 off = reg_get(cpu, reg, in->adsize), last = width_mask(in->adsize);

    if (last > s->hi)
        last = s->hi;
    if (off < s->lo || off > last || !(s->perm & perm))
        return 0;
    u64 before = seg_linear(cpu, seg, off) & (PAGE_SIZE - 1), in_page = PAGE_SIZE - before;
    u64 bytes = last - off + 1;
    u64 above = (bytes < in_page ? bytes : in_page) >> w;
    if (above == 0 || !downwards(cpu))
        return above;
    return 1 + ((off - s->lo < before ? off - s->lo : before) >> w);
}

/** Host address of the element that @reg points to, or NULL if it cannot be reached directly. */
ALWAYS_INLINE u8 *element(const struct cpu *cpu, const struct insn *in, const u64 *table,
                          unsigned seg, unsigned reg)
{
    return mmu_host(table, seg_linear(cpu, seg, reg_get(cpu, reg, in->adsize)));
}

/** The source and destination of a chunk: how many elements of at most @max, 0 if none. */
ALWAYS_INLINE u64 chunk_source(const struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                               const u8 **src)
{
    u64 n = room(cpu, in, w, in->seg, REG_SI, SEG_PERM_R);

    *src = element(cpu, in, mmu_view(cpu->mmu)->cur.read, in->seg, REG_SI);
    return *src == NULL ? 0 : n < max ? n : max;
}

ALWAYS_INLINE u64 chunk_dest(const struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                             bool write, u8 **dest)
{
    const struct mmu_tables *t = &mmu_view(cpu->mmu)->cur;
    u64 n = room(cpu, in, w, SEG_ES, REG_DI, write ? SEG_PERM_W : SEG_PERM_R);

    *dest = element(cpu, in, write ? t->write : t->read, SEG_ES, REG_DI);
    return *dest == NULL ? 0 : n < max ? n : max;
}

/* What MOVS and STOS reach in one page: memory, or a quiet device. */
struct reached {
    u8 *host; /* NULL: the device */
    struct mmu_device dev;
};

static bool reach(const struct cpu *cpu, const struct insn *in, unsigned seg, unsigned reg,
                  enum mmu_access kind, struct reached *o)
{
    const struct mmu_tables *t = &mmu_view(cpu->mmu)->cur;
    lin_addr lin = seg_linear(cpu, seg, reg_get(cpu, reg, in->adsize));

    o->host = mmu_host(kind == MMU_WRITE ? t->write : t->read, lin);
    return o->host || mmu_device(cpu->mmu, lin, kind, &o->dev);
}

/* The element @by bytes on. */
ALWAYS_INLINE u64 reached_load(const struct cpu *cpu, const struct reached *o, u64 by, enum width w)
{
    if (o->host)
        return load_le(o->host + (i64)by, 1u << w);
    return mmu_device_read(cpu->mmu, &o->dev, by, 1u << w);
}

ALWAYS_INLINE void reached_store(const struct cpu *cpu, const struct reached *o, u64 by,
                                 enum width w, u64 v)
{
    if (o->host)
        store_le(o->host + (i64)by, v, 1u << w);
    else
        mmu_device_write(cpu->mmu, &o->dev, by, 1u << w, v);
}

/* MOVS */

ALWAYS_INLINE bool movs_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v;

    if (!mem_read(cpu, in->seg, reg_get(cpu, REG_SI, in->adsize), w, &v) ||
        !mem_write(cpu, SEG_ES, reg_get(cpu, REG_DI, in->adsize), w, v))
        return false;
    advance(cpu, in, REG_SI, string_step(cpu, w));
    advance(cpu, in, REG_DI, string_step(cpu, w));
    return true;
}

/** From the first elements on, the next ones @step away. Where the destination lies ahead in the
 * source, later elements read what earlier ones wrote. */
ALWAYS_INLINE void copy_elements(u8 *dest, const u8 *src, u64 n, enum width w, u64 step)
{
    bool down = (i64)step < 0;
    uintptr_t ahead =
        down ? (uintptr_t)src - (uintptr_t)dest : (uintptr_t)dest - (uintptr_t)src;

    if (ahead == 0 || ahead >= n << w) {
        u64 low = down ? (n - 1) << w : 0;
        memmove(dest - low, src - low, n << w);
        return;
    }
    for (u64 i = 0; i < n; i++)
        store_le(dest + (i64)(i * step), load_le(src + (i64)(i * step), 1u << w), 1u << w);
}

/** The least of a chunk's limits. */
ALWAYS_INLINE u64 least(u64 a, u64 b)
{
    return a < b ? a : b;
}

/* A chunk, but for the registers, where a device is the source, the destination, or both. */
ALWAYS_INLINE u64 movs_device(struct cpu *cpu, const struct insn *in, enum width w, u64 max)
{
    const u64 step = string_step(cpu, w);
    struct reached from, to;
    u64 n = least(max, least(room(cpu, in, w, in->seg, REG_SI, SEG_PERM_R),
                             room(cpu, in, w, SEG_ES, REG_DI, SEG_PERM_W)));

    if (n == 0 || !reach(cpu, in, in->seg, REG_SI, MMU_READ, &from) ||
        !reach(cpu, in, SEG_ES, REG_DI, MMU_WRITE, &to))
        return 0;
    for (u64 i = 0; i < n; i++)
        reached_store(cpu, &to, i * step, w, reached_load(cpu, &from, i * step, w));
    return n;
}

ALWAYS_INLINE u64 movs_chunk(struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                             bool *found)
{
    const u64 step = string_step(cpu, w);
    const u8 *src;
    u8 *dest;
    u64 n = chunk_dest(cpu, in, w, chunk_source(cpu, in, w, max, &src), true, &dest);

    (void)found;
    if (n != 0)
        copy_elements(dest, src, n, w, step);
    else
        n = movs_device(cpu, in, w, max);
    advance(cpu, in, REG_SI, n * step);
    advance(cpu, in, REG_DI, n * step);
    return n;
}

bool exec_movs(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, repeat(cpu, in, w, movs_one, movs_chunk, false));
}

/* STOS */

ALWAYS_INLINE bool stos_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v = reg_get(cpu, REG_AX, w);

    if (!mem_write(cpu, SEG_ES, reg_get(cpu, REG_DI, in->adsize), w, v))
        return false;
    advance(cpu, in, REG_DI, string_step(cpu, w));
    return true;
}

/* A chunk in a device. */
ALWAYS_INLINE u64 stos_device(struct cpu *cpu, const struct insn *in, enum width w, u64 max)
{
    u64 v = reg_get(cpu, REG_AX, w), step = string_step(cpu, w);
    u64 n = least(max, room(cpu, in, w, SEG_ES, REG_DI, SEG_PERM_W));
    struct reached to;

    if (n == 0 || !reach(cpu, in, SEG_ES, REG_DI, MMU_WRITE, &to))
        return 0;
    for (u64 i = 0; i < n; i++)
        reached_store(cpu, &to, i * step, w, v);
    advance(cpu, in, REG_DI, n * step);
    return n;
}

ALWAYS_INLINE u64 stos_chunk(struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                             bool *found)
{
    u64 v = reg_get(cpu, REG_AX, w);
    u8 *dest;
    u64 n = chunk_dest(cpu, in, w, max, true, &dest);

    (void)found;
    if (n == 0)
        return stos_device(cpu, in, w, max);
    dest -= downwards(cpu) ? (n - 1) << w : 0;
    if (w == W8)
        memset(dest, (int)v, n);
    for (u64 i = 0; w != W8 && i < n; i++)
        store_le(dest + (i << w), v, 1u << w);
    advance(cpu, in, REG_DI, n * string_step(cpu, w));
    return n;
}

bool exec_stos(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, repeat(cpu, in, w, stos_one, stos_chunk, false));
}

/* LODS */

ALWAYS_INLINE bool lods_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v;

    if (!mem_read(cpu, in->seg, reg_get(cpu, REG_SI, in->adsize), w, &v))
        return false;
    reg_set(cpu, REG_AX, w, v);
    advance(cpu, in, REG_SI, string_step(cpu, w));
    return true;
}

bool exec_lods(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, repeat(cpu, in, w, lods_one, NULL, false));
}

/* CMPS */

ALWAYS_INLINE bool cmps_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 a, b;

    if (!mem_read(cpu, in->seg, reg_get(cpu, REG_SI, in->adsize), w, &a) ||
        !mem_read(cpu, SEG_ES, reg_get(cpu, REG_DI, in->adsize), w, &b))
        return false;
    flags_sub(cpu, w, a, b, a - b);
    advance(cpu, in, REG_SI, string_step(cpu, w));
    advance(cpu, in, REG_DI, string_step(cpu, w));
    return true;
}

ALWAYS_INLINE u64 cmps_chunk(struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                             bool *found)
{
    const bool until_equal = in->prefix & INSN_REPNE;
    const u64 step = string_step(cpu, w);
    const u8 *src;
    u8 *dest;
    u64 n = chunk_dest(cpu, in, w, chunk_source(cpu, in, w, max, &src), false, &dest);
    u64 i = 0, a = 0, b = 0;

    if (n == 0)
        return 0;
    while (i < n && !*found) {
        a = load_le(src + (i64)(i * step), 1u << w);
        b = load_le(dest + (i64)(i * step), 1u << w);
        *found = (a == b) == until_equal;
        i++;
    }
    flags_sub(cpu, w, a, b, a - b);
    advance(cpu, in, REG_SI, i * step);
    advance(cpu, in, REG_DI, i * step);
    return i;
}

bool exec_cmps(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, repeat(cpu, in, w, cmps_one, cmps_chunk, true));
}

/* SCAS */

ALWAYS_INLINE bool scas_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 a = reg_get(cpu, REG_AX, w), b;

    if (!mem_read(cpu, SEG_ES, reg_get(cpu, REG_DI, in->adsize), w, &b))
        return false;
    flags_sub(cpu, w, a, b, a - b);
    advance(cpu, in, REG_DI, string_step(cpu, w));
    return true;
}

ALWAYS_INLINE u64 scas_chunk(struct cpu *cpu, const struct insn *in, enum width w, u64 max,
                             bool *found)
{
    const bool until_equal = in->prefix & INSN_REPNE;
    const u64 step = string_step(cpu, w);
    u64 a = reg_get(cpu, REG_AX, w), b = 0, i = 0;
    u8 *dest;
    u64 n = chunk_dest(cpu, in, w, max, false, &dest);

    if (n == 0)
        return 0;
    while (i < n && !*found) {
        b = load_le(dest + (i64)(i * step), 1u << w);
        *found = (a == b) == until_equal;
        i++;
    }
    flags_sub(cpu, w, a, b, a - b);
    advance(cpu, in, REG_DI, i * step);
    return i;
}

bool exec_scas(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, repeat(cpu, in, w, scas_one, scas_chunk, true));
}

/* INS, OUTS: there is no 64-bit port access. */

ALWAYS_INLINE enum width io_width(const struct insn *in)
{
    return in->opcode & 1 ? (in->opsize == W16 ? W16 : W32) : W8;
}

/* The store is checked before the port is read: a read cannot be taken back. */
ALWAYS_INLINE bool ins_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u16 port = (u16)cpu->gpr[REG_DX];
    u64 off = reg_get(cpu, REG_DI, in->adsize);

    if (!io_check(cpu, port, w) || !mem_probe(cpu, SEG_ES, off, 1u << w, true) ||
        !mem_write(cpu, SEG_ES, off, w, cpu->bus.in(cpu->bus.ctx, port, w)))
        return false;
    advance(cpu, in, REG_DI, string_step(cpu, w));
    return true;
}

bool exec_ins(struct cpu *cpu, const struct insn *in)
{
    return repeat(cpu, in, io_width(in), ins_one, NULL, false);
}

ALWAYS_INLINE bool outs_one(struct cpu *cpu, const struct insn *in, enum width w)
{
    u16 port = (u16)cpu->gpr[REG_DX];
    u64 v;

    if (!io_check(cpu, port, w) || !mem_read(cpu, in->seg, reg_get(cpu, REG_SI, in->adsize), w, &v))
        return false;
    cpu->bus.out(cpu->bus.ctx, port, (u32)v, w);
    advance(cpu, in, REG_SI, string_step(cpu, w));
    return true;
}

bool exec_outs(struct cpu *cpu, const struct insn *in)
{
    return repeat(cpu, in, io_width(in), outs_one, NULL, false);
}

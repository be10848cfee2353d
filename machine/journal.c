/* SPDX-License-Identifier: MIT */
/* Recordings as bytes: writing them as things come, reading and checking them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/journal_private.h"
#include "machine/snapshot_private.h"

enum {
    NUMBER_BYTES = 10, /* the longest, in groups of 7 bits, lowest first */
    BYTES_MAX = 1 << 20,
};

#define TIME_MAX BIT64(56) /* instructions, and ns; as in snapshots */

static const struct {
    u8 numbers;
    bool bytes;
} shape[JOURNAL__COUNT] = {
#define JOURNAL(name, numbers, bytes) {numbers, bytes},
#include "machine/journal.def"
#undef JOURNAL
};

/* --- writing --- */

static void put_number(struct journal *j, u64 n)
{
    u8 bytes[NUMBER_BYTES];
    unsigned len = 0;

    for (; n >= 0x80; n >>= 7)
        bytes[len++] = (u8)(n | 0x80);
    bytes[len++] = (u8)n;
    snapfile_put(&j->file, bytes, len);
}

static void put_event(struct journal *j, const struct journal_event *e)
{
    put_number(j, e->kind);
    put_number(j, e->retired - j->now.retired);
    put_number(j, e->time - j->now.time);
    for (unsigned i = 0; i < shape[e->kind].numbers; i++)
        put_number(j, e->number[i]);
    if (shape[e->kind].bytes) {
        put_number(j, e->len);
        snapfile_put(&j->file, e->bytes, e->len);
    }
    j->now.retired = e->retired;
    j->now.time = e->time;
}

/* Between two events at one instant, timers may have fired and a reset may have been done. */
static void put_settled(struct journal *j, u64 retired, u64 time)
{
    if (j->settled && j->now.retired == retired && j->now.time == time)
        put_event(
            j, &(struct journal_event){.kind = JOURNAL_SETTLE, .retired = retired, .time = time});
    j->settled = false;
}

void journal_settled(struct pc *pc)
{
    if (pc_records(pc))
        pc->journal->settled = true;
}

bool journal_input(struct pc *pc, struct journal_event e)
{
    struct journal *j = pc->journal;

    if (!j)
        return true;
    if (j->replays)
        return j->playing;
    e.retired = clock_retired(&pc->clock);
    e.time = clock_now(&pc->clock);
    put_settled(j, e.retired, e.time);
    put_event(j, &e);
    return true;
}

bool journal_numbers(struct pc *pc, enum journal_kind kind, u64 a, u64 b, u64 c)
{
    return journal_input(pc, (struct journal_event){.kind = kind, .number = {a, b, c}});
}

/* --- reading --- */

static bool get_number(struct journal *j, u64 *out)
{
    u64 n = 0;

    for (unsigned shift = 0; j->now.at < j->len && shift < 64; shift += 7) {
        u8 byte = j->bytes[j->now.at++];
        n |= (u64)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = n;
            return true;
        }
    }
    return false;
}

static bool get_event(struct journal *j, struct journal_event *e)
{
    u64 kind, retired, time, len = 0;

    if (!get_number(j, &kind) || kind >= JOURNAL__COUNT || !get_number(j, &retired) ||
        !get_number(j, &time) || retired >= TIME_MAX || time >= TIME_MAX)
        return false;
    e->kind = (enum journal_kind)kind;
    e->retired = j->now.retired + retired;
    e->time = j->now.time + time;
    for (unsigned i = 0; i < shape[kind].numbers; i++) {
        if (!get_number(j, &e->number[i]))
            return false;
    }
    if (shape[kind].bytes && (!get_number(j, &len) || len > BYTES_MAX || len > j->len - j->now.at))
        return false;
    e->bytes = j->bytes + j->now.at;
    e->len = (size_t)len;
    j->now.at += e->len;
    return e->retired < TIME_MAX && e->time < TIME_MAX;
}

/* Texts in @e end with a NUL, @n of them. */
static bool has_texts(const struct journal_event *e, unsigned n)
{
    unsigned nuls = 0;

    for (size_t i = 0; i < e->len; i++)
        nuls += !e->bytes[i];
    return e->len && !e->bytes[e->len - 1] && nuls == n;
}

static bool makes_sense(const struct journal_event *e)
{
    switch (e->kind) {
    case JOURNAL_RATIO:
        return e->number[0] && e->number[0] < BIT64(48);
    case JOURNAL_KEY:
        return e->number[0] <= 0xffff;
    case JOURNAL_SERIAL:
        return e->number[0] < PC_SERIALS && e->number[1] <= 0xff;
    case JOURNAL_FRAME:
    case JOURNAL_CABLE:
        return e->number[0] < PC_NICS;
    case JOURNAL_POINT:
        return e->number[0] <= 0xffff && e->number[1] <= 0xffff;
    case JOURNAL_TYPE:
        return has_texts(e, 1);
    case JOURNAL_MEDIUM:
        return has_texts(e, 2);
    default:
        return true;
    }
}

bool journal_read(struct journal *j)
{
    struct journal_event e = {.kind = JOURNAL_END};

    j->before = j->now;
    if (!get_event(j, &e) || !makes_sense(&e))
        return false;
    j->now.retired = e.retired;
    j->now.time = e.time;
    j->next = e;
    return true;
}

/* Everything up to the end makes sense, and nothing follows it. */
static bool is_whole(struct journal *j)
{
    do {
        if (!journal_read(j))
            return false;
    } while (j->next.kind != JOURNAL_END);
    return j->now.at == j->len;
}

/* --- beginning and ending --- */

void journal_free(struct journal *j)
{
    if (!j)
        return;
    snapfile_free(&j->file);
    free(j->bytes);
    free(j);
}

bool pc_records(const struct pc *pc)
{
    return pc->journal && !pc->journal->replays;
}

bool pc_replays(const struct pc *pc)
{
    return pc->journal && pc->journal->replays;
}

enum status pc_record(struct pc *pc, char error[PC_ERROR_MAX])
{
    struct pc_snapshot *start;

    if (pc->check) {
        snprintf(error, PC_ERROR_MAX, "-jit check and --record do not go together");
        return STATUS_CONFLICT;
    }
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (!pc->disk[i] || !*pc->drive[i].path || block_read_only(pc->disk[i]) ||
            block_overlaid(pc->disk[i]))
            continue;
        snprintf(error, PC_ERROR_MAX,
                 "--record: '%.200s' would not be the same again; add -snapshot",
                 pc->drive[i].path);
        return STATUS_CONFLICT;
    }
    struct journal *j = calloc(1, sizeof(*j));
    enum status s = j ? pc_snapshot_take(pc, &start, error) : STATUS_NO_MEMORY;
    if (s != STATUS_OK) {
        free(j);
        return s;
    }
    j->file = start->file;
    start->file = (struct snapfile){0};
    pc_snapshot_free(start);
    snapfile_begin(&j->file, JOURNAL_SECTION, JOURNAL_VERSION);
    j->now.retired = clock_retired(&pc->clock);
    j->now.time = clock_now(&pc->clock);
    put_number(j, j->now.retired);
    put_number(j, j->now.time);
    pc->journal = j;
    return STATUS_OK;
}

enum status pc_record_end(struct pc *pc, const char *path, char error[PC_ERROR_MAX])
{
    (void)journal_numbers(pc, JOURNAL_END, pc_state_hash(pc), 0, 0);
    enum status s = snapfile_write(&pc->journal->file, path, error);

    journal_free(pc->journal);
    pc->journal = NULL;
    return s;
}

static enum status refuse(enum status s, const char *path, const char *why, char *error)
{
    snprintf(error, PC_ERROR_MAX, "'%.250s' %s", path, why);
    return s;
}

/* Move the journal out of @f, which is a snapshot then, and look whether it is whole. */
static enum status take_journal(struct snapfile *f, const char *path, struct journal *j,
                                char error[PC_ERROR_MAX])
{
    struct snapfile_section *s = snapfile_find(f, JOURNAL_SECTION);

    if (!s || s != &f->section[f->count - 1])
        return refuse(STATUS_BAD_FORMAT, path, "is a snapshot and no recording (-loadvm takes it)",
                      error);
    if (s->version > JOURNAL_VERSION)
        return refuse(STATUS_UNSUPPORTED, path, "was recorded by a newer turbo86", error);
    enum status status = snapfile_unpack(f, s, error);
    if (status != STATUS_OK)
        return status;
    j->bytes = s->bytes;
    j->len = s->len;
    s->bytes = NULL;
    f->count--;
    struct journal_place start = {0};
    bool ok = get_number(j, &start.retired) && get_number(j, &start.time) &&
              start.retired < TIME_MAX && start.time < TIME_MAX;
    start.at = j->now.at;
    j->now = start;
    if (!ok || !is_whole(j))
        return refuse(STATUS_BAD_VALUE, path, "is damaged: what was recorded makes no sense",
                      error);
    j->now = start;
    return journal_read(j) ? STATUS_OK : STATUS_BAD_VALUE;
}

enum status pc_replay(struct pc *pc, const char *path, char error[PC_ERROR_MAX])
{
    struct journal *j = pc->check || pc->journal ? NULL : calloc(1, sizeof(*j));
    struct snapfile f;

    if (!j) {
        snprintf(error, PC_ERROR_MAX, "--replay goes without -jit check and --record");
        return STATUS_CONFLICT;
    }
    enum status s = snapfile_read(&f, path, error);
    if (s == STATUS_OK)
        s = take_journal(&f, path, j, error);
    if (s == STATUS_OK)
        s = snapshot_apply_file(pc, &f, error);
    snapfile_free(&f);
    if (s != STATUS_OK) {
        journal_free(j);
        return s;
    }
    j->replays = true;
    pc->journal = j;
    return STATUS_OK;
}

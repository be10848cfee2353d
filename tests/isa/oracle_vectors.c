/* SPDX-License-Identifier: MIT */
/*
 * Results of the host in a file, for hosts that are no x86. Inputs are made again from the seed; a
 * hash tells if the generator makes others now. The file is MAGIC and then numbers: seed, rows;
 * each row its name, kinds; each kind its key, cases; each case number, hash, the difference
 * between doing nothing and what the host did.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/decode.h"
#include "tests/isa/oracle_run.h"

enum { HASH_BITS = 0x3fff, STRIDE = 7, SHOWN = 5, MAX_NAME = 64 };

static const char magic[] = "turbo86 oracle vectors 1\n";

static u32 key_of(const struct oracle_kind *kind)
{
    return kind->form | (u32)kind->mode << 2 | (u32)kind->opsize16 << 4;
}

struct saver {
    struct vector_bytes file;
    unsigned kinds, cases;
};

static void count_kind(struct oracle_run *run, struct oracle_kind *kind, void *ctx)
{
    struct saver *s = ctx;

    (void)run;
    (void)kind;
    s->kinds++;
}

/** Cases of one kind: those of the whole run's numbers 0, 7, 14, ... */
static void save_kind(struct oracle_run *run, struct oracle_kind *kind, void *ctx)
{
    static struct oracle_image input, nothing, result;
    struct saver *s = ctx;
    struct oracle_case c;
    struct oracle_result native;
    struct insn in;

    vector_put(&s->file, key_of(kind));
    vector_put(&s->file, s->cases);
    for (unsigned i = 0; i < s->cases; i++) {
        run->instances++;
        if (!oracle_run_generate(run, kind, i * STRIDE, &c, &in) ||
            !oracle_run_both(run, &c, &in)) {
            run->differences++;
            continue;
        }
        image_of_input(&c, &run->sides.before, &input);
        image_of_nothing_done(&c, &input, &nothing);
        memcpy(run->sides.native.data, run->sides.before.data, ARENA_WINDOW);
        memcpy(run->sides.native.stack, run->sides.before.stack, ARENA_WINDOW);
        native_run(&c, &native);
        image_of_result(&c, &native, &run->sides.native, &result);
        vector_put(&s->file, i * STRIDE);
        vector_put(&s->file, image_hash(&c, &input) & HASH_BITS);
        vector_put_difference(&s->file, &nothing, &result);
    }
}

static bool write_file(const char *path, const struct vector_bytes *v)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(magic, 1, sizeof(magic), f) == sizeof(magic) &&
              fwrite(v->byte, 1, v->len, f) == v->len;

    if (f)
        ok &= fclose(f) == 0;
    printf("%s: %zu bytes%s\n", path, v->len + sizeof(magic), ok ? "" : ": cannot be written");
    return ok;
}

static bool saved(unsigned row)
{
    return oracle_row_is_user(row) && native_has(insn_def[row].feat);
}

static void save_row(struct oracle_run *run, unsigned row, struct saver *s)
{
    const char *id = insn_def[row].id;

    s->kinds = 0;
    for (unsigned mode = 0; mode < ORACLE__MODES; mode++)
        oracle_each_kind(run, row, mode, count_kind, s);
    vector_put(&s->file, (u32)strlen(id));
    for (const char *p = id; *p; p++)
        vector_put(&s->file, (u8)*p);
    vector_put(&s->file, s->kinds);
    for (unsigned mode = 0; mode < ORACLE__MODES; mode++) {
        const char *why_not = native_enable(mode);
        if (why_not) {
            printf("%s\n", why_not);
            run->differences++;
            return;
        }
        oracle_each_kind(run, row, mode, save_kind, s);
    }
}

bool oracle_save(struct oracle_run *run, const char *path, unsigned count)
{
    struct saver s = {.cases = count};
    u32 rows = 0;

    for (unsigned row = 0; row < INSN__COUNT; row++)
        rows += saved(row);
    vector_put(&s.file, (u32)run->seed);
    vector_put(&s.file, rows);
    for (unsigned row = 0; row < INSN__COUNT; row++)
        if (saved(row))
            save_row(run, row, &s);
    bool ok = run->differences == 0 && write_file(path, &s.file);
    free(s.file.byte);
    return ok;
}

static bool read_file(const char *path, struct vector_bytes *v)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    bool ok = size > (long)sizeof(magic);

    if (ok) {
        rewind(f);
        v->len = (size_t)size;
        v->byte = malloc(v->len);
        ok = v->byte && fread(v->byte, 1, v->len, f) == v->len &&
             memcmp(v->byte, magic, sizeof(magic)) == 0;
        v->at = sizeof(magic);
    }
    if (f)
        fclose(f);
    if (!ok)
        printf("%s: not a file of vectors\n", path);
    return ok;
}

/** The row of that name, or INSN__COUNT. */
static unsigned read_row(struct vector_bytes *v)
{
    char name[MAX_NAME] = "";
    u32 length = vector_get(v);
    unsigned row = 0;

    for (u32 i = 0; i < length && !v->damaged; i++) {
        char letter = (char)vector_get(v);
        if (i < sizeof(name) - 1)
            name[i] = letter;
    }
    while (row < INSN__COUNT && strcmp(insn_def[row].id, name) != 0)
        row++;
    if (row == INSN__COUNT)
        printf("%s: no such row; make the file again, with --save\n", name);
    return row;
}

/** One case: ours against what the file says. */
static bool replay_case(struct oracle_run *run, struct oracle_kind *kind, struct vector_bytes *v)
{
    static struct oracle_image input, result;
    struct oracle_case c;
    struct oracle_result native, ours;
    struct insn in;
    u32 number = vector_get(v), hash = vector_get(v);
    bool generated = oracle_run_generate(run, kind, number, &c, &in);

    image_of_input(&c, &run->sides.before, &input);
    image_of_nothing_done(&c, &input, &result);
    vector_get_difference(v, &result);
    run->instances++;
    if (!generated || (image_hash(&c, &input) & HASH_BITS) != hash) {
        printf("%s: the generator makes other cases now; make the file again, with --save\n",
               insn_def[kind->row].id);
        return false;
    }
    image_to_result(&result, &native, &run->sides.native);
    memcpy(run->sides.ours.data, run->sides.before.data, ARENA_WINDOW);
    memcpy(run->sides.ours.stack, run->sides.before.stack, ARENA_WINDOW);
    if (ours_run(run->engine, &c, &ours) &&
        oracle_same(&run->sides, &c, &in, &native, &ours, run->undefined))
        return true;
    if (run->differences < SHOWN)
        oracle_report(&run->sides, &c, &in, &native, &ours);
    return false;
}

static void replay_row(struct oracle_run *run, unsigned row, struct vector_bytes *v)
{
    u32 kinds = vector_get(v);

    for (u32 k = 0; k < kinds && !v->damaged; k++) {
        u32 key = vector_get(v), cases = vector_get(v);
        struct oracle_kind kind = {
            .row = row, .form = key & 3, .mode = key >> 2 & 3, .opsize16 = key >> 4 & 1};

        if (kind.form >= FORM_IS__COUNT || kind.mode >= ORACLE__MODES)
            v->damaged = true;
        for (u32 i = 0; i < cases && !v->damaged; i++)
            run->differences += !replay_case(run, &kind, v);
    }
}

/** Every row that user code may execute must be in the file. */
static bool all_there(const bool *seen)
{
    bool all = true;

    for (unsigned row = 0; row < INSN__COUNT; row++) {
        if (!oracle_row_is_user(row) || seen[row])
            continue;
        printf("%s: not in the file; make it again, with --save\n", insn_def[row].id);
        all = false;
    }
    return all;
}

bool oracle_replay(struct oracle_run *run, const char *path)
{
    static u8 host_windows[2 * ARENA_WINDOW];
    struct vector_bytes v = {NULL};
    bool seen[INSN__COUNT] = {false};

    if (!read_file(path, &v))
        return false;
    run->sides.native = (struct oracle_memory){host_windows, host_windows + ARENA_WINDOW};
    run->seed = vector_get(&v);
    u32 rows = vector_get(&v);
    bool known = true;
    for (u32 i = 0; i < rows && known && !v.damaged; i++) {
        unsigned row = read_row(&v);
        known = row < INSN__COUNT;
        if (!known)
            break;
        seen[row] = true;
        replay_row(run, row, &v);
    }
    if (v.damaged)
        printf("%s: damaged\n", path);
    bool ok = known && !v.damaged && all_there(seen) && run->differences == 0;
    printf("%lu cases of %u rows, %lu differences\n", run->instances, rows, run->differences);
    free(v.byte);
    return ok;
}

/* SPDX-License-Identifier: MIT */
#include "tests/isa/oracle_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/decode.h"
#include "tests/support/check.h"

enum { SINGLE_STEPPED = 16 }; /* instances of a form before the faster way is trusted */

void oracle_run_begin(struct oracle_run *run)
{
    run->sides.before.data = calloc(2, ARENA_WINDOW);
    assert_non_null(run->sides.before.data);
    run->sides.before.stack = run->sides.before.data + ARENA_WINDOW;
    run->engine = ours_create(&run->sides.ours, run->kind);
    if (!run->engine) {
        free(run->sides.before.data);
        skip();
    }
    assert_int_equal(decode_table_create(&run->table, DECODE_ALL_FEATURES), STATUS_OK);
}

void oracle_run_end(struct oracle_run *run)
{
    decode_table_destroy(run->table);
    ours_destroy(run->engine);
    free(run->sides.before.data);
}

/** Of the row's name: cases stay the same when rows are added. */
static u64 hash_of_name(const char *name)
{
    u64 h = 0xcbf29ce484222325; /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (u8)*name) * 0x100000001b3;
    return h;
}

bool oracle_run_generate(struct oracle_run *run, struct oracle_kind *kind, unsigned number,
                         struct oracle_case *c, struct insn *in)
{
    /* Every form starts from its own seed: --rows finds what the whole run found. */
    run->random.state = run->seed * 0x9e3779b97f4a7c15 + hash_of_name(insn_def[kind->row].id) +
                        (u64)kind->form * 0x10001 + kind->opsize16 * 0x101 +
                        (u64)kind->mode * 0x1000003 + (u64)number * 0xd1342543de82ef95;
    run->random.state |= 1;
    for (unsigned k = 0; k < 3; k++)
        random_u32(&run->random);
    kind->first = number < SINGLE_STEPPED;
    oracle_generate(&run->random, kind, &run->sides.before, c);
    if (decode(run->table, c->bytes, INSN_MAX_LEN, oracle_decode_mode(c), in) == DECODE_OK &&
        in->len == c->len)
        return true;
    printf("%s: encoded in %u bytes, decoded as %u\n", insn_def[kind->row].id, c->len, in->len);
    return false;
}

static void copy_windows(struct oracle_memory *to, const struct oracle_memory *from)
{
    memcpy(to->data, from->data, ARENA_WINDOW);
    memcpy(to->stack, from->stack, ARENA_WINDOW);
}

/** True: no difference. */
static bool ask_both(struct oracle_run *run, const struct oracle_case *c, const struct insn *in,
                     struct oracle_result *native, struct oracle_result *ours)
{
    copy_windows(&run->sides.native, &run->sides.before);
    copy_windows(&run->sides.ours, &run->sides.before);
    native_run(c, native);
    return ours_run(run->engine, c, ours) &&
           oracle_same(&run->sides, c, in, native, ours, run->undefined);
}

static bool still_differs(void *ctx, const struct oracle_case *c, const struct oracle_image *im)
{
    struct oracle_run *run = ctx;
    struct oracle_case plain = *c;
    struct oracle_result native, ours;
    struct insn in;

    image_to_input(im, &plain, &run->sides.before);
    return decode(run->table, c->bytes, INSN_MAX_LEN, oracle_decode_mode(c), &in) == DECODE_OK &&
           in.id == c->row && in.len == c->len && !ask_both(run, &plain, &in, &native, &ours);
}

static void minimise(struct oracle_run *run, const struct oracle_case *from)
{
    static struct oracle_image im, result;
    struct oracle_case c = *from;
    struct oracle_result native;

    image_of_input(&c, &run->sides.before, &im);
    if (!still_differs(run, &c, &im)) {
        printf("It does not happen again: it depends on what came before.\n");
        return;
    }
    oracle_minimise(&c, &im, still_differs, run);
    image_to_input(&im, &c, &run->sides.before);
    copy_windows(&run->sides.native, &run->sides.before);
    native_run(&c, &native);
    image_of_result(&c, &native, &run->sides.native, &result);
    printf("The same at its plainest, for oracle_cases.def:\n");
    oracle_print_case(&c, &im, &result);
}

bool oracle_run_both(struct oracle_run *run, const struct oracle_case *c, const struct insn *in)
{
    struct oracle_result native, ours;

    if (ask_both(run, c, in, &native, &ours))
        return true;
    oracle_report(&run->sides, c, in, &native, &ours);
    minimise(run, c);
    return false;
}

void oracle_each_kind(struct oracle_run *run, unsigned row, enum oracle_mode mode,
                      oracle_kind_fn *fn, void *ctx)
{
    struct oracle_kind kind = {.row = row, .mode = mode};
    const u8 pfx = insn_def[row].pfx;

    for (unsigned form = 0; form < FORM_IS__COUNT; form++) {
        if (!oracle_row_runs(row, form))
            continue;
        kind.form = form;
        kind.opsize16 = false;
        fn(run, &kind, ctx);
        kind.opsize16 = true;
        if (pfx != PFX_NP && pfx != PFX_66) /* else the prefix says which row it is */
            fn(run, &kind, ctx);
    }
}

bool oracle_row_is_user(unsigned row)
{
    return oracle_row_runs(row, FORM_IS_REG) || oracle_row_runs(row, FORM_IS_MEM) ||
           oracle_row_runs(row, FORM_IS_PLAIN);
}

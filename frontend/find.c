/* SPDX-License-Identifier: MIT */
#include "frontend/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/endings.h"
#include "frontend/exit_codes.h"
#include "frontend/hosttime.h"
#include "frontend/script_private.h"
#include "machine/snapshot.h"

enum { POLLS_BETWEEN_SNAPSHOTS = 100 };

struct find {
    struct script s;          /* of one expect */
    struct pc_snapshot *snap; /* owned: the last one at which it did not show... */
    u64 low;                  /* ...after so many instructions                   */
    u64 deadline;             /* of the host's clock; 0: none                    */
    bool failed;              /* what is looked for could not be read            */
};

static bool shows(struct find *f, struct pc *pc)
{
    free(f->s.screen);
    f->s.screen = NULL;
    return script_holds(&f->s, pc, &f->s.step[0], &f->failed);
}

/* May it go on? Else *@status says why not. */
static bool goes_on(const struct find *f, int *status)
{
    if (f->failed) {
        fprintf(stderr, "turbo86: --find-first: %s\n", f->s.reason);
        *status = EXIT_CODE_HOST;
    } else if (f->deadline && host_now() >= f->deadline) {
        fprintf(stderr, "turbo86: the wall timeout is over\n");
        *status = EXIT_CODE_WALL_TIMEOUT;
    } else {
        return true;
    }
    return false;
}

/* It does not show here: go on from here later. */
static bool remember(struct find *f, struct pc *pc)
{
    char error[PC_ERROR_MAX];

    pc_snapshot_free(f->snap);
    f->snap = NULL;
    f->low = pc_retired(pc);
    if (pc_snapshot_take(pc, &f->snap, error) == STATUS_OK)
        return true;
    fprintf(stderr, "turbo86: --find-first: %s\n", error);
    return false;
}

/* From the snapshot to @retired. */
static bool go_to(struct find *f, struct pc *pc, u64 retired, int *status)
{
    char error[PC_ERROR_MAX];

    *status = EXIT_CODE_HOST;

    if (pc_snapshot_apply(pc, f->snap, error) != STATUS_OK)
        return false;
    pc_stop_at(pc, retired);
    while (pc_retired(pc) < retired && pc_run(pc, 0) == PC_STOP_SLICE)
        if (!goes_on(f, status))
            break;
    pc_stop_at(pc, 0);
    return pc_retired(pc) == retired;
}

/* False: the machine stopped first, or the host failed; *@status says which. */
static bool run_until_it_shows(struct find *f, struct pc *pc, int *status)
{
    *status = EXIT_CODE_HOST;
    pc_set_poll(pc, SCRIPT_POLL_NS);
    for (unsigned polls = 0; !shows(f, pc);) {
        if (polls++ % POLLS_BETWEEN_SNAPSHOTS == 0 && !remember(f, pc))
            return false;
        while (!pc_poll_due(pc)) {
            if (!goes_on(f, status))
                return false;
            enum pc_stop stop = pc_run(pc, 0);
            if (stop == PC_STOP_SLICE)
                continue;
            if (shows(f, pc)) /* since the last look */
                return true;
            fprintf(stderr, "turbo86: --find-first: it never showed: %s\n", ending_text(stop));
            *status = EXIT_CODE_SCRIPT;
            return false;
        }
    }
    return true;
}

int find_run(struct find *f, struct pc *pc)
{
    u64 limit = config_num(f->s.cfg, CONFIG_wall_timeout);
    int status;

    f->deadline = limit ? host_now() + limit : 0;
    if (!run_until_it_shows(f, pc, &status))
        return status;
    u64 high = pc_retired(pc);
    if (!f->snap)
        f->low = high; /* from the start */
    while (high - f->low > 1) {
        u64 middle = f->low + (high - f->low) / 2;
        if (!go_to(f, pc, middle, &status))
            return status;
        if (shows(f, pc))
            high = middle;
        else if (!remember(f, pc))
            return EXIT_CODE_HOST;
    }
    if (f->snap && !go_to(f, pc, high, &status))
        return status;
    u64 ns = pc_time(pc);
    printf("first: %llu instructions, %llu.%09llu s, state %016llx\n", (unsigned long long)high,
           (unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000),
           (unsigned long long)pc_state_hash(pc));
    return EXIT_CODE_OK;
}

bool find_open(struct find **out, const struct config *cfg, char error[FIND_ERROR_MAX])
{
    const char *what = config_text(cfg, CONFIG_find_first);
    char text[1000];

    *out = NULL;
    if (!what)
        return true;
    struct find *f = calloc(1, sizeof(*f));
    if (!f) {
        snprintf(error, FIND_ERROR_MAX, "out of memory");
        return false;
    }
    f->s.path = "--find-first";
    f->s.cfg = cfg;
    int n = snprintf(text, sizeof(text), "expect %s", what);
    bool ok = n < (int)sizeof(text) && !strchr(text, '\n') && !config_text(cfg, CONFIG_script);
    snprintf(error, FIND_ERROR_MAX, "--find-first: it is one line, and without --script");
    ok = ok && script_parse_text(&f->s, text, error) && f->s.count == 1;
    if (ok && f->s.step[0].subject != ON_SCREEN && f->s.step[0].subject != ON_FRAME) {
        snprintf(error, FIND_ERROR_MAX, "--find-first: '%.100s' is not screen or frame", what);
        ok = false;
    }
    if (ok)
        *out = f;
    else
        find_close(f);
    return ok;
}

const struct script *find_script(const struct find *f)
{
    return &f->s;
}

void find_close(struct find *f)
{
    if (!f)
        return;
    pc_snapshot_free(f->snap);
    script_drop_steps(&f->s);
    free(f->s.screen);
    free(f);
}

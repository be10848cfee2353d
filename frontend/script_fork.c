/* SPDX-License-Identifier: MIT */
/*
 * One machine, several futures: a child process for each variant, with a copy of the machine that
 * costs only the pages that either writes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontend/exit_codes.h"
#include "frontend/script_private.h"

enum { VARIANTS_MAX = 256 };

struct variants {
    char *name[VARIANTS_MAX]; /* owned */
    pid_t pid[VARIANTS_MAX];
    int status[VARIANTS_MAX]; /* exit status; -1: it did not end by itself */
    unsigned count, started, running;
};

void script_drop_steps(struct script *s)
{
    for (unsigned i = 0; i < s->count; i++)
        step_free(&s->step[i]);
    free(s->step);
    s->step = NULL;
    s->count = s->room = 0;
}

static void free_names(struct variants *v)
{
    for (unsigned i = 0; i < v->count; i++)
        free(v->name[i]);
}

/* The words of @text. */
static bool split(struct variants *v, const char *text)
{
    for (const char *p = text + strspn(text, " \t"); *p; p += strspn(p, " \t")) {
        size_t n = strcspn(p, " \t");
        if (v->count == VARIANTS_MAX || !(v->name[v->count] = strndup(p, n)))
            return false;
        v->count++;
        p += n;
    }
    return true;
}

static void wait_for_one(struct variants *v)
{
    int how;
    pid_t pid = waitpid(-1, &how, 0);

    for (unsigned i = 0; pid > 0 && i < v->started; i++) {
        if (v->pid[i] != pid)
            continue;
        v->status[i] = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
        v->running--;
    }
}

/* The child: the script goes on with another file. */
static enum outcome become(struct script *s, struct pc *pc, char *name)
{
    char error[PC_ERROR_MAX] = "";

    s->variant = true;
    s->path = s->variant_path = name;
    if (pc_forked(pc, error) != STATUS_OK) {
        snprintf(s->reason, sizeof(s->reason), "%.390s", error);
        return STEP_FAILS;
    }
    script_drop_steps(s);
    if (!script_parse(s, name, s->reason) || !s->count) {
        fprintf(stderr, "turbo86: %s: it cannot be read any more\n", name);
        _exit(EXIT_CODE_SCRIPT);
    }
    s->next = 0;
    s->begun = false;
    return STEP_RESTART;
}

static enum outcome tell(struct script *s, const struct variants *v)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < v->count; i++) {
        if (v->status[i] == 0)
            printf("variant %s: ok\n", v->name[i]);
        else if (v->status[i] > 0)
            printf("variant %s: failed, status %d\n", v->name[i], v->status[i]);
        else
            printf("variant %s: failed, it was ended\n", v->name[i]);
        failed += v->status[i] != 0;
    }
    if (!failed)
        return STEP_DONE;
    snprintf(s->reason, sizeof(s->reason), "%u of %u variants failed", failed, v->count);
    return STEP_FAILS;
}

/* In the child @name is the variant's; otherwise it is NULL. */
static bool run_all(struct variants *v, char **name)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned limit = cpus > 1 ? (unsigned)cpus : 1;

    *name = NULL;
    fflush(stdout);
    fflush(stderr);
    while (v->started < v->count || v->running) {
        if (v->started == v->count || v->running == limit) {
            wait_for_one(v);
            continue;
        }
        pid_t pid = fork();
        if (pid < 0)
            return false;
        if (pid == 0) {
            *name = v->name[v->started];
            v->name[v->started] = NULL;
            return true;
        }
        v->status[v->started] = -1;
        v->pid[v->started++] = pid;
        v->running++;
    }
    return true;
}

enum outcome script_fork(struct script *s, struct pc *pc, const struct step *st)
{
    struct variants *v = calloc(1, sizeof(*v));
    char error[PC_ERROR_MAX] = "out of memory", *name = NULL;
    enum outcome o = STEP_FAILS;

    snprintf(s->reason, sizeof(s->reason), "the variants could not be started");
    if (v && split(v, st->arg)) {
        if (pc_prepare_fork(pc, error) != STATUS_OK)
            snprintf(s->reason, sizeof(s->reason), "%.390s", error);
        else if (run_all(v, &name))
            o = name ? become(s, pc, name) : tell(s, v);
    }
    while (v && !name && v->running) /* some were, others could not be */
        wait_for_one(v);
    if (v)
        free_names(v);
    free(v);
    return o;
}

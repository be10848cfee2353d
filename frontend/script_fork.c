/* SPDX-License-Identifier: MIT */
/*
 * One machine, several futures: a child process for each variant, with a copy of the machine that
 * costs only the pages that either writes.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontend/exit_codes.h"
#include "frontend/script_private.h"
#include "frontend/signals.h"

enum { VARIANTS_MAX = 256, ENDED = -1, NOT_STARTED = -2 };

struct variants {
    char *name[VARIANTS_MAX]; /* owned */
    pid_t pid[VARIANTS_MAX];
    int status[VARIANTS_MAX]; /* exit status, ENDED by a signal, or NOT_STARTED */
    unsigned count, started, running;
    /* Nothing is sent through it. The children read its end when the parent closes it, and also
     * when the parent is no more, whatever ended it. */
    int lifeline[2];
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
        v->status[v->count++] = NOT_STARTED;
        p += n;
    }
    return true;
}

/* Take the results of those that have ended. False: none has. */
static bool collect(struct variants *v)
{
    unsigned running = v->running;
    int how;
    pid_t pid;

    while (v->running && (pid = waitpid(-1, &how, WNOHANG)) > 0) {
        for (unsigned i = 0; i < v->started; i++) {
            if (v->pid[i] != pid)
                continue;
            v->status[i] = WIFEXITED(how) ? WEXITSTATUS(how) : ENDED;
            v->running--;
        }
    }
    return v->running != running;
}

static void let_go(struct variants *v)
{
    if (v->lifeline[1] >= 0)
        close(v->lifeline[1]);
    v->lifeline[1] = -1;
}

/* Until one has ended. A signal to the parent ends all of them. */
static void wait_for_one(struct variants *v)
{
    while (!collect(v)) {
        if (signals_caught())
            let_go(v);
        signals_wait();
    }
}

bool script_orphaned(const struct script *s)
{
    struct pollfd p = {.fd = s->lifeline, .events = POLLIN};

    return s->variant && poll(&p, 1, 0) == 1;
}

/* The child: the script goes on with another file. */
static enum outcome become(struct script *s, struct pc *pc, char *name, int lifeline)
{
    char error[PC_ERROR_MAX] = "";

    s->variant = true;
    s->lifeline = lifeline;
    s->path = s->variant_path = name;
    if (pc_forked(pc, error) != STATUS_OK) {
        snprintf(s->reason, sizeof(s->reason), "%.390s", error);
        return STEP_FAILS;
    }
    script_drop_steps(s);
    if (!script_parse(s, name, s->reason)) { /* it could, before the run */
        fprintf(stderr, "turbo86: %s\n", s->reason);
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
            script_say(s, "variant %s: ok", v->name[i]);
        else if (v->status[i] > 0)
            script_say(s, "variant %s: failed, status %d", v->name[i], v->status[i]);
        else
            script_say(s, "variant %s: failed, %s", v->name[i],
                       v->status[i] == ENDED ? "it was ended" : "it was not started");
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

    fflush(stdout);
    fflush(stderr);
    while ((v->started < v->count && !signals_caught()) || v->running) {
        if (v->started == v->count || v->running == limit || signals_caught()) {
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
        v->pid[v->started++] = pid;
        v->running++;
    }
    return true;
}

/* The same, while signals do not end the parent before its children. */
static bool run_held(struct variants *v, char **name)
{
    if (pipe(v->lifeline) != 0)
        return false;
    signals_hold();
    bool ok = run_all(v, name);
    while (!*name && v->running) /* some were, others could not be */
        wait_for_one(v);
    signals_let();
    let_go(v);
    if (!*name)
        close(v->lifeline[0]);
    return ok;
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
        else if (run_held(v, &name))
            o = name ? become(s, pc, name, v->lifeline[0]) : tell(s, v);
    }
    if (v)
        free_names(v);
    free(v);
    /* A signal ends the run: whoever asked for one more look will not come to it. */
    return signals_caught() && o == STEP_FAILS ? STEP_LATER : o;
}

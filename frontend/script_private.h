/* SPDX-License-Identifier: MIT */
/* Private to frontend/script*.c. */
#pragma once

#include <regex.h>
#include <stdio.h>

#include "frontend/failure.h"
#include "frontend/script.h"

enum step_verb {
    STEP_WAIT,
    STEP_EXPECT,
    STEP_REJECT,
    STEP_TYPE,
    STEP_KEY,
    STEP_MOUSE,
    STEP_SEND,
    STEP_SCREENSHOT,
    STEP_SNAPSHOT,
    STEP_INSERT,
    STEP_EJECT,
    STEP_MARK,
    STEP_RESET,
    STEP_POWERDOWN,
    STEP_NMI,
    STEP_TIMEOUT,
    STEP_FORK,
    STEP_EXIT,
};

/** What a wait, an expect or a reject looks at. */
enum step_subject { ON_SCREEN, ON_TAPE, ON_FRAME, ON_IDLE, ON_END, ON_TIME, ON_ANY };

enum step_state { STEP_NOT_RUN, STEP_OK, STEP_FAILED };

/** Text or a regular expression. */
struct pattern {
    char *text;    /* owned: as it is searched for, or NULL if there is a regex */
    regex_t regex; /* if is_regex                                              */
    bool is_regex;
};

struct step {
    unsigned line;
    char *source; /* owned: the line, without blanks around it */
    enum step_verb verb;
    enum step_subject subject;
    unsigned tape;
    struct pattern pattern;
    char *arg;  /* owned: text, file, frame */
    char *arg2; /* owned: a second one      */
    u64 time;   /* ns: a limit, or how long */
    int number[3];

    enum step_state state;
    u64 took; /* guest time, ns */
};

struct script {
    const char *path; /* of the configuration */
    const struct config *cfg;
    bool variant;                /* the process is a fork() of another one's script  */
    int lifeline;                /* of a variant: closed when the other one ends     */
    char *variant_path;          /* owned: what path is then                        */
    const struct script *parent; /* of a variant that is only read: who forks into it */
    struct step *step;           /* owned */
    unsigned count, room;

    unsigned next; /* the step to do */
    bool begun;    /* and it has begun, at: */
    u64 began;     /* guest time            */
    unsigned done; /* how much of it is done: characters sent, phases of a click */
    bool over;

    struct tape tape[TAPES];
    u64 quiet_since, halted_then;  /* guest time of the last output, and pc_time_halted() then */
    bool heard;                    /* output since the last poll                              */
    bool ended;                    /* the machine has stopped                                 */
    char *screen;                  /* owned: its text at this poll, or NULL if not asked for yet */
    char reason[SCRIPT_ERROR_MAX]; /* why the step failed */
};

#define SCRIPT_KEY_MAX 190u /* letters of a key's name */

/* --- script_check.c --- */
/** Whether @st, whose words are right, can be done. False: @why says why it never could. */
bool script_check(const struct script *s, const struct step *st,
                  char why[SCRIPT_ERROR_MAX]) MUST_CHECK;

/* --- script_parse.c --- */
/** Read @path into @s. False: @error, which names the line. */
bool script_parse(struct script *s, const char *path, char error[SCRIPT_ERROR_MAX]) MUST_CHECK;
/** The same with the text itself; s->path names it. */
bool script_parse_text(struct script *s, const char *text, char error[SCRIPT_ERROR_MAX]) MUST_CHECK;
void step_free(struct step *st);

/* --- script_fork.c --- */
/** What a step leads to. */
enum outcome {
    STEP_DONE,
    STEP_LATER,   /* ask again at the next poll     */
    STEP_FAILS,   /* s->reason says why             */
    STEP_RESTART, /* s has other steps now: a child */
};
/** One child for each file of @st, some at a time; the results in lines. */
enum outcome script_fork(struct script *s, struct pc *pc, const struct step *st);
/** Forget all steps. */
void script_drop_steps(struct script *s);

/* --- script_watch.c --- */
/** Whether @p is in @text from @from on; *@end is behind it. */
bool pattern_find(const struct pattern *p, const char *text, size_t from, size_t *end);
/** The text on the screen now. */
const char *script_screen(struct script *s, struct pc *pc);
/** Whether @text is the hash of a picture, and which. */
bool script_is_hash(const char *text, u64 *out);
/** Whether the screen is @want: a hash of 16 digits or a PNG file. *@error: it cannot be told. */
bool script_frame_is(struct script *s, struct pc *pc, const char *want, bool *error);
/** Whether the condition of @st holds now. *@error: s->reason says why it cannot be told. */
bool script_holds(struct script *s, struct pc *pc, const struct step *st, bool *error);
/** A reject in force that is violated, or NULL. */
const struct step *script_violated(struct script *s, struct pc *pc);

/* --- script_report.c --- */
/** Tell what failed, and with @save save what helps. */
void script_tell_failure(struct script *s, struct pc *pc, const struct step *st, bool save);
/** Print a line that is no result, behind the name of a variant, where it does not disturb any. */
void script_say(const struct script *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** The head of --tap, if it is the standard output: before anything else is. */
void script_begin_results(const struct script *s);
/** Write --tap and --junit. False: a file could not be written. */
bool script_write_results(const struct script *s);

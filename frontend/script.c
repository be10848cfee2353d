/* SPDX-License-Identifier: MIT */
/* Running scripts: at each poll, do as many steps as can be done. */
#include "frontend/script.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/endings.h"
#include "frontend/exit_codes.h"
#include "frontend/png.h"
#include "frontend/script_private.h"
#include "machine/snapshot.h"

#define CLICK_NS 100000000u /* a button is down */

static enum outcome fail(struct script *s, const char *why)
{
    snprintf(s->reason, sizeof(s->reason), "%.390s", why);
    return STEP_FAILS;
}

static void mark_active(struct script *s, const struct pc *pc)
{
    s->quiet_since = pc_time(pc);
    s->halted_then = pc_time_halted(pc);
}

/* --- the steps --- */

static enum outcome do_wait(struct script *s, struct pc *pc, struct step *st)
{
    bool error = false;
    u64 waited = pc_time(pc) - s->began;

    if (script_holds(s, pc, st, &error))
        return STEP_DONE;
    if (error)
        return STEP_FAILS;
    if (waited < st->time)
        return STEP_LATER;
    snprintf(s->reason, sizeof(s->reason), "it has not come within %llu.%03llu s",
             (unsigned long long)(waited / 1000000000),
             (unsigned long long)(waited / 1000000 % 1000));
    if (st->subject == ON_FRAME)
        snprintf(s->reason + strlen(s->reason), 60, "; the frame is %016llx",
                 (unsigned long long)failure_frame_hash(pc));
    return STEP_FAILS;
}

static enum outcome do_expect(struct script *s, struct pc *pc, struct step *st)
{
    bool error = false;

    if (script_holds(s, pc, st, &error))
        return STEP_DONE;
    if (error)
        return STEP_FAILS;
    if (st->subject == ON_FRAME)
        snprintf(s->reason, sizeof(s->reason), "the frame is %016llx",
                 (unsigned long long)failure_frame_hash(pc));
    else
        snprintf(s->reason, sizeof(s->reason), "it is not there");
    return STEP_FAILS;
}

/* Start typing, then wait until the guest has it. */
static enum outcome type_text(struct script *s, struct pc *pc, const char *text)
{
    char error[PC_ERROR_MAX];

    if (s->done)
        return pc_typing_done(pc) && pc_keyboard_idle(pc) ? STEP_DONE : STEP_LATER;
    s->done = 1;
    return pc_type(pc, text, error) == STATUS_OK ? STEP_LATER : fail(s, error);
}

static enum outcome do_type(struct script *s, struct pc *pc, struct step *st)
{
    return type_text(s, pc, st->arg);
}

static enum outcome do_key(struct script *s, struct pc *pc, struct step *st)
{
    char text[SCRIPT_KEY_MAX + 3];

    snprintf(text, sizeof(text), "<%.190s>", st->arg);
    return type_text(s, pc, text);
}

static enum outcome do_mouse(struct script *s, struct pc *pc, struct step *st)
{
    if (st->subject != ON_ANY) {
        pc_mouse_move(pc, st->number[0], st->number[1], st->number[2]);
        return STEP_DONE;
    }
    if (!s->done) {
        s->done = 1;
        pc_mouse_buttons(pc, (u8)st->number[0]);
        return STEP_LATER;
    }
    if (pc_time(pc) - s->began < CLICK_NS * s->done)
        return STEP_LATER;
    pc_mouse_buttons(pc, 0);
    return s->done++ == 1 ? STEP_LATER : STEP_DONE;
}

static enum outcome do_send(struct script *s, struct pc *pc, struct step *st)
{
    while (st->arg[s->done] && pc_serial_ready(pc, st->tape))
        pc_serial_input(pc, st->tape, (u8)st->arg[s->done++]);
    return st->arg[s->done] ? STEP_LATER : STEP_DONE;
}

static enum outcome do_screenshot(struct script *s, struct pc *pc, struct step *st)
{
    struct pc_frame f;
    enum status status = pc_screen_steady(pc, &f);

    if (status == STATUS_OK) {
        status = png_save(st->arg, f.pixels, f.width, f.height, f.width);
        free(f.pixels);
    }
    return status == STATUS_OK ? STEP_DONE : fail(s, status_text(status));
}

static enum outcome do_snapshot(struct script *s, struct pc *pc, struct step *st)
{
    char error[PC_ERROR_MAX];
    bool load = st->number[0];
    enum status status =
        load ? pc_snapshot_load(pc, st->arg, error) : pc_snapshot_save(pc, st->arg, error);

    if (status != STATUS_OK)
        return fail(s, error);
    if (load) {
        s->began = pc_time(pc);
        mark_active(s, pc);
        free(s->screen);
        s->screen = NULL;
    }
    return STEP_DONE;
}

static enum outcome do_insert(struct script *s, struct pc *pc, struct step *st)
{
    char error[PC_ERROR_MAX];

    return pc_change_medium(pc, st->arg, st->arg2, error) == STATUS_OK ? STEP_DONE : fail(s, error);
}

static enum outcome do_mark(struct script *s, struct pc *pc, struct step *st)
{
    u64 ns = pc_time(pc);
    script_say(s, "mark%s: %llu.%03llu s, %llu instructions, frame %016llx, state %016llx", st->arg,
               (unsigned long long)(ns / 1000000000), (unsigned long long)(ns / 1000000 % 1000),
               (unsigned long long)pc_retired(pc), (unsigned long long)failure_frame_hash(pc),
               (unsigned long long)pc_state_hash(pc));
    return STEP_DONE;
}

static enum outcome do_reset(struct script *s, struct pc *pc, struct step *st)
{
    (void)s, (void)st;
    pc_reset(pc);
    return STEP_DONE;
}

static enum outcome do_powerdown(struct script *s, struct pc *pc, struct step *st)
{
    (void)st;
    return pc_power_button(pc) ? STEP_DONE
                               : fail(s, "the guest does not listen to the power button");
}

static enum outcome do_nmi(struct script *s, struct pc *pc, struct step *st)
{
    (void)s, (void)st;
    pc_nmi(pc);
    return STEP_DONE;
}

static enum outcome do_fork(struct script *s, struct pc *pc, struct step *st)
{
    return script_fork(s, pc, st);
}

static enum outcome do_nothing(struct script *s, struct pc *pc, struct step *st)
{
    (void)s, (void)pc, (void)st;
    return STEP_DONE;
}

static enum outcome (*const doing[])(struct script *s, struct pc *pc, struct step *st) = {
    [STEP_WAIT] = do_wait,         [STEP_EXPECT] = do_expect,
    [STEP_REJECT] = do_nothing,    [STEP_TYPE] = do_type,
    [STEP_KEY] = do_key,           [STEP_MOUSE] = do_mouse,
    [STEP_SEND] = do_send,         [STEP_SCREENSHOT] = do_screenshot,
    [STEP_SNAPSHOT] = do_snapshot, [STEP_INSERT] = do_insert,
    [STEP_EJECT] = do_insert,      [STEP_MARK] = do_mark,
    [STEP_RESET] = do_reset,       [STEP_POWERDOWN] = do_powerdown,
    [STEP_NMI] = do_nmi,           [STEP_TIMEOUT] = do_nothing,
    [STEP_FORK] = do_fork,         [STEP_EXIT] = do_nothing,
};

/* --- the run --- */

/* All is over: reports, and the exit status. */
static int finish(struct script *s, int status)
{
    s->over = true;
    return s->variant || script_write_results(s) ? status : EXIT_CODE_HOST;
}

static int finish_failed(struct script *s, struct pc *pc, struct step *st)
{
    st->state = STEP_FAILED;
    st->took = pc_time(pc) - s->began;
    script_tell_failure(s, pc, st, true);
    return finish(s, EXIT_CODE_SCRIPT);
}

/* In a machine that has stopped a wait will wait for ever, and the input that made it stop was
 * taken. */
static enum outcome do_step(struct script *s, struct pc *pc, struct step *st)
{
    bool looks = st->verb == STEP_WAIT || st->verb == STEP_EXPECT || st->verb == STEP_REJECT ||
                 st->verb == STEP_SCREENSHOT || st->verb == STEP_MARK || st->verb == STEP_EXIT ||
                 st->verb == STEP_TIMEOUT;

    if (s->ended && !looks)
        return s->done ? STEP_DONE : STEP_FAILS;
    enum outcome o = doing[st->verb](s, pc, st);
    return o == STEP_LATER && s->ended ? STEP_FAILS : o;
}

/* Steps until one has to wait. True: the script is at its end. */
static bool go_on(struct script *s, struct pc *pc, int guest_status, int *status)
{
    while (s->next < s->count) {
        struct step *st = &s->step[s->next];
        if (!s->begun) {
            s->begun = true;
            s->began = pc_time(pc);
            s->done = 0;
        }
        enum outcome o = do_step(s, pc, st);
        if (o == STEP_LATER)
            return false;
        if (o == STEP_RESTART)
            continue;
        if (o == STEP_FAILS) {
            *status = finish_failed(s, pc, st);
            return true;
        }
        st->state = STEP_OK;
        st->took = pc_time(pc) - s->began;
        s->begun = false;
        s->next++;
        if (st->verb == STEP_EXIT) {
            *status = finish(s, st->number[0]);
            return true;
        }
    }
    *status = finish(s, guest_status);
    return true;
}

static bool look(struct script *s, struct pc *pc, int guest_status, int *status)
{
    free(s->screen);
    s->screen = NULL;
    const struct step *bad = script_violated(s, pc);
    if (bad) {
        snprintf(s->reason, sizeof(s->reason), "it came, while the script was at line %u",
                 s->next < s->count ? s->step[s->next].line : s->step[s->count - 1].line);
        *status = finish_failed(s, pc, &s->step[bad - s->step]);
        return true;
    }
    return go_on(s, pc, guest_status, status);
}

bool script_poll(struct script *s, struct pc *pc, int *status)
{
    if (s->over)
        return true;
    if (s->heard)
        mark_active(s, pc);
    s->heard = false;
    return look(s, pc, EXIT_CODE_OK, status);
}

/* The host ends the run because of @why. False: the script was at its end. */
static bool interrupt(struct script *s, struct pc *pc, const char *why, bool save)
{
    if (s->over || s->next >= s->count)
        return false;
    struct step *st = &s->step[s->next];
    snprintf(s->reason, sizeof(s->reason), "%.390s", why);
    st->state = STEP_FAILED;
    st->took = s->begun ? pc_time(pc) - s->began : 0;
    script_tell_failure(s, pc, st, save);
    int ignored = finish(s, 0);
    (void)ignored; /* the run has a status already */
    return true;
}

int script_ended(struct script *s, struct pc *pc, int status, bool wanted)
{
    const char *why = status == EXIT_CODE_WALL_TIMEOUT ? "the wall timeout is over"
                                                       : "the run was ended from outside";
    bool open = interrupt(s, pc, why, !wanted && !script_orphaned(s));

    return open && status == EXIT_CODE_OK ? EXIT_CODE_SCRIPT : status;
}

int script_stopped(struct script *s, struct pc *pc, enum pc_stop stop, int status)
{
    if (s->over)
        return status;
    if (stop == PC_STOP_TIMEOUT || stop == PC_STOP_DIFFERENCE) {
        bool open = interrupt(s, pc, ending_text(stop), true);
        (void)open; /* the status says more */
        return status;
    }
    s->ended = true;
    snprintf(s->reason, sizeof(s->reason), "%.390s", ending_text(stop));
    bool over = look(s, pc, status, &status);
    (void)over; /* nothing can be STEP_LATER now */
    return status;
}

void script_output(struct script *s, unsigned tape, u8 byte)
{
    s->heard = true;
    tape_put(&s->tape[tape], byte);
}

/* --- life --- */

bool script_open(struct script **out, const struct config *cfg, char error[SCRIPT_ERROR_MAX])
{
    const char *path = config_text(cfg, CONFIG_script);
    struct script *s;

    *out = NULL;
    if (!path)
        return true;
    s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(error, SCRIPT_ERROR_MAX, "out of memory");
        return false;
    }
    s->path = path;
    s->cfg = cfg;
    if (!script_parse(s, path, error)) {
        script_close(s);
        return false;
    }
    script_begin_results(s);
    *out = s;
    return true;
}

void script_close(struct script *s)
{
    if (!s)
        return;
    script_drop_steps(s);
    free(s->variant_path);
    for (unsigned i = 0; i < TAPES; i++)
        tape_free(&s->tape[i]);
    free(s->screen);
    free(s);
}

/* SPDX-License-Identifier: MIT */
/* The commands. Each answers by itself: with done(), refuse() or what was asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/newfile.h"
#include "frontend/json.h"
#include "frontend/monitor.h"
#include "frontend/png.h"
#include "frontend/qmp_private.h"
#include "frontend/report.h"
#include "machine/keymap.h"

enum { TEXT = 4200, ANSWER = 40000 };

/* A request that is executed. */
struct call {
    struct qmp *q;
    struct pc *pc;
    const char *args; /* NULL: none */
    const char *id;   /* NULL: none; a value */
    int id_len;
};

/* --- answers --- */

static void reply(const struct call *c, const char *value)
{
    if (c->id)
        qmp_send(c->q, "{\"return\": %s, \"id\": %.*s}", value, c->id_len, c->id);
    else
        qmp_send(c->q, "{\"return\": %s}", value);
}

static void done(const struct call *c)
{
    reply(c, "{}");
}

static void refuse_as(const struct call *c, const char *class, const char *why)
{
    char text[1000];

    json_quote(why, text, sizeof(text));
    if (c->id)
        qmp_send(c->q, "{\"id\": %.*s, \"error\": {\"class\": \"%s\", \"desc\": %s}}", c->id_len,
                 c->id, class, text);
    else
        qmp_send(c->q, "{\"error\": {\"class\": \"%s\", \"desc\": %s}}", class, text);
}

static void refuse(const struct call *c, const char *why)
{
    refuse_as(c, "GenericError", why);
}

/* The text of argument @name. False: refused. */
static bool text_arg(const struct call *c, const char *name, char out[TEXT])
{
    char why[120];

    if (json_string(json_member(c->args, name), out, TEXT))
        return true;
    snprintf(why, sizeof(why), "Parameter '%s' is missing", name);
    refuse(c, why);
    return false;
}

/* --- the machine --- */

static void do_capabilities(const struct call *c)
{
    c->q->negotiated = true;
    done(c);
}

static void do_status(const struct call *c)
{
    const char *status = pc_is_off(c->pc)  ? "shutdown"
                         : !c->q->holds    ? "running"
                         : c->q->prelaunch ? "prelaunch"
                                           : "paused";
    char text[100];

    snprintf(text, sizeof(text), "{\"status\": \"%s\", \"running\": %s}", status,
             strcmp(status, "running") == 0 ? "true" : "false");
    reply(c, text);
}

static void do_version(const struct call *c)
{
    reply(c, "{\"qemu\": {\"micro\": 0, \"minor\": 1, \"major\": 0}, \"package\": \"turbo86\"}");
}

static void do_stop(const struct call *c)
{
    if (!pc_is_off(c->pc)) {
        if (!c->q->holds)
            qmp_event(c->q, "STOP", "");
        c->q->holds = true;
        pc_set_held(c->pc, true);
    }
    done(c);
}

static void do_cont(const struct call *c)
{
    if (pc_is_off(c->pc)) {
        refuse(c, "Resetting the Virtual Machine is required");
        return;
    }
    if (c->q->holds)
        qmp_event(c->q, "RESUME", "");
    c->q->holds = c->q->prelaunch = false;
    pc_set_held(c->pc, false);
    done(c);
}

static void do_reset(const struct call *c)
{
    pc_reset(c->pc);
    c->q->prelaunch = c->q->prelaunch || c->q->holds;
    c->q->resets = pc_resets(c->pc);
    done(c);
    qmp_event(c->q, "RESET", "{\"guest\": false, \"reason\": \"host-qmp-system-reset\"}");
}

static void do_powerdown(const struct call *c)
{
    bool heard = pc_power_button(c->pc);
    (void)heard; /* a guest need not listen */
    done(c);
    qmp_event(c->q, "POWERDOWN", "");
}

static void do_quit(const struct call *c)
{
    done(c);
    qmp_event(c->q, "SHUTDOWN", "{\"guest\": false, \"reason\": \"host-qmp-quit\"}");
    c->q->quit = true;
}

/* --- the screen --- */

static enum status save_ppm(const char *path, const struct pc_frame *f)
{
    struct newfile file;

    if (!newfile_open(&file, path))
        return STATUS_NO_FILE;
    FILE *out = file.out;
    fprintf(out, "P6\n%u %u\n255\n", f->width, f->height);
    for (size_t i = 0; i < (size_t)f->width * f->height; i++) {
        u32 v = f->pixels[i];
        fputc((int)(v >> 16 & 255), out);
        fputc((int)(v >> 8 & 255), out);
        fputc((int)(v & 255), out);
    }
    return newfile_close(&file, true) ? STATUS_OK : STATUS_IO;
}

static void do_screendump(const struct call *c)
{
    char path[TEXT], format[16] = "ppm", error[PC_ERROR_MAX];
    struct pc_frame f;

    if (!text_arg(c, "filename", path))
        return;
    (void)json_string(json_member(c->args, "format"), format, sizeof(format));
    if (strcmp(format, "png") != 0 && strcmp(format, "ppm") != 0) {
        refuse(c, "format is png or ppm");
        return;
    }
    if (!pc_may_write(c->pc, path, error)) {
        refuse(c, error);
        return;
    }
    enum status s = pc_screen_frame(c->pc, &f);
    errno = 0;
    if (s == STATUS_OK) {
        s = strcmp(format, "png") == 0 ? png_save(path, f.pixels, f.width, f.height, f.width)
                                       : save_ppm(path, &f);
        free(f.pixels);
    }
    if (s == STATUS_OK)
        done(c);
    else
        refuse(c, report_why(s));
}

/* --- keys and mouse --- */

/* {"type": "qcode", "data": "ctrl"}, or {"type": "number", "data": 29}: the name. */
static bool key_name(const char *value, char *out, size_t size)
{
    const char *data = json_member(value, "data");
    char type[16];
    i64 n;

    if (!json_string(json_member(value, "type"), type, sizeof(type)))
        return false;
    if (strcmp(type, "qcode") == 0)
        return json_string(data, out, size) && keymap_name(out, strlen(out));
    if (strcmp(type, "number") != 0 || !json_number(data, &n) || n < 1 || n > 255)
        return false;
    /* Bit 7 is QEMU's word for the E0h before the code. */
    const char *name = keymap_name_of(n & 0x80 ? 0xe000u | (n & 0x7f) : (unsigned)n);
    return name && snprintf(out, size, "%s", name) < (int)size;
}

static void do_send_key(const struct call *c)
{
    const char *keys = json_member(c->args, "keys"), *k = NULL;
    char text[200] = "<", name[40], error[PC_ERROR_MAX] = "Parameter 'keys' is missing";
    size_t n = 1;

    while ((k = json_next(keys, k))) {
        if (!key_name(k, name, sizeof(name)) || n + strlen(name) + 3 > sizeof(text)) {
            refuse(c, "there is no such key");
            return;
        }
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 1 ? "-" : "", name);
    }
    strcat(text, ">");
    if (n > 1 && pc_type(c->pc, text, error) == STATUS_OK)
        done(c);
    else
        refuse(c, error);
}

static bool send_key_event(const struct call *c, const char *data)
{
    char name[40];
    bool down;

    if (!key_name(json_member(data, "key"), name, sizeof(name)) ||
        !json_bool(json_member(data, "down"), &down))
        return false;
    bool room = pc_key(c->pc, keymap_name(name, strlen(name)), down);
    (void)room; /* the guest is told of an overrun */
    return true;
}

static bool send_button_event(const struct call *c, const char *data)
{
    static const char *const buttons[] = {"left", "right", "middle"};
    char name[40];
    bool down;

    if (!json_string(json_member(data, "button"), name, sizeof(name)) ||
        !json_bool(json_member(data, "down"), &down))
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(buttons); i++) {
        if (strcmp(name, buttons[i]) == 0)
            c->q->buttons = (u8)(down ? c->q->buttons | BIT(i) : c->q->buttons & ~BIT(i));
    }
    if (down && strncmp(name, "wheel-", 6) == 0)
        pc_mouse_move(c->pc, 0, 0, strcmp(name, "wheel-down") == 0 ? 1 : -1);
    pc_mouse_buttons(c->pc, c->q->buttons);
    return true;
}

static bool send_move_event(const struct call *c, const char *data)
{
    char axis[8];
    i64 value;

    if (!json_string(json_member(data, "axis"), axis, sizeof(axis)) ||
        !json_number(json_member(data, "value"), &value) || value < -100000 || value > 100000)
        return false;
    pc_mouse_move(c->pc, *axis == 'x' ? (int)value : 0, *axis == 'y' ? (int)value : 0, 0);
    return true;
}

/* One axis at a time, of 0 to 32767: the other one stays. */
static bool send_place_event(const struct call *c, const char *data)
{
    char axis[8];
    i64 value;

    if (!json_string(json_member(data, "axis"), axis, sizeof(axis)) ||
        !json_number(json_member(data, "value"), &value) || value < 0 || value > 32767)
        return false;
    u16 *to = *axis == 'x' ? &c->q->x : &c->q->y;
    *to = (u16)(value * 65535 / 32767);
    pc_mouse_point(c->pc, c->q->x, c->q->y);
    return true;
}

static void do_input(const struct call *c)
{
    const char *events = json_member(c->args, "events"), *e = NULL;
    char type[16];

    while ((e = json_next(events, e))) {
        const char *data = json_member(e, "data");
        bool ok = json_string(json_member(e, "type"), type, sizeof(type));
        if (ok && strcmp(type, "key") == 0)
            ok = send_key_event(c, data);
        else if (ok && strcmp(type, "btn") == 0)
            ok = send_button_event(c, data);
        else if (ok && strcmp(type, "abs") == 0)
            ok = send_place_event(c, data);
        else
            ok = ok && strcmp(type, "rel") == 0 && send_move_event(c, data);
        if (!ok) {
            refuse(c, "an event is none of key, btn, rel and abs, or says nothing that there is");
            return;
        }
    }
    done(c);
}

/* --- the monitor --- */

static void do_monitor(const struct call *c)
{
    char line[TEXT], error[CHARDEV_ERROR_MAX];
    struct chardev *out;

    if (!text_arg(c, "command-line", line))
        return;
    char *quoted = malloc(ANSWER);
    if (!quoted || chardev_open(&out, "memory", error) != STATUS_OK) {
        free(quoted);
        refuse(c, "out of memory");
        return;
    }
    if (monitor_command(line, out, c->pc))
        c->q->quit = true;
    json_quote(chardev_memory(out), quoted, ANSWER);
    reply(c, quoted);
    chardev_close(out);
    free(quoted);
}

/* --- all of them --- */

static void do_commands(const struct call *c);

static const struct {
    const char *name;
    void (*run)(const struct call *c);
} commands[] = {
    {"qmp_capabilities", do_capabilities},
    {"query-status", do_status},
    {"query-version", do_version},
    {"query-commands", do_commands},
    {"stop", do_stop},
    {"cont", do_cont},
    {"system_reset", do_reset},
    {"system_powerdown", do_powerdown},
    {"quit", do_quit},
    {"screendump", do_screendump},
    {"send-key", do_send_key},
    {"input-send-event", do_input},
    {"human-monitor-command", do_monitor},
};

static void do_commands(const struct call *c)
{
    char text[1500] = "[";

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s{\"name\": \"%s\"}",
                 i ? ", " : "", commands[i].name);
    strcat(text, "]");
    reply(c, text);
}

void qmp_execute(struct qmp *q, struct pc *pc, const char *request)
{
    struct call c = {.q = q, .pc = pc, .args = json_member(request, "arguments")};
    const char *end;
    char name[60] = "", why[120];

    c.id = json_member(request, "id");
    if (c.id && json_skip(c.id, &end) == JSON_WHOLE)
        c.id_len = (int)(end - c.id);
    if (!json_string(json_member(request, "execute"), name, sizeof(name))) {
        refuse(&c, "QMP input lacks member 'execute'");
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(name, commands[i].name) != 0 || (i != 0 && !q->negotiated))
            continue;
        commands[i].run(&c);
        return;
    }
    snprintf(why, sizeof(why), "%s%.60s%s",
             q->negotiated ? "The command "
                           : "Expecting capabilities "
                             "negotiation, not ",
             name, q->negotiated ? " has not been found" : "");
    refuse_as(&c, "CommandNotFound", why);
}

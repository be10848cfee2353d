/* SPDX-License-Identifier: MIT */
/* What gdb asks, and the answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/gdb_private.h"
#include "machine/journal.h"

enum { SIGNAL_TRAP = 5, CHUNK_MAX = GDB_PACKET / 2 - 16 };

#define FEATURES                                                                                   \
    "PacketSize=2000;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+;QStartNoAckMode+"

static const char digits[] = "0123456789abcdef";

/* --- numbers --- */

/* @n bytes as twice as many digits. */
static char *put_hex(char *to, const u8 *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    *to = 0;
    return to;
}

static int digit(char c)
{
    const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return p ? (int)(p - digits) : -1;
}

/* At most @n bytes from pairs of digits. */
static size_t take_hex(const char **p, u8 *to, size_t n)
{
    size_t i = 0;

    for (; i < n && digit((*p)[0]) >= 0 && digit((*p)[1]) >= 0; i++, *p += 2)
        to[i] = (u8)(digit((*p)[0]) << 4 | digit((*p)[1]));
    return i;
}

/* A hexadecimal number and the separator behind it. */
static bool take_number(const char **p, char separator, u32 *out)
{
    char *end;

    if (digit(**p) < 0)
        return false;
    *out = (u32)strtoull(*p, &end, 16);
    if (separator && *end != separator)
        return false;
    *p = end + (separator != 0);
    return true;
}

static void answer(struct gdbstub *g, bool ok)
{
    gdb_send(g, ok ? "OK" : "E01");
}

/*
 * The user is about to change the machine. What was before does not lead to what comes any more:
 * the way back ends here. False: not while a recording is replayed, which would be false then.
 */
static bool may_change(struct gdbstub *g)
{
    if (pc_replays(g->pc))
        return false;
    gdb_past_free(g);
    return true;
}

/* --- registers and memory --- */

static void all_registers(struct gdbstub *g, const char *args)
{
    u8 value[PC_DEBUG_REGISTER_MAX];
    char *p = g->out;

    (void)args;
    for (unsigned i = 0; i < pc_debug_registers(); i++) {
        pc_debug_get(g->pc, i, value);
        p = put_hex(p, value, pc_debug_register_size(i));
    }
    gdb_send(g, g->out);
}

static void set_all_registers(struct gdbstub *g, const char *args)
{
    u8 value[PC_DEBUG_REGISTER_MAX];
    bool ok = may_change(g);

    for (unsigned i = 0; ok && i < pc_debug_registers(); i++) {
        unsigned size = pc_debug_register_size(i);
        if (take_hex(&args, value, size) != size)
            break;
        pc_debug_set(g->pc, i, value);
    }
    answer(g, ok);
}

static void one_register(struct gdbstub *g, const char *args)
{
    u8 value[PC_DEBUG_REGISTER_MAX];
    u32 n;

    if (!take_number(&args, 0, &n) || n >= pc_debug_registers()) {
        answer(g, false);
        return;
    }
    pc_debug_get(g->pc, n, value);
    put_hex(g->out, value, pc_debug_register_size(n));
    gdb_send(g, g->out);
}

static void set_register(struct gdbstub *g, const char *args)
{
    u8 value[PC_DEBUG_REGISTER_MAX];
    u32 n;
    bool ok = take_number(&args, '=', &n) && n < pc_debug_registers() &&
              take_hex(&args, value, pc_debug_register_size(n)) == pc_debug_register_size(n) &&
              may_change(g);

    if (ok)
        pc_debug_set(g->pc, n, value);
    answer(g, ok);
}

static void read_memory(struct gdbstub *g, const char *args)
{
    u8 bytes[CHUNK_MAX];
    u32 at, len;
    size_t n = 0;

    if (take_number(&args, ',', &at) && take_number(&args, 0, &len))
        n = pc_debug_read(g->pc, at, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
    if (!n) {
        gdb_send(g, "E14");
        return;
    }
    put_hex(g->out, bytes, n);
    gdb_send(g, g->out);
}

static void write_memory(struct gdbstub *g, const char *args)
{
    u8 bytes[CHUNK_MAX];
    u32 at, len;
    bool ok = take_number(&args, ',', &at) && take_number(&args, ':', &len) &&
              len <= sizeof(bytes) && take_hex(&args, bytes, len) == len && (!len || may_change(g));

    answer(g, ok && pc_debug_write(g->pc, at, bytes, len) == len);
}

/* --- running --- */

void gdb_report_stop(struct gdbstub *g, unsigned signal)
{
    struct pc_debug_hit hit = pc_debug_last(g->pc);
    char text[80];

    if (signal != SIGNAL_TRAP || !hit.hit)
        snprintf(text, sizeof(text), "T%02xthread:1;", signal);
    else if (hit.kind == PC_DEBUG_BREAK)
        snprintf(text, sizeof(text), "T05thread:1;swbreak:;");
    else
        snprintf(text, sizeof(text), "T05thread:1;%s:%x;",
                 hit.kind == PC_DEBUG_WRITE ? "watch" : "awatch", hit.at);
    gdb_send(g, text);
}

static void resume(struct gdbstub *g, bool step)
{
    gdb_past_note(g);
    pc_debug_resume(g->pc);
    g->stepping = step;
    g->step_end = pc_retired(g->pc) + 1;
    pc_stop_at(g->pc, step ? g->step_end : 0);
    g->holds = false;
}

static void go_on(struct gdbstub *g, const char *args)
{
    (void)args;
    resume(g, false);
}

static void step(struct gdbstub *g, const char *args)
{
    (void)args;
    resume(g, true);
}

/* vCont;s:1;c and the like: the first action is the one of the only thread. */
static void continue_threads(struct gdbstub *g, const char *args)
{
    if (strcmp(args, "Cont?") == 0)
        gdb_send(g, "vCont;c;C;s;S");
    else if (strncmp(args, "Cont;", 5) == 0)
        resume(g, args[5] == 's' || args[5] == 'S');
    else if (strncmp(args, "Kill", 4) == 0)
        g->killed = true;
    else
        gdb_send(g, "");
}

/* bs, bc: at the begin of what is known gdb is told so. */
static void go_back(struct gdbstub *g, const char *args)
{
    if (!pc_deterministic(g->pc)) {
        gdb_send(g, "E02");
        return;
    }
    gdb_past_note(g);
    bool ok = *args == 's' ? gdb_step_back(g) : gdb_continue_back(g);
    if (ok)
        gdb_report_stop(g, SIGNAL_TRAP);
    else
        gdb_send(g, "T05thread:1;replaylog:begin;");
}

static bool kind_of(char c, enum pc_debug_kind *kind)
{
    *kind = c == '0' || c == '1' ? PC_DEBUG_BREAK : c == '2' ? PC_DEBUG_WRITE : PC_DEBUG_ACCESS;
    return c >= '0' && c <= '4';
}

static void insert(struct gdbstub *g, const char *args)
{
    enum pc_debug_kind kind;
    u32 at, len;

    if (!kind_of(*args, &kind) || args[1] != ',') {
        gdb_send(g, "");
        return;
    }
    args += 2;
    answer(g, take_number(&args, ',', &at) && take_number(&args, 0, &len) &&
                  pc_debug_insert(g->pc, kind, at, len));
}

static void remove_point(struct gdbstub *g, const char *args)
{
    enum pc_debug_kind kind;
    u32 at;

    if (!kind_of(*args, &kind) || args[1] != ',') {
        gdb_send(g, "");
        return;
    }
    args += 2;
    bool ok = take_number(&args, ',', &at);
    if (ok)
        pc_debug_remove(g->pc, kind, at);
    answer(g, ok);
}

/* --- queries --- */

static void send_description(struct gdbstub *g, const char *args)
{
    u32 at, len;

    if (!take_number(&args, ',', &at) || !take_number(&args, 0, &len)) {
        answer(g, false);
        return;
    }
    char *now = at ? NULL : pc_debug_description(g->pc); /* somebody begins to read */
    if (now) {
        free(g->xml);
        g->xml = now;
    }
    size_t size = strlen(g->xml);
    size_t left = at < size ? size - at : 0;
    if (len > CHUNK_MAX)
        len = CHUNK_MAX;
    snprintf(g->out, sizeof(g->out), "%c%.*s", left > len ? 'm' : 'l',
             (int)(left < len ? left : len), g->xml + (left ? at : size));
    gdb_send(g, g->out);
}

/* monitor COMMAND: what helps beside gdb's own. */
static void monitor_command(struct gdbstub *g, const char *args)
{
    char line[80] = "", text[4096] = "";
    size_t n = take_hex(&args, (u8 *)line, sizeof(line) - 1);

    line[n] = 0;
    if (strcmp(line, "info registers") == 0)
        pc_dump_registers(g->pc, text, sizeof(text) - 1);
    else if (strcmp(line, "system_reset") == 0 && !may_change(g))
        snprintf(text, sizeof(text), "not while a recording is replayed");
    else if (strcmp(line, "system_reset") == 0)
        pc_reset(g->pc);
    else if (strcmp(line, "info time") == 0)
        snprintf(text, sizeof(text), "%llu instructions, %llu ns, state %016llx",
                 (unsigned long long)pc_retired(g->pc), (unsigned long long)pc_time(g->pc),
                 (unsigned long long)pc_state_hash(g->pc));
    else
        snprintf(text, sizeof(text), "info registers, info time, system_reset");
    strcat(text, "\n");
    put_hex(g->out, (const u8 *)text, strlen(text));
    gdb_send(g, g->out);
}

static void query(struct gdbstub *g, const char *args)
{
    static const char features[] = "Xfer:features:read:target.xml:", rcmd[] = "Rcmd,";

    if (strncmp(args, "Supported", 9) == 0)
        gdb_send(g, pc_deterministic(g->pc) ? FEATURES ";ReverseStep+;ReverseContinue+" : FEATURES);
    else if (strncmp(args, features, strlen(features)) == 0)
        send_description(g, args + strlen(features));
    else if (strncmp(args, rcmd, strlen(rcmd)) == 0)
        monitor_command(g, args + strlen(rcmd));
    else if (strcmp(args, "fThreadInfo") == 0)
        gdb_send(g, "m1");
    else if (strcmp(args, "sThreadInfo") == 0)
        gdb_send(g, "l");
    else if (strcmp(args, "C") == 0)
        gdb_send(g, "QC1");
    else if (strncmp(args, "Attached", 8) == 0)
        gdb_send(g, "1");
    else
        gdb_send(g, "");
}

static void set_mode(struct gdbstub *g, const char *args)
{
    bool known = strcmp(args, "StartNoAckMode") == 0;

    gdb_send(g, known ? "OK" : "");
    g->no_ack = g->no_ack || known;
}

static void why(struct gdbstub *g, const char *args)
{
    (void)args;
    gdb_report_stop(g, SIGNAL_TRAP);
}

static void fine(struct gdbstub *g, const char *args)
{
    (void)args;
    answer(g, true);
}

static void detach(struct gdbstub *g, const char *args)
{
    (void)args;
    answer(g, true);
    pc_debug_remove_all(g->pc);
    resume(g, false);
}

static void end_run(struct gdbstub *g, const char *args)
{
    (void)args;
    g->killed = true;
}

void gdb_handle(struct gdbstub *g, char *packet)
{
    static const struct {
        char letter;
        void (*handle)(struct gdbstub *g, const char *args);
    } commands[] = {
        {'?', why},          {'g', all_registers}, {'G', set_all_registers},
        {'p', one_register}, {'P', set_register},  {'m', read_memory},
        {'M', write_memory}, {'c', go_on},         {'C', go_on},
        {'s', step},         {'S', step},          {'v', continue_threads},
        {'b', go_back},      {'Z', insert},        {'z', remove_point},
        {'q', query},        {'H', fine},          {'T', fine},
        {'D', detach},       {'k', end_run},       {'Q', set_mode},
    };

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if (*packet && commands[i].letter == *packet) {
            commands[i].handle(g, packet + 1);
            return;
        }
    }
    gdb_send(g, "");
}

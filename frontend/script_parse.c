/* SPDX-License-Identifier: MIT */
/* Reading scripts: lines to steps. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/script_private.h"
#include "machine/hostfile.h"

enum { SCRIPT_MAX = 1 << 20, PATTERN_MAX = 400, REPEAT_MAX = 64 };

#define DEFAULT_LIMIT 60000000000u /* a minute of guest time */

struct parser {
    struct script *s;
    struct step st; /* being built */
    const char *p;  /* rest of the line */
    u64 limit;      /* of waits that give none */
    char *error;
};

/* The first complaint about a line stays. */
static bool complain(struct parser *ps, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool complain(struct parser *ps, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(ps->error, SCRIPT_ERROR_MAX, "%.200s:%u: ", ps->s->path, ps->st.line);

    va_start(ap, fmt);
    vsnprintf(ps->error + n, SCRIPT_ERROR_MAX - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

/* --- words --- */

static void skip_blanks(struct parser *ps)
{
    while (*ps->p == ' ' || *ps->p == '\t')
        ps->p++;
}

static bool at_end(struct parser *ps)
{
    skip_blanks(ps);
    return !*ps->p || *ps->p == '#';
}

/* The next word, without taking it: its length. */
static size_t word_length(struct parser *ps)
{
    skip_blanks(ps);
    return strcspn(ps->p, " \t");
}

/* Take the next word if it is @word. */
static bool take_word(struct parser *ps, const char *word)
{
    size_t n = word_length(ps);

    if (n != strlen(word) || memcmp(ps->p, word, n) != 0)
        return false;
    ps->p += n;
    return true;
}

static bool take_any(struct parser *ps, char **out)
{
    size_t n = word_length(ps);

    if (at_end(ps))
        return complain(ps, "something is missing at the end");
    *out = strndup(ps->p, n);
    ps->p += n;
    return *out || complain(ps, "out of memory");
}

/* "20s": a time, if there is one. */
static bool take_time(struct parser *ps, u64 *ns)
{
    size_t n = word_length(ps);

    if (!n || !config_time(ps->p, n, ns))
        return false;
    ps->p += n;
    return true;
}

static bool take_number(struct parser *ps, int *out)
{
    size_t n = word_length(ps);
    char *end;
    long v = strtol(ps->p, &end, 10);

    if (!n || end != ps->p + n || v < -100000 || v > 100000)
        return complain(ps, "'%.*s' is no number", (int)(n < 40 ? n : 40), ps->p);
    *out = (int)v;
    ps->p = end;
    return true;
}

/* The string or regular expression up to the next @quote: as it is written, without \@quote. */
static char *take_quoted(struct parser *ps, char quote)
{
    char *text = malloc(strlen(ps->p) + 1), *to = text;

    if (!text) {
        complain(ps, "out of memory");
        return NULL;
    }
    for (ps->p++; *ps->p && *ps->p != quote; ps->p++) {
        if (*ps->p == '\\' && ps->p[1] == quote)
            ps->p++;
        else if (*ps->p == '\\' && ps->p[1])
            *to++ = *ps->p++;
        *to++ = *ps->p;
    }
    *to = 0;
    if (!*ps->p) {
        complain(ps, "there is no second %c", quote);
        free(text);
        return NULL;
    }
    ps->p++;
    return text;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \n \t \r \e \xHH, in place. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++) {
        if (*p != '\\' || !p[1]) {
            *to++ = *p;
            continue;
        }
        p++;
        if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0 &&
            hex_digit(p[1]) * 16 + hex_digit(p[2])) {
            *to++ = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
            p += 2;
            continue;
        }
        *to++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'r' ? '\r' : *p == 'e' ? '\033' : *p;
    }
    *to = 0;
}

static bool take_string(struct parser *ps, char **out)
{
    skip_blanks(ps);
    if (*ps->p != '"')
        return complain(ps, "a text in \"...\" is missing");
    *out = take_quoted(ps, '"');
    return *out;
}

/* --- patterns --- */

/* Repetitions of repetitions could take the host's time and memory. */
static bool modest(struct parser *ps, const char *regex)
{
    unsigned braces = 0;

    if (strlen(regex) > PATTERN_MAX)
        return complain(ps, "a regular expression has at most %d characters", PATTERN_MAX);
    for (const char *p = regex; (p = strchr(p, '{')); p++) {
        long low = strtol(p + 1, NULL, 10);
        const char *comma = p + 1 + strcspn(p + 1, ",}");
        long high = *comma == ',' ? strtol(comma + 1, NULL, 10) : low;
        if (low > REPEAT_MAX || high > REPEAT_MAX || ++braces > 2)
            return complain(ps, "a regular expression has at most two {N}, of at most %d",
                            REPEAT_MAX);
    }
    return true;
}

static bool take_regex(struct parser *ps, struct pattern *out)
{
    char *text = take_quoted(ps, '/'), why[160];
    int flags = REG_EXTENDED | REG_NEWLINE;

    if (!text)
        return false;
    if (*ps->p == 'i') {
        flags |= REG_ICASE;
        ps->p++;
    }
    bool ok = modest(ps, text);
    int e = ok ? regcomp(&out->regex, text, flags) : 0;
    free(text);
    if (!ok)
        return false;
    if (e) {
        regerror(e, &out->regex, why, sizeof(why));
        return complain(ps, "the regular expression is wrong: %s", why);
    }
    out->is_regex = true;
    return true;
}

static bool take_pattern(struct parser *ps, struct pattern *out)
{
    skip_blanks(ps);
    if (*ps->p == '/')
        return take_regex(ps, out);
    if (*ps->p != '"')
        return complain(ps, "a /regular expression/ or a \"text\" is missing");
    out->text = take_quoted(ps, '"');
    if (!out->text)
        return false;
    unescape(out->text);
    return *out->text || complain(ps, "the text is empty");
}

/* --- conditions --- */

static bool take_tape(struct parser *ps, unsigned *tape)
{
    static const struct {
        const char *name;
        unsigned tape;
    } names[] = {{"serial", 0}, {"serial1", 0}, {"serial2", 1}, {"debug", TAPE_DEBUG}};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (take_word(ps, names[i].name)) {
            *tape = names[i].tape;
            return true;
        }
    }
    return false;
}

/* screen, serial and frame: what wait and expect have in common. */
static bool take_sight(struct parser *ps, bool *found)
{
    struct step *st = &ps->st;

    *found = true;
    if (take_word(ps, "screen")) {
        st->subject = ON_SCREEN;
        return take_pattern(ps, &st->pattern);
    }
    if (take_tape(ps, &st->tape)) {
        st->subject = ON_TAPE;
        return take_pattern(ps, &st->pattern);
    }
    if (take_word(ps, "frame")) {
        st->subject = ON_FRAME;
        return take_any(ps, &st->arg);
    }
    *found = false;
    return true;
}

static bool parse_wait(struct parser *ps)
{
    struct step *st = &ps->st;
    bool found;

    st->time = ps->limit;
    if (take_time(ps, &st->time)) {
        st->subject = ON_TIME;
        return true;
    }
    if (!take_sight(ps, &found))
        return false;
    if (!found && take_word(ps, "idle")) {
        u64 ns;
        st->subject = ON_IDLE;
        if (!take_time(ps, &ns))
            return complain(ps, "idle for how long? for example 2s");
        st->number[0] = (int)(ns / 1000000 < 100000000 ? ns / 1000000 : 100000000); /* ms */
    } else if (!found && take_word(ps, "end")) {
        st->subject = ON_END;
    } else if (!found) {
        return complain(ps, "wait for what? screen, serial, serial2, debug, frame, idle, end or a "
                            "time");
    }
    u64 ns;
    if (take_time(ps, &ns))
        st->time = ns;
    return true;
}

static bool parse_expect(struct parser *ps)
{
    bool found;

    if (!take_sight(ps, &found))
        return false;
    return found || complain(ps, "expect what? screen, serial, serial2, debug or frame");
}

static bool parse_reject(struct parser *ps)
{
    struct step *st = &ps->st;

    st->subject = ON_ANY;
    if (take_word(ps, "screen"))
        st->subject = ON_SCREEN;
    else if (take_tape(ps, &st->tape))
        st->subject = ON_TAPE;
    return take_pattern(ps, &st->pattern);
}

/* --- actions --- */

static bool parse_type(struct parser *ps)
{
    return take_string(ps, &ps->st.arg);
}

static bool parse_key(struct parser *ps)
{
    return take_any(ps, &ps->st.arg);
}

static bool parse_mouse(struct parser *ps)
{
    static const char *const buttons[] = {"left", "right", "middle"};
    struct step *st = &ps->st;

    if (take_word(ps, "move")) {
        if (!take_number(ps, &st->number[0]) || !take_number(ps, &st->number[1]))
            return false;
        return at_end(ps) || take_number(ps, &st->number[2]);
    }
    if (!take_word(ps, "click"))
        return complain(ps, "mouse what? move DX DY, or click left, right or middle");
    st->subject = ON_ANY; /* a click */
    for (unsigned i = 0; i < ARRAY_LEN(buttons); i++) {
        if (take_word(ps, buttons[i])) {
            st->number[0] = (int)BIT(i);
            return true;
        }
    }
    return complain(ps, "click what? left, right or middle");
}

static bool parse_send(struct parser *ps)
{
    if (!take_tape(ps, &ps->st.tape) || ps->st.tape == TAPE_DEBUG)
        return complain(ps, "send where? serial or serial2");
    if (!take_string(ps, &ps->st.arg))
        return false;
    unescape(ps->st.arg);
    return true;
}

static bool parse_snapshot(struct parser *ps)
{
    if (take_word(ps, "load"))
        ps->st.number[0] = 1;
    else if (!take_word(ps, "save"))
        return complain(ps, "snapshot what? save FILE or load FILE");
    return take_any(ps, &ps->st.arg);
}

static bool parse_insert(struct parser *ps)
{
    return take_any(ps, &ps->st.arg) && take_any(ps, &ps->st.arg2);
}

/* All words up to a comment. */
static bool parse_mark(struct parser *ps)
{
    const char *begin = ps->p;

    while (!at_end(ps))
        ps->p += word_length(ps);
    while (ps->p > begin && (ps->p[-1] == ' ' || ps->p[-1] == '\t'))
        ps->p--;
    ps->st.arg = strndup(begin, (size_t)(ps->p - begin));
    return ps->st.arg || complain(ps, "out of memory");
}

static bool parse_timeout(struct parser *ps)
{
    return take_time(ps, &ps->limit) || complain(ps, "timeout: a time is missing, like 20s");
}

static bool parse_exit(struct parser *ps)
{
    if (at_end(ps))
        return true;
    if (!take_number(ps, &ps->st.number[0]))
        return false;
    return (ps->st.number[0] >= 0 && ps->st.number[0] <= 255) ||
           complain(ps, "an exit status is 0 to 255");
}

/* Equal machines would do equal things, and save their failures under one name. */
static bool is_new(struct parser *ps, const char *begin, const char *file)
{
    size_t len = strlen(file);

    for (const char *p = begin; p < ps->p - len; p += strspn(p, " \t")) {
        size_t n = strcspn(p, " \t");
        char *other = strndup(p, n);
        bool same = other && hostfile_same(other, file);
        free(other);
        if (same)
            return complain(ps, "'%.100s' is a variant already", file);
        p += n;
    }
    return true;
}

/* The files are read now, so that their mistakes are found. */
static bool parse_fork(struct parser *ps)
{
    const char *begin = ps->p + strspn(ps->p, " \t");

    if (ps->s->variant)
        return complain(ps, "a variant cannot fork");
    if (at_end(ps))
        return complain(ps, "fork into what? the files of its variants");
    while (!at_end(ps)) {
        struct script variant = {.cfg = ps->s->cfg, .variant = true, .parent = ps->s};
        char *file, error[SCRIPT_ERROR_MAX];
        if (!take_any(ps, &file))
            return false;
        variant.path = file;
        bool fresh = is_new(ps, begin, file);
        bool ok = fresh && script_parse(&variant, file, error);
        script_drop_steps(&variant);
        free(file);
        if (!fresh)
            return false;
        if (!ok)
            return complain(ps, "%.300s", error);
    }
    ps->st.arg = strndup(begin, (size_t)(ps->p - begin));
    return ps->st.arg || complain(ps, "out of memory");
}

static bool parse_nothing(struct parser *ps)
{
    (void)ps;
    return true;
}

static const struct {
    const char *name;
    enum step_verb verb;
    bool (*parse)(struct parser *ps);
} verbs[] = {
    {"wait", STEP_WAIT, parse_wait},
    {"expect", STEP_EXPECT, parse_expect},
    {"reject", STEP_REJECT, parse_reject},
    {"type", STEP_TYPE, parse_type},
    {"key", STEP_KEY, parse_key},
    {"mouse", STEP_MOUSE, parse_mouse},
    {"send", STEP_SEND, parse_send},
    {"screenshot", STEP_SCREENSHOT, parse_key},
    {"snapshot", STEP_SNAPSHOT, parse_snapshot},
    {"insert", STEP_INSERT, parse_insert},
    {"eject", STEP_EJECT, parse_key},
    {"mark", STEP_MARK, parse_mark},
    {"reset", STEP_RESET, parse_nothing},
    {"powerdown", STEP_POWERDOWN, parse_nothing},
    {"nmi", STEP_NMI, parse_nothing},
    {"timeout", STEP_TIMEOUT, parse_timeout},
    {"fork", STEP_FORK, parse_fork},
    {"exit", STEP_EXIT, parse_exit},
};

static bool parse_line(struct parser *ps)
{
    for (unsigned i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!take_word(ps, verbs[i].name))
            continue;
        ps->st.verb = verbs[i].verb;
        if (!verbs[i].parse(ps))
            return false;
        return at_end(ps) || complain(ps, "'%.40s' is too much", ps->p);
    }
    return complain(ps, "there is no action '%.*s'",
                    (int)(word_length(ps) < 40 ? word_length(ps) : 40), ps->p);
}

void step_free(struct step *st)
{
    if (st->pattern.is_regex)
        regfree(&st->pattern.regex);
    free(st->pattern.text);
    free(st->source);
    free(st->arg);
    free(st->arg2);
}

static bool add_step(struct parser *ps)
{
    struct script *s = ps->s;
    char why[SCRIPT_ERROR_MAX];

    if (!script_check(s, &ps->st, why))
        return complain(ps, "%.300s", why);
    if (s->count == s->room) {
        unsigned room = s->room ? 2 * s->room : 32;
        struct step *p = realloc(s->step, room * sizeof(*p));
        if (!p)
            return complain(ps, "out of memory");
        s->step = p;
        s->room = room;
    }
    s->step[s->count++] = ps->st;
    return true;
}

/* @line has no line end. */
static bool parse_step(struct parser *ps, char *line)
{
    size_t n = strlen(line);

    while (n && isspace((unsigned char)line[n - 1]))
        line[--n] = 0;
    ps->p = line;
    if (at_end(ps))
        return true;
    ps->st.source = strdup(ps->p);
    if (ps->st.source && parse_line(ps) && add_step(ps))
        return true;
    step_free(&ps->st);
    return false;
}

bool script_parse_text(struct script *s, const char *text, char error[SCRIPT_ERROR_MAX])
{
    struct parser ps = {.s = s, .limit = DEFAULT_LIMIT, .error = error};
    char *copy = strdup(text);
    unsigned number = 0;
    bool ok = copy;

    snprintf(error, SCRIPT_ERROR_MAX, "out of memory");
    for (char *line = copy, *end; ok && line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        ps.st = (struct step){.line = ++number};
        ok = parse_step(&ps, line);
    }
    free(copy);
    return ok;
}

bool script_parse(struct script *s, const char *path, char error[SCRIPT_ERROR_MAX])
{
    u8 *bytes;
    size_t len;
    enum status status = hostfile_read(path, SCRIPT_MAX, &bytes, &len);

    if (status != STATUS_OK) {
        snprintf(error, SCRIPT_ERROR_MAX, "%.200s: %s", path, status_text(status));
        return false;
    }
    char *text = malloc(len + 1);
    bool ok = text && !memchr(bytes, 0, len);
    snprintf(error, SCRIPT_ERROR_MAX, "%.200s: it is no text", path);
    if (text) {
        memcpy(text, bytes, len);
        text[len] = 0;
    }
    free(bytes);
    ok = ok && script_parse_text(s, text, error);
    if (ok && !s->count) {
        snprintf(error, SCRIPT_ERROR_MAX, "%.200s: there is no action in it", path);
        ok = false;
    }
    free(text);
    return ok;
}

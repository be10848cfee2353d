/* SPDX-License-Identifier: MIT */
/* Values from text, and the command line. */
#include "machine/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "machine/config_row.h"
#include "machine/hostfile.h"

static bool fail(struct config *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(struct config *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->error, sizeof(c->error), fmt, ap);
    va_end(ap);
    return false;
}

/* --- values --- */

struct unit {
    const char *name;
    u64 factor;
};

static const struct unit size_units[] = {
    {"", BIT64(20)},    {"K", BIT64(10)},   {"M", BIT64(20)},   {"G", BIT64(30)},
    {"KiB", BIT64(10)}, {"MiB", BIT64(20)}, {"GiB", BIT64(30)},
};
static const struct unit time_units[] = {
    {"", 1000000000}, {"ns", 1},         {"us", 1000},
    {"ms", 1000000},  {"s", 1000000000}, {"min", 60000000000},
};
static const struct unit plain_units[] = {{"", 1}};

/* "12.5ms" as 12.5 * 2^@frac * factor of the unit; false if it is none or too large. */
static bool parse_number(const char *text, const struct unit *unit, unsigned units, unsigned frac,
                         u64 *out)
{
    const u128 max = (u128)1 << 90;
    u128 whole = 0, tenth = 1;
    const char *p = text;

    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p) && whole < max / 10; p++)
        whole = whole * 10 + (unsigned)(*p - '0');
    if (*p == '.') {
        for (p++; isdigit((unsigned char)*p) && whole < max / 10 && tenth < max / 10; p++) {
            whole = whole * 10 + (unsigned)(*p - '0');
            tenth *= 10;
        }
    }
    for (unsigned i = 0; i < units; i++) {
        if (strcasecmp(p, unit[i].name) != 0)
            continue;
        u64 factor = unit[i].factor << frac;
        if (whole > ((u128)1 << 120) / factor)
            return false;
        u128 v = whole * factor / tenth;
        if (v > INT64_MAX)
            return false;
        *out = (u64)v;
        return true;
    }
    return false;
}

bool config_time(const char *text, size_t len, u64 *ns)
{
    char copy[40];

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    return parse_number(copy, time_units, ARRAY_LEN(time_units), 0, ns);
}

static bool parse_flag(const char *text, u64 *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};

    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i & 1;
            return true;
        }
    }
    return false;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);

    for (const char *p = choices; *p;) {
        size_t len = strcspn(p, "|");
        if (n && len == n && strncmp(p, text, n) == 0)
            return true;
        p += len + (p[len] == '|');
    }
    return false;
}

/* Whether a file that is only read can be read: told before anything else happens. */
static bool check_file(struct config *c, const char *option, const char *path)
{
    enum status s = hostfile_check(path);
    FILE *f;

    if (!*path)
        return fail(c, "%s: the name of the file is empty", option);
    if (s == STATUS_NOT_FILE)
        return fail(c, "%s: cannot use '%s': %s", option, path, status_text(s));
    f = fopen(path, "rb");
    if (!f)
        return fail(c, "%s: cannot open '%s': %s", option, path, strerror(errno));
    fclose(f);
    return true;
}

static bool set_text(struct config *c, struct config_value *v, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return fail(c, "out of memory");
    free(v->text);
    v->text = copy;
    return true;
}

static bool add_text(struct config *c, struct config_value *v, const char *text)
{
    char *copy = strdup(text);
    char **list = realloc(v->list, (v->count + 1) * sizeof(*list));

    if (list)
        v->list = list;
    if (!copy || !list) {
        free(copy);
        return fail(c, "out of memory");
    }
    v->list[v->count++] = copy;
    return true;
}

bool config_assign(struct config *c, const struct config_row *r, const char *text)
{
    struct config_value *v = &c->value[r->id];
    u64 num = 0;

    switch (r->kind) {
    case KIND_FLAG:
        if (!parse_flag(text, &num))
            return fail(c, "%s: '%s' is neither on nor off", v->typed, text);
        break;
    case KIND_SIZE:
        if (!parse_number(text, size_units, ARRAY_LEN(size_units), 0, &num))
            return fail(c, "%s: '%s' is not a size; write for example 64M or 1G", v->typed, text);
        break;
    case KIND_TIME:
        if (!parse_number(text, time_units, ARRAY_LEN(time_units), 0, &num))
            return fail(c, "%s: '%s' is not a time; write for example 20s or 500ms", v->typed,
                        text);
        break;
    case KIND_RATIO:
        if (!parse_number(text, plain_units, 1, 32, &num) || num == 0 || num > BIT64(48))
            return fail(c, "%s: '%s' is not a number above 0, at most 65536", v->typed, text);
        break;
    case KIND_COUNT:
        if (!parse_number(text, plain_units, 1, 0, &num) || strchr(text, '.'))
            return fail(c, "%s: '%s' is not a whole number", v->typed, text);
        break;
    case KIND_CHOICE:
        if (!is_choice(r->value, text))
            return fail(c, "%s: '%s' is not one of %s", v->typed, text, r->value);
        break;
    case KIND_FILE:
        if (!check_file(c, v->typed, text))
            return false;
        break;
    case KIND_LIST:
        return add_text(c, v, text) && (v->set = true);
    case KIND_TEXT:
    case KIND_ACTION:
        break;
    }
    v->num = num;
    v->set = true;
    return set_text(c, v, text);
}

/* Without @typed, which begins with its dashes: the row's own name. */
static void name_option(struct config *c, const struct config_row *r, const char *typed)
{
    char *to = c->value[r->id].typed;

    snprintf(to, sizeof(c->value[r->id].typed), "%s%s", typed ? "" : "-", typed ? typed : r->key);
}

bool config_init(struct config *c)
{
    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < config_row_count; i++) {
        const struct config_row *r = &config_rows[i];
        if (r->group)
            continue;
        name_option(c, r, NULL);
        if (!*r->def)
            continue;
        if (!config_assign(c, r, r->def))
            return false;
        c->value[r->id].set = false;
    }
    return true;
}

void config_free(struct config *c)
{
    for (unsigned i = 0; i < CONFIG__COUNT; i++) {
        struct config_value *v = &c->value[i];
        for (unsigned k = 0; k < v->count; k++)
            free(v->list[k]);
        free(v->list);
        free(v->text);
    }
    memset(c, 0, sizeof(*c));
}

/* --- names --- */

static void fail_unknown(struct config *c, const char *what, const char *dash, const char *name)
{
    char near[32];

    if (config_nearest(name, near, sizeof(near)))
        fail(c, "there is no %s %s%s; did you mean %s%s?", what, dash, name, dash, near);
    else
        fail(c, "there is no %s %s%s; --help lists them all", what, dash, name);
}

enum config_result config_set(struct config *c, const char *name, const char *text)
{
    const struct config_row *r = config_find(name);

    if (!r || r->kind == KIND_ACTION) {
        fail_unknown(c, "key", "", name);
        return CONFIG_BAD;
    }
    name_option(c, r, NULL);
    return config_assign(c, r, text) ? CONFIG_RUN : CONFIG_BAD;
}

static bool takes_value(const struct config_row *r)
{
    return r->kind != KIND_FLAG && !(r->kind == KIND_ACTION && !*r->value);
}

static bool has_values(const struct config_row *r)
{
    return r->kind == KIND_CHOICE || r->id == CONFIG_cpu || r->id == CONFIG_log ||
           r->id == CONFIG_device || r->id == CONFIG_serial || r->id == CONFIG_debugcon;
}

static enum config_result act(struct config *c, const struct config_row *r, const char *text)
{
    switch (r->id) {
    case CONFIG_help:
        return CONFIG_SHOW_HELP;
    case CONFIG_version:
        return CONFIG_SHOW_VERSION;
    case CONFIG_dump_config:
        return CONFIG_SHOW_CONFIG;
    default: /* noted: nobody may write over it */
        return add_text(c, &c->value[r->id], text) ? config_read_file(c, text) : CONFIG_BAD;
    }
}

/* One option at argv[*i]; a value may be the next argument. */
static enum config_result parse_option(struct config *c, int argc, char **argv, int *i)
{
    const char *option = argv[*i];
    const char *name = option + 1 + (option[1] == '-');
    const struct config_row *r = config_find(name);
    const char *text = "on";

    if (!r) {
        fail_unknown(c, "option", name - option == 2 ? "--" : "-", name);
        return CONFIG_BAD;
    }
    if (takes_value(r)) {
        if (*i + 1 >= argc) {
            fail(c, "%s needs a value: %s", argv[*i], r->value);
            return CONFIG_BAD;
        }
        text = argv[++*i];
    }
    if (has_values(r) && (strcmp(text, "help") == 0 || strcmp(text, "?") == 0)) {
        c->asked = r->id;
        return CONFIG_SHOW_VALUES;
    }
    if (r->kind == KIND_ACTION)
        return act(c, r, text);
    name_option(c, r, option);
    return config_assign(c, r, text) ? CONFIG_RUN : CONFIG_BAD;
}

static enum config_result fail_second(struct config *c, const char *path)
{
    fail(c, "'%s' is a second disk image without an option; use -hdb", path);
    return CONFIG_BAD;
}

/* What new users type first is the name of an image: a CD's goes where CDs go, if that is free. */
static enum config_result set_bare(struct config *c, const char *path)
{
    bool is_free = !c->value[CONFIG_cdrom].set && !c->value[CONFIG_hdc].set;

    if (c->value[CONFIG_hda].set)
        return fail_second(c, path);
    if (!is_free || !hostfile_is_iso(path))
        return config_set(c, "hda", path);
    log_info(DISK, "'%s' is an ISO image: it is in the CD-ROM drive", path);
    return config_set(c, "cdrom", path);
}

enum config_result config_parse(struct config *c, int argc, char **argv)
{
    enum config_result last = CONFIG_RUN;
    const char *bare = NULL;

    for (int i = 0; i < argc; i++) {
        enum config_result res = CONFIG_RUN;
        if (argv[i][0] == '-' && argv[i][1])
            res = parse_option(c, argc, argv, &i);
        else if (bare)
            res = fail_second(c, argv[i]);
        else
            bare = argv[i];
        if (res == CONFIG_BAD || res == CONFIG_SHOW_VALUES)
            return res;
        if (res != CONFIG_RUN)
            last = res; /* later arguments are still checked, and belong to a dump */
    }
    return bare && set_bare(c, bare) == CONFIG_BAD ? CONFIG_BAD : last;
}

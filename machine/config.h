/* SPDX-License-Identifier: MIT */
/*
 * The configuration of a run. config.def has one row per key; the command line, the config file,
 * --dump-config and --help are all made from it.
 */
#pragma once

#include <stdio.h>

#include "base/types.h"

enum config_id {
#define GROUP(title)
#define CONFIG(id, ...) CONFIG_##id,
#include "machine/config.def"
#undef CONFIG
#undef GROUP
    CONFIG__COUNT
};

/** What to do after config_parse(). */
enum config_result {
    CONFIG_RUN,         /* everything is set                                              */
    CONFIG_BAD,         /* @error holds one sentence                                      */
    CONFIG_SHOW_HELP,   /* --help                                                         */
    CONFIG_SHOW_VALUES, /* "help" was given as a value: @asked says whose                 */
    CONFIG_SHOW_CONFIG, /* --dump-config                                                  */
    CONFIG_SHOW_VERSION,
};

struct config_value {
    char typed[32]; /* the option as the user wrote it: "-m", "--memory" */
    bool set;       /* given, not the default                         */
    u64 num;        /* flag, bytes, count, ns, ratio in 32.32         */
    char *text;     /* as written; owned; NULL if the row has no text */
    char **list;    /* LIST: owned                                    */
    unsigned count;
};

struct config {
    struct config_value value[CONFIG__COUNT];
    enum config_id asked; /* CONFIG_SHOW_VALUES  */
    char error[400];      /* CONFIG_BAD          */
};

/** Every key at its default. False: out of memory. */
bool config_init(struct config *c) MUST_CHECK;
void config_free(struct config *c);

/** Apply a command line (without the program's name), in order; later wins. */
enum config_result config_parse(struct config *c, int argc, char **argv) MUST_CHECK;

/** Apply a config file. */
enum config_result config_read_file(struct config *c, const char *path) MUST_CHECK;

/** Set the key called @name from @text, as a line of the config file would. */
enum config_result config_set(struct config *c, const char *name, const char *text) MUST_CHECK;

/** Everything as a commented config file that config_read_file() reads back to the same. */
void config_dump(const struct config *c, FILE *out);
/** Usage: all options. */
void config_print_help(FILE *out);
/** The values of a CHOICE; false if @id is not one. */
bool config_print_choices(enum config_id id, FILE *out);
/** The key's name. */
const char *config_name(enum config_id id);

static inline bool config_flag(const struct config *c, enum config_id id)
{
    return c->value[id].num != 0;
}

static inline u64 config_num(const struct config *c, enum config_id id)
{
    return c->value[id].num;
}

/** The first @len characters of @text as a time ("20s", "500ms") in ns; false if they are none. */
bool config_time(const char *text, size_t len, u64 *ns) MUST_CHECK;

/** What to call the option in a message. */
static inline const char *config_typed(const struct config *c, enum config_id id)
{
    return c->value[id].typed;
}

/** NULL if neither given nor defaulted. */
static inline const char *config_text(const struct config *c, enum config_id id)
{
    return c->value[id].text;
}

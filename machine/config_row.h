/* SPDX-License-Identifier: MIT */
/* Private to machine/config*.c: the rows of config.def as data. */
#pragma once

#include "machine/config.h"

enum config_kind {
    KIND_FLAG,
    KIND_TEXT,
    KIND_FILE,
    KIND_LIST,
    KIND_SIZE,
    KIND_COUNT,
    KIND_TIME,
    KIND_RATIO,
    KIND_CHOICE,
    KIND_ACTION,
};

struct config_row {
    const char *group; /* set: a section title, not a key */
    enum config_id id;
    const char *key;
    const char *aliases; /* separated by spaces */
    enum config_kind kind;
    const char *value;
    const char *def;
    const char *help;
};

extern const struct config_row config_rows[];
extern const unsigned config_row_count;

const struct config_row *config_row_of(enum config_id id);
/** The row whose key or alias is @name; NULL if there is none. */
const struct config_row *config_find(const char *name);
/** The key or alias nearest to @name, into @out; false if none is near. */
bool config_nearest(const char *name, char *out, size_t size);

/** Set a value from text. False: c->error says why. */
bool config_assign(struct config *c, const struct config_row *r, const char *text) MUST_CHECK;

/* SPDX-License-Identifier: MIT */
/* The rows of config.def: finding one by its name, and guessing which one was meant. */
#include "machine/config_row.h"

#include <stdlib.h>
#include <string.h>

const struct config_row config_rows[] = {
#define GROUP(title) {.group = title},
#define CONFIG(id, key, aliases, kind, value, def, help)                                           \
    {NULL, CONFIG_##id, key, aliases, KIND_##kind, value, def, help},
#include "machine/config.def"
#undef CONFIG
#undef GROUP
};
const unsigned config_row_count = ARRAY_LEN(config_rows);

const struct config_row *config_row_of(enum config_id id)
{
    for (unsigned i = 0; i < config_row_count; i++) {
        if (!config_rows[i].group && config_rows[i].id == id)
            return &config_rows[i];
    }
    return NULL; /* every id has its row */
}

const char *config_name(enum config_id id)
{
    return config_row_of(id)->key;
}

/* The next word of a list separated by spaces, into @word; the rest of the list, NULL at its end.
 */
static const char *next_alias(const char *list, char word[32])
{
    size_t n = strcspn(list, " ");

    if (n == 0)
        return NULL;
    if (n > 31)
        n = 31;
    memcpy(word, list, n);
    word[n] = 0;
    list += n;
    return *list ? list + 1 : list;
}

const struct config_row *config_find(const char *name)
{
    char alias[32];

    for (unsigned i = 0; i < config_row_count; i++) {
        const struct config_row *r = &config_rows[i];
        if (r->group)
            continue;
        if (strcmp(r->key, name) == 0)
            return r;
        for (const char *p = r->aliases; (p = next_alias(p, alias));) {
            if (strcmp(alias, name) == 0)
                return r;
        }
    }
    return NULL;
}

/* Levenshtein's distance, for names of at most 31 letters. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[33];
    size_t n = strlen(b);

    if (strlen(a) > 31 || n > 31)
        return 99;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

bool config_nearest(const char *name, char *out, size_t size)
{
    unsigned limit = 1 + (unsigned)strlen(name) / 4;
    unsigned best = limit + 1;
    char alias[32];

    for (unsigned i = 0; i < config_row_count; i++) {
        const struct config_row *r = &config_rows[i];
        if (r->group)
            continue;
        unsigned d = distance(name, r->key);
        if (d < best && strlen(r->key) > 1) {
            best = d;
            strncpy(out, r->key, size - 1);
            out[size - 1] = 0;
        }
        for (const char *p = r->aliases; (p = next_alias(p, alias));) {
            d = distance(name, alias);
            if (d < best && strlen(alias) > 1) {
                best = d;
                strncpy(out, alias, size - 1);
                out[size - 1] = 0;
            }
        }
    }
    return best <= limit;
}

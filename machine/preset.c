/* SPDX-License-Identifier: MIT */
#include "machine/preset.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *preset, *key, *value;
} rows[] = {
#define PRESET(name, key, value) {name, key, value},
#include "machine/preset.def"
#undef PRESET
};

static enum config_id find_key(const char *name)
{
    enum config_id id = 0;

    while (id < CONFIG__COUNT && strcmp(config_name(id), name) != 0)
        id++;
    return id;
}

/* Such a run knows no speed. */
static bool is_deterministic(const struct config *c)
{
    return config_flag(c, CONFIG_deterministic) || strcmp(config_text(c, CONFIG_jit), "check") == 0;
}

/* A key that was given stays; a list gets what is not on it yet. */
static bool is_open(const struct config_value *v, enum config_id id, const char *value)
{
    if (id != CONFIG_device)
        return !v->set;
    for (unsigned i = 0; i < v->count; i++) {
        if (strcmp(v->list[i], value) == 0)
            return false;
    }
    return true;
}

bool preset_apply(struct config *c, char chosen[PRESET_TEXT_MAX])
{
    const char *preset = config_text(c, CONFIG_preset);
    size_t n = 0;

    chosen[0] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        enum config_id id = find_key(rows[i].key);
        if (strcmp(rows[i].preset, preset) != 0 || !is_open(&c->value[id], id, rows[i].value) ||
            (id == CONFIG_speed && is_deterministic(c)))
            continue;
        if (config_set(c, rows[i].key, rows[i].value) != CONFIG_RUN)
            return false;
        if (n < PRESET_TEXT_MAX)
            n += (size_t)snprintf(chosen + n, PRESET_TEXT_MAX - n, " --%s %s", rows[i].key,
                                  rows[i].value);
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Which files the options name, and that none is read by one of them and written by another. */
#include "machine/config_files.h"

#include <string.h>

#include "machine/hostfile.h"
#include "machine/suboption.h"

/*
 * How a value names files: @key is "" (it is the name), ends in ':' or ' ' (the name is behind it),
 * in '=' (the name is that part's value) or is "," (each part is a name and its arguments). @suffix
 * belongs to the name. Drives are not here: whoever writes to an image finds it locked.
 */
// clang-format off
static const struct role {
    enum config_id id;
    bool written;
    const char *key, *suffix;
} roles[] = {
    {CONFIG_bios, false, "", ""},
    {CONFIG_kernel, false, "", ""},
    {CONFIG_initrd, false, "", ""}, /* of a Linux kernel */
    {CONFIG_initrd, false, ",", ""}, /* of a multiboot one */
    {CONFIG_device, false, "romfile=", ""},
    {CONFIG_nic, false, "romfile=", ""},
    {CONFIG_script, false, "", ""},
    {CONFIG_find_first, false, "frame ", ""},
    {CONFIG_loadvm, false, "", ""},
    {CONFIG_replay, false, "", ""},
    {CONFIG_config, false, "", ""},
    {CONFIG_serial, true, "file:", ""},
    {CONFIG_debugcon, true, "file:", ""},
    {CONFIG_monitor, true, "file:", ""},
    {CONFIG_audio, true, "wav:", ""},
    {CONFIG_nic, true, "pcap=", ""},
    {CONFIG_netdev, true, "pcap=", ""},
    {CONFIG_screenshot, true, "", ""},
    {CONFIG_record, true, "", ""},
    {CONFIG_tap, true, "", ""},
    {CONFIG_junit, true, "", ""},
    {CONFIG_artifacts, true, "", ".png"},
    {CONFIG_artifacts, true, "", ".txt"},
    {CONFIG_artifacts, true, "", ".snapshot"},
    {CONFIG_log_file, true, "", ""},
    {CONFIG_perf_map, true, "", ""},
};
// clang-format on

/* The part of @text that begins with key=, or its @n-th part for the key ",". */
static bool part_of(const char *text, const char *key, unsigned n, char path[CONFIG_PATH_MAX])
{
    size_t len = strlen(key) - 1;
    struct suboption o;

    while (suboption_next(&text, &o)) {
        bool wanted = len ? strncmp(o.key, key, len) == 0 && !o.key[len] : n-- == 0;
        if (!wanted)
            continue;
        size_t end = len ? strlen(o.value) : strcspn(o.value, " ");
        snprintf(path, CONFIG_PATH_MAX, "%.*s", (int)end, o.value);
        return true;
    }
    return false;
}

/* The @n-th file that @role names, into @path, "" if that is none; false: there are no more. */
static bool file_of(const struct config *c, const struct role *role, unsigned n,
                    char path[CONFIG_PATH_MAX])
{
    const struct config_value *v = &c->value[role->id];
    bool parts = strcmp(role->key, ",") == 0;
    const char *text = v->list && n < v->count ? v->list[n] : n == 0 || parts ? v->text : NULL;
    size_t len = strlen(role->key);

    *path = 0;
    if (!text)
        return false;
    if (parts)
        return part_of(text, role->key, n, path);
    if (len && role->key[len - 1] == '=')
        (void)part_of(text, role->key, 0, path);
    else if (strncmp(text, role->key, len) == 0)
        snprintf(path, CONFIG_PATH_MAX, "%s%s", text + len, role->suffix);
    return true;
}

/* The option that reads @path; CONFIG__COUNT: none does. */
static enum config_id reader_of(const struct config *c, const char *path)
{
    char input[CONFIG_PATH_MAX];

    for (unsigned i = 0; hostfile_exists(path) && i < ARRAY_LEN(roles); i++) {
        for (unsigned n = 0; !roles[i].written && file_of(c, &roles[i], n, input); n++) {
            if (*input && hostfile_same(input, path))
                return roles[i].id;
        }
    }
    return CONFIG__COUNT;
}

bool config_may_write(const struct config *c, const char *path, enum config_id but,
                      char error[CONFIG_FILES_ERROR_MAX])
{
    enum config_id id = reader_of(c, path);

    if (id == CONFIG__COUNT || id == but)
        return true;
    snprintf(error, CONFIG_FILES_ERROR_MAX, "'%.200s' is read by %s: it would be written over",
             path, config_typed(c, id));
    return false;
}

bool config_check_files(struct config *c)
{
    char path[CONFIG_PATH_MAX], error[CONFIG_FILES_ERROR_MAX];

    for (unsigned i = 0; i < ARRAY_LEN(roles); i++) {
        for (unsigned n = 0; roles[i].written && file_of(c, &roles[i], n, path); n++) {
            if (!*path || config_may_write(c, path, CONFIG__COUNT, error))
                continue;
            snprintf(c->error, sizeof(c->error), "%s: %s", config_typed(c, roles[i].id), error);
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* What a run needs of the host, by what was asked for. */
#include "frontend/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/script.h"
#include "machine/drive.h"
#include "machine/nic.h"

/* Whether @key is given with a value that names a file. */
static const char *file_of(const struct config *cfg, enum config_id id)
{
    const char *path = config_text(cfg, id);

    return path && *path && strcmp(path, "-") != 0 ? path : NULL;
}

/* --artifacts none */
static bool is_nothing(const struct config *cfg, enum config_id id)
{
    return id == CONFIG_artifacts && strcmp(config_text(cfg, id), "none") == 0;
}

/* Somebody may name files while the machine runs: in the monitor, or over the control socket. */
static bool names_come_later(const struct config *cfg)
{
    const struct config_value *serial = &cfg->value[CONFIG_serial];
    const char *display = config_text(cfg, CONFIG_display);
    const char *debugcon = config_text(cfg, CONFIG_debugcon);
    bool reached = cfg->value[CONFIG_monitor].set || config_flag(cfg, CONFIG_nographic) ||
                   !cfg->value[CONFIG_display].set || strcmp(display, "terminal") == 0 ||
                   (debugcon && strstr(debugcon, "stdio"));

    for (unsigned i = 0; i < serial->count; i++)
        reached = reached || strstr(serial->list[i], "stdio");
    return config_text(cfg, CONFIG_qmp) ||
           (reached && strcmp(config_text(cfg, CONFIG_monitor), "none") != 0);
}

/* -netdev user: whether it opens sockets, and what it reads. */
static bool allow_network(struct sandbox *b, const struct config *cfg)
{
    struct nic_list *list = calloc(1, sizeof(*list));
    char error[PC_ERROR_MAX];
    bool sockets = false;

    if (list && !config_text(cfg, CONFIG_replay) && nic_parse(cfg, list, error)) {
        for (unsigned i = 0; i < list->count; i++) {
            const struct nic_net *net = &list->card[i].net;
            sockets = sockets || (net->user && (!net->isolated || net->forwards));
            if (net->user && *net->tftp)
                sandbox_allow(b, SANDBOX_READ, net->tftp);
        }
    }
    free(list);
    if (sockets)
        sandbox_allow(b, SANDBOX_READ, "/etc/resolv.conf");
    return sockets;
}

/* The socket of a server is removed at the end. */
static void allow_socket(struct sandbox *b, const char *spec)
{
    char path[300];

    if (spec && strncmp(spec, "unix:", 5) == 0 && strlen(spec) < sizeof(path)) {
        snprintf(path, sizeof(path), "%.*s", (int)strcspn(spec + 5, ","), spec + 5);
        sandbox_allow(b, SANDBOX_OUTPUT, path);
    }
}

static void allow_script(void *ctx, enum sandbox_use use, const char *path)
{
    sandbox_allow(ctx, use, path);
}

/* What the guest never writes to, nobody else may; beside the others lie other media. */
static enum sandbox_use use_of(const struct drive *d, bool later)
{
    if (d->readonly || d->snapshot)
        return SANDBOX_READ;
    return later ? SANDBOX_OUTPUT : SANDBOX_CHANGE;
}

static void allow_files(struct sandbox *b, const struct config *cfg, const struct script *script)
{
    static const enum config_id outputs[] = {CONFIG_screenshot, CONFIG_record, CONFIG_tap,
                                             CONFIG_junit, CONFIG_artifacts};
    struct drive drive[DRIVE_COUNT];
    char error[DRIVE_ERROR_MAX];
    const struct config_value *serial = &cfg->value[CONFIG_serial];
    bool later = names_come_later(cfg);

    for (unsigned i = 0; i < ARRAY_LEN(outputs); i++) {
        if (file_of(cfg, outputs[i]) && !is_nothing(cfg, outputs[i]))
            sandbox_allow(b, SANDBOX_OUTPUT, file_of(cfg, outputs[i]));
    }
    for (unsigned i = 0; i < serial->count; i++)
        allow_socket(b, serial->list[i]);
    allow_socket(b, config_text(cfg, CONFIG_qmp));
    allow_socket(b, config_text(cfg, CONFIG_monitor));
    allow_socket(b, config_text(cfg, CONFIG_debugcon));
    if (drive_parse(cfg, drive, error)) { /* opened again by snapshots of before they changed */
        for (unsigned i = 0; i < DRIVE_COUNT; i++) {
            if (drive[i].present && *drive[i].path)
                sandbox_allow(b, use_of(&drive[i], later), drive[i].path);
        }
    }
    if (later) {
        sandbox_allow(b, SANDBOX_READ, "/");
        sandbox_allow(b, SANDBOX_OUTPUT, "./");
    } else if (config_text(cfg, CONFIG_replay)) {
        sandbox_allow(b, SANDBOX_READ, "/"); /* the recording names media */
    }
    if (script)
        script_files(script, allow_script, b);
    sandbox_allow(b, SANDBOX_READ, "/sys/devices/system/cpu"); /* how many there are */
    sandbox_allow(b, SANDBOX_READ, "/etc/localtime");
}

static bool wanted(const struct config *cfg, bool window)
{
    const char *audio = config_text(cfg, CONFIG_audio);

    if (cfg->value[CONFIG_sandbox].set)
        return strcmp(config_text(cfg, CONFIG_sandbox), "on") == 0;
    return !window && !(audio && strcmp(audio, "sdl") == 0);
}

bool sandbox_start(const struct config *cfg, const struct script *script, bool window)
{
    static const char *const text[] = {
        "off: this host has neither Landlock nor seccomp",
        "files only: no seccomp filter could be set",
        "system calls only: this kernel has no Landlock",
        "files and system calls",
    };
    const char *now = "off";

    if (wanted(cfg, window)) {
        struct sandbox b;
        if (window) {
            fprintf(stderr, "turbo86: --sandbox on: not with a window, which needs the desktop\n");
            return false;
        }
        sandbox_begin(&b);
        allow_files(&b, cfg, script);
        bool sockets = allow_network(&b, cfg);
        now = text[sandbox_enter(&b, sockets)];
    }
    if (config_flag(cfg, CONFIG_stats))
        fprintf(stderr, "sandbox       %s\n", now);
    return true;
}

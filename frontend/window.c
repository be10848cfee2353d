/* SPDX-License-Identifier: MIT */
#include "frontend/window.h"

#include <stdio.h>
#include <string.h>

static bool window_wanted(const struct config *cfg)
{
    if (config_flag(cfg, CONFIG_nographic))
        return false;
    if (cfg->value[CONFIG_display].set)
        return strcmp(config_text(cfg, CONFIG_display), "sdl") == 0;
    return window_possible();
}

bool window_choose(struct window **out, const struct config *cfg)
{
    char error[WINDOW_ERROR_MAX];

    *out = NULL;
    if (!window_wanted(cfg) || window_open(out, cfg, error) == STATUS_OK)
        return true;
    fprintf(stderr, "turbo86: %s\n", error);
    return !cfg->value[CONFIG_display].set;
}

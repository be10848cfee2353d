/* SPDX-License-Identifier: MIT */
/* In place of sdl_*.c where there is no SDL. */
#include <stdio.h>

#include "frontend/audio_private.h"
#include "frontend/window.h"

bool window_possible(void)
{
    return false;
}

enum status window_open(struct window **out, const struct config *cfg, char error[WINDOW_ERROR_MAX])
{
    (void)out, (void)cfg;
    snprintf(error, WINDOW_ERROR_MAX,
             "-display sdl: this turbo86 was built without SDL, so it has no window");
    return STATUS_UNSUPPORTED;
}

void window_close(struct window *w)
{
    (void)w;
}

enum window_wish window_update(struct window *w, struct pc *pc, u64 host_ns, bool stopped)
{
    (void)w, (void)pc, (void)host_ns, (void)stopped;
    return WINDOW_RUN;
}

u64 window_wake_time(const struct window *w)
{
    (void)w;
    return UINT64_MAX;
}

enum status audio_sdl_open(void **dev, const struct audio_ops **ops, char error[AUDIO_ERROR_MAX])
{
    (void)dev, (void)ops;
    snprintf(error, AUDIO_ERROR_MAX,
             "-audio sdl: this turbo86 was built without SDL, so it has no sound");
    return STATUS_UNSUPPORTED;
}

/* SPDX-License-Identifier: MIT */
#include "frontend/sdl_keys.h"

unsigned sdl_key(SDL_Scancode code)
{
    static const u16 keys[SDL_NUM_SCANCODES] = {
#define KEY(place, code) [SDL_SCANCODE_##place] = code,
#include "frontend/sdl_keys.def"
#undef KEY
    };

    return (unsigned)code < SDL_NUM_SCANCODES ? keys[code] : 0;
}

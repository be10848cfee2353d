/* SPDX-License-Identifier: MIT */
/* SDL's names for the places of keys, and what a PC's keyboard calls them. */
#pragma once

#include <SDL_scancode.h>

#include "base/types.h"

/** The key at @code as pc_key() takes it; 0: a PC's keyboard has none there. */
unsigned sdl_key(SDL_Scancode code);

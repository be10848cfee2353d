/* SPDX-License-Identifier: MIT */
/* The window's picture in task bars and lists of windows: a monitor that shows 86. */
#include "frontend/sdl_private.h"

enum { SIZE = 16, SCALE = 3, SIDE = SIZE * SCALE };

static const char picture[SIZE][SIZE + 1] = {
    "................", ".##############.", ".#            #.", ".#  ooo  ooo  #.",
    ".#  o o  o    #.", ".#  o o  o    #.", ".#  ooo  ooo  #.", ".#  o o  o o  #.",
    ".#  o o  o o  #.", ".#  ooo  ooo  #.", ".#            #.", ".##############.",
    "......####......", "....########....", "................", "................",
};

static u32 color_of(char c)
{
    switch (c) {
    case '#':
        return 0xffb0b0b0;
    case 'o':
        return 0xffffffff;
    case ' ':
        return 0xff0000aa;
    default:
        return 0; /* transparent */
    }
}

void sdl_set_icon(struct window *w)
{
    u32 pixels[SIDE * SIDE];

    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = color_of(picture[i / SIDE / SCALE][i % SIDE / SCALE]);
    SDL_Surface *s = SDL_CreateRGBSurfaceWithFormatFrom(pixels, SIDE, SIDE, 32, SIDE * 4,
                                                        SDL_PIXELFORMAT_ARGB8888);
    if (!s)
        return;
    SDL_SetWindowIcon(w->win, s);
    SDL_FreeSurface(s);
}

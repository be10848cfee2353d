/* SPDX-License-Identifier: MIT */
/* Private to frontend/sdl_*.c: the window and what its files offer each other. */
#pragma once

#include <SDL.h>
#include <setjmp.h>

#include "frontend/sdl_keys.h"
#include "frontend/window.h"

#define SDL_INPUT_QUEUE 512u

/** Keys and buttons on their way to the guest, which takes them at its own pace. */
struct sdl_input {
    struct sdl_stroke {
        u16 key;    /* as pc_key() takes it; 0: the mouse's */
        u8 buttons; /* then all that are down               */
        i8 wheel;   /* ... or with them: notches            */
        bool down;
        bool placed; /* the pointer is at x, y */
        u16 x, y;
    } queue[SDL_INPUT_QUEUE];
    unsigned head, count;
    bool held[SDL_NUM_SCANCODES]; /* the guest was, or will be, told that it is down */
    u8 buttons;                   /* that are down, as the guest will know them */
    bool absolute;                /* the guest takes places of the pointer, not movements */
    bool moved;                   /* ... and has not been told this one: */
    u16 x, y;
};

struct sdl_light {
    u64 count, until; /* of what it shows; host time */
    bool on;
};

struct sdl_overlay {
    bool on;
    char text[60];
    struct sdl_light disk, net;
};

#define SDL_MENU_FONT (256u * 16u)

struct sdl_menu {
    bool on;
    int at;                 /* the item that Enter chooses */
    u8 font[SDL_MENU_FONT]; /* as the video BIOS had it when the menu was opened */
    SDL_Texture *tex;       /* NULL: not made yet */
    SDL_Rect place;         /* in pixels of the screen */
};

struct sdl_console;

struct window {
    const struct config *cfg;
    SDL_Window *win;
    SDL_Renderer *ren;
    SDL_Texture *tex;
    bool sdl;             /* SDL was started */
    bool keeps;           /* what was presented is still there: only changes have to be drawn */
    bool tex_new;         /* nothing is in it yet */
    int tex_w, tex_h;     /* the guest's picture */
    bool square;          /* its pixels are */
    SDL_Rect place;       /* where it is in the window, in pixels of the screen */
    bool integer;         /* only whole multiples of the guest's size */
    int asked_w, asked_h; /* the size that we gave the window */
    int was_w, was_h;     /* the one before full screen, which comes back first */
    bool sized;           /* the person has chosen another */
    bool full_screen, grabbed, paused, quit;
    int x11_fd;  /* -1: none */
    bool lost;   /* there is no display any more: SDL must not be called */
    bool inside; /* of window_update(): where the way out leads */
    jmp_buf way_out;
    bool stale; /* the window has to be drawn even if the picture is the same */
    u64 drawn;  /* host time of the last look at the guest's screen */
    u64 pumped; /* ... at events */
    u64 titled; /* ... at the speed; guest time and instructions then: */
    u64 titled_time, titled_retired;
    u64 mips, percent; /* the speed, and its share of real time */
    struct sdl_overlay overlay;
    struct sdl_menu menu;
    struct sdl_console *console; /* NULL: nobody has asked for it yet */
    bool in_console, console_stale;
    struct sdl_input in;
    char *paste; /* what is being typed, owned; NULL: nothing is */
    size_t pasted;
    u64 paste_breaks; /* pc_breaks() when that began */
    char title[500], told[300]; /* now; a sentence that stands there for a while */
    u64 told_until;             /* 0: from its first sight on, so long: */
    u64 told_ns;
};

/* sdl_window.c */
/** Show @text to the person for some seconds. */
void sdl_tell(struct window *w, const char *text);
void sdl_toggle_full_screen(struct window *w);
void sdl_set_grab(struct window *w, bool on);

/* sdl_overlay.c */
void sdl_overlay_toggle(struct window *w);
/** Look at what it shows. */
void sdl_overlay_update(struct window *w, const struct pc *pc, u64 host_ns, bool stopped);
/** Over the picture that is being presented. */
void sdl_overlay_draw(struct window *w);

/* sdl_icon.c */
void sdl_set_icon(struct window *w);

/* sdl_drop.c */
/** The file @path was dropped on the window: put it into a drive. */
void sdl_drop(struct window *w, struct pc *pc, const char *path);

/* sdl_menu.c */
void sdl_menu_show(struct window *w, const struct pc *pc, bool on);
/** Whether the event was the menu's. */
bool sdl_menu_event(struct window *w, struct pc *pc, const SDL_Event *e);
/** Over the picture that is being presented. */
void sdl_menu_draw(struct window *w);

/* sdl_console.c */
/** Show the monitor, or the guest again. */
void sdl_console_show(struct window *w, const struct pc *pc, bool on);
/** Type into it. */
void sdl_console_type(struct window *w, struct pc *pc, const char *text);
/** Whether the event was the monitor's. */
bool sdl_console_event(struct window *w, struct pc *pc, const SDL_Event *e);
/** Its picture, until the next call. */
void sdl_console_picture(struct window *w, const struct pc *pc, struct pc_picture *out);

/* sdl_x11.c */
/** Set @w->lost when the display server goes away. */
void sdl_watch_display(struct window *w);
/** Whether it has, as far as can be seen without SDL. */
bool sdl_display_gone(struct window *w);
/** Which of its layouts the keyboard has now; -1: only SDL knows. */
int sdl_group(const struct window *w);
/** The key that has @letter, a to z, in such a layout, as sdl_key() numbers it; 0: none has. */
unsigned sdl_group_key(const struct window *w, int layout, char letter);

/* sdl_view.c */
/** The place @x, @y of the window in pixels of the screen. */
SDL_Point sdl_pixel(const struct window *w, int x, int y);
/** The place @x, @y of the window on the guest's screen, each 0 to 65535. */
void sdl_guest_place(const struct window *w, int x, int y, u16 *to_x, u16 *to_y);
/** Draw the guest's screen if it has changed, and the window if it must be. */
void sdl_draw(struct window *w, struct pc *pc);
/** The window has another size, or the guest's picture has. */
void sdl_layout(struct window *w);
/** Give the window the size of the guest's picture. */
void sdl_follow_mode(struct window *w);
/** Somebody has resized the window: we, or the person. */
void sdl_resized(struct window *w);
/** The texture's contents were lost. */
void sdl_forget_texture(struct window *w);

/* sdl_input.c */
void sdl_event(struct window *w, struct pc *pc, const SDL_Event *e);
/** Give the guest what it has room for. */
void sdl_deliver(struct window *w, struct pc *pc);
/** Whether the guest is shown, and nothing over it. */
bool sdl_pointer_is_guests(const struct window *w);
/** All keys and buttons go up. */
void sdl_release_all(struct window *w);
/** Keys go down in this order, and up in the other. */
void sdl_tap(struct window *w, const SDL_Scancode *keys, unsigned n);

/* sdl_paste.c */
/** Begin to type the clipboard on the guest's keyboard, or into the monitor if that is shown; or
 * stop, if it is being typed. */
void sdl_paste(struct window *w, struct pc *pc);
/** Type on, key by key, when the guest has those before. */
void sdl_paste_go_on(struct window *w, struct pc *pc);
void sdl_paste_stop(struct window *w);

/* sdl_hotkeys.c */
/** Whether the key was one of ours; then it is done. */
bool sdl_hotkey(struct window *w, struct pc *pc, const SDL_KeyboardEvent *e);
/** Do what Ctrl-Alt and @code does. */
void sdl_hotkey_run(struct window *w, struct pc *pc, SDL_Scancode code);

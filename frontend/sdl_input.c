/* SPDX-License-Identifier: MIT */
/*
 * Keyboard and mouse of the window. Keys go by their place, never by what is printed on them: the
 * guest has a layout of its own. What the guest was told is down goes up again, whatever happens
 * to the window in between.
 */
#include <string.h>

#include "frontend/sdl_private.h"

static void queue_add(struct sdl_input *in, struct sdl_stroke s)
{
    if (in->count < SDL_INPUT_QUEUE)
        in->queue[(in->head + in->count++) % SDL_INPUT_QUEUE] = s;
}

/* Presses leave room for the release of every key there is. */
static bool queue_full(const struct sdl_input *in)
{
    return in->count >= SDL_INPUT_QUEUE / 2;
}

static void key_down(struct window *w, SDL_Scancode code, bool repeat)
{
    unsigned key = sdl_key(code);

    /* Repeats that the guest is too slow for would go on after the key is up. */
    if (!key || queue_full(&w->in) || (repeat && w->in.count))
        return;
    w->in.held[code] = true;
    queue_add(&w->in, (struct sdl_stroke){.key = (u16)key, .down = true});
}

static void key_up(struct window *w, SDL_Scancode code)
{
    if (!w->in.held[code])
        return;
    w->in.held[code] = false;
    queue_add(&w->in, (struct sdl_stroke){.key = (u16)sdl_key(code)});
}

static void queue_mouse(struct window *w, u8 buttons, i8 wheel)
{
    queue_add(&w->in, (struct sdl_stroke){.buttons = buttons,
                                          .wheel = wheel,
                                          .placed = w->in.absolute && !w->grabbed,
                                          .x = w->in.x,
                                          .y = w->in.y});
}

static void set_buttons(struct window *w, u8 down)
{
    if (down == w->in.buttons || (queue_full(&w->in) && down & ~w->in.buttons))
        return;
    w->in.buttons = down;
    queue_mouse(w, down, 0);
}

void sdl_release_all(struct window *w)
{
    for (unsigned i = 0; i < SDL_NUM_SCANCODES; i++)
        key_up(w, (SDL_Scancode)i);
    set_buttons(w, 0);
}

void sdl_tap(struct window *w, const SDL_Scancode *keys, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        key_down(w, keys[i], false);
    for (unsigned i = n; i-- > 0;)
        key_up(w, keys[i]);
}

static void deliver_mouse(struct pc *pc, const struct sdl_stroke *s)
{
    if (s->placed)
        pc_mouse_point(pc, s->x, s->y);
    pc_mouse_buttons(pc, s->buttons);
    if (s->wheel)
        pc_mouse_move(pc, 0, 0, s->wheel);
}

bool sdl_pointer_is_guests(const struct window *w)
{
    return !w->in_console && !w->menu.on;
}

/* The guest draws a pointer of its own where ours is. */
static void look_at_mode(struct window *w, const struct pc *pc)
{
    bool absolute = pc_mouse_is_absolute(pc);

    if (absolute == w->in.absolute)
        return;
    w->in.absolute = absolute;
    if (absolute)
        sdl_set_grab(w, false);
    SDL_ShowCursor(absolute && sdl_pointer_is_guests(w) ? SDL_DISABLE : SDL_ENABLE);
}

void sdl_deliver(struct window *w, struct pc *pc)
{
    struct sdl_input *in = &w->in;

    if (pc_deterministic(pc))
        in->count = 0; /* input comes from scripts, not from whoever types when */
    while (in->count) {
        const struct sdl_stroke *s = &in->queue[in->head];
        if (s->key ? !pc_keyboard_idle(pc) : !pc_mouse_idle(pc))
            break;
        if (s->key)
            (void)pc_key(pc, s->key, s->down);
        else
            deliver_mouse(pc, s);
        in->head = (in->head + 1) % SDL_INPUT_QUEUE;
        in->count--;
    }
    if (!in->count && in->moved && !pc_deterministic(pc)) { /* not before a click elsewhere */
        pc_mouse_point(pc, in->x, in->y);
        in->moved = false;
    }
    sdl_paste_go_on(w, pc);
    look_at_mode(w, pc);
}

/* ---- the mouse ---- */

static u8 button_of(u8 sdl)
{
    switch (sdl) {
    case SDL_BUTTON_LEFT:
        return BIT(0);
    case SDL_BUTTON_RIGHT:
        return BIT(1);
    case SDL_BUTTON_MIDDLE:
        return BIT(2);
    case SDL_BUTTON_X1:
        return BIT(3);
    case SDL_BUTTON_X2:
        return BIT(4);
    default:
        return 0;
    }
}

static void on_button(struct window *w, const SDL_MouseButtonEvent *b)
{
    u8 bit = button_of(b->button);

    if (!w->grabbed && w->in.absolute)
        sdl_guest_place(w, b->x, b->y, &w->in.x, &w->in.y);

    if (b->state == SDL_RELEASED)
        set_buttons(w, w->in.buttons & (u8)~bit);
    else if (w->grabbed || w->in.absolute)
        set_buttons(w, w->in.buttons | bit);
    else if (b->button == SDL_BUTTON_LEFT)
        sdl_set_grab(w, true); /* this click is for the window */
}

static void on_motion(struct window *w, struct pc *pc, const SDL_MouseMotionEvent *m)
{
    if (!w->grabbed && w->in.absolute) {
        sdl_guest_place(w, m->x, m->y, &w->in.x, &w->in.y);
        w->in.moved = true;
    } else if (w->grabbed && !pc_deterministic(pc)) {
        pc_mouse_move(pc, m->xrel, m->yrel, 0);
    }
}

static void on_wheel(struct window *w, const SDL_MouseWheelEvent *m)
{
    int up = m->direction == SDL_MOUSEWHEEL_FLIPPED ? -m->y : m->y;

    up = up > 100 ? 100 : up < -100 ? -100 : up;
    if ((w->grabbed || w->in.absolute) && !queue_full(&w->in))
        queue_mouse(w, w->in.buttons, (i8)-up);
}

/* ---- events ---- */

static void on_window_event(struct window *w, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST:
        sdl_release_all(w);
        sdl_set_grab(w, false);
        break;
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        sdl_layout(w);
        break;
    case SDL_WINDOWEVENT_RESIZED: /* by the person; also after our own call: see sdl_view.c */
        sdl_resized(w);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
        w->stale = true;
        break;
    default:
        break;
    }
}

void sdl_event(struct window *w, struct pc *pc, const SDL_Event *e)
{
    if (e->type == SDL_KEYDOWN && sdl_hotkey(w, pc, &e->key))
        return;
    if (sdl_menu_event(w, pc, e) || sdl_console_event(w, pc, e))
        return;
    switch (e->type) {
    case SDL_QUIT:
        w->quit = true;
        break;
    case SDL_WINDOWEVENT:
        on_window_event(w, &e->window);
        break;
    case SDL_KEYDOWN:
        key_down(w, e->key.keysym.scancode, e->key.repeat);
        break;
    case SDL_KEYUP:
        key_up(w, e->key.keysym.scancode);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        on_button(w, &e->button);
        break;
    case SDL_MOUSEMOTION:
        on_motion(w, pc, &e->motion);
        break;
    case SDL_MOUSEWHEEL:
        on_wheel(w, &e->wheel);
        break;
    case SDL_DROPFILE:
        sdl_drop(w, pc, e->drop.file);
        SDL_free(e->drop.file);
        break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        sdl_forget_texture(w);
        break;
    default:
        break;
    }
}

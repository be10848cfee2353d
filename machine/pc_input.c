/* SPDX-License-Identifier: MIT */
/* What people do to the machine: keys, typed text, the mouse. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cpu/state.h"
#include "machine/board.h"
#include "machine/journal_private.h"

bool pc_key(struct pc *pc, unsigned key, bool down)
{
    if (!journal_numbers(pc, JOURNAL_KEY, key, down, 0))
        return false;
    if (pc->twin)
        (void)pc_key(pc->twin, key, down);
    return ps2kbd_key(pc->kbd, key, down);
}

void pc_mouse_move(struct pc *pc, int dx, int dy, int dz)
{
    if (!journal_numbers(pc, JOURNAL_MOVE, (u32)dx, (u32)dy, (u32)dz))
        return;
    if (pc->vmmouse && vmmouse_active(pc->vmmouse))
        vmmouse_move(pc->vmmouse, dx, dy, dz);
    else
        ps2mouse_move(pc->mouse, dx, dy, dz);
    if (pc->twin)
        pc_mouse_move(pc->twin, dx, dy, dz);
}

void pc_mouse_buttons(struct pc *pc, u8 down)
{
    if (!journal_numbers(pc, JOURNAL_BUTTONS, down, 0, 0))
        return;
    if (pc->vmmouse && vmmouse_active(pc->vmmouse))
        vmmouse_buttons(pc->vmmouse, down);
    else
        ps2mouse_buttons(pc->mouse, down);
    if (pc->twin)
        pc_mouse_buttons(pc->twin, down);
}

bool pc_mouse_is_absolute(const struct pc *pc)
{
    return pc->vmmouse && vmmouse_absolute(pc->vmmouse);
}

void pc_mouse_point(struct pc *pc, u16 x, u16 y)
{
    if (!journal_numbers(pc, JOURNAL_POINT, x, y, 0))
        return;
    if (pc_mouse_is_absolute(pc))
        vmmouse_point(pc->vmmouse, x, y);
    if (pc->twin)
        pc_mouse_point(pc->twin, x, y);
}

bool pc_mouse_idle(const struct pc *pc)
{
    if (pc->vmmouse && vmmouse_active(pc->vmmouse))
        return vmmouse_idle(pc->vmmouse);
    return ps2mouse_idle(pc->mouse);
}

u8 pc_leds(const struct pc *pc)
{
    return ps2kbd_leds(pc->kbd);
}

/* ---- the absolute one, whose port talks through the registers ---- */

static void get_registers(void *ctx, struct vmmouse_regs *r)
{
    const struct pc *pc = ctx;
    const u64 *gpr = pc->cpu[pc->current]->gpr;

    *r = (struct vmmouse_regs){(u32)gpr[REG_AX], (u32)gpr[REG_BX], (u32)gpr[REG_CX],
                               (u32)gpr[REG_DX]};
}

static void set_registers(void *ctx, const struct vmmouse_regs *r)
{
    const struct pc *pc = ctx;
    u64 *gpr = pc->cpu[pc->current]->gpr;

    gpr[REG_BX] = r->ebx;
    gpr[REG_CX] = r->ecx;
    gpr[REG_DX] = r->edx;
}

enum status pc_create_vmmouse(struct pc *pc)
{
    struct vmmouse_desc desc = {
        .io = pc->io,
        .get = get_registers,
        .set = set_registers,
        .ctx = pc,
        .news = {ps2mouse_poke, pc->mouse, 0},
    };
    enum status s = vmmouse_create(&pc->vmmouse, &desc);

    if (s == STATUS_CONFLICT)
        return pc_fail(pc, STATUS_BAD_VALUE, "-device: there can be only one vmmouse");
    return s == STATUS_OK ? pc_add_chip(pc, &vmmouse_class, pc->vmmouse) : s;
}

bool pc_can_type(const char *text, char error[PC_ERROR_MAX])
{
    return typist_can(text, error);
}

enum status pc_type(struct pc *pc, const char *text, char error[PC_ERROR_MAX])
{
    static_assert(TYPIST_ERROR_MAX <= PC_ERROR_MAX, "the typist's sentence fits");
    struct journal_event e = {
        .kind = JOURNAL_TYPE, .bytes = (const u8 *)text, .len = strlen(text) + 1};

    if (pc_replays(pc) && !pc->journal->playing) {
        snprintf(error, PC_ERROR_MAX, "a replaying machine takes only what was recorded");
        return STATUS_CONFLICT;
    }
    enum status s = typist_add(pc->typist, clock_now(&pc->clock), text, error);
    if (s == STATUS_OK)
        (void)journal_input(pc, e);
    return s == STATUS_OK && pc->twin ? pc_type(pc->twin, text, error) : s;
}

bool pc_typing_done(const struct pc *pc)
{
    return typist_done(pc->typist);
}

enum status pc_create_typist(struct pc *pc)
{
    return typist_create(&pc->typist, &pc->clock, pc->kbd);
}

/* --type TIME:TEXT, as often as it is given. */
enum status pc_start_typing(struct pc *pc)
{
    const struct config_value *list = &pc->cfg->value[CONFIG_type];
    char error[TYPIST_ERROR_MAX] = "";
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < list->count; i++) {
        const char *text = strchr(list->list[i], ':');
        u64 at;
        if (!text || !config_time(list->list[i], (size_t)(text - list->list[i]), &at))
            return pc_fail(pc, STATUS_BAD_VALUE, "--type: '%.100s' is not TIME:TEXT",
                           list->list[i]);
        s = typist_add(pc->typist, at, text + 1, error);
        if (s != STATUS_OK)
            return pc_fail(pc, s, "--type: %s", error);
    }
    return s;
}

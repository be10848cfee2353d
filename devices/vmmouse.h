/* SPDX-License-Identifier: MIT */
/* VMware's backdoor port, as far as its absolute pointing device needs it. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct vmmouse;

/** What an IN from the port passes and returns beside EAX, which is the port's value. */
struct vmmouse_regs {
    u32 eax, ebx, ecx, edx;
};

struct vmmouse_desc {
    struct ioport_bus *io;
    /* The registers of the CPU that executes the IN: read, and all but EAX written. */
    void (*get)(void *ctx, struct vmmouse_regs *regs);
    void (*set)(void *ctx, const struct vmmouse_regs *regs);
    void *ctx;
    struct line
        news; /* pulses high: the PS/2 mouse is to interrupt, there is something in the queue */
};

extern const struct device_class vmmouse_class;

enum status vmmouse_create(struct vmmouse **out, const struct vmmouse_desc *desc) MUST_CHECK;

/** Whether the guest takes what the mouse does from here. */
bool vmmouse_active(const struct vmmouse *v);
/** ... and wants to know where the pointer is, not how far it was moved. */
bool vmmouse_absolute(const struct vmmouse *v);

/** The pointer is at @x, @y, each from 0 to 65535 of the screen. Only while absolute. */
void vmmouse_point(struct vmmouse *v, u16 x, u16 y);
/** As ps2mouse_move() and ps2mouse_buttons(). Only while active. */
void vmmouse_move(struct vmmouse *v, int dx, int dy, int dz);
void vmmouse_buttons(struct vmmouse *v, u8 down);
/** Whether the guest has taken everything. */
bool vmmouse_idle(const struct vmmouse *v);

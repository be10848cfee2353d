/* SPDX-License-Identifier: MIT */
/*
 * Types on the guest's keyboard, in guest time, as fast as a good typist, and never faster than the
 * guest takes the keys. So equal runs see equal keys at equal moments.
 *
 * Text is what a US keyboard has; letters keep their case while the keyboard shows Caps Lock (which
 * SeaBIOS sees to when a program asks for the next key: one letter late). "\n", "\t", "\e" and "\\"
 * are as in C; <NAME> is a key or several held together, by their names: <f1>,
 * <ctrl-alt-delete>; <500ms> is a pause; << is one <.
 */
#pragma once

#include "base/clock.h"
#include "base/fields.h"
#include "base/status.h"
#include "devices/ps2kbd.h"

struct typist;

#define TYPIST_ERROR_MAX 200u
#define TYPIST_TIMER     "host:typist"

/** Create an idle typist at @kbd (not owned). */
enum status typist_create(struct typist **out, struct clock *clk, struct ps2kbd *kbd) MUST_CHECK;
void typist_destroy(struct typist *t);

/**
 * Type @text at guest time @at, or after what is to be typed at that time or before.
 * STATUS_BAD_VALUE: a word of
 * @text means nothing, @error tells which, and nothing of it is typed.
 */
enum status typist_add(struct typist *t, u64 at, const char *text,
                       char error[TYPIST_ERROR_MAX]) MUST_CHECK;

/** Whether all of @text means something; else @error is as typist_add()'s. */
bool typist_can(const char *text, char error[TYPIST_ERROR_MAX]);

/** Nothing is being typed, and nothing is to be before a time to come. */
bool typist_done(const struct typist *t);

/*
 * What is still to be typed, as a stream. Loading is in two steps: typist_stage() keeps what the
 * stream [@p, @end) holds, or says STATUS_BAD_VALUE, and typist_commit() puts it into the place of
 * what was to be typed before, which cannot fail. The deadline is the clock's.
 */
void typist_save(const struct typist *t, field_sink *sink, void *ctx);
enum status typist_stage(struct typist *t, const u8 *p, const u8 *end) MUST_CHECK;
void typist_unstage(struct typist *t);
void typist_commit(struct typist *t);

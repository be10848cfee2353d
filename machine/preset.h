/* SPDX-License-Identifier: MIT */
/* --preset: a machine for a guest of its time, in one word. */
#pragma once

#include "machine/config.h"

#define PRESET_TEXT_MAX 200u

/**
 * Choose what the preset says and @c leaves open; @chosen gets it as options, "" without a preset.
 * False: @c->error holds one sentence.
 */
bool preset_apply(struct config *c, char chosen[PRESET_TEXT_MAX]) MUST_CHECK;

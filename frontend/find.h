/* SPDX-License-Identifier: MIT */
/* --find-first: at which instruction does something first show on the screen? */
#pragma once

#include "machine/pc.h"

struct find;
struct script;

#define FIND_ERROR_MAX 400u

/** Read what @cfg asks for; *@out is NULL if nothing. False: @error holds one sentence. */
bool find_open(struct find **out, const struct config *cfg, char error[FIND_ERROR_MAX]) MUST_CHECK;
/** What it waits for, as a script of one step: the files that it reads. */
const struct script *find_script(const struct find *f);
/** NULL is accepted. */
void find_close(struct find *f);

/** Run until it shows, then bisect. The machine is there afterwards. Returns the exit status. */
int find_run(struct find *f, struct pc *pc);

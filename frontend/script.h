/* SPDX-License-Identifier: MIT */
/*
 * Scripts: one action a line, run in guest time (docs/SCRIPTS.md is their manual). The runner calls
 * script_poll() whenever pc_poll_due(), every SCRIPT_POLL_NS of guest time, so what a script sees
 * and does depends on the guest alone.
 */
#pragma once

#include "frontend/sandbox.h"
#include "frontend/tape.h"
#include "machine/pc.h"

#define SCRIPT_POLL_NS   10000000u
#define SCRIPT_ERROR_MAX 400u

struct script;

/**
 * Read the script that @cfg asks for. False: @error holds one sentence; *@out is NULL if there is
 * none.
 */
bool script_open(struct script **out, const struct config *cfg,
                 char error[SCRIPT_ERROR_MAX]) MUST_CHECK;
/** NULL is accepted. */
void script_close(struct script *s);

/** Tell @file every file that the script, or a variant of it, may open while it runs. */
void script_files(const struct script *s,
                  void (*file)(void *ctx, enum sandbox_use use, const char *path), void *ctx);

/** The guest has sent @byte. */
void script_output(struct script *s, unsigned tape, u8 byte);

/** Do what can be done now. True: the run is over, with exit status *@status. */
bool script_poll(struct script *s, struct pc *pc, int *status) MUST_CHECK;

/**
 * The machine has stopped for good; the exit status would be @status. Returns what it is with what
 * the script says about that.
 */
int script_stopped(struct script *s, struct pc *pc, enum pc_stop stop, int status);

/**
 * The run is over, with @status: a limit of the host's, or somebody has @wanted that. If the script
 * is not at its end, its step has failed, which is told; what helps is saved unless that was
 * wanted. Returns what the status is then.
 */
int script_ended(struct script *s, struct pc *pc, int status, bool wanted);

/** A variant of a script whose other process has ended, or wants it to end. */
bool script_orphaned(const struct script *s);

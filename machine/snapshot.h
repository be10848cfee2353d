/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: all of a machine's state at an instant between two calls of pc_run(), in memory or in
 * a file. A machine that loads one goes on as the one that was saved would have: equal input gives
 * equal states, by whatever engine and on whatever host.
 *
 * In it: the CPUs, the chips by their field tables, RAM, guest time with its timers, what is still
 * to be typed, and what the guest has written to disks with snapshot=on. Not in it: images and
 * firmware, of which a hash is kept, and what lies outside of the machine: network connections,
 * bytes on their way to a serial port.
 */
#pragma once

#include "machine/pc.h"

struct pc_snapshot;

/** Copy the state of @pc. The caller frees *@out. STATUS_IO: an image cannot be read. */
enum status pc_snapshot_take(struct pc *pc, struct pc_snapshot **out,
                             char error[PC_ERROR_MAX]) MUST_CHECK;

/**
 * Bring @pc into the state of @s. It must be the same machine: CPU model, RAM, chips, firmware and
 * images; another image in a drive with removable media is taken from where it was. Limits in guest
 * time go on counting. On failure @pc is as it was and @error holds one sentence.
 */
enum status pc_snapshot_apply(struct pc *pc, struct pc_snapshot *s,
                              char error[PC_ERROR_MAX]) MUST_CHECK;

/** NULL is accepted. */
void pc_snapshot_free(struct pc_snapshot *s);

/**
 * The same with a file (machine/snapfile.h). Saving replaces @path at once, when all is written, or
 * leaves it as it was. Loading refuses, with the reason in @error, what is not whole, not ours, of
 * a later version or of another machine.
 */
enum status pc_snapshot_save(struct pc *pc, const char *path, char error[PC_ERROR_MAX]) MUST_CHECK;
enum status pc_snapshot_load(struct pc *pc, const char *path, char error[PC_ERROR_MAX]) MUST_CHECK;

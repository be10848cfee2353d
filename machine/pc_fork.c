/* SPDX-License-Identifier: MIT */
/*
 * One machine becomes two, in two processes. RAM is private memory, which the host copies page by
 * page; the memory of translated code is not, so that each process needs its own.
 */
#include <stdio.h>

#include "machine/board.h"

enum status pc_prepare_fork(struct pc *pc, char error[PC_ERROR_MAX])
{
    if (pc->check || pc->nics || pc->journal) {
        snprintf(error, PC_ERROR_MAX, "a machine with %s cannot be forked",
                 pc->check  ? "-jit check"
                 : pc->nics ? "a network card"
                            : "a recording");
        return STATUS_UNSUPPORTED;
    }
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        struct block *b = pc->disk[i];
        if (!b || block_read_only(b) || block_overlaid(b) || pc->drive[i].cdrom)
            continue;
        snprintf(error, PC_ERROR_MAX, "several machines cannot write '%.200s'; add -snapshot",
                 pc->drive[i].path);
        return STATUS_CONFLICT;
    }
    if (pc->jit)
        jit_flush(pc->jit); /* nothing of it is used when the child lets go of it */
    return STATUS_OK;
}

enum status pc_forked(struct pc *pc, char error[PC_ERROR_MAX])
{
    if (!pc->jit)
        return STATUS_OK;
    jit_destroy(pc->jit);
    pc->jit = NULL;
    pc->error = error;
    enum status s = pc_create_jit(pc);
    pc->error = NULL;
    return s;
}

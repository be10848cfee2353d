/* SPDX-License-Identifier: MIT */
#include "frontend/endings.h"

#include <stdio.h>
#include <string.h>

#include "frontend/exit_codes.h"
#include "frontend/failure.h"

const char *ending_text(enum pc_stop stop)
{
    static const char *const text[] = {
        [PC_STOP_SLICE] = "the machine runs",
        [PC_STOP_IDLE] = "the machine sleeps",
        [PC_STOP_POWER_OFF] = "the guest powered the machine off",
        [PC_STOP_EXIT] = "the guest wrote to the exit port",
        [PC_STOP_RESET] = "the guest reset the machine",
        [PC_STOP_TRIPLE_FAULT] = "the guest caused a triple fault",
        [PC_STOP_HALTED] = "the guest halted and nothing can wake it",
        [PC_STOP_TIMEOUT] = "the guest timeout is over",
        [PC_STOP_DEBUG] = "the debugger stopped the machine",
        [PC_STOP_DIFFERENCE] = "what was to be equal differs",
        [PC_STOP_REPLAYED] = "the recording is over",
    };

    return text[stop];
}

int ending_status(const struct pc *pc, enum pc_stop stop)
{
    static const int status[] = {
        [PC_STOP_SLICE] = EXIT_CODE_OK,      [PC_STOP_IDLE] = EXIT_CODE_OK,
        [PC_STOP_POWER_OFF] = EXIT_CODE_OK,  [PC_STOP_EXIT] = EXIT_CODE_OK,
        [PC_STOP_RESET] = EXIT_CODE_RESET,   [PC_STOP_TRIPLE_FAULT] = EXIT_CODE_TRIPLE_FAULT,
        [PC_STOP_HALTED] = EXIT_CODE_HALTED, [PC_STOP_TIMEOUT] = EXIT_CODE_TIMEOUT,
        [PC_STOP_DEBUG] = EXIT_CODE_OK,      [PC_STOP_DIFFERENCE] = EXIT_CODE_HOST,
        [PC_STOP_REPLAYED] = EXIT_CODE_OK,
    };

    if (stop == PC_STOP_EXIT)
        return pc_exit_status(pc);
    if (stop == PC_STOP_DIFFERENCE)
        fprintf(stderr, "turbo86: %s", pc_check_report(pc));
    else if (status[stop] != EXIT_CODE_OK)
        fprintf(stderr, "turbo86: %s\n", ending_text(stop));
    return status[stop];
}

void ending_tell(const struct config *cfg, struct pc *pc, const struct tape *tape, int status)
{
    static const struct {
        int status;
        const char *why;
    } failures[] = {
        {EXIT_CODE_TRIPLE_FAULT, "the guest caused a triple fault"},
        {EXIT_CODE_HALTED, "the guest halted and nothing can wake it"},
        {EXIT_CODE_RESET, "the guest reset the machine"},
        {EXIT_CODE_TIMEOUT, "the guest timeout is over"},
        {EXIT_CODE_WALL_TIMEOUT, "the wall timeout is over"},
    };
    const char *prefix = config_text(cfg, CONFIG_artifacts);

    for (unsigned i = 0; i < ARRAY_LEN(failures); i++) {
        if (failures[i].status != status)
            continue;
        failure_tell(stderr, pc, tape);
        if (prefix && *prefix && strcmp(prefix, "none") != 0)
            failure_save(pc, tape, prefix, failures[i].why);
    }
}

/* SPDX-License-Identifier: MIT */
#include "frontend/recording.h"

#include <stdio.h>

#include "frontend/exit_codes.h"
#include "machine/journal.h"

bool recording_begin(const struct config *cfg, struct pc *pc)
{
    const char *replay = config_text(cfg, CONFIG_replay);
    bool record = config_text(cfg, CONFIG_record);
    bool gdb = config_text(cfg, CONFIG_gdb) || config_flag(cfg, CONFIG_gdb_default);
    char error[PC_ERROR_MAX] = "";

    if (record && (replay || gdb || config_text(cfg, CONFIG_find_first)))
        snprintf(error, PC_ERROR_MAX, "--record goes without --replay, -gdb and --find-first");
    else if (replay && config_text(cfg, CONFIG_script))
        snprintf(error, PC_ERROR_MAX, "--replay goes without --script");
    else if ((!record || pc_record(pc, error) == STATUS_OK) &&
             (!replay || pc_replay(pc, replay, error) == STATUS_OK))
        return true;
    fprintf(stderr, "turbo86: %s\n", error);
    return false;
}

int recording_end(const struct config *cfg, struct pc *pc, int status)
{
    char error[PC_ERROR_MAX] = "";

    if (!pc_records(pc) || pc_record_end(pc, config_text(cfg, CONFIG_record), error) == STATUS_OK)
        return status;
    fprintf(stderr, "turbo86: --record: %s\n", error);
    return EXIT_CODE_HOST;
}

/* SPDX-License-Identifier: MIT */
/* Which files a script will want, known before the machine runs. */
#include <stdlib.h>
#include <string.h>

#include "frontend/script_private.h"
#include "machine/drive.h"

typedef void file_fn(void *ctx, enum sandbox_use use, const char *path);

/* The scripts of a fork, and what they want. */
static void tell_variants(const struct script *s, const struct step *st, file_fn *file, void *ctx)
{
    char error[SCRIPT_ERROR_MAX];

    for (const char *p = st->arg + strspn(st->arg, " \t"); *p; p += strspn(p, " \t")) {
        size_t n = strcspn(p, " \t");
        struct script variant = {
            .cfg = s->cfg, .variant = true, .variant_path = strndup(p, n), .parent = s};
        p += n;
        if (!variant.variant_path)
            return;
        variant.path = variant.variant_path;
        file(ctx, SANDBOX_READ, variant.path);
        if (script_parse(&variant, variant.path, error))
            script_files(&variant, file, ctx);
        script_drop_steps(&variant);
        free(variant.variant_path);
    }
}

/* What the guest never writes to, nobody else may: frontend/sandbox.c. */
static enum sandbox_use use_of_medium(const struct config *cfg, const char *name)
{
    struct drive drive[DRIVE_COUNT];
    char error[DRIVE_ERROR_MAX];

    if (strncmp(name, "floppy", 6) != 0) /* the others are CD-ROM drives */
        return SANDBOX_READ;
    unsigned n = DRIVE_IDE + (unsigned)(name[6] - '0');
    bool kept = n < DRIVE_COUNT && drive_parse(cfg, drive, error) &&
                (drive[n].readonly || drive[n].snapshot);
    return kept ? SANDBOX_READ : SANDBOX_CHANGE;
}

static void tell_step(const struct script *s, const struct step *st, file_fn *file, void *ctx)
{
    switch (st->verb) {
    case STEP_SCREENSHOT:
        file(ctx, SANDBOX_OUTPUT, st->arg);
        break;
    case STEP_SNAPSHOT:
        file(ctx, st->number[0] ? SANDBOX_READ : SANDBOX_OUTPUT, st->arg);
        if (st->number[0])
            file(ctx, SANDBOX_READ, "/"); /* the snapshot names media */
        break;
    case STEP_INSERT:
        file(ctx, use_of_medium(s->cfg, st->arg), st->arg2);
        break;
    case STEP_FORK:
        tell_variants(s, st, file, ctx);
        break;
    default:
        if (st->subject == ON_FRAME && st->arg)
            file(ctx, SANDBOX_READ, st->arg);
        break;
    }
}

void script_files(const struct script *s, file_fn *file, void *ctx)
{
    const char *artifacts = config_text(s->cfg, CONFIG_artifacts);

    if (!artifacts)
        file(ctx, SANDBOX_OUTPUT, s->path); /* of a failure: beside it */
    for (unsigned i = 0; i < s->count; i++)
        tell_step(s, &s->step[i], file, ctx);
}

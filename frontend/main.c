/* SPDX-License-Identifier: MIT */
/* The program: command line to configuration, then the run. The only exit() is main's return. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/outfile.h"
#include "frontend/chardev.h"
#include "frontend/exit_codes.h"
#include "frontend/runner.h"
#include "machine/config_files.h"
#include "machine/pc.h"
#include "machine/preset.h"

static void print_exit_codes(void)
{
    static const struct {
        int status;
        const char *text;
    } codes[] = {
#define EXIT_CODE(name, status, text) {status, text},
#include "frontend/exit_codes.def"
#undef EXIT_CODE
    };

    printf("\nExit status:\n");
    for (unsigned i = 0; i < ARRAY_LEN(codes); i++)
        printf("  %3d  %s\n", codes[i].status, codes[i].text);
    printf("  odd  value * 2 + 1: the guest wrote value to the exit port (low 8 bits;\n"
           "       143 is also SIGTERM)\n");
}

static void print_model(void *ctx, const char *name, const char *text)
{
    (void)ctx;
    printf("%-12s%s\n", name, text);
}

static void print_values(enum config_id id)
{
    if (config_print_choices(id, stdout))
        return;
    switch (id) {
    case CONFIG_cpu:
        pc_cpu_models(print_model, NULL);
        break;
    case CONFIG_log:
        for (enum log_category c = 0; c < LOG__COUNT; c++)
            printf("%-10s%s\n", log_category_name(c), log_category_help(c));
        break;
    case CONFIG_device:
        printf("isa-debug-exit,iobase=PORT,iosize=SIZE   ends the run when the guest writes it\n"
               "sb16                                     a Sound Blaster 16: ports 220h and 330h, "
               "IRQ 5, DMA 1 and 5\n");
        break;
    default:
        printf("%s", chardev_help);
        break;
    }
}

/* -d a,b,c and -D FILE. False: told. */
static bool start_log(const struct config *cfg)
{
    const char *items = config_text(cfg, CONFIG_log);
    const char *file = config_text(cfg, CONFIG_log_file);
    char name[32];

    while (items && *items) {
        size_t n = strcspn(items, ",");
        snprintf(name, sizeof(name), "%.*s", (int)n, items);
        if (n >= sizeof(name) || log_enable(name) != STATUS_OK) {
            fprintf(stderr, "turbo86: -d: there is no log item '%s'; -d help lists them\n", name);
            return false;
        }
        items += n + (items[n] == ',');
    }
    if (file && log_open(file) != STATUS_OK) {
        fprintf(stderr, "turbo86: -D: cannot write '%s': %s\n", file, outfile_why(errno));
        return false;
    }
    return true;
}

/* Scripts, searches and replays run in guest time, and nobody looks on at the first two unless
 * asked to. False: @cfg->error.
 */
static bool imply(struct config *cfg)
{
    bool headless = !cfg->value[CONFIG_display].set && !config_flag(cfg, CONFIG_nographic);

    if (config_text(cfg, CONFIG_replay) && config_set(cfg, "deterministic", "on") != CONFIG_RUN)
        return false;
    if (!config_text(cfg, CONFIG_script) && !config_text(cfg, CONFIG_find_first))
        return true;
    return config_set(cfg, "deterministic", "on") == CONFIG_RUN &&
           (!headless || config_set(cfg, "display", "none") == CONFIG_RUN);
}

/* False: told. */
static bool makes_sense(const struct config *cfg)
{
    const char *display = config_text(cfg, CONFIG_display);

    if (!config_flag(cfg, CONFIG_nographic) || !cfg->value[CONFIG_display].set ||
        strcmp(display, "none") == 0)
        return true;
    fprintf(stderr,
            "turbo86: -nographic is no display, and -display %s is one: which is it to be?\n",
            display);
    return false;
}

static int act(struct config *cfg, enum config_result result)
{
    switch (result) {
    case CONFIG_BAD:
        fprintf(stderr, "turbo86: %s\n", cfg->error);
        return EXIT_CODE_USAGE;
    case CONFIG_SHOW_HELP:
        config_print_help(stdout);
        print_exit_codes();
        return EXIT_CODE_OK;
    case CONFIG_SHOW_VALUES:
        print_values(cfg->asked);
        return EXIT_CODE_OK;
    case CONFIG_SHOW_CONFIG:
        config_dump(cfg, stdout);
        return EXIT_CODE_OK;
    case CONFIG_SHOW_VERSION:
        printf("turbo86 0.1.0\n");
        return EXIT_CODE_OK;
    case CONFIG_RUN:
        break;
    }
    return makes_sense(cfg) && start_log(cfg) ? runner_main(cfg) : EXIT_CODE_USAGE;
}

/* What was not said, but follows; what --preset stands for is told to whoever runs it. */
static enum config_result complete(struct config *cfg, enum config_result result)
{
    char chosen[PRESET_TEXT_MAX];

    if (result != CONFIG_RUN && result != CONFIG_SHOW_CONFIG)
        return result;
    if (!imply(cfg) || !preset_apply(cfg, chosen) || !config_check_files(cfg))
        return CONFIG_BAD;
    if (*chosen && result == CONFIG_RUN)
        fprintf(stderr, "turbo86: --preset %s:%s\n", config_text(cfg, CONFIG_preset), chosen);
    return result;
}

int main(int argc, char **argv)
{
    struct config cfg;
    int status;

    if (!config_init(&cfg)) {
        fprintf(stderr, "turbo86: out of memory\n");
        return EXIT_CODE_HOST;
    }
    enum config_result result = config_parse(&cfg, argc - 1, argv + 1);
    status = act(&cfg, complete(&cfg, result));
    log_close();
    config_free(&cfg);
    return status;
}

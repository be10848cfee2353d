/* SPDX-License-Identifier: MIT */
/* The config file ("key = value", # starts a comment) and the texts made from the rows. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "machine/config_row.h"

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    for (size_t n = strlen(s); n && isspace((unsigned char)s[n - 1]);)
        s[--n] = 0;
    return s;
}

static enum config_result read_line(struct config *c, const char *path, unsigned n, char *line)
{
    char reason[sizeof(c->error)];
    char *key = trim(line);
    char *eq = strchr(key, '=');

    if (!*key || *key == '#')
        return CONFIG_RUN;
    if (!eq) {
        snprintf(c->error, sizeof(c->error), "%.150s:%u: '%.150s' is not of the form key = value",
                 path, n, key);
        return CONFIG_BAD;
    }
    *eq = 0;
    if (config_set(c, trim(key), trim(eq + 1)) == CONFIG_RUN)
        return CONFIG_RUN;
    memcpy(reason, c->error, sizeof(reason));
    snprintf(c->error, sizeof(c->error), "%.150s:%u: %.220s", path, n, reason);
    return CONFIG_BAD;
}

enum config_result config_read_file(struct config *c, const char *path)
{
    enum config_result res = CONFIG_RUN;
    char line[4096];
    FILE *f = fopen(path, "r");

    if (!f) {
        snprintf(c->error, sizeof(c->error), "-config: cannot open '%.200s': %s", path,
                 strerror(errno));
        return CONFIG_BAD;
    }
    for (unsigned n = 1; res == CONFIG_RUN && fgets(line, sizeof(line), f); n++) {
        if (!strchr(line, '\n') && !feof(f)) {
            snprintf(c->error, sizeof(c->error), "%.150s:%u: the line is too long", path, n);
            res = CONFIG_BAD;
            break;
        }
        res = read_line(c, path, n, line);
    }
    fclose(f);
    return res;
}

/* @text in lines of at most 78 columns, each after @indent; the cursor is at @column. */
static void print_wrapped(FILE *out, const char *text, const char *indent, size_t column)
{
    size_t first = column;

    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > first && column + 1 + n > 78) {
            fprintf(out, "\n%s", indent);
            column = first = strlen(indent);
        } else if (column > first) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)n, text);
        column += n;
        text += n + (text[n] == ' ');
    }
    fputc('\n', out);
}

void config_dump(const struct config *c, FILE *out)
{
    fprintf(out, "# turbo86 configuration: read it with --config FILE.\n");
    for (unsigned i = 0; i < config_row_count; i++) {
        const struct config_row *r = &config_rows[i];
        if (r->group) {
            fprintf(out, "\n# --- %s ---\n", r->group);
            continue;
        }
        if (r->kind == KIND_ACTION)
            continue;
        const struct config_value *v = &c->value[r->id];
        fprintf(out, "\n# ");
        print_wrapped(out, r->help, "# ", 2);
        for (unsigned k = 0; k < v->count; k++)
            fprintf(out, "%s = %s\n", r->key, v->list[k]);
        if (r->kind != KIND_LIST && v->set)
            fprintf(out, "%s = %s\n", r->key, v->text);
        else if (!v->set)
            fprintf(out, "#%s = %s\n", r->key, *r->def ? r->def : r->value);
    }
}

void config_print_help(FILE *out)
{
    fprintf(out, "usage: turbo86 [OPTION ...] [DISK-IMAGE]\n"
                 "\n"
                 "Runs a PC. Without a disk and a kernel it boots its own demo disk.\n"
                 "DISK-IMAGE is -hda's, or -cdrom's if it is an ISO image.\n"
                 "Options take one dash or two; each is also a key of the config file.\n");
    for (unsigned i = 0; i < config_row_count; i++) {
        const struct config_row *r = &config_rows[i];
        if (r->group) {
            fprintf(out, "\n%s:\n", r->group);
            continue;
        }
        int n = fprintf(out, "  -%s", r->key);
        if (*r->aliases)
            n += fprintf(out, ", -%s", r->aliases);
        if (r->kind != KIND_FLAG && *r->value)
            n += fprintf(out, " %s", r->value);
        n += fprintf(out, "%s%*s", n > 26 ? "\n" : "", n > 26 ? 28 : 28 - n, "");
        print_wrapped(out, r->help, "                            ", 28);
        if (*r->def && r->kind != KIND_FLAG)
            fprintf(out, "%28s(default: %s)\n", "", r->def);
    }
}

bool config_print_choices(enum config_id id, FILE *out)
{
    const struct config_row *r = config_row_of(id);

    if (r->kind != KIND_CHOICE)
        return false;
    for (const char *p = r->value; *p;) {
        size_t n = strcspn(p, "|");
        fprintf(out, "%.*s\n", (int)n, p);
        p += n + (p[n] == '|');
    }
    return true;
}

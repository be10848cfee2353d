/* SPDX-License-Identifier: MIT */
/*
 * What the translator and the backends make of some guest code, against the files in golden/: a
 * change of either shows as a change of these. "test_golden --update" writes them anew.
 */
#include <assert.h>
#include <capstone/capstone.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "jit/backend.h"
#include "jit/xlate.h"
#include "tests/support/check.h"

enum {
    START = 0x1000, /* EIP of all pieces */
    GUESTS_MAX = 16,
    CODE_SIZE = 65536,
    LABELS_MAX = 64,
    TEXT_SIZE = 1 << 18,
    BLOCK_ID = 0xb10c, /* numbers in generated code */
    EXEC_ID = 0xe0e0,
    EDGE_ID = 0xed60,
};

/* Modes of golden.def; bits 0-1 a segment register, as in jit/mode.h. */
#define SEGS(es, cs, ss, ds, fs, gs)                                                               \
    (((u32)(es) | (u32)(cs) << 2 | (u32)(ss) << 4 | (u32)(ds) << 6 | (u32)(fs) << 8 |              \
      (u32)(gs) << 10)                                                                             \
     << JIT_MODE_SEG_SHIFT)

struct golden_mode {
    const char *name;
    u32 mode, cs_limit;
    bool flagm; /* and FlagM2 */
};

enum golden_mode_id { FLAT32, RAISES32, FLAGM32, USER32, CHECKED32, REAL16 };

static const struct golden_mode modes[] = {
    [FLAT32] = {"flat 32-bit segments",
                JIT_MODE_VALID | JIT_MODE_CS32 | JIT_MODE_SS32 |
                    SEGS(SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT),
                UINT32_MAX},
    [RAISES32] = {"flat 32-bit segments, an x87 exception is not masked",
                  JIT_MODE_VALID | JIT_MODE_CS32 | JIT_MODE_SS32 | JIT_MODE_X87_UNMASKED |
                      SEGS(SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT),
                  UINT32_MAX},
    [FLAGM32] = {"flat 32-bit segments; ARM64: with FEAT_FlagM",
                 JIT_MODE_VALID | JIT_MODE_CS32 | JIT_MODE_SS32 |
                     SEGS(SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT),
                 UINT32_MAX, true},
    [USER32] = {"flat, but FS and GS have a base",
                JIT_MODE_VALID | JIT_MODE_CS32 | JIT_MODE_SS32 |
                    SEGS(SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_FLAT, SEGC_BASE, SEGC_BASE),
                UINT32_MAX},
    [CHECKED32] = {"32-bit, segments to be checked", JIT_MODE_VALID | JIT_MODE_CS32 | JIT_MODE_SS32,
                   UINT32_MAX},
    [REAL16] = {"real mode",
                JIT_MODE_VALID | SEGS(SEGC_UP, SEGC_UP, SEGC_UP, SEGC_UP, SEGC_UP, SEGC_UP),
                0xffff},
};

struct golden_piece {
    const char *file; /* a new file begins, or NULL */
    enum golden_mode_id mode;
    const char *hex;
};

static const struct golden_piece pieces[] = {
#define GOLDEN_FILE(name) {.file = (name)},
#define GOLDEN(m, bytes)  {.mode = (m), .hex = (bytes)},
#include "tests/jit/golden.def"
};

/* Where code of x86-64 cannot run, mmu/mmu.h has other distances than it would have. */
static const struct backend *const backends[] = {
    &a64_backend,
#if !defined(__aarch64__)
    &x64_backend,
#endif
};

/* One piece under translation, and its text. */
struct golden {
    const struct backend *backend;
    const struct decode_table *decoder;
    csh cs;
    u8 code[CODE_SIZE];
    u8 *start; /* behind the stubs */
    struct codebuf buf;
    struct jit_stubs stubs;
    struct ir_block ir;
    struct jit_unit unit;
    struct lazy_recipes lazy;
    struct insn guest[GUESTS_MAX];
    u8 guest_bytes[GUESTS_MAX * INSN_MAX_LEN];
    unsigned guests, bytes;
    u64 label[LABELS_MAX];
    unsigned labels;
    char text[TEXT_SIZE];
    size_t used;
};

PRINTF_LIKE(2, 3)
static void say(struct golden *g, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(g->text + g->used, TEXT_SIZE - g->used, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < TEXT_SIZE - g->used);
    g->used += (size_t)n;
}

/* --- the guest --- */

static void decode_piece(struct golden *g, const struct golden_piece *p)
{
    u32 mode = modes[p->mode].mode & JIT_MODE_CS32 ? MODE_CS32 : 0;
    unsigned byte, at = 0;

    g->bytes = g->guests = 0;
    for (const char *h = p->hex; sscanf(h, "%2x", &byte) == 1; h += 2)
        g->guest_bytes[g->bytes++] = (u8)byte;
    while (at < g->bytes) {
        struct insn *in = &g->guest[g->guests++];
        assert_true(g->guests <= GUESTS_MAX);
        assert_int_equal(decode(g->decoder, g->guest_bytes + at, g->bytes - at, mode, in),
                         DECODE_OK);
        at += in->len;
    }
}

static void say_guest(struct golden *g, const struct golden_mode *m)
{
    const u8 *byte = g->guest_bytes;
    u32 eip = START;
    char text[160];

    say(g, "\n== %s\n", m->name);
    for (unsigned i = 0; i < g->guests; i++) {
        disasm(&g->guest[i], eip, text, sizeof(text));
        say(g, "%-36s;", text);
        for (unsigned k = 0; k < g->guest[i].len; k++)
            say(g, " %02x", *byte++);
        say(g, "\n");
        eip += g->guest[i].len;
    }
}

/* --- translation, as jit_translate() does it --- */

static void translate(struct golden *g, const struct golden_mode *m)
{
    const struct xlate_env env = {.mode = m->mode,
                                  .cs_limit = m->cs_limit,
                                  .raises = g->backend->raises,
                                  .refuses = g->backend->refuses};
    struct jit_unit *u = &g->unit;
    u64 by_exec = 0, before;
    bool done;

    memset(u, 0, sizeof(*u));
    u->code = &g->buf;
    u->ir = &g->ir;
    u->stubs = &g->stubs;
    u->mode = m->mode;
    u->id = BLOCK_ID;
    u->lazy = &g->lazy;
    g->lazy = (struct lazy_recipes){0};
    u->flagm = u->flagm2 = m->flagm;
    u->x87 = (struct jit_x87){.known = true, .top = 4, .empty = 0x0f, .control = X87_CW_INIT};
    for (unsigned i = 0; i < IR_MAX_GUEST; i++)
        u->exec_id[i] = EXEC_ID + i;
    for (unsigned i = 0; i < ARRAY_LEN(u->edge_id); i++)
        u->edge_id[i] = EDGE_ID + i;
    do {
        before = by_exec;
        xlate_block(&g->ir, g->guest, g->guests, START, &env, by_exec);
        by_exec |= ir_shifts_by_cl(&g->ir, IRF_ALL);
        bool loop = g->ir.insn[g->ir.count - 1].imm == START;
        u->spoils[0] = loop && g->backend->lazy ? lazy_spoils(&g->ir) : LAZY_UNFIT;
        u->spoils[1] = LAZY_UNFIT;
        codebuf_init(&g->buf, g->start, (size_t)(g->code + CODE_SIZE - g->start), 0);
        done = backend_emit(g->backend, u);
        by_exec |= u->by_exec;
    } while (by_exec != before);
    assert_true(done);
    assert_false(g->ir.full);
}

/* --- the host's code, without addresses --- */

/* Where a jump or a call goes, as an offset into g->code; false if @in is none. */
static bool target_of(const struct golden *g, const cs_insn *in, u64 *target)
{
    bool jumps = cs_insn_group(g->cs, in, CS_GRP_JUMP) || cs_insn_group(g->cs, in, CS_GRP_CALL) ||
                 cs_insn_group(g->cs, in, CS_GRP_BRANCH_RELATIVE);
    const char *number = NULL;

    if (!jumps || strchr(in->op_str, '['))
        return false;
    for (const char *p = in->op_str; (p = strstr(p, "0x")); p++)
        number = p;
    if (number)
        *target = strtoull(number, NULL, 16);
    return number != NULL;
}

static bool same_place(const struct golden *g, const u8 *stub, u64 at)
{
    return stub == g->code + at;
}

/* The name of the stub at @at, or NULL. */
static const char *stub_at(const struct golden *g, u64 at, char *name, size_t size)
{
    static const char *const leave[] = {"budget", "edge", "indirect", "bail", "fault", "stop"};
    static_assert(ARRAY_LEN(leave) == LEAVE__COUNT, "one name each");

    for (unsigned i = 0; i < LEAVE__COUNT; i++) {
        snprintf(name, size, "<leave %s>", leave[i]);
        if (same_place(g, g->stubs.leave[i], at))
            return name;
    }
    for (unsigned i = 0; i < 2 * FP_BOTH; i++) {
        snprintf(name, size, "<live %u%s>", i / 2 + 1, i & 1 ? " raises" : "");
        if (same_place(g, g->stubs.fp[i & 1][i / 2], at))
            return name;
    }
    for (unsigned i = 0; i < FP_KINDS; i++) {
        snprintf(name, size, "<function %u>", i);
        if (same_place(g, g->stubs.fp_function[i], at))
            return name;
    }
    for (unsigned i = 0; i < 12; i++) {
        static const u8 bytes[] = {1, 2, 4, 8, 16, 10};
        snprintf(name, size, "<%s %u>", i & 1 ? "write" : "read", bytes[i / 2]);
        if (same_place(g, g->stubs.access[i & 1][i / 2], at))
            return name;
    }
    for (unsigned i = 0; i < JIT_X87_OPS; i++) {
        static const char *const ops[] = {
            "add",     "sub",     "subr",    "mul",    "div",     "divr",    "sqrt",
            "add 53",  "sub 53",  "subr 53", "mul 53", "div 53",  "divr 53", "sqrt 53",
            "add 24",  "sub 24",  "subr 24", "mul 24", "div 24",  "divr 24", "sqrt 24",
            "add rc",  "sub rc",  "subr rc", "mul rc", "div rc",  "divr rc", "sqrt rc",
            "load 4",  "load 8",  "load int",
            "store 4", "store 8", "store 4 rc", "store 8 rc",
            "rint",    "store int 2", "store int 4", "store int 8", "compare"};
        static_assert(ARRAY_LEN(ops) == JIT_X87_OPS, "one name each");
        snprintf(name, size, "<x87 %s>", ops[i]);
        if (same_place(g, g->stubs.x87_op[i], at))
            return name;
    }
    return same_place(g, g->stubs.exec, at)                        ? "<exec>"
           : same_place(g, g->stubs.finish, at)                    ? "<finish>"
           : g->stubs.astray && same_place(g, g->stubs.astray, at) ? "<astray>"
           : same_place(g, g->stubs.bail, at)                      ? "<bail>"
           : same_place(g, g->stubs.tsc, at)                       ? "<tsc>"
           : same_place(g, g->stubs.x87, at)                       ? "<x87>"
           : same_place(g, g->stubs.fp_unusual[0], at)             ? "<unusual>"
           : same_place(g, g->stubs.fp_unusual[1], at)             ? "<zeros>"
                                                                   : NULL;
}

static void note_labels(struct golden *g, const cs_insn *insn, size_t n)
{
    u64 target;

    g->labels = 0;
    for (size_t i = 0; i < n; i++) {
        if (!target_of(g, &insn[i], &target) || target < (u64)(g->start - g->code))
            continue;
        unsigned k = 0;
        while (k < g->labels && g->label[k] < target)
            k++;
        if (k < g->labels && g->label[k] == target)
            continue;
        assert_true(g->labels < LABELS_MAX);
        memmove(&g->label[k + 1], &g->label[k], (g->labels - k) * sizeof(g->label[0]));
        g->label[k] = target;
        g->labels++;
    }
}

static int label_at(const struct golden *g, u64 at)
{
    for (unsigned i = 0; i < g->labels; i++) {
        if (g->label[i] == at)
            return (int)i;
    }
    return -1;
}

static void say_insn(struct golden *g, const cs_insn *in)
{
    int here = label_at(g, in->address);
    char name[32];
    u64 target;

    if (here >= 0)
        say(g, "%d:", here);
    if (!target_of(g, in, &target)) {
        say(g, "\t%s%s%s\n", in->mnemonic, *in->op_str ? " " : "", in->op_str);
        return;
    }
    const char *number = strstr(in->op_str, "0x");
    const char *stub = stub_at(g, target, name, sizeof(name));
    int there = label_at(g, target);
    say(g, "\t%s %.*s", in->mnemonic, (int)(number - in->op_str), in->op_str);
    if (stub)
        say(g, "%s\n", stub);
    else
        say(g, "%d%c\n", there, target > in->address ? 'f' : 'b');
}

static void say_code(struct golden *g)
{
    size_t size = (size_t)(g->buf.at - g->start), hot = 0;
    u64 from = (u64)(g->start - g->code), cold = from + g->unit.hot_size;
    cs_insn *insn;
    size_t n = cs_disasm(g->cs, g->start, size, from, 0, &insn);

    assert_true(n > 0);
    while (hot < n && insn[hot].address < cold)
        hot++;
    note_labels(g, insn, n);
    say(g,
        "%s: %zu instructions, %.1f for one of the guest's; %u bytes; rarely: %zu instructions, "
        "%zu bytes\n",
        g->backend->name, hot, (double)hot / g->guests, g->unit.hot_size, n - hot,
        size - g->unit.hot_size);
    for (size_t i = 0; i < n; i++) {
        if (i == hot)
            say(g, "rarely\n");
        say_insn(g, &insn[i]);
    }
    cs_free(insn, n);
}

static void say_ir(struct golden *g)
{
    char text[160];

    say(g, "ir\n");
    for (unsigned i = 0; i < g->ir.count; i++) {
        ir_print_insn(&g->ir.insn[i], text, sizeof(text));
        say(g, "\t%s\n", text);
    }
}

/* --- files --- */

static void write_file(const char *path, const struct golden *g)
{
    FILE *f = fopen(path, "w");

    if (!f || fwrite(g->text, 1, g->used, f) != g->used || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

/* The length of the line at @text, and what it belongs to. */
static size_t line_at(const char *text)
{
    return strcspn(text, "\n");
}

static void compare_file(const char *path, const struct golden *g)
{
    static char old[TEXT_SIZE];
    FILE *f = fopen(path, "r");
    const char *a = old, *b = g->text;
    unsigned line = 1;

    if (!f)
        fail_msg("there is no %s; test_golden --update writes it", path);
    old[fread(old, 1, sizeof(old) - 1, f)] = 0;
    fclose(f);
    while (*a && line_at(a) == line_at(b) && strncmp(a, b, line_at(a) + 1) == 0) {
        a += line_at(a) + (a[line_at(a)] != 0);
        b += line_at(b) + (b[line_at(b)] != 0);
        line++;
    }
    if (*a || *b)
        fail_msg("%s:%u: was \"%.*s\", is \"%.*s\"; if that is better: test_golden --update", path,
                 line, (int)line_at(a), a, (int)line_at(b), b);
}

static void end_file(struct golden *g, const char *name, bool update)
{
    char path[128];

    snprintf(path, sizeof(path), "tests/jit/golden/%s/%s.txt", g->backend->name, name);
    if (update)
        write_file(path, g);
    else
        compare_file(path, g);
}

static void begin_file(struct golden *g, const char *name)
{
    g->used = 0;
    say(g, "Translations of guest code at 1000h: %s. Written by test_golden --update.\n", name);
}

static struct golden *golden_create(const struct backend *backend, const struct decode_table *t)
{
    static const struct jit_helpers helpers = {NULL, NULL};
    struct golden *g = calloc(1, sizeof(*g));
    struct codebuf c;

    assert_non_null(g);
    g->backend = backend;
    g->decoder = t;
    assert_int_equal(cs_open((cs_arch)backend->cs_arch, (cs_mode)backend->cs_mode, &g->cs),
                     CS_ERR_OK);
    assert_int_equal(cs_option(g->cs, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
    /* What it does not know, RMIF and CFINV, it shows as bytes. */
    assert_int_equal(cs_option(g->cs, CS_OPT_SKIPDATA, CS_OPT_ON), CS_ERR_OK);
    codebuf_init(&c, g->code, CODE_SIZE / 2, 0);
    backend->stubs(&c, &helpers, &g->stubs);
    assert_false(c.full);
    g->start = c.at;
    return g;
}

static void translations_are_as_in_the_golden_files(void **state)
{
    bool update = **(bool **)state;
    struct decode_table *t;

    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned b = 0; b < ARRAY_LEN(backends); b++) {
        struct golden *g = golden_create(backends[b], t);
        const char *file = NULL;
        for (unsigned i = 0; i < ARRAY_LEN(pieces); i++) {
            const struct golden_piece *p = &pieces[i];
            if (p->file) {
                if (file)
                    end_file(g, file, update);
                file = p->file;
                begin_file(g, file);
                continue;
            }
            decode_piece(g, p);
            say_guest(g, &modes[p->mode]);
            translate(g, &modes[p->mode]);
            say_ir(g);
            say_code(g);
        }
        end_file(g, file, update);
        cs_close(&g->cs);
        free(g);
    }
    decode_table_destroy(t);
}

int main(int argc, char **argv)
{
    bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(translations_are_as_in_the_golden_files, &update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Single cases that are kept: what an oracle run prints when it finds a difference. */
#include <stdio.h>
#include <string.h>

#include "cpu/decode.h"
#include "tests/isa/oracle_run.h"

enum { MAX_WORDS = 48 };

/* What oracle_print_case() calls the words of an image. */
enum {
    CASE_EAX,
    CASE_ECX,
    CASE_EDX,
    CASE_EBX,
    CASE_ESP,
    CASE_EBP,
    CASE_ESI,
    CASE_EDI,
    CASE_EIP = IMAGE_EIP,
    CASE_EFL = IMAGE_EFLAGS,
    CASE_FAULT = IMAGE_FAULT,
    CASE_ERROR = IMAGE_ERROR,
    CASE_CR2 = IMAGE_CR2,
    CASE_SEG = IMAGE_SEG,
};

struct known_case {
    unsigned row;
    enum oracle_mode mode;
    enum oracle_stop stop;
    bool rep;
    u8 len, bytes[INSN_MAX_LEN];
    struct {
        u32 at, value; /* the word's number + 1; 0 ends the list */
    } in[MAX_WORDS], out[MAX_WORDS];
};

#define B(...)                                                                                     \
    sizeof((u8[]){__VA_ARGS__}),                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define IN(...)                                                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define OUT(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define R(name, value) {CASE_##name + 1, value},
#define FX(at, value)  {IMAGE_FX + (at) / 4 + 1, value},
#define M(at, value)                                                                               \
    {((at) < ARENA_STACK ? IMAGE_DATA + ((at)-ARENA_DATA) / 4                                      \
                         : IMAGE_STACK + ((at)-ARENA_STACK) / 4) +                                 \
         1,                                                                                        \
     value},
#define CASE(row, mode, stop, rep, bytes, in, out)                                                 \
    {INSN_##row, ORACLE_##mode, STOP_##stop, rep, bytes, in, out},

static const struct known_case known_cases[] = {
#include "tests/isa/oracle_cases.def"
};

/** True if it is as the file says. */
static bool run_known(struct oracle_run *run, const struct known_case *k, bool host)
{
    static struct oracle_image in, out;
    struct oracle_case c = {.row = k->row, .mode = k->mode, .stop = k->stop, .rep = k->rep};
    struct oracle_sides *s = &run->sides;
    struct oracle_result expected, ours;
    struct insn insn;
    u8 host_windows[2 * ARENA_WINDOW];
    struct oracle_memory host_memory = s->native;

    c.fpu = oracle_row_is_fpu(k->row);
    c.len = k->len;
    memset(c.bytes, 0xcc, sizeof(c.bytes));
    memcpy(c.bytes, k->bytes, k->len);
    image_default(k->mode, &in);
    for (unsigned i = 0; k->in[i].at; i++)
        in.word[k->in[i].at - 1] = k->in[i].value;
    image_of_nothing_done(&c, &in, &out);
    for (unsigned i = 0; k->out[i].at; i++)
        out.word[k->out[i].at - 1] = k->out[i].value;
    image_to_input(&in, &c, &s->before);
    if (decode(run->table, c.bytes, INSN_MAX_LEN, oracle_decode_mode(&c), &insn) != DECODE_OK)
        return false;
    if (host && native_has(insn_def[k->row].feat) && !native_enable(k->mode) &&
        !oracle_run_both(run, &c, &insn))
        return false;
    s->native = (struct oracle_memory){host_windows, host_windows + ARENA_WINDOW};
    image_to_result(&out, &expected, &s->native);
    memcpy(s->ours.data, s->before.data, ARENA_WINDOW);
    memcpy(s->ours.stack, s->before.stack, ARENA_WINDOW);
    bool same = ours_run(run->engine, &c, &ours) &&
                oracle_same(s, &c, &insn, &expected, &ours, run->undefined);
    if (!same)
        oracle_report(s, &c, &insn, &expected, &ours);
    s->native = host_memory;
    return same;
}

bool oracle_known_cases(struct oracle_run *run, bool host)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(known_cases); i++)
        wrong += !run_known(run, &known_cases[i], host);
    printf("%zu known cases, %u wrong\n", ARRAY_LEN(known_cases), wrong);
    return wrong == 0;
}

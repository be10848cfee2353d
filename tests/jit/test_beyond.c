/* SPDX-License-Identifier: MIT */
/* What 64-bit guests and guests with several processors need of the translator is there: these are
 * smoke tests, as no such guest runs yet. */
#include <assert.h>
#include <pthread.h>

#include "cpu/decode.h"
#include "cpu/flags.h"
#include "cpu/icache.h"
#include "jit/backend.h"
#include "jit/jit.h"
#include "jit/xlate.h"
#include "tests/jit/ir_text.h"
#include "tests/support/little_pc.h"

static_assert(sizeof(lin_addr) == 8, "linear addresses have 64 bits");
static_assert(sizeof(((struct cpu *)0)->cr2) == 8, "so has the address of a page fault");
static_assert(sizeof(((struct cpu *)0)->gpr[15]) == 8, "so have 16 registers");
static_assert(sizeof(((struct segment *)0)->base) == 8, "so have bases: FS and GS");

static_assert(_Generic(((struct jit_helpers *)NULL)->access, u64 (*)(struct cpu *, lin_addr, u32)
                       : true, default
                       : false),
              "and so has what code asks for when it cannot reach it");

static void eval(struct little_pc *pc, const char *operations)
{
    static struct ir_block b;
    unsigned g, at;

    ir_text_one(&b, operations);
    const char *wrong = ir_verify(&b, &at);
    if (wrong)
        fail_msg("%s: %s", operations, wrong);
    assert_int_equal(ir_eval(pc->cpu, &b, &g), IR_DONE);
}

static void operations_of_64_bits_work_on_16_registers(void **state)
{
    struct little_pc *pc = *state;
    u64 *r = pc->cpu->gpr;
    const u64 there = 0x8877665544332211;
    u64 then;

    r[9] = 0xfffffffe00000001;
    r[10] = 0x00000002ffffffff;
    eval(pc, "add.64 r8, r9, r10");
    assert_int_equal(r[8], 0x0000000100000000);
    assert_int_equal(flags_arith(pc->cpu) & (FL_C | FL_Z | FL_S), FL_C);
    eval(pc, "mov.32 r8, r9");
    assert_int_equal(r[8], 1);
    physmem_write(pc->pm, 0x5000, &there, sizeof(there));
    r[15] = 0x5000;
    eval(pc, "ld.64 r12, [r15]");
    eval(pc, "st.64 [r15], r9");
    physmem_read(pc->pm, 0x5000, &then, sizeof(then));
    assert_int_equal(r[12], there);
    assert_int_equal(then, r[9]);
}

/* Backends have host registers for eight. */
static void instructions_with_more_registers_are_left_to_their_executors(void **state)
{
    static const struct backend *const backends[] = {&x64_backend, &a64_backend};
    static const char *const texts[] = {"add.32 r8, r9, r1", "mov.32 r1, r15", "ld.32 r9, [r1]",
                                        "st.32 [r15], r1",
                                        "ldw.32 t0, [r12]\n"
                                        "inc.32 t1, t0\n"
                                        "stw.32 t1"};
    static struct ir_block ir;
    static struct jit_unit u;
    static u8 code[4096];
    struct codebuf c;

    (void)state;
    for (unsigned b = 0; b < ARRAY_LEN(backends); b++) {
        for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
            ir_text_one(&ir, texts[i]);
            ir_liveness(&ir, IRF_ALL);
            codebuf_init(&c, code, sizeof(code), 0);
            u = (struct jit_unit){.ir = &ir, .code = &c};
            assert_false(backend_emit(backends[b], &u));
            assert_int_equal(u.by_exec, 1);
        }
    }
}

/* --- several processors --- */

/* The operation on memory that @bytes becomes. */
static const struct ir_insn *memory_operation(struct little_pc *pc, const u8 *bytes, unsigned n)
{
    static struct ir_block ir;
    struct xlate_env env = {.mode = JIT_MODE_CS32 | JIT_MODE_SS32, .cs_limit = UINT32_MAX};
    struct insn in;

    assert_int_equal(icache_decode(pc->cpu->icache, bytes, n, MODE_CS32, &in), DECODE_OK);
    xlate_block(&ir, &in, 1, 0x1000, &env, 0);
    for (unsigned i = ir.count; i-- > 0;) {
        if (ir_op_info[ir.insn[i].op].kind == IR_MEM)
            return &ir.insn[i];
    }
    fail_msg("no operation on memory");
    return NULL;
}

static void operations_tell_which_order_other_processors_see(void **state)
{
    static const u8 locked[] = {0xf0, 0x01, 0x03}; /* lock add [ebx],eax */
    static const u8 implied[] = {0x87, 0x03};      /* xchg [ebx],eax     */
    static const u8 plain[] = {0x01, 0x03};        /* add [ebx],eax      */

    assert_int_equal(memory_operation(*state, locked, sizeof(locked))->order, IR_ORDER_ATOMIC);
    assert_int_equal(memory_operation(*state, implied, sizeof(implied))->order, IR_ORDER_ATOMIC);
    assert_int_equal(memory_operation(*state, plain, sizeof(plain))->order, IR_ORDER_PLAIN);
}

/* 7c00h: inc dword [9000h]; dec ecx; jnz 7c00h; hlt */
static const u8 counter[] = {0x66, 0xff, 0x06, 0x00, 0x90, 0x66, 0x49, 0x75, 0xf7, 0xf4};

struct processor {
    pthread_t thread;
    struct little_pc *pc;
    struct jit *jit;
    enum cpu_exit end;
};

static void *run(void *ctx)
{
    struct processor *p = ctx;

    p->end = little_pc_run(p->pc, 100000000);
    return NULL;
}

static void processors_run_beside_each_other_in_threads(void **state)
{
    struct processor p[2] = {{0}};

    (void)state;
    if (!jit_supported())
        skip();
    for (u32 i = 0; i < 2; i++) {
        p[i].pc = little_pc_create(NULL);
        struct jit_desc d = {.cpu = p[i].pc->cpu, .physmem = p[i].pc->pm, .engine = JIT_HOST};
        assert_int_equal(jit_create(&p[i].jit, &d), STATUS_OK);
        little_pc_load(p[i].pc, 0x7c00, counter, sizeof(counter));
        p[i].pc->cpu->gpr[REG_CX] = 300000 + i;
    }
    for (u32 i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&p[i].thread, NULL, run, &p[i]), 0);
    for (u32 i = 0; i < 2; i++) {
        u32 counted;
        assert_int_equal(pthread_join(p[i].thread, NULL), 0);
        assert_int_equal(p[i].end, CPU_EXIT_HALTED);
        physmem_read(p[i].pc->pm, 0x9000, &counted, sizeof(counted));
        assert_int_equal(counted, 300000 + i);
        assert_int_equal(clock_retired(&p[i].pc->clock), 3 * (300000 + i) + 1);
        jit_destroy(p[i].jit);
        void *pc = p[i].pc;
        little_pc_teardown(&pc);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(operations_of_64_bits_work_on_16_registers),
        T(instructions_with_more_registers_are_left_to_their_executors),
        T(operations_tell_which_order_other_processors_see),
        cmocka_unit_test(processors_run_beside_each_other_in_threads),
    };
    return cmocka_run_group_tests_name("beyond", tests, NULL, NULL);
}

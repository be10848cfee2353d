/* SPDX-License-Identifier: MIT */
/*
 * The hardware oracle: one instruction, the same inputs, executed by the host's own processor in a
 * 32-bit code segment and by our executors; everything a guest could see is compared.
 *
 * oracle_gen.c makes the cases from the rows of cpu/isa.def, oracle_native.c and oracle_ours.c (with
 * oracle_engine.c) run them, oracle_rules.c says what the manual leaves undefined, test_oracle.c compares and reports.
 */
#pragma once

#include "cpu/insn.h"

/**
 * The linear addresses that exist, the same on both sides. Everything around them faults; DATA and
 * STACK are two pages each, so that operands can cross a page that is there.
 */
enum arena {
    ARENA_BASE = 0x20000000,
    ARENA_SIZE = 0x30000,
    ARENA_CODE = ARENA_BASE, /* one page */
    ARENA_DATA = ARENA_BASE + 0x10000,
    ARENA_STACK = ARENA_BASE + 0x20000,
    ARENA_EXIT = ARENA_BASE + 0x28000, /* the host's way back to 64-bit code: out of reach */
    ARENA_WINDOW = 0x2000,             /* bytes of DATA, of STACK */
    ARENA_MIDDLE = 0x1000,
};

/** How the instruction runs. */
enum oracle_mode {
    ORACLE_FLAT32, /* the host's own 32-bit flat segments; FS is null                        */
    ORACLE_CODE16, /* 16-bit code and stack, segments with limits, one of them expand-down  */
    ORACLE_MIXED,  /* 32-bit code, a 16-bit stack, a segment that wraps around 4 GiB          */
    ORACLE__MODES
};

enum oracle_segment_kind {
    ORACLE_NULL,
    ORACLE_DATA,
    ORACLE_DATA_DOWN,
    ORACLE_CODE,
    ORACLE_DATA_RO,
    ORACLE_CODE_XO,
    ORACLE_DATA_ABSENT, /* not present */
    ORACLE_CODE_ABSENT,
};

struct oracle_segment {
    u32 base, limit; /* in bytes */
    u16 selector;
    u8 kind; /* enum oracle_segment_kind */
    bool big;
};

/** All of user privilege. Those with TI set are made on the host by modify_ldt(2). */
extern const struct oracle_segment oracle_segments[ORACLE__MODES][SEG__COUNT];

/** What else is in the LDT, in every mode: for instructions that take selectors. */
enum { ORACLE_OTHERS = 7, ORACLE_LDT_ENTRIES = 13 };
extern const struct oracle_segment oracle_others[ORACLE_OTHERS];

/** Does the vector push an error code? */
static inline bool oracle_has_error(unsigned vector)
{
    return vector >= 10 && vector <= 14;
}

/** Instructions may go on after one iteration of REP; more than this is taken for a hang. */
enum { ORACLE_MAX_STEPS = 4096 };

struct oracle_regs {
    u32 gpr[8];
    u32 eip;
    u32 eflags;
};

/** How the host is stopped behind the instruction. */
enum oracle_stop {
    STOP_TRAP, /* by TF: wherever it goes                                                  */
    STOP_INT3, /* by a breakpoint: quicker; PUSHF would see TF, MOV SS holds the trap off */
    STOP_JUMP, /* by a jump into 64-bit code: quickest, for flat segments                 */
};

/** One instruction with its inputs; the memory inputs are in the two windows. */
struct oracle_case {
    unsigned row; /* enum insn_id */
    enum oracle_mode mode;
    u8 bytes[16];
    unsigned len;
    bool rep; /* a repeated string instruction */
    enum oracle_stop stop;
    struct oracle_regs in;
    bool fpu;   /* fx matters */
    u8 fx[512]; /* x87, MMX, SSE as FXSAVE stores them */
};

static inline u32 oracle_decode_mode(const struct oracle_case *c)
{
    return oracle_segments[c->mode][SEG_CS].big ? MODE_CS32 : 0;
}

struct oracle_result {
    struct oracle_regs regs;
    bool fault;
    u8 vector;
    u32 error; /* of those that have one */
    u32 cr2;   /* of #PF */
    u16 selector[SEG__COUNT];
    u8 fx[512]; /* of a case with fpu */
};

/** The memory of one side, as the host addresses it. */
struct oracle_memory {
    u8 *data, *stack;
};

/* The processor of the host. */

/** NULL, or why this host cannot be asked. */
const char *native_open(struct oracle_memory *mem) MUST_CHECK;
/** NULL, or why cases of @mode cannot be run. */
const char *native_enable(enum oracle_mode mode) MUST_CHECK;
/** Does the host have what rows of that feature need? */
bool native_has(enum cpu_feature feat);
void native_run(const struct oracle_case *c, struct oracle_result *out);
void native_close(void);

/* Us: our executors, one by one, or a CPU that runs a program of one instruction. */

enum oracle_engine {
    ORACLE_EXECUTORS,
    ORACLE_INTERP,
    ORACLE_EVAL, /* the translator's IR, evaluated */
    ORACLE_JIT,  /* host code                      */
};

struct ours;
/** NULL: there is no such engine on this host; it was told. */
struct ours *ours_create(struct oracle_memory *mem, enum oracle_engine engine) MUST_CHECK;
void ours_destroy(struct ours *o);
/** False: the bytes do not decode to the case's row; nothing was executed. */
bool ours_run(struct ours *o, const struct oracle_case *c, struct oracle_result *out) MUST_CHECK;

/* The cases. */

struct random {
    u64 state;
};
u32 random_u32(struct random *r);
/** Uniform in [0, n). */
u32 random_below(struct random *r, u32 n);
/** Mostly numbers at which something overflows, wraps or changes sign. */
u32 random_edge(struct random *r);

enum oracle_form { FORM_IS_REG, FORM_IS_MEM, FORM_IS_PLAIN, FORM_IS__COUNT };

/** What the instances of one run of cases have in common. */
struct oracle_kind {
    unsigned row; /* enum insn_id */
    enum oracle_form form;
    enum oracle_mode mode;
    bool opsize16;
    bool first; /* among the first instances: single-step where it can be done */
};

/** Does the row have that form, and can it be executed as user code with nothing at risk? */
bool oracle_row_runs(unsigned row, enum oracle_form form);
/** The row's exec column, as text. */
const char *oracle_exec_name(unsigned row);
/** @size bytes of the window that linear address @at is in, or NULL. */
u8 *oracle_bytes(const struct oracle_memory *mem, u32 at, u32 size);
/** One random case of a form; fills the active parts of both windows of @mem. */
void oracle_generate(struct random *r, const struct oracle_kind *kind,
                     const struct oracle_memory *mem, struct oracle_case *c);

/* The x87, MMX and SSE part of cases. */

/** Does the row depend on that state? */
bool oracle_row_is_fpu(unsigned row);
/** A random state as FXSAVE stores it; fills the used part of 512 bytes. @calm: nothing pending. */
void oracle_fpu_state(struct random *r, unsigned row, bool calm, u8 *fx);
/** A memory operand for the row, up to oracle_fpu_operand_size() bytes. */
void oracle_fpu_operand(struct random *r, unsigned row, bool opsize16, u8 *to);
u32 oracle_fpu_operand_size(unsigned row);
/** The linear address of the operand that ModR/M names. */
u32 oracle_operand(const struct oracle_case *c, const struct insn *in);
/** NULL, or what differs between two images under a set of enum oracle_rule. */
const char *oracle_fpu_difference(const u8 *a, const u8 *b, u32 rules);
void oracle_copy_pointers(const struct oracle_case *c, const struct insn *in, u8 *to,
                          const u8 *from);

/* The rules: what processors may do differently. */

enum oracle_rule {
    RULE_RESULT = BIT(0),    /* the result is undefined: only faults and flags are compared  */
    RULE_PARTIAL = BIT(1),   /* a fault may leave part of the work done                      */
    RULE_HIGH_SLOT = BIT(2), /* the upper half of the pushed slot may be written or not       */
    RULE_ORDER = BIT(3),     /* either of two operands may fault first                        */
    RULE_ULP = BIT(4),       /* x87 results may differ by one ulp, and then in C1             */
    RULE_APPROX = BIT(5),    /* results are approximations of 1.5 * 2^-12                     */
    RULE_COMI = BIT(6),      /* C1, and the flags after an unmasked exception, differ         */
    RULE_POINTERS = BIT(7),  /* the last instruction and operand in memory are not compared   */
    RULE_MXCSR = BIT(10),    /* bit 17 of the MXCSR in memory is reserved or not (AMD's MM)   */
    RULE_WAIT = BIT(9),      /* with an operand in memory, may not see a pending x87 error    */
    RULE_ENTRY = BIT(8),     /* a fault, or an operand in memory, may enter MMX state or not  */
};

/** Flags that the manual leaves undefined for this case. */
u32 oracle_undefined_flags(const struct oracle_case *c, const struct insn *in);
/** Set of enum oracle_rule. */
u32 oracle_rules(const struct oracle_case *c, const struct insn *in);

/* Results and inputs as words, for what is printed and what is kept in files. */

enum oracle_image_word {
    IMAGE_GPR = 0,
    IMAGE_EIP = 8,
    IMAGE_EFLAGS,
    IMAGE_FAULT, /* IMAGE_FAULTED | vector, or 0 */
    IMAGE_ERROR,
    IMAGE_CR2,
    IMAGE_SEG,
    IMAGE_FX = IMAGE_SEG + SEG__COUNT,
    IMAGE_DATA = IMAGE_FX + 512 / 4,
    IMAGE_STACK = IMAGE_DATA + ARENA_WINDOW / 4,
    IMAGE__WORDS = IMAGE_STACK + ARENA_WINDOW / 4,
};
enum { IMAGE_FAULTED = 0x100, IMAGE_FLAGS = FL_OSZAPC | FL_D | FL_I };

struct oracle_image {
    u32 word[IMAGE__WORDS];
};

/** The plainest input: zeros, a fresh FPU, the instruction at its place. */
void image_default(enum oracle_mode mode, struct oracle_image *im);
void image_of_input(const struct oracle_case *c, const struct oracle_memory *mem,
                    struct oracle_image *im);
void image_to_input(const struct oracle_image *im, struct oracle_case *c,
                    const struct oracle_memory *mem);
/** The result of a case that does nothing. */
void image_of_nothing_done(const struct oracle_case *c, const struct oracle_image *in,
                           struct oracle_image *im);
void image_of_result(const struct oracle_case *c, const struct oracle_result *r,
                     const struct oracle_memory *mem, struct oracle_image *im);
void image_to_result(const struct oracle_image *im, struct oracle_result *r,
                     const struct oracle_memory *mem);
u32 image_hash(const struct oracle_case *c, const struct oracle_image *im);

/** Bytes of a vector file, written at the end or read from @at. */
struct vector_bytes {
    u8 *byte;
    size_t len, room, at;
    bool damaged; /* set by reads */
};
void vector_put(struct vector_bytes *v, u32 n);
u32 vector_get(struct vector_bytes *v);
void vector_put_difference(struct vector_bytes *v, const struct oracle_image *from,
                           const struct oracle_image *to);
/** Apply what was put to @im, which is the @from. */
void vector_get_difference(struct vector_bytes *v, struct oracle_image *im);

/** Do the two sides differ for that case? Not if it no longer decodes to the case's row. */
typedef bool oracle_differs_fn(void *ctx, const struct oracle_case *c,
                               const struct oracle_image *im);
/** Make a case that differs as plain as it can be. */
void oracle_minimise(struct oracle_case *c, struct oracle_image *im, oracle_differs_fn *differs,
                     void *ctx);
/** As a row of oracle_cases.def, with the host's result. */
void oracle_print_case(const struct oracle_case *c, const struct oracle_image *in,
                       const struct oracle_image *result);

/* Comparison and report. */

/** The memory of both sides after a case, and before it. */
struct oracle_sides {
    struct oracle_memory native, ours, before;
};

/** No difference that the rules do not allow; with @undefined, none at all. May take undefined
 * bytes of our memory from the host's. */
bool oracle_same(const struct oracle_sides *s, const struct oracle_case *c, const struct insn *in,
                 const struct oracle_result *n, const struct oracle_result *o, bool undefined);
void oracle_report(const struct oracle_sides *s, const struct oracle_case *c, const struct insn *in,
                   const struct oracle_result *n, const struct oracle_result *o);
void oracle_print_regs(const char *what, const struct oracle_regs *regs);

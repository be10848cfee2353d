/* SPDX-License-Identifier: MIT */
/* What the manual leaves undefined, where a row alone cannot say it [SDM 2]. */
#include <string.h>

#include "tests/isa/oracle.h"

/** How a shift's undefined flags depend on its count. */
struct shift_rule {
    const char *exec;
    u32 always;   /* undefined for every count but 0 */
    u32 not_once; /* undefined for counts other than 1 */
    u32 too_far;  /* undefined when the count reaches (*) the operand's bits */
    bool beyond;  /* (*) exceeds; and then the result is undefined too */
};

// clang-format off
static const struct shift_rule shift_rules[] = {
    {"rol",  FL_None, FL_O, FL_None,   false},
    {"ror",  FL_None, FL_O, FL_None,   false},
    {"rcl",  FL_None, FL_O, FL_None,   false},
    {"rcr",  FL_None, FL_O, FL_None,   false},
    {"shl",  FL_A,    FL_O, FL_C,      false},
    {"shr",  FL_A,    FL_O, FL_C,      false},
    {"sar",  FL_A,    FL_O, FL_None,   false},
    {"shld", FL_A,    FL_O, FL_OSZAPC, true},
    {"shrd", FL_A,    FL_O, FL_OSZAPC, true},
};
// clang-format on

static const struct shift_rule *find_rule(const struct oracle_case *c)
{
    for (size_t i = 0; i < ARRAY_LEN(shift_rules); i++)
        if (strcmp(shift_rules[i].exec, oracle_exec_name(c->row)) == 0)
            return &shift_rules[i];
    return NULL;
}

static unsigned masked_count(const struct oracle_case *c, const struct insn *in)
{
    const struct insn_def *def = &insn_def[c->row];

    for (unsigned i = 1; i < 3; i++) {
        if (def->op[i] == OPND_CL)
            return c->in.gpr[REG_CX] & 31;
        if (def->op[i] == OPND_Ib)
            return (unsigned)in->imm & 31;
    }
    return 1;
}

u32 oracle_undefined_flags(const struct oracle_case *c, const struct insn *in)
{
    const struct shift_rule *rule = find_rule(c);
    const unsigned bits = 8u << in->width;

    if (!rule)
        return insn_def[c->row].undefined;
    unsigned n = masked_count(c, in);
    if (n == 0)
        return FL_None;
    return rule->always | (n != 1 ? rule->not_once : 0) |
           (n >= bits + rule->beyond ? rule->too_far : 0);
}

/** Where processors differ and the manual says nothing, or says so. */
struct exec_rule {
    const char *exec;
    u32 rules;
};

// clang-format off
static const struct exec_rule exec_rules[] = {
    {"push_sreg",  RULE_HIGH_SLOT},            /* [SDM 2B PUSH]: recent Intel ones write 16 bits */
    {"pusha",      RULE_PARTIAL | RULE_ORDER}, /* AMD's keep what was pushed before the fault    */
    {"popa",       RULE_PARTIAL | RULE_ORDER}, /* ... and what was popped                        */
    {"enter",      RULE_PARTIAL | RULE_ORDER},
    {"call_far",   RULE_PARTIAL | RULE_ORDER}, /* AMD's push before they look at the target      */
    {"call_far_m", RULE_PARTIAL | RULE_ORDER},
    {"call_j",     RULE_ORDER},                /* stack or target                                */
    {"call_e",     RULE_ORDER},
    {"retf",       RULE_ORDER},                /* AMD's read CS first                            */
    {"iret",       RULE_ORDER},
    {"cmps",       RULE_ORDER},                /* AMD's read ES:EDI first                        */
    {"arpl",       RULE_ORDER},                /* a read, or a read for modification             */
    {"x87_fsin",     RULE_ULP},                /* the transcendentals [SDM 1 8.3.10]             */
    {"x87_fcos",     RULE_ULP},
    {"x87_fsincos",  RULE_ULP},
    {"x87_fptan",    RULE_ULP},
    {"x87_fpatan",   RULE_ULP},
    {"x87_f2xm1",    RULE_ULP},
    {"x87_fyl2x",    RULE_ULP},
    {"x87_fyl2xp1",  RULE_ULP},
    {"x87_comi",     RULE_COMI},               /* [SDM 2A FCOMI] C1 is 0; AMD's keep it          */
    /* Many accesses, of which any may fault first; AMD's keep pointers only if an error pends. */
    {"x87_fnstenv",  RULE_ORDER | RULE_PARTIAL | RULE_POINTERS},
    {"x87_fnsave",   RULE_ORDER | RULE_PARTIAL | RULE_POINTERS},
    {"x87_fldenv",   RULE_ORDER},
    {"x87_frstor",   RULE_ORDER},
    {"fxsave",       RULE_ORDER | RULE_PARTIAL | RULE_POINTERS},
    {"fxrstor", RULE_ORDER | RULE_MXCSR},
    {"ldmxcsr", RULE_MXCSR},
    {"x87_fld_m80",  RULE_ORDER},              /* mantissa, exponent */
    {"x87_fstp_m80", RULE_ORDER | RULE_PARTIAL},
    {"x87_fbld",     RULE_ORDER},
    {"x87_fbstp",    RULE_ORDER | RULE_PARTIAL},
    {"maskmov",      RULE_ORDER | RULE_ENTRY}, /* which of its bytes */
    {"fp_rcp",       RULE_APPROX},             /* the maker's tables                             */
    {"fp_rsqrt",     RULE_APPROX},
    {"cvtpi2p",      RULE_ENTRY | RULE_ORDER | RULE_WAIT}, /* AMD's: not from memory */
    {"cvtp2pi",      RULE_ENTRY},
};
// clang-format on

u32 oracle_rules(const struct oracle_case *c, const struct insn *in)
{
    const struct shift_rule *rule = find_rule(c);

    /* Alignment or the segment's limit: either comes first. */
    u32 order = insn_def[c->row].attr & ATTR_Align && in->mem && oracle_operand(c, in) & 15
                    ? RULE_ORDER
                    : 0u;

    if (rule && rule->beyond && masked_count(c, in) > 8u << in->width)
        return RULE_RESULT;
    if (c->row == INSN_BSWAP && in->opsize == W16)
        return RULE_RESULT;
    for (size_t i = 0; i < ARRAY_LEN(exec_rules); i++)
        if (strcmp(exec_rules[i].exec, oracle_exec_name(c->row)) == 0)
            return exec_rules[i].rules | order;
    return order;
}

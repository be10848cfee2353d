/* SPDX-License-Identifier: MIT */
#include "jit/backend.h"

#include "cpu/isa.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

const struct backend *backend_host(void)
{
#if defined(__x86_64__)
    return &x64_backend;
#elif defined(__aarch64__)
    return &a64_backend;
#else
    return NULL;
#endif
}

/* Guest instructions with registers beyond the eight that the hosts pin. */
static u64 beyond_pinned(const struct ir_block *ir)
{
    u64 g = 0;

    for (unsigned i = 0; i < ir->count; i++) {
        const struct ir_insn *in = &ir->insn[i];
        if (ir_reg_of(in->d) >= 8 || ir_reg_of(in->a) >= 8 || ir_reg_of(in->b) >= 8)
            g |= BIT64(in->g);
    }
    return g;
}

bool backend_emit(const struct backend *b, struct jit_unit *u)
{
    u->by_exec = beyond_pinned(u->ir);
    return !u->by_exec && b->emit(u);
}

#if defined(__aarch64__) && defined(__linux__)
#define HAS(capabilities, bit, name) (getauxval(capabilities) & BIT64(bit))
#elif defined(__aarch64__) && defined(__APPLE__)
#define HAS(capabilities, bit, name) says_yes("hw.optional.arm." name)

static bool says_yes(const char *name)
{
    int has = 0;
    size_t size = sizeof(has);

    return sysctlbyname(name, &has, &size, NULL, 0) == 0 && has;
}
#else
#define HAS(capabilities, bit, name) false
#endif

bool backend_flagm(void)
{
    return HAS(AT_HWCAP, 27, "FEAT_FlagM");
}

bool backend_flagm2(void)
{
    return HAS(AT_HWCAP2, 7, "FEAT_FlagM2");
}

u64 backend_lacks(void)
{
    u64 lacks = BIT64(FEAT_SSE3) | BIT64(FEAT_SSSE3) | BIT64(FEAT_SSE41) | BIT64(FEAT_SSE42);

#if defined(__x86_64__)
    lacks &= ~(__builtin_cpu_supports("sse3") ? BIT64(FEAT_SSE3) : 0);
    lacks &= ~(__builtin_cpu_supports("ssse3") ? BIT64(FEAT_SSSE3) : 0);
    lacks &= ~(__builtin_cpu_supports("sse4.1") ? BIT64(FEAT_SSE41) : 0);
    lacks &= ~(__builtin_cpu_supports("sse4.2") ? BIT64(FEAT_SSE42) : 0);
#endif
    return lacks;
}

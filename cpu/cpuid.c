/* SPDX-License-Identifier: MIT */
#include "cpu/cpuid.h"

#include <string.h>

#include "base/bits.h"

const struct cpu_model cpu_models[] = {
#define M(f) ((u64)1 << FEAT_##f)
#define CPU_MODEL(id, n, t, v, fam, mod, step, b, feat)                                            \
    {.name = n,                                                                                    \
     .text = t,                                                                                    \
     .vendor = v,                                                                                  \
     .brand = b,                                                                                   \
     .family = fam,                                                                                \
     .model = mod,                                                                                 \
     .stepping = step,                                                                             \
     .features = feat},
#include "cpu/cpuid.def"
    {.name = NULL},
};

const struct cpu_model *cpu_model_find(const char *name)
{
    for (const struct cpu_model *m = cpu_models; m->name; m++) {
        if (strcmp(m->name, name) == 0)
            return m;
    }
    return NULL;
}

u32 cpu_model_signature(const struct cpu_model *m)
{
    unsigned family = m->family < 15 ? m->family : 15;

    return (u32)m->stepping | (m->model & 15u) << 4 | family << 8 | (m->model >> 4 & 15u) << 16 |
           (m->family - family) << 20;
}

enum { EAX, EBX, ECX, EDX, EDX_APIC = BIT(9) };

static void feature_bits(const struct cpu_model *m, u32 leaf, u32 reg[4])
{
    static const struct {
        u8 feature, reg, bit;
        u32 leaf;
    } map[] = {
#define CPUID_BIT(f, l, r, b) {FEAT_##f, r, b, l},
#include "cpu/cpuid_bits.def"
    };

    for (unsigned i = 0; i < ARRAY_LEN(map); i++) {
        if (map[i].leaf == leaf && model_has(m, map[i].feature))
            reg[map[i].reg] |= BIT(map[i].bit);
    }
}

void cpuid_query(const struct cpu_model *m, u32 leaf, u32 sub, struct cpuid_apic apic, u32 reg[4])
{
    bool brand = m->brand[0];
    u32 last = m->family >= 6 ? 2 : 1;
    char text[48] = {0};

    (void)sub;
    memset(reg, 0, 4 * sizeof(reg[0]));
    if (leaf >= 0x80000000u && !brand)
        leaf = last; /* P6 and before: the highest basic leaf answers [SDM 2A CPUID] */
    else if (leaf < 0x80000000u && leaf > last)
        leaf = last;
    switch (leaf) {
    case 0:
        reg[EAX] = last;
        memcpy(&reg[EBX], m->vendor, 4);
        memcpy(&reg[EDX], m->vendor + 4, 4);
        memcpy(&reg[ECX], m->vendor + 8, 4);
        break;
    case 1:
        reg[EAX] = cpu_model_signature(m);
        reg[EBX] = model_has(m, FEAT_CLFSH) ? 8u << 8 : 0; /* 64-byte lines */
        feature_bits(m, 1, reg);
        if (!apic.on) /* [SDM 3A §10.4.3] */
            reg[EDX] &= ~(u32)EDX_APIC;
        else if (model_has(m, FEAT_APIC))
            reg[EBX] |= (u32)apic.id << 24;
        break;
    case 2: /* TLBs and caches: 8 KiB L1 data, 512 KiB L2, as descriptor bytes */
        reg[EAX] = 0x665b5001;
        reg[EDX] = 0x007b7040;
        break;
    case 0x80000000:
        reg[EAX] = 0x80000008;
        break;
    case 0x80000001:
        feature_bits(m, leaf, reg);
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        memcpy(text, m->brand, strlen(m->brand));
        memcpy(reg, text + (leaf - 0x80000002) * 16, 16);
        break;
    case 0x80000008:
        reg[EAX] = 36 | 32 << 8;
        break;
    default:
        break;
    }
}

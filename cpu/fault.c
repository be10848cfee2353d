/* SPDX-License-Identifier: MIT */
#include "cpu/fault.h"

#include "cpu/state.h"

void fault_record(struct cpu *cpu, struct fault f)
{
    cpu->fault = f;
}

void fault_record_pf(struct cpu *cpu)
{
    struct mmu_fault *f = &mmu_view(cpu->mmu)->fault;

    if (f->align) {
        f->align = false;
        cpu->fault = (struct fault){.vector = VEC_AC, .has_error = true};
        return;
    }

    cpu->fault =
        (struct fault){.vector = VEC_PF, .has_error = true, .error = f->error, .lin = f->lin};
}

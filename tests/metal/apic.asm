; SPDX-License-Identifier: MIT
; The local APIC on the CPU: timer, windows, priorities, EOI, errors, ExtINT, messages [SDM 3A 10].
; expect: done
%include "inc/pm.inc"

main:   call    apic_init
        call    identity
        call    timer
        call    windows
        call    priorities
        call    extint
        call    messages
        call    errors
        call    disabled
        ret
%include "inc/apic.inc"

identity:
        mov     eax, 1
        cpuid
        shr     edx, 9
        and     edx, 1
        check   "CPUID: APIC", edx, 1
        shr     ebx, 24
        check   "CPUID: ID", ebx, 0
        mov     ecx, 0x1b
        rdmsr
        check   "APIC_BASE: BSP, EN", eax, 0xfee00900
        case    "APIC_BASE: reserved bit", GP, 0
        mov     ecx, 0x1b
        mov     eax, 0xfee00901
        xor     edx, edx
        wrmsr
        endcase
        mov     eax, [A_ID]
        check   "ID", eax, 0
        mov     eax, [APIC + 0x30]
        and     eax, 0xf0
        check   "version", eax, 0x10
        ret

timer:  case    "timer: once wakes hlt", NONE, 0
        fresh
        mov     dword [A_TIMER], 0x40
        mov     dword [A_INIT], 20000
        sti
        hlt
.hlt:   cli
        endcase
        check   "timer: one interrupt", [n], 1
        check   "timer: vector", [log_v], 0x40
        check   "timer: return address", [log_v + 4], .hlt
        check   "timer: it stops at 0", [A_COUNT], 0
        case    "timer: periodic", NONE, 0
        fresh
        mov     dword [A_TIMER], PERIODIC | 0x41
        mov     dword [A_INIT], 2000000
        mov     ecx, 5
        sti
.again: hlt
        loop    .again
        cli
        mov     dword [A_INIT], 0
        endcase
        check   "periodic: five", [n], 5
        check   "periodic: vector", [log_v + 64], 0x41
        case    "timer: masked is silent", NONE, 0
        fresh
        mov     dword [A_TIMER], MASKED | 0x42
        mov     dword [A_INIT], 1000
        sti
.wait:  cmp     dword [A_COUNT], 0
        jne     .wait
        cli
        endcase
        check   "masked: none", [n], 0
        mov     dword [A_TIMER], 0x42
        check   "masked: not kept", [A_IRR + 0x20], 0
        ret

; An interrupt of the APIC that waits: SELF with interrupts off.
windows:
        case    "sti shadow", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x44
        sti
        nop
.sti:   nop
        cli
        endcase
        check   "sti shadow: address", [log_v + 4], .sti
        case    "sti; cli: no window", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x44
        sti
        cli
        mov     ebx, [A_IRR + 0x20]
        sti
        nop
.one:   nop
        cli
        endcase
        check   "sti; cli: it waits in IRR", ebx, 0x10
        check   "sti; cli: taken later", [log_v + 4], .one
        case    "sti; hlt: pending does not hang", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x44
        sti
        hlt
.sh:    cli
        endcase
        check   "sti; hlt: behind hlt", [log_v + 4], .sh
        case    "to oneself with interrupts on", NONE, 0
        fresh
        sti
        nop
        mov     dword [A_ICR], SELF | 0x44
.got:   settle
        cli
        endcase
        check   "to oneself: at the next instruction", [log_v + 4], .got
        ret

priorities:
        case    "the highest first", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x61
        mov     dword [A_ICR], SELF | 0x82
        mov     dword [A_ICR], SELF | 0x71
        sti
        nop
        nop
        nop
        nop
        cli
        endcase
        check   "highest: three", [n], 3
        check   "highest: first", [log_v], 0x82
        check   "highest: second", [log_v + 16], 0x71
        check   "highest: third", [log_v + 32], 0x61
        case    "in service holds its class", NONE, 0
        fresh
        mov     dword [no_eoi], 1
        mov     dword [A_ICR], SELF | 0x71
        sti
        nop
        nop
        mov     dword [A_ICR], SELF | 0x7f
        mov     dword [A_ICR], SELF | 0x61
        settle
        mov     ebx, [n]
        mov     edx, [A_PPR]
        mov     esi, [A_ISR + 0x30]
        mov     dword [no_eoi], 0
        mov     dword [A_ICR], SELF | 0x81
        settle
        mov     edi, [n]
        mov     dword [A_EOI], 0        ; of 71h
        settle
        settle
        cli
        endcase
        check   "in service: only the first", ebx, 1
        check   "in service: PPR", edx, 0x70
        check   "in service: ISR", esi, 1 << 17
        check   "in service: a higher class nests", edi, 2
        check   "EOI: the others follow", [n], 4
        check   "EOI: order", [log_v + 32], 0x7f
        case    "task priority", NONE, 0
        fresh
        mov     dword [A_TPR], 0x60
        mov     dword [A_ICR], SELF | 0x6f
        sti
        nop
        nop
        mov     ebx, [n]
        mov     dword [A_TPR], 0x5f
        settle
        cli
        mov     dword [A_TPR], 0
        endcase
        check   "task priority: held back", ebx, 0
        check   "task priority: let through", [n], 1
        case    "raised task priority: none", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x44
        mov     dword [A_TPR], 0xff
        sti
        nop
        nop
        cli
        mov     ebx, [n]
        mov     dword [A_TPR], 0
        sti
        nop
        nop
        cli
        endcase
        check   "raised: nothing taken", ebx, 0
        check   "lowered: one", [n], 1
        ret

; IRQ 0 of the 8259 through LINT0: neither TPR nor the ISR of the APIC matter.
extint: case    "ExtINT", NONE, 0
        fresh
        mov     dword [A_TPR], 0xff
        outb    0x21, 0xfe
        mov     eax, 100
        call    shot
        sti
        hlt
.hlt:   cli
        mov     dword [A_TPR], 0
        outb    0x21, 0xff
        mov     ebx, [A_ISR + 0x20]
        endcase
        check   "ExtINT: the 8259's vector", [log_v], 0x50
        check   "ExtINT: not in the ISR", ebx, 0
        case    "ExtINT masked", NONE, 0
        fresh
        mov     dword [A_LINT0], MASKED | 0x700
        outb    0x21, 0xfe
        mov     eax, 100
        call    shot
        call    out0
        sti
        nop
        nop
        cli
        mov     ebx, [n]
        mov     dword [A_LINT0], 0x700
        sti
        nop
        settle
        cli
        outb    0x21, 0xff
        endcase
        check   "ExtINT masked: none", ebx, 0
        check   "ExtINT unmasked: it is a level", [n], 1
        case    "the APIC comes before the 8259", NONE, 0
        fresh
        outb    0x21, 0xfe
        mov     eax, 20
        call    shot
        call    out0
        mov     dword [A_ICR], SELF | 0x44
        sti
        nop
        settle
        settle
        cli
        outb    0x21, 0xff
        endcase
        check   "both: first", [log_v], 0x44
        check   "both: second", [log_v + 16], 0x50
        ret

messages:
        case    "ICR: physical, own ID", NONE, 0
        fresh
        mov     dword [A_ICR2], 0
        mov     dword [A_ICR], 0x4045
        sti
        nop
        nop
        cli
        endcase
        check   "physical: vector", [log_v], 0x45
        case    "ICR: logical, flat", NONE, 0
        fresh
        mov     dword [APIC + 0xe0], 0xffffffff
        mov     dword [APIC + 0xd0], 0x40000000
        mov     dword [A_ICR2], 0xc0000000
        mov     dword [A_ICR], 0x4846
        mov     dword [A_ICR2], 0x20000000
        mov     dword [A_ICR], 0x4847
        sti
        nop
        nop
        cli
        endcase
        check   "logical: one", [n], 1
        check   "logical: vector", [log_v], 0x46
        case    "ICR: NMI with interrupts off", NONE, 0
        fresh
        mov     dword [A_ICR2], 0
        mov     dword [A_ICR], 0x4400
.nmi:   settle
        endcase
        check   "NMI: vector", [log_v], 2
        check   "NMI: address", [log_v + 4], .nmi
        case    "the same vector twice is one", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 0x44
        mov     dword [A_ICR], SELF | 0x44
        sti
        nop
        nop
        nop
        cli
        endcase
        check   "twice: one", [n], 1
        ret

errors: mov     dword [A_ERROR], 0x48
        mov     dword [A_ESR], 0
        mov     dword [A_ESR], 0
        case    "error: illegal vector sent", NONE, 0
        fresh
        mov     dword [A_ICR], SELF | 3
        sti
        nop
        nop
        cli
        mov     dword [A_ESR], 0
        mov     ebx, [A_ESR]
        mov     dword [A_ESR], 0
        endcase
        check   "illegal: ESR", ebx, 0x20
        check   "illegal: error interrupt", [log_v], 0x48
        mov     dword [A_ERROR], MASKED
        case    "error: no such register", NONE, 0
        mov     eax, [APIC + 0x3f0]
        mov     dword [A_ESR], 0
        mov     ebx, [A_ESR]
        mov     dword [A_ESR], 0
        endcase
        check   "no register: ESR", ebx, 0x80
        ret

disabled:
        mov     dword [A_TIMER], 0x40
        mov     dword [A_SVR], 0xff
        check   "software-disabled: masked", [A_TIMER], MASKED | 0x40
        mov     dword [A_ICR], SELF | 0x44
        check   "software-disabled: nothing accepted", [A_IRR + 0x20], 0
        mov     ecx, 0x1b
        rdmsr
        and     ah, 0xf7
        wrmsr
        mov     eax, 1
        cpuid
        shr     edx, 9
        and     edx, 1
        check   "switched off: CPUID", edx, 0
        case    "switched off: INTR reaches the CPU", NONE, 0
        fresh
        outb    0x21, 0xfe
        mov     eax, 100
        call    shot
        sti
        hlt
        cli
        outb    0x21, 0xff
        endcase
        check   "switched off: vector", [log_v], 0x50
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; Gates of 16 bits have offsets of 16 bits: what stands in the upper half does not count [SDM 3A 5.8.3, 6.11].
; expect: done
%include "inc/pm.inc"

GATE    equ FREE
VEC     equ 0x40
VAR     equ 0x30000

main:   mov     dword [VAR], 0
        set_idt VEC, CS0, .handler, 0xe6
        mov     word [IDT + VEC * 8 + 6], 0xdead
        case    "16-bit interrupt gate: upper offset bits", EXIT3, 0
        ring3   .int
.int:   int     VEC
        exit3
        endcase
        check   "16-bit interrupt gate: ran", [VAR], 1
        mov     byte [IDT + VEC * 8 + 5], 0xe7
        case    "16-bit trap gate: upper offset bits", EXIT3, 0
        ring3   .int
        endcase
        check   "16-bit trap gate: ran", [VAR], 2
        set_gate GDT + GATE, CS0, .callee, 0xe4, 0
        mov     word [GDT + GATE + 6], 0xbeef
        case    "16-bit call gate: upper offset bits", EXIT3, 0
        ring3   .call
.call:  call    GATE | 3:0
        exit3
        endcase
        check   "16-bit call gate: ran", [VAR], 3
        set_idt VEC, CS0, STUBS + VEC * 16, 0x8e
        ret
.handler:
        inc     dword [ds:VAR]
        o16 iret
.callee:
        inc     dword [ds:VAR]
        o16 retf
%include "inc/end.inc"

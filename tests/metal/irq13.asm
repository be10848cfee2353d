; SPDX-License-Identifier: MIT
; The x87's FERR# on the board [SDM 1 8.7.2].
; expect: done
%include "inc/pm.inc"

log_v   equ 0x20000                     ; vector, FPU status word of each
n       equ scratch + 0x80

main:   mov     al, 0x11                ; vectors 50h and 58h, only IRQ 2 and 13 on
        out     0x20, al
        out     0xa0, al
        mov     al, 0x50
        out     0x21, al
        mov     al, 0x58
        out     0xa1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xa1, al
        mov     al, 1
        out     0x21, al
        out     0xa1, al
        mov     al, 0xfb
        out     0x21, al
        mov     al, 0xdf
        out     0xa1, al
        mov     eax, cr0
        and     al, ~0x20
        mov     cr0, eax
        case    "x87 exception without NE", NONE, 0
        mov     dword [n], 0
        mov     dword [hook], note
        fninit
        mov     word [scratch], 0x37b   ; zero divide unmasked
        fldcw   [scratch]
        fld1
        fldz
        sti
        fdivp
        wait
        nop
        nop
        cli
        endcase
        fninit
        check   "IRQ 13: one", [n], 1
        check   "IRQ 13: vector", [log_v], 0x5d
        mov     eax, [log_v + 4]
        and     eax, 0x84
        check   "status: ZE, ES", eax, 0x84
        case    "masked exception: no IRQ", NONE, 0
        mov     dword [n], 0
        mov     dword [hook], note
        fninit
        fld1
        fldz
        sti
        fdivp
        wait
        nop
        cli
        endcase
        check   "masked: none", [n], 0
        mov     eax, cr0
        or      al, 0x20
        mov     cr0, eax
        ret

note:   inc     dword [n]
        mov     eax, [got_vec]
        mov     [log_v], eax
        xor     eax, eax
        fnstsw  ax
        mov     [log_v + 4], eax
        out     0xf0, al
        fnclex
        mov     al, 0x20
        out     0xa0, al
        out     0x20, al
        ret
%include "inc/end.inc"

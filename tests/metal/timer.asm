; SPDX-License-Identifier: MIT
; Five IRQ0s of the 8254 at 1 kHz wake HLT.
; expect: .....done
%include "metal.inc"
main:   mov     word [0x20], tick
        mov     word [0x22], 0
        mov     al, 0xfe
        out     0x21, al
        mov     al, 0x34
        out     0x43, al
        mov     ax, 1193
        out     0x40, al
        mov     al, ah
        out     0x40, al
        sti
.wait:  hlt
        cmp     byte [count], 5
        jb      .wait
        cli
        putc    'd'
        putc    'o'
        putc    'n'
        putc    'e'
        putc    10
        leave_test
tick:   push    ax
        cmp     byte [count], 5
        jae     .eoi
        inc     byte [count]
        putc    '.'
.eoi:   mov     al, 0x20
        out     0x20, al
        pop     ax
        iret
count:  db      0
boot_end

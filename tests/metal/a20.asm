; SPDX-License-Identifier: MIT
; A20 by port 92h, by the 8042's output port, by its commands DDh and DFh, and by INT 15h. The board ors the two sources, so each
; is tried with the other one off.
; expect: 010101010
%include "metal.inc"
main:   mov     bl, 0xdd
        call    kbc
        in      al, 0x92
        and     al, 0xfc
        out     0x92, al
        call    show
        or      al, 2
        out     0x92, al
        call    show
        and     al, 0xfc
        out     0x92, al
        call    show
        mov     bl, 0xdf
        call    kbc
        call    show
        mov     bl, 0xdd
        call    kbc
        call    show
        mov     bl, 0xdf
        call    command
        call    show
        mov     bl, 0xdd
        call    command
        call    show
        mov     ax, 0x2401
        int     0x15
        call    show
        mov     ax, 0x2400
        int     0x15
        call    show
        putc    10
        leave_test

; Output port of the 8042 = BL.
kbc:    call    .ready
        mov     al, 0xd1
        out     0x64, al
        call    .ready
        mov     al, bl
        out     0x60, al
.ready: in      al, 0x64
        test    al, 2
        jnz     .ready
        ret

; Command BL of the 8042, which sets A20 [8042-AT].
command: call   kbc.ready
        mov     al, bl
        out     0x64, al
        jmp     kbc.ready

; Says 1 if FFFF:0510 is not 0:0500. Keeps AX.
show:   push    ax
        push    word 0xffff
        pop     es
        mov     byte [0x500], 0x55
        mov     byte [es:0x510], 0xaa
        mov     al, '1'
        cmp     byte [0x500], 0x55
        je      .say
        mov     al, '0'
.say:   out     0xe9, al
        pop     ax
        ret
boot_end

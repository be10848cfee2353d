; SPDX-License-Identifier: MIT
; A boot sector that turns the keyboard's lights for Num Lock and Caps Lock on, says "ready" through port
; E9h, and waits.
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cli
        mov     al, 0xed
        call    send
        mov     al, 0x06
        call    send
        mov     si, ready
say:    lodsb
        out     0xe9, al
        cmp     al, 10
        jne     say
        sti
wait_:  hlt
        jmp     wait_

; A byte to the keyboard, and its answer.
send:   mov     ah, al
.room:  in      al, 0x64
        test    al, 2
        jnz     .room
        mov     al, ah
        out     0x60, al
.ack:   in      al, 0x64
        test    al, 1
        jz      .ack
        in      al, 0x60
        ret

ready:  db      "ready", 10
        times   510 - ($ - start) db 0
        dw      0xaa55

; SPDX-License-Identifier: MIT
; A boot sector that tells through port E9h what keyboard and mouse send: a line for each byte,
; "K 1e" or "M 08". It says "ready" when the mouse has its wheel and both report.
        org     0x7c00
        bits    16
        cpu     386
start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:   mov     al, 0xff                ; no interrupts: bytes are fetched below
        out     0x21, al
        out     0xa1, al
        mov     al, 0xa8                ; auxiliary port on
        call    command
        mov     si, setup
.next:  lodsb
        test    al, al
        jz      .done
        mov     ah, al
        mov     al, 0xd4
        call    command
        call    room
        mov     al, ah
        out     0x60, al
.ack:   in      al, 0x64
        and     al, 0x21
        cmp     al, 0x21
        jne     .ack
        in      al, 0x60
        jmp     .next
.done:  mov     si, ready
.say:   lodsb
        test    al, al
        jz      loop_
        out     0xe9, al
        jmp     .say
loop_:  in      al, 0x64
        test    al, 1
        jz      loop_
        mov     bl, 'K'
        test    al, 0x20
        jz      .tell
        mov     bl, 'M'
.tell:  mov     al, bl
        out     0xe9, al
        mov     al, ' '
        out     0xe9, al
        in      al, 0x60
        mov     ah, al
        shr     al, 4
        call    digit
        mov     al, ah
        and     al, 15
        call    digit
        mov     al, 10
        out     0xe9, al
        jmp     loop_

digit:  cmp     al, 10
        sbb     al, 0x69                ; the classic: 0-15 to ASCII
        das
        or      al, 0x20
        out     0xe9, al
        ret
command: call   room
        out     0x64, al
        ret
room:   push    ax
.wait:  in      al, 0x64
        test    al, 2
        jnz     .wait
        pop     ax
        ret

setup:  db      0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf4, 0
ready:  db      'ready', 10, 0
        times   510 - ($ - start) db 0
        dw      0xaa55

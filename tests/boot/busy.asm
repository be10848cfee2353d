; SPDX-License-Identifier: MIT
; A boot sector that reads its floppy for ever, after it has said "ready" through port E9h.
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:   mov     si, ready
.say:   lodsb
        test    al, al
        jz      .read
        out     0xe9, al
        jmp     .say
.read:  mov     ax, 0x0201
        mov     bx, 0x8000
        mov     cx, 2
        xor     dx, dx
        int     0x13
        jmp     .read
ready:  db      'ready', 10, 0
        times   510 - ($ - start) db 0
        dw      0xaa55

; SPDX-License-Identifier: MIT
; A boot sector in 1024x768, and after a key in 1280x1024: for the size and place of the window.
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     ax, 0x4f02
        mov     bx, 0x4118
        int     0x10
        mov     si, ready
say:    lodsb
        out     0xe9, al
        cmp     al, 10
        jne     say
        xor     ah, ah
        int     0x16
        mov     ax, 0x4f02
        mov     bx, 0x411b
        int     0x10
idle:   hlt
        jmp     idle
ready   db      "ready", 10
        times   510 - ($ - $$) db 0
        dw      0xaa55

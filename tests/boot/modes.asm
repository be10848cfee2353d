; SPDX-License-Identifier: MIT
; A boot sector in the first of the VESA modes MODES, and in the next after each key: for the size and
; place of the window.
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cld
        mov     di, modes
        call    next
        mov     si, ready
say:    lodsb
        out     0xe9, al
        cmp     al, 10
        jne     say
key:    xor     ah, ah
        int     0x16
        call    next
        cmp     di, modes.end
        jne     key
idle:   hlt
        jmp     idle
next:   mov     ax, 0x4f02
        mov     bx, [di]
        add     di, 2
        int     0x10
        ret
modes   dw      MODES
.end:
ready   db      "ready", 10
        times   510 - ($ - $$) db 0
        dw      0xaa55

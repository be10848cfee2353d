; SPDX-License-Identifier: MIT
; Text. Characters count up, the foreground changes every five columns, the background with the row.
; The font is made here: a line on top, and the character's code in two hexadecimal digits.
; EXTRA: further registers, as macros of golden.inc.
%include "golden.inc"
%ifndef CELL
%define CELL 16
%endif
main:   mov     si, text_mode
        call    set_mode
        call    dac64
        call    font
        push    0xb800
        pop     es
        xor     di, di
        xor     bx, bx                  ; BL: column, BH: row
        xor     cx, cx
.cell:  mov     al, bl
        xor     ah, ah
        mov     dl, 5
        div     dl
        and     al, 15
        mov     ah, bh
        shl     ah, 4
        or      ah, al
        mov     al, cl
        stosw
        inc     cx
        inc     bl
        cmp     bl, 80
        jb      .cell
        mov     bl, 0
        inc     bh
        cmp     bh, 60
        jb      .cell
        EXTRA
        jmp     finish

; The font at 0 of plane 2; at 4000h the same with the digits inverted.
font:   reg     seq 2, 4
        reg     seq 4, 6
        reg     gc 5, 0
        reg     gc 6, 4
        push    0xa000
        pop     es
        xor     di, di
        xor     bp, bp                  ; the code
.glyph: mov     al, 0xff
        stosb
%if CELL = 16
        mov     al, 0
        stosb
        stosb
%endif
        mov     cx, 5
        mov     bx, bp
        shr     bx, 4
        and     bx, 15
        mov     dx, bp
        and     dx, 15
        imul    bx, bx, 5
        mov     si, dx
        imul    si, si, 5
.line:  mov     al, [digits + bx]
        shl     al, 4
        or      al, [digits + si]
        stosb
%if CELL = 16
        stosb
%endif
        inc     bx
        inc     si
        loop    .line
        mov     al, 0
%if CELL = 16
        mov     cx, 35 - 16
%else
        mov     cx, 26
%endif
        rep     stosb
        inc     bp
        cmp     bp, 256
        jb      .glyph
        reg     gc 4, 2
        mov     si, 0
        mov     di, 0x4000
        mov     cx, 0x2000
.second:
        es lodsb
        not     al
        stosb
        loop    .second
        reg     gc 4, 0
        reg     seq 2, 3
        reg     seq 4, 2
        reg     gc 5, 0x10
        reg     gc 6, 0x0e
        ret
digits: db      14, 10, 10, 10, 14,  4, 12,  4,  4, 14, 14,  2, 14,  8, 14, 14,  2,  6,  2, 14
        db      10, 10, 14,  2,  2, 14,  8, 14,  2, 14, 14,  8, 14, 10, 14, 14,  2,  4,  4,  4
        db      14, 10, 14, 10, 14, 14, 10, 14,  2, 14, 14, 10, 14, 10, 10, 12, 10, 12, 10, 12
        db      14,  8,  8,  8, 14, 12, 10, 10, 10, 12, 14,  8, 12,  8, 14, 14,  8, 12,  8,  8
        times   512 * SECTORS - ($ - $$) db 0

; SPDX-License-Identifier: MIT
; 16 colours. MODE: the table; PITCH: bytes of a line in memory; LINES of it are drawn as 8x8 blocks,
; colour (column + row) & 15. DRAW: then something else on top. EXTRA: further registers.
%include "golden.inc"
; bands TABLE: 16 lines of every 24 for each of its rows: GC mode, set/reset, enable set/reset, rotate and
; function, bit mask, map mask. The latches are of what is there, the byte is the column's
; number times 5.
%macro bands 1
        mov     si, %1
        xor     bp, bp
%%band: mov     dx, 0x3ce
        mov     al, 5
        mov     ah, [si]
        out     dx, ax
        mov     al, 0
        mov     ah, [si + 1]
        out     dx, ax
        mov     al, 1
        mov     ah, [si + 2]
        out     dx, ax
        mov     al, 3
        mov     ah, [si + 3]
        out     dx, ax
        mov     al, 8
        mov     ah, [si + 4]
        out     dx, ax
        mov     dx, 0x3c4
        mov     al, 2
        mov     ah, [si + 5]
        out     dx, ax
        imul    di, bp, 24 * PITCH
        mov     bx, 16                  ; of 24 lines
%%line: xor     cx, cx
%%byte: mov     al, [es:di]             ; latches
        imul    ax, cx, 5
        mov     [es:di], al
        inc     di
        inc     cx
        cmp     cx, 64
        jb      %%byte
        add     di, PITCH - 64
        dec     bx
        jnz     %%line
        add     si, 6
        inc     bp
        cmp     bp, (%1_end - %1) / 6
        jb      %%band
%endmacro

; Read mode 1 into memory, and from there onto the screen: compare with 5, ignore bits for later rows.
%macro compare 0
        xor     bp, bp
%%band: reg     gc 5, 8
        mov     dx, 0x3ce
        mov     ax, 0x0502
        out     dx, ax
        mov     al, 7
        mov     ah, 0x0f
        mov     cx, bp
        shr     ah, cl
        out     dx, ax
        imul    si, bp, 64 * PITCH
        mov     cx, 64
        mov     di, 0x9000
%%read: es lodsb
        mov     [di], al
        inc     di
        loop    %%read
        reg     gc 5, 0
        imul    di, bp, 64 * PITCH
        mov     bx, 8
%%line: mov     si, 0x9000
        mov     cx, 64
        rep     movsb
        add     di, PITCH - 64
        dec     bx
        jnz     %%line
        inc     bp
        cmp     bp, 5
        jb      %%band
%endmacro

; Write mode 1: the first 40 lines are copied, four planes at once.
%macro copies 0
        reg     gc 5, 1
        push    ds
        push    es
        pop     ds
        xor     si, si
        mov     di, 80 * 100 + 3
        mov     cx, 80 * 40
        rep     movsb
        pop     ds
%endmacro
main:   mov     si, MODE
        call    set_mode
        call    dac64
        push    0xa000
        pop     es
        reg     gc 5, 2                 ; write mode 2: the byte is a colour
        xor     di, di
        xor     bx, bx                  ; the line
.line:  xor     cx, cx
.byte:  mov     ax, bx
        shr     ax, 3
        add     ax, cx
        and     al, 15
        stosb
        inc     cx
        cmp     cx, PITCH
        jb      .byte
        inc     bx
        cmp     bx, LINES
        jb      .line
        reg     gc 5, 0
        DRAW
        EXTRA
        jmp     finish

table:  db      0x00, 0x00, 0x00, 0x00, 0xff, 0x0f      ; as it is, all planes
        db      0x00, 0x00, 0x00, 0x00, 0xff, 0x05      ; two planes
        db      0x00, 0x00, 0x00, 0x03, 0xff, 0x0f      ; rotated by 3
        db      0x00, 0x00, 0x00, 0x08, 0xff, 0x0f      ; and
        db      0x00, 0x00, 0x00, 0x10, 0xff, 0x0f      ; or
        db      0x00, 0x00, 0x00, 0x18, 0xff, 0x0f      ; xor
        db      0x00, 0x00, 0x00, 0x00, 0x3c, 0x0f      ; bit mask
        db      0x00, 0x0c, 0x0f, 0x00, 0xff, 0x0f      ; set/reset
        db      0x00, 0x0c, 0x06, 0x18, 0xf0, 0x0f      ; in two planes, xor, bit mask
        db      0x01, 0x00, 0x00, 0x00, 0xff, 0x03      ; mode 1, two planes
        db      0x02, 0x00, 0x00, 0x00, 0xff, 0x0f      ; mode 2
        db      0x02, 0x00, 0x00, 0x18, 0x55, 0x0f      ; xor, bit mask
        db      0x03, 0x09, 0x00, 0x00, 0xff, 0x0f      ; mode 3: the byte is a mask
        db      0x03, 0x09, 0x00, 0x1b, 0x7e, 0x0f      ; rotated, xor, bit mask
table_end:
        times   512 * SECTORS - ($ - $$) db 0

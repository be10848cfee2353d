; SPDX-License-Identifier: MIT
; 256 colours: the pixel at x, y is (x xor y) and 255, WIDTH pixels by LINES. CHAINED, or a pixel's
; plane is x and 3. EXTRA: further registers, before what is drawn; LATER: after it.
%include "golden.inc"
; 320x240 and 360x480, by other timings; both unchained.
%macro lines480 0
        mov     dx, 0x3c2
        mov     al, MISC
        out     dx, al
        reg     crtc 0x11, 0x2c         ; 0 to 7 can be written
        reg     crtc 0x06, 0x0d
        reg     crtc 0x07, 0x3e
        reg     crtc 0x10, 0xea
        reg     crtc 0x11, 0xac
        reg     crtc 0x12, 0xdf
        reg     crtc 0x15, 0xe7
        reg     crtc 0x16, 0x06
%endmacro
%macro columns360 0
        reg     crtc 0x11, 0x2c
        reg     crtc 0x00, 0x6b
        reg     crtc 0x01, 0x59
        reg     crtc 0x02, 0x5a
        reg     crtc 0x03, 0x8e
        reg     crtc 0x04, 0x5e
        reg     crtc 0x05, 0x8a
        reg     crtc 0x13, 0x2d
%endmacro

main:   mov     si, bytes_mode
        call    set_mode
        mov     bl, 63
        call    dac256
        push    0xa000
        pop     es
        reg     seq 4, 6                ; unchained
        xor     ax, ax
        xor     di, di
        mov     cx, 0x8000
        rep     stosw
%if CHAINED
        reg     seq 4, 0x0e
%else
        reg     crtc 0x14, 0
        reg     crtc 0x17, 0xe3
%endif
        EXTRA
        xor     bp, bp
.line:  xor     cx, cx
.dot:
%if CHAINED
        imul    di, bp, WIDTH
        mov     bx, cx
%else
        push    cx
        and     cl, 3
        mov     ah, 1
        shl     ah, cl
        pop     cx
        mov     dx, 0x3c4
        mov     al, 2
        out     dx, ax
        imul    di, bp, WIDTH / 4
        mov     bx, cx
        shr     bx, 2
%endif
        mov     ax, cx
        xor     ax, bp
        mov     [es:di + bx], al
        inc     cx
        cmp     cx, WIDTH
        jb      .dot
        inc     bp
        cmp     bp, LINES
        jb      .line
        LATER
        jmp     finish

        times   512 * SECTORS - ($ - $$) db 0

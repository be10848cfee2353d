; SPDX-License-Identifier: MIT
; The CGA's graphics: BITS of a pixel, lines in two halves of 8 KiB. Blocks of 16x8 pixels, counted.
%include "golden.inc"
main:
%if BITS = 2
        mov     si, cga_mode
%else
        mov     si, cga2_mode
%endif
        call    set_mode
        call    dac64
        push    0xb800
        pop     es
        xor     bp, bp
.line:  mov     di, bp
        shr     di, 1
        imul    di, di, 80
        test    bp, 1
        jz      .even
        add     di, 0x2000
.even:  xor     cx, cx
.byte:  mov     ax, cx
        shr     ax, 3 - BITS
        mov     bx, bp
        shr     bx, 3
        add     ax, bx
%if BITS = 2
        and     al, 3
        imul    ax, ax, 0x55
%else
        and     al, 1
        neg     al
        xor     al, 0x18
%endif
        stosb
        inc     cx
        cmp     cx, 80
        jb      .byte
        inc     bp
        cmp     bp, 200
        jb      .line
        EXTRA
        jmp     finish
        times   512 * SECTORS - ($ - $$) db 0

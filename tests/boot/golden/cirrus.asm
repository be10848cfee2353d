; SPDX-License-Identifier: MIT
; A GD5446 in a packed mode of 640x480 pixels of PX bytes (DEPTH bits). Byte i of line y is i xor y, on the
; screen and below it, LINES in all: memory that was not written since the reset has no value to rely on, Bochs
; fills it with FFh. Then the BitBLTs of the table are done, in 8 columns of 80 bytes times PX, and 6 rows of 80
; lines. LINEAR: drawn in linear memory, otherwise through banks.
%include "golden.inc"
PITCH   equ     640 * PX
%ifndef LINES
%define LINES 600
%endif
LFB_AT  equ     0xe0000000
CELL    equ     80
%define at(column, row) ((row) * CELL * PITCH + (column) * CELL * PX)
COPY    equ     0x0d
; blt MODE, ROP, EXT, SKIP, WIDTH (bytes), HEIGHT, DST, SRC, SRC PITCH, DOUBLEWORDS that the CPU writes
%macro blt 10
        dw      (%5) - 1, (%6) - 1, PITCH, %9
        db      (%7) & 255, ((%7) >> 8) & 255, (%7) >> 16
        db      (%8) & 255, ((%8) >> 8) & 255, (%8) >> 16
        db      %4, (%1) | (PX - 1) << 4, %2, %3
        dw      %10
%endmacro

main:   mov     si, planes_mode
        call    set_mode
        mov     bl, 63
        call    dac256
        reg     seq 6, 0x12
        reg     seq 7, (PX = 1) * 1 + (PX = 2) * 7 + (PX = 3) * 5 + (PX = 4) * 9
        reg     seq 4, 0x0e
        reg     gc 5, 0x40
        reg     gc 6, 0x05
        reg     gc 0x0b, 0x20
        reg     crtc 0x13, (PITCH / 8) & 255
        reg     crtc 0x1b, 0x22 | (PITCH / 8 > 255) << 4
        mov     dx, 0x3c6
        in      al, dx
        in      al, dx
        in      al, dx
        in      al, dx
        mov     al, (DEPTH = 15) * 0xf0 + (DEPTH = 16) * 0xe1 + (DEPTH > 16) * 0xe5
        out     dx, al
        mov     al, 0xff
        out     dx, al
        call    place
        xor     ebp, ebp                ; y
        xor     edi, edi
.line:  xor     cx, cx
.byte:  mov     al, cl
        xor     ax, bp
        call    store
        inc     cx
        cmp     cx, PITCH
        jb      .byte
        inc     bp
        cmp     bp, LINES
        jb      .line
        reg     gc 0x09, 0
        reg     gc 0x00, 0x24           ; colours
        reg     gc 0x10, 0x91
        reg     gc 0x12, 0x3c
        reg     gc 0x14, 0x55
        reg     gc 0x01, 0xe5
        reg     gc 0x11, 0x5e
        reg     gc 0x13, 0xb2
        reg     gc 0x15, 0xaa
        reg     gc 0x34, KEY & 255
        reg     gc 0x35, KEY >> 8
        EXTRA
        push    0xa000
        pop     es
        mov     si, table
.next:  cmp     word [si], -1
        je      .end
        mov     bx, indices
        mov     cx, 18
        mov     dx, 0x3ce
.reg:   mov     al, [bx]
        mov     ah, [si]
        out     dx, ax
        inc     bx
        inc     si
        loop    .reg
        mov     ax, 0x0231              ; start
        out     dx, ax
        lodsw
        xchg    ax, cx
        jcxz    .next
        xor     di, di
        mov     eax, 0x9c3a5b01
.feed:  mov     [es:di], eax
        rol     eax, 3
        add     eax, 0x01020304
        add     di, 4
        and     di, 0x3fff
        loop    .feed
        jmp     .next
.end:   LATER
        jmp     finish

indices:
        db      0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2c, 0x2d, 0x2e, 0x2f
        db      0x30, 0x32, 0x33

; AL to byte EDI of memory, and the next.
store:
%if LINEAR
        mov     ebx, [lfb]
        mov     [fs:ebx + edi], al
%else
        test    di, di
        jnz     .same
        push    ax
        mov     eax, edi
        shr     eax, 16 - 2             ; units of 16 KiB
        mov     ah, al
        mov     al, 9
        mov     dx, 0x3ce
        out     dx, ax
        pop     ax
.same:  push    0xa000
        pop     es
        mov     [es:di], al
%endif
        inc     edi
        ret

; Linear memory: the BAR of function 02.0, where firmware placed it, or at LFB_AT. FS reaches it.
place:
%if LINEAR
        mov     dx, 0xcf8
        mov     eax, 0x80001010
        out     dx, eax
        mov     dl, 0xfc
        in      eax, dx
        and     eax, ~15
        jnz     .there
        mov     eax, LFB_AT
        out     dx, eax
.there: mov     [lfb], eax
        mov     dl, 0xf8
        mov     eax, 0x80001004
        out     dx, eax
        mov     dl, 0xfc
        in      ax, dx
        or      al, 2
        out     dx, ax
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     fs, bx
        and     al, 0xfe
        mov     cr0, eax
        push    0
        pop     fs
        ret
lfb:    dd      0
gdt:    dq      0, 0x00cf92000000ffff
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
%else
        ret
%endif

table:  DRAW
        dw      -1
        times   SECTORS * 512 - ($ - $$) db 0

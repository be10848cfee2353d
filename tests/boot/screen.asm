; SPDX-License-Identifier: MIT
; A boot sector that sets a video mode and fills the screen: the pixel at x, y has the colour
; (x / 16 + y / 8) & MASK; in text modes the cell does, by its column and row. screens.py assembles it
; with MODE (AX of INT 10h, or the VBE mode), KIND, WIDTH, HEIGHT, PITCH, MASK; text modes: the height of a
; CELL, the LINES of the picture, 350 or 400.
TEXT    equ 0                           ; MODE 7 is at B000h
CGA     equ 1                           ; 2 bits a pixel
CGA1    equ 2                           ; 1 bit
PLANES  equ 3
BYTES   equ 4                           ; mode 13h
MODEX   equ 5                           ; 320x240, unchained
VBE     equ 6                           ; BPP bits a pixel, by banks
VBE4    equ 7                           ; planes
LFB     equ 8                           ; 32 bits a pixel, in the linear frame buffer
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:
%if KIND >= VBE
        mov     ax, 0x4f02
        mov     bx, MODE
%else
        mov     ax, MODE
%endif
        int     0x10
%if KIND = TEXT && LINES = 350
        mov     dx, 0x3c2
        mov     al, 0xa3
        out     dx, al
        mov     si, lines
        call    crtc
%endif
%if KIND = TEXT && CELL = 8
        mov     ax, 0x1112              ; as many rows of the 8x8 font as fit
        xor     bx, bx
        int     0x10
        mov     al, [0x484]             ; the last row
        cmp     al, LINES / 8 - 1
        mov     al, 0
        jne     leave
%endif
%if KIND = MODEX
        mov     si, modex
        mov     dx, 0x3c4
        mov     ax, 0x0604              ; no chain 4, no odd/even
        out     dx, ax
        mov     ax, 0x0f02
        out     dx, ax
        mov     dx, 0x3c2
        mov     al, 0xe3                ; 480 lines
        out     dx, al
        call    crtc
%endif
%if KIND = BYTES || KIND = MODEX || (KIND = VBE && BPP = 8)
        mov     dx, 0x3c8               ; colour i is i, 3 * i, 63 - i
        xor     ax, ax
        out     dx, al
        inc     dx
.dac:   mov     al, ah
        out     dx, al
        mov     al, ah
        add     al, ah
        add     al, ah
        out     dx, al
        mov     al, 63
        sub     al, ah
        out     dx, al
        inc     ah
        jnz     .dac
%endif
%if KIND = PLANES || KIND = VBE4
        mov     dx, 0x3ce
        mov     ax, 0x0205              ; write mode 2: the byte is a colour
        out     dx, ax
%endif
%if KIND = TEXT && MODE = 7
        push    0xb000
%elif KIND <= CGA1
        push    0xb800
%else
        push    0xa000
%endif
        pop     es
%if KIND = LFB
        push    0
        pop     es
        mov     ax, 0x4f01              ; where it is
        mov     cx, MODE & 0x1ff
        mov     di, 0x8000
        int     0x10
        lgdt    [gdtr]                  ; ES gets a limit of 4 GiB, for real mode as well
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     es, bx
        and     al, 0xfe
        mov     cr0, eax
        push    0
        pop     es
%endif
        xor     ebp, ebp                ; y
        mov     dword [bank], -1
.line:  xor     ecx, ecx                ; x
.dot:
%if KIND = TEXT
        lea     ax, [ecx + ebp]
%else
        mov     ax, bp
        shr     ax, 3
        mov     bx, cx
        shr     bx, 4
        add     ax, bx
%endif
        and     ax, MASK
%if KIND = CGA || KIND = CGA1
        mov     di, bp
        shr     di, 1
        imul    di, di, PITCH
        test    bp, 1
        jz      .even
        add     di, 0x2000
.even:  mov     bx, cx
        shr     bx, 3 - (KIND = CGA)
        add     di, bx
%if KIND = CGA
        imul    ax, ax, 0x55
%else
        neg     al
%endif
        mov     [es:di], al
        add     cx, 8 - 4 * (KIND = CGA)
%elif KIND = TEXT
        imul    di, bp, PITCH
        mov     bx, cx
        add     bx, bx
        mov     byte [es:di + bx], 0xdb
        mov     [es:di + bx + 1], al
        inc     cx
%elif KIND = PLANES || KIND = VBE4
        mov     di, bp
        imul    di, di, PITCH
        mov     bx, cx
        shr     bx, 3
        add     di, bx
        mov     bl, [es:di]
        mov     [es:di], al
        add     cx, 8
%elif KIND = BYTES || KIND = MODEX
        imul    di, bp, PITCH
        mov     bx, cx
%if KIND = MODEX
        shr     bx, 2
        add     cx, 3
%endif
        mov     [es:di + bx], al
        inc     cx
%elif KIND = LFB
        movzx   eax, ax
        imul    eax, eax, 0x010305
        mov     edi, ebp
        imul    edi, edi, PITCH
        lea     edi, [edi + ecx * 4]
        add     edi, [0x8000 + 0x28]
        mov     [es:edi], eax
        inc     cx
%else
        movzx   esi, ax
        imul    esi, esi, 0x010305      ; any value that fills the pixel
        mov     edi, ebp
        imul    edi, edi, PITCH
        imul    eax, ecx, (BPP + 7) / 8
        add     edi, eax
        mov     ah, (BPP + 7) / 8
.byte:  mov     ebx, edi
        shr     ebx, 16
        cmp     ebx, [bank]
        je      .same
        mov     [bank], ebx
        pushad
        mov     dx, bx
        shl     dx, BANKS               ; units of its granularity in 64 KiB: 1 << BANKS
        xor     bx, bx
        mov     ax, 0x4f05
        int     0x10
        popad
.same:  mov     bx, si
        mov     [es:di], bl
        shr     esi, 8
        inc     edi
        dec     ah
        jnz     .byte
        inc     cx
%endif
        cmp     cx, WIDTH
        jb      .dot
        inc     bp
        cmp     bp, HEIGHT
        jb      .line
        mov     al, 0x10
leave:  out     0xf4, al
        hlt
%if KIND = MODEX || (KIND = TEXT && LINES = 350)
; The table at SI, up to a zero, into the CRTC.
crtc:   mov     dx, 0x3d4
        mov     al, 0x11
        out     dx, al
        inc     dx
        in      al, dx
        and     al, 0x7f
        out     dx, al
        dec     dx
.next:  lodsw
        out     dx, ax
        cmp     word [si], 0
        jne     .next
        ret
%endif
%if KIND = TEXT && LINES = 350
lines:  dw      0xbf06, 0x1f07, 0x8310, 0x8511, 0x5d12, 0x6315, 0xba16, 0
%endif
bank:   dd      -1
%if KIND = LFB
gdt:    dq      0, 0x00cf92000000ffff
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
%endif
%if KIND = MODEX
modex:  dw      0x0d06, 0x3e07, 0x4109, 0xea10, 0xac11, 0xdf12, 0x0014, 0xe715, 0x0616, 0xe317, 0
%endif
        times   510 - ($ - $$) db 0
        dw      0xaa55

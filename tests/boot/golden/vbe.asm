; SPDX-License-Identifier: MIT
; Bochs' VBE registers: WIDTH x HEIGHT pixels of BPP bits, VIRTUAL of them in a line of memory, the
; screen moved by XOFF, YOFF; FLAGS of the enable register. Written through banks, or (LINEAR) in the
; frame buffer. Red grows to the right, green downwards, blue along the diagonal; 8 bits: x xor y;
; 4 bits: blocks.
%include "golden.inc"
LFB_AT  equ     0xe0000000
BYTES   equ     (BPP + 7) / 8
%macro vbe 2
        mov     dx, 0x1ce
        mov     ax, %1
        out     dx, ax
        inc     dx
        mov     ax, %2
        out     dx, ax
%endmacro
main:   mov     si, bytes_mode
%if BPP = 4
        mov     si, planes_mode
%endif
        call    set_mode
        vbe     0, 0xb0c5
        vbe     4, 0
        vbe     1, WIDTH
        vbe     2, HEIGHT
        vbe     3, BPP
        vbe     4, 0x41 | FLAGS
        vbe     6, VIRTUAL
        vbe     8, XOFF
        vbe     9, YOFF
%if BPP = 4
        call    dac64
        reg     gc 5, 2
%elif FLAGS & 0x20
        mov     bl, 255
        call    dac256
%else
        mov     bl, 63
        call    dac256
%endif
%if LINEAR
        call    place
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
%else
        push    0xa000
        pop     es
%endif
        xor     ebp, ebp                ; y
        xor     edi, edi
.line:  xor     ecx, ecx                ; x
.dot:   call    pixel
%if BPP = 4
        mov     edx, eax
        call    store
        add     cx, 8
%else
        mov     esi, BYTES
.byte:  mov     dl, al
        call    store
        shr     eax, 8
        dec     si
        jnz     .byte
        inc     cx
%endif
        cmp     cx, VIRTUAL
        jb      .dot
        inc     bp
        cmp     bp, HEIGHT + YOFF
        jb      .line
        jmp     finish

; DL to the byte EDI of the screen, and the next.
store:
%if LINEAR
        mov     ebx, [lfb]
        mov     [es:ebx + edi], dl
%else
        mov     ebx, edi
        shr     ebx, 16
        cmp     bx, [bank]
        je      .same
        mov     [bank], bx
        push    ax
        push    dx
        vbe     5, bx
        pop     dx
        pop     ax
.same:
%if BPP = 4
        mov     dh, [es:di]
%endif
        mov     [es:di], dl
%endif
        inc     edi
        ret

; ECX, EBP: x, y -> EAX: its value
pixel:
%if BPP = 4
        mov     eax, ecx
        shr     eax, 3
        mov     ebx, ebp
        shr     ebx, 3
        add     eax, ebx
        and     eax, 15
%elif BPP = 8
        mov     eax, ecx
        xor     eax, ebp
%elif BPP <= 16
        mov     eax, ecx
        shr     eax, 2
        and     eax, 31
        shl     eax, BPP - 5
        mov     ebx, ebp
        shr     ebx, 2
        and     ebx, (1 << (BPP - 10)) - 1
        shl     ebx, 5
        or      eax, ebx
        lea     ebx, [ecx + ebp]
        shr     ebx, 2
        and     ebx, 31
        or      eax, ebx
%else
        movzx   ebx, cl
        shl     ebx, 16
        mov     eax, ebp
        movzx   eax, al
        shl     eax, 8
        or      eax, ebx
        lea     ebx, [ecx + ebp]
        movzx   ebx, bl
        or      eax, ebx
%endif
        ret

; Where the frame buffer is: firmware has put it there, or we do. Without PCI it is at LFB_AT.
place:  mov     ebx, 0x80000000
.next:  mov     eax, ebx
        mov     dx, 0xcf8
        out     dx, eax
        mov     dl, 0xfc
        in      eax, dx
        cmp     eax, 0x11111234
        je      .found
        add     ebx, 0x800
        cmp     ebx, 0x80010000
        jb      .next
        ret
.found: lea     eax, [ebx + 0x10]
        mov     dx, 0xcf8
        out     dx, eax
        mov     dl, 0xfc
        in      eax, dx
        and     eax, 0xfffffff0
        jnz     .there
        mov     eax, LFB_AT
        out     dx, eax
.there: mov     [lfb], eax
        lea     eax, [ebx + 4]
        mov     dx, 0xcf8
        out     dx, eax
        mov     dl, 0xfc
        in      ax, dx
        or      al, 3
        out     dx, ax
        ret
lfb:    dd      LFB_AT
bank:   dw      0xffff
gdt:    dq      0, 0x00cf92000000ffff
gdtr:   dw      gdtr - gdt - 1
        dd      gdt
        times   512 * SECTORS - ($ - $$) db 0

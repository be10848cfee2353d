; SPDX-License-Identifier: MIT
; A boot sector that executes one x87 function ROUNDS times, on as many random numbers, and leaves by
; the exit port. FUNCTION is its place in functions.py, which times it; 0: none.
        org     0x7c00
        bits    16
        cpu     486
start:  xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cli
        jmp     0:main
main:   lgdt    [gdtr]
        mov     eax, cr0
        or      al, 0x23
        and     al, ~0x0c
        mov     cr0, eax
        jmp     8:flat
        bits    32
flat:   mov     ax, 16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        fninit
        mov     eax, 0x2718281
        mov     ecx, ROUNDS
round:  mov     edx, eax
        shl     edx, 13
        xor     eax, edx
        mov     edx, eax
        shr     edx, 17
        xor     eax, edx
        mov     edx, eax
        shl     edx, 5
        xor     eax, edx
        mov     [number], eax
%if FUNCTION == 7                       ; positive
        and     byte [number + 3], 0x7f
%endif
        fld     qword [second]
        fild    dword [number]
        fmul    dword [scale]
%if FUNCTION == 1
        fsin
%elif FUNCTION == 2
        fcos
%elif FUNCTION == 3
        fsincos
        fstp    st0
%elif FUNCTION == 4
        fptan
        fstp    st0
%elif FUNCTION == 5
        fpatan
        fld1
%elif FUNCTION == 6
        f2xm1
%elif FUNCTION == 7
        fyl2x
        fld1
%elif FUNCTION == 8
        fyl2xp1
        fld1
%endif
        fstp    st0
        fstp    st0
        dec     ecx
        jnz     round
        mov     al, 0x10
        out     0xf4, al
        hlt
        align   8
second: dq      1.618
%if FUNCTION == 6
scale:  dd      0x1p-31                 ; within 1
%elif FUNCTION == 7
scale:  dd      0x1p-20
%elif FUNCTION == 8
scale:  dd      0x1p-34                 ; within 1/8
%else
scale:  dd      0x1p-28                 ; within 8
%endif
gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw      23
        dd      gdt
        times   510 - ($ - start) db 0
        dw      0xaa55
number  equ     0x8000

; SPDX-License-Identifier: MIT
; A boot sector that writes to video memory ROUNDS times and leaves by the exit port. KIND 0: mode 13h,
; the whole screen by REP STOSD; 1: the same by single stores; 2 and 3: so for the first MiB of the linear
; frame buffer of VBE mode 118h. fill.py times it.
        org     0x7c00
        bits    16
        cpu     386
start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cld
        jmp     0:main
main:
%if KIND < 2
        mov     ax, 0x13
        int     0x10
        mov     dword [where], 0xa0000
        mov     dword [dwords], 64000 / 4
%else
        mov     ax, 0x4f01
        mov     cx, 0x118
        mov     di, info
        int     0x10
        mov     eax, [info + 40]
        mov     [where], eax
        mov     dword [dwords], 0x100000 / 4
        mov     ax, 0x4f02
        mov     bx, 0x4118
        int     0x10
%endif
        cli
        in      al, 0x92
        or      al, 2
        out     0x92, al
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:flat
        bits    32
flat:   mov     ax, 16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     ebp, ROUNDS
round:  mov     edi, [where]
        mov     ecx, [dwords]
        mov     eax, ebp
%if KIND & 1
.store: mov     [edi], eax
        add     edi, 4
        dec     ecx
        jnz     .store
%else
        rep     stosd
%endif
        dec     ebp
        jnz     round
        mov     al, 0x10
        out     0xf4, al
        hlt
        align   8
gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw      23
        dd      gdt
where:  dd      0
dwords: dd      0
        times   510 - ($ - start) db 0
        dw      0xaa55
info    equ     0x8000

; SPDX-License-Identifier: MIT
; Real to protected to paging; the #PF of an absent page is caught, its page mapped, the write redone.
; expect: RPGF2K
%include "metal.inc"
main:   putc    'R'
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:flat
        bits    32
flat:   mov     eax, 0x10
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     esp, 0x7c00
        putc    'P'
        mov     edi, 0x10000            ; directory, one table
        mov     ecx, 1024
        xor     eax, eax
        rep     stosd
        mov     eax, 3
        mov     cx, 1024
.page:  stosd
        add     eax, 4096
        loop    .page
        mov     dword [0x10000], 0x11003
        mov     dword [0x11000 + 0x300 * 4], 0
        mov     eax, fault
        mov     [0x8000 + 14 * 8], ax
        mov     word [0x8000 + 14 * 8 + 2], 8
        mov     dword [0x8000 + 14 * 8 + 4], 0x8e00
        lidt    [idtr]
        mov     eax, 0x10000
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        jmp     short .on
.on:    putc    'G'
        mov     dword [0x300123], 0x12345678
        cmp     dword [0x20123], 0x12345678
        jne     .end
        putc    'K'
.end:   putc    10
        leave_test
fault:  putc    'F'
        pop     eax
        add     al, '0'
        out     0xe9, al
        mov     dword [0x11000 + 0x300 * 4], 0x20003
        mov     eax, cr3
        mov     cr3, eax
        iretd
        align   4
gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw      23
        dd      gdt
idtr:   dw      15 * 8 - 1
        dd      0x8000
boot_end

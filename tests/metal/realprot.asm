; SPDX-License-Identifier: MIT
; Real mode to 32-bit protected mode, through a 16-bit segment, and back.
; expect: RP6R
%include "metal.inc"
main:   putc    'R'
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     0x08:flat
        bits    32
flat:   putc    'P'
        jmp     0x10:small
        bits    16
small:  mov     ax, 0x18                ; 64 KiB limits, as real mode wants them
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        putc    '6'
        mov     eax, cr0
        and     al, 0xfe
        mov     cr0, eax
        jmp     0:real
real:   xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        putc    'R'
        putc    10
        leave_test
        align   4
gdt:    dq      0, 0x00cf9a000000ffff, 0x00009a000000ffff, 0x000092000000ffff
gdtr:   dw      31
        dd      gdt
boot_end

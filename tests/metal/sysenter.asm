; SPDX-License-Identifier: MIT
; SYSEXIT to ring 3 and SYSENTER back: segments, EIP, ESP, flags [SDM 2B].
; expect: sysenter: ok
%include "metal.inc"
        cpu     686
main:   lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:flat
        bits    32
flat:   mov     ax, 0x10
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        xor     edx, edx
        mov     ecx, 0x174 ; IA32_SYSENTER_CS
        mov     eax, 8
        wrmsr
        inc     ecx
        mov     eax, 0x6000 ; ESP
        wrmsr
        inc     ecx
        mov     eax, back ; EIP
        wrmsr
        mov     esi, bad
        mov     ecx, 0x5000
        mov     edx, user
        sysexit
user:   mov     ax, cs
        cmp     ax, 0x1b
        jne     .wrong
        mov     ax, ss
        cmp     ax, 0x23
        jne     .wrong
        cmp     esp, 0x5000
        jne     .wrong
        mov     ax, 0x23
        mov     ds, ax
        mov     es, ax
        mov     esi, good
.wrong: sysenter
back:   pushfd
        pop     eax
        test    eax, 0x20200 ; VM, IF
        jnz     .wrong
        cmp     esp, 0x6000
        jne     .wrong
        mov     ax, cs
        cmp     ax, 8
        jne     .wrong
        mov     ax, ss
        cmp     ax, 0x10
        je      say
.wrong: mov     esi, bad
say:    mov     ax, 0x10
        mov     ds, ax
        mov     dx, 0xe9
        mov     ecx, 13
        cld
        rep outsb
        leave_test
good:   db      "sysenter: ok", 10
bad:    db      "sysenter: no", 10
        align   8
gdt:    dq      0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
gdtr:   dw      $ - gdt - 1
        dd      gdt
boot_end

; SPDX-License-Identifier: MIT
; Every form of IN, OUT, INS and OUTS; LFS, SIDT, RDTSC, RDPMC. DMA page registers 81h-83h and PCI's address
; register are the ports that remember.
; expect: ports: ok
%include "metal.inc"
        cpu     686
%macro  must 1 ; condition for failure
        j%1     failed
        inc     byte [step]
%endmacro
main:   mov     eax, 0x00332211
        out     0x81, eax
        in      al, 0x82
        cmp     al, 0x22
        jne     .dword
        in      eax, 0x81
        and     eax, 0x00ffffff
        cmp     eax, 0x00332211
        je      .byword
.dword: mov     si, no_dword
        mov     dx, 0xe9
        mov     cx, 12
        rep outsb
        mov     al, 0x11
        out     0x81, al
.byword:
        mov     ax, 0x5544
        out     0x82, ax
        in      ax, 0x82
        cmp     ax, 0x5544
        must    ne
        mov     dx, 0x82
        mov     ax, 0x7766
        out     dx, ax
        in      al, dx
        cmp     al, 0x66
        must    ne
        in      ax, dx
        cmp     ax, 0x7766
        must    ne
        mov     di, room
        insb
        insw
        cmp     word [room], 0x6666
        must    ne
        cmp     byte [room + 2], 0x77
        must    ne
        mov     dx, 0xcf8
        mov     eax, 0x80001234 & ~3
        out     dx, eax
        in      eax, dx
        cmp     eax, 0x80001234 & ~3
        must    ne
        mov     si, address
        outsd
        insd
        cmp     dword [room + 3], 0x80000500
        must    ne
        mov     si, word_out
        mov     dx, 0x82
        outsw
        in      ax, dx
        cmp     ax, 0x9988
        must    ne
        lfs     bx, [far_pointer]
        mov     ax, fs
        cmp     ax, 0x4321
        must    ne
        cmp     bx, 0x8765
        must    ne
        lidt    [idt]
        sidt    [room]
        mov     eax, [room]
        cmp     eax, [idt]
        must    ne
        rdtsc
        mov     ecx, eax
        mov     ebx, edx
        rdtsc
        sub     eax, ecx
        sbb     edx, ebx
        must    c
        mov     dword [6 * 4], no_counters
        xor     ecx, ecx
        or      edx, -1
        rdpmc                   ; QEMU has no counters: #UD
        mov     ebx, eax
        test    edx, ~0xff      ; 40 bits
        must    nz
        or      eax, -1
        rdpmc                   ; nobody has told it to count
        cmp     eax, ebx
        must    ne
        mov     si, good
        jmp     say
failed: mov     al, [step]
        mov     [bad + 7], al
        mov     si, bad
say:    mov     dx, 0xe9
        lodsb
        out     dx, al
        mov     cx, 9
        rep outsb
        leave_test
no_counters:
        xor     eax, eax
        cdq
        mov     bp, sp
        add     word [bp], 2
        iret
good:   db      "ports: ok", 10
no_dword: db    "dword: FAIL", 10
bad:    db      "ports: no", 10
step:   db      'A'
address: dd     0x80000500
word_out: dw    0x9988
far_pointer: dw 0x8765, 0x4321
idt:    dw      0x3ff
        dd      0
room:   times   12 db 0
boot_end

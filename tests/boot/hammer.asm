; SPDX-License-Identifier: MIT
; A guest without manners: for ever reads and writes ports, device memory, PCI configuration space and RAM at
; random, from the seed at the end of the sector, which tests/boot/hammer.py sets. Every exception and every
; interrupt leads back to the loop.
        org     0x7c00
        bits    16
        cpu     386

STACK   equ 0x7000
IDT     equ 0x1000
resets  equ 0x600                       ; RAM keeps it

start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        imul    eax, [resets], 1664525  ; after a reset other things are to happen
        add     eax, 1013904223
        mov     [resets], eax
        xor     [seed], eax
        or      byte [seed], 1
        in      al, 0x92
        or      al, 2
        and     al, 0xfe
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
        mov     edi, IDT
        mov     ecx, 256
        mov     eax, 0x80000 + again    ; selector 8
        mov     edx, 0x8e00
.gate:  mov     [edi], eax
        mov     [edi + 4], edx
        add     edi, 8
        loop    .gate
        lidt    [idtr]
again:  mov     esp, STACK
        cld
.loop:  call    random
        mov     ebx, eax                ; what to do
        call    place                   ; EDX: a port, EDI: an address
        call    random
        mov     ecx, eax
        and     ecx, 0x3f               ; how often, for strings
        mov     esi, edi
        xor     esi, 0x40
        call    random                  ; EAX: the value
        and     ebx, 15
        call    [table + ebx * 4]
        jmp     .loop

table:  dd      out_b, out_w, out_d, in_b, in_w, in_d, mem_b, mem_w, mem_d, get_d, add_d
        dd      fill, move, outs, ins, breathe

out_b:  out     dx, al
        ret
out_w:  out     dx, ax
        ret
out_d:  out     dx, eax
        ret
in_b:   in      al, dx
        ret
in_w:   in      ax, dx
        ret
in_d:   in      eax, dx
        ret
mem_b:  mov     [edi], al
        ret
mem_w:  mov     [edi], ax
        ret
mem_d:  mov     [edi], eax
        ret
get_d:  mov     eax, [edi]
        ret
add_d:  add     [edi], eax
        ret
fill:   rep stosd
        ret
move:   rep movsd
        ret
outs:   mov     esi, 0x7c00
        rep outsb
        ret
ins:    mov     edi, 0x9000
        rep insb
        ret
breathe:
        sti
        nop
        nop
        cli
        ret

; Xorshift.
random: mov     eax, [seed]
        mov     ebp, eax
        shl     ebp, 13
        xor     eax, ebp
        mov     ebp, eax
        shr     ebp, 17
        xor     eax, ebp
        mov     ebp, eax
        shl     ebp, 5
        xor     eax, ebp
        mov     [seed], eax
        ret

; EDX: mostly a port of the board's, EDI: an address in one of the regions.
place:  call    random
        mov     edx, eax
        shr     eax, 29
        jz      .any                    ; one in eight: any port
        and     edx, 0x3ff
        cmp     al, 1
        jne     .region
        and     edx, 7                  ; PCI configuration
        or      edx, 0xcf8
        jmp     .region
.any:   movzx   edx, dx
.region:
        call    random
        mov     edi, eax
        mov     ebp, eax
        shr     ebp, 29
        and     edi, [masks + ebp * 4]
        or      edi, [bases + ebp * 4]
        ret

masks:  dd      0x1ffff, 0x3ffff, 0xfff, 0xfff, 0x1fffffff, 0xffffff, 0x7ffffff, 0xffff
bases:  dd      0xa0000, 0xc0000, 0xfec00000, 0xfee00000, 0xe0000000, 0xfd000000, 0xf8000000, 0x10000

gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw      23
        dd      gdt
idtr:   dw      0x7ff
        dd      IDT

        times   506 - ($ - $$) db 0
seed:   dd      1
        dw      0xaa55

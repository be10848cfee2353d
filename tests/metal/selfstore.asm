; SPDX-License-Identifier: MIT
; Stores of more than 8 bytes to the page table that maps them: one of the entries that they write first is
; their own. What an instruction stores is translated before any of it is stored: all bytes arrive, without
; a fault [SDM 3A 6.5: a fault leaves the state as it was before the instruction].
; expect: done
%include "inc/pm.inc"
%include "inc/paging.inc"
        cpu     default

OWN     equ L + (L >> 12 & 1023) * 4    ; the window's own entry, through the window

; %2: a store of %3 bytes at EBX, all zeros. What it wrote is read where the table lies.
%macro store 3
        mov     dword [PTE_L], PTW | 7
        invlpg  [L]
        mov     ebx, OWN & ~15
        mov     eax, [ebx]              ; the mapping is known
        mov     edi, PTW + (OWN & 0xff0)
        mov     dword [edi], 0x11111000
        mov     dword [edi + 8], 0x33333000
        mov     dword [edi + 12], 0x44444000
        case    %1, NONE, 0
        %2
        endcase
        mov     ecx, %3
        xor     eax, eax
        xor     edx, edx
        mov     edi, PTW + (OWN & 0xff0)
%%next: mov     al, [edi]
        or      edx, eax
        inc     edi
        loop    %%next
        check   "all of it", edx, 0
%endmacro

main:   mov     eax, cr4
        or      eax, 0x600              ; OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        fninit
        xorps   xmm1, xmm1
        call    paging_on
        window  7, 7
        mov     esi, 10
.round: store   "movups", {movups [ebx], xmm1}, 16
        store   "movaps", {movaps [ebx], xmm1}, 16
        fldz
        store   "fstp m80", {fstp tword [ebx]}, 10
        dec     esi
        jnz     .round
        jmp     paging_off
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; PDPTEs are checked by MOV CR3 and then are registers [SDM 3A 4.4.1].
; expect: done
%include "inc/pm.inc"
PDPT    equ 0x11000
PAEPD   equ 0x12000
main:   mov     edi, PDPT
        mov     ecx, 0x2000 / 4
        xor     eax, eax
        rep     stosd
        mov     dword [PDPT], PAEPD | 1
        mov     dword [PAEPD], 0x87
        mov     dword [PAEPD + 8], 0x200087
        mov     eax, cr4
        or      al, 0x20
        mov     cr4, eax
        mov     eax, PDPT
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        mov     dword [PDPT + 8], 3
        mov     eax, PDPT
        case    "PDPTE, bit 1", GP, 0
        at_here
        mov     cr3, eax
        endcase
        mov     dword [PDPT + 8], PAEPD | 1
        case    "PDPTE written, CR3 not", PF, 0
        at_here
        mov     eax, [0x40000000]
        endcase
        mov     eax, PDPT
        mov     cr3, eax
        mov     dword [PDPT], 0
        case    "PDPTE gone, CR3 as before", NONE, 0
        invlpg  [0]
        mov     eax, [0x40000000 + PDPT + 8]
        endcase
        check   "through the second PDPTE", eax, PAEPD | 1
        mov     eax, cr0
        and     eax, 0x7fffffff
        mov     cr0, eax
        ret
%include "inc/end.inc"

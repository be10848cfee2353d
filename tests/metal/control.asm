; SPDX-License-Identifier: MIT
; What control registers and LTR refuse [SDM 3A 2.5, 2B LTR].
; expect: done
%include "inc/pm.inc"
main:   xor     eax, eax
        case    "ltr null", GP, 0
        ltr     ax
        endcase
        mov     eax, cr0
        or      eax, 0x80000000
        and     al, 0xfe
        case    "cr0: PG without PE", GP, 0
        at_here
        mov     cr0, eax
        endcase
        mov     eax, cr4
        or      eax, 0x8000
        case    "cr4: reserved bit", GP, 0
        at_here
        mov     cr4, eax
        endcase
        ret
%include "inc/end.inc"

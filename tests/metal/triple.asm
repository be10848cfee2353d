; SPDX-License-Identifier: MIT
; A fault in delivering #DF shuts the CPU down; the board resets, or the run ends [SDM 3A 6.15].
; expect: about to: ok
; status: 6 0
%include "inc/pm.inc"
main:   check   "about to", 0, 0
        mov     byte [IDT + DF * 8 + 5], 0x80
        mov     byte [IDT + GP * 8 + 5], 0x80
        mov     byte [IDT + UD * 8 + 5], 0x80
        ud2
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; A data breakpoint on the stack that an interrupt pushes to: the trap comes before the handler's
; first instruction [SDM 3B 17.2.5].
; expect: done
%include "inc/pm.inc"
main:   mov     eax, STACK0R - 4
        mov     dr0, eax
        mov     eax, 2 | 0xd0000
        mov     dr7, eax
        case    "breakpoint on an interrupt's push", DB_, 0
        fault_at STUBS + EXIT3 * 16
        ring3   .u
.u:     exit3
        endcase
        check   "in the handler's ring", [got_cs], CS0
        ret
%include "inc/end.inc"

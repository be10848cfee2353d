; SPDX-License-Identifier: MIT
; The smallest guest.
; expect: hello
%include "metal.inc"
main:   mov     si, text
.next:  lodsb
        test    al, al
        jz      .end
        out     0xe9, al
        jmp     .next
.end:   leave_test
text:   db      'hello', 10, 0
boot_end

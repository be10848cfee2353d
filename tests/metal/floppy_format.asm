; SPDX-License-Identifier: MIT
; Proves: INT 13h 05h formats one track of a floppy, and leaves its neighbours alone.
; expect: floppy_format: ok
; media: floppy 1474560
%include "metal.inc"
main:
        mov     di, buffer              ; format cylinder 6, head 0
        mov     cx, 18
        mov     eax, 0x02010006         ; C, H, R, N
.id:    stosd
        add     eax, 0x10000
        loop    .id
        mov     ax, 0x0512
        mov     cx, 0x0601
        call    head0
        mov     al, 'f'
        jc      bad
        mov     ax, 0x0201
        mov     cx, 0x0612
        call    head0
        mov     al, 'F'
        jc      bad
        cmp     word [buffer + 200], 0xf6f6
        jne     bad

        mov     ax, 0x0201              ; the next cylinder is still empty
        mov     cx, 0x0701
        call    head0
        mov     al, 'n'
        jc      bad
        cmp     word [buffer + 200], 0
        jne     bad
        mov     si, good
        jmp     say
head0:  mov     dh, 0
int13:  push    es
        push    0
        pop     es
        mov     dl, 0
        mov     bx, buffer
        int     0x13
        pop     es
        ret
bad:    mov     [wrong + 20], al
        mov     si, wrong
say:    xor     ax, ax
        mov     ds, ax
.next:  lodsb
        out     0xe9, al
        cmp     al, 10
        jne     .next
        leave_test
good:   db      'floppy_format: ok', 10
wrong:  db      'floppy_format: FAIL _', 10
drive:  db      0
boot_end
buffer  equ     0x8000

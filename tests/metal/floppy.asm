; SPDX-License-Identifier: MIT
; Proves: a BIOS boots from floppy drive A and INT 13h reads, writes and verifies there:
; several sectors, errors of sectors that do not exist, the drive's geometry.
; expect: floppy: ok
; media: floppy 1474560
%include "metal.inc"
main:   mov     [drive], dl
        test    dl, dl                  ; booted from A
        mov     al, 'b'
        jnz     bad
        mov     ax, 0x0201              ; the second sector of this image
        mov     cx, 0x0002
        call    head0
        mov     al, '2'
        jc      bad
        cmp     dword [buffer], 0x12345678
        jne     bad
        cmp     dword [buffer + 508], 0x9abcdef0
        jne     bad

        mov     di, buffer              ; write ten sectors from 5/1/7 on
        mov     cx, 10 * 256
        mov     ax, 0x4321
.fill:  stosw
        add     ax, 0x1357
        loop    .fill
        mov     ax, 0x030a
        mov     cx, 0x0507
        call    head1
        mov     al, 'w'
        jc      bad
        mov     ax, 0x040a              ; verify them
        mov     cx, 0x0507
        call    head1
        mov     al, 'v'
        jc      bad
        mov     di, buffer
        mov     cx, 10 * 256
        xor     ax, ax
        rep     stosw
        mov     ax, 0x0206              ; read the last six
        mov     cx, 0x050b
        call    head1
        mov     al, 'r'
        jc      bad
        cmp     word [buffer], (0x4321 + 0x1357 * 256 * 4) & 0xffff
        jne     bad
        cmp     word [buffer + 6 * 512 - 2], (0x4321 + 0x1357 * (256 * 10 - 1)) & 0xffff
        jne     bad

        mov     ax, 0x0201              ; sector 19 does not exist
        mov     cx, 0x0013
        call    head0
        mov     al, 'e'
        jnc     bad
        mov     ah, 0x00                ; after an error drivers reset
        call    head0
        mov     al, '0'
        jc      bad

        mov     ah, 0x08
        mov     dl, 0
        int     0x13
        mov     al, 'g'
        jc      bad
        cmp     cx, 0x4f12              ; 80 cylinders, 18 sectors
        jne     bad
        cmp     dh, 1
        jne     bad
        cmp     bl, 4
        jne     bad
        mov     si, good
        jmp     say
head1:  mov     dh, 1
        jmp     int13
head0:  mov     dh, 0
int13:  push    es
        push    0
        pop     es
        mov     dl, 0
        mov     bx, buffer
        int     0x13
        pop     es
        ret
bad:    mov     [wrong + 13], al
        mov     si, wrong
say:    xor     ax, ax
        mov     ds, ax
.next:  lodsb
        out     0xe9, al
        cmp     al, 10
        jne     .next
        leave_test
good:   db      'floppy: ok', 10
wrong:  db      'floppy: FAIL _', 10
drive:  db      0
boot_end
        dd      0x12345678
        times   508 - 4 db 0
        dd      0x9abcdef0
buffer  equ     0x8000

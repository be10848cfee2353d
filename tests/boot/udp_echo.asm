; SPDX-License-Identifier: MIT
; A boot sector with an NE2000 at 300h [DP8390]: it says it is ready (port E9h), answers ARP whatever
; the address, and sends each UDP datagram back with 1 added to its first byte [RFC 826], [RFC 768].
        org     0x7c00
        bits    16
        cpu     386
NE      equ 0x300
TX      equ 0x40                        ; pages
RING    equ 0x46
RING_END equ 0x80
TAKEN   equ 512                         ; as many bytes of each frame
FRAME   equ 0x8004                      ; behind the card's header

%macro reg 2                            ; register, value
        mov     dx, NE + %1
        mov     al, %2
        out     dx, al
%endmacro

start:  cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     dx, NE + 0x1f
        in      al, dx
        out     dx, al
        mov     si, setup
.setup: lodsw                           ; register, value
        mov     dx, NE
        add     dl, al
        mov     al, ah
        out     dx, al
        cmp     si, setup_end
        jb      .setup
        mov     si, hello
.hello: lodsb
        out     0xe9, al
        cmp     al, 10
        jne     .hello

again:  reg     0, 0x62
        mov     dx, NE + 7
        in      al, dx                  ; CURR
        mov     bl, al
        reg     0, 0x22
        cmp     bl, [next]
        je      again
        mov     bx, TAKEN
        mov     cl, [next]
        mov     ch, 0x0a
        call    remote
        mov     di, FRAME - 4
        rep     insb
        mov     al, [FRAME - 3]
        mov     [next], al
        mov     si, FRAME + 6           ; back to who sent it
        mov     di, FRAME
        call    move6
        call    own
        cmp     word [FRAME + 12], 0x0608
        je      arp
        cmp     word [FRAME + 12], 0x0008
        jne     again
        cmp     byte [FRAME + 23], 17
        jne     again
        mov     eax, [FRAME + 26]       ; addresses; the sum over the header stays
        xchg    eax, [FRAME + 30]
        mov     [FRAME + 26], eax
        mov     ax, [FRAME + 34]        ; ports
        xchg    ax, [FRAME + 36]
        mov     [FRAME + 34], ax
        mov     word [FRAME + 40], 0    ; no checksum
        inc     byte [FRAME + 42]
        jmp     send

arp:    cmp     word [FRAME + 20], 0x0100
        jne     again
        mov     byte [FRAME + 21], 2
        mov     eax, [FRAME + 38]       ; who is asked for
        push    eax
        mov     si, FRAME + 22
        mov     di, FRAME + 32
        call    move6
        movsd
        pop     eax
        mov     [FRAME + 28], eax
        mov     di, FRAME + 22
        call    own

send:   mov     bx, [FRAME - 2]
        sub     bx, 4
        cmp     bx, 60
        jae     .long
        mov     bx, 60
.long:  push    bx
        mov     cx, 0x1200 | TX
        call    remote
        mov     si, FRAME
        rep     outsb
        pop     bx
        reg     4, TX
        reg     5, bl
        reg     6, bh
        reg     0, 0x26
        jmp     again

; Start moving BX bytes at page CL by command CH: then CX is their number, DX the data port.
remote: reg     8, 0
        reg     9, cl
        reg     0xa, bl
        reg     0xb, bh
        reg     0, ch
        mov     cx, bx
        mov     dx, NE + 0x10
        ret

own:    mov     si, mac
move6:  movsd
        movsw
        ret

next:   db      RING + 1
hello:  db      "ready", 10
mac:    db      0x52, 0x54, 0, 0x12, 0x34, 0x56
setup:  db      0, 0x21, 0xe, 0x48, 0xc, 0x04, 0xd, 0x02, 1, RING, 2, RING_END, 3, RING, 7, 0xff, 0xf, 0
        db      0, 0x61, 1, 0x52, 2, 0x54, 3, 0, 4, 0x12, 5, 0x34, 6, 0x56, 7, RING + 1, 0, 0x22, 0xd, 0
setup_end:
        times   510 - ($ - start) db 0
        dw      0xaa55

; SPDX-License-Identifier: MIT
; An NE2000 at 300h asks the network for an address and is offered 10.0.2.15 [DP8390], [RFC 2131].
; args: -nic user,model=ne2k_isa,restrict=on,mac=52:54:00:12:34:56
; expect: done
%include "inc/pm.inc"

NE      equ 0x300
RING    equ 0x46                        ; pages
RING_END equ 0x80
TX      equ 0x40
TAKEN   equ 304                         ; as many bytes of each frame
FRAME   equ 0x20000                     ; what came: header, then the frame

%macro reg 2                            ; register, value
        mov     edx, NE + %1
        mov     al, %2
        out     dx, al
%endmacro

main:   mov     edx, NE + 0x1f
        in      al, dx
        out     dx, al
        reg     0x0, 0x21
        reg     0xe, 0x48               ; bytes
        reg     0xa, 0
        reg     0xb, 0
        reg     0xc, 0x0c               ; groups, broadcasts
        reg     0xd, 0x02               ; loopback while it is set up
        reg     0x1, RING
        reg     0x2, RING_END
        reg     0x3, RING
        reg     0x7, 0xff
        reg     0xf, 0
        call    prom
        reg     0x0, 0x61
        mov     esi, mac                ; PAR
        mov     ecx, 6
        mov     edx, NE + 1
.par:   lodsb
        out     dx, al
        inc     edx
        loop    .par
        reg     0x7, RING + 1
        reg     0x0, 0x22
        reg     0xd, 0
        call    send
        call    offer
        ret

; remote ADDRESS, COUNT, COMMAND
%macro remote 3
        reg     0x8, (%1) & 0xff
        reg     0x9, (%1) >> 8
        reg     0xa, (%2) & 0xff
        reg     0xb, (%2) >> 8
        reg     0x0, %3
%endmacro

prom:   remote  0, 12, 0x0a
        mov     edi, scratch
        mov     ecx, 12
        mov     edx, NE + 0x10
        rep     insb
        mov     eax, [scratch]
        check   "PROM: twice each", eax, 0x54545252
        movzx   eax, byte [scratch + 10]
        check   "PROM: the last byte", eax, 0x56
        mov     edx, NE + 7
        in      al, dx
        and     eax, 0x40
        check   "PROM: RDC", eax, 0x40
        ret

send:   remote  TX << 8, DISCOVER_LEN, 0x12
        mov     esi, discover
        mov     ecx, DISCOVER_LEN
        mov     edx, NE + 0x10
        rep     outsb
        reg     0x4, TX
        reg     0x5, DISCOVER_LEN & 0xff
        reg     0x6, DISCOVER_LEN >> 8
        reg     0x0, 0x26
        mov     ecx, 1000000
.sent:  mov     edx, NE + 7
        in      al, dx
        test    al, 2
        jnz     .out
        loop    .sent
.out:   and     eax, 2
        check   "sent: PTX", eax, 2
        ret

; The offer is not the only frame that comes: the network asks who the guest is, too.
offer:  mov     byte [next], RING + 1
        mov     dword [tries], 20000000
.wait:  dec     dword [tries]
        jz      .none
        reg     0x0, 0x62
        mov     edx, NE + 7
        in      al, dx                  ; CURR
        mov     bl, al
        reg     0x0, 0x22
        cmp     bl, [next]
        je      .wait
        reg     0x8, 0
        reg     0x9, [next]
        reg     0xa, TAKEN & 0xff
        reg     0xb, TAKEN >> 8
        reg     0x0, 0x0a
        mov     edi, FRAME
        mov     ecx, TAKEN
        mov     edx, NE + 0x10
        rep     insb
        reg     0x0, 0x22
        mov     al, [FRAME + 1]
        mov     [next], al
        cmp     dword [FRAME + 4 + 34], 0x44004300 ; UDP from port 67 to port 68
        jne     .wait
        mov     eax, [FRAME + 4 + 42 + 4]
        check   "offer: transaction", eax, 0x78563412
        mov     eax, [FRAME + 4 + 42 + 16]
        check   "offer: address", eax, 0x0f02000a
        movzx   eax, byte [FRAME]
        and     eax, 1
        check   "offer: received intact", eax, 1
        ret
.none:  check   "offer: none came", 0, 1
        ret

section .data
next:   db      0
        align   4, db 0
tries:  dd      0
discover:
        db      0xff, 0xff, 0xff, 0xff, 0xff, 0xff
mac:    db      0x52, 0x54, 0x00, 0x12, 0x34, 0x56
        db      0x08, 0x00
ip:     db      0x45, 0, (udp_end - ip) >> 8, (udp_end - ip) & 0xff, 0, 0, 0, 0, 64, 17
        db      SUM >> 8, SUM & 0xff, 0, 0, 0, 0, 255, 255, 255, 255
        db      0, 68, 0, 67, (udp_end - udp) >> 8, (udp_end - udp) & 0xff, 0, 0
udp     equ     $ - 8
        db      1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0x80, 0
        times   16 db 0
        db      0x52, 0x54, 0x00, 0x12, 0x34, 0x56
        times   10 + 192 db 0
        db      99, 130, 83, 99, 53, 1, 1, 255
        times   52 db 0
udp_end:
DISCOVER_LEN equ udp_end - discover
; Of the IP header above; TOTAL is its only part that is not written there.
TOTAL   equ udp_end - ip
SUM0    equ 0x4500 + TOTAL + 0x4011 + 0xffff + 0xffff
SUM1    equ (SUM0 >> 16) + (SUM0 & 0xffff)
SUM     equ 0xffff - ((SUM1 >> 16) + (SUM1 & 0xffff))
section .text
%include "inc/end.inc"

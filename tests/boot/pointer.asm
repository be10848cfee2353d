; SPDX-License-Identifier: MIT
; A boot sector that takes the absolute pointer through VMware's port and tells each packet through port
; E9h: "P" and four numbers, buttons, x, y, wheel. It says "ready" when it has asked for absolute places.
MAGIC   equ     0x564d5868
PORT    equ     0x5658
DATA    equ     39
STATUS  equ     40
COMMAND equ     41
ENABLE  equ     0x45414552
PLACES  equ     0x53424152
        org     0x7c00
        bits    16
        cpu     386
%macro call_vm 2
        mov     eax, MAGIC
        mov     ebx, %2
        mov     ecx, %1
        mov     edx, PORT
        in      eax, dx
%endmacro
start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:   mov     ax, 0x13                ; 320x200
        int     0x10
        call_vm COMMAND, ENABLE
        call_vm DATA, 1
        call_vm COMMAND, PLACES
        mov     si, ready
.say:   lodsb
        test    al, al
        jz      .next
        out     0xe9, al
        jmp     .say
.next:  call_vm STATUS, 0
        test    ax, ax
        jz      .next
        call_vm DATA, 4
        push    edx
        push    ecx
        push    ebx
        push    eax
        mov     al, 'P'
        out     0xe9, al
        mov     cx, 4
.word:  mov     al, ' '
        out     0xe9, al
        pop     ebx
        mov     bp, 8
.digit: rol     ebx, 4
        mov     al, bl
        and     al, 15
        cmp     al, 10
        sbb     al, 0x69                ; the classic: 0-15 to ASCII
        das
        or      al, 0x20
        out     0xe9, al
        dec     bp
        jnz     .digit
        loop    .word
        mov     al, 10
        out     0xe9, al
        jmp     .next
ready:  db      'ready', 10, 0
        times   510 - ($ - start) db 0
        dw      0xaa55

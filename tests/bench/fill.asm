; SPDX-License-Identifier: MIT
; A boot sector that accesses video memory, all of the screen ROUNDS times, and leaves by the exit port.
; SCREEN says which memory that is, WAY with which instructions; fill.py times it.
        org     0x7c00
        bits    16
        cpu     386

; SCREEN
M13     equ     1               ; mode 13h
MX      equ     2               ; the same unchained, all planes written at once
M12     equ     3               ; mode 12h
M12BITS equ     4               ; the same with a bit mask: 2 pixels of 8
TEXT    equ     5               ; mode 3
BANKED  equ     6               ; the first four banks of VBE mode 101h
LINEAR  equ     7               ; the first MiB of the frame buffer of VBE mode 118h
MXLATCH equ     8               ; mode X, what was read last is written

; WAY
W_STOSD     equ 1
W_MOVSD     equ 2               ; from RAM
W_SCROLL    equ 3               ; by MOVSD
W_STOSB     equ 4
W_MOVSB     equ 5               ; within video memory
W_DWORDS    equ 6               ; single stores
W_WORDS     equ 7
W_BYTES     equ 8
W_FIXED     equ 9               ; at addresses that the instructions have in them
W_XORS      equ 10              ; read and written
W_READS     equ 11
W_PIXELS    equ 12              ; a byte is read for its latch, and written
W_STOSW     equ 13

%if SCREEN = M13
SIZE    equ     64000
LINE    equ     320
MODE    equ     0x13
%elif SCREEN = MX || SCREEN = MXLATCH
SIZE    equ     16000
LINE    equ     80
MODE    equ     0x13
%elif SCREEN = M12 || SCREEN = M12BITS
SIZE    equ     38400
LINE    equ     80
MODE    equ     0x12
%elif SCREEN = TEXT
SIZE    equ     4000
LINE    equ     160
MODE    equ     3
%elif SCREEN = BANKED
SIZE    equ     0x10000
LINE    equ     640
MODE    equ     0x101
%else
SIZE    equ     0x100000
LINE    equ     4096
MODE    equ     0x4118
%endif

%macro  port    2               ; port, index and value
        mov     dx, %1
        mov     ax, %2
        out     dx, ax
%endmacro

%macro  again   1               ; over the screen, %1 bytes a step
        mov     ecx, SIZE / %1
%%next: step
%if %1 = 1
        inc     edi
%elif WAY != W_FIXED
        add     edi, %1
%endif
        dec     ecx
        jnz     %%next
%endmacro

start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        cld
        jmp     0:main
main:
%if MODE < 0x100
        mov     ax, MODE
        int     0x10
%else
        mov     ax, 0x4f01
        mov     cx, MODE & 0x1ff
        mov     di, info
        int     0x10
        mov     ax, 0x4f02
        mov     bx, MODE
        int     0x10
%endif
%if SCREEN = LINEAR
        mov     eax, [info + 40]
        mov     [where], eax
%endif
%if SCREEN = MX || SCREEN = MXLATCH
        port    0x3c4, 0x0604
        port    0x3c4, 0x0f02
%endif
%if SCREEN = MXLATCH
        port    0x3ce, 0x4105
%endif
%if SCREEN = M12BITS
        port    0x3ce, 0x1808
%endif
        cli
        in      al, 0x92
        or      al, 2
        out     0x92, al
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:flat
        bits    32
flat:   mov     ax, 16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     ebp, ROUNDS
round:
%if SCREEN = BANKED
        mov     ebx, 3
bank:   port    0x1ce, 5
        inc     edx
        mov     eax, ebx
        out     dx, ax
%endif
        mov     edi, [where]
        mov     eax, ebp
%if WAY = W_STOSD
        mov     ecx, SIZE / 4
        rep     stosd
%elif WAY = W_STOSW
        mov     ecx, SIZE / 2
        rep     stosw
%elif WAY = W_STOSB
        mov     ecx, SIZE
        rep     stosb
%elif WAY = W_MOVSD
        mov     esi, 0x100000
        mov     ecx, SIZE / 4
        rep     movsd
%elif WAY = W_SCROLL
        lea     esi, [edi + LINE]
        mov     ecx, (SIZE - LINE) / 4
        rep     movsd
%elif WAY = W_MOVSB
        lea     esi, [edi + LINE]
        mov     ecx, SIZE - LINE
        rep     movsb
%elif WAY = W_DWORDS
%define step    mov [edi], eax
        again   4
%elif WAY = W_WORDS
%define step    mov [edi], ax
        again   2
%elif WAY = W_BYTES
%define step    mov [edi], al
        again   1
%elif WAY = W_FIXED
%macro  step    0
%assign i 0
%rep    8
        mov     [0xa0000 + i], eax
%assign i i + 4
%endrep
%endmacro
        again   32
%elif WAY = W_XORS
%define step    xor [edi], eax
        again   4
%elif WAY = W_READS
%define step    add eax, [edi]
        again   4
%elif WAY = W_PIXELS
%macro  step    0
        mov     ah, [edi]
        mov     [edi], al
%endmacro
        again   1
%endif
%if SCREEN = BANKED
        dec     ebx
        jns     bank
%endif
        dec     ebp
        jnz     round
        mov     al, 0x10
        out     0xf4, al
        hlt
        align   8
gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   dw      23
        dd      gdt
%if SCREEN = TEXT
where:  dd      0xb8000
%else
where:  dd      0xa0000
%endif
        times   510 - ($ - start) db 0
        dw      0xaa55
info    equ     0x8000

; SPDX-License-Identifier: MIT
; Workloads: string instructions, long and short.
%include "bench.inc"

SIZE    equ     64 << 10

; EBX, EBP count here: the instructions need ECX, ESI and EDI. The checksum is EBP.
func w_strbig
        mov     ebx, ecx
        xor     ebp, ebp
        mov     esi, 0xfeedf00d
        mov     edi, buffer
        mov     ecx, SIZE / 4
.fill:  xorshift esi, eax
        mov     eax, esi
        or      eax, 0x01010101 ; no zero bytes
        stosd
        loop    .fill
.next:  mov     byte [buffer + SIZE - 3], bl
        or      byte [buffer + SIZE - 3], 1
        mov     esi, buffer
        mov     edi, buffer + SIZE
        mov     ecx, SIZE / 4
        rep movsd
        mov     esi, buffer + SIZE / 2 + 1 ; unaligned, overlapping, upwards
        mov     edi, buffer + SIZE / 2
        mov     ecx, 4000
        rep movsb
        mov     esi, buffer + 3999 ; and downwards
        mov     edi, buffer + 4003
        mov     ecx, 4000
        std
        rep movsb
        cld
        mov     eax, ebx
        mov     edi, buffer + 3 * SIZE / 2 + 2
        mov     ecx, SIZE / 8 - 1
        rep stosd
        mov     edi, buffer + SIZE
        mov     ecx, 5000
        rep stosw
        mov     byte [buffer + SIZE - 1], 0 ; strlen
        mov     edi, buffer
        mov     ecx, -1
        xor     eax, eax
        repne scasb
        rol     ebp, 5
        xor     ebp, ecx
        mov     byte [buffer + SIZE - 1], 0x5a
        mov     byte [buffer + SIZE + 31000], 0 ; memcmp: equal up to this byte
        mov     esi, buffer + 20000
        mov     edi, buffer + SIZE + 20000
        mov     ecx, 12000
        repe cmpsb
        sbb     eax, eax
        xor     ebp, eax
        add     ebp, ecx
        mov     esi, buffer + 16000
        mov     edi, buffer + SIZE + 16000
        mov     ecx, 4000
        repe cmpsd
        add     ebp, ecx
        mov     eax, [edi - 4]
        mov     edi, buffer
        mov     ecx, SIZE / 4
        repne scasd
        rol     ebp, 3
        add     ebp, ecx
        dec     ebx
        jnz     .next
        mov     esi, buffer
        mov     ecx, 2 * SIZE / 4
.sum:   lodsd
        rol     ebp, 5
        xor     ebp, eax
        loop    .sum
        mov     edi, ebp
endfunc

func w_strsmall
        mov     ebx, ecx
        mov     ebp, 0x77777777
        mov     edi, buffer
        mov     ecx, 64
        mov     eax, 0x41424344
        rep stosd
.next:  xorshift ebp, eax
        mov     eax, ebp
        mov     edx, ebp
        mov     edi, buffer + 64
        mov     ecx, edx
        and     ecx, 15
        rep stosb
        shr     edx, 4
        mov     esi, buffer + 60
        lea     edi, [buffer + 128 + ecx]
        mov     ecx, edx
        and     ecx, 15
        rep movsb
        shr     edx, 4
        mov     ecx, edx
        and     ecx, 7
        mov     esi, buffer + 128
        mov     edi, buffer + 32
        rep movsd
        shr     edx, 4
        mov     ecx, edx
        and     ecx, 15
        mov     esi, buffer + 32
        mov     edi, buffer + 128
        cmp     ecx, ecx ; ZF, for a count of zero
        repe cmpsb
        setz    dl
        add     [sum], ecx
        mov     edi, buffer + 64
        mov     ecx, 12
        mov     al, dl
        repne scasb
        movzx   edx, dl
        lea     edx, [edx + ecx * 2]
        mov     esi, buffer + 126
        mov     edi, buffer + 30
        lodsb
        add     al, dl
        stosb
        lodsw
        xor     ax, dx
        stosw
        movsb
        lodsd
        add     eax, [sum]
        rol     eax, 5
        xor     eax, edx
        mov     [sum], eax
        dec     ebx
        jnz     .next
        mov     edi, [sum]
        mov     dword [sum], 0
endfunc

        section .bss
        alignb  4096
buffer: resb    2 * SIZE + 64
sum:    resd    1

; SPDX-License-Identifier: MIT
; Workloads: bits, multiplication and division, byte and word registers.
%include "bench.inc"

func w_bits
        mov     esi, 0x0badcafe
        xor     eax, eax
        mov     ebx, 64
.clear: mov     [bit_string + ebx * 4 - 4], eax
        dec     ebx
        jnz     .clear
.next:  xorshift esi, eax
        mov     eax, esi
        and     eax, 2047
        bts     [bit_string], eax ; a bit string: the register reaches beyond 32 bits
        adc     edi, edi
        lea     edx, [eax * 8 - 7]
        and     edx, 2047
        btr     [bit_string], edx
        adc     edi, 0
        btc     dword [bit_string + 16], 5
        mov     ebx, esi
        bt      ebx, ecx
        adc     edi, ebx
        btc     ebx, eax
        btr     ebx, 9
        bts     bx, 14
        mov     edx, esi
        or      edx, 0x100
        bsf     eax, edx
        bsr     edx, ebx
        lea     eax, [eax + edx * 8]
        bswap   ebx
        add     eax, ebx
        fold    eax
        dec     ecx
        jnz     .next
        mov     ebx, 64
.sum:   fold    [bit_string + ebx * 4 - 4]
        dec     ebx
        jnz     .sum
endfunc

func w_muldiv
        mov     esi, 0x600dcafe
.next:  xorshift esi, eax
        mov     eax, esi
        mov     ebx, ecx
        or      ebx, 0x80000001
        mul     ebx
        adc     edi, 0
        cmp     edx, ebx
        jb      .fits
        xor     edx, edx
.fits:  div     ebx
        add     edi, eax
        xor     edi, edx
        mov     eax, esi
        cdq
        lea     ebp, [ecx * 2 + 3]
        and     ebp, 0xffff
        inc     ebp
        idiv    ebp
        fold    eax
        add     edi, edx
        mov     eax, esi
        imul    ecx
        sub     edi, edx
        imul    eax, esi
        imul    ebx, eax, -77
        add     edi, ebx
        mov     ax, si
        mov     bl, cl
        or      bl, 0x40
        and     ah, 0x1f
        div     bl ; AX / at least 64: the quotient fits
        movzx   eax, ax
        fold    eax
        mov     ax, si
        cwd
        or      bx, 0x101
        and     bx, 0x7fff
        idiv    bx
        imul    dx, ax, 9
        xor     di, dx
        mov     eax, esi
        imul    cl
        mul     ah
        movzx   eax, ax
        add     edi, eax
        dec     ecx
        jnz     .next
endfunc

func w_bytes
        mov     esi, 0x31415926
.next:  xorshift esi, eax
        mov     eax, esi
        add     al, ah
        adc     ah, cl
        xchg    al, ah
        mov     bl, al
        mov     bh, ch
        sub     bh, ah
        add     bx, ax
        movzx   edx, bh
        movsx   ebp, bl
        add     edi, ebp
        rol     dl, 3
        mov     dh, bl
        ror     dx, 5
        xor     di, dx
        cmp     dh, al
        jbe     .below
        not     dh
        inc     ah
.below: mov     [scratch], ah
        add     byte [scratch], dl
        mov     [scratch + 1], bx
        sub     word [scratch + 1], 0x1234
        movzx   eax, word [scratch]
        shl     ah, 1
        sar     al, 2
        movsx   eax, ax
        fold    eax
        mov     [scratch + 4], edi
        mov     dl, [scratch + 6]
        add     dl, [scratch + 2]
        mov     [scratch + 5], dl
        add     edi, [scratch + 4]
        dec     ecx
        jnz     .next
endfunc

        section .bss
        alignb  4096
bit_string: resd 64
scratch: resd   2

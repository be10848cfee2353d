; SPDX-License-Identifier: MIT
; Workloads: flags that are used: carries, conditions, EFLAGS as data. Undefined flags are not looked at.
%include "bench.inc"

LIMBS   equ     64
MASK    equ     0x8d5 ; the arithmetic flags

func w_bigint
        mov     esi, 0xdeadbeef
        xor     ebx, ebx
.fill:  xorshift esi, eax
        mov     [big_a + ebx * 4], esi
        xorshift esi, eax
        mov     [big_b + ebx * 4], esi
        inc     ebx
        cmp     ebx, LIMBS
        jb      .fill
.next:  mov     esi, big_a ; a += b
        mov     edx, big_b
        mov     ebx, LIMBS
        clc
.add:   mov     eax, [edx]
        adc     [esi], eax
        lea     esi, [esi + 4]
        lea     edx, [edx + 4]
        dec     ebx
        jnz     .add
        adc     edi, 0
        xor     ebx, ebx ; b -= a, and CF is clear
        mov     ebp, -(LIMBS / 2)
.sub:   mov     eax, [big_b + ebx * 4]
        mov     edx, [big_b + ebx * 4 + 4]
        sbb     eax, [big_a + ebx * 4]
        mov     [big_b + ebx * 4], eax
        inc     ebx
        sbb     edx, [big_a + ebx * 4]
        mov     [big_b + ebx * 4], edx
        inc     ebx
        inc     ebp
        jnz     .sub
        sbb     eax, eax
        fold    eax
        mov     eax, [big_a] ; 64 bits in register pairs
        mov     edx, [big_a + 4]
        add     eax, [big_b]
        adc     edx, [big_b + 4]
        sub     eax, ecx
        sbb     edx, 0
        neg     eax
        adc     edx, 0
        neg     edx
        fold    edx
        xor     edi, eax
        dec     ecx
        jnz     .next
endfunc

func w_rotc
        mov     dword [big_a], 0x12345678
        mov     ebx, 1
.fill:  mov     eax, [big_a + ebx * 4 - 4]
        imul    eax, eax, 0x01000193
        inc     eax
        mov     [big_a + ebx * 4], eax
        inc     ebx
        cmp     ebx, LIMBS
        jb      .fill
.next:  mov     ebx, LIMBS
        mov     esi, big_a
        bt      ecx, 0
.left:  rcl     dword [esi], 1
        lea     esi, [esi + 4]
        dec     ebx
        jnz     .left
        adc     edi, edi
        mov     ebx, LIMBS - 1
        mov     esi, big_a + LIMBS * 4 - 4
        stc
.right: mov     eax, [esi]
        rcr     eax, 1
        mov     [esi], eax
        lea     esi, [esi - 4]
        dec     ebx
        jnz     .right
        adc     edi, 1
        mov     eax, [big_a + 40]
        mov     edx, [big_a + 80]
        rcl     eax, 7
        rcr     edx, cl ; a count of 0 leaves CF
        adc     edi, eax
        shld    eax, edx, 11
        shrd    edx, eax, cl
        adc     edx, 0
        rcl     al, 3
        rcr     dx, 9
        adc     edi, edx
        fold    eax
        mov     [big_a + 40], edx
        dec     ecx
        jnz     .next
endfunc

func w_setcc
        mov     esi, 0x89abcdef
        push    ecx
.next:  xorshift esi, eax
        mov     eax, esi
        mov     edx, [esp]
        imul    edx, edx, 0x9e3779b1
        cmp     eax, edx
%macro condition 1
        set%1   bl
        movzx   ecx, bl
        lea     edi, [edi * 2 + ecx]
        cmp     eax, edx
        cmov%1  ecx, edx
        xor     edi, ecx
%endmacro
        condition o
        cmp     al, dl
        condition c
        cmp     ax, dx
        condition z
        add     eax, edx
        condition be
        sub     eax, 77
        condition s
        condition p
        inc     eax
        condition l
        neg     edx
        condition le
        test    eax, edx
        setnp   cl
        setnle  ch
        setns   bl
        setnz   bh
        movzx   ecx, cx
        movzx   ebx, bx
        sub     edi, ecx
        xor     edi, ebx
        cmp     esi, edi
        setnl   cl
        setnbe  ch
        setnc   bl
        setno   bh
        cmovnc  ecx, esi
        add     ecx, ebx
        fold    ecx
        dec     dword [esp]
        jnz     .next
        pop     ecx
endfunc

func w_pushf
        mov     esi, 0x55aa1234
.next:  xorshift esi, eax
        mov     eax, esi
        add     eax, ecx
        pushfd
        pop     ebx
        and     ebx, MASK
        fold    ebx
        lahf
        movzx   edx, ah
        add     edi, edx
        mov     eax, esi
        and     eax, MASK
        or      al, 2
        push    eax
        popfd
        setbe   dl
        seto    dh
        adc     edi, edx
        mov     eax, esi
        sahf
        jp      .even
        xor     edi, 0x10101010
.even:  jnc     .clear
        sub     edi, ecx
.clear: test    cl, 7
        jnz     .no_df
        std
        pushfd
        cld
        pop     eax
        shr     eax, 10 ; DF to bit 0
        and     eax, 1
        add     edi, eax
.no_df: stc
        cmc
        adc     edi, 3
        dec     ecx
        jnz     .next
endfunc

        section .bss
        alignb  4096
big_a:  resd    LIMBS
big_b:  resd    LIMBS

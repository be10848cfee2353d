; SPDX-License-Identifier: MIT
; Workloads: calls, returns, indirect calls and jumps; far ones.
%include "bench.inc"

func w_calls ; fib(16), arguments in a register and on the stack by turns
.next:  mov     eax, 16
        test    cl, 1
        jz      .stack
        call    fib
        jmp     .sum
.stack: push    eax
        call    fib_stack
        add     esp, 4
.sum:   add     eax, ecx
        fold    eax
        dec     ecx
        jnz     .next
endfunc

        align   16
fib:    cmp     eax, 2
        jb      .leaf
        push    ebx
        mov     ebx, eax
        lea     eax, [ebx - 1]
        call    fib
        push    eax
        lea     eax, [ebx - 2]
        call    fib
        pop     edx
        add     eax, edx
        pop     ebx
.leaf:  ret

        align   16
fib_stack:
        push    ebp
        mov     ebp, esp
        push    ebx
        mov     eax, [ebp + 8]
        cmp     eax, 1
        jbe     .leaf
        dec     eax
        push    eax
        call    fib_stack
        mov     ebx, eax
        dec     dword [esp]
        call    fib_stack
        pop     edx
        add     eax, ebx
.leaf:  pop     ebx
        leave
        ret

func w_rets
        mov     esi, 0x1234567
.next:  call    chain_0
        push    .back ; a return to where no call came from
        xorshift esi, eax
        ret
        nop
.back:  call    .here ; a call that never returns: position-independent code
.here:  pop     eax
        sub     eax, .here
        add     edi, eax
        push    ecx
        push    esi
        call    two_arguments
        fold    eax
        dec     ecx
        jnz     .next
endfunc
two_arguments:
        mov     eax, [esp + 4]
        sub     eax, [esp + 8]
        ret     8
%macro link 2
        align   8
chain_%1:
        add     edi, ecx
        call    chain_%2
        rol     edi, 1
        ret
%endmacro
%assign k 0
%rep    24
    %assign k1 k + 1
        link    k, k1
    %assign k k1
%endrep
chain_24:
        xor     edi, esi
        ret

func w_icalls
        mov     esi, 0x1234567
.next:  xorshift esi, eax
        mov     eax, esi
        and     eax, 7
        call    [.table + eax * 4]
        mov     eax, ecx
        and     eax, 3
        mov     eax, [.table + eax * 4]
        call    eax
        dec     ecx
        jnz     .next
endfunc
.0:     add     edi, esi
        ret
.1:     rol     edi, 7
        ret
.2:     xor     edi, esi
        ret
.3:     sub     edi, ecx
        ret
.4:     lea     edi, [edi + edi * 2 + 1]
        ret
.5:     not     edi
        ret
.6:     bswap   edi
        ret
.7:     imul    edi, edi, 0x01000193
        ret
        section .rodata
.table: dd      .0, .1, .2, .3, .4, .5, .6, .7
        section .text

; A little stack machine: ESI its program, EAX its top, EBX a counter, EDX a second register.
%macro dispatch 0
        movzx   ebp, byte [esi]
        inc     esi
        jmp     [vm_table + ebp * 4]
%endmacro
func w_ijumps
.next:  mov     esi, vm_program
        mov     eax, ecx
        mov     edx, edi
        mov     ebx, 100
        dispatch
vm_add: add     eax, edx
        dispatch
vm_xor: xor     eax, edx
        dispatch
vm_rol: rol     eax, 3
        dispatch
vm_swap:
        xchg    eax, edx
        dispatch
vm_imm: movzx   ebp, byte [esi]
        inc     esi
        add     eax, ebp
        dispatch
vm_odd: test    al, 1 ; skips two bytes if EAX is odd
        jz      .even
        add     esi, 2
.even:  dispatch
vm_loop:
        movsx   ebp, byte [esi]
        inc     esi
        dec     ebx
        jz      .out
        add     esi, ebp
.out:   dispatch
vm_end: fold    eax
        dec     ecx
        jnz     w_ijumps.next
endfunc
        section .rodata
vm_table: dd    vm_add, vm_xor, vm_rol, vm_swap, vm_imm, vm_odd, vm_loop, vm_end
vm_program:
        db      4, 17, 0, 3, 2, 5, 4, 99, 1, 2, 5, 3, 1, 0, 4, 5, 6, -18, 7
        section .text

func w_farcall
.next:  call    CODE:.far
        call    far [.pointer]
        push    CODE
        push    .back
        retf
.back:  jmp     CODE:.on
.on:    xor     edi, ecx
        push    cs
        call    .near ; with the segment pushed by hand
        dec     ecx
        jnz     .next
endfunc
.far:   add     edi, [esp + 4] ; the selector
        rol     edi, 3
        retf
.near:  add     edi, ecx
        retf
        section .rodata
.pointer: dd    .far
        dw      CODE
        section .text

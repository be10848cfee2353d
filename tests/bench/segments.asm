; SPDX-License-Identifier: MIT
; Workloads: segment loads, 16-bit segments, virtual-8086 mode; system calls from ring 3.
%include "bench.inc"
        extern  user_run, v86_run

func w_segload
        xor     eax, eax ; the windows' first 64 words
.clear: mov     [windows + eax * 4], eax
        mov     [windows + 4096 + eax * 4], eax
        inc     eax
        cmp     eax, 64
        jb      .clear
.next:  mov     eax, WINDOW1
        mov     edx, WINDOW2
        test    cl, 1
        jz      .straight
        xchg    eax, edx
.straight:
        mov     fs, ax
        mov     gs, dx
        mov     ebx, ecx
        and     ebx, 63
        mov     esi, [fs:ebx * 4]
        add     [gs:ebx * 4], ecx
        xor     esi, [gs:ebx * 4]
        fold    esi
        push    es
        push    fs
        pop     es
        mov     [es:0x100], edi
        lds     esi, [.pointer]
        add     edi, [esi + 4]
        push    ss
        pop     ds
        pop     es
        mov     ax, ss
        mov     ss, ax ; no interrupt until the next instruction has ended
        mov     ebp, esp
        push    ds
        pop     ss
        mov     esp, ebp
        mov     ax, fs
        mov     dx, gs
        add     edi, eax
        sub     edi, edx
        dec     ecx
        jnz     .next
        mov     fs, cx
        mov     gs, cx
endfunc
        section .data
.pointer: dd    0x100
        dw      WINDOW1
        section .text

; A sort, a checksum and a table walk as a program of real mode has them, in segments of 64 KiB.
func w_seg16
        mov     [stack_before], esp
        call    CODE16:0
        mov     eax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, [stack_before]
endfunc
        align   16
        global  seg16_code
seg16_code:
        bits    16
        pop     eax ; where to return to, while the stack is still the other one
        pop     edx
        mov     bx, DATA16
        mov     ds, bx
        mov     es, bx
        mov     ss, bx
        mov     sp, 0xfff0
        push    edx
        push    eax
.next:  push    ecx
        mov     bx, cx
        mov     cx, 32
        mov     di, 0x200
        mov     ax, bx
.fill:  imul    ax, 0x6255
        add     ax, 3619
        stosw
        loop    .fill
        mov     dx, 31 ; bubble sort of the 32 words
.pass:  mov     cx, dx
        mov     si, 0x200
.pair:  lodsw
        cmp     ax, [si]
        jbe     .order
        xchg    ax, [si]
        mov     [si - 2], ax
.order: loop    .pair
        dec     dx
        jnz     .pass
        mov     si, 0x200
        mov     bx, 0x20
        mov     cx, 16
        xor     di, di
.sum:   mov     ax, [bx + si]
        xor     ax, [si]
        call    .mix
        inc     si
        inc     si
        loop    .sum
        mov     bp, sp
        mov     ax, [bp]
        rol     dword [0x100], 5
        add     ax, di
        xor     [0x100], ax
        pop     ecx
        dec     ecx
        jnz     .next
        mov     edi, [0x100]
        mov     dword [0x100], 0
        o32 retf ; SS is left to the caller
.mix:   push    bx
        mov     bl, al
        xor     bh, bh
        shl     bx, 1
        add     di, bx
        ror     di, 3
        sub     di, ax
        pop     bx
        ret
        bits    32

        global  w_int80, w_sysenter, w_v86
w_int80:
        mov     eax, user_int80
enter_user:
        push    dword [esp + 4]
        push    eax
        call    user_run
        add     esp, 8
        ret
w_sysenter:
        mov     eax, user_sysenter
        jmp     enter_user

; The three calls by turns; ESI is the checksum.
%macro user_loop 1
        mov     edi, ecx
%%next: mov     eax, edi
        and     eax, 3
        jnz     %%call
        inc     eax
%%call: mov     ebx, edi
        %1
        rol     esi, 5
        xor     esi, eax
        dec     edi
        jnz     %%next
        xor     eax, eax
        mov     ebx, esi
        %1
%endmacro
%macro call_int80 0
        int     0x80
%endmacro
%macro call_sysenter 0
        call    user_gate
%endmacro
user_int80:
        user_loop call_int80
user_sysenter:
        user_loop call_sysenter
        align   16
user_gate:
        mov     ecx, esp
        mov     edx, .back
        sysenter
.back:  ret

w_v86:  push    esi
        push    edi
        mov     esi, v86_code
        mov     edi, 0x20000
        mov     ecx, v86_end - v86_code
        rep movsb
        mov     edi, 0x28000
        mov     ecx, 0x1000
        xor     eax, eax
        rep stosb
        pop     edi
        pop     esi
        push    dword [esp + 4]
        push    0
        call    v86_run
        add     esp, 8
        ret
v86_code:
        bits    16
.next:  mov     ax, cx
        mov     di, 0x10
        mov     dx, 20
.store: stosw
        add     ax, [di - 4]
        rol     ax, 1
        push    ax
        pop     bx
        mov     [bx + di], al ; anywhere in the data segment
        and     bx, 0xff
        add     al, [bx]
        dec     dx
        jnz     .store
        movzx   eax, ax
        xor     esi, eax
        mov     ebx, ecx
        mov     eax, 1
        int     0x80
        rol     esi, 5
        add     esi, eax
        test    cl, 7
        jnz     .on
        mov     al, cl
        xor     ebx, ebx
        out     0x80, al ; not ours to use: the monitor adds AL to EBX
        add     esi, ebx
        mov     ax, 0x2800 ; a segment register as real mode loads it
        mov     es, ax
.on:    sti
        cli
        dec     ecx
        jnz     .next
        xor     eax, eax
        mov     ebx, esi
        int     0x80
        bits    32
v86_end:

        section .bss
        alignb  4096
        global  windows, seg16_data
windows: resb   2 * 4096
seg16_data: resb 65536
stack_before: resd 1

; SPDX-License-Identifier: MIT
; Workloads: code that changes. It lies in pages that hold nothing else, except where it says so.
%include "bench.inc"

func w_smcimm ; a new constant for every eight calls
.next:  mov     [hot_imm.value + 1], ecx
        mov     ebx, 8
.call:  call    hot_imm
        fold    eax
        dec     ebx
        jnz     .call
        dec     ecx
        jnz     .next
endfunc

func w_smcop ; add, xor, sub, or by turns in the middle of a loop
.next:  mov     eax, ecx
        and     eax, 3
        mov     al, [.opcodes + eax]
        mov     [hot_op.opcode], al
        call    hot_op
        fold    eax
        dec     ecx
        jnz     .next
endfunc
.opcodes: db    0x01, 0x31, 0x29, 0x09 ; with ModR/M D0h: EAX, EDX

; Builds functions of 24 instructions in a buffer of 32 KiB, each where the last ended; calls each
; three times.
func w_smcgen
        mov     esi, 0x5eed5eed
        mov     ebp, arena
.next:  mov     ebx, ebp
        mov     edx, 24
.emit:  xorshift esi, eax
        mov     eax, esi
        and     eax, 3
        movzx   eax, word [.forms + eax * 2]
        mov     [ebx], ax
        mov     [ebx + 2], esi
        add     ebx, 6
        dec     edx
        jnz     .emit
        mov     byte [ebx], 0xc3
        inc     ebx
        mov     edx, 3
.call:  mov     eax, ecx
        call    ebp
        fold    eax
        dec     edx
        jnz     .call
        mov     ebp, ebx
        cmp     ebp, arena + 0x8000 - 256
        jb      .on
        mov     ebp, arena
.on:    dec     ecx
        jnz     .next
endfunc
.forms: db      0x81, 0xc0, 0x81, 0xf0, 0x81, 0xe8, 0x69, 0xc0 ; add, xor, sub, imul EAX, imm32

; An overlay: code A, code B, A again, all equal each time.
func w_smcswap
        mov     ebp, ecx
        xor     edx, edx
.next:  mov     esi, .code_a
        test    ebp, 1
        jz      .copy
        mov     esi, .code_b
.copy:  push    edi
        mov     edi, arena
        mov     ecx, 8
        rep movsd
        pop     edi
        mov     ebx, 6
.call:  mov     eax, ebx
        call    .indirect
        fold    eax
        dec     ebx
        jnz     .call
        dec     ebp
        jnz     .next
endfunc
.indirect:
        mov     ecx, arena
        jmp     ecx
        align   8
.code_a:
        mov     edx, 5
.loop_a: lea    eax, [eax + eax * 4 + 1]
        xor     eax, ebp
        dec     edx
        jnz     .loop_a
        ret
        times   32 - ($ - .code_a) nop
.code_b:
        mov     edx, 3
.loop_b: rol    eax, 7
        add     eax, 0x1234567
        dec     edx
        jnz     .loop_b
        not     eax
        ret
        times   32 - ($ - .code_b) nop

; An instruction and a constant that were never there before, in a loop of ten rounds.
func w_smcfresh
        mov     ebp, 0x5eed5eed
.next:  xorshift ebp, eax
        mov     eax, ebp
        and     eax, 3
        movzx   eax, word [w_smcgen.forms + eax * 2]
        mov     [hot_fresh.insn], ax
        mov     [hot_fresh.insn + 2], ebp
        call    hot_fresh
        fold    eax
        dec     ecx
        jnz     .next
endfunc

func w_smcunpack ; code is written and run by turns, by code in the same page
.next:  call    unpack
        fold    eax
        dec     ecx
        jnz     .next
endfunc

func w_smcdata ; variables between the functions that use them: no code changes
        mov     dword [beside.counter], 0
        mov     dword [beside.table], 0
        mov     dword [beside.table + 4], 0
.next:  call    beside
        fold    eax
        dec     ecx
        jnz     .next
endfunc

func w_smcnext ; the next instruction, and one later in the same straight line
.next:  mov     eax, ecx
        call    hot_next
        fold    eax
        dec     ecx
        jnz     .next
endfunc

func w_smctoggle ; XOR turns ADD into SUB and back, and a memory operand into another
.next:  xor     byte [hot_toggle.opcode], 0x28
        xor     dword [hot_toggle.disp + 2], 4
        call    hot_toggle
        fold    eax
        call    hot_toggle
        fold    eax
        dec     ecx
        jnz     .next
endfunc

func w_smcsame ; the same bytes over the same code, by MOVS and by MOV, and a run of them
        mov     ebp, ecx
.next:  push    edi
        mov     esi, w_smcswap.code_a
        mov     edi, arena
        mov     ecx, 8
        rep movsd
        pop     edi
        mov     eax, ebp
        call    .indirect
        fold    eax
        mov     eax, [w_smcswap.code_a + 4]
        mov     [arena + 4], eax
        mov     ebx, 2
        call    .indirect
        fold    eax
        dec     ebp
        jnz     .next
endfunc
.indirect:
        mov     ecx, arena
        jmp     ecx

        section .data
        align   4096
hot_imm:
.value: mov     eax, 0x12345678
        add     eax, ebx
        imul    eax, eax, 17
        ret
        align   4096
hot_op: mov     eax, ecx
        mov     edx, 0x01234567
        mov     esi, 10
.loop:
.opcode: add    eax, edx
        rol     edx, 3
        dec     esi
        jnz     .loop
        ret
        align   4096
hot_fresh:
        mov     eax, ecx
        mov     edx, 10
.loop:
.insn:  db      0x81, 0xc0 ; add eax, imm32
        dd      0x12345678
        rol     eax, 3
        dec     edx
        jnz     .loop
        ret
        align   4096
unpack: mov     esi, 4
        mov     eax, ecx
.next:  imul    ebx, eax, 0x9e3779b1
        mov     edx, [.packed]
        mov     [.body], edx
        mov     edx, [.packed + 4]
        mov     [.body + 4], edx
        mov     [.body + 8], ebx
        mov     edx, [.packed + 12]
        mov     [.body + 12], edx
        call    .body
        dec     esi
        jnz     .next
        ret
.packed:
        rol     eax, 5
        lea     eax, [eax + eax * 4]
        nop
        db      0x05, 0, 0, 0, 0 ; add eax, imm32: bytes 8 to 11
        ret
        times   16 - ($ - .packed) nop
.body:  times   16 nop
        align   4096
beside: mov     eax, [.counter]
        add     eax, ecx
        mov     [.counter], eax
        and     eax, 1
        add     [.table + eax * 4], ecx
        jmp     .more
.counter: dd    0
.more:  mov     eax, [.table]
        sub     eax, [.table + 4]
        add     eax, [.counter]
        ret
.table: dd      0, 0
        align   4096
hot_next:
        mov     [.imm + 1], al
.imm:   mov     dl, 0
        movzx   edx, dl
        mov     byte [.reg + 1], 0xc2 ; add edx, eax in place of add eax, edx
        add     edx, 0x100
        nop
.reg:   add     eax, edx
        mov     byte [.reg + 1], 0xd0
        add     eax, edx
        ret
        align   4096
hot_toggle:
        mov     eax, ecx
        mov     edx, 4
.loop:
.opcode: add    eax, edx
.disp:  xor     eax, [.data]
        rol     eax, 3
        dec     edx
        jnz     .loop
        ret
        align   8
.data:  dd      0x13579bdf, 0x2468ace0
        align   4096

        section .bss
        alignb  4096
arena:  resb    0x8000

; SPDX-License-Identifier: MIT
; Instructions of every class whose operand lies across the end of a page, one of the two absent: #PF at the
; first byte that is not there, registers and memory as before, and after the page has come the same
; result as without a fault [SDM 3A 6.5 faults, 4.7]. What a bit of a FAIL says: 1 no fault, 2 its CR2, 4 its
; error code, 8 a register, 10h memory had changed, 20h the result differs.
; expect: done
%include "inc/pm.inc"
%include "inc/paging.inc"
        cpu     default

RD      equ 4                           ; error codes: user, not present
WR      equ 6
EITHER  equ 0
AREA    equ NEXT - 512                  ; what is compared: 512 bytes of each page
WANT    equ 0x20000                     ; state without a fault: registers, memory, FXSAVE image
GOT     equ 0x21000
PURE    equ 0x22000                     ; memory before
s_regs  equ 0
s_mem   equ 64
s_fx    equ 64 + 1024 + 64
S_SIZE  equ s_fx + 288                  ; up to XMM7
faults  equ scratch + 0xb0
bad     equ scratch + 0xb4
row     equ scratch + 0xb8
s_ecx   equ scratch + 0xbc              ; CPUID's feature bits

DOWN    equ 16                          ; bytes: the stack grows into the first page, which is absent

; row "name", error, bytes in the first page, ESP (0: the usual), CPUID.1:ECX bits, preparation, instruction
%macro row 7+
[section .data]
%%name: db      %1, 0
__?SECT?__
        dd      %%name, %%end, %2, %3, %4, %5, %6
        %7
        exit3
%%end:
%endmacro
ROW     equ 28                          ; then the instruction

main:   mov     eax, 1
        cpuid
        mov     [s_ecx], ecx
        mov     eax, cr4
        or      eax, 0x600              ; OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        call    paging_on
        mov     esi, rows
.row:   mov     [row], esi
        mov     eax, [esi + 20]
        mov     ecx, [s_ecx]
        and     ecx, eax
        cmp     ecx, eax
        jne     .next                   ; this model has no such instruction
        mov     dword [bad], 0
        mov     edi, WANT
        xor     ebx, ebx
        call    one
        mov     edi, GOT
        mov     ebx, 1
        call    one
        mov     esi, [row]
        cmp     dword [faults], 0
        jne     .state
        or      dword [bad], 1          ; no fault at all
.state: mov     esi, WANT
        mov     edi, GOT
        mov     ecx, S_SIZE / 4
        repe    cmpsd
        je      .report
        or      dword [bad], 0x20       ; another result than without a fault
.report:
        mov     esi, [row]
        push    dword [esi]
        push    dword [bad]
        push    dword 0
        call    check_value
.next:  mov     esi, [row]
        mov     esi, [esi + 4]
        cmp     esi, rows_end
        jb      .row
        jmp     paging_off

; Runs the row once, EBX: with the second page absent; what it leaves goes to EDI.
one:    push    edi
        push    ebx
        window  7, 7
        mov     edi, AREA
        mov     eax, 0x3c1d2e05
        mov     ecx, 256
.fill:  stosd
        add     eax, 0x01030507
        loop    .fill
        fxrstor [start_fx]
        movups  xmm0, [numbers]
        movups  xmm1, [numbers + 16]
        movaps  xmm2, xmm0
        movaps  xmm3, xmm1
        movaps  xmm4, xmm0
        movaps  xmm5, xmm1
        movaps  xmm6, xmm0
        movaps  xmm7, xmm1
        fld     tword [numbers + 32]
        fld1
        mov     esi, [row]
        mov     ebx, NEXT
        sub     ebx, [esi + 12]
        cmp     dword [esi + 24], 0
        je      .ready
        call    [esi + 24]              ; EBX = the operand
.ready: mov     esi, AREA
        mov     edi, PURE
        mov     ecx, 256
        rep     movsd
        mov     dword [faults], 0
        cmp     dword [esp], 0
        je      .mapped
        mov     esi, [row]
        cmp     dword [esi + 12], DOWN
        je      .down
        window  7, 0
        jmp     .mapped
.down:  window  0, 7
.mapped:
        try
        mov     dword [hook], on_fault
        mov     esi, [row]
        push    dword DS3
        pop     ds
        push    dword DS3
        pop     es
        push    dword DS3
        mov     eax, [esi + 16]
        test    eax, eax
        jnz     .stack
        mov     eax, STACK3
.stack: push    eax
        mov     [start_esp], eax
        push    dword 2
        push    dword CS3
        add     esi, ROW
        push    esi
        mov     ebp, ebx
        mov     esi, ebx
        mov     edi, ebx
        mov     eax, 2
        mov     ecx, 3
        xor     edx, edx
        iretd
        endcase
        window  7, 7
        pop     ebx
        pop     edi
        fxsave  [fx]
        mov     esi, got_edi
        mov     ecx, 8
        rep     movsd
        mov     eax, [got_esp]
        stosd
        mov     eax, [got_efl]
        and     eax, 0xcd5              ; not what BOUND and others leave alone
        stosd
        mov     eax, [got_vec]
        stosd
        mov     eax, [got_es]
        stosd
        mov     eax, [got_fs]
        stosd
        mov     eax, [got_gs]
        stosd
        add     edi, s_mem - 14 * 4
        mov     esi, AREA
        mov     ecx, 256
        rep     movsd
        add     edi, s_fx - s_mem - 1024
        mov     esi, fx
        mov     ecx, 288 / 4
        rep     movsd
        ret

; The first page fault: is all as it was? Then the page comes.
on_fault:
        cmp     dword [got_vec], PF
        je      .page
        mov     dword [hook], 0
        jmp     abort
.page:  inc     dword [faults]
        cmp     dword [faults], 1
        jne     .map
        mov     esi, [row]
        mov     eax, NEXT
        cmp     dword [esi + 12], DOWN
        jne     .next
        mov     eax, NEXT - 4
.next:  cmp     [got_cr2], eax
        je      .cr2
        or      dword [bad], 2
.cr2:   mov     eax, [esi + 8]
        test    eax, eax                ; EITHER
        jz      .error
        cmp     [got_err], eax
        je      .error
        or      dword [bad], 4
.error: mov     ebx, NEXT
        sub     ebx, [esi + 12]
        mov     ecx, [start_esp]
        cmp     [got_ebx], ebx
        jne     .changed
        cmp     [got_ebp], ebx
        jne     .changed
        cmp     [got_esi], ebx
        jne     .changed
        cmp     [got_edi], ebx
        jne     .changed
        cmp     [got_esp], ecx
        jne     .changed
        cmp     dword [got_eax], 2
        jne     .changed
        cmp     dword [got_ecx], 3
        jne     .changed
        cmp     dword [got_edx], 0
        je      .memory
.changed:
        or      dword [bad], 8
.memory:
        mov     dword [PTE_L], L | 7
        invlpg  [L]
        mov     esi, AREA
        mov     edi, PURE
        mov     ecx, 512 / 4
        repe    cmpsd
        je      .map
        or      dword [bad], 0x10
.map:   mov     dword [PTE_N], NEXT | 7
        invlpg  [NEXT]
        ret

; Preparations: EBX = the operand
flat3:  mov     word [ebx], DS3
        ret
pointer:                                ; 16:32
        mov     dword [ebx], 0x1234
        mov     word [ebx + 4], DS3
        ret
near_target:
        mov     dword [ebx], arrived
        ret
far_target:
        mov     dword [ebx], arrived
        mov     dword [ebx + 4], CS3
        mov     dword [ebx + 8], 0x8d7  ; of IRET
        ret
arrived:
        exit3
flags:  mov     dword [ebx], 0x8d7
        ret
bounds: mov     dword [ebx], 0
        mov     dword [ebx + 4], 100
        ret
digits: mov     dword [ebx], 0x12345678
        mov     dword [ebx + 4], 0x90123456
        mov     word [ebx + 8], 0x8078
        ret
number: fld     tword [numbers + 32]
        fstp    tword [ebx]
        ret
double: mov     dword [ebx], 0x54442d18
        mov     dword [ebx + 4], 0x400921fb
        ret
single: mov     dword [ebx], 0x40490fdb
        ret
control:
        mov     word [ebx], 0x27f
        ret
mxcsr_: mov     dword [ebx], 0x3f80
        ret
env:    fnstenv [ebx]
        ret
state:  fnsave  [ebx]
        fld1
        fld1
        ret
image:  fxsave  [ebx]
        fninit
        ret

%macro copies 0
        row     "mov r, m", RD, 2, 0, 0, 0, mov eax, [ebx]
        row     "mov r16, m", RD, 1, 0, 0, 0, mov ax, [ebx]
        row     "mov m, r", WR, 3, 0, 0, 0, mov [ebx], edx
        row     "mov m, i", WR, 1, 0, 0, 0, mov dword [ebx], 0x55667788
        row     "movzx", RD, 1, 0, 0, 0, movzx eax, word [ebx]
        row     "movsx", RD, 1, 0, 0, 0, movsx eax, word [ebx]
        row     "cmov", RD, 2, 0, 0, 0, cmovnz eax, [ebx]
        row     "cmov, not taken", RD, 2, 0, 0, 0, cmovz eax, [ebx]
        row     "setcc", WR, 0, 0, 0, 0, setnz [ebx]
        row     "xchg", WR, 2, 0, 0, 0, xchg eax, [ebx]
        row     "xlat", RD, 2, 0, 0, 0, xlatb
        row     "add m, r", WR, 2, 0, 0, 0, add [ebx], eax
        row     "add r, m", RD, 2, 0, 0, 0, add eax, [ebx]
        row     "adc m, i", WR, 2, 0, 0, 0, adc dword [ebx], 0x1234567
        row     "lock sub", WR, 2, 0, 0, 0, lock sub [ebx], eax
        row     "cmp m, r", RD, 2, 0, 0, 0, cmp [ebx], eax
        row     "test", RD, 2, 0, 0, 0, test [ebx], eax
        row     "inc", WR, 2, 0, 0, 0, inc dword [ebx]
        row     "not", WR, 2, 0, 0, 0, not dword [ebx]
        row     "neg", WR, 1, 0, 0, 0, neg word [ebx]
        row     "mul", RD, 2, 0, 0, 0, mul dword [ebx]
        row     "imul", RD, 2, 0, 0, 0, imul eax, [ebx], 77
        row     "div", RD, 2, 0, 0, 0, div dword [ebx]
        row     "shl", WR, 2, 0, 0, 0, shl dword [ebx], 3
        row     "rcr", WR, 2, 0, 0, 0, rcr dword [ebx], cl
        row     "shld", WR, 2, 0, 0, 0, shld [ebx], eax, cl
        row     "bt", RD, 2, 0, 0, 0, bt [ebx], ecx
        row     "bts", WR, 2, 0, 0, 0, bts [ebx], ecx
        row     "bsf", RD, 2, 0, 0, 0, bsf eax, [ebx]
        row     "cmpxchg", WR, 2, 0, 0, 0, cmpxchg [ebx], ecx
        row     "xadd", WR, 2, 0, 0, 0, xadd [ebx], eax
        row     "cmpxchg8b", WR, 3, 0, 0, 0, cmpxchg8b [ebx]
        row     "cmpxchg8b in the second half", WR, 6, 0, 0, 0, cmpxchg8b [ebx]
        row     "bound", RD, 4, 0, 0, bounds, bound eax, [ebx]
        row     "arpl", EITHER, 1, 0, 0, 0, arpl [ebx], cx
        row     "lodsd", RD, 2, 0, 0, 0, lodsd
        row     "stosd", WR, 2, 0, 0, 0, stosd
        row     "scasd", RD, 2, 0, 0, 0, scasd
%endmacro
%macro stacks 0
        row     "push m", RD, 2, 0, 0, 0, push dword [ebx]
        row     "pop m", WR, 2, 0, 0, 0, pop dword [ebx]
        row     "push", WR, 2, NEXT + 2, 0, 0, push eax
        row     "push i", WR, 2, NEXT + 2, 0, 0, push dword 0x12345678
        row     "pushad", WR, 2, NEXT + 2, 0, 0, pushad
        row     "pushad half-way", WR, DOWN, NEXT + 16, 0, 0, pushad
        row     "pushfd", WR, 2, NEXT + 2, 0, 0, pushfd
        row     "push fs", WR, 1, NEXT + 1, 0, 0, o16 push fs
        row     "pop", RD, 2, NEXT - 2, 0, 0, pop eax
        row     "popad", RD, 10, NEXT - 10, 0, 0, popad
        row     "popfd", RD, 2, NEXT - 2, 0, flags, popfd
        row     "pop gs", RD, 1, NEXT - 1, 0, flat3, o16 pop gs
        row     "enter", WR, 2, NEXT + 2, 0, 0, enter 8, 0
        row     "enter with two levels", WR, 2, NEXT + 2, 0, 0, enter 8, 2
        row     "leave", RD, 2, 0, 0, 0, leave
        row     "call", WR, 2, NEXT + 2, 0, 0, call arrived
        row     "call m", RD, 2, 0, 0, near_target, call [ebx]
        row     "call far", WR, 2, NEXT + 2, 0, 0, call CS3:arrived
        row     "call far half-way", WR, DOWN, NEXT + 4, 0, 0, call CS3:arrived
        row     "enter half-way", WR, DOWN, NEXT + 4, 0, 0, enter 8, 1
        row     "enter: the space it reserves", WR, DOWN, NEXT + 4, 0, 0, enter 4, 0
        row     "call far m", RD, 3, 0, 0, far_target, call far [ebx]
        row     "jmp m", RD, 2, 0, 0, near_target, jmp [ebx]
        row     "jmp far m", RD, 4, 0, 0, far_target, jmp far [ebx]
        row     "ret", RD, 2, NEXT - 2, 0, near_target, ret
        row     "ret 8", RD, 2, NEXT - 2, 0, near_target, ret 8
        row     "retf", RD, 2, NEXT - 2, 0, far_target, retf
        row     "retf, CS's slot", RD, 4, NEXT - 4, 0, far_target, retf
        row     "iretd", RD, 2, NEXT - 2, 0, far_target, iretd
        row     "iretd, CS's slot", RD, 5, NEXT - 5, 0, far_target, iretd
        row     "iretd, EFLAGS' slot", RD, 8, NEXT - 8, 0, far_target, iretd
%endmacro
%macro systems 0
        row     "mov gs, m", RD, 1, 0, 0, flat3, mov gs, [ebx]
        row     "mov m, ds", WR, 1, 0, 0, 0, mov [ebx], ds
        row     "les", RD, 3, 0, 0, pointer, les eax, [ebx]
        row     "lgs, the selector", RD, 4, 0, 0, pointer, lgs eax, [ebx]
        row     "lss", RD, 5, 0, 0, pointer, lss eax, [ebx]
        row     "lar", RD, 1, 0, 0, flat3, lar eax, [ebx]
        row     "lsl", RD, 1, 0, 0, flat3, lsl eax, [ebx]
        row     "verr", RD, 1, 0, 0, flat3, verr [ebx]
        row     "verw", RD, 1, 0, 0, flat3, verw [ebx]
        row     "sgdt", WR, 2, 0, 0, 0, sgdt [ebx]
        row     "sidt", WR, 4, 0, 0, 0, sidt [ebx]
        row     "sldt", WR, 1, 0, 0, 0, sldt [ebx]
        row     "str", WR, 1, 0, 0, 0, str [ebx]
        row     "smsw", WR, 1, 0, 0, 0, smsw [ebx]
%endmacro
%macro floats 0
        row     "fld dword", RD, 2, 0, 0, single, fld dword [ebx]
        row     "fld qword", RD, 7, 0, 0, double, fld qword [ebx]
        row     "fld tword", RD, 9, 0, 0, number, fld tword [ebx]
        row     "fild word", RD, 1, 0, 0, 0, fild word [ebx]
        row     "fild qword", RD, 3, 0, 0, 0, fild qword [ebx]
        row     "fbld", RD, 5, 0, 0, digits, fbld [ebx]
        row     "fadd dword", RD, 2, 0, 0, single, fadd dword [ebx]
        row     "fidivr", RD, 2, 0, 0, 0, fidivr dword [ebx]
        row     "fcomp qword", RD, 2, 0, 0, double, fcomp qword [ebx]
        row     "fst dword", WR, 2, 0, 0, 0, fst dword [ebx]
        row     "fstp qword", WR, 2, 0, 0, 0, fstp qword [ebx]
        row     "fstp tword", WR, 8, 0, 0, 0, fstp tword [ebx]
        row     "fist", WR, 1, 0, 0, 0, fist word [ebx]
        row     "fistp qword", WR, 1, 0, 0, 0, fistp qword [ebx]
        row     "fbstp", WR, 4, 0, 0, 0, fbstp [ebx]
        row     "fnstcw", WR, 1, 0, 0, 0, fnstcw [ebx]
        row     "fldcw", RD, 1, 0, 0, control, fldcw [ebx]
        row     "fnstsw", WR, 1, 0, 0, 0, fnstsw [ebx]
        row     "fnstenv", WR, 14, 0, 0, 0, fnstenv [ebx]
        row     "fldenv", RD, 14, 0, 0, env, fldenv [ebx]
        row     "fnsave", WR, 60, 0, 0, 0, fnsave [ebx]
        row     "frstor", RD, 60, 0, 0, state, frstor [ebx]
        row     "fxsave", WR, 256, 0, 0, 0, fxsave [ebx]
        row     "fxrstor", RD, 256, 0, 0, image, fxrstor [ebx]
%endmacro
%macro vectors 0
        row     "movd mm", RD, 2, 0, 0, 0, movd mm0, [ebx]
        row     "movq mm", RD, 2, 0, 0, 0, movq mm0, [ebx]
        row     "movq m, mm", WR, 2, 0, 0, 0, movq [ebx], mm0
        row     "paddb mm", RD, 2, 0, 0, 0, paddb mm1, [ebx]
        row     "movntq", WR, 4, 0, 0, 0, movntq [ebx], mm1
        row     "movups", RD, 9, 0, 0, 0, movups xmm0, [ebx]
        row     "movups m", WR, 9, 0, 0, 0, movups [ebx], xmm0
        row     "movdqu", RD, 4, 0, 0, 0, movdqu xmm0, [ebx]
        row     "movaps", RD, 0, 0, 0, 0, movaps xmm0, [ebx]
        row     "movaps m", WR, 0, 0, 0, 0, movaps [ebx], xmm0
        row     "movss", RD, 2, 0, 0, 0, movss xmm0, [ebx]
        row     "movsd m", WR, 2, 0, 0, 0, movsd [ebx], xmm0
        row     "movhps", RD, 2, 0, 0, 0, movhps xmm0, [ebx]
        row     "movlps m", WR, 2, 0, 0, 0, movlps [ebx], xmm0
        row     "addss", RD, 2, 0, 0, single, addss xmm0, [ebx]
        row     "mulsd", RD, 2, 0, 0, double, mulsd xmm0, [ebx]
        row     "addps", RD, 0, 0, 0, single, addps xmm0, [ebx]
        row     "cvtsi2sd", RD, 2, 0, 0, 0, cvtsi2sd xmm0, [ebx]
        row     "cvttsd2si", RD, 2, 0, 0, double, cvttsd2si eax, [ebx]
        row     "cvtpi2ps", RD, 2, 0, 0, 0, cvtpi2ps xmm0, [ebx]
        row     "ucomiss", RD, 2, 0, 0, single, ucomiss xmm0, [ebx]
        row     "pinsrw", RD, 1, 0, 0, 0, pinsrw xmm0, [ebx], 5
        row     "maskmovdqu", WR, 8, 0, 0, 0, maskmovdqu xmm0, xmm1
        row     "stmxcsr", WR, 2, 0, 0, 0, stmxcsr [ebx]
        row     "ldmxcsr", RD, 2, 0, 0, mxcsr_, ldmxcsr [ebx]
        row     "lddqu", RD, 4, 0, 1, 0, lddqu xmm0, [ebx]
        row     "fisttp", WR, 4, 0, 1, 0, fisttp qword [ebx]
        row     "pshufb", RD, 0, 0, 0x200, 0, pshufb xmm0, [ebx]
        row     "pmovzxbw", RD, 3, 0, 0x80000, 0, pmovzxbw xmm0, [ebx]
        row     "pextrd", WR, 2, 0, 0x80000, 0, pextrd [ebx], xmm0, 1
        row     "crc32", RD, 2, 0, 0x100000, 0, crc32 eax, dword [ebx]
        row     "pcmpistri", RD, 9, 0, 0x100000, 0, pcmpistri xmm0, [ebx], 8
        row     "popcnt", RD, 2, 0, 0x800000, 0, popcnt eax, [ebx]
        row     "movbe", WR, 2, 0, 0x400000, 0, movbe [ebx], eax
        row     "aesenc", RD, 0, 0, 0x2000000, 0, aesenc xmm0, [ebx]
%endmacro
rows:
        copies
        stacks
        systems
        floats
        vectors
rows_end:

section .data
        align   16, db 0
fx:     times   512 db 0
numbers:
        dd      0x3f800000, 0xc0400000, 0x42c80000, 0x3e99999a
        dd      0x40800000, 0x80818283, 0x41200000, 0xbf000000
        dq      0xc90fdaa22168c235
        dw      0x4000
        align   16, db 0
start_fx:
        dd      0x37f, 0, 0, 0, 0, 0, 0x1f80, 0
        times   480 db 0
start_esp: dd   0
section .text
%include "inc/end.inc"

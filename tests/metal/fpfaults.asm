; SPDX-License-Identifier: MIT
; Exceptions of x87, MMX and SSE instructions in code that runs often: where they come, what has
; happened by then, and that every round is like the first [SDM 1 8.6, 11.5; SDM 3A 2.5].
; expect: done
%include "inc/pm.inc"

ROUNDS  equ 40
left    equ scratch
seen    equ scratch + 4                 ; what a body saw
taken   equ scratch + 8                 ; by a handler
cw      equ scratch + 12
bogus   equ scratch + 16
number  equ scratch + 20
image   equ 0x20000                     ; FNSAVE and more, of this round
first   equ 0x20200                     ; of the first
IMAGE   equ 160                         ; bytes: FNSAVE 108, MXCSR at 112, XMM0 at 128
stored  equ 0x20400                     ; what a body stores into
areas   equ 0x20800                     ; two of FXSAVE

main:   mov     dword [c_differ], 0
        mov     eax, cr4
        or      ax, 0x600               ; OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, cr0
        or      al, 2                   ; MP
        mov     cr0, eax
        call    x87_kinds
        call    x87_waiting
        call    x87_again
        call    x87_interrupt
        call    sse_kinds
        call    sse_forbidden
        call    switches
        ret

%macro want 3                           ; id, got, want
        mov     ebx, %1
        mov     eax, %2
        mov     edx, %3
        call    compare
%endmacro

; hot "name", body, vector, EIP or 0, ECX: the same every time
%macro hot 5
        mov     dword [left], ROUNDS
%%again:
        mov     dword [seen], 0
        try
        call    %2
        endcase
        call    keep
        want    1, [got_vec], %3
%if (%3) != NONE
        want    2, [got_eip], %4
%endif
        want    3, [got_ecx], %5
        call    as_first
        dec     dword [left]
        jnz     %%again
        sweep_done %1
%endmacro

; The units' state; then both are as FNINIT leaves them.
keep:   clts
        fnsave  [image]
        stmxcsr [image + 112]
        movups  [image + 128], xmm0
        push    dword 0x1f80
        ldmxcsr [esp]
        pop     eax
        ret

; The image, and what the body stored, as in the first round
as_first:
        cmp     dword [left], ROUNDS
        jne     .compare
        mov     esi, image
        mov     edi, first
        mov     ecx, IMAGE / 4
        rep     movsd
        mov     esi, stored
        mov     ecx, 4
        rep     movsd
.compare:
        xor     ecx, ecx
.next:  mov     eax, [image + ecx]
        mov     edx, [first + ecx]
        lea     ebx, [ecx + 0x100]
        call    compare
        add     ecx, 4
        cmp     ecx, IMAGE
        jb      .next
        xor     ecx, ecx
.cell:  mov     eax, [stored + ecx]
        mov     edx, [first + IMAGE + ecx]
        lea     ebx, [ecx + 0x200]
        call    compare
        add     ecx, 4
        cmp     ecx, 16
        jb      .cell
        ret

; --- x87: every exception; it is told at the next waiting instruction ---

[section .data]
        align   8, db 0
one:    dq      1.0
zero:   dq      0.0
three:  dq      3.0
minus:  dq      -1.0
huge:   dq      1.0e300
large:  dq      30000.0
small:  dq      -30000.0
tiny:   dq      1                       ; a denormal
snan:   dd      0x7fa00000
__?SECT?__

; Two numbers; or as many as there is room for
%macro pair 3
%1:     fld     qword [%2]
        fld     qword [%3]
        ret
%endmacro
        pair    zero_one, one, zero
        pair    one_three, one, three
        pair    one_minus, one, minus
        pair    one_huge, one, huge
        pair    large_one, large, one
        pair    small_one, small, one
full:   mov     eax, 8
.next:  fld1
        dec     eax
        jnz     .next
        ret

; raising label, flag to unmask, setup, instruction: that is label.op, the one that faults label.at
%macro raising 4+
%1:     fninit
        mov     word [cw], 0x37f - (%2)
        mov     dword [stored], 0x5a5a5a5a
        fldcw   [cw]
        xor     ecx, ecx
        call    %3                      ; a block begins with the exception not masked
        inc     ecx
        fxch    st0, st1
        fxch    st0, st1
        inc     ecx
.op:    %4
        inc     ecx
        fnstsw  ax                      ; does not wait
        mov     [seen], eax
        inc     ecx
        fnstcw  [cw]                    ; nor does this
        inc     ecx
.at:    fwait
        inc     ecx
        ret
%endmacro
%macro by_environment 2                 ; label, flag: FLDENV unmasks it, and code goes on
%1:     fninit
        call    zero_one
        fnstenv [image]
        and     byte [image], ~(%2)
        mov     dword [stored], 0x5a5a5a5a
        xor     ecx, ecx
        inc     ecx
        fldenv  [image]
        fxch
        fxch
        inc     ecx
        jmp     .on
.on:    inc     ecx
.op:    fdivp
        fnstsw  ax
        mov     [seen], eax
        inc     ecx
        jmp     .next
.next:  inc     ecx
.at:    fwait
        inc     ecx
        ret
%endmacro
        by_environment environment, 4
; An exception that FLDENV brings along
pending:
        fninit
        call    zero_one
        fnstenv [image]
        and     byte [image], ~4
        or      byte [image + 4], 4
        xor     ecx, ecx
        inc     ecx
        fldenv  [image]
        inc     ecx
        fnstsw  ax
        mov     [seen], eax
.at:    fxch
        inc     ecx
        ret
; FLDCW: another rounding, the same masks; then the exception; then nothing is unmasked
control:
        fninit
        mov     word [cw], 0x37b
        fldcw   [cw]
        xor     ecx, ecx
        call    one_three
        fdivr   st0, st1
        mov     word [cw], 0xf7b
        fldcw   [cw]
        fistp   dword [stored]
        inc     ecx
        mov     word [cw], 0xf7f
        fldcw   [cw]
        fldz
        fdivp
        mov     word [cw], 0xf7b
        fldcw   [cw]                    ; from here on it is pending
        fnstsw  ax
        mov     [seen], eax
        inc     ecx
.at:    fld1
        inc     ecx
        ret
        raising zero_divide, 4, zero_one, fdivp
        raising invalid, 1, one_minus, fsqrt
        raising denormal, 2, one_three, fadd qword [tiny]
        raising overflow, 8, large_one, fscale
        raising underflow, 0x10, small_one, fscale
        raising precision, 0x20, one_three, fdivp
        raising narrow, 8, one_huge, fstp dword [stored]
        raising no_integer, 1, one_huge, fistp dword [stored]
        raising signalling, 1, one_three, fld dword [snan]
        raising empty, 1, one_three, fadd st0, st5
        raising nothing, 1, one_three, fstp st7
        raising too_many, 1, full, fld1
        raising function, 1, one_minus, fyl2x
        raising inexact, 0x20, one_three, f2xm1
        raising unordered, 1, one_three, fcomp dword [snan]

; flags: those of the status word that must be set
%macro kind 3
        hot     %1, %2, MF, %2.at, 5
        mov     eax, [image + 4]
        and     eax, 0xff
        check   {%1, ": flags"}, eax, %3
        mov     eax, [seen]
        and     eax, 0x80ff
        check   {%1, ": FNSTSW"}, eax, 0x8000 | %3
        check   {%1, ": FIP"}, [image + 12], %2.op
%endmacro

x87_kinds:
        kind    "zero divide", zero_divide, 0x84
        kind    "invalid", invalid, 0x81
        kind    "denormal", denormal, 0x82
        kind    "overflow", overflow, 0x88
        kind    "underflow", underflow, 0x90
        kind    "precision", precision, 0xa0
        kind    "overflow of a store", narrow, 0x88
        check   "overflow of a store: nothing stored", [stored], 0x5a5a5a5a
        kind    "no integer", no_integer, 0x81
        check   "no integer: nothing stored", [stored], 0x5a5a5a5a
        kind    "signalling NaN", signalling, 0x81
        kind    "stack underflow", empty, 0xc1
        kind    "stack overflow", too_many, 0xc1
        kind    "function", function, 0x81
        kind    "inexact function", inexact, 0xa0
        kind    "comparison", unordered, 0x81
        kind    "FLDENV unmasks", environment, 0x84
        hot     "FLDENV brings it along", pending, MF, pending.at, 2
        hot     "FLDCW: masked and unmasked", control, MF, control.at, 2
        mov     eax, [seen]
        and     eax, 0x80ff
        check   "FLDCW: FNSTSW", eax, 0x80a4
        hot     "no exception", nothing, NONE, 0, 6
        ret

; --- which instructions wait ---

; waits label, instruction: label.at is it, after a division by zero
%macro waits 2+
%1:     fninit
        mov     word [cw], 0x37b
        fldcw   [cw]
        xor     ecx, ecx
        call    zero_one
        inc     ecx
        fdivp
        inc     ecx
.at:    %2
        inc     ecx
        ret
%endmacro
        waits   w_fld, fld qword [one]
        waits   w_fst, fst qword [stored]
        waits   w_fxch, fxch
        waits   w_fnop, fnop
        waits   w_ffree, ffree st0
        waits   w_fincstp, fincstp
        waits   w_fcomi, fcomi st0, st0
        waits   w_fcmov, fcmove st0, st1
        waits   w_fsin, fsin
        waits   w_fldcw, fldcw [cw]
        waits   w_fldenv, fldenv [image]
        waits   w_frstor, frstor [image]
        waits   w_fbld, fbld [image]
        waits   w_movq, movq mm0, mm1
        waits   w_paddb, paddb mm0, [one]
        waits   w_emms, emms
        waits   w_cvt, cvtpi2ps xmm0, mm0
        waits   n_fnstsw, fnstsw ax
        waits   n_fnstswm, fnstsw [cw]
        waits   n_fnstcw, fnstcw [cw]
        waits   n_fnclex, fnclex
        waits   n_fninit, fninit
        waits   n_fnstenv, fnstenv [image]
        waits   n_fnsave, fnsave [image]
        waits   n_fxsave, fxsave [areas]
        waits   n_movaps, movaps xmm0, xmm1
        waits   n_addss, addss xmm0, xmm0
%macro waiting 1-*
%rep %0
%defstr name_of %1
        hot     name_of, %1, MF, %1.at, 2
%rotate 1
%endrep
%endmacro
%macro not_waiting 1-*
%rep %0
%defstr name_of %1
        hot     name_of, %1, NONE, 0, 3
%rotate 1
%endrep
%endmacro

x87_waiting:
        waiting w_fld, w_fst, w_fxch, w_fnop, w_ffree, w_fincstp, w_fcomi, w_fcmov, w_fsin
        waiting w_fldcw, w_fldenv, w_frstor, w_fbld, w_movq, w_paddb, w_emms, w_cvt
        not_waiting n_fnstsw, n_fnstswm, n_fnstcw, n_fnclex, n_fninit, n_fnstenv, n_fnsave
        not_waiting n_fxsave, n_movaps, n_addss
        ret

; --- a handler that clears the exception and goes on ---

clear:  inc     dword [taken]
        mov     eax, [esp + 4 + 40]     ; EIP
        cmp     eax, divisions.at
        jne     .out
        fnclex
.out:   ret

; ECX divisions by zero in one loop: ESI counts what came behind each
divisions:
        fninit
        mov     word [cw], 0x37b
        fldcw   [cw]
        xor     esi, esi
.next:  fld     qword [one]
        fdiv    qword [zero]
        inc     esi
.at:    fstp    st0
        inc     esi
        dec     ecx
        jnz     .next
        ret

x87_again:
        mov     dword [taken], 0
        case    "a handler of #MF returns", NONE, 0
        mov     dword [hook], clear
        mov     ecx, 200
        call    divisions
        endcase
        check   "a handler of #MF returns: times", [taken], 200
        check   "a handler of #MF returns: the others", [got_esi], 400
        fninit
        ret

; --- without CR0.NE: IRQ 13 before the instruction behind the one that raised it ---

note:   inc     dword [taken]
        mov     eax, [esp + 4 + 40]     ; EIP
        mov     [seen], eax
        out     0xf0, al
        fnclex
        mov     al, 0x20
        out     0xa0, al
        out     0x20, al
        ret

interrupted:
        fninit
        mov     word [cw], 0x37b
        fldcw   [cw]
        xor     ecx, ecx
        call    zero_one
        inc     ecx
        fdivp
.at:    inc     ecx
        inc     ecx
        fwait
        fld1
        inc     ecx
        ret

x87_interrupt:
        mov     al, 0x11                ; vectors 50h and 58h, only IRQ 2 and 13 on
        out     0x20, al
        out     0xa0, al
        mov     al, 0x50
        out     0x21, al
        mov     al, 0x58
        out     0xa1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xa1, al
        mov     al, 1
        out     0x21, al
        out     0xa1, al
        mov     al, 0xfb
        out     0x21, al
        mov     al, 0xdf
        out     0xa1, al
        mov     eax, cr0
        and     al, ~0x20
        mov     cr0, eax
        mov     dword [left], ROUNDS
.next:  mov     dword [taken], 0
        mov     dword [seen], 0
        try
        mov     dword [hook], note
        sti
        call    interrupted
        cli
        endcase
        call    keep
        want    1, [got_vec], NONE
        want    2, [taken], 1
        want    3, [got_ecx], 4
        want    4, [seen], interrupted.at
        call    as_first
        dec     dword [left]
        jnz     .next
        sweep_done "IRQ 13"
        mov     eax, cr0
        or      al, 0x20
        mov     cr0, eax
        mov     al, 0xff
        out     0x21, al
        out     0xa1, al
        ret

; --- SSE: every exception, at the instruction itself, which leaves its destination alone ---

[section .data]
        align   16, db 0
singles:
        dd      1.0, 2.0, 3.0, 4.0
nulls:  dd      0, 0, 0, 0
one_of: dd      1.0, 0, 1.0, 1.0        ; a zero in one lane
nans:   dd      0x7fc00000, 1.0, 0x7fa00000, 1.0
larges: dd      0x7f000000, 0x7f000000, 0x7f000000, 0x7f000000
smalls: dd      0x00800000, 0x00800000, 0x00800000, 0x00800000
denorms:
        dd      1, 1, 1, 1
threes: dd      3.0, 3.0, 3.0, 3.0
doubles:
        dq      1.0e300, 1.0e300
__?SECT?__

; xm label, bits to unmask, what XMM0 is, what XMM1 is, instruction: label.at
%macro xm 5+
%1:     movaps  xmm0, [%3]
        movaps  xmm1, [%4]
        mov     dword [cw], 0x1f80 & ~((%2) << 7)
        mov     dword [stored], 0x5a5a5a5a
        ldmxcsr [cw]
        xor     ecx, ecx
        jmp     .in
.in:    inc     ecx
        movaps  xmm2, xmm0
        pxor    xmm3, xmm3
        inc     ecx
.at:    %5
        inc     ecx
        movaps  xmm0, xmm3
        ret
%endmacro
        xm      x_invalid, 1, nulls, nulls, divps xmm0, xmm1
        xm      x_zero, 4, singles, one_of, divps xmm0, xmm1
        xm      x_denormal, 2, singles, denorms, addss xmm0, xmm1
        xm      x_overflow, 8, larges, larges, mulps xmm0, xmm1
        xm      x_underflow, 0x10, smalls, smalls, mulss xmm0, xmm1
        xm      x_precision, 0x20, singles, threes, divss xmm0, xmm1
        xm      x_memory, 8, larges, larges, addps xmm0, [larges]
        xm      x_double, 8, doubles, doubles, mulpd xmm0, xmm1
        xm      x_comiss, 1, singles, nans, comiss xmm0, xmm1
        xm      x_cmp, 1, singles, nans, cmpltps xmm0, xmm1
        xm      x_max, 1, singles, nans, maxss xmm0, xmm1
        xm      x_cvt, 1, singles, larges, cvttss2si eax, xmm1
        xm      x_narrow, 8, singles, doubles, cvtsd2ss xmm0, xmm1
        xm      x_wide, 1, singles, nans, cvtps2pd xmm0, [nans + 8]
        xm      x_root, 0x20, threes, threes, sqrtss xmm0, xmm1
        xm      x_fine, 0x1f, singles, threes, divps xmm0, xmm1
        xm      x_quiet, 1, singles, nans, ucomiss xmm0, xmm1
        xm      x_ldmxcsr, 0, singles, nans, ldmxcsr [bogus]

%macro sse_kind 3
        hot     %1, %2, 19, %2.at, 2
        check   {%1, ": flags"}, [image + 112], %3
%endmacro

sse_kinds:
        sse_kind "#XM: invalid", x_invalid, 0x1f01
        sse_kind "#XM: zero divide", x_zero, 0x1d84
        sse_kind "#XM: denormal", x_denormal, 0x1e82
        sse_kind "#XM: overflow", x_overflow, 0x1b88
        sse_kind "#XM: underflow", x_underflow, 0x1790
        sse_kind "#XM: precision", x_precision, 0x0fa0
        sse_kind "#XM: memory", x_memory, 0x1b88
        sse_kind "#XM: doubles", x_double, 0x1ba8
        sse_kind "#XM: comiss", x_comiss, 0x1f01
        sse_kind "#XM: cmpltps", x_cmp, 0x1f01
        sse_kind "#XM: maxss", x_max, 0x1f01
        sse_kind "#XM: cvttss2si", x_cvt, 0x1f01
        sse_kind "#XM: cvtsd2ss", x_narrow, 0x1ba8
        sse_kind "#XM: cvtps2pd", x_wide, 0x1f01
        sse_kind "#XM: sqrtss", x_root, 0x0fa0
        hot     "no #XM: precision is masked", x_fine, NONE, 0, 3
        hot     "no #XM: quiet NaN", x_quiet, NONE, 0, 3
        mov     dword [bogus], 0x11f80
        hot     "ldmxcsr: reserved bits", x_ldmxcsr, GP, x_ldmxcsr.at, 2
        mov     eax, cr4
        and     ax, 0xfbff
        mov     cr4, eax
        hot     "#UD without OSXMMEXCPT", x_zero, UD, x_zero.at, 2
        hot     "#UD without OSXMMEXCPT: comiss", x_comiss, UD, x_comiss.at, 2
        hot     "no #UD without OSXMMEXCPT", x_fine, NONE, 0, 3
        mov     eax, cr4
        or      ax, 0x400
        mov     cr4, eax
        ret

; --- what CR0 and CR4 forbid ---

[section .data]
bits_of_cr0: dd 0
__?SECT?__

; forbidden label, instruction: label.at, with CR0 as bits_of_cr0 has it
%macro forbidden 2+
%1:     fninit
        fld1
        movaps  xmm0, [singles]
        xor     ecx, ecx
        mov     eax, cr0
        or      eax, [bits_of_cr0]
        mov     cr0, eax
        jmp     .in
.in:    inc     ecx
        inc     ecx
.at:    %2
        inc     ecx
        ret
%endmacro
        forbidden f_x87, fadd st0, st0
        forbidden f_wait, fwait
        forbidden f_mmx, paddb mm0, mm1
        forbidden f_sse, addps xmm0, xmm0
        forbidden f_xor, pxor xmm0, xmm0

; hot, with CR0 as it was after each round
%macro with 5
        mov     dword [bits_of_cr0], %2
        mov     dword [left], ROUNDS
%%again:
        try
        call    %3
        endcase
        mov     eax, cr0
        and     al, ~12
        mov     cr0, eax
        call    keep
        want    1, [got_vec], %4
        want    2, [got_eip], %5
        want    3, [got_ecx], 2
        call    as_first
        dec     dword [left]
        jnz     %%again
        sweep_done %1
%endmacro

sse_forbidden:
        with    "TS: fadd", 8, f_x87, NM, f_x87.at
        with    "TS: wait", 8, f_wait, NM, f_wait.at
        with    "TS: paddb", 8, f_mmx, NM, f_mmx.at
        with    "TS: addps", 8, f_sse, NM, f_sse.at
        with    "TS: pxor", 8, f_xor, NM, f_xor.at
        with    "EM: fadd", 4, f_x87, NM, f_x87.at
        with    "EM: paddb", 4, f_mmx, UD, f_mmx.at
        with    "EM: addps", 4, f_sse, UD, f_sse.at
        ret

; --- two programs that take turns, and the state follows at #NM ---

owner   equ bogus                       ; whose state the units have: 0 or 1
current equ number                      ; who runs

lazy:   inc     dword [taken]
        clts
        mov     eax, [owner]
        mov     ecx, [current]
        cmp     eax, ecx
        je      .out
        shl     eax, 9
        fxsave  [areas + eax]
        mov     [owner], ecx
        shl     ecx, 9
        fxrstor [areas + ecx]
.out:   ret

; One step of who runs: ST0 *= 3, XMM0 += 3, with the other one's numbers out of sight
step:   fmul    qword [three]
        addps   xmm0, [threes]
        paddd   xmm1, [singles]
        ret

%macro turn 1
        mov     dword [current], %1
        mov     eax, cr0
        or      al, 8
        mov     cr0, eax
        call    step
%endmacro

switches:
        fninit
        fld1
        xorps   xmm0, xmm0
        xorps   xmm1, xmm1
        fxsave  [areas]
        fxsave  [areas + 512]
        mov     dword [owner], 0
        mov     dword [current], 0
        mov     dword [taken], 0
        case    "the state follows at #NM", NONE, 0
        mov     dword [hook], lazy
        mov     ecx, 100
.next:  turn    0
        turn    1
        turn    1                       ; it has the units already
        call    step
        dec     ecx
        jnz     .next
        turn    0
        fstp    qword [stored]
        movss   [stored + 8], xmm0
        turn    1
        fstp    qword [stored + 16]
        movss   [stored + 24], xmm0
        endcase
        check   "the state follows at #NM: times", [taken], 302
        check   "first: 3^101", [stored + 4], 0x49f0ed2f
        check   "first: 303", [stored + 8], __?float32?__(303.0)
        check   "second: 3^301", [stored + 20], 0x5dc0d6b7
        check   "second: 903", [stored + 24], __?float32?__(903.0)
        fninit
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; Workloads: x87 and SSE. All but x87math are exact: every emulator must have the same bits.
%include "bench.inc"

WIDTH   equ     12
HEIGHT  equ     8
LIMIT   equ     64

; How often z = z * z + c stays within 2, on a grid that moves with ECX
%macro mandel 0
.next:  mov     [number], ecx
        fild    dword [number]
        fmul    qword [tiny]
        fstp    qword [shift]
        mov     ebx, HEIGHT
.row:   mov     ebp, WIDTH
.point: mov     [number], ebp
        fild    dword [number]
        fmul    qword [step_x]
        fsub    qword [left]
        fadd    qword [shift]
        fstp    qword [c_re]
        mov     [number], ebx
        fild    dword [number]
        fmul    qword [step_y]
        fld1
        fsubp
        fstp    qword [c_im]
        fldz ; im
        fldz ; re
        mov     edx, LIMIT
.again: fld     st1
        fmul    st0, st0 ; im^2, re, im
        fld     st1
        fmul    st0, st0 ; re^2, im^2, re, im
        fld     st0
        fadd    st0, st2
        fcomp   qword [four]
        fnstsw  ax
        sahf
        ja      .out
        fsubrp  st1, st0 ; re^2 - im^2, re, im
        fadd    qword [c_re]
        fxch    st2
        fmulp   st1, st0
        fadd    st0, st0
        fadd    qword [c_im] ; im', re'
        fxch    st1
        dec     edx
        jnz     .again
        fld     st0
        fld     st0
.out:   fcompp
        fistp   dword [number]
        fistp   dword [number + 4]
        fold    edx
        add     edi, [number]
        xor     edi, [number + 4]
        dec     ebp
        jnz     .point
        dec     ebx
        jnz     .row
        dec     ecx
        jnz     .next
%endmacro
func w_x87mandel
        fninit
        mandel
endfunc

func w_x87traps ; the same with exceptions as compilers for DOS and Windows unmask them; there are none
        fninit
        fldcw   [traps]
        mandel
        fninit
endfunc

; Emulators differ in the last bits of these: 2^20 times the result is rounded to an integer, which
; hides 40 bits. Arguments are multiples of 2^-13 in (-8, 8).
%macro add_result 0
        fmul    dword [two20]
        fistp   dword [number]
        add     edi, [number]
        rol     edi, 1
%endmacro
func w_x87math
        fninit
        mov     esi, 0x2718281
.next:  xorshift esi, eax
        mov     eax, esi
        sar     eax, 16
        or      eax, 1
        mov     [number + 4], eax
        fild    dword [number + 4]
        fmul    dword [two_13] ; (-4, 4)
        fst     qword [shift]
        fsin
        add_result
        fld     qword [shift]
        fcos
        add_result
        fld     qword [shift]
        fsincos
        faddp
        add_result
        fld     qword [shift]
        fmul    dword [quarter]
        f2xm1 ; (-1, 1)
        add_result
        fld     qword [shift]
        fmul    dword [quarter]
        fptan
        fdivp
        add_result
        fld     qword [shift]
        fld1
        fpatan
        add_result
        fld1
        fld     qword [shift]
        fabs
        fyl2x
        add_result
        fld     qword [shift]
        fabs
        fsqrt
        frndint
        fistp   dword [number]
        add     edi, [number]
        dec     ecx
        jnz     .next
endfunc

func w_ssescalar
        mov     esi, 0x16180339
        xorpd   xmm7, xmm7
        movsd   xmm6, [one]
.next:  xorshift esi, eax
        cvtsi2sd xmm0, esi
        mulsd   xmm0, [tiny]
        cvtsi2sd xmm1, ecx
        addsd   xmm1, xmm6
        movapd  xmm2, xmm0
        divsd   xmm2, xmm1
        addsd   xmm7, xmm2
        mulsd   xmm0, xmm0
        sqrtsd  xmm3, xmm0
        subsd   xmm3, xmm2
        ucomisd xmm3, xmm7
        jbe     .below
        addsd   xmm7, xmm6
        maxsd   xmm3, xmm6
.below: cvtsd2ss xmm4, xmm3
        mulss   xmm4, [two_13]
        subss   xmm4, xmm4
        movss   xmm5, [quarter]
        cvttsd2si eax, xmm3
        cvtsi2ss xmm5, eax
        addss   xmm5, xmm4
        minss   xmm5, [two20]
        cvtss2si edx, xmm5
        fold    eax
        add     edi, edx
        movsd   [shift], xmm7
        xor     edi, [shift]
        add     edi, [shift + 4]
        mulsd   xmm7, [half]
        dec     ecx
        jnz     .next
endfunc

func w_ssepacked
        mov     esi, vectors
        movaps  xmm7, [esi]
        movdqa  xmm6, [esi + 16]
        pxor    xmm5, xmm5
.next:  movaps  xmm0, xmm7 ; floats: x = x * 0.5 + y * y, crosswise
        mulps   xmm0, [esi + 32]
        shufps  xmm7, xmm7, 0x39
        movaps  xmm1, xmm7
        mulps   xmm1, [esi + 48]
        addps   xmm0, xmm1
        cmpltps xmm1, xmm0
        andps   xmm1, [esi + 64]
        subps   xmm0, xmm1
        movaps  xmm7, xmm0
        cvtps2dq xmm2, xmm0
        movd    xmm3, ecx ; integers
        pshufd  xmm3, xmm3, 0
        paddd   xmm6, xmm3
        movdqa  xmm4, xmm6
        psrld   xmm4, 7
        pxor    xmm6, xmm4
        pmuludq xmm4, xmm6
        paddq   xmm5, xmm4
        punpcklbw xmm2, xmm6
        paddusb xmm5, xmm2
        pmaddwd xmm2, xmm6
        pcmpgtd xmm4, xmm2
        psubw   xmm5, xmm4
        movdqu  [packed + 4], xmm5
        movd    eax, xmm5
        fold    eax
        add     edi, [packed + 12]
        cvtps2pd xmm1, xmm0
        addpd   xmm1, [esi + 80]
        cvtpd2ps xmm1, xmm1
        movmskps eax, xmm1
        add     edi, eax
        movlps  [packed + 32], xmm1
        xor     edi, [packed + 36]
        dec     ecx
        jnz     .next
endfunc

        section .rodata
        align   16
vectors:
        dd      0.75, -1.25, 2.5, -0.125
        dd      0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210
        dd      0.5, 0.5, -0.5, 0.5
        dd      0.375, -0.25, 0.375, 0.25
        dd      1.5, 0.75, 1.25, 1.0
        dq      1.0, -2.0
tiny:   dq      0.0000152587890625 ; 2^-16
step_x: dq      0.25
step_y: dq      0.25
left:   dq      2.2
four:   dq      4.0
one:    dq      1.0
half:   dq      0.5
two20:  dd      1048576.0
two_13: dd      0.0001220703125
quarter: dd     0.25
traps:  dw      0x372                   ; invalid, zero divide, overflow

        section .bss
        alignb  16
number: resd    2
shift:  resq    1
c_re:   resq    1
c_im:   resq    1
packed: resb    64

; SPDX-License-Identifier: MIT
; Limits of code and stack segments, also expand-down ones [SDM 3A 5.3].
; expect: done
%include "inc/pm.inc"

CODE16  equ FREE                        ; 16-bit code, base 0, 64 KiB
DOWN16  equ FREE + 8 + 3                ; expand-down stack, 16 bits, ring 3
DOWN32  equ FREE + 16 + 3
UP16    equ FREE + 24 + 3               ; 16-bit stack of 64 KiB, ring 3
SMALLC  equ FREE + 32                   ; 32-bit code, limit FFFh, base F000h

main:   set_desc CODE16, 0, 0xffff, 0x9b, 0
        set_desc DOWN16, 0x40000, 0x0fff, 0xf7, 0
        set_desc DOWN32, 0x40000, 0x0fff, 0xf7, 4
        set_desc UP16, 0x40000, 0xffff, 0xf3, 0
        set_desc SMALLC, 0xf000, 0xfff, 0x9b, 4
        call    code_limits
        call    stacks
        call    returns
        ret

; Bytes of code put at F000h + offset, run through SMALLC (limit FFFh).
%macro plant 2+                         ; offset, bytes
[section .data]
%%bytes: db %2
%%end:
__?SECT?__
        mov     esi, %%bytes
        mov     edi, 0xf000 + %1
        mov     ecx, %%end - %%bytes
        rep     movsb
%endmacro
code_limits:
        plant   0xffe, 0x40, 0x40       ; inc eax, inc eax
        case    "running off the limit", GP, 0
        fault_at 0x1000
        jmp     SMALLC:0xffe
        endcase
        check   "running off: cs", [got_cs], SMALLC
        plant   0xffe, 0xb8, 1, 2, 3, 4 ; mov eax, imm32 across the limit
        case    "an instruction across the limit", GP, 0
        fault_at 0xffe
        jmp     SMALLC:0xffe
        endcase
        plant   0xff0, 0xe9, 0x0b, 0, 0, 0 ; jmp to 1000h
        case    "near jump beyond: EIP of the jump", GP, 0
        fault_at 0xff0
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0xe8, 0x0b, 0, 0, 0
        case    "near call beyond", GP, 0
        fault_at 0xff0
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0x31, 0xc0, 0x74, 0x7f ; xor eax, eax; jz
        case    "jz beyond", GP, 0
        fault_at 0xff2
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0x31, 0xc0, 0x75, 0x7f, 0xcc
        case    "jnz beyond, not taken", BP_, 0
        fault_at 0xff5
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0x68, 0, 0x10, 0, 0, 0xc3 ; push 1000h; ret
        case    "near return beyond", GP, 0
        fault_at 0xff5
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0x31, 0xc9, 0xe3, 0x7f ; jecxz
        case    "jecxz beyond", GP, 0
        fault_at 0xff2
        jmp     SMALLC:0xff0
        endcase
        plant   0xff0, 0xb9, 2, 0, 0, 0, 0xe2, 0x7f ; loop
        case    "loop beyond: ecx kept", GP, 0
        fault_at 0xff5
        jmp     SMALLC:0xff0
        endcase
        check   "loop: ecx", [got_ecx], 2
        plant   0xffe, 0x0f, 0x0b
        case    "fits exactly", UD, 0
        fault_at 0xffe
        jmp     SMALLC:0xffe
        endcase
        plant   0xffe, 0xeb, 0x10       ; jmp short over FFFFh, 16 bits: wraps
        mov     dword [0x10], 0x9090cccc
        case    "16-bit jump wraps", BP_, 0
        fault_at 0x11
        jmp     CODE16:0xffe + 0xf000
        endcase
        plant   0xffe, 0x40, 0x40
        case    "16-bit code does not wrap by itself", GP, 0
        fault_at 0x10000
        jmp     CODE16:0xffe + 0xf000
        endcase
        plant   0xff0, 0x66, 0xe9, 0, 0, 1, 0 ; jmp rel32
        case    "rel32 jump in 16-bit code", GP, 0
        fault_at 0xfff0
        jmp     CODE16:0xfff0
        endcase
        ret

; on SS, ESP in ring 3: one instruction
%macro on 6+                            ; name, vector, error, SS, ESP, instruction
        case    %1, %2, %3
        push    dword DS3
        pop     ds
        push    dword %4
        push    dword %5
        push    dword 2
        push    dword CS3
        push    dword %%u
        iretd
%%u:    %6
        exit3
        endcase
%endmacro
stacks: on      "expand-down 32: push at the lower end", EXIT3, 0, DOWN32, 0x1004, push eax
        check   "its esp", [got_esp], 0x1000
        on      "expand-down 32: push below", SS_, 0, DOWN32, 0x1003, push eax
        on      "expand-down 32: push at 0 wraps", EXIT3, 0, DOWN32, 0, push eax
        on      "expand-down 32: push across 0", SS_, 0, DOWN32, 2, push eax
        on      "expand-down 16: push at 0 wraps", EXIT3, 0, DOWN16, 0x50000, push eax
        mov     eax, [got_esp]
        and     eax, 0xffff
        check   "its sp", eax, 0xfffc
        on      "expand-down 16: push across FFFF", SS_, 0, DOWN16, 2, push eax
        on      "pop at the upper end", EXIT3, 0, DOWN16, 0xfffc, pop eax
        mov     eax, [got_esp]
        and     eax, 0xffff
        check   "pop: sp wraps", eax, 0
        on      "pop across the upper end", SS_, 0, DOWN16, 0xfffd, pop eax
        on      "pusha into the limit", SS_, 0, DOWN32, 0x1010, pushad
        check   "pusha: esp kept", [got_esp], 0x1010
        on      "popa beyond the end", SS_, 0, DOWN16, 0xfff0, popad
        on      "enter into the limit", SS_, 0, DOWN32, 0x1010, enter 64, 0
        check   "enter: esp kept", [got_esp], 0x1010
        on      "call into the limit", SS_, 0, DOWN32, 0x1002, call main
        on      "ret beyond the end", SS_, 0, DOWN16, 0xfffe, ret
        ret

; Selectors take whole slots: the frame at the end of a stack, to OUT3 in ring 3.
%macro frame_at 1                       ; SP
        mov     dword [0x40000 + %1], out3
        mov     word [0x40004 + %1], CS3
        mov     dword [0x40000 + ((%1 + 8) & 0xffff)], 0x202
%endmacro
returns:
        frame_at 0xfff8
        on      "retf: CS ends at the upper end", EXIT3, 0, UP16, 0xfff8, retf
        on      "retf 8000h: CS ends at the upper end", EXIT3, 0, UP16, 0xfff8, retf 0x8000
        mov     eax, [got_esp]
        and     eax, 0xffff
        check   "retf 8000h: sp", eax, 0x8000
        on      "iretd: EFLAGS behind the upper end", EXIT3, 0, UP16, 0xfff8, iretd
        frame_at 0xfffa
        on      "retf: CS across the upper end", SS_, 0, UP16, 0xfffa, retf
        check   "retf: esp kept", [got_esp], 0xfffa
        on      "retf 20: CS across the upper end", SS_, 0, UP16, 0xfffa, retf 20
        on      "iretd: CS across the upper end", SS_, 0, UP16, 0xfffa, iretd
        ret
out3:   exit3
%include "inc/end.inc"

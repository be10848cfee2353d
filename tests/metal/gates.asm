; SPDX-License-Identifier: MIT
; Call gates, interrupt and trap gates, returns to outer rings [SDM 3A 5.8, 6.12].
; expect: done
%include "inc/pm.inc"

G32     equ FREE                        ; 32-bit call gate to ring 0, 3 parameters, DPL 3
G16     equ FREE + 8                    ; 16-bit one
G0      equ FREE + 16                   ; DPL 0
GCONF   equ FREE + 24                   ; to conforming code
GNP     equ FREE + 32                   ; not present
GNPCS   equ FREE + 40                   ; its code is not present
CONF    equ FREE + 48                   ; conforming code, DPL 0
NPCS    equ FREE + 56
CONF3   equ FREE + 64                   ; conforming code, DPL 3
GDATA   equ FREE + 72                   ; gate to a data segment
GNULL   equ FREE + 80
GSAME   equ FREE + 88                   ; to ring 3 code
G1      equ FREE + 96                   ; to ring 1
BIGOFF  equ FREE + 104
NPDATA3 equ FREE + 112 + 3
VEC     equ 0x40
r_esp   equ scratch + 0x80
r_cs    equ scratch + 0x84
r_p     equ scratch + 0x88              ; what lay on the inner stack, upwards
r_ds    equ scratch + 0xb0
r_efl   equ scratch + 0xb4

main:   set_gate GDT + G32, CS0, note32, 0xec, 3
        set_gate GDT + G16, CS0_16, inner16, 0xe4, 3
        set_gate GDT + G0, CS0, note32, 0x8c, 0
        set_gate GDT + GCONF, CONF, conforming, 0xec, 0
        set_gate GDT + GNP, CS0, note32, 0x6c, 0
        set_gate GDT + GNPCS, NPCS, note32, 0xec, 0
        set_gate GDT + GDATA, DS0, note32, 0xec, 0
        set_gate GDT + GNULL, 0, note32, 0xec, 0
        set_gate GDT + GSAME, CS3, same3, 0xec, 0
        set_gate GDT + G1, CS1, note32, 0xec, 0
        set_gate GDT + BIGOFF, CS0_16, note32, 0xec, 0
        mov     word [GDT + BIGOFF + 6], 1
        set_desc CONF, 0, 0xfffff, 0x9f, 12
        set_desc CONF3, 0, 0xfffff, 0xff, 12
        set_desc NPCS, 0, 0xfffff, 0x1b, 12
        set_desc NPDATA3, 0, 0xfffff, 0x73, 12
        call    call_gates
        call    refused
        call    returns
        call    interrupts
        call    conform
        ret

; The handlers note the stack and return, dropping 3 parameters.
note32: push    dword DS0
        pop     ds
        mov     [r_esp], esp
        mov     [r_cs], cs
        mov     eax, [esp]
        mov     [r_p], eax
        mov     eax, [esp + 4]
        mov     [r_p + 4], eax
        mov     eax, [esp + 8]
        mov     [r_p + 8], eax
        mov     eax, [esp + 12]
        mov     [r_p + 12], eax
        mov     eax, [esp + 16]
        mov     [r_p + 16], eax
        mov     eax, [esp + 20]
        mov     [r_p + 20], eax
        mov     eax, [esp + 24]
        mov     [r_p + 24], eax
        retf    12
        bits    16
inner16:
        push    word DS0
        pop     ds
        mov     [r_esp], esp
        mov     bp, sp
        mov     eax, [bp]
        mov     [r_p], eax
        mov     eax, [bp + 4]
        mov     [r_p + 4], eax
        mov     eax, [bp + 8]
        mov     [r_p + 8], eax
        mov     eax, [bp + 12]
        mov     [r_p + 12], eax
        retf    6
        bits    32
same3:  mov     edx, 0x5a3e
        retf
conforming:
        mov     edx, cs
        retf

call_gates:
        case    "call gate 32 and back", EXIT3, 0
        ring3   .u32
.u32:   push    dword 0x33333333
        push    dword 0x22222222
        push    dword 0x11111111
        mov     ebx, esp
        push    dword DS3
        pop     fs
        call    G32 | 3:0x12345678
.r32:   exit3
        endcase
        check   "gate 32: inner esp", [r_esp], STACK0R - 28
        check   "gate 32: inner cs", [r_cs], CS0
        check   "gate 32: eip", [r_p], .r32
        check   "gate 32: cs", [r_p + 4], CS3
        check   "gate 32: parameter 1", [r_p + 8], 0x11111111
        check   "gate 32: parameter 3", [r_p + 16], 0x33333333
        check   "gate 32: esp", [r_p + 20], STACK3 - 12
        check   "gate 32: ss", [r_p + 24], DS3
        check   "gate 32: esp after retf 12", [got_esp], STACK3
        check   "gate 32: ds nulled on return", [got_ds], 0
        check   "gate 32: es kept", [got_es], DS3
        mov     eax, [got_fs]
        and     eax, 0xffff
        check   "gate 32: fs kept", eax, DS3
        check   "gate 32: cs after", [got_cs], CS3

        case    "call gate 16 and back", EXIT3, 0
        ring3   .u16
.u16:   push    word 0x3333
        push    word 0x2222
        push    word 0x1111
        push    word 0
        pop     ax
        call    G16 | 3:0
.r16:   exit3
        endcase
        check   "gate 16: inner esp", [r_esp], STACK0R - 14
        check   "gate 16: cs:ip", [r_p], (CS3 << 16) + .r16
        check   "gate 16: parameters 1, 2", [r_p + 4], 0x22221111
        check   "gate 16: parameter 3, sp", [r_p + 8], ((STACK3 - 6) << 16) | 0x3333
        movzx   eax, word [r_p + 12]
        check   "gate 16: ss", eax, DS3
        check   "gate 16: esp after retf 6", [got_esp], STACK3

        case    "call gate from ring 0: same stack", NONE, 0
        push    dword 3
        push    dword 2
        push    dword 1
        mov     ebx, esp
        call    G32:0
        sub     ebx, esp
        endcase
        check   "same ring: esp", ebx, -12
        check   "same ring: no parameters", [r_p + 8], 1
        case    "call gate to ring 3 code from ring 3", EXIT3, 0
        ring3   .us
.us:    call    GSAME:0
        exit3
        endcase
        check   "same ring 3: ran", edx, 0x5a3e
        check   "same ring 3: esp", [got_esp], STACK3
        case    "jmp gate to ring 3 code from ring 3", EXIT3, 0
        ring3   .uj
.uj:    push    cs
        push    dword .rj
        xor     edx, edx
        jmp     GSAME:0
.rj:    exit3
        endcase
        check   "jmp gate: ran", edx, 0x5a3e
        ret

%macro refuse 4+                        ; from ring 3
        case    %1, %2, %3
        fault_at %%here
        ring3   %%here
%%here: %4
        exit3
        endcase
%endmacro
refused:
        refuse  "gate DPL 0 from ring 3", GP, G0, call G0:0
        refuse  "gate DPL < RPL", GP, G0, call G0 | 3:0
        case    "gate DPL 0, RPL 3, CPL 0", GP, G0
        at_here
        call    G0 | 3:0
        endcase
        refuse  "gate not present", NP, GNP, call GNP:0
        refuse  "gate's code not present", NP, NPCS, call GNPCS:0
        refuse  "gate to data", GP, DS0, call GDATA:0
        refuse  "gate with null", GP, 0, call GNULL:0
        refuse  "gate offset beyond the limit", GP, 0, call BIGOFF:0
        refuse  "jmp gate to inner code", GP, CS0, jmp G32:0
        refuse  "call inner code directly", GP, CS0, call CS0:note32
        case    "jmp to conforming code of the own ring", EXIT3, 0
        ring3   .jmp
.jmp:   jmp     CONF3:.conf
.conf:  exit3
        endcase
        check   "jmp conforming: cs", [got_cs], CONF3 | 3
        case    "call outer code", GP, CS3 & ~3
        at_here
        call    CS3:note32
        endcase
        case    "gate to outer code", GP, CS3 & ~3
        at_here
        call    GSAME:0
        endcase
        mov     dword [TSS + 16], 0
        refuse  "call gate to ring 1: ss null", TS, 0, call G1:0
        mov     dword [TSS + 16], DS0
        refuse  "call gate to ring 1: ss of ring 0", TS, DS0, call G1:0
        mov     dword [TSS + 16], DS1
        ret

; RETF and IRET to outer rings, from ring 0.
%macro far_frame 4                      ; SS, ESP, CS, EIP
        push    dword %1
        push    dword %2
        push    dword %3
        push    dword %4
%endmacro
%macro iret_frame 5                     ; SS, ESP, EFLAGS, CS, EIP
        push    dword %1
        push    dword %2
        push    dword %3
        push    dword %4
        push    dword %5
%endmacro
returns:
        case    "retf 8: releases both stacks", EXIT3, 0
        push    dword DS3
        push    dword STACK3 - 64
        push    dword 2
        push    dword 1
        push    dword CS3
        push    dword .out
        retf    8
.out:   exit3
        endcase
        check   "retf 8: outer esp", [got_esp], STACK3 - 56
        check   "retf: ds nulled", [got_ds], 0
        check   "retf: es nulled", [got_es], 0
        case    "retf to inner ring", GP, CS0
        ring3   .in
.in:    push    dword CS0
        push    dword .in
        retf
        endcase
        case    "retf: cs null", GP, 0
        far_frame DS3, STACK3, 0, .out
        at_here
        retf
        endcase
        case    "retf: cs is data", GP, DS0
        far_frame DS3, STACK3, DS0, .out
        retf
        endcase
        case    "retf: RPL differs from DPL", GP, CS3 & ~3
        far_frame DS3, STACK3, CS3 & ~1, .out
        retf
        endcase
        case    "retf: cs not present", NP, NPCS
        far_frame DS0, STACK0, NPCS, .out
        retf
        endcase
        case    "retf: outer ss null", GP, 0
        far_frame 0, STACK3, CS3, .out
        retf
        endcase
        case    "retf: outer ss RPL", GP, DS3 & ~3
        far_frame DS3 & ~3, STACK3, CS3, .out
        retf
        endcase
        case    "retf: outer ss DPL", GP, DS0
        far_frame DS0 | 3, STACK3, CS3, .out
        retf
        endcase
        case    "retf: outer ss not present", SS_, NPDATA3 & ~3
        far_frame NPDATA3, STACK3, CS3, .out
        retf
        endcase
        case    "retf: eip beyond the limit", GP, 0
        far_frame DS3, STACK3, CS3_16, 0x10000
        retf
        endcase
        case    "iret: ring 1", EXIT3, 0
        iret_frame DS1, STACK1, 2, CS1, .out
        iretd
        endcase
        check   "iret: ring 1 cs", [got_cs], CS1
        case    "iret: ring 3 with a 16-bit stack", EXIT3, 0
        iret_frame DS3_16, 0x12346000, 2, CS3, .out
        mov     ebx, esp
        iretd
        endcase
        mov     eax, [got_esp]
        and     eax, 0xffff
        check   "iret: sp of a 16-bit stack", eax, 0x6000
        case    "iret: outer ss not present", SS_, NPDATA3 & ~3
        iret_frame NPDATA3, STACK3, 2, CS3, .out
        at_here
        iretd
        endcase
        case    "iret: ss null", GP, 0
        iret_frame 0, STACK3, 2, CS3, .out
        iretd
        endcase
        case    "iret: cs of a TSS", GP, TSS0
        iret_frame DS3, STACK3, 2, TSS0, .out
        iretd
        endcase
        case    "iret: IOPL and IF from ring 0", EXIT3, 0
        iret_frame DS3, STACK3, 0x3002, CS3, .out
        iretd
        endcase
        mov     eax, [got_efl]
        and     eax, 0x3000
        check   "iret: IOPL", eax, 0x3000
        case    "iret in ring 3: IOPL stays, IF too", EXIT3, 0
        ring3   .r3
.r3:    push    dword 0x3202
        push    dword CS3
        push    dword .out
        iretd
        endcase
        mov     eax, [got_efl]
        and     eax, 0x3200
        check   "iret in ring 3: flags", eax, 0
        case    "iretw: upper halves", NONE, 0
        mov     ebx, esp
        pushfw
        push    word CS0
        push    word .w
        o16 iret
.w:     sub     ebx, esp
        endcase
        check   "iretw: esp", ebx, 0
        ; segments that survive: conforming code and what the ring may use
        case    "return keeps conforming code in ds", EXIT3, 0
        push    dword CONF
        pop     ds
        push    dword DS1
        pop     es
        far_frame DS3, STACK3, CS3, .out
        retf
        endcase
        check   "conforming ds", [got_ds], CONF
        check   "ring 1 es nulled", [got_es], 0
        case    "nulled means unusable", GP, 0
        push    dword DS0
        pop     es
        far_frame DS3, STACK3, CS3, .use
        retf
.use:   mov     eax, [es:0x5000]
        endcase
        ret

; INT from ring 3 through gates of both sizes and kinds.
h_int32:
        pushfd
        push    dword DS0
        pop     ds
        pop     dword [r_efl]
        mov     [r_esp], esp
        mov     eax, [esp]
        mov     [r_p], eax
        mov     eax, [esp + 4]
        mov     [r_p + 4], eax
        mov     eax, [esp + 12]
        mov     [r_p + 12], eax
        iretd
        bits    16
h_int16:
        pushfd
        push    word DS0
        pop     ds
        pop     dword [r_efl]
        mov     [r_esp], esp
        mov     bp, sp
        mov     eax, [bp]
        mov     [r_p], eax
        mov     eax, [bp + 4]
        mov     [r_p + 4], eax
        iretw
        bits    32
interrupts:
        set_idt VEC, CS0, h_int32, 0xee
        case    "interrupt gate 32", EXIT3, 0
        ring3   .i, 0x3202
.i:     int     VEC
.j:     exit3
        endcase
        check   "interrupt gate 32: esp", [r_esp], STACK0R - 20
        check   "interrupt gate 32: eip", [r_p], .j
        check   "interrupt gate 32: cs", [r_p + 4], CS3
        check   "interrupt gate 32: outer esp", [r_p + 12], STACK3
        mov     eax, [r_efl]
        and     eax, FL_IF
        check   "interrupt gate 32: IF", eax, 0
        mov     eax, [got_efl]
        and     eax, FL_IF
        check   "interrupt gate 32: IF restored", eax, FL_IF
        set_idt VEC, CS0, h_int32, 0xef
        case    "trap gate 32", EXIT3, 0
        ring3   .i, 0x3202
        endcase
        mov     eax, [r_efl]
        and     eax, FL_IF
        check   "trap gate 32: IF", eax, FL_IF
        set_idt VEC, CS0_16, h_int16, 0xe6
        case    "interrupt gate 16", EXIT3, 0
        ring3   .i, 0x3202
        endcase
        check   "interrupt gate 16: esp", [r_esp], STACK0R - 10
        check   "interrupt gate 16: cs:ip", [r_p], (CS3 << 16) + .j
        mov     eax, [r_p + 4]
        and     eax, 0xffff3200
        check   "interrupt gate 16: flags and sp", eax, (STACK3 << 16) | 0x3200
        mov     eax, [r_efl]
        and     eax, FL_IF
        check   "interrupt gate 16: IF", eax, 0
        set_idt VEC, CS0_16, h_int16, 0xe7
        case    "trap gate 16", EXIT3, 0
        ring3   .i, 0x3202
        endcase
        mov     eax, [r_efl]
        and     eax, FL_IF
        check   "trap gate 16: IF", eax, FL_IF
        set_idt VEC, CS0, h_int32, 0x8e
        refuse  "int n: gate DPL", GP, VEC * 8 + 2, int VEC
        set_idt VEC, CS0, h_int32, 0xae
        refuse  "int n: gate DPL 1", GP, VEC * 8 + 2, int VEC
        mov     byte [IDT + BP_ * 8 + 5], 0x8e
        refuse  "int3: gate DPL", GP, BP_ * 8 + 2, int3
        mov     byte [IDT + BP_ * 8 + 5], 0xee
        case    "NT is cleared by the gate", NONE, 0
        set_idt VEC, CS0, h_int32, 0x8e
        push    dword FL_NT | 2
        popfd
        int     VEC
        pushfd
        pop     eax
        push    dword 2
        popfd
        endcase
        and     eax, FL_NT
        check   "NT restored by iret", eax, FL_NT
        mov     eax, [r_efl]
        and     eax, FL_NT
        check   "NT clear in the handler", eax, 0
        ret

conform:
        case    "conforming code keeps CPL", EXIT3, 0
        ring3   .u
.u:     call    CONF | 3:conforming
        exit3
        endcase
        check   "conforming: cs has CPL as RPL", edx, CONF | 3
        case    "conforming code by a gate", EXIT3, 0
        ring3   .g
.g:     call    GCONF:0
        exit3
        endcase
        check   "conforming by gate: cs", edx, CONF | 3
        case    "conforming code of an outer ring", GP, CONF3
        at_here
        call    CONF3:conforming
        endcase
        set_idt VEC, CONF, .h, 0xee
        case    "interrupt handler in conforming code", EXIT3, 0
        ring3   .i
.i:     int     VEC
        exit3
.h:     mov     edx, cs
        mov     ebx, esp
        iretd
        endcase
        check   "conforming handler: cs", edx, CONF | 3
        check   "conforming handler: same stack", ebx, STACK3 - 12
        ret
%include "inc/end.inc"

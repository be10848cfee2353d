; SPDX-License-Identifier: MIT
; Every exception: vector, error code, pushed EIP, RF; double faults [SDM 3A ch. 6].
; expect: done
%include "inc/pm.inc"

NPDATA  equ FREE                        ; data, not present
RODATA  equ FREE + 8
SMALL   equ FREE + 16                   ; data, limit 0FFFh
NPCS    equ FREE + 24
XOCODE  equ FREE + 32                   ; execute-only code
RDATA3  equ FREE + 40                   ; ring-1 stack that is not present
SMALL3  equ FREE + 48 + 3                ; ring-3 data, limit 0FFFh
NPSS    equ FREE + 56
VEC     equ 0x40                        ; a vector to play with

main:   set_desc NPDATA, 0, 0xfffff, 0x73, 12
        set_desc NPSS, 0, 0xfffff, 0x13, 12
        set_desc SMALL3, 0x10000, 0xfff, 0xf3, 4
        set_desc RODATA, 0, 0xfffff, 0x91, 12
        set_desc SMALL, 0x10000, 0xfff, 0x93, 4
        set_desc NPCS, 0, 0xfffff, 0x1b, 12
        set_desc XOCODE, 0, 0xfffff, 0x99, 12
        set_desc RDATA3, 0, 0xfffff, 0x33, 12
        call    arithmetic
        call    traps
        call    opcodes
        call    loads
        call    limits
        call    gates
        call    privileged
        call    stacks
        call    x87_sse
        call    align_check
        call    doubles
        ret

%macro fault_case 4+                    ; name, vector, error, instruction
        case    %1, %2, %3
        at_here
        %4
        endcase
%endmacro
%macro check_rf 2                       ; name, want (0 or 1)
        mov     eax, [got_efl]
        shr     eax, 16
        and     eax, 1
        check   %1, eax, %2
%endmacro

arithmetic:
        xor     ecx, ecx
        fault_case "div by zero", DE, 0, div ecx
        check_rf "div by zero: RF", 1
        case    "div overflow leaves registers", DE, 0
        mov     edx, 1
        mov     ecx, 1
        mov     eax, 0x12345678
        div     ecx
        endcase
        check   "div overflow: eax", [got_eax], 0x12345678
        check   "div overflow: edx", [got_edx], 1
        case    "idiv overflow", DE, 0
        mov     eax, 0x80000000
        cdq
        mov     ecx, -1
        idiv    ecx
        endcase
        fault_case "aam 0", DE, 0, aam 0
        mov     dword [scratch], 10
        mov     dword [scratch + 4], 20
        case    "bound below", BR, 0
        mov     eax, 9
        at_here
        bound   eax, [scratch]
        endcase
        check_rf "bound: RF", 1
        case    "bound at the upper end", NONE, 0
        mov     eax, 20
        bound   eax, [scratch]
        endcase
        case    "bound above", BR, 0
        mov     eax, 21
        bound   eax, [scratch]
        endcase
        ret

traps:  case    "int3", BP_, 0
        fault_at .i3
        int3
.i3:    endcase
        check_rf "int3: RF", 0
        case    "int 3 (CD 03)", BP_, 0
        fault_at .cd
        db      0xcd, 3
.cd:    endcase
        case    "into taken", OF_, 0
        fault_at .of
        mov     al, 0x7f
        inc     al
        into
.of:    endcase
        case    "into not taken", NONE, 0
        xor     al, al
        into
        endcase
        case    "int1", DB_, 0
        fault_at .i1
        db      0xf1
.i1:    endcase
        case    "TF: after the next instruction", DB_, 0
        fault_at .tf
        pushfd
        or      dword [esp], FL_TF
        popfd
        nop
.tf:    nop
        endcase
        mov     eax, [got_dr6]
        and     eax, 0x4000
        check   "TF: DR6.BS", eax, 0x4000
        mov     eax, [got_efl]
        and     eax, FL_TF
        check   "TF: pushed set", eax, FL_TF
        check_rf "TF: RF", 0
        xor     eax, eax
        mov     dr6, eax
        case    "int n", VEC, 0
        fault_at .in
        int     VEC
.in:    endcase
        ret

opcodes:
        fault_case "ud2", UD, 0, ud2
        check_rf "ud2: RF", 1
        fault_case "lock on a register", UD, 0, db 0xf0, 0x01, 0xc0
        fault_case "lock on mov", UD, 0, db 0xf0, 0x89, 0x03
        fault_case "lock cmp", UD, 0, db 0xf0, 0x39, 0x03
        fault_case "mov cs, ax", UD, 0, db 0x8e, 0xc8
        fault_case "mov sreg 6", UD, 0, db 0x8e, 0xf0
        fault_case "mov eax, cr1", UD, 0, db 0x0f, 0x20, 0xc8
        fault_case "les with a register", UD, 0, db 0xc4, 0xc0
        fault_case "lea with a register", UD, 0, db 0x8d, 0xc0
        fault_case "bound with a register", UD, 0, db 0x62, 0xc0
        fault_case "lgdt with a register", UD, 0, db 0x0f, 0x01, 0xd7
        fault_case "jmp far register", UD, 0, db 0xff, 0xe8
        fault_case "call far register", UD, 0, db 0xff, 0xd8
        fault_case "group 4 /2", UD, 0, db 0xfe, 0xd0
        fault_case "group 5 /7", UD, 0, db 0xff, 0xf8
        fault_case "pop /1", UD, 0, db 0x8f, 0xc8
        fault_case "cmpxchg8b register", UD, 0, db 0x0f, 0xc7, 0xc8
        fault_case "0f 04", UD, 0, db 0x0f, 0x04
        fault_case "bt /3", UD, 0, db 0x0f, 0xba, 0xd8, 0
        fault_case "16 bytes", GP, 0, db 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, \
                0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x90
        fault_case "15 bytes", NONE, 0, db 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, \
                0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x90
        case    "dr4 with DE", UD, 0
        mov     eax, cr4
        or      al, 8
        mov     cr4, eax
        at_here
        mov     eax, dr4
        endcase
        mov     eax, cr4
        and     al, ~8
        mov     cr4, eax
        fault_case "dr4 without DE", NONE, 0, mov eax, dr4
        ret

loads:  mov     ax, NPDATA
        fault_case "mov ds, not present", NP, NPDATA, mov ds, ax
        check_rf "not present: RF", 1
        mov     ax, NPDATA | 3
        fault_case "error code without RPL", NP, NPDATA, mov es, ax
        mov     ax, NPSS
        fault_case "mov ss, not present", SS_, NPSS, mov ss, ax
        mov     ax, RODATA
        fault_case "mov ss, read-only", GP, RODATA, mov ss, ax
        xor     eax, eax
        fault_case "mov ss, null", GP, 0, mov ss, ax
        mov     ax, 3
        fault_case "mov ds, null", NONE, 0, mov ds, ax
        mov     ax, 0x800
        fault_case "beyond the GDT", GP, 0x800, mov ds, ax
        mov     ax, 0xffff
        fault_case "beyond everything", GP, 0xfffc, mov ds, ax
        mov     ax, 4
        fault_case "LDT selector, null LDT", GP, 4, mov ds, ax
        mov     ax, TSS0
        fault_case "mov ds, TSS", GP, TSS0, mov ds, ax
        mov     ax, XOCODE
        fault_case "mov ds, execute-only", GP, XOCODE, mov ds, ax
        mov     ax, TSS0
        fault_case "ltr busy TSS", GP, TSS0, ltr ax
        mov     ax, DS0
        fault_case "lldt data segment", GP, DS0, lldt ax
        fault_case "jmp far null", GP, 0, jmp 0:0
        fault_case "jmp far data", GP, DS0, jmp DS0:0
        fault_case "jmp far not present", NP, NPCS, jmp NPCS:0
        fault_case "jmp far ring 3 code", GP, CS3 & ~3, jmp CS3:0
        fault_case "jmp far busy TSS", GP, TSS0, jmp TSS0:0
        fault_case "call far beyond limit", GP, 0, call CS0_16:0x10000
        ret

limits: push    dword SMALL
        pop     fs
        fault_case "dword at the limit", NONE, 0, mov eax, [fs:0xffc]
        fault_case "dword across the limit", GP, 0, mov eax, [fs:0xffd]
        fault_case "byte behind the limit", GP, 0, mov al, [fs:0x1000]
        push    dword RODATA
        pop     fs
        fault_case "write to read-only", GP, 0, mov [fs:scratch], eax
        fault_case "write through cs", GP, 0, mov [cs:scratch], eax
        case    "read through execute-only cs", GP, 0
        jmp     XOCODE:.xo
.xo:    at_here
        mov     eax, [cs:scratch]
        endcase
        push    dword 0
        pop     fs
        fault_case "null segment", GP, 0, mov al, [fs:scratch]
        ; a stack that the handler does not have to use
        case    "push across the limit", SS_, 0
        fault_at .push
        push    dword SMALL3
        push    dword 0x1002
        push    dword 2
        push    dword CS3
        push    dword .push
        iretd
.push:
        push    eax
        endcase
        check   "push across: esp unchanged", [got_esp], 0x1002
        case    "ebp beyond the limit", SS_, 0
        push    dword SMALL3
        push    dword 0x1000
        push    dword 2
        push    dword CS3
        push    dword .ebp
        iretd
.ebp:   mov     ebp, 0xffe
        mov     eax, [ebp]
        endcase
        ret

gates:  set_idt VEC, CS0, catch, 0x0e
        fault_case "int: gate not present", NP, VEC * 8 + 2, int VEC
        set_idt VEC, CS0, catch, 0x8c
        fault_case "int: call gate in the IDT", GP, VEC * 8 + 2, int VEC
        set_idt VEC, CS0, catch, 0x80
        fault_case "int: type 0", GP, VEC * 8 + 2, int VEC
        set_idt VEC, 0, catch, 0x8e
        fault_case "int: null selector", GP, 0, int VEC
        set_idt VEC, DS0, catch, 0x8e
        fault_case "int: data selector", GP, DS0, int VEC
        set_idt VEC, NPCS, catch, 0x8e
        fault_case "int: code not present", NP, NPCS, int VEC
        set_idt VEC, CS3, catch, 0x8e
        fault_case "int: outer code", GP, CS3 & ~3, int VEC
        set_idt VEC, 0x800, catch, 0x8e
        fault_case "int: selector beyond the GDT", GP, 0x800, int VEC
        set_idt VEC, CS0_16, catch, 0x8e
        mov     word [IDT + VEC * 8 + 6], 1
        fault_case "int: offset beyond the limit", GP, 0, int VEC
        lidt    [.small]
        fault_case "int: beyond the IDT", GP, VEC * 8 + 2, int VEC
        lidt    [idtr]
        ; faults in delivering an exception have EXT
        mov     byte [IDT + UD * 8 + 5], 0x0e
        fault_case "ud2: gate not present", NP, UD * 8 + 3, ud2
        mov     byte [IDT + UD * 8 + 5], 0x8e
        mov     word [IDT + UD * 8 + 2], NPCS
        fault_case "ud2: code not present", NP, NPCS + 1, ud2
        mov     word [IDT + UD * 8 + 2], 0
        fault_case "ud2: null selector", GP, 1, ud2
        mov     word [IDT + UD * 8 + 2], CS0
        mov     byte [IDT + BP_ * 8 + 5], 0x0e
        fault_case "int3: gate not present", NP, BP_ * 8 + 2, int3
        mov     byte [IDT + BP_ * 8 + 5], 0xee
        mov     byte [IDT + DB_ * 8 + 5], 0x0e
        fault_case "int1: gate not present", NP, DB_ * 8 + 3, db 0xf1
        mov     byte [IDT + DB_ * 8 + 5], 0x8e
        ret
.small: dw      VEC * 8 + 6
        dd      IDT

%macro user_case 4+
        case    %1, %2, %3
%if (%2) != EXIT3
        fault_at %%here
%endif
        ring3   %%here
%%here: %4
        exit3
        endcase
%endmacro

privileged:
        user_case "ring 3: hlt", GP, 0, hlt
        check   "ring 3: pushed cs", [got_cs], CS3
        check   "ring 3: pushed ss", [got_ss], DS3
        check   "ring 3: pushed esp", [got_esp], STACK3
        check   "ring 3: frame size", [got_sp0], STACK0R - 24
        user_case "ring 3: cli", GP, 0, cli
        user_case "ring 3: sti", GP, 0, sti
        user_case "ring 3: in", GP, 0, in al, 0x80
        user_case "ring 3: out", GP, 0, out 0x80, al
        user_case "ring 3: mov eax, cr0", GP, 0, mov eax, cr0
        user_case "ring 3: mov cr0, eax", GP, 0, mov cr0, eax
        user_case "ring 3: mov eax, dr7", GP, 0, mov eax, dr7
        user_case "ring 3: clts", GP, 0, clts
        user_case "ring 3: lmsw", GP, 0, lmsw ax
        user_case "ring 3: smsw", EXIT3, 0, smsw ax
        user_case "ring 3: invd", GP, 0, invd
        user_case "ring 3: wbinvd", GP, 0, wbinvd
        fault_case "ring 0: wbinvd", NONE, 0, wbinvd
        fault_case "ring 0: invd", NONE, 0, invd
        user_case "ring 3: invlpg", GP, 0, invlpg [0]
        user_case "ring 3: lgdt", GP, 0, lgdt [gdtr]
        user_case "ring 3: ltr", GP, 0, ltr ax
        user_case "ring 3: lldt", GP, 0, lldt ax
        user_case "ring 3: rdmsr", GP, 0, rdmsr
        user_case "ring 3: wrmsr", GP, 0, wrmsr
        user_case "ring 3: int n, DPL 0", GP, VEC * 8 + 2, int VEC
        mov     eax, cr4
        or      eax, 4                  ; TSD
        and     ah, 0xfe                ; no PCE
        mov     cr4, eax
        user_case "ring 3: rdtsc with TSD", GP, 0, rdtsc
        fault_case "ring 0: rdtsc with TSD", NONE, 0, rdtsc
        xor     ecx, ecx
        user_case "ring 3: rdpmc without PCE", GP, 0, rdpmc
        fault_case "rdpmc: ring 0 without PCE", NONE, 0, rdpmc
        mov     ecx, 0x12345678
        fault_case "rdpmc: no such counter", GP, 0, rdpmc
        mov     eax, cr4
        and     eax, ~4
        mov     cr4, eax
        user_case "ring 3: rdtsc", EXIT3, 0, rdtsc
        user_case "ring 3: ud2", UD, 0, ud2
        case    "ring 3: popfd keeps IF and IOPL", EXIT3, 0
        ring3   .popf
.popf:  push    dword 0x3202
        popfd
        exit3
        endcase
        mov     eax, [got_efl]
        and     eax, 0x3200
        check   "ring 3: popfd flags", eax, 0
        mov     eax, cr0
        and     eax, 0x7fffffff
        or      eax, 0x20000000         ; NW without CD
        and     eax, 0xbfffffff
        fault_case "cr0: NW without CD", GP, 0, mov cr0, eax
        and     eax, 0x9fffffff
        mov     cr0, eax
        mov     ecx, 0x12345678
        fault_case "rdmsr unknown", GP, 0, rdmsr
        fault_case "wrmsr unknown", GP, 0, wrmsr
        ret

; Inner stacks from the TSS: INT to ring 1, so that #TS can be delivered.
stacks: set_idt VEC, CS1, .never, 0xee
        mov     dword [TSS + 16], 0
        user_case "inner ss null", TS, 0, int VEC
        mov     dword [TSS + 16], NPDATA | 1
        user_case "inner ss wrong DPL", TS, NPDATA, int VEC
        mov     dword [TSS + 16], RDATA3 | 1
        user_case "inner ss not present", SS_, RDATA3, int VEC
        mov     dword [TSS + 16], DS1 & ~3
        user_case "inner ss wrong RPL", TS, DS1 & ~3, int VEC
        mov     dword [TSS + 16], 0x801
        user_case "inner ss beyond the GDT", TS, 0x800, int VEC
        mov     dword [TSS + 16], CS1
        user_case "inner ss is code", TS, CS1 & ~3, int VEC
        set_desc RDATA3, 0, 7, 0xb3, 4
        mov     dword [TSS + 16], RDATA3 | 1
        mov     dword [TSS + 12], 8
        user_case "inner stack too small", SS_, RDATA3, int VEC
        set_desc RDATA3, 0, 0xfffff, 0x33, 12
        mov     dword [TSS + 16], DS1
        mov     dword [TSS + 12], STACK1
        mov     word [IDT + UD * 8 + 2], CS1
        mov     dword [TSS + 16], 0
        user_case "ud2: inner ss null", TS, 1, ud2
        mov     dword [TSS + 16], DS1
        mov     word [IDT + UD * 8 + 2], CS0
        set_idt VEC, CS0, STUBS + VEC * 16, 0x8e
        ret
.never: exit3

%macro pending 0                        ; 1 / 0, with ZM clear
        fninit
        fldcw   [scratch]
        fld1
        fldz
        fdivp
        nop
%endmacro
%macro mf_case 2+                       ; name, instruction
        case    %1, MF, 0
        pending
        at_here
        %2
        endcase
%endmacro

x87_sse:  mov     eax, cr0
        mov     ebx, eax
        or      al, 4
        mov     cr0, eax
        fault_case "EM: fld1", NM, 0, fld1
        check_rf "EM: RF", 1
        fault_case "EM: wait", NONE, 0, wait
        fault_case "EM: movaps", UD, 0, movaps xmm0, xmm1
        fault_case "EM: movq mm", UD, 0, movq mm0, mm1
        lea     eax, [ebx + 8]
        mov     cr0, eax
        fault_case "TS: fnop", NM, 0, fnop
        fault_case "TS without MP: wait", NONE, 0, wait
        lea     eax, [ebx + 10]
        mov     cr0, eax
        fault_case "TS and MP: wait", NM, 0, wait
        fault_case "TS: movq mm", NM, 0, movq mm0, mm1
        mov     cr0, ebx
        mov     word [scratch], 0x37b
        mf_case "#MF at the next instruction", fld1
        check_rf "#MF: RF", 1
        mf_case "#MF at FWAIT", wait
        mf_case "#MF at an MMX instruction", movq mm0, mm1
        mf_case "#MF at EMMS", emms
        mf_case "#MF at FLDCW", fldcw [scratch]
        mf_case "#MF at FSTSW's FWAIT", fstsw ax
        case    "#MF: not at FNSTSW, FNSTCW, FNCLEX", NONE, 0
        pending
        fnstsw  ax
        fnstcw  [scratch + 4]
        fnclex
        fld1
        endcase
        movzx   eax, ax
        and     eax, 0x80ff
        check   "#MF: FNSTSW: ES, B and ZE", eax, 0x8084
        case    "#MF: not at FNINIT", NONE, 0
        pending
        fninit
        fld1
        endcase
        case    "#MF: not at FNSAVE, which ends it", NONE, 0
        pending
        fnsave  [0x20000]
        fld1
        endcase
        movzx   eax, word [0x20004]
        and     eax, 0x80ff
        check   "#MF: FNSAVE: ES, B and ZE", eax, 0x8084
        fninit
        fault_case "movaps without OSFXSR", UD, 0, movaps xmm0, xmm1
        mov     eax, cr4
        or      ax, 0x600
        mov     cr4, eax
        fault_case "movaps misaligned", GP, 0, movaps xmm0, [scratch + 4]
        case    "#XM", 19, 0
        mov     dword [scratch], 0x1f00
        ldmxcsr [scratch]
        xorps   xmm0, xmm0
        at_here
        divss   xmm0, xmm0
        endcase
        case    "#XM as #UD without OSXMMEXCPT", UD, 0
        mov     eax, cr4
        and     ax, 0xfbff
        mov     cr4, eax
        at_here
        divss   xmm0, xmm0
        endcase
        mov     dword [scratch], 0x1f80
        ldmxcsr [scratch]
        mov     eax, cr4
        and     ax, 0xf9ff
        mov     cr4, eax
        ret

%macro ac_case 4+
        case    %1, %2, %3
%if (%2) != EXIT3
        fault_at %%here
%endif
        ring3   %%here, FL_AC | 2
%%here: %4
        exit3
        endcase
%endmacro
align_check:
        mov     eax, cr0
        or      eax, 0x40000
        mov     cr0, eax
        ac_case "AC: dword at 2", AC, 0, mov eax, [scratch + 2]
        check_rf "AC: RF", 1
        ac_case "AC: word at 1", AC, 0, mov ax, [scratch + 1]
        ac_case "AC: write", AC, 0, mov [scratch + 1], eax
        ac_case "AC: dword at 4", EXIT3, 0, mov eax, [scratch + 4]
        ac_case "AC: byte at 1", EXIT3, 0, mov al, [scratch + 1]
        ac_case "AC: qword at 4", AC, 0, fld qword [scratch + 4]
        case    "AC: not in ring 0", NONE, 0
        push    dword FL_AC | 2
        popfd
        mov     eax, [scratch + 1]
        endcase
        mov     eax, cr0
        and     eax, ~0x40000
        mov     cr0, eax
        ac_case "AC: not without AM", EXIT3, 0, mov eax, [scratch + 1]
        ret

doubles:
        mov     byte [IDT + GP * 8 + 5], 0x80
        mov     ax, 0x800
        fault_case "#GP in #GP is #DF", DF, 0, mov ds, ax
        mov     byte [IDT + GP * 8 + 5], 0x8e
        mov     byte [IDT + DE * 8 + 5], 0x0e
        xor     ecx, ecx
        fault_case "#NP in #DE is #DF", DF, 0, div ecx
        mov     byte [IDT + DE * 8 + 5], 0x8e
        mov     word [IDT + NP * 8 + 2], 0x800
        mov     ax, NPDATA
        fault_case "#GP in #NP is #DF", DF, 0, mov ds, ax
        mov     byte [IDT + UD * 8 + 5], 0x0e
        fault_case "#GP in #NP in #UD is #DF", DF, 0, ud2
        mov     byte [IDT + UD * 8 + 5], 0x8e
        mov     word [IDT + NP * 8 + 2], CS0
        mov     byte [IDT + BR * 8 + 5], 0
        mov     eax, 9
        mov     dword [scratch], 10
        mov     dword [scratch + 4], 20
        fault_case "#GP in #BR is #GP", GP, BR * 8 + 3, bound eax, [scratch]
        mov     byte [IDT + BR * 8 + 5], 0x8e
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; Debug registers, TF, RF and the shadow of MOV SS [SDM 3B ch. 17].
; expect: done
%include "inc/pm.inc"

log_n   equ 0x20000                     ; traps seen by `note`
log_at  equ 0x20010                     ; EIP, DR6 (low half), ECX, EFLAGS of each
VAR     equ 0x30000
VEC     equ 0x40

main:   call    execute
        call    data
        call    detect
        call    single
        call    btf
        call    shadows
        call    ports
        ret

; A hook that logs traps and goes on; instruction breakpoints need RF.
note:   call    note_it
        or      dword [esp + 4 + 48], FL_RF
        ret
; Like note, but clears TF after the number of traps in note_left.
note_tf:
        call    note_it
        dec     dword [left]
        jg      .more
        and     dword [esp + 4 + 48], ~FL_TF
.more:  ret
note_it:
        mov     eax, [log_n]
        inc     dword [log_n]
        and     eax, 63
        shl     eax, 4
        mov     edx, [got_eip]
        mov     [log_at + eax], edx
        mov     edx, [got_dr6]
        and     edx, 0xe00f
        mov     [log_at + eax + 4], edx
        mov     edx, [got_ecx]
        mov     [log_at + eax + 8], edx
        mov     edx, [got_efl]
        mov     [log_at + eax + 12], edx
        xor     edx, edx
        mov     dr6, edx
        ret
left    equ scratch + 0x80

%macro dr 2                             ; number, value
        mov     eax, %2
        mov     dr%1, eax
%endmacro
%macro clear 0
        xor     eax, eax
        mov     dr6, eax
        mov     dr7, eax
        mov     [log_n], eax
%endmacro
%macro check_dr6 2
        mov     eax, [got_dr6]
        and     eax, 0xe00f
        check   %1, eax, %2
%endmacro

execute:
        clear
        dr      0, .bp
        dr      7, 1
        case    "execute breakpoint", DB_, 0
        fault_at .bp
        nop
.bp:    inc     ebx
        endcase
        check_dr6 "execute: DR6", 1
        mov     eax, [got_efl]
        and     eax, FL_RF
        check   "execute: pushed RF", eax, 0
        dr      0, .bp2
        case    "execute breakpoint at iret's target, RF", NONE, 0
        mov     ebx, 7
        push    dword FL_RF | 2
        push    dword CS0
        push    dword .bp2
        iretd
.bp2:   inc     ebx
        endcase
        check   "RF: it ran once", ebx, 8
        case    "without RF", DB_, 0
        dr      0, .bp2b
        fault_at .bp2b
        push    dword 2
        push    dword CS0
        push    dword .bp2b
        iretd
.bp2b:  nop
        endcase
        case    "popfd does not set RF", DB_, 0
        dr      0, .bp3
        fault_at .bp3
        push    dword FL_RF | 2
        popfd
.bp3:   nop
        endcase
        clear
        dr      3, .bp4
        dr      7, 0x80                 ; G3
        case    "DR3, global", DB_, 0
        fault_at .bp4
.bp4:   nop
        endcase
        check_dr6 "DR3: DR6", 8
        clear
        dr      0, .bp5
        dr      1, .bp5
        dr      7, 1                    ; only DR0 enabled
        case    "disabled ones show, too", DB_, 0
.bp5:   nop
        endcase
        mov     eax, [got_dr6]
        and     eax, 1
        check   "disabled: B0", eax, 1
        clear
        dr      0, .bp6 + 1
        dr      7, 1
        case    "not in the middle of an instruction", NONE, 0
.bp6:   mov     eax, 1
        endcase
        clear
        dr      0, .bp7
        dr      7, 1
        mov     dword [log_n], 0
        case    "fault, hook sets RF, goes on", NONE, 0
        mov     dword [hook], note
        mov     ebx, 3
.bp7:   inc     ebx
        dec     ecx
        endcase
        check   "hook: once", [log_n], 1
        check   "hook: ran once", ebx, 4
        clear
        dr      0, .rep
        dr      7, 1
        case    "rep: RF lasts for all iterations", NONE, 0
        mov     dword [hook], note
        mov     ecx, 10
        mov     esi, 0x21000
        mov     edi, 0x22000
.rep:   rep     movsb
        endcase
        check   "rep: one trap", [log_n], 1
        clear
        ret

; R/W and LEN of DR0: type 1 write, 3 read or write
%macro watch 3                          ; address, type, length code
        clear
        dr      0, %1
        dr      7, 2 | (%2) << 16 | (%3) << 18
%endmacro
%macro hit 2+                           ; must trap after the instruction
        case    %1, DB_, 0
        fault_at %%next
        %2
%%next: nop
        endcase
        check_dr6 "its DR6", 1
%endmacro
%macro miss 2+
        case    %1, NONE, 0
        %2
        nop
        endcase
%endmacro
data:   watch   VAR, 1, 0
        hit     "write byte", mov [VAR], al
        hit     "write dword over it", mov [VAR - 3], eax
        miss    "read, write breakpoint", mov al, [VAR]
        miss    "write beside", mov [VAR + 1], al
        miss    "write below", mov [VAR - 4], eax
        hit     "or", or byte [VAR], 0
        hit     "xchg", xchg al, [VAR]
        watch   VAR, 3, 3
        hit     "read dword", mov eax, [VAR]
        hit     "read last byte", mov al, [VAR + 3]
        hit     "read byte below and first", mov ax, [VAR - 1]
        miss    "read behind", mov al, [VAR + 4]
        hit     "write, read-write breakpoint", mov [VAR], eax
        hit     "fld qword over it", fld qword [VAR - 4]
        fninit
        hit     "push from it", push dword [VAR]
        hit     "cmp", cmp dword [VAR], 0
        miss    "lea", lea eax, [VAR]
        watch   VAR + 2, 1, 1
        hit     "word at 2", mov [VAR + 3], al
        miss    "word at 2: byte 1", mov [VAR + 1], al
        watch   VAR + 1, 1, 3           ; misaligned: the low bits do not count
        hit     "misaligned dword: byte 0", mov [VAR], al
        miss    "misaligned dword: byte 4", mov [VAR + 4], al
        clear
        dr      1, VAR + 8
        dr      7, 4 | 0x00100000
        case    "DR1, local", DB_, 0
        mov     [VAR + 8], al
        nop
        endcase
        check_dr6 "DR1: DR6", 2
        watch   0x31004, 1, 0
        mov     ecx, 8
        mov     edi, 0x31000
        case    "rep stosb: after the iteration", DB_, 0
        fault_at .stos
.stos:  rep     stosb
        nop
        endcase
        check   "rep stosb: ecx", [got_ecx], 3
        mov     eax, [got_efl]
        and     eax, FL_RF
        check   "rep stosb: RF", eax, FL_RF
        check   "rep stosb: edi", [got_edi], 0x31005
        watch   0x31007, 1, 0
        mov     ecx, 8
        mov     edi, 0x31000
        case    "rep stosb: last iteration", DB_, 0
        fault_at .stose
        rep     stosb
.stose: nop
        endcase
        check   "last: ecx", [got_ecx], 0
        mov     eax, [got_efl]
        and     eax, FL_RF
        check   "last: RF", eax, 0
        clear
        ret

detect: clear
        dr      7, 0x2000
        case    "GD: mov from dr0", DB_, 0
        at_here
        mov     eax, dr0
        endcase
        check_dr6 "GD: DR6.BD", 0x2000
        mov     eax, dr7
        and     eax, 0x2000
        check   "GD: cleared", eax, 0
        clear
        case    "DR6: fixed bits", NONE, 0
        mov     eax, 0
        mov     dr6, eax
        mov     ebx, dr6
        mov     eax, -1
        mov     dr6, eax
        mov     ecx, dr6
        endcase
        and     ebx, 0xffff1ff0
        and     ebx, ~0x800
        check   "DR6: zeros written", ebx, 0xffff07f0
        mov     eax, 0
        mov     dr7, eax
        mov     eax, dr7
        check   "DR7: bit 10", eax, 0x400
        clear
        ret

; TF: `left` traps are logged
%macro step 2                           ; name, number of traps
        clear
        mov     dword [left], %2
        case    %1, NONE, 0
        mov     dword [hook], note_tf
        push    dword FL_TF | 2
        popfd
%endmacro
single: step    "TF: three instructions", 3
        nop
.s1:    inc     ebx
.s2:    cld
.s3:    nop
        endcase
        check   "TF: traps", [log_n], 3
        check   "TF: first", [log_at], .s1
        check   "TF: second", [log_at + 16], .s2
        check   "TF: third", [log_at + 32], .s3
        check   "TF: BS", [log_at + 4], 0x4000
        mov     esi, 0x21000
        mov     edi, 0x22000
        mov     ecx, 3
        step    "TF: rep movsb", 4
.r0:    rep     movsb
.r1:    nop
.r2:    nop
        endcase
        check   "TF rep: first at the instruction", [log_at], .r0
        check   "TF rep: ecx", [log_at + 8], 2
        mov     eax, [log_at + 12]
        and     eax, FL_RF
        check   "TF rep: RF", eax, FL_RF
        mov     eax, [log_at + 32 + 12]
        and     eax, FL_RF
        check   "TF rep: RF after the last", eax, 0
        check   "TF rep: second", [log_at + 16], .r0
        check   "TF rep: third behind it", [log_at + 32], .r1
        check   "TF rep: then", [log_at + 48], .r2
        set_idt VEC, CS0, .handler, 0x8e
        step    "TF: int n", 2
        nop
.i0:    int     VEC
.i1:    nop
.i2:    nop
        endcase
        check   "TF int: first", [log_at], .i0
        check   "TF int: not in the handler, after the next", [log_at + 16], .i2
        step    "TF: popfd that clears it", 2
        push    dword 2
.p0:    popfd
.p1:    nop
        endcase
        check   "TF popfd: trap after", [log_at + 16], .p1
        step    "TF: jump", 1
        jmp     .j1
        nop
.j1:    nop
        endcase
        check   "TF jump", [log_at], .j1
        clear
        case    "TF: a fault has priority", UD, 0
        push    dword FL_TF | 2
        popfd
        ud2
        endcase
        mov     eax, [got_efl]
        and     eax, FL_TF
        check   "TF: in the fault's image", eax, FL_TF
        clear
        dr      0, VAR
        dr      7, 2 | 0x10000
        case    "TF and a data breakpoint", DB_, 0
        push    dword FL_TF | 2
        popfd
        mov     [VAR], al
        nop
        endcase
        check_dr6 "both: DR6", 0x4001
        clear
        dr      0, .both
        dr      7, 2
        case    "TF, then an execute breakpoint", DB_, 0
        fault_at .both
        push    dword FL_TF | 2
        popfd
        nop
.both:  nop
        endcase
        mov     eax, [got_dr6]
        and     eax, 0x4000
        check   "TF then execute: DR6.BS", eax, 0x4000
        clear
        ret
.handler:
        nop
        iretd

; Single steps on branches [SDM 3B 17.4.3]: IA32_DEBUGCTL.BTF, which every #DB clears.
DEBUGCTL equ 0x1d9
BTF     equ 2
note_btf:                               ; like note_tf, and sets BTF again
        mov     ecx, DEBUGCTL
        mov     eax, BTF
        xor     edx, edx
        wrmsr
        jmp     note_tf
%macro step_btf 3                       ; name, number of traps, hook
        clear
        mov     dword [left], %2
        case    %1, NONE, 0
        mov     ecx, DEBUGCTL
        mov     eax, BTF
        xor     edx, edx
        wrmsr
        mov     dword [hook], %3
        mov     ecx, 3
        push    dword FL_TF | 2
        popfd
%endmacro
%macro check_at 3                       ; name, number of the trap, address
        check   %1, [log_at + (%2) * 16], %3
%endmacro
btf:    step_btf "BTF: until a branch is taken", 2, note_tf
        nop
        xor     eax, eax
        jnz     .j0
        mov     esi, 0x21000
        mov     edi, 0x22000
        rep     movsb
        jmp     .j0
        nop
.j0:    nop
.j1:    nop
        endcase
        check_at "BTF: first at the target", 0, .j0
        check   "BTF: DR6", [log_at + 4], 0x4000
        check_at "BTF: cleared: then each instruction", 1, .j1
        case    "BTF: rdmsr", NONE, 0
        mov     ecx, DEBUGCTL
        rdmsr
        endcase
        check   "BTF: reads 0", eax, 0
        step_btf "BTF: every kind of branch", 9, note_btf
        call    .c0
.c1:    jz      .z0                     ; not taken
        xor     eax, eax
        jz      .z0                     ; taken, to what follows
.z0:    nop
.l0:    loop    .l0                     ; three times, two taken
        jecxz   .e0
        nop
.e0:    mov     eax, .f0
        jmp     eax
        nop
.f0:    jmp     CS0:.f1
.f1:    push    dword FL_TF | 2
        push    dword CS0
        push    dword .i0
        iretd
        nop
.i0:    nop
        endcase
        check   "BTF: branches", [log_n], 9
        check_at "BTF: call", 0, .c0
        check_at "BTF: ret", 1, .c1
        check_at "BTF: jz to what follows", 2, .z0
        check_at "BTF: loop", 3, .l0
        check_at "BTF: loop again", 4, .l0
        check_at "BTF: jecxz", 5, .e0
        check_at "BTF: jmp eax", 6, .f0
        check_at "BTF: jmp far", 7, .f1
        check_at "BTF: iretd", 8, .i0
        clear
        dr      0, VAR
        dr      7, 2 | 0x10000
        case    "BTF: a data breakpoint", DB_, 0
        mov     ecx, DEBUGCTL
        mov     eax, BTF
        xor     edx, edx
        wrmsr
        fault_at .d0
        push    dword FL_TF | 2
        popfd
        nop
        mov     [VAR], al
.d0:    nop
        endcase
        check_dr6 "BTF data: DR6 without BS", 1
        case    "BTF: LBR, which leaves BTF alone", NONE, 0
        mov     ecx, DEBUGCTL
        rdmsr
        mov     ebx, eax
        mov     eax, 1
        xor     edx, edx
        wrmsr
        rdmsr
        endcase
        and     eax, BTF
        or      eax, ebx
        check   "BTF data: cleared", eax, 0
        case    "DEBUGCTL: reserved bit", GP, 0
        mov     eax, 4
        wrmsr
        endcase
        clear
        ret
.c0:    test    esp, esp
        ret

shadows:
        step    "TF: mov ss", 1
        mov     dx, ss
.t0:    mov     ss, dx
        nop
.t1:    nop
        endcase
        mov     dx, ss
        step    "TF: mov ss shadows one", 2
        nop
.m0:    mov     ss, dx
        nop
.m1:    nop
.m2:    nop
        endcase
        check   "mov ss: before it", [log_at], .m0
        check   "mov ss: next trap after the next", [log_at + 16], .m1
        step    "TF: pop ss", 2
        push    ss
.p0:    pop     ss
        nop
.p1:    nop
        endcase
        check   "pop ss: next trap", [log_at + 16], .p1
        clear
        dr      0, .x1
        dr      7, 1
        mov     dx, ss
        case    "mov ss hides an execute breakpoint", NONE, 0
        mov     ss, dx
.x1:    nop
        nop
        endcase
        clear
        push    ss
        pop     dword [VAR]
        dr      0, VAR
        dr      7, 1 | 0x30000
        case    "data breakpoint on mov ss comes later", DB_, 0
        fault_at .d1
        mov     ss, [VAR]
        nop
.d1:    nop
        endcase
        check_dr6 "mov ss data: DR6", 1
        clear
        ret
; Breakpoints on ports: CR4.DE and R/W = 2
%macro port 3                           ; address, length code, CR4.DE
        clear
        mov     eax, cr4
        and     al, ~8
        or      al, (%3) << 3
        mov     cr4, eax
        dr      0, %1
        dr      7, 2 | 0x20000 | (%2) << 18
%endmacro
ports:  port    0x80, 0, 1
        hit     "out", out 0x80, al
        hit     "in", in al, 0x80
        hit     "in ax from below", in ax, 0x7f
        miss    "port beside", out 0x81, al
        miss    "memory at that address", mov al, [0x80]
        port    0x80, 1, 1
        hit     "word: second port", out 0x81, al
        miss    "word: third", out 0x82, al
        mov     dx, 0x80
        mov     esi, VAR
        mov     ecx, 3
        case    "rep outsb: after the iteration", DB_, 0
        fault_at .outs
.outs:  rep     outsb
        nop
        endcase
        check   "rep outsb: ecx", [got_ecx], 2
        clear
        mov     eax, cr4
        and     al, ~8
        mov     cr4, eax
        ret
%include "inc/end.inc"

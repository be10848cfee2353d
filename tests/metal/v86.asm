; SPDX-License-Identifier: MIT
; Virtual-8086 mode, its extensions (VME), and PVI [SDM 3B ch. 20].
; expect: done
%include "inc/pm.inc"

IOPL3   equ 0x3000
V       equ FL_VM | 2
VEC     equ 0x40
TA      equ FREE
TSS_A   equ 0x10000
CONF    equ FREE + 8
REDIR   equ TSS + 0x68
IOMAP   equ TSS + 0x68 + 32
GOOD     equ UD                          ; how good cases end

main:   call    modes
        call    no_vme
        call    opcodes
        call    ports
        call    segs
        mov     eax, cr4
        or      al, 1
        mov     cr4, eax
        call    vme
        call    redirect
        mov     eax, cr4
        and     al, 0xfe
        or      al, 2
        mov     cr4, eax
        call    pvi
        mov     eax, cr4
        and     al, 0xfd
        mov     cr4, eax
        call    task
        ret

; enter86 EFLAGS, label
%macro enter86 2
        push    dword 0x4444            ; GS
        push    dword 0x3333            ; FS
        push    dword 0                 ; DS
        push    dword 0x1111            ; ES
        push    dword 0                 ; SS
        push    dword STACK3
        push    dword %1
        push    dword 0                 ; CS
        push    dword %2
        iretd
%endmacro
; v86 "name", vector, error, EFLAGS, instructions: ends with UD2
%macro v86 5+
        case    %1, %2, %3
%if (%2) != GOOD
        fault_at %%here
%else
        fault_at %%end
%endif
        enter86 %4, %%here
        bits    16
%%here: %5
%%end:  ud2
        bits    32
        endcase
%endmacro
; v86_ud "name", EFLAGS, instruction that is undefined here
%macro v86_ud 3+
        case    %1, UD, 0
        fault_at %%here
        enter86 %2, %%here
        bits    16
%%here: %3
        hlt
        bits    32
        endcase
%endmacro
; check_flags "name", mask, want: EFLAGS as pushed at the end
%macro check_flags 3
        mov     eax, [got_efl]
        and     eax, %2
        check   %1, eax, %3
%endmacro

modes:  v86     "enter and leave", GOOD, 0, V, nop
        check   "frame: size", [got_sp0], STACK0R - 40
        check_flags "frame: VM", FL_VM, FL_VM
        mov     ebx, [got_sp0]
        check   "frame: es", [ebx + 24], 0x1111
        check   "frame: ds", [ebx + 28], 0
        check   "frame: fs", [ebx + 32], 0x3333
        check   "frame: gs", [ebx + 36], 0x4444
        check   "frame: ss", [got_ss], 0
        check   "frame: esp", [got_esp], STACK3
        check   "handler: ds null", [got_ds], 0
        check   "handler: es null", [got_es], 0
        mov     eax, [got_gs]
        and     eax, 0xffff
        check   "handler: gs null", eax, 0
        case    "iret in ring 3 ignores VM", EXIT3, 0
        ring3   .r3
.r3:    push    dword FL_VM | 2
        push    dword CS3
        push    dword .r3b
        iretd
.r3b:   exit3
        endcase
        check_flags "iret in ring 3: VM", FL_VM, 0
        case    "popfd ignores VM", NONE, 0
        push    dword FL_VM | 2
        popfd
        pushfd
        pop     ebx
        endcase
        and     ebx, FL_VM
        check   "popfd: VM", ebx, 0
        set_desc CONF, 0, 0xfffff, 0x9f, 12
        set_idt VEC, CONF, STUBS + VEC * 16, 0xee
        v86     "gate to conforming code", GP, CONF, V | IOPL3, int VEC
        set_idt VEC, CS1, STUBS + VEC * 16, 0xee
        v86     "gate to ring 1", GP, CS1 & ~3, V | IOPL3, int VEC
        set_idt VEC, CS0, STUBS + VEC * 16, 0x8e
        v86     "int n: gate DPL 0", GP, VEC * 8 + 2, V | IOPL3, int VEC
        set_idt VEC, CS0, STUBS + VEC * 16, 0xee
        ret

no_vme: v86     "IOPL 0: cli", GP, 0, V, cli
        v86     "IOPL 0: sti", GP, 0, V, sti
        v86     "IOPL 0: pushf", GP, 0, V, pushfw
        v86     "IOPL 0: popf", GP, 0, V, popfw
        v86     "IOPL 0: pushfd", GP, 0, V, pushfd
        v86     "IOPL 0: iret", GP, 0, V, iretw
        v86     "IOPL 0: int n", GP, 0, V, int VEC
        v86     "IOPL 0: int 3 (CD)", GP, 0, V, db 0xcd, 3
        v86     "IOPL 2: cli", GP, 0, V | 0x2000, cli
        case    "IOPL 0: int3", BP_, 0
        enter86 V, .i3
        bits    16
.i3:    int3
        bits    32
        endcase
        case    "IOPL 0: into, OF set", OF_, 0
        fault_at .of
        enter86 V | 0x800, .into
        bits    16
.into:  into
.of:    ud2
        bits    32
        endcase
        v86     "IOPL 0: into, OF clear", GOOD, 0, V, into
        case    "IOPL 3: int n", VEC, 0
        enter86 V | IOPL3, .in
        bits    16
.in:    int     VEC
        bits    32
        endcase
        v86     "IOPL 3: cli", GOOD, 0, V | IOPL3 | FL_IF, cli
        check_flags "IOPL 3: cli: IF", FL_IF, 0
        v86     "IOPL 3: sti", GOOD, 0, V | IOPL3, sti
        check_flags "IOPL 3: sti: IF", FL_IF, FL_IF
        v86     "IOPL 3: popf keeps IOPL", GOOD, 0, V | IOPL3, db 0x68, 0, 2, 0x9d
        check_flags "IOPL 3: popf: IF, IOPL", 0x3200, 0x3200
        v86     "IOPL 3: popfd keeps VM, IOPL", GOOD, 0, V | IOPL3, db 0x66, 0x6a, 2, 0x66, 0x9d
        check_flags "IOPL 3: popfd: VM, IOPL", 0x23200, 0x23000
        v86     "IOPL 3: pushf", GOOD, 0, V | IOPL3 | FL_IF, db 0x9c, 0x58
        mov     eax, [got_eax]
        and     eax, 0xf200
        check   "IOPL 3: pushf: image", eax, 0x3200
        case    "IOPL 3: iret", GOOD, 0
        fault_at .i1
        enter86 V | IOPL3, .i0
        bits    16
.i0:    push    word 0x0201
        push    cs
        push    word .i1
        iretw
.i1:    ud2
        bits    32
        endcase
        check_flags "IOPL 3: iret: IF, CF, IOPL", 0x3201, 0x3201
        ret

opcodes:
        v86     "hlt", GP, 0, V | IOPL3, hlt
        v86     "mov cr0", GP, 0, V | IOPL3, mov cr0, eax
        v86     "mov from cr0", GP, 0, V | IOPL3, mov eax, cr0
        v86     "mov dr7", GP, 0, V | IOPL3, mov dr7, eax
        v86     "lgdt", GP, 0, V | IOPL3, lgdt [0]
        v86     "clts", GP, 0, V | IOPL3, clts
        v86     "lmsw", GP, 0, V | IOPL3, lmsw ax
        v86     "smsw", GOOD, 0, V | IOPL3, smsw ax
        v86     "wbinvd", GP, 0, V | IOPL3, wbinvd
        v86     "rdmsr", GP, 0, V | IOPL3, rdmsr
        v86_ud  "lar", V | IOPL3, lar ax, bx
        v86_ud  "verr", V | IOPL3, verr bx
        v86_ud  "sldt", V | IOPL3, sldt ax
        v86_ud  "str", V | IOPL3, str ax
        v86_ud  "lldt", V | IOPL3, lldt ax
        v86_ud  "ltr", V | IOPL3, ltr ax
        v86_ud  "arpl", V | IOPL3, arpl ax, bx
        ret

ports:  v86     "in, bit set", GP, 0, V | IOPL3, in al, 0x80
        and     byte [IOMAP + 0x80 / 8], ~1
        v86     "in, bit clear", GOOD, 0, V, in al, 0x80
        v86     "in ax: second bit set", GP, 0, V, in ax, 0x80
        and     byte [IOMAP + 0x80 / 8], ~2
        v86     "in ax: both clear", GOOD, 0, V, in ax, 0x80
        v86     "in eax: third bit set", GP, 0, V, in eax, 0x80
        and     byte [IOMAP + 0x80 / 8], 0x7f
        and     byte [IOMAP + 0x80 / 8], 0x3f
        v86     "in ax across a byte of the map", GP, 0, V, in ax, 0x87
        and     byte [IOMAP + 0x80 / 8 + 1], 0xfe
        and     byte [IOMAP + 0x80 / 8], 0
        v86     "in ax across, clear", GOOD, 0, V, in ax, 0x87
        v86     "out", GOOD, 0, V, out 0x80, al
        mov     dx, 0xffff
        v86     "last port, bit set", GP, 0, V, in al, dx
        mov     byte [IOMAP + 0x1fff], 0
        mov     dx, 0xffff
        v86     "last port, bit clear", GOOD, 0, V, in al, dx
        mov     word [GDT + TSS0], TSS_END - 2 - TSS
        mov     byte [GDT + TSS0 + 5], 0x89
        mov     ax, TSS0
        ltr     ax
        mov     dx, 0xffff
        v86     "last port: second byte beyond the limit", GP, 0, V, in al, dx
        mov     word [GDT + TSS0], TSS_END - 1 - TSS
        mov     byte [GDT + TSS0 + 5], 0x89
        mov     ax, TSS0
        ltr     ax
        mov     byte [IOMAP + 0x1fff], 0xff
        mov     word [TSS + 0x66], 0xffff
        v86     "map beyond the limit", GP, 0, V, in al, 0x80
        case    "ring 3, IOPL 3: no map needed", EXIT3, 0
        ring3   .r3, IOPL3 | 2
.r3:    in      al, 0x80
        exit3
        endcase
        mov     word [TSS + 0x66], 0x88
        case    "ring 3, IOPL 0: map, clear", EXIT3, 0
        ring3   .r3
        endcase
        mov     byte [IOMAP + 0x80 / 8], 1
        case    "ring 3, IOPL 0: map, set", GP, 0
        fault_at .r3
        ring3   .r3
        endcase
        mov     dword [IOMAP + 0x80 / 8], -1
        ret

segs:   mov     dword [0xffff], 0
        v86     "word at FFFF", GP, 0, V, mov ax, [0xffff]
        mov     ebx, 0x10000
        v86     "offset 10000h", GP, 0, V, mov al, [ebx]
        mov     bp, 0xffff
        v86     "word at SS:FFFF", SS_, 0, V, mov ax, [bp]
        mov     ax, 0x1234
        v86     "mov ds: any value", GOOD, 0, V, mov ds, ax
        mov     ebx, [got_sp0]
        check   "mov ds: pushed", [ebx + 28], 0x1234
        case    "far jump", GOOD, 0
        enter86 V, .jmp
        bits    16
.jmp:   db      0xea
        dw      .far - 0x100, 0x10
.far:   ud2
        bits    32
        endcase
        check   "far jump: cs", [got_cs], 0x10
        check   "far jump: eip", [got_eip], .far - 0x100
        ret

; VIF, VIP and IOPL 0
vme:    v86     "VME: cli", GOOD, 0, V | FL_VIF | FL_IF, cli
        check_flags "VME: cli: VIF, IF", FL_VIF | FL_IF, FL_IF
        v86     "VME: sti", GOOD, 0, V, sti
        check_flags "VME: sti: VIF, IF", FL_VIF | FL_IF, FL_VIF
        v86     "VME: sti with VIP", GP, 0, V | FL_VIP, sti
        v86     "VME: cli with VIP", GOOD, 0, V | FL_VIP | FL_VIF, cli
        check_flags "VME: cli: VIP stays", FL_VIF | FL_VIP, FL_VIP
        v86     "VME: pushf, VIF", GOOD, 0, V | FL_VIF, db 0x9c, 0x58
        mov     eax, [got_eax]
        and     eax, 0xf200
        check   "VME: pushf: IF = VIF, IOPL = 3", eax, 0x3200
        v86     "VME: pushf, IF", GOOD, 0, V | FL_IF, db 0x9c, 0x58
        mov     eax, [got_eax]
        and     eax, 0xf200
        check   "VME: pushf: IF not shown", eax, 0x3000
        v86     "VME: pushfd", GP, 0, V, pushfd
        v86     "VME: popfd", GP, 0, V, popfd
        v86     "VME: iretd", GP, 0, V, iretd
        v86     "VME: popf sets VIF", GOOD, 0, V, db 0x68, 0, 2, 0x9d
        check_flags "VME: popf: VIF, IF, IOPL", FL_VIF | 0x3200, FL_VIF
        v86     "VME: popf clears VIF", GOOD, 0, V | FL_VIF | FL_IF, db 0x6a, 0, 0x9d
        check_flags "VME: popf 0: VIF, IF", FL_VIF | FL_IF, FL_IF
        case    "VME: popf IF with VIP", GP, 0
        fault_at .p1
        enter86 V | FL_VIP, .p0
        bits    16
.p0:    push    word 0x200
.p1:    popfw
        bits    32
        endcase
        check   "VME: popf: sp kept", [got_esp], STACK3 - 2
        case    "VME: popf TF", GP, 0
        fault_at .t1
        enter86 V, .t0
        bits    16
.t0:    push    word 0x100
.t1:    popfw
        bits    32
        endcase
        case    "VME: iret sets VIF", GOOD, 0
        fault_at .i1
        enter86 V, .i0
        bits    16
.i0:    push    word 0x201
        push    cs
        push    word .i1
        iretw
.i1:    ud2
        bits    32
        endcase
        check_flags "VME: iret: VIF, IF, CF", FL_VIF | FL_IF | FL_CF, FL_VIF | FL_CF
        check   "VME: iret: sp", [got_esp], STACK3
        v86     "VME, IOPL 3: cli", GOOD, 0, V | IOPL3 | FL_IF | FL_VIF, cli
        check_flags "VME, IOPL 3: cli: IF, VIF", FL_IF | FL_VIF, FL_VIF
        ret

; INT n through the redirection map
redirect:
        push    dword [VEC * 4]
        mov     dword [VEC * 4], .handler
        v86     "VME: int n, bit set, IOPL 0", GP, 0, V, int VEC
        case    "VME: int n, bit set, IOPL 3", VEC, 0
        enter86 V | IOPL3, .int
        endcase
        and     byte [REDIR + VEC / 8], ~1
        case    "VME: redirected, IOPL 0", GOOD, 0
        fault_at .handler
        enter86 V | FL_VIF | FL_IF, .int
        endcase
        check   "redirected: esp", [got_esp], STACK3 - 6
        check_flags "redirected: VIF, IF, IOPL", FL_VIF | 0x3200, FL_IF
        movzx   eax, word [STACK3 - 2]
        and     eax, 0xf200
        check   "redirected: image IF = VIF, IOPL 3", eax, 0x3200
        movzx   eax, word [STACK3 - 6]
        check   "redirected: ip", eax, .after
        case    "VME: redirected, IOPL 3", GOOD, 0
        fault_at .handler
        enter86 V | IOPL3 | FL_IF | FL_VIF, .int
        endcase
        check_flags "redirected, IOPL 3: VIF, IF", FL_VIF | FL_IF, FL_VIF
        movzx   eax, word [STACK3 - 2]
        and     eax, 0xf200
        check   "redirected, IOPL 3: image", eax, 0x3200
        or      byte [REDIR + VEC / 8], 1
        pop     dword [VEC * 4]
        ret
        bits    16
.int:   int     VEC
.after: ud2
.handler:
        ud2
        bits    32

; Ring 3 with CR4.PVI
pvi:    case    "PVI: sti", EXIT3, 0
        ring3   .sti
.sti:   sti
        exit3
        endcase
        check_flags "PVI: sti: VIF, IF", FL_VIF | FL_IF, FL_VIF
        case    "PVI: cli", EXIT3, 0
        ring3   .cli, 2 | FL_VIF | FL_IF
.cli:   cli
        exit3
        endcase
        check_flags "PVI: cli: VIF, IF", FL_VIF | FL_IF, FL_IF
        case    "PVI: sti with VIP", GP, 0
        fault_at .sti
        ring3   .sti, 2 | FL_VIP
        endcase
        case    "PVI: pushfd shows IF itself", EXIT3, 0
        ring3   .pf, 2 | FL_VIF
.pf:    pushfd
        pop     eax
        exit3
        endcase
        mov     eax, [got_eax]
        and     eax, FL_IF | FL_VIF
        check   "PVI: pushfd", eax, FL_VIF
        ret

; A task switch into virtual-8086 mode
task:   set_desc TA, TSS_A, 0x67, 0x89, 0
        mov     edi, TSS_A
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     dword [TSS_A + 4], STACK0R
        mov     dword [TSS_A + 8], DS0
        mov     dword [TSS_A + 0x20], .v
        mov     dword [TSS_A + 0x24], V
        mov     dword [TSS_A + 0x38], STACK3
        mov     dword [TSS_A + 0x48], 0x5555
        case    "task switch into V86", GOOD, 0
        fault_at .v
        jmp     TA:0
        endcase
        mov     ebx, [got_sp0]
        check   "V86 task: es", [ebx + 24], 0x5555
        check_flags "V86 task: VM", FL_VM, FL_VM
        clts
        ret
        bits    16
.v:     ud2
        bits    32
%include "inc/end.inc"

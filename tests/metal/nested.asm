; SPDX-License-Identifier: MIT
; Interrupts and faults across modes: task gates from V86, V86 tasks resumed by IRET, faults while
; leaving, TF and NT over task switches [SDM 3A ch. 6, 7; 3B ch. 20].
; expect: done
%include "inc/pm.inc"

TA      equ FREE
TV      equ FREE + 8
TSS_A   equ 0x10000
TSS_V   equ 0x10100
VEC     equ 0x40
seen    equ scratch + 0x80
V       equ FL_VM | 2

main:   set_desc TA, TSS_A, 0x67, 0x89, 0
        set_desc TV, TSS_V, 0x67, 0x89, 0
        call    from_v86
        call    into_v86
        call    step
        call    faults
        ret

; TSS at EDI starts at EBX with EFLAGS = EDX
tss_at: push    edi
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        pop     edi
        mov     dword [edi + 4], STACK0R
        mov     dword [edi + 8], DS0
        mov     [edi + 0x20], ebx
        mov     [edi + 0x24], edx
        mov     dword [edi + 0x38], 0x5c00
        test    edx, FL_VM
        jnz     .v86
        mov     dword [edi + 0x48], DS0
        mov     dword [edi + 0x4c], CS0
        mov     dword [edi + 0x50], DS0
        mov     dword [edi + 0x54], DS0
.v86:   ret
home:   mov     dword [GDT + TSS0 + 4], 0x8900
        mov     byte [GDT + TA + 5], 0x89
        mov     byte [GDT + TV + 5], 0x89
        mov     ax, TSS0
        ltr     ax
        clts
        ret

; Virtual-8086 mode interrupted by a task: its registers are in the TSS, IRET brings it back.
from_v86:
        mov     edi, TSS_A
        mov     ebx, .task
        mov     edx, 2
        call    tss_at
        set_gate IDT + VEC * 8, TA, 0, 0xe5, 0
        case    "V86, task gate, iret", UD, 0
        fault_at .after
        push    dword 0x4444
        push    dword 0x3333
        push    dword 0x2222
        push    dword 0x1111
        push    dword 0x100
        push    dword 0x3000
        push    dword V | 0x3000
        push    dword 0
        push    dword .v
        iretd
        bits    16
.v:     int     VEC
.after: ud2
        bits    32
.task:  mov     eax, [TSS + 0x24]
        mov     [seen], eax
        mov     eax, [TSS + 0x5c]
        mov     [seen + 4], eax
        pushfd
        pop     dword [seen + 8]
        iretd
        endcase
        mov     eax, [seen]
        and     eax, FL_VM | 0x3000
        check   "saved EFLAGS has VM, IOPL", eax, FL_VM | 0x3000
        movzx   eax, word [seen + 4]
        check   "saved gs", eax, 0x4444
        mov     eax, [seen + 8]
        and     eax, FL_VM | FL_NT
        check   "the task: NT, no VM", eax, FL_NT
        mov     eax, [got_efl]
        and     eax, FL_VM
        check   "resumed in V86", eax, FL_VM
        mov     ebx, [got_sp0]
        check   "resumed es", [ebx + 24], 0x1111
        check   "resumed ss", [got_ss], 0x100
        check   "resumed esp", [got_esp], 0x3000
        set_idt VEC, CS0, STUBS + VEC * 16, 0xee
        call    home
        ret

; A task in V86 mode called; its IRET is a V86 one, a fault in it uses its own ring 0 stack.
into_v86:
        mov     edi, TSS_V
        mov     ebx, .v
        mov     edx, V | 0x3000
        call    tss_at
        mov     dword [TSS_V + 4], STACK0R - 0x200
        mov     dword [TSS_V + 0x48], 0x5555
        case    "call a V86 task: iret stays in it", UD, 0
        fault_at .out
        call    TV:0
        bits    16
.v:     pushfw
        push    word 0
        push    word .out
        iretw
.out:   ud2
        bits    32
        endcase
        check   "its own inner stack", [got_sp0], STACK0R - 0x200 - 40
        mov     eax, [got_efl]
        and     eax, FL_NT | FL_VM
        check   "NT and VM", eax, FL_NT | FL_VM
        movzx   eax, word [TSS_V]
        check   "back link", eax, TSS0
        call    home
        ret

; TF in the new task's EFLAGS traps after its first instruction.
step:   mov     edi, TSS_A
        mov     ebx, .task
        mov     edx, FL_TF | 2
        call    tss_at
        xor     eax, eax
        mov     dr6, eax
        case    "TF of the new task", DB_, 0
        fault_at .one
        jmp     TA:0
.task:  nop
.one:   nop
        endcase
        mov     eax, [got_dr6]
        and     eax, 0xe00f
        check   "BS, not BT", eax, 0x4000
        call    home
        case    "iret sets TF: one instruction later", DB_, 0
        fault_at .i1
        push    dword FL_TF | 2
        push    dword CS0
        push    dword .i0
        iretd
.i0:    nop
.i1:    nop
        endcase
        case    "iret to ring 3 with TF", DB_, 0
        fault_at .r1
        ring3   .r0, FL_TF | 2
.r0:    nop
.r1:    nop
        endcase
        check   "TF in ring 3: cs", [got_cs], CS3
        case    "TF: sti does not delay the trap", DB_, 0
        fault_at .s1
        push    dword FL_TF | 2
        popfd
.s0:    sti
.s1:    cli
        endcase
        case    "TF in V86", DB_, 0
        fault_at .v1
        push    dword 0
        push    dword 0
        push    dword 0
        push    dword 0
        push    dword 0
        push    dword STACK3
        push    dword V | FL_TF
        push    dword 0
        push    dword .v0
        iretd
        bits    16
.v0:    nop
.v1:    nop
        bits    32
        endcase
        ret

; IRET that faults leaves everything as it was: the frame, and the flags.
faults: case    "iret with a bad cs: esp", GP, 0x800
        push    dword 0x3202
        push    dword 0x800
        push    dword 0
        mov     ebx, esp
        at_here
        iretd
        endcase
        mov     eax, [got_sp0]
        add     eax, 16
        check   "esp kept", eax, ebx
        mov     eax, [got_efl]
        and     eax, 0x3200
        check   "flags kept", eax, 0
        case    "iret: outer ss bad: still ring 0", GP, DS0
        push    dword DS0
        push    dword STACK3
        push    dword FL_CF | 2
        push    dword CS3
        push    dword 0
        at_here
        iretd
        endcase
        check   "still cs", [got_cs], CS0
        case    "call gate frame that does not fit: old stack", SS_, DS1 & ~3
        set_gate GDT + FREE + 16, CS1, .never, 0xec, 0
        set_desc DS1, 0, 0x6bff, 0xb3, 4
        mov     dword [TSS + 12], 0x6c02
        fault_at .u
        ring3   .u
.u:     call    FREE + 16:0
.never: exit3
        endcase
        check   "old esp", [got_esp], STACK3
        set_desc DS1, 0, 0xfffff, 0xb3, 12
        mov     dword [TSS + 12], STACK1
        ; an exception in ring 3 code whose handler's frame needs the TSS: limit too short
        case    "TSS too short for the inner stack", TS, TSS0
        mov     word [GDT + TSS0], 0x0c ; ESP1 needs 17 bytes
        mov     byte [GDT + TSS0 + 5], 0x89
        mov     ax, TSS0
        ltr     ax
        fault_at .u
        ring3   .u
        endcase
        mov     word [GDT + TSS0], TSS_END - 1 - TSS
        mov     byte [GDT + TSS0 + 5], 0x89
        mov     ax, TSS0
        ltr     ax
        ret
%include "inc/end.inc"

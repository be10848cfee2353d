; SPDX-License-Identifier: MIT
; Hardware task switches [SDM 3A ch. 7].
; expect: done
%include "inc/pm.inc"

TA      equ FREE                        ; 32-bit TSS A
TB      equ FREE + 8                    ; 32-bit TSS B
T16     equ FREE + 16                   ; 16-bit TSS
TGATE   equ FREE + 24                   ; task gate to A, DPL 3
TNP     equ FREE + 32                   ; TSS not present
TSHORT  equ FREE + 40                   ; limit too small
LDTD    equ FREE + 48
NPCS    equ FREE + 56
NPDATA  equ FREE + 64
TGNULL  equ FREE + 72
TSS_A   equ 0x10000
TSS_B   equ 0x10100
TSS_C   equ 0x10180
TSS_16  equ 0x10200
LDT_AT  equ 0x10300
TC      equ FREE + 80
PD      equ 0x11000                     ; identity page directory, 4 MiB pages
PD2     equ 0x12000                     ; same, but page 1 at 400000h is page 0
STACKA  equ 0x5c00
VEC     equ 0x40
seen    equ scratch + 0x80

TR_BUSY equ 0x8b
TR_FREE equ 0x89

main:   set_desc TA, TSS_A, 0x67, TR_FREE, 0
        set_desc TB, TSS_B, 0x67, TR_FREE, 0
        set_desc T16, TSS_16, 0x2b, 0x81, 0
        set_desc TNP, TSS_A, 0x67, 0x09, 0
        set_desc TSHORT, TSS_A, 0x66, TR_FREE, 0
        set_desc LDTD, LDT_AT, 0x0f, 0x82, 0
        set_desc NPCS, 0, 0xfffff, 0x1b, 12
        set_desc NPDATA, 0, 0xfffff, 0x13, 12
        set_gate GDT + TGATE, TA, 0, 0xe5, 0
        set_gate GDT + TGNULL, 0, 0, 0xe5, 0
        set_gate IDT + VEC * 8, TA, 0, 0xe5, 0
        mov     dword [LDT_AT + 8], 0x0000ffff
        mov     dword [LDT_AT + 12], 0x00cf9300
        call    jumps
        call    calls
        call    refused
        call    halfway
        call    spaces
        call    small
        call    traps
        ret

; TSS A starts at EBX in ring 0 with its own stack.
fresh:  mov     edi, TSS_A
        mov     ecx, 0x68 / 4
        xor     eax, eax
        rep     stosd
        mov     dword [TSS_A + 0x20], ebx
        mov     dword [TSS_A + 0x24], 2
        mov     dword [TSS_A + 0x28], 0xa0a0a0a0
        mov     dword [TSS_A + 0x2c], 0xc0c0c0c0
        mov     dword [TSS_A + 0x34], 0xb0b0b0b0
        mov     dword [TSS_A + 0x38], STACKA
        mov     dword [TSS_A + 0x48], DS0
        mov     dword [TSS_A + 0x4c], CS0
        mov     dword [TSS_A + 0x50], DS0
        mov     dword [TSS_A + 0x54], DS0
        mov     dword [TSS_A + 0x58], 0
        mov     dword [TSS_A + 0x5c], DS3
        mov     byte [GDT + TA + 5], TR_FREE
        mov     eax, cr3
        mov     [TSS_A + 0x1c], eax
        ret
%macro task_a 1
        mov     ebx, %1
        call    fresh
%endmacro
; A case that may end in any task: back to TSS0.
%macro home 0
        mov     dword [GDT + TSS0 + 4], 0x8900
        mov     ax, TSS0
        ltr     ax
        xor     eax, eax
        lldt    ax
        clts
        mov     byte [GDT + TA + 5], TR_FREE
        mov     byte [GDT + T16 + 5], 0x81
%endmacro

jumps:  task_a  .a
        case    "jmp to a TSS and back", NONE, 0
        mov     edi, 0x12345678
        jmp     TA:0x999
.back:  mov     ebx, eax
        endcase
        jmp     .checks
.a:     pushfd
        pop     dword [seen]
        mov     [seen + 4], eax
        mov     [seen + 8], ebx
        mov     [seen + 12], esp
        str     word [seen + 16]
        mov     eax, cr0
        mov     [seen + 20], eax
        mov     ax, fs
        mov     [seen + 24], ax
        mov     ax, gs
        mov     [seen + 26], ax
        clts
        mov     al, [GDT + TSS0 + 5]
        mov     [seen + 28], al
        mov     al, [GDT + TA + 5]
        mov     [seen + 29], al
        mov     eax, [TSS_A]
        mov     [seen + 32], eax
        jmp     TSS0:0
.checks:
        check   "jmp: eflags", [seen], 2
        check   "jmp: eax", [seen + 4], 0xa0a0a0a0
        check   "jmp: ebx", [seen + 8], 0xb0b0b0b0
        check   "jmp: esp", [seen + 12], STACKA
        movzx   eax, word [seen + 16]
        check   "jmp: tr", eax, TA
        mov     eax, [seen + 20]
        and     eax, 8
        check   "jmp: CR0.TS", eax, 8
        check   "jmp: fs, gs", [seen + 24], DS3 << 16
        movzx   eax, word [seen + 28]
        check   "jmp: old not busy, new busy", eax, TR_BUSY << 8 | TR_FREE
        check   "jmp: no back link", [seen + 32], 0
        check   "jmp: edi saved in the old TSS", [TSS + 0x44], 0x12345678
        check   "jmp: eip saved", [TSS + 0x20], .back
        check   "jmp: edi restored", edi, 0x12345678
        mov     eax, [GDT + TA + 4]
        shr     eax, 8
        and     eax, 0xff
        check   "jmp back: A not busy", eax, TR_FREE
        mov     eax, [TSS_A + 0x48]
        check   "jmp back: es of A saved", eax, DS0
        home
        ret

calls:  task_a  .a
        case    "call a task gate, iret", NONE, 0
        call    TGATE:0
        pushfd
        pop     ebx
        str     cx
        endcase
        movzx   ecx, cx
        check   "call: tr after iret", ecx, TSS0
        and     ebx, FL_NT
        check   "call: NT clear after iret", ebx, 0
        mov     eax, [seen]
        and     eax, FL_NT
        check   "call: NT set inside", eax, FL_NT
        check   "call: back link", [TSS_A], TSS0
        movzx   eax, word [seen + 28]
        check   "call: both busy", eax, TR_BUSY << 8 | TR_BUSY
        mov     eax, [GDT + TA + 4]
        shr     eax, 8
        and     eax, 0xff
        check   "iret: A not busy", eax, TR_FREE
        mov     eax, [TSS_A + 0x24]
        and     eax, FL_NT
        check   "iret: NT clear in A's image", eax, 0
        case    "a second call goes on behind IRET", NONE, 0
        mov     dword [seen + 28], 0
        call    TGATE:0
        endcase
        check   "second call ran", [seen + 28], 0x77
        task_a  .a
        case    "int n through a task gate from ring 3", EXIT3, 0
        ring3   .user
.user:  int     VEC
        exit3
        endcase
        check   "int: cs after iret", [got_cs], CS3
        check   "int: eip saved", [TSS + 0x20], .user + 2
        home
        task_a  .err
        mov     dword [IDT + GP * 8], TA << 16
        mov     dword [IDT + GP * 8 + 4], 0x8500
        mov     ax, 0x800
        case    "exception through a task gate", EXIT3, 0
.fault: mov     ds, ax
        endcase
        jmp     .done
.err:   mov     [seen], esp
        pop     dword [seen + 4]
        mov     eax, [TSS + 0x20]
        mov     [seen + 8], eax
        mov     eax, [TSS + 0x24]
        mov     [seen + 12], eax
        exit3                           ; A's catcher frame: ends the case in task A
.done:  check   "exception: esp", [seen], STACKA - 4
        check   "exception: error code", [seen + 4], 0x800
        check   "exception: eip of the fault", [seen + 8], .fault
        set_idt GP, CS0, STUBS + GP * 16, 0x8e
        home
        ret
.a:     pushfd
        pop     dword [seen]
        mov     al, [GDT + TSS0 + 5]
        mov     [seen + 28], al
        mov     al, [GDT + TA + 5]
        mov     [seen + 29], al
        iretd
        mov     dword [seen + 28], 0x77
        iretd

%macro refuse 4+
        case    %1, %2, %3
        at_here
        %4
        endcase
%endmacro
refused:
        task_a  0
        refuse  "jmp TSS not present", NP, TNP, jmp TNP:0
        refuse  "jmp TSS too short", TS, TSHORT, jmp TSHORT:0
        refuse  "jmp own TSS: busy", GP, TSS0, jmp TSS0:0
        refuse  "gate with a null TSS", GP, 0, jmp TGNULL:0
        mov     word [GDT + TGNULL + 2], DS0
        refuse  "gate to no TSS", GP, DS0, call TGNULL:0
        mov     word [GDT + TGNULL + 2], 4
        refuse  "gate to an LDT selector", GP, 4, call TGNULL:0
        mov     word [GDT + TGNULL + 2], 0x800
        refuse  "gate beyond the GDT", GP, 0x800, call TGNULL:0
        mov     word [GDT + TGNULL + 2], TSS0
        refuse  "gate to a busy TSS", GP, TSS0, call TGNULL:0
        case    "TSS with DPL 0 from ring 3", GP, TA
        fault_at .u
        ring3   .u
.u:     jmp     TA:0
        endcase
        mov     byte [IDT + VEC * 8 + 5], 0x85
        case    "int n: task gate DPL 0 from ring 3", GP, VEC * 8 + 2
        fault_at .i
        ring3   .i
.i:     int     VEC
        endcase
        mov     byte [IDT + VEC * 8 + 5], 0xe5
        mov     word [IDT + VEC * 8 + 2], TNP
        refuse  "int n: TSS not present", NP, TNP, int VEC
        mov     word [IDT + VEC * 8 + 2], TA
        push    dword [TSS]
        mov     dword [TSS], TA
        case    "iret NT to a TSS that is not busy", TS, TA
        push    dword FL_NT | 2
        popfd
        at_here
        iretd
        endcase
        mov     dword [TSS], 0
        case    "iret NT to null", TS, 0
        push    dword FL_NT | 2
        popfd
        at_here
        iretd
        endcase
        pop     dword [TSS]
        ret

; The new task's state is bad: the fault is the new task's, at its first instruction. Without a
; stack that is good, #TS, #NP and #SS need tasks of their own: B and C.
%macro bad_task 4+                      ; name, vector, error, what to spoil
        call    handlers
        task_a  .never
        %4
        case    %1, %2, %3
        fault_at .never
        jmp     TA:0
        endcase
        mov     eax, [TSS_B]
        or      eax, [TSS_C]
        check   "in the new task", eax, TA
        home
%endmacro
handlers:
        set_desc TB, TSS_B, 0x67, TR_FREE, 0
        set_desc TC, TSS_C, 0x67, TR_FREE, 0
        set_gate IDT + TS * 8, TB, 0, 0x85, 0
        set_gate IDT + NP * 8, TC, 0, 0x85, 0
        mov     ebx, handler
        call    fresh
        mov     dword [TSS_A + 0x3c], TS
        mov     esi, TSS_A
        mov     edi, TSS_B
        mov     ecx, 26
        rep     movsd
        mov     dword [TSS_A + 0x3c], NP
        mov     esi, TSS_A
        mov     edi, TSS_C
        mov     ecx, 26
        rep     movsd
        ret
handler:
        mov     [got_vec], ebp
        pop     dword [got_err]
        mov     eax, [TSS_A + 0x20]
        mov     [got_eip], eax
        jmp     abort
halfway:
        bad_task "task: cs null", TS, 0, mov dword [TSS_A + 0x4c], 0
        bad_task "task: cs is data", TS, DS0, mov dword [TSS_A + 0x4c], DS0
        bad_task "task: cs not present", NP, NPCS, mov dword [TSS_A + 0x4c], NPCS
        bad_task "task: cs RPL", TS, CS3 & ~3, mov dword [TSS_A + 0x4c], CS3 & ~3
        bad_task "task: ss null", TS, 0, mov dword [TSS_A + 0x50], 0
        bad_task "task: ds not present", NP, NPDATA, mov dword [TSS_A + 0x54], NPDATA
        bad_task "task: ds is a TSS", TS, TB, mov dword [TSS_A + 0x54], TB
        bad_task "task: ldt is data", TS, DS0, mov dword [TSS_A + 0x60], DS0
        bad_task "task: ldt beyond the GDT", TS, 0x800, mov dword [TSS_A + 0x60], 0x800
        set_idt TS, CS0, STUBS + TS * 16, 0x8e
        set_idt NP, CS0, STUBS + NP * 16, 0x8e
        ret
.never: exit3

; LDT and CR3 come from the TSS.
spaces: mov     edi, PD
        mov     eax, 0x83
        mov     ecx, 1024
.pd:    mov     [edi], eax
        mov     [edi + PD2 - PD], eax
        add     edi, 4
        add     eax, 0x400000
        loop    .pd
        mov     dword [PD2 + 4], 0x83
        mov     eax, cr4
        or      al, 0x10
        mov     cr4, eax
        mov     eax, PD
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax
        mov     dword [0x400000 + seen], 0x22222222
        mov     dword [seen], 0x11111111
        task_a  .a
        mov     dword [TSS_A + 0x1c], PD2
        mov     dword [TSS + 0x1c], PD
        mov     dword [TSS_A + 0x60], LDTD
        mov     dword [TSS_A + 0x58], 0x0c
        case    "task with its own CR3 and LDT", NONE, 0
        call    TA:0
        endcase
        jmp     .out
.a:     mov     eax, [0x400000 + seen]
        mov     [seen + 4], eax
        mov     eax, cr3
        mov     [seen + 8], eax
        sldt    [seen + 12]
        mov     eax, [fs:seen + 4]
        mov     [seen + 16], eax
        iretd
.out:   check   "CR3: other page", [seen + 4], 0x11111111
        check   "CR3: value", [seen + 8], PD2
        movzx   eax, word [seen + 12]
        check   "LDT: selector", eax, LDTD
        check   "LDT: segment of it", [seen + 16], 0x11111111
        mov     eax, cr3
        check   "CR3: comes back from the old TSS", eax, PD
        mov     eax, cr0
        and     eax, 0x7fffffff
        mov     cr0, eax
        home
        ret

; A 16-bit TSS: low halves, four segment registers.
small:  mov     edi, TSS_16
        mov     ecx, 11
        xor     eax, eax
        rep     stosd
        mov     word [TSS_16 + 0x0e], .a
        mov     word [TSS_16 + 0x10], 2
        mov     word [TSS_16 + 0x12], 0xaaaa
        mov     word [TSS_16 + 0x14], 0xcccc
        mov     word [TSS_16 + 0x1a], STACKA
        mov     word [TSS_16 + 0x22], DS0
        mov     word [TSS_16 + 0x24], CS0
        mov     word [TSS_16 + 0x26], DS0
        mov     word [TSS_16 + 0x28], DS0
        push    dword DS3
        pop     fs
        case    "call a 16-bit TSS", NONE, 0
        call    T16:0
        endcase
        jmp     .out
.a:     mov     [seen], ax
        mov     [seen + 4], fs
        mov     [seen + 8], sp
        mov     ax, [GDT + T16 + 4]
        mov     [seen + 12], ax
        iretd
.out:   movzx   eax, word [seen]
        check   "16-bit TSS: ax", eax, 0xaaaa
        movzx   eax, word [seen + 4]
        check   "16-bit TSS: fs null", eax, 0
        movzx   eax, word [seen + 8]
        check   "16-bit TSS: sp", eax, STACKA
        movzx   eax, word [seen + 12]
        shr     eax, 8
        check   "16-bit TSS: busy", eax, 0x83
        movzx   eax, word [TSS_16]
        check   "16-bit TSS: back link", eax, TSS0
        mov     ax, fs
        movzx   eax, ax
        check   "32-bit TSS restored fs", eax, DS3
        home
        ret

; The T bit of a TSS; the local breakpoints go.
traps:  task_a  .a
        mov     byte [TSS_A + 0x64], 1
        xor     eax, eax
        mov     dr6, eax
        mov     eax, 0x455
        mov     dr7, eax
        mov     eax, 0xfffff000
        mov     dr0, eax
        mov     dr1, eax
        mov     dr2, eax
        mov     dr3, eax
        case    "debug trap of the TSS", DB_, 0
        fault_at .a
        jmp     TA:0
.a:     nop
        endcase
        mov     eax, [got_dr6]
        and     eax, 0xe00f
        check   "DR6.BT", eax, 0x8000
        mov     eax, dr7
        check   "DR7: local enables cleared", eax, 0x400
        home
        ret
%include "inc/end.inc"

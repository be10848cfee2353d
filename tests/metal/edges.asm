; SPDX-License-Identifier: MIT
; The ends of tables, far pointers, ENTER, SYSENTER, system structures on absent pages.
; expect: done
%include "inc/pm.inc"

LDTD    equ FREE + 24
NPTSS   equ FREE + 40
NPLDT   equ FREE + 48
TA      equ FREE + 56
LDT_AT  equ 0x10000
TSS_A   equ 0x10100
PD      equ 0x11000
PT0     equ 0x12000
HOLE    equ 0x20000                     ; absent when paging is on
VEC     equ 0x40
VAR     equ 0x30000

main:   set_desc LDTD, LDT_AT, 0x1f, 0x82, 0
        set_desc NPTSS, TSS_A, 0x67, 0x09, 0
        set_desc NPLDT, LDT_AT, 0x1f, 0x02, 0
        set_desc TA, TSS_A, 0x67, 0x89, 0
        call    tables
        call    pointers
        call    frames
        call    fast
        call    system_pages
        ret

tables: xor     ecx, ecx
        case    "lar null", NONE, 0
        mov     eax, 0x5555
        lar     eax, cx
        setz    bl
        endcase
        movzx   ebx, bl
        check   "lar null: ZF", ebx, 0
        check   "lar null: kept", eax, 0x5555
        mov     cx, 0x800
        case    "verr beyond the GDT", NONE, 0
        verr    cx
        setz    bl
        endcase
        movzx   ebx, bl
        check   "verr beyond: ZF", ebx, 0
        mov     ax, NPLDT
        case    "lldt not present", NP, NPLDT
        lldt    ax
        endcase
        mov     ax, NPTSS
        case    "ltr not present", NP, NPTSS
        ltr     ax
        endcase
        mov     ax, 4
        case    "ltr LDT selector", GP, 4
        ltr     ax
        endcase
        mov     ax, LDTD
        lldt    ax
        mov     dword [LDT_AT + 24], 0x0000ffff
        mov     dword [LDT_AT + 28], 0x00cff200
        mov     ax, 0x1c
        case    "last LDT entry", NONE, 0
        mov     fs, ax
        endcase
        mov     ax, 0x24
        case    "beyond the LDT", GP, 0x24
        mov     fs, ax
        endcase
        mov     word [GDT + LDTD], 0x1e
        mov     ax, LDTD
        lldt    ax
        mov     ax, 0x1c
        case    "LDT limit in the middle of an entry", GP, 0x1c
        mov     fs, ax
        endcase
        mov     word [GDT + LDTD], 0x1f
        mov     ax, LDTD
        lldt    ax
        ; a call gate and a handler's segment in the LDT
        mov     dword [LDT_AT + 8], 0x0000ffff
        mov     dword [LDT_AT + 12], 0x00cf9a00
        set_gate LDT_AT + 16, 0x0c, .gate, 0xec, 0
        case    "call gate and code in the LDT", EXIT3, 0
        ring3   .u
.u:     call    0x17:0
        exit3
.gate:  mov     edx, cs
        retf
        endcase
        check   "LDT code: cs", edx, 0x0c
        set_idt VEC, 0x0c, STUBS + VEC * 16, 0xee
        case    "handler in the LDT", VEC, 0
        ring3   .i
.i:     int     VEC
        endcase
        mov     eax, [LDT_AT + 12]
        check   "accessed bit in the LDT", eax, 0x00cf9b00
        case    "jmp to a call gate's offset is ignored", NONE, 0
        set_gate LDT_AT + 16, CS0, .j, 0x8c, 0
        jmp     0x14:0x12345678
.j:     nop
        endcase
        xor     eax, eax
        lldt    ax
        set_idt VEC, CS0, STUBS + VEC * 16, 0x8e
        lgdt    [.cut]
        mov     ax, DS3
        case    "GDT limit in the middle of an entry", GP, DS3_16 & ~3
        mov     ax, DS3_16
        mov     fs, ax
        endcase
        lgdt    [gdtr]
        case    "sgdt in ring 3", EXIT3, 0
        ring3   .s
.s:     sgdt    [VAR]
        exit3
        endcase
        movzx   eax, word [VAR]
        check   "sgdt: limit", eax, 0x7ff
        check   "sgdt: base", [VAR + 2], GDT
        case    "o16 lgdt: 24 bits of base", NONE, 0
        o16 lgdt [.high]
        sgdt    [VAR]
        lgdt    [gdtr]
        endcase
        check   "o16 lgdt: base", [VAR + 2], GDT
        ret
.cut:   dw      (DS3_16 & ~3) + 6
        dd      GDT
.high:  dw      0x7ff
        dd      GDT | 0x77000000

; Loads of far pointers change nothing if they fault.
pointers:
        mov     dword [VAR], 0x11111111
        mov     dword [VAR + 4], 0x800
        mov     eax, 0x5555
        case    "les: bad selector", GP, 0x800
        les     eax, [VAR]
        endcase
        check   "les: register kept", [got_eax], 0x5555
        check   "les: es kept", [got_es], DS0
        mov     dword [VAR + 4], DS3
        case    "lfs", NONE, 0
        lfs     eax, [VAR]
        mov     bx, fs
        endcase
        movzx   ebx, bx
        check   "lfs: selector", ebx, DS3
        check   "lfs: offset", eax, 0x11111111
        case    "lfs 16: upper half kept", NONE, 0
        mov     word [VAR + 2], 0
        mov     eax, 0x77770000
        lfs     ax, [VAR]
        endcase
        check   "lfs 16: offset", eax, 0x77771111
        mov     dword [VAR + 4], CS0
        case    "lss: code", GP, CS0
        lss     esp, [VAR]
        endcase
        case    "pop ss: bad", GP, CS0
        push    dword CS0
        mov     ebx, esp
        pop     ss
        endcase
        mov     eax, [got_sp0]
        add     eax, 16 - 4
        sub     eax, ebx
        check   "pop ss: esp kept", eax, -4
        case    "mov sreg from memory reads a word", NONE, 0
        mov     word [VAR], DS0
        mov     fs, [VAR]
        endcase
        case    "push sreg writes a word", NONE, 0
        push    dword 0x7777aaaa
        pop     eax
        push    fs
        pop     eax
        endcase
        movzx   eax, ax
        check   "push fs", eax, DS0
        ret

; ENTER, LEAVE and 16-bit stacks
frames: case    "enter 8, 2", NONE, 0
        mov     ebp, esp
        mov     dword [ebp - 4], 0x1234
        mov     eax, ebp
        push    dword 0x1234
        enter   8, 2
        mov     ebx, [ebp - 4]          ; the enclosing frame pointer, copied
        mov     ecx, [ebp - 8]
        sub     ecx, ebp
        mov     edx, ebp
        sub     edx, esp
        leave
        sub     eax, ebp
        endcase
        check   "enter: copied", ebx, 0x1234
        check   "enter: own frame pointer", ecx, 0
        check   "enter: size", edx, 16
        check   "leave: ebp", eax, 0
        ret

fast:   mov     ecx, 0x174
        xor     eax, eax
        xor     edx, edx
        wrmsr
        case    "sysenter with a null CS", GP, 0
        ring3   .s
.s:     sysenter
        endcase
        ; CS0, DS0, CS3, DS3 lie as SYSENTER and SYSEXIT want them
        mov     ecx, 0x174
        mov     eax, CS0
        xor     edx, edx
        wrmsr
        inc     ecx
        mov     eax, STACK0R
        wrmsr
        inc     ecx
        mov     eax, .kernel
        wrmsr
        case    "sysenter and sysexit", EXIT3, 0
        ring3   .s2, 0x3202
.s2:    sysenter
.kernel:
        pushfd
        pop     esi
        mov     ebx, cs
        mov     edi, ss
        mov     edx, .back
        mov     ecx, STACK3 - 8
        sysexit
.back:  exit3
        endcase
        check   "sysenter: cs", ebx, CS0
        check   "sysenter: ss", edi, DS0
        and     esi, FL_IF
        check   "sysenter: IF", esi, 0
        check   "sysexit: cs", [got_cs], CS3
        check   "sysexit: ss", [got_ss], DS3
        check   "sysexit: esp", [got_esp], STACK3 - 8
        case    "sysexit in ring 3", GP, 0
        ring3   .x
.x:     sysexit
        endcase
        ret

; Tables on absent pages: the fault is a supervisor's.
system_pages:
        mov     edi, PD
        mov     ecx, 1024
        xor     eax, eax
        rep     stosd
        mov     dword [PD], PT0 | 7
        mov     edi, PT0
        mov     eax, 7
        mov     ecx, 1024
.pt:    stosd
        add     eax, 0x1000
        loop    .pt
        mov     dword [PT0 + (HOLE >> 12) * 4], 0
        mov     eax, PD
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80010000
        mov     cr0, eax
        set_desc TA, HOLE - 0x40, 0x67, 0x89, 0
        case    "jmp to a TSS half on an absent page", PF, ANY
        at_here
        jmp     TA:0
        endcase
        mov     eax, [got_cr2]
        and     eax, 0xfffff000
        check   "TSS: CR2", eax, HOLE
        str     ax
        movzx   eax, ax
        check   "TSS: still the old task", eax, TSS0
        mov     eax, [GDT + TA + 4]
        check   "TSS: not busy", eax, 0x00008901 | (((HOLE - 0x40) >> 16) & 0xff)
        ; the inner stack in the hole: #PF while pushing, taken in ring 0 from ring 3
        set_idt VEC, CS1, .never, 0xee
        mov     dword [TSS + 12], HOLE + 0x10
        mov     dword [VAR], 0
        case    "int n: inner stack absent", PF, 2
        fault_at .i
        ring3   .i
.i:     int     VEC
        endcase
        check   "still ring 3", [got_cs], CS3
        check   "esp as it was", [got_esp], STACK3
        ; half of the frame fits: nothing of it may count
        mov     dword [TSS + 12], HOLE + 0x1008
        case    "int n: the frame crosses into the hole", PF, 2
        fault_at .i
        ring3   .i
        endcase
        mov     dword [TSS + 12], STACK1
        set_idt VEC, CS0, STUBS + VEC * 16, 0x8e
        ; parameters of a call gate half in the hole: nothing has happened
        set_gate GDT + NPTSS, CS0, .never, 0xec, 3
        case    "call gate: parameters on an absent page", PF, ANY
        fault_at .p
        push    dword DS3
        push    dword HOLE + 0xff8
        push    dword 2
        push    dword CS3
        push    dword .p
        iretd
.p:     call    NPTSS | 3:0
        endcase
        check   "parameters: still ring 3", [got_cs], CS3
        check   "parameters: esp as it was", [got_esp], HOLE + 0xff8
        case    "lgdt from an absent page", PF, 0
        lgdt    [HOLE - 2]
        endcase
        check   "lgdt: CR2", [got_cr2], HOLE
        ; an IDT entry and a descriptor in the hole, reached from ring 3
        mov     esi, IDT
        mov     edi, HOLE - 0x200
        mov     ecx, 0x80
        rep     movsd
        lidt    [.idt]
        case    "IDT entry on an absent page", PF, 0
        fault_at .n
        ring3   .n
.n:     int     0x41
        endcase
        check   "IDT: CR2", [got_cr2], HOLE + 8
        lidt    [idtr]
        mov     eax, cr0
        and     eax, 0x7ffeffff
        mov     cr0, eax
        ret
.never: exit3
.idt:   dw      0x7ff
        dd      HOLE - 0x200
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; Interrupts of the 8259s, 8254 and MC146818 on the CPU [8259A], [SDM 3A 6.8].
; expect: done
%include "inc/pm.inc"

BASE0   equ 0x50                        ; vectors of the master and the slave
BASE1   equ 0x58
n       equ scratch + 0x80              ; how many interrupts were noted
log_v   equ 0x20000                     ; vector, EIP, EFLAGS, ECX of each
SLAVE   equ 0xa0

main:   call    pic_init
        call    windows
        call    priorities
        call    spurious
        call    strings
        call    rtc
        call    nmi
        ret

%macro outb 2
        mov     al, %2
        out     %1, al
%endmacro
pic_init:
        outb    0x20, 0x11
        outb    0x21, BASE0
        outb    0x21, 4
        outb    0x21, 1
        outb    SLAVE, 0x11
        outb    SLAVE + 1, BASE1
        outb    SLAVE + 1, 2
        outb    SLAVE + 1, 1
        outb    0x21, 0xff
        outb    SLAVE + 1, 0xff
        ret

; Every interrupt: noted, EOI to who wants it. With `nest` set, interrupts are on inside.
note:   mov     eax, [n]
        inc     dword [n]
        and     eax, 31
        shl     eax, 4
        mov     edx, [got_vec]
        mov     [log_v + eax], edx
        mov     ecx, [got_eip]
        mov     [log_v + eax + 4], ecx
        mov     ecx, [got_efl]
        mov     [log_v + eax + 8], ecx
        mov     ecx, [got_ecx]
        mov     [log_v + eax + 12], ecx
        cmp     dword [no_eoi], 0
        jne     .out
        sub     edx, BASE0
        cmp     edx, 8
        jb      .master
        mov     al, 0x20
        out     SLAVE, al
.master:
        mov     al, 0x20
        out     0x20, al
.out:   ret
no_eoi  equ scratch + 0x84

; One shot of the 8254 after EAX ticks (mode 0); IRQ 0 goes up and stays.
shot:   push    eax
        outb    0x43, 0x30
        pop     eax
        out     0x40, al
        mov     al, ah
        out     0x40, al
        ret
; Waits until the master has IRQ 0 in its IRR.
pending:
        outb    0x20, 0x0a
.wait:  in      al, 0x20
        test    al, 1
        jz      .wait
        ret
%macro fresh 0
        mov     dword [n], 0
        mov     dword [no_eoi], 0
        mov     dword [hook], note
%endmacro

windows:
        outb    0x21, 0xfe
        case    "hlt wakes", NONE, 0
        fresh
        mov     eax, 1000
        call    shot
        sti
        hlt
.hlt:   cli
        endcase
        check   "hlt: one interrupt", [n], 1
        check   "hlt: vector", [log_v], BASE0
        check   "hlt: return address", [log_v + 4], .hlt
        case    "sti; hlt: pending does not hang", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    pending
        sti
        hlt
.sh:    cli
        endcase
        check   "sti; hlt: behind hlt", [log_v + 4], .sh
        case    "sti shadow", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    pending
        sti
        nop
.sti:   nop
        cli
        endcase
        check   "sti shadow: address", [log_v + 4], .sti
        case    "sti; cli: no window", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    pending
        sti
        cli
        nop
        endcase
        check   "sti; cli: none", [n], 0
        case    "sti when IF is set: no shadow", NONE, 0
        fresh
        outb    0x21, 0xff
        sti
        nop
        outb    0x21, 0xfe
.set:   sti
        nop
        nop
        cli
        endcase
        check   "unmasked: taken", [n], 1
        case    "popfd: no shadow", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    pending
        push    dword 0x202
        popfd
.pop:   cli
        endcase
        check   "popfd: address", [log_v + 4], .pop
        case    "iret: no shadow", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    pending
        push    dword 0x202
        push    dword CS0
        push    dword .iret
        iretd
.iret:  cli
        endcase
        check   "iret: address", [log_v + 4], .iret
        mov     eax, [log_v + 8]
        and     eax, FL_IF | FL_RF
        check   "iret: pushed IF, no RF", eax, FL_IF
        ret

; IRQ 0 of the 8254, IRQ 8 of the clock, both pending.
rtc_on: outb    0x70, 0x0a
        outb    0x71, 0x26
        outb    0x70, 0x0c
        in      al, 0x71                ; before: an edge must find its flag in C
        outb    0x70, 0x0b
        outb    0x71, 0x42              ; periodic, 24 hours
        ret
rtc_off:
        outb    0x70, 0x0b
        outb    0x71, 0x02
        outb    0x70, 0x0c
        in      al, 0x71
        ret
rtc_pending:
        outb    SLAVE, 0x0a
.wait:  in      al, SLAVE
        test    al, 1
        jz      .wait
        ret

priorities:
        outb    0x21, 0xfa
        outb    SLAVE + 1, 0xfe
        case    "IRQ 0 before IRQ 8", NONE, 0
        fresh
        call    rtc_on
        call    rtc_pending
        mov     eax, 20
        call    shot
        call    pending
        sti
        nop
        nop
        nop
        cli
        call    rtc_off
        endcase
        check   "both taken", [n], 2
        check   "first IRQ 0", [log_v], BASE0
        check   "then IRQ 8", [log_v + 16], BASE1
        case    "no EOI: lower ones wait", NONE, 0
        fresh
        mov     dword [no_eoi], 1
        mov     eax, 20
        call    shot
        call    pending
        sti
        nop
        cli
        call    rtc_on
        call    rtc_pending
        sti
        nop
        nop
        cli
        endcase
        check   "no EOI: one", [n], 1
        case    "EOI: the lower one comes", NONE, 0
        fresh
        outb    0x20, 0x20
        sti
        nop
        nop
        cli
        call    rtc_off
        endcase
        check   "EOI: IRQ 8", [log_v], BASE1
        case    "rotated: IRQ 2 first", NONE, 0
        fresh
        outb    0x20, 0xc1              ; IRQ 1 is the lowest, IRQ 2 the highest
        call    rtc_on
        call    rtc_pending
        mov     eax, 20
        call    shot
        call    pending
        sti
        nop
        nop
        nop
        cli
        call    rtc_off
        outb    0x20, 0xc7
        endcase
        check   "rotated: first IRQ 8", [log_v], BASE1
        check   "rotated: then IRQ 0", [log_v + 16], BASE0
        outb    SLAVE + 1, 0xff
        ret

; A request that is masked before INTA.
spurious:
        case    "spurious by mask", NONE, 0
        fresh
        outb    0x21, 0xfe
        mov     eax, 20
        call    shot
        call    pending
        outb    0x21, 0xff              ; the request is gone: none at all
        sti
        nop
        nop
        cli
        endcase
        check   "masked: none", [n], 0
        outb    0x20, 0x0b
        in      al, 0x20
        movzx   eax, al
        check   "masked: nothing in service", eax, 0
        case    "unmasked: it was kept", NONE, 0
        fresh
        outb    0x21, 0xfe
        sti
        nop
        nop
        cli
        endcase
        check   "kept: one", [n], 1
        ret

; An interrupt between the iterations of REP: the registers are those of whole iterations.
strings:
        case    "irq during rep stosb", NONE, 0
        fresh
        outb    0x21, 0xfe
        mov     eax, 60
        call    shot
        mov     edi, 0x100000
        mov     ecx, 0x800000
        mov     al, 0x5a
        sti
        nop
.rep:   rep     stosb
        cli
        mov     ebx, edi
        endcase
        check   "rep: one interrupt", [n], 1
        check   "rep: return address", [log_v + 4], .rep
        mov     eax, [log_v + 8]
        and     eax, FL_RF
        check   "rep: RF pushed", eax, FL_RF
        mov     eax, [log_v + 12]
        dec     eax
        cmp     eax, 0x7fffff
        setb    al
        movzx   eax, al
        check   "rep: half-way", eax, 1
        check   "rep: all done", ebx, 0x900000
        check   "rep: last dword", [0x8ffffc], 0x5a5a5a5a
        ret

rtc:    case    "RTC periodic wakes hlt", NONE, 0
        fresh
        outb    0x21, 0xfb
        outb    SLAVE + 1, 0xfe
        call    rtc_on
        sti
        hlt
        cli
        outb    0x70, 0x0c
        in      al, 0x71
        mov     bl, al
        call    rtc_off
        endcase
        check   "RTC: vector", [log_v], BASE1
        and     ebx, 0xc0
        check   "RTC: IRQF, PF in register C", ebx, 0xc0
        case    "RTC: no second one before C is read", NONE, 0
        fresh
        call    rtc_on
        sti
        hlt
        mov     ecx, 20000
.wait:  in      al, 0x80
        loop    .wait
        cli
        call    rtc_off
        endcase
        check   "RTC: one", [n], 1
        outb    0x21, 0xff
        outb    SLAVE + 1, 0xff
        ret

; INT 2 does not mask interrupts of its own. NMI itself, by a local APIC: apic.asm, ioapic.asm.
nmi:    case    "int 2", 2, 0
        int     2
        endcase
        ret
%include "inc/end.inc"

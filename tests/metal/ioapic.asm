; SPDX-License-Identifier: MIT
; The I/O APIC: masks, edges, levels, EOI, polarity, NMI and ExtINT delivery [IOAPIC].
; expect: done
%include "inc/pm.inc"

main:   call    apic_init
        mov     dword [A_LINT0], MASKED | 0x700
        call    registers
        call    edges
        call    levels
        call    hlt_nmi
        call    extint
        ret
%include "inc/apic.inc"

IO      equ 0xfec00000
LEVEL   equ 1 << 15
LOW     equ 1 << 13
RIRR    equ 1 << 14

; io_write REGISTER, VALUE
%macro io_write 2
        mov     dword [IO], %1
        mov     dword [IO + 0x10], %2
%endmacro
%macro io_read 2
        mov     dword [IO], %2
        mov     %1, [IO + 0x10]
%endmacro
; entry INPUT, LOW HALF: to CPU 0
%macro entry 2
        io_write 0x11 + 2 * (%1), 0
        io_write 0x10 + 2 * (%1), %2
%endmacro

registers:
        io_read eax, 1
        and     eax, 0x00ff00ff
        and     eax, 0xffffffdf         ; 11h, or 20h of later ones
        or      eax, 0x11
        check   "version, 24 inputs", eax, 0x170011
        io_read eax, 0x10 + 2 * 5
        check   "masked after reset", eax, MASKED
        entry   5, -1
        io_read eax, 0x10 + 2 * 5
        check   "read-only bits", eax, 0x1afff
        entry   5, MASKED
        ret

edges:  case    "timer at input 2 wakes hlt", NONE, 0
        fresh
        entry   2, 0x40
        mov     eax, 100
        call    shot
        sti
        hlt
.hlt:   cli
        endcase
        check   "edge: one interrupt", [n], 1
        check   "edge: vector", [log_v], 0x40
        check   "edge: return address", [log_v + 4], .hlt
        case    "edge: not again while it is high", NONE, 0
        fresh
        sti
        nop
        nop
        cli
        endcase
        check   "high: none", [n], 0
        case    "edge behind the mask is lost", NONE, 0
        fresh
        entry   2, MASKED | 0x40
        mov     eax, 20
        call    shot
        call    out0
        entry   2, 0x40
        sti
        nop
        nop
        cli
        endcase
        check   "masked: none", [n], 0
        entry   2, MASKED
        ret

; Input 8 is the clock's IRQ: high until its register C is read.
levels: case    "level: until register C is read", NONE, 0
        fresh
        mov     dword [hook], level_note
        entry   8, LEVEL | 0x60
        call    rtc_on
        sti
        mov     dword [spin], 20000000
.wait:  dec     dword [spin]
        jz      .late
        cmp     dword [n], 3
        jb      .wait
.late:  nop
        nop
        cli
        endcase
        check   "level: three times", [n], 3
        check   "level: in the TMR", [A_TMR + 0x30], 1
        check   "level: remote IRR in the handler", [scratch + 0x90], LEVEL | RIRR | 0x60
        io_read eax, 0x10 + 16
        check   "level: remote IRR after EOI", eax, LEVEL | 0x60
        case    "level behind the mask waits", NONE, 0
        fresh
        mov     dword [hook], level_note
        mov     dword [n], 2
        entry   8, MASKED | LEVEL | 0x60
        call    rtc_on
        mov     dword [spin], 200000
.high:  outb    0x70, 0x0b              ; time passes until IRQF would show
        in      al, 0x71
        dec     dword [spin]
        jnz     .high
        sti
        nop
        mov     ebx, [n]
        entry   8, LEVEL | 0x60
        settle
        settle
        cli
        endcase
        check   "mask: none", ebx, 2
        check   "unmasked: one", [n], 3
        call    rtc_off
        case    "active low: high is idle", NONE, 0
        fresh
        mov     dword [no_eoi], 1
        entry   8, LEVEL | LOW | 0x60
        sti
        nop
        nop
        cli
        mov     ebx, [n]
        entry   8, MASKED
        mov     dword [A_EOI], 0
        endcase
        check   "active low: a low line asks", ebx, 1
        case    "remote IRR goes with the trigger", NONE, 0
        fresh
        entry   8, LEVEL | LOW | 0x60
        entry   8, MASKED | 0x60
        io_read ebx, 0x10 + 16
        sti
        nop
        nop
        cli
        endcase
        check   "edge: no remote IRR", ebx, MASKED | 0x60
        ret
spin:   dd      0

; The third interrupt reads register C, so that the line goes low before its EOI.
level_note:
        io_read eax, 0x10 + 16
        mov     [scratch + 0x90], eax
        cmp     dword [n], 2
        jne     .eoi
        call    rtc_off
.eoi:   jmp     note

rtc_on: outb    0x70, 0x0a
        outb    0x71, 0x26
        outb    0x70, 0x0c
        in      al, 0x71
        outb    0x70, 0x0b
        outb    0x71, 0x42
        ret
rtc_off:
        outb    0x70, 0x0b
        outb    0x71, 0x02
        outb    0x70, 0x0c
        in      al, 0x71
        ret

; NMI wakes a CPU that has interrupts off.
hlt_nmi:
        case    "NMI wakes cli; hlt", NONE, 0
        fresh
        entry   2, 0x400
        mov     eax, 1000
        call    shot
        cli
        hlt
.nmi:   nop
        endcase
        check   "NMI: vector", [log_v], 2
        check   "NMI: address", [log_v + 4], .nmi
        entry   2, MASKED
        ret

extint: case    "8259 through input 0", NONE, 0
        fresh
        mov     eax, 20
        call    shot
        call    out0
        outb    0x21, 0xfe
        entry   0, 0x700
        sti
        nop
        settle
        cli
        outb    0x21, 0xff
        entry   0, MASKED
        endcase
        check   "ExtINT: vector", [log_v], 0x50
        check   "ExtINT: one", [n], 1
        ret
%include "inc/end.inc"

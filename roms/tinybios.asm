; SPDX-License-Identifier: MIT
;
; tinybios.bin: a 64 KiB BIOS of our own, so that tests need nobody else's. It brings up the chips
; of a PC/AT, knows one hard disk (primary master, PIO) and two floppy drives, and boots from them in
; the order that CMOS says. Its messages and all that INT 10h prints as a teletype also go to port E9h.
;
; It needs a 386. It does not know: CD-ROMs, option ROMs, PCI resources (it enables the
; legacy decode of IDE and VGA and places the PIIX4's power management at 600h), ACPI tables, SMM.
; Without a VGA BIOS there is also no font: text memory is right, the picture stays blank.
;
; References: [IBM-AT] BIOS interface; [EDD] for INT 13h 41h-48h; [ACPI] 15.1 for INT 15h E820.

        org     0
        bits    16
        cpu     386

BIOS_SEG        equ 0xf000
BDA_SEG         equ 0x0040
EBDA_SEG        equ 0x9fc0
LOW_KIB         equ 639

; The BIOS data area, from 40:0.
BDA_COM1        equ 0x00
BDA_EBDA        equ 0x0e
BDA_EQUIPMENT   equ 0x10
BDA_LOW_KIB     equ 0x13
BDA_SHIFT       equ 0x17
BDA_KEY_HEAD    equ 0x1a
BDA_KEY_TAIL    equ 0x1c
BDA_KEY_RING    equ 0x1e
BDA_KEY_END     equ 0x3e
BDA_RECALIBRATED equ 0x3e               ; bit 7: the floppy controller has interrupted
BDA_MOTORS      equ 0x3f
BDA_MOTOR_COUNT equ 0x40
BDA_FLOPPY_STATUS equ 0x41
BDA_FLOPPY_RESULT equ 0x42              ; 7 bytes
BDA_MODE        equ 0x49
BDA_COLUMNS     equ 0x4a
BDA_PAGE_SIZE   equ 0x4c
BDA_CURSOR      equ 0x50                ; column, row
BDA_CURSOR_SIZE equ 0x60
BDA_CRTC        equ 0x63
BDA_TICKS       equ 0x6c
BDA_MIDNIGHT    equ 0x70
BDA_DISK_STATUS equ 0x74
BDA_DISKS       equ 0x75
BDA_KEY_START   equ 0x80
BDA_KEY_STOP    equ 0x82
BDA_ROWS        equ 0x84

; Our own variables, in the EBDA.
EBDA_KIB        equ 0x00                ; its size, in KiB
EBDA_SECTORS    equ 0x10                ; of the disk, 32 bits
EBDA_CYLINDERS  equ 0x14
EBDA_HEADS      equ 0x16
EBDA_SPT        equ 0x18
EBDA_FLOPPIES   equ 0x1a                ; types of drives A (upper half) and B, as in CMOS
EBDA_RATES      equ 0x1c                ; what each one's disk is recorded with
EBDA_TOP        equ 0x20                ; end of RAM below 4 GiB
EBDA_ABOVE      equ 0x24                ; RAM above 4 GiB, in 64 KiB
EBDA_VGA        equ 0x28                ; a VGA answers

; What an interrupt handler finds at BP after `enter_bios`.
F_EDI           equ 0
F_DI            equ F_EDI
F_ESI           equ 4
F_SI            equ F_ESI
F_EBX           equ 16
F_BX            equ F_EBX
F_EDX           equ 20
F_DX            equ F_EDX
F_ECX           equ 24
F_CX            equ F_ECX
F_EAX           equ 28
F_AX            equ F_EAX
F_AH            equ F_EAX + 1
F_ES            equ 32
F_DS            equ 34
F_FLAGS         equ 40
FLAG_CF         equ 0x01
FLAG_ZF         equ 0x40

; Saves everything; DS = BIOS data area, BP = frame, CF of the caller clear.
%macro enter_bios 0
        push    ds
        push    es
        pushad
        cld
        mov     bp, sp
        push    BDA_SEG
        pop     ds
        and     byte [bp + F_FLAGS], ~FLAG_CF
%endmacro

; dispatch TABLE: rows of (byte AH, word handler), ended by FFh and the handler for all others.
%macro dispatch 1
        mov     si, %1
        jmp     dispatch_on_ah
%endmacro

banner: db      'turbo86 tinybios', 13, 10, 0

%include "tinybios/post.inc"
%include "tinybios/video.inc"
%include "tinybios/disk.inc"
%include "tinybios/floppy.inc"
%include "tinybios/system.inc"
%include "tinybios/keyboard.inc"

        times   0xfff0 - ($ - $$) db 0xff
        jmp     BIOS_SEG:post
        db      '11/22/26'              ; where an AT keeps the date of its BIOS
        db      0
        db      0xfc                    ; model: AT
        db      0

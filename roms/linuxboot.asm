; SPDX-License-Identifier: MIT
;
; linuxboot.bin: boots the Linux bzImage that the host offers through fw_cfg, after the BIOS' POST
; and as its boot device, so that chips and BIOS data are what a boot from disk would find.
;
; The ROM only copies: setup, command line, kernel and initrd go where the host says, and the setup
; header is already filled in (roms/README.md, "fw_cfg keys").
;
; Reference: [LINUX-BOOT] The Linux/x86 Boot Protocol, "Loading The Rest of The Kernel" and
; "Running the Kernel".

ROM_SIZE        equ 1024
%define PRODUCT 'Linux from the host'
%include "optionrom.inc"
%include "fwcfg.inc"

SETUP_LOADFLAGS     equ 0x211
SETUP_HEAP_END_PTR  equ 0x224
CAN_USE_HEAP        equ 0x80
SETUP_ENTRY         equ 0x20            ; segments past the start of setup

boot:
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     ax, 0x2401              ; A20 on: the kernel goes above 1 MiB
        int     0x15
        cli

        mov     ax, FW_SETUP_SIZE
        call    fw_u32
        mov     si, msg_none
        test    eax, eax
        jz      fatal
        fw_load FW_SETUP_ADDR, FW_SETUP_SIZE, FW_SETUP_DATA
        fw_load FW_CMDLINE_ADDR, FW_CMDLINE_SIZE, FW_CMDLINE_DATA
        fw_load FW_KERNEL_ADDR, FW_KERNEL_SIZE, FW_KERNEL_DATA
        fw_load FW_INITRD_ADDR, FW_INITRD_SIZE, FW_INITRD_DATA

        mov     ax, FW_SETUP_ADDR
        call    fw_u32
        shr     eax, 4
        mov     ds, ax
        mov     bx, 0x9000              ; protocol 2.00 has no heap: its stack ends here
        test    byte [SETUP_LOADFLAGS], CAN_USE_HEAP
        jz      .stack
        mov     bx, [SETUP_HEAP_END_PTR]
        add     bx, 0x200               ; the field is the end of the heap less 200h
        and     bx, ~3
.stack: mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        movzx   esp, bx
        add     ax, SETUP_ENTRY
        push    ax
        push    word 0
        xor     dx, dx
        retf                            ; interrupts stay off

msg_none: db    'turbo86: no kernel in fw_cfg', 13, 10, 0
        rom_end

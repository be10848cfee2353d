; SPDX-License-Identifier: MIT
;
; multiboot.bin: boots the multiboot image that the host offers through fw_cfg, as linuxboot.bin
; does for Linux. The host has flattened the ELF file and built the information structure; what only
; the running BIOS knows (memory sizes and map) is filled in here.
;
; Reference: [MULTIBOOT] Multiboot Specification 0.6.96, sections 3.2 and 3.3.

ROM_SIZE        equ 1024
%define PRODUCT 'multiboot image from the host'
%include "optionrom.inc"
%include "fwcfg.inc"

MB_MAGIC        equ 0x2badb002
MBI_FLAGS       equ 0
MBI_MEM_LOWER   equ 4
MBI_MEM_UPPER   equ 8
MBI_MMAP_LENGTH equ 44
MBI_MMAP_ADDR   equ 48
MBI_HAS_MEM     equ 1 << 0
MBI_HAS_MMAP    equ 1 << 6
MMAP_ENTRY      equ 24                  ; size field and 20 bytes of INT 15h E820
MMAP_MAX        equ 48 * MMAP_ENTRY
E820_RAM        equ 1
SMAP            equ 'PAMS'

boot:
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     ax, 0x2401
        int     0x15
        cli

        mov     ax, FW_KERNEL_SIZE
        call    fw_u32
        mov     si, msg_none
        test    eax, eax
        jz      fatal
        fw_load FW_KERNEL_ADDR, FW_KERNEL_SIZE, FW_KERNEL_DATA
        fw_load FW_INITRD_ADDR, FW_INITRD_SIZE, FW_INITRD_DATA
        mov     ax, FW_INITRD_ADDR
        call    fw_u32
        mov     [GDT_RAM - 4], eax      ; the information structure, for later
        xchg    si, ax                  ; below 64 KiB by contract
        call    memory_map

        mov     ax, FW_KERNEL_ENTRY
        call    fw_u32
        mov     ebp, eax
        cli
        call    load_gdt
        mov     ebx, [GDT_RAM - 4]
        mov     ecx, cs
        movzx   ecx, cx
        shl     ecx, 4
        add     ecx, flat               ; linear address of the 32-bit code
        mov     eax, cr0
        and     eax, 0x7fffffff
        or      al, 1
        mov     cr0, eax
        push    dword FLAT_CODE
        push    ecx
        o32 retf

        bits    32
flat:   mov     eax, FLAT_DATA
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     ss, eax
        mov     esp, 0x7c00
        mov     eax, MB_MAGIC
        jmp     ebp
        bits    16

; SI = information structure: mem_lower, mem_upper, mmap_length and their flags; the map itself at
; mmap_addr.
memory_map:
        int     0x12
        movzx   eax, ax
        mov     [si + MBI_MEM_LOWER], eax
        mov     di, [si + MBI_MMAP_ADDR]
        mov     bp, di
        xor     ebx, ebx
.next:  mov     eax, 0xe820
        mov     edx, SMAP
        mov     ecx, MMAP_ENTRY - 4
        push    di
        add     di, 4
        int     0x15
        pop     di
        jc      .end
        cmp     eax, SMAP
        jne     .end
        mov     dword [di], MMAP_ENTRY - 4
        cmp     dword [di + 8], 0       ; RAM that starts at 1 MiB is "upper memory"
        jne     .entry
        cmp     dword [di + 4], 0x100000
        jne     .entry
        cmp     dword [di + 20], E820_RAM
        jne     .entry
        mov     eax, [di + 12]
        shr     eax, 10
        mov     [si + MBI_MEM_UPPER], eax
.entry: add     di, MMAP_ENTRY
        mov     ax, di
        sub     ax, bp
        cmp     ax, MMAP_MAX
        jae     .end
        test    ebx, ebx
        jnz     .next
.end:   sub     di, bp
        movzx   edi, di
        mov     [si + MBI_MMAP_LENGTH], edi
        or      dword [si + MBI_FLAGS], MBI_HAS_MEM | MBI_HAS_MMAP
        ret

msg_none: db    'turbo86: no multiboot image in fw_cfg', 13, 10, 0
        rom_end

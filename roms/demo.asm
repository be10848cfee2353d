; SPDX-License-Identifier: MIT
;
; The demo disk: a boot sector and a 32-bit program that walks the machine from real mode through
; protected mode to paging, shows what it finds, measures it for a second and answers commands, on
; the VGA text screen and on COM1 at once. It runs on anything from a 386 upwards.
;
; Memory:  07C00  boot sector        20000  variables          30000  page directory and tables
;          07E00  the program        2F000  top of the stack   40000  frame of the demand page
;          50000, 60000  copied by the benchmark               70000  the benchmark's sieve
;
; References: [SDM 3A] chapters 2, 4, 6, 9.9; [IBM-AT] BIOS data area; [8259A] [8254] [16550].

PROGRAM         equ 0x7e00
PROGRAM_SECTORS equ 40                  ; read by the boot sector; the end of the file checks it
STACK_TOP       equ 0x2f000
PAGE_DIR        equ 0x30000
PAGE_TABLES     equ 0x31000             ; four: 16 MiB, one to one
MAPPED_TABLES   equ 4
DEMAND_TABLE    equ 0x35000
DEMAND_FRAME    equ 0x40000
DEMAND_PAGE     equ 0xd0000000          ; nobody's RAM: mapped by the page fault handler
COPY_FROM       equ 0x50000
COPY_TO         equ 0x60000
SIEVE           equ 0x70000

; Colours, as control codes in strings.
%define TXT     1
%define DIM     2
%define KEY     3
%define VAL     4
%define OK      5
%define BAD     6

        org     0x7c00
        cpu     386

; say "text", 10: prints an inline string.
%macro say 1+
        call    say_inline
        db      %1, 0
%endmacro

%include "demo/boot.inc"
%include "demo/real.inc"
        bits    32
%include "demo/main.inc"
%include "demo/console.inc"
%include "demo/trap.inc"
%include "demo/input.inc"
%include "demo/cpu.inc"
%include "demo/board.inc"
%include "demo/pci.inc"
%include "demo/bench.inc"
%include "demo/shell.inc"

        times   PROGRAM_SECTORS * 512 - ($ - program) db 0

        absolute 0x20000
idt_table:      resq 48
ticks:          resd 1                  ; of IRQ0, 100 a second
screen_row:     resd 1
screen_col:     resd 1
screen_attr:    resd 1
saved_attr:     resd 1
key_head:       resd 1
key_tail:       resd 1
key_shift:      resd 1
key_ring:       resb 256
last_serial:    resd 1
line_len:       resd 1
line_buf:       resb 80
fault_resume:   resd 1                  ; where #DE continues, 0 = it was not expected
fault_count:    resd 1
cpu_max_leaf:   resd 1
cpu_signature:  resd 1
cpu_features:   resd 2                  ; CPUID.1 EDX, ECX
cpu_text:       resb 52
has_cpuid:      resd 1
has_fpu:        resd 1
bench_count:    resd 1
bench_ticks:    resd 1
column:         resd 1
pci_count:      resd 1
pm_base:        resd 1

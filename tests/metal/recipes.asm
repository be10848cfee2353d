; SPDX-License-Identifier: MIT
; EFLAGS of a page fault right behind a shift: those that the shift left, which a translator may not have
; made when the fault comes [SDM 3A 6.5; SDM 2B SAL/SAR/SHL/SHR]. AF, and OF of counts above 1, are undefined:
; compared with what PUSHFD shows after the same shift.
; expect: done
%include "inc/pm.inc"
%include "inc/paging.inc"
        cpu     default

FLAGS   equ 0x8d5
wrong   equ scratch + 0xb0
faults  equ scratch + 0xb4

; Shifts 60 numbers; after each there is a fault
%macro shifted 3                        ; name, operation, count
        mov     dword [wrong], 0
        mov     dword [faults], 0
        try
        mov     dword [hook], on_fault
        mov     ecx, 60
        mov     ebp, 0x9e3779b9
%%next: imul    ebp, 0x01010149
        mov     esi, ebp
        %2      esi, %3
        pushfd
        pop     edx
        mov     dword [PTE_L], 0
        invlpg  [L]
        mov     esi, ebp
        %2      esi, %3
        mov     edi, [L]
        add     esi, edi                ; other flags
        loop    %%next
        endcase
        check   %1, [wrong], 0
        check   %1, [faults], 60
%endmacro

main:   call    paging_on
        window  7, 7
        shifted "shl 1", shl, 1
        shifted "shl 5", shl, 5
        shifted "shl 31", shl, 31
        shifted "shr 1", shr, 1
        shifted "shr 8", shr, 8
        shifted "shr 31", shr, 31
        shifted "sar 1", sar, 1
        shifted "sar 12", sar, 12
        shifted "sar 31", sar, 31
        jmp     paging_off

on_fault:
        inc     dword [faults]
        mov     eax, [got_efl]
        xor     eax, [got_edx]
        test    eax, FLAGS
        jz      .same
        inc     dword [wrong]
.same:  mov     dword [PTE_L], L | 7
        invlpg  [L]
        ret
%include "inc/end.inc"

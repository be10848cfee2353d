; SPDX-License-Identifier: MIT
; A segment register gets another base, or another limit, in a loop that ran often with flat segments: what
; a translator knew of the register holds no longer right behind the load [SDM 3A 3.4.3].
; expect: done
%include "inc/pm.inc"

BASED   equ FREE                        ; begins at 0x1000
LIMITED equ FREE + 8                    ; ends before M
M       equ 0x30000
sum     equ scratch + 0xb0
pointer equ scratch + 0xb8

; Loads DS0 199 times by %3.., then the selector %2, and adds what is at M
%macro loads 3+
        try
        mov     dword [sum], 0
        mov     dword [pointer], M
        mov     ecx, 200
%%next: mov     eax, DS0
        cmp     ecx, 1
        jne     %%load
        mov     eax, %2
%%load: mov     [pointer + 4], eax
        %3
        mov     edx, [%1:M]
        push    dword DS0
        pop     ds
        add     [sum], edx
        loop    %%next
        endcase
%endmacro

%macro both 3+
        loads   %1, BASED, %3
        check   {%2, " with a base"}, [sum], (199 * 0x01010101 + 0x22222222)
        check   {%2, " with a base: no fault"}, [got_vec], NONE
        loads   %1, LIMITED, %3
        check   {%2, " with a limit"}, [got_vec], 13
        check   {%2, " with a limit: when"}, [got_ecx], 1
        check   {%2, " with a limit: the others"}, [sum], (199 * 0x01010101)
%endmacro

main:   set_desc BASED, 0x1000, 0xfffff, 0x93, 0xc
        set_desc LIMITED, 0, M - 1, 0x93, 0x4
        mov     dword [M], 0x01010101
        mov     dword [M + 0x1000], 0x22222222
        both    fs, "mov fs", mov fs, eax
        both    gs, "mov gs", mov gs, eax
        both    es, "mov es", mov es, eax
        both    ds, "mov ds", mov ds, eax
        both    fs, "pop fs", call pop_fs
        both    fs, "lfs", lfs esi, [pointer]
        ret

pop_fs: push    eax
        pop     fs
        ret
%include "inc/end.inc"

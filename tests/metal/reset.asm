; SPDX-License-Identifier: MIT
; INIT by port 92h, out of protected mode with paging, and by the keyboard controller: the processor starts
; over in real mode; memory, SYSENTER_CS and XMM registers stay [SDM 3A 9.1.1, Table 9-1]. A byte of CMOS
; RAM counts the rounds.
; reboots: as others count INIT as a reset
; expect: reset: ok
%include "metal.inc"
        cpu     default
ROUND   equ 0x7e                        ; in CMOS RAM; its neighbour says that we began
BEGAN   equ 0x7f
MARK    equ 0x5000                      ; segment of a word that must stay
PD      equ 0x11000

%macro cmos_read 1
        mov     al, %1
        out     0x70, al
        in      al, 0x71
%endmacro
%macro cmos_write 2
        mov     al, %1
        out     0x70, al
        mov     al, %2
        out     0x71, al
%endmacro
main:   cmos_read BEGAN
        cmp     al, 0x5a
        je      .again
        cmos_write BEGAN, 0x5a
        cmos_write ROUND, 0
        mov     ax, MARK
        mov     es, ax
        mov     word [es:0], 0x1234
        mov     ecx, 0x174              ; SYSENTER_CS
        mov     eax, 0x5678
        xor     edx, edx
        wrmsr
        call    sse_on
        movups  xmm3, [pattern]
        jmp     protected
.again: mov     eax, cr0                ; paging and protection are off
        test    eax, 0x80000001
        jnz     failed
        mov     ax, MARK
        mov     es, ax
        cmp     word [es:0], 0x1234
        jne     failed
        mov     ecx, 0x174
        rdmsr
        cmp     eax, 0x5678
        jne     failed
        mov     eax, dr7                ; were set before
        cmp     eax, 0x400
        jne     failed
        call    sse_on
        movups  [room], xmm3
        mov     si, pattern
        mov     di, room
        mov     cx, 8
        push    ds
        pop     es
        repe    cmpsw
        jne     failed
        cmos_read ROUND
        cmp     al, 1
        je      done
        cmos_write ROUND, 1
        mov     al, 0xfe                ; pulse output bit 0
        out     0x64, al
.wait:  jmp     .wait
done:   cmos_write BEGAN, 0
        mov     si, t_ok
        jmp     say
failed: mov     si, t_fail
say:    lodsb
        test    al, al
        jz      .end
        out     0xe9, al
        jmp     say
.end:   leave_test

sse_on: mov     eax, cr4
        or      ax, 0x200
        mov     cr4, eax
        ret

protected:
        mov     eax, 0x33
        mov     dr7, eax
        mov     di, PD >> 4
        mov     es, di
        xor     di, di
        mov     dword [es:di], 0x83     ; the first 4 MiB
        mov     eax, cr4
        or      al, 0x10
        mov     cr4, eax
        mov     eax, PD
        mov     cr3, eax
        lgdt    [gdtr]
        mov     eax, cr0
        or      eax, 0x80000001
        mov     cr0, eax
        jmp     8:.in
        bits    32
.in:    in      al, 0x92
        and     al, 0xfe
        out     0x92, al
        or      al, 1                   ; the edge is what counts
        out     0x92, al
.wait:  jmp     .wait

gdtr:   dw      15
        dd      gdt
        align   8
gdt:    dq      0, 0x00cf9b000000ffff
pattern: dq     0x1122334455667788, 0x99aabbccddeeff00
room:   dq      0, 0
t_ok:   db      'reset: ok', 10, 0
t_fail: db      'reset: FAIL', 10, 0
boot_end

; SPDX-License-Identifier: MIT
; Segment limits, types and privilege, swept over all descriptors [SDM 3A ch. 5].
; expect: done
%include "inc/pm.inc"

T       equ FREE                        ; the descriptor under test
v_cpl   equ scratch + 0x40
v_type  equ scratch + 0x44              ; bits 0-3 type, bit 4 S
v_dpl   equ scratch + 0x48
v_p     equ scratch + 0x4c
v_rpl   equ scratch + 0x50
v_sel   equ scratch + 0x54
v_acc   equ scratch + 0x58
v_vis   equ scratch + 0x5c              ; max(CPL, RPL) <= DPL
v_esp   equ scratch + 0x60

main:   call    limits
        call    rights
        call    loads
        call    arpl
        call    wraps
        call    real
        ret

; For each descriptor: offsets around its ends, sizes 1, 2, 4, 8, reading and writing.
limits: mov     esi, .table
.row:   mov     eax, [esi]
        mov     [GDT + T], eax
        mov     eax, [esi + 4]
        mov     [GDT + T + 4], eax
        mov     edi, .offsets
.offset:
        mov     ebx, [edi]
        mov     eax, [edi + 4]          ; relative to: 0 nothing, 1 first, 2 last
        cmp     eax, 1
        jb      .absolute
        jne     .last
        add     ebx, [esi + 8]
        jmp     .absolute
.last:  add     ebx, [esi + 12]
.absolute:
        mov     ecx, 1
.size:  call    .one
        add     ecx, ecx
        cmp     ecx, 8
        jbe     .size
        add     edi, 8
        cmp     edi, .offsets_end
        jb      .offset
        add     esi, 16
        cmp     esi, .table_end
        jb      .row
        sweep_done "limits: reads and writes"
        ret
; EBX = offset, ECX = size
.one:   mov     edx, NONE
        cmp     ebx, [esi + 8]
        jb      .bad
        mov     eax, ebx
        add     eax, ecx
        dec     eax
        cmp     eax, ebx
        jb      .bad
        cmp     eax, [esi + 12]
        jbe     .ok
.bad:   mov     edx, GP
.ok:    push    edx
        try
        push    dword T
        pop     fs
        cmp     cl, 2
        jb      .r1
        je      .r2
        cmp     cl, 8
        je      .r8
        mov     eax, [fs:ebx]
        jmp     .rend
.r1:    mov     al, [fs:ebx]
        jmp     .rend
.r2:    mov     ax, [fs:ebx]
        jmp     .rend
.r8:    fld     qword [fs:ebx]
        fstp    st0
.rend:  endcase
        pop     edx
        mov     eax, [got_vec]
        call    compare
        ; writing: the same, unless the segment is read-only
        test    byte [GDT + T + 5], 2
        jnz     .writable
        mov     edx, GP
.writable:
        push    edx
        try
        push    dword T
        pop     fs
        cmp     cl, 2
        jb      .w1
        je      .w2
        cmp     cl, 8
        je      .w8
        mov     [fs:ebx], eax
        jmp     .wend
.w1:    mov     [fs:ebx], al
        jmp     .wend
.w2:    mov     [fs:ebx], ax
        jmp     .wend
.w8:    fld1
        fstp    qword [fs:ebx]
.wend:  endcase
        pop     edx
        mov     eax, [got_vec]
        fninit
        jmp     compare

; descriptor, first valid offset, last
        align   4
.table: dd      0x00000000, 0x00409305, 0, 0                    ; base 50000h, one byte
        dd      0x00000fff, 0x00409305, 0, 0xfff
        dd      0x0000ffff, 0x00009305, 0, 0xffff
        dd      0x00000003, 0x00c09305, 0, 0x3fff               ; G
        dd      0x00000fff, 0x00409105, 0, 0xfff                ; read-only
        dd      0x00000fff, 0x00409705, 0x1000, 0xffffffff      ; expand-down, 32
        dd      0x00000fff, 0x00009705, 0x1000, 0xffff          ; expand-down, 16
        dd      0x00000003, 0x00c09705, 0x4000, 0xffffffff      ; expand-down, G
        dd      0x00000003, 0x00809705, 0x4000, 0xffff
        dd      0x0000ffff, 0x00cf9305, 0, 0xffffffff           ; flat with a base
.table_end:
.offsets:
        dd      0, 0, 1, 0, -4, 0, -1, 0
        dd      -4, 1, -3, 1, -2, 1, -1, 1, 0, 1
        dd      -7, 2, -6, 2, -3, 2, -2, 2, -1, 2, 0, 2, 1, 2
.offsets_end:

; LAR, LSL, VERR, VERW: every type x DPL x P x RPL x CPL.
rights: mov     dword [v_cpl], 0
.cpl:   try
        mov     eax, [v_cpl]
        imul    ecx, eax, 12
        add     ecx, .rings
        push    dword [ecx]             ; SS
        push    dword [ecx + 8]
        push    dword 2
        push    dword [ecx + 4]
        push    dword .ring
        push    dword [ecx]
        pop     ds
        push    dword [ecx]
        pop     es
        test    eax, eax
        jnz     .outer
        iretd
.outer: push    dword DS3
        pop     ds
        push    dword DS3
        pop     es
        iretd
.ring:  call    for_all
        exit3
        endcase
        inc     dword [v_cpl]
        cmp     dword [v_cpl], 4
        jb      .cpl
        sweep_done "LAR, LSL, VERR, VERW"
        ret
.rings: dd      DS0, CS0, STACK0 - 0x200, DS1, CS1, STACK1, DS2, CS2, STACK2, DS3, CS3, STACK3

for_all:
        mov     dword [v_type], 31
.type:  mov     dword [v_dpl], 3
.dpl:   mov     dword [v_p], 1
.p:     mov     dword [v_rpl], 3
.rpl:   call    describe
        call    check_rights
        dec     dword [v_rpl]
        jns     .rpl
        dec     dword [v_p]
        jns     .p
        dec     dword [v_dpl]
        jns     .dpl
        dec     dword [v_type]
        jns     .type
        ret

; Build the descriptor and the selector, EBX = what is tried.
describe:
        mov     eax, [v_p]
        shl     eax, 2
        or      eax, [v_dpl]
        shl     eax, 5
        or      eax, [v_type]
        mov     [v_acc], eax
        mov     dword [GDT + T], 0x00001234
        movzx   ecx, byte [v_acc]
        shl     ecx, 8
        or      ecx, 0x00410000         ; limit 11234h, DB
        mov     [GDT + T + 4], ecx
        mov     eax, [v_rpl]
        or      eax, T
        mov     [v_sel], eax
        mov     ebx, [v_cpl]
        shl     ebx, 8
        or      ebx, [v_rpl]
        shl     ebx, 8
        or      bl, [v_acc]
        mov     eax, [v_cpl]
        cmp     eax, [v_rpl]
        ja      .lower
        mov     eax, [v_rpl]
.lower: cmp     [v_dpl], eax
        setae   al
        movzx   eax, al
        mov     [v_vis], eax
        mov     eax, [v_type]           ; conforming code is always visible
        and     al, 0x1c
        cmp     al, 0x1c
        jne     .done
        mov     byte [v_vis], 1
.done:  ret

check_rights:
        mov     ecx, 0xffff1a3e         ; types LAR takes
        call    .visible
        mov     edx, 0xdddddddd
        jnc     .lar
        mov     edx, [GDT + T + 4]
        and     edx, 0x00f0ff00
.lar:   mov     eax, 0xdddddddd
        lar     eax, [v_sel]
        jnz     .lar2
        and     eax, 0x00f0ff00         ; limit bits 16-19 are undefined
.lar2:  call    compare
        mov     ecx, 0xffff0a0e         ; types LSL takes
        call    .visible
        mov     edx, 0xdddddddd
        jnc     .lsl
        mov     edx, 0x11234
.lsl:   mov     eax, 0xdddddddd
        lsl     eax, [v_sel]
        call    compare
        mov     ecx, 0xccff0000         ; data and readable code
        call    .visible
        setc    dl
        movzx   edx, dl
        xor     eax, eax
        verr    [v_sel]
        setz    al
        call    compare
        mov     ecx, 0x00cc0000         ; writable data
        call    .visible
        setc    dl
        movzx   edx, dl
        xor     eax, eax
        verw    [v_sel]
        setz    al
        jmp     compare
; CF = the type is in ECX, and visible
.visible:
        cmp     dword [v_vis], 1
        jne     .no
        mov     eax, [v_type]
        bt      ecx, eax
        ret
.no:    clc
        ret

; MOV ES and MOV SS at CPL 0 and 3: vector, error code and accessed bit.
loads:  mov     dword [v_cpl], 0
.cpl:   mov     dword [v_type], 31
.type:  mov     dword [v_dpl], 3
.dpl:   mov     dword [v_p], 1
.p:     mov     dword [v_rpl], 3
.rpl:   call    describe
        call    .es
        call    describe
        call    .ss
        dec     dword [v_rpl]
        jns     .rpl
        dec     dword [v_p]
        jns     .p
        dec     dword [v_dpl]
        jns     .dpl
        dec     dword [v_type]
        jns     .type
        xor     dword [v_cpl], 3
        jnz     .cpl
        sweep_done "MOV ES, MOV SS"
        ret
.es:    mov     edx, GP << 16 | T
        mov     eax, [v_type]
        mov     ecx, 0xccff0000
        bt      ecx, eax
        jnc     .es2
        cmp     dword [v_vis], 0
        je      .es2
        mov     edx, NP << 16 | T
        cmp     dword [v_p], 0
        je      .es2
        mov     edx, EXIT3 << 16
.es2:   mov     ecx, .load_es
        jmp     .try
.ss:    mov     edx, GP << 16 | T
        mov     eax, [v_type]
        mov     ecx, 0x00cc0000
        bt      ecx, eax
        jnc     .ss2
        mov     eax, [v_cpl]
        cmp     eax, [v_rpl]
        jne     .ss2
        cmp     eax, [v_dpl]
        jne     .ss2
        mov     edx, SS_ << 16 | T
        cmp     dword [v_p], 0
        je      .ss2
        mov     edx, EXIT3 << 16
.ss2:   mov     ecx, .load_ss
.try:   push    edx
        push    ebx
        try
        mov     eax, [v_sel]
        cmp     dword [v_cpl], 0
        je      .ring0
        push    dword DS3
        pop     ds
        push    dword DS3
        push    dword STACK3
        push    dword 2
        push    dword CS3
        push    ecx
        iretd
.ring0: jmp     ecx
.load_es:
        mov     es, ax
        exit3
.load_ss:
        mov     ss, ax
        cmp     dword [v_cpl], 0
        jne     .exit
        mov     ax, DS0                 ; it need not be a usable stack
        mov     ss, ax
.exit:  exit3
        endcase
        pop     ebx
        pop     edx
        mov     eax, [got_vec]
        shl     eax, 16
        or      eax, [got_err]
        call    compare
        ; accessed: as it was, or set by success
        mov     eax, [GDT + T + 4]
        shr     eax, 8
        and     eax, 0xff
        mov     ecx, [v_acc]
        shr     edx, 16
        cmp     edx, EXIT3
        jne     .failed
        or      cl, 1
.failed:
        movzx   edx, cl
        jmp     compare

arpl:   xor     ebx, ebx
.next:  mov     ecx, ebx
        mov     eax, ebx
        shr     eax, 2
        and     ecx, 3
        or      eax, 0x1230
        or      ecx, 0x4560
        mov     edx, eax
        mov     esi, ecx
        and     esi, 3
        mov     edi, eax
        and     edi, 3
        cmp     edi, esi
        jae     .keep
        or      edx, 3
        xor     edx, 3
        or      edx, esi
        or      edx, 0x10000            ; ZF wanted
.keep:  arpl    ax, cx
        jnz     .nz
        or      eax, 0x10000
.nz:    call    compare
        inc     ebx
        cmp     ebx, 16
        jb      .next
        sweep_done "ARPL"
        ret

wraps:  set_desc T, 0x50000, 0xffff, 0x93, 0
        push    dword T
        pop     fs
        case    "16-bit address: word at FFFF", GP, 0
        mov     bx, 0xffff
        mov     ax, [fs:bx]
        endcase
        case    "16-bit address: wraps to 0", NONE, 0
        mov     dword [0x50000], 0x11223344
        mov     bx, 0xffff
        mov     eax, [fs:bx + 1]
        endcase
        check   "16-bit address: wrapped", eax, 0x11223344
        case    "16-bit stack: push wraps from 0", NONE, 0
        mov     ebp, esp
        mov     ecx, DS0
        mov     dx, T
        mov     ss, dx
        mov     esp, 0x77770000
        push    ax
        mov     ebx, esp
        mov     ss, cx
        mov     esp, ebp
        endcase
        check   "16-bit stack: esp", ebx, 0x7777fffe
        set_desc T, 0x50000, 0xffff, 0xf3, 0
        case    "16-bit stack: push at SP = 1", SS_, 0
        fault_at .push
        push    dword T | 3
        push    dword 1
        push    dword 2
        push    dword CS3
        push    dword .push
        iretd
.push:  push    ax
        endcase
        ret

; Real mode: limits of 64 KiB, and what protected mode left in FS.
real:   set_desc T, 0, 0xfffff, 0x93, 12
        mov     eax, 0x600df00d
        mov     [0x120000], eax
        mov     [v_esp], esp
        push    dword T
        pop     fs
        push    dword DS0_16
        pop     ds
        push    dword DS0_16
        pop     es
        push    dword DS0_16
        pop     ss
        jmp     CS0_16:.small
        bits    16
.small: mov     eax, cr0
        and     al, 0xfe
        mov     cr0, eax
        jmp     0:.real
.real:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x6000
        lidt    [.ivt]
        mov     eax, [ds:13 * 4]
        mov     [v_cpl], eax            ; firmware's vectors
        mov     eax, [ds:12 * 4]
        mov     [v_rpl], eax
        mov     word [13 * 4], .gp
        mov     word [13 * 4 + 2], 0
        mov     word [12 * 4], .ss
        mov     word [12 * 4 + 2], 0
        xor     edx, edx
        mov     ebx, 0x120000
        mov     ecx, [fs:ebx]
        mov     [v_acc], ecx
        mov     di, .r1                 ; where a fault goes on
        mov     ax, [0xffff]
.r1:    mov     di, .r2
        mov     eax, [0xfffd]
.r2:    mov     di, .r3
        mov     eax, [0xfffc]
        or      dh, 1
.r3:    mov     di, .r4
        mov     ebx, 0x10000
        mov     al, [ebx]
.r4:    mov     di, .r5
        mov     bp, 0xffff
        mov     ax, [bp]
.r5:    mov     di, .r6
        mov     al, [cs:ebx]
.r6:    mov     eax, [v_cpl]
        mov     [13 * 4], eax
        mov     eax, [v_rpl]
        mov     [12 * 4], eax
        mov     [v_sel], edx
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     CS0:.back
.gp:    add     dl, 1
        jmp     .fault
.ss:    add     dl, 0x10
.fault: add     sp, 6
        jmp     di
.ivt:   dw      0x3ff
        dd      0
        bits    32
.back:  mov     ax, DS0
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     ss, ax
        mov     esp, [v_esp]
        lidt    [idtr]
        check   "unreal: above 1 MiB", [v_acc], 0x600df00d
        check   "real: #GP x 4, #SS x 1, one good", [v_sel], 0x114
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; Page faults: rights swept over every mode, A and D bits, restarts [SDM 3A ch. 4].
; expect: done
%include "inc/pm.inc"
%include "inc/paging.inc"

e_pde   equ scratch + 0x90              ; bits 0-2, bit 3: XD
e_pte   equ scratch + 0x94
e_user  equ scratch + 0x98
e_kind  equ scratch + 0x9c              ; 0 read, 1 write, 2 fetch, 3 read-modify-write
e_id    equ scratch + 0xa0

main:   mov     eax, 0x80000001
        cpuid
        bt      edx, 20
        setc    [has_nx]
        mov     dword [L], 0xc3c3c3c3
        xor     ebp, ebp
.mode:  mov     eax, ebp
        and     eax, 1
        mov     [m_large], eax
        mov     eax, ebp
        shr     eax, 1
        and     eax, 1
        mov     [m_wp], eax
        mov     eax, ebp
        shr     eax, 2
        and     eax, 1
        mov     [m_pae], eax
        mov     eax, ebp
        shr     eax, 3
        and     eax, 1
        mov     [m_nxe], eax
        jz      .go
        cmp     dword [m_pae], 0
        je      .next
        cmp     dword [has_nx], 0
        je      .next
.go:    push    ebp
        call    paging_on
        call    sweep
        call    paging_off
        pop     ebp
.next:  inc     ebp
        cmp     ebp, 16
        jb      .mode
        sweep_done "rights, error codes, CR2, A, D"
        mov     dword [m_pae], 0
        mov     dword [m_large], 0
        mov     dword [m_wp], 1
        mov     dword [m_nxe], 0
        call    paging_on
        call    crossing
        call    restarts
        call    implicit
        call    changes
        call    paging_off
        call    reserved
        ret

sweep:  mov     ecx, 7                  ; highest flags to try
        cmp     dword [m_pae], 0
        je      .flags
        mov     ecx, 15
.flags: mov     [e_pde], ecx
.pde:   mov     eax, ecx
        cmp     dword [m_large], 0
        je      .small
        xor     eax, eax
.small: mov     [e_pte], eax
.pte:   mov     dword [e_user], 1
.user:  mov     dword [e_kind], 3
.kind:  push    ecx
        call    one
        pop     ecx
        dec     dword [e_kind]
        jns     .kind
        dec     dword [e_user]
        jns     .user
        dec     dword [e_pte]
        jns     .pte
        dec     dword [e_pde]
        jns     .pde
        ret

; Writes the entries, tries, compares.
one:    mov     eax, [e_pde]
        mov     ecx, eax
        and     eax, 7
        and     ecx, 8
        shl     ecx, 28                 ; XD in the high half
        cmp     dword [m_large], 0
        je      .table
        or      eax, PS_ | (L & 0xffc00000)
        cmp     dword [m_pae], 0
        je      .pde32
        jmp     .pdepae
.table: cmp     dword [m_pae], 0
        jne     .tpae
        or      eax, PTW
.pde32: mov     [PD + (L >> 22) * 4], eax
        mov     eax, [e_pte]
        or      eax, L
        mov     [PTW + (L >> 12 & 1023) * 4], eax
        jmp     .set
.tpae:  or      eax, PAEPT
.pdepae:
        mov     [PAEPD + (L >> 21) * 8], eax
        mov     [PAEPD + (L >> 21) * 8 + 4], ecx
        mov     eax, [e_pte]
        mov     ecx, eax
        and     eax, 7
        and     ecx, 8
        shl     ecx, 28
        or      eax, L
        mov     [PAEPT + (L >> 12 & 511) * 8], eax
        mov     [PAEPT + (L >> 12 & 511) * 8 + 4], ecx
.set:   call    load_cr3
        mov     eax, [e_kind]
        shl     eax, 1
        or      eax, [e_user]
        shl     eax, 4
        or      eax, [e_pde]
        shl     eax, 4
        or      eax, [e_pte]
        shl     eax, 1
        or      eax, [m_nxe]
        shl     eax, 1
        or      eax, [m_pae]
        shl     eax, 1
        or      eax, [m_wp]
        shl     eax, 1
        or      eax, [m_large]
        mov     [e_id], eax
        xor     eax, eax
        mov     cr2, eax
        try
        mov     ecx, [e_kind]
        mov     ecx, [.code + ecx * 4]
        cmp     dword [e_user], 0
        je      .ring0
        ring3   .ring3
.ring3: mov     ecx, [e_kind]
        mov     ecx, [.code + ecx * 4]
.ring0: mov     edi, L
        jmp     ecx
        endcase
        mov     ebx, [e_id]
        call    expected                ; EDX
        mov     eax, [got_vec]
        cmp     eax, PF
        jne     .vec
        shl     eax, 16
        or      eax, [got_err]
.vec:   call    compare
        cmp     edx, EXIT3
        jne     .fault
        ; A and D of the entries
        mov     edx, A_
        test    byte [e_kind], 1
        jz      .leaf
        or      edx, D_
.leaf:  mov     ecx, [PTW + (L >> 12 & 1023) * 4]
        mov     eax, [PD + (L >> 22) * 4]
        cmp     dword [m_pae], 0
        je      .ad
        mov     ecx, [PAEPT + (L >> 12 & 511) * 8]
        mov     eax, [PAEPD + (L >> 21) * 8]
.ad:    cmp     dword [m_large], 0
        jne     .large
        push    eax
        mov     eax, ecx
        and     eax, A_ | D_
        call    compare
        pop     eax
        mov     edx, A_
.large: and     eax, A_ | D_
        jmp     compare
.fault: mov     eax, cr2
        mov     edx, L
        jmp     compare
        align   4
.code:  dd      .read, .write, .fetch, .rmw
.read:  mov     al, [edi]
        exit3
.write: mov     byte [edi], 0xc3
        exit3
.fetch: call    edi
        exit3
.rmw:   or      byte [edi], 0xc3
        exit3

; EDX = EXIT3, or PF << 16 | error
expected:
        xor     edx, edx
        test    byte [e_kind], 1
        jz      .user
        or      dl, 2
.user:  cmp     dword [e_user], 0
        je      .fetch
        or      dl, 4
.fetch: cmp     dword [e_kind], 2
        jne     .walk
        cmp     dword [m_nxe], 0
        je      .walk
        or      dl, 16
.walk:  mov     eax, [e_pde]
        test    al, 1
        jz      .fault
        test    al, 8
        jz      .second
        cmp     dword [m_nxe], 0
        je      .reserved
.second:
        cmp     dword [m_large], 0
        jne     .rights
        mov     ecx, [e_pte]
        test    cl, 1
        jz      .fault
        test    cl, 8
        jz      .and
        cmp     dword [m_nxe], 0
        je      .reserved
.and:   mov     ebx, eax
        or      ebx, ecx
        and     eax, ecx
        and     eax, 7
        and     ebx, 8
        or      eax, ebx
        mov     ebx, [e_id]
.rights:
        cmp     dword [e_user], 0
        je      .xd
        test    al, US
        jz      .protection
.xd:    cmp     dword [e_kind], 2
        jne     .write
        test    al, 8
        jnz     .protection
.write: test    byte [e_kind], 1
        jz      .good
        test    al, RW
        jnz     .good
        cmp     dword [e_user], 0
        jne     .protection
        cmp     dword [m_wp], 0
        jne     .protection
.good:  mov     edx, EXIT3
        ret
.reserved:
        or      dl, 8
.protection:
        or      dl, 1
.fault: or      edx, PF << 16
        ret

crossing:
        window  7, 0
        pf      "read across", 0, NEXT, mov eax, [NEXT - 2]
        mov     dword [NEXT - 4], 0x11111111
        pf      "write across", 2, NEXT, mov dword [NEXT - 3], -1
        check   "write across: nothing written", [NEXT - 4], 0x11111111
        pf      "or across", 2, NEXT, or dword [NEXT - 3], -1
        pf      "fld across", 0, NEXT, fld qword [NEXT - 7]
        pf      "fstp tword across", 2, NEXT, fstp tword [NEXT - 9]
        pf      "sgdt across", 2, NEXT, sgdt [NEXT - 5]
        window  0, 7
        pf      "read across, first absent", 0, NEXT - 2, mov eax, [NEXT - 2]
        pf      "write across, first absent", 2, NEXT - 2, mov [NEXT - 2], eax
        window  7, 5
        pf      "write across into read-only", 3, NEXT, mov [NEXT - 1], ax
        check   "not written", [NEXT - 4], 0x11111111
        window  7, 0
        mov     word [NEXT - 2], 0x05c7 ; mov dword [..], ..
        case    "fetch across", PF, 0
        fault_at NEXT - 2
        mov     eax, NEXT - 2
        jmp     eax
        endcase
        check   "fetch across: CR2", [got_cr2], NEXT
        mov     byte [NEXT - 1], 0x90
        case    "fetch behind the page", PF, 0
        fault_at NEXT
        mov     eax, NEXT - 1
        jmp     eax
        endcase
        mov     byte [NEXT - 1], 0xc3
        case    "last byte of the page alone", NONE, 0
        mov     eax, NEXT - 1
        call    eax
        endcase
        ret

restarts:
        window  7, 0
        mov     esi, 0x20000
        mov     edi, NEXT - 32
        mov     ecx, 16
        pf      "rep movsd half-way", 2, NEXT, rep movsd
        check   "rep movsd: ecx", [got_ecx], 8
        check   "rep movsd: esi", [got_esi], 0x20020
        check   "rep movsd: edi", [got_edi], NEXT
        mov     edi, NEXT - 30
        mov     ecx, 16
        pf      "rep stosd half-way, crossing", 2, NEXT, rep stosd
        check   "rep stosd: ecx", [got_ecx], 9
        check   "rep stosd: edi", [got_edi], NEXT - 2
        mov     esi, NEXT - 8
        mov     ecx, 100
        pf      "rep lodsb half-way", 0, NEXT, rep lodsb
        check   "rep lodsb: ecx", [got_ecx], 92
        mov     edi, NEXT - 5
        mov     ecx, 100
        mov     dword [NEXT - 5], 0
        mov     byte [NEXT - 1], 0
        xor     eax, eax
        pf      "repe scasb half-way", 0, NEXT, repe scasb
        check   "repe scasb: ecx", [got_ecx], 95
        mov     esi, 0x20000
        mov     edi, NEXT - 3
        mov     ecx, 100
        mov     edx, [0x20000]
        mov     [NEXT - 4], edx
        std
        mov     edi, L + 3
        mov     esi, 0x20003
        mov     ecx, 4
        case    "rep movsb downwards to the start", NONE, 0
        rep     movsb
        endcase
        cld
        check   "downwards: ecx", ecx, 0
        mov     edi, NEXT
        mov     esi, 0x20000
        mov     ecx, 0
        case    "rep movsb, ecx = 0", NONE, 0
        rep     movsb
        endcase
        mov     edx, 0x80
        mov     edi, NEXT - 2
        mov     ecx, 5
        pf      "rep insb half-way", 2, NEXT, rep insb
        check   "rep insb: ecx", [got_ecx], 3
        ; read-modify-write and stack instructions on absent or read-only pages
        window  7, 5
        pf      "cmpxchg that fails", 3, NEXT, cmpxchg [NEXT], edx
        pf      "xchg", 3, NEXT, xchg eax, [NEXT]
        pf      "bts, bit set already", 3, NEXT, bts dword [NEXT], 0
        pf      "shl by 0", 3, NEXT, shl dword [NEXT], 0
        pf      "inc", 3, NEXT + 4, inc dword [NEXT + 4]
        pf      "setc", 3, NEXT, setc [NEXT]
        pf      "xadd", 3, NEXT, xadd [NEXT], eax
        case    "bt only reads", NONE, 0
        bt      dword [NEXT], 0
        endcase
        window  7, 0
        mov     eax, 0x55
        pf      "xadd absent: registers", 2, NEXT, xadd [NEXT], eax
        check   "xadd: eax", [got_eax], 0x55
        pf      "div absent", 0, NEXT, div dword [NEXT]
        pf      "pop to absent", 2, NEXT, pop dword [NEXT]
        pf      "push from absent", 0, NEXT, push dword [NEXT]
        case    "pop to absent: esp", PF, 6
        ring3   .pop
.pop:   pop     dword [NEXT]
        endcase
        check   "pop: esp kept", [got_esp], STACK3
        mov     ebp, NEXT
        case    "leave", PF, 0
        at_here
        leave
        endcase
        check   "leave: ebp kept", [got_ebp], NEXT
        case    "call with its stack absent", PF, 6
        fault_at .call
        push    dword DS3
        push    dword NEXT + 4
        push    dword 2
        push    dword CS3
        push    dword .call
        iretd
.call:  call    main
        endcase
        check   "call: esp kept", [got_esp], NEXT + 4
        case    "pusha across", PF, 6
        push    dword DS3
        push    dword NEXT + 16
        push    dword 2
        push    dword CS3
        push    dword .pusha
        iretd
.pusha: pushad
        endcase
        check   "pusha: esp kept", [got_esp], NEXT + 16
        ret

; System structures are read as a supervisor, whoever asks.
implicit:
        set_desc FREE, NEXT, 0x0f, 0x82, 0
        mov     ax, FREE
        lldt    ax
        window  7, 0
        case    "ring 3 loads from an absent LDT", PF, 0
        ring3   .ldt
.ldt:   mov     ax, 15
        mov     fs, ax
        endcase
        check   "absent LDT: CR2", [got_cr2], NEXT + 8
        window  7, 3
        mov     dword [NEXT + 8], 0x0000ffff
        mov     dword [NEXT + 12], 0x00cff200
        case    "ring 3 loads from a supervisor LDT", EXIT3, 0
        ring3   .ldt2
.ldt2:  mov     ax, 15
        mov     fs, ax
        exit3
        endcase
        mov     eax, [NEXT + 12]
        check   "accessed bit", eax, 0x00cff300
        mov     dword [NEXT + 12], 0x00cff200
        window  7, 1
        case    "accessed bit in a read-only LDT", PF, 3
        ring3   .ldt2
        endcase
        xor     eax, eax
        lldt    ax
        ; the pushes of an interrupt from ring 3
        window  7, 3
        mov     dword [TSS + 4], NEXT + 0x800
        case    "inner stack on a supervisor page", EXIT3, 0
        ring3   .int
.int:   exit3
        endcase
        mov     dword [TSS + 4], STACK0R
        mov     dword [TSS + 12], NEXT + 8
        set_idt 0x40, CS1, .int, 0xee
        window  0, 7
        case    "inner stack absent", PF, 2
        fault_at .int1
        ring3   .int1
.int1:  int     0x40
        endcase
        check   "inner stack absent: CR2", [got_cr2], NEXT - 4
        mov     dword [TSS + 12], STACK1
        ret

changes:
        window  7, 7
        mov     dword [L], 0x11111111
        mov     dword [NEXT], 0x22222222
        mov     eax, [L]
        mov     dword [PTE_L], NEXT | 7
        invlpg  [L]
        check   "invlpg: new frame", [L], 0x22222222
        mov     eax, [NEXT]
        mov     dword [PTE_N], 0
        mov     eax, cr3
        mov     cr3, eax
        pf      "cr3: page gone", 0, NEXT, mov eax, [NEXT]
        mov     dword [PTE_N], L | 7    ; absent entries are not cached
        check   "from absent to present", [NEXT], 0x11111111
        mov     dword [PTE_L], L | 5
        invlpg  [L]
        pf      "invlpg: read-only", 3, L, mov [L], eax
        mov     dword [PTE_L], L | 7
        case    "read-only to writable without invlpg", NONE, 0
        mov     [L], eax
        endcase
        mov     eax, [PTE_L]
        and     eax, A_ | D_
        check   "A and D", eax, A_ | D_
        mov     dword [PTE_L], L | 7
        invlpg  [L]
        mov     eax, [L]
        mov     eax, [PTE_L]
        and     eax, A_ | D_
        check   "A alone after a read", eax, A_
        mov     [L], eax
        mov     eax, [PTE_L]
        and     eax, A_ | D_
        check   "D after the write that follows", eax, A_ | D_
        ; the window's own table, mapped into the window
        mov     dword [PTE_N], PTW | 7
        invlpg  [NEXT]
        mov     dword [NEXT + (PTE_L - PTW)], L | 3
        invlpg  [L]
        case    "table changed through an alias", PF, 5
        ring3   .user
.user:  mov     eax, [L]
        exit3
        endcase
        ret

; Reserved bits
reserved:
        mov     dword [m_large], 1
        call    paging_on
        mov     dword [PD + (L >> 22) * 4], (L & 0xffc00000) | 0x200087
        call    load_cr3
        pf      "4 MiB page, bit 21", 9, L, mov eax, [L]
        pf      "4 MiB page, bit 21, write", 11, L, mov [L], eax
        call    paging_off
        mov     dword [m_pae], 1
        call    paging_on
        mov     dword [PAEPD + (L >> 21) * 8], (L & 0xffe00000) | 0x2087
        call    load_cr3
        pf      "2 MiB page, bit 13", 9, L, mov eax, [L]
        mov     dword [PAEPD + (L >> 21) * 8], (L & 0xffe00000) | 0x87
        mov     dword [PAEPD + (L >> 21) * 8 + 4], 0x40000000
        call    load_cr3
        pf      "PAE entry, bit 62", 9, L, mov eax, [L]
        mov     dword [PAEPD + (L >> 21) * 8 + 4], 0
        call    paging_off
        ret
%include "inc/end.inc"

; SPDX-License-Identifier: MIT
; An instruction of which a part lies in the next page, executed until it is translated: the next page
; goes, comes back as another, and bytes of either part are written over. Each time the instruction is the
; one that memory has now [SDM 3A 8.1.3, 4.10.2.1].
; expect: done
%include "inc/pm.inc"
%include "inc/paging.inc"
        cpu     default

OTHER   equ NEXT + 0x2000               ; another frame for the second page
PD2     equ 0x17000                     ; an address space that has it there
PTW2    equ 0x18000
CODE    equ NEXT - 3                    ; mov eax, imm32; ret
wrong   equ scratch + 0xb0

; CODE called 200 times gives %2 each time
%macro calls 2
        mov     edx, %2
        call    call_it
        push    dword [wrong]
        call    call_it                 ; its first call is linked now, too
        pop     eax
        add     [wrong], eax
        check   %1, [wrong], 0
%endmacro
%macro frame 1                          ; of the second page, with flags
        mov     dword [PTE_N], %1
        invlpg  [NEXT]
%endmacro

; Calls CODE 200 times; counts results other than EDX. It is the same code each time, linked to CODE.
call_it:
        mov     dword [wrong], 0
        mov     ecx, 200
.next:  xor     eax, eax
        call    CODE
        cmp     eax, edx
        je      .same
        inc     dword [wrong]
.same:  loop    .next
        ret

main:   call    paging_on
        window  7, 7
        mov     edi, CODE
        mov     eax, 0x332211b8
        stosd
        mov     ax, 0xc344
        stosw
        frame   OTHER | 7
        mov     dword [NEXT], 0x00c36655
        calls   "as it is", 0x66552211
        frame   NEXT | 7
        calls   "another page follows", 0x44332211
        frame   OTHER | 7
        calls   "and the first again", 0x66552211

        ; two address spaces that have the first page in common
        mov     esi, PD
        mov     edi, PD2
        mov     ecx, 1024
        rep     movsd
        mov     esi, PTW
        mov     edi, PTW2
        mov     ecx, 1024
        rep     movsd
        mov     dword [PD2 + (L >> 22) * 4], PTW2 | 7
        frame   NEXT | 7
        mov     ebx, 6
.turn:  mov     eax, PD2
        mov     cr3, eax
        calls   "in the other address space", 0x66552211
        mov     eax, PD
        mov     cr3, eax
        calls   "in the first", 0x44332211
        dec     ebx
        jnz     .turn
        frame   OTHER | 7

        mov     dword [wrong], 0
        mov     ecx, 200
.second:
        mov     [NEXT], cl
        call    CODE
        shr     eax, 16
        cmp     al, cl
        je      .patched
        inc     dword [wrong]
.patched:
        loop    .second
        check   "the second part is written over", [wrong], 0

        mov     dword [wrong], 0
        mov     ecx, 200
.first: mov     [CODE + 1], cl
        call    CODE
        cmp     al, cl
        je      .same
        inc     dword [wrong]
.same:  loop    .first
        check   "the first part is written over", [wrong], 0

        frame   0
        case    "no second page", PF, 0
        call    CODE
        endcase
        check   "its CR2", [got_cr2], NEXT
        check   "its EIP", [got_eip], CODE
        frame   NEXT | 7
        calls   "it is there again", 0x44332201

        ; both parts in one frame
        mov     dword [L], 0x00c39988
        frame   L | 7
        calls   "the page follows itself", 0x99882201
        mov     byte [L], 0x77
        calls   "which is written to", 0x99772201
        jmp     paging_off
%include "inc/end.inc"

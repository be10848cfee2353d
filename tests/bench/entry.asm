; SPDX-License-Identifier: MIT
; The multiboot header [MULTIBOOT], the first instructions, and every way into ring 0.
%include "bench.inc"
        extern  kernel_main, kernel_fault

        section .multiboot
        align   4
        dd      0x1badb002, 0, -0x1badb002

        section .text
        global  _start
_start: cli
        cld
        mov     esp, stack_top
        push    ebx
        push    eax
        call    kernel_main

; One stub for each exception: the frame of kernel.h, whether or not there is an error code.
%macro stub 1
vector_%1:
    %if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17
        push    0
    %endif
        push    %1
        jmp     vector_common
%endmacro
%assign v 0
%rep    32
        stub    v
    %assign v v + 1
%endrep
vector_common:
        pushad
        mov     eax, UDATA ; V86 code leaves null selectors
        mov     ds, ax
        mov     es, ax
        cld
        push    esp
        call    kernel_fault
        pop     eax
        popad
        add     esp, 8
        iretd

        section .rodata
        global  vector_stubs
vector_stubs:
%macro  stub_address 1
        dd      vector_%1
%endmacro
%assign v 0
%rep    32
        stub_address v
    %assign v v + 1
%endrep

        section .text
; System calls: number in EAX, argument in EBX, result in EAX. 0: leave ring 3 with result EBX.
        global  int80_entry, sysenter_entry
        align   16
int80_entry:
        push    ds
        push    es
        push    edx
        push    ecx
        mov     edx, UDATA
        mov     ds, edx
        mov     es, edx
        call    [syscalls + eax * 4]
        pop     ecx
        pop     edx
        pop     es
        pop     ds
        iretd
        align   16
sysenter_entry: ; ECX: ESP of the caller, EDX: where to go on
        call    [syscalls + eax * 4]
        sysexit

call_leave:
        mov     esp, [kernel_esp]
        mov     eax, ebx
        pop     ebp
        pop     edi
        pop     esi
        pop     ebx
        ret
call_count:
        add     [counter], ebx
        mov     eax, [counter]
        ret
call_swap:
        mov     eax, ebx
        xchg    al, ah
        xchg    eax, [counter + 4]
        ret
call_mix:
        imul    eax, ebx, 0x01000193
        xor     eax, [counter]
        ret

        section .rodata
syscalls: dd    call_leave, call_count, call_swap, call_mix

        section .text
; u32 user_run(eip, n): runs ring 3 from @eip with ECX = @n until system call 0.
        global  user_run, v86_run
user_run:
        call    enter_lower
        push    UDATA
        push    user_stack_top
        push    2 ; EFLAGS
        push    UCODE
        push    dword [eax + 20]
        iretd

; u32 v86_run(ip, n): the same in V86 mode, IOPL 3: CS 2000h, DS and ES 2800h, SS 3000h.
v86_run:
        call    enter_lower
        push    0
        push    0
        push    0x2800
        push    0x2800
        push    0x3000
        push    0xfffe
        push    0x23002 ; VM, IOPL 3
        push    0x2000
        push    dword [eax + 20]
        iretd

; Saves the registers and the stack for call_leave, clears what is counted; EAX: the saved stack.
enter_lower:
        pop     edx
        push    ebx
        push    esi
        push    edi
        push    ebp
        mov     eax, esp
        mov     [kernel_esp], eax
        mov     dword [counter], 0
        mov     dword [counter + 4], 0
        mov     ecx, [eax + 24]
        mov     ebx, UDATA
        mov     ds, bx
        mov     es, bx
        xor     esi, esi
        xor     ebx, ebx
        jmp     edx

; For the compiler.
        global  memcpy, memset
memcpy: push    esi
        push    edi
        mov     edi, [esp + 12]
        mov     esi, [esp + 16]
        mov     ecx, [esp + 20]
        mov     eax, edi
        rep movsb
        pop     edi
        pop     esi
        ret
memset: push    edi
        mov     edi, [esp + 8]
        mov     eax, [esp + 12]
        mov     ecx, [esp + 16]
        rep stosb
        mov     eax, [esp + 8]
        pop     edi
        ret

        section .bss
        alignb  16
        resb    16384
stack_top:
        resb    4096
        global  trap_stack_top
trap_stack_top:
        resb    4096
user_stack_top:
kernel_esp: resd 1
counter: resd 2

; SPDX-License-Identifier: MIT
; Plays what test_sound.py listens to, and ends by the exit port: 440, 660 and 880 Hz on the speaker,
; half a second each with a tenth of silence behind; then a second of 500 Hz by the Sound Blaster:
; auto-initialized 8-bit DMA at 16000 Hz, from blocks of 512 samples, then 16 bits at 32000 Hz, stereo,
; signed, 1000 Hz on the left only.
        org     0x7c00
        bits    16
        cpu     386
BUF     equ     0x8000
start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:   sti
        cld
        mov     bx, 1193182 / 440
        call    tone
        mov     bx, 1193182 / 660
        call    tone
        mov     bx, 1193182 / 880
        call    tone

        ; ---- 8 bits: a period of 500 Hz is 32 samples at 16000 Hz
        mov     di, BUF
        mov     cx, 1024 / 32
.wave:  push    cx
        mov     al, 0xc0
        mov     cx, 16
        rep     stosb
        mov     al, 0x40
        mov     cx, 16
        rep     stosb
        pop     cx
        loop    .wave
        call    dsp_reset
        mov     al, 0x05                ; mask channel 1
        out     0x0a, al
        out     0x0c, al
        mov     al, 0x59                ; single, auto-init, memory to device, channel 1
        out     0x0b, al
        mov     al, BUF & 0xff
        out     0x02, al
        mov     al, BUF >> 8
        out     0x02, al
        xor     al, al
        out     0x83, al
        mov     al, 0xff                ; 1024 bytes
        out     0x03, al
        mov     al, 0x03
        out     0x03, al
        mov     al, 0x01
        out     0x0a, al
        mov     si, play8
        call    dsp_send
        call    second
        mov     al, 0xda
        call    dsp
        call    tenth

        ; ---- 16 bits: a period of 1000 Hz is 32 frames at 32000 Hz
        mov     di, BUF
        mov     cx, 16
.wide:  push    cx
        mov     cx, 16
        mov     ax, 0x4000
        call    frames
        mov     cx, 16
        mov     ax, -0x4000
        call    frames
        pop     cx
        loop    .wide
        mov     al, 0x05                ; mask channel 5
        out     0xd4, al
        out     0xd8, al
        mov     al, 0x59
        out     0xd6, al
        mov     al, (BUF / 2) & 0xff
        out     0xc4, al
        mov     al, BUF / 2 >> 8
        out     0xc4, al
        xor     al, al
        out     0x8b, al
        mov     al, 0xff                ; 1024 words
        out     0xc6, al
        mov     al, 0x03
        out     0xc6, al
        mov     al, 0x01
        out     0xd4, al
        mov     si, play16
        call    dsp_send
        call    second
        mov     al, 0xd9
        call    dsp
        call    tenth
        mov     al, 0x10
        out     0xf4, al
        hlt

frames: stosw                           ; left
        mov     word [di], 0
        add     di, 2
        loop    frames
        ret

tone:   mov     al, 0xb6
        out     0x43, al
        mov     al, bl
        out     0x42, al
        mov     al, bh
        out     0x42, al
        in      al, 0x61
        or      al, 3
        out     0x61, al
        mov     cx, 9
        call    ticks
        in      al, 0x61
        and     al, 0xfc
        out     0x61, al
tenth:  mov     cx, 2
        jmp     ticks
second: mov     cx, 18
ticks:  mov     ax, [0x46c]             ; of 55 ms
.same:  hlt
        cmp     ax, [0x46c]
        je      .same
        loop    ticks
        ret

dsp_reset:
        mov     dx, 0x226
        mov     al, 1
        out     dx, al
        xor     al, al
        out     dx, al
        mov     dx, 0x22e
.wait:  in      al, dx
        test    al, 0x80
        jz      .wait
        mov     dx, 0x22a
        in      al, dx
        ret
dsp_send:
        lodsb
        movzx   cx, al
.next:  lodsb
        call    dsp
        loop    .next
        ret
dsp:    push    ax
        mov     dx, 0x22c
.busy:  in      al, dx
        test    al, 0x80
        jnz     .busy
        pop     ax
        out     dx, al
        ret
play8:  db      8, 0xd1, 0x41, 16000 >> 8, 16000 & 0xff, 0xc6, 0x00, 0xff, 0x01
play16: db      7, 0x41, 32000 >> 8, 32000 & 0xff, 0xb6, 0x30, 0xff, 0x01
        times   510 - ($ - start) db 0
        dw      0xaa55

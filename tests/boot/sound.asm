; SPDX-License-Identifier: MIT
; Plays what test_sound.py listens to, and ends by the exit port: a scale from C to C on the speaker,
; on the FM chip at 388h, by 8-bit DMA (mono, unsigned, auto-initialized, blocks of 128 samples) and an
; octave higher by 16-bit DMA (stereo, signed, the left side only). A note has six ticks of 55 ms, the
; last of a scale eighteen, and four of silence behind.
        org     0x7c00
        bits    16
        cpu     386
BUF     equ     0x8000
FM_ON   equ     0x2000
FM_4    equ     4 << 10                 ; block: Hz = number * 49716 / 2^(20 - block)
start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        jmp     0:main
main:   sti
        cld
        mov     al, 0xb6                ; square waves
        out     0x43, al
        mov     si, divisors
        mov     bx, speaker_on
        mov     di, speaker_off
        call    scale

        mov     si, voice
        mov     cx, (voice.end - voice) / 2
.voice: lodsw
        call    fm
        loop    .voice
        mov     si, numbers
        mov     bx, fm_on
        mov     di, fm_off
        call    scale

        ; ---- 8 bits: a period is 32 samples
        mov     di, BUF
        mov     dl, 1024 / 32
.wave:  mov     al, 0xc0
        mov     cl, 16
        rep     stosb
        mov     al, 0x40
        mov     cl, 16
        rep     stosb
        dec     dl
        jnz     .wave
        call    dsp_reset
        mov     al, 0xd1
        call    dsp
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
        mov     bp, play8
        call    dsp_scale

        ; ---- 16 bits: a period is 16 frames
        mov     di, BUF
        mov     dl, 32
.wide:  mov     ax, 0x4000
        call    frames
        neg     ax
        call    frames
        dec     dl
        jnz     .wide
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
        mov     bp, play16
        call    dsp_scale
        mov     al, 0x10
        out     0xf4, al
        hlt

frames: mov     cx, 8
.next:  stosw                           ; left
        mov     word [di], 0
        add     di, 2
        loop    .next
        ret

; The notes at SI, begun by BX with one in AX and ended by DI, which leave those registers alone.
dsp_scale:
        mov     si, rates
        mov     bx, dsp_on
        mov     di, dsp_off
scale:  mov     cx, 8
.note:  push    cx
        lodsw
        call    bx
        pop     cx
        push    cx
        loop    .short
        mov     cl, 12
        call    ticks
.short: mov     cx, 6
        call    ticks
        call    di
        mov     cx, 4                   ; a DAC holds its last level for a while
        call    ticks
        pop     cx
        loop    .note
        ret
ticks:  mov     ax, [0x46c]             ; of 55 ms
.same:  hlt
        cmp     ax, [0x46c]
        je      .same
        loop    ticks
        ret

speaker_on:
        out     0x42, al
        mov     al, ah
        out     0x42, al
        in      al, 0x61
        or      al, 3
        out     0x61, al
        ret
speaker_off:
        in      al, 0x61
        and     al, 0xfc
        out     0x61, al
        ret

fm_on:  mov     bp, ax
        mov     ah, al
        mov     al, 0xa0
        call    fm
        mov     ax, bp
        jmp     fm_key
fm_off: mov     ax, bp
        and     ah, ~(FM_ON >> 8)
fm_key: mov     al, 0xb0
fm:     mov     dx, 0x388               ; AH into register AL
        out     dx, al
        call    fm_wait
        mov     al, ah
        inc     dx
        out     dx, al
        dec     dx
fm_wait:
        push    cx
        mov     cx, 35
.next:  in      al, dx
        loop    .next
        pop     cx
        ret

dsp_on: mov     cx, ax
        mov     al, 0x41
        call    dsp
        mov     al, ch
        call    dsp
        mov     al, cl
        call    dsp
        push    si
        mov     si, bp
        mov     cx, 4
.next:  lodsb
        call    dsp
        loop    .next
        pop     si
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
dsp_off:
        mov     al, [bp + 4]
dsp:    push    ax
        mov     dx, 0x22c
.busy:  in      al, dx
        test    al, 0x80
        jnz     .busy
        pop     ax
        out     dx, al
        ret

play8:  db      0xc6, 0x00, 0x7f, 0x00, 0xda ; until the end of the block
play16: db      0xb6, 0x30, 0xff, 0x00, 0xd9
; a sine: register, value
voice:  db      0x20, 0x21, 0x40, 0x3f, 0x60, 0xf0, 0x80, 0x0f
        db      0x23, 0x21, 0x43, 0x00, 0x63, 0xf0, 0x83, 0x0f, 0xc0, 0x31
.end:
; C4 to C5 for each of them
divisors:
        dw      4561, 4063, 3620, 3417, 3044, 2712, 2416, 2280
rates:  dw      8372, 9397, 10548, 11175, 12544, 14080, 15804, 16744
%define fm4(n)  FM_ON | FM_4 | n
numbers:
        dw      fm4(345), fm4(387), fm4(435), fm4(460), fm4(517), fm4(580), fm4(651), fm4(690)
        times   510 - ($ - start) db 0
        dw      0xaa55

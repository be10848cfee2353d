/* SPDX-License-Identifier: MIT */
/* Workloads in C: memory in order, at random, unaligned, across pages; the text screen. */
#include "kernel.h"

enum { WORDS = 1 << 20 }; /* 4 MiB */

static u32 words[WORDS] __attribute__((aligned(4096)));

struct u32_at {
    u32 v;
} __attribute__((packed, may_alias));
struct u16_at {
    u16 v;
} __attribute__((packed, may_alias));

static void fill(u32 count)
{
    u32 state = 0x2545f491;
    for (u32 i = 0; i < count; i++)
        words[i] = random_next(&state);
}

u32 w_memseq(u32 n)
{
    enum { HALF = 32 << 10 };
    u32 sum = 0;
    fill(HALF);
    for (; n; n--) {
        for (u32 i = 0; i < HALF; i++)
            words[HALF + i] = words[i] + n;
        for (u32 i = 2 * HALF; i; i--)
            sum += words[i - 1] ^ i;
        const u16 *half_words = (const u16 *)&words[HALF];
        for (u32 i = 0; i < HALF; i += 2) {
            sum = fold(sum, half_words[i] + (u32)((const u8 *)words)[i]);
            u32 x = words[i];
            words[i] = words[2 * HALF - 1 - i];
            words[2 * HALF - 1 - i] = x;
        }
    }
    return sum;
}

u32 w_memrand(u32 n)
{
    u32 state = 7, sum = 0, at = 0;
    fill(WORDS);
    for (; n; n--) {
        u32 *p = &words[random_next(&state) % WORDS];
        *p += sum;
        at = (words[at] + n) % WORDS; /* this one depends on the last */
        sum = fold(sum, *p ^ words[at]);
    }
    return sum;
}

u32 w_memunal(u32 n)
{
    u32 sum = 0;
    u8 *bytes = (u8 *)words;
    fill(1024);
    for (; n; n--) {
        for (u32 i = 1; i < 4000; i += 59) {
            struct u32_at *p = (struct u32_at *)(bytes + i);
            struct u16_at *q = (struct u16_at *)(bytes + i + 7);
            sum += p->v;
            q->v = (u16)(q->v + sum);
            p->v ^= sum;
            __asm__ volatile("addl %1, %0" : "+m"(((struct u32_at *)(bytes + i + 21))->v) : "r"(n));
        }
        sum = fold(sum, n);
    }
    return sum;
}

u32 w_pagecross(u32 n)
{
    u32 sum = 0;
    fill(17 * PAGE / 4);
    for (; n; n--) {
        for (u32 page = 1; page <= 16; page++) {
            u8 *edge = (u8 *)words + page * PAGE;
            for (int off = -3; off < 0; off++) {
                struct u32_at *p = (struct u32_at *)(edge + off);
                sum = fold(sum, p->v);
                p->v = sum + n;
                __asm__ volatile("xorl %1, %0" : "+m"(p->v) : "r"(sum));
            }
            struct u16_at *q = (struct u16_at *)(edge - 1);
            q->v = (u16)(q->v * 3 + 1);
        }
    }
    return sum;
}

u32 w_vgatext(u32 n)
{
    volatile u16 *screen = (volatile u16 *)0xb8000;
    u32 sum = 0;
    for (; n; n--) {
        for (u32 i = 0; i < 160; i++) /* two lines of 80 */
            screen[i] = (u16)(0x700 | (' ' + (i + n) % 64));
        volatile u8 *bytes = (volatile u8 *)(screen + 80);
        for (u32 i = 0; i < 160; i++)
            sum = fold(sum, bytes[i]);
        for (u32 i = 0; i < 80; i++) /* scroll */
            screen[i] = screen[i + 80];
        sum = fold(sum, screen[n % 80]);
    }
    return sum;
}

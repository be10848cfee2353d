/* SPDX-License-Identifier: MIT */
/* Workloads in C: integer arithmetic and branches. */
#include "kernel.h"

/* A mixing function as hash tables have it: add, subtract, shift, xor. */
u32 w_alu(u32 n)
{
    u32 a = 0x9e3779b9, b = 0x7f4a7c15, c = 0x85ebca6b, sum = 0;
    for (; n; n--) {
        a = (a - b - c) ^ c >> 13;
        b = (b - c - a) ^ a << 8;
        c = (c - a - b) ^ b >> 13;
        a = (a - b - c) ^ c >> 12;
        b = (b - c - a) ^ a << 16;
        c = (c - a - b) ^ b >> 5;
        a = (a + (b << 3) + n) & ~(c >> 31);
        b = (b | 0x1001) + c * 9;
        sum = fold(sum, a + b + c);
    }
    return sum;
}

static u32 steps(u32 x)
{
    u32 count = 0;
    for (; x != 1 && count < 500; count++)
        x = x & 1 ? x * 3 + 1 : x >> 1;
    return count;
}

static void insertion_sort(u32 *a, u32 size)
{
    for (u32 i = 1; i < size; i++) {
        u32 x = a[i], k = i;
        for (; k && a[k - 1] > x; k--)
            a[k] = a[k - 1];
        a[k] = x;
    }
}

static u32 binary_search(const u32 *a, u32 size, u32 x)
{
    u32 low = 0, high = size;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (a[mid] < x)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

u32 w_branchy(u32 n)
{
    u32 state = 1, sum = 0, a[32];
    for (; n; n--) {
        sum = fold(sum, steps(random_next(&state) & 0xffff));
        if (n % 8)
            continue;
        for (u32 i = 0; i < 32; i++)
            a[i] = random_next(&state);
        insertion_sort(a, 32);
        for (u32 i = 0; i < 8; i++)
            sum = fold(sum, binary_search(a, 32, random_next(&state)) + a[i]);
    }
    return sum;
}

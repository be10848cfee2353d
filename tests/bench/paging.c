/* SPDX-License-Identifier: MIT */
/*
 * Paging without PAE [SDM 3A §4.3], and its workloads. Linear addresses from SPACE_LIN differ
 * between two address spaces, those from DEMAND_LIN are mapped when touched, WINDOW_LIN is one page
 * that moves.
 */
#include "kernel.h"

enum { TABLE = 1024, IDENTITY_TABLES = 4 };
enum { SPACE_LIN = 0x40000000, DEMAND_LIN = 0x50000000, WINDOW_LIN = 0x60000000 };
enum { SPACE_PAGES = 16, DEMAND_PAGES = 64, POOL_PAGES = 64 };
enum { CR0_WP = 1 << 16 };
#define CR0_PG 0x80000000u

typedef u32 table[TABLE] __attribute__((aligned(4096)));

static table directory[2];
static table identity[IDENTITY_TABLES];
static table space[2]; /* of SPACE_LIN, one for each directory */
static table demand;
static table window;
static u8 pool[POOL_PAGES][PAGE] __attribute__((aligned(4096)));

static u32 demand_faults;

static u32 entry(const void *page)
{
    return (u32)page | PTE_P | PTE_W | PTE_U;
}

static u32 volatile *lin_word(u32 lin)
{
    return (u32 volatile *)lin;
}

void paging_init(void)
{
    for (u32 i = 0; i < IDENTITY_TABLES * TABLE; i++)
        identity[i / TABLE][i % TABLE] = entry((void *)(i * PAGE));
    for (u32 d = 0; d < 2; d++) {
        for (u32 i = 0; i < IDENTITY_TABLES; i++)
            directory[d][i] = entry(identity[i]);
        directory[d][(u32)SPACE_LIN >> 22] = entry(space[d]);
        directory[d][(u32)DEMAND_LIN >> 22] = entry(demand);
        directory[d][(u32)WINDOW_LIN >> 22] = entry(window);
        for (u32 i = 0; i < SPACE_PAGES; i++)
            space[d][i] = entry(pool[d * SPACE_PAGES + i]);
    }
    cr3_write((u32)directory[0]);
    u32 cr0;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");
}

bool paging_fault(u32 lin)
{
    u32 page = (lin - DEMAND_LIN) / PAGE;
    if (lin < DEMAND_LIN || page >= DEMAND_PAGES)
        return false;
    /* The order of faults decides which page comes where. */
    demand[page] = entry(pool[demand_faults++ % POOL_PAGES]);
    return true;
}

/* So that a workload computes the same whichever ran before it. */
static void pool_fill(void)
{
    u32 state = 99;
    for (u32 i = 0; i < POOL_PAGES; i++) {
        for (u32 k = 0; k < PAGE; k += 4)
            *(u32 *)(pool[i] + k) = random_next(&state);
    }
}

u32 w_cr3(u32 n)
{
    u32 sum = 0;
    pool_fill();
    for (; n; n--) {
        for (u32 d = 0; d < 2; d++) {
            cr3_write((u32)directory[d]);
            for (u32 i = 0; i < SPACE_PAGES; i++) {
                u32 volatile *p = lin_word(SPACE_LIN + i * PAGE + n % 512 * 4);
                *p += n + d;
                sum = fold(sum, *p);
            }
        }
    }
    cr3_write((u32)directory[0]);
    return sum;
}

u32 w_invlpg(u32 n)
{
    u32 sum = 0;
    u32 volatile *p = lin_word(WINDOW_LIN);
    pool_fill();
    for (; n; n--) {
        window[0] = entry(pool[(n + sum) % POOL_PAGES]);
        __asm__ volatile("invlpg (%0)" : : "r"(WINDOW_LIN) : "memory");
        p[n % TABLE] += n;
        sum = fold(sum, p[(n + 1) % TABLE] ^ p[n % TABLE]);
    }
    return sum;
}

u32 w_pfault(u32 n)
{
    u32 sum = 0;
    demand_faults = 0;
    pool_fill();
    for (; n; n--) {
        for (u32 i = 0; i < DEMAND_PAGES; i++)
            demand[i] = 0;
        cr3_write((u32)directory[0]);
        for (u32 i = 0; i < DEMAND_PAGES; i++) {
            /* A stride of 11 visits all; every third first touch is a write, or crosses a page. */
            u32 lin = DEMAND_LIN + i * 11 % DEMAND_PAGES * PAGE;
            if (i % 3 == 0)
                *lin_word(lin + 8) += n;
            else if (i % 3 == 1 && lin != DEMAND_LIN)
                *lin_word(lin - 2) ^= n;
            sum = fold(sum, *lin_word(lin + n % TABLE * 4));
        }
    }
    return fold(sum, demand_faults);
}

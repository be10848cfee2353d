/* SPDX-License-Identifier: MIT */
/*
 * A Linux guest's only process, for storm.py: it forks, executes itself, maps memory, writes code
 * there, runs it, writes it over and unmaps it, without an end. It stands on system calls alone.
 */

typedef unsigned char u8;
typedef unsigned int u32;

enum {
    SYS_EXIT = 1,
    SYS_FORK = 2,
    SYS_WRITE = 4,
    SYS_WAITPID = 7,
    SYS_EXECVE = 11,
    SYS_MMAP2 = 192,
    SYS_MUNMAP = 91,
    PROT_RWX = 7,
    MAP_PRIVATE_ANON = 0x22,
    PAGE = 4096,
    REGIONS = 6,
    FUNCTIONS = 40,
};

static int system_call(int number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
    int result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
}

static u8 *map(u32 bytes)
{
    u32 at;

    /* The sixth argument, the offset, is EBP's. */
    __asm__ volatile("push %%ebp; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
                     : "=a"(at)
                     : "a"(SYS_MMAP2), "b"(0), "c"(bytes), "d"(PROT_RWX), "S"(MAP_PRIVATE_ANON),
                       "D"(-1)
                     : "memory");
    return at > 0xfffff000u ? 0 : (u8 *)at;
}

static u32 next(u32 *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

/* At @at, a function that returns what this does. */
static u32 generate(u8 *at, u32 *random)
{
    u32 value = next(random), steps = 3 + next(random) % 20;

    *at++ = 0xb8; /* mov eax,value */
    __builtin_memcpy(at, &value, 4);
    at += 4;
    while (steps--) {
        static const u8 op[] = {0x05, 0x35, 0x2d}; /* add, xor, sub eax,n */
        u32 which = next(random) % 3, n = next(random);
        *at++ = op[which];
        __builtin_memcpy(at, &n, 4);
        at += 4;
        value = which == 0 ? value + n : which == 1 ? value ^ n : value - n;
    }
    *at = 0xc3;
    return value;
}

static u32 run(u8 *at)
{
    return ((u32(*)(void))at)();
}

/* One child: 0, or 1 if a function returned something else. */
static int work(u32 seed)
{
    u32 random = seed * 2654435761u + 1;

    for (u32 r = 0; r < REGIONS; r++) {
        u32 bytes = PAGE * (1 + next(&random) % 64);
        u8 *region = map(bytes);
        if (!region)
            return 1;
        for (u32 f = 0; f < FUNCTIONS; f++) {
            u8 *at = region + next(&random) % (bytes - 256);
            u32 want = generate(at, &random), times = 1 + next(&random) % 12;
            while (times--)
                if (run(at) != want)
                    return 1;
        }
        system_call(SYS_MUNMAP, (u32)region, bytes, 0, 0, 0);
    }
    return 0;
}

static void say(const char *text)
{
    u32 n = 0;

    while (text[n])
        n++;
    system_call(SYS_WRITE, 1, (u32)text, n, 0, 0);
}

static void say_number(const char *name, u32 n)
{
    char text[12];
    u32 at = sizeof(text) - 1;

    text[at] = 0;
    do
        text[--at] = (char)('0' + n % 10);
    while (n /= 10);
    say(name);
    say(text + at);
    say("\n");
}

/* All memory is touched once: what the emulator holds must not grow by that later on. */
static void touch_memory(void)
{
    u32 bytes = 64u << 20;
    u8 *all = 0;

    while (bytes > PAGE && !(all = map(bytes)))
        bytes /= 2;
    for (u32 i = 0; all && i < 36u << 20 && i < bytes; i += PAGE)
        all[i] = 1;
    system_call(SYS_MUNMAP, (u32)all, bytes, 0, 0, 0);
}

static void storm(void)
{
    static char digits[9];
    static char *const argv[] = {"init", digits, 0};

    touch_memory();
    say("@STORM\n");
    for (u32 seed = 1;; seed++) {
        int status = 0, pid = system_call(SYS_FORK, 0, 0, 0, 0, 0);
        if (pid == 0) {
            for (u32 i = 0; i < 8; i++)
                digits[i] = (char)('a' + (seed >> (4 * i) & 15));
            system_call(SYS_EXECVE, (u32) "/init", (u32)argv, 0, 0, 0);
            system_call(SYS_EXIT, 2, 0, 0, 0, 0);
        }
        system_call(SYS_WAITPID, (u32)pid, (u32)&status, 0, 0, 0);
        if (pid < 0 || status)
            say_number("@WRONG ", seed);
        if (seed % 1000 == 0)
            say_number("@ROUND ", seed);
    }
}

/* The kernel's stack: argc, argv[] */
__attribute__((used)) void begin(const u32 *stack)
{
    if (stack[0] == 2) {
        const char *digits = (const char *)stack[2];
        u32 seed = 0;
        for (u32 i = 0; i < 8; i++)
            seed |= (u32)(digits[i] - 'a') << (4 * i);
        system_call(SYS_EXIT, (u32)work(seed), 0, 0, 0, 0);
    }
    storm();
}

__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call begin\n");

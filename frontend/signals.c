/* SPDX-License-Identifier: MIT */
#include "frontend/signals.h"

#include <signal.h>

/* A signal handler can reach nothing else; set there, read between slices. */
static volatile sig_atomic_t caught;

static const int ending[] = {SIGINT, SIGTERM};

static void on_signal(int sig)
{
    caught = sig;
}

static void on_child(int sig)
{
    (void)sig; /* that it came ends signals_wait() */
}

static void handle(void (*handler)(int))
{
    struct sigaction sa = {.sa_handler = handler};

    for (unsigned i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &sa, NULL);
}

void signals_catch(void)
{
    handle(on_signal);
    signal(SIGPIPE, SIG_IGN);
}

void signals_release(void)
{
    handle(SIG_DFL);
}

int signals_caught(void)
{
    return caught;
}

static void block(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < ARRAY_LEN(ending); i++)
        sigaddset(&set, ending[i]);
    sigaddset(&set, SIGCHLD);
    sigprocmask(how, &set, NULL);
}

void signals_hold(void)
{
    struct sigaction sa = {.sa_handler = on_child};

    sigaction(SIGCHLD, &sa, NULL);
    block(SIG_BLOCK);
}

void signals_wait(void)
{
    sigset_t set;

    sigprocmask(SIG_BLOCK, NULL, &set);
    for (unsigned i = 0; i < ARRAY_LEN(ending); i++)
        sigdelset(&set, ending[i]);
    sigdelset(&set, SIGCHLD);
    sigsuspend(&set);
}

void signals_let(void)
{
    block(SIG_UNBLOCK);
    signal(SIGCHLD, SIG_DFL);
}

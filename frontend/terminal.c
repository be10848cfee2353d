/* SPDX-License-Identifier: MIT */
#include "frontend/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/*
 * The process has one terminal, and a handler for fatal signals has no other way to reach its
 * settings: this is not state of a machine.
 */
static struct termios terminal_before;
static volatile sig_atomic_t terminal_changed;
static const char *volatile terminal_last_words;

void terminal_farewell(const char *text)
{
    terminal_last_words = text;
}

void terminal_restore(void)
{
    const char *text = terminal_last_words;

    terminal_last_words = NULL;
    if (text) {
        ssize_t n = write(STDOUT_FILENO, text, strlen(text));
        (void)n; /* nobody is there to read it */
    }
    if (terminal_changed)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
    terminal_changed = 0;
}

/* Put the terminal back, then die of the same signal. */
static void terminal_die(int sig)
{
    terminal_restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

void terminal_raw(void)
{
    static const int fatal[] = {SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGHUP};
    struct termios t;

    if (terminal_changed || tcgetattr(STDIN_FILENO, &t) != 0)
        return;
    terminal_before = t;
    terminal_changed = 1;
    atexit(terminal_restore);
    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        struct sigaction sa;
        memset(&sa, 0, sizeof(sa));
        sa.sa_handler = terminal_die;
        sigaction(fatal[i], &sa, NULL);
    }
    t.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    t.c_cflag = (t.c_cflag & (tcflag_t) ~(CSIZE | PARENB)) | CS8;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

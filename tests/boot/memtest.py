#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Memtest86+ (version 6, Debian's package) makes one whole pass over 32 MiB and finds no error.

    memtest.py [--turbo86 CMD] [--image FILE] [--limit SECONDS]

It shows its screen on the serial line; the counts of passes and errors are read from there.
"""
import argparse
import re
import shlex
import subprocess
import sys
import time

MOVE_OR_TEXT = re.compile(r"\x1b\[(\d*);?(\d*)([A-Za-z])|([^\x1b])", re.S)


class Screen:
    """As much of a VT100 as Memtest86+ uses: the cursor's place, and text."""

    def __init__(self):
        self.lines = [[" "] * 80 for _ in range(25)]
        self.row = self.column = 0

    def write(self, text):
        for a, b, final, char in MOVE_OR_TEXT.findall(text):
            if final == "H":
                self.row, self.column = int(a or 1) - 1, int(b or 1) - 1
            elif char >= " ":
                if self.row < 25 and self.column < 80:
                    self.lines[self.row][self.column] = char
                self.column += 1

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


def counts(screen):
    """-> (passes, errors) or None before they are shown"""
    m = re.search(r"Pass: +(\d+) +Errors: +(\d+)", screen)
    return m and (int(m[1]), int(m[2]))


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--turbo86", default="build/turbo86")
    ap.add_argument("--image", default="/boot/memtest86+ia32.bin")
    ap.add_argument("--limit", type=float, default=7200)
    a = ap.parse_args()
    started, screen, seen, rest = time.time(), Screen(), None, ""
    p = subprocess.Popen([*shlex.split(a.turbo86), "-m", "32", "-nographic", "-no-reboot",
                          "--wall-timeout", f"{a.limit:.0f}s", "-kernel", a.image, "-append",
                          "console=ttyS0,115200"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        while data := p.stdout.read1(65536):
            text = rest + data.decode("latin-1")
            cut = text.rfind("\x1b") # a sequence may go on in the next piece
            rest = text[cut:] if cut >= 0 and len(text) - cut < 12 else ""
            screen.write(text[:len(text) - len(rest)])
            seen = counts(screen.text()) or seen
            if seen and (seen[0] >= 1 or seen[1] > 0):
                break
    finally:
        p.kill()
        p.wait()
    print(screen.text())
    print(f"{time.time() - started:.0f} s; passes, errors: {seen}")
    sys.exit(not seen or seen[0] < 1 or seen[1] != 0)


if __name__ == "__main__":
    main()

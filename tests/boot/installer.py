#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's graphical installer in the window: how long until its first graphical screen.

usage: installer.py [--runs N] [--options OPTIONS] EMULATOR [EMULATOR ...]
       installer.py build/turbo86 'qemu-system-i386 -accel tcg -vga none -device VGA,xres=1024,yres=768'
Each EMULATOR is a command that takes QEMU's options and opens a window by -display sdl. They take turns; the time is
that from the start of the program until most of its window is as bright as the installer's pages: its banner is there,
and under it a page that is still empty. (QEMU tells the guest of a monitor of 1280x800 unless it is told otherwise.)
Exit status 77: there is no Xvfb, xdotool or installer (debian-installer-12-netboot-i386).
"""
import argparse
import mmap
import os
import shlex
import statistics
import struct
import subprocess
import sys
import time

from desktop import Desktop, missing, wait_for

FOLDER = "/usr/lib/debian-installer/images/12/i386/gtk/debian-installer/i386"
OPTIONS = "-m 1G -nic user,model=rtl8139 -display sdl"  # with 512M it falls back to text
APPEND = "vga=788 --- quiet"
SCREEN = "1600x1200x24"
WIDTH = 800  # of the window, at least, when the guest is in a graphical mode
STEP = 20     # pixels between those that are looked at
BRIGHT = 200  # of 255


class Installer:
    """One emulator's window."""

    def __init__(self, desktop, command, options):
        self.desktop = desktop
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            [*shlex.split(command), "-kernel", f"{FOLDER}/linux", "-initrd", f"{FOLDER}/initrd.gz",
             "-append", APPEND, *shlex.split(options)],
            env=desktop.env, stdin=subprocess.DEVNULL)
        self.screen = open(os.path.join(desktop.screen.name, "Xvfb_screen0"), "rb")
        self.map = mmap.mmap(self.screen.fileno(), 0, access=mmap.ACCESS_READ)

    def since(self):
        return time.monotonic() - self.begin

    def find(self):
        """Whether there is a window; then where it is now."""
        ids = self.desktop.xdotool("search", "--onlyvisible", "--pid", self.process.pid, check=False)
        for window in ids.split():
            text = self.desktop.xdotool("getwindowgeometry", "--shell", window, check=False)
            values = dict(line.split("=") for line in text.splitlines())
            if int(values.get("WIDTH", 0)) >= WIDTH:
                self.window, self.x, self.y, self.width, self.height = (
                    int(values[k]) for k in ("WINDOW", "X", "Y", "WIDTH", "HEIGHT"))
                return True
        return False

    def pixel(self, x, y):
        """Red, green, blue at a place of the guest's screen."""
        head = struct.unpack(">25I", self.map[:100])
        at = head[0] + 12 * head[19] + (self.y + y) * head[12] + 4 * (self.x + x)
        blue, green, red = self.map[at:at + 3]
        return red, green, blue

    def is_page(self):
        if not self.find():
            return False
        points = [(x, y) for y in range(0, self.height, STEP) for x in range(0, self.width, STEP)]
        return sum(min(self.pixel(*p)) >= BRIGHT for p in points) > len(points) // 2

    def wait_for_page(self, seconds=600):
        wait_for(self.is_page, "the installer's first graphical screen", seconds)
        return self.since()

    def close(self):
        self.map.close()
        self.screen.close()
        self.process.kill()
        self.process.wait()


def once(command, options):
    desktop = Desktop(SCREEN)
    try:
        installer = Installer(desktop, command, options)
        try:
            return installer.wait_for_page()
        finally:
            installer.close()
    finally:
        desktop.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--options", default=OPTIONS)
    parser.add_argument("emulator", nargs="+")
    args = parser.parse_args()
    if missing() or not os.path.exists(FOLDER):
        return 77
    times = {command: [] for command in args.emulator}
    for _ in range(args.runs):
        for command in args.emulator:
            times[command].append(once(command, args.options))
            print(f"{times[command][-1]:7.1f} s  {command}", flush=True)
    medians = [statistics.median(t) for t in times.values()]
    print("  ".join(f"{m:.1f} s" for m in medians), f"  {medians[-1] / medians[0]:.2f} times", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's graphical installer in the window: how long until its first graphical screen, and a tour of its pages.

usage: installer.py [--runs N] [--options OPTIONS] EMULATOR [EMULATOR ...]
       installer.py --tour FOLDER build/turbo86
       installer.py build/turbo86 'qemu-system-i386 -accel tcg -vga none -device VGA,xres=1024,yres=768'
Each EMULATOR is a command that takes QEMU's options and opens a window by -display sdl. They take turns; the time is
that from the start of the program until most of its window is as bright as the installer's pages: its banner is there,
and under it a page that is still empty. (QEMU tells the guest of a monitor of 1280x800 unless it is told otherwise.)
--tour goes on: a language and a location by the mouse, 1000 movements of it, a host name typed, all as events of
the display server; each page is saved to FOLDER. Exit status 77: there is no Xvfb, xdotool or installer (debian-installer-12-netboot-i386).
"""
import argparse
import mmap
import os
import random
import shlex
import statistics
import struct
import subprocess
import sys
import time

from desktop import Desktop, crop, missing, wait_for
from golden import png_save

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

    # What follows is for the tour, in a guest's screen of 1024x768.

    def save(self, name):
        picture = self.desktop.picture(self.window)
        png_save(os.path.join(self.folder, name + ".png"), picture)
        return picture

    def asks(self):
        """The page if it is one with a button "Go Back", and nothing is being drawn."""
        width, height, data = self.desktop.picture(self.window)
        back = [data[3 * (y * width + 830):3 * (y * width + 890)] for y in range(735, 751)]
        if sum(max(row[i:i + 3]) < 100 for row in back for i in range(0, len(row), 3)) < 100:
            return None
        time.sleep(2)
        return data if self.desktop.picture(self.window)[2] == data else None

    def next_page(self, name):
        """Wait for another page with a question than the last, and save it."""
        def differs():
            page = self.asks()
            return page if page and page != self.page else None
        self.page = wait_for(differs, name, 900)
        self.save(name)
        print(f"{self.since():7.1f} s  {name}", flush=True)

    def click(self, x, y):
        self.desktop.xdotool("mousemove", "--window", self.window, x, y)
        time.sleep(0.5)
        self.desktop.xdotool("click", 1)
        time.sleep(1)

    def go_on(self, name):
        self.page = wait_for(self.asks, "what was clicked or typed is drawn")
        self.save(name)
        self.click(962, 742)

    def check_moves(self, count=1000, end=(611, 463)):
        """The tip of the guest's pointer is where the last of many movements went."""
        places = [(random.randrange(1024), random.randrange(768)) for _ in range(count - 1)] + [end]
        before = wait_for(self.asks, "a page")
        for place in places:
            self.desktop.xdotool("mousemove", "--window", self.window, *place)

        def tip():
            x, y = self.corner
            after = crop(self.screen.name, x, y, 1024, 768)[2]
            changed = [(i // 3 % 1024, i // 3 // 1024) for i in range(0, len(before), 3)
                       if before[i:i + 3] != after[i:i + 3]]
            arrow = [place for place in changed if max(place) > 40]  # it was at 0,0 in the picture before
            return arrow and (min(x for x, _ in arrow), min(y for _, y in arrow)) == end
        wait_for(tip, "the guest's pointer where ours is")
        print(f"{self.since():7.1f} s  {count} movements end at {end[0]},{end[1]}", flush=True)

    def tour(self, folder):
        self.folder, self.page = folder, None
        self.corner = self.desktop.corner(self.window)
        self.next_page("language")
        self.click(300, 461)
        self.click(300, 438)
        self.go_on("english")
        self.next_page("location")
        self.check_moves()
        self.click(300, 366)
        self.go_on("ireland")
        self.next_page("keymap")  # the one of the location
        self.click(962, 742)
        self.next_page("host-name")
        self.click(500, 228)
        self.desktop.xdotool("key", "ctrl+a", "type", "--delay", "200", "turbo86")
        time.sleep(2)
        self.go_on("host-name-typed")
        self.next_page("domain-name")

    def close(self):
        self.map.close()
        self.screen.close()
        self.process.kill()
        self.process.wait()


def once(command, options, folder=None):
    desktop = Desktop(SCREEN)
    try:
        installer = Installer(desktop, command, options)
        try:
            took = installer.wait_for_page()
            if folder:
                installer.tour(folder)
            return took
        finally:
            installer.close()
    finally:
        desktop.close()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--options", default=OPTIONS)
    parser.add_argument("emulator", nargs="+")
    parser.add_argument("--tour", metavar="FOLDER")
    args = parser.parse_args()
    if missing() or not os.path.exists(FOLDER):
        return 77
    if args.tour:
        os.makedirs(args.tour, exist_ok=True)
        once(args.emulator[0], args.options + " -device vmmouse", args.tour)
        return 0
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

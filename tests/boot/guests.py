#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other people's floppies and CD-ROMs, each up to its prompt, menu or shell.

usage: guests.py [--runs N] [--keep FOLDER] [--strict] TURBO86 FOLDER [GUEST ...]
FOLDER holds freedos722.img and mikeos.flp; the others come from Debian's packages grub-rescue-pc,
ipxe, memtest86+ and isolinux with syslinux-common (for which xorriso makes an image). What is not
there is skipped, which --strict takes for a failure. Each guest runs N times (default 3) and must end in the same state; the first run's
screen must show what is expected. --keep stores the screens as PNG.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

SYSLINUX = "/usr/lib/syslinux/modules/bios"
ISOLINUX = "/usr/lib/ISOLINUX/isolinux.bin"
MENU = "UI menu.c32\nMENU TITLE a menu\nLABEL one\n MENU LABEL First entry\n KERNEL /one\n"

# name: image, drive, ns per instruction, guest time, typed, expected on the screen
GUESTS = {
    "freedos": ("freedos722.img", "fda", 40, "48s",
                ["14s:dir /w\nhello\necho kept over a reboot >keep.txt\n", "26s:<ctrl-alt-delete>",
                 "42s:type keep.txt\ndir keep.txt\n"],
                ["\nkept over a reboot", "1 file(s)", "A:\\>"]),
    "freedos-program": ("freedos722.img", "fda", 40, "22s", ["14s:cpulevel\ndir hello.*\n"],
                        ["This CPU calls itself: [Intel(R) Pentium(R) 4 CPU", "HELLO    ASM", "A:\\>"]),
    "mikeos": ("mikeos.flp", "fda", 20, "8s", [], ["Please select an interface"]),
    "mikeos-program": ("mikeos.flp", "fda", 20, "12s", ["6s:\n<1s><down><down><down><down><down>\n"], ["Hangman"]),
    "mikeos-command-line": ("mikeos.flp", "fda", 20, "12s", ["6s:<right>\n<1s>dir\n"],
                            [".BIN", ".BAS", "> "]),
    "mikeos-file": ("mikeos.flp", "fda", 20, "24s",
                    ["6s:<right>\n<1s>copy example.bas kept.bas\n", "12s:<ctrl-alt-delete>",
                     "20s:<right>\n<1s>dir\n<1s>size kept.bas\n"],
                    ["\nKEPT.BAS", "> size kept.bas\nSize (in bytes) is: "]),
    "grub-floppy": ("/usr/lib/grub-rescue/grub-rescue-floppy.img", "fda", 50, "14s", [],
                    ["GNU GRUB", "Microsoft Windows"]),
    "grub-cd": ("/usr/lib/grub-rescue/grub-rescue-cdrom.iso", "cdrom", 50, "14s", [],
                ["GNU GRUB", "Microsoft Windows"]),
    "ipxe": ("/usr/lib/ipxe/ipxe.iso", "cdrom", 20, "20s", ["4s:" + "<ctrl-b><500ms>" * 9 + "help\n"],
             ["iPXE>", "Available commands"]),
    "isolinux": (None, "cdrom", 20, "12s", [], ["a menu", "First entry"]),
    "memtest": ("/usr/lib/memtest86+/memtest86+ia32.iso", "cdrom", 50, "20s", [],
                ["Memtest86+", "Testing"]),
}


def make_isolinux(tmp):
    if not os.path.exists(ISOLINUX) or not shutil.which("xorriso"):
        return None
    root = os.path.join(tmp, "iso")
    os.makedirs(root)
    for f in [ISOLINUX] + [f"{SYSLINUX}/{m}.c32" for m in ("ldlinux", "menu", "libutil", "libcom32")]:
        shutil.copy(f, root)
    with open(os.path.join(root, "isolinux.cfg"), "w", encoding="ascii") as f:
        f.write(MENU)
    image = os.path.join(tmp, "isolinux.iso")
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", image, "-b", "isolinux.bin", "-c",
                    "boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", root],
                   check=True, stderr=subprocess.DEVNULL)
    return image


def run(turbo86, drive, image, guest, shot):
    """-> screen, state hash"""
    _, _, ns, limit, typed, _ = guest
    args = [turbo86, f"-{drive}", image, "-display", "none", "--deterministic", "--ns-per-insn", str(ns),
            "--timeout", limit, "--print-screen", "--state-hash", "-snapshot"]
    for text in typed:
        args += ["--type", text]
    if shot:
        args += ["--screenshot", shot]
    out = subprocess.run(args, capture_output=True, text=True, timeout=1200, check=False).stdout
    found = re.search(r"^state-hash (\w+)$", out, re.M)
    return out, found[1] if found else "none"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--keep")
    p.add_argument("--strict", action="store_true")
    p.add_argument("turbo86")
    p.add_argument("folder")
    p.add_argument("guest", nargs="*")
    a = p.parse_args()
    ok = failed = skipped = 0
    if a.keep:
        os.makedirs(a.keep, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        for name in a.guest or GUESTS:
            guest = GUESTS[name]
            image = os.path.join(a.folder, guest[0]) if guest[0] else make_isolinux(tmp)
            if not image or not os.path.exists(image):
                print(f"skipped {name}: there is no {guest[0] or 'isolinux, or no xorriso'}", flush=True)
                skipped += 1
                continue
            shot = a.keep and os.path.join(a.keep, name + ".png")
            runs = [run(a.turbo86, guest[1], image, guest, shot) for _ in range(a.runs)]
            screen, state = runs[0]
            missing = [text for text in guest[5] if text not in screen]
            same = all(r[1] == state for r in runs)
            bad = bool(missing) or not same
            failed += bad
            ok += not bad
            print(f"{'FAILED ' if bad else 'ok     '} {name}: "
                  f"{len(runs)} runs, state {', '.join(sorted({r[1] for r in runs}))}", flush=True)
            if missing:
                print(f"        not on the screen: {missing}\n{screen}")
    print(f"{ok} ok, {failed} failed, {skipped} skipped")
    return 1 if failed or (a.strict and skipped) else 0


if __name__ == "__main__":
    sys.exit(main())

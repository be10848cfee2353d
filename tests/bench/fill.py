#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast video memory is written and read, under one emulator and another.

usage: fill.py [--only SCREEN[:WAY],...] EMULATOR [EMULATOR ...]
       fill.py build/turbo86 'qemu-system-i386 -accel tcg'      each a command that takes QEMU's options
Prints a Markdown table: MiB that the guest accessed in a second of the host's processor (as it sees them: in planar
modes one byte is four or eight pixels), and how many times the last one's speed the first one's is. A speed is taken
from the difference of two runs of different length, the least of two each, so that the start does not count; the
runs grow until that is long enough to measure.
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ENOUGH = 0.2  # seconds between the short and the long run
SCREENS = {  # what SCREEN is in fill.asm: bytes of a round, and in which ways
    "M13": ("mode 13h", 64000, "STOSD MOVSD SCROLL DWORDS WORDS BYTES FIXED XORS READS"),
    "MX": ("mode X, four planes", 16000, "STOSD STOSB MOVSD BYTES"),
    "MXLATCH": ("mode X, latches", 16000, "MOVSB"),
    "M12": ("mode 12h", 38400, "STOSD DWORDS BYTES SCROLL READS"),
    "M12BITS": ("mode 12h, bit mask", 38400, "PIXELS"),
    "TEXT": ("text", 4000, "STOSD STOSW MOVSD SCROLL WORDS READS"),
    "BANKED": ("VBE, banks", 4 * 65536, "STOSD MOVSD SCROLL DWORDS BYTES"),
    "LINEAR": ("frame buffer", 1 << 20, "STOSD MOVSD SCROLL DWORDS WORDS BYTES XORS READS"),
}
WAYS = {"STOSD": "rep stosd", "STOSW": "rep stosw", "STOSB": "rep stosb", "MOVSD": "rep movsd from RAM",
        "SCROLL": "rep movsd, scrolls", "MOVSB": "rep movsb, scrolls", "DWORDS": "mov dword", "WORDS": "mov word",
        "BYTES": "mov byte", "FIXED": "mov to [number]", "XORS": "xor dword", "READS": "add from it",
        "PIXELS": "byte read, byte written"}


def run(command, screen, way, rounds, tmp):
    """Processor time of one run."""
    image = os.path.join(tmp, "fill.img")
    subprocess.run(["nasm", "-f", "bin", f"-DSCREEN={screen}", f"-DWAY=W_{way}", f"-DROUNDS={rounds}", "-o", image,
                    os.path.join(HERE, "fill.asm")], check=True)
    with open(image, "ab") as f:
        f.truncate(1440 * 1024)
    before = os.times()
    r = subprocess.run(
        [*shlex.split(command), "-display", "none", "-snapshot", "-drive",
         f"file={image},format=raw,if=floppy", "-boot", "a", "-device",
         "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "null"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600)
    after = os.times()
    assert r.returncode == 33, r.stderr
    return after.children_user + after.children_system - before.children_user - before.children_system


def speed(command, screen, way, size, tmp):
    rounds = max(1, (4 << 20) // size)
    while True:
        took = run(command, screen, way, 5 * rounds, tmp) - run(command, screen, way, rounds, tmp)
        if took >= ENOUGH:
            break
        rounds *= 2 if took > ENOUGH / 4 else 6
    short, long = (min(run(command, screen, way, n, tmp) for _ in range(2)) for n in (rounds, 5 * rounds))
    return 4 * rounds * size / (1 << 20) / max(long - short, 1e-3)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("emulator", nargs="+")
    args = parser.parse_args()
    only = args.only.split(",") if args.only else []
    print("| | |" + " | ".join(os.path.basename(shlex.split(c)[0]) for c in args.emulator) + " | |")
    print("|---" * (len(args.emulator) + 3) + "|")
    with tempfile.TemporaryDirectory() as tmp:
        for screen, (name, size, ways) in SCREENS.items():
            for way in ways.split():
                if only and screen not in only and f"{screen}:{way}" not in only:
                    continue
                speeds = [speed(c, screen, way, size, tmp) for c in args.emulator]
                print("|", name, "|", WAYS[way], "|", " | ".join(f"{s:.3g}" if s < 100 else f"{s:.0f}" for s in speeds), "|",
                      f"{speeds[0] / speeds[-1]:.1f}" if len(speeds) > 1 else "", "|", flush=True)
                name = ""


if __name__ == "__main__":
    sys.exit(main())

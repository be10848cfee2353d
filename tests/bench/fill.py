#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast video memory takes writes, under one emulator and another.

usage: fill.py EMULATOR [EMULATOR ...]     each a command that takes QEMU's options:
       fill.py build/turbo86 'qemu-system-i386 -accel tcg'
A round is timed as the difference of two runs of different length, so that the start does not count.
"""
import os
import shlex
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {"mode 13h, rep stosd": (0, 64000), "mode 13h, mov": (1, 64000),
         "frame buffer, rep stosd": (2, 1 << 20), "frame buffer, mov": (3, 1 << 20)}
BYTES = (200 << 20, 1200 << 20)


def run(command, kind, rounds, tmp):
    image = os.path.join(tmp, "fill.img")
    subprocess.run(["nasm", "-f", "bin", f"-DKIND={kind}", f"-DROUNDS={rounds}", "-o", image,
                    os.path.join(HERE, "fill.asm")], check=True)
    with open(image, "ab") as f:
        f.truncate(1440 * 1024)
    start = time.monotonic()
    r = subprocess.run(
        [*shlex.split(command), "-display", "none", "-snapshot", "-drive",
         f"file={image},format=raw,if=floppy", "-boot", "a", "-device",
         "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "null"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600)
    assert r.returncode == 33, r.stderr
    return time.monotonic() - start


def main():
    with tempfile.TemporaryDirectory() as tmp:
        for name, (kind, size) in KINDS.items():
            speeds = []
            for command in sys.argv[1:]:
                least = []
                for total in BYTES:
                    least.append(min(run(command, kind, total // size, tmp) for _ in range(3)))
                speeds.append((BYTES[1] - BYTES[0]) / (1 << 20) / max(least[1] - least[0], 1e-3))
            print(f"{name:24}", " ".join(f"{s:9.0f} MiB/s" for s in speeds),
                  f"  {speeds[0] / speeds[1]:.1f} times" if len(speeds) > 1 else "", flush=True)


if __name__ == "__main__":
    main()

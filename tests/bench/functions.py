#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nanoseconds of each transcendental x87 instruction, under one emulator and another.

usage: functions.py EMULATOR [EMULATOR ...]     each a command that takes QEMU's options:
       functions.py build/turbo86 'build/turbo86 --jit off' 'qemu-system-i386 -accel tcg'
A round is timed as the difference of two runs of different length, so that the start does not count,
and a round without the function is taken off. Times are the processor's, so that other work on the
host counts less; the least of three.
"""
import os
import resource
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FUNCTIONS = ["(none)", "fsin", "fcos", "fsincos", "fptan", "fpatan", "f2xm1", "fyl2x", "fyl2xp1"]
ROUNDS = (200000, 2200000)


def run(command, function, rounds, tmp):
    """-> seconds"""
    image = os.path.join(tmp, "functions.img")
    subprocess.run(["nasm", "-f", "bin", f"-DFUNCTION={function}", f"-DROUNDS={rounds}", "-o",
                    image, os.path.join(HERE, "functions.asm")], check=True)
    with open(image, "ab") as f:
        f.truncate(1440 * 1024)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = subprocess.run(
        [*shlex.split(command), "-display", "none", "-snapshot", "-drive",
         f"file={image},format=raw,if=floppy", "-boot", "a", "-device",
         "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "null"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600, check=False)
    assert r.returncode == 33, r.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def round_ns(command, function, tmp):
    short, long = (min(run(command, function, n, tmp) for _ in range(3)) for n in ROUNDS)
    return (long - short) / (ROUNDS[1] - ROUNDS[0]) * 1e9


def main():
    with tempfile.TemporaryDirectory() as tmp:
        empty = [round_ns(c, 0, tmp) for c in sys.argv[1:]]
        for function, name in enumerate(FUNCTIONS):
            times = empty if function == 0 else [
                round_ns(c, function, tmp) - e for c, e in zip(sys.argv[1:], empty)]
            print(f"{name:8}", " ".join(f"{t:9.0f} ns" for t in times), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A guest that hammers every port and every region of device memory at random (hammer.asm): whatever it does,
the process ends as documented, in its sandbox, whose filter of system calls must be in force.

usage: hammer.py TURBO86 [--seconds N] [--seed S]
Runs machine after machine for N seconds of the host's time; each is told, and how often it ended in which way.
Exit status 77: NASM is not installed.
"""
import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENDS = {0: "powered off", 6: "triple fault", 8: "halted", 10: "guest time over", 12: "real time over", 14: "reset"}


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not shutil.which("nasm"):
        print("skipped: there is no nasm")
        return 77
    rng = random.Random(args.seed)
    ends, guards, failed, end = collections.Counter(), collections.Counter(), 0, time.time() + args.seconds
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["nasm", "-f", "bin", "-o", "sector", f"{HERE}/hammer.asm"], cwd=tmp, check=True)
        with open(f"{tmp}/sector", "rb") as f:
            sector = f.read()
        for name, size in (("cd", 1 << 20), ("floppy", 1474560), ("second", 4 << 20)):
            with open(f"{tmp}/{name}", "wb") as f:
                f.write(rng.randbytes(4096))
                f.truncate(size)
        while time.time() < end and not failed:
            seed = rng.getrandbits(32) | 1
            with open(f"{tmp}/disk", "wb") as f:
                f.write(sector[:506] + seed.to_bytes(4, "little") + sector[510:])
                f.truncate(2 << 20)
            machine = ["-hda", "disk", "-hdb", "second", "-cdrom", "cd", "-fda", "floppy", "-boot", "c", "-snapshot",
                       "-m", "32", "-device", "sb16", "-nic", rng.choice(["none", "user,model=rtl8139,restrict=on",
                       "user,model=ne2k_pci,restrict=on"]), "-cpu", rng.choice(["max", "pentium", "486", "core2"]),
                       "-jit", rng.choice(["on", "on", "off"]), rng.choice(["-no-reboot", "-snapshot"])]
            command = [os.path.abspath(args.turbo86), *machine, "-display", "none", "-serial", "null", "--deterministic",
                       "-bios", "tinybios.bin", "--timeout", "2s", "--wall-timeout", "20s", "-stats", "--sandbox", "on"]
            before = sorted(os.listdir(tmp))
            p = subprocess.run(command, cwd=tmp, capture_output=True, text=True, errors="replace", timeout=120)
            ends[p.returncode] += 1
            guard = next((line[14:] for line in p.stderr.splitlines() if line.startswith("sandbox")), "none")
            guards[guard] += 1
            if p.returncode not in ENDS or "system calls" not in guard or sorted(os.listdir(tmp)) != before:
                print(f"FAILED seed {seed:#x}: status {p.returncode}: {' '.join(command)}\n{p.stderr[-4000:]}", flush=True)
                failed = 1
    print(f"{sum(ends.values())} machines:", ", ".join(f"{n} {ENDS.get(code, code)}" for code, n in sorted(ends.items())))
    print("in force:", ", ".join(f"{n} times {guard}" for guard, n in guards.items()))
    return failed


if __name__ == "__main__":
    sys.exit(main())

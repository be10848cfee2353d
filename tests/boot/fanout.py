#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sixteen variants of a booted Linux by `fork`, against a cold boot: they must take less than two boots and the work.

usage: fanout.py TURBO86 --kernel FILE --initrd FILE [--variants N]     what ./run linux boots: a shell on ttyS0
The work: a loop in the shell, another count in each variant, whose sum must come out right. "The work" of all of them
is the time of one variant alone, from the snapshot, times N over the number of processors: no fan-out can do better.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

BOOT = "reject serial /panic|Oops/\nwait serial /# / 200s\nwait idle 500ms\nmark\n"
WORK = """send serial "n=0; i=0; while [ $i -lt {count} ]; do n=$((n+i)); i=$((i+1)); done; echo sum=$n\\n"
wait serial /^sum={sum}$/ 100s
"""


def run(args, script, *extra):
    """How long @script takes, in seconds; what the run printed."""
    with open("t86", "w") as f:
        f.write(script)
    begin = time.monotonic()
    p = subprocess.run([args.turbo86, "-m", "128", "-cpu", "pentium3", "-display", "none", "-serial", "null", "-kernel",
                        args.kernel, "-initrd", args.initrd, "-append", "console=ttyS0 quiet sh", "-artifacts", "none",
                        "--script", "t86", *extra], stdout=subprocess.PIPE, text=True, timeout=3000)
    took = time.monotonic() - begin
    if p.returncode:
        raise AssertionError(f"status {p.returncode}: {p.stdout}")
    return took, p.stdout


def measure(args):
    cold, _ = run(args, BOOT)
    run(args, BOOT + "snapshot save booted\n")
    for i in range(args.variants):
        count = 20000 + 100 * i
        with open(f"v{i}", "w") as f:
            f.write(WORK.format(count=count, sum=count * (count - 1) // 2))
    with open("v0") as f:
        load, _ = run(args, "mark\n", "-loadvm", "booted")
        alone, _ = run(args, f.read(), "-loadvm", "booted")
    names = [f"v{i}" for i in range(args.variants)]
    fan, out = run(args, f"fork {' '.join(names)}\n", "-loadvm", "booted")
    if [line for line in out.splitlines() if line.startswith("variant")] != [f"variant {n}: ok" for n in names]:
        raise AssertionError(out)
    return cold, load, alone - load, fan


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86", type=os.path.abspath)
    parser.add_argument("--kernel", required=True, type=os.path.abspath)
    parser.add_argument("--initrd", required=True, type=os.path.abspath)
    parser.add_argument("--variants", type=int, default=16)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        cold, load, one, fan = measure(args)
        os.chdir("/")
    processors = len(os.sched_getaffinity(0))
    work = one * args.variants / processors
    print(f"cold boot {cold:.2f} s; load and end {load:.2f} s; one variant's work {one:.2f} s")
    print(f"{args.variants} variants on {processors} processors: {fan:.2f} s; two boots and the work: {2 * cold + work:.2f} s; "
          f"without the work {fan - work:.2f} s, {(fan - work) / cold:.2f} boots")
    print("ok" if fan < 2 * cold + work else "FAILED: too slow")
    return 0 if fan < 2 * cold + work else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The regression set: real guests, each with a script in tests/boot/set, each run twice.

usage: regress.py TURBO86 [--only NAME] [--tap DIR] [GUEST=FILE ...]
A script's first line has the machine's options; {GUEST} in it is the FILE given here, and without one
the script is skipped. GUESTs are linux and initrd (see ./run linux), memtest (Debian's memtest86+),
ipxe (Debian's ipxe), grub (an ISO image that grub-mkrescue made). The second run must end in the
states of the first: what `mark` prints is compared.
"""
import argparse
import glob
import os
import re
import shlex
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def run(turbo86, script, options, extra):
    begin = time.time()
    p = subprocess.run([turbo86, *options, "-snapshot", "-artifacts", "none", "--script", script, *extra],
                       capture_output=True, text=True, errors="replace", timeout=1800)
    return p.returncode, re.findall(r"^mark.*$", p.stdout, re.M), p.stderr, time.time() - begin


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86")
    parser.add_argument("--only")
    parser.add_argument("--tap")
    parser.add_argument("guests", nargs="*")
    args = parser.parse_intermixed_args()
    guests = dict(g.split("=", 1) for g in args.guests)
    failed = ran = 0
    for script in sorted(glob.glob(os.path.join(HERE, "set", "*.t86"))):
        name = os.path.basename(script)[:-4]
        if args.only and name != args.only:
            continue
        with open(script) as f:
            line = f.readline()
        missing = [g for g in re.findall(r"{(\w+)}", line) if g not in guests]
        if missing:
            print(f"skipped {name}: no {', '.join(missing)}", flush=True)
            continue
        options = shlex.split(line[2:].format(**guests))
        extra = ["--tap", os.path.join(args.tap, name + ".tap")] if args.tap else []
        code, first, err, took = run(args.turbo86, script, options, extra)
        again, second, _, _ = run(args.turbo86, script, options, [])
        ran += 1
        if code or again or first != second or not first:
            failed += 1
            print(f"FAILED {name}: status {code} and {again}\n{err}{first}\n{second}", flush=True)
        else:
            print(f"ok {name} ({took:.1f} s): {first[-1]}", flush=True)
    print(f"{ran - failed} passed, {failed} failed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())

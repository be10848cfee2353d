#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The regression set: real guests, each with a script and golden screens in tests/boot/set, each run twice.

usage: regress.py TURBO86 [--only NAME,...] [--make FOLDER] [--jobs N] [--tap FOLDER] [--report FILE] [GUEST=FILE ...]
A script's first line has the machine's options; {GUEST} in it is the FILE given here, and without one the script is
skipped. --make has set_guests.py make most GUESTs, in FOLDER, of what Debian's packages have installed; linux and initrd
are what ./run linux boots, pae is Debian's kernel of that name. The second run must end in the states of the first: what
`mark` prints is compared. --report writes the results as a page.
Exit status 77: no guest is there.
"""
import argparse
import concurrent.futures
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
                       capture_output=True, text=True, errors="replace", timeout=3600, cwd=f"{HERE}/set")
    return p.returncode, re.findall(r"^mark.*$", p.stdout, re.M), p.stderr, time.time() - begin


def header(script):
    """The options of the machine, and what the script is about."""
    with open(script) as f:
        return f.readline()[2:].strip(), f.readline()[1:].strip()


def twice(turbo86, script, options, extra):
    first = run(turbo86, script, options, extra)
    return first, run(turbo86, script, options, []) if first[0] == 0 else first


def report(path, results, turbo86):
    head = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open(path, "w") as f:
        f.write("# The regression set\n\nReal guests from Debian's packages, driven by the scripts of `tests/boot/set`, each run "
                "twice. Made by\n`tests/boot/set_guests.py` and `tests/boot/regress.py --report docs/REGRESSION.md` from "
                f"commit {head}. The state is\nthe hash at the script's last `mark`, and the same on every host and with every "
                "`-jit`.\n\n| script | guest | instructions | guest time | state | both runs |\n|---|---|---|---|---|---|\n")
        for name, text, first, same in results:
            mark = re.search(r"([\d.]+) s, (\d+) instructions.*state ([0-9a-f]{16})", first[1][-1] if first[1] else "")
            values = f"{int(mark[2]):,} | {mark[1]} s | `{mark[3]}`" if mark else " | | "
            f.write(f"| `{name}` | {text} | {values} | {'equal' if same else 'FAILED'} |\n")
    print("written:", path, "by", turbo86)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86", type=os.path.abspath)
    parser.add_argument("--only")
    parser.add_argument("--make")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tap", type=os.path.abspath)
    parser.add_argument("--report", type=os.path.abspath)
    parser.add_argument("guests", nargs="*")
    args = parser.parse_intermixed_args()
    if args.make:
        p = subprocess.run([sys.executable, f"{HERE}/set_guests.py", args.make], stdout=subprocess.PIPE, text=True, check=True)
        args.guests += p.stdout.split()
    guests = {g.split("=", 1)[0]: os.path.abspath(g.split("=", 1)[1]) for g in args.guests}
    jobs, results = [], []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for script in sorted(glob.glob(os.path.join(HERE, "set", "*.t86"))):
            name = os.path.basename(script)[:-4]
            if args.only and name not in args.only.split(","):
                continue
            line, text = header(script)
            missing = [g for g in re.findall(r"{(\w+)}", line) if g not in guests]
            if missing:
                print(f"skipped {name}: no {', '.join(missing)}", flush=True)
                continue
            extra = ["--tap", os.path.join(args.tap, name + ".tap")] if args.tap else []
            options = shlex.split(line.format(**guests))
            jobs.append((name, text, pool.submit(twice, args.turbo86, script, options, extra)))
        for name, text, job in jobs:
            first, second = job.result()
            same = first[0] == second[0] == 0 and first[1] == second[1] and len(first[1]) > 0
            results.append((name, text, first, same))
            if same:
                print(f"ok {name} ({first[3]:.1f} s): {first[1][-1]}", flush=True)
            else:
                print(f"FAILED {name}: status {first[0]} and {second[0]}\n{first[2]}{first[1]}\n{second[1]}", flush=True)
    failed = sum(not same for *_, same in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    if args.report and results:
        report(args.report, results, os.path.basename(args.turbo86))
    return 1 if failed else 0 if results else 77


if __name__ == "__main__":
    sys.exit(main())

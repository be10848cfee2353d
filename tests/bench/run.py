#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the bench kernel under several emulators and prints their times side by side.

    run.py [OPTIONS] [NAME=COMMAND ...]

COMMAND is an emulator with QEMU's options, without -kernel. Default: turbo86 with --jit off and with
--jit on (as soon as it has that option), and qemu-system-i386 -accel tcg if it is installed. A time
is from the line that begins a workload to the line that ends it, as they arrive; of several runs the
median. "xN" is how many times faster than the first command. Exit status 1 if a checksum is wrong or
missing, or a run fails; 2 for a wrong command line; 77 if the file of --needs is not there."""
import argparse
import math
import os
import pathlib
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXPECTED = HERE / "expected.txt"
DONE = 33  # the exit port's 10h
SKIPPED = 77
RECORDED_SCALES = (1, 100)


def workloads():
    """The names in workloads.def, in order."""
    return re.findall(r"^WORKLOAD\((\w+),", (HERE / "workloads.def").read_text(), re.M)


def expected(scale):
    """{name: checksum} from the rows `name scale checksum`."""
    rows = [line.split() for line in EXPECTED.read_text().splitlines() if not line.startswith("#")]
    return {name: value for name, at, value in rows if int(at) == scale}


def default_commands():
    turbo86 = ROOT / "build" / "turbo86"
    commands = []
    if turbo86.exists():
        known = subprocess.run([turbo86, "--help"], capture_output=True, text=True, check=False)
        if re.search(r"^\s*-+jit\b", known.stdout, re.M):
            commands = [("interp", f"{turbo86} --jit off"), ("jit", f"{turbo86} --jit on")]
        else:
            commands = [("interp", str(turbo86))]
    if shutil.which("qemu-system-i386"):
        commands.append(("qemu", "qemu-system-i386 -accel tcg"))
    return commands


def read_marks(pipe, result):
    """Follow the debug port: result gets sums, times, skipped, and what else was said."""
    started, rest = {}, b""
    while chunk := os.read(pipe.fileno(), 65536):
        now = time.perf_counter()
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            word = line.decode(errors="replace").split()
            if word[:1] == ["@B"]:
                started[word[1]] = now
            elif word[:1] == ["@E"]:
                result["sums"][word[1]] = word[2]
                result["times"][word[1]] = now - started[word[1]]
            elif word[:1] == ["@S"]:
                result["skipped"].append(word[1])
            elif word[:1] == ["@F"]:
                result["said"].append(" ".join(word))


def run_once(command, kernel, append, timeout):
    """-> {sums, times, skipped, said, status}"""
    result = {"sums": {}, "times": {}, "skipped": [], "said": []}
    words = shlex.split(command) + [
        "-kernel", str(kernel), "-append", append, "-display", "none", "-monitor", "none",
        "-serial", "null", "-no-reboot", "-debugcon", "stdio",
        "-device", "isa-debug-exit,iobase=0xf4"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        reader = threading.Thread(target=read_marks, args=(process.stdout, result))
        reader.start()
        try:
            result["status"] = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            result["status"] = f"timeout of {timeout} s"
        reader.join()
    return result


def judge(label, names, runs, want, optional):
    """-> [what is wrong]. @want is filled in where it has nothing: the first command is asked."""
    wrong = []
    for run in runs:
        if run["status"] != DONE:
            wrong.append(f"{label}: exit status {run['status']}, not {DONE} "
                         f"{' '.join(run['said'])}".rstrip())
        for name in names:
            got = run["sums"].get(name)
            if got is None and name in run["skipped"] and optional:
                continue
            if got is None:
                wrong.append(f"{label}: {name}: no result")
            elif got != want.setdefault(name, got):
                wrong.append(f"{label}: {name}: checksum {got}, not {want[name]}")
    return list(dict.fromkeys(wrong))


def comparable(a, b):
    """Lines arrive with a jitter of about a millisecond: a ratio of less than that says nothing."""
    return bool(a and b and min(a, b) >= 0.002)


def cell(runs, name, first, is_first):
    """-> text of one time, the time or None"""
    times = [run["times"][name] for run in runs if name in run["times"]]
    if not times:
        return "-", None
    value = statistics.median(times)
    ratio = f" x{first / value:<6.2f}" if comparable(first, value) else " " * 8
    return f"{value:.3f}{'' if is_first else ratio}", value


def print_table(names, results):
    """@results: [(label, [run, ...])]"""
    widths = [max(10 if i == 0 else 14, len(label)) for i, (label, _) in enumerate(results)]
    def line(title, cells):
        texts = [c.rjust(w) for c, w in zip(cells, widths)]
        print(title.ljust(10) + "  ".join(texts))
    line("seconds", [label for label, _ in results])
    ratios = [[] for _ in results]
    for name in names:
        first, cells = None, []
        for i, (_, runs) in enumerate(results):
            text, value = cell(runs, name, first, i == 0)
            cells.append(text)
            if i == 0:
                first = value
            elif comparable(first, value):
                ratios[i].append(first / value)
        line(name, cells)
    if len(results) > 1 and len(names) > 1:
        means = [f"x{math.exp(statistics.fmean(map(math.log, r))):<6.2f}" if r else "" for r in ratios]
        line("geomean", means)


def record(kernel, command, timeout):
    """Write expected.txt from what @command computes."""
    lines = ["# name scale checksum: written by run.py --record; every emulator must agree"]
    for scale in RECORDED_SCALES:
        run = run_once(command, kernel, f"scale={scale}", timeout)
        if run["status"] != DONE:
            sys.exit(f"run.py: {command}: exit status {run['status']} {run['said']}")
        lines += [f"{name} {scale} {value}" for name, value in run["sums"].items()]
    EXPECTED.write_text("\n".join(lines) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="these workloads")
    parser.add_argument("--scale", type=int, default=100, metavar="N",
                        help="how much of each; 100 is about 0.2 s under QEMU")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="runs of each command")
    parser.add_argument("--kernel", type=pathlib.Path, metavar="FILE",
                        default=ROOT / "build" / "tests" / "bench" / "bench.elf")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="of one run")
    parser.add_argument("--needs", type=pathlib.Path, metavar="FILE",
                        help="firmware without which a test run is skipped")
    parser.add_argument("--optional", action="store_true",
                        help="workloads may be missing because the CPU model lacks what they need")
    parser.add_argument("--record", action="store_true",
                        help="write expected.txt from the first command")
    parser.add_argument("commands", nargs="*", metavar="NAME=COMMAND")
    args = parser.parse_args()
    args.names = [n for n in args.only.split(",") if n] or workloads()
    unknown = set(args.names) - set(workloads())
    if unknown:
        parser.error(f"--only: there is no workload {', '.join(sorted(unknown))}; "
                     f"there are {', '.join(workloads())}")
    if args.scale < 1 or args.runs < 1:
        parser.error("--scale and --runs count from 1")
    if bad := [c for c in args.commands if not re.match(r"[\w.+-]+=\s*\S", c)]:
        parser.error(f"{bad[0]}: a command is written NAME=COMMAND")
    args.commands = [tuple(c.split("=", 1)) for c in args.commands] or default_commands()
    if not args.commands:
        parser.error("there is neither build/turbo86 nor QEMU: say NAME=COMMAND")
    if not args.kernel.exists():
        parser.error(f"{args.kernel} does not exist: build it, or say --kernel")
    return args


def main():
    args = arguments()
    if args.needs and not args.needs.exists():
        print(f"skipped: {args.needs} is not there")
        return SKIPPED
    if args.record:
        return record(args.kernel, args.commands[0][1], args.timeout)
    append = f"scale={args.scale}" + (f" only={args.only}" if args.only else "")
    results = [(label, []) for label, _ in args.commands]
    for _ in range(args.runs):  # by turns, so that a busy host is busy for all
        for (_, command), (_, runs) in zip(args.commands, results):
            runs.append(run_once(command, args.kernel, append, args.timeout))
    names = [n for n in workloads() if n in args.names]
    print_table(names, results)
    want, wrong = expected(args.scale), []
    for label, runs in results:
        wrong += judge(label, names, runs, want, args.optional)
    missing = sum(1 for n in names for _, runs in results if n not in runs[0]["sums"])
    left_out = f", {missing} left out" if missing else ""
    print("\n".join(wrong) or f"{len(names) * len(results) - missing} checksums agree{left_out}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

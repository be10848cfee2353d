#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the host's instructions that programs of a guest take: what time says on a quiet host, where
there is none, or none of that kind.

    insns.py --guest 'OPTIONS' [OPTIONS] --rows NAME,... [NAME=COMMAND ...]

The guest is booted once, by the first COMMAND or that of --boot, until it shows the prompt on its
serial port. Each command goes on from that snapshot, once for each row with the program that --program
names, and once with a program that does nothing (--nothing), whose counts are subtracted: what is left
is the row's. Runs are deterministic, so there is no noise. For example

    insns.py --guest '-m 64 -kernel K -initrd I -append "console=ttyS0 quiet sh"' \\
        --program 'gbench32 {row}' --rows fib,crc --boot build/turbo86 x64=build/turbo86 \\
        a64='qemu-aarch64-static -L build-a64/sysroot build-a64/turbo86'

Columns, in millions: instructions of the guest in generated code, host instructions there, and how many
of these for one of the guest's. A block counts whole whenever it is begun: both ways out of it, too."""
import argparse
import math
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

EXECUTED = re.compile(r"executed \d+ blocks of (\d+) instructions by (\d+) of the host")
DONE = "insns-done"


def quoted(text):
    """As a string of a script."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def run(args, command, script, folder):
    """Run a script; -> everything that was said"""
    path = pathlib.Path(folder) / "script.t86"
    path.write_text(script)
    words = shlex.split(command) + shlex.split(args.guest)
    words += ["--script", str(path), "--artifacts", "none", "-serial", "stdio", "--stats"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=args.timeout, check=False)
    said = done.stdout.decode(errors="replace").replace("\r", "")
    if done.returncode:
        sys.exit(f"insns: {command}: status {done.returncode}\n{said[-2000:]}")
    return said


def count(args, command, program, folder):
    """-> (guest instructions, host instructions) from the snapshot to the end of @program"""
    typed = f"{program}; echo insns-''done"
    script = (f"snapshot load {folder}/ready\n"
              f"send serial {quoted(typed)[:-1]}\\r\"\n"
              f"wait serial {quoted(DONE)} {args.limit}\n")
    said = run(args, command, script, folder)
    found = EXECUTED.search(said)
    return (int(found[1]), int(found[2])) if found else sys.exit("insns: no counts in --stats")


def row_of(counts):
    guest, host = (n / 1e6 for n in counts)
    ratio = host / guest if guest else math.nan
    return f"{guest:12.1f}{host:12.1f}{ratio:8.2f}", ratio


def table(args, commands, folder):
    width = len(row_of((1, 1))[0])
    print(" " * 12 + "".join(f"{name:>{width}}" for name, _ in commands), flush=True)
    nothing = {name: count(args, command, args.nothing, folder) for name, command in commands}
    ratios = {name: [] for name, _ in commands}
    for row in args.rows.split(","):
        cells = ""
        for name, command in commands:
            got = count(args, command, args.program.format(row=row), folder)
            text, ratio = row_of([a - b for a, b in zip(got, nothing[name])])
            ratios[name].append(ratio)
            cells += text
        print(f"{row:12}{cells}", flush=True)
    mean = {n: math.exp(sum(map(math.log, r)) / len(r)) for n, r in ratios.items()}
    print(f"{'geomean':12}" + "".join(f"{mean[name]:{width}.2f}" for name, _ in commands))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--guest", required=True, help="options that make the guest")
    p.add_argument("--boot", help="command that boots it to the prompt")
    p.add_argument("--prompt", default="# ", help="what it shows then")
    p.add_argument("--program", default="{row}", help="shell command; {row} is the row's name")
    p.add_argument("--nothing", default="true", help="shell command whose counts are subtracted")
    p.add_argument("--rows", required=True)
    p.add_argument("--limit", default="1000s", help="guest time for a row")
    p.add_argument("--timeout", type=float, default=3600, help="seconds for a run")
    p.add_argument("commands", nargs="+", metavar="NAME=COMMAND")
    args = p.parse_args()
    commands = [c.split("=", 1) for c in args.commands]
    with tempfile.TemporaryDirectory() as folder:
        run(args, args.boot or commands[0][1],
            f"wait serial {quoted(args.prompt)} {args.limit}\nwait 1s\n"
            f"snapshot save {folder}/ready\n", folder)
        table(args, commands, folder)


if __name__ == "__main__":
    main()

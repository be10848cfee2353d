#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's i386 kernels on every CPU model: they boot where they can, and say so where they cannot.

    models.py --busybox FILE [--turbo86 CMD] [--models A,B] NAME=VMLINUZ...

Prints a table. Fails if a kernel neither boots nor refuses, or refuses a model that has what it
needs: a Pentium Pro's instructions (CMOV), and PAE if NAME has "pae" in it.
"""
import argparse
import gzip
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from linux_disk import cpio

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox sed -n 's/^model name[^:]*: /@CPU /p; s/^flags[^:]*: /@FLAGS /p' /proc/cpuinfo
echo "@DONE"
/bin/busybox poweroff -f
"""
REFUSAL = re.compile(r"This kernel requires [^\n]*\n(?:[a-z0-9 _]+\n)?", re.M)
TOO_OLD = ("386", "486", "pentium", "pentium-mmx")  # no CMOV


def make_initrd(busybox, path):
    entries = [(d, 0o040755, b"") for d in ("bin", "proc", "dev")]
    entries.append(("dev/console", 0o020600, b""))
    entries.append(("bin/busybox", 0o100755, busybox.read_bytes()))
    entries.append(("init", 0o100755, INIT.encode()))
    path.write_bytes(gzip.compress(cpio(entries), 1, mtime=0))


def boot(command, kernel, initrd, model, limit):
    """-> (what happened, detail, all output)"""
    p = subprocess.run(
        [*shlex.split(command), "-cpu", model, "-m", "128", "-nographic", "-no-reboot", "--deterministic",
         "--timeout", "60s", "--print-screen", "-kernel", kernel, "-initrd", str(initrd),
         "-append", "console=ttyS0 quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit,
        check=False)
    text = p.stdout.decode(errors="replace").replace("\r", "")
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    if p.returncode == 0 and "@DONE" in text:
        flags = re.search(r"@FLAGS (.*)", text)
        return "boots", flags[1].strip() if flags else "", text
    if "Unable to boot - please use a kernel appropriate" in text:
        m = REFUSAL.search(text)
        return "refuses", " ".join(m[0].split()) if m else "", text
    if p.returncode == 2 and "-kernel: the built-in small BIOS starts none" in text:
        return "refuses", text.strip().split("\n")[-1], text
    return "FAILS", f"exit status {p.returncode}", text


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--busybox", required=True, type=pathlib.Path)
    ap.add_argument("--turbo86", default="build/turbo86")
    ap.add_argument("--models", default="386,486,pentium,pentium-mmx,pentium2,pentium3,pentium4,core2,max")
    ap.add_argument("--limit", type=float, default=7200)
    ap.add_argument("kernels", nargs="+")
    a = ap.parse_args()
    failed = False

    print("| kernel | model | result | flags, or why not |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        initrd = pathlib.Path(tmp) / "initrd.gz"
        make_initrd(a.busybox, initrd)
        for item in a.kernels:
            name, kernel = item.split("=", 1)
            for model in a.models.split(","):
                result, detail, text = boot(a.turbo86, kernel, initrd, model, a.limit)
                print(f"| {name} | {model} | {result} | {detail} |", flush=True)
                if result != ("refuses" if model in TOO_OLD else "boots"):
                    failed = True
                    print(text[-3000:])
    sys.exit(failed)


if __name__ == "__main__":
    main()

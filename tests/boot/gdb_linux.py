#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb on Linux, forwards and backwards: who called kernel_init, and when had rest_init begun.

usage: gdb_linux.py TURBO86 --kernel FILE --initrd FILE     what ./run linux boots: a shell that has grep
The addresses come from the guest: a first run asks its /proc/kallsyms. Prints gdb's session; docs/GDB.md has one.
Exit status 77: gdb is not installed.
"""
import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

NAMES = ["kernel_init", "rest_init"]  # Debian's kernels tell where functions are, not data
# In two halves, so that the echo of the line is not taken for its end.
ASK = """wait serial /# / 200s
send serial "grep -wE '{names}' /proc/kallsyms; echo do''ne\\n"
wait serial /done/ 30s
exit 0
"""


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def machine(args):
    return [args.turbo86, "-m", "128", "-cpu", "pentium3", "-display", "none", "--deterministic", "-kernel", args.kernel,
            "-initrd", args.initrd, "-append", "console=ttyS0 quiet nokaslr sh"]


def symbols(args, folder):
    """Where the guest says that they are."""
    log, script = os.path.join(folder, "serial"), os.path.join(folder, "ask.t86")
    with open(script, "w") as f:
        f.write(ASK.format(names="|".join(NAMES)))
    subprocess.run([*machine(args), "-serial", "file:" + log, "-artifacts", "none", "--script", script], check=True,
                   timeout=1000)
    with open(log, errors="replace") as f:
        found = {m[2]: int(m[1], 16) for m in re.finditer(r"^([0-9a-f]{8}) \w (\w+)\s*$", f.read(), re.M)}
    return [found[name] for name in NAMES]


def debug(args, commands):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = subprocess.Popen([*machine(args), "-serial", "null", "-gdb", f"tcp::{port}", "-S"])
    try:
        gdb = ["gdb", "-nx", "-batch", "-ex", "set confirm off", "-ex", "set tcp connect-timeout 60", "-ex",
               "set arch i386", "-ex", "set style enabled off", "-ex", f"target remote 127.0.0.1:{port}"]
        for c in [*commands, "kill"]:
            gdb += ["-ex", f"echo (gdb) {c}\\n", "-ex", c]
        return subprocess.run(gdb, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1000).stdout
    finally:
        p.kill()
        p.wait()


def number(out, pattern):
    m = re.search(pattern, out)
    if not m:
        raise AssertionError(f"{pattern} is not in\n{out}")
    return int(m[1], 0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86", type=os.path.abspath)
    parser.add_argument("--kernel", required=True, type=os.path.abspath)
    parser.add_argument("--initrd", required=True, type=os.path.abspath)
    args = parser.parse_args()
    if not shutil.which("gdb"):
        print("skipped: there is no gdb")
        return 77
    begin = time.time()
    with tempfile.TemporaryDirectory() as folder:
        entry, before = symbols(args, folder)
    print(f"{NAMES[0]} {entry:#x}, {NAMES[1]} {before:#x}")
    out = debug(args, [
        f"hbreak *{entry:#x}", "continue", "p/x *(int*)$esp", "p/x $cr0", "p/x $esp", "monitor info time",
        "delete", "watch -location *(int*)$esp", "reverse-continue", "x/i $pc", "p/x $esp", "delete", f"hbreak *{before:#x}",
        "reverse-continue", "monitor info time", "delete", f"hbreak *{entry:#x}", "continue", "monitor info time"])
    print(out)
    back = out.split("(gdb) reverse-continue\n")
    call = number(back[1], r"=> (0x[0-9a-f]+):\s+call")
    times = re.findall(r"^(\d+) instructions, .*$", out, re.M)
    check("the caller's return address", number(out, r"\$1 = (0x[0-9a-f]+)"), call + 5)
    check("protected mode, paging", number(out, r"\$2 = (0x[0-9a-f]+)") & 0x80000001, 0x80000001)
    check("watchpoint", "Hardware watchpoint 2" in back[1] and "Old value" in back[1], True)
    check("stack before the call", number(out, r"\$4 = (0x[0-9a-f]+)"), number(out, r"\$3 = (0x[0-9a-f]+)") + 4)
    check("times", (int(times[1]) < int(times[0]), times[2]), (True, times[0]))
    print(f"ok: {time.time() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

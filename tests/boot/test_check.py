#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-jit check through whole guests: translated and interpreted code do the same.

usage: test_check.py TURBO86 [BENCH.ELF]
Exit status 77: there is no translator to this host's code, or SeaBIOS is not installed.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
DEMO = ["-nographic", "--deterministic", "--ns-per-insn", "30", "--idle-exit", "1s", "--timeout", "60s",
        "--state-hash", "-m", "16"]


def run(*args):
    p = subprocess.run([sys.argv[1], *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=800)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def demo_disk():
    """The demo, translated at once; both machines end as one that only interprets."""
    args = ["-jit-threshold", "1", *DEMO]
    status, out, err = run("-jit", "check", *args)
    if status == 2 and "no translator" in err:
        print("skipped:", err)
        sys.exit(77)
    assert (status, err) == (0, ""), (status, err)
    assert "demo>" in out, out
    assert out.splitlines()[-1].endswith(run("-jit", "off", *args)[1].splitlines()[-1].split()[-1]), out


def small_cache():
    """The same while translations are thrown away all the time."""
    status, _, err = run("-jit", "check", "-jit-threshold", "1", "-jit-cache-size", "256K", *DEMO)
    assert (status, err) == (0, ""), (status, err)


def bench_kernel():
    """Every workload, a hundredth of each, checksums included."""
    command = f"check={sys.argv[1]} -cpu max -m 64 -jit check"
    p = subprocess.run([sys.executable, HERE.parent / "bench" / "run.py", "--scale", "1", "--timeout", "800",
                        "--kernel", sys.argv[2], command], check=False)
    assert p.returncode == 0, p.returncode


def main():
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no", FIRMWARE)
        return 77
    demo_disk()
    print("ok      demo_disk")
    small_cache()
    print("ok      small_cache")
    if len(sys.argv) > 2 and os.path.exists(sys.argv[2]):
        bench_kernel()
        print("ok      bench_kernel")
    return 0


if __name__ == "__main__":
    sys.exit(main())

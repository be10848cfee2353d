#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the emulator's memory stay bounded? storm.c in a Linux guest forks, executes itself, maps memory,
and runs code there that changes all the time, while the code cache is small.

    tests/bench/storm.py build/linux/vmlinuz                      # 20 minutes, 1 MB of code cache
    tests/bench/storm.py --minutes 2 --cache 256K build/linux/vmlinuz build/turbo86

Prints the process' resident memory, and at the end its counters. Exit status 1: it grew by more than
--slack KB after the first minute, or a function in the guest returned something wrong. Needs Linux and a compiler
that knows -m32.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ['-m32', '-O2', '-static', '-nostdlib', '-ffreestanding', '-fno-pie', '-no-pie', '-fno-stack-protector']


def cpio_entry(number, name, mode, data, minor=0):
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 5 if minor else 0, minor, len(name) + 1, 0]
    head = b'070701' + b''.join(b'%08X' % f for f in fields) + name.encode() + b'\0'
    return head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4)


def initrd(folder, compiler):
    """A RAM disk of /init and /dev/console."""
    program = folder / 'storm'
    subprocess.run([compiler, *FLAGS, '-o', program, HERE / 'storm.c'], check=True)
    image = folder / 'initrd'
    image.write_bytes(cpio_entry(1, 'dev', 0o40755, b'') + cpio_entry(2, 'dev/console', 0o20600, b'', 1) +
                      cpio_entry(3, 'init', 0o100755, program.read_bytes()) + cpio_entry(0, 'TRAILER!!!', 0, b''))
    return image


def resident(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    raise SystemExit('storm: the emulator has ended')


def watch(process, log, minutes):
    """Resident KB, once the guest's memory is touched: after a minute, and the most after that."""
    while b'@STORM' not in log.read_bytes():
        resident(process.pid)
        time.sleep(0.5)
    start, first, most = time.monotonic(), None, 0
    while (now := time.monotonic() - start) < 60 * minutes:
        time.sleep(5)
        kb = resident(process.pid)
        if now >= 60:
            first = first or kb
            most = max(most, kb)
        if int(now) // 5 % 12 == 0:
            print(f'{now / 60:5.1f} min {kb:8} KB', flush=True)
    return first or kb, most or kb


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--minutes', type=float, default=20)
    p.add_argument('--cache', default='1M', help='code cache (-jit-cache-size)')
    p.add_argument('--slack', type=int, default=256, help='KB that are not called growth')
    p.add_argument('--compiler', default='gcc')
    p.add_argument('kernel')
    p.add_argument('emulator', nargs='?', default='build/turbo86')
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / 'log'
        command = [args.emulator, '-m', '64', '-nographic', '-stats', '-jit-cache-size', args.cache, '-kernel', args.kernel,
                   '-initrd', initrd(folder, args.compiler), '-append', 'console=ttyS0 quiet rdinit=/init']
        with log.open('wb') as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            first, most = watch(process, log, args.minutes)
            process.send_signal(signal.SIGINT)
            process.wait(30)
        finally:
            process.kill()
        text = log.read_text(errors='replace')
    print('\n'.join(x for x in text.splitlines() if x.startswith('jit:') or '@WRONG' in x))
    rounds = text.split('@ROUND ')[-1].split()[0] if '@ROUND' in text else '0'
    print(f'{rounds} processes; {first} KB after the first minute, {most} KB at most later')
    evicted = re.search(r'(\d+) segments evicted', text)
    if not evicted or evicted.group(1) == '0':
        print('nothing was evicted: the code cache was not under stress')
        return 1
    return 1 if '@WRONG' in text or most > first + args.slack else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bochs.py OPTIONS: Debian's Bochs behind the options of QEMU that our scripts use, to ask it what
it thinks of tests/metal, and how long it takes for what turbo86 does:
    -m MIB  -cpu MODEL (Bochs' names)  -hda FILE  -drive file=FILE,...  -debugcon file:FILE
    -kernel FILE -initrd FILE -append TEXT (from an ISO made with GRUB)  --ips N
Others are ignored. COM1 is standard output. A HLT that nothing can wake ends it with status 33, what
tests/metal calls success, a triple fault with 0, anything else with 1. BOCHS_LOG: a file for its log.
Needs: bochs, bochs-term, bochsbios, vgabios; for kernels grub-mkrescue, xorriso, mtools."""
import fcntl
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading

SECTORS, HEADS = 63, 16
FIRST_LINE = b"Next at t=0"
STATUS_DONE, STATUS_TRIPLE, STATUS_FAILED = 33, 0, 1
BINARY = "bochs"
HALTED = "HLT instruction with IF=0"
TRIPLE_FAULT = "3rd (13) exception"


def parse(argv):
    """-> {option: value}; those without a value have ''."""
    alone, options, i = {"-nographic", "-no-reboot", "-snapshot"}, {}, 0
    while i < len(argv):
        if argv[i] in alone or i + 1 == len(argv):
            options[argv[i]], i = "", i + 1
        else:
            options[argv[i]], i = argv[i + 1], i + 2
    return options


def grub_iso(options, tmp):
    root = tmp / "iso"
    (root / "boot/grub").mkdir(parents=True)
    shutil.copy(options["-kernel"], root / "boot/kernel")
    entry = f"linux /boot/kernel {options.get('-append', '')}\n"
    if "-initrd" in options:
        shutil.copy(options["-initrd"], root / "boot/initrd")
        entry += "initrd /boot/initrd\n"
    (root / "boot/grub/grub.cfg").write_text(entry + "boot\n")
    subprocess.run(["grub-mkrescue", "-o", tmp / "boot.iso", root], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return tmp / "boot.iso"


def configuration(options, tmp):
    disk = options.get("-hda")
    if "-drive" in options:
        disk = re.search(r"(?:^|,)file=([^,]*)", options["-drive"]).group(1)
    lines = [
        f"cpu: model={options.get('-cpu', 'core2_penryn_t9600')}, ips={options.get('--ips', '100000000')}, "
        f"reset_on_triple_fault=0, ignore_bad_msrs={int('-kernel' in options)}",
        f"memory: guest={options.get('-m', '64')}, host={options.get('-m', '64')}",
        "romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot",
        "vgaromimage: file=/usr/share/vgabios/vgabios.bin",
        "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14",
        "display_library: term", "vga: update_freq=1", "debugger_log: -", "panic: action=fatal",
        "port_e9_hack: enabled=1", "clock: sync=none, time0=1577836800",
        f"com1: enabled=1, mode=file, dev={tmp}/com1",
        f"log: {tmp}/log",
    ]
    if disk:
        cylinders = os.path.getsize(disk) // (512 * SECTORS * HEADS)
        lines += [f"ata0-master: type=disk, path={disk}, mode=flat, cylinders={cylinders}, "
                  f"heads={HEADS}, spt={SECTORS}", "boot: disk"]
    if "-kernel" in options:
        lines += [f"ata0-master: type=cdrom, path={grub_iso(options, tmp)}, status=inserted",
                  "boot: cdrom"]
    return "\n".join(lines) + "\n"


def copy_serial(path):
    with open(path, "rb", buffering=0) as f:
        while data := f.read(4096):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()


def collect(terminal):
    """What came through port E9h: all that follows the debugger's first lines."""
    text = b""
    try:
        while data := os.read(terminal, 65536):
            text += data
    except OSError: # the other end is closed
        pass
    text = text.replace(b"\r\n", b"\n").split(FIRST_LINE, 1)[-1]
    return text.split(b"\n", 2)[-1]


def follow_log(path, bochs, ends):
    """Bochs halts for ever at a HLT that nothing can wake: what tests/metal ends with."""
    for line in open(path, errors="replace"): # a FIFO: until Bochs closes it
        ends.append(line)
        if HALTED in line:
            bochs.kill()


def status_of(log):
    if any(HALTED in line for line in log):
        return STATUS_DONE
    return STATUS_TRIPLE if any(TRIPLE_FAULT in line for line in log) else STATUS_FAILED


def run(options, tmp):
    """-> (status, what came through port E9h)"""
    (tmp / "bochsrc").write_text(configuration(options, tmp))
    (tmp / "go").write_text("c\n")
    os.mkfifo(tmp / "com1")
    os.mkfifo(tmp / "log")
    threading.Thread(target=copy_serial, args=(tmp / "com1",), daemon=True).start()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x19\x00\x50\x00\x00\x00\x00\x00")
    bochs = subprocess.Popen([BINARY, "-q", "-f", tmp / "bochsrc", "-rc", tmp / "go"],
                             stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
                             env={**os.environ, "TERM": "vt100"})
    os.close(theirs)
    log = []
    follower = threading.Thread(target=follow_log, args=(tmp / "log", bochs, log), daemon=True)
    follower.start()
    try:
        text = collect(ours)
        bochs.wait()
        follower.join()
    finally:
        bochs.kill()
    if "BOCHS_LOG" in os.environ:
        pathlib.Path(os.environ["BOCHS_LOG"]).write_text("".join(log))
    return status_of(log), text


def main():
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STATUS_FAILED)) # and end Bochs, above
    with tempfile.TemporaryDirectory() as name:
        status, text = run(options, pathlib.Path(name))
    if "-debugcon" in options:
        path = pathlib.Path(options["-debugcon"].removeprefix("file:"))
        path.write_bytes(re.split(rb"\x1b|^\(0\)\.\[", text, flags=re.M)[0])
    sys.exit(status)


if __name__ == "__main__":
    main()

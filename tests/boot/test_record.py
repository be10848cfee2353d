#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record and replay: somebody works with the demo disk, and all of it comes again.

usage: test_record.py TURBO86 [TEST]     (without TEST: all)
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import suite

TURBO86 = os.path.abspath(sys.argv[1])
DIR = tempfile.TemporaryDirectory()
MACHINE = ["-bios", "tinybios.bin", "-m", "16", "-snapshot"]


def path(name):
    return os.path.join(DIR.name, name)


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def start(*args):
    return subprocess.Popen([TURBO86, *MACHINE, "-nographic", "--state-hash", *args], cwd=DIR.name,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def work(steps, *args):
    """A run in which each text is typed when what is before it has been printed; what it printed."""
    p = start(*args)
    out, seen = b"", 0
    for wanted, text in steps:
        while out.find(wanted, seen) < 0:
            more = os.read(p.stdout.fileno(), 4096)
            if not more:
                raise AssertionError(f"no {wanted} in {out}")
            out += more
        seen = out.find(wanted, seen) + len(wanted)
        p.stdin.write(text)
        p.stdin.flush()
    rest, err = p.communicate(timeout=300)
    check("status", (p.returncode, err.decode()), (0, NOTE))
    return (out + rest).decode(errors="replace")


NOTE = "turbo86: -bios tinybios.bin; using the built-in small BIOS\n"
MONITOR = b"\x01c"


def replay(*args, status=0, machine=MACHINE):
    p = subprocess.run([TURBO86, *machine, "-display", "none", "--state-hash", *args], cwd=DIR.name,
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    if p.returncode != status:
        raise AssertionError(f"status {p.returncode}, not {status}: {p.stderr.decode()}")
    return p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def state(out):
    return re.search(r"state-hash ([0-9a-f]{16})", out)[1]


def recording():
    """A session, made once: its file, and what it printed."""
    if not RECORDED:
        with open(path("floppy.img"), "wb") as f:
            f.truncate(1474560)
        RECORDED.append(work([(b"demo>", b"mem\r"),
                              (b"demo>", MONITOR + b"change floppy0 floppy.img\rsendkey a\r" + MONITOR),
                              (b"a", MONITOR + b"mouse_move 5 9\rsystem_reset\r" + MONITOR),
                              (b"demo>", b"echo first\r"), (b"\nfirst", b""), (b"demo>", b"echo second\r"),
                              (b"\nsecond", b"\x01x")], "--record", "session"))
    return "session", RECORDED[0]


RECORDED = []


def a_session_repeats_to_the_same_state_on_both_engines():
    name, out = recording()
    for args in ((), ("-jit", "off")):
        again, _ = replay("--replay", name, "-serial", "stdio", *args)
        check("state", state(again), state(out))
        check("output", "second" in again, True)


def the_end_of_the_guest_is_part_of_it():
    out = work([(b"demo>", b"echo last words\r"), (b"demo>", b"poweroff\r")], "--record", "off")
    check("state", state(replay("--replay", "off")[0]), state(out))


def an_instant_in_a_recording_is_found():
    name, _ = recording()
    first, _ = replay("--replay", name, "--find-first", "screen /^first$/")
    second, _ = replay("--replay", name, "--find-first", "screen /^second$/")
    count = [int(re.search(r"first: (\d+) instructions", out)[1]) for out in (first, second)]
    check("order", 0 < count[0] < count[1], True)
    replay("--replay", name, "--find-first", "screen /never/", status=16)


def what_comes_over_the_network_comes_again():
    metal = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "metal")
    subprocess.run(["nasm", "-w-label-orphan", "-f", "bin", f"-I{metal}/", "-o", path("dhcp.img"), f"{metal}/dhcp.asm"],
                   check=True)
    os.truncate(path("dhcp.img"), 2 * 16 * 63 * 512)
    net = ["-hda", "dhcp.img", "-nic", "user,model=ne2k_isa,mac=52:54:00:12:34:56", "-device",
           "isa-debug-exit,iobase=0xf4,iosize=4"]
    p = start(*net, "--record", "net")
    out, err = p.communicate(timeout=100)
    if b"built without" in err:
        print("skipped:", err.decode())
        return
    check("address", p.returncode, 33)
    again, _ = replay(*net, "--replay", "net", status=33)
    check("state", state(again), state(out.decode()))


def the_firmware_keeps_the_console_that_it_was_told_of():
    """SeaBIOS asks whether there is a display; who replays or loads may have another one."""
    displays = (["-nographic"], ["-display", "none"])

    def run(display, *args, status):
        p = subprocess.run([TURBO86, "-m", "16", "-deterministic", *display, *args], cwd=DIR.name,
                           stdin=subprocess.PIPE, capture_output=True, timeout=300)
        check(("status", display, args, p.stderr), p.returncode, status)
        return p.stdout.decode(errors="replace")

    for name, text in (("save", "wait 100ms\nsnapshot save seabios\n"), ("again", "reset\nwait 1s\nmark\n")):
        with open(path(name), "w") as f:
            f.write(text)
    for made in displays:
        out = run(made, "--state-hash", "--timeout", "1s", "--record", "seabios.rec", status=10)
        run(made, "--script", "save", status=0)
        marks = []
        for used in displays:
            check(("replayed", made, used), state(run(used, "--state-hash", "--replay", "seabios.rec", status=0)), state(out))
            marks.append(re.search(r"mark: .*", run(used, "-loadvm", "seabios", "--script", "again", status=0))[0])
        check("after a reset", marks[1], marks[0])


def another_machine_is_refused():
    name, _ = recording()
    _, err = replay("--replay", name, "-cpu", "486", status=2)
    check("cpu", "-cpu pentium4; this one has -cpu 486" in err, True)
    with open(path("floppy.img"), "r+b") as f:
        f.write(b"another")
    _, err = replay("--replay", name, status=4)
    check("floppy", "floppy.img' is not what it was" in err, True)
    with open(path("floppy.img"), "r+b") as f:
        f.write(bytes(7))
    replay("--replay", name)


def damaged_cut_and_foreign_files_are_refused():
    name, _ = recording()
    with open(path(name), "rb") as f:
        whole = f.read()
    for what, content, why in (("cut", whole[:-1], "is incomplete"), ("empty", b"", "is no snapshot"),
                               ("foreign", b"\x7fELF" + whole[4:], "is no snapshot"),
                               ("long", whole + b"x", "it is too long"),
                               ("changed", whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], "is damaged"),
                               ("newer", whole[:8] + b"\x63" + whole[9:], "newer turbo86")):
        with open(path("bad"), "wb") as f:
            f.write(content)
        out, err = replay("--replay", "bad", status=2)
        check(what, (why in err, len(err.replace(NOTE, "").splitlines())), (True, 1))
    _, err = replay("--replay", "none", status=2)
    check("missing", "none" in err, True)
    _, err = replay("-loadvm", name, status=2)
    check("as a snapshot", "--replay takes it" in err, True)


def what_cannot_be_recorded_is_told():
    with open(path("disk.img"), "wb") as f:
        f.truncate(1 << 20)
    machine = [a for a in MACHINE if a != "-snapshot"]
    for args, why in ((["-hda", "disk.img", "--record", "r"], "add -snapshot"), (["--record", "no/r"], "cannot write"),
                      (["--record", "r", "-s"], "goes without"), (["--record", "r", "-jit", "check"], "do not go"),
                      (["--record", "r", "--replay", recording()[0]], "goes without")):
        _, err = replay(*args, status=2, machine=machine)
        check(args, why in err, True)
    check("file", os.path.exists(path("r")), False)


def killing_leaves_the_file_of_before():
    name, out = recording()
    for delay in (0.1, 0.5):
        p = start("--record", name)
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.communicate()
        check("state", state(replay("--replay", name)[0]), state(out))


TESTS = [
    a_session_repeats_to_the_same_state_on_both_engines,
    the_end_of_the_guest_is_part_of_it,
    an_instant_in_a_recording_is_found,
    what_comes_over_the_network_comes_again,
    the_firmware_keeps_the_console_that_it_was_told_of,
    another_machine_is_refused,
    damaged_cut_and_foreign_files_are_refused,
    what_cannot_be_recorded_is_told,
    killing_leaves_the_file_of_before,
]

if __name__ == "__main__":
    suite.main(TESTS)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole runs of the program: how they end, what they print, that they repeat.

usage: test_run.py TURBO86 TEST     (without TEST: all)
The guests are boot sectors of a few bytes, run by SeaBIOS from a raw disk image.
Exit status 77: the firmware is not installed.
"""
import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

TURBO86 = sys.argv[1]
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
DIR = tempfile.TemporaryDirectory()


def image(code, name="guest.img"):
    """A disk whose first sector is @code; 1 MiB, as firmware expects some size."""
    path = os.path.join(DIR.name, name)
    with open(path, "wb") as f:
        f.write(code.ljust(510, b"\0") + b"\x55\xaa")
        f.truncate(1 << 20)
    return path


def run(*args, stdin=b"", limit=100):
    p = subprocess.run([TURBO86, *args], input=stdin, capture_output=True, timeout=limit)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def boot(code, *args):
    return run("-hda", image(code), "-display", "none", "--deterministic", "--timeout", "30s", *args)


EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
HANG = b"\xeb\xfe"  # costs host time for guest time: only behind an exit
IDLE = b"\xfb\xf4\xeb\xfd"  # sti; hlt in a loop


def exit_port_gives_value_times_two_plus_one():
    code, _, err = boot(b"\xb0\x15\xe6\xf4" + HANG, *EXIT)  # mov al, 15h; out 0F4h, al
    check("status", (code, err), (43, ""))


def soft_power_off_ends_with_0():
    # mov dx, 604h; mov ax, 2000h; out dx, ax: SLP_EN in PM1 control
    code, _, err = boot(b"\xba\x04\x06\xb8\x00\x20\xef" + HANG)
    check("status", (code, err), (0, ""))


def halting_for_ever_ends_with_8():
    code, _, err = boot(b"\xfa\xf4")
    check("status", code, 8)
    check("message", "nothing can wake it" in err, True)


def triple_fault_ends_with_6_under_no_reboot():
    # lidt [cs:7c10h] with a limit of 0; int3
    code, _, err = boot(b"\x2e\x0f\x01\x1e\x10\x7c\xcc".ljust(16, b"\x90") + bytes(6), "-no-reboot")
    check("status", code, 6)
    check("message", "triple fault" in err, True)


def reset_ends_with_14_under_no_reboot():
    code, _, _ = boot(b"\xba\xf9\x0c\xb0\x06\xee" + HANG, "-no-reboot")  # 06h to CF9h
    check("status", code, 14)


def reset_starts_the_firmware_again():
    # CMOS byte 40h counts the boots: the second one writes it to the exit port.
    code, _, _ = boot(
        b"\xb0\x40\xe6\x70\xe4\x71\xfe\xc0\x88\xc4"  # al = cmos[40h] + 1; ah = al
        b"\xb0\x40\xe6\x70\x88\xe0\xe6\x71"  # cmos[40h] = al
        b"\x3c\x02\x74\x06"  # if al == 2 goto out
        b"\xba\xf9\x0c\xb0\x06\xee"  # reset
        b"\xe6\xf4" + HANG,
        *EXIT,
    )
    check("status", code, 5)


def guest_time_limit_ends_with_10():
    code, out, err = run("-hda", image(IDLE), "-display", "none", "--deterministic", "--timeout", "2s", "--stats")
    check("status", code, 10)
    check("time", re.search(r"guest time +(\S+)", err)[1], "2.000000000")


def wall_time_limit_ends_with_12():
    t = time.time()
    code, _, _ = run("-hda", image(IDLE), "-display", "none", "--wall-timeout", "1s")
    check("status", code, 12)
    check("duration", time.time() - t < 10, True)


def idle_exit_waits_for_output_and_end_of_input():
    code, out, _ = run("-hda", image(IDLE), "--idle-exit", "3s", stdin=b"x")
    check("status", code, 0)


def a_signal_ends_the_run_cleanly():
    p = subprocess.Popen([TURBO86, "-hda", image(IDLE), "-display", "none", "--state-hash"], stdout=subprocess.PIPE)
    time.sleep(1)
    p.terminate()
    out = p.communicate(timeout=20)[0].decode()
    check("status", p.returncode, 128 + 15)
    check("report", out.startswith("state-hash "), True)


def firmware_greets_on_screen():
    code, out, _ = run("-hda", image(IDLE), "-display", "none", "--deterministic", "--timeout", "3s", "--print-screen")
    check("banner", out.startswith("SeaBIOS (version "), True)
    check("boot", "Booting from Hard Disk..." in out, True)


def screenshot_is_a_png_of_the_text_screen():
    path = os.path.join(DIR.name, "shot.png")
    run("-hda", image(IDLE), "-display", "none", "--deterministic", "--timeout", "3s", "--screenshot", path)
    head = open(path, "rb").read(24)
    check("signature", head[:8], b"\x89PNG\r\n\x1a\n")
    check("size", (int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")), (720, 400))


def debug_console_goes_to_a_file():
    path = os.path.join(DIR.name, "console")
    code, _, _ = boot(b"\xb0A\xe6\xe9\xb0B\xe6\xe9\xe6\xf4" + HANG, *EXIT, "-debugcon", "file:" + path)
    check("status", code, 0x42 * 2 + 1)
    check("console", open(path).read(), "AB")


# Eight data bits, then echo the first serial port: in al, 3FDh; test al, 1; jz; in al, 3F8h; out 3F8h, al
ECHO = b"\xba\xfb\x03\xb0\x03\xee" b"\xba\xfd\x03\xec\xa8\x01\x74\xf8\xba\xf8\x03\xec\xee\xeb\xf1"


def serial_port_echoes_over_tcp():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = subprocess.Popen([TURBO86, "-hda", image(ECHO), "-display", "none", "-serial", f"tcp:127.0.0.1:{port},server"])
    try:
        for _ in range(50):
            try:
                c = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.1)
        got = b""
        c.settimeout(1)
        for _ in range(30):  # until the guest has booted
            c.send(b"ping")
            try:
                got += c.recv(100)
            except socket.timeout:
                continue
            if b"ping" in got:
                break
        check("echo", b"ping" in got, True)
    finally:
        p.terminate()
        p.wait()


COUNT = b"\xe6\xe9\x40\xeb\xfb"  # out 0E9h, al; inc ax: 0, 1, ... 255, 0, ... for ever, as fast as it goes
PIPE_SIZE = 1031  # F_SETPIPE_SZ


def start_with_unread_output(*args):
    """COUNT on a standard output of 4 KiB that nobody reads: the program and the reading end."""
    r, w = os.pipe()
    fcntl.fcntl(w, PIPE_SIZE, 4096)
    p = subprocess.Popen([TURBO86, "-hda", image(COUNT), "-display", "none", "-debugcon", "stdio", *args],
                         stdin=subprocess.DEVNULL, stdout=w)
    os.close(w)
    return p, r


def check_end(p, status, limit=4):
    try:
        check("status", p.wait(limit), status)
    finally:
        p.kill()
        p.wait()


def wall_time_limit_holds_while_nobody_reads():
    p, r = start_with_unread_output("--wall-timeout", "2s")
    check_end(p, 12)
    os.close(r)


def a_signal_ends_the_run_while_nobody_reads():
    p, r = start_with_unread_output()
    time.sleep(2)
    p.terminate()
    check_end(p, 128 + 15, 2)
    os.close(r)


def check_counts(data):
    start = data.index(bytes(range(256)))
    check("start", start < 4096, True)
    wanted = bytes(range(256)) * (len(data) // 256 + 1)
    check("all bytes in order", data[start:] == wanted[: len(data) - start], True)


def a_slow_reader_of_a_pipe_gets_every_byte():
    p, r = start_with_unread_output("--wall-timeout", "20s")
    time.sleep(1.5)
    data = b""
    while len(data) < 200_000:
        data += os.read(r, 65536)
    p.terminate()
    check_end(p, 128 + 15)
    os.close(r)
    check_counts(data)


def a_slow_reader_over_tcp_gets_every_byte():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        p = subprocess.Popen([TURBO86, "-hda", image(COUNT), "-display", "none", "-serial", "null",
                              "-debugcon", "tcp:127.0.0.1:%d" % s.getsockname()[1]])
        c = s.accept()[0]
    time.sleep(1.5)
    data = b""
    c.settimeout(4)
    try:
        while len(data) < 3_000_000:
            data += c.recv(1 << 20)
    finally:
        p.terminate()
        check_end(p, 128 + 15)
    check_counts(data)


class Skipped(Exception):
    """What the host lacks; told, and no failure."""


def need_ptys():
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as e:  # a chroot without /dev/pts
        raise Skipped(f"no pseudo-terminals here: {e}") from e


def a_pty_is_slow_or_deserted():
    need_ptys()
    p = subprocess.Popen([TURBO86, "-hda", image(COUNT), "-display", "none", "-serial", "null", "-debugcon", "pty"],
                         stderr=subprocess.PIPE, text=True)
    slave = os.open(p.stderr.readline().split()[-1], os.O_RDWR | os.O_NOCTTY)
    time.sleep(1.5)
    data = b""
    while len(data) < 100_000:
        data += os.read(slave, 65536)
    check_counts(data)
    os.close(slave)  # nobody is there: the guest runs on, its output is lost
    time.sleep(0.3)
    p.terminate()
    check_end(p, 128 + 15)


def ctrl_a_x_works_while_the_guest_reads_nothing():
    need_ptys()
    master, slave = pty.openpty()
    p = subprocess.Popen([TURBO86, "-hda", image(IDLE), "-nographic"], stdin=slave, stdout=subprocess.DEVNULL)
    time.sleep(1)
    for _ in range(700):  # more than any buffer
        os.write(master, b"k" * 100)
        time.sleep(0.001)
    os.write(master, b"\x01x")
    check_end(p, 0)
    os.close(master)
    os.close(slave)


def read_until(fd, text, limit=60):
    """What comes from @fd up to @text."""
    got, end = b"", time.monotonic() + limit
    while text not in got:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"{text!r} did not come, but {got[-300:]!r}")
        got += os.read(fd, 65536)
    return got


def the_screen_is_drawn_in_a_terminal():
    need_ptys()
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    p = subprocess.Popen([TURBO86], stdin=slave, stdout=slave, stderr=slave)  # nothing asked: the demo
    screen = read_until(master, b"demo>")
    check("alternate screen, colours, cursor", [x in screen for x in (b"\x1b[?1049h", b"\x1b[0;96;40m", b"\x1b[?25h")],
          [True] * 3)
    os.write(master, b"echo AbC\x08d\r")
    read_until(master, b"Abd")
    os.write(master, b"\x01c")
    check("the screen makes room", b"\x1b[?1049l" in read_until(master, b"(turbo86) "), True)
    os.write(master, b"\x01c")
    read_until(master, b"demo>")  # drawn anew
    os.write(master, b"\x01x")
    last = read_until(master, b"\x1b[?1049l")
    check_end(p, 0)
    check("terminal", termios.tcgetattr(slave), before)
    check("nothing behind it", last.endswith(b"\x1b[?1049l"), True)
    os.close(master)
    os.close(slave)


def a_small_terminal_shows_where_the_cursor_is():
    """24 lines are usual, and a PC has 25: what was typed in the last one could not be seen."""
    need_ptys()
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    p = subprocess.Popen([TURBO86], stdin=slave, stdout=slave, stderr=slave)

    def rows(output):
        """What is to be seen after all that was written: a terminal of a few escape sequences."""
        cells, at = {}, (1, 1)
        pieces = rb"\x1b\[(\d+;\d+)H|\x1b\[(2J)|(\x1b\[[0-9;?]*[A-Za-z])|([ -~]|[\xc2-\xf4][\x80-\xbf]+)"
        for place, cleared, _, char in re.findall(pieces, output):
            if place:
                at = tuple(map(int, place.split(b";")))
            elif cleared:
                cells = {}
            elif char:
                cells[at] = char
                at = at[0], at[1] + 1
        return [b"".join(cells.get((row, column), b" ") for column in range(1, 41)) for row in range(1, 25)]

    written = b""

    def type_and_see(typed, wanted):
        nonlocal written
        os.write(master, typed)
        got, end = b"", time.monotonic() + 60
        while not any(wanted in row for row in rows(written + got)):
            if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{wanted!r} is not to be seen, but {got[-300:]!r}")
            got += os.read(master, 65536)
        places = [tuple(map(int, m.groups())) for m in re.finditer(rb"\x1b\[(\d+);(\d+)H", got)]
        check("places are in the terminal", [x for x in places if x[0] > 24 or x[1] > 40], [])
        written += got
        return got
    try:
        type_and_see(b"", b"demo>")
        type_and_see(30 * b"\r" + b"LAST", b"LAST")
        got = type_and_see(40 * b"x" + b"END", b"xxxxEND")
        check("cleared, and drawn anew", (got.count(b"\x1b[2J"), got.count(b"\x1b[1;1H") <= 4), (0, True))
        os.write(master, b"\x01x")
        check_end(p, 0)
    finally:
        p.kill()
        os.close(master)
        os.close(slave)


def equal_runs_have_equal_hashes():
    # sti; then hlt and count ticks: interrupts, RAM and registers are all in the hash.
    args = ["--state-hash"]
    runs = [boot(b"\xfb\xf4\x40\xeb\xfc", *args, "--timeout", "4s")[1] for _ in range(2)]
    check("hash", runs[0], runs[1])
    other = boot(b"\xfb\xf4\x43\xeb\xfc", *args, "--timeout", "4s")[1]
    check("hash of another guest differs", other != runs[0], True)


def snapshot_leaves_the_image_alone():
    # INT 13h AH=03h: write one sector, the boot sector's memory, to sector 2; result to the exit port
    code = (
        b"\xb8\x01\x03\xbb\x00\x7c\xb9\x02\x00\xba\x80\x00\xcd\x13\x88\xe0\xe6\xf4" + HANG
    )
    status, _, _ = boot(code, *EXIT, "-snapshot")
    check("status", status, 1)
    path = image(code)
    check("sector", open(path, "rb").read()[512:1024], bytes(512))
    status, _, _ = boot(code, *EXIT)
    check("status", status, 1)
    data = open(path, "rb").read()
    check("sector", data[512:1024], data[:512])


def a_locked_image_is_refused():
    path = image(IDLE, "locked.img")
    p = subprocess.Popen([TURBO86, "-hda", path, "-display", "none"])
    time.sleep(1)
    code, _, err = run("-hda", path, "-display", "none")
    p.terminate()
    p.wait()
    check("status", code, 2)
    check("message", len(err.splitlines()), 1)


def mistakes_end_with_2_and_one_line():
    odd = os.path.join(DIR.name, "odd.img")
    open(odd, "wb").write(b"x" * 700)
    pipe = os.path.join(DIR.name, "pipe")
    os.mkfifo(pipe)
    for option in ("-hda", "-kernel"):
        for path in (pipe, DIR.name, ""):
            code, out, err = run(option, path, limit=5)
            check(f"{option} {path}: status and lines", (code, out, len(err.splitlines())), (2, "", 1))
            check(f"{option} {path}: option", f"{option}: " in err, True)
    check("memory as typed", "-m: '0'" in run("-m", "0")[2], True)
    twice = image(IDLE, "twice.img")
    check("image given twice", "given twice" in run("-hda", twice, "-hdb", twice)[2], True)
    _, _, err = run("-cpu", "386", "-kernel", image(IDLE, "kernel.img"))
    check("the small BIOS starts no kernels", "-kernel: the built-in small BIOS starts none" in err, True)
    for args in (["-nope"], ["-m", "lots"], ["-hda", "/nonexistent"], ["-hda", odd], ["-cpu", "abacus"],
                 ["-kernel", "/dev/null"], ["-serial", "smoke"], ["-device", "toaster"], ["-d", "nothing"],
                 ["-rtc", "base=never"], ["-boot", "q"], ["-bios", "/nonexistent"], ["-append", "x"], ["-drive", "file=" + pipe],
                 ["-drive", "file=" + DIR.name], ["-screenshot", "/nonexistent/x.png"], ["-screenshot", DIR.name], ["-nic", "tap"], ["-nic", "user,model=abacus"],
                 ["-nic", "user,tftp=/nonexistent"], ["-nic", "user", "--deterministic"], ["-netdev", "user"],
                 ["-device", "rtl8139,netdev=none"], ["-display", "abacus"], ["-boot", ""],
                 ["-netdev", "user,id=a"], ["-nographic", "-display", "terminal"],
                 ["-nic", "user,addr=5,romfile=", "-nic", "user,addr=5,romfile="]):
        code, out, err = run(*args)
        check(f"{args}: status", code, 2)
        check(f"{args}: lines", (out, len(err.splitlines())), ("", 1))


def a_mistake_changes_no_file():
    """Not even a file that is to be written; and none is written that a drive has."""
    path = lambda name: os.path.join(DIR.name, name)
    old = b"old" * 1000
    outputs = (("-audio", "wav:"), ("-serial", "file:"), ("-debugcon", "file:"), ("-nic", "user,pcap="), ("-D", ""),
               ("-perf-map", ""))
    for option, value in outputs:
        with open(path("kept"), "wb") as f:
            f.write(old)
        for name in ("kept", "new"):
            code, _, err = run("-hda", "/nonexistent", option, value + path(name))
            check(f"{option}: status and lines", (code, len(err.splitlines())), (2, 1))
        with open(path("kept"), "rb") as f:
            check(f"{option}: what the file held is there", f.read() == old, True)
        check(f"{option}: no new file", os.path.exists(path("new")), False)
    disk = image(IDLE, "disk.img")
    with open(disk, "rb") as f:
        before = f.read()
    for drive in (["-hda", disk], ["-hda", disk, "-snapshot"]):
        for option, value in outputs + (("-screenshot", ""), ("-record", "")):
            args = [option, value + disk]
            code, _, err = run(*drive, "-display", "none", "--timeout", "1s", *args)
            check(f"{drive} {args}: status and lines", (code, len(err.splitlines())), (2, 1))
            with open(disk, "rb") as f:
                check(f"{drive} {args}: the image is whole", f.read() == before, True)


def what_is_read_is_not_written():
    """What one option reads, another one would write over: refused, and the file is whole."""
    path = lambda name: os.path.join(DIR.name, name)
    with open("/usr/share/seabios/bios-256k.bin", "rb") as f:
        bios = f.read()
    script = "snapshot save {}\nexit 0\n"
    inputs = {"-bios": bios, "-loadvm": b"x" * 100, "-replay": b"y" * 100, "-initrd": b"z" * 100,
              "-config": b"memory = 16M\n", "-script": script.format(path("state")).encode()}
    outputs = (("-audio", "wav:"), ("-serial", "file:"), ("-debugcon", "file:"), ("-monitor", "file:"), ("-D", ""),
               ("-nic", "user,pcap="), ("-perf-map", ""), ("-screenshot", ""), ("-record", ""), ("-tap", ""),
               ("-junit", ""))
    for reads, data in inputs.items():
        with open(path("input"), "wb") as f:
            f.write(data)
        if not os.path.exists(path("another")):
            os.link(path("input"), path("another"))
        for writes, value in outputs:
            for name in ("input", "another"):
                code, out, err = run("-display", "none", "--timeout", "1s", writes, value + path(name), reads, path("input"))
                said = f"turbo86: {writes}: '{path(name)}' is read by {reads}: it would be written over\n"
                check(f"{reads} {writes}", (code, out, err), (2, "", said))
        with open(path("input"), "rb") as f:
            check(f"{reads}: the file is whole", f.read() == data, True)
    for writes in ("screenshot", "snapshot save"):
        with open(path("input"), "w") as f:
            f.write(f"{writes} {path('another')}\n")
        code, out, err = run("-script", path("input"))
        check(f"{writes} in a script", (code, out, err.count("\n"), "is read by -script" in err), (2, "", 1, True))
    code, _, err = run("-display", "none", "--timeout", "1s", "-bios", FIRMWARE, "-D", "/dev/null", "-serial",
                       "file:/dev/null", "-screenshot", path("shot.png"))
    check("what nobody reads", code, 10)


def the_monitor_replaces_a_snapshot_and_no_firmware():
    bios, state = (os.path.join(DIR.name, name) for name in ("savevm.bin", "savevm.snapshot"))
    with open(FIRMWARE, "rb") as f:
        data = f.read()
    with open(bios, "wb") as f:
        f.write(data)
    args = ["-hda", image(IDLE), "-snapshot", "-bios", bios, "-display", "none", "-serial", "null", "-monitor", "stdio"]
    _, out, _ = run(*args, stdin=f"savevm {bios}\nscreendump {bios}\nsavevm {state}\nquit\n".encode())
    check("told", out.count("is read by -bios: it would be written over"), 2)
    with open(bios, "rb") as f:
        check("the firmware is whole", f.read() == data, True)
    _, out, _ = run(*args, "-loadvm", state, stdin=f"savevm {state}\nquit\n".encode())
    check("told of the snapshot", "is read by" in out, False)


def what_is_in_use_is_told():
    """Files that two outputs would write into each other, and pipes, which would be waited for."""
    log, pipe = (os.path.join(DIR.name, name) for name in ("both.log", "outputs.fifo"))
    code, _, err = run("-display", "none", "-debugcon", "file:" + log, "-serial", "file:" + log, limit=20)
    check("two outputs", (code, err), (2, f"turbo86: -serial: cannot write '{log}': it is in use, by a drive or another output\n"))
    os.mkfifo(pipe)
    for option, value in (("-serial", "file:"), ("-debugcon", "file:"), ("-D", ""), ("-perf-map", ""),
                          ("-nic", "user,pcap=")):
        code, _, err = run("-display", "none", "--timeout", "1s", option, value + pipe, limit=20)
        if "no user networking" not in err:
            check(option, (code, err.count("\n"), "nobody reads that pipe" in err), (2, 1, True))


def the_log_has_what_was_said_before_it_began():
    log, perf = (os.path.join(DIR.name, name) for name in ("run.log", "perf.map"))
    for name in (log, perf):
        with open(name, "w") as f:
            f.write("old\n")
    boot(HANG, "-d", "all", "-D", log, "-perf-map", perf, "--timeout", "1s")
    with open(log) as f:
        text = f.read()
    check("the log", ("old" in text, len(text) > 0), (False, True))
    with open(perf) as f:
        check("the names", re.fullmatch(r"(?:[0-9a-f]+ [0-9a-f]+ guest_[0-9a-f]{8}\n)+", f.read()) is not None, True)


def a_port_of_the_host_leads_to_the_guest():
    guest = os.path.join(DIR.name, "udp_echo.img")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "udp_echo.asm")
    subprocess.run(["nasm", "-f", "bin", "-o", guest, source], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pcap = os.path.join(DIR.name, "echo.pcap")
    p = subprocess.Popen([TURBO86, "-fda", guest, "-display", "none", "-debugcon", "stdio", "-nic",
                          f"user,model=ne2k_isa,hostfwd=udp:127.0.0.1:{port}-:7,pcap={pcap}",
                          "--wall-timeout", "60s"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    try:
        heard = b""
        while not heard.endswith(b"ready\n"):
            byte = p.stdout.read(1)
            if not byte:
                err = p.stderr.read().decode(errors="replace")
                if "no user networking" in err:
                    raise Skipped(err.strip())
                raise AssertionError(f"the guest never was ready: {heard} {err}")
            heard += byte
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(50)
            for text in (b"over", b"and over again"):
                s.sendto(text, ("127.0.0.1", port))
                check("the answer", s.recvfrom(100), (bytes([text[0] + 1]) + text[1:], ("127.0.0.1", port)))
        p.terminate()
        check("status", (p.wait(timeout=20), p.stderr.read()), (128 + 15, b""))
    finally:
        p.kill()
        p.communicate()
    with open(pcap, "rb") as f:
        frames = f.read()
    for text in (b"over", b"pver", b"and over again", b"bnd over again"):
        check("the capture has both directions", text in frames, True)


def the_option_that_asks_for_a_taken_slot_is_named():
    two = run("-nic", "user,addr=5,romfile=", "-nic", "user,addr=5,romfile=")[2]
    check("-nic", two, "turbo86: -nic: PCI slot 5 is taken\n")
    two = run("-nic", "user,addr=5,romfile=", "-device", "ne2k_pci,addr=5,romfile=")[2]
    check("-device", two, "turbo86: -device: PCI slot 5 is taken\n")
    same = run("-nographic", "-display", "terminal")[2]
    check("display", "-nographic is no display, and -display terminal is one" in same, True)


def a_speed_is_refused_where_time_is_not_the_hosts():
    for args in (["--deterministic"], ["-jit", "check"]):
        code, _, err = run("-speed", "386", "-display", "none", *args)
        check("status and lines", (code, err.count("\n"), "-speed" in err), (2, 1, True))
        check("no limit", run("-speed", "max", "-display", "none", "--timeout", "1ms", *args)[0], 10)
    code, _, err = boot(HANG, "--preset", "dos", "--timeout", "1ms")
    check("preset", (code, err.splitlines()[0]), (10, "turbo86: --preset dos: --cpu 486 --memory 16M --device sb16"))


def a_wave_file_is_no_pipe():
    """It would wait for a reader, and could not be ended."""
    pipe = os.path.join(DIR.name, "pipe.wav")
    os.mkfifo(pipe)
    code, _, err = run("-display", "none", "-audio", "wav:" + pipe, limit=20)
    check("status", (code, err), (2, f"turbo86: -audio: cannot write '{pipe}': a wave file cannot be a pipe\n"))
    code, _, err = boot(b"\xfa\xf4", "-screenshot", pipe)
    check("nobody reads", (code, err.splitlines()[-1]), (4, f"turbo86: cannot write the screenshot '{pipe}': nobody reads that pipe"))


def a_board_without_pci_boots_the_demo():
    hashes = []
    for bios in ([], ["-bios", "tinybios.bin"]) * 2:
        code, out, err = run("-M", "isapc", "-cpu", "486", "-display", "none", "--deterministic", "--timeout", "4s",
                             "-serial", "null", "-device", "ne2k_isa", "-device", "sb16", "--print-screen",
                             "--state-hash", *bios)
        check("it says so", (code, "PCI      none" in out), (10, True))
        hashes.append(re.search("hash.*", out + err)[0])
    check("equal runs", hashes[:2], hashes[2:])
    for card in (["-vga", "cirrus"], ["-nic", "user"]):
        code, _, err = run("-M", "isapc", *card)
        check("cards of PCI are refused", (code, err.count("\n"), "-M isapc" in err), (2, 1, True))


def the_demo_reaches_its_prompt_on_every_cpu_model():
    _, models, _ = run("-cpu", "help")
    for model in re.findall(r"^ *([a-z0-9-]+) {2,}", models, re.M):
        code, out, err = run("-cpu", model, "-nographic", "--deterministic", "--ns-per-insn", "30",
                             "--idle-exit", "1s", "--timeout", "60s")
        check(f"{model}: status and prompt", (code, out.rstrip().endswith("demo>")), (0, True))


TESTS = [f for name, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == "__main__"
         and name not in ("image", "run", "check", "boot", "start_with_unread_output", "check_end", "check_counts",
                      "need_ptys", "read_until", "Skipped")]

if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[2] == "--list":
        print("\n".join(f.__name__ for f in TESTS))
        sys.exit(0)
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no", FIRMWARE)
        sys.exit(77)
    bad = 0
    for f in TESTS:
        if len(sys.argv) > 2 and f.__name__ != sys.argv[2]:
            continue
        try:
            f()
            print("ok     ", f.__name__)
        except Skipped as e:
            print("skipped", f.__name__, e)
        except (AssertionError, subprocess.TimeoutExpired, OSError, TypeError) as e:
            bad += 1
            print("FAILED ", f.__name__, e)
    sys.exit(1 if bad else 0)

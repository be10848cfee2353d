#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb itself on a boot sector and on 32-bit code: stops, steps, memory, registers, and backwards.

usage: test_gdb.py TURBO86 [TEST]     (without TEST: all)
Exit status 77: gdb or nasm is not installed. `--show` prints gdb's sessions.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SHOW = "--show" in sys.argv
ARGS = [a for a in sys.argv[1:] if a != "--show"]
TURBO86 = os.path.abspath(ARGS[0])
DIR = tempfile.TemporaryDirectory()

REAL = """
org 0x7c00
bits 16
 xor ax, ax
 mov ds, ax
 mov ss, ax
 mov sp, 0x7c00
 mov word [0x600], 0
 mov cx, 1000
again: inc word [0x600]
 loop again
 mov word [0x602], 0x1234
 jmp 0x7c0:next - 0x7c00
next: fninit
 fld1
 mov al, 0x10
 out 0xf4, al
hang: jmp hang
"""

PROTECTED = """
org 0x7c00
bits 16
 cli
 xor ax, ax
 mov ds, ax
 lgdt [gdtr]
 mov eax, cr0
 or al, 1
 mov cr0, eax
 jmp dword 8:main
bits 32
main: mov eax, 16
 mov ds, eax
 mov ss, eax
 mov esp, 0x9000
 mov eax, 0x200 ; OSFXSR
 mov cr4, eax
 mov ecx, 10
 mov dword [0x100000], 0
next: call count
 loop next
 movd xmm0, ecx
 mov al, 0x10
 out 0xf4, al
hang: jmp hang
count: add dword [0x100000], ecx
 ret
align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
 dd gdt
"""

LISTENS = """
org 0x7c00
bits 16
 xor ax, ax
 mov ds, ax
 mov word [0x600], 0
 mov dx, 0x3fb
 mov al, 3 ; eight data bits
 out dx, al
 mov dx, 0x3f8
 mov al, '>'
 out dx, al
next: sti
 hlt
 mov dx, 0x3fd
 in al, dx
 test al, 1
 jz next
 mov dx, 0x3f8
 in al, dx
 mov [0x602], al
 inc word [0x600]
 cmp al, 'q'
 jne next
 mov al, 0x10
 out 0xf4, al
hang: jmp hang
"""


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def boot_sector(source):
    """The image, and the addresses of its labels."""
    asm, raw, lst = (os.path.join(DIR.name, "boot." + e) for e in ("asm", "img", "map"))
    with open(asm, "w") as f:
        f.write(f"[map symbols {lst}]\n" + source + "\n times 510-($-$$) db 0\n dw 0xaa55\n")
    subprocess.run(["nasm", "-f", "bin", "-o", raw, asm], check=True)
    with open(raw, "ab") as f:
        f.truncate(1 << 20)
    labels = {}
    with open(lst) as f:
        for m in re.finditer(r"^ *([0-9A-F]+) +[0-9A-F]+ +(\w+)$", f.read(), re.M):
            labels[m[2]] = int(m[1], 16)
    return raw, labels


class Machine:
    """turbo86, waiting for gdb on a free port."""

    def __init__(self, source, *args, deterministic=True, cpu="pentium4", gdb=True):
        self.image, self.labels = boot_sector(source)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        extra = (["--deterministic"] if deterministic else []) + (["-gdb", f"tcp::{self.port}"] if gdb else [])
        self.process = subprocess.Popen(
            [TURBO86, "-bios", "tinybios.bin", "-m", "16", "-cpu", cpu, "-hda", self.image, "-display", "none",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *extra, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connect(self):
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 10)
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise AssertionError("nobody listens")

    def gdb(self, *commands, arch="auto"):
        self.connect().close()
        args = ["gdb", "-nx", "-batch", "-ex", "set confirm off", "-ex", "set tcp connect-timeout 20", "-ex",
                f"set arch {arch}", "-ex", f"target remote 127.0.0.1:{self.port}"]
        for c in commands:
            args += ["-ex", f"echo (gdb) {c}\\n", "-ex", c]
        out = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
        if SHOW:
            print(out.stdout)
        return out.stdout

    def status(self):
        return self.process.wait(60)


def after(out, command, n=0):
    """What gdb said after the nth of these commands."""
    return out.split(f"(gdb) {command}\n")[n + 1].split("(gdb) ")[0]


def a_boot_sector_is_stopped_stepped_and_run_backwards():
    with Machine(REAL, "-S") as m:
        at = m.labels
        out = m.gdb("hbreak *0x7c00", "continue", "stepi", "info registers eip", "delete", "watch *(short*)0x602",
                    "continue", "p *(short*)0x602", "reverse-stepi", "p *(short*)0x602", "delete",
                    "watch *(short*)0x600", "reverse-continue", "p *(short*)0x600", "reverse-continue",
                    "p *(short*)0x600", "info registers eip", "delete", "hbreak *0x7c00", "reverse-continue",
                    "info registers eip", "delete", "continue")
        check("breakpoint", "0x00007c00 in" in after(out, "continue"), True)
        check("step", "0x7c02" in after(out, "info registers eip"), True)
        check("watch", "New value = 4660" in after(out, "continue", 1), True)
        check("one back", "= 0" in after(out, "p *(short*)0x602", 1), True)
        check("back to the last write", "= 999" in after(out, "p *(short*)0x600"), True)
        check("and the one before", "= 998" in after(out, "p *(short*)0x600", 1), True)
        check("where", f"{at['again']:#x}" in after(out, "info registers eip", 1), True)
        check("back to a breakpoint", "0x7c00" in after(out, "info registers eip", 2), True)
        check("forward again to the end", "exited with code 041" in after(out, "continue", 2), True)
        check("status", m.status(), 33)


def gdb_knows_16_bit_code_by_itself_and_32_bit_code_when_told_or_connected_anew():
    """It does not take `set arch i8086` from its user, if the description of the machine says i386."""
    with Machine(PROTECTED, "-S") as m:
        main = m.labels["main"]
        out = m.gdb("hbreak *0x7c00", "continue", "x/3i $pc", "delete", f"hbreak *{main:#x}", "continue", "set arch i386",
                    "x/2i $pc", "set arch auto", "disconnect", f"target remote 127.0.0.1:{m.port}", "x/2i $pc", "show arch",
                    "kill")
        check("16 bits", re.findall(r"\t(.*)", after(out, "x/3i $pc")), ["cli", "xor    %ax,%ax", "mov    %ax,%ds"])
        wanted = ["mov    $0x10,%eax", "mov    %eax,%ds"]
        check("32 bits", re.findall(r"\t(.*)", after(out, "x/2i $pc")), wanted)
        check("again", re.findall(r"\t(.*)", after(out, "x/2i $pc", 1)), wanted)
        check("by itself", '"auto" (currently "i386")' in after(out, "show arch"), True)


def code_behind_a_segment_base_is_found():
    with Machine(REAL, "-S") as m:
        out = m.gdb(f"hbreak *{m.labels['next']:#x}", "continue", "p $cs", "p/x $cs_base", "stepi", "stepi", "p $st0")
        check("stop", f"{m.labels['next']:#010x} in" in after(out, "continue"), True)
        check("cs", ("= 1984" in after(out, "p $cs"), "= 0x7c00" in after(out, "p/x $cs_base")), (True, True))
        check("st0", "= 1" in after(out, "p $st0"), True)


def protected_mode_code_is_debugged():
    with Machine(PROTECTED, "-S") as m:
        at = m.labels
        out = m.gdb(f"hbreak *{at['main']:#x}", "continue", "p/x $cr0 & 1", f"hbreak *{at['count']:#x}", "continue",
                    "p $ecx", "x/i $pc", "stepi", "p *(int*)0x100000", "set *(int*)0x100000 = 500", "set $ecx = 1",
                    "delete", f"hbreak *{at['hang'] - 4:#x}", "continue", "p *(int*)0x100000", "p $ecx",
                    "watch *(int*)0x100000", "reverse-continue", "p *(int*)0x100000", "x/i $pc", arch="i386")
        check("mode", "= 0x1" in after(out, "p/x $cr0 & 1"), True)
        check("ecx", "= 10" in after(out, "p $ecx"), True)
        check("text", "0x100000" in after(out, "x/i $pc"), True)
        check("memory", "= 10" in after(out, "p *(int*)0x100000"), True)
        check("written", "= 500" in after(out, "p *(int*)0x100000", 1), True)
        check("register written", "= 0" in after(out, "p $ecx", 1), True)


def the_values_before_each_write_come_back():
    with Machine(PROTECTED, "-S") as m:
        end = m.labels["hang"] - 4
        out = m.gdb(f"hbreak *{end:#x}", "continue", "p *(int*)0x100000", "delete", "watch *(int*)0x100000",
                    *["reverse-continue", "p *(int*)0x100000"] * 3, "x/i $pc", "continue", "p *(int*)0x100000")
        check("values", [re.search(r"= (\d+)", after(out, "p *(int*)0x100000", n))[1] for n in range(5)],
              ["55", "54", "52", "49", "52"])
        check("before the instruction", "add" in after(out, "x/i $pc"), True)


def a_session_that_was_recorded_is_debugged_backwards():
    """What somebody typed comes again at the same instructions, and who wants to know where it went asks gdb."""
    tape = os.path.join(DIR.name, "session")
    with Machine(LISTENS, "-snapshot", "-serial", "stdio", "--record", tape, deterministic=False, gdb=False) as m:
        check("prompt", m.process.stdout.read(1), ">")
        for byte in "abcq":
            m.process.stdin.write(byte)
            m.process.stdin.flush()
            time.sleep(0.2)
        check("recorded", m.status(), 33)
    with Machine(LISTENS, "-snapshot", "-S", "--replay", tape, deterministic=False) as m:
        out = m.gdb(f"hbreak *{m.labels['next']:#x}", "continue", "delete", "watch *(char*)0x602",
                    *["continue", "p *(char*)0x602"] * 3, *["reverse-continue", "p *(char*)0x602"] * 2,
                    "monitor info time", "continue", "p *(char*)0x602", "reverse-continue", "monitor info time", "delete",
                    "continue")
        check("forwards", [after(out, "p *(char*)0x602", n).split()[-1] for n in range(3)], ["'a'", "'b'", "'c'"])
        check("backwards", [after(out, "p *(char*)0x602", n).split()[-1] for n in (3, 4, 5)], ["'b'", "'a'", "'b'"])
        check("the time", "instructions, " in after(out, "monitor info time"), True)
        check("the same instant", after(out, "monitor info time"), after(out, "monitor info time", 1))
        check("status", ("exited with code 041" in out, m.status()), (True, 33))


def what_was_written_stays_when_time_goes_back_and_on():
    for command in ("set $ebx = 0x55", "set {short}0x600 = 100"):
        with Machine(REAL, "-S") as m:
            steps = ["p/x $ebx", "p {short}0x600", "monitor info time"]
            out = m.gdb(f"hbreak *{m.labels['again']:#x}", "continue", "continue", "delete", command, *steps, "reverse-stepi",
                        "stepi", "stepi", "reverse-stepi", "reverse-stepi", *steps, "kill")
            check(command + ": where it began", "No more reverse-execution history" in after(out, "reverse-stepi"), True)
            for step in steps[:1] if "ebx" in command else steps[1:2]:
                check(command, after(out, step).split()[-1], "0x55" if "ebx" in command else "100")
            # it stopped at the change; two forward, two back: the same instant
            check(command + ": again", *([after(out, s, n).split(" = ")[-1] for s in steps] for n in (1, 0)))


def a_recording_that_is_replayed_is_not_changed():
    tape = os.path.join(DIR.name, "unchanged")
    with Machine(REAL, "-snapshot", "--record", tape, deterministic=False, gdb=False) as m:
        check("recorded", m.status(), 33)
    with Machine(REAL, "-snapshot", "-S", "--replay", tape, deterministic=False) as m:
        out = m.gdb("hbreak *0x7c00", "continue", "delete", "monitor info time", "set $ebx = 0x55", "set {short}0x600 = 100",
                    "monitor system_reset", "monitor info time", "continue")
        check("register", "remote failure" in after(out, "set $ebx = 0x55"), True)
        check("memory", "Cannot access memory" in after(out, "set {short}0x600 = 100"), True)
        check("reset", "not while a recording is replayed" in after(out, "monitor system_reset"), True)
        check("the same", after(out, "monitor info time", 1), after(out, "monitor info time"))
        check("to its end", ("exited with code 041" in out, m.status()), (True, 33))


def steps_do_not_wait():
    """Nagle's algorithm and delayed acknowledgements cost 40 ms, looking for who holds the machine 50."""
    with Machine(REAL, "-S") as m:
        s = m.connect()
        begin = time.monotonic()
        for _ in range(300):
            s.sendall(b"+" + packet("s"))
            check("stopped", receive(s)[:3], "T05")
        took = time.monotonic() - begin
        print(f"({took:.2f} s)", end=" ")
        check("300 times less than 40 ms", took < 6, True)


def packets_can_do_without_acknowledgements():
    with Machine(REAL, "-S") as m:
        s = m.connect()
        s.sendall(packet("QStartNoAckMode"))
        check("on", exchange(s, 7), b"+$OK#9a")
        s.sendall(b"+" + packet("qC"))
        check("none", exchange(s, 7), b"$QC1#c5")
        s.sendall(b"$qC#00" + packet("Qnothing"))
        check("wrong and unknown", exchange(s, 4), b"$#00")
        s.close()
        s = m.connect()
        s.sendall(packet("qC"))
        check("the next client", exchange(s, 8), b"+$QC1#c5")


def exchange(s, n):
    data = b""
    s.settimeout(20)
    while len(data) < n:
        data += s.recv(n - len(data)) or b"(end)"
    return data


def ctrl_c_stops_a_running_guest():
    with Machine(REAL.replace("out 0xf4, al", "nop"), deterministic=False) as m:
        s = m.connect()
        s.sendall(packet("?"))
        check("stopped", receive(s)[:3], "T05")
        s.sendall(packet("c"))
        time.sleep(0.5)
        s.sendall(b"\x03")
        check("stopped", receive(s)[:3], "T02")
        s.sendall(packet("k"))
        check("status", m.status(), 0)


def packet(text):
    return f"${text}#{sum(text.encode()) % 256:02x}".encode()


def receive(s):
    data = b""
    s.settimeout(20)
    while not re.search(rb"\$[^#]*#..", data):
        more = s.recv(4096)
        if not more:
            raise AssertionError("the connection ended")
        data += more
    return re.search(rb"\$([^#]*)#", data)[1].decode()


def nonsense_is_answered_or_ignored():
    with Machine(REAL, "-S") as m:
        s = m.connect()
        for text in ("m", "m0", "mxyz,1", "mffffffff,ffffffff", "M0,5:00", "M0,ffffffff:", "p", "pffff", "P0", "P99=0",
                     "G", "Gzz", "Z", "Z0", "Z9,0,1", "Z2,0,ffffffff", "z0", "vCont", "qXfer:features:read:target.xml:",
                     "qXfer:features:read:target.xml:ffffffff,1", "qRcmd,", "qRcmd,zz", "bs", "bc", "!", "x" * 9000):
            s.sendall(packet(text))
            receive(s)
        s.sendall(b"$#zz$nothing" + b"\0" * 100 + b"#00" + b"$" * 40000)
        s.close()
        s = m.connect()
        s.sendall(packet("g"))
        check("registers", len(receive(s)) > 500, True)


def mistakes_on_the_command_line_are_told():
    image, _ = boot_sector(REAL)
    for args, why in ((["-gdb", "stdio"], "is not tcp:HOST:PORT"), (["-S"], "-S"),
                      (["-s", "-jit", "check", "-snapshot"], "do not go together")):
        p = subprocess.run([TURBO86, "-bios", "tinybios.bin", "-hda", image, "-display", "none", *args],
                           capture_output=True, text=True, timeout=60)
        check(args, (p.returncode, why in p.stderr), (2, True))


TESTS = [
    a_boot_sector_is_stopped_stepped_and_run_backwards,
    gdb_knows_16_bit_code_by_itself_and_32_bit_code_when_told_or_connected_anew,
    code_behind_a_segment_base_is_found,
    protected_mode_code_is_debugged,
    the_values_before_each_write_come_back,
    a_session_that_was_recorded_is_debugged_backwards,
    what_was_written_stays_when_time_goes_back_and_on,
    a_recording_that_is_replayed_is_not_changed,
    steps_do_not_wait,
    packets_can_do_without_acknowledgements,
    ctrl_c_stops_a_running_guest,
    nonsense_is_answered_or_ignored,
    mistakes_on_the_command_line_are_told,
]

if __name__ == "__main__":
    for tool in ("gdb", "nasm"):
        if not shutil.which(tool):
            print(f"skipped: there is no {tool}")
            sys.exit(77)
    failed = 0
    for test in TESTS:
        if len(ARGS) > 1 and ARGS[1] != test.__name__:
            continue
        try:
            test()
            print("ok", test.__name__, flush=True)
        except (AssertionError, OSError, IndexError, TypeError, subprocess.SubprocessError) as e:
            print("FAILED", test.__name__, type(e).__name__, e, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)

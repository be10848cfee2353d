#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Booting from floppies and CD-ROMs made here, in every order; typing; changing media.

usage: test_media.py TURBO86 [TEST]     (without TEST: all)
The guests are boot sectors that speak through port E9h, started by SeaBIOS.
Exit status 77: the firmware or nasm is not installed.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import suite

TURBO86 = sys.argv[1]
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
DIR = tempfile.TemporaryDirectory()
LEAVE = "\nmov al, 0x10\n out 0xf4, al\n hlt\n"
SETUP = "xor ax, ax\n mov ds, ax\n mov es, ax\n mov ss, ax\n mov sp, 0x7c00\n"


def path(name):
    return os.path.join(DIR.name, name)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)
    return path(name)


def assemble(source):
    """A boot sector."""
    write("source.asm", ("org 0x7c00\n bits 16\n" + source +
                         "\n times 510 - ($ - $$) db 0\n dw 0xaa55\n").encode())
    subprocess.run(["nasm", "-f", "bin", "-o", path("source.bin"), path("source.asm")], check=True)
    with open(path("source.bin"), "rb") as f:
        return f.read()


def say(text):
    return "".join(f"mov al, {ord(c)}\n out 0xe9, al\n" for c in text)


def floppy(name, code, size=1474560):
    return write(name, code.ljust(size, b"\xe5"))


def disk(name, code):
    return write(name, code.ljust(1 << 20, b"\0"))


def iso(name, code, extra=b""):
    return write(name, suite.bootable_cd(code, extra))


def run(*args, stdin=b"", wanted=33, deterministic=True):
    """-> what the guest said, and what turbo86 did"""
    said = path("said.txt")
    args = list(args) + (["--deterministic"] if deterministic else [])
    p = subprocess.run([TURBO86, *args, "-debugcon", f"file:{said}", "--timeout", "60s", "-device",
                        "isa-debug-exit,iobase=0xf4"], input=stdin, capture_output=True, timeout=200,
                       check=False)
    out = p.stdout.decode(errors="replace")
    if p.returncode != wanted:
        raise AssertionError(f"status {p.returncode}, {out} {p.stderr.decode(errors='replace')}")
    with open(said, encoding="latin-1") as f:
        # SeaBIOS may say its own things there first
        return f.read().rpartition("\n")[2], out


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


HEADLESS = ["-display", "none"]


def the_boot_order_is_followed():
    media = ["-fda", floppy("a.img", assemble(say("a") + LEAVE)), "-hda",
             disk("c.img", assemble(say("c") + LEAVE)), "-cdrom",
             iso("d.iso", assemble(say("d") + LEAVE))]
    for order, wanted in (("a", "a"), ("c", "c"), ("d", "d"), ("dca", "d"), ("order=ad", "a")):
        check(order, run(*HEADLESS, *media, "-boot", order)[0], wanted)
    check("no -boot", run(*HEADLESS, *media)[0], "c")
    check("no disk", run(*HEADLESS, *media[:2], *media[4:])[0], "a")
    check("small BIOS", run(*HEADLESS, *media[:4], "-bios", "tinybios.bin", "-boot", "ac")[0], "a")
    check("CD only", run(*HEADLESS, *media[4:])[0], "d")


def once_is_for_the_first_boot():
    reset = "mov dx, 0xcf9\n mov al, 6\n out dx, al\n hlt\n"
    media = ["-hda", disk("c.img", assemble(say("c") + LEAVE)), "-cdrom",
             iso("d.iso", assemble(say("d") + reset))]
    check("said", run(*HEADLESS, *media, "-boot", "order=c,once=d")[0], "dc")


def a_cd_is_read_through_int_13h():
    code = SETUP + """
        mov si, packet
        mov ah, 0x42                    ; DL is the CD's number
        int 0x13
        jc bad
        mov si, 0x8000
        mov cx, 5
    next: lodsb
        out 0xe9, al
        loop next
    bad:""" + LEAVE + """
    packet: db 16, 0
        dw 1, 0x8000, 0
        dq 21"""
    check("said", run(*HEADLESS, "-cdrom", iso("d.iso", assemble(code), b"21st!"))[0], "21st!")


WRITER = SETUP + """
        mov [drive], dl
        mov ax, 0x0201
        call io                         ; what was there: its first byte
        mov al, [0x8000]
        out 0xe9, al
        mov byte [0x8000], 'w'
        mov ax, 0x0301
        call io
        jnc good
        mov al, '!'
        out 0xe9, al
    good:""" + LEAVE + """
    io: mov bx, 0x8000
        mov cx, 0x2705                  ; cylinder 39, sector 5
        mov dh, HEAD
        mov dl, [drive]
        int 0x13
        ret
    drive: db 0"""


def what_is_written_to_a_floppy_stays_there():
    sizes = {163840: "160K", 184320: "180K", 327680: "320K", 368640: "360K", 737280: "720K", 1228800: "1.2M", 1474560: "1.44M", 2949120: "2.88M"}
    for size, name in sizes.items():
        head = 0 if name in ("160K", "180K") else 1
        image = floppy("w.img", assemble(f"HEAD equ {head}\n" + WRITER), size)
        before = open(image, "rb").read()
        check(name, run(*HEADLESS, "-fda", image, "-snapshot")[0], "\xe5")
        check(name + " with -snapshot", open(image, "rb").read() == before, True)
        check(name, run(*HEADLESS, "-fda", image)[0], "\xe5")
        check(name + " again", run(*HEADLESS, "-fda", image)[0], "w")
        drive = ["-drive", f"file={image},if=floppy,readonly=on"]
        check(name + " protected", run(*HEADLESS, *drive)[0], "w!")


def each_drive_is_where_its_option_says():
    """-fdb, -hdb, -hdd: the guest boots from -fda and reads the first letters of the others."""
    code = SETUP + """
        mov dx, 1                       ; floppy B
        call first
        mov dx, 0x80                    ; the disks, in the order of their cables
    more: call first
        inc dx
        cmp dx, 0x83
        jbe more""" + LEAVE + """
    first: push dx
        mov byte [0x8000], '-'
        mov ax, 0x0201
        mov bx, 0x8000
        mov cx, 1
        int 0x13
        jnc read
        mov ax, 0x0201                  ; a floppy that was changed: once more
        int 0x13
    read: mov al, [0x8000]
        out 0xe9, al
        pop dx
        ret"""
    boot = ["-fda", floppy("a.img", assemble(code)), "-boot", "a"]
    b = ["-fdb", write("b.img", b"B".ljust(737280, b"\0"))]
    hd = {c: [f"-hd{c}", write(f"hd{c}.img", c.encode().ljust(1 << 20, b"\0"))] for c in "abcd"}
    check("B", run(*HEADLESS, *boot, *b)[0], "B----")
    check("b", run(*HEADLESS, *boot, *hd["b"])[0], "-b---")
    check("d", run(*HEADLESS, *boot, *b, *hd["d"])[0], "Bd---")
    check("all", run(*HEADLESS, *boot, *b, *hd["d"], *hd["c"], *hd["b"], *hd["a"])[0], "Babcd")


def the_boot_menu_asks():
    media = ["-fda", floppy("a.img", assemble(say("a") + LEAVE)), "-hda",
             disk("c.img", assemble(say("c") + LEAVE))]
    asks = ["-boot", "order=c,menu=on", "--type", "1s:<esc>", "--type", "2s:2"]
    check("no menu", run(*HEADLESS, *media, *asks[2:])[0], "c")
    said, out = run(*HEADLESS, *media, *asks, "--print-screen")
    check("menu", (said, "Select boot device" in out), ("a", True))


ECHO = SETUP + """
    again: xor ax, ax
        int 0x16
        cmp al, 13
        je done
        out 0xe9, al
        jmp again
    done:""" + LEAVE


def typed_text_arrives_and_repeats():
    args = [*HEADLESS, "-fda", floppy("e.img", assemble(ECHO)), "--state-hash", "--type",
            r"3s:Hello, World<500ms>! <<\n"]
    first = run(*args)
    check("said", first[0], "Hello, World! <")
    check("the same again", run(*args), first)
    for text in ("3s", "x:a", "3s:<nokey>", "3s:<", "-1s:a"):
        run(*HEADLESS, "--type", text, wanted=2)


def the_monitor_changes_media():
    code = SETUP + """
    again: mov ax, 0x0201
        mov bx, 0x8000
        mov cx, 0x0002
        xor dx, dx
        int 0x13
        jnc read
        mov ah, 0                       ; a change is an error first, and then a reset helps
        int 0x13
        jmp again
    read: mov al, [0x8000]
        cmp al, [last]
        je again
        mov [last], al
        out 0xe9, al
        cmp al, 'B'
        jne again""" + LEAVE + "last: db 0"
    code = assemble(code)
    one = write("one.img", (code + b"A").ljust(1474560, b"\0"))
    two = write("two.img", (code + b"B").ljust(1474560, b"\0"))
    three = write("three.img", (code + b"C").ljust(368640, b"\0"))
    keys = (b"\1c" + f"change floppy0 {three}\nchange floppy0 {path('none')}\neject cdrom\n"
            f"eject floppy1\ninfo block\ninfo\nchange floppy1 {one}\n change  floppy0   {one} \nchange cdrom {one}\n"
            f" info   registers \nhelp eject\neject\nsendkey a><f1\nmouse_button 8\nmouse_move 99999999999 1\n"
            f"change floppy0 {two}\n".encode() + b"\1c")
    said, out = run("-nographic", "-fda", one, stdin=keys, deterministic=False)
    check("said", said[-1:], "B")
    check("help and the command alone", out.count("eject DRIVE "), 2)
    check("again", "another emulator" in out or "no such command" in out, False)
    for text in ("does not fit", "cannot be opened", "no drive 'floppy1'", f"floppy0  {one}, 1440 KiB\r\n", "cdrom    nothing\r\n",
                 "info registers ", f'"{one}" is in floppy0.', "EIP", "eject DRIVE ", "for example sendkey", "mouse_button STATE: ",
                 "mouse_move DX DY [DZ]: "):
        check(text, text in out, True)


def a_disk_that_cannot_come_back_is_told():
    """The monitor puts in again what is in the drive, but the file has become too short meanwhile."""
    disk = floppy("cut.img", b"")
    with subprocess.Popen([TURBO86, "-display", "none", "-monitor", "stdio", "-fda", disk, "--wall-timeout", "60s"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        p.stdin.write(b"info block\n")
        p.stdin.flush()
        while b"cut.img" not in p.stdout.readline():
            check("it runs", p.poll(), None)
        os.truncate(disk, 1000)
        out = p.communicate(f"change floppy0 {disk}\ninfo block\nquit\n".encode())[0].decode()
    for text in ("; the drive is empty now.", "floppy0  nothing"):
        check(text, text in out, True)


def an_iso_image_is_no_hard_disk_by_mistake():
    """By its name alone it is in the CD-ROM drive; as a disk it is read-only unless that is said."""
    code = assemble(SETUP + "mov byte [0x7d00], 'W'\n mov ax, 0x0301\n mov cx, 1\n mov dx, 0x80\n mov bx, 0x7c00\n"
                    "int 0x13\n" + say("d") + LEAVE)
    image = iso("new.iso", code)

    def dump(*args):
        p = subprocess.run([TURBO86, *args, "--dump-config"], capture_output=True, text=True, check=True)
        return p.stdout, p.stderr

    out, err = dump(image)
    check("told", err, f"turbo86: '{image}' is an ISO image: it is in the CD-ROM drive\n")
    check("cdrom", (f"\ncdrom = {image}\n" in out, "\nhda = " in out), (True, False))
    check("one there", f"\nhda = {image}\n" in dump(image, "-cdrom", disk("c.img", b""))[0], True)
    check("it boots", run(*HEADLESS, image)[0], "d")
    with open(image, "r+b") as f:  # it boots as a disk, too, and writes its first sector
        f.write(code)
    with open(image, "rb") as f:
        hybrid = f.read()
    for args, written, told in ((("-hda", image), False, True), (("-drive", f"file={image}"), False, True),
                                (("-hda", image, "-snapshot"), False, False),
                                (("-drive", f"file={image},readonly=off"), True, False)):
        p = subprocess.run([TURBO86, *HEADLESS, *args, "--deterministic", "--timeout", "60s", "-device",
                            "isa-debug-exit,iobase=0xf4"], capture_output=True, timeout=200, text=True, check=False)
        check(f"{args}: status and message", (p.returncode, "as a hard disk it is read-only" in p.stderr), (33, told))
        with open(image, "rb") as f:
            check(f"{args}: written", f.read() != hybrid, written)


def mistakes_are_told():
    big = write("big.img", bytes(2949120 + 512))
    run("-fda", big, wanted=2)
    run("-cdrom", path("none.iso"), wanted=2)
    run("-hdc", big, "-cdrom", big, wanted=2)


TESTS = [the_boot_order_is_followed, once_is_for_the_first_boot, a_cd_is_read_through_int_13h,
         what_is_written_to_a_floppy_stays_there, each_drive_is_where_its_option_says,
         the_boot_menu_asks, typed_text_arrives_and_repeats,
         the_monitor_changes_media, a_disk_that_cannot_come_back_is_told, an_iso_image_is_no_hard_disk_by_mistake,
         mistakes_are_told]


def main():
    if not os.path.exists(FIRMWARE) or not shutil.which("nasm"):
        print("skipped: there is no SeaBIOS, or no nasm")
        return 77
    failed = 0
    for test in TESTS:
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        try:
            test()
            print(f"ok    {test.__name__}", flush=True)
        except (AssertionError, subprocess.SubprocessError) as e:
            failed += 1
            print(f"FAIL  {test.__name__}: {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

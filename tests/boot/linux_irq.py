#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Linux with every way to its interrupts: with and without noapic, nolapic and acpi=off.

    linux_irq.py --root DIR [--turbo86 CMD] [--runs N] [--make-cd IMAGE] [--cd IMAGE] NAME=VMLINUZ...

DIR holds the unpacked package of one of the kernels and busybox-static. Each kernel boots with each set of
options, reads a disk (with modules of DIR, if they are its own), and shows /proc/interrupts before and
after: timer, disk and serial line must have come through the controller that the options leave, in
numbers that fit what was done, and nothing may be spurious or lost. Each boot runs N times (default 3)
with --deterministic and must end in the same state. --make-cd: with grub-mkrescue,
write a CD of the first kernel (whose modules DIR must have), and boot it through GRUB: Linux must use DMA
for the drive and read the right bytes. --cd: this CD, which must boot Linux by itself and say @DONE on
the serial line, too.
"""
import argparse
import hashlib
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from linux_disk import make_initrd

OPTIONS = {  # what is on the command line: the controller of the timer, of the others, is there a local APIC?
    "": ("IO-APIC", "IO-APIC", True),
    "noapic": ("XT-PIC", "XT-PIC", True),
    "nolapic": ("XT-PIC", "XT-PIC", False),
    "noapic nolapic": ("XT-PIC", "XT-PIC", False),
    "acpi=off": ("IO-APIC", "IO-APIC", True),
    "acpi=off noapic": ("XT-PIC", "XT-PIC", True),
    "acpi=off nolapic": ("XT-PIC", "XT-PIC", False),
}
DISK_MIB = 8
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
echo "@KERNEL $(uname -r)"
drive=sda; [ -n "$cdsum" ] && drive=sr0
if [ "$(cat /modules/release)" = $(uname -r) ]; then
    for m in $(cat /modules/order); do insmod /modules/$m || echo "@FAIL insmod $m"; done
    n=0; while [ ! -b /dev/$drive ] && [ $n -lt 50 ]; do sleep 0.2; n=$((n+1)); done
fi
sed 's/^/@BEFORE /' /proc/interrupts
[ -b /dev/sda ] && dd if=/dev/sda of=/dev/null bs=65536 2>/dev/null && echo "@READ"
if [ -n "$cdsum" ]; then
    mount -t iso9660 -o ro /dev/sr0 /mnt || echo "@FAIL mount"
    set -- $(md5sum </mnt/boot/vmlinuz)
    [ "$1" = "$cdsum" ] && echo "@CD $1" || echo "@FAIL the sum on the CD is $1"
    for d in /sys/class/ata_device/*; do
        [ "$(cat $d/class)" = atapi ] && echo "@ATAPI $(cat $d/xfer_mode)"
    done
fi
sleep 2
sed 's/^/@AFTER /' /proc/interrupts
dmesg | grep -i -e spurious -e 'nobody cared' -e 'irq.*lost' -e 'not working' -e 'MP-BIOS bug' | sed 's/^/@FAIL /'
echo @DONE
poweroff -f
"""
ENDS = (0, 8)  # powered off, or halted where there is no ACPI to do it


def fail(why, output=""):
    print(output[-6000:])
    sys.exit("FAILED: " + why)


def table(out, when):
    """-> {name: (count, rest of the line)} of an @BEFORE or @AFTER"""
    rows = {}
    for name, count, rest in re.findall(rf"^@{when} +(\w+): +(\d+)(.*)$", out, re.M):
        rows[name] = (int(count), rest.strip())
    return rows


def count_of(rows, device):
    """Of the row whose device that is: (count, controller)."""
    for count, rest in rows.values():
        if re.search(rf"\b{device}\b", rest):
            return count, rest.split()[0]
    return 0, "none"


def check(out, options):
    """-> what is wrong, or None; the counts as text"""
    timer_by, others_by, lapic = OPTIONS[options]
    before, after = table(out, "BEFORE"), table(out, "AFTER")
    timer, timer_at = count_of(after, "timer")
    serial, serial_at = count_of(after, "ttyS0")
    local = after.get("LOC", (0, ""))[0]
    text = f"timer {timer} {timer_at}, ttyS0 {serial} {serial_at}, LOC {local}"
    if timer_at != timer_by or timer == 0:
        return f"the timer came {timer} times by {timer_at}", text
    if serial_at != others_by or serial == 0:
        return f"the serial port came {serial} times by {serial_at}", text
    ticks = local - before.get("LOC", (0, ""))[0] if lapic else timer - count_of(before, "timer")[0]
    text += f"; ticks in 2 s {ticks}"
    if bool(local) != lapic or not 10 <= ticks <= 2000:  # at most HZ = 250 a second and one-shots
        return f"{local} ticks of a local APIC, {ticks} in 2 s", text
    if "@READ" in out:
        disk, disk_at = count_of(after, "ata_piix")
        disk -= count_of(before, "ata_piix")[0]
        text += f"; disk {disk} {disk_at}"
        # read-ahead asks for 128 KiB to 1.25 MiB at a time
        if disk_at != others_by or not DISK_MIB // 2 <= disk <= DISK_MIB * 16:
            return f"the disk came {disk} times by {disk_at}", text
    for name in ("ERR", "MIS", "SPU"):
        if after.get(name, (0, ""))[0]:
            return f"{name} is {after[name][0]}", text
    return None, text


def make_cd(image, kernel, initrd, tmp):
    """An image that boots through GRUB, whose Linux knows the sum of the kernel that is on it."""
    boot = tmp / "cd/boot"
    (boot / "grub").mkdir(parents=True)
    shutil.copy(kernel, boot / "vmlinuz")
    shutil.copy(initrd, boot / "initrd.gz")
    total = hashlib.md5(pathlib.Path(kernel).read_bytes()).hexdigest()
    (boot / "grub/grub.cfg").write_text(
        "set timeout=0\nmenuentry linux {\n"
        f"linux /boot/vmlinuz console=ttyS0 quiet cdsum={total}\ninitrd /boot/initrd.gz\n}}\n")
    subprocess.run(["grub-mkrescue", "-o", image, tmp / "cd"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def check_cd(out):
    """-> what is wrong with how Linux used the CD drive, or None; how"""
    how = re.search(r"^@ATAPI (.*)$", out, re.M)
    if "@CD" not in out:
        return "the CD was not read", ""
    if not how or "DMA" not in how[1]:
        return f"no DMA for the CD drive: {how and how[1]}", ""
    return None, how[1]


def boots(a, label, arguments, options):
    seen, text = set(), ""
    for _ in range(a.runs):
        p = subprocess.run(shlex.split(a.turbo86) + ["-m", "256", "-display", "none", "-serial", "stdio",
                           "-no-reboot", "--deterministic", "--state-hash", "--timeout", "120s", *arguments],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=a.limit, check=False)
        out = (p.stdout + p.stderr).decode(errors="replace").replace("\r", "")
        m = re.search(r"^state-hash (\w+)", out, re.M)
        if p.returncode not in ENDS or "@DONE" not in out or "@FAIL" in out or not m:
            fail(f"{label}: exit status {p.returncode}", out)
        if options is not None:
            wrong, text = check_cd(out) if options == "cd" else check(out, options)
            if wrong:
                fail(f"{label}: {wrong}", out)
        seen.add(m[1])
    print(f"{label}: {text or 'boots'}; {a.runs} runs, state {', '.join(sorted(seen))}", flush=True)
    if len(seen) != 1:
        fail(f"{label}: the hashes differ")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--root", required=True, type=pathlib.Path)
    p.add_argument("--turbo86", default="build/turbo86")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--limit", type=float, default=900)
    p.add_argument("--make-cd")
    p.add_argument("--cd")
    p.add_argument("kernels", nargs="*")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        initrd, disk = tmp / "initrd.gz", tmp / "disk.img"
        release = next(iter((a.root / "lib/modules").iterdir())).name
        make_initrd(a.root, initrd, INIT, ("ata_piix", "sd_mod", "sr_mod", "isofs"), [("modules/release", release)])
        with open(disk, "wb") as f:
            f.truncate(DISK_MIB << 20)
        if a.make_cd:
            make_cd(a.make_cd, a.kernels[0].split("=", 1)[1], initrd, tmp)
            boots(a, "CD by GRUB", ["-cdrom", a.make_cd, "-boot", "d"], "cd")
        if a.cd:
            boots(a, "CD", ["-cdrom", a.cd, "-boot", "d"], None)
        for item in a.kernels:
            name, kernel = item.split("=", 1)
            for options in OPTIONS:
                boots(a, f"{name} {options}".strip(), ["-kernel", kernel, "-initrd", str(initrd), "-append",
                      f"console=ttyS0 quiet {options}", "-hda", str(disk), "-snapshot"], options)


if __name__ == "__main__":
    main()

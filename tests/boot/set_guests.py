#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the guests of tests/boot/set out of what Debian's packages have installed.

usage: set_guests.py FOLDER
Prints GUEST=FILE for each one, as regress.py takes them; what is not installed is told and left out. Packages:
debian-installer-12-netboot-i386, memtest86+, ipxe, isolinux, syslinux, syslinux-common, grub-pc-bin, grub-common, xorriso,
mtools.
"""
import os
import shutil
import struct
import subprocess
import sys

ENV = os.environ | {"SOURCE_DATE_EPOCH": "1577836800", "MTOOLS_SKIP_CHECK": "1"}
INSTALLER = "/usr/lib/debian-installer/images/12/i386"
GRUB = """set timeout=-1
set menu_color_normal=white/blue
menuentry "First entry" { echo "The first was chosen."; sleep 100 }
menuentry "Second entry" { echo "The second was chosen."; sleep 100 }
menuentry "Power off" { halt }
"""
ISOLINUX = """ui menu.c32
menu title A menu of ISOLINUX
label one
  menu label The first entry
  kernel /linux
  append initrd=/initrd.gz console=ttyS0 quiet rdinit=/bin/sh
label two
  menu label The second entry
  kernel /memtest
label three
  menu label Power off
  com32 poweroff.c32
"""

SYSLINUX = """ui menu.c32
menu title A menu of SYSLINUX
label one
  menu label The first entry
  localboot -1
label two
  menu label Memtest86+
  kernel memtest
"""
MODULES = "/usr/lib/syslinux/modules/bios"
GRUB_PC = "/usr/lib/grub/i386-pc"
SECTOR, PART_START, DISK_SECTORS = 512, 2048, 32 * 16 * 63
CHS_LARGE = b"\xfe\xff\xff"


def installed(files):
    missing = [f for f in files if not os.path.exists(f)]
    if missing:
        print("not installed:", missing[0], file=sys.stderr)
    return not missing


def call(*command):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENV)
    if p.returncode:
        sys.exit(f"{command[0]}: {p.stderr}")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def grub(folder):
    if not shutil.which("grub-mkrescue") or not shutil.which("xorriso"):
        print("not installed: grub-mkrescue, xorriso", file=sys.stderr)
        return {}
    write(f"{folder}/grub/boot/grub/grub.cfg", GRUB)
    call("grub-mkrescue", "-d", GRUB_PC, "-o", f"{folder}/grub.iso", f"{folder}/grub",
         "--set_all_file_dates", "2020010100000000", "--modification-date=2020010100000000")
    return {"grub": f"{folder}/grub.iso"}


def fat(image, files, *geometry):
    """A FAT file system in @image with these files in it; equal for equal files."""
    call("mformat", "-i", image, *geometry, "-N", "20200101", "::")
    for folder in sorted({os.path.dirname(name) for name in files} - {""}):
        call("mmd", "-i", image, "::" + folder)
    for name, file in files.items():
        call("mcopy", "-i", image, file, "::" + name)


def grub_disk(folder):
    """GRUB in the gap before a partition, as grub-install puts it there, and its menu in a FAT file system."""
    if not shutil.which("grub-mkimage") or not installed([f"{GRUB_PC}/boot.img", "/usr/bin/mformat"]):
        return {}
    image = f"{folder}/grubdisk.img"
    write(f"{folder}/grub.cfg", GRUB)
    call("grub-mkimage", "-d", GRUB_PC, "-O", "i386-pc", "-p", "(hd0,msdos1)/grub", "-o", f"{folder}/core.img", "biosdisk",
         "part_msdos", "fat", "normal", "echo", "sleep", "halt", "minicmd")
    with open(f"{GRUB_PC}/boot.img", "rb") as boot, open(f"{folder}/core.img", "rb") as core, open(image, "wb") as f:
        partition = struct.pack("<B3sB3sII", 0x80, CHS_LARGE, 6, CHS_LARGE, PART_START, DISK_SECTORS - PART_START)
        f.write(boot.read(440).ljust(446, b"\0") + partition.ljust(64, b"\0") + b"\x55\xaa" + core.read())
        assert f.tell() < PART_START * SECTOR
        f.truncate(DISK_SECTORS * SECTOR)
    fat(f"{image}@@{PART_START * SECTOR}", {"grub/grub.cfg": f"{folder}/grub.cfg"}, "-T", str(DISK_SECTORS - PART_START),
        "-h", "16", "-s", "63")
    return {"grubdisk": image}


def syslinux(folder, memtest):
    files = [f"{MODULES}/{m}.c32" for m in ("menu", "libutil")] + [memtest]
    if not shutil.which("syslinux") or not installed(files + ["/usr/bin/mformat"]):
        return {}
    image = f"{folder}/syslinux.img"
    write(f"{folder}/syslinux.cfg", SYSLINUX)
    with open(image, "wb") as f:
        f.truncate(1474560)
    names = {os.path.basename(f): f for f in files[:-1]} | {"memtest": memtest, "syslinux.cfg": f"{folder}/syslinux.cfg"}
    fat(image, names, "-f", "1440")
    call("syslinux", "--install", image)
    return {"syslinux": image}


def isolinux(folder, memtest, linux, initrd):
    """The menu, and behind its first entry Linux, if that is there: else nobody boots it."""
    files = ["/usr/lib/ISOLINUX/isolinux.bin"] + [f"{MODULES}/{m}.c32" for m in ("ldlinux", "menu", "libutil", "libcom32",
                                                                                 "poweroff")]
    if not installed(files + [linux or memtest]):
        return {}
    write(f"{folder}/isolinux/isolinux/isolinux.cfg", ISOLINUX)
    for file in files:
        shutil.copy(file, f"{folder}/isolinux/isolinux")
    shutil.copy(linux or memtest, f"{folder}/isolinux/linux")
    if linux:
        shutil.copy(initrd, f"{folder}/isolinux/initrd.gz")
    call("xorriso", "-as", "mkisofs", "-quiet", "-o", f"{folder}/isolinux.iso", "-b", "isolinux/isolinux.bin", "-c",
         "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
         "--set_all_file_dates", "2020010100000000", f"{folder}/isolinux")
    return {"isolinux": f"{folder}/isolinux.iso"} | ({"isolinux_linux": f"{folder}/isolinux.iso"} if linux else {})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    guests = grub(folder) | grub_disk(folder)
    for name in ("text", "gtk"):
        kernel, initrd = (f"{INSTALLER}/{name}/debian-installer/i386/{f}" for f in ("linux", "initrd.gz"))
        if installed([kernel, initrd]):
            guests |= {f"{name}_linux": kernel, f"{name}_initrd": initrd}
    for name, file in (("memtest", "/boot/memtest86+ia32.bin"), ("ipxe", "/usr/lib/ipxe/ipxe.iso")):
        if installed([file]):
            guests[name] = file
    if "text_linux" in guests or "memtest" in guests:
        guests |= isolinux(folder, guests.get("memtest"), guests.get("text_linux"), guests.get("text_initrd"))
    if "memtest" in guests:
        guests |= syslinux(folder, guests["memtest"])
    for name, file in guests.items():
        print(f"{name}={file}")


if __name__ == "__main__":
    main()

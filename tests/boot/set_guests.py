#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the guests of tests/boot/set out of what Debian's packages have installed.

usage: set_guests.py FOLDER
Prints GUEST=FILE for each one, as regress.py takes them; what is not installed is told and left out. Packages:
debian-installer-12-netboot-i386, memtest86+, ipxe, isolinux, syslinux-common, grub-pc-bin, grub-common, xorriso, mtools.
"""
import os
import shutil
import subprocess
import sys

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


def installed(files):
    missing = [f for f in files if not os.path.exists(f)]
    if missing:
        print("not installed:", missing[0], file=sys.stderr)
    return not missing


def call(*command):
    p = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1577836800"})
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
    call("grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", f"{folder}/grub.iso", f"{folder}/grub",
         "--set_all_file_dates", "2020010100000000", "--modification-date=2020010100000000")
    return {"grub": f"{folder}/grub.iso"}


def isolinux(folder, linux, initrd):
    modules = "/usr/lib/syslinux/modules/bios"
    files = ["/usr/lib/ISOLINUX/isolinux.bin"] + [f"{modules}/{m}.c32" for m in ("ldlinux", "menu", "libutil", "libcom32",
                                                                                 "poweroff")]
    if not installed(files + [linux, initrd]):
        return {}
    write(f"{folder}/isolinux/isolinux/isolinux.cfg", ISOLINUX)
    for file in files:
        shutil.copy(file, f"{folder}/isolinux/isolinux")
    shutil.copy(linux, f"{folder}/isolinux/linux")
    shutil.copy(initrd, f"{folder}/isolinux/initrd.gz")
    call("xorriso", "-as", "mkisofs", "-quiet", "-o", f"{folder}/isolinux.iso", "-b", "isolinux/isolinux.bin", "-c",
         "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
         "--set_all_file_dates", "2020010100000000", f"{folder}/isolinux")
    return {"isolinux": f"{folder}/isolinux.iso"}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    guests = grub(folder)
    for name in ("text", "gtk"):
        kernel, initrd = (f"{INSTALLER}/{name}/debian-installer/i386/{f}" for f in ("linux", "initrd.gz"))
        if installed([kernel, initrd]):
            guests |= {f"{name}_linux": kernel, f"{name}_initrd": initrd}
    for name, file in (("memtest", "/boot/memtest86+ia32.bin"), ("ipxe", "/usr/lib/ipxe/ipxe.iso")):
        if installed([file]):
            guests[name] = file
    if "text_linux" in guests:
        guests |= isolinux(folder, guests["text_linux"], guests["text_initrd"])
    for name, file in guests.items():
        print(f"{name}={file}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""What the test files share. main() runs the tests of a file: all of them, or the one that the second argument names."""
import struct
import sys

SECTOR = 2048  # of a CD


def bootable_cd(code, extra=b""):
    """An image by El Torito without emulation: the boot sector is sector 20, @extra sector 21."""
    volume = b"\1CD001\1".ljust(SECTOR, b"\0")
    record = (b"\0CD001\1EL TORITO SPECIFICATION".ljust(0x47, b"\0") +
              struct.pack("<I", 19)).ljust(SECTOR, b"\0")
    end = b"\xffCD001\1".ljust(SECTOR, b"\0")
    entry = bytearray(b"\1".ljust(30, b"\0") + b"\x55\xaa")
    total = sum(struct.unpack("<16H", entry)) & 0xffff
    struct.pack_into("<H", entry, 28, -total & 0xffff)
    catalog = bytes(entry) + struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, 4, 20)
    image = bytes(16 * SECTOR) + volume + record + end + catalog.ljust(SECTOR, b"\0")
    image += code.ljust(SECTOR, b"\0") + extra.ljust(SECTOR, b"\0")
    return image.ljust(40 * SECTOR, b"\0")


def main(tests):
    """Prints a line for each and ends the program: status 1 if one failed."""
    failed = 0
    for test in tests:
        if len(sys.argv) > 2 and sys.argv[2] != test.__name__:
            continue
        try:
            test()
            print("ok", test.__name__, flush=True)
        except Exception as e:  # whatever it is, the test has failed
            print("FAILED", test.__name__, type(e).__name__, e, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)

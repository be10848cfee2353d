#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The picture in every standard video mode.

usage: screens.py TURBO86 [--vga cirrus] [MODE ...]     (without MODE: all that the card has)
Each guest is screen.asm, a boot sector that sets the mode by the video BIOS and fills the screen; the
screenshot is compared pixel by pixel with what that should look like.
Exit status 77: the firmware or nasm is not installed.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TURBO86 = sys.argv[1]
VGA = sys.argv.pop(sys.argv.index("--vga") + 1) if "--vga" in sys.argv else "std"
FIRMWARE = ["/usr/share/seabios/bios-256k.bin",
            f"/usr/share/seabios/vgabios-{'cirrus' if VGA == 'cirrus' else 'stdvga'}.bin"]

TEXT, CGA, CGA1, PLANES, BYTES, MODEX, VBE, VBE4, LFB = range(9)
RGBI = [0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
        0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff]


def six(v):
    """A component of the DAC, 6 bits, as 8."""
    return (v & 63) << 2 | (v >> 4 & 3)


def dac(c):
    return six(c) << 16 | six(3 * c) << 8 | six(63 - c)


def widen(v, bits):
    return (v << (8 - bits) | v >> (2 * bits - 8)) & 0xff


def direct(bpp):
    def color(c):
        v = c * 0x010305
        if bpp == 15:
            return widen(v >> 10 & 31, 5) << 16 | widen(v >> 5 & 31, 5) << 8 | widen(v & 31, 5)
        if bpp == 16:
            return widen(v >> 11 & 31, 5) << 16 | widen(v >> 5 & 63, 6) << 8 | widen(v & 31, 5)
        return v & 0xffffff
    return color


def mono(c):
    """Attributes of the monochrome text mode: none, normal, bright."""
    return 0x000000 if c == 0 else 0xffffff if c > 8 else 0xaaaaaa


# name: kind, AX or VBE mode, width, height, bytes a line, mask, colour, bits; text: and size of a cell;
# then the picture's lines, if the last row is cut
MODES = {
    "00": (TEXT, 0x00, 40, 25, 80, 15, RGBI.__getitem__, 0, 9, 16),
    "01": (TEXT, 0x01, 40, 25, 80, 15, RGBI.__getitem__, 0, 9, 16),
    "02": (TEXT, 0x02, 80, 25, 160, 15, RGBI.__getitem__, 0, 9, 16),
    "03": (TEXT, 0x03, 80, 25, 160, 15, RGBI.__getitem__, 0, 9, 16),
    "07": (TEXT, 0x07, 80, 25, 160, 15, mono, 0, 9, 16),
    "43": (TEXT, 0x03, 80, 44, 160, 15, RGBI.__getitem__, 0, 9, 8, 350),  # 43 rows and the top of one
    "50": (TEXT, 0x03, 80, 50, 160, 15, RGBI.__getitem__, 0, 9, 8),
    "04": (CGA, 0x04, 320, 200, 80, 3, [0, 0x55ffff, 0xff55ff, 0xffffff].__getitem__, 0),
    "05": (CGA, 0x05, 320, 200, 80, 3, [0, 0x55ffff, 0xff55ff, 0xffffff].__getitem__, 0),
    "06": (CGA1, 0x06, 640, 200, 80, 1, [0, 0xffffff].__getitem__, 0),
    "0d": (PLANES, 0x0d, 320, 200, 40, 15, RGBI.__getitem__, 0),
    "0e": (PLANES, 0x0e, 640, 200, 80, 15, RGBI.__getitem__, 0),
    "0f": (PLANES, 0x0f, 640, 350, 80, 1, [0, 0xaaaaaa].__getitem__, 0),
    "10": (PLANES, 0x10, 640, 350, 80, 15, RGBI.__getitem__, 0),
    "11": (PLANES, 0x11, 640, 480, 80, 1, [0, 0xffffff].__getitem__, 0),
    "12": (PLANES, 0x12, 640, 480, 80, 15, RGBI.__getitem__, 0),
    "13": (BYTES, 0x13, 320, 200, 320, 63, dac, 0),
    "x": (MODEX, 0x13, 320, 240, 80, 63, dac, 0),
    "vbe4": (VBE4, 0x102, 800, 600, 100, 15, RGBI.__getitem__, 4),
    "vbe8": (VBE, 0x101, 640, 480, 640, 63, lambda c: dac(c * 5 & 255), 8),
    "vbe15": (VBE, 0x110, 640, 480, 1280, 255, direct(15), 15),
    "vbe16": (VBE, 0x114, 800, 600, 1600, 255, direct(16), 16),
    "vbe24": (VBE, 0x112, 640, 480, 1920, 255, direct(24), 24),
    "lfb": (LFB, 0x4142, 640, 480, 2560, 255, direct(32), 32),
    "vbe32": (VBE, 0x144, 1024, 768, 4096, 255, direct(32), 32),
}
STD_ONLY = {"lfb", "vbe4", "vbe32"}  # the GD5446's video BIOS has no such numbers


def read_png(path):
    """-> width, height, rows of pixels 00RRGGBB"""
    data = open(path, "rb").read()
    at, body = 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + n]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", chunk[:10])
            assert (depth, color) == (8, 2), (depth, color)
        elif kind == b"IDAT":
            body += chunk
        at += 12 + n
    raw, stride = zlib.decompress(body), 3 * width
    rows, above = [], bytearray(stride)
    for y in range(height):
        f, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride if f else 0):
            a, b = line[i - 3] if i > 2 else 0, above[i]
            c = above[i - 3] if i > 2 else 0
            if f == 4:
                pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                add = a if pa <= pb and pa <= pc else b if pb <= pc else c
            else:
                add = (a, b, (a + b) // 2)[f - 1]
            line[i] = (line[i] + add) & 255
        rows.append([line[i] << 16 | line[i + 1] << 8 | line[i + 2] for i in range(0, stride, 3)])
        above = line
    return width, height, rows


def check(name, tmp):
    """-> what is wrong, or None"""
    kind, mode, width, height, pitch, mask, color, bpp, *cell = MODES[name]
    image, shot = os.path.join(tmp, "screen.img"), os.path.join(tmp, f"{name}.png")
    cw, ch, *lines = cell or (1, 1)
    lines = lines[0] if lines else height * ch
    defines = dict(KIND=kind, MODE=mode, WIDTH=width, HEIGHT=height, PITCH=pitch, MASK=mask, BPP=bpp,
                   CELL=ch, LINES=lines, BANKS=2 if VGA == "cirrus" else 0)
    subprocess.run(["nasm", "-f", "bin", "-o", image, os.path.join(HERE, "screen.asm")] +
                   [f"-D{k}={v}" for k, v in defines.items()], check=True)
    with open(image, "ab") as f:
        f.truncate(1 << 20)
    p = subprocess.run([TURBO86, "-hda", image, "-snapshot", "-display", "none", "--deterministic", "-vga", VGA,
                        "--timeout", "5s", "--screenshot", shot, "-device", "isa-debug-exit,iobase=0xf4"],
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=200, check=False)
    if p.returncode != 33:
        return f"exit status {p.returncode} {p.stderr.decode()}"
    w, h, rows = read_png(shot)
    if (w, h) != (width * cw, lines):
        return f"{w}x{h}, not {width * cw}x{lines}"
    for y in range(h):
        for x in range(w):
            c = (x // cw + y // ch if cell else x // 16 + y // 8) & mask
            if rows[y][x] != color(c):
                return f"pixel {x},{y} of colour {c} is {rows[y][x]:06x}, not {color(c):06x}"
    return None


def main():
    if not all(map(os.path.exists, FIRMWARE)) or not shutil.which("nasm"):
        print("skipped: there is no SeaBIOS, or no nasm")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        tmp = os.environ.get("SCREENS_KEEP", tmp)
        for name in [a for a in sys.argv[2:] if a != "--vga"] or MODES:
            if VGA == "cirrus" and name in STD_ONLY:
                continue
            wrong = check(name, tmp)
            failed += wrong is not None
            print(f"mode {name}: {wrong or 'ok'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

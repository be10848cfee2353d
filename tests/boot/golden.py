#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden frames: what the monitor shows of every VGA and VBE mode and trick.

usage: golden.py TURBO86 [FRAME ...]           compare with golden/FRAME.png and its hash
       golden.py TURBO86 --update [FRAME ...]  write those anew; look at them before they are committed
       golden.py TURBO86 --beside qemu|bochs [--keep DIR] [FRAME ...]
                                               show the programs to another emulator as well
Each is a program of golden/ that sets every register itself, so no firmware of others is needed. A hash
is xxh64 of width and height, 32 bits each, and the pixels' bytes.
Exit status 1: a picture is not as it should be, or differs from another emulator's where golden/deviations.md does not
name frame and emulator. Needs nasm and xxHash's library; Bochs also bochs-x, Xvfb and xdotool. Exit status 77: they are
not there.
"""
import ctypes
import fnmatch
import itertools
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from desktop import TOOLS, crop

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden")
HASHES = os.path.join(GOLDEN, "hashes.txt")
DEVIATIONS = os.path.join(GOLDEN, "deviations.md")

PLANES = dict(MODE="planes_mode", PITCH=80, LINES=480)
LOW = dict(MODE="low_planes_mode", PITCH=40, LINES=200)
CHAINED = dict(CHAINED=1, WIDTH=320, LINES=200)
MODE_X = dict(CHAINED=0, WIDTH=320, LINES=240, MISC="0xe3")
SPLIT100 = ["reg crtc 0x18, 100", "reg crtc 0x07, 0x0f", "reg crtc 0x09, 0x0f"]


def cursor(start, end, at=5 * 80 + 10):
    return [f"reg crtc 0x0a, {start}", f"reg crtc 0x0b, {end}", f"reg crtc 0x0e, {at >> 8}",
            f"reg crtc 0x0f, {at & 255}"]


def vbe(bpp, width=640, height=480, linear=0, virtual=None, at=(0, 0), flags=0):
    return "vbe", dict(BPP=bpp, WIDTH=width, HEIGHT=height, LINEAR=linear, VIRTUAL=virtual or width,
                       XOFF=at[0], YOFF=at[1], FLAGS=flags)


def cirrus(px=1, depth=None, linear=0, draw=(), key=0, **more):
    return "cirrus", dict(VGA="cirrus", PX=px, DEPTH=depth or 8 * px, LINEAR=linear, KEY=key, DRAW=list(draw),
                          **more)


def blt(column, row, mode, rop="COPY", ext=0, skip=0, size=(60, 60), src=None, pitch="PITCH", feed=0):
    src = src or f"{column * 7 + 3} * PX + PITCH * {500 + row}"
    return (f"blt {mode}, {rop}, {ext}, {skip}, {size[0]} * PX, {size[1]}, at({column}, {row}), {src}, {pitch}, "
            f"{feed}")


# The 16 raster operations of the GD5446; a code that is none of them
ROPS = [0, 5, 6, 9, 0x0b, 0x0d, 0x0e, 0x50, 0x59, 0x6d, 0x90, 0x95, 0xad, 0xd0, 0xd6, 0xda]
ROP_DRAW = [blt(i % 8, i // 8 * 2, 0, rop) for i, rop in enumerate(ROPS)] + [
    blt(i % 8, i // 8 * 2 + 1, 0x80, rop) for i, rop in enumerate(ROPS)]
COPY_DRAW = [
    blt(0, 0, 0), blt(1, 0, 0, src="PX * 7 + PITCH * 21"),
    blt(2, 0, 0, size=(60, 70), src="at(2, 0) + 11 * PITCH + 5 * PX"),
    blt(0, 4, 1, size=(60, 60)).replace("at(0, 4)", "at(4, 2) - 1").replace(
        "3 * PX + PITCH * 504", "at(4, 2) - 1 - 9 * PITCH - 6 * PX"),
    blt(4, 0, 8), blt(5, 0, 0, size=(3, 60)), blt(6, 0, 0, pitch="96 * PX"), blt(7, 0, 0, pitch=0),
    blt(0, 2, 8, rop=0x59)]
EXPAND_DRAW = [blt(i % 8, i // 8, mode, rop, ext, skip, (59, 61)) for i, (mode, rop, ext, skip) in enumerate(
    [(0x80, "COPY", 0, 0), (0x88, "COPY", 0, 0), (0x88, "COPY", 2, 0), (0x80, "COPY", 2, 0),
     (0x80, "COPY", 0, 3), (0x88, "COPY", 0, 5), (0x80, "COPY", 1, 0), (0x88, "0x59", 0, 0)])]
FED_DRAW = [blt(i % 8, i // 8, mode, rop, ext, skip, (w, 40), feed=feed) for i, (mode, rop, ext, skip, w, feed) in
            enumerate([(0x84, "COPY", 0, 0, 64, "8 * 40 / 4"), (0x8c, "COPY", 0, 0, 57, "8 * 40 / 4"),
                       (0x84, "COPY", 1, 0, 33, "8 * 40 / 4"), (0x8c, "COPY", 2, 4, 24, "3 * 40 / 4"),
                       (0x04, "COPY", 0, 0, 60, "(60 * PX + 3) / 4 * 40"), (0x04, "0x6d", 0, 0, 49,
                        "(49 * PX + 3) / 4 * 40"), (0x0c, "COPY", 0, 0, 40, "40 * PX / 4 * 40"),
                       (0xc4, "COPY", 0, 0, 60, "2")])]
PATTERN_DRAW = [blt(i % 8, i // 8, mode, rop, ext, skip, (59, 61), src=f"PITCH * 500 / 256 * 256 + {row}")
                for i, (mode, rop, ext, skip, row) in enumerate(
                    [(0x40, "COPY", 0, 0, 0), (0x40, "COPY", 0, 0, 3), (0x40, "0x59", 0, 0, 0), (0xc0, "COPY", 0, 0, 0),
                     (0xc0, "COPY", 0, 3, 5), (0xc8, "COPY", 0, 0, 0), (0xc8, "COPY", 2, 0, 8), (0xc0, "COPY", 4, 0, 0),
                     (0xc0, "0x59", 4, 0, 0), (0xc0, "0x05", 0, 0, 0)])]
# The pointer: its colours, where it is, its pattern, which is what memory's end is filled with
POINTER = ["reg seq 0x12, 3", "mov dx, 0x3c8", "mov al, 0", "out dx, al", "inc dx", "mov al, 63", "out dx, al",
           "out dx, al", "mov al, 0", "out dx, al", "mov dx, 0x3c8", "mov al, 15", "out dx, al", "inc dx",
           "mov al, 40", "out dx, al", "mov al, 0", "out dx, al", "mov al, 63", "out dx, al",
           "reg gc 9, 0xff", "xor di, di", "mov cx, 0x4000", "mov ax, 0x3a71", "%%more: mov [es:di], al", "inc di",
           "imul ax, ax, 181", "inc ax", "ror ax, 3", "loop %%more",
           "reg seq 0x70, 40", "reg seq 0xb1, 30"]

OFF = cursor(0x20, 0)
# name: program, what it is assembled with; a list becomes the lines of a macro
FRAMES = {
    # text: fonts
    "text-9": ("text", dict(EXTRA=OFF)),
    "text-8": ("text", dict(EXTRA=OFF + ["reg seq 1, 1", "attr 0x13, 0"])),
    "text-9-no-line-graphics": ("text", dict(EXTRA=OFF + ["attr 0x10, 0"])),
    "text-50-lines": ("text", dict(CELL=8, EXTRA=OFF + ["reg crtc 9, 0x47"])),
    "text-double-scan": ("text", dict(CELL=8, EXTRA=OFF + ["reg crtc 9, 0xc7"])),
    "text-40-columns": ("text", dict(EXTRA=OFF + [
        "reg seq 1, 8", "reg crtc 0x11, 0x0e"] + [f"reg crtc {i}, {v}" for i, v in enumerate(
            (0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0))] + ["reg crtc 0x13, 20"])),
    "text-two-fonts": ("text", dict(EXTRA=OFF + ["reg seq 3, 4"])),
    "text-underline": ("text", dict(EXTRA=OFF + ["attr 0x10, 6", "reg crtc 0x14, 0x0d"])),
    # text: blinking, cursors
    "text-blink": ("text", dict(EXTRA=OFF + ["attr 0x10, 0x0c"], WAIT=2)),
    "text-blink-later": ("text", dict(EXTRA=OFF + ["attr 0x10, 0x0c"], WAIT=18)),
    "cursor-line": ("text", dict(EXTRA=cursor(13, 14))),
    "cursor-line-later": ("text", dict(EXTRA=cursor(13, 14), WAIT=9)),
    "cursor-block": ("text", dict(EXTRA=cursor(0, 15))),
    "cursor-half": ("text", dict(EXTRA=cursor(8, 31))),
    "cursor-upside-down": ("text", dict(EXTRA=cursor(10, 3))),
    # text: where memory is shown
    "text-start-address": ("text", dict(EXTRA=OFF + ["reg crtc 0x0c, 1", "reg crtc 0x0d, 0x46"])),
    "text-preset-row": ("text", dict(EXTRA=OFF + ["reg crtc 8, 5"])),
    "text-byte-panning": ("text", dict(EXTRA=OFF + ["reg crtc 8, 0x40"])),
    "text-panning": ("text", dict(EXTRA=OFF + ["attr 0x13, 3"])),
    "text-split": ("text", dict(EXTRA=OFF + SPLIT100 + [
        "reg crtc 0x0c, 4", "reg crtc 0x0d, 0", "reg crtc 8, 3", "attr 0x13, 3"])),
    "text-split-still": ("text", dict(EXTRA=OFF + SPLIT100 + [
        "reg crtc 0x0c, 4", "reg crtc 0x0d, 0", "attr 0x13, 3", "attr 0x10, 0x24"])),
    # text: colours
    "text-palette": ("text", dict(EXTRA=OFF + [f"attr {i}, {63 - 3 * i}" for i in range(16)])),
    "text-color-select": ("text", dict(EXTRA=OFF + ["attr 0x10, 0x84", "attr 0x14, 3"])),
    "text-plane-enable": ("text", dict(EXTRA=OFF + ["attr 0x12, 5"])),
    "text-dac-mask": ("text", dict(EXTRA=OFF + ["mov dx, 0x3c6", "mov al, 0x3a", "out dx, al"])),
    # planes
    "planes-640x480": ("planes", dict(PLANES)),
    "planes-320x200": ("planes", dict(LOW)),
    "planes-640x350": ("planes", dict(PLANES, LINES=350, EXTRA=[
        "mov dx, 0x3c2", "mov al, 0xa3", "out dx, al", "reg crtc 0x11, 5"] + [
            f"reg crtc {i}, {v}" for i, v in ((6, 0xbf), (7, 0x1f), (9, 0x40), (0x10, 0x83),
                                              (0x12, 0x5d), (0x15, 0x63), (0x16, 0xba), (0x11, 0x85))])),
    "planes-write-modes": ("planes", dict(PLANES, DRAW=["bands table"])),
    "planes-copied": ("planes", dict(PLANES, DRAW=["copies"])),
    "planes-compared": ("planes", dict(PLANES, DRAW=["compare"])),
    "planes-virtual": ("planes", dict(PLANES, PITCH=100, EXTRA=[
        "reg crtc 0x13, 50", "reg crtc 0x0c, 3", "reg crtc 0x0d, 0x29", "attr 0x13, 5"])),
    "planes-split": ("planes", dict(PLANES, EXTRA=[
        "reg crtc 0x18, 0x40", "reg crtc 0x07, 0x3e", "reg crtc 0x09, 0", "reg crtc 0x0c, 6",
        "attr 0x13, 3"])),
    "planes-split-still": ("planes", dict(LOW, EXTRA=SPLIT100 + [
        "reg crtc 0x09, 0x8f - 0x0f", "reg crtc 0x0d, 0xf3", "attr 0x13, 3", "attr 0x10, 0x21"])),
    "planes-odd-lines": ("planes", dict(PLANES, EXTRA=["reg crtc 9, 0x42"])),
    "planes-off": ("planes", dict(PLANES, EXTRA=["reg seq 1, 0x21"])),
    "planes-enable": ("planes", dict(PLANES, EXTRA=["attr 0x12, 6"])),
    # the CGA's
    "cga-320x200": ("cga", dict(BITS=2)),
    "cga-640x200": ("cga", dict(BITS=1)),
    # 256 colours
    "bytes-320x200": ("bytes", dict(CHAINED)),
    "bytes-start-address": ("bytes", dict(CHAINED, LATER=["reg crtc 0x0c, 7", "reg crtc 0x0d, 0xd5"])),
    "bytes-panning": ("bytes", dict(CHAINED, LATER=["attr 0x13, 6"])),
    "bytes-dac-mask": ("bytes", dict(CHAINED, LATER=["mov dx, 0x3c6", "mov al, 0x1f", "out dx, al"])),
    "bytes-split": ("bytes", dict(CHAINED, LATER=[
        "reg crtc 0x18, 120", "reg crtc 0x07, 0x0f", "reg crtc 0x09, 1", "reg crtc 0x0c, 0x1f"])),
    "bytes-map-mask": ("bytes", dict(CHAINED, EXTRA=["reg seq 2, 5"])),
    "bytes-100-lines": ("bytes", dict(CHAINED, LATER=["reg crtc 9, 0x43"])),
    "mode-x-320x240": ("bytes", dict(MODE_X, EXTRA=["lines480"])),
    "mode-x-320x400": ("bytes", dict(MODE_X, LINES=400, EXTRA=["reg crtc 9, 0x40"])),
    "mode-x-360x480": ("bytes", dict(MODE_X, WIDTH=360, LINES=480, MISC="0xe7", EXTRA=[
        "lines480", "columns360", "reg crtc 9, 0x40"])),
    "mode-x-second-page": ("bytes", dict(MODE_X, LINES=480, EXTRA=["lines480"], LATER=[
        "reg crtc 0x0c, 0x4b", "reg crtc 0x0d, 0x02", "attr 0x13, 2"])),
    "mode-x-split": ("bytes", dict(MODE_X, LINES=480, EXTRA=["lines480"], LATER=[
        "reg crtc 0x18, 0x2c", "reg crtc 0x07, 0x3e", "reg crtc 0x09, 0x01", "reg crtc 0x0c, 0x4b"])),
    # Bochs VBE
    "vbe-4": vbe(4, 800, 600),
    "vbe-4-moved": vbe(4, virtual=1024, at=(100, 30)),
    "vbe-8": vbe(8),
    "vbe-8-linear": vbe(8, linear=1),
    "vbe-8-dac-8": vbe(8, flags=0x20),
    "vbe-8-moved": vbe(8, virtual=800, at=(131, 57)),
    "vbe-15": vbe(15),
    "vbe-15-linear": vbe(15, linear=1),
    "vbe-16": vbe(16, 800, 600),
    "vbe-16-linear": vbe(16, 800, 600, linear=1),
    "vbe-16-moved": vbe(16, virtual=900, at=(35, 100)),
    "vbe-24": vbe(24),
    "vbe-24-linear": vbe(24, linear=1),
    "vbe-32": vbe(32),
    "vbe-32-linear": vbe(32, 1024, 768, linear=1),
    "vbe-32-moved": vbe(32, virtual=1000, at=(200, 20), linear=1),
    "vbe-32-1920x1200": vbe(32, 1920, 1200, linear=1),
    # the GD5446
    "cirrus-8": cirrus(),
    "cirrus-8-linear": cirrus(linear=1),
    "cirrus-15": cirrus(2, 15),
    "cirrus-16-linear": cirrus(2, linear=1),
    "cirrus-24": cirrus(3),
    "cirrus-32-linear": cirrus(4, linear=1),
    "cirrus-start-address": cirrus(LINES=940, LATER=[
        "reg crtc 0x0c, 0x12", "reg crtc 0x0d, 0x34", "reg crtc 0x1b, 0x23"]),
    "cirrus-rops": cirrus(draw=ROP_DRAW),
    "cirrus-copies": cirrus(draw=COPY_DRAW, key=0x3a),
    "cirrus-copies-16": cirrus(2, draw=COPY_DRAW, key=0x0b0a),
    "cirrus-expand": cirrus(draw=EXPAND_DRAW),
    "cirrus-expand-16": cirrus(2, draw=EXPAND_DRAW),
    "cirrus-expand-24": cirrus(3, draw=EXPAND_DRAW[:4]),
    "cirrus-expand-32": cirrus(4, draw=EXPAND_DRAW),
    "cirrus-fed": cirrus(draw=FED_DRAW, key=0x9c),
    "cirrus-fed-16": cirrus(2, draw=FED_DRAW, key=0x9c3a),
    "cirrus-pattern": cirrus(draw=PATTERN_DRAW),
    "cirrus-pattern-16": cirrus(2, draw=PATTERN_DRAW),
    "cirrus-pattern-24": cirrus(3, draw=[d for d in PATTERN_DRAW if ", 3, 59" not in d]),
    "cirrus-pattern-32": cirrus(4, draw=PATTERN_DRAW),
    "cirrus-pointer-64": cirrus(LATER=POINTER + ["reg seq 0x13, 0x10", "reg seq 0x12, 5"]),
    "cirrus-pointer-32": cirrus(2, LATER=POINTER + ["reg seq 0x13, 0x07", "reg seq 0x12, 1"]),
    "cirrus-write-mode-4": cirrus(LATER=["reg gc 9, 0", "reg gc 0x0b, 0x26", "reg gc 5, 0x44", "xor di, di",
                                         "mov cx, 20000", "mov ax, 0x3a71", "%%more: mov [es:di], al", "inc di",
                                         "imul ax, ax, 181", "inc ax", "ror ax, 3", "loop %%more"]),
    "cirrus-write-mode-5-16": cirrus(2, LATER=[
        "reg gc 9, 0", "reg gc 0x0b, 0x36", "reg gc 5, 0x45", "xor di, di", "mov cx, 20000", "mov ax, 0x3a71",
        "%%more: mov [es:di], al", "inc di", "imul ax, ax, 181", "inc ax", "ror ax, 3", "loop %%more"]),
    "cirrus-two-banks": cirrus(LATER=["reg gc 0x0b, 1", "reg gc 9, 0x10", "reg gc 0x0a, 0x20", "xor di, di",
                                      "mov cx, 0xa000", "mov al, 0x5c", "rep stosb"]),
}


# ---- pictures: (width, height, bytes) ----

def xxh64(data):
    lib = ctypes.CDLL("libxxhash.so.0")
    lib.XXH64.restype = ctypes.c_uint64
    return lib.XXH64(data, ctypes.c_size_t(len(data)), ctypes.c_uint64(0))


def picture_hash(p):
    return f"{xxh64(struct.pack('<II', p[0], p[1]) + p[2]):016x}"


def unfilter(kind, line, above):
    if kind == 1:
        for c in range(3):
            line[c::3] = bytes(v & 255 for v in itertools.accumulate(line[c::3]))
        return
    for i, _ in enumerate(line):
        a, b = line[i - 3] if i > 2 else 0, above[i]
        c = above[i - 3] if i > 2 else 0
        if kind == 4:
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            add = a if pa <= pb and pa <= pc else b if pb <= pc else c
        else:
            add = (a, b, (a + b) // 2)[kind - 1]
        line[i] = (line[i] + add) & 255


def png_load(path):
    with open(path, "rb") as f:
        data = f.read()
    at, body = 8, b""
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", data[at + 8:at + 8 + n])
            assert form in ([8, 2, 0, 0, 0], [8, 3, 0, 0, 0]), form
        elif kind == b"PLTE":
            palette = [data[i:i + 3] for i in range(at + 8, at + 8 + n, 3)]
        elif kind == b"IDAT":
            body += data[at + 8:at + 8 + n]
        at += 12 + n
    raw, stride, out = zlib.decompress(body), (3 if form[1] == 2 else 1) * width, bytearray()
    above = bytearray(stride)
    for y in range(height):
        row = y * (stride + 1)
        line = bytearray(raw[row + 1:row + 1 + stride])
        if raw[row]:
            unfilter(raw[row], line, above)
        out += line if form[1] == 2 else b"".join(map(palette.__getitem__, line))
        above = line
    return width, height, bytes(out)


def packed(line, small):
    if small:
        return b"\0" + line
    return b"\1" + line[:3] + bytes((a - b) & 255 for a, b in zip(line[3:], line))


def png_save(path, p):
    """With a palette if that holds all colours, else as differences: filter 1."""
    width, height, data = p
    chunk = lambda kind, b: struct.pack(">I", len(b)) + kind + b + struct.pack(">I", zlib.crc32(kind + b))
    pixels = [data[i:i + 3] for i in range(0, len(data), 3)]
    colors = {c: i for i, c in enumerate(sorted(set(pixels)))}
    small = len(colors) <= 256
    body = bytes(map(colors.__getitem__, pixels)) if small else data
    stride = len(body) // height
    rows = b"".join(packed(body[y * stride:(y + 1) * stride], small) for y in range(height))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" +
                chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3 if small else 2, 0, 0, 0)) +
                (chunk(b"PLTE", b"".join(colors)) if small else b"") +
                chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def enlarged(p, width, height):
    """Each pixel several times, if the sizes are multiples."""
    w, h, data = p
    if width % w or height % h:
        return None
    rows = [b"".join(data[i:i + 3] * (width // w) for i in range(3 * w * y, 3 * w * (y + 1), 3))
            for y in range(h)]
    return width, height, b"".join(row * (height // h) for row in rows)


def difference(ours, theirs):
    """One sentence, or None. Emulators differ in how often they give a pixel that is repeated."""
    size = max(ours[0], theirs[0]), max(ours[1], theirs[1])
    a, b = enlarged(ours, *size), enlarged(theirs, *size)
    if not a or not b:
        return f"{theirs[0]}x{theirs[1]}, not {ours[0]}x{ours[1]}"
    if a[2] == b[2]:
        return None
    # Nor do they agree how 5 and 6 bits become 8.
    a, b = (p[:2] + (p[2].translate(bytes(v >> 3 for v in range(256))),) for p in (a, b))
    if a[2] == b[2]:
        return None
    wrong = [i for i in range(0, len(a[2]), 3) if a[2][i:i + 3] != b[2][i:i + 3]]
    at = wrong[0]
    return (f"{len(wrong)} of {size[0] * size[1]} pixels, the first at {at // 3 % size[0]},{at // 3 // size[0]}: "
            f"{list(b[2][at:at + 3])}, not {list(a[2][at:at + 3])}, of 31")


# ---- programs ----

def assemble(name, tmp):
    program, defines = FRAMES[name]
    source, image = os.path.join(tmp, name + ".asm"), os.path.join(tmp, name + ".img")
    with open(source, "w") as f:
        for macro in ("EXTRA", "LATER", "DRAW"):
            f.write(f"%macro {macro} 0\n" + "\n".join(defines.get(macro, [])) + "\n%endmacro\n")
        for key, value in defines.items():
            if not isinstance(value, list):
                f.write(f"%define {key} {value}\n")
        f.write(f'%include "{program}.asm"\n')
    subprocess.run(["nasm", "-f", "bin", "-I", GOLDEN + "/", "-o", image, source], check=True)
    with open(image, "ab") as f:
        f.truncate(504 << 11)
    return image


def card(name):
    return FRAMES[name][1].get("VGA", "std")


def turbo86(program, name, image, tmp):
    shot = os.path.join(tmp, "shot.png")
    p = subprocess.run([program, "-bios", "tinybios.bin", "-hda", image, "-snapshot", "-display", "none",
                        "-vga", card(name), "--deterministic", "--ns-per-insn", "20", "--timeout", "60s", "-debugcon", "null",
                        "--screenshot", shot, "-device", "isa-debug-exit,iobase=0xf4"],
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=200, check=False)
    if p.returncode != 33:
        raise AssertionError(f"exit status {p.returncode} {p.stderr.decode()}")
    return png_load(shot)


def qemu(name, image, tmp):
    log, dump = os.path.join(tmp, "log"), os.path.join(tmp, "dump.ppm")
    p = subprocess.Popen(["qemu-system-i386", "-display", "none", "-vga", card(name), "-debugcon", "file:" + log,
                          "-drive", f"file={image},format=raw,snapshot=on", "-monitor", "stdio"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        wait_for_done(log, p)
        p.stdin.write(f"screendump {dump}\nquit\n")
        p.stdin.flush()
        p.wait(timeout=60)
    finally:
        p.kill()
        p.wait()
    with open(dump, "rb") as f:
        data = f.read()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head[1]), int(head[2]), data[head.end():]


class NotThere(Exception):
    """What an emulator needs is not installed."""


def wait_for_done(log, process):
    end = time.monotonic() + 60
    while not os.path.exists(log) or b"done" not in open(log, "rb").read():
        assert process.poll() is None, f"it has ended with status {process.returncode}"
        assert time.monotonic() < end, "the program has not come to its end"
        time.sleep(0.05)


BOCHS = """cpu: count=1, ips=50000000
memory: guest=32, host=32
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/{rom}
vga: extension={extension}, update_freq=20
pci: enabled=1, chipset=i440fx, slot{slot}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path={image}, mode=flat, cylinders=16, heads=2, spt=63
boot: disk
display_library: x
debugger_log: -
port_e9_hack: enabled=1
panic: action=fatal
log: {tmp}/bochs.log
"""
BOCHS_CARDS = {"std": dict(rom="vgabios.bin", extension="vbe", slot="1=pcivga"),
               "cirrus": dict(rom="vgabios.cirrus.bin", extension="cirrus", slot="1=cirrus")}
BOCHS_BARS = (32, 18)  # lines that are not the guest's: the tool bar above, the status below
BOCHS_BORDER = 4


def bochs(name, image, tmp):
    """Its window in an X server of ours, whose frame buffer is a file."""
    with open(os.path.join(tmp, "bochsrc"), "w") as f:
        f.write(BOCHS.format(image=image, tmp=tmp, **BOCHS_CARDS[card(name)]))
    with open(os.path.join(tmp, "go"), "w") as f:
        f.write("c\n")
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "2048x1400x24", "-fbdir", tmp],
                              pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        env = dict(os.environ, DISPLAY=":" + pipe.readline().strip())
    log, complaints = os.path.join(tmp, "said"), os.path.join(tmp, "complaints")
    out, err = open(log, "wb"), open(complaints, "wb")
    p = subprocess.Popen(["bochs", "-q", "-f", os.path.join(tmp, "bochsrc"), "-rc", os.path.join(tmp, "go")],
                         env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    try:
        wait_for_done(log, p)
        time.sleep(1)  # its screen is drawn by a timer of its own
        size = subprocess.run(["xdotool", "search", "--name", "Bochs", "getwindowgeometry", "--shell"], env=env,
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        x, y, w, h = (int(re.search(rf"^{k}=(-?\d+)", size, re.M)[1]) for k in ("X", "Y", "WIDTH", "HEIGHT"))
        return crop(os.path.join(tmp, "Xvfb_screen0"), x + BOCHS_BORDER, y + BOCHS_BORDER + BOCHS_BARS[0],
                    w, h - sum(BOCHS_BARS))
    except AssertionError as e:
        with open(complaints, "rb") as f:
            if b"display library 'x' not available" in f.read():
                raise NotThere("Bochs has no display library for X, Debian's package bochs-x") from e
        raise
    finally:
        for process in (p, server):
            process.kill()
            process.wait()
        out.close()
        err.close()


EMULATORS = {"qemu": (qemu, ["qemu-system-i386"]), "bochs": (bochs, ["bochs", *TOOLS])}


# ---- what is asked ----

def hashes():
    if not os.path.exists(HASHES):
        return {}
    with open(HASHES) as f:
        return dict(line.split() for line in f)


def check(program, name, tmp, known):
    """What is wrong, or None."""
    ours = turbo86(program, name, assemble(name, tmp), tmp)
    if picture_hash(ours) == known.get(name):
        path = os.path.join(GOLDEN, name + ".png")
        if os.path.exists(path) and png_load(path) == ours:
            return None
        return f"{name}.png is not the picture of that hash"
    reviewed = os.path.join(GOLDEN, name + ".png")
    return difference(png_load(reviewed), ours) or "other colours or sizes"


def update(program, name, tmp, known):
    ours = turbo86(program, name, assemble(name, tmp), tmp)
    known[name] = picture_hash(ours)
    png_save(os.path.join(GOLDEN, name + ".png"), ours)
    return None


def beside(program, name, tmp, emulator, keep):
    image = assemble(name, tmp)
    ours, theirs = turbo86(program, name, image, tmp), EMULATORS[emulator][0](name, image, tmp)
    if keep:
        png_save(os.path.join(keep, f"{name}.png"), ours)
        png_save(os.path.join(keep, f"{name}-{emulator}.png"), theirs)
    return difference(ours, theirs)


def missing(emulator):
    """A sentence, or None."""
    tools = ["nasm"] + (EMULATORS[emulator][1] if emulator else [])
    gone = [tool for tool in tools if not shutil.which(tool)]
    try:
        xxh64(b"")
    except OSError:
        gone.append("libxxhash.so.0")
    return f"there is no {', no '.join(gone)}" if gone else None


def explained(emulator):
    """The patterns of frames that a row of the deviations has for the emulator."""
    with open(DEVIATIONS) as f:
        rows = [line.split("|") for line in f if line.startswith("| ")]
    return [p for row in rows if emulator in row[2].lower() for p in re.findall("`([^`]+)`", row[1])]


def look(program, name, known, options, emulator, keep):
    """True if all is well with a frame."""
    with tempfile.TemporaryDirectory() as tmp:
        if emulator:
            wrong = beside(program, name, tmp, emulator, keep)
        else:
            wrong = (update if "--update" in options else check)(program, name, tmp, known)
    named = emulator and wrong and any(fnmatch.fnmatchcase(name, p) for p in explained(emulator))
    print(f"{name}: {wrong or 'ok'}{'; see deviations.md' if named else ''}", flush=True)
    return named or not wrong


def main():
    args = sys.argv[1:]
    program = os.path.abspath(args.pop(0))
    take = lambda option: args.pop(args.index(option) + 1) if option in args else None
    emulator, keep = take("--beside"), take("--keep")
    options = [a for a in args if a.startswith("--")]
    names = [a for a in args if not a.startswith("--")] or list(FRAMES)
    known, why = hashes(), missing(emulator)
    try:
        well = [look(program, name, known, options, emulator, keep) for name in names] if not why else []
    except NotThere as e:
        why = e
    if why:
        print(f"skipped: {why}")
        return 77
    if "--update" in options:
        with open(HASHES, "w") as f:
            f.writelines(f"{name} {known[name]}\n" for name in FRAMES if name in known)
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the guest of sound.asm plays, as -audio wav:FILE recorded it.

usage: test_sound.py TURBO86
A scale from C to C on each of the speaker, the FM chip, 8-bit and 16-bit DMA. Pitches are within 0.5 %
(the peak of the spectrum), nothing is silent for 5 ms within a note, and every run gives the same bytes.
Exit status 77: there is no nasm, or no SeaBIOS.
"""
import cmath
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TURBO86 = os.path.abspath(sys.argv[1])
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
RATE = 48000
QUIET = 600  # below it is silence
LONG = 8192  # samples in a spectrum
SCALE = [440 * 2 ** ((n - 9) / 12) for n in (0, 2, 4, 5, 7, 9, 11, 12)]  # C4 to C5
# What is played one after the other: its name, octaves above that, whether the right side has it too.
PLAYERS = (("speaker", 0, True), ("FM", 0, True), ("8 bits", 0, True), ("16 bits", 1, False))
NOTES = [(name, hz * 2 ** octave, 0.9 if hz == SCALE[-1] else 0.3, both)
         for name, octave, both in PLAYERS for hz in SCALE]


def record(tmp, name):
    wav = os.path.join(tmp, name)
    r = subprocess.run(
        [TURBO86, "-display", "none", "--deterministic", "-snapshot", "-fda", os.path.join(tmp, "img"),
         "-boot", "a", "-device", "sb16", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
         "-audio", "wav:" + wav, "--timeout", "60s"], stdin=subprocess.DEVNULL, timeout=600)
    assert r.returncode == 33, r.returncode
    with open(wav, "rb") as f:
        return f.read()


def parse(data):
    """Left and right; the header says what the file is."""
    assert data[:4] == b"RIFF" and data[8:16] == b"WAVEfmt "
    assert struct.unpack("<IHHIIHH", data[16:36]) == (16, 1, 2, RATE, RATE * 4, 4, 16)
    size, = struct.unpack("<I", data[40:44])
    assert size == len(data) - 44 and struct.unpack("<I", data[4:8])[0] == len(data) - 8
    values = struct.unpack(f"<{size // 2}h", data[44:])
    return values[0::2], values[1::2]


def notes(side):
    """Where sound is: parts without 50 ms of silence."""
    found, start, last = [], None, None
    for i, v in enumerate(side):
        if abs(v) < QUIET:
            continue
        if start is None:
            start = i
        elif i - last > RATE // 20:
            found.append((start, last))
            start = i
        last = i
    return found + ([(start, last)] if start is not None else [])


def fft(x):
    if len(x) == 1:
        return x
    even, odd = fft(x[::2]), fft(x[1::2])
    odd = [v * cmath.exp(-2j * math.pi * i / len(x)) for i, v in enumerate(odd)]
    return [a + b for a, b in zip(even, odd)] + [a - b for a, b in zip(even, odd)]


def pitch(part):
    """Where the spectrum of its middle is highest, between the lines by the parabola through three."""
    at = (len(part) - LONG) // 2
    middle = part[at:at + LONG]
    mean = sum(middle) / LONG
    window = [(v - mean) * (1 - math.cos(2 * math.pi * i / LONG)) for i, v in enumerate(middle)]
    power = [math.log(abs(v) + 1e-9) for v in fft(window)[:LONG // 2]]
    top = max(range(1, LONG // 2 - 1), key=power.__getitem__)
    a, b, c = power[top - 1:top + 2]
    return (top + (a - c) / (2 * (a - 2 * b + c))) * RATE / LONG


def longest_gap(part):
    gap = longest = 0
    for v in part:
        gap = gap + 1 if abs(v) < QUIET else 0
        longest = max(longest, gap)
    return longest / RATE


def check(data):
    left, right = parse(data)
    found = notes(left)
    print("seconds:", " ".join(f"{a / RATE:.3f}-{b / RATE:.3f}" for a, b in found))
    assert len(found) == len(NOTES), f"{len(found)} notes, not {len(NOTES)}"
    for (start, end), (name, hz, seconds, both) in zip(found, NOTES):
        part = left[start:end]
        got, gap = pitch(part), longest_gap(part[RATE // 50:-RATE // 50])  # the filter settles at both ends
        print(f"{name:8} {hz:8.2f} Hz: {got:8.2f} Hz for {len(part) / RATE:.3f} s, gaps to {gap * 1000:.2f} ms")
        assert abs(got / hz - 1) < 0.005
        assert len(part) / RATE > seconds and gap < 0.005
        assert (max(right[start:end]) > QUIET) == both


def main():
    if not os.path.exists(FIRMWARE) or not shutil.which("nasm"):
        print("skipped: there is no SeaBIOS, or no nasm")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        image = os.path.join(tmp, "img")
        subprocess.run(["nasm", "-f", "bin", "-o", image, os.path.join(HERE, "sound.asm")], check=True)
        with open(image, "ab") as f:
            f.truncate(1440 * 1024)
        first = record(tmp, "1.wav")
        check(first)
        assert record(tmp, "2.wav") == first, "two runs differ"
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py EMULATOR [ARGS...]: assembles every test here and runs it from -hda; compares what it says
through port E9h with its "expect:" line, and the exit status with 33."""
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
failed = 0
with tempfile.TemporaryDirectory() as tmp:
    for source in sorted(here.glob("*.asm")):
        image = pathlib.Path(tmp) / (source.stem + ".img")
        said = pathlib.Path(tmp) / (source.stem + ".txt")
        subprocess.run(["nasm", "-Werror", "-f", "bin", f"-I{here}/", "-o", image, source], check=True)
        image.write_bytes(image.read_bytes().ljust(16 * 63 * 512, b"\0"))
        expect = next(l.split("expect:", 1)[1].strip() for l in source.read_text().splitlines()
                      if "expect:" in l)
        try:
            status = subprocess.run(
                sys.argv[1:] + ["-display", "none", "-hda", image, "-debugcon", f"file:{said}",
                                "-device", "isa-debug-exit,iobase=0xf4"],
                timeout=60, stderr=subprocess.DEVNULL, check=False).returncode
        except subprocess.TimeoutExpired:
            status = "timeout"
        text = said.read_text(errors="replace").strip() if said.exists() else ""
        good = status == 33 and text.splitlines()[-1:] == [expect]
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {source.stem}: {text.splitlines()[-1:]} status {status}")
sys.exit(bool(failed))

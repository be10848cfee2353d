#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py [--only NAME,NAME] [--verbose] [--under COMMAND] EMULATOR [ARGS...]: assembles every test here and runs it
from -hda, or with a line "media: floppy BYTES" from drive A. Compares the last line of what it says
through port E9h with its "expect:" line, and the exit status with 33 or with its "status:" line
(turbo86 others). An "args:" line has more options, a "reboots:" line says that others may not be run with
-no-reboot. A line "name: FAIL ..." is a failure, unless the
emulator is QEMU or Bochs (../support/bochs.py) and deviations.md lists the case; the case "(end)"
there excuses how the test ends. COMMAND runs the emulator where it is another processor's program."""
import fnmatch
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def deviations(emulator):
    """[(test, pattern)] from the rows `| test | case | ...` of that section of deviations.md."""
    rows, section = [], None
    for line in (HERE / "deviations.md").read_text().splitlines():
        if line.startswith("## "):
            section = line[3:].strip().lower()
        if section != emulator:
            continue
        cells = [c.strip(" `") for c in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) >= 2:
            rows.append((cells[0], cells[1]))
    return rows


def header(source, key):
    for line in source.read_text().splitlines():
        if line.startswith(f"; {key}:"):
            return line.split(":", 1)[1].strip()
    return None


def lacks(source, command, under):
    """Why the emulator cannot do what the test needs, or None."""
    args = (header(source, "args") or "").split()
    if "-nic" not in args or "turbo86" not in command[0]:
        return None
    p = subprocess.run(under + command[:1] + args + ["-display", "none", "--timeout", "1ns"], check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       text=True)
    return p.stderr.strip() if "libslirp" in p.stderr else None


def run(source, command, tmp, other, limit):
    """-> (exit status, what it said)"""
    reboots = other and header(source, "reboots")
    image, said = tmp / (source.stem + ".img"), tmp / (source.stem + ".txt")
    subprocess.run(["nasm", "-Werror", "-w-label-orphan", "-f", "bin", f"-I{HERE}/", "-o", image,
                    source], check=True)
    media = (header(source, "media") or "ide").split()
    size = int(media[1]) if len(media) > 1 else 2 * 16 * 63 * 512
    image.write_bytes(image.read_bytes().ljust(size, b"\0"))
    try:
        status = subprocess.run(
            command + ["-display", "none"] + ([] if reboots else ["-no-reboot"]) + ["-drive",
                       f"file={image},format=raw,if={media[0]}", "-debugcon", f"file:{said}",
                       "-device", "isa-debug-exit,iobase=0xf4"] + (header(source, "args") or "").split(),
            timeout=limit, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False).returncode
    except subprocess.TimeoutExpired:
        status = "timeout"
    return status, said.read_text(errors="replace").strip() if said.exists() else ""


def judge(source, status, text, other, known):
    """-> [what is wrong], number of good cases, number of excused ones"""
    wrong, good, excused = [], 0, 0
    patterns = [p for t, p in known if t == source.stem]
    want = (header(source, "status") or "33 33").split()[bool(other)]
    if str(status) != want:
        wrong.append(f"exit status {status}, not {want}")
    if text.splitlines()[-1:] != [header(source, "expect")]:
        wrong.append(f"last line {text.splitlines()[-1:]}")
    if wrong and "(end)" in patterns:
        wrong, excused = [], 1
    for line in text.splitlines():
        name = line.split(": FAIL")[0]
        hit = [p for p in patterns if fnmatch.fnmatchcase(name, p)]
        if ": FAIL" in line and hit:
            excused += 1
        elif ": FAIL" in line:
            wrong.append(line)
        else:
            good += line.endswith(": ok")
    return wrong, good, excused


def main():
    args, only, verbose, under = sys.argv[1:], None, False, []
    while args and args[0] in ("--only", "--verbose", "--under"):
        if args[0] == "--verbose":
            verbose, args = True, args[1:]
        elif args[0] == "--under":
            under, args = args[1].split(), args[2:]
        else:
            only, args = args[1].split(","), args[2:]
    other = next((name for name in ("qemu", "bochs") if name in args[0]), None)
    known = deviations(other) if other else []
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for source in sorted(HERE.glob("*.asm")):
            if only and source.stem not in only:
                continue
            if (source.stem, "*") in known:
                print(f"skip {source.stem}")
                continue
            if lacks(source, args, under):
                print(f"skip {source.stem}: {lacks(source, args, under)}")
                continue
            status, text = run(source, under + args, pathlib.Path(tmp), other, 900 if under else 60)
            wrong, good, excused = judge(source, status, text, other, known)
            failed += bool(wrong)
            if verbose:
                print(text)
            note = f", {excused} deviations" if excused else ""
            print(f"{'FAIL' if wrong else 'ok  '} {source.stem}: {good} cases{note}")
            for line in wrong:
                print(f"     {line}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

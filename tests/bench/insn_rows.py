#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an emulated emulator executed for each row of its guest: from the output of insn_count.c with marks=on.

    insn_rows.py NAME=LOG ...

A guest says "@BOOT" when it has booted, "@B ROW" and "@E ROW CHECKSUM" around each row. Prints, in
10^9, the instructions up to @BOOT and between the two lines of each row; with several logs, also the
parts of the first one's. Exit status 1: a row is missing in one, or has another checksum."""
import pathlib
import re
import sys

MARK = re.compile(r"\{(\d+)\}")


def rows(path):
    """-> {row: (instructions, checksum)}"""
    found, begun, line, count = {}, {}, "", 0
    text = pathlib.Path(path).read_text(errors="replace").replace("\r", "")
    for piece in re.split(r"(\{\d+\}|\n)", text):
        mark = MARK.fullmatch(piece)
        if mark:
            count = int(mark[1])
        elif piece == "\n":
            words = line.split()
            if words[:1] == ["@BOOT"]:
                found["boot"] = (count, "")
            elif words[:1] == ["@B"]:
                begun[words[1]] = count
            elif words[:1] == ["@E"]:
                found[words[1]] = (count - begun[words[1]], words[2])
            line = ""
        else:
            line += piece
    return found


def main():
    logs = [argument.split("=", 1) for argument in sys.argv[1:]]
    if not logs:
        sys.exit(__doc__)
    names = [name for name, _ in logs]
    counts = [rows(path) for _, path in logs]
    print(f"{'':10}" + "".join(f"{n:>10}" for n in names) + "".join(f"{n + '/' + names[0]:>16}" for n in names[1:]))
    wrong = False
    for row, (first, checksum) in counts[0].items():
        got = [c.get(row) for c in counts]
        wrong |= any(g is None or g[1] != checksum for g in got)
        print(f"{row:10}" + "".join(f"{g[0] / 1e9:10.3f}" if g else f"{'-':>10}" for g in got)
              + "".join(f"{g[0] / first:16.3f}" if g else f"{'-':>16}" for g in got[1:]))
    sys.exit(wrong)


main()

#!/usr/bin/env python3
"""Fail on a source file past 600 lines or a function past 80 (docs/STYLE.md, "Sizes").

Files whose name ends in .def are tables and exempt; so are tests. A function is what clang-format's
style makes recognisable: an unindented line that opens with '{' up to the unindented '}'.
"""
import pathlib
import sys

FOLDERS = ["base", "mmu", "cpu", "jit", "devices", "machine", "frontend"]
MAX_FILE, MAX_FUNCTION, MAX_COLUMNS = 600, 80, 100

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
bad = []
for folder in FOLDERS:
    for path in sorted((root / folder).rglob("*.[ch]")):
        lines = path.read_text().splitlines()
        if len(lines) > MAX_FILE:
            bad.append(f"{path}: {len(lines)} lines, at most {MAX_FILE}")
        start = None
        for n, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                bad.append(f"{path}:{n}: {len(line)} columns, at most {MAX_COLUMNS}")
            if line == "{":
                start = n
            elif line == "}" and start:
                if n - start > MAX_FUNCTION:
                    bad.append(f"{path}:{start}: function of {n - start} lines, at most {MAX_FUNCTION}")
                start = None
print("\n".join(bad) or "sizes: ok")
sys.exit(bool(bad))

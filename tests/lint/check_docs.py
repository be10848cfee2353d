#!/usr/bin/env python3
"""Fail where the documentation has lost touch with the sources:

- a citation in a comment, [KEY ...], whose key docs/REFERENCES.md does not list;
- a file in devices/ that docs/DEVICES.md does not name;
- a chip in devices/ whose state no test of tests/devices/ saves, loads and hashes;
- a relative link in a Markdown file that leads nowhere;
- an absolute path of somebody's workplace in any file;
- a name in the root that ROOT does not list (in a Git checkout: one that is committed or could be).
"""
import pathlib
import re
import subprocess
import sys

C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
ASM_COMMENT = re.compile(r";[^\n]*")
# What begins like a manual's name: [SDM 3A ...], [8259A], [440FX]; not [lo, hi) and not a[N].
CITATION = re.compile(r"(?<![\w\])])\[([A-Z][\w-]{2,}|\d{3,}[A-Z-]*)(?=[\s\],;])")
REGISTER = re.compile(r"[ER]?([A-D]X|[SD]I|[SBI]P)$")  # [EBX] in a comment is an operand
LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
WORKPLACE = re.compile(r"(?<![\w.])/(work|tmp/w)/")

ROOT = {".ci", ".clang-format", ".gitignore", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
        "base", "cmake", "cpu", "devices", "docs", "frontend", "jit", "machine", "mmu", "roms", "run", "test",
        "tests"}

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
files = [path for top in sorted(root.iterdir())
         if not top.name.startswith("build") and top.name != ".git"
         for path in ([top] if top.is_file() else sorted(top.rglob("*"))) if path.is_file()]
bad = []


def complain(path, text, at, what):
    line = text.count("\n", 0, at) + 1
    bad.append(f"{path.relative_to(root)}:{line}: {what}")


references = (root / "docs/REFERENCES.md").read_text()
known = {m[1] for m in re.finditer(r"`\[([\w-]+)", references)}
saved = {m[1] for path in (root / "tests/devices").glob("*.c")
         for m in re.finditer(r"check_save_load\(&(\w+)", path.read_text())}
chips = (root / "docs/DEVICES.md").read_text()

for path in files:
    text = path.read_text(errors="ignore")
    for m in WORKPLACE.finditer(text):
        complain(path, text, m.start(), f"names a workplace: {m[0]}")
    if path.suffix in (".c", ".h", ".def", ".asl", ".asm", ".inc"):
        comment = ASM_COMMENT if path.suffix in (".asm", ".inc") else C_COMMENT
        for c in comment.finditer(text):
            for m in CITATION.finditer(c[0]):
                if m[1] not in known and not REGISTER.match(m[1]):
                    complain(path, text, c.start() + m.start(),
                             f"[{m[1]}] is not in docs/REFERENCES.md")
    if path.suffix == ".md":
        for m in LINK.finditer(text):
            if ":" not in m[1] and not (path.parent / m[1]).exists():
                complain(path, text, m.start(), f"{m[1]} does not exist")
    if path.suffix == ".c" and path.parent == root / "devices":
        if not re.search(rf"\b{path.stem}\b", chips):
            complain(path, text, 0, "is not named in docs/DEVICES.md")
        for m in re.finditer(r"^const struct device_class (\w+) =", text, re.M):
            if m[1] not in saved:
                complain(path, text, m.start(), f"no test saves and loads {m[1]}")

git = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                     capture_output=True, check=False) if (root / ".git").exists() else None
if git and git.returncode == 0:
    names = {n.split(b"/")[0].decode(errors="replace") for n in git.stdout.split(b"\0") if n}
    bad += [f"{name!r}: no file of ours has that name, in the root" for name in sorted(names - ROOT)]

print("\n".join(bad) or "docs: ok")
sys.exit(bool(bad))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scripts of the regression set on QEMU, as far as it lets itself be asked: is it the guest that changed, or we?

usage: on_qemu.py [--only NAME,...] [--make FOLDER] [--qemu PROGRAM] [--patience N] [--report FILE] [GUEST=FILE ...]
GUESTs and --make as for regress.py, and demo: build/roms/demo.img. QEMU runs in the host's time: limits are N times (8) what the
scripts say. Text is read from the memory of the text screen; in graphics modes the script goes on without, to its next
picture, which then has a limit of its own. A picture is compared without the cursor's cell, and with tolerance for how
six bits of a colour become eight. --report adds a column to the page that regress.py has made.
Exit status 77: QEMU is not installed, or no guest is there.
"""
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import golden
import regress

KEYS = {" ": "spc", "\n": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
        ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))
NAMES = {"enter": "ret", "del": "delete", "space": "spc"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "e": "\033"}
REASONS = {  # why pictures differ that should
    "demo": "the demo shows the CPU and its speed",
    "memtest": "Memtest86+ shows the CPU and its speed",
    "ipxe": "iPXE's disk is asked before the floppy",
}
TOLERANCE = 4  # of 255
GRAPHICS_LIMIT = 30  # seconds without a text screen, until we think that it stays so
PICTURE_LIMIT = 200  # seconds of the host, times the patience / 8, for a picture that is not waited for by text

WHY = "Pictures that differ on QEMU:"


class Differs(Exception):
    """The guest does not do what the script wants."""


class Qemu:
    def __init__(self, program, options, folder):
        args = [program, "-accel", "tcg", "-nodefaults", "-device", "VGA,edid=off", "-display", "none", "-snapshot",
                "-no-reboot", "-cpu", "pentium3", *options]
        for name, where in (("q", "-qmp"), ("s", "-serial")):
            args += [where, f"unix:{folder}/{name},server=on,wait=off"]
        self.folder, self.tape, self.cursor, self.ended = folder, "", 0, False
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.serial = self.connect("s")
        self.qmp = self.connect("q")
        self.lines = self.qmp.makefile("r")
        self.lines.readline()
        self.command("qmp_capabilities")
        threading.Thread(target=self.listen, daemon=True).start()

    def connect(self, name):
        while self.process.poll() is None:
            s = socket.socket(socket.AF_UNIX)
            if s.connect_ex(f"{self.folder}/{name}") == 0:
                return s
            s.close()
            time.sleep(0.02)
        raise Differs(f"QEMU does not start: {self.process.stderr.read().strip()}")

    def listen(self):
        while data := self.serial.recv(4096):
            self.tape += data.decode("latin-1").replace("\r", "").replace("\0", "")

    def command(self, name, **args):
        """Its answer; None if QEMU has ended."""
        try:
            self.qmp.sendall(json.dumps({"execute": name, "arguments": args}).encode())
            while line := self.lines.readline():
                message = json.loads(line)
                if "error" in message:
                    raise Differs(f"{name}: {message['error']['desc']}")
                if "return" in message:
                    return message["return"]
        except OSError:
            pass
        self.ended = True
        return None

    def picture(self):
        path = f"{self.folder}/picture.ppm"
        if self.command("screendump", filename=path) is None:
            return None
        with open(path, "rb") as f:
            data = f.read()
        _, width, height, _ = data[:40].split(None, 4)[:4]
        width, height = int(width), int(height)
        return width, height, data[-3 * width * height:]

    def screen(self):
        """The text screen as lines, or None in a graphics mode."""
        p = self.picture()
        if not p or (p[0], p[1]) not in ((720, 400), (640, 400)):
            return None
        dump = self.command("human-monitor-command", **{"command-line": "xp /4000xb 0xb8000"}) or ""
        cells = [int(b, 16) for line in dump.splitlines() for b in line.split(":", 1)[-1].split()][::2]
        text = bytes(c or 32 for c in cells).decode("cp437")
        return "\n".join(text[i:i + 80].rstrip() for i in range(0, len(text), 80))

    def keys(self, names):
        self.command("send-key", keys=[{"type": "qcode", "data": NAMES.get(n, n)} for n in names])
        time.sleep(0.2)

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.serial.close()
        self.qmp.close()


def seconds(text):
    n, unit = re.fullmatch(r"([\d.]+)(ms|s|min)", text).groups()
    return float(n) * {"ms": 0.001, "s": 1, "min": 60}[unit]


def unescaped(text):
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else
                  ESCAPES.get(m[1], m[1]), text)


def pattern(word):
    """"text" or /regex/ of a script."""
    if word.startswith('"'):
        return re.compile(re.escape(unescaped(word[1:word.rindex('"')])))
    end = word.rindex("/")
    return re.compile(word[1:end].replace("\\/", "/"), re.M | (re.I if word[end + 1:].startswith("i") else 0))


def same_picture(a, b):
    """How many pixels differ: in all cells but one, where the cursor can be. None: the sizes differ."""
    if a[:2] != b[:2]:
        return None
    stride, cells = 3 * a[0], {}
    for y in range(a[1]):
        row, other = (p[2][y * stride:(y + 1) * stride] for p in (a, b))
        for x in range(a[0]) if row != other else ():
            if any(abs(u - v) > TOLERANCE for u, v in zip(row[3 * x:3 * x + 3], other[3 * x:3 * x + 3])):
                at = (x // 9, y // 16)
                cells[at] = cells.get(at, 0) + 1
    return sum(cells.values()) if len(cells) > 1 else 0


class Script:
    """One script on one QEMU."""

    def __init__(self, qemu, path, patience):
        self.qemu, self.path, self.patience = qemu, path, patience
        self.rejects, self.notes, self.default = [], [], 60
        self.graphics = None  # since when there is no text screen
        self.unread = False  # a text could not be waited for, because a graphics mode shows it

    def until(self, limit, what, done):
        end = time.monotonic() + limit * self.patience
        while not done():
            self.check_rejects()
            if self.qemu.ended or self.qemu.process.poll() is not None:
                raise Differs("the guest ended")
            if time.monotonic() > end:
                raise Differs(f"{what} did not come in {limit * self.patience:.0f} s")
            time.sleep(0.3)

    def check_rejects(self):
        for where, p in self.rejects:
            texts = ([self.qemu.tape] if where != "screen" else []) + ([self.qemu.screen()] if where != "serial" else [])
            for text in texts:
                if text and p.search(text):
                    raise Differs(f"{p.pattern} came")

    def on_tape(self, p):
        m = p.search(self.qemu.tape, self.qemu.cursor)
        if m:
            self.qemu.cursor = m.end()
        return bool(m)

    def on_screen(self, p):
        text = self.qemu.screen()
        if text is not None:
            self.graphics = None
            return bool(p.search(text))
        self.graphics = self.graphics or time.monotonic()
        self.unread = time.monotonic() - self.graphics > GRAPHICS_LIMIT
        return self.unread

    def idle(self, time_, limit):
        """Nothing said and the picture the same for a while."""
        state = {"since": time.monotonic(), "was": None}

        def quiet():
            text = self.qemu.screen()  # a cursor may blink, clocks may count on
            now = (len(self.qemu.tape), re.sub(r"\d+", "0", text) if text else self.qemu.picture())
            if now != state["was"]:
                state.update(was=now, since=time.monotonic())
            return time.monotonic() - state["since"] > max(time_ * 3, 2)
        self.until(limit, "quiet", quiet)

    def frame(self, name):
        wanted = golden.png_load(os.path.join(regress.FOLDER, name))
        last = {}

        def same():
            p = self.qemu.picture()
            if p != last.get("p"):
                last.update(p=p, n=same_picture(p, wanted) if p else None)
            return last.get("n") == 0
        try:
            text = self.qemu.screen() is not None and not self.unread
            limit = 0.5 if text else PICTURE_LIMIT / 8
            self.until(limit, "the picture", same)
            self.notes.append("picture equal")
        except Differs:
            p, n = last.get("p"), last.get("n")
            size = f"{p[0]}x{p[1]}, not {wanted[0]}x{wanted[1]}" if p else "not there"
            what = f"`{name}` is {size}" if n is None else f"`{name}` differs in {n} of {p[0] * p[1]} pixels"
            if not text:
                raise Differs(f"after {limit * self.patience:.0f} s {what}") from None
            self.notes.append(what)
        self.unread = False

    def look(self, verb, words, line):
        sight = words[0]
        rest = line.split(None, 2)[2] if len(words) > 1 else ""
        if sight == "frame":
            self.frame(words[1])
        elif sight == "idle":
            self.idle(seconds(words[1]), seconds(words[2]) if len(words) > 2 else self.default)
        elif sight == "end":
            self.until(seconds(words[1]) if len(words) > 1 else self.default, "the end",
                       lambda: self.qemu.process.poll() is not None)
        elif sight in ("screen", "serial"):
            m = re.fullmatch(r'("(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/i?)(?:\s+(\S+))?', rest)
            p = pattern(m[1])
            find = self.on_screen if sight == "screen" else self.on_tape
            limit = seconds(m[2]) if m[2] else self.default if verb == "wait" else 0.5
            self.until(limit, m[1], lambda: find(p))
        else:
            end = time.monotonic() + seconds(sight)
            while time.monotonic() < end:
                time.sleep(0.2)

    def type(self, text):
        time.sleep(1)  # QEMU does not say whether the guest has taken a key; after a prompt it soon does
        for m in re.finditer(r"<<|<([^<>]+)>|(\\?.)", text, re.S):
            if m[1] and re.fullmatch(r"[\d.]+(ms|s)", m[1]):
                time.sleep(seconds(m[1]))
            elif m[1]:
                self.qemu.keys(m[1].split("-"))
            else:
                c = "<" if m[0] == "<<" else unescaped(m[0])
                base = SHIFTED.get(c, c.lower())
                shift = ["shift"] if c in SHIFTED or c.isupper() else []
                self.qemu.keys([*shift, KEYS.get(base, base)])

    def step(self, line):
        verb, *words = line.split()
        if verb in ("wait", "expect"):
            self.look(verb, words, line)
        elif verb == "reject":
            where = words[0] if words[0] in ("screen", "serial") else ""
            self.rejects.append((where, pattern(line.split(None, 2 if where else 1)[-1])))
        elif verb == "type":
            self.type(line[line.index('"') + 1:line.rindex('"')])
        elif verb == "key":
            self.qemu.keys(words[0].split("-"))
        elif verb == "send":
            self.qemu.serial.sendall(unescaped(line[line.index('"') + 1:line.rindex('"')]).encode("latin-1"))
        elif verb != "mark":  # which has no meaning here
            raise Differs(f"{verb} is not known here")
        self.check_rejects()

    def run(self):
        with open(self.path) as f:
            for number, line in enumerate(f, 1):
                line = re.sub(r"\s+#.*", "", line.strip()) if '"' not in line and "/" not in line else line.strip()
                if not line or line.startswith("#"):
                    continue
                try:
                    self.step(line)
                except Differs as e:
                    raise Differs(f"line {number}: {e}") from None


def options_of(job, guests):
    """Ours without what only we have; QEMU wants the format of disks to be said."""
    options, given = [], iter(job["options"])
    for o in given:
        if o == "-ns-per-insn":
            next(given)
        elif o in ("-hda", "-fda"):
            options += ["-drive", f"file={next(given)},format=raw,if={'ide' if o == '-hda' else 'floppy'}"]
        else:
            options.append(o)
    if job["name"] == "demo":
        options += ["-drive", f"file={guests['demo']},format=raw"]
    return options


def check(args, job, guests):
    """-> whether it went, and what there is to say."""
    if job["name"] == "demo" and "demo" not in guests:
        return True, "not run"
    with tempfile.TemporaryDirectory() as folder:
        qemu = None
        try:
            qemu = Qemu(args.qemu, options_of(job, guests), folder)
            script = Script(qemu, job["script"], args.patience)
            script.run()
            return True, "; ".join(dict.fromkeys(["passes", *script.notes]))
        except Differs as e:
            return False, f"FAILED, {e}"
        finally:
            if qemu:
                qemu.close()


def add_column(path, results, version):
    """A last column in the table of the page, and above it what that is."""
    with open(path) as f:
        lines = [line for line in f.read().splitlines() if "on_qemu.py" not in line and not line.startswith(WHY)]
    lines.insert(next(i for i, line in enumerate(lines) if line.startswith("| script")) - 1,
                 f"The last column is of the same scripts on {version}, by `tests/boot/on_qemu.py`.")
    for i, line in enumerate(lines):
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line.strip("|"))] if line.startswith("|") else []
        if cells and cells[0] == "script":
            column = cells.index("on QEMU") if "on QEMU" in cells else len(cells)
            lines[i] = "| " + " | ".join([*cells[:column], "on QEMU"]) + " |"
        elif cells and set(cells[0]) == {"-"}:
            lines[i] = "|" + "---|" * (column + 1)
        elif cells:
            old = cells[column:] or [""]
            lines[i] = "| " + " | ".join([*cells[:column], results.get(cells[0].strip("`"), old[0])]) + " |"
    while not lines[-1]:
        lines.pop()
    known = [text for name, text in REASONS.items() if any(f"`{name}`" in line and "differs" in line for line in lines)]
    if known:
        lines += ["", f"{WHY} {'; '.join(known)}."]
    with open(path + ".partial", "w") as f:
        f.write("\n".join(lines) + "\n")
    os.replace(path + ".partial", path)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--only")
    parser.add_argument("--make")
    parser.add_argument("--qemu", default="qemu-system-i386")
    parser.add_argument("--patience", type=float, default=8)
    parser.add_argument("--report", type=os.path.abspath)
    parser.add_argument("guests", nargs="*")
    args = parser.parse_intermixed_args()
    if args.make:
        args.guests += regress.make_guests(args.make)
    guests = {g.split("=", 1)[0]: os.path.abspath(g.split("=", 1)[1]) for g in args.guests}
    jobs = regress.selected(args.only, guests)
    if not shutil.which(args.qemu) or not jobs:
        print("skipped: there is no QEMU, or no guest")
        return 77
    version = subprocess.run([args.qemu, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    results, failed = {}, 0
    for job in jobs:
        begin = time.monotonic()
        good, results[job["name"]] = check(args, job, guests)
        failed += not good
        print(f"{job['name']} ({time.monotonic() - begin:.0f} s): {results[job['name']]}", flush=True)
        if args.report:
            add_column(args.report, results, version)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

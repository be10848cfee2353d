#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The regression set: real guests, each with a script and golden screens in tests/boot/set, each run twice.

usage: regress.py TURBO86 [--only NAME,...] [--make FOLDER] [--jobs N] [--tap FOLDER] [--report FILE] [--kill N]
                  [--update] [GUEST=FILE ...]
A script's first line has the machine's options; {GUEST} in it is the FILE given here, and without one the script is
skipped. --make has set_guests.py make most GUESTs, in FOLDER, of what Debian's packages have installed; linux and initrd
are what ./run linux boots, pae is Debian's kernel of that name. The second run must end in the states of the first: what
`mark` prints is compared. --report writes the results as a page.
--kill N: between the two runs there are N more, each ended by SIGKILL at another moment; no file may have changed.
--update: one run each, which draws the golden screens anew; look at them.
Exit status 77: no guest is there.
"""
import argparse
import concurrent.futures
import glob
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = f"{HERE}/set"
COMMAND = ["-snapshot", "-artifacts", "none", "--script"]
PAGE = """# The regression set

Real guests from Debian's packages, driven by the scripts of `tests/boot/set` and compared with the golden screens there,
each run twice. Made by `tests/boot/regress.py --report docs/REGRESSION.md` from commit {commit}, with {packages}.
The state is the hash at the script's last `mark`.{kill}

| script | guest | instructions | guest time | state | both runs |
|---|---|---|---|---|---|
"""
KILL = """
Runs of each script ended by SIGKILL between the two: {n}. No file of the set or of a guest had changed after any."""
PACKAGES = ["debian-installer-12-netboot-i386", "memtest86+", "ipxe", "isolinux", "syslinux", "grub-pc-bin"]


def start(turbo86, job, extra):
    return subprocess.Popen([turbo86, *job["options"], *COMMAND, job["script"], *extra], cwd=FOLDER, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, errors="replace")


def run(turbo86, job, extra):
    """Its exit status, its marks, what it complained about, and how long it took."""
    begin = time.time()
    p = start(turbo86, job, extra)
    try:
        out, err = p.communicate(timeout=3600)
    finally:
        p.kill()
    return p.returncode, re.findall(r"^mark.*$", out, re.M), err, time.time() - begin


def fingerprint(files):
    """What every file of the set, and every one of @files, is."""
    found = {}
    for path in sorted(glob.glob(f"{FOLDER}/*")) + sorted(files):
        with open(path, "rb") as f:
            found[path] = hashlib.sha256(f.read()).hexdigest()
    return found


def kill_some(turbo86, job, count, seconds):
    """Runs ended by SIGKILL all over the time that one takes. What they broke, or nothing."""
    for i in range(count):
        with tempfile.TemporaryDirectory() as folder:
            before = fingerprint(job["files"])
            p = start(turbo86, job, ["--tap", f"{folder}/tap"])
            time.sleep(seconds * (i + 1) / (count + 1))
            p.kill()
            p.communicate()
            if fingerprint(job["files"]) != before:
                return f"run {i} was killed and left another file"
            left = set(os.listdir(folder)) - {"tap.partial"}
            if left and (p.returncode < 0 or left != {"tap"}):
                return f"run {i} was killed and left {left}"
    return ""


def check(args, job):
    """Twice, or as often as the arguments say. What came out of it."""
    extra = ["--tap", os.path.join(args.tap, job["name"] + ".tap")] if args.tap else []
    first = run(args.turbo86, job, extra)
    why = first[2] if first[0] else "" if first[1] else "the script marks nothing"
    if not why and args.kill:
        why = kill_some(args.turbo86, job, args.kill, first[3])
    if not why:
        second = run(args.turbo86, job, [])
        why = second[2] if second[0] else "" if first[1] == second[1] else f"{first[1]}\n{second[1]}"
    return {"job": job, "mark": first[1][-1] if first[1] else "", "seconds": first[3], "why": why}


def update(turbo86, job):
    with open(job["script"]) as f:
        text = f.read()
    with tempfile.NamedTemporaryFile("w", suffix=".t86") as f:
        f.write(re.sub(r"^expect frame (\S+\.png)$", r"screenshot \1", text, flags=re.M))
        f.flush()
        status, _, err, _ = run(turbo86, dict(job, script=f.name), [])
    print(f"{'drawn' if status == 0 else err} {job['name']}", flush=True)
    return status


def kernel(path):
    """What a bzImage says that it is: its header points at it."""
    with open(path, "rb") as f:
        head = f.read(0x10000)
    at = int.from_bytes(head[0x20e:0x210], "little") + 0x200
    text = head[at:head.index(b"\0", at)].decode(errors="replace")
    m = re.match(r"(\S+) .*\bDebian (\S+)", text)
    return f"linux-image-{m[1]} {m[2]}" if m else f"Linux {text.split()[0]}"


def versions(guests):
    """The packages that the guests come from, as far as dpkg and they themselves know."""
    p = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PACKAGES], capture_output=True, text=True)
    known = [text for text in p.stdout.split(", ") if text] or ["unknown packages"]
    return ", ".join(known + [kernel(guests[name]) for name in ("linux", "pae") if name in guests])


def report(path, results, args):
    git = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    with open(path + ".partial", "w") as f:
        f.write(PAGE.format(commit=git.stdout.strip(), packages=versions(args.found), kill=KILL.format(n=args.kill) if args.kill else ""))
        for r in results:
            mark = re.search(r"([\d.]+) s, (\d+) instructions.*state ([0-9a-f]{16})", r["mark"])
            values = f"{int(mark[2]):,} | {mark[1]} s | `{mark[3]}`" if mark else " | | "
            f.write(f"| `{r['job']['name']}` | {r['job']['text']} | {values} | {'FAILED' if r['why'] else 'equal'} |\n")
    os.replace(path + ".partial", path)


def selected(only, guests):
    """The scripts that can be run: name, what it is about, script, its files, the machine's options."""
    jobs = []
    for script in sorted(glob.glob(f"{FOLDER}/*.t86")):
        name = os.path.basename(script)[:-4]
        if only and name not in only.split(","):
            continue
        with open(script) as f:
            line, text = f.readline()[2:].strip(), f.readline()[1:].strip()
        wanted = re.findall(r"{(\w+)}", line)
        missing = [g for g in wanted if g not in guests]
        if missing:
            print(f"skipped {name}: no {', '.join(missing)}", flush=True)
        else:
            jobs.append({"name": name, "text": text, "script": script, "files": [guests[g] for g in wanted],
                         "options": shlex.split(line.format(**guests))})
    return jobs


def make_guests(folder):
    """As GUEST=FILE, each."""
    p = subprocess.run([sys.executable, f"{HERE}/set_guests.py", folder], stdout=subprocess.PIPE, text=True, check=True)
    return p.stdout.split()


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86", type=os.path.abspath)
    parser.add_argument("--only")
    parser.add_argument("--make")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tap", type=os.path.abspath)
    parser.add_argument("--report", type=os.path.abspath)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("guests", nargs="*")
    return parser.parse_intermixed_args()


def main():
    args = arguments()
    if args.make:
        args.guests += make_guests(args.make)
    args.found = {g.split("=", 1)[0]: os.path.abspath(g.split("=", 1)[1]) for g in args.guests}
    jobs = selected(args.only, args.found)
    if args.update:
        return max([0, *(update(args.turbo86, job) for job in jobs)])
    results = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for r in pool.map(lambda job: check(args, job), jobs):
            results.append(r)
            print(f"FAILED {r['job']['name']}: {r['why']}" if r["why"] else
                  f"ok {r['job']['name']} ({r['seconds']:.1f} s): {r['mark']}", flush=True)
    failed = sum(bool(r["why"]) for r in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    if args.report and results:
        report(args.report, results, args)
    return 1 if failed else 0 if results else 77


if __name__ == "__main__":
    sys.exit(main())

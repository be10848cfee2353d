#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Snapshots carried from one host's turbo86 to another's, both ways: what follows must be the same to the last bit.

usage: carry.py ONE OTHER [--kernel FILE --initrd FILE]      commands: "qemu-aarch64-static -L build-a64/sysroot build-a64/turbo86"
Without a kernel: the demo disk, saved while the BIOS works, while it computes, and while somebody types, under our own BIOS
and SeaBIOS. With one: Linux with a shell on ttyS0, saved while it boots and at its prompt. The one who saves goes on, the one
who loads does the same, and what `mark` prints must be equal: instructions, guest time, the picture and the state's hash.
Both engines of both sides take their turns. Exit status 77: one of the programs is not there.
"""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile

SEABIOS = "/usr/share/seabios/bios-256k.bin"
ENGINES = [("on", "on"), ("off", "on"), ("on", "off"), ("off", "off")]  # of who saves and who loads
DEMO = [  # until when, and what follows
    ("wait 3ms", "wait 10ms\nmark early\nwait 20ms\nmark later"),
    ('{prompt}\ntype "bench\\n"\nwait 20ms', "wait 10ms\nmark computing\nwait 30ms\nmark later"),
    ('{prompt}\ntype "echo car"',
     'type "ried\\n"\nwait screen /^carried$/ 5s\nmark typed\ntype "fault\\ntime\\n"\nwait 300ms\nmark end'),
]
LINUX = [
    ("wait 1500ms", "wait 200ms\nmark kernel\nwait 200ms\nmark later"),
    ("wait serial /# / 200s\nwait idle 500ms",
     'send serial "echo $((6*7)); cat /proc/interrupts | wc -l\\n"\nwait serial /^42$/ 20s\nmark shell\nwait idle 300ms\nmark idle'),
]


class Host:
    def __init__(self, command):
        self.command = [os.path.abspath(w) if "/" in w else w for w in shlex.split(command)]
        self.name = os.path.basename(self.command[0])

    def is_there(self):
        found = all(os.path.exists(word) for word in self.command if "/" in word)
        return found and subprocess.run([*self.command, "--version"], capture_output=True).returncode == 0

    def run(self, machine, engine, script):
        """What the script marks."""
        with open("t86", "w") as f:
            f.write(script + "\n")
        p = subprocess.run([*self.command, *machine, "-display", "none", "-jit", engine, "-artifacts", "none", "--script",
                            "t86"], capture_output=True, text=True, errors="replace", timeout=3000, stdin=subprocess.DEVNULL)
        if p.returncode:
            raise AssertionError(f"{self.name}: status {p.returncode}\n{p.stdout}{p.stderr}")
        return re.findall("^mark .*$", p.stdout, re.M)


def prompts(host, machine):
    """A snapshot of the demo at its prompt: it has measured the machine until then, which is long."""
    name = "prompt" + str(len(machine))
    host.run(machine, "on", f"wait screen /^demo>/ 30s\nwait idle 500ms\nsnapshot save {name}")
    return f"snapshot load {name}"


def carry(machine, name, until, follows, saver, loader, engines):
    saved = saver.run(machine, engines[0], f"{until}\nsnapshot save carried\n{follows}")
    loaded = loader.run(machine, engines[1], f"snapshot load carried\n{follows}")
    if not saved or saved != loaded:
        raise AssertionError(f"{name}: {saver.name} (-jit {engines[0]}) saved, {loader.name} (-jit {engines[1]}) loaded:\n"
                             + "\n".join(saved + loaded))
    print(f"ok {name}: {saver.name} (-jit {engines[0]}) -> {loader.name} (-jit {engines[1]}): {saved[-1]}", flush=True)


def cases(args):
    if args.kernel:
        machine = ["-m", "64", "-cpu", "pentium3", "-serial", "null", "-kernel", args.kernel, "-initrd", args.initrd,
                   "-append", "console=ttyS0 quiet sh"]
        return [(f"Linux {i}", machine, *case) for i, case in enumerate(LINUX)]
    small = ["-m", "16", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    own = ["-bios", "tinybios.bin", *small]
    prompt = prompts(args.one, own)
    found = [(f"demo {i}", own, until.format(prompt=prompt), follows) for i, (until, follows) in enumerate(DEMO)]
    if os.path.exists(SEABIOS):
        found.append(("demo under SeaBIOS", small, DEMO[2][0].format(prompt=prompts(args.one, small)), DEMO[2][1]))
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("one", type=Host)
    parser.add_argument("other", type=Host)
    parser.add_argument("--kernel", type=os.path.abspath)
    parser.add_argument("--initrd", type=os.path.abspath)
    args = parser.parse_args()
    for host in (args.one, args.other):
        if not host.is_there():
            print(f"skipped: there is no {' '.join(host.command)}")
            return 77
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for i, (name, machine, until, follows) in enumerate(cases(args)):
            engines = ENGINES[0 if args.kernel else i]  # a Linux that is interpreted under emulation takes hours
            carry(machine, name, until, follows, args.one, args.other, engines)
            carry(machine, name, until, follows, args.other, args.one, engines)
        os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

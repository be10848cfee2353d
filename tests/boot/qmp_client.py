#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""QEMU's own client drives a run: the Python package qemu.qmp, and the qmp-shell in it, unchanged.

usage: qmp_client.py TURBO86 [--python FOLDER] [--show]
FOLDER has qemu/qmp: `python` in QEMU's source, as `apt-get source qemu` fetches it. Without it, the installed package
is taken. --show prints the session of the shell.
Exit status 77: there is no qemu.qmp.
"""
import argparse
import asyncio
import os
import subprocess
import sys
import tempfile

SHELL = """query-status
cont
send-key keys=[{"type":"qcode","data":"v"}]
send-key keys=[{"type":"qcode","data":"e"}]
send-key keys=[{"type":"qcode","data":"r"}]
screendump filename=screen.png format=png
stop
query-status
quit
"""


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


class Machine:
    """One that waits for `cont`, in a folder of its own."""

    def __init__(self, turbo86):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [turbo86, "-S", "-bios", "tinybios.bin", "-m", "16", "-display", "none", "-qmp",
             "unix:qmp,server=on,wait=off"], cwd=self.folder.name, stderr=subprocess.DEVNULL)
        while self.process.poll() is None and not os.path.exists(self.path("qmp")):
            pass

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def end(self):
        check("status at the end", self.process.wait(60), 0)


async def until_screen_has(qmp, text):
    for _ in range(600):
        screen = await qmp.execute("human-monitor-command", {"command-line": "screen"})
        if text in screen:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{text!r} did not come: {screen}")


async def drive(machine):
    """As a program does it, with the package's QMPClient."""
    import qemu.qmp
    client = qemu.qmp.QMPClient("turbo86")
    with client.listener() as events:
        await client.connect(machine.path("qmp"))
        check("before", await client.execute("query-status"), {"status": "prelaunch", "running": False})
        await client.execute("cont")
        check("event", (await events.get())["event"], "RESUME")
        await until_screen_has(client, "demo>")
        for key in "ver":
            await client.execute("send-key", {"keys": [{"type": "qcode", "data": key}]})
        await until_screen_has(client, "demo> ver")
        await client.execute("screendump", {"filename": machine.path("s.ppm")})
        with open(machine.path("s.ppm"), "rb") as f:
            check("picture", f.read(15), b"P6\n720 400\n255\n")
        try:
            await client.execute("no-such-command")
            raise AssertionError("a command that there is not was taken")
        except qemu.qmp.ExecuteError as e:
            check("error", e.error_class, "CommandNotFound")
        check("answer", await client.execute("quit"), {})
        check("event", (await events.get())["event"], "SHUTDOWN")
        try:
            await client.disconnect()
        except EOFError:
            pass  # the machine was first
    machine.end()


def shell(machine, show):
    """As a person does it, with the package's qmp-shell."""
    p = subprocess.run([sys.executable, "-m", "qemu.qmp.qmp_shell", "-v", "qmp"], input=SHELL, text=True,
                       capture_output=True, cwd=machine.folder.name, timeout=100)
    if show:
        print(p.stdout)
    answers = [line for line in p.stdout.splitlines() if line.startswith('{"return"')]
    check("answers", len(answers), len(SHELL.splitlines()))
    check("errors", [line for line in p.stdout.splitlines() if '"error"' in line], [])
    check("states", [answers[0], answers[7]],
          [f'{{"return": {{"status": "{status}", "running": false}}}}' for status in ("prelaunch", "paused")])
    with open(machine.path("screen.png"), "rb") as f:
        check("picture", f.read(4), b"\x89PNG")
    machine.end()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("turbo86", type=os.path.abspath)
    parser.add_argument("--python", type=os.path.abspath)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    if args.python:
        sys.path.insert(0, args.python)
        os.environ["PYTHONPATH"] = args.python
    try:
        import qemu.qmp  # noqa: F401 (is it there?)
    except ImportError:
        print("skipped: there is no qemu.qmp")
        return 77
    with Machine(args.turbo86) as machine:
        asyncio.run(drive(machine))
    with Machine(args.turbo86) as machine:
        shell(machine, args.show)
    print("ok: qemu.qmp and its qmp-shell start, look, type and quit")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket: what QEMU's clients do, on the demo disk under our own BIOS.

usage: test_qmp.py TURBO86 [TEST]     (without TEST: all)
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

import suite

TURBO86 = os.path.abspath(sys.argv[1])
DIR = tempfile.TemporaryDirectory()


def path(name):
    return os.path.join(DIR.name, name)


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


class Machine:
    def __init__(self, *args, qmp=",server,nowait"):
        self.process = subprocess.Popen(
            [TURBO86, "-bios", "tinybios.bin", "-m", "16", "-display", "none", "-qmp", f"unix:{path('q')}{qmp}",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *args], stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def status(self):
        return self.process.wait(60)


class Client:
    """As qemu.qmp does it: greeting, negotiation, lines of JSON."""

    def __init__(self, negotiate=True):
        for _ in range(200):
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path("q"))
                break
            except OSError:
                time.sleep(0.05)
        self.socket.settimeout(60)
        self.file = self.socket.makefile("r")
        self.events = []
        check("greeting", "QMP" in json.loads(self.file.readline()), True)
        if negotiate:
            check("negotiation", self.command("qmp_capabilities"), {})

    def send(self, text):
        self.socket.sendall(text.encode())

    def answer(self):
        while True:
            message = json.loads(self.file.readline())
            if "event" not in message:
                return message
            self.events.append(message)

    def event(self, name):
        while not any(e["event"] == name for e in self.events):
            message = json.loads(self.file.readline())
            self.events.append(message)
        return [e for e in self.events if e["event"] == name][-1]

    def command(self, name, **args):
        self.send(json.dumps({"execute": name, "arguments": args, "id": name}) + "\r\n")
        message = self.answer()
        check("id", message["id"], name)
        return message.get("return", message.get("error"))

    def screen(self):
        return self.command("human-monitor-command", **{"command-line": "screen"})

    def wait_for(self, text):
        for _ in range(300):
            if text in self.screen():
                return
            time.sleep(0.1)
        raise AssertionError(f"{text!r} did not come: {self.screen()}")


def a_client_starts_types_looks_and_quits():
    with Machine("-S") as m:
        c = Client()
        check("not yet", c.command("query-status"), {"status": "prelaunch", "running": False})
        check("cont", c.command("cont"), {})
        c.event("RESUME")
        check("running", c.command("query-status")["running"], True)
        c.wait_for("demo>")
        for key in ("e", "c", "h", "o", "spc", "q", "m", "p"):
            c.command("send-key", keys=[{"type": "qcode", "data": key}])
        c.wait_for("demo> echo qmp")
        for down in (True, False):
            key = {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": "b"}}}
            check("event", c.command("input-send-event", events=[key]), {})
        c.wait_for("demo> echo qmpb")
        c.command("send-key", keys=[{"type": "qcode", "data": "shift"}, {"type": "qcode", "data": "a"}])
        c.wait_for("demo> echo qmpbA")
        c.command("send-key", keys=[{"type": "number", "data": 0x2a}, {"type": "number", "data": 0x30}])
        c.wait_for("demo> echo qmpbAB")
        check("delete", c.command("send-key", keys=[{"type": "number", "data": 0xd3}]), {})
        for key in ({"type": "number", "data": "b"}, {"type": "number", "data": 0}, {"type": "number", "data": 0x7f},
                    {"type": "qcode", "data": 48}, {"type": "name", "data": "b"}, {"data": "b"}):
            check(key, c.command("send-key", keys=[key])["class"], "GenericError")
        check("mouse", c.command("input-send-event", events=[
            {"type": "rel", "data": {"axis": "x", "value": 5}},
            {"type": "btn", "data": {"down": True, "button": "left"}},
            {"type": "btn", "data": {"down": False, "button": "wheel-up"}}]), {})
        check("dump", c.command("screendump", filename=path("s.ppm")), {})
        with open(path("s.ppm"), "rb") as f:
            check("ppm", f.read(2), b"P6")
        check("dump", c.command("screendump", filename=path("s.png"), format="png"), {})
        with open(path("s.png"), "rb") as f:
            check("png", f.read(4), b"\x89PNG")
        check("quit", c.command("quit"), {})
        c.event("SHUTDOWN")
        check("status", m.status(), 0)
        check("socket is gone", os.path.exists(path("q")), False)


def a_stopped_machine_stays_where_it_is_and_a_snapshot_brings_it_back():
    with Machine("--deterministic"):
        c = Client()
        c.wait_for("demo>")
        c.command("stop")
        c.event("STOP")
        check("paused", c.command("query-status"), {"status": "paused", "running": False})
        save = c.command("human-monitor-command", **{"command-line": "savevm " + path("v")})
        check("save", save, "")
        stats = [c.command("human-monitor-command", **{"command-line": "info stats"}) for _ in range(2)]
        check("stands still", stats[0], stats[1])
        c.command("cont")
        c.command("send-key", keys=[{"type": "qcode", "data": "x"}])
        c.wait_for("demo> x")
        c.command("human-monitor-command", **{"command-line": "loadvm " + path("v")})
        c.command("stop")
        check("back", "demo> x" in c.screen(), False)


def the_monitor_looks_into_the_machine():
    with Machine("--deterministic"):
        c = Client()
        c.wait_for("demo>")
        c.command("stop")
        say = lambda line: c.command("human-monitor-command", **{"command-line": line}).replace("\r", "")
        check("boot sector", say("xp/2xb 0x7dfe"), "00007dfe: 0x55 0xaa\n")
        check("linear", say("x /1xh 0x7dfe"), "00007dfe: 0xaa55\n")
        check("signed", say("x/1dh 0x7dfe"), "00007dfe: -21931\n")
        check("lines", len(say("x/9w 0x7c00").splitlines()), 3)
        check("nowhere", say("xp/4w 0xf00000000"), "f00000000: there is no memory\n")
        check("device", say("xp/1b 0xfec00000"), "fec00000: there is no memory\n")
        for line in ("x", "x/0w 0", "x/4z 0", "x/4 -1", "x 0x100000000", "xp/5000 0"):
            check(line, "/NFS" in say(line), True)
        check("jit", say("info jit").split(":")[0] in ("jit", "code is interpreted\n"), True)
        check("dump", say("screendump " + path("m.png")), "")
        with open(path("m.png"), "rb") as f:
            check("png", f.read(4), b"\x89PNG")
        check("told", say("screendump /nonexistent/m.png"), "the screen could not be saved: No such file or directory\n")
        os.mkfifo(path("pipe"))
        check("pipe", say("screendump " + path("pipe")), "the screen could not be saved: nobody reads that pipe\n")
        check("speed", "deterministic" in say("speed 386"), True)


def the_monitor_stops_the_machine_for_both():
    with Machine("--deterministic"):
        c = Client()
        c.wait_for("demo>")
        say = lambda line: c.command("human-monitor-command", **{"command-line": line}).replace("\r", "")
        check("runs", say("info status"), "VM status: running\n")
        check("stop", say("stop"), "")
        c.event("STOP")
        check("status", say("info status"), "VM status: paused\n")
        check("of the client, too", c.command("query-status"), {"status": "paused", "running": False})
        stats = [say("info stats") for _ in range(2)]
        check("stands still", stats[0], stats[1])
        check("cont", say("cont"), "")
        c.event("RESUME")
        c.command("send-key", keys=[{"type": "qcode", "data": "x"}])
        c.wait_for("demo> x")
        c.command("stop")
        c.event("STOP")
        check("stopped by the client", say("info status"), "VM status: paused\n")
        say("cont")
        check("and not any more", c.command("query-status"), {"status": "running", "running": True})


def a_monitor_at_a_socket_is_beside_the_running_machine():
    with Machine("-monitor", "unix:" + path("mon") + ",server=on,wait=off", qmp=",server=on,wait=off") as m:
        c = Client()
        c.wait_for("demo>")
        s = socket.socket(socket.AF_UNIX)
        s.connect(path("mon"))
        said = s.makefile("r", newline="")

        def until(text):
            got = ""
            while text not in got:
                got += said.read(1)
            return got
        until("(turbo86) ")
        s.sendall(b"speed 386\nspeed fast\nspeed max\n")
        check("refused", "a speed is max" in until("speed max"), True)
        s.sendall(b"sendkey q\n")
        c.wait_for("demo> q")
        check("running", c.command("query-status")["running"], True)
        s.sendall(b"change cdrom /nonexistent.iso\n")
        check("told", "cannot be opened" in until("cannot be opened"), True)
        s.sendall(b"quit\n")
        check("status", m.status(), 0)


def resets_and_the_end_of_the_guest_are_told():
    with Machine() as m:
        c = Client()
        c.wait_for("demo>")
        c.command("system_reset")
        c.event("RESET")
        c.wait_for("demo>")
        check("power button", c.command("system_powerdown"), {})
        c.event("POWERDOWN")
        for key in ("e", "x", "i", "t", "spc", "2", "ret"):
            c.command("send-key", keys=[{"type": "qcode", "data": key}])
        check("guest", c.event("SHUTDOWN")["data"]["guest"], True)
        check("status", m.status(), 5)


def a_machine_that_is_off_stays_with_no_shutdown_until_it_is_reset():
    """What QEMU 7.2 says and does in each of these steps."""
    off = {"status": "shutdown", "running": False}
    with Machine("-no-shutdown") as m:
        c = Client()
        for _ in range(2):
            c.wait_for("demo>")
            c.events.clear()
            for key in ("p", "o", "w", "e", "r", "o", "f", "f", "ret"):
                c.command("send-key", keys=[{"type": "qcode", "data": key}])
            check("guest", c.event("SHUTDOWN")["data"], {"guest": True, "reason": "guest-shutdown"})
            c.event("STOP")
            check("off", c.command("query-status"), off)
            check("stop changes nothing", (c.command("stop"), c.command("query-status")), ({}, off))
            check("cont is refused", c.command("cont")["desc"], "Resetting the Virtual Machine is required")
            check("power button", (c.command("system_powerdown"), c.command("query-status")), ({}, off))
            check("reset", c.command("system_reset"), {})
            check("whose", c.event("RESET")["data"]["guest"], False)
            check("not yet", c.command("query-status"), {"status": "prelaunch", "running": False})
            check("cont", c.command("cont"), {})
            c.event("RESUME")
            check("running", c.command("query-status"), {"status": "running", "running": True})
        c.wait_for("demo>")
        c.send('{"execute": "stop"}{"execute": "system_reset"}{"execute": "query-status"}')
        check("answers", [c.answer() for _ in range(3)][2]["return"]["status"], "prelaunch")
        check("quit", c.command("quit"), {})
        check("status", m.status(), 0)


def mistakes_are_answered_with_an_error():
    with open(path("no-shutdown.conf"), "w") as f:
        f.write("no-shutdown = on\n")
    with Machine("-S", "-config", path("no-shutdown.conf")):
        c = Client(negotiate=False)
        c.send('{"execute": "query-status"}')
        check("first negotiate", c.answer()["error"]["class"], "CommandNotFound")
        c.send('{"execute": "qmp_capabilities"')
        c.send('}{"execute": "nothing"} {"execute": 5}\n[]\n{"a": ')
        check("pieces", c.answer(), {"return": {}})
        check("unknown", c.answer()["error"]["class"], "CommandNotFound")
        for _ in range(2):
            check("no command", c.answer()["error"]["class"], "GenericError")
        c.send("1}\n}}}")
        c.answer()
        check("no JSON", c.answer()["error"]["desc"], "JSON parse error")
        check("no file", c.command("screendump")["class"], "GenericError")
        for kind in ("png", "ppm"):
            check("bad file", c.command("screendump", filename=path("no/where"), format=kind)["desc"],
                  "No such file or directory")
            check("a file that is read", c.command("screendump", filename=path("no-shutdown.conf"), format=kind)["desc"],
                  f"'{path('no-shutdown.conf')}' is read by -config: it would be written over")
        check("no key", c.command("send-key", keys=[{"type": "qcode", "data": "any"}])["class"], "GenericError")
        check("no keys", c.command("send-key")["class"], "GenericError")
        check("no event", c.command("input-send-event", events=[{"type": "abs"}])["class"], "GenericError")
        c.send("[" * 200)
        check("deep", c.answer()["error"]["desc"], "JSON parse error")
        c.send('{"execute": "' + "x" * 70000 + '"}')
        check("long", "error" in c.answer(), True)
        c.file.close()
        c.socket.close()
        c = Client()
        check("the next client", c.command("query-status")["status"], "prelaunch")


def the_command_line_is_checked():
    for args, why in ((["-qmp", "tcp:x"], "is not unix:PATH"), (["-qmp", "unix:/no/where/q"], "-qmp: unix:/no/where/q"),
                      (["-qmp", f"unix:{path('q')},server=off"], "is not unix:PATH,server"),
                      (["-qmp", f"unix:{path('q')},server=on,wait=on"], "with wait=on the machine would wait"),
                      (["-gdb", "tcp::99999"], "a port is a number up to 65535"),
                      (["-gdb", "tcp:127.0.0.1:"], "a port is a number")):
        p = subprocess.run([TURBO86, "-bios", "tinybios.bin", "-display", "none", *args], capture_output=True,
                           text=True, timeout=60)
        check(args, (p.returncode, why in p.stderr), (2, True))


TESTS = [
    a_client_starts_types_looks_and_quits,
    a_stopped_machine_stays_where_it_is_and_a_snapshot_brings_it_back,
    the_monitor_looks_into_the_machine,
    the_monitor_stops_the_machine_for_both,
    a_monitor_at_a_socket_is_beside_the_running_machine,
    resets_and_the_end_of_the_guest_are_told,
    a_machine_that_is_off_stays_with_no_shutdown_until_it_is_reset,
    mistakes_are_answered_with_an_error,
    the_command_line_is_checked,
]

if __name__ == "__main__":
    suite.main(TESTS)

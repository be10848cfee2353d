#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sandbox around whole runs: it is there when nobody looks on, and what a run may name, it may use.

usage: test_sandbox.py TURBO86 [TEST]     (without TEST: all)
tests/frontend/test_sandbox.c tries what it forbids.
"""
import os
import socket
import subprocess
import sys
import tempfile
import time

import suite

TURBO86 = os.path.abspath(sys.argv[1])
DIR = tempfile.TemporaryDirectory()
MACHINE = ["-bios", "tinybios.bin", "-m", "16", "-deterministic", "-stats"]


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def path(name):
    return os.path.join(DIR.name, name)


def run(*args, cwd="work", status=10, stdin=b""):
    os.makedirs(path(cwd), exist_ok=True)
    p = subprocess.run([TURBO86, *MACHINE, "--timeout", "200ms", *args], cwd=path(cwd), capture_output=True, input=stdin,
                       timeout=200)
    out = (p.stdout + p.stderr).decode(errors="replace")
    if p.returncode != status:
        raise AssertionError(f"status {p.returncode}, not {status}: {out}")
    return out


def in_force(out):
    return next(line for line in out.splitlines() if line.startswith("sandbox"))[14:]


def it_is_on_when_headless_unless_told_otherwise():
    default = in_force(run("-display", "none"))
    check("given", in_force(run("-display", "none", "-sandbox", "on")), default)
    check("not", in_force(run("-display", "none", "-sandbox", "off")), "off")
    check("bad value", "sandbox" in run("-sandbox", "maybe", status=2), True)


def the_kernel_knows_of_it():
    p = subprocess.Popen([TURBO86, *MACHINE, "-display", "none"], cwd=DIR.name, stderr=subprocess.PIPE, text=True)
    lines = []
    while not any(line.startswith("sandbox") for line in lines):
        lines.append(p.stderr.readline())
    with open(f"/proc/{p.pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    p.kill()
    p.communicate()
    if "calls" in lines[-1]:
        check("filter", (status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))


def outputs_appear_wherever_they_were_named():
    os.makedirs(path("results"), exist_ok=True)
    names = ["results/a.png", "results/a.tap", "results/a.xml", "results/b.png", "results/s", "results/r"]
    with open(path("t86"), "w") as f:
        f.write(f"wait 50ms\nscreenshot {path(names[3])}\nsnapshot save {path(names[4])}\nsnapshot load {path(names[4])}\n"
                f"fork {path('variant')}\nexit 0\n")
    with open(path("variant"), "w") as f:
        f.write(f"wait 20ms\nscreenshot {path('results/c.png')}\nexpect screen /not there/\n")
    out = run("--script", path("t86"), "--screenshot", path(names[0]), "--tap", path(names[1]), "--junit",
              path(names[2]), "-display", "none", status=16)
    for name in names[:5] + ["results/c.png", "variant.failed.png", "variant.failed.snapshot"]:
        check(name + out, os.path.exists(path(name)), True)


def the_monitor_writes_here_and_nowhere_else():
    out = run("-nographic", stdin=f"\1csavevm here\rsavevm {path('elsewhere/s')}\r\1x".encode(), status=0)
    check("here", os.path.exists(path("work/here")), True)
    if "files" in in_force(out):
        os.makedirs(path("elsewhere"), exist_ok=True)
        out = run("-nographic", stdin=f"\1csavevm {path('elsewhere/s')}\r\1x".encode(), status=0)
        check("elsewhere", ("Permission denied" in out, os.listdir(path("elsewhere"))), (True, []))


def the_monitor_on_a_terminal_without_a_screen_writes_here():
    out = run("-display", "none", "-monitor", "stdio", stdin=b"savevm headless\rscreendump headless.png\rquit\r", status=0)
    check("greeting", "(turbo86)" in out, True)
    check("files", [os.path.exists(path("work/" + name)) for name in ("headless", "headless.png")], [True, True])


def the_monitor_at_a_socket_writes_here():
    where = path("work/monitor")
    p = subprocess.Popen([TURBO86, *MACHINE, "-display", "none", "-monitor", f"unix:{where},server"],
                         cwd=path("work"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with socket.socket(socket.AF_UNIX) as s:
        while p.poll() is None and s.connect_ex(where):
            time.sleep(0.01)
        s.sendall(b"savevm socket\rquit\r")
        check("status", p.wait(timeout=100), 0)
    check("file", os.path.exists(path("work/socket")), True)


def the_sockets_of_servers_are_removed():
    p = subprocess.Popen([TURBO86, *MACHINE, "-display", "none", "-monitor", "none", "--timeout", "300ms",
                          "-serial", f"unix:{path('elsewhere/serial')},server", "-debugcon",
                          f"unix:{path('elsewhere/debug')},server=on,wait=off"], cwd=path("work"), stderr=subprocess.DEVNULL)
    check("status", p.wait(timeout=100), 10)
    check("left", os.listdir(path("elsewhere")), [])


def translated_code_runs_in_it_and_in_variants():
    with open(path("t86"), "w") as f:
        f.write(f"wait screen /demo>/ 20s\nfork {path('v0')} {path('v1')}\n")
    for i in range(2):
        with open(path(f"v{i}"), "w") as f:
            f.write(f'type "echo {i} it is\\n"\nwait screen /^{i} it is/ 5s\n')
    begin = time.time()
    out = run("--script", path("t86"), "-display", "none", "--timeout", "60s", status=0)
    check("variants", (out.count(": ok"), "jit: backend" in out), (2, True))
    print(f"({time.time() - begin:.1f} s)", end=" ")


def a_network_that_was_asked_for_may_open_sockets():
    out = run("-display", "none", "-nic", "user,restrict=on")
    check("closed", "cannot" in out, False)
    p = subprocess.run([TURBO86, "-bios", "tinybios.bin", "-m", "16", "-display", "none", "-nic", "user", "-stats",
                        "--timeout", "200ms"], capture_output=True, text=True, timeout=100)
    if "built without" not in p.stderr:
        check("open", (p.returncode, "sandbox" in p.stderr), (10, True))


TESTS = [
    it_is_on_when_headless_unless_told_otherwise,
    the_kernel_knows_of_it,
    outputs_appear_wherever_they_were_named,
    the_monitor_writes_here_and_nowhere_else,
    the_monitor_on_a_terminal_without_a_screen_writes_here,
    the_monitor_at_a_socket_writes_here,
    the_sockets_of_servers_are_removed,
    translated_code_runs_in_it_and_in_variants,
    a_network_that_was_asked_for_may_open_sockets,
]

if __name__ == "__main__":
    suite.main(TESTS)

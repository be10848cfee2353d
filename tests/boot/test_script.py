#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scripts and snapshots: the demo disk under our own BIOS, told what to do in guest time.

usage: test_script.py TURBO86 [TEST]     (without TEST: all)
"""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TURBO86 = os.path.abspath(sys.argv[1])
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
DIR = tempfile.TemporaryDirectory()
MACHINE = ["-bios", "tinybios.bin", "-m", "16", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


def path(name):
    return os.path.join(DIR.name, name)


def run(script, *args, status=0, machine=MACHINE):
    """Run @script, a text; its standard output and error."""
    with open(path("t86"), "w") as f:
        f.write(script)
    p = subprocess.run([TURBO86, *machine, "--script", "t86", *args], cwd=DIR.name, capture_output=True,
                       text=True, errors="replace", timeout=300)
    if p.returncode != status:
        raise AssertionError(f"status {p.returncode}, not {status}:\n{p.stdout}{p.stderr}")
    return p.stdout, p.stderr


def check(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r}, not {wanted!r}")


def prompt():
    """A snapshot of the demo at its prompt, made once."""
    if not os.path.exists(path("prompt")):
        run('wait screen /^demo>/ 20s\nwait idle 1s\nsnapshot save prompt')
    return "-loadvm", "prompt"


def marks(out):
    return [re.sub(r"^mark [^:]*: ", "", line) for line in out.splitlines() if line.startswith("mark")]


def a_script_types_and_reads():
    run('type "echo twenty\\n"\nwait screen /^twenty$/ 5s\nexpect screen "twenty"\nwait serial "twenty" 1s\n'
        'key c\nkey shift-a\nwait screen /demo> cA/ 2s\nmouse move 3 4\nmouse click left', *prompt())


def a_text_goes_to_the_serial_port():
    run('send serial "echo via-serial\\n"\nwait serial /^via-serial$/ 5s', *prompt())


def two_runs_and_two_engines_see_the_same():
    script = 'type "mem\\n"\nwait 300ms\nmark a\ntype "pci\\n"\nwait idle 500ms\nmark b'
    first = marks(run(script, *prompt())[0])
    check("marks", len(first), 2)
    check("again", marks(run(script, *prompt())[0]), first)
    check("interpreted", marks(run(script, *prompt(), "-jit", "off")[0]), first)


def going_back_to_a_snapshot_repeats_what_followed():
    act = 'type "time\\n"\nwait idle 700ms\nmark x\n'
    first, second, third = marks(run("snapshot save here\n" + act + "snapshot load here\n" + act +
                                     "snapshot load here\n" + act, *prompt())[0])
    check("second", second, first)
    check("third", third, first)


def a_failing_step_tells_what_it_saw_and_saves_it():
    _, err = run('type "echo seen\\n"\nwait 200ms\nwait screen /unseen/ 400ms', *prompt(), status=16)
    for part in ("t86:3: wait screen /unseen/ 400ms", "it has not come within 0.400 s", "--- screen",
                 "demo> echo seen", "--- serial port 1"):
        check(part, part in err, True)
    with open(path("t86.failed.png"), "rb") as f:
        check("picture", f.read(8), b"\x89PNG\r\n\x1a\n")
    run("expect screen /echo seen/", "-loadvm", "t86.failed.snapshot")


def artifacts_go_where_they_are_asked_to_or_nowhere():
    for name in glob.glob(path("*.failed*")):
        os.unlink(name)
    run("expect screen /unseen/", *prompt(), "--artifacts", "none", status=16)
    check("none", glob.glob(path("*.failed*")), [])
    run("expect screen /unseen/", *prompt(), "--artifacts", path("kept"), status=16)
    check("kept", sorted(os.path.basename(p) for p in glob.glob(path("kept*"))),
          ["kept.png", "kept.snapshot", "kept.txt"])


def what_is_rejected_ends_the_script_at_once():
    _, err = run('reject /never said/\nreject serial /bad thing/\ntype "echo a bad thing\\n"\nwait 50s', *prompt(),
                 status=16)
    check("line", "t86:2: reject serial /bad thing/" in err, True)
    check("where", "while the script was at line 4" in err or "while the script was at line 3" in err, True)


def exit_ends_with_its_status():
    run("exit 77\nexpect screen /not reached/", *prompt(), status=77)
    run("exit", *prompt())


def the_end_of_the_guest_can_be_waited_for():
    run('type "poweroff\\n"\nwait end 5s', *prompt())
    run('type "exit 21\\n"\nwait end 5s', *prompt(), status=43)
    run('type "exit 21\\n"\nwait end 5s\nexit 0', *prompt())


def an_unexpected_end_of_the_guest_is_a_failure():
    _, err = run('type "poweroff\\n"\nwait screen /more/ 50s', *prompt(), status=16)
    check("reason", "the guest powered the machine off" in err, True)


def a_limit_in_guest_time_counts_from_the_snapshot():
    out, _ = run("wait 50s", *prompt(), "--timeout", "700ms", "--tap", "-", status=10)
    check("tap", "not ok 1" in out, True)


def mistakes_are_told_with_their_line_and_nothing_is_run():
    for script, why in (("dance", "there is no action 'dance'"), ("wait screen /(/", "the regular expression is wrong"),
                        ("wait", "wait for what?"), ("wait screen", "is missing"), ('type "x', 'no second "'),
                        ("wait screen /a/ 5s 6s", "is too much"), ("exit 300", "0 to 255"), ("snapshot keep x", "save"),
                        ("wait screen /a{9999}/", "at most"), ("mouse click nose", "left, right or middle"),
                        ("timeout soon", "a time is missing"), ("wait idle", "for how long")):
        out, err = run("# comment\n\n" + script + "\n", status=2)
        check(script, ("t86:3: " in err, why in err, out), (True, True, ""))
    _, err = run("wait 1s\n\0", status=2)
    check("binary", "no text" in err, True)


def results_are_written_as_tap_and_junit():
    run('mark one # and only\ntype "echo <<&>\\n"\nexpect screen /unseen/\nwait 1s', *prompt(), "--tap", "r.tap",
        "--junit", "r.xml", status=16)
    with open(path("r.tap")) as f:
        tap = f.read()
    check("plan", "1..4" in tap, True)
    check("results", re.findall(r"^(ok|not ok) (\d)", tap, re.M),
          [("ok", "1"), ("ok", "2"), ("not ok", "3"), ("not ok", "4")])
    suite = xml.etree.ElementTree.parse(path("r.xml")).getroot()
    check("suite", (suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("4", "1", "1"))
    check("case", suite[1].get("name"), '2: type "echo <<&>\\n"')


def frames_are_known_by_hash_and_by_picture():
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no SeaBIOS, and so are no fonts")
        return
    machine = ["-m", "16", "--artifacts", "none"]
    out, _ = run("wait screen /^demo>/ 30s\nwait idle 1s\nsnapshot save fonts\nscreenshot golden.png\nmark it",
                 machine=machine)
    frame = re.search(r"frame ([0-9a-f]{16})", out)[1]
    machine += ["-loadvm", "fonts"]
    run(f'wait frame {frame} 1s\nexpect frame golden.png\nwait 170ms\nexpect frame {frame}\nwait 170ms\n'
        f'expect frame golden.png', machine=machine)  # whatever the cursor's phase
    _, err = run('type "x"\nwait screen /demo> x/ 1s\nexpect frame golden.png', machine=machine, status=16)
    check("frame is told", bool(re.search(r"the frame is [0-9a-f]{16}", err)), True)
    _, err = run("expect frame none.png", machine=machine, status=16)
    check("no picture", "cannot be read" in err, True)


def media_are_changed():
    with open(path("floppy.img"), "wb") as f:
        f.truncate(1474560)
    run("insert floppy0 floppy.img\nwait 100ms\neject floppy0", *prompt())
    _, err = run("insert floppy0 none.img", *prompt(), status=16)
    check("reason", "none.img" in err, True)


def killing_while_a_snapshot_is_written_leaves_the_old_one():
    run("snapshot save kept", *prompt())
    with open(path("t86"), "w") as f:
        f.write("snapshot save kept\n" * 3000)
    for delay in (0.2, 0.35, 0.5, 0.65):
        p = subprocess.Popen([TURBO86, *MACHINE, "--script", "t86", *prompt()], cwd=DIR.name)
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait()
        run("expect screen /demo>/\nsnapshot save kept", "-loadvm", "kept")
    check("left over", [n for n in os.listdir(DIR.name) if n.endswith(".partial")], [])


def a_snapshot_of_another_machine_is_refused_before_the_run():
    prompt()
    out, err = run("wait 1s", "-loadvm", "prompt", "-cpu", "486", status=2)
    check("reason", "-cpu pentium4; this one has -cpu 486" in err, True)


TESTS = [
    a_script_types_and_reads,
    a_text_goes_to_the_serial_port,
    two_runs_and_two_engines_see_the_same,
    going_back_to_a_snapshot_repeats_what_followed,
    a_failing_step_tells_what_it_saw_and_saves_it,
    artifacts_go_where_they_are_asked_to_or_nowhere,
    what_is_rejected_ends_the_script_at_once,
    exit_ends_with_its_status,
    the_end_of_the_guest_can_be_waited_for,
    an_unexpected_end_of_the_guest_is_a_failure,
    a_limit_in_guest_time_counts_from_the_snapshot,
    mistakes_are_told_with_their_line_and_nothing_is_run,
    results_are_written_as_tap_and_junit,
    frames_are_known_by_hash_and_by_picture,
    media_are_changed,
    killing_while_a_snapshot_is_written_leaves_the_old_one,
    a_snapshot_of_another_machine_is_refused_before_the_run,
]

if __name__ == "__main__":
    failed = 0
    for test in TESTS:
        if len(sys.argv) > 2 and sys.argv[2] != test.__name__:
            continue
        try:
            test()
            print("ok", test.__name__, flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            print("FAILED", test.__name__, e, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)

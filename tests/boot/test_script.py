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

import suite

TURBO86 = os.path.abspath(sys.argv[1])
FIRMWARE = "/usr/share/seabios/bios-256k.bin"
DIR = tempfile.TemporaryDirectory()
MACHINE = ["-bios", "tinybios.bin", "-m", "16", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]


def path(name):
    return os.path.join(DIR.name, name)


def run(script, *args, status=0, machine=MACHINE):
    """Run @script, a text; its standard output and error."""
    with open(path("t86"), "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(script)
    p = subprocess.run([TURBO86, *machine, "--script", "t86", *args], cwd=DIR.name, capture_output=True,
                       text=True, errors="replace", timeout=300, stdin=subprocess.DEVNULL)
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
    return re.findall(r"^(?:variant \S+: )?mark [^:]*: (.*)$", out, re.M)


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


def a_script_that_did_not_come_to_its_end_has_failed():
    _, err = run("wait screen /nope/ 500s", *prompt(), "--idle-exit", "1s", status=16)
    check("told", "the run was ended from outside" in err, True)


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
    with open(path("words"), "w") as f:
        f.write("no picture\n")
    for script, why in (("key hyper-x", "'<hyper-x>' is no key"), ('type "a<nokey>"', "'<nokey>' is no key"),
                        ("insert floppy7 words", "no drive 'floppy7'"), ("eject hdd", "no drive 'hdd'"),
                        ("insert cdrom none.iso", "'none.iso' cannot be read: No such file"),
                        ("insert cdrom .", "'.': it is neither a file nor a disk"),
                        ("wait frame none.png", "'none.png' cannot be read: No such file"),
                        ("expect frame words", "'words' is no picture: format is not recognised"),
                        ("snapshot load words", "'words' is no snapshot"), (r'type "a\x41"', r"'\x' is no key"),
                        ("snapshot load none", "'none' cannot be read: No such file"),
                        ("snapshot save no/where", "'no/where' cannot be written: No such file"),
                        ("screenshot no/where.png", "'no/where.png' cannot be written: No such file"),
                        ("fork empty", "empty: there is no action in it"),
                        ("fork late", "late:2: there is no drive 'a:'")):
        with open(path("empty"), "w") as f:
            f.write("# nothing\n")
        with open(path("late"), "w") as f:
            f.write("wait 1s\neject a:\n")
        out, err = run("wait 1s\n\n" + script + "\n", status=2)
        check(script, ("t86:3: " in err, why in err, out), (True, True, ""))
    with open(path("uses"), "w") as f:
        f.write("snapshot load made\nwait frame made.png\n")
    run("snapshot save made\nscreenshot made.png\nsnapshot load made\nexpect frame made.png\nfork uses", *prompt())
    check("empty", "there is no action in it" in run("# nothing", status=2)[1], True)
    for option, why in (("--tap", "--tap: cannot write '/nonexistent/x'"), ("--junit", "--junit: cannot write"),
                        ("--artifacts", "--artifacts: cannot write '/nonexistent/x.txt'")):
        _, err = run("wait 1s", option, "/nonexistent/x", status=2)
        check(option, why in err, True)
    _, err = run("wait 1s\n\0", status=2)
    check("binary", "no text" in err, True)


def results_on_the_standard_output_are_alone_there():
    for i in range(2):
        with open(path(f"m{i}"), "w") as f:
            f.write(f"mark m{i}\n")
    script = "mark one\nfork m0 m1\nmark two\n"
    out, _ = run(script, *prompt(), "--tap", "-")
    lines = out.splitlines()
    check("head", lines[:2], ["TAP version 13", "1..3"])
    check("marks", sorted(re.findall(r"^# (.*mark \w+): ", out, re.M)),
          ["mark one", "mark two", "variant m0: mark m0", "variant m1: mark m1"])
    check("no other lines", [x for x in lines[2:] if not re.match(r"# (variant|mark)|ok \d|  ", x)], [])
    check("results", re.findall(r"^ok (\d)", out, re.M), ["1", "2", "3"])
    out, err = run(script, *prompt(), "--junit", "-")
    check("xml", xml.etree.ElementTree.fromstring(out).get("tests"), "3")
    check("marks beside it", len(marks(err)), 4)
    _, err = run(script, *prompt(), "--tap", "-", "--junit", "-", status=2)
    check("both", "--tap and --junit cannot both be the standard output" in err, True)


def results_are_written_as_tap_and_junit():
    out, _ = run('mark one # and only\ntype "echo <<&>\\n"\nexpect screen /unseen/\nwait 1s', *prompt(), "--tap", "r.tap",
        "--junit", "r.xml", status=16)
    with open(path("r.tap")) as f:
        tap = f.read()
    check("plan", "1..4" in tap, True)
    check("results", re.findall(r"^(ok|not ok) (\d)", tap, re.M),
          [("ok", "1"), ("ok", "2"), ("not ok", "3"), ("not ok", "4")])
    suite = xml.etree.ElementTree.parse(path("r.xml")).getroot()
    check("comment", "mark one:" in out, True)
    check("suite", (suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("4", "1", "1"))
    check("case", suite[1].get("name"), '2: type "echo <<&>\\n"')


def results_are_text_whatever_the_script_holds():
    wild = 'mark \udcff\udc80 gr\u00fc\u00df \udced\udca0\udc80 \udcc0\udcaf "#1" C:\\dir\x7f\nwait screen "#\udcfe" 100ms\nwait 1s'
    run(wild, *prompt(), "--tap", "r.tap", "--junit", "r.xml", "--artifacts", "none", status=16)
    with open(path("r.tap"), encoding="utf-8") as f:
        tap = f.read()
    bad = "\ufffd"
    check("marked", f'ok 1 - 1: mark {bad * 2} gr\u00fc\u00df {bad * 3} {bad * 2} "\\#1" C:\\\\dir{bad}\n' in tap, True)
    check("waited", f'not ok 2 - 2: wait screen "\\#{bad}" 100ms\n' in tap, True)
    check("quoted", 'message: "it has not come within 0.100 s"' in tap, True)
    suite = xml.etree.ElementTree.parse(path("r.xml")).getroot()
    check("case", suite[0].get("name"), f'1: mark {bad * 2} gr\u00fc\u00df {bad * 3} {bad * 2} "#1" C:\\dir{bad}')


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
    _, err = run("expect frame none.png", machine=machine, status=2)
    check("no picture", "t86:1: 'none.png' cannot be read: No such file" in err, True)
    for picture, status, told in (("golden.png", 0, "first: "), ("none.png", 2, "cannot be read")):
        p = subprocess.run([TURBO86, *machine, "--find-first", f"frame {picture}", "--timeout", "5s"], cwd=DIR.name,
                           capture_output=True, text=True, timeout=300)
        check(picture, (p.returncode, told in p.stdout + p.stderr), (status, True))
    check("nothing half", [x for x in os.listdir(DIR.name) if x.endswith(".partial")], [])


def media_are_changed():
    with open(path("floppy.img"), "wb") as f:
        f.truncate(1474560)
    run("insert floppy0 floppy.img\nwait 100ms\neject floppy0", *prompt())
    _, err = run("insert floppy1 floppy.img", *prompt(), status=16)
    check("this machine has one", "no drive 'floppy1'" in err, True)


def variants_go_on_from_one_machine():
    for i in range(5):
        with open(path(f"v{i}"), "w") as f:
            f.write(f'type "echo variant {i} and more\\n"\nwait screen /^variant {i} and/ 5s\n'
                    f'expect screen /variant/\nmark {i}\nexit {7 if i == 3 else 0}\n')
    script = 'type "echo before\\n"\nwait 100ms\nfork v0 v1 v2 v4\nmark parent\nexpect screen /before/\n'
    first, _ = run(script + 'wait 100ms\ntype "echo after\\n"\nwait screen /^after$/ 5s', *prompt())
    check("lines", [line for line in first.splitlines() if line.startswith("variant") and ": mark" not in line],
          [f"variant v{i}: ok" for i in (0, 1, 2, 4)])
    again, _ = run(script, *prompt(), "-jit", "off")
    check("the same on the other engine", sorted(marks(first)), sorted(marks(again)))
    check("whose", len(re.findall(r"^variant v(\d): mark \1: ", first, re.M)), 4)
    out, err = run("fork v0 v3 v1", *prompt(), status=16)
    check("failure", ("variant v3: failed, status 7" in out, "1 of 3 variants failed" in err), (True, True))


def variants_do_not_share_the_files_of_their_failures():
    for name in ("bad1", "bad2"):
        with open(path(name), "w") as f:
            f.write(f"expect screen /{name}/\n")
    os.symlink("bad1", path("other"))
    for again in ("bad1", "./bad1", "other"):
        _, err = run(f"fork bad1 bad2 {again}", *prompt(), status=2)
        check(again, f"t86:1: '{again}' is a variant already" in err, True)
    run("fork bad1 bad2", *prompt(), "--artifacts", path("kept.fork"), status=16)
    for name in ("bad1", "bad2"):
        with open(path(f"kept.fork-{name}.txt")) as f:
            check(name, f.readline(), f"{name}:1: expect screen /{name}/: it is not there\n")
    check("all", len(glob.glob(path("kept.fork-*.snapshot"))), 2)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def forked(*args):
    """A run whose variants would go on for hours, as soon as some of them do; and their processes."""
    prompt()
    for name in ("long1", "long2", "long3"):
        with open(path(name), "w") as f:
            f.write("wait screen /never/ 9000s\n")
    with open(path("t86"), "w") as f:
        f.write("fork long1 long2 long3\n")
    p = subprocess.Popen([TURBO86, *MACHINE, "--script", "t86", "-loadvm", "prompt", *args], cwd=DIR.name,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    for _ in range(600):
        children = children_of(p.pid)
        if children or p.poll() is not None:
            break
        time.sleep(0.05)
    return p, children


def is_gone(pid):
    """Whether the process ends within some seconds."""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def a_signal_to_the_parent_ends_its_variants_and_all_are_told():
    for sig in (signal.SIGTERM, signal.SIGINT):
        p, children = forked("--tap", "r.tap")
        check("started", len(children) > 0, True)
        p.send_signal(sig)
        out, err = p.communicate(timeout=60)
        check("status", p.returncode, 128 + sig)
        check("told", [line for line in out.splitlines() if line.startswith("variant")][0],
              "variant long1: failed, status 16")
        check("none is left out", len(re.findall("^variant long[123]: failed, ", out, re.M)), 3)
        check("each says why", bool(re.search(r"long1:1: wait screen /never/ 9000s\nfailed at [0-9.]+ s of guest time: "
                                               r"the run was ended from outside\n--- screen", err)), True)
        check("nothing is saved", glob.glob(path("long*.failed*")), [])
        with open(path("r.tap")) as f:
            check("tap", "not ok 1 - 1: fork long1 long2 long3" in f.read(), True)
        check("gone", [is_gone(child) for child in children], [True] * len(children))


def variants_do_not_outlive_a_parent_that_is_killed():
    for args in ([], ["--sandbox", "off"]):
        p, children = forked(*args)
        check("started", len(children) > 0, True)
        p.send_signal(signal.SIGKILL)
        p.communicate(timeout=60)
        check("gone", [is_gone(child) for child in children], [True] * len(children))


def mistakes_with_variants_are_told():
    with open(path("nested"), "w") as f:
        f.write("wait 1s\nfork v0\n")
    with open(path("v0"), "w") as f:
        f.write("wait 1s\n")
    with open(path("disk.img"), "wb") as f:
        f.truncate(1 << 20)
    for script, why in (("fork", "fork into what?"), ("fork none", "none"), ("fork nested", "nested:2: a variant cannot")):
        _, err = run(script, status=2)
        check(script, why in err, True)
    _, err = run("fork v0", "-hdb", "disk.img", "--artifacts", "none", status=16)
    check("image", "several machines cannot write" in err, True)


def ctrl_alt_del_restarts_the_guest():
    for name in ("del", "delete"):
        run(f"wait screen /Booting/ 20s\nwait idle 1s\nkey ctrl-alt-{name}\nwait end 5s", "-no-reboot", status=14,
            machine=["-hda", boot_sector(b"\xfb\xf4\xeb\xfd"), "-deterministic"])


def boot_sector(code):
    """The path of a disk that has @code in its first sector."""
    with open(path("sector.img"), "wb") as f:
        f.write(code.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    return path("sector.img")


def the_reset_button_restarts_the_guest():
    out, _ = run('type "echo gone\\n"\nwait screen /^gone$/ 5s\nreset\nwait 300ms\nwait screen /^demo>/ 20s\nmark', *prompt(),
                 "--print-screen")
    check("screen", ("demo>" in out, "gone" in out), (True, False))


def an_nmi_comes_to_the_guest():
    code = bytes([0x31, 0xc0, 0x8e, 0xd8,  # xor ax, ax; mov ds, ax
                  0xc7, 0x06, 8, 0, 0x15, 0x7c, 0xa3, 10, 0,  # mov word [8], handler; mov [10], ax
                  0xe6, 0x70, 0xb0, ord("R"), 0xe6, 0xe9,  # out 70h, al; mov al, 'R'; out 0e9h, al
                  0xf4, 0xfd,  # hlt
                  0xb0, 0x0b, 0xe6, 0xf4, 0xeb, 0xfe])  # handler: mov al, 11; out 0f4h, al
    run('wait debug "R" 10s\nnmi\nwait end 1s\nexit 5', *small(code), status=5, machine=[])
    run('wait debug "R" 10s\nnmi\nwait end 1s', *small(code), status=23, machine=[])


def a_guest_that_listens_hears_the_power_button():
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no SeaBIOS, which gives the power button its port")
        return
    code = bytes([0xba, 0x02, 0x06, 0xb8, 0x00, 0x01, 0xef,  # mov dx, 602h; mov ax, PWRBTN_EN; out dx, ax
                  0xba, 0x04, 0x06, 0xb8, 0x01, 0x00, 0xef,  # mov dx, 604h; mov ax, SCI_EN; out dx, ax
                  0xb0, ord("R"), 0xe6, 0xe9,  # mov al, 'R'; out 0e9h, al
                  0xba, 0x00, 0x06, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xfa,  # mov dx, 600h; in ax, dx; test ah, 1; jz
                  0xb0, 0x05, 0xe6, 0xf4, 0xeb, 0xfe])  # mov al, 5; out 0f4h, al
    machine = [a for a in small(code) if a not in ("-bios", "tinybios.bin")]
    run('wait debug "R" 20s\nwait 50ms\npowerdown\nwait end 1s', *machine, status=11, machine=[])
    _, err = run("powerdown", *prompt(), "--artifacts", "none", status=16)
    check("the demo does not", "does not listen to the power button" in err, True)


def the_second_serial_port_is_written_and_read():
    code = bytes([0xba, 0xfb, 0x02, 0xb0, 0x03, 0xee,  # mov dx, 2fbh; mov al, 3; out dx, al: 8 bits
                  0xba, 0xfd, 0x02, 0xec, 0xa8, 0x01, 0x74, 0xfb,  # mov dx, 2fdh; in al, dx; test al, 1; jz
                  0xba, 0xf8, 0x02, 0xec, 0x40, 0xee, 0xeb, 0xf0])  # mov dx, 2f8h; in al, dx; inc ax; out dx, al; again
    run('wait 500ms\nsend serial2 "HAL\\x01"\nwait serial2 /IBM\x02/ 2s\nexpect serial2 "no"', *small(code), "-serial",
        "null", "-serial", "null", "--artifacts", "none", status=16, machine=[])
    run('wait 500ms\nsend serial2 "HAL"\nwait serial2 "IBM" 2s\nreject serial "IBM"', *small(code), "-serial", "null",
        "-serial", "null", machine=[])


def small(code):
    """Options of a machine that boots @code."""
    return ["-m", "16", "-ns-per-insn", "100", "-bios", "tinybios.bin", "-hda", boot_sector(code), "-snapshot", "-debugcon", "null", "-device",
            "isa-debug-exit,iobase=0xf4,iosize=4"]


def a_cd_is_put_in_and_booted_from():
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no SeaBIOS, which boots CDs")
        return
    with open(path("cd.iso"), "wb") as f:
        f.write(suite.bootable_cd(b"\xb0C\xe6\xe9\xb0D\xe6\xe9\xf4\xeb\xfd"))  # mov al, 'C'; out 0e9h, al; ...; hlt
    machine = ["-m", "16", "-boot", "d", "-debugcon", "null", "-artifacts", "none"]
    run('wait screen /^demo>/ 20s\ninsert cdrom cd.iso\nreset\nwait debug /CD$/ 20s\neject cdrom\nreset\nwait 1s\n'
        'wait screen /^demo>/ 20s', machine=machine)


def each_way_to_end_has_its_status():
    run('type "poweroff\\n"\nwait end 5s', *prompt(), status=0)
    run("expect screen /nothing/", *prompt(), "--artifacts", "none", status=16)
    for value in (0, 7):
        run(f'type "exit {value}\\n"\nwait end 5s', *prompt(), status=value * 2 + 1)
    for name, code, args, status in (
            ("exit port, 0", b"\x30\xc0\xe6\xf4\xeb\xfe", [], 1),
            ("exit port, 7", b"\xb0\x07\xe6\xf4\xeb\xfe", [], 15),
            ("triple fault", b"\x2e\x0f\x01\x1e\x10\x7c\xcc".ljust(22, b"\0"), ["-no-reboot"], 6),  # lidt of limit 0
            ("reset", b"\xba\xf9\x0c\xb0\x06\xee\xeb\xfe", ["-no-reboot"], 14),  # out 0cf9h, 6
            ("cli; hlt", b"\xfa\xf4", [], 8),
            ("a loop without end", b"\xeb\xfe", ["--timeout", "300ms"], 10),
            ("and without patience", b"\xfb\xf4\xeb\xfd", ["--wall-timeout", "1s"], 12),
            ("a flag that there is not", b"", ["--no-such-flag"], 2),
            ("a disk that is not there", b"", ["-hdb", "none.img"], 2),
            ("a script that is not there", b"", ["--script", "none"], 2)):
        p = subprocess.run([TURBO86, "-bios", "tinybios.bin", "-display", "none", "--deterministic", "-device",
                            "isa-debug-exit,iobase=0xf4,iosize=4", "-hda", boot_sector(code), *args],
                           cwd=DIR.name, capture_output=True, timeout=30)
        check(name, p.returncode, status)


def failing_ends_tell_and_save_what_was_there_as_failing_steps_do():
    """Whatever ends it: a limit in a script's run, and without a script the guest as well."""
    told = ("--- screen\n", "demo> echo seen\nseen\n", "--- serial port 1\n", "---\n")
    for args, status, why in ((["--timeout", "2s"], 10, "the guest timeout is over"),
                              (["--wall-timeout", "1s"], 12, "the wall timeout is over"),
                              (["--idle-exit", "1s"], 16, "the run was ended from outside")):
        for name in glob.glob(path("*.failed*")):
            os.unlink(name)
        _, err = run('type "echo seen\\n"\nwait serial "seen"\nwait screen /nope/ 90000s', *prompt(), *args, status=status)
        check(err, [part in err for part in (f": {why}\n--- screen", *told)], [True] * 5)
        check("saved", sorted(os.path.basename(p) for p in glob.glob(path("*.failed*"))),
              ["t86.failed.png", "t86.failed.snapshot", "t86.failed.txt"])
        run("expect screen /demo>/", "-loadvm", "t86.failed.snapshot")

    def alone(*args, status):
        p = subprocess.run([TURBO86, *MACHINE, "--deterministic", "-display", "none", "-serial", "null", *prompt(), *args],
                           cwd=DIR.name, capture_output=True, text=True, errors="replace", timeout=60,
                           stdin=subprocess.DEVNULL)
        check(p.stderr, p.returncode, status)
        return p.stderr
    for args, status in ((["--timeout", "700ms"], 10), (["--wall-timeout", "1s"], 12)):
        for name in glob.glob(path("alone*")):
            os.unlink(name)
        err = alone(*args, "--artifacts", "alone", status=status)
        check(err, [part in err for part in told[::3]], [True] * 2)
        check("saved", sorted(os.path.basename(p) for p in glob.glob(path("alone*"))),
              ["alone.png", "alone.snapshot", "alone.txt"])
    for code, args, status in ((b"\x2e\x0f\x01\x1e\x10\x7c\xcc".ljust(22, b"\0"), ["-no-reboot"], 6),
                               (b"\xba\xf9\x0c\xb0\x06\xee\xeb\xfe", ["-no-reboot"], 14), (b"\xfa\xf4", [], 8)):
        p = subprocess.run([TURBO86, "-bios", "tinybios.bin", "-display", "none", "--deterministic",
                            "-hda", boot_sector(code), *args], cwd=DIR.name, capture_output=True, text=True, timeout=30)
        check(p.stderr, (p.returncode, "--- screen\n" in p.stderr), (status, True))


def text_in_graphics_modes_is_read():
    if not os.path.exists(FIRMWARE):
        print("skipped: there is no SeaBIOS, and so are no fonts")
        return
    for mode in (0x12, 0x0d):
        code = bytes([0xb8, mode, 0, 0xcd, 0x10,  # mov ax, mode; int 10h
                      0xbe, 24, 0x7c, 0x0e, 0x1f,  # mov si, text; push cs; pop ds
                      0xac, 0x84, 0xc0, 0x74, 0xfe,  # lodsb; test al, al; jz $
                      0xb4, 0x0e, 0xbb, 0x0e, 0x00, 0xcd, 0x10, 0xeb, 0xf2])  # mov ah, 0eh; mov bx, 0eh; int 10h; again
        code += b"Graphics: 42 {}~\0"
        with open(path("gfx.img"), "wb") as f:
            f.write(code.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
        run("wait screen /^Graphics: 42 [{][}]~$/ 20s", machine=["-m", "16", "-hda", "gfx.img", "--artifacts", "none"])


def the_first_instant_is_found():
    prompt()
    def find(*args, status=0):
        p = subprocess.run([TURBO86, *MACHINE, "-loadvm", "prompt", "--type", "0s:echo abc\\n", *args], cwd=DIR.name,
                           capture_output=True, text=True, timeout=300)
        check(p.stderr, p.returncode, status)
        return p.stdout, p.stderr
    out, _ = find("--find-first", "screen /^abc$/", "--print-screen", "--timeout", "5s")
    check("screen", "demo> echo abc\nabc\n" in out, True)
    n = int(re.match(r"first: (\d+) instructions", out)[1])
    check("again", find("--find-first", "screen /^abc/", "-jit", "off", "--timeout", "5s")[0], out.split("\n")[0] + "\n")
    check("a letter before", int(re.match(r"first: (\d+)", find("--find-first", "screen /^ab/")[0])[1]) < n, True)
    check("never", "it never showed" in find("--find-first", "screen /nope/", "--timeout", "1s", status=16)[1], True)
    find("--find-first", "screen /nope/", "--wall-timeout", "1s", status=12)
    check("mistake", "is not screen or frame" in find("--find-first", "serial /x/", status=2)[1], True)


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
    a_script_that_did_not_come_to_its_end_has_failed,
    the_end_of_the_guest_can_be_waited_for,
    an_unexpected_end_of_the_guest_is_a_failure,
    a_limit_in_guest_time_counts_from_the_snapshot,
    mistakes_are_told_with_their_line_and_nothing_is_run,
    results_on_the_standard_output_are_alone_there,
    results_are_written_as_tap_and_junit,
    results_are_text_whatever_the_script_holds,
    frames_are_known_by_hash_and_by_picture,
    media_are_changed,
    variants_go_on_from_one_machine,
    variants_do_not_share_the_files_of_their_failures,
    a_signal_to_the_parent_ends_its_variants_and_all_are_told,
    variants_do_not_outlive_a_parent_that_is_killed,
    mistakes_with_variants_are_told,
    ctrl_alt_del_restarts_the_guest,
    the_reset_button_restarts_the_guest,
    an_nmi_comes_to_the_guest,
    a_guest_that_listens_hears_the_power_button,
    the_second_serial_port_is_written_and_read,
    a_cd_is_put_in_and_booted_from,
    each_way_to_end_has_its_status,
    failing_ends_tell_and_save_what_was_there_as_failing_steps_do,
    the_first_instant_is_found,
    text_in_graphics_modes_is_read,
    killing_while_a_snapshot_is_written_leaves_the_old_one,
    a_snapshot_of_another_machine_is_refused_before_the_run,
]

if __name__ == "__main__":
    suite.main(TESTS)

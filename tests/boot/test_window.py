#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The window, from outside: real X events in, scan codes, mouse packets and titles out.

usage: test_window.py TURBO86 [TEST ...]
Exit status 77: there is no Xvfb, xdotool, nasm or SeaBIOS, or turbo86 has no window.
"""
import collections
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from desktop import Desktop, missing, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
TURBO86 = os.path.abspath(sys.argv[1])
FIRMWARE = "/usr/share/seabios/bios-256k.bin"

# What Linux calls a key (input-event-codes.h; X adds 8), and its bytes in set 1. Up to 58h the
# codes are the same, which is where Linux' come from.
PLAIN = [n for n in range(1, 0x59) if n not in (0x54, 0x55)]
OTHERS = {96: "e01c", 97: "e01d", 98: "e035", 100: "e038", 102: "e047", 103: "e048", 104: "e049",
          105: "e04b", 106: "e04d", 107: "e04f", 108: "e050", 109: "e051", 110: "e052", 111: "e053",
          125: "e05b", 126: "e05c", 127: "e05d"}
PAUSE = (119, "e11d45 e19dc5")
# PrintScreen and SysRq, Break; Hangul and Hanja; a Japanese keyboard's keys.
SPECIAL = [((99,), "e02ae037 e0b7e0aa"), ((56, 99), "38 54 d4 b8"), ((29, 119), "1d e046e0c6 9d"), ((122,), "f2"),
           ((123,), "f1"), ((89,), "73f3"), ((92,), "79f9"), ((93,), "70f0"), ((94,), "7bfb"), ((124,), "7dfd")]
KEY_LEFTCTRL, KEY_LEFTSHIFT, KEY_LEFTALT, KEY_A, KEY_D, KEY_F, KEY_G, KEY_P, KEY_Q, KEY_R = 29, 42, 56, 30, 32, 33, 34, 25, 16, 19
KEY_I, KEY_M, KEY_V, KEY_1, KEY_2, KEY_ENTER, KEY_DOWN, KEY_SEMICOLON = 23, 50, 47, 2, 3, 28, 108, 39
LOCKS = [58, 69, 70]  # Caps, Num, Scroll
LARGE, SMALL = "0x4118,0x411b", "0x410d,0x4115,0x4100"  # 1024x768, 1280x1024; 320x200, 800x600, 640x400


class Guest:
    """input.asm, or another program, in a window."""

    def __init__(self, desktop, *options, program="input.asm", modes="0"):
        self.desktop = desktop
        self.tmp = tempfile.mkdtemp()
        image = os.path.join(self.tmp, "input.img")
        self.log = os.path.join(self.tmp, "log")
        subprocess.run(["nasm", "-f", "bin", "-o", image, "-D", "MODES=" + modes, os.path.join(HERE, program)],
                       check=True)
        with open(image, "ab") as f:
            f.truncate(1440 * 1024)
        self.process = subprocess.Popen(
            [TURBO86, "-fda", image, "-boot", "a", "-debugcon", "file:" + self.log, *options],
            env=desktop.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.tmp)
        self.seen = 1
        try:
            self.window = desktop.find(self.process.pid, "turbo86 - ")  # SDL makes another one for OpenGL
            wait_for(lambda: "ready" in self.said(), "the guest is ready")
            desktop.focus(self.window)
        except AssertionError as e:
            where = self.waits()
            self.close()
            raise AssertionError(f"{e}; the program {where}") from None

    def waits(self):
        """What became of it, or what it waits for: for a test that does not know either."""
        if self.process.poll() is not None:
            return f"has ended: {self.process.returncode}, {self.process.stderr.read().decode()[-300:]!r}"
        with open(f"/proc/{self.process.pid}/wchan") as f:
            channel = f.read()
        tree = subprocess.run(["xwininfo", "-root", "-tree"], env=self.desktop.env, stdout=subprocess.PIPE, text=True,
                              timeout=60).stdout if shutil.which("xwininfo") else ""
        return f"waits in {channel!r}; windows: {[l.strip() for l in tree.splitlines() if 'turbo86' in l]}"

    def said(self):
        with open(self.log) as f:
            return f.read().splitlines()

    def bytes(self, kind, count):
        """The next @count bytes of the keyboard (K) or the mouse (M)."""
        def enough():
            got = [l[2:] for l in self.said()[self.seen:] if len(l) == 4 and l[0] == kind]
            return got if len(got) >= count else None
        got = wait_for(enough, f"{count} bytes from {kind}")
        self.seen = len(self.said())
        assert len(got) == count, (got, count)
        return "".join(got)

    def key(self, code, *how):
        # xdotool takes 9 for the digit, not for the code of Escape.
        for h in how or ("key",):
            self.desktop.xdotool(h, code + 8 if code > 1 else "Escape")

    def hotkey(self, code):
        self.desktop.xdotool("keydown", KEY_LEFTCTRL + 8, "keydown", KEY_LEFTALT + 8, "key", code + 8,
                             "keyup", KEY_LEFTALT + 8, "keyup", KEY_LEFTCTRL + 8)

    def ends(self):
        status = self.process.wait(timeout=60)
        return status, self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


class PointerGuest(Guest):
    """pointer.asm: the guest follows the pointer, in a mode of 320x200."""
    WIDTH, HEIGHT = 320, 200

    def __init__(self, desktop, *options):
        super().__init__(desktop, *options, "-device", "vmmouse", program="pointer.asm")
        wait_for(lambda: desktop.geometry(self.window)[2:] == [640, 480], "the window has its size")

    def packet(self):
        """The last one: buttons, the guest's pixel, the wheel."""
        lines = [l.split()[1:] for l in self.said() if len(l) == 37]
        if not lines:
            return None
        head, x, y, z = (int(v, 16) for v in lines[-1])
        return head, x * self.WIDTH // 65536, y * self.HEIGHT // 65536, z

    def pixel_at(self, x, y):
        """Which pixel is shown at a place of the window."""
        return x * self.WIDTH // 640, y * self.HEIGHT // 480

    def point(self, x, y):
        self.desktop.xdotool("mousemove", "--window", self.window, x, y)

    def wait(self, *packet):
        wait_for(lambda: self.packet() == packet, f"the packet {packet}", 20)


def break_code(make):
    return make[:-2] + f"{int(make[-2:], 16) | 0x80:02x}"


def check_keys(guest):
    for code, make in [(n, f"{n:02x}") for n in PLAIN] + list(OTHERS.items()):
        guest.key(code)
        got = guest.bytes("K", len(make))
        want = make + break_code(make)
        assert got == want, f"key {code} sends {got}, not {want}"
    guest.key(PAUSE[0])
    assert guest.bytes("K", 6) == PAUSE[1].replace(" ", "")
    d = guest.desktop
    x, y, w, h = d.geometry(guest.window)
    d.xdotool("mousemove", x + w // 2, y + h // 2, "click", 1)  # the window manager has uses for some of these
    wait_for(lambda: "Ctrl-Alt-G" in d.title(guest.window), "the title tells of the grab")
    for keys, want in SPECIAL:
        held, code = keys[:-1], keys[-1]
        for k in held:
            guest.key(k, "keydown")
        guest.key(code)
        for k in held:
            guest.key(k, "keyup")
        want = want.replace(" ", "")
        got = guest.bytes("K", len(want) // 2)
        assert got == want, f"keys {keys} send {got}, not {want}"
    guest.hotkey(KEY_G)
    assert guest.bytes("K", 4) == "1d389db8"
    for code in LOCKS:  # the desktop is as before: other tests type words
        guest.key(code)


def every_key_of_a_us_layout_sends_its_scan_code(guest):
    check_keys(guest)


def a_german_layout_sends_the_same_codes(guest):
    if not shutil.which("setxkbmap"):
        return
    subprocess.run(["setxkbmap", "de"], env=guest.desktop.env, check=True)
    check_keys(guest)


def keys_go_up_when_the_window_loses_the_keyboard(guest):
    other = Guest(guest.desktop)
    try:
        guest.desktop.focus(guest.window)
        guest.key(KEY_LEFTSHIFT, "keydown")  # which does not repeat
        assert guest.bytes("K", 1) == "2a"
        guest.desktop.focus(other.window)
        assert guest.bytes("K", 1) == "aa"
        guest.key(KEY_LEFTSHIFT, "keyup")
        guest.desktop.focus(guest.window)
        guest.key(KEY_D)
        assert guest.bytes("K", 2) == "20a0"
    finally:
        guest.key(KEY_LEFTSHIFT, "keyup")
        other.close()


def a_click_grabs_the_mouse_and_ctrl_alt_g_frees_it(guest):
    d = guest.desktop
    x, y, w, h = d.geometry(guest.window)
    d.xdotool("mousemove", x + w // 2, y + h // 2)
    d.xdotool("click", 1)
    wait_for(lambda: "Ctrl-Alt-G" in d.title(guest.window), "the title tells of the grab")
    d.xdotool("mousemove_relative", "--", 10, 5)
    assert guest.bytes("M", 4) == "280afb00"
    d.xdotool("mousemove_relative", "--", -3, -20)
    assert guest.bytes("M", 4) == "18fd1400"
    for button, down in ((1, "09"), (2, "0c"), (3, "0a")):
        d.xdotool("click", button)
        assert guest.bytes("M", 8) == down + "00000008000000"
    d.xdotool("click", 4)
    assert guest.bytes("M", 4) == "080000ff"
    d.xdotool("click", 5)
    assert guest.bytes("M", 4) == "08000001"
    guest.hotkey(KEY_G)
    assert guest.bytes("K", 4) == "1d389db8"
    wait_for(lambda: "Ctrl-Alt-G" not in d.title(guest.window), "the title forgets the grab")


def the_pointer_of_a_guest_that_follows_ours_needs_no_grab(guest):
    d = guest.desktop
    guest.close()
    guest = PointerGuest(d)
    try:
        guest.point(320, 240)
        guest.wait(0, 160, 100, 0)
        d.xdotool("mousedown", 1)
        guest.wait(0x20, 160, 100, 0)
        guest.point(639, 479)
        guest.wait(0x20, 319, 199, 0)
        d.xdotool("mouseup", 1, "mousedown", 3)
        guest.wait(0x10, 319, 199, 0)
        d.xdotool("mouseup", 3, "mousedown", 2)
        guest.wait(0x08, 319, 199, 0)
        d.xdotool("mouseup", 2, "click", 5)
        guest.wait(0, 319, 199, 1)
        assert "Ctrl-Alt-G" not in d.title(guest.window), d.title(guest.window)
        d.xdotool("mousemove", 3, 3)  # outside: it stays where it was
        guest.point(0, 0)
        guest.wait(0, 0, 0, 0)
    finally:
        guest.close()


def a_thousand_moves_end_where_the_pointer_is(guest):
    d = guest.desktop
    guest.close()
    guest = PointerGuest(d)
    random.seed(8)
    try:
        width, height = d.geometry(guest.window)[2:]
        for _ in range(10):
            places = [(random.randrange(width), random.randrange(height)) for _ in range(100)]
            d.xdotool(*(w for x, y in places for w in ("mousemove", "--window", guest.window, x, y)))
            guest.wait(0, *guest.pixel_at(*places[-1]), 0)
    finally:
        guest.close()


def ctrl_alt_d_is_ctrl_alt_del(guest):
    guest.hotkey(KEY_D)
    assert guest.bytes("K", 12) == "1d38" "9db8" "1d38e053" "e0d3b89d"


def full_screen_and_back(guest):
    d = guest.desktop
    if not d.manager:
        return  # only a window manager does this
    before = d.geometry(guest.window)
    guest.hotkey(KEY_F)
    wait_for(lambda: d.geometry(guest.window) == [0, 0, 1280, 1024], "the window fills the screen")
    guest.hotkey(KEY_F)
    wait_for(lambda: d.geometry(guest.window)[2:] == before[2:], "the window is as it was")


def after_full_screen_the_window_has_the_guests_size(guest):
    """Its mode of now, not that of before; then it follows the guest as ever."""
    d = guest.desktop
    if not d.manager:
        return
    for option, modes in (([], SMALL), (["-full-screen"], SMALL[7:])):
        guest.close()
        guest = Guest(d, *option, program="modes.asm", modes=modes)
        try:
            if not option:
                wait_for(lambda: d.geometry(guest.window)[2:] == [640, 480], "the window has its first size")
                guest.hotkey(KEY_F)
            wait_for(lambda: d.geometry(guest.window) == [0, 0, 1280, 1024], "the window fills the screen")
            if not option:
                guest.key(KEY_A)
            guest.hotkey(KEY_F)
            wait_for(lambda: d.geometry(guest.window)[2:] == [800, 600], "the size of the mode now")
            guest.key(KEY_A)
            wait_for(lambda: d.geometry(guest.window)[2:] == [640, 480], "the size of the next mode")
        finally:
            guest.close()


def a_window_that_grows_stays_on_the_screen_with_its_frame(guest):
    """Its picture did, but its title and border were beyond the edge: the frame was not counted."""
    d = guest.desktop
    guest.close()
    guest = Guest(d, program="modes.asm", modes=LARGE)
    try:
        d.check_on_screen(guest.window, lambda size: size == [1024, 768])
        guest.key(KEY_A)
        d.check_on_screen(guest.window, lambda size: size[0] > 1024)  # not all of 1280x1024
    finally:
        guest.close()


def a_paused_machine_says_so_and_goes_on(guest):
    d = guest.desktop
    guest.hotkey(KEY_P)
    wait_for(lambda: "paused" in d.title(guest.window), "the title says that it is paused")
    guest.key(KEY_A)
    guest.hotkey(KEY_P)
    wait_for(lambda: "MIPS" in d.title(guest.window), "the title tells the speed again")
    assert guest.bytes("K", 10) == "1d389db8" "1e9e" "1d389db8"


def check_idle(guest):
    def spent():
        with open(f"/proc/{guest.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    before, start = spent(), time.monotonic()
    time.sleep(5)
    share = (spent() - before) / (time.monotonic() - start)
    assert share < 0.05, f"{share:.1%} of a core"


def a_guest_that_halts_leaves_the_host_idle(guest):
    d = guest.desktop
    guest.close()
    guest = Guest(d, program="modes.asm", modes=LARGE)
    try:
        guest.key(KEY_A)
        d.check_on_screen(guest.window, lambda size: size[0] > 1024)
        check_idle(guest)
    finally:
        guest.close()


def a_full_screen_without_a_graphics_chip_leaves_the_host_idle(guest):
    """The cursor blinks. SDL chooses OpenGL by itself, which the CPU draws here, all of it again for each change."""
    d = guest.desktop
    chosen = {name: d.env.pop(name) for name in ("SDL_RENDER_DRIVER", "SDL_FRAMEBUFFER_ACCELERATION")}
    guest.close()
    try:
        guest = Guest(d, "-full-screen", program="modes.asm", modes="3")
        check_idle(guest)
    finally:
        d.env.update(chosen)
        guest.close()


def all_of_the_picture_stays_while_the_cursor_blinks(guest):
    def lines_with_text():
        """Of 25: the firmware has written two."""
        width, height, data = guest.desktop.picture(guest.window)
        return [any(data[3 * width * (height * r // 25 + 2):3 * width * (height * (r + 1) // 25 - 2)]) for r in (0, 1)]
    for _ in range(5):
        time.sleep(0.3)
        assert lines_with_text() == [True, True]


def the_overlay_has_the_speed_and_lights(guest):
    d = guest.desktop

    def colors():
        """Of the corner: how many pixels of each."""
        width, height, data = d.picture(guest.window)
        rows = (data[3 * (y * width + width - 200):3 * (y + 1) * width] for y in range(height - 20, height))
        return collections.Counter(row[i:i + 3] for row in rows for i in range(0, len(row), 3))
    dark, green, white = b"\x40\x40\x40", b"\x00\xe0\x00", b"\xff\xff\xff"
    assert not colors()[dark] and not colors()[white], colors()
    guest.hotkey(KEY_I)
    wait_for(lambda: colors()[dark] == 2 * 10 * 10 and colors()[white], "two dark lights and letters")
    running = colors()[white]
    guest.hotkey(KEY_P)
    wait_for(lambda: "paused" in d.title(guest.window) and colors()[white] not in (0, running), "other letters")
    paused = colors()[white]
    guest.hotkey(KEY_P)
    guest.hotkey(KEY_I)
    wait_for(lambda: not colors()[dark] and not colors()[white], "nothing of it")
    guest.close()
    guest = Guest(d, program="leds.asm")
    try:
        guest.hotkey(KEY_I)
        wait_for(lambda: colors()[dark], "it is there")
        guest.hotkey(KEY_P)
        wait_for(lambda: colors()[white] > 1.5 * paused, "more letters: NUM and CAPS before PAUSED")
    finally:
        guest.close()
    guest = Guest(d, program="busy.asm")
    try:
        guest.hotkey(KEY_I)
        wait_for(lambda: colors()[green] == 10 * 10, "the disk's light")
    finally:
        guest.close()


def the_monitor_is_in_the_window_and_the_guest_behind_it(guest):
    d = guest.desktop
    ink = lambda: d.picture(guest.window)[2].count(b"\xaa\xaa\xaa")

    def enter(line):
        d.xdotool("type", "--delay", 30, line)
        d.xdotool("key", "Return")
    guest.hotkey(KEY_2)
    assert guest.bytes("K", 4) == "1d389db8"
    wait_for(lambda: d.geometry(guest.window)[2:] == [640, 400], "its size")
    few = wait_for(ink, "a greeting")
    guest.hotkey(KEY_G)  # nobody would get what the mouse does
    d.xdotool("type", "--delay", 30, "sendkey ctrl-alt-f1x")
    d.xdotool("key", "BackSpace", "Return")
    assert guest.bytes("K", 6) == "1d383bbbb89d"  # nothing of what was typed
    enter("info registers")
    wait_for(lambda: ink() > 2 * few, "registers")
    assert "frees the mouse" not in d.title(guest.window)
    enter("screendump shot.png")  # the guest's, not ours
    wait_for(lambda: os.path.exists(os.path.join(guest.tmp, "shot.png")), "a picture")
    guest.hotkey(KEY_1)
    guest.key(KEY_A)
    assert guest.bytes("K", 2) == "1e9e"
    guest.hotkey(KEY_2)
    assert guest.bytes("K", 4) == "1d389db8"
    enter("quit")
    assert guest.ends() == (0, "")


def put_on_clipboard(d, text):
    subprocess.run(["xclip", "-selection", "clipboard"], env=d.env, input=text.encode(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def the_clipboard_is_typed_as_it_is(guest):
    """Backslashes and all; where the monitor is shown, into that."""
    if not shutil.which("xclip"):
        return
    d = guest.desktop

    def paste(text):
        put_on_clipboard(d, text)
        guest.hotkey(KEY_V)
    paste("a\\n<x\r\n\u20acb")
    assert guest.bytes("K", 20) == "1d389db8" "1e9e" "2bab" "31b1" "2a33b3aa" "2dad" "1c9c" "30b0"
    wait_for(lambda: "1 character" in d.title(guest.window), "the title tells what no key has")
    guest.hotkey(KEY_2)
    assert guest.bytes("K", 4) == "1d389db8"
    paste("sendkey b\n")
    assert guest.bytes("K", 2) == "30b0"
    paste("quit\n")
    assert guest.ends() == (0, "")


def the_clipboard_comes_after_the_keys_of_its_hotkey(guest):
    """Letters with Ctrl and Alt would be other ones. A slow guest that was paused takes keys late, and there are many."""
    if not shutil.which("xclip"):
        return
    d = guest.desktop
    guest.close()
    guest = Guest(d, "--speed", "8086")
    try:
        put_on_clipboard(d, "ab")
        hotkeys = [KEY_P, KEY_V] + 10 * [KEY_I] + [KEY_P]
        for key in hotkeys:
            guest.hotkey(key)
        got = guest.bytes("K", 4 * len(hotkeys) + 4)
        assert got == len(hotkeys) * "1d389db8" + "1e9e" "30b0", got
    finally:
        guest.close()


def typing_can_be_stopped(guest):
    """By its own hotkey, and by a reset, whoever has asked for it; a snapshot is another moment, too."""
    if not shutil.which("xclip"):
        return
    d = guest.desktop
    guest.close()
    guest = Guest(d, "-monitor", "unix:monitor,server", "--type", "600s:a time to come")
    try:
        stop_typing(guest, d)
    finally:
        guest.close()


def stop_typing(guest, d):
    put_on_clipboard(d, "x" * 5000)
    typed = lambda: guest.said()[guest.seen:].count("K 2d")
    guest.hotkey(KEY_V)
    wait_for(lambda: typed() > 5, "some of it")
    guest.hotkey(KEY_V)
    wait_for(lambda: "typing has stopped" in d.title(guest.window), "the title says so")
    guest.key(KEY_A)
    wait_for(lambda: guest.said()[-1] == "K 9e", "a key of the person's, and nothing behind it")
    assert typed() < 4000
    before = typed()
    guest.hotkey(KEY_V)
    wait_for(lambda: typed() > before + 5, "some of it")
    guest.hotkey(KEY_R)
    wait_for(lambda: guest.said().count("ready") == 2, "the guest has begun again")
    guest.key(KEY_A)
    wait_for(lambda: guest.said()[-1] == "K 9e", "a key of the person's, and nothing behind it")
    with socket.socket(socket.AF_UNIX) as monitor:
        def command(line):
            monitor.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"(turbo86) "):
                answer += monitor.recv(65536)
        monitor.settimeout(60)
        monitor.connect(os.path.join(guest.tmp, "monitor"))
        command("savevm state")
        for line in ("system_reset", "loadvm state"):
            before = typed()
            guest.hotkey(KEY_V)
            wait_for(lambda: typed() > before + 5, "some of it")
            command(line)
            if line == "system_reset":
                wait_for(lambda: guest.said().count("ready") == 3, "the guest has begun again")
            last = None
            for _ in range(10):
                seen = len(guest.said())
                guest.key(KEY_A)
                wait_for(lambda: "K 9e" in guest.said()[seen:], "a key of the person's")
                assert last in (None, typed()), f"it is typed on after {line}"
                last = typed()


def a_new_window_tells_of_its_menu(guest):
    d = guest.desktop
    process = subprocess.Popen([TURBO86], env=d.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=guest.tmp)
    try:
        window = d.find(process.pid, "Ctrl-Alt-M opens a menu")
        wait_for(lambda: "MIPS" in d.title(window), "the title tells the speed")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def the_window_has_an_icon_of_its_own(guest):
    """48 pixels wide, with the blue of its screen in it; window managers have ones for who has none."""
    if not shutil.which("xprop"):
        return
    r = subprocess.run(["xprop", "-id", guest.window, "-notype", "32c", "_NET_WM_ICON"], env=guest.desktop.env,
                       stdout=subprocess.PIPE, text=True, timeout=60)
    values = r.stdout.partition("=")[2].replace(",", " ").split()
    assert values[:2] == ["48", "48"] and str(0xff0000aa) in values, r.stdout[:200]


def a_deterministic_machine_says_that_it_takes_no_keys(guest):
    d = guest.desktop
    guest.close()
    guest = Guest(d, "--deterministic")
    try:
        wait_for(lambda: "deterministic: takes no keys" in d.title(guest.window), "the title says so")
    finally:
        guest.close()


def a_file_that_is_dropped_goes_into_a_drive(guest):
    d = guest.desktop

    def drop(name, size):
        path = os.path.join(guest.tmp, name)
        with open(path, "wb") as f:
            f.truncate(size)
        subprocess.run([sys.executable, os.path.join(HERE, "drop.py"), guest.window, path], env=d.env, check=True,
                       timeout=60)
    drop("disk two.img", 1440 * 1024)
    wait_for(lambda: "disk two.img is in floppy0" in d.title(guest.window), "the title says so")
    drop("cd.iso", 4 << 20)
    wait_for(lambda: "cd.iso is in cdrom" in d.title(guest.window), "the title says so")
    drop("small.img", 360 * 1024)
    wait_for(lambda: "small.img is in floppy0" in d.title(guest.window) or "fit" in d.title(guest.window),
             "the title says what became of it")
    os.mkdir(os.path.join(guest.tmp, "folder"))
    subprocess.run([sys.executable, os.path.join(HERE, "drop.py"), guest.window, os.path.join(guest.tmp, "folder")],
                   env=d.env, check=True, timeout=60)
    wait_for(lambda: "image of a disk" in d.title(guest.window), "a folder is none")
    guest.key(KEY_A)
    assert guest.bytes("K", 2) == "1e9e"


def choose(guest, down, *how):
    """The line of the menu that is so many below its first, rules not counted; how: keys instead of Enter."""
    guest.hotkey(KEY_M)
    for _ in range(down):
        guest.key(KEY_DOWN)
    guest.key(*(how or [KEY_ENTER]))


def the_menu_takes_keys_and_gives_the_guest_those_it_names(guest):
    """Ctrl and Alt of its hotkey go to the guest; what moves in the menu does not."""
    d = guest.desktop
    ground = lambda: d.picture(guest.window)[2].count(bytes([0x28] * 3))
    opening = "1d389db8"
    assert ground() == 0
    guest.hotkey(KEY_M)
    wait_for(lambda: ground() > 50000, "the menu is over the picture")
    guest.key(KEY_A)
    guest.key(1)
    wait_for(lambda: ground() == 0, "Escape takes it away")
    choose(guest, 0)
    assert guest.bytes("K", 16) == 2 * opening + "1d38e053" "e0d3b89d"
    choose(guest, 2)
    assert guest.bytes("K", 10) == opening + "1d383c" "bcb89d"
    choose(guest, 6)
    wait_for(lambda: "paused" in d.title(guest.window), "it pauses the machine")
    choose(guest, 6)
    wait_for(lambda: "paused" not in d.title(guest.window), "and lets it go on")
    choose(guest, 9)
    wait_for(lambda: "386" in d.title(guest.window), "it sets a speed")


def the_menu_follows_the_mouse(guest):
    """Its lines are 16 pixels high in the middle of the window; a click beside it closes it."""
    d = guest.desktop

    def colors():
        width, height, data = d.picture(guest.window)
        at = [i for i in range(0, len(data), 3) if data[i:i + 3] == b"\x28\x60\xb0"]
        return len(at), min(at, default=0) // 3 // width
    guest.hotkey(KEY_M)
    wait_for(lambda: colors()[0] > 3000, "the first line is marked")
    first = colors()[1]
    middle = d.geometry(guest.window)[2] // 2
    d.xdotool("mousemove", "--window", guest.window, middle, first + 16 * 8 + 8)

    wait_for(lambda: colors()[1] == first + 16 * 8, "Reset is marked")
    d.xdotool("mousemove", "--window", guest.window, middle, first + 16 * 7 + 8, "click", 1)
    wait_for(lambda: "paused" in d.title(guest.window), "a click pauses")
    assert colors()[0] == 0
    guest.hotkey(KEY_M)
    wait_for(lambda: colors()[0] > 3000, "the menu is there again")
    d.xdotool("mousemove", "--window", guest.window, 3, 3, "click", 1)
    wait_for(lambda: colors()[0] == 0, "a click beside it closes it")
    assert "frees the mouse" not in d.title(guest.window)


def the_close_button_ends_the_run(guest):
    if not guest.desktop.manager:
        return
    guest.desktop.run("wmctrl", "-c", "turbo86")
    assert guest.ends() == (0, "")


def ctrl_alt_q_ends_the_run(guest):
    guest.hotkey(KEY_Q)
    assert guest.ends() == (0, "")


def hotkeys_are_where_the_layout_has_their_letters(guest):
    """On a French keyboard M is right of L, and A and Q have changed places; a Russian one has neither."""
    if not shutil.which("setxkbmap"):
        return
    d = guest.desktop
    ground = lambda: d.picture(guest.window)[2].count(bytes([0x28] * 3))

    def opens_and_closes(key):
        guest.hotkey(key)
        wait_for(lambda: ground() > 50000, "the menu is over the picture")
        guest.key(1)
        wait_for(lambda: ground() == 0, "Escape takes it away")
    try:
        subprocess.run(["setxkbmap", "fr"], env=d.env, check=True)
        opens_and_closes(KEY_SEMICOLON)
        assert guest.bytes("K", 4) == "1d389db8"
        guest.hotkey(KEY_M)  # a comma
        guest.hotkey(KEY_Q)  # an A
        assert guest.bytes("K", 12) == "1d3832b2b89d" "1d381090b89d"
        subprocess.run(["setxkbmap", "ru"], env=d.env, check=True)
        opens_and_closes(KEY_M)
        subprocess.run(["setxkbmap", "fr"], env=d.env, check=True)
        guest.hotkey(KEY_A)
        assert guest.ends() == (0, "")
    finally:
        subprocess.run(["setxkbmap", "us"], env=d.env, check=True)


def hotkeys_follow_the_person_from_layout_to_layout(guest):
    """Two layouts at once, as a desktop has them, and the second one chosen while the window is there."""
    if not shutil.which("setxkbmap"):
        return
    d = guest.desktop
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XkbLockGroup.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    x11.XCloseDisplay.argtypes = (ctypes.c_void_p,)

    def choose(group):
        display = x11.XOpenDisplay(d.display.encode())
        assert display and x11.XkbLockGroup(display, 0x100, group)
        x11.XCloseDisplay(display)

    def opens_and_closes(key):
        guest.hotkey(key)
        wait_for(lambda: d.picture(guest.window)[2].count(bytes([0x28] * 3)) > 50000, "the menu is over the picture")
        guest.key(1)
        wait_for(lambda: bytes([0x28] * 3) * 100 not in d.picture(guest.window)[2], "Escape takes it away")
    try:
        subprocess.run(["setxkbmap", "us,fr,ru"], env=d.env, check=True)
        for group, key in ((0, KEY_M), (1, KEY_SEMICOLON), (2, KEY_M), (1, KEY_SEMICOLON)):
            choose(group)
            opens_and_closes(key)
        guest.bytes("K", 16)
        guest.hotkey(KEY_Q)  # an A
        assert guest.bytes("K", 6) == "1d381090b89d"
        guest.hotkey(KEY_A)
        assert guest.ends() == (0, "")
    finally:
        choose(0)
        subprocess.run(["setxkbmap", "us"], env=d.env, check=True)


def modes_of_few_lines_fill_a_screen_of_4_to_3(guest):
    d = guest.desktop
    guest.close()
    guest = Guest(d, program="modes.asm", modes=SMALL)
    try:
        for size in ([640, 480], [800, 600], [640, 480]):
            wait_for(lambda: d.geometry(guest.window)[2:] == size, f"the window has {size}")
            guest.key(KEY_A)
    finally:
        guest.close()


def a_display_that_goes_away_ends_the_run_in_order(_):
    desktop = Desktop()
    guest = Guest(desktop)
    try:
        desktop.close()
        status, said = guest.ends()
        assert status == 4 and "the display is gone" in said, (status, said)
    finally:
        guest.close()


def without_a_display_one_sentence_says_so(guest):
    r = subprocess.run([TURBO86, "-display", "sdl"], env=dict(guest.desktop.env, DISPLAY=":9999"),
                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)
    assert r.returncode == 2 and r.stderr.startswith("turbo86: -display sdl: there is no window"), r


def an_absent_sound_card_is_told_only_to_who_asked(guest):
    env = dict(guest.desktop.env, SDL_DISKAUDIOFILE="/nonexistent/file", ALSA_CONFIG_PATH="/dev/null")
    for driver in ("disk", "alsa"):  # ALSA has much to say about that configuration
        r = subprocess.run([TURBO86, "-display", "none", "-audio", "sdl"], env=dict(env, SDL_AUDIODRIVER=driver),
                           text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
        assert r.returncode == 2 and r.stderr.startswith("turbo86: no sound"), r
        assert r.stderr.count("\n") == 1, r


TESTS = [
    every_key_of_a_us_layout_sends_its_scan_code,
    keys_go_up_when_the_window_loses_the_keyboard,
    a_click_grabs_the_mouse_and_ctrl_alt_g_frees_it,
    the_pointer_of_a_guest_that_follows_ours_needs_no_grab,
    a_thousand_moves_end_where_the_pointer_is,
    ctrl_alt_d_is_ctrl_alt_del,
    full_screen_and_back,
    after_full_screen_the_window_has_the_guests_size,
    a_window_that_grows_stays_on_the_screen_with_its_frame,
    modes_of_few_lines_fill_a_screen_of_4_to_3,
    a_paused_machine_says_so_and_goes_on,
    a_guest_that_halts_leaves_the_host_idle,
    a_full_screen_without_a_graphics_chip_leaves_the_host_idle,
    all_of_the_picture_stays_while_the_cursor_blinks,
    the_overlay_has_the_speed_and_lights,
    the_monitor_is_in_the_window_and_the_guest_behind_it,
    the_clipboard_is_typed_as_it_is,
    the_clipboard_comes_after_the_keys_of_its_hotkey,
    typing_can_be_stopped,
    a_new_window_tells_of_its_menu,
    the_window_has_an_icon_of_its_own,
    a_deterministic_machine_says_that_it_takes_no_keys,
    a_file_that_is_dropped_goes_into_a_drive,
    the_menu_takes_keys_and_gives_the_guest_those_it_names,
    the_menu_follows_the_mouse,
    the_close_button_ends_the_run,
    ctrl_alt_q_ends_the_run,
    hotkeys_are_where_the_layout_has_their_letters,
    hotkeys_follow_the_person_from_layout_to_layout,
    a_german_layout_sends_the_same_codes,
    a_display_that_goes_away_ends_the_run_in_order,
    without_a_display_one_sentence_says_so,
    an_absent_sound_card_is_told_only_to_who_asked,
]


def has_window():
    r = subprocess.run([TURBO86, "-display", "sdl", "--wall-timeout", "1ms"],
                       env=dict(os.environ, SDL_VIDEODRIVER="dummy"), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return "built without SDL" not in r.stderr


def main():
    lacking = missing() + [f for f in [FIRMWARE] if not os.path.exists(f)]
    lacking += [] if shutil.which("nasm") else ["nasm"]
    if lacking or not has_window():
        print("skipped: there is no " + (", ".join(lacking) or "window in this turbo86"))
        return 77
    failed = 0
    desktop = Desktop()
    try:
        for test in TESTS:
            if sys.argv[2:] and test.__name__ not in sys.argv[2:]:
                continue
            guest = Guest(desktop)
            try:
                test(guest)
                print("ok  ", test.__name__, flush=True)
            except AssertionError as e:
                failed += 1
                said = guest.said()[-20:] if os.path.exists(guest.log) else []
                print("FAIL", test.__name__, e, said, flush=True)
            finally:
                guest.close()
    finally:
        desktop.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

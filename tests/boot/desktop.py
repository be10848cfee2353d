# SPDX-License-Identifier: MIT
"""A desktop of its own for a test: Xvfb, and xdotool as the person in front of it."""
import os
import shutil
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = ["Xvfb", "xdotool"]
MANAGER = ["openbox", "wmctrl", "xprop"]  # without them there is no window manager


def missing():
    return [tool for tool in TOOLS if not shutil.which(tool)]


def wait_for(condition, what, seconds=60):
    """The first true value of condition(); everything here is a matter of when, never of how long."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{seconds} s have passed without: {what}")
        time.sleep(0.02)


def crop(path, x, y, width, height):
    """A part of an X window dump of 32 bits a pixel."""
    with open(path, "rb") as f:
        data = f.read()
    head = struct.unpack(">25I", data[:100])
    stride, base = head[12], head[0] + 12 * head[19]
    out = bytearray()
    for row in range(y, y + height):
        line = data[base + row * stride + 4 * x:base + row * stride + 4 * (x + width)]
        rgb = bytearray(3 * width)
        rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
        out += rgb
    return width, height, bytes(out)


class Desktop:
    def __init__(self, size="1280x1024x24"):
        read, write = os.pipe()
        self.size = [int(n) for n in size.split("x")[:2]]
        self.screen = tempfile.TemporaryDirectory()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-noreset", "-r",
             "-fbdir", self.screen.name],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        if not number:
            raise AssertionError("Xvfb did not start")
        self.display = ":" + number
        self.env = dict(os.environ, DISPLAY=self.display, SDL_VIDEODRIVER="x11",
                        SDL_AUDIODRIVER="dummy", SDL_RENDER_DRIVER="software",
                        SDL_FRAMEBUFFER_ACCELERATION="0",
                        LSAN_OPTIONS=f"suppressions={HERE}/desktop.supp,print_suppressions=0")
        self.env.pop("WAYLAND_DISPLAY", None)
        self.manager = None
        if all(map(shutil.which, MANAGER)):
            self.manager = subprocess.Popen(MANAGER[0], env=self.env, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            wait_for(self.is_managed, "the window manager is there")

    def is_managed(self):
        """Whether the window manager does what it is asked. It says that it is there before it waits for events, and
        sleeps on those that came in between: a window of ours would stay unmapped, and its program wait for ever."""
        self.run("wmctrl", "-n", "2")
        r = subprocess.run(["xprop", "-root", "_NET_NUMBER_OF_DESKTOPS"], env=self.env, stdout=subprocess.PIPE, text=True,
                           timeout=60)
        return r.stdout.strip().endswith("= 2")

    def run(self, *args):
        return subprocess.run(args, env=self.env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=60).returncode

    def xdotool(self, *args, check=True):
        r = subprocess.run(["xdotool", *map(str, args)], env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=60)
        if check and r.returncode:
            raise AssertionError(f"xdotool {args}: {r.stderr}")
        return r.stdout.strip()

    def find(self, pid, title="turbo86"):
        """The window of a process, once it is there."""
        search = lambda: self.xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--name", title,
                                      check=False)
        return wait_for(search, f"a window called {title}").split()[0]

    def title(self, window):
        return self.xdotool("getwindowname", window)

    def geometry(self, window):
        text = self.xdotool("getwindowgeometry", "--shell", window)
        values = dict(line.split("=") for line in text.splitlines())
        return [int(values[k]) for k in ("X", "Y", "WIDTH", "HEIGHT")]

    def check_on_screen(self, window, has_size):
        """All of it, with the window manager's frame, once has_size([width, height]) is true."""
        def is_there():
            x, y = self.corner(window)
            width, height = self.geometry(window)[2:]
            frame = subprocess.run(["xprop", "-id", window, "_NET_FRAME_EXTENTS"], env=self.env, text=True,
                                   stdout=subprocess.PIPE).stdout if self.manager else ""
            left, right, top, bottom = map(int, frame.split("=")[1].split(",")) if "=" in frame else [0] * 4
            return has_size([width, height]) and min(x - left, y - top) >= 0 and \
                x + width + right <= self.size[0] and y + height + bottom <= self.size[1]
        wait_for(is_there, "all of the window is on the screen")

    def corner(self, window):
        """Where its picture begins; geometry() may count the frame."""
        self.xdotool("mousemove", "--window", window, 0, 0)
        at = dict(l.split("=") for l in self.xdotool("getmouselocation", "--shell").splitlines())
        return int(at["X"]), int(at["Y"])

    def picture(self, window):
        """What is in it now: width, height, bytes of red, green, blue."""
        x, y = self.corner(window)
        width, height = self.geometry(window)[2:]
        return crop(os.path.join(self.screen.name, "Xvfb_screen0"), x, y, width, height)

    def focus(self, window):
        """Without a window manager the keyboard is where it is put."""
        self.xdotool("windowfocus", "--sync", window)

    def close(self):
        if self.manager:
            self.manager.terminate()
            self.manager.wait()
        self.server.terminate()
        self.server.wait()
        self.screen.cleanup()

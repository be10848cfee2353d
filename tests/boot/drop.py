#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drops a file on an X window, as a file manager does: the XDND protocol, version 5, from the side that drags.

usage: drop.py WINDOW FILE
"""
import ctypes
import os
import sys
import time
import urllib.parse

CLIENT_MESSAGE, SELECTION_REQUEST, SELECTION_NOTIFY = 33, 30, 31


class Client(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5)]


class Request(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("owner", ctypes.c_ulong), ("requestor", ctypes.c_ulong),
                ("selection", ctypes.c_ulong), ("target", ctypes.c_ulong), ("property", ctypes.c_ulong),
                ("time", ctypes.c_ulong)]


class Notify(ctypes.Structure):
    _fields_ = [f for f in Request._fields_ if f[0] != "owner"]


class Event(ctypes.Union):
    _fields_ = [("type", ctypes.c_int), ("client", Client), ("request", Request), ("notify", Notify),
                ("pad", ctypes.c_long * 24)]


class Drop:
    def __init__(self, window, path):
        self.x = x = ctypes.CDLL("libX11.so.6")
        for name in ("XOpenDisplay",):
            getattr(x, name).restype = ctypes.c_void_p
        for name in ("XInternAtom", "XCreateSimpleWindow", "XDefaultRootWindow"):
            getattr(x, name).restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(x.XOpenDisplay(None))
        assert self.display, "there is no display"
        self.window = ctypes.c_ulong(window)
        self.data = ("file://" + urllib.parse.quote(os.path.abspath(path)) + "\r\n").encode()
        root = ctypes.c_ulong(x.XDefaultRootWindow(self.display))
        self.source = ctypes.c_ulong(x.XCreateSimpleWindow(self.display, root, 0, 0, 1, 1, 0, ctypes.c_ulong(0),
                                                           ctypes.c_ulong(0)))
        self.list = self.atom("text/uri-list")
        x.XSetSelectionOwner(self.display, ctypes.c_ulong(self.atom("XdndSelection")), self.source, ctypes.c_ulong(0))

    def atom(self, name):
        return self.x.XInternAtom(self.display, name.encode(), 0)

    def send(self, name, *data):
        e = Event()
        e.client = Client(CLIENT_MESSAGE, 0, 1, self.display, self.window, self.atom(name), 32,
                          (ctypes.c_long * 5)(self.source.value, *data))
        self.x.XSendEvent(self.display, self.window, 0, ctypes.c_long(0), ctypes.byref(e))
        self.x.XFlush(self.display)

    def answer(self, r):
        """Whoever was dropped on asks for what it is."""
        self.x.XChangeProperty(self.display, ctypes.c_ulong(r.requestor), ctypes.c_ulong(r.property),
                               ctypes.c_ulong(r.target), 8, 0, self.data, len(self.data))
        e = Event()
        e.notify = Notify(SELECTION_NOTIFY, 0, 1, self.display, r.requestor, r.selection, r.target, r.property, r.time)
        self.x.XSendEvent(self.display, ctypes.c_ulong(r.requestor), 0, ctypes.c_long(0), ctypes.byref(e))
        self.x.XFlush(self.display)

    def wait(self, message, seconds=60):
        """Answer whatever is asked until @message comes."""
        end, e = time.monotonic() + seconds, Event()
        while time.monotonic() < end:
            if not self.x.XPending(self.display):
                time.sleep(0.01)
                continue
            self.x.XNextEvent(self.display, ctypes.byref(e))
            if e.type == SELECTION_REQUEST:
                self.answer(e.request)
            elif e.type == CLIENT_MESSAGE and e.client.message == self.atom(message):
                return
        raise AssertionError(f"{seconds} s have passed without {message}")

    def run(self):
        self.send("XdndEnter", 5 << 24, self.list, 0, 0)
        self.send("XdndPosition", 0, 0, 0, self.atom("XdndActionCopy"))
        self.wait("XdndStatus")
        self.send("XdndDrop", 0, 0, 0, 0)
        self.wait("XdndFinished")


if __name__ == "__main__":
    Drop(int(sys.argv[1], 0), sys.argv[2]).run()

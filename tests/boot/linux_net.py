#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's i386 kernel, its drivers of our network cards, and the network of -nic user.

    linux_net.py --kernel VMLINUZ --root DIR [--turbo86 CMD] [--megabytes N] [--name NAME] [--runs N]
                 [CARD ...]

DIR holds the unpacked kernel package and busybox-static. A CARD is a driver: 8139cp, 8139too, ne2k-pci.
With each, the guest gets a lease by DHCP, resolves NAME (if the host can), fetches N MiB from a server
on this host's loopback and compares SHA-256, and answers a connection that comes through hostfwd. Then
it boots N times with --deterministic and restrict=on, DHCP and ping: the state hashes must be equal.
Last, iPXE (if the host's ipxe-qemu package is there) gets a lease with each PCI card and runs a script
by TFTP, also that many times with one hash.
"""
import argparse
import contextlib
import hashlib
import http.server
import os
import pathlib
import random
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time

from linux_disk import make_initrd

CARDS = {"8139cp": "rtl8139", "8139too": "rtl8139,cplus=off", "ne2k-pci": "ne2k_pci"}
ROMS = "/usr/share/qemu", "/usr/lib/ipxe/qemu"
PCAP = b"\x4d\x3c\xb2\xa1"  # of nanoseconds, little-endian
IPXE = "#!ipxe\necho @LOADED from ${next-server} for ${net0/ip}\nshell\n"
LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ifconfig $interface $ip netmask $subnet
route add default gw $router dev $interface
echo "nameserver $dns" >/etc/resolv.conf
echo "@LEASE $ip from $serverid, router $router, dns $dns" >/dev/console
"""
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir /etc
for w in $(cat /proc/cmdline); do case $w in
    driver=*|fetch=*|sum=*|name=*|echo=*|quit) export "${w%%=*}=${w#*=}" ;; esac; done
for m in $(cat /modules/order); do case $m in
    8139*.ko|ne2k-pci.ko) [ $m = $driver.ko ] || continue ;; esac
    insmod /modules/$m || echo "@FAIL insmod $m"; done
[ -e /sys/class/net/eth0 ] || echo "@FAIL no eth0"
ls -l /sys/class/net/eth0/device/driver | sed 's/.*drivers./@DRIVER /'
ifconfig lo 127.0.0.1; ifconfig eth0 up
udhcpc -i eth0 -n -q -s /lease >/dev/null 2>&1 || echo "@FAIL dhcp"
ping -c 3 -w 10 10.0.2.2 >/dev/null && echo @PING
if [ -n "$name" ]; then nslookup $name | sed -n '3,$s/^Address: */@DNS /p'; fi
if [ -n "$fetch" ]; then
    set -- $(wget -q -O - $fetch | sha256sum)
    [ "$1" = "$sum" ] && echo "@SUM $1" || echo "@FAIL sum is $1"
fi
if [ -n "$echo" ]; then echo "@LISTENS"; nc -l -p $echo -e sh -c 'read x; echo "guest says $x"'; fi
ifconfig eth0 | sed -n 's/^ *\\([RT]X packets.*\\)/@\\1/p'
grep eth0 /proc/interrupts | sed 's/^/@IRQ /'
echo @DONE
poweroff -f
"""


def fail(why, output=""):
    print(output[-4000:])
    sys.exit("FAILED: " + why)


@contextlib.contextmanager
def server(data):
    """HTTP on the loopback -> port"""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):  # pylint: disable=arguments-differ
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_address[1]
    httpd.shutdown()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Linux:
    def __init__(self, a, tmp):
        self.a, self.initrd = a, tmp / "initrd.gz"
        make_initrd(a.root, self.initrd, INIT,
                    [card.replace("-", "_") for card in CARDS], [("lease", LEASE)])

    def command(self, card, network, what, *more):
        return shlex.split(self.a.turbo86) + [
            "-m", "128", "-nographic", "-no-reboot", "-kernel", self.a.kernel, "-initrd",
            str(self.initrd), "-append", f"console=ttyS0 quiet driver={card} {what}",
            "-nic", f"user,model={CARDS[card]},romfile={network}", *more]

    def online(self, card):
        """Everything that needs the host."""
        a, host_port = self.a, free_port()
        data = random.Random(1).randbytes(a.megabytes << 20)
        digest = hashlib.sha256(data).hexdigest()
        try:
            addresses = {i[4][0] for i in socket.getaddrinfo(a.name, 80, socket.AF_INET)}
        except OSError:
            addresses = set()
        with server(data) as port:
            what = f"fetch=http://10.0.2.2:{port}/file sum={digest} echo=7777"
            if addresses:
                what += f" name={a.name}"
            start = time.time()
            p = subprocess.Popen(self.command(card, f",hostfwd=tcp::{host_port}-:7777", what),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
            guard = threading.Timer(a.limit, p.kill)
            guard.start()
            out, answer = "", ""
            try:
                for line in p.stdout:
                    out += line.decode(errors="replace").replace("\r", "")
                    if "@FAIL" in out:
                        fail(card, out)
                    if "@LISTENS" in out and not answer:
                        answer = self.ask(host_port)
                status = p.wait()
            finally:
                guard.cancel()
                p.kill()
        found = [line for line in out.split("\n") if line.startswith("@")]
        print(f"{card}: {a.megabytes} MiB in a run of {time.time() - start:.0f} s")
        print("\n".join("    " + line for line in found))
        print(f"    through hostfwd: {answer}", flush=True)
        if status != 0 or "@FAIL" in out or "@DONE" not in found or f"@SUM {digest}" not in found or \
                "@PING" not in found or f"@DRIVER {card}" not in found:
            fail(f"{card}: exit status {status}", out)
        if answer != f"guest says hello {host_port}":
            fail(f"{card}: hostfwd gave {answer!r}", out)
        if addresses:
            if not addresses & set(re.findall(r"@DNS (\S+)", out)):
                fail(f"{card}: DNS did not give one of {addresses}", out)
        else:
            print(f"    no DNS: the host does not know {a.name} either")

    def ask(self, port):
        """A connection to the guest; it listens already or soon."""
        for _ in range(100):
            # refused by the guest: the host's side is reset, or ends, once it is known
            with contextlib.suppress(ConnectionError), \
                    socket.create_connection(("127.0.0.1", port), timeout=60) as s:
                s.sendall(f"hello {port}\n".encode())
                answer = s.makefile().readline().strip()
                if answer:
                    return answer
            time.sleep(0.1)
        return ""

    def offline(self, card):
        """The same state each time."""
        seen = set()
        for _ in range(self.a.runs):
            p = subprocess.run(self.command(card, ",restrict=on", "quit", "--deterministic", "--state-hash"),
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=self.a.limit,
                               check=False)
            m = re.search(r"state-hash (\w+)", p.stdout + p.stderr)
            if p.returncode != 0 or not m or "@LEASE" not in p.stdout or "@PING" not in p.stdout:
                fail(f"{card}, restricted: exit status {p.returncode}", p.stdout + p.stderr)
            seen.add(m[1])
        print(f"{card}: {self.a.runs} deterministic runs, state {', '.join(sorted(seen))}", flush=True)
        if len(seen) != 1:
            fail("the hashes differ")


def ipxe(a, model, tmp):
    if not any(os.path.exists(f"{d}/pxe-{model}.rom") for d in ROMS):
        print(f"skipped iPXE on {model}: there is no ipxe-qemu")
        return
    (tmp / "script.ipxe").write_text(IPXE)
    seen, screens = set(), set()
    for _ in range(a.runs):
        p = subprocess.run(shlex.split(a.turbo86) + [
            "-display", "none", "--deterministic", "--ns-per-insn", "20", "--timeout", "20s", "--state-hash",
            "--print-screen", "-boot", "n", "-nic",
            f"user,model={model},restrict=on,tftp={tmp},bootfile=script.ipxe,pcap={tmp}/net.pcap"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=a.limit, check=False)
        out = p.stdout + p.stderr
        loaded, m = re.search(r"@LOADED from 10\.0\.2\.2 for \S+", out), re.search(r"state-hash (\w+)", out)
        if p.returncode != 10 or not loaded or not m:
            fail(f"iPXE on {model}: exit status {p.returncode}", out)
        dump = (tmp / "net.pcap").read_bytes()
        if dump[:4] != PCAP or b"script.ipxe\0octet" not in dump or IPXE.encode() not in dump:
            fail(f"iPXE on {model}: what was asked and sent is not in the dump of {len(dump)} bytes")
        seen.add(m[1])
        screens.add(loaded[0])
    print(f"iPXE on {model}: {', '.join(screens)}; {a.runs} runs, state {', '.join(sorted(seen))}", flush=True)
    if len(seen) != 1:
        fail("the hashes differ")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kernel", required=True)
    p.add_argument("--root", required=True, type=pathlib.Path)
    p.add_argument("--turbo86", default="build/turbo86")
    p.add_argument("--megabytes", type=int, default=50)
    p.add_argument("--name", default="deb.debian.org")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--limit", type=float, default=900)
    p.add_argument("--ipxe-only", action="store_true", help="skip Linux")
    p.add_argument("card", nargs="*", default=list(CARDS))
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        linux = Linux(a, tmp)
        for card in [] if a.ipxe_only else a.card:
            linux.online(card)
            linux.offline(card)
        (tmp / "tftp").mkdir()
        for model in sorted({CARDS[card].split(",")[0] for card in a.card}):
            ipxe(a, model, tmp / "tftp")


if __name__ == "__main__":
    main()

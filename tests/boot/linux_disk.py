#!/usr/bin/env python3
"""Boot Debian's i386 kernel with an ext4 image on an IDE disk, write to it, and check it from outside.

    linux_disk.py --kernel VMLINUZ --root DIR [--turbo86 CMD] [--qemu CMD] [--size MIB] [--write MIB]
                  [--determinism RUNS]

DIR holds the unpacked kernel package and busybox-static (lib/modules/*, bin/busybox). The guest mounts
/dev/sda through ata_piix, writes a file, syncs, reads it back after a remount, and powers off. Then
e2fsck must find nothing, and QEMU (if given) must mount the image clean and read the same checksum.
--determinism boots the same guest that many times with --deterministic --state-hash and wants one hash.
"""
import argparse
import gzip
import io
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

MODULES = ["ata_piix", "sd_mod", "ext4", "crc32c_generic"]

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
for m in $(cat /modules/order); do insmod /modules/$m || echo "@FAIL insmod $m"; done
n=0; while [ ! -b /dev/sda ] && [ $n -lt 50 ]; do sleep 0.2; n=$((n+1)); done
for w in $(cat /proc/cmdline); do case $w in
write=*) mount -t ext4 /dev/sda /mnt || echo "@FAIL mount"
    dd if=/dev/urandom of=/mnt/file bs=1048576 count=${w#write=} 2>/dev/null; sync
    echo "@SUM $(md5sum < /mnt/file)"; umount /mnt
    mount -t ext4 /dev/sda /mnt; echo "@AGAIN $(md5sum < /mnt/file)"; umount /mnt ;;
verify) mount -t ext4 /dev/sda /mnt || echo "@FAIL mount"; echo "@AGAIN $(md5sum < /mnt/file)"; umount /mnt ;;
esac; done
dmesg | grep -i -e 'ext4.*recover' -e 'I/O error' -e 'exception Emask' && echo "@FAIL kernel log"
echo "@DONE"
poweroff -f
"""


def depends(ko):
    m = re.search(rb"\0?depends=([^\0]*)", ko.read_bytes())
    return [d for d in m[1].decode().replace("-", "_").split(",") if d] if m else []


def module_order(root, modules):
    files = {p.stem.replace("-", "_"): p for p in root.rglob("*.ko")}
    order = []

    def add(name):
        if name not in files:
            return  # built in
        for d in depends(files[name]):
            add(d)
        if files[name] not in order:
            order.append(files[name])

    for name in modules:
        add(name)
    return order


def cpio(entries):
    """newc archive of (name, mode, bytes)."""
    out = io.BytesIO()
    for ino, (name, mode, data) in enumerate(entries + [("TRAILER!!!", 0, b"")], 1):
        field = [ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out.write(b"070701" + "".join(f"{f:08x}" for f in field).encode() + name.encode() + b"\0")
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))
    return out.getvalue()


def make_initrd(root, path, init=INIT, modules=tuple(MODULES), files=()):
    """@init as /init, busybox, @modules and what they need, in the order of /modules/order."""
    order = module_order(root, modules)
    entries = [(d, 0o040755, b"") for d in ("bin", "proc", "sys", "dev", "mnt", "modules")]
    busybox = next(p for p in (root / "bin/busybox", root / "usr/bin/busybox") if p.exists())
    entries.append(("bin/busybox", 0o100755, busybox.read_bytes()))
    entries.append(("init", 0o100755, init.encode()))
    entries.append(("modules/order", 0o100644, "\n".join(p.name for p in order).encode()))
    entries += [("modules/" + p.name, 0o100644, p.read_bytes()) for p in order]
    entries += [(name, 0o100755, text.encode()) for name, text in files]
    path.write_bytes(gzip.compress(cpio(entries), 1, mtime=0))


def run(cmd, limit):
    print("+", " ".join(shlex.quote(c) for c in cmd), flush=True)
    p = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit)
    return p.returncode, p.stdout


def fail(why, output=""):
    print(output[-4000:])
    sys.exit("FAILED: " + why)


def sums(output):
    return dict(re.findall(r"@(SUM|AGAIN) ([0-9a-f]{32})", output))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--kernel", required=True)
    ap.add_argument("--root", required=True, type=pathlib.Path)
    ap.add_argument("--turbo86", default="build/turbo86")
    ap.add_argument("--qemu", default="")
    ap.add_argument("--size", type=int, default=192)
    ap.add_argument("--write", type=int, default=64)
    ap.add_argument("--determinism", type=int, default=0)
    ap.add_argument("--limit", type=float, default=900)
    a = ap.parse_args()

    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        initrd, disk = tmp / "initrd.gz", tmp / "disk.img"
        make_initrd(a.root, initrd)

        def mkfs():
            disk.unlink(missing_ok=True)
            with open(disk, "wb") as f:
                f.truncate(a.size << 20)
            subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", "-U", "00000000-0000-4000-8000-000000000001",
                            "-E", "hash_seed=00000000-0000-4000-8000-000000000002", str(disk)],
                           check=True, env=dict(os.environ, E2FSPROGS_FAKE_TIME="1600000000"))

        def guest(cmd, what, extra=()):
            return run(shlex.split(cmd) + ["-m", "256", "-nographic", "-no-reboot", "-kernel", a.kernel,
                       "-initrd", str(initrd), "-append", f"console=ttyS0 quiet {what}",
                       *extra], a.limit)

        if a.determinism:
            seen = []
            for i in range(a.determinism):
                mkfs()
                load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(i % 4)]
                try:
                    rc, out = guest(a.turbo86, f"write={a.write}",
                                    ("-hda", str(disk), "--deterministic", "--state-hash"))
                finally:
                    for p in load:
                        p.kill()
                m = re.search(r"state-hash:? *([0-9a-f]{16})", out)
                if rc != 0 or not m:
                    fail(f"run {i}: exit status {rc}, hash {m and m[1]}", out)
                print(f"run {i}, {i % 4} busy processes beside it: {m[1]}", flush=True)
                seen.append(m[1])
            if len(set(seen)) != 1:
                fail("the hashes differ")
            print(f"{a.determinism} runs, one state hash")
            return

        mkfs()
        rc, out = guest(a.turbo86, f"write={a.write}", ("-drive", f"file={disk},format=raw,index=0"))
        s = sums(out)
        if rc != 0 or "@FAIL" in out or "@DONE" not in out or "SUM" not in s or s["SUM"] != s.get("AGAIN"):
            fail(f"guest: exit status {rc}, sums {s}", out)
        print("guest wrote and read back", s["SUM"])
        rc, fsck = run(["e2fsck", "-fn", str(disk)], 120)
        if rc != 0:
            fail(f"e2fsck: exit status {rc}", fsck)
        print("e2fsck -fn: clean")
        if a.qemu:
            rc, out = guest(a.qemu, "verify", ("-drive", f"file={disk},format=raw,index=0"))
            if "@FAIL" in out or sums(out).get("AGAIN") != s["SUM"]:
                fail("QEMU reads another checksum or does not mount it", out)
            print("QEMU mounts it clean and reads the same checksum")


if __name__ == "__main__":
    main()

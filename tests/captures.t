#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Capture files in all their forms, written here byte by byte, and how much memory hostile ones take."""
import gzip
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import check, done_testing  # noqa: E402

NFQD = os.environ.get("NFQD", "build/nfqd")
NAME = "s07.upd.kaspersky.com"
MEMORY_MIB = 96


def judge(path, stdin=None):
    """exit code, the names recorded, what was said"""
    p = subprocess.run([NFQD, "-r", path, "--rules", "rules/kaspersky.yaml"], input=stdin, capture_output=True,
                       timeout=60)
    return p.returncode, p.stdout.count(b'"name":"' + NAME.encode()), p.stderr.decode(errors="replace")


# ---- packets ----

def ip4(payload, proto, src=0x0a010002, dst=0xcb007105, ident=1, fragment=0):
    return struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(payload), ident, fragment, 64, proto, 0, src, dst) + payload


def udp(payload, sport=40000, dport=53):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(payload, sport, seq=1000):
    return struct.pack("!HHIIBBHHH", sport, 443, seq, 1, 0x50, 0x18, 65535, 0, 0) + payload


def query(sport=40000):
    labels = b"".join(bytes([len(part)]) + part for part in NAME.encode().split(b"."))
    return ip4(udp(struct.pack("!6H", sport & 0xffff, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1", sport), 17)


ETHER = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"


# ---- files ----

def pcap(packets, link=101, order="<", magic=0xa1b2c3d4, snaplen=262144):
    """packets: bytes, or (bytes, caplen, len) where the header lies"""
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)
    for p in packets:
        data, kept, whole = p if isinstance(p, tuple) else (p, len(p), len(p))
        out += struct.pack(order + "IIII", 1795435200, 5, kept, whole) + data
    return out


def block(kind, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order="<"):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)


def interface(link, order="<", snaplen=262144, options=b""):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(index, data, order="<", units=417800 << 32):
    return block(6, struct.pack(order + "IIIII", index, units >> 32, units & 0xffffffff, len(data), len(data)) + data,
                 order)


def obsolete(index, data, order="<"):
    return block(2, struct.pack(order + "HHIIII", index, 0, 417800, 0, len(data), len(data)) + data, order)


def simple(data, order="<"):
    return block(3, struct.pack(order + "I", len(data)) + data, order)


Q = query()
CASES = [   # what it shows, the file, exit code, records, a word of what is said
    ("little-endian", pcap([Q]), 0, 1, ""),
    ("big-endian", pcap([Q], order=">"), 0, 1, ""),
    ("nanoseconds", pcap([Q], magic=0xa1b23c4d), 0, 1, ""),
    ("big-endian nanoseconds", pcap([Q], order=">", magic=0xa1b23c4d), 0, 1, ""),
    ("Ethernet", pcap([ETHER + Q], link=1), 0, 1, ""),
    ("MPLS", pcap([ETHER[:12] + b"\x88\x47\0\1\1\x40" + Q], link=1), 0, 1, ""),
    ("Cisco HDLC", pcap([b"\x0f\0\x08\0" + Q], link=104), 0, 1, ""),
    ("PPP with a direction", pcap([b"\1\xff\3\0\x21" + Q], link=204), 0, 1, ""),
    ("no packets", pcap([]), 0, 0, ""),
    ("an empty packet before a whole one", pcap([b"", Q]), 0, 1, ""),
    ("a snapshot length of 0", pcap([Q], snaplen=0), 0, 1, ""),
    ("more captured than there was", pcap([(Q, len(Q), 20)]), 0, 1, ""),
    ("cut behind the first packet", pcap([Q, query(40001)])[:-30], 0, 1, "middle of a packet"),
    ("cut in a packet's header", pcap([Q]) + b"\0" * 7, 0, 1, "middle of a packet"),
    ("a packet longer than any", pcap([Q, (b"", 0x7fffffff, 0x7fffffff)]), 1, 1, "only up to"),
    ("pcapng", section() + interface(101) + enhanced(0, Q), 0, 1, ""),
    ("pcapng, big-endian", section(">") + interface(101, ">") + enhanced(0, Q, ">"), 0, 1, ""),
    ("pcapng, simple packets", section() + interface(101) + simple(Q), 0, 1, ""),
    ("pcapng, obsolete packets", section() + interface(101) + obsolete(0, Q), 0, 1, ""),
    ("pcapng, several interfaces", section() + interface(1) + interface(1) + enhanced(1, ETHER + Q)
     + enhanced(0, ETHER + query(40001)), 0, 2, ""),
    ("pcapng, unknown blocks", section() + interface(101) + block(0xbad, b"comment") + enhanced(0, Q), 0, 1, ""),
    ("pcapng, two sections", (section() + interface(1) + enhanced(0, ETHER + Q)) * 2, 0, 1, ""),
    ("pcapng, interfaces of different link types and lengths", section() + interface(101) + enhanced(0, Q)
     + interface(1, snaplen=1500) + enhanced(1, ETHER + query(40001)), 0, 2, ""),
    ("pcapng, an interface of a link type that nobody knows", section() + interface(147) + enhanced(0, Q)
     + interface(101) + enhanced(1, Q), 0, 1, "are skipped"),
    ("pcapng, only such an interface", section() + interface(147) + enhanced(0, Q), 1, 0, "no packet could be read"),
    ("pcapng, a packet of an interface that is not there", section() + interface(101) + enhanced(1, Q), 1, 0,
     "of an unknown interface"),
    ("pcapng, a block too short for itself", section() + interface(101) + struct.pack("<III", 6, 8, 8), 1, 0,
     "impossible length"),
    ("pcapng, an interface's options cut", section() + interface(101, options=b"\x09\0\xff\0") + enhanced(0, Q), 0, 1,
     ""),
    ("pcapng, cut", (section() + interface(101) + enhanced(0, Q) + enhanced(0, query(40001)))[:-40], 0, 1,
     "middle of a packet"),
    ("pcapng without an interface", section() + enhanced(0, Q), 1, 0, ""),
    ("an empty file", b"", 1, 0, "truncated"),
    ("text", b"no capture at all, only text\n" * 10, 1, 0, "unknown file format"),
    ("a program", b"\x7fELF" + bytes(200), 1, 0, "unknown file format"),
    ("gzipped", gzip.compress(pcap([Q])), 0, 1, ""),
    ("gzipped pcapng, in two members", gzip.compress(section() + interface(101))
     + gzip.compress(enhanced(0, Q)), 0, 1, ""),
    ("gzipped, padded", gzip.compress(pcap([Q])) + bytes(512), 0, 1, ""),
    ("gzipped, cut", gzip.compress(pcap([Q, query(40001)]))[:-10], 1, 1, "only up to"),
    ("damaged gzip", b"\x1f\x8b\x08\0" + bytes(200), 1, 0, "Bad message"),
]


def files(folder):
    path = os.path.join(folder, "x.pcap")
    for what, data, code, records, said in CASES:
        with open(path, "wb") as f:
            f.write(data)
        got = judge(path)
        check(got[:2] == (code, records) and said in got[2], what, got)
        if code:
            check(path in got[2], f"{what}: the message names the file", got)
        piped = judge("-", data)
        check(piped[:2] == got[:2], f"{what}, from a pipe", piped)


# ---- time ----

def times():
    """One second of 2026-11-24T00:00:01.5Z, told in several units."""
    at, offset = 1795478401, 1795478400
    resolution = b"\x09\0\1\0%c\0\0\0"
    for what, options, units in (
            ("microseconds", b"", at * 10**6 + 500000), ("nanoseconds", resolution % 9, at * 10**9 + 5 * 10**8),
            ("tenths", resolution % 1, at * 10 + 5), ("picoseconds", resolution % 12, 15 * 10**11),
            ("powers of two", resolution % 0x8a, at << 10 | 512),
            ("high powers of two", resolution % 0xa0, at << 32 | 1 << 31), ("higher ones", resolution % 0xa1, at << 33 | 1 << 32)):
        if what == "picoseconds":
            options += struct.pack("<HHq", 14, 8, offset)
        data = section() + interface(101, options=options) + enhanced(0, Q, units=units)
        p = subprocess.run([NFQD, "-r", "-", "--rules", "rules/kaspersky.yaml"], input=data, capture_output=True, timeout=60)
        check(b'"timestamp":"2026-11-24T00:00:01.500000+0000"' in p.stdout, f"pcapng, a time in {what}", p.stdout[:60])


# ---- memory ----

def hello_start(i):
    return ip4(tcp(b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(32) + b"\x20half", 1024 + i % 60000), 6, src=0x0b000000 + i)


def fragment(i):
    return ip4(bytes(1400), 17, src=0x0b000000 + i, ident=i & 0xffff, fragment=0x2000 | i % 40 * 175)


def initial(i):
    return ip4(udp(b"\xc3\0\0\0\1\x08" + struct.pack("!Q", i) + b"\0\0\x44\xa0" + bytes(1184), 1024 + i % 60000, 443), 17,
               src=0x0b000000 + i)


def question(i):
    label = b"h%07d" % i
    return ip4(udp(struct.pack("!6H", i & 0xffff, 0x100, 1, 0, 0, 0) + b"\x08" + label + b"\7example\0\0\1\0\1",
                   1024 + i % 60000), 17, src=0x0b000000 + i)


def peak(n, make):
    """n packets, each of another sender: the run's exit code, and the most memory it had, in MiB"""
    out = open(os.devnull, "w")
    p = subprocess.Popen([NFQD, "-r", "-", "--rules", "rules/kaspersky.yaml", "--events", "all"],
                         stdin=subprocess.PIPE, stdout=out, stderr=out)
    with p.stdin:
        p.stdin.write(pcap([]))
        for i in range(0, n, 1000):
            p.stdin.write(pcap([make(i + k) for k in range(1000)])[24:])
    _, status, usage = os.wait4(p.pid, 0)
    return status, usage.ru_maxrss // 1024


def memory():
    for what, n, make in (("half hellos", 20000, hello_start), ("fragments", 5000, fragment),
                          ("QUIC Initials", 5000, initial), ("questions", 140000, question)):
        status, mib = peak(n, make)
        check(status == 0 and mib < MEMORY_MIB, f"{n} {what} of as many senders: {mib} MiB, below {MEMORY_MIB}",
              status, mib)


def main():
    with tempfile.TemporaryDirectory() as folder:
        files(folder)
    times()
    if "asan" not in NFQD:     # sanitizers need memory of their own
        memory()
    done_testing()


main()

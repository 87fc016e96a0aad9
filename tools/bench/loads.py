# SPDX-License-Identifier: GPL-2.0-or-later
"""The files that the load generators send: questions, hellos, QUIC Initials, a capture."""
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/lib"))
from hello import client_hello  # noqa: E402  (needs the path)
from quic import initial  # noqa: E402

from systems import names  # noqa: E402

HELLO_BYTES = 517
LISTED_PERCENT = 2
NAMELESS = 16   # datagrams, after which a flow without a name is let go


def question(name, ident):
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    return struct.pack("!HHHHHH", ident & 0xffff, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def unlisted(n):
    return [f"w{i}.site-{i % 997}.example.com" for i in range(n)]


def write_datagrams(path, datagrams):
    Path(path).write_bytes(b"".join(struct.pack("!H", len(d)) + d for d in datagrams))


def write_all(folder):
    rng = random.Random(1)
    write_datagrams(f"{folder}/questions", [question(n, i) for i, n in enumerate(unlisted(8192))])
    listed = names(1000)
    write_datagrams(f"{folder}/some-listed", [question(listed[i * LISTED_PERCENT // 100] if i * LISTED_PERCENT % 100 < LISTED_PERCENT else n, i)
                                              for i, n in enumerate(unlisted(8192))])
    write_datagrams(f"{folder}/initials", [initial(f"www{i}.example.com") for i in range(32)])
    write_datagrams(f"{folder}/initial", [initial("www.example.com")])
    write_datagrams(f"{folder}/nameless", [b"\x5a" * 160] * NAMELESS)
    Path(f"{folder}/hello").write_bytes(client_hello(rng, "www.example.com", size=HELLO_BYTES))
    mixed = [listed[i * 7 % 1000] if rng.randrange(100) < LISTED_PERCENT else n
             for i, n in enumerate(unlisted(20000))]
    Path(f"{folder}/dnsperf").write_text("".join(f"{n} A\n" for n in mixed), "ascii")
    tenth = [listed[i * 7 % 1000] if i % 10 == 0 else n for i, n in enumerate(unlisted(20000))]
    Path(f"{folder}/dnsperf-tenth").write_text("".join(f"{n} A\n" for n in tenth), "ascii")


def write_lookups(path, n, percent):
    """Of 200,000 names so many are listed, half of those as a name below a listed one; in no order."""
    rng = random.Random(2)
    listed, hits = names(n), 2000 * percent
    some = [rng.choice(listed) for _ in range(hits)]
    mix = some[:hits // 2] + [f"www.{name}" for name in some[hits // 2:]] + unlisted(200_000 - hits)
    rng.shuffle(mix)
    Path(path).write_text("\n".join(mix) + "\n", "ascii")


# ---- a capture ----

class Frames:
    """One connection after the other: a question and its answer, a handshake, a hello, a page."""
    PAGE = 24   # segments of 1,448 bytes; a client acknowledges every second one

    def __init__(self):
        self.out, self.ports, self.rng = bytearray(), [], random.Random(3)
        self.hello = client_hello(self.rng, "www.example.com", size=HELLO_BYTES)
        self.body = self.rng.randbytes(1448)

    def frame(self, us, proto, src, dst, l4):
        packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 0, 0x4000, 64, proto, 0, src, dst) + l4
        data = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + packet
        self.out += struct.pack("<IIII", 0, us, len(data), len(data)) + data

    def udp(self, us, src, dst, sport, dport, data):
        self.frame(us, 17, src, dst, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)

    def tcp(self, us, src, dst, ports, seq, ack, flags, data=b""):
        self.frame(us, 6, src, dst, struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x80, flags, 500, 0, 0) +
                   b"\1\1\x08\x0a\0\0\0\1\0\0\0\1" + data)

    def connection(self, i, us):
        client, server = bytes([10, 1, i >> 8 & 255, i & 255]), b"\xcb\0\x71\x50"
        there, back, seq = (40000 + i % 20000, 443), (443, 40000 + i % 20000), 1000
        self.udp(us, client, b"\x08\x08\x08\x08", 30000 + i % 20000, 53, question(f"w{i}.example.com", i))
        self.udp(us, b"\x08\x08\x08\x08", client, 53, 30000 + i % 20000, question(f"w{i}.example.com", i) + bytes(16))
        self.tcp(us, client, server, there, seq, 0, 2)
        self.tcp(us, server, client, back, seq, seq + 1, 18)
        self.tcp(us, client, server, there, seq + 1, seq + 1, 16)
        self.tcp(us, client, server, there, seq + 1, seq + 1, 24, self.hello)
        for n in range(self.PAGE):
            self.tcp(us, server, client, back, seq + 1 + n * 1448, seq + 518, 16, self.body)
            if n % 2:
                self.tcp(us, client, server, there, seq + 518, seq + 1 + (n + 1) * 1448, 16)
        for ports, a, b in ((there, client, server), (back, server, client)):
            self.tcp(us, a, b, ports, seq + 518, seq + 518, 17)


def write_capture(path, megabytes):
    """2,000 connections a second of the capture's time; each second has other clients."""
    frames = Frames()
    for i in range(2000):
        frames.connection(i, i * 500)
    block, at, stamps, clients = frames.out, 0, [], []
    while at < len(block):
        length = struct.unpack_from("<I", block, at + 8)[0]
        stamps.append(at)
        # the client's address is the one in 10.0.0.0/8
        clients.append(at + 16 + 14 + (12 if block[at + 16 + 14 + 12] == 10 else 16) + 1)
        at += 16 + length
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for second in range(max(1, megabytes * 1_000_000 // len(block))):
            now = struct.pack("<I", 1_790_000_000 + second)
            for stamp, client in zip(stamps, clients):
                block[stamp:stamp + 4] = now
                block[client] = second & 255
            f.write(block)
    return len(stamps)

#!/usr/bin/env python3
"""Opens a TLS or HTTP connection whose first bytes travel exactly as told.

The ClientHello is built here and is a real one (nginx answers it with its
handshake); the TCP is our own, over raw sockets, so that segments can be cut
anywhere and sent in any order. The kernel knows nothing of these connections:
the client's namespace must drop the resets it would send for ports 61000 up
(tools/lab/net.sh does). LAB_PORTS may name a file that holds the next port, so that
runs do not meet each other's connections. One JSON object per run on stdout:

  {"cases": 1, "reset": 1, "data": 0, "fin": 0, "timeout": 0, "worst_ms": 0.9,
   "rst_seq_ok": true, "first": [...], "bad": [...]}

outcome   what the client saw first: reset | data | fin | timeout
first     for data: kinds of the first bytes (handshake, alert, http, other)
bad       up to three cases that were not as --expect says
Exit status 1 when --expect is given and a case was different.
"""
import argparse
import ipaddress
import json
import os
import random
import select
import socket
import struct
import sys
import time

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
SO_MARK = 36
PORTS = (61100, 65535)          # of the range whose resets the lab drops; below: for --src-port
MSS = 1400
GROUP_X25519, GROUP_MLKEM = 29, 0x11EC


# ---- the bytes ----

def block(width, data):
    """data with its length in front, in width bytes"""
    return len(data).to_bytes(width, "big") + data


def extension(kind, data):
    return struct.pack("!H", kind) + block(2, data)


def client_hello(rng, sni, size=0, sni_last=False, tls12=False, alpn=b"http/1.1", more=b""):
    """One TLS record. size > 1500 adds a key share of ML-KEM's size; the rest is padding."""
    def u16s(*values):
        return b"".join(struct.pack("!H", v) for v in values)

    big = size > 1500
    groups = ([GROUP_MLKEM] if big else []) + [GROUP_X25519, 23, 24]
    shares = struct.pack("!H", GROUP_MLKEM) + block(2, rng.randbytes(1216)) if big else b""
    shares += struct.pack("!H", GROUP_X25519) + block(2, rng.randbytes(32))
    name = extension(0, block(2, b"\0" + block(2, sni.encode()))) if sni else b""
    exts = b"" if sni_last else name
    exts += extension(23, b"") + extension(10, block(2, u16s(*groups))) + extension(11, b"\1\0")
    exts += extension(13, block(2, u16s(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501)))
    exts += extension(16, block(2, block(1, alpn))) + more
    if not tls12:
        exts += extension(43, block(1, u16s(0x0304, 0x0303))) + extension(45, b"\1\1")
        exts += extension(51, block(2, shares))
    if sni_last:
        exts += name
    ciphers = u16s(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
    if not tls12:
        ciphers = u16s(0x1301, 0x1302, 0x1303) + ciphers

    def record(exts):
        body = b"\3\3" + rng_bytes + block(1, session) + block(2, ciphers) + b"\1\0" + block(2, exts)
        return b"\x16\3\1" + block(2, b"\1" + block(3, body))

    rng_bytes, session = rng.randbytes(32), rng.randbytes(32)
    whole = record(exts)
    pad = size - len(whole) - 4
    if pad >= 0:
        padding = extension(21, bytes(pad))     # in front of the name when that comes last
        whole = record(exts[:-len(name)] + padding + name if sni_last else exts + padding)
    return whole


def http_request(host):
    return (f"GET /index/u1313g.xml HTTP/1.1\r\nUser-Agent: legacy\r\nHost: {host}\r\n"
            "Accept: */*\r\n\r\n").encode()


def kind_of(data):
    kinds = {0x16: "handshake", 0x15: "alert"}
    return kinds.get(data[0]) or ("http" if data[:5] == b"HTTP/" else "other")


def segments(data, cuts):
    """[(offset, bytes)], no longer than the MSS"""
    edges = sorted({0, len(data), *(c for c in cuts if 0 < c < len(data))})
    out = []
    for a, b in zip(edges, edges[1:]):
        out += [(i, data[i:min(i + MSS, b)]) for i in range(a, b, MSS)]
    return out


def arrange(segs, order, rng):
    segs = list(segs)
    if order == "reverse":
        segs.reverse()
    elif order == "shuffle":
        rng.shuffle(segs)
    elif order == "twice":
        segs = [s for s in segs for _ in (0, 1)]
    return segs


# ---- TCP ----

class Wire:
    """Raw sockets of one address pair; the kernel makes the IP headers."""

    def __init__(self, src, dst):
        self.src, self.dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
        self.family = socket.AF_INET if self.dst.version == 4 else socket.AF_INET6
        self.sock = self.open(0)
        self.marked = self.open(1)      # may send a reset past the lab's rule

    def open(self, mark):
        s = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        if mark:
            s.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        s.bind((str(self.src), 0))
        s.connect((str(self.dst), 0))
        return s

    def checksum(self, segment):
        pseudo = self.src.packed + self.dst.packed
        if self.dst.version == 4:
            pseudo += struct.pack("!HH", 6, len(segment))
        else:
            pseudo += struct.pack("!LL", len(segment), 6)
        data = pseudo + segment + b"\0" * (len(segment) % 2)
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF

    def send(self, sport, dport, seq, ack, flags, data=b"", marked=False, options=b"", spoil=0, urgent=0):
        if flags & SYN:
            options = struct.pack("!BBH", 2, 4, MSS)
        head = struct.pack("!HHLLBBHHH", sport, dport, seq % 2**32, ack % 2**32,
                           (20 + len(options)) // 4 << 4, flags, 64240, 0, urgent) + options
        segment = head + data
        segment = segment[:16] + struct.pack("!H", self.checksum(segment) ^ spoil) + segment[18:]
        (self.marked if marked else self.sock).send(segment)

    def receive(self, sport, dport, deadline):
        """(flags, seq, ack, payload) of the next segment of this connection; None when late"""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            segment = self.sock.recv(1 << 17)
            if self.dst.version == 4:
                segment = segment[(segment[0] & 15) * 4:]
            if len(segment) < 20:
                continue
            theirs, ours, seq, ack, doff, flags = struct.unpack("!HHLLBB", segment[:14])
            if (theirs, ours) == (dport, sport):
                return flags, seq, ack, segment[(doff >> 4) * 4:]


def send_decoy(wire, sport, dport, seq, ack, kind, data):
    """What every server throws away, so that only those in between read it."""
    how = {"checksum": {"spoil": 0x5555}, "md5": {"options": b"\x13\x12" + bytes(16) + b"\1\1"}}.get(kind, {})
    wire.send(sport, dport, seq + 1000000 if kind == "sequence" else seq, ack,
              PSH if kind == "no-ack" else PSH | ACK, data, **how)


def connect(wire, sport, dport, isn, timeout, data=b""):
    """Sends the SYN, with data in it; returns the server's next sequence number or an outcome."""
    for _ in (0, 1):
        wire.send(sport, dport, isn, 0, SYN, data)
        deadline = time.monotonic() + timeout / 2
        while got := wire.receive(sport, dport, deadline):
            flags, seq, ack, _ = got
            if flags & RST:
                return None, "reset"
            if flags & (SYN | ACK) == SYN | ACK and ack == (isn + 1) % 2**32:
                return (seq + 1) % 2**32, None
            return None, "busy"         # a challenge ACK: an earlier connection is still open there
    return None, "timeout"


def watch(wire, sport, dport, expected, timeout):
    """What the client sees first, and whether its kernel would have believed a reset."""
    deadline = time.monotonic() + timeout
    while got := wire.receive(sport, dport, deadline):
        flags, seq, _, data = got
        if flags & RST:
            return {"outcome": "reset", "rst_seq_ok": seq == expected}
        if data and seq == expected:
            return {"outcome": "data", "first": kind_of(data)}
        if flags & FIN:
            return {"outcome": "fin"}
    return {"outcome": "timeout"}


def run_raw(wire, sport, args, segs):
    isn = random.getrandbits(32)
    decoy = client_hello(random.Random(args.seed), args.decoy_sni, size=args.size) if args.decoy else b""
    theirs, outcome = connect(wire, sport, args.port, isn, args.timeout, decoy if args.decoy == "syn" else b"")
    if outcome:
        return {"outcome": outcome, "connected": False}
    if not args.in_ack:
        wire.send(sport, args.port, isn + 1, theirs, ACK)
    start = time.monotonic()
    if args.decoy and args.decoy != "syn":
        send_decoy(wire, sport, args.port, isn + 1, theirs, args.decoy, decoy)
    for offset, data in segs:
        urgent = args.urgent + 1 - offset if offset <= args.urgent < offset + len(data) else 0
        wire.send(sport, args.port, isn + 1 + offset, theirs, ACK | PSH | (URG if urgent else 0), data, urgent=urgent)
    result = watch(wire, sport, args.port, theirs, args.timeout)
    result["ms"] = round((time.monotonic() - start) * 1000, 2)
    end = isn + 1 + max(offset + len(data) for offset, data in segs)
    if result["outcome"] == "reset" and args.again:
        offset, data = segs[-1]         # a client that did not hear the reset sends again
        wire.send(sport, args.port, isn + 1 + offset, theirs, ACK | PSH, data)
        result["again"] = watch(wire, sport, args.port, theirs, args.timeout)["outcome"]
        if result["again"] != "reset":
            result["outcome"] = "reset, then " + result["again"]
    if result["outcome"] in ("data", "fin"):    # leave nothing open on the server
        wire.send(sport, args.port, end, theirs, RST | ACK, marked=True)
    return result


def run_socket(args, segs):
    """The same through the kernel's TCP; segments can only go in order."""
    start = time.monotonic()
    try:
        with socket.create_connection((args.dst, args.port), args.timeout) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _, data in segs:
                s.send(data)
            data = s.recv(4096)
            result = {"outcome": "data", "first": kind_of(data)} if data else {"outcome": "fin"}
    except (ConnectionResetError, BrokenPipeError):
        result = {"outcome": "reset", "rst_seq_ok": True}
    except TimeoutError:
        result = {"outcome": "timeout"}
    result["ms"] = round((time.monotonic() - start) * 1000, 2)
    return result


# ---- the cases ----

def cut_lists(args, data, name_at):
    if args.each_cut:
        return [[i] for i in range(1, len(data), args.step)]
    if args.every:
        return [list(range(args.every, len(data), args.every))]
    if args.cut == "name":
        return [[name_at + 5]]
    return [[int(c) for c in args.cut.split(",")] if args.cut else []]


def source_address(dst):
    family = socket.AF_INET6 if ":" in dst else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((dst, 9))
        return s.getsockname()[0]


def next_ports(first):
    """Port after port; without a given first one they go on from what LAB_PORTS holds."""
    path = None if first else os.environ.get("LAB_PORTS")
    port = first or random.randint(*PORTS)
    if path:
        port = PORTS[0]
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                port = int(f.read())
    while True:
        after = port + 1 if port < PORTS[1] else PORTS[0]
        if path:
            with open(path, "w", encoding="ascii") as f:
                f.write(str(after))
        yield port
        port = after


def summary(results, expect):
    out = {"cases": len(results)}
    for outcome in ("reset", "data", "fin", "timeout"):
        out[outcome] = sum(r["outcome"] == outcome for r in results)
    out["worst_ms"] = max(r.get("ms", 0) for r in results)
    out["rst_seq_ok"] = all(r.get("rst_seq_ok", False) for r in results if r["outcome"] == "reset")
    out["first"] = sorted({r["first"] for r in results if "first" in r})
    out["bad"] = [r for r in results if expect and r["outcome"] != expect][:3]
    return out


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("dst")
    p.add_argument("--port", type=int, default=443)
    p.add_argument("--sni", help="TLS with this server name ('' for none)")
    p.add_argument("--http", help="plain HTTP to this host instead")
    p.add_argument("--size", type=int, default=0, help="pad the hello; > 1500 adds an ML-KEM key share")
    p.add_argument("--sni-last", action="store_true", help="the name is the hello's last extension")
    p.add_argument("--tls12", action="store_true", help="a hello of TLS 1.2")
    p.add_argument("--cut", default="", help="offsets a,b,c; or 'name': inside the name")
    p.add_argument("--every", type=int, default=0, help="cut into pieces of so many bytes")
    p.add_argument("--each-cut", action="store_true", help="one connection per two-piece cut")
    p.add_argument("--step", type=int, default=1, help="of --each-cut")
    p.add_argument("--order", default="in", choices=("in", "reverse", "shuffle", "twice"))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--in-ack", action="store_true", help="the first piece travels in the handshake's ACK")
    p.add_argument("--decoy", choices=("checksum", "md5", "no-ack", "sequence", "syn"),
                   help="a hello first that no server takes, spoilt in this way")
    p.add_argument("--decoy-sni", default="www.example.org")
    p.add_argument("--urgent", type=int, default=-1, help="an urgent byte in front of the one at this offset")
    p.add_argument("--again", action="store_true", help="after a reset send again, to be reset again")
    p.add_argument("--socket", action="store_true", help="through the kernel's TCP (no root needed)")
    p.add_argument("--src-port", type=int, default=0)
    p.add_argument("--timeout", type=float, default=2)
    p.add_argument("--expect", choices=("reset", "data", "fin", "timeout"))
    return p.parse_args()


def main():
    args = arguments()
    rng = random.Random(args.seed)
    name = args.http or args.sni or ""
    data = http_request(args.http) if args.http else \
        client_hello(rng, args.sni, args.size, args.sni_last, args.tls12)
    wire = None if args.socket else Wire(source_address(args.dst), args.dst)
    ports = next_ports(args.src_port)
    results = []
    for cuts in cut_lists(args, data, data.find(name.encode())):
        if args.urgent >= 0:            # a byte that the server's program never sees in its place
            segs = segments(data[:args.urgent] + b"!" + data[args.urgent:], cuts)
        else:
            segs = segments(data, cuts)
        segs = arrange(segs, args.order, rng)
        port = 0 if args.socket else next(ports)
        result = run_socket(args, segs) if args.socket else run_raw(wire, port, args, segs)
        results.append({"cuts": cuts[:8], "port": port, **result})
        if args.expect and sum(r["outcome"] != args.expect for r in results) >= 3:
            break                       # it is broken; no need to wait for every case
    out = summary(results, args.expect)
    print(json.dumps({"bytes": len(data), **out}))
    sys.exit(1 if out["bad"] else 0)


if __name__ == "__main__":
    main()

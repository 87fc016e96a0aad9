#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns *.case files into captures and what is expected of them.

    make.py FOLDER FILE.case...

writes, for case n, FOLDER/n.pcap, n.what, n.options, n.filter, n.expect and so on.

A case file holds cases one below the other; # starts a comment.

    case 9: a sentence that says what it shows (cases of one kind share a number)
        packets  tcp(tls("s07.upd.kaspersky.com"))     a Python expression: a list of IP packets
        hex      0000  45 00 ...                       or their bytes, text2pcap style; offset 0 is a new one
        link     ethernet | raw | vlan | qinq | pppoe | a number for the file's header
        time     2026-11-23T12:00:00Z                  of the first packet; each next is 1 ms later
        options  --events all                          of nfqd; --rules rules/kaspersky.yaml when it names none
        filter   .nfqd.name                            a jq filter; the default is in run.t
        expect   a line of the filter's output; none: there must be no record
        says     a regular expression for standard error
        fails    likewise, with exit status 1
        todo     why it is not so yet: its failure is shown, and does not count

A line that begins with more blanks goes on with the expression above it.
"""
import ast
import datetime
import ipaddress
import os
import random
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import quic  # noqa: E402: a real Initial, sealed

S, O = "s07.upd.kaspersky.com", "www.example.org"    # a listed name, another one
CLIENT4, SERVER4 = "10.1.0.2", "203.0.113.5"
CLIENT6, SERVER6 = "fd00:1::2", "2001:db8:9::5"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
DEFAULT_TIME = "2026-11-23T12:00:00Z"
rng = random.Random(1)
ports = iter(range(20000, 60000))


# ---- bytes ----

def u16(v):
    return struct.pack("!H", v)


def block(width, data):
    """data with its length in front, in width bytes"""
    return len(data).to_bytes(width, "big") + data


def cut(data, *at):
    """data cut before those offsets"""
    edges = [0, *at, len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:])]


def every(n, data):
    """data in pieces of n bytes"""
    return [data[i:i + n] for i in range(0, len(data), n)]


# ---- DNS ----

def labels(name):
    return b"".join(block(1, part.encode("latin-1")) for part in name.split(".") if part) + b"\0"


def q(*names, kind=1, edns=None, flags=0x100, count=None, tail=b""):
    """A query; edns: the flags of an OPT record. A name may be given as bytes of the wire."""
    out = struct.pack("!6H", rng.randrange(65536), flags, len(names) if count is None else count, 0, 0,
                      0 if edns is None else 1)
    for name in names:
        out += (name if isinstance(name, bytes) else labels(name)) + u16(kind) + u16(1)
    if edns is not None:
        out += b"\0" + struct.pack("!HHIH", 41, 1232, edns, 0)
    return out + tail


def stream(*messages):
    """DNS messages as TCP carries them"""
    return b"".join(block(2, m) for m in messages)


RESOLVER = {4: "9.9.9.9", 6: "2620:fe::9"}


def rr(name, kind, data, ttl=300):
    return (name if isinstance(name, bytes) else labels(name)) + struct.pack("!HHI", kind, 1, ttl) + block(2, data)


def cname(name, target, **how):
    return rr(name, 5, labels(target), **how)


def svcb(name, target, kind=65, priority=1, **params):
    """params: k4=ADDRESSES for ipv4hint and so on; k5=BYTES for ech"""
    out = u16(priority) + labels(target)
    for key, value in params.items():
        out += u16(int(key[1:])) + block(2, value if isinstance(value, bytes) else b"".join(map(packed, value)))
    return rr(name, kind, out)


def packed(address):
    return ipaddress.ip_address(address).packed


def at(name, *addresses, **how):
    """A and AAAA records"""
    return b"".join(rr(name, 1 if ":" not in a else 28, packed(a), **how) for a in addresses)


def a(question, *records, kind=1, flags=0x8180, count=None, edns=None, tail=b""):
    """An answer to one question; each of records may be several of one name's addresses"""
    n = count if count is not None else sum(records_in(r) for r in records)
    out = struct.pack("!6H", rng.randrange(65536), flags, 1, n, 0, 0 if edns is None else 1)
    out += labels(question) + u16(kind) + u16(1) + b"".join(records)
    if edns is not None:
        out += b"\0" + struct.pack("!HHIH", 41, 1232, edns, 0)
    return out + tail


def records_in(data):
    n = i = 0
    while i < len(data):
        while data[i] and data[i] < 64:
            i += 1 + data[i]
        i += 2 if data[i] else 1
        i += 10 + int.from_bytes(data[i + 8:i + 10], "big")
        n += 1
    return n


def says(data, v=4, **how):
    """A resolver's datagram to the client"""
    where = {"src": RESOLVER[v], "dst": CLIENT4 if v == 4 else CLIENT6, **how}
    return udp(data, v=v, sport=53, dport=next(ports), **where)


def says_tcp(*pieces, **how):
    return tcp(*pieces, sport=53, dport=next(ports), src=RESOLVER[4], dst=CLIENT4, **how)


# ---- TLS ----

def ext(kind, data):
    return u16(kind) + block(2, data)


def entry(name, kind=0):
    return bytes([kind]) + block(2, name if isinstance(name, bytes) else name.encode("latin-1"))


def hello(sni=None, names=None, last=False, pq=False, grease=False, ech=False, tls13=True, exts=True,
          psk=False, version=0x0303, pad=0, extra=b""):
    """The handshake message. names: entries of the list instead of sni."""
    sni_ext = b""
    if sni is not None or names is not None:
        sni_ext = ext(0, block(2, b"".join(names) if names is not None else entry(sni)))
    more = ext(0x3a3a, b"") if grease else b""
    more += ext(23, b"") + ext(10, block(2, u16(29) + u16(23))) + ext(16, block(2, block(1, b"h2")))
    if tls13:
        more += ext(43, block(1, (b"\x4a\x4a" if grease else b"") + b"\3\4\3\3"))
    shares = u16(29) + block(2, rng.randbytes(32))
    if pq:
        shares = u16(0x11ec) + block(2, rng.randbytes(1216)) + shares
    more += ext(51, block(2, shares))
    if ech:
        more += ext(0xfe0d, b"\0\0\1\0\1\7" + block(2, rng.randbytes(32)) + block(2, rng.randbytes(144)))
    if pad:
        more += ext(21, bytes(pad))
    more += extra
    tail = ext(41, block(2, block(2, rng.randbytes(32)) + bytes(4)) + block(2, block(1, rng.randbytes(32)))) \
        if psk else b""
    body = u16(version) + bytes(32) + block(1, rng.randbytes(32)) + block(2, b"\x13\1\x13\2\xc0\x2f") + b"\1\0"
    if exts:
        body += block(2, more + sni_ext + tail if last else sni_ext + more + tail)
    return b"\1" + block(3, body)


def record(data, kind=22):
    return bytes([kind]) + b"\3\1" + block(2, data)


def tls(sni=None, at=(), **how):
    """A hello in records, cut before the offsets at."""
    return b"".join(record(piece) for piece in cut(hello(sni, **how), *at))


# ---- HTTP ----

def http(host=None, method="GET", target="/", more="", eol="\r\n", line="Host: {}"):
    lines = [f"{method} {target} HTTP/1.1"] + ([more] if more else [])
    if host is not None:
        lines.append(line.format(host))
    return (eol.join(lines) + eol + eol).encode("latin-1")


# ---- packets ----

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(proto, data, src=CLIENT4, dst=SERVER4, opts=b"", frag=0, ident=1):
    head = struct.pack("!BBHHHBBH", 0x45 + len(opts) // 4, 0, 20 + len(opts) + len(data), ident, frag, 64, proto,
                       0) + ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + opts
    return head[:10] + u16(checksum(head)) + head[12:] + data


def ip6(proto, data, src=CLIENT6, dst=SERVER6, exts=()):
    """exts: (type, header without its next-header byte), the outermost first"""
    for kind, header in reversed(exts):
        data, proto = bytes([proto]) + header + data, kind
    return struct.pack("!IHBB", 6 << 28, len(data), proto, 64) + ipaddress.ip_address(src).packed + \
        ipaddress.ip_address(dst).packed + data


def ip(proto, data, v=4, **how):
    return ip4(proto, data, **how) if v == 4 else ip6(proto, data, **how)


def udp_header(data, sport, dport, lie=0):
    return struct.pack("!HHHH", sport, dport, lie or 8 + len(data), 0) + data


def udp(data, dport=53, lie=0, sport=None, **how):
    return [ip(17, udp_header(data, sport or next(ports), dport, lie), **how)]


def dns(*names, v=4, dport=53, opts=None, exts=None, dst=None, **how):
    where = {k: x for k, x in (("opts", opts), ("exts", exts), ("dst", dst)) if x is not None}
    return udp(q(*names, **how), v=v, dport=dport, **where)


def datagrams(*each, dport=443, **how):
    """Several of one flow."""
    sport = next(ports)
    return [ip(17, udp_header(data, sport, dport), **how) for data in each]


def chlo(name, version=b"Q043"):
    """The hello of Google's QUIC before it was sealed, behind the header of that version."""
    values = ((b"PAD\0", bytes(100)), (b"SNI\0", name.encode()), (b"VER\0", version))
    table, end = b"", 0
    for tag, value in values:
        end += len(value)
        table += tag + end.to_bytes(4, "little")
    head = (b"\xc3" + version + b"\x50" + bytes(8) + bytes(4) if version == b"Q046" else
            b"\x09" + bytes(8) + version + b"\1")
    hello = b"CHLO" + len(values).to_bytes(2, "little") + b"\0\0" + table + b"".join(v for _, v in values)
    return head + bytes(12) + b"\xa0\1" + len(hello).to_bytes(2, "little") + hello + bytes(500)


def segment(data, sport, dport, seq, flags=PSH | ACK, ack=1, opts=b""):
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack, (5 + len(opts) // 4) << 4, flags,
                       64240, 0, 0) + opts + data


def dtls(host, *at, version=b"\xfe\xfd", cookie=b""):
    """Datagrams of a DTLS hello, in fragments cut before those offsets (RFC 6347 4.2.2)"""
    host = host.encode() if isinstance(host, str) else host
    name = u16(len(host) + 3) + b"\0" + u16(len(host)) + host
    body = version + bytes(32) + b"\0" + bytes([len(cookie)]) + cookie + b"\0\2\x13\1\1\0"
    body += u16(len(name) + 4) + b"\0\0" + u16(len(name)) + name
    edges, out = [0, *at, len(body)], []
    for a, b in zip(edges, edges[1:]):
        piece = b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + a.to_bytes(3, "big") + (b - a).to_bytes(3, "big") + body[a:b]
        out.append(b"\x16" + version + bytes(8) + u16(len(piece)) + piece)
    return out


def tcp(*pieces, dport=443, sport=None, order=None, seq=0x1000, syn=False, flags=PSH | ACK, tcpopts=b"", **how):
    """One client's bytes, in pieces of one stream: bytes, lists of them, or (offset, bytes)."""
    sport, end, parts = sport or next(ports), 0, []
    for piece in pieces:
        for part in piece if isinstance(piece, list) else [piece]:
            where, data = part if isinstance(part, tuple) else (end, part)
            parts.append((where, data))
            end = where + len(data)
    out = [ip(6, segment(b"", sport, dport, seq - 1, SYN, 0), **how)] if syn else []
    for i in order if order is not None else range(len(parts)):
        where, data = parts[i]
        out.append(ip(6, segment(data, sport, dport, seq + where, flags, opts=tcpopts), **how))
    return out


def sameport(first, packets):
    """packets as if of the connection of the first one"""
    return [p[:20] + first[0][20:22] + p[22:] for p in packets]


def decoyed(change, decoy, *pieces, port=None):
    """A stream, and in front of it a segment that was changed to be none of it."""
    fake, real = tcp(decoy), tcp(*pieces)
    if port:
        fake = [p[:20] + u16(port) + p[22:] for p in fake]
    return [change(p) for p in fake] + sameport(fake, real)


# ---- the server's side ----

def der(tag, *parts):
    data = b"".join(parts)
    size = len(data)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x82" + u16(size)) + data


def certificate(name, version=0x0303):
    """What a server up to TLS 1.2 sends first: its hello and a certificate for that name."""
    oid = der(6, b"\x55\4\3")
    subject = der(0x30, der(0x31, der(0x30, oid, der(12, name.encode()))))
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), b"\5\0")
    key = der(0x30, der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), b"\5\0"),
              der(3, b"\0", der(0x30, der(2, b"\0\xc1" + bytes(63) + b"\1"), der(2, b"\1\0\1"))))
    dates = der(0x30, der(23, b"260101000000Z"), der(23, b"360101000000Z"))
    body = der(0x30, der(0xa0, der(2, b"\2")), der(2, b"\1"), algorithm, subject, dates, subject, key)
    crt = der(0x30, body, algorithm, der(3, b"\0" + bytes(64)))
    greeting = u16(version) + bytes(32) + b"\0" + u16(0x2f) + b"\0"
    return record(b"\2" + block(3, greeting) + b"\x0b" + block(3, block(3, block(3, crt))))


def answer(client, data, at=0):
    """A segment of the server of a connection (IPv4), which begins with those packets."""
    first = client[0]
    sport, dport, _, ack = struct.unpack("!HHII", first[20:32])
    return [ip4(6, segment(data, dport, sport, ack + at, ack=2000), src=SERVER4, dst=CLIENT4)]


def backwards(pieces):
    return range(len(pieces) - 1, -1, -1)


def shuffled(pieces, seed):
    order = list(range(len(pieces)))
    random.Random(seed).shuffle(order)
    return order


def fragments(packet, *at):
    """An IPv4 packet in fragments, cut at those offsets (multiples of eight) of what follows its header"""
    head, parts, out, off = packet[:20], cut(packet[20:], *at), [], 0
    for i, part in enumerate(parts):
        out.append(ip4(head[9], part, frag=(0x2000 if i + 1 < len(parts) else 0) | off // 8, ident=77))
        off += len(part)
    return out


# ---- links and files ----

MACS = bytes.fromhex("020000000001" "3c5282000001")


def ethertype(packet):
    return b"\x08\0" if packet[:1] and packet[0] >> 4 == 4 else b"\x86\xdd"


def ether(packet):
    return MACS + ethertype(packet) + packet


def wlan(packet, kind=0x08, flags=1, qos=b"", swapped=False):
    """A data frame of 802.11; flags: 1 to, 2 from the network, 0x40 encrypted. Sent by the second of MACS."""
    to, sender, other = MACS[:6], MACS[6:], bytes.fromhex("020000000009")
    addresses = {0: to + sender + other, 1: other + sender + to, 2: to + other + sender, 3: other + other + to}[flags & 3]
    head = bytes([kind | (0x80 if qos else 0), flags])
    return (head[::-1] if swapped else head) + bytes(2) + addresses + bytes(2) + (sender if flags & 3 == 3 else b"") + \
        qos + b"\xaa\xaa\3\0\0\0" + ethertype(packet) + packet


def padded(frame):
    return frame + bytes(max(0, 60 - len(frame)))


LINKS = {
    "ethernet": (1, lambda p: padded(ether(p))),
    "vlan": (1, lambda p: padded(MACS + b"\x81\0\0\x0a" + ethertype(p) + p)),
    "qinq": (1, lambda p: padded(MACS + b"\x88\xa8\0\1\x81\0\0\x0a" + ethertype(p) + p)),
    "pppoe": (1, lambda p: padded(MACS + b"\x88\x64\x11\0\0\1" +
                                  block(2, (b"\0\x21" if p[0] >> 4 == 4 else b"\0\x57") + p))),
    "raw": (101, lambda p: p),
    "none": (1, lambda p: p),
}


def write_pcap(path, link, packets, start):
    number, frame = LINKS[link] if link in LINKS else (int(link), lambda p: p)
    moment = datetime.datetime.strptime(start, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    us = int(moment.timestamp()) * 1000000
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, number))
        for p in packets:
            if isinstance(p, (int, float)):     # a pause
                us += int(p * 1000000)
                continue
            whole = frame(p[1] if isinstance(p, tuple) else p)
            kept = whole[:p[0]] if isinstance(p, tuple) else whole   # (snaplen, packet)
            f.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(kept), len(whole)) + kept)
            us += 1000


# ---- case files ----

def read_hex(lines):
    packets = []
    for line in lines:
        offset, *words = line.split()
        data = bytes.fromhex("".join(words))
        if int(offset, 16) == 0:
            packets.append(b"")
        packets[-1] += data
    return packets


def read_cases(path):
    cases, last = [], None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            head = re.match(r"case (.*)", line)
            if head:
                cases.append({"what": head[1].strip(), "at": f"{path}:{number}", "hex": [], "expect": []})
            elif re.match(r"(\t|    )\S", line):
                last, _, value = line.strip().partition(" ")
                if last in ("hex", "expect"):
                    cases[-1][last].append(value.strip())
                else:
                    cases[-1][last] = value.strip()
            else:
                cases[-1][last] += " " + line.strip()
    return cases


def put(folder, n, name, text):
    with open(os.path.join(folder, f"{n}.{name}"), "w", encoding="utf-8") as f:
        f.write(text)


def main():
    folder, files = sys.argv[1], sys.argv[2:]
    cases = [case for path in files for case in read_cases(path)]
    for n, case in enumerate(cases, 1):
        known = {"what", "at", "hex", "packets", "link", "time", "options", "filter", "expect", "says", "fails", "todo"}
        if set(case) - known:
            sys.exit(f"{case['at']}: unknown: {set(case) - known}")
        try:
            packets = eval(compile(ast.parse(case.get("packets", "[]"), mode="eval"), case["at"], "eval"))
        except Exception as e:
            sys.exit(f"{case['at']}: {e!r}")
        write_pcap(os.path.join(folder, f"{n}.pcap"), case.get("link", "ethernet"),
                   list(packets) + read_hex(case["hex"]), case.get("time", DEFAULT_TIME))
        put(folder, n, "what", f"{case['what']}\n")
        put(folder, n, "expect", "".join(line + "\n" for line in case["expect"]))
        for key in ("options", "filter", "says", "fails", "todo"):
            if key in case:
                put(folder, n, key, case[key])
    print(len(cases))


if __name__ == "__main__":
    main()

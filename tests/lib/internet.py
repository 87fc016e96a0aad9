# SPDX-License-Identifier: GPL-2.0-or-later
"""A small internet of name servers, for resolvers that ask from the root: ROOT TLD LEAF are three addresses. The
root delegates com and org to TLD, that one kaspersky.com and example.org to LEAF, where every name below exists."""
import select
import socket
import struct
import sys

ROOT, TLD, LEAF = sys.argv[1:4]
ZONES = {(): ROOT, ("com",): TLD, ("org",): TLD, ("kaspersky", "com"): LEAF, ("example", "org"): LEAF}
A, NS, SOA = 1, 2, 6
ADDRESS = "203.0.113.80"


def wire(labels):
    return b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0"


def record(labels, kind, data):
    return wire(labels) + struct.pack("!HHIH", kind, 1, 300, len(data)) + data


def below(name, zone):
    return not zone or name[-len(zone):] == zone


def delegate(zone):
    server = ("ns",) + zone
    return [record(zone, NS, wire(server))], [record(server, A, socket.inet_aton(ZONES[zone]))]


def answer(query, me):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += query[at] + 1
    name, kind = tuple(labels), struct.unpack("!H", query[at + 1:at + 3])[0]
    mine = max((z for z in ZONES if ZONES[z] == me and below(name, z)), key=len, default=())
    cut = sorted((z for z in ZONES if ZONES[z] != me and len(z) > len(mine) and below(name, z)), key=len)
    answers, authority, extra, flags = [], [], [], 0x8400 | struct.unpack("!H", query[2:4])[0] & 0x100
    if cut:
        flags &= ~0x400
        authority, extra = delegate(cut[0])
    elif kind == NS and name == mine:
        answers, extra = delegate(mine)
    elif kind == A and len(name) > len(mine):
        answers = [record(name, A, socket.inet_aton(ADDRESS if name[0] != "ns" else ZONES.get(name[1:], ADDRESS)))]
    else:
        authority = [record(mine, SOA, wire(("ns",) + mine) + wire(("h",)) + struct.pack("!5I", 1, 3600, 600, 86400, 60))]
    counts = struct.pack("!5H", flags, 1, len(answers), len(authority), len(extra))
    return query[:2] + counts + query[12:at + 5] + b"".join(answers + authority + extra)


def main():
    servers = {}
    for address in {ROOT, TLD, LEAF}:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 53))
        servers[s] = address
    print("ready", flush=True)
    while True:
        for s in select.select(list(servers), [], [])[0]:
            query, client = s.recvfrom(4096)
            s.sendto(answer(query, servers[s]), client)


if __name__ == "__main__":
    main()

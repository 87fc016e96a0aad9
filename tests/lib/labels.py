#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists conntrack entries with their labels and mark (ctnetlink; conntrack(8) shows only labels that
connlabel.conf names):

    PROTOCOL SOURCE SPORT DESTINATION DPORT mark=N labels=N,N,...
"""
import socket
import struct

NETFILTER, CTNETLINK, GET, DUMP, REQUEST, DONE = 12, 1, 1, 0x300, 1, 3
TUPLE_ORIG, MARK, LABELS = 1, 8, 22


def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def ports(data):
    a = dict(attributes(data))
    port = lambda n: int.from_bytes(a[n], "big") if n in a else 0
    return a[1][0], port(2), port(3)


def entry(data):
    a = dict(attributes(data))
    t = dict(attributes(a[TUPLE_ORIG]))
    ip = dict(attributes(t[1]))
    family = socket.AF_INET if 1 in ip else socket.AF_INET6
    src, dst = (socket.inet_ntop(family, ip[n]) for n in ((1, 2) if 1 in ip else (3, 4)))
    proto, sport, dport = ports(t[2])
    bits = int.from_bytes(a.get(LABELS, b""), "little")
    labels = ",".join(str(n) for n in range(128) if bits >> n & 1)
    return f"{proto} {src} {sport} {dst} {dport} mark={int.from_bytes(a.get(MARK, b''), 'big')} labels={labels}"


def main():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
    s.send(struct.pack("=IHHII", 20, CTNETLINK << 8 | GET, REQUEST | DUMP, 1, 0) + bytes(4))
    while True:
        data = s.recv(1 << 16)
        while data:
            length, kind = struct.unpack("=IH", data[:6])
            if kind == DONE:
                return
            print(entry(data[20:length]))
            data = data[(length + 3) & ~3:]


main()

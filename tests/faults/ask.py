#!/usr/bin/env python3
"""ask.py COUNT NAME: asks 9.9.9.9 for NAME, COUNT times, 50 at a time; prints the response codes seen. Each
question has a name of its own: %d in NAME is its number."""
import collections
import select
import socket
import struct
import sys

count, name = int(sys.argv[1]), sys.argv[2]


def question(number):
    labels = name.replace("%d", str(number)).split(".")
    return (struct.pack("!HHHHHH", number & 0xffff, 0x100, 1, 0, 0, 0) +
            b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0\0\1\0\1")


seen = collections.Counter()
for start in range(0, count, 50):
    waiting = []
    for number in range(start, min(start + 50, count)):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)     # a flow of its own
        sock.connect(("9.9.9.9", 53))
        sock.send(question(number))
        waiting.append(sock)
    while waiting and (ready := select.select(waiting, [], [], 3)[0]):
        for sock in ready:
            seen[sock.recv(4096)[3] & 15] += 1
            waiting.remove(sock)
            sock.close()
    seen["lost"] += len(waiting)
print(" ".join(f"{kind}={n}" for kind, n in sorted(seen.items(), key=str) if n))

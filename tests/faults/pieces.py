#!/usr/bin/env python3
"""pieces.py KIND COUNT GAP [PORT]: listed messages of this client in two pieces (dns: a byte each), all at once, GAP
seconds apart. Prints what became of them: refused=N leaked=N. A datagram that gets no answer counts as refused: the
kernel does not send as many ICMP messages."""
import collections
import select
import socket
import struct
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "lib"), str(Path(__file__).parents[2] / "tools/bench")]
from halves import LISTED, hello  # noqa: E402  (needs the path)
from quic import initial  # noqa: E402

WEB, RESOLVER = "203.0.113.80", "9.9.9.9"
kind, count, gap = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])


def cut(data, at=60):
    return [data[:at], data[at:]]


def question():
    name = b"".join(bytes([len(label)]) + label.encode() for label in LISTED.split("."))
    message = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + name + b"\0\0\1\0\1"
    return struct.pack("!H", len(message)) + message


def dtls(begin, end):
    body = hello(LISTED)[9:]
    body = body[:34] + body[34:67] + b"\0" + body[67:]     # after the session's ID: no cookie (RFC 6347 4.2.1)
    data = body[begin:end]
    fragment = (b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + begin.to_bytes(3, "big") +
                len(data).to_bytes(3, "big") + data)
    return b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(fragment)) + fragment


# stream?, address, port, the pieces of one message
KINDS = {
    "tls": (True, WEB, 443, lambda i: cut(hello(LISTED))),
    "starttls": (True, WEB, 7000, lambda i: cut(b"EHLO lab\r\nSTARTTLS\r\n" + hello(LISTED))),
    "dns": (True, RESOLVER, 53, lambda i: [bytes([b]) for b in question()]),
    "quic": (False, WEB, 443, lambda i: [initial(LISTED, part=slice(0, 60), seed=i), initial(LISTED, part=slice(60, None), seed=i)]),
    "dtls": (False, WEB, 443, lambda i: [dtls(0, 60), dtls(60, None)]),
}


def fate(sock):
    """Of a stream: a reset or the answer NXDOMAIN; of datagrams: ICMP."""
    try:
        data = sock.recv(4096)
    except ConnectionError:
        return "refused"
    return "refused" if not data or (kind == "dns" and data[5] & 15 == 3) else "leaked"


def drain(sock):
    """The answers to the first pieces, which passed."""
    while select.select([sock], [], [], 0.02)[0]:
        sock.recv(4096)


stream, address, port, pieces = KINDS[kind]
clients = []
for i in range(count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    sock.settimeout(20)
    sock.connect((address, int(sys.argv[4]) if len(sys.argv) > 4 else port))
    if stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    clients.append((sock, pieces(i)))
for n in range(len(clients[0][1])):
    if n:
        time.sleep(gap)
    for sock, parts in clients:
        try:
            if n and not stream:
                drain(sock)
            sock.send(parts[n])
        except ConnectionError:
            pass
seen, waiting = collections.Counter(), [sock for sock, _ in clients]
while waiting and (ready := select.select(waiting, [], [], 20 if stream else 1)[0]):
    seen.update(fate(sock) for sock in ready)
    waiting = [sock for sock in waiting if sock not in ready]
seen["lost" if stream else "refused"] += len(waiting)
print(" ".join(f"{what}={seen[what]}" for what in ("refused", "leaked", "lost") if seen[what] or what != "lost"))

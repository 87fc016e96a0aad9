#!/usr/bin/env python3
"""pieces.py KIND COUNT GAP [PORT]: listed messages of this client in two pieces (dns: a byte each), all at once, GAP
seconds apart. Prints what became of them: refused=N leaked=N. A datagram that gets no answer counts as refused: the
kernel does not send as many ICMP messages.

pieces.py serve PORT 0: takes any number of connections on the web server's address, and answers whole questions."""
import collections
import fcntl
import select
import socket
import struct
import sys
import termios
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "lib"), str(Path(__file__).parents[2] / "tools/bench")]
from halves import LISTED, hello  # noqa: E402  (needs the path)
from quic import initial  # noqa: E402

WEB, RESOLVER, OWN = "203.0.113.80", "9.9.9.9", "10.1.0.2"
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
    "dns": (True, WEB, 53, lambda i: [bytes([b]) for b in question()]),
    "quic": (False, WEB, 443, lambda i: [initial(LISTED, part=slice(0, 60), seed=i), initial(LISTED, part=slice(60, None), seed=i)]),
    "dtls": (False, WEB, 443, lambda i: [dtls(0, 60), dtls(60, None)]),
}


def udp_fragments(i):
    """A question of 1,600 bytes, padded, in two IP packets."""
    query = question()[2:]
    query = query[:11] + b"\1" + query[12:] + b"\0\0\x29\x04\xd0" + bytes(4) + struct.pack("!HHH", 1504, 12, 1500) + bytes(1500)
    datagram = struct.pack("!HHHH", 20000 + i, 53, 8 + len(query), 0) + query
    return [packet(i, 0, datagram[:1200], True), packet(i, 1200, datagram[1200:], False)]


def packet(ident, at, data, more):
    flags = (0x2000 if more else 0) | at // 8
    addresses = socket.inet_aton(OWN) + socket.inet_aton(RESOLVER)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1 + ident, flags, 64, 17, 0) + addresses + data


def fragments():
    """Raw packets out, and the answers to them at the sockets of their ports."""
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    waiting = []
    for i in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((OWN, 20000 + i))
        waiting.append(sock)
        for data in udp_fragments(i):
            out.sendto(data, (RESOLVER, 0))
    leaked = 0
    while waiting and (ready := select.select(waiting, [], [], 1)[0]):
        leaked += sum(sock.recv(4096)[3] & 15 == 0 for sock in ready)
        waiting = [sock for sock in waiting if sock not in ready]
    print(f"refused={count - leaked} leaked={leaked}")


def serve(port):
    server = socket.create_server((WEB, port), backlog=4096)
    poll, clients = select.epoll(), {}
    poll.register(server, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == server.fileno():
                sock, _ = server.accept()
                clients[sock.fileno()] = [sock, b""]
                poll.register(sock, select.EPOLLIN)
                continue
            try:
                data = clients[fd][0].recv(4096)
            except ConnectionError:
                data = b""
            clients[fd][1] += data
            if not data:
                clients.pop(fd)[0].close()
            elif len(clients[fd][1]) == len(question()):
                clients[fd][0].send(b"leaked")


def fate(sock):
    """Of a stream: a reset or the answer NXDOMAIN; of datagrams: ICMP."""
    try:
        data = sock.recv(4096)
    except ConnectionError:
        return "refused"
    return "refused" if not data or (kind == "dns" and data[5] & 15 == 3) else "leaked"


def arrived(sock):
    """Was all that was sent acknowledged? So that no more waits in the kernel's queue than it holds."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0] == 0


def drain(sock):
    """The answers to the first pieces, which passed."""
    while select.select([sock], [], [], 0.02)[0]:
        sock.recv(4096)


if kind in ("fragments", "serve"):
    sys.exit(fragments() if kind == "fragments" else serve(count))
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
    while stream and not all(arrived(sock) for sock, _ in clients):
        time.sleep(0.002)
    for sock, parts in clients:
        try:
            if n and not stream:
                drain(sock)
            sock.send(parts[n])
        except ConnectionError:
            pass
seen, waiting, poll = collections.Counter(), {sock.fileno(): sock for sock, _ in clients}, select.poll()
for fd in waiting:
    poll.register(fd, select.POLLIN)
while waiting and (ready := poll.poll(20000 if stream else 1000)):
    for fd, _ in ready:
        poll.unregister(fd)
        seen[fate(waiting.pop(fd))] += 1
seen["lost" if stream else "refused"] += len(waiting)
print(" ".join(f"{what}={seen[what]}" for what in ("refused", "leaked", "lost") if seen[what] or what != "lost"))

# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients in the field send besides a plain hello, for the tests in tests/field."""
import random
import socket
import struct

from hello import client_hello
from quic import initial

LISTED, OPEN = "activation-v2.kaspersky.com", "www.example.org"
MPTCP, MSG_FASTOPEN = 262, 0x20000000


def made(host, kind, proto=0, port=None):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind, proto)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_STREAM:      # the port is free again at once
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.settimeout(4)
    if port:
        s.bind(("", port))
    return s


def heard(s):
    """What came back: data, end, reset, refused or timeout."""
    try:
        return "data" if s.recv(4096) else "end"
    except ConnectionResetError:
        return "reset"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "timeout"


def tcp(name, host, port=443, fast=False, proto=0, src=None, size=0, before=b"", priority=0):
    hello = before + client_hello(random.Random(1), name, size=size)
    with made(host, socket.SOCK_STREAM, proto, src) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, priority)
        try:
            if fast:
                s.sendto(hello, MSG_FASTOPEN, (host, port))
            else:
                s.connect((host, port))
                s.sendall(hello)
        except ConnectionResetError:
            return "reset"
        except ConnectionRefusedError:
            return "refused"
        return heard(s)


def udp(name, host, port=443, src=None, before=(), make=lambda i: i):
    """Sends what comes before, taking its answers; then a hello, as often as a client does."""
    with made(host, socket.SOCK_DGRAM, 0, src) as s:
        s.connect((host, port))
        try:
            for datagram in before:
                s.send(datagram)
                s.settimeout(0.3)
                heard(s)
            s.settimeout(4)
            s.send(make(initial(name)))
        except ConnectionRefusedError:
            return "refused"
        return heard(s)

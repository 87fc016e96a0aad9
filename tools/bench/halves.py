# SPDX-License-Identifier: GPL-2.0-or-later
"""First halves of messages, as floods are made of them, and the hellos of honest clients.

  halves.py FOLDER      writes a file of each kind, and `listed` and `innocent`
"""
import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/lib"))
from hello import client_hello  # noqa: E402  (needs the path)
from quic import initial  # noqa: E402

LISTED, INNOCENT, FLOOD = "s03.upd.kaspersky.com", "www.example.com", "flood.example.net"
HELLO_BYTES = 517


def hello(name, size=HELLO_BYTES):
    return client_hello(random.Random(4), name, size=size, sni_last=True)


def dtls_half():
    """A record of DTLS 1.2 with the first 200 bytes of a hello (RFC 6347 4.2.2)."""
    body = hello(FLOOD)[9:]
    fragment = b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + bytes(3) + (200).to_bytes(3, "big") + body[:200]
    return b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(fragment)) + fragment


# protocol, port, what is sent
KINDS = {
    "hello": ("tcp", 443, lambda: hello(FLOOD)[:60]),
    "long-hello": ("tcp", 443, lambda: hello(FLOOD, 1800)[:1300]),
    "middle": ("tcp", 443, lambda: random.Random(5).randbytes(1300)),
    "embedded": ("tcp", 443, lambda: b"\0" * 40 + hello(FLOOD)[:100]),
    "starttls": ("tcp", 25, lambda: b"EHLO flood\r\nSTARTTLS\r\n" + hello(FLOOD)[:100]),
    "http": ("tcp", 80, lambda: b"GET / HTTP/1.1\r\n" + b"X-Filler: 0123456789\r\n" * 60),
    "dns": ("tcp", 53, lambda: b"\0"),
    "quic": ("udp", 443, lambda: initial(FLOOD, part=slice(0, 200))),
    "dtls": ("udp", 443, dtls_half),
}


def write_all(folder):
    for name in (LISTED, INNOCENT):
        Path(f"{folder}/{'listed' if name == LISTED else 'innocent'}").write_bytes(hello(name))
    for kind, (_, _, message) in KINDS.items():
        Path(f"{folder}/{kind}").write_bytes(message())


if __name__ == "__main__":
    write_all(sys.argv[1])

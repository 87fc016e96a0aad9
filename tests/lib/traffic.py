#!/usr/bin/env python3
"""Steady traffic of a client, to see what the daemon's life does to it.

  traffic.py FILE RESOLVER WEB [SOURCE...]   until SIGTERM; counts go to FILE (JSON) while it runs

Three loops, each attempt on a new socket: an unlisted DNS question, a listed one
(never the same name twice, so that its record can be found), an unlisted TLS
connection with one HTTP exchange. A question that is not answered within a second
is sent again from the same socket, twice: `again` counts those; the last one has
ten seconds, `late` counts answers that took more than three. What failed is named,
with its name and time, so that it can be found in the log. With source
addresses each attempt is another client's, in turn; they are of RESOLVER's and
WEB's IP version.
"""
import itertools
import json
import os
import random
import signal
import socket
import ssl
import struct
import sys
import threading
import time

FILE, RESOLVER, WEB, *SOURCES = sys.argv[1:]
PAUSE = 0.005
PATIENCE = 1, 1, 10
LATE = 3
stop = threading.Event()
counts = {
    "open": {"sent": 0, "answered": 0, "again": 0, "late": 0, "failed": 0},
    "listed": {"sent": 0, "nxdomain": 0, "answered": 0, "again": 0, "late": 0, "failed": 0},
    "tls": {"sent": 0, "ok": 0, "failed": 0, "worst_ms": 0.0},
    "errors": [],
}


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def sources():
    """Of one loop: (address, any port) of the next client; None: the kernel chooses."""
    return itertools.cycle([(a, 0) for a in SOURCES] or [None])


def ask(name, row, source):
    """rcode, or how each attempt ended when none was answered"""
    ends = []
    ident = random.getrandbits(16)
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    message = struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    with socket.socket(family(RESOLVER), socket.SOCK_DGRAM) as s:
        if source:
            s.bind(source)
        s.connect((RESOLVER, 53))
        start = time.monotonic()
        for attempt, patience in enumerate(PATIENCE):
            row["again"] += attempt > 0
            s.settimeout(patience)
            try:
                s.send(message)
                while (answer := s.recv(4096))[:2] != message[:2]:
                    pass
                row["late"] += time.monotonic() - start > LATE
                return answer[3] & 15
            except (TimeoutError, ConnectionRefusedError) as e:
                ends.append(type(e).__name__)
    return ends


def failed(row, what):
    row["failed"] += 1
    if len(counts["errors"]) < 5:
        counts["errors"].append(f"{what}, until {time.strftime('%H:%M:%S')}")


def open_questions():
    row = counts["open"]
    for source in sources():
        if stop.is_set():
            return
        row["sent"] += 1
        name = f"w{row['sent']}.example.org"
        rcode = ask(name, row, source)
        if rcode == 0:
            row["answered"] += 1
        else:
            failed(row, f"{name}: rcode {rcode}")
        stop.wait(PAUSE)


def listed_questions():
    row = counts["listed"]
    for source in sources():
        if stop.is_set():
            return
        row["sent"] += 1
        name = f"q{row['sent']}.upd.kaspersky.com"
        rcode = ask(name, row, source)
        if rcode in (0, 3):
            row["nxdomain" if rcode == 3 else "answered"] += 1
        else:
            failed(row, f"{name}: rcode {rcode}")
        stop.wait(PAUSE)


def tls_connections():
    row = counts["tls"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for source in sources():
        if stop.is_set():
            return
        row["sent"] += 1
        start = time.monotonic()
        try:
            with socket.create_connection((WEB, 443), 5, source) as raw, \
                    context.wrap_socket(raw, server_hostname="www.example.org") as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n")
                if b" 200 " not in s.recv(4096):
                    raise OSError("no 200")
            row["ok"] += 1
            row["worst_ms"] = max(row["worst_ms"], round((time.monotonic() - start) * 1000, 1))
        except OSError as e:
            failed(row, f"tls: {e!r}")
        stop.wait(PAUSE)


def write():
    with open(FILE + ".new", "w", encoding="ascii") as f:
        json.dump(counts, f)
    os.rename(FILE + ".new", FILE)


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threads = [threading.Thread(target=t) for t in (open_questions, listed_questions, tls_connections)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        write()
        time.sleep(0.03)
    write()


main()

#!/usr/bin/env python3
"""drip.py PATH: a request at a control socket, one byte at a time; prints "ended" when the other side has
enough of it, "forty" when forty bytes went through."""
import socket
import sys
import time

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
print("dripping", flush=True)
try:
    for _ in range(40):
        sock.send(b"a")
        time.sleep(0.5)
    print("forty", flush=True)
except OSError:
    print("ended", flush=True)

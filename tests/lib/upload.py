#!/usr/bin/env python3
"""Sends a file over a protocol that nobody knows, and says what the other end received.

  upload.py HOST PORT FILE      prints "same" when length and checksum agree
"""
import hashlib
import json
import socket
import sys

host, port, path = sys.argv[1:4]
with open(path, "rb") as f:
    data = b"\x00\x01\xfe no protocol of yours\n" + f.read()
with socket.create_connection((host, int(port)), 20) as s:
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    said = json.loads(s.makefile().readline())
same = said == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
print("same" if same else f"sent {len(data)} bytes, arrived: {said}")

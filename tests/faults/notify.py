#!/usr/bin/env python3
"""notify.py PATH: the service manager's end of NOTIFY_SOCKET; prints what it is told, one fact in a line."""
import socket
import sys

sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(sock.recv(4096).decode(), flush=True)

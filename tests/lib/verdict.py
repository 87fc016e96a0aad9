#!/usr/bin/env python3
"""verdict.py bind|send: what the kernel says to a verdict about a packet that does not exist, on a queue's socket
made with CAP_NET_ADMIN: "ENOENT" where verdicts are taken, "EPERM" where they are not. With bind it makes the
socket as descriptor 9 and runs the rest of its arguments, which give up capabilities and call it with send."""
import errno
import os
import socket
import struct
import sys

QUEUE, VERDICT, CONFIG = 0x03 << 8, 1, 2


def ask(sock, kind, attribute):
    header = struct.pack("=BBH", socket.AF_UNSPEC, 0, socket.htons(77))
    length = 16 + len(header) + len(attribute)
    sock.send(struct.pack("=IHHII", length, QUEUE | kind, 5, 1, 0) + header + attribute)   # REQUEST | ACK
    return -struct.unpack_from("=i", sock.recv(4096), 16)[0]


if sys.argv[1] == "bind":
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    sock.bind((0, 0))
    error = ask(sock, CONFIG, struct.pack("=HHBBH", 8, 1, 1, 0, 0))     # NFQNL_CFG_CMD_BIND
    if error:
        sys.exit(os.strerror(error))
    os.dup2(sock.fileno(), 9, inheritable=True)
    os.execvp(sys.argv[2], sys.argv[2:])
error = ask(socket.socket(fileno=9), VERDICT, struct.pack("=HH", 12, 2) + struct.pack("!II", 1, 4711))
print(errno.errorcode.get(error, error))

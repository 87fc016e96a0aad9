#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""frames.py INTERFACE COUNT MACHINES SALT: questions for listed names, as from that many machines with MACs of their
own, onto an interface that a sensor watches; SALT tells the machines of one site from those of another."""
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../replay"))
import make  # noqa: E402: packets

interface, count, machines, salt = sys.argv[1], *map(int, sys.argv[2:5])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind((interface, 0x0800))
    for n in range(count):
        machine = n % machines
        name = f"s{n % 20:02d}.upd.kaspersky.com"
        ip = make.udp(make.q(name), src=f"192.0.2.{salt * 20 + machine}")[0]
        s.send(bytes.fromhex("020000000001") + struct.pack("!BBBBBB", 2, 0, 0, 0, salt, machine) + b"\x08\x00" + ip)
        time.sleep(0.001)

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fleet_records.py NFQD FOLDER SENSORS RECORDS RATE: records of sensors that do not exist, as nfqd writes them.

What `nfqd -r` says of a few packets is written again and again into FOLDER/N/eve.json, as by sensor N: with its name
and numbers, the time, and one of forty machines. RATE is records a second over all sensors; 0: at once."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/replay"))
import make  # noqa: E402: packets

MACHINES = 40


def templates(nfqd):
    """one record each of DNS, TLS and HTTP as (first part, second part) around what changes"""
    packets = make.udp(make.q(make.S)) + make.tcp(make.tls(make.S)) + make.tcp(
        f"GET / HTTP/1.1\r\nHost: {make.S}\r\n\r\n".encode(), dport=80)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for n, p in enumerate(packets):
            p = bytes(12) + b"\x08\x00" + p
            f.write(struct.pack("<IIII", 1795435200, n, len(p), len(p)) + p)
        f.flush()
        said = subprocess.run([nfqd, "-r", f.name, "--rules", "rules/kaspersky.yaml"], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in said.stdout.splitlines()]


def line(record, sensor, seq, now):
    mac = f"02:00:00:{sensor % 256:02x}:{sensor // 256:02x}:{seq % MACHINES:02x}"
    own = dict(record["nfqd"], sensor=str(uuid.UUID(int=(1 << 76 | 1 << 63) + sensor)), boot=1, seq=seq,
               client={"id": f"mac:{mac}"})
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}+0000"
    return json.dumps(dict(record, timestamp=stamp, host=f"gw{sensor}", ether={"src_mac": mac}, nfqd=own),
                      separators=(",", ":")) + "\n"


def main(nfqd, folder, sensors, records, rate):
    kinds, begin, files = templates(nfqd), time.time(), []
    for sensor in range(sensors):
        os.makedirs(os.path.join(folder, str(sensor)), exist_ok=True)
        files.append(open(os.path.join(folder, str(sensor), "eve.json"), "a", encoding="utf-8"))
    for n in range(records):
        if rate and n % 100 == 0:
            time.sleep(max(0, begin + n / rate - time.time()))
        files[n % sensors].write(line(kinds[n % len(kinds)], n % sensors, n // sensors + 1, time.time()))
    for f in files:
        f.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A year of sightings of many machines: how large the database is, what its commands cost, and whether the last day is
taken as fast as the first.

    sightings [--machines 500] [--days 365] [--max-size 64] [--build build] [--keep FILE]

Prints rows as RESULTS.md has them, in processor time, which a busy machine does not change. The records are those of a daemon that refuses: each machine calls a few names several
times a day, over two channels and two resolvers. Exit status 1: a limit was not kept.
"""
import argparse
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile

SECONDS, MEGABYTES = 0.3, 20  # of a command
NAMES = ["s%02d.upd.kaspersky.com" % n for n in range(20)] + ["dc1.ksn.kaspersky-labs.com", "activation-v2.kaspersky.com"]


def record(at, machine, name, seq, dns):
    stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000+0000")
    mac, ip = "3c:52:82:%02x:%02x:01" % (machine >> 8, machine & 255), f"10.{machine >> 8}.{machine & 255}.7"
    return json.dumps({
        "timestamp": stamp, "host": "gw", "event_type": "alert", "in_iface": "lan0", "src_ip": ip,
        "dest_ip": ("10.0.0.1", "8.8.8.8")[dns % 2], "proto": "UDP" if dns else "TCP", "app_proto": "dns" if dns else "tls",
        "ether": {"src_mac": mac}, "nfqd": {
            "schema": 2, "sensor": "5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77", "boot": 1, "seq": seq, "source": "queue",
            "name": name, "seen_in": "dns.query" if dns else "tls.sni", "rule": "kav-update-mirrors", "pack": "kaspersky",
            "pack_version": "2026.11.23.1", "vendor": "Kaspersky", "category": "update" if "upd" in name else "reputation",
            "stage": {"id": "icts-full", "basis": "law", "citation": "89 FR 52434"}, "products": ["all current products"],
            "action": "reject", "would": "reject", "client": {"id": "mac:" + mac}, "relayed": False}}, separators=(",", ":"))


def day_of(day, machines, seq, rng):
    lines = []
    for machine in range(machines):
        at = day + rng.random() * 7200
        while at < day + 86400:
            for n in range(3):
                lines.append((at + n, machine, rng.choice(NAMES), n))
            at += 10800 + rng.random() * 7200
    lines.sort()
    return [record(at, machine, name, seq + i, dns) for i, (at, machine, name, dns) in enumerate(lines)]


def timed(fill, command):
    """processor time in seconds, memory in MB and exit status, as a small parent sees them"""
    p = subprocess.run([fill, "--run", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    seconds, megabytes = p.stderr.splitlines()[-1].split()
    return float(seconds), int(megabytes), p.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--machines", type=int, default=500)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--max-size", type=int, default=64)
    parser.add_argument("--build", default="build")
    parser.add_argument("--keep", default="")
    o = parser.parse_args()
    rng, ok = random.Random(1), True
    with tempfile.TemporaryDirectory() as folder:
        filler = os.path.join(o.build, "bench/fill")
        db = o.keep or os.path.join(folder, "sightings.db")
        fill = subprocess.Popen([filler, db, str(o.max_size << 20)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        begin, seq, rates = int(datetime.datetime(2025, 11, 24, tzinfo=datetime.timezone.utc).timestamp()), 1, []
        for day in range(o.days):
            lines = day_of(begin + day * 86400, o.machines, seq, rng)
            seq += len(lines)
            fill.stdin.write("\n".join(lines) + "\n\n")  # the empty line ends a day: it is committed and timed
            fill.stdin.flush()
            rates.append(float(fill.stdout.readline()))
        fill.stdin.close()
        fill.wait()
        size = sum(os.path.getsize(db + end) for end in ("", "-wal") if os.path.exists(db + end)) / (1 << 20)
        part = max(1, min(14, o.days // 4))
        first, last = (sum(r) / part for r in (rates[1:part + 1], rates[-part:]))
        ok &= size <= o.max_size
        print(f"| sightings: {seq - 1} records of {o.machines} machines in {o.days} days | {size:.1f} MB, of {o.max_size} |")
        print(f"| sightings: records a second, in the first {part} days and in the last | {first:.0f}, {last:.0f} |")
        ctl, id_ = os.path.join(o.build, "nfqctl"), "mac:3c:52:82:00:07:01"
        html = os.path.join(folder, "report.html")
        for name, args in (("hosts", ["hosts"]), ("hosts --since", ["hosts", "--since", "2026-06-01"]),
                           ("hosts --leaked", ["hosts", "--leaked"]), ("host", ["host", id_]),
                           ("report --json", ["report", "--json"]), ("report --html", ["report", "--html", html]),
                           ("preview", ["preview", "--pack", "rules/kaspersky.yaml", "--since", "2026-11-16"])):
            seconds, megabytes, code = min(timed(filler, [ctl, *args, "--db", db]) for _ in range(1 if "html" in name else 3))
            good = code == 0 and seconds <= SECONDS and megabytes <= MEGABYTES
            ok &= good
            print(f"| nfqctl {name} | {seconds:.2f} s, {megabytes:.0f} MB{'' if good else ' (TOO MUCH)'} |")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()

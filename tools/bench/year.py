#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A year of sightings of 500 machines: how large the database is, whether the last days are taken as fast as the first,
and what each command costs that reads it.

    year.py [--days N]      writes the records, an empty line after each day

The records are those of a daemon that refuses: each machine calls three names every six to ten hours, over two
channels and two resolvers.
"""
import argparse
import datetime
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

MACHINES, DAYS, MAX_MB, PART = 500, 365, 64, 28     # PART: days at the beginning and at the end
BEGIN = int(datetime.datetime(2025, 11, 24, tzinfo=datetime.timezone.utc).timestamp())
NAMES = ["s%03d.upd.kaspersky.com" % n for n in range(200)] + ["dc1.ksn.kaspersky-labs.com", "activation-v2.kaspersky.com"]
RECORD = (
    '{{"timestamp":"{stamp}","host":"gw","event_type":"alert","in_iface":"lan0","src_ip":"10.{high}.{low}.7","dest_ip":"{dest}",'
    '"proto":"{proto}","app_proto":"{app}","ether":{{"src_mac":"{mac}"}},"nfqd":{{"schema":2,"sensor":'
    '"5d0f6b0e-3c1a-4a3e-9a51-6a2a7d1f0c77","boot":1,"seq":{seq},"source":"queue","name":"{name}","seen_in":"{seen}","rule":'
    '"kav-update-mirrors","pack":"kaspersky","pack_version":"2026.11.23.1","vendor":"Kaspersky","category":"{category}","stage":'
    '{{"id":"icts-full","basis":"law","citation":"89 FR 52434"}},"products":["all current products"],"action":"reject",'
    '"would":"reject","client":{{"id":"mac:{mac}"}},"relayed":false}}}}')
COMMANDS = (("hosts",), ("hosts", "--since", "2026-06-01"), ("hosts", "--leaked"), ("host", "mac:3c:52:82:00:07:01"),
            ("report", "--html", "report.html", "--force"), ("report", "--json"), ("report", "--csv"),
            ("preview", "--pack", "kaspersky.yaml", "--since", "2026-11-17"))


def record(day, at, machine, name, seq, call):
    high, low = machine >> 8, machine & 255
    proto, app, seen = ("UDP", "dns", "dns.query") if call else ("TCP", "tls", "tls.sni")
    return RECORD.format(stamp=f"{day}T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}.000000+0000",
                         high=high, low=low, dest=("10.0.0.1", "8.8.8.8")[call % 2], proto=proto, app=app, seen=seen,
                         mac=f"3c:52:82:{high:02x}:{low:02x}:01", seq=seq, name=name,
                         category="update" if "upd" in name else "reputation")


def texts(days):
    """The records of each day as one text, which an empty line ends."""
    rng, seq = random.Random(1), 1
    for day in range(days):
        calls = []
        for machine in range(MACHINES):
            at = rng.random() * 21600
            while at < 86400:
                calls += [(min(int(at) + n, 86399), machine, rng.choice(NAMES), n) for n in range(3)]
                at += 21600 + rng.random() * 14400
        date = time.strftime("%Y-%m-%d", time.gmtime(BEGIN + day * 86400))
        yield "".join(record(date, *call[:3], seq + i, call[3]) + "\n" for i, call in enumerate(sorted(calls))) + "\n"
        seq += len(calls)


class Fill:
    """A database that takes the records of one day after the other."""

    def __init__(self, database, build):
        self.p = subprocess.Popen([f"{build}/bench/fill", database, str(MAX_MB << 20)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)

    def take(self, text):
        """How many records a second."""
        self.p.stdin.write(text)
        self.p.stdin.flush()
        return float(self.p.stdout.readline())

    def end(self):
        self.p.stdin.close()
        if self.p.wait() != 0:
            sys.exit("fill failed")


def fill(folder, days, build):
    """The records of all days are put in. Beside the last days the first ones are put into a database of their own, day
    about, so that both meet the same machine. How many a second of each."""
    year, young, part = Fill(f"{folder}/year.db", build), Fill(f"{folder}/young.db", build), min(PART, days // 4)
    first, rates = [], []
    for day, text in enumerate(texts(days)):
        if day <= part:
            first.append(text)
        if day == part:
            young.take(first.pop(0))
        if day < days - part:
            year.take(text)
        else:
            rates.append((young.take(first.pop(0)), year.take(text)))
    for one in (young, year):
        one.end()
    return rates


def cost(command, folder, build):
    """Seconds and MB of the best of three runs, as a small parent sees them."""
    def run():
        p = subprocess.run([os.path.abspath(f"{build}/bench/fill"), "--run", os.path.abspath(f"{build}/nfqctl"), *command,
                            "--db", "year.db"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder)
        return [float(n) for n in p.stderr.split()[-2:]]
    return min(run() for _ in range(3))


def measure(folder, build, days=DAYS):
    """The figures of a year: MB, records a second in its first and last days, and seconds and MB of each command."""
    Path(folder, "kaspersky.yaml").write_bytes(Path("rules/kaspersky.yaml").read_bytes())
    rates = fill(folder, days, build)
    figures = {"mb": sum(p.stat().st_size for p in Path(folder).glob("year.db*")) / (1 << 20),
               "first": statistics.median(r[0] for r in rates), "last": statistics.median(r[1] for r in rates),
               "ratio": statistics.median(ratios := [last / first for first, last in rates]),
               "ratio_error": 1.25 * statistics.stdev(ratios) / len(ratios) ** 0.5}     # of a median
    for command in COMMANDS:
        figures[f"{' '.join(command)} s"], figures[f"{' '.join(command)} MB"] = cost(command, folder, build)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=int, default=DAYS)
    sys.stdout.writelines(texts(parser.parse_args().days))

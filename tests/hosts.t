#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: over a day of traffic of 60 clients, 5 of which have the product (one changes its address, one is behind a
router with others, one has random MACs), nfqctl hosts names exactly those machines, with exact first, last and
counts: from a log, from the same log rotated and compressed, and straight from the capture."""
import datetime
import gzip
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import check, done_testing  # noqa: E402

NFQD, NFQCTL = os.environ.get("NFQD", "build/nfqd"), os.environ.get("NFQCTL", "build/nfqctl")
folder = tempfile.TemporaryDirectory()
pcap, log = os.path.join(folder.name, "day.pcap"), os.path.join(folder.name, "eve.json")
truth = json.loads(subprocess.run(["tools/day", pcap, "--odd"], check=True, capture_output=True, timeout=120).stdout)
judge = [NFQD, "-r", pcap, "--rules", "rules/kaspersky.yaml"]
with open(log, "w") as f:
    subprocess.run(judge, check=True, stdout=f, stderr=subprocess.DEVNULL, timeout=120)


def ctl(*args, **more):
    return subprocess.run([NFQCTL, *args], capture_output=True, text=True, timeout=120, **more)


def answer(*args, **more):
    p = ctl(*args, "--json", **more)
    return json.loads(p.stdout) if p.returncode == 0 else p.stderr


def stamp(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def facts(hosts):
    return sorted((h["id"], h["first"][:19], h["last"][:19], h["leaked"]) for h in hosts["hosts"])


machines = sorted({t["machine"] for t in truth})
seconds = {m: [t["second"] for t in truth if t["machine"] == m] for m in machines}
want = [(m, stamp(min(seconds[m])), stamp(max(seconds[m])), len(seconds[m])) for m in machines]
by_log = answer("hosts", "--from", log)
check(facts(by_log) == want, "exactly those five machines, with first, last and counts", facts(by_log), want)
check(by_log["machines_at_least"] == 5, "at least five", by_log["machines_at_least"])
judged = subprocess.run(judge, capture_output=True, text=True, timeout=120).stdout
check(answer("hosts", "--from", "-", input=judged) == by_log, "the same straight from the capture")
with open(log) as f:
    lines = f.readlines()
old, new = log + ".1.gz", log + ".0"
with gzip.open(old, "wt") as f:
    f.writelines(lines[:100])
with open(new, "w") as f:
    f.writelines(lines[100:])
check(answer("hosts", "--from", new, old) == by_log, "and from a rotated log, whichever file is named first")

db = os.path.join(folder.name, "sightings.db")
p = ctl("sightings", "rebuild", "--db", db, log)
check(p.returncode == 0 and answer("hosts", "--db", db) == by_log, "and by a database made of it", p.stderr)
host = answer("host", [m for m in machines if m.startswith("ip:")][0], "--db", db)
check(host == answer("host", host["id"], "--from", log), "so is one machine")
two = sorted(h["id"] for h in by_log["hosts"])[-2:]
p = ctl("host", two[0], "--merge", two[1], "--db", db)
check(p.returncode == 0 and answer("hosts", "--db", db)["machines_at_least"] == 4, "two are merged by hand", p.stderr)
p = ctl("host", two[0], "--split", two[1][4:], "--db", db)
check(p.returncode == 0 and answer("hosts", "--db", db)["machines_at_least"] == 5, "and split again", p.stderr)
check(ctl("host", two[0], "--forget", "--db", db).returncode == 0 and
      answer("hosts", "--db", db)["machines_at_least"] == 4, "one is forgotten")

moved = [h for h in by_log["hosts"] if len(h["addresses"]) == 2 and len(h["macs"]) == 1]
check(len(moved) == 1 and not moved[0]["random_mac"], "one has had two addresses", by_log)
routed = [h for h in by_log["hosts"] if h.get("behind")]
check([h["id"] for h in routed] == [m for m in machines if m.startswith("ip:")] and
      by_log["hops"][0]["mac"] == routed[0]["behind"], "one is told by its address, behind a hop", routed)
random = [h for h in by_log["hosts"] if h["random_mac"]]
check(len(random) == 1 and len(random[0]["macs"]) > 3, "one has random MACs", random)
names = {}
for t in truth:
    if t["machine"] == moved[0]["id"]:
        names[t["name"]] = names.get(t["name"], 0) + 1
plain = ctl("hosts", "--from", log)
check(plain.returncode == 0 and all(len(line) <= 80 for line in plain.stdout.splitlines()) and
      plain.stdout.splitlines()[6] == "at least 5 machines", "readable at 80 columns", plain.stdout, plain.stderr)
check(answer("hosts", "--from", log, "--vendor", "nobody")["hosts"] == [], "of another vendor, none")
check(len(answer("hosts", "--from", log, "--leaked")["hosts"]) == 5, "all of it leaked: nothing was blocked")
check(answer("hosts", "--from", log, "--since", "2026-11-24")["hosts"] == [], "none since")
p = ctl("hosts", "--from", "Makefile")
check(p.returncode == 1 and "is a record of nfqd" in p.stderr, "a file of another kind is refused", p.stderr)
p = ctl("hosts", "--db", pcap)
check(p.returncode == 1 and p.stderr.startswith("nfqctl hosts: " + pcap), "and what is no database", p.stderr)
p = ctl("hosts", "--from", log, "--sort", "colour")
check(p.returncode == 1 and "allowed: last, first" in p.stderr, "an unknown order is named", p.stderr)
done_testing()

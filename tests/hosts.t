#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: over a day of traffic of 60 clients, 5 of which have the product (one changes its address, one is behind a
router with others, one has random MACs), nfqctl hosts names exactly those machines, with exact first, last and
counts, of a machine by name, channel and hour too: from a log, from the same log rotated and compressed, from a database
and straight from the capture; and the report's page has the same numbers of each."""
import datetime
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import check, done_testing  # noqa: E402

NFQD, NFQCTL = os.environ.get("NFQD", "build/nfqd"), os.environ.get("NFQCTL", "build/nfqctl")
folder = tempfile.TemporaryDirectory()
pcap, log = os.path.join(folder.name, "day.pcap"), os.path.join(folder.name, "eve.json")
truth = json.loads(subprocess.run(["tools/day", pcap, "--odd"], check=True, capture_output=True, timeout=120).stdout)
judge = [NFQD, "-r", pcap, "--rules", "rules/kaspersky.yaml"]
with open(log, "w") as f:
    subprocess.run(judge, check=True, stdout=f, stderr=subprocess.DEVNULL, timeout=120)


OUTCOMES = ("refused", "logged", "passed", "leaked")


def ctl(*args, **more):
    return subprocess.run([NFQCTL, *args], capture_output=True, text=True, timeout=120, **more)


def answer(*args, **more):
    p = ctl(*args, "--json", **more)
    return json.loads(p.stdout) if p.returncode == 0 else p.stderr


def stamp(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def facts(hosts):
    return sorted((h["id"], h["first"][:19], h["last"][:19], *(h[k] for k in OUTCOMES)) for h in hosts["hosts"])


def counts(rows, key):
    return {row[key]: [row[k] for k in OUTCOMES] for row in rows}


def counted(key, of):
    """as a capture has them: all were only logged, and leaked"""
    return {value: [0, n, 0, n] for value, n in Counter(t[key] for t in truth if t["machine"] == of).items()}


def page(*args):
    """the report's page, without the time it was made at"""
    path = os.path.join(folder.name, "report.html")
    p = ctl("report", "--html", path, "--force", *args)
    with open(path) as f:
        return p.stderr + re.sub(r"Made [^ ]* by", "", f.read())


machines = sorted({t["machine"] for t in truth})
seconds = {m: [t["second"] for t in truth if t["machine"] == m] for m in machines}
want = [(m, stamp(min(seconds[m])), stamp(max(seconds[m])), 0, len(seconds[m]), 0, len(seconds[m])) for m in machines]
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
p = ctl("hosts", "--from", log, "--vendor", "nope")
check("no machine called a vendor 'nope' (vendors called: Kaspersky)" in p.stderr, "a vendor that nobody called is said", p.stderr)
with open(old, "rb") as f:
    whole = f.read()
with open(log + ".2.gz", "wb") as f:
    f.write(whole[:len(whole) // 2])
for command in (["hosts", "--from"], ["log", "verify"]):
    p = ctl(*command, log + ".2.gz")
    check(p.returncode == 1 and f"{log}.2.gz: it is cut short" in p.stderr, f"{command[0]}: a compressed log that is cut short", p.stderr)
check(answer("hosts", "--from", new, old) == by_log, "and from a rotated log, whichever file is named first")

db = os.path.join(folder.name, "sightings.db")
p = ctl("sightings", "rebuild", "--db", db, log)
check(p.returncode == 0 and answer("hosts", "--db", db) == by_log, "and by a database made of it", p.stderr)
wrong = [m for m in machines for one in [answer("host", m, "--db", db)]
         if (counts(one["names"], "name"), counts(one["channels"], "channel"), counts(one["days"], "day")) !=
         (counted("name", m), counted("channel", m), {"2026-11-23": [0, len(seconds[m]), 0, len(seconds[m])]})]
check(wrong == [], "each machine has exact counts by name, by channel and by day", wrong)
hours = Counter(t["second"] % 86400 // 3600 for t in truth)
check(counts(answer("report", "--db", db)["hours"], "hour") == {h: [0, n, 0, n] for h, n in hours.items()},
      "and all of them by hour", answer("report", "--db", db)["hours"])
by_db = page("--db", db)
rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.search("<table id=hosts>(.*?)</table>", by_db, re.S)[1].split("<tr>")]
check(sorted((r[0], r[4], r[5], *map(int, r[6:10])) for r in rows if r) == want, "the report's page shows these numbers", rows)
check(page("--from", log) == by_db, "the same from the log")
host = answer("host", [m for m in machines if m.startswith("ip:")][0], "--db", db)
check(host == answer("host", host["id"], "--from", log), "so is one machine")
two = sorted(h["id"] for h in by_log["hosts"])[-2:]
p = ctl("host", two[0], "--merge", two[1], "--db", db)
check(p.returncode == 0 and answer("hosts", "--db", db)["machines_at_least"] == 4, "two are merged by hand", p.stderr)
check([one["reason"] for one in answer("host", two[0], "--db", db)["sources"]][-1] == "merged by hand" and
      "merged by hand" in ctl("host", two[0], "--db", db).stdout, "which is shown as the reason", answer("host", two[0], "--db", db))
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
two = os.path.join(folder.name, "two.json")
with open(two, "w") as f:
    for line in lines:
        f.write(line + (line.replace("10.9.0.29", "10.9.0.30") if '"10.9.0.29"' in line else ""))
check([h["machines_at_least"] for h in answer("hosts", "--from", two)["hops"]] == [2] and
      "at least 2\n" in ctl("hosts", "--from", two).stdout, "of two machines behind the hop it says: at least 2")
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
check(p.returncode == 2 and "allowed: last, first" in p.stderr, "an unknown order is named", p.stderr)
done_testing()

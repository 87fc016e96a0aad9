#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: nfqctl report's page, table and JSON have the same numbers, which are those of hosts; a name with markup
stays text; in Chromium the page has no script error, asks nobody for anything, and is not empty. And nfqctl preview
says what another date or pack would have refused."""
import csv
import html
import io
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from tap import check, done_testing  # noqa: E402

NFQD, NFQCTL = os.environ.get("NFQD", "build/nfqd"), os.environ.get("NFQCTL", "build/nfqctl")
EVIL = "<script>alert(1)</script>\"'&"
folder = tempfile.TemporaryDirectory()
pcap, log, page = (os.path.join(folder.name, n) for n in ("day.pcap", "eve.json", "report.html"))
subprocess.run(["tools/day", pcap, "--odd"], check=True, stdout=subprocess.DEVNULL, timeout=120)
judged = subprocess.run([NFQD, "-r", pcap, "--rules", "rules/kaspersky.yaml", "--events", "all"], check=True,
                        capture_output=True, text=True, timeout=120).stdout.splitlines()
with open(log, "w") as f:
    for n, line in enumerate(judged):
        record = json.loads(line)
        if record["nfqd"]["rule"]:
            record["nfqd"]["client"]["name"] = "=cmd()" if n % 2 else EVIL
        f.write(json.dumps(record) + "\n")


def ctl(*args):
    return subprocess.run([NFQCTL, *args], capture_output=True, text=True, timeout=120)


hosts = json.loads(ctl("hosts", "--json", "--from", log).stdout)
report = json.loads(ctl("report", "--json", "--from", log).stdout)
check(report["hosts"] == hosts["hosts"] and report["machines_at_least"] == 5, "the report's machines are those of hosts")
total = sum(h["leaked"] for h in hosts["hosts"])
for key in ("trend", "hours", "channels", "authorities"):
    check(sum(row["leaked"] for row in report[key]) == total, f"{key}: all attempts", report[key])
check(report["trend"][0]["machines"] == 5 and {a["basis"] for a in report["authorities"]} <= {"law", "vendor", "site"},
      "five machines that day; each decision has somebody's word", report["trend"])
p = ctl("report", "--html", page, "--from", log)
check(p.returncode == 0 and p.stdout == "", "the page is written", p.stderr)
p = ctl("report", "--html", page, "--from", log)
check(p.returncode == 1 and "--force" in p.stderr, "and not over another without --force", p.stderr)
text = open(page).read()


def cells(table):
    body = re.search(rf"<table id={table}>(.*?)</table>", text, re.S).group(1)
    return [[html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<td[^>]*>.*?</td>", row)]
            for row in body.splitlines() if "<td" in row]


want = [[h["id"], h["name"], ", ".join(h["addresses"]), h["vendor"], h["first"][:19], h["last"][:19],
         *(str(h[k]) for k in ("refused", "logged", "passed", "leaked"))] for h in hosts["hosts"]]
check(cells("hosts") == want, "its table of machines has the database's numbers, and names with markup are text",
      cells("hosts"), want)
check(f"<b>{total}</b> were to be refused" in text and "<b>5 machines</b>" in text, "so has its first sentence")
OUTCOMES = ("refused", "logged", "passed", "leaked")
for table, key, columns in (("channels", "channels", ("channel",)), ("days", "trend", ("day", "machines")),
                            ("authorities", "authorities", ("vendor", "pack", "pack_version", "stage", "basis", "citation"))):
    want = [[str(row[k]) for k in columns + OUTCOMES] for row in report[key]]
    check(want and cells(table) == want, f"the table of {table} has the database's numbers", cells(table), want)
check(all(a["citation"] and a["citation"] in html.unescape(text) for a in report["authorities"]), "with the citation of each date")
titles = [html.unescape(t) for t in re.findall("<title>([^<]*)</title>", text)]
want = [f"{row['hour']:02d} h: {row['refused']} refused, {row['leaked']} leaked" for row in report["hours"]]
check(titles[-len(want):] == want and f"{report['trend'][0]['day']}: 5 machines" in titles, "and so have the charts, in words", titles, want)
check("@media print" in text and "prefers-color-scheme:dark" in text and ".k{fill:url(#hatch)" in text and "class=k" in text,
      "the page is made for print and the dark, and what leaked is hatched")
check(text.count("<svg") == 4 and "<script" not in text and "http" not in re.sub(r"http/TCP|http-equiv", "", text),
      "charts are in it, scripts and addresses are not")
rows = list(csv.DictReader(io.StringIO(ctl("report", "--csv", "--from", log).stdout)))
check([(r["machine"], int(r["leaked"])) for r in rows] == [(h["id"], h["leaked"]) for h in hosts["hosts"]] and
      all(r["name"] in (EVIL, "'=cmd()") for r in rows), "CSV: the same, and nothing that a spreadsheet runs", rows)

net, shot = os.path.join(folder.name, "net.json"), os.path.join(folder.name, "shot.png")
p = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--enable-logging=stderr", "--v=0", f"--user-data-dir={folder.name}/profile", f"--log-net-log={net}",
                    f"--screenshot={shot}", "--window-size=900,1200", "--host-resolver-rules=MAP * ~NOTFOUND",
                    "file://" + page], capture_output=True, text=True, timeout=120)
check(os.path.exists(shot) and os.path.getsize(shot) > 20000, "Chromium shows it", p.stderr[-500:])
check("CONSOLE" not in p.stderr, "without a script error or a refused part", p.stderr[-500:])
asked = set(re.findall(r'"url":"(https?://[^"]*)"', open(net).read())) if os.path.exists(net) else {"no log"}
check(not {u for u in asked if "google" not in u}, "and asks nobody for anything", asked)

whole = json.loads(ctl("preview", "--pack", "rules/kaspersky.yaml", "--from", log, "--json").stdout)
check(whole["machines_at_least"] == 5 and sum(r["times"] for r in whole["rows"]) == total, "preview: what the pack refuses today",
      whole["machines_at_least"])
db = os.path.join(folder.name, "sightings.db")
p = ctl("sightings", "rebuild", "--db", db, log)
of_db = ctl("preview", "--pack", "rules/kaspersky.yaml", "--db", db, "--since", "2026-01-01", "--json")
check(sorted(map(str, json.loads(of_db.stdout)["rows"])) == sorted(map(str, whole["rows"])), "the same by a database", of_db.stdout[:400])
check(ctl("preview", "--pack", "rules/kaspersky.yaml", "--db", db).stdout ==
      ctl("preview", "--pack", "rules/kaspersky.yaml", "--db", db, "--since", "7d").stdout, "of a database, usually the last week")
p = ctl("preview", "--pack", "rules/kaspersky.yaml", "--at", "2024-07-01", "--from", log, "--json")
check(json.loads(p.stdout)["rows"] == [], "before the date in force, nothing", p.stdout, p.stderr)
p = ctl("preview", "--pack", "rules/kaspersky.yaml", "--at", "soon", "--from", log)
check(p.returncode == 2 and p.stdout == "" and p.stderr.startswith("nfqctl preview: --at: 'soon' is not a time"),
      "a date that is none is said, not judged by", p.stdout, p.stderr)
p = ctl("preview", "--from", log)
check(os.path.exists("/etc/nfqd/nfqd.yaml") or (p.returncode == 1 and p.stdout == "" and
      p.stderr == "nfqctl preview: /etc/nfqd/nfqd.yaml: No such file or directory\n"),
      "without a pack and a configuration there is no answer, not one of nobody", p.stdout, p.stderr)
other = os.path.join(folder.name, "example.yaml")
with open(other, "w") as f:
    f.write(
        "pack: example\nvendor: Example\ntitle: Names of the tests\nversion: 2026.11.23.1\nexpires: 2037-01-01\n"
        "license: CC0-1.0\nsources: [{id: s, title: t, url: 'https://example.org/', publisher: vendor, retrieved: 2026-11-23}]\n"
        "stages: [{id: on, from: 2020-01-01, action: block, basis: site, citation: site policy}]\n"
        "entries: [{id: news, names: [news.example.com], category: telemetry, sources: [s], confidence: high,"
        " side_effect: none}]\ntests: {match: [news.example.com], no_match: [example.com]}\n")
p = ctl("preview", "--pack", other, "--from", log, "--json")
rows = json.loads(p.stdout)["rows"] if p.returncode == 0 else []
check(len(rows) > 20 and {r["name"] for r in rows} == {"news.example.com"} and {r["refused_then"] for r in rows} == {0},
      "a pack that was not loaded then: by records of all names", p.stderr, len(rows))
p = ctl("preview", "--pack", "rules/kaspersky.yaml", "--from", log)
check(p.returncode == 0 and all(len(line) <= 80 for line in p.stdout.splitlines()), "readable at 80 columns", p.stdout[:400])
done_testing()

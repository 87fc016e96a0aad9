#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves: `nfqctl why` says of a name what `nfqd -r` records of a packet that carries it: the same rule,
policy, stage, exception, action and what it would be, for random names, clients, times, ports and protocols."""
import datetime
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "replay"), os.path.join(HERE, "lib")]
import make  # noqa: E402: packets
from tap import check, done_testing  # noqa: E402

NFQD, NFQCTL = os.environ.get("NFQD", "build/nfqd"), os.environ.get("NFQCTL", "build/nfqctl")
RULES = os.path.join(HERE, "..", "rules")
N = int(os.environ.get("WHY_AGREES", "150"))
SEED = int(os.environ.get("WHY_SEED", "4"))
rng = random.Random(SEED)

# A pack whose entries meet those of others: an allow above and below them, globs, ranges, two stages of
# one category, a product, networks inside each other.
PACK = """
pack: other
vendor: Other
version: 2026.11.25.1
sources: [{id: s, title: t}]
stages:
  - {id: first, from: 2024-01-01, action: log, basis: site, citation: c}
  - {id: now, from: 2025-03-01T12:00:00Z, action: block, categories: [update, telemetry, web], basis: site, citation: c}
  - {id: over, from: 2026-06-01, action: log, categories: [telemetry], basis: site, citation: c}
entries:
  - {id: o-allow, names: [.ksn.kaspersky-labs.com, ".example.net"], category: web, sources: [s], confidence: high, action: allow, side_effect: none}
  - {id: o-longer, names: [dc1.ksn.kaspersky-labs.com, .deep.example.net], category: update, sources: [s], confidence: low, side_effect: none}
  - {id: o-glob, names: ["x-*.example.org", "n[0-9].example.org"], category: telemetry, products: [one], sources: [s], confidence: medium, side_effect: none}
  - {id: o-zone, names: [.example.org, .upd.kaspersky.com], category: web, sources: [s], confidence: high, side_effect: none}
nets:
  - {cidr: 198.51.100.0/24, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: 198.51.100.128/25, category: web, ports: [tcp/8443], sources: [s], confidence: low, action: log, side_effect: none}
  - {cidr: "2001:db8:7::/48", category: telemetry, sources: [s], confidence: medium, side_effect: none}
"""
CONF = """
rules: [{rules}/kaspersky.yaml, {rules}/microsoft-telemetry.yaml, {folder}/other.yaml]
policies:
  - {{name: by-port, match: {{ports: [tcp/8080]}}, action: drop}}
  - {{name: by-client, clients: [10.1.0.3, "fd00:1::/64"], match: {{packs: [kaspersky]}}, action: log}}
  - {{name: by-time, from: 2025-01-01, until: 2025-07-01, match: {{categories: [activation]}}, action: allow}}
  - {{name: by-confidence, match: {{packs: [kaspersky], confidence: [low]}}, action: reject, dns: refused}}
  - {{name: by-product, match: {{products: [one]}}, action: stage, dns: nodata}}
  - {{name: by-mac, clients: ["02:00:00:00:00:03"], match: {{packs: [other]}}, action: reject}}
  - {{name: rest, clients: [0.0.0.0/0], action: stage}}
exceptions:
  - {{name: short, names: [.upd.kaspersky.com], owner: o, reason: r, expires: {month}}}
  - {{name: one-client, names: [.example.org, 198.51.100.0/25], clients: [10.1.0.2], owner: o, reason: r, expires: {year}}}
"""
SEEDS = """s07.upd.kaspersky.com downloads.upd.kaspersky.com dc1.ksn.kaspersky-labs.com ksn-x-geo.kaspersky-labs.com
    activation-v2.kaspersky.com touch.kaspersky.com media.kaspersky.com my.kaspersky.com ppt-issuer.ksn.kaspersky-labs.com
    cm.k.kaspersky-labs.com v10.events.data.microsoft.com ctldl.windowsupdate.com settings-win.data.microsoft.com
    x-a.example.org n3.example.org n33.example.org example.org deep.example.net example.net www.example.com
    blocked.nfqd.invalid kaspersky.de""".split()


def some_name():
    name = rng.choice(SEEDS)
    change = rng.randrange(6)
    if change == 0:
        return rng.choice(["a.", "x-y.", "deep."]) + name
    if change == 1:
        return name.split(".", 1)[1]
    if change == 2:
        return "not" + name
    return name.upper() if change == 3 else name


def some_packets():
    """What one client sends, of one name or to one listed address."""
    v = rng.choice([4, 4, 6])
    src = rng.choice(["10.1.0.2", "10.1.0.3", "10.1.0.4"] if v == 4 else ["fd00:1::2", "fd00:2::2"])
    name, port, kind = some_name(), rng.choice([443, 8443, 8080, 80]), rng.randrange(5)
    if kind == 0:
        return make.udp(make.q(name), v=v, src=src)
    if kind == 1:
        return make.tcp(make.http(name), dport=port, v=v, src=src)
    if kind == 2:
        dst = rng.choice(["198.51.100.7", "198.51.100.200"] if v == 4 else ["2001:db8:7::1"])
        return make.tcp(b"\1\2\3\4 no name here " * 4, dport=port, v=v, src=src, dst=dst)
    return make.tcp(make.tls(name), dport=port, v=v, src=src)


def capture(path, mac):
    """Each of the packets at a random second of three years."""
    begin = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    times = sorted(rng.randrange(3 * 366 * 86400) for _ in range(N))
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1 if mac else 101))
        for at in times:
            for packet in some_packets():
                if mac:
                    packet = bytes(6) + mac + make.u16(0x0800 if packet[0] >> 4 == 4 else 0x86dd) + packet
                f.write(struct.pack("<IIII", int(begin) + at, 250000, len(packet), len(packet)) + packet)


def recorded(e):
    n = e["nfqd"]
    out = {k: n.get(k) for k in ("rule", "pattern", "pack", "pack_version", "category", "policy", "stage", "exception")}
    out["stage"] = out["stage"] and out["stage"]["id"]
    out["action"], out["would"] = n["action"], n["would"]
    out["matches"] = sorted((m["pack"], m["rule"]) for m in n.get("matches", []))
    return out


def said(w):
    out = {k: w.get(k) for k in ("rule", "pattern", "pack", "pack_version", "category", "policy")}
    out["stage"] = w["stage"] and w["stage"]["id"]
    out["exception"] = w["exception"] and w["exception"]["name"]
    # in a capture nothing was blocked: the record's action is log at most
    out["action"] = "log" if w["action"] in ("reject", "drop") else w["action"]
    out["would"] = w["would"]
    out["matches"] = sorted((m["pack"], m["rule"]) for m in w["matches"] if m["standing"] != "outweighed")
    return out


def why(e, conf, client):
    name = e["dest_ip"] if e["nfqd"]["seen_in"] == "address" else e["nfqd"]["name"]
    return json.loads(subprocess.run(
        [NFQCTL, "why", name, "-c", conf, "--json", "--client", client, "--at", e["timestamp"][:19] + "Z",
         "--port", f"{e['proto'].lower()}/{e['dest_port']}"],
        check=True, capture_output=True).stdout)


def compare(what, conf, mac=None):
    path = os.path.join(os.path.dirname(conf), "x.pcap")
    capture(path, mac and bytes.fromhex(mac.replace(":", "")))
    lines = subprocess.run([NFQD, "-r", path, "-c", conf, "--events", "all"], check=True,
                           capture_output=True).stdout.splitlines()
    events = [json.loads(line) for line in lines]
    bad = 0
    seen = set()
    for e in events:
        r, w = recorded(e), said(why(e, conf, mac or e["src_ip"]))
        seen.update((("policy", r["policy"]), ("exception", r["exception"]), ("action", r["would"])))
        if r != w:
            bad += 1
            print(f"# {e['timestamp']} {e['src_ip']} {e['nfqd'].get('name')} {e['proto']}/{e['dest_port']}\n"
                  f"#   record {r}\n#   why    {w}")
    check(events and not bad, f"{what}: {bad} of {len(events)} records say something else (seed {SEED})")
    return seen


with tempfile.TemporaryDirectory() as folder:
    days = lambda n: (datetime.date.today() + datetime.timedelta(days=n)).isoformat()  # noqa: E731
    conf = os.path.join(folder, "nfqd.yaml")
    with open(os.path.join(folder, "other.yaml"), "w") as f:
        f.write(PACK)
    with open(conf, "w") as f:
        f.write(CONF.format(rules=os.path.abspath(RULES), folder=folder, month=days(30), year=days(360)))
    seen = compare("clients by address", conf)
    wanted = {("policy", p) for p in ("by-port", "by-client", "by-time", "by-confidence", "by-product", "rest")} | \
        {("exception", "short"), ("exception", "one-client")} | {("action", a) for a in ("allow", "log", "reject", "drop")}
    check(wanted <= seen, "every policy, exception and action had its turn", wanted - seen)
    with open(conf) as f:
        text = "".join(line for line in f if "by-client" not in line and "one-client" not in line)
    with open(conf, "w") as f:
        f.write(text.replace("clients: [0.0.0.0/0], ", ""))
    compare("clients by MAC", conf, "02:00:00:00:00:03")
    compare("another MAC", conf, "02:00:00:00:00:04")
done_testing()

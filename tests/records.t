#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves of records: they keep to the shipped JSON Schema, which lets nothing else through; the fields that
EveBox, Elastic's Suricata module and Wazuh's rules read are there with the types they expect; an output
tells of clients and of packets what log: says, and nothing more."""
import base64
import copy
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "replay"), os.path.join(HERE, "lib")]
import make  # noqa: E402: packets
import schema  # noqa: E402
from tap import check, done_testing  # noqa: E402

NFQD = os.environ.get("NFQD", "build/nfqd")
folder = tempfile.TemporaryDirectory()
MAC = bytes.fromhex("020000000003")


def judge(packets, log="", options=(), mac=True):
    """the records of a capture as (line, record)"""
    pcap, conf = os.path.join(folder.name, "x.pcap"), os.path.join(folder.name, "nfqd.yaml")
    with open(pcap, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1 if mac else 101))
        for n, p in enumerate(packets):
            if mac:
                p = bytes(6) + MAC + make.u16(0x0800 if p[0] >> 4 == 4 else 0x86dd) + p
            f.write(struct.pack("<IIII", 1795435200, n, len(p), len(p)) + p)
    with open(conf, "w") as f:
        f.write(f"rules: [{os.path.abspath('rules/kaspersky.yaml')}]\n"
                f"log: {{{log}}}\n")
    p = subprocess.run([NFQD, "-r", pcap, "-c", conf, *options], capture_output=True, check=True, timeout=60)
    return [(line, json.loads(line)) for line in p.stdout.decode().splitlines()]


def output(**keys):
    return "outputs: [{type: file, path: '-', " + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}]"


S, O = make.S, make.O
SECRET = "s3cret"
HTTP = (f"POST /{SECRET}?{SECRET} HTTP/1.1\r\nCookie: {SECRET}\r\nHost: {S}\r\nX: {SECRET}\r\n"
        f"Content-Length: 6\r\n\r\n{SECRET}").encode()
HELLO = make.tls(S, pq=True, last=True)
ALL = make.udp(make.q(S)) + make.tcp(make.tls(S)) + make.tcp(HTTP, dport=80)

# ---- the schema ----

records = judge(ALL + make.udp(make.q(O)), options=["--events", "all"])
check(len(records) >= 4 and not list(schema.complaints(line for line, _ in records)), "records keep to the schema",
      list(schema.complaints(line for line, _ in records)))
alert = next(e for _, e in records if e["event_type"] == "alert" and "dns" in e)
plain = next(e for _, e in records if e["event_type"] == "dns")


def refused(what, base, change):
    e = copy.deepcopy(base)
    change(e)
    check(list(schema.complaints([json.dumps(e)])), f"the schema refuses {what}")


refused("a member that Suricata does not have", alert, lambda e: e.update(blocked=True))
refused("a member of nfqd that nobody wrote down", alert, lambda e: e["nfqd"].update(extra=1))
refused("a verdict in a capture's record", alert, lambda e: e.update(verdict={"action": "drop"}))
refused("a capture's record that says blocked", alert, lambda e: e["alert"].update(action="blocked"))
refused("an action of refusal in a capture's record", alert, lambda e: e["nfqd"].update(action="reject"))
refused("a record without its number", alert, lambda e: e["nfqd"].pop("seq"))
refused("a number beyond 53 bits", alert, lambda e: e.update(flow_id=1 << 53))
refused("an alert without a rule", alert, lambda e: e["nfqd"].update(rule=None))
refused("an alert on a name that no pack lists", plain, lambda e: e.update(alert=alert["alert"]))
refused("a record that is too long", alert, lambda e: e["nfqd"].update(policy="x" * 8192))
refused("a daemon's own record with a client", alert, lambda e: (e.update(event_type="nfqd"), e["nfqd"].update(kind="stats")))

# ---- readers ----

TYPES = {
    # event list, event page, and the download of packet and payload
    "EveBox": {"timestamp": str, "event_type": str, "host": str, "flow_id": int, "src_ip": str, "src_port": int,
               "dest_ip": str, "dest_port": int, "proto": str, "app_proto": str, "community_id": str,
               "alert.action": str, "alert.gid": int, "alert.signature_id": int, "alert.rev": int,
               "alert.signature": str, "alert.category": str, "alert.severity": int, "alert.metadata": dict,
               "dns.rrname": str, "dns.rrtype": str, "packet": str, "packet_info.linktype": int,
               "ether.src_mac": str, "pcap_filename": str},
    # the ingest pipeline of Filebeat's Suricata module, which knows the DNS object of version 2
    "Elastic": {"timestamp": str, "event_type": str, "flow_id": int, "src_ip": str, "src_port": int, "dest_ip": str,
                "dest_port": int, "proto": str, "app_proto": str, "community_id": str, "alert.signature_id": int,
                "alert.category": str, "alert.severity": int, "alert.signature": str, "alert.metadata": dict,
                "alert.action": str, "dns.type": str, "dns.id": int, "dns.rrname": str, "dns.rrtype": str},
    # rules 86600 and 86601, and what their descriptions quote
    "Wazuh": {"timestamp": str, "event_type": str, "src_ip": str, "dest_ip": str, "alert.action": str,
              "alert.signature": str, "alert.signature_id": int, "alert.category": str, "alert.severity": int},
}


def at(e, path):
    for key in path.split("."):
        e = e.get(key) if isinstance(e, dict) else None
    return e


old = judge(make.udp(make.q(S)), output(dns=2))[0][1]
for reader, types in TYPES.items():
    e = old if reader == "Elastic" else alert
    wrong = {k: at(e, k) for k, t in types.items() if type(at(e, k)) is not t}
    check(not wrong, f"{reader}: the fields it reads, with its types", wrong)
check(old["dns"] == {"version": 2, "type": "query", "id": old["dns"]["id"], "rrname": S, "rrtype": "A"},
      "dns: 2 is the object of Suricata before 8", old["dns"])
check(alert["dns"]["version"] == 3 and alert["dns"]["queries"] == [{"rrname": S, "rrtype": "A"}],
      "without the key it is version 3", alert["dns"])
check(not list(schema.complaints([json.dumps(old)])), "which the schema knows, too")
web = next(e for _, e in records if "http" in e)
check(web["http"] == {"hostname": S, "http_method": "POST"}, "http: host and method, no path", web["http"])

# ---- clients ----

two = make.udp(make.q(S), src="10.1.0.3") + make.udp(make.q(S), src="10.1.0.4")
hashed = judge(two + two, output(privacy="hashed-clients"))
pseudonyms = [(e["src_ip"], e["nfqd"]["client"]["id"]) for _, e in hashed]
check(len(set(pseudonyms)) == 1 and pseudonyms[0][0].startswith("fd6e:6671:") and
      pseudonyms[0][1].startswith("hash:"), "hashed-clients: one machine is one pseudonym, by its MAC", pseudonyms)
hashed = judge(two, output(privacy="hashed-clients"), mac=False)
check(len({e["src_ip"] for _, e in hashed}) == 2, "or by its address")
gone = [w for line, _ in hashed for w in ("10.1.0.", "02:00:00", "packet", "payload", "community_id") if w in line]
check(not gone, "and nothing else tells who it was", gone)
check(not list(schema.complaints(line for line, _ in hashed)), "which keeps to the schema")
again = judge(two, output(privacy="hashed-clients"), mac=False)
check(again[0][1]["src_ip"] != hashed[0][1]["src_ip"], "the key of a run over a capture is that run's alone")
counters = judge(ALL, output(privacy="counters"))
told = {key for _, e in counters for key in e} - {"timestamp", "host", "event_type", "alert", "nfqd"}
check(len(counters) >= 3 and not told, "counters: which rule, when, and what was done", told)
told = {key for _, e in counters for key in e["nfqd"]} & {"name", "client", "learned_from"}
check(not told, "not who, and not what was asked", told)
check(not list(schema.complaints(line for line, _ in counters)), "which keeps to the schema")

# ---- packets ----

sent = make.udp(make.q(S)) + make.udp(make.q(O))
got = judge(sent, options=["--events", "all"])
check(base64.b64decode(got[0][1]["packet"]) == sent[0], "the deciding packet is in the record, from its IP header on")
check("packet" not in got[1][1], "none is kept of a name that no pack lists")
check(not any("packet" in e for _, e in judge(ALL, "packets: none")), "packets: none")
allowed = make.udp(make.q("www.kaspersky.com"))
check("packet" not in judge(allowed)[0][1] and "packet" in judge(allowed, "packets: matches")[0][1],
      "packets: refused and matches differ by what is allowed")

for what, packets in (("in one segment", make.tcp(HTTP, dport=80)),
                      ("in segments of 40 bytes", make.tcp(*make.every(40, HTTP), dport=80))):
    line, e = judge(packets)[0]
    kept = b"".join(base64.b64decode(e[k]) for k in ("packet", "payload") if k in e)
    check(SECRET.encode() not in kept and f"Host: {S}".encode() in kept and b"POST /XX" in kept,
          f"HTTP {what}: method and host, no path, cookie or body", kept)
    check(e["nfqd"]["cut"], "and it says how much there was")

e = judge(make.tcp(*make.cut(HELLO, 1400)))[0][1]
check(base64.b64decode(e["payload"]) == HELLO, "a hello in two segments is in payload")
check(len(base64.b64decode(e["packet"])) == 40 and e["nfqd"]["cut"]["packet"] > 40,
      "of the packet that completed it there are the headers")
# what a mail client says before its hello is not what was refused
mail = b"EHLO secret.test\r\nSTARTTLS\r\n"
hello = make.tls(S)
e = judge(make.tcp(mail + hello, dport=25))[0][1]
kept = base64.b64decode(e.get("packet", "")) + base64.b64decode(e.get("payload", ""))
check(b"secret" not in kept and hello in kept, "STARTTLS: the hello alone", kept)
long = judge(make.tcp(make.tls(S) + b"\x17\x03\x03" + bytes(20000)))[0]
check(len(long[0]) < 8192 and not list(schema.complaints([long[0]])), "a long segment: below 8 kB", len(long[0]))
odd = judge(make.udp(make.q(".".join(["\1" * 50] * 4) + "." + S)))
check(odd and len(odd[0][0]) < 8192, "a name of odd bytes: below 8 kB", [len(line) for line, _ in odd])

# ---- judged again ----

NFQCTL = os.environ.get("NFQCTL", "build/nfqctl")


def replay(records, *more):
    p = subprocess.run([NFQCTL, "replay", "--json", *more, "-"], input="\n".join(records).encode(), capture_output=True,
                       timeout=60)
    return p.returncode, [json.loads(line)["result"] for line in p.stdout.decode().splitlines()]


rules = ["--rules", "rules/kaspersky.yaml"]
line, e = judge(make.udp(make.q(S)))[0]
check(replay([line], *rules) == (0, ["agree"]), "replay: the same bytes, the same rules: agree")
check(replay([line.replace("s07.upd", "s08.upd")], *rules) == (1, ["differ"]), "another name than the bytes say: differ")
check(replay([line.replace(e["nfqd"]["rule"], "other-rule")], *rules) == (1, ["differ"]), "another rule: differ")
check(replay([line.replace('"would":"reject"', '"would":"log"')], *rules) == (1, ["differ"]), "another action: differ")
check(replay([line], "--rules", "rules/canary.yaml") == (1, ["differ"]), "by rules that do not list the name: differ")
check(replay([line], "--kept", folder.name) == (0, ["not reproducible"]), "rules that nobody kept: not reproducible")
check(replay([judge(make.udp(make.q(S)), "packets: none")[0][0]], *rules) == (0, ["not reproducible"]),
      "no packet: not reproducible")
check(replay(["no record"], *rules) == (1, []) and replay([], *rules) == (0, []), "a file without a record: a failure; an empty one is none")
p = subprocess.run([NFQCTL, "replay", *rules, "-", "/"], input=f"cut\n{line}\nhere", capture_output=True, text=True, timeout=60)
check(p.returncode == 1 and p.stderr.splitlines() == ["nfqctl: -:1: not JSON; 2 such lines of 3 are passed over",
      "nfqctl: /: Is a directory", "1 agree, 0 differ, 0 are not reproducible"],
      "what is no record is one line for a file, with the number of the first; a folder is no file", p.stderr)
done_testing()

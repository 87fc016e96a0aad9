# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in the router: nothing, the bare consumer, nfqd, or a forwarding resolver with the same list."""
import os
import re
import subprocess

import lab as lab_module
from lab import DAEMON_CPU, RESOLVER, SERVER, wait_for


PACK = """\
pack: bench
vendor: Bench
title: A generated list
version: 2026.11.23.1
expires: 2099-12-31
license: CC0-1.0
sources:
  - {{id: self, title: generated, url: "https://bench.invalid/", publisher: bench, retrieved: 2026-11-23}}
stages:
  - {{id: always, from: 1970-01-01T00:00:00Z, action: block, basis: site, citation: "for measuring only"}}
entries:
  - id: listed
    {names}
    category: web
    sources: [self]
    confidence: high
    side_effect: none
    remark: generated
nets:
{nets}
tests:
  match: [{first}]
  no_match: [{other}]
"""
CONF = """\
rules: [{pack}]
inspect:
  inside: lan0
  answers: {answers}
  queues: {queues}
  prefilter: {prefilter}
heartbeat: off
control: {folder}/control.sock
state: {folder}/state.json
sightings: {{storage: {storage}}}
log:
  events: {events}
  client-names: false
  outputs: [{{type: file, path: {folder}/eve.json}}]
"""


def names(n):
    """Suffixes, each its own registered name: nothing shortens the list."""
    return [f"ads{i}.list-{i * 2654435761 % 2**32:08x}.example" for i in range(n)]


def nets(n):
    """Networks that nobody here is in, at many prefix lengths; above 256, single addresses with gaps between them."""
    if n > 256:
        return "\n".join(f"  - {{cidr: 198.{18 + (i >> 15)}.{i >> 7 & 255}.{i * 2 & 255}/32, category: web, sources: [self], "
                         "confidence: high, side_effect: none}" for i in range(n))
    return "\n".join(f"  - {{cidr: 198.{18 + i % 2}.{i}.0/{24 + i % 9}, category: web, sources: [self], confidence: high, "
                     "side_effect: none}" for i in range(n))


def write_pack(folder, path, n, n_nets):
    listed = names(n)
    if n > 1000:
        with open(f"{folder}/bench-{n}.txt", "w", encoding="ascii") as f:
            f.writelines(f".{name}\n" for name in listed)
        where = f"names-file: bench-{n}.txt"
    else:
        where = "names: [" + ", ".join(f".{name}" for name in listed) + "]"
    with open(path, "w", encoding="ascii") as f:
        f.write(PACK.format(names=where, nets=nets(n_nets), first=listed[0], other="unlisted.example"))


def track(lab):
    lab.inside("router", "nft", "-f", "-", input="table inet track {\nchain unused {\nct state new accept\n}\n}\n")


def untrack(lab):
    lab.inside("router", "nft", "delete", "table", "inet", "track")


class System:
    """pid is the process in the router; None: there is none."""
    name, resolver, pid, patience = "no firewall", SERVER, None, 20

    def __init__(self, lab, folder, build):
        self.lab, self.folder, self.build = lab, folder, build
        self.log = f"{folder}/{type(self).__name__.lower()}.log"

    def says(self, text):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {lab_module.read(self.log)[-400:]}")
        return text in lab_module.read(self.log)

    def spawn(self, *command, ready=None):
        self.process = self.lab.spawn("router", *command, cpu=DAEMON_CPU, log=self.log)
        self.pid = self.process.pid
        wait_for(f"{self.name} ready", lambda: self.says(ready) if ready else self.answers(), self.patience)

    def answers(self):
        self.says("")
        question = self.lab.command("client", "dig", "+time=1", "+tries=1", "unlisted.example", "@" + RESOLVER)
        return b"NOERROR" in subprocess.run(question, check=False, capture_output=True).stdout

    def start(self):
        pass

    def stop(self):
        if self.pid:
            self.lab.end(self.process)


class Tracked(System):
    """The kernel tracks connections, as behind every NAT and every firewall with a state, and no rule looks at them: a
    chain without a hook is enough."""
    name = "no firewall, tracked"

    def start(self):
        track(self.lab)

    def stop(self):
        untrack(self.lab)


class Bare(System):
    name = "bare consumer"
    queues = 1

    def start(self):
        self.spawn(f"{self.build}/bench/bare", self.queues, "lan0", ready="bare: ready")


class OneRule(System):
    """The bare consumer behind one rule of its own, where nfqd meets questions, too: what a queue cannot cost less than.
    The rule fits both loads: a question, or a segment as long as a hello."""
    name = "bare, one rule"
    rules = (("udp", "--dport", "53"), ("tcp", "--dport", "443", "-m", "length", "--length", "100:1500"))
    proto = "udp"

    def rule(self, action):
        words = next(r for r in self.rules if r[0] == self.proto)
        self.lab.inside("router", "iptables-legacy", "-w", "-t", "mangle", action, "PREROUTING", "-i", "lan0", "-p", *words,
                        "-j", "NFQUEUE", "--queue-num", "0", "--queue-bypass")

    def start(self):
        self.spawn(f"{self.build}/bench/bare", 1, ready="bare: ready")
        self.rule("-A")

    def stop(self):
        self.rule("-D")
        super().stop()


class OneTcpRule(OneRule):
    proto = "tcp"


class OneRuleTracked(OneRule):
    name = "bare, one rule, tracked"

    def start(self):
        track(self.lab)
        super().start()

    def stop(self):
        super().stop()
        untrack(self.lab)


class OneTcpRuleTracked(OneRuleTracked):
    proto = "tcp"


class Nfqd(System):
    name = "nfqd"
    answers = "false"       # as the bare consumer, which sees questions only
    queues = 1
    listed, networks = 1000, 200
    events, storage, prefilter = "matches", "disk", "off"

    def configure(self):
        pack = f"{self.folder}/bench-{self.listed}-{self.networks}.yaml"
        if not os.path.exists(pack):
            write_pack(self.folder, pack, self.listed, self.networks)
        with open(f"{self.folder}/nfqd.yaml", "w", encoding="ascii") as f:
            f.write(CONF.format(pack=pack, answers=self.answers, queues=self.queues, events=self.events,
                                storage=self.storage, prefilter=self.prefilter, folder=self.folder))

    def start(self):
        self.configure()
        self.spawn(f"{self.build}/nfqd", "-c", f"{self.folder}/nfqd.yaml", ready="nfqd: ready")

    def ctl(self, *words):
        return self.lab.inside("router", f"{self.build}/nfqctl", "-s", f"{self.folder}/control.sock", *words)


class NfqdAnswers(Nfqd):
    name, answers = "nfqd with answers", "true"


class NfqdUnseen(Nfqd):
    name, storage = "nfqd without sightings", "off"


class NfqdPrefilter(NfqdAnswers):
    name, prefilter = "nfqd with answers and prefilter", "bpf"


class NfqdRecords(Nfqd):
    name, events = "nfqd, every question recorded", "all"


class NfqdNetworks(Nfqd):
    name, networks, patience = "nfqd, 50,000 networks", 50_000, 60     # seconds, mostly libnftables and the kernel


class Beside(Nfqd):
    """Another build: an earlier version, or a change that is being tried. Keys that 0.1.0 did not have are left out where
    that build refuses them."""
    name, path = "another build", ""
    later = ("  prefilter:", "heartbeat:", "sightings:", "  events:")

    def configure(self):
        super().configure()
        conf = f"{self.folder}/nfqd.yaml"
        if subprocess.run([self.path, "-t", "-c", conf], check=False, capture_output=True).returncode == 0:
            return
        with open(conf, encoding="ascii") as f:
            lines = [line for line in f if not line.startswith(self.later)]
        with open(conf, "w", encoding="ascii") as f:
            f.writelines(lines)

    def start(self):
        self.configure()
        self.spawn(self.path, "-c", f"{self.folder}/nfqd.yaml", ready="nfqd: ready")


class Dnsmasq(System):
    name, resolver = "dnsmasq", RESOLVER

    def start(self):
        path = f"{self.folder}/dnsmasq.conf"
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"address=/{name}/\n" for name in names(Nfqd.listed))
        self.spawn("dnsmasq", "--keep-in-foreground", f"--conf-file={path}", "--no-hosts", "--no-resolv", "--user=root",
                   "--pid-file=", "--cache-size=0", "--dns-forward-max=1000", f"--server={SERVER}")


class Unbound(System):
    name, resolver = "unbound", RESOLVER

    def start(self):
        path = f"{self.folder}/unbound.conf"
        with open(path, "w", encoding="ascii") as f:
            f.write(f"""server:
  directory: "{self.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  msg-cache-size: 0
  rrset-cache-size: 0
  interface: {RESOLVER}
  access-control: 0.0.0.0/0 allow
  local-zone: "example." nodefault
""")
            f.writelines(f'  local-zone: "{name}." always_nxdomain\n' for name in names(Nfqd.listed))
            f.write(f'forward-zone:\n  name: "."\n  forward-addr: {SERVER}\n')
        self.spawn("unbound", "-d", "-c", path)


def dnsperf_result(text):
    rate = re.search(r"Queries per second:\s+([\d.]+)", text)
    lost = re.search(r"Queries lost:\s+(\d+)", text)
    refused = re.search(r"NXDOMAIN \d+ \(([\d.]+)%\)", text)
    return {"qps": float(rate[1]), "lost": int(lost[1]), "refused_percent": float(refused[1]) if refused else 0.0}

# SPDX-License-Identifier: GPL-2.0-or-later
"""Three network namespaces of our own (client - router - server), the processes in them, and what they cost.

client 10.1.0.2 (and 10.1.0.16-47) -- 10.1.0.1 router 10.2.0.1 -- 10.2.0.2, 10.2.0.3 server
"""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

SERVER, SINK, RESOLVER = "10.2.0.2", "10.2.0.3", "10.1.0.1"
CLIENTS = [f"10.1.0.{i}" for i in range(16, 48)]
LOAD_CPU, DAEMON_CPU = "0", "1"


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more).stdout


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s for: {what}")
        time.sleep(0.002)


class Lab:
    """Several may stand side by side, each with a number of its own."""

    def __init__(self, number=0):
        self.netns = {side: f"nfqd-bench-{os.getpid()}-{number}-{side}" for side in ("client", "router", "server")}
        self.processes = []

    def up(self):
        for name in self.netns.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.link("client", "eth0", "10.1.0.2/24", "router", "lan0", "10.1.0.1/24")
        self.link("router", "wan0", "10.2.0.1/24", "server", "eth0", "10.2.0.2/24")
        run("ip", "-n", self.netns["server"], "addr", "add", SINK + "/24", "dev", "eth0")
        for address in CLIENTS:
            run("ip", "-n", self.netns["client"], "addr", "add", address + "/24", "dev", "eth0")
        run("ip", "-n", self.netns["client"], "route", "add", "default", "via", "10.1.0.1")
        run("ip", "-n", self.netns["server"], "route", "add", "default", "via", "10.2.0.1")
        self.inside("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        return self

    def link(self, a, a_if, a_addr, b, b_if, b_addr):
        a, b = self.netns[a], self.netns[b]
        run("ip", "link", "add", a_if, "netns", a, "type", "veth", "peer", "name", b_if, "netns", b)
        for side, name, address in ((a, a_if, a_addr), (b, b_if, b_addr)):
            run("ip", "-n", side, "addr", "add", address, "dev", name)
            run("ip", "-n", side, "link", "set", name, "up")

    def command(self, side, *command, cpu=None):
        pin = ["taskset", "-c", cpu] if cpu else []
        return ["ip", "netns", "exec", self.netns[side], *pin, *map(str, command)]

    def inside(self, side, *command, cpu=None, **more):
        return run(*self.command(side, *command, cpu=cpu), **more)

    def load(self, side, *command, cpu=LOAD_CPU, **more):
        """Runs a load generator: what it printed, a JSON object."""
        return json.loads(self.inside(side, *command, cpu=cpu, **more))

    def spawn(self, side, *command, cpu=None, log=None):
        out = open(log, "w", encoding="utf-8") if log else subprocess.DEVNULL
        process = subprocess.Popen(self.command(side, *command, cpu=cpu), stdout=out, stderr=out,
                                   stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def down(self):
        for process in list(self.processes):
            self.end(process)
        for name in self.netns.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


# ---- what a process costs; ip netns exec and taskset become the program: its pid is the one we know ----

def read(path):
    try:
        with open(path, encoding="ascii") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def family(pid):
    pids = [pid]
    for child in read(f"/proc/{pid}/task/{pid}/children").split():
        pids += family(int(child))
    return pids


def cpu_us(pid):
    """Of a process and its children, all threads; a child that ends meanwhile, as one that changes the table,
    counts for nothing."""
    total = 0
    for p in family(pid):
        for task in Path(f"/proc/{p}/task").glob("*/schedstat"):
            total += int((read(task) or "0").split()[0])
    return total / 1e3


def resident_kb(pid):
    """Memory of their own, and what they share counted once (proportional set size)."""
    total = 0
    for p in family(pid):
        for line in read(f"/proc/{p}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def queues(pid):
    """(queued, waiting, lost) of all queues of the namespace that pid lives in."""
    rows = [list(map(int, line.split())) for line in read(f"/proc/{pid}/net/netfilter/nfnetlink_queue").splitlines()]
    return sum(r[7] for r in rows), sum(r[2] for r in rows), sum(r[5] + r[6] for r in rows)

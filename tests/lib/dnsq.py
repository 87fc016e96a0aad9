#!/usr/bin/env python3
"""Asks a resolver exactly as told; one JSON line per question on stdout.

  dnsq.py udp SERVER NAME[/TYPE]...            back to back from one socket
        --source-port PORT                     its port, and that of every connection over TCP
        --segments                             the first alone; then all others in one packet that the kernel cuts
                                               (UDP_SEGMENT), the OPT of whose first seems to hold the rest
  dnsq.py tcp SERVER NAME[/TYPE]...            all questions in one segment, unless
        --split 1,2,20                         cut there (offsets into the whole stream)
        --each-split                           one connection per cut; prints a summary
Each line: name, type, rcode, ms, answers, and if present ede {code, text}, soa_ttl,
opt {size, do, options}, ad. rcode is "timeout" when nobody answered, "closed" when
the connection ended first; over TCP such questions are asked again on a new
connection, as RFC 7766 6.2.4 tells clients to ("connection" counts them).
"""
import argparse
import json
import random
import select
import socket
import struct
import sys
import time

TYPES = {"A": 1, "NS": 2, "TXT": 16, "AAAA": 28, "HTTPS": 65, "ANY": 255}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
SOA, OPT, EDE = 6, 41, 15
UDP_SEGMENT = 103


def query(ident, name, kind, edns):
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split("."))
    opt = struct.pack("!BHHLH", 0, OPT, 1232, 0, 12) + struct.pack("!HH", 10, 8) + random.randbytes(8)
    return (struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 1 if edns else 0) +
            labels + b"\0" + struct.pack("!HH", TYPES[kind], 1) + (opt if edns else b""))


def skip_name(data, at):
    while data[at]:
        if data[at] >= 0xC0:
            return at + 2
        at += 1 + data[at]
    return at + 1


def parse_opt(size, ttl, rdata):
    opt = {"size": size, "do": bool(ttl & 0x8000), "options": []}
    ede = None
    while rdata:
        code, length = struct.unpack("!HH", rdata[:4])
        value, rdata = rdata[4:4 + length], rdata[4 + length:]
        opt["options"].append(code)
        if code == EDE:
            ede = {"code": struct.unpack("!H", value[:2])[0], "text": value[2:].decode()}
    return opt, ede


def parse(data):
    ident, flags, qd, an, ns, ar = struct.unpack("!HHHHHH", data[:12])
    out = {"id": ident, "rcode": RCODES.get(flags & 15, str(flags & 15)), "answers": an}
    if flags & 0x20:
        out["ad"] = True
    at = 12
    for _ in range(qd):
        at = skip_name(data, at) + 4
    for _ in range(an + ns + ar):
        at = skip_name(data, at)
        kind, cls, ttl, length = struct.unpack("!HHLH", data[at:at + 10])
        rdata, at = data[at + 10:at + 10 + length], at + 10 + length
        if kind == SOA:
            out["soa_ttl"] = ttl
        if kind == OPT:
            out["opt"], ede = parse_opt(cls, ttl, rdata)
            if ede:
                out["ede"] = ede
    if at != len(data):
        out["trailing_bytes"] = len(data) - at
    return out


def family(server):
    return socket.AF_INET6 if ":" in server else socket.AF_INET


def connected(args, kind):
    """A socket that may use its port again at once: closing it tells the server by a reset."""
    s = socket.socket(family(args.server), kind)
    s.settimeout(args.timeout)
    if args.source_port:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.SOCK_STREAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.bind(("", args.source_port))
    s.connect((args.server, args.port))
    return s


def send_segments(s, questions):
    """The first is answered before the others leave: kernels from 6.11 on drop what they cut of a new flow."""
    (ident, (name, kind)), *others = questions.items()
    s.send(query(ident, name, kind, False))
    s.recv(65535, socket.MSG_PEEK)
    plain = [query(i, n, k, False) for i, (n, k) in others]
    size = max(map(len, plain)) + 11
    room = [size - 11 - len(q) + (i == 0) * size * (len(plain) - 1) for i, q in enumerate(plain)]
    whole = [q[:10] + b"\0\1" + q[12:] + struct.pack("!BHHLH", 0, OPT, 1232, 0, n) for q, n in zip(plain, room)]
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    s.send(b"".join(q.ljust(size, b"\0") for q in whole))


def ask_udp(args, questions):
    """A dict per question, in the order asked; one socket for all."""
    results, start, late = {}, {}, []
    with connected(args, socket.SOCK_DGRAM) as s:
        start = dict.fromkeys(questions, time.monotonic())
        if args.segments:
            send_segments(s, questions)
        for ident, (name, kind) in questions.items() if not args.segments else ():
            start[ident] = time.monotonic()
            s.send(query(ident, name, kind, not args.no_edns))
        deadline = time.monotonic() + args.timeout
        while len(results) < len(questions) and (left := deadline - time.monotonic()) > 0:
            if not select.select([s], [], [], left)[0]:
                break
            try:
                answer = parse(s.recv(65535))
            except ConnectionRefusedError:      # an ICMP error: of no question in particular
                late.append("refused")
                continue
            ident = answer.pop("id")
            if ident in results:
                answer["doubled"] = True
            results[ident] = {**answer, "ms": round((time.monotonic() - start[ident]) * 1000, 2)}
    none = {"rcode": late[0] if late else "timeout"}
    return [results.get(i, none) for i in questions]


def tcp_once(args, questions, cuts):
    """Answers by id of one connection, and how it ended."""
    stream = b"".join(struct.pack("!H", len(q)) + q for q in (
        query(i, n, k, not args.no_edns) for i, (n, k) in questions.items()))
    edges = sorted({0, len(stream), *(c for c in cuts if 0 < c < len(stream))})
    answers, buffer, start = {}, b"", time.monotonic()
    try:
        with connected(args, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start = time.monotonic()  # a full backlog of the server's is not ours to judge
            for a, b in zip(edges, edges[1:]):
                s.send(stream[a:b])
            while len(answers) < len(questions):
                data = s.recv(65535)
                if not data:
                    return answers, "closed"
                buffer += data
                while len(buffer) >= 2 and len(buffer) >= 2 + (n := struct.unpack("!H", buffer[:2])[0]):
                    answer, buffer = parse(buffer[2:2 + n]), buffer[2 + n:]
                    answer["ms"] = round((time.monotonic() - start) * 1000, 2)
                    answers[answer.pop("id")] = answer
    except TimeoutError:
        return answers, "timeout"
    except OSError:
        return answers, "closed"
    return answers, None


def ask_tcp(args, questions, cuts):
    left, results = dict(questions), {}
    for connection in range(1, len(questions) + 1):
        answers, end = tcp_once(args, left, cuts if connection == 1 else [])
        for ident, answer in answers.items():
            results[ident] = {**answer, "connection": connection}
            left.pop(ident, None)
        if not left or not answers:
            break
    return [results.get(i, {"rcode": end or "timeout"}) for i in questions]


def each_split(args, questions):
    """Every place the stream can be cut in two: which rcodes came, how long the slowest took."""
    length = sum(2 + len(query(0, n, k, not args.no_edns)) for n, k in questions.values())
    rcodes, worst, bad = [], 0, []
    for cut in range(1, length):
        answers = ask_tcp(args, questions, [cut])
        got = [a["rcode"] for a in answers]
        rcodes.append(" ".join(got))
        worst = max([worst, *(a.get("ms", 0) for a in answers)])
        if "timeout" in got or "closed" in got:
            bad.append(cut)
            if len(bad) == 3:
                break
    print(json.dumps({"cases": len(rcodes), "rcodes": sorted(set(rcodes)), "worst_ms": worst, "bad": bad}))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("proto", choices=("udp", "tcp"))
    p.add_argument("server")
    p.add_argument("names", nargs="+")
    p.add_argument("--port", type=int, default=53)
    p.add_argument("--source-port", type=int)
    p.add_argument("--no-edns", action="store_true")
    p.add_argument("--segments", action="store_true")
    p.add_argument("--split", default="")
    p.add_argument("--each-split", action="store_true")
    p.add_argument("--timeout", type=float, default=2)
    args = p.parse_args()
    ids = random.sample(range(1, 65536), len(args.names))
    questions = {}
    for ident, text in zip(ids, args.names):
        name, _, kind = text.partition("/")
        questions[ident] = (name, kind or "A")
    if args.each_split:
        return each_split(args, questions)
    cuts = [int(c) for c in args.split.split(",") if c]
    answers = ask_udp(args, questions) if args.proto == "udp" else ask_tcp(args, questions, cuts)
    for (name, kind), answer in zip(questions.values(), answers):
        print(json.dumps({"name": name, "type": kind, **answer}))


main()

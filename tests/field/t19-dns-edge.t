#!/bin/bash
# Stands for DNS as it is met in the field (0x20, UPDATE and NOTIFY, mDNS bits, odd EDNS, cookies, TSIG, rubbish):
# a listed name is refused in every form that a resolver would answer, and nothing else is.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

ask() {
	in_client "$LAB_PYTHON" - <<-'END'
		import socket, struct
		LISTED = b"s07.upd.kaspersky.com"
		def name(s): return b"".join(bytes([len(x)]) + x for x in s.split(b".") if x) + b"\0"
		def opt(data=b"", size=1232, version=0, flags=0):
		    return b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, flags, len(data)) + data
		def q(qname=LISTED, kind=1, qclass=1, flags=0x100, count=1, body=None, opts=(), tail=b"", more=0):
		    body = name(qname) + struct.pack("!HH", kind, qclass) if body is None else body
		    return struct.pack("!6H", 0x1234, flags, count, 0, 0, len(opts) + more) + body + b"".join(opts) + tail
		def two(a, b): return b"".join(name(x) + b"\0\1\0\1" for x in (a, b))
		REFUSED = [
		    ("mixed case", q(b"S07.uPd.KASpersky.COM")), ("a name below", q(b"x." + LISTED)),
		    *((f"type {k}", q(kind=k)) for k in (255, 65, 64, 16, 6, 2, 12, 10, 28)),
		    ("class CH", q(qclass=3)), ("the mDNS bit in the class", q(qclass=0x8001)), ("Z", q(flags=0x140)),
		    ("CD and AD", q(flags=0x130)), ("TC", q(flags=0x300)), ("no RD", q(flags=0)),
		    ("two questions", q(count=2, body=two(b"www.example.org", LISTED))),
		    ("two questions, listed first", q(count=2, body=two(LISTED, b"www.example.org"))),
		    ("DO", q(opts=[opt(flags=0x8000)])), ("EDNS version 1", q(kind=99, opts=[opt(version=1)])),
		    ("EDNS size 0", q(opts=[opt(size=0)])), ("NSID", q(opts=[opt(b"\0\3\0\0")])),
		    ("padding", q(opts=[opt(struct.pack("!HH", 12, 300) + bytes(300))])),
		    ("a cookie", q(opts=[opt(struct.pack("!HH", 10, 8) + b"ABCDEFGH")])), ("two OPT", q(opts=[opt(), opt()])),
		    ("bytes behind", q(tail=b"xxxxxxxx")), ("a record that is not there", q(more=1)),
		    ("TSIG", q(tail=name(b"key") + struct.pack("!HHIH", 250, 255, 0, 16) + bytes(16), more=1)),
		]
		PASSED = [("a suffix", q(LISTED + b".lan")), ("another zone", q(b"www.kaspersky.com.example.org")),
		          ("DS", q(kind=43)), ("an unlisted name", q(b"www.example.org")), ("the root", q(body=b"\0\0\2\0\1"))]
		def ask(m):
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		        s.settimeout(2)
		        s.connect(("8.8.8.8", 53))
		        s.send(m)
		        try:
		            d = s.recv(4096)
		        except TimeoutError:
		            return "timeout"
		        if d[:2] != m[:2] or d[12:12 + 20] != m[12:12 + 20] and d[3] & 15 == 3:
		            return "not an answer to this"
		        return "refused" if d[3] & 15 == 3 else "passed"
		for want, rows in (("refused", REFUSED), ("passed", PASSED)):
		    for what, m in rows:
		        if (got := ask(m)) != want:
		            print(f"{what}: {got}")
		print(len(REFUSED) + len(PASSED))
	END
}

field_up masquerade
field_nfqd
is "$(ask)" 34 "every form is refused or passes as it should"
nfqd_stop
is "$(jq -c . "$lab_dir/eve.json" | wc -l)" "$(wc -l <"$lab_dir/eve.json")" "every record is JSON"
done_testing

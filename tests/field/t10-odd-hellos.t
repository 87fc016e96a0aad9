#!/bin/bash
# Stands for curl#2056, sniproxy#294, mptcp#480 and post-quantum hellos: data in the SYN, MPTCP, hellos up to 17 kB,
# low source ports, and bytes in front of the hello (t10).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

try() {	# a line for each that came out otherwise; then how many were tried
	in_client "$LAB_PYTHON" - "${LAB_WEB[4]}" "${LAB_WEB[6]}" "$1" <<-'PY'
		import sys
		sys.path.insert(0, "tests/lib")
		from wild import LISTED, MPTCP, OPEN, tcp
		host4, host6, listed = sys.argv[1:]
		early = "data" if listed == "data" else "refused"	# the SYN itself is
		ways = {"in the SYN": {"fast": True}, "in the SYN, with a cookie": {"fast": True}, "MPTCP": {"proto": MPTCP},
		        "source port 53": {"src": 53}, "source port 443": {"src": 443}}
		ways |= {f"{n} bytes": {"size": n} for n in (1800, 4000, 9000, 15000, 16000)}
		odd = {"a change of cipher": b"\x14\3\3\0\1\1", "an alert": b"\x15\3\1\0\2\1\x70", "an empty record": b"\x16\3\1\0\0",
		       "a NUL": b"\0", "an empty line": b"\r\n", "PROXY": b"PROXY TCP4 10.0.0.1 10.0.0.2 1 443\r\n"}
		n = 0
		for host in host4, host6:
		    for way, how in ways.items():
		        for name, wanted in (LISTED, listed), (OPEN, "data"):
		            n += 1
		            if "fast" in how and name == LISTED:
		                wanted = early
		            if (got := tcp(name, host, **how)) != wanted:
		                print(f"{way}, {host}, {name}: {got}")
		for what, before in odd.items():
		    n += 1
		    got = tcp(LISTED, host4, before=before)
		    if listed == "reset" and got != "reset":
		        print(f"{what} in front: {got}")
		print(n)
	PY
}

field_up plain
lab_sysctl "$LAB_SERVER" net.ipv4.tcp_fastopen=0x603
lab_sysctl "$LAB_CLIENT" net.ipv4.tcp_fastopen=0x5
is "$(try data)" 46 "without nfqd all of them arrive"
field_nfqd
is "$(try reset)" 46 "with it listed names are reset and unlisted ones answered"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

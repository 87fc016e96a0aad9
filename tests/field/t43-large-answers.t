#!/bin/bash
# Stands for the "reducing DNS packet size" threads of dnsmasq and Pi-hole, and DnsClient.NET#52: a UDP answer of
# 3.5 KB in fragments passes whole.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

field_up masquerade
ip -n "$LAB_SERVER" addr add 192.0.2.53/32 dev lo
lab_spawn large "$LAB_SERVER" "$LAB_PYTHON" -u -c '
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.53", 53))
print("ready")
while True:
    q, client = s.recvfrom(4096)
    end = q.index(b"\0", 12) + 5
    text = b"\xc0\x0c\0\x10\0\1\0\0\0\x1e" + struct.pack("!H", 241) + b"\xf0" + b"x" * 240
    s.sendto(q[:2] + b"\x81\x80\0\1\0\x0e\0\0\0\0" + q[12:end] + text * 14, client)'
lab_wait 5 grep -q ready "$lab_dir/large.log" || bail "no resolver"
large() { in_client dig +bufsize=4096 +time=2 +tries=1 TXT "$1" @192.0.2.53 | awk '/MSG SIZE/ { s = $NF } /status:/ { r = $6 } END { print (r ? r : "TIMEOUT,") " " s }'; }
without=$(large $FIELD_OPEN)
like "$without" '^NOERROR, 35' "without nfqd"
field_nfqd
is "$(large $FIELD_OPEN)" "$without" "an unlisted name: the same"
like "$(large $FIELD_DNS)" '^NXDOMAIN, ' "a listed one: refused"
is "$(nfqd_ctl status --json | jq '[.counters | to_entries[] | select(.key | startswith("fault_")).value] | add // 0')" 0 "no packet was beyond judging"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

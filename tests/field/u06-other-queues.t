#!/bin/bash
# Stands for NethServer#6205, zentyal#357 and regit's "Building a Suricata compliant ruleset": an IPS with a queue
# of its own in filter and mangle, before nfqd's start and after (u06, u15).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

# Another program's queue: accepts everything.
cat_ips() {
	cat <<-'END'
		import socket, struct, sys
		def message(kind, queue, *attributes):
		    body = struct.pack("!BBH", 0, 0, queue)
		    for number, data in attributes:
		        body += struct.pack("=HH", 4 + len(data), number) + data + bytes(-len(data) % 4)
		    return struct.pack("=IHHII", 16 + len(body), 3 << 8 | kind, 1, 0, 0) + body
		s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
		for queue in 7, 9:
		    s.send(message(2, queue, (1, struct.pack("!BBH", 1, 0, 0))))
		    s.send(message(2, queue, (2, struct.pack("!IB", 0xffff, 2))))
		print("ready", flush=True)
		while True:
		    data = s.recv(1 << 17)
		    if struct.unpack("=H", data[4:6])[0] == 3 << 8:
		        queue, packet = struct.unpack("!H", data[18:20])[0], data[24:28]
		        s.send(message(1, queue, (2, struct.pack("!I", 1) + packet)))
	END
}
tried() { is "$(field_dns $FIELD_DNS 8.8.8.8) $(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4)" "NXDOMAIN reset fine" "$1"; }

field_up masquerade
cat_ips >"$lab_dir/ips.py"
lab_spawn ips "$LAB_ROUTER" "$LAB_PYTHON" "$lab_dir/ips.py"
lab_wait 5 grep -q ready "$lab_dir/ips.log" || bail "the other program does not start"
xt mangle -A FORWARD -j NFQUEUE --queue-num 7
xt mangle -A PREROUTING -p udp -j NFQUEUE --queue-num 9 --queue-bypass
field_nfqd
tried "in mangle before nfqd's start"
xt mangle -F
for rule in "filter -I FORWARD" "mangle -I FORWARD" "mangle -A FORWARD" "mangle -I PREROUTING"; do
	# shellcheck disable=SC2086	# words
	xt $rule -j NFQUEUE --queue-num 7
	tried "$rule, after nfqd's start"
	xt "${rule%% *}" -F
done
lab_end ips
xt mangle -I PREROUTING -p udp -j NFQUEUE --queue-num 9 --queue-bypass
tried "a rule with --queue-bypass whose program does not run"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

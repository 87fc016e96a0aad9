#!/bin/bash
# Proves: connections without a name are refused by their address: learned from DNS answers for listed
# names, looked up in the background, or a pack's network; on any port and protocol; but not where an
# unlisted name lives, too. Encrypted DNS is recognised by its port and by its resolver's name. What
# nfqd asks by itself is not judged.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig kdig dnsmasq unbound nginx jq openssl curl "$LAB_PYTHON"

AUTH=198.51.100.53
declare -A AT=([learned]=203.0.113.71 [cdn]=203.0.113.72 [looked]=203.0.113.73 [net]=203.0.113.74 [port]=203.0.113.75)
LOOKED6=2001:db8:80::73

pack() {	# the lab's own
	cat <<-END
		pack: lab
		vendor: Lab
		title: Addresses
		version: 2026.11.23.1
		license: CC0-1.0
		sources: [{id: s, title: t, url: "https://example.com/", publisher: p, retrieved: 2026-11-23}]
		stages: [{id: now, from: 2020-01-01, action: block, basis: site, citation: test}]
		entries:
		  - {id: learned, names: [.tracked.example], category: telemetry, sources: [s], confidence: high, side_effect: none}
		  - {id: looked, names: [looked.example], category: telemetry, sources: [s], confidence: high, side_effect: none}
		  - {id: free, names: [free.example], category: web, sources: [s], confidence: high, action: allow, side_effect: none}
		  - {id: doh, names: [dns.google], category: resolver, sources: [s], confidence: high, side_effect: none}
		nets:
		  - {cidr: ${AT[net]}/32, category: update, sources: [s], confidence: high, side_effect: none}
		  - {cidr: ${AT[port]}/32, ports: [udp/5000], category: update, sources: [s], confidence: high, side_effect: none}
		  - {cidr: ${AT[port]}/32, id: more, ports: [any/5000, udp/5001], category: update, sources: [s], confidence: high, side_effect: none}
		  - {cidr: ${AT[port]}/32, id: some, ports: [udp/4990-5001, udp/5010-5019], category: update, sources: [s], confidence: high, side_effect: none}
		  - {cidr: 0.0.0.0/0, ports: [tcp/853, udp/853], category: resolver, sources: [s], confidence: high, side_effect: none}
		tests: {match: [looked.example, dns.google, a.tracked.example], no_match: [example], allow: [free.example]}
	END
}

conf() {	# questions are let go, so that something can be learned from their answers
	cat <<-END
		rules: [$lab_dir/lab.yaml]
		$1
		policies:
		  - {name: questions, match: {packs: [lab], ports: [any/53]}, action: log}
		  - {name: all, match: {packs: [lab]}, action: reject}
		heartbeat: off
		control: $lab_dir/control.sock
		state: $lab_dir/state.json
		log: {outputs: [{type: file, path: $lab_dir/eve.json}]}
	END
}

start() {	# [LINE OF CONFIGURATION]
	rm -f "$lab_dir/eve.json"
	conf "${1:-}" >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -d -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}

lab_servers() {
	local a listen=()

	for a in "$AUTH" "${AT[@]}"; do
		ip -n "$LAB_SERVER" addr add "$a/32" dev lo
	done
	ip -n "$LAB_SERVER" -6 addr add $LOOKED6/128 dev lo nodad
	for a in "${AT[@]}" $LOOKED6; do
		listen+=("count:7001@$a" "datagram:5000@$a" "datagram:5002@$a" "datagram:5015@$a" "datagram:853@$a")
	done
	lab_spawn servers "$LAB_SERVER" "$LAB_PYTHON" tests/lib/sink.py "${listen[@]}"
	lab_spawn auth "$LAB_SERVER" dnsmasq -k -C /dev/null --no-resolv --no-hosts -u root --pid-file= --local-ttl=300 \
		--bind-interfaces --except-interface=none --listen-address=$AUTH \
		--host-record="a.tracked.example,${AT[learned]}" --host-record="b.tracked.example,${AT[cdn]}" \
		--host-record="cdn.example,${AT[cdn]}" --host-record="looked.example,${AT[looked]},$LOOKED6"
	lab_wait 5 lab_listens "$LAB_SERVER" u 5000 && lab_wait 5 knows
}
knows() { [ "$(in_client dig +short +time=1 +tries=1 cdn.example @$AUTH)" = "${AT[cdn]}" ]; }

# reach tcp|udp ADDRESS PORT: "answer", "refused" or "silence"
reach() {
	in_client "$LAB_PYTHON" - "$@" <<-'END'
		import socket, sys
		kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
		s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
		                  socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
		s.settimeout(3)
		try:
		    s.connect((address, port))
		    s.sendall(b"\1\2\3\4" * 2000 if kind == "tcp" else b"\1\2\3\4")
		    if kind == "tcp":
		        s.shutdown(socket.SHUT_WR)
		    print("answer" if s.recv(100) else "end")
		except TimeoutError:
		    print("silence")
		except OSError: # which one depends on when the reset is noticed
		    print("refused")
	END
}
both() { echo "$(reach tcp "$1" 7001) $(reach udp "$1" 5000)"; }	# ADDRESS
resolved() { in_client dig +short +time=2 +tries=1 "$1" @$AUTH; }
# an address and the rule that asks for it come in two transactions
watched() { in_router nft list set inet nfqd "watched$1" | grep -q "$2" && in_router nft list table inet nfqd | grep -q "@watched$1"; }

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
# one client hears more refusals here than the kernel sends to a host at once
lab_sysctl "$LAB_ROUTER" net.ipv4.icmp_ratelimit=0
lab_servers || bail "servers: $(cat "$lab_dir/auth.log" "$lab_dir/servers.log")"
pack >"$lab_dir/lab.yaml"

# ---- learned from answers ----

start
is "$(both "${AT[learned]}")" "answer answer" "before anything was learned: TCP and UDP pass"
is "$(resolved a.tracked.example)" "${AT[learned]}" "a listed name is answered where the policy only records"
ok "the kernel is told of its address" lab_wait 2 watched 4 "${AT[learned]}"
is "$(both "${AT[learned]}")" "refused refused" "then TCP and UDP without a name are refused"
lab_wait 2 nfqd_has_records 3
is "$(jq -rs '.[1:3][] | [.src_ip, .dest_ip, .proto, .dest_port, .nfqd.seen_in, .nfqd.learned_from, .nfqd.rule] | join(" ")' <(nfqd_log))" \
	"${LAB_HOST[4]} ${AT[learned]} TCP 7001 address a.tracked.example learned
${LAB_HOST[4]} ${AT[learned]} UDP 5000 address a.tracked.example learned" "their records say for what name"
is "$(resolved b.tracked.example)" "${AT[cdn]}" "a listed name at an address"
ok "is watched" lab_wait 2 watched 4 "${AT[cdn]}"
is "$(resolved cdn.example)" "${AT[cdn]}" "an unlisted name at the same one"
is "$(both "${AT[cdn]}")" "answer answer" "shows that it is shared: both pass"

# ---- packs' networks ----

is "$(both "${AT[net]}")" "refused refused" "a pack's network: TCP and UDP are refused"
in_client "$LAB_PYTHON" -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_RAW, 132).sendto(bytes(12), (sys.argv[1], 0))' "${AT[net]}"
one_sctp() { [ "$(nfqd_records '.proto == "132" and .nfqd.action == "reject"')" = 1 ]; }
ok "SCTP, too" lab_wait 2 one_sctp
sed -i "s,${AT[net]}/32,192.0.2.0/24," "$lab_dir/lab.yaml"
ok "reload without that network" nfqd_ctl reload
is "$(both "${AT[net]}")" "answer answer" "both pass"

# ---- a network for some ports ----

is "$(reach udp "${AT[port]}" 5000) $(reach udp "${AT[port]}" 5001)" "refused refused" "a network's UDP ports are refused"
is "$(nfqd_records ".dest_ip == \"${AT[port]}\" and .nfqd.seen_in == \"address\"")" 2 "and recorded"
before=$(nfqd_queued)
is "$(reach udp "${AT[port]}" 5002)" answer "another port of it passes"
is "$(nfqd_queued)" "$before" "without the queue"
is "$(in_router nft list set inet nfqd net_ports4 | tr -d ' \t\n' | grep -o '{${AT[port]}[^}]*}\|elements={[^}]*}' | grep -o '[0-9-]*$\|\.50[0-9-]*\|\.49[0-9-]*' | sort -u | paste -sd' ')" \
	".4990-4999 .5000 .5001 .5010-5019" "of ranges that overlap the kernel gets each port once"
is "$(reach udp "${AT[port]}" 5015)" refused "a port inside a range is refused"

# ---- encrypted DNS ----

encrypted() { in_client kdig +timeout=2 +retry=0 "$@" www.example.org A 2>&1 | grep -c 'status: NOERROR'; }
is "$(encrypted +tls @8.8.8.8)" 0 "DNS over TLS is refused by its port"
is "$(encrypted +tls +tls-sni=unlisted.example @8.8.8.8)" 0 "also beside an unlisted name"
is "$(reach udp "${AT[cdn]}" 853)" refused "DNS over QUIC, by its port"
is "$(encrypted +https +tls-sni=dns.google @8.8.8.8)" 0 "DNS over HTTPS by the resolver's name"
is "$(encrypted +https +tls-sni=unlisted.example @8.8.8.8)" 1 "HTTPS to an unlisted resolver passes"
is "$(encrypted @8.8.8.8)" 1 "plain DNS passes"
is "$(jq -r 'select(.dest_port == 853) | [.proto, .nfqd.seen_in, .nfqd.rule, .nfqd.category] | join(" ")' "$lab_dir/eve.json" | sort | uniq -c | sed 's/ *//')" \
	"2 TCP address net-0.0.0.0/0 resolver
1 UDP address net-0.0.0.0/0 resolver" "the records of port 853"
is "$(nfqd_records '.dest_port == 443 and .nfqd.name == "dns.google" and .nfqd.action == "reject"')" 1 "and of the resolver's name"
nfqd_stop
is $? 0 "nfqd stops"
is "$(nfqd_left)" "" "and leaves nothing behind"

# ---- looked up in the background ----

start "resolve: {server: $AUTH, interval: 1m, jitter: 10s}"
ok "the addresses of an exact name are watched before anybody asks (IPv4)" lab_wait 5 watched 4 "${AT[looked]}"
ok "and IPv6" lab_wait 5 watched 6 $LOOKED6
is "$(nfqd_records)" 0 "nfqd's own questions make no records"
is "$(both "${AT[looked]}")" "refused refused" "TCP and UDP by bare address are refused (IPv4)"
is "$(both $LOOKED6)" "refused refused" "TCP and UDP by bare address are refused (IPv6)"
ok "and recorded" lab_wait 2 nfqd_has_records 4 '.nfqd.learned_from == "looked.example"'
sed -i 's/looked.example/a.tracked.example/' "$lab_dir/lab.yaml"
ok "reload with another name" nfqd_ctl reload
ok "that one is looked up now" lab_wait 5 watched 4 "${AT[learned]}"
is "$(both "${AT[looked]}")" "answer answer" "the one before is nobody's any more"
nfqd_stop
is $? 0 "nfqd stops"
lab_down
done_testing

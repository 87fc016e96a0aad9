#!/bin/bash
# Proves: a connection to a listed name is refused at once, at both ends, on any port, whether it
# is TLS or plain HTTP, routed or the router's own, and however its first bytes are cut into segments.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

TLS=activation-v2.kaspersky.com HTTP=dnl-03.geo.kaspersky.com OPEN=www.example.org

# curl's exit status and whether it was quick: "56 true". 35 and 56 are "reset", 28 would be "waited in vain"
fetch() {	# in_client|in_router VERSION SCHEME NAME PORT
	local web start status

	web=$(lab_bracket "${LAB_WEB[$2]}")
	start=$(lab_now_ms)
	"$1" curl -sk -o /dev/null --max-time 3 --resolve "$4:$5:$web" "$3://$4:$5/"
	status=$?
	echo "$status $([ $(($(lab_now_ms) - start)) -lt 700 ] && echo true)"
}

refused() {	# in_client|in_router VERSION SCHEME NAME PORT TITLE
	like "$(fetch "$1" "$2" "$3" "$4" "$5")" '^(35|56) true$' "$6: $3 to $4, port $5: refused at once"
}

# Connections that the server still holds open, but for those an earlier row complained of.
open_there() { in_server ss -Htn state established 'sport != :53' | awk '{ print $3, $4 }' | grep -vxFf "$lab_dir/stale"; }
no_connection_left() { [ -z "$(open_there)" ]; }

server_told() {
	ok "$1: the server was told" lab_wait 2 no_connection_left && return
	diag "still open there:" "$(open_there | head -n 3)"
	open_there >>"$lab_dir/stale"
}

hello() { in_client "$LAB_PYTHON" tests/lib/hello.py "${LAB_WEB[$1]}" "${@:2}"; }

# Runs hello.py; every case must be reset, in sequence, soon, leave exactly one record
# and nothing open on the server.
cut_up() {	# VERSION TITLE ARGUMENTS...
	local before cases got

	before=$(nfqd_records)
	got=$(hello "$1" --expect reset "${@:3}")
	is "$(jq -c '[.reset == .cases, .rst_seq_ok, .worst_ms < 700, .bad]' <<<"$got")" '[true,true,true,[]]' "$2: reset"
	cases=$(jq .cases <<<"$got")
	lab_wait 2 nfqd_has_records $((before + cases))
	is $(($(nfqd_records) - before)) "$cases" "$2: one record for each of $cases"
	server_told "$2"
}

segments() {	# VERSION TITLE
	local v=$1 t=$2 seed decoy urgent

	cut_up "$v" "$t, one piece, twice" --sni $TLS --order twice --again
	cut_up "$v" "$t, TLS 1.2" --sni $TLS --tls12
	cut_up "$v" "$t, in the handshake's ACK" --sni $TLS --in-ack
	cut_up "$v" "$t, in the handshake's ACK, cut inside the name" --sni $TLS --in-ack --cut name
	cut_up "$v" "$t, cut in two anywhere" --sni $TLS --each-cut
	cut_up "$v" "$t, cut in two anywhere, reversed" --sni $TLS --each-cut --order reverse
	cut_up "$v" "$t, 1.8 kB" --sni $TLS --size 1800
	cut_up "$v" "$t, 1.8 kB, name at the end, reversed" --sni $TLS --size 1800 --sni-last --order reverse
	cut_up "$v" "$t, 1.8 kB, cut inside the name" --sni $TLS --size 1800 --cut name
	cut_up "$v" "$t, 1.8 kB, name at the end, cut anywhere" --sni $TLS --size 1800 --sni-last --each-cut --step 11
	cut_up "$v" "$t, 1.8 kB, name at the end, cut anywhere, reversed" --sni $TLS --size 1800 --sni-last --each-cut --step 13 --order reverse
	cut_up "$v" "$t, a byte each" --sni $TLS --every 1
	cut_up "$v" "$t, 5 bytes each, reversed" --sni $TLS --every 5 --order reverse
	for seed in 1 2 3; do
		cut_up "$v" "$t, 3 bytes each, shuffled ($seed)" --sni $TLS --every 3 --order shuffle --seed $seed
	done
	for decoy in checksum sequence md5 no-ack syn; do
		cut_up "$v" "$t, a decoy in front ($decoy)" --sni $TLS --decoy $decoy
	done
	cut_up "$v" "$t, a decoy in front, cut inside the name" --sni $TLS --decoy checksum --cut name
	cut_up "$v" "$t, a decoy in the SYN, cut inside the name" --sni $TLS --decoy syn --cut name
	for urgent in 1 60 200; do
		cut_up "$v" "$t, an urgent byte at $urgent" --sni $TLS --urgent $urgent
		cut_up "$v" "$t, an urgent byte at $urgent, 50 bytes each" --sni $TLS --urgent $urgent --every 50
	done
	cut_up "$v" "$t, plain HTTP, an urgent byte" --http $HTTP --port 80 --urgent 25
	cut_up "$v" "$t, port 8443, cut inside the name" --sni $TLS --port 8443 --cut name
	cut_up "$v" "$t, plain HTTP, cut in two anywhere" --http $HTTP --port 80 --each-cut
	cut_up "$v" "$t, plain HTTP, cut in two anywhere, reversed" --http $HTTP --port 80 --each-cut --order reverse
}

# The same shapes with an unlisted name arrive and are answered by nginx.
segments_open() {	# VERSION TITLE
	local order

	for order in in reverse shuffle; do
		is "$(hello "$1" --expect data --sni $OPEN --every 40 --order $order | jq -c '[.first, .bad]')" '[["handshake"],[]]' \
			"$2, unlisted, 40 bytes each, $order: answered"
	done
	is "$(hello "$1" --expect data --sni $OPEN --size 1800 --in-ack | jq -c '[.first, .bad]')" '[["handshake"],[]]' \
		"$2, unlisted, 1.8 kB, begun in the handshake's ACK: answered"
	is "$(hello "$1" --expect data --http $OPEN --port 80 --each-cut --step 7 --order reverse | jq -c '[.first, .bad]')" '[["http"],[]]' \
		"$2, unlisted, plain HTTP, reversed: answered"
	is "$(hello "$1" --expect data --sni $OPEN --decoy checksum --decoy-sni other.test --every 90 | jq -c '[.first, .bad]')" '[["handshake"],[]]' \
		"$2, unlisted, a decoy in front: answered"
	is "$(hello "$1" --expect data --sni $OPEN --decoy syn --decoy-sni other.test --cut name | jq -c '[.first, .bad]')" '[["handshake"],[]]' \
		"$2, unlisted, a decoy in the SYN: answered"
	is "$(hello "$1" --expect data --sni $OPEN --urgent 60 | jq -c '[.first, .bad]')" '[["handshake"],[]]' \
		"$2, unlisted, an urgent byte: the server does not see it, and answers"
}

same_port() {	# VERSION TITLE: a block is the connection's, not the port's
	hello "$1" --sni $TLS --src-port 61000 --expect reset >/dev/null
	is "$(hello "$1" --sni $OPEN --src-port 61000 --expect data | jq -c '.bad')" '[]' "$2: an innocent one from the same port right after is answered"
	is "$(hello "$1" --sni $TLS --src-port 61000 --expect reset | jq -c '.bad')" '[]' "$2: and a listed one once more is refused"
	is "$(hello "$1" --http $OPEN --port 80 --src-port 61001 --expect data | jq -c .bad)" '[]' "$2: an innocent request"
	is "$(hello "$1" --http $HTTP --port 80 --src-port 61001 --cut name --expect reset | jq -c .bad)" '[]' \
		"$2: a listed one on a new connection from the same port, in two segments, is refused"
}

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	: >"$lab_dir/stale"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		for who in in_client in_router; do
			t="$nat, IPv$v, ${who#in_}"
			refused $who $v https $TLS 443 "$t"
			refused $who $v https $TLS 8443 "$t"
			refused $who $v http $HTTP 80 "$t"
			refused $who $v http $HTTP 8080 "$t"
			refused $who $v https blocked.nfqd.invalid 443 "$t"
			server_told "$t"
		done
		segments $v "$nat, IPv$v"
		segments_open $v "$nat, IPv$v"
		same_port $v "$nat, IPv$v"
		is "$(in_router "$LAB_PYTHON" tests/lib/hello.py "${LAB_WEB[$v]}" --socket --sni $TLS --each-cut --step 5 --expect reset |
			jq -c '[.bad, .worst_ms < 700]')" '[[],true]' "$nat, IPv$v, router: cut in two anywhere: reset"
		server_told "$nat, IPv$v, router"
	done
	is "$(nfqd_records '.nfqd.action != "reject" or .alert.action != "blocked" or (.nfqd.seen_in | IN("tls.sni", "http.host") | not)')" 0 \
		"$nat: every record says rejected, blocked, tls.sni or http.host"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

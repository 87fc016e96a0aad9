#!/bin/bash
# Proves: a listed name is NXDOMAIN with "why" (EDE 15) whatever resolver is asked and however the
# network bends port 53; an unlisted name is answered from the same socket; no client address leaks.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx tcpdump jq openssl "$LAB_PYTHON"

LISTED=s07.upd.kaspersky.com OPEN=www.example.org
LOCAL=s08.upd.kaspersky.com	# the router's own questions: else they could be taken for relayed ones
asked=0		# listed questions so far: one record each
PORTS=20000	# from here on; a socket each: what comes from one port again is the same question

resolvers() {	# VERSION client|router
	local own=${LAB_OWN[$1]}

	[ "$2" = client ] || own=$([ "$1" = 4 ] && echo 127.0.0.1 || echo ::1)
	echo "$own ${LAB_PUBLIC[$1]}"
}

# listed in_client|in_router VERSION client|router NAME +tcp|+notcp: prints the resolvers where it went wrong
listed() {
	local r out any=0.0.0.0 port=$((PORTS + asked))

	[ "$2" = 4 ] || any=::
	for r in $(resolvers "$2" "$3"); do
		out=$("$1" dig -b "$any#$((port++))" +time=2 +tries=1 "$5" "$4" "@$r")
		[[ $out == *'status: NXDOMAIN'* && $out == *'EDE: 15 (Blocked)'*kaspersky/kav-update-mirrors* ]] ||
			echo "$r: $(grep -oE 'status: \w+|EDE.*|no servers.*' <<<"$out" | tr '\n' ' ')"
	done
}

same_socket() {	# in_client|in_router VERSION client|router NAME
	local r port=$((PORTS + asked + 12))

	for r in $(resolvers "$2" "$3"); do
		"$1" "$LAB_PYTHON" tests/lib/dnsq.py udp "$r" --source-port $((port++)) \
			"$4" $OPEN $OPEN/AAAA "$4/AAAA" other.$OPEN |
			jq -sr --arg r "$r" --arg want "NXDOMAIN NOERROR NOERROR NXDOMAIN NOERROR" '
				select(([.[].rcode] | join(" ")) != $want or any(.[]; .doubled or .ms > 900)) |
				"\($r): " + (map("\(.rcode) \(.ms // "-")") | join(", "))'
	done
}

client_questions() {	# VERSION TITLE
	is "$(listed in_client "$1" client $LISTED +notcp)" "" "$2: client, UDP, six resolvers: NXDOMAIN with EDE 15"
	is "$(listed in_client "$1" client $LISTED +tcp)" "" "$2: client, TCP, six resolvers: NXDOMAIN with EDE 15"
	is "$(same_socket in_client "$1" client $LISTED)" "" "$2: client, one socket: listed A and AAAA refused, unlisted answered"
	asked=$((asked + 24))
}

router_questions() {	# VERSION TITLE
	is "$(listed in_router "$1" router $LOCAL +notcp)" "" "$2: the router itself, UDP: NXDOMAIN with EDE 15"
	is "$(listed in_router "$1" router $LOCAL +tcp)" "" "$2: the router itself, TCP: NXDOMAIN with EDE 15"
	is "$(same_socket in_router "$1" router $LOCAL)" "" "$2: the router itself, one socket: unlisted is answered"
	asked=$((asked + 24))
}

dnsq() { in_client "$LAB_PYTHON" tests/lib/dnsq.py "$@"; }

answer_details() {	# RESOLVER TITLE
	is "$(dnsq udp "$1" $LISTED --source-port $((PORTS + asked)) | jq -c '[.rcode, .answers, .soa_ttl, .ad, .opt.size, .opt.options, .ede.code, .trailing_bytes]')" \
		'["NXDOMAIN",0,60,null,1232,[15],15,null]' "$2: the answer: SOA 60 s, our own OPT with nothing but EDE, no AD"
	like "$(in_client dig +time=2 +tries=1 -p 5300 $LISTED "@$1")" 'NXDOMAIN.*EDE: 15' "$2: UDP, another port"
	like "$(in_client dig +time=2 +tries=1 +tcp -p 7000 $LISTED "@$1")" 'connection reset' "$2: TCP, another port: reset"
	is "$(dnsq udp "$1" $LISTED --source-port $((PORTS + asked + 1)) --no-edns | jq -c '[.rcode, .soa_ttl, .opt]')" \
		'["NXDOMAIN",60,null]' "$2: no OPT for a question without one"
	asked=$((asked + 4))
}

no_connection_left() { [ -z "$(in_server ss -Htn state established 'sport = :53')" ]; }

tcp_details() {	# RESOLVER TITLE
	local got

	got=$(dnsq tcp "$1" $LISTED --each-split)
	is "$(jq -c '[.rcodes, .bad, .worst_ms < 900]' <<<"$got")" '[["NXDOMAIN"],[],true]' \
		"$2: TCP: the length prefix and the question cut anywhere"
	asked=$((asked + $(jq .cases <<<"$got")))
	ok "$2: TCP: the resolver was told of every refused connection" lab_wait 2 no_connection_left
	got=$(dnsq tcp "$1" $OPEN --each-split)
	is "$(jq -c '[.rcodes, .bad, .worst_ms < 900]' <<<"$got")" '[["NOERROR"],[],true]' "$2: TCP: likewise an unlisted one"
	is "$(dnsq tcp "$1" $OPEN $LISTED other.$OPEN $OPEN/AAAA | jq -s -c 'map(.rcode)')" \
		'["NOERROR","NXDOMAIN","NOERROR","NOERROR"]' "$2: TCP: four questions in one segment, the second listed"
	is "$(dnsq tcp "$1" $OPEN $OPEN/AAAA other.$OPEN | jq -s -c 'map([.rcode, .connection])')" \
		'[["NOERROR",1],["NOERROR",1],["NOERROR",1]]' "$2: TCP: three unlisted questions share one connection"
	asked=$((asked + 1))
}

same_port() {	# RESOLVER TITLE: a connection is told from the one before it on its port
	local got

	got=$(for name in $LISTED $OPEN $LISTED $OPEN $LISTED; do dnsq tcp "$1" $name --source-port $PORTS; done)
	is "$(jq -rs 'map(.rcode) | join(" ")' <<<"$got")" "NXDOMAIN NOERROR NXDOMAIN NOERROR NXDOMAIN" \
		"$2: TCP: five connections from one port"
	got=$(dnsq tcp "$1" $LISTED --each-split --source-port $PORTS)
	is "$(jq -c '[.rcodes, .bad]' <<<"$got")" '[["NXDOMAIN"],[]]' "$2: TCP: from one port, cut anywhere"
	asked=$((asked + 3 + $(jq .cases <<<"$got")))
}

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	asked=0
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	lab_capture || bail "no capture"
	for v in 4 6; do
		for way in none redirect dnat; do
			lab_port53 $way
			client_questions $v "$nat, IPv$v, port 53 $way"
		done
		lab_port53 none
		router_questions $v "$nat, IPv$v"
		answer_details "${LAB_PUBLIC[$v]%% *}" "$nat, IPv$v"
		tcp_details "${LAB_PUBLIC[$v]##* }" "$nat, IPv$v"
		same_port "${LAB_PUBLIC[$v]##* }" "$nat, IPv$v"
	done
	for who in in_client in_router; do
		is "$($who "$LAB_PYTHON" tests/lib/dnsq.py udp 8.8.8.8 $OPEN other.$OPEN "$([ $who = in_client ] && echo $LISTED || echo $LOCAL)" --segments | jq -rs '[.[].rcode] | "\(.[0]) \(.[2])"')" \
			"NOERROR NXDOMAIN" "$nat, $who: a listed question behind another one in one packet of several (UDP_SEGMENT)"
		((asked++))
	done
	like "$(in_client dig +time=2 +tries=1 blocked.nfqd.invalid @8.8.8.8)" 'NXDOMAIN.*EDE: 15 .Blocked.' "$nat: the canary"
	lab_capture_end
	if [ $nat = masquerade ]; then
		ok "$nat: the capture saw the router's own packets" [ "$(lab_captured src host "${LAB_WAN[4]}" and port 53)" -gt 0 ]
		is "$(lab_captured src net 10.1.0.0/24 or src net fd00:1::/64)" 0 "$nat: no packet left with a LAN source address"
	fi
	# the same question on its way through the router's own resolver is no second sighting
	lab_wait 3 nfqd_has_records $asked '.dns and .nfqd.pack == "kaspersky" and (.nfqd.relayed | not)'
	is "$(nfqd_records '.dns and .nfqd.pack == "kaspersky" and (.nfqd.relayed | not)')" $asked \
		"$nat: one record for each listed question"
	is "$(nfqd_records '.nfqd.pack == "kaspersky" and (.nfqd.action != "reject" or .alert.action != "blocked" or .nfqd.seen_in != "dns.query")')" 0 \
		"$nat: every record says rejected, blocked, dns.query"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

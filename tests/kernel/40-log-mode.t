#!/bin/bash
# Proves: with `mode: log` nothing is touched, and the records say what would have happened.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

fetch() {	# in_client|in_router VERSION SCHEME NAME
	local port=443

	[ "$3" = https ] || port=80
	"$1" curl -sk -o /dev/null --max-time 3 -w '%{http_code}' \
		--resolve "$4:$port:$(lab_bracket "${LAB_WEB[$2]}")" "$3://$4/"
}

resolve() { "$1" dig +short +time=2 +tries=1 "$4" "$2.upd.kaspersky.com" "@$3"; }	# WHO LABEL RESOLVER +tcp|+notcp

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	nfqd_start log || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		for who in in_client in_router; do
			t="$nat, IPv$v, ${who#in_}" name=s0$v-${who#in_}	# one name each: nothing looks relayed
			is "$(resolve $who "$name" "${LAB_PUBLIC[$v]%% *}" +notcp)" "${LAB_WEB[4]}" "$t: a listed name is answered over UDP"
			is "$(resolve $who "$name" "${LAB_PUBLIC[$v]##* }" +tcp)" "${LAB_WEB[4]}" "$t: and over TCP"
			is "$(fetch $who $v https activation-v2.kaspersky.com)" 200 "$t: TLS to a listed name passes"
			is "$(fetch $who $v http dnl-03.geo.kaspersky.com)" 200 "$t: plain HTTP to a listed name passes"
			is "$(fetch $who $v https www.example.org)" 200 "$t: an unlisted name passes"
		done
		is "$(in_client "$LAB_PYTHON" tests/lib/hello.py "${LAB_WEB[$v]}" --sni activation-v2.kaspersky.com --cut name --order reverse --expect data |
			jq -c '[.first, .bad]')" '[["handshake"],[]]' "$nat, IPv$v: a hello cut in the name and reversed passes"
	done
	# the router's own resolver asks on: the same question twice, counted once
	is "$(resolve in_client s10 "${LAB_OWN[4]}" +notcp)" "${LAB_WEB[4]}" "$nat: the router's own resolver answers"
	lab_wait 2 nfqd_has_records 20
	is "$(jq -s -c 'map(select(.nfqd.relayed | not) | .nfqd.seen_in) | group_by(.) | map([.[0], length])' <(nfqd_log))" \
		'[["dns.query",9],["http.host",4],["tls.sni",6]]' "$nat: one record for each attempt"
	is "$(jq -c 'select(.nfqd.relayed) | [.nfqd.name, .src_ip]' "$lab_dir/eve.json")" \
		"[\"s10.upd.kaspersky.com\",\"${LAB_WAN[4]}\"]" "$nat: what the resolver passed on says so"
	is "$(nfqd_records '.nfqd.action == "log" and .nfqd.would == "reject" and .alert.action == "allowed"')" 20 \
		"$nat: every record: action log, would reject, allowed"
	is "$(nfqd_records '.verdict.action == "drop" or .nfqd.sent')" 0 "$nat: no record of a verdict against anything"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

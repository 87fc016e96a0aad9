#!/bin/bash
# Proves: an innocent question whose answer leads to a listed name (CNAME, HTTPS) is refused as if it
# had been asked for that name: whatever resolver answers, over UDP and TCP, routed, redirected or
# by the router itself; the record names the client that asked; other answers pass untouched.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

declare -A AUTH=([4]=198.51.100.53 [6]=2001:db8:53::53)	# a resolver that tells aliases
LISTED=s07.upd.kaspersky.com

# The resolver with aliases, and in the place of the router's own one that asks it.
resolvers() {
	ip -n "$LAB_SERVER" addr add "${AUTH[4]}/32" dev lo
	ip -n "$LAB_SERVER" -6 addr add "${AUTH[6]}/128" dev lo nodad
	lab_spawn auth "$LAB_SERVER" dnsmasq -k -C /dev/null --no-resolv --no-hosts -u root --pid-file= \
		--bind-interfaces --except-interface=none --listen-address="${AUTH[4]},${AUTH[6]}" \
		--host-record="$LISTED,${LAB_WEB[4]},${LAB_WEB[6]}" --host-record="open.example,${LAB_WEB[4]},${LAB_WEB[6]}" \
		--cname="alias.example,$LISTED" --cname="unnamed.kaspersky.com,$LISTED" --cname=away.example,open.example \
		--dns-rr=https.example,65,"0001$(printf '\3s07\3upd\11kaspersky\3com\0' | od -An -tx1 -v | tr -d ' \n')"
	lab_end own-dns TERM
	lab_spawn own-dns "$LAB_ROUTER" dnsmasq -k -C /dev/null --no-resolv --no-hosts -u root --pid-file= \
		--bind-interfaces --except-interface=none --cache-size="$1" \
		--listen-address="${LAB_OWN[4]},${LAB_OWN[6]},127.0.0.1,::1" --server="${AUTH[4]}"
	lab_wait 5 lab_listens "$LAB_SERVER" t 53 && lab_wait 5 answers_open
}
answers_open() { [ "$(in_client dig +short +time=1 +tries=1 open.example "@${LAB_OWN[4]}")" = "${LAB_WEB[4]}" ]; }

# ask in_client|in_router RESOLVER NAME [TYPE [OPTION...]]: what dig says of it, in a few words
ask() {
	local out

	out=$("$1" dig +time=2 +tries=1 "${@:5}" "$3" "${4:-A}" "@$2")
	grep -oE 'status: \w+|EDE: 15 \(Blocked\)|kaspersky/[a-z-]+|reset|timed out|no servers' <<<"$out" | uniq | tr '\n' ' '
}
refused='status: NXDOMAIN EDE: 15 (Blocked) kaspersky/kav-update-mirrors '

row() { jq -rs '.[-1] | [.src_ip, .dest_ip, .dest_port, .proto, .dns.rrname, .nfqd.seen_in, .nfqd.name, .nfqd.sent] | join(" ")' <(nfqd_log); }

client_asks() {	# VERSION RESOLVER TITLE
	local t=$3 before

	before=$(nfqd_records)
	is "$(ask in_client "$2" alias.example A +notcp)" "$refused" "$t: an alias of a listed name, UDP"
	ok "$t: one record" lab_wait 2 nfqd_has_records $((before + 1))
	is "$(row)" "${LAB_HOST[$1]} $2 53 UDP alias.example dns.cname $LISTED dns-nxdomain" "$t: it names the client, its question and the target"
	is "$(ask in_client "$2" alias.example AAAA +notcp +noedns)" "status: NXDOMAIN " "$t: without EDNS"
	is "$(ask in_client "$2" alias.example A +tcp)" "$refused" "$t: TCP"
	is "$(ask in_client "$2" https.example HTTPS +notcp)" "$refused" "$t: the target of an HTTPS record"
	is "$(ask in_client "$2" open.example A +notcp)" "status: NOERROR " "$t: another name, UDP"
	is "$(ask in_client "$2" away.example A +tcp)" "status: NOERROR " "$t: an alias of another name, TCP"
	lab_wait 2 nfqd_has_records $((before + 4))
	is "$(nfqd_records)" $((before + 4)) "$t: four records of four refusals"
}

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	resolvers 150 || bail "resolvers: $(cat "$lab_dir/auth.log")"
	rm -f "$lab_dir/eve.json"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		client_asks $v "${AUTH[$v]}" "$nat, IPv$v, a resolver outside"
		client_asks $v "${LAB_OWN[$v]}" "$nat, IPv$v, the router's own"
		is "$(ask in_router "${AUTH[$v]}" alias.example TXT)" "$refused" "$nat, IPv$v: the router's own question"
		is "$(ask in_router "${AUTH[$v]}" alias.example TXT +tcp)" "$refused" "$nat, IPv$v: and over TCP"
	done
	lab_port53 redirect
	is "$(ask in_client 1.1.1.1 alias.example A +notcp)" "$refused" "$nat, redirected: from the address that was asked, UDP"
	is "$(ask in_client 1.1.1.1 alias.example A +tcp)" "$refused" "$nat, redirected: TCP"
	is "$(ask in_client 1.1.1.1 open.example A +tcp)" "status: NOERROR " "$nat, redirected: another name"
	lab_port53 none
	is "$(nfqd_records '.nfqd.seen_in == "dns.query"')" 0 "$nat: no record of a question, none was listed"
	is "$(ask in_client "${AUTH[4]}" unnamed.kaspersky.com)" "$refused" "$nat: a question that is only recorded does not open what it leads to"
	is "$(jq -rs '.[-2:][] | [.nfqd.seen_in, .nfqd.name, .nfqd.action] | join(" ")' <(nfqd_log))" "dns.query unnamed.kaspersky.com log
dns.cname $LISTED reject" "$nat: both are on record"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	is "$(nfqd_left)" "" "$nat: and leaves nothing behind"
	lab_down
done

# ---- switched off ----

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
resolvers 0 || bail "resolvers: $(cat "$lab_dir/auth.log")"
nfqd_conf >"$lab_dir/nfqd.yaml"
echo 'inspect: {answers: false}' >>"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_says_ready
is "$(ask in_client "${AUTH[4]}" alias.example)" "status: NOERROR " "answers: false: the alias is answered"
nfqd_stop

# ---- fail: closed, and nobody there ----

nfqd_start enforce closed || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
worker=$(nfqd_worker)
lab_end nfqd KILL 2>/dev/null
gone() { ! kill -0 "$1"; }
lab_wait 5 gone "$worker"
nfqd_is_forgotten
is "$(ask in_router "${AUTH[4]}" open.example)" "timed out no servers " "fail closed, nfqd dead: no answer comes in"
is "$(in_client timeout 2 bash -c "exec 3<>/dev/tcp/${LAB_OWN[4]}/22; head -n 1 <&3")" $'SSH-2.0-lab\r' "but one can log in"
lab_down
done_testing

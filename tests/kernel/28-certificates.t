#!/bin/bash
# Proves: a TLS client that names nobody is judged by the names in the server's certificate, up to
# TLS 1.2; both ends hear of a refusal; nothing else of servers' is queued, and nothing after the
# decision.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft conntrack curl jq openssl "$LAB_PYTHON"

TLS=activation-v2.kaspersky.com OPEN=www.example.org
LISTED=4433 UNLISTED=4434			# ports of the two servers; each speaks all versions
OLD=ALL:@SECLEVEL=0				# ciphers that TLS 1.0 has

server() {	# PORT NAME
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
		-keyout "$lab_dir/$1.key" -out "$lab_dir/$1.pem" 2>/dev/null &&
		lab_spawn "tls$1" "$LAB_SERVER" env -C "$lab_dir/nginx/www" openssl s_server -accept "$1" -WWW -quiet \
			-cipher $OLD -cert "$lab_dir/$1.pem" -key "$lab_dir/$1.key" &&
		lab_wait 5 lab_listens "$LAB_SERVER" t "$1"
}

# What s_client says of its handshake: "TLSv1.2" or "reset", and whether it was quick
handshake() {	# in_client|in_router VERSION PORT OPTION...
	local start said

	start=$(lab_now_ms)
	said=$("$1" timeout 5 openssl s_client -connect "$(lab_bracket "${LAB_WEB[$2]}"):$3" -noservername -cipher $OLD \
		"${@:4}" </dev/null 2>&1)
	case $said in
	*errno=104*) said=reset ;;
	*) said=$(grep -om1 'Protocol *: .*\|^New, [^,]*' <<<"$said" | grep -o '[^ ]*$') ;;
	esac
	echo "$said $([ $(($(lab_now_ms) - start)) -lt 1500 ] && echo soon)"
}

open_there() { in_server ss -Htn state established "sport = :$LISTED"; }
none_open() { [ -z "$(open_there)" ]; }

costs() {
	local before

	before=$(nfqd_queued)
	"$@" >"$lab_dir/out" 2>&1
	echo $(($(nfqd_queued) - before))
}

between() { ok "$4: $1 packets queued" [ "$1" -ge "$2" -a "$1" -le "$3" ]; }

refused() {	# in_client|in_router VERSION TITLE
	local option

	for option in -tls1 -tls1_1 -tls1_2; do
		is "$(handshake "$1" "$2" $LISTED $option)" "reset soon" "$3, $option: the client is reset"
		ok "$3, $option: the server, too" lab_wait 2 none_open
	done
}

passes() {	# in_client|in_router VERSION TITLE
	is "$(handshake "$1" "$2" $UNLISTED -tls1)" "TLSv1.0 soon" "$3: TLS 1.0 to an unlisted certificate passes"
	is "$(handshake "$1" "$2" $UNLISTED -tls1_2)" "TLSv1.2 soon" "$3: TLS 1.2 likewise"
	is "$(handshake "$1" "$2" $LISTED -tls1_3)" "TLSv1.3 soon" "$3: TLS 1.3 hides the certificate: the address decides"
	is "$(handshake "$1" "$2" $UNLISTED -tls1_3)" "TLSv1.3 soon" "$3: and an unlisted one"
}

cost() {	# in_client|in_router VERSION TITLE
	local web n url=https://

	web=$(lab_bracket "${LAB_WEB[$2]}")
	# a hello, and the server's first flight in one or two packets
	between "$(costs handshake "$1" "$2" $UNLISTED -tls1_2)" 2 3 "$3: TLS 1.2 without a name"
	between "$(costs handshake "$1" "$2" $UNLISTED -tls1_3)" 2 3 "$3: TLS 1.3 without a name"
	# a sender that had to repeat itself is tried again
	for _ in 1 2 3; do
		n=$(costs "$1" curl -sk -o /dev/null --max-time 5 --resolve "$OPEN:$UNLISTED:$web" "$url$OPEN:$UNLISTED/big")
		[ "$n" != 1 ] || break
	done
	is "$n" 1 "$3: 100 MB with a name: one packet queued, no answer"
	between "$(costs "$1" curl -sk --tls-max 1.2 -o "$lab_dir/down" --max-time 20 "$url$web:$UNLISTED/big")" 2 4 \
		"$3: 100 MB without a name"
	ok "$3: arrive as they were" cmp "$lab_dir/down" "$lab_dir/nginx/www/big"
}

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	server $LISTED $TLS && server $UNLISTED $OPEN || bail "openssl s_server: $(cat "$lab_dir/tls"*.log)"
	rm -f "$lab_dir/eve.json"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		for who in in_client in_router; do
			refused $who $v "$nat, IPv$v, ${who#in_}"
			passes $who $v "$nat, IPv$v, ${who#in_}"
			cost $who $v "$nat, IPv$v, ${who#in_}"
		done
	done
	is "$(handshake in_client 4 $LISTED -tls1_2 -bind "${LAB_HOST[4]}:53")" "reset soon" \
		"$nat: a client on port 53 is reset, too"
	lab_wait 2 nfqd_has_records 13
	is "$(nfqd_records)" 13 "$nat: a record for each refusal, no other"
	is "$(jq -r '"\(.nfqd.seen_in) \(.nfqd.name) \(.nfqd.action) \(.dest_port)"' <(nfqd_log) | sort -u)" \
		"tls.cert $TLS reject $LISTED" "$nat: and they say what was seen where"
	is "$(jq -r 'select(.src_port != 53).src_ip' <(nfqd_log) | sort | uniq -c | awk '$1 != 3')" "" "$nat: each client has its three"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

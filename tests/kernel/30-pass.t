#!/bin/bash
# Proves: what is not listed, or listed as never to be blocked, passes unharmed; a connection costs
# one queued packet, and 100 MB cost no more than a handful, whatever the protocol.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# the vendor's pages and removal tools; look-alikes; the rest of the world
PASS="support.kaspersky.com media.kaspersky.com www.kaspersky.com notkaspersky.com
	upd.kaspersky.com.evil.test activation-v2.kaspersky.com.evil.test www.example.org"

fetch() {	# in_client|in_router VERSION SCHEME NAME PORT
	"$1" curl -sk -o /dev/null --max-time 3 -w '%{http_code}' \
		--resolve "$4:$5:$(lab_bracket "${LAB_WEB[$2]}")" "$3://$4:$5/"
}

# Every name by DNS (UDP, TCP), TLS and HTTP; prints what did not pass.
all_pass() {	# in_client|in_router VERSION
	local name how got

	for name in $PASS; do
		for how in +notcp +tcp; do
			got=$("$1" dig +short +time=2 +tries=1 $how "$name" "@${LAB_PUBLIC[$2]%% *}")
			[ "$got" = "${LAB_WEB[4]}" ] || echo "$name: DNS $how: $got"
		done
		for how in "https 443" "https 8443" "http 80"; do
			# shellcheck disable=SC2086	# scheme and port
			set -- "$1" "$2" $how
			got=$(fetch "$1" "$2" "$3" "$name" "$4")
			[ "$got" = 200 ] || echo "$name: $how: $got"
		done
	done
}

# How many packets a command sends through the queue; its own output goes to $lab_dir/out.
costs() {
	local before

	before=$(nfqd_queued)
	"$@" >"$lab_dir/out" 2>&1
	echo $(($(nfqd_queued) - before))
}

# Like costs, and what the command printed. On a machine too busy to answer in time the sender
# repeats itself, which costs another packet: three attempts.
costs_and_says() {	# WANTED COMMAND...
	local got

	for _ in 1 2 3; do
		got="$(costs "${@:2}") $(cat "$lab_dir/out")"
		[ "$got" != "$1" ] || break
	done
	echo "$got"
}

at_most() { ok "$3: $1 packets queued, at most $2" [ "$1" -le "$2" ]; }

login() {	# HOST PORT: a protocol in which the server speaks first
	# shellcheck disable=SC2016	# for the inner shell
	in_client bash -c 'exec 3<>"/dev/tcp/$0/$1"; read -r -t 2 hello <&3; echo hi >&3; read -r -t 2 said <&3; echo "$hello|$said"' "$1" "$2"
}

one_packet() {	# VERSION TITLE
	local dns=${LAB_PUBLIC[$1]%% *} n each="2 ${LAB_WEB[4]}"

	is "$(costs_and_says "1 200" fetch in_client "$1" https www.example.org 443)" "1 200" \
		"$2: an ordinary TLS connection: one packet queued"
	is "$(costs_and_says "1 200" fetch in_client "$1" http www.example.org 80)" "1 200" \
		"$2: an HTTP exchange: one packet queued"
	# with the prefilter both pass in the kernel
	[[ ,${NFQD_STEER:-}, == *,prefilter,* ]] && each="0 ${LAB_WEB[4]}"
	is "$(costs_and_says "$each" in_client dig +short +time=2 +tries=1 www.example.org "@$dns")" "$each" \
		"$2: a DNS question and its answer: one packet each"
	n=$(costs in_client "$LAB_PYTHON" tests/lib/hello.py "${LAB_WEB[$1]}" --sni www.example.org --size 1800 --expect data)
	at_most "$n" 2 "$2: a hello of two segments"	# the first may decide before the second is there
	n=$(costs login "$dns" 2222)
	is "$(cat "$lab_dir/out")" $'SSH-2.0-lab\r|you said hi' "$2: a protocol where the server speaks first passes"
	at_most "$n" 4 "$2: a protocol where the server speaks first"
}

bulk() {	# VERSION TITLE
	local web big=$lab_dir/nginx/www/big n

	web=$(lab_bracket "${LAB_WEB[$1]}")
	n=$(costs in_client curl -sk --max-time 20 -o "$lab_dir/down" --resolve "www.example.org:443:$web" https://www.example.org/big)
	ok "$2: 100 MB down over TLS arrive as they were" cmp "$lab_dir/down" "$big"
	at_most "$n" 4 "$2: 100 MB down over TLS"
	n=$(costs in_client curl -sk --max-time 20 -T "$big" --resolve "www.example.org:443:$web" https://www.example.org/upload/big)
	ok "$2: 100 MB up over TLS arrive as they were" cmp "$lab_dir/nginx/www/upload/big" "$big"
	at_most "$n" 4 "$2: 100 MB up over TLS"
	n=$(costs in_client "$LAB_PYTHON" tests/lib/upload.py "${LAB_WEB[$1]}" 7000 "$big")
	is "$(cat "$lab_dir/out")" same "$2: 100 MB up over an unknown protocol arrive as they were"
	at_most "$n" 4 "$2: 100 MB up over an unknown protocol"
	rm -f "$lab_dir/down" "$lab_dir/nginx/www/upload/big"
}

for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		is "$(all_pass in_client $v)" "" "$nat, IPv$v: client: nothing of these is touched"
		is "$(all_pass in_router $v)" "" "$nat, IPv$v: the router itself: likewise"
		one_packet $v "$nat, IPv$v"
		bulk $v "$nat, IPv$v"
	done
	is "$(nfqd_records '.nfqd.action == "reject" or .alert.action == "blocked"')" 0 "$nat: no record of a block"
	is "$(nfqd_records '.nfqd.name | test("example.org|evil.test|notkaspersky")')" 0 "$nat: no record of an unlisted name"
	is "$(nfqd_lost)" 0 "$nat: the kernel dropped no queued packet"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

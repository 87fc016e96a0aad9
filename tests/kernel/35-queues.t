#!/bin/bash
# Proves with two and with four queue threads: the clients are spread over all of them; every listed
# question is refused and recorded once; a reload under traffic loses nothing; both directions between two
# hosts meet one queue; a killed worker's queues are all read again; with nobody there `fail: open` opens
# them all.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl conntrack iptables "$LAB_PYTHON"

declare -A resolver=([4]=8.8.8.8 [6]=2001:4860:4860::8888)
declare -A net=([4]=10.1.0. [6]=fd00:1::)
clients=$(seq 16 35)

addresses() { local i; for i in $clients; do echo "${net[$1]}$i"; done; }	# IP-VERSION

many_clients() {
	local a

	for a in $(addresses 4); do ip -n "$LAB_CLIENT" addr add "$a/24" dev eth0 || return; done
	for a in $(addresses 6); do ip -n "$LAB_CLIENT" addr add "$a/64" dev eth0 nodad || return; done
}

begin() {	# QUEUES
	nfqd_conf enforce open >"$lab_dir/nfqd.yaml"
	cat >>"$lab_dir/nfqd.yaml" <<-END
		  client-names: false	# no packets but the test's own
		inspect:
		  queues: $1
		  inside: [lan0, wan0]
	END
	rm -f "$lab_dir/eve.json"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead
	nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}

# ---- traffic of many clients ----

count() { jq "$1" "$lab_dir/traffic.json"; }
counted() { [ "$(count "$1")" -ge "$2" ]; }	# EXPRESSION AT-LEAST

traffic_start() {	# IP-VERSION
	rm -f "$lab_dir/traffic.json"
	# shellcheck disable=SC2046	# a list of addresses
	lab_spawn traffic "$LAB_CLIENT" "$LAB_PYTHON" tests/lib/traffic.py "$lab_dir/traffic.json" \
		"${resolver[$1]}" "${LAB_WEB[$1]}" $(addresses "$1")
	lab_wait 5 counted .tls.ok 10
}

traffic_more() {	# COUNT: each loop goes on for so many rounds
	local listed tls

	listed=$(count .listed.sent) tls=$(count .tls.sent)
	lab_wait 10 counted .listed.sent $((listed + $1)) && lab_wait 10 counted .tls.sent $((tls + $1))
}

recorded() { jq -r 'select(.nfqd.seen_in == "dns.query") | .nfqd.name' "$lab_dir/eve.json"; }
records_complete() { [ "$(recorded | sort -u | wc -l)" -ge "$(count .listed.nxdomain)" ]; }

# ---- what each queue was given ----

queued_each() { in_router awk '{ print $1, $8 }' /proc/net/netfilter/nfnetlink_queue; }

# The queue that a datagram of QUIC comes into.
queue_of() {	# NETNS FROM TO
	local before after

	before=$(queued_each)
	ip netns exec "$1" "$LAB_PYTHON" - "$2" "$3" <<-'END' || return
		import socket, sys
		with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as s:
		    s.bind((sys.argv[1], 0))
		    s.sendto(b"\xc0\0\0\0\1no hello", (sys.argv[2], 853))
	END
	after=$(queued_each)
	diff <(echo "$before") <(echo "$after") | awk '/^>/ { print $2 }'
}

one_queue_per_pair() {	# IP-VERSION
	local a there back used=

	for a in $(addresses "$1" | head -n 12); do
		there=$(queue_of "$LAB_CLIENT" "$a" "${resolver[$1]}")
		back=$(queue_of "$LAB_SERVER" "${resolver[$1]}" "$a")
		[ -n "$there" ] && [ "$there" = "$back" ] || { echo "$a: queue '$there', and back '$back'"; return 1; }
		used+="$there "
	done
	[ "$(tr ' ' '\n' <<<"$used" | sort -u | grep -c .)" -gt 1 ] || { echo "all in queue $used"; return 1; }
}

# ---- the cases ----

traffic_and_reloads() {	# IP-VERSION QUEUES TITLE
	local i failed=0

	traffic_start "$1"
	for i in {1..6}; do
		nfqd_ctl reload >"$lab_dir/reload.out" 2>&1 || failed=$((failed + 1))
		traffic_more 20
	done
	lab_end traffic TERM
	is $failed 0 "$3: six reloads under traffic"
	diag "$(jq -c . "$lab_dir/traffic.json")"
	is "$(count '[.open.failed, .listed.failed, .tls.failed, .open.again, .listed.again] | add')" 0 "$3: nothing failed, nothing was asked twice"
	is "$(count .listed.answered)" 0 "$3: no listed question slipped through"
	lab_wait 3 records_complete
	is "$(recorded | wc -l) $(recorded | sort -u | wc -l)" "$(count .listed.nxdomain) $(count .listed.nxdomain)" \
		"$3: one record for each refused question"
	is "$(jq -s 'map(.nfqd.seq) | . == sort' "$lab_dir/eve.json")" true "$3: the records of all threads are numbered in order"
	is "$(nfqd_ctl status --json | jq -c '[(.queues | length), (.queues | map(.queued > 0) | all)]')" "[$2,true]" \
		"$3: every one of $2 queues had packets"
	is "$(nfqd_lost)" 0 "$3: the kernel dropped no queued packet"
}

refused_for_all() {	# IP-VERSION
	local a

	for a in $(addresses "$1"); do
		in_client dig -b "$a" +time=1 +tries=2 s01.upd.kaspersky.com "@${resolver[$1]}" |
			grep -q 'status: NXDOMAIN' || { echo "$a is not refused"; return 1; }
	done
}

answered_for_all() {	# IP-VERSION
	local a

	for a in $(addresses "$1"); do
		[ "$(in_client dig -b "$a" +short +time=1 +tries=1 s02.upd.kaspersky.com "@${resolver[$1]}")" = "${LAB_WEB[4]}" ] ||
			{ echo "$a is not answered"; return 1; }
	done
}

other_worker() { local now; now=$(nfqd_worker) && [ "$now" != "$1" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

worker_killed() {	# IP-VERSION TITLE
	local old

	rm -f "$lab_dir/eve.json"
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 3 test -e "$lab_dir/eve.json"
	traffic_start "$1"
	old=$(nfqd_worker)
	kill -KILL "$old"
	ok "$2: a killed worker is replaced within a second" lab_wait 1 other_worker "$old"
	traffic_more 40
	lab_end traffic TERM
	is "$(count '[.open.failed, .listed.failed, .tls.failed] | add')" 0 "$2: nothing failed"
	ok "$2: every client is refused again" refused_for_all "$1"
}

all_killed() {	# IP-VERSION TITLE
	local worker

	worker=$(nfqd_worker)
	kill -KILL "${lab_pid[nfqd]}" "$worker"
	{ lab_wait 2 lab_dead nfqd && lab_wait 2 gone "$worker"; lab_end nfqd KILL; } 2>/dev/null
	ok "$2: nobody there, fail open: every client is answered" answered_for_all "$1"
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
many_clients || bail "no addresses for many clients"
ip -n "$LAB_SERVER" route add 10.1.0.0/24 via 10.2.0.1
ip -n "$LAB_SERVER" -6 route add fd00:1::/64 via fd00:2::1
for queues in 2 4; do
	for v in 4 6; do
		begin $queues
		traffic_and_reloads $v $queues "$queues queues, IPv$v"
		ok "$queues queues, IPv$v: both directions between two hosts meet one queue" one_queue_per_pair $v
		worker_killed $v "$queues queues, IPv$v"
		all_killed $v "$queues queues, IPv$v"
	done
done
begin 2
nfqd_stop
is $? 0 "nfqd stops"
is "$(nfqd_left)" "" "no table and no rule is left"
is "$(in_router cat /proc/net/netfilter/nfnetlink_queue)" "" "no queue is bound"
done_testing

#!/bin/bash
# Proves, under traffic: a reload loses nothing; a killed worker is replaced within a second and
# `fail: open` keeps the network going; what a killed run left is replaced, not doubled; the end
# leaves nothing behind, but with `fail: closed` a table that holds; with nfqd dead one can still log in. A restart by a
# service manager that keeps the queues loses nothing and lets nothing pass.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl conntrack iptables pgrep "$LAB_PYTHON"

# ---- the traffic of one client: three loops, see traffic.py ----

count() { jq "$1" "$lab_dir/traffic.json"; }
counted() { [ "$(count "$1")" -ge "$2" ]; }	# EXPRESSION AT-LEAST
tls_going() { counted .tls.ok 10; }

traffic_start() {	# RESOLVER WEB
	rm -f "$lab_dir/traffic.json"
	lab_spawn traffic "$LAB_CLIENT" "$LAB_PYTHON" tests/lib/traffic.py "$lab_dir/traffic.json" "$1" "$2"
	lab_wait 5 tls_going
}

# Waits until each loop has done COUNT more rounds.
traffic_more() {	# COUNT
	local open listed tls

	open=$(count .open.sent) listed=$(count .listed.sent) tls=$(count .tls.sent)
	lab_wait 10 counted .open.sent $((open + $1)) && lab_wait 10 counted .listed.sent $((listed + $1)) &&
		lab_wait 10 counted .tls.sent $((tls + $1))
}

traffic_end() { lab_end traffic TERM; }

nothing_failed() {	# TITLE
	is "$(jq -c '[.open.failed, .listed.failed, .tls.failed, .errors]' "$lab_dir/traffic.json")" '[0,0,0,[]]' "$1: nothing failed"
	diag "$(jq -c 'del(.errors)' "$lab_dir/traffic.json")"
}

# Not even a question that had to be asked again: no packet was lost.
nothing_lost() {
	nothing_failed "$1"
	is "$(jq -c '[.open.again, .listed.again]' "$lab_dir/traffic.json")" '[0,0]' "$1: no question was asked twice"
}

listed_names() { jq -r 'select(.nfqd.seen_in == "dns.query") | .nfqd.name' "$lab_dir"/eve.json*; }
records_complete() { [ "$(listed_names | sort -u | wc -l)" -ge "$(count .listed.nxdomain)" ]; }

# Every question refused has its record, and only one.
records_match() {	# TITLE
	local refused

	refused=$(count .listed.nxdomain)
	lab_wait 3 records_complete
	is "$(listed_names | wc -l) $(listed_names | sort -u | wc -l)" "$refused $refused" "$1: one record for each of $refused refused questions"
}

# Connections that a resolver seems to have opened: answers of ours that conntrack took for such. A later question from
# the same port would belong to them, leave untranslated, and be lost.
tracked_answers() {	# RESOLVER
	{ in_router conntrack -L -p udp; in_router conntrack -L -f ipv6 -p udp; } 2>/dev/null | grep -c "^udp *17 [0-9]* src=$1 "
}

blocks() { in_client dig +time=1 +tries=1 "$1" "@${2:-1.1.1.1}" | grep -q 'status: NXDOMAIN'; }

begin() {	# TITLE FAIL
	rm -f "$lab_dir"/eve.json*
	nfqd_start enforce "$2" || bail "$1: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}

other_worker() { local now; now=$(nfqd_worker) && [ "$now" != "$1" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

kill_both() {
	local worker

	worker=$(nfqd_worker)
	{
		[ -n "${LAB_WITHOUT_NFQD:-}" ] || kill -KILL "${lab_pid[nfqd]}" "$worker"
		lab_wait 2 lab_dead nfqd && lab_wait 2 gone "$worker"
		lab_end nfqd KILL
	} 2>/dev/null	# the shell's own "Killed"
}

# ---- the cases; each runs once with DNS over IPv4 and TLS over IPv6, once the other way round ----

reload() {	# TITLE
	local i failed=0 file generation

	begin "$1" open
	traffic_start "$2" "$3"
	for i in {1..10}; do
		nfqd_ctl reload >"$lab_dir/reload.out" 2>&1 || failed=$((failed + 1))
		traffic_more 5
	done
	is $failed 0 "$1: nfqctl reload, ten times: exit code 0"
	ok "$1: nfqctl status --json is JSON" jq -e . <(nfqd_ctl status --json)
	generation=$(nfqd_ctl status --json | jq .generation)
	mv "$lab_dir/eve.json" "$lab_dir/eve.json.1"
	ok "$1: nfqctl rotate" nfqd_ctl rotate
	lab_wait 3 test -s "$lab_dir/eve.json"
	file=$?
	is $file 0 "$1: after it records go to a new file"
	is "$(nfqd_ctl status --json | jq .generation)" "$generation" "$1: it loads nothing"
	traffic_more 20
	traffic_end
	nothing_lost "$1"
	is "$(count .listed.answered)" 0 "$1: no listed question slipped through"
	records_match "$1"
	is "$(nfqd_lost)" 0 "$1: the kernel dropped no queued packet"
}

worker_killed() {	# TITLE: goes on with the nfqd of the reloads
	local old seen=0

	rm -f "$lab_dir"/eve.json*
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 3 test -e "$lab_dir/eve.json"
	traffic_start "$2" "$3"
	for _ in 1 2 3; do
		old=$(nfqd_worker)
		kill -KILL "$old"
		lab_wait 1 other_worker "$old" || seen=1
		traffic_more 5
	done
	is $seen 0 "$1: three times, each time another within a second"
	ok "$1: and it refuses listed names" lab_wait 1 blocks s01.upd.kaspersky.com
	ok "$1: the parent said so" grep -qi worker "$lab_dir/nfqd.log"
	traffic_more 20
	traffic_end
	nothing_failed "$1"
	is "$(listed_names | wc -l)" "$(listed_names | sort -u | wc -l)" "$1: no record twice"
}

both_killed() {	# TITLE
	local before

	before=$(nfqd_left | sort)
	traffic_start "$2" "$3"
	kill_both
	traffic_more 20
	is "$(in_client dig +short +time=1 +tries=2 s02.upd.kaspersky.com @1.1.1.1)" "${LAB_WEB[4]}" \
		"$1: fail open: names are answered while nobody is there"
	begin "$1" open
	is "$(nfqd_left | sort)" "$before" "$1: the next start replaced what was left: same table, same rules, nothing doubled"
	ok "$1: and refuses listed names again" blocks s03.upd.kaspersky.com
	traffic_more 20
	traffic_end
	nothing_failed "$1"
	is "$(tracked_answers "$2")" 0 "$1: conntrack knows no answer of ours"
}

terminated() {	# TITLE: goes on with that nfqd
	local status

	traffic_start "$2" "$3"
	rm -f "$lab_dir"/eve.json*
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 3 test -s "$lab_dir/eve.json"
	nfqd_stop
	status=$?
	traffic_more 20
	traffic_end
	is $status 0 "$1: exit code 0"
	nothing_lost "$1"
	ok "$1: listed questions were refused before and answered after" counted '[.listed.nxdomain, .listed.answered] | min' 5
	is "$(nfqd_left)" "" "$1: no table and no rule is left"
	is "$(nfqd_labelled)" 0 "$1: no connection carries a state of ours"
	is "$(in_router cat /proc/net/netfilter/nfnetlink_queue)" "" "$1: no queue is bound"
	is "$(tracked_answers "$2")" 0 "$1: conntrack knows no answer of ours"
}

waits() { [ "$(in_router awk '{ n += $3 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue)" -gt 0 ]; }
is_told() { grep -q 'told to end before' "$lab_dir/nfqd.log"; }
answered() { grep -q 'status: ' "$lab_dir/waiting.log"; }

# Tells a daemon to end whose worker is stopped and has a question; false where it found out first that the worker hangs.
end_while_one_waits() {	# TITLE HOW
	local worker

	begin "$1" open
	worker=$(nfqd_worker)
	kill -STOP "$worker"
	lab_spawn waiting "$LAB_CLIENT" dig +time=20 +tries=1 s04.upd.kaspersky.com @1.1.1.1
	lab_wait 10 waits
	[ "$2" != in-reload ] || kill -HUP "${lab_pid[nfqd]}"
	kill -TERM "${lab_pid[nfqd]}"
	[ "$2" != in-reload ] || { lab_wait 10 is_told && kill -CONT "$worker"; }
	! grep -q 'has not moved' "$lab_dir/nfqd.log"
}

# In the middle of a reload, after which the worker goes on and refuses it; or the worker never goes on.
terminated_while_waiting() {	# TITLE HOW
	local i

	for i in 1 2 3; do
		! end_while_one_waits "$@" || break
		nfqd_stop
		lab_end waiting
	done
	ok "$1: it is answered" lab_wait 15 answered
	lab_end waiting
	nfqd_stop
	is $? 0 "$1: exit code 0"
	is "$(nfqd_left)" "" "$1: no table and no rule is left"
}

log_in() {	# a line to the router's port 22, and back
	# shellcheck disable=SC2016	# for the inner shell
	in_client bash -c 'exec 3<>"/dev/tcp/$0/22"; read -r -t 2 hello <&3; echo hi >&3; read -r -t 2 said <&3; echo "$said"' "$1"
}

fail_closed() {	# TITLE
	begin "$1" closed
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @8.8.8.8)" "${LAB_WEB[4]}" "$1: alive: unlisted names are answered"
	kill_both
	nfqd_is_forgotten
	is "$(log_in "${LAB_OWN[4]}") / $(log_in "${LAB_OWN[6]}")" "you said hi / you said hi" "$1: dead: one can log in to the router"
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @8.8.8.8 | grep -v '^;')" "" "$1: dead: forwarded DNS is blocked (IPv4)"
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @2620:fe::9 | grep -v '^;')" "" "$1: dead: forwarded DNS is blocked (IPv6)"
	in_client curl -sk -o /dev/null --max-time 1 --resolve "www.example.org:443:${LAB_WEB[4]}" https://www.example.org/
	is $? 28 "$1: dead: forwarded TLS is blocked"
	begin "$1" closed
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @8.8.8.8)" "${LAB_WEB[4]}" "$1: started again: answered"
	nfqd_stop
	is $? 0 "$1: nfqd stops"
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @8.8.8.8 | grep -v '^;')" "" "$1: stopped: forwarded DNS is blocked"
	like "$(tail -n 3 "$lab_dir/nfqd.log")" 'table inet nfqd stays' "$1: stopped: it says so"
	ok "$1: what it says lets all pass" in_router nft delete table inet nfqd
	is "$(nfqd_left)" "" "$1: no table and no rule is left"
	is "$(in_client dig +short +time=1 +tries=1 www.example.org @8.8.8.8)" "${LAB_WEB[4]}" "$1: then it is answered"
}

# As by `systemctl restart` with the unit: tests/lib/manager.py keeps the queues in between.
managed_start() {	# FAIL
	nfqd_conf enforce "$1" >"$lab_dir/nfqd.yaml"
	rm -f "$lab_dir/manager.sock"
	lab_spawn nfqd "$LAB_ROUTER" "$LAB_PYTHON" tests/lib/manager.py "$lab_dir/manager.sock" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 60 started 1
}
started() { [ "$(grep -c '^nfqd: ready' "$lab_dir/nfqd.log")" = "$1" ]; }	# TIMES

restart_and_wait() {	# WHICH
	nfqd_ctl handover >/dev/null 2>&1 || return
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 60 started "$1"
}

restarted() {	# TITLE FAIL RESOLVER WEB
	local i failed=0 labelled

	rm -f "$lab_dir"/eve.json*
	managed_start "$2" || bail "$1: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	in_client curl -sk -o /dev/null --max-time 9 --resolve "www.example.org:443:${LAB_WEB[4]}" https://www.example.org/
	labelled=$(nfqd_labelled)
	restart_and_wait 2 || failed=1
	is "$(nfqd_labelled)" "$labelled" "$1: a decided connection stays decided ($labelled)"
	traffic_start "$3" "$4"
	for i in 3 4 5; do
		restart_and_wait $i || failed=$((failed + 1))
		traffic_more 20
	done
	lab_wait 60 counted .listed.sent 300
	is $failed 0 "$1: four times"
	traffic_end
	nothing_failed "$1"	# on a busy machine one may have been asked again after a second
	is "$(nfqd_lost)" 0 "$1: the kernel dropped no packet that waited"
	is "$(count .listed.answered)" 0 "$1: no listed question of $(count .listed.sent) slipped through"
	records_match "$1"
	is "$(grep -c 'taken over from the nfqd before' "$lab_dir/nfqd.log")" 4 "$1: each took over the queues of the one before"
	is "$(tracked_answers "$3")" 0 "$1: conntrack knows no answer of ours"
}

# The next process does not start: what `fail:` said holds. Goes on with that nfqd.
restart_fails() {	# TITLE FAIL ANSWER
	nfqd_ctl handover >/dev/null
	echo 'rules: [' >>"$lab_dir/nfqd.yaml"
	kill -HUP "${lab_pid[nfqd]}"
	lab_wait 20 lab_dead nfqd
	lab_end nfqd
	is "$(in_client dig +short +time=1 +tries=1 s02.upd.kaspersky.com @1.1.1.1 | grep -v '^;')" "$3" \
		"$1: the next one does not start: '${3:-nothing}' (fail: $2)"
	like "$(cat "$lab_dir/nfqd.log")" 'queues of the nfqd before are not taken over' "$1: it says so"
	is "$(in_router cat /proc/net/netfilter/nfnetlink_queue)" "" "$1: no queue is bound"
	is "$(nfqd_left | wc -l)" "$([ "$2" = open ]; echo $?)" "$1: a table is left where it holds"
	in_router nft delete table inet nfqd 2>/dev/null
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
for set in "4 8.8.8.8 ${LAB_WEB[6]}" "6 2001:4860:4860::8888 ${LAB_WEB[4]}"; do
	read -r v dns web <<<"$set"
	reload "reload (DNS over IPv$v)" "$dns" "$web"
	worker_killed "worker killed (DNS over IPv$v)" "$dns" "$web"
	both_killed "both killed (DNS over IPv$v)" "$dns" "$web"
	terminated "SIGTERM (DNS over IPv$v)" "$dns" "$web"
done
restarted "restart, fail: open" open 8.8.8.8 "${LAB_WEB[6]}"
restart_fails "restart, fail: open" open "${LAB_WEB[4]}"
restarted "restart, fail: closed" closed 2001:4860:4860::8888 "${LAB_WEB[4]}"
restart_fails "restart, fail: closed" closed ""
terminated_while_waiting "SIGTERM in a reload" in-reload
like "$(cat "$lab_dir/nfqd.log")" 'told to end before the worker had answered' "SIGTERM in a reload: it is not taken for a hang"
terminated_while_waiting "SIGTERM, the worker hangs" for-ever
like "$(cat "$lab_dir/nfqd.log")" '1 waiting packets that no worker answered: passed' "SIGTERM, the worker hangs: it says so"
fail_closed "fail closed"
done_testing

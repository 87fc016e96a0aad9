#!/bin/bash
# Proves: with `fail: closed` no question for a listed name is answered while nfqd stops, starts or is killed and
# started at once; with `fail: open` the network goes on meanwhile. After another program has flushed the firewall
# the table is back, within 100 ms where the machine has time; each repair is said, counted and on record.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

LISTED=s07.upd.kaspersky.com RESTARTS=5 FLUSHES=20 REPAIR_MS=100
[ -z "$(sanitizer_runtime)" ] || REPAIR_MS=1000

seen() { jq -r "$1" "$lab_dir/leak.json"; }
saw() { [ "$(seen "$1")" = true ]; }
# Rounds of questions from now on, so that each fault meets some.
asked_more() { local n; n=$(seen '.new | add'); lab_wait 10 saw "(.new | add) >= $n + 5"; }

asking() {
	rm -f "$lab_dir/leak.json"
	lab_spawn leak "$LAB_CLIENT" "$LAB_PYTHON" tests/faults/leak.py "$lab_dir/leak.json" 9.9.9.9 "$LISTED"
	lab_wait 10 saw '.new.refused > 5'
}

no_more() {	# TITLE
	lab_end leak TERM
	diag "$1: $(cat "$lab_dir/leak.json")"
	case $1 in
	*flushed) ;;
	*closed*) is "$(seen '[.new.answered, .kept.answered] | add')" 0 "$1: no question was answered" ;;
	*) is "$(seen '[.new, .kept] | (map(.silent) | add) * 20 < (map(add) | add)')" true "$1: fewer than one question in twenty was lost" ;;
	esac
}

repairs() { grep '"kind":"repair"' "$lab_dir/eve.json"; }
repaired() { [ "$(repairs | wc -l)" = "$1" ]; }

begin() { nfqd_start enforce "$1" || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"; }

restarts() {	# FAIL
	local i said=0

	begin "$1"
	asking
	for ((i = 0; i < RESTARTS; i++)); do
		nfqd_stop
		asked_more
		grep -q 'fail: closed: table inet nfqd stays' "$lab_dir/nfqd.log" && said=$((said + 1))
		begin "$1"
		asked_more
	done
	no_more "fail: $1, $RESTARTS restarts"
	[ "$1" = open ] || is $said $RESTARTS "fail: closed: each stop says that the table stays"
}

kills() {	# FAIL
	local i

	asking
	for ((i = 0; i < RESTARTS; i++)); do
		{ lab_end nfqd KILL; } 2>/dev/null
		begin "$1" # at once, whatever the old worker still holds
		asked_more
	done
	no_more "fail: $1, $RESTARTS times killed"
}

flushes() {	# FAIL
	local i

	rm -f "$lab_dir/eve.json"
	nfqd_stop
	begin "$1"
	asking
	for ((i = 1; i <= FLUSHES; i++)); do
		in_router nft flush ruleset
		lab_wait 5 repaired "$i" || break
	done
	no_more "fail: $1, $FLUSHES times flushed"
	is $((i - 1)) $FLUSHES "fail: $1: $FLUSHES flushes are repaired, counted and on record"
	is "$(status .steering.repairs)" $((i - 1)) "fail: $1: the status counts them"
	ok "fail: $1: the quickest repair takes less than $REPAIR_MS ms" [ "$(repairs | jq .nfqd.us | sort -n | head -n 1)" -lt $((REPAIR_MS * 1000)) ]
	diag "repairs: $(repairs | jq .nfqd.us | sort -n | tr '\n' ' ') us"
}

# What stands until the whole table is back comes first, in a transaction of its own.
holds() {
	begin closed
	lab_spawn monitor "$LAB_ROUTER" stdbuf -oL nft monitor chains
	lab_wait 5 eval 'in_router nft add table inet other "{ chain c { }; }"; grep -q "inet other c" "$lab_dir/monitor.log"'
	in_router nft flush ruleset
	ok "fail: closed: a flush is met by chains that hold" lab_wait 10 grep -q 'add chain inet nfqd hold_in' "$lab_dir/monitor.log"
	ok "and the table is back" lab_wait 10 refuses
	is "$(in_router nft list table inet nfqd 2>/dev/null | grep -c hold_)" 0 "and they are gone"
	lab_end monitor TERM
	nfqd_stop
	in_router nft delete table inet nfqd
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
for fail in closed open; do
	restarts $fail
	kills $fail
	flushes $fail
	nfqd_stop
	in_router nft delete table inet nfqd 2>/dev/null
done
holds
done_testing

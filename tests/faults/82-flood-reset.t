#!/bin/bash
# Proves: `on-fault: reset` ends a connection to port 443 whose beginning was lost, so that a listed name does not pass
# even when its own client has used up its share; in mode log it only says so.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
. tests/faults/flood.sh
need ip nft unbound nginx jq openssl "$LAB_PYTHON"

FAULTS='{source-streams: reset, streams-full: reset, flows-full: reset}'

start() {	# MODE FAIL
	nfqd_conf "$1" "$2" >"$lab_dir/nfqd.yaml"
	echo "on-fault: $FAULTS" >>"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}

# The client itself sends more half hellos than it has room for, and meanwhile listed ones in two parts. Sets said.
exhaust() {
	lab_spawn flood "$LAB_CLIENT" "$BENCH/flood" tcp "${LAB_WEB[4]}" 443 "$lab_dir/hello" 8000 2 "${LAB_HOST[4]}" 1
	lab_wait 2 status_says '.counters.fault_source_streams > 0'
	said=$(in_client "$LAB_PYTHON" tests/faults/pieces.py tls 8 1)
	lab_end flood
}

# What is lost depends on what the machine does meanwhile: tried until it was
exhaust_until() {	# CONDITION
	local try

	for try in 1 2 3 4 5; do
		exhaust
		leaked=$((leaked + $(sed 's/.*leaked=//' <<<"$said")))
		! status_says "$1" || return 0
	done
	diag "after $try tries: $said"
	return 1
}

resets() {	# FAIL
	local t="fail: $1"

	start enforce "$1"
	leaked=0
	exhaust_until '.counters.resets > 0'
	is $? 0 "$t: connections are reset"
	is "$leaked" 0 "$t: no listed hello is answered"
	ok "$t: said" grep -q "share of that memory used up, reset: ${LAB_HOST[4]}" "$lab_dir/nfqd.log"
	nfqd_stop
}

logs() {
	start log open
	leaked=0
	exhaust_until '.counters.fault_source_streams > 0'
	is $? 0 "mode log: beginnings are lost"
	is "$(status .counters.resets)" 0 "mode log: nothing is reset"
	is "$leaked" 8 "mode log: listed hellos are answered"
	ok "mode log: said" grep -q "share of that memory used up, passed in this mode: ${LAB_HOST[4]}" "$lab_dir/nfqd.log"
	nfqd_stop
}

lab_up plain || bail "the lab: $(tail -n 5 "$lab_dir/up.log")"
flood_routes || bail "the flooders' routes"
resets open
resets closed
logs
done_testing

#!/bin/bash
# Proves: one client frees none of its own listed names by asking for many at once: hellos in two parts, questions
# over TCP a byte at a time; nor do fragments whose rest never comes. In both modes.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
. tests/faults/flood.sh
need ip nft dig unbound nginx jq openssl "$LAB_PYTHON"
ulimit -n 8192

pieces() { in_client "$LAB_PYTHON" tests/faults/pieces.py "$@"; }

fragments() {	# TITLE
	flood fragments 53 quic 3000 20 50000
	ok "$1: innocent names are answered" lab_wait 10 answers
	ok "$1: listed names are refused" refuses
	is "$(pieces fragments 20 0)" "refused=20 leaked=0" "$1: fragmented questions for listed names"
	lab_end flood
}

alone() {	# FAIL
	local t="fail: $1"

	nfqd_start enforce "$1" || bail "$t: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	is "$(pieces tls 64 1)" "refused=64 leaked=0" "$t: 64 hellos in two parts"
	is "$(pieces dns 2000 0)" "refused=2000 leaked=0" "$t: 2,000 questions over TCP, a byte at a time" ||
		diag "not seen: $(unseen)"
	fragments "$t, fragments whose rest never comes"
	is "$(status '[.counters.fault_source_streams, .counters.fault_streams_full]')" "[0,0]" "$t: nothing was forgotten"
	ok "$t: the worker stays below $WORKER_MB MB" worker_is_small
	nfqd_stop
	is $? 0 "$t: nfqd ends"
}

lab_up plain || bail "the lab: $(tail -n 5 "$lab_dir/up.log")"
flood_routes || bail "the flooders' routes"
lab_spawn many "$LAB_SERVER" "$LAB_PYTHON" tests/faults/pieces.py serve 53 0 || bail "the server"
serves() { [ -n "$(in_server ss -Hlnt src 203.0.113.80:53)" ]; }
lab_wait 10 serves || bail "the server: $(cat "$lab_dir/many.log")"
alone open
alone closed
done_testing

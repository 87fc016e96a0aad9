#!/bin/bash
# Proves: a flood of half messages from spoofed addresses frees no listed name of an honest client, in both modes;
# innocent ones are answered, and the worker stays small. What no such flood frees in its own protocol either.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
. tests/faults/flood.sh
need ip nft unbound nginx jq openssl "$LAB_PYTHON"
ulimit -n 8192

# beside TITLE PROTOCOL PORT KIND: listed and innocent hellos while it floods
beside() {
	local said

	flood "$2" "$3" "$4" 3000 2 50000
	said=$(honest 60 60 1)
	lab_wait 20 flood_ended
	lab_end flood
	is "$(jq -c '[.leaked, .unanswered]' <<<"$said")" "[0,0]" "$1: no listed hello leaks, innocent ones are answered" ||
		diag "$said; not seen: $(unseen)"
}

# pieces TITLE KIND COUNT GAP: all are refused
pieces() { is "$(in_client "$LAB_PYTHON" tests/faults/pieces.py "$2" "$3" "$4")" "refused=$3 leaked=0" "$1"; }

flooded() {	# FAIL
	local t="fail: $1"

	nfqd_start enforce "$1" || bail "$t: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	beside "$t, first bytes of hellos" tcp 443 hello
	beside "$t, bytes of no protocol" tcp 443 middle
	flood tcp 443 long-hello 3000 3 50000
	pieces "$t, most of long hellos: a hello in pieces" tls 32 0.5
	lab_end flood
	flood udp 443 quic 3000 3 50000
	pieces "$t, halves of QUIC hellos: a QUIC hello in pieces" quic 20 0.2
	lab_end flood
	flood udp 443 dtls 3000 3 50000
	pieces "$t, halves of DTLS hellos: a DTLS hello in pieces" dtls 20 0.2
	lab_end flood
	flood tcp 25 starttls 3000 3 50000
	pieces "$t, halves after STARTTLS: a hello after STARTTLS in pieces" starttls 20 0.2
	lab_end flood
	ok "$t: the worker stays below $WORKER_MB MB" worker_is_small
	diag "$t: $(worker_kb) kB; not seen: $(unseen)"
	nfqd_stop
	is $? 0 "$t: nfqd ends"
}

lab_up plain || bail "the lab: $(tail -n 5 "$lab_dir/up.log")"
flood_routes || bail "the flooders' routes"
flooded open
flooded closed
done_testing

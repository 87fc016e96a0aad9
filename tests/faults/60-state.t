#!/bin/bash
# Proves: without its folder the state is not saved and nothing is allowed that would be forgotten, but
# what is revoked ends at once; all of it is said, and saved as soon as it can be.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

NAME=s07.upd.kaspersky.com

saved() { [ "$(jq -c '[.exceptions[].name]' "$lab_dir/kept/state.json")" = "$1" ]; }

unsaved() {
	nfqd_conf | sed "s,state\.json,kept/state.json," >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
	nfqd_ctl allow $NAME --for 1h --reason test >/dev/null
	ok "an exception is in force" answers $NAME
	mv "$lab_dir/kept" "$lab_dir/away"
	like "$(nfqd_ctl allow s08.upd.kaspersky.com --for 1h --reason test 2>&1)" 'kept/state\.json: No such file' "no folder: allow is refused"
	ok "and its name too" refuses s08.upd.kaspersky.com
	is "$(nfqd_ctl exceptions --revoke $NAME 2>"$lab_dir/said")" '1 revoked' "revoke works"
	like "$(<"$lab_dir/said")" 'state\.json: No such file.*back at a restart' "and says what is not saved"
	ok "the name is refused again" refuses $NAME
	is "$(status .state.saved)" false "status says that it is not saved"
	mv "$lab_dir/away" "$lab_dir/kept"
	ok "the folder is back: it is saved without being asked" lab_wait 10 saved '[]'
	is "$(status .state.saved)" true "and status says so"
	nfqd_stop
	is $? 0 "SIGTERM is obeyed"
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both unsaved
done_testing

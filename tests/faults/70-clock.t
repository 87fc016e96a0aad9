#!/bin/bash
# Proves: what has ended by the clock does not begin again when the clock goes back, in the running daemon
# and after a restart; and what only observes a new pack begins with the first clock that can be right.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl cc "$LAB_PYTHON"

NAME=s07.upd.kaspersky.com
HOUR=3600
DAY=86400

noted() { [ "$(jq -c '.ended | keys' "$lab_dir/state.json")" = "$1" ]; }

ended() {
	nfqd_conf >"$lab_dir/nfqd.yaml"
	cat >>"$lab_dir/nfqd.yaml" <<-END
		exceptions:
		  - {name: case, names: [s08.upd.kaspersky.com], owner: alice, reason: tests, expires: $(date -u -d '+2 hours' +%FT%TZ)}
	END
	nfqd_start_by_clock
	nfqd_ctl allow $NAME --for 1h --reason test >/dev/null
	ok "an exception is in force" answers $NAME
	clock $((3 * HOUR))
	ok "three hours later it is over" refuses $NAME
	ok "and that is noted, of the configuration's too" lab_wait 10 noted '["allow-1","case"]'
	clock 0
	ok "the clock goes back: it stays over" refuses $NAME
	ok "the configuration's, too" refuses s08.upd.kaspersky.com
	is "$(nfqd_ctl exceptions --json | jq -c '[.exceptions[].expired]')" '[true,true]' "exceptions says so"
	nfqd_stop
	nfqd_start_by_clock
	ok "and after a restart" refuses $NAME
	nfqd_ctl allow $NAME --for 1h --reason again >/dev/null
	ok "a new one is in force" answers $NAME
	nfqd_stop
}

first_clock() {
	rm "$lab_dir/state.json"
	nfqd_conf | sed 's/^    action: stage$/&\n    observe-for: 2d/' >"$lab_dir/nfqd.yaml"
	clock $((-9999 * DAY))
	nfqd_start_by_clock
	ok "no clock at the start: a new pack is only observed" answers $NAME
	is "$(status '.packs[] | select(.pack == "kaspersky").first_seen')" null "its time has not begun"
	like "$(nfqd_ctl status)" 'only observed: the clock is wrong' "status says so"
	like "$(nfqd_ctl why $NAME)" 'new and the clock is wrong' "why, too"
	clock 0
	ok "the clock is set: it is still observed" answers $NAME
	ok "its time begins" lab_wait 10 jq -e '.first_seen.kaspersky' "$lab_dir/state.json"
	clock $((DAY))
	ok "a day later it is only observed" answers $NAME
	clock $((2 * DAY + HOUR))
	ok "and after two days enforced" refuses $NAME
	nfqd_stop
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
clocks() {
	rm -f "$lab_dir/state.json"
	clock 0
	ended
	first_clock
}
in_both clocks
done_testing

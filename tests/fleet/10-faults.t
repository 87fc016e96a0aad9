#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: three sensors, two hubs and a store, each killed, cut off, filled up or with a wrong clock while records
# flow, end with exactly the records of the sensors' files, once each, after what `nfqd-fleet gaps` asks for is resent.
set -u
. tests/lib/tap.sh
. tools/lab/fleet.sh
need dig cc
fleet_enter "$@"

traffic() {	# COUNT: at each sensor
	local asks=() k

	in_sensor gw2 /usr/bin/python3 tests/fleet/frames.py far "$1" 12 2 &
	asks+=($!)
	for k in 1 3; do
		in_sensor gw$k dig +time=1 +tries=1 @192.0.2.53 -f "$fleet_dir/names" >/dev/null &
		asks+=($!)
	done
	wait "${asks[@]}"
}
in_files() { cat "$fleet_dir"/gw?/eve.json; }
in_store() { fleet lines; }
missing() {	# [FOLDER]: lines of the files, or of copies of them, that the store has not; complete ones
	cat "${1:-$fleet_dir}"/gw?/eve.json | grep '}$' | LC_ALL=C sort >"$fleet_dir/want"
	in_store | LC_ALL=C sort | LC_ALL=C comm -23 "$fleet_dir/want" -
}
none_missing() { [ -z "$(missing "$@")" ]; }
latest_in() {	# FILE: the number of its last whole line
	tail -n 3 "$1" | jq -R 'fromjson? | .nfqd | [.boot, .seq] | @csv' | tail -n 1 | tr -d '"'
}
# Each file's last record has come, so that what lacks before it is lost, not late.
caught_up() {
	local k

	for k in 1 2 3; do
		[ "$(sql -c "SELECT count(*) FROM fleet.record WHERE (boot, seq) = (${latest[$k]}) AND sensor = '${sensor_id[$k]}'")" = 1 ] || return
	done
}
settle() {	# WHAT: prints how many records the files and the store have, and how many lack
	local k

	mkdir -p "$fleet_dir/moment"/gw{1,2,3}
	for k in 1 2 3; do
		cp "$fleet_dir/gw$k/eve.json" "$fleet_dir/moment/gw$k/"
		latest[k]=$(latest_in "$fleet_dir/moment/gw$k/eve.json")
	done
	until_in 180 caught_up || diag "$1: not caught up: ${latest[*]}"
	diag "$1: $(cat "$fleet_dir"/moment/gw?/eve.json | wc -l) in the files, $(missing "$fleet_dir/moment" | wc -l) of them missing in the store"
}
latest=() sensor_id=()

HUB2_DISK=6m HUB_CHANGE='s|queue.maxFileSize="16m"|queue.maxFileSize="1m"|'
fleet_up gw1 gw2 gw3

printf 's%02d.upd.kaspersky.com\n' {0..19} >"$fleet_dir/names"
sensor_up gw1 1s
sensor_up gw2 off -i lan
cc -shared -fPIC -D_GNU_SOURCE -o "$fleet_dir/clock.so" tests/lib/clock.c || bail "no compiler"
clock() { perl -e 'print pack "q", $ARGV[0]' -- "$1" >"$fleet_dir/clock"; }
clock 0
SENSOR_ENV="LD_PRELOAD=$fleet_dir/clock.so CLOCK_FILE=$fleet_dir/clock" sensor_up gw3 off
for k in 1 2 3; do
	shipper_up gw$k
	until_in 60 grep -q '}$' "$fleet_dir/gw$k/eve.json" || bail "gw$k has no record"
	sensor_id[k]=$(head -n 1 "$fleet_dir/gw$k/eve.json" | jq -r .nfqd.sensor)
done
traffic 60
settle "at first"
ok "records of three sensors are in the store" none_missing "$fleet_dir/moment"
is "$(fleet gaps)" "" "without gaps"

# ---- faults, while records flow ----

grown_by() { [ "$(in_files | wc -l)" -ge "$1" ]; }
during() {	# WHAT COMMAND...: while records flow
	local flow

	traffic 150 &
	flow=$!
	until_in 120 grown_by $(($(in_files | wc -l) + 30)) || bail "no records flow"
	"${@:2}"
	wait "$flow"
	settle "$1"
}

hub_killed() { end hub1 KILL; until_in 120 grown_by $(($(in_files | wc -l) + 60)); hub_up hub1; }
during "hub 1 was killed" hub_killed
ok "a hub that is killed loses nothing" none_missing "$fleet_dir/moment"

store_kill() {
	local one all

	all="${pid[store]} $(cat "/proc/${pid[store]}/task"/*/children)"
	for one in $all; do [ "$one" -gt 1 ] && kill -KILL "$one"; done
	until_in 120 all_gone "$all"
}
store_killed() {
	store_kill
	until_in 120 grown_by $(($(in_files | wc -l) + 60))
	store_up
}
all_gone() { local one; for one in $1; do ! kill -0 "$one" 2>/dev/null || return; done; }
during "the store was killed" store_killed
ok "a store that is killed loses nothing" none_missing "$fleet_dir/moment"

# Nothing but one hub's queue has what sensors were told is safe.
hub_alone() {
	end hub2 KILL
	store_kill
	until_in 120 grown_by $(($(in_files | wc -l) + 40))
	end hub1 KILL
	hub_up hub1
	until_in 120 grown_by $(($(in_files | wc -l) + 30))
	end hub1 KILL
	hub_up hub1
	store_up
}
during "hub 1 alone was killed twice, without a store" hub_alone
ok "one hub keeps what it acknowledged" none_missing "$fleet_dir/moment"
hub_up hub2

cut() {
	nft 'add table inet cut; add chain inet cut in { type filter hook input priority 0; }
		add rule inet cut in tcp dport 20514 reject with tcp reset'
}
cut_off() {
	cut
	until_in 120 grown_by $(($(in_files | wc -l) + 60))
	nft delete table inet cut
}
during "connections were cut" cut_off
ok "a connection that is cut loses nothing" none_missing "$fleet_dir/moment"

disk_full() {
	dd if=/dev/zero of="$fleet_dir/spool/hub2/fill" bs=64k 2>/dev/null
	until_in 120 grown_by $(($(in_files | wc -l) + 80))
	rm "$fleet_dir/spool/hub2/fill"
}
during "hub 2's disk was full" disk_full
ok "a full disk on one hub loses nothing" none_missing "$fleet_dir/moment"

sensor_killed() {
	sensor_kill gw2
	sensor_up gw2 off -i lan
	shipper_up gw2
}
during "sensor gw2 was killed" sensor_killed

# what waited for the hubs in these files is lost for good
cut
traffic 50
size=$(stat -c %s "$fleet_dir/gw2/eve.json")
has_queued() { [ "$(jq -s 'map(.curr_offs) | max' "$fleet_dir"/spool/gw2/imfile-state:*)" -ge "$size" ]; }
ok "without hubs records wait on disk" until_in 120 has_queued
end gw2-ship KILL
rm "$fleet_dir"/spool/gw2/hub?.*
nft delete table inet cut
shipper_up gw2
size=$(stat -c %s "$fleet_dir/gw2/eve.json")
traffic 10
has_more() { [ "$(stat -c %s "$fleet_dir/gw2/eve.json")" -gt "$size" ]; }
until_in 120 has_more
settle "gw2 lost its queues"
ok "which leaves gaps" test "$(fleet gaps | wc -l)" -gt 0

clock $((20 * 86400))
traffic 10
clock $((-400 * 86400))
traffic 10
clock 0
settle "gw3's clock was 20 days ahead, then 400 behind"
is "$(sql -c "SELECT count(*) >= 20 FROM fleet.record_default WHERE ts > now() + interval '19 days'")" t "records of a clock that is ahead are kept"
is "$(sql -c "SELECT count(*) >= 20 FROM fleet.record_default WHERE ts < now() - interval '300 days'")" t "and of one that is behind"

# ---- what is missing is sent again ----

for k in 1 2 3; do end gw$k TERM; done
settle "all sensors have stopped"
gaps=$(fleet gaps)
diag "gaps: ${gaps:-none}"
resend() {	# by the line that gaps prints, with this test's files
	local sensor line k

	while read -r sensor _ line; do
		line=${line#nfqctl log resend } line=${line%% *}
		for k in 1 2 3; do
			[ "${sensor_id[k]}" != "$sensor" ] ||
				"$NFQCTL" log resend "$line" "$fleet_dir/gw$k/eve.json" >>"$fleet_dir/gw$k/resend.json"
		done
	done
}
[ -z "$gaps" ] || resend <<<"$gaps"
no_gaps() { [ -z "$(fleet gaps)" ]; }
ok "after resend there are no gaps" until_in 60 no_gaps || diag "$(fleet gaps)"
ok "and nothing of the files is missing" none_missing
in_files | LC_ALL=C sort >"$fleet_dir/want"
in_store | LC_ALL=C sort >"$fleet_dir/have"
diag "in the end: $(wc -l <"$fleet_dir/want") records in the files, $(wc -l <"$fleet_dir/have") in the store"
ok "the store has exactly the records of the files, once each" cmp "$fleet_dir/want" "$fleet_dir/have"
is "$(fleet clones)" "" "no place has two lines"
is "$(sql -c 'SELECT count(*) FROM fleet.refused')" 0 "nothing came that is no record"
ok "and the checkpoints hold" fleet verify
done_testing

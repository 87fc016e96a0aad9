#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what nfqd-fleet answers from the store is what the sensors' own files say; a row that was changed, dropped or
# swapped is found; a cloned sensor is told of; roles may do what they are for; a line that is none stops nothing.
set -u
. tests/lib/tap.sh
. tools/lab/fleet.sh
fleet_enter "$@"

fleet_store gw1 gw2 gw3
sensor_up gw1 1s
sensor_up gw2 off -i lan
sensor_up gw3 off -i lan
in_sensor gw1 dig +time=1 +tries=1 @192.0.2.53 s07.upd.kaspersky.com >/dev/null
for k in 2 3; do in_sensor gw$k /usr/bin/python3 tests/fleet/frames.py far 40 7 $k; done
in_sensor gw3 /usr/bin/python3 tests/fleet/frames.py far 10 3 2	# machines that moved from gw2's site
records() { grep -c '"event_type":"alert"' "$fleet_dir/$1/eve.json"; }
has_records() { [ "$(records "$1")" -ge "$2" ]; }
signed() { [ "$(grep -c '"kind":"checkpoint"' "$fleet_dir/$1/eve.json")" -ge 2 ]; }
beaten() { [ "$(grep -c '"kind":"heartbeat"' "$fleet_dir/gw1/eve.json")" -ge 2 ]; }
ok "three sensors have records" until_in 120 has_records gw1 1 && until_in 120 has_records gw2 40 && until_in 120 has_records gw3 50
for k in 1 2 3; do until_in 60 signed gw$k; done
until_in 60 beaten
for k in 1 2 3; do end gw$k TERM; done

# in one transaction, as a hub writes
feed() {	# FILE...: lines as they are, by the writer's role
	cat "$@" | sed "s/'/''/g; s/.*/SELECT fleet.take('&');/" | sql -U nfqd_writer -1 -o /dev/null -f -
}
feed "$fleet_dir"/gw?/eve.json
is "$?" 0 "the writer's role adds"
feed "$fleet_dir"/gw3/eve.json "$fleet_dir"/gw1/eve.json
is "$(sql -c 'SELECT count(*) FROM fleet.record')" "$(cat "$fleet_dir"/gw?/eve.json | wc -l)" "once each, however often they come"

# ---- the same answers as of the files ----

own() {		# GATEWAY: its own hosts
	"$NFQCTL" hosts --json --from "$fleet_dir/$1/eve.json" | jq -cS --arg g "$1" '.hosts[] + {g: $g}'
}
id_of() { head -n 1 "$fleet_dir/$1/eve.json" | jq -r .nfqd.sensor; }
by_sensor() { local k; for k in 1 2 3; do echo "$(id_of gw$k) $fleet_dir/gw$k/eve.json"; done | sort | cut -d' ' -f2 | xargs cat; }
union=$(for k in 1 2 3; do own gw$k; done | jq -cS 'del(.g)' | sort)
fleet hosts --json >"$fleet_dir/hosts"
is "$(jq -cS '.hosts[] | del(.sensor, .gateway)' "$fleet_dir/hosts" | sort)" "$union" "hosts: the union of the sensors' own"
is "$(jq -c '.hosts | group_by(.sensor) | map(length) | sort' "$fleet_dir/hosts")" "[1,7,10]" "each with its sensor"
is "$(jq .machines_at_least "$fleet_dir/hosts")" 15 "a MAC that two sensors saw is one machine"
like "$(fleet hosts)" 'at least 15 machines behind 3 sensors' "as a table"
is "$(fleet report --json | jq -S 'del(.made)')" \
	"$(by_sensor | "$NFQCTL" report --json --from - | jq -S 'del(.made)')" "report: that of all files"
is "$(fleet host mac:02:00:00:00:02:01 | grep -cE '^(== |Kaspersky: since 20)')" 4 "host: one machine, at both sensors that saw it"
is "$(fleet packs | awk '$1 == "kaspersky" { print $3 }')" 3 "packs: three sensors run the pack"
ok "verify finds nothing to say" fleet verify
is "$(fleet gaps)" "" "no gaps"
sql -c "UPDATE fleet.sensor SET every = '1 hour', beat_received = now() - interval '1 hour' WHERE every IS NOT NULL"
is "$(fleet silent | grep -c "^$(id_of gw1) ")" 0 "a sensor with a heartbeat is not silent"
is "$(fleet silent | grep -c never)" 2 "sensors without one are told of"
sql -c "UPDATE fleet.sensor SET beat_received = now() - interval '3 hours' WHERE every IS NOT NULL"
is "$(fleet silent | grep -c "^$(id_of gw1) ")" 1 "after two beats it is"

# ---- what somebody did to the store ----

gw2=$(id_of gw2)
tampered() {	# SQL PATTERN WHAT: done in the store, found, and undone
	sql -c 'CREATE TABLE kept AS SELECT * FROM fleet.record' -c "$1"
	said=$(fleet verify)
	is $? 1 "verify: $3 is found"
	like "$said" "$2" "and told where" || diag "$said"
	sql -c 'DELETE FROM fleet.record' -c 'INSERT INTO fleet.record SELECT * FROM kept' -c 'DROP TABLE kept'
}
row="sensor = '$gw2' AND boot = 1 AND seq"
tampered "UPDATE fleet.record SET line = replace(line, '\"UDP\"', '\"TCP\"') WHERE $row = 12" \
	'PROBLEM: records [0-9]+-[0-9]+ are not those that were signed' "a line that was changed"
tampered "DELETE FROM fleet.record WHERE $row = 12" 'PROBLEM: records 12-12 are missing' "a row that was dropped"
tampered "UPDATE fleet.record r SET line = o.line FROM fleet.record o WHERE r.sensor = o.sensor AND r.boot = 1 AND
	(r.seq, o.seq) IN ((12, 13), (13, 12)) AND r.sensor = '$gw2'" 'PROBLEM: .*record 12 stands after' "two rows that were swapped"
tampered "UPDATE fleet.record SET client = 'mac:02:00:00:00:02:06' WHERE $row = 12" \
	"PROBLEM: the columns are not those of the line: $gw2	1	12" "a column that was changed"
sql -c "DELETE FROM fleet.record WHERE $row BETWEEN 12 AND 15 OR $row = 20"
said=$(fleet gaps)
like "$said" "$gw2 .*: nfqctl log resend 1:12-15 >>.*nfqctl log resend 1:20-20 >>" "gaps: with the command that fills them"
"$NFQCTL" log resend 1:12-15 "$fleet_dir/gw2/eve.json" >"$fleet_dir/again"
"$NFQCTL" log resend 1:20-20 "$fleet_dir/gw2/eve.json" >>"$fleet_dir/again"
feed "$fleet_dir/again"
is "$(fleet gaps)" "" "which does"

# ---- a sensor that was cloned ----

sed -n '5{s/"UDP"/"TCP"/;p}' "$fleet_dir/gw2/eve.json" >"$fleet_dir/clone"
sed -n '6{s/"timestamp":"20../"timestamp":"2001/;p}' "$fleet_dir/gw2/eve.json" >>"$fleet_dir/clone"
feed "$fleet_dir/clone" && feed "$fleet_dir/clone"
is "$(fleet clones | sed 's/.*: //' | xargs)" "record 1:5 has 2 lines record 1:6 has 2 lines" "equal places with different lines are told of"
said=$(fleet verify)
is $? 1 "and verify fails"
like "$said" "PROBLEM: $gw2 [^ ]+: record 1:5 has 2 lines" "and says so"

# ---- lines that are none, roles, days ----

printf '%s\n' nonsense '{"nfqd":7}' '{"timestamp":"now","nfqd":{}}' '{"nfqd":{"sensor":"x","boot":1e99}}' \
	'{"timestamp":"2026-11-28T00:00:00.000000+0000","nfqd":{"sensor":"'"$gw2"'","boot":1,"seq":9,"name":"\u0000"}}' \
	"$(printf '[%.0s' {1..20000})" >"$fleet_dir/none"
ok "lines that are no records are taken" feed "$fleet_dir/none"
is "$(sql -c 'SELECT count(*) FROM fleet.refused')" 6 "and kept apart"
may() { sql -U "$1" -c "$2" >/dev/null 2>&1; }
ok "the writer cannot read" test "$(may nfqd_writer 'SELECT FROM fleet.record' && echo yes)" = ""
ok "nor delete" test "$(may nfqd_writer 'DELETE FROM fleet.record' && echo yes)" = ""
ok "the reader reads" may nfqd_reader 'SELECT FROM fleet.gaps()'
ok "but does not add" test "$(may nfqd_reader "SELECT fleet.take('x')" && echo yes)" = ""
ok "nor see what was refused" test "$(may nfqd_reader 'SELECT FROM fleet.refused' && echo yes)" = ""
ok "the auditor proves" env PGUSER=nfqd_auditor LD_LIBRARY_PATH="$fleet_libraries" tools/fleet/nfqd-fleet lines "$gw2"
sql -c "UPDATE partman.part_config SET retention = '3 days'"
sed 's/"timestamp":"[^T]*/"timestamp":"'"$(date -u -d '5 days ago' +%F)"'/; s/"boot":1/"boot":9/' "$fleet_dir/gw2/eve.json" >"$fleet_dir/old"
feed "$fleet_dir/old"
sql -c "UPDATE fleet.record SET received = now() - interval '5 days' WHERE boot = 9"
ok "days are made and dropped" sql -c 'SELECT fleet.maintain()'
is "$(sql -c 'SELECT count(*) FROM fleet.record WHERE boot = 9')" 0 "an old day is dropped"
is "$(fleet gaps)" "" "which is no gap"
is "$(sql -c "SELECT max(machines_about) FROM fleet.machines WHERE vendor = 'Kaspersky'")" 15 "machines of a day, as a sketch"
is "$(sql -c 'SELECT count(*) FROM cron.job')" 1 "and a job does it every night"
ok "migrating again changes nothing" fleet migrate
done_testing

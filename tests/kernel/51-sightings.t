#!/bin/bash
# Proves: the running daemon keeps sightings. The database, the log and the capture of the same traffic name the same
# machines with the same times and counts; a killed process or daemon loses nothing that was committed, and takes the
# rest after it; what is damaged is moved aside and made again from the log.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq sqlite3

ask() { in_client dig +time=1 +tries=1 "$1" "@${2:-1.1.1.1}" | grep -q 'status: NXDOMAIN'; }
nothing_refuses() { in_client dig +time=2 +tries=2 "$1" @1.1.1.1 | grep -q 'status: NOERROR'; }
hosts() { nfqd_ctl hosts --json "$@" 2>&1; }
refused() { hosts | jq '[.hosts[].refused] | add // 0' 2>/dev/null; }
has_refused() { [ "$(refused)" = "$1" ]; }
process() { nfqd_ctl status --json | jq .sightings.pid; }
another_process() { [ "$(process)" -gt 0 ] && [ "$(process)" != "$before" ]; }
counts_of() { jq -c '.hosts |= map(del(.name, .name_from))'; } # a log has no leases
counts() { hosts | counts_of; }
from_log() { hosts --from "$lab_dir/eve.json"; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
DB=$lab_dir/sightings/sightings.db
echo "0 $(ip -n "$LAB_CLIENT" -br link show eth0 | awk '{ print $3 }') 10.1.0.2 reception-pc *" >"$lab_dir/leases"
plain_conf=$(declare -f nfqd_conf)
eval "lab${plain_conf}"
nfqd_conf() { labnfqd_conf "$@"; echo "sightings: {leases: [$lab_dir/leases], names: [10.1.0.2 front-desk]}"; }
nfqd_start || bail "nfqd does not start: $(tail -n 3 "$lab_dir/nfqd.log")"
ok "nobody has called yet" lab_wait 15 has_refused 0
for n in 0 1 2; do ask s0$n.upd.kaspersky.com || echo "# s0$n passes"; done
ask downloads.upd.kaspersky.com 8.8.8.8
ok "four questions are four sightings" lab_wait 10 has_refused 4
is "$(counts)" "$(from_log | counts_of)" "hosts by the database is hosts by the log"
is "$(nfqd_ctl host "$(hosts | jq -r '.hosts[0].id')" --json | jq -c '[.names[].name] | sort')" \
	'["downloads.upd.kaspersky.com","s00.upd.kaspersky.com","s01.upd.kaspersky.com","s02.upd.kaspersky.com"]' "its names"

has_name() { hosts | jq -e '.hosts[0] | .name == "front-desk" and .name_from == "site"' >/dev/null; }
ok "its name is the site's own, which stands above its DHCP lease's" lab_wait 30 has_name
mac=$(hosts | jq -r '.hosts[0].macs[0]')
is "$(nfqd_ctl allow s17.upd.kaspersky.com --client reception-pc --for 1h --reason 'case 4711' --json 2>"$lab_dir/said" | jq -r .exception.client) $(<"$lab_dir/said")" \
	"$mac nfqctl allow: mac:$mac is $mac" "allow --client: a machine's name stands for its MAC, and that is said"
ok "for that machine it passes" nothing_refuses s17.upd.kaspersky.com
is "$(nfqd_ctl why s17.upd.kaspersky.com --client reception-pc --json 2>/dev/null | jq -r .action)" allow "why --client knows it by that name"
said=$(nfqd_ctl allow s18.upd.kaspersky.com --client tims-laptop --for 1h --reason x 2>&1)
like "$? $said" "^2 .*'tims-laptop' is not .*no machine has the id, address, MAC or name 'tims-laptop'" "a name that no machine has is refused"
nfqd_ctl exceptions --revoke s17.upd.kaspersky.com >/dev/null
pid=$(process)
is "$(stat -c %U:%a "$lab_dir/sightings" | cut -d: -f2)" 750 "the folder is not for others"
is "$(awk '/^Uid:/ { print ($2 != 0 && $3 != 0) }' "/proc/$pid/status")$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" \
	"10000000000000000$([[ $NFQD == *asan* ]] && echo 0 || echo 2)" "its process is not root, has no capability, and few system calls"
is "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -c %d:%i "$lab_dir/sightings")" "and sees its folder alone"

before=$pid
kill -STOP "$pid"
ask s03.upd.kaspersky.com
kill -KILL "$pid"
ok "when it is killed, another one follows" lab_wait 15 another_process
ok "and takes what waited" lab_wait 10 has_refused 5
is "$(counts)" "$(from_log | counts_of)" "which is still what the log says"

lab_end nfqd KILL
nfqd_start || bail "nfqd does not start after it was killed"
ask s04.upd.kaspersky.com
ok "the next boot goes on" lab_wait 10 has_refused 6
is "$(counts)" "$(from_log | counts_of)" "with what the log says of both"
nfqd_stop
is "$(hosts --db "$DB" | jq .machines_at_least)" 1 "without a daemon the database is read"

head -c 8192 /dev/zero | tr '\0' x >"$DB"
rm -f "$DB-wal" "$DB-shm"
nfqd_start || bail "nfqd does not start with a damaged database"
ask s05.upd.kaspersky.com
ok "a damaged database is moved aside" lab_wait 10 test -s "$DB.damaged"
ok "and a new one begins" lab_wait 10 has_refused 1
like "$(cat "$lab_dir/nfqd.log")" 'sightings.*moved aside.*rebuild' "which is said"
is "$(nfqd_ctl status --json | jq -c '.sightings | [.storage, .moved_aside, .missed]')" '["disk",true,0]' "also in status"
ok "nfqctl sightings rebuild makes it of the log" nfqd_ctl sightings rebuild "$lab_dir/eve.json"
is "$(counts)" "$(from_log | counts_of)" "and it has all again"
ask s06.upd.kaspersky.com
ok "and goes on" lab_wait 10 has_refused 8
is "$(counts)" "$(from_log | counts_of)" "as the log does"

# whoever has the folder cannot make root write elsewhere, and a rebuild that is killed holds nothing
mkfifo "$lab_dir/slow.json"
nfqd_ctl sightings rebuild "$lab_dir/slow.json" >"$lab_dir/rebuild.out" 2>&1 &
rebuild=$!
in_place() { [ -d "$lab_dir/sightings.rebuild" ]; }
ok "a rebuild that waits for its log makes its file beside the folder" lab_wait 10 in_place
like "$(nfqd_ctl sightings rebuild "$lab_dir/eve.json" 2>&1)" 'being rebuilt already' "another one is told so"
[ "$rebuild" -gt 1 ] && for child in $(pgrep -P "$rebuild") "$rebuild"; do kill -KILL "$child"; done
wait "$rebuild" 2>/dev/null
ask s07.upd.kaspersky.com
ok "when it is killed, its hold ends" lab_wait 15 has_refused 9
like "$(cat "$lab_dir/nfqd.log")" 'whoever rebuilt the database ended' "which is said"
rm -f "$lab_dir/sightings/rebuild.lock"
ln -s "$lab_dir/victim" "$lab_dir/sightings/rebuild.lock"
nfqd_ctl sightings rebuild "$lab_dir/eve.json" >/dev/null 2>&1
is "$?$(test -e "$lab_dir/victim" && echo written)" 1 "a link in the folder is not followed"
rm -f "$lab_dir/sightings/rebuild.lock"
ln -s "$lab_dir/victim" "$lab_dir/sightings/sightings.db.new"
nfqd_ctl sightings rebuild "$lab_dir/eve.json" >/dev/null
is "$?$(test -e "$lab_dir/victim" && echo written)" 0 "nor one in the new file's place, which is replaced"
is "$(counts)$(ls -d "$lab_dir/sightings.rebuild" 2>/dev/null)" "$(from_log | counts_of)" "and all is there, and nothing is left beside it"
nfqd_stop

# in memory: a file system of its own stands for /run, so that the machine's is left alone
nfqd_conf() { labnfqd_conf "$@"; echo "sightings: {storage: memory}"; }
nfqd_conf >"$lab_dir/nfqd.yaml"
# shellcheck disable=SC2016 # the inner shell's
lab_spawn nfqd "$LAB_ROUTER" unshare -m sh -c 'mkdir -p /run/nfqd && mount -t tmpfs tmpfs /run/nfqd && exec "$0" -c "$1"' \
	"$NFQD" "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start with storage: memory"
is "$(nfqd_ctl status --json | jq -c '.sightings | [.storage, .path]')" '["memory","/run/nfqd/sightings/sightings.db"]' "storage: memory: status says where it is"
in_memory() { nsenter -t "$(nfqd_worker)" -m -n "$(realpath "$NFQCTL")" -s "$lab_dir/control.sock" hosts --json; }
counts_in_memory() { [ "$(in_memory | jq '[.hosts[].refused] | add // 0')" = 1 ]; }
ask s08.upd.kaspersky.com
ok "and hosts has what came since" lab_wait 15 counts_in_memory
nfqd_stop

nfqd_conf() { labnfqd_conf "$@"; echo "sightings: {storage: off}"; }
nfqd_start || bail "nfqd does not start with storage: off"
is "$(nfqd_ctl status --json | jq -c .sightings)" '{"storage":"off"}' "storage: off: status says so"
like "$(nfqd_ctl hosts 2>&1; echo "exit $?")" 'keeps no sightings .sightings.storage is off.' "and hosts"
ask s09.upd.kaspersky.com
is "$(from_log | jq '.hosts[0].refused > 1')" true "which has them from the log"
nfqd_stop
done_testing

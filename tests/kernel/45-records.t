#!/bin/bash
# Proves: (sensor, boot, seq) names a record. The sensor stays over restarts and a killed worker, a start
# raises the boot and numbers from 1, a new worker goes on where the dead one ended.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq

ask() { in_client dig +time=1 +tries=1 "s0$1.upd.kaspersky.com" "@1.1.1.1" | grep -q 'status: NXDOMAIN'; }
alerts() { jq -rs "map(select(.event_type == \"alert\")) | $1" "$lab_dir/eve.json"; }
another_worker() { [ "$(nfqd_worker)" -gt 0 ] && [ "$(nfqd_worker)" != "$worker" ]; }

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
nfqd_start || bail "nfqd does not start"
ok "a listed name is refused" ask 0
lab_wait 3 nfqd_has_records 1 '.event_type == "alert"'
worker=$(nfqd_worker)
kill -KILL "$worker"
lab_wait 10 another_worker
ok "and by the next worker" lab_wait 5 ask 1
nfqd_stop
nfqd_start || bail "nfqd does not start again"
ok "and after a restart" ask 2
nfqd_stop
is "$(alerts 'map(.nfqd.sensor) | unique | length')" 1 "one sensor"
is "$(alerts '.[0].nfqd.sensor | test("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")')" true "with a random UUID"
is "$(alerts 'map(.nfqd.boot) | unique | join(" ")')" "1 2" "two boots"
is "$(jq -rs 'group_by(.nfqd.boot) | map(map(.nfqd.seq) == [range(1; length + 1)]) | unique | join(" ")' "$lab_dir/eve.json")" true \
	"every boot numbers its records from 1 without a gap, over the death of a worker"
is "$(alerts 'map([.host, .nfqd.source]) | unique | map(join(" ")) | join(",")')" "$(in_router hostname) queue" "host and source"
done_testing

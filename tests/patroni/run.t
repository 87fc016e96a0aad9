#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: with Patroni and etcd three nodes hold the store; the leader is killed with kill -9 while records flow, and
# what the next one has in the end is exactly the records of the sensor's file, once each.
set -u
. tests/lib/tap.sh
. tools/lab/fleet.sh
fleet_enter "$@"

fleet_begin gw1
unpacked=$fleet_dir/unpacked
node() {	# NUMBER: Patroni and its PostgreSQL
	local folder=$fleet_dir/node$1

	mkdir -p "$folder" && chown 65534:65534 "$folder"
	sed "s|^name:.*|name: store$1|; s|127.0.0.1:8008|127.0.0.3$1:8008|; s|127.0.0.1:5432|127.0.0.3$1:5432|
		s|data_dir:.*|data_dir: $folder/data|; s|bin_dir:.*|bin_dir: $pg_bin|; s|samenet scram-sha-256|127.0.0.0/8 trust|
		/^postgresql:/a\\  pgpass: $folder/pgpass\\n  parameters: {unix_socket_directories: \"$folder\"}" \
		tools/fleet/patroni.yaml >"$fleet_dir/node$1.yaml"
	spawn "node$1" as_nobody env HOME="$folder" PYTHONPATH="$unpacked/usr/lib/python3/dist-packages" \
		/usr/bin/python3 "$unpacked/usr/bin/patroni" "$fleet_dir/node$1.yaml"
}
node_kill() {	# NUMBER: all of its processes
	local folder=$fleet_dir/node$1 one all

	all="${pid[node$1]} $(head -n 1 "$folder/data/postmaster.pid")"
	all="$all $(cat "/proc/${all##* }/task"/*/children)"
	for one in $all; do [ "$one" -gt 1 ] && kill -KILL "$one"; done
	unset "pid[node$1]"
}
leader() { for n in 1 2 3; do curl -fs -o /dev/null "http://127.0.0.3$n:8008/primary" && echo $n; done | head -n 1; }
has_leader() { [ -n "$(leader)" ]; }
another_leader() { has_leader && [ "$(leader)" != "$first" ]; }
synced() { [ "$(sql -c "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")" -ge 1 ]; }

mkdir "$fleet_dir/etcd"
spawn etcd "$unpacked/usr/bin/etcd" --data-dir "$fleet_dir/etcd" --log-level error
node 1
ok "a first node leads" until_in 120 has_leader || diag "$(tail -n 15 "$fleet_dir/node1.log" "$fleet_dir/etcd.log")"
node 2
node 3
export PGHOST=127.0.0.31,127.0.0.32,127.0.0.33 PGUSER=postgres PGDATABASE=nfqd PGTARGETSESSIONATTRS=read-write PGCONNECT_TIMEOUT=3
sql -d postgres -c 'CREATE DATABASE nfqd' || bail "no database"
said=$(fleet migrate 2>&1) || bail "schema: $said"
ok "another one follows, and is waited for" until_in 180 synced || diag "$(tail -n 5 "$fleet_dir"/node?.log)"
HUB_CHANGE="s|postgresql:///nfqd?host=[^\"]*|postgresql://nfqd_writer@127.0.0.31,127.0.0.32,127.0.0.33/nfqd?target_session_attrs=read-write\&connect_timeout=3|"
hub_up hub1
hub_up hub2
sensor_up gw1 off -i lan
shipper_up gw1
traffic() { in_sensor gw1 /usr/bin/python3 tests/fleet/frames.py far "$1" 12 1; }
in_store() { sql -c 'SELECT count(*) FROM fleet.record' 2>/dev/null || echo 0; }
has() { [ "$(in_store)" -ge "$1" ]; }

traffic 50
ok "records arrive" until_in 120 has 50
traffic 400 &
flow=$!
until_in 120 has 100
first=$(leader) before=$(in_store)
node_kill "$first"
diag "killed store$first with $before records in it"
ok "another node leads" until_in 180 another_leader || diag "$(tail -n 5 "$fleet_dir"/node?.log)"
wait "$flow"
traffic 20
end gw1 TERM
in_file() { wc -l <"$fleet_dir/gw1/eve.json"; }
ok "records arrive at the next leader" until_in 180 has "$(in_file)"
LC_ALL=C sort "$fleet_dir/gw1/eve.json" >"$fleet_dir/want"
fleet lines | LC_ALL=C sort >"$fleet_dir/have"
diag "store$(leader) leads: $(wc -l <"$fleet_dir/want") records in the file, $(wc -l <"$fleet_dir/have") in the store"
ok "exactly the records of the file, once each" cmp "$fleet_dir/want" "$fleet_dir/have"
is "$(fleet gaps)" "" "without gaps"
node "$first"
follows() { [ "$(sql -c 'SELECT count(*) FROM pg_stat_replication')" = 2 ]; }
ok "the killed one comes back as a follower" until_in 180 follows || diag "$(tail -n 5 "$fleet_dir/node$first.log")"
done_testing

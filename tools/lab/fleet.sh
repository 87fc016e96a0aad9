# shellcheck shell=bash disable=SC2154	# the test's own
# A fleet on one machine: sensors (nfqd and rsyslog), two hubs (rsyslog) and PostgreSQL, all of them real, in network,
# mount and process namespaces of the test's own: when the test ends, however it ends, everything of it ends.
#
#	fleet_enter "$@"		the first line of a test
#	fleet_store SENSOR...		certificates and database
#	fleet_up SENSOR...		and the hubs; shipper_up SENSOR starts its rsyslog
#	sensor_up NAME ARGUMENT...	its nfqd in a network namespace of its own
#
# To be sourced after tap.sh.

fleet_repo=$PWD NFQD=${NFQD:-$PWD/build/nfqd} NFQCTL=${NFQCTL:-$PWD/build/nfqctl}
fleet_enter() {
	need unshare nsenter ip nft jq setpriv mount
	[ -z "${FLEET_INSIDE:-}" ] || return 0
	FLEET_INSIDE=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc "$BASH" "$0" "$@"
}

# ---- waiting and processes -----------------------------------------------------------------

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
until_in() {	# SECONDS COMMAND...
	local end=$(($(now_ms) + $1 * 1000))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt $end ] || return 1
		sleep 0.1
	done
}

declare -A pid=()
spawn() {	# NAME COMMAND...
	local name=$1

	shift
	"$@" >>"$fleet_dir/$name.log" 2>&1 </dev/null &
	pid[$name]=$!
	disown	# a job that is killed is not worth a line
}
alive() { [ -n "${pid[$1]:-}" ] && kill -0 "${pid[$1]}" 2>/dev/null; }
dead() { ! alive "$1"; }
end() {		# NAME SIGNAL
	[ "${pid[$1]:-0}" -gt 1 ] || return
	kill -"$2" "${pid[$1]}" 2>/dev/null
	until_in 60 dead "$1" || kill -KILL "${pid[$1]}"
	unset "pid[$1]"
}

# ---- programs: installed ones, with the modules that tools/deps unpacked beside them -------

fleet_programs() {
	local lib=$fleet_dir/unpacked f

	mkdir -p "$lib"
	[ ! -d build/unpacked ] || mount --bind build/unpacked "$lib"
	for f in "$lib"/usr/lib/*-linux-gnu "$lib"/lib/*-linux-gnu; do
		[ ! -d "$f" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$f
	done
	fleet_libraries=$LD_LIBRARY_PATH
	unset LD_LIBRARY_PATH
	rsyslogd=$(printf '%s\n' "$lib"/usr/sbin/rsyslogd /usr/sbin/rsyslogd | while read -r f; do [ ! -x "$f" ] || echo "$f"; done | head -n 1)
	rsyslog_modules=$(printf '%s:' /usr/lib/*-linux-gnu/rsyslog "$lib"/usr/lib/*-linux-gnu/rsyslog)
	[ -x "$rsyslogd" ] || bail "rsyslogd is not here (make deps-test)"
	# PostgreSQL finds its extensions beside its program: one tree of both places
	mkdir -p "$fleet_dir/pg"
	for f in /usr/lib/postgresql /usr/share/postgresql "$lib/usr/lib/postgresql" "$lib/usr/share/postgresql"; do
		[ ! -d "$f" ] || { mkdir -p "$fleet_dir/pg/${f#"$lib"}" && cp -rsf "$f/." "$fleet_dir/pg/${f#"$lib"}"; }
	done
	pg_bin=$fleet_dir/pg/usr/lib/postgresql/15/bin
	for f in postgres initdb psql; do
		[ -e "$pg_bin/$f" ] || bail "$f is not here (make deps-test)"
		cp --remove-destination "$(readlink -f "$pg_bin/$f")" "$pg_bin/$f"
	done
	export PATH=$pg_bin:$PATH:$lib/usr/bin
}
with_libraries() { LD_LIBRARY_PATH=$fleet_libraries exec "$@"; }

# ---- PostgreSQL ----------------------------------------------------------------------------

as_nobody() { exec setpriv --reuid=65534 --regid=65534 --clear-groups env -C / LD_LIBRARY_PATH="$fleet_libraries" "$@"; }
sql() { LD_LIBRARY_PATH=$fleet_libraries psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
store_up() {
	spawn store as_nobody "$pg_bin/postgres" -D "$fleet_dir/store"
	until_in 60 sql -d postgres -c 'SELECT 1' || bail "PostgreSQL does not start: $(tail -n 5 "$fleet_dir/store.log")"
}
store_make() {
	mkdir -p "$fleet_dir/store" "$fleet_dir/sock"
	chown 65534:65534 "$fleet_dir/store" "$fleet_dir/sock"
	(as_nobody "$pg_bin/initdb" -D "$fleet_dir/store" -U fleet -E UTF8 --locale=C -A trust >"$fleet_dir/initdb.log" 2>&1) ||
		bail "initdb: $(tail -n 5 "$fleet_dir/initdb.log")"
	cat >>"$fleet_dir/store/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$fleet_dir/sock'
		shared_preload_libraries = 'pg_cron'
		cron.database_name = 'nfqd'
		cron.use_background_workers = on
		timezone = 'UTC'
		log_timezone = 'UTC'
	END
	export PGHOST=$fleet_dir/sock PGUSER=fleet PGDATABASE=nfqd
	store_up
	sql -d postgres -c 'CREATE DATABASE nfqd' || bail "no database"
}

# ---- rsyslog: the configuration that a site copies, with this test's places ----------------

hub_address() { echo "127.0.0.$((20 + ${1#hub}))"; }
hub_up() {	# NAME
	local spool=$fleet_dir/spool/$1

	mkdir -p "$spool"
	sed "s|/var/lib/nfqd-fleet|$spool|; s|/etc/nfqd/fleet/hub|$fleet_dir/keys/$1|g; s|/etc/nfqd/fleet|$fleet_dir/keys|g
		s|port=\"20514\"|& address=\"$(hub_address "$1")\"|; s|host=/run/postgresql|host=$fleet_dir/sock|
		s|action.resumeInterval=\"[0-9]*\" action.resumeIntervalMax=\"[0-9]*\"|action.resumeInterval=\"1\" action.resumeIntervalMax=\"1\"|
		${HUB_CHANGE:-}" tools/fleet/hub.conf >"$fleet_dir/$1.conf"
	spawn "$1" with_libraries "$rsyslogd" -n -i NONE -M "$rsyslog_modules" -f "$fleet_dir/$1.conf"
}
shipper_up() {	# SENSOR
	local spool=$fleet_dir/spool/$1 log=$fleet_dir/$1

	mkdir -p "$spool" "$log"
	touch "$log/resend.json"
	sed "s|/var/lib/nfqd-fleet|$spool|; s|/etc/nfqd/fleet/sensor|$fleet_dir/keys/$1|g; s|/etc/nfqd/fleet|$fleet_dir/keys|g
		s|/var/log/nfqd|$log|; s|hub1.example.org|$(hub_address hub1)|; s|hub2.example.org|$(hub_address hub2)|
		s|action.resumeInterval=\"[0-9]*\" action.resumeIntervalMax=\"[0-9]*\"|action.resumeInterval=\"1\" action.resumeIntervalMax=\"1\"|
		s|timeout=\"20\"|timeout=\"5\"|
		${SENSOR_CHANGE:-}" tools/fleet/sensor.conf >"$fleet_dir/$1.conf"
	spawn "$1-ship" with_libraries "$rsyslogd" -n -i NONE -M "$rsyslog_modules" -f "$fleet_dir/$1.conf"
}

# ---- the whole -----------------------------------------------------------------------------

fleet_down() {
	local name

	for name in "${!pid[@]}"; do [ "${pid[$name]}" -gt 1 ] && kill -KILL "${pid[$name]}" 2>/dev/null; done
	umount -l "$fleet_dir/unpacked" "$fleet_dir"/spool/* 2>/dev/null
	rm -rf "$fleet_dir"
}
keys_make() {	# SENSOR...
	local name

	with_libraries_run tools/fleet/certificates ca "$fleet_dir/keys" || return
	for name in hub1 hub2; do with_libraries_run tools/fleet/certificates hub $name "$fleet_dir/keys" || return; done
	for name; do with_libraries_run tools/fleet/certificates sensor "$name" "$fleet_dir/keys" || return; done
}
with_libraries_run() { LD_LIBRARY_PATH=$fleet_libraries "$@"; }
fleet_begin() {	# SENSOR...: programs and certificates
	fleet_dir=$(mktemp -d) && chmod 755 "$fleet_dir" || exit 99
	trap fleet_down EXIT
	trap 'exit 143' TERM INT
	ip link set lo up
	fleet_programs
	said=$(keys_make "$@" 2>&1) || bail "certificates: $said"
}
fleet_store() {	# SENSOR...: certificates and database
	fleet_begin "$@"
	store_make
	said=$(fleet migrate 2>&1) || bail "schema: $said"
}
fleet_up() {	# SENSOR...
	fleet_store "$@"
	mkdir -p "$fleet_dir/spool/hub2"
	[ -z "${HUB2_DISK:-}" ] || mount -t tmpfs -o "size=$HUB2_DISK" none "$fleet_dir/spool/hub2" || bail "no tmpfs"
	hub_up hub1
	hub_up hub2
}
fleet() { NFQCTL=$NFQCTL with_libraries_run tools/fleet/nfqd-fleet "$@"; }

# ---- sensors: nfqd in a network namespace of its own ---------------------------------------

sensor_net() {	# NAME: "lan" in it, with a neighbour who never answers
	local here

	here=$(readlink /proc/self/ns/net)
	spawn "$1-net" unshare --net sleep infinity
	until_in 10 sensor_has_net "$1" "$here" || bail "no network namespace"
	in_sensor "$1" ip link set lo up &&
		in_sensor "$1" ip link add lan type veth peer name far && in_sensor "$1" ip link set far up &&
		in_sensor "$1" ip addr add 192.0.2.1/24 dev lan && in_sensor "$1" ip link set lan up &&
		in_sensor "$1" ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:53 dev lan nud permanent
}
sensor_has_net() { [ "$(readlink "/proc/${pid[$1-net]}/ns/net")" != "$2" ]; }
in_sensor() { nsenter -t "${pid[$1-net]}" -n "${@:2}"; }
sensor_conf() {	# NAME HEARTBEAT
	cat <<-END
		mode: enforce
		rules: [$fleet_repo/rules/kaspersky.yaml]
		policies:
		  - name: banned-vendors
		    match: {packs: [kaspersky]}
		    action: stage
		    dns: nxdomain
		control: $fleet_dir/$1/control.sock
		state: $fleet_dir/$1/state.json
		heartbeat: $2
		log:
		  checkpoint: 1s
		  outputs: [{type: file, path: $fleet_dir/$1/eve.json}]
	END
}
sensor_up() {	# NAME HEARTBEAT [OPTION...]
	local name=$1 ready

	mkdir -p "$fleet_dir/$name"
	[ "${pid[$name-net]:-}" ] || sensor_net "$name"
	sensor_conf "$name" "$2" >"$fleet_dir/$name/nfqd.yaml"
	ready=$(grep -c '^nfqd: ready' "$fleet_dir/$name.log" 2>/dev/null)
	spawn "$name" nsenter -t "${pid[$name-net]}" -n ${SENSOR_ENV:+env $SENSOR_ENV} \
		"$NFQD" -c "$fleet_dir/$name/nfqd.yaml" "${@:3}"
	until_in 60 sensor_is_ready "$name" "${ready:-0}" || bail "nfqd does not start: $(tail -n 3 "$fleet_dir/$name.log")"
}
sensor_is_ready() { [ "$(grep -c '^nfqd: ready' "$fleet_dir/$1.log")" -gt "$2" ]; }
sensor_kill() {	# NAME: all of its processes, as a power cut does
	local one all

	all="${pid[$1]} $(cat "/proc/${pid[$1]}/task"/*/children)"
	for one in $all ${pid[$1-ship]:-}; do [ "$one" -gt 1 ] && kill -KILL "$one"; done
	until_in 30 dead "$1"
	until_in 30 dead "$1-ship"
	unset "pid[$1]" "pid[$1-ship]"
}

#!/bin/bash
# Proves: the worker inspects, refuses and records with CAP_NET_ADMIN alone, the resolver works with no more, and
# neither can get another; the daemon does all it has to with those that its systemd unit leaves it.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl setpriv capsh "$LAB_PYTHON"

# Inheritable, permitted, effective and ambient, and whether execve(2) can give it more.
sets() {	# PID
	local set value

	for set in Inh Prm Eff Amb; do
		value=$(capsh --decode="$(awk -v s="Cap$set:" '$1 == s { print $2 }' "/proc/$1/status")")
		value=${value#*=}
		printf '%s ' "${value:-none}"
	done
	awk '/^NoNewPrivs/ { print "no_new_privs " $2 }' "/proc/$1/status"
}

# With the prefilter the unit has what nfqd(8) adds to it.
PREFILTER=
[[ ,${NFQD_STEER:-}, == *,prefilter,* ]] && PREFILTER=nfqd/man/nfqd.8
unit_caps() { nfqd_unit_caps $PREFILTER; }
bounds() { nfqd_unit_bounds $PREFILTER; }

works() {	# TITLE
	local v

	for v in 4 6; do
		field_refused $v "$1"
	done
	lab_wait 2 nfqd_has_records 8
	is "$(nfqd_records)" 8 "$1: each is recorded"
}

processes() {	# TITLE
	is "$(sets "$(status .worker_pid)")" "none cap_net_admin cap_net_admin none no_new_privs 1" "$1: the worker has CAP_NET_ADMIN alone"
	is "$(sets "$(status .resolver.pid)")" "none cap_net_admin cap_net_admin none no_new_privs 1" "$1: so has the resolver"
	is "$("$LAB_PYTHON" tests/lib/sockets.py "$(status .worker_pid)")" \
		"inet raw, inet6 raw, netlink netfilter, netlink route, netlink xfrm, packet, unix" "$1: the sockets that the worker can send on"
}

# What the kernel says to a verdict of a process with these capabilities, on a socket that root made.
verdict() {	# CAPABILITIES
	in_router "$LAB_PYTHON" tests/lib/verdict.py bind setpriv --reuid=60700 --regid=60700 --clear-groups --inh-caps "$1" \
		--ambient-caps "$1" --bounding-set "$1" "$LAB_PYTHON" tests/lib/verdict.py send
}

field_up plain
is "$(verdict -all)" EPERM "without CAP_NET_ADMIN the kernel takes no verdict, whoever made the socket"
is "$(verdict -all,+net_admin)" ENOENT "with it alone it does"
field_nfqd
processes "as root"
works "as root"
nfqd_stop
is $? 0 "as root: nfqd stops"

rm -f "$lab_dir/eve.json"
nfqd_conf >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" setpriv --bounding-set "$(bounds)" --inh-caps -all "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead
nfqd_says_ready || bail "nfqd does not start with $(bounds): $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(awk '/^CapEff/ { print $2 }' "/proc/${lab_pid[nfqd]}/status" | xargs -I{} capsh --decode={} | sed 's/.*=//' | tr , '\n' | sort | xargs)" \
	"$(unit_caps | tr 'A-Z ' 'a-z\n' | sort | xargs)" "as the unit starts it: the daemon has the unit's capabilities"
processes "as the unit starts it"
works "as the unit starts it"
ok "as the unit starts it: a reload" nfqd_ctl reload
nfqd_ctl allow s09.upd.kaspersky.com --client "${LAB_HOST[4]}" --for 1h --reason 'case 4711' >/dev/null
like "$(in_client dig +time=2 +tries=3 s09.upd.kaspersky.com "@${LAB_OWN[4]}")" 'NOERROR' "as the unit starts it: it tells the resolver's sockets from others"
worker=$(nfqd_worker)
in_router kill -KILL "$worker"
another() { status_says ".worker_pid > 0 and .worker_pid != $worker"; }
ok "as the unit starts it: a killed worker is replaced" lab_wait 10 another
processes "as the unit starts it, again"
nfqd_stop
is "$? $(nfqd_left)" "0 " "as the unit starts it: nfqd stops, and nothing of it is left"
is "$(grep -ciE 'not permitted|permission denied' "$lab_dir/nfqd.log")" 0 "as the unit starts it: nothing was refused to it"
lab_down
done_testing

# shellcheck shell=bash disable=SC2154,SC2016	# lab_dir is from net.sh; $ is for awk
# Running nfqd in the router of net.sh, and looking at what it did. To be sourced
# after net.sh.
#
#	nfqd_conf [MODE [FAIL]] > FILE	a configuration for this lab
#	nfqd_start, nfqd_stop		in the foreground of the router's namespace
#
# LAB_FAIL is FAIL where none is given. LAB_WITHOUT_NFQD=1 starts nothing: what is then still "blocked" proves a test wrong.

NFQD=${NFQD:-$LAB_REPO/build/nfqd} NFQCTL=${NFQCTL:-$LAB_REPO/build/nfqctl}

# The library of the sanitizer that nfqd is built with; empty without one. It must be loaded before any other.
sanitizer_runtime() { ldd "$NFQD" | awk '/lib[at]san\.so/ { print $3 }'; }

nfqd_conf() {
	cat <<-END
		mode: ${1:-enforce}
		fail: ${2:-${LAB_FAIL:-open}}
		rules: [$LAB_REPO/rules/kaspersky.yaml]
		policies:
		  - name: banned-vendors
		    match: {packs: [kaspersky]}
		    action: stage
		    dns: nxdomain
		default: allow
		control: $lab_dir/control.sock
		state: $lab_dir/state.json
		heartbeat: off
		log:
		  events: ${3:-matches}
		  outputs: [{type: file, path: $lab_dir/eve.json}]
	END
}

# With NFQD_STEER=prefilter the kernel's programs know within two seconds that nfqd is gone.
nfqd_is_forgotten() { [[ ,${NFQD_STEER:-}, != *,prefilter,* ]] || sleep 2.1; }

nfqd_says_ready() { grep -q '^nfqd: ready' "$lab_dir/nfqd.log"; }
nfqd_ready_or_dead() { nfqd_says_ready || lab_dead nfqd; }

# nfqd_start [MODE [FAIL [EVENTS]]]: returns when it is ready; fails when it ended instead
nfqd_start() {
	[ -z "${LAB_WITHOUT_NFQD:-}" ] || { touch "$lab_dir/eve.json"; return 0; }
	nfqd_conf "$@" >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml" || return
	lab_wait 60 nfqd_ready_or_dead && nfqd_says_ready
}

nfqd_stop() { lab_end nfqd TERM; }

nfqd_ctl() { in_router "$NFQCTL" -s "$lab_dir/control.sock" "$@"; }

# Nothing while there is none: kill(1) takes 0 for its own process group, and -1 for every process of the machine.
nfqd_worker() { nfqd_ctl status --json 2>/dev/null | jq -e '.worker_pid | select(. > 0)'; }

# Packets queued so far, and packets the kernel or the reader lost, over all queues.
nfqd_queued() { in_router awk '{ n += $8 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue; }
nfqd_lost() { in_router awk '{ n += $6 + $7 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue; }

# The records of traffic, without those of the daemon itself.
nfqd_log() { jq -c 'select(.event_type != "nfqd")' "$lab_dir/eve.json"; }

# nfqd_records [FILTER]: how many records of traffic match a jq condition; without one, all
nfqd_records() { nfqd_log | jq -c "select(${1:-true})" | wc -l; }

nfqd_has_records() { [ "$(nfqd_records "${@:2}")" -ge "$1" ]; }	# AT-LEAST [FILTER]

# What is left of nfqd in the router's kernel: its tables and rules, one per line.
nfqd_left() {
	in_router nft list tables | grep nfqd
	in_router iptables-legacy-save 2>/dev/null | grep 'comment nfqd'
	in_router ip6tables-legacy-save 2>/dev/null | grep 'comment nfqd'
	in_router iptables-nft-save 2>/dev/null | grep 'comment nfqd'
	in_router ip6tables-nft-save 2>/dev/null | grep 'comment nfqd'
}

# Connections with their marks and labels, and how many carry a state of nfqd's (labels 100 to 127).
nfqd_states() { in_router "$LAB_PYTHON" "$LAB_REPO/tests/lib/labels.py"; }
nfqd_labelled() { nfqd_states | grep -cE 'labels=(.*,)?1(0[0-9]|1[0-9]|2[1-7])(,|$)'; }

# nfqd_unit_caps [FILE...]: the capabilities that the unit leaves the daemon, and those that more files give it
nfqd_unit_caps() { sed -n 's/^CapabilityBoundingSet=//p' nfqd/man/nfqd.service "$@" | paste -sd' '; }
# The same as setpriv writes them: -all,+net_admin,...
nfqd_unit_bounds() { nfqd_unit_caps "$@" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g; s/^/-all,/'; }

#!/bin/bash
# Proves: nfqd calls no program of iptables and so waits for none of their locks; a large table of other programs' is
# nothing to it; and while another program's long nft transaction is under way packets are judged, requests are
# answered, a dead worker is replaced, nothing is taken for removed, and what had to wait is made afterwards.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl iptables-legacy iptables-legacy-restore mount "$LAB_PYTHON"

RULES=60000	# of the other program: a second of the kernel's time

# Programs of iptables that only tell that they were called, seen by nfqd alone: ip netns exec has its own mounts.
# shellcheck disable=SC2016	# for the inner shell
TRAPPED='for at in /usr/sbin/xtables-legacy-multi /usr/sbin/xtables-nft-multi; do mount --bind "$0" $at; done; exec "$@"'

trap_programs() {
	printf '#!/bin/sh\necho "$0 $*" >>%s\n' "$lab_dir/called" >"$lab_dir/trap"
	chmod +x "$lab_dir/trap"
	: >"$lab_dir/called"
}

start() {
	nfqd_conf >"$lab_dir/nfqd.yaml"
	lab_spawn nfqd "$LAB_ROUTER" sh -c "$TRAPPED" "$lab_dir/trap" "$NFQD" -c "$lab_dir/nfqd.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
}

other_worker() { local now; now=$(nfqd_worker) && [ "${now:-0}" -gt 0 ] && [ "$now" != "$1" ]; }

# More than iptables -S fits into 64 KiB, in both kinds of tables.
foreign_rules() {
	local i

	{
		echo '*mangle'
		for i in {1..1500}; do
			echo "-A FORWARD -s 192.0.2.$((i % 250))/32 -p tcp -m tcp --dport $((i + 2000)) -m comment --comment other-rule-$i -j ACCEPT"
		done
		echo COMMIT
	} | in_router iptables-legacy-restore -n -w
	in_router iptables-nft -t mangle -A FORWARD -m comment --comment other -j ACCEPT
}

programs() {
	local t="tables of iptables in use" worker

	foreign_rules || bail "iptables-legacy-restore"
	trap_programs
	start
	ok "$t: listed names are refused" refuses
	ok "$t: a reload" nfqd_ctl reload
	in_router nft delete table inet nfqd
	ok "$t: the table is removed and comes back" lab_wait 10 refuses
	is "$(status .steering.repairs)" 1 "$t: put back once"
	worker=$(nfqd_worker)
	kill -KILL "$worker"
	ok "$t: a dead worker is replaced" lab_wait 10 other_worker "$worker"
	nfqd_stop
	is "$? $(nfqd_left)" "0 $(stays)" "$t: SIGTERM is obeyed, nothing is left but with fail: closed the table"
	is "$(cat "$lab_dir/called")" "" "$t: no program of iptables was called"
	is "$(in_router iptables-legacy-save -t mangle | grep -c other-rule)" 1500 "$t: the other rules are all there"
	in_router iptables-legacy -t mangle -F
	in_router nft delete table ip mangle
}

rules() {
	"$LAB_PYTHON" -c 'import sys
print("table inet other {\nchain c {")
for i in range(int(sys.argv[1])):
    print(f"ip saddr 10.9.{i >> 8 & 255}.{i & 255} tcp dport {i % 60000 + 1} accept")
print("}\n}")' $RULES >"$lab_dir/rules.nft"
}

# The longest that a command took while the other program loads its rules, in milliseconds.
slowest() {	# COMMAND...
	local worst=0 start took

	while lab_alive other; do
		start=$(lab_now_ms)
		"$@" >>"$lab_dir/slowest.log" 2>&1
		took=$(($(lab_now_ms) - start))
		[ $took -le $worst ] || worst=$took
	done
	echo $worst
}


waited() { grep -q 'nft: .*: no answer' "$lab_dir/slowest.log"; }

# The other program loads its rules. Returns whether something of ours had to wait.
load_rules() {	# TITLE
	local worst

	in_router nft 'add table inet other; delete table inet other'
	lab_spawn other "$LAB_ROUTER" nft -f "$lab_dir/rules.nft"
	worst=$(slowest nfqd_ctl reload)
	ok "$1: no reload waits for its end ($worst ms)" [ "$worst" -lt 12000 ]
	lab_wait 60 lab_dead other
	lab_end other
	is $? 0 "$1: it is made" || diag "$(head -n 5 "$lab_dir/other.log")"
	waited
}

# What it says then depends on how far the transactions of this moment have come: 1 is an answer, too.
answered_status() { nfqd_ctl status >/dev/null || [ $? -eq 1 ]; }

long_transaction() {
	local t="another program's long transaction" worker worst

	NFQD_STEER=hasty start
	worker=$(nfqd_worker)
	kill -KILL "$worker"
	: >"$lab_dir/slowest.log"
	load_rules "$t" || load_rules "$t, again" || load_rules "$t, once more"
	ok "$t: a dead worker was replaced meanwhile" other_worker "$worker"
	ok "$t: what had to wait for it said so" waited || diag "$(tail -n 20 "$lab_dir/slowest.log")"
	ok "$t: and is made" lab_wait 20 nfqd_ctl reload
	ok "$t: innocent names are answered" answers
	ok "$t: listed names are refused" refuses
	worst=$(lab_now_ms)
	ok "$t: status answers beside that table" answered_status
	worst=$(($(lab_now_ms) - worst))
	ok "$t: takes no time ($worst ms)" [ $worst -lt 12000 ]
	is "$(status .steering.repairs)" 0 "$t: no answer was not taken for removed"
	is "$(grep -c 'removed rules of ours' "$lab_dir/nfqd.log")" 0 "$t: nor said to be"
	in_router nft delete table inet other
	lab_wait 20 nfqd_ctl reload
	nfqd_stop
	is "$? $(nfqd_left)" "0 $(stays)" "$t: SIGTERM is obeyed, nothing is left but with fail: closed the table"
}

asks() { in_client dig -b "${LAB_HOST[4]}#40053" +time=2 +tries=1 "$1" @9.9.9.9 | grep -o 'status: [A-Z]*'; }	# always from one port

# A refusal that no rule of ours keeps out of conntrack makes an entry the wrong way round; what the client asks from
# the same port would be its reply, and leave with the client's own address.
untracked() {
	local t="a refusal while our rules are away"

	start
	kill -STOP "${lab_pid[nfqd]}"	# it cannot put back what goes
	in_router nft delete chain inet nfqd forged
	is "$(asks s07.upd.kaspersky.com)" "status: NXDOMAIN" "$t"
	kill -CONT "${lab_pid[nfqd]}"
	ok "$t: they are put back" lab_wait 20 status_is .steering.repairs 1
	ok "$t: the next question from that port is answered" lab_wait 5 eval '[ "$(asks www.example.org)" = "status: NOERROR" ]'
	nfqd_stop
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
rules
in_both programs
in_both long_transaction
untracked
done_testing

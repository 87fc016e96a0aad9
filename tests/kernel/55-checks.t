#!/bin/bash
# Proves: what stands beside nfqd is said at the start and in `nfqctl status`, with where it is and the cure; a
# clean router gives no finding.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy iptables-nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

findings() { nfqd_ctl status --json | jq -r '.checks[] | "\(.check): \(.where)"' | sort; }
r() { in_router "$@" || bail "cannot make the fault: $*"; }

# Chains of kinds that every kernel has; whatever else is needed is skipped by name.
has() { in_router "$@" 2>/dev/null; }

found() {	# CHECK WHERE WHAT: that finding, and it alone
	is "$(findings)" "$1: $2" "$3"
}

field_up plain
field_nfqd
is "$(findings)" "" "a clean router: no finding"
is "$(grep -c 'check:' "$lab_dir/nfqd.log")" 0 "and nothing is said at the start"

# ---- the configuration names an interface that is not there ----

nfqd_stop
nfqd_conf >"$lab_dir/nfqd.yaml"
echo 'inspect: {inside: [lan0, lan7, 10.9.0.0/16]}' >>"$lab_dir/nfqd.yaml"
like "$(in_router "$NFQD" -t -c "$lab_dir/nfqd.yaml" 2>&1)" "nfqd.yaml:[0-9]+: inside: interface 'lan7' does not exist.*configuration OK" "-t warns of it"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead
found no-interface lan7 "status has a line for it"
like "$(<"$lab_dir/nfqd.log")" 'lan7 is named in inspect.inside and does not exist' "the start, too"
r ip link add lan7 type veth peer name lan8
is "$(findings)" "" "when it is there, no more"
r ip link del lan7
nfqd_stop
field_nfqd

# ---- rules of nft ----

fault() {	# CHECK 'CHAIN TYPE' RULE WHAT: one rule in a table of its own
	r nft "table inet theirs { chain c { $2; $3; }; }"
	found "$1" "table inet theirs, chain c, rule 1" "$4"
	r nft delete table inet theirs
}
fault notrack 'type filter hook prerouting priority raw' 'tcp dport 443 notrack' "notrack"
if has nft 'table inet theirs { chain c { type filter hook forward priority filter; queue num 77; }; }'; then
	found other-queue "table inet theirs, chain c, rule 1" "another program's queue"
	r nft delete table inet theirs
fi
if has nft 'table inet theirs { chain c { type filter hook prerouting priority mangle; meta l4proto tcp tproxy to :12345; }; }'; then
	found tproxy "table inet theirs, chain c, rule 1" "TPROXY"
	r nft delete table inet theirs
fi
if has nft 'table inet theirs { flowtable ft { hook ingress priority 0; devices = { lan0, wan0 }; }; }'; then
	found flowtable "table inet theirs, flowtable ft" "a flowtable"
	r nft delete table inet theirs
fi
r nft 'table inet theirs { chain o { type filter hook output priority filter; policy drop; oif lo accept; }; }'
found output-policy "table inet theirs, chain o" "an OUTPUT policy"
r nft delete table inet theirs
r nft 'table ip theirs { chain preraw { type filter hook prerouting priority raw; iifname != "wg0" ip daddr 10.2.0.1 fib saddr type != local drop; }; }'
found raw-drop "table ip theirs, chain preraw, rule 1" "a drop by the sender's kind"
r nft delete table ip theirs
r nft 'table ip theirs { chain p { type nat hook prerouting priority -160; udp dport 53 redirect; }; }'
found nat-in-front "table ip theirs, chain p (priority -160)" "destination NAT in front"
r nft delete table ip theirs

# ---- both kinds of iptables ----

for flavour in legacy nft; do
	xt="iptables-$flavour"
	[ $flavour = legacy ] && where="iptables-legacy: table" || where="table ip"
	rule() {	# CHECK TABLE CHAIN RULE WHAT SUFFIX
		r $xt -w -t "$2" -A "$3" $4
		like "$(findings)" "^$1: $where $2, chain $3, rule [12] \\($6\\)\$" "$xt: $5"
		r $xt -w -t "$2" -D "$3" $4
	}
	rule other-queue mangle FORWARD "-j NFQUEUE --queue-num 77" "another program's NFQUEUE" NFQUEUE
	rule queue-in-front raw PREROUTING "-j NFQUEUE --queue-num 77 --queue-bypass" "NFQUEUE in front" NFQUEUE
	rule notrack raw PREROUTING "-p tcp --dport 443 -j CT --notrack" "notrack" "CT --notrack"
	rule tproxy mangle PREROUTING "-p tcp --dport 443 -j TPROXY --on-port 12345" "TPROXY" TPROXY
	r $xt -w -N theirs
	r $xt -w -A theirs -j ACCEPT
	r $xt -w -A theirs -j NFQUEUE --queue-num 77
	found other-queue "$where filter, chain theirs, rule 2 (NFQUEUE)" "$xt: a chain of the user's, the second rule"
	r $xt -w -F theirs
	r $xt -w -X theirs
	r $xt -w -t raw -A PREROUTING ! -i lan0 -d 10.2.0.1 -m addrtype ! --src-type LOCAL -j DROP
	found raw-drop "$where raw, chain PREROUTING, rule 1" "$xt: a drop by the sender's kind"
	r $xt -w -t raw -F PREROUTING
	r $xt -w -A OUTPUT -m addrtype ! --src-type LOCAL -j DROP
	found raw-drop "$where filter, chain OUTPUT, rule 1" "$xt: and in OUTPUT"
	r $xt -w -F OUTPUT
	r $xt -w -t raw -N inner
	r $xt -w -t raw -A inner -j MARK --set-mark 10
	r $xt -w -t raw -N outer
	r $xt -w -t raw -A outer -p udp -g inner
	is "$(findings)" "" "$xt: a chain that no hook leads to"
	r $xt -w -t raw -A OUTPUT -p udp -j outer
	found output-marks "$where raw, chain inner, rule 1 (MARK)" "$xt: a chain that OUTPUT leads to by another one"
	r $xt -w -t raw -F inner
	r $xt -w -t raw -A inner -j NFQUEUE --queue-num 77 --queue-bypass
	found queue-in-front "$where raw, chain inner, rule 1 (NFQUEUE)" "$xt: and a queue there"
	for chain in OUTPUT outer inner; do r $xt -w -t raw -F $chain; done
	r $xt -w -t raw -X outer
	r $xt -w -t raw -X inner
	r $xt -w -P OUTPUT DROP
	found output-policy "$where filter, chain OUTPUT" "$xt: an OUTPUT policy"
	r $xt -w -P OUTPUT ACCEPT
done
r ip6tables-legacy -w -t mangle -A FORWARD -j NFQUEUE --queue-num 77
found other-queue "ip6tables-legacy: table mangle, chain FORWARD, rule 1 (NFQUEUE)" "ip6tables-legacy"
r ip6tables-legacy -w -t mangle -F

# ---- interfaces ----

l() { ip -n "$LAB_ROUTER" "$@" || bail "cannot make the fault: $*"; }
l link add br0 type bridge
l link add a0 type veth peer name b0
l link set a0 master br0
l link set b0 master br0
r sysctl -qw net.bridge.bridge-nf-call-iptables=0
found bridge br0 "a bridge that no rule sees"
r sysctl -qw net.bridge.bridge-nf-call-iptables=1
is "$(findings)" "" "a bridge whose packets meet the rules"
r sysctl -qw net.bridge.bridge-nf-call-iptables=0
l addr add 10.77.0.1/24 dev br0
is "$(findings)" "" "a bridge between LAN ports"
r sysctl -qw net.bridge.bridge-nf-call-iptables=1
l link del br0
l link del a0
if ip -n "$LAB_ROUTER" link add mv0 link wan0 type macvlan mode bridge; then
	found shared-uplink wan0 "a macvlan on the uplink"
	l link set mv0 netns "$LAB_CLIENT"
	ip -n "$LAB_CLIENT" link set mv0 up
	found shared-uplink wan0 "and one that is in another namespace"
	ip -n "$LAB_CLIENT" link del mv0
	l link add mv0 link lan0 type macvlan mode bridge
	is "$(findings)" "" "a macvlan on the LAN"
	l link del mv0
fi
if ip -n "$LAB_ROUTER" link add red type vrf table 10 2>/dev/null; then
	found vrf red "a VRF"
	l link del red
fi

# ---- programs ----

listen() {	# ADDRESS
	lab_spawn proxy "$LAB_ROUTER" "$lab_dir/privoxy" -c "
import socket
s = socket.create_server(('$1', 8118))
s.accept()"
	lab_wait 5 lab_listens "$LAB_ROUTER" t 8118
}
cp "$LAB_PYTHON" "$lab_dir/privoxy"
listen 10.1.0.1
found proxy "privoxy on TCP port 8118" "an explicit proxy"
lab_end proxy
listen 127.0.0.1
is "$(findings)" "" "a proxy for this host alone"
lab_end proxy

# ---- marks of local programs ----

MARKS='table inet theirs { chain c { type filter hook output priority raw; udp dport 500 meta mark set 10; }; }'
r nft "$MARKS"
found output-marks "table inet theirs, chain c, rule 1" "nft: local packets are marked in front of nfqd"
r nft delete table inet theirs
r nft 'table inet theirs { chain m { meta mark set 10; }; chain n { goto m; }; chain c { type filter hook output priority raw; meta l4proto vmap { 17 : jump n }; }; }'
found output-marks "table inet theirs, chain m, rule 1" "nft: or in a chain that a map leads to"
r nft delete table inet theirs
r nft "${MARKS/priority raw/priority mangle}"
is "$(findings)" "" "nft: or after it"
r nft delete table inet theirs
r iptables-legacy -w -t raw -A OUTPUT -p udp --dport 500 -j MARK --set-mark 10
found output-marks "iptables-legacy: table raw, chain OUTPUT, rule 1 (MARK)" "iptables-legacy: likewise"
r iptables-legacy -w -t raw -F
{
	echo '*raw'
	for i in {1..300}; do echo ":c$i - [0:0]"; done
	for i in {1..300}; do echo "-A OUTPUT -p udp --dport 500 -j c$i"; done
	echo '-A c1 -j MARK --set-mark 10'
	echo COMMIT
} >"$lab_dir/chains"
r iptables-legacy-restore "$lab_dir/chains"
found output-marks "iptables-legacy: table raw, chain c1, rule 1 (MARK)" "iptables-legacy: or in one of more chains than are followed"
r iptables-legacy -w -t raw -F
r iptables-legacy -w -t raw -X
r iptables-legacy -w -t mangle -A FORWARD -j CONNMARK --save-mark
is "$(findings)" "" "marks without masks hurt nothing"
r iptables-legacy -w -t mangle -F
nfqd_stop
nfqd_conf | sed 's/^default:/inspect: {marked-output: queue}\n&/' >"$lab_dir/queue.yaml"
r nft "$MARKS"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/queue.yaml"
lab_wait 15 nfqd_ready_or_dead
is "$(findings)" "" "nor where marked packets are judged"
r nft delete table inet theirs

# ---- at the start, and many of a kind ----

nfqd_stop
for i in 1 2 3 4 5 6 7 8; do r nft "table inet theirs$i { chain c { type filter hook prerouting priority raw; notrack; }; }"; done
nfqd_start || bail "nfqd does not start again"
is "$(grep -c 'check: table inet theirs.*notrack\|check: table inet theirs.*cure: ' "$lab_dir/nfqd.log")" 5 "five of a kind are said at the start"
ok "and are on record" lab_wait 5 eval '[ "$(jq -c "select(.nfqd.kind == \"check\" and .nfqd.check == \"notrack\" and .nfqd.where != null and .nfqd.cure != null)" "$lab_dir/eve.json" | wc -l)" = 5 ]'
like "$(nfqd_ctl status)" 'check notrack: table inet theirs5, chain c, rule 1, and 3 more like it,.*cure: ' "the others are counted"
sed -i 's/^default:/inspect: {checks: false}\n&/' "$lab_dir/nfqd.yaml"
ok "a site may turn the checks off, by a reload" nfqd_ctl reload
is "$(nfqd_ctl status --json | jq .checks)" null "then nothing is looked for"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

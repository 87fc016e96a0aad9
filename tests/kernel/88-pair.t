#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: two gateways with keepalived and conntrackd, as tools/ha configures them. The second one takes over in the middle
# of an allowed, a refused and a half-finished connection: what was decided stays decided there, without being judged
# again; new listed names are refused; exceptions and mode have come along; status and heartbeats say who is active. An
# nfqd that ends leaves its states, so that the other gateway does not hear that nothing was decided.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
(tools/deps --unpack keepalived conntrackd) >/dev/null 2>&1
need ip nft dig dnsmasq unbound nginx curl jq openssl keepalived conntrackd conntrack "$LAB_PYTHON"

SECOND=nfqd-$$-second
# shellcheck disable=SC2317	# by the trap
pair_down() {
	for name in keepalived-a keepalived-b conntrackd-a conntrackd-b second; do lab_end $name; done
	lab_down
	ip netns del "$SECOND" 2>/dev/null
	lab_exit
}
trap pair_down EXIT

netns() { [ "$1" = a ] && echo "$LAB_ROUTER" || echo "$SECOND"; }
on() { ip netns exec "$(netns "$1")" "${@:2}"; }	# a|b COMMAND...

# Both stand between two switches, one in the client's namespace and one in the server's.
switch() {	# NETNS ADDRESS PORT...
	local port

	ip -n "$1" link add br0 type bridge && ip -n "$1" link set br0 up || return
	for port in "${@:3}"; do
		ip -n "$1" -4 addr flush dev "$port" && ip -n "$1" link set "$port" master br0 || return
	done
	ip -n "$1" addr add "$2" dev br0
}

gateway() {	# a|b LAST-BYTE
	ip -n "$(netns "$1")" -4 addr flush dev lan0 && ip -n "$(netns "$1")" -4 addr flush dev wan0 &&
		ip -n "$(netns "$1")" addr add "10.1.0.$2/24" dev lan0 && ip -n "$(netns "$1")" addr add "10.2.0.$2/24" dev wan0 &&
		ip -n "$(netns "$1")" route replace default via 10.2.0.2 &&
		lab_sysctl "$(netns "$1")" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
}

pair_up() {
	lab_netns "$SECOND" &&
		lab_link "$LAB_CLIENT" eth1 10.3.0.2/24 fd00:3::2/64 "$SECOND" lan0 10.3.0.1/24 fd00:3::1/64 &&
		lab_link "$SECOND" wan0 10.4.0.1/24 fd00:4::1/64 "$LAB_SERVER" eth1 10.4.0.2/24 fd00:4::2/64 &&
		lab_link "$LAB_ROUTER" sync0 192.168.77.1/24 fd00:77::1/64 "$SECOND" sync0 192.168.77.2/24 fd00:77::2/64 &&
		switch "$LAB_CLIENT" 10.1.0.2/24 eth0 eth1 && switch "$LAB_SERVER" 10.2.0.2/24 eth0 eth1 &&
		gateway a 11 && gateway b 12 &&
		ip -n "$LAB_CLIENT" route replace default via 10.1.0.1 &&
		ip -n "$LAB_SERVER" route replace 10.1.0.0/24 via 10.2.0.1
}

# The files of tools/ha with this lab's paths. An address's owner is the whole truth here: the daemon is not asked.
pair_conf() {	# a|b PRIORITY OWN OTHER
	sed "s/IPv4_address 192.168.77.1\$/IPv4_address own/; s/192.168.77.2\$/other/; s/own\$/$3/; s/other\$/$4/
		s#/run/conntrackd#$lab_dir/conntrackd-$1#; s/Syslog on/Syslog off/" tools/ha/conntrackd.conf |
		sed "/Address Ignore/,/}/ s/IPv4_address 192.168.77.*/IPv4_address 192.168.77.0\\/24/; " |
		awk '!(/192.168.77.0/ && seen++)' >"$lab_dir/conntrackd-$1.conf"
	cat >"$lab_dir/take-over-$1" <<-END
		#!/bin/sh
		export PATH="$lab_dir/bin:$PATH" CONNTRACKD_CONF=$lab_dir/conntrackd-$1.conf NFQD_SOCKET=$lab_dir/$1.sock
		export NFQD_PEER_STATE=$lab_dir/peer-of-$1
		exec $PWD/tools/ha/take-over "\$1"
	END
	chmod +x "$lab_dir/take-over-$1"
	sed "s/priority 100/priority $2/; /enable_script_security/d; /vrrp_script nfqd/,/^}/d; /track_script/,/}/d
		s#/etc/nfqd/ha/take-over#$lab_dir/take-over-$1#" tools/ha/keepalived.conf >"$lab_dir/keepalived-$1.conf"
	nfqd_conf | sed "s#/control.sock#/$1.sock#; s#/state.json#/$1.json#; s#/eve.json#/$1.eve#; s/^heartbeat: off/heartbeat: 1s/" \
		>"$lab_dir/$1.yaml"
	echo "pair-address: 10.1.0.1" >>"$lab_dir/$1.yaml"
}

nfqd_of() { lab_spawn "$1" "$(netns "$1")" "$NFQD" -c "$lab_dir/$1.yaml"; lab_wait 60 grep -q '^nfqd: ready' "$lab_dir/$1.log"; }
conntrackd_of() {
	lab_spawn "conntrackd-$1" "$(netns "$1")" conntrackd -C "$lab_dir/conntrackd-$1.conf"
	lab_wait 20 test -S "$lab_dir/conntrackd-$1.ctl"
}
keepalived_of() {
	lab_spawn "keepalived-$1" "$(netns "$1")" keepalived -n -l -D -f "$lab_dir/keepalived-$1.conf" -p "$lab_dir/keepalived-$1.pid" \
		-r "$lab_dir/vrrp-$1.pid"
}
ctl() { on "$1" "$NFQCTL" -s "$lab_dir/$1.sock" "${@:2}"; }
role() { ctl "$1" status --json 2>/dev/null | jq -r '.heartbeat.role'; }
is_role() { [ "$(role "$1")" = "$2" ]; }
beat_says() { tail -n 3 "$lab_dir/$1.eve" | jq -se "map(select(.nfqd.kind == \"heartbeat\")) | last | .nfqd.role == \"$2\""; }
known() { on "$1" conntrackd -C "$lab_dir/conntrackd-$1.conf" -e 2>/dev/null | grep -q "dport=443.*$2\|sport=$2.*dport=443"; }
states() { on "$1" "$LAB_PYTHON" tests/lib/labels.py; }
labelled() { states "$1" | grep -w "$2" | grep -qE 'labels=(.*,)?1(0[0-9]|1[0-9]|2[1-7])(,|$)'; }	# a|b PORT
size() { stat -c %s "$lab_dir/part" 2>/dev/null || echo 0; }
grown() { [ "$(size)" -gt "$1" ]; }
moves() { ok "the download goes on $1" lab_wait 20 grown $(($(size) + 200000)); }
has_line() { grep -q "$1" "$lab_dir/half.log"; }

field_up plain
pair_up || bail "no pair of gateways"
mkdir "$lab_dir/bin" && ln -s "$(readlink -f "$NFQCTL")" "$lab_dir/bin/nfqctl"
pair_conf a 100 192.168.77.1 192.168.77.2
pair_conf b 50 192.168.77.2 192.168.77.1
for g in a b; do
	nfqd_of $g || bail "no nfqd on $g: $(tail -n 3 "$lab_dir/$g.log")"
	conntrackd_of $g || bail "no conntrackd on $g: $(tail -n 3 "$lab_dir/conntrackd-$g.log")"
done
keepalived_of a
ok "the first gateway is active" lab_wait 20 is_role a active
keepalived_of b
ok "the second one stands by" lab_wait 20 is_role b standby
like "$(ctl a status)" 'pair: active' "status says so"
ok "its heartbeat, too" lab_wait 20 beat_says a active
ok "and the other one's" lab_wait 20 beat_says b standby

# ---- what one was told ----

ctl a allow s07.upd.kaspersky.com --for 1h --reason 'case 4711' >/dev/null
ctl a mode enforce --for 1h >/dev/null
ctl a state export >"$lab_dir/peer-of-b"
is "$(jq -c '[.["nfqd-state"], .mode, .name, .reason]' "$lab_dir/peer-of-b" | xargs)" \
	"[1,enforce,null,null] [null,null,s07.upd.kaspersky.com,case 4711]" "exceptions and mode as lines"
while IFS='|' read -r change says; do
	sed "$change" "$lab_dir/peer-of-b" >"$lab_dir/bad"
	like "$(ctl b state import "$lab_dir/bad" 2>&1) $?" "^nfqctl state import: $lab_dir/bad:$says.* 1\$" "a mistake by its line: $change"
done <<'END'
2s/"case 4711"/4/|2: an exception has name
2s/"20[0-9-]*T/"never/|2: .*never
1s/enforce/on/|1: mode is none
2s/,.*//|2: .
1d|1: not what nfqctl state export writes
END
is "$(ctl b exceptions --json | jq '.exceptions | length')" 0 "and nothing of it is in force"

# ---- in the middle of three connections ----

lab_spawn download "$LAB_CLIENT" curl -sk --limit-rate 300k --local-port 40001 --resolve "$FIELD_OPEN:443:${LAB_WEB[4]}" -o "$lab_dir/part" \
	"https://$FIELD_OPEN/big"
moves "by the first gateway"
is "$(field_tls $FIELD_TLS 4)" reset "a listed name is refused"
cat >"$lab_dir/half.py" <<'END'
import os, socket, ssl, sys, time
inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
try:
    ssl._create_unverified_context().wrap_bio(inward, outward, server_hostname=sys.argv[2]).do_handshake()
except ssl.SSLWantReadError:
    hello = outward.read()
at = hello.index(sys.argv[2].encode()) + 4
s = socket.create_connection((sys.argv[1], 443), source_address=("", 40002))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.sendall(hello[:at])
print("half", flush=True)
while not os.path.exists(sys.argv[3]):
    time.sleep(0.02)
s.settimeout(8)
try:
    s.sendall(hello[at:])
    print("answer", len(s.recv(1)), flush=True)
except (ConnectionResetError, BrokenPipeError):
    print("reset", flush=True)
except socket.timeout:
    print("timeout", flush=True)
END
lab_spawn half "$LAB_CLIENT" "$LAB_PYTHON" "$lab_dir/half.py" "${LAB_WEB[4]}" $FIELD_TLS "$lab_dir/go"
lab_wait 10 has_line half || bail "no half hello"
ok "the second gateway hears of the download" lab_wait 20 known b 40001
ok "and of the half hello" lab_wait 20 known b 40002
ok "it is decided in the first one" labelled a 40001

vrrp=$(cat "$lab_dir/vrrp-a.pid" 2>/dev/null)
lab_end keepalived-a KILL
[ "${vrrp:-0}" -gt 1 ] && kill -KILL "$vrrp" 2>/dev/null
for link in lan0 wan0 sync0; do ip -n "$LAB_ROUTER" link set $link down; done
ok "the first gateway falls silent: the second one is active" lab_wait 20 is_role b active
moves "by the second gateway"
ok "where it is decided, too" lab_wait 10 labelled b 40001
ok "its heartbeat says that it is active" lab_wait 20 beat_says b active
touch "$lab_dir/go"
lab_wait 15 has_line 'answer\|reset\|timeout'
is "$(tail -n 1 "$lab_dir/half.log")" "answer 1" "a half hello is not whole there: one leaked of one (nfqd(8), LIMITS), and none lost"
is "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4)" "reset fine" "new names are judged by the second gateway"
is "$(jq -r "select(.alert) | .nfqd.action" "$lab_dir/b.eve" | sort | uniq -c | xargs)" "1 reject" "and the download is not judged again"
is "$(ctl b exceptions --json | jq -r '.exceptions[] | "\(.names[0]) \(.reason)"')" "s07.upd.kaspersky.com case 4711" "the exception has come along"
like "$(ctl b mode)" 'mode enforce until .* then enforce' "and the mode"
is "$(field_dns s07.upd.kaspersky.com 8.8.8.8)" NOERROR "it is in force"

# ---- back, when nfqd ends on the active gateway ----

for link in lan0 wan0 sync0; do ip -n "$LAB_ROUTER" link set $link up; done
ip -n "$LAB_ROUTER" route replace default via 10.2.0.2
ip -n "$LAB_ROUTER" -4 addr del 10.1.0.1/24 dev lan0 2>/dev/null
ip -n "$LAB_ROUTER" -4 addr del 10.2.0.1/24 dev wan0 2>/dev/null
on a conntrackd -C "$lab_dir/conntrackd-a.conf" -f
on a conntrack -F 2>/dev/null
on a conntrackd -C "$lab_dir/conntrackd-a.conf" -n
ok "the first gateway hears of the download" lab_wait 20 known a 40001
lab_end b
is $? 0 "nfqd ends on the second one"
ok "and leaves what it decided" labelled b 40001
printf '%s\n' "$(head -n 1 "$lab_dir/peer-of-b")" >"$lab_dir/peer-of-a"
keepalived_of a
ok "the first gateway takes over" lab_wait 20 is_role a active
moves "by the first gateway again"
ok "where it is decided" lab_wait 10 labelled a 40001
is "$(ctl a exceptions --json | jq '.exceptions | length')" 0 "an exception that the other one no longer had is revoked"
is "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4)" "reset fine" "names are judged"
lab_end download
lab_end a
is $? 0 "nfqd stops"
done_testing

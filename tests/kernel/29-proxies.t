#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what clients ask a proxy of this machine for (CONNECT and absolute URI, over IPv4 and IPv6) is judged at the
# port that inspect.proxies names, on its way in: a listed name is reset before the proxy asks anybody, and the record
# has the client; an unlisted one passes. No other port of this machine is queued.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl tinyproxy

NAME=activation-v2.kaspersky.com OPEN=www.example.org PORT=3128 OTHER=8118

# The exit status of curl, through the proxy of the router: 56 or 52, it was reset; 0, it passed.
ask() {	# VERSION PORT URL
	in_client curl -sko /dev/null --max-time 10 -x "http://$(lab_bracket "${LAB_OWN[$1]}"):$2" "$3"
	echo $?
}
refused() { [[ $(ask "$@") =~ ^(52|56)$ ]]; }
passes() { [ "$(ask "$@")" = 0 ]; }

proxy() {	# PORT
	cat >"$lab_dir/proxy$1.conf" <<-END
		Port $1
		Timeout 20
		MaxClients 20
		DisableViaHeader Yes
	END
	lab_spawn "proxy$1" "$LAB_ROUTER" sh -c "mount --bind $lab_dir/resolv.conf /etc/resolv.conf && exec tinyproxy -d -c $lab_dir/proxy$1.conf"
	lab_wait 10 lab_listens "$LAB_ROUTER" t "$1" || bail "the proxy does not start: $(tail -n 3 "$lab_dir/proxy$1.log")"
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
echo "nameserver ${LAB_OWN[4]}" >"$lab_dir/resolv.conf"
proxy $PORT
proxy $OTHER
for v in 4 6; do
	ok "IPv$v: without nfqd the proxy serves" passes $v $PORT "https://$NAME/"
done
plain_conf=$(declare -f nfqd_conf)
eval "lab${plain_conf}"
nfqd_conf() { labnfqd_conf "$@"; echo "inspect: {proxies: [$PORT], output: ${OUTPUT:-true}}"; }
for OUTPUT in true false; do
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	: >"$lab_dir/eve.json"
	for v in 4 6; do
		tap_prefix="output $OUTPUT, IPv$v: "
		ok "CONNECT to a listed name is reset" refused $v $PORT "https://$NAME/"
		ok "and so is its absolute URI" refused $v $PORT "http://$NAME/"
		ok "an unlisted one passes" passes $v $PORT "https://$OPEN/"
		ok "as absolute URI, too" passes $v $PORT "http://$OPEN/"
		lab_wait 10 nfqd_has_records 3 ".dest_ip == \"${LAB_OWN[$v]}\""
		is "$(nfqd_log | jq -r "select(.dest_ip == \"${LAB_OWN[$v]}\" and .dest_port == $PORT) | .src_ip + \" \" + .nfqd.seen_in + \" \" + .nfqd.name" | sort -u)" \
			"${LAB_HOST[$v]} http.connect $NAME
${LAB_HOST[$v]} http.host $NAME" "the records have the client"
	done
	tap_prefix=
	is "$(nfqd_records ".dest_port != $PORT")" 0 "output $OUTPUT: the proxy asked nobody for a listed name"
	is "$(nfqd_ctl status --json | jq -c '[.checks[] | select(.check == "proxy") | .where]')" "[\"tinyproxy on TCP port $OTHER\"]" \
		"output $OUTPUT: the check finds the port that is not named"
	in_router nft list chain inet nfqd steer_input >"$lab_dir/input"
	is "$(grep -c to_proxy "$lab_dir/input") $(grep -c "$OTHER" "$lab_dir/input")" "1 0" "output $OUTPUT: that port alone is steered"
	nfqd_stop
	is $? 0 "nfqd stops"
done
OUTPUT=true LAB_FAIL=closed nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
lab_spawn monitor "$LAB_ROUTER" stdbuf -oL nft monitor rules
lab_wait 5 eval 'in_router nft "add table inet other; add chain inet other c; add rule inet other c accept"; grep -q "inet other c" "$lab_dir/monitor.log"'
in_router nft flush ruleset
ok "fail: closed: until a flushed table is back its port is held" \
	lab_wait 10 grep -qE "inet nfqd hold_proxies .*(th dport|@th,16,16) ($PORT|$(printf '0x0*%x' $PORT)) drop" "$lab_dir/monitor.log"
ok "then a listed name is reset there" lab_wait 10 refused 4 $PORT "https://$NAME/"
ok "and another passes" passes 4 $PORT "https://$OPEN/"
lab_end monitor TERM
nfqd_stop
in_router nft delete table inet nfqd
ok "a port that is not named is not judged on its way in" passes 4 $OTHER "http://$OPEN/"
nfqd_conf() { labnfqd_conf "$@"; }
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(in_router nft list table inet nfqd | grep -c to_proxy)" 0 "without the key there is no such rule"
nfqd_stop
lab_down
done_testing

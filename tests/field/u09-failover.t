#!/bin/bash
# Stands for keepalived#2254 and #2414: two routers without conntrackd, both with nfqd. An unlisted connection goes on when
# the other router takes over in the middle of it, there and back; listed names are refused by whichever it is (u09).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

SECOND=nfqd-$$-second
# shellcheck disable=SC2317	# by the trap
second_down() {
	lab_down
	ip netns del "$SECOND" 2>/dev/null
	lab_exit
}
trap second_down EXIT

second_up() {
	lab_netns "$SECOND" &&
		lab_link "$LAB_CLIENT" eth1 10.3.0.2/24 fd00:3::2/64 "$SECOND" lan0 10.3.0.1/24 fd00:3::1/64 &&
		lab_link "$SECOND" wan0 10.4.0.1/24 fd00:4::1/64 "$LAB_SERVER" eth1 10.4.0.2/24 fd00:4::2/64 &&
		ip -n "$SECOND" route add default via 10.4.0.2 &&
		ip -n "$SECOND" route add 10.1.0.0/24 via 10.3.0.2 &&
		lab_sysctl "$SECOND" net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 &&
		lab_sysctl "$LAB_CLIENT" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0 &&
		lab_sysctl "$LAB_SERVER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0
}

# The client keeps its address, as behind a virtual one.
take_over() {	# ROUTER'S-LAN-ADDRESS ROUTER'S-WAN-ADDRESS
	ip -n "$LAB_CLIENT" route replace default via "$1" src 10.1.0.2
	ip -n "$LAB_SERVER" route replace 10.1.0.0/24 via "$2"
}

size() { stat -c %s "$lab_dir/part" 2>/dev/null || echo 0; }
grown() { [ "$(size)" -gt "$1" ]; }
moves() { ok "the download goes on $1" lab_wait 20 grown $(($(size) + 300000)); }
pair() { echo "$(field_tls $FIELD_TLS 4) $(field_dns $FIELD_DNS 8.8.8.8) $(field_tls $FIELD_OPEN 4) $(field_dns $FIELD_OPEN 8.8.8.8)"; }
JUDGED="reset NXDOMAIN fine NOERROR"

field_up plain
second_up || bail "no second router"
field_nfqd
sed "s#/control.sock#/second.sock#; s#/state.json#/second.json#; s#/eve.json#/second.eve#" "$lab_dir/nfqd.yaml" >"$lab_dir/second.yaml"
lab_spawn second "$SECOND" "$NFQD" -c "$lab_dir/second.yaml"
lab_wait 15 grep -q '^nfqd: ready' "$lab_dir/second.log" || bail "no second nfqd: $(cat "$lab_dir/second.log")"
lab_spawn download "$LAB_CLIENT" curl -sk --limit-rate 400k --resolve "$FIELD_OPEN:443:${LAB_WEB[4]}" -o "$lab_dir/part" \
	"https://$FIELD_OPEN/big"
moves "by the first router"
take_over 10.3.0.1 10.4.0.1
moves "by the second one, which never saw its beginning"
is "$(pair)" "$JUDGED" "the second one judges new names"
take_over 10.1.0.1 10.2.0.1
moves "back by the first one"
is "$(pair)" "$JUDGED" "which judges, too"
is "$(jq -r 'select(.alert).nfqd.action' "$lab_dir/eve.json" "$lab_dir/second.eve" | sort | uniq -c | xargs)" "4 reject" "nothing else is on record"
lab_end download
lab_end second
is $? 0 "the second nfqd stops"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

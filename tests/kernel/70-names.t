#!/bin/bash
# Proves: records name the client that the router's resolver knows (asked by c-ares, in the
# background), the packet path waits for none of it, and a dead resolver process stops nothing.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq jq "$LAB_PYTHON"

# what `ip netns exec` shows as /etc/resolv.conf there
own_resolver() {
	mkdir -p "/etc/netns/$LAB_ROUTER"
	echo "nameserver 127.0.0.1" >"/etc/netns/$LAB_ROUTER/resolv.conf"
}
forget_resolver() { rm -rf "/etc/netns/$LAB_ROUTER"; }

asks() { in_client dig +time=2 +tries=1 "$1" @8.8.8.8 | grep -c 'status: NXDOMAIN'; }
named() { [ "$(nfqd_records '.nfqd.client.name == "reception-pc.lan"')" -ge 1 ]; }
asked_and_named() { asks "$1" >/dev/null; named; }

own_resolver
lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
# in the place of the lab's own: one that knows the client
lab_end own-dns TERM
lab_spawn names "$LAB_ROUTER" dnsmasq -k -C /dev/null --no-resolv --no-hosts -u root --pid-file= \
	--host-record="reception-pc.lan,${LAB_HOST[4]},${LAB_HOST[6]}"
knows() { [ "$(in_router dig +short +time=1 +tries=1 -x "${LAB_HOST[4]}" @127.0.0.1)" = reception-pc.lan. ]; }
ok "the router's resolver knows the client" lab_wait 5 knows
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
is "$(asks s01.upd.kaspersky.com)" 1 "the first question is refused, name or no name"
ok "a record soon carries the client's name" lab_wait 5 asked_and_named s02.upd.kaspersky.com
is "$(nfqd_records '.nfqd.client.id | startswith("mac:") | not')" 0 "every record has the client's hardware address"
late() { jq -c 'select(.nfqd.kind == "client").nfqd' "$lab_dir/eve.json"; }
have_late() { [ -n "$(late)" ]; }
ok "the name of the first record's client is told later" lab_wait 10 have_late
is "$(late | head -n 1 | jq -c '[.client.name, .address]')" "[\"reception-pc.lan\",\"${LAB_HOST[4]}\"]" "in a record of its own"
is "$(late | head -n 1 | jq -c '[.client.id, .of]')" "$(nfqd_log | head -n 1 | jq -c '[.nfqd.client.id, .nfqd.seq]')" \
	"by that record's number and client"
for pid in $(pgrep -P "${lab_pid[nfqd]}"); do
	[ "$pid" = "$(nfqd_worker)" ] || kill -9 "$pid"
done
is "$(asks s03.upd.kaspersky.com)" 1 "without the resolver process questions are refused as before"
ok "reload still works" nfqd_ctl reload
nfqd_stop
is $? 0 "nfqd stops"
lab_down
forget_resolver
done_testing

#!/bin/bash
# Proves: what a site allows one client holds where that client asks the router's own resolver (dnsmasq, unbound as
# forwarder, with minimised names and with signed zones), and for nobody else: a filled cache, a program on the router that
# asks by itself, another type, a later time. The record names the client; addresses that were learned that way are not
# watched; what another machine's resolver asks is recorded as such.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx jq socat dnssec-keygen dnssec-signzone "$LAB_PYTHON"

declare -A RES=([4]=10.1.0.1 [6]=fd00:1::1)
NAME=s07.upd.kaspersky.com OTHER=s08.upd.kaspersky.com
ALLOWED=10.1.0.2 REFUSED=10.1.0.3 AUTHORITY=192.0.2.53

dig_as() {	# ADDRESS RESOLVER NAME [OPTION...]
	in_client dig +time=2 +tries=6 -b "$1" "@$2" "${@:3}" | grep -o 'status: [A-Z]*' | cut -d' ' -f2
}
# what is not known in time is dropped, and asked again
from_router() { in_router dig +time=2 +tries=6 "$@" | grep -o 'status: [A-Z]*' | cut -d' ' -f2; }
status() { nfqd_ctl status --json | jq -r "$1"; }
record() { nfqd_log | jq -rs "map(select($1)) | last | $2"; }

# own_resolver dnsmasq|unbound [UNBOUND-LINE...]: the router's, with an empty cache
own_resolver() {
	lab_end own-dns TERM
	case $1 in
	dnsmasq)
		lab_spawn own-dns "$LAB_ROUTER" dnsmasq -k -C /dev/null --no-resolv --no-hosts -u nobody --pid-file= \
			--bind-interfaces --except-interface=none --listen-address="${RES[4]},${RES[6]},127.0.0.1" \
			--server="${2:-9.9.9.9}" ;;
	unbound)
		{ printf 'server:\n  username: ""\n  chroot: ""\n  directory: "%s"\n  pidfile: ""\n  use-syslog: no\n' "$lab_dir"
		printf '  interface: %s\n' "${RES[@]}"
		printf '  access-control: 0.0.0.0/0 allow\n  access-control: ::/0 allow\n'
		printf '  do-not-query-localhost: no\n'
		printf '%s\n' "${@:2}"
		printf 'remote-control:\n  control-enable: no\n'; } >"$lab_dir/own.conf"
		lab_spawn own-dns "$LAB_ROUTER" unbound -d -c "$lab_dir/own.conf" ;;
	esac
	lab_wait 10 lab_listens "$LAB_ROUTER" u 53 && lab_wait 10 answers_open || diag "$1: $(tail -n 3 "$lab_dir/own-dns.log")"
}
answers_open() { [ "$(in_client dig +short +time=1 +tries=1 "open$RANDOM.example" "@${RES[4]}")" = "${LAB_WEB[4]}" ]; }
forward='  module-config: "iterator"
  do-ip6: no
forward-zone:
  name: "."
  forward-addr: 9.9.9.9'

# The README's own example: the client's network may update, whatever else holds.
lab_may_update() {
	nfqd_conf | sed "s,^policies:,policies:\n  - name: lab-may-update\n    clients: [$ALLOWED]\n    match: {packs: [kaspersky]\, categories: [update]}\n    action: log," >"$lab_dir/nfqd.yaml"
}
excepted() {
	nfqd_conf >"$lab_dir/nfqd.yaml"
	cat >>"$lab_dir/nfqd.yaml" <<-END
		exceptions:
		  - {name: case, names: [$NAME], clients: [$ALLOWED], owner: alice, reason: tests, expires: $(date -u -d '+2 days' +%F)}
	END
}
watched() { in_router nft list set inet nfqd watched4 | grep -c 203.0.113.80; }

# The allowed client asks after another one and before it; what it has brought into the cache helps nobody.
holds_for_it_alone() {	# TITLE ACTION
	local t=$1

	is "$(dig_as $REFUSED "${RES[4]}" $NAME)" NXDOMAIN "$t: another client: refused"
	is "$(dig_as $ALLOWED "${RES[4]}" $NAME)" NOERROR "$t: the allowed client: answered, though the other one asked first"
	is "$(dig_as $REFUSED "${RES[4]}" $NAME)" NXDOMAIN "$t: the other one again, with a filled cache: refused"
	lab_wait 3 nfqd_has_records 1 ".src_ip == \"10.2.0.1\" and .nfqd.name == \"$NAME\" and .nfqd.action == \"$2\""
	is "$(record ".src_ip == \"10.2.0.1\" and .nfqd.name == \"$NAME\"" '[.nfqd.action, .nfqd.relayed, .nfqd.relayed_for] | join(" ")')" \
		"$2 true $ALLOWED" "$t: the resolver's question is recorded as that client's"
	is "$(watched)" 0 "$t: no address is watched for it"
}

# A program on the router is not its resolver, whatever it asks and when.
its_own_programs() {	# TITLE
	is "$(dig_as $ALLOWED "${RES[4]}" $OTHER)" NOERROR "$1: the allowed client asks for another name"
	is "$(from_router $OTHER @9.9.9.9) $(from_router +tcp $OTHER @9.9.9.9)" "NXDOMAIN NXDOMAIN" "$1: a program on the router asks for the same: refused"
	is "$(from_router $OTHER @127.0.0.1)" NXDOMAIN "$1: and when it asks the resolver"
}

# What a resolver that follows RFC 9156 asks for on the way is listed, too.
minimised() {
	local name=a1.b2.upd.kaspersky.com

	own_resolver unbound '  module-config: "iterator"' '  qname-minimisation: yes' '  qname-minimisation-strict: yes' '  do-ip6: no' \
		'stub-zone:' '  name: "kaspersky.com"' '  stub-addr: 9.9.9.9' \
		'stub-zone:' '  name: "example"' '  stub-addr: 9.9.9.9'
	is "$(dig_as $REFUSED "${RES[4]}" $name)" NXDOMAIN "minimised names: another client: refused"
	is "$(dig_as $ALLOWED "${RES[4]}" $name)" NOERROR "minimised names: the allowed client: answered"
	is "$(nfqd_log | jq -rs 'map(select(.src_ip == "10.2.0.1" and .nfqd.relayed and .nfqd.name == "b2.upd.kaspersky.com")) | length > 0')" true \
		"minimised names: the resolver did ask for one above"
}

# ZONE LINE...: a signed zone of the server, with the DS records of those signed before
sign() {
	local zone=$1 key

	key=$(cd "$lab_dir/zones" && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK "$zone") || return
	{
		printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A %s\n' $AUTHORITY
		printf '%s\n' "${@:2}"
		cat "$lab_dir/zones/$key.key" "$lab_dir"/zones/dsset-*."$zone". 2>/dev/null
	} >"$lab_dir/zones/$zone"
	(cd "$lab_dir/zones" && dnssec-signzone -q -z -o "$zone" -f "$zone.signed" "$zone" >/dev/null) &&
		grep -v '^;' "$lab_dir/zones/$key.key" >"$lab_dir/zones/$zone.anchor"
}

signed() {
	mkdir "$lab_dir/zones"
	sign upd.kaspersky.com "s07 A ${LAB_WEB[4]}" "s08 A ${LAB_WEB[4]}" "@ A ${LAB_WEB[4]}" &&
		sign kaspersky.com 'upd NS ns.upd' "ns.upd A $AUTHORITY" || return
	ip -n "$LAB_SERVER" addr add $AUTHORITY/32 dev lo
	{ printf 'server:\n  username: ""\n  chroot: ""\n  directory: "%s"\n  pidfile: ""\n  use-syslog: no\n' "$lab_dir"
	printf '  module-config: "iterator"\n  interface: %s\n  access-control: 0.0.0.0/0 allow\n' $AUTHORITY
	printf 'remote-control:\n  control-enable: no\n'
	for zone in kaspersky.com upd.kaspersky.com; do
		printf 'auth-zone:\n  name: %s\n  for-upstream: no\n  zonefile: "%s"\n' $zone "$lab_dir/zones/$zone.signed"
	done; } >"$lab_dir/authority.conf"
	lab_spawn authority "$LAB_SERVER" unbound -d -c "$lab_dir/authority.conf"
	lab_wait 10 eval 'in_client dig +time=1 +tries=1 +dnssec ns.kaspersky.com @$AUTHORITY | grep -q RRSIG'
}

# A validating resolver asks for keys and delegations (DNSKEY, DS) of the listed zone, too; these always pass.
validated() {
	ok "signed zones: a server" signed
	own_resolver unbound '  module-config: "validator iterator"' '  do-ip6: no' '  target-fetch-policy: "0 0 0 0 0"' \
		"  trust-anchor-file: \"$lab_dir/zones/kaspersky.com.anchor\"" \
		'stub-zone:' '  name: "kaspersky.com"' "  stub-addr: $AUTHORITY" \
		'stub-zone:' '  name: "example"' '  stub-addr: 9.9.9.9'
	is "$(dig_as $REFUSED "${RES[4]}" $NAME)" NXDOMAIN "signed zones: another client: refused"
	is "$(dig_as $ALLOWED "${RES[4]}" $NAME)" NOERROR "signed zones: the allowed client: answered"
	like "$(in_client dig +time=2 +tries=6 -b $ALLOWED "@${RES[4]}" $NAME)" 'flags: qr rd ra ad;' "signed zones: and its answer is proved"
	is "$(dig_as $ALLOWED "${RES[4]}" upd.kaspersky.com)" NOERROR "signed zones: the name of a zone itself"
	is "$(nfqd_log | jq -rs 'map(select(.src_ip == "10.2.0.1" and .nfqd.action == "reject")) | length')" "$1" \
		"signed zones: no question of the resolver was refused"
	is "$(from_router upd.kaspersky.com DNSKEY @$AUTHORITY) $(from_router upd.kaspersky.com @$AUTHORITY)" "NOERROR NXDOMAIN" \
		"signed zones: a program on the router gets its keys, as any, but not its addresses"
	lab_end authority TERM
}

# dnsmasq asks unbound on another port, as Pi-hole does.
in_turn() {
	{ printf 'server:\n  username: ""\n  chroot: ""\n  directory: "%s"\n  pidfile: ""\n  use-syslog: no\n' "$lab_dir"
	printf '  interface: 127.0.0.1@5335\n  access-control: 0.0.0.0/0 allow\n%s\nremote-control:\n  control-enable: no\n' "$forward"; } >"$lab_dir/second.conf"
	lab_spawn second "$LAB_ROUTER" unbound -d -c "$lab_dir/second.conf"
	lab_wait 10 lab_listens "$LAB_ROUTER" u 5335
	own_resolver dnsmasq 127.0.0.1#5335
	is "$(dig_as $ALLOWED "${RES[4]}" $NAME) $(dig_as $REFUSED "${RES[4]}" $NAME)" "NOERROR NXDOMAIN" "two resolvers in turn: for the allowed client alone"
	lab_end second TERM
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
ip -n "$LAB_CLIENT" addr add $REFUSED/24 dev eth0
lab_may_update
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"

own_resolver dnsmasq
holds_for_it_alone "lab-may-update, dnsmasq" log
is "$(dig_as $ALLOWED "${RES[4]}" +tcp $NAME AAAA)" NOERROR "lab-may-update, dnsmasq: over TCP, another type"
its_own_programs dnsmasq
in_turn
own_resolver unbound "$forward"
holds_for_it_alone "lab-may-update, unbound" log
its_own_programs "unbound, which runs as root"
minimised
validated "$(nfqd_log | jq -rs 'map(select(.src_ip == "10.2.0.1" and .nfqd.action == "reject")) | length')"

excepted
nfqd_ctl reload >/dev/null || bail "reload"
own_resolver dnsmasq
holds_for_it_alone "an exception, dnsmasq" allow
is "$(nfqd_ctl why $NAME --client $ALLOWED --json | jq -r .action) $(nfqd_ctl why $NAME --client $REFUSED --json | jq -r .action)" "allow reject" \
	"why says what happens"
ok "its counter counts" test "$(status .counters.errands)" -ge 5

nfqd_conf | sed "s,^policies:,policies:\n  - name: own\n    clients: [this-machine]\n    match: {packs: [kaspersky]}\n    action: allow," >"$lab_dir/nfqd.yaml"
nfqd_ctl reload >/dev/null || bail "reload"
is "$(from_router $NAME @9.9.9.9) $(dig_as $ALLOWED 9.9.9.9 $NAME) $(dig_as $ALLOWED "${RES[4]}" $OTHER)" "NOERROR NXDOMAIN NXDOMAIN" \
	"this-machine: programs of the router, and not its clients"
nfqd_stop
is $? 0 "nfqd stops"
lab_down
done_testing

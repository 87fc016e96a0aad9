#!/bin/bash
# Stands for unbound#98, unbound#1242 (0x20), Technitium#1146 and pi-hole#6045: a resolver on the LAN that asks from the
# root, with mixed case, over TCP, or forwards; unbound, BIND and dnsmasq (t17).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl dpkg-deb "$LAB_PYTHON"

ROOT=192.0.2.1 TLD=192.0.2.2 LEAF=192.0.2.3
PATH=$PATH:$FIELD_UNPACKED/usr/sbin

run_unbound() {	# OPTION [FORWARD]
	cat >"$lab_dir/resolver.conf" <<-CONF
		server:
			username: ""
			chroot: ""
			directory: "$lab_dir"
			pidfile: ""
			port: 5300
			interface: 127.0.0.1
			do-ip6: no
			root-hints: "$lab_dir/hints"
			module-config: "iterator"
			$1
		remote-control:
			control-enable: no
		${2:-}
	CONF
	lab_spawn resolver "$LAB_CLIENT" unbound -d -c "$lab_dir/resolver.conf"
}

run_bind() {	# OPTIONS
	cat >"$lab_dir/resolver.conf" <<-CONF
		options { directory "$lab_dir"; listen-on port 5300 { 127.0.0.1; }; listen-on-v6 { none; }; recursion yes;
			dnssec-validation no; pid-file none; session-keyfile none; $1 };
		controls { };
		zone "." { type hint; file "$lab_dir/hints"; };
	CONF
	lab_spawn resolver "$LAB_CLIENT" named -g -4 -c "$lab_dir/resolver.conf"
}

run_dnsmasq() {
	lab_spawn resolver "$LAB_CLIENT" dnsmasq -k -C /dev/null -p 5300 --listen-address=127.0.0.1 --bind-interfaces -R \
		-S $LEAF --user=root --pid-file=
}

look_up() { FIELD_CLIENT=in_client field_dns "$1" 127.0.0.1 -p 5300; }
resolves() { [ "$(look_up www.example.org)" = NOERROR ]; }

try() {	# WHAT RUN [ARGUMENT...]
	"${@:2}"
	lab_wait 10 resolves || { diag "$(tail -n 5 "$lab_dir/resolver.log")"; bail "$1: does not resolve"; }
	is "$(look_up $FIELD_DNS) $(look_up s08.upd.kaspersky.com) $(look_up mail.example.org)" "NXDOMAIN NXDOMAIN NOERROR" \
		"$1: two listed names, an unlisted one"
	lab_end resolver
}

field_unpacked || bail "BIND cannot be unpacked"
field_up masquerade
for a in $ROOT $TLD $LEAF; do ip -n "$LAB_SERVER" addr add $a/32 dev lo; done
printf '. 3600 IN NS ns.root.\nns.root. 3600 IN A %s\n' $ROOT >"$lab_dir/hints"
lab_spawn internet "$LAB_SERVER" "$LAB_PYTHON" tests/lib/internet.py $ROOT $TLD $LEAF
lab_wait 5 grep -q ready "$lab_dir/internet.log" || bail "no internet: $(cat "$lab_dir/internet.log")"
field_nfqd
try "unbound from the root" run_unbound ""
try "unbound, mixed case" run_unbound "use-caps-for-id: yes"
try "unbound, forwarding" run_unbound "" $'forward-zone:\n  name: "."\n  forward-addr: 192.0.2.3'
try "BIND from the root" run_bind "qname-minimization relaxed;"
try "BIND, forwarding" run_bind "forwarders { $LEAF; }; forward only;"
try dnsmasq run_dnsmasq
nfqd_stop
is $? 0 "nfqd stops"
done_testing

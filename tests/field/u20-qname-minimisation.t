#!/bin/bash
# Stands for DNSCrypt/dnscrypt-proxy#1143 and RFC 9156: an exception for one name below a refused zone, asked for by
# a resolver that asks for each name on the way there; a refusal of one of those would hide the excepted one. And for
# unbound#98, Technitium#1146 and pi-hole#6045: resolvers that ask from the root through nfqd.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl dpkg-deb "$LAB_PYTHON"

ROOT=192.0.2.1 TLD=192.0.2.2 LEAF=192.0.2.3
PATH=$PATH:$FIELD_UNPACKED/usr/sbin

run_unbound() {	# relaxed|strict
	cat >"$lab_dir/resolver.conf" <<-END
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
			qname-minimisation: yes
			qname-minimisation-strict: $([ "$1" = strict ] && echo yes || echo no)
		remote-control:
			control-enable: no
	END
	lab_spawn resolver "$LAB_CLIENT" unbound -d -c "$lab_dir/resolver.conf"
}

run_bind() {	# relaxed|strict
	cat >"$lab_dir/resolver.conf" <<-END
		options { directory "$lab_dir"; listen-on port 5300 { 127.0.0.1; }; listen-on-v6 { none; }; recursion yes;
			dnssec-validation no; pid-file none; session-keyfile none; qname-minimization $1; };
		controls { };
		zone "." { type hint; file "$lab_dir/hints"; };
	END
	lab_spawn resolver "$LAB_CLIENT" named -g -4 -c "$lab_dir/resolver.conf"
}

look_up() { FIELD_CLIENT=in_client field_dns "$1" 127.0.0.1 -p 5300; }
resolves() { [ "$(look_up www.example.org)" = NOERROR ]; }

field_unpacked || bail "BIND cannot be unpacked"
field_up masquerade
for a in $ROOT $TLD $LEAF; do ip -n "$LAB_SERVER" addr add $a/32 dev lo; done
printf '. 3600 IN NS ns.root.\nns.root. 3600 IN A %s\n' $ROOT >"$lab_dir/hints"
lab_spawn internet "$LAB_SERVER" "$LAB_PYTHON" tests/lib/internet.py $ROOT $TLD $LEAF
lab_wait 5 grep -q ready "$lab_dir/internet.log" || bail "no internet: $(cat "$lab_dir/internet.log")"
nfqd_conf | sed 's/^policies:/exceptions:\
  - {name: lab, names: [s07.upd.kaspersky.com], owner: a@example.org, reason: test, expires: 2027-06-01}\
&/' >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
for resolver in unbound bind; do
	for way in relaxed strict; do
		run_$resolver $way
		lab_wait 10 resolves || bail "$resolver does not resolve: $(tail -n 5 "$lab_dir/resolver.log")"
		is "$(look_up s07.upd.kaspersky.com) $(look_up s08.upd.kaspersky.com) $(look_up mail.example.org)" \
			"NOERROR NXDOMAIN NOERROR" "$resolver, $way: the excepted name, its sister, an unlisted one"
		lab_end resolver
	done
done
is "$(jq -r 'select(.alert and .nfqd.name == "kaspersky.com").nfqd | "\(.action) \(.exception)"' "$lab_dir/eve.json" | sort -u)" \
	"allow lab" "the name above it passes by that exception"
is "$(field_dns upd.kaspersky.com $LEAF) $(field_tls upd.kaspersky.com 4)" "NOERROR reset" \
	"for DNS alone: a connection to the name above is refused"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

#!/bin/bash
# Stands for hagezi#3290 (unbound's forward-tls-upstream, stubby) and Android's opportunistic Private DNS: a site that
# refuses encrypted DNS, whose own resolver asks by TLS. It is refused like everyone else until a policy names it; the
# router's own port 853 is nobody's business; the canary names are answered as their owners expect (u10).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# The router's resolver asks 8.8.8.8 by TLS; for clients it speaks TLS, too.
own() {
	cat >"$lab_dir/own.conf" <<-END
		server:
			username: ""
			chroot: ""
			directory: "$lab_dir"
			pidfile: ""
			interface: ${LAB_OWN[4]}@53
			interface: ${LAB_OWN[4]}@853
			tls-service-key: "$lab_dir/key.pem"
			tls-service-pem: "$lab_dir/cert.pem"
			access-control: 10.0.0.0/8 allow
			module-config: "iterator"
			do-ip6: no
		forward-zone:
			name: "."
			forward-tls-upstream: yes
			forward-addr: 8.8.8.8@853
		remote-control:
			control-enable: no
	END
	lab_end own
	lab_spawn own "$LAB_ROUTER" unbound -d -c "$lab_dir/own.conf"
	lab_wait 10 lab_listens "$LAB_ROUTER" t 853 || bail "no resolver: $(cat "$lab_dir/own.log")"
}
by_own() { field_dns "$1" "${LAB_OWN[4]}" +time=9; }
dot() { field_dns $FIELD_OPEN "$1" +tls +time=4; }

with() {	# POLICIES: nfqd with the pack of encrypted DNS
	nfqd_conf | sed "s#^rules: .*#rules: [$LAB_REPO/rules/kaspersky.yaml, $LAB_REPO/rules/encrypted-dns.yaml]#; s#^policies:#&\\n$1#" >"$lab_dir/dot.yaml"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/dot.yaml"
	lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
}
CANARIES='  - {name: canaries, match: {packs: [encrypted-dns], categories: [canary]}, action: reject, dns: nodata}\n'
NO_DOT='  - {name: no-dot, match: {packs: [encrypted-dns]}, action: reject}'
OWN="  - {name: own, clients: [${LAB_WAN[4]}], match: {packs: [encrypted-dns]}, action: allow}\\n"

field_up masquerade
lab_end own-dns
own
is "$(by_own www.example.net) $(dot 8.8.8.8) $(dot "${LAB_OWN[4]}")" "NOERROR NOERROR NOERROR" "without nfqd"
with "$CANARIES$NO_DOT"
own
is "$(by_own www.example.org)" SERVFAIL "the router's own resolver is refused like everyone else"
ok "which its record says" lab_wait 5 nfqd_has_records 1 ".src_ip == \"${LAB_WAN[4]}\" and .dest_port == 853 and .nfqd.action == \"reject\""
like "$(dot 8.8.8.8)" 'RESET|TIMEOUT' "so is a client that asks by TLS"
ok "and recorded" lab_wait 5 nfqd_has_records 1 ".src_ip == \"${LAB_HOST[4]}\" and .dest_port == 853"
is "$(by_own $FIELD_DNS)" NXDOMAIN "a listed name at the router's resolver"
is "$(field_dns $FIELD_OPEN "${LAB_OWN[4]}" -p 853 +tls +time=4)" SERVFAIL "the router's own port 853 is open"
is "$(field_dns use-application-dns.net 8.8.8.8) $(field_dns dns.google 8.8.8.8)" "NOERROR NXDOMAIN" "a canary name, a resolver's name"
nfqd_stop
with "$OWN$CANARIES$NO_DOT"
own
is "$(by_own www.example.org)" NOERROR "a policy names the router's resolver: it may"
like "$(dot 8.8.8.8)" 'RESET|TIMEOUT' "clients still may not"
is "$(by_own $FIELD_DNS)" NXDOMAIN "and listed names are refused"
is "$(dot "${LAB_OWN[4]}")" NOERROR "the router's own port 853 answers"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

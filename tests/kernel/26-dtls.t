#!/bin/bash
# Proves: a DTLS 1.2 connection (RFC 6347) to a listed name is refused at once and recorded, on the ports of
# HTTPS and DNS over TLS and on any other, routed or the router's own; an unlisted one passes, after which the
# queue sees no more of it.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

LISTED=activation-v2.kaspersky.com OPEN=www.example.org
HOST=93.191.13.1	# a server of this test, which no address rule knows
PORTS="443 853 5684"

# No lookups of clients' names: nothing but the connections here may be queued.
eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" && echo "  client-names: false"; }

# through, refused, or the last that openssl said; and how many packets were queued for it. A client whose
# ICMP error the kernel held back (net.ipv4.icmp_ratelimit) sends its hello again.
dtls() {	# in_client|in_router PORT NAME
	local queued said

	queued=$(nfqd_queued)
	said=$("$1" timeout 10 openssl s_client -dtls1_2 -connect $HOST:"$2" -servername "$3" </dev/null 2>&1)
	case $said in
	*'BEGIN CERTIFICATE'*) echo "through, queued $(($(nfqd_queued) - queued))" ;;
	*errno=111*) echo refused ;;
	*errno=1) echo refused ;;
	*) tail -n 1 <<<"$said" ;;
	esac
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
ip -n "$LAB_SERVER" addr add $HOST/32 dev lo
for port in $PORTS; do
	# its standard input stays open: at its end the server would end
	lab_spawn dtls$port "$LAB_SERVER" bash -c 'exec openssl s_server -dtls1_2 -accept "$1" -cert "$2/cert.pem" -key "$2/key.pem" \
		< <(exec tail -f /dev/null)' - $HOST:$port "$lab_dir"
	lab_wait 5 grep -q ACCEPT "$lab_dir/dtls$port.log" || bail "s_server: $(cat "$lab_dir/dtls$port.log")"
	is "$(dtls in_client $port $LISTED)" "through, queued 0" "port $port: without nfqd it arrives"
done
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
for who in in_client in_router; do
	for port in $PORTS; do
		is "$(dtls $who $port $LISTED)" refused "${who#in_}, port $port: a listed name is refused"
		is "$(dtls $who $port $OPEN)" "through, queued 1" "${who#in_}, port $port: an unlisted name passes, one packet queued"
	done
done
lab_wait 2 nfqd_has_records 6
is "$(nfqd_records)" 6 "one record for each listed one"
is "$(nfqd_records '.nfqd.seen_in == "tls.sni" and .nfqd.action == "reject" and .alert.action == "blocked" and .proto == "UDP" and
	.tls.version == "DTLS 1.2" and .nfqd.name == "'$LISTED'"')" 6 "they say tls.sni, reject, blocked, UDP, DTLS 1.2 and the name"
is "$(nfqd_lost)" 0 "the kernel dropped no queued packet"
nfqd_stop
is $? 0 "nfqd stops"
lab_down
done_testing

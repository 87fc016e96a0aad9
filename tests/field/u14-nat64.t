#!/bin/bash
# Stands for IPv6-only clients behind DNS64 and NAT64 (464XLAT guides, Jool): what goes to an address in a
# NAT64 prefix is judged as the IPv4 address inside, by networks of packs and by what was learned.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# 198.51.100.9, as the well-known prefix and as one of the site's translate it
WELL=64:ff9b::c633:6409 SITE=2001:db8:64:c633:64:900:: OTHER=2001:db8:65:c633:64:900::

pack() {
	cat >"$lab_dir/pack.yaml" <<-'END'
		pack: nat64
		vendor: Example
		version: 2026.11.28.1
		license: CC0-1.0
		sources: [{id: s, title: Example, url: "https://example.com/", publisher: Example, retrieved: 2026-11-28}]
		stages: [{id: now, from: 2020-01-01T00:00:00Z, action: block, basis: site, citation: "a test"}]
		entries: [{id: e, names: [listed.example], category: update, sources: [s], confidence: high, side_effect: "none"}]
		nets: [{cidr: "198.51.100.0/24", category: update, sources: [s], confidence: high, side_effect: "none"}]
	END
}

echoes() { lab_spawn "echo$1" "$LAB_SERVER" "$LAB_PYTHON" tests/lib/sink.py "datagram:7777@$2"; }
# A datagram of no protocol of ours: answered, refused or timeout.
datagram() {
	in_client "$LAB_PYTHON" - "$1" <<-'END'
		import socket, sys
		with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
		    s.settimeout(2)
		    s.connect((sys.argv[1], 7777))
		    try:
		        s.send(b"x" * 1300)
		        s.recv(99)
		        print("answered")
		    except ConnectionRefusedError:
		        print("refused")
		    except TimeoutError:
		        print("timeout")
	END
}

field_up plain
n=0
for a in $WELL $SITE $OTHER; do
	ip -n "$LAB_SERVER" -6 addr add "$a/128" dev lo nodad
	ip -n "$LAB_ROUTER" -6 route add "$a/128" via fd00:2::2
	echoes $((n++)) "$a"
done
pack
nfqd_conf | sed "s|^rules:.*|rules: [$lab_dir/pack.yaml]|; s/packs: \[kaspersky\]/packs: [nat64]/
	s|^default:|inspect: {nat64: [2001:db8:64::/48]}\n&|" >"$lab_dir/nfqd.yaml"
lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/nfqd.yaml"
lab_wait 15 nfqd_ready_or_dead && nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
is "$(datagram $WELL)" refused "the well-known prefix"
is "$(datagram $SITE)" refused "the site's prefix"
is "$(datagram $OTHER)" answered "an address of no such prefix"
lab_wait 5 nfqd_has_records 2 .alert
is "$(jq -r 'select(.alert).nfqd | "\(.name) \(.pattern) \(.action)"' "$lab_dir/eve.json")" \
	"$WELL 198.51.100.0/24 reject
$SITE 198.51.100.0/24 reject" "the records name the address and the network"
nfqd_stop
is $? 0 "nfqd stops"
like "$("$NFQD" -r tests/field/in/nat64.pcap --rules rules/encrypted-dns.yaml 2>/dev/null)" \
	'64:ff9b::808:808.*"rule":"net-8.8.8.8/32"' "a capture"
done_testing

#!/bin/bash
# Proves: a QUIC connection to a listed name is refused at once (ICMP, so that the client falls
# back to TCP and is refused there, too), routed or the router's own; an unlisted one passes.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

quic() { "$1" "$LAB_PYTHON" tests/lib/quic.py "${LAB_WEB[$2]}" 443 "$3"; }	# WHO VERSION NAME

ok "quic.py derives the keys of RFC 9001" "$LAB_PYTHON" tests/lib/quic.py --self-test
for nat in masquerade plain; do
	lab_up $nat || bail "lab: $(cat "$lab_dir/up.log")"
	rm -f "$lab_dir/eve.json"
	is "$(quic in_client 4 s07.upd.kaspersky.com) $(quic in_client 6 s07.upd.kaspersky.com)" "answered answered" "$nat: without nfqd it arrives"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	for v in 4 6; do
		for who in in_client in_router; do
			is "$(quic $who $v s07.upd.kaspersky.com)" refused "$nat, IPv$v, ${who#in_}: a listed name is refused"
			is "$(quic $who $v www.example.org)" answered "$nat, IPv$v, ${who#in_}: an unlisted name passes"
		done
	done
	lab_wait 2 nfqd_has_records 4
	is "$(nfqd_records)" "$(nfqd_records '.nfqd.seen_in == "quic.sni" and .nfqd.action == "reject"')" "$nat: records say quic.sni, reject"
	is "$(nfqd_records)" 4 "$nat: one for each"
	nfqd_stop
	is $? 0 "$nat: nfqd stops"
	lab_down
done
done_testing

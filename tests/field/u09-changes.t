#!/bin/bash
# Stands for keepalived#2254 (fail-over without conntrackd), vyos-1x#5120 (conntrack -F when the uplink changes), suspended
# hosts, SYNPROXY, and scripts that restore iptables again and again (u09).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy iptables-legacy-save conntrack dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy "$@"; }
pair() { echo "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4) $(field_dns $FIELD_DNS 8.8.8.8) $(field_dns $FIELD_OPEN 8.8.8.8)"; }
JUDGED="reset fine NXDOMAIN NOERROR"

# A connection to an unlisted name that lasts for seconds.
download() {
	lab_spawn download "$LAB_CLIENT" curl -sk --limit-rate 3M -r 0-12000000 --resolve "$FIELD_OPEN:443:${LAB_WEB[4]}" \
		-o "$lab_dir/part" "https://$FIELD_OPEN/big"
	lab_wait 5 test -s "$lab_dir/part"
}

processes() { echo "${lab_pid[nfqd]} $(cat "/proc/${lab_pid[nfqd]}/task/${lab_pid[nfqd]}/children")"; }

field_up plain
field_nfqd
download || bail "no download"
for round in 1 2 3; do
	in_router conntrack -F 2>/dev/null
	field_dns $FIELD_OPEN 8.8.8.8 >/dev/null
done
ok "a connection outlives three conntrack -F" lab_wait 30 lab_dead download
is "$(stat -c %s "$lab_dir/part")" 12000001 "whole"
is "$(pair)" "$JUDGED" "after that names are judged"

# shellcheck disable=SC2046	# numbers
kill -STOP $(processes)
in_client dig +time=9 +tries=1 $FIELD_DNS @8.8.8.8 >"$lab_dir/late" 2>&1 &
late=$!
sleep 2			# the host sleeps
# shellcheck disable=SC2046	# numbers
kill -CONT $(processes)
wait $late
like "$(cat "$lab_dir/late")" 'status: NXDOMAIN' "a question that was asked while the host slept"
is "$(pair)" "$JUDGED" "awake again"

in_router iptables-legacy-save >"$lab_dir/saved"
for round in 1 2 3 4; do
	in_router iptables-legacy-restore <"$lab_dir/saved"
	is "$(pair)" "$JUDGED" "iptables-restore, time $round"
done

lab_sysctl "$LAB_ROUTER" net.netfilter.nf_conntrack_tcp_loose=0
xt -t raw -A PREROUTING -p tcp --syn -j CT --notrack
if xt -A FORWARD -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460; then
	xt -A FORWARD -m conntrack --ctstate INVALID -j DROP
	is "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4)" "reset fine" "behind SYNPROXY"
fi
nfqd_stop
is $? 0 "nfqd stops"
done_testing

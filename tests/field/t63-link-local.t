#!/bin/bash
# Stands for AdGuardHome#1261 and routers that announce fe80:: as their resolver: a client that asks a link-local
# address of the router (t63).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

own() { ip -n "$LAB_ROUTER" -6 -o addr show dev lan0 scope link | awk '{ sub("/.*", "", $4); print $4; exit }'; }

field_up masquerade
lab_wait 5 eval '[ -n "$(own)" ]' || bail "no link-local address"
lab_end own-dns
lab_spawn resolver "$LAB_ROUTER" dnsmasq -k -C /dev/null --bind-dynamic -R -S 8.8.8.8 --user=root --pid-file=
client=$(ip -n "$LAB_CLIENT" -o link show type veth | awk -F '[ :@]+' '{ print $2; exit }')
at="$(own)%$client"
asks() { [ "$(field_dns $FIELD_OPEN "$at")" = NOERROR ]; }
lab_wait 5 asks || { diag "$(cat "$lab_dir/resolver.log")"; bail "the resolver does not answer at $at"; }
field_nfqd
is "$(field_dns $FIELD_OPEN "$at") $(field_dns $FIELD_OPEN "$at" +tcp)" "NOERROR NOERROR" "an unlisted name, UDP and TCP"
is "$(field_dns $FIELD_DNS "$at") $(field_dns $FIELD_DNS "$at" +tcp)" "NXDOMAIN NXDOMAIN" "a listed name, UDP and TCP"
is "$(field_dns $FIELD_DNS "$at" -b "${LAB_HOST[6]}")" NXDOMAIN "and from a global address"
is "$(field_counter answers_failed)" 0 "no answer was lost"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

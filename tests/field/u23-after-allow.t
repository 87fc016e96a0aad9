#!/bin/bash
# Stands for blocky#287, blocky#1383 and unbound#533: after `nfqctl allow` a caching resolver that was told NXDOMAIN
# gets over it; its entry lives a minute (the SOA's), not longer.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
. tests/lib/resolvers.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

field_up masquerade
field_nfqd
resolver_unbound "" $'forward-zone:\n  name: "."\n  forward-addr: 8.8.8.8'
lab_wait 5 lab_listens "$LAB_CLIENT" u 5300 || bail "no cache"
is "$(field_dns $FIELD_DNS 127.0.0.1 -p 5300)" NXDOMAIN "refused, and cached"
ttl=$(in_client dig -p 5300 $FIELD_DNS @127.0.0.1 | awk '/SOA/ { print $2 }')
ok "for a minute at most (${ttl:-no SOA} s)" [ "${ttl:-61}" -le 60 ]
ok "nfqctl allow" nfqd_ctl allow $FIELD_DNS --for 1h --reason test
is "$(field_dns $FIELD_DNS 8.8.8.8) $(field_dns s08.upd.kaspersky.com 127.0.0.1 -p 5300)" "NOERROR NXDOMAIN" \
	"asked past the cache it resolves at once; others stay refused"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

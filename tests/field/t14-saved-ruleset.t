#!/bin/bash
# Stands for the Debian wiki's way to keep rules: nft list ruleset > /etc/nftables.conf, and the file loaded again;
# where it cannot load, status says so; and stale rules of another run never make a packet circle (t14).
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

xt() { in_router iptables-legacy -t "$@"; }

loads() { in_router nft -c -f "$1"; }
does_not_load() { ! loads "$1"; }
without_ours() { sed '/^table inet nfqd/,/^}/d' "$1"; }

field_up plain
in_router nft 'table ip mine { chain f { type filter hook forward priority filter; tcp dport 25 drop; }; }'
field_nfqd
in_router nft list ruleset >"$lab_dir/ruleset" 2>/dev/null
is "$(grep -c 'invalid type' "$lab_dir/ruleset")" 0 "every rule lists as it was written"
if grep -q 'xt match bpf' "$lab_dir/ruleset"; then
	ok "with the prefilter's rules it does not load, as nfqd(8) says" does_not_load "$lab_dir/ruleset"
elif [[ $(nfqd_ctl status --json | jq -r .steering.backend) == nft* ]]; then
	ok "the saved ruleset loads" loads "$lab_dir/ruleset"
else
	like "$(nfqd_ctl status)" "saved ruleset .* will not load" "status says that a saved ruleset will not load"
fi
without_ours "$lab_dir/ruleset" >"$lab_dir/theirs"
ok "and the rest of it does" loads "$lab_dir/theirs"

# Loaded again while nfqd runs: a table with as many rules, whose verdicts nobody knows. Where nft cannot write the
# rules that queue, or that ask the prefilter, something else stands in their place.
CANNOT='s/^\t\txt match bpf/\t\tct label 1/;'
[[ $(nfqd_ctl status --json | jq -r .steering.backend) == nft* ]] || CANNOT+='s/^\t\t.*queue num.*/\t\tct label 1 accept/'
back() { [ "$(nfqd_ctl status --json | jq .steering.repairs)" = "$1" ]; }
{ echo "flush ruleset"; sed -e 's/priority & 0xfff00000 == 0x[0-9a-f]*/priority \& 0xfff00000 == 0x12300000/' -e "$CANNOT" "$lab_dir/ruleset"; } >"$lab_dir/stale"
ok "a saved ruleset is loaded while nfqd runs" in_router nft -f "$lab_dir/stale"
ok "and its copy of nfqd's table gives way" lab_wait 10 back 1
is "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4) $(field_dns $FIELD_DNS 8.8.8.8)" "reset fine NXDOMAIN" "names are judged"
in_router nft 'table inet nfqd { flags dormant; }'
ok "a table that is put to sleep is woken" lab_wait 10 back 2
is "$(field_tls $FIELD_TLS 4) $(field_tls $FIELD_OPEN 4) $(field_dns $FIELD_DNS 8.8.8.8)" "reset fine NXDOMAIN" "names are judged"
nfqd_stop
NFQD_STEER=forget field_nfqd
field_tls $FIELD_TLS 4 >/dev/null
is "$(nfqd_ctl status --json | jq '.steering.unmet > 0 and .steering.unmet < 100')" true \
	"fail: open, no rule knows the verdict: the packet is queued twice and passes, counted"
is "$(field_dns $FIELD_DNS 8.8.8.8)" NXDOMAIN "what needs no token is refused all the same"
nfqd_stop
NFQD_STEER=forget field_nfqd enforce closed
is "$(field_tls $FIELD_TLS 4)" timeout "fail: closed: it is dropped"
is "$(nfqd_ctl status --json | jq '.steering.unmet > 0 and .steering.unmet < 100')" true "and does not circle"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

#!/bin/bash
# Proves: where the state is kept (labels, labels and sets of ct id, sets alone) and where a verdict's token stands (priority,
# mark) change nothing that a client sees, and `status` names them.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft conntrack dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

# One connection after the other: NAME[,SOURCE-PORT[,PRIORITY]], with 0 for none
hellos() {	# WHO HELLO...
	"$1" "$LAB_PYTHON" - "${LAB_WEB[4]}" "${@:2}" <<-'PY'
		import sys
		sys.path.insert(0, "tests/lib")
		from wild import tcp
		said = []
		for hello in sys.argv[2:]:
		    name, port, priority = (hello.split(",") + ["0", "0"])[:3]
		    said.append(tcp(name, sys.argv[1], src=int(port), priority=int(priority, 0)))
		print(*said)
	PY
}

download() { in_client curl -s -m 20 --resolve "$FIELD_OPEN:80:${LAB_WEB[4]}" --limit-rate 200M -r 0-20000000 -o /dev/null "http://$FIELD_OPEN/big"; }

left() {	# COMMENT: packets that left so by the uplink
	in_router nft -j list chain inet count out |
		jq --arg of "$1" '[.nftables[].rule | select(.comment? == $of).expr[].counter?.packets // empty] | add'
}

variant() {	# SWITCHES STORAGE TOKEN
	local before class

	rm -f "$lab_dir/eve.json"
	in_router conntrack -F 2>/dev/null	# entries that are older than the table would be remembered in sets
	NFQD_STEER=$1 field_nfqd
	like "$(nfqd_ctl status)" "states in $2; verdicts $3 token" "$1: status says $2, $3"
	field_refused 4 "$1"
	is "$(hellos in_client $FIELD_OPEN,45678 $FIELD_TLS,45678 $FIELD_OPEN,45678 $FIELD_TLS,45678 $FIELD_TLS,45678 $FIELD_OPEN,45678)" \
		"data reset data reset reset data" "$1: one port, connections one after the other"
	before=$(nfqd_queued) class=$(left class)
	ok "$1: a download" download
	ok "$1: of which a packet or two are queued" [ $(($(nfqd_queued) - before)) -le 3 ]
	is "$(hellos in_router $FIELD_TLS,0,0x10010 $FIELD_OPEN,0,0x10010)" "reset data" "$1: a traffic class of the sender's own"
	ok "$1: with which its packets leave" [ "$(left class)" -gt "$class" ]
	nfqd_stop
	is $? 0 "$1: nfqd stops"
	is "$(nfqd_log | jq -r 'select(.event_type == "alert").nfqd.action' | sort | uniq -c | awk '{ print $2, $1 }')" "reject 8" "$1: one record for each refusal"
}

field_up masquerade
# What MLD reports (of ICMPv6) has some number for its mark: the kernel keeps both in one place.
in_router nft 'table inet count { chain out { type filter hook postrouting priority 300
	oifname != wan0 accept
	meta priority 0x10010 counter comment "class"
	iifname lan0 meta priority != 0 counter comment "other class"
	meta l4proto != 58 meta mark != 0 counter comment "mark"
}; }' || bail "no counters"
variant all labels priority
variant old "labels and ct id sets" priority
variant sets "ct id sets" priority
variant mark labels mark
variant sets,mark "ct id sets" mark
is "$(left mark) $(left "other class")" "0 0" "no packet left with a mark or a class of ours"
done_testing

#!/bin/bash
# Proves: nfqd over what a killed nfqd 0.1.0 left (its table with rules on marks, its iptables rules, bits in
# connections' marks) removes all of it, says so once, leaves other programs' rules and bits, and inspects;
# its configuration's mark-mask is accepted, said to be ignored, and names the bits that are cleared.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft conntrack dig dnsmasq unbound nginx curl jq openssl iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft "$LAB_PYTHON"

LISTED=activation-v2.kaspersky.com OPEN=www.example.org

fetch() { in_client curl -sk -o /dev/null -m 3 --resolve "$1:443:${LAB_WEB[4]}" "https://$1/"; echo $?; }

# The table of 0.1.0 as it listed it, without the sets and the rules that only looked.
old_table() {
	in_router nft -f - <<-END
		table inet nfqd {
			counter unmarked { }
			set outside { type ifname; elements = { "wan0" }; }
			chain refuse {
				meta l4proto tcp reject with tcp reset
				reject
			}
			chain first {
				meta mark & 0x70000000 == 0x30000000 accept
				tcp flags & (syn | ack) == syn ct mark set ct mark & 0xcfffffff | 0x40000000
				ct mark & 0x70000000 == 0x10000000 accept
				ct mark & 0x70000000 == 0x60000000 drop
				ct mark & 0x70000000 == 0x20000000 goto refuse
			}
			chain to_queue {
				meta mark set meta mark & 0xcfffffff | 0x40000000
			}
			chain steer_forward {
				type filter hook forward priority mangle - 1; policy accept;
				iifname @outside oifname != @outside accept
				jump first
				goto to_queue
			}
			chain decided {
				meta mark & 0x70000000 == 0x40000000 counter name unmarked
				meta mark & 0x70000000 == 0x10000000 ct mark set ct mark & 0x9fffffff | 0x10000000
				meta mark & 0x70000000 == 0x20000000 ct mark set ct mark & 0xafffffff | 0x20000000 goto refuse
				meta mark set meta mark & 0x8fffffff
			}
			chain decide_forward {
				type filter hook forward priority mangle + 1; policy accept;
				meta mark & 0x70000000 != 0 goto decided
			}
		}
	END
}

# Its rules in iptables (legacy|nft), and between them two of somebody else.
old_rules() {
	local program chain

	for program in iptables-$1 ip6tables-$1; do
		in_router $program -w -t mangle -A FORWARD -m comment --comment 'nfqd, not its own' -j NFQUEUE --queue-num 77 --queue-bypass
		for chain in PREROUTING INPUT FORWARD OUTPUT; do
			in_router $program -w -t mangle -A $chain -m mark --mark 0x40000000/0x40000000 \
				-m mark ! --mark 0x60000000/0x70000000 -m comment --comment nfqd \
				-j NFQUEUE --queue-balance 0:1 --queue-bypass || return
		done
		in_router $program -w -t mangle -A OUTPUT -m comment --comment shaping -j MARK --set-mark 0x5/0xf
	done
}
foreign_rules() { in_router $1-save -t mangle | grep -cE 'comment (shaping|"nfqd, not)'; }

# Connections with its bits and with those of others.
old_marks() {	# MARK...
	local mark port=5000

	in_router conntrack -F >/dev/null 2>&1
	for mark in "$@"; do
		in_router conntrack -I -p tcp -s 10.1.0.9 -d 203.0.113.9 --sport $((++port)) --dport 443 --state ESTABLISHED \
			-t 600 -m "$mark" >/dev/null 2>&1
	done
}
marks() { nfqd_states | awk '$2 == "10.1.0.9" { print $3, $6 }' | sort | awk '{ sub("mark=", "", $2); print $2 }' | xargs; }

mark_rules() { in_router nft list table inet nfqd 2>/dev/null | grep -cE 'ct mark|0x70000000'; }
said() { grep -c "$1" "$lab_dir/nfqd.log"; }

# Starts nfqd and looks at what became of it all.
upgrade() {	# TITLE LEFT [BITS]
	nfqd_start || bail "$1: nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	is "$(said "nfqd 0.1.0 left $2: removed, and its bits (${3:-0x70000000}) from the connections' marks")" 1 "$1: nfqd says so"
	is "$(mark_rules)" 0 "$1: no rule of the table reads a connection's mark, or the bits"
	is "$(fetch $LISTED) $(fetch $OPEN)" "35 0" "$1: a listed name is refused, an unlisted one passes"
	nfqd_stop
	is "$? $(nfqd_left)" "0 " "$1: nothing of any nfqd is left when it has stopped"
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
old_table
is "$(mark_rules)" 9 "the table of 0.1.0 is there"
old_marks 0x10000005 0x20000000 0x60000100 0x5
is "$(marks)" "268435461 536870912 1610612992 5" "connections have its bits"
upgrade "its table" "its table"
is "$(marks)" "5 0 256 5" "its table: its bits are cleared, other bits stay"
for flavour in legacy nft; do
	ok "$flavour: its iptables rules" old_rules $flavour
	old_marks 0x10000005 0x7
	upgrade "$flavour" "iptables rules"
	is "$(foreign_rules iptables-$flavour) $(foreign_rules ip6tables-$flavour)" "2 2" "$flavour: rules of others stay"
	is "$(marks)" "5 7" "$flavour: its bits are cleared, other bits stay"
	in_router iptables-$flavour -w -t mangle -F
	in_router ip6tables-$flavour -w -t mangle -F
done

eval "lab_$(declare -f nfqd_conf)"
nfqd_conf() { lab_nfqd_conf "$@" | sed 's/^default:/inspect: {mark-mask: 0x00000700}\n&/'; }
old_table
old_rules nft
old_marks 0x10000105 0x200
upgrade "mark-mask" "its table and iptables rules" 0x00000700
is "$(marks)" "268435461 0" "mark-mask: the bits that it names are cleared, no others"
is "$(said 'inspect.mark-mask is ignored: nfqd no longer uses marks')" 1 "mark-mask: nfqd says that it is ignored"
old_marks 0x10000105
nfqd_start
is "$(said '0\.1\.0') $(marks)" "0 268435717" "with nothing left it says nothing, and clears no marks"
nfqd_stop
lab_down
done_testing

#!/bin/bash
# Proves: `nfqctl rules export` writes what packs block and nothing more, in formats that the programs
# they are for load: dnsmasq and unbound (RPZ) answer just as the packs say, nft takes the sets,
# AdBlock, hosts and domains come back through import with the same names, csv reads as csv.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}") rules=$(realpath "$(dirname "$0")/../rules")
PATH=$PATH:/usr/sbin:/sbin
need dnsmasq unbound dig nft python3
folder=$(mktemp -d) && cd "$folder" || exit 99
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$folder"' EXIT
export_() { "$NFQCTL" rules export --format "$@"; }
names() { grep -v '^[#!;]' | sort; }

cat >p.yaml <<'END'
pack: p
vendor: "V, Inc."
version: 2026.11.24.3
expires: 2999-01-01
sources: [{id: s, url: "https://example.org/"}]
stages:
  - {id: now, from: 2024-01-01, action: block, categories: [update, telemetry], basis: site, citation: c}
entries:
  - {id: e1, names: ["s[0-2].upd.example.com", exact.example.org], category: update, ports: [tcp/443, udp/443], sources: [s], confidence: high, side_effect: 'No "updates", none'}
  - {id: e2, names: [.blocked.example.com], category: telemetry, sources: [s], confidence: high, side_effect: none}
  - {id: e3, names: [log.blocked.example.com, .logzone.blocked.example.com], category: telemetry, sources: [s], confidence: high, side_effect: none, action: log}
  - {id: e4, names: [deep.logzone.blocked.example.com], category: telemetry, sources: [s], confidence: high, side_effect: none}
  - {id: e5, names: [tool.blocked.example.com, help.example.org], category: web, sources: [s], confidence: high, side_effect: none, action: allow}
  - {id: e6, names: [.hole.example.net], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: e7, names: ["a-*.hole.example.net"], category: update, sources: [s], confidence: high, side_effect: none, action: log}
  - {id: e8, names: ["g-*.example.net"], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: e9, names: [.apex.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: e10, names: [apex.example.com], category: web, sources: [s], confidence: high, side_effect: none, action: allow}
  - {id: e11, names: [.web.example.com], category: web, sources: [s], confidence: high, side_effect: none}
  - {id: e12, names: [x.ent.blocked.example.com], category: update, sources: [s], confidence: high, side_effect: none}
nets:
  - {cidr: 192.0.2.0/24, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: 192.0.2.128/25, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: "2001:db8::/32", category: update, sources: [s], confidence: low, action: log, side_effect: none}
END
blocked="s0.upd.example.com s2.upd.example.com exact.example.org blocked.example.com a.blocked.example.com
	b.a.blocked.example.com below.log.blocked.example.com below.tool.blocked.example.com
	x.ent.blocked.example.com ent.blocked.example.com y.ent.blocked.example.com
	below.x.ent.blocked.example.com deep.logzone.blocked.example.com hole.example.net below.apex.example.com"
open="s3.upd.example.com upd.example.com below.exact.example.org log.blocked.example.com
	logzone.blocked.example.com a.logzone.blocked.example.com tool.blocked.example.com help.example.org
	a-1.hole.example.net x.hole.example.net g-1.example.net apex.example.com web.example.com
	a.web.example.com notblocked.example.com"

# ---- what a client sees: NXDOMAIN for the first, the upstream's answer for the others
port=$((20000 + $$ % 20000))
serve() {	# COMMAND...: in the background
	"$@" >>server.log 2>&1 &
	pids="$pids $!"
}
ask() { dig +time=1 +tries=1 +noall +comments +answer "$2" A @127.0.0.1 -p "$1" 2>/dev/null; }
answers() {
	for _ in {1..100}; do
		ask "$1" unlisted.example | grep -q 192.0.2.99 && return
		read -rt 0.1 <> <(:)
	done
	return 1
}
seen() {	# PORT NAMES: which answer NXDOMAIN, and which the upstream's address
	local n a
	for n in $2; do
		a=$(ask "$1" "$n")
		case $a in
		*NXDOMAIN*) echo "$n blocked" ;;
		*192.0.2.99*) echo "$n open" ;;
		*) echo "$n ?" ;;
		esac
	done
}
expected() { for n in $blocked; do echo "$n blocked"; done; for n in $open; do echo "$n open"; done; }
upstream=$port
serve dnsmasq -k -C /dev/null --no-resolv --no-hosts --address=/#/192.0.2.99 -p $upstream \
	--listen-address=127.0.0.1 --bind-interfaces --pid-file=
ok "upstream answers" answers $upstream

export_ dnsmasq p.yaml >p.dnsmasq
ok "dnsmasq --test" dnsmasq --test -C p.dnsmasq
serve dnsmasq -k -C p.dnsmasq --no-resolv --no-hosts --server="127.0.0.1#$upstream" -p $((port + 1)) \
	--listen-address=127.0.0.1 --bind-interfaces --pid-file=
ok "dnsmasq with the export answers" answers $((port + 1))
is "$(seen $((port + 1)) "$blocked $open")" "$(expected)" "dnsmasq blocks just what the pack does"

export_ rpz p.yaml >p.rpz
cat >unbound.conf <<END
server:
	interface: 127.0.0.1
	port: $((port + 2))
	do-not-query-localhost: no
	username: ""
	chroot: ""
	directory: "$folder"
	pidfile: ""
	use-syslog: no
	module-config: "respip iterator"
rpz:
	name: rpz.test
	zonefile: "p.rpz"
forward-zone:
	name: "."
	forward-addr: 127.0.0.1@$upstream
remote-control:
	control-enable: no
END
ok "unbound-checkconf" unbound-checkconf unbound.conf
serve unbound -d -c unbound.conf
ok "unbound with the zone answers" answers $((port + 2))
is "$(seen $((port + 2)) "$blocked $open")" "$(expected)" "the response policy zone blocks just what the pack does"
like "$(cat p.rpz)" 'SOA .* 2026112403 ' "the zone's serial is the pack's version"

export_ rpz p.yaml "$rules/kaspersky.yaml" >both.rpz
is "$(grep -v '^;' both.rpz | sort | uniq -d)" "" "the zone says nothing twice"

export_ unbound p.yaml >p.conf
sed "s/module-config.*/module-config: \"iterator\"/; s/port: .*/port: $((port + 3))/; /^rpz:/,/zonefile/d" unbound.conf >local.conf
printf 'include: "p.conf"\n' >>local.conf
ok "unbound-checkconf with the local zones" unbound-checkconf local.conf
serve unbound -d -c local.conf
ok "unbound with the local zones answers" answers $((port + 3))
# a name alone has no data instead of NXDOMAIN; what an exception of one name opens below it is said
local_seen() {
	local n a
	for n in $1; do
		a=$(ask $((port + 3)) "$n")
		case $a in *192.0.2.99*) echo "$n open" ;; *NXDOMAIN* | *NOERROR*) echo "$n blocked" ;; *) echo "$n ?" ;; esac
	done
}
opened="below.log.blocked.example.com below.tool.blocked.example.com below.apex.example.com hole.example.net"
for n in $opened; do blocked_there=$(tr -s '\n\t' ' ' <<<"${blocked_there-$blocked}" | sed "s/ $n\b//"); done
is "$(local_seen "$blocked_there $open")" "$(for n in $blocked_there; do echo "$n blocked"; done; for n in $open; do echo "$n open"; done)" \
	"unbound's local zones block what the pack does, never more"
like "$(cat p.conf)" "lost: 3 exceptions of a name alone, which here open what is below it, too" "and say what they open"

# ---- all packs, by the programs' own checkers
mapfile -t packs < <(ls "$rules"/[a-z]*.yaml | grep -v never.yaml)
export_ dnsmasq "${packs[@]}" >all.dnsmasq
ok "dnsmasq --test takes all packs" dnsmasq --test -C all.dnsmasq
export_ unbound "${packs[@]}" >all.conf
printf 'server:\n\tchroot: ""\n\tusername: ""\n\tdirectory: "%s"\ninclude: "all.conf"\n' "$folder" >checked.conf
ok "unbound-checkconf takes all packs" unbound-checkconf checked.conf
export_ rpz "${packs[@]}" >all.rpz
if command -v named-checkzone >/dev/null; then
	ok "named-checkzone takes the response policy zone" named-checkzone -i none rpz.test p.rpz
	ok "and that of all packs" named-checkzone -i none rpz.test all.rpz
else
	diag "named-checkzone is not installed (bind9-utils): unbound alone has read the zone"
fi
export_ nft "${packs[@]}" >all.nft
ok "nft takes the sets of all packs" unshare $([ "$(id -u)" = 0 ] || echo -r) -n nft -c -f all.nft

# ---- back through import
again() {	# FORMAT: what import makes of the export, one pattern per line
	export_ "$1" p.yaml >"list.$1"
	rm -f back.*
	"$NFQCTL" rules import "$1" "list.$1" --out back.yaml >/dev/null 2>errors
	is "$?$(grep -c skipped errors)" 00 "$1: import skips nothing"
}
again hosts
is "$(sort back.txt)" "$(names <list.hosts | cut -d' ' -f2)" "hosts: the same names come back"
is "$(sort back.txt)" "$(printf '%s\n' blocked.example.com deep.logzone.blocked.example.com exact.example.org hole.example.net s0.upd.example.com s1.upd.example.com s2.upd.example.com x.ent.blocked.example.com)" \
	"hosts: exact names, and of suffixes the name itself"
again domains
is "$(sort back.txt)" "$(names <list.domains)" "domains: the same names come back"
is "$(sort back.txt)" "$(printf '%s\n' blocked.example.com deep.logzone.blocked.example.com exact.example.org hole.example.net s0.upd.example.com s1.upd.example.com s2.upd.example.com x.ent.blocked.example.com | sort)" \
	"domains: no suffix that would swallow what stays open"
again adblock
is "$(sort back.txt)" "$(printf '%s\n' .apex.example.com .blocked.example.com .hole.example.net exact.example.org 'g-*.example.net' s0.upd.example.com s1.upd.example.com s2.upd.example.com x.ent.blocked.example.com | sort)" \
	"adblock: names and suffixes come back"
is "$(sort back.allow.txt)" "$(printf '%s\n' .logzone.blocked.example.com 'a-*.hole.example.net' apex.example.com help.example.org log.blocked.example.com tool.blocked.example.com | sort)" \
	"adblock: exceptions come back"
like "$(grep '^!' list.adblock)" "lost: 1 names inside an exception, which this format lets win: left out"$'\n'"!   deep.logzone.blocked.example.com" \
	"adblock: what an exception would undo is said"
again rpz
export_ dnsmasq p.yaml >list.dnsmasq
rm -f back.*
"$NFQCTL" rules import dnsmasq list.dnsmasq --out back.yaml >/dev/null 2>errors
is "$(grep -o 'skipped: .*' errors)" "skipped: all below a name, but not the name itself: 'address=/*.apex.example.com/'" \
	"dnsmasq: import skips what a pattern cannot say"
is "$(sort back.txt)" "$(printf '%s\n' .blocked.example.com .x.ent.blocked.example.com deep.logzone.blocked.example.com exact.example.org hole.example.net s0.upd.example.com s1.upd.example.com s2.upd.example.com | sort)" \
	"dnsmasq: names come back as names, suffixes as suffixes"
is "$(sort back.allow.txt)" "$(printf '%s\n' .help.example.org .logzone.blocked.example.com apex.example.com log.blocked.example.com tool.blocked.example.com | sort)" \
	"dnsmasq: exceptions, too"

# ---- Suricata: the shape of what it loads; and, where it is installed (Debian 12 has it in backports only), what
# it makes of it
export_ suricata-dataset p.yaml >p.lst
is "$(while read -r line; do base64 -d <<<"$line"; echo; done <p.lst | sort)" "$(names <list.hosts | cut -d' ' -f2 | sort)" \
	"suricata-dataset: the exact names, in base64"
export_ suricata-rules p.yaml >p.rules
is "$(grep -v '^#' p.rules | grep -vcE '^(alert|pass) (dns|tls) any any -> any any \(msg:"[^";]*"; (dns\.query|tls\.sni); (dotprefix; content:"\.[a-z0-9.-]*"; nocase; endswith|content:"[a-z0-9.-]*"; nocase; startswith; endswith|pcre:"/\^[^"]*\$/i"); metadata:[^;]*; sid:1[0-9]{9}; rev:1;\)$')" 0 \
	"suricata-rules: every rule has the same shape"
is "$(grep -o 'sid:[0-9]*; rev' p.rules | sort | uniq -d)" "" "suricata-rules: no number twice"
is "$(grep -c '' <<<"$(grep -v '^#' p.rules)") $(grep -c '^pass dns.*content:"tool.blocked.example.com"' p.rules) $(grep -cF 'pcre:"/^g-[^.]+\.example\.net$/i"' p.rules)" \
	"$(($(grep -v '^#' p.rules | wc -l))) 1 2" "suricata-rules: exceptions pass, patterns are regular expressions"
is "$(export_ suricata-rules p.yaml | grep -v '^#' | md5sum)" "$(grep -v '^#' p.rules | md5sum)" "suricata-rules: numbers stay"

# Questions for names, as a capture
asked() {	# FILE NAME...
	python3 - "$@" <<'END'
import struct, sys
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for i, name in enumerate(sys.argv[2:]):
        labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
        dns = struct.pack(">HHHHHH", i, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
        udp = struct.pack(">HHHH", 20000 + i, 53, 8 + len(dns), 0) + dns
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])) + udp
        f.write(struct.pack("<IIII", 1700000000 + i, 0, len(ip), len(ip)) + ip)
END
}
# The names that an exported file of rules, or one rule beside a dataset, alerts on
alerted() {	# RULES
	rm -rf suricata && mkdir suricata
	suricata -c suricata.conf -S "$1" -r asked.pcap -l suricata -k none >suricata/said 2>&1 || cat suricata/said
	jq -r 'select(.event_type == "alert") | .dns.query[0].rrname // .dns.queries[0].rrname' suricata/eve.json | sort -u
}
if command -v suricata >/dev/null; then
	cat >suricata.conf <<-'END'
		%YAML 1.1
		---
		outputs: [{eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert: {tagged-packets: no}]}}]
		classification-file: empty
		reference-config-file: empty
		threshold-file: empty
		app-layer: {protocols: {tls: {enabled: yes, detection-ports: {dp: 443}}, dns: {udp: {enabled: yes, detection-ports: {dp: 53}}}}}
	END
	: >empty
	ok "suricata -T takes the rules" suricata -T -c suricata.conf -S p.rules -l .
	export_ suricata-rules "${packs[@]}" >all.rules
	export_ suricata-dataset "${packs[@]}" >all.lst
	said=$(suricata -T -v -c suricata.conf -S all.rules -l . 2>&1)
	like "$? $said" "^0 .* $(grep -vc '^#' all.rules) rules successfully loaded, 0 rules failed" "and those of all packs"
	# shellcheck disable=SC2086
	asked asked.pcap $blocked $open
	# unlike DNS zones it knows what a '*' stands for; an exception wins over what is listed inside it, which is said
	# shellcheck disable=SC2086
	is "$(alerted p.rules)" "$(printf '%s\n' $blocked g-1.example.net x.hole.example.net | grep -v '^deep' | sort)" \
		"suricata alerts on what the pack blocks, and on nothing else"
	like "$(grep '^#' p.rules)" "lost: 1 names inside an exception.*deep.logzone.blocked.example.com" "but for what it says"
	echo "alert dns any any -> any any (dns.query; dataset:isset,p,type string,load $folder/p.lst; sid:1;)" >set.rules
	is "$(alerted set.rules)" "$(names <list.hosts | cut -d' ' -f2 | grep -v s1.upd | sort)" "and with the dataset on the exact names"
	echo "alert dns any any -> any any (dns.query; dataset:isset,all,type string,load $folder/all.lst; sid:1;)" >all-set.rules
	ok "suricata -T takes the dataset of all packs" suricata -T -c suricata.conf -S all-set.rules -l .
else
	diag "suricata is not installed: its rules and datasets are read by their shape only"
fi

# ---- networks and tables
export_ nft p.yaml >p.nft
ok "nft takes the sets" unshare $([ "$(id -u)" = 0 ] || echo -r) -n nft -c -f p.nft
is "$(tr -d ' \t\n' <p.nft | grep -o 'set[a-z0-9_]*{[^}]*}*')" \
	"setblocked4{typeipv4_addrflagsintervalauto-mergeelements={192.0.2.0/24}}
setblocked4_ports{typeipv4_addr.inet_proto.inet_serviceflagsinterval}
setrecorded4{typeipv4_addrflagsintervalauto-merge}
setrecorded4_ports{typeipv4_addr.inet_proto.inet_serviceflagsinterval}
setblocked6{typeipv6_addrflagsintervalauto-merge}
setblocked6_ports{typeipv6_addr.inet_proto.inet_serviceflagsinterval}
setrecorded6{typeipv6_addrflagsintervalauto-mergeelements={2001:db8::/32}}
setrecorded6_ports{typeipv6_addr.inet_proto.inet_serviceflagsinterval}}" "nft: blocked apart from recorded"

# what a network is listed for, and what stays open inside it
sed '/^nets:/,$d' p.yaml >n.yaml
cat >>n.yaml <<'END'
nets:
  - {cidr: 10.0.0.0/8, category: update, ports: [tcp/443, any/853], sources: [s], confidence: high, side_effect: none}
  - {cidr: 10.1.0.0/16, category: update, ports: [tcp, tcp/443], sources: [s], confidence: high, side_effect: none}
  - {cidr: 10.2.0.0/16, category: update, ports: [tcp/443], sources: [s], confidence: high, side_effect: none}
  - {cidr: 10.3.0.0/16, category: update, ports: [tcp/400-500], sources: [s], confidence: high, side_effect: none}
  - {cidr: 198.51.100.0/24, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: 198.51.100.128/25, category: update, sources: [s], confidence: high, side_effect: none, action: log}
  - {cidr: 203.0.113.0/24, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: 203.0.113.7/32, category: web, ports: [tcp/80], sources: [s], confidence: high, side_effect: none, action: allow}
  - {cidr: 203.0.113.0/25, category: update, ports: [udp/53], sources: [s], confidence: high, side_effect: none}
END
export_ nft n.yaml >n.nft
ok "nft loads them" unshare $([ "$(id -u)" = 0 ] || echo -r) -n nft -f n.nft
is "$(tr -d ' \t\n' <n.nft | grep -o 'set[a-z]*4[a-z_]*{[^}]*}*')" \
	"setblocked4{typeipv4_addrflagsintervalauto-merge}
setblocked4_ports{typeipv4_addr.inet_proto.inet_serviceflagsintervalelements={10.0.0.0/8.tcp.443,10.0.0.0/8.tcp.853,10.0.0.0/8.udp.853,10.1.0.0/16.tcp.0-442,10.1.0.0/16.tcp.444-852,10.1.0.0/16.tcp.854-65535,10.3.0.0/16.tcp.400-442,10.3.0.0/16.tcp.444-500,203.0.113.0/25.udp.53}}
setrecorded4{typeipv4_addrflagsintervalauto-mergeelements={198.51.100.128/25}}
setrecorded4_ports{typeipv4_addr.inet_proto.inet_serviceflagsinterval}" "nft: ports narrow, and what stays open is not swallowed"
like "$(grep '^#' n.nft)" "lost: 2 networks inside which something stays open: left out"$'\n'"#   198.51.100.0/24"$'\n'"#   203.0.113.0/24" "nft: what was left out is said"
is "$(export_ nft "$rules/encrypted-dns.yaml" | grep -c '1\.1\.1\.1/32\( . tcp . \(443\|853\)\| . udp . \(443\|853\)\),\?$')" 4 "encrypted-dns: plain DNS to a resolver is not in the sets"
export_ csv p.yaml >p.csv
is "$(python3 -c '
import csv, sys
rows = list(csv.DictReader(open("p.csv", newline="")))
print(len(rows), {len(r) for r in rows}, {r["sha256"] for r in rows} == {sys.argv[1]})
r = rows[0]
print([r[k] for k in ("pack", "id", "pattern", "category", "action", "ports", "sources", "side_effect")])
print([r["pattern"] for r in rows if r["kind"] == "net"])' "$(sha256sum p.yaml | cut -d' ' -f1)")" \
	"18 {15} True
['p', 'e1', 's[0-2].upd.example.com', 'update', 'stage', 'tcp/443 | udp/443', 'https://example.org/', 'No \"updates\", none']
['192.0.2.0/24', '192.0.2.128/25', '2001:db8::/32']" "csv: every row, as python reads it"

# ---- the header
header=$(grep '^#' list.hosts)
like "$header" "pack p 2026.11.24.3, expires 2999-01-01, SHA-256 $(sha256sum p.yaml | cut -d' ' -f1)" "header: the pack"
like "$header" "lost: 3 suffixes: only the name itself" "header: hosts lose what is below"
like "$header" "lost: 1 patterns with '\*': left out"$'\n'"#   g-\*.example.net" "header: the glob is named"
like "$header" "lost: 3 exceptions.*#   tool.blocked.example.com"$'\n'"#   help.example.org" "header: exceptions are listed"
like "$header" "lost: 3 networks: left out" "header: networks"
like "$(grep '^#' list.domains)" "suffixes below which something stays open that cannot be said here: left out.*#   .hole.example.net" \
	"header: the suffix that would swallow a glob"

printf '0.0.0.0 listed.example.com\n' >few
"$NFQCTL" rules import hosts few --out few.yaml >/dev/null
like "$(export_ hosts --with-log few.yaml)" "names of few.txt, SHA-256 $(sha256sum few.txt | cut -d' ' -f1).*0.0.0.0 listed.example.com" \
	"header: a file of names beside the pack"

# ---- what is chosen
is "$(export_ hosts --categories telemetry p.yaml | names)" "0.0.0.0 blocked.example.com
0.0.0.0 deep.logzone.blocked.example.com" "--categories"
like "$(export_ hosts --with-log p.yaml | names)" "0.0.0.0 log.blocked.example.com.*0.0.0.0 web.example.com" "--with-log"
is "$(export_ hosts "$rules/kaspersky.yaml" | grep -c '^0.0.0.0 s[01][0-9].upd.kaspersky.com$')" 20 "the kaspersky pack: ranges are counted out"
is "$(export_ rpz "$rules/kaspersky.yaml" | grep -c '^media.kaspersky.com CNAME rpz-passthru.$')" 1 "the kaspersky pack: removal tools stay open"
fails() { local m=$1; shift; said=$("$NFQCTL" rules export "$@" 2>&1); like "$? $said" "$m" "fails: $*"; }
fails "^2 .*format 'x' is unknown" --format x p.yaml
fails "^2 .*--categories: 'x' is unknown" --format hosts --categories update,x p.yaml
fails "^1 .*none.yaml: No such file" --format hosts none.yaml
fails "^2 nfqctl rules export: PACK is missing" --format hosts
done_testing

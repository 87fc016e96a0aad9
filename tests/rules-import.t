#!/bin/bash
# Proves: `nfqctl rules import` makes of every format a pack that loads, passes lint and only records,
# says each line that it cannot take, keeps the list's hash, and needs no more memory for more names.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}") NFQD=$(realpath "${NFQD:-build/nfqd}")
folder=$(mktemp -d) && cd "$folder" || exit 99
trap 'rm -rf "$folder"' EXIT

# import FORMAT LIST: writes the list, imports it into l.yaml
import() {
	rm -f l.*
	printf '%b' "$2" >list
	said=$("$NFQCTL" rules import "$1" list --out l.yaml 2>errors)
	status=$?
	skipped=$(grep -c skipped errors)
}
names() { cat l.txt 2>/dev/null | paste -sd' '; }
exceptions() { cat l.allow.txt 2>/dev/null | paste -sd' '; }
skips() { like "$(cat errors)" "list:$1: skipped: $2" "skipped, line $1: $2"; }
loads() {
	echo "rules: [l.yaml]" >conf.yaml
	ok "$1: nfqd loads it" "$NFQD" -t -c conf.yaml
	is "$("$NFQCTL" rules lint l.yaml 2>&1)" "" "$1: it passes lint"
}

import hosts '# a list\r\n127.0.0.1 localhost\n0.0.0.0 Ads.Example.COM ads.example.net # two\n::1 six.example.com\n192.0.2.7 router.example.com\n0.0.0.0\n0.0.0.0 bücher.example.com\n0.0.0.0 a b.example.com\n0.0.0.0 github.io\n0.0.0.0 x.invalid\n\n0 zero.example.com.'
is "$status $said" "0 l.yaml: hosts, 7 names, 0 exceptions, 5 lines skipped" "hosts: the summary"
is "$(names)" "ads.example.com ads.example.net six.example.com xn--bcher-kva.example.com b.example.com github.io zero.example.com" \
	"hosts: the names, a public suffix as the host that it is, too"
skips 2 "a single label"
skips 5 "not an address that blocks"
skips 6 "an address without a name"
skips 8 "a single label"
skips 10 "a name below .invalid"
is "$skipped" 5 "no other line"
loads hosts
printf '0.0.0.0 ads.example.com\n' >list
like "$("$NFQCTL" rules import hosts list --out l.yaml 2>&1)" 'there already; --force writes over it' "what is there is not overwritten"
"$NFQCTL" rules import hosts list --out l.yaml --block --force >/dev/null
loads "--block"
is "$("$NFQCTL" why ads.example.com --rules l.yaml --json 2>/dev/null | jq -r '"\(.action) \(.stage.basis)"')" "reject site" "--block: its names are refused"

import domains 'a.example.com\n.b.example.com\n*.c.example.com # below\nx*y.example.com\ntwo words.example.com\n192.0.2.1\nxn--zzzzzz99999.example.com\n[1-3].example.com\n.github.io\n'
is "$(names)" "a.example.com .b.example.com .c.example.com" "domains: the names"
skips 4 "a '\*' or '\[' inside a name"
skips 5 "more than one word"
skips 6 "the last label is a number"
skips 7 "an xn-- label that IDNA would not make"
skips 8 "a '\*' or '\[' inside a name"
skips 9 "all below a public suffix"
loads domains

import adblock '[Adblock Plus 2.0]\n! Title: x\n||a.example.com^\n||b.example.com^$important\n||c.example.com^$third-party\n@@||d.example.com^\n@@||a.example.com^\n||e.example.com/path\nexample.com##.ad\n||f.example.com^*x\n'
is "$(names)" ".a.example.com .b.example.com" "adblock: the names"
is "$(exceptions)" ".d.example.com .a.example.com" "adblock: the exceptions"
skips 5 "a rule with a condition"
skips 8 "not of the form"
skips 9 "not of the form"
skips 10 "more than a name"
like "$(grep protects l.yaml)" "protects: pack" "adblock: exceptions are the list's own"
loads "adblock, the first name taken back by an exception"

import adblock '||a.example.com^\n||b.example.com^$important\n||c.example.com^$important,badfilter\n||b.example.com^$badfilter,important\n||a.example.com^$badfilter\n||c.example.com^\n@@||d.example.com^\n@@||d.example.com^$badfilter\n/^x-[^.]+\\.example\\.com$/\n/^(.+\\.)?y-[^.]+\\.example\\.com$/\n/ads?/\n'
is "$(names) $(exceptions)" ".c.example.com x-*.example.com .y-*.example.com " "adblock: \$badfilter cancels the rule that reads the same, and no other"
is "$(cat errors)" "list:11: skipped: not of the form ||name^: '/ads?/'" "adblock: patterns as export writes them; nothing is said of what is cancelled"
printf '||a.example.com^\n||b.example.com^\n||a.example.com^$badfilter\n' | "$NFQCTL" rules import adblock - --out l.yaml --force >/dev/null
is "$(names)" ".b.example.com" "adblock: also from a pipe"

# exceptions of one list and names of another
printf '||a.example.com^\n@@||b.example.com^\n' >one
printf '||b.example.com^\n' >two
for list in one two; do
	"$NFQCTL" rules import adblock $list --out $list.yaml >/dev/null
done
decides() { "$NFQCTL" why b.example.com --json --rules one.yaml --rules two.yaml | jq -r '[.rule, .action] | join(" ")'; }
is "$(decides)" "two-names log" "an exception leaves other packs' names alone"
said=$("$NFQCTL" rules import adblock one --out one.yaml --exceptions global --force 2>&1)
like "$said" "the exceptions also protect these names from other packs" "--exceptions global: that is said"
is "$(decides)" "one-exceptions allow" "--exceptions global: they protect them"
rm -f one* two*

import dnsmasq '# x\naddress=/a.example.com/\naddress=/b.example.com/0.0.0.0\naddress=/c.example.com/192.0.2.1\nserver=/d.example.com/\nlocal=/e.example.com/f.example.com/\nserver=/g.example.com/#\nserver=/h.example.com/192.0.2.53\naddress=/i.example.com/#\ncache-size=1000\n'
is "$(names)" ".a.example.com .b.example.com .d.example.com .e.example.com .f.example.com .i.example.com" "dnsmasq: the names"
is "$(exceptions)" ".g.example.com" "dnsmasq: the exceptions"
skips 4 "answered by an address or a server of its own"
skips 8 "answered by an address or a server of its own"
skips 10 "not of the form"
loads dnsmasq

import rpz '$TTL 60\n@ IN SOA ns.rpz.test. me.rpz.test. (\n 1 60\n 60 60 60 )\n IN NS ns.rpz.test.\n$ORIGIN rpz.test.\na.example.com CNAME .\n*.a.example.com 60 IN CNAME .\nb.example.com.rpz.test. IN CNAME *. ; no data\nc.example.com CNAME rpz-passthru.\nd.example.com A 192.0.2.1\ne.example.com 1h A 0.0.0.0\n  AAAA ::\n32.1.2.0.192.rpz-ip CNAME .\nother.example.org. CNAME .\nf.example.com CNAME walled.example.org.\ng.example.com CNAME rpz-drop.\n'
is "$(names)" "a.example.com .a.example.com b.example.com e.example.com e.example.com g.example.com" "rpz: the names"
is "$(exceptions)" "c.example.com" "rpz: the exceptions"
skips 11 "answered by data of its own"
skips 14 "a trigger other than the name asked for"
skips 15 "a name outside the zone"
skips 16 "answered by data of its own"
is "$skipped" 4 "rpz: header and apex are not lines that were skipped"
loads rpz
import rpz '$ORIGIN .\nrpz.test SOA ns. me. (\n 1 60 60 60 60)\n NS ns.\n$ORIGIN rpz.test.\ntop.example.com CNAME .\n$ORIGIN com.rpz.test.\nexample CNAME .\n*.example CNAME .\nfine.other CNAME rpz-passthru.\n$ORIGIN example.net.rpz.test.\n@ CNAME .\n$ORIGIN sub\nx CNAME .\nfull.example.org.rpz.test. CNAME .\nother.example.org. CNAME .\n'
is "$(names)" "top.example.com example.com .example.com example.net x.sub.example.net full.example.org" "rpz: names below another \$ORIGIN"
is "$(exceptions)" "fine.other.com" "rpz: exceptions, too"
skips 16 "a name outside the zone"
is "$skipped" 1 "rpz: no other line"

# ---- what lists have around their names
import hosts '\xef\xbb\xbf0.0.0.0 first.example.com\n127.0.0.1 localhost localhost.localdomain\n0.0.0.0 a\e]0;x.example.com\n0.0.0.0 nul\0.example.com\n0.0.0.0 last.example.com\n'
is "$(names)" "first.example.com last.example.com" "a byte order mark; names of the machine itself"
is "$(cat errors)" "list:2: skipped: a single label: a name needs at least two: '127.0.0.1 localhost localhost.localdomain'
list:3: skipped: '?' cannot be part of a name: '0.0.0.0 a?]0;x.example.com'
list:4: skipped: a NUL character" "what would paint the screen is not shown"
import dnsmasq 'server=//\nlocal=/a.example.com/\n'
skips 1 "no name"

# ---- the pack
import auto '@@||only.example.com^\n'
is "$said" "l.yaml: adblock, 0 names, 1 exceptions, 0 lines skipped" "nothing but an exception"
loads "nothing but an exception"
import hosts '0.0.0.0 a.example.com\n'
like "$(cat l.yaml)" "$(sha256sum list | cut -d' ' -f1)" "the pack holds the list's hash"
is "$("$NFQCTL" rules list --json --rules l.yaml | jq -c '.[] | select(.pack == "l") | [.action, .names_file, .confidence]')" \
	'["log","l.txt","low"]' "it only records"
"$NFQCTL" rules import domains - --out own.yaml --pack mine --vendor 'A: "B"' --title '# T' --category telemetry \
	>/dev/null <l.txt
is "$("$NFQCTL" rules list --json --rules own.yaml | jq -c '.[] | select(.pack == "mine") | [.vendor, .category]')" \
	'["A: \"B\"","telemetry"]' "names for it, from standard input"

# ---- which format
while read -r format list; do
	import auto "$list"
	like "$said" "^l.yaml: $format, " "auto: $format"
done <<'END'
hosts 0.0.0.0 a.example.com\n0.0.0.0 b.example.com\n
domains a.example.com\nb.example.com\n
adblock ! x\n||a.example.com^\n
dnsmasq address=/a.example.com/\n
rpz $TTL 1\n@ SOA a. b. 1 1 1 1 1\na.example.com CNAME .\n
END

import auto '0.0.0.0 a.example.com\n<html>\n<p>\n</p>\n'
like "$status $(cat errors)" "^1 .*list: read as hosts most lines say nothing \(1 names, 3 lines skipped\); name the format" \
	"auto refuses what it would mostly skip"
is "$(ls l.* 2>/dev/null)" "" "and writes nothing"
import hosts '0.0.0.0 a.example.com\n<html>\n<p>\n</p>\n'
is "$status" 0 "a named format takes what there is"

# ---- what fails
fails() {	# MESSAGE ARGUMENT...
	local message=$1
	shift
	said=$("$NFQCTL" rules import "$@" 2>&1 >/dev/null)
	like "$? $said" "$message" "fails: $*"
}
rm -f l.* own.*
printf '# nothing\n' >list
cp list l.txt
fails '^1 .*of none of the formats' auto list --out l.yaml
fails '^1 .*no name in it' hosts list --out l.yaml --force
fails '^1 .*there already; --force writes over it' hosts list --out l.yaml
printf '0.0.0.0 a.example.com\n' | gzip >list.gz
fails '^1 .*list.gz: compressed with gzip: unpack it first' hosts list.gz --out l.yaml --force
fails '^1 .*list.gz: compressed with gzip: unpack it first' auto list.gz --out l.yaml
printf '\xff\xfe0\0' >list.gz
fails '^1 .*list.gz: UTF-16: make it UTF-8 first' hosts list.gz --out l.yaml --force
rm list.gz
fails '^1 .*cannot be opened: No such file' hosts none --out l.yaml
fails '^1 .*written over it' domains l.txt --out l.yaml
fails '^2 .*needs the name of a pack' hosts list --out l
fails '^2 .*not a list format' bosts list --out l.yaml
fails '^2 .*category .x. is unknown' hosts list --out l.yaml --category x
fails '^2 .*--pack' hosts list --out l.yaml --pack 'a b'
is "$(ls)" "$(printf '%s\n' conf.yaml errors l.txt list)" "what fails leaves nothing behind"

# ---- size
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "0.0.0.0 n%d.example%d.com\n", i, i % 997 }' >million
printf '%09000d\n0.0.0.0 last.example.com\n' 0 >>million
said=$( (ulimit -v 40000; "$NFQCTL" rules import hosts million --out m.yaml) 2>&1)
is "$said" "million:1000001: skipped: longer than 8192 characters
m.yaml: hosts, 1000001 names, 0 exceptions, 1 lines skipped" "a million names in 40 MB of address space"
is "$(tail -n 1 m.txt)" last.example.com "and the last one is there"
echo "rules: [m.yaml]" >conf.yaml
ok "nfqd loads a million" "$NFQD" -t -c conf.yaml
done_testing

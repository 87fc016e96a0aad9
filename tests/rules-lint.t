#!/bin/bash
# Proves: `nfqctl rules lint` refuses what it says it refuses, each with file, line and entry, says
# nothing of a good pack, and only warns where a pack still works.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}") NFQD=$(realpath "${NFQD:-build/nfqd}")
folder=$(mktemp -d) && cd "$folder" || exit 99
trap 'rm -rf "$folder"' EXIT

pack() {
	cat <<-'END'
		pack: example
		vendor: Example
		version: 2026.11.24.1
		expires: 2999-01-01
		sources:
		  - {id: help, title: Network settings, publisher: vendor}
		  - {id: list, title: A list}
		stages:
		  - {id: announced, from: 2024-06-24, action: log, basis: law, citation: 89 FR 52434}
		  - {id: in-force, from: 2024-09-29, action: block, categories: [update], basis: law, citation: 89 FR 52434}
		  - {id: ours, from: 2024-09-29, action: block, categories: [web], basis: site, citation: site policy}
		entries:
		  - id: mirrors
		    names: ["s[00-19].upd.example.com", dl.example.com]
		    category: update
		    ports: [tcp/443]
		    sources: [help, list]
		    confidence: high
		    side_effect: No updates.
		  - id: zone
		    names: [.example.com]
		    category: web
		    sources: [list]
		    confidence: medium
		    action: log
		    side_effect: none
		  - id: removal
		    names: [tool.example.com]
		    category: web
		    sources: [help]
		    confidence: high
		    action: allow
		    side_effect: none
		nets:
		  - {cidr: 192.0.2.0/24, category: update, sources: [list], confidence: low, side_effect: none}
		tests:
		  match: [s07.upd.example.com, example.com]
		  allow: [tool.example.com]
		  no_match: [notexample.com]
	END
}

# The line of the first match in p.yaml.
line() { grep -n -m 1 -e "$1" p.yaml | cut -d: -f1; }

lint() { said=$("$NFQCTL" rules lint "$@" 2>&1); status=$?; }

# refuses WHAT SED-SCRIPT LINE-REGEX MESSAGE: exactly this, at that line
refuses() {
	pack | sed -e "$2" >p.yaml
	lint p.yaml
	is "$status $said" "1 p.yaml:$(line "$3"): $4" "$1"
}
# warns WHAT SED-SCRIPT LINE-REGEX MESSAGE: says it, and succeeds
warns() {
	pack | sed -e "$2" >p.yaml
	lint p.yaml
	is "$status $said" "0 p.yaml:$(line "$3"): warning: $4" "warns: $1"
}
# an entry more, before the networks: [ID] NAMES [MORE-KEYS]
entry() {
	printf '/^nets:/i\\  - {id: more, names: [%s], category: %s, sources: [list], confidence: medium, %s side_effect: none}' \
		"$1" "${2:-update}" "${3:-}"
}

pack >p.yaml
lint p.yaml
is "$status $said" "0 " "a good pack"

# ---- proof
refuses "no source" '/id: zone/,/confidence/s/sources: .*/sources: []/' 'sources: \[\]' \
	"entry 'zone': sources: must not be empty"
pack | sed '/id: zone/,/confidence/{/sources:/d}' >p.yaml
lint p.yaml
is "$status $said" "1 p.yaml:$(line 'id: zone'): entry 'zone': missing key 'sources'" "the key sources left out"
refuses "no side effect" '/No updates/d' 'id: mirrors' "entry 'mirrors': missing key 'side_effect'"
refuses "no side effect of a network" 's/confidence: low, side_effect: none/confidence: low/' cidr \
	"net '192.0.2.0/24': missing key 'side_effect'"
refuses "an unknown source" '/id: zone/,/confidence/s/\[list\]/[lost]/' '\[lost\]' \
	"entry 'zone': unknown source 'lost' (allowed: help, list)"
refuses "a source that is never used" '/id: list/a\  - {id: idle, title: Idle}' 'id: idle' \
	"source 'idle': nothing cites it"
refuses "a source that says nothing" 's/{id: list, title: A list}/{id: list}/' 'id: list' \
	"source 'list': needs a url or a title"
refuses "an unattributed name that would block" \
	's/title: A list/url: "urn:nfqd:unattributed"/;/cidr/s/\[list\]/[help]/;/id: zone/,/side_effect/{/action: log/d}' 'id: zone' \
	"entry 'zone': its only source is 'list': needs confidence low and action log or allow"
refuses "an unattributed network that would block" \
	's/title: A list/url: "urn:nfqd:unattributed"/;/id: zone/,/confidence/s/\[list\]/[help]/' 'cidr: 192' \
	"net '192.0.2.0/24': its only source is 'list': needs confidence low and action log or allow"
refuses "a network that is everybody's" 's,192.0.2.0/24,0.0.0.0/0,' 'cidr: 0' \
	"net '0.0.0.0/0': wider than what one vendor holds: needs 'ports' or action log"
refuses "a network in another spelling" 's,192.0.2.0/24,"2001:DB8:0::/32",' 'cidr: "2001' \
	"net '2001:DB8:0::/32': write it as '2001:db8::/32'"
pack | sed 's,cidr: 192.0.2.0/24,cidr: 0.0.0.0/0\, ports: [tcp/853],' >p.yaml
lint p.yaml
is "$status $said" "0 " "for some ports it may be that wide"
refuses "a date of the first century" 's/from: 2024-09-29, action: block, categories: .update/from: 24-09-29, action: block, categories: [update/' \
	'24-09-29' "stage 'in-force': from: '24-09-29' is not a date (write 2024-09-29 or 2024-09-29T04:00:00Z)"
refuses "what would paint the screen" 's/No updates\./"No \\e[2J updates"/' 'No ' \
	"entry 'mirrors': side_effect: contains a control character"
refuses "an unknown category" '/id: zone/,/sources/s/category: web/category: wob/' wob \
	"entry 'zone': category: 'wob' is not one of update, telemetry, reputation, activation, account, push, crash, web, resolver, canary, firmware, licence"
refuses "a bad port" 's|tcp/443|tcp/99999|' 'tcp/99999' \
	"entry 'mirrors': bad port 'tcp/99999' (write tcp/443, udp/443, any/443, tcp/100-199, tcp or udp)"
refuses "no citation" 's/, citation: site policy//' 'id: ours' "stage 'ours': missing key 'citation'"
refuses "two stages of one hour" 's/categories: \[web\]/categories: [web, update]/' 'id: ours' \
	"stage 'ours': begins with stage 'in-force' and covers a category of it"
warns "a pack past its date" 's/2999-01-01/2024-01-01/' expires "pack 'example' expired on 2024-01-01"
sha=0123456789abcdef0123456789abcdef01234567
cited() {	# WHAT SOURCE-KEYS MESSAGE
	warns "$1" "s|{id: list, title: A list}|{id: list, $2}|" 'id: list' "source 'list': $3"
}
cited "the root of a site" 'url: "https://example.org/", retrieved: 2026-11-24' "url: 'https://example.org/' is the root of a site: name the page"
cited "a branch" 'url: "https://github.com/o/r/blob/main/list.txt"' \
	"url: 'https://github.com/o/r/blob/main/list.txt' can change under its address: name the full commit"
cited "a short commit" 'url: "https://raw.githubusercontent.com/o/r/0123456/list.txt"' \
	"url: 'https://raw.githubusercontent.com/o/r/0123456/list.txt' can change under its address: name the full commit"
cited "a page without a day" 'url: "https://example.org/ports", title: Ports' "neither pinned to a commit nor dated: write 'retrieved'"
for keys in "url: \"https://github.com/o/r/blob/$sha/list.txt\"" "url: \"https://gitlab.example/o/r/-/raw/$sha/list.txt\"" \
	'url: "https://example.org/ports", retrieved: 2026-11-24' 'url: "https://example.org/ports", title: "Ports (2026-11-24)"' \
	'url: "https://github.com/o/r/issues/7", retrieved: 2026-11-24'; do
	pack | sed "s|{id: list, title: A list}|{id: list, $keys}|" >p.yaml
	lint p.yaml
	is "$status $said" "0 " "a citation: $keys"
done
warns "a law without a number" '0,/89 FR 52434/s//the law/' 'the law' \
	"stage 'announced' basis law, but the citation has no number to find the law by"
warns "one law for every category" '/id: in-force/s/categories: \[update\], //;/id: ours/d' 'id: in-force' \
	"stage 'in-force' blocks every category, which no citation covers: name them under 'categories', or write basis: site"
warns "the vendor's word without the vendor" 's/, publisher: vendor//;/id: announced/s/basis: law/basis: vendor/' \
	'id: announced' "stage 'announced' basis vendor, but no source of the pack has publisher: vendor"

# ---- numbers, dates, what is retired
sids() {	# [SED-SCRIPT]: the pack with numbers
	pack | sed 's/^version.*/&\nsids: 9100000/; s/- id: mirrors/&\n    sid: 9100000/; s/- id: zone/&\n    sid: 9100001/
		s/- id: removal/&\n    sid: 9100002/; s/{cidr/{sid: 9100003, cidr/' | sed "${1:-}"
}
numbers() {	# WHAT SED-SCRIPT LINE-REGEX MESSAGE
	sids "$2" >p.yaml
	lint p.yaml
	is "$status $said" "1 p.yaml:$(line "$3"): $4" "$1"
}
sids >p.yaml
lint p.yaml
is "$status $said" "0 " "a pack that allots its numbers"
numbers "an entry without a number" '/sid: 9100001/d' 'id: zone' "entry 'zone': missing key 'sid' (the next one is 9100004)"
numbers "a number twice" 's/sid: 9100003/sid: 9100001/' cidr: "net 'net-192.0.2.0/24': sid: 9100001 is already used on line 22"
numbers "a number of another pack" 's/sid: 9100003/sid: 9101003/' cidr: \
	"net 'net-192.0.2.0/24': sid: 9101003 is not one of the pack's, 9100000 to 9100999"
numbers "a number that was given away before" \
	's/^nets:/retired: [{id: old, sid: 9100002, since: 2026-01-01, reason: gone}]\n&/' 'id: old' \
	"retired 'old': sid: 9100002 is already used on line 30"
refuses "an id that was given away before" 's/^nets:/retired: [{id: zone, since: 2026-01-01, reason: gone}]\n&/' 'id: zone' \
	"entry 'zone': this id was retired on line 34 and is not used again"
refuses "a number without a block" 's/- id: zone/&\n    sid: 9100001/' 'id: zone' "entry 'zone': sid: needs 'sids' in the pack's header"
refuses "a block that is none" 's/^version.*/&\nsids: 9100001/; s/- id: \(mirrors\|zone\|removal\)/&/' sids "sids: 9100001 is not the first of 1000 numbers between 9000000 and 9999999
p.yaml:14: entry 'mirrors': missing key 'sid' (the next one is 9100001)
p.yaml:21: entry 'zone': missing key 'sid' (the next one is 9100001)
p.yaml:28: entry 'removal': missing key 'sid' (the next one is 9100001)
p.yaml:36: net 'net-192.0.2.0/24': missing key 'sid' (the next one is 9100001)"
refuses "reviewed before it was added" 's/- id: zone/&\n    added: 2026-02-01\n    reviewed: 2026-01-01/' reviewed \
	"entry 'zone': reviewed: '2026-01-01' is before it was added"
refuses "a date that is none" 's/- id: zone/&\n    added: soon/' soon \
	"entry 'zone': added: 'soon' is not a date (write 2024-09-29 or 2024-09-29T04:00:00Z)"
pack >p.yaml
is "$("$NFQCTL" rules sids p.yaml 2>&1)" "nfqctl: p.yaml: the pack has no block: name one with --first" "sids: needs a block"
is "$("$NFQCTL" rules sids --first 9100000 p.yaml) $(cat p.yaml)" "p.yaml: 4 numbers given $(sids)" "sids: numbers a whole pack"
sids | sed 's/^nets:/  - {id: more, names: [more.example.org], category: web, sources: [list], confidence: low, side_effect: none}\n&/' >p.yaml
is "$("$NFQCTL" rules sids p.yaml) $(grep more p.yaml)" "p.yaml: 1 numbers given   - {sid: 9100004, id: more, names: [more.example.org], category: web, sources: [list], confidence: low, side_effect: none}" \
	"sids: a new entry gets the next one"
pack | sed 's/id: ours.*/id: ours, from: 2024-09-29, action: block, profile: us, basis: site, citation: c}/; s/id: in-force,/& profile: eu,/' >p.yaml
lint p.yaml
is "$status $said" "0 " "stages of two profiles may begin together"

# ---- tests
refuses "no positive test" '/^  match:/d;/^  allow:/d' 'no_match' \
	"tests: needs at least one name that must match ('match' or 'allow')"
refuses "no negative test" '/^  no_match:/d' '^  match:' \
	"tests: needs at least one name that must not match ('no_match')"
refuses "a test that fails" 's/\[notexample.com\]/[a.example.com]/' no_match \
	"test no_match: 'a.example.com' matches an entry ('zone')"

# ---- names, each by itself
refuses "a bad name" "$(entry '"a b.example.org"')" more \
	"entry 'more': name 'a b.example.org': ' ' cannot be part of a name"
refuses "a long label" "$(entry "$(printf 'a%.0s' {1..64}).example.org")" more \
	"entry 'more': name '$(printf 'a%.0s' {1..64}).example.org': a label is longer than 63 characters"
refuses "a label that ends with -" "$(entry a-.example.org)" more \
	"entry 'more': name 'a-.example.org': a label begins or ends with '-'"
refuses "not in its xn-- form" "$(entry bücher.example)" more \
	"entry 'more': name 'bücher.example': not ASCII: write the name in its xn-- form"
refuses "an xn-- label that is none" "$(entry xn--zzzzzz99999.example.org)" more \
	"entry 'more': name 'xn--zzzzzz99999.example.org': an xn-- label that IDNA would not make"
refuses "a public suffix" "$(entry .co.uk)" more \
	"entry 'more': name '.co.uk': 'co.uk' is a public suffix, under which anyone can have names"
pack | sed "$(entry .github.io)" >p.yaml
lint p.yaml
like "$said" "^p.yaml:[0-9]*: entry 'more': name '.github.io': 'github.io' is a public suffix, under which anyone can have names" \
	"a public suffix of a company"
refuses "a * in what anyone can register" "$(entry '"x-*.co.uk"')" more \
	"entry 'more': name 'x-*.co.uk': 'co.uk' is a public suffix, under which anyone can have names"
pack | sed "$(entry 'xn--bcher-kva.example, _dmarc.example.org, r3---sn.example.org')" >p.yaml
lint p.yaml
is "$status $said" "0 " "an xn-- label, an underscore, hyphens: fine"

# ---- names against each other
refuses "twice" "$(entry DL.example.com.)" more \
	"entry 'more': name 'dl.example.com' is already in entry 'mirrors' on line $(line dl.example)"
refuses "once in a range" "$(entry s07.upd.example.com)" more \
	"entry 'more': name 's07.upd.example.com' is already in entry 'mirrors' on line $(line dl.example)"
refuses "covered by a shorter suffix" "$(entry .a.b.example.com web 'action: log,')" more \
	"entry 'more': name '.a.b.example.com' is already covered, with the same effect, by entry 'zone' on line $(line '\[.example')"
refuses "covered by the suffix of the same name" "$(entry example.com web 'action: log,')" more \
	"entry 'more': name 'example.com' is already covered, with the same effect, by entry 'zone' on line $(line '\[.example')"
for other in "category: push, action: log," "category: web, action: log, ports: [udp/443]," \
	"category: web, action: log, shared: true," "category: web, action: log, products: [one],"; do
	pack | sed "$(entry .a.b.example.com x "$other" | sed 's/category: x, //')" >p.yaml
	lint p.yaml
	is "$status $said" "0 " "not covered: $other"
done
refuses "what an allow undoes" "$(entry tool.example.com)" more \
	"entry 'more': name 'tool.example.com' has no effect: it is allowed by entry 'removal' on line $(line '\[tool')"
pack | sed "$(entry .tool.example.com)" >p.yaml
lint p.yaml
is "$status $said" "0 " "an allow of the name alone does not undo what is below it"

# ---- several packs
pack >p.yaml
pack | sed 's/example\.com/example.net/g; s/192.0.2/198.51.100/' >q.yaml
lint p.yaml q.yaml
like "$said" "^q.yaml:1: pack 'example': this id is already used in p.yaml" "a pack's id twice"
like "$said" "q.yaml:13: entry 'mirrors': this id is already used in p.yaml on line 13" "an entry's id twice"
sed 's/pack: example/pack: other/; s/id: mirrors/id: b/; s/id: zone/id: c/; s/id: removal/id: d/; s/tool.example.net/dl.example.com/' q.yaml >r.yaml
lint p.yaml r.yaml
is "$status $said" "1 p.yaml:$(line dl.example): entry 'mirrors': name 'dl.example.com' has no effect: it is allowed by entry 'd' on line 28 of r.yaml" \
	"an allow of another pack"

sed 's/vendor: Example/vendor: Other/; s/id: removal/id: d/; s/tool.example.com/other.example.net/' r.yaml >s.yaml
sed -i 's/dl.example.com/other.example.net/; s/s\[00-19\].upd.example.net/dl.example.com/; s/s07.upd.example.net/dl.example.com/' s.yaml
lint p.yaml s.yaml
is "$status $said" "0 s.yaml:14: warning: entry 'b': name 'dl.example.com' is also in entry 'mirrors' on line 14 of p.yaml" \
	"warns of a name that another vendor's pack lists, too"

# ---- what no pack may block
cat >never.yaml <<-'END'
	sources: [{id: s, title: t}]
	never:
	  - {id: store, names: [play.google.com, .apps.example.com], kind: store, reason: No apps., sources: [s]}
	  - {id: ocsp, names: ["ocsp[1-3].digicert.com", ocsp.digicert.com], kind: certificates, reason: No revocation., sources: [s]}
	  - {id: time, names: [time.windows.com], kind: time, reason: No time., sources: [s]}
	  - {id: portal, names: [.captive.apple.com], kind: connectivity, reason: No portal., sources: [s]}
	  - {id: cloud, names: [.amazonaws.com], kind: shared, reason: Half of the net., sources: [s]}
	  - {id: gateways, names: ["gw-*.microsoft.com"], kind: protection, reason: Blind., sources: [s]}
END
never() {	# NAME SHOWN KEPT LINE REASON: refused with both lines, accepted with an override, and for log
	refuses "never: $1" "$(entry "'$1'")" more \
		"entry 'more': name '$2' would block '$3', which never.yaml:$4 keeps open: $5 (override: REASON, where that is meant)"
	pack | sed "$(entry "'$1'" update 'override: meant,')" >p.yaml
	lint p.yaml
	is "$status $said" "0 " "accepted with an override"
	pack | sed "$(entry "'$1'" update 'action: log,')" >p.yaml
	lint p.yaml
	is "$status $said" "0 " "and when it is only recorded"
}
never .google.com .google.com play.google.com 3 "No apps."
never ocsp.digicert.com ocsp.digicert.com ocsp.digicert.com 4 "No revocation."
never 'ocsp[2-9].digicert.com' 'ocsp[2-9].digicert.com' "ocsp[1-3].digicert.com" 4 "No revocation."
never time.windows.com time.windows.com time.windows.com 5 "No time."
never captive.apple.com captive.apple.com .captive.apple.com 6 "No portal."
never a.b.captive.apple.com a.b.captive.apple.com .captive.apple.com 6 "No portal."
never .amazonaws.com .amazonaws.com .amazonaws.com 7 "Half of the net."
never gw-eu.microsoft.com gw-eu.microsoft.com 'gw-*.microsoft.com' 8 "Blind."
never '*-eu.captive.apple.com' '*-eu.captive.apple.com' .captive.apple.com 6 "No portal."
pack | sed "$(entry .bucket.amazonaws.com)" >p.yaml
lint p.yaml
is "$status $said" "0 " "below a shared zone a pack may list what it likes"
pack | sed '/^nets:/i\  - {id: more, names: [.google.com], category: update, sources: [list], confidence: medium, side_effect: none}\n  - {id: open, names: [play.google.com], category: update, sources: [list], confidence: medium, action: allow, side_effect: none}' >p.yaml
lint p.yaml
is "$status $said" "0 " "a broad pattern with the name as an exception of the same pack"
pack | sed 's/\[.example.com\]/[.example.com]\n    names-file: n.txt/; /id: zone/,/side_effect/{/action: log/d}' >p.yaml
printf 'x.example.org\ntime.windows.com\n' >n.txt
lint p.yaml
like "$said" "entry 'zone': name 'time.windows.com' would block 'time.windows.com'" "a name in a file"
pack | sed "$(entry .google.com)" >p.yaml
mv never.yaml none
lint p.yaml
like "$status $said" "^1 p.yaml:[0-9]*: entry 'more': name '.google.com' would block '[a-z.]*' and [0-9]* more, which never.yaml \(built in\):" \
	"without a list beside the pack the program's own holds"
mkdir d && cp none d/never.yaml && cp p.yaml d/
printf 'rules: [%s/d]\nlog: {outputs: [{type: text, path: "-"}]}\n' "$folder" >c.yaml
like "$("${NFQD:-build/nfqd}" -t -c c.yaml 2>&1)" "warning: rules: $folder/d/p.yaml:[0-9]*: entry 'more': name '.google.com' would block 'play.google.com', which $folder/d/never.yaml:3 keeps open: No apps." \
	"the daemon warns of it, and takes the list for no pack"
sed -i 's/kind: store/kind: shop/; s/\[s\]}$/[t]}/' d/never.yaml
lint d/p.yaml d/never.yaml
like "$said" "^d/never.yaml:3: never 'store': kind: 'shop' is not one of update, firmware,[^"$'\n'"]*$" "the list itself is checked"
rm -r d

# ---- one mistake hides no other: every one at once, with its line, in every file
cat >never.yaml <<-'END'
	sources: [{id: s, title: t}]
	never:
	  - {id: time, names: [time.windows.com], kind: time, reason: No time., sources: [s]}
END
cat >m.yaml <<-'END'
	pack: m
	vendro: Example
	version: 2026.11.24.1
	sources:
	  - {id: list, title: A list, link: "https://example.org/x"}
	  - {id: idle, title: Idle}
	stages:
	  - {id: now, action: block, basis: site, citation: c}
	entries:
	  - {id: a, names: a.example.com, category: update, sources: [list], confidence: high, side_effect: none}
	  - {id: b, names: [b.example.com], category: updates, sources: [list], confidence: sure, side_effect: none}
	  - {id: c, names: [.co.uk], category: web, sources: [lost], confidence: high}
	  - {id: d, names: [time.windows.com, "d d.example.com"], category: update, category: web, sources: list, confidence: high, side_effect: none}
	  - {names: [e.example.com], category: update, confidence: high, action: block, side_effect: none}
	  - {id: a, names: [[x]], category: update, ports: [tcp/99999], sources: [list], confidence: high, shared: maybe, side_effect: none}
	  - just text
	tests: {match: [z.example.com], no_match: [a.example.com]}
END
printf 'pack: n\nvendor: [x\n' >n.yaml
printf 'pack: o\nvendor: O\nversion: 1\nsources: []\nstages: []\nentries: []\nexpires: soon\n' >o.yaml
lint m.yaml n.yaml o.yaml
while IFS='|' read -r want; do
	like "$said" "(^|"$'\n'")$want" "at once: $want"
done <<'END'
m.yaml:2: unknown key 'vendro'
m.yaml:1: missing key 'vendor'
m.yaml:5: source 'list': unknown key 'link'
m.yaml:6: source 'idle': nothing cites it
m.yaml:8: stage 'now': missing key 'from'
m.yaml:10: entry 'a': names: must be a list
m.yaml:11: entry 'b': category: 'updates' is not one of
m.yaml:11: entry 'b': confidence: 'sure' is not one of
m.yaml:12: entry 'c': missing key 'side_effect'
m.yaml:12: entry 'c': unknown source 'lost'
m.yaml:12: entry 'c': name '.co.uk': 'co.uk' is a public suffix
m.yaml:13: entry 'd': key 'category' is given twice
m.yaml:13: entry 'd': sources: must be a list
m.yaml:13: entry 'd': name 'd d.example.com': ' ' cannot be part of a name
m.yaml:13: entry 'd': name 'time.windows.com' would block 'time.windows.com'
m.yaml:17: test match: 'z.example.com' matches no entry
m.yaml:17: test no_match: 'a.example.com' matches an entry
m.yaml:14: entry 5: missing key 'id'
m.yaml:14: entry 5: missing key 'sources'
m.yaml:14: entry 5: action: 'block' is not one of log, allow
m.yaml:15: entry 'a': shared: 'maybe' is not one of true, false
m.yaml:15: entry 'a': this id is already used on line 10
m.yaml:15: entry 'a': bad port 'tcp/99999'
m.yaml:15: entry 'a': names: must be a single value, not a list
m.yaml:16: entry 7: entries: must be a mapping
n.yaml:3: not valid YAML
o.yaml:7: pack 'o': expires: 'soon' is not a date
END
is "$status" 1 "and fails"
rm never.yaml

# ---- names in a file
refuses_line() {	# WHAT CONTENT-OF-FILE MESSAGE
	pack | sed 's/\[.example.com\]/[.example.com]\n    names-file: n.txt/' >p.yaml
	printf '%b' "$2" >n.txt
	lint p.yaml
	is "$status $said" "1 n.txt:$3" "$1"
}
refuses_line "a bad name in a file" '# list\na.example.org\n*.b.example.org\n' \
	"3: entry 'zone': name '*.b.example.org': a label of '*' alone: write .example.com for all below a name"
refuses_line "a public suffix in a file" '.com.au\n' \
	"1: entry 'zone': name '.com.au': 'com.au' is a public suffix, under which anyone can have names"
printf 'a.example.org\na.example.org\n.example.org\n' >n.txt
lint p.yaml
is "$status $said" "0 " "a file may repeat itself"

pack | sed 's/\[.example.com\]/[.example.com]\n    names-file: \/etc\/passwd/' >p.yaml
lint p.yaml
is "$status $said" "1 p.yaml:$(line passwd): entry 'zone': names-file: '/etc/passwd' is not a file name (the file stands beside the pack)" \
	"a file elsewhere is not read"
pack | sed 's/\[.example.com\]/[.example.com]\n    names-file: ../' >p.yaml
lint p.yaml
like "$said" "^p.yaml:[0-9]*: entry 'zone': names-file: '..' is not a file name [^"$'\n'"]*$" "nor is a folder"

lint none.yaml
like "$status $said" '^1 none.yaml: No such file' "a pack that is not there"
lint
like "$status $said" '^2 nfqctl rules lint: FILE is missing' "no pack at all"
done_testing

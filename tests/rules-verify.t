#!/bin/bash
# Proves: `nfqctl rules verify` asks for every exact name of a pack, ranges counted out, and tells the
# living from the dead, the empty, the silent, those that lead out of the pack's zones and those in its
# own networks; its report is the same every time; without any server it fails.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}")
PATH=$PATH:/usr/sbin:/sbin
need dnsmasq socat ss jq
folder=$(mktemp -d) && cd "$folder" || exit 99
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$folder"' EXIT

cat >p.yaml <<'END'
pack: p
vendor: V
version: 2026.11.24.3
sources: [{id: s, url: "https://example.org/"}]
stages:
  - {id: now, from: 2024-01-01, action: block, categories: [update], basis: site, citation: c}
entries:
  - {id: range, names: ["s[00-02].upd.example.com"], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: plain, names: [alive.example.com, six.example.com, inside.example.com, empty.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: gone, names: [gone.example.com, dangling.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: moved, names: [moved.example.com, twice.example.com], category: update, sources: [s], confidence: high, side_effect: none, action: log}
  - {id: own, names: [own.example.com, own6.example.com, ownmoved.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: bad, names: [silent.example.com, refused.example.org, sink.example.com, inner.example.com], category: update, sources: [s], confidence: high, side_effect: none}
  - {id: zones, names: [.zone.example.com, "g-*.example.com"], category: update, sources: [s], confidence: high, side_effect: none}
nets:
  - {cidr: 192.0.2.0/24, category: update, sources: [s], confidence: high, side_effect: none}
  - {cidr: 10.0.0.0/8, category: update, ports: [tcp/13111], sources: [s], confidence: high, side_effect: none}
  - {cidr: "2001:db8:1::/48", category: update, sources: [s], confidence: high, side_effect: none}
END
port=$((20000 + $$ % 20000))
socat -u "UDP4-RECV:$((port + 1)),bind=127.0.0.1" OPEN:/dev/null &	# hears all, says nothing
pids=$!
dnsmasq -k -C /dev/null --no-resolv --no-hosts -p $port --listen-address=127.0.0.1 --bind-interfaces --pid-file= \
	--local=/example.com/example.net/invalid/ --server="/silent.example.com/127.0.0.1#$((port + 1))" \
	--host-record=s00.upd.example.com,198.51.100.1 --host-record=s02.upd.example.com,198.51.100.1 \
	--host-record=alive.example.com,198.51.100.1 --host-record=six.example.com,2001:db8:2::1 \
	--cname=inside.example.com,alive.example.com --txt-record=empty.example.com,text \
	--host-record=cdn.example.net,198.51.100.9 --cname=moved.example.com,cdn.example.net \
	--cname=hop.example.com,cdn.example.net --cname=twice.example.com,hop.example.com \
	--host-record=own.example.com,192.0.2.7 --host-record=own6.example.com,198.51.100.1,2001:db8:1::7 \
	--host-record=near.example.net,192.0.2.8 --cname=ownmoved.example.com,near.example.net \
	--txt-record=nowhere.example.net,text --cname=dangling.example.com,nowhere.example.net \
	--host-record=inner.example.com,10.1.2.3 --address=/sink.example.com/0.0.0.0 >server.log 2>&1 &
pids="$pids $!"
verify() { "$NFQCTL" rules verify --timeout 1 "$@" p.yaml; }
answers() { (: <>"/dev/tcp/127.0.0.1/$port") && ss -Hlnu "sport = :$((port + 1))" | grep -q .; }
for _ in {1..100}; do
	answers 2>/dev/null && break
	read -rt 0.1 <> <(:)
done

# side by side, since each waits for the silent name
verify --server "127.0.0.1:$((port + 1))" >mute 2>&1 &
mute=$!
verify --server "127.0.0.1:$port" --concurrency 1 --json >report.json &
json=$!
verify --server "127.0.0.1:$port" >report
is $? 0 "the run is made"
wait $mute
is "$? $(cat mute)" "1 nfqctl: no server answers: 127.0.0.1 port $((port + 1))" "a server that says nothing"
wait $json
is "$(grep '^#' report | sed 's/on 20..-..-..T..:..:..Z$/on DATE/')" "# What the names of packs came to, on DATE
# server: 127.0.0.1 port $port
# canary blocked.nfqd.invalid: dead
# no enforcing nfqd seen (a resolver between that makes up its own answers can hide it)
#
# p 2026.11.24.3: 18 names, 2 patterns that cannot be asked for
# alive 5 own 3 moved 2 empty 2 dead 2 failed 4 blocked 0" "the header: date, server, canary, counts"
is "$(grep -v '^#' report)" "p  alive    alive.example.com     plain
p  empty    dangling.example.com  gone  leads to nowhere.example.net, outside the pack's own zones
p  empty    empty.example.com     plain
p  dead     gone.example.com      gone
p  failed   inner.example.com     bad  answers 10.1.2.3
p  alive    inside.example.com    plain
p  moved    moved.example.com     moved  leads to cdn.example.net, outside the pack's own zones
p  own      own.example.com       own  in the pack's own 192.0.2.0/24
p  own      own6.example.com      own  in the pack's own 2001:db8:1::/48
p  own      ownmoved.example.com  own  in the pack's own 192.0.2.0/24  leads to near.example.net, outside the pack's own zones
p  failed   refused.example.org   bad  REFUSED
p  alive    s00.upd.example.com   range
p  dead     s01.upd.example.com   range
p  alive    s02.upd.example.com   range
p  failed   silent.example.com    bad  timeout
p  failed   sink.example.com      bad  answers 0.0.0.0
p  alive    six.example.com       plain
p  moved    twice.example.com     moved  leads to cdn.example.net, outside the pack's own zones" "every name, by name"
is "$(jq -r '.packs[].results[] | "p \(.status) \(.name)"' report.json)" \
	"$(grep -v '^#' report | awk '{ print $1, $2, $3 }')" "the same in the same order, one name at a time"
is "$(jq -c '[.enforcing_nfqd_seen, .canary.status, .packs[0].pack, .packs[0].version, .packs[0].names, .packs[0].patterns, .packs[0].counts.moved]' report.json)" \
	'[false,"dead","p","2026.11.24.3",18,2,2]' "JSON: the header"
is "$(jq -c '.packs[0].results[] | select(.entry == "moved")' report.json)" \
	'{"name":"moved.example.com","entry":"moved","status":"moved","leads_to":"cdn.example.net"}
{"name":"twice.example.com","entry":"moved","status":"moved","leads_to":"cdn.example.net"}' "JSON: names"
verify --concurrency 0 2>/dev/null
is $? 2 "no name at once: usage"
verify --server nobody 2>/dev/null
is $? 1 "a server that is no address"
done_testing

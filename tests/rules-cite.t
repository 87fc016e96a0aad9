#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: `nfqctl rules cite` finds the cited files that lie in a folder, says which names stand in none
# of them, and tells those whose other sources are not there apart.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}")
folder=$(mktemp -d) && cd "$folder" || exit 99
trap 'rm -rf "$folder"' EXIT

sha=0123456789abcdef0123456789abcdef01234567
cat >p.yaml <<END
pack: p
vendor: V
version: 2026.11.24.3
sources:
  - {id: page, url: "https://help.example.com/ports.htm", retrieved: 2026-11-24}
  - {id: list, url: "https://github.com/o/r/blob/$sha/lists/one.txt"}
  - {id: mail, title: A mail}
  - {id: away, url: "https://away.example.com/x", retrieved: 2026-11-24}
  - {id: up, url: "https://up.example.com/../../secret", retrieved: 2026-11-24}
stages: []
entries:
  - {id: a, names: [A.example.com, b.example.com], category: update, sources: [page], confidence: high, side_effect: none}
  - {id: r, names: ["s[0-3].example.com", "t[0-1].example.com"], category: update, sources: [page, list], confidence: high, side_effect: none}
  - {id: z, names: [.zone.example.com, .gone.example.com, "k-*-g.example.com", "m-*.example.com"], category: update, sources: [list], confidence: high, side_effect: none}
  - {id: m, names: [mail.example.com], category: update, sources: [mail], confidence: high, side_effect: none}
  - {id: w, names: [c.example.com, d.example.com], category: update, sources: [page, away], confidence: high, side_effect: none}
  - {id: n, names-file: n.txt, category: update, sources: [away], confidence: high, side_effect: none}
  - {id: u, names: [u.example.com], category: update, sources: [up], confidence: high, side_effect: none}
END
echo f.example.com >n.txt
cite() { said=$("$NFQCTL" rules cite --against "$@" 2>&1); status=$?; }

mkdir -p cited/help.example.com cited/up.example.com cited/o/r/lists cited/p
echo u.example.com >secret
cite cited p.yaml
like "$status $said" "^1 nfqctl: cited: no cited file lies there" "an empty folder"
cat >cited/help.example.com/ports.htm <<'END'
<td>https://a.Example.com:443/</td><td>not-b.example.com, b.example.com.evil.test, x.b.example.com</td>
s0.example.com s1.example.com. c.example.com
END
printf '||s2.example.com^\n*.zone.example.com\nwww.k-1-g.example.com k-1-g.example.com\nt0.example.com\nt1.example.com\n' >cited/o/r/lists/one.txt
echo "From: x <mail.example.com>" >cited/p/mail
cite cited p.yaml
is "$status $said" "1 p.yaml:12: entry 'a': name 'b.example.com': in none of: page
p.yaml:13: entry 'r': name 's[0-3].example.com': 1 of its 4 names in none of: page, list
p.yaml:14: entry 'z': name '.gone.example.com': in none of: list
p.yaml:14: entry 'z': name 'm-*.example.com': in none of: list
p.yaml:16: entry 'w': name 'd.example.com': in none of: page; not here to be read: away
3 cited files: 6 names found, 4 in none, 3 whose other sources are not here" "by host and path, as a checkout, by pack and source; never above the folder"
printf 's3.example.com a.gone.example.com m-*.example.com\n' >>cited/o/r/lists/one.txt
echo b.example.com >>cited/help.example.com/ports.htm
cite cited p.yaml
is "$status $(tail -n 1 <<<"$said")" "0 3 cited files: 10 names found, 0 in none, 3 whose other sources are not here" "all of them found"
cite cited missing.yaml
like "$status $said" "^1 .*missing.yaml: No such file" "no pack"
"$NFQCTL" rules cite p.yaml >/dev/null 2>&1
is $? 2 "without a folder: usage"
done_testing

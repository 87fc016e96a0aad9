#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sources keep the rules of the house (tools/lint/run says which), every pack lints clean, only one of them is on
# by default, and the programs are hardened (tools/lint/binaries).
cd "$(dirname "$0")/.." || exit 99
NFQD=${NFQD:-build/nfqd} NFQCTL=${NFQCTL:-build/nfqctl}
echo 1..4
if out=$(tools/lint/run); then echo "ok 1 - lint"; else echo "not ok 1 - lint"; echo "$out" | sed 's/^/# /'; fi
packs=$(find rules -name '[a-z]*.yaml' ! -name never.yaml | sort)
# shellcheck disable=SC2086 # one word per pack
if out=$("$NFQCTL" rules lint $packs 2>&1) && [ -z "$out" ]; then
	echo "ok 2 - packs"
else
	echo "not ok 2 - packs"; echo "$out" | sed 's/^/# /'
fi
on=$(sed -n 's,^  - rules/,,p' nfqd/man/nfqd.yaml)
[ "$on" = kaspersky.yaml ] || printf "not "
echo "ok 3 - the shipped configuration loads kaspersky alone"
# sanitizers bring their own
case $NFQD in */asan/* | */tsan/* | */cover/*) echo "ok 4 # SKIP hardening: sanitizers"; exit ;; esac
if out=$(tools/lint/binaries "$(dirname "$NFQD")"); then
	echo "ok 4 - the programs are hardened"
else
	echo "not ok 4 - the programs are hardened"; echo "$out" | sed 's/^/# /'
fi

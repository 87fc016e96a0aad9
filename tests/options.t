#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what nfqd was not told it says: whose rules it took where neither a configuration nor packs
# were named; a configuration that cannot be read is an error, never the built-in one in its place.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
nfqd=${NFQD:-build/nfqd}
work=$(mktemp -d) || bail "no temporary folder"
trap 'rm -rf "$work"' EXIT
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))' >"$work/empty.pcap"

run() { "$nfqd" "$@" 2>"$work/stderr"; }
is "$(run -r "$work/empty.pcap")" "" "a capture without packets: no record"
like "$(<"$work/stderr")" 'without a configuration: by (the canary alone|/.*/kaspersky\.yaml)' "and whose rules were taken"
run -r "$work/empty.pcap" --rules rules/kaspersky.yaml
is "$(<"$work/stderr")" "" "packs that were named are not repeated"
run -r "$work/empty.pcap" -c nfqd/man/nfqd.yaml
is "$(<"$work/stderr")" "" "nor a configuration"

# The default configuration, in a mount namespace of our own: missing, there, and there but unreadable.
if ! unshare -rm true 2>/dev/null; then
	diag "no mount namespaces here: the default configuration is not tried"
	done_testing
fi
at_etc() {	# COMMAND...: where /etc/nfqd is $work/etc, and nothing else is in /etc
	unshare -rm sh -c 'mount -t tmpfs none /etc && mkdir /etc/nfqd && cp -a "$1"/etc/. /etc/nfqd && shift && exec "$@"' \
		sh "$work" "$@" 2>"$work/stderr"
}
mkdir "$work/etc"
is "$(at_etc "$nfqd" -t) $(grep -c 'without a configuration' "$work/stderr")" "configuration OK 1" "none: said"
echo "rules: [$PWD/rules/kaspersky.yaml]" >"$work/etc/nfqd.yaml"
is "$(at_etc "$nfqd" -t) $(<"$work/stderr")" "configuration OK " "one: taken"
ln -sf nfqd.yaml "$work/etc/nfqd.yaml"
is "$(at_etc "$nfqd" -t) $(<"$work/stderr")" " nfqd: /etc/nfqd/nfqd.yaml: Too many levels of symbolic links" "one that cannot be read: an error"
done_testing

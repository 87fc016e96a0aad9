#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: make install puts everything where PREFIX says, the installed files name those folders, an
# existing configuration stays as it is, and make uninstall leaves what is the administrator's.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
# a build folder of its own: the paths are compiled into the programs
ours() { make --no-print-directory B="$tmp/build" DESTDIR="$tmp/root" PREFIX=/usr/local "$@" >"$tmp/log" 2>&1; }
not() { ! "$@"; }
# The packs it names are below DESTDIR here.
loads() { sed "s|/usr/local|$prefix|" "$1" >"$tmp/here.yaml" && "$prefix/sbin/nfqd" -t -c "$tmp/here.yaml"; }
# What it starts is below DESTDIR, too; the manual pages it names are not installed.
unit_is_right() {
	sed "s|/usr/local|$prefix|" "$prefix/lib/systemd/system/$1.service" >"$tmp/$1.service"
	systemd-analyze verify --man=no "$tmp/$1.service"
}
prefix=$tmp/root/usr/local etc=$tmp/root/etc/nfqd

# Only where the packs are installed differs: the other objects are those that are built already.
built=$(dirname "${NFQD:-build/nfqd}")
mkdir "$tmp/build" && cp -a "$built/obj" "$built/libnfqd.a" "$built/nfqd" "$built/nfqctl" "$tmp/build/"
[ "$(id -u)" != 0 ] || chown -R --reference=Makefile "$tmp"	# who builds, also under sudo
ok "make install PREFIX=/usr/local" ours install
for f in sbin/nfqd bin/nfqctl share/nfqd/rules/kaspersky.yaml lib/systemd/system/nfqd.service \
	share/bash-completion/completions/nfqctl share/zsh/vendor-completions/_nfqctl share/fish/vendor_completions.d/nfqctl.fish \
	share/nfqd/nfqd-config.schema.json share/nfqd/nfqd-pack.schema.json \
	share/nfqd/monitoring/nfqd-alerts.yaml share/nfqd/monitoring/nfqd-dashboard.json lib/systemd/system/nfqd-metrics.timer \
	share/nfqd/fleet/nfqd-fleet share/nfqd/fleet/sensor.conf share/nfqd/fleet/schema/1-records.sql \
	lib/sysusers.d/nfqd.conf lib/systemd/network/10-nfqd-heartbeat.network \
	lib/NetworkManager/conf.d/90-nfqd-heartbeat.conf share/man/man8/nfqd.8 share/man/man5/nfqd.yaml.5 share/man/man1/nfqctl.1; do
	ok "$f is there" test -s "$prefix/$f"
done
is "$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$prefix/lib/systemd/system/nfqd.service")" /usr/local/sbin/nfqd \
	"the unit starts the program that was installed"
is "$(sed -n 's,^  - /,/,p' "$etc/nfqd.yaml")" /usr/local/share/nfqd/rules/kaspersky.yaml "the configuration names the pack"
is "$(grep -rl '/usr/share/nfqd\|/usr/sbin/nfqd' "$prefix/share/man" "$prefix/lib" "$etc")" "" "nothing names another PREFIX"
for program in sbin/nfqd bin/nfqctl; do
	ok "$program looks for packs there" grep -q /usr/local/share/nfqd/rules "$prefix/$program"
	ok "$program looks nowhere else" not grep -q /usr/share/nfqd/rules "$prefix/$program"
done
ok "the installed configuration loads" loads "$etc/nfqd.yaml"
is "$(grep -o '^/.*json' "$tmp/root/etc/logrotate.d/nfqd")" "/var/log/nfqd/*.json" "logrotate knows the records"
ok "and takes the file" logrotate -d -s "$tmp/rotated" "$tmp/root/etc/logrotate.d/nfqd"
ok "no nfqd.yaml.new beside a new configuration" test ! -e "$etc/nfqd.yaml.new"

ok "make install again" ours install
ok "no nfqd.yaml.new beside the packaged one" test ! -e "$etc/nfqd.yaml.new"
printf 'rules:\n  - rules/mine.yaml\nmode: log\n' >"$etc/nfqd.yaml"
cp -p "$etc/nfqd.yaml" "$tmp/mine"
ok "make install over a configuration of the site's" ours install
ok "which is the same" cmp "$etc/nfqd.yaml" "$tmp/mine"
ok "and the same file" test ! "$etc/nfqd.yaml" -nt "$tmp/mine"
ok "the packaged one is beside it" grep -q /usr/local/share/nfqd/rules/kaspersky.yaml "$etc/nfqd.yaml.new"
like "$(cat "$tmp/log")" 'nfqd.yaml is kept; the packaged one is nfqd.yaml.new' "which is said"
ok "an install into DESTDIR makes no users" not grep -qE "systemd-sysusers /|useradd" "$tmp/log"

if command -v systemd-analyze >/dev/null; then
	ok "systemd takes the unit" unit_is_right nfqd
	ok "and the one of the metrics" unit_is_right nfqd-metrics
	[ ! -e "$prefix/sbin/nfqd-console" ] || ok "and the one of the console" unit_is_right nfqd-console
fi
if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$tmp/users/etc"
	ok "systemd takes the users" systemd-sysusers --root="$tmp/users" "$prefix/lib/sysusers.d/nfqd.conf"
	is "$(cut -d: -f1 "$tmp/users/etc/passwd" | sort | paste -sd' ')" "nfqd nfqd-console nfqd-prober nfqd-resolver nfqd-sightings" "worker, resolver, prober, sightings and console are five users"
fi

ok "make uninstall" ours uninstall
is "$(cd "$tmp/root" && find . -type f)" ./etc/nfqd/nfqd.yaml "all that stays is the configuration that the site wrote"
like "$(cat "$tmp/log")" 'etc/nfqd is kept' "which is said"
rm "$etc/nfqd.yaml"
ok "make install, and nothing is changed" ours install
mkdir -p "$tmp/root/var/log/nfqd" && touch "$tmp/root/var/log/nfqd/eve.json"
ok "make uninstall PURGE=yes" ours uninstall PURGE=yes
is "$(cd "$tmp/root" && find . -type f -o -name nfqd)" "" "nothing stays"
done_testing

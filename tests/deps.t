#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what tests start is either installed or unpacked, never both; a program that was unpacked runs under its own
# name as one process; and `make` without its packages says which and how.
cd "$(dirname "$0")/.." || exit 99
. tests/lib/tap.sh
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# what brings a unit of its own must not be installed
lists=$(sed -n '/^compile=/,/^root=/p' tools/deps)
eval "$lists"
for p in nginx-light caddy unbound dnsmasq-base rsyslog bind9 systemd-resolved prometheus prometheus-node-exporter logrotate postgresql-15 keepalived conntrackd; do
	is "$(tr -s ' \t\n' '\n' <<<"$build $demo $test $bench" | grep -cx "$p")" 0 "$p is not installed"
	is "$(tr -s ' \t\n' '\n' <<<"$test_unpacked" | grep -cx "$p")" 1 "but unpacked"
done
is "$(tr -s ' \t\n' '\n' <<<"$demo $demo_unpacked" | grep -cE 'chromium|qemu|golang')" 0 "the demo takes no browser and no virtual machine"

mkdir -p "$tmp/unpacked/programs" "$tmp/unpacked/usr/sbin"
cat >"$tmp/unpacked/usr/sbin/server" <<'END'
#!/bin/sh
echo "$$ $1"
END
chmod +x "$tmp/unpacked/usr/sbin/server"
ln -s "$PWD/tools/lab/unpacked" "$tmp/unpacked/programs/server"
"$tmp/unpacked/programs/server" word >"$tmp/left-out" &
pid=$!
wait $pid
is "$(cat "$tmp/left-out")" "$pid word" "an unpacked program is the process that was started, with its arguments"

if command -v dpkg-query >/dev/null; then
	mkdir "$tmp/bin"
	cat >"$tmp/bin/dpkg-query" <<'END'
#!/bin/sh
for p; do :; done
[ "$p" = libpcap-dev ] || echo "install ok installed"
END
	chmod +x "$tmp/bin/dpkg-query"
	said=$(PATH=$tmp/bin:$PATH make B="$tmp/build" "$tmp/build/deps" 2>&1)
	ok "make without a package fails" [ $? != 0 ]
	like "$said" 'not installed here: libpcap-dev' "says which"
	like "$said" 'sudo make deps' "and how"
	ok "DEPS=no goes on" env PATH="$tmp/bin:$PATH" make DEPS=no B="$tmp/build" "$tmp/build/deps"
fi

# ---- the demo, where namespaces cannot be made ----
if [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2016	# for the inner shell
	mine() { unshare --mount --propagation private bash -c 'mount -t tmpfs tmpfs /run && mounts=$(</proc/self/mounts)
		"$@"; status=$?; grep -qvxF "$mounts" /proc/self/mounts || echo no new mount; ls -A /run; exit $status' - "$@"; }
	for cap in sys_admin net_admin; do
		said=$(mine setpriv --bounding-set -$cap --inh-caps -$cap tools/lab/demo 2>&1)
		is $? 1 "the demo without CAP_${cap^^} fails"
		like "$said" 'namespaces cannot be made here: .*Operation not permitted.*take CAP_SYS_ADMIN and CAP_NET_ADMIN' "and says what is missing"
		is "$(tail -n 1 <<<"$said")" "no new mount" "no mount and no file is left"
	done
fi
said=$(make -n WITHOUT="top curses" 2>&1)
ok "make WITHOUT something that is no option fails" [ $? != 0 ]
like "$said" 'no option: curses .*certificates sightings' "and names those that there are"
like "$(make -n B="$tmp/left-out" DEPS=no WITHOUT=top "$tmp/left-out/obj/tools/nfqctl/left_out.o" 2>&1)" '-DNFQD_WITHOUT_([A-Z_ -]*_)?TOP' \
	"an option is left out by its name"
is "$(make -n B="$tmp/left-out" DEPS=no WITHOUT=top "$tmp/left-out/nfqctl" 2>&1 | grep -c 'nfqctl/top.c\|lncurses')" 0 "with its files and its library"
done_testing

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves, in a bare Debian 12 root with systemd booted before and after: what `make demo` and `make check` fetch to be able
# to run enables no unit and opens no port. Run by `make check-deb`, after run.t, which makes the root.
cd "$(dirname "$0")/../.." || exit 99
. tests/lib/tap.sh
need unshare pivot_root tar
tarball=build/deb-root.tar
[ -s $tarball ] || bail "no $tarball (tests/deb/run.t)"
tmp=$(mktemp -d "$PWD/build/deb-tried.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
mkdir "$root" && tar -C "$root" -xf $tarball && cp -R /etc/apt/. "$root/etc/apt/" && cp -L /etc/resolv.conf /etc/hosts "$root/etc/" || bail "no root"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/test"
mkdir "$root/src" && tar -c --exclude=./build --exclude=./.git . | tar -x --no-same-owner -C "$root/src"

cat >"$root/look" <<'END'
{
	systemctl list-unit-files --state=enabled,enabled-runtime --no-legend --no-pager | awk '{ print $1, $2 }' | grep -v '^look' | sort
	echo ports:
	ss -Hltnu | awk '{ print $1, $5 }' | sort
	echo the end
} >/look.out 2>&1
END
cat >"$root/etc/systemd/system/look.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=-/bin/bash /look
ExecStopPost=/bin/systemctl poweroff --no-block
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../look.service "$root/etc/systemd/system/multi-user.target.wants/look.service"
look() { rm -f "$root/look.out"; tests/deb/boot "$root" 300 >"$tmp/console" 2>&1; cat "$root/look.out"; }
in_root() {
	unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/run" &&
		exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"' "$root" "$@"
}

before=$(look)
like "$before" 'the end' "booted before" || diag "$(tail -n 20 "$tmp/console")"
ok "make is there" in_root sh -c 'apt-get -qq update; apt-get -qq -y install make >/dev/null 2>&1'
for purpose in ${TRIED:-demo test}; do
	ok "make ${purpose/test/check}: its packages" in_root sh -c "cd /src && tools/deps build $purpose"
	is "$(look)" "$before" "make ${purpose/test/check}: the same units are enabled and the same ports listen"
done
done_testing

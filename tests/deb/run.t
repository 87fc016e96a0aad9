#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves, in bare Debian 12 roots with systemd booted: the package installs, `systemctl enable --now nfqd` is all that is
# to be done, a reload that fails fails, logs rotate; an upgrade keeps configuration, exceptions and records; remove and
# purge leave nothing; two builds have one digest; and lintian has nothing to say.
# Run by `make check-deb`; keeps its root as build/deb-root.tar.
cd "$(dirname "$0")/../.." || exit 99
. tests/lib/tap.sh
need debootstrap lintian dpkg-deb unshare pivot_root tar
deb=$(ls "$PWD"/build/nfqd_*.deb) || bail "no package (make deb)"
tmp=$(mktemp -d "$PWD/build/deb-test.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT

# ---- the package itself ----
is "$(dpkg-deb -f "$deb" Version)" "$(sed -n 's/^VERSION *:= *//p' Makefile)" "its version is the Makefile's"
is "$(dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./conffiles | sort | paste -sd' ')" "/etc/logrotate.d/nfqd /etc/nfqd/nfqd.yaml" \
	"what the site may change is a conffile"
is "$(lintian --allow-root --fail-on error,warning "$deb" 2>&1)" "" "lintian: no error and no warning without a reason"
sum=$(sha256sum <"$deb")
if [ -z "${ONE_BUILD:-}" ]; then
	make --no-print-directory deb-build >"$tmp/log" 2>&1
	is "$(sha256sum <"$deb")" "$sum" "a second build has the same digest"
	# elsewhere, later, by a shell with other habits
	mkdir "$tmp/elsewhere" && tar -c --exclude=./build --exclude=./.git . | tar -x -C "$tmp/elsewhere"
	commit=$(git rev-parse --short=12 HEAD 2>/dev/null)
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C make --no-print-directory -C "$tmp/elsewhere" COMMIT="$commit" deb-build) >"$tmp/log" 2>&1
	is "$(sha256sum <"$tmp/elsewhere/build/${deb##*/}")" "$sum" "so has one in another folder, with another umask and time zone"
fi

# ---- a bare root, and one with a package of a later version ----
tarball=build/deb-root.tar
if [ ! -s $tarball ]; then
	debootstrap --variant=minbase --include=systemd-sysv,dbus,iproute2 bookworm "$tmp/root" >"$tmp/log" 2>&1 ||
		bail "no root: $(tail -n 3 "$tmp/log")"
	rm -rf "$tmp"/root/var/cache/apt/archives/*.deb
	tar -C "$tmp/root" -cf $tarball.new . && mv $tarball.new $tarball && rm -rf "$tmp/root"
fi
mkdir "$tmp/root" && tar -C "$tmp/root" -xf $tarball || bail "no root"
dpkg-deb -R "$deb" "$tmp/next" && sed -i 's/^Version: .*/&+next/' "$tmp/next/DEBIAN/control" &&
	sed -i '1i # a comment of the next version' "$tmp/next/etc/nfqd/nfqd.yaml" &&
	dpkg-deb --root-owner-group -b "$tmp/next" "$tmp/root/next.deb" >/dev/null || bail "no later version"
cp "$deb" "$tmp/root/nfqd.deb"
# libraries, by the machine's own lists; nfqd itself comes with systemd running
cp tests/deb/inside tests/deb/questions "$tmp/root/"
everything() { (cd "$tmp/root" && find bin/ etc lib/ sbin/ usr var opt srv root -not -path 'var/lib/dpkg/*' \
	-not -path 'var/cache/*' -not -path 'var/log/*' -not -name 'ld.so.cache' -not -path 'var/lib/systemd/*' | sort); }
in_root() {
	unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
		exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"' "$tmp/root" "$@"
}
enabled() { (cd "$tmp/root/etc/systemd" && find . -type l | sort); }
units=$(enabled)
ok "its dependencies are there" in_root sh -c 'apt-get -qq update && apt-get -qq -y install --no-install-recommends \
	$(dpkg-deb -f /nfqd.deb Depends | sed "s/ *([^)]*)//g; s/|[^,]*//g; s/,/ /g") >/dev/null 2>&1'
before=$(everything)
ok "apt installs the package" in_root apt-get -qq -y install --no-install-recommends /nfqd.deb
is "$(enabled)" "$units" "which enables nothing"
ok "nfqd runs there" in_root nfqd -t -c /etc/nfqd/nfqd.yaml

# ---- booted ----
cat >"$tmp/root/etc/systemd/system/inside.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=-/bin/bash /inside
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=file:/inside.out
StandardError=file:/inside.err
[Install]
WantedBy=multi-user.target
END
ln -s ../inside.service "$tmp/root/etc/systemd/system/multi-user.target.wants/inside.service"
tests/deb/boot "$tmp/root" 300 >"$tmp/console" 2>&1
rm -f "$tmp/root/etc/systemd/system/inside.service" "$tmp/root/etc/systemd/system/multi-user.target.wants/inside.service"
while IFS=' ' read -r result what; do
	ok "booted: $what" test "$result" = ok
done <"$tmp/root/inside.out"
ok "booted: it came to its end" grep -q 'ok the end' "$tmp/root/inside.out" || diag "$(tail -n 20 "$tmp/console" "$tmp/root/inside.err")"

# ---- remove and purge, with what running has left ----
ok "the records are there" test -s "$tmp/root/var/log/nfqd/eve.json"
ok "apt removes it" in_root apt-get -qq -y remove nfqd
ok "what the site wrote stays" grep -q '^# of the site' "$tmp/root/etc/nfqd/nfqd.yaml"
ok "records stay" test -s "$tmp/root/var/log/nfqd/eve.json"
ok "apt purges it" in_root apt-get -qq -y purge nfqd
is "$(diff <(echo "$before") <(everything) | grep '^>' | grep -vE '(-|\.(old|dpkg-[a-z]*))$')" "" "nothing is left"
is "$(grep -c '^nfqd' "$tmp/root/etc/passwd")" 0 "no user, either"
is "$(enabled)" "$units" "no unit"
done_testing

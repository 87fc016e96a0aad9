#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: what tools/container/Containerfile builds blocks in a network namespace that it is given as the host's, with a
# root that cannot be written, a PID namespace of its own, and the capabilities that the file's own command names, no more.
# Not run: podman or docker themselves, which fetch their base from a registry; their seccomp and AppArmor profiles.
# Run by `make check-container` (root, minutes).
cd "$(dirname "$0")/../.." || exit 99
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need debootstrap dpkg-deb unshare setpriv tar dig jq nft
tmp=$(mktemp -d "$PWD/build/container.XXXXXX") || exit 99
tarball=build/deb-root.tar

if [ ! -s $tarball ]; then
	debootstrap --variant=minbase --include=systemd-sysv,dbus,iproute2 bookworm "$tmp/bare" >"$tmp/log" 2>&1 ||
		bail "no root: $(tail -n 3 "$tmp/log")"
	rm -rf "$tmp"/bare/var/cache/apt/archives/*.deb
	tar -C "$tmp/bare" -cf $tarball.new . && mv $tarball.new $tarball && rm -rf "$tmp/bare"
fi
ok "the Containerfile builds" tests/container/build tools/container/Containerfile "$tarball" "$tmp/root" || { rm -rf "$tmp"; done_testing; exit; }
is "$(cat "$tmp/root.entrypoint")" '["/usr/sbin/nfqd"]' "it starts nfqd"
is "$(find "$tmp/root/usr/bin" "$tmp/root/usr/sbin" -name '*gcc*' -o -name clang | wc -l)" 0 "without a compiler"

# ---- as podman would with the command that the file names ----
command=$(sed -n 's/^#\t*//p' tools/container/Containerfile | sed -n '/^podman run/,/nfqd$/p')
caps=$(grep -o 'cap-add [A-Z_,]*' <<<"$command" | cut -d' ' -f2 | tr A-Z a-z)
like "$command" '--read-only' "its root is not written"
mkdir "$tmp/etc" "$tmp/state" "$tmp/log.d"
nfqd_conf enforce open >"$tmp/etc/nfqd.yaml"
sed -i -e "s|$LAB_REPO/rules/|/usr/share/nfqd/rules/|" -e 's|^control:.*|control: /run/nfqd/control.sock|' \
	-e 's|^state:.*|state: /var/lib/nfqd/state.json|' -e 's|path: [^}]*|path: /var/log/nfqd/eve.json|' \
	-e 's/^heartbeat: .*/heartbeat: 1s/' "$tmp/etc/nfqd.yaml"
cat >"$tmp/start" <<'END'
# ROOT CAPS: the namespaces' first process
set -e
cd "$1"
mount --bind "$1/root" "$1/root" && cd "$1/root"
mount -t proc proc proc && mount --rbind /dev dev
mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp
mount --bind "$1/etc" etc/nfqd && mount -o remount,bind,ro etc/nfqd
mount --bind "$1/state" var/lib/nfqd && mount --bind "$1/log.d" var/log/nfqd
mount -o remount,bind,ro .
pivot_root . mnt
umount -l /mnt
exec setpriv --bounding-set "-all,$2" --inh-caps -all --no-new-privs /usr/sbin/nfqd
END
mkdir -p "$tmp/root/var/log/nfqd" "$tmp/root/var/lib/nfqd"
with=+${caps//,/,+}
lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
trap 'lab_down; rm -rf "$tmp"' EXIT
lab_spawn nfqd "$LAB_ROUTER" unshare --mount --propagation private --pid --fork --kill-child --uts --ipc bash "$tmp/start" "$tmp" "$with"
ok "nfqd starts" lab_wait 60 nfqd_says_ready || diag "$(tail -n 20 "$lab_dir/nfqd.log")"
inner=$(pgrep -P "${lab_pid[nfqd]}")
within() { nsenter -t "$inner" -m -p -r -w -n -- "$@"; }
is "$(in_client dig +time=2 +tries=3 s01.upd.kaspersky.com @8.8.8.8 | grep -o 'NXDOMAIN')" NXDOMAIN "a listed name is refused"
is "$(in_client dig +short +time=2 +tries=3 www.example.org @8.8.8.8)" "${LAB_WEB[4]}" "another is answered"
tls() { in_client curl -sk -o /dev/null --max-time 5 --resolve "$1:443:${LAB_WEB[4]}" "https://$1/"; echo $?; }
is "$(tls s01.upd.kaspersky.com) $(tls www.example.org)" "35 0" "so for TLS"
ok "the heartbeat is refused" lab_wait 30 eval 'within nfqctl status | grep -q "heartbeat: refused"' || diag "$(within nfqctl status; tail -n 5 "$lab_dir/nfqd.log")"
ok "it says that it protects" within nfqctl status
bit() { capsh --decode="$(sed -n 's/^CapBnd:\t//p' "/proc/$inner/status")" | cut -d= -f2 | tr , '\n' | sort | paste -sd,; }
is "$(bit)" "$(tr , '\n' <<<"$caps" | sed 's/^/cap_/' | sort | paste -sd,)" "it has the capabilities of the command, no more"
worker=$(within nfqctl status --json | jq .worker_pid)
is "$(within sed -n 's/^CapEff:\t//p' "/proc/$worker/status")" 0000000000001000 "its worker has NET_ADMIN alone"
ok "by a user of its own" test "$(within awk '/^Uid:/ { print $2 }' "/proc/$worker/status")" -gt 0
is "$(within sh -c 'touch /x /etc/nfqd/x' 2>&1 | grep -c 'Read-only')" 2 "its root is read-only"
ok "records come out" lab_wait 5 grep -q kaspersky "$tmp/log.d/eve.json"
kill -TERM "$inner"
lab_wait 10 lab_dead nfqd
lab_end nfqd
is "$(nfqd_left)" "" "its end leaves nothing in the host's network"
done_testing

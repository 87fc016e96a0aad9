#!/bin/bash
# The nft backend on a distribution kernel: build an initramfs around Debian's
# cloud kernel, boot it under qemu's software emulation, run init.sh in it and
# repeat its results as TAP. Run from the repository root; nothing is installed
# and no packet leaves the guest.
#
#   NFQD_VM_STANDIN=1   without build/nfqd: prove kernel, namespaces and programs only
#   build/vm/           the kernel package (kept), console.log of the last run
set -euo pipefail
shopt -s inherit_errexit

CACHE=build/vm
TIMEOUT=900                             # seconds for the whole guest
META=linux-image-cloud-amd64            # depends on the current kernel package
PROGRAMS=(dig curl openssl dnsmasq ip nft conntrack)
MODULES=(net/netfilter net/ipv4/netfilter net/ipv6/netfilter drivers/net/veth.ko
	crypto/crc32c_generic.ko arch/x86/crypto/crc32c-intel.ko drivers/net/vrf.ko net/xfrm net/ipv4/esp4.ko
	net/ipv4/tunnel4.ko net/ipv4/xfrm4_tunnel.ko crypto/ arch/x86/crypto/ lib/crypto)
UNPACKED=$PWD/build/unpacked            # see tools/deps
PATH=$PATH:/usr/sbin:/sbin:$UNPACKED/programs

stage='' qemu='' rows=0 failed=0

# shellcheck disable=SC2317      # reached by trap
cleanup() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :
	[ -z "$stage" ] || rm -rf "$stage"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

row() {                                 # row ok|"not ok" DESCRIPTION
	rows=$((rows + 1))
	[ "$1" = ok ] || failed=1
	echo "$1 $rows - $2"
}

die() {                                 # an error of ours: never a skip
	row "not ok" "$1"
	echo "1..$rows"
	exit 1
}

unavailable() {                         # qemu or the kernel cannot be had
	[ "${CI:-false}" = false ] || die "$1"
	echo "1..0 # SKIP $1"
	exit 0
}

# The newest kernel package into $CACHE; prints its name. An older one in the
# cache serves where the archive cannot be reached.
fetch_kernel() {
	local pkg deb old

	pkg=$(apt-cache depends "$META" 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }') || :
	deb=$(compgen -G "$CACHE/${pkg:-none}_*.deb" | sort -V | tail -n 1) || :
	if [ -n "$pkg" ] && [ -z "$deb" ]; then
		mkdir -p "$CACHE/partial"
		if (cd "$CACHE/partial" && apt-get -q download "$pkg") >&2; then
			mv "$CACHE/partial/$pkg"_*.deb "$CACHE/"
		fi
		rm -rf "$CACHE/partial"
		deb=$(compgen -G "$CACHE/${pkg}_*.deb" | sort -V | tail -n 1) || :
	fi
	old=$(compgen -G "$CACHE/linux-image-*.deb" | sort -V | tail -n 1) || :
	deb=${deb:-$old}
	[ -n "$deb" ] || return 1
	echo "$deb"
}

# Unpack once per package: $CACHE/<package>/{boot,lib/modules} with modules.dep.
unpack_kernel() {
	local deb=$1 root=${1%.deb} version tmp

	if [ ! -e "$root/.done" ]; then
		rm -rf "$root"
		tmp=$(mktemp -d "$CACHE/unpack.XXXXXX")
		dpkg-deb -x "$deb" "$tmp"
		version=$(ls "$tmp/lib/modules")
		depmod -b "$tmp" "$version"
		touch "$tmp/.done"
		mv "$tmp" "$root"
	fi
	echo "$root"
}

# A program and the libraries ldd lists, each at its own path; those that were unpacked, where all the others are.
copy_program() {
	local file=$1 to=$2 lib

	case $file in
	"$UNPACKED"/programs/*) file=$(ls "$UNPACKED"/usr/{sbin,bin}/"${file##*/}" 2>/dev/null) || : ;;
	esac
	install -D -m 755 "$file" "$stage$to"
	for lib in $(LD_LIBRARY_PATH=$(echo "$UNPACKED"/{usr/,}lib/*-linux-gnu | tr ' ' :) ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
		to=${lib#"$UNPACKED"}
		[ -e "$stage$to" ] || install -D -m 755 "$lib" "$stage$to"
	done
}

# The modules named in MODULES with all they depend on.
copy_modules() {
	local from=$1/lib/modules/$2 to=$stage/lib/modules/$2 want

	want=$(printf 'kernel/%s\n' "${MODULES[@]}")
	awk -v want="$want" '
		BEGIN { n = split(want, w, "\n") }
		{ sub(/:/, "", $1) }
		{ for (i = 1; i <= n; i++) if (index($1, w[i]) == 1) { for (f = 1; f <= NF; f++) print $f; break } }
	' "$from/modules.dep" | sort -u >"$stage/modules.list"
	mkdir -p "$to"
	(cd "$from" && xargs cp --parents -t "$OLDPWD/$to" modules.order modules.builtin modules.builtin.modinfo) <"$stage/modules.list"
	rm "$stage/modules.list"
	depmod -b "$stage" "$2"
}

build_initramfs() {
	local root=$1 version=$2 program

	mkdir -p "$stage"/{bin,sbin,dev,etc,proc,sys,run,root,rules,tmp,usr/bin,usr/sbin,var/lib,var/log}
	ln -s ../run "$stage/var/run"
	install -m 755 "$(command -v busybox)" "$stage/bin/busybox"
	install -m 755 tests/vm/init.sh "$stage/init"
	for program in "${PROGRAMS[@]}"; do
		copy_program "$(command -v "$program")" "/usr/sbin/$program"
	done
	if [ -z "${NFQD_VM_STANDIN:-}" ]; then
		copy_program build/nfqd /usr/sbin/nfqd
		copy_program build/nfqctl /usr/sbin/nfqctl
		cp rules/kaspersky.yaml "$stage/rules/"
		cp tests/vm/nfqd.yaml "$stage/etc/nfqd.yaml"
	fi
	printf '%s\n' root:x:0:0::/root:/bin/sh nfqd:x:990:990::/:/bin/false \
		nobody:x:65534:65534::/:/bin/false >"$stage/etc/passwd"
	printf '%s\n' root:x:0: nfqd:x:990: nogroup:x:65534: >"$stage/etc/group"
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files' >"$stage/etc/nsswitch.conf"
	echo '127.0.0.1 localhost' >"$stage/etc/hosts"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj /CN=server.test -keyout "$stage/etc/key.pem" -out "$stage/etc/cert.pem" 2>/dev/null
	copy_modules "$root" "$version"
	(cd "$stage" && find . -mindepth 1 -print0 | cpio -0 --quiet -o -H newc -R 0:0) >"$stage.cpio"
	rm -rf "$stage"
	mv "$stage.cpio" "$CACHE/initramfs.cpio"
}

# Boot; what the guest prints goes to console.log.
boot() {
	timeout -k 5 "$TIMEOUT" qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 1024 \
		-nodefaults -display none -serial stdio -no-reboot \
		-kernel "$1" -initrd "$CACHE/initramfs.cpio" \
		-append "console=ttyS0 quiet panic=-1" \
		</dev/null >"$CACHE/console.log" 2>&1 9>&- &
	qemu=$!
	wait "$qemu" || echo "# qemu ended with status $?"
	qemu=
}

# Lines "TAP ok - …", "TAP not ok - …", "TAP # …", "TAP end N" become our TAP.
translate() {
	local line ended=

	while IFS= read -r line; do
		case $line in
		"TAP ok - "*)     row ok "${line#TAP ok - }" ;;
		"TAP not ok - "*) row "not ok" "${line#TAP not ok - }" ;;
		"TAP # "*)        echo "${line#TAP }" ;;
		"TAP end "*)      ended=${line#TAP end } ;;
		esac
	done < <(tr -d '\r' <"$CACHE/console.log")
	if [ "$ended" = "$rows" ] && [ "$rows" -gt 0 ]; then
		row ok "the guest ran to its end"
	else
		row "not ok" "the guest ran to its end ($rows rows seen, '${ended:-nothing}' announced)"
		tail -n 40 "$CACHE/console.log" | tr -d '\r' | sed 's/^/# console: /'
	fi
	echo "1..$rows"
}

for tool in busybox cpio depmod dpkg-deb "${PROGRAMS[@]}"; do
	command -v "$tool" >/dev/null || die "$tool is not installed (make deps)"
done
if [ -z "${NFQD_VM_STANDIN:-}" ]; then
	for file in build/nfqd build/nfqctl rules/kaspersky.yaml; do
		[ -e "$file" ] || die "$file is missing (run make, from the repository root)"
	done
fi
command -v qemu-system-x86_64 >/dev/null || unavailable "no qemu-system-x86_64"

mkdir -p "$CACHE"
exec 9>"$CACHE/lock"                    # one run at a time
flock 9
deb=$(fetch_kernel) || unavailable "the kernel package of $META cannot be had"
root=$(unpack_kernel "$deb")
version=$(ls "$root/lib/modules")
stage=$(mktemp -d "$CACHE/stage.XXXXXX")
start=$SECONDS
build_initramfs "$root" "$version"
echo "# kernel $version, initramfs $(du -m "$CACHE/initramfs.cpio" | cut -f1) MiB built in $((SECONDS - start)) s"
start=$SECONDS
boot "$root/boot/vmlinuz-$version"
echo "# guest ran $((SECONDS - start)) s"
translate
exit "$failed"

#!/bin/bash
# Proves: `nfqctl doctor` is silent on a clean router; it finds each fault that is planted, alone, with exit status 1;
# and where it names a command, that command mends it.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft iptables-legacy iptables-nft unshare setpriv dig dnsmasq unbound nginx curl jq openssl cc "$LAB_PYTHON"

conf=
doctor() { nfqd_ctl doctor -c "${conf:-$lab_dir/nfqd.yaml}" "$@"; }
json() {	# the checks that found something, and the exit status
	local code=0

	doctor --json >"$lab_dir/doctor.json" || code=$?
	jq -r --arg code $code '[.findings[].check] + [$code] | join(" ")' "$lab_dir/doctor.json"
}
silent() { is "$(doctor 2>&1; echo "exit $?")" "exit 0" "$1"; }
r() { in_router "$@" || bail "cannot make the fault: $*"; }
conf() { conf=$lab_dir/faulty.yaml; sed "$1" "$lab_dir/nfqd.yaml" >"$conf"; }	# one of the doctor's own, which is not loaded

found() {	# CHECK WHERE WHAT: that finding, and it alone
	is "$(json)" "$1 1" "$3: found"
	like "$(jq -r '.findings[0].where' "$lab_dir/doctor.json")" "$2" "$3: and where"
}
mends() {	# WHAT [SED]: the command that was named, changed by SED, takes the fault away
	local command

	command=$(jq -r '.findings[0].command' "$lab_dir/doctor.json" | sed "${2:-}")
	in_router env PATH="$lab_dir/bin:$PATH" sh -c "$command" >"$lab_dir/mend.log" 2>&1
	silent "$1: \`$command\` mends it"
}
in_mounts() {	# SCRIPT: doctor's answer in a mount namespace that the script changes first
	in_router unshare -m sh -c "$1; shift 0; exec \"\$@\"" sh "$NFQCTL" -s "$lab_dir/control.sock" doctor \
		-c "${conf:-$lab_dir/nfqd.yaml}" --json | jq -r '.findings[] | "\(.check): \(.where)"'
}

lab_up plain || bail "lab: $(cat "$lab_dir/up.log")"
cc -shared -fPIC -o "$lab_dir/clock.so" tests/lib/clock.c -ldl || bail "no compiler"
mkdir "$lab_dir/bin"
printf '#!/bin/sh\nexec "%s" -s "%s" "$@"\n' "$(realpath "$NFQCTL")" "$lab_dir/control.sock" >"$lab_dir/bin/nfqctl"
chmod +x "$lab_dir/bin/nfqctl"
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
silent "a clean router"
is "$(json) $(jq -c . "$lab_dir/doctor.json")" '0 {"schema":1,"findings":[]}' "for programs, too"

# ---- other programs' rules: those of status, with the command ----

# What well-known programs set up, in their words: none of it clashes with nfqd but zapret's own queue, which is named.
others() {	# IPTABLES
	r $1 -w -t raw -N cali-OUTPUT
	r $1 -w -t raw -A OUTPUT -j cali-OUTPUT
	r $1 -w -t raw -A cali-OUTPUT -j MARK --set-xmark 0x0/0xf0000
	silent "$1: Calico clears its bits of the mark"
	r $1 -w -t raw -F
	r $1 -w -t raw -X cali-OUTPUT
	for i in PREROUTING OUTPUT; do
		r $1 -w -t mangle -A $i -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
		r $1 -w -t mangle -A $i -m mark --mark 0x0/0x3f00 -j MARK --set-xmark 0x100/0x3f00
		r $1 -w -t mangle -A $i -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
	done
	r ip rule add fwmark 0x100/0x3f00 lookup 1 priority 2001
	silent "$1: mwan3's marks and routing rules"
	r ip rule del priority 2001
	r $1 -w -t mangle -F
	r $1 -w -A FORWARD -i tailscale0 -j MARK --set-xmark 0x40000/0xff0000
	r ip rule add fwmark 0x80000/0xff0000 lookup main priority 5210
	silent "$1: Tailscale's"
	r ip rule del priority 5210
	r $1 -w -F FORWARD
	r $1 -w -t mangle -A POSTROUTING -p tcp --dport 443 -m mark ! --mark 0x40000000/0x40000000 -j NFQUEUE --queue-num 200 --queue-bypass
	found other-queue 'chain POSTROUTING, rule 1 \(NFQUEUE\)$' "$1: zapret's queue"
	mends "$1: zapret's queue"
}
mullvad() {
	r nft 'table inet mullvad {
		chain output { type filter hook output priority filter; ct mark 0x00000f41 accept; };
		chain mangle { type route hook output priority mangle; meta skuid 4711 ct mark set 0x00000f41 meta mark set 0x6d6f6c65; };
	}'
	r ip rule add not fwmark 0x6d6f6c65 lookup 1836018789 priority 5000
	silent "Mullvad's marks and routing rule"
	r ip rule del priority 5000
	r nft delete table inet mullvad
}

r nft 'table inet theirs { chain c { type filter hook prerouting priority raw; tcp dport 80 accept; tcp dport 443 notrack; }; }'
found notrack '^table inet theirs, chain c, rule 2$' "nft: notrack"
like "$(doctor)" "^notrack
  table inet theirs, chain c, rule 2 takes .*
  cure: leave ports .*
  \\\$ nft delete rule inet theirs c handle [0-9]+\$" "nft: notrack: in words"
is "$(doctor | awk 'length > 80 && !/^  \$/' | wc -l)" 0 "no line but a command is longer than 80 columns"
mends "nft: notrack"
r nft delete table inet theirs
r nft 'table inet theirs { chain o { type filter hook output priority filter; policy drop; oif lo accept; }; }'
found output-policy '^table inet theirs, chain o$' "nft: an OUTPUT policy"
mends "nft: an OUTPUT policy"
r nft delete table inet theirs
r nft 'table inet theirs { chain c { type filter hook forward priority filter; ct label set 5; ct label set 101; }; }'
found labels '^table inet theirs, chain c, rule 2$' "nft: labels"
mends "nft: labels"
r nft delete table inet theirs
for flavour in legacy nft; do
	xt="iptables-$flavour"
	r $xt -w -t raw -A PREROUTING -p tcp --dport 22 -j ACCEPT
	r $xt -w -t raw -A PREROUTING -p tcp --dport 443 -j CT --notrack
	found notrack "table .*raw, chain PREROUTING, rule 2 " "$xt: notrack"
	mends "$xt: notrack"
	r $xt -w -t raw -F
	r $xt -w -P OUTPUT DROP
	found output-policy 'chain OUTPUT$' "$xt: an OUTPUT policy"
	mends "$xt: an OUTPUT policy"
	r $xt -w -F OUTPUT
	r $xt -w -P OUTPUT ACCEPT
	r $xt -w -N DOCKER-USER
	r $xt -w -A FORWARD -j DOCKER-USER
	r $xt -w -A DOCKER-USER -j RETURN
	silent "$xt: docker that lets others pass"
	r $xt -w -P FORWARD DROP
	found docker-forward 'chain FORWARD$' "$xt: docker's FORWARD"
	mends "$xt: docker's FORWARD" "s/^iptables /$xt /; s/LAN/lan0/"
	r $xt -w -P FORWARD ACCEPT
	r $xt -w -F FORWARD
	r $xt -w -F DOCKER-USER
	r $xt -w -X DOCKER-USER
	r $xt -w -t raw -A OUTPUT -p udp --dport 500 -j MARK --set-mark 10
	found output-marks "table .*raw, chain OUTPUT, rule 1 \(MARK\)\$" "$xt: a mark without a mask, in front"
	mends "$xt: a mark without a mask, in front"
	others "$xt"
done
mullvad
ip -n "$LAB_ROUTER" link add br0 type bridge
for i in port0 port1; do
	ip -n "$LAB_ROUTER" link add "$i" type veth peer name "far-$i"
	ip -n "$LAB_ROUTER" link set "$i" master br0
done
r sysctl -qw net.bridge.bridge-nf-call-iptables=0
found bridge '^br0$' "a bridge that no rule sees"
mends "a bridge that no rule sees"
for i in port0 port1 br0; do ip -n "$LAB_ROUTER" link del "$i"; done

# ---- what the daemon says of itself ----

nfqd_ctl mode log >/dev/null
found mode nfqd "the mode"
mends "the mode"
sed -i 's/^mode: .*/mode: enfroce/' "$lab_dir/nfqd.yaml"
nfqd_ctl reload 2>/dev/null
sed 's/enfroce/enforce/' "$lab_dir/nfqd.yaml" >"$lab_dir/good.yaml"
conf=$lab_dir/good.yaml
found reload 'nfqd\.yaml:1:.*enfroce' "a reload that failed"
cp "$lab_dir/good.yaml" "$lab_dir/nfqd.yaml"
mends "a reload that failed"

# ---- the configuration, what it names, and the machine's own questions ----

conf 's/^mode: .*/mode: enfroce/'
found configuration 'faulty\.yaml:1:.*enfroce' "a configuration with a mistake"
sed 's/^expires: .*/expires: 2026-01-01/; s/^version: .*/version: 2025.12.1.1/' rules/kaspersky.yaml >"$lab_dir/old.yaml"
conf "s,^rules:.*,rules: [$lab_dir/old.yaml],"
found pack-expired '^pack kaspersky 2025\.12\.1\.1 \(until 2026-01-01\)$' "a pack that has expired"
conf '$a update: {keys: [RWSS7Am6kKPWXbXJG8ghmJbTGXkvVaoBzJOY5x4mzRm1UVfkxCEVmwqh]}'
found pack-unsigned 'rules/kaspersky\.yaml$' "a pack without a signature"
conf "s,path: .*eve,path: $lab_dir/not/there/eve,"
found folder "^$lab_dir/not/there\$" "a folder that is not there"
mends "a folder that is not there"
conf "s,path: .*eve,path: $lab_dir/full/eve,"
mkdir "$lab_dir/full"
is "$(in_mounts "mount -t tmpfs -o ro none $lab_dir/full")" "folder: $lab_dir/full (read-only)" "a folder that is read-only"
is "$(in_mounts "mount -t tmpfs -o size=4m none $lab_dir/full")" "space: $lab_dir/full (4 MB left)" "a disk that is nearly full"
cores=$(getconf _NPROCESSORS_ONLN)
if [ "$cores" -lt 16 ]; then
	conf "\$a inspect: {queues: $((cores + 1))}"
	found queue-threads "^$((cores + 1)) queue threads on $cores cores\$" "more queues than cores"
fi
conf=
lab_spawn dot "$LAB_ROUTER" "$LAB_PYTHON" -uc '
import socket, time
s = socket.create_connection(("8.8.8.8", 853))
print("connected")
time.sleep(600)'
ok "a resolver asks over TLS" lab_wait 10 grep -q connected "$lab_dir/dot.log"
found dns-over-tls 'program of this host' "questions over TLS"
lab_end dot
silent "and when it has ended"
echo "nameserver 10.2.0.1" >"$lab_dir/resolv.conf"
is "$(in_mounts "mount --bind $lab_dir/resolv.conf /etc/resolv.conf")" "resolver-order: 10.2.0.1" "a first resolver that is not there"
echo "nameserver 127.0.0.1" >"$lab_dir/resolv.conf"
is "$(in_mounts "mount --bind $lab_dir/resolv.conf /etc/resolv.conf")" "" "and one that is"
"$LAB_PYTHON" -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("=q", -9999 * 86400))' >"$lab_dir/clock"
like "$(in_router env LD_PRELOAD="$(sanitizer_runtime) $lab_dir/clock.so" CLOCK_FILE="$lab_dir/clock" \
	"$NFQCTL" -s "$lab_dir/control.sock" doctor \
	-c "$lab_dir/nfqd.yaml")" "^clock
  [12][0-9]+-.*which is before the packs.*cure: set the clock
  \\\$ timedatectl" "a clock that is wrong"

# ---- the kernel's tables and queues ----

in_client dig +time=1 +tries=1 www.example.org @8.8.8.8 >/dev/null
in_client dig +time=1 +tries=1 www.example.org @1.1.1.1 >/dev/null
echo 2 >"$lab_dir/max"
like "$(in_mounts "mount --bind $lab_dir/max /proc/sys/net/netfilter/nf_conntrack_max")" \
	'^conntrack-fill: the connection table \([0-9]+ of 2\)$' "a connection table that is full"
like "$(unshare -Urn "$NFQCTL" -s "$lab_dir/none.sock" doctor --json | jq -r '.findings[] | "\(.check): \(.where)"')" \
	'receive-buffer: [0-9]+ KiB of 16384 KiB' "a receive buffer that may not be large"
r ip rule add fwmark 0x1 lookup 100 priority 50
silent "a routing rule by mark"
like "$(in_router env NFQD_STEER=mark "$NFQCTL" -s "$lab_dir/control.sock" doctor -c "$lab_dir/nfqd.yaml" --json |
	jq -r '.findings[] | [.check, .where, .command] | join(": ")')" \
	'^fwmark: ip -4 rule, priority 50 \(fwmark 0x1\): ip -4 rule del priority 50$' "but where verdicts travel in the mark"
r ip rule del priority 50
nfqd_stop
nfqd_start enforce closed || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
overrun() {	# a worker that stands still for two seconds, and a listed name, which is queued in any case; a slow machine may need more than one
	kill -STOP "$(nfqd_worker)"
	in_client "$LAB_PYTHON" -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
for i in range(20000):
    s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\3s07\3upd\11kaspersky\3com\0\0\1\0\1", ("8.8.8.8", 53))'
	[[ $(json) =~ ^queue-overrun ]]
}
ok "a queue that was overrun: found" lab_wait 60 overrun
like "$(jq -r '.findings[0].where' "$lab_dir/doctor.json")" '^[0-9]+ packets$' "a queue that was overrun: how far"
nfqd_stop

# ---- no daemon ----

found daemon 'control\.sock$' "no daemon"
conf '$a inspect: {queue-num: 77}'
lab_spawn theirs "$LAB_ROUTER" "$LAB_PYTHON" tests/lib/verdict.py bind sleep 600
ok "another program reads the queue" lab_wait 10 in_router grep -q '^ *77 ' /proc/net/netfilter/nfnetlink_queue
is "$(json) $(jq -r '.findings[1] | [.where, .command] | @csv' "$lab_dir/doctor.json")" \
	"daemon queue-taken 1 \"sleep (queue 77, netlink port ${lab_pid[theirs]})\",\"kill ${lab_pid[theirs]}\"" "a queue that another program has"
lab_end theirs
conf=
like "$(in_router env NFQD_STEER=none "$NFQCTL" -s "$lab_dir/control.sock" doctor -c "$lab_dir/nfqd.yaml" --json |
	jq -r '.findings[] | [.check, .where, .command] | join(": ")')" \
	'kernel: this kernel cannot queue packets.*: modprobe -a .*nfnetlink_queue' "a kernel that cannot queue"
cp "$NFQCTL" "$lab_dir/nfqctl"
nfqd_start || bail "nfqd does not start"
like "$(in_router setpriv --reuid=65534 --regid=65534 --clear-groups "$lab_dir/nfqctl" -s "$lab_dir/control.sock" doctor --json |
	jq -r '.findings[].check' | paste -sd' ')" '^rights .*unreadable' "who may not ask is told so"
nfqd_stop
is $? 0 "nfqd stops"

# each check has its row here or in 55-checks.t
for id in $(sed -n 's/^\t\[FACT_[A-Z_]*\] = { "\([a-z-]*\)",.*/\1/p' nfqd/parent/checks.c); do
	grep -qwe "$id" tests/kernel/55-checks.t "${BASH_SOURCE[0]}" || echo "$id"
done >"$lab_dir/untested"
is "$(cat "$lab_dir/untested")" "" "no check is without a test"
done_testing

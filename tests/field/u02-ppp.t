#!/bin/bash
# Stands for opnsense#9398 and freifunk bbb-configs#148: clients come in by a link without MAC addresses (PPP, tun).
# Refusals reach them by the routes, and where only an iif rule leads back, by that link alone.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"
[ -e /dev/net/tun ] || skip_all "no /dev/net/tun"

ppp() {
	lab_spawn ppp "$LAB_CLIENT" "$LAB_PYTHON" -u -c '
import ctypes, fcntl, os, select, struct, sys
libc, ends = ctypes.CDLL(None), []
for netns in sys.argv[1:]:
    assert libc.setns(os.open("/run/netns/" + netns, os.O_RDONLY), 0) == 0
    t = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(t, 0x400454ca, struct.pack("16sH22x", b"ppp0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    ends.append(t)
print("up")
while True:
    for t in select.select(ends, [], [])[0]:
        try:
            os.write(ends[1 - ends.index(t)], os.read(t, 65536))
        except OSError:
            pass' "$LAB_CLIENT" "$LAB_ROUTER"
	lab_wait 5 grep -q up "$lab_dir/ppp.log" &&
		ip -n "$LAB_CLIENT" addr add 10.9.0.2 peer 10.9.0.1 dev ppp0 && ip -n "$LAB_CLIENT" link set ppp0 up mtu 1492 &&
		ip -n "$LAB_ROUTER" addr add 10.9.0.1 peer 10.9.0.2 dev ppp0 && ip -n "$LAB_ROUTER" link set ppp0 up mtu 1492 &&
		ip -n "$LAB_CLIENT" route replace default dev ppp0 && ip -n "$LAB_SERVER" route add 10.9.0.2 via 10.2.0.1
}

field_up plain
ppp || bail "no link: $(cat "$lab_dir/ppp.log")"
field_nfqd
field_refused 4 "PPP"
ip -n "$LAB_ROUTER" route add 10.9.0.2 dev ppp0 table 77
ip -n "$LAB_ROUTER" rule add iif wan0 table 77 pref 50
ip -n "$LAB_ROUTER" route del 10.9.0.2 dev ppp0
lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.ppp0.rp_filter=0
field_refused 4 "PPP, the way back by an iif rule"
is "$(field_counter answers_failed)" 0 "no answer was lost"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

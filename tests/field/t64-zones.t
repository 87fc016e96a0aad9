#!/bin/bash
# Stands for OpenStack, metal-stack#223 and VyOS#4876: two tenants with the same addresses in conntrack zones
# ask the same server from the same port, one for a listed name.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/lib/field.sh
need ip nft iptables-legacy dig dnsmasq unbound nginx curl jq openssl "$LAB_PYTHON"

OTHER=nfqd-$$-tenant	# the client's twin
in_other() { ip netns exec "$OTHER" "$@"; }
twin_down() { ip netns del "$OTHER" 2>/dev/null; lab_exit; }
trap twin_down EXIT

xt() { in_router iptables-legacy -t "$@"; }

twin() {
	lab_netns "$OTHER" &&
		ip link add eth0 netns "$OTHER" type veth peer name lan1 netns "$LAB_ROUTER" &&
		ip -n "$OTHER" addr add 10.1.0.2/24 dev eth0 && ip -n "$OTHER" link set eth0 up &&
		ip -n "$LAB_ROUTER" link set lan1 up && ip -n "$LAB_ROUTER" addr add 10.1.0.1/32 dev lan1 &&
		ip -n "$OTHER" route add default via 10.1.0.1 &&
		ip -n "$LAB_ROUTER" route add 10.1.0.2/32 dev lan1 table 12 &&
		ip -n "$LAB_ROUTER" rule add fwmark 12/0xff table 12 pref 5 &&
		xt raw -A PREROUTING -i lan0 -j CT --zone-orig 1 &&
		xt raw -A PREROUTING -i lan1 -j CT --zone-orig 2 &&
		xt mangle -A PREROUTING -i lan0 -j CONNMARK --set-xmark 11/0xff &&
		xt mangle -A PREROUTING -i lan1 -j CONNMARK --set-xmark 12/0xff &&
		xt mangle -A PREROUTING -i wan0 -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff &&
		lab_sysctl "$LAB_ROUTER" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lan0.rp_filter=0 \
			net.ipv4.conf.lan1.rp_filter=0 &&
		lab_wait 5 in_other bash -c ': </dev/tcp/9.9.9.9/53'
}

# What becomes of a hello on a connection that both tenants have open at the same time.
hello() {	# in_client|in_other NAME
	"$1" "$LAB_PYTHON" - "$2" "${LAB_WEB[4]}" <<-'END'
		import random, socket, sys
		sys.path.insert(0, "tests/lib")
		from hello import client_hello
		with socket.socket() as s:
		    s.settimeout(4)
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    s.bind(("", 45678))
		    try:
		        s.connect((sys.argv[2], 443))
		        s.sendall(client_hello(random.Random(1), sys.argv[1]))
		        print("data" if s.recv(99) else "end")
		    except ConnectionResetError:
		        print("reset")
		    except OSError as e:
		        print(e)
	END
}

both() {	# CLIENT'S-NAME TWIN'S-NAME
	hello in_client "$1" >"$lab_dir/client.said" &
	hello in_other "$2" >"$lab_dir/twin.said"
	wait $!
	echo "$(cat "$lab_dir/client.said") $(cat "$lab_dir/twin.said")"
}

field_up masquerade
twin || bail "no second tenant"
field_nfqd
is "$(both $FIELD_OPEN $FIELD_TLS)" "data reset" "the second tenant's listed hello is refused, the first one's is not"
is "$(both $FIELD_TLS $FIELD_OPEN)" "reset data" "and the other way round"
for i in 1 2 3 4 5; do both $FIELD_TLS $FIELD_OPEN; done >"$lab_dir/rounds"
is "$(sort "$lab_dir/rounds" | uniq -c | xargs)" "5 reset data" "five times: no tenant's decision is taken for the other's"
FIELD_CLIENT=in_other
field_refused 4 "the second tenant"
FIELD_CLIENT=in_client
field_refused 4 "the first tenant"
nfqd_stop
is $? 0 "nfqd stops"
done_testing

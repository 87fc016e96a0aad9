#!/bin/busybox sh
# Process 1 of the guest that run.t boots: client - router (this namespace) -
# server, nfqd on the router, results as "TAP …" lines on the console.
# No module is loaded here by name: nft and nfqd must get theirs from the kernel's
# own loading on demand, as on any Debian machine.
# shellcheck shell=dash

/bin/busybox --install -s /bin
/bin/busybox ln -sf ../bin/busybox /sbin/modprobe
export PATH=/usr/sbin:/sbin:/usr/bin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
exec </dev/null >/dev/console 2>&1
dmesg -n 1                              # no kernel line in the middle of one of ours

CLIENT=10.77.0.2 ROUTER_IN=10.77.0.1
SERVER=198.51.100.2 SERVER2=198.51.100.3 ROUTER_OUT=198.51.100.1
LISTED_DNS=s07.upd.kaspersky.com
LISTED_TLS=activation-v2.kaspersky.com
UNLISTED=www.example.net
QUEUE_RULE='queue (flags [a-z,]+ )?(to|num) [0-9]'
rows=0 failures=0

ip() { /usr/sbin/ip "$@"; }             # busybox has an applet of that name
in_client() { ip netns exec client "$@"; }
in_server() { ip netns exec server "$@"; }
note() { sed 's/^/TAP # /' | cut -c 1-300; }
uptime_cs() { tr -d . </proc/uptime | cut -d ' ' -f 1; }

# check DESCRIPTION COMMAND...: one row; on failure what the command printed.
check() {
	local what="$1"
	shift
	rows=$((rows + 1))
	if "$@" >/tmp/check.out 2>&1; then
		echo "TAP ok - $what"
		return 0
	fi
	echo "TAP not ok - $what"
	failures=$((failures + 1))
	note </tmp/check.out
	return 1
}

# poll SECONDS COMMAND...: until it succeeds, at most that long.
poll() {
	local end
	end=$(($(uptime_cs) + $1 * 100))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(uptime_cs)" -lt "$end" ] || return 1
		usleep 50000
	done
}

finish() {
	echo "TAP # guest: up $(cut -d ' ' -f 1 /proc/uptime) s at the end"
	echo "TAP end $rows"
	poweroff -f
	exec sleep 60
}

# ---- the network

network() {
	set -e
	ip link set lo up
	ip netns add client
	ip netns add server
	ip link add lan type veth peer name eth0 netns client
	ip link add wan type veth peer name eth0 netns server
	ip addr add $ROUTER_IN/24 dev lan
	ip addr add $ROUTER_OUT/24 dev wan
	ip link set lan up
	ip link set wan up
	ip route add default via $SERVER
	ip -n client addr add $CLIENT/24 dev eth0
	ip -n client link set lo up
	ip -n client link set eth0 up
	ip -n client route add default via $ROUTER_IN
	ip -n server addr add $SERVER/24 dev eth0
	ip -n server addr add $SERVER2/24 dev eth0
	ip -n server link set lo up
	ip -n server link set eth0 up
	echo 1 >/proc/sys/net/ipv4/ip_forward
	nft -f - <<-END
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat;
			oifname "wan" masquerade
		}
	}
	END
	# a reset connection's entry is looked at later, which takes a slow guest more than its ten seconds
	echo 120 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close
}

listening() { in_server netstat -ln | grep "^$1" | grep -q "$2 "; }

# One connection at a time each: the second one serves while the first may hang.
tls_server() {
	in_server openssl s_server -accept "$1:443" -cert /etc/cert.pem -key /etc/key.pem -www -quiet \
		>"/tmp/s_server.$1" 2>&1 &
}

servers() {
	in_server dnsmasq --conf-file=/dev/null --keep-in-foreground --user=root --pid-file= \
		--no-resolv --no-hosts --address=/#/$SERVER >/tmp/dnsmasq.log 2>&1 &
	tls_server $SERVER
	tls_server $SERVER2
	poll 30 listening udp :53 && poll 30 listening tcp $SERVER:443 && poll 30 listening tcp $SERVER2:443 && return
	in_server netstat -ln
	cat /tmp/dnsmasq.log /tmp/s_server.*
	return 1
}

# ---- what the client does

ask() { in_client dig +tries=1 +time=10 "@$SERVER" "$1" A; }

answered() {
	ask "$1" >/tmp/dig.out 2>&1
	cat /tmp/dig.out
	grep -q 'status: NOERROR' /tmp/dig.out && grep -Eq "[[:space:]]A[[:space:]]+$SERVER\$" /tmp/dig.out
}

blocked_name() {
	ask "$1" >/tmp/dig.out 2>&1
	cat /tmp/dig.out
	grep -q 'status: NXDOMAIN' /tmp/dig.out && grep -q 'EDE: 15' /tmp/dig.out
}

fetch() {                               # NAME SERVER
	in_client curl -k -s -S -m 20 -o /tmp/page -w 'status %{http_code} after %{time_total} s\n' \
		--resolve "$1:443:$2" "https://$1/"
}

fetched() {
	rm -f /tmp/page
	fetch "$1" "$2" && grep -q 'Ciphers supported' /tmp/page
}

# A reset (a hanging client would end with 28 after 20 s).
reset() {
	local from rc=0
	from=$(uptime_cs)
	fetch "$1" $SERVER || rc=$?
	echo "curl ended with $rc after $(($(uptime_cs) - from)) cs"
	[ $rc -eq 35 ] || [ $rc -eq 56 ]
}

no_connection() { ! in_server netstat -nt | grep "$SERVER:443 " | grep -E 'ESTABLISHED|CLOSE_WAIT'; }

server_free() {
	poll 5 no_connection && return
	in_server netstat -nt
	return 1
}

# ---- nfqd

# Its exit status goes to a file, so that waiting for it can be bounded.
start_nfqd() {
	mkdir -p /run/nfqd /var/log/nfqd /var/lib/nfqd
	chown nfqd:nfqd /run/nfqd /var/log/nfqd /var/lib/nfqd
	rm -f /tmp/nfqd.rc
	(
		sh -c 'echo $$ >/tmp/nfqd.pid; exec nfqd -c /etc/nfqd.yaml' >/tmp/nfqd.out 2>/tmp/nfqd.err
		echo $? >/tmp/nfqd.rc
	) &
	poll 180 ready_or_gone
	cat /tmp/nfqd.err
	grep -q '^nfqd: ready' /tmp/nfqd.err && [ ! -e /tmp/nfqd.rc ]
}

ready_or_gone() { [ -s /tmp/nfqd.rc ] || grep -q '^nfqd: ready' /tmp/nfqd.err; }

stop_nfqd() {
	kill -TERM "$(cat /tmp/nfqd.pid)"
	poll 30 test -s /tmp/nfqd.rc || { echo "still running after 30 s"; return 1; }
	echo "nfqd ended with $(cat /tmp/nfqd.rc)"
	tail -n 5 /tmp/nfqd.err
	[ "$(cat /tmp/nfqd.rc)" = 0 ]
}

queue_rules() {
	nft list table inet nfqd >/tmp/table 2>&1
	cat /tmp/table
	grep -Eq "$QUEUE_RULE" /tmp/table
}

bound() { cat /proc/net/netfilter/nfnetlink_queue && grep -q . /proc/net/netfilter/nfnetlink_queue; }

no_table() {
	nft list tables >/tmp/tables || return 1
	cat /tmp/tables
	grep -q 'table ip nat' /tmp/tables && ! grep -q 'inet nfqd' /tmp/tables
}

# What conntrack knows, with the labels that connlabel.conf names.
entries() {
	mkdir -p /etc/xtables
	printf '%s\n' '122 allowed' '123 rejected' '127 decided' >/etc/xtables/connlabel.conf
	conntrack -L -o labels 2>/dev/null >/tmp/ct
	cat /tmp/ct
}

labelled() { entries && grep -q "labels=.*$1" /tmp/ct; }
unlabelled() { entries && grep -q . /tmp/ct && ! grep -q 'labels=.*[a-z]' /tmp/ct; }
no_mark() { entries && grep -q 'mark=0 ' /tmp/ct && ! grep 'mark=[1-9]' /tmp/ct; }
status_says() { nfqctl status >/tmp/status; cat /tmp/status; grep -q "$1" /tmp/status; }

saved_ruleset_loads() {
	nft list ruleset >/tmp/ruleset && nft -c -f /tmp/ruleset
}

# The ruleset as another run of nfqd would have left it in a file: as many rules, other tokens.
stale_ruleset_loads() {
	{
		echo 'flush ruleset'
		sed 's/priority & 0xfff00000 == 0x[0-9a-f]*/priority \& 0xfff00000 == 0x12300000/' /tmp/ruleset
	} >/tmp/stale && nft -f /tmp/stale
}

# ---- flow offload

flowtable() {
	nft -f - <<-END
	table inet ft {
		flowtable f {
			hook ingress priority 0
			devices = { lan, wan }
		}
		chain forward {
			type filter hook forward priority 0; policy accept;
			ip protocol { tcp, udp } flow add @f
		}
	}
	END
}

no_flowtable() { nft delete table inet ft; }
# A connection that stays open for a while after its hello.
offloaded() {
	sleep 25 | in_client openssl s_client -connect $SERVER2:443 -servername $UNLISTED >/dev/null 2>&1 &
	poll 20 eval 'conntrack -L 2>/dev/null | grep -q OFFLOAD' || { conntrack -L; return 1; }
}

# A server that speaks first, on port 853, is heard once its client's bare ACK is let go. How long that takes is only
# told: this guest's clock runs as its host lets it.
speaks_first() {
	local from
	in_server nc -ll -p 853 -e /bin/echo SSH-2.0-test 2>/tmp/nc.err &
	poll 5 listening tcp :853 || { cat /tmp/nc.err; return 1; }
	from=$(uptime_cs)
	: >/tmp/banner
	sleep 60 | in_client nc $SERVER 853 >/tmp/banner 2>/dev/null &
	poll 50 grep -q SSH /tmp/banner
	echo "TAP # the banner came after $(($(uptime_cs) - from)) cs" >/dev/console
	grep -q SSH /tmp/banner
}

said_flowtable() { poll 40 grep -q 'flow offload: flowtable inet ft f' /tmp/nfqd.err || { tail -n 5 /tmp/nfqd.err; return 1; }; }

# With inspect.offload: refuse-start it ends, says why, and leaves no table.
refuses_to_start() {
	sed 's/^inspect: .*/inspect: {offload: refuse-start}/' /etc/nfqd.yaml >/tmp/refuse.yaml
	timeout 60 nfqd -c /tmp/refuse.yaml >/tmp/refuse.out 2>&1
	echo "nfqd ended with $?" >>/tmp/refuse.out
	cat /tmp/refuse.out
	grep -q '^nfqd ended with 1' /tmp/refuse.out && no_table &&
		grep -q 'flow offload: flowtable inet ft f takes connections past nfqd (inspect.offload: refuse-start)' /tmp/refuse.out
}

offload_cases() {
	check 'a flowtable loads' flowtable || return
	check 'nfqd says so' said_flowtable
	check "flowtable: TLS to a listed name is reset" reset $LISTED_TLS
	check "flowtable: TLS to an unlisted name gets through" fetched $UNLISTED $SERVER2
	check "flowtable: a decided connection is offloaded" offloaded
	check "flowtable: a listed name is answered with NXDOMAIN" blocked_name $LISTED_DNS
	check "flowtable: a server that speaks first is heard" speaks_first
	check "flowtable: what was let go is counted" poll 20 status_says '[1-9][0-9]* connections let go UNINSPECTED'
	check 'nfqd ends' stop_nfqd
	check 'refuse-start: nfqd does not start beside the flowtable' refuses_to_start
	check 'nfqd starts beside the flowtable' start_nfqd
	check "flowtable first: TLS to a listed name is reset" reset $LISTED_TLS
	check "flowtable first: TLS to an unlisted name gets through" fetched $UNLISTED $SERVER2
	check 'the flowtable goes' no_flowtable
}

# ---- a VRF whose clients' answers only an iif rule brings back

vrf() {
	set -e
	ip link add vrf1 type vrf table 77
	ip link set vrf1 up
	ip link set lan master vrf1
	ip addr replace $ROUTER_IN/24 dev lan
	ip route add 198.51.100.0/24 dev wan table 77
	ip rule add iif wan lookup 77 pref 10
	ip neigh flush dev lan
}

no_vrf() {
	ip link set lan nomaster && ip link del vrf1 && ip rule del pref 10 && ip addr replace $ROUTER_IN/24 dev lan
}

vrf_cases() {
	check 'a VRF' eval '(vrf)' || return
	check "VRF: an unlisted name is answered" poll 20 answered $UNLISTED
	check "VRF: a listed name is answered with NXDOMAIN" blocked_name $LISTED_DNS
	check "VRF: TLS to a listed name is reset" reset $LISTED_TLS
	check "VRF: TLS to an unlisted name gets through" fetched $UNLISTED $SERVER2
	check "VRF: it is said" status_says 'check vrf: vrf1'
	check 'the VRF goes' no_vrf
}

# ---- IPsec between client and router, in tunnel mode

association() {                         # WHERE... SOURCE DESTINATION SPI
	"$1" ip xfrm state add src "$2" dst "$3" proto esp spi "$4" reqid 1 mode tunnel \
		auth-trunc 'hmac(sha256)' 0x$KEY 128 enc 'cbc(aes)' 0x$KEY
}

policy() {                              # WHERE SOURCE DESTINATION DIRECTION FROM TO
	"$1" ip xfrm policy add src "$2" dst "$3" dir "$4" tmpl src "$5" dst "$6" proto esp reqid 1 mode tunnel
}

here() { "$@"; }

KEY=00000000000000000000000000000000000000000000000000000000000000ab

ipsec() {
	local where
	for where in in_client here; do
		association $where $CLIENT $ROUTER_IN 0x101 && association $where $ROUTER_IN $CLIENT 0x102 || return
	done
	policy in_client $CLIENT 198.51.100.0/24 out $CLIENT $ROUTER_IN &&
		policy in_client 198.51.100.0/24 $CLIENT in $ROUTER_IN $CLIENT &&
		policy here 198.51.100.0/24 $CLIENT out $ROUTER_IN $CLIENT &&
		policy here $CLIENT 198.51.100.0/24 in $CLIENT $ROUTER_IN &&
		policy here $CLIENT 198.51.100.0/24 fwd $CLIENT $ROUTER_IN &&
		in_client nft 'table inet seen {
			counter clear { }
			counter covered { }
			chain pre {
				type filter hook prerouting priority raw
				udp sport 53 meta ipsec missing counter name clear
				udp sport 53 meta ipsec exists counter name covered
				tcp sport { 53, 443 } meta ipsec missing counter name clear
			}
		}'
}

seen() { in_client nft list counter inet seen "$1"; }

no_ipsec() { for where in in_client here; do $where ip xfrm policy flush && $where ip xfrm state flush || return; done; }

ipsec_cases() {
	check 'IPsec between client and router' ipsec || return
	check 'IPsec: an unlisted name is answered' poll 20 answered $UNLISTED
	check 'IPsec: a listed name is answered with NXDOMAIN' blocked_name $LISTED_DNS
	check 'IPsec: TLS to a listed name is reset' reset $LISTED_TLS
	check 'IPsec: TLS to an unlisted name gets through' fetched $UNLISTED $SERVER2
	check 'IPsec: answers came through the tunnel' eval 'seen covered | tee /dev/stderr | grep -q "packets [1-9]"'
	check 'IPsec: and none in clear' eval 'seen clear | tee /dev/stderr | grep -q "packets 0 "'
	check 'IPsec goes' no_ipsec
}

# ---- other queues and traffic classes

other_queue() {
	nft -f - <<-END
	table inet ips {
		chain f { type filter hook forward priority $1; queue flags bypass to 7; }
		chain p { type filter hook prerouting priority $1; queue flags bypass to 7; }
		chain o { type filter hook output priority $1; meta l4proto udp queue flags bypass to 7; }
	}
	END
}

# Verdicts where the upper half of the priority is another's, and the mark, too.
classes() { nft 'table inet classes { chain p { type filter hook prerouting priority raw; iifname "lan" meta priority set 1:10 meta mark set 7; }; }'; }

neighbours_cases() {
	local at
	for at in raw mangle filter; do
		check "another program's queue at priority $at" other_queue $at
		check "beside it a listed name is answered with NXDOMAIN" blocked_name $LISTED_DNS
		check "beside it TLS to a listed name is reset" reset $LISTED_TLS
		check "beside it TLS to an unlisted name gets through" fetched $UNLISTED $SERVER2
		nft delete table inet ips
	done
	check 'every packet has a traffic class and a mark' classes
	check 'classes: a listed name is answered with NXDOMAIN' blocked_name $LISTED_DNS
	check 'classes: TLS to a listed name is reset' reset $LISTED_TLS
	check 'classes: TLS to an unlisted name gets through' fetched $UNLISTED $SERVER2
	nft delete table inet classes
}

# ---- without NFQA_CT, and with the token in the mark

variant_cases() {                       # SWITCHES WHAT-STATUS-SAYS
	check 'nfqd ends' stop_nfqd
	export NFQD_STEER=$1
	check "$1: nfqd starts" start_nfqd
	check "$1: status says so" status_says "$2"
	check "$1: a listed name is answered with NXDOMAIN" blocked_name $LISTED_DNS
	check "$1: TLS to a listed name is reset" reset $LISTED_TLS
	check "$1: the server has heard of it too" server_free
	check "$1: TLS to an unlisted name gets through" fetched $UNLISTED $SERVER2
	unset NFQD_STEER
}

# ---- past the queue: the kernel's verifier, nft_compat and xt_bpf

# Each try asks anew: while nfqd is slow to say that it lives, the programs let nothing pass.
passes_unqueued() {
	answered $UNLISTED && status_says 'prefilter: [1-9][0-9]* questions and [1-9]'
}

prefilter_cases() {
	check 'nfqd ends' stop_nfqd
	sed -i 's/^inspect: {/&prefilter: bpf, /; s/events: all/events: matches/' /etc/nfqd.yaml
	check 'prefilter: nfqd starts' start_nfqd
	check 'prefilter: an unlisted name is answered' poll 20 answered $UNLISTED
	check 'prefilter: question and answer passed in the kernel' poll 20 passes_unqueued
	check 'prefilter: a listed name is answered with NXDOMAIN' blocked_name $LISTED_DNS
	check 'prefilter: TLS to a listed name is reset' reset $LISTED_TLS
	check 'prefilter: TLS to an unlisted name gets through' fetched $UNLISTED $SERVER2
}

nfqd_cases() {
	check 'nfqd says that it is ready' start_nfqd || return
	check 'its table holds queue statements: the nft backend' queue_rules
	check 'a queue is bound' bound
	check 'a listed name is answered with NXDOMAIN and EDE 15' blocked_name $LISTED_DNS
	check 'an unlisted name is answered' answered $UNLISTED
	check 'TLS to a listed name is reset at once' reset $LISTED_TLS
	check 'the server has heard of it too' server_free
	check 'TLS to an unlisted name gets through' fetched $UNLISTED $SERVER2
	check 'an allowed connection carries its label' labelled allowed
	check 'a rejected connection carries its label' labelled rejected
	check 'no connection carries a mark' no_mark
	check 'the state goes with the verdict (NFQA_CT)' status_says 'verdicts with the verdict'
	check 'a saved ruleset loads again' saved_ruleset_loads
	check 'one of another run is loaded while nfqd runs' stale_ruleset_loads
	check 'and gives way' poll 20 status_says 'put back 1 times'
	check 'then TLS to a listed name is reset' reset $LISTED_TLS
	check 'and TLS to an unlisted name gets through' fetched $UNLISTED $SERVER2
	neighbours_cases
	vrf_cases
	ipsec_cases
	offload_cases
	variant_cases repeat 'verdicts priority token'
	variant_cases repeat,mark 'verdicts mark token'
	variant_cases repeat,sets 'states in ct id sets'
	prefilter_cases
	check 'nfqd ends with 0 on SIGTERM' stop_nfqd
	check 'no table of nfqd is left' no_table
	check 'no label is left' unlabelled
	check 'the listed name is answered again' answered $LISTED_DNS
}

what_nfqd_said() {
	head -n 40 /tmp/nfqd.err | sed 's/^/stderr: /' | note
	head -n 20 /tmp/eve.json | sed 's/^/event: /' | note
	cut -d ' ' -f 1 /proc/modules | grep -E '^nf|^veth' | tr '\n' ' ' | sed 's/^/modules: /' | fold -w 250 | note
	echo
}

# Without nfqd: can this kernel do what the nft backend needs?
standin_cases() {
	check 'a table with a queue statement loads' nft -f - <<-END
	table inet nfqd {
		chain c {
			type filter hook prerouting priority mangle - 1;
			udp dport 53 queue flags bypass to 0
			tcp dport 443 queue flags bypass,fanout to 0-1
			ct mark 0x20000000 reject with tcp reset
		}
	}
	END
	check 'it holds queue statements' queue_rules
	check 'a name is answered through the empty queue' answered $LISTED_DNS
	check 'TLS gets through the empty queue' fetched $LISTED_TLS $SERVER
	check 'connections can be listed' no_mark
}

echo "TAP # guest: kernel $(uname -r), up $(cut -d ' ' -f 1 /proc/uptime) s"
check 'client, router and server are connected' eval '(network)' || finish
check 'the servers listen' servers || finish
check 'without nfqd a listed name is answered' answered $LISTED_DNS
check 'without nfqd TLS to a listed name gets through' fetched $LISTED_TLS $SERVER
if [ -x /usr/sbin/nfqd ]; then
	nfqd_cases
	[ $failures -eq 0 ] || what_nfqd_said
else
	standin_cases
fi
finish

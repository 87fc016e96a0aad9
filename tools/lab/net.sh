# shellcheck shell=bash disable=SC2034	# for those who source it
# A throw-away network to try nfqd in: client - router - "internet", three
# network namespaces of our own with real programs in them. To be sourced.
#
#	lab_up masquerade|plain		build it and start the services
#	in_client|in_router|in_server COMMAND...
#	lab_down			end what was started, remove the namespaces (also on exit)
#
#   client 10.1.0.2, fd00:1::2 -- lan0 router wan0 -- 10.2.0.2, fd00:2::2 server
#
# The server owns the addresses of the well-known public resolvers (every name
# gets the web addresses below) and the web servers. Nothing leaves the three
# namespaces, and the machine's own interfaces and firewall are not touched.

LAB_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_CLIENT=nfqd-$$-client LAB_ROUTER=nfqd-$$-router LAB_SERVER=nfqd-$$-server

# What the client and the tests need to know; [4] and [6] are the IP versions.
declare -A LAB_OWN=([4]=10.1.0.1 [6]=fd00:1::1)			# the router's own resolver
declare -A LAB_WAN=([4]=10.2.0.1 [6]=fd00:2::1)			# the router, seen from outside
declare -A LAB_HOST=([4]=10.1.0.2 [6]=fd00:1::2)		# the client
declare -A LAB_WEB=([4]=203.0.113.80 [6]=2001:db8:80::80)	# every web site
declare -A LAB_BARE=([4]=93.191.13.103 [6]=2001:db8:80::103)	# an update source without a name
declare -A LAB_PUBLIC=(
	[4]="8.8.8.8 1.1.1.1 223.6.6.6 9.9.9.9 185.228.168.168"
	[6]="2001:4860:4860::8888 2606:4700:4700::1111 2400:3200::1 2620:fe::9 2a0d:2a00:1::"
)
LAB_BIG=$((100 << 20))						# bytes of the large file
# pyenv and the like put a slow wrapper first in PATH
LAB_PYTHON=$(PATH=/usr/bin:$PATH command -v python3)

lab_dir=			# scratch folder of this run
declare -A lab_pid=()		# name -> process that we started
PATH=$PATH:/usr/sbin:/sbin:$LAB_REPO/build/unpacked/programs	# tools/deps

in_client() { ip netns exec "$LAB_CLIENT" "$@"; }
in_router() { ip netns exec "$LAB_ROUTER" "$@"; }
in_server() { ip netns exec "$LAB_SERVER" "$@"; }

# An address as URLs and curl --resolve want it.
lab_bracket() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }

# ---- waiting: always for something, never for a while ----

lab_now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }

# lab_wait SECONDS COMMAND...: until it succeeds; fails when it does not in time
lab_wait() {
	local end=$(($(lab_now_ms) + $1 * 1000))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(lab_now_ms)" -lt $end ] || return 1
		sleep 0.02
	done
}

lab_alive() { [ -n "${lab_pid[$1]:-}" ] && kill -0 "${lab_pid[$1]}" 2>/dev/null; }
lab_dead() { ! lab_alive "$1"; }
lab_listens() { [ -n "$(ip netns exec "$1" ss -Hln"$2" "sport = :$3")" ]; }	# NETNS t|u PORT

# ---- processes: started by us, ended by their number ----

# lab_spawn NAME NETNS COMMAND...: in the background, output in $lab_dir/NAME.log
lab_spawn() {
	local name=$1 netns=$2

	shift 2
	: >"$lab_dir/$name.log"		# before it is looked into: the child may be late
	ip netns exec "$netns" "$@" >>"$lab_dir/$name.log" 2>&1 </dev/null &
	lab_pid[$name]=$!
}

# lab_end NAME [SIGNAL]: returns the exit status; 137 when it had to be killed
lab_end() {
	local name=$1 pid=${lab_pid[$1]:-} status=0

	[ -n "$pid" ] || return 0
	kill -"${2:-TERM}" "$pid" 2>/dev/null
	lab_wait 10 lab_dead "$name" || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || status=$?
	unset "lab_pid[$name]"
	return $status
}

# ---- the three namespaces ----

lab_sysctl() { ip netns exec "$1" sysctl -qw "${@:2}"; }

lab_netns() {
	ip netns add "$1" &&
		ip -n "$1" link set lo up &&
		lab_sysctl "$1" net.ipv6.conf.all.disable_ipv6=0 \
			net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}

# lab_link NETNS IF ADDRESS4 ADDRESS6 NETNS IF ADDRESS4 ADDRESS6
lab_link() {
	ip link add "$2" netns "$1" type veth peer name "$6" netns "$5" &&
		ip -n "$1" addr add "$3" dev "$2" && ip -n "$1" -6 addr add "$4" dev "$2" nodad &&
		ip -n "$5" addr add "$7" dev "$6" && ip -n "$5" -6 addr add "$8" dev "$6" nodad &&
		# links just made lose the first neighbour solicitations: ask again soon
		lab_sysctl "$1" "net.ipv6.neigh.$2.retrans_time_ms=50" &&
		lab_sysctl "$5" "net.ipv6.neigh.$6.retrans_time_ms=50" &&
		ip -n "$1" link set "$2" up && ip -n "$5" link set "$6" up
}

lab_routes() {
	ip -n "$LAB_CLIENT" route add default via 10.1.0.1 &&
		ip -n "$LAB_CLIENT" -6 route add default via fd00:1::1 &&
		ip -n "$LAB_ROUTER" route add default via 10.2.0.2 &&
		ip -n "$LAB_ROUTER" -6 route add default via fd00:2::2 &&
		lab_sysctl "$LAB_ROUTER" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# With masquerade the server knows no way back to the client's own addresses:
# what escapes translation is lost, as it would be on the real internet.
lab_nat() {
	if [ "$1" = masquerade ]; then
		in_router nft 'table inet lab_nat { chain post {
			type nat hook postrouting priority srcnat
			oifname wan0 masquerade
		}; }'
	else
		ip -n "$LAB_SERVER" route add 10.1.0.0/24 via 10.2.0.1 &&
			ip -n "$LAB_SERVER" -6 route add fd00:1::/64 via fd00:2::1
	fi
}

# The usual ways to make every client use one resolver: none|redirect|dnat
lab_port53() {
	local rule

	in_router nft delete table inet lab_port53 2>/dev/null
	case $1 in
	redirect) rule='iifname lan0 meta l4proto { tcp, udp } th dport 53 redirect to :53' ;;
	dnat)	  rule='iifname lan0 meta l4proto { tcp, udp } th dport 53 meta nfproto ipv4 dnat ip to 9.9.9.9
			iifname lan0 meta l4proto { tcp, udp } th dport 53 meta nfproto ipv6 dnat ip6 to 2620:fe::9' ;;
	*)	  return 0 ;;
	esac
	in_router nft "table inet lab_port53 { chain pre {
		type nat hook prerouting priority dstnat
		$rule
	}; }"
}

# tests/lib/hello.py speaks TCP by itself from ports 61000 up; the client's
# kernel, which knows nothing of those connections, must not reset them.
lab_raw_tcp() {
	in_client nft 'table inet lab_raw { chain out {
		type filter hook output priority 0
		meta mark != 1 tcp sport 61000-65535 tcp flags & rst == rst drop
	}; }'
}

# ---- services ----

# The public resolvers: every name exists. The first one speaks DoH and DoT, too.
lab_unbound_conf() {
	local a first=${LAB_PUBLIC[4]%% *}

	cat <<-END
		server:
			directory: "$lab_dir"
			chroot: ""
			username: ""
			pidfile: ""
			use-syslog: no
			num-threads: 1
			incoming-num-tcp: 500
			so-rcvbuf: 8m
			module-config: "iterator"
			access-control: 0.0.0.0/0 allow
			access-control: ::/0 allow
			https-port: 443
			tls-port: 853
			tls-service-key: "$lab_dir/key.pem"
			tls-service-pem: "$lab_dir/cert.pem"
			local-zone: "test." nodefault
			local-zone: "invalid." nodefault
			local-zone: "." redirect
			local-data: ". 60 A ${LAB_WEB[4]}"
			local-data: ". 60 AAAA ${LAB_WEB[6]}"
			interface: $first@443
			interface: $first@853
	END
	for a in ${LAB_PUBLIC[4]} ${LAB_PUBLIC[6]}; do
		echo "	interface: $a"
	done
}

lab_resolvers() {
	lab_unbound_conf >"$lab_dir/unbound.conf" &&
		lab_spawn internet-dns "$LAB_SERVER" unbound -d -c "$lab_dir/unbound.conf" &&
		lab_spawn own-dns "$LAB_ROUTER" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts \
			--no-resolv --user=root --pid-file= --bind-interfaces --except-interface=none --cache-size=0 \
			--listen-address="${LAB_OWN[4]},${LAB_OWN[6]},127.0.0.1,::1" --server=8.8.8.8 &&
		lab_wait 5 lab_listens "$LAB_SERVER" t 853 && lab_wait 5 lab_listens "$LAB_ROUTER" t 53
}

# Large, mostly holes, but no two regions alike: lost or moved bytes show.
lab_big_file() {
	local i

	truncate -s $LAB_BIG "$1" &&
		for i in {0..40}; do
			printf 'region %d ' "$i" |
				dd of="$1" bs=1 seek=$((i * 2499991)) conv=notrunc status=none
		done
}

lab_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=any.test \
		-keyout "$lab_dir/key.pem" -out "$lab_dir/cert.pem" 2>/dev/null
}

lab_nginx_conf() {
	local kind address listen=''

	for kind in 80 8080 '443 ssl' '8443 ssl'; do
		for address in "${LAB_WEB[4]}" "[${LAB_WEB[6]}]" "${LAB_BARE[4]}" "[${LAB_BARE[6]}]"; do
			listen+="listen $address:$kind; "
		done
	done
	cat <<-END
		daemon off; master_process off; user root; pid nginx.pid; error_log stderr;
		events { worker_connections 4096; }
		http {
			client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
			uwsgi_temp_path uwsgi; scgi_temp_path scgi;
			access_log access.log; default_type text/plain; sendfile on;
			ssl_certificate $lab_dir/cert.pem; ssl_certificate_key $lab_dir/key.pem;
			ssl_protocols TLSv1.2 TLSv1.3; client_max_body_size 0;
			server {
				$listen
				root www;
				location /upload/ { dav_methods PUT; create_full_put_path on; }
				location /big { }
				location / { return 200 "you reached \$host\n"; }
			}
		}
	END
}

lab_web() {
	mkdir -p "$lab_dir/nginx/www/upload" && lab_big_file "$lab_dir/nginx/www/big" &&
		lab_nginx_conf >"$lab_dir/nginx/nginx.conf" &&
		lab_spawn nginx "$LAB_SERVER" nginx -e stderr -p "$lab_dir/nginx/" -c nginx.conf &&
		lab_wait 5 lab_listens "$LAB_SERVER" t 8443
}

# A protocol nobody knows (7000), one where the server speaks first (2222), QUIC's
# port (answers every datagram), and a log-in one does not want to lose: to the
# router itself (22).
lab_sinks() {
	lab_spawn sink "$LAB_SERVER" "$LAB_PYTHON" "$LAB_REPO/tests/lib/sink.py" \
		count:7000 login:2222 "datagram:443@${LAB_WEB[4]}" "datagram:443@${LAB_WEB[6]}" &&
		lab_spawn login "$LAB_ROUTER" "$LAB_PYTHON" "$LAB_REPO/tests/lib/sink.py" login:22 &&
		lab_wait 5 lab_listens "$LAB_SERVER" t 7000 && lab_wait 5 lab_listens "$LAB_ROUTER" t 22
}

# ---- capture on the WAN side ----

lab_capture_on() { grep -q 'listening on' "$lab_dir/capture.log"; }

# lab_capture [FILTER]: from now on into $lab_dir/wan.pcap
lab_capture() {
	lab_spawn capture "$LAB_ROUTER" tcpdump -i wan0 -n -U --immediate-mode -Z root -w "$lab_dir/wan.pcap" "$@" &&
		lab_wait 5 lab_capture_on
}

lab_capture_marker() { [ -n "$(tcpdump -r "$lab_dir/wan.pcap" -n udp dst port 9 2>/dev/null)" ]; }

# Ends when a packet sent last has been written, so that all before it have been.
# Its filter must let UDP port 9 pass.
lab_capture_end() {
	in_router bash -c 'echo end >/dev/udp/10.2.0.2/9'
	lab_wait 5 lab_capture_marker
	lab_end capture INT
}

# lab_captured FILTER: how many packets
lab_captured() { tcpdump -r "$lab_dir/wan.pcap" -n "$@" 2>/dev/null | wc -l; }

# ---- up and down ----

lab_up() {
	[ -n "$lab_dir" ] || lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/nfqd-lab.XXXXXX") || return
	chmod 755 "$lab_dir"
	export LAB_PORTS=$lab_dir/ports
	{
		lab_netns "$LAB_CLIENT" && lab_netns "$LAB_ROUTER" && lab_netns "$LAB_SERVER" &&
			lab_link "$LAB_CLIENT" eth0 10.1.0.2/24 fd00:1::2/64 "$LAB_ROUTER" lan0 10.1.0.1/24 fd00:1::1/64 &&
			lab_link "$LAB_ROUTER" wan0 10.2.0.1/24 fd00:2::1/64 "$LAB_SERVER" eth0 10.2.0.2/24 fd00:2::2/64 &&
			lab_addresses && lab_routes && lab_nat "$1" && lab_raw_tcp &&
			lab_certificate && lab_resolvers && lab_web && lab_sinks && lab_reachable
	} >"$lab_dir/up.log" 2>&1
}

# The first packets through new links may wait for a neighbour; tests shall not.
lab_reachable() {
	lab_wait 5 in_client bash -c ': </dev/tcp/9.9.9.9/53' &&
		lab_wait 5 in_client bash -c ': </dev/tcp/2620:fe::9/53' &&
		lab_wait 5 in_router bash -c ': </dev/tcp/2620:fe::9/53'
}

lab_addresses() {
	local a

	for a in ${LAB_PUBLIC[4]} "${LAB_WEB[4]}" "${LAB_BARE[4]}"; do
		ip -n "$LAB_SERVER" addr add "$a/32" dev lo || return
	done
	for a in ${LAB_PUBLIC[6]} "${LAB_WEB[6]}" "${LAB_BARE[6]}"; do
		ip -n "$LAB_SERVER" -6 addr add "$a/128" dev lo nodad || return
	done
}

lab_down() {
	local name netns pid

	for name in "${!lab_pid[@]}"; do
		kill "${lab_pid[$name]}" 2>/dev/null
	done
	for name in "${!lab_pid[@]}"; do
		lab_end "$name"
	done
	for netns in "$LAB_CLIENT" "$LAB_ROUTER" "$LAB_SERVER"; do
		[ -e "/run/netns/$netns" ] || continue
		# children of what we started; nobody else can be in a namespace of ours
		for pid in $(ip netns pids "$netns"); do
			kill -KILL "$pid" 2>/dev/null
		done
		ip netns del "$netns"
	done
}

lab_exit() {
	lab_down
	[ -z "$lab_dir" ] || [ -n "${LAB_KEEP:-}" ] || rm -rf "$lab_dir"
}
trap lab_exit EXIT
trap 'exit 143' TERM INT HUP

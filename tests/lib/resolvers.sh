# shellcheck shell=bash disable=SC2154	# lab_dir is from net.sh
# Recursive resolvers in the client's namespace, at 127.0.0.1 port 5300, and the internet that they ask from the
# root. To be sourced after field.sh; BIND is unpacked, not installed.

ROOT=192.0.2.1 TLD=192.0.2.2 LEAF=192.0.2.3

resolver_unbound() {	# OPTIONS [SECTIONS]
	cat >"$lab_dir/resolver.conf" <<-END
		server:
			username: ""
			chroot: ""
			directory: "$lab_dir"
			pidfile: ""
			port: 5300
			interface: 127.0.0.1
			do-ip6: no
			module-config: "iterator"
			$1
		remote-control:
			control-enable: no
		${2:-}
	END
	lab_spawn resolver "$LAB_CLIENT" unbound -d -c "$lab_dir/resolver.conf"
}

resolver_bind() {	# OPTIONS
	cat >"$lab_dir/resolver.conf" <<-END
		options { directory "$lab_dir"; listen-on port 5300 { 127.0.0.1; }; listen-on-v6 { none; }; recursion yes;
			dnssec-validation no; pid-file none; session-keyfile none; $1 };
		controls { };
		zone "." { type hint; file "$lab_dir/hints"; };
	END
	lab_spawn resolver "$LAB_CLIENT" named -g -4 -c "$lab_dir/resolver.conf"
}

look_up() { FIELD_CLIENT=in_client field_dns "$1" 127.0.0.1 -p 5300; }
resolves() { [ "$(look_up www.example.org)" = NOERROR ]; }

# Root, top level and leaf servers, and the hints to find them ($lab_dir/hints).
internet_up() {
	local a

	for a in $ROOT $TLD $LEAF; do ip -n "$LAB_SERVER" addr add $a/32 dev lo; done
	printf '. 3600 IN NS ns.root.\nns.root. 3600 IN A %s\n' $ROOT >"$lab_dir/hints"
	lab_spawn internet "$LAB_SERVER" "$LAB_PYTHON" tests/lib/internet.py $ROOT $TLD $LEAF
	lab_wait 5 grep -q ready "$lab_dir/internet.log" || bail "no internet: $(cat "$lab_dir/internet.log")"
}

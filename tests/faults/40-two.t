#!/bin/bash
# Proves: a second nfqd harms the first one in nothing: neither its control socket, nor its state file,
# nor its table; what is no socket of ours is never removed; what a killed run left is taken over.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl "$LAB_PYTHON"

# other FILE SED-SCRIPT: the configuration of a second nfqd
other() { nfqd_conf | sed "s,eve\.json,$1.json,; $2" >"$lab_dir/$1.yaml"; }

# refused TITLE NETNS FILE SAYS
refused() {
	local said status=0

	said=$(ip netns exec "$2" timeout 10 "$NFQD" -c "$lab_dir/$3.yaml" 2>&1) || status=$?
	is $status 1 "$1: refused"
	like "$said" "$4" "$1: the message"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

comment() { in_router nft list table inet nfqd | sed -n 's/^\tcomment "\(.*\)"$/\1/p'; }

control() {
	local before said

	echo precious >"$lab_dir/precious"
	other file "s,control\.sock,precious,"
	refused "an ordinary file in the place of the control socket" "$LAB_ROUTER" file 'precious: a file that is not a socket is in its place'
	is "$(cat "$lab_dir/precious")" precious "the file is still there"
	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	other socket "s,state\.json,socket-state.json,"
	refused "a second nfqd in another namespace, the same control socket" "$LAB_CLIENT" socket 'control\.sock: another nfqd uses it'
	ok "the first one's control socket works" nfqd_ctl status
	other state "s,control\.sock,state.sock,"
	refused "a second nfqd in another namespace, the same state file" "$LAB_CLIENT" state 'state\.json: another nfqd uses it'
	rm "$lab_dir/control.sock.lock"
	refused "the same control socket, whose lock is gone" "$LAB_CLIENT" socket 'control\.sock: another program answers there'
	ok "and the first one's control socket works" nfqd_ctl status
	before=$(nfqd_left)
	other queue "s,state\.json,queue-state.json,; s,control\.sock,queue.sock,; s,^fail:.*,&\ninspect: {queue-num: 100},"
	refused "a second nfqd in the same namespace with other queues" "$LAB_ROUTER" queue 'another nfqd steers the packets of this network namespace'
	is "$(nfqd_left)" "$before" "the table of the first one is untouched"
	ok "and it refuses listed names" refuses
	is "$(comment)" "nfqd, sensor $(jq -r .sensor "$lab_dir/sensor.json"), control $lab_dir/control.sock" "the table says whose it is"
	# a container that shares the network namespace and nothing else
	said=$(in_router unshare -m sh -c 'mount -t tmpfs none /run && exec timeout 10 "$0" -c "$1"' "$NFQD" "$lab_dir/queue.yaml" 2>&1)
	is $? 1 "a second nfqd in the same namespace with another /run: refused"
	like "$said" "another nfqd steers .* control $lab_dir/control\\.sock" "the message says whose table it is"
	is "$(nfqd_left) $(comment)" "$before nfqd, sensor $(jq -r .sensor "$lab_dir/sensor.json"), control $lab_dir/control.sock" "its table is untouched"
	rm "$lab_dir/control.sock"
	echo other >"$lab_dir/control.sock"
	nfqd_stop
	is $? 0 "SIGTERM is obeyed"
	is "$(cat "$lab_dir/control.sock")" other "what another program has put in the socket's place stays there"
	rm "$lab_dir/control.sock"
}

both_answered() { answers && answers s07.upd.kaspersky.com; }
none_answered() { ! answers && ! answers s07.upd.kaspersky.com; }

killed() {
	local worker

	nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"
	worker=$(nfqd_worker)
	{ lab_end nfqd KILL; } 2>/dev/null
	ok "a killed run's worker ends by itself" lab_wait 5 gone "$worker"
	case $LAB_FAIL in
	open) ok "innocent and listed names pass meanwhile" both_answered ;;
	closed) ok "no name passes meanwhile, innocent or listed" none_answered ;;
	esac
	ok "a killed run leaves its socket" [ -S "$lab_dir/control.sock" ]
	nfqd_start
	is $? 0 "the next start takes its place" || diag "$(cat "$lab_dir/nfqd.log")"
	ok "and works" nfqd_ctl status
	{ lab_end nfqd KILL; } 2>/dev/null
	others
	nfqd_stop
}

# What a dead one left is replaced by whoever starts next, also with a configuration of its own. A name that a user
# without privileges has taken keeps nobody from starting.
others() {
	lab_spawn taker "$LAB_ROUTER" setpriv --reuid=65534 --regid=65534 --clear-groups "$LAB_PYTHON" -c 'import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0nfqd-steers")
s.listen()
print("taken", flush=True)
time.sleep(600)'
	lab_wait 10 grep -q taken "$lab_dir/taker.log"
	other next "s,state\.json,next-state.json,; s,control\.sock,next.sock,"
	lab_spawn nfqd "$LAB_ROUTER" "$NFQD" -c "$lab_dir/next.yaml"
	ok "another instance starts after a killed one" lab_wait 15 nfqd_says_ready
	like "$(<"$lab_dir/nfqd.log")" 'is taken \(user 65534' "a user who holds the name of ours in the namespace is told of"
	like "$(comment)" "control $lab_dir/next\.sock" "and the table is the new one's"
	ok "which refuses listed names" lab_wait 10 refuses
	lab_end taker TERM
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
two() {
	control
	killed
}
in_both two
done_testing

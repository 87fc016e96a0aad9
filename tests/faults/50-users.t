#!/bin/bash
# Proves: the worker is a user of its own, so that no other process may stop it, also where the package's
# users are missing; worker and resolver are two users.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
. tests/faults/lib.sh
need ip nft dig dnsmasq unbound nginx jq openssl setpriv mount "$LAB_PYTHON"
unset NFQD_USER

# A user database of ours, seen by what we start in the router alone: ip netns exec has its own mounts.
users() {	# NAME:UID...
	local user

	grep -v '^nfqd' /etc/passwd >"$lab_dir/passwd"
	for user; do
		echo "${user%:*}:x:${user#*:}:65534::/nonexistent:/usr/sbin/nologin" >>"$lab_dir/passwd"
	done
}
# shellcheck disable=SC2016	# for the inner shell
WITH='mount --bind "$0" /etc/passwd && exec "$@"'

refused() {	# TITLE SAYS ARGUMENTS...
	local said status=0 title=$1 says=$2

	shift 2
	said=$(in_router timeout 10 sh -c "$WITH" "$lab_dir/passwd" "$NFQD" -c "$lab_dir/nfqd.yaml" "$@" 2>&1) || status=$?
	is $status 1 "$title: refused"
	like "$said" "$says" "$title: the message"
}

start() {	# ARGUMENTS...
	lab_spawn nfqd "$LAB_ROUTER" sh -c "$WITH" "$lab_dir/passwd" "$NFQD" -c "$lab_dir/nfqd.yaml" "$@"
	lab_wait 15 nfqd_ready_or_dead
	nfqd_says_ready || bail "nfqd does not start: $(cat "$lab_dir/nfqd.log")"
}
uid() { awk '/^Uid:/ { print $2 }' "/proc/$1/status"; }
uids() { echo "$(uid "$(status .worker_pid)") $(uid "$(status .resolver.pid)")"; }
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

cases() {
	nfqd_conf >"$lab_dir/nfqd.yaml"
	users
	users other:60700
	refused "no user nfqd, and the spare number is another user" 'there is no user nfqd'
	users
	refused "a user that does not exist" "there is no user 'nfqd-none'" --user nfqd-none
	refused "root" "'root' is root" --user root
	start
	is "$(uids)" "60700 60701" "no user nfqd: worker and resolver are numbers that no account has"
	like "$(cat "$lab_dir/nfqd.log")" "no user nfqd: the worker runs as 60700" "which is said"
	as_nobody kill -STOP "$(nfqd_worker)" 2>/dev/null
	is $? 1 "a process of nobody cannot stop the worker"
	nfqd_stop
	start --user nobody
	is "$(uids)" "65534 65534" "--user nobody: worker and resolver are nobody's"
	nfqd_stop
	users nfqd:64900 nfqd-resolver:64901
	start
	is "$(uids)" "64900 64901" "the users of the package: worker and resolver are two"
	worker=$(nfqd_worker)
	as_nobody kill -STOP "$worker" 2>/dev/null
	is $? 1 "a process of nobody cannot stop the worker"
	as_nobody kill -STOP "$(status .resolver.pid)" 2>/dev/null
	is $? 1 "nor the resolver"
	ok "listed names are refused" refuses
	nfqd_stop
	is $? 0 "SIGTERM is obeyed"
}

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
in_both cases
done_testing

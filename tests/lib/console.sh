# shellcheck shell=bash disable=SC2034,SC2154	# for those who source it; lab_dir and lab_pid are from net.sh
# Running nfqd-console in the router of net.sh. To be sourced after nfqd.sh and tap.sh.

CONSOLE=${CONSOLE:-$(dirname "$NFQD")/nfqd-console}
CONSOLE_URL=http://127.0.0.1:9477

need_console() {
	[ -x "$CONSOLE" ] || [ "${CI:-false}" = false ] || bail "nfqd-console is not built (libmicrohttpd-dev)"
	[ -x "$CONSOLE" ] || skip_all "nfqd-console is not built (libmicrohttpd-dev)"
}

# console_account NAME ROLE PASSWORD
console_account() { "$CONSOLE" --passwords "$lab_dir/passwords" --add-user "$1" --role "$2" <<<"$3"; }

console_says() { grep -q "$1" "$lab_dir/console.log"; }
console_ready_or_dead() { console_says 'nfqd-console: ' || lab_dead console; }

# console_start OPTION...: returns when it listens; fails when it ended instead
console_start() {
	lab_spawn console "$LAB_ROUTER" "$CONSOLE" -s "$lab_dir/control.sock" --passwords "$lab_dir/passwords" -c "$lab_dir/nfqd.yaml" "$@"
	lab_wait 60 console_ready_or_dead && lab_alive console
}

# What a script of tests/lib says, a row each: "0 what it shows" or "1 what it shows: why not". It ends with "end".
console_rows() {
	local failed what ended=

	while read -r failed what; do
		case $failed in
		0 | 1) tap_row "$failed" "$what" || true ;;
		end) ended=yes ;;
		*) diag "$failed $what" ;;
		esac
	done < <("$@" 2>&1)
	ok "${1##*/}: all of it ran" [ "$ended" ]
}

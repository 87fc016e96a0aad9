# shellcheck shell=bash
# Test Anything Protocol in a few lines. A test states what it found with ok, is
# and like, and ends with done_testing; without that prove(1) fails it.

tap_rows=0 tap_failed=0
# where the programs are that tools/deps has unpacked
PATH=$PATH:/usr/sbin:/sbin:$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)/build/unpacked/programs
tap_prefix=			# of descriptions that a test uses more than once

tap_row() {	# TRUE? DESCRIPTION
	tap_rows=$((tap_rows + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_rows - $tap_prefix$2"
	else
		echo "not ok $tap_rows - $tap_prefix$2"
		tap_failed=$((tap_failed + 1))
		return 1
	fi
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# ok DESCRIPTION COMMAND...: the command succeeds; what it printed explains a failure
ok() {
	local what=$1 said status=0

	shift
	said=$("$@" 2>&1) || status=$?
	tap_row $status "$what" || { diag "status $status: $*"; diag "$said" | head -n 20; return 1; }
}

is() {		# GOT WANTED DESCRIPTION
	local equal=0

	[ "$1" = "$2" ] || equal=1
	tap_row $equal "$3" || { diag "     got: $1"; diag "expected: $2"; return 1; }
}

like() {	# GOT REGEX DESCRIPTION
	local matches=0

	[[ $1 =~ $2 ]] || matches=1
	tap_row $matches "$3" || { diag "     got: $1"; diag "expected: $2"; return 1; }
}

# Prints the plan; the exit status is the test's. What a daemon of the test recorded keeps to the schema.
done_testing() {
	if [ -s "${lab_dir:-/nonexistent}/eve.json" ] && [ -z "${LAB_BROKEN_LOG:-}" ]; then
		ok "every record keeps to the schema" "${BASH_SOURCE[0]%/*}/schema.py" "$lab_dir/eve.json" || true
		ok "and is judged alike by its own bytes" "${NFQCTL:-build/nfqctl}" replay --kept "$lab_dir/rules" \
			"$lab_dir/eve.json" || true
	fi
	echo "1..$tap_rows"
	[ $tap_failed = 0 ]
	exit
}

bail() {	# a failure of the test itself, never a skip
	tap_row 1 "$1"
	done_testing
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# need TOOL...: root and these programs; CI must have them, a laptop may skip
need() {
	local tool

	[ "$(id -u)" = 0 ] || skip_all "not root"
	for tool in "$@"; do
		command -v "$tool" >/dev/null || {
			[ "${CI:-false}" = false ] || bail "$tool is not here (make deps-test)"
			skip_all "no $tool"
		}
	done
}

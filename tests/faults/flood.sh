# shellcheck shell=bash disable=SC2154	# lab_dir is from net.sh
# Floods of half messages and what comes of them; to be sourced after the lab and lib.sh.

BENCH=${BENCH:-$(dirname "$NFQD")/bench}
WORKER_MB=64
[ -z "$(sanitizer_runtime)" ] || WORKER_MB=256	# it keeps what was freed, and a shadow of all memory

# The flooders' addresses lie behind the client; what they send goes to an address that nobody has, and no one
# answers. An honest client waits for real servers.
flood_routes() {
	ip -n "$LAB_CLIENT" route add blackhole 10.128.0.0/9 &&
		ip -n "$LAB_ROUTER" route add 10.128.0.0/9 via 10.1.0.2 &&
		ip -n "$LAB_SERVER" route add blackhole 10.2.0.9 &&
		ip -n "$LAB_ROUTER" neigh add 10.2.0.9 dev wan0 lladdr 02:00:00:00:00:09 &&
		"$LAB_PYTHON" tools/bench/halves.py "$lab_dir"
}

# flood PROTOCOL PORT KIND RATE SECONDS SOURCES, in the background
flood() { lab_spawn flood "$LAB_CLIENT" "$BENCH/flood" "$1" 10.2.0.9 "$2" "$lab_dir/$3" "$4" "$5" 10.128.0.0 "$6"; }
flood_ended() { grep -q '"sent"' "$lab_dir/flood.log"; }

# honest LISTED INNOCENT SECONDS: prints one JSON object
honest() {
	in_client "$BENCH/honest" "${LAB_WEB[4]}" 443 "$lab_dir/listed" "$1" 1500 "$lab_dir/innocent" "$2" "$3"
}

worker_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$(nfqd_worker)/status"; }
worker_is_small() { [ "$(worker_kb)" -lt $((WORKER_MB * 1000)) ]; }
# What the daemon never saw says nothing of it.
unseen() { status '.steering.bypassed + ([.queues[].lost] | add)'; }

#!/bin/bash
# Proves: a real browser that speaks HTTP/3 (headless Chromium against caddy) reaches an unlisted name
# through the queue, and is refused a listed one over QUIC and over TCP, with a record of each.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dnsmasq unbound nginx jq openssl caddy chromium

LISTED=s07.upd.kaspersky.com OPEN=www.example.org
SITE=203.0.113.90	# where every name leads, whatever DNS says

caddy_conf() {
	cat <<-END
		{
			admin off
			auto_https off
			storage file_system $lab_dir/caddy
		}
		:443 {
			bind $SITE
			tls $lab_dir/cert.pem $lab_dir/key.pem
			respond "reached {host} by {http.request.proto}"
		}
	END
}

caddy_up() {
	ip -n "$LAB_SERVER" addr add $SITE/32 dev lo && caddy_conf >"$lab_dir/Caddyfile" &&
		XDG_CONFIG_HOME=$lab_dir lab_spawn caddy "$LAB_SERVER" \
			caddy run --adapter caddyfile --config "$lab_dir/Caddyfile" &&
		lab_wait 10 lab_listens "$LAB_SERVER" u 443
}

# Chromium trusts exactly the lab's key; without that QUIC is not even tried.
key_hash() {
	openssl x509 -in "$lab_dir/cert.pem" -pubkey -noout | openssl pkey -pubin -outform der |
		openssl dgst -sha256 -binary | base64
}

# browse NAME [OPTION]...: the page's text, or the browser's error
browse() {
	local name=$1 profile

	shift
	profile=$(mktemp -d "$lab_dir/profile.XXXXXX")
	in_client timeout 40 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync --user-data-dir="$profile" \
		--ignore-certificate-errors-spki-list="$(key_hash)" --host-resolver-rules="MAP * $SITE" \
		"$@" --dump-dom "https://$name/" 2>&1 | grep -oE 'reached [^<]*|ERR_[A-Z_]+' | head -n 1
}

by_quic() { browse "$1" --origin-to-force-quic-on="$1:443"; }
by_tcp() { browse "$1" --disable-quic; }

lab_up plain || bail "the lab: $(tail -n 3 "$lab_dir/up.log")"
caddy_up || bail "caddy: $(tail -n 3 "$lab_dir/caddy.log")"
nfqd_start enforce open all || bail "nfqd: $(tail -n 3 "$lab_dir/nfqd.log")"

is "$(by_quic $OPEN)" "reached $OPEN by HTTP/3.0" "HTTP/3: an unlisted name is reached"
ok "its QUIC name is recorded" lab_wait 5 nfqd_has_records 1 \
	".nfqd.seen_in == \"quic.sni\" and .nfqd.name == \"$OPEN\" and .nfqd.action == \"allow\""
like "$(by_quic $LISTED)" ^ERR_ "HTTP/3: a listed name is refused"
ok "refused by its QUIC name" lab_wait 5 nfqd_has_records 1 \
	".nfqd.seen_in == \"quic.sni\" and .nfqd.name == \"$LISTED\" and .nfqd.action == \"reject\""
is "$(by_tcp $OPEN)" "reached $OPEN by HTTP/2.0" "HTTP/2: an unlisted name is reached"
# For the same reset, Chromium 156 says the first and 150 was seen to say the second.
like "$(by_tcp $LISTED)" '^ERR_(CONNECTION_RESET|INTERNET_DISCONNECTED)$' "HTTP/2: a listed name is reset"
ok "refused by its TLS name" lab_wait 5 nfqd_has_records 1 \
	".nfqd.seen_in == \"tls.sni\" and .nfqd.name == \"$LISTED\" and .nfqd.action == \"reject\""
nfqd_stop
done_testing

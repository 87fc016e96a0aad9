#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves: `nfqctl rules publish` makes a release that others can verify, and `nfqctl rules update` takes it
# from a folder and from a real nginx over TLS, but nothing of a broken or hostile mirror: whatever is
# wrong, the packs in force stay.
set -u
. "$(dirname "$0")/lib/tap.sh"
NFQCTL=$(realpath "${NFQCTL:-build/nfqctl}") NFQD=$(realpath "${NFQD:-build/nfqd}")
PATH=$PATH:/usr/sbin:/sbin
need nginx openssl python3
folder=$(mktemp -d) && chmod 755 "$folder" && cd "$folder" || exit 99
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$folder"' EXIT

pack() {	# VERSION NAME...
	cat <<-END
		pack: p
		vendor: V
		version: $1
		sources: [{id: s, url: "https://example.org/list", retrieved: 2026-11-01}]
		stages: [{id: now, from: 2024-01-01, action: block, basis: site, citation: c}]
		entries:
		  - {id: e, names: [$2], category: update, sources: [s], confidence: high, side_effect: none}
		tests: {match: [a.example.com], no_match: [x.example.org]}
	END
}
publish() { "$NFQCTL" rules publish "$@"; }
key1=$(publish --new-key list.example/1 --key k1) key2=$(publish --new-key list.example/2 --key k2)
like "$key1" '^list.example/1\+[0-9a-f]{8}\+A[A-Za-z0-9+/=]+$' "a verifier key"
is "$(stat -c %a k1) $(cut -c1-27 k1)" "600 PRIVATE+KEY+list.example/1+" "the signer key is nobody else's"
like "$(publish --key k1 --out never-made --number '' none.yaml 2>&1)" "the argument after '--number' is empty" "--number ''"
for number in 0 -1 7x 18446744073709551615 99999999999999999999; do
	like "$? $(publish --key k1 --out never-made --number "$number" none.yaml 2>&1)" "--number: '$number' is not a number between 1 and" "--number $number"
done
like "$(publish --new-key x --key k1 2>&1)" "k1: File exists" "a key is not written over"

# ---- a release
mkdir src
pack 2026.11.01.1 a.example.com >src/p.yaml
is "$(publish --key k1 --out r1 src/p.yaml)" "r1: release 1, 1 files" "publish"
ok "another program verifies it" python3 - "$key1" r1/index.note <<'END'
import base64, hashlib, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
name, hash, data = sys.argv[1].split("+", 2)
raw = base64.b64decode(data)
assert raw[0] == 1 and hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] == hash
text, signature = open(sys.argv[2], "rb").read().rsplit(b"\n\n", 1)
dash, by, sig = signature.decode().rstrip("\n").split(" ")
assert dash == "\u2014" and by == name
sig = base64.b64decode(sig)
assert sig[:4].hex() == hash
Ed25519PublicKey.from_public_bytes(raw[1:]).verify(sig[4:], text + b"\n")
END
sha=$(sha256sum <src/p.yaml | cut -d' ' -f1)
like "$(cat r1/index.note)" "file $sha $(stat -c %s src/p.yaml) p.yaml 2026.11.01.1" "the index names the digest"
pack 2026.11.02.1 "a.example.com, b.example.com" >src/p.yaml
cp -r r1 r2 && publish --key k1 --out r2 src/p.yaml >/dev/null
like "$(cat r2/index.note)" "number 2" "the next release has the next number"
sed 's/match: .a/match: [x/' src/p.yaml >src/bad.yaml
like "$? $(publish --key k1 --out bad src/bad.yaml 2>&1)" "test match: 'x.example.com'" "what does not lint is not released"
is "$(ls bad 2>&1 | grep -c index)" 0 "not even begun"

# two entries, and two packs, may name one file; two files of one name cannot be told apart
mkdir twice twice/other && echo c.example.com >twice/n.txt && echo d.example.com >twice/other/n.txt
pack 2026.11.01.1 a.example.com | sed 's/^tests:/  - {id: f, names-file: n.txt, category: update, sources: [s], confidence: high, side_effect: none}\n&/
	s/^tests:/  - {id: g, names-file: n.txt, ports: [tcp\/443], category: update, sources: [s], confidence: high, side_effect: none}\n&/' >twice/p.yaml
sed 's/pack: p/pack: q/; s/{id: \([efg]\),/{id: q\1,/; s/a.example.com/e.example.com/' twice/p.yaml >twice/other/q.yaml
is "$(publish --key k1 --out r-twice twice/p.yaml 2>&1)" "r-twice: release 1, 2 files" "a names-file of two entries is released once"
like "$("$NFQCTL" rules update --into kept-twice --from r-twice --key "$key1" 2>&1)" "release 1 is in kept-twice/current" "and taken"
like "$(publish --key k1 --out r-clash twice/p.yaml twice/other/q.yaml 2>&1)" "twice/other/n.txt: another file of the release has this name" "two files of one name"

# ---- from a folder
update() { said=$("$NFQCTL" rules update --into kept "$@" 2>&1); status=$?; }
current() { readlink kept/current; }
# refused WHAT MESSAGE ARGUMENT...: fails, says so, and changes nothing
refused() {
	local what=$1 message=$2 before
	shift 2
	before=$(find kept -type f -exec sha256sum {} + | sort; current)
	update "$@"
	like "$status $said" "^1 .*$message" "refused: $what"
	is "$(find kept -type f -exec sha256sum {} + | sort; current)" "$before" "the packs stay: $what"
}
update --from r1 --key "$key1"
is "$status $said" "0 release 1 is in kept/current: nfqctl reload puts it in force" "a first release"
is "$(sha256sum <kept/current/p.yaml | cut -d' ' -f1)" "$sha" "its pack"
printf 'rules: [%s/kept/current]\nupdate: {from: %s/r2, keys: ["%s"], into: %s/kept}
log: {outputs: [{type: text, path: "-"}]}
' "$folder" "$folder" "$key1" "$folder" >conf.yaml
ok "nfqd loads the folder" "$NFQD" -t -c conf.yaml
update --from r1 --key "$key1"
is "$status $said" "0 release 1 is in force already" "nothing new"
update --check --conf conf.yaml
is "$status $said" "0 pack p 2026.11.01.1 -> 2026.11.02.1
+ b.example.com
1 names would be refused that were not, 0 no longer
no records of this site to compare with: the configuration names no file that can be read
release 2 can be taken" "--check says what would change, with key and place of the configuration"
is "$(current) $(ls -A kept | paste -sd' ')" "1 .lock 1 current highest" "and changes nothing"
for name in b.example.com a.example.com other.example.com b.example.com; do
	printf '{"event_type":"dns","nfqd":{"name":"%s","action":"allow"}}\n' "$name"
done >eve.json
printf 'not JSON\n{"nfqd":{"name":null}}\n{"nfqd":{"name":"b.exa' >>eve.json
sed "s|^log: .*|log: {outputs: [{type: file, path: $folder/eve.json}]}|" conf.yaml >seen.yaml
update --check --conf seen.yaml
is "$status $said" "0 pack p 2026.11.01.1 -> 2026.11.02.1
+ b.example.com
1 names would be refused that were not, 0 no longer
+ seen here: b.example.com (2 records)
of 3 names in this site's records, 1 would be refused that were not, 0 no longer
release 2 can be taken" "and which names of this site's records would change"

# ---- from a web server
port=$((20000 + $$ % 20000))
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca \
	-addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=mirror 2>/dev/null
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
	-extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
mkdir www logs
head -c 3000000 /dev/urandom >www/long.note
{ printf '\037\213\010'; head -c 3000 /dev/urandom; } >www/garbage.note
cat >nginx.conf <<END
daemon off;
pid nginx.pid;
error_log logs/error.log;
events {}
http {
	access_log logs/access.log;
	client_body_temp_path logs/b; proxy_temp_path logs/p; fastcgi_temp_path logs/f; uwsgi_temp_path logs/u; scgi_temp_path logs/s;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate server.pem;
		ssl_certificate_key server.key;
		root $folder/www;
		location /loop/ { return 302 https://127.0.0.1:$port/loop/index.note; }
		location /plain/ { return 302 http://127.0.0.1:$port/good/index.note; }
		location /moved/ { rewrite ^/moved/(.*) https://127.0.0.1:$port/good/\$1 redirect; }
		location /drip/ { proxy_pass http://127.0.0.1:$((port + 2)); proxy_buffering off; }
		location /gzip/ { add_header Content-Encoding gzip; try_files /garbage.note =404; }
		location /long/ { try_files /long.note =404; }
		location /endless/ { proxy_pass http://127.0.0.1:$((port + 1)); proxy_buffering off; }
		location = /endlessfile/index.note { alias $folder/www/good/index.note; }
		location /endlessfile/files/ { proxy_pass http://127.0.0.1:$((port + 1)); proxy_buffering off; }
	}
}
END
nginx -p "$folder" -c nginx.conf 2>logs/nginx & pids="$pids $!"
python3 - $((port + 1)) <<'END' & pids="$pids $!"
import socketserver, sys
class Endless(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        try:
            self.request.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            while True:
                self.request.sendall(b"y" * 65536)
        except OSError:
            pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Endless).serve_forever()
END
python3 - $((port + 2)) <<'END' & pids="$pids $!"
import socketserver, sys, time
class Drip(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        try:
            self.request.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            for _ in range(600):
                self.request.sendall(b"y")
                time.sleep(0.1)
        except OSError:
            pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Drip).serve_forever()
END
cp -r r2 www/good
up() { for _ in {1..100}; do openssl s_client -connect "127.0.0.1:$port" </dev/null >/dev/null 2>&1 && return; read -rt 0.1 <> <(:); done; return 1; }
ok "nginx answers" up
behind() { for _ in {1..100}; do (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; read -rt 0.1 <> <(:); done; return 1; }
ok "and the endless server" behind $((port + 1))
ok "and the one that drips" behind $((port + 2))
from() { printf '%s' "--from https://127.0.0.1:$port/$1 --ca ca.pem --key $key1"; }

printf 'rules: [%s/src/p.yaml]\n' "$folder" >none.yaml
refused "a certificate that nobody here trusts" "certificate.*cannot be fetched" --from "https://127.0.0.1:$port/good" --key "$key1"
refused "no TLS" "does not begin with https" --from "http://127.0.0.1:$port/good" --key "$key1"
refused "no key" "no --key" --from r2 --conf none.yaml
for row in "nothing there|404.*cannot be fetched|missing" "a redirect loop|Maximum .5. redirects followed.*cannot be fetched|loop" \
	"a redirect out of TLS|Protocol .http. .*cannot be fetched|plain" "garbage called gzip|not a signed note|gzip" \
	"an index longer than it may be|longer than it may be.*cannot be fetched|long" \
	"an endless index|longer than it may be.*cannot be fetched|endless" \
	"an endless file|longer than it may be.*files/[0-9a-f]*: cannot be fetched|endlessfile"; do
	IFS='|' read -r what message place <<<"$row"
	# shellcheck disable=SC2046
	refused "$what" "$message" $(from "$place")
done
said=$("$(dirname "$NFQCTL")/nfqd-fetch" --ca ca.pem --slow 2 "https://127.0.0.1:$port/drip/x" 2>&1 >/dev/null)
like "$? $said" "^1 .*too slow" "a server that drips is given up"
is "$(pgrep -P $$ nfqd-fetch)" "" "no fetcher is left behind"

mirror() { rm -rf "www/$1" && cp -r www/good "www/$1"; }
mirror wrongkey && publish --key k2 --out www/wrongkey --number 9 src/p.yaml >/dev/null
refused "a key that is not ours" "not signed by a key that is trusted here" $(from wrongkey)
mirror forged && sed -i 's/^number 2/number 3/' www/forged/index.note
refused "an index that was changed" "the signature of key 'list.example/1' does not fit" $(from forged)
mirror swapped && sed -i 's/b.example.com/c.example.com/' www/swapped/files/*
refused "a pack that was swapped" "p.yaml: not the file that the index names" $(from swapped)
mirror short && for f in www/short/files/*; do : >"$f"; done
refused "a pack that was cut" "p.yaml: not the file that the index names" $(from short)
publish --key k1 --out www/expired --number 7 --expires 2026-01-01 src/p.yaml >/dev/null
refused "a release past its end" "release 7 expired on 2026-01-01" $(from expired)
publish --key k1 --out www/program --number 7 --program 99.0 src/p.yaml >/dev/null
refused "a release for a newer program" "release 7 needs nfqd 99.0" $(from program)
mkdir lax && printf 'sources: []\nnever: []\n' >lax/never.yaml && pack 2026.11.03.1 "a.example.com, .google.com" >lax/p.yaml
publish --key k1 --out www/lax --number 7 lax/p.yaml >/dev/null
refused "a signed pack that blocks what no pack may" "release 7 does not lint" $(from lax)
mirror other && publish --key k1 --out www/other --number 1 src/p.yaml >/dev/null
refused "another release of the same number" "another release of the number 1" $(from other)
printf '\n' >www/good/empty && mirror empty && : >www/empty/index.note
refused "an empty index" "not a signed note" $(from empty)

# ---- what only the holder of the key could write, and what a folder may hold
# sign FILE TEXT KEY...: a note with a signature by each key; "other": one of another kind and length
sign() {
	python3 - "$@" <<'END'
import base64, hashlib, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
out, text = sys.argv[1], sys.argv[2]
note = text.encode() + b"\n"
for path in sys.argv[3:]:
    if path == "other":
        note += "\u2014 witness.example ".encode() + base64.b64encode(b"w" * 76) + b"\n"
        continue
    name, hash, data = open(path).read().strip()[len("PRIVATE+KEY+"):].split("+", 2)
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(data)[1:])
    note += f"\u2014 {name} ".encode() + base64.b64encode(bytes.fromhex(hash) + key.sign(text.encode())) + b"\n"
open(out, "wb").write(note)
END
}
sha=$(sha256sum <src/p.yaml | cut -d' ' -f1) size=$(stat -c %s src/p.yaml)
index() {	# [FILE-LINE]...: of release 9, of now
	printf 'nfqd rules 1\nnumber 9\ndate %s\nexpires 2999-01-01\nprogram 0\n' "${date:-2026-11-01}"
	printf 'file %s\n' "$@"
}
crafted() {	# WHAT MESSAGE FILE-LINE...: signed by our key, and still refused
	local what=$1 message=$2
	shift 2
	mirror crafted
	sign www/crafted/index.note "$(index "$@")
" k1
	# shellcheck disable=SC2046
	refused "$what" "$message" $(from crafted)
}
good="$sha $size p.yaml 1"
crafted "a name outside the folder" "line 6 is damaged: 'file .*\.\./p.yaml" "$sha $size ../p.yaml 1"
crafted "an absolute name" "line 6 is damaged" "$sha $size /tmp/p.yaml 1"
crafted "a hidden name" "line 6 is damaged" "$sha $size .highest.yaml 1"
crafted "a name that is no pack" "line 6 is damaged" "$sha $size current 1"
crafted "a file twice" "line 7 is damaged" "$good" "$good"
crafted "a pack twice" "pack 'p': this id is already used in.*release 9 does not lint" "$good" "$sha $size q.yaml 1"
crafted "a digest that is none" "line 6 is damaged" "../../kept/1/p.yaml $size p.yaml 1"
crafted "a file larger than any may be" "line 6 is damaged" "$sha 99999999999 p.yaml 1"
crafted "a size below the file's" "longer than it may be" "$sha 10 p.yaml 1"
mapfile -t many < <(for i in {1..1001}; do echo "$sha $size p$i.yaml 1"; done)
crafted "more files than any release has" "line 1006 is damaged" "${many[@]}"
date=2099-01-01 crafted "a clock that is behind" "release 9 is of 2099-01-01T00:00:00Z: the clock of this machine is behind" "$good"

mirror two && sign www/two/index.note "$(index "$good")
" k2 k1 other
cp -r kept kept-two
# shellcheck disable=SC2046
said=$("$NFQCTL" rules update --into kept-two $(from two) 2>&1)
like "$? $said" "^0 .*release 9 is in kept-two/current" "a note with signatures by others, too, also of another kind"
sign www/two/index.note "$(index "$good")
" k2 k1
sed -i "/list.example.1/s/.\{8\}\$/AAAAAAA=/" www/two/index.note
refused "where ours is the one that does not fit" "does not fit|damaged" $(from two)
mkdir links && ln -s "$folder/r2/index.note" links/index.note && mkdir links/files
for f in r2/files/*; do ln -s /dev/zero "links/files/${f##*/}"; done
refused "a folder whose file is a link to /dev/zero" "not a regular file|not the file" --from links --key "$key1"
rm links/index.note && mkfifo links/index.note
refused "a folder whose index is a FIFO" "not a regular file" --from links --key "$key1"

update $(from moved)
is "$status $(tail -n 1 <<<"$said") $(current)" "0 release 2 is in kept/current: nfqctl reload puts it in force 2" "a good mirror, also by a redirect"
refused "an older release" "release 1 is older than 2, which was here already" --from r1 --key "$key1"

# ---- back, and what is kept
update --rollback
is "$status $(current)" "0 1" "--rollback"
refused "an older release after a rollback" "release 1 is older than 2" --from r1 --key "$key1"
update $(from good)
is "$status $(current)" "0 2" "and forward again"
for i in 3 4 5; do
	pack "2026.11.0$i.1" "a.example.com, n$i.example.com" >src/p.yaml
	publish --key k1 --out r2 src/p.yaml >/dev/null
	update --from r2 --key "$key1"
done
is "$status $(current) $(ls kept | paste -sd' ')" "0 5 3 4 5 current highest" "three releases are kept"

# ---- a new key
publish --key k1 --out r2 --next-key "$key2" src/p.yaml >/dev/null
publish --key k2 --out r7 --number 7 src/p.yaml >/dev/null
refused "the new key before it is announced" "not signed by a key" --from r7 --key "$key1"
update --from r2 --key "$key1"
is "$status $(current)" "0 6" "a release by the old key that names the new one"
update --from r7 --key "$key1"
is "$status $(current)" "0 7" "the new key signs from then on"
publish --new-key list.example/3 --key k3 >/dev/null
refused "where the old key is not trusted, what it named is not either" "not signed by a key" --from r7 --key \
	"$(publish --new-key list.example/4 --key k4)"
done_testing

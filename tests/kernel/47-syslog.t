#!/bin/bash
# Proves: with an output of type syslog a real rsyslogd writes down every record as the JSON that it is,
# and one that is restarted gets what was recorded while it was away.
set -u
. tools/lab/net.sh
. tools/lab/nfqd.sh
. tests/lib/tap.sh
need ip nft dig dnsmasq unbound nginx openssl jq rsyslogd "$LAB_PYTHON"

rsyslog_up() {
	cat >"$lab_dir/rsyslog.conf" <<-END
		global(workDirectory="$lab_dir")
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$lab_dir/log" UseSpecialParser="off" ParseHostname="on")
		template(name="whole" type="string" string="%syslogseverity-text% %hostname% %app-name% %msgid% %msg%\n")
		action(type="omfile" file="$lab_dir/syslog" template="whole")
	END
	lab_spawn rsyslogd "$LAB_ROUTER" rsyslogd -n -i "$lab_dir/rsyslog.pid" -f "$lab_dir/rsyslog.conf"
	lab_wait 10 [ -S "$lab_dir/log" ]
}

messages() { grep -c ' nfqd listed ' "$lab_dir/syslog" 2>/dev/null; }
has_messages() { [ "$(messages)" -ge "$1" ]; }
ask() { in_client dig +time=2 +tries=1 "$1" @9.9.9.9 >/dev/null; }

lab_up masquerade || bail "lab: $(cat "$lab_dir/up.log")"
rsyslog_up # not below ok(): that is a subshell, where its process number is lost
ok "rsyslogd listens" [ -S "$lab_dir/log" ]
nfqd_conf_before=$(declare -f nfqd_conf)
eval "${nfqd_conf_before/nfqd_conf ()/file_conf ()}"
nfqd_conf() { file_conf "$@" | sed "s|outputs: \[|outputs: [{type: syslog, path: $lab_dir/log}, |"; }
nfqd_start || bail "nfqd does not start: $(tail -n 5 "$lab_dir/nfqd.log")"

ask s07.upd.kaspersky.com
ok "a refused name is a message" lab_wait 10 has_messages 1
line=$(grep ' nfqd listed ' "$lab_dir/syslog" | head -n 1)
like "$line" '^warning ' "as a warning"
is "$(jq -r .nfqd.name <<<"${line#* nfqd listed }")" s07.upd.kaspersky.com "which is the record as JSON"
is "$(jq -r .nfqd.seq <<<"${line#* nfqd listed }")" "$(jq -r 'select(.nfqd.name == "s07.upd.kaspersky.com").nfqd.seq' "$lab_dir/eve.json" | head -n 1)" \
	"the same as in the file"

lab_end rsyslogd TERM
rm -f "$lab_dir/log"
before=$(messages)
ask s08.upd.kaspersky.com
ok "without rsyslogd, names are still refused and recorded" lab_wait 10 nfqd_has_records 1 '.nfqd.name == "s08.upd.kaspersky.com"'
rsyslog_up
ok "rsyslogd again" [ -S "$lab_dir/log" ]
ok "what was recorded meanwhile arrives" lab_wait 20 has_messages $((before + 1))
is "$(nfqd_ctl status --json | jq '.log.outputs[] | select(.type == "syslog").lost')" 0 "nothing is lost"
nfqd_stop
is $? 0 "nfqd stops"
lab_end rsyslogd TERM
done_testing

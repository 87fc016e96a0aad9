# SPDX-License-Identifier: GPL-2.0-or-later
# nfqd. `make help` lists the targets.

VERSION  := 0.1.0
COMMIT   ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
B        ?= build
PREFIX   ?= /usr
CC       ?= gcc
CFLAGS   ?= -O2 -g
SANITIZE ?=

export PYTHONDONTWRITEBYTECODE := 1
# servers and clients that tests start are unpacked, not installed (tools/deps)
export PATH := $(PATH):/usr/sbin:/sbin:$(CURDIR)/build/unpacked/programs

, := ,
Q := $(if $(V),,@)
# the folder's owner builds, also under sudo, so that nothing of root's is left in the tree
OWNER := $(shell stat -c %U Makefile)
AS_OWNER := $(if $(filter 0,$(shell id -u)),$(if $(filter-out root UNKNOWN,$(OWNER)),runuser -u $(OWNER) --))

WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes
override CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DNFQD_VERSION='"$(VERSION)"' \
	-DNFQD_DATADIR='"$(PREFIX)/share/nfqd/rules"' -Infqd $(if $(SANITIZE),-DNFQD_NO_SECCOMP)
override CFLAGS += -std=c11 $(WARN) -fstack-protector-strong -fPIE -pthread -MMD -MP $(SANITIZE)
# sanitizers see more without these; a compiler that lacks one does without it
ifeq ($(SANITIZE),)
HARDEN := $(foreach f,-fcf-protection -fstack-clash-protection -ftrivial-auto-var-init=zero,$(shell \
	$(CC) -Werror $f -x c -c /dev/null -o /dev/null 2>/dev/null && echo $f))
override CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
override CFLAGS += $(HARDEN)
endif
override LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack -pthread $(SANITIZE)
LDLIBS := -lnetfilter_queue -lmnl -lnetfilter_conntrack -lnfnetlink -lnftables -lcares -lcyaml -lyaml \
	-ljansson -lpcap -lnettle -lhogweed -lnghttp2 -lz -lseccomp -lcap-ng

# What can be left out: make WITHOUT="sightings systemd". `nfqd -V` names what is in, and what is not.
#
# option        takes             without it
# prefilter     libbpf, clang     inspect.prefilter is off; left out by itself where either is missing
# certificates  GnuTLS            the names in a server's certificate are not read
# sightings     SQLite            no inventory of machines, and no nfqctl hosts, host, report, preview, sightings
# systemd       libsystemd        the service manager hears neither of readiness nor of life
# hostnames     libpsl, libidn2   nfqctl knows no public suffixes, and takes names in ASCII only
# top           ncurses           no nfqctl top
# update        libcurl           no nfqd-fetch: nfqctl rules update reads folders only
# console       libmicrohttpd     no nfqd-console; left out by itself where the library is missing, or sightings are
OPTIONS := prefilter certificates sightings systemd hostnames top update console
WITHOUT ?=
library = $(shell pkg-config --exists $1 2>/dev/null && echo yes)
LEFT_OUT := $(sort $(WITHOUT) $(if $(and $(shell command -v clang),$(call library,libbpf)),,prefilter) \
	$(if $(and $(call library,libmicrohttpd),$(if $(filter sightings,$(WITHOUT)),,yes)),,console))
$(if $(filter-out $(OPTIONS),$(WITHOUT)),$(error WITHOUT names what is no option: $(filter-out $(OPTIONS),$(WITHOUT)) ($(OPTIONS))))
WITH := $(filter-out $(LEFT_OUT),$(OPTIONS))
with = $(filter $1,$(WITH))
override CPPFLAGS += $(if $(LEFT_OUT),$(addprefix -DNFQD_WITHOUT_,$(shell echo $(LEFT_OUT) | tr a-z A-Z)))
LDLIBS += $(if $(call with,certificates),-lgnutls) $(if $(call with,systemd),-lsystemd) $(if $(call with,sightings),-lsqlite3)
CTL_LIBS := $(if $(call with,hostnames),-lpsl -lidn2) $(if $(call with,top),-lncursesw -ltinfo)

# the prefilter's programs are BPF, which clang makes and libbpf loads
ifneq ($(call with,prefilter),)
# the kernel's headers know the machine only by its own name
BPF_INCLUDES := -idirafter /usr/include/$(shell $(CC) -print-multiarch)
PREFILTER_OBJECT := $(B)/obj/nfqd/capture/prefilter.bpf.o
LDLIBS += -lbpf
endif

SRC   := $(filter-out %.bpf.c $(if $(call with,sightings),,nfqd/sightings/%),$(sort $(wildcard nfqd/*.c nfqd/*/*.c)))
DATA  := $(addprefix $(B)/obj/nfqd/,match/canary.o match/never_builtin.o prober/messages.o $(if $(call with,prefilter),capture/prefilter_object.o))
OBJ   := $(SRC:%.c=$(B)/obj/%.o) $(DATA)
ROOMS := $(filter-out $(B)/obj/nfqd/main.o,$(OBJ))
CTL_OUT := $(if $(call with,sightings),,hosts host inventory preview report report_charts report_html sightings) \
	$(if $(call with,top),,top top_screen) $(if $(call with,hostnames),,hostname)
CTL   := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(CTL_OUT:%=tools/nfqctl/%.c),$(sort $(wildcard tools/nfqctl/*.c))))
# and the tests of what is left out
UNIT_OUT := $(if $(call with,sightings),,tests/unit/sightings/%) $(if $(call with,certificates),,tests/unit/name/test_tls_cert.c)
UNIT  := $(patsubst tests/unit/%.c,$(B)/tests/%.t,$(filter-out $(UNIT_OUT),$(sort $(wildcard tests/unit/*/test_*.c))))
FUZZ_OUT := $(if $(call with,sightings),,sightings labels) $(if $(call with,certificates),,cert diff_tls)
FUZZ  := $(patsubst tests/fuzz/fuzz_%.c,$(B)/tests/fuzz_%.t,$(filter-out $(FUZZ_OUT:%=tests/fuzz/fuzz_%.c),$(sort $(wildcard tests/fuzz/fuzz_*.c))))
# pages for a browser
CONSOLE_PROGRAM := $(if $(call with,console),$(B)/nfqd-console)
CONSOLE_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard tools/console/*.c))) $(B)/obj/tools/console/assets.o
FLOOD := $(B)/bench/flood $(B)/bench/honest
# a sanitizer's report of any of our processes fails the test that started it
REPORTS := $(if $(findstring sanitize,$(SANITIZE)),$(B)/obj/tests/lib/reports.o)

all: $(B)/nfqd $(B)/nfqctl $(if $(call with,update),$(B)/nfqd-fetch) $(CONSOLE_PROGRAM)

$(B)/nfqd: $(OBJ) $(REPORTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/nfqctl: $(CTL) $(B)/libnfqd.a $(REPORTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(CTL_LIBS)

# of nfqd and nfqctl only what reads answers and writes reports: libnftables is not linked
$(B)/nfqd-console: $(CONSOLE_OBJ) $(B)/libnfqctl.a $(B)/libnfqd.a $(REPORTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lmicrohttpd -lgnutls -lcrypt -lseccomp -ljansson -lcyaml -lyaml -lnettle
$(CONSOLE_OBJ): override CPPFLAGS += -Itools

# links nothing of nfqd's: it reads what strangers send
$(B)/nfqd-fetch: $(B)/obj/tools/fetch/fetch.o $(REPORTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcurl-gnutls -lseccomp

$(B)/libnfqd.a: $(ROOMS)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# once per folder; a package that is missing shows better by its name than by a header's
$(B)/deps: tools/deps
	@mkdir -p $(@D)
	$(Q)$(if $(filter no,$(DEPS)),:,tools/deps --check) && touch $@

$(B)/obj/%.o: %.c Makefile | $(B)/deps
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/nfqd/match/canary.o: nfqd/match/canary.S rules/canary.yaml
$(B)/obj/nfqd/match/never_builtin.o: nfqd/match/never_builtin.S rules/never.yaml
$(B)/obj/nfqd/prober/messages.o: nfqd/prober/messages.S nfqd/prober/hello.bin nfqd/prober/initial.bin
$(B)/obj/tools/console/assets.o: tools/console/assets.S $(addprefix tools/console/,style.css live.js icon.svg) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDEN) -c -o $@ $<
$(B)/obj/nfqd/capture/prefilter_object.o: nfqd/capture/prefilter_object.S $(PREFILTER_OBJECT)
$(DATA):
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDEN) -DPREFILTER_OBJECT='"$(PREFILTER_OBJECT)"' -c -o $@ $<

$(B)/obj/nfqd/capture/prefilter.bpf.o: nfqd/capture/prefilter.bpf.c $(addprefix nfqd/,capture/prefilter_read.h capture/prefilter_rules.h base/label_hash.h)
	@mkdir -p $(@D)
	@echo "  BPF $<"
	$(Q)clang -target bpf -ffile-prefix-map=$(CURDIR)=. -mcpu=v3 -O2 -g -Wall -Infqd $(BPF_INCLUDES) -c -o $@ $<

# what `nfqd -V` says
$(B)/built: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(COMMIT)' | cmp -s - $@ || echo '$(VERSION) $(COMMIT)' >$@
$(B)/obj/nfqd/main.o: $(B)/built
$(B)/obj/nfqd/main.o: override CPPFLAGS += -DNFQD_COMMIT='"$(COMMIT)"' -DNFQD_WITH='"$(WITH)"' -DNFQD_LEFT_OUT='"$(LEFT_OUT)"'

# four objects know where the packs are installed
$(B)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
$(B)/options: FORCE
	@mkdir -p $(@D)
	@echo '$(WITH)' | cmp -s - $@ || echo '$(WITH)' >$@
$(OBJ) $(CTL): $(B)/options
$(B)/obj/nfqd/shared/conf.o $(B)/obj/nfqd/match/never.o $(B)/obj/tools/nfqctl/rules_packs.o $(B)/obj/tools/console/what_if.o: $(B)/prefix

$(B)/tests/%.t: tests/unit/%.c $(B)/libnfqd.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Itests/lib $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libnfqd.a -lcmocka $(LDLIBS)

$(B)/libnfqctl.a: $(filter-out %/main.o,$(CTL))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# sanitizers own malloc(): there the test takes its place in our objects only
$(B)/tests/oom/%.t: private override LDFLAGS += $(if $(findstring sanitize,$(SANITIZE)),$(patsubst %,-Wl$(,)--wrap=%,malloc calloc realloc strdup))

# a fuzz target without a fuzzer: replays its corpus
FUZZ_LIBS := -lldns $(LDLIBS) $(CTL_LIBS)
$(B)/tests/fuzz_%.t: tests/fuzz/fuzz_%.c tests/fuzz/main.c $(B)/libnfqd.a $(B)/libnfqctl.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< tests/fuzz/main.c $(B)/libnfqctl.a $(B)/libnfqd.a $(FUZZ_LIBS)

-include $(OBJ:.o=.d) $(CTL:.o=.d) $(CONSOLE_OBJ:.o=.d) $(UNIT:.t=.d)

# ---- what people call ----

deps:           ## install the Debian packages that building takes
	$(Q)tools/deps build
deps-test:      ## and those that testing takes; servers and browser are unpacked below build/
	$(Q)tools/deps build test
	$(Q)$(AS_OWNER) tools/deps --axe

run: deps       ## protect this machine and what it forwards, until Ctrl-C; prints its console's address (root)
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory all
	$(Q)tools/console/beside $(B) $(B)/nfqd -c nfqd/man/nfqd.yaml

demo:           ## show it in a minute, in namespaces of its own; CONSOLE=1 leaves its console open (root)
	$(Q)tools/deps build demo
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory all
	$(Q)CONSOLE=$(if $(filter 1,$(CONSOLE)),1) tools/lab/demo

check:          ## every test; as root with the kernel's queue and a virtual machine
	$(Q)if [ "$$(id -u)" = 0 ]; then tools/deps build test; fi
	$(Q)$(AS_OWNER) tools/deps --axe
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory test-programs
	$(Q)$(MAKE) --no-print-directory prove T="$(UNIT) $(FUZZ) $(sort $(wildcard tests/replay/run.t tests/*.t)) \
		$(sort $(wildcard tests/kernel/*.t tests/field/*.t tests/faults/*.t tests/fleet/*.t)) tests/vm/run.t"

check-unit: test-programs ## tests that need no privileges
	$(Q)$(MAKE) --no-print-directory prove T="$(UNIT) $(FUZZ) $(sort $(wildcard tests/replay/run.t tests/*.t))"
check-kernel: all ## the kernel's queue, in namespaces (root)
	$(Q)$(MAKE) --no-print-directory prove T="$(sort $(wildcard tests/kernel/*.t tests/field/*.t))"
check-prefilter: all ## the same with every question offered to the prefilter first (root)
	$(Q)$(if $(call with,prefilter),NFQD_STEER=prefilter $(MAKE) --no-print-directory check-kernel,echo 'built without clang or libbpf: there is no prefilter'; false)
check-faults: all $(FLOOD) ## what breaks, hangs or fights with us, in namespaces (root)
	$(Q)$(MAKE) --no-print-directory prove T="$(sort $(wildcard tests/faults/*.t))"
check-fleet: all ## three sensors, two hubs, PostgreSQL, and what kills each; then 50,000 records (root, minutes)
	$(Q)$(MAKE) --no-print-directory prove T="$(sort $(wildcard tests/fleet/*.t))"
	$(Q)NFQD=$(B)/nfqd NFQCTL=$(B)/nfqctl tools/bench/fleet
check-patroni: all ## three nodes of the store under Patroni, the leader killed while records flow (root, minutes)
	$(Q)tools/deps test check-patroni
	$(Q)$(MAKE) --no-print-directory prove T=tests/patroni/run.t
check-vm: all   ## the nft backend on a Debian kernel under qemu
	$(Q)$(MAKE) --no-print-directory prove T=tests/vm/run.t

test-programs: all $(UNIT) $(FUZZ) $(FLOOD)

# Two lanes, each one file after the other: what counts time, packets or processes in one, all else in the other.
LANES := -j2 --rules='seq=tests/{kernel,faults}/*' --rules='seq=**'
prove:
	$(Q)NFQD=$(B)/nfqd NFQCTL=$(B)/nfqctl CMOCKA_MESSAGE_OUTPUT=TAP prove $(LANES) $(if $(REPORTS),--exec tests/lib/reported) \
		$(if $(V),-v) $(T)

SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
asan:           ## the same tests (but the virtual machine's) with sanitizers
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory B=build/asan SANITIZE="$(SAN)" CFLAGS="-O1 -g" test-programs
	$(Q)ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 $(MAKE) --no-print-directory B=build/asan SANITIZE="$(SAN)" prove \
		T="$(UNIT:$(B)/%=build/asan/%) $(FUZZ:$(B)/%=build/asan/%) $(wildcard tests/replay/run.t) \
		$(if $(filter 0,$(shell id -u)),$(sort $(wildcard tests/kernel/*.t tests/field/*.t tests/faults/*.t)))"

# The daemon's threads and processes: unit tests, replay, and the kernel tests with real traffic. Newer kernels
# spread mappings wider than ThreadSanitizer knows: setarch -R.
TSAN_KERNEL := $(wildcard $(patsubst %,tests/kernel/%-*.t,10 20 25 35 40 50 75))
tsan:           ## the daemon under ThreadSanitizer, also in the kernel's queue (root)
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory B=build/tsan SANITIZE="-fsanitize=thread" CFLAGS="-O1 -g" test-programs
	$(Q)TSAN_OPTIONS="halt_on_error=1 exitcode=66" setarch -R $(MAKE) --no-print-directory B=build/tsan \
		SANITIZE="-fsanitize=thread" prove T="$(UNIT:$(B)/%=build/tsan/%) tests/replay/run.t \
		$(if $(filter 0,$(shell id -u)),$(TSAN_KERNEL))"

soak:           ## reloads, floods, removals, kills, rotation under sanitizers for T seconds (root, tests/soak/run)
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory B=build/asan SANITIZE="$(SAN)" CFLAGS="-O1 -g" all
	$(Q)NFQD=build/asan/nfqd NFQCTL=build/asan/nfqctl tests/soak/run $(or $(T),1800)

cover:          ## which share of each room's lines unit tests, corpora and replay reach (gcov)
	$(Q)$(MAKE) --no-print-directory B=build/cover SANITIZE=--coverage CFLAGS="-O0 -g" test-programs
	$(Q)find build/cover -name '*.gcda' -delete
	$(Q)$(MAKE) --no-print-directory B=build/cover SANITIZE=--coverage prove \
		T="$(UNIT:$(B)/%=build/cover/%) $(FUZZ:$(B)/%=build/cover/%) tests/replay/run.t tests/captures.t"
	$(Q)tools/cover build/cover

# One target under libFuzzer; what it finds goes to its corpus and so into make check. A target diff_X
# compares two readers on the corpus of X. Inputs that are only new stay in build/fuzz.
FUZZED   := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
CORPUS    = tests/fuzz/corpus/$(P:diff_%=%)
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz:           ## libFuzzer: make fuzz P=tls T=60 (clang)
	$(Q)$(MAKE) --no-print-directory build/fuzz/fuzz_$(P)
	$(Q)mkdir -p build/fuzz/corpus-$(P) $(CORPUS)
	$(Q)build/fuzz/fuzz_$(P) -max_total_time=$(or $(T),60) -max_len=20000 -print_final_stats=1 -timeout=10 \
		$(addprefix -dict=,$(wildcard tests/fuzz/dict/$(P:diff_%=%))) \
		-artifact_prefix=$(CORPUS)/ build/fuzz/corpus-$(P) $(CORPUS)
fuzz-all:       ## every target for T seconds, one after the other (.ci/fuzz for a night of it)
	$(Q)mkdir -p build; for p in $(FUZZED); do echo "== $$p"; $(MAKE) --no-print-directory fuzz P=$$p T=$(or $(T),60) \
		>build/fuzz-$$p.log 2>&1 && grep -E 'Done|number_of_exec' build/fuzz-$$p.log || \
		{ failed=1; tail -n 30 build/fuzz-$$p.log; }; done; [ -z "$$failed" ]
fuzz-objects:
	$(Q)$(MAKE) --no-print-directory B=build/fuzz CC=clang CFLAGS="-O1 -g" \
		SANITIZE="-fsanitize=address,undefined,fuzzer-no-link" build/fuzz/libnfqd.a build/fuzz/libnfqctl.a
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c fuzz-objects
	$(Q)clang $(CPPFLAGS) -std=c11 -g -O1 -DNFQD_NO_SECCOMP $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $< \
		build/fuzz/libnfqctl.a build/fuzz/libnfqd.a $(FUZZ_LIBS)

check-flood: all $(FLOOD) $(B)/bench/tcp ## 20,000 half messages a second from 50,000 addresses beside honest clients (root, four minutes)
	$(Q)tools/bench/flood --build $(B)

BENCH := $(patsubst tools/bench/%.c,$(B)/bench/%,$(wildcard tools/bench/*.c))
$(B)/bench/%: tools/bench/%.c tools/bench/load.h $(B)/libnfqd.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libnfqd.a $(LDLIBS)

bench:          ## cost beside the queue's own limit, into tools/bench/RESULTS.md (root, ten minutes)
	$(Q)tools/deps build bench
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory all $(BENCH)
	$(Q)tools/bench/run --build $(B) --write

lint: all       ## style, include rules, static analysis
	$(Q)tools/lint/run
	$(Q)tools/lint/binaries $(B)
	$(Q)tools/lint/analyze
format:         ## rewrite the sources in the house style
	$(Q)clang-format -i $(SRC) $(wildcard nfqd/*/*.h nfqd/*.h tools/nfqctl/*.[ch] tests/unit/*/*.c)

UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS := $(DESTDIR)$(UNITDIR)
USERS := $(DESTDIR)$(PREFIX)/lib/sysusers.d
NETWORKD := $(DESTDIR)$(PREFIX)/lib/systemd/network
NM    := $(DESTDIR)$(PREFIX)/lib/NetworkManager/conf.d
ROTATE := $(DESTDIR)/etc/logrotate.d/nfqd
MAN   := $(DESTDIR)$(PREFIX)/share/man
COMPLETIONS := $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/vendor-completions fish/vendor_completions.d)
# the unit, the configuration and the manual name the folders of PREFIX
PLACED := sed 's|/usr/sbin/nfqd|$(PREFIX)/sbin/nfqd|g; s|/usr/bin/nfqctl|$(PREFIX)/bin/nfqctl|g; s|/usr/share/nfqd|$(PREFIX)/share/nfqd|g; \
	s|^  - rules/|  - $(PREFIX)/share/nfqd/rules/|'

install:        ## into DESTDIR and PREFIX; an existing /etc/nfqd/nfqd.yaml stays as it is
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory all
	install -D -m 755 $(B)/nfqd $(DESTDIR)$(PREFIX)/sbin/nfqd
	install -D -m 755 $(B)/nfqctl $(DESTDIR)$(PREFIX)/bin/nfqctl
	$(if $(call with,update),install -D -m 755 $(B)/nfqd-fetch $(DESTDIR)$(PREFIX)/bin/nfqd-fetch)
	install -d $(DESTDIR)$(PREFIX)/share/nfqd/rules $(DESTDIR)/etc/nfqd $(UNITS) $(USERS) \
		$(MAN)/man1 $(MAN)/man5 $(MAN)/man8
	install -m 644 $(filter-out rules/TEMPLATE.yaml,$(wildcard rules/*.yaml)) $(DESTDIR)$(PREFIX)/share/nfqd/rules/
	install -m 644 nfqd/man/nfqd-records.schema.json $(DESTDIR)$(PREFIX)/share/nfqd/
	$(Q)for s in config pack; do $(B)/nfqd --schema $$s >$(DESTDIR)$(PREFIX)/share/nfqd/nfqd-$$s.schema.json || exit; done
	$(PLACED) nfqd/man/nfqd.8 >$(MAN)/man8/nfqd.8
	$(PLACED) nfqd/man/nfqd.yaml.5 >$(MAN)/man5/nfqd.yaml.5
	$(PLACED) nfqd/man/nfqctl.1 >$(MAN)/man1/nfqctl.1
	$(if $(CONSOLE_PROGRAM),install -D -m 755 $(B)/nfqd-console $(DESTDIR)$(PREFIX)/sbin/nfqd-console)
	$(if $(CONSOLE_PROGRAM),$(PLACED) nfqd/man/nfqd-console.8 >$(MAN)/man8/nfqd-console.8)
	$(if $(CONSOLE_PROGRAM),$(PLACED) nfqd/man/nfqd-console.service >$(UNITS)/nfqd-console.service)
	$(PLACED) nfqd/man/nfqd.service >$(UNITS)/nfqd.service
	$(PLACED) nfqd/man/nfqd-update.service >$(UNITS)/nfqd-update.service
	install -m 644 nfqd/man/nfqd-update.timer $(UNITS)/nfqd-update.timer
	$(PLACED) nfqd/man/nfqd-metrics.service >$(UNITS)/nfqd-metrics.service
	install -m 644 nfqd/man/nfqd-metrics.timer $(UNITS)/nfqd-metrics.timer
	install -d $(DESTDIR)$(PREFIX)/share/nfqd/monitoring
	install -m 644 $(wildcard tools/monitoring/*) $(DESTDIR)$(PREFIX)/share/nfqd/monitoring/
	install -d $(DESTDIR)$(PREFIX)/share/nfqd/fleet/schema
	install -m 644 $(wildcard tools/fleet/*.*) $(DESTDIR)$(PREFIX)/share/nfqd/fleet/
	install -m 644 $(wildcard tools/fleet/schema/*) $(DESTDIR)$(PREFIX)/share/nfqd/fleet/schema/
	install -m 755 tools/fleet/nfqd-fleet tools/fleet/certificates tools/fleet/policy $(DESTDIR)$(PREFIX)/share/nfqd/fleet/
	$(PLACED) nfqd/man/nfqd.yaml >$(DESTDIR)/etc/nfqd/nfqd.yaml.new
	install -m 644 nfqd/man/nfqd.sysusers $(USERS)/nfqd.conf
	install -d $(COMPLETIONS)
	$(Q)for c in $(COMPLETIONS:$(DESTDIR)$(PREFIX)/share/%=%); do case $$c in bash*) s=bash f=nfqctl ;; zsh*) s=zsh f=_nfqctl ;; \
		*) s=fish f=nfqctl.fish ;; esac; $(B)/nfqctl completion $$s >$(DESTDIR)$(PREFIX)/share/$$c/$$f || exit; done
	install -D -m 644 nfqd/man/nfqd-heartbeat.network $(NETWORKD)/10-nfqd-heartbeat.network
	install -D -m 644 nfqd/man/nfqd-heartbeat.nm.conf $(NM)/90-nfqd-heartbeat.conf
	$(Q)[ -e $(ROTATE) ] || { install -d $(dir $(ROTATE)) && $(PLACED) nfqd/man/nfqd.logrotate >$(ROTATE); }
	$(Q)cd $(DESTDIR)/etc/nfqd && if [ ! -e nfqd.yaml ]; then mv nfqd.yaml.new nfqd.yaml; \
		elif cmp -s nfqd.yaml nfqd.yaml.new; then rm nfqd.yaml.new; \
		else echo "/etc/nfqd/nfqd.yaml is kept; the packaged one is nfqd.yaml.new beside it"; fi
	$(if $(DESTDIR),,if command -v systemd-sysusers >/dev/null; then systemd-sysusers $(USERS)/nfqd.conf; \
		else for u in nfqd nfqd-resolver nfqd-prober nfqd-sightings nfqd-console; do getent passwd $$u >/dev/null || \
		useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin $$u; done; fi)

uninstall:      ## remove what install put there, but for what was changed; PURGE=yes: records, state and users, too
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/nfqd sbin/nfqd-console bin/nfqctl bin/nfqd-fetch) $(UNITS)/nfqd.service $(UNITS)/nfqd-update.service \
		$(UNITS)/nfqd-update.timer $(UNITS)/nfqd-metrics.service $(UNITS)/nfqd-metrics.timer $(USERS)/nfqd.conf \
		$(NETWORKD)/10-nfqd-heartbeat.network $(NM)/90-nfqd-heartbeat.conf \
		$(MAN)/man8/nfqd.8 $(MAN)/man8/nfqd-console.8 $(UNITS)/nfqd-console.service $(MAN)/man5/nfqd.yaml.5 $(MAN)/man1/nfqctl.1 $(DESTDIR)/etc/nfqd/nfqd.yaml.new
	rm -f $(foreach c,$(COMPLETIONS),$(addprefix $(c)/,nfqctl _nfqctl nfqctl.fish))
	rm -rf $(DESTDIR)$(PREFIX)/share/nfqd
	$(Q)for f in nfqd.logrotate:$(ROTATE) nfqd.yaml:$(DESTDIR)/etc/nfqd/nfqd.yaml; do \
		if $(PLACED) nfqd/man/$${f%%:*} | cmp -s - $${f#*:}; then rm -f $${f#*:}; fi; done
	$(if $(PURGE),rm -rf $(addprefix $(DESTDIR),/var/lib/nfqd /var/log/nfqd /run/nfqd))
	$(if $(PURGE),$(if $(DESTDIR),,for u in nfqd nfqd-resolver nfqd-prober nfqd-sightings nfqd-console; do ! getent passwd $$u >/dev/null || userdel $$u; done))
	$(Q)for d in /etc/nfqd /var/lib/nfqd /var/log/nfqd; do if [ -d $(DESTDIR)$$d ] && ! rmdir $(DESTDIR)$$d 2>/dev/null; then \
		echo "$(DESTDIR)$$d is kept: it has what was written after the installation"; fi; done

# The package is built of a copy of the sources, for dpkg wants its files at the top. Two builds of one commit have
# the same digest: dates are the changelog's.
deb:            ## the Debian package, into build/
	$(Q)if [ "$$(id -u)" = 0 ]; then tools/deps build deb; fi
	$(Q)$(AS_OWNER) $(MAKE) --no-print-directory deb-build
deb-build:
	$(Q)rm -rf build/deb && mkdir -p build/deb/nfqd
	$(Q)tar -c --exclude=./build --exclude=./.git --exclude=./tools/debian . | tar -x -C build/deb/nfqd
	$(Q)cp -R tools/debian build/deb/nfqd/debian
	$(Q)cd build/deb/nfqd && COMMIT=$(COMMIT) DEB_BUILD_OPTIONS="nocheck parallel=$(shell nproc)" \
		dpkg-buildpackage -us -uc -b -d >../log 2>&1 || { tail -n 30 ../log; exit 1; }
	$(Q)cp build/deb/nfqd_*.deb build/deb/nfqd-console_*.deb build/ && ls build/nfqd_*.deb build/nfqd-console_*.deb

.PHONY: check-arch
ARCHITECTURES := armhf s390x
check-arch:     ## a 32-bit and a big-endian build: unit, corpus and replay tests under qemu-user (half an hour)
	$(Q)tools/deps build test check-arch
	$(Q)for a in $(ARCHITECTURES); do $(AS_OWNER) tools/cross/check $$a || exit; done

check-deb: deb  ## the package in a bare Debian root: install, boot, reload, upgrade, remove (root, minutes)
	$(Q)tools/deps check-deb
	$(Q)$(MAKE) --no-print-directory prove T="tests/deb/run.t tests/deb/tried.t"

check-container: all ## tools/container's Containerfile, built and run without a registry (root, minutes)
	$(Q)tools/deps check-deb demo
	$(Q)$(MAKE) --no-print-directory prove T=tests/container/run.t

clean:          ## remove what was built (what was downloaded stays: build/vm, build/unpacked)
	rm -rf $(filter-out build/vm build/unpacked,$(wildcard build/*))

help:           ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16

.PHONY: all deps deps-test run demo check check-unit check-kernel check-prefilter check-faults check-fleet check-patroni check-flood check-vm test-programs prove asan tsan soak cover deb deb-build check-deb check-container \
	bench fuzz fuzz-all fuzz-objects lint format install uninstall clean help FORCE

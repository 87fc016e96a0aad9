# SPDX-License-Identifier: GPL-2.0-or-later
"""From the values of all rounds to the table: medians, ratios of the same round, targets."""
import os
import platform
from statistics import mean, median, quantiles

import year

NONE, BARE, NFQD, ANSWERS = "no firewall", "bare consumer", "nfqd", "nfqd with answers"
ONE_RULE, NETWORKS = "bare, one rule", "nfqd, 50,000 networks"
TRACKED, ONE_TRACKED = "no firewall, tracked", "bare, one rule, tracked"
ANOTHER = "another build"
RECORDS, UNSEEN = "nfqd, every question recorded", "nfqd without sightings"
PREFILTER = "nfqd with answers and prefilter"


class Figures:
    def __init__(self, values):
        self.values = values

    def of(self, row, system, figure):
        return self.values.get(f"{row}/{system}/{figure}", [])

    def mid(self, row, system, figure):
        return median(self.of(row, system, figure))

    def ratio(self, row, figure, a=NFQD, b=BARE):
        """The middle of the rounds' ratios: what disturbs one round disturbs both of its runs."""
        return median(x / y for x, y in zip(self.of(row, a, figure), self.of(row, b, figure)))


# title, row, figure, unit; a column for each system
TABLE = (
    ("DNS flood, daemon", "flood", "us", "µs/packet"),
    ("DNS flood, sent", "flood", "kpps", "k/s"),
    ("DNS flood, share that the daemon saw", "flood", "seen", ""),
    ("DNS, 8,000 packets waiting, daemon", "backlog", "us", "µs/packet"),
    ("DNS at 10,000 a second, daemon", "paced", "us", "µs/packet"),
    ("dnsperf, 100 at a time", "dnsperf", "qps", "queries/s"),
    ("dnsperf, daemon", "dnsperf", "us", "µs/query"),
    ("new TLS connections, daemon", "tls", "us", "µs/conn."),
    ("new TLS connections", "tls", "cps", "conn./s"),
    ("new TLS connections, queued", "tls", "queued", "packets"),
    ("hello in two segments, daemon", "tls2", "us", "µs/conn."),
    ("hello in two segments, queued", "tls2", "queued", "packets"),
    ("new QUIC connections, daemon", "quic", "us", "µs/conn."),
    ("new QUIC connections, queued", "quic", "queued", "packets"),
    ("bulk up", "up", "gbit", "Gbit/s"),
    ("bulk up, queued (two connections)", "up", "queued", "packets"),
    ("bulk down", "down", "gbit", "Gbit/s"),
    ("bulk down, queued (two connections)", "down", "queued", "packets"),
    ("DNS at 1,000 a second, p50", "latency", "p50_us", "µs"),
    ("DNS at 1,000 a second, p99", "latency", "p99_us", "µs"),
)

# all CPU time, sender and receiver included: title, row
SUMS = (("DNS, 8,000 packets waiting", "dns_all"), ("new TLS connections", "tls_all"),
        ("TCP of a connection that is allowed: 100 bytes there, 16 back", "small"),
        ("UDP of a connection that is allowed (160 bytes)", "allowed"),
        ("UDP that was never decided, let go by its number", "aged"))

# title, figure, unit; a column for each length of list
NAMES = (("ready after", "ready_s", "s"), ("list read and image built (CPU)", "built_s", "s"),
         ("image", "image_mb", "MB"), ("resident, all processes", "resident_mb", "MB"),
         ("a look-up, one name in ten listed", "ns10", "ns"), ("a look-up, half of the names listed", "ns50", "ns"),
         ("8,000 packets waiting, daemon", "flood_us", "µs/packet"), ("reload", "reload_ms", "ms"))
SIZES = (1000, 100_000, 1_000_000)


def of_year(f, unit):
    return [(command, f.mid("year", NFQD, f"{' '.join(command)} {unit}")) for command in year.COMMANDS]


def added(f, system):
    return f.mid("latency", system, "p50_us") - f.mid("latency", NONE, "p50_us")


# what is promised: title, value, "<=" or ">=", limit, and where it was measured the error; a value that cannot be had
# (row not run) is left out
TARGETS = (
    ("DNS: all CPU per packet, × bare with one rule", lambda f: f.ratio("dns_all", "all_us", NFQD, ONE_RULE), "<=", 1.12),
    ("the same where connections are tracked", lambda f: f.ratio("dns_all", "all_us", NFQD, ONE_TRACKED), "<=", 1.12),
    ("new TLS connections: all CPU, × bare with one rule", lambda f: f.ratio("tls_all", "all_us", NFQD, ONE_RULE), "<=", 1.10),
    ("the same where connections are tracked", lambda f: f.ratio("tls_all", "all_us", NFQD, ONE_TRACKED), "<=", 1.10),
    ("allowed TCP, small packets: all CPU, × no firewall", lambda f: f.ratio("small", "all_us", NFQD, NONE), "<=", 1.05),
    ("the same where connections are tracked", lambda f: f.ratio("small", "all_us", NFQD, TRACKED), "<=", 1.05),
    ("allowed UDP: all CPU, × no firewall", lambda f: f.ratio("allowed", "all_us", NFQD, NONE), "<=", 1.05),
    ("the same where connections are tracked", lambda f: f.ratio("allowed", "all_us", NFQD, TRACKED), "<=", 1.05),
    ("never-decided UDP: all CPU, × no firewall", lambda f: f.ratio("aged", "all_us", NFQD, NONE), "<=", 1.05),
    ("the same where connections are tracked", lambda f: f.ratio("aged", "all_us", NFQD, TRACKED), "<=", 1.05),
    ("never-decided UDP, 50,000 networks listed: µs more than with 200",
     lambda f: median(a - b for a, b in zip(f.of("nets", NETWORKS, "all_us"), f.of("nets", NFQD, "all_us"))), "<=", 0.1),
    ("prefilter, unlisted DNS: all CPU, × no firewall", lambda f: f.ratio("innocent", "all_us", PREFILTER, NONE), "<=", 1.2),
    ("the same where connections are tracked", lambda f: f.ratio("innocent", "all_us", PREFILTER, TRACKED), "<=", 1.2),
    ("prefilter, unlisted DNS: rate, × no firewall", lambda f: f.ratio("innocent", "kpps", PREFILTER, NONE), ">=", 0.9),
    ("prefilter, dnsperf, one name in ten listed: rate, × no firewall", lambda f: f.ratio("tenth", "qps", PREFILTER, NONE), ">=", 0.9),
    ("DNS flood: daemon µs per packet, × bare", lambda f: f.ratio("flood", "us"), "<=", 1.10),
    ("DNS backlog: daemon µs per packet, × bare", lambda f: f.ratio("backlog", "us"), "<=", 1.10),
    ("dnsperf: queries per second, × bare", lambda f: f.ratio("dnsperf", "qps"), ">=", 0.97),
    ("dnsperf: dnsmasq's CPU per query, × nfqd's", lambda f: f.ratio("dnsperf", "us", "dnsmasq", NFQD), ">=", 3),
    ("dnsperf: unbound's CPU per query, × nfqd's", lambda f: f.ratio("dnsperf", "us", "unbound", NFQD), ">=", 3),
    ("dnsperf: queries per second, × dnsmasq", lambda f: f.ratio("dnsperf", "qps", NFQD, "dnsmasq"), ">=", 3),
    ("dnsperf: queries per second, × unbound", lambda f: f.ratio("dnsperf", "qps", NFQD, "unbound"), ">=", 3),
    ("new TLS connections: daemon µs, × bare", lambda f: f.ratio("tls", "us"), "<=", 1.25),
    ("new QUIC connections: daemon µs, × bare", lambda f: f.ratio("quic", "us"), "<=", 1.25),
    ("new TLS connections: packets queued", lambda f: f.mid("tls", NFQD, "queued"), "<=", 1),
    ("hello in two segments: packets queued", lambda f: f.mid("tls2", NFQD, "queued"), "<=", 2),
    ("bulk up: packets queued per connection", lambda f: f.mid("up", NFQD, "queued") / 2, "<=", 4),
    ("bulk down: packets queued per connection", lambda f: f.mid("down", NFQD, "queued") / 2, "<=", 4),
    ("bulk up: × no firewall", lambda f: f.ratio("up", "gbit", NFQD, NONE), ">=", 0.9),
    ("bulk down: × no firewall", lambda f: f.ratio("down", "gbit", NFQD, NONE), ">=", 0.9),
    ("added latency, p50 at 1,000 a second, × bare", lambda f: added(f, NFQD) / added(f, BARE), "<=", 1.10),
    ("a million names: ready, s later than with 1,000",
     lambda f: f.mid("names1000000", NFQD, "ready_s") - f.mid("names1000", NFQD, "ready_s"), "<=", 0.8),
    ("a million names: MB more resident than with 1,000",
     lambda f: f.mid("names1000000", NFQD, "resident_mb") - f.mid("names1000", NFQD, "resident_mb"), "<=", 30),
    ("a million names: ns a look-up, one in ten listed", lambda f: f.mid("names1000000", NFQD, "ns10"), "<=", 100),
    ("a million names: daemon µs per packet, × 1,000 names",
     lambda f: median(a / b for a, b in zip(f.of("names1000000", NFQD, "flood_us"), f.of("names1000", NFQD, "flood_us"))),
     "<=", 1.10),
    ("reload of a million names in a flood: packets lost", lambda f: max(f.of("reload", NFQD, "lost")), "<=", 0),
    ("reload of a million names in a flood: worst wait, ms more than without a reload",
     lambda f: f.mid("reload", NFQD, "worst_ms") - f.mid("idle", NFQD, "worst_ms"), "<=", 5),
    ("DNS: all CPU per packet, × without sightings", lambda f: f.ratio("dns_seen", "all_us", NFQD, UNSEEN), "<=", 1.05),
    ("new TLS connections: all CPU, × without sightings", lambda f: f.ratio("tls_seen", "all_us", NFQD, UNSEEN), "<=", 1.05),
    ("DNS with 2 % listed names: all CPU but the sightings' process, × without sightings",
     lambda f: f.ratio("listed_seen", "all_us", NFQD, UNSEEN), "<=", 1.05),
    ("a year of 500 machines: MB of sightings", lambda f: f.mid("year", NFQD, "mb"), "<=", year.MAX_MB),
    ("a year of 500 machines: records a second in the last days, × in the first",
     lambda f: f.mid("year", NFQD, "ratio"), ">=", 1, lambda f: f.mid("year", NFQD, "ratio_error")),
    ("a year of 500 machines: s of the slowest command", lambda f: max(x for _, x in of_year(f, "s")), "<=", 0.3),
    ("a year of 500 machines: MB of the largest command", lambda f: max(x for _, x in of_year(f, "MB")), "<=", 20),
    ("-r: MB of capture per second of one core", lambda f: f.mid("offline", NFQD, "mb_per_cpu_s"), ">=", 500),
)


def number(x):
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


def cell(f, row, system, figure):
    values = f.of(row, system, figure)
    return f"{number(median(values))}" if values else "–"


def side_by_side(f):
    systems = (NONE, BARE, NFQD, "dnsmasq", "unbound")
    yield "| | unit | " + " | ".join(systems) + " | nfqd × bare (each round) |"
    yield "|---|---|" + "---|" * (len(systems) + 1)
    for title, row, figure, unit in TABLE:
        if not f.of(row, NFQD, figure):
            continue
        pairs = [x / y for x, y in zip(f.of(row, NFQD, figure), f.of(row, BARE, figure)) if y]
        each = f"**{median(pairs):.2f}** ({min(pairs):.2f}–{max(pairs):.2f})" if pairs else "–"
        yield f"| {title} | {unit} | " + " | ".join(cell(f, row, s, figure) for s in systems) + f" | {each} |"


def sums(f):
    columns = (NONE, TRACKED, ONE_RULE, ONE_TRACKED, BARE, NFQD)
    yield ("| all CPU, µs | no firewall | – tracked | bare, one rule | – tracked | bare, nfqd's steering | nfqd | nfqd × one rule | "
           "– tracked | nfqd × no firewall | – tracked |")
    yield "|---|" + "---|" * (len(columns) + 4)
    for title, row in SUMS:
        if f.of(row, NFQD, "all_us"):
            yield (f"| {title} | " + " | ".join(cell(f, row, s, "all_us") for s in columns) + " | " +
                   " | ".join(spread(f, row, s) for s in (ONE_RULE, ONE_TRACKED, NONE, TRACKED)) + " |")
    if f.of("nets", NETWORKS, "all_us"):
        yield (f"| the same with 50,000 networks listed | {cell(f, 'nets', NONE, 'all_us')} | – | – | – | – | "
               f"{cell(f, 'nets', NETWORKS, 'all_us')} | – | – | {spread(f, 'nets', NONE, NETWORKS)} | – |")


def spread(f, row, beside, system=NFQD):
    """The middle of the slices' ratios, and the middle half of them."""
    ratios = [x / y for x, y in zip(f.of(row, system, "all_us"), f.of(row, beside, "all_us"))]
    if len(ratios) < 2:
        return "–"
    low, middle, high = quantiles(ratios, n=4)
    return f"**{middle:.2f}** ({low:.2f}–{high:.2f})"


def per_million(f):
    yield "CPU seconds of the daemon, bare consumer → nfqd: " + ", ".join(
        f"{f.mid(row, BARE, 'us'):.1f} → {f.mid(row, NFQD, 'us'):.1f} per million {what}"
        for row, what in (("backlog", "DNS packets that wait"), ("flood", "DNS packets of a flood"),
                          ("tls", "TLS connections"), ("quic", "QUIC connections"))
        if f.of(row, NFQD, "us")) + "."


def by_names(f):
    yield "| | unit | " + " | ".join(f"{n:,} names" for n in SIZES) + " |"
    yield "|---|---|" + "---|" * len(SIZES)
    for title, figure, unit in NAMES:
        yield f"| {title} | {unit} | " + " | ".join(cell(f, f"names{n}", NFQD, figure) for n in SIZES) + " |"


def by_command(f):
    yield "| a year of 500 machines | s | MB |"
    yield "|---|---|---|"
    for (command, seconds), (_, megabytes) in zip(of_year(f, "s"), of_year(f, "MB")):
        yield f"| `nfqctl {' '.join(w for w in command if w != '--force')}` | {number(seconds)} | {number(megabytes)} |"


def others(f):
    if f.of("dnsperf", ANSWERS, "us"):
        yield (f"* With the answers judged, too (`inspect.answers`, the default), dnsperf costs nfqd "
               f"{number(f.mid('dnsperf', ANSWERS, 'us'))} µs a query, ×{f.ratio('dnsperf', 'us', ANSWERS, NFQD):.2f}, and reaches "
               f"{number(f.mid('dnsperf', ANSWERS, 'qps'))} queries a second; dnsmasq takes "
               f"{f.ratio('dnsperf', 'us', 'dnsmasq', ANSWERS):.1f}, unbound {f.ratio('dnsperf', 'us', 'unbound', ANSWERS):.1f} times its CPU.")
    if f.of("innocent", PREFILTER, "all_us") and f.of("tenth", PREFILTER, "qps"):
        yield (f"* `inspect.prefilter: bpf`: of unlisted questions {f.mid('innocent', PREFILTER, 'queued') * 100:.2g} % are queued; one "
               f"costs {number(f.mid('innocent', PREFILTER, 'all_us'))} µs of all CPU instead of "
               f"{number(f.mid('innocent', ANSWERS, 'all_us'))} ({number(f.mid('innocent', NONE, 'all_us'))} without a firewall, "
               f"{number(f.mid('innocent', TRACKED, 'all_us'))} where connections are tracked). dnsperf with one name in ten listed "
               f"reaches {number(f.mid('tenth', PREFILTER, 'qps'))} questions a second instead of "
               f"{number(f.mid('tenth', ANSWERS, 'qps'))} ({number(f.mid('tenth', NONE, 'qps'))} without a firewall).")
    if f.of("records", RECORDS, "us"):
        more = median(a - b for a, b in zip(f.of("records", RECORDS, "us"), f.of("records", NFQD, "us")))
        yield (f"* A record for every question (`log.events: all`, signed, in one file), at 10,000 a second: {number(more)} µs a "
               f"record more, ×{f.ratio('records', 'us', RECORDS, NFQD):.2f}.")
    if f.of("listed_seen", NFQD, "aside_us"):
        yield (f"* A flood in which 2 % of the names are listed: the sightings' process takes {number(mean(f.of('listed_seen', NFQD, 'aside_us')))} "
               "µs a question more, off the packet path and at a lower priority.")
    if f.of("year", NFQD, "first"):
        yield (f"* Sightings of 500 machines over {year.DAYS} days: {number(f.mid('year', NFQD, 'first'))} records a second of a core in "
               f"the first {year.PART} days, {number(f.mid('year', NFQD, 'last'))} in the last.")
    if f.of("reload", NFQD, "lost"):
        yield (f"* A million names reloaded beside 20,000 questions a second: {number(max(f.of('reload', NFQD, 'lost')))} lost; "
               f"the slowest of 2,500 timed questions took {number(f.mid('reload', NFQD, 'worst_ms'))} ms, without a reload "
               f"{number(f.mid('idle', NFQD, 'worst_ms'))} ms.")
    if f.of("threads2", NFQD, "kpps"):
        yield (f"* Two queue threads on two cores, 32 clients: ×{f.mid('threads2', NFQD, 'kpps') / f.mid('threads1', NFQD, 'kpps'):.2f} "
               "the packets per second of one.")
    if f.of("offline", NFQD, "mb_per_s"):
        yield f"* `nfqd -r`: {number(f.mid('offline', NFQD, 'mb_per_cpu_s'))} MB of capture per second of one core."


def targets(f):
    yield "| target | limit | measured | holds |"
    yield "|---|---|---|---|"
    for title, value, sense, limit, *more in TARGETS:
        try:
            x, error = value(f), more[0](f) if more else 0
        except (ValueError, ZeroDivisionError):     # no data
            continue
        slack = max(error, 0.005)
        holds = x <= limit + slack if sense == "<=" else x >= limit - slack
        measured = f"{number(x)} ± {number(error)}" if more else number(x)
        yield f"| {title} | {'≤' if sense == '<=' else '≥'} {limit:g} | {measured} | {'yes' if holds else '**no**'} |"


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="ascii") if "model name" in line), "")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def added_us(f, row, system):
    """Microseconds of a packet more than with no firewall where connections are tracked: the middle half of the slices."""
    low, middle, high = quantiles((x - y for x, y in zip(f.of(row, system, "all_us"), f.of(row, TRACKED, "all_us"))), n=4)
    return f"**{middle:+.2f}** ({low:+.2f}–{high:+.2f})"


def beside(values, args, slices, minutes):
    """The rows of all CPU time with another build of nfqd in a lab of its own."""
    f, called = Figures(values), args.called
    about = [args.about, ""] if args.about else []
    lines = [f"# All CPU time, beside {called}", "",
             f"`tools/bench/run --beside`: {machine()}, {slices} slices in {minutes:.0f} minutes.", "", *about, BESIDE_CONDITIONS, "",
             f"| all CPU | | µs | × one rule | – tracked | µs more than no firewall, tracked | nfqd × {called} |",
             "|---|---|---|---|---|---|---|"]
    for title, row in SUMS:
        if not f.of(row, ANOTHER, "all_us"):
            continue
        for system, name in ((TRACKED, TRACKED), (ONE_RULE, ONE_RULE), (ONE_TRACKED, ONE_TRACKED), (ANOTHER, called), (NFQD, NFQD)):
            judges = system in (ANOTHER, NFQD)
            ratios = [spread(f, row, b, system) if judges else "–" for b in (ONE_RULE, ONE_TRACKED)]
            more = added_us(f, row, system) if system != TRACKED else "–"
            both = spread(f, row, ANOTHER) if system == NFQD else "–"
            lines.append(f"| {title} | {name} | {cell(f, row, system, 'all_us')} | {' | '.join(ratios)} | {more} | {both} |")
    return "\n".join([*lines, ""])


def text(values, rounds, minutes):
    f = Figures(values)
    lines = ["# What nfqd costs, beside the limit of the kernel's queue", "",
             f"`make bench`: {machine()}, {rounds} rounds of alternating runs in "
             f"{minutes:.0f} minutes. Medians; ratios are of runs of the same round.", "",
             CONDITIONS, "", *targets(f), ""]
    if any(f.of(row, NFQD, "all_us") for _, row in SUMS):
        lines += [ALL_CPU, "", *sums(f), ""]
    lines += [*side_by_side(f), ""]
    if f.of("backlog", NFQD, "us"):
        lines += [*per_million(f), ""]
    if f.of("names1000", NFQD, "ns10"):
        lines += [*by_names(f), ""]
    if f.of("year", NFQD, "first"):
        lines += [*by_command(f), ""]
    if f.of("load1000", NFQD, "us"):
        lines += ["![Cost by the length of the list and by load](cost.svg)", ""]
    return "\n".join(lines + [*others(f), "", REMARKS, ""])


CONDITIONS = """\
Three network namespaces, veth, the kernel's real queue. The *bare consumer* (`bare.c`) has nfqd's steering and its way
of reading and answering the queue, and accepts everything: what it costs is what the queue costs. Both see
DNS questions, not the answers. One queue; load generators on core 0, what stands in the router on core 1 (bulk: wherever). A list of 1,000 names and 200
networks is loaded; the names also into dnsmasq and unbound, which forward without a cache; 2 % of dnsperf's questions are listed. CPU time is the daemon's own,
of all its processes (schedstat). It includes what the kernel does on its behalf: on veth, a verdict carries the packet
all the way to the receiver. Trust CPU times over rates, and ratios over both. dnsperf and the answering server take all
of core 0: no rate can be much above the column *no firewall*."""

BESIDE_CONDITIONS = """\
Each system stands in three namespaces of its own, all at the same time, and slices of a tenth of a second alternate, as in
[RESULTS.md](RESULTS.md); a ratio or a difference is of neighbouring slices: its middle, and the middle half. Both builds
have the same list of names and networks, and see questions, not answers. The bare consumer behind its one rule reads and
answers the queue with this build's code."""

ALL_CPU = """\
The honest figure is all CPU time, of sender, receiver and daemon: rules move cost between them. *Bare, one rule* is the
bare consumer behind a single rule of its own (DNS: UDP port 53 at prerouting; TLS: client segments as long as a hello);
*bare, nfqd's steering* has nfqd's whole table. *Tracked*: the same while the kernel tracks connections and no rule looks
at them, as on every router that does NAT; without that the two columns have no conntrack at all, which alone costs more than
nfqd's rules. Each system stands in three namespaces of its own, all at the same time, and slices of a tenth of a second
alternate; a ratio is of neighbouring slices: its middle, and the middle half. Unconcerned packets are 64 flows of UDP and 16 of TCP, after their beginning.
Targets are beside one rule for what is queued, beside no firewall for what is not; the table below shows the daemon's share."""

REMARKS = """\
What stands in the way where a target is missed, and what was tried:

* *All CPU.* Tracking comes first: a lookup, and for a new connection an entry. Of nfqd's own rules an allowed packet meets
  seven in two base chains, counted in instructions of Linux 6.1 (mitigations on): port 53 (81), the upper half of the
  priority (116), the label (241), three words (116, 116, 81), accept (40). A label's test costs two and a half compares:
  16 bytes are copied, masked and compared; a bit in the mark would be half of that, and somebody else's. A byte or an unaligned word
  costs twice an aligned one, `tcp flags` and `udp dport` a second compare each, a jump there and back 218, a set of addresses 370 and up.
  Tried: two labels told apart by two rules (UDP that is let go then paid 200 more); the tokens behind the label (a packet
  that waits while its connection is allowed would leave with one).
* *All CPU of a question.* Instructions of Linux 6.1 (qemu -icount, 4,096 questions): 25,800 behind one rule with tracking,
  33,600 of the steering's prototype, 31,600 now. Of the difference the rules in front of the queue are 1,200, nfqd's own
  code 3,850 (callgrind: judging 1,410, reading the question 1,160, decoding 430, finding the connection 200); the rest are
  rules behind the queue. What brought it from 32,800: counting and queueing in one rule, and one verdict for all packets of a
  burst that simply pass. Tried and left: locals set to zero cost 340 (hardening, kept); the slots of the receive buffer on
  other cache lines did not move it. Not tried, by their prices: `ct status dnat` in place of `ct original proto-dst`; TCP
  and UDP apart behind the label. [BESIDE.md](BESIDE.md) has the prototype in the same labs, in a run of its own (`run --beside`).
* *Prefilter.* Tracking alone is ×1.1 to ×1.2, so that ×1.2 beside no tracking leaves nothing for any rule. `perf record` of the
  sender, in whose time an unlisted question passes: 4.15 µs, 2.70 tracked; of the difference nft's own loop over the rules has 0.39,
  the program 0.19, nft_compat and xt_bpf 0.1, labels, priority and the search for this host's addresses 0.2, the rest lies in
  one more base chain behind it, in caches and in mitigated indirect calls. The program runs once a question. Eight expressions in front of
  it are gone (it knows itself what a question is); datagrams sent one by one instead of 32 by one call give the same ratio. An address set
  instead of `fib` would miss an address that has just come; `notrack` for what passes would end NAT; a program at
  the interface would save the rules, and pass by every chain of the administrator's.
* *Prefilter, dnsperf.* dnsperf, the answering server and the router's own path share core 0; of two seconds the daemon's packet
  thread took 0.17 and its log thread 0.05 on core 1 (schedstat), so that it is no limit of theirs. Who runs when on core 0 decides the row: on a
  machine with other work the prefilter's side had 50,000 to 62,000 questions a second where no firewall at all had 20,000 to 25,000.
  Why is not known; the row says less than the sums of CPU do.
* *QUIC.* 69,000 instructions an Initial, 141,000 before: padding is skipped by words, one HMAC state serves key, IV and
  header protection. `perf record`: 61 % kernel (queue, verdict, a new connection's entry), 20 % nettle (SHA-256 with SHA-NI 9, AES 3,
  GHASH 2), 18 % nfqd, of which no function has 3 %. Without decryption there is no name, and nettle is at the machine's instructions: ×1.25
  would want all of nfqd's own part gone.
* *DNS flood.* `perf record` of the flood: 6 % of the daemon's time is nfqd's own code (the bare consumer: 1 %), 4 % libc,
  libmnl and the like, the rest kernel; no function of ours has 1 %. What brought the ratio from 1.13 down: labels copied in
  one loop with a table (1,000 instructions a question before, 440 now), no memory of questions where answers are not
  looked at, QUIC's versions compared only with what is no good DNS. Link-time optimisation was tried and did not move it.
* *dnsperf, rates.* dnsmasq's or unbound's rate three times over is about what core 0 can ask and answer with nothing in
  the router at all: the bare consumer itself stays below three times dnsmasq's. Waking the log thread at most every 2 ms
  took a tenth off the CPU time beside it; what is left over it is mostly refusals:
  a forged answer, a record (12 instructions a byte), and the record's hash in the signed log.
* *New TLS connections.* An address is looked up in one search, whatever the number of networks: 320 instructions, 4,120
  before (with the Kaspersky pack's networks), and half of what nfqd did for a connection.
* *Hello in two segments.* The bare consumer has the same: most likely segments that were sent again before
  their verdict; no capture was looked at.
* *Sightings at the end of the year.* All that a machine called on a day is kept by day, then by machine, so that a day of
  500 machines fills a few dozen pages, whatever came before. Kept by machine, then by day, it was written into 500 places
  of each table: 5.1 page writes a record after a year, 0.8 in the first days, and ×0.68 to ×0.75 of their rate; with one
  table still so, ×0.87 to ×0.92. Now a record takes 1.3 % more instructions at the end (372,000 in the first days: one more
  level of the trees), and 9 % more page writes. Lists of all machines are summed up in one pass over the days, where SQL
  would sort them. Each of the last days is measured beside one of the first, which goes into a database of its own.
* *`preview` over a year* reads a row for each name of each machine and day, 1.7 million: 1.4 s beside load, 18.9 MB (4.0 s before the
  days were read in one pass). The last week, which it takes by itself, is what the table has.
* *Sightings, CPU.* All CPU is counted: sender, receiver, each process of nfqd (but in the row with listed names, that of the
  sightings, which the line below tells). Nothing is handed over for an unlisted name, and no process is woken for a listed
  one: its record is copied into shared memory, which the sightings' process looks at once a second. Before, each
  daemon was measured right after its start, when it makes an empty database: ×1.09 and ×1.10.
* *Look-ups in a million names.* 650 instructions and, in a nested virtual machine, an expensive TLB miss for each
  fingerprint that passes the filter. Prefetching filter and table in a first pass over the labels did not move the row."""

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nfqd-fetch: writes the content of an https URL to standard output, up to a number of bytes. A program of
 * its own, so that neither nfqd nor nfqctl links an HTTP client: it links nothing of nfqd, gives up root,
 * and can neither open a file for writing nor run a program. Its caller does not trust its output.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/landlock.h"

#define NOBODY     65534 /* owns nothing */
#define REDIRECTS  5
#define CONNECT_S  30
#define WHOLE_S    600
#define SLOW_BYTES 100 /* per second, over */
#define SLOW_S     60  /* seconds: then the transfer is aborted */

struct fetch {
	unsigned long long max, got;
	long               slow;
};

static size_t write_body(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;

	size *= n;
	if (size > f->max - f->got)
		return 0;
	f->got += size;
	return fwrite(p, 1, size, stdout) == size ? size : 0;
}

static int drop_root(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	                       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

/* What an HTTPS client does: read files, resolve, connect, wait. Everything else fails. */
static int confine(void)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
		SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
		SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(access), SCMP_SYS(faccessat),
		SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
		SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
		SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(connect), SCMP_SYS(sendto),
		SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg),
		SCMP_SYS(recvmmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
		SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(bind), SCMP_SYS(socketpair),
		SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(fcntl), SCMP_SYS(fcntl64),
		SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
		SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(getuid),
		SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom),
		SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday),
		SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield),
		SCMP_SYS(sched_getaffinity), SCMP_SYS(prlimit64), SCMP_SYS(sysinfo), SCMP_SYS(uname),
		SCMP_SYS(restart_syscall),
	};
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };
	scmp_filter_ctx  ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int              r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] >= 0) /* not every machine has every call */
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	/* files are opened only for reading */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		                     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
		                     SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return r;
}

/* Where an HTTPS client reads: names, certificates, libraries; and the certificates that it was given. */
static int confine_files(const char *ca)
{
	const char *const readable[] = { "/etc", "/usr", "/lib", "/lib64", "/run", ca, NULL };

	return landlock_confine(readable, NULL, true);
}

static CURLcode fetch(CURL *c, const char *url, const char *ca, struct fetch *f, char *why)
{
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "nfqd-fetch");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)WHOLE_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, f->slow);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, write_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	if (ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	return curl_easy_perform(c);
}

static int run(const char *url, const char *ca, unsigned long long max, long slow)
{
	struct fetch f = { .max = max, .slow = slow };
	char         why[CURL_ERROR_SIZE] = "";
	CURL        *c;
	CURLcode     r;
	int          confined = drop_root();

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c = curl_easy_init())) {
		fprintf(stderr, "nfqd-fetch: no HTTP client\n");
		return 1;
	}
	confined = confined < 0 ? confined : confine_files(ca);
#ifndef NFQD_NO_SECCOMP
	confined = confined < 0 ? confined : confine();
#else
	(void)confine;
#endif
	if (confined < 0) {
		fprintf(stderr, "nfqd-fetch: cannot give up privileges: %s\n", strerror(-confined));
		return 1;
	}
	r = fetch(c, url, ca, &f, why);
	if (r == CURLE_OK && fflush(stdout) != 0)
		r = CURLE_WRITE_ERROR;
	if (r != CURLE_OK)
		fprintf(stderr, "nfqd-fetch: %s: %s\n", url,
		        r == CURLE_FILESIZE_EXCEEDED || (r == CURLE_WRITE_ERROR && f.got < f.max + 1 && !ferror(stdout)) ?
		                "longer than it may be" : why[0] ? why : curl_easy_strerror(r));
	curl_easy_cleanup(c);
	return r == CURLE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "max", required_argument, NULL, 'm' },
		{ "ca", required_argument, NULL, 'c' },
		{ "slow", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long long max = 1 << 20;
	unsigned long      slow = SLOW_S;
	const char        *ca = NULL;
	char              *end;
	int                o;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'm') {
			max = strtoull(optarg, &end, 10);
			if (*end || max == 0)
				return 2;
		} else if (o == 's') {
			slow = strtoul(optarg, &end, 10);
			if (*end || slow == 0 || slow > WHOLE_S)
				return 2;
		} else if (o == 'c') {
			ca = optarg;
		} else {
			break;
		}
	}
	if (o != -1 || optind + 1 != argc) {
		fprintf(o == 'h' ? stdout : stderr, "usage: nfqd-fetch [--max BYTES] [--ca FILE] [--slow SECONDS] URL\n");
		return o == 'h' ? 0 : 2;
	}
	return run(argv[optind], ca, max, (long)slow);
}

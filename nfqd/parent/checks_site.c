/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configuration names: packs, folders; and the way that this host's own questions take. */
#include <arpa/inet.h>
#include <libgen.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/shell.h"
#include "parent/checks_private.h"
#include "shared/conf.h"
#include "shared/state.h"

enum { ROOM_MB = 16, PORT_DNS = 53, PORT_DOT = 853, ESTABLISHED = 1 };

/* ---- packs ---- */

static void look_at_rules(struct facts *f, const struct ruleset *rs)
{
	int64_t now = (int64_t)(clock_now() / NS_PER_S), judged = policy_present(rs, now);
	char    date[CLOCK_TEXT];

	if (judged != now) {
		clock_text_iso(now, date);
		fact_add(f, FACT_CLOCK, "%s", date);
		fact_mend(f, "timedatectl set-ntp true");
	}
	for (uint32_t i = 0; i < rs->n_packs; i++) {
		const struct rs_pack *pack = &rs->packs[i];

		if (!pack->expires || pack->expires > judged)
			continue;
		clock_text_iso(pack->expires, date);
		fact_add(f, FACT_EXPIRED, "pack %s %s (until %.10s)", rs_text(rs, pack->id),
		         rs_text(rs, pack->version), date);
		fact_mend(f, "nfqctl rules update");
	}
}

static void look_at_packs(struct facts *f, const struct conf *conf)
{
	struct err     err = { .text = "" };
	struct state   state = { .doc = NULL };
	struct image  *img;
	struct ruleset rs;

	if (conf_compile_running(conf, &(struct overlay){ .mode = conf->mode, .state = &state }, NULL, &img,
	                         &err) < 0) {
		fact_add(f, FACT_CONFIGURATION, "%s", err.text);
		return;
	}
	ruleset_open(&rs, img);
	look_at_rules(f, &rs);
	free(img);
}

/* A release is checked when it is fetched, and kept in a folder of its own. */
static void look_for_unsigned(struct facts *f, const struct conf *conf)
{
	const char *into = conf->update.into;
	size_t      n = into ? strlen(into) : 0;

	for (unsigned i = 0; conf->update.n_keys && i < conf->n_rules; i++)
		if (!into || strncmp(conf->rules[i], into, n) != 0 || conf->rules[i][n] != '/')
			fact_add(f, FACT_UNSIGNED, "%s", conf->rules[i]);
}

/* ---- folders ---- */

static void look_at_room(struct facts *f, const char *folder)
{
	struct statvfs fs;
	unsigned long  mb;
	char           word[FACT_COMMAND];

	if (statvfs(folder, &fs) < 0)
		return;
	mb = (unsigned long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20);
	if (fs.f_flag & ST_RDONLY) {
		fact_add(f, FACT_FOLDER, "%s (read-only)", folder);
		fact_mend(f, "mount -o remount,rw \"$(findmnt -no TARGET -T %s)\"",
		          shell_word(folder, word, sizeof(word)));
	} else if (mb < ROOM_MB) {
		fact_add(f, FACT_SPACE, "%s (%lu MB left)", folder, mb);
		fact_mend(f, "logrotate -f /etc/logrotate.d/nfqd");
	}
}

/* The daemon makes the last folder of a path itself. */
static void look_at_folder(struct facts *f, const char *path)
{
	char       *copy = path && path[0] == '/' ? strdup(path) : NULL;
	const char *folder;
	char        word[FACT_COMMAND];
	struct stat st;

	if (!copy)
		return;
	folder = dirname(copy);
	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode)) {
		look_at_room(f, folder);
	} else {
		char *again = strdup(folder);

		if (again && (lstat(folder, &st) == 0 || stat(dirname(again), &st) < 0 || !S_ISDIR(st.st_mode))) {
			fact_add(f, FACT_FOLDER, "%s", folder);
			fact_mend(f, "install -d -m 755 %s", shell_word(folder, word, sizeof(word)));
		}
		free(again);
	}
	free(copy);
}

static void look_at_folders(struct facts *f, const struct conf *conf)
{
	look_at_folder(f, conf->control);
	look_at_folder(f, conf->state);
	for (unsigned i = 0; i < conf->n_outputs; i++)
		look_at_folder(f, conf->outputs[i].path);
}

/* ---- the way of this host's own questions ---- */

/* Is there a connection of this host to that port? */
static bool is_connected(const char *path, unsigned port)
{
	FILE    *f = fopen(path, "re");
	char     line[512];
	unsigned remote, state;
	bool     found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d: %*[0-9A-F]:%*x %*[0-9A-F]:%4x %2x", &remote, &state) == 2 &&
		        remote == port && state == ESTABLISHED;
	if (f)
		fclose(f);
	return found;
}

/* An address as /proc writes it: words of this machine. */
static void proc_text(const struct addr *a, char out[33])
{
	for (size_t i = 0; i < a->len / 4U; i++) {
		uint32_t word;

		memcpy(&word, a->b + 4 * i, sizeof(word));
		snprintf(out + 8 * i, 9, "%08X", word);
	}
}

/* Does a socket take what is sent to that address and port? */
static bool is_served(const char *path, const struct addr *a, unsigned port)
{
	FILE    *f = fopen(path, "re");
	char     line[512], local[33], wanted[33];
	unsigned at;
	bool     found = false;

	proc_text(a, wanted);
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d: %32[0-9A-F]:%4x", local, &at) == 2 && at == port &&
		        (strcmp(local, wanted) == 0 || strspn(local, "0") == strlen(local));
	if (f)
		fclose(f);
	return found;
}

static bool is_own_address(const struct addr *a)
{
	struct sockaddr_in  v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	int                 fd = socket(a->len == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return false;
	memcpy(&v4.sin_addr, a->b, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, a->b, sizeof(v6.sin6_addr));
	r = a->len == 4 ? bind(fd, (struct sockaddr *)&v4, sizeof(v4)) : bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	close(fd);
	return r == 0;
}

/* Its address as text; "": there is none. */
static void first_resolver(char out[64])
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char  line[256];

	out[0] = '\0';
	while (f && !out[0] && fgets(line, sizeof(line), f))
		if (sscanf(line, " nameserver %63s", out) != 1)
			out[0] = '\0';
	if (f)
		fclose(f);
}

static void look_at_resolvers(struct facts *f)
{
	char        text[64];
	struct addr a;

	if (is_connected("/proc/net/tcp", PORT_DOT) || is_connected("/proc/net/tcp6", PORT_DOT))
		fact_add(f, FACT_DNS_TLS, "a program of this host");
	first_resolver(text);
	if (text[0] && addr_parse(text, &a) == 0 && is_own_address(&a) &&
	    !is_served("/proc/net/udp", &a, PORT_DNS) && !is_served("/proc/net/udp6", &a, PORT_DNS)) {
		fact_add(f, FACT_RESOLVER, "%s", text);
		fact_mend(f, "sed -i '/nameserver %s$/d' /etc/resolv.conf", text);
	}
}

/* A network needs no interface. */
void facts_of_inside(struct facts *f, char *const inside[], unsigned n)
{
	struct net net;

	for (unsigned i = 0; i < n; i++)
		if (strcmp(inside[i], "auto") != 0 && net_parse(inside[i], &net) < 0 && if_nametoindex(inside[i]) == 0)
			fact_add(f, FACT_INSIDE, "%s", inside[i]);
}

void facts_of_site(struct facts *f, const struct conf *conf)
{
	look_at_packs(f, conf);
	look_for_unsigned(f, conf);
	look_at_folders(f, conf);
	look_at_resolvers(f);
}

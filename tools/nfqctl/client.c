/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that --client names. What policies write (an address, a network, a MAC, an interface, this-machine) is
 * taken as it is; a name is looked up in the inventory of machines. A word that is neither would be an interface that
 * never comes, and a rule for nobody.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "decide/policy.h"
#include "inventory.h"
#include "nfqctl.h"

/* Letters, digits, hyphens, underscores and dots, and not an address with a mistake. */
static bool is_host_name(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;
	size_t      digits = strspn(last, "0123456789");

	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] && last[digits];
}

#ifndef NFQD_WITHOUT_SIGHTINGS

/* The MAC of a machine, which stays when its addresses change; else its address. False: it has neither, or more than
 * one address. */
static bool client_of(const json_t *machine, char *out, size_t room)
{
	const json_t *macs = json_object_get(machine, "macs"), *addresses = json_object_get(machine, "addresses");
	const char   *client = json_string_value(json_array_get(json_array_size(macs) ? macs : addresses, 0));

	if (json_array_size(macs) > 1 || (!json_array_size(macs) && json_array_size(addresses) != 1) || !client_is_plain(client))
		return false;
	snprintf(out, room, "%s", client);
	return true;
}

/* False: err says why; or nothing, when there is no inventory, which was said. */
static bool look_up(const struct nfqctl *ctl, const char *command, const char *name, char *out, size_t room, struct err *err)
{
	struct inventory  v = { 0 };
	struct sightings *s = inventory_open(ctl, &v, command + strlen("nfqctl "), false);
	json_t           *machine = s ? sightings_host(s, name, &v.which, err) : NULL;
	bool              found = machine && client_of(machine, out, room);

	if (machine && !found)
		err_set(err, "'%s' is %s, which has several addresses: name one (nfqctl host %s)", name, text_of(machine, "id"), name);
	else if (found)
		fprintf(stderr, "%s: %s is %s\n", command, text_of(machine, "id"), out);
	json_decref(machine);
	sightings_close(s);
	return found;
}

#else

static bool look_up(const struct nfqctl *ctl, const char *command, const char *name, char *out, size_t room, struct err *err)
{
	(void)ctl;
	(void)command;
	(void)out;
	(void)room;
	err_set(err, "'%s' cannot be looked up: this nfqctl was built without sightings", name);
	return false;
}

#endif

bool client_ok(const struct nfqctl *ctl, const char *command, const char **client, bool force, char out[static CLIENT_TEXT])
{
	const char *text = *client;
	struct err  err = { .text = "" };

	if (!text || client_is_plain(text) || if_nametoindex(text))
		return true;
	if (force && iface_ok(text)) {
		fprintf(stderr, "%s: '%s' is taken for an interface that is not there\n", command, text);
		return true;
	}
	if (!force && is_host_name(text) && look_up(ctl, command, text, out, CLIENT_TEXT, &err)) {
		*client = out;
		return true;
	}
	wrong_usage(command, "--client: '%s' is not an address, a network such as 10.0.0.0/8 with zero bits after the prefix, "
	            "a MAC, an interface of this machine, the name of a machine that called, or " SELF_WORD, text);
	if (err.text[0])
		wrong_usage(command, "%s", err.text);
	if (iface_ok(text))
		wrong_usage(command, "--force takes it for an interface that is not there yet");
	return false;
}

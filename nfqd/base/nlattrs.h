/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attributes of a netlink message or of a nest, by their number (libmnl). */
#ifndef NFQD_BASE_NLATTRS_H
#define NFQD_BASE_NLATTRS_H

#include <libmnl/libmnl.h>

enum { NLATTRS = 32 };

struct nlattrs {
	const struct nlattr *v[NLATTRS]; /* NULL: not there */
};

/* For mnl_attr_parse() and mnl_attr_parse_nested(); ctx is a struct nlattrs. */
static inline int nlattrs_keep(const struct nlattr *attr, void *ctx)
{
	struct nlattrs *a = ctx;

	if (mnl_attr_get_type(attr) < NLATTRS)
		a->v[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

#endif

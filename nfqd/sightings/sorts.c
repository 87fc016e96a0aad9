/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The orders of machines, also for programs that open no database. */
#include "sightings/sightings.h"

const char *const sightings_sorts[] = { "last", "first", "name", "refused", "logged", "leaked", NULL };

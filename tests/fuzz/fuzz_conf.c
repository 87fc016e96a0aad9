/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations: YAML, what the keys may be, and the image that their policies and exceptions
 * make. The packs they name are not read: an input is no way to the files of the machine.
 */
#include "file.h"

#include "shared/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err    err = {.text = ""};
	struct conf  *c = conf_load(fuzz_file(data, size), &err);
	struct image *img = NULL;
	unsigned      n;

	FUZZ_CHECK(c || err.text[0]);
	FUZZ_CHECK(memchr(err.text, '\0', sizeof(err.text)));
	if (!c)
		return 0;
	n = c->n_rules;
	c->n_rules = 0;
	if (conf_compile(c, &img, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	else
		FUZZ_CHECK(image_check(img, (size_t)img->size));
	c->n_rules = n;
	free(img);
	conf_free(c);
	return 0;
}

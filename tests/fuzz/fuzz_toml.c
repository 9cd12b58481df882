/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any text as a storage.conf: a view is added once, the text around it stays, or it is refused. */

#include "../../lib/base/buf.h"
#include "../../lib/base/toml.h"
#include "fuzz.h"

#define PATH "storage.options.additionalimagestores"

/* All bytes of before are in after, in their order. */
static void is_kept(const struct buf *before, const struct buf *after)
{
	size_t k = 0;

	for (size_t i = 0; i < after->len && k < before->len; i++)
		k += after->data[i] == before->data[k];
	FUZZ_CHECK(k == before->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped_buf struct buf text = BUF_INIT, with = BUF_INIT;
	struct toml_doc *t = NULL, *again = NULL;
	scoped_strv struct strv stores = { 0 };
	struct err e = ERR_INIT;
	const char *driver = NULL;

	buf_add(&text, data, size);
	if (toml_parse(buf_get(&text), text.len, "t", &t, &e) < 0) {
		FUZZ_CHECK(e.set && e.what[0]);
		return 0;
	}
	if (toml_str(t, "storage.driver", "t", &driver, &e) < 0)
		FUZZ_CHECK(e.set);
	if (toml_add_str(t, PATH, "/v", "t", &with, &e) == 0) {
		is_kept(&text, &with);
		FUZZ_CHECK(toml_parse(buf_get(&with), with.len, "t", &again, &e) == 0);
		FUZZ_CHECK(toml_strs(again, PATH, "t", &stores, &e) == 0);
		FUZZ_CHECK(strv_has(&stores, "/v"));
	}
	toml_free(again);
	toml_free(t);
	return 0;
}

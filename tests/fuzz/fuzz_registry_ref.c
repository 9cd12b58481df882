/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name of an image in a registry: printed, it is read as the same name again. */

#include "../../lib/registry/registry_ref.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), print[REF_TEXT], again[REF_TEXT];
	struct registry_ref ref, other;
	struct err e = ERR_INIT;

	FUZZ_CHECK(text);
	if (registry_ref_parse(text, &ref, &e) == 0) {
		(void)registry_ref_text(&ref, print);
		FUZZ_CHECK(registry_ref_parse(print, &other, &e) == 0);
		FUZZ_CHECK(!strcmp(print, registry_ref_text(&other, again)));
		/* It becomes a part of an address as it is. */
		FUZZ_CHECK(!strpbrk(ref.path, "%?#&@: \\\r\n") && !strstr(ref.path, ".."));
		FUZZ_CHECK(!strpbrk(ref.tag, "/%?#&@: \\\r\n"));
		FUZZ_CHECK(!strpbrk(ref.host, "/%?#&@ \\\r\n"));
	} else {
		FUZZ_CHECK(e.usage && e.what[0] && e.hint[0]);
		FUZZ_CHECK(!registry_ref_is_meant(text));
	}
	free(text);
	return 0;
}

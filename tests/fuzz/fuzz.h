/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the fuzzer, or replay.c for files that were found before, calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define FUZZ_CHECK(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

/* A target that wants its input as a string: FUZZ(text) { ... } */
#define FUZZ(text) \
	static void fuzz_text(const char *text); \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{ \
		char *copy = strndup((const char *)data, size); \
		if (copy) \
			fuzz_text(copy); \
		free(copy); \
		return 0; \
	} \
	static void fuzz_text(const char *text)

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_REGISTRY_REF_H
#define REGISTRY_REGISTRY_REF_H

#include <stdbool.h>

#include "../base/err.h"
#include "../tar/digest.h"

enum {
	REF_HOST = 262, /* 255 characters, ":", a port and NUL */
	REF_PATH = 256,
	REF_TAG = 129,
};

/* The name of an image in a registry, in the grammar of distribution/reference. */
struct registry_ref {
	char host[REF_HOST]; /* with its port if the name has one: "quay.io", "[::1]:5000" */
	char path[REF_PATH]; /* the repository: "library/debian" */
	char tag[REF_TAG];   /* "latest" if the name has neither tag nor digest; else "" if it has
	                        no tag */
	bool has_digest;
	struct digest digest;
	bool guessed_host; /* the name has no host: it is docker.io */
};

/*
 * Parse a name of the form [HOST[:PORT]/]PATH[:TAG][@DIGEST]. As docker and podman do, the part
 * before the first slash is a host if it has a dot or a colon, or is "localhost"; else the host is
 * docker.io, where a path of one component is below library/. Returns 0, or -EINVAL with e filled
 * (a usage error) that names the part at fault.
 */
MUST_CHECK int registry_ref_parse(const char *s, struct registry_ref *ret, struct err *e);

/*
 * Is a word without a prefix, which is not the name of a file, meant as the name of an image in a
 * registry? It must say so by a tag, a digest or a host, so that the misspelt name of a file is not
 * asked of a registry.
 */
bool registry_ref_is_meant(const char *word);

/* Write "HOST/PATH:TAG@DIGEST" into buf, and return buf. */
enum { REF_TEXT = REF_HOST + REF_PATH + REF_TAG + DIGEST_TEXT + 4 };
const char *registry_ref_text(const struct registry_ref *r, char buf[static REF_TEXT]);

#endif

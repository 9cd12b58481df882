/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_advice: say what a source that cannot be opened may have meant. */

#include "source_advice.h"

#include <string.h>

#include "../base/buf.h"

#define UNPACK "shiftbox image-unpack"

/* The transports of skopeo for images that are not files. */
static const char *const transports[] = { "docker://", "docker-daemon:", "containers-storage:" };

static const char *after(const char *spec, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(spec, prefix, n) ? NULL : spec + n;
}

/* The last part of a reference: "debian:12" of "quay.io/library/debian:12". */
static const char *short_name(const char *ref)
{
	const char *slash = strrchr(ref, '/');

	return slash ? slash + 1 : ref;
}

/* Could a registry have this name? Paths and names of files do not count. */
static bool is_reference(const char *spec)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/:@"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *dot = strrchr(short_name(spec), '.');

	if (!*spec || *spec == '/' || *spec == '.' || spec[strspn(spec, letters)] ||
		strlen(spec) > 255)
		return false;
	return !dot || strchr(dot, ':') || (dot[1] >= '0' && dot[1] <= '9');
}

/* Copy the image with this name of skopeo's, and unpack it. */
static void fetch(const char *transport, const char *ref, struct err *e)
{
	const char *name = short_name(ref);
	int base = (int)strcspn(name, ":@");

	err_try(e, "skopeo copy %s%s oci:%.*s, then " UNPACK " -N %s oci:%.*s", transport, ref,
		base, name, strchr(name, '@') ? "NAME" : name, base, name);
}

void source_advise_missing(const char *spec, struct err *e)
{
	const char *ref = after(spec, "registry:"), *path = after(spec, "oci:");
	const char *digest = path ? strstr(path, "@sha") : NULL, *url = after(spec, "file://");

	for (size_t i = 0; i < ARRAY_LEN(transports) && !ref; i++) {
		const char *rest = after(spec, transports[i]);

		if (rest && *rest) {
			err_why(e,
				"image-unpack reads files; skopeo copies images of registries "
				"and daemons into files");
			fetch(transports[i], rest, e);
			return;
		}
	}
	if (url || (path && !strncmp(path, "//", 2)))
		err_try(e, "write the path alone: %s%s",
			url ? "" : "oci:", (url ? url : path) + (url ? 0 : strspn(path, "/")));
	else if (digest)
		err_try(e, "a digest follows a colon: oci:%.*s:%s", (int)(digest - path), path,
			digest + 1);
	else if (path || after(spec, "dir:") || strstr(spec, "-archive:") || after(spec, "layer:"))
		err_try(e, "check the name: namei PATH shows how much of it exists");
	else if (ref || is_reference(spec))
		fetch("docker://", ref ? ref : spec, e);
	else
		err_try(e,
			"check the name (namei PATH shows how much of it exists); fetch an "
			"image from a registry first: skopeo copy docker://NAME oci:DIR");
}

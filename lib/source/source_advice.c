/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_advice: say what a source that cannot be opened may have meant. */

#include "source_advice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/hint.h"
#include "../base/path.h"
#include "source_word.h"

#define UNPACK "shiftbox image-unpack"

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

/* What image-unpack is to do with the image. */
struct unpacking {
	const char *option, *value; /* value: NULL for the name of the image; "": has none */
};

/* Unpack the image with this name of skopeo's, which copies it first if it is in no registry. */
static void fetch(const char *transport, const char *ref, const struct unpacking *u, struct err *e)
{
	const char *name = short_name(ref);
	int base = (int)strcspn(name, ":@");
	const char *value = u->value ? u->value : strchr(name, '@') ? "NAME" : name;

	if (!strcmp(transport, "docker://")) {
		err_try(e, UNPACK " %s%s%s docker://%s", u->option, *value ? " " : "", value, ref);
		return;
	}
	err_try(e, "skopeo copy %s%s oci:%.*s, then " UNPACK " %s%s%s oci:%.*s", transport, ref,
		base, name, u->option, *value ? " " : "", value, base, name);
}

/* As fetch(), for a name with the transport before it. */
static bool fetch_transport(const char *spec, const struct unpacking *u, struct err *e)
{
	const struct source_word *w = source_word_find_any_case(spec);
	const char *rest;

	if (!source_word_is_fetched(w))
		return false;
	rest = spec + strlen(w->word);
	rest += strspn(rest, "/");
	fetch(w->transport, *rest ? rest : "NAME", u, e);
	return true;
}

void source_advise_fetch(const char *name, struct err *e)
{
	const struct unpacking u = { "-N", NULL };

	if (!fetch_transport(name, &u, e) && is_reference(name))
		fetch("docker://", name, &u, e);
}

/* The longest part of "PATH:REF" before a colon that exists; NULL if none does. */
static char *existing_part(const char *spec, struct stat *ret)
{
	for (size_t n = strlen(spec); n-- > 1;) {
		char *path = spec[n] == ':' ? strndup(spec, n) : NULL;

		if (path && path_stat(path, true, ret) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static bool is_layout(const char *dir)
{
	scoped_buf struct buf file = BUF_INIT;
	struct stat st;

	buf_printf(&file, "%s/oci-layout", dir);
	return buf_get(&file) && path_stat(file.data, true, &st) == 0;
}

bool source_is_partly_there(const char *spec)
{
	struct stat st;
	scoped_free char *path = existing_part(spec, &st);

	return path;
}

bool source_is_there(const char *path)
{
	struct stat st;

	return path_stat(path, true, &st) == 0 && (S_ISREG(st.st_mode) || is_layout(path));
}

/*
 * "FILE:REF": a reference needs the name of the format, so that a colon may be part of a name.
 * named: spec followed "oci:"
 */
static bool has_reference(const char *spec, bool named, const struct unpacking *u, struct err *e)
{
	struct stat st;
	scoped_free char *path = existing_part(spec, &st);
	const char *value = u->value ? u->value : "NAME", *format = "oci-archive", *other = "";

	if (!path || (S_ISDIR(st.st_mode) && (named || (is_reference(spec) && !is_layout(path)))))
		return false;
	if (S_ISDIR(st.st_mode)) {
		format = "oci";
	} else if (strchr(spec + strlen(path) + 1, ':')) {
		format = "docker-archive"; /* docker save writes "NAME:TAG" */
		other = " (of an OCI archive: oci-archive:FILE:REF)";
	} else {
		other = " (of docker save: docker-archive:FILE:REF)";
	}
	err_why(e,
		named ? "'%s' is a file, and oci: is for directories" :
			"'%s' exists, but a reference follows only a source that names its format",
		path);
	err_try(e, UNPACK " %s%s%s %s:%s%s", u->option, *value ? " " : "", value, format, spec,
		other);
	return true;
}

/* "OCI:DIR": prefixes are written in lower case. */
static bool has_capitals(const char *spec, struct err *e)
{
	const struct source_word *w = source_word_find_any_case(spec);

	if (!w || source_word_find(spec))
		return false;
	err_try(e, "did you mean %s%s?", w->word, spec + strlen(w->word));
	return true;
}

void source_advise_missing(const char *spec, const char *option, const char *value, struct err *e)
{
	const struct unpacking u = { option, value };
	const char *path = after(spec, "oci:"), *digest = path ? strstr(path, "@sha") : NULL;
	const char *url = after(spec, "file://");

	if (fetch_transport(spec, &u, e)) {
		if (e && strstr(e->hint, "skopeo"))
			err_why(e,
				"image-unpack reads files and registries; skopeo copies images of "
				"daemons into files");
		return;
	}
	if (has_capitals(spec, e) || (!url && has_reference(path ? path : spec, path, &u, e)))
		return;
	if (url || (path && !strncmp(path, "//", 2)))
		err_try(e, "write the path alone: %s%s",
			url ? "" : "oci:", (url ? url : path) + (url ? 0 : strspn(path, "/")));
	else if (digest)
		err_try(e, "a digest follows a colon: oci:%.*s:%s", (int)(digest - path), path,
			digest + 1);
	else if (source_word_find(spec))
		hint_fill(e);
	else if (is_reference(spec))
		fetch("docker://", spec, &u, e);
	else
		hint_try(e,
			"check the name (namei %s shows how much of it exists); read an "
			"image from a registry with docker://NAME");
}

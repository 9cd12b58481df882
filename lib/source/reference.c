/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reference: the names of images as podman and docker write them. */

#include "reference.h"

#include <string.h>

enum { NAME_MAX_BYTES = 255, TAG_MAX = 128 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Is the text, of n bytes, made of letters that are separated as a path of a reference is? */
static bool path_part_ok(const char *s, size_t n)
{
	static const char letters[] = LOWER DIGITS;

	while (n > 0) {
		size_t k = strspn(s, letters), gap;

		if (!k)
			return false;
		if (k >= n)
			return true;
		s += k;
		n -= k;
		gap = *s == '-' ? strspn(s, "-") : *s == '_' && s[1] == '_' ? 2 : 1;
		if (!strchr("-_.", *s) || gap >= n)
			return false;
		s += gap;
		n -= gap;
	}
	return false;
}

/* Of PATH[:TAG]: sets *ret_tag to the tag, or to NULL. */
static bool path_ok(const char *s, const char **ret_tag)
{
	const char *colon = strchr(s, ':'), *end = strchrnul(s, ':');
	bool ok;

	do {
		const char *slash = memchr(s, '/', (size_t)(end - s));

		ok = path_part_ok(s, (size_t)((slash ? slash : end) - s));
		s = slash ? slash + 1 : end;
	} while (ok && s < end);
	*ret_tag = colon ? colon + 1 : NULL;
	if (!colon)
		return ok && s[-1] != '/';
	colon++;
	return ok && end[-1] != '/' && strlen(colon) <= TAG_MAX &&
		strspn(colon, LOWER UPPER DIGITS "_") > 0 &&
		strspn(colon, LOWER UPPER DIGITS "_.-") == strlen(colon);
}

/* Is the text, of n bytes, a host with a dot, or localhost, and perhaps a port? */
static bool host_ok(const char *s, size_t n)
{
	const char *port = memchr(s, ':', n);
	size_t host = port ? (size_t)(port - s) : n;
	bool dot = memchr(s, '.', host);

	if (port && (strspn(port + 1, DIGITS) != n - host - 1 || n - host < 2))
		return false;
	/* podman also takes "debian:12/slim" for a path on the host debian, port 12. */
	if (!dot && !(host == 9 && !memcmp(s, "localhost", host)))
		return false;
	if (!host || strspn(s, LOWER UPPER DIGITS ".-") < host)
		return false;
	for (size_t i = 0; i < host; i++)
		if ((s[i] == '.' || s[i] == '-') &&
			(i == 0 || i + 1 == host || s[i - 1] == '.' ||
				(s[i] == '.' && s[i - 1] == '-')))
			return false;
	return true;
}

static bool is_whole(const char *text, const char **ret_path, const char **ret_tag)
{
	const char *slash = strchr(text, '/');

	if (!slash || strlen(text) > NAME_MAX_BYTES || !host_ok(text, (size_t)(slash - text)))
		return false;
	*ret_path = slash + 1;
	return path_ok(slash + 1, ret_tag);
}

bool reference_is_whole(const char *text)
{
	const char *path, *tag;

	return is_whole(text, &path, &tag);
}

bool reference_for_podman(const char *name, struct buf *ret)
{
	static const char docker[] = "docker.io/";
	const char *path = name, *tag = NULL;

	if (is_whole(name, &path, &tag)) {
		buf_add(ret, name, (size_t)(path - name));
		if (!strncmp(name, docker, strlen(docker)) && !strchr(path, '/'))
			buf_str(ret, "library/");
	} else if (!strchr(name, '/') && path_ok(name, &tag)) {
		buf_str(ret, "localhost/");
	} else {
		return false;
	}
	buf_str(ret, path);
	if (!tag)
		buf_str(ret, ":latest");
	return true;
}

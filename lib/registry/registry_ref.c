/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* registry_ref: parse the names of images in registries. */

#include "registry_ref.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/num.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A part of the text that is parsed. */
struct piece {
	const char *s;
	size_t n;
};

static bool is_made_of(struct piece p, const char *letters)
{
	for (size_t i = 0; i < p.n; i++)
		if (!p.s[i] || !strchr(letters, p.s[i]))
			return false;
	return true;
}

/* Labels of letters, digits and inner hyphens, with dots between them. */
static bool is_host_name(struct piece p)
{
	bool inner = false; /* the previous character is a letter or digit */

	if (!p.n || !is_made_of(p, LOWER UPPER DIGITS "-."))
		return false;
	for (size_t i = 0; i < p.n; i++) {
		bool plain = p.s[i] != '-' && p.s[i] != '.';

		if (!plain && !inner && (p.s[i] == '.' || !i || p.s[i - 1] == '.'))
			return false;
		if (p.s[i] == '.' && i && p.s[i - 1] == '-')
			return false;
		inner = plain;
	}
	return inner;
}

/* HOST, [IPV6], and :PORT after either. */
static int check_host(struct piece p, const char *text, struct err *e)
{
	struct piece name = p;
	const char *end = p.n && *p.s == '[' ? memchr(p.s, ']', p.n) : NULL;
	const char *colon = memchr(end ? end : p.s, ':', p.n - (size_t)((end ? end : p.s) - p.s));
	uint64_t port;

	if (colon)
		name.n = (size_t)(colon - p.s);
	if (colon && (num_u64_n(colon + 1, p.n - name.n - 1, &port) < 0 || !port || port > 65535))
		return err_usage_try(e, "write a number from 1 to 65535 after HOST:",
			"'%s': the port of the registry is not valid", text);
	if (p.n >= REF_HOST)
		return err_usage_try(
			e, "check the name", "'%.80s...': the registry's name is too long", text);
	if (end ? end + 1 == p.s + name.n && name.n > 3 &&
				is_made_of((struct piece){ p.s + 1, name.n - 2 },
					"abcdefABCDEF" DIGITS ":.") :
		  is_host_name(name))
		return 0;
	return err_usage_try(e, "write HOST[:PORT]/PATH[:TAG], such as quay.io/podman/hello:latest",
		"'%s': the name of the registry is not valid", text);
}

/*
 * A component of a path: lower-case letters and digits, with ".", "_", "__" or any number of "-"
 * between them.
 */
static bool is_component(struct piece p)
{
	size_t marks = 0;

	if (!p.n || !is_made_of(p, LOWER DIGITS "._-"))
		return false;
	for (size_t i = 0; i < p.n; i++) {
		if (!strchr("._-", p.s[i])) {
			marks = 0;
			continue;
		}
		if (!i || i + 1 == p.n || (marks && p.s[i] != p.s[i - 1]) ||
			(p.s[i] == '.' && marks) || (p.s[i] == '_' && marks == 2))
			return false;
		marks++;
	}
	return true;
}

static int check_path(struct piece p, const char *text, struct err *e)
{
	struct piece part = { p.s, 0 };

	for (size_t i = 0; i <= p.n; i++) {
		if (i < p.n && p.s[i] != '/')
			continue;
		part.n = (size_t)(p.s + i - part.s);
		if (!is_component(part)) {
			(void)err_usage_try(e, "check the name",
				"'%s': '%.*s' is not a valid part of the name of an image", text,
				(int)part.n, part.s);
			if (!is_made_of(part, LOWER DIGITS "._-") &&
				is_made_of(part, LOWER UPPER DIGITS "._-"))
				err_try(e, "write the name in lower case");
			return -EINVAL;
		}
		part.s = p.s + i + 1;
	}
	return 0;
}

static int take_tag(struct piece p, const char *text, struct registry_ref *ret, struct err *e)
{
	if (!p.n || p.n >= REF_TAG || !is_made_of(p, LOWER UPPER DIGITS "_.-") ||
		strchr(".-", *p.s))
		return err_usage_try(e, "write PATH:TAG, or omit the colon",
			"'%s': '%.*s' is not a valid tag", text, (int)(p.n < 200 ? p.n : 200), p.s);
	memcpy(ret->tag, p.s, p.n);
	ret->tag[p.n] = '\0';
	return 0;
}

static bool is_host(struct piece p)
{
	return memchr(p.s, '.', p.n) || memchr(p.s, ':', p.n) ||
		(p.n == strlen("localhost") && !memcmp(p.s, "localhost", p.n));
}

/* Cut the host off the front of *p, and store it. */
static int take_host(struct piece *p, const char *text, struct registry_ref *ret, struct err *e)
{
	const char *slash = memchr(p->s, '/', p->n);
	struct piece host = { p->s, slash ? (size_t)(slash - p->s) : 0 };
	int r;

	ret->guessed_host = !slash || !is_host(host);
	if (ret->guessed_host) {
		(void)snprintf(ret->host, sizeof(ret->host), "docker.io"); /* fits */
		return 0;
	}
	r = check_host(host, text, e);
	if (r < 0)
		return r;
	memcpy(ret->host, host.s, host.n);
	ret->host[host.n] = '\0';
	/* The hub's old name, which docker replaces, too. */
	if (!strcmp(ret->host, "index.docker.io"))
		(void)snprintf(ret->host, sizeof(ret->host), "docker.io"); /* fits */
	p->s += host.n + 1;
	p->n -= host.n + 1;
	return 0;
}

static int take_path(struct piece p, const char *text, struct registry_ref *ret, struct err *e)
{
	bool official = !strcmp(ret->host, "docker.io") && !memchr(p.s, '/', p.n);
	int r = check_path(p, text, e);

	if (r < 0)
		return r;
	if (p.n + strlen("library/") >= REF_PATH)
		return err_usage_try(e, "check the name",
			"'%.80s...': the name of the image is longer than %d characters", text,
			REF_PATH - 1 - (int)strlen("library/"));
	(void)snprintf(ret->path, sizeof(ret->path), "%s%.*s", official ? "library/" : "", (int)p.n,
		p.s); /* fits */
	return 0;
}

int registry_ref_parse(const char *s, struct registry_ref *ret, struct err *e)
{
	struct registry_ref ref = { .has_digest = false };
	const char *at = strchr(s, '@'), *slash, *colon;
	struct piece p = { s, at ? (size_t)(at - s) : strlen(s) };
	int r = 0;

	if (!*s)
		return err_usage_try(
			e, "write docker://HOST/PATH:TAG", "the name of the image is missing");
	if (at) {
		r = digest_parse(at + 1, s, &ref.digest, e);
		if (r < 0)
			return err_usage_try(e, "write @sha256: and 64 digits, or @sha512: and 128",
				"'%.300s': the digest after @ is not valid", s);
		ref.has_digest = true;
	}
	slash = memrchr(p.s, '/', p.n);
	colon = memrchr(p.s, ':', p.n);
	if (colon && (!slash || colon > slash)) {
		r = take_tag(
			(struct piece){ colon + 1, (size_t)(p.s + p.n - colon - 1) }, s, &ref, e);
		p.n = (size_t)(colon - p.s);
	} else if (!ref.has_digest) {
		(void)snprintf(ref.tag, sizeof(ref.tag), "latest"); /* fits */
	}
	if (r == 0)
		r = take_host(&p, s, &ref, e);
	if (r == 0)
		r = take_path(p, s, &ref, e);
	if (r < 0)
		return r;

	*ret = ref;
	return 0;
}

bool registry_ref_is_meant(const char *word)
{
	struct registry_ref ref;
	const char *slash = strrchr(word, '/');

	if (registry_ref_parse(word, &ref, NULL) < 0)
		return false;
	return !ref.guessed_host || ref.has_digest || strchr(slash ? slash : word, ':');
}

const char *registry_ref_text(const struct registry_ref *r, char buf[static REF_TEXT])
{
	char digest[DIGEST_TEXT] = "";

	if (r->has_digest)
		(void)digest_text(&r->digest, digest);
	(void)snprintf(buf, REF_TEXT, "%s/%s%s%s%s%s", r->host, r->path, *r->tag ? ":" : "", r->tag,
		*digest ? "@" : "", digest); /* fits */
	return buf;
}

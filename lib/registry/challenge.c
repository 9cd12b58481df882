/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* challenge: parse the header WWW-Authenticate. */

#include "challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2: the characters of a token. */
static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* A parameter: its name in the header, and where its value goes; to is NULL: it is skipped. */
struct param {
	const char *name;
	size_t n;
	char *to;
	size_t size;
};

static size_t skip_blanks(const char **s)
{
	size_t n = strspn(*s, " \t");

	*s += n;
	return n;
}

static void skip_commas(const char **s)
{
	*s += strspn(*s, " \t,");
}

/* Store one character of a value. Returns -EINVAL if there is no room for it and a NUL. */
static int store(const struct param *p, size_t *len, char c)
{
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return -EINVAL;
	if (!p->to)
		return 0;
	if (*len + 1 >= p->size)
		return -EINVAL;
	p->to[(*len)++] = c;
	return 0;
}

/* Read the value of a parameter, a token or a quoted string. */
static int read_value(const char **s, const struct param *p)
{
	bool quoted = **s == '"';
	const char *at = *s + quoted;
	size_t len = 0, n = 0;
	int r = 0;

	for (; *at && (quoted ? *at != '"' : strchr(token_chars, *at) != NULL); at++, n++) {
		if (quoted && *at == '\\' && !*++at)
			return -EINVAL;
		r = store(p, &len, *at);
		if (r < 0)
			return r;
	}
	if (quoted ? *at != '"' : !n)
		return -EINVAL;
	if (p->to)
		p->to[len] = '\0';
	*s = at + quoted;
	return 0;
}

static struct param param_for(struct challenge *c, const char *name, size_t n)
{
	const struct param known[] = {
		{ "realm", 5, c->realm, sizeof(c->realm) },
		{ "service", 7, c->service, sizeof(c->service) },
		{ "scope", 5, c->scope, sizeof(c->scope) },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (n == known[i].n && !strncasecmp(name, known[i].name, n))
			return known[i];
	return (struct param){ name, n, NULL, 0 };
}

/* The length of a name before "=", which makes it a parameter's; or 0. */
static size_t param_name(const char *s, const char **ret_value)
{
	size_t n = strspn(s, token_chars);
	const char *after = s + n;

	skip_blanks(&after);
	if (!n || *after != '=' || after[1] == '=')
		return 0;
	after++;
	skip_blanks(&after);
	*ret_value = after;
	return *after && *after != ',' ? n : 0;
}

/* Read the parameters of a challenge into c; none is skipped in front of the next scheme. */
static int read_params(const char **s, struct challenge *c)
{
	const char *value;
	size_t n;

	for (;;) {
		struct param p;
		int r;

		skip_commas(s);
		n = param_name(*s, &value);
		if (!n)
			return 0;
		p = param_for(c, *s, n);
		*s = value;
		r = read_value(s, &p);
		if (r < 0)
			return r;
		skip_blanks(s);
		if (**s && **s != ',')
			return -EINVAL;
	}
}

/* Skip what some schemes (Negotiate) have instead of parameters. */
static void skip_token68(const char **s)
{
	const char *value, *at = *s;

	at += strspn(at, token_chars);
	at += strspn(at, "/");
	while (*at && (strchr(token_chars, *at) || *at == '/'))
		at++;
	at += strspn(at, "=");
	skip_blanks(&at);
	if (!param_name(*s, &value) && (!*at || *at == ','))
		*s = at;
}

int challenge_add(struct challenge *c, const char *header)
{
	struct challenge own = *c;
	const char *s = header;

	for (;;) {
		struct challenge one = { .basic = false };
		const char *scheme;
		size_t n;
		int r;

		skip_commas(&s);
		if (!*s)
			break;
		scheme = s;
		n = strspn(s, token_chars);
		s += n;
		if (!n || (!skip_blanks(&s) && *s && *s != ','))
			return -EINVAL;
		if (*s && *s != ',')
			skip_token68(&s);
		r = read_params(&s, &one);
		if (r < 0)
			return r;
		if (n == strlen("Basic") && !strncasecmp(scheme, "Basic", n))
			own.basic = true;
		if (n != strlen("Bearer") || strncasecmp(scheme, "Bearer", n) != 0 || own.bearer)
			continue;
		one.bearer = true;
		one.basic = own.basic;
		own = one;
	}
	if (own.bearer && !own.realm[0])
		return -EINVAL;

	*c = own;
	return 0;
}

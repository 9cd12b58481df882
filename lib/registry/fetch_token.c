/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fetch_token: prove to the registry who the caller is (distribution's auth/token.md, oauth.md). */

#include "fetch_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/json.h"

enum {
	TOKEN_DOCUMENT = 256 << 10,
	TOKEN_SECONDS = 60, /* what a token without expires_in is good for */
	TOKEN_MARGIN = 10,  /* it is renewed so long before its end */
};

static int64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return t.tv_sec;
}

bool fetch_is_insecure(const struct fetch_shared *s, const char *url)
{
	char host[HTTP_HOST];

	return s->o->insecure && strv_has(s->o->insecure, http_host(url, host));
}

static int collect(void *arg, const struct http_answer *a, const void *p, size_t n)
{
	struct buf *b = arg;

	(void)a;
	if (b->len + n > TOKEN_DOCUMENT)
		return -EFBIG;
	buf_add(b, p, n);
	return b->oom ? -ENOMEM : 0;
}

/* One parameter for each of the scopes, which have blanks between them. */
static int add_scopes(struct buf *b, const char *scopes)
{
	char copy[1024], *rest = copy, *one;
	int r = 0;

	(void)snprintf(copy, sizeof(copy), "%s", scopes); /* fits */
	while (r == 0 && (one = strsep(&rest, " ")))
		if (*one)
			r = http_form_add(b, "scope", one);
	return r;
}

/* Make the query of GET, or with an identity token the form of POST. */
static int make_form(const struct fetch_auth *a, struct buf *b)
{
	int r = 0;

	if (a->credential->kind == CREDENTIAL_TOKEN) {
		r = http_form_add(b, "grant_type", "refresh_token");
		if (r == 0)
			r = http_form_add(b, "client_id", "shiftbox");
		if (r == 0)
			r = http_form_add(b, "refresh_token", a->credential->secret);
	}
	if (r == 0 && a->service[0])
		r = http_form_add(b, "service", a->service);
	return r == 0 ? add_scopes(b, a->scope) : r;
}

/* Take the token out of the answer. */
static enum fetch_end take_token(struct fetch_auth *a, const struct buf *b)
{
	scoped_json struct json *j = NULL;
	const char *token = NULL;
	uint64_t seconds = 0;
	size_t n;

	if (!b->len || doc_parse(b->data, b->len, "token", &j, NULL) < 0 ||
		doc_str(j, "token", "token", false, &token, NULL) < 0)
		return FETCH_TOKEN_TEXT;
	if (!token && doc_str(j, "access_token", "token", false, &token, NULL) < 0)
		return FETCH_TOKEN_TEXT;
	n = token ? strlen(token) : 0;
	if (!n || n >= sizeof(a->token) || strpbrk(token, "\r\n"))
		return FETCH_TOKEN_TEXT;
	if (doc_u64(j, "expires_in", "token", false, &seconds, NULL) < 0 || !seconds)
		seconds = TOKEN_SECONDS;
	if (seconds > INT32_MAX)
		seconds = INT32_MAX;
	memcpy(a->token, token, n + 1);
	a->kind = HTTP_BEARER;
	a->version++;
	a->expires = now() +
		(int64_t)(seconds > 4 * TOKEN_MARGIN ? seconds - TOKEN_MARGIN : seconds * 3 / 4);
	return FETCH_DONE;
}

static void say_failure(
	struct fetch_report *report, const char *url, const struct http_answer *answer)
{
	(void)http_host(url, report->host);
	report->status = (uint32_t)answer->status;
	report->retry_after = answer->retry_after;
	report->failure = answer->curl ? (uint32_t)http_failure(answer) : HTTP_CUT;
	memcpy(report->words, answer->words, sizeof(report->words));
}

/* Ask the token server for a token. The lock is held. */
static enum fetch_end renew(struct fetch_shared *s, struct http *h, struct fetch_report *report)
{
	struct fetch_auth *a = &s->auth;
	scoped_buf struct buf form = BUF_INIT, url = BUF_INIT, body = BUF_INIT;
	bool post = a->credential->kind == CREDENTIAL_TOKEN;
	struct http_call c = { .body = collect, .arg = &body };
	struct http_answer answer;
	enum fetch_end end;

	if (http_is_plain(a->realm) && !fetch_is_insecure(s, a->realm)) {
		(void)http_host(a->realm, report->host);
		return FETCH_TOKEN_PLAIN;
	}
	if (make_form(a, &form) < 0)
		return FETCH_MEMORY;
	buf_str(&url, a->realm);
	if (!post && form.len)
		buf_printf(&url, "%c%s", strchr(a->realm, '?') ? '&' : '?', form.data);
	if (!buf_get(&url))
		return FETCH_MEMORY;
	c.url = url.data;
	c.post = post ? form.data : NULL;
	c.plain = c.no_verify = fetch_is_insecure(s, a->realm);
	if (a->credential->kind == CREDENTIAL_PASSWORD) {
		c.auth = HTTP_BASIC;
		c.user = a->credential->user;
		c.secret = a->credential->secret;
	}
	report->credential = a->credential->kind;
	http_call(h, &c, &answer);
	end = answer.curl || answer.status != 200 ? FETCH_TOKEN : take_token(a, &body);
	if (end != FETCH_DONE)
		say_failure(report, c.url, &answer);
	if (end == FETCH_TOKEN && (answer.status == 401 || answer.status == 403))
		end = a->credential->kind == CREDENTIAL_NONE ? FETCH_LOGIN : FETCH_DENIED;
	if (body.len)
		explicit_bzero(body.data, body.len);
	if (form.len)
		explicit_bzero(form.data, form.len);
	return end;
}

static void make_pass(const struct fetch_auth *a, struct fetch_pass *ret)
{
	ret->kind = a->kind;
	ret->version = a->version;
	ret->user[0] = '\0';
	if (a->kind == HTTP_BASIC)
		memcpy(ret->user, a->credential->user, sizeof(ret->user));
	memcpy(ret->secret, a->kind == HTTP_BASIC ? a->credential->secret : a->token,
		sizeof(ret->secret));
}

enum fetch_end fetch_auth_get(
	struct fetch_shared *s, struct http *h, struct fetch_pass *ret, struct fetch_report *report)
{
	struct fetch_auth *a = &s->auth;
	enum fetch_end end = FETCH_DONE;

	(void)pthread_mutex_lock(&a->lock);
	if (a->kind == HTTP_BEARER && now() >= a->expires)
		end = renew(s, h, report);
	if (end == FETCH_DONE)
		make_pass(a, ret);
	(void)pthread_mutex_unlock(&a->lock);
	return end;
}

/* The lock is held. */
static enum fetch_end answer_new(struct fetch_shared *s, struct http *h, const struct challenge *c,
	const struct fetch_pass *pass, struct fetch_report *report)
{
	struct fetch_auth *a = &s->auth;

	report->credential = a->credential->kind;
	if (c->bearer) {
		memcpy(a->realm, c->realm, sizeof(a->realm));
		memcpy(a->service, c->service, sizeof(a->service));
		memcpy(a->scope, c->scope, sizeof(a->scope));
		if (!a->scope[0])
			(void)snprintf(a->scope, sizeof(a->scope), "repository:%s:pull",
				a->path); /* fits */
		return renew(s, h, report);
	}
	if (!c->basic)
		return FETCH_CHALLENGE;
	if (a->credential->kind != CREDENTIAL_PASSWORD)
		return a->credential->kind == CREDENTIAL_NONE ? FETCH_LOGIN : FETCH_DENIED;
	if (pass->kind == HTTP_BASIC)
		return FETCH_DENIED;
	a->kind = HTTP_BASIC;
	a->version++;
	return FETCH_DONE;
}

enum fetch_end fetch_auth_answer(struct fetch_shared *s, struct http *h, const struct challenge *c,
	struct fetch_pass *pass, struct fetch_report *report)
{
	struct fetch_auth *a = &s->auth;
	enum fetch_end end = FETCH_DONE;

	(void)pthread_mutex_lock(&a->lock);
	/* Another request may have had the answer meanwhile. */
	if (a->version == pass->version)
		end = answer_new(s, h, c, pass, report);
	if (end == FETCH_DONE)
		make_pass(a, pass);
	(void)pthread_mutex_unlock(&a->lock);
	return end;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* http: one HTTP exchange, by libcurl. */

#include "http.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define CURL_DISABLE_TYPECHECK /* its macros would call the functions by their names */
#include <curl/curl.h>

#include "../base/num.h"
#include "../base/sys.h"

enum { CONNECT_SECONDS = 30, BUFFER_SIZE = 256 << 10 };

#define FUNCTIONS(X) \
	X(curl_global_init) \
	X(curl_easy_init) \
	X(curl_easy_cleanup) \
	X(curl_easy_reset) \
	X(curl_easy_setopt) \
	X(curl_easy_perform) \
	X(curl_easy_getinfo) \
	X(curl_easy_header) \
	X(curl_easy_escape) \
	X(curl_easy_strerror) \
	X(curl_free) \
	X(curl_slist_append) \
	X(curl_slist_free_all) \
	X(curl_url) \
	X(curl_url_cleanup) \
	X(curl_url_get) \
	X(curl_url_set)

/* The types come from libcurl's header, so that wrong calls do not compile. */
static struct {
	bool loaded;
#define MEMBER(f) __typeof__(f) *f;
	FUNCTIONS(MEMBER)
#undef MEMBER
} lc;

struct http {
	CURL *easy;
	const struct http_options *o;
	struct buf ca; /* the system's certificates and those of o */
};

/* The call that is being made. */
struct exchange {
	const struct http_call *call;
	struct http_answer *a;
	CURL *easy;
	bool begun, ended;
};

static void *open_library(void)
{
	/* The first is Debian's libcurl4, and that of other systems; both have the same functions.
	 */
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };
	void *so = NULL;

	for (size_t i = 0; !so && i < ARRAY_LEN(names); i++)
		so = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return so;
}

int http_load(struct err *e)
{
	static const struct {
		const char *name;
		size_t off;
	} table[] = {
#define ROW(f) { #f, offsetof(__typeof__(lc), f) },
		FUNCTIONS(ROW)
#undef ROW
	};
	void *so;

	if (lc.loaded)
		return 0;
	assert(sys_is_home());
	so = open_library();
	if (!so) {
		(void)err_say(e, ELIBACC, NULL, "cannot load libcurl: %s", dlerror());
		err_try(e, "install it: apt-get install libcurl4");
		return -ELIBACC;
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		void *f = dlsym(so, table[i].name);

		if (!f)
			return err_say(e, ELIBACC, NULL, "this libcurl is too old: it has no %s()",
				table[i].name);
		memcpy((char *)&lc + table[i].off, &f, sizeof(f));
	}
	if (lc.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_say(e, ELIBACC, NULL, "cannot initialise libcurl");
	lc.loaded = true; /* it stays loaded: unloading gains nothing */
	return 0;
}

/*
 * libcurl trusts either its own file of certificates or a given text, so the text of both is put
 * together.
 */
static int join_certificates(struct http *h, struct err *e)
{
	char *file = NULL;
	FILE *f;
	char part[4096];
	size_t n;

	(void)lc.curl_easy_getinfo(h->easy, CURLINFO_CAINFO, &file);
	f = file ? fopen(file, "re") : NULL;
	while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(&h->ca, part, n);
	if (f)
		(void)fclose(
			f); /* only read; without the system's certificates, fewer are trusted */
	buf_char(&h->ca, '\n');
	buf_add(&h->ca, h->o->ca->data, h->o->ca->len);
	return buf_get(&h->ca) ? 0 : err_nomem(e);
}

int http_new(const struct http_options *o, struct http **ret, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	int r = http_load(e);

	if (r == 0 && (!h || !(h->easy = lc.curl_easy_init())))
		r = err_nomem(e);
	if (r == 0) {
		h->o = o;
		if (o->ca && o->ca->len)
			r = join_certificates(h, e);
	}
	if (r < 0) {
		http_free(h);
		return r;
	}

	*ret = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->easy)
		lc.curl_easy_cleanup(h->easy);
	buf_done(&h->ca);
	free(h);
}

/* Header i of this name, or NULL. */
static const char *header(CURL *easy, const char *name, size_t i)
{
	struct curl_header *h;

	return lc.curl_easy_header(easy, name, i, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value :
										       NULL;
}

/* Content-Range: bytes START-END/SIZE. Returns -EINVAL for anything else. */
static int range_start(const char *s, uint64_t *ret)
{
	static const char unit[] = "bytes ";
	size_t n;

	if (!s || strncasecmp(s, unit, strlen(unit)) != 0)
		return -EINVAL;
	s += strlen(unit);
	n = strcspn(s, "-");
	return s[n] == '-' ? num_u64_n(s, n, ret) : -EINVAL;
}

/* Fill what the header says. */
static void begin(struct exchange *x)
{
	struct http_answer *a = x->a;
	curl_off_t length = -1;

	if (x->begun)
		return;
	x->begun = true;
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &a->status);
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	a->has_length = length >= 0;
	a->length = length >= 0 ? (uint64_t)length : 0;
	/* A 206 that does not say where it begins is not one that was asked for. */
	if (a->status == 206 &&
		range_start(header(x->easy, "Content-Range", 0), &a->range_start) < 0)
		a->range_start = UINT64_MAX;
}

static size_t write_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	begin(x);
	x->ended = x->call->body && x->call->body(x->call->arg, x->a, p, size * n) != 0;
	return x->ended ? 0 : size * n;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	/* An address that is too long is dropped, not cut. */
	if (n < size)
		memcpy(to, from ? from : "", n + 1);
}

static bool set_blob(CURL *easy, CURLoption option, const struct buf *b)
{
	struct curl_blob blob = { .flags = CURL_BLOB_NOCOPY };

	if (!b || !b->len)
		return true;
	blob.data = b->data;
	blob.len = b->len;
	return lc.curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

#define SET(option, value) (lc.curl_easy_setopt(h->easy, option, value) == CURLE_OK)

/* The scheme of the environment's proxies may be any; that of the address must be one of these. */
static bool set_connection(struct http *h, const struct http_call *c)
{
	bool ok = SET(CURLOPT_URL, c->url) &&
		SET(CURLOPT_PROTOCOLS_STR, c->plain ? "http,https" : "https") &&
		SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
		SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
		SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) &&
		SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
		SET(CURLOPT_LOW_SPEED_TIME, h->o->stall_seconds) &&
		SET(CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
		SET(CURLOPT_USERAGENT, "shiftbox/" VERSION) &&
		SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

	if (c->no_verify)
		ok = ok && SET(CURLOPT_SSL_VERIFYPEER, 0L) && SET(CURLOPT_SSL_VERIFYHOST, 0L);
	if (c->present)
		ok = ok && set_blob(h->easy, CURLOPT_SSLCERT_BLOB, h->o->cert) &&
			set_blob(h->easy, CURLOPT_SSLKEY_BLOB, h->o->key);
	return ok && set_blob(h->easy, CURLOPT_CAINFO_BLOB, &h->ca);
}

static bool set_request(struct http *h, const struct http_call *c, struct curl_slist **headers)
{
	char range[32];
	scoped_buf struct buf accept = BUF_INIT;
	bool ok = true;

	if (c->accept) {
		buf_printf(&accept, "Accept: %s", c->accept);
		*headers = buf_get(&accept) ? lc.curl_slist_append(NULL, accept.data) : NULL;
		ok = *headers && SET(CURLOPT_HTTPHEADER, *headers);
	}
	if (c->offset) {
		(void)snprintf(range, sizeof(range), "%llu-", (unsigned long long)c->offset);
		ok = ok && SET(CURLOPT_RANGE, range); /* it is copied */
	}
	if (c->post)
		ok = ok && SET(CURLOPT_POSTFIELDS, c->post);
	if (c->auth == HTTP_BEARER)
		ok = ok && SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) &&
			SET(CURLOPT_XOAUTH2_BEARER, c->secret);
	else if (c->auth == HTTP_BASIC)
		ok = ok && SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) &&
			SET(CURLOPT_USERNAME, c->user) && SET(CURLOPT_PASSWORD, c->secret);
	return ok;
}

/* Fill what is known at the end. */
static void finish(struct exchange *x, CURLcode code, const char *words)
{
	struct http_answer *a = x->a;
	curl_off_t after = 0;
	long connects = 0;
	char *location = NULL, *ip = NULL;
	const char *s;

	begin(x);
	a->curl = (int)code;
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_IP, &ip);
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after);
	(void)lc.curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &location);
	a->connected = a->status || (code != CURLE_COULDNT_CONNECT && connects && ip && *ip);
	a->retry_after = after > 0 ? (uint32_t)(after < UINT32_MAX ? after : UINT32_MAX) : 0;
	copy(a->location, sizeof(a->location), location);
	copy(a->next, sizeof(a->next), header(x->easy, "Link", 0));
	for (size_t i = 0; a->status == 401 && (s = header(x->easy, "WWW-Authenticate", i)); i++)
		(void)challenge_add(&a->challenge, s); /* without it, nothing can be answered */
	if (code != CURLE_OK)
		(void)snprintf(a->words, sizeof(a->words), "%s",
			*words ? words : lc.curl_easy_strerror(code)); /* for people */
}

void http_call(struct http *h, const struct http_call *c, struct http_answer *ret)
{
	struct exchange x = { .call = c, .a = ret, .easy = h->easy };
	struct curl_slist *headers = NULL;
	char words[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OUT_OF_MEMORY;

	*ret = (struct http_answer){ .curl = 0 };
	lc.curl_easy_reset(h->easy); /* its connections stay */
	if (set_connection(h, c) && set_request(h, c, &headers) &&
		SET(CURLOPT_ERRORBUFFER, words) && SET(CURLOPT_WRITEFUNCTION, write_body) &&
		SET(CURLOPT_WRITEDATA, &x))
		code = lc.curl_easy_perform(h->easy);
	finish(&x, code, words);
	/* What refers to this function's variables, and secrets. */
	lc.curl_easy_reset(h->easy);
	lc.curl_slist_free_all(headers);
}

enum http_failure http_failure(const struct http_answer *a)
{
	switch (a->curl) {
	case CURLE_WRITE_ERROR:
		return HTTP_ENDED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_NO_HOST;
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_NO_PROXY;
	case CURLE_COULDNT_CONNECT:
		return HTTP_UNREACHED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_UNTRUSTED;
	case CURLE_SSL_CONNECT_ERROR:
		return HTTP_TLS;
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_AGAIN:
		return HTTP_CUT;
	default:
		return HTTP_FAILED;
	}
}

/* Get one part of an address; the caller frees it with curl_free(). NULL: it has none. */
static char *url_part(const char *url, CURLUPart part, unsigned flags)
{
	CURLU *u = lc.curl_url();
	char *s = NULL;

	if (u && lc.curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
		(void)lc.curl_url_get(u, part, &s, flags);
	lc.curl_url_cleanup(u);
	return s;
}

bool http_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	bool same = true;

	for (size_t i = 0; same && i < ARRAY_LEN(parts); i++) {
		char *x = url_part(a, parts[i], CURLU_DEFAULT_PORT);
		char *y = url_part(b, parts[i], CURLU_DEFAULT_PORT);

		same = x && y && !strcasecmp(x, y);
		lc.curl_free(x);
		lc.curl_free(y);
	}
	return same;
}

bool http_is_plain(const char *url)
{
	return !strncasecmp(url, "http:", strlen("http:"));
}

const char *http_host(const char *url, char buf[static HTTP_HOST])
{
	char *host = url_part(url, CURLUPART_HOST, 0), *port = url_part(url, CURLUPART_PORT, 0);

	/* No host has a longer name. */
	(void)snprintf(
		buf, HTTP_HOST, "%s%s%s", host ? host : "", port ? ":" : "", port ? port : "");
	lc.curl_free(host);
	lc.curl_free(port);
	return buf;
}

int http_form_add(struct buf *b, const char *name, const char *value)
{
	char *s = lc.curl_easy_escape(NULL, value, 0);

	if (!s)
		return -ENOMEM;
	buf_printf(b, "%s%s=%s", b->len ? "&" : "", name, s);
	lc.curl_free(s);
	return buf_get(b) ? 0 : -ENOMEM;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fetch_transfer: serve one request, through redirects, challenges and broken connections. */

#include "fetch_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../base/fd.h"
#include "../base/json.h"

enum {
	MAX_REDIRECTS = 5,
	MAX_CHALLENGES = 2, /* one more than it takes: another request may have renewed the token */
	ERROR_BODY = 16 << 10,
	PROGRESS = 1 << 20, /* after so many bytes the tries begin anew */
	FIRST_WAIT_MS = 500,
	LONGEST_WAIT_MS = 30000,
	LONGEST_RETRY_AFTER = 300, /* seconds that a server may ask to wait */
};

/* distribution-spec: manifests are sent only in the forms that the client accepts. */
static const char manifest_types[] = "application/vnd.oci.image.index.v1+json, "
				     "application/vnd.oci.image.manifest.v1+json, "
				     "application/vnd.docker.distribution.manifest.list.v2+json, "
				     "application/vnd.docker.distribution.manifest.v2+json";

struct transfer {
	struct fetch_shared *s;
	struct http *h;
	const struct fetch_request *q;
	int data;
	struct fetch_report *report;
	struct buf document;  /* unless it is a blob */
	struct buf error;     /* the body of an error */
	uint64_t done;        /* bytes of the blob that were written, behind q->offset */
	uint64_t skip;        /* bytes of this body that were written before */
	bool begun;           /* some of this body has arrived */
	enum fetch_end ended; /* by body() */
};

static uint64_t position(const struct transfer *t)
{
	return t->q->offset + t->done;
}

static int end_with(struct transfer *t, enum fetch_end end)
{
	t->ended = end;
	return -1;
}

/* Is the length in the header that of the blob? */
static bool is_right_length(const struct transfer *t, const struct http_answer *a)
{
	uint64_t want = t->q->size - (a->status == 206 ? position(t) : 0);

	if (!a->has_length || t->q->size == BLOB_SIZE_UNKNOWN || a->length == want)
		return true;
	t->report->length = t->q->size - want + a->length;
	return false;
}

/* A server may ignore Range, and send the blob from its beginning. */
static int begin_blob(struct transfer *t, const struct http_answer *a)
{
	t->begun = true;
	t->skip = a->status == 200 ? position(t) : 0;
	if (a->status == 206 && a->range_start != position(t))
		return end_with(t, FETCH_RANGE);
	return is_right_length(t, a) ? 0 : end_with(t, FETCH_LENGTH);
}

static int take_blob(struct transfer *t, const struct http_answer *a, const char *p, size_t n)
{
	size_t skip;

	if (!t->begun && begin_blob(t, a) < 0)
		return -1;
	skip = t->skip < n ? (size_t)t->skip : n;
	t->skip -= skip;
	p += skip;
	n -= skip;
	if (t->q->size != BLOB_SIZE_UNKNOWN && n > t->q->size - position(t)) {
		t->report->length = position(t) + n;
		return end_with(t, FETCH_LENGTH);
	}
	if (n && fd_write_all(t->data, p, n) < 0)
		return end_with(t, FETCH_STOPPED);
	t->done += n;
	return 0;
}

/* This is http_call.body. */
static int body(void *arg, const struct http_answer *a, const void *p, size_t n)
{
	struct transfer *t = arg;

	if (a->status != 200 && a->status != 206) {
		if (t->error.len < ERROR_BODY)
			buf_add(&t->error, p, n);
		return 0;
	}
	if (t->q->kind == FETCH_BLOB)
		return take_blob(t, a, p, n);
	if (t->document.len + n > FETCH_DOCUMENT_MAX)
		return end_with(t, FETCH_TOO_LONG);
	buf_add(&t->document, p, n);
	return t->document.oom ? end_with(t, FETCH_MEMORY) : 0;
}

/* The server of the registry's name. */
static void base_address(struct transfer *t, char *buf, size_t size)
{
	const char *host = t->s->o->ref.host;
	bool plain;

	(void)pthread_mutex_lock(&t->s->lock);
	plain = t->s->plain;
	(void)pthread_mutex_unlock(&t->s->lock);
	(void)snprintf(buf, size, "%s://%s", plain ? "http" : "https",
		strcmp(host, "docker.io") ? host : "registry-1.docker.io"); /* fits */
}

/* Make one exchange, without its redirects. */
static void exchange(struct transfer *t, const char *url, bool own, bool plain,
	const struct fetch_pass *pass, struct http_answer *a)
{
	const bool insecure = fetch_is_insecure(t->s, url);
	const struct http_call c = {
		.url = url,
		.accept = t->q->kind == FETCH_MANIFEST ? manifest_types : NULL,
		/* Another server must not learn who the caller is. */
		.auth = own ? pass->kind : HTTP_ANONYMOUS,
		.user = pass->user,
		.secret = pass->secret,
		.offset = t->q->kind == FETCH_BLOB ? position(t) : 0,
		.plain = insecure || plain,
		.no_verify = insecure,
		.present = own,
		.body = body,
		.arg = t,
	};

	buf_reset(&t->document);
	buf_reset(&t->error);
	t->begun = false;
	t->ended = FETCH_DONE;
	http_call(t->h, &c, a);
}

static bool is_redirect(const struct http_answer *a)
{
	return !a->curl && a->status >= 301 && a->status <= 308 && a->location[0];
}

/* Exchanges until an answer is one that counts. Returns FETCH_DONE with *a, or why there is none.
 */
static enum fetch_end attempt(struct transfer *t, struct http_answer *a)
{
	char base[HTTP_HOST], url[HTTP_URL];
	static __thread struct fetch_pass pass; /* large */
	unsigned redirects = 0, challenges = 0;
	enum fetch_end end = fetch_auth_get(t->s, t->h, &pass, t->report);

	base_address(t, base, sizeof(base));
	(void)snprintf(url, sizeof(url), "%s%s", base, t->q->path); /* fits */
	while (end == FETCH_DONE) {
		bool own = http_same_origin(url, base), plain = http_is_plain(url);

		exchange(t, url, own, plain, &pass, a);
		(void)http_host(url, t->report->host);
		if (is_redirect(a)) {
			if (++redirects > MAX_REDIRECTS)
				return FETCH_REDIRECTS;
			if (!plain && http_is_plain(a->location))
				return FETCH_PLAIN;
			memcpy(url, a->location, sizeof(url));
		} else if (!a->curl && a->status == 401 && own) {
			if (++challenges > MAX_CHALLENGES)
				return t->s->auth.credential->kind == CREDENTIAL_NONE ?
					FETCH_LOGIN :
					FETCH_DENIED;
			end = fetch_auth_answer(t->s, t->h, &a->challenge, &pass, t->report);
		} else {
			break;
		}
	}
	return end;
}

/* What the registry says about an error: {"errors":[{"code":...,"message":...}]}. */
static void take_words(struct transfer *t)
{
	scoped_json struct json *j = NULL;
	const struct json *list, *item;
	const char *text = NULL;

	if (!t->error.len || doc_parse(t->error.data, t->error.len, "", &j, NULL) < 0 ||
		doc_array(j, "errors", "", true, &list, NULL) < 0 || !doc_len(list) ||
		doc_item_object(list, 0, "errors", "", &item, NULL) < 0 ||
		doc_str(item, "message", "", false, &text, NULL) < 0 || !text)
		return;
	(void)snprintf(t->report->words, sizeof(t->report->words), "%s", text); /* for people */
}

/* What an answer means. */
static enum fetch_end judge(struct transfer *t, const struct http_answer *a)
{
	struct fetch_report *report = t->report;

	report->status = (uint32_t)a->status;
	report->retry_after = a->retry_after;
	if (t->ended != FETCH_DONE)
		return t->ended;
	if (a->curl) {
		report->failure = http_failure(a);
		memcpy(report->words, a->words, sizeof(report->words));
		return FETCH_NETWORK;
	}
	if (a->status == 416 && position(t))
		return FETCH_RANGE;
	if (a->status != 200 && a->status != 206) {
		take_words(t);
		return a->status == 401 ? FETCH_DENIED : FETCH_STATUS;
	}
	if (t->q->kind != FETCH_BLOB || t->q->size == BLOB_SIZE_UNKNOWN ||
		position(t) == t->q->size)
		return FETCH_DONE;
	if (!is_right_length(t, a))
		return FETCH_LENGTH;
	/* HTTP/1.0 without a length: the end of the connection is the end of the body. */
	report->failure = HTTP_CUT;
	(void)snprintf(report->words, sizeof(report->words),
		"the connection was closed before the end"); /* fits */
	return FETCH_NETWORK;
}

/* Status codes that may be another the next time. */
static bool is_passing_status(uint32_t status)
{
	static const uint32_t codes[] = { 408, 425, 429, 500, 502, 503, 504 };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i] == status)
			return true;
	return false;
}

/* Is it worth another try? reached: this server has been reached before. */
static bool is_passing(enum fetch_end end, const struct fetch_report *r, bool reached)
{
	bool network = r->failure == HTTP_CUT ||
		(reached && (r->failure == HTTP_UNREACHED || r->failure == HTTP_NO_HOST));

	if (end == FETCH_STATUS)
		return is_passing_status(r->status);
	if (end == FETCH_TOKEN && r->status)
		return is_passing_status(r->status);
	return (end == FETCH_NETWORK || end == FETCH_TOKEN) && network;
}

/* A registry that may speak http: shows it by not speaking TLS, or by not being at that port. */
static bool try_plain(struct transfer *t, enum fetch_end end)
{
	char base[HTTP_HOST];
	bool plain = false;

	base_address(t, base, sizeof(base));
	(void)pthread_mutex_lock(&t->s->lock);
	if (end != FETCH_NETWORK) {
		t->s->scheme_known = true;
	} else if (!t->s->scheme_known && !t->s->plain && fetch_is_insecure(t->s, base) &&
		(t->report->failure == HTTP_TLS || t->report->failure == HTTP_UNREACHED)) {
		t->s->plain = plain = true;
	}
	(void)pthread_mutex_unlock(&t->s->lock);
	return plain;
}

static bool was_reached(struct transfer *t)
{
	bool yes;

	(void)pthread_mutex_lock(&t->s->lock);
	yes = t->s->scheme_known;
	(void)pthread_mutex_unlock(&t->s->lock);
	return yes;
}

/* Wait before try n, from 1: as long as the server says, or longer each time. */
static void wait_before(const struct fetch_report *report, unsigned n)
{
	uint64_t ms = n < 8 ? (uint64_t)FIRST_WAIT_MS << (n - 1) : LONGEST_WAIT_MS;
	uint8_t any = 0;
	struct timespec t;

	if (ms > LONGEST_WAIT_MS)
		ms = LONGEST_WAIT_MS;
	if (report->retry_after)
		ms = report->retry_after * 1000ULL;
	/* Many machines that were refused together should not come back together. */
	if (getrandom(&any, sizeof(any), GRND_NONBLOCK) < 0)
		any = 0;
	ms += ms * any / 1024;
	t = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	(void)nanosleep(&t, NULL); /* no signal has a handler here */
}

/* RFC 8288: </v2/...>; rel="next". The path of this server between the brackets, or nothing. */
static void take_next(struct transfer *t, const char *link)
{
	size_t n = *link == '<' ? strcspn(link + 1, ">") : 0;

	if (!n || n >= sizeof(t->report->next) || link[1] != '/' || !strstr(link, "next"))
		return;
	memcpy(t->report->next, link + 1, n);
	t->report->next[n] = '\0';
}

/* Attempts until one succeeds, or no other is worth it. */
static enum fetch_end persist(struct transfer *t)
{
	struct http_answer *a = calloc(1, sizeof(*a));
	uint64_t since = 0;
	unsigned failed = 0;
	enum fetch_end end = FETCH_MEMORY;

	while (a) {
		t->report->words[0] = '\0';
		t->report->retry_after = t->report->status = t->report->failure = 0;
		end = attempt(t, a);
		if (end == FETCH_DONE)
			end = judge(t, a);
		t->report->tries++;
		if (try_plain(t, end))
			continue;
		if (t->done - since >= PROGRESS) {
			since = t->done;
			failed = 0;
		}
		if (!is_passing(end, t->report, was_reached(t)) || ++failed >= t->s->o->tries ||
			t->report->retry_after > LONGEST_RETRY_AFTER)
			break;
		wait_before(t->report, failed);
	}
	if (a && end == FETCH_DONE)
		take_next(t, a->next);
	free(a);
	return end;
}

void fetch_transfer(struct fetch_shared *s, struct http *h, const struct fetch_request *q, int data,
	struct fetch_report *report)
{
	struct transfer t = { .s = s, .h = h, .q = q, .data = data, .report = report };

	report->end = persist(&t);
	report->bytes = t.done;
	if (report->end == FETCH_DONE && q->kind != FETCH_BLOB) {
		report->bytes = t.document.len;
		if (t.document.len && fd_write_all(data, t.document.data, t.document.len) < 0)
			report->end = FETCH_STOPPED;
	}
	buf_done(&t.document);
	buf_done(&t.error);
}

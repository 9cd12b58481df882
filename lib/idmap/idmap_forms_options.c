/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms_options: parse maps in options of other commands. */

#include "forms_reader.h"

#include <stdint.h>
#include <string.h>

#include "../base/num.h"

/* The order of the fields. */
enum order {
	DISK_SEEN, /* DISK:SEEN[:COUNT] */
	UNSHARE,   /* DISK:SEEN:COUNT, or, before util-linux 2.39, SEEN,DISK,COUNT */
	MAP_MOUNT, /* [u:|g:|b:]DISK:SEEN:COUNT */
	BINDFS,    /* DISK/SEEN:@DISK/@SEEN, each for one id */
};

/*
 * Each tool names an id of the container, the namespace or the tree first, which is the disk id,
 * but for the old form of unshare(1).
 */
static const struct option {
	const char *name, *tool;
	enum order order;
	char kind;
	bool for_both; /* without an option for the other kind, this one counts for both */
} options[] = {
	{ "--uidmap", "podman", DISK_SEEN, 'u', true },
	{ "--gidmap", "podman", DISK_SEEN, 'g', true },
	{ "--userns-uid-map", "buildah", DISK_SEEN, 'u', true },
	{ "--userns-gid-map", "buildah", DISK_SEEN, 'g', true },
	{ "--map-mount", "mount-idmapped", MAP_MOUNT, 'b', false },
	{ "--map-users", "unshare", UNSHARE, 'u', false },
	{ "--map-groups", "unshare", UNSHARE, 'g', false },
	{ "--map", "bindfs", BINDFS, 'b', false },
};

static const struct option *find(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		size_t n = strlen(options[i].name);

		if (!strncmp(text, options[i].name, n) && (!text[n] || strchr("= \t\n", text[n])))
			return &options[i];
	}
	return NULL;
}

bool form_has_option(const char *text)
{
	return find(text);
}

/* Split text at each sep. Returns the number of parts, or max + 1 if there are more than max. */
static size_t split(char *text, char sep, char **ret, size_t max)
{
	size_t n = 0;

	for (bool more = true; more; n++) {
		char *end = strchr(text, sep);

		if (n == max)
			return max + 1;
		ret[n] = text;
		more = end;
		if (end) {
			*end = '\0';
			text = end + 1;
		}
	}
	return n;
}

/* DISK:SEEN[:COUNT] or, with ',' as sep, SEEN,DISK,COUNT. */
static int add_range(struct form_reader *r, char kind, char *text, char sep, bool count_needed)
{
	struct idrange x = { .count = 1 };
	uint32_t *const fields[] = { &x.disk, &x.seen, &x.count };
	char *part[3];
	size_t n = split(text, sep, part, ARRAY_LEN(part));

	if (n > 3 || n < (count_needed ? 3 : 2))
		return form_wrong(r, "a range has three numbers");
	for (size_t i = 0; i < n; i++)
		if (num_u32(part[i], fields[i]) < 0)
			return form_wrong(r, "a range has decimal numbers only");
	if (sep == ',') {
		uint32_t seen = x.disk;

		x.disk = x.seen;
		x.seen = seen;
	}
	return form_add(r, kind, &x);
}

static int add_pair(struct form_reader *r, char *text)
{
	struct idrange x = { .count = 1 };
	bool group = *text == '@';
	char *slash = strchr(text, '/');

	if (!slash)
		return form_wrong(r, "a pair is UID/UID or @GID/@GID");
	*slash++ = '\0';
	if ((*slash == '@') != group || num_u32(text + group, &x.disk) < 0 ||
		num_u32(slash + group, &x.seen) < 0)
		return form_wrong(r, "a pair is UID/UID or @GID/@GID, of decimal numbers");
	return form_add(r, group ? 'g' : 'u', &x);
}

static int add_value(struct form_reader *r, const struct option *o, char *text)
{
	char *part[16], kind = o->kind;
	size_t n;
	int x = 0;

	if (o->order == UNSHARE)
		return add_range(r, kind, text, strchr(text, ',') ? ',' : ':', true);
	if (o->order == MAP_MOUNT && text[0] && strchr("ugb", text[0]) && text[1] == ':') {
		kind = text[0];
		text += 2;
	}
	if (o->order == MAP_MOUNT)
		return add_range(r, kind, text, ':', true);
	for (char *p = text; o->order == BINDFS && *p; p++)
		*p = *p == ',' ? ':' : *p;
	n = split(text, o->order == BINDFS ? ':' : ',', part, ARRAY_LEN(part));
	if (n > ARRAY_LEN(part))
		return form_wrong(r, "an option has too many ranges");
	for (size_t i = 0; i < n && x == 0; i++)
		x = o->order == BINDFS ? add_pair(r, part[i]) :
					 add_range(r, kind, part[i], ':', false);
	return x;
}

/* Copy the ranges of one kind to the other. */
static int share(struct form_reader *r)
{
	int x = 0;

	for (size_t i = r->gid.len; i < r->uid.len && x == 0; i++)
		x = form_add(r, 'g', &r->uid.items[i]);
	for (size_t i = r->uid.len; i < r->gid.len && x == 0; i++)
		x = form_add(r, 'u', &r->gid.items[i]);
	return x;
}

int form_read_options(struct form_reader *r)
{
	bool for_both = true;
	int x = 0;

	while (x == 0 && form_next_word(r)) {
		const struct option *o = find(r->word);
		char *value = o ? r->word + strlen(o->name) : NULL;

		if (!o)
			return form_wrong(r, "each word is such an option");
		for_both &= o->for_both;
		if (*value == '=')
			value++;
		else if (form_next_word(r))
			value = r->word;
		else
			return form_wrong(r, "the value of an option is missing");
		x = add_value(r, o, value);
	}
	return x == 0 && for_both && (!r->uid.len || !r->gid.len) ? share(r) : x;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idmap_forms_json: parse the maps in JSON of OCI runtimes, Incus and LXD. */

#include "forms_reader.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "../base/json.h"

enum { JSON_LIMIT = 4 << 20 };

/* Get the member name, an id or a count, of an item of the list. */
static int get_number(const struct json *item, const char *name, const char *list, uint32_t *ret)
{
	uint64_t v = 0;
	int x = doc_u64(item, name, list, true, &v, NULL);

	if (x == 0 && v > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)v;
	return x;
}

static int read_oci_kind(struct form_reader *r, const struct json *root, const char *key, char kind)
{
	const struct json *list, *item;

	if (doc_array(root, key, key, true, &list, NULL) < 0)
		return form_wrong(r, "it has no list uidMappings or gidMappings");
	for (size_t i = 0; i < doc_len(list); i++) {
		struct idrange x;

		if (doc_item_object(list, i, key, key, &item, NULL) < 0 ||
			get_number(item, "containerID", key, &x.disk) < 0 ||
			get_number(item, "hostID", key, &x.seen) < 0 ||
			get_number(item, "size", key, &x.count) < 0)
			return form_wrong(r, "containerID, hostID and size are numbers");
		if (form_add(r, kind, &x) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The members of a mount, or a whole config.json, whose map is in "linux". */
int form_read_oci(struct form_reader *r)
{
	scoped_json struct json *root = NULL;
	const struct json *linux_part = NULL;
	int x;

	if (strlen(r->at) > JSON_LIMIT)
		return form_wrong(r, "it is too long");
	x = doc_parse(r->at, strlen(r->at), r->tool, &root, NULL);
	if (x == -ENOMEM)
		return err_nomem(r->e);
	if (x < 0 || doc_object(root, "linux", r->tool, false, &linux_part, NULL) < 0)
		return form_wrong(r, "it is not valid JSON");
	if (!linux_part)
		linux_part = root;
	x = read_oci_kind(r, linux_part, "uidMappings", 'u');
	if (x == 0)
		x = read_oci_kind(r, linux_part, "gidMappings", 'g');
	return x;
}

/* The value of volatile.idmap.current and the like. */
int form_read_incus_json(struct form_reader *r)
{
	scoped_json struct json *root = NULL;
	int x;

	if (strlen(r->at) > JSON_LIMIT)
		return form_wrong(r, "it is too long");
	x = doc_parse_array(r->at, strlen(r->at), r->tool, &root, NULL);
	if (x == -ENOMEM)
		return err_nomem(r->e);
	if (x < 0)
		return form_wrong(r, "it is not valid JSON");
	for (size_t i = 0; i < doc_len(root); i++) {
		const struct json *item;
		struct idrange range;
		bool uid, gid;

		if (doc_item_object(root, i, "map", r->tool, &item, NULL) < 0 ||
			get_number(item, "Nsid", r->tool, &range.disk) < 0 ||
			get_number(item, "Hostid", r->tool, &range.seen) < 0 ||
			get_number(item, "Maprange", r->tool, &range.count) < 0)
			return form_wrong(r, "Nsid, Hostid and Maprange are numbers");
		uid = doc_is_true(item, "Isuid");
		gid = doc_is_true(item, "Isgid");
		if (!uid && !gid)
			return form_wrong(r, "neither Isuid nor Isgid is true");
		if (form_add(r, uid && gid ? 'b' : uid ? 'u' : 'g', &range) < 0)
			return -ENOMEM;
	}
	return 0;
}

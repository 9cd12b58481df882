/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podman_names: the names of layers in podman/, and those under other maps. */

#include <stdio.h>
#include <string.h>

#include "podman_priv.h"

enum { LINK_OF_LAYER = 18 }; /* letters; those that follow are the map's */

/* The letters of a link: base32 (RFC 4648). */
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* podman chooses 26 letters at random. These are the first 130 bits of the id's hash. */
const char *podman_link(const char *id, char buf[static PODMAN_LINK])
{
	struct digest d;

	hash_bytes(id, strlen(id), &d);
	for (size_t i = 0, bit = 0; i < PODMAN_LINK - 1; i++, bit += 5) {
		unsigned two = (unsigned)d.bytes[bit / 8] << 8 | d.bytes[bit / 8 + 1];

		buf[i] = letters[two >> (11 - bit % 8) & 31];
	}
	buf[PODMAN_LINK - 1] = '\0';
	return buf;
}

bool podman_link_ok(const char *text, size_t n)
{
	return n == PODMAN_LINK - 1 && strspn(text, letters) >= n;
}

const char *podman_map_id(const char *text, const char *id, char buf[static PODMAN_ID])
{
	struct hash h;
	struct digest d;
	char hex[DIGEST_HEX];

	hash_init(&h, DIGEST_SHA256);
	hash_update(&h, text, strlen(text) + 1);
	hash_update(&h, id, strlen(id));
	hash_final(&h, &d);
	(void)snprintf(buf, PODMAN_ID, "%.64s", digest_hex(&d, hex));
	return buf;
}

/* From the link of a mounted layer, --prune knows the layer of the store, and views the map. */
const char *podman_map_link(const char *text, const char *id, char buf[static PODMAN_LINK])
{
	char of_map[PODMAN_LINK];

	(void)podman_link(id, buf);
	memcpy(buf + LINK_OF_LAYER, podman_link(text, of_map), PODMAN_LINK - 1 - LINK_OF_LAYER);
	return buf;
}

bool podman_maps_is_link(const char *link, const char *text)
{
	char of_map[PODMAN_LINK];

	return podman_link_ok(link, strlen(link)) &&
		!strncmp(link + LINK_OF_LAYER, podman_link(text, of_map),
			PODMAN_LINK - 1 - LINK_OF_LAYER);
}

int podman_link_compare(const char *a, const char *b)
{
	return strncmp(a, b, LINK_OF_LAYER);
}

const char *podman_maps_path(uint32_t uid, char buf[static PODMAN_MAPS_PATH])
{
	(void)snprintf(buf, PODMAN_MAPS_PATH, PODMAN_MAPS "/%u", uid); /* fits: 10 digits */
	return buf;
}

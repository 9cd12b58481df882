/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_ACCOUNTS_H
#define IDMAP_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Ids of users and groups of the host, as opposed to subordinate ids. These are
 *
 *   - all ids below 65536, with or without an entry: by login.defs(5), accounts have ids up to
 * 60000, and subordinate ids begin at 100000,
 *   - the ids in /etc/passwd and /etc/group, which are read once, and
 *   - a single id, if a source in nsswitch.conf(5), such as LDAP, knows it. Ranges are not looked
 * up id by id.
 */
enum { ACCOUNTS_LOW = 65536 };

/*
 * Find the first id of an account among count ids from first on, of groups or of users. Returns
 * false if there is none.
 */
bool account_in(bool group, uint32_t first, uint32_t count, uint32_t *ret);

#endif

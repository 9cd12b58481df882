/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IDMAP_ACCOUNTS_H
#define IDMAP_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which ids are those of users and groups of the host, and not subordinate ones?
 *
 *   - all below 65536, whether there is an entry today or not: login.defs(5) gives accounts the ids
 * up to 60000 and begins with subordinate ids at 100000,
 *   - those in /etc/passwd and /etc/group, which are read once, and
 *   - one id by itself, if nsswitch.conf(5) has a source that knows it (LDAP, for instance). A
 * range is not asked for id by id.
 */
enum { ACCOUNTS_LOW = 65536 };

/*
 * The first id of an account among count ids from first on; false: there is none. group: ids of
 * groups.
 */
bool account_in(bool group, uint32_t first, uint32_t count, uint32_t *ret);

#endif

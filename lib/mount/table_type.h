/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_TABLE_TYPE_H
#define MOUNT_TABLE_TYPE_H

#include <stdbool.h>

/*
 * Does mount(8) call mount.shiftbox for this type? It is "shiftbox", "shiftbox.SUBTYPE", or a list
 * of types with one of them.
 */
bool table_type_is_own(const char *type);

#endif

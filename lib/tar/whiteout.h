/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_WHITEOUT_H
#define TAR_WHITEOUT_H

/*
 * Names in layers that hide what lower layers have (OCI image-spec, layer.md, "Whiteouts"):
 * WHITEOUT_PREFIX and a name hide that name, and WHITEOUT_OPAQUE hides all in its directory. Other
 * names that begin with WHITEOUT_META are metadata of AUFS.
 */
#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

#endif

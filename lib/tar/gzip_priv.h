/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TAR_GZIP_PRIV_H
#define TAR_GZIP_PRIV_H

#include "gzip.h"

extern const struct gzip_library gzip_zlib;
#ifdef WITH_ISAL
extern const struct gzip_library gzip_isal;
#endif

#endif

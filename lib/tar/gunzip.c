/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gunzip: the libraries that decompress gzip. */

#include "gunzip.h"

#include "gunzip_priv.h"

const struct gunzip *const gunzip_all[] = {
#ifdef WITH_ISAL
	&gunzip_isal,
#endif
	&gunzip_zlib,
	NULL,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gunzip_fault: what is wrong with a gzip stream, in the same words for every library. */

#include <errno.h>

#include "gunzip_priv.h"

int gunzip_refuse(enum gunzip_fault fault, struct err *e)
{
	static const char *const texts[] = {
		[GUNZIP_BLOCK] = "the gzip stream is damaged: bad block",
		[GUNZIP_SYMBOL] = "the gzip stream is damaged: bad symbol",
		[GUNZIP_DISTANCE] = "the gzip stream is damaged: bad distance",
		[GUNZIP_HEADER] = "the gzip header is damaged",
		[GUNZIP_METHOD] = "the gzip stream uses an unknown method",
		[GUNZIP_CHECKSUM] = "the gzip stream is damaged: its checksum or length differs",
	};

	return err_say(e, EBADMSG, NULL, "%s", texts[fault]);
}

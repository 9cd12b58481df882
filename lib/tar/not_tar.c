/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* not_tar: what is it that was taken for a tar archive? */

#include "not_tar.h"

#include <stdbool.h>
#include <string.h>

#include "../base/cleanup.h"

enum { AT_MAGIC = 257 }; /* offset of "ustar" in a header, POSIX.1 and GNU */

#define TWICE "compressed data inside compressed data, and only one level is undone"

/* How files begin, as in file(1)'s magic. */
static const struct known_start {
	const char *bytes;
	size_t n;
	const char *words;
} starts[] = {
#define START(bytes, words) { bytes, sizeof(bytes) - 1, words }
	START("\177ELF", "a program or a library (ELF)"),
	START("PK\3\4", "a ZIP archive"),
	START("!<arch>\n", "an archive of ar(1), such as a Debian package"),
	START("\355\253\356\333", "an RPM package"),
	START("070701", "an archive of cpio(1)"),
	START("070702", "an archive of cpio(1)"),
	START("070707", "an archive of cpio(1)"),
	START("7z\274\257\047\034", "a 7-Zip archive"),
	START("Rar!", "a RAR archive"),
	START("hsqs", "a SquashFS filesystem, which mount-idmapped can mount"),
	START("\342\341\365\340", "an EROFS filesystem, which mount-idmapped can mount"),
	START("XFSB", "an XFS filesystem, which mount-idmapped can mount"),
	START("QFI\373", "a disk image (qcow2)"),
	START("\037\235", "data of compress(1), which is not supported"),
	START("LZIP", "data of lzip(1), which is not supported"),
	START("\037\213", TWICE),
	START("BZh", TWICE),
	START("\375\067zXZ", TWICE),
	START("\050\265\057\375", TWICE),
	START("\004\042\115\030", TWICE),
	START("%PDF-", "a PDF document"),
#undef START
};

/* Text has no control bytes but those that lay it out. */
static bool is_text(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == 0x7f || (p[i] < ' ' && !(p[i] && strchr("\t\n\r\f\033", p[i]))))
			return false;
	return n > 0;
}

static const char *text_words(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (i < n && strchr(" \t\r\n", p[i]))
		i++;
	if (i < n && (p[i] == '{' || p[i] == '['))
		return "a JSON document, such as an error message or a manifest of an image";
	if (i < n && p[i] == '<')
		return "a web page or an XML document";
	return "text";
}

static const char *words_for(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (n >= starts[i].n && !memcmp(p, starts[i].bytes, starts[i].n))
			return starts[i].words;
	return is_text(p, n) ? text_words(p, n) : NULL;
}

bool not_tar_say(const void *p, size_t n, struct err *e)
{
	const char *words;

	if (n >= AT_MAGIC + 5 && !memcmp((const char *)p + AT_MAGIC, "ustar", 5))
		return false;
	words = words_for(p, n);
	if (!words)
		return false;
	err_why(e, "it looks like %s", words);
	err_try(e,
		"specify a tar archive (plain, or compressed with gzip, bzip2, xz, zstd or lz4), "
		"or an image: see \"Sources\" in image-unpack(8)");
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mtree(5) as several programs write it, in parts and in threads. */

#include "../../lib/tar/mtree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/fd.h"
#include "mtree_show.h"
#include "test.h"

static int read_text(const char *text, size_t n, struct buf *ret, struct err *e)
{
	scoped_fd int fd = memfd_create("spec", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && fd_write_all(fd, text, n) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return mtree_read(&(struct mtree_input){ fd, "spec", MTREE_ALL, 1 }, mtree_show, ret, e);
}

struct text_case {
	const char *text, *want; /* a specification, and what mtree_show() makes of it */
};

static void must_mean(const struct text_case *c)
{
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int r = read_text(c->text, strlen(c->text), &b, &e);

	if (r || strcmp(buf_get(&b), c->want) != 0)
		test_fail(__FILE__, __LINE__, "%s: %d %s\n%s", c->text, r, e.what, buf_get(&b));
}

TEST(mtree_reads_what_other_programs_write)
{
	static const struct text_case cases[] = {
		/* NetBSD's: relative names, /set, indentation, ".." */
		{ "#\t   user: root\n/set type=file uid=0 gid=5 mode=0644\n.               "
		  "type=dir mode=0755\n"
		  "    f1          uid=3 \\\n                size=7 time=5.000000000\n    sub      "
		  "   type=dir\n        l   type=link link=../f1\n    ..\n..\n",
			" t4 0755 u0 g5\nf1 t10 0644 u3 g5 s7 5.0\nsub t4 0644 u0 g5\nsub/l t12 "
			"0644 u0 g5 ->../f1\n" },
		/* libarchive's: whole paths */
		{ "#mtree\n. type=dir\n./a/b uid=0 gid=1 mode=4755 size=1 type=file\n./dev "
		  "type=char device=native,1,3\n",
			" t4\na/b t10 4755 u0 g1 s1\ndev t2 r103\n" },
		/* go-mtree's */
		{ "#           user: root\n\n# .\n/set type=file nlink=1 mode=0664 uid=1000 "
		  "gid=100\n. size=20 type=dir mode=0775 nlink=2 tar_time=5.000000000\n"
		  "    f size=3 sha256digest=00\n..\n",
			" t4 0775 u1000 g100 5.0\nf t10 0664 u1000 g100 s3\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_mean(&cases[i]);
}

TEST(mtree_distinguishes_values_that_are_missing)
{
	static const struct text_case cases[] = {
		/* words that libarchive does not know */
		{ "#mtree\na xattr.user.k=v uid=1 \\\n  odd=1\\\n  gid=2 optional\n", "a u1 g2\n" },
		/* what is not given is not known, also behind /unset */
		{ "#mtree\na\n/set uid=7 mode=600\nb\n/unset uid\nc\n/set gid=8\nd\n/unset all\ne "
		  "size=0\n",
			"a\nb 0600 u7\nc 0600\nd 0600 g8\ne s0\n" },
		/* an owner by name is not the one that /set gives by number */
		{ "#mtree\n/set uid=99 gid=98 type=file\na uname=root gname=root\nb gname=x "
		  "uid=3\nc uname=u uid=4 gid=5\nd\n/set uname=daemon\ne\n"
		  "/set uname=u uid=6\nf\n",
			"a t10\nb t10 u3\nc t10 u4 g5\nd t10 u99 g98\ne t10 g98\nf t10 u6 g98\n" },
		{ "#mtree\ns type=socket uid=1\n", "s t14 u1\n" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_mean(&cases[i]);
}

TEST(mtree_reads_lines_and_escapes_of_any_form)
{
	static const struct text_case cases[] = {
		/* lines that end otherwise than with a newline alone */
		{ "#mtree\r\na uid=1\r\nb uid=2", "a u1\nb u2\n" },
		{ "#mtree\na uid=1 \\\n gid=2 \\\n", "a u1 g2\n" },
		/* commands of several lines, comments, names that go on */
		{ "#mtree\n/set uid=7 gid=8\n/unset nlink \\\n uid\n# \303\251 \\\n uid=9\na\\\n "
		  "mode=600\n",
			"a 0600 g8\n" },
		{ "#mtree\n/set nlink=1\n/set link=a\\040b type=link\na\n", "a t12 ->a b\n" },
		/*
		 * NetBSD's bytes that are not ASCII, control characters, and a backslash before
		 * what looks like one
		 */
		{ "#mtree\n./\\M-C\\M-)\\^A\\M^?\\#\\\\M-x\\s uid=1\n",
			"\303\251\\x01\\xff#\\\\M-x  u1\n" },
		{ "#mtree\nw\\040x\\012\\\\\\043 uid=1\n", "w x\\n\\\\# u1\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		must_mean(&cases[i]);
}

/* Each entry must be "nNUMBER" in order, with the owner that count() gives it. */
struct count {
	unsigned n, below; /* those from here on are in a/directory */
	unsigned dirs;
	bool wrong, last;
};

static int count(const struct mtree_entry *s, void *arg)
{
	struct count *c = arg;
	char name[64];
	unsigned n = c->n;

	if (S_ISDIR(s->type)) {
		c->dirs++;
		return 0;
	}
	if (!strcmp(s->path, "last")) {
		c->last = true;
		return 0;
	}
	c->n++;
	(void)snprintf(name, sizeof(name), "%s%u", n >= c->below ? "a/directory/n" : "n", n);
	c->wrong |= strcmp(s->path, name) != 0 || s->type != S_IFREG || s->has_size;
	c->wrong |= !s->has_gid || s->gid != 7 || s->has_uid != (n % 10000 >= 5000) ||
		(s->has_uid && s->uid != n / 10000);
	return 0;
}

TEST(mtree_of_any_length_means_what_its_first_lines_say)
{
	/*
	 * Whole paths, names in the root, and names in a directory of the lines before: all are
	 * read in parts.
	 */
	static const struct {
		const char *enter, *dir, *leave;
		unsigned below, dirs;
	} forms[] = {
		{ "", "./a/directory/", "", 0, 0 },
		{ "", "", "", UINT_MAX, 0 },
		{ "", "", "..\n", UINT_MAX, 0 },
		{ "x type=dir\n..\na \\\n  type=dir\n y type=dir\n y type=dir\n ..\n ..\n "
		  "directory uid=5 type=dir mode=0755\n",
			"", "..\n..\n", 5, 5 },
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(forms); i++) {
		const size_t f = i / 2;
		const unsigned threads = i % 2 ? 5 : 1;
		scoped_buf struct buf b = BUF_INIT;
		struct count c = { .below = forms[f].below };
		struct err e = ERR_INIT;
		scoped_fd int fd = memfd_create("spec", MFD_CLOEXEC);

		buf_str(&b,
			"#mtree\n/set type=dir mode=0644 \\\n  type=file gid=7\n/set link=x\\ \n");
		for (unsigned n = 0; n < 100000; n++) {
			if (n % 10000 == 5000)
				buf_printf(&b, "/set \\\n uid=%u\n", n / 10000);
			if (n % 10000 == 0)
				buf_str(&b, "/unset uid\n");
			if (n == 5)
				buf_str(&b, forms[f].enter);
			buf_printf(&b, "%sn%u %snlink=1\n", forms[f].dir, n, n % 2 ? "\\\n " : "");
		}
		buf_printf(&b, "%slast type=file\n", forms[f].leave);
		REQUIRE(fd >= 0 && buf_get(&b) && fd_write_all(fd, b.data, b.len) == 0 &&
			lseek(fd, 0, SEEK_SET) == 0);
		CHECK_INT(mtree_read(&(struct mtree_input){ fd, "spec", MTREE_ALL, threads }, count,
				  &c, &e),
			0);
		CHECK_INT(c.n, 100000);
		CHECK(!c.wrong && c.last);
		CHECK_INT(c.dirs, forms[f].dirs);
	}
}

TEST(mtree_refuses_what_it_cannot_mean)
{
	static const char nul[] = "#mtree\na\0b uid=1\n";
	static const char *const bad[] = {
		"#mtree\na/../../b uid=1\n",
		"#mtree\na type=door\n",
	};
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	CHECK(read_text(nul, sizeof(nul) - 1, &b, &e) == -EBADMSG && e.set);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = ERR_INIT;
		if (read_text(bad[i], strlen(bad[i]), &b, &e) >= 0 || !e.set)
			test_fail(__FILE__, __LINE__, "%s", bad[i]);
	}
}

struct stopping {
	int n, at;
};

static int stop(const struct mtree_entry *s, void *arg)
{
	struct stopping *t = arg;
	char name[16];

	(void)snprintf(name, sizeof(name), "n%d", t->n);
	CHECK_STR(s->path, name);
	return ++t->n == t->at ? 42 : 0;
}

/* Entries n0, n1 ..., and what comes behind the last. */
static int long_spec(const char *wrong, int n, const char *last)
{
	scoped_buf struct buf b = BUF_INIT;
	int fd = memfd_create("spec", MFD_CLOEXEC);

	for (int i = 0; i < n; i++)
		buf_printf(&b, "./n%d type=file uid=3\n", i);
	buf_printf(&b, "%s%s", wrong, last);
	REQUIRE(fd >= 0 && buf_get(&b) && fd_write_all(fd, b.data, b.len) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

TEST(mtree_reading_stops_on_request)
{
	/* At the second entry, and at one amid parts that other threads read. */
	static const struct {
		unsigned threads;
		int at;
	} cases[] = { { 1, 2 }, { 1, 70000 }, { 4, 2 }, { 4, 70000 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_fd int fd = long_spec("", 100000, "");
		struct stopping s = { .at = cases[i].at };
		struct err e = ERR_INIT;

		CHECK_INT(
			mtree_read(&(struct mtree_input){ fd, "spec", MTREE_ALL, cases[i].threads },
				stop, &s, &e),
			42);
		CHECK_INT(s.n, cases[i].at);
		CHECK(!e.set);
	}
}

TEST(mtree_that_is_wrong_late_is_read_up_to_there)
{
	for (unsigned threads = 1; threads < 4; threads++) {
		scoped_fd int fd = long_spec("a uid\n", 100000, "b uid=4\n");
		struct stopping s = { .at = -1 };
		struct err e = ERR_INIT;

		CHECK_INT(mtree_read(&(struct mtree_input){ fd, "spec", MTREE_ALL, threads }, stop,
				  &s, &e),
			-EBADMSG);
		CHECK(e.set && strstr(e.what, "uid"));
		CHECK_INT(s.n, 100000);
	}
}

TEST(mtree_reports_no_more_than_is_wanted)
{
	static const char text[] =
		"#mtree\n/set size=9 time=3.0\na type=link link=b uid=1 gid=2 mode=0777\nc "
		"type=char device=native,1,3\nf type=file size=nonsense\n";
	scoped_fd int fd = memfd_create("spec", MFD_CLOEXEC);
	scoped_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	REQUIRE(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0);
	CHECK_INT(
		mtree_read(&(struct mtree_input){ fd, "spec", MTREE_OWNER, 1 }, mtree_show, &b, &e),
		0);
	CHECK_STR(buf_get(&b), "a t12 0777 u1 g2\nc t2 r103\nf t10\n");
}

/* Every line of any text would be the name of an entry. */
TEST(text_that_is_not_a_specification_is_refused)
{
	static const struct {
		const char *text;
		bool spec;
	} cases[] = {
		{ "root:x:0:0:root:/root:/bin/bash\n", false },
		{ "127.0.0.1\n", false },
		{ "a\n", false },
		{ "#mtree\na\n", true },
		{ "#\tuser: root\na\n", true },
		{ "a type=dir\n", true },
		{ "a size=1\n", true },
		{ "/set type=file\na\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scoped_buf struct buf b = BUF_INIT;
		struct err e = ERR_INIT;
		int r = read_text(cases[i].text, strlen(cases[i].text), &b, &e);

		if ((r == 0) != cases[i].spec)
			test_fail(__FILE__, __LINE__, "%s: %d %s", cases[i].text, r, e.what);
	}
}

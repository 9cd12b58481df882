/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compat: functions of glibc for other C libraries. */

#include "compat.h"

#ifndef __GLIBC__

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "num.h"

const char *strerrordesc_np(int num)
{
	return strerror(num);
}

/* clang-format off */
const char *strerrorname_np(int num)
{
#define NAME(e) [e] = #e
	static const char *const names[] = {
		[0] = "0",
		NAME(EPERM), NAME(ENOENT), NAME(ESRCH), NAME(EINTR), NAME(EIO), NAME(ENXIO),
		NAME(E2BIG), NAME(ENOEXEC), NAME(EBADF), NAME(ECHILD), NAME(EAGAIN),
		NAME(ENOMEM), NAME(EACCES), NAME(EFAULT), NAME(ENOTBLK), NAME(EBUSY),
		NAME(EEXIST), NAME(EXDEV), NAME(ENODEV), NAME(ENOTDIR), NAME(EISDIR),
		NAME(EINVAL), NAME(ENFILE), NAME(EMFILE), NAME(ENOTTY), NAME(ETXTBSY),
		NAME(EFBIG), NAME(ENOSPC), NAME(ESPIPE), NAME(EROFS), NAME(EMLINK), NAME(EPIPE),
		NAME(EDOM), NAME(ERANGE), NAME(EDEADLK), NAME(ENAMETOOLONG), NAME(ENOLCK),
		NAME(ENOSYS), NAME(ENOTEMPTY), NAME(ELOOP), NAME(ENOMSG), NAME(EIDRM),
		NAME(ECHRNG), NAME(EL2NSYNC), NAME(EL3HLT), NAME(EL3RST), NAME(ELNRNG),
		NAME(EUNATCH), NAME(ENOCSI), NAME(EL2HLT), NAME(EBADE), NAME(EBADR),
		NAME(EXFULL), NAME(ENOANO), NAME(EBADRQC), NAME(EBADSLT), NAME(EBFONT),
		NAME(ENOSTR), NAME(ENODATA), NAME(ETIME), NAME(ENOSR), NAME(ENONET),
		NAME(ENOPKG), NAME(EREMOTE), NAME(ENOLINK), NAME(EADV), NAME(ESRMNT),
		NAME(ECOMM), NAME(EPROTO), NAME(EMULTIHOP), NAME(EDOTDOT), NAME(EBADMSG),
		NAME(EOVERFLOW), NAME(ENOTUNIQ), NAME(EBADFD), NAME(EREMCHG), NAME(ELIBACC),
		NAME(ELIBBAD), NAME(ELIBSCN), NAME(ELIBMAX), NAME(ELIBEXEC), NAME(EILSEQ),
		NAME(ERESTART), NAME(ESTRPIPE), NAME(EUSERS), NAME(ENOTSOCK), NAME(EDESTADDRREQ),
		NAME(EMSGSIZE), NAME(EPROTOTYPE), NAME(ENOPROTOOPT), NAME(EPROTONOSUPPORT),
		NAME(ESOCKTNOSUPPORT), NAME(EOPNOTSUPP), NAME(EPFNOSUPPORT), NAME(EAFNOSUPPORT),
		NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(ENETDOWN), NAME(ENETUNREACH),
		NAME(ENETRESET), NAME(ECONNABORTED), NAME(ECONNRESET), NAME(ENOBUFS),
		NAME(EISCONN), NAME(ENOTCONN), NAME(ESHUTDOWN), NAME(ETOOMANYREFS),
		NAME(ETIMEDOUT), NAME(ECONNREFUSED), NAME(EHOSTDOWN), NAME(EHOSTUNREACH),
		NAME(EALREADY), NAME(EINPROGRESS), NAME(ESTALE), NAME(EUCLEAN), NAME(ENOTNAM),
		NAME(ENAVAIL), NAME(EISNAM), NAME(EREMOTEIO), NAME(EDQUOT), NAME(ENOMEDIUM),
		NAME(EMEDIUMTYPE), NAME(ECANCELED), NAME(ENOKEY), NAME(EKEYEXPIRED),
		NAME(EKEYREVOKED), NAME(EKEYREJECTED), NAME(EOWNERDEAD), NAME(ENOTRECOVERABLE),
		NAME(ERFKILL), NAME(EHWPOISON),
	};
#undef NAME

	return num >= 0 && (size_t)num < ARRAY_LEN(names) ? names[num] : NULL;
}

const char *sigabbrev_np(int sig)
{
#define SIG(s) [SIG##s] = #s
	static const char *const names[] = {
		SIG(HUP), SIG(INT), SIG(QUIT), SIG(ILL), SIG(TRAP), SIG(ABRT), SIG(BUS),
		SIG(FPE), SIG(KILL), SIG(USR1), SIG(SEGV), SIG(USR2), SIG(PIPE), SIG(ALRM),
		SIG(TERM), SIG(STKFLT), SIG(CHLD), SIG(CONT), SIG(STOP), SIG(TSTP), SIG(TTIN),
		SIG(TTOU), SIG(URG), SIG(XCPU), SIG(XFSZ), SIG(VTALRM), SIG(PROF), SIG(WINCH),
		SIG(POLL), SIG(PWR), SIG(SYS),
	};
#undef SIG

	return sig >= 0 && (size_t)sig < ARRAY_LEN(names) ? names[sig] : NULL;
}
/* clang-format on */

/*
 * Read the next line that may be an entry into room, without blanks at its start and its newline.
 * Returns 0, ENOENT at the end, or ERANGE if it does not fit; f then stays in front of it.
 */
static int next_line(FILE *f, char *room, size_t size, char **ret)
{
	for (;;) {
		const long at = ftell(f);
		char *p = room;
		size_t n;

		if (size < 2 || size > INT32_MAX)
			return ERANGE;
		if (!fgets(room, (int)size, f))
			return ENOENT;
		n = strlen(room);
		if (n == size - 1 && room[n - 1] != '\n' && !feof(f)) {
			(void)fseek(f, at, SEEK_SET); /* what cannot be read again is lost */
			return ERANGE;
		}
		if (n && room[n - 1] == '\n')
			room[n - 1] = '\0';
		while (isspace((unsigned char)*p))
			p++;
		if (!*p || *p == '#')
			continue;
		*ret = p;
		return 0;
	}
}

/* Cut the next field off *p; one that is missing is empty. */
static char *field(char **p, char end)
{
	char *begin = *p, *stop = strchr(begin, end);

	*p = stop ? stop + 1 : begin + strlen(begin);
	if (stop)
		*stop = '\0';
	return begin;
}

static bool number_field(char **p, uint32_t *ret)
{
	return num_u32(field(p, ':'), ret) == 0;
}

int fgetpwent_r(FILE *f, struct passwd *pw, char *room, size_t size, struct passwd **ret)
{
	char *p;
	int r;

	*ret = NULL;
	while ((r = next_line(f, room, size, &p)) == 0) {
		pw->pw_name = field(&p, ':');
		pw->pw_passwd = field(&p, ':');
		if (!number_field(&p, &pw->pw_uid) || !number_field(&p, &pw->pw_gid))
			continue;
		pw->pw_gecos = field(&p, ':');
		pw->pw_dir = field(&p, ':');
		pw->pw_shell = p;
		*ret = pw;
		return 0;
	}
	return r;
}

/* Put the names of list into an array behind end, which room has size bytes for in all. */
static char **members(char *list, char *end, const char *room, size_t size)
{
	const size_t align = sizeof(char *) - 1;
	char **array = (char **)(((uintptr_t)end + align) & ~align);
	size_t n = 0;

	while (*list) {
		char *name;

		if ((size_t)((const char *)(array + n + 2) - room) > size)
			return NULL;
		name = field(&list, ',');
		if (*name)
			array[n++] = name;
	}
	if ((size_t)((const char *)(array + n + 1) - room) > size)
		return NULL;
	array[n] = NULL;
	return array;
}

int fgetgrent_r(FILE *f, struct group *gr, char *room, size_t size, struct group **ret)
{
	char *p;
	int r;

	*ret = NULL;
	while ((r = next_line(f, room, size, &p)) == 0) {
		char *end = p + strlen(p) + 1;

		gr->gr_name = field(&p, ':');
		gr->gr_passwd = field(&p, ':');
		if (!number_field(&p, &gr->gr_gid))
			continue;
		gr->gr_mem = members(p, end, room, size);
		if (!gr->gr_mem)
			return ERANGE;
		*ret = gr;
		return 0;
	}
	return r;
}

#endif

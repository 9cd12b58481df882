# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run on a root that means harm, and a command that does.

load lib

need root
need kernel 5.19
need prog busybox gcc

RUN="$SHIFTBOX userns-run -m +100000"

test_setup() {
	mkdir outside
	closed_root
	echo secret >outside/secret
}

# Nothing was made or mounted there.
outside_untouched() {
	must_equal "$(ls -A outside)" secret
	must_equal "$(cat outside/secret)" secret
}

@test "a symbolic link in the place of /proc, /sys, /dev, /tmp or /run is not followed" {
	local name target
	for name in proc sys dev tmp run; do
		for target in ../../outside "$SCRATCH/outside" /srv none; do
			ln -s "$target" "closed/root/$name"
			must_fail 125 'it is a symbolic link, which is not followed' \
				$RUN -r closed/root -- true
			rm "closed/root/$name"
		done
		touch "closed/root/$name"
		must_fail 125 'Not a directory' $RUN -r closed/root -- true
		rm "closed/root/$name"
	done
	outside_untouched
}

@test "links on the way to a bind lead inside the root; none is created through a dangling one" {
	mkdir closed/data
	echo data >closed/data/f
	ln -s ../../outside closed/root/up
	ln -s "$SCRATCH/outside" closed/root/away
	ln -s /srv closed/root/in
	ln -s ../../../../srv closed/root/far
	ln -s none closed/root/dangling
	ln -s /proc/1/root closed/root/magic
	must_work $RUN -r closed/root -b closed/data:/in/a -b closed/data:/far/b -- \
		cat /srv/a/f /srv/b/f
	must_equal "$output" "data
data"
	must_fail 125 'File exists' $RUN -r closed/root -b closed/data:/up/x -- true
	must_fail 125 'File exists' $RUN -r closed/root -b closed/data:/away/x -- true
	must_fail 125 'File exists' $RUN -r closed/root -b closed/data:/dangling/x -- true
	must_fail 125 'a symbolic link, which is not followed' \
		$RUN -r closed/root -b closed/data:/in -- true
	must_fail 125 'Too many levels' $RUN -r closed/root -b closed/data:/magic/x -- true
	outside_untouched
}

@test "the accounts of a root are read as a file, or not at all" {
	rm closed/root/etc/passwd
	mkfifo closed/root/etc/passwd
	must_fail 125 'is not a regular file' timeout 300 $RUN -r closed/root -u daemon -- true
	rm closed/root/etc/passwd
	ln -s ../../../outside/secret closed/root/etc/passwd
	must_fail 125 'no user of this name' $RUN -r closed/root -u daemon -- true
	ln -sf /proc/1/environ closed/root/etc/passwd
	must_fail 125 '' $RUN -r closed/root -u daemon -- true
	rm closed/root/etc/passwd
	{
		head -c 100000 /dev/zero | tr '\0' x
		printf '\ndaemon:x:5:6::/:\n'
	} >closed/root/etc/passwd
	must_fail 125 'no user of this name' $RUN -r closed/root -u daemon -- true
	truncate -s 2M closed/root/etc/passwd
	must_fail 125 'is larger than' $RUN -r closed/root -u daemon -- true
}

@test "the words of the command line are not to be seen in the namespace" {
	must_work $RUN -r closed/root -e SECRET=x7x -b "$SCRATCH/closed:/tmp/b" -- \
		sh -c 'echo $SECRET; cat /proc/[0-9]*/cmdline | tr "\0" "\n" | grep -v "^$"'
	must_equal "$(head -n 1 <<<"$output")" x7x
	[[ $output != *SECRET=* && $output != *x7x*x7x* && $output != *"$SCRATCH"* ]] ||
		tell "they are"
	[[ $output == *shiftbox* ]] || tell "process 1 has no name"
}

@test "process 1 cannot be looked into, nor what it runs" {
	local what
	for what in exe root/srv/five cwd/srv/five fd/0 mem environ maps; do
		must_fail 1 'ermission denied' $RUN -r closed/root -- cat "/proc/1/$what"
	done
	must_fail 125 'cannot enter the working directory' \
		$RUN -r closed/root -w /proc/self/fd/3 -- true
	must_fail 125 'cannot enter the working directory' \
		$RUN -r closed/root -w /proc/1/cwd -- true
	must_fail 125 'cannot enter the working directory' \
		$RUN -r closed/root -w /proc/self/root -- true
}

@test "the host's root is nowhere: no mount of it, no way up, none out of a chroot" {
	must_work $RUN -r closed/root -- cut -d' ' -f5 /proc/self/mountinfo
	must_equal "$(grep -vE '^/sys/' <<<"$output" | sort | xargs)" \
		"$(echo / /dev /dev/{full,mqueue,null,pts,random,shm,tty,urandom,zero} /proc /run \
			/sys /tmp)"
	gcc -static -x c -o closed/root/bin/escape - <<'END'
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
/* The classic: a root below an open directory, and up from there. */
int main(void)
{
	int i, fd = open("/", O_DIRECTORY);

	mkdir("/jail", 0755);
	if (fd < 0 || chroot("/jail") < 0 || fchdir(fd) < 0)
		return 2;
	for (i = 0; i < 100; i++)
		if (chdir("..") < 0)
			return 3;
	if (chroot(".") < 0)
		return 4;
	/* Our own root again. */
	return access("/srv/five", F_OK) == 0 && access("/proc/1", F_OK) == 0 ? 0 : 1;
}
END
	must_work $RUN -r closed/root -- escape
	must_work $RUN -r closed/root -- sh -c 'cd /
		cd ../../../..
		ls -d srv/five
		umount -l /proc
		umount -l /dev/pts
		ls /..'
	must_equal "$(xargs <<<"$output")" \
		"srv/five bin dev escape etc jail proc root run srv sys tmp" ||
		must_equal "$(xargs <<<"$output")" \
		"srv/five bin dev etc jail proc root run srv sys tmp"
}

@test "mounts made within are not seen outside, nor those made outside within" {
	mount --make-rshared "$SCRATCH"
	mkdir closed/root/mnt closed/data closed/data/sub
	$RUN -r closed/root -b closed/data:/data -- \
		sh -c 'mount -t tmpfs x /mnt && echo ready
			until [ -e /srv/go ]; do sleep 0.05; done
			ls /mnt /data/sub' >out &
	for _ in {1..600}; do
		grep -q ready out && break
		sleep 0.1
	done
	must_equal "$(grep -c " $SCRATCH/closed" /proc/self/mountinfo || :)" 0
	mount -t tmpfs y closed/root/mnt
	mount -t tmpfs y closed/data/sub
	touch closed/root/mnt/seen closed/data/sub/seen
	touch closed/root/srv/go
	wait
	umount closed/root/mnt closed/data/sub
	must_equal "$(xargs <out)" "ready /data/sub: /mnt:"
}

@test "devices of the root cannot be opened or made; the host's set-uid programs do not count" {
	mknod -m 666 closed/root/srv/sda b 8 0
	mknod -m 666 closed/root/srv/mem c 1 1
	mknod -m 666 closed/root/srv/null c 1 3
	local node
	for node in sda mem null; do
		must_fail 1 'ermission denied' $RUN -r closed/root -- \
			dd if=/srv/$node of=/tmp/x count=1
		must_fail 1 'ermission denied' $RUN -r closed/root -- \
			sh -c "mount -o remount,dev /
				mount -o remount,bind,dev /
				mount --bind / /tmp
				dd if=/tmp/srv/$node of=/run/x count=1"
	done
	must_fail 1 'not permitted' $RUN -r closed/root -- mknod /tmp/null c 1 3
	# The host's own tree: what is set-uid root there is nobody's.
	cp "$(command -v busybox)" suid
	gcc -x c -o suid - <<<'#include <unistd.h>
		int main(void) { return geteuid() == 0 ? 9 : 0; }'
	chmod 4755 suid
	chmod 711 .
	must_work $RUN --new-privs -u 1 -- "$SCRATCH/suid"
}

@test "the caller's terminal cannot be typed at" {
	gcc -static -x c -o closed/root/bin/type - <<'END'
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void)
{
	char c = 'x';

	if (open("/dev/tty", O_RDWR) >= 0)
		return 1; /* there is no terminal of the command's own */
	if (ioctl(0, TIOCSCTTY, 1) == 0 || ioctl(0, TIOCSTI, &c) == 0)
		return 2;
	return 0;
}
END
	# Both ends of the script are terminals.
	must_work script -qec "$RUN --pipe -r closed/root -- type </dev/tty" /dev/null
}

@test "the caller's keyring is not the command's" {
	gcc -static -x c -o closed/root/bin/keys - <<'END'
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>
/* With words: run them with a key in the session's keyring. Without: is there that key? */
int main(int argc, char **argv)
{
	if (argc == 1)
		return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user",
			"secret", 0) < 0;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", "secret", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0)
		return 2;
	execvp(argv[1], argv + 1);
	return 3;
}
END
	must_work closed/root/bin/keys closed/root/bin/keys
	must_fail 1 '' closed/root/bin/keys $RUN -r closed/root -- keys
}

@test "a set-uid file made within is out of reach for the host's users" {
	make_user mallory 2002 900000 10
	must_work $RUN -r closed/root -- sh -c 'chmod 4755 /bin/busybox; chmod 777 /'
	must_equal "$(stat -c %a:%u closed/root/bin/busybox)" 4755:0
	must_fail 126 'ermission denied' as_user mallory sh -c 'exec closed/root/bin/busybox id'
}

# From the first setns, chroot or pivot_root on, no library and no file of the loader, the name
# services, locales or iconv is looked for, and no file mapped to be run, but by a process that has
# become another program since.
loads_nothing_away() { # TRACE
	grep -qE ' (setns|chroot|pivot_root)\(.* = 0$' "$1" ||
		say "nothing was entered: $(cat "$1")"
	awk '
		/ (setns|chroot|pivot_root)\(/ { away = 1 }
		/ execve\(.* = 0$/ || / <\.\.\. execve resumed>.* = 0$/ { other[$1] = 1 }
		!away || other[$1] { next }
		/ mmap\(.*PROT_EXEC/ && !/MAP_ANONYMOUS/ { print; bad = 1 }
		/ open(at|at2)?\(.*(\.so[."]|nsswitch\.conf|\/locale|gconv)/ { print; bad = 1 }
		END { exit bad }
	' "$1" || say "something is loaded after the root or a namespace was changed"
}

@test "no library is loaded after the root or a namespace was changed" {
	need prog strace
	must_work strace -f -qq -o trace \
		-e trace=setns,chroot,pivot_root,mmap,execve,open,openat,openat2 \
		$RUN -r closed/root --allow mknod:safe -- sh -c 'mknod /tmp/n c 1 3'
	grep -q ' setns(.*CLONE_NEWUSER) *= 0' trace ||
		say "the broker enters nothing: $(cat trace)"
	loads_nothing_away trace
	must_work strace -f -qq -o trace \
		-e trace=setns,chroot,pivot_root,mmap,execve,open,openat,openat2 \
		$RUN -u 5:6 -r closed/root -- true
	loads_nothing_away trace
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2034,SC2154
# userns-run: each call by which its processes start, speak and end fails at its first, second or
# later use. It never hangs, the command runs as it should or not at all, and nothing is left.

load lib

need root
need kernel 5.19
need prog busybox strace gcc python3

setup_file() {
	# What a command can see of how it was set up. A fault may be one of its own calls, so each
	# is made again.
	[ -n "$missing" ] ||
		gcc -static -O1 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/look" -x c - <<'END_OF_C'
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char host[65] = "", cwd[4096] = "", text[5000];
	struct stat st;
	int nnp, fds = 0;
	size_t n, done = 0;

	(void)gethostname(host, sizeof(host));
	if (!getcwd(cwd, sizeof(cwd)) && !getcwd(cwd, sizeof(cwd)))
		return 8;
	nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	if (nnp < 0)
		nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	for (int fd = 0; fd < 100; fd++)
		fds += fstat(fd, &st) == 0 || fstat(fd, &st) == 0;
	n = (size_t)snprintf(text, sizeof(text), "%d:%d pid %d nnp %d fds %d in %s of %s\n",
		(int)getuid(), (int)getgid(), (int)getpid(), nnp, fds, cwd, host);
	for (int i = 0; i < 4 && done < n; i++) {
		ssize_t w = write(1, text + done, n - done);

		done += w > 0 ? (size_t)w : 0;
	}
	return 7;
}
END_OF_C
}

test_setup() {
	chmod 711 .
	closed_root look
	mkdir -m 1777 tmp
	cp "$BATS_FILE_TMPDIR/look" .
	add_line /etc/passwd "solo:x:4011:4011::$SCRATCH:/bin/sh"
	add_line /etc/group "solo:x:4011:"
}

as_root() { # FAULT
	timeout --foreground 300 env TMPDIR="$SCRATCH/tmp" "$TESTS/fault/inject" "$1" \
		"$SHIFTBOX" userns-run -m +100000 --hostname box --net none -w /srv \
		-r closed/root -b "$SCRATCH/tmp:/mnt:ro" -- look
}

as_solo() { # FAULT
	as_user solo timeout --foreground 300 env TMPDIR="$SCRATCH/tmp" "$TESTS/fault/inject" "$1" \
		"$SHIFTBOX" userns-run --hostname box -w "$SCRATCH" -- "$SCRATCH/look"
}

on_terminal() { # CMD...: what came of it as $status and $output
	local text
	text=$(printf 'wait\nraw no\n' | "$TESTS/fixtures/terminal.py" "$@" | tr -d '\r' |
		sed 's/\^@//g')
	status=${text#status }
	status=${status%%$'\n'*}
	output=$(tail -n +2 <<<"$text")
}

one() { # FORM WANTED FAULT
	local form=$1 wanted=$2 fault=$3
	case $form in
	*_tty) stderr='' command_line=$fault; on_terminal env TESTS="$TESTS" \
		bash -c "$(declare -f as_root as_solo as_user); ${form%_tty} $fault" ;;
	*) capture "$form" "$fault" ;;
	esac
	case $status in
	99) ;; # there is no such call
	125) # Was it running already, it is whole, too.
		failed=$((failed + 1))
		[[ $output$stderr = *userns-run:* ]] || tell "$fault: no message"
		output=$(sed '/userns-run:/,$d' <<<"$output")
		[ -z "$output" ] || [ "$output" = "$wanted" ] || tell "$fault: half of it" ;;
	7) worked=$((worked + 1)); [[ $output = *"$wanted"* ]] || tell "$fault: not set up" ;;
	*) tell "$fault" ;;
	esac
}

# FORM WANTED CALL:N,N...: each CALL fails at its Nth use. The command says WANTED and ends as it
# does, or userns-run says what failed.
each() {
	local form=$1 wanted=$2 word n worked=0 failed=0
	shift 2
	for word; do
		for n in ${word#*:}; do one "$form" "$wanted" "${word%%:*}:EIO:$n"; done
	done
	((worked > 0 && failed > 5)) || say "worked $worked, failed $failed: hardly a fault was met"
	[ -z "$(ls -A tmp)" ] || say "left: $(ls -A tmp)"
}

@test "root, without a terminal" {
	each as_root '0:0 pid 2 nnp 1 fds 3 in /srv of box' poll:'1 2 3 4' recvmsg:'1 2 3' \
		sendmsg:'1 2' waitid:'1 2' wait4:'1 2' \
		clone,clone3,fork,vfork:'1 2 3' pidfd_open:'1 2' pidfd_send_signal:1 socketpair:1 \
		pipe2:'1 2' signalfd4:1 dup2:'1 2 3' close_range:'1 2' \
		unshare:1 setresuid:'1 2' setresgid:'1 2' setgroups:1 setsid:'1 2' \
		prctl:'1 2 3 4 5 6' keyctl:1 rt_sigprocmask:'1 2 3 4' kill:1 \
		fchdir:'1 2 3' chdir:1 mount:'1 2' umount2:1 pivot_root:1 open_tree:'1 2 4 6 9' \
		move_mount:'1 2 4 8 16' mount_setattr:'1 2 4' \
		fsopen:'1 2 5' fsconfig:'1 2 20' fsmount:'1 2 7' mkdirat:'1 2 4' symlinkat:'1 5' \
		mknodat:1 fchmodat:1 openat2:'1 2 3 4' \
		openat:'8 9 12 16 20' socket:1 ioctl:'1 2' sethostname:1 fcntl:'1 2 3 4' \
		write:'1 2' read:'4 5 6 8' lseek:1 newfstatat:'9 12'
}

@test "root, on a terminal" {
	each as_root_tty '0:0 pid 2 nnp 1 fds 3 in /srv of box' fcntl:'3 4 5 6' poll:'1 2 3 5' \
		recvmsg:'1 2 4' sendmsg:'1 2 3' ioctl:'4 6 8' \
		dup2:1 setsid:2
}

@test "a user with one id, without a terminal" {
	each as_solo "0:0 pid 2 nnp 1 fds 3 in $SCRATCH of box" poll:'1 2 3' recvmsg:'1 2 3' \
		sendmsg:'1 2' waitid:'1 2' wait4:'1 2' \
		clone,clone3,fork,vfork:'1 2 3' pidfd_open:1 socketpair:1 pipe2:'1 2' signalfd4:1 \
		dup2:'1 2 3' close_range:'1 2' \
		setresuid:1 setresgid:1 setsid:'1 2' prctl:'1 2 3 4 5' keyctl:1 \
		rt_sigprocmask:'1 2 3 4' fchdir:'1 2 3' chdir:1 mount:1 umount2:1 pivot_root:1 \
		open_tree:'1 2 4 8' move_mount:'1 2 8' fsopen:'1 2' fsconfig:'1 12' fsmount:'1 4' \
		openat2:'1 2' openat:'10 12 14' write:'1 2 3 4' read:'6 8'
}

@test "a user with one id, on a terminal" {
	each as_solo_tty "0:0 pid 2 nnp 1 fds 3 in $SCRATCH of box" fcntl:'1 2 3 4' wait4:1 \
		poll:'1 2 3 4' recvmsg:'1 3' sendmsg:'1 2' setsid:'1 2'
}

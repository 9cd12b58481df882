# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run: each of its processes killed in turn, what each holds meanwhile, and what the command
# cannot take along.

load lib

need root
need kernel 5.19
need subid
need prog busybox gcc python3

RUN="$SHIFTBOX userns-run -m +100000 -r closed/root"

test_setup() {
	closed_root
}

gone() { # PID: or say so
	for _ in {1..600}; do
		[ -d "/proc/$1" ] || return 0
		sleep 0.1
	done
	say "process $1 is left: $(tr '\0' ' ' <"/proc/$1/cmdline")"
}

# CMD...: in the background as $supervisor, once it has said "ready"; the rest of its output from
# descriptor 9
start() {
	mkfifo fifo
	"$@" >fifo 2>err &
	supervisor=$!
	exec 9<fifo
	read -r line <&9
	must_equal "$line" ready
}

@test "killed while the map is written, the supervisor leaves no process 1 behind" {
	make_user slow 4005 500000 65536
	mkdir bin
	chmod 755 . bin
	printf '#!/bin/sh\ntouch %s/home-slow/here\nexec sleep 4721\n' "$SCRATCH" >bin/newuidmap
	chmod 755 bin/newuidmap
	PATH=$SCRATCH/bin:$PATH as_user slow "$SHIFTBOX" userns-run -- true 2>/dev/null &
	local supervisor first
	for _ in {1..600}; do
		[ -e home-slow/here ] && break
		sleep 0.1
	done
	supervisor=$(pgrep -u slow -fxo "$SHIFTBOX userns-run -- true")
	first=$(pgrep -P "$supervisor" -f userns-run)
	kill -9 "$supervisor"
	wait
	gone "$first"
	[ -z "$(pgrep -fx 'sleep 4721')" ] || say 'newuidmap is left'
}

@test "the broker and its process in the namespace are killed: said, and survived" {
	# Where a capability in the namespace counts, that process is asked.
	mkdir closed/root/other
	chown 5:5 closed/root/other
	start $RUN --allow mknod:safe -- sh -c 'mknod /other/zero c 1 3 && echo ready
		while [ ! -e /srv/go ]; do sleep 0.05; done
		mknod /other/one c 1 3
		mknod /other/two c 1 3 && echo two
		while [ ! -e /srv/on ]; do sleep 0.05; done; mknod /srv/three c 1 3 || echo refused'
	local broker proxy
	broker=$(pgrep -P "$supervisor" -n)
	proxy=$(pgrep -P "$broker")
	# It has its socket and nothing else.
	must_equal "$(readlink /proc/"$proxy"/fd/* | sort | sed 's/:.*//' | xargs)" \
		"/dev/null /dev/null /dev/null socket"
	kill -9 "$proxy"
	touch closed/root/srv/go
	read -r line <&9
	must_equal "$line" two
	grep -q 'hung or ended during a call' err ||
		say "nothing was said of the broker's process: $(cat err)"
	proxy=$(pgrep -P "$broker")
	# What it does it does as the caller, who is the host's 100000, whatever the kernel asks
	# for.
	must_equal "$(grep Uid "/proc/$proxy/status" | xargs)" "Uid: 0 100000 0 100000"
	kill -9 "$broker"
	gone "$proxy"
	touch closed/root/srv/on
	read -r line <&9
	must_equal "$line" refused
	exec 9<&-
	wait "$supervisor"
	grep -q 'the broker was killed by signal 9' err ||
		say "nothing was said of the broker: $(cat err)"
	[ ! -e closed/root/srv/three ]
}

@test "with process 1, or with the supervisor, all ends" {
	local victim others p status
	for victim in init supervisor; do
		start $RUN --allow mknod:safe -- sh -c 'mknod /srv/n c 1 3
			rm /srv/n
			echo ready
			sleep 4722'
		others="$(pgrep -P "$supervisor") $(pgrep -P "$(pgrep -P "$supervisor" -n)")"
		others+=" $(pgrep -fx 'sleep 4722')"
		p=$supervisor
		[ $victim = supervisor ] || p=$(pgrep -P "$supervisor" -o)
		kill -9 "$p"
		status=0; wait "$supervisor" || status=$?
		must_equal "$status" 137
		[ $victim = supervisor ] ||
			grep -q 'process 1 of the command.s namespace was killed by signal 9' err
		for p in $others; do gone "$p"; done
		exec 9<&-
		rm fifo
	done
}

@test "a directory as standard input would be a way out" {
	local fd
	for fd in 0 1 2; do
		capture bash -c 'eval "exec '$fd'</" && exec "$@"' bash $RUN -- \
			sh -c "cd /proc/self/fd/$fd && pwd"
		must_equal "$status" 125
		[ $fd = 2 ] ||
			stderr_has "is a directory, through which the command could leave its root"
	done
}

@test "a command that passes its terminal on to somebody outside keeps nobody waiting" {
	gcc -static -x c -o closed/root/bin/pass - <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
/* Leaves standard output in somebody's hands. */
int main(void)
{
	struct sockaddr_un a = { AF_UNIX, "/run/s" };
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u = { { 0 } };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { 0, 0, &iov, 1, u.bytes, sizeof(u.bytes), 0 };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), out = 1;

	u.align.cmsg_level = SOL_SOCKET;
	u.align.cmsg_type = SCM_RIGHTS;
	u.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&u.align), &out, sizeof(out));
	return connect(s, (struct sockaddr *)&a, sizeof(a)) < 0 || sendmsg(s, &m, 0) != 1 ||
		printf("last words\n") < 0;
}
END
	python3 - $RUN -b "$SCRATCH/s:/run/s" -- pass <<'END'
import array, os, pty, socket, sys, threading, time
s = socket.socket(socket.AF_UNIX)
s.bind('s')
os.chmod('s', 0o777)
s.listen()
held = []
def accept():
    c = s.accept()[0]
    held.append(socket.recv_fds(c, 1, 1)[1])
threading.Thread(target=accept, daemon=True).start()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b''
end = time.time() + 10
os.set_blocking(fd, False)
while time.time() < end:
    try:
        text += os.read(fd, 1000)
    except OSError:
        pass
    if os.waitpid(pid, os.WNOHANG)[0]:
        try:
            text += os.read(fd, 1000)
        except OSError:
            pass
        sys.exit(0 if held and b'last words' in text else f'{held} {text}')
    time.sleep(0.05)
sys.exit(f'it does not end: {text}')
END
}

@test "an ordinary user's upper is kept where nobody else can reach its set-uid files" {
	make_user alice 2001 700000 65536
	"$TESTS/fixtures/busybox-root" root
	tar -C root -cf layer.tar .
	cd home-alice
	must_work as_user alice "$SHIFTBOX" image-unpack -q -N bb ../layer.tar
	as_user alice mkdir -m 711 open
	run_there() { as_user alice "$SHIFTBOX" userns-run -i bb -o upper=open/upper -- "$@"; }
	must_work run_there sh -c 'cp /bin/busybox /srv/shell; chmod 4755 /srv/shell'
	must_fail 126 'ermission denied' setpriv --reuid 65534 --regid 65534 \
		--clear-groups sh -c 'exec open/upper/srv/shell id'
	chmod 750 .
	must_work run_there true
	for mode in 755 711; do
		chmod $mode .
		must_fail 125 'where other users can reach' run_there true
	done
	chmod 750 .
	chgrp 100 .
	must_fail 125 'where other users can reach' run_there true
	chmod 755 .
	as_user alice chmod 700 open
	must_work run_there true
}

@test "the terminal is the user's that the command runs as" {
	# script(1) may send its own end of file
	run_tty() {
		script -qec "$RUN $* -- sh -c 'stat -c %u /dev/pts/0; echo out >/dev/stdout'" \
			/dev/null | tr -d '\r' | sed 's,\^@,,g' | xargs
	}
	must_equal "$(run_tty)" "0 out"
	must_equal "$(run_tty -u daemon)" "5 out"
	must_equal "$(run_tty -u 7:8)" "7 out"
	[[ $(run_tty -u 70000) = *'the map has no user id 70000'* ]]
	[[ $(run_tty -u none) = *'no user of this name'* ]]
}

@test "the host's /sys is read-only for good" {
	capture $RUN -- sh -c 'mount -o remount,bind,rw /sys
		umount -l /sys/fs/cgroup
		cut -d" " -f5,6 /proc/self/mountinfo | grep "^/sys"'
	must_equal "$(grep -cv ' ro,' <<<"$output")" 0
	[[ $output = "/sys ro,"* ]]
	must_fail 1 'Read-only file system' \
		$RUN -- sh -c 'mount -o remount,bind,rw /sys 2>/dev/null; mkdir /sys/x'
}

@test "a filesystem that never answers keeps the broker for its ten seconds and no longer" {
	need fs fuse
	mknod -m 666 node c 10 229
	gcc -static -x c -o closed/root/bin/hang - <<'END'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
/* FUSE that nobody reads from: every look into it waits. */
int main(void)
{
	char options[80];
	int fd = open("/fuse", O_RDWR);

	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (mkdir("/tmp/f", 0755) < 0 || mount("f", "/tmp/f", "fuse", 0, options) < 0)
		return 2;
	if (mknod("/tmp/f/x", S_IFCHR | 0600, makedev(1, 3)) == 0 || errno != EIO)
		return 3;
	if (mknod("/tmp/after", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 4;
	if (fork() == 0) /* pending at the end */
		return mknod("/tmp/f/y", S_IFCHR | 0600, makedev(1, 3)) == 0;
	sleep(1);
	return 0;
}
END
	capture timeout 300 $RUN -b "$SCRATCH/node:/fuse:dev" --allow mknod:safe -- hang
	must_equal "$status" 0
	[[ $stderr = *"hung or ended during a call of 'hang'"* ]]
}

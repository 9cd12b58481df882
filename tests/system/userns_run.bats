# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run, by root: a command as root of a user namespace, on an image, a directory, the host's
# own tree.

load lib

need root
need kernel 5.19
need prog busybox strace gcc jq python3

RUN="$SHIFTBOX userns-run -m +100000"

test_setup() {
	closed_root
}

image() {
	tar -C closed/root -cf layer.tar .
	mkdir -m 700 store
	must_work "$SHIFTBOX" image-unpack -q -s store -N bb layer.tar
}

on_image() { # [OPTION...] -- CMD...
	$RUN -s store -i image:bb "$@"
}

@test "an image: root, its owners, its map, and the directories of a system" {
	image
	must_work on_image -- sh -c 'id
		ls -ln /srv
		cat /proc/self/uid_map
		echo *
		stat -c "%F %t:%T" /dev/null /dev/urandom
		cat /proc/1/comm'
	must_equal "$(tr -s ' ' <<<"$output" |
		sed -E 's/ [A-Z][a-z]{2} [0-9]+ [0-9:]+ / /')" "uid=0(root) gid=0(root)
total 8
-rw-r--r-- 1 5 6 5 five
-rw-r--r-- 1 0 0 5 root
 0 100000 65536
bin dev etc proc root run srv sys tmp
character special file 1:3
character special file 1:9
shiftbox"
	# What it writes is its own, and gone afterwards.
	must_work on_image -- sh -c 'touch /srv/new /tmp/new /run/new /dev/shm/new &&
		rm /srv/five && stat -c %u:%g /srv/new; ls /srv'
	must_equal "$output" "0:0
new
root"
	must_work on_image -- ls /srv
	must_equal "$output" "five
root"
}

@test "an image is run as it wants to be, but as root" {
	mkdir -m 700 store
	jq -n '{config: {config: {Env: ["A=image", "B=image", "PATH=/bin:/opt"], WorkingDir: "/srv",
		User: "5", Entrypoint: ["/bin/echo", "entry"], Cmd: ["a b"]}},
		layers: [{files: {"./": {type: "dir"},
		"bin/sh": {copy: "/bin/busybox", mode: "755"}, "bin/echo": {copy: "/bin/busybox",
		mode: "755"}, "srv/": {type: "dir"}}}]}' >image.json
	"$TESTS/fixtures/mkimage.py" oci <image.json
	must_work "$SHIFTBOX" image-unpack -q -s store -N app oci
	must_work $RUN -s store -i app
	must_equal "$output" "entry a b"
	must_work $RUN -s store -i app -e B=mine -- sh -c 'echo "$A $B $PATH $PWD"; echo $(id -u)'
	must_equal "$output" "image mine /bin:/opt /srv
0"
	must_work $RUN -s store -i app -w / -- sh -c 'echo "$PWD"'
	must_equal "$output" /
	tar -C closed/root -cf layer.tar .
	must_work "$SHIFTBOX" image-unpack -q -s store -N bb layer.tar
	must_fail 125 'the image names no program to run' $RUN -s store -i bb
	must_fail 125 'CMD is missing' $RUN
}

@test "changes are kept in an upper, as disk ids, for any map" {
	image
	must_work on_image -o upper=closed/upper -- \
		sh -c 'touch /srv/a && chown 5:6 /srv/a && rm /srv/five'
	must_equal "$(owner closed/upper/srv/a)" 5:6
	must_work "$SHIFTBOX" userns-run -m +300000 -s store -i bb -o upper=closed/upper -- \
		sh -c 'cat /proc/self/uid_map; stat -c %u:%g /srv/a; ls /srv'
	must_equal "$(xargs <<<"$output")" "0 300000 65536 5:6 a root"
}

@test "a directory is under the map too, and so is what is written there" {
	must_work $RUN -r closed/root -- sh -c 'stat -c %u:%g /srv/five
		touch /srv/new
		chown 7:8 /srv/new
		pwd
		echo $HOME $PATH $container'
	must_equal "$output" "5:6
/
/root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin shiftbox"
	must_equal "$(owner closed/root/srv/new)" 7:8
	# Without a map of its own, ids are those of the disk, of which the namespace has none here.
	must_work $RUN -r closed/root -o map=none,ro -- stat -c %u:%g /srv/five
	must_equal "$output" 65534:65534
}

@test "on the host's tree: the caller's directory and environment, and a /proc of its own" {
	MARK='a b' must_work env -C / $RUN -- sh -c 'id -u
		echo "$MARK"
		pwd
		stat -c %u /etc/passwd
		set -- /proc/[0-9]*
		echo $# # an init, and the shell
		cat /etc/passwd'
	must_equal "$output" "0
a b
/
65534
2
$(cat /etc/passwd)"
	chmod 711 "$SCRATCH"
	must_work $RUN -- pwd
	must_equal "$output" "$SCRATCH"
	must_fail 126 'Permission denied' $RUN -- "$SCRATCH/closed/root/bin/busybox"
}

@test "exit statuses: the command's own, 128 and the signal, 125, 126, 127" {
	local n
	image
	for n in 0 1 2 125 255; do
		capture on_image -- sh -c "exit $n"
		must_equal "$status" "$n"
		stderr_empty
	done
	capture env -C / sh -c '"$@"; exit $?' sh $RUN -- sh -c 'kill -TERM $$'
	must_equal "$status" 143
	capture env -C / sh -c '"$@"; exit $?' sh $RUN -- sh -c 'kill -KILL $$'
	must_equal "$status" 137
	stderr_empty
	must_fail 127 "'none-such': cannot run the command: No such file" on_image -- none-such
	must_fail 127 "'/none-such': cannot run the command: No such file" on_image -- /none-such
	must_fail 126 "'/srv/five': cannot run the command: Permission denied" on_image -- /srv/five
	must_fail 125 "unknown option '--none'" on_image --none -- true
	must_fail 125 "there is no such image" $RUN -s store -i none -- true
	must_fail 125 'cannot enter the working directory' on_image -w /none -- true
	printf '#!/none\n' >closed/root/srv/script
	chmod 755 closed/root/srv/script
	must_fail 127 'the file exists, but its interpreter' $RUN -r closed/root -- /srv/script
}

@test "a closed directory on the way is named, and to whom it is closed" {
	chmod 711 "$SCRATCH"
	mkdir -m 755 wide wide/sub
	mkdir -m 700 priv
	mkdir -m 755 priv/sub gone
	install -m 755 /bin/true priv/tool
	local to="is closed to user 0 of the command, who is 100000 outside"
	must_work env -C wide/sub $RUN -- pwd
	must_equal "$output" "$SCRATCH/wide/sub"
	for dir in priv priv/sub; do
		capture env -C $dir $RUN -q -- pwd
		must_equal "$status:$output" 0:/
		stderr_has "warning: the command cannot enter the working directory" \
			"'$SCRATCH/$dir' ('$SCRATCH/priv' (mode 0700) $to): it starts in /"
		must_fail 125 'cannot enter the working directory' $RUN -w "$SCRATCH/$dir" -- pwd
		stderr_has "'$SCRATCH/priv' (mode 0700) $to"
	done
	must_fail 126 "cannot run the command: Permission denied" $RUN -- "$SCRATCH/priv/tool"
	stderr_has "'$SCRATCH/priv' (mode 0700) $to"
	must_fail 127 "cannot run the command: No such file" \
		env PATH="$SCRATCH/wide:$SCRATCH/priv:$PATH" $RUN -- tool
	stderr_has "'$SCRATCH/priv' (mode 0700) $to, and it is in PATH"
	install -m 644 /bin/true wide/plain
	must_fail 126 "cannot run the command: Permission denied" $RUN -- "$SCRATCH/wide/plain"
	stderr_has "chmod +x"
	[[ $stderr != *closed* ]] || tell "none is closed"
	capture sh -c 'cd gone && rmdir ../gone && "$@"' sh $RUN -- pwd
	must_equal "$status:$output" 0:/
	stderr_has "warning: the current directory cannot be found (No such file or directory):" \
		"the command starts in /"
	chmod 700 "$SCRATCH"
}

@test "it has no descriptors but three, no privileges to gain, all of root's within" {
	local full
	full=$(printf '%016x' $(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1)))
	exec 7</etc/passwd 8>out
	must_work $RUN -r closed/root -- sh -c 'echo /proc/self/fd/*
		grep -E "^(NoNewPrivs|Seccomp|CapEff|CapAmb|SigBlk|Groups):" /proc/self/status'
	exec 7<&- 8>&-
	must_equal "$output" "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3
Groups:	 
SigBlk:	0000000000000000
CapEff:	$full
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	0"
	must_work $RUN --new-privs -r closed/root -- grep NoNewPrivs /proc/self/status
	must_equal "${output##*[[:space:]]}" 0
	# A set-uid program of the image's root counts then, for the namespace alone.
	gcc -static -x c -o closed/root/bin/suid - <<<'#include <unistd.h>
		int main(void) { return geteuid(); }'
	chmod 4755 closed/root/bin/suid
	must_work $RUN --new-privs -u daemon -r closed/root -- suid
	must_fail 5 '' $RUN -u daemon -r closed/root -- suid
}

@test "pipes are the command's alone: who reads sees it close them" {
	# Without the command's end being the last one, the reader would wait for the command, which
	# waits for the reader.
	chmod 711 .
	mkfifo fifo
	$RUN -r closed/root -b "$SCRATCH":/s -- \
		sh -c 'echo out; exec >&-; read -r line </s/fifo; exit 7' | (
		timeout 300 cat || echo late
		timeout 300 sh -c "echo closed >fifo"
	) >out
	must_equal "${PIPESTATUS[0]} $(cat out)" "7 out"
	must_fail 125 'is not a directory' $RUN -r closed/root/etc/passwd -- true
}

@test "signals keep their meaning: SIGPIPE ends, what was ignored or blocked stays so" {
	local want # whoever started the tests may ignore some too
	want=$(sh -c 'trap "" HUP; exec grep SigIgn /proc/self/status')
	[ $((0x${want##*[[:space:]]} & 1)) = 1 ]
	must_work env -C / sh -c 'trap "" HUP; exec "$@"' sh $RUN -- grep SigIgn /proc/self/status
	must_equal "$output" "$want"
	# But for the one without which nobody would see the command's end.
	must_fail 5 '' timeout 300 \
		python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' \
		$RUN -r closed/root -- sh -c 'exit 5'
}

@test "processes see one another alone; orphans are reaped; nothing is left at the end" {
	must_work $RUN -r closed/root -- sh -c '(sh -c "echo \$\$ >/srv/orphan" &)
		until [ -s /srv/orphan ]; do sleep 0.05; done
		i=0
		while [ -e "/proc/$(cat /srv/orphan)" ] && [ $i -lt 600 ]; do
			sleep 0.05
			i=$((i + 1))
		done
		ps -o pid,stat,comm | grep -c Z
		set -- /proc/[0-9]*
		echo $#'
	must_equal "$(xargs <<<"$output")" "0 2" # an init, and the shell
	must_work $RUN -r closed/root -- sh -c 'sleep 4711 & setsid sleep 4711 & echo'
	[ -z "$(pgrep -fx 'sleep 4711')" ] || say "a process is left"
}

start() { # CMD...: in the background, its pid in $pid, once it has said "ready"
	rm -f fifo
	mkfifo fifo
	env --default-signal=INT,QUIT "$@" >fifo 2>err & # a shell lets its background ignore them
	pid=$!
	exec 9<fifo
	read -r line <&9
	must_equal "$line" ready
}

@test "signals go to the command" {
	local sig
	for sig in HUP INT QUIT TERM USR1 USR2 ALRM; do
		start $RUN -r closed/root -- sh -c "trap 'echo got $sig; exit 9' $sig
			echo ready
			while :; do sleep 0.05; done"
		kill -$sig "$pid"
		status=0; wait "$pid" || status=$?
		must_equal "$status $(cat <&9)" "9 got $sig"
		exec 9<&-
	done
	start $RUN -r closed/root -- sh -c 'echo ready; exec sleep 4711'
	kill "$pid"
	status=0; wait "$pid" || status=$?
	must_equal "$status" 143
	exec 9<&-
}

@test "when the supervisor dies, all die" {
	start $RUN -r closed/root -- sh -c 'setsid sleep 4712 & trap "" TERM HUP INT
		echo ready
		while :; do sleep 0.1; done'
	kill -9 "$pid"
	wait "$pid" || :
	exec 9<&-
	for _ in {1..600}; do
		[ -n "$(pgrep -fx 'sleep 4712')" ] || return 0
		sleep 0.1
	done
	say "a process outlived the supervisor"
}

@test "stopping the supervisor stops the command, and continuing it goes on" {
	start $RUN -r closed/root -- \
		sh -c 'echo ready; until [ -e /srv/go ]; do sleep 0.05; done; echo done'
	kill -TSTP "$pid"
	for _ in {1..600}; do
		[ "$(ps -o stat= "$pid" | cut -c1)" != T ] || break
		sleep 0.1
	done
	must_equal "$(ps -o stat= "$pid" | cut -c1)" T
	touch closed/root/srv/go
	sleep 0.3
	must_equal "$(timeout 0.1 cat <&9 || :)" ""
	kill -CONT "$pid"
	wait "$pid"
	must_equal "$(cat <&9)" "done"
	exec 9<&-
}

@test "read-only, and not to be changed by the command's root" {
	mkdir closed/root/{proc,sys,dev,tmp,run}
	capture $RUN -r closed/root --read-only -- sh -c 'touch /srv/x
		mount -o remount,bind,rw /
		touch /srv/x
		unshare -m sh -c "mount -o remount,bind,rw /; touch /srv/x"
		touch /tmp/x /run/x /dev/shm/x && echo there'
	must_equal "$(grep -c 'srv/x: Read-only file system' <<<"$stderr") $output" "3 there"
	[ ! -e closed/root/srv/x ]
	rmdir closed/root/run
	must_fail 125 'it is not there, and the root is read-only' \
		$RUN -r closed/root --read-only -- true
	# An image need not have the directories of a system, nor the places of binds.
	rm -r closed/root/{proc,sys,dev,tmp}
	image
	must_fail 1 'Read-only file system' on_image --read-only -b closed:/new/place \
		-b closed/root/etc/passwd:/etc/other -- touch /new/x
	must_work on_image --read-only -b closed:/new/place -- stat -c %u:%g /new /run
	must_equal "$output" "0:0
0:0"
}

@test "binds: where, whose, read-only for good" {
	mkdir closed/data open
	echo data >closed/data/f
	chown 5:6 closed/data/f
	image
	must_work on_image -b closed/data:/new/dir:ro -b closed/data:/mapped:map \
		-b closed/data/f:/etc/motd:ro -b closed/data:/run/a:map=+100005:1000 -- \
		sh -c 'stat -c "%n %u:%g" /new/dir/f /mapped/f /etc/motd /run/a/f
			cat /etc/motd
			touch /mapped/g'
	must_equal "$output" "/new/dir/f 65534:65534
/mapped/f 5:6
/etc/motd 65534:65534
/run/a/f 10:11
data"
	must_equal "$(owner closed/data/g)" 0:0
	capture on_image -b closed/data:/d:ro:map -- sh -c 'mount -o remount,bind,rw /d
		touch /d/x
		unshare -m sh -c "mount -o remount,bind,rw /d; touch /d/x"'
	must_equal "$(grep -c 'd/x: Read-only file system' <<<"$stderr")" 2
	[ ! -e closed/data/x ]
	# The caller's umask is the command's, and not that of the places.
	umask 077
	must_work on_image -u daemon -b closed/data:/other/place -- \
		sh -c 'umask; ls /other; touch /dev/shm/x; stat -c %a /dev/shm/x /other /run'
	umask 022
	must_equal "$(xargs <<<"$output")" "0077 place 600 755 755"
	# A device is one where that is asked for.
	mknod -m 666 closed/data/null c 1 3
	must_fail 1 'ermission denied' on_image -b closed/data:/d -- sh -c 'echo >/d/null'
	must_fail 1 'ermission denied' on_image -b closed/data:/d -- \
		sh -c 'mount -o remount,bind,dev /d; echo >/d/null'
	must_work on_image -b closed/data:/d:dev -- sh -c 'echo >/d/null'
	# A colon, and what is no bind.
	mkdir 'closed/a:b'
	must_work on_image -b 'closed/a\:b:/d\:e' -- stat -c %n '/d:e'
	local bad
	for bad in x x: :/x x:y closed/data:/x:none closed/data:/x:map=1:2 \
		closed/data:/x:map:map=+1; do
		must_fail 125 '' on_image -b "$bad" -- true
	done
	must_fail 125 'ro, dev and public before map=MAP' \
		on_image -b closed/data:/x:map=+100005:1000:ro -- true
	must_fail 125 "'..'" on_image -b closed/data:/srv/../x -- true
	must_fail 125 'is the root of the command itself' on_image -b closed/data:/ -- true
	must_fail 125 'cannot open the source: No such file' on_image -b none:/x -- true
	must_fail 125 'Is a directory' on_image -b closed/data/f:/srv -- true
	must_fail 125 'Not a directory' on_image -b closed/data:/srv/five -- true
}

@test "nobody can be given disk id 0 where others can reach its set-uid files" {
	chmod 711 .
	"$TESTS/fixtures/busybox-root" open
	must_fail 125 'cannot be mounted writable with a map of disk id 0' $RUN -r open -- true
	must_fail 125 'cannot be mounted writable with a map of disk id 0' \
		$RUN -r closed/root -b open:/x:map -- true
	must_fail 125 "the host's own root" $RUN -r / -- true
	mkdir open/{proc,sys,dev,tmp,run}
	must_work $RUN -r open --read-only -- true
	must_work $RUN -r closed/root -b open:/x:map:ro -- true
	capture $RUN -r closed/root -b open:/x:map=5:100005:1 -- true
	must_equal "$status $(grep -c 'user 100005 could .* of user 5,' <<<"$stderr")" "0 1"
	must_work_but misfit $RUN -r closed/root -b open:/x:public:map=5:100005:1 -- true
	local map
	for map in 0:0:1 '0:100000:10 10:0:1' 'u:0:100000:10' 'g:0:100000:10' \
		'u:0:100000:9;g:0:0:1'; do
		must_fail 125 "the host's own 0" \
			"$SHIFTBOX" userns-run -m "$map" -r closed/root -- true
	done
	must_fail 125 'no id 0' "$SHIFTBOX" userns-run -m 1:100000:1 -r closed/root -- true
}

@test "root needs a map, or a grant" {
	: >subid
	mount --bind subid /etc/subuid
	mount --bind subid /etc/subgid
	must_fail 125 'there is no map, and root has no ids in /etc/subuid' \
		"$SHIFTBOX" userns-run -r closed/root -- true
	[[ $stderr =~ '-m +'[1-9][0-9]+ ]] || tell "no way out"
	echo root:500000:1000 >subid
	capture "$SHIFTBOX" userns-run -v -r closed/root -- cat /proc/self/uid_map
	umount /etc/subuid /etc/subgid
	must_equal "$(xargs <<<"$output")" "0 500000 1000"
	[[ $stderr == *'b:0:500000:1000: what subuid(5) and subgid(5) grant to root'* ]] ||
		tell "the map is not told"
}

@test "user, groups, environment, directory, host name, network, resolv.conf" {
	image
	must_work on_image -u daemon -w /srv -- \
		sh -c 'id; pwd; echo $HOME; grep -E "Cap(Eff|Prm)" /proc/self/status'
	must_equal "$output" "uid=5(daemon) gid=6(daemon) groups=7(extra),8(last)
/srv
/srv
CapPrm:	0000000000000000
CapEff:	0000000000000000"
	must_work on_image -u 70 -- id
	must_equal "$output" "uid=70 gid=0(root)"
	must_work on_image -u daemon:extra -- id
	must_equal "$output" "uid=5(daemon) gid=7(extra)"
	must_fail 125 'no user of this name' on_image -u nobody -- true
	must_fail 125 'no group of this name' on_image -u 5:none -- true
	must_fail 125 'the map has no user id 70000' on_image -u 70000 -- true
	A=1 B=2 must_work on_image -e A -e B= -e 'C=x y' -- \
		sh -c 'echo "$A-$B-$C"; env | grep -c "^[ABC]="'
	must_equal "$(xargs <<<"$output")" "1--x y 3"
	must_fail 125 "no environment variable 'NONE_SUCH'" on_image -e NONE_SUCH -- true
	must_fail 125 'is not an environment variable' on_image -e =x -- true
	local option
	for option in rootfs image store workdir user hostname policy audit; do
		must_fail 125 "the value of option '--$option' is empty" \
			$RUN --allow mknod:safe "--$option=" -- true
	done
	must_fail 125 "'5:' is not USER or USER:GROUP" on_image -u 5: -- true
	must_fail 125 'longer than 64 bytes' on_image --hostname "$(printf 'x%.0s' {1..65})" -- true
	must_fail 125 'it is looked for in the root of the command' on_image -w /none -- true
	must_work on_image --hostname box -- hostname
	must_equal "$output" box
	must_equal "$(on_image -- hostname)" "$(hostname)"
	must_work on_image --net none -- \
		sh -c 'ls /sys/class/net; ip -o addr show lo | grep -c 127.0.0.1'
	must_equal "$(xargs <<<"$output")" "lo 1"
	must_work on_image --resolv-conf -- cat /etc/resolv.conf
	must_equal "$output" "$(cat /etc/resolv.conf)"
}

@test "whatever call fails, it says what, and leaves nothing" {
	local fault
	for fault in unshare:EPERM:1 clone3:EPERM:1 fsopen:EPERM:1 fsopen:ENODEV:3 fsmount:EPERM:2 \
		move_mount:EINVAL:1 move_mount:EINVAL:4 \
		move_mount:EBUSY:8 open_tree:EPERM:1 open_tree:EPERM:6 mount_setattr:EINVAL:1 \
		pivot_root:EINVAL:1 umount2:EBUSY:1 \
		setresuid:EINVAL:1 sethostname:EPERM:1 socketpair:EMFILE:1 pidfd_open:EMFILE:1 \
		openat2:ENOSYS:1 symlinkat:ENOSPC:1 \
		keyctl:EDQUOT:1 close_range:EINVAL:1; do
		capture timeout 300 "$TESTS/fault/inject" "$fault" $RUN --hostname x \
			-r closed/root -- touch /srv/ran
		[[ $status = 125 && $stderr == *'userns-run: '*cannot* ]] || tell "$fault"
		[ ! -e closed/root/srv/ran ] || say "$fault: it ran"
	done
}

# An ELF header of 20 bytes, for the machine of this number: ELF_HEADER FILE MACHINE
elf_header() {
	local machine
	machine=$(printf '\\%03o\\0' "$2")
	printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0%b' "$machine" >"$1"
	chmod 755 "$1"
}

@test "what is not a program here is not handed to a shell, which would read it as text" {
	local machine=183 word=aarch64 # of a machine that this is not
	[ "$(uname -m)" != aarch64 ] || machine=62 word=x86_64
	elf_header closed/root/foreign "$machine"
	elf_header closed/root/bin/foreign "$machine"
	elf_header closed/root/broken 0
	printf 'echo text "$1"\n' >closed/root/text
	chmod 755 closed/root/text
	local name
	for name in /foreign foreign; do
		must_fail 126 "'$name': cannot run the command: Exec format error" \
			$RUN -r closed/root -- "$name"
		stderr_has "why:  it is a program for another machine ($word; this is $(uname -m))"
		stderr_has "try:  unpack the image for this machine"
	done
	must_fail 126 "it begins with an ELF header, and is damaged" $RUN -r closed/root -- /broken
	must_work $RUN -r closed/root -- /text x
	must_equal "$output" "text x"
	rm closed/root/bin/sh
	must_fail 126 "another machine ($word" $RUN -r closed/root -- /foreign
	must_fail 126 "neither #! nor an ELF header, as programs do" \
		$RUN -r closed/root -- /text
}

@test "the command has not run if what it needs turns out to be missing afterwards" {
	for _ in {1..30}; do
		must_fail 125 "'/dev/null': cannot open: Permission denied" \
			$RUN -r closed/root -b /dev/null:/dev/null -- echo ran
		must_equal "$output" ""
	done
	stderr_has "why:  the bind /dev/null:/dev/null covers it"
}

@test "a map of a bind that shows nothing to the command" {
	mkdir mine
	chown 2000:2000 mine
	capture $RUN -r closed/root -b "mine:/srv:map=2000:0:1" -- true
	stderr_has "the bind's map shows host id 0, which has no id in the namespace; try:" \
		"map=2000:100000:1 (100000 is the command's root)"
	must_work $RUN -r closed/root -b "mine:/srv:map=2000:100000:1" -- stat -c %u:%g /srv
	must_equal "$output" 0:0
	must_work $RUN -r closed/root -b "mine:/srv:map=2000:100000:1,rest" -- true
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# userns-run --allow: what the broker does for a command, what it does not, and what hostile
# programs try.

load lib
load broker

on_dir() { # [OPTION...] -- CMD...
	$RUN -r closed/root "$@"
}

audit() { # FILTER: of the audit file
	jq -c "$1" audit
}

@test "mknod:safe: node, place and owner; any other device is refused; all are audited" {
	must_work on_dir --allow mknod:safe --audit audit -- \
		sh -c 'cd /srv; umask 027; mknod n c 1 3 && ls -ln n | cut -c1-10; chown 5:6 n'
	must_equal "$output" crw-r-----
	must_equal "$(stat -c '%F %t:%T %u:%g' closed/root/srv/n)" "character special file 1:3 5:6"
	capture on_dir --allow mknod:safe --audit audit -- mknod /srv/d b 8 0
	must_equal "$status" 1
	[ ! -e closed/root/srv/d ]
	must_equal "$(audit '[.call,.arguments.path,.arguments.device,.rule,.verdict,.errno]')" \
'["mknodat","n","c:1:3","mknod:safe","done",null]
["mknodat","/srv/d","b:8:0",null,"denied","EPERM"]'
	must_equal "$(audit 'select(.pid != .tid or .command != "mknod" or
		(.time | test("^20..-..-..T..:..:..\\.[0-9]{6}Z$") | not))')" ""
	must_equal "$(stat -c %a audit)" 600
}

@test "the audit file can be truncated in use, as by copytruncate, and starts anew" {
	local pid
	on_dir --allow mknod:safe --audit audit -- sh -c 'cd /srv
		mknod a c 1 3
		touch one
		until [ -e two ]; do sleep 0.1; done
		mknod b c 1 5' &
	pid=$!
	until [ -e closed/root/srv/one ]; do sleep 0.1; done
	must_equal "$(audit .arguments.path)" '"a"'
	truncate -s 0 audit
	touch closed/root/srv/two
	wait "$pid"
	must_equal "$(head -c 1 audit) $(audit .arguments.path)" '{ "b"'
}

@test "a node is opened only where devices may be" {
	must_work on_dir --allow mknod:safe -- sh -c 'mknod /srv/n c 1 3
		sh -c "echo x >/srv/n" 2>/dev/null && echo opened
		exit 0'
	must_equal "$output" ""
	must_work on_dir -o dev --allow mknod:safe -- \
		sh -c 'mknod /srv/m c 1 3; echo x >/srv/m && echo written'
	must_equal "$output" written
	[ -c closed/root/srv/m ]
}

@test "whatever call of the broker fails, a node is the caller's, or there is none" {
	local call n f fault made=0 refused=0
	chmod 711 .
	mkdir -m 777 mine
	mkdir other
	chown 100005:100005 other # where CAP_DAC_OVERRIDE of the namespace counts
	for call in setfsuid setgroups keyctl capset prctl openat openat2 read process_vm_readv \
		mknodat ioctl newfstatat faccessat pidfd_open pidfd_getfd \
		sendmsg recvmsg poll fchdir chroot setresuid setresgid; do
		for n in 1 2 1+ 2+; do
			fault=$call:EIO:$n
			rm -f mine/n other/n
			capture timeout 300 "$TESTS/fault/inject" "$fault" \
				$RUN -w "$SCRATCH" --allow mknod:safe -- \
				sh -c 'umask 066
					mknod mine/n c 1 3
					mknod other/n c 1 3
					mknod mine/n c 1 3'
			[ "$status" = 124 ] && tell "$fault: it hangs"
			for f in mine/n other/n; do
				[ -e "$f" ] || { refused=$((refused + 1)); continue; }
				made=$((made + 1))
				[ "$(stat -c '%F %t:%T %u:%g %a' "$f")" = \
					"character special file 1:3 100000:100000 600" ] ||
					tell "$fault: $(stat -c '%t:%T %u:%g %a' "$f")"
			done
		done
	done
	((made > 20 && refused > 20)) || tell "made $made, refused $refused"
}

# DIR OPTIONS [HANG]: a FUSE filesystem, as $fuse, that anybody may make nodes in; what it is asked
# for in the file asked
fuse() {
	mkdir -p "$1"
	"$TESTS/fixtures/fuse-nodes" "$1" asked "${@:2}" 3>&- &
	fuse=$!
	while ! grep -q " $(realpath "$1") .*fuse" /proc/self/mountinfo; do sleep 0.01; done
	chmod 755 "$SCRATCH"
}

@test "a FUSE filesystem that is root's alone is no caller's by way of the broker" {
	need prog python3
	fuse m max_read=4096
	capture $RUN -w "$SCRATCH" --allow mknod:safe -- sh -c 'mkfifo m/fifo
		mknod m/n c 1 3
		mknod m/../m/n c 1 3'
	must_equal "$(grep -c 'ermission denied' <<<"$stderr")" 3
	! grep -q 'lookup\|mknod' asked || tell "$(cat asked)"
	umount m
	wait "$fuse" || true
	# Where it is everybody's, the caller is who it says.
	: >asked
	fuse m allow_other
	must_work $RUN -w "$SCRATCH" --allow mknod:safe -- \
		sh -c 'cd m; mknod n c 1 3; cd ..; mknod m/n c 1 3'
	must_equal "$(grep mknod asked | xargs)" "mknod 100000 mknod 100000"
	umount m
	wait "$fuse" || true
}

@test "a directory that takes a key of root's is no caller's by way of the broker" {
	need loop
	need prog python3
	[ -e /sys/fs/ext4/features/encryption ] || skip "needs ext4 with encryption"
	truncate -s 16M disk.img
	mke2fs -q -t ext4 -O encrypt -b 4096 disk.img
	mkdir disk
	mount disk.img disk
	mkdir -m 777 disk/secret
	cat >with-key <<-'E'
		import ctypes, fcntl, os, struct, sys
		KEYCTL, ADD_KEY = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
		SESSION, SET_POLICY = -3, 0x800c6613
		def call(*words):
		    if ctypes.CDLL(None, use_errno=True).syscall(*words) < 0:
		        sys.exit("key: " + os.strerror(ctypes.get_errno()))
		call(KEYCTL, 1, None)
		key = struct.pack("=I64sI", 0, bytes(range(64)), 64)
		call(ADD_KEY, b"logon", b"fscrypt:0123456789abcdef", key, 72, SESSION)
		fd = os.open("disk/secret", os.O_RDONLY)
		policy = struct.pack("=4B8s", 0, 1, 4, 0, bytes.fromhex("0123456789abcdef"))
		fcntl.ioctl(fd, SET_POLICY, policy)
		os.close(fd)
		os.execvp(sys.argv[1], sys.argv[1:])
	E
	chmod 755 .
	# The kernel finds the key for root, and forgets it with the mount.
	capture python3 with-key sh -c "mknod disk/secret/root c 1 3 && umount disk &&
		mount disk.img disk && cd disk/secret &&
		exec $RUN --allow mknod:safe -- \
		sh -c 'mkfifo fifo; mknod n c 1 3; cd ..; mknod secret/n c 1 3'"
	must_equal "$status" 1
	must_equal "$(grep -c 'key not available' <<<"$stderr")" 3
	must_equal "$(find disk/secret -mindepth 1 | wc -l)" 1
	umount disk
}

@test "a filesystem that does not answer delays neither other calls nor the end of the run" {
	need prog python3
	mkdir -m 777 mine
	fuse m allow_other lookup
	local status=0
	# Not by capture: what hangs has its output open until the daemon is killed.
	timeout -s KILL 300 $RUN -w "$SCRATCH" --allow mknod:safe --audit audit -- sh -c \
		'timeout 1 mknod m/there/n c 1 3
		cd mine; for i in 1 2 3; do mknod n$i c 1 3; done
		cd ../m; timeout 1 mknod n c 1 3; exit 7' \
		>out 2>err 3>&- || status=$?
	kill "$fuse"
	wait "$fuse" || true
	must_equal "$status" 7
	grep -q 'is left: it ends when the filesystem answers' err || tell "$(cat err)"
	must_equal "$(audit '[.arguments.path,.verdict,.errno]' | xargs)" \
		"[m/there/n,denied,EIO] [n1,done,null] [n2,done,null] [n3,done,null]"
	umount m
}

@test "the broker that wakes with nothing to take goes on" {
	need prog strace
	must_work strace -f -qq -o trace -e trace=poll -e inject=poll:retval=1:when=1..2 -- \
		$RUN -r closed/root --allow mknod:safe -- \
		sh -c 'mknod /srv/n c 1 3 && mknod /srv/o c 1 3'
	grep -q 'poll.*INJECTED' trace
}

@test "without a rule the kernel refuses, and the broker is not there" {
	capture on_dir -- mknod /srv/n c 1 3
	must_equal "$status" 1
	must_fail 125 "needs --allow" on_dir --audit audit -- true
}

disk() { # NAME MARK: an image with a file of disk 33
	mkdir t
	touch "t/$2"
	chown 33:33 "t/$2"
	truncate -s 4M "$1"
	mke2fs -q -F -t ext4 -d t "$1"
	rm -r t
}

@test "mount: the image has the namespace's owners, the disk is unchanged, all is gone after" {
	need loop
	disk "$SCRATCH/disk.img" mark
	must_work on_dir --allow "mount:ext4:$SCRATCH/disk.img" --allow umount --audit audit -- \
		sh -c "
		mount -t ext4 $SCRATCH/disk.img /mnt 2>/dev/null ||
		{ mkdir /mnt; mount -t ext4 $SCRATCH/disk.img /mnt; }
		stat -c %u:%g /mnt/mark
		touch /mnt/new
		umount /mnt
		ls /mnt
		mount -t ext4 $SCRATCH/disk.img /mnt"
	must_equal "$output" 33:33
	for _ in {1..600}; do
		[ -z "$(losetup -j "$SCRATCH/disk.img")" ] && break
		sleep 0.1
	done
	must_equal "$(losetup -j "$SCRATCH/disk.img")" ""
	run -0 debugfs -R 'stat new' "$SCRATCH/disk.img"
	[[ $output =~ User:\ +0\ +Group:\ +0 ]]
	run -0 debugfs -R 'stat mark' "$SCRATCH/disk.img"
	[[ $output =~ User:\ +33\ +Group:\ +33 ]]
	must_equal "$(audit 'select(.call == "umount2") | [.rule,.verdict]')" \
		'["umount","as-caller"]'
}

@test "mount: nothing but the rule's own type, source and flags" {
	need loop
	disk "$SCRATCH/disk.img" mark
	disk "$SCRATCH/else.img" mark
	mkdir closed/root/mnt
	local rule="mount:ext4:$SCRATCH/disk.img:ro" c
	for c in "-t ext4 $SCRATCH/else.img" "-t ext3 $SCRATCH/disk.img" \
		"-t ext4 -o data=journal $SCRATCH/disk.img"; do
		capture on_dir --allow "$rule" -- mount $c /mnt
		[ "$status" != 0 ] || say "mounted: $c"
	done
	# Read-only by the rule: the program is told as of a device that is write-protected, and
	# busybox asks again by itself.
	must_work on_dir --allow "$rule" -- sh -c "mount -o ro -t ext4 $SCRATCH/disk.img /mnt
		touch /mnt/x 2>/dev/null || echo refused"
	must_equal "$output" refused
	capture on_dir --allow "$rule" --audit audit -- mount -o remount,rw /mnt
	must_equal "$(audit 'select(.verdict == "done")')" ""
	must_fail 125 "cannot open what the rule mounts" on_dir --allow mount:ext4:/none -- true
}

@test "mount: that of util-linux, with a loop device, and with an image that it does not find" {
	need loop
	need prog losetup
	disk "$SCRATCH/disk.img" mark
	local script='mount -t tmpfs t /tmp && mkdir /tmp/m && mount -t ext4 "$1" /tmp/m &&
		stat -c %u:%g /tmp/m/mark && umount /tmp/m && ls /tmp/m'
	must_work env -C / $RUN --allow "mount:ext4:$SCRATCH/disk.img" -- sh -c "$script" \
		sh "$SCRATCH/disk.img"
	must_equal "$output" 33:33
	local loop
	loop=$(losetup -f --show disk.img)
	capture $RUN --allow "mount:ext4:$loop" -- sh -c "$script" sh "$loop"
	losetup -d "$loop"
	must_equal "$status:$output" 0:33:33
}

@test "chown: report tells who wanted what, emulate records it" {
	capture on_dir --allow chown:emulate --audit audit -- \
		sh -c 'touch /srv/a; chown 70000:5 /srv/a && stat -c %u /srv/a'
	must_equal "$status:$output" 0:0
	must_equal "$(getfattr --only-values -n user.containers.override_stat closed/root/srv/a)" \
		70000:5:0644
	must_equal "$(audit 'select(.arguments.uid == 70000) | .verdict')" '"emulated"'
	capture on_dir --allow chown:report -- chown 70000:5 /srv/root
	must_equal "$status" 1
	[[ $stderr = *"chown"*70000*5*none*/srv/root*"70001 user ids"* ]]
	capture on_dir --json --allow chown:report -- sh -c 'cd /srv
		mkdir d
		chown 5 d
		chown 6 ./root
		chown 7 .'
	must_equal "$(grep '^{' <<<"$stderr" | jq -r '.path // empty' | xargs)" \
		"/srv/d /srv/./root /srv/."
	capture on_dir --json --allow chown:report -- \
		sh -c 'chown 70000 /srv/root; chown 5:6 /srv/root; chown 5:6 /srv/five'
	must_equal "$(grep '^{' <<<"$stderr" | jq -c 'select(.program) |
		[.program,.uid,.times,.mapping]')" \
'["chown",70000,1,"none"]
["chown",5,2,"yes"]'
	# What the call leaves alone has no number.
	capture "$SHIFTBOX" userns-run -m +300000 --json --allow chown:report -- chown 70000 /
	must_equal "$(grep '^{' <<<"$stderr" | jq -c 'select(.program) | [.uid,.gid]')" \
		"[70000,null]"
	capture "$SHIFTBOX" userns-run -m +300000 --allow chown:report -- chown 70000 /
	must_equal "$(awk '$1 == "chown" && $2 == 70000 { print $3 }' <<<"$stderr")" -
}

@test "the memory of an ordinary user's broker is not the user's to read" {
	make_user few 4004 600000 100
	chmod 755 "$SCRATCH"
	as_user few "$SHIFTBOX" userns-run --allow umount -- sleep 4731 3>&- &
	local supervisor broker
	for _ in {1..600}; do
		pgrep -fx 'sleep 4731' >/dev/null && break
		sleep 0.1
	done
	supervisor=$(pgrep -u few -fxo "$SHIFTBOX userns-run --allow umount -- sleep 4731")
	for _ in {1..600}; do
		broker=$(pgrep -P "$supervisor" -n)
		[ "$(stat -c %u "/proc/$broker/mem")" = 0 ] && pgrep -P "$broker" >/dev/null &&
			break
		sleep 0.1
	done
	must_equal "$(stat -c %u "/proc/$supervisor/mem" "/proc/$broker/mem" | xargs)" "4004 0"
	kill "$supervisor"
	wait || true
}

@test "rules that need root are refused to others at the start, with a way out" {
	make_user plain 4001 500000 65536
	chmod 755 "$SCRATCH"
	must_fail 125 "can only be carried out by root" \
		as_user plain "$SHIFTBOX" userns-run --allow mknod:safe -- true
	must_fail 125 "can only be carried out by root" \
		as_user plain "$SHIFTBOX" userns-run --allow mount:ext4:/dev/null -- true
	must_work as_user plain env -C / "$SHIFTBOX" userns-run --allow umount -- \
		sh -c 'mount -t tmpfs t /mnt && umount /mnt && echo done'
	must_equal "$output" "done"
	# What would help is told in the user's terms.
	capture as_user plain "$SHIFTBOX" userns-run --allow chown:report -- \
		sh -c 'cd /tmp; mkdir "$1"; chown 70000:5 "$1"; rmdir "$1"' sh "${SCRATCH##*/}-d"
	stderr_has "70001 user ids and 6 group ids from 0: the user's own, and 70000" \
		"subordinate user ids and 5 group ids"
}

@test "an ordinary user's broker serves programs of all the user's ids" {
	make_user few 4002 600000 100
	mkdir -m 777 shared
	chmod 755 "$SCRATCH"
	capture as_user few "$SHIFTBOX" userns-run --allow chown:emulate --audit shared/audit \
		--bind "$SCRATCH/shared:/mnt" -- \
		sh -c 'cd /mnt
			mkdir -m 777 d
			chown 7 d
			setpriv --reuid 7 --keep-groups --inh-caps=-all touch d/f
			chown 1000:1000 d/f
			stat -c %u d/f'
	must_equal "$status:$output" 0:7
	must_equal "$(getfattr --only-values -n user.containers.override_stat shared/d/f |
		cut -d: -f1,2)" 1000:1000
	must_equal "$(jq -c 'select(.verdict == "emulated") | .arguments.path' shared/audit)" \
		'"d/f"'
}

# --- hostile programs -----------------------------------------------------------------------------

attack() { # OPTION... -- WHAT [ARGUMENT...]
	must_work on_dir --allow mknod:safe "$@"
	must_equal "$output" ""
}

@test "links of /proc, .. and descriptors lead nowhere else" {
	attack -- attack links
	attack -- attack dotdot
	[ ! -e "$SCRATCH/n" ]
	[ ! -e /n ]
}

@test "a path that is swapped for a link to a directory of the host leads nowhere" {
	mkdir hosts
	chmod 755 hosts
	attack --bind "$SCRATCH/hosts:/hosts" -- attack swap-link /hosts
	must_equal "$(ls -A hosts)" ""
}

@test "a source that is swapped is never mounted" {
	need loop
	disk "$SCRATCH/good.img" allowed
	disk "$SCRATCH/evil.img" forbidden
	attack --allow "mount:ext4:$SCRATCH/good.img" -- \
		attack swap-source "$SCRATCH/good.img" "$SCRATCH/evil.img"
}

@test "a flood of calls, and callers that die" {
	attack -- attack flood
}

@test "a number that is used again at the wrong moment is not taken for the caller's" {
	need kernel 6.14 # where each PID namespace has a pid_max of its own
	need prog strace pgrep
	cat >script <<END
	echo 400 >/proc/sys/kernel/pid_max
	$RUN -r closed/root --allow mknod:safe -- sh -c 'mknod /srv/up c 1 3
		until [ -e /srv/go ]; do sleep 0.05; done; attack numbers; echo \$?' &
	until [ -e closed/root/srv/up ]; do sleep 0.05; done
	broker=\$(pgrep -P \$! -n)
	strace -qq -o trace -e trace=openat -e inject=openat:delay_enter=100000 -p \$broker &
	until grep -q 'TracerPid:.[1-9]' /proc/\$broker/status; do sleep 0.05; done
	touch closed/root/srv/go; wait %1
END
	must_work unshare -p -f --mount-proc bash script
	must_equal "$output" 0
	grep -q '/proc/.*DELAYED' trace || say "the broker was not slowed down"
}

@test "the broker cannot be seen, signalled or filtered away" {
	attack -- attack others
	attack -- attack hidden
	attack -- attack filter
	attack -- attack reuse
}

@test "a set-uid program that is written into the upper cannot be reached by users of the host" {
	make_user other 4003 700000 65536
	tar -C closed/root -cf layer.tar .
	mkdir -m 700 store
	must_work "$SHIFTBOX" image-unpack -q -s store -N bb layer.tar
	chmod 755 "$SCRATCH"
	must_work $RUN -s store -i bb -o "upper=$SCRATCH/closed/upper" -- \
		sh -c 'cp /bin/busybox /srv/root-shell && chmod 4755 /srv/root-shell'
	must_equal "$(stat -c %u:%a closed/upper/srv/root-shell)" 0:4755
	capture as_user other "$SCRATCH/closed/upper/srv/root-shell" id
	must_equal "$status" 126
	# Where others could get at it, there is no upper at all.
	mkdir -m 755 open
	must_fail 125 "reach" $RUN -s store -i bb -o "upper=$SCRATCH/open/upper" -- true
}

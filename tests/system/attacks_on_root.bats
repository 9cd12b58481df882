# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# Attacks on commands that root runs, by ordinary users of the host and by the content of a root.

load lib

need root
need kernel 5.19
need prog busybox gcc strace

RUN="$SHIFTBOX userns-run -m +100000"

test_setup() {
	make_user alice 2001 700000 65536
	closed_root
}

image() { # STORE
	tar -C closed/root -cf layer.tar .
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s "$1" -N bb layer.tar
}

# A library that leaves a file wherever it is loaded.
library() { # FILE
	mkdir -p "${1%/*}"
	gcc -shared -fPIC -x c -o "$1" - <<<"#include <fcntl.h>
		__attribute__((constructor)) static void run(void)
		{
			open(\"$SCRATCH/home-alice/loaded\", O_CREAT | O_WRONLY, 0600);
			open(\"/tmp/loaded\", O_CREAT | O_WRONLY, 0600);
		}"
}

@test "an endless or large passwd file in a root is refused" {
	ln -sf /proc/kmsg closed/root/etc/passwd
	must_fail 125 '' timeout 300 $RUN -r closed/root -u daemon -- true
	truncate -s 10G closed/root/big
	ln -sf /big closed/root/etc/passwd
	must_fail 125 'is larger than' timeout 300 $RUN -r closed/root -u daemon -- true
}

@test "no library, locale or name service of a root is loaded (CVE-2019-14271)" {
	local name
	for name in libmount.so.1 libc.so.6 libnss_files.so.2 libnss_systemd.so.2 libisal.so.2 \
		libgcc_s.so.1; do
		library "closed/root/lib/x86_64-linux-gnu/$name"
	done
	echo 'passwd: systemd files' >closed/root/etc/nsswitch.conf
	must_work strace -f -qq -o trace \
		-e trace=pivot_root,open,openat,openat2,mmap,execve,chroot,setns \
		$RUN -r closed/root -u root:daemon --hostname name -e A=1 --allow mknod:safe \
		-b "$SCRATCH/closed:/tmp/b" -- sh -c 'mknod /srv/n c 1 3'
	# From there on, until the command itself, which is static.
	sed -n '/pivot_root(/,$p' trace >after
	[ -s after ]
	grep -q 'execve("/bin/sh"' after || say "the command is not in the trace"
	! grep -E 'PROT_EXEC|\.so|nsswitch|gconv|locale|/etc/ld' after || say "something was loaded"
}

@test "an ordinary user cannot mount a line of type shiftbox with mount(8)" {
	need prog mount
	local words name
	mkdir s t upper work bin
	mount -t overlay overlay /sbin \
		-o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work"
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	for name in mount umount losetup newuidmap newgidmap getsubids findmnt \
		sh modprobe udevadm; do
		printf '#!/bin/sh\n[ "$(id -u)" = 2001 ] || touch %s/home-alice/ran\nexit 0\n' \
			"$SCRATCH" >"bin/$name"
		chmod 755 "bin/$name"
	done
	library "$SCRATCH/bin/preload.so"
	for words in user users owner group user=alice noauto,user nofail,users uhelper=x helper=x \
		loop,user remount,user x-mount.mkdir; do
		echo "$SCRATCH/s $SCRATCH/t shiftbox $words,map=1000:1001:1 0 0" >fstab
		mount --bind fstab /etc/fstab
		capture as_user alice env "PATH=$SCRATCH/bin:$PATH" \
			"LD_PRELOAD=$SCRATCH/bin/preload.so" "TMPDIR=$SCRATCH/home-alice" \
			"LIBMOUNT_FSTAB=$SCRATCH/fstab" /usr/bin/mount "$SCRATCH/t"
		umount /etc/fstab
		{
			[ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -n "$stderr" ]
		} || tell "option $words"
		! grep -q " $SCRATCH/t " /proc/self/mountinfo || tell "option $words: it is mounted"
	done
	must_fail 1 'lacks CAP_SYS_ADMIN' \
		as_user alice /sbin/mount.shiftbox "$SCRATCH/s" "$SCRATCH/t" -o map=1000:1001:1
	umount -l /sbin
	[ ! -e home-alice/ran ] || say "a program of the user's was run by another"
	[ -z "$(find home-alice ! -user alice)" ] ||
		say "another's: $(find home-alice ! -user alice)"
}

@test "root does not use a store that belongs to a user" {
	chmod 755 "$SCRATCH"
	tar -C closed/root -cf layer.tar .
	must_work as_user alice "$SHIFTBOX" image-unpack -q --no-sync -N bb layer.tar
	local store=$SCRATCH/home-alice/.local/share/shiftbox before
	[ -d "$store/layers" ]
	before=$(find "$store" -printf '%p %i %C@ %u\n' | sort)
	must_fail 1 'belongs to another user' "$SHIFTBOX" image-unpack -s "$store" -N b layer.tar
	must_fail 1 'belongs to another user' "$SHIFTBOX" image-unpack -s "$store" --remove bb
	must_fail 1 'belongs to another user' "$SHIFTBOX" image-unpack -s "$store" --prune
	mkdir t
	must_fail 1 'belongs to another user' \
		"$SHIFTBOX" mount-idmapped -s "$store" -m +100000 image:bb t
	must_fail 125 'belongs to another user' $RUN -s "$store" -i bb -- true
	# The environment names none for root.
	mkdir var
	mount --bind var /var/lib
	capture env HOME="$SCRATCH/home-alice" XDG_DATA_HOME="$SCRATCH/home-alice/.local/share" \
		"$SHIFTBOX" image-unpack --list
	[[ $output != *bb* ]] || tell "it is the user's"
	capture env HOME="$SCRATCH/home-alice" XDG_DATA_HOME="$SCRATCH/home-alice/.local/share" \
		$RUN -i bb -- true
	must_equal "$status" 125
	umount /var/lib
	must_equal "$(find "$store" -printf '%p %i %C@ %u\n' | sort)" "$before"
}

@test "root does not use a bundle, an upper, an audit file or a target that a user prepared" {
	mkdir -m 700 store keep
	touch keep/file
	image store
	as_user alice mkdir home-alice/b home-alice/full
	as_user alice touch home-alice/full/config.json
	must_fail 1 'is not' "$SHIFTBOX" image-unpack -s store --bundle home-alice/full \
		-m +100000 bb -- sh
	as_user alice ln -s "$SCRATCH/keep" home-alice/l
	must_fail 1 '' "$SHIFTBOX" image-unpack -s store --bundle home-alice/l -m +100000 bb -- sh
	must_equal "$(stat -c %a keep) $(ls -A keep)" "700 file"

	mkdir t
	must_fail 1 'others can reach' \
		"$SHIFTBOX" mount-idmapped -s store -m +100000 -o upper=home-alice/b/up image:bb t
	must_fail 125 'others can reach' $RUN -s store -i bb -o upper=home-alice/b/up -- true
	must_equal "$(ls -A home-alice/b)" ""

	as_user alice mkfifo home-alice/fifo
	must_fail 125 'audit file' \
		timeout 300 $RUN -r closed/root --allow mknod:safe --audit home-alice/fifo -- true

	mount -t tmpfs keep keep
	touch keep/mounted
	must_fail 1 '' "$SHIFTBOX" mount-idmapped -u home-alice/l
	must_fail 1 '' "$SHIFTBOX" mount-idmapped -u -R home-alice/l
	[ -e keep/mounted ]
}

@test "without descriptors, memory, /proc or accounts: an error, and an intact store" {
	local n
	mkdir -m 700 store closed/empty
	image store
	touch closed/f
	tried() { # CMD...: it fails in words, or it works
		capture timeout 300 "$@"
		[[ $stderr != *'loading shared libraries'* ]] || return 0 # it was not even started
		[ "$status" -lt 124 ] || [ "$status" = 125 ] || tell "it broke"
		[ "$status" = 0 ] || [ "$status" = 3 ] || [ -n "$stderr" ] || tell "it says nothing"
	}
	all_tried() { # how, as words before the command
		tried "$@" "$SHIFTBOX" image-unpack -q --no-sync -s store -N "n$RANDOM" layer.tar
		tried "$@" "$SHIFTBOX" image-unpack -q --no-sync -s store --remove bb
		tried "$@" "$SHIFTBOX" image-unpack -s store --list
		tried "$@" "$SHIFTBOX" mount-idmapped -m +100000 -e closed/root closed/empty -- true
		tried "$@" "$SHIFTBOX" shift-check verify -m +0 --source closed/root closed/root
		tried "$@" "$SHIFTBOX" shift-check explain closed/f
		tried "$@" $RUN -r closed/root -u daemon -- true
	}
	for n in 4 5 6 8 10 14 20; do all_tried prlimit --nofile=$n; done
	for n in 12 16 24 48; do all_tried prlimit --as=$((n << 20)); done
	all_tried unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' sh
	all_tried unshare -m sh -c 'head -c 70000 /dev/urandom >garbage
		for f in passwd group subuid subgid; do mount --bind garbage /etc/$f; done
		exec "$@"' sh
	all_tried unshare -m sh \
		-c 'for f in passwd group subuid subgid; do
			mount --bind /dev/null /etc/$f
		done; exec "$@"' sh
	rm -f garbage
	all_tried sh -c 'exec "$@" <&- >/dev/null' sh
	all_tried sh -c 'exec "$@" <&- >&-' sh
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s store -N last layer.tar
	must_work "$SHIFTBOX" image-unpack -s store --verify last
	must_equal "$(find store/tmp -mindepth 1 ! -name "*lock")" ""
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole chain on a real image: Debian, packed by mmdebstrap, apt and umoci.

load lib
need root
need prog mmdebstrap umoci strace python3 setpriv

setup_file() {
	[ "$(id -u)" = 0 ] || return 0
	local tests=$BATS_TEST_DIRNAME/..
	DEBIAN=$(realpath -m "${BUILD:-$tests/../build}")/fixtures/debian
	SHIFTBOX=${SHIFTBOX:-$(realpath "$tests/../build/shiftbox")}
	DIR=$BATS_FILE_TMPDIR/dir
	STORE=$DIR/store
	export DEBIAN DIR STORE
	mkdir -p "$DIR" "$(dirname "$DEBIAN")"
	mount -t tmpfs -o mode=0700 shiftbox-test "$DIR"
	# Two files of tests may want it at the same time.
	flock "$DEBIAN.lock" "$tests/fixtures/debian-image.sh" "$DEBIAN" >&2
	strace -f --seccomp-bpf -o "$DIR/trace" -e trace=chown,fchown,lchown,fchownat,setfsuid \
		"$SHIFTBOX" image-unpack -q -s "$STORE" -N debian "oci:$DEBIAN/oci:latest" >&2
}

teardown_file() {
	[ -z "${DIR:-}" ] || umount -l "$DIR"
}

stack() { # MAP-BASE DIR [OPTIONS]: the image on DIR
	mkdir -p "$2"
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m "+$1" -o "${3:-ro}" image:debian "$2"
}

@test "unpacking makes owners of many kinds and not one chown call" {
	run -0 grep -c setfsuid "$DIR/trace"
	[ "$output" -gt 5 ]
	run -1 grep -E 'chown' "$DIR/trace"
	# The trace tells nothing if there were no owners to keep.
	[ "$(find -L "$STORE/layers" -printf '%U:%G\n' | sort -u | wc -l)" -ge 6 ]
}

@test "the merged tree is umoci's: paths, types, owners, modes, sizes, times, xattrs, links" {
	mkdir merged
	mount -t overlay overlay merged \
		-o "ro,lowerdir=$(sed "s|^|$STORE/|" "$STORE/images/debian/layers" | paste -sd:)"
	umoci unpack --image "$DEBIAN/oci:latest" umoci >/dev/null
	"$TESTS/fixtures/treedump.py" merged >ours
	"$TESTS/fixtures/treedump.py" umoci/rootfs >theirs
	[ "$(wc -l <ours)" -gt 8000 ]
	grep -q 'security.capability' ours
	diff theirs ours
	# And so is one flat tree, of which no layer can be told any more.
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat flat "oci:$DEBIAN/oci:latest"
	"$TESTS/fixtures/treedump.py" flat | diff theirs -
}

@test "a layer that lists no directories goes through the links of a merged /usr" {
	cp -r "$DEBIAN/oci" oci
	mkdir -p files/bin files/lib
	cat >files/bin/tool <<-'EOF'
		#!/bin/sh
		echo "tool of ${0##*/}"
	EOF
	chmod 755 files/bin/tool
	ln files/bin/tool files/bin/tool2
	: >files/bin/.wh.tac
	echo data >files/lib/newfile
	tar -C files -cf layer.tar --owner=0 --group=0 bin/tool bin/tool2 bin/.wh.tac lib/newfile
	umoci raw add-layer --image oci:latest layer.tar >/dev/null
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" -N usrmerge oci:oci:latest
	mkdir root
	must_work "$SHIFTBOX" mount-idmapped -s "$STORE" -m +100000 -o ro image:usrmerge root
	must_equal "$(readlink root/bin root/lib | paste -sd' ')" "usr/bin usr/lib"
	must_equal "$(chroot root /bin/sh -c 'tool && /usr/bin/tool2')" \
		"tool of tool"$'\n'"tool of tool2"
	must_equal "$(cat root/usr/lib/newfile)" data
	[ ! -e root/bin/tac ]
	[ -e root/bin/cat ]
	umount root
	umoci unpack --image oci:latest umoci >/dev/null
	"$TESTS/fixtures/treedump.py" umoci/rootfs >theirs
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat flat oci:oci:latest
	"$TESTS/fixtures/treedump.py" flat | diff theirs -
}

@test "two users have the image at two ranges at the same time, and run its programs" {
	local base group
	for base in 100000 300000; do
		stack "$base" "at-$base" "upper=$SCRATCH/upper-$base"
		run -0 --separate-stderr "$TESTS/fixtures/in-range" "$base" "at-$base" \
			--chroot apt-get --version
		[[ $output = apt\ * ]]
		run -0 --separate-stderr "$TESTS/fixtures/in-range" "$base" "at-$base" \
			--chroot perl -e 'print 6 * 7'
		[ "$output" = 42 ]
		run -0 --separate-stderr "$TESTS/fixtures/in-range" "$base" "at-$base" --chroot ls \
			-ln /usr/sbin/postdrop
		group=$(sed -n 's/^postdrop:[^:]*:\([0-9]*\):.*/\1/p' "at-$base/etc/group")
		[[ $output = -r-xr-sr-x*\ 0\ $group\ * ]]
		run -0 "$TESTS/fixtures/in-range" "$base" "at-$base" \
			--chroot sh -c 'echo mine >/etc/motd && chmod 600 /etc/motd'
		must_equal "$(owner "at-$base/etc/motd")" "$base:$base"
		must_equal "$(owner "upper-$base/etc/motd")" 0:0
	done
	must_equal "$(cat at-100000/etc/motd at-300000/etc/motd)" $'mine\nmine'
}

@test "shift-check verify finds nothing on the image at two ranges" {
	local base
	for base in 100000 300000; do
		stack "$base" "at-$base"
		must_work "$SHIFTBOX" shift-check verify -s "$STORE" -m "+$base" \
			--image debian "at-$base"
		must_work "$SHIFTBOX" shift-check verify -s "$STORE" --json -m "+$base" \
			--image debian "at-$base"
	done
}

@test "shift-check verify finds what was changed through the mount" {
	stack 100000 at "upper=$SCRATCH/upper"
	chmod 600 at/etc/hostname
	rm at/etc/debian_version
	run -0 "$TESTS/fixtures/in-range" 100000 at touch new
	capture "$SHIFTBOX" shift-check verify -s "$STORE" -m +100000 --image debian at
	[ "$status" = 3 ]
	[[ $output = *"mode"*"etc/hostname"* ]]
	[[ $output = *"missing"*"etc/debian_version"* ]]
	[[ $output = *"extra"*"new"* ]]
}

@test "an upper moves to another user's range and every owner is still right" {
	stack 100000 a "upper=$SCRATCH/upper"
	run -0 "$TESTS/fixtures/in-range" 100000 a --chroot sh -c \
		'for id in 0 33 1000 65534; do
			mkdir /srv/$id && setpriv --reuid $id --regid $id --clear-groups true
		done
		chgrp mail /srv/33; echo x >/srv/0/file; chmod 6755 /srv/0/file'
	must_work "$SHIFTBOX" mount-idmapped -u a
	stack 300000 b "upper=$SCRATCH/upper"
	must_equal "$(owner b/srv/0/file)" 300000:300000
	must_equal "$(stat -c %a b/srv/0/file)" 6755
	must_equal "$(owner b/srv/33)" 300000:300008
	must_equal "$(owner upper/srv/33)" 0:8
	run -0 "$TESTS/fixtures/in-range" 300000 b --chroot cat /srv/0/file
	[ "$output" = x ]
}

@test "crun and runc run its programs from a bundle" {
	local runtime
	need prog crun runc
	chgrp 100000 . # the container's root must find its rootfs; others need not
	chmod 710 .
	# crun takes no mixture of the two versions of cgroups: this mount namespace has the older
	# alone then.
	if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --bundle b -m +100000 debian -- sh -c \
		'apt-get --version | head -n1
		stat -c %U:%G /usr/sbin/postqueue /etc/shadow
		perl -e "print getpwuid(33), qq(\n)"
		touch /root/x; stat -c %u /root/x'
	stack 100000 b/rootfs ephemeral
	# crun gives what it has as stdin to the container's root: not the host's /dev/null
	: >nothing
	for runtime in "crun --root $SCRATCH/crun --cgroup-manager=disabled" \
		"runc --root $SCRATCH/runc"; do
		# shellcheck disable=SC2086 # a list of words
		must_work $runtime run -b b "shiftbox-debian-$$" <nothing
		[[ $output == apt\ *$'\nroot:postdrop\nroot:shadow\nwww-data'*$'\n0' ]] ||
			tell "not that"
	done
}

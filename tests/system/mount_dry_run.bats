#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A dry run of mount-idmapped says what the real run would do, finds the errors that it would find,
# and changes nothing; what --json says of either is so.

load lib
need root
need kernel 6.3
need prog jq python3

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir src t
	STORE=$SCRATCH/store
}

# Fails in the same way with --dry-run and without, and leaves nothing.
fails_alike() { # TEXT WORD...
	local text=$1 before
	shift
	before=$(find . -xdev | sort)
	must_fail 1 "$text" $MI "$@"
	real=$stderr
	must_fail 1 "$text" $MI -n "$@"
	must_equal "$stderr" "$real"
	must_equal "$(find . -xdev | sort)" "$before"
}

# The flags of the dry run are those of the real one, and those of the kernel: KERNEL WORD...
flags_are() {
	local kernel=$1 dry
	shift
	capture $MI -n -q --json "$@"
	dry=$(jq -r .flags <<<"$output")
	capture $MI -n -q "$@"
	[[ $output == *": $dry" ]] || tell "the steps have other flags than $dry"
	capture $MI -q --json "$@"
	must_equal "$(jq -r .flags <<<"$output")" "$dry"
	must_equal "$dry" "$kernel"
	must_equal "${dry%%,*}" "$(findmnt -no OPTIONS "${@: -1}" | cut -d, -f1)"
	umount "${@: -1}"
}

image() {
	"$TESTS/fixtures/mkimage.py" x <<<'{"layers":[{"files":{"f":"x"}},{"files":{"g":"y"}}]}'
	must_work "$SHIFTBOX" image-unpack -s "$STORE" x
}

@test "the flags are those that the mount gets" {
	image
	flags_are ro,nodev,private -s "$STORE" -m +100000 image:x t
	flags_are rw,nodev,private -s "$STORE" -m +100000 -o ephemeral image:x t
	flags_are ro,nodev,private -s "$STORE" -m +100000 -o ephemeral,ro image:x t
	flags_are ro,private -m +100000 -o lower=src overlay t
	flags_are rw,private -m +100000 src t
	flags_are rw,nosuid,noexec,slave -m +100000 -o nosuid,noexec,slave src t
	# A bind keeps the flags of the source.
	mkdir u
	mount -t tmpfs -o ro,noexec none u
	flags_are ro,noexec,private -m +100000 u t
	mkdir v
	mount --bind src v
	mount -o remount,bind,ro v
	flags_are ro,private -m +100000 v t
	flags_are rw,private -m +100000 -o rw v t
}

@test "the flags of a filesystem that is read-only, whatever is asked for" {
	local device
	need loop
	need fs squashfs
	need prog mksquashfs
	truncate -s 8M disk
	PATH=$PATH:/usr/sbin mkfs.ext4 -q disk
	flags_are rw,private -m +100000 disk t
	flags_are ro,private -m +100000 -o ro disk t
	device=$(losetup -rf --show disk)
	flags_are ro,private -m +100000 "$device" t
	losetup -d "$device"
	mksquashfs src image -quiet >/dev/null
	flags_are ro,private -m +100000 image t
}

@test "what is missing, or of another type, is found" {
	touch file
	fails_alike "'nope': cannot open the source: No such file" -m +100000 nope t
	fails_alike "'nope': cannot open the target: No such file" -m +100000 src nope
	fails_alike "cannot mount a directory on something that is not" -m +100000 src file
	fails_alike "cannot mount a file on a directory" -m +100000 -o bind file t
	image
	fails_alike "no such image" -s "$STORE" -m +100000 image:y t
	must_work $MI -n -m +100000 -o mkdir src new
	[ ! -e new ]
}

@test "what cannot be mapped, or not be written, is found" {
	fails_alike "'/proc': cannot set the ID mapping" -m +100000 /proc t
	fails_alike "cannot set the ID mapping" -m +100000 -o lower=/proc,lower=src overlay t
	mkdir u
	mount -t tmpfs -o ro none u
	fails_alike "cannot mount it writable" -m +100000 -o rw u t
}

@test "of a filesystem, what its driver and this kernel refuse is found without mounting it" {
	need loop
	truncate -s 8M disk
	PATH=$PATH:/usr/sbin mkfs.ext4 -q disk
	fails_alike "cannot set the option 'foo=1' of the filesystem (ext4)" -m +5 -o foo=1 disk t
	fails_alike "this kernel does not support nosuch" -m +5 -t nosuch x t
	fails_alike "the filesystem (proc) does not support ID-mapped mounts" -m +5 -t proc x t
	fails_alike "the filesystem (ramfs) does not support ID-mapped" -m +5 -t ramfs x t
	fails_alike "cannot set the option 'size=x'" -m +5 -t tmpfs -o size=x x t
	must_work $MI -n -m +5 -o commit=9 disk t
	output_has "only mounting it shows whether its driver accepts it, and whether the map suits"
	must_work $MI -n -m none disk t
	output_has "(only mounting it shows whether its driver accepts it)"
	must_work $MI -n -m +5 -t tmpfs x t # it lies in memory, and was tried
	[[ $output != *"only mounting"* ]] || tell "it is known"
	must_equal "$(mounts)" 0
	printf '%s\n' "$PWD/disk $PWD/t ext4 X-mount.idmap=b:0:5:1,foo=1 0 0" >fstab
	must_fail 1 "cannot set the option 'foo=1'" $MI -a -n -T fstab
}

@test "an upper that cannot be used is found, and not made" {
	image
	chmod 755 .
	fails_alike "cannot keep changes where others can reach them" \
		-s "$STORE" -m +100000 -o upper=up image:x t
	chmod 700 .
	must_work $MI -n -s "$STORE" -m +100000 -o upper=up image:x t
	[ ! -e up ]
	[ ! -e up.work ]
	must_work $MI -s "$STORE" -m +100000 -o upper=up image:x t
	umount t
	before=$(find up up.work | sort)
	must_work $MI -n -s "$STORE" -m +100000 -o upper=up image:x t
	must_equal "$(find up up.work | sort)" "$before"
	fails_alike "No such file" -s "$STORE" -m +100000 -o upper=no/up image:x t
}

@test "lines of an fstab that wait for others are not held against the present" {
	mkdir src/in
	printf '%s\n' "$PWD/src $PWD/t shiftbox map=+100000 0 0" \
		"$PWD/t/in $PWD/t/in shiftbox map=+200000 0 0" >fstab
	capture $MI -a -n -T fstab
	must_equal "$status" 0
	printf '%s\n' "$PWD/src $PWD/nope shiftbox map=+100000 0 0" >fstab
	must_fail 1 "cannot open the target" $MI -a -n -T fstab
	[[ $stderr == *"fstab, line 1: '$PWD/nope': "* ]] || tell "the line is not named"
	printf '%s\n' "/proc $PWD/t shiftbox map=+100000 0 0" >fstab
	must_fail 1 "cannot set the ID mapping" $MI -a -n -T fstab
	printf '%s\n' "/proc $PWD/t shiftbox map=+100000,nofail 0 0" >fstab
	capture $MI -a -n -T fstab
	must_equal "$status" 0
}

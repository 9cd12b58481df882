# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Words of mount(8) in lines of an fstab: those that it keeps from its helper, and those that it
# ignores.

load lib
unset LIBMOUNT_FORCE_MOUNT2 # mount(8) as users have it

need root
need prog mount umount findmnt

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir upper work s t
	# mount(8) looks for helpers in /sbin alone: an overlay of it, in this mount namespace.
	mount -t overlay -o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" \
		none /sbin
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	touch s/file
}

test_teardown() {
	umount -l /sbin
}

mounted() {
	grep -c " $SCRATCH/t " /proc/self/mountinfo || true
}

line() {
	echo "$SCRATCH/s $SCRATCH/t ${2:-shiftbox} $1 0 0" >fstab
}

@test "X-mount.owner and group are refused: nothing here changes owners" {
	local word
	for word in X-mount.owner=1000 X-mount.group=1000; do
		line "map=+5,$word"
		must_fail 1 "option '${word%%=*}' is not supported" $MI -a -T fstab
		stderr_has "this program never changes owners" ... "map=owner:USER"
		must_fail 1 "has this source or target" $MI -T fstab t
		stderr_has "warning: fstab, line 1, '$SCRATCH/t': option '${word%%=*}'"
		must_fail 1 "fstab, line 1, '$SCRATCH/t': option '${word%%=*}' is not supported" \
			mount -T "$SCRATCH/fstab" "$SCRATCH/t"
		capture mount -a -T "$SCRATCH/fstab"
		[ "$status" != 0 ]
		stderr_has "option '${word%%=*}' is not supported"
		line "bind,X-mount.idmap=b:0:5:1,$word" none
		must_fail 1 "option '${word%%=*}' is not supported" $MI -a -T fstab
		must_fail 1 "option '${word%%=*}' is not supported" \
			mount -t shiftbox -o "map=+5,$word" "$SCRATCH/s" "$SCRATCH/t"
		must_fail 2 "option '${word%%=*}' is not supported" $MI -o "$word" s t
		must_fail 2 "option '${word%%=*}' is not supported" $MI -o "sloppy,$word" s t
		must_equal "$(mounted) $(stat -c '%u:%g %a' s)" "0 0:0 755"
	done
}

@test "X-mount.mode changes the mode of the mount's root, but not through mount(8)" {
	local by
	for by in "$MI -a -T fstab" "$MI -T fstab t"; do
		chmod 755 s
		line "map=+5,X-mount.mode=1750"
		must_work $by
		must_equal "$(mounted) $(stat -c '%u:%g %a' t)" "1 5:5 1750"
		umount t
	done
	must_fail 32 "mount(8) keeps X-mount.mode= to itself" mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_fail 32 "mount(8) keeps X-mount.mode= to itself" \
		mount -t shiftbox -o "map=+5,X-mount.mode=700" "$SCRATCH/s" "$SCRATCH/t"
	must_equal "$(mounted)" 0
	line "bind,X-mount.idmap=b:0:5:1,X-mount.mode=711" none
	must_work $MI -a -T fstab
	must_equal "$(mounted) $(stat -c '%u:%g %a' t)" "1 5:5 711"
	umount t
	line "map=+5,X-mount.mode=700"
	must_work $MI -a -n -T fstab
	output_has "change the mode of its root to 0700"
	must_equal "$(mounted) $(stat -c %a s)" "0 711"
	must_fail 2 "'X-mount.mode': 'u+x' is not an octal mode" $MI -m +5 -o X-mount.mode=u+x s t
	touch from to
	must_work $MI -m +5 -o bind,X-mount.mode=640 from to
	must_equal "$(stat -c '%u:%g %a' to)" "5:5 640"
	umount to
	# What cannot be done is undone.
	must_fail 1 "cannot change the mode of the mount's root: Read-only file system" \
		$MI -m +5 -o ro,X-mount.mode=700 s t
	must_equal "$(mounted) $(stat -c %a s)" "0 711"
}

@test "X-mount.idmap in a line of ours, which mount(8) keeps to itself, is an error for all" {
	line "X-mount.idmap=b:0:5:1"
	must_fail 1 "X-mount.idmap= is not for lines of type shiftbox" $MI -a -T fstab
	must_fail 32 "X-mount.idmap= is not for lines of type shiftbox" \
		mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	stderr_has "without a map" ... "write map=MAP"
	# Beside map= it would be dropped without a word.
	line "map=0:1001:1,X-mount.idmap=b:0:5:1"
	must_fail 32 "X-mount.idmap= is not for lines of type shiftbox" \
		mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	stderr_has "$SCRATCH/fstab, line 1"
	must_fail 32 "X-mount.idmap= is not for lines of type shiftbox" \
		mount -t shiftbox -o map=0:1001:1,X-mount.idmap=b:0:5:1 "$SCRATCH/s" "$SCRATCH/t"
	must_fail 32 "X-mount.idmap= is not for lines of type shiftbox" \
		mount -t shiftbox -o map=0:1001:1 --options X-mount.idmap=b:0:5:1 \
		"$SCRATCH/s" "$SCRATCH/t"
	# After that mount(8) of util-linux 2.41 mounts the target on itself, with that map.
	[ "$(mounted)" = 0 ] || [[ $(mount --version) == *" 2.4"[1-9]* ]] || say "t is mounted"
	[ ! -e t/file ] || say "the source is mounted"
	while mountpoint -q t; do umount t; done
	# Words that only look like it are notes.
	line 'map=0:1001:1,X-mine="a,X-mount.idmap=x",x-mount.idmap'
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_equal "$(owner t/file)" 1001:1001
	umount t
}

@test "X-mount.subdir in a line that mount(8) mounts is an error: it would show all" {
	need loop
	need prog mkfs.ext4
	truncate -s 16M image && PATH=$PATH:/usr/sbin mkfs.ext4 -q image
	mount image t && mkdir t/in && touch t/in/file && umount t
	echo "$SCRATCH/image $SCRATCH/t shiftbox map=0:1001:1,X-mount.subdir=in 0 0" >fstab
	must_work $MI -a -T fstab
	must_equal "$(ls t) $(owner t/file)" "file 1001:1001"
	must_work $MI -a -u -T fstab
	must_fail 32 "" mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	stderr_has X-mount.subdir= ... "write subdir=DIR"
	must_fail 32 "" mount -t shiftbox -o map=0:1001:1,X-mount.subdir=in \
		"$SCRATCH/image" "$SCRATCH/t"
	stderr_has X-mount.subdir= ... "write subdir=DIR"
	must_equal "$(mounted)" 0
	sed -i s/X-mount.subdir/subdir/ fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	must_equal "$(ls t) $(owner t/file)" "file 1001:1001"
	umount t
}

@test "X-mount.nocanonicalize does not bind what a link points to in place of the link" {
	local word
	ln -s s/file link
	touch file
	for word in X-mount.nocanonicalize X-mount.nocanonicalize=source; do
		must_fail 1 "is a symbolic link, which X-mount.nocanonicalize asks to bind itself" \
			$MI -o "$word" link file
		must_fail 1 "is a symbolic link" $MI -n -o "bind,$word" link file
		must_work $MI -m none -o "$word" s/file file
		umount file
	done
	must_work $MI -m none -o X-mount.nocanonicalize=target link file
	umount file
	must_fail 2 "takes the value 'source' or 'target'" \
		$MI -o X-mount.nocanonicalize=both link file
}

@test "X-mount.nocanonicalize and X-mount.noloop" {
	local word
	for word in X-mount.nocanonicalize X-mount.nocanonicalize=source X-mount.noloop; do
		line "map=0:1001:1,$word"
		must_work $MI -a -T fstab
		must_equal "$word $(owner t/file)" "$word 1001:1001"
		must_work $MI -a -u -T fstab
		must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
		must_equal "$word $(owner t/file)" "$word 1001:1001"
		umount t
	done
	need loop
	truncate -s 16M image && PATH=$PATH:/usr/sbin mkfs.ext4 -q image
	must_fail 1 "is a file, whose filesystem needs a loop device" \
		$MI -t ext4 -o X-mount.noloop image t
	stderr_has "omit X-mount.noloop"
	must_fail 2 "'X-mount.noloop' excludes 'loop'" $MI -o X-mount.noloop,loop image t
	touch file
	must_work $MI -m 0:1001:1 -o X-mount.noloop image file
	must_equal "$(findmnt -no FSTYPE -M "$SCRATCH/file") $(owner file)" "tmpfs 1001:1001"
	must_work $MI -u file
	must_fail 1 "" $MI -o X-mount.noloop image t
	must_equal "$(mounted)" 0
}

@test "default is ignored on a bind, as by mount(8)" {
	line "default,map=0:1001:1"
	must_work $MI -a -T fstab
	must_equal "$(owner t/file)" 1001:1001
	must_work $MI -a -u -T fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	umount t
	line "bind,default" none
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/t"
	umount t
	must_fail 2 "unknown option 'default'" $MI -o default=x s t
	must_fail 2 "unknown option 'defaulted'" $MI -o default,defaulted s t
}

@test "a remount by type is refused, with the command that changes a flag, which works" {
	must_work $MI -m +5 s t
	for _ in mounted absent; do
		must_fail 1 "option 'remount' is not supported" \
			mount -t shiftbox -o remount,ro "$SCRATCH/t"
		stderr_has "such as ro: mount -o remount,bind,ro $SCRATCH/t; for another map"
		[ "$(mounted)" = 0 ] || mount -o remount,bind,ro "$SCRATCH/t"
		umount -q "$SCRATCH/t" || true
	done
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# Where uppers, stores and trees can be: what a filesystem lacks is reported before the work.

load lib

need root
need kernel 5.19

MI="$SHIFTBOX mount-idmapped"
UNPACK="$SHIFTBOX image-unpack"

test_setup() {
	mkdir low t
	echo a >low/a
	mkdir -m 700 disk
	tar -C low -c a >layer.tar
}

# A place that is refused: nothing is mounted, and nothing is created in it.
refused() {
	local dir=$1 before
	before=$(ls -A "$dir")
	shift
	capture "$@"
	[ "$status" = 1 ] || tell "the exit status is not 1"
	must_equal "$(ls -A "$dir")" "$before"
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 0
}

stack() {
	$MI -m +100000 -o "lower=$1,upper=$2" overlay t
}

overlay_disk() {
	mkdir o1 o2 o3
	mount -t overlay -o lowerdir=o1,upperdir=o2,workdir=o3 none disk
}

fuse_disk() {
	need prog bindfs
	[ -e /dev/fuse ] || skip "needs /dev/fuse"
	mkdir served
	chmod 700 served
	bindfs "$@" "$SCRATCH/served" "$SCRATCH/disk"
}

@test "an upper that is a subvolume is refused with the directory to name instead" {
	need loop
	need prog btrfs
	loop_fs btrfs disk 200M
	chmod 700 disk
	btrfs -q subvolume create disk/sub
	mkdir disk/dir
	refused disk stack low disk/sub
	stderr_has "'disk/sub.work': the upper and the work directory are on different filesystems"
	stderr_has "'disk/sub' is the root of a subvolume" ... "upper=disk/sub/upper"
	refused disk stack low disk/sub/,work=disk/w
	stderr_has "'disk/sub/' is the root of a subvolume" ... "upper=disk/sub/upper"
	refused disk/sub stack low disk/sub,work=disk/sub/w
	stderr_has "'disk/sub/w': is inside the upper directory 'disk/sub'" ... \
		"upper=disk/sub/upper"
	refused disk stack low disk/dir/u,work=disk/sub
	stderr_has "'disk/sub' is the root of a subvolume" ... "work=DIR"
	refused disk stack low disk/dir/u,work=disk/sub/w
	stderr_has "omit work="
	# What is advised works.
	must_work stack low disk/sub/upper
	let_in setpriv --reuid 100000 --regid 100000 --clear-groups touch t/b
	must_work $MI -u t
	must_equal "$(owner disk/sub/upper/b)" 0:0
}

@test "an upper that is a mount of its own is refused in the same way" {
	mkdir disk/dir disk/bound disk/other
	mount --bind disk/dir disk/bound
	mount -t tmpfs -o mode=0700 none disk/other
	refused disk stack low disk/bound
	stderr_has "are on different mounts" ... "'disk/bound' is the root of a mount" ... \
		"upper=disk/bound/upper"
	refused disk stack low disk/other
	stderr_has "are on different filesystems" ... "'disk/other' is the root of a mount" ... \
		"upper=disk/other/upper"
	refused disk stack low disk/dir/u,work=disk/bound/w
	stderr_has "'disk/bound/w': the upper and the work directory are on different mounts" ... \
		"omit work="
	refused disk stack low disk/u,work=disk/other
	stderr_has "'disk/other' is the root of a mount" ... "work=DIR"
	must_work stack low disk/bound/upper
	must_work $MI -u t
	must_work stack low disk/other/upper
	must_work $MI -u t
	umount disk/bound disk/other
}

@test "an upper and a work directory inside each other are refused before they are created" {
	mkdir disk/u
	refused disk/u stack low disk/u,work=disk/u/w
	stderr_has "'disk/u/w': is inside the upper directory 'disk/u'" ... "omit work="
	refused disk/u stack low disk/u/a,work=disk/u
	stderr_has "'disk/u/a': is inside the work directory 'disk/u'"
}

@test "an overlay is no place for an upper, and its layers cannot be mapped" {
	overlay_disk
	refused disk stack low disk/u
	stderr_has "'disk/u': is on an overlay, which cannot hold an upper" ... "-o ephemeral"
	refused disk $MI -o lower=low,upper=disk/u overlay t
	stderr_has "'disk/u': is on an overlay, which cannot hold an upper"
	mkdir disk/u disk/u.work
	refused disk $MI -o lower=low,upper=disk/u overlay t
	stderr_has "'disk/u': is on an overlay, which cannot hold an upper"
	refused disk $MI -m +5 -o lower=disk/u overlay t
	stderr_has "'disk/u': layer 1 of 1" ... "the layer is on an overlay" ... \
		"findmnt -T 'disk/u'"
	umount disk
}

@test "a store on an overlay: told when it is filled, and when a map is asked for" {
	overlay_disk
	must_work $UNPACK -s st -N x layer.tar
	capture $UNPACK -s disk/st -N x layer.tar
	must_equal "$status" 0
	stderr_has "warning: '$SCRATCH/disk/st': images in this store can be mounted" \
		"without a map only: its filesystem (overlay) cannot be ID-mapped"
	refused disk $MI -s disk/st -m +5 image:x t
	stderr_has "disk/st/layers/" ... "the store is on an overlay" ... \
		"image-unpack --store DIR"
	[[ $stderr != *image:NAME* && $stderr != *lower=* ]]
	must_work $MI -m none -s disk/st image:x t
	must_equal "$(cat t/a)" a
	must_work $MI -u t
	umount disk
}

@test "FUSE without the flags of renameat2: told before a layer is read" {
	fuse_disk
	mkdir -m 700 disk/st
	must_work $UNPACK --flat disk/flat layer.tar
	for what in "-s disk/st -N x" "--flat disk/flat --replace"; do
		# shellcheck disable=SC2086
		refused disk timeout 300 $UNPACK $what layer:layer.tar
		stderr_has "cannot rename files here as it is needed" ... \
			"its filesystem (fuse" ... "such as ext4, xfs, btrfs or tmpfs"
	done
	must_equal "$(cat disk/flat/a)" a
	must_equal "$(ls -A disk/st/tmp)" ""
	must_equal "$(ls -A disk/st/layers)$(ls -A disk/st/images)" ""
	refused disk stack low disk/u
	stderr_has "'disk/u': the place of the upper: cannot set the ID mapping" ... \
		"FUSE_ALLOW_IDMAP" ... "such as ext4"
	refused disk $MI -o lower=low,upper=disk/u overlay t
	stderr_has "its filesystem (fuse) does not support the flags of renameat2(2)"
	umount disk
}

@test "FUSE that gives files owners of its own is named as the cause" {
	fuse_disk --create-for-user=1000
	refused disk $UNPACK --flat disk/flat layer.tar
	stderr_has "belongs to user 1000, not to the caller" ... \
		"its filesystem (fuse) gives files owners of its own"
	umount disk
}

@test "a stale upper: what it was made over, and how it can be mounted" {
	need loop
	loop_fs ext4 disk 64M
	chmod 700 disk
	mkdir disk/low disk/low2 disk/up disk/up.work
	echo a >disk/low/a
	echo 2 >disk/low2/a
	mount -t overlay -o lowerdir=disk/low,upperdir=disk/up,workdir=disk/up.work,index=on none t
	echo b >>t/a
	umount t
	cp -a disk/up disk/copy
	cp -a disk/up.work disk/copy.work

	must_fail 1 "cannot stack the layers: Stale file handle" \
		$MI -n -o lower=disk/low2,upper=disk/up,index=on overlay t
	must_fail 1 "has the index of another upper" \
		$MI -n -o lower=disk/low,upper=disk/copy,index=on overlay t
	must_work $MI -n -m none -o lower=disk/low,upper=disk/up,index=on overlay t
	capture $MI -n -o lower=disk/low2,upper=disk/up,index=off overlay t
	must_equal "$status" 0
	stderr_has "warning: 'disk/up': the upper was made over another layer than 'disk/low2'"
	refused disk $MI -o lower=disk/low2,upper=disk/up,index=on overlay t
	stderr_has "Stale file handle" ... "the upper 'disk/up' was made over another layer than" \
		"'disk/low2'" ... "-o index=off"
	refused disk $MI -o lower=disk/low,upper=disk/copy,index=on overlay t
	stderr_has "Stale file handle" ... \
		"the work directory 'disk/copy.work' has the index of another upper" ... \
		"work=DIR" ... "-o index=off"

	# Over the layers that it was made over, and with a new work directory, all is well.
	must_work $MI -m none -o lower=disk/low,upper=disk/up,index=on overlay t
	must_equal "$(tr '\n' ' ' <t/a)" "a b "
	must_work $MI -u t
	must_work $MI -m none -o lower=disk/low,upper=disk/copy,work=disk/new,index=on overlay t
	must_equal "$(tr '\n' ' ' <t/a)" "a b "
	must_work $MI -u t

	# Without the index OverlayFS mounts it; that the layer is another one is told.
	capture $MI -o lower=disk/low2,upper=disk/up,index=off overlay t
	must_equal "$status" 0
	stderr_has "warning: 'disk/up': the upper was made over another layer than 'disk/low2'"
	must_work $MI -u t
	must_work $MI -m none -o lower=disk/low,upper=disk/copy,index=off overlay t
	must_work $MI -u t
}

@test "an ordinary user is told the same, and which directory on the way is closed" {
	need subid
	need userns
	make_user alice 1234 300000 65536
	chmod 711 disk
	mkdir -m 777 closed closed/in
	chmod 700 closed
	chmod 644 layer.tar
	overlay_disk
	install -d -m 700 -o 1234 -g 1234 disk/own
	# A store on an overlay serves an ordinary user, who mounts without ID-mapped mounts.
	must_work as_user alice $UNPACK -q -s disk/own/st -N x layer.tar
	must_fail 1 "cannot make the store" as_user alice $UNPACK -s closed/in/st -N x layer.tar
	stderr_has "'closed' (mode 0700) is closed to user 1234" ... \
		"try:  omit --store: the caller's"
	must_fail 1 "is on an overlay, which cannot hold an upper" as_user alice unshare -Urm \
		$MI -o lower=low,upper=disk/own/u overlay disk/own
	must_equal "$(ls disk/own)" st
	umount disk
	fuse_disk -o allow_other
	chmod 711 served
	install -d -m 700 -o 1234 -g 1234 served/own
	must_fail 1 "cannot make a lock file in the store" as_user alice \
		$UNPACK -q -s disk/own/st -N x layer.tar
	stderr_has "its filesystem (fuse" ... "such as ext4, xfs, btrfs or tmpfs"
	mkdir -m 700 run
	chown 1234 run
	must_fail 1 "cannot rename files here as it is needed" as_user alice \
		env XDG_RUNTIME_DIR="$SCRATCH/run" $UNPACK -q -s disk/own/st -N x layer.tar
	stderr_has "its filesystem (fuse"
	must_equal "$(ls -A served/own/st/tmp)$(ls -A served/own/st/layers)" ""
	umount disk
}

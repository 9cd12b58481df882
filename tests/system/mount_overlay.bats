# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: stacks of layers, as root. Each test runs once for each way of giving OverlayFS
# its layers.

load lib

need root
need kernel 5.19

MI="$SHIFTBOX mount-idmapped"

ways() {
	if lacks kernel 6.15 >/dev/null; then echo names; else echo fds names; fi
}

# Run a test in a directory of its own for each way: layers top and base, an empty merged, a private
# place.
each_way() {
	local way
	for way in $(ways); do
		export SHIFTBOX_OVERLAY_WAY=$way
		mkdir "$SCRATCH/$way"
		cd "$SCRATCH/$way" || return 1
		mkdir top base merged other
		mkdir -m 700 private
		chmod 755 top base
		install -d -o 5 -g 7 -m 755 base/dir
		install -o 33 -g 44 -m 644 /dev/null base/dir/file
		install -o 1 -g 2 -m 4755 /dev/null base/suid
		install -o 9 -g 8 -m 640 /dev/null top/upmost
		must_equal "$(mounts)" 0
		echo "the way is '$way'"
		"$@"
		must_equal "$(mounts)" 0
		cd "$SCRATCH" || return 1
	done
}

# Root of the namespace with all capabilities over seen ids BASE...BASE+65535.
container() {
	local base=$1
	shift
	let_in "$TESTS"/fixtures/in-range "$base" . "$@"
}

readonly_stack() {
	must_work $MI -m u:0:100000:65536 -m g:0:300000:65536 -o lower=top,lower=base overlay merged
	must_equal "$output" ""
	must_equal "$(owner merged) $(owner merged/dir)" "100000:300000 100005:300007"
	must_equal "$(owner merged/dir/file) $(owner merged/upmost)" "100033:300044 100009:300008"
	must_fail 1 "Read-only" touch merged/x
	must_equal "$(mounts)" 1
	must_equal "$(findmnt -no FSTYPE,SOURCE merged | xargs)" "overlay overlay"
	capture "$SHIFTBOX" shift-check --json explain merged/dir/file
	must_equal "$(jq -r '.mount | "\(.read_only) \(.options)"' <<<"$output")" "true ro,relatime"
	must_work $MI -u merged
}

@test "a stack without an upper shows all layers through the map, and is read-only" {
	each_way readonly_stack
}

single_layer() {
	must_work $MI -m +100000 -o lower=base overlay merged
	must_equal "$(owner merged/dir/file) $(owner merged) $(stat -c %a merged)" \
		"100033:100044 100000:100000 755"
	must_equal "$(ls -A merged)" "$(ls -A base)"
	must_fail 1 "Read-only" touch merged/x
	must_equal "$(mounts)" 1
	must_work $MI -u merged
	must_work_but no-map $MI -o lower=base overlay merged
	must_equal "$(owner merged/dir/file)" 33:44
	must_work $MI -u merged
}

@test "a single layer without an upper is a stack, too" {
	each_way single_layer
}

portable_upper() {
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	must_equal "$(mounts)" 1
	# Born with the owner and mode of the topmost layer's root.
	must_equal "$(owner private/up) $(stat -c %a private/up)" "0:0 755"
	must_equal "$(owner private/up.work) $(stat -c %a private/up.work)" "0:0 700"
	# A copy-up, a new file, a new directory, a changed owner: all keep ids of the disk.
	echo more | let_in setpriv --reuid 100033 --regid 100044 \
		--clear-groups tee merged/dir/file >/dev/null
	container 100000 sh -c 'cd merged && mkdir new && touch new/file && chown 12:13 new/file &&
		chmod 4755 new/file && chown 21:22 upmost && rm suid'
	must_equal "$(owner merged/dir/file) $(owner merged/new) $(owner merged/new/file)" \
		"100033:100044 100000:100000 100012:100013"
	must_equal "$(owner private/up/dir/file) $(owner private/up/dir) $(owner private/up/new)" \
		"33:44 5:7 0:0"
	must_equal "$(owner private/up/new/file) $(owner private/up/upmost)" "12:13 21:22"
	must_equal "$(stat -c %t:%T private/up/suid) $(owner private/up/suid)" "0:0 0:0"
	must_equal "$(owner base/dir/file)" 33:44
	must_work $MI -u merged
	# The same upper for another range: everything is still right.
	must_work $MI -m +300000 -o lower=top,lower=base,upper=private/up overlay merged
	must_equal "$(owner merged/dir/file) $(owner merged/new/file) $(owner merged/upmost)" \
		"300033:300044 300012:300013 300021:300022"
	must_equal "$(cat merged/dir/file)" more
	[ ! -e merged/suid ]
	container 300000 touch merged/second
	must_equal "$(owner private/up/second)" 0:0
	must_work $MI -u merged
}

@test "a portable upper stores ids of the disk, and can be moved to another range" {
	each_way portable_upper
}

two_ranges() {
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/a overlay merged
	must_work $MI -m +300000 -o lower=top,lower=base,upper=private/b overlay other
	container 100000 touch merged/mine
	container 300000 touch other/mine
	must_equal "$(owner merged/mine) $(owner other/mine)" "100000:100000 300000:300000"
	must_equal "$(owner private/a/mine) $(owner private/b/mine)" "0:0 0:0"
	must_equal "$(owner merged/dir) $(owner other/dir)" "100005:100007 300005:300007"
	# Who has one range may not write into the other.
	must_fail 1 "Permission denied" container 300000 touch merged/theirs
	must_work $MI -u merged other
}

@test "two stacks of the same layers for two ranges at a time" {
	each_way two_ranges
}

upper_owner() {
	rm -r top && install -d -o 3 -g 4 -m 2750 top
	chmod 2777 private && setfacl -d -m u:99:rwx private 2>/dev/null
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	# Neither the set-gid bit of the parent nor its default ACL may change what is born there.
	must_equal "$(owner private/up) $(stat -c %a private/up)" "3:4 2750"
	must_equal "$(getfacl -cp private/up | grep -c :99:)" 0
	must_equal "$(owner merged) $(stat -c %a merged)" "100003:100004 2750"
	must_work $MI -u merged
}

@test "a new upper is born with the owner and mode of the topmost layer's root" {
	need prog setfacl
	each_way upper_owner
}

without_disk_zero() {
	chmod 777 top
	rm -r top && install -d -o 5 -g 7 -m 755 top
	must_work_but misfit $MI -m u:5:1000:30 -m g:7:2000:40 \
		-o lower=top,lower=base,upper=private/up overlay merged
	let_in setpriv --reuid 1000 --regid 2000 --clear-groups touch merged/new merged/dir/new
	must_equal "$(owner private/up/new) $(owner private/up/dir/new) $(owner private/up/dir)" \
		"5:7 5:7 5:7"
	must_equal "$(owner merged/new)" 1000:2000
	must_work $MI -u merged
}

@test "an upper is writable under a map that does not have disk id 0" {
	each_way without_disk_zero
}

plain_upper() {
	chmod 755 private
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up,upper-map=none \
		overlay merged
	must_equal "$(owner private/up)" 100000:100000
	container 100000 sh -c 'touch merged/new && echo more >>merged/dir/file'
	must_equal "$(owner private/up/new) $(owner private/up/dir/file)" \
		"100000:100000 100033:100044"
	must_work $MI -u merged
}

@test "upper-map=none stores the ids that are seen" {
	each_way plain_upper
}

no_map() {
	must_work_but no-map $MI -o lower=top,lower=base,upper=private/up overlay merged
	touch merged/new
	must_equal "$(owner merged/dir/file) $(owner private/up/new)" "33:44 0:0"
	must_work $MI -u merged
}

@test "a stack without a map is an ordinary one" {
	each_way no_map
}

map_per_layer() {
	must_work $MI -m +100000 -o lower=top@+200000,lower=base,upper=private/up overlay merged
	must_equal "$(owner merged/upmost) $(owner merged/dir)" "200009:200008 100005:100007"
	must_work $MI -u merged
	must_work $MI -m +100000 -o lower=top@none,lower=base overlay merged
	must_equal "$(owner merged/upmost) $(owner merged/dir)" "9:8 100005:100007"
	must_work $MI -u merged
	must_fail 2 "the map of layer 'top'" \
		$MI -m +100000 -o lower=top@nonsense,lower=base overlay merged
}

@test "a layer may have a map of its own" {
	each_way map_per_layer
}

ephemeral() {
	must_work $MI -m +100000 -o lower=top,lower=base,ephemeral=1M overlay merged
	container 100000 sh -c 'touch merged/new && echo more >>merged/dir/file'
	must_equal "$(owner merged/new) $(owner merged/dir/file)" "100000:100000 100033:100044"
	must_fail 1 "No space left" \
		container 100000 dd if=/dev/zero of=merged/big bs=64K count=32 status=none
	must_equal "$(mounts)" 1
	must_work $MI -u merged
	must_work $MI -m +100000 -o lower=top,lower=base,ephemeral overlay merged
	[ ! -e merged/new ]
	must_work $MI -u merged
}

@test "ephemeral keeps changes in memory, within its size" {
	each_way ephemeral
}

kernel_options() {
	local o
	for o in volatile metacopy redirect_dir userxattr; do
		must_work $MI -m +100000 -o "lower=top,lower=base,upper=private/up-$o,$o" \
			overlay merged
		# Newer kernels show volatile as fsync=volatile.
		grep "$SCRATCH.* overlay " /proc/self/mountinfo | grep -qE "[ ,=]$o" ||
			say "$(grep "$SCRATCH" /proc/self/mountinfo)"
		container 100000 sh -c 'rm merged/suid && mv merged/dir merged/moved' ||
			[ $o != redirect_dir ]
		must_work $MI -u merged
	done
	# What was mounted volatile may be broken after a crash; the kernel refuses it, and so it is
	# said.
	must_fail 1 "was mounted volatile" \
		$MI -m +100000 -o "lower=top,lower=base,upper=private/up-volatile" overlay merged
	must_fail 2 "excludes" $MI -o "lower=top,upper=private/x,userxattr,metacopy" overlay merged
	must_fail 2 "needs 'upper'" $MI -o "lower=top,volatile" overlay merged
}

@test "volatile, metacopy, redirect_dir and userxattr reach the kernel" {
	each_way kernel_options
}

flags() {
	must_work $MI -m +100000 \
		-o lower=top,lower=base,upper=private/up,ro,nosuid,nodev,noexec,noatime \
		overlay merged
	must_equal "$(awk -v d="$PWD/merged" '$5 == d { print $6, $7 }' /proc/self/mountinfo)" \
		"ro,nosuid,nodev,noexec,noatime -"
	must_work $MI -u merged
	mount -t tmpfs none other && mount --make-shared other && mkdir other/merged
	must_work $MI -m +100000 -o lower=top,lower=base overlay other/merged
	must_equal "$(awk -v d="$PWD/other/merged" '$5 == d { print $7 }' /proc/self/mountinfo)" -
	must_work $MI -u other/merged
	umount other
	must_work $MI -m +100000 -o lower=top,lower=base,mkdir=700 overlay a/b
	must_work $MI -u a/b
}

@test "flags and propagation of a stack" {
	each_way flags
}

odd_names() {
	local odd=$' ,:\\"\n@;\xff=' e=' \,\:\\\"\012\@\;\377\='
	mkdir "private/$odd" "private/$odd/l" "private/$odd/m"
	install -o 70 -g 71 /dev/null "private/$odd/l/file"
	must_work $MI -m +100000 \
		-o "lower=private/$e/l,lower=base,upper=private/$e/u$e,work=private/$e/w$e" \
		overlay "private/$odd/m"
	must_equal "$(owner "private/$odd/m/file") $(owner "private/$odd/m/dir")" \
		"100070:100071 100005:100007"
	"$TESTS"/fixtures/in-range 100000 "private/$odd/m" touch new
	must_equal "$(owner "private/$odd/u$odd/new")" 0:0
	must_work $MI -u "private/$odd/m"
	# The same between quotes.
	must_work $MI -m +100000 -o 'lower="private/ ,:\\\"'$'\n''\@;'$'\xff''=/l",ro,lower=base' \
		overlay merged
	must_equal "$(owner merged/file)" 100070:100071
	must_work $MI -u merged
	mkdir 'x\' && touch 'x\/backslash'
	must_work $MI -m +100000 -o 'lower=x\\,lower=base' overlay merged
	[ -e merged/backslash ]
	must_work $MI -u merged
}

@test "names of layers, upper and work may hold any byte" {
	each_way odd_names
}

long_paths() {
	local d long
	printf -v long '%0250d' 0
	d=private
	while [ $((${#d} + 251 + ${#PWD})) -lt 3980 ]; do d=$d/$long; done
	mkdir -p "$d/l" "$d/m"
	install -o 70 -g 71 /dev/null "$d/l/file"
	must_work $MI -m +100000 -o "lower=$PWD/$d/l,lower=base,upper=$PWD/$d/u" overlay "$d/m"
	must_equal "$(owner "$d/m/file")" 100070:100071
	"$TESTS"/fixtures/in-range 100000 "$d/m" touch new
	must_equal "$(owner "$d/u/new")" 0:0
	must_work $MI -u "$d/m"
}

@test "paths of nearly 4000 bytes" {
	each_way long_paths
}

many_layers() {
	local n i o
	for ((i = 0; i < 500; i++)); do
		mkdir "l$i"
		install -o $((i + 1)) -g 7 /dev/null "l$i/f$i"
		ln "l$i/f$i" "l$i/same"
	done
	for n in 40 500; do
		o=lower=l0
		for ((i = 1; i < n; i++)); do o=$o,lower=l$i; done
		must_work $MI -m +100000 -o "$o,upper=private/up$n" overlay merged
		must_equal "$(ls merged | wc -l)" $((n + 1))
		must_equal "$(owner merged/f0) $(owner merged/same)" "100001:100007 100001:100007"
		must_equal "$(owner "merged/f$((n - 1))")" "$((100000 + n)):100007"
		must_equal "$(mounts)" 1
		must_work $MI -u merged
	done
	mkdir l500
	must_fail 1 "cannot stack 501 layers" $MI -m +100000 -o "$o,lower=l500" overlay merged
	[[ $stderr == *"at most 500"* ]] || tell "the limit is not named"
}

@test "40 and 500 layers are stacked, 501 are refused" {
	each_way many_layers
}

refused() {
	local up="-m +100000 -o lower=top,lower=base"
	chmod 711 "$SCRATCH"
	must_fail 1 "where others can reach them" $MI $up,upper=other/up overlay merged
	[[ $stderr == *"set-uid files"*"chmod 0700"* ]] || tell "the reason is not named"
	chown 1000 private
	must_fail 1 "where others can reach them" $MI $up,upper=private/up overlay merged
	chown 0 private
	chmod 710 private && chgrp 1000 private
	must_fail 1 "where others can reach them" $MI $up,upper=private/up overlay merged
	chgrp 0 private
	chmod 700 "$SCRATCH"
	[ ! -e other/up ]
	[ ! -e other/up.work ]

	mount -t tmpfs none other
	must_fail 1 "are on different filesystems" \
		$MI $up,upper=private/up,work=other/w overlay merged
	umount other
	must_fail 1 "must end in a name" $MI $up,upper=private/.. overlay merged
	must_fail 1 "is not a directory" $MI $up,upper=top/upmost,upper-map=none overlay merged
	must_fail 1 "are the same" $MI $up,upper=private/up,work=private/up overlay merged
	must_equal "$(ls -A private)" ""

	mkdir private/l
	must_fail 1 "lies inside" \
		$MI -m +100000 -o lower=private/l,lower=base,upper=private/l/up,work=private/w \
		overlay merged
	must_fail 1 "lies inside" \
		$MI -m +100000 -o lower=private/l,lower=base,upper=private/u,work=private/l/w \
		overlay merged
	must_fail 1 "is the same directory as" \
		$MI -m +100000 -o lower=private/l,lower=base,upper=private/l,work=private/w \
		overlay merged
	must_equal "$(find private -mindepth 1)" private/l
	rmdir private/l

	must_fail 1 "layer 2 of 2: cannot open the layer" \
		$MI -m +100000 -o lower=top,lower=missing overlay merged
	must_fail 1 "layer 1 of 2: cannot open the layer" \
		$MI -m +100000 -o lower=top/upmost,lower=base overlay merged
	must_fail 1 "layer 2 of 2: cannot set the ID mapping" \
		$MI -m +100000 -o lower=top,lower=/proc/self overlay merged
	[[ $stderr == *"(proc) does not support"* ]] || tell "the reason is not named"
	touch file
	must_fail 1 "cannot mount a directory on something that is not a directory" \
		$MI $up overlay file
	must_fail 2 "exclude each other" $MI $up,upper=private/u,ephemeral overlay merged
	must_fail 2 "needs its layers" $MI -m +1 overlay merged
	must_fail 2 "writable only with" $MI $up,rw overlay merged
}

@test "what cannot work or would be dangerous is refused with the reason, and leaves nothing" {
	each_way refused
}

in_use() {
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	must_fail 1 "in use by the overlay on '$PWD/merged'" \
		$MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	must_fail 1 "in use by the overlay on '$PWD/merged'" \
		$MI -m +300000 -o lower=top,lower=base,upper=private/second,work=private/up.work \
		overlay other
	must_fail 1 "in use by the overlay on '$PWD/merged'" \
		$MI -m +300000 -o lower=top,lower=base,upper=private/up,work=private/second \
		overlay other
	must_equal "$(mounts)" 1
	[ ! -e private/second ]
	must_work $MI -u merged
	must_work $MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	must_work $MI -u other
}

@test "an upper or a work directory that is in use is refused" {
	each_way in_use
}

found_by_option() {
	local upper=$PWD/private/up work=$PWD/private/w
	mkdir "$upper" "$work"
	mount -t overlay -o "lowerdir=$PWD/base,upperdir=$upper,workdir=$work" none merged
	must_fail 1 "in use by the overlay on '$PWD/merged'" \
		$MI -m +100000 -o lower=top,upper=private/up,work=private/w overlay other
	[[ $stderr == *"unmount that (shiftbox mount-idmapped -u '$PWD/merged')"* ]] ||
		tell "no advice"
	umount merged
	# A relative path does not say where it leads.
	(cd private && mount -t overlay -o lowerdir=../base,upperdir=up,workdir=w none ../merged)
	must_fail 1 "by an overlay that is not known" \
		$MI -m +100000 -o lower=top,upper=private/up,work=private/w overlay other
	umount merged
}

@test "an overlay of mount(8) that uses the upper is found by its option, and not by a guess" {
	each_way found_by_option
}

used_elsewhere() {
	local pid
	unshare -m --propagation private sh -c '"$@" && touch ready && exec sleep 100' - \
		$MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged 3>&- &
	pid=$!
	while [ ! -e ready ]; do sleep 0.01; done
	must_fail 1 "overlay on '$PWD/merged' in the mount namespace of process $pid (sleep)" \
		$MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	[[ $stderr == *"nsenter -m -t $pid umount '$PWD/merged'"* ]] || tell "no advice"
	nsenter -m -t "$pid" umount "$PWD/merged"
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	must_work $MI -m +300000 -o lower=top,lower=base,upper=private/up overlay other
	must_work $MI -u other
}

@test "an upper that is in use in another mount namespace is found there" {
	each_way used_elsewhere
}

elsewhere() {
	mkdir -p private/a/b private/c
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/a/b/up,work=private/c/work \
		overlay merged
	container 100000 sh -c 'touch merged/new && rm merged/suid'
	must_equal "$(owner private/a/b/up/new) $(owner private/c/work)" "0:0 0:0"
	must_work $MI -u merged
}

@test "the work directory may be anywhere under the same mount" {
	each_way elsewhere
}

falls_back_read_only() {
	# A work directory that cannot be written to makes OverlayFS fall back to read-only without
	# a word.
	need prog chattr
	loop_fs ext4 disk 32M
	chmod 700 disk
	mkdir disk/up disk/w
	(cd disk/w && mkdir work && touch work/x && chattr +i work)
	capture $MI -m +100000 -o lower=top,lower=base,upper=disk/up,work=disk/w overlay merged
	chattr -i disk/w/work
	must_equal "$status" 1
	[[ $stderr == *"cannot make the stack writable"* ||
		$stderr == *"cannot stack the layers"* ]] || tell "what"
	umount disk
}

@test "an overlay that fell back to read-only is not left behind" {
	need loop
	each_way falls_back_read_only
}

filesystems() {
	local type
	for type in ext4 xfs btrfs; do
		loop_fs $type disk 300M
		mkdir -m 700 disk/p && mkdir disk/top && cp -a base disk/base
		must_work $MI -m +100000 -o lower=disk/top,lower=disk/base,upper=disk/p/up \
			overlay merged
		container 100000 sh -c 'touch merged/new && rm merged/suid'
		echo more | let_in setpriv --reuid 100033 --regid 100044 --clear-groups tee \
			-a merged/dir/file >/dev/null
		must_equal "$(owner merged/new) $(owner merged/dir/file)" \
			"100000:100000 100033:100044"
		must_equal "$(owner disk/p/up/new) $(owner disk/p/up/dir/file)" "0:0 33:44"
		must_work $MI -u merged
		umount disk
	done
	mksquashfs base image.squashfs -quiet -no-progress >/dev/null
	mkfs.erofs image.erofs base >/dev/null 2>&1
	for type in squashfs erofs; do
		mount -o loop -t $type image.$type disk
		must_work $MI -m +100000 -o lower=top,lower=disk,upper=private/$type overlay merged
		echo more | let_in setpriv --reuid 100033 --regid 100044 --clear-groups tee \
			-a merged/dir/file >/dev/null
		must_equal "$(owner merged/dir/file) $(owner private/$type/dir/file)" \
			"100033:100044 33:44"
		must_work $MI -u merged
		umount disk
	done
}

@test "layers on ext4, xfs, btrfs, squashfs and erofs" {
	need loop
	need prog mkfs.ext4 mkfs.xfs mkfs.btrfs mksquashfs mkfs.erofs
	local f
	for f in ext4 xfs btrfs squashfs erofs; do need fs $f; done
	each_way filesystems
}

@test "without a wish, the way is chosen by trying, and a fallback is told" {
	mkdir top base merged
	install -o 5 -g 7 /dev/null base/file
	unset SHIFTBOX_OVERLAY_WAY
	must_work $MI --json -m +100000 -o lower=top,lower=base overlay merged
	if lacks kernel 6.15 >/dev/null; then
		[[ $output == *'"layers_by":"names"'* ]]
	else
		[[ $output == *'"layers_by":"fds"'* ]]
	fi
	must_work $MI -u merged
	# A kernel that does not take descriptors: the second fsconfig() is the first layer's
	capture inject fsconfig:EINVAL:2 $MI -v --json -m +100000 -o lower=top,lower=base \
		overlay merged
	must_equal "$status" 0
	[[ $stderr == *"passing them by name"* && $output == *'"layers_by":"names"'* ]] ||
		tell "no fallback"
	must_equal "$(owner merged/file)" 100005:100007
	must_work $MI -u merged
	# When the fallback fails, its reason counts.
	mkdir -m 700 private
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	must_fail 1 "in use by the overlay on '$PWD/merged'" \
		inject fsconfig:EOPNOTSUPP:3+ \
		$MI -m +300000 -o lower=top,lower=base,upper=private/up overlay top
	must_work $MI -u merged
	must_fail 2 "neither 'fds' nor 'names'" env SHIFTBOX_OVERLAY_WAY=x \
		$MI -m +100000 -o lower=top overlay merged
}

killed() {
	kill_mounting 15 merged 100005:100007 \
		$MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	# What it left in private, it takes up again.
	must_work $MI -m +100000 -o lower=top,lower=base,upper=private/up overlay merged
	must_work $MI -u merged
}

@test "nothing stays mounted when it is killed, and the next run works" {
	each_way killed
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: binds of directories and files, as root.

load lib

need root
need kernel 5.12

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir source target
	install -d -o 5 -g 7 -m 755 source/dir
	install -o 33 -g 44 -m 640 /dev/null source/file
	install -o 70000 -g 70001 -m 644 /dev/null source/high
	chmod 755 source
}

# The options of the mount on $1 as mountinfo has them, and the fields for propagation.
mount_options() {
	awk -v d="$SCRATCH/$1" '$5 == d { print $6 }' /proc/self/mountinfo
}

mount_propagation() {
	awk -v d="$SCRATCH/$1" '$5 == d { print $7 }' /proc/self/mountinfo
}

# As uid:gid, with that alone.
as() {
	local id=$1
	shift
	let_in setpriv --reuid "${id%:*}" --regid "${id#*:}" --clear-groups --inh-caps=-all \
		--bounding-set=-all "$@"
}

@test "the owners of the disk are seen through the map, each kind through its own" {
	must_work $MI -m u:0:100000:65536 -m g:0:300000:1000 source target
	must_equal "$output" ""
	must_equal "$(owner target)" 100000:300000
	must_equal "$(owner target/dir)" 100005:300007
	must_equal "$(owner target/file)" 100033:300044
	# What the map does not have.
	must_equal "$(owner target/high)" 65534:65534
	# The disk is as it was.
	must_equal "$(owner source/file)" 33:44
	[[ ,$(mount_options target), == *,idmapped,* ]]
}

@test "what is created through the map gets the ids of the disk" {
	must_work $MI -m u:5:1000:1 -m g:7:2000:10 source/dir target
	as 1000:2003 touch target/new
	must_equal "$(owner target/new)" 1000:2003
	must_equal "$(owner source/dir/new)" 5:10
	# Root has no mapping: nothing can be created as it.
	must_fail 1 "too large" touch target/root
	[ ! -e source/dir/root ]
}

@test "a map of several extents keeps each where it belongs" {
	must_work_but misfit $MI -m 5:50000:1 -m 33:60000:2 -m g:7:70000:1 -m g:44:80000:1 \
		source target
	must_equal "$(owner target/dir)" 50000:70000
	must_equal "$(owner target/file)" 60000:80000
	must_equal "$(owner target)" 65534:65534
}

@test "a map for users alone keeps the groups, unless that is refused" {
	capture $MI -m u:0:100000:65536 source target
	must_equal "$status" 0
	must_equal "$(owner target/dir)" 100005:7
	must_work $MI -u target
	must_fail 2 group $MI --strict-map -m u:0:100000:65536 source target
	must_equal "$(mounts)" 0
}

@test "the map is loaded whole: 340 extents" {
	local i maps=()
	for ((i = 0; i < 340; i++)); do maps+=(-m "$((i * 2)):$((1000 + i * 3)):1"); done
	chmod 0 source; install -o 678 -g 2 -m 644 /dev/null source/last
	must_work $MI "${maps[@]}" source target
	must_equal "$(owner target/last)" 2017:1003
	must_fail 2 "341 ranges" $MI "${maps[@]}" -m 999999:999999:1 source target/dir
}

@test "a file is bound onto a file" {
	echo content >source/file
	touch onto
	must_work $MI -m 33:1000:1 -m g:44:2000:1 source/file onto
	must_equal "$(owner onto)" 1000:2000
	must_equal "$(cat onto)" content
}

@test "each flag is set, in mountinfo and in its effect" {
	local flag
	for flag in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
		must_work $MI -m +100000 -o $flag source target
		[[ ,$(mount_options target), == *,$flag,* ]] || say "$flag: $(mount_options target)"
		must_work $MI -u target
	done
	must_work $MI -m +100000 -o strictatime source target
	[[ ,$(mount_options target), != *atime* ]] || say "strictatime: $(mount_options target)"
	must_work $MI -u target
	must_work $MI -m +100000 -o ro,nosuid,nodev,noexec,noatime,nosymfollow source target
	[[ $(mount_options target) == ro,nosuid,nodev,noexec,noatime,nosymfollow,idmapped ]] ||
		say "$(mount_options target)"
	must_fail 1 "Read-only" touch target/x
}

# A set-uid program, a device, a link and a script, all of disk id 0.
things() {
	mkdir -p "$1"
	install -m 4755 "$(command -v id)" "$1/id"
	mknod -m 666 "$1/null" c 1 3
	ln -s id "$1/link"
	chmod 755 "$1"
}

# Run as seen uid 100007: what works through the mount on $1, by one letter each.
effects() {
	local done=
	[ "$(as 100007:100007 "$1/id" -u 2>/dev/null)" != 100000 ] || done+=s
	as 100007:100007 sh -c "echo >$1/null" 2>/dev/null && done+=d
	as 100007:100007 "$1/id" >/dev/null 2>&1 && done+=x
	as 100007:100007 cat "$1/link" >/dev/null 2>&1 && done+=l
	touch "source/things/new" 2>/dev/null # the source stays as it is
	let_in setpriv --reuid 100000 --regid 100000 --clear-groups sh -c "echo >$1/new" \
		2>/dev/null && done+=w
	echo "$done"
}

@test "nosuid, nodev, noexec, nosymfollow and ro have their effects, each alone and none without" {
	things source/things
	local -A left=([suid]=sdxlw [nosuid]=dxlw [nodev]=sxlw [noexec]=dlw [nosymfollow]=sdxw
		[ro]=sdxl [nosuid,nodev,noexec,nosymfollow,ro]="")
	local o
	for o in "${!left[@]}"; do
		must_work $MI -m +100000 -o "$o" source/things target
		must_equal "$o: $(effects "$SCRATCH/target")" "$o: ${left[$o]}"
		must_work $MI -u target
	done
	# A stack keeps them as well.
	mkdir -m 700 private
	for o in "${!left[@]}"; do
		must_work $MI -m +100000 \
			-o "$o,lower=source/things,lower=source/dir,upper=private/up" overlay target
		must_equal "stack, $o: $(effects "$SCRATCH/target")" "stack, $o: ${left[$o]}"
		must_work $MI -u target
		rm -rf private/*
	done
}

@test "the last of two options that contradict each other counts" {
	must_work $MI -m +100000 -o ro,rw,rw,nosuid -o suid,noatime,relatime source target
	must_equal "$(mount_options target)" rw,relatime,idmapped
}

@test "flags of the source's mount are cleared when that is asked for" {
	mount --bind source source
	mount -o remount,bind,ro,nosuid source
	must_work $MI -m +100000 source target
	[[ $(mount_options target) == ro,nosuid,* ]]
	must_work $MI -u target
	must_work $MI -m +100000 -o rw,suid source target
	[[ $(mount_options target) == rw,relatime,idmapped ]]
}

@test "rw over a filesystem that is read-only itself fails, and leaves nothing" {
	mkdir image
	mount -t tmpfs -o ro none image
	must_fail 1 "the filesystem itself is read-only" $MI -m +100000 -o rw image target
	must_equal "$(mounts)" 1
}

@test "a mount is private, whatever the source's and the target's are" {
	mount --bind source source && mount --make-shared source
	mkdir shared && mount -t tmpfs none shared && mount --make-shared shared &&
		mkdir shared/target
	must_work $MI -m +100000 source shared/target
	must_equal "$(mount_propagation shared/target)" -
	mkdir source/below && mount -t tmpfs none source/below
	must_equal "$(mounts)" 4
}

@test "propagation can be chosen" {
	mount --bind source source && mount --make-shared source
	must_work $MI -m +100000 -o slave source target
	[[ $(mount_propagation target) == master:* ]]
	must_work $MI -u target
	must_work $MI -m +100000 -o shared source target
	[[ $(mount_propagation target) == shared:* ]]
	must_work $MI -u target
	must_work $MI -m +100000 -o unbindable source target
	[[ $(mount_propagation target) == unbindable ]]
}

@test "without a map the bind is a plain one" {
	must_work_but no-map $MI -o ro source target
	must_equal "$(owner target/dir)" 5:7
	[[ ,$(mount_options target), != *,idmapped,* ]]
}

@test "an ID-mapped source keeps its map, has it replaced, or dropped, and says which" {
	need kernel 6.15
	mkdir again
	must_work $MI -m +100000 source target
	capture $MI -v --json target again
	must_equal "$(owner again/dir)" 100005:100007
	[[ $stderr == *"its map is kept"* &&
		$output == *'"map":"b:0:100000:65536"'*'"map_change":"kept"'* ]] || tell kept
	must_work $MI -u again
	# Not 100000 + ...: maps do not compose.
	capture $MI -v --json -m 5:1:1 -m g:7:2:1 target again
	must_equal "$(owner again/dir)" 1:2
	[[ $stderr == *"its map is replaced"* && $output == *'"map_change":"replaced"'* ]] ||
		tell replaced
	must_work $MI -u again
	capture $MI -v --json -m none target again
	must_equal "$(owner again/dir)" 5:7
	[[ $stderr == *"its map is dropped"* && $output == *'"map_change":"dropped"'* ]] ||
		tell dropped
}

@test "replacing a map where the kernel cannot is refused by name" {
	mkdir again
	must_work $MI -m +100000 source target
	# 467 is open_tree_attr
	must_fail 1 "Linux 6.15" "$TESTS"/fixtures/nosys 467 $MI -m +200000 target again
	must_equal "$(mounts)" 1
}

@test "a kernel without statmount is asked by mountinfo" {
	local old="$TESTS/fixtures/nosys 457,467"
	mkdir again
	must_work $old $MI -m +100000 -o ro,nosuid source target
	must_equal "$(owner target/dir)" 100005:100007
	capture $old $MI -v --json target again
	must_equal "$status" 0
	[[ $stderr == *"its map is kept"* && $output == *'"type":"tmpfs","map_change":"kept"'* ]] ||
		tell kept
	must_fail 1 "it is ID-mapped already, and changing that needs Linux 6.15" \
		$old $MI -m none target again
	must_fail 1 "the filesystem (proc) does not support" $old $MI -m +1 /proc again
	must_work $old $MI -u again
	must_work_but no-map $old $MI -o shared source again
	[[ $(mount_propagation again) == shared:* ]]
}

@test "filesystems that cannot be mapped are named, with what to do" {
	must_fail 1 "the filesystem (proc) does not support ID-mapped mounts" \
		$MI -m +100000 /proc target
	must_fail 1 "the filesystem (sysfs) does not support" $MI -m +100000 /sys target
	mkdir ramfs && mount -t ramfs none ramfs
	must_fail 1 "the filesystem (ramfs) does not support" $MI -m +100000 ramfs target
	mkdir l1 l2 merged && mount -t overlay -o lowerdir=l1:l2 none merged
	must_fail 1 "no kernel can ID-map an overlay; its layers can be" \
		$MI -m +100000 merged target
	[[ $stderr == *"mount-idmapped -m MAP -o lower="* ]] || tell "the way out is not named"
	must_equal "$(mounts)" 2
}

@test "an overlay without a map is bound like anything else" {
	mkdir l1 l2 merged && mount -t overlay -o lowerdir=source:l2 none merged
	must_work_but no-map $MI -o ro merged target
	must_equal "$(owner target/file)" 33:44
}

@test "a target must exist, be of the source's type, and be no symbolic link" {
	touch file
	ln -s target link
	must_fail 1 "give -o mkdir" $MI -m +1 source missing
	must_fail 1 "give -o mkdir" $MI -m +1 source missing/below
	must_fail 1 "cannot mount a directory on something that is not a directory" \
		$MI -m +1 source file
	must_fail 1 "cannot mount a file on a directory" $MI -m +1 -o bind source/file target
	must_fail 1 "to bind the file itself, name a file as TARGET" $MI -m +1 source/file target
	must_fail 1 "is a symbolic link" $MI -m +1 source link
	must_fail 1 "is a symbolic link" $MI -m +1 source link/
	must_fail 1 "cannot open the source" $MI -m +1 nosource target
	must_equal "$(mounts)" 0
	must_work_but misfit $MI -m 5:9:1 -o follow source link
	must_equal "$(owner target/dir)" 9:65534
}

@test "mkdir creates the target and its parents, and removes them when the mount fails" {
	umask 077
	must_work $MI -m +100000 -o mkdir=711 source a/b/c
	must_equal "$(owner a/b/c/dir)" 100005:100007
	must_work $MI -u a/b/c
	must_equal "$(stat -c %a a a/b a/b/c | xargs)" "755 755 711"
	must_work $MI -m +100000 -o mkdir source/file a/f/g
	[ -f a/f/g ]
	must_work $MI -u a/f/g
	capture inject move_mount:EPERM:1 $MI -m +100000 -o mkdir source n/e/w
	must_equal "$status" 1
	[ ! -e n ]
	# No path is resolved again once something of it was made.
	must_work strace -qq -o trace -e trace=openat,open,openat2 \
		$MI -m +1 -o mkdir source "$SCRATCH/n/e/w"
	must_equal "$(grep -c "\"$SCRATCH/n/e/w\"" trace)" 1
	must_work $MI -u n/e/w
	rm -r n
}

@test "names may hold any byte" {
	local name=$' a,b:c\\d"e\nf\x01\xff@=%'
	mkdir "$name"
	mv source "$name/s"
	mkdir "$name/t"
	must_work $MI -m +100000 "$name/s" "$name/t"
	must_equal "$(owner "$name/t/dir")" 100005:100007
	must_work $MI -u "$name/t"
}

@test "a path of 4000 bytes works, a longer one than the kernel takes is refused" {
	local long d
	printf -v long '%0250d' 0
	d=$SCRATCH/target
	while [ $((${#d} + 251)) -lt 4000 ]; do d=$d/$long; done
	d=$d/$(printf "%0$((4000 - ${#d} - 1))d" 0)
	must_work $MI -m +100000 -o mkdir source "$d"
	must_equal "$(owner "$d/dir")" 100005:100007
	must_work $MI -u "$d"
	must_fail 1 "File name too long" $MI -m +100000 source "$d/$long"
}

@test "unmounting takes off what is on the target, and says what it cannot" {
	must_work $MI -m +100000 source target
	must_work $MI -u target/
	must_equal "$(mounts)" 0
	must_fail 1 "nothing is mounted there" $MI -u target
	must_fail 1 "No such file" $MI -u missing
	must_work $MI -m +100000 source target
	ln -s target link
	must_fail 1 "is a symbolic link" $MI -u link
	(cd target && exec sleep 100) &
	local pid=$!
	while [ "$(readlink /proc/$pid/cwd)" != "$SCRATCH/target" ] ||
		! grep -q sleep /proc/$pid/comm; do
		:
	done
	must_fail 1 "process $pid (sleep: its working directory)" $MI -u target
	kill $pid && wait $pid || true
	mount -t tmpfs none target/dir
	must_fail 1 "something is mounted below it: '$SCRATCH/target/dir'" $MI -u target
	umount target/dir
	must_work $MI -u target
	must_equal "$(mounts)" 0
}

@test "a dry run says what would be done and does nothing" {
	must_work $MI -n -m +100000 -o ro,mkdir source new
	output_has "disk 0-65535 is seen as 100000-165535" ... "create 'new'" ... \
		"attach it at 'new': ro,private"
	[ ! -e new ]
	must_work_but misfit $MI -n --json -m 5:9:1 source target
	must_equal "$(jq -r '.map + " " + .flags + " " + (.steps | length |
		tostring)' <<<"$output")" "b:5:9:1 rw,private 2"
	must_equal "$(mounts)" 0
	must_fail 1 "nothing is mounted there" $MI -n -u target
	must_work_but no-map $MI source target
	must_work $MI -n -u target
	must_equal "$output" "unmount 'target'"
	must_work $MI -u target
}

@test "the result as JSON" {
	must_work $MI --json -m +100000 -o ro,nodev source target
	must_equal "$(jq -rc '[.target, .source, .type, .map, .flags, .map_change]' <<<"$output")" \
		'["target","source","tmpfs","b:0:100000:65536","ro,nodev,private","made"]'
	must_work $MI --json -u target
	must_equal "$output" '{"version":1,"target":"target","unmounted":true}'
}

@test "what is wrong with the command line is told, with status 2" {
	local o
	for o in nonsense ro=1 map= map mkdir= mkdir=9 lower=source upper=x work=x ephemeral \
		X-mount.owner=x 'map="a' skip-unsupported subdir= loop= type; do
		capture $MI -m +1 -o "$o" source target
		must_equal "$o: $status" "$o: 2"
	done
	must_fail 2 "unknown option 'nonsense'" $MI -o ro,nonsense,rw source target
	must_fail 2 "are needed" $MI
	must_fail 2 "'source' is the only operand: SOURCE and TARGET are needed" \
		$MI -m +1 source
	must_fail 2 "unexpected operand 'more'" $MI source target more
	must_fail 2 "cannot be joined" $MI -m none -m +1 source target
	must_fail 2 "'--map' is not for --unmount" $MI -u -m +1 target
	must_work $MI -m +100000 -o x-systemd.automount,X-note=1,nofail,noauto source target
}

@test "nothing stays behind when it is killed" {
	kill_mounting 20 target 100005:100007 $MI -m +100000 source target
}

@test "ext4, xfs, btrfs, squashfs and erofs are mapped" {
	need loop
	need prog mkfs.ext4 mkfs.xfs mkfs.btrfs mksquashfs mkfs.erofs
	local type
	for type in ext4 xfs btrfs; do
		need fs $type
		loop_fs $type disk 300M
		cp -a source/. disk
		must_work $MI -m +100000 disk target
		must_equal "$(owner target/dir) $(owner target/file)" "100005:100007 100033:100044"
		must_work $MI -u target
		umount disk
	done
	need fs squashfs
	mksquashfs source image.squashfs -quiet -no-progress >/dev/null &&
		mount -o loop image.squashfs disk
	must_work $MI -m +100000 disk target
	must_equal "$(owner target/dir) $(owner target/file)" "100005:100007 100033:100044"
	must_work $MI -u target
	umount disk
	need fs erofs
	mkfs.erofs --quiet image.erofs source >/dev/null 2>&1 ||
		mkfs.erofs image.erofs source >/dev/null 2>&1
	mount -o loop image.erofs disk
	must_work $MI -m +100000 disk target
	must_equal "$(owner target/dir) $(owner target/file)" "100005:100007 100033:100044"
}

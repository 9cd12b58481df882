# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped --all: the lines of an fstab as one transaction.

load lib
unset LIBMOUNT_FORCE_MOUNT2 # mount(8) as users have it

need root
need kernel 5.12
need prog findmnt strace jq

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir s t u v l s/below
	touch s/file
	install -o 7 -g 7 /dev/null s/seven
}

# Each argument is a line; DIR stands for the scratch directory.
fstab() {
	printf '%s\n' "${@//DIR/$SCRATCH}" >fstab
}

@test "both kinds of lines are mounted, all others left alone" {
	fstab '# DIR/s DIR/v shiftbox map=0:1:1' \
		'DIR/s DIR/t shiftbox map=0:1001:1,nosuid,nodev,_netdev,x-systemd.automount 0 0' \
		'UUID=none-such / ext4 errors=remount-ro 0 1' 'none none swap sw 0 0' \
		'DIR/s DIR/u none bind,ro,X-mount.idmap=b:7:2002:1 0 0'
	must_work_but misfit $MI -a -T fstab
	must_equal "$output" ""
	must_equal "$(owner t/file)" 1001:1001
	must_equal "$(owner t/seven)" 65534:65534
	must_equal "$(owner u/seven)" 2002:2002
	must_equal "$(mounts)" 2
	must_equal "$(findmnt -no VFS-OPTIONS -M t)" rw,nosuid,nodev,relatime,idmapped
	must_equal "$(findmnt -no VFS-OPTIONS -M u)" ro,relatime,idmapped
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "names are what the escapes of the fstab say" {
	local names=('a b' $'t\tx' $'n\nx' 'b\x' 'h#x' 'a,b') written=('a\040b' 't\011x' 'n\012x'
		'b\134x' 'h\043x' 'a,b') i
	: >fstab
	for i in "${!names[@]}"; do
		mkdir "${names[i]}" "t/${names[i]}"
		touch "${names[i]}/here-$i"
		printf '%s %s shiftbox map=0:100%d:1 0 0\n' "$SCRATCH/${written[i]}" \
			"$SCRATCH/t/${written[i]}" "$i" >>fstab
	done
	must_work $MI -a -T fstab
	for i in "${!names[@]}"; do
		must_equal "$(owner "t/${names[i]}/here-$i")" "100$i:100$i"
	done
	must_equal "$(mounts)" 6
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 6
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "mount(8)'s options without a meaning here are accepted, impossible ones are refused" {
	fstab "$(joined 'DIR/s DIR/t none defaults,bind,nouser,atime,comment=x,_netdev,' \
		'X-mount.idmap=0:1:1 0 0')"
	must_work $MI -a -T fstab
	must_work $MI -a -u -T fstab
	fstab 'DIR/s DIR/t none bind,user,X-mount.idmap=0:1:1 0 0'
	must_fail 1 "lets ordinary users mount" $MI -a -T fstab
	fstab 'DIR/s DIR/t none bind,sync,X-mount.idmap=0:1:1 0 0'
	must_fail 1 "bind mounts take no options for the driver of a filesystem" $MI -a -T fstab
	must_equal "$(mounts)" 0
}

@test "lines that mount(8) gives to its helper are ours, and a swap area is left alone" {
	fstab 'DIR/s DIR/t shiftbox.sub map=0:1001:1 0 0' \
		'DIR/s DIR/u shiftbox,ext4 map=0:1002:1 0 0' \
		'DIR/s none swap sw,X-mount.idmap=b:0:1:1 0 0' \
			'DIR/s DIR/v shiftboxes map=0:1:1 0 0'
	capture $MI -a -T fstab
	must_equal "$status" 0
	stderr_has "'$SCRATCH/v': fstab: map= has no effect in a line of type 'shiftboxes'"
	must_equal "$(wc -l <<<"$stderr")" 1
	must_equal "$(owner t/file) $(owner u/file) $(mounts)" "1001:1001 1002:1002 2"
	capture $MI -a -u -T fstab
	must_equal "$status $(mounts)" "0 0"
}

@test "a map= that mount(8) ignores, or hands to a driver, is warned of" {
	fstab 'DIR/s DIR/t none bind,map=+5 0 0' 'DIR/s DIR/u iso9660 map=off 0 0'
	capture $MI -a -T fstab
	must_equal "$status $(mounts)" "0 0"
	stderr_has "warning: '$SCRATCH/t': fstab: map= has no effect" ... 'X-mount.idmap='
	[[ $stderr != *"$SCRATCH/u"* ]] || tell "it is no map"
	# Without bind, mount(8) hands it to a driver; map=off is an option of iso9660.
	fstab 'DIR/s DIR/t none map=0:1001:1 0 0' '/dev/none DIR/u ext4 map=+5 0 0' \
		'/dev/none DIR/v iso9660 map=off 0 0'
	capture $MI -a -T fstab
	must_equal "$status $(grep -c 'map= has no effect' <<<"$stderr")" '0 2'
	stderr_has "'$SCRATCH/u': fstab: map= has no effect in a line of type 'ext4'"
	must_work $MI -a -u -T fstab
	must_equal "$stderr" ""
	# Nor does it matter to unmounting what mount(8) would do with an option.
	fstab 'DIR/s DIR/t shiftbox X-mount.idmap=0:1001:1 0 0'
	must_work $MI -m 0:1001:1 s t
	must_work $MI -a -u -T fstab
	must_equal "$stderr $(mounts)" " 0"
}

@test "empty options are dropped, as by mount(8)" {
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1, 0 0' 'DIR/s DIR/u shiftbox ro,,map=0:1002:1 0 0'
	must_work $MI -a -T fstab
	must_equal "$(owner t/file) $(owner u/file)" "1001:1001 1002:1002"
	must_work $MI -a -u -T fstab
	must_work $MI -o ,ro,, -m 0:1001:1 s t
}

@test "a line of mount(8) may name a user namespace that is mounted on a file" {
	touch ns
	# Mounted from outside, for which the process must be there.
	unshare -U sleep 100 3>&- &
	while ! grep -q sleep "/proc/$!/comm"; do sleep 0.01; done
	echo "0 100000 10" >"/proc/$!/uid_map" && echo "0 200000 10" >"/proc/$!/gid_map"
	mount --bind "/proc/$!/ns/user" ns
	kill $!
	fstab 'DIR/s DIR/t none bind,X-mount.idmap=DIR/ns 0 0' 'DIR/s DIR/u shiftbox map=DIR/ns 0 0'
	must_work $MI -a -T fstab
	must_equal "$(owner t/seven) $(owner u/file)" "100007:200007 100000:200000"
	must_work $MI -a -T fstab
	must_work $MI -a -u -T fstab
	umount ns
	fstab 'DIR/s DIR/t none bind,X-mount.idmap=DIR/ns 0 0'
	must_fail 1 "is not a user namespace" $MI -a -T fstab
}

@test "a store that may not be mounted yet is told as that" {
	local mode
	fstab 'image:app DIR/t shiftbox store=DIR/v,map=+100000 0 0'
	for mode in 755 700; do
		chmod $mode v
		must_fail 1 "'$SCRATCH/v': " $MI -a -T fstab
		stderr_has 'not mounted there yet' ... "x-systemd.requires-mounts-for=$SCRATCH/v"
	done
}

@test "a comma in an option is an escaped escape" {
	mkdir 'l,1'
	touch 'l,1/file'
	fstab 'overlay DIR/t shiftbox lower=DIR/l\134054\061,lower=DIR/s,map=0:1001:1 0 0'
	must_work $MI -a -T fstab
	must_equal "$(owner t/file)" 1001:1001
}

@test "parents come first, wherever they stand, and sources after what they lie on" {
	mkdir t/below s/t
	fstab 'DIR/s DIR/t/below shiftbox map=0:3:1 0 0' \
		'DIR/u/below DIR/v shiftbox map=0:4:1 0 0' \
		'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox defaults 0 0'
	must_work_but no-map $MI -a -T fstab
	must_equal "$(owner t/file)" 1:1
	must_equal "$(owner t/below/file)" 3:3
	must_equal "$(owner v)" 4:4
	must_equal "$(mounts)" 4
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 4
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "a map that refers to its source waits until the source is there" {
	install -d -o 44 -g 44 late
	fstab 'DIR/u DIR/v shiftbox map=owner:root 0 0' 'DIR/late DIR/u shiftbox defaults 0 0'
	must_work_but no-map $MI -a -T fstab
	must_equal "$(owner v)" 0:0
}

@test "a second time there is nothing to do, and that is told" {
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1,noexec 0 0' 'DIR/s DIR/u shiftbox defaults 0 0' \
		'overlay DIR/v shiftbox lower=DIR/s,lower=DIR/l,map=0:5:1 0 0'
	must_work_but no-map $MI -a -T fstab
	cp /proc/self/mountinfo before
	must_work $MI -a -T fstab
	must_work $MI -a -n -T fstab
	[[ $output == *"'$SCRATCH/t' is mounted already"*"'$SCRATCH/v' is mounted already"* ]]
	must_work $MI -a --json -T fstab
	must_equal "$(grep -c '"already":true' <<<"$output")" 3
	must_equal "$(cat /proc/self/mountinfo)" "$(cat before)"
	capture $MI -a -v -T fstab
	[[ $stderr == *'0 mounted, 3 were mounted already'* ]]
}

@test "the same on kernels that do not tell maps" {
	# statmount and open_tree_attr
	local old="$TESTS/fixtures/nosys 457,467 $MI"
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1 0 0' 'DIR/s DIR/u shiftbox defaults 0 0' \
		'DIR/t DIR/v shiftbox defaults 0 0'
	must_work_but no-map $old -a -T fstab
	must_equal "$(owner t/file) $(owner v/file)" '1001:1001 1001:1001'
	must_work $old -a -T fstab
	must_equal "$(mounts)" 3
	sed -i s/1001/1002/ fstab
	must_fail 1 'with another map' $old -a -T fstab
	must_work $old -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "the table of mounts is read a fixed number of times, however many lines there are" {
	local i
	for i in $(seq 40); do
		mkdir "t/$i"
		# Without a map, the source has to be looked at too.
		echo "$SCRATCH/s $SCRATCH/t/$i shiftbox $([ $((i % 2)) = 0 ] && echo defaults ||
			echo map=0:1001:1) 0 0"
	done >fstab
	must_work_but no-map "$TESTS/fixtures/nosys" 457,467 \
		strace -f -qq -o trace -e trace=openat $MI -a -T fstab
	must_equal "$(mounts)" 40
	[ "$(grep -c /proc/self/mountinfo trace)" -le 2 ]
	must_work "$TESTS/fixtures/nosys" 457,467 strace -f -qq -o trace -e trace=openat \
		$MI -a -T fstab
	[ "$(grep -c /proc/self/mountinfo trace)" -le 2 ] # for the records, and for the lines
	must_work strace -f -qq -o trace -e trace=openat $MI -a -u -T fstab
	must_equal "$(mounts)" 0
	if printf '6.15\n%s\n' "$(uname -r)" | sort -VC; then
		[ "$(grep -c /proc/self/mountinfo trace)" = 0 ]
	fi
}

@test "another map, other flags: refused, and both are shown" {
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1 0 0'
	must_work $MI -a -T fstab
	fstab 'DIR/s DIR/u shiftbox map=0:1:1 0 0' 'DIR/s DIR/t shiftbox map=0:1002:1 0 0'
	must_fail 1 "there: disk 0 is seen as 1001; wanted: disk 0 is seen as 1002" $MI -a -T fstab
	[[ $stderr == *"fstab, line 2: '$SCRATCH/t': is mounted already, with another map"* ]]
	must_equal "$(mounts)" 1
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1,nodev 0 0'
	must_fail 1 'there: rw; wanted: rw,nodev' $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox defaults 0 0'
	must_fail 1 'there: disk 0 is seen as 1001; wanted: ids as on the disk' $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=none 0 0'
	must_fail 1 'with another map' $MI -a -T fstab
	# What is mounted with another map is still the line's to unmount.
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "another map of a stack is seen by its record, or without one by its root's owner" {
	fstab 'overlay DIR/t shiftbox lower=DIR/s,lower=DIR/l,map=0:1001:1 0 0'
	must_work $MI -a -T fstab
	sed -i s/1001/1002/ fstab
	must_fail 1 'there: disk 0 is seen as 1001; wanted: disk 0 is seen as 1002' $MI -a -T fstab
	mount -t tmpfs -o mode=755 run /run
	must_fail 1 'of disk owner 0:0, is seen as 1001:1001; wanted: disk 0 is seen as 1002' \
		$MI -a -T fstab
}

# changed TEXT OLD NEW: the line of t with NEW for OLD is refused, and with OLD again left alone.
changed() {
	sed -i "s|$2|$3|" fstab
	must_fail 1 "$1" $MI -a -T fstab
	sed -i "s|$3|$2|" fstab
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 1
}

stacks() {
	mkdir -m 700 p
	mkdir l/1 l/2 l/3
	fstab 'overlay DIR/t shiftbox lower=DIR/l/1,lower=DIR/l/2,map=+1000 0 0'
	must_work $MI -a -T fstab
	changed "with other layers" "/l/1" "/l/3,lower=$SCRATCH/l/1"
	changed "with another topmost layer" "/l/1" "/l/3"
	changed "with another upper" ",map" ",upper=$SCRATCH/p/new,map"
	must_work $MI -a -u -T fstab
	[ ! -e p/new ]

	fstab 'overlay DIR/t shiftbox lower=DIR/l/1,upper=DIR/p/a,map=+1000 0 0'
	must_work $MI -a -T fstab
	mkdir -m 755 p/b
	changed "with another upper" /p/a /p/b
	changed "with another upper" /p/a /p/c
	must_work $MI -a -u -T fstab

	# Without a number in common, the layers are counted.
	mount -t tmpfs none l/3
	fstab 'overlay DIR/t shiftbox lower=DIR/l/1,lower=DIR/l/3,upper=DIR/p/a,map=+1000 0 0'
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 2
	must_work $MI -a -T fstab
	sed -i "s|lower=$SCRATCH/l/1,||" fstab
	must_fail 1 "there: 2 layers; wanted: 1 layer" $MI -a -T fstab
	must_work $MI -u t
	umount l/3

	tar -C l -cf 1.tar 1 && tar -C l -cf 2.tar 2 && tar -C l -cf 3.tar 3
	must_work "$SHIFTBOX" image-unpack -q -s p/store -N i 1.tar 2.tar
	fstab 'image:i DIR/t shiftbox store=DIR/p/store,ephemeral,map=+1000 0 0'
	must_work $MI -a -T fstab
	must_work $MI -a -T fstab
	must_work "$SHIFTBOX" image-unpack -q -s p/store -N i 1.tar 3.tar
	must_fail 1 "with other layers" $MI -a -T fstab
	must_work $MI -a -u -T fstab
	must_work $MI -a -T fstab
	must_equal "$(mounts)" 1
	must_work $MI -a -u -T fstab
	rm -r p l/1 l/2 l/3
}

@test "other layers of a stack, or another upper, are refused" {
	need kernel 6.15
	local way
	for way in fds names; do
		export SHIFTBOX_OVERLAY_WAY=$way
		stacks
	done
	# By mountinfo.
	MI="$TESTS/fixtures/nosys 457 $MI"
	stacks
}

@test "something else on the target is covered, and not unmounted" {
	mount -t tmpfs other t
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1 0 0'
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 1
	must_work $MI -a -T fstab
	must_equal "$(owner t/file)" 1001:1001
	must_work $MI -a -u -T fstab
	must_equal "$(findmnt -no SOURCE -M t)" other
}

@test "a filesystem can be covered by a mapped bind of itself" {
	mount -t tmpfs self t
	touch t/file
	fstab 'DIR/t DIR/t shiftbox map=0:1001:1 0 0'
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 1
	must_work $MI -a -T fstab
	must_work $MI -a -T fstab
	must_equal "$(owner t/file) $(mounts)" '1001:1001 2'
	must_work $MI -a -u -T fstab
	must_equal "$(owner t/file) $(mounts)" '0:0 1'
}

@test "all or nothing: what was mounted and created before a failure is gone after it" {
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/new/deep shiftbox mkdir 0 0' \
		'overlay DIR/v shiftbox lower=DIR/s,lower=DIR/l,upper=DIR/up,map=0:1:1 0 0' \
		'DIR/none DIR/u shiftbox map=0:2:1 0 0'
	must_fail 1 "fstab, line 4, '$SCRATCH/u': '$SCRATCH/none': cannot open the source" \
		$MI -a -T fstab
	must_equal "$(mounts)" 0
	must_equal "$(echo *)" 'fstab l s t u v'
}

@test "what was mounted before stays when another line fails" {
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0'
	must_work $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/v shiftbox map=0:1:1 0 0' \
		'DIR/none DIR/u shiftbox defaults 0 0'
	must_fail 1 'cannot open the source' $MI -a -T fstab
	must_equal "$(mounts)" 1
	must_equal "$(owner t/file)" 1:1
}

@test "each call that fails takes everything back" {
	local call n
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s/below DIR/u shiftbox map=0:2:1 0 0' \
		'DIR/s/file DIR/v shiftbox map=0:3:1 0 0'
	rmdir v && touch v
	for call in clone:ENOSPC open_tree:EPERM mount_setattr:EINVAL move_mount:EBUSY; do
		for n in 1 2 3; do
			must_fail 1 "fstab, line " inject "$call:$n" $MI -a -T fstab
			must_equal "$call $n $(mounts)" "$call $n 0"
		done
	done
}

@test "nofail makes a failure a warning, noauto leaves a line out, auto takes it in again" {
	fstab 'DIR/none DIR/u shiftbox nofail,map=0:1:1 0 0' \
		'DIR/s DIR/v shiftbox noauto,map=0:1:1 0 0' \
		'DIR/s DIR/t shiftbox noauto,auto,map=0:1:1 0 0'
	capture $MI -a -T fstab
	must_equal "$status" 0
	stderr_has "warning: fstab, line 1, '$SCRATCH/u': '$SCRATCH/none': cannot open" \
		"the source: No such file"
	must_equal "$(mounts) $(owner t/file)" '1 1:1'
	# By name, a line of either kind is meant.
	must_work $MI -T fstab "$SCRATCH/v/"
	must_equal "$(owner v/file)" 1:1
	must_fail 1 'cannot open the source' $MI -T fstab "$SCRATCH/none"
}

@test "what lies on a line that failed fails with it" {
	mkdir -p t/below
	fstab 'DIR/none DIR/t shiftbox nofail 0 0' 'DIR/t/below DIR/v shiftbox nofail 0 0' \
		'DIR/v DIR/l shiftbox nofail 0 0' 'DIR/s DIR/u shiftbox defaults 0 0'
	capture $MI -a -v -T fstab
	must_equal "$status $(mounts)" '0 1'
	stderr_has "fstab, line 2, '$SCRATCH/v': '$SCRATCH/t': what the line needs from there" \
		"is not mounted"
	[[ $stderr == *'1 mounted, 0 were mounted already, 3 failed (nofail)'* ]]
	fstab 'DIR/none DIR/t shiftbox nofail 0 0' 'DIR/s DIR/t/below shiftbox defaults 0 0' \
		'DIR/s DIR/v shiftbox defaults 0 0'
	local why="what the line needs from there is not mounted"
	must_fail 1 "fstab, line 2, '$SCRATCH/t/below': '$SCRATCH/t': $why" $MI -a -T fstab
	must_equal "$(mounts)" 1
}

@test "what cannot be read or done is refused before anything is mounted" {
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox map=0:1:1 0 x'
	must_fail 1 'line 2 is not a valid line of an fstab' $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox nofail,nonsense 0 0'
	must_fail 1 "unknown option 'nonsense'" $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox map=0:1:0 0 0'
	must_fail 1 "fstab, line 2, '$SCRATCH/u'" $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/u DIR//t/ shiftbox map=0:1:1 0 0'
	must_fail 1 "fstab: '$SCRATCH/t': lines 1 and 2 have this target" $MI -a -T fstab
	# Lines are numbered as in the file, comments and lines of others included.
	fstab '# one' 'DIR/s DIR/t shiftbox map=0:1:1 0 0' '' 'none none swap sw 0 0' \
		'DIR/u DIR//t/ shiftbox map=0:1:1 0 0'
	must_fail 1 "fstab: '$SCRATCH/t': lines 2 and 5 have this target" $MI -a -T fstab
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u none X-mount.idmap=0:1:1 0 0'
	must_fail 1 "X-mount.idmap= on a line of type 'none'" $MI -a -T fstab
	must_fail 1 'cannot read the fstab: No such file' $MI -a -T none
	must_equal "$(mounts)" 0
}

# Lines of other programs that libmount cannot parse, as printf writes them.
BAD_LINES=('bug' '/dev/x /x' 'UUID=1 / ext4 defaults, noatime 0 1' '/dev/x /x ext4 ro 0 x'
	'/dev/x /x ext4 ro # a remark, not shiftbox' '/dev/x /\0x ext4 ro 0 0' '\f')

@test "lines of other programs that cannot be parsed are skipped with a warning, as by mount(8)" {
	local bad form
	for bad in "${BAD_LINES[@]}"; do
		for form in "%s\n$bad\n" "$bad\n%s\n"; do
			# shellcheck disable=SC2059 # the form
			printf "$form" "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
			for words in -a "-n -a" t s "-n t" "-a -u"; do
				# shellcheck disable=SC2086 # words
				capture $MI -T fstab $words
				must_equal "$bad, $words: $status" "$bad, $words: 0"
				stderr_has "warning: 'fstab': line" ... \
					"is not a valid line of an fstab, and is ignored ("
			done
			must_equal "$(mounts)" 0
		done
	done
}

@test "one warning stands for all lines of other programs that cannot be parsed" {
	printf '%s\n' 'a b' '/dev/x /x ext4 ro 0 0' c 'd e' >fstab
	capture $MI -a -T fstab
	must_equal "$status" 0
	must_equal "$(grep -c warning: <<<"$stderr")" 1
	stderr_has "warning: 'fstab': line 1 is not a valid line of an fstab, and is ignored" ... \
		"this one has 2); so are 2 more of its lines"
	printf '%s:x:1:1::/:/bin/sh\n' a b c d >fstab
	capture $MI -a -T fstab
	must_equal "$status $(grep -c warning: <<<"$stderr")" "0 1"
	stderr_has "line 1 is not" ... \
		"; so are 3 more of its lines; it has no valid line: name an fstab with -T"
	printf '%s\n' c '/s /t shiftbox map=1:2:3 4:5:6 0 0' '/s /u shiftbox defaults 0 x' >fstab
	capture $MI -T fstab /nowhere
	stderr_has "'fstab': line 2 is not" ... "'fstab': line 3 is not"
}

@test "a line of ours that cannot be parsed is an error for -a, with its reason" {
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1 0 0' 'DIR/s DIR/u shiftbox map=0:1:1 7:8:1 0 0'
	must_fail 1 "'fstab': line 2 is not a valid line of an fstab" $MI -a -T fstab
	stderr_has "the fifth field, '7:8:1', is not a number: a blank ends a field" ... 'with 040'
	must_equal "$(mounts)" 0
	# A line that is named does not depend on it.
	capture $MI -T fstab t
	must_equal "$status $(mounts)" "0 1"
	stderr_has "warning: 'fstab': line 2 is not a valid line of an fstab, and is ignored" \
		... '; try: write ; for a blank in a map, and' ... '040 for one in a name'
	capture $MI -a -u -T fstab
	must_equal "$status $(mounts)" "0 0"
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1 0 0' 'DIR/s u shiftbox defaults 0 0'
	capture $MI -T fstab t
	must_equal "$status $(mounts)" "0 1"
	stderr_has "warning: 'u': fstab: the target must be an absolute path"
	must_work $MI -u t
	mkdir dir && echo bug >dir/a.fstab
	echo "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >dir/b.fstab
	capture $MI -a -T dir
	must_equal "$status $(mounts)" "0 1"
	stderr_has "warning: 'dir/a.fstab': line 1 is not"
}

@test "a line is found by its target or its source, as written or by the path that leads there" {
	ln -s t link
	fstab 'DIR/l DIR/u shiftbox map=0:2002:1 0 0' \
		'DIR/s DIR/t shiftbox map=0:1001:1,noauto 0 0' \
		'DIR/t DIR/v shiftbox map=0:3:1 0 0' \
		'DIR/none DIR/l shiftbox map=0:1:1,nofail 0 0'
	local word
	# The target comes before the source of another line.
	for word in "$SCRATCH/t" "$SCRATCH//t/" "$SCRATCH/s" t ./t/ s link; do
		must_work $MI -T fstab "$word"
		must_equal "$word $(mounts) $(owner t/file)" "$word 1 1001:1001"
		must_work $MI -u t
	done
	must_fail 1 "cannot open the source" $MI -T fstab l
	must_fail 1 "has this source or target" $MI -T fstab "$SCRATCH/none/x"
	must_fail 1 "has this source or target" $MI -T fstab private
	fstab 'DIR/s t shiftbox map=0:1:1 0 0'
	must_fail 1 "'t': fstab: the target must be an absolute path" $MI -a -T fstab
}

@test "options that do not go together are faults of the command line" {
	fstab
	must_fail 2 "unexpected operand 's'" $MI -a -T fstab s
	must_fail 2 "'--map' is not for --all" $MI -a -T fstab -m 0:1:1
	must_fail 2 "'s' is the only operand: SOURCE and TARGET are needed" \
		$MI -m 0:1:1 s
	must_fail 2 '--fstab' $MI -T fstab s t
	must_fail 1 "has this source or target" $MI -T fstab "$SCRATCH/s"
}

@test "the plan is shown without a change" {
	fstab 'DIR/s DIR/t shiftbox map=0:1001:1,ro 0 0'
	must_work $MI -a -n -T fstab
	must_equal "$output" "bind '$SCRATCH/s': disk 0 is seen as 1001
attach it at '$SCRATCH/t': ro,private"
	must_work $MI -a -n --json -T fstab
	must_equal "$(jq -r '.target, .map, .steps[0]' <<<"$output")" "$SCRATCH/t
b:0:1001:1
bind '$SCRATCH/s': disk 0 is seen as 1001"
	must_equal "$(mounts)" 0
	must_work $MI -a -T fstab
	must_work $MI -a -n -u -T fstab
	must_equal "$output" "unmount '$SCRATCH/t'"
	must_equal "$(mounts)" 1
}

@test "a busy line does not keep the others mounted" {
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox map=0:1:1 0 0' \
		'DIR/s DIR/v shiftbox map=0:1:1 0 0'
	must_work $MI -a -T fstab
	exec 9<u
	must_fail 1 "fstab, line 2: '$SCRATCH/u': cannot unmount" $MI -a -u -T fstab
	exec 9<&-
	must_equal "$(mounts)" 1
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
}

@test "an interrupted run leaves nothing" {
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox map=0:1:1 0 0' \
		'DIR/s DIR/v shiftbox map=0:1:1 0 0'
	capture strace -qqq -o /dev/null -e inject=move_mount:signal=TERM:when=2 $MI -a -T fstab
	must_equal "$status" 143
	must_equal "$stderr" "shiftbox mount-idmapped: stopped by SIGTERM: what this run $(:
		)has mounted is unmounted, or taken over by the next run"
	must_equal "$(mounts)" 0
}

@test "lines of one source come out as if it were cloned for each, but it is not" {
	need kernel 6.15
	local i
	mount --bind s s && mount --make-shared s && mount -o remount,bind,noexec s
	fstab 'DIR/s DIR/m/0 shiftbox mkdir,map=0:1:1 0 0' \
		'DIR/s DIR/m/1 shiftbox mkdir,map=0:2:1,ro 0 0' 'DIR/s DIR/m/2 shiftbox mkdir 0 0' \
		'DIR/s DIR/m/3 shiftbox mkdir,shared 0 0' \
		'DIR/s DIR/m/4 shiftbox mkdir,slave,map=0:5:1 0 0' \
		'DIR/s DIR/m/5 shiftbox mkdir,unbindable,exec 0 0' \
		'DIR/s/file DIR/m/6 shiftbox mkdir,map=0:7:1 0 0' \
		'DIR/s DIR/m/7 shiftbox mkdir,map=0:8:1 0 0' 'DIR/m/7 DIR/m/8 shiftbox mkdir 0 0' \
		'DIR/m/7 DIR/m/9 shiftbox mkdir,ro 0 0' \
		'DIR/m/7 DIR/m/10 shiftbox mkdir,map=0:9:1 0 0' \
		'DIR/m/7 DIR/m/11 shiftbox mkdir,map=none 0 0'
	flags() {
		awk -v d="$SCRATCH/m/" \
			'index($5, d) == 1 {
			$1 = $2 = $3 = ""; for (i = 7; $i != "-"; i++) p = p " " $i
			print $4, $5, $6, p; p = "" }' \
			/proc/self/mountinfo
	}
	owners() {
		for i in m/*; do owner "$i"; done
	}
	must_work_but no-map strace -f -qq -o trace -e trace=open_tree $MI -a -T fstab
	flags >all && owners >>all
	must_work $MI -a -u -T fstab
	# Each by itself has nothing to be cloned from but its source.
	for ((i = 0; i < 12; i++)); do
		case $i in
		2 | 3 | 5) must_work_but no-map $MI -T fstab "$SCRATCH/m/$i" ;;
		*) must_work $MI -T fstab "$SCRATCH/m/$i" ;;
		esac
	done
	flags >each && owners >>each
	must_equal "$(cat all)" "$(cat each)"
	must_work $MI -a -u -T fstab
	# One for each line, but for the map that is dropped (open_tree_attr), and the copies of s
	# and of m/7.
	must_equal "$(grep -c " open_tree(.*OPEN_TREE_CLONE" trace)" 13
	umount s
}

@test "where no clone can be kept, the source itself is cloned, and that is told" {
	local n
	fstab 'DIR/s DIR/t shiftbox map=0:1:1 0 0' 'DIR/s DIR/u shiftbox map=0:2:1 0 0' \
		'DIR/s DIR/v shiftbox map=0:3:1 0 0'
	for n in open_tree:ENFILE:2 open_tree:ENFILE:3 mount_setattr:ENOMEM:3 open_tree:EINVAL:3; do
		capture inject $n $MI -v -a -T fstab
		must_equal "$n $status $(mounts) $(owner t) $(owner u) $(owner v)" \
			"$n 0 3 1:1 2:2 3:3"
		[[ $stderr == *"no clone can be kept"* ||
			$stderr == *"cannot clone detached mounts"* ]] || tell "$n"
		must_work $MI -a -u -T fstab
	done
}

@test "copies that are cloned from are let go of before anything is taken off" {
	need loop
	truncate -s 8M image && PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q image
	fstab 'DIR/image DIR/t shiftbox loop 0 0' 'DIR/t DIR/u shiftbox map=0:1:1 0 0' \
		'DIR/t DIR/v shiftbox map=0:2:1 0 0' \
		'DIR/none DIR/l shiftbox map=0:2:1 0 0'
	capture $MI -v -a -T fstab
	must_equal "$status $(mounts)" "1 0"
	[[ $stderr == *"is free again"* && $stderr != *"is not free yet"* ]] ||
		tell "the loop device"
}

@test "a thousand lines over forty maps take seconds and forty user namespaces" {
	local i start=$SECONDS
	mkdir many
	for ((i = 0; i < 1000; i++)); do
		mkdir "many/$i"
		echo "$SCRATCH/s $SCRATCH/many/$i shiftbox map=0:$((1000 + i % 40)):1 0 0"
	done >fstab
	capture $MI -a -v -T fstab
	must_equal "$status" 0
	stderr_has '1000 mounted, 0 were mounted already, 0 failed (nofail); user namespaces' \
		'made: 40'
	must_equal "$(mounts)" 1000
	must_equal "$(owner many/999/file)" 1039:1039
	capture $MI -a -v -T fstab
	stderr_has '0 mounted, 1000 were mounted already, 0 failed (nofail); user namespaces' \
		'made: 0'
	must_work $MI -a -u -T fstab
	must_equal "$(mounts)" 0
	[ $((SECONDS - start)) -lt 60 ]
}

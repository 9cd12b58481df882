# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped -o rbind: a directory with all that is mounted below it.

load lib

need root
need kernel 6.3
need prog jq

MI="$SHIFTBOX mount-idmapped"

# source: a tmpfs with a tmpfs on it that has another on it, and a file with a file on it.
test_setup() {
	mkdir source target
	mount -t tmpfs none source
	mkdir source/a source/odd
	install -o 5 -g 7 /dev/null source/file
	mount -t tmpfs none source/a
	mkdir source/a/b
	install -o 6 -g 7 /dev/null source/a/file
	mount -t tmpfs none source/a/b
	install -o 7 -g 7 /dev/null source/a/b/file
	install -o 8 -g 7 /dev/null source/onto
	mount --bind source/a/file source/onto
	chmod 755 source source/a source/a/b
}

below() {
	grep -c " $SCRATCH/$1[/ ]" /proc/self/mountinfo || :
}

whole() {
	must_equal "$(stat -c %u:%g target/{file,a/file,a/b/file,onto} | xargs)" \
		"$1"
}

@test "every mount gets the map and the flags, and is read back" {
	must_work $MI --json -m +100000 -o rbind,ro,nosuid source target
	whole "100005:100007 100006:100007 100007:100007 100006:100007"
	must_equal "$(below target)" 4
	must_equal "$(grep " $SCRATCH/target[/ ]" /proc/self/mountinfo | cut -d' ' -f6,7 |
		sort -u)" "ro,nosuid,relatime,idmapped -"
	must_equal "$(jq -c '.submounts | map([.below, .type, .map_change]) | sort' <<<"$output")" \
		'[["a","tmpfs","made"],["a/b","tmpfs","made"],["onto","tmpfs","made"]]'
	if lacks kernel 6.15 >/dev/null; then return; fi
	must_equal "$(jq -r '.submounts[].map' <<<"$output" | sort -u)" b:0:100000:65536
}

@test "-v tells the map of each" {
	capture $MI -v -m +100000 -o rbind source target
	must_equal "$status" 0
	[[ $stderr == *"'target/a/b' (tmpfs): disk 0-65535 is seen as 100000-165535"* ]] ||
		lacks kernel 6.15 || tell "not told"
}

@test "without rbind nothing from below comes along" {
	must_work $MI -m +100000 source target
	must_equal "$(ls -A target/a) $(below target)" " 1"
}

@test "without a map the tree is bound as it is" {
	must_work_but no-map $MI -o rbind source target
	whole "5:7 6:7 7:7 6:7"
}

@test "mounts that cannot be mapped are all named, with type and reason, and nothing is mounted" {
	mkdir source/proc source/a/ram
	mount -t proc none source/proc
	mount -t ramfs none source/a/ram
	must_fail 1 "of 5 mounts below, 2 cannot be bound" $MI -m +100000 -o rbind source target
	stderr_has "'proc' (proc): the filesystem (proc) does not support ID-mapped mounts"
	[[ $stderr == *"'a/ram' (ramfs): the filesystem (ramfs) does not support"* ]] ||
		tell "ramfs"
	[[ $stderr == *"-o rbind,skip-unsupported"* ]] || tell "the way out"
	must_equal "$(below target)" 0
	# The top itself is another matter.
	must_fail 1 "the filesystem (proc) does not support" \
		$MI -m +100000 -o rbind,skip-unsupported source/proc target
}

@test "skip-unsupported skips those, what is on them, and names each" {
	mkdir source/ram
	mount -t ramfs none source/ram
	mkdir source/ram/deep
	mount -t tmpfs none source/ram/deep
	capture $MI -v --json -m +100000 -o rbind,skip-unsupported,noexec source target
	must_equal "$status" 0
	stderr_has "'source/ram' (ramfs) is skipped: the filesystem (ramfs) does not support"
	stderr_has "'source/ram/deep' (tmpfs) is skipped: what it is mounted on is skipped"
	must_equal "$(jq -c '.submounts | map(select(.left_out) | .below)' <<<"$output")" \
		'["ram","ram/deep"]'
	whole "100005:100007 100006:100007 100007:100007 100006:100007"
	must_equal "$(below target) $(ls -A target/ram)" "4 "
	must_equal "$(grep " $SCRATCH/target[/ ]" /proc/self/mountinfo | cut -d' ' -f6,7 |
		sort -u)" "rw,noexec,relatime,idmapped -"
	# What was assembled aside leaves nothing there, and does not reach the source.
	must_equal "$(below source)" 6
}

@test "an unbindable mount below is not skipped without a word" {
	mount --make-unbindable source/a/b
	must_fail 1 "'a/b' (tmpfs): it is on a mount that is marked unbindable" \
		$MI -o rbind source target
	must_work_but no-map $MI -o rbind,skip-unsupported source target
	must_equal "$(below target) $(ls -A target/a/b)" "3 "
}

@test "mapped mounts below keep their maps, or have them replaced or dropped" {
	need kernel 6.15
	must_work_but misfit $MI -m u:6:60:1 -m g:7:70:1 source/a/b source/odd
	must_work_but no-map $MI --json -o rbind source target
	must_equal "$(owner target/a/b/file) $(owner target/odd/file)" "7:7 65534:70"
	must_equal "$(jq -r '.submounts[] | select(.below == "odd") | .map_change' <<<"$output")" \
		kept
	must_work $MI -u -R target
	must_work $MI --json -m +100000 -o rbind source target
	whole "100005:100007 100006:100007 100007:100007 100006:100007"
	must_equal "$(owner target/odd/file)" 100007:100007
	must_equal "$(jq -r '.submounts[] |
		.below + " " + .map_change' <<<"$output" | sort |
		xargs)" "a made a/b made odd replaced onto made"
	must_equal "$(below target)" 5
	must_work $MI -u -R target
	must_work $MI --json -m none -o rbind source target
	must_equal "$(owner target/odd/file) $(owner target/a/file)" "7:7 6:7"
	must_equal "$(jq -r '.submounts[] |
		.below + " " + .map_change' <<<"$output" | sort |
		xargs)" "a none a/b none odd dropped onto none"
}

@test "on a kernel that cannot replace maps, the mapped mount is named, or skipped" {
	local old="$TESTS/fixtures/nosys 457,467"
	must_work_but misfit $MI -m u:7:60:1 -m g:7:70:1 source/a/b source/odd
	must_fail 1 "'odd' (tmpfs): it is ID-mapped already, and changing that needs Linux 6.15" \
		$old $MI -m +100000 -o rbind source target
	must_work $old $MI -m +100000 -o rbind,skip-unsupported source target
	whole "100005:100007 100006:100007 100007:100007 100006:100007"
	must_equal "$(below target) $(ls -A target/odd)" "4 "
}

@test "mounts that others cover make no difference" {
	mkdir source/c
	mount -t ramfs covered source/c
	mkdir source/c/lost && mount -t tmpfs lost source/c/lost
	mount -t tmpfs cover source/c
	install -o 9 -g 7 /dev/null source/c/file
	capture $MI -v -m +100000 -o rbind source target
	must_equal "$status" 0
	[[ $stderr == *"'source/c' (ramfs) is skipped: another mount covers it"* ]] ||
		tell "not told"
	must_equal "$(owner target/c/file) $(below target)" "100009:100007 5"
	must_work $MI -u -R target
	# In one call they come along.
	must_work_but no-map $MI -o rbind source target
	must_equal "$(owner target/c/file) $(below target)" "9:7 7"
}

@test "an autofs is not entered, and named" {
	need fs autofs
	mkdir source/auto
	python3 - <<-'END'
		import ctypes, os
		if os.getpgrp() == 0:  # of a pid namespace outside
		    os.setpgid(0, 0)
		r, w = os.pipe()
		libc = ctypes.CDLL(None, use_errno=True)
		data = f"fd={w},pgrp={os.getpgrp()},minproto=5,maxproto=5,direct".encode()
		r = libc.mount(b"none", b"source/auto", b"autofs", 0, data)
		assert r == 0, os.strerror(ctypes.get_errno())
	END
	must_fail 1 "'auto' (autofs)" timeout 300 $MI -m +100000 -o rbind source target
	must_work timeout 300 $MI -m +100000 -o rbind,skip-unsupported source target
	must_equal "$(below target)" 4
}

@test "read-only filesystems below: ro may stay, rw is refused" {
	mount -o remount,ro source/a/b
	must_work $MI -m +100000 -o rbind source target
	must_fail 1 "Read-only" touch target/a/b/x
	must_work $MI -u -R target
	must_fail 1 "the filesystem itself is read-only" $MI -m +100000 -o rbind,rw source target
	[[ $stderr == *"'source/a/b'"* ]] || tell "which"
	must_equal "$(below target)" 0
}

@test "propagation holds for the tree, and nothing assembled arrives at a shared source" {
	mount --make-rshared source
	must_work $MI -m +100000 -o rbind source target
	must_equal "$(grep " $SCRATCH/target[/ ]" /proc/self/mountinfo | cut -d' ' -f7 | sort -u)" \
		"-"
	must_work $MI -u -R target
	must_work $MI -m +100000 -o rbind,slave source target
	must_equal "$(grep " $SCRATCH/target[/ ]" /proc/self/mountinfo | grep -c master:)" 4
	must_work $MI -u -R target
	mkdir source/ram && mount -t ramfs none source/ram
	local before
	before=$(below source)
	must_work $MI -m +100000 -o rbind,skip-unsupported,slave source target
	must_equal "$(grep " $SCRATCH/target[/ ]" /proc/self/mountinfo | grep -c master:)" 4
	must_equal "$(below source)" "$before"
	must_work $MI -u -R target
	must_fail 1 "cannot be shared with its source" \
		$MI -m +100000 -o rbind,skip-unsupported,shared source target
	must_equal "$(below source) $(below target)" "$before 0"
}

@test "a file with a file on it, and names with any byte" {
	touch file
	must_work $MI -m +100000 -o rbind source/onto file
	must_equal "$(owner file)" 100006:100007
	must_work $MI -u file
	local name=$' a,b:c\\d"e\nf\x01\xff@=%'
	mkdir "source/$name" && mount -t tmpfs none "source/$name" &&
		install -o 9 -g 9 /dev/null "source/$name/file"
	must_work $MI -m +100000 -o rbind source target
	must_equal "$(owner "target/$name/file")" 100009:100009
	must_work $MI -u -R target
	mkdir source/ram && mount -t ramfs none source/ram
	must_work $MI -m +100000 -o rbind,skip-unsupported source target
	must_equal "$(owner "target/$name/file")" 100009:100009
}

@test "a directory beside, whose name only begins alike, is none of it" {
	mkdir source/d source/dxy source/d/x && mount -t tmpfs none source/dxy &&
		mount -t tmpfs none source/d/x
	must_work $MI --json -m +100000 -o rbind source/d target
	must_equal "$(jq -c '[.submounts[].below]' <<<"$output")" '["x"]'
	must_equal "$(below target)" 2
}

@test "lines of an fstab may say rbind" {
	printf '%s\n' "$SCRATCH/source $SCRATCH/target shiftbox recursive,map=+100000 0 0" >fstab
	must_work $MI -a -T fstab
	whole "100005:100007 100006:100007 100007:100007 100006:100007"
	must_work $MI -a -T fstab
	must_equal "$(below target)" 4
	must_work $MI -a -u -T fstab
	must_equal "$(below target)" 0
	printf '%s\n' "$SCRATCH/source $SCRATCH/target none rbind,X-mount.idmap=+100000 0 0" \
		"$SCRATCH/none $SCRATCH/none shiftbox defaults 0 0" >fstab
	must_fail 1 "cannot open the source" $MI -a -T fstab
	must_equal "$(below target)" 0
	# mount(8) would make such a line a bind without a map.
	sed -i 's/none rbind,X-mount.idmap/shiftbox rbind,map/; /none/d' fstab
	must_fail 1 "the option 'rbind' is not for lines of type shiftbox" $MI -a -T fstab
	[[ $stderr == *"write 'recursive' instead"* ]] || tell "the way out"
}

@test "in a user namespace the tree comes along, but nothing that hides something is taken off" {
	need userns
	must_work_but no-map in_userns $MI -o rbind source target
	must_fail 1 "may map it" in_userns $MI -m 0:0:1 -o rbind source target
	must_work in_userns sh -ec "mount -t tmpfs none target
		mkdir target/s target/s/a target/t
		mount -t tmpfs none target/s/a
		\
		$MI -m 0:0:1 -o rbind target/s target/t
		[ \$(grep -c '/target/t.*idmapped' /proc/self/mountinfo) = 2 ]"
	must_fail 1 "mounts below it came from the namespace's parent" \
		in_userns $MI -o rbind,skip-unsupported,shared source/a/b/.. /nowhere ||
		[[ $stderr == *"No such file"* ]]
}

@test "what goes with nothing is refused" {
	must_fail 2 "needs 'rbind'" $MI -o skip-unsupported source target
	must_fail 2 "for directories and files" $MI -o rbind,lower=source overlay target
	must_work $MI -n -m +1 -o rbind,skip-unsupported source target
	[[ $output == *"and what is mounted below it, but for what cannot be mapped"* ]]
}

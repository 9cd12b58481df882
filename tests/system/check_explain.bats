#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check explain: the situations that people ask about, what it answers, and that the answer is
# right.

load lib
load mapped
need root
need kernel 6.15
need prog setfacl getfacl setcap getfattr setfattr setpriv unshare jq

explain() {
	capture "$SHIFTBOX" shift-check explain "$@"
	stderr_empty
}

# The output has this line, but for blanks and the ids of mounts and processes.
says() {
	sed -E 's/^ +//; s/  +/ /g; s/^mount [0-9]+/mount N/; s/pid:[0-9]+/pid:N/' <<<"$output" |
		grep -xF -- "$*" >/dev/null || tell "it does not say: $*"
}

@test "which map applies, and who is nobody: overflow is told apart from the real nobody" {
	touch src/nobody src/foreign
	chown 65534:65534 src/nobody
	chown 5000:5000 src/foreign
	map_mount '0:100000:2000;65534:65534:1' src m
	must_equal "$(owner m/nobody)" 65534:65534
	must_equal "$(owner m/foreign)" 65534:65534
	explain m/nobody
	says "mount N at $SCRATCH/m, rw,relatime,idmapped: map b:0:100000:2000;b:65534:65534:1"
	says 'owner disk 65534 -> map line u:65534:65534:1 -> seen as 65534 (the real nobody)'
	explain m/foreign
	says 'owner disk 5000 -> no line of the map has it -> shown as 65534 (unmapped, not the' \
		'real nobody)'
	explain m/file
	says 'owner disk 1000 -> map line u:0:100000:2000 -> seen as 101000'
	says 'group disk 1000 -> map line g:0:100000:2000 -> seen as 101000'
}

@test "the map of a mount that was made long ago is told, with flags and a bind of it" {
	mkdir again
	misfit_mount '1000:0:1' src m
	mount --bind m again
	mount -o remount,bind,ro,nosuid again
	explain again/file
	says "mount N at $SCRATCH/again, ro,nosuid,relatime,idmapped: map b:1000:0:1"
	says 'owner disk 1000 -> map line u:1000:0:1 -> seen as 0'
}

@test "every write fails with EOVERFLOW: it is predicted, and the change that is proposed works" {
	local change
	mkdir src/dir
	chmod 777 src/dir
	misfit_mount '5:100000:1' src m
	must_fail 1 "Value too large" touch m/dir/new
	explain --op create m/dir
	[ "$status" = 3 ] || tell "it should say 3"
	says 'create EOVERFLOW: the caller'\''s ids are not mapped here, so no file can be created'
	change=$(sed -n 's/.*extend the map of .* by //p' <<<"$output")
	[ -n "$change" ] || tell "no change is told"
	umount m
	map_mount "5:100000:1;$change" src m
	must_work touch m/dir/new
	explain --op create m/dir
	[ "$status" = 0 ] || tell "now it works, and should say so"
	says "a new file gets the disk ids $(owner src/dir/new)"
}

@test "root cannot write, remove or chmod what has no id, and the missing range is named" {
	local op
	touch src/foreign
	chown 5000:5000 src/foreign
	map_mount '0:0:2000' src m
	for op in write unlink chmod; do
		explain --op $op m/foreign
		[ "$status" = 3 ] || tell "it should say 3"
		says "try: extend the map of $SCRATCH/m by 5000:5000:1"
	done
	must_fail 1 "Value too large" chmod 600 m/foreign
	must_fail 1 "Value too large" rm -f m/foreign
	umount m
	map_mount '0:0:2000;5000:5000:1' src m
	must_work chmod 600 m/foreign
	must_work rm -f m/foreign
}

@test "EACCES hides EOVERFLOW where the directory may not be searched" {
	mkdir src/closed
	chmod 700 src/closed
	chown 5000 src/closed
	map_mount '0:100000:2000' src m
	must_fail 1 "Permission denied" touch m/closed/new
	explain --op create m/closed
	says 'create EACCES: its mode gives others ---, --x is required; CAP_DAC_OVERRIDE does' \
		'not' \
		'count: owner or group has no id in the caller'\''s user namespace'
}

@test "a container's root in front of a host directory: nobody, and what map would help" {
	sleeper '0 100000 65536'
	chown 1000:1000 src
	explain --userns "pid:$SLEEPER" src/file
	says 'owner disk 1000 -> seen as 1000 -> no id in pid:N, shown as 65534 (overflow)'
	says 'write EACCES: its mode gives others r--, -w- is required; CAP_DAC_OVERRIDE does not' \
		'count: owner or group has no id in the caller'\''s user namespace'
	says "try: mount-idmapped -m '1000:100000:1' $SCRATCH/src TARGET, and use it there"
	must_fail 1 "Permission denied" nsenter -t "$SLEEPER" -U tee -a src/file
	map_mount '1000:100000:1' src m
	explain --userns "pid:$SLEEPER" --op write m/file
	[ "$status" = 0 ] || tell "it should work"
	explain --userns "pid:$SLEEPER" m/file
	says 'owner disk 1000 -> map line u:1000:100000:1 -> seen as 100000 -> 0 in pid:N'
	nsenter -t "$SLEEPER" -U tee -a m/file <<<more
	must_equal "$(tail -n1 src/file)" more
}

@test "the same directory handed on as another mount: which of them lost the map" {
	mkdir volume
	misfit_mount '1000:100000:1' src m
	mount --bind src volume
	explain m/file
	says "mount N at $SCRATCH/m, rw,relatime,idmapped: map b:1000:100000:1"
	explain volume/file
	says "mount N at $SCRATCH/volume, rw,relatime: no map"
	says 'owner disk 1000 -> seen as 1000'
}

@test "capabilities that cannot be read are explained, and whose they are when they can" {
	setcap -n 7 cap_net_raw+ep src/file
	misfit_mount '1000:101000:1' src m
	must_fail 1 "Value too large" getfattr -n security.capability m/file
	explain m/file
	says 'cap root disk 7 -> no line of the map has it -> no id here (unmapped); reading' \
		'security.capability fails with EOVERFLOW'
	umount m
	map_mount '0:100000:2000' src m
	explain m/file
	says 'cap root disk 7 -> map line u:0:100000:2000 -> seen as 100007'
}

@test "ACL entries are translated like owners, and decide" {
	chmod 600 src/file
	setfacl -m u:33:rw,u:70000:r src/file
	map_mount '0:100000:2000' src m
	explain --as 100033 m/file
	says 'ACL user disk 33 -> map line u:0:100000:2000 -> seen as 100033 rw-'
	says 'ACL user disk 70000 -> no line of the map has it -> no id here (unmapped) r--'
	# The kernel shows no overflow id there.
	getfacl -n m/file 2>/dev/null | grep -qx 'user:4294967295:r--' || tell "getfacl has an id"
	capture "$SHIFTBOX" shift-check explain --json m/file
	must_equal "$(jq -c '.acl[] | select(.disk == 70000) | [.shown, .overflow]' <<<"$output")" \
		'[null,true]'
	setfacl -m u:33:rw src/file
	capture unshare -Ur "$SHIFTBOX" shift-check explain src/file
	says 'ACL user disk id not known -> no id here (unmapped) rw-'
	explain --as 100033 m/file
	says 'read yes: its ACL gives user with disk id 33 rw-'
	must_equal "$(setpriv --reuid 100033 --regid 9 --clear-groups cat m/file)" data
	explain --as 33 --op read m/file
	[ "$status" = 3 ] || tell "the disk id is nobody's here"
}

@test "a set-user-id file: what becomes of its bit here, and with nosuid" {
	cp /bin/true src/prog
	chown 5:5 src/prog
	chmod 4755 src/prog
	map_mount '0:100000:2000' src m
	explain --as 1000 --op exec m/prog
	says 'the set-id bit takes effect'
	says 'it then runs as user 100005, group 1000'
	sleeper '0 100000 65536'
	explain --userns "pid:$SLEEPER" --as 9 --op exec m/prog
	says 'it then runs as user 5, group 9'
	mount -o remount,bind,nosuid m
	explain --as 1000:1000 --op exec m/prog
	says 'the set-id bit is ignored: the mount is nosuid'
}

@test "a read-only mount and a noexec one are named, with how to change them" {
	chmod 755 src/file
	map_mount '0:100000:2000' src m
	mount -o remount,bind,ro,noexec m
	explain --as 101000 --op write m/file
	says 'write EROFS: the mount is read-only'
	says "try: mount -o remount,bind,rw $SCRATCH/m"
	explain --as 101000 --op exec m/file
	says "try: mount -o remount,bind,exec $SCRATCH/m"
}

@test "an overlay: the layer that a file comes from, or that it cannot be told" {
	mkdir l1 l2 up work o o2
	touch l1/both l2/both l2/low
	chown 33:44 l2/low
	mount -t overlay o \
		-o "lowerdir=$SCRATCH/l1:$SCRATCH/l2,upperdir=$SCRATCH/up,workdir=$SCRATCH/work" o
	touch o/new
	explain o/low
	says "layer $SCRATCH/l2: the disk ids are those stored there"
	says 'owner disk 33 -> seen as 33'
	explain o/both
	says "layer $SCRATCH/l1: the disk ids are those stored there"
	explain o/new
	says "layer $SCRATCH/up: the disk ids are those stored there"
	must_work "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "public,lower=$SCRATCH/l1,lower=$SCRATCH/l2,ephemeral" overlay o2
	explain o2/low
	says 'owner disk 33 -> seen as 100033'
	says "mount N at $SCRATCH/o2, rw,relatime: no map of its own; its layers have" \
		"b:0:100000:65536"
	rm -rf /run/shiftbox/mounts
	explain o2/low
	says 'owner disk id not known -> seen as 100033'
	grep -q 'layer *not known: its layers were given as descriptors' <<<"$output" ||
		tell "the layer"
}

@test "what no remount makes writable: an overlay over it does, as it is told" {
	mkdir -m 700 l1 l2 u w o o2
	touch l1/file
	mount -t overlay o -o "lowerdir=$SCRATCH/l1:$SCRATCH/l2" o
	must_fail 1 '' touch o/file
	must_fail 32 '' mount -o remount,rw o
	explain --op write o/file
	[ "$status" = 3 ] || tell "it works"
	says 'write EROFS: the filesystem is read-only'
	says "try: put an overlay over it: shiftbox mount-idmapped -o" \
		"upper=DIR,work=DIR,lower=$SCRATCH/o overlay TARGET, and use it there"
	must_work "$SHIFTBOX" mount-idmapped -m none \
		-o "public,upper=$SCRATCH/u,work=$SCRATCH/w,lower=$SCRATCH/o" overlay o2
	touch o2/file
	explain --op write -m none o2/file
	[ "$status" = 0 ] || tell "it does not work"
	# One with an upper directory that is read-only for now.
	LIBMOUNT_FORCE_MOUNT2=always mount -o remount,ro o2
	explain --op write o2/file
	says "try: LIBMOUNT_FORCE_MOUNT2=always mount -o remount,rw $SCRATCH/o2"
	LIBMOUNT_FORCE_MOUNT2=always mount -o remount,rw o2
	explain --op write -m none o2/file
	[ "$status" = 0 ] || tell "it does not work"
}

@test "an unpacked image, mounted shifted: its layer and the disk id are found in the store" {
	mkdir -m 700 l1 l2 store
	touch l1/base l1/both l2/both
	chown 33:44 l1/base
	chown 7:8 l2/both
	tar --numeric-owner -cf l1.tar -C l1 .
	tar --numeric-owner -cf l2.tar -C l2 .
	must_work "$SHIFTBOX" image-unpack -q -s store -N sample l1.tar l2.tar
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o public,store=store,ephemeral \
		image:sample m
	explain --image sample -s store m/base
	grep -qE "^  layer +.*/store/layers/sha256-[0-9a-f]+: the disk ids" <<<"$output" ||
		tell "the layer"
	says 'owner disk 33 -> seen as 100033'
	says 'group disk 44 -> seen as 100044'
	explain --image sample -s store m/both
	says 'owner disk 7 -> seen as 100007'
	setpriv --reuid 100000 --regid 100000 --clear-groups touch m/new
	explain --image sample -s store m/new
	grep -q 'layer *not known: it is in none of the layers' <<<"$output" || tell "the layer"
	# A file that was copied up keeps its number, and has no longer the layer's owner; so does a
	# directory.
	chown 100001:100001 m/base
	explain --image sample -s store m/base
	grep -q 'layer *not known: what is found in the layers is another file' <<<"$output" ||
		tell "the layer"
	says 'owner disk 1 -> seen as 100001'
	explain --image sample -s store m
	says 'owner disk 0 -> seen as 100000'
	must_fail 1 "is not on an overlay" \
		"$SHIFTBOX" shift-check explain --image sample -s store l1/base
	explain --as 100000 --op create m
	[ "$status" = 0 ] || tell "it does not work"
	explain --as 100000 --op create -m +100000 m
	[ "$status" = 0 ] || tell "it does not work"
	# Without the record of the mount.
	rm -rf /run/shiftbox/mounts
	explain --as 100000 --op create m
	[ "$status" = 3 ] || tell "nothing says which ids the upper directory can store"
	explain --as 100000 --op create -m +100000 m
	[ "$status" = 0 ] || tell "it does not work"
	explain --image sample -s store m
	says 'owner disk id not known -> seen as 100000'
}

@test "ACLs and capabilities in an overlay: what is seen, and what the layer has if known" {
	mkdir -m 755 l1
	mkdir -m 700 store
	cp "$(command -v id)" l1/id
	setcap cap_net_raw+ep l1/id
	setfacl -m u:1033:r,g:1044:r,g:1045:x l1/id
	mkdir l1/d
	setfacl -d -m u:1033:r,u:77777:r l1/d
	tar --xattrs --xattrs-include='*' --acls --numeric-owner -cf l1.tar -C l1 .
	must_work "$SHIFTBOX" image-unpack -q -s store -N sample l1.tar
	must_work_but misfit "$SHIFTBOX" mount-idmapped -m +100000 -o public,store=store,ephemeral \
		image:sample m
	must_equal "$(getfacl -cnp m/id | grep ^user:1)" 'user:101033:r--'
	explain --as 101033 --image sample -s store m/id
	says 'ACL user disk 1033 -> seen as 101033 r--'
	says 'ACL group disk 1044 -> seen as 101044 r--'
	says 'ACL group disk 1045 -> seen as 101045 --x'
	says 'cap root disk 0 -> seen as 100000'
	says 'read yes: its ACL gives user seen as 101033 r--'
	explain m/id
	says 'ACL user disk 1033 -> seen as 101033 r--'
	says 'cap root disk 0 -> seen as 100000'
	rm -rf /run/shiftbox/mounts
	explain m/id
	says 'ACL user disk id not known -> seen as 101033 r--'
	says 'cap root disk id not known -> seen as 100000'
	explain --json m/id
	must_equal "$(jq -c '[.acl[] | select(.tag == "user") | .disk, .seen], [.capability |
		.disk, .seen]' <<<"$output")" '[null,101033]
[null,100000]'
	# Two, of which one has no id: which is which cannot be told by their order.
	explain --image sample -s store m/d
	says 'dflt user disk id not known -> seen as 101033 r--'
	says 'dflt user disk id not known -> no id here (unmapped) r--'
}

@test "kernels that tell less: disk ids are inferred, or it says that it does not know" {
	touch src/foreign
	chown 5000:5000 src/foreign
	map_mount '0:100000:2000' src m
	capture "$TESTS/fixtures/nosys" 467 "$SHIFTBOX" shift-check explain m/file
	says 'owner disk 1000 -> map line u:0:100000:2000 -> seen as 101000'
	says 'write yes: CAP_DAC_OVERRIDE overrides the mode'
	capture "$TESTS/fixtures/nosys" 467 "$SHIFTBOX" shift-check explain m/foreign
	says 'owner disk id not known -> no line of the map has it -> shown as 65534 (unmapped,' \
		'not the real nobody)'
	says 'unlink EOVERFLOW: its owner or group is not mapped here, so the kernel refuses' \
		'changes'
	capture "$TESTS/fixtures/nosys" 457,467 "$SHIFTBOX" shift-check explain m/foreign
	says "mount N at $SCRATCH/m, rw,relatime,idmapped: ID-mapped, but this kernel does not" \
		"show the map"
	says 'owner disk id not known -> a map that is not known -> shown as 65534 (unmapped, or' \
		'the real nobody: it is not known which)'
}

@test "an ordinary user without any right is told the same as root is told of him" {
	local mine roots
	misfit_mount '1000:1001:1' src m
	mine=$(setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all \
		"$SHIFTBOX" shift-check explain m/file)
	roots=$("$SHIFTBOX" shift-check explain --as 1001:1001 m/file)
	must_equal "$mine" "$roots"
	grep -q 'write *yes: its mode gives the owner rw-' <<<"$mine"
}

@test "inside a user namespace an id that does not exist there is not taken for nobody" {
	capture unshare -Ur "$SHIFTBOX" shift-check explain src/file
	says 'owner disk id not known -> shown as 65534 (unmapped, not the real nobody)'
	says 'chmod EPERM: only the owner may do this; CAP_FOWNER does not' \
		'count: owner or group has no id in the caller'\''s user namespace'
}

@test "inside a user namespace the command is named that tells more outside, and it works there" {
	local command pid
	need prog lsns
	mkfifo ready go
	inside() { # inside UNSHARE-OPTIONS: explain in a shell, which then waits
		# shellcheck disable=SC2016
		timeout 300 unshare -Ur "$@" sh -c '"$SHIFTBOX" shift-check explain src/file >out
			echo >ready
			read -r _ <go' 3>&- &
		read -r _ <ready
		command=$(sed -n 's/^  note .*, this shows all: shiftbox //p' out)
	}
	if [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ]; then # the initial one
		inside
		pid=$(sed -E 's/.* pid:([0-9]+) .*/\1/' <<<"$command")
		[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ] ||
			tell "not a process in the namespace: $command"
		eval "capture \"\$SHIFTBOX\" $command"
		says 'owner disk 1000 -> seen as 1000 -> no id in pid:N, shown as 65534 (overflow)'
		echo >go
		wait
	fi
	# In a pid namespace the numbers are others: the command to find one is named.
	inside -pf --mount-proc
	must_equal "${command%; PID*}" "shift-check explain --userns pid:PID '$SCRATCH/src/file'"
	for _ in {1..20}; do # lsns fails if a process ends while it reads /proc
		pid=$(eval "${command#*listed there by: }" | awk '{ print $2; exit }')
		[ -z "$pid" ] || break
	done
	eval "capture \"\$SHIFTBOX\" $(sed "s/pid:PID/pid:$pid/; s/;.*//" <<<"$command")"
	says 'owner disk 1000 -> seen as 1000 -> no id in pid:N, shown as 65534 (overflow)'
	echo >go
	wait
}

@test "in a user namespace that cannot read all of a map, each possible outcome is printed" {
	touch src/hidden src/unmapped
	chown 2000:2000 src/hidden
	chown 3000:3000 src/unmapped
	chown 1000:1000 src
	map_mount '1000:0:1;2000:100000:1' src m
	capture unshare -Ur "$SHIFTBOX" shift-check explain m/file
	says 'owner disk 1000 -> map line u:1000:0:1 -> seen as 0'
	! grep -q 'cannot be read here' <<<"$output" || tell "of this file all is known"
	for name in hidden unmapped; do
		capture unshare -Ur "$SHIFTBOX" shift-check explain "m/$name"
		stderr_empty
		says 'owner disk id not known -> no line of the map that can be read here has it' \
			'-> shown as 65534 (unmapped, not the real nobody)'
		says 'unlink EOVERFLOW: its owner or group is not mapped here, so the kernel' \
			'refuses changes'
		says "or yes, if a line of the map that cannot be read here has its owner and" \
			"group: $SCRATCH/m: its mode gives the owner rwx"
		says 'chmod EOVERFLOW: its owner or group is not mapped here, so the kernel' \
			'refuses changes'
		grep -q 'or EPERM, if a line of the map' <<<"$output" ||
			tell "the other outcome of chmod"
	done
	capture unshare -Ur "$SHIFTBOX" shift-check explain --json --op unlink m/hidden
	must_equal "$status $(jq -c '[.mount.map, .mount.map_partial, (.verdicts[0] |
		.works, .errno, .otherwise.works, .otherwise.rule)]' <<<"$output")" \
		'3 ["b:1000:0:1",true,false,"EOVERFLOW",true,"bits-owner"]'
	jq -r '.verdicts[0].decides' <<<"$output" |
		grep -q "shift-check explain --userns pid:[0-9PID]* '$SCRATCH/m/hidden'" ||
		tell "the command to run outside is missing"
	# And so it is:
	must_fail 1 'Operation not permitted' unshare -Ur chmod 600 m/hidden
	must_fail 1 'Value too large' unshare -Ur chmod 600 m/unmapped
	must_fail 1 'Value too large' unshare -Ur rm -f m/unmapped
	must_work unshare -Ur rm -f m/hidden
	capture unshare -Ur "$SHIFTBOX" shift-check list "$SCRATCH"
	[[ $output == *'1000:0:1 (as far as it has ids of this user namespace)'* ]] ||
		tell "the map is told as if it were all of it"
	# None of its lines can be read.
	mkdir none
	map_mount '1000:100000:1' src none
	must_fail 1 'Operation not permitted' unshare -Ur chmod 600 none/file
	capture unshare -Ur "$SHIFTBOX" shift-check explain --op chmod none/file
	says "mount N at $SCRATCH/none, rw,relatime,idmapped: ID-mapped, but its map has no id" \
		"of this user namespace, or this kernel does not show it"
	grep -q 'or EPERM, if a line of the map' <<<"$output" || tell "the other outcome of chmod"
}

@test "a filesystem of one's own user namespace is told from the host's" {
	# shellcheck disable=SC2016
	must_work unshare -Urm sh -c 'mount -t tmpfs x m && mkdir m/a m/b && touch m/a/f &&
		"$SHIFTBOX" mount-idmapped -m 0:0:1 m/a m/b &&
		"$SHIFTBOX" shift-check explain m/b/f'
	says 'filesystem tmpfs of x, mounted in this user namespace, or one below it'
	capture unshare -Ur "$SHIFTBOX" shift-check explain src/file
	says 'filesystem tmpfs of shiftbox-test, mounted in the initial user namespace (assumed:' \
		'the kernel does not show it)'
}

@test "nothing that is told to try is a chown" {
	touch src/foreign
	chown 5000:5000 src/foreign
	map_mount '0:100000:10' src m
	explain m/foreign
	grep -q 'try:' <<<"$output" || tell "nothing to try"
	! grep -qi chown <<<"$output" || tell "it speaks of chown"
}

@test "an owner that a container tool has recorded is told, and that the kernel does not use it" {
	local attr=user.containers.override_stat \
		told='which the kernel does not use: container tools keep it in'
	told+=' user.containers.override_stat'
	mkdir src/dir
	setfattr -n $attr -v 70000:5:0640 src/file
	setfattr -n $attr -v 0:0:040755:dir src/dir
	explain src/file
	says 'owner disk 1000 -> seen as 1000'
	says "recorded user 70000, group 5, mode 0640, $told"
	explain src/dir
	says "recorded user 0, group 0, mode 0755, type dir, $told"
	explain --json src/dir
	must_equal "$(jq -c .recorded <<<"$output")" \
		'{"valid":true,"uid":0,"gid":0,"mode":"0755","type":"dir"}'
	# Not even root may read the attribute of a file without an id here: it is read past the
	# mount.
	chmod 600 src/file
	map_mount '0:100000:10' src m
	must_fail 1 'Permission denied' getfattr --absolute-names -n $attr m/file
	explain m/file
	says "recorded user 70000, group 5, mode 0640, $told"
	setfattr -n $attr -v 70000:5 src/file
	explain src/file
	says 'recorded the attribute is malformed: user.containers.override_stat is not' \
		'UID:GID:MODE'
	explain --json src/file
	must_equal "$(jq -c .recorded <<<"$output")" '{"valid":false}'
	setfattr -n $attr -v "$(printf '0%.0s' {1..80})" src/file
	explain --json src/file
	must_equal "$(jq -c .recorded <<<"$output")" '{"valid":false}'
	setfattr -x $attr src/file
	explain --json src/file
	must_equal "$(jq -c .recorded <<<"$output")" null
}

@test "the keys of --json stay" {
	local want
	setfacl -m u:33:r src/file
	map_mount '0:100000:2000' src m
	sleeper '0 100000 65536'
	explain --json --userns "pid:$SLEEPER" --as 33:33,7 --op write m/file
	want='{"version":1,'
	want+='"path":"m/file","resolved":"DIR/m/file","type":"regular file","mode":"0644",'
	want+='"disk_ids":"raw","mount":{"id":N,'
	want+='"target":"DIR/m","filesystem":"tmpfs","source":"shiftbox-test",'
	want+='"options":"rw,relatime,idmapped","read_only":false,"own_rules":false,'
	want+='"map_state":"known","map":"b:0:100000:2000"},'
	want+='"owner":{"disk":1000,"map_line":"0:100000:2000","seen":101000,"shown":101000,'
	want+='"overflow":false,"certain":true,"userns":1000,"userns_overflow":false},'
	want+='"group":{"disk":1000,"map_line":"0:100000:2000","seen":101000,"shown":101000,'
	want+='"overflow":false,"certain":true,"userns":1000,"userns_overflow":false},'
	want+='"acl":[{"tag":"owner","permissions":"rw-"},{"tag":"user","permissions":"r--",'
	want+='"disk":33,"map_line":"0:100000:2000","seen":100033,"shown":100033,'
	want+='"overflow":false,"certain":true,"userns":33,"userns_overflow":false},'
	want+='{"tag":"owning-group","permissions":"r--"},{"tag":"mask","permissions":"r--"},'
	want+='{"tag":"other","permissions":"r--"}],"caller":{"uid":33,"gid":33,"groups":[7],'
	want+='"capabilities":false,"userns_pid":N},'
	want+='"verdicts":[{"op":"write","works":false,"verdict":"no","errno":"EACCES",'
	want+='"rule":"acl-user","about":"DIR/m/file",'
	want+='"why":"its ACL gives user with disk id 33 r--, -w- is required",'
	want+='"try":"do it as user 1000, group 1000"}]}'
	output=$(sed -E "s|$SCRATCH|DIR|g; s/\"(id|userns_pid)\":[0-9]+/\"\1\":N/g" <<<"$output")
	must_equal "$output" "$want"
}

@test "a filesystem with rules of its own is named" {
	explain /proc/self/status
	says 'note proc has rules of its own, which may refuse what the rules below allow'
	explain src/file
	! grep -q 'rules of its own' <<<"$output" || tell "tmpfs has none"
}

@test "a file of another mount namespace is found there, and one of a detached mount is not" {
	unshare -m --propagation private sh -c 'mount -t tmpfs x m
		touch m/there
		exec sleep 1000' &
	SLEEPER=$!
	until [ -e "/proc/$SLEEPER/root$SCRATCH/m/there" ]; do sleep 0.02; done
	explain "/proc/$SLEEPER/root$SCRATCH/m/there"
	output_has "mount" ... "at /proc/$SLEEPER/root$SCRATCH/m, rw: no map"
	must_work nsenter -t "$SLEEPER" -m "$SHIFTBOX" shift-check explain "$SCRATCH/m/there"
	kill "$SLEEPER"
	mount -t tmpfs x m
	touch m/there
	(cd m && exec sleep 1000) &
	SLEEPER=$!
	until [ "$(readlink "/proc/$SLEEPER/exe")" = "$(realpath "$(command -v sleep)")" ]; do
		sleep 0.02
	done
	umount -l m
	must_fail 1 'its mount is not in /proc/self/mountinfo' \
		"$SHIFTBOX" shift-check explain "/proc/$SLEEPER/cwd/there"
	stderr_has 'it belongs to another mount namespace, or is detached'
}

@test "what is no path, user, namespace or operation is refused by name" {
	must_fail 1 'cannot open' "$SHIFTBOX" shift-check explain nothing
	must_fail 1 'no user of this name' "$SHIFTBOX" shift-check explain --as no-such-user src
	must_fail 2 'is not a valid list of groups' "$SHIFTBOX" shift-check explain --as 1:2,,3 src
	must_fail 2 'does not name a user' "$SHIFTBOX" shift-check explain --as :1 src
	must_fail 2 'is not a valid user namespace: pid:N' \
		"$SHIFTBOX" shift-check explain --userns alice src
	must_fail 2 'is not an operation' "$SHIFTBOX" shift-check explain --op sing src
	must_fail 2 "'--source' is not for explain: it is for verify" \
		"$SHIFTBOX" shift-check explain --source src src
	must_fail 1 'is on a mount that has no map' "$SHIFTBOX" shift-check explain -m 0:1:1 src
	must_fail 2 'needs an owner or group' "$SHIFTBOX" shift-check explain --op chown src
	must_fail 2 'has neither owner nor group' "$SHIFTBOX" shift-check explain --op chown=: src
	must_fail 2 'no user of this name' \
		"$SHIFTBOX" shift-check explain --op chown=no-such-user src
	sleeper '0 100000 10'
	must_fail 1 'user 11 does not exist in the user namespace' \
		"$SHIFTBOX" shift-check explain --userns "pid:$SLEEPER" --as 11 src
}

@test "where one change is not enough both are told, and together they work" {
	map_mount '0:100000:2000' src m
	chmod 600 src/file
	mount -o remount,bind,ro m
	explain --as 2000 --op write m/file
	says "try: mount -o remount,bind,rw $SCRATCH/m, and as root: setpriv --reuid 101000" \
		"--regid 101000 --clear-groups COMMAND"
	must_fail 1 'Read-only' setpriv --reuid 101000 --regid 101000 --clear-groups touch m/file
	mount -o remount,bind,rw m
	must_fail 1 'denied' setpriv --reuid 2000 --regid 2000 --clear-groups tee -a m/file
	must_work setpriv --reuid 101000 --regid 101000 --clear-groups tee -a m/file
}

@test "set-id bits and capabilities that are ignored: what lets them take effect" {
	cp "$(command -v id)" src/id
	chown 5:5 src/id
	chmod 4755 src/id
	cp src/id src/raw
	setcap cap_net_raw+ep src/raw
	map_mount '0:100000:2000' src m
	mount -o remount,bind,nosuid m
	explain --as 2000 --op exec m/id
	[ "$status" = 0 ] || tell "it works"
	says "try: mount -o remount,bind,suid $SCRATCH/m"
	must_equal "$(setpriv --reuid 2000 --regid 2000 --clear-groups m/id -u)" 2000
	explain --as 2000 --op exec m/raw
	says 'the capability is ignored: the mount is nosuid'
	# Without nosuid it would still be that of another root.
	! grep -q 'try:' <<<"$output" || tell "nothing helps"
	mount -o remount,bind,suid m
	must_equal "$(setpriv --reuid 2000 --regid 2000 --clear-groups m/id -u)" 100005
	explain --as 2000 --op exec m/id
	! grep -q 'try:' <<<"$output" || tell "nothing has to be changed"
}

@test "set-id bits and capabilities that the map takes away: it is said which id has none" {
	cp "$(command -v id)" src/id
	chown 5:1000 src/id
	chmod 4755 src/id
	cp src/id src/raw
	chown 1000:1000 src/raw
	setcap cap_net_raw+ep src/raw
	misfit_mount '1000:100000:10' src m
	must_equal "$(setpriv --reuid 2000 --regid 2000 --clear-groups m/id -u)" 2000
	explain --as 2000 --op exec m/id
	says 'the set-id bit is ignored: the owner or group has no id through this mount'
	says "try: extend the map of $SCRATCH/m by u:5:99005:1"
	misfit_mount '1000:100000:10;u:5:99005:1' src m
	must_equal "$(setpriv --reuid 2000 --regid 2000 --clear-groups m/id -u)" 99005
	umount m
	explain --as 2000 --op exec m/raw
	says 'the capability is ignored: its root id has no id through this mount'
	# Where it is the namespace that lacks the id, the map is not blamed.
	sleeper '0 2000 10'
	explain --userns "pid:$SLEEPER" --op exec m/raw
	says 'the capability is ignored: its root id has no id through this mount'
	chown 1000:1000 src/id
	chmod 4755 src/id
	explain --userns "pid:$SLEEPER" --op exec m/id
	says "the set-id bit is ignored: the owner or group has no id in the caller's user" \
		"namespace"
}

@test "a program that its ACL keeps others from running: what would let them" {
	cp "$(command -v id)" src/id
	chmod 644 src/id
	setfacl -m u:5:r src/id
	map_mount '0:100000:2000' src m
	explain --as 2000 --op exec m/id
	[ "$status" = 3 ] || tell "it works"
	says 'exec EACCES: its ACL gives others r--, --x is required'
	says "try: chmod o+x $SCRATCH/m/id"
	must_fail 126 denied setpriv --reuid 2000 --regid 2000 --clear-groups sh -c 'm/id'
	chmod o+x m/id
	must_equal "$(setpriv --reuid 2000 --regid 2000 --clear-groups m/id -u)" 2000
}

@test "immutable and append-only files: not even root may change them" {
	local op
	map_mount '0:100000:2000' src m
	chattr +i src/file
	for op in write unlink rename chmod utimes touch chown=0; do
		explain --op $op m/file
		[ "$status" = 3 ] || tell "$op: it should say 3"
		grep -q 'it is immutable (lsattr shows i)' <<<"$output" || tell "$op: the reason"
	done
	must_fail 1 'not permitted' chmod 600 m/file
	explain --op read m/file
	[ "$status" = 0 ] || tell "it can be read"
	chattr -i src/file
	chattr +a src/file
	explain --op write m/file
	[ "$status" = 3 ] || tell "it should say 3"
	grep -q 'it is append-only (lsattr shows a)' <<<"$output" || tell "the reason"
	explain --json --op touch --as 101000 m/file
	must_equal "$status $(jq -r '.verdicts[0].verdict' <<<"$output")" '0 yes'
	chattr -a src/file
	explain --op write --as 101000 m/file
	[ "$status" = 0 ] || tell "now it can be written"
	chattr +i src
	explain --op unlink m/file
	says "unlink EPERM: $SCRATCH/m: it is immutable (lsattr shows i), so not even root may" \
		"change it"
	chattr -i src
}

@test "chown: who may give which ids to a file, and which of them can be stored" {
	map_mount '0:100000:2000' src m
	explain --op chown=100005:100006 m/file
	[ "$status" = 0 ] || tell "root may"
	says 'chown yes: CAP_CHOWN lets any owner and group be set'
	explain --op chown=5 m/file
	says 'chown EOVERFLOW: the new owner or group cannot be stored: no disk id is seen as it' \
		'through this mount'
	must_fail 1 'too large' chown 5 m/file
	sleeper '0 100000 10'
	explain --userns "pid:$SLEEPER" --op chown=33:33 m/file
	says 'chown EINVAL: the new owner or group does not exist in the caller'\''s user' \
		'namespace'
	explain --as 101000:101000,100007 --op chown=:100007 m/file
	[ "$status" = 0 ] || tell "the owner may choose among the groups"
	must_work setpriv --reuid 101000 --regid 101000 --groups 100007 chown :100007 m/file
	explain --as 101000:101000 --op chown=:100008 m/file
	says 'chown EPERM: only CAP_CHOWN may give it this owner or group; an owner may choose' \
		'among the groups that the owner is in'
	must_fail 1 'not permitted' setpriv --reuid 101000 --regid 101000 --clear-groups \
		chown :100008 m/file
	# Without asking for it, chown is not among the operations.
	explain m/file
	! grep -q '^  chown' <<<"$output" || tell "to whom?"
}

@test "a stack whose map lacks an owner: decided by its record, or by -m, or unknown" {
	local map
	mkdir -m 700 low up
	touch low/lost low/here
	chown 70000:70000 low/lost
	chmod 666 low/*
	chmod 755 low
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o "public,lower=low,upper=up/u" overlay m
	for map in "" -m+100000; do
		# shellcheck disable=SC2086
		explain $map --as 65534:65534 --op write m/lost
		says 'write EACCES: its owner or group is not mapped here, so the kernel refuses' \
			'changes'
		# shellcheck disable=SC2086
		explain $map --as 100000:100000 --op create m
		[ "$status" = 0 ] || tell "it works"
		# Ids that the upper directory cannot store.
		# shellcheck disable=SC2086
		explain $map --op create m
		says 'create EOVERFLOW: the caller'\''s ids are not mapped here, so no file can' \
			'be created'
		# shellcheck disable=SC2086
		explain $map --as 100000 --op write m/here
		[ "$status" = 0 ] || tell "it works"
		rm -rf /run/shiftbox/mounts
	done
	must_fail 1 denied setpriv --reuid 65534 --regid 65534 --clear-groups tee -a m/lost
	must_work setpriv --reuid 100000 --regid 100000 --clear-groups touch m/new
	must_fail 1 'too large' touch m/new2
	# Without both.
	explain --as 65534:65534 --op write m/lost
	[ "$status" = 3 ] || tell "it should say 3"
	explain --json --as 100000:100000 --op create m
	must_equal "$status $(jq -r '.verdicts[0] | .verdict, .works, .otherwise.works' \
		<<<"$output" | xargs)" '3 unknown false true'
	grep -q -- '-m MAP' <<<"$output" || tell "the option that decides"
}

@test "a stack of others: the maps of its layers are read where their names lead to them" {
	mkdir a b ma mb u w o
	touch a/one b/two b/lost
	mkdir b/dir
	chown 5:5 b/two b/dir
	chown 2:2 a/one
	chown 900:900 b/lost
	chmod 666 a/* b/two b/lost
	map_mount '0:0:10' a ma
	misfit_mount '5:7:1' b mb
	mount -t overlay o \
		-o "lowerdir=$SCRATCH/ma:$SCRATCH/mb,upperdir=$SCRATCH/u,workdir=$SCRATCH/w" o
	explain --as 1000 --op write o/two
	[ "$status" = 0 ] || tell "it works"
	says 'owner disk 5 -> seen as 7'
	must_work setpriv --reuid 1000 --regid 1000 --clear-groups tee -a o/two
	explain --as 1000 --op write o/lost
	[ "$status" = 3 ] || tell "its owner has no id"
	says 'owner disk 900 -> shown as 65534 (unmapped, not the real nobody)'
	must_fail 1 denied setpriv --reuid 1000 --regid 1000 --clear-groups tee -a o/lost
	# A directory of a lower layer has to be copied to be renamed.
	explain --op rename o/dir
	[ "$status" = 3 ] || tell "EXDEV"
	grep -q 'rename *EXDEV: a directory of a lower layer' <<<"$output" || tell "the reason"
}

@test "the real nobody in a user namespace is told from an owner that it lacks" {
	make_user alice 2001 300000 65536
	mkdir -m 755 src/d
	touch src/d/nobody src/d/other
	chown 365533:365533 src/d/nobody
	chown 7:7 src/d/other
	chown 300000:300000 src/d
	inside() { as_user alice unshare -U --map-auto --map-root-user "$@"; }
	must_equal "$(inside stat -c %u src/d/nobody src/d/other | xargs)" '65534 65534'
	must_work inside "$SHIFTBOX" shift-check explain --op write src/d/nobody
	must_work inside tee -a src/d/nobody </dev/null
	must_fail 3 '' inside "$SHIFTBOX" shift-check explain --op write src/d/other
	must_fail 1 denied inside tee -a src/d/other </dev/null
}

@test "a closed directory above the path: its owner can open it, and that works" {
	local way
	make_user alice 2001 300000 65536
	mkdir -m 700 src/closed src/closed/too
	mkdir src/closed/too/d
	touch src/closed/too/d/file
	explain --as alice --op read src/closed/too/d/file
	way="chmod o+x $SCRATCH/src/closed $SCRATCH/src/closed/too"
	says "try: as root: $way, or for alice alone:" \
		"setfacl -m u:alice:x $SCRATCH/src/closed $SCRATCH/src/closed/too"
	must_fail 1 denied as_user alice cat src/closed/too/d/file
	must_work setfacl -m u:alice:x src/closed src/closed/too
	must_work as_user alice cat src/closed/too/d/file
	setfacl -b src/closed src/closed/too
	# An owner who has no name, and ids that have no name.
	chown 2001:2001 src/closed/too
	explain --as 5000:5000 --op read src/closed/too/d/file
	says "try: as root: chmod o+x $SCRATCH/src/closed, and as user 2001:" \
		"chmod o+x $SCRATCH/src/closed/too"
	must_work chmod o+x src/closed
	must_work as_user alice chmod o+x src/closed/too
	must_work setpriv --reuid 5000 --regid 5000 --clear-groups cat src/closed/too/d/file
	# What an owner closed to himself, and to the group.
	chmod 600 src/closed/too
	explain --as alice --op read src/closed/too/d/file
	says "try: chmod u+x $SCRATCH/src/closed/too"
	chmod 755 src/closed/too
	chgrp 5000 src/closed
	chmod 640 src/closed
	explain --as 5007:5000 --op exec src/closed/too
	says "try: as root: chmod g+x $SCRATCH/src/closed"
	# The file is closed as well.
	chmod 600 src/closed/too/d/file
	chmod 700 src/closed
	explain --as alice --op read src/closed/too/d/file
	says "try: do it as root"
}

@test "a file of a container: its user can do it, in a namespace with the subordinate ids" {
	make_user alice 2001 300000 65536
	mkdir src/volume
	touch src/volume/left
	chown 300032:300032 src/volume src/volume/left
	explain --as alice --op unlink src/volume/left
	says 'try: shiftbox userns-run -- COMMAND, or podman unshare COMMAND'
	explain --as 33 --op write src/volume/left
	says 'try: as alice: shiftbox userns-run -- COMMAND, or podman unshare COMMAND'
	must_work as_user alice "$SHIFTBOX" userns-run -- \
		tee -a "$SCRATCH/src/volume/left" </dev/null
	must_work as_user alice "$SHIFTBOX" userns-run -- rm "$SCRATCH/src/volume/left"
	# Nobody has these ids: root can act as them.
	chown 900000:900000 src/volume
	explain --as 33 --op create src/volume
	says 'try: as root: setpriv --reuid 900000 --regid 900000 --clear-groups COMMAND'
	must_work setpriv --reuid 900000 --regid 900000 --clear-groups touch src/volume/new
}

@test "of a swapped map, the swapped one is all that is proposed" {
	misfit_mount '100033:1000:1' src m
	explain --as 100033:100033 m/file
	says "try: swap the map of $SCRATCH/m: -m 'b:1000:100033:1'"
	! grep -q 'extend the map' <<<"$output" || tell "more than the swap"
	explain --as 33 --op write m/file
	says "try: swap the map of $SCRATCH/m: -m 'b:1000:100033:1', and as root: setpriv --reuid" \
		"100033 --regid 100033 --clear-groups COMMAND"
	umount m
	misfit_mount b:1000:100033:1 src m
	must_work setpriv --reuid 100033 --regid 100033 --clear-groups tee -a m/file </dev/null
}

@test "a file that a container left behind: whose it is, and the command that removes it" {
	make_user alice 2001 300000 65536
	mkdir src/volume
	chown 2001:2001 src/volume
	touch src/volume/left
	chown 300032:300032 src/volume/left
	explain src/volume/left
	says "to remove as alice: shiftbox userns-run -- rm -rf '$SCRATCH/src/volume/left', or" \
		"podman unshare rm -rf '$SCRATCH/src/volume/left'"
	grep -q 'left by *300032 is a subordinate id of alice (/etc/subuid, line [0-9]*): user 33' \
		<<<"$output" || tell "whose it is"
	explain --json src/volume/left
	must_equal "$(jq -c .subordinate <<<"$output")" '{"user":"alice","inside":33}'
	# The command is one that a shell understands, whatever the name.
	touch "src/volume/it's"
	chown 300032:300032 "src/volume/it's"
	explain "src/volume/it's"
	command=$(sed -n 's/.*to remove *as alice: shiftbox \(.*\), or podman.*/\1/p' <<<"$output")
	eval "set -- $command"
	must_work as_user alice "$SHIFTBOX" "$@"
	must_equal "$(ls src/volume)" left
	# From inside, both sides of the ids are shown.
	capture as_user alice unshare -U --map-auto --map-root-user \
		"$SHIFTBOX" shift-check explain src/volume/left
	says 'outside user 33 here is 300032 outside of this user namespace, group 33 is 300032' \
		'(/proc/self/uid_map)'
	must_work as_user alice unshare -U --map-auto --map-root-user rm src/volume/left
	explain src/file
	! grep -q 'left by' <<<"$output" || tell "it is no container's"
}

@test "the group of a file that a container left is looked up in /etc/subgid" {
	make_user alice 2001 300000 65536
	add_line /etc/subuid erika:600000:100
	add_line /etc/subgid erika:700000:10
	add_line /etc/subgid erika:800000:100
	touch src/left src/group
	chown 600032:800032 src/left
	chown 2001:700003 src/group
	explain src/left
	says 'left by 600032 is a subordinate id of erika (/etc/subuid, line' \
		"$(grep -n ^erika /etc/subuid | cut -d: -f1)): user 33 in containers with the map" \
		'user:erika'
	# The second grant follows the first one.
	says 'left by group 800032 is a subordinate id of erika (/etc/subgid, line' \
		"$(grep -n ^erika:8 /etc/subgid | cut -d: -f1)): group 43 in containers with the" \
		'map user:erika'
	explain --json src/left
	must_equal "$(jq -c '.subordinate, .subordinate_group' <<<"$output")" \
		'{"user":"erika","inside":33}
{"user":"erika","inside":43}'
	# The owner is an account: the group alone is from a container.
	explain --json src/group
	must_equal "$(jq -c '.subordinate, .subordinate_group' <<<"$output")" \
		'null
{"user":"erika","inside":4}'
	# An id that only the other file grants is nobody's.
	chown 800032:600032 src/left
	explain src/left
	! grep -q 'left by' <<<"$output" || tell "users and groups are mixed up"
}

@test "nothing can be created in filesystems of the kernel, or in a removed directory" {
	need root
	local dir
	for dir in /sys/kernel /proc /proc/sys; do
		capture touch "$dir/shiftbox-test"
		[ "$status" = 1 ] || tell "$dir lets files be created"
		capture "$SHIFTBOX" shift-check explain --op create "$dir"
		must_equal "$status" 3
		output_has "in a filesystem of the kernel, in which files cannot be created"
	done
	output_has "create  ENOENT:"
	capture "$SHIFTBOX" shift-check explain --op unlink /sys/kernel/uevent_seqnum
	must_equal "$status" 3
	output_has "unlink  EPERM: it is in a filesystem of the kernel"
	mkdir gone
	cd gone
	rmdir ../gone
	capture "$SHIFTBOX" shift-check explain --op create .
	must_equal "$status" 3
	output_has "create  ENOENT: the directory has been removed"
}

@test "a directory is not written to, and the owner is not the caller" {
	need root
	chmod 711 .
	mkdir dir
	chown 2001 dir
	capture "$SHIFTBOX" shift-check explain --op write dir
	output_has "a directory cannot be opened for writing; for a directory: --op create"
	must_work "$SHIFTBOX" shift-check explain --op chmod --as 2001:2001 dir
	output_has "user 2001 is the owner"
}

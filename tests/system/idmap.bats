# SPDX-License-Identifier: LGPL-2.1-or-later
# Every form of a map, seen through a mount: what stat(2) shows is what the form means, in its
# direction.

load lib

need root

test_setup() {
	mkdir disk mnt
	# Born with their owners: nothing here chowns. "U-G" is a file of user U and group G.
	chmod 777 disk
	for o in 0-0 1-1 33-34 1000-50 65535-65535 70000-70000; do
		setpriv --reuid "${o%-*}" --regid "${o#*-}" --clear-groups touch "disk/$o" \
			2>/dev/null ||
			(cd disk && setpriv --reuid "${o%-*}" --regid "${o#*-}" \
			--clear-groups touch "$o")
	done
	chmod 711 .
}

# through MAP NAME=U:G...: under the map each file is seen as owned by U:G.
through() {
	local map=$1 pair
	shift
	${MOUNTS:-must_work} "$SHIFTBOX" mount-idmapped -q -o public -m "$map" disk mnt
	for pair; do
		must_equal "$map ${pair%=*} $(owner "mnt/${pair%=*}")" "$map ${pair%=*} ${pair#*=}"
	done
	umount mnt
}

# The same under a map that does not cover the owner of disk.
through_misfit() {
	local MOUNTS=misfit_works
	through "$@"
}

misfit_works() {
	must_work_but misfit "$@"
}

@test "numbers: the first column is the disk's" {
	through 0:100000:65536 0-0=100000:100000 33-34=100033:100034 65535-65535=165535:165535 \
		70000-70000=65534:65534
	through +200000 0-0=200000:200000 1000-50=201000:200050
	through +200000:1000 33-34=200033:200034 1000-50=65534:200050
	through "b:0:7:1 b:1:5:1" 0-0=7:7 1-1=5:5 33-34=65534:65534
	through_misfit "u:33:9:1;g:34:8:1" 33-34=9:8 0-0=65534:65534
	through "0:1:1;1:0:1" 0-0=1:1 1-1=0:0
	through_misfit "uids=0-100-10#33-7-1;gids=34-3-1" 0-0=100:65534 33-34=7:3
}

@test "one kind leaves the other as it is, says so, and --strict-map refuses it" {
	through_misfit u:33:9:1 33-34=9:34 70000-70000=65534:70000
	through_misfit g:34:8:1 33-34=33:8 1000-50=1000:65534
	"$SHIFTBOX" mount-idmapped -o public -m u:33:9:1 disk mnt 2>said
	grep -q "for user ids only: group ids are left as they are" said
	umount mnt
	must_fail 2 "covers only user ids" \
		"$SHIFTBOX" mount-idmapped --strict-map -m u:33:9:1 disk mnt
}

@test "names and grants" {
	make_user alice 4001 500000 65536
	through u:root:alice:1\;g:root:alice:1 0-0=4001:4001 1-1=65534:65534
	through subid:alice 0-0=500000:500000 33-34=500033:500034
	through subid:4001 0-0=500000:500000
	through user:alice 0-0=4001:4001 1-1=500000:500000 33-34=500032:500033
	must_fail 1 "has no ids in /etc/subuid" "$SHIFTBOX" mount-idmapped -m subid:daemon disk mnt
	add_line /etc/subuid root:700000:1000
	add_line /etc/subgid root:800000:1000
	through auto 0-0=700000:800000 33-34=700033:800034
}

@test "owner: the source's user and group, apart" {
	make_user alice 4001 500000 65536
	setpriv --reuid 33 --regid 34 --clear-groups sh -c 'mkdir disk/top && touch disk/top/file'
	must_work "$SHIFTBOX" mount-idmapped -q -o public -m owner:alice disk/top mnt
	must_equal "$(owner mnt) $(owner mnt/file)" "4001:4001 4001:4001"
	umount mnt
}

@test "a process's namespace, by number, path and descriptor" {
	local pid
	unshare -U sleep 60 3>&- &
	pid=$!
	# Only once it has left our namespace is it the one to be mapped.
	while [ "$(readlink /proc/$pid/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do
		sleep 0.05
	done
	must_fail 1 "no id is mapped" "$SHIFTBOX" mount-idmapped -m pid:$pid disk mnt
	# In one write each, as the kernel wants it.
	printf '0 300000 10\n33 7 1\n' >uid_map
	printf '0 400000 100\n' >gid_map
	cat uid_map >/proc/$pid/uid_map
	cat gid_map >/proc/$pid/gid_map
	through pid:$pid 0-0=300000:400000 33-34=7:400034 1000-50=65534:400050
	through /proc/$pid/ns/user 33-34=7:400034
	exec 9</proc/$pid/ns/user
	through fd:9 33-34=7:400034
	exec 9<&-
	kill $pid
	must_fail 2 "this is the caller's own user namespace" \
		"$SHIFTBOX" mount-idmapped -m pid:$$ disk mnt
}

@test "a file of lines" {
	printf '# users\nu 0 300000 10\n\nu 33 7 1 # www\ng 0 400000 100\n' >map
	through "@map" 0-0=300000:400000 33-34=7:400034
	printf 'u 0 1 1\nu 0 2 1\n' >map
	must_fail 2 "(line 2 of map)" "$SHIFTBOX" mount-idmapped -m @map disk mnt
}

@test "a map that the kernel would misread is refused before it is asked" {
	for map in b:4294967296:0:1 0:0:4294967296 u:-1:0:1 0x0:0:1 "" " " 0:1:1x; do
		must_fail 2 "of the map)" "$SHIFTBOX" mount-idmapped -m "$map" disk mnt
		[ -z "$(ls mnt)" ]
	done
}

@test "inside a user namespace the identity is what exists there, and other ids are named" {
	need userns
	mkdir -m 777 inner
	in_userns sh -c "mount -t tmpfs t inner && mkdir inner/disk inner/mnt &&
		touch inner/disk/f &&
		'$SHIFTBOX' mount-idmapped -q -m u:5:0:1 inner/disk inner/mnt &&
		stat -c %u:%g inner/mnt/f" >seen
	must_equal "$(cat seen)" 65534:0
	must_fail 1 "seen user id 5 does not exist in this user namespace" \
		in_userns sh -c "mount -t tmpfs t inner &&
		mkdir inner/disk inner/mnt &&
		'$SHIFTBOX' mount-idmapped -q -m 0:5:1 inner/disk inner/mnt"
}

@test "without a proc of its own PID namespace it says so" {
	must_fail 1 "shows the processes of another PID namespace" \
		unshare -pf "$SHIFTBOX" mount-idmapped -m +100000 disk mnt
	must_fail 1 "'/proc': is needed to set and read the maps" unshare -m --propagation private \
		sh -c "umount -l /proc && '$SHIFTBOX' mount-idmapped -m +100000 disk mnt"
}

@test "no process of a namespace stays behind, whatever fails" {
	local mount=("$SHIFTBOX" mount-idmapped -o public -m +100000 disk mnt)
	must_fail 1 "cannot get a descriptor of the namespace's process" \
		inject pidfd_open:EMFILE:1 "${mount[@]}"
	must_fail 1 "cannot set the map of a new user namespace" inject write:EINVAL:1 "${mount[@]}"
	must_fail 1 "cannot make a user namespace" inject clone:ENOSPC:1 "${mount[@]}"
	must_fail 1 "user.max_user_namespaces" inject clone:ENOSPC:1 "${mount[@]}"
	[ -z "$(ls mnt)" ]
}

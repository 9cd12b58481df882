# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount -N: mount(8) asks its helper to mount in another mount namespace.

load lib

need root
need prog mount unshare nsenter jq

test_setup() {
	mkdir upper work s t
	touch s/file
	# mount(8) looks for helpers in /sbin alone: an overlay of it, in this mount namespace.
	mount -t overlay -o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" \
		none /sbin
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
}

test_teardown() {
	[ -z "${OTHER:-}" ] || kill "$OTHER"
	umount -l /sbin
}

# OPTION...: another mount namespace, of unshare(1), where OTHER is a process.
namespace() {
	unshare --mount --propagation private "$@" sleep 1000 3>&- &
	OTHER=$!
	while ! grep -qs sleep "/proc/$OTHER/comm"; do sleep 0.01; done
}

there() {
	nsenter --target "$OTHER" --mount "$@"
}

nothing_mounted() {
	must_equal "$(grep -c " $SCRATCH/t " /proc/self/mountinfo)" 0
	must_equal "$(grep -c " $SCRATCH/t " "/proc/$OTHER/mountinfo")" 0
}

@test "mount -N mounts in the namespace, and only there" {
	namespace
	must_work mount -N "$OTHER" -t shiftbox -o map=0:1001:1,ro "$SCRATCH/s" "$SCRATCH/t"
	must_equal "$(ls t)" ""
	must_equal "$(there stat -c %u:%g "$SCRATCH/t/file")" 1001:1001
	# Again: it is mounted already. The same with the path of a namespace.
	must_work mount -N "/proc/$OTHER/ns/mnt" -t shiftbox -o map=0:1001:1,ro "$SCRATCH/s" \
		"$SCRATCH/t"
	must_equal "$(grep -c " $SCRATCH/t " "/proc/$OTHER/mountinfo")" 1
	there umount "$SCRATCH/t"
	nothing_mounted
	must_work mount -f -N "$OTHER" -t shiftbox -o map=0:1001:1 "$SCRATCH/s" "$SCRATCH/t"
	nothing_mounted
}

@test "the source is what the namespace has there, and names of users are the host's" {
	namespace
	there mount -t tmpfs none "$SCRATCH/s"
	there touch "$SCRATCH/s/inner"
	make_user alice 1234 300000 65536
	must_work mount -N "$OTHER" -t shiftbox -o 'ro,map=u:0:alice:1;g:0:alice:1' \
		"$SCRATCH/s" "$SCRATCH/t"
	must_equal "$(there stat -c %u:%g "$SCRATCH/t/inner")" 1234:1234
	there umount "$SCRATCH/t" "$SCRATCH/s"
	# A stack, whose layers are there.
	mkdir -m 700 private
	mkdir private/l
	touch private/l/x
	there mount -t tmpfs none "$SCRATCH/private/l"
	there touch "$SCRATCH/private/l/inner"
	must_work mount -N "$OTHER" -t shiftbox \
		-o "map=+5,lower=$SCRATCH/private/l,public" overlay "$SCRATCH/t"
	must_equal "$(there ls "$SCRATCH/t")" inner
	there umount "$SCRATCH/t"
}

@test "what is mounted there has a record here, and the namespace's own /run does not count" {
	need kernel 6.8
	local dir=$SCRATCH/closed stack id
	mkdir -m 700 closed
	mkdir -m 700 closed/top closed/base
	touch closed/base/file
	mount -t tmpfs -o mode=755 run /run
	namespace
	# The record must be the system's, also where the namespace has other directories there.
	there mount -t tmpfs -o mode=755 none /run
	stack=(mount -N "$OTHER" -t shiftbox overlay "$SCRATCH/t" -o)
	must_work mount -f -N "$OTHER" -t shiftbox -o "map=+100000,lower=$dir/top,lower=$dir/base" \
		overlay "$SCRATCH/t"
	must_equal "$(find /run/shiftbox 2>/dev/null)" ""
	must_work "${stack[@]}" "map=+100000,lower=$dir/top,lower=$dir/base"
	must_equal "$(ls /run/shiftbox/mounts | wc -l)" 1
	must_equal "$(there find /run/shiftbox 2>/dev/null)" ""
	# It is about the mount in the namespace: by its id, device, and both numbers of it.
	id=$(there stat -Lc %i /proc/self/ns/mnt)
	must_equal "$(jq .mntns /run/shiftbox/mounts/*)" "$id"
	# Known here, and for a second call.
	capture "$SHIFTBOX" shift-check list --all-namespaces --json
	must_equal "$(jq -r "select(.target == \"$SCRATCH/t\") | .map_from + \" \" + .map" \
		<<<"$output")" "record b:0:100000:65536"
	must_work "${stack[@]}" "map=+100000,lower=$dir/top,lower=$dir/base"
	must_fail 32 "is mounted already, with another map" "${stack[@]}" \
		"map=+200000,lower=$dir/top,lower=$dir/base"
	# A mount of this namespace, of other directories, is not taken for it.
	must_work "$SHIFTBOX" mount-idmapped -m none -o "lower=$dir/base,lower=$dir/top" \
		overlay "$SCRATCH/t"
	capture "$SHIFTBOX" shift-check list --json "$SCRATCH/t"
	must_equal "$output" "" # it has no map
	umount "$SCRATCH/t"
	# Gone with the namespace.
	kill "$OTHER"
	wait "$OTHER" || true
	OTHER=
	must_work "$SHIFTBOX" shift-check list --json
	must_equal "$(ls /run/shiftbox/mounts)" ""
	umount -l /run
}

@test "what is no mount namespace, or another user's, is refused" {
	local helper="/sbin/mount.shiftbox $SCRATCH/s $SCRATCH/t -o map=+5 -N"
	namespace
	must_fail 32 "is not a mount namespace" $helper "/proc/$OTHER/ns/user"
	must_fail 32 "is not a mount namespace" $helper /dev/null
	must_fail 32 "cannot open the mount namespace" $helper /none
	nothing_mounted
	kill "$OTHER"
	namespace --user --map-root-user
	must_fail 32 "the mount namespace belongs to another user namespace" \
		$helper "/proc/$OTHER/ns/mnt"
	must_fail 32 "the mount namespace belongs to another user namespace" \
		mount -N "$OTHER" -t shiftbox -o map=+5 "$SCRATCH/s" "$SCRATCH/t"
	nothing_mounted
}

@test "a namespace without this process's /proc is refused" {
	local child
	unshare --mount --propagation private --pid --fork --mount-proc --kill-child \
		sleep 1000 3>&- &
	OTHER=$!
	while child=$(pgrep -P "$OTHER"); ! grep -qs sleep "/proc/$child/comm"; do
		sleep 0.01
	done
	must_fail 32 "the mount namespace has no /proc of this process" \
		mount -N "$child" -t shiftbox -o map=+5 "$SCRATCH/s" "$SCRATCH/t"
	nothing_mounted
	kill -9 "$OTHER" # unshare --fork ignores SIGTERM
	namespace
	there mount -t tmpfs none /proc
	must_fail 32 "the mount namespace has no /proc of this process" \
		mount -N "$OTHER" -t shiftbox -o map=+5 "$SCRATCH/s" "$SCRATCH/t"
}

@test "the line of the namespace's fstab is not looked up in the host's" {
	namespace
	echo "$SCRATCH/s $SCRATCH/t shiftbox map=+5 0 0" >fstab
	must_fail 1 "mount -N needs both SOURCE and TARGET" \
		mount -N "$OTHER" -T "$SCRATCH/fstab" "$SCRATCH/t"
	nothing_mounted
}

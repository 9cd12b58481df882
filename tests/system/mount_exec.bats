# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154,SC2016
# mount-idmapped --exec: a mount that lives as long as a command.

load lib

need root
need kernel 5.12

MI="$SHIFTBOX mount-idmapped"

test_setup() {
	mkdir s t
	touch s/file
}

@test "the command sees the mount, and nobody else does, then or later" {
	must_work $MI -e -m 0:1001:1 s t -- sh -c 'stat -c %u:%g t/file
		grep -c " $PWD/t " /proc/self/mountinfo
		ls -A "/proc/$PPID/root$PWD/t"'
	must_equal "$output" "1001:1001
1"
	must_equal "$(mounts)" 0
}

@test "shared mounts are no way out" {
	mount --make-rshared "$SCRATCH"
	must_work $MI -e -m 0:1001:1 s t -- \
		grep -c " $SCRATCH/t " /proc/self/mountinfo "/proc/$$/mountinfo"
	must_equal "$output" "/proc/self/mountinfo:1
/proc/$$/mountinfo:0"
	must_equal "$(mounts)" 0
}

@test "the status is the command's" {
	local n
	for n in 0 1 2 3 42 255; do
		capture $MI -m none -e s t -- sh -c "exit $n"
		must_equal "$status" "$n"
		stderr_empty
	done
	capture sh -c '"$@"; exit $?' sh $MI -e s t -- sh -c 'kill -TERM $$'
	must_equal "$status" 143
	must_fail 127 "'none-such': cannot run the command: No such file" $MI -e s t -- none-such
	must_fail 126 "cannot run the command: Permission denied" $MI -e s t -- ./s/file
}

@test "a mount that fails keeps the command from running" {
	must_fail 1 'cannot open the source' $MI -e none t -- touch ran
	must_fail 2 "unknown option 'x'" $MI -e -o x s t -- touch ran
	must_fail 2 'needs a command' $MI -e s t
	must_fail 2 'needs a command' $MI -e s t --
	must_fail 2 'exclude each other' $MI -e -u t -- touch ran
	must_work $MI -m none -e -n s t -- touch ran
	[ ! -e ran ]
}

@test "the command may chown, the mounting may not" {
	must_work $MI -e -m 0:1001:1 -m 5:1005:1 s t -- chown 1005:1005 t/file
	must_equal "$(owner s/file)" 5:5
	must_work $MI -m none -e s t -- grep -x 'Seccomp:	0' /proc/self/status
	# The process that mounts has the filter before it does.
	strace -f -qq -o trace -e trace=seccomp,open_tree,execve $MI -e s t -- true
	must_equal "$(grep -oE ' (seccomp|open_tree|execve)\(' trace | uniq | xargs)" \
		'execve( seccomp( open_tree( execve('
	must_equal "$(awk '
		/ seccomp\(.*SET_MODE_FILTER/ { guarded = $1 }
		/ open_tree\(/ { mounts = $1 }
		/ execve\(/ { runs = $1 }
		END { print guarded == mounts, mounts == runs }' trace)" '1 0'
}

@test "the command has its words, its directory, its descriptors and its SIGPIPE" {
	exec 7<s/file
	must_work $MI -m none -e s t -- sh -c 'printf "%s\n" "$PWD" "$@"' sh -a -- '' 'b c'
	must_equal "$output" "$SCRATCH
-a
--

b c"
	must_work sh -c 'ls /proc/$$/fd; true'
	local plain=$output
	must_work $MI -m none -e s t -- sh -c 'ls /proc/$$/fd; true'
	must_equal "$output" "$plain"
	must_work $MI -m none -e s t -- test /proc/self/fd/7 -ef s/file
	exec 7<&-
	must_work $MI -m none -e s t -- grep SigIgn /proc/self/status
	must_equal "$(((0x${output##*[[:space:]]} >> 12) & 1))" 0
}

@test "an fstab can be mounted for one command" {
	printf '%s\n' "$SCRATCH/s $SCRATCH/t shiftbox map=0:1001:1 0 0" >fstab
	must_work $MI -e -a -T fstab -- stat -c %u t/file
	must_equal "$output" 1001
	must_work $MI -e -T fstab "$SCRATCH/t" -- stat -c %u t/file
	must_equal "$output" 1001
	must_equal "$(mounts)" 0
}

@test "root of a user namespace can do it, an ordinary user is told how" {
	make_user alice 2001 700000 10
	must_fail 1 '-b s:/mnt' as_user alice "$SHIFTBOX" mount-idmapped -e s t -- true
	must_work in_userns sh -c 'mount -t tmpfs x t && mkdir t/a t/b && "$@"' \
		sh $MI -m none -e t/a t/b -- grep -c "/t/b " /proc/self/mountinfo
	must_equal "$output" 1
}

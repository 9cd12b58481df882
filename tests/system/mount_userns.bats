# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped as an ordinary user, in a user namespace of one's own: what the kernel allows, and
# how what it forbids is told.

load lib

need userns
need kernel 6.3

MI="$SHIFTBOX mount-idmapped"

# A script as root of a new user and mount namespace, in a tmpfs that the namespace mounted itself.
script() {
	mkdir -p own
	capture in_userns sh -euc 'mount -t tmpfs -o mode=700 none own && cd own &&
		mkdir l1 l2 m p && touch l1/a l2/b; '"$1"
}

@test "a tmpfs of one's own is mapped" {
	script "$MI -m 0:0:1 l1 m && stat -c %u:%g m/a && $MI -m 5:0:1 l2 p && stat -c %u:%g p/b"
	must_equal "$status:$output" $'0:0:0\n65534:65534'
	stderr_has "'l2': on disk it belongs to user 0" ... "DISK and SEEN look swapped"
}

@test "an id that the namespace does not have is refused by name" {
	script "$MI -m 0:1:1 l1 m"
	must_equal "$status" 1
	[[ $stderr == *"user id 1 does not exist in this user namespace"* ]] ||
		tell "it is not named"
	stderr_has "try:  omit the map to see files with the ids of this namespace"
}

@test "a filesystem of the host is not mapped, and it is said who could" {
	script "$MI -m 0:0:1 /usr m"
	must_equal "$status" 1
	[[ $stderr == *"was mounted outside of this user namespace"* ]] ||
		tell "the cause is not named"
	script "$MI -m 0:0:1 -o lower=l1,lower=/usr overlay m"
	must_equal "$status" 1
	[[ $stderr == *"layer 2 of 2"*"was mounted outside of this user namespace"* ]] ||
		tell "the cause is not named"
}

@test "what lies below a directory of the host is not uncovered" {
	script "$MI / m"
	must_equal "$status" 1
	[[ $stderr == *"must not uncover"* ]] || tell "the cause is not named"
	script "$MI -u /proc"
	must_equal "$status" 1
	[[ $stderr == *"came with its parent"* ]] || tell "the cause is not named"
}

@test "a stack with userxattr, which is chosen by itself" {
	local way
	for way in fds names; do
		if [ $way = fds ] && lacks kernel 6.15 >/dev/null; then continue; fi
		script "export SHIFTBOX_OVERLAY_WAY=$way
			$MI -m 0:0:1 -o lower=l1,lower=l2,upper=p/u overlay m
			grep -q ' overlay .*userxattr' /proc/self/mountinfo
			rm m/b; touch m/c; $MI -u m; ls p/u
			$MI -q -o lower=/usr,lower=l2,ephemeral=1M overlay m
		touch m/c; test -d m/bin; $MI -u m"
		must_equal "$status:$stderr:$output" $'0::b\nc'
	done
}

@test "without a user namespace the missing capability is named" {
	local drop=
	[ "$(id -u)" != 0 ] || drop="setpriv --reuid 65534 --regid 65534 --clear-groups"
	mkdir l1 m
	chmod 711 .
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" $drop $MI l1 m
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" $drop $MI -m +100000 l1 m
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" $drop $MI -m +100000 -o rbind l1 m
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" \
		$drop $MI -m +100000 -o lower=l1,lower=m overlay m
	must_fail 1 "run as root" $drop $MI -m +100000 -t tmpfs tmpfs m
	must_fail 1 "the caller lacks CAP_SYS_ADMIN" $drop $MI -u /proc
}

@test "where an ordinary user cannot have a map, what is told to try works" {
	need root
	need subid
	local try
	make_user alice 2001 300000 65536
	install -d -o 2001 -g 2001 "own dir" m
	touch "own dir/file"
	chown 2001 "own dir/file"
	must_fail 1 "only root of the user namespace that mounted the filesystem (tmpfs) can map" \
		as_user alice $MI -m +100000 "own dir" m
	stderr_has "run as root; "
	try=${stderr##*: shiftbox }
	must_work as_user alice sh -c "$SHIFTBOX $try"
	output_has " root " ... " file"
}

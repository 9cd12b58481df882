#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# shift-check and podman: what a user's podman lacks, and the way of a file from a container through
# a view to the store.

load lib
load images
load podman
need root
need subid
need kernel 6.15
need prog python3 jq setpriv podman crun busybox setfacl getfattr

CHECK="$SHIFTBOX shift-check podman"
VIEWS=/run/shiftbox/users

# /etc and /run are copies: the table of views and the users' runtime directories have one place.
test_setup() {
	STORE=$SCRATCH/store
	REF=docker.io/library/bb:1
	mount -t tmpfs -o mode=755 run /run
	cp -a /etc etc
	mkdir -p etc/shiftbox
	mount --bind etc /etc
	podman_start
	podman_user alice 2001 300000
	podman_user bob 2002 400000
	install -d -m 700 -o alice -g alice /run/user /run/user/2001
	install -d -m 700 -o bob -g bob /run/user/2002
	chmod 755 /run/user
	chown root: /run/user
}

test_teardown() {
	podman_containers_end
	podman_stop
	umount -l /etc
	umount -l /run
}

as_podman() { # USER CMD...
	as_user "$1" XDG_RUNTIME_DIR="/run/user/$(id -u "$1")" "${@:2}"
}

podman_containers_end() {
	local user pid
	for user in alice bob; do
		as_podman "$user" podman rm -af -t 0 >/dev/null 2>&1 || true
		for pid in $(pgrep -u "$user" || true); do
			grep -qzF "HOME=$SCRATCH/home-$user" "/proc/$pid/environ" 2>/dev/null &&
				kill -9 "$pid"
		done
	done
	return 0
}

# An image with busybox, files of other owners and an opaque directory.
PODMAN_BB='{"ref":"v1","config":{"created":"2026-01-02T03:04:05.6Z","config":{"Cmd":["/bin/sh"]},
	"history":[{"created_by":"a"},{"created_by":"b"}]},"layers":[
	{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox"},"etc":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\nu:x:7:7::/:/bin/sh\n",
		"etc/shadow":{"data":"secret","gid":42,"mode":"640"},
		"tmp":{"type":"dir","mode":"1777"},
		"o":{"type":"dir"},"o/gone":"1","o/d":{"type":"dir"},"o/d/gone":"2"}},
	{"files":{"o":{"type":"dir"},"o/.wh..wh..opq":"","o/new":"3","o/d":{"type":"dir"},
		"suid":{"data":"x","mode":"4755","uid":7}}}]}'

admin() {
	image bb "$PODMAN_BB"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N $REF bb
	echo "$STORE/podman $VIEWS/%u shiftbox map=user:%u,each=subid,ro,nosuid,nodev 0 0" \
		>/etc/shiftbox/views
}

views() {
	capture "$SHIFTBOX" mount-idmapped -a -T /etc/shiftbox/views
	must_equal "$status" 0
}

conf() { # USER: storage.conf that names the user's view
	local home=$SCRATCH/home-$1
	cat >"$home/.config/containers/storage.conf" <<-EOF
		[storage]
		driver = "overlay"
		runroot = "/run/user/$(id -u "$1")/containers"
		graphroot = "$home/.local/share/containers/storage"
		[storage.options]
		additionalimagestores = ["$VIEWS/$1"]
	EOF
	chown "$1:" "$home/.config/containers/storage.conf"
}

# Ask once, as root, for the functions below; and as people see it: $output and $status.
look() { # USER
	report=$($CHECK --json "$1" 2>/dev/null) || true
}

# The answer of a row: "missing", or several.
answer() { # ROW...
	local row
	for row; do
		jq -r "select(.check == \"$row\") | .answer" <<<"$report"
	done | paste -sd' '
}

remedy() { # ROW
	jq -r "select(.check == \"$1\") | .try // empty" <<<"$report"
}

detail() { # ROW
	jq -r "select(.check == \"$1\") | .detail" <<<"$report"
}

missing() {
	jq -r 'select(.summary) | .summary.missing | join(" ")' <<<"$report"
}

# A container of alice that waits; $pid is a process in it, and $merged its root in her namespace.
container() {
	as_podman alice podman run -d --name c -v vol:/vol "$@" $REF \
		sh -c 'echo x >/vol/f; busybox chown 7:42 /vol/f; echo y >/made
			exec busybox sleep 600' \
		>/dev/null
	for _ in {1..100}; do
		as_podman alice podman exec c busybox test -e /made && break
		sleep 0.1
	done
	pid=$(as_podman alice podman inspect -f '{{.State.Pid}}' c)
	merged=$(as_podman alice podman unshare podman mount c)
}

# The steps of the way: "place UID:GID", or "view MAP".
chain() {
	jq -r '.chain[]? | .place + " " +
		(if has("uid") then "\(.uid):\(.gid)" else .map // "?" end)' <<<"$output"
}

MAP="b:0:2001:1;b:1:300000:65536"

@test "explain leads from a container through the view to the store" {
	admin
	views
	conf alice
	container
	capture "$SHIFTBOX" shift-check explain --json "/proc/$pid/root/etc/shadow"
	must_equal "$status" 0
	must_equal "$(chain)" "container 0:42
merged 2001:300041
layer 2001:300041
view $MAP
store 0:42"
	must_equal "$(jq -r '.chain[0].path' <<<"$output")" /etc/shadow
	[[ $(jq -r '.chain[4].path' <<<"$output") == $STORE/podman/overlay/*/diff/etc/shadow ]]
	must_equal "$(jq -r '"\(.owner.disk) \(.group.disk)"' <<<"$output")" "0 42"
	capture "$SHIFTBOX" shift-check explain "/proc/$pid/root/etc/shadow"
	output_has "chain" ... "container /etc/shadow: owner 0:42 in the user namespace of pid:"
	output_has "chain" ... "store $STORE/podman/overlay/" ... "owner 0:42"

	# What the container has written is in the user's own storage.
	capture "$SHIFTBOX" shift-check explain --json "/proc/$pid/root/made"
	must_equal "$(chain)" "container 0:0
merged 2001:2001
upper 2001:2001"
	# The host's mount namespace does not have the container.
	must_fail 1 "cannot open" "$SHIFTBOX" shift-check explain "$merged/etc/shadow"
	stderr_has "as /proc/PID/root/..., or use podman unshare"
	# From inside of podman unshare, in the ids of that namespace.
	capture as_podman alice podman unshare "$SHIFTBOX" shift-check explain --json \
		"$merged/etc/shadow"
	must_equal "$(chain | cut -d' ' -f1 | paste -sd' ')" "merged layer view store"
	must_equal "$(chain | grep -c ' 0:42$')" 3
	must_equal "$(jq -r '.chain[3].closed' <<<"$output")" true
}

@test "explain shows the way from a volume, and from a view" {
	admin
	views
	conf alice
	container
	capture "$SHIFTBOX" shift-check explain --json "/proc/$pid/root/vol/f"
	must_equal "$(chain)" "container 7:42
volume 300006:300041"
	local data=home-alice/.local/share/containers/storage/volumes/vol/_data/f
	capture "$SHIFTBOX" shift-check explain --json $data
	must_equal "$(chain)" "volume 300006:300041"
	must_equal "$(jq -r '"\(.subordinate.user) \(.subordinate.inside)"' <<<"$output")" "alice 7"
	local file
	file=$(find "$VIEWS/alice/" -path '*/diff/etc/shadow')
	capture "$SHIFTBOX" shift-check explain --json "$file"
	must_equal "$(chain)" "view $MAP
store 0:42"
	# The user cannot reach the store, and the owner there follows from the map.
	capture as_podman alice "$SHIFTBOX" shift-check explain --json "$file"
	must_equal "$(chain)" "view $MAP
store 0:42"
	must_equal "$(jq -r '.chain[1].closed' <<<"$output")" true
}

# u::rw-,u:9:rwx,g::r--,m::rwx,o::r--
ACL=0200000001000600ffffffff020007000900000004000400ffffffff10000700ffffffff20000400ffffffff

@test "verify compares the root of a container with the image, as the view translates it" {
	admin
	views
	conf alice
	image ac '{"layers":[{"files":{"cap":{"data":"x","mode":"755","gid":9,
		"xattrs":{"security.capability":"0100000200200000000000000000000000000000"}},
		"acl":{"data":"x","uid":7,
		"xattrs":{"system.posix_acl_access":"'$ACL'"}},
		"suid":{"data":"x","mode":"6755","uid":7,"gid":42}}}]}'
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N localhost/ac:1 ac
	as_podman alice podman create --name c localhost/ac:1 cmd >/dev/null
	merged=$(as_podman alice podman unshare podman mount c)
	pid=$(cat /run/user/2001/libpod/tmp/pause.pid)
	capture "$SHIFTBOX" shift-check verify -s "$STORE" --image localhost/ac:1 \
		"/proc/$pid/root$merged"
	must_equal "$status" 0
	output_has "no findings"
	must_equal "$(as_podman alice podman unshare stat -c '%u:%g %a' "$merged/suid")" "7:42 6755"
	text_has "$(as_podman alice podman unshare getfattr -dm - "$merged/cap" 2>&1)" \
		security.capability
	# A changed owner, a new file, and a lost ACL are findings.
	as_podman alice podman unshare sh -c \
		"cd '$merged' && chown 5:5 cap && touch new && setfacl -b acl"
	capture "$SHIFTBOX" shift-check verify --json -s "$STORE" --image localhost/ac:1 \
		"/proc/$pid/root$merged"
	must_equal "$status" 3
	must_equal "$(jq -r 'select(.class) | .class + " " + .path' <<<"$output" | sort |
		sed "s|/proc/$pid/root$merged||" | paste -sd' ')" \
		"acl /acl caps /cap extra /new mismatch /cap"
	must_equal "$(jq -r 'select(.class == "mismatch") |
		"\(.disk_uid) \(.expected_uid) \(.seen_uid)"' <<<"$output")" "0 2001 300004"
}

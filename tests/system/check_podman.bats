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
	[ "$status" = 0 ] || tell "status $status: $stderr"
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

@test "it says what is missing step by step, and each remedy mends it" {
	# Nothing is set up: no line, no view, no settings.
	capture $CHECK alice
	must_equal "$status" 3
	output_has "view" ... "missing" ... "/etc/shiftbox/views has no line that does it"
	output_has "conf" ... "missing" ... "does not exist"
	output_has "alice: missing: view, conf"

	admin
	conf alice
	look alice
	must_equal "$(missing)" view
	must_equal "$(remedy view)" "as root: mount-idmapped -a"
	rm home-alice/.config/containers/storage.conf
	views
	look alice
	must_equal "$(answer view map flags images)" "ok ok ok ok"
	must_equal "$(missing)" conf
	must_equal "$(remedy conf)" \
		"image-unpack -s $STORE --podman-conf $VIEWS/alice --write alice"
	sh -ec "'$SHIFTBOX' $(remedy conf)"
	look alice
	must_equal "$(answer conf plain)" "ok ok"
	capture $CHECK alice
	must_equal "$status" 0
	output_has "alice: podman can run the images of the store"
	as_podman alice podman run --rm $REF busybox id -u >out
	must_equal "$(cat out)" 0
	# As the user, too.
	capture as_podman alice "$SHIFTBOX" shift-check podman
	must_equal "$status" 0
	output_has "podman's pause process (pid " ... "has the view and the map"
}

@test "what keep-id lacks is named, and each remedy mends it" {
	admin
	views
	conf alice
	look alice
	must_equal "$(missing) $(answer keep-id)" " note"
	remedy keep-id | sed -n "s/.*add the line '\(.*\)' to .*/\1/p" >line
	must_equal "$(cut -d' ' -f1,2 line)" "$STORE/podman /run/shiftbox/keep-id/%u"
	cat line >>/etc/shiftbox/views
	look alice
	must_equal "$(remedy keep-id)" "as root: mount-idmapped -a"
	views
	look alice
	must_equal "$(answer keep-id conf) $(remedy keep-id)" "note note "
	sh -ec "'$SHIFTBOX' $(remedy conf)"
	look alice
	must_equal "$(missing) $(answer keep-id)" " ok"
}

@test "without a grant, nothing is known of the map, and the command that grants is named" {
	admin
	views
	conf alice
	grep -v ^alice /etc/subgid >kept
	cat kept >/etc/subgid
	capture $CHECK alice
	must_equal "$status" 3
	output_has "grants" ... "missing" ... "/etc/subgid: alice has no group ids here"
	output_has "map" ... "unknown"
}

@test "a view with another map than podman's, or without the flags, is found" {
	admin
	views
	conf alice
	umount $VIEWS/alice
	"$SHIFTBOX" mount-idmapped -m '0:2001:1 1:300001:65535' -o ro,nosuid "$STORE/podman" \
		$VIEWS/alice
	look alice
	must_equal "$(missing)" "map flags"
	text_has "$(detail map)" "the view has the map" ... "files would have other owners there"
	must_equal "$(detail flags)" "the mount on $VIEWS/alice lacks nodev"
	must_equal "$(answer plain)" note
	mkdir bin
	ln -s "$SHIFTBOX" bin/mount-idmapped
	PATH=$SCRATCH/bin:$PATH sh -ec "$(remedy flags | sed 's/^as root: //')"
	PATH=$SCRATCH/bin:$PATH sh -ec "$(remedy map | sed 's/^as root: //')"
	look alice
	must_equal "$(missing) $(answer plain)" " ok"
}

@test "grants that are not in the order of their ids are named: podman sorts them" {
	local file
	admin
	for file in subuid subgid; do
		grep -v ^alice: /etc/$file >kept
		printf 'alice:310000:1000\nalice:300000:10000\n' >>kept
		cat kept >/etc/$file
	done
	views
	conf alice
	look alice
	must_equal "$(missing)" map
	text_has "$(remedy map)" "put the lines of alice in /etc/subuid and /etc/subgid in the" \
		"order of their ids, as podman takes them; then mount-idmapped -a"
	must_equal "$(as_podman alice podman unshare awk '{ print $2 }' /proc/self/uid_map |
		paste -sd' ')" "2001 300000 310000"
	for file in subuid subgid; do
		sort -t: -k2n /etc/$file >kept
		cat kept >/etc/$file
	done
	views
	look alice
	must_equal "$(missing)" pause
	as_podman alice podman system migrate
	look alice
	must_equal "$(missing)" ""
}

@test "podman's order of storage.conf is followed, and a broken one is named with its line" {
	admin
	views
	conf alice
	mkdir -p other/containers
	echo '[storage]' >other/containers/storage.conf
	chmod -R a+rX other
	capture as_podman alice XDG_CONFIG_HOME="$SCRATCH/other" "$SHIFTBOX" shift-check podman
	must_equal "$status" 3
	output_has "conf" ... "missing" ... "other/containers/storage.conf does not name"
	capture as_podman alice XDG_CONFIG_HOME="$SCRATCH/other" \
		CONTAINERS_STORAGE_CONF="$SCRATCH/home-alice/.config/containers/storage.conf" \
		"$SHIFTBOX" shift-check podman
	must_equal "$status" 0
	# The environment of root is not the user's.
	XDG_CONFIG_HOME=$SCRATCH/other look alice
	must_equal "$(answer conf)" ok
	echo 'nonsense' >>home-alice/.config/containers/storage.conf
	look alice
	must_equal "$(answer conf)" missing
	text_has "$(detail conf)" "is not valid TOML: line 7"
}

@test "what a user puts into the home directory cannot hold root up, nor be read with its rights" {
	admin
	views
	conf alice
	local conf=home-alice/.config/containers/storage.conf
	rm $conf
	mkfifo $conf
	chown alice: $conf
	capture timeout 20 $CHECK alice
	must_equal "$status" 3
	output_has "conf" ... "missing"
	rm $conf
	echo '[storage' >secret
	chmod 600 secret
	ln -s "$SCRATCH/secret" $conf
	chown -h alice: $conf
	capture $CHECK alice
	output_has "conf" ... "missing" ... "Permission denied"
}

@test "the file with the number of the pause process is the user's, and is not believed" {
	local file=/run/user/2001/libpod/tmp/pause.pid
	admin
	views
	conf alice
	install -d -o alice -g alice /run/user/2001/libpod /run/user/2001/libpod/tmp
	mkfifo $file
	chown alice: $file
	capture timeout 20 $CHECK alice
	must_equal "$status" 0
	output_has "pause" ... "ok" ... "no pause process"
	rm $file
	# Processes of root, and of the user without a namespace; and one that is gone.
	for pid in 1 $$ 4194303 nonsense; do
		echo "$pid" >$file
		look alice
		must_equal "$(answer pause) $(detail pause)" "ok no pause process"
	done
	rm $file
	as_user alice sh -c "echo \$\$ >$file; exec sleep 100" 3>&- &
	until [ -s $file ]; do sleep 0.02; done
	look alice
	kill "$(cat $file)"
	must_equal "$(answer pause) $(detail pause)" "ok no pause process ($file is old)"
}

@test "a filesystem of the user that does not answer does not hold root up" {
	[ -e /dev/fuse ] || skip "needs /dev/fuse"
	local daemon
	admin
	views
	conf alice
	"$TESTS/fixtures/fuse-root" home-alice/.config 3>&- &
	daemon=$!
	for _ in {1..100}; do
		mountpoint -q home-alice/.config && break
		sleep 0.1
	done
	kill -STOP $daemon
	capture timeout 120 $CHECK alice
	kill -KILL $daemon
	umount -l home-alice/.config
	must_equal "$status" 3
	output_has "conf" ... "unknown" ... "the files of alice do not answer"
	output_has "alice: not known: images, conf"
}

@test "an old vfs store and another driver are obstacles, and the remedy removes the store" {
	local file=$SCRATCH/home-alice/.config/containers/storage.conf
	admin
	views
	conf alice
	cp -a "$file" kept
	sed -i 's/"overlay"/"vfs"/; /imagestores/d' "$file"
	as_podman alice podman images >/dev/null
	capture $CHECK alice
	output_has "storage" ... "missing" ... "has the storage driver vfs"
	output_has "alice: missing: storage; not known: conf"
	cat kept >"$file"
	run -125 as_podman alice podman images
	look alice
	must_equal "$(missing)" storage
	text_has "$(detail storage)" "vfs, of which a store is there"
	text_has "$(remedy storage)" "run 'podman --storage-driver vfs system reset' as the user"
	as_podman alice podman --storage-driver vfs system reset -f
	must_equal "$(as_podman alice podman images --format '{{.Names}}')" "[$REF]"
	look alice
	must_equal "$(missing) $(answer storage)" " ok"
	sed -i /driver/d "$file"
	look alice
	text_has "$(jq -r 'select(.check == "conf") | .detail' <<<"$report")" "does not set driver"
}

@test "a pause process without the view is found, and podman system migrate mends it" {
	admin
	mkdir -p "$VIEWS"
	conf alice
	# The process keeps the mounts of now, when the view does not exist.
	sed -i /additionalimagestores/d home-alice/.config/containers/storage.conf
	as_podman alice podman images >/dev/null
	[ -e "/run/user/2001/libpod/tmp/pause.pid" ]
	views
	conf alice
	look alice
	must_equal "$(missing)" pause
	must_equal "$(remedy pause)" "as alice: podman system migrate"
	as_podman alice podman system migrate
	as_podman alice podman run --rm $REF busybox true
	look alice
	must_equal "$(missing)" ""
}

@test "for root, one line for each user who has a view; users ask for themselves alone" {
	must_fail 1 "no user has a view of a store for podman" $CHECK
	admin
	views
	conf alice
	capture $CHECK
	must_equal "$status" 3
	must_equal "$output" "alice: podman can run the images of the store
bob: missing: conf
shiftbox shift-check podman USER says what to do"
	conf bob
	capture $CHECK
	must_equal "$status $(wc -l <<<"$output")" "0 2"
	capture $CHECK --json
	must_equal "$(jq -r '.summary.user' <<<"$output" | paste -sd' ')" "alice bob"
	must_fail 1 "only root and the user can find this out" \
		as_podman alice "$SHIFTBOX" shift-check podman bob
	must_fail 1 "views are for the podman of ordinary users" $CHECK root
	must_fail 2 "podman takes one USER" $CHECK alice bob
	must_fail 1 "there is no user" $CHECK nosuch
}

@test "root runs no podman that others can change" {
	cp /bin/true fake
	chmod 775 fake
	mount --bind fake /usr/bin/podman
	look alice
	must_equal "$(answer podman)" unknown
	text_has "$(detail podman)" "it is not run, because others than root can change it"
	umount /usr/bin/podman
	printf '#!/bin/sh\necho podman version 3.4.4\n' >fake
	chmod 755 fake
	mount --bind fake /usr/bin/podman
	look alice
	text_has "$(detail podman)" "podman 3.4.4 (/usr/bin/podman) is older than 4.3"
	umount /usr/bin/podman
}

# A container of alice that waits; $pid is a process in it, and $merged its root in her namespace.
container() {
	as_podman alice podman run -d --name c -v vol:/vol $REF \
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

@test "a store of podman whose layers hide files by marks is found, and where they come back" {
	local file pid merged layer
	image bb "$PODMAN_BB"
	mkdir images
	podman --root "$SCRATCH/images" --runroot "$SCRATCH/rr" --storage-driver overlay \
		pull -q oci:bb:v1 >name
	layer=$(find images/overlay -name new -path '*/diff/o/new' | cut -d/ -f3)
	must_equal "$(getfattr --only-values -n trusted.overlay.opaque \
		"images/overlay/$layer/diff/o")" y
	# The store itself, and a view of it.
	capture "$SHIFTBOX" shift-check verify --json images
	must_equal "$status" 3
	must_equal "$(jq -r 'select(.class) | .class + " " + .path' <<<"$output")" \
		"marks images/overlay/$layer/diff"
	text_has "$(jq -r 'select(.class) | .detail' <<<"$output")" "layer ${layer:0:20}... has" \
		"opaque directories with trusted.overlay.opaque alone, 1 in number: a mount with" \
		"userxattr or in a user namespace shows what they hide"
	install -d -m 711 "$VIEWS"
	"$SHIFTBOX" mount-idmapped -m user:alice -o mkdir,ro,nosuid,nodev images "$VIEWS/alice"
	capture "$SHIFTBOX" shift-check verify "$VIEWS/alice"
	must_equal "$status" 3
	output_has "marks: $VIEWS/alice/overlay/$layer/diff"
	output_has "1 finding: 1 marks"
	capture "$SHIFTBOX" shift-check verify --only=mismatch "$VIEWS/alice"
	must_equal "$status" 0
	# What explain says in the view, and in a container, where the files are back.
	capture "$SHIFTBOX" shift-check explain --json "$VIEWS/alice/overlay/$layer/diff/o/new"
	must_equal "$(jq -r .marked <<<"$output")" "$VIEWS/alice/overlay/$layer/diff/o"
	conf alice
	as_podman alice podman create --name c "$(cat name)" cmd >/dev/null
	merged=$(as_podman alice podman unshare podman mount c)
	pid=$(cat /run/user/2001/libpod/tmp/pause.pid)
	as_podman alice podman unshare test -e "$merged/o/gone"
	capture "$SHIFTBOX" shift-check explain "/proc/$pid/root$merged/o/gone"
	output_has "marked" ... "overlay/$layer/diff/o hides lower layers by trusted.overlay.opaque"
	look alice
	must_equal "$(missing)" layers
	text_has "$(detail layers)" "show deleted files again: in 1 layer" ... "opaque"
	capture as_podman alice "$SHIFTBOX" shift-check podman
	output_has "layers" ... "unknown" ... "root"
	# Layers with whiteouts, of image-unpack.
	umount -l "$VIEWS/alice"
	rm -r bb
	admin
	capture "$SHIFTBOX" shift-check verify "$STORE/podman"
	must_equal "$status" 0
	output_has "no findings"
}

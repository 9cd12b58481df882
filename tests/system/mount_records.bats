#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What mount-idmapped mounted is known to later commands, by a record of each mount, and to mount(8)
# and findmnt(8), by their user options. A record that is not about the mount is never shown.

load lib

need root
need kernel 5.19

NOSYS=$BATS_TEST_DIRNAME/../fixtures/nosys
OLD=457,458 # statmount, listmount: a kernel before 6.8
RECORDS=/run/shiftbox/mounts
WORDS="layers: disk 0-65535 is seen as 100000-165535"

# A /run of the test's own; users may see the mounts.
test_setup() {
	mount -t tmpfs -o mode=755 run /run
	mkdir -m 755 /run/mount
	chmod 755 "$SCRATCH"
	mkdir -m 700 closed
	mkdir closed/top closed/base t other
	touch closed/base/file
}

test_teardown() {
	umount -l /run
}

# stack TARGET [MAP [OPTIONS]]
stack() {
	must_work "$SHIFTBOX" mount-idmapped -m "${2:-+100000}" \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base${3:+,$3}" \
		overlay "$1"
}

# list TARGET [CMD...]: what list says of it, "SOURCE WORDS"
list() {
	local target=$1
	shift
	capture "$@" "$SHIFTBOX" shift-check list --json "$target"
	[ "$status" = 0 ] || tell "list failed"
	said=$(jq -r "select(.target == \"$SCRATCH/$target\") | .map_from + \" \" + .words" \
		<<<"$output")
}

must_know() {
	list "$@"
	must_equal "$said" "record $WORDS"
}

must_not_know() {
	list "$@"
	must_equal "$said" \
		"unknown layers: not known (the kernel does not show those of an overlay)"
}

nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}

@test "the map of a stack is listed, for every user, and says no path" {
	stack t +100000 ephemeral
	must_know t
	must_equal "$(jq -c '[.map, .upper, .upper_map]' <<<"$output")" \
		'["b:0:100000:65536","memory","same"]'
	must_know t nobody
	must_equal "$(stat -c %a:%u:%F $RECORDS $RECORDS/* | xargs)" \
		"755:0:directory 644:0:regular file"
	! grep -r "$SCRATCH\|base\|/" $RECORDS || say "a record has a path"
	must_work "$SHIFTBOX" mount-idmapped -u t
	must_equal "$(ls $RECORDS)" ""
}

@test "layers with maps of their own are counted and listed" {
	must_work "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "nosuid,lower=$SCRATCH/closed/top@none,lower=$SCRATCH/closed/base" overlay t
	list t
	must_equal "$said" "record $WORDS (1 of 2 layers has a map of its own)"
	must_equal "$(jq -c .layer_maps <<<"$output")" '["none","b:0:100000:65536"]'
	umount t
	must_work "$SHIFTBOX" mount-idmapped -o nosuid,map=none \
		-o "lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" overlay t
	list t
	must_equal "$said" "" # it has no map
}

@test "a bind of a stack, a subdirectory of it, and a copy of the namespace have its map" {
	need kernel 6.15
	mkdir closed/base/dir
	stack t
	mount --bind t other
	must_know other
	must_know other nobody
	umount other
	mount --bind t/dir other
	must_know other nobody
	must_know t unshare -m --propagation private
	# Once the mount is gone nothing proves that the device is still that of the record.
	umount t
	must_not_know other
	must_equal "$(ls $RECORDS)" ""
	umount other
}

@test "before Linux 6.15 the maps of binds are known, too" {
	must_work "$NOSYS" $OLD "$SHIFTBOX" mount-idmapped -m +100000 closed/base t
	list t "$NOSYS" $OLD
	must_equal "$said" "record disk 0-65535 is seen as 100000-165535"
	must_work "$NOSYS" $OLD "$SHIFTBOX" mount-idmapped -u t
	must_equal "$(ls $RECORDS)" ""
}

# forge CHANGE...: the record is changed by jq, or what stands in its place by a command
forge() {
	local id=$1 how=$2
	rm -rf "${RECORDS:?}"/* /run/shiftbox/x
	cp "$SCRATCH/good" "$RECORDS/$id"
	case $how in
	jq\ *) jq -c "${how#jq }" "$SCRATCH/good" >"$RECORDS/$id" ;;
	*) eval "$how" ;;
	esac
}

@test "a record that is forged or not about the mount is never shown, and goes" {
	local id how
	stack t
	id=$(ls $RECORDS)
	cp "$RECORDS/$id" good
	forge "$id" true
	must_know t nobody
	for how in 'jq .boot = "00000000-9391-432d-974c-806b47cb40ee"' \
		'jq .mount = .mount + 1' 'jq .dev = .dev + 1' 'jq .mntns = .mntns + 1' \
		"jq .shape = \"$(printf x | sha256sum | cut -d' ' -f1)\"" \
		'jq .kind = "bind"' 'jq .maps = []' 'jq .maps[0].uid = "/etc/passwd"' \
		'jq .map = "1"' 'jq .format = 2' \
		'chmod 664 "$RECORDS/$id"' 'chmod 646 "$RECORDS/$id"' \
		'chown 65534 "$RECORDS/$id"' \
		'ln "$RECORDS/$id" $RECORDS/../x' \
		'ln -sf "$SCRATCH/good" "$RECORDS/$id"' \
		'rm "$RECORDS/$id"; mkdir "$RECORDS/$id"' \
		'rm "$RECORDS/$id"; mkfifo "$RECORDS/$id"' \
		'head -c 2M /dev/zero | tr "\0" " " >>"$RECORDS/$id"' \
		'echo x >>"$RECORDS/$id"' ': >"$RECORDS/$id"'; do
		forge "$id" "$how"
		list t timeout 300 setpriv --reuid 65534 --regid 65534 --clear-groups
		[[ $said != *100000* ]] || say "shown after: $how"
		forge "$id" "$how"
		list t timeout 20
		[[ $said != *100000* ]] || say "shown to root after: $how"
		case $how in
		*.shape* | *.kind* | *mkdir*) ;; # a mount with this id and device exists
		*) [ ! -e "$RECORDS/$id" ] || say "not removed after: $how" ;;
		esac
	done
	forge "$id" 'cp good "$RECORDS/7"; cp good "$RECORDS/$id-7"; touch $RECORDS/junk'
	must_know t
	must_equal "$(ls $RECORDS)" "$id"
}

@test "records in a place that another user can change are not believed" {
	local how
	stack t
	must_know t nobody
	for how in 'chown 65534 $RECORDS' 'chmod 777 $RECORDS' 'chmod 775 /run/shiftbox' \
		'chown 65534 /run/shiftbox' 'chmod 777 /run' 'chown 65534 /run' \
		'mv $RECORDS /run/shiftbox/x; ln -s x $RECORDS' \
		'mv /run/shiftbox /run/x; ln -s x /run/shiftbox'; do
		cp -a /run/shiftbox /run/saved
		eval "$how"
		must_not_know t nobody
		must_not_know t
		chown 0 /run
		chmod 755 /run
		rm -rf /run/shiftbox /run/x
		mv /run/saved /run/shiftbox
	done
	must_know t nobody
	# /tmp is like this.
	chmod 1777 /run
	must_know t nobody
}

@test "the record of a mount that is gone is swept, that of another namespace stays" {
	need kernel 6.15
	local pid
	stack t
	umount t # mount(8) knows nothing of records
	must_equal "$(ls $RECORDS | wc -l)" 1
	must_work nobody "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS | wc -l)" 1
	unshare -m --propagation private sh -c '"$@" && exec sleep infinity' sh \
		"$SHIFTBOX" mount-idmapped -m +300000 \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" overlay t &
	pid=$!
	until [ "$(ls $RECORDS | wc -l)" = 2 ]; do sleep 0.05; done
	must_work "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS | wc -l)" 1
	capture "$SHIFTBOX" shift-check list --all-namespaces --json
	must_equal "$(jq -r "select(.target == \"$SCRATCH/t\") | .map" <<<"$output")" \
		b:0:300000:65536
	{ kill "$pid"; wait "$pid"; } 2>/dev/null || :
	must_work "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS)" ""
}

@test "for a command alone: known to the command, and no options are left in mount(8)'s table" {
	need kernel 6.15
	must_work "$SHIFTBOX" mount-idmapped -e -m +100000 \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" overlay t -- \
		"$SHIFTBOX" shift-check list --json t
	must_equal "$(jq -r .words <<<"$output")" "$WORDS"
	[ ! -s /run/mount/utab ] || say "left: $(cat /run/mount/utab)"
	must_work "$SHIFTBOX" shift-check list
	must_equal "$(ls $RECORDS)" ""
}

@test "without a place for records the mount is made, with a warning" {
	mount -o remount,ro /run
	capture "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "nosuid,lower=$SCRATCH/closed/top,lower=$SCRATCH/closed/base" overlay t
	must_equal "$status" 0
	stderr_has "the map of 't' will not be shown later" ... "Read-only file system;" \
		"try: mount /run read-write"
	must_not_know t
	umount t
	mount -o remount,rw /run
	mkdir -m 700 /run/shiftbox # an old version's
	stack t
	must_know t nobody
	must_equal "$(stat -c %a /run/shiftbox)" 711
}

# --- the other readers ---

image() {
	mkdir -p "$1/etc"
	echo "$1" >"$1/etc/file"
	chown 33:44 "$1/etc/file"
	tar -C "$1" -cf "$1.tar" .
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s closed/store "${@:2}" -N a "$1.tar"
}

@test "verify needs no options for a stack of an image, nor for one of a store with a base" {
	local base
	for base in "" "--base 300000"; do
		# shellcheck disable=SC2086
		image one $base
		must_work "$SHIFTBOX" mount-idmapped -s closed/store -m +100000 \
			-o nosuid,ephemeral image:a t
		must_work "$SHIFTBOX" shift-check verify t
		output_has "3 entries checked, no findings"
		must_work "$SHIFTBOX" shift-check -m +100000 verify t
		must_fail 3 "" "$SHIFTBOX" shift-check -m +200000 verify t
		must_fail 1 "only the whole stack can be compared" \
			"$SHIFTBOX" shift-check verify t/etc
		stderr_has "shiftbox shift-check verify $SCRATCH/t"
		chown 100001 t/etc/file
		must_fail 3 "" "$SHIFTBOX" shift-check verify t
		output_has "t/etc/file: uid: disk 33, seen 100001, expected 100033"
		# The path of the store is root's alone to see.
		must_fail 1 "" nobody "$SHIFTBOX" shift-check verify t
		[[ $stderr != *closed/store* ]] || tell "the store is told"
		getfattr -n trusted.shiftbox.store $RECORDS/* | grep -q closed/store ||
			say "no store"
		! nobody getfattr -d -m - $RECORDS/* | grep closed || say "the store is told"
		image other
		must_fail 1 "has other layers in the store than those that are mounted" \
			"$SHIFTBOX" shift-check verify t
		must_work "$SHIFTBOX" mount-idmapped -u t
		rm -rf closed/store one other
	done
}

@test "verify compares a stack below with the image that its record names" {
	image one
	mkdir tree tree/s tree/d
	must_work "$SHIFTBOX" mount-idmapped -m +100000 -o public tree t
	must_work "$SHIFTBOX" mount-idmapped -s closed/store -m +200000 \
		-o nosuid,ephemeral image:a t/s
	must_work "$SHIFTBOX" shift-check verify --submounts t
	output_has "mount: t/s: map b:0:200000:65536" ... "5 entries checked, no findings"
	chown 200001 t/s/etc/file
	must_fail 3 "" "$SHIFTBOX" shift-check verify --submounts t
	output_has "mismatch: t/s/etc/file: uid: disk 33, seen 200001, expected 200033"
	# A map that was asked for is that of each mount.
	must_fail 3 "" "$SHIFTBOX" shift-check verify --submounts -m +100000 t
	output_has "mismatch: t/s: the mount has the map b:0:200000:65536" ... "2 mismatch"
	# What cannot be compared is not right: a stack of directories, an image that is gone.
	stack t/d
	must_fail 3 "" "$SHIFTBOX" shift-check verify --submounts t
	output_has "unreadable: t/d: is on a stack of directories" ... \
		"shift-check verify --source DIR t/d"
	must_work "$SHIFTBOX" mount-idmapped -u t/d
	mv closed/store closed/moved
	must_fail 3 "" "$SHIFTBOX" shift-check verify --submounts t
	output_has "unreadable: t/s: "
	mv closed/moved closed/store
	umount t/s
}

@test "verify knows the map of a stack of directories" {
	stack t
	must_fail 1 "is on a stack of directories" "$SHIFTBOX" shift-check verify t
	must_work "$SHIFTBOX" shift-check verify --source closed/base t
	must_fail 3 "" "$SHIFTBOX" shift-check verify -m +200000 --source closed/base t
	umount t
	must_work "$SHIFTBOX" mount-idmapped -m +100000 \
		-o "nosuid,lower=$SCRATCH/closed/top@none,lower=$SCRATCH/closed/base" overlay t
	must_fail 1 "its layers have different maps" \
		"$SHIFTBOX" shift-check verify --source closed/base t
}

@test "explain needs no options for a stack, and reads the layers of its image" {
	image one
	must_work "$SHIFTBOX" mount-idmapped -s closed/store -m +100000 \
		-o "nosuid,upper=$SCRATCH/closed/u" image:a t
	must_work "$SHIFTBOX" shift-check explain --op read t/etc/file
	output_has "its layers have b:0:100000:65536" ... \
		"layer       $SCRATCH/closed/store/layers/sha256-" ... \
		"owner       disk 33 -> seen as 100033"
	must_work nobody "$SHIFTBOX" shift-check explain --op read t/etc/file
	output_has "owner       disk 33 -> seen as 100033"
	[[ $output != *closed/store* ]] || tell "the store is told"
	# The host's root has no id in the map.
	must_fail 3 "" "$SHIFTBOX" shift-check explain --op create t/etc
	output_has "create  EOVERFLOW"
	must_fail 1 "Value too large" touch t/etc/x
	must_work "$SHIFTBOX" shift-check explain --as 100000 --op create t/etc
	must_work setpriv --reuid 100000 --regid 100000 --clear-groups touch t/etc/x
	must_equal "$(owner closed/u/etc/x)" 0:0
}

once() {
	"$SHIFTBOX" mount-idmapped --once -m "$1" \
		-o "nosuid,lower=$SCRATCH/closed/top$3,lower=$SCRATCH/closed/base$2" overlay t
}

@test "--once compares the maps of all layers, and the upper" {
	stack t +100000 ephemeral
	must_work once +100000 ,ephemeral
	must_fail 1 "is mounted already, with another map" once +200000 ,ephemeral
	stderr_has "there: disk 0-65535 is seen as 100000-165535"
	mkdir 'a b'
	must_work "$SHIFTBOX" mount-idmapped -m 0:5:1 closed/base 'a b'
	must_fail 1 "mount-idmapped -u 'a b'" "$SHIFTBOX" mount-idmapped --once -m 0:6:1 \
		closed/base 'a b'
	umount 'a b'
	must_fail 1 "is mounted already, with another map" once +100000 ,ephemeral @none
	must_fail 1 "there: an upper in memory; wanted: no upper" once +100000
	must_fail 1 "wanted: an upper with disk ids" once +100000 ",upper=$SCRATCH/closed/u"
	must_equal "$(grep -c "$SCRATCH/t " /proc/self/mountinfo)" 1
	umount t
	# The top layer's owner is the same with both maps.
	stack t 0:100000:5
	must_fail 1 "is mounted already, with another map" once 0:100000:6
	must_work once 0:100000:5
	must_work "$SHIFTBOX" mount-idmapped -u t
	must_work "$NOSYS" $OLD "$SHIFTBOX" mount-idmapped -m 0:100000:5 closed/base t
	must_work "$NOSYS" $OLD "$SHIFTBOX" mount-idmapped --once -m 0:100000:5 closed/base t
	must_fail 1 "another map" "$NOSYS" $OLD \
		"$SHIFTBOX" mount-idmapped --once -m 0:100000:6 closed/base t
}

@test "-u says what it unmounts" {
	stack t
	must_work "$SHIFTBOX" mount-idmapped -u -n t
	must_equal "$output" "unmount 't' (overlay: disk 0-65535 is seen as 100000-165535)"
	must_work "$SHIFTBOX" mount-idmapped -u --json t
	must_equal "$output" "$(joined '{"version":1,"target":"t","source":"overlay",' \
		'"map":"b:0:100000:65536","unmounted":true}')"
}

# --- a user's own ---

# Run as alice in a user namespace: stack, and list as JSON
THEIRS='"$SHIFTBOX" mount-idmapped -m 0:7:1 -o "$1" -t overlay overlay t &&
	"$SHIFTBOX" shift-check list --json t'

theirs() {
	capture as_user alice env XDG_RUNTIME_DIR="$1" TMPDIR=/tmp unshare -Ur --map-auto -m \
		--propagation private sh -c 'mount -t tmpfs none l && mkdir l/a l/b &&
		'"$THEIRS" sh lower=l/a,lower=l/b,userxattr
}

@test "a user's records are below XDG_RUNTIME_DIR, and no other user believes them" {
	need kernel 6.15
	need prog newuidmap
	local dir=$SCRATCH/run-alice
	make_user alice 1501 100000 65536
	install -d -m 755 -o 1501 -g 1501 l
	install -d -m 700 -o 1501 -g 1501 "$dir"
	theirs "$dir"
	must_equal "$status" 0
	must_equal "$(jq -r .words <<<"$output")" "layers: disk 0 is seen as 7"
	must_equal "$(stat -c %a:%u:%F "$dir"/shiftbox/mounts "$dir"/shiftbox/mounts/* | xargs)" \
		"700:1501:directory 644:1501:regular file"
	[ ! -e $RECORDS ] || say "root's directory was used"
	# The namespace is gone, and the next command of the user notices, if it sees all processes.
	must_work as_user alice env XDG_RUNTIME_DIR="$dir" "$SHIFTBOX" shift-check list
	[ "$(readlink /proc/self/ns/pid)" != 'pid:[4026531836]' ] ||
		must_equal "$(ls "$dir"/shiftbox/mounts)" ""
	rm -f "$dir"/shiftbox/mounts/*
	# Not alone in it, another user's, a link.
	chmod 711 "$dir"
	theirs "$dir"
	[[ $status$output == 0*"not known"* ]] || tell "open to others"
	chmod 700 "$dir"
	chown 1502 "$dir"
	theirs "$dir"
	[[ $status$output == 0*"not known"* ]] || tell "another user's"
	chown 1501 "$dir"
	ln -s run-alice link
	chown -h 1501 link
	theirs "$SCRATCH/link"
	[[ $status$output == 0*"not known"* ]] || tell "a link"
	must_equal "$(ls "$dir"/shiftbox/mounts)" ""
}

@test "root does not believe a user's records, nor one user another's" {
	need kernel 6.15
	local dir=$SCRATCH/run-alice id
	make_user alice 1501 100000 65536
	install -d -m 700 -o 1501 -g 1501 "$dir" "$dir/shiftbox" "$dir/shiftbox/mounts"
	stack t
	id=$(ls $RECORDS)
	sed 's/100000/666000/g' "$RECORDS/$id" >"$dir/shiftbox/mounts/$id"
	chown 1501:1501 "$dir/shiftbox/mounts/$id"
	rm "$RECORDS/$id"
	must_not_know t env XDG_RUNTIME_DIR="$dir"
	must_not_know t nobody env XDG_RUNTIME_DIR="$dir"
	# Root's counts more than the user's own.
	sed 's/666000/100000/g' "$dir/shiftbox/mounts/$id" >"$RECORDS/$id"
	must_know t as_user alice env XDG_RUNTIME_DIR="$dir"
}

# --- mount(8)'s table ---

options() {
	findmnt --mtab -no OPTIONS "$1"
}

@test "mount(8) and findmnt(8) show the map of stacks and binds, and the source as it was" {
	stack t +100000 ephemeral
	[[ $(options t) == *,x-shiftbox.map=b:0:100000:65536 ]] || say "options: $(options t)"
	must_equal "$(findmnt --mtab -no SOURCE t)" overlay
	must_work "$SHIFTBOX" mount-idmapped -m u:0:5:1 -m g:0:6:1 closed/base other
	[[ $(options other) == *"x-shiftbox.map=u:0:5:1;g:0:6:1" ]] ||
		say "options: $(options other)"
	[[ $(mount) == *" on $SCRATCH/other type tmpfs ("*x-shiftbox.map=* ]] || say "mount(8)"
	must_equal "$(stat -c %a:%u /run/mount/utab)" 644:0
	umount other
	must_work "$SHIFTBOX" mount-idmapped -u t
	must_equal "$(cat /run/mount/utab)" ""
	# Other users' lines stay.
	mount -t tmpfs -o x-foo=bar foo other
	stack t
	must_work "$SHIFTBOX" mount-idmapped -u t
	# libmount 2.41 puts the id of the mount before them.
	must_equal "$(sed 's/^ID=[0-9]* //' /run/mount/utab)" \
		"SRC=foo TARGET=$SCRATCH/other ROOT=/ OPTS=x-foo=bar"
	must_work "$SHIFTBOX" mount-idmapped -u other
	must_equal "$(cat /run/mount/utab)" ""
}

@test "mounts on one target have lines of their own, and -a writes all at once" {
	local i
	mkdir 'a b'
	for i in 1 2 3; do mkdir "t$i"; done
	for i in 1 2 3; do
		echo "$SCRATCH/closed/base $SCRATCH/t$i shiftbox map=+${i}00000 0 0"
	done >fstab
	echo "$SCRATCH/closed/base $SCRATCH/a\\040b shiftbox map=+900000 0 0" >>fstab
	must_work strace -qq -o trace -e trace=renameat "$SHIFTBOX" mount-idmapped -a -T fstab
	must_equal "$(grep -c '"utab"' trace)" 1
	[[ $(options t2)$(options 'a b') == *=b:0:200000:65536*=b:0:900000:65536 ]] ||
		say "$(cat /run/mount/utab)"
	must_work "$SHIFTBOX" mount-idmapped -m +500000 closed/top t2
	must_work "$SHIFTBOX" mount-idmapped -u t2
	[[ $(options t2) == *=b:0:200000:65536 ]] || say "$(cat /run/mount/utab)"
	must_work "$SHIFTBOX" mount-idmapped -a -u -T fstab
	must_equal "$(cat /run/mount/utab)" ""
}

@test "a user who holds the lock of mount(8)'s table delays a mount, and no more" {
	need prog flock
	local pid
	touch /run/mount/utab.lock
	chmod 644 /run/mount/utab.lock
	nobody flock -F /run/mount/utab.lock sleep 60 &
	pid=$!
	until ! flock -n /run/mount/utab.lock true; do sleep 0.05; done
	capture timeout 300 "$SHIFTBOX" mount-idmapped -m +100000 closed/base t
	{ kill "$pid"; wait "$pid"; } 2>/dev/null || :
	must_equal "$status" 0
	stderr_has "findmnt(8) does not show the maps of all mounts" ... \
		"another process has locked it"
	must_equal "$(owner t/file)" 100000:100000
}

@test "a link, or a directory of another user, is not taken for mount(8)'s table" {
	local how
	for how in 'ln -s "$SCRATCH/victim" /run/mount/utab' \
		'ln -s "$SCRATCH/victim" /run/mount/utab.lock' 'chown 65534 /run/mount' \
		'chmod 777 /run/mount' 'rmdir /run/mount; ln -s "$SCRATCH" /run/mount'; do
		rm -rf /run/mount
		mkdir -m 755 /run/mount
		echo untouched >victim
		eval "$how"
		capture "$SHIFTBOX" mount-idmapped -m +100000 closed/base t
		must_equal "$status" 0
		must_equal "$(cat victim)" untouched
		[ ! -e utab ] || say "written through: $how"
		umount -i t
	done
}

@test "what is no regular file is not read as mount(8)'s table" {
	local how
	for how in mkfifo mkdir 'ln -s /dev/zero'; do
		rm -rf /run/mount/utab
		$how /run/mount/utab
		capture timeout 300 "$SHIFTBOX" mount-idmapped -m +100000 closed/base t
		must_equal "$status" 0
		[ "$how" = 'ln -s /dev/zero' ] ||
			stderr_has "'/run/mount/utab': ... is not a regular file"
		umount -i t
	done
}

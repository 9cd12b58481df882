#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2034,SC2154
# Directories NAME.mstack of systemd.mstack(7): image-unpack writes them, and mount-idmapped mounts
# them.

load lib
need root
need kernel 5.19

MI="$SHIFTBOX mount-idmapped"

ways() {
	if lacks kernel 6.15 >/dev/null; then echo names; else echo fds names; fi
}

test_setup() {
	mkdir m
}

test_teardown() {
	[ ! -L /sbin/mount.shiftbox ] || umount -l /sbin
}

# Layers low and top, of the owners 0, 5:7 and 33:44, and a directory a.mstack of links to them.
some_layers() {
	install -d -o 0 -g 0 -m 755 low top low/usr low/var low/etc top/usr
	install -d -o 5 -g 7 -m 755 low/dir
	install -o 33 -g 44 -m 644 /dev/null low/dir/file
	install -o 9 -g 8 -m 640 /dev/null top/upmost
	echo low >low/usr/word
	echo top >top/usr/word
	mkdir a.mstack
	ln -s ../low a.mstack/layer@0
	ln -s "$PWD/top" a.mstack/layer@1
}

an_image() {
	"$TESTS/fixtures/mkimage.py" img <<<'{"layers":[
		{"files":{"d/a":{"data":"1","uid":5,"gid":7},"d/b":"2",
			"s":{"data":"x","mode":"4755"}}},
		{"files":{"d/.wh..wh..opq":"","d/c":"3"}},
		{"files":{"e":"4","d/.wh.none":""}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
}

listed() { # DIR: the names in it
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd' '
}

staged() { # what image-unpack has left behind
	find . -name '.shiftbox-mstack*'
}

refused() { # TEXT: a.mstack cannot be mounted, for this reason
	must_fail 1 "$1" $MI -m +100000 a.mstack m
	must_equal "$(mounts)" 0
}

# --- reading --------------------------------------------------------------------------------------

layers_and_owners() {
	some_layers
	must_work $MI -m u:0:100000:65536 -m g:0:300000:65536 a.mstack m
	must_equal "$(owner m) $(owner m/dir/file) $(owner m/upmost)" \
		"100000:300000 100033:300044 100009:300008"
	must_equal "$(cat m/usr/word)" top
	must_fail 1 "Read-only" touch m/x
	must_equal "$(mounts)" 1
	must_equal "$(findmnt -no FSTYPE,SOURCE m | xargs)" "overlay a.mstack"
	[[ $(findmnt -no OPTIONS m) == *nodev* ]]
	[[ $(findmnt -no OPTIONS m) == *userxattr* ]]
	must_work $MI -u m
	rm -r a.mstack low top
}

@test "the layers of a directory NAME.mstack are stacked, each under the map" {
	local way
	for way in $(ways); do SHIFTBOX_OVERLAY_WAY=$way layers_and_owners; done
}

@test "layers are ordered as versions, and two of one version are refused" {
	local i
	mkdir a.mstack
	for i in 1~rc1 1 1-1 1.2 1.10 1a 9 10 010b; do
		mkdir "a.mstack/layer@$i"
		echo "$i" >"a.mstack/layer@$i/word"
	done
	for i in 010b 10 9 1a 1.10 1.2 1-1 1 1~rc1; do
		must_work $MI -m +100000 a.mstack m
		must_equal "$(cat m/word)" "$i"
		must_work $MI -u m
		rm -r "a.mstack/layer@$i"
		[ "$i" = 1~rc1 ] || continue
		mkdir a.mstack/layer@1 a.mstack/layer@01
		refused "two layers have the same version"
		stderr_has "layer@1'"
	done
}

@test "the directory itself is bound by -o bind, and -t mstack takes any name" {
	some_layers
	must_work $MI -m +100000 -o ro,bind a.mstack m
	[ -L m/layer@0 ]
	must_work $MI -u m
	mv a.mstack stack
	must_work $MI -m +100000 -t mstack stack m
	must_equal "$(owner m/dir/file)" 100033:100044
	must_work $MI -u m
	must_work $MI -m +100000 -o ro stack m
	[ -L m/layer@0 ]
	must_work $MI -u m
	must_fail 1 "cannot open the source" $MI -m +100000 none.mstack m
	must_fail 1 "has no layer@ID" $MI -m +100000 -t mstack m m
	# A file of such a name is what it was.
	echo text >f.mstack
	: >file
	must_work $MI -m +100000 -o ro f.mstack file
	must_equal "$(cat file)" text
	must_work $MI -u file
}

@test "every entry whose name is not of the grammar is an error that names it" {
	local name
	some_layers
	for name in .hidden README layer layer@ Layer@3 rw2 bind:var bind@ bind@-var bind@a--b \
		bind@a-..-b 'bind@a\x00' robind@- layer@3.v; do
		mkdir "a.mstack/$name"
		refused "a.mstack/${name%%\\*}"
		rmdir "a.mstack/$name"
	done
	: >a.mstack/layer@3
	refused "does not end in .raw"
	rm a.mstack/layer@3
	mkfifo a.mstack/layer@3
	refused "neither a directory, nor an image"
	rm a.mstack/layer@3
	ln -s nowhere a.mstack/layer@3
	refused "symbolic link to something that does not exist"
	rm a.mstack/layer@3
	: >a.mstack/rw.raw
	refused "has to be a directory"
	rm a.mstack/rw.raw
	mkdir a.mstack/bind@var a.mstack/robind@var
	refused "two mounts have the same place"
	rmdir a.mstack/bind@var a.mstack/robind@var
	must_work $MI -m +100000 a.mstack m
	must_work $MI -u m
}

# --- rw -------------------------------------------------------------------------------------------

@test "rw/ keeps what is written, with ids of the disk, for another range and read-only" {
	some_layers
	mkdir -m 700 a.mstack/rw
	must_work $MI -m +100000 a.mstack m
	must_equal "$(owner a.mstack/rw/data) $(stat -c %a a.mstack/rw/data)" "0:0 755"
	let_in "$TESTS"/fixtures/in-range 100000 . sh -c 'cd m && echo more >dir/file &&
		mkdir new && touch new/file && chown 12:13 new/file && rm upmost'
	must_equal "$(owner m/new/file) $(owner m/dir/file)" "100012:100013 100033:100044"
	must_equal "$(owner a.mstack/rw/data/new/file)" 12:13
	must_equal "$(owner a.mstack/rw/data/dir/file)" 33:44
	must_equal "$(owner low/dir/file)" 33:44
	must_work $MI -u m
	must_work $MI -m +300000 a.mstack m
	must_equal "$(owner m/new/file) $(cat m/dir/file)" "300012:300013 more"
	[ ! -e m/upmost ]
	must_work $MI -u m
	# Read-only, it is a layer, and nothing is written.
	before=$(find a.mstack/rw -printf '%p %i %C@\n' | sort)
	must_work $MI -m +200000 -o ro a.mstack m
	must_equal "$(owner m/new/file) $(cat m/dir/file)" "200012:200013 more"
	[ ! -e m/upmost ]
	must_fail 1 "Read-only" touch m/x
	must_work $MI -u m
	must_equal "$(find a.mstack/rw -printf '%p %i %C@\n' | sort)" "$before"
	# Options for another upper contradict it.
	must_fail 2 "'upper' excludes rw/" $MI -m +100000 -o upper=u a.mstack m
	must_fail 2 "'ephemeral' excludes rw/" $MI -m +100000 -o ephemeral a.mstack m
	must_fail 2 "'lower' is for the source overlay" $MI -m +100000 -o lower=low a.mstack m
}

@test "read-only before its first use, rw/ stays empty; and without rw/ an upper can be given" {
	some_layers
	mkdir -m 700 a.mstack/rw
	must_work $MI -m +100000 -o ro a.mstack m
	must_equal "$(owner m/dir/file)" 100033:100044
	must_equal "$(ls -A a.mstack/rw)" ""
	must_work $MI -u m
	rmdir a.mstack/rw
	must_work $MI -m +100000 -o ephemeral a.mstack m
	touch m/x 2>/dev/null || let_in "$TESTS"/fixtures/in-range 100000 . touch m/x
	must_work $MI -u m
	must_fail 2 "'a.mstack' has no rw/" $MI -m +100000 -o rw a.mstack m
	stderr_has "or specify -o ephemeral"
	must_work $MI -m +100000 -o rw,ephemeral a.mstack m
	must_work $MI -u m
	must_fail 2 "'redirect_dir' excludes 'userxattr', with which" \
		$MI -m +100000 -o redirect_dir,ephemeral a.mstack m
}

# --- binds, root ----------------------------------------------------------------------------------

binds() {
	some_layers
	mkdir -m 700 a.mstack/rw
	install -d -o 2 -g 3 -m 700 a.mstack/bind@var
	install -d -o 2 -g 3 -m 755 a.mstack/bind@var/lib
	install -d -o 4 -g 4 -m 755 data
	echo data >data/file
	ln -s ../data a.mstack/robind@var-lib
	mkdir -m 700 a.mstack/bind@srv-deep
	must_work $MI -m +100000 a.mstack m
	must_equal "$(mounts)" 4
	must_equal "$(owner m/var) $(owner m/var/lib) $(cat m/var/lib/file)" \
		"100002:100003 100004:100004 data"
	must_fail 1 "Read-only" touch m/var/lib/x
	let_in "$TESTS"/fixtures/in-range 100000 . touch m/var/new
	must_equal "$(owner a.mstack/bind@var/new)" 0:0
	# A place that is missing is made in rw/.
	must_equal "$(owner m/srv) $(owner a.mstack/rw/data/srv)" "100000:100000 0:0"
	[ -d a.mstack/rw/data/srv/deep ]
	[[ $(findmnt -no OPTIONS m/var) == *nodev* ]]
	capture $MI -u m
	[ "$status" != 0 ]
	must_work $MI -u -R m
	rm -r a.mstack low top data
}

@test "binds are mounted inside, under the map, those of a place within another after it" {
	local way
	for way in $(ways); do SHIFTBOX_OVERLAY_WAY=$way binds; done
}

@test "a place that is missing in a read-only stack, or is a link, is an error that names it" {
	some_layers
	mkdir -m 700 a.mstack/bind@srv
	must_fail 1 "cannot open 'srv' in it" $MI -m +100000 a.mstack m
	stderr_has "it is missing, and the stack is read-only"
	must_equal "$(mounts)" 0
	rmdir a.mstack/bind@srv
	mkdir elsewhere
	ln -s "$PWD/elsewhere" low/link
	mkdir -m 700 a.mstack/bind@link a.mstack/rw
	must_fail 1 "cannot open 'link' in it" $MI -m +100000 a.mstack m
	stderr_has "a symbolic link on the way is not followed"
	must_equal "$(mounts)" 0
	must_equal "$(ls -A elsewhere)" ""
	# Nothing is made in the stack for a target that is missing.
	mv a.mstack/bind@link a.mstack/bind@srv
	must_fail 1 "cannot open the target" $MI -m +100000 a.mstack none
	[ ! -e a.mstack/rw/data ]
}

@test "root/ is the root, and of the stack only usr/ is shown" {
	some_layers
	install -d -o 0 -g 0 -m 700 a.mstack/root
	install -o 21 -g 22 /dev/null a.mstack/root/own
	install -d -m 700 a.mstack/bind@home
	must_work $MI -m +100000 a.mstack m
	must_equal "$(listed m)" "home own usr"
	must_equal "$(owner m/own) $(cat m/usr/word) $(owner m/usr/word)" \
		"100021:100022 top 100000:100000"
	must_fail 1 "Read-only" touch m/usr/x
	let_in "$TESTS"/fixtures/in-range 100000 . touch m/x
	must_equal "$(owner a.mstack/root/x)" 0:0
	must_equal "$(mounts)" 3
	must_work $MI --once -m +100000 a.mstack m
	must_equal "$(mounts)" 3
	must_work $MI -u -R m
	# With rw/, usr/ is writable.
	mkdir -m 700 a.mstack/rw
	must_work $MI -m +100000 a.mstack m
	let_in "$TESTS"/fixtures/in-range 100000 . touch m/usr/x
	must_equal "$(owner a.mstack/rw/data/usr/x)" 0:0
	must_work $MI -u -R m
	# And without layers there is nothing but the binds.
	rm -r a.mstack/layer@* a.mstack/rw
	must_work $MI -m +100000 a.mstack m
	must_equal "$(listed m)" "home own usr x"
	must_equal "$(mounts)" 2
	must_work $MI -u -R m
	must_fail 2 "'upper' is for stacks" $MI -m +100000 -o upper=u a.mstack m
}

# --- images ---------------------------------------------------------------------------------------

image_layer() { # TYPE: as layer@1.raw of a.mstack
	truncate -s 64M "$1.img"
	case $1 in
	ext4) mkfs.ext4 -q -d top ext4.img ;;
	erofs) mkfs.erofs --quiet erofs.img top ;;
	squashfs)
		rm squashfs.img
		mksquashfs top squashfs.img -quiet -no-progress >/dev/null
		;;
	esac
	rm -f a.mstack/layer@1 a.mstack/layer@1.raw
	ln -s "../$1.img" a.mstack/layer@1.raw
}

@test "layer@ID.raw is mounted through a loop device, which goes with the stack" {
	need loop
	local type n=0
	some_layers
	for type in ext4 erofs squashfs; do
		lacks fs $type >/dev/null && continue
		case $type in
		squashfs) lacks prog mksquashfs >/dev/null && continue ;;
		*) lacks prog mkfs.$type >/dev/null && continue ;;
		esac
		image_layer $type
		mkdir -m 700 a.mstack/rw
		must_work $MI -m +100000 a.mstack m
		must_equal "$(owner m/upmost) $(owner m/dir/file) $(cat m/usr/word)" \
			"100009:100008 100033:100044 top"
		let_in "$TESTS"/fixtures/in-range 100000 . sh -c 'cd m && echo new >upmost'
		must_equal "$(owner a.mstack/rw/data/upmost)" 9:8
		must_work $MI --once -m +100000 a.mstack m
		must_equal "$(mounts)" 1
		must_work $MI -u m
		rm -r a.mstack/rw
		n=$((n + 1))
	done
	[ $n -gt 0 ]
	# A dry run attaches nothing.
	must_work $MI -n -m +100000 a.mstack m
	output_has "the filesystem in 'a.mstack/layer@1.raw'"
	must_equal "$(own_loops)" ""
	# What is no filesystem is named.
	truncate -s 1M none
	ln -sf ../none a.mstack/layer@1.raw
	must_fail 1 "layer@1.raw" $MI -m +100000 a.mstack m
	must_equal "$(own_loops)" ""
}

@test "bind@PLACE.raw is mounted inside, writable" {
	need loop
	need prog mkfs.ext4
	some_layers
	mkdir src
	install -o 6 -g 6 /dev/null src/f
	truncate -s 64M var.img
	mkfs.ext4 -q -d src var.img
	mv var.img a.mstack/bind@var.raw
	must_work $MI -m +100000 a.mstack m
	must_equal "$(owner m/var/f) $(findmnt -no FSTYPE m/var)" "100006:100006 ext4"
	let_in "$TESTS"/fixtures/in-range 100000 . touch m/var/new
	must_work $MI --once -m +100000 a.mstack m
	must_equal "$(mounts)" 2
	must_work $MI -u -R m
}

# --- trust ----------------------------------------------------------------------------------------

@test "a directory that another user can write decides nothing" {
	make_user eve 1001 100000 65536
	some_layers
	chown 1001 a.mstack
	refused "other users could write there"
	chown 0 a.mstack
	chmod 757 a.mstack
	refused "other users could write there"
	chmod 1777 a.mstack
	refused "other users could write there"
	chmod 755 a.mstack
	# A link of another user, and a link in another user's directory on the way.
	chown -h 1001 a.mstack/layer@0
	refused "is not followed"
	chown -h 0 a.mstack/layer@0
	mkdir eves
	chown 1001 eves
	ln -s "$PWD/low" eves/link
	ln -sfn ../eves/link a.mstack/layer@0
	refused "is not followed"
	ln -sfn ../low a.mstack/layer@0
	must_work $MI -m +100000 -o nosuid a.mstack m
	must_work $MI -u m
}

@test "what a writable part gives away is refused, as for a source of its own" {
	some_layers
	mkdir -m 755 a.mstack/bind@var
	must_work $MI -m +100000 a.mstack m
	must_work $MI -u -R m
	must_fail 1 "cannot be mounted writable" let_in $MI -m +100000 -o nosuid a.mstack m
	must_equal "$(mounts)" 0
	must_fail 1 "cannot be mounted writable" let_in $MI -n -m +100000 -o nosuid a.mstack m
	must_work let_in $MI -m +100000 -o public,nosuid a.mstack m
	must_work $MI -u -R m
	mv a.mstack/bind@var a.mstack/robind@var
	must_work let_in $MI -m +100000 -o nosuid a.mstack m
	must_work $MI -u -R m
	rmdir a.mstack/robind@var
	mkdir -m 755 a.mstack/rw
	must_fail 1 "cannot keep changes where others can reach them" \
		let_in $MI -m +100000 -o nosuid a.mstack m
	stderr_has "close the directory rw to other users (chmod 0700)"
	chmod 700 a.mstack/rw
	must_work let_in $MI -m +100000 -o nosuid a.mstack m
	must_work $MI -u m
}

# --- tables, later commands -----------------------------------------------------------------------

@test "a line of an fstab mounts it, once, and unmounts it with what is inside" {
	local d=$PWD
	some_layers
	mkdir -m 700 a.mstack/rw a.mstack/bind@var
	echo "$d/a.mstack $d/m shiftbox map=+100000 0 0" >tab
	must_work $MI -a -T tab
	must_equal "$(mounts) $(owner m/dir/file)" "2 100033:100044"
	capture $MI -v -a -T tab
	must_equal "$status" 0
	must_equal "$(mounts)" 2
	must_work $MI -n -a -T tab
	output_has "mounted already"
	# A part that was added since is not there.
	mkdir -m 700 a.mstack/bind@etc
	must_fail 1 "with other mounts inside" $MI -a -T tab
	rmdir a.mstack/bind@etc
	must_work $MI -a -u -T tab
	must_equal "$(mounts)" 0
	# systemd's own type: mount.mstack knows no map.
	echo "$d/a.mstack $d/m mstack map=+100000 0 0" >other
	capture $MI -n -a -T other
	stderr_has "in a line of type 'mstack'" ... "try: write the type shiftbox without bind"
	# A line that fails undoes the others.
	echo "$d/none.mstack $d/n shiftbox map=+100000 0 0" >>tab
	mkdir n
	capture $MI -a -T tab
	[ "$status" = 1 ]
	must_equal "$(mounts)" 0
	must_fail 1 "with other layers" sh -c "$MI -m +100000 a.mstack m &&
		mkdir low2 && ln -sfn ../low2 a.mstack/layer@2 && $MI --once -m +100000 a.mstack m"
	must_work $MI -u -R m
}

@test "a line waits for the lines that mount what its links lead to" {
	local d=$PWD link
	some_layers
	mkdir src
	mv low src/low
	mkdir later
	for link in ../later/low "$d/later/low"; do
		ln -sfn "$link" a.mstack/layer@0
		printf '%s\n' "$d/a.mstack $d/m shiftbox map=+100000 0 0" \
			"$d/src $d/later shiftbox map=none 0 0" >tab
		must_work $MI -a -T tab
		must_equal "$(mounts) $(owner m/dir/file)" "2 100033:100044"
		must_work $MI -a -T tab
		must_work $MI -a -u -T tab
		must_equal "$(mounts)" 0
	done
}

@test "mount(8) mounts it as type shiftbox, by a link to the directory, too" {
	need prog mount umount
	some_layers
	ln -s a.mstack cur.mstack
	mkdir upper work
	mount -t overlay overlay /sbin \
		-o "lowerdir=/sbin,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work"
	ln -s "$SHIFTBOX" /sbin/mount.shiftbox
	unset LIBMOUNT_FORCE_MOUNT2
	echo "$SCRATCH/cur.mstack $SCRATCH/m shiftbox map=+100000 0 0" >fstab
	must_work mount -T "$SCRATCH/fstab" "$SCRATCH/m"
	must_equal "$(owner m/dir/file)" 100033:100044
	must_work umount m
	must_work mount -t shiftbox -o map=+100000 "$SCRATCH/a.mstack" "$SCRATCH/m"
	must_equal "$(owner m/dir/file)" 100033:100044
	must_work umount m
}

@test "list, explain and verify know the map of the stack" {
	some_layers
	mkdir -m 700 a.mstack/rw
	must_work $MI -m +100000 a.mstack m
	capture "$SHIFTBOX" shift-check list
	[[ $output == *a.mstack* ]]
	capture "$SHIFTBOX" shift-check --json explain m/dir/file
	must_equal "$(jq -r '"\(.owner.disk) \(.owner.seen) \(.mount.layers_map)"' <<<"$output")" \
		"33 100033 b:0:100000:65536"
	must_fail 1 "is on a stack of directories" "$SHIFTBOX" shift-check verify m/dir
	stderr_has "--image NAME"
	must_work "$SHIFTBOX" shift-check verify --source low/dir m/dir
	must_work $MI -u m
}

@test "a dry run says what would be mounted where, and changes nothing" {
	some_layers
	mkdir -m 700 a.mstack/rw a.mstack/bind@srv
	must_work $MI -n -m +100000 a.mstack m
	output_has "layer 1 of 2: 'a.mstack/layer@1'"
	output_has "layer 2 of 2: 'a.mstack/layer@0'"
	output_has "changes: 'a.mstack/rw/data', work directory 'a.mstack/rw/work'"
	output_has "bind 'a.mstack/bind@srv'"
	output_has "attach it inside, at 'srv'"
	must_equal "$(ls -A a.mstack/rw) $(mounts)" " 0"
	# A warning is given once.
	capture let_in $MI -n -m +100000 a.mstack m
	must_equal "$(grep -c "bind@srv': only its own mode" <<<"$stderr")" 1
	must_equal "$(grep -c "warning: 'm'" <<<"$stderr")" 1
	must_work $MI --json -n -m +100000 a.mstack m
	must_equal "$(jq -r '.inside[0] | "\(.below) \(.source)"' <<<"$output")" \
		"srv a.mstack/bind@srv"
}

# --- writing --------------------------------------------------------------------------------------

@test "image-unpack --mstack writes the layers of an image, lowest first" {
	an_image
	must_work "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	must_equal "$output" "written $PWD/a.mstack of 3 layers"
	must_equal "$(listed a.mstack)" "layer@000 layer@001 layer@002"
	must_equal "$(stat -c %a a.mstack)" 755
	must_equal "$(readlink a.mstack/layer@* | sed "s|^\.\./store/||")" \
		"$(tac store/images/a/layers)"
	# The same tree as the image.
	mkdir n
	must_work $MI -m +100000 a.mstack m
	must_work $MI -m +100000 -s store -o ro image:a n
	"$TESTS/fixtures/treedump.py" m >ours
	"$TESTS/fixtures/treedump.py" n | diff - ours
	must_work $MI -u n
	must_work "$SHIFTBOX" shift-check verify -s store --image a m
	must_work $MI -u m
}

@test "links are relative, and right wherever the directory and the store are" {
	local place
	an_image
	mkdir -p with/one/more x "l'i k"
	ln -s one with/link
	for place in a x/a with/one/more/a with/link/a store/a "l'i k/a"; do
		must_work "$SHIFTBOX" image-unpack -q -s store --mstack "$place.mstack" a
		must_equal "$(readlink "$place".mstack/layer@* |
			grep -cx '\(\.\./\)*\(store/\)\?layers/sha256-[0-9a-f.]*')" 3
		must_work $MI -m +100000 "$place.mstack" m
		must_equal "$(cat m/d/c m/e)" 34
		must_work $MI -u m
	done
	# The store is named by a link.
	ln -s store s
	must_work "$SHIFTBOX" image-unpack -q -s s --mstack s.mstack a
	must_equal "$(readlink s.mstack/layer@000)" "$(readlink a.mstack/layer@000)"
	# Both are moved.
	mkdir together
	mv store a.mstack together
	must_work $MI -m +100000 together/a.mstack m
	must_work $MI -u m
	must_fail 1 "symbolic link to something that does not exist" $MI -m +100000 x/a.mstack m
	# Nothing leads to the store.
	cd together/store
	mount -t tmpfs hides ../store
	must_fail 1 "cannot be linked to" "$SHIFTBOX" image-unpack -s . --mstack ../../n.mstack a
	cd "$SCRATCH"
	[ ! -e n.mstack ]
	umount together/store
}

@test "an image whose opaque directories have marks is not written: systemd does not see them" {
	an_image
	"$TESTS/fixtures/marked_store.py" "$PWD/store"
	must_fail 1 "an older version stored a layer of it" \
		"$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	stderr_has "image-unpack --upgrade a"
	[ ! -e a.mstack ]
	must_work "$SHIFTBOX" image-unpack -s store --upgrade a
	must_work "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	must_work $MI -m +100000 a.mstack m
	must_equal "$(ls m/d)" c
	must_work $MI -u m
}

@test "the layers of a store with a base are mapped from its disk ids" {
	an_image
	must_work "$SHIFTBOX" image-unpack -q -s based --base 2000000000 -N a img
	must_work "$SHIFTBOX" image-unpack -q -s based --mstack b.mstack a
	must_work $MI -m 2000000000:100000:65536 b.mstack m
	must_equal "$(owner m/s) $(cat m/d/c)" "100000:100000 3"
	must_work $MI -u m
}

kept() { # the way: mounted layers are not pruned, as those of an image are not
	export SHIFTBOX_OVERLAY_WAY=$1
	an_image
	must_work "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	must_work $MI -m +100000 a.mstack m
	must_work "$SHIFTBOX" image-unpack -s store --remove a
	must_work "$SHIFTBOX" image-unpack -s store --prune
	must_equal "$output" "$NONE_TO_REMOVE"
	must_work $MI --once -m +100000 a.mstack m
	must_work $MI -u m
	must_work "$SHIFTBOX" image-unpack -s store --prune
	must_fail 1 "symbolic link to something that does not exist" $MI -m +100000 a.mstack m
	rm -r store a.mstack img
}

@test "layers of a store that a directory NAME.mstack has mounted are not pruned" {
	local way
	for way in $(ways); do kept "$way"; done
}

@test "image-unpack --mstack replaces what it wrote, and nothing else" {
	an_image
	must_fail 2 "does not end in .mstack" "$SHIFTBOX" image-unpack -s store --mstack a a
	must_fail 2 "the NAME of an image" "$SHIFTBOX" image-unpack -s store --mstack a.mstack
	must_fail 2 "one NAME" "$SHIFTBOX" image-unpack -s store --mstack a.mstack a b
	must_fail 1 "nosuch" "$SHIFTBOX" image-unpack -s store --mstack a.mstack nosuch
	[ ! -e a.mstack ]
	must_work "$SHIFTBOX" image-unpack -n -s store --mstack a.mstack a
	must_equal "$output" "would have written $PWD/a.mstack of 3 layers"
	[ ! -e a.mstack ]
	mkdir a.mstack
	must_work "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	"$TESTS/fixtures/mkimage.py" img2 <<<'{"layers":[{"files":{"x":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img2
	must_work "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	must_equal "$output" "replaced $PWD/a.mstack of 1 layer"
	must_equal "$(ls a.mstack)" layer@000
	must_equal "$(staged)" ""
	local name
	for name in rw bind@var x; do
		mkdir a.mstack/$name
		must_fail 1 "holds '$name', which this program did not write" \
			"$SHIFTBOX" image-unpack -s store --mstack a.mstack a
		must_equal "$(ls a.mstack | wc -l)" 2
		rmdir a.mstack/$name
	done
	ln -s /etc a.mstack/layer@001
	must_fail 1 "holds 'layer@001'" "$SHIFTBOX" image-unpack -s store --mstack a.mstack a
	rm a.mstack/layer@001
	: >f.mstack
	must_fail 1 "is not a directory" "$SHIFTBOX" image-unpack -s store --mstack f.mstack a
	must_work "$SHIFTBOX" image-unpack --json -s store --mstack b.mstack a
	must_equal "$(jq -r '"\(.event) \(.layers) \(.replaced) \(.made)"' <<<"$output")" \
		"mstack 1 false true"
}

@test "killed at any moment, image-unpack --mstack leaves the old directory or the new one" {
	an_image
	"$TESTS/fixtures/mkimage.py" img2 <<<'{"layers":[{"files":{"x":"1"}}]}'
	must_work "$SHIFTBOX" image-unpack -q -s store -N b img2
	local i name=a
	must_work "$SHIFTBOX" image-unpack -q -s store --mstack a.mstack a
	timed "$SHIFTBOX" image-unpack -q -s store --mstack a.mstack b
	killed=0
	for i in {1..30}; do
		[ $name = a ] && name=b || name=a
		kill_at_random "$SHIFTBOX" image-unpack -q -s store --mstack a.mstack $name
		case $(ls a.mstack | wc -l) in 1 | 3) ;; *) say "half a directory" ;; esac
	done
	must_work "$SHIFTBOX" image-unpack -q -s store --mstack a.mstack a
	must_equal "$(staged)" ""
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --flat: all layers in one directory, which is there as a whole or not at all.

load lib
load images
need root
need prog python3

IMAGE='{"ref":"latest","layers":[
	{"files":{"./":{"type":"dir","uid":7,"gid":8,"mode":"751"},
	"d":{"type":"dir","uid":1,"gid":2,"mode":"2755"},
	"d/x":{"data":"x","uid":3,"gid":4,"mode":"4755"},
		"gone":"1","e/f":"2","e/g":"3","to":{"type":"symlink","to":"d/x"},
		"e":{"type":"dir"},"dev":{"type":"char","dev":[1,3],"mode":"666"}}},
	{"files":{".wh.gone":"","e/.wh..wh..opq":"","e/h":"4","d/y":{"data":"5","uid":33,"gid":34},
	"d/":{"type":"dir","uid":5,"gid":6,"mode":"1777"}}},
	{"files":{"d/z":"6","to":{"type":"dir","uid":9},
	"to/in":"7","same":{"type":"link","to":"d/x"}}}]}'

flat() {
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat "$@"
}

# Nothing hidden is left in the directory around.
no_staging() {
	must_equal "$(find "${1:-.}" -maxdepth 1 -name '.shiftbox*')" ""
}

@test "the flat tree is the merged tree, is what umoci makes, and chown was not called" {
	need prog umoci strace
	image img "$IMAGE"
	strace -f -qq -o trace -e trace=chown,fchown,lchown,fchownat,setfsuid \
		"$SHIFTBOX" image-unpack -q --flat flat img
	grep -q setfsuid trace
	run -1 grep chown trace
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
	mkdir merged
	mount -t overlay overlay merged \
		-o "ro,lowerdir=$(sed "s|^|$PWD/store/|" store/images/a/layers | paste -sd:)"
	umoci unpack --image img:latest umoci >/dev/null
	dump flat >ours
	dump umoci/rootfs >theirs
	# umoci leaves the time of the root as it comes.
	diff <(sed "1s/ mtime=.*//" theirs) <(sed "1s/ mtime=.*//" ours)
	# In layers of their own the two names of d/x are two files, and every directory has the
	# size of its own.
	diff <(dump merged | grep -vE "^'(d/x|same)' ") <(grep -vE "^'(d/x|same)' " ours)
	[ flat/d/x -ef flat/same ]
	must_equal "$(owner flat)" 7:8
	must_equal "$(ls flat)" "$(ls merged)"
	no_staging
}

@test "plain layers, any number of them, one from standard input" {
	"$TESTS/fixtures/mkimage.py" \
		--tar base.tar <<<'{"layers":[{"files":{"f":"old","g":"stays"}}]}'
	"$TESTS/fixtures/mkimage.py" --tar top.tar <<<'{"layers":[{"files":{"f":"new"}}]}'
	flat d base.tar - <top.tar
	must_equal "$(cat d/f d/g)" newstays
	flat e top.tar
	must_equal "$(ls e)" f
}

@test "a directory that is absent or empty becomes the tree, and nothing else does" {
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir empty full links
	touch full/x
	ln -s ../empty links/empty
	ln -s nowhere links/dangling
	flat new/ img
	flat links/empty img
	must_equal "$(ls new empty | tr '\n' ' ')" "empty: f  new: f "
	[ -L links/empty ]
	must_fail 1 "is not empty" "$SHIFTBOX" image-unpack --flat full img
	[[ $stderr == *"try:  "*--replace* ]]
	must_fail 1 "is not empty" "$SHIFTBOX" image-unpack --flat new img
	must_fail 1 "is not a directory" "$SHIFTBOX" image-unpack --flat full/x img
	must_fail 1 "is a symbolic link to nothing" \
		"$SHIFTBOX" image-unpack --flat links/dangling img
	must_fail 1 "cannot find its parent directory" \
		"$SHIFTBOX" image-unpack --flat a/b/c img
	[[ $stderr == *"try:  mkdir -p 'a/b'"* ]]
	must_fail 2 "is empty" "$SHIFTBOX" image-unpack --flat '' img
	must_fail 2 "--flat and --scan use no store" "$SHIFTBOX" image-unpack --flat n -s store img
	must_fail 2 "'--replace' is not for unpacking into a store: it is for --flat" \
		"$SHIFTBOX" image-unpack --replace img
	must_equal "$(ls full)" x
	no_staging
	no_staging links
}

@test "what cannot be renamed over is refused before anything is read" {
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir mnt here
	mount -t tmpfs -o mode=0700 shiftbox-test mnt
	must_fail 1 "is a mount point" "$SHIFTBOX" image-unpack --flat mnt img
	[[ $stderr == *"try:  name a directory in it: '$SCRATCH/mnt/rootfs'"* ]]
	must_fail 1 "is a mount point" "$SHIFTBOX" image-unpack --flat / img
	must_fail 1 "is the working directory" env -C here "$SHIFTBOX" image-unpack --flat . ../img
	must_fail 1 "is the working directory" \
		env -C here "$SHIFTBOX" image-unpack --flat ../here ../img
	must_equal "$(ls -A mnt here)" $'here:\n\nmnt:'
	flat mnt/rootfs img
	must_equal "$(ls -A mnt)" rootfs
}

@test "--replace swaps the trees, and refuses where something is mounted below" {
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir -p d/proc
	touch d/old
	mount -t tmpfs shiftbox-test d/proc
	must_fail 1 "cannot be replaced while something is mounted in it" \
		"$SHIFTBOX" image-unpack --flat d --replace img
	umount d/proc
	flat d --replace img
	must_equal "$(ls -A d)" f
	flat d --replace img
	flat new --replace img
	must_equal "$(ls -A d new | tr '\n' ' ')" "d: f  new: f "
	# One that fails leaves what was there.
	image bad '{"layers":[{"files":{"g":"1"}},{"files":{"h":"1"},"diff_id_lie":true}]}'
	must_fail 1 "layer 2 of 2" "$SHIFTBOX" image-unpack --flat d --replace bad
	must_equal "$(ls -A d)" f
	no_staging
}

@test "a hard link to a file of a layer below is one" {
	image img '{"layers":[{"files":{"a":{"data":"1","uid":5},"s":{"type":"symlink","to":"a"},
		"p":{"type":"fifo"},"b":"2","c":"3"}},
		{"files":{"d/a2":{"type":"link","to":"a"},"s2":{"type":"link","to":"s"},
		"p2":{"type":"link","to":"p"},"b":{"type":"link","to":"c"},
		"c":"4","a3":{"type":"link","to":"d/a2"}}}]}'
	flat d img
	[ d/a -ef d/d/a2 ]
	[ d/a -ef d/a3 ]
	[ d/p -ef d/p2 ]
	must_equal "$(stat -c %i d/s)" "$(stat -c %i d/s2)"
	must_equal "$(stat -c '%h %u' d/a)" "3 5"
	must_equal "$(cat d/b d/c)" 34
	mkdir out
	must_fail 1 "is a hard link to 'a', which neither the layer nor those below have" \
		"$SHIFTBOX" image-unpack --flat e \
		"$(image bad '{"layers":[{"files":{"a":"1"}},
		{"files":{"l":{"type":"link","to":"a"},".wh.a":""}}]}'; echo bad)"
	must_fail 1 "is a hard link to the directory 'a'" "$SHIFTBOX" image-unpack --flat e \
		"$(image dir '{"layers":[{"files":{"a/b":"1"}},
		{"files":{"l":{"type":"link","to":"a"}}}]}'; echo dir)"
	[ ! -e e ]
	must_work "$SHIFTBOX" image-unpack -q --flat e \
		"$(image thru '{"layers":[{"files":{"t":"1","a":{"type":"symlink",
		"to":"'"$SCRATCH"'/out"}}},{"files":{"a/x":"1"}}]}'; echo thru)"
	[ ! -e out/x ]
	must_equal "$(cat "e$SCRATCH/out/x")" 1
	no_staging
}

@test "limits hold for all layers together" {
	image img '{"layers":[{"files":{"a":"1234567890"}},{"files":{"b":"1234567890"}},
		{"files":{"c":"1234567890"}}]}'
	flat a --max-bytes 30 --max-entries 3 img
	must_fail 1 "the layers have together more than 29 bytes" \
		"$SHIFTBOX" image-unpack --flat b --max-bytes 29 img
	must_fail 1 "the layers have together more than 2 entries" \
		"$SHIFTBOX" image-unpack --flat b --max-entries 2 img
	must_work "$SHIFTBOX" image-unpack -q -s store --max-bytes 10 --max-entries 1 img
	[ ! -e b ]
}

@test "wrong digests, diff_ids and damaged layers publish nothing" {
	local lie
	mkdir empty
	for lie in '"digest_lie":true' '"diff_id_lie":true' '"replaced":true' '"missing":true' \
		'"cut":20'; do
		rm -rf img
		image img '{"layers":[{"bulk":3},{"files":{"a":"1"},"bulk":30,'"$lie"'}]}'
		must_fail 1 "layer 2 of 2" "$SHIFTBOX" image-unpack --flat new img
		must_fail 1 "layer 2 of 2" "$SHIFTBOX" image-unpack --flat empty img
		[ ! -e new ]
		must_equal "$(ls -A empty)" ""
		no_staging
	done
}

@test "killed at random moments it has published the whole or nothing, and the next run sweeps" {
	local i killed=0 whole=0 replace
	image img '{"layers":[{"bulk":900,"seed":1},{"bulk":900,"seed":2},
		{"files":{"d/x":"1",".wh.f1":""},"bulk":500,"seed":3},{"bulk":400,"seed":4}]}'
	flat reference img
	dump reference >want
	mkdir old
	touch old/file
	timed flat d img
	RANDOM=4711
	for ((i = 1; i <= 21 || killed < 7; i++)); do
		[ $i -le 500 ] || say "only $killed of $i were killed at work"
		rm -rf d
		replace=
		case $((i % 3)) in
		0) mkdir d ;;
		1) cp -a old d && replace=--replace ;;
		esac
		kill_at_random "$SHIFTBOX" image-unpack -q --no-sync --flat d $replace img
		if [ -e d ] && [ -n "$(ls -A d)" ] && ! [ -e d/file ]; then
			whole=$((whole + 1))
			dump d | diff want -
		else
			must_equal "$(ls -A d 2>/dev/null)" "${replace:+file}"
		fi
		if ((i % 3 == 0)); then
			flat d --replace img
			no_staging
			dump d | diff want -
		fi
	done
}

@test "a stage of a dead run is swept, one of a live run and what only looks like one is not" {
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir -p .shiftbox-flat-0123456789abcdef/0/deep .shiftbox-flat-fedcba9876543210/0 \
		.shiftbox-flat-notours .shiftbox-flat-aaaaaaaaaaaaaaaa
	chmod 000 .shiftbox-flat-0123456789abcdef/0/deep
	setpriv --reuid 1000 --clear-groups true
	mount -t tmpfs -o uid=1000,mode=0700 shiftbox-test .shiftbox-flat-aaaaaaaaaaaaaaaa
	exec 8<.shiftbox-flat-fedcba9876543210
	flock 8
	flat d img
	must_equal "$(find . -maxdepth 1 -name '.shiftbox*' | sort | paste -sd' ')" \
		"$(echo ./.shiftbox-flat-{aaaaaaaaaaaaaaaa,fedcba9876543210,notours})"
	exec 8<&-
	umount .shiftbox-flat-aaaaaaaaaaaaaaaa
}

# What lies in a directory of alice's, hers or root's, is hers to rename.
alice_has_a_home() {
	make_user alice 2001 700000 65536
	chmod 755 home-alice
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir -p home-alice/roots/a
	echo 1 >home-alice/roots/a/f
}

@test "in a directory of another user's nothing is swept: it could be anything of root's, renamed" {
	alice_has_a_home
	as_user alice mv home-alice/roots home-alice/.shiftbox-flat-0123456789abcdef
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/new img
	must_equal "$(cat home-alice/.shiftbox-flat-0123456789abcdef/a/f) $(cat home-alice/new/f)" \
		"1 1"
}

# PROGRAM...: run it up to the end of its first CALL, and stop it there; its staging directory is
# then $stage.
hold() { # CALL PROGRAM...
	local i call=$1
	shift
	rm -f trace
	strace -qq -o trace -e trace="$call" -e inject="$call:signal=SIGSTOP:when=1" "$@" >out \
		2>err 3>&- &
	held=$!
	for i in {1..400}; do
		grep -q 'stopped by SIGSTOP' trace 2>/dev/null && break
		sleep 0.05
	done
	grep -q 'stopped by SIGSTOP' trace || say "it was not held: $(cat trace err)"
	stage=$(find home-alice -maxdepth 1 -name '.shiftbox-flat-????????????????')
	[ "$stage" ] || say "there is no staging directory: $(cat trace)"
}

go_on() { # $status, err
	pkill -CONT -P $held
	status=0
	wait $held || status=$?
}

@test "a staging directory that another user exchanges before it is opened is not used" {
	need prog strace pkill
	local theirs
	alice_has_a_home
	mkdir -m 700 home-alice/closed
	echo 1 >home-alice/closed/f
	as_user alice mkdir home-alice/hers
	for theirs in hers roots closed; do
		hold mkdirat "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/new img
		as_user alice mv "$stage" home-alice/away
		as_user alice mv "home-alice/$theirs" "$stage"
		go_on
		must_equal "$status" 1
		grep -q "another user's directory has replaced the staging directory" err ||
			say "$(cat err)"
		mv "$stage" "home-alice/$theirs"
		rmdir home-alice/away
		[ ! -e home-alice/new ]
	done
	must_equal "$(cat home-alice/roots/a/f home-alice/closed/f | paste -sd' ')" "1 1"
}

@test "when done, it removes its own staging directory, not another user's renamed to it" {
	need prog strace pkill
	alice_has_a_home
	# The tree is in its place.
	hold renameat "$SHIFTBOX" image-unpack -q --no-sync --flat home-alice/new img
	as_user alice mv "$stage" home-alice/away
	as_user alice mv home-alice/roots "$stage"
	go_on
	must_equal "$status $(cat "$stage/a/f") $(cat home-alice/new/f)" "0 1 1"
	grep -q 'cannot remove the staging directory' err || say "$(cat err)"
	must_equal "$(ls -A home-alice/away)" ""
}

@test "a lock on the parent delays nothing, and a run that has just begun is not swept" {
	local holder i pids=()
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir -m 755 around
	chmod 711 .
	# shellcheck disable=SC2016 # for the inner shell
	setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'exec 9<"$1" && flock 9 &&
		echo held && exec sleep 60' sh "$PWD/around" >held 3>&- &
	holder=$!
	for i in {1..1200}; do [ -s held ] || sleep 0.05; done
	[ -s held ]
	must_work timeout 300 "$SHIFTBOX" image-unpack -q --no-sync --flat around/new img
	kill $holder
	wait $holder || true
	for i in {1..12}; do
		"$SHIFTBOX" image-unpack -q --no-sync --flat "around/$i" img &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	must_equal "$(cat around/*/f)" 1111111111111
	must_equal "$(find around -name '.shiftbox*')" ""
}

@test "a full disk and a disk without inodes are told as such, and nothing is left" {
	image img '{"layers":[{"bulk":900,"seed":1},{"bulk":900,"seed":2}]}'
	local options what
	for options in size=2M size=20M,nr_inodes=400; do
		what=space
		[[ $options != *nr_inodes* ]] || what=inodes
		mkdir -p small
		mount -t tmpfs -o "$options,mode=0700" small small
		must_fail 1 "No space left on device" "$SHIFTBOX" image-unpack --flat small/d img
		[[ $stderr == *"layer "*" of 2 (sha256:"* && $stderr == *"try:  free $what"* ]]
		must_equal "$(ls -A small)" ""
		umount small
	done
}

@test "a call that fails while the layers are joined and published leaves nothing" {
	need prog strace
	image img "$IMAGE"
	local call n
	for call in renameat unlinkat linkat syncfs fsync; do
		for n in 1 2 5; do
			capture inject "$call:EIO:$n" "$SHIFTBOX" image-unpack --flat d img
			[ "$status" != 99 ] || break # there are fewer calls than that
			# The last one of all makes sure that the rename is on disk.
			if [ "$call" = fsync ]; then rm -rf d; continue; fi
			# And of what is removed some is only staging: that is told, and swept
			# later.
			if [ "$call:$status" = unlinkat:0 ]; then
				[[ $stderr == *"cannot remove the staging directory"* ]] ||
					tell "not told"
				rm -rf d .shiftbox-flat-*
				continue
			fi
			must_equal "$status" 1
			[[ $stderr == *"Input/output error"* || $stderr == *EIO* ]] ||
				tell "no cause"
			[ ! -e d ] || tell "published"
			rm -rf .shiftbox-flat-*
		done
	done
}

@test "a signal ends it in order, and the shell sees it" {
	mkfifo pipe
	"$SHIFTBOX" image-unpack --flat d - <pipe 2>err &
	exec 7>pipe
	for _ in {1..1200}; do
		[ -n "$(find . -maxdepth 1 -name '.shiftbox-flat-*')" ] && break
		sleep 0.05
	done
	kill -TERM $!
	status=0
	wait $! || status=$?
	exec 7>&-
	must_equal "$status" 143
	must_equal "$(cat err)" "shiftbox image-unpack: stopped by SIGTERM: $(printf %s \
		"the directory is complete or as before; the next run removes the rest")"
	no_staging
	[ ! -e d ]
}

@test "events, the summary and a dry run" {
	image img '{"layers":[{"files":{"a":"1"}},{"files":{"b":"2"}}]}'
	capture "$SHIFTBOX" image-unpack -n --flat d img
	[[ $output == *"2 layers, to be unpacked into d"* ]]
	[ ! -e d ]
	must_fail 1 "is not empty" "$SHIFTBOX" image-unpack -n --flat img img
	must_work "$SHIFTBOX" image-unpack --json --flat d img
	python3 -c 'import json, sys
d = [json.loads(x) for x in sys.argv[1].splitlines()]
assert d[-1]["event"] == "image" and d[-1]["layers"] == 2 and d[-1]["entries"] == 2 and d[-1][
	"name"] == "d", d' "$output"
	must_work "$SHIFTBOX" image-unpack --flat e img
	[[ $output == "e: 2 layers (2 unpacked, 0 shared), 2 entries, "*" in "* ]]
}

# An image with every place where an id can hide: owners, ACLs of files and (default) directories,
# capabilities of both versions.
MAPPED='{"layers":[
	{"files":{"./":{"type":"dir","uid":7,"gid":8},
	"d":{"type":"dir","uid":1,"gid":2,"mode":"2770",
	"xattrs":{"system.posix_acl_default":"'$ACL_DEFAULT'"}},
		'"$ID_FILES"',
		"dev":{"type":"char","dev":[1,3],"uid":33},
		"gone":"1","implied/f":{"data":"1","uid":99,"gid":98}}},
	{"files":{"d/new":{"data":"1","uid":40,"gid":41},".wh.gone":"","d/link":{"type":"link",
	"to":"d/suid"},"implied/g":{"data":"1","uid":65,"gid":66}}}]}'

@test "-m: the tree is what the image mounted with that map shows, ACLs and capabilities too" {
	local map
	need prog getcap getfacl
	image img "$MAPPED"
	must_work "$SHIFTBOX" image-unpack -q -s store -N a img
	for map in +100000 'u:0:100000:1000;g:0:200000:1000' \
		'u:0:5:1;u:1:70000:99;g:0:4000000000:3;g:3:3:97'; do
		rm -rf flat
		flat flat -m "$map" --devices=make img
		mkdir -p at
		must_work "$SHIFTBOX" mount-idmapped -s store -m "$map" -o ro,dev image:a at
		diff <(dump at | grep -v "^'d/\(suid\|link\)' ") <(dump flat |
			grep -v "^'d/\(suid\|link\)' ")
		must_equal "$(stat -c '%u:%g %a' flat/d/suid)" "$(stat -c '%u:%g %a' at/d/suid)"
		[ flat/d/suid -ef flat/d/link ]
		umount at
	done
	# The last map, by hand.
	must_equal "$(stat -c %u:%g flat flat/{d,acl,implied,dev} | xargs)" \
		"70006:8 70000:4000000002 5:4000000000 5:4000000000 70032:4000000000"
	must_equal "$(getcap -n flat/cap2) $(getcap -n flat/cap3)" \
		"flat/cap2 cap_net_raw=ep [rootid=5] flat/cap3 cap_net_raw=ep [rootid=70004]"
	must_equal "$(getfacl -nc flat/acl | grep -E '^(user|group):[0-9]' | paste -sd' ')" \
		"user:70032:r-- group:34:r--"
	must_equal "$(getfacl -nc flat/d | grep 'default:user:[0-9]')" "default:user:70032:r-x"
	no_staging
}

@test "-m: the tree can be seen through the inverse map as the image is" {
	need prog getcap
	image img "$MAPPED"
	flat plain img
	flat shifted -m 'u:0:100000:1000;g:0:300000:1000' --devices=make img
	mkdir at
	must_work "$SHIFTBOX" mount-idmapped -m 'u:100000:0:1000;g:300000:0:1000' shifted at
	# A capability that is read through a map has version 3; what it says is the same.
	diff <(dump plain | grep -v "^'cap") <(dump at | grep -v "^'cap")
	must_equal "$(getcap -n at/cap3)" "at/cap3 cap_net_raw=ep [rootid=5]"
	umount at
}

@test "-m: an id that the map does not cover is refused by name, with a way out" {
	image img "$MAPPED"
	local owner='belongs to the' acl='its access control list names the'
	# MAP, where, which, what to add
	local -a cases=(
		'u:0:100000:99;g:0:100000:1000|implied/f|'"$owner"' user id 99|add u:99:100099:1'
		'u:0:100000:1000;g:0:100000:98;g:99:5:3|implied/f|'"$owner"' group id 98|add g:98:'
		'u:0:100000:33;u:34:100033:66;g:0:100000:1000|d|'"$acl"' user id 33|add u:33:'
		'u:1:100001:99;g:0:100000:1000|cap2|'"$owner"' user id 0|add u:0:100100:1'
	)
	local c map where which try
	for c in "${cases[@]}"; do
		IFS='|' read -r map where which try <<<"$c"
		must_fail 1 "$which, which the map does not cover" \
			"$SHIFTBOX" image-unpack -j1 --flat new -m "$map" img
		[[ $stderr == *"'$where"*"layer "*" of 2 (sha256:"* &&
			$stderr == *"try:  $try"* ]] || tell "no '$try'"
		[ ! -e new ]
	done
	must_fail 1 "7 is among the seen ones" \
		"$SHIFTBOX" image-unpack -j1 --flat new -m 100000:0:65536 img
	image caps '{"layers":[{"files":{"./":{"type":"dir","uid":1,"gid":1},
		"cap2":{"data":"x","uid":1,"gid":1,
		"xattrs":{"security.capability":"0100000200200000000000000000000000000000"}}}}]}'
	must_fail 1 "its file capability names the user id 0" \
		"$SHIFTBOX" image-unpack --flat new -m 1:100001:5 caps
	image parent '{"layers":[{"files":{"./":{"type":"dir","uid":1,"gid":1},
		"d/f":{"data":"x","uid":1,"gid":1}}}]}'
	must_fail 1 "'d': belongs to the user id 0" \
		"$SHIFTBOX" image-unpack --flat new -m 1:100001:5 parent
	no_staging
	# What has no 0 anywhere needs none in the map.
	image small '{"layers":[{"files":{"d/f":{"data":"x","uid":1,"gid":1}}},
		{"files":{"./":{"type":"dir","uid":1,"gid":1},
		"d":{"type":"dir","uid":2,"gid":1}}}]}'
	flat new -m 1:100001:5 small
	must_equal "$(owner new) $(owner new/d) $(owner new/d/f)" \
		"100001:100001 100002:100001 100001:100001"
}

@test "-m: a filesystem without ID-mapped mounts is named; wrong stored ids are found out" {
	need prog strace
	image img '{"layers":[{"files":{"f":"1"}}]}'
	mkdir ram
	mount -t ramfs -o mode=0700 ramfs ram
	must_fail 1 "cannot set the ID mapping" "$SHIFTBOX" image-unpack --flat ram/d -m +100000 img
	[[ $stderr == *ramfs* ]]
	must_equal "$(ls -A ram)" ""
	umount ram
	# As if the kernel had said yes and done nothing.
	must_fail 1 "" strace -f -qq -o /dev/null -e trace=mount_setattr \
		-e inject=mount_setattr:retval=0 "$SHIFTBOX" image-unpack --flat d -m +100000 img
	[ ! -e d ]
	no_staging
	must_fail 2 "'--map' is not for unpacking into a store: it is for --flat and --bundle" \
		"$SHIFTBOX" image-unpack -s store -m +100000 img
}

@test "on ext4: the model, maps and hard links" {
	need prog mkfs.ext4
	need fs ext4
	loop_fs ext4 disk
	image img "$MAPPED"
	flat disk/plain img
	flat plain img
	diff <(dump plain) <(dump disk/plain)
	flat disk/shifted -m +100000 --devices=make img
	flat shifted -m +100000 --devices=make img
	diff <(dump shifted) <(dump disk/shifted)
	umount disk
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check verify: every fault that is put into a tree is found, and nothing else.
# shellcheck disable=SC2154,SC2016

load lib
need root
need kernel 6.15
need prog setfacl setcap

MAP=0:100000:60000
MAP_NOBODY='0:100000:60000;65534:165534:1'

# A tree of some thousand entries with everything that has an owner in it. All ids have a mapping.
make_tree() {
	local d=$1 i
	mkdir -p "$d"
	for i in $(seq 30); do
		mkdir "$d/d$i"
		(cd "$d/d$i" && seq -f 'file-%g' 100 | xargs touch)
		chown "$i:$((i + 1000))" "$d/d$i" "$d/d$i"/file-1*
	done
	mkdir -p "$d/deep/er/and/deeper" "$d/acls" "$d/odd"
	touch "$d/acls/user" "$d/acls/group" "$d/odd/suid" "$d/odd/raw" "$d/odd/rooted" \
		"$d/odd/"$'new\nline' "$d/odd/"$'\xff\xfe'
	setfacl -m u:33:rw,g:44:r "$d/acls/user"
	setfacl -m g:1044:rwx "$d/acls/group"
	setfacl -d -m u:33:rwx,g:44:rx "$d/acls"
	setcap cap_net_raw+ep "$d/odd/raw"
	setcap -n 7 cap_net_admin+p "$d/odd/rooted"
	chown 5:6 "$d/odd/suid"
	chmod 6755 "$d/odd/suid"
	chmod 1777 "$d/odd"
	mknod "$d/odd/null" c 1 3
	mkfifo "$d/odd/fifo"
	ln -s / "$d/odd/root"
	ln "$d/odd/suid" "$d/odd/hard"
	chown -h 9:10 "$d/odd/root"
}

# map_mount DIR TARGET [MAP]
map_mount() {
	mkdir -p "$2"
	must_work "$SHIFTBOX" mount-idmapped -m "${3:-$MAP}" "$1" "$2"
}

check() {
	capture "$SHIFTBOX" shift-check "$@"
}

# The findings, less the summary, are these lines in any order.
found() {
	[ "$(sed '$d' <<<"$output" | sort)" = "$(sort <<<"$1")" ] ||
		tell "not the findings that were wanted: $1"
}

status_is() {
	[ "$status" = "$1" ] || tell "the exit status is not $1"
}

@test "a sound tree has no findings, on tmpfs and ext4, with one thread and many" {
	local fs j
	need loop
	loop_fs ext4 ext4
	mkdir tmpfs
	for fs in tmpfs ext4; do
		make_tree $fs/tree
		map_mount $fs/tree m-$fs
		for j in 1 2 16; do
			check -j $j m-$fs
			status_is 0
			stderr_empty
			must_equal "$output" \
				"$(find $fs/tree -printf x | wc -c) entries checked, no findings"
		done
	done
}

@test "each fault of a mapped tree is found, and nothing else" {
	local fs
	need loop
	loop_fs ext4 ext4
	mkdir tmpfs
	for fs in tmpfs ext4; do
		make_tree $fs/tree
		chown 100005 $fs/tree/d3/file-3
		chown :70000 $fs/tree/d4/file-4
		chown -h 65534:5 $fs/tree/odd/root
		setfacl -m u:70001:r $fs/tree/acls/user
		setfacl -d -m g:100044:r $fs/tree/acls
		setcap -n 70002 cap_net_raw+ep $fs/tree/odd/raw
		map_mount $fs/tree m
		check m
		status_is 3
		stderr_empty
		entries=$(find $fs/tree -printf x | wc -c)
		must_equal "$(tail -n 1 <<<"$output")" "$entries entries checked, 6 findings: \
2 unmapped, 1 half-shifted, 2 acl, 1 caps"
		found "half-shifted: m/d3/file-3: uid: disk 100005 is already shifted (the seen id \
of disk 5), seen 65534
unmapped: m/d4/file-4: gid: disk 70000 has no mapping, seen 65534
unmapped: m/odd/root: uid: disk 65534 has no mapping, seen 65534
acl: m/acls/user: ACL: user disk 70001 has no mapping
acl: m/acls: default ACL: group disk 100044 is already shifted (the seen id of disk 44)
caps: m/odd/raw: root id: disk 70002 has no mapping"
		must_work umount m
	done
}

@test "a real nobody is told apart from an id without mapping" {
	mkdir tree
	touch tree/nobody tree/stranger
	chown 65534:65534 tree/nobody
	chown 70000:70000 tree/stranger
	map_mount tree m "$MAP_NOBODY"
	must_equal "$(owner m/stranger)" 65534:65534
	check m
	status_is 3
	found "$(joined 'unmapped: m/stranger: uid: disk 70000 has no mapping, seen 65534; ' \
		'gid: disk 70000 has no mapping, seen 65534')"
	# The other way round: a mapped id that is seen as nobody.
	mkdir n
	touch tree/seen-as-nobody
	chown 5:5 tree/seen-as-nobody
	map_mount tree n '5:65534:1;0:100000:1'
	must_equal "$(owner n/seen-as-nobody)" 65534:65534
	check --only unmapped n
	status_is 3
	[[ $output != *seen-as-nobody* ]] || tell "a mapped file was reported"
}

@test "each difference between two trees is found, and nothing else" {
	make_tree raw
	cp -a raw copy
	map_mount copy m
	check --source raw m
	status_is 0
	# The source's own map, if it has one, is not what is on disk.
	map_mount raw mapped-raw 0:7:60000
	check --source mapped-raw m
	status_is 0
	rm copy/d1/file-50
	rm -r copy/deep/er
	touch copy/d2/more
	mkdir copy/d2/whole && touch copy/d2/whole/below
	chmod 0755 copy/odd/suid
	chmod 0700 copy/d7
	rm copy/odd/null copy/odd/fifo copy/d9/file-99
	mknod copy/odd/null c 1 5
	touch copy/odd/fifo
	ln -s x copy/d9/file-99
	chown 6:6 copy/odd/suid
	chown 77:1030 copy/d30
	setfacl -n -x u:33 copy/acls/user
	setcap cap_net_raw,cap_net_admin+ep copy/odd/raw
	check --source raw m
	status_is 3
	stderr_empty
	found "missing: m/d1/file-50: disk regular file, owner 0:0
missing: m/deep/er: disk directory, owner 0:0, with what is below
extra: m/d2/more: seen regular file, owner 100000:100000
extra: m/d2/whole: seen directory, owner 100000:100000, with what is below
mode: m/odd/suid: disk 6755, seen 0755
mode: m/odd/hard: disk 6755, seen 0755
mode: m/d7: disk 0755, seen 0700
type: m/odd/null: disk device 1:3, seen 1:5
type: m/odd/fifo: disk fifo, seen regular file
type: m/d9/file-99: disk regular file, seen symbolic link
mismatch: m/odd/suid: uid: disk 5, seen 100006, expected 100005
mismatch: m/odd/hard: uid: disk 5, seen 100006, expected 100005
mismatch: m/d30: uid: disk 30, seen 100077, expected 100030
acl: m/acls/user: ACL: expected user:100033:rw-
caps: m/odd/raw: disk permitted 0x2000 inheritable 0 effective, seen 0x3000 0 effective"
}

@test "JSON: one object a finding, and the summary" {
	mkdir tree
	touch tree/$'a\xff\n' tree/b
	chown 70000:5 tree/$'a\xff\n'
	map_mount tree m
	check --json m
	status_is 3
	python3 - "$output" <<-'END'
	import base64, json, sys
	finding, summary = map(json.loads, sys.argv[1].splitlines())
	assert base64.b64decode(finding.pop("path_base64")) == b"m/a\xff\n", finding
	assert finding.pop("path") == "m/a\ufffd\n"
	assert finding == {"version": 1, "class": "unmapped",
		"detail": "uid: disk 70000 has no mapping, seen 65534",
		"disk_uid": 70000, "disk_gid": 5, "disk_mode": "0644", "disk_type": "regular file",
		"seen_uid": 65534, "seen_gid": 100005, "seen_mode": "0644",
		"seen_type": "regular file",
		"expected_gid": 100005}, finding
	classes = ("mismatch unmapped half-shifted acl caps missing extra type mode"
		" unreadable marks".split())
	assert summary == {"version": 1, "summary": {
		"entries": 3, "vanished": 0, "mounts_not_entered": 0,
		"findings": {c: int(c == "unmapped") for c in classes}}}, summary
	END
}

@test "text escapes what is not fit for a terminal" {
	mkdir tree
	touch tree/$'\e[31m\n'
	chown 70000 tree/*
	map_mount tree m
	check m
	found 'unmapped: m/\x1b[31m\n: uid: disk 70000 has no mapping, seen 65534'
}

@test "the findings can be chosen, limited, and left out" {
	mkdir tree
	touch tree/{1..20}
	chown 70000 tree/1?
	chown :100001 tree/2
	map_mount tree m
	check --summary m
	status_is 3
	must_equal "$output" "21 entries checked, 11 findings: 10 unmapped, 1 half-shifted"
	check --only half-shifted m
	status_is 3
	must_equal "$(wc -l <<<"$output")" 2
	check --only half-shifted --only mode --max-findings 5 m
	must_equal "$(wc -l <<<"$output")" 2
	check --only mode m
	status_is 0
	check --max-findings 3 m
	status_is 3
	must_equal "$(wc -l <<<"$output")" 4
	check -q --only mode m
	must_equal "$output" ""
	must_fail 2 "'nonsense' is not a class of findings" \
		"$SHIFTBOX" shift-check --only nonsense m
}

@test "a mount with another map than the one asked for is a finding" {
	mkdir tree
	touch tree/file
	map_mount tree m
	check -m "$MAP" m
	status_is 0
	check -m 0:100001:60000 m
	status_is 3
	found 'mismatch: m: the mount has the map b:0:100000:60000, expected b:0:100001:60000'
}

@test "other mounts are not entered, and -v names them" {
	mkdir -p tree/on-disk tree/sub
	touch tree/on-disk/below
	chown 70000 tree/on-disk/below
	map_mount tree m
	mount -t tmpfs x m/on-disk
	touch m/on-disk/{1..5}
	check -v m
	status_is 0
	[[ $stderr = *"on-disk is another mount: not entered"* ]] || tell "the mount is not named"
	must_equal "$output" "2 entries checked, no findings (1 mount below not entered)"
}

@test "a tree that is deep, and a directory that is wide, in little memory" {
	mkdir tree
	python3 - <<-'END'
	import os
	os.mkdir("tree/wide")
	os.chdir("tree/wide")
	for i in range(200000):
	    os.close(os.open("a name of some length %d" % i, os.O_CREAT))
	os.chdir("..")
	for i in range(300):
	    os.mkdir("d" * 200)
	    os.chdir("d" * 200)
	open("last", "w").close()
	os.lchown("last", 70000, 0)
	END
	map_mount tree m
	capture prlimit --as=$((64 << 20)) --nofile=64 "$SHIFTBOX" shift-check -j 4 m
	status_is 3
	must_equal "$(tail -n 1 <<<"$output")" "200303 entries checked, 1 finding: 1 unmapped"
	cp -a tree/wide copy
	capture prlimit --as=$((128 << 20)) --nofile=64 "$SHIFTBOX" shift-check -j 4 \
		--source copy tree/wide
	status_is 0
}

@test "without the calls of new kernels: attributes through /proc, the map in mountinfo, --source" {
	need prog gcc
	gcc -o without "$TESTS/system/without.c"
	make_tree tree
	setfacl -m u:70001:r tree/acls/user
	setcap -n 70002 cap_net_raw+ep tree/odd/raw
	map_mount tree m
	local listxattrat=465 statmount=457 open_tree_attr=467
	capture ./without $listxattrat -- "$SHIFTBOX" shift-check -v m
	status_is 3
	[[ $stderr = *'through /proc/self/fd'* ]] || tell "the fallback is not told of"
	found 'acl: m/acls/user: ACL: user disk 70001 has no mapping
caps: m/odd/raw: root id: disk 70002 has no mapping'
	must_fail 1 'the kernel is older than 6.15' ./without $open_tree_attr -- \
		"$SHIFTBOX" shift-check m
	must_fail 1 'its map is not known' ./without $statmount -- \
		"$SHIFTBOX" shift-check --source tree m
	must_fail 1 'not on an ID-mapped mount' ./without $statmount -- "$SHIFTBOX" shift-check tree
	capture ./without $listxattrat $statmount $open_tree_attr -- \
		"$SHIFTBOX" shift-check -m "$MAP" --source tree m
	status_is 3
	must_equal "$(wc -l <<<"$output")" 3
}

@test "a file can be checked, and a directory that cannot be searched is named once" {
	mkdir tree tree/shut
	touch tree/file tree/shut/{1..9}
	chown 70000 tree/file tree/shut
	chmod 700 tree/shut
	map_mount tree m
	check m/file
	status_is 3
	must_equal "$output" 'unmapped: m/file: uid: disk 70000 has no mapping, seen 65534
1 entry checked, 1 finding: 1 unmapped'
	check --only unreadable m
	found 'unreadable: m/shut: cannot search the directory: Permission denied'
}

@test "the check leaves no trace: no access time changes" {
	need loop
	loop_fs ext4 ext4
	mkdir -p ext4/tree/d
	touch -d '2001-01-01' ext4/tree/d ext4/tree
	map_mount ext4/tree m
	check m
	status_is 0
	must_equal "$(stat -c %X ext4/tree ext4/tree/d | sort -u)" 978307200
}

@test "what cannot be checked is said, with the way out" {
	mkdir tree l u w o
	must_fail 1 'not on an ID-mapped mount' "$SHIFTBOX" shift-check tree
	[[ $stderr = *'--source DIR'* ]] || tell "no way out"
	must_fail 1 'No such file' "$SHIFTBOX" shift-check gone
	must_fail 2 'an operand is missing' "$SHIFTBOX" shift-check
	must_fail 2 'verify needs PATH' "$SHIFTBOX" shift-check verify
	must_fail 2 "'a' is not a subcommand" "$SHIFTBOX" shift-check a b
	must_fail 2 '' "$SHIFTBOX" shift-check --source a --spec b tree
	mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w o
	must_fail 1 'is on an overlay, whose layers may have maps' "$SHIFTBOX" shift-check o
	must_fail 1 'its map is not known' "$SHIFTBOX" shift-check --source l o
	check -m 0:0:1 --source l o
	status_is 0
	map_mount tree m
	must_fail 1 'CAP_SYS_ADMIN' setpriv --bounding-set -sys_admin --inh-caps -sys_admin \
		"$SHIFTBOX" shift-check m
}

@test "root of a user namespace checks its own filesystem" {
	need subid
	make_user alice 4321 200000 1000
	as_user alice unshare --map-root-user --map-auto -m --propagation private sh -euc '
		mount -t tmpfs x "$HOME"
		cd "$HOME"
		mkdir tree m
		touch tree/right tree/wrong tree/cap
		chown 5:6 tree/right
		chown 500 tree/wrong
		setcap cap_net_raw+ep tree/cap
		setfacl -m u:7:r tree/right
		"$SHIFTBOX" mount-idmapped -m 0:100:100 tree m
		[ "$(stat -c %u:%g m/right)" = 105:106 ]
		"$SHIFTBOX" shift-check m >out || [ $? = 3 ]
		cat out' >got
	must_equal "$(cat got)" 'unmapped: m/wrong: uid: disk 500 has no mapping, seen 65534
4 entries checked, 1 finding: 1 unmapped'
}

@test "in a user namespace, a map of which lines cannot be read there is not taken for all of it" {
	mkdir tree m
	touch tree/shown tree/hidden
	chown 1000:1000 tree tree/shown
	chown 2000:2000 tree/hidden
	printf '%s\n' '#mtree' '. type=dir uid=1000 gid=1000' \
		'./shown type=file uid=1000 gid=1000' \
		'./hidden type=file uid=2000 gid=2000' >spec
	chmod 644 spec
	map_mount tree m '1000:0:1 2000:100000:1'
	inside() {
		capture unshare -Ur "$SHIFTBOX" shift-check --spec spec "$@" m
	}
	inside
	status_is 3
	must_equal "$output" \
		'unmapped: m/hidden: uid: disk 2000 has no mapping, seen 65534; gid: disk 2000 '\
'has no mapping, seen 65534
3 entries checked, 1 finding: 1 unmapped
note: lines of the map with ids that this user namespace does not have cannot be read here: what '\
'is reported as unmapped may be in one of them'
	inside --json
	must_equal "$(jq -c 'select(.summary) | .summary.map_partial' <<<"$output")" true
	inside -m '1000:0:1 2000:100000:1'
	status_is 1
	stderr_has "no more than b:1000:0:1 can be read here" ... "  why:  " ... "  try:  " ... \
		"-m 'b:1000:0:1'"
	inside -m 1000:1:1
	status_is 3
	[[ $output == mismatch:* ]] || tell "not a finding"
	output_has 'mismatch: m: the mount has (as far as it can be read here) the map' \
		'b:1000:0:1, expected b:1000:1:1'
	chown 1000:1000 tree/hidden
	sed -i s/2000/1000/g spec
	inside -m 1000:0:1
	status_is 0
	inside
	must_equal "$status $output" '0 3 entries checked, no findings'
	capture "$SHIFTBOX" shift-check --json --spec spec m
	must_equal "$status $(jq -c 'select(.summary) | .summary.map_partial' <<<"$output")" \
		'0 null'
}

@test "in a user namespace, ids without a number there are not taken for the real nobody" {
	need subid
	make_user wanda 4323 500000 1000
	mkdir one two
	touch one/file two/file
	chmod 666 one/file two/file
	chown 65534:65534 one two one/file
	chown 5:6 two/file
	inside() {
		capture as_user wanda unshare --map-root-user "$@"
	}
	# Both are shown as 65534 there.
	inside "$SHIFTBOX" shift-check --source "$SCRATCH/one" "$SCRATCH/two"
	status_is 3
	output_has '/two/file: uid: disk 65534, seen 65534: disk 65534 is nobody, or an' \
		'id without a number here (not known which); gid: disk 65534'
	inside "$SHIFTBOX" shift-check --json --source "$SCRATCH/one" "$SCRATCH/two"
	must_equal "$(jq -r 'select(.path | strings | endswith("file")) | "\(.class) \(.errno)"' \
		<<<"$output")" 'unreadable EOVERFLOW'
	printf '%s\n' '#mtree' '. type=dir uid=65534 gid=65534' \
		'./file type=file uid=65534 gid=65534' >spec
	chmod 644 spec
	inside "$SHIFTBOX" shift-check --spec "$SCRATCH/spec" "$SCRATCH/two"
	status_is 3
	output_has 'two/file: uid: disk 65534, seen 65534: seen 65534 is nobody, or an id without'
	# The same inode has the same ids, whichever these are.
	mkdir again && mount --bind two again
	inside "$SHIFTBOX" shift-check --source "$SCRATCH/two" "$SCRATCH/again"
	must_equal "$status $output" '0 2 entries checked, no findings'
	# Outside, there is nothing that is not known.
	check --spec spec two
	status_is 3
	found "$(joined 'mismatch: two/file: uid: disk 65534, seen 5, expected 65534; ' \
		'gid: disk 65534, seen 6, expected 65534')"
	check --spec spec one
	status_is 0
}

@test "in a user namespace, the kernel tells a real nobody from an id without a number" {
	need subid
	make_user walter 4322 400000 70000
	mkdir both
	touch both/nobody both/stranger both/open
	chown 400000:400000 both
	chown 465533:465533 both/nobody both/open
	chown 5:6 both/stranger
	chmod 666 both/open
	printf '%s\n' '#mtree' '. type=dir uid=1 gid=1' './nobody type=file uid=65534 gid=65534' \
		'./open type=file uid=65534 gid=65534' \
		'./stranger type=file uid=65534 gid=65534' >spec
	chmod 644 spec
	capture as_user walter unshare --map-root-user --map-auto "$SHIFTBOX" shift-check \
		--spec "$SCRATCH/spec" "$SCRATCH/both"
	status_is 3
	must_equal "$(sed '$d' <<<"$output" | sed "s|$SCRATCH/||; s/: uid.*//" | sort)" \
		$'unreadable: both/open\nunreadable: both/stranger'
}

@test "on an overlay, an owner outside of the layers' maps is not taken for the real nobody" {
	mkdir lower upper work o x
	touch lower/nobody lower/stranger lower/shut
	chown 65534:65534 lower/nobody
	chown 70000:70000 lower/stranger lower/shut
	chmod 600 lower/shut
	printf '%s\n' '#mtree' '. type=dir uid=0 gid=0' './nobody type=file uid=65534 gid=65534' \
		'./shut type=file uid=65534 gid=65534' \
		'./stranger type=file uid=65534 gid=65534' >spec
	# A layer that shows 70000 as the overflow id, and 65534 as itself.
	map_mount lower x '0:0:1;65534:65534:1'
	mount -t overlay overlay -o "lowerdir=$SCRATCH/x,upperdir=upper,workdir=work" o
	must_equal "$(owner o/stranger) $(owner o/nobody)" '65534:65534 65534:65534'
	check -m 0:0:4294967295 --spec spec o
	status_is 3
	must_equal "$(sed '$d' <<<"$output" | sed 's/: uid.*//' | sort)" \
		$'unreadable: o/shut\nunreadable: o/stranger'
	# The same where the overlay is the disk side.
	mkdir copy && touch copy/nobody copy/stranger copy/shut && chmod 600 copy/shut
	chown 65534:65534 copy/*
	check --source o copy
	status_is 3
	must_equal "$(sed '$d' <<<"$output" | sed 's/: uid.*//' | sort)" \
		$'unreadable: copy/shut\nunreadable: copy/stranger'
	# An overlay below has no map that could be compared with the one that is expected.
	mkdir tree tree/o && map_mount tree m
	mount -t overlay overlay -o lowerdir=lower:copy m/o
	check --submounts -m "$MAP" m
	status_is 3
	found "$(joined 'mount: m/o: not compared
unreadable: m/o: its map is not known: a merged overlay does not show ' \
		'the maps of its layers; try: check it by itself: ' \
		'shift-check verify -m MAP --source DIR m/o')"
}

@test "a mount below that cannot be compared is not taken for one that is right" {
	mkdir -p tree/o tree/plain lower copy
	touch tree/file lower/file
	map_mount tree m
	mount -t overlay overlay -o lowerdir=lower:copy m/o
	mount --bind copy m/plain # what it shows is what is on disk
	check --submounts m
	status_is 3
	found "$(joined 'mount: m/plain: no map, so nothing to compare
mount: m/o: not compared
unreadable: m/o: is on an overlay, whose layers may have maps; try: check it by itself: ' \
		'shift-check verify -m MAP --source DIR m/o')"
	check --submounts --json m
	must_equal "$(jq -c 'select(.mount == "m/o") | .compared, .detail[:10]' <<<"$output" |
		paste -sd' ')" 'false "is on an o"'
	must_equal "$(jq -c 'select(.class) | [.class, .path]' <<<"$output")" \
		'["unreadable","m/o"]'
	must_equal "$(jq .summary.findings.unreadable <<<"$output" | tail -n 1)" 1
	# As advised.
	must_work "$SHIFTBOX" shift-check verify -m 0:0:4294967295 --source lower m/o
	umount m/o
	must_work "$SHIFTBOX" shift-check verify --submounts m
}

@test "in a user namespace, disk ids of another one are not compared with those of --source" {
	mkdir tree m
	touch tree/file
	chown -R 1000:1000 tree
	# The kernel shows the line as 0:0:1 there, where 0 on the left is not the 0 of stat(1).
	must_work_but misfit "$SHIFTBOX" mount-idmapped -m 0:0:1 tree m
	mkdir copy && touch copy/file
	must_fail 1 'the ids on disk are not known in this user namespace' \
		unshare -Ur "$SHIFTBOX" shift-check --source copy m
	stderr_has '  try:  check it from outside of this user namespace'
	check --source copy m
	status_is 3
}

@test "mounts below are entered when asked, each with its own map" {
	mkdir -p tree/plain tree/over/sub two
	touch tree/file two/right two/wrong
	chown 70000 two/wrong
	map_mount tree m
	map_mount two m/over 0:200000:60000
	mkdir -p two/deep && map_mount tree m/over/deep 0:300000:60000
	mount --bind two m/plain
	check m
	must_equal "$output" "2 entries checked, no findings (2 mounts below not entered)"
	check --submounts m
	status_is 3
	stderr_empty
	must_equal "$(tail -n 1 <<<"$output")" \
		"10 entries checked, 1 finding: 1 unmapped (1 mount below not entered)"
	found 'mount: m/plain: no map, so nothing to compare
mount: m/over: map b:0:200000:60000
unmapped: m/over/wrong: uid: disk 70000 has no mapping, seen 65534
mount: m/over/deep: map b:0:300000:60000'
	# Another map than the one asked for, or none, is a finding.
	check --submounts --summary -m "$MAP" m
	must_equal "$output" \
		"10 entries checked, 4 findings: 3 mismatch, 1 unmapped (1 mount below not entered)"
	check --submounts --max-findings 1 -m "$MAP" m
	must_equal "$(tail -n 1 <<<"$output" | cut -d: -f1)" "2 entries checked, 1 finding"
	check --submounts --json m
	must_equal "$(jq -c 'select(.mount) | [.mount, .compared, .map]' <<<"$output" | sort)" \
		'["m/over",true,"b:0:200000:60000"]
["m/over/deep",true,"b:0:300000:60000"]
["m/plain",false,null]'
}

@test "mounts below are compared with the same directory of the source or specification" {
	mkdir -p tree/over two
	touch tree/over/file two/file two/more
	chown 6 tree/over/file
	chmod 600 two/file
	map_mount tree m
	map_mount two m/over 0:200000:60000
	mkdir -p raw/over && cp -a tree/. raw
	mount --bind two raw/over
	check --submounts --source raw m
	status_is 0
	need prog mtree
	(cd tree && mtree -c -k type,mode,uid,gid) >spec
	check --submounts --spec spec m
	found 'mount: m/over: map b:0:200000:60000
extra: m/over/more: seen regular file, owner 200000:200000
mode: m/over/file: disk 0644, seen 0600
mismatch: m/over/file: uid: disk 6, seen 200000, expected 200006'
	umount raw/over
	rm -r raw/over
	check --submounts --source raw m
	[[ $output == *'unreadable: m/over: cannot open'* ]] ||
		tell "the missing other side is not told"
}

@test "on a terminal it shows how far it is, and takes that away again" {
	need prog script
	mkdir tree
	(cd tree && touch {1..20000}) # it must last until something is drawn
	chown 70000 tree/7
	map_mount tree m
	capture script -qec "'$SHIFTBOX' shift-check --color=never m" /dev/null
	status_is 3
	must_equal "$(sed 's/\r//g; s/\x1b\[1A\x1b\[J//g; /entries.*\x1b\[K/d' <<<"$output" |
		tr -d '\033' | sed 's/\[[0-9]*[AJ]//g')" \
		'unmapped: m/7: uid: disk 70000 has no mapping, seen 65534
20001 entries checked, 1 finding: 1 unmapped'
	[[ $output == *entries$'\e'* ]] || [[ $output == *'entries  '* ]] || tell "no progress"
	capture script -qec "'$SHIFTBOX' shift-check -q m 2>&1" /dev/null
	[[ $output != *$'\e[J'* ]] || tell "-q shows progress"
}

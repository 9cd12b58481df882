#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# image-unpack by an ordinary user: in a user namespace with the user's subordinate ids.

load lib
need root
need subid
need prog python3 setpriv strace

test_setup() {
	local f
	# Files of our own: what stands in the host's must not decide.
	for f in subuid subgid; do
		: >"$SCRATCH/$f"
		chmod 644 "$SCRATCH/$f"
		[ -e "/etc/$f" ] || touch "/etc/$f"
		mount --bind "$SCRATCH/$f" "/etc/$f"
	done
	chmod 711 "$SCRATCH"
	add_line /etc/passwd "alice:x:2001:2002::$SCRATCH/home-alice:/bin/sh"
	add_line /etc/group "alice:x:2002:"
	install -d -o 2001 -g 2002 "$SCRATCH/home-alice"
	STORE=$SCRATCH/home-alice/.local/share/shiftbox
}

grant() { # LINE: the same in both files
	echo "$1" >>"$SCRATCH/subuid"
	echo "$1" >>"$SCRATCH/subgid"
}

image() { # DIR JSON
	"$TESTS/fixtures/mkimage.py" "$SCRATCH/$1" <<<"$2"
	chmod -R a+rX "$SCRATCH/$1"
}

alice() { # ARGUMENTS...
	as_user alice "$SHIFTBOX" "$@"
}

unpack() { # as alice; nothing may be said on stderr
	must_work alice image-unpack "$@"
}

in_alices() { # CMD...: as root of such a namespace, made by unshare(1)
	as_user alice unshare -Urm --map-auto --propagation private "$@"
}

layer() { # IMAGE [N]: the Nth layer's directory, topmost first
	echo "$STORE/$(sed -n "${2:-1}p" "$STORE/images/$1/layers")"
}

MANY='{"layers":[{"files":{"root":"0","mail":{"data":"1","uid":0,"gid":8},
	"www":{"type":"dir","uid":33,"gid":33,"mode":"2750"},
	"www/x":{"data":"2","uid":33,"gid":1000,"mode":"6711"},
	"nobody":{"data":"3","uid":65534,"gid":65534},
	"s":{"type":"symlink","to":"x","uid":7,"gid":7},"p":{"type":"fifo","uid":8,"gid":9}}}]}'

@test "owners are born as subordinate ids, in the user's own store, and nothing is chowned" {
	grant alice:300000:65536
	image a "$MANY"
	unpack "$SCRATCH/a"
	[[ $output == "a: 1 layer (1 unpacked, 0 shared), 7 entries, "* ]] ||
		tell "another summary"
	must_equal "$(stat -c %a:%u:%g "$STORE")" 700:2001:2002
	must_equal "$(cd "$(layer a)" && stat -c '%n %u:%g %a' root mail www www/x nobody s p)" \
		"root 2001:2002 644
mail 2001:300007 644
www 300032:300032 2750
www/x 300032:300999 6711
nobody 365533:365533 644
s 300006:300006 777
p 300007:300008 644"
	must_equal "$(grep -c uid=65534 "$(layer a).mtree")" 1
}

@test "the guard comes after newuidmap and before the first file, and nothing is chowned" {
	grant alice:300000:65536
	image a "$MANY"
	# The tracer is root's, or newuidmap would lose its privilege.
	strace -f -o trace \
		-e trace=execve,unshare,seccomp,prctl,setfsuid,chown,fchown,lchown,fchownat \
		setpriv --reuid alice --regid alice --clear-groups --inh-caps=-all \
		env -u XDG_DATA_HOME HOME="$SCRATCH/home-alice" \
		"$SHIFTBOX" image-unpack -q "$SCRATCH/a"
	grep -q uid=65534 "$(layer a).mtree"
	! grep -E 'chown' trace || say "something was chowned"
	! grep -E 'PR_SET_NO_NEW_PRIVS' trace || say "no_new_privs was set"
	local filter='seccomp\(SECCOMP_SET_MODE_FILTER'
	must_equal "$(grep -oE "unshare\(CLONE_NEWUSER|/new[ug]idmap\"|$filter|setfsuid" trace |
		uniq | head -n5 | tr '\n' ' ')" "$(joined 'unshare(CLONE_NEWUSER /newuidmap" ' \
		'/newgidmap" seccomp(SECCOMP_SET_MODE_FILTER setfsuid ')"
}

@test "-v tells the map in words, and --store and XDG_DATA_HOME are heeded" {
	grant alice:300000:1000
	grant alice:400000:64537
	image a '{"layers":[{"files":{"a":{"uid":1001,"gid":1001}}}]}'
	capture alice image-unpack -v -s "$SCRATCH/home-alice/s" "$SCRATCH/a"
	must_equal "$status" 0
	stderr_has "continuing as root of a user namespace of alice: users 0 stored as 2001," \
		"1-1000 stored as 300000-300999, 1001-65537 stored as 400000-464536;" \
		"groups 0 stored as 2002, 1-1000"
	must_equal "$(cd "$SCRATCH/home-alice/s" && owner "$(cat images/a/layers)/a")" \
		400000:400000
	capture as_user alice XDG_DATA_HOME="$SCRATCH/home-alice/data" \
		"$SHIFTBOX" image-unpack "$SCRATCH/a"
	[ -d "$SCRATCH/home-alice/data/shiftbox/images/a" ]
}

@test "an id beyond the grant is refused by name, with the missing line; with that it works" {
	local id
	grant alice:300000:65536
	grant bob:365536:100
	for id in uid gid; do
		: # the other one is 0
		image "$id" '{"layers":[{"files":{"fine":"1"}},
			{"files":{"d":{"type":"dir"},"d/big":{"data":"1","'$id'":70000}}}]}'
		must_fail 1 "'d/big': image '$id', layer 2 of 2 (sha256:" \
			alice image-unpack "$SCRATCH/$id"
		kind=$([ $id = uid ] && echo user || echo group)
		stderr_has "its $kind id 70000 is not among the ids"
		stderr_has "as root: usermod --add-sub${id}s 365636-370099 alice" \
			"(in /etc/sub$id the line alice:365636:4464)"
		[ ! -e "$STORE/images/$id" ]
		must_equal "$(ls -A "$STORE/tmp" "$STORE/layers")" \
			"$(printf '%s:\n\n%s:' "$STORE/layers" "$STORE/tmp")"
	done
	grant alice:365636:4464
	unpack "$SCRATCH/uid"
	must_equal "$(owner "$(layer uid)/d/big")" 370099:2002
}

@test "an id that no grant can hold" {
	grant alice:300000:65536
	image a '{"layers":[{"files":{"big":{"uid":4294967294}}}]}'
	must_fail 1 "its user id 4294967294" alice image-unpack "$SCRATCH/a"
	[[ $stderr == *"no grant can be that large"* ]] || tell "it is not said"
}

@test "ids in ACLs and capabilities are looked at too" {
	grant alice:300000:65536
	acl=0200000001000600ffffffff0200040070110100 # user 70000
	acl+=04000400ffffffff10000600ffffffff20000400ffffffff
	image acl '{"layers":[
		{"files":{"f":{"xattrs":{"system.posix_acl_access":"'$acl'"}}}}]}'
	must_fail 1 "its access control list's user id 70000" alice image-unpack "$SCRATCH/acl"
	capture alice image-unpack --unmapped=overflow "$SCRATCH/acl"
	must_equal "$status" 0
	must_equal "$(getfattr --only-values -n system.posix_acl_access "$(layer acl)/f" |
		od -An -tx1 | tr -d ' \n' | cut -c25-40)" 02000400dd930500
	image cap '{"layers":[{"files":{"f":{"data":"x",
		"xattrs":{"security.capability":
			"010000030020000000000000000000000000000070110100"}}}}]}'
	must_fail 1 "its capability's user id 70000" alice image-unpack "$SCRATCH/cap"
	capture alice image-unpack --unmapped=overflow "$SCRATCH/cap"
	must_equal "$status" 0
	must_equal "$(getfattr -m - "$(layer cap)/f" 2>/dev/null)" ""
	image root '{"layers":[{"files":{"f":{"data":"x",
		"xattrs":{"security.capability":
			"010000030020000000000000000000000000000021000000"}},
		"g":{"data":"x","xattrs":{"security.capability":
			"0100000200200000000000000000000000000000"}}}}]}'
	unpack "$SCRATCH/root"
	must_equal "$(getfattr --only-values -n security.capability "$(layer root)/f" |
		od -An -tx4 -j20 | tr -d ' ')" "$(printf %08x 300032)"
	must_equal "$(getfattr --only-values -n security.capability "$(layer root)/g" |
		od -An -tx4 -j20 | tr -d ' ')" "$(printf %08x 2001)"
}

UNMAPPED='{"layers":[{"files":{"f":"old","d":{"type":"dir"},"d/keep":"1"}},
	{"files":{"f":{"data":"new","uid":70000,"mode":"6755"},
	"d":{"type":"dir","uid":70000,"gid":5,"mode":"3700"},"d/x":"2",
	"l":{"type":"link","to":"f"},"s":{"type":"symlink","to":"f","gid":70000},
	"more1":{"uid":70001},"more2":{"uid":70001}}}]}'

@test "--unmapped=skip leaves entries out, names the first one, and counts" {
	grant alice:300000:65536
	image a "$UNMAPPED"
	capture alice image-unpack --unmapped=skip "$SCRATCH/a"
	must_equal "$status" 0
	[[ $output == *"skipped: 5 with ids that are not available"* ]] ||
		tell "they are not counted"
	must_equal "$(grep -c "skipped: it (owner" <<<"$stderr")" 1
	[[ $stderr == *"'f': skipped: it (owner 70000:0)"* &&
		$stderr == *"the others are counted, and --verbose names them"* ]] ||
		tell "not named"
	# What was skipped hides what it would have replaced; a directory is as if it had not been
	# listed.
	in_alices sh -euc 'mkdir "$1/m"
		mount -t overlay overlay "$1/m" -o "ro,userxattr,lowerdir=$2:$3"
		cd "$1/m"
		ls -A . d
		stat -c %u:%g:%a d' \
		sh "$SCRATCH/home-alice" "$(layer a 1)" "$(layer a 2)" >seen
	must_equal "$(paste -sd' ' seen)" ".: d  d: keep x 0:0:755"
	alice image-unpack --json --unmapped=skip -N b "$SCRATCH/a" >json 2>/dev/null
	must_equal "$(tail -n1 json | grep -oE '"(shared|unmapped)":[0-9]+' | paste -sd' ')" \
		'"shared":2 "unmapped":0'
}

@test "--unmapped=overflow gives entries to 65534, without the set-id bits that change hands" {
	grant alice:300000:65536
	image a "$UNMAPPED"
	capture alice image-unpack --json --unmapped=overflow "$SCRATCH/a"
	must_equal "$status" 0
	[[ $output == *'"unmapped":5}'* ]] || tell "they are not counted"
	must_equal "$(cd "$(layer a)" && stat -c '%n %u:%g %a %h' f d d/x l s)" \
		"f 365533:2002 2755 2
d 365533:300004 3700 2
d/x 2001:2002 644 1
l 365533:2002 2755 2
s 2001:365533 777 1"
	must_work alice image-unpack --verify a
}

@test "a layer with something missing is not taken for the whole one, nor for another part" {
	grant alice:300000:65536
	image a "$UNMAPPED"
	capture alice image-unpack --unmapped=skip -N skip "$SCRATCH/a"
	capture alice image-unpack --unmapped=overflow -N over "$SCRATCH/a"
	[[ $output == *"(1 unpacked, 1 shared)"* ]] || tell "shared what it must not"
	must_fail 1 "is not among the ids" alice image-unpack -N whole "$SCRATCH/a"
	grant alice:400000:65536
	unpack -N whole "$SCRATCH/a"
	[[ $output == *"(1 unpacked, 1 shared)"* ]] || tell "shared what it must not"
	must_equal "$(head -qn1 "$STORE"/images/{skip,over,whole}/layers | sort -u | wc -l)" 3
	must_equal "$(owner "$(layer whole)/f")" 404463:2002
	unpack --unmapped=overflow -N again "$SCRATCH/a"
	must_equal "$(layer again)" "$(layer whole)"
}

@test "devices are refused by name, and skipped where that is wished" {
	grant alice:300000:65536
	image a '{"layers":[{"files":{"dev":{"type":"dir"},"dev/null":"a file","dev/console":"1"}},
		{"files":{"dev/null":{"type":"char","dev":[1,3]},
		"n":{"type":"link","to":"dev/null"},"z":"1"}}]}'
	must_fail 1 "'dev/null': image 'a', layer 2 of 2" alice image-unpack "$SCRATCH/a"
	[[ $stderr == *"cannot create the device"*"--devices=skip"* ]] || tell "no way out"
	capture alice image-unpack --devices=skip "$SCRATCH/a"
	must_equal "$status" 0
	[[ $stderr == *"'dev/null': skipped: a device"* ]] || tell "it is not named"
	[[ $output == *"skipped: 1 device"* ]] || tell "it is not counted"
	must_equal "$(cd "$(layer a)" && find . -printf '%P %y\n' | sort | paste -sd' ')" \
		" d dev d dev/null c n c z f"
	must_equal "$(stat -c %t:%T "$(layer a)/dev/null")" 0:0
	must_work alice image-unpack --verify a
}

@test "where not even a device 0:0 can be made, whiteouts are attributes" {
	need kernel 6.7
	grant alice:300000:65536
	image a '{"layers":[{"files":{"gone":"1","kept":"2","d":{"type":"dir"},
		"d/x":"3","d/y":"4"}},
		{"files":{".wh.gone":"","d":{"type":"dir","uid":33},
		"d/.wh.x":"","d/.wh.nothing":""}}]}'
	strace -f -qq -o /dev/null -e trace=mknodat -e inject=mknodat:error=EPERM \
		setpriv --reuid alice --regid alice --clear-groups --inh-caps=-all \
		env -u XDG_DATA_HOME HOME="$SCRATCH/home-alice" \
		"$SHIFTBOX" image-unpack -q "$SCRATCH/a"
	must_equal "$(getfattr -R -P --absolute-names -m user.overlay -d "$(layer a)" |
		grep -c user.overlay)" 5
	# shellcheck disable=SC2016
	in_alices sh -euc 'mkdir "$1/m"
		mount -t overlay overlay "$1/m" -o "ro,userxattr,lowerdir=$2:$3"
		cd "$1/m"
		ls -A . d
		cat kept
		! cat gone 2>/dev/null' \
		sh "$SCRATCH/home-alice" "$(layer a 1)" "$(layer a 2)" >seen
	must_equal "$(paste -sd' ' seen)" ".: d kept  d: y 2"
}

@test "without subordinate ids, files of 0:0 are unpacked, and the rest has a way out" {
	image zero '{"layers":[{"files":{"a":"1","gone":"2"}},
		{"files":{".wh.gone":"","d":{"type":"dir"},"d/.wh..wh..opq":""}}]}'
	image a "$MANY"
	capture alice image-unpack "$SCRATCH/zero"
	must_equal "$status" 0
	stderr_has "alice has no subordinate ids: only what belongs to 0:0 can be unpacked" \
		"(shiftbox shift-check subid says why)"
	must_equal "$(owner "$(layer zero 2)/a")" 2001:2002
	must_equal "$(stat -c %t:%T "$(layer zero)/gone")" 0:0
	must_fail 1 "'mail': image 'a', layer 1 of 1" alice image-unpack "$SCRATCH/a"
	stderr_has "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 alice (in" \
		"/etc/subuid and /etc/subgid the line alice:100000:65536)"
	must_equal "$(grep -c usermod <<<"$stderr")" 1
	capture alice image-unpack -q --unmapped=overflow "$SCRATCH/a"
	must_equal "$status" 0
	must_equal "$(cd "$(layer a)" && stat -c '%u:%g:%a' www/x)" 2001:2002:711
	must_work alice image-unpack --verify a
	# one kind only is a mistake, not a choice
	echo alice:300000:65536 >>"$SCRATCH/subuid"
	must_fail 1 "alice has subordinate user ids, but no group ids" \
		alice image-unpack "$SCRATCH/zero"
	[[ $stderr == *"/etc/subgid: alice has no group ids here: usermod --add-subgids"* ]] ||
		tell "no cause"
}

@test "one tree, with --flat" {
	grant alice:300000:65536
	image a "$UNMAPPED"
	must_fail 1 "its user id 70000" \
		alice image-unpack --flat "$SCRATCH/home-alice/flat" "$SCRATCH/a"
	[ ! -e home-alice/flat ]
	capture alice image-unpack --unmapped=skip --flat "$SCRATCH/home-alice/flat" "$SCRATCH/a"
	must_equal "$status" 0
	[[ $output == *"skipped: 5 with"* ]] || tell "not counted"
	must_equal "$(cd home-alice/flat && find . -printf '%P %y %U:%G\n' | sort | paste -sd' ')" \
		" d 2001:2002 d d 2001:2002 d/keep f 2001:2002 d/x f 2001:2002"
	capture alice image-unpack --replace --unmapped=overflow --flat "$SCRATCH/home-alice/flat" \
		"$SCRATCH/a"
	must_equal "$(stat -c %U:%G:%a:%h home-alice/flat/l 2>/dev/null |
		sed s/UNKNOWN/x/g; stat -c %u:%g:%a home-alice/flat/d)" "x:alice:2755:2
365533:300004:3700"
	must_fail 1 "was mounted outside of this user namespace" \
		alice image-unpack -m 0:0:10 --flat "$SCRATCH/home-alice/mapped" "$SCRATCH/a"
	must_fail 1 "was mounted outside of this user namespace" \
		alice image-unpack -m 0:5:10 --flat "$SCRATCH/home-alice/mapped" "$SCRATCH/a"
}

@test "with a map, on a filesystem that the user has mounted, files are created as others" {
	grant alice:300000:65536
	image a "$MANY"
	in_alices sh -euc 'mount -t tmpfs tmpfs "$1"
		"$2" image-unpack -q -m 0:5:60000 -m 65534:60005:1 --flat "$1/flat" "$3"
		cd "$1/flat"; stat -c "%n %u:%g" root mail www/x nobody' sh "$SCRATCH/home-alice" \
		"$SHIFTBOX" "$SCRATCH/a" >seen
	must_equal "$(cat seen)" "root 5:5
mail 5:13
www/x 38:1005
nobody 60005:60005"
}

@test "a store with a base is root's business, and nothing is made before that is said" {
	grant alice:300000:65536
	image a "$MANY"
	must_fail 1 "--base needs root on the host" \
		alice image-unpack --base 1000000 -s "$SCRATCH/home-alice/based" "$SCRATCH/a"
	[[ $stderr == *"omit --base"* ]] || tell "no way out"
	[ ! -e home-alice/based ]
}

@test "a store is not filled further under another grant, and grows with a larger one" {
	image a "$MANY"
	capture alice image-unpack -q --unmapped=skip "$SCRATCH/a"
	must_equal "$status" 0
	must_equal "$(cat "$STORE/ids")" "u:0:2001:1;g:0:2002:1"
	grant alice:300000:65536
	unpack "$SCRATCH/a"
	must_equal "$(cat "$STORE/ids")" "u:0:2001:1;u:1:300000:65536;g:0:2002:1;g:1:300000:65536"
	# unshare(1) leaves the last id out: that is no other grant.
	must_work in_alices "$SHIFTBOX" image-unpack --verify a
	must_work in_alices "$SHIFTBOX" image-unpack -q -N again "$SCRATCH/a"
	capture in_alices "$SHIFTBOX" image-unpack -v --verify a
	[[ $stderr == *"one id more than is available here, 65536"* ]] || tell "not mentioned"
	must_equal "$(cat "$STORE/ids")" "u:0:2001:1;u:1:300000:65536;g:0:2002:1;g:1:300000:65536"
	: >"$SCRATCH/subuid"
	: >"$SCRATCH/subgid"
	grant alice:400000:65536
	must_fail 1 "the store was filled with other ids" alice image-unpack -N b "$SCRATCH/a"
	[[ $stderr == *"user 1 was stored as 300000, and would be as 400000 now"* ]] ||
		tell "it is not said which"
	capture alice image-unpack --verify a
	must_equal "$status" 3
	[[ $stderr == *"warning: the store was filled with other ids than are available here"* ]] ||
		tell "no warning"
	: >"$SCRATCH/subuid"
	: >"$SCRATCH/subgid"
	must_fail 1 "user 1 was stored as 300000, and there is no such id now" \
		alice image-unpack -q -N b "$SCRATCH/a"
	must_work alice image-unpack --list
}

@test "what is wrong with the grants or with newuidmap is named" {
	local real
	real=$(realpath "$(command -v newuidmap)")
	image a "$MANY"
	grant 300000:65536:alice
	capture alice image-unpack "$SCRATCH/a"
	stderr_has "/etc/subuid:1: '300000:65536:alice' has its fields in the wrong order"
	grant alice:300000:65536
	grant alice:310000:10
	must_fail 1 "the subordinate ids of alice cannot be used" alice image-unpack "$SCRATCH/a"
	[[ $stderr == *"try:  shiftbox shift-check subid"* ]] || tell "no way out"
	[[ $stderr == *"why:  /etc/subuid:3: 310000-310009 overlaps the grant in line 2"* ]] ||
		tell "no cause"
	: >"$SCRATCH/subuid"
	: >"$SCRATCH/subgid"
	grant alice:300000:65536
	unpack "$SCRATCH/a"
	mkdir -m 755 bin
	cp "$real" bin/newuidmap
	chmod 755 bin/newuidmap
	must_fail 1 "newuidmap failed (exit status 1)" as_user alice PATH="$SCRATCH/bin:$PATH" \
		"$SHIFTBOX" image-unpack "$SCRATCH/a"
	stderr_has "why:  $SCRATCH/bin/newuidmap has neither the set-uid bit of root nor the" \
		"capability cap_setuid"
	must_fail 1 "newuidmap failed" \
		setpriv --no-new-privs setpriv --reuid alice --regid alice \
		--clear-groups "$SHIFTBOX" image-unpack -s "$STORE" "$SCRATCH/a"
	[[ $stderr == *"no_new_privs is set for this process"* ]] || tell "no cause"
	# shellcheck disable=SC2016
	must_fail 1 "there is no newuidmap" unshare -m sh -c 'mount --bind /dev/null "$1"
		shift
		exec "$@"' sh "$real" \
		setpriv --reuid alice --regid alice --clear-groups "$SHIFTBOX" image-unpack \
		-s "$STORE" "$SCRATCH/a"
	[[ $stderr == *"newuidmap is not installed"* ]] || tell "no cause"
}

@test "the other uses of the store work for its user alone" {
	grant alice:300000:65536
	image a "$MANY"
	unpack "$SCRATCH/a"
	unpack -N b "$SCRATCH/a"
	must_work alice image-unpack --list
	must_equal "$(awk 'NR > 1 { print $1 }' <<<"$output" | paste -sd' ')" "a b"
	must_work alice image-unpack --show a
	must_work alice image-unpack --scan "$SCRATCH/a"
	must_work alice image-unpack --verify a
	[[ $output == *"8 entries checked, no findings" ]] || tell "something was found"
	must_work alice image-unpack -n "$SCRATCH/a"
	[[ $output == *"to be unpacked into $STORE"* ]] || tell "another store"
	must_work alice image-unpack --remove a
	must_work alice image-unpack --prune
	must_equal "$output" "$NONE_TO_REMOVE"
	must_work alice image-unpack --remove b
	must_work alice image-unpack --prune
	[[ $output == "removed layers/sha256-"* || $output == "removed sha256-"* ]] ||
		tell "not removed"
	must_equal "$(find "$STORE" -mindepth 2)" ""
	must_fail 1 "belongs to another user" "$SHIFTBOX" image-unpack -s "$STORE" --list
}

@test "a bundle of the user's own image: the command that is printed runs it, with all ids" {
	need prog crun jq busybox
	local line name
	grant alice:300000:65536
	image app '{"config":{"config":{"Cmd":["sh","-c",
		"id -u; stat -c %u:%g /mail /bin; touch /new && stat -c %u /new"]}},
		"layers":[{"files":{"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"symlink","to":"busybox"},
		"bin/id":{"type":"symlink","to":"busybox"},
		"bin/stat":{"type":"symlink","to":"busybox"},
		"bin/touch":{"type":"symlink","to":"busybox"},
		"mail":{"data":"1","uid":0,"gid":8,"mode":"2755"},
		"proc":{"type":"dir"},"sys":{"type":"dir"},"dev":{"type":"dir"}}}]}'
	unpack -N app "$SCRATCH/app"
	cd home-alice
	# crun does not accept a mixture of the two versions of cgroups.
	if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
	must_fail 1 "has all ids of that user" alice image-unpack --bundle b -m +1000 app
	[ ! -e b ]
	for name in "a b" c; do
		if [ "$name" = c ]; then
			must_work alice image-unpack --bundle $name -m user:alice app
		else
			must_work alice image-unpack --bundle "$name" app
		fi
		must_equal "$(stat -c %a "$name") $(ls "$name")" $'700 config.json\nrootfs'
		line=$(sed -n 's/^  shiftbox//p' <<<"$output" |
			sed "s|shiftbox mount-idmapped|\"$SHIFTBOX\" mount-idmapped|
				s|&& crun|\&\& crun --cgroup-manager=disabled|")
		: >nothing
		must_work as_user alice sh -c "$SHIFTBOX $line" <nothing
		must_equal "$output" $'0\n0:8\n0:0\n0'
	done
	must_work alice image-unpack --json --bundle d app
	jq -e '.enter == "shiftbox userns-run --" and (.mount | contains(" -m none ")) and
		(.run | startswith("crun --root "))' <<<"$output" ||
		say "$output"
	must_work in_alices "$SHIFTBOX" image-unpack --bundle e app
	output_has "  shiftbox mount-idmapped -s " ... " -m none " ... "  crun --root "
	must_fail 1 "a command on an image of your own store: shiftbox userns-run -i app -- CMD" \
		alice mount-idmapped -m user:alice image:app "$SCRATCH"
}

@test "where crun would refuse both versions of cgroups, a bundle's command uses runc" {
	need prog crun runc
	local native=1 runtime
	grant alice:300000:65536
	image app '{"config":{"config":{"Cmd":["busybox","echo","hello"]}},
		"layers":[{"files":{"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"proc":{"type":"dir"},"sys":{"type":"dir"},"dev":{"type":"dir"}}}]}'
	unpack -N app "$SCRATCH/app"
	cd home-alice
	if ! mountpoint -q /sys/fs/cgroup/unified; then
		native=
		mount -t tmpfs none /sys/fs/cgroup
		mkdir /sys/fs/cgroup/unified
		mount -t cgroup2 none /sys/fs/cgroup/unified
	fi
	must_work alice image-unpack --bundle b app
	output_has " && runc --root " ... "both versions of cgroups" ... "the command uses runc."
	line=$(sed -n 's/^  shiftbox//p' <<<"$output" |
		sed "s|shiftbox mount-idmapped|\"$SHIFTBOX\" mount-idmapped|")
	if [ -n "$native" ]; then
		: >nothing
		must_work as_user alice sh -c "$SHIFTBOX $line" <nothing
		must_equal "$output" hello
	fi
	umount /sys/fs/cgroup/unified
	must_work alice image-unpack --bundle c app
	output_has " && crun --root "
	[[ $output != *runc* ]] || tell "it names runc"
	for runtime in crun runc; do
		[[ $output != *"not installed"* ]] || tell "it is"
		mount --bind /dev/null "$(command -v $runtime)"
		must_work alice image-unpack -n --bundle d app
		[ $runtime != crun ] || output_has " && runc --root "
	done
	output_has " && crun --root " ... "crun is not installed here; Debian's package crun has it"
	umount "$(command -v crun)" "$(command -v runc)"
	[ -n "$native" ] || umount /sys/fs/cgroup
}

@test "a mounted image is neither removed nor pruned, wherever its user has mounted it" {
	grant alice:300000:65536
	image a "$MANY"
	unpack "$SCRATCH/a"
	mkdir -m 755 m
	# shellcheck disable=SC2016
	in_alices sh -euc '"$1" mount-idmapped image:a "$2"
		ls "$2" >"$3"
		while [ -e "$3" ]; do sleep 0.05; done' sh "$SHIFTBOX" "$SCRATCH/m" \
		"$SCRATCH/home-alice/ready" </dev/null >err 2>&1 3>&- &
	for _ in $(seq 1200); do [ ! -s home-alice/ready ] || break; sleep 0.05; done
	grep -q www home-alice/ready || say "not mounted: $(cat err)"
	must_fail 1 "the image is mounted" timeout 300 \
		setpriv --reuid alice --regid alice --clear-groups env HOME="$SCRATCH/home-alice" \
		"$SHIFTBOX" image-unpack --remove a
	rm -r "$STORE/images/a" # as if it had not been refused
	must_work timeout 300 \
		setpriv --reuid alice --regid alice --clear-groups env HOME="$SCRATCH/home-alice" \
		"$SHIFTBOX" image-unpack --prune
	must_equal "$output" "$NONE_TO_REMOVE"
	rm home-alice/ready
	wait
	must_work alice image-unpack --prune
	[[ $output == removed* ]] || tell "not removed"
}

@test "SIGTERM, and a kill at any moment, leave nothing half done" {
	local i pid s
	grant alice:300000:65536
	image a '{"layers":[{"bulk":3000,"files":{"w":{"uid":33}}}]}'
	for i in 0.02 0.04 0.06 0.1; do
		for s in TERM KILL; do
			as_user alice "$SHIFTBOX" image-unpack \
				-q "$SCRATCH/a" >/dev/null 2>&1 3>&- &
			pid=$!
			sleep "$i"
			kill "-$s" "$pid" 2>/dev/null || true
			wait "$pid" || true
		done
	done
	unpack -q "$SCRATCH/a"
	must_work alice image-unpack --verify a
	must_equal "$(ls -A "$STORE/tmp")" ""
}

@test "a real image: unpacked, verified, mounted in a user's namespace, and its programs run" {
	local debian
	for p in mmdebstrap umoci; do need prog $p; done
	debian=$(cd "$TESTS/.." && realpath -m "${BUILD:-build}")/fixtures/debian
	mkdir -p "$(dirname "$debian")"
	# Two files of tests may want it at the same time.
	flock "$debian.lock" "$TESTS/fixtures/debian-image.sh" "$debian" >&2
	grant alice:300000:65536
	# Wherever the fixture is, and root's alone: alice has it as her own.
	mkdir -m 755 oci
	must_work "$SHIFTBOX" mount-idmapped -m u:0:2001:1 -m g:0:2002:1 -o ro "$debian/oci" oci
	must_fail 1 "cannot create the device" \
		as_user alice "$SHIFTBOX" image-unpack -N debian "oci:$SCRATCH/oci:latest"
	capture alice image-unpack --devices=skip -N debian "oci:$SCRATCH/oci:latest"
	must_equal "$status" 0
	[[ $stderr == *"'opt/null': skipped: a device"* ]] || tell "it is not named"
	must_work alice image-unpack --verify debian
	[ "$(find "$STORE/layers" -printf '%U:%G\n' | sort -u | wc -l)" -ge 6 ]
	mkdir -m 755 m
	# shellcheck disable=SC2016
	capture in_alices sh -euc 'm=$1; shift
		"$@" mount-idmapped image:debian "$m"
		"$@" shift-check verify --image debian "$m"
		"$@" mount-idmapped -u "$m"
		"$@" mount-idmapped -o ephemeral image:debian "$m"
		chroot "$m" apt-get --version | head -n1
		chroot "$m" perl -e "print 6 * 7, qq(\n)"
		chroot "$m" dpkg -l perl-base | tail -n1 | cut -c1-2
		chroot "$m" id
		chroot "$m" stat -c %U:%G:%a /usr/sbin/postdrop
		chroot "$m" getcap /bin/ping
		chroot "$m" sh -c "cd /etc; echo mine >motd; chown mail motd; stat -c %U motd"' \
		sh "$SCRATCH/m" "$SHIFTBOX"
	must_equal "$status" 0
	output=$(sed -e 's/^[0-9]* entries checked, /checked, /' -e 's/^apt .*/apt/' <<<"$output")
	must_equal "$output" "checked, no findings
apt
42
ii
uid=0(root) gid=0(root) groups=0(root)
root:postdrop:2555
/bin/ping cap_net_raw=ep
mail"
}

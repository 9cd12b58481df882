#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check map: the map that a tree or an image needs.

load lib

cover() {
	capture "$SHIFTBOX" shift-check map --cover "$@"
}

@test "the map that covers a tree has the ids of owners, ACLs and capabilities, and no others" {
	need root
	need prog setfacl setcap
	mkdir -p t/d
	touch t/d/file t/d/cap
	chown 5:6 t/d/file
	chown 10:11 t/d
	ln -s nowhere t/link
	chown -h 7:8 t/link
	setfacl -m u:33:r,g:44:r t/d/file
	setfacl -d -m u:34:r t/d
	setcap -n 1234 cap_net_raw+ep t/d/cap
	mkdir t/mnt
	mount -t tmpfs -o uid=99,gid=99 other t/mnt
	cover t
	[ "$status" = 0 ] || tell "it failed"
	must_equal "$(tail -n1 <<<"$output")" \
		"$(joined 'u:0:0:1;u:5:5:1;u:7:7:1;u:10:10:1;u:33:33:2;u:1234:1234:1;' \
			'g:0:0:1;g:6:6:1;g:8:8:1;g:11:11:1;g:44:44:1')"
}

@test "anyone may ask about files of its own" {
	local uid gid
	mkdir t
	touch t/file
	uid=$(id -u) gid=$(id -g)
	cover t
	must_equal "$(tail -n1 <<<"$output" | tr ';' '\n' | sed 's/^b:\(.*\)/u:\1\ng:\1/' | sort)" \
		"$(printf 'g:%s:%s:1\nu:%s:%s:1' "$gid" "$gid" "$uid" "$uid")"
	cover t "u:$((uid + 1)):5:1;g:$gid:7:1"
	[ "$status" = 3 ] || tell "the status is not 3"
	[[ $output == *"unmapped: user id $uid is on disk"* ]] || tell "the id is not named"
	[[ $output != *"group id $gid is"* ]] || tell "the group is mapped"
}

@test "through an ID-mapped mount it is still the ids on disk that count" {
	need root
	need kernel 6.15
	mkdir d m
	touch d/file
	chown 5:5 d/file
	must_work "$SHIFTBOX" mount-idmapped -m +100000 d m
	cover m
	must_equal "$(tail -n1 <<<"$output")" 'b:0:0:1;b:5:5:1'
}

@test "a map that lacks ids of the tree is a finding, and the part that is needed is printed" {
	need root
	mkdir t
	touch t/a t/b
	chown 5:0 t/a
	chown 70000:0 t/b
	cover t +100000
	[ "$status" = 3 ] || tell "the status is not 3"
	must_equal "$(grep -v 'other ids' <<<"$output")" \
		"unmapped: user id 70000 is on disk, and the map has nothing for it
user ids: disk 0 is seen as 100000
user ids: disk 5 is seen as 100005
group ids: disk 0 is seen as 100000
u:0:100000:1;u:5:100005:1;g:0:100000:1"
	cover t +100000 --json
	must_equal "$(head -n1 <<<"$output")" \
		'{"version":1,"class":"unmapped","kind":"user","disk":70000,"count":1}'
	cover t +100000:100000
	[ "$status" = 0 ] || tell "a map that is wide enough is no finding"
}

@test "an image is covered from its specifications" {
	need root
	mkdir t
	touch t/a t/b
	chown 5:6 t/a
	chown 300000:7 t/b
	tar -C t -cf layer.tar a b
	must_work "$SHIFTBOX" image-unpack -q -s "$SCRATCH/store" -N demo layer.tar
	cover image:demo -s "$SCRATCH/store"
	must_equal "$(tail -n1 <<<"$output")" 'u:0:0:1;u:5:5:1;u:300000:300000:1;g:0:0:1;g:6:6:2'
	cover image:demo -s "$SCRATCH/store" +100000
	[ "$status" = 3 ] || tell "the status is not 3"
	[[ $output == *"user id 300000 is on disk"* ]] ||
		tell "the id that does not fit is not named"
	must_fail 1 "demo" "$SHIFTBOX" shift-check map --cover image:other -s "$SCRATCH/store"
}

@test "what cannot be read is named and no map is printed" {
	need root
	make_user alice 2001 300000 65536
	mkdir -m 755 t
	mkdir -m 700 t/shut
	must_fail 1 "'shut': in 't': cannot read" \
		as_user alice "$SHIFTBOX" shift-check map --cover t
	[ -z "$output" ] || tell "something was printed"
	must_fail 1 "nowhere" "$SHIFTBOX" shift-check map --cover nowhere
}

@test "every form that mount(8) or mount-idmapped takes mounts with that map" {
	need root
	need kernel 6.15
	local form
	mkdir d m
	touch d/file
	chown 5:9 d d/file
	form=$("$SHIFTBOX" shift-check map --to fstab 'u:5:7:1;g:9:11:2')
	must_work "$SHIFTBOX" mount-idmapped -o "$form" d m
	must_equal "$(owner m/file)" 7:11
	umount m
	form=$("$SHIFTBOX" shift-check map --to util-linux 'u:5:7:1;g:9:11:2')
	if mount --version | grep -q 'util-linux 2\.\(39\|[4-9]\)'; then
		mount --bind -o "$form" d m
		must_equal "$(owner m/file)" 7:11
	fi
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check verify against images and specifications: what was unpacked and mounted is what its
# layers said.

load lib
need root
need prog setfacl setcap tar

# Three layers with all that merging has to get right, as a store of one image.
make_image() {
	mkdir -p l1 l2 l3
	(
		cd l1 || exit
		mkdir -p etc gone opaque/old kept/below usr/bin turned shared
		touch etc/passwd etc/shadow gone/x opaque/old/x opaque/y kept/below/f usr/bin/ping \
			usr/bin/su turned/x shared/a whited
		chmod 640 etc/shadow
		chown 0:42 etc/shadow
		chown 5:60 kept kept/below
		chmod 2755 kept
		setcap cap_net_raw+ep usr/bin/ping
		chmod 4755 usr/bin/su
		setfacl -m u:1033:r etc/passwd
		setfacl -d -m g:1044:rx kept
		mknod null c 1 3
		ln usr/bin/su usr/bin/sudo
		ln -s ../nowhere etc/link
		chown -h 7:8 etc/link
		touch odd$'\n'name odd$'\xff'name
	)
	(
		cd l2 || exit
		mkdir -p opaque kept/below shared
		touch .wh.gone .wh.whited opaque/.wh..wh..opq opaque/new kept/below/g \
			turned shared/b
		chown 9:9 kept/below/g
		chmod 1777 opaque
		# A parent that the layer does not list is as it is below.
		tar --xattrs --xattrs-include='*' --acls --numeric-owner -cf ../l2.tar .wh.gone \
			.wh.whited opaque kept/below/g turned shared
	)
	(
		cd l3 || exit
		mkdir gone
		touch gone/back shared-link
		chown 11:12 gone/back
		setcap -n 5 cap_net_admin+p gone/back
		tar --xattrs --xattrs-include='*' --acls --numeric-owner -cf ../l3.tar gone
	)
	tar --xattrs --xattrs-include='*' --acls --numeric-owner -cf l1.tar -C l1 .
	must_work "$SHIFTBOX" image-unpack -q -s "$PWD/store" -N sample l1.tar l2.tar l3.tar
}

check() {
	capture "$SHIFTBOX" shift-check "$@"
}

clean() {
	check "$@"
	[ "$status" = 0 ] || tell "there are findings"
	stderr_empty
	[[ $output = *" entries checked, no findings" ]] || tell "no such summary"
}

# The findings, less the summary, are these lines in any order.
found() {
	[ "$status" = 3 ] || tell "the exit status is not 3"
	[ "$(sed '$d' <<<"$output" | sort)" = "$(sort <<<"$1")" ] ||
		tell "not the findings that were wanted: $1"
}

@test "a mounted image is what its layers say: any map, read-only, ephemeral, with an upper" {
	local options
	make_image
	for options in ro ephemeral upper="$PWD/upper"; do
		mkdir -p m
		must_work "$SHIFTBOX" mount-idmapped -s "$PWD/store" -m +100000 \
			-o "$options" image:sample m
		clean -s "$PWD/store" --image sample -m +100000 m
		must_equal "$output" "$(find m -printf x | wc -c) entries checked, no findings"
		must_work "$SHIFTBOX" mount-idmapped -u m
	done
}

@test "each change of a mounted image is found, and nothing else" {
	make_image
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -s "$PWD/store" -m +100000 -o "upper=$PWD/upper" \
		image:sample m
	chown 100006:100060 m/kept/below/f
	chmod 0755 m/usr/bin/su
	setfacl -m u:101034:r m/etc/passwd
	setcap -r m/usr/bin/ping
	rm m/opaque/new m/null
	chmod 711 .
	# As container root would: the host's root is not one of the map's ids.
	setpriv --reuid 100000 --regid 100000 --clear-groups mkdir m/extra
	setpriv --reuid 100000 --regid 100000 --clear-groups mkfifo m/null
	check -s "$PWD/store" --image sample -m +100000 m
	found "mismatch: m/kept/below/f: uid: disk 0, seen 100006, expected 100000; \
gid: disk 0, seen 100060, expected 100000
mode: m/usr/bin/su: disk 4755, seen 0755
acl: m/etc/passwd: ACL: seen user:101034:r--
caps: m/usr/bin/ping: capabilities on disk are not seen
missing: m/opaque/new: disk regular file, owner 0:0
extra: m/extra: seen directory, owner 100000:100000, with what is below
type: m/null: disk character device, seen fifo"
}

@test "a wrong map of an image is found by the record, or without one in every inode" {
	make_image
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -s "$PWD/store" -m +100000 -o ro image:sample m
	check -s "$PWD/store" --image sample -m +100001 m
	found 'mismatch: m: the mount has the map b:0:100000:65536, expected b:0:100001:65536'
	mount -t tmpfs -o mode=755 run /run # without the record of the mount
	check --summary -s "$PWD/store" --image sample -m +100001 m
	[ "$status" = 3 ]
	[[ $output = *"$(find m -printf x | wc -c) mismatch"* ]] || tell "not every inode"
	must_fail 1 'its map is not known' "$SHIFTBOX" shift-check -s "$PWD/store" --image sample m
}

@test "a layer in the store agrees with its own specification" {
	local spec n=0
	make_image
	for spec in store/layers/*.mtree; do
		check --spec "$spec" "${spec%.mtree}"
		[ "$status" = 0 ] || tell "there are findings"
		n=$((n + 1))
	done
	must_equal "$n" 3
}

@test "a tree is checked against the specifications of other tools" {
	local spec
	make_image
	rm -r l1/null l1/odd*
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -m +100000 l1 m
	if command -v bsdtar >/dev/null; then
		bsdtar --format=mtree --options='!all,type,uid,gid,mode' -cf bsdtar.mtree -C l1 .
	fi
	# What go-mtree and NetBSD's mtree write: directories by name, ".." to leave them, defaults
	# by /set.
	cat >classic.mtree <<-'END'
	#mtree v2.0
	/set type=file uid=0 gid=0 mode=0644
	.               type=dir mode=0755
	    etc         type=dir mode=0755
	        link    type=link uid=7 gid=8 mode=0777 link=../nowhere
	        passwd
	        shadow  gid=42 mode=0640
	    ..
	    gone        type=dir mode=0755
	        x
	    ..
	    kept        type=dir uid=5 gid=60 mode=02755
	        below   type=dir uid=5 gid=60 mode=0755
	            f
	        ..
	    ..
	    opaque      type=dir mode=0755
	        y
	        old     type=dir mode=0755
	            x
	        ..
	    ..
	    shared      type=dir mode=0755
	        a
	    ..
	    turned      type=dir mode=0755
	        x
	    ..
	    usr         type=dir mode=0755
	        bin     type=dir mode=0755
	            ping
	            su    mode=04755
	            sudo  mode=04755
	        ..
	    ..
	    whited
	..
	END
	for spec in *.mtree; do
		clean --spec "$spec" m
		must_equal "$output" "$(find m -printf x | wc -c) entries checked, no findings"
	done
	chmod 600 l1/whited
	chown 6 l1/kept
	for spec in *.mtree; do
		check --spec "$spec" m
		found "mode: m/whited: disk 0644, seen 0600
mismatch: m/kept: uid: disk 5, seen 100006, expected 100005"
	done
}

@test "a specification or image that cannot be read is an error, not a tree without findings" {
	mkdir tree
	: >empty
	printf '#mtree\n./../x type=file\n' >climbs
	printf '#mtree\n./x type=file uid=-1\n./y type=\377\n' >odd
	must_fail 1 'No such file' "$SHIFTBOX" shift-check --spec gone tree
	must_fail 1 '' "$SHIFTBOX" shift-check --spec empty tree
	must_fail 1 'not a path below its root' "$SHIFTBOX" shift-check --spec climbs tree
	must_fail 1 'is a directory' "$SHIFTBOX" shift-check --spec tree tree
	must_fail 1 '' "$SHIFTBOX" shift-check -s "$PWD/none" --image x tree
	make_image
	must_fail 1 'sample' "$SHIFTBOX" shift-check -s "$PWD/store" --image x tree
	must_fail 2 "option '--store' needs --image" "$SHIFTBOX" shift-check -s "$PWD/store" tree
	capture "$SHIFTBOX" shift-check --spec odd tree
	[ "$status" = 1 ] || [ "$status" = 3 ] || tell "neither refused nor found missing"
}

# Names with everything that mtree(5) has to write in another way.
make_odd_tree() {
	mkdir -p odd/d/deep 'odd/with blank'
	touch odd/d/suid 'odd/d/a=b c' $'odd/tab\tx' odd/é $'odd/with blank/new\nline' \
		'odd/with blank/#hash' 'odd/with blank/back\slash' \
		'odd/with blank/back\M-Cslash' 'odd/with blank/st*r[x]?' \
		$'odd/with blank/\xff\xfe\x80\x01\x7f' odd/.hidden
	chown 33:44 odd/d/suid
	chmod 6755 odd/d/suid
	mknod odd/d/null c 1 3
	mkfifo odd/d/fifo
	ln -s '../x é' odd/d/link
	ln odd/d/suid odd/d/hard
	chown 5:6 odd/d/deep
	chmod 1777 odd/d/deep
}

@test "the very files that bsdtar, mtree and umoci write are understood, odd names and all" {
	need prog bsdtar mtree umoci
	local spec n=0
	make_odd_tree
	(
		cd odd || exit
		bsdtar --format=mtree -cf ../bsdtar.mtree .
		bsdtar --format=mtree --options='!all,use-set,indent,type,uid,gid,mode' \
			-cf ../bsdtar-indent.mtree .
		mtree -c -k type,mode,uid,gid,link,size,time,sha256 >../mtree.mtree
		mtree -C -f ../mtree.mtree >../mtree-whole.mtree
	) 2>/dev/null
	umoci init --layout oci
	umoci new --image oci:latest
	umoci insert --image oci:latest odd /
	umoci unpack --image oci:latest bundle
	cp bundle/*.mtree umoci.mtree
	mkdir m unpacked
	must_work "$SHIFTBOX" mount-idmapped -m +100000 odd m
	must_work "$SHIFTBOX" mount-idmapped -m +100000 bundle/rootfs unpacked
	for spec in *.mtree; do
		clean --spec "$spec" "$([ $spec = umoci.mtree ] && echo unpacked || echo m)"
		must_equal "$output" "$(find m -printf x | wc -c) entries checked, no findings"
	done
	for n in odd bundle/rootfs; do
		chmod 600 "$n/é"
		chown :9 "$n"/with*/*slash
		rm "$n"/with*/new*
	done
	for spec in *.mtree; do
		m=$([ $spec = umoci.mtree ] && echo unpacked || echo m)
		check --spec "$spec" "$m"
		found "mode: $m/é: disk 0644, seen 0600
mismatch: $m/with blank/back\\\\slash: gid: disk 0, seen 100009, expected 100000
mismatch: $m/with blank/back\\\\M-Cslash: gid: disk 0, seen 100009, expected 100000
missing: $m/with blank/new\\nline: disk regular file, owner 0:0"
	done
}

@test "a flat root, shifted or not, is compared with the layers that it was made of" {
	make_image
	must_work "$SHIFTBOX" image-unpack -q --flat flat l1.tar l2.tar l3.tar
	clean -s "$PWD/store" --image sample flat
	must_equal "$output" "$(find flat -printf x | wc -c) entries checked, no findings"
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -m +100000 flat m
	clean -s "$PWD/store" --image sample m
	chmod 600 flat/kept/below/g
	chown 100009 flat/usr/bin/ping # and lost its capability
	check -s "$PWD/store" --image sample m
	found "mode: m/kept/below/g: disk 0644, seen 0600
mismatch: m/usr/bin/ping: uid: disk 0, seen 65534, expected 100000
caps: m/usr/bin/ping: capabilities on disk are not seen"
}

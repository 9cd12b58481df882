#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Entries, hard links and whiteouts behind symbolic links: in every form of unpacking, over two
# bases in one store, and when a system call fails.

load lib
need root
need subid
need prog python3 strace

BASE='{"files":{"usr":{"type":"dir"},"usr/bin":{"type":"dir"},"usr/bin/sh":"sh","usr/bin/cp":"cp",
	"bin":{"type":"symlink","to":"usr/bin"},"etc":{"type":"dir"},"etc/passwd":"p",
	"conf":{"type":"symlink","to":"/etc"}}}'
TOP='{"files":{"bin/.wh.cp":"","bin/tool":"tool","bin/sub/x":"x",
	"l":{"type":"symlink","to":"../../bin"},"l/more":"more",
	"h":{"type":"link","to":"conf/passwd"},"conf/new":"new"}}'

test_setup() {
	"$TESTS/fixtures/mkimage.py" links <<<"{\"layers\":[$BASE,$TOP]}"
}

# What must be in the tree.
tree_is_right() { # DIR
	local want
	want=$(joined ". bin conf etc etc/new etc/passwd h l usr usr/bin usr/bin/more" \
		" usr/bin/sh usr/bin/sub usr/bin/sub/x usr/bin/tool")
	must_equal "$(cd "$1" && find . -printf '%P\n' | sed 's/^$/./' | LC_ALL=C sort |
		paste -sd' ')" "$want"
	must_equal "$(cat "$1"/{bin/tool,bin/more,bin/sub/x,h,etc/new} | paste -sd' ')" \
		"toolmorexpnew"
	must_equal "$(readlink "$1/bin" "$1/l" | paste -sd' ')" "usr/bin ../../bin"
}

@test "a stack, a flat tree and a tree with a map have what is behind links" {
	must_work "$SHIFTBOX" image-unpack -q -s store -N x oci:links
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000 -o ro image:x m
	tree_is_right m
	must_equal "$(owner m/usr/bin/tool)" 100000:100000
	umount m
	must_work "$SHIFTBOX" image-unpack -q --flat flat oci:links
	tree_is_right flat
	[ flat/h -ef flat/etc/passwd ]
	must_work "$SHIFTBOX" image-unpack -q --flat mapped -m +100000 oci:links
	tree_is_right mapped
	must_equal "$(owner mapped/usr/bin/more)" 100000:100000
}

@test "so do a store with a base, and the store of an ordinary user" {
	must_work "$SHIFTBOX" image-unpack -q -s store --base 1000000 -N x oci:links
	must_equal "$(find -L store/layers -name more -printf '%U\n')" 1000000
	make_user alice 1200 300000 65536
	install -d -o 1200 -g 1200 home
	chmod -R a+rX links
	let_in as_user alice "$SHIFTBOX" image-unpack -q -s "$SCRATCH/home/store" -N x \
		"oci:$SCRATCH/links"
	let_in as_user alice "$SHIFTBOX" image-unpack -s "$SCRATCH/home/store" --verify x
	must_equal "$(find home/store/layers -name more -printf '%P %U\n' | cut -d/ -f2-)" \
		"usr/bin/more 1200"
}

@test "over a base without the links the same layer is unpacked again" {
	local other=${BASE//'"bin":{"type":"symlink","to":"usr/bin"}'/'"bin":{"type":"dir"}'}
	other=${other//'"cp":"cp"'/'"cp":"other"'}
	"$TESTS/fixtures/mkimage.py" plain <<<"{\"layers\":[$other,$TOP]}"
	must_work "$SHIFTBOX" image-unpack -q -s store -N x oci:links
	must_work "$SHIFTBOX" image-unpack -q -s store -N y oci:plain
	must_work "$SHIFTBOX" image-unpack -s store -N z oci:links
	output_has "2 layers (0 unpacked, 2 shared), already in the store"
	cmp store/images/{x,z}/layers
	[ "$(head -n1 store/images/x/layers)" != "$(head -n1 store/images/y/layers)" ]
	mkdir m
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000 -o ro image:y m
	must_equal "$(cat m/bin/tool)" tool
	[ ! -L m/bin ]
	[ ! -e m/usr/bin/tool ]
	umount m
}

@test "a system call that fails on the way leaves nothing behind" {
	local call n
	for call in renameat renameat2 mkdirat linkat unlinkat readlinkat; do
		for n in 1 2 3 5 8; do
			rm -rf store
			capture inject "$call:EIO:$n" \
				"$SHIFTBOX" image-unpack -q --no-sync -s store -N x oci:links
			[ "$status" != 99 ] || break # so many calls were not made
			[ "$status" = 0 ] || must_equal "$status" 1
			if [ "$status" = 1 ]; then
				stderr_has "Input/output error"
				[ ! -e store/images/x ] || stderr_has \
					"the image 'x' is in the store, but podman may not find it"
			fi
			must_work "$SHIFTBOX" image-unpack -q --no-sync -s store -N x oci:links
			must_equal "$(ls -A store/tmp)" ""
		done
	done
}

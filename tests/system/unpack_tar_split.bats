#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the store keeps of an archive besides its files.

load lib
load images
need root
need prog python3

test_setup() {
	STORE=$SCRATCH/store
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# The name of the only layer of the image.
layer() {
	sed 's|^layers/||' "$STORE/images/$1/layers"
}

@test "the archive of a layer can be made again, byte for byte" {
	local kind l
	image a '{"layers":[{"files":{"d":{"type":"dir"},"d/a":"1","d/.wh.gone":"body",
		"d/l":{"type":"symlink","to":"a"},"d/h":{"type":"link","to":"d/a"},
		"é":"utf-8","empty":"","set":{"data":"x","mode":"4755","uid":7}},"bulk":300},
		{"files":{"d/a":"2","big":{"copy":"'"$SHIFTBOX"'"},
		"l":{"type":"char","dev":[1,3]},
		"'"$(printf 'long/%.0s' {1..40})"'name":"y"},"compress":"none"}]}'
	unpack a
	for l in $(cat "$STORE/images/a/layers"); do
		must_equal "$("$TESTS/fixtures/join_tar.py" "$STORE/$l")" "${l#layers/}"
		python3 - "$STORE/$l.json" <<-'EOF'
			import json, sys
			size = json.load(open(sys.argv[1]))["tar_size"]
			assert size > 0 and size % 512 == 0, size
		EOF
	done
	# Names that are not UTF-8, and bodies that are not content.
	mkdir tree
	printf x >tree/"$(printf 'n\377me')"
	truncate -s 1M tree/sparse
	printf y >>tree/sparse
	for kind in gnu pax; do
		tar -C tree --format=$kind -S -cf $kind.tar .
		unpack -N $kind layer:$kind.tar
		l=$(layer $kind)
		must_equal "$("$TESTS/fixtures/join_tar.py" "$STORE/layers/$l")" "$l"
	done
}

@test "nothing is kept of an archive that podman cannot make again, or if asked not to" {
	printf 1 >f
	tar -cf twice.tar f f
	capture "$SHIFTBOX" image-unpack -s "$STORE" -v -N twice layer:twice.tar
	stderr_has "podman cannot save it: two entries"
	image a '{"layers":[{"files":{"usr/lib/x":"1","lib":{"type":"symlink","to":"usr/lib"}}},
		{"files":{"lib/y":"2"}}]}'
	capture "$SHIFTBOX" image-unpack -s "$STORE" -v a
	stderr_has "podman cannot save it: files are where symbolic links led"
	[ ! -e "$STORE/$(head -n1 "$STORE/images/a/layers").tar-split.gz" ]
	[ -e "$STORE/$(tail -n1 "$STORE/images/a/layers").tar-split.gz" ]
	image b '{"layers":[{"files":{"b":"1"}}]}'
	unpack --no-tar-split b
	[ ! -e "$STORE/layers/$(layer b).tar-split.gz" ]
	[ ! -e "$STORE/layers/$(layer twice).tar-split.gz" ]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	must_equal "$(find "$STORE/layers" -name '*.tar-split.gz')" ""
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images inside archives: what skopeo and docker write, read without ever extracting it.

load lib
need root
need prog python3

test_setup() {
	STORE=$SCRATCH/store
}

# make FORM FILE JSON: FORM is "", --oci-archive, --docker-archive or --tar
make() {
	# shellcheck disable=SC2086 # no word when empty
	"$TESTS/fixtures/mkimage.py" $1 "$2" <<<"$3"
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# What the image called NAME looks like when it is mounted.
seen() {
	mkdir -p "merged/$1"
	mount -t overlay overlay "merged/$1" \
		-o "ro,lowerdir=$SCRATCH/empty:$(sed "s|^|$STORE/|" "$STORE/images/$1/layers" |
		paste -sd:)"
	"$TESTS/fixtures/treedump.py" "merged/$1"
	umount "merged/$1"
}

# Nothing is in the store: no image, no layer, no staging.
store_is_empty() {
	[ ! -e "$STORE" ] ||
		must_equal "$(find "$STORE/images" "$STORE/layers" "$STORE/tmp" \
		-mindepth 1 ! -name '.lock')" ""
}

# refused TEXT FORM JSON: through its prefix
refused() {
	rm -f bad.tar
	make "$2" bad.tar "$3"
	must_fail 1 "$1" "$SHIFTBOX" image-unpack -s "$STORE" -N bad "${2#--}:bad.tar"
	store_is_empty
}

TREE='{"files":{"etc":{"type":"dir","uid":3,"mode":"751"},"etc/a":{"data":"one","uid":70000},
	"b":"two","l":{"type":"symlink","to":"b"}}}'
TOP='{"files":{"etc/.wh.a":"","etc/c":{"data":"three","mode":"4755"},"h":{"type":"link","to":"b"}}}'
IMAGE='"layers":['"$TREE,$TOP,$TREE,$TOP"']'

@test "an image is the same from a layout, any archive, compressed, piped, or by its path" {
	local want form k=0
	mkdir empty
	make "" dir "{$IMAGE}"
	unpack -N dir oci:dir
	want=$(seen dir)
	[[ $want == *"0004755"* || $want == *4755* ]]
	[[ $want != *etc/a* ]]
	for form in --oci-archive --docker-archive; do
		for outer in '{}' '{"prefix":"./"}' '{"format":"gnu"}' '{"compress":"gzip"}' \
			'{"compress":"xz"}' '{"compress":"bzip2","prefix":"./"}'; do
			for new in false true; do
				make $form a.tar "{$IMAGE,\"new\":$new,\"outer\":$outer}"
				k=$((k + 1))
				for how in "${form#--}:a.tar" a.tar "${form#--}:-" pipe; do
					rm -rf "$STORE"
					if [ "$how" = pipe ]; then
						cat a.tar | must_work "$SHIFTBOX" image-unpack \
							-s "$STORE" -N "v$k" "${form#--}:-"
					else
						must_work "$SHIFTBOX" image-unpack -s "$STORE" \
							-N "v$k" "$how" <a.tar
					fi
					must_equal "$(seen "v$k")" "$want"
				done
			done
		done
	done
	[ $k = 24 ]
}

@test "layers are shared between the forms, since they have the same diff_ids" {
	make "" dir "{$IMAGE}"
	make --docker-archive d.tar "{$IMAGE}"
	make --oci-archive o.tar "{$IMAGE}"
	unpack -N a dir
	unpack -N b d.tar
	[[ $output == *"(0 unpacked, 4 shared)"* ]]
	unpack -N c o.tar
	[[ $output == *"(0 unpacked, 4 shared)"* ]]
	must_equal "$(cat "$STORE/images/a/layers")" "$(cat "$STORE/images/b/layers")"
	cmp "$STORE/images/b/manifest.json" <(tar xOf d.tar manifest.json)
	cmp "$STORE/images/a/config.json" "$STORE/images/c/config.json"
}

@test "an archive is read in place; a compressed one is copied into a file without a name" {
	make --docker-archive d.tar "{$IMAGE}"
	gzip -k d.tar
	mkdir tmp
	must_work env TMPDIR="$SCRATCH/tmp" "$SHIFTBOX" image-unpack -s "$STORE" -N a d.tar.gz
	must_equal "$(ls -A tmp)" ""
	must_work env TMPDIR="$SCRATCH/nowhere" "$SHIFTBOX" image-unpack -s "$STORE" -N b d.tar
	must_fail 1 "cannot make a temporary file" env TMPDIR="$SCRATCH/nowhere" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N c d.tar.gz
	must_fail 1 "more than 1024 bytes, uncompressed" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N c --max-bytes 1K d.tar.gz
}

@test "the name of the image comes from the file and the tag" {
	make --docker-archive some.tar \
		'{"tags":["docs.example:5000/team/app:1.2","app:latest"],'"$IMAGE"'}'
	unpack some.tar
	unpack docker-archive:some.tar:docs.example:5000/team/app:1.2
	unpack docker-archive:some.tar:team/app:1.2
	unpack docker-archive:some.tar:app
	must_equal "$(ls "$STORE/images")" \
		$'docs.example:5000%2Fteam%2Fapp:1.2\nsome\nsome:app\nsome:app:1.2'
	must_fail 2 "need a --name" "$SHIFTBOX" image-unpack -s "$STORE" docker-archive:- <some.tar
	cp some.tar a:b.tar
	unpack docker-archive:a:b.tar:app:1.2
	[ -d "$STORE/images/a:b:app:1.2" ]
}

@test "one image of several is chosen by tag, by digest or by number" {
	local one='{"layers":[{"files":{"one":"1"}}],"tags":["a:1","a:latest"],"ref":"first"}'
	local two='{"layers":[{"files":{"two":"2"}}],"tags":["x/b:1"],"ref":"second"}' \
		none='{"layers":[{"files":{"none":"3"}}]}'
	make --docker-archive d.tar '{"images":['"$one,$two,$none"']}'
	make --oci-archive o.tar '{"images":['"$one,$two"']}'
	choice() { # WANT SOURCE
		rm -rf "$STORE"
		unpack -N i "$2"
		must_equal "$(ls "$STORE/$(cat "$STORE/images/i/layers")")" "$1"
	}
	choice one docker-archive:d.tar:a
	choice one docker-archive:d.tar:a:1
	choice two docker-archive:d.tar:b:1
	choice two docker-archive:d.tar:x/b:1
	choice one docker-archive:d.tar:@0
	choice none docker-archive:d.tar:@2
	choice one oci-archive:o.tar:first
	choice two oci-archive:o.tar:second
	must_fail 1 "it has these: a:1, a:latest, x/b:1, @2" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N i d.tar
	must_fail 1 "no image with this tag" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N i docker-archive:d.tar:b
	must_fail 1 "no image with this tag" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N i docker-archive:d.tar:@3
	must_fail 1 "no image with this tag" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N i docker-archive:d.tar::1
	must_fail 1 "oci-archive:FILE:REF" "$SHIFTBOX" image-unpack -s "$STORE" -N i o.tar
	must_fail 2 "is empty" "$SHIFTBOX" image-unpack -s "$STORE" -N i docker-archive:d.tar:
}

@test "what a document names is looked for in the archive and nowhere else" {
	local l='"layers":[{"files":{"a":"1"}}]' name
	make --tar "$SCRATCH/disk.tar" '{"layers":[{"files":{"stolen":"1"},"compress":"none"}]}'
	for name in "$SCRATCH/disk.tar" ../disk.tar disk.tar ./disk.tar /proc/self/fd/0; do
		refused "" --docker-archive '{'"$l"',"docker":{"Layers":["'"$name"'"]}}'
		refused "" --docker-archive '{'"$l"',"docker":{"Config":"'"$name"'"}}'
		refused "" --docker-archive '{'"$l"',"docker":{"Layers":["link"]},
			"outer":{"last":{"link":{"type":"symlink","to":"'"$name"'"}}}}'
		refused "" --docker-archive '{'"$l"',"docker":{"Layers":["link"]},
			"outer":{"last":{"link":{"type":"link","to":"'"$name"'"}}}}'
	done
	refused "leaves the archive" \
		--docker-archive '{'"$l"',"outer":{"without":["manifest.json"],
		"last":{"manifest.json":{"type":"symlink","to":"/etc/passwd"}}}}'
	refused "leaves the archive" \
		--oci-archive '{'"$l"',"outer":{"without":["index.json"],
		"last":{"index.json":{"type":"symlink","to":"../index.json"}}}}'
	refused "links point to each other" \
		--oci-archive '{'"$l"',"outer":{"without":["index.json"],
		"last":{"index.json":{"type":"symlink","to":"x"},
		"x":{"type":"link","to":"index.json"}}}}'
}

@test "members that lead out of the archive are skipped, and nothing is written there" {
	echo safe >canary
	make --oci-archive o.tar \
		'{'"$IMAGE"',"outer":{"first":{"blobs":{"type":"dir"}},
		"last":{"../canary":"gone","'"$SCRATCH"'/canary":"gone",
		"way":{"type":"symlink","to":"'"$SCRATCH"'"},"way/canary":"gone",
		"dev":{"type":"char","dev":[1,3]}}}}'
	unpack -N a oci-archive:o.tar
	must_equal "$(cat canary)" safe
	unpack -N b o.tar
	must_equal "$(cat canary)" safe
}

@test "a member that stands in the archive twice is refused when it is asked for" {
	refused "more than once" --oci-archive '{'"$IMAGE"',"outer":{"first":{"index.json":"{}"}}}'
	refused "more than once" --oci-archive '{'"$IMAGE"',"outer":{"last":{"./index.json":"{}"}}}'
	refused "more than once" \
		--docker-archive '{'"$IMAGE"',"outer":{"last":{"manifest.json":"[]"}}}'
	make --oci-archive o.tar '{'"$IMAGE"',"outer":{"last":{"other":"1","./other":"2"}}}'
	unpack -N a oci-archive:o.tar
}

@test "an archive that is cut or damaged, or whose image lies, is refused" {
	local form compress l='"layers":[{"files":{"a":"1"},"bulk":5}]'
	for form in --oci-archive --docker-archive; do
		refused "cut" $form '{'"$IMAGE"',"outer":{"cut":9000}}'
		for compress in gzip xz bzip2; do
			refused "cut short" $form \
				'{'"$IMAGE"',"outer":{"cut":20,"compress":"'$compress'"}}'
		done
		refused "diff_id" $form \
			'{"layers":['"$TREE"',{"files":{"b":"2"},"diff_id_lie":true}]}'
	done
	refused "the document is not what its digest says" --oci-archive \
		'{'"$l"',"config_lie":true}'
	refused "the blob's digest is wrong" \
		--oci-archive '{"layers":[{"files":{"b":"2"},"digest_lie":true}]}'
	refused "the blob is missing" \
		--oci-archive '{"layers":[{"files":{"b":"2"},"missing":true}]}'
	refused "no such member" --docker-archive '{"layers":[{"files":{"b":"2"},"missing":true}]}'
	refused "is not a JSON array" --docker-archive '{'"$l"',"docker_raw":"{}"}'
	refused "not valid JSON" --docker-archive '{'"$l"',"docker_raw":"[] []"}'
	refused "names no image" --docker-archive '{'"$l"',"docker_raw":"[]"}'
	refused 'has no "Layers"' --docker-archive '{'"$l"',"docker":{"Layers":null}}'
	refused '"RepoTags" is not an array' --docker-archive '{'"$l"',"docker":{"RepoTags":"a"}}'
	refused 'has 1 diff_id for 2 layers' \
		--docker-archive '{'"$l"',"docker":{"Layers":["manifest.json","manifest.json"]}}'
	refused 'has no layers' --docker-archive '{"layers":[]}'
}

@test "the wrong prefix is told, and a layer is not taken for an archive" {
	make --oci-archive o.tar "{$IMAGE}"
	make --docker-archive d.tar "{$IMAGE}"
	make --tar l.tar \
		'{"layers":[{"files":{"etc":{"type":"dir"},"manifest.json":"[]",
		"oci-layout":"{}"}}]}'
	must_fail 1 "use oci-archive:o.tar" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x docker-archive:o.tar
	must_fail 1 "use docker-archive:d.tar" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x oci-archive:d.tar
	make --tar m.tar "{$IMAGE}"
	must_fail 1 "has no oci-layout" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x oci-archive:m.tar
	must_fail 2 "only one image at a time" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x docker-archive:d.tar l.tar
	unpack -N layer l.tar
	must_equal "$(ls "$STORE/$(cat "$STORE/images/layer/layers")")" \
		$'etc\nmanifest.json\noci-layout'
	mkfifo fifo
	must_fail 1 "is a FIFO" \
		timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" -N x docker-archive:fifo
	must_fail 1 "" timeout 300 "$SHIFTBOX" image-unpack -s "$STORE" -N x oci-archive:/dev/zero
}

@test "an image on standard input is unpacked from a file, and refused from a pipe as what it is" {
	local form word
	for form in docker oci; do
		make "--$form-archive" a.tar "{$IMAGE}"
		gzip -k a.tar
		for word in a.tar a.tar.gz; do
			unpack -N "$form" - <"$word"
			[ -f "$STORE/$(head -1 "$STORE/images/$form/layers")/etc/c" ]
			must_fail 1 "unpack it as $form-archive:-" \
				"$SHIFTBOX" image-unpack -s "$STORE" -N piped - < <(cat "$word")
			must_fail 1 "archive of an image" "$SHIFTBOX" image-unpack --scan - \
				< <(cat "$word")
			must_fail 1 "archive of an image" "$SHIFTBOX" image-unpack --flat out - \
				< <(cat "$word")
			[ ! -e out ]
		done
		rm a.tar a.tar.gz
	done
	[ ! -e "$STORE/images/piped" ]
}

@test "layer:FILE is a layer, whatever is in it, and one of several" {
	make --docker-archive d.tar "{$IMAGE}"
	make --tar l.tar '{"layers":[{"files":{"a":"x"}}]}'
	unpack layer:d.tar
	[ -f "$STORE/$(cat "$STORE/images/d/layers")/manifest.json" ]
	unpack -N two l.tar layer:d.tar
	must_equal "$(wc -l <"$STORE/images/two/layers")" 2
	unpack -N piped layer:- < <(cat d.tar)
	cmp "$STORE/images/d/layers" "$STORE/images/piped/layers"
	must_fail 1 "is the archive of an image" \
		"$SHIFTBOX" image-unpack -s "$STORE" -N x l.tar d.tar
	must_fail 1 "No such file" "$SHIFTBOX" image-unpack -s "$STORE" -N x layer:none.tar
}

@test "input without an entry is an error and replaces nothing" {
	local before empty
	make --tar l.tar '{"layers":[{"files":{"a":"x"}}]}'
	tar -cf empty.tar -T /dev/null
	gzip -k empty.tar
	: >none
	gzip -k none
	unpack -N app l.tar
	before=$(cat "$STORE/images/app/layers")
	mkdir flat
	: >flat/old
	for empty in empty.tar empty.tar.gz none none.gz; do
		must_fail 1 "has no entry" "$SHIFTBOX" image-unpack -s "$STORE" -N app "$empty"
		must_fail 1 "has no entry" \
			"$SHIFTBOX" image-unpack -s "$STORE" -N app - < <(cat "$empty")
		must_fail 1 "has no entry" "$SHIFTBOX" image-unpack -s "$STORE" -N app - <"$empty"
		must_fail 1 "has no entry" \
			"$SHIFTBOX" image-unpack -s "$STORE" -N app l.tar - < <(cat "$empty")
		must_fail 1 "has no entry" "$SHIFTBOX" image-unpack --scan "$empty"
		must_fail 1 "has no entry" \
			"$SHIFTBOX" image-unpack --flat flat --replace - < <(cat "$empty")
	done
	must_fail 1 "has no entry" "$SHIFTBOX" image-unpack -s "$STORE" -N app empty.tar empty.tar
	[ -e flat/old ]
	must_equal "$(cat "$STORE/images/app/layers")" "$before"
	unpack -N app l.tar empty.tar
}

@test "a directory that docker save was extracted into is named as such" {
	make --docker-archive d.tar "{$IMAGE}"
	mkdir d
	tar -C d -xf d.tar
	must_fail 1 "docker save" "$SHIFTBOX" image-unpack -s "$STORE" -N x d
	must_fail 1 "docker save" "$SHIFTBOX" image-unpack -s "$STORE" -N x oci:d
	must_fail 1 "docker save" "$SHIFTBOX" image-unpack -s "$STORE" -N x docker-archive:d
	unpack -N again docker-archive:- < <(tar -C d -c .)
	mkdir -p old/1 dir part
	echo '{}' >old/repositories
	must_fail 1 "docker save" "$SHIFTBOX" image-unpack -s "$STORE" -N x old
	echo '{"schemaVersion":2,"layers":[]}' >dir/manifest.json
	must_fail 1 "skopeo" "$SHIFTBOX" image-unpack -s "$STORE" -N x dir
	echo '{}' >part/index.json
	must_fail 1 "part of an OCI layout" "$SHIFTBOX" image-unpack -s "$STORE" -N x part
}

@test "what skopeo makes of an image, in every form, is the same image" {
	local k=0 from want
	need prog skopeo
	mkdir empty
	make "" dir '{"ref":"v1",'"$IMAGE"'}'
	skopeo --insecure-policy copy -q oci:dir:v1 oci-archive:o.tar:v1
	skopeo --insecure-policy copy -q oci:dir:v1 docker-archive:d.tar:some/app:v1
	skopeo --insecure-policy copy -q --dest-compress --dest-compress-format zstd \
		oci:dir:v1 oci:zstd:v1
	skopeo --insecure-policy copy -q oci:zstd:v1 oci-archive:z.tar
	skopeo --insecure-policy copy -q oci:dir:v1 dir:s
	skopeo --insecure-policy copy -q --format v2s2 oci:dir:v1 dir:v2s2
	gzip -k d.tar o.tar
	unpack -N dir oci:dir
	want=$(seen dir)
	for from in oci-archive:o.tar:v1 o.tar o.tar.gz docker-archive:d.tar \
		docker-archive:d.tar:some/app:v1 docker-archive:d.tar:app:v1 d.tar d.tar.gz \
		oci:zstd z.tar dir:s dir:v2s2; do
		rm -rf "$STORE"
		unpack -N i "$from"
		must_equal "$(seen i)" "$want"
		k=$((k + 1))
	done
	[ $k = 12 ]
}

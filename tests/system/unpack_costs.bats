#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A small image costs little, and what takes long ends at a signal. Costs are limits of CPU time:
# other processes do not matter.

load lib
need root
need prog python3

costly() {
	"$TESTS/fixtures/costly.py" "$@"
}

# cheap SECONDS CMD...: it works, within so much CPU time
cheap() {
	local seconds=$1
	shift
	must_work sh -c 'ulimit -t "$1" && shift && exec "$@"' sh "$seconds" "$@"
}

unpack() {
	"$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" "$@"
}

layer_of() {
	find "$SCRATCH/store/layers" -name "sha256-$(sha256sum <"$1" | cut -d' ' -f1)*" \
		-prune "${@:2}"
}

@test "two layers over one chain of directories cost no more than their size" {
	costly chains 2 a.tar
	costly leaves 2 b.tar
	costly image img a.tar b.tar
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x img
	must_equal "$(find -L store/layers -name b -type f | wc -l)" 2
	must_equal "$(layer_of b.tar -name '*.lower' -exec grep -c '^meta .* 40755 0:0 0' {} +)" \
		4001
	# The answers hold: neither layer is read again.
	cheap 5 "$SHIFTBOX" image-unpack --no-sync -s "$SCRATCH/store" -N y img
	[[ $output == *"(0 unpacked, 2 shared)"* ]] || tell "not shared"
}

@test "a path through a symbolic link costs what its directories cost, not their square" {
	costly leaves 1 a.tar
	costly behind 300 b.tar
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar b.tar
	must_equal "$(find -L store/layers -name 'h[0-9]*' | wc -l)" 300
}

@test "directories that symbolic links lead to count for the limit of all layers" {
	costly spread 20 a.tar
	costly spread 20 b.tar
	costly image img a.tar b.tar
	must_fail 1 "the layers have together more than 1500 entries" "$SHIFTBOX" image-unpack \
		-q --no-sync --flat tree --max-entries 1500 img
	must_work "$SHIFTBOX" image-unpack -q --no-sync --flat tree img
	must_equal "$(find tree -name a | wc -l)" 2000
}

@test "nothing is asked below a directory that the layers below do not have" {
	costly empty 1 a.tar
	costly leaves 2 b.tar
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar b.tar
	must_equal "$(layer_of b.tar -name '*.lower' -exec cat {} + | cut -d' ' -f1,2,3 |
		tail -n2)" "$(printf 'meta /c1 none\nmeta /c0 none')"
}

@test "with few open files the layers below are looked up all the same" {
	costly chains 3 a.tar
	costly leaves 3 b.tar
	must_work sh -c 'ulimit -n 400 && ulimit -t 20 && exec "$@"' sh "$SHIFTBOX" image-unpack \
		-q --no-sync -s "$SCRATCH/store" -N x a.tar b.tar
	must_equal "$(find -L store/layers -name b -type f | wc -l)" 3
}

@test "a hard link to a file of 8 TB that is all a hole costs nothing" {
	costly sparse 8000000000000 a.tar
	costly link 3 b.tar
	costly image img a.tar b.tar
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x img
	must_equal "$(find -L store/layers -name link -exec stat -c '%s %b %h' {} +)" \
		"8000000000000 0 3"
	cheap 5 "$SHIFTBOX" image-unpack --no-sync -s "$SCRATCH/store" -N y img
	[[ $output == *"(0 unpacked, 2 shared)"* ]] || tell "not shared"
}

@test "each linked file is read once, and copied once, however many links there are" {
	costly extents 2000 a.tar
	costly link 20000 b.tar
	cheap 10 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar b.tar
	must_equal "$(find -L store/layers -name link -exec stat -c '%s %h' {} +)" "131072000 20000"
	cmp store/layers/*/big store/layers/*/link
}

@test "what an earlier version noted of a linked file still holds, for that content only" {
	local whole lower
	"$TESTS/fixtures/mkimage.py" --tar a.tar <<<'{"layers":[{"files":{"big":"content"},
		"compress":"none"}]}'
	"$TESTS/fixtures/mkimage.py" --tar other.tar <<<'{"layers":[{"files":{"big":"CONTENT"},
		"compress":"none"}]}'
	costly link 1 b.tar
	costly image img a.tar b.tar
	costly image other other.tar b.tar
	must_work unpack -N x img
	lower=$(layer_of b.tar -name '*.lower')
	whole=$(printf content | sha256sum | cut -d' ' -f1)
	grep -q "^file /big .* blocks:[0-9a-f]*\$" "$lower"
	sed -i "s/blocks:[0-9a-f]*\$/$whole/" "$lower"
	must_work "$SHIFTBOX" image-unpack --no-sync -s "$SCRATCH/store" -N y img
	[[ $output == *"(0 unpacked, 2 shared)"* ]] || tell "not shared"
	must_work "$SHIFTBOX" image-unpack --no-sync -s "$SCRATCH/store" -N z other
	[[ $output == *"(2 unpacked, 0 shared)"* ]] || tell "shared with another content"
	must_equal "$(cat "store/$(head -n1 store/images/z/layers)/link")" CONTENT
}

@test "--max-bytes counts skipped bodies, extension headers and files of lower layers" {
	costly skipped 2 a.tar
	must_fail 1 "the layer has more than 33554431 bytes of file data" \
		unpack -N x --max-bytes 33554431 a.tar
	must_work unpack -N x --max-bytes 33554432 a.tar
	python3 - <<-'END'
		import tarfile
		t = tarfile.TarInfo('f')
		t.pax_headers = {'comment': 'x' * 100000}
		open('pax.tar', 'wb').write(t.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
	END
	must_fail 1 "the layer has more than 100000 bytes of file data" \
		unpack -N pax --max-bytes 100000 pax.tar
	must_work unpack -N pax --max-bytes 101000 pax.tar
	# The layer below is in the store, and not read again; what the link copies of it is read.
	costly extents 16 big.tar
	costly link 1 link.tar
	costly image base big.tar
	costly image linked big.tar link.tar
	must_work unpack -N base base
	must_fail 1 "the layer has more than 65535 bytes" unpack -N linked --max-bytes 65535 linked
	[[ $stderr == *"'big': image 'linked', layer 2 of 2"* ]] || tell "another file"
	must_work unpack -N linked --max-bytes 67000 linked
}

@test "files by turns in several deep directories cost no more than one after the other" {
	costly alternate 3000 a.tar
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar
	must_equal "$(find -L store/layers -type f -name '[0-9]*' | wc -l)" 3000
	cheap 5 "$SHIFTBOX" image-unpack -q --no-sync --flat "$SCRATCH/flat" a.tar
	must_equal "$(find flat -type f | wc -l)" 3000
}

@test "a bundle looks for programs in a deep directory of many layers as in one of the top" {
	local i layers=()
	costly programs 1500 a.tar
	for i in {1..20}; do
		costly beside 1 "$i.tar"
		layers+=("$i.tar")
	done
	must_work unpack -N x a.tar "${layers[@]}"
	chmod 711 .
	cheap 3 "$SHIFTBOX" image-unpack -q -s "$SCRATCH/store" --bundle b -m +100000 x -- /bin/sh
}

@test "names of attributes are compared with few others" {
	costly names 150 a.tar
	cheap 5 "$SHIFTBOX" image-unpack --scan a.tar
}

@test "what is kept in memory of a layer is limited" {
	costly targets 65553 a.tar
	must_fail 1 "more than 268435456 bytes in all" unpack -N x a.tar
	python3 - <<-'END'
		import tarfile
		with open('b.tar', 'wb') as f:
		    for i in range(300):
		        t = tarfile.TarInfo('d%d' % i)
		        t.type = tarfile.DIRTYPE
		        t.pax_headers = {'SCHILY.xattr.user.%d' % k: 'x' * 60000 for k in range(16)}
		        f.write(t.tobuf(tarfile.PAX_FORMAT))
		    f.write(bytes(1024))
	END
	must_fail 1 "more than 268435456 bytes in all" unpack -N x b.tar
	must_work "$SHIFTBOX" image-unpack -q --scan b.tar
}

@test "an index that is named again and again is read a limited number of times" {
	python3 - <<-'END'
		import hashlib, json, os
		os.makedirs('img/blobs/sha256')
		def blob(kind, what):
		    data = json.dumps(what).encode()
		    digest = hashlib.sha256(data).hexdigest()
		    open('img/blobs/sha256/' + digest, 'wb').write(data)
		    return {'mediaType': 'application/vnd.oci.image.' + kind + '.v1+json',
		        'digest': 'sha256:' + digest, 'size': len(data)}
		one = blob('manifest', {})
		odd = dict(one, platform={'os': 'plan9', 'architecture': 'x'})
		many = blob('index', {'schemaVersion': 2, 'manifests': [odd] * 15000})
		index = {'schemaVersion': 2, 'manifests': [many] * 250}
		json.dump(index, open('img/index.json', 'w'))
		json.dump({'imageLayoutVersion': '1.0.0'}, open('img/oci-layout', 'w'))
	END
	must_fail 1 "indexes are nested too deeply, or there are too many" \
		sh -c 'ulimit -t 5 && exec "$@"' sh "$SHIFTBOX" image-unpack -q --scan img
}

@test "100,000 variables make a bundle as one does" {
	python3 -c '
import json
env = ["V%d=%d" % (i % 99990, i) for i in range(100000)]
print(json.dumps({"layers": [{"files": {"bin/sh": ""}}],
	"config": {"config": {"Env": env, "Cmd": ["sh"]}}}))' | "$TESTS/fixtures/mkimage.py" img
	must_work unpack -N x oci:img
	chmod 711 .
	cheap 5 "$SHIFTBOX" image-unpack -q -s "$SCRATCH/store" --bundle b -m +100000 x
	# The last one of a name counts, and the order is kept.
	python3 -c '
import json
env = [v for v in json.load(open("b/config.json"))["process"]["env"] if v.startswith("V")]
assert env == ["V%d=%d" % (i % 99990, i) for i in range(10, 100000)], env[:20]'
}

@test "shift-check of 20,000 nested directories costs what as many siblings cost" {
	costly tree 20000 tree
	cheap 10 "$SHIFTBOX" shift-check verify --source tree -m 0:0:4294967295 tree
	[[ $output == "20001 entries checked"* ]] || tell "not all of them"
	cheap 10 "$SHIFTBOX" shift-check map --cover tree
	must_equal "$(tail -n1 <<<"$output")" "b:0:0:1"
	must_work sh -c 'ulimit -n 32 && ulimit -t 20 && exec "$@"' sh "$SHIFTBOX" shift-check map \
		--cover tree
}

# stopped LONGEST RESET CMD...: 20 signals
stopped() {
	must_work "$TESTS/fixtures/stopped.py" 20 "$@"
}

# What is left after a signal is swept by the next run, which works.
then_whole() {
	costly empty 1 after.tar
	must_work unpack -N after after.tar
	must_equal "$(find store/tmp -mindepth 1 ! -name lock)" ""
}

@test "SIGTERM ends an unpack of deep directories at any moment" {
	costly chains 12 a.tar
	costly leaves 12 b.tar
	stopped 2 "rm -rf store" "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" \
		-N x a.tar b.tar
	then_whole
	costly chains 40 a.tar
	costly leaves 40 b.tar
	stopped 1 "rm -rf flat" "$SHIFTBOX" image-unpack -q \
		--no-sync --flat "$SCRATCH/flat" a.tar b.tar
	stopped 1 "rm -rf flat; mkdir flat; touch flat/x" "$SHIFTBOX" image-unpack -q \
		--no-sync --flat "$SCRATCH/flat" --replace a.tar b.tar
}

@test "SIGTERM ends an unpack of many files at any moment" {
	costly empty 150000 a.tar
	stopped 2 "rm -rf store" "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" \
		-N x a.tar
	then_whole
}

@test "SIGTERM ends an unpack of what is read and not kept, at any moment" {
	costly skipped 4000 a.tar
	stopped 2 true "$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar
	then_whole
}

@test "SIGTERM ends an unpack that copies files of lower layers, at any moment" {
	costly extents 30000 a.tar
	costly link 1000 b.tar
	must_work unpack -N a a.tar
	stopped 0.5 'rm -rf store/images/x "$(grep -ls "^file" store/layers/*.lower |
		sed "s/.lower$//")"' \
		"$SHIFTBOX" image-unpack -q --no-sync -s "$SCRATCH/store" -N x a.tar b.tar
	then_whole
}

@test "SIGTERM that comes during the last syncfs ends an unpack, and the call ends alone" {
	need prog strace
	local words call='inject=syncfs:delay_enter=4000000'
	# shellcheck disable=SC2034 # teardown reads it
	LEAVES_STAGING=1
	costly empty 10 a.tar
	for words in "-s $SCRATCH/store -N x" "--flat $SCRATCH/flat"; do
		# shellcheck disable=SC2086 # words
		must_work "$TESTS/fixtures/interrupt.py" --signal TERM --after 2 \
			--line "the next run removes the rest" -- strace -D -f -qqq -o /dev/null \
			-e trace=syncfs -e $call "$SHIFTBOX" image-unpack $words a.tar
		[ -n "$(own_processes)" ] || say "there was no syncfs"
		for _ in {1..1200}; do [ -z "$(own_processes)" ] || sleep 0.05; done
		must_equal "$(own_processes)" ""
	done
	[ ! -e flat ]
	must_equal "$(ls store/images)" ""
	then_whole
}

@test "SIGTERM ends verify, cover and --verify at any moment" {
	costly empty 150000 a.tar
	must_work unpack -N x a.tar
	stopped 0.5 true "$SHIFTBOX" shift-check verify --source store/podman/overlay \
		-m 0:0:4294967295 store/podman/overlay
	stopped 0.3 true "$SHIFTBOX" shift-check map --cover store/podman/overlay
	stopped 0.5 true "$SHIFTBOX" image-unpack -s "$SCRATCH/store" --verify x
	then_whole
}

@test "SIGTERM ends --prune at any moment, and each layer is whole or gone" {
	local n
	for n in 3000 3001 3002 3003; do costly empty $n $n.tar; done
	# Looks at what the run before left, then makes four layers that no image names.
	cat >reset <<-'END'
		for layer in store/layers/sha256-*; do
			[ -d "$layer" ] || continue
			[ -s "$layer.mtree" ] && [ -s "$layer.json" ] ||
				{ echo "$layer lacks its files" >&2; exit 1; }
			grep -qx "$layer $(find "$layer/" | wc -l)" names ||
				{ echo "$layer is not whole" >&2; exit 1; }
		done
		rm -rf store
		"$SHIFTBOX" image-unpack -q --no-sync -s store -N x 300?.tar
		rm -r store/images/x
		[ -e names ] || for layer in store/layers/sha256-*; do
			[ ! -d "$layer" ] || echo "$layer $(find "$layer/" | wc -l)"
		done >names
	END
	export SHIFTBOX
	STOPPED_SECONDS=40 stopped 1 ". $SCRATCH/reset" "$SHIFTBOX" image-unpack -q \
		-s "$SCRATCH/store" --prune
	must_equal "$(wc -l <names)" 4
	must_work sh -e -c '. "$1"' sh "$SCRATCH/reset" # looks at the last run, too
	must_work "$SHIFTBOX" image-unpack -q -s "$SCRATCH/store" --prune
	must_equal "$(ls store/layers)" ""
	then_whole
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# --json: every output of every command has the version, and is as cmd/output.schema.json says.
# tests/run holds what all other tests have printed with --json against it, too.
# BEFORE=PROGRAM compares keys and values with those of another version, such as the last release.

load lib

need root
need subid
need kernel 5.19
need prog python3 jq busybox gcc

SCHEMA=$TESTS/../cmd/output.schema.json

setup_file() {
	if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
		skip "needs python3-jsonschema"
	fi
}

# Run it with --json, whatever its status, and keep all that it prints: nothing but JSON.
put() {
	local program=$1
	shift
	capture "$SHIFTBOX" "$program" --json "$@"
	{
		echo "# $program --json $*"
		printf '%s\n' "${output//$PWD/DIR}"
		printf '%s\n' "${stderr//$PWD/DIR}"
		[ -z "${BEFORE:-}" ] || echo "# status $status"
	} >>all
}

schema() {
	"$TESTS/fixtures/check_json.py" "$@"
}

# Call all commands in a new directory, and keep what they print in the file $1.
put_all() {
	local command option
	mkdir here
	cd here || return
	"$TESTS/fixtures/mkimage.py" img <<<'{"config":{"config":{"Cmd":["sh"]}},
		"layers":[{"files":{"a":{"data":"1","mode":"4755"},"b":"2"}},{"files":{"c":"3"}}]}'

	put image-unpack -s store -n -N a img
	put image-unpack -s store -N a img
	put image-unpack -s store -N a img
	put image-unpack -s store -n -N a img
	put image-unpack --flat flat img
	put image-unpack --flat flat --replace -n img
	put image-unpack --scan img
	put image-unpack -s store --list
	put image-unpack -s store --show a
	put image-unpack -s store --show nosuch
	put image-unpack -s store --bundle bundle -m +100000 a
	put image-unpack -s store --mstack a.mstack a
	mkdir -p a.mstack/bind@d mstack
	put mount-idmapped -s store -n -m +100000 -o ephemeral a.mstack mstack
	put mount-idmapped -s store -m +100000 -o ephemeral a.mstack mstack
	put mount-idmapped --once -m +100000 -o ephemeral a.mstack mstack
	umount -R mstack
	put image-unpack -s store --verify a
	chmod 600 store/layers/sha256-*/b
	put image-unpack -s store --verify a
	put image-unpack -s store -n --remove a
	put image-unpack -s store --prune

	"$TESTS/fixtures/mkimage.py" opaque <<<'{"layers":[{"files":{"d/a":"1"}},
		{"files":{"d/.wh..wh..opq":"","d/b":"2"}}]}'
	put image-unpack -s store -N opaque opaque
	"$TESTS/fixtures/marked_store.py" store
	mkdir stack
	put mount-idmapped -s store -o ro image:opaque stack
	put shift-check verify stack
	put shift-check explain stack/d
	put image-unpack -s store -n --upgrade
	put image-unpack -s store --upgrade opaque
	umount stack

	mkdir s t u low up work
	touch s/file s/alien
	chown 70000:70000 s/alien
	put mount-idmapped -n -m +100000 s t
	put mount-idmapped -m +100000 s t
	put mount-idmapped --once -m +100000 s t
	put mount-idmapped -m +100000 --strict-map -o nosuch s t
	mount -t tmpfs x s/file 2>/dev/null || mkdir s/d && mount -t tmpfs x s/d
	put mount-idmapped -m +100000 -o rbind s u
	put shift-check list
	put shift-check list --all-namespaces
	put shift-check verify t
	put shift-check verify -m +200000 t
	put shift-check verify --submounts u
	put shift-check explain t/file
	put shift-check explain --as 33 --op write t/alien
	put mount-idmapped -u -n t
	put mount-idmapped -u t
	put mount-idmapped -u -R u
	umount s/d
	put mount-idmapped -m +100000 -o store=store,upper=up,work=work image:a t
	put shift-check list
	put mount-idmapped -u t
	echo "$PWD/s $PWD/t shiftbox map=+100000 0 0" >fstab
	put mount-idmapped -a -n -T fstab
	put mount-idmapped -a -T fstab
	put mount-idmapped -a -T fstab
	put mount-idmapped -a -u -T fstab
	truncate -s 32M disk
	mkfs.ext4 -q disk
	put mount-idmapped -m +100000 -o subdir=lost+found disk t
	put mount-idmapped -u t

	put shift-check map +100000
	put shift-check map --to oci +100000
	put shift-check map --diff +200000 +100000
	put shift-check map --cover s 0:100000:1
	put shift-check map nonsense
	put shift-check subid alice
	chmod 711 "$SCRATCH" # the way to the home of alice
	put image-unpack -s store --podman-conf "$PWD/view/%u" alice
	put shift-check podman alice
	chmod 700 "$SCRATCH"
	echo 'alice:nonsense:1' >>/etc/subuid
	put shift-check subid alice
	put shift-check host
	put shift-check host /proc

	closed_root
	put userns-run -m +100000 -r closed/root --allow chown:report --audit audit -- \
		sh -c 'chown 70000 /bin/busybox 2>/dev/null; true'
	put userns-run -m +100000 -r closed/root --allow mknod:safe --audit audit -- \
		mknod /bin/null c 1 3
	put userns-run -m +100000 -r nosuch true
	cat audit >>all

	put image-unpack -s store --remove a
	put image-unpack -s store -n --prune
	put image-unpack -s store --prune
	for command in $("$SHIFTBOX" --list); do
		put "$command" --version
		put "$command" --help
		put "$command" --no-such-option
		put "$command"
	done
	for option in --list --version --help nosuch --nosuch; do
		capture "$SHIFTBOX" "$option" --json
		printf '%s\n' "$output" "$stderr" >>all
		capture "$SHIFTBOX" --json "$option"
		printf '%s\n' "$output" "$stderr" >>all
	done
	cd ..
	mv here/all "$1"
	rm -rf here
}

@test "each command, in each form, succeeding and failing: all kinds of the schema" {
	make_user alice 2001 300000 65536
	chmod 700 "$SCRATCH"
	cp /etc/subuid subuid
	put_all now
	schema --all "$SCHEMA" now
	if [ -n "${BEFORE:-}" ]; then
		cat subuid >/etc/subuid
		SHIFTBOX=$BEFORE JSON_LOG="" put_all before
		"$TESTS/fixtures/compare_json.py" before now
	fi
}

@test "the schema refuses an output that lacks the version, or has an unknown key" {
	local line
	for line in '{"name":"a","brief":"b"}' '{"version":2,"name":"a","brief":"b"}' \
		'{"name":"a","version":1,"brief":"b"}' '{"version":1,"name":"a"}' \
		'{"version":1,"name":"a","brief":"b","new":1}' \
		'{"version":1,"name":1,"brief":"b"}' \
		'[]' 'text' '{"version":1,"message":{"command":"x","level":"bad","what":"y"}}'; do
		echo "$line" >lines
		capture schema "$SCHEMA" lines
		[ "$status" = 1 ] || tell "it was accepted: $line"
	done
	echo '{"version":1,"name":"a","brief":"b"}' >lines
	must_work schema "$SCHEMA" lines
}

@test "--json may stand before the command, and help and version are objects" {
	must_work "$SHIFTBOX" --json shift-check map +100000
	jq -e '.version == 1 and .map == "b:0:100000:65536"' <<<"$output"
	must_work "$SHIFTBOX" --json --version
	jq -e '.program_version' <<<"$output"
	must_work "$SHIFTBOX" userns-run --help --json
	jq -e '.name == "userns-run" and (.options | length > 10)' <<<"$output"
	jq -e '.options[] | select(.name == "image") | .excludes == ["rootfs"]' <<<"$output"
	[[ $output != *excludes_group* ]] || tell "the bits of a table are printed"
	must_fail 2 '{"version":1,"error":{' "$SHIFTBOX" --json nosuch
}

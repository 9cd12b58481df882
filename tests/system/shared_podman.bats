#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The store as an additional image store of podman, buildah and skopeo, which ordinary users see
# through an ID-mapped mount.

# shellcheck disable=SC2034

load lib
load images
need root
need subid
need prog python3 setpriv podman buildah skopeo crun busybox

test_setup() {
	STORE=$SCRATCH/store
	REF=docker.io/library/bb:1
	IMAGE=$STORE/images/docker.io%2Flibrary%2Fbb:1
	# crun accepts no mixture of cgroup versions.
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t tmpfs -o mode=755 run /run
	mkdir -m 755 /run/user
	user alice 2001 300000
	user bob 2002 400000
}

user() { # NAME UID BASE: once for all tests of this file, with a home of each test's own
	chmod 711 "$SCRATCH"
	grep -q "^$1:" /etc/passwd || make_user "$1" "$2" "$3" 65536
	install -d -m 700 -o "$2" -g "$2" "$SCRATCH/home-$1"
	# buildah starts itself without an environment, and would look in /tmp.
	install -d -m 700 -o "$2" -g "$2" "/run/user/$2"
}

test_teardown() {
	local user pid r=0
	# podman's pause process keeps the mounts that it knew.
	for user in alice bob; do
		for pid in $(pgrep -u "$user" -f "catatonit -P|podman pause" || true); do
			grep -qzF "HOME=$SCRATCH/home-$user" "/proc/$pid/environ" && kill -9 "$pid"
		done
		umount -l "$SCRATCH/view-$user" 2>/dev/null || true
	done
	for pid in /sys/fs/cgroup "$SCRATCH/home-alice" "$SCRATCH/home-bob" /run; do
		umount -l "$pid" 2>/dev/null || true
	done
	return $r
}

# The image with busybox: capabilities, owners, a set-uid file, and a directory that is opaque.
BB='{"ref":"v1","config":{"created":"2026-01-02T03:04:05.6Z","config":{"Cmd":["/bin/sh"]},
	"history":[{"created_by":"a"},{"created_by":"b"}]},"layers":[
	{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox"},"etc":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\nu:x:7:7::/:/bin/sh\n",
		"etc/shadow":{"data":"secret","gid":42,"mode":"640"},
		"tmp":{"type":"dir","mode":"1777"},
		"o":{"type":"dir"},"o/gone":"1","o/d":{"type":"dir"},"o/d/gone":"2"}},
	{"files":{"o":{"type":"dir"},"o/.wh..wh..opq":"","o/new":"3","o/d":{"type":"dir"},
		"suid":{"data":"x","mode":"4755","uid":7}}}]}'

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

admin() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# Give the user a view of the store, and the storage.conf that names it.
view() { # USER
	local home=$SCRATCH/home-$1
	mkdir -p "$SCRATCH/view-$1" "$SCRATCH/run-$1"
	chown "$1:" "$SCRATCH/run-$1"
	must_work "$SHIFTBOX" mount-idmapped -m "user:$1" -o ro,nosuid,nodev "$STORE/podman" \
		"$SCRATCH/view-$1"
	install -d -o "$1" "$home/.config" "$home/.config/containers"
	cat >"$home/.config/containers/storage.conf" <<-EOF
		[storage]
		driver = "overlay"
		runroot = "$SCRATCH/run-$1/containers"
		graphroot = "$home/.local/share/containers/storage"
		[storage.options]
		additionalimagestores = ["$SCRATCH/view-$1"]
	EOF
	cat >"$home/.config/containers/containers.conf" <<-'EOF'
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		[containers]
		cgroups = "disabled"
		netns = "none"
		log_driver = "k8s-file"
		default_sysctls = []
	EOF
}

as() { # USER CMD...
	as_user "$1" XDG_RUNTIME_DIR="$SCRATCH/run-$1" "${@:2}"
}

alice() {
	as alice "$@"
}

# What no reader may change: bytes, times, the number of files.
store_state() {
	find "$STORE" -path "$STORE/tmp" -prune -o -printf '%P %i %n %C@ %T@ %s %U:%G %m\n' | sort
}

@test "users run, inspect and compare images of root's store at the same time" {
	image bb "$BB"
	unpack -N $REF bb
	view alice
	view bob
	store_state >before
	for user in alice bob; do
		as $user podman images --format '{{.Names}} {{.ReadOnly}}' >$user.out
		must_equal "$(cat $user.out)" "[$REF] true"
	done
	alice podman run --rm $REF sh -c '
		busybox id -u; busybox stat -c "%u:%g %a" /etc/shadow /suid
		busybox ls /o /o/d' >a &
	as bob podman run --rm --user 7 $REF busybox id -u >b &
	wait %1
	wait %2
	must_equal "$(paste -sd' ' a)" "0 0:42 640 7:0 4755 /o: d new  /o/d:"
	must_equal "$(cat b)" 7
	alice podman inspect $REF --format '{{.Digest}} {{len .RootFS.Layers}}' >out
	must_equal "$(cat out)" "sha256:$(sha256sum <"$IMAGE/manifest.json" | cut -d' ' -f1) 2"
	alice podman run --name c $REF sh -c 'echo mine >/etc/mine; busybox rm /suid'
	must_equal "$(alice podman diff c | sort | paste -sd' ')" "A /etc/mine C /etc D /suid"
	store_state >after
	cmp before after
}

@test "what podman saves, and skopeo copies, has the digests of the source" {
	local dir
	image bb "$BB"
	unpack -N $REF bb
	view alice
	mkdir -m 777 out
	alice podman save --format oci-archive -o out/saved.tar $REF
	alice skopeo copy -q "containers-storage:$REF" oci:out/copied:x
	mkdir out/saved
	tar -C out/saved -xf out/saved.tar
	for dir in bb out/saved out/copied; do
		python3 - "$dir" <<-'EOF' >digests."${dir##*/}"
			import gzip, hashlib, json, sys
			blob = lambda d: open(sys.argv[1] + "/blobs/sha256/" + d[7:], "rb").read()
			i = json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]
			m = json.loads(blob(i["digest"]))
			for l in m["layers"]:
			    b = blob(l["digest"])
			    b = gzip.decompress(b) if b[:2] == b"\x1f\x8b" else b
			    print(hashlib.sha256(b).hexdigest())
			print(m["config"]["digest"])
		EOF
	done
	must_equal "$(wc -l <digests.bb)" 3
	cmp digests.bb digests.saved
	cmp digests.bb digests.copied
	# Without a tar-split podman cannot, and does not write something else instead.
	image c '{"layers":[{"files":{"c":"1"}}]}'
	unpack --no-tar-split -N localhost/c:1 c
	run -1 alice skopeo copy -q containers-storage:localhost/c:1 oci:out/c:x
	[ ! -e out/c/index.json ] || must_equal "$(cat out/c/index.json)" ""
}

@test "users build and commit on a shared image, and cannot remove it" {
	image bb "$BB"
	unpack -N $REF bb
	view alice
	store_state >before
	alice podman run --name c $REF sh -c 'echo mine >/o/mine; busybox rm /o/new'
	alice podman commit -q c localhost/mine >/dev/null
	must_equal "$(alice podman run --rm localhost/mine busybox ls /o | paste -sd' ')" "d mine"
	printf 'FROM %s\nRUN echo built >/built\nCOPY f /f\n' "$REF" >home-alice/Containerfile
	echo copied >home-alice/f
	chmod 644 home-alice/f
	alice buildah bud -q --isolation chroot -t localhost/built home-alice >/dev/null
	must_equal "$(alice podman run --rm localhost/built busybox cat /built /f | paste -sd' ')" \
		"built copied"
	alice buildah from -q --name work $REF >/dev/null
	alice buildah run --isolation chroot work busybox cat /o/new >out
	must_equal "$(cat out)" 3
	alice buildah rm work >/dev/null
	# What is written lands in the user's own storage.
	find home-alice/.local/share/containers/storage/overlay -path '*/diff/o/mine' | grep -q .
	run -125 alice podman rmi -f $REF
	text_has "$output" "read-only"
	alice podman system prune -af >/dev/null
	alice podman run --rm $REF busybox true
	store_state >after
	cmp before after
}

@test "a child image that is pulled brings only what the store lacks" {
	image bb "$BB"
	unpack -N $REF bb
	view alice
	image child "${BB/%\]\}/,\{\"files\":\{\"child\":\"c\"\}\}]\}}"
	chmod -R a+rX child
	# The shared blobs are not even there.
	python3 - <<-'EOF'
		import json, os
		i = json.load(open("child/index.json"))["manifests"][0]
		m = json.load(open("child/blobs/sha256/" + i["digest"][7:]))
		for l in m["layers"][:2]:
		    os.unlink("child/blobs/sha256/" + l["digest"][7:])
	EOF
	alice podman pull -q oci:child >id
	must_equal "$(alice podman run --rm "$(cat id)" busybox cat /child)" c
	ls home-alice/.local/share/containers/storage/overlay >own
	must_equal "$(grep -cE '^[0-9a-f]{64}$' own)" 1
}

@test "podman never fails, and sees whole images alone, while unpacks are killed" {
	local i t killed=0 name more
	image bb "$BB"
	unpack -N $REF bb
	view alice
	for i in {0..30}; do
		more='{"files":{"i":"'i$i'"},"bulk":200,"seed":'$i'}'
		image "i$i" "${BB%\]\}},$more]}"
	done
	timed unpack --no-sync i0
	LEAVES_STAGING=1
	touch go
	while [ -e go ]; do
		# It may warn that / is not a shared mount here.
		alice podman --log-level=error images \
			--format '{{.Repository}}:{{.Tag}} {{.ReadOnly}}'
	done >lists 2>list.errors 3>&- &
	while [ -e go ]; do
		name=$(alice podman images --format '{{.Repository}}:{{.Tag}}' |
			grep localhost/ | shuf -n1)
		[ "localhost/$(alice podman run --rm "$name" busybox cat /i):latest" = "$name" ]
		echo "$name" >>ran
	done >reader 2>&1 3>&- &
	for i in {1..30}; do
		kill_at_random "$SHIFTBOX" image-unpack --no-sync -s "$STORE" "i$i" >/dev/null
		unpack --no-sync "i$i"
	done
	rm go
	wait %1 || { cat list.errors; false; }
	wait %2 || { cat reader; false; }
	must_equal "$(grep -cvxE "(localhost/i[0-9]+:latest|$REF) true" lists list.errors)" \
		$'lists:0\nlist.errors:0'
	must_equal "$(alice podman images -q | wc -l)" 32
	[ "$killed" -gt 10 ]
	[ "$(wc -l <ran)" -gt 2 ]
}

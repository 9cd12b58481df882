#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# STORE/podman follows what is done with the images of the store. What podman itself does with it is
# in shared_podman.bats.

# shellcheck disable=SC2034

load lib
load images
need root
need prog python3 strace

test_setup() {
	STORE=$SCRATCH/store
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# What podman finds, in one line.
podman_has() { # TEXT
	"$TESTS/fixtures/check_podman.py" "$STORE" | sort | paste -sd';' >has
	must_equal "$(cat has)" "$1"
}

layers() {
	python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' \
		"$STORE/podman/overlay-layers/layers.json"
}

# In the third column of --list: what podman makes of the image.
listed() { # NAME
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list --json
	python3 -c '
import json, sys
for l in sys.argv[2].splitlines():
    d = json.loads(l)
    if d["name"] == sys.argv[1]:
        print(d["podman"], d["podman_name"], d["podman_why"], sep="|")' "$1" "$output"
}

BASE='{"files":{"d":{"type":"dir","mode":"2751","uid":3,"gid":4,"xattrs":{"user.x":"31"}},
	"d/f":"1","l":{"type":"symlink","to":"d"},"d/h":{"type":"link","to":"d/f"},
	"p":{"type":"fifo","uid":6},"t":"t"}}'

@test "images that share layers share them for podman, and each change is followed" {
	image a '{"layers":['"$BASE"',{"files":{"a":"1","d/.wh.f":""}}]}'
	image b '{"layers":['"$BASE"',{"files":{"d":{"type":"dir"},"d/.wh..wh..opq":"","b":"2"}}]}'
	unpack a
	podman_has "localhost/a:latest 2"
	unpack -N docker.io/b b
	podman_has "docker.io/library/b:latest 2;localhost/a:latest 2"
	must_equal "$(layers)" 3
	must_equal "$(listed a)" "yes|localhost/a:latest|"
	# Another image takes the name; the same image takes another one.
	unpack -N a b
	podman_has "docker.io/library/b:latest localhost/a:latest 2"
	unpack -N quay.io/x/a:1 a
	podman_has "docker.io/library/b:latest localhost/a:latest 2;quay.io/x/a:1 2"
	# Layers stay for what users have made of them, until --prune.
	for i in docker.io/b a quay.io/x/a:1; do
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove "$i"
	done
	podman_has ""
	must_equal "$(layers)" 3
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	podman_has ""
	must_equal "$(layers)" 0
	unpack a
	podman_has "localhost/a:latest 2"
}

@test "the reference of the source, if it is whole, is the image's name" {
	image a '{"ref":"quay.io/x/a:1","layers":[{"files":{"a":"1"}}]}'
	unpack oci:a:quay.io/x/a:1
	podman_has "quay.io/x/a:1 1"
	must_equal "$(ls "$STORE/images")" "quay.io%2Fx%2Fa:1"
}

@test "an image has several names, and podman knows them all" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	unpack -N a -N docker.io/library/a:2 -N quay.io/x/a a
	podman_has "docker.io/library/a:2 localhost/a:latest quay.io/x/a:latest 1"
	must_equal "$(ls "$STORE/images" | paste -sd' ')" \
		"a docker.io%2Flibrary%2Fa:2 quay.io%2Fx%2Fa"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	podman_has "docker.io/library/a:2 quay.io/x/a:latest 1"
	# podman refuses an index in which two images have one name.
	image b '{"layers":[{"files":{"b":"1"}}]}'
	unpack -N docker.io/a:2 b
	podman_has "<none> 1;docker.io/library/a:2 quay.io/x/a:latest 1"
	must_fail 1 "not a valid name" "$SHIFTBOX" image-unpack -s "$STORE" -N ok -N no/t a
	[ ! -e "$STORE/images/ok" ]
}

@test "--list names the images that podman cannot use, and says why" {
	image a '{"layers":[{"files":{"a":"1"}}]}'
	unpack --no-tar-split -N run a
	local save="podman can run it, but not save or push it: a layer has no tar-split"
	must_equal "$(listed run)" "run|localhost/run:latest|$save"
	image cut '{"layers":[{"files":{"a":"1"}},{"files":{".wh..wh..opq":"","b":"2"}}]}'
	unpack cut
	must_equal "$(listed cut)" \
		"no|localhost/cut:latest|a layer hides all below it, which are not stored"
	unpack -N Up+per a
	must_equal "$(listed Up+per)" "run||$save"
	image dev '{"layers":[{"files":{"c":{"type":"char","dev":[1,3]}}}]}'
	capture "$SHIFTBOX" image-unpack -s "$STORE" --devices=skip -N skipped dev
	unpack -N made dev
	must_equal "$(listed skipped)" "yes|localhost/skipped:latest|"
	[[ $(listed made) == "no|localhost/made:latest|another image has a layer of it"* ]]
	podman_has "localhost/run:latest 1;localhost/skipped:latest 1"
	STORE=$SCRATCH/based
	unpack --base 1000000 a
	[ ! -e based/podman ]
	[[ $(listed a) == "no|localhost/a:latest|a store with a base"* ]]
}

@test "what docker saved, and a layer alone, are images for podman too" {
	"$TESTS/fixtures/mkimage.py" --docker-archive d.tar \
		<<<'{"layers":[{"files":{"a":"1"}},{"files":{"b":"2"}}],"tags":["r.example/app:1"]}'
	unpack d.tar
	touch x
	tar -cf l.tar x
	unpack -N l layer:l.tar
	"$TESTS/fixtures/check_podman.py" "$STORE" >has
	must_equal "$(grep -c ' [12]$' has)" 2
	must_equal "$(listed l)" "yes|localhost/l:latest|"
}

@test "a store of an older version gets its layers for podman by --upgrade, or by an unpack" {
	image a '{"layers":['"$BASE"',{"files":{"a":"1"}}]}'
	image b '{"layers":[{"files":{"b":"1"}}]}'
	unpack a
	unpack b
	"$TESTS/fixtures/old_layout.py" "$STORE"
	must_equal "$(listed a)" \
		"no|localhost/a:latest|an older version stored it: run image-unpack --upgrade"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade -n a
	output_has "would make the layers that podman lacks"
	[ ! -e "$STORE/podman" ]
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade a
	output_has "podman can use it now"
	podman_has "localhost/a:latest 2"
	unpack b
	podman_has "localhost/a:latest 2;localhost/b:latest 1"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --upgrade
	output_has "a: nothing to upgrade"
}

@test "a kill at any moment leaves podman a whole store, and the next run mends it" {
	local i killed=0 t
	image a '{"layers":['"$BASE"',{"files":{"a":"1"},"bulk":400}]}'
	image b '{"layers":['"$BASE"',{"files":{"b":"1"},"bulk":300,"seed":2}]}'
	LEAVES_STAGING=1
	unpack b
	timed unpack --no-sync a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	for i in {1..20}; do
		kill_at_random "$SHIFTBOX" image-unpack --no-sync -s "$STORE" a >/dev/null
		"$TESTS/fixtures/check_podman.py" "$STORE" --quick >has
		grep -qx "localhost/b:latest 2" has
		"$SHIFTBOX" image-unpack -s "$STORE" --remove a >/dev/null 2>&1 || true
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
		podman_has "localhost/b:latest 2"
	done
	[ "$killed" -gt 5 ]
	unpack a
	podman_has "localhost/a:latest 2;localhost/b:latest 2"
}

@test "nor does a kill while an image is removed and pruned" {
	local i n=0
	image a '{"layers":['"$BASE"',{"files":{"a":"1"}}]}'
	image b '{"layers":['"$BASE"',{"files":{"b":"1"}}]}'
	LEAVES_STAGING=1
	unpack b
	for i in {1..8}; do
		unpack --no-sync a
		for action in "--remove a" --prune; do
			# shellcheck disable=SC2086
			strace -f -qq -o /dev/null -e trace=renameat,renameat2,unlinkat \
				-e inject=renameat,renameat2,unlinkat:signal=KILL:when=$i \
				"$SHIFTBOX" image-unpack -s "$STORE" $action >/dev/null ||
				n=$((n + 1))
			"$TESTS/fixtures/check_podman.py" "$STORE" --quick >has
			grep -qx "localhost/b:latest 2" has
		done
	done
	[ "$n" -gt 5 ]
	unpack a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	podman_has "localhost/b:latest 2"
}

@test "readers never see half an image while it is unpacked and removed" {
	local i
	image a '{"layers":['"$BASE"',{"files":{"a":"1"},"bulk":50}]}'
	image b '{"layers":['"$BASE"',{"files":{"b":"1"}}]}'
	unpack b
	touch go
	while [ -e go ]; do
		"$TESTS/fixtures/check_podman.py" "$STORE" --quick || touch bad
	done >seen 2>errors &
	for i in {1..15}; do
		unpack --no-sync a
		must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	done
	rm go
	wait
	[ ! -e bad ] || { cat errors; false; }
	grep -qx "localhost/a:latest 2" seen
}

@test "leases and locks of a user who has a view do not hold root up" {
	need subid
	image a '{"layers":['"$BASE"',{"files":{"a":"1"}}]}'
	image b '{"layers":['"$BASE"',{"files":{"b":"1"}}]}'
	image c '{"layers":['"$BASE"',{"files":{"c":{"type":"link","to":"t"}}}]}'
	unpack a
	grep -q ^alice: /etc/passwd || make_user alice 2001 300000 65536
	chmod 711 "$SCRATCH"
	mkdir view
	must_work "$SHIFTBOX" mount-idmapped -m user:alice -o ro "$STORE/podman" view
	cat >hold.py <<-'EOF'
		import fcntl, os, sys, time, signal
		held, leases, seen = [], 0, set()
		def give_up(*args):
		    print("asked to give up", flush=True)
		    time.sleep(1)
		    for fd in held:
		        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
		signal.signal(signal.SIGIO, give_up)
		for top, dirs, files in os.walk("view"):
		    for n in dirs + files:
		        p = os.path.join(top, n)
		        if os.path.islink(p) or not (os.path.isdir(p) or os.path.isfile(p)):
		            continue
		        if os.stat(p).st_ino in seen:
		            continue
		        seen.add(os.stat(p).st_ino)
		        try:
		            fd = os.open(p, os.O_RDONLY)
		        except PermissionError:
		            continue
		        held.append(fd)
		        fcntl.flock(fd, fcntl.LOCK_EX)
		        fcntl.lockf(fd, fcntl.LOCK_SH)
		        if os.path.isfile(p):
		            for kind in fcntl.F_WRLCK, fcntl.F_RDLCK:
		                try:
		                    fcntl.fcntl(fd, fcntl.F_SETLEASE, kind)
		                    leases += 1
		                    break
		                except OSError as e:
		                    print(p, e, file=sys.stderr)
		print(leases, flush=True)
		for i in range(600):
		    if os.path.exists("stop"):
		        break
		    time.sleep(0.1)
	EOF
	as_user alice python3 hold.py >leases 2>hold.err 3>&- &
	for i in {1..100}; do
		[ -s leases ] && break
		sleep 0.1
	done
	[ "$(cat leases)" -gt 5 ] || { cat hold.err; false; }
	timed unpack b
	[ "$t" -lt 10000000 ]
	must_equal "$(wc -l <leases)" 1
	timed must_work "$SHIFTBOX" image-unpack -s "$STORE" --remove a
	[ "$t" -lt 10000000 ]
	timed must_work "$SHIFTBOX" image-unpack -s "$STORE" --prune
	[ "$t" -lt 10000000 ]
	must_equal "$(wc -l <leases)" 1
	# A file below is read for a hard link to it. The kernel takes the lease away after a while.
	capture "$SHIFTBOX" image-unpack -s "$STORE" c
	[ "$status" = 0 ] || tell "it failed"
	must_equal "$(wc -l <leases)" 2
	stderr_has "'t': waiting until a lease ends that a user holds on this file"
	touch stop
	wait
	umount view
	podman_has "localhost/b:latest 2;localhost/c:latest 2"
}

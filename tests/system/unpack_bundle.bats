#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# --bundle: crun and runc start what the store holds, as the image says and in the user's own range.

load lib
need root
need prog python3 jq busybox crun runc script

test_setup() {
	# the container's root, a user of no name, must find its rootfs; others need not
	chgrp 100000 .
	chmod 710 .
	# crun takes no mixture of the two versions of cgroups: this mount namespace has the older
	# alone then.
	if [ -d /sys/fs/cgroup/unified ] && mountpoint -q /sys/fs/cgroup/unified; then
		umount /sys/fs/cgroup/unified
	fi
}

# image DIR CONFIG [FILES [LAYER...]]: busybox, accounts, and FILES over them in the same layer
image() {
	jq -n --argjson config "$2" --argjson more "${3:-"{}"}" --argjson layers "${4:-[]}" '
	def dir: {type: "dir"};
	def links: ("sh id ls touch cat stat env tty sleep hostname" / " ") |
		map({("bin/" + .): {type: "symlink", to: "busybox"}}) | add;
	def accounts: {
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n",
		"etc/group": ("root:x:0:\nbob:x:1001:\nextra:x:2000:eve,bob\n" +
			"more:x:2001:bob\nhers:x:2002:eve\n")};
	{config: {config: $config}, layers: ([{files: (
		{"./": dir, bin: dir, "bin/busybox": {copy: "/bin/busybox", mode: "755"}} +
		links + accounts + {tmp: {type: "dir", mode: "1777"}, etc: dir,
			proc: dir, sys: dir, dev: dir} +
		$more)}] + $layers)}' >"$1.json"
	"$TESTS/fixtures/mkimage.py" "$1" <"$1.json"
	must_work "$SHIFTBOX" image-unpack -q -s store -N "$1" "$1"
}

bundle() { # NAME DIR [MORE...]
	must_work "$SHIFTBOX" image-unpack -s store --bundle "$2" -m +100000:65536 "$1" "${@:3}"
}

start() { # crun|runc BUNDLE
	# crun gives what it has as stdin to the container's root: not the host's /dev/null
	: >"$SCRATCH/nothing"
	case $1 in
	crun) crun --root "$SCRATCH/crun" --cgroup-manager=disabled run -b "$2" "shiftbox-$$" \
		<"$SCRATCH/nothing" ;;
	runc) runc --root "$SCRATCH/runc" run -b "$2" "shiftbox-$$" <"$SCRATCH/nothing" ;;
	esac
}

is() { # JQ-EXPRESSION [FILE]: it is true of the file
	[ "$(jq "$1" "${2:-b/config.json}")" = true ] || say "not true of ${2:-b/config.json}: $1"
}

@test "crun and runc start a bundle: owners, writing, the exit status; read-only and writable" {
	local runtime way
	local script='id; ls -lnd / /etc/passwd; touch /tmp/new && stat -c %u:%g /tmp/new'
	script+='; cat /proc/self/uid_map; hostname; exit 7'
	image app '{"Cmd":["sh","-c","'"$script"'"]}' \
		'{"odd":{"uid":70000}}'
	capture "$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
	must_equal "$status" 0
	must_equal "$(stat -c %a b)" 711
	mkdir -m 700 closed
	for way in ro ephemeral upper="$SCRATCH/closed/upper"; do
		must_work_but misfit "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 \
			-o "$way" image:app b/rootfs
		must_equal "$(owner b/rootfs/etc/passwd)" 100000:100000
		for runtime in crun runc; do
			capture start $runtime b
			must_equal "$status" 7
			[[ $output == "uid=0(root) gid=0(root)"*app ]] || tell "$runtime: not that"
			output_has "0        0 " ... " /etc/passwd" ... "0     100000      65536"
			case $way in
			ro) [[ $stderr == *"Read-only file system"* ]] || tell "written to" ;;
			*) [[ $output == *$'\n0:0\n'* ]] ||
				tell "not written"; rm b/rootfs/tmp/new ;;
			esac
		done
		must_work "$SHIFTBOX" mount-idmapped -u b/rootfs
	done
}

@test "what the container writes lies in the upper with the ids of the container" {
	image app '{"Cmd":["sh","-c","touch /tmp/mine"],"User":"bob"}'
	bundle app b
	mkdir -m 700 closed
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 \
		-o upper="$SCRATCH/closed/upper" image:app b/rootfs
	must_work start crun b
	must_equal "$(owner b/rootfs/tmp/mine)" 101000:101001
	must_work "$SHIFTBOX" mount-idmapped -u b/rootfs
	must_equal "$(owner closed/upper/tmp/mine)" 1000:1001
}

@test "a store with a base makes no difference: maps and users are the image's" {
	image app '{"Cmd":["sh","-c",
		"id; stat -c %u:%g /etc/passwd; touch /tmp/new && stat -c %u:%g /tmp/new"],
		"User":"bob"}'
	must_work "$SHIFTBOX" image-unpack -q -s based --base 2000000 -N app app
	must_equal "$(owner "based/$(head -n1 based/images/app/layers)/etc/passwd")" 2000000:2000000
	must_work "$SHIFTBOX" image-unpack -s based --bundle b -m +100000:65536 app
	is '.process.user == {uid: 1000, gid: 1001, additionalGids: [2000, 2001]}'
	must_work "$SHIFTBOX" mount-idmapped -s based -m +100000:65536 \
		-o ephemeral image:app b/rootfs
	must_work start crun b
	must_equal "$output" \
		"uid=1000(bob) gid=1001(bob) groups=2000(extra),2001(more)"$'\n0:0\n1000:1001'
	must_work "$SHIFTBOX" mount-idmapped -u b/rootfs
}

@test "the two commands that it tells do what it says, whatever the image is called" {
	local name runtime
	image app '{"Cmd":["sh","-c","touch /here && echo it runs"]}'
	: >nothing
	for name in app localhost/team/app:1 "app:1~%@=a"; do
		[ "$name" = app ] || must_work "$SHIFTBOX" image-unpack -q -s store -N "$name" app
		bundle "$name" "b c'd"
		[[ $output == *"made a bundle of $name, which runs as 0:0"* ]]
		tail -n2 <<<"$output" | sed "s|^  shiftbox|$SHIFTBOX|" >told
		for runtime in "crun --root $SCRATCH/crun --cgroup-manager=disabled" \
			"runc --root $SCRATCH/runc"; do
			sed "s|^  crun|$runtime|" told >commands
			must_work sh -e commands <nothing
			must_equal "$output" "it runs"
			must_work "$SHIFTBOX" mount-idmapped -u "b c'd/rootfs"
		done
		rm -r "b c'd"
	done
}

@test "the shape of config.json" {
	image app '{"Entrypoint":["/bin/env","x"],"Cmd":["y z"],"Env":["A=1","B=2","A=3",
		"PATH=/bin"],"WorkingDir":"tmp","User":"bob",
		"StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{},"53/udp":{}},
		"Labels":{"org.opencontainers.image.title":"T",
		"run.oci.handler":"wasm","run.oci.hooks.stdout":"/etc/shadow"},
		"Healthcheck":{"Test":["NONE"]}}'
	capture "$SHIFTBOX" image-unpack -v -s store --bundle b \
		-m "u:0:100000:1000 u:1000:5000:1 g:0:200000:3000" app
	must_equal "$status" 0
	[[ $stderr == *"label run.oci.handler is not made an annotation"* ]]
	must_equal "$(stat -c %a b/config.json)" 600
	must_equal "$(ls -A b)" $'config.json\nrootfs'
	is '.ociVersion == "1.0.2" and .root == {path: "rootfs", readonly: false} and
		.hostname == "app"'
	is '.process.args == ["/bin/env", "x", "y z"] and .process.cwd == "/tmp" and
		.process.terminal == false'
	is '.process.env == ["B=2", "A=3", "PATH=/bin"]'
	is '.process.user == {uid: 1000, gid: 1001, additionalGids: [2000, 2001]}'
	is '.process.capabilities | keys == ["bounding"] and (.bounding | length == 11 and
		index("CAP_SYS_ADMIN") == null)'
	is '.process.rlimits | length == 1 and .[0].type == "RLIMIT_NOFILE" and
		.[0].soft <= .[0].hard'
	is '.linux.uidMappings == [{containerID: 0, hostID: 100000, size: 1000},
		{containerID: 1000, hostID: 5000, size: 1}]'
	is '.linux.gidMappings == [{containerID: 0, hostID: 200000, size: 3000}]'
	is '[.linux.namespaces[].type] | sort == ["cgroup", "ipc", "mount", "network", "pid",
		"user", "uts"]'
	is '[.mounts[].destination] == ["/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue",
		"/sys", "/sys/fs/cgroup"]'
	is '.mounts[] | select(.destination == "/dev/pts").options | index("gid=5") != null'
	is '(.linux.maskedPaths | index("/proc/kcore") != null) and (.linux.readonlyPaths |
		index("/proc/sys") != null)'
	is '.linux.resources.devices == [{allow: false, access: "rwm"}]'
	# What an image's author writes must not be an order to the runtime.
	is '[.annotations | keys[] | startswith("org.opencontainers.image.")] | all'
	is '.annotations["org.opencontainers.image.title"] == "T" and
		.annotations["org.opencontainers.image.stopSignal"] == "SIGINT"'
	is '.annotations["org.opencontainers.image.exposedPorts"] == "80/tcp,53/udp" and
		.annotations["org.opencontainers.image.os"] == "linux"'
}

@test "root gets capabilities, PATH and hostname; a map without group 5 has no tty group" {
	image app:1.2_x '{"Cmd":["sh"],"Entrypoint":null,"Env":null,"WorkingDir":"","User":""}'
	must_work "$SHIFTBOX" image-unpack -s store --bundle b -m 0:100000:5 -t app:1.2_x
	is '.process.capabilities.effective == .process.capabilities.bounding and
		.process.capabilities.permitted == .process.capabilities.bounding'
	is '.process.capabilities | keys == ["bounding", "effective", "permitted"]'
	is '.process.terminal and .process.cwd == "/" and .hostname == "app-1-2-x"'
	is '.process.env == ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"TERM=xterm"]'
	is '.process.user == {uid: 0, gid: 0}'
	is '.mounts[] | select(.destination == "/dev/pts").options | map(startswith("gid=")) | any |
		not'
}

@test "with --terminal the program has one" {
	image app '{"Cmd":["tty"]}'
	bundle app b -t
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 image:app b/rootfs
	run -0 script \
		-qec "crun --root '$SCRATCH/crun' --cgroup-manager=disabled run -b b shiftbox-$$" \
		/dev/null </dev/null
	# an echo of the end of stdin may come first
	[[ $output == */dev/pts/* ]] || say "no terminal: $output"
}

@test "users and groups are the image's own, by name or number" {
	local user want
	while read -r user want; do
		image app "{\"Cmd\":[\"sh\"],\"User\":\"$user\"}" '{}' '[]'
		bundle app b
		is ".process.user | [.uid, .gid, (.additionalGids // [])] == $want"
		rm -r b app app.json
	done <<-'END'
		bob [1000,1001,[2000,2001]]
		1000 [1000,1001,[2000,2001]]
		bob:extra [1000,2000,[]]
		bob:7 [1000,7,[]]
		4321 [4321,0,[]]
		4321:hers [4321,2002,[]]
		0:0 [0,0,[]]
		root [0,0,[]]
	END
	for user in daemon root:daemon; do
		image app "{\"Cmd\":[\"sh\"],\"User\":\"$user\"}"
		must_fail 1 "the image has no such" \
			"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
		[[ $stderr == *"has no line for 'daemon'"* ]]
		[ ! -e b ]
		rm -r app
	done
	for user in 4294967295 99999999999999999999 0:4294967296; do
		image app "{\"Cmd\":[\"sh\"],\"User\":\"$user\"}"
		must_fail 1 "is not a valid id" \
			"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
		rm -r app
	done
}

@test "accounts are found through the image's links, layer over layer, and never outside" {
	# The machine has this user, and the links lead there from outside of a chroot.
	make_user mallory 4242 300000 1000
	local link
	for link in /etc/passwd ../../../../../../../../../../etc/passwd "$SCRATCH/passwd"; do
		echo 'mallory:x:4242:4242::/:/bin/sh' >passwd
		image app '{"Cmd":["sh"],"User":"mallory"}' \
			"{\"etc/passwd\":{\"type\":\"symlink\",\"to\":\"$link\"}}"
		case $link in
		/etc/passwd | ../*) must_fail 1 "Too many levels of symbolic links" \
			"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app ;;
		*) must_fail 1 "the image has no such user" "$SHIFTBOX" image-unpack -s store \
			--bundle b -m +100000:65536 app ;;
		esac
		[ ! -e b ]
		rm -r app
	done
	# Links over links into a directory of another layer, and a file that a layer above
	# replaces.
	image app '{"Cmd":["sh"],"User":"low"}' \
		'{"etc/passwd":{"type":"symlink","to":"/x/../y/./passwd"},"x":{"type":"dir"},
		"y":{"type":"symlink","to":"real"},
		"real":{"type":"dir"},
		"real/passwd":"low:x:11:12::/:/bin/sh\n"}' '[
		{"files":{"real/passwd":"low:x:21:22::/:/bin/sh\n"}}]'
	bundle app b
	is '.process.user == {uid: 21, gid: 22}'
	rm -r app b
	# Hidden by a whiteout: there are no accounts then, and a number needs none.
	image app '{"Cmd":["sh"],"User":"bob"}' '{}' '[{"files":{"etc/.wh.passwd":""}}]'
	must_fail 1 "the image has no such user" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
	rm -r app
	image app '{"Cmd":["sh"],"User":"bob"}' '{"etc/passwd":{"type":"fifo"}}'
	must_fail 1 "is a FIFO, not a regular file" \
		timeout 300 "$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
}

@test "the map has to cover root and the user; of files it is told that it does not" {
	image app '{"Cmd":["sh"],"User":"bob"}' '{"far":{"uid":70000,"gid":5}}'
	must_fail 1 "the map does not cover user id 0" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m 1:100000:3000 app
	must_fail 1 "the map does not cover group id 0" "$SHIFTBOX" image-unpack -s store \
		--bundle b -m "u:0:100000:3000 g:1:100000:3000" app
	must_fail 1 "the map does not cover user id 1000" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:1000 app
	must_fail 1 "the map does not cover group id 1001" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:1001 app
	must_fail 1 "the map does not cover group id 2001" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:2001 app
	[ ! -e b ]
	capture "$SHIFTBOX" image-unpack -s store --bundle b -m +100000:2002 app
	must_equal "$status" 0
	stderr_has "warning: the map does not cover the owners of" \
		"1 file of the image (for example 70000:5)"
	bundle_without_words=$("$SHIFTBOX" image-unpack -s store --bundle c \
		-m +100000:80000 app 2>&1)
	[[ $bundle_without_words != *warning* ]]
	must_fail 2 "" "$SHIFTBOX" image-unpack -s store --bundle d -m 0:1 app
	must_fail 2 "a bundle needs the --map" "$SHIFTBOX" image-unpack -s store --bundle d app
	must_fail 2 "NAME of an image" "$SHIFTBOX" image-unpack -s store --bundle d -m +1
	must_fail 2 "it is for --flat and --bundle" "$SHIFTBOX" image-unpack -s store -m +1 app
	must_fail 1 "there is no such image" \
		"$SHIFTBOX" image-unpack -s store --bundle d -m +1 other
	[ ! -e d ]
}

@test "the command is the image's, or is given; one is needed" {
	image none '{}'
	must_fail 1 "does not specify a program to run" \
		"$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 none
	[[ $stderr == *"try:  name one, after --"* ]]
	bundle none b -- sh -c 'exit 3' --help
	is '.process.args == ["sh", "-c", "exit 3", "--help"]'
	image both '{"Entrypoint":["e"],"Cmd":["c","d"]}'
	bundle both c x
	is '.process.args == ["e", "x"]' c/config.json
	must_fail 1 "is not UTF-8" \
		"$SHIFTBOX" image-unpack -s store --bundle d -m +100000:65536 none -- $'a\xff'
	image bad '{"Cmd":"sh"}'
	must_fail 1 '"Cmd" is not an array' \
		"$SHIFTBOX" image-unpack -s store --bundle d -m +100000:65536 bad
	[ ! -e d ]
}

@test "only an empty directory becomes a bundle, and what fails leaves it so" {
	image app '{"Cmd":["sh"]}'
	mkdir -m 700 b c
	touch b/file
	must_fail 1 "is not" "$SHIFTBOX" image-unpack -s store --bundle b -m +100000:65536 app
	must_equal "$(ls -A b) $(stat -c %a b)" "file 700"
	must_work "$SHIFTBOX" image-unpack -n -s store --bundle c -m +100000:65536 app
	must_work "$SHIFTBOX" image-unpack -n -s store --bundle d -m +100000:65536 app
	[[ $output == "would make a bundle"* ]]
	must_equal "$(ls -A c) $(stat -c %a c)" " 700"
	[ ! -e d ]
	bundle app c
	must_equal "$(stat -c %a c)" 711
	must_fail 1 "is not" "$SHIFTBOX" image-unpack -s store --bundle c -m +100000:65536 app
	must_fail 1 "cannot create the directory" \
		"$SHIFTBOX" image-unpack -s store --bundle no/where -m +100000:65536 app
	for call in fsync:EIO:1 renameat2:EIO:1 mkdirat:ENOSPC:1 mkdirat:ENOSPC:2; do
		must_fail 1 "cannot" inject "$call" "$SHIFTBOX" image-unpack -s store --bundle d \
			-m +100000:65536 app
		[ ! -e d ] || say "$call left $(ls -A d)"
	done
}

@test "a bundle that the container's root cannot reach, and volumes, are told of" {
	image app '{"Cmd":["sh"],"Volumes":{"/data":{},"/a\u001bb":{}}}'
	mkdir -m 700 closed
	capture "$SHIFTBOX" image-unpack -s store --bundle closed/b -m +100000:65536 app
	must_equal "$status" 0
	[[ $stderr == *"'$SCRATCH/closed' is closed to others (mode 0700)"*"uid 100000"* ]]
	[[ $stderr == *"declares 2 volumes ("*/data*'/a\x1bb'* ]]
}

@test "an image without /proc has to be writable, and that is told" {
	image app '{"Cmd":["sh","-c","echo up"]}' '{}' '[{"files":{".wh.proc":""}}]'
	bundle app b
	[[ $output == *"its stack has to be writable"* ]]
	must_work "$SHIFTBOX" mount-idmapped -s store -m +100000:65536 \
		-o ephemeral image:app b/rootfs
	must_work start runc b
	must_equal "$output" up
}

@test "the keys of the JSON output" {
	image app '{"Cmd":["sh"]}'
	must_work "$SHIFTBOX" image-unpack --json -s store --bundle b -m +100000:65536 app
	echo "$output" >out.json
	is 'keys == ["directory", "event", "gid", "made", "mount", "name", "needs_writable", "run",
		"uid", "version"]' out.json
	is '.event == "bundle" and .made and .uid == 0 and .directory == "'"$SCRATCH"'/b"' out.json
	must_work "$SHIFTBOX" image-unpack -q -s store --bundle c -m +100000:65536 app
	must_equal "$output" ""
}

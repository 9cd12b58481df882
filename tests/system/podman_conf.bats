#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# image-unpack --podman-conf: the storage.conf of a user with a view added, read and written with
# the rights of that user; and podman, which reads it, with the view and without.

load lib
load images
load podman
need root
need subid
need prog python3 setpriv busybox

REF=docker.io/library/bb:1

test_setup() {
	"$SHIFTBOX" image-unpack --help >/dev/null
	STORE=$SCRATCH/store
	mount -t tmpfs -o mode=755 run /run
	podman_start
	podman_user alice 2001 300000
	mkdir -m 755 /run/user
	session
	CONF=$SCRATCH/home-alice/.config/containers/storage.conf
	VIEW=/run/shiftbox/users/alice
}

test_teardown() {
	podman_stop
	mount --make-rprivate /
	umount -l /etc/containers /usr/share/containers 2>/dev/null || true
	umount -l /run
}

# The directory of a session of alice
session() {
	install -d -m 700 -o alice /run/user/2001
}

BB='{"ref":"v1","config":{"created":"2026-01-02T03:04:05.6Z","config":{"Cmd":["/bin/sh"]},
	"history":[{"created_by":"a"},{"created_by":"b"}]},"layers":[
	{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox"},"etc":{"type":"dir"},
		"etc/passwd":"root:x:0:0::/:/bin/sh\n","tmp":{"type":"dir","mode":"1777"}}},
	{"files":{"o":{"type":"dir"},"o/new":"3"}}]}'

# The store, with an image for podman.
store() {
	image bb "$BB"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" -N $REF bb
}

conf() { # ARGUMENT...: about the view, which need not be mounted
	capture "$SHIFTBOX" image-unpack -q -s "$STORE" --podman-conf \
		'/run/shiftbox/users/%u' "$@"
}

mount_views() {
	echo "$STORE/podman /run/shiftbox/users/%u shiftbox" \
		"map=user:%u,each=subid,ro,nosuid,nodev 0 0" >views
	must_work "$SHIFTBOX" mount-idmapped -a -T views
}

# system_conf TEXT: the system's storage.conf
system_conf() {
	[ -d /etc/containers ] || skip "needs /etc/containers"
	mkdir -p etc
	printf '%s\n' "$1" >etc/storage.conf
	mount --bind etc /etc/containers
}

# own TEXT: the user's own storage.conf
own() {
	printf %s "$1" >"$CONF"
	chown alice: "$CONF"
}

# What the text has, as Python's parser reads it, without the view.
read_back() {
	python3 - "$1" "$VIEW" <<-'EOT'
		import json, sys
		try:
		    import tomllib
		except ImportError:
		    sys.exit("no tomllib")
		d = tomllib.load(open(sys.argv[1], "rb"))
		stores = d["storage"]["options"]["additionalimagestores"]
		assert stores.count(sys.argv[2]) == 1, stores
		stores.remove(sys.argv[2])
		print(json.dumps(d, sort_keys=True))
	EOT
}

@test "without a file, podman's defaults for the user are written out, with the view" {
	store
	conf alice
	must_equal "$status" 0
	must_equal "$output" '[storage]
driver = "overlay"
runroot = "/run/user/2001/containers"
graphroot = "'"$SCRATCH"'/home-alice/.local/share/containers/storage"

[storage.options]
additionalimagestores = ["/run/shiftbox/users/alice"]'
	# rootless_storage_path and the driver of the system's file count, and nothing else of it.
	system_conf '[storage]
graphroot = "/var/lib/x"
runroot = "/run/x"
driver = "overlay"
rootless_storage_path = "$HOME/mine-$UID/${USER}"'
	conf alice
	output_has "graphroot = \"$SCRATCH/home-alice/mine-2001/alice\""
	output_has 'runroot = "/run/user/2001/containers"'
}

@test "of the user's own file all stays as it is; the view is added once" {
	local text
	store
	while IFS= read -r -d '|' text; do
		own "$text"
		conf alice
		[ "$status" = 0 ] || tell "not for: $text"
		printf '%s\n' "$output" >with
		must_equal "$(diff "$CONF" with | grep -c '^<' || :)" \
			"$(grep -c 'additionalimagestores = \[' "$CONF" || :)"
		read_back with >now
		sed "s|additionalimagestores = \[\]||" "$CONF" >/dev/null
		# A second time nothing is added.
		own "$output"
		conf alice
		must_equal "$output" "$(cat with)"
	done <<-'EOT'
		# mine
		[storage]
		driver = "overlay"   # kept
		runroot = "/r"
		graphroot = "/g"
		|[storage]
		driver = "overlay"
		[storage.options]
		# no stores yet
		size = "1G"
		[storage.options.overlay]
		mount_program = "/usr/bin/fuse-overlayfs"
		|[storage]
		driver = "overlay"
		[storage.options]
		additionalimagestores = [ "/a",
		  "/b", # last
		]
		|[storage]
		driver = "overlay"
		[storage.options.overlay]
		mountopt = "nodev"
		|
	EOT
}

@test "what a file does not set, and other roots than podman's, are noted and stay the user's" {
	local graph=$SCRATCH/home-alice/.local/share/containers/storage
	store
	mount_views
	noted() { # TEXT...
		capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" alice
		must_equal "$status" 0
		[ $# != 0 ] || stderr_empty
		while [ $# != 0 ]; do
			stderr_has "$1"
			shift
		done
	}
	own $'[storage]\nrunroot = "/run/user/2001/containers"\n'
	noted "'$CONF': does not set driver" \
		"'$CONF': does not set graphroot: podman commit may fail"
	[[ $output != *graphroot* && $stderr != *runroot* ]] || tell "the file has it, or not"
	own $'[storage]\ndriver = "overlay"\nrunroot = "/r/$UID"\ngraphroot = "$HOME/g"\n'
	noted "'$CONF': runroot stays '/r/2001'; podman's default for user 'alice' is" \
		"'/run/user/2001/containers'" "'$CONF': graphroot stays '$SCRATCH/home-alice/g';" \
		"'$graph'"
	output_has 'graphroot = "$HOME/g"'
	# podman expands variables of its own environment, which is not known here.
	own $'[storage]\ndriver = "overlay"\nrunroot = "$RUN/r"\ngraphroot = "${DATA}/g"\n'
	noted
	own "$(printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' \
		/run/user/2001/containers "$graph")"
	noted
	# The notes quote what the user has written.
	own $'[storage]\ndriver = "overlay"\nrunroot = "/\\u001b[2J\\nx"\ngraphroot = "/g"\n'
	noted "runroot stays '/\\x1b[2J\\nx'"
}

@test "a user without a session is noted: podman does not create /run/user/UID" {
	store
	mount_views
	rmdir /run/user/2001
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" --write alice
	must_equal "$status" 0
	stderr_has "'/run/user/2001': does not exist now, and podman of user 'alice' fails without"
	stderr_has "loginctl enable-linger alice"
	need prog podman
	must_fail 125 "mkdir /run/user/2001: permission denied" as alice podman images
	session
	must_work as alice podman images
}

@test "the home directory is that of the account that is named, not of one with the same uid" {
	store
	mount_views
	{ echo "first:x:2001:2001::$SCRATCH/home-first:/bin/sh"; cat /etc/passwd; } >accounts
	mount --bind accounts /etc/passwd
	install -d -o 2001 home-first
	conf --write alice
	must_equal "$status $(ls -A home-first)" "0 "
	[ -e "$CONF" ]
}

@test "--write names no view that podman could not read" {
	store
	conf alice
	must_equal "$status" 0
	must_fail 1 "'$VIEW': has no store for podman that user 'alice' can read" "$SHIFTBOX" \
		image-unpack -s "$STORE" --podman-conf "$VIEW" --write alice
	stderr_has "run mount-idmapped -a first"
	podman_user bob 2002 400000
	mount_views
	must_fail 1 "'/run/shiftbox/users/bob': has no store for podman that user 'alice' can" \
		"$SHIFTBOX" image-unpack -s "$STORE" --podman-conf /run/shiftbox/users/bob \
		--write alice
	[ ! -e "$CONF" ]
	# The store below the view is enough.
	umount $VIEW
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" --write alice
	must_equal "$status" 0
	stderr_has "nothing is mounted there now"
}

@test "a file is not replaced if its owner, its other names or another writer would lose by it" {
	local pid
	store
	mount_views
	nothing_left() {
		must_equal "$(find "${CONF%/*}" -name '.*')" ""
	}
	refused() { # TEXT
		before=$(stat -c '%i %Z' "$CONF")
		conf --write alice
		must_equal "$status" 1
		stderr_has "$1"
		must_equal "$(stat -c '%i %Z' "$CONF")" "$before"
		must_equal "$(cat "$CONF")" '[storage]'
		nothing_left
	}
	own '[storage]'
	chown root "$CONF"
	refused "belongs to 0:2001, and a new file would belong to 2001:2001, so it is not"
	chown 2001:0 "$CONF"
	refused "belongs to 2001:0"
	chown alice: "$CONF"
	ln "$CONF" home-alice/dotfile
	refused "has another name (a hard link)"
	rm home-alice/dotfile
	# An editor saves the file while the new one is written.
	need prog strace
	strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=2s:when=1 \
		"$SHIFTBOX" image-unpack -q -s "$STORE" --podman-conf "$VIEW" --write alice \
		2>said &
	pid=$!
	for _ in {1..100}; do
		[ -z "$(find "${CONF%/*}" -name '.storage.conf.*')" ] || break
		sleep 0.05
	done
	own $'[storage] # edited\n'
	status=0
	wait $pid || status=$?
	must_equal "$status $(cat "$CONF")" "1 [storage] # edited"
	grep -q "'$CONF': was changed by another process meanwhile" said
	nothing_left
}

@test "--write puts it in place: the user's file, its mode kept, and nothing the second time" {
	store
	mount_views
	rm -r home-alice/.config
	conf --write alice
	must_equal "$status $output" "0 "
	must_equal "$(stat -c '%a %U' home-alice/.config home-alice/.config/containers | uniq)" \
		"700 alice"
	must_equal "$(stat -c '%a %U %G' "$CONF")" "644 alice alice"
	before=$(stat -c '%i %Z' "$CONF")
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --podman-conf "$VIEW" --write alice
	must_equal "$(stat -c '%i %Z' "$CONF")" "$before"
	own $'[storage]\ndriver = "overlay" # mine\n'
	chmod 640 "$CONF"
	capture "$SHIFTBOX" image-unpack -n -s "$STORE" --podman-conf "$VIEW" --write alice
	must_equal "$output" "would write $CONF"
	must_equal "$(cat "$CONF")" $'[storage]\ndriver = "overlay" # mine'
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" --write alice
	must_equal "$output" "wrote $CONF"
	must_equal "$(stat -c '%a %U' "$CONF")" "640 alice"
	grep -q 'driver = "overlay" # mine' "$CONF"
	must_equal "$(ls -A home-alice/.config/containers)" storage.conf
}

@test "the caller's own file is found by the caller's environment; root reads another user's home" {
	store
	chmod 755 "$(dirname "$SHIFTBOX")" 2>/dev/null || true
	own $'[storage]\ndriver = "overlay" # of home\n'
	mkdir -p home-alice/x/containers
	echo $'[storage]\ndriver = "overlay" # of xdg' >home-alice/x/containers/storage.conf
	echo $'[storage]\ndriver = "overlay" # of env' >home-alice/env.conf
	chown -R alice: home-alice/x home-alice/env.conf
	cp "$SHIFTBOX" shiftbox
	capture as alice "$SCRATCH/shiftbox" image-unpack --podman-conf "$VIEW"
	output_has "# of home"
	capture as alice XDG_CONFIG_HOME="$SCRATCH/home-alice/x" "$SCRATCH/shiftbox" \
		image-unpack --podman-conf "$VIEW"
	output_has "# of xdg"
	capture as alice XDG_CONFIG_HOME="$SCRATCH/home-alice/x" \
		CONTAINERS_STORAGE_CONF="$SCRATCH/home-alice/env.conf" "$SCRATCH/shiftbox" \
		image-unpack --podman-conf "$VIEW"
	output_has "# of env"
	must_fail 1 "CONTAINERS_STORAGE_CONF names this file" as alice \
		CONTAINERS_STORAGE_CONF="$SCRATCH/home-alice/env.conf" "$SCRATCH/shiftbox" \
		image-unpack --podman-conf "$VIEW" --write
	CONTAINERS_STORAGE_CONF=$SCRATCH/home-alice/env.conf conf alice
	output_has "# of home"
	podman_user bob 2002 400000
	must_fail 1 "only root can do this for another user" as alice "$SCRATCH/shiftbox" \
		image-unpack --podman-conf "$VIEW" bob
}

@test "nothing is set for root, and only a view of this store is named" {
	store
	must_fail 1 "nothing is set for root" "$SHIFTBOX" image-unpack -s "$STORE" \
		--podman-conf "$VIEW"
	must_fail 1 "nothing is set for root" "$SHIFTBOX" image-unpack -s "$STORE" \
		--podman-conf "$VIEW" --write root
	must_fail 2 "cannot be an additional image store" "$SHIFTBOX" image-unpack -s "$STORE" \
		--podman-conf run/users alice
	must_fail 2 "cannot be an additional image store" "$SHIFTBOX" image-unpack -s "$STORE" \
		--podman-conf "/a,b" alice
	must_fail 2 "--write" "$SHIFTBOX" image-unpack -s "$STORE" --write alice
	mkdir -p other $VIEW
	mount --bind other $VIEW
	must_fail 1 "is not a mount of '$STORE/podman'" "$SHIFTBOX" image-unpack -s "$STORE" \
		--podman-conf "$VIEW" alice
	umount $VIEW
	rmdir $VIEW
	mount_views
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" alice
	must_equal "$status" 0
	stderr_empty
	umount $VIEW
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" alice
	must_equal "$status" 0
	stderr_has "nothing is mounted there now"
	must_fail 1 "has nothing for podman" "$SHIFTBOX" image-unpack -s other \
		--podman-conf "$VIEW" alice || must_fail 1 "other" "$SHIFTBOX" image-unpack \
		-s other --podman-conf "$VIEW" alice
}

@test "a store of vfs, or another driver, is named as an obstacle" {
	store
	own $'[storage]\ndriver = "vfs"\n'
	conf alice
	must_equal "$status" 1
	stderr_has "'$CONF': podman of this user has the storage driver vfs"
	rm "$CONF"
	install -d -o alice home-alice/.local home-alice/.local/share \
		home-alice/.local/share/containers home-alice/.local/share/containers/storage \
		home-alice/.local/share/containers/storage/vfs-layers
	conf --write alice
	must_equal "$status" 1
	stderr_has "share/containers/storage': podman of this user" ... "vfs, of which a store is"
	stderr_has "podman --storage-driver"
	[ ! -e "$CONF" ]
	# podman has a database of its own, which says which of two it uses.
	mount_views
	install -d -o alice home-alice/.local/share/containers/storage/overlay-layers
	capture "$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" alice
	must_equal "$status" 0
	stderr_has "has stores of two drivers, vfs and overlay"
	# The system's file decides, where there is none of the user.
	system_conf $'[storage]\ndriver = "vfs"'
	must_fail 1 "'/etc/containers/storage.conf': podman of this user has the storage driver" \
		"$SHIFTBOX" image-unpack -s "$STORE" --podman-conf "$VIEW" alice
}

@test "podman's own store of vfs is found, and is gone after the command that the error names" {
	need prog podman
	store
	mount_views
	must_equal "$(as alice podman info --format '{{.Store.GraphDriverName}}' 2>/dev/null)" vfs
	conf --write alice
	must_equal "$status" 1
	stderr_has "vfs, of which a store is there" ... "podman --storage-driver vfs system reset"
	# What the error keeps from the user
	printf '[storage]\ndriver = "overlay"\n[storage.options]\n%s\n' \
		"additionalimagestores = [\"$VIEW\"]" >"$CONF"
	must_fail 125 "vfs driver does not support overlay.imagestore" as alice podman images
	rm "$CONF"
	must_work as alice podman --storage-driver vfs system reset -f
	conf --write alice
	must_equal "$status" 0
	must_equal "$(as alice podman images -q | wc -l)" 1
}

@test "what a home directory can hold does not hurt root" {
	local secret=$SCRATCH/secret
	store
	mount_views
	printf '[storage]\nx = "secret"\n' >"$secret"
	chmod 600 "$secret"
	refused() { # TEXT
		conf --write alice
		[ "$status" = 1 ] || tell "it was not refused"
		stderr_has "$1"
		[[ $output$stderr != *secret* ]] || tell "root's file was read"
	}
	ln -s "$secret" "$CONF"
	refused "Permission denied"
	rm "$CONF"
	as alice mkfifo "$CONF"
	refused "is a FIFO"
	rm "$CONF"
	as alice ln -s /dev/zero "$CONF"
	refused "is a character device"
	rm "$CONF"
	as alice mkdir "$CONF"
	refused "is a directory"
	rmdir "$CONF"
	as alice truncate -s 10G "$CONF"
	refused "is larger than 1048576 bytes"
	rm "$CONF"
	own $'[storage]\n# \033[2J\n'
	refused "is not valid TOML: line 2"
	own $'[storage\n'
	refused "is not valid TOML: line 1"
	own $'[storage.options]\nadditionalimagestores = "/a"\n'
	refused "additionalimagestores is not a list of strings"
	stderr_has "add \"$VIEW\" in an editor"
	own "$(printf 'a = '; printf '[%.0s' {1..5000})"
	refused "is not valid TOML"
	rm "$CONF"
	# A directory of root's that a link leads to stays as it is.
	mkdir -m 755 roots
	rm -r home-alice/.config
	as alice ln -s "$SCRATCH/roots" home-alice/.config
	refused "Permission denied"
	must_equal "$(ls -A roots)" ""
	rm home-alice/.config
	install -d -m 755 home-alice/.config
	refused "Permission denied"
	must_equal "$(ls -A home-alice/.config)" ""
}

@test "a link as the user's file is read, and not replaced" {
	store
	mount_views
	as alice sh -c 'echo "[storage]" >~/dotfile && ln -s ~/dotfile "$1"' sh "$CONF"
	conf alice
	must_equal "$status" 0
	conf --write alice
	must_equal "$status" 1
	stderr_has "is a symbolic link, so it is not replaced"
	must_equal "$(cat home-alice/dotfile)" "[storage]"
}

@test "--json prints the text and what was done" {
	store
	mount_views
	capture "$SHIFTBOX" image-unpack -q --json -s "$STORE" --podman-conf "$VIEW" --write alice
	json 'd[0]["event"] == "podman_conf" and d[0]["written"] and d[0]["changed"] and
		not d[0]["exists"] and d[0]["user"] == "alice" and "['"storage"']" in d[0]["text"]'
	capture "$SHIFTBOX" image-unpack -q --json -s "$STORE" --podman-conf "$VIEW" alice
	json 'd[0]["exists"] and not d[0]["changed"] and not d[0]["written"]'
}

podman_works() {
	need prog podman skopeo crun
}

# The user's own image, which needs no view.
own_image() {
	image mine '{"ref":"v1","config":{"config":{"Cmd":["/bin/sh"]},"history":[{}]},"layers":[
		{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
		"bin/sh":{"type":"link","to":"bin/busybox","mode":"755"},"tmp":{"type":"dir"}}}]}'
	chmod -R a+rX mine
	as alice podman pull -q oci:mine >mine.id
}

# With a runroot that exists here: the session's directory of the tests
alice_conf() {
	cp "$SHIFTBOX" "$SCRATCH/shiftbox"
	must_work as alice "$SCRATCH/shiftbox" image-unpack -q --podman-conf "$VIEW" --write
}

@test "podman works without its view: images, run of an own image, before and after a commit" {
	podman_works
	store
	mount_views
	alice_conf
	must_equal "$(as alice podman images -q | wc -l)" 1
	own_image
	as alice podman run --name c $REF sh -c 'echo mine >/o/mine'
	as alice podman commit -q c localhost/on-shared >/dev/null
	as alice podman rm c >/dev/null
	podman_pause_ends alice
	umount $VIEW
	must_equal "$(as alice podman images --noheading --format '{{.ReadOnly}}' |
		sort -u)" false
	must_equal "$(as alice podman images -q | wc -l)" 2
	must_equal "$(as alice podman run --rm "$(cat mine.id)" busybox echo yes)" yes
	run as alice podman run --rm localhost/on-shared busybox true
	[ "$status" != 0 ] && [ "$status" -lt 128 ]
	# Another image with layers of the store is not made of what is not there.
	chmod -R a+rX bb
	run as alice podman pull -q oci:bb
	[ "$status" != 0 ] && [ "$status" -lt 128 ]
	as alice podman info >/dev/null
	podman_pause_ends alice
	mount_views
	must_equal "$(as alice podman run --rm localhost/on-shared busybox cat /o/mine)" mine
}

@test "podman works before a view was ever mounted, and after the grant of another line is gone" {
	podman_works
	podman_user bob 2002 400000
	store
	mount_views
	alice_conf
	podman_pause_ends alice
	# alice is not in this line any more, but has ids of her own.
	echo "$STORE/podman /run/shiftbox/users/%u shiftbox" \
		"map=user:%u,each=user:bob,ro,nosuid,nodev 0 0" >views
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	must_fail 32 "" mountpoint -q $VIEW
	must_equal "$(as alice podman images -q | wc -l)" 0
	own_image
	must_equal "$(as alice podman run --rm "$(cat mine.id)" busybox echo yes)" yes
}

@test "the view of a container that runs is not taken away; with --force the container goes on" {
	local pid
	podman_works
	podman_user bob 2002 400000
	store
	mount_views
	alice_conf
	as alice podman run --rm $REF sh -c 'echo runs; busybox sleep '$NAP'; cat /o/new' >out &
	pid=$(sleeper alice)
	for _ in {1..100}; do grep -q runs out && break; sleep 0.1; done
	grep -q runs out
	sed -i 's/each=subid/each=user:bob/' views
	must_fail 1 "could not be mounted, unmounted or replaced: 1" "$SHIFTBOX" mount-idmapped -a \
		-T views
	stderr_has "an overlay has its layers there"
	mountpoint -q $VIEW
	must_work "$SHIFTBOX" mount-idmapped -a --force -T views
	must_fail 32 "" mountpoint -q $VIEW
	kill "$pid"
	wait || true
	grep -q runs out
}

@test "podman works after the user's grant is gone, and with shared images when it is back" {
	podman_works
	store
	mount_views
	alice_conf
	own_image
	podman_pause_ends alice
	mount --make-rshared /
	grep -v ^alice: /etc/subuid >others || true
	cp /etc/subuid grants
	cat others >/etc/subuid
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	must_fail 32 "" mountpoint -q $VIEW
	# With the namespace that the pause process keeps, and without a grant
	must_equal "$(as alice podman images -q)" "$(cut -c -12 mine.id)"
	must_equal "$(as alice podman run --rm "$(cat mine.id)" busybox echo yes)" yes
	must_work as alice podman system migrate
	must_equal "$(as alice podman images -q)" "$(cut -c -12 mine.id)"
	must_work as alice podman info
	cat grants >/etc/subuid
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	must_work as alice podman system migrate
	must_equal "$(as alice podman images -q | wc -l)" 2
	must_equal "$(as alice podman run --rm $REF busybox cat /o/new)" 3
}

@test "the pause process sees later views where / is shared, and else after system migrate" {
	podman_works
	store
	mount_views
	alice_conf
	shows() { # IMAGES
		must_equal "$(as alice podman images -q | wc -l)" "$1"
	}
	umount $VIEW
	shows 0
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	shows 0
	must_work as alice podman system migrate
	shows 1
	must_work as alice podman system migrate
	mount --make-rshared /
	shows 1
	umount $VIEW
	shows 0
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	shows 1
	must_equal "$(as alice podman run --rm $REF busybox cat /o/new)" 3
}

# The job of the next test: what podman reads in this environment, and that it runs a shared image
job() {
	cat >job <<-EOT
		#!/bin/sh
		{ podman info --format '{{.Store.ConfigFile}} {{.Store.GraphDriverName}}' &&
		podman run --rm $REF busybox cat /o/new; } 2>&1 </dev/zero | grep -v 'shared mount'
	EOT
	chmod 755 job
}

@test "podman reads the file after a login, in cron, over ssh and in services; nothing is set" {
	local want=$CONF' overlay'$'\n'3 ssh unit
	podman_works
	store
	mount_views
	must_work "$SHIFTBOX" image-unpack -q -s "$STORE" --podman-conf "$VIEW" --write alice
	job
	cp /etc/shadow shadow
	echo 'alice:*:19000:0:99999:7:::' >>shadow
	mount --bind shadow /etc/shadow
	# A login, with the environment that PAM makes
	must_equal "$(su -l alice -c "$SCRATCH/job" </dev/zero)" "$want"
	# A home, and nothing else
	must_equal "$(setpriv --reuid alice --regid alice --clear-groups env -i \
		HOME="$SCRATCH/home-alice" PATH=/usr/bin:/bin ./job)" "$want"
	if [ -x /usr/sbin/cron ] && getent group crontab >/dev/null; then
		mkdir cron empty
		: >nothing
		mount --bind cron /var/spool/cron
		mount --bind empty /etc/cron.d
		[ ! -e /etc/crontab ] || mount --bind nothing /etc/crontab
		mkdir cron/crontabs
		echo "@reboot $SCRATCH/job >said; touch end" >cron/crontabs/alice
		chown alice:crontab cron/crontabs/alice
		chmod 600 cron/crontabs/alice
		/usr/sbin/cron -f &
		for _ in {1..200}; do [ ! -e home-alice/end ] || break; sleep 0.1; done
		kill $!
		must_equal "$(cat home-alice/said)" "$want"
	fi
	if [ -x /usr/sbin/sshd ]; then
		mkdir -p /run/sshd
		ssh-keygen -q -t ed25519 -N '' -f host
		ssh-keygen -q -t ed25519 -N '' -f key
		install -D -m 600 -o alice key.pub home-alice/.ssh/authorized_keys
		printf 'HostKey %s/host\nUsePAM yes\nStrictModes no\nLogLevel ERROR\n' \
			"$SCRATCH" >sshd.conf
		ssh="/usr/sbin/sshd -i -f $SCRATCH/sshd.conf"
		must_equal "$(ssh -F none -q -i key -o UserKnownHostsFile=/dev/null \
			-o StrictHostKeyChecking=no -o ProxyCommand="$ssh" alice@none \
			"$SCRATCH/job" </dev/zero)" "$want"
	fi
	unit=home-alice/.config/systemd/user/job.service
	install -d -o alice home-alice/.config/systemd{,/user} home-alice/.config/environment.d
	printf '[Service]\nType=oneshot\nExecStart=%s\nStandardOutput=truncate:%s\n' \
		"$SCRATCH/job" "$SCRATCH/home-alice/said" >$unit
	user_systemd
	must_work control start job.service
	must_equal "$(cat home-alice/said)" "$want"
	# But for another directory of settings
	echo "XDG_CONFIG_HOME=$SCRATCH/home-alice/other" \
		>home-alice/.config/environment.d/other.conf
	must_work control daemon-reload
	capture control start job.service
	[[ $(cat home-alice/said) != "$CONF"* ]]
	control exit
	wait
	podman_pause_ends alice
	find /sys/fs/cgroup/$CGROUP -depth -type d -exec rmdir {} +
	umount /etc/shadow
}

# systemd of the user, in a cgroup that belongs to the user
user_systemd() {
	CGROUP=shiftbox-test-$$
	mkdir -p /run/systemd/system /sys/fs/cgroup/$CGROUP
	chown -R alice /sys/fs/cgroup/$CGROUP
	sh -c 'echo $$ >"/sys/fs/cgroup/$1/cgroup.procs" && shift && exec "$@"' sh $CGROUP \
		setpriv --reuid alice --regid alice --clear-groups env -i PATH=/usr/bin:/bin \
		HOME="$SCRATCH/home-alice" XDG_RUNTIME_DIR=/run/user/2001 \
		/usr/lib/systemd/systemd --user --unit=basic.target >user.log 2>&1 &
	for _ in {1..100}; do control is-active -q basic.target && break; sleep 0.1; done
	control is-active -q basic.target
}

control() {
	setpriv --reuid alice --regid alice --clear-groups env -i PATH=/usr/bin:/bin \
		XDG_RUNTIME_DIR=/run/user/2001 systemctl --user "$@"
}

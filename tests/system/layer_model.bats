#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Layers mounted with overlayfs must look as if they had been applied one after another: random
# layers, against a model that knows nothing of overlayfs (tests/fixtures/layer_model.py).

load lib

need root
need prog python3

model=$TESTS/fixtures/layer_model.py
links=$TESTS/fixtures/link_model.py

# same_as_model FIRST LAST OPTIONS UNPACK...: for these seeds the merged view is what the model
# says.
same_as_model() {
	local first=$1 last=$2 options=$3 seed lower
	shift 3
	python3 "$model" make r "$first" "$last" "${OWNERS[@]}"
	for ((seed = first; seed <= last; seed++)); do
		mkdir "r/$seed/merged" "r/$seed/empty"
		"$@" -q -s "r/$seed/store" -N x "r/$seed"/*.tar || {
			echo "seed $seed: refused"
			return 1
		}
		"$SHIFTBOX" image-unpack -s "r/$seed/store" --verify x >/dev/null || {
			echo "seed $seed: --verify"
			return 1
		}
		lower=$(sed "s|^|r/$seed/store/|" "r/$seed/store/images/x/layers" |
			tr '\n' ':')r/$seed/empty
		mount -t overlay overlay -o "ro,lowerdir=$lower$options" "r/$seed/merged"
	done
	python3 "$model" compare r
}

# flat_as_model FIRST LAST [OPTIONS]: one tree for each seed, which is what the model says.
flat_as_model() {
	local first=$1 last=$2 seed
	shift 2
	python3 "$model" make r "$first" "$last" "${OWNERS[@]}"
	for ((seed = first; seed <= last; seed++)); do
		"$SHIFTBOX" image-unpack -q --no-sync "$@" --flat "r/$seed/merged" \
			"r/$seed"/*.tar || {
			echo "seed $seed: refused"
			return 1
		}
	done
	python3 "$model" compare r
}

# in_namespace CMD...: as root of a user namespace that maps 65536 ids, with mounts of its own.
in_namespace() {
	local pid here
	here=$(readlink /proc/self/ns/user)
	mkfifo go
	unshare -Um --propagation private timeout 300 bash -c 'read -r _ <go; exec "$@"' _ "$@" &
	pid=$!
	until [ "$(readlink /proc/$pid/ns/user)" != "$here" ]; do sleep 0.01; done
	cat <<<$'0 0 1\n1 100001 65535' >/proc/$pid/uid_map
	cat <<<$'0 0 1\n1 100001 65535' >/proc/$pid/gid_map
	echo >go
	wait "$pid"
}

# mount_all DIR KIND: for each seed in DIR, its layers below DIR/SEED/upper.
mount_all() {
	local d lower options=
	[ "$2" = root ] || options=,userxattr
	for d in "$1"/*/; do
		lower=$(sed "s|^|${d}store/|" "${d}store/images/x/layers" | tr '\n' ':')
		mount -t overlay overlay -o \
			"lowerdir=$lower${d}empty,upperdir=${d}upper,workdir=${d}work$options" \
			"${d}merged" || return
	done
}

# look DIR [copy-up]: is each DIR/SEED/merged what the model says, also after its directories were
# copied up?
look() {
	local status=0
	MODEL_ROOT=upper python3 "$model" compare "$1" || status=1
	if [ "${2:-}" ]; then
		python3 "$model" copy-up "$1"
		MODEL_ROOT=upper python3 "$model" compare "$1" || status=1
	fi
	umount "$1"/*/merged
	return $status
}

# sleeper: a process in a user namespace that has ids from 100000 on: SLEEPER.
sleeper() {
	unshare -Um --propagation private sleep 1000 3>&- &
	SLEEPER=$!
	until [ "$(readlink "/proc/$SLEEPER/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do
		sleep 0.01
	done
	echo 0 100000 65536 >"/proc/$SLEEPER/uid_map"
	echo 0 100000 65536 >"/proc/$SLEEPER/gid_map"
}

test_teardown() {
	[ -z "${SLEEPER:-}" ] || kill "$SLEEPER"
}

# seen_by KIND [copy-up]: the same as KIND mounts it: root, root with "userxattr", or root of a user
# namespace with a mapped view of the layers.
seen_by() {
	case $1 in
	root | userxattr) mount_all r "$1" && look r "${@:2}" ;;
	namespace)
		export -f mount_all look
		let_in nsenter -t "$SLEEPER" -U -m bash -euc '
			cd "$SCRATCH" # as this namespace shows it
			mount_all mapped namespace && look mapped "$@"' _ "${@:2}"
		;;
	esac
}

# all_see_the_model FIRST LAST: every kind of mount shows what the model says, before and after
# directories were copied up, and when another kind of mount takes the upper directory over.
all_see_the_model() {
	local seed first second
	export model
	OWNERS=(0 0 1 33 65534)
	WRAP=(${WRAP[@]+"${WRAP[@]}"})
	python3 "$model" make r "$1" "$2" "${OWNERS[@]}"
	for ((seed = $1; seed <= $2; seed++)); do
		mkdir "r/$seed/merged" "r/$seed/empty"
		must_work "${WRAP[@]}" "$SHIFTBOX" image-unpack --no-sync -q -s "r/$seed/store" \
			-N x "r/$seed"/*.tar
		if [ "${AGED:-}" ]; then
			"$TESTS/fixtures/marked_store.py" "r/$seed/store"
			must_work "$SHIFTBOX" image-unpack -s "r/$seed/store" --upgrade
		fi
		must_work "$SHIFTBOX" image-unpack -s "r/$seed/store" --verify x
	done
	[ ${#WRAP[@]} != 0 ] || must_equal "$(getfattr -Rhd -m overlay r)" ""
	mkdir -p mapped
	must_work "$SHIFTBOX" mount-idmapped -m 0:100000:65536 r mapped
	sleeper
	for first in root userxattr namespace; do
		for seed in r/*/; do
			rm -rf "${seed}upper" "${seed}work"
			mkdir "${seed}upper" "${seed}work"
		done
		seen_by $first copy-up || { echo "$first"; return 1; }
		for second in root userxattr namespace; do
			seen_by $second || { echo "$first, then $second"; return 1; }
		done
	done
	umount mapped
	kill "$SLEEPER"
	wait "$SLEEPER" || true
	SLEEPER=
}

@test "stacked layers look like layers applied in order" {
	same_as_model 1 80 "" "$SHIFTBOX" image-unpack --no-sync
}

@test "so they do inside a user namespace, with its own whiteouts" {
	need kernel 5.11
	export -f same_as_model
	export model
	in_namespace bash -euc '
		mount -t tmpfs -o mode=0700 tmpfs "$SCRATCH" && cd "$SCRATCH"
		OWNERS=(0 0 1 33 65534)
		same_as_model 101 140 ,userxattr "$SHIFTBOX" image-unpack --no-sync'
}

@test "one flat tree looks like layers applied in order" {
	export MODEL_LINKS=join
	flat_as_model 301 380
}

@test "so it does where layers are read one at a time, and inside a user namespace" {
	export MODEL_LINKS=join
	flat_as_model 401 420 -j1
	export -f flat_as_model
	export model
	in_namespace bash -euc '
		mount -t tmpfs -o mode=0700 tmpfs "$SCRATCH" && cd "$SCRATCH"
		OWNERS=(0 0 1 33 65534)
		flat_as_model 421 440'
}

@test "paths lead through symbolic links as if the layers had been applied in order" {
	model=$links same_as_model 501 620 "" "$SHIFTBOX" image-unpack --no-sync
}

@test "so links do in one flat tree" {
	export MODEL_LINKS=join
	model=$links flat_as_model 621 740
}

@test "so links do inside a user namespace" {
	need kernel 5.11
	export -f same_as_model
	export model=$links
	in_namespace bash -euc '
		mount -t tmpfs -o mode=0700 tmpfs "$SCRATCH" && cd "$SCRATCH"
		OWNERS=(0 0 1 33 65534)
		same_as_model 741 780 ,userxattr "$SHIFTBOX" image-unpack --no-sync'
}

@test "so they do where no device 0:0 can be made" {
	need prog strace
	need kernel 6.7
	MODEL_SPECIAL=symlink same_as_model 201 210 "" strace -f -qq -o /dev/null -e trace=mknodat \
		-e 'inject=mknodat:error=EPERM:when=1+' "$SHIFTBOX" image-unpack --no-sync
}

@test "mounts of every kind show the same tree, also after directories were copied up" {
	need kernel 6.6
	need prog getfattr
	all_see_the_model 801 840
}

@test "so they do where entries lead through symbolic links" {
	need kernel 6.6
	need prog getfattr
	model=$links all_see_the_model 841 870
}

@test "so they do where whiteouts are files with attributes" {
	need prog getfattr strace
	need kernel 6.7
	WRAP=(strace -f -qq -o /dev/null -e trace=mknodat
		-e 'inject=mknodat:error=EPERM:when=1+')
	MODEL_SPECIAL=symlink all_see_the_model 901 910
}

@test "so they do in a store of an older version after --upgrade" {
	need kernel 6.6
	need prog getfattr
	AGED=1 all_see_the_model 871 890
	model=$links
	rm -rf r
	AGED=1 all_see_the_model 891 900
}

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

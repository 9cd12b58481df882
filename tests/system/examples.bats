#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The EXAMPLES of the manual pages run as printed, in a world that has what they name.

load lib
need root
need kernel 6.15
need prog python3 busybox mke2fs

# The commands of the section, one on each line, with their prompts.
examples() { # PAGE
	awk '/^\.Sh / { on = $2 == "EXAMPLES" }
		on && /^\.Bd/ { lit = 1; next }
		/^\.Ed/ { lit = 0 }
		on && lit { print "# " $0 }
		on && /^\.Dl / { print substr($0, 5) }' "$TESTS/../cmd/$1" |
		sed -e ':a' -e '/\\e$/ { N; s/\\e\n# */ /; ba' -e '}'
}

# Makes the directories, images and users that the pages name. Called in a mount namespace.
make_world() {
	local dir shell image
	mount --make-rprivate /
	for dir in /srv /mnt /var/lib; do mount -t tmpfs -o mode=755 tmpfs $dir; done
	mkdir -p bin /srv/{l/top,l/base,base/root,data,config,images} /mnt/nosuid
	mount -t tmpfs -o nosuid,mode=755 tmpfs /mnt/nosuid
	"$SHIFTBOX" --install bin
	ln -s "$SHIFTBOX" bin/shiftbox
	PATH=$SCRATCH/bin:$PATH:/usr/sbin:/sbin
	echo data >/srv/base/file
	touch /srv/config/app.conf
	shell='{"copy":"/bin/busybox","mode":"0755"}'
	image="{\"bin/bash\":$shell,\"bin/sh\":$shell}"
	"$TESTS/fixtures/mkimage.py" /srv/images/debian <<<"{\"layers\":[{\"files\":$image}]}"
	"$TESTS/fixtures/mkimage.py" --oci-archive /srv/debian.tar \
		<<<"{\"layers\":[{\"files\":$image}]}"
	"$TESTS/fixtures/mkimage.py" --docker-archive /srv/app.tar \
		<<<"{\"tags\":[\"app:latest\"],\"layers\":[{\"files\":$image}]}"
	"$TESTS/fixtures/mkimage.py" --tar /srv/base.tar.gz \
		<<<'{"layers":[{"files":{"f":"1"},"compress":"gzip"}]}'
	mke2fs -q -t ext4 /srv/image.ext4 8M
	cd /srv
}

# Runs the lines of stdin that none of the patterns match. shift-check may have findings.
run_examples() { # PATTERN...
	local line user command status skip ran=0
	while read -r user line; do
		# shellcheck disable=SC2053 # it is a pattern
		for skip in "$@"; do [[ $line == $skip ]] && continue 2; done
		command=()
		[ "$user" = '#' ] || command=(as_user alice)
		status=0
		"${command[@]}" bash -c "${line/4711/$CONTAINER}" </dev/null >out 2>&1 || status=$?
		if [ $status != 0 ] && ! [[ $status = 3 && $line = shift-check* ]]; then
			echo "exit $status: $line"
			cat out
			return 1
		fi
		ran=$((ran + 1))
	done
	[ $ran -gt 0 ]
}

page() { # PAGE PREPARATION PATTERN...
	local prepare=$2
	examples "$1" >"$SCRATCH/lines"
	export -f make_world run_examples as_user make_user add_line
	export SCRATCH TESTS prepare
	unshare -m bash -e -c '
		trap "kill \$(jobs -p)" EXIT
		unshare -Ur sleep 1000 >/dev/null 2>&1 &
		CONTAINER=$!
		make_world
		eval "$prepare"
		run_examples "$@" <"$SCRATCH/lines"' bash "${@:3}"
}

@test "the examples of shiftbox(8)" {
	page shiftbox.8 'mount -t tmpfs tmpfs /usr/local/bin'
}

@test "the examples of mount-idmapped(8)" {
	page mount_idmapped.8 'chmod 700 /srv/data
		echo "/srv/base /mnt shiftbox map=0:1000:1,ro 0 0" >fstab
		mount --bind fstab /etc/fstab'
}

@test "the examples of image-unpack(8)" {
	page image_unpack.8 'make_user alice 1000 100000 65536' \
		'docker *' 'crun *' 'unshare *' '*oci:debian' '*ephemeral image:debian /mnt'
}

@test "the examples of shift-check(8)" {
	page shift_check.8 'make_user alice 1000 100000 65536
		mkdir -m 700 /srv/alice
		mount-idmapped -m +100000 -o public /srv/base /srv/alice
		image-unpack -N debian oci:/srv/images/debian
		mount-idmapped -m +100000 image:debian /srv/alice/root'
}

@test "the examples of userns-run(8)" {
	page userns_run.8 'make_user alice 1000 200000 65536
		chmod 755 /srv
		image-unpack -N debian debian.tar
		sed -i "s/ bash$/ sh/" "$SCRATCH/lines"' '*make'
}

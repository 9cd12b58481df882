#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# README.md: its commands run. They are those of the blocks marked sh, and the lines that begin with
# "# " in the block marked console.
# shellcheck disable=SC2154

load lib
need root
need kernel 6.3 # /srv and the store are a tmpfs here
need prog crun busybox

README=$TESTS/../README.md

# The machine that README speaks of: an image, an empty store, and the commands by their names.
test_setup() {
	local name link links
	mount -t tmpfs -o mode=755 none /srv
	mkdir -p /var/lib/shiftbox
	mount -t tmpfs -o mode=700 none /var/lib/shiftbox
	mkdir -p /srv/images "$SCRATCH/bin"
	ln -s "$SHIFTBOX" bin/shiftbox
	for name in $("$SHIFTBOX" --list); do ln -s shiftbox "bin/$name"; done
	chmod 711 "$SCRATCH"
	# crun does not accept a mixture of the two versions of cgroups.
	if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
	links=$(for link in sh id ls cat; do
		printf '"bin/%s": {"type": "symlink", "to": "busybox"}, ' "$link"
	done)
	"$TESTS/fixtures/mkimage.py" /srv/images/debian <<-END
		{"layers": [{"files": {"bin/busybox": {"copy": "/bin/busybox", "mode": "755"},
		$links "proc": {"type": "dir"}, "sys": {"type": "dir"}, "dev": {"type": "dir"},
		"srv": {"type": "dir"}, "tmp": {"type": "dir", "mode": "1777"},
		"etc/passwd": "root:x:0:0::/:/bin/sh\n", "var/mail": {"type": "dir", "gid": 8}}}]}
	END
}

test_teardown() {
	umount -R -l /srv /var/lib/shiftbox || true
}

# blocks WORD: the lines of the blocks that are marked WORD
blocks() {
	awk -v word="$1" '$0 == "```" word { inside = 1; next }
		/^```/ { inside = 0 } inside' "$README"
}

# runs FILE: its commands. crun chowns its standard input: that is not /dev/null.
runs() {
	: >nothing
	must_work env PATH="$SCRATCH/bin:$PATH" bash -eu "$1" <nothing
}

@test "the commands of the first screen, which print what README shows" {
	mkdir -m 700 /srv/uppers
	install -d -m 710 -g 100000 /srv/alice
	blocks console | sed -n 's/^# //p' >commands
	[ "$(wc -l <commands)" = 4 ] || say "README has another first screen"
	runs commands
	output_has "debian: 1 layers (1 unpacked, 0 shared), " ... \
		"entries checked, no findings" ... "uid=0(root) gid=0"
	output_has "-rw-r--r-- " ... " 0 " ... "/etc/passwd" ... "0     100000      65536"
	must_equal "$(owner /srv/alice/root/etc/passwd) $(owner /srv/alice/root/var/mail)" \
		"100000:100000 100000:100008"
}

@test "the examples, one after the other" {
	blocks sh | sed "s/^crun /crun --root crun --cgroup-manager=disabled /" >commands
	[ "$(wc -l <commands)" -gt 20 ] || say "README has lost its examples"
	runs commands
	must_equal "$(owner /srv/carol/root/etc/passwd)" 500000:500000
	must_equal "$(owner /srv/bob/root/var/mail)" 300000:300008
	must_equal "$(owner /srv/trees/debian/var/mail) $(owner /srv/alice/rootfs/var/mail)" \
		"0:8 100000:100008"
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# The promise that nothing is ever chowned is kept by the kernel: code inside the program that tries
# to is refused, whichever call and ABI it takes.

load lib

need root
need prog gcc

test_setup() {
	gcc -shared -fPIC -O1 -D_GNU_SOURCE -o hook.so "$TESTS/system/chown_hook.c"
	mkdir disk mnt
	echo x >disk/file
	tar -cf layer.tar disk
}

hooked() {
	rm -f report
	CHOWN_REPORT=$PWD/report LD_PRELOAD=$PWD/hook.so "$@"
}

# Every attempt of the report ended with errno $1, or 38 (ENOSYS: the machine has no such call), and
# there were as many as there are ways.
all_gave() {
	[ "$(grep -cE "^[a-z0-9]+ $1 " report)" -ge 9 ] || say "too few attempts: $(cat report)"
	! grep -vE "^[a-z0-9]+ ($1|38) " report || say "these ended otherwise"
}

@test "without the guard every attempt works, so that this test can fail" {
	hooked cat disk/file >/dev/null
	all_gave 0
	hooked "$SHIFTBOX" --install mnt
	all_gave 0
}

@test "image-unpack cannot chown" {
	hooked "$SHIFTBOX" image-unpack -s "$PWD/store" -N image "$PWD/layer.tar"
	all_gave 1
	hooked "$SHIFTBOX" image-unpack -s "$PWD/store" --list
	all_gave 1
}

@test "mount-idmapped cannot chown" {
	hooked "$SHIFTBOX" mount-idmapped -v -m +100000 disk mnt
	must_equal "$(owner mnt/file)" 100000:100000
	all_gave 1
	umount mnt
}

@test "shift-check cannot chown" {
	hooked "$SHIFTBOX" shift-check verify -m +0 --source disk disk || true
	all_gave 1
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# `make install` puts everything in its place, and `make uninstall` takes all of it away.

load lib

installed() {
	make -s -C "$TESTS/.." BUILD="${BUILD:-build}" DESTDIR="$SCRATCH/root" PREFIX=/usr \
		MOUNTHELPERDIR=/sbin "$1"
}

@test "what is installed works, and nothing of it is left by uninstall" {
	must_work installed install
	for name in shiftbox $("$SHIFTBOX" --list); do
		must_work "root/usr/bin/$name" --version
		must_equal "$output" "$("$SHIFTBOX" --version)"
		[ -s "root/usr/share/man/man8/$name.8" ]
		[ -s "root/usr/share/bash-completion/completions/$name" ]
		[ -s "root/usr/share/fish/vendor_completions.d/$name.fish" ]
	done
	[ -s root/usr/share/man/man7/shiftbox-idmap.7 ]
	[ -s root/usr/share/man/man7/shiftbox-security.7 ]
	must_equal "$(readlink root/sbin/mount.shiftbox)" /usr/bin/shiftbox
	[ -s root/usr/share/zsh/site-functions/_shiftbox ]
	must_work installed install

	must_work installed uninstall
	must_equal "$(find root ! -type d)" ''
}

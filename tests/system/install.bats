# SPDX-License-Identifier: LGPL-2.1-or-later
# `make install` puts everything in its place, and `make uninstall` takes all of it away.

load lib

installed() {
	make -s -C "$TESTS/.." BUILD="${BUILD:-build}" DESTDIR="$SCRATCH/root" PREFIX=/usr \
		MOUNTHELPERDIR=/sbin "$@"
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
	[ -s root/usr/share/man/man7/shiftbox-engines.7 ]
	[ -s root/usr/share/man/man7/shiftbox-security.7 ]
	[ -s root/usr/share/man/man8/mount.shiftbox.8 ]
	must_equal "$(readlink root/sbin/mount.shiftbox)" /usr/bin/shiftbox
	grep -qx 'ExecStart=/usr/bin/mount-idmapped -a -T /etc/shiftbox/views' \
		root/usr/lib/systemd/system/shiftbox-views.service
	for unit in path timer; do [ -s root/usr/lib/systemd/system/shiftbox-views.$unit ]; done
	[ -s root/usr/lib/systemd/system/shiftbox-views-changed.service ]
	[ -z "$(find root -path '*.wants*')" ] # it is for the administrator to enable them
	[ -s root/usr/share/zsh/site-functions/_shiftbox ]
	must_work installed install

	must_work installed uninstall
	must_equal "$(find root ! -type d)" ''
}

@test "every page is found by the word shiftbox, and every page of ours that one names" {
	need prog lexgrog man
	local page name section ours
	ours="(mount[-.]|shift-|image-|userns-)?(shiftbox|idmapped|check|unpack|run)(-[a-z]+)?"
	must_work installed install
	for page in root/usr/share/man/man[78]/*; do
		lexgrog "$page" | grep -q shiftbox || say "$page is not found"
		must_work man -l "$page"
		while read -r name section; do
			[ -s "root/usr/share/man/man$section/$name.$section" ] ||
				say "$page names $name($section)"
		done < <(sed -nE "s/.*Xr ($ours) ([78])( .*)?$/\1 \5/p" "$page"
			grep -oE "($ours)\([78]\)" "$page" | tr '()' '  ')
	done
}

# paths_of PAGE: the files of shiftbox that it names by their whole path
paths_of() {
	grep -ohE '/[^ ]*/(share/shiftbox/[^ ]+|bin/mount-idmapped)' "$1" | sort -u
}

@test "files of an installation that its pages name are those that it has, for each prefix" {
	local prefix
	for prefix in /usr /usr/local /opt/x; do
		must_work installed install PREFIX=$prefix
		must_equal "$(paths_of root$prefix/share/man/man8/shiftbox.8)" \
			$prefix/share/shiftbox/output.schema.json
		[ -s root$prefix/share/shiftbox/output.schema.json ]
		must_equal "$(paths_of root$prefix/share/man/man8/mount-idmapped.8)" \
			$prefix/bin/mount-idmapped
		must_equal "$(find root$prefix/share/man -type f ! -perm 644)" ''
		rm -r root
	done
}

@test "STRIP=1 takes symbols and debug information away, and the program works" {
	must_work installed install
	size=$(stat -c %s root/usr/bin/shiftbox)
	nm root/usr/bin/shiftbox | grep -q ' T main$'

	must_work installed install STRIP=1
	[ "$(stat -c %s root/usr/bin/shiftbox)" -lt "$size" ]
	nm root/usr/bin/shiftbox 2>&1 | grep -q 'no symbols'
	must_equal "$(root/usr/bin/shiftbox --version)" "$("$SHIFTBOX" --version)"
}

@test "completions of fish are where fish looks, for each prefix" {
	must_work installed install PREFIX=/usr/local
	[ -s root/etc/fish/completions/shiftbox.fish ]
	[ -s root/usr/local/share/bash-completion/completions/shiftbox ]
	must_work installed uninstall PREFIX=/usr/local
	must_equal "$(find root ! -type d)" ''

	must_work installed install PREFIX=/opt/x
	[ -s root/opt/x/share/fish/vendor_completions.d/shiftbox.fish ]
	[ ! -e root/etc ] || must_equal "$(find root/etc ! -type d)" ''
}

@test "a helper where mount(8) does not look is said, with what to do" {
	must_work installed install MOUNTHELPERDIR=/usr/sbin
	must_equal "$output" ''
	must_work installed install PREFIX=/opt/x MOUNTHELPERDIR=/opt/x/sbin
	[[ $output = *"mount(8)"*"will not find /opt/x/sbin/mount.shiftbox"* ]]
	[[ $output = *"MOUNTHELPERDIR=/sbin"* ]]
}

# A copy of the tree in git's archive, or without git, builds; make -n shows with which version.
version_of() { "$1/lib/version.sh" 0.1.0; }

@test "the version names the commit, the release, or that files were changed" {
	need prog git
	mkdir -p tree/lib plain/lib
	cp "$TESTS/../lib/version.sh" tree/lib
	cp "$TESTS/../.gitattributes" tree
	cp tree/lib/version.sh plain/lib
	must_equal "$(version_of plain)" 0.1.0
	[ ! -e .git ]

	git() { command git -C tree -c user.name=a -c user.email=a@b "$@"; }
	git init -q
	git add .
	GIT_COMMITTER_DATE=2026-11-30T12:00:00 git commit -qm one
	commit=$(git rev-parse HEAD)
	must_equal "$(version_of tree)" "0.1.0+git20261130.${commit:0:12}"
	mkdir archive
	git archive HEAD | tar -x -C archive
	must_equal "$(version_of archive)" "0.1.0+git20261130.${commit:0:12}"

	echo '# more' >>tree/lib/version.sh
	must_equal "$(version_of tree)" "0.1.0+git20261130.${commit:0:12}.changed"
	git checkout -q .
	git tag v0.1.0
	must_equal "$(version_of tree)" 0.1.0
	mkdir release
	git archive HEAD | tar -x -C release
	must_equal "$(version_of release)" 0.1.0
	git tag v0.1.0-rc1
	git tag -d v0.1.0
	must_equal "$(version_of tree)" "0.1.0+git20261130.${commit:0:12}"
}

@test "make prints a short line for each file, with V=1 the command, and with -s nothing" {
	local make=(make --no-print-directory -C "$TESTS/.." "BUILD=$SCRATCH/b")
	unset V
	must_work "${make[@]}" "$SCRATCH/b/lib/base/num.o"
	must_equal "$output" "  CC  lib/base/num.c"
	rm "$SCRATCH/b/lib/base/num.o"
	must_work "${make[@]}" V=1 "$SCRATCH/b/lib/base/num.o"
	output_has " -c -o $SCRATCH/b/lib/base/num.o lib/base/num.c"
	rm "$SCRATCH/b/lib/base/num.o"
	must_work "${make[@]}" -s "$SCRATCH/b/lib/base/num.o"
	must_equal "$output" ""
}

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# version.sh RELEASE: print the version that this tree builds: RELEASE if its commit has the tag
# vRELEASE, else RELEASE+gitDATE.COMMIT; with ".changed" behind it if files differ from the commit.
# In an archive that git made (make dist), git has written the commit into the next line; a tree
# that knows no commit is taken for RELEASE.
commit='$Format:%cs %H %D$'
release=$1
changed=
cd "$(dirname "$0")/.." || exit 1

# The tree may belong to another user; and a .git in a directory above is not this tree's.
ask_git() { git -c safe.directory="$PWD" "$@" 2>/dev/null; }

case $commit in
'$Format'*)
	[ -e .git ] && commit=$(ask_git log -1 --format='%cs %H %D') || {
		echo "$release"
		exit
	}
	ask_git diff --quiet HEAD -- || changed=.changed
	;;
esac

date=$(echo "${commit%% *}" | tr -d -)
hash=${commit#* }
case " ${hash#* }," in
*" tag: v$release,"*) echo "$release$changed" ;;
*) echo "$release+git$date.$(echo "$hash" | cut -c 1-12)$changed" ;;
esac

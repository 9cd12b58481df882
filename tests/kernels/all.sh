#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Run the tests beside this file on the running kernel; TAP. $DISK: a directory on a filesystem that
# can be mapped. What is not in busybox is not used, so that it works in a bare guest.
#
#   has 6.3             is the kernel at least that new?
#   works CMD...        it exits with 0, and says nothing on stderr; its output is in ./out
#   refused TEXT CMD... it exits with 1, and says TEXT
#   same GOT WANT       the two strings are equal
#   said TEXT           the last command said so, on stdout or stderr
#   owner PATH          UID:GID
#   as ID[:GID] CMD...  as that user and group, without capabilities
#   mounts              how many mounts there are on the test's directory
#   check NAME CMD...   one test: CMD in a directory of its own, where any failing line ends it
here=$(cd "$(dirname "$0")" && pwd)
export MI="$SHIFTBOX mount-idmapped"
n=0

has() {
	[ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n1)" = "$1" ]
}

tell() {
	echo "$1: $2" && cat out err
	exit 1
}

works() {
	"$@" >out 2>err || tell "failed" "$*"
	[ ! -s err ] || tell "says something" "$*"
}

# warns TEXT CMD...: it works, and prints a warning with TEXT.
warns() {
	text=$1
	shift
	"$@" >out 2>err || tell "failed" "$*"
	grep -qF -- "$text" err || tell "does not warn of '$text'" "$*"
}

refused() {
	text=$1
	shift
	status=0
	"$@" >out 2>err || status=$?
	[ "$status" = 1 ] || tell "status $status" "$*"
	grep -qF -- "$text" err || tell "does not say '$text'" "$*"
}

said() {
	grep -qF -- "$1" out err || tell "not said" "$1"
}

same() {
	[ "$1" = "$2" ] || { echo "'$1' is not '$2'"; exit 1; }
}

owner() {
	stat -c %u:%g "$1"
}

as() {
	id=$1
	shift
	# By its path, or busybox would take its own.
	/bin/setpriv --reuid "${id%:*}" --regid "${id#*:}" --clear-groups --inh-caps=-all \
		--bounding-set=-all "$@"
}

mounts() {
	grep -c " $PWD/" /proc/self/mountinfo || :
}

check() {
	name=$1
	shift
	n=$((n + 1))
	dir=$DISK/test.$n
	mkdir -m 711 "$dir"
	# Not as a condition: the shell would forget its -e.
	(set -e; cd "$dir"; "$@") >"$dir.log" 2>&1
	if [ $? = 0 ] && ! grep -q " $dir/" /proc/self/mountinfo; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir.log"
		grep " $dir/" /proc/self/mountinfo | sed 's/^/# left: /'
		awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo |
			while read -r m; do
			umount -l "$m"
		done
	fi
}

# Something to mount: owners of several kinds.
sample() {
	mkdir -p "$1/dir" t u
	chmod 755 "$1"
	: >"$1/file" && chown 33:44 "$1/file"
	chown 5:7 "$1/dir"
	: >"$1/high" && chown 70000:70001 "$1/high"
}

for script in server bind overlay table look strangers userns nfs; do
	# shellcheck source=/dev/null
	. "$here/$script.sh"
done
echo "1..$n"

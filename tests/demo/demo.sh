#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job in one screen: one stored copy of an image, two users with ranges of their own, no
# chown. IMAGE=oci:DIR[:REF] shows it with an image of yours. Needs root; leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."

SHIFTBOX=$(realpath "${SHIFTBOX:-${BUILD:-build}/shiftbox}")
IMAGE=${IMAGE:-}
MANY=11 # rows of the table at most

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' cyan=$'\e[36m' off=$'\e[0m'
else
	bold='' dim='' green='' cyan='' off=''
fi

[ "$(id -u)" = 0 ] || {
	echo 'demo: needs root: it mounts filesystems. Try: sudo make demo' >&2
	exit 1
}

# A mount namespace of its own: nothing of this can be seen, or stay, outside.
if [ -z "${DEMO_INSIDE:-}" ]; then
	DEMO_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/shiftbox-demo.XXXXXX")
mount -t tmpfs -o mode=0700 shiftbox-demo "$dir"
finish() {
	local s=$?
	cd /
	for file in /etc/subuid /etc/subgid; do umount "$file" 2>/dev/null || :; done
	umount -R "$dir" 2>/dev/null || umount -l "$dir"
	rmdir "$dir"
	[ $s = 0 ] || echo "demo: failed (status $s)" >&2
	exit $s
}
trap finish EXIT

count() { # N ONE MANY
	if [ "$1" = 1 ]; then echo "1 $2"; else echo "$1 $3"; fi
}
step() { printf '%s%-8s%s %s\n' "$bold$cyan" "$1" "$off" "$2"; }
show() { printf '%s         $ %s%s\n' "$dim" "$*" "$off"; }
run() { # what it prints, below the command
	show "shiftbox ${*//$dir/.}"
	"$SHIFTBOX" "$@" | sed 's/^/         /'
}

# Two ranges that belong to nobody: what shift-check proposes to two numbers without an account. The
# lines of the first are in copies, which only this mount namespace has in the place of the files.
grant() { # of user $1, in start
	local id
	start=0
	while read -r id; do
		[ "$id" -le "$start" ] || start=$id
	done < <("$SHIFTBOX" shift-check subid "$1" |
		sed -nE 's/.*--add-sub[ug]ids ([0-9]+)-.*/\1/p')
	[ "$start" != 0 ] || {
		echo "demo: shift-check subid $1 proposes no ids" >&2
		exit 1
	}
	for id in /etc/subuid /etc/subgid; do echo "$1:$start:65536" >>"$dir${id//\//.}"; done
}
for file in /etc/subuid /etc/subgid; do
	[ -e "$file" ] || continue
	cat "$file" >"$dir${file//\//.}"
	[ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo >>"$dir${file//\//.}"
	mount --bind "$dir${file//\//.}" "$file"
done
grant 4294967001
A=$start
grant 4294967002
B=$start
[ "$A" != "$B" ] || B=$((A + 65536)) # there are no such files

store=$dir/store
mkdir "$dir/alice" "$dir/bob" "$dir/uppers"
mkdir -m 0700 "$dir/uppers/alice" "$dir/uppers/bob"

# --- the image ----------------------------------------------------------------------------------
if [ -z "$IMAGE" ]; then
	tests/demo/sample.py "$dir/sample"
	IMAGE=oci:$dir/sample:latest
	rows=(bin/su bin/ping srv/www srv/www/index.html home/dev/notes var/mail dev/null
		etc/motd srv/cache)
else
	rows=()
fi

# --- unpack -------------------------------------------------------------------------------------
step unpack 'each layer into a directory of its own; files are born with their owners'
show "shiftbox image-unpack -s ./store -N demo ${IMAGE//$dir/.}"
strace -f --seccomp-bpf -o "$dir/trace" -e trace=chown,fchown,lchown,fchownat \
	"$SHIFTBOX" image-unpack -s "$store" -N demo "$IMAGE" 2>&1 | sed 's/^/         /'
chowns=$(grep -c 'chown' "$dir/trace" || :)
mapfile -t layers < <(sed "s|^|$store/|" "$store/images/demo/layers")
printf '         %s, calls of the chown family: %s%s%s\n' \
	"$(count ${#layers[@]} layer layers)" "$green" "$chowns" "$off"

# --- mount --------------------------------------------------------------------------------------
step mount \
	"the same layers, ID-mapped twice: alice is given $A-$((A + 65535)), bob $B-$((B + 65535))"
run mount-idmapped -m "+$A" -o "store=$store,upper=$dir/uppers/alice" image:demo "$dir/alice"
run mount-idmapped -m "+$B" -o "store=$store,upper=$dir/uppers/bob" image:demo "$dir/bob"

# --- the table ----------------------------------------------------------------------------------
# The directory of the topmost layer that has the path: its owner there is the disk id.
on_disk() {
	local l
	for l in "${layers[@]}"; do
		[ -e "$l/$1" ] || [ -L "$l/$1" ] || continue
		stat -c %u:%g "$l/$1"
		return
	done
	echo -
}

# What is worth a look: one path of each owner, then set-id programs and capabilities.
choose_rows() {
	(cd "$dir/alice" && find . -xdev -mindepth 1 -printf '%U:%G %P\n' |
		awk '!seen[$1]++ { print $2 }' | head -n 7
		find . -xdev -type f -perm /6000 -printf '%P\n' | head -n 2
		getcap -r . 2>/dev/null | awk '{ print $1 }' | sed 's|^\./||' |
			head -n 2) | head -n "$MANY"
}
[ ${#rows[@]} != 0 ] || mapfile -t rows < <(choose_rows)

# of FILE, as the mount shows it: the rootid, the last word of a version 3 capability
capability_root() {
	local hex
	hex=$(getfattr --absolute-names --only-values -n security.capability "$1" 2>/dev/null |
		od -An -v -tx1 | tr -d ' \n')
	[ ${#hex} != 48 ] || echo $((16#${hex:46:2}${hex:44:2}${hex:42:2}${hex:40:2}))
}

acl_user() { # the first user that FILE's ACL names
	getfacl -cpn "$1" 2>/dev/null | sed -n 's/^user:\([0-9][0-9]*\):.*/\1/p' | head -n 1
}

remark() {
	local f=$dir/alice/$1 g=$dir/bob/$1 mode cap
	[ -e "$f" ] || [ -L "$f" ] || { echo 'hidden by a whiteout'; return; }
	mode=$(stat -c %a "$f")
	cap=$(capability_root "$f")
	if [ -n "$cap" ]; then echo "capability, root is $cap / $(capability_root "$g")"
	elif [ -u "$f" ]; then echo "set-uid ($mode)"
	elif [ -c "$f" ]; then echo 'a device'
	elif [ -n "$(acl_user "$f")" ]; then echo "ACL of user $(acl_user "$f") / $(acl_user "$g")"
	elif [ -g "$f" ]; then echo "set-gid ($mode)"
	elif [ -d "$f" ]; then
		echo "directory ($mode): $(count \
			"$(find "$f" -mindepth 1 -maxdepth 1 | wc -l)" entry entries)"
	fi
}

row() { printf "         %s%-22s %-12s %-15s %-15s %s%s\n" "$1" "$2" "$3" "$4" "$5" "$6" "$off"; }
row "$bold" path 'disk id' 'alice sees' 'bob sees' remark
for p in "${rows[@]}"; do
	row '' "/$p" "$(on_disk "$p")" "$(stat -c %u:%g "$dir/alice/$p" 2>/dev/null || echo -)" \
		"$(stat -c %u:%g "$dir/bob/$p" 2>/dev/null || echo -)" "$(remark "$p")"
done

# --- write --------------------------------------------------------------------------------------
# As root of a user namespace with that range, in a chroot: what a container is to the kernel.
step write 'as root of each container (a user namespace with that range)'
in_range() { tests/fixtures/in-range "$@"; }
in_range "$A" "$dir/alice" sh -c 'mkdir -m 750 desk && echo "written by alice" >desk/note'
in_range "$B" "$dir/bob" sh -c 'mkdir -m 750 desk && echo "written by bob" >desk/note'
row "$bold" path 'disk id' 'alice sees' 'bob sees' content
row '' /desk/note "$(stat -c %u:%g "$dir/uppers/alice/desk/note")" \
	"$(stat -c %u:%g "$dir/alice/desk/note")" \
	"$(stat -c %u:%g "$dir/bob/desk/note")" \
	"alice: $(cat "$dir/alice/desk/note"); bob: $(cat "$dir/bob/desk/note")"

# --- verify -------------------------------------------------------------------------------------
step verify 'every owner, ACL, capability, mode and type against the image'
"$SHIFTBOX" mount-idmapped -u "$dir/bob"
run mount-idmapped -m "+$B" -o "store=$store,ro" image:demo "$dir/bob"
run shift-check verify -m "+$B" -s "$store" --image demo "$dir/bob"
"$SHIFTBOX" mount-idmapped -u "$dir/bob"

# --- move ---------------------------------------------------------------------------------------
step move "alice's writable layer goes to bob's range: it holds disk ids, so nothing in it changes"
run mount-idmapped -u "$dir/alice"
run mount-idmapped -m "+$B" -o "store=$store,upper=$dir/uppers/alice" image:demo "$dir/bob"
row "$bold" path 'disk id' 'alice sees' 'bob sees' content
row '' /desk/note "$(stat -c %u:%g "$dir/uppers/alice/desk/note")" \
	- "$(stat -c %u:%g "$dir/bob/desk/note")" \
	"$(in_range "$B" "$dir/bob" cat desk/note), read by bob's root"

# --- away ---------------------------------------------------------------------------------------
run mount-idmapped -u "$dir/bob"
left=$(grep -c " $dir/" /proc/self/mountinfo || :)
step away "mounts left: $left. One copy on disk: $(du -sh "$store" |
	cut -f1). ${green}Nothing was chowned.$off"
[ "$chowns" = 0 ] && [ "$left" = 0 ]

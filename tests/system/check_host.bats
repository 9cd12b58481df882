#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shift-check host: its answers are those that mounts give, and it leaves nothing behind.

load lib

NOSYS=$BATS_TEST_DIRNAME/../fixtures/nosys

host() {
	must_work "$@" "$SHIFTBOX" shift-check host --json
}

# answer SECTION NAME: what is said of it, each answer once
answer() {
	jq -r "select(.section == \"$1\" and .name == \"$2\") | .answer" <<<"$output" | sort -u
}

# detail TYPE: what is said of that filesystem
detail() {
	jq -r "select(.section == \"filesystem\" and .name == \"$1\") | .detail" <<<"$output" |
		head -n 1
}

no_new_mounts() {
	must_equal "$(cut -d' ' -f5- /proc/self/mountinfo)" "$mounts"
}

@test "a filesystem can be ID-mapped exactly if mount-idmapped can do it" {
	need root
	need kernel 6.3
	local type mounts
	mkdir tmpfs ramfs m
	mount -t ramfs x ramfs
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	host
	no_new_mounts
	for type in tmpfs ramfs; do
		if "$SHIFTBOX" mount-idmapped -m +100000 "$type" m 2>/dev/null; then
			umount m
			must_equal "$(answer filesystem $type)" yes
		else
			must_equal "$(answer filesystem $type)" no
		fi
	done
	must_equal "$(answer filesystem tmpfs)" yes
	must_equal "$(answer filesystem ramfs)" no
	must_equal "$(answer filesystem proc)" no
}

@test "filesystems on devices are tried where they are mounted" {
	need loop
	need prog mkfs.ext4 mkfs.xfs
	loop_fs ext4 e
	loop_fs xfs x 320M
	host
	must_equal "$(answer filesystem ext4) $(answer filesystem xfs)" "yes yes"
	[[ $(detail ext4) == "tried on "* ]] || tell "not tried where it is mounted"
}

@test "filesystems on devices that are not mounted are tried on images made for it" {
	need loop
	need prog mkfs.xfs mkfs.btrfs mkfs.erofs mksquashfs
	local type mounts mkfs tried=0
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	host
	no_new_mounts
	for type in xfs btrfs erofs squashfs; do
		grep -q "[[:space:]]$type\$" /proc/filesystems || continue
		grep -q " $type " /proc/self/mountinfo && continue
		must_equal "$type: $(answer filesystem $type): $(detail $type)" \
			"$type: yes: tried on an image made for it"
		tried=$((tried + 1))
	done
	[ $tried -gt 0 ] || skip "needs a filesystem that is not mounted"
	! losetup -nlO BACK-FILE | grep -E '^/image( |$)' || tell "a loop device is left"
	grep -q ' xfs ' /proc/self/mountinfo && return
	mkfs=$(realpath "$(PATH=$PATH:/usr/sbin command -v mkfs.xfs)")
	# shellcheck disable=SC2016
	must_work unshare -m sh -c 'mount --bind /dev/null "$1"; shift; exec "$@"' sh "$mkfs" \
		"$SHIFTBOX" shift-check host --json
	must_equal "$(answer filesystem xfs): $(detail xfs)" \
		"not tried: none is mounted; mkfs.xfs, which would make one, is not installed"
}

@test "what cannot be tried is told from what is known, with its conditions" {
	need root
	host
	grep -q ' nfs4\? ' /proc/self/mountinfo && skip "NFS is mounted here"
	output_has '"name":"nfs","answer":"not tried","detail":' ... 'no kernel can ID-map NFS"'
	output_has '"name":"fuse","answer":' ... '"since":"6.12"' ... 'FUSE_ALLOW_IDMAP' ... \
		'default_permissions'
}

@test "FUSE is tried with a daemon of our own that asks for it" {
	need root
	need kernel 6.12
	local mounts
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	host
	no_new_mounts
	if grep -q '[[:space:]]fuse$' /proc/filesystems && [ -c /dev/fuse ]; then
		must_equal "$(answer filesystem fuse): $(detail fuse)" \
			"yes: tried on a mount of its own: with a daemon that asks for it \
(FUSE_ALLOW_IDMAP), and default_permissions"
		# shellcheck disable=SC2016
		must_work unshare -m sh -c 'mount --bind /dev/null /dev/fuse; exec "$@"' \
			sh "$SHIFTBOX" shift-check host --json
	fi
	must_equal "$(answer filesystem fuse)" "not tried"
	[[ "$(detail fuse)" == *"if its daemon asks for it"* ]] || tell "not what is known of FUSE"
}

@test "a path asks for its own filesystem only" {
	need root
	must_work "$SHIFTBOX" shift-check host --json /proc
	must_equal "$(jq -c '[.section, .name, .answer]' <<<"$output")" '["filesystem","proc","no"]'
	text_has "$(jq -r .detail <<<"$output")" "tried on /proc: " ... \
		"does not support ID-mapped mounts" || tell "no reason"
	must_work "$SHIFTBOX" shift-check host --json "$SCRATCH"
	must_equal "$(jq -c '[.name, .answer, .since]' <<<"$output")" '["tmpfs","yes","6.3"]'
	mkdir o
	mount -t overlay -o lowerdir=/etc:/usr ovl o
	must_work "$SHIFTBOX" shift-check host --json o
	must_equal "$(jq -c '[.name, .answer]' <<<"$output")" '["overlay","no"]'
	[[ $output == *"its layers can be"* ]] || tell "no way out"
}

@test "what the kernel has is said to be there, and what a filter hides is not" {
	need root
	need kernel 6.15
	host
	must_equal "$(answer kernel 'ID-mapped mounts')" yes
	must_equal "$(answer kernel 'replacing the map of a mount')" yes
	must_equal "$(answer kernel 'reading the map of a mount')" yes
	host "$NOSYS" 467
	must_equal "$(answer kernel 'ID-mapped mounts')" yes
	must_equal "$(answer kernel 'replacing the map of a mount')" no
	host "$NOSYS" 457
	must_equal "$(answer kernel 'reading the map of a mount')" no
	host "$NOSYS" 442
	must_equal "$(answer kernel 'ID-mapped mounts') $(answer filesystem tmpfs)" "no no"
	host "$NOSYS" 430
	must_equal "$(answer overlay all)" "not tried"
}

@test "the features of OverlayFS are those of this kernel" {
	need root
	need kernel 6.15
	local mounts row
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	host
	no_new_mounts
	must_equal "$(jq -r 'select(.section == "overlay") |
		.answer' <<<"$output" | sort | uniq -c | xargs)" "1 no 13 yes"
	must_equal "$(answer overlay 'ID-mapping the overlay itself')" no
	must_work "$SHIFTBOX" shift-check host
	for row in "whiteouts as attributes  *yes  *6.7" \
		"layers that are detached mounts  *yes  *6.15" "^OVERLAYFS  *HERE  *SINCE"; do
		grep -q "$row" <<<"$output" || tell "no row '$row'"
	done
}

@test "an ordinary user is answered for itself" {
	need root
	need kernel 6.15
	local mounts
	make_user alice 2001 300000 65536
	chmod 755 "$SCRATCH"
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	host as_user alice
	no_new_mounts
	[[ $(jq -r 'select(.name == "unprivileged user namespaces") |
		.detail' <<<"$output") == "tried as the caller" ]] || tell "not as the caller"
	# A tmpfs of its own can be mapped, those of the host cannot.
	must_equal "$(answer filesystem tmpfs)" "no
yes"
	[[ $output == *"was mounted outside of this user namespace"* ]] || tell "no reason"
	must_equal "$(answer overlay 'ID-mapped layers') $(answer overlay 'whiteouts as devices')" \
		"yes yes"
	must_equal "$(answer overlay metacopy)" no
}

@test "an ordinary user who asks for a directory is told the rule that stands in the way" {
	need root
	need kernel 6.3
	local below
	make_user alice 2001 300000 65536
	install -d -o 2001 -g 2001 "$SCRATCH/mine"
	mkdir "$SCRATCH/mine/below"
	# What is mounted below it would be a reason too, but not the one that matters.
	for below in no yes; do
		[ "$below" = no ] || mount -t tmpfs below "$SCRATCH/mine/below"
		must_work as_user alice "$SHIFTBOX" shift-check host "$SCRATCH/mine"
		must_equal "$(tr -s ' ' <<<"$output")" "FILESYSTEM, ID-MAPPED HERE SINCE
tmpfs no 6.3 tried on $SCRATCH/mine: the filesystem (tmpfs) was mounted outside of this user \
namespace, and only the root of the namespace that mounted it may map it; try: run as root of \
that namespace, or use a filesystem mounted in this one (a tmpfs of your own)"
	done
	umount "$SCRATCH/mine/below"
	must_work as_user alice unshare -Urm sh -c 'mount -t tmpfs own "$0" && exec "$@"' \
		"$SCRATCH/mine" "$SHIFTBOX" shift-check host --json "$SCRATCH/mine"
	must_equal "$(answer filesystem tmpfs)" yes
}

@test "root of a user namespace is answered as such" {
	need userns
	need kernel 6.7
	host in_userns
	must_equal "$(answer overlay 'ID-mapped layers')" yes
	must_equal "$(answer overlay 'whiteouts as attributes')" yes
	must_equal "$(answer overlay 'writable (upperdir, workdir)') $(answer overlay metacopy)" \
		"yes no"
}

@test "user namespaces that are forbidden are said to be, with the setting" {
	need root
	# shellcheck disable=SC2016
	must_work unshare --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
		exec "$@"' sh "$SHIFTBOX" shift-check host --json
	[[ $output == *'"name":"user.max_user_namespaces",'*'"0: no user may create one"'* ]] ||
		tell "the setting is not named"
	must_equal "$(answer kernel 'ID-mapped mounts')" "not tried"
}

@test "in a chroot, where there are no user namespaces, that is said" {
	need root
	need kernel 6.3
	local dir mounts
	mkdir -p root/proc root/tmp
	for dir in bin lib lib64 usr etc dev; do
		[ -e "/$dir" ] || continue
		mkdir -p "root/$dir"
		mount --rbind "/$dir" "root/$dir"
	done
	mount --bind /proc root/proc
	cp "$SHIFTBOX" root/shiftbox # wherever it was built
	mounts=$(cut -d' ' -f5- /proc/self/mountinfo)
	must_work chroot root /shiftbox shift-check host --json
	no_new_mounts
	must_equal "$(answer overlay all) $(answer filesystem all)" 'not tried not tried'
	must_equal "$(answer kernel 'ID-mapped mounts')" 'not tried'
	[[ $output == *"root directory is a chroot"* ]] || tell "no reason"
}

@test "a helper without privilege is told" {
	need root
	need subid
	host setpriv --no-new-privs
	must_equal "$(answer namespaces 'newuidmap, newgidmap')" no
}

# summary NAME: what the line of the summary says
summary() {
	jq -r "select(.section == \"summary\" and .name == \"$1\") | .detail" <<<"$output"
}

@test "three lines say what works for root and for users, and what is missing" {
	need root
	need kernel 6.15
	make_user alice 2001 300000 65536
	host
	must_equal "$(jq -r .section <<<"$output" | grep -c summary)" 3
	must_equal "$(answer summary root)" yes
	[[ $(summary root) == "ID-mapped mounts of "*tmpfs*"; writable stacks of mapped layers" &&
		$(summary root) != *proc* ]] || tell "root's"
	must_equal "$(summary missing)" "nothing that the commands need"
	must_work "$SHIFTBOX" shift-check host
	must_equal "$(head -n 4 <<<"$output" | cut -d' ' -f1 | xargs)" "root users missing"
	# Of a path, only the answer is printed.
	must_work "$SHIFTBOX" shift-check host .
	[[ $output != *"missing  "* ]] || tell "a summary of one row"
	# A call that a sandbox forbids is missing, with what it is needed for.
	host "$NOSYS" 442 # mount_setattr
	must_equal "$(answer summary root)" no
	must_equal "$(summary root)" "no ID-mapped mounts; no stacks of mapped layers"
	[[ $(summary missing) == *"ID-mapped mounts (use Linux 5.12 or newer, and allow"* ]] ||
		tell "what is missing"
	host as_user alice
	must_equal "$(summary root)" "not tried: run it as root, outside of user namespaces"
	[[ $(summary users) == "user namespaces with the ids that /etc/subuid"*"; there, "* ]] ||
		tell "the user's"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What users who have views of a store, and authors of images, try against root and each other.

# shellcheck disable=SC2034

load lib
load images
load podman
need root
need subid
need prog python3 setpriv podman crun busybox

test_setup() {
	mount -t tmpfs -o mode=755 run /run
	podman_start
	STORE=$SCRATCH/store
	podman_user alice 2001 300000
}

test_teardown() {
	umount -l "$SCRATCH"/view-* 2>/dev/null || true
	umount -l /run
	podman_stop
}

unpack() {
	must_work "$SHIFTBOX" image-unpack -s "$STORE" "$@"
}

# Give the user a view, and the storage.conf that names it.
view() { # USER
	mkdir -p "$SCRATCH/view-$1"
	must_work "$SHIFTBOX" mount-idmapped -m "user:$1" -o ro,nosuid,nodev "$STORE/podman" \
		"$SCRATCH/view-$1"
	cat >"$SCRATCH/home-$1/.config/containers/storage.conf" <<-EOF
		[storage]
		driver = "overlay"
		runroot = "$SCRATCH/run-$1/containers"
		graphroot = "$SCRATCH/home-$1/.local/share/containers/storage"
		[storage.options]
		additionalimagestores = ["$SCRATCH/view-$1"]
	EOF
}

GOOD='{"layers":[{"files":{"bin":{"type":"dir"},"bin/busybox":{"copy":"/bin/busybox","mode":"755"},
	"bin/sh":{"type":"link","to":"bin/busybox"}}}]}'
REF=docker.io/library/good:1

@test "an image with documents that podman cannot read spoils podman for nobody" {
	local doc n=0
	image good "$GOOD"
	unpack -N $REF good
	view alice
	while read -r doc; do
		n=$((n + 1))
		image "bad$n" '{"layers":[{"files":{"x":"1"}}],'"$doc}"
		[[ $doc != *docker* ]] ||
			sed -i 's/vnd.oci.image.manifest.v1/vnd.docker.distribution.manifest.v2/' \
				"bad$n/index.json"
		unpack -N "bad$n" "bad$n"
	done <<-'EOF'
		"config":{"config":{"Env":"x"}}
		"config":{"created":"2026-02-30T00:00:00Z"}
		"config":{"hiſtory":5}
		"manifest":{"annotations":{"a":1}}
		"manifest":{"MediaType":"application/vnd.oci.image.index.v1+json"}
		"manifest":{"history":[]}
		"manifest":{"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}
	EOF
	must_equal "$(as alice podman --log-level=error images --format '{{.Names}}')" "[$REF]"
	must_work "$SHIFTBOX" image-unpack -s "$STORE" --list --json
	must_equal "$(grep -c "its documents are not those of an image for podman" <<<"$output")" $n
	as alice podman --log-level=error run --rm $REF busybox true
}

@test "root of a user's namespace gets no more of a view than reading it, and nothing of another" {
	podman_user bob 2002 400000
	image a '{"layers":[{"files":{"null":{"type":"char","dev":[1,3],"mode":"666"},
		"suid":{"data":"x","mode":"4755"}}}]}'
	unpack a
	find "$STORE" -path "$STORE/tmp" -prune -o -printf '%P %i %n %C@ %s %U:%G %m\n' >before
	echo "$STORE/podman /run/shiftbox/users/%u shiftbox" \
		"map=user:%u,each=user:alice;user:bob,ro,nosuid,nodev 0 0" >views
	must_work "$SHIFTBOX" mount-idmapped -a -T views
	as alice unshare -U --map-root-user --map-auto -m "$TESTS/fixtures/break_view.py" \
		/run/shiftbox/users/{alice,bob} "$SCRATCH/home-alice" >tried
	must_equal "$(sort tried | uniq -c | awk '{ print $2, $3 }' | paste -sd';')" "$(joined \
		"clear EPERM;device EACCES;enter EACCES;link EXDEV;map EPERM;remount EPERM;" \
		"umount EINVAL;upper EINVAL;write EROFS")"
	find "$STORE" -path "$STORE/tmp" -prune -o -printf '%P %i %n %C@ %s %U:%G %m\n' >after
	cmp before after
}

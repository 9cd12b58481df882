#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What podman, buildah, skopeo and crun of this system take from a store is what the table in
# image-unpack(8) says. `tests/run podmans` does the same with those of other releases.

load lib
need root
need subid
need prog python3 setpriv podman buildah skopeo crun busybox

# The registry of Debian's package, but not its service.
setup_file() {
	local fixtures=$BATS_TEST_DIRNAME/../../${BUILD:-build}/fixtures
	command -v docker-registry >/dev/null && return
	mkdir -p "$fixtures"
	fixtures=$(realpath "$fixtures")
	export PATH=$fixtures/docker-registry/usr/bin:$PATH
	[ ! -e "$fixtures/docker-registry" ] || return 0
	(
		cd "$(mktemp -d -p "$fixtures")" &&
			apt-get -qq -o APT::Sandbox::User=root download docker-registry &&
			dpkg-deb -x docker-registry_*.deb tree &&
			mv -T tree "$fixtures/docker-registry" && rm docker-registry_*.deb &&
			rmdir "$PWD"
	) >&2 || true
}

@test "two users of podman do all that the table of the manual has, at the same time" {
	need prog docker-registry
	"$TESTS/podmans/list" >list 2>reasons || { cat list reasons; false; }
	"$TESTS/podmans/compare" list || { cat reasons; false; }
}

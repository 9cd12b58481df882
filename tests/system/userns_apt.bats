# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016
# An ordinary user installs packages with many owners in a real image, with enough ids and with too few.

load lib

need root
need kernel 5.19
need prog mmdebstrap umoci jq

setup_file() {
	[ -z "$missing" ] || return 0
	DEBIAN=$(realpath -m "${BUILD:-$TESTS/../build}")/fixtures/debian
	export DEBIAN
	mkdir -p "$(dirname "$DEBIAN")"
	flock "$DEBIAN.lock" "$TESTS/fixtures/debian-image.sh" "$DEBIAN" >&2
}

# What apt needs to know in a container: no daemons are started. Its sandbox user has an id that not every map has.
install='
	export DEBIAN_FRONTEND=noninteractive
	printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
	dpkg --purge postfix man-db && apt-get -o APT::Sandbox::User=root install -y --no-install-recommends /debs/*.deb'

test_setup() {
	chmod 755 "$SCRATCH"
	cp -r "$DEBIAN/packages" debs
	cp -r "$DEBIAN/oci" oci
	chmod -R a+rX debs oci
}

unpack() { # USER [OPTION...]
	capture as_user "$1" "$SHIFTBOX" image-unpack -q --no-sync --devices=skip "${@:2}" -N debian oci:oci:latest
	[ "$status" = 0 ] || say "$stderr"
}

run_there() { # USER [OPTION...] -- CMD...
	local user=$1
	shift
	as_user "$user" "$SHIFTBOX" userns-run -i image:debian -o "upper=$SCRATCH/home-$user/upper" --bind "$SCRATCH/debs:/debs:ro" "$@"
}

@test "with a whole grant, man-db and postfix install as on a machine of one's own" {
	make_user many 4001 500000 65536
	unpack many
	capture run_there many -- sh -c "$install"
	[ "$status" = 0 ] || say "$output$stderr"
	must_work run_there many -- stat -c %U:%G /var/cache/man /var/spool/postfix/maildrop /usr/sbin/postdrop
	must_equal "$output" "man:man
postfix:postdrop
root:postdrop"
	must_equal "$(owner "$SCRATCH/home-many/upper/var/cache/man")" 500005:500011
}

@test "with too few ids the kernel refuses; the broker tells why, and with it the packages install" {
	make_user few 4002 600000 100
	unpack few --unmapped=skip
	capture run_there few -- sh -c "$install"
	must_equal "$status" 100
	[[ $output$stderr = *"maildrop': Invalid argument"* ]]

	rm -rf home-few/upper
	capture run_there few --allow chown:report -- sh -c "$install"
	must_equal "$status" 100
	[[ $stderr = *"PROGRAM"*"chown"*100*103*none*"/var/spool/postfix/maildrop"*"104 group ids"* ]]

	rm -rf home-few/upper
	capture run_there few --allow chown:emulate --audit "$SCRATCH/home-few/audit" -- sh -c "$install"
	[ "$status" = 0 ] || say "$output$stderr"
	must_work run_there few -- sh -c 'dpkg-query -W -f "\${db:Status-Abbrev}" man-db postfix'
	must_equal "$output" "ii ii "
	must_equal "$(jq -c 'select(.verdict == "emulated" and .arguments.path == "/var/spool/postfix/maildrop") | [.command,.arguments.gid,.rule]' home-few/audit)" \
		'["chown",103,"chown:emulate"]'
	# Whoever had an id got it from the kernel.
	must_work run_there few -- stat -c %U:%G /var/cache/man
	must_equal "$output" man:man
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016
# A real image: what people look at first, and an ordinary user who installs packages with many
# owners, with enough ids and with too few.

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

# What apt needs to know in a container: no daemons are started. Its sandbox user has an id that not
# every map has.
install='
	export DEBIAN_FRONTEND=noninteractive
	printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
	dpkg --purge postfix man-db &&
		apt-get -o APT::Sandbox::User=root install -y --no-install-recommends /debs/*.deb'

test_setup() {
	chmod 755 "$SCRATCH"
	cp -r "$DEBIAN/packages" debs
	cp -r "$DEBIAN/oci" oci
	chmod -R a+rX debs oci
}

unpack() { # USER [OPTION...]
	capture as_user "$1" "$SHIFTBOX" image-unpack -q --no-sync --devices=skip "${@:2}" \
		-N debian oci:oci:latest
	[ "$status" = 0 ] || say "$stderr"
}

run_there() { # USER [OPTION...] -- CMD...
	local user=$1
	shift
	as_user "$user" "$SHIFTBOX" userns-run -i image:debian \
		-o "upper=$SCRATCH/home-$user/upper" --bind "$SCRATCH/debs:/debs:ro" "$@"
}

look='id; ls -ln /; cat /proc/self/uid_map'

# All of root's, but for what is the host's. The last line is the map.
must_look_owned() { # UID_MAP
	must_equal "$(head -n 1 <<<"$output")" "uid=0(root) gid=0(root) groups=0(root)"
	must_equal "$(awk 'NF >= 9 { print $3 ":" $4, $9 }' <<<"$output" | sort | xargs)" \
		"$(printf '0:0 %s ' bin boot dev etc home lib lib64 media mnt opt root run sbin \
			srv tmp usr var)65534:65534 proc 65534:65534 sys"
	must_equal "$(awk 'NF == 3 && $1 + 0 == $1 { print $1, $2, $3 }' <<<"$output" | xargs)" "$1"
}

@test "root with a range for the command: id, ls and the map are as expected" {
	chmod 711 .
	must_work "$SHIFTBOX" image-unpack -q --no-sync -s store -N debian oci:oci:latest
	must_work "$SHIFTBOX" userns-run -s store -m +100000 -i image:debian -- sh -c "$look"
	must_look_owned "0 100000 65536"
	add_line /etc/subuid root:800000:65536
	add_line /etc/subgid root:800000:65536
	must_work "$SHIFTBOX" userns-run -s store -i image:debian -- sh -c "$look"
	must_look_owned "0 800000 65536"
}

@test "an ordinary user: id, ls and the map are as expected" {
	make_user many 4001 500000 65536
	unpack many
	must_work as_user many "$SHIFTBOX" userns-run -i image:debian -- sh -c "$look"
	must_look_owned "0 4001 1 1 500000 65536"
}

@test "with a whole grant, man-db and postfix install as on a machine of one's own" {
	make_user many 4001 500000 65536
	unpack many
	capture run_there many -- sh -c "$install"
	[ "$status" = 0 ] || say "$output$stderr"
	must_work run_there many -- \
		stat -c %U:%G /var/cache/man /var/lib/postfix /usr/sbin/postdrop
	must_equal "$output" "man:man
postfix:postfix
root:postdrop"
	must_equal "$(owner "$SCRATCH/home-many/upper/var/cache/man")" 500005:500011
}

@test "with too few ids the kernel refuses; the broker says why, and then packages install" {
	make_user few 4002 600000 100
	unpack few --unmapped=skip
	capture run_there few -- sh -c "$install"
	must_equal "$status" 100
	# Which path of postfix is the first depends on the release.
	refused=$(sed -n "s/.*'\(.*postfix.*\|.*postdrop\)': Invalid argument.*/\1/p" \
		<<<"$output$stderr" | head -n 1)
	[ -n "$refused" ] || say "$output$stderr"
	group=$(run_there few -- getent group postdrop | cut -d: -f3)
	[ "$group" -gt 99 ]

	rm -rf home-few/upper
	capture run_there few --allow chown:report -- sh -c "$install"
	must_equal "$status" 100
	stderr_has "PROGRAM" ... "$group" ... none ... "$refused" ... "$((group + 1)) group ids"

	rm -rf home-few/upper
	capture run_there few --allow chown:emulate --audit "$SCRATCH/home-few/audit" -- \
		sh -c "$install"
	[ "$status" = 0 ] || say "$output$stderr"
	must_work run_there few -- sh -c 'dpkg-query -W -f "\${db:Status-Abbrev}" man-db postfix'
	must_equal "$output" "ii ii "
	must_equal "$(jq -c --arg path "$refused" 'select(.verdict == "emulated" and
		.arguments.path == $path) | [.arguments.gid,.rule]' home-few/audit)" \
		"[$group,\"chown:emulate\"]"
	# Whoever had an id got it from the kernel.
	must_work run_there few -- stat -c %U:%G /var/cache/man
	must_equal "$output" man:man
}

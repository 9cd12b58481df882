# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# The format of a store: stores of the first version are still good, and those of a newer one are
# refused by every command.

load lib
load images
need root

UNPACK="$SHIFTBOX image-unpack"

test_setup() {
	chmod 711 .
	"$TESTS/fixtures/old-store" extract .
	"$TESTS/fixtures/old-store" images images
	chmod 755 images
	mkdir -m 700 closed
	mkdir closed/m
	ln -s closed/m m
}

layers() {
	find "$1/layers" -mindepth 1 -maxdepth 1 -xtype d | wc -l
}

# STORE FORMAT SKIP USER...: list, verify, extend, remove and prune, by this user. FORMAT is what is
# in the file afterwards.
old_store() {
	local store=$1 format=$2 skip=$3
	shift 3
	must_work "$@" $UNPACK --list -s "$store"
	output_has shop
	output_has web
	must_work "$@" $UNPACK --show web -s "$store"
	must_work "$@" $UNPACK --verify web -s "$store"
	must_work "$@" $UNPACK --verify shop -s "$store"
	must_equal "$(layers "$store")" 3

	# Its layers are shared by an image that is added.
	capture "$@" $UNPACK -s "$store" $skip -N more images/more
	must_equal "$status" 0
	output_has "2 layers (1 unpacked, 1 shared)"
	must_equal "$(layers "$store")" 4
	must_work "$@" $UNPACK --verify more -s "$store"
	must_equal "$(cat "$store/format" 2>/dev/null)" "$format"

	must_work "$@" $UNPACK --remove shop -s "$store"
	must_work "$@" $UNPACK --prune -s "$store"
	must_equal "$(layers "$store")" 3
	must_work "$@" $UNPACK --verify web -s "$store"
}

# upgraded STORE CMD...: an opaque directory of its image web gets whiteouts.
upgraded() {
	local store=$1
	shift
	must_equal "$(getfattr -Rhd -m overlay "$store" 2>/dev/null | grep -c overlay.opaque)" 1
	must_work "$@" $UNPACK --upgrade web -s "$store"
	output_has "upgraded web: 1 of 2 layers (opaque directories: 1, new whiteouts:"
	must_equal "$(getfattr -Rhd -m overlay "$store")" ""
	must_work "$@" $UNPACK --verify web -s "$store"
}

# The image web, mounted with +100000 on its disk ids.
mounted_web() {
	must_equal "$(ls m)" "$(printf '%s\n' bin d etc home ln "$@" sh)"
	must_equal "$(ls m/d)" new
	must_equal "$(owner m/bin/su) $(owner m/etc/conf) $(owner m/d)" \
		"100000:100000 100033:100044 100007:100000"
	must_equal "$(owner m/home/x) $(owner m/home/x/f) $(owner m/home/x/g)" \
		"101000:101000 101000:101000 101000:101001"
	must_equal "$(stat -c %a m/bin/su m/home/x | xargs)" "4755 2750"
	must_equal "$(stat -c %i m/bin/ping)" "$(stat -c %i m/bin/ping6)"
	must_equal "$(getfattr --only-values -n user.note m/home/x/f)" hi
	must_equal "$(getcap -n m/bin/ping | cut -d' ' -f2-)" "cap_net_raw=ep [rootid=100000]"
	must_equal "$(cat m/ln) $(readlink m/sh)" "old bin/su"
}

@test "a store of the first version is listed, verified, extended, pruned and mounted" {
	old_store stores/root "2 0.1.0" "" env
	must_work "$SHIFTBOX" mount-idmapped -s stores/root -m +100000 image:web closed/m
	mounted_web null
	must_fail 3 "" "$SHIFTBOX" shift-check verify --image web -s stores/root -m +100000 closed/m
	output_has "1 finding: 1 marks"
	must_work "$SHIFTBOX" mount-idmapped -u closed/m
	upgraded stores/root env
	must_work "$SHIFTBOX" mount-idmapped -s stores/root -m +100000 image:web closed/m
	mounted_web null
	must_work "$SHIFTBOX" shift-check verify --image web -s stores/root -m +100000 closed/m
	must_work "$SHIFTBOX" mount-idmapped -u closed/m
}

@test "so is one with a base" {
	chmod 700 stores/base
	old_store stores/base "" --devices=skip env
	must_work "$SHIFTBOX" mount-idmapped -s stores/base -m +100000 image:web closed/m
	mounted_web
	must_work "$SHIFTBOX" mount-idmapped -u closed/m
	upgraded stores/base env
	must_work "$SHIFTBOX" mount-idmapped -s stores/base -m +100000 image:web closed/m
	mounted_web
	must_work "$SHIFTBOX" mount-idmapped -u closed/m
}

@test "so is one of an ordinary user" {
	need subid
	make_user old 1234 300000 65536
	old_store stores/user "" --devices=skip as_user old
	upgraded stores/user as_user old
	# Its image can be mounted and entered: of its files none is a program.
	must_fail 126 "cannot run the command: Permission denied" as_user old "$SHIFTBOX" \
		userns-run -s "$SCRATCH/stores/user" -i image:web -- /etc/passwd
}

@test "a new store has a format, which only its owner can read; one with a base can be read" {
	must_work $UNPACK -q -s new -N web images/web
	must_equal "$(cat new/format)" "2 0.1.0"
	must_equal "$(stat -c '%a %u:%g' new/format)" "600 0:0"
	capture $UNPACK -q -s new2 --base 2000000 --devices=skip -N web images/web
	must_equal "$status" 0
	must_equal "$(cat new2/format)" "1 0.1.0"
	must_equal "$(stat -c '%a' new2/format)" 644
	# A process that was killed before it made more than that does no harm.
	mkdir -m 700 begun
	echo "1 0.1.0" >begun/format
	must_work $UNPACK -q -s begun -N web images/web
	mkdir -m 700 begun2
	: >begun2/format
	must_work $UNPACK -q -s begun2 -N web images/web
	must_work $UNPACK --list -s begun2
}

@test "the second format is that of stores with links in layers/" {
	# No layer has been moved yet, and none will be.
	mkdir -m 700 n
	image plain '{"layers":[{"files":{"a":"1"}}]}'
	must_fail 1 "" $UNPACK -q -s n/new images/none
	[ ! -e n/new/format ] || must_equal "$(cat n/new/format)" "1 0.1.0"
	must_work in_userns $UNPACK -q -s n/user plain
	must_equal "$(cat n/user/format) $(find n/user/layers -type l)" "1 0.1.0 "
	must_work $UNPACK -q -s n/root -N more images/more
	must_equal "$(cat n/root/format) $(find n/root/layers -type l | wc -l)" "2 0.1.0 2"
}

@test "a link in another user's store is not followed" {
	local name
	make_user mallory 1235 400000 65536
	for name in format base; do
		rm -rf theirs
		install -d -m 700 -o mallory -g mallory theirs
		echo "2 9.9.9" >closed-file
		ln -s ../closed-file "theirs/$name"
		must_fail 1 "Too many levels of symbolic links" $UNPACK --list -s theirs
	done
}

newer() {
	must_fail "$1" "the store has the format 3, and this version" "${@:2}"
	stderr_has "knows formats up to 2" ... "use shiftbox 0.9.1 or newer"
}

@test "every command refuses a store of a newer version, and names the version that it needs" {
	local store=$SCRATCH/stores/root before
	mkdir -m 700 b plain
	must_work "$SHIFTBOX" mount-idmapped -s "$store" -m +100000 image:web closed/m
	echo "3 0.9.1 more words" >"$store/format"
	before=$(find "$store" | sort)
	newer 1 $UNPACK -s "$store" -N more images/more
	newer 1 $UNPACK -n -s "$store" -N more images/more
	newer 1 $UNPACK --list -s "$store"
	newer 1 $UNPACK --show web -s "$store"
	newer 1 $UNPACK --verify web -s "$store"
	newer 1 $UNPACK --remove web -s "$store"
	newer 1 $UNPACK --prune -s "$store"
	newer 1 $UNPACK --bundle b/b -m +100000 -s "$store" web
	newer 1 "$SHIFTBOX" mount-idmapped -s "$store" -m +100000 image:web plain
	newer 1 "$SHIFTBOX" mount-idmapped -n -s "$store" -m +100000 image:web plain
	echo "image:web $SCRATCH/plain shiftbox store=$store,map=+5 0 0" >fstab
	newer 1 "$SHIFTBOX" mount-idmapped -a -T fstab
	newer 125 "$SHIFTBOX" userns-run -m +100000 -s "$store" -i image:web -- true
	newer 1 "$SHIFTBOX" shift-check verify --image web -s "$store" -m +100000 closed/m
	newer 1 "$SHIFTBOX" shift-check map --cover image:web -s "$store"
	newer 1 "$SHIFTBOX" shift-check explain --image web -s "$store" m/etc
	must_equal "$(find "$store" | sort)" "$before"
	must_work "$SHIFTBOX" mount-idmapped -u closed/m

	# A later format may have none of the directories of this one.
	mkdir -m 700 later
	echo 7 >later/format
	must_fail 1 "the store has the format 7" $UNPACK -s later -N more images/more
	stderr_has "use a newer version of shiftbox"
	must_equal "$(ls later)" format
	for text in '' 0 x '1x' ' 1' -1 18446744073709551616 \
		"$(head -c 5000 /dev/zero | tr '\0' 1)"; do
		printf '%s\n' "$text" >later/format
		capture $UNPACK --list -s later
		must_equal "$text $status" "$text 1"
		[[ $stderr == *format* ]]
	done
	printf '3 a\033[31mb\n' >later/format
	must_fail 1 "use a newer version of shiftbox" $UNPACK --list -s later
	mkfifo later/fifo
	mv later/fifo later/format
	capture timeout 300 $UNPACK --list -s later
	must_equal "$status" 1
}

@test "a damaged format is refused, with what it must be and what to do" {
	local text
	must_work $UNPACK -q -s closed/new -N more images/more
	for text in x '0 1' '1x' '-1 0'; do
		echo "$text" >closed/new/format
		must_fail 1 "the file 'format' of the store is damaged" $UNPACK --list -s closed/new
		stderr_has "why:  it must begin with the number of the store's format" ... \
			"try:  restore it from a backup"
	done
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2154
# mount-idmapped: as many stacks as a busy machine has, of one image, and a long table.

load lib

need root
need kernel 5.19
need prog python3 strace

MI="$SHIFTBOX mount-idmapped"
LAYERS=40 STACKS=200

image() {
	local i tars=()
	mkdir -m 700 store private
	mkdir stacks files
	for ((i = 0; i < LAYERS; i++)); do
		echo "$i" >"files/f$i"
		tar -C files --owner $((i + 1)) --group 7 -cf "files/$i.tar" "f$i"
		tars+=("files/$i.tar")
	done
	must_work "$SHIFTBOX" image-unpack -q -s store -N many "${tars[@]}"
	for ((i = 0; i < STACKS; i++)); do
		mkdir "stacks/$i"
		echo "image:many $SCRATCH/stacks/$i shiftbox store=$SCRATCH/store,\
upper=$SCRATCH/private/$i,map=+$((100000 + i % 50 * 65536)) 0 0"
	done >fstab
}

# Tell each line of mountinfo that was ever seen and is neither there at first nor one of the
# stacks. Ends when "stop" is there.
watch() {
	python3 - "$SCRATCH" <<-'END'
		import os, select, sys
		scratch = sys.argv[1]
		def mounts():
		    table.seek(0)
		    return {tuple(line.split()[3:5]) for line in table}
		table = open("/proc/self/mountinfo")
		poll = select.poll()
		poll.register(table, select.POLLPRI | select.POLLERR)
		before, looks = mounts(), 0
		open(scratch + "/watching", "w")
		while not os.path.exists(scratch + "/stop"):
		    poll.poll(100)
		    looks += 1
		    for root, target in mounts() - before:
		        if not target.startswith(scratch + "/stacks/"):
		            print("seen:", root, target)
		print("looks:", looks)
	END
}

many() {
	local before watcher
	image
	export SHIFTBOX_OVERLAY_WAY=$1
	rm -f stop watching
	before=$(wc -l </proc/self/mountinfo)
	watch >seen &
	watcher=$!
	while [ ! -e watching ]; do sleep 0.05; done
	capture $MI -v -a -T fstab
	touch stop
	wait $watcher
	must_equal "$status" 0
	[[ $stderr == *"$STACKS mounted, "*"user namespaces made: 50"* ]] || tell "how many"
	must_equal "$(($(wc -l </proc/self/mountinfo) - before))" "$STACKS"
	must_equal "$(grep -v ^looks: seen)" ""
	[ "$(sed -n 's/^looks: //p' seen)" -gt 2 ] || say "the watcher did not look"
	must_equal "$(owner stacks/0/f0) $(owner stacks/199/f39)" \
		"100001:100007 $((100000 + 49 * 65536 + 40)):$((100000 + 49 * 65536 + 7))"
	must_equal "$(ls stacks/77 | wc -l)" $LAYERS
	must_work $MI -a -u -T fstab
	must_equal "$(wc -l </proc/self/mountinfo)" "$before"
	rm -rf private/*
}

@test "200 stacks of 40 layers: one line of mountinfo each, and no other mount is ever seen" {
	need kernel 6.15
	many fds
}

@test "the same with layers by name" {
	many names
}

@test "in the caller's mount namespace, a stack is attached once and nothing else is" {
	need kernel 6.15
	export SHIFTBOX_OVERLAY_WAY=fds
	image
	must_work strace -f -qq -o trace -e trace=move_mount,mount,umount2 \
		$MI -s store -m +100000 -o upper=private/one image:many stacks/0
	# What is gathered goes onto a detached tree, by its number as a name.
	sed -nE 's/^[0-9]+ +((move_mount|mount|umount2)\(.*)/\1/p' trace >calls
	must_equal "$(grep -c 'MOVE_MOUNT_T_EMPTY_PATH' calls)" 1
	must_equal "$(grep -v 'MOVE_MOUNT_T_EMPTY_PATH' calls |
		grep -vcE ', "[0-9]+", MOVE_MOUNT_F_EMPTY_PATH\) = 0$')" 0
	must_work $MI -u stacks/0
}

@test "10,000 lines over 40 maps: 40 user namespaces, all mounted, all unmounted" {
	local i
	mkdir source targets && touch source/file
	(cd targets && seq 0 9999 | xargs mkdir)
	for ((i = 0; i < 10000; i++)); do
		echo "$SCRATCH/source $SCRATCH/targets/$i shiftbox map=0:$((1000 + i % 40)):1 0 0"
	done >fstab
	capture $MI -v -a -T fstab
	must_equal "$status" 0
	stderr_has "10000 mounted, 0 were mounted already, 0 failed (nofail); user namespaces" \
		"made: 40"
	must_equal "$(grep -c " $SCRATCH/targets/.*idmapped" /proc/self/mountinfo)" 10000
	must_equal "$(owner targets/0/file) $(owner targets/9999/file)" "1000:1000 1039:1039"
	must_work $MI -a -u -T fstab
	must_equal "$(grep -c " $SCRATCH/targets/" /proc/self/mountinfo || :)" 0
}

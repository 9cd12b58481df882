# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests of the broker: `load broker`, after lib. $RUN is userns-run as root, and closed/root has
# the program "attack".

need root
need kernel 5.19
need prog busybox gcc jq

RUN="$SHIFTBOX userns-run -m +100000"

setup_file() {
	static_program attack -pthread
}

test_setup() {
	closed_root attack
}

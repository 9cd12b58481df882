#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images of a registry, over a network that fails: the image is right, or there is an error.

load lib
load images
load registry
need root
need prog python3 docker-registry skopeo openssl

setup_file() {
	if [ -n "$missing" ]; then return; fi
	registry_start
}

teardown_file() {
	if [ -n "$missing" ]; then return; fi
	registry_stop
}

test_setup() {
	fault none
	: >requests
}

test_teardown() {
	servers_stop
}

works_with() {
	proxy_start
	fault "$1"
	must_work pull -q -N big --retry 4 "docker://$PROXY/t/big:1"
	same_tree
	[ -z "$(ls store/partial)" ]
}

fails_with() {
	proxy_start
	fault "$1"
	must_fail 1 "$2" pull -N big --retry 2 "docker://$PROXY/t/big:1"
	[ ! -e store/images/big ]
	must_equal "$(ls store/layers)" ''
}

@test "a connection that is cut at many places goes on from there, with no byte fetched again" {
	local i at
	proxy_start
	for i in 1 2 3 4 5 6 7 8 9 10; do
		at=$((i * 2400000 + i))
		fault "cut:$at"
		: >requests
		must_work pull -q -N big "docker://$PROXY/t/big:1"
		same_tree
		[ "$(sent)" -lt $((26 << 20)) ] || say "$(cat requests)"
		grep -q "bytes=$at-" requests
		must_work pull --remove big
		must_work pull --prune
	done
}

@test "a connection that is always cut goes on as long as it makes progress" {
	works_with cutall:3000000
}

@test "a connection that is always cut at once is given up, and what has arrived is kept" {
	fails_with cutall:300000 'the connection breaks again and again'
	[ -s store/partial/sha256-* ]
}

@test "an answer of 503, with or without Retry-After, is waited for" {
	works_with status:503
	fault none
	rm -r store
	fault status:429:1
	must_work pull -q -N big "docker://$PROXY/t/big:1"
}

@test "Retry-After may be a date" {
	works_with status:429:date
}

@test "a request that is refused for good" {
	fails_with always:429 'refuses more requests'
	stderr_has 'try: ' ... 'skopeo login'
}

@test "a server that asks to wait for long is not waited for" {
	fails_with always:429:9999 'in 9999 seconds'
}

@test "a redirect to another port is followed without Authorization" {
	works_with redirect
	grep -q ' 307 ' requests
}

@test "a redirect that leads nowhere" {
	fails_with loop 'redirects again and again'
}

@test "wrong bytes, of which nothing is kept" {
	fails_with wrong:9000000 "the blob's digest is wrong"
	must_equal "$(ls store/partial)" ''
}

@test "wrong lengths" {
	fails_with long 'a blob of another length'
	servers_stop
	fails_with short 'a blob of another length'
}

@test "a body in chunks" {
	works_with chunked
}

@test "a body in chunks that is cut" {
	works_with chunkcut:7000000
}

@test "a body that begins byte by byte" {
	works_with drip
}

@test "HTTP/1.0 without a length" {
	works_with http10
}

@test "HTTP/1.0 without a length, cut" {
	works_with http10cut:7000000
}

@test "a server that ignores Range sends all again, and the image is right" {
	proxy_start
	fault cutall:300000
	must_fail 1 'breaks again' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	[ "$(stat -c %s store/partial/*)" -ge 200000 ]
	fault norange
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	same_tree
}

@test "a server that answers with another range is refused" {
	proxy_start
	fault cutall:300000
	must_fail 1 'breaks again' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	fault badrange
	must_fail 1 'cannot continue the transfer' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	fault none
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	same_tree
}

@test "after kill -9 the next run goes on from what had arrived" {
	local i had=0
	LEAVES_STAGING=1
	proxy_start
	fault stall:6000000
	for i in 1 2 3; do
		"$SHIFTBOX" image-unpack -s "$SCRATCH/store" --insecure "$PROXY" -q -N big \
			"docker://$PROXY/t/big:1" 3>&- &
		until [ "$(stat -c %s store/partial/* 2>/dev/null || echo 0)" -gt \
			$((had + 5000000)) ]; do sleep 0.1; done
		kill -9 $!
		wait $! || :
		had=$(stat -c %s store/partial/*)
	done
	fault none
	: >requests
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	same_tree
	grep -q "bytes=$had-" requests
	[ "$(sent)" -le $(((25 << 20) - had)) ]
	[ -z "$(ls store/partial)" ]
}

@test "a part that was damaged on disk is noticed, removed, and fetched again" {
	proxy_start
	fault cutall:300000
	must_fail 1 'breaks again' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	printf x | dd of="$(echo store/partial/*)" bs=1 seek=100000 conv=notrunc 2>/dev/null
	fault none
	must_fail 1 "is wrong" pull -N big "docker://$PROXY/t/big:1"
	stderr_has 'try: ' ... 'run the command again'
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	same_tree
}

@test "--no-resume keeps nothing, and --prune removes what is kept" {
	proxy_start
	fault cutall:300000
	must_fail 1 'breaks again' pull --no-resume -N big --retry 1 "docker://$PROXY/t/big:1"
	[ ! -e store/partial ]
	must_fail 1 'breaks again' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	must_work pull --prune
	[[ $output == *'removed 1 part of interrupted downloads'* ]]
	must_equal "$(ls store/partial)" ''
	must_fail 1 'breaks again' pull -N big --retry 1 "docker://$PROXY/t/big:1"
	touch -d '8 days ago' store/partial/*
	must_work pull -q -N small "docker://$PROXY/t/small:1"
	must_equal "$(ls store/partial)" ''
}

@test "a full disk drops the part and not the download" {
	proxy_start
	must_work pull -q -N small "docker://$PROXY/t/small:1"
	mount -t tmpfs -o size=4m none store/partial
	chmod 700 store/partial
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	same_tree
	umount store/partial
}

@test "from https: nothing leads to http:" {
	certificates
	fault downgrade
	proxy_start --tls server.crt server.key
	mkdir certs
	cp ca.crt certs
	must_fail 1 'redirects from https: to http:' "$SHIFTBOX" image-unpack -s store -N big \
		--cert-dir certs "docker://$PROXY/t/big:1"
	must_fail 1 'redirects from https: to http:' pull -N big "docker://$PROXY/t/big:1"
}

@test "a certificate that is not trusted, and one that is" {
	certificates
	proxy_start --tls server.crt server.key
	must_fail 1 'its certificate is not trusted' "$SHIFTBOX" image-unpack -s store -N big \
		"docker://$PROXY/t/big:1"
	stderr_has 'try: ' ... '--cert-dir'
	mkdir certs
	cp ca.crt certs
	must_work "$SHIFTBOX" image-unpack -q -s store -N big --cert-dir certs \
		"docker://$PROXY/t/big:1"
	same_tree
	must_work pull -q -N big "docker://$PROXY/t/big:1"
	must_fail 1 'its certificate is not trusted' "$SHIFTBOX" image-unpack -s store -N big \
		--insecure 127.0.0.1 "docker://$PROXY/t/big:1"
}

#!/usr/bin/env bats
# What goes wrong around a run: its store, the disk, the streams, permissions, signals. One clear message,
# the right exit code, nothing lost.

load common
load lone

teardown() {
	if mountpoint -q small 2>/dev/null; then
		umount small
	fi
	chmod -Rf u+w . || true # else an ordinary user's files would stay
}

# A rehearsal whose command runs until it is stopped, and says when it has begun.
long_command() {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "trap '' TERM INT HUP; setsid sleep NAP & sleep NAP; sleep NAP"}}]
		    - calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
	sed -i "s/NAP/$nap/g" script.yaml
	sed -i 's/timeout: 3s/timeout: 60s/' team.yaml
}

# Starts the run and waits until its command runs; its process is $pid.
start_run() {
	muster run team.yaml --rehearse script.yaml >out 2>err 3>&- &
	pid=$!
	for _ in $(seq 100); do
		grep -q "calls exec_command" err && sleep 0.2 && return
		sleep 0.05
	done
	return 1
}

@test "a run id that does not exist, fits several runs or is a path is told" {
	one_agent <<<"{version: 1, agents: {worker: [{say: done}]}}"
	refuses 2 "there are no runs here" muster show -1
	still_works
	still_works
	local verb
	for verb in show log artifacts resume; do
		refuses 2 "there is no run 'nobody'" muster $verb nobody
		refuses 2 "there is no run '..'" muster $verb ..
		refuses 2 "there is no run '" muster $verb ../x
		refuses 2 "there is no run '" muster $verb /etc/passwd
		refuses 2 "there is no run ''" muster $verb ''
		refuses 2 "could be 2 runs" muster $verb lone-
		refuses 2 "'$(printf 'a\\x1b')" muster $verb "$(printf 'a\033')"
	done
}

@test "a store that is garbage, cut off or of another version is refused and left alone" {
	one_agent <<<""
	mkdir .muster
	head -c 20000 /dev/urandom >.muster/store.db
	damaged "damaged or is no store" 1
	rm -r .muster
	still_works
	truncate -s 3000 .muster/store.db
	damaged "damaged or is no store" 1
	rm -r .muster
	still_works
	python3 -c 'import sqlite3; sqlite3.connect(".muster/store.db").execute("PRAGMA user_version = 99")'
	damaged "has version 99" 2
	rm -r .muster
	python3 -c 'import os, sqlite3; os.mkdir(".muster"); sqlite3.connect(".muster/store.db").execute("CREATE TABLE t(x)")'
	damaged "is no store of muster" 2
	rm -r .muster
	still_works
}

# damaged WORD CODE: no verb works on this store, or changes it.
damaged() {
	local sum
	sum=$(sha256sum .muster/store.db)
	good_rehearsal
	refuses "$2" "$1" muster list || return 1
	refuses "$2" "$1" muster show -1 || return 1
	refuses "$2" "$1" muster run team.yaml --rehearse good.yaml || return 1
	[ "$sum" = "$(sha256sum .muster/store.db)" ]
}

@test "a full disk is one clear error; what was recorded is there, and with room it goes on" {
	one_agent <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "head -c 8000000 /dev/urandom >out.txt"}}]
		    - say: done
	YAML
	mkdir small
	if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=2m none small 2>/dev/null; then
		skip "only root can mount a small file system"
	fi
	cp team.yaml script.yaml small
	cd small
	refuses 1 "database or disk is full; make room on the disk" muster run team.yaml --rehearse script.yaml
	run muster list
	[ "$status" -eq 0 ]
	[[ $output == *lone-*stopped* ]]
	muster show -1
	rm .muster/runs/*/workspace/out.txt
	run still_works
	[ "$status" -eq 0 ]
	cd ..
}

@test "a limit of file sizes is told, not died of" {
	one_agent <<<""
	good_rehearsal
	run --separate-stderr bash -c 'ulimit -f 64; exec muster run team.yaml --rehearse good.yaml'
	echo "$stderr"
	[ "$status" -eq 1 ]
	[[ $stderr == *"cannot write to the store"* ]]
	run muster list
	[ "$status" -eq 0 ]
	still_works
}

@test "a standard output that is closed or full is told after the work is done" {
	one_agent <<<""
	good_rehearsal
	refuses 1 "cannot write to standard output" bash -c 'muster run team.yaml --rehearse good.yaml >&-'
	refuses 1 "cannot write to standard output" bash -c 'muster run team.yaml --rehearse good.yaml >/dev/full'
	refuses 1 "cannot write to standard output" bash -c 'muster list >&-'
	refuses 1 "cannot write to standard output" bash -c 'muster list >/dev/full'
	[ "$(muster list | grep -c ' done ')" -eq 2 ]
}

@test "without any standard stream a run is done, and nothing is printed into its files" {
	one_agent <<<""
	good_rehearsal
	muster run team.yaml --rehearse good.yaml <&- >&- 2>&- || true
	[ "$(muster list | grep -c ' done ')" -eq 1 ]
	! grep -rlE 'calls write_file|00:00\.' .muster/runs
	still_works
}

@test "a gate is checked the same with closed standard streams" {
	printf 'name: g\nrequire:\n  - run: echo reason >&2; exit 1\n' >gate.yaml
	run bash -c 'muster gate gate.yaml <&-'
	[ "$status" -eq 3 ]
	says $'It said:\n         reason'
	run bash -c 'muster gate gate.yaml 2>&-'
	[ "$status" -eq 3 ]
	says $'It said:\n         reason'
}

@test "a project folder that may only be read starts no run, and still shows its runs" {
	one_agent <<<""
	good_rehearsal
	mkdir -p project empty
	cp team.yaml good.yaml empty
	mv team.yaml good.yaml project
	chmod 555 empty
	refuses 1 "Permission denied" unprivileged "$MUSTER" -C empty run team.yaml --rehearse good.yaml
	refuses 2 "there are no runs here" unprivileged "$MUSTER" -C empty list
	(cd project && still_works)
	chmod -R a-w project
	refuses 1 "store.db" unprivileged "$MUSTER" -C project run team.yaml --rehearse good.yaml
	run unprivileged "$MUSTER" -C project list
	says " done "
	run unprivileged "$MUSTER" -C project show -1
	says ": done"
	chmod -R u+w project
	(cd project && still_works)
}

@test "Ctrl-C parks the run, leaves nothing running, and it can go on" {
	long_command
	start_run
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	cat err
	[ "$code" -eq 130 ]
	nothing_naps
	run muster list
	[[ $output == *" parked "* ]]
	run muster resume -1
	[ "$status" -eq 0 ]
}

@test "a second Ctrl-C ends it at once, leaves nothing running, and it can go on" {
	long_command
	start_run
	kill -INT "$pid"
	sleep 0.2
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" -eq 130 ]
	nothing_naps
	run muster list
	[[ $output == *" stopped "* ]]
	run muster resume -1
	[ "$status" -eq 0 ]
}

#!/usr/bin/env bats
# Runs in containers of a real engine (tests/engine.sh).

load common

setup() {
	enter "$BATS_TEST_TMPDIR"
	options='{image: muster-test, pull: never}'
}

# The team hello with these options, as teams/docker.yaml.
in_docker() {
	sed "s/^  provider: unix-local/  provider: docker\n  options: $1/" teams/hello.yaml >teams/docker.yaml
	grep -q 'provider: docker' teams/docker.yaml
}

containers() {
	docker ps --all --quiet | wc -l
}

@test "the team hello works in a container, and the engine is left clean" {
	in_docker "$options"
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml
	[ "$status" -eq 0 ]
	run muster artifacts -1 --get hello.txt
	[ "$status" -eq 0 ]
	[ -n "$output" ]
	# Its workspace is on the shelf; nothing stays in the engine.
	[ "$(containers)" -eq 0 ]
	[ "$(ls .muster/snapshots | wc -l)" -eq 1 ]
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml --keep always
	[ "$status" -eq 0 ]
	[ "$(docker ps --filter status=running --filter status=paused --quiet | wc -l)" -eq 1 ]
	[ "$(docker ps --filter status=paused --quiet | wc -l)" -eq 1 ]
	run muster delete -1
	[ "$status" -eq 0 ]
	[ "$(containers)" -eq 0 ]
	[ -z "$(docker volume ls --quiet)" ]
}

@test "a run that was killed goes on in its container" {
	cat >slow.yaml <<-END
		version: 1
		name: slow
		model: openai/gpt-5.4
		sandbox: {provider: docker, network: off, options: $options}
		manager: worker
		agents:
		  worker: {description: Works., instructions: Work.}
	END
	cat >script.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "echo one >>log"}}]
		    - calls: [{exec_command: {cmd: "sleep 5; echo two >>log"}}]
		    - calls: [{exec_command: {cmd: "cat log"}}]
		    - say: done
	END
	"$MUSTER" run slow.yaml --rehearse script.yaml --quiet 3>&- &
	pid=$!
	for _ in $(seq 100); do
		[ -n "$(muster log -1 2>/dev/null | grep 'sleep 5')" ] && break
		sleep 0.1
	done
	kill -KILL "$pid"
	wait "$pid" || true
	run muster resume -1 --quiet
	[ "$status" -eq 0 ]
	run muster artifacts -1 --get log
	[ "${lines[0]}" = one ]
	run muster delete -1
	[ "$(containers)" -eq 0 ]
}

@test "the engine is found" {
	run muster doctor
	says "The engine is Docker"
	run muster providers
	says "docker"
}

@test "an image that is missing, and an engine that is not there, are told" {
	in_docker '{image: no-such, pull: never}'
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml
	[ "$status" -ne 0 ]
	says "image 'no-such' is missing"
	DOCKER_HOST=unix:///nowhere.sock run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml
	[ "$status" -ne 0 ]
	says "no Docker engine runs"
	[ "$(containers)" -eq 0 ]
}

# A line for everything that lies in a workspace: kind, mode, link; of files size, time and content.
listing() {
	"$MUSTER" shell "$1" -- sh -c 'find . ! -name . | sort | while read -r name; do
		if [ -L "$name" ]; then echo "$name -> $(readlink "$name")"
		elif [ -d "$name" ]; then stat -c "%n %F %a" "$name"
		else echo "$(stat -c "%n %F %a %s %Y" "$name") $(sha256sum <"$name")"; fi
	done'
}

@test "a run goes from this machine into a container and back, byte for byte" {
	cat >travel.yaml <<-'END'
		version: 1
		name: travel
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		limits: {max_turns: 1}
		agents:
		  worker: {description: Works., instructions: Work.}
	END
	cat >script.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "mkdir -p deep/er empty; echo one >deep/er/one; head -c 100000 /dev/urandom >bytes; ln -s er/one deep/link; echo '#!/bin/sh' >tool; chmod 755 tool; chmod 600 bytes; : >\"$(printf 'odd \\302\\265 name')\"; touch -d '2001-02-03 04:05:06' tool"}}]
		    - calls: [{exec_command: {cmd: "cat deep/link >in-container; rm bytes; test -x tool"}}]
		    - calls: [{exec_command: {cmd: "cat in-container deep/er/one >back"}}]
		    - say: done
	END
	run "$MUSTER" run travel.yaml --rehearse script.yaml --quiet
	[ "$status" -eq 5 ]
	here=$("$MUSTER" list --names | head -1)
	# Into a container: the same tree, before anything is done there.
	there=$("$MUSTER" fork "$here" --sandbox docker --sandbox-option image=muster-test --sandbox-option pull=never --no-run --quiet)
	run "$MUSTER" resume "$there" --max-turns +1
	[ "$status" -eq 5 ]
	says "the workspace is restored from snapshot"
	before=$(listing "$here")
	[ "$(wc -l <<<"$before")" -eq 8 ]
	# What its agent did there is all that differs.
	diff <(grep -v '^./bytes' <<<"$before") <(listing "$there" | grep -v '^./in-container')
	[ "$("$MUSTER" shell "$there" -- cat in-container)" = one ]
	# And back.
	again=$("$MUSTER" fork "$there" --sandbox unix-local --no-run --quiet)
	run "$MUSTER" resume "$again" --max-turns +9
	[ "$status" -eq 0 ]
	[ "$("$MUSTER" shell "$again" -- cat back)" = "$(printf 'one\none')" ]
	[ "$("$MUSTER" shell "$again" -- sh -c 'ls -a empty | wc -l; stat -c "%a %Y" tool; cat deep/link')" = "$(printf '2\n755 981173106\none')" ]
	# The history is carried over, with who wrote what.
	run "$MUSTER" artifacts "$again"
	[[ $output == *deep/er/one* && $output == *in-container* && $output == *back* ]]
	git -C ".muster/runs/$again/history.git" log --format='%an %s' >log
	[ "$(grep -c '^worker Turn' log)" -eq 3 ]
	run "$MUSTER" fsck "$again"
	[ "$status" -eq 0 ]
	# The first is as it was.
	[ "$(listing "$here")" = "$before" ]
	"$MUSTER" delete --force "$there" "$here" "$again"
	[ "$(containers)" -eq 0 ]
}

@test "a fork into a container and back without work in between changes nothing" {
	cat >still.yaml <<-'END'
		version: 1
		name: still
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		limits: {max_turns: 1}
		agents:
		  worker: {description: Works., instructions: Work.}
	END
	cat >script.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "mkdir -p a/b empty; head -c 3000000 /dev/urandom >a/b/bytes; ln -s b/bytes a/link; chmod 700 a/b; touch -d @1000000000 a/b/bytes; echo x >x; chmod 755 x"}}]
		    - calls: [{read_file: {path: x}}]
		    - calls: [{read_file: {path: x}}]
		    - say: done
	END
	run "$MUSTER" run still.yaml --rehearse script.yaml --quiet
	first=$("$MUSTER" list --names | head -1)
	second=$("$MUSTER" fork "$first" --sandbox docker --sandbox-option image=muster-test --sandbox-option pull=never --no-run --quiet)
	run "$MUSTER" resume "$second" --max-turns +1 --quiet
	third=$("$MUSTER" fork "$second" --sandbox unix-local --no-run --quiet)
	run "$MUSTER" resume "$third" --max-turns +1 --quiet
	[ "$(listing "$first")" = "$(listing "$third")" ]
	# Snapshots say the same in one word.
	one=$("$MUSTER" snapshot "$first" --quiet)
	[ "$("$MUSTER" snapshot "$second" --quiet)" = "$one" ]
	[ "$("$MUSTER" snapshot "$third" --quiet)" = "$one" ]
	"$MUSTER" delete --force "$first" "$second" "$third"
}

@test "a container that somebody removed is made anew from what is on record" {
	in_docker "$options"
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml --quiet --keep always
	[ "$status" -eq 0 ]
	docker rm --force "$(docker ps --all --quiet)" >/dev/null
	sed -i "s/^  writer:/    - when: {last: 'still there'}\n      calls: [{read_file: {path: hello.txt}}]\n    - say: It is.\n\n&/" \
		samples/hello/rehearsal.yaml
	run "$MUSTER" tell -1 "Is it still there?"
	says "the workspace is restored from the run's history"
	run "$MUSTER" shell -1 -- cat hello.txt
	[ "$status" -eq 0 ]
	[ -n "$output" ]
	"$MUSTER" delete --force -1
}

@test "a run whose container went at its end goes on with its snapshot" {
	in_docker "$options"
	sed -i "s/^  writer:/    - when: {last: 'still there'}\n      calls: [{read_file: {path: hello.txt}}]\n    - say: It is.\n\n&/" \
		samples/hello/rehearsal.yaml
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml
	[ "$status" -eq 0 ]
	[[ $output =~ snapshot\ [0-9a-f]{12}: ]]
	[ "$(containers)" -eq 0 ]
	run "$MUSTER" tell -1 "Is it still there?"
	[ "$status" -eq 0 ]
	says "the workspace is restored from snapshot"
	says "still holds"
	[ "$(containers)" -eq 0 ]
	# One that fails is kept to be looked at, if so wanted; one that is stopped goes, too.
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml --keep failed --quiet
	[ "$(containers)" -eq 0 ]
	cat >short.yaml <<-'END'
		version: 1
		agents: {editor: [{calls: [{exec_command: {cmd: "echo x >x"}}]}]}
	END
	run "$MUSTER" run teams/docker.yaml --rehearse short.yaml --quiet
	[ "$status" -eq 6 ]
	[ "$(containers)" -eq 1 ]
	run "$MUSTER" stop -1
	[ "$(containers)" -eq 0 ]
	run "$MUSTER" snapshot --json
	[ "$(grep -o '"id"' <<<"$output" | wc -l)" -ge 1 ]
}

@test "prune removes the container of a run that is gone, and no other" {
	in_docker "$options"
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml --keep always --quiet
	mkdir other
	(cd other && "$MUSTER" run ../teams/docker.yaml --rehearse ../samples/hello/rehearsal.yaml --keep always --quiet >/dev/null)
	run "$MUSTER" run teams/docker.yaml --rehearse samples/hello/rehearsal.yaml --keep always --quiet
	[ "$(containers)" -eq 3 ]
	gone=$("$MUSTER" list --names | tail -1)
	rm -r ".muster/runs/$gone" other/.muster
	run "$MUSTER" prune --dry-run
	says "would remove the session that is left of $gone"
	[ "$(containers)" -eq 3 ]
	run "$MUSTER" prune
	says "removed the session that is left of $gone"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(containers)" -eq 2 ]
	docker rm --force $(docker ps --all --quiet) >/dev/null
}

@test "the web application is made in a container, with node in it" {
	run "$MUSTER" run web-app -i brief=@samples/web-app/brief.md --rehearse samples/web-app/rehearsal.yaml \
		--sandbox docker --sandbox-option image=muster-node --sandbox-option pull=never --out site
	[ "$status" -eq 0 ]
	[[ $output == *"gate tests-pass holds"* ]]
	[ -s site/frontend/index.html ]
	[ "$(containers)" -eq 0 ]
}

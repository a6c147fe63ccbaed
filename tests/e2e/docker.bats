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
	[ "$(docker ps --all --quiet | wc -l)" -eq 1 ]
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

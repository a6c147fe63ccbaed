#!/usr/bin/env bats
# What people say to runs, from the process that drives them or from another one.

load common

# A manager and a worker. wait-for: a command that ends when the test makes a file in the workspace.
make_team() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: talk
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: lead
		permissions: {ask: ["exec_command:*rm *"], allow: ["*"]}
		agents:
		  lead: {description: Leads., instructions: Lead., sub_agents: [worker]}
		  worker: {description: Works., instructions: Work.}
	YAML
	cat >script.yaml
}

wait_until() {
	for _ in {1..400}; do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	printf 'never true: %s\n' "$*"
	return 1
}

start() {
	muster run team.yaml --rehearse script.yaml >out 2>err &
	driver=$!
	wait_until there "$1"
}

there() {
	[ -e "$(workspace)/$1" ]
}

release() {
	touch "$(workspace)/$1"
}

teardown() {
	if [ -n "${driver:-}" ]; then
		kill -9 "$driver" 2>/dev/null || true
	fi
}

BLOCKED='touch ready; while [ ! -e go ]; do sleep 0.02; done'

@test "a run that is done goes on with a message, as a new task of its manager" {
	make_team <<-'YAML'
		version: 1
		agents:
		  lead:
		    - say: The page is there.
		    - when: {last: 'dark mode'}
		      calls: [{write_file: {path: dark.css, content: black}}]
		    - say: Now it is dark.
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	run muster tell -1 "Now add a dark mode."
	[ "$status" -eq 0 ]
	says "is told: Now add a dark mode."
	[ "$(cat "$(workspace)/dark.css")" = black ]
	run muster log -1
	says "Now add a dark mode."
	run muster show -1
	says "done"
	says "dark.css"
}

@test "an agent at work gets a message before its next model call" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{delegate_to_worker: {task: Do it.}}]
		    - when: {last: 'I was told'}
		      say: Good.
		  worker:
		    - calls: [{exec_command: {cmd: "$BLOCKED"}}]
		    - when: {last: 'be quick'}
		      say: I was told to be quick.
	YAML
	start ready
	run muster tell -1/worker "Please be quick."
	[ "$status" -eq 0 ]
	says "was told"
	run muster tell -1/nobody "Hello?"
	[ "$status" -eq 2 ]
	says "agent 'nobody' is not at work"
	release go
	wait "$driver"
	grep -q "worker  is told: Please be quick." err
}

@test "a message that came too late for the worker reaches whoever waits for it" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{delegate_to_worker: {task: Do it.}}]
		    - when: {last: 'use blue'}
		      say: It will be blue.
		  worker:
		    - calls: [{exec_command: {cmd: "$BLOCKED"}}]
	YAML
	sed -i 's/worker: {description: Works., instructions: Work.}/worker: {description: Works., instructions: Work., limits: {max_turns: 1}}/' team.yaml
	start ready
	muster tell -1/worker "Please use blue."
	release go
	wait "$driver"
}

@test "a message to a run whose process was killed is there when the run goes on" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{exec_command: {cmd: "$BLOCKED"}}]
		    - when: {last: 'still there'}
		      say: Yes.
	YAML
	start ready
	muster tell -1 "Are you still there?"
	kill -9 "$driver"
	wait "$driver" || true
	run muster resume -1
	[ "$status" -eq 0 ]
}

@test "a run is paused from another process, and resumed" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{exec_command: {cmd: "$BLOCKED"}}]
		    - say: Done.
	YAML
	start ready
	run muster pause -1
	[ "$status" -eq 0 ]
	says "is pausing"
	release go
	wait "$driver" && status=0 || status=$?
	[ "$status" -eq 130 ]
	run muster pause -1
	[ "$status" -eq 0 ]
	says "parked already"
	run muster resume -1
	[ "$status" -eq 0 ]
	run muster pause -1
	[ "$status" -eq 2 ]
	says "is done: there is nothing to pause"
}

@test "a run is stopped for good from another process" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{exec_command: {cmd: "touch made; $BLOCKED"}}]
		    - say: Done.
	YAML
	start ready
	run muster stop -1
	[ "$status" -eq 0 ]
	wait "$driver" && status=0 || status=$?
	[ "$status" -eq 1 ]
	run muster show -1
	says "cancelled"
	run muster artifacts -1
	says "made"
	run muster resume -1
	[ "$status" -eq 2 ]
	run muster tell -1 "Come back."
	[ "$status" -eq 2 ]
	says "is cancelled"
}

@test "a run that waits for a person is stopped for good" {
	make_team <<-'YAML'
		version: 1
		agents:
		  lead:
		    - calls: [{exec_command: {cmd: "rm -f nothing"}}]
		    - say: Done.
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster stop -1
	[ "$status" -eq 1 ]
	run muster list
	says "cancelled"
	run muster stop -1
	[ "$status" -eq 2 ]
}

@test "what a run asks while it still works is answered from another process" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls:
		        - delegate_to_worker: {task: Wait.}
		        - delegate_to_helper: {task: Ask.}
		    - say: Done.
		  worker:
		    - calls: [{exec_command: {cmd: "$BLOCKED"}}]
		    - say: Waited.
		  helper:
		    - calls: [{exec_command: {cmd: "rm -f nothing; touch allowed"}}]
		    - say: Asked.
	YAML
	# Two that declare what they write may work at the same time.
	sed -i 's/\[worker\]}/[worker, helper]}/; s/instructions: Work./&, writes: [ready, go]/' team.yaml
	echo '  helper: {description: Helps., instructions: Help., writes: [allowed]}' >>team.yaml
	start ready
	run muster answer -1 retry
	[ "$status" -eq 2 ]
	says "this is no answer to what run"
	says "muster approve"
	run muster approve -1
	[ "$status" -eq 0 ]
	says "has its answer"
	wait_until there allowed
	run muster approve -1
	[ "$status" -eq 2 ]
	says "asks nothing"
	release go
	wait "$driver"
}

@test "an answer that nobody asked for changes nothing" {
	make_team <<-'YAML'
		version: 1
		agents:
		  lead:
		    - calls: [{exec_command: {cmd: "rm -f nothing"}}]
		    - say: Done.
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster log -1 --events
	before=$output
	run muster answer -1 skip
	[ "$status" -eq 2 ]
	run muster log -1 --events
	[ "$output" = "$before" ]
	run muster tell -1 "  "
	[ "$status" -eq 2 ]
	says "the message is empty"
}

@test "log --follow tells what happens until the run ends" {
	make_team <<-YAML
		version: 1
		agents:
		  lead:
		    - calls: [{delegate_to_worker: {task: Do it.}}]
		    - say: All is done.
		  worker:
		    - calls: [{exec_command: {cmd: "$BLOCKED; echo x >made"}}]
		    - say: It is made.
	YAML
	start ready
	muster log --follow -1 >told &
	follower=$!
	wait_until grep -q "calls exec_command" told
	release go
	wait "$follower"
	wait "$driver"
	muster log -1 >whole
	diff told whole
	grep -q "worker  writes made" whole
	grep -q "lead    says: All is done." whole
	[ "$(muster log -f --json -1 | wc -l)" -eq "$(muster log --json -1 | wc -l)" ]
}

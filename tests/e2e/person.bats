#!/usr/bin/env bats
# Runs that wait for a person: they park, lose nothing, and go on with the answer.

load common

make_team() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: asking
		description: One agent that needs permission.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: worker
		permissions: {ask: ["exec_command:*rm *"], allow: ["*"]}
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [ready]
		    writes: [out.txt]
		gates:
		  ready: {require: [{file: out.txt, contains: ready}], retries: 0, then: ask}
	YAML
	cat >script.yaml
}

@test "a call that needs permission parks the run until a person says yes" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "echo ready >out.txt; rm -f nothing"}}]
		    - when: {last: 'exited with code 0'}
		      say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "may worker call exec_command"
	says "'muster approve asking-"
	[ ! -e "$(workspace)/out.txt" ]
	run muster approve -1
	[ "$status" -eq 0 ]
	run muster approve -1
	[ "$status" -eq 2 ]
	says "is done"
}

@test "a call that is rejected is not made, and the agent is told" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "touch made; rm -f nothing"}}]
		    - when: {last: 'did not approve'}
		      calls: [{write_file: {path: out.txt, content: ready}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster answer -1 retry
	[ "$status" -eq 2 ]
	says "no answer to what run"
	run muster list
	says "parked"
	run muster reject -1 "Leave that alone."
	[ "$status" -eq 0 ]
	run muster show -1/worker
	says "Leave that alone."

	[ ! -e "$(workspace)/made" ]
}

@test "used-up retries ask, and the answer decides" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - say: done
		    - say: done again
		    - say: done at last
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "the retries of worker are used up"
	[[ $output == *"waits for a person: its retries are used up"*"worker    gate ready: out.txt"*" is missing"* ]] || { echo "$output"; false; }
	run muster answer -1 retry
	[ "$status" -eq 4 ]
	run muster answer -1 maybe
	[ "$status" -eq 2 ]
	says "retry|skip|return|abort"
	run muster answer -1 skip
	[ "$status" -eq 0 ]
	run muster log -1
	says "skip"
}

@test "abort ends the run with the exit code of a gate" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster answer -1 abort
	[ "$status" -eq 3 ]
}

@test "two processes cannot drive one run" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "sleep 2; echo ready >out.txt"}}]
		    - say: done
	YAML
	muster run team.yaml --rehearse script.yaml --quiet &
	pid=$!
	sleep 0.7
	run muster resume -1
	wait $pid
	[ "$status" -eq 2 ]
	says "is being driven by process $pid"
}

@test "a run whose process was killed is shown as stopped, and goes on" {
	make_team <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "sleep 2"}}]
		    - calls: [{write_file: {path: out.txt, content: ready}}]
		    - say: done
	YAML
	muster run team.yaml --rehearse script.yaml --quiet &
	pid=$!
	sleep 0.7
	run muster list
	says "running"
	kill -9 $pid
	wait $pid || true
	run muster list
	says "stopped"
	says "'muster resume asking-"
	run muster resume -1
	[ "$status" -eq 0 ]
}

make_approval() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: asking
		description: One agent whose work a person has to like.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: worker
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [liked, noted]
		    writes: [out.txt, note.txt]
		gates:
		  liked: {require: [{approve: Do you like out.txt?}, {file: out.txt, min_bytes: 1}]}
		  noted: {require: [{file: note.txt}]}
	YAML
	cat >script.yaml
}

@test "an approve check asks a person once all else holds" {
	make_approval <<-'YAML'
		version: 1
		agents:
		  worker:
		    - say: done
		    - when: {last: 'out.txt is missing'}
		      calls: [{write_file: {path: out.txt, content: first}}, {check_outputs: {}}]
		    - when: {last: 'liked: needs_person'}
		      say: done
		    - when: {last: 'note.txt is missing'}
		      calls: [{write_file: {path: note.txt, content: x}}]
		    - say: done
		    - when: {last: 'A person said no: Do you like out.txt'}
		      calls: [{write_file: {path: out.txt, content: second}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "gate liked asks: Do you like out.txt? 'muster approve asking-"
	run muster show -1
	says "Do you like out.txt?"
	run muster reject -1 "Make it shorter."
	[ "$status" -eq 4 ]
	says "Do you like out.txt?"
	run muster show -1/worker
	says "They said: Make it shorter."
	run muster approve -1
	[ "$status" -eq 0 ]
	[ "$(cat "$(workspace)/out.txt")" = second ]
}

# A handoff that a person has to agree to. The command reads everything: the gate is looked at anew
# whenever something changed.
make_release() {
	make_approval
	cat >>team.yaml <<-'YAML'
		  release: {require: [{approve: Release out.txt?}, {file: out.txt}, {run: "true"}]}
	YAML
	sed -i 's/outputs: .*/sub_agents: [{to: helper, needs: release}]/; /writes: /d' team.yaml
	sed -i 's/^agents:/agents:\n  helper: {description: Helps., instructions: Help.}/' team.yaml
}

@test "a yes holds for what was approved, and for nothing else" {
	make_release <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: out.txt, content: first}}, {delegate_to_helper: {task: go}}]
		    - calls: [{delegate_to_helper: {task: again}}]
		    - when: {last: 'A person said no: Release out.txt'}
		      say: done
		  helper:
		    - calls: [{write_file: {path: out.txt, content: second}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "gate release asks: Release out.txt?"
	run muster approve -1
	[ "$status" -eq 4 ]
	says "gate release asks: Release out.txt?"
	run muster reject -1
	[ "$status" -eq 0 ]
}

@test "nobody is asked twice about the same" {
	make_release <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: out.txt, content: first}}, {delegate_to_helper: {task: go}}]
		    - calls: [{delegate_to_helper: {task: again}}]
		    - say: done
		  helper:
		    - calls: [{write_file: {path: note.txt, content: x}}]
		    - say: done
		    - say: done again
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster approve -1
	[ "$status" -eq 0 ]
}

make_question() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: asking
		description: One agent that has to know something.
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manager: worker
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    tools: {allow: ["*"]}
	YAML
	cat >script.yaml
}

@test "an agent asks a person, and gets the answer as the tool's output" {
	make_question <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls:
		        - {write_file: {path: draft.txt, content: x}}
		        - {ask_user: {question: "Which colour?", choices: [red, blue]}}
		        - {exec_command: {cmd: "cat draft.txt"}}
		    - calls: [{ask_user: {question: "Sure?"}}]
		    - when: {last: 'did not answer'}
		      say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	says "worker asks: Which colour? (red, blue) 'muster answer asking-"
	[ "$(cat "$(workspace)/draft.txt")" = x ]
	run muster approve -1
	[ "$status" -eq 2 ]
	says "answer with 'muster answer asking-"
	run muster show -1
	says "Which colour?"
	run muster answer -1 "retry, like the logo"
	[ "$status" -eq 4 ]
	says "worker asks: Sure?"
	run muster show -1/worker
	says "retry, like the logo"
	run muster log -1
	says "a person answers question 0: retry, like the logo"
	run muster reject -1
	[ "$status" -eq 0 ]
}

@test "an answer may be a file, or one of our words" {
	make_question <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{ask_user: {question: "What shall I do?"}}]
		    - when: {last: '^skip$'}
		      calls: [{ask_user: {question: "And then?"}}]
		    - when: {last: 'as it stands here'}
		      say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	run muster answer -1 skip
	[ "$status" -eq 4 ]
	printf 'as it stands here\n' >answer.txt
	run muster answer -1 ""
	[ "$status" -eq 2 ]
	run muster answer -1 @answer.txt
	[ "$status" -eq 0 ]
}

@test "nobody is asked by an agent that may not ask" {
	make_question <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{ask_user: {question: "What shall I do?"}}]
		    - when: {last: "'ask_user' is not among your tools"}
		      say: done
	YAML
	sed -i '/tools:/d' team.yaml
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "what a person changes while the run waits is theirs, and is not approved unseen" {
	make_approval <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: out.txt, content: first}}, {write_file: {path: note.txt, content: x}}]
		    - say: done
	YAML
	run muster run team.yaml --rehearse script.yaml
	[ "$status" -eq 4 ]
	echo mine >"$(workspace)/out.txt"
	run muster approve -1
	[ "$status" -eq 4 ]
	says "the sandbox is open again; meanwhile:"
	says "user    writes out.txt"
	says "Do you like out.txt?"
	run muster approve -1
	[ "$status" -eq 0 ]
	run muster blame -1 out.txt
	says "user"
	run muster log -1
	says "user    writes out.txt"
}

@test "an answer reaches a run that is still at work" {
	make_question <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{ask_user: {question: "Which colour?"}}, {exec_command: {cmd: "sleep 2"}}]
		    - say: done
	YAML
	muster run team.yaml --rehearse script.yaml --quiet &
	pid=$!
	for i in {1..50}; do
		if muster log -1 2>/dev/null | grep -q "waits for a person's answer"; then break; fi
		sleep 0.1
	done
	muster answer -1 blue
	wait $pid
	run muster show -1/worker
	says "gets     blue"
}

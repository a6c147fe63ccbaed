#!/usr/bin/env bats
# Models over HTTP: a real server on the loopback interface that gives the answers of a rehearsal.

load common

# serve SCRIPT [OPTIONS]: starts the server; OPENAI_BASE_URL points to it.
serve() {
	mkfifo "$BATS_TEST_TMPDIR/hold"
	"$MODEL_SERVER" "$@" <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/url" 2>"$BATS_TEST_TMPDIR/served" 3>&- &
	exec 9>"$BATS_TEST_TMPDIR/hold" # closed when the test ends: then the server does, too
	for _ in {1..1000}; do
		[ -s "$BATS_TEST_TMPDIR/url" ] && break
		sleep 0.02
	done
	[ -s "$BATS_TEST_TMPDIR/url" ] || return 1
	OPENAI_BASE_URL=$(cat "$BATS_TEST_TMPDIR/url")
	export OPENAI_BASE_URL OPENAI_API_KEY=sk-test-canary
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
}

teardown() {
	exec 9>&- || true
}

hello() {
	run muster run teams/hello.yaml "$@"
}

@test "the hello team runs on a model service, in streams" {
	serve samples/hello/rehearsal.yaml --key sk-test-canary
	hello
	[ "$status" -eq 0 ]
	[ "$(cat "$(workspace)/hello.txt")" = "Hello, world!" ]
	[ "$(grep -c '/v1/responses .* ok' served)" -ge 4 ]
}

@test "and with whole answers" {
	serve samples/hello/rehearsal.yaml --whole
	hello
	[ "$status" -eq 0 ]
}

@test "and as Chat Completions, in streams and whole" {
	for form in "" --whole; do
		serve samples/hello/rehearsal.yaml $form
		sed "s|^model: .*|model: {use: openai/gpt-5.4, wire: chat}|" teams/hello.yaml >hello-chat.yaml
		run muster run hello-chat.yaml
		[ "$status" -eq 0 ]
		grep -q '/v1/chat/completions .* ok' served
		exec 9>&-
		rm hold
	done
}

@test "the main job runs on a model service" {
	serve samples/web-app/rehearsal.yaml
	run muster run web-app -i brief=@samples/web-app/brief.md
	[ "$status" -eq 0 ]
	says "8"
}

@test "what may go away is tried again, and nothing is done twice" {
	serve samples/hello/rehearsal.yaml --faults 429,ok,500,cut,garbage,error,empty
	hello
	[ "$status" -eq 0 ]
	[ "$(grep -c ' ok$' served)" -ge 3 ]
}

@test "a service that asks to wait is left alone as long" {
	serve samples/hello/rehearsal.yaml --faults 429-slow
	began=$SECONDS
	hello
	[ "$status" -eq 0 ]
	[ $((SECONDS - began)) -ge 1 ]
}

@test "what does not go away parks the run, which goes on later" {
	serve samples/hello/rehearsal.yaml --faults ok,quota
	hello
	[ "$status" -eq 6 ]
	says "You have no money left"
	[ "$(grep -c quota served)" -eq 1 ]
	run muster resume -1
	[ "$status" -eq 0 ]
	[ "$(cat "$(workspace)/hello.txt")" = "Hello, world!" ]
}

@test "the reasons are told: too long, not found, no JSON, nobody there" {
	serve samples/hello/rehearsal.yaml --faults 400,404,html
	hello
	[ "$status" -eq 6 ]
	says "answered 400: The input is too long. (context_length_exceeded) (request req_test)"
	hello
	says "answered 404: No such model."
	says "look at the model's name"
	hello
	says "(text/html) is no JSON"
	export OPENAI_BASE_URL=http://127.0.0.1:1/v1
	hello --quiet
	[ "$status" -eq 6 ]
	says "did not answer"
	says "look at the address http://127.0.0.1:1/v1"
}

@test "a wrong key is told, and no key is found anywhere afterwards" {
	serve samples/hello/rehearsal.yaml --key another
	hello
	[ "$status" -eq 6 ]
	says "answered 401"
	says "look at the key"
	[[ $output != *sk-test-canary* ]]
	run grep -rlF sk-test-canary .muster
	[ "$status" -eq 1 ]
}

@test "a key that is missing is told before anything is done" {
	unset OPENAI_API_KEY
	hello
	[ "$status" -eq 6 ]
	says "OPENAI_API_KEY is not set"
	run muster list
	[[ $output != *hello-* ]]
}

# trees: the files of the workspaces of the two runs, which have to be the same.
same_trees() {
	local folders=(.muster/runs/*/workspace)
	[ "${#folders[@]}" -eq 2 ]
	diff -r "${folders[@]}"
}

@test "what a model answered is saved as a rehearsal, and comes to the same files again" {
	serve samples/web-app/rehearsal.yaml
	run muster run web-app -i brief=@samples/web-app/brief.md --save-rehearsal saved.yaml
	[ "$status" -eq 0 ]
	says "rehearsal saved in saved.yaml"
	exec 9>&-
	unset OPENAI_BASE_URL OPENAI_API_KEY
	run muster run web-app -i brief=@samples/web-app/brief.md --rehearse saved.yaml --json
	[ "$status" -eq 0 ]
	same_trees
	# Also of the second one, from its journal.
	run muster rehearsal -1
	[ "$status" -eq 0 ]
	diff <(tail -n +3 saved.yaml) <(tail -n +3 <<<"$output")
}

@test "hostile answers are quoted, keys are replaced" {
	cat >hostile.yaml <<-'YAML'
		version: 1
		agents:
		  editor:
		    - say: "\e[31mred\u202e\n- say: nothing\n  calls: []\n"
		      calls:
		        - delegate_to_writer: {task: "Greet.\\E(unclosed\n---\n"}
		        - {tool: write_file, raw_arguments: '{"path": "a", '}
		        - {tool: "no tool: at all", raw_arguments: '{"a": 1, "a": 2}'}
		    - say: "the key is sk-test-canary, I think"
		  writer:
		    - calls: [{write_file: {path: hello.txt, content: "Hello, \ttabs!\n"}}]
		    - say: "sk-test-canary"
	YAML
	serve hostile.yaml
	run muster run hello --save-rehearsal saved.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	grep -q "the key is SECRET, I think" saved.yaml
	! grep -q sk-test-canary saved.yaml
	! grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\x{202e}' saved.yaml
	run muster run hello --rehearse saved.yaml
	[ "$status" -eq 0 ] || { echo "$output"; cat saved.yaml; false; }
	same_trees
	run muster rehearsal -1
	diff <(tail -n +3 saved.yaml) <(tail -n +3 <<<"$output")
}

@test "a key that a command printed is replaced in a rehearsal, too" {
	cat >told.yaml <<-'YAML'
		version: 1
		agents:
		  editor:
		    - calls: [{delegate_to_writer: {task: "Greet with hush-hush-hush."}}]
		    - say: done
		  writer:
		    - calls: [{write_file: {path: hello.txt, content: "Hello, world!\n"}}]
		    - say: hush-hush-hush
	YAML
	serve told.yaml
	unset OPENAI_API_KEY
	keyed "{command: 'echo hush-hush-hush'}"
	run muster run teams/keyed.yaml --save-rehearsal saved.yaml
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	grep -q 'task: "Greet with SECRET."' saved.yaml
	run ! grep -q hush saved.yaml
}

@test "answers of an agent that works beside itself are kept apart" {
	sed 's/outputs: .*/outputs: []/' teams/hello.yaml >teams/twice.yaml
	cat >twice.yaml <<-'YAML'
		version: 1
		agents:
		  editor:
		    - calls:
		        - delegate_to_writer: {task: "Write \\Q one."}
		        - delegate_to_writer: {task: "Write two."}
		    - say: done
		  writer:
		    - {when: {any: 'Write \\Q one', turn: 1}, calls: [{exec_command: {cmd: "sleep 0.3; echo 1 >>hello.txt"}}]}
		    - {when: {any: 'Write two', turn: 1}, calls: [{exec_command: {cmd: "echo 2 >>hello.txt"}}]}
		    - {when: {any: 'Write \\Q one'}, say: one is there}
		    - {when: {any: 'Write two'}, say: two is there}
	YAML
	run muster run teams/twice.yaml --rehearse twice.yaml --save-rehearsal saved.yaml
	[ "$status" -eq 0 ] || { echo "$output"; cat saved.yaml; false; }
	[ "$(grep -c 'when: {any: ' saved.yaml)" -eq 4 ]
	run muster run teams/twice.yaml --rehearse saved.yaml
	[ "$status" -eq 0 ] || { echo "$output"; cat saved.yaml; false; }
	run muster log -1
	says "one is there"
	says "two is there"
}

@test "a rehearsal is saved over nothing, and only of one run" {
	echo mine >saved.yaml
	run muster run hello --rehearse samples/hello/rehearsal.yaml --save-rehearsal saved.yaml
	[ "$status" -eq 2 ]
	says "'saved.yaml' is there already"
	[ "$(cat saved.yaml)" = mine ]
	run muster run hello --rehearse samples/hello/rehearsal.yaml --save-rehearsal no/such/saved.yaml
	[ "$status" -eq 2 ]
	run muster run hello --each saved.yaml --save-rehearsal other.yaml
	[ "$status" -eq 2 ]
	says "--each"
	[ ! -e .muster ] || [ -z "$(ls .muster/runs 2>/dev/null)" ]
}

@test "retries are told, on a terminal with the time that is left" {
	serve samples/hello/rehearsal.yaml --faults 500,429-slow
	hello
	[ "$status" -eq 0 ]
	says "editor  model 'openai/gpt-5.4' answered 500: It hurts. (server_error) (request req_test); try 2 of 6 at once"
	says "try 3 of 6 in 1 s"
	exec 9>&-
	rm hold
	serve samples/hello/rehearsal.yaml --faults 429-slow
	run python3 "$MUSTER_SOURCE/tests/e2e/terminal.py" -- muster run hello
	says "the model service does not answer; try 2 of 6 in 1 s"
	exec 9>&-
	rm hold
	serve samples/hello/rehearsal.yaml --faults 500
	hello --quiet
	[ -z "$output" ]
}

@test "what agents say is shown as it comes, each line once" {
	cat >talk.yaml <<-'YAML'
		version: 1
		agents:
		  editor:
		    - say: "First I think.\nThen, \e[31mred\u202e, I ask.\n\nThe end"
		      calls: [{delegate_to_writer: {task: Greet.}}]
		    - say: All is done.
		  writer:
		    - say: I write.
		      calls: [{write_file: {path: hello.txt, content: "Hello, world!\n"}}]
		    - say: It is there.
	YAML
	for form in "" --whole chat rehearsal; do
		serve talk.yaml ${form/#[cr]*/}
		team=hello
		script=
		if [ "$form" = chat ]; then
			sed "s|^model: .*|model: {use: openai/gpt-5.4, wire: chat}|" teams/hello.yaml >teams/chat.yaml
			team=teams/chat.yaml
		elif [ "$form" = rehearsal ]; then
			script="--rehearse talk.yaml"
		fi
		run muster run $team $script -v
		[ "$status" -eq 0 ]
		for line in "editor  First I think." "editor  Then, \\x1b[31mred\\u{202e}, I ask." "editor  The end" "writer  I write." "writer  It is there." "editor  All is done."; do
			[ "$(grep -cF "$line" <<<"$output")" -eq 1 ] || { echo "$form: $line: $output"; false; }
		done
		[[ $output != *"says:"* ]]
		exec 9>&-
		rm hold
	done
}

# keyed KEY: a hello team whose key comes from there.
keyed() {
	sed "s|^model: .*|model: {use: openai/gpt-5.4, api_key: $1}|" teams/hello.yaml >teams/keyed.yaml
}

@test "a key comes from a file or a command, and is found nowhere afterwards" {
	echo sk-test-canary >teams/key.txt
	for source in "{file: key.txt}" "{command: cat teams/key.txt}" "{command: [cat, teams/key.txt]}" "{secret: mine}"; do
		serve samples/hello/rehearsal.yaml --key sk-test-canary
		unset OPENAI_API_KEY
		keyed "$source"
		echo "secrets: {mine: {command: [cat, teams/key.txt]}}" >>teams/keyed.yaml
		run muster run teams/keyed.yaml
		[ "$status" -eq 0 ] || { echo "$source: $output"; false; }
		[[ $output != *sk-test-canary* ]]
		exec 9>&-
		rm hold
	done
	run grep -rlF sk-test-canary .muster
	[ "$status" -eq 1 ]
}

@test "a command that gives no key is told before anything is done" {
	serve samples/hello/rehearsal.yaml
	unset OPENAI_API_KEY
	keyed "{command: 'echo sk-test-canary; echo it is locked >\&2; exit 7'}"
	run muster run teams/keyed.yaml
	[ "$status" -eq 6 ]
	says "'echo' ended with exit code 7: it is locked"
	[[ $output != *sk-test-canary* ]]
	keyed "{file: gone.txt}"
	run muster run teams/keyed.yaml
	[ "$status" -eq 6 ]
	says "needs a key from 'teams/gone.txt'"
	run muster list
	[[ $output != *keyed-* && $output != *hello-* ]]
	# A rehearsal needs none.
	run muster run teams/keyed.yaml --rehearse samples/hello/rehearsal.yaml
	[ "$status" -eq 0 ]
}

@test "a model that is chosen for one agent is asked, also when the run goes on" {
	serve samples/hello/rehearsal.yaml --faults ok,ok,quota
	export VLLM_BASE_URL=$OPENAI_BASE_URL
	hello --model writer=vllm/small
	[ "$status" -eq 6 ]
	run muster resume -1
	[ "$status" -eq 0 ]
	[ "$(grep -c '/v1/chat/completions .* ok' served)" -ge 3 ]
	[ "$(grep -c '/v1/responses .* ok' served)" -ge 2 ]
	hello --model writter=vllm/small
	[ "$status" -eq 2 ]
	says "--model: there is no agent 'writter'; did you mean 'writer'?"
}

@test "a fallback is asked when a model is not there" {
	serve samples/hello/rehearsal.yaml --faults 404
	cat >fall.yaml <<-'YAML'
		models:
		  first: {use: openai/gone, fallback: [second]}
		  second: {use: openai/there, wire: chat}
	YAML
	sed 's|^model: .*|model: first|' teams/hello.yaml >>fall.yaml
	run muster run fall.yaml
	[ "$status" -eq 0 ]
	grep -q '/v1/chat/completions' served
}

@test "a run that waits for a model parks at once when asked to" {
	serve samples/hello/rehearsal.yaml --faults hang
	muster run teams/hello.yaml >out 2>err 9>&- &
	driver=$!
	for _ in {1..200}; do
		grep -q hang served && break
		sleep 0.02
	done
	began=$SECONDS
	run muster stop -1
	[ "$status" -eq 0 ]
	wait "$driver" || true
	[ $((SECONDS - began)) -le 5 ]
	run muster list
	says cancelled
}

#!/usr/bin/env bats
# The command line: help, usage, exit codes, messages.

load common

# holds EXPRESSION: true of the JSON in the last output, which is d (a list for several lines).
holds() {
	python3 -c 'import json, sys
lines = [json.loads(line) for line in sys.stdin.read().splitlines()]
d = lines[0] if len(lines) == 1 else lines
sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" <<<"$output" || { echo "does not hold: $1"; echo "$output"; return 1; }
}

rehearse_hello() {
	"$MUSTER" run --quiet teams/hello.yaml --rehearse samples/hello/rehearsal.yaml
}

@test "help lists every verb, and every verb explains itself with examples" {
	run "$MUSTER" help
	[ "$status" -eq 0 ]
	for verb in new validate plan graph run list show log artifacts gate providers completion version help; do
		says "  $verb "
		local help
		help=$("$MUSTER" "$verb" --help)
		[[ $help == *Usage:* && $help == *Examples:* && $help == *"muster $verb"* ]]
		[ "$help" = "$("$MUSTER" help "$verb")" ]
	done
}

@test "without a verb the usage is shown, on standard error" {
	run --separate-stderr "$MUSTER"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"muster help"* ]]
}

@test "an unknown verb or option gets the nearest name and exit code 2" {
	run "$MUSTER" validat teams/hello.yaml
	fails_with 2 "no verb 'validat'" "did you mean 'validate'?"
	run "$MUSTER" plan --jsno teams/hello.yaml
	fails_with 2 "no option '--jsno'" "did you mean '--json'?"
	run "$MUSTER" help plann
	fails_with 2 "did you mean 'plan'?"
	run "$MUSTER" plan
	fails_with 2 "usage: muster plan TEAM"
	run "$MUSTER" plan teams/hello.yaml teams/web-app.yaml
	fails_with 2 "does not know what to do with 'teams/web-app.yaml'"
	run "$MUSTER" graph teams/hello.yaml --format png
	fails_with 2 "no graph format 'png'" "mermaid"
}

@test "a full disk is told" {
	run bash -c '"$MUSTER" help >/dev/full'
	fails_with 1 "cannot write to standard output" "No space left"
}

@test "a reader that goes away early is no reason to complain" {
	run bash -c '(for i in $(seq 300); do "$MUSTER" help; done) | head -n 1 >/dev/null'
	[ -z "$output" ]
}

@test "-C works in another folder" {
	mkdir elsewhere
	cp teams/hello.yaml elsewhere/greeting.yaml
	run "$MUSTER" -C elsewhere validate greeting.yaml
	fails_with 0 "greeting.yaml: valid"
	run "$MUSTER" validate -Celsewhere greeting.yaml
	fails_with 0 "greeting.yaml: valid"
	run "$MUSTER" -C nowhere list
	fails_with 2 "nowhere"
}

@test "canned teams are found by name, and a near miss is named" {
	export MUSTER_DATADIR=$PWD
	cd "$(mktemp -d "$BATS_TEST_TMPDIR/empty.XXXXXX")"
	run "$MUSTER" new --list
	fails_with 0 "hello" "web-app"
	run "$MUSTER" plan web-app
	fails_with 0 "project_manager"
	run "$MUSTER" plan web-ap
	fails_with 2 "neither a file nor a canned team" "did you mean 'web-app'?"
	run "$MUSTER" plan nowhere.yaml
	fails_with 2 "no team file 'nowhere.yaml'"
	run "$MUSTER" plan .
	fails_with 2 "is a folder"
}

@test "an installed program finds the teams beside it" {
	mkdir -p prefix/bin prefix/share/muster
	cp "$MUSTER" prefix/bin/muster
	mv teams prompts gates prefix/share/muster/
	run prefix/bin/muster new --names
	[ "$output" = "$(basename -s .yaml -a prefix/share/muster/teams/*.yaml)" ]
	run prefix/bin/muster validate hello
	fails_with 0 "share/muster/teams/hello.yaml: valid"
}

@test "validate names file, line, column and the remedy of every mistake" {
	cat >broken.yaml <<-'END'
		version: 1
		name: broken
		model: openai/gpt-5.4
		manager: lead
		agents:
		  lead:
		    instruction: Lead.
		    sub_agents: [wirter]
		  writer:
		    instructions: Write.
	END
	run --separate-stderr "$MUSTER" validate broken.yaml
	echo "$stderr"
	[ "$status" -eq 2 ]
	[[ $stderr == *"broken.yaml:7:5: "*instructions* ]]
	[[ $stderr == *"broken.yaml:8:18: "*"'writer'"* ]]
	run --separate-stderr "$MUSTER" validate --json broken.yaml teams/hello.yaml
	[ "$status" -eq 2 ]
	holds 'd["format"] == "muster.validate/1" and [f["valid"] for f in d["files"]] == [False, True]'
	holds 'any(m["line"] == 7 and m["column"] == 5 for m in d["files"][0]["messages"])'
}

@test "no control character of a file reaches the terminal" {
	printf 'version: 1\nname: "\\e[2J"\nmanager: x\nagents: {x: {instructions: y, "a\\e]0;b": 1}}\n' >nasty.yaml
	run "$MUSTER" validate nasty.yaml
	[ "$status" -eq 2 ]
	[[ $output != *$'\033'* ]]
	run "$MUSTER" $'\033[31mverb'
	[[ $output != *$'\033'* ]]
}

@test "plan says who hands over to whom and what bounds the run" {
	run "$MUSTER" plan teams/web-app.yaml
	fails_with 0 "project_manager (manager)" "delegates to  designer when these hold: plan" "150 (max_turns)" \
		"file design/design_spec.md"
	run --separate-stderr "$MUSTER" plan --json teams/web-app.yaml
	holds 'd["format"] == "muster.plan/1" and d["at_most"]["turns"] == 150 and len(d["agents"]) == 5'
	holds 'any(e["to"] == "tester" and e["needs"] == ["static-page", "node-server"] for e in d["edges"])'
}

@test "graph draws the team for mermaid and for dot" {
	run "$MUSTER" graph teams/web-app.yaml
	fails_with 0 "flowchart TD" 'agent_project_manager -->|"plan"| agent_designer'
	run "$MUSTER" graph --format=dot teams/web-app.yaml
	fails_with 0 'digraph "web-app"' '"project_manager" -> "designer" [label="plan"];'
}

@test "a new team is valid and runs, and is never overwritten" {
	run "$MUSTER" new my-team
	fails_with 0 "wrote my-team.yaml"
	run "$MUSTER" validate my-team.yaml
	[ "$output" = "my-team.yaml: valid" ]
	run "$MUSTER" run my-team.yaml --rehearse my-team/rehearsal.yaml
	fails_with 0 "note.md"
	echo changed >my-team/writer.md
	run "$MUSTER" new my-team
	fails_with 2 "there already"
	[ "$(cat my-team/writer.md)" = changed ]
	run "$MUSTER" new "../outside"
	fails_with 2 "no name for a team"
}

@test "gate checks a folder without a run" {
	run "$MUSTER" gate gates/design-spec.yaml --in samples
	fails_with 3 "gate design-spec fails" "design/design_spec.md"
	mkdir made
	echo 'Hello, you!' >made/hello.txt
	run "$MUSTER" gate teams/hello.yaml#greeting --in made
	fails_with 0 "gate greeting holds"
	run --separate-stderr "$MUSTER" gate --team teams/hello.yaml greeting --in made --json
	[ "$status" -eq 0 ]
	holds 'd["format"] == "muster.gate/1" and d["gate"] == "greeting" and d["verdict"]["status"] == "holds"'
	[ "$(ls made)" = hello.txt ]
	run "$MUSTER" gate teams/hello.yaml#greetin --in made
	fails_with 2 "no gate 'greetin'" "did you mean 'greeting'?"
	run "$MUSTER" gate nowhere.yaml
	fails_with 2 "nowhere.yaml"
	run "$MUSTER" gate gates/plan.yaml --in nowhere
	fails_with 2 "nowhere"
}

@test "a team file in place of a gate file is told how to name its gate" {
	run "$MUSTER" gate teams/web-app.yaml
	[ "$status" -eq 2 ]
	[ "$output" = "muster: 'teams/web-app.yaml' is a team file, not a gate file; name one of its gates: 'teams/web-app.yaml#NAME'" ]
}

@test "a gate file with a mistake is told with its place" {
	printf 'name: g\nrequire: [{fil: a}]\n' >broken-gate.yaml
	run "$MUSTER" gate broken-gate.yaml
	fails_with 2 "broken-gate.yaml:2:" "file"
}

@test "run tells its progress on standard error and its result on standard output" {
	run --separate-stderr "$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *"hands over to writer: Greet the world"* ]]
	[[ $stderr == *"wants to be done, refused by its outputs"* ]]
	[[ $stderr == *"gate greeting holds"* ]]
	[[ $stderr != *$'\033'* ]]
	[[ $output == *"hello.txt"*"gate greeting holds"* ]]
	[[ $output == *"Files: $PWD/$(workspace)"*"Hello, world!"* ]]
}

@test "run --quiet is silent, and --json is one document" {
	run rehearse_hello
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run --separate-stderr "$MUSTER" run -q --json teams/hello.yaml --rehearse samples/hello/rehearsal.yaml
	[ -z "$stderr" ]
	holds 'd["format"] == "muster.run/1" and d["run"]["state"] == "done" and d["run"]["rehearsal"]'
	[ "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["workspace"])' <<<"$output")" = "$PWD/$(ls -td .muster/runs/*/workspace | head -n 1)" ]
	holds '[(a["path"], a["agent"], a["status"]) for a in d["artifacts"]] == [("hello.txt", "writer", "holds")]'
	holds 'all(sum(a[n] for a in d["agents"]) == d["run"][n] for n in ("turns", "input_tokens", "output_tokens"))'
	holds 'sum(a["gates_refused"] for a in d["agents"]) == d["run"]["gates_refused"] == 1'
}

@test "run refuses what is not there before it starts anything" {
	run "$MUSTER" run teams/hello.yaml
	fails_with 6 "--rehearse"
	run "$MUSTER" run teams/hello.yaml --rehearse nowhere.yaml
	fails_with 2 "nowhere.yaml"
	run "$MUSTER" run teams/hello.yaml --sandbox cloud --rehearse samples/hello/rehearsal.yaml
	fails_with 2 "no sandbox provider 'cloud'"
	run "$MUSTER" run teams/hello.yaml -i nobody=x --rehearse samples/hello/rehearsal.yaml
	fails_with 2 "nobody"
	run "$MUSTER" run teams/web-app.yaml --rehearse samples/web-app/rehearsal.yaml
	fails_with 2 "brief"
	run "$MUSTER" list
	[[ $output != *hello-* ]]
}

@test "a run that is interrupted is parked and says so" {
	cat >slow.yaml <<-'END'
		version: 1
		agents:
		  editor:
		    - calls: [{exec_command: {cmd: sleep 1}}]
		    - say: Never said.
	END
	"$MUSTER" run teams/hello.yaml --rehearse slow.yaml >out 2>err 3>&- &
	local run=$!
	for _ in $(seq 100); do
		grep -q "calls exec_command" err && break
		sleep 0.05
	done
	kill -INT "$run"
	local status=0
	wait "$run" || status=$?
	cat out err
	[ "$status" -eq 130 ]
	grep "the run is parked: it was interrupted" err
	run "$MUSTER" list
	fails_with 0 "parked"
}

@test "list, show, log and artifacts tell of a run afterwards" {
	rehearse_hello
	rehearse_hello
	local id
	id=$("$MUSTER" list --names | head -n 1)
	run "$MUSTER" list
	[ "${#lines[@]}" -eq 2 ]
	fails_with 0 "$id" "done"
	run "$MUSTER" show "$id"
	fails_with 0 "$id: done" "writer: 1 assignment" "greeting: holds"
	run "$MUSTER" show -1/writer
	fails_with 0 "from editor: completed" "calls    write_file"
	run "$MUSTER" log "$id"
	fails_with 0 "hands over to writer: Greet the world" "writes hello.txt (3 B)" "gate greeting holds" "the run is done"
	run "$MUSTER" log --events "$id"
	fails_with 0 "run.started" "gate.checked"
	run "$MUSTER" artifacts -2 --agent writer
	fails_with 0 "hello.txt"
	run "$MUSTER" artifacts -2 --agent editor
	[ -z "$output" ]
	run --separate-stderr "$MUSTER" list --json
	holds 'd["format"] == "muster.list/1" and len(d["runs"]) == 2'
	run --separate-stderr "$MUSTER" log --json -1
	holds '[e["sequence"] for e in d] == list(range(1, len(d) + 1)) and d[-1]["kind"] == "run.finished"'
	run --separate-stderr "$MUSTER" artifacts --json -1
	holds 'd["format"] == "muster.artifacts/1" and d["artifacts"][0]["path"] == "hello.txt"'
}

@test "what decides an any check is credited with the gate" {
	cat >chart.yaml <<-'YAML'
		version: 1
		name: chart
		model: openai/gpt-5.4
		manager: analyst
		agents:
		  analyst: {instructions: Draw., outputs: drawn}
		gates:
		  drawn: {require: [{any: [{file: chart.svg, matches: <svg}, {file: chart.txt}]}]}
	YAML
	cat >script.yaml <<-'YAML'
		version: 1
		agents:
		  analyst:
		    - calls:
		        - write_file: {path: chart.txt, content: "##"}
		        - write_file: {path: chart.svg, content: "##"}
		    - say: Drawn.
	YAML
	"$MUSTER" run -q chart.yaml --rehearse script.yaml
	run "$MUSTER" artifacts -1
	[[ $output == *"chart.svg"*"chart.txt        2 B  gate drawn holds" ]]
	[[ $output != *"fails"* ]]
}

@test "the log tells what the progress told" {
	"$MUSTER" run teams/hello.yaml --rehearse samples/hello/rehearsal.yaml 2>told >/dev/null
	"$MUSTER" log -1 >logged
	diff <(grep '^[0-9]' told) logged
}

@test "a run or agent that does not exist is told with exit code 2" {
	run "$MUSTER" show -1
	[ "$status" -ne 0 ]
	rehearse_hello
	run "$MUSTER" show helo
	fails_with 2 "helo"
	run "$MUSTER" log nobody
	fails_with 2 "nobody"
	run "$MUSTER" artifacts -7
	fails_with 2 "-7"
	run "$MUSTER" show -1/writr
	fails_with 2 "no agent 'writr'" "did you mean 'writer'?"
	run "$MUSTER" artifacts -1 --agent writr
	fails_with 2 "did you mean 'writer'?"
}

@test "a store of a newer version is refused and left alone" {
	rehearse_hello
	python3 -c 'import sqlite3; sqlite3.connect(".muster/store.db").execute("PRAGMA user_version = 99")'
	sum=$(sha256sum .muster/store.db)
	run "$MUSTER" list
	[ "$status" -ne 0 ]
	says 99
	run rehearse_hello
	[ "$status" -ne 0 ]
	says 99
	[ "$sum" = "$(sha256sum .muster/store.db)" ]
}

@test "providers lists what the sandboxes can do" {
	run "$MUSTER" providers
	[[ ! $output =~ [a-z](yes|no)$'\n' ]]
	fails_with 0 "unix-local" "usable here"
	run --separate-stderr "$MUSTER" providers --json
	holds 'd["format"] == "muster.providers/1" and d["sandboxes"][0]["can"]["network_off"]'
}

@test "completion scripts are accepted by their shells" {
	for shell in bash zsh fish; do
		"$MUSTER" completion "$shell" >"completion.$shell"
		"$shell" -n "completion.$shell"
	done
	run "$MUSTER" completion csh
	fails_with 2 "bash, zsh and fish"
}

#!/usr/bin/env bats
# The workspace that a team file declares is the one that commands find.

load common

make_team() {
	mkdir -p seed/deep/empty
	echo one >seed/a.txt
	printf '#!/bin/sh\necho ran\n' >seed/deep/run.sh
	chmod +x seed/deep/run.sh
	echo guide >GUIDE.md
	cat >team.yaml <<-'YAML'
		version: 1
		name: seeded
		description: One agent in a prepared workspace.
		inputs:
		  topic: {type: string, required: true}
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manifest:
		  entries:
		    brief.md: {type: file, content: "About ${inputs.topic}, not $${inputs.topic}."}
		    GUIDE.md: {type: local_file, src: GUIDE.md}
		    seed: {type: local_dir, src: seed}
		    nest:
		      type: dir
		      children:
		        in.txt: {type: file, content: nested}
		  environment: {COLOUR: "blue ${inputs.topic}"}
		manager: worker
		agents:
		  worker:
		    description: Looks around.
		    instructions: Look around.
		    outputs: [found.txt]
		    writes: [found.txt]
	YAML
	cat >script.yaml <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls:
		        - exec_command:
		            cmd: >
		              { cat brief.md; echo; cat GUIDE.md seed/a.txt nest/in.txt; echo; seed/deep/run.sh;
		              ls seed/deep; echo "$COLOUR|$INPUT_TOPIC"; } >found.txt
		    - say: done
	YAML
}

@test "files, folders, copies and variables are there as declared" {
	make_team
	run muster run team.yaml -i topic=tides --rehearse script.yaml
	[ "$status" -eq 0 ]
	run cat "$(workspace)/found.txt"
	[ "$output" = "About tides, not \${inputs.topic}.
guide
one
nested
ran
empty
run.sh
blue tides|tides" ]
}

@test "what the manifest brought is not charged to an agent" {
	make_team
	muster run team.yaml -i topic=tides --rehearse script.yaml
	run muster artifacts -1 --agent worker
	says found.txt
	[[ "$output" != *GUIDE.md* ]]
	run git -c safe.directory='*' -C .muster/runs/*/history.git log --format=%an
	[ "$output" = "worker
manifest" ]
}

@test "a link in a copied folder is refused by name before anything runs" {
	make_team
	ln -s /etc/passwd seed/link
	run muster run team.yaml -i topic=tides --rehearse script.yaml
	[ "$status" -eq 2 ]
	says "manifest entry 'seed'"
	says "'link' is a link that leads out of the folder"
	[ ! -e .muster/runs ] || [ -z "$(ls .muster/runs)" ]
}

@test "a source that is not there is a mistake of the team file" {
	make_team
	rm GUIDE.md
	run muster validate team.yaml
	[ "$status" -eq 2 ]
	says "GUIDE.md"
}

@test "a workspace of many files begins as a pack that plain git reads" {
	mkdir -p tree/a tree/b
	for i in {1..300}; do
		echo "file $i" >tree/a/$i
	done
	: >tree/empty
	cp tree/a/1 tree/twin
	head -c 200000 /dev/urandom >tree/b/blocks
	cat >many.yaml <<-'YAML'
		version: 1
		name: many
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		manifest: {entries: {src: {type: local_dir, src: tree}}}
		agents:
		  worker: {description: Works., instructions: Work.}
	YAML
	printf 'version: 1\nagents: {worker: [{calls: [{exec_command: {cmd: echo x >>src/a/7}}]}, {say: Done.}]}\n' >many-script.yaml
	run "$MUSTER" run many.yaml --rehearse many-script.yaml
	[ "$status" -eq 0 ]
	history=$(echo .muster/runs/*/history.git)
	git -C "$history" fsck --full --strict
	[ "$(find "$history/objects" -name '*.pack' | wc -l)" -eq 1 ]
	[ "$(find "$history/objects" -type f ! -path '*/pack/*' | wc -l)" -lt 20 ]
	git clone -q "$history" cloned
	diff -r cloned/src "$(workspace)/src"
}

@test "the folder in which muster runs can be copied, without what muster keeps there" {
	mkdir -p sub/.muster
	echo x >sub/.muster/x
	cat >here.yaml <<-'YAML'
		version: 1
		name: here
		model: openai/gpt-5.4
		manifest: {entries: {"": {type: local_dir, src: .}}}
		manager: worker
		agents:
		  worker: {instructions: Look around., outputs: [here.yaml]}
	YAML
	printf 'version: 1\nagents: {worker: [{say: Here it is.}]}\n' >script.yaml
	run "$MUSTER" run here.yaml --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	diff -r --exclude=.muster . "$(workspace)"
	[ -z "$(find "$(workspace)" -name .muster)" ]
}

@test "an input that is a folder is copied into the workspace, and commands do not see where it lies" {
	mkdir -p shop/src
	echo one >shop/src/a.txt
	cat >team.yaml <<-'YAML'
		version: 1
		name: folders
		model: openai/gpt-5.4
		inputs: {project: {type: folder, required: true}}
		manifest: {entries: {project: {type: local_dir, src: "${inputs.project}"}}}
		manager: worker
		agents:
		  worker: {instructions: Look around., outputs: [project/src/a.txt, {run: 'test -z "$INPUT_PROJECT"'}]}
	YAML
	printf 'version: 1\nagents: {worker: [{say: Here it is.}]}\n' >script.yaml
	run "$MUSTER" run team.yaml -i project=shop --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	for wrong in project=none project=team.yaml; do
		run "$MUSTER" run team.yaml -i "$wrong" --rehearse script.yaml
		echo "$output"
		[ "$status" -eq 2 ]
		says "input 'project'"
	done
	run "$MUSTER" run team.yaml --rehearse script.yaml
	[ "$status" -eq 2 ]
	says "give it with -i project=FOLDER"
}

# A workspace of which "big" does not fit when files can have 200 KiB at most.
make_large() {
	mkdir -p many
	for i in {1..50}; do
		echo "$i" >"many/$i"
	done
	head -c 900000 /dev/zero >big
	cat >large.yaml <<-'YAML'
		version: 1
		name: large
		model: openai/gpt-5.4
		sandbox: {provider: unix-local}
		manifest:
		  entries:
		    many: {type: local_dir, src: many}
		    big: {type: local_file, src: big}
		    z.txt: {type: file, content: last}
		manager: worker
		agents:
		  worker: {description: Works., instructions: Work., outputs: [z.txt]}
	YAML
	printf 'version: 1\nagents: {worker: [{say: Done.}]}\n' >large-script.yaml
}

# The run goes on with a whole workspace, and with nothing of the first attempt.
begins_anew() {
	[ -e "$(workspace)/many/50" ]
	[ ! -e "$(workspace)/z.txt" ]
	rm many/7
	run "$MUSTER" resume -1
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(stat -c %s "$(workspace)/big")" -eq 900000 ]
	[ "$(cat "$(workspace)/z.txt")" = last ]
	[ ! -e "$(workspace)/many/7" ]
	diff -r many "$(workspace)/many"
}

@test "a disk that is full is told with the entry, and nothing half-made is used" {
	make_large
	run bash -c 'trap "" XFSZ; ulimit -f 200; exec "$MUSTER" run large.yaml --rehearse large-script.yaml'
	echo "$output"
	[ "$status" -eq 6 ]
	says "manifest entry 'big': cannot write 'big' in the workspace: File too large"
	# What a killed process would have left, besides.
	mkdir -p "$(workspace)/many/half"
	echo half >"$(workspace)/many/half/made"
	chmod 0 "$(workspace)/many/half"
	begins_anew
}

@test "the manifest of the Agents SDK is taken from a file as it is" {
	cat >workspace.json <<-'JSON'
		{"version":1,"root":"/workspace",
		 "entries":{
		  "a.txt":{"type":"file","description":null,"ephemeral":false,"group":null,"is_dir":false,
		           "permissions":{"owner":6,"group":4,"other":0,"directory":false},"content":"hi"},
		  "d":{"type":"dir","description":null,"ephemeral":false,"group":null,"is_dir":true,
		       "permissions":{"owner":7,"group":0,"other":0,"directory":true},"children":{
		       "tree":{"type":"local_dir","description":null,"ephemeral":true,"group":{"name":"agent"},
		       "is_dir":true,"permissions":{"owner":7,"group":5,"other":5,"directory":true},"src":"seed"}}}},
		 "environment":{"value":{"A":"b"}},"users":[{"name":"agent"}],"groups":[],"extra_path_grants":[],
		 "remote_mount_command_allowlist":["ls","find"]}
	JSON
	make_team
	sed -i '/^manifest:/,/^manager:/{/^manager:/!d}; s/^manager:/manifest: workspace.json\n&/' team.yaml
	printf 'version: 1\nagents: {worker: [{calls: [{exec_command: {cmd: "cat a.txt d/tree/a.txt >found.txt; echo $A >>found.txt"}}]}, {say: ok}]}\n' >script.yaml
	run muster run team.yaml -i topic=tides --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(cat "$(workspace)/found.txt")" = "hione
b" ]
	[ "$(stat -c %a "$(workspace)/a.txt" "$(workspace)/d" "$(workspace)/d/tree/deep/run.sh" | xargs)" = "640 700 755" ]
}

@test "a run that its sandbox cannot carry out is refused before it begins" {
	make_team
	for line in 'users: [{name: ann}]' 'groups: [{name: staff}]'; do
		sed "s|^manifest:|&\n  $line|" team.yaml >other.yaml
		run muster run other.yaml -i topic=tides --rehearse script.yaml
		echo "$output"
		[ "$status" -eq 6 ]
		says "sandbox 'unix-local'"
		[ ! -e .muster/runs ] || [ -z "$(ls .muster/runs)" ]
	done
}

teardown() {
	[ -z "$GRANTED" ] || rm -rf "$GRANTED"
}

# granted GRANT COMMAND: a run with a folder of this machine beside the workspace.
granted() {
	cat >granted.yaml <<-YAML
		version: 1
		name: granted
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, options: {session: ${3:-any}}}
		manifest: {extra_path_grants: [$1]}
		manager: worker
		agents:
		  worker: {description: Looks., instructions: Look., outputs: [found.txt]}
	YAML
	printf 'version: 1\nagents: {worker: [{calls: [{exec_command: {cmd: "%s"}}]}, {say: ok}]}\n' "$2" >granted-script.yaml
	rm -rf .muster
	run "$MUSTER" run granted.yaml --rehearse granted-script.yaml
	echo "$output"
}

@test "commands see folders that are granted, and write to them only where they may" {
	GRANTED=$(mktemp -d /tmp/muster-granted-XXXXXX)
	chmod 777 "$GRANTED"
	echo given >"$GRANTED/in.txt"
	for session in warm per-command; do
		granted "{path: /data/set, host_path: $GRANTED, read_only: true}" \
			"cat /data/set/in.txt >found.txt; echo x >/data/set/new || echo read-only >>found.txt" "$session"
		[ "$status" -eq 0 ]
		[ "$(cat "$(workspace)/found.txt")" = "given
read-only" ]
		[ ! -e "$GRANTED/new" ]
		granted "{path: /data/set, host_path: $GRANTED}" "echo x >/data/set/new && echo ok >found.txt" "$session"
		[ "$status" -eq 0 ]
		[ "$(cat "$GRANTED/new")" = x ]
		rm -f "$GRANTED/new"
	done
	chmod 700 "$GRANTED"
	if [ "$(id -u)" -eq 0 ]; then
		granted "{path: /data, host_path: $GRANTED, read_only: true}" "echo x >found.txt"
		[ "$status" -eq 6 ]
		says "commands of the sandbox cannot reach the folder '$GRANTED'"
	fi
}

@test "what muster keeps of a run cannot be written through a grant, nor granted by another file" {
	granted "{path: /data, host_path: $PWD}" "echo x >found.txt"
	[ "$status" -eq 6 ]
	says "the folder '$PWD' holds what muster keeps of the run"
	printf '{"extra_path_grants": [{"path": "/srv", "read_only": true}]}' >grants.json
	sed 's/^manifest: .*/manifest: grants.json/' granted.yaml >other.yaml
	run "$MUSTER" run other.yaml --rehearse granted-script.yaml
	echo "$output"
	[ "$status" -eq 2 ]
	says "grants.json:1:23: a manifest in a file of its own cannot grant paths"
}

@test "the manifest is printed in the Agents SDK's form, which is taken back unchanged" {
	make_team
	sed -i 's/seed: {type: local_dir, src: seed}/seed: {type: local_dir, src: seed, permissions: {owner: 7, group: 5, other: 0}, ephemeral: true}/' team.yaml
	"$MUSTER" manifest team.yaml >first.json
	sed '/^manifest:/,/^manager:/{/^manager:/!d}; s/^manager:/manifest: first.json\n&/' team.yaml >second.yaml
	"$MUSTER" manifest second.yaml >second.json
	cmp first.json second.json
	python3 - <<-'PY'
		import json
		manifest = json.load(open("first.json"))
		seed = manifest["entries"]["seed"]
		assert seed["permissions"] == {"owner": 7, "group": 5, "other": 0, "directory": True}, seed
		assert seed["ephemeral"] is True and seed["is_dir"] is True
		assert manifest["entries"]["nest"]["children"]["in.txt"]["content"] == "nested"
		assert manifest["environment"] == {"value": {"COLOUR": "blue ${inputs.topic}"}}
		assert list(manifest) == ["version", "root", "entries", "environment", "users", "groups",
		                          "extra_path_grants", "remote_mount_command_allowlist"]
	PY
}

@test "a manifest is checked without a run" {
	make_team
	run "$MUSTER" manifest --check team.yaml -i topic=tides
	[ "$status" -eq 0 ]
	says "the workspace can be filled"
	mkfifo seed/pipe
	run "$MUSTER" manifest --check team.yaml -i topic=tides
	[ "$status" -eq 2 ]
	says "manifest entry 'seed': 'pipe' is a FIFO"
	run "$MUSTER" manifest --check team.yaml
	[ "$status" -eq 2 ]
	says "topic"
	run "$MUSTER" manifest --check team.yaml -i topic=x --sandbox none
	[ "$status" -eq 2 ]
	says "there is no sandbox provider 'none'"
}

@test "a workspace with work in it is not begun anew because nobody can look at its state" {
	make_team
	cat >script.yaml <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "echo work >work.txt"}}]
		    - calls: [{ask_user: {question: "Go on?"}}]
		    - calls: [{exec_command: {cmd: "cp work.txt found.txt"}}]
		    - say: done
	YAML
	sed -i 's/writes: \[found.txt\]/writes: ["*.txt"]\n    tools: {allow: [ask_user, exec_command]}/' team.yaml
	run muster run team.yaml -i topic=tides --rehearse script.yaml
	echo "$output"
	[ "$status" -eq 4 ]
	run_folder=$(echo .muster/runs/*)
	mv "$run_folder/sandbox.json" kept.json
	ln -s loop "$run_folder/loop"
	ln -s loop "$run_folder/sandbox.json"
	run muster answer -1 yes
	echo "$output"
	[ "$status" -eq 6 ]
	says "cannot look at"
	[ "$(cat "$run_folder/workspace/work.txt")" = work ]
	rm "$run_folder/sandbox.json" "$run_folder/loop"
	mv kept.json "$run_folder/sandbox.json"
	run muster resume -1
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(cat "$run_folder/workspace/found.txt")" = work ]
}

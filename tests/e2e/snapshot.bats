#!/usr/bin/env bats
# Where a run's workspace comes from: its live session, what is on record of it, a snapshot, the manifest.

load common

setup() {
	enter "$BATS_TEST_TMPDIR"
	cat >team.yaml <<-'END'
		version: 1
		name: work
		model: openai/gpt-5.4
		sandbox: {provider: unix-local, network: off}
		manager: worker
		manifest:
		  entries:
		    base: {type: file, content: "base"}
		    passing: {type: file, content: "fresh", ephemeral: true}
		limits: {max_turns: 2}
		agents:
		  worker: {description: Works., instructions: Work.}
	END
	cat >script.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "mkdir -p deep/er empty; echo one >deep/er/one; chmod 755 deep/er/one; ln -s er/one deep/link; rm base; echo old >passing"}}]
		    - calls: [{exec_command: {cmd: "echo two >two"}}]
		    - calls: [{exec_command: {cmd: "cat deep/link two passing >all; ls >names"}}]
		    - say: done
	END
}

parked() {
	run "$MUSTER" run team.yaml --rehearse script.yaml --quiet
	[ "$status" -eq 5 ]
}

# The folder of the newest run.
folder() {
	echo .muster/runs/*/
}

@test "a run whose session is gone goes on with what is on record of it" {
	parked
	rm -r "$(folder)/workspace" "$(folder)/sandbox.json"
	run "$MUSTER" resume -1 --max-turns +9
	[ "$status" -eq 0 ]
	says "the workspace is restored from the run's history"
	[ "$(cat "$(folder)"/workspace/all)" = "$(printf 'one\ntwo\nfresh')" ]
	[ ! -e "$(folder)/workspace/base" ]
	[ -x "$(folder)/workspace/deep/er/one" ]
	# What came of it is recorded once, by the one who did it.
	run muster artifacts -1
	says two
	run git -C "$(folder)/history.git" log --format='%an %s'
	[ "$(grep -c '^unknown' <<<"$output")" -le 1 ]
}

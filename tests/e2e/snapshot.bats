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

# The run that a fork made: the newest but the one it came from.
fork_folder() {
	echo .muster/runs/"$("$MUSTER" list --names | head -1)"
}

# Everything that lies in a workspace, but for what is put in anew each time.
tree_of() {
	(cd "$1" && find . -path ./passing -prune -o -printf '%P %y %m %l\n' | sort &&
		find . -type f ! -path ./passing -print0 | sort -z | xargs -0 sha256sum)
}

@test "a fork of a parked run goes on with its workspace byte for byte" {
	parked
	before=$(tree_of "$(folder)/workspace")
	source=$(folder)
	run "$MUSTER" fork -1 --no-run --quiet
	[ "$status" -eq 0 ]
	made=$output
	run "$MUSTER" resume "$made" --max-turns +9
	[ "$status" -eq 0 ]
	says "the workspace is restored from snapshot"
	[ "$(tree_of "$source/workspace")" = "$before" ]
	[ -d ".muster/runs/$made/workspace/empty" ]
	[ "$(cat ".muster/runs/$made/workspace/all")" = "$(printf 'one\ntwo\nfresh')" ]
	git -C ".muster/runs/$made/history.git" log --format=%s >log
	grep -q 'by worker' log
	run muster fsck "$made"
	[ "$status" -eq 0 ]
	# The other one is as it was, and goes on by itself.
	run "$MUSTER" resume "$(basename "$source")" --max-turns +9
	[ "$status" -eq 0 ]
}

@test "a fork of a turn knows nothing of what came after it" {
	"$MUSTER" run team.yaml --rehearse script.yaml --quiet && false
	"$MUSTER" resume -1 --max-turns +9 --quiet
	first=$(basename "$(folder)")
	run "$MUSTER" fork "$first@1" --max-turns +9
	[ "$status" -eq 0 ]
	says "is a fork of $first"
	says "the workspace is restored from the run's history"
	made=$("$MUSTER" list --names | head -1)
	[ "$made" != "$first" ]
	run "$MUSTER" show "$made"
	says "forked from $first at turn 1"
	[ "$(cat ".muster/runs/$made/workspace/all")" = "$(printf 'one\ntwo\nfresh')" ]
	run muster fsck "$made"
	[ "$status" -eq 0 ]
	# Before its first turn there is only what the manifest puts in.
	run "$MUSTER" fork "$first@0" --no-run --quiet
	made=$output
	run "$MUSTER" resume "$made" --max-turns +9 --quiet
	[ "$status" -eq 0 ]
	run "$MUSTER" fork "$first@99"
	fails_with 2 "has 4 turns, not 99"
	run "$MUSTER" fork "$first"
	fails_with 2 "is done" "fork it at a turn"
	run "$MUSTER" fork "$first@x"
	fails_with 2 "'x' is no turn"
}

@test "options of a sandbox go with their provider" {
	run "$MUSTER" run team.yaml --rehearse script.yaml --sandbox-option session=per-command
	fails_with 2 "goes with --sandbox PROVIDER"
	run "$MUSTER" run team.yaml --rehearse script.yaml --sandbox unix-local --sandbox-option sesion=x
	fails_with 2 "has no option 'sesion'" "did you mean 'session'?"
	run "$MUSTER" run team.yaml --rehearse script.yaml --sandbox unix-local --sandbox-option session=per-command --quiet
	[ "$status" -eq 5 ]
}

@test "a shell works in the sandbox of a run, and what it changes is the user's" {
	parked
	run "$MUSTER" shell -1 -- sh -c 'cat deep/link; echo mine >mine; exit 7'
	fails_with 7 one
	run bash -c "printf 'ls two\nexit 3\n' | \"$MUSTER\" shell -1"
	fails_with 3 two
	run bash -c "head -c 3000000 /dev/zero | \"$MUSTER\" shell -1 -- wc -c"
	fails_with 0 3000000
	run bash -c "\"$MUSTER\" shell -1 -- sh -c 'kill -9 \$\$'"
	[ "$status" -eq 137 ]
	run -127 "$MUSTER" shell -1 -- no-such-program
	# On a terminal it is one, of the same size.
	run python3 - "$MUSTER" <<-'PY'
		import fcntl, os, pty, struct, sys, termios
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], [sys.argv[1], "shell", "-1"])
		fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
		os.write(fd, b"stty size; exit 5\n")
		said = b""
		try:
		    while part := os.read(fd, 4096):
		        said += part
		except OSError:
		    pass
		print(said.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
	says "31 97"
	[[ $output == *" 5" ]]
	run "$MUSTER" resume -1 --max-turns +9
	[ "$status" -eq 0 ]
	run muster artifacts -1
	grep -E 'mine.*user|user.*mine' <<<"$output"
	run "$MUSTER" shell none
	fails_with 2 "no run"
}

@test "snapshots are made, listed, imported and removed" {
	run "$MUSTER" snapshot
	fails_with 2
	parked
	id=$("$MUSTER" snapshot -1 --quiet)
	[ -s ".muster/snapshots/$id.tar.zst" ]
	sleep 0.2
	[ "$("$MUSTER" snapshot -1 --quiet)" = "$id" ]
	run "$MUSTER" snapshot -1
	says "nothing changed since"
	run "$MUSTER" snapshot
	says "${id:0:12}"
	run "$MUSTER" snapshot --json
	says "\"id\":\"$id\""
	# The run is restored from it, with what no history has: empty folders.
	rm -r "$(folder)/workspace" "$(folder)/sandbox.json"
	run "$MUSTER" resume -1 --max-turns +9
	[ "$status" -eq 0 ]
	says "restored from snapshot ${id:0:12}"
	[ -d "$(folder)/workspace/empty" ]
	tar -C "$(folder)/workspace" -czf work.tar.gz .
	run "$MUSTER" snapshot --import work.tar.gz --quiet
	[ "$status" -eq 0 ]
	[ "$("$MUSTER" snapshot --json | grep -o '"id"' | wc -l)" -eq 2 ]
	run "$MUSTER" snapshot --remove "${id:0:8}"
	[ "$status" -eq 0 ]
	[ ! -e ".muster/snapshots/$id.tar.zst" ]
	ln -s /etc/passwd out
	tar -cf bad.tar out
	run "$MUSTER" snapshot --import bad.tar
	fails_with 1 "'out' is a link that leaves the folder"
	[ "$(ls .muster/snapshots | wc -l)" -eq 1 ]
}

@test "a run begins with a snapshot, of a run or from elsewhere" {
	parked
	id=$("$MUSTER" snapshot -1 --quiet)
	cat >look.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "cat deep/link passing >all"}}]
		    - say: done
	END
	run "$MUSTER" run team.yaml --rehearse look.yaml --snapshot "${id:0:10}"
	[ "$status" -eq 0 ]
	says "the workspace is restored from snapshot ${id:0:12}"
	made=$("$MUSTER" list --names | head -1)
	[ "$(cat ".muster/runs/$made/workspace/all")" = "$(printf 'one\nfresh')" ]
	[ ! -e ".muster/runs/$made/workspace/base" ]
	# What it began with is no work of its own.
	run muster artifacts "$made"
	[[ $output == *all* && $output != *deep/er/one* ]]
	mkdir other && echo elsewhere >other/file && mkdir other/deep && echo x >other/deep/link
	tar -C other -czf other.tar.gz .
	run "$MUSTER" run team.yaml --rehearse look.yaml --snapshot other.tar.gz --quiet
	[ "$status" -eq 0 ]
	run muster artifacts -1 --get all
	[ "$output" = "$(printf 'x\nfresh')" ]
	run "$MUSTER" run team.yaml --rehearse look.yaml --snapshot nothing
	fails_with 2 "there is no snapshot 'nothing'"
	echo junk >junk.tar
	run "$MUSTER" run team.yaml --rehearse look.yaml --snapshot junk.tar
	[ "$status" -ne 0 ]
	says "the archive is damaged"
}

@test "a run takes over a session, in a folder that is somebody's" {
	mkdir mine && chmod 777 mine && echo mine >mine/file
	cat >look.yaml <<-'END'
		version: 1
		agents:
		  worker:
		    - calls: [{exec_command: {cmd: "cat file passing >all; ls >names"}}]
		    - say: done
	END
	echo "{\"provider\":\"unix-local\",\"workspace\":\"$PWD/mine\"}" >state.json
	run "$MUSTER" run team.yaml --rehearse look.yaml --session-state state.json --quiet
	[ "$status" -eq 0 ]
	[ "$(cat mine/all)" = "$(printf 'mine\nfresh')" ]
	[ ! -e mine/base ]
	run "$MUSTER" shell -1 -- cat all
	[ "$output" = "$(printf 'mine\nfresh')" ]
	"$MUSTER" delete -1
	[ -e mine/all ]
	echo "{\"provider\":\"unix-local\",\"workspace\":\"$PWD/gone\"}" >state.json
	run "$MUSTER" run team.yaml --rehearse look.yaml --session-state state.json
	fails_with 6 "is gone"
	run "$MUSTER" run team.yaml --rehearse look.yaml --session-state state.json --sandbox docker
	fails_with 2 "the session is one of 'unix-local', not of 'docker'"
	run "$MUSTER" run team.yaml --rehearse look.yaml --session-state look.yaml
	fails_with 2 "is no state of a session"
	run "$MUSTER" run team.yaml --rehearse look.yaml --keep sometimes
	fails_with 2 "it is never, failed or always"
}

@test "a team has its workspace put on the shelf at the end" {
	sed -i 's/network: off}/network: off, snapshot: local}/; s/max_turns: 2/max_turns: 9/' team.yaml
	run "$MUSTER" run team.yaml --rehearse script.yaml
	[ "$status" -eq 0 ]
	[[ $output =~ snapshot\ [0-9a-f]{12}:\ [0-9]+\ files ]]
	[ "$(ls .muster/snapshots | wc -l)" -eq 1 ]
	run "$MUSTER" run team.yaml --rehearse script.yaml --snapshot none --quiet
	[ "$(ls .muster/snapshots | wc -l)" -eq 1 ]
}

@test "a snapshot goes with the last run that needs it" {
	parked
	first=$("$MUSTER" list --names)
	id=$("$MUSTER" snapshot -1 --quiet)
	second=$("$MUSTER" fork "$first" --no-run --quiet)
	"$MUSTER" delete --force "$first"
	[ -e ".muster/snapshots/$id.tar.zst" ]
	"$MUSTER" delete --force "$second"
	[ ! -e ".muster/snapshots/$id.tar.zst" ]
}

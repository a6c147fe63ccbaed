#!/usr/bin/env bats
# Completion in the shells themselves.

load common

setup() {
	enter "$BATS_TEST_TMPDIR"
	mkdir -p "$BATS_TEST_TMPDIR/home"
	export HOME=$BATS_TEST_TMPDIR/home TERM=dumb
	"$MUSTER" run hello --rehearse samples/hello/rehearsal.yaml --quiet
	made=$("$MUSTER" list --names)
}

# What each shell offers at the end of a line: one candidate on each line, sorted, without descriptions.
offers() {
	if [ "$shell" = bash ]; then
		bash --norc -c 'source <(muster completion bash)
			COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=(muster)
			_muster && printf "%s\n" "${COMPREPLY[@]}"' - "$1"
	elif [ "$shell" = fish ]; then
		fish --no-config -c 'muster completion fish | source; complete -C $argv[1]' "$1" | cut -f1
	else
		python3 "$MUSTER_SOURCE/tests/e2e/zsh_offers.py" "$1"
	fi | sort -u
}

in_each_shell() {
	for shell in bash zsh fish; do
		"$@" || { echo "in $shell"; return 1; }
	done
}

# is LINE CANDIDATE...: exactly these.
is() {
	local wanted
	wanted=$(printf '%s\n' "${@:2}" | sort -u)
	[ "$(offers "$1")" = "$wanted" ] || { printf '%s offers:\n%s\nnot:\n%s\n' "$1" "$(offers "$1")" "$wanted"; return 1; }
}

# has LINE CANDIDATE: this among others.
has() {
	offers "$1" | grep -qxF -- "$2" || { printf '%s offers:\n%s\nwithout %s\n' "$1" "$(offers "$1")" "$2"; return 1; }
}

@test "verbs, options and topics" {
	in_each_shell is "muster val" validate
	in_each_shell is "muster run --rehea" --rehearse
	in_each_shell is "muster help gat" gate gates
	in_each_shell has "muster resume -1 --max-" --max-turns
	in_each_shell has "muster --dir" --directory
}

@test "teams, and files that could be teams" {
	cp teams/hello.yaml hello-copy.yaml
	in_each_shell has "muster run hel" hello
	in_each_shell has "muster run hel" hello-copy.yaml
	in_each_shell is "muster plan web-" web-app
}

@test "runs, their agents, and runs of another folder" {
	in_each_shell is "muster show ${made:0:7}" "$made"
	in_each_shell is "muster show $made/" "$made/editor" "$made/writer"
	in_each_shell is "muster artifacts $made --agent w" writer
	mkdir elsewhere
	cd elsewhere
	in_each_shell is "muster -C .. show ${made:0:7}" "$made"
}

@test "values of options, behind a space and behind '='" {
	in_each_shell is "muster graph hello --format d" dot
	in_each_shell is "muster run hello --keep f" failed
	for shell in zsh fish; do
		is "muster graph hello --format=d" --format=dot
		is "muster run hello --sandbox=uni" --sandbox=unix-local
	done
	# What bash takes for the word begins behind the '='.
	shell=bash
	is "muster graph hello --format=d" dot
	is "muster run hello --sandbox=uni" unix-local
}

@test "files and folders" {
	mkdir "a folder" folded
	: >file-one
	: >'file $(touch done)'
	in_each_shell has "muster run hello --each file-" file-one
	in_each_shell has "muster run hello --out fol" folded/ || { shell=bash; has "muster run hello --out fol" folded; }
	shell=bash
	is "muster run hello -i brief=@file-" @file-one
	offers "muster run hello --each file"
	[ ! -e done ]
}

@test "names that do harm when they are expanded are not" {
	cp teams/hello.yaml 'x$(touch harm).yaml'
	in_each_shell offers "muster run x"
	in_each_shell offers 'muster show $(touch harm)'
	in_each_shell offers 'muster show "`touch harm`'
	[ ! -e harm ]
	# Nor does what is not there cause a word.
	rm -r .muster
	for line in "muster show " "muster show x/" "muster -C nowhere show " "muster nothing "; do
		run "$MUSTER" completion --of "$line"
		[ "$status" -eq 0 ]
		[ "${#lines[@]}" -ge 1 ]
	done
	[ ! -e .muster ]
}

@test "it answers at once" {
	python3 - "$MUSTER" "$made" <<-'PY'
		import subprocess, sys, time
		def took(line):
		    began = time.monotonic()
		    subprocess.run([sys.argv[1], "completion", "--of", line], stdout=subprocess.DEVNULL, check=True)
		    return time.monotonic() - began
		for line in ("muster ", "muster show ", f"muster show {sys.argv[2]}/"):
		    best = min(took(line) for _ in range(10))
		    assert best < 0.1, (line, best)
	PY
}

# What the end-to-end tests share. MUSTER is the program, MUSTER_SOURCE the source tree; each test works
# in a folder of its own, which bats removes afterwards.

bats_require_minimum_version 1.5.0

# enter FOLDER: work there, beside the teams that come with the program.
enter() {
	cp -r "$MUSTER_SOURCE"/{teams,prompts,gates,samples} "$1"
	cd "$1" || return 1
	PATH=$(dirname "$MUSTER"):$PATH
	export NO_COLOR=1 MUSTER_DATADIR=$1 XDG_CONFIG_HOME=$1/no-config
	unset MUSTER_MODEL MUSTER_SANDBOX
}

setup() {
	enter "$BATS_TEST_TMPDIR"
}

# The workspace of the only run in this folder.
workspace() {
	local folders=(.muster/runs/*/workspace)
	[ "${#folders[@]}" -eq 1 ] && [ -d "${folders[0]}" ] && echo "${folders[0]}"
}

# says TEXT: the last `run` printed it.
says() {
	if [[ $output != *"$1"* ]]; then
		printf 'not in the output: %s\n%s\n' "$1" "$output"
		return 1
	fi
}

# fails_with CODE WORD...: the last command ended so and named the words.
fails_with() {
	echo "$output"
	[ "$status" -eq "$1" ] || return 1
	shift
	for word in "$@"; do
		says "$word" || return 1
	done
}

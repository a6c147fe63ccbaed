# What the tests of bad input share: a team of one agent, and what has to hold after anything went wrong.

# A team of one agent; its rehearsal comes on standard input.
one_agent() {
	cat >team.yaml <<-'YAML'
		version: 1
		name: lone
		description: One agent.
		model: openai/gpt-5.4
		limits: {max_turns: 30}
		sandbox: {provider: unix-local, timeout: 3s}
		manager: worker
		agents:
		  worker:
		    description: Works.
		    instructions: Work.
		    outputs: [out.txt]
		    writes: [out.txt]
	YAML
	cat >script.yaml
}

# A rehearsal of that team that ends well.
good_rehearsal() {
	cat >good.yaml <<-'YAML'
		version: 1
		agents:
		  worker:
		    - calls: [{write_file: {path: out.txt, content: x}}]
		    - say: done
	YAML
}

# refuses CODE WORD COMMAND...: the command ends with the code and one message that has the word.
refuses() {
	local code=$1 word=$2
	shift 2
	run --separate-stderr "$@"
	if [ "$status" -ne "$code" ] || [[ $stderr != *"$word"* ]] || [ "$(grep -c '^muster: ' <<<"$stderr")" -ne 1 ]; then
		printf '%s: exit code %s, not %s with one message that has: %s\n%s\n' "$*" "$status" "$code" "$word" "$stderr"
		return 1
	fi
}

# still_works: whatever happened, the store opens and a new run comes to its end.
still_works() {
	good_rehearsal
	muster run --quiet team.yaml --rehearse good.yaml && muster list >listed && grep -q ' done ' listed
}

# unprivileged COMMAND...: also for root, permissions of files count.
unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all "$@"
	else
		"$@"
	fi
}

# A number that no other process has in its command line: how long the commands of a test sleep.
nap=8000$$

# nothing_naps: no process with that number is left, a moment later at most.
nothing_naps() {
	local left
	for _ in $(seq 40); do
		left=$(grep -lasF -- "$nap" /proc/[0-9]*/cmdline || true)
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	echo "still running: $left"
	return 1
}

# plain TEXT: valid UTF-8 without a control or direction character that a terminal would obey.
plain() {
	python3 -c 'import os, sys, unicodedata
text = os.fsencode(sys.argv[1]).decode()
bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
sys.exit(f"not plain: {bad}" if bad else 0)' "$1"
}

#!/usr/bin/env bats
# Every command in the docs is run, and prints what the docs show.

load common

tells_the_truth() {
	run python3 "$MUSTER_SOURCE/tests/e2e/run_doc.py" "$MUSTER_SOURCE/$1"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the commands of the README do what it says" {
	tells_the_truth README.md
}

@test "the commands of every page in docs/ do what it says" {
	local failed=
	for page in "$MUSTER_SOURCE"/docs/*.md; do
		rm -rf .muster
		tells_the_truth "docs/$(basename "$page")" || failed="$failed $page"
	done
	[ -z "$failed" ]
}

@test "a newcomer's folder needs nothing but the tutorial" {
	mkdir elsewhere
	cd elsewhere
	tells_the_truth docs/tutorial.md
}

@test "the commands that contributors are told are those that CI performs" {
	tells_the_truth CONTRIBUTING.md
}

@test "a document that lies is found out" {
	printf '```console\n$ true\n$ echo $?\n1\n```\n' >lie.md
	run python3 "$MUSTER_SOURCE/tests/e2e/run_doc.py" lie.md
	[ "$status" -eq 1 ]
	printf '```console\n$ echo a\nb\n```\n' >lie.md
	run python3 "$MUSTER_SOURCE/tests/e2e/run_doc.py" lie.md
	[ "$status" -eq 1 ]
}

@test "no link between the pages is broken" {
	local broken=
	for page in "$MUSTER_SOURCE"/*.md "$MUSTER_SOURCE"/docs/*.md; do
		for link in $(grep -oP '\]\(\K[^)#]+' "$page" | grep -v '^https\?:'); do
			[ -e "$(dirname "$page")/$link" ] || broken="$broken $(basename "$page"):$link"
		done
	done
	echo "$broken"
	[ -z "$broken" ]
}

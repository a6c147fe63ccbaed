#!/usr/bin/env bats
# What muster says of itself: topics, man pages.

load common

# page FILE: a man page as plain text.
page() {
	mandoc -Tutf8 -O width=200 "$MAN_PAGES/$1" | sed 's/.\x08//g'
}

@test "every topic is explained, with or without a terminal's width" {
	run muster help
	[ "$status" -eq 0 ]
	for topic in team-file gates limits models sandboxes exit-codes environment permissions; do
		says "  $topic "
	done
	for topic in $(muster help --names); do
		muster help "$topic" >text
		[ "$(wc -l <text)" -ge 5 ]
		[ "$(grep -c $'\t\|\x1b' text)" -eq 0 ]
	done
	run muster help limits
	says "LIMITS"
	says "max_tool_calls"
	[[ $output != *SANDBOX* ]]
	run muster help exit-codes
	says "parked; nothing is lost"
	[[ $output != *'`'* && $output != *'**'* && $output != *']('* ]]
}

@test "what no verb and no topic is called gets the nearest name" {
	run muster help limts
	[ "$status" -eq 2 ]
	says "no verb or topic 'limts'; did you mean 'limits'?"
}

@test "every variable that muster reads is in the topic of the environment" {
	muster help environment >known
	grep -rhoE '(getenv|from_environment)\("[A-Z_]+"\)|"[A-Z_]+_(BASE_URL|API_KEY)"' "$MUSTER_SOURCE/src" |
		grep -oE '"[A-Z_]+"' | tr -d '"' | sort -u >used
	[ "$(wc -l <used)" -ge 12 ]
	while read -r name; do
		grep -qw -- "$name" known || { echo "$name is not told"; return 1; }
	done <used
}

@test "there is a sound man page of each verb with all of its options" {
	page muster.1 >all
	for verb in $(muster help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		mandoc -Tlint -W error "$MAN_PAGES/muster-$verb.1"
		page "muster-$verb.1" >text
		muster "$verb" --help >help
		for option in $(grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' help | grep -oE -- '--[a-z-]+'); do
			grep -qw -- "$option" text || { echo "$verb: no $option"; return 1; }
		done
		grep -q "muster-$verb(1)" all
	done
	page muster-run.1 | grep -q 'muster run TEAM --each FILE'
}

@test "the man page of team files has every key of the schema" {
	mandoc -Tlint -W error "$MAN_PAGES"/*.[57]
	page muster-team.5 >text
	muster validate --schema team | python3 -c 'import json, sys
document = json.load(sys.stdin)
for key in document["properties"]:
    print(key)' >keys
	[ "$(wc -l <keys)" -ge 12 ]
	while read -r key; do
		grep -qw -- "$key" text || { echo "no $key"; return 1; }
	done <keys
}

@test "no page of the manual shows marks of its sources" {
	for file in "$MAN_PAGES"/*.[157]; do
		page "$(basename "$file")" >text
		if grep -nE '\]\(|\*\*[a-z]|```' text; then
			echo "in $file"
			return 1
		fi
	done
}

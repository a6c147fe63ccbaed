#!/bin/sh
# todo.sh COMMAND: a list of things to do, a line each, in $TODO_FILE (todo.txt if not set).
file=${TODO_FILE:-todo.txt}

case ${1:-help} in
add)
	[ -n "${2:-}" ] || { echo "todo.sh: add what?" >&2; exit 2; }
	printf '[ ] %s\n' "$2" >>"$file"
	;;
list)
	[ -f "$file" ] || exit 0
	case ${2:-all} in
	all) cat -n "$file" ;;
	open) cat -n "$file" | grep -F '[ ]' ;;
	*) echo "todo.sh: list all or open, not '$2'" >&2; exit 2 ;;
	esac
	;;
done)
	case ${2:-} in
	'' | *[!0-9]*) echo "todo.sh: done takes a number" >&2; exit 2 ;;
	esac
	[ "$2" -ge 1 ] && [ "$2" -le "$(wc -l <"$file")" ] || { echo "todo.sh: there is no number $2" >&2; exit 1; }
	sed "$2s/^\[ \]/[x]/" "$file" >"$file.new" && mv "$file.new" "$file"
	;;
*)
	echo "usage: todo.sh add TEXT | list [all|open] | done NUMBER" >&2
	exit 2
	;;
esac

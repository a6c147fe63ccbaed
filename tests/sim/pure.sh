#!/bin/sh
# pure.sh NM LIBRARY: the objects of src/run/ import nothing but functions of memory and strings (of
# memory: those of base/arena.h, too, which end the process when there is none; of strings: base/text.h). So the
# core can read no clock, draw no random number, do no input or output and hold no lock.
set -eu
allowed='calloc free malloc memcmp memcpy memmove memory_alloc memory_resize memset realloc strcmp strlen text_is'
symbols=$("$1" -u -A "$2" | sed -n 's/^.*[/:]run_[a-z_]*\.c\.o:.* U \(.*\)$/\1/p' | sort -u)
defined=$("$1" --defined-only -A "$2" | sed -n 's/^.*[/:]run_[a-z_]*\.c\.o:.* [A-Z] \(.*\)$/\1/p')
[ -n "$defined" ] || { echo "no objects of src/run/ in $2"; exit 1; }
status=0
for symbol in $symbols; do
	case $symbol in
	# What the compiler and its sanitizers put in.
	_GLOBAL_OFFSET_TABLE_ | __stack_chk_fail | __asan_* | __ubsan_* | __tsan_* | __sanitizer_*) continue ;;
	esac
	case " $allowed $(echo $defined) " in
	*" $symbol "*) ;;
	*)
		echo "src/run/ imports $symbol"
		status=1
		;;
	esac
done
exit $status

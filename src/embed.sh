#!/bin/sh
# Makes a C file that holds files as they are: sh embed.sh OUTPUT NAME FILE [NAME FILE]...
# Each is found between the symbols NAME and NAME_end, with a zero byte behind it.
set -eu
output=$1
shift
cat >"$output" <<'END'
__asm__(".section .rodata\n"
END
while [ $# -gt 0 ]; do
	cat >>"$output" <<END
	".balign 16\n"
	".global $1\n"
	"$1:\n"
	".incbin \"$(realpath "$2")\"\n"
	".global $1_end\n"
	"$1_end:\n"
	".byte 0\n"
END
	shift 2
done
cat >>"$output" <<'END'
	".section .note.GNU-stack,\"\",%progbits\n"
	".text\n");
extern int embedded; // a file with nothing but assembler is no C
END

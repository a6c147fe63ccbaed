#!/bin/sh
# Makes a C file that holds a program: sh embed.sh PROGRAM OUTPUT
set -eu
program=$(realpath "$1")
cat >"$2" <<END
#include "runner/image.h"

__asm__(".section .rodata\n"
	".balign 16\n"
	".global runner_image\n"
	"runner_image:\n"
	".incbin \"$program\"\n"
	".global runner_image_end\n"
	"runner_image_end:\n"
	".byte 0\n"
	".section .note.GNU-stack,\"\",%progbits\n"
	".text\n");
END

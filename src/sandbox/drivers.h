/* The rows of sandbox_drivers[] (sandbox.h). */
#pragma once

#include "sandbox/sandbox.h"

extern const struct sandbox_driver sandbox_docker;
extern const struct sandbox_driver sandbox_unix_local;

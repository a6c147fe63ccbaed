/* Taking the work of a run out into a folder: what `muster apply` and `muster run --out` share. */
#pragma once

#include "cli/project.h"

struct taking {
	const char *to;     // the folder; made if it is missing
	const char *branch; // of the git repository of the project, instead of a folder; NULL
	bool all;           // what the run did not change, too
	bool force, dry_run;
	bool json;  // one document instead of lines
	bool quiet; // only what was not taken
	bool aside; // tell it on standard error
};

// A folder that cannot be taken into is an error (ERROR_USAGE); nothing is made.
bool taking_check(const char *to, struct error *error);
// False with the error set when it is refused, or when not all of the work could be taken.
bool take_out(struct project_run *opened, const struct taking *taking, struct error *error);

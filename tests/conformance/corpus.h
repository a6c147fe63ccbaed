/*
 * Where the public test suites lie (see docs/conformance.md): in the folder that MUSTER_CORPORA
 * names, or in ../shared/corpora beside the checkout.
 */
#pragma once

#include "base/text.h"

enum { CORPUS_SKIP = 77 /* what meson takes as skipped */ };

// Changes into the suite's folder; ends the program as skipped when it is not there.
void corpus_enter(const char *suite);
// The file's content, or false if it is not there.
bool corpus_read(struct arena *arena, const char *path, struct text *content);
// Names in a folder, sorted, without "." and ".."; in the arena.
size_t corpus_list(struct arena *arena, const char *path, char ***names);

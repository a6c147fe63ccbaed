#include "corpus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void corpus_enter(const char *suite)
{
	const char *folder = getenv("MUSTER_CORPORA");
	folder = folder && *folder ? folder : CORPUS_DEFAULT;
	if (chdir(folder) != 0 || chdir(suite) != 0) {
		printf("%s: 0/0 (skipped: %s/%s is not there; set MUSTER_CORPORA)\n", suite, folder,
			suite);
		exit(CORPUS_SKIP);
	}
}

bool corpus_read(struct arena *arena, const char *path, struct text *content)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		return false;
	}
	buffer_cleanup buffer = {0};
	char block[65536];
	size_t length;
	while ((length = fread(block, 1, sizeof(block), file)) > 0) {
		buffer_add(&buffer, block, length);
	}
	fclose(file);
	*content = text_copy(arena, buffer_text(&buffer));
	return true;
}

static int visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

size_t corpus_list(struct arena *arena, const char *path, char ***names)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, visible, alphasort);
	if (count <= 0) {
		free(entries);
		return 0;
	}
	*names = arena_new_array(arena, (size_t)count, char *);
	for (int i = 0; i < count; i++) {
		(*names)[i] = arena_string(arena, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

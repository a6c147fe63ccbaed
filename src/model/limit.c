#include "model/limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct limit {
	struct limit *next;
	struct hash name; // of base URL and key
	int under_way, most;
	int64_t until;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct limit *limits;

struct limit *limit_of(const struct model_settings *settings)
{
	buffer_cleanup name = {0};
	buffer_printf(&name, "%s\n%s", settings->base_url, settings->key ? settings->key : "");
	struct hash hash = hash_text(buffer_text(&name));
	explicit_bzero(name.data, name.length);
	pthread_mutex_lock(&lock);
	struct limit *limit = limits;
	while (limit && strcmp(limit->name.hex, hash.hex) != 0) {
		limit = limit->next;
	}
	if (!limit) {
		limit = memory_alloc(sizeof(*limit));
		limit->name = hash;
		limit->most = LIMIT_AT_ONCE;
		limit->next = limits;
		limits = limit;
	}
	pthread_mutex_unlock(&lock);
	return limit;
}

int64_t limit_enter(struct limit *limit, int64_t now)
{
	if (now < limit->until) {
		return limit->until;
	}
	if (limit->under_way >= limit->most) {
		return now + LIMIT_LOOK;
	}
	limit->under_way++;
	return 0;
}

void limit_leave(struct limit *limit, bool success)
{
	limit->under_way--;
	limit->most += success && limit->most < LIMIT_AT_ONCE;
}

void limit_refused(struct limit *limit, int64_t now, int64_t until)
{
	if (now >= limit->until) { // several refusals of one burst count once
		int half = (limit->under_way + 1) / 2;
		limit->most = half > 1 ? half : 1;
	}
	limit->until = until > limit->until ? until : limit->until;
}

#include "engine/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK_SIZE = 256 * 1024 };

struct queue {
	struct work *first, **last;
};

struct pool {
	pthread_mutex_t lock; // guards all below but `wake`
	pthread_cond_t filled;
	struct queue waiting, done;
	pthread_t *threads;
	size_t count, most, idle;
	size_t queued; // of `waiting`
	bool closing;
	int wake;
};

static void push(struct queue *queue, struct work *work)
{
	work->next = NULL;
	*queue->last = work;
	queue->last = &work->next;
}

static struct work *pop(struct queue *queue)
{
	struct work *work = queue->first;
	if (work) {
		queue->first = work->next;
		if (!queue->first) {
			queue->last = &queue->first;
		}
	}
	return work;
}

void pool_destroy(struct pool *pool)
{
	if (!pool) {
		return;
	}
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->count; i++) {
		pthread_join(pool->threads[i], NULL);
	}
	struct work *work;
	while ((work = pop(&pool->waiting)) || (work = pop(&pool->done))) {
		work_destroy(work);
	}
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->filled);
	close(pool->wake);
	free(pool->threads);
	free(pool);
}

static void *serve(void *data)
{
	struct pool *pool = data;
	pthread_mutex_lock(&pool->lock);
	while (!pool->closing) {
		struct work *work = pop(&pool->waiting);
		pool->queued -= work != NULL;
		if (!work) {
			pool->idle++;
			pthread_cond_wait(&pool->filled, &pool->lock);
			pool->idle--;
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		perform(work);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

// One more thread, if there are not enough of them; errno says why there is none.
static bool start_thread(struct pool *pool)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	errno = pthread_create(&pool->threads[pool->count], &attributes, serve, pool);
	pool->count += errno == 0;
	pthread_attr_destroy(&attributes);
	return errno == 0;
}

struct pool *pool_create(size_t threads, struct error *error)
{
	struct pool *pool = memory_alloc(sizeof(*pool));
	pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->wake < 0) {
		error_errno(error, ERROR_FAILED, "cannot make an event descriptor");
		free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->filled, NULL);
	pool->waiting.last = &pool->waiting.first;
	pool->done.last = &pool->done.first;
	pool->threads = memory_alloc(threads * sizeof(*pool->threads));
	pool->most = threads;
	pthread_mutex_lock(&pool->lock);
	bool started = start_thread(pool);
	pthread_mutex_unlock(&pool->lock);
	if (!started) {
		error_errno(error, ERROR_FAILED, "cannot start a thread");
		error_hint(error, "end some programs, or raise the limit of processes (ulimit -u)");
		pool_destroy(pool);
		return NULL;
	}
	return pool;
}

void pool_submit(struct pool *pool, struct work *work)
{
	pthread_mutex_lock(&pool->lock);
	push(&pool->waiting, work);
	pool->queued++;
	if (pool->queued > pool->idle && pool->count < pool->most) {
		start_thread(pool); // without a new one those that are there do the work
	}
	pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->lock);
}

void pool_wake(struct pool *pool)
{
	uint64_t one = 1;
	ssize_t written = write(pool->wake, &one, sizeof(one));
	(void)written; // a full counter wakes as well
}

void pool_done(struct pool *pool, struct work *work)
{
	pthread_mutex_lock(&pool->lock);
	bool told = pool->done.first != NULL; // whoever takes those takes this one, too
	push(&pool->done, work);
	pthread_mutex_unlock(&pool->lock);
	if (!told) {
		pool_wake(pool);
	}
}

struct work *pool_take(struct pool *pool)
{
	uint64_t count;
	ssize_t got = read(pool->wake, &count, sizeof(count));
	(void)got; // nothing to read is fine
	pthread_mutex_lock(&pool->lock);
	struct work *work = pool->done.first;
	pool->done.first = NULL;
	pool->done.last = &pool->done.first;
	pthread_mutex_unlock(&pool->lock);
	return work;
}

int pool_descriptor(const struct pool *pool)
{
	return pool->wake;
}

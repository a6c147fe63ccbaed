#include "model/model.h"

#include <stdlib.h>

void model_ask(struct model_client *client, const struct model_request *request, model_done *done,
	void *data)
{
	client->kind->ask(client, request, done, data);
}

void model_wake(struct model_client *client)
{
	if (client->kind->wake) {
		client->kind->wake(client);
	}
}

void model_client_destroy(struct model_client *client)
{
	if (client) {
		client->kind->destroy(client);
	}
}

void model_answer_destroy(struct model_answer *answer)
{
	if (answer) {
		arena_finish(&answer->arena);
		free(answer);
	}
}

/* What the guest's own files share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest/guest.h"

bool guest_say_hello(void);
// Whole or not at all; false when the other side is gone. They block.
bool guest_send(uint32_t type, const void *bytes, size_t length);
bool guest_receive_header(struct guest_frame *frame);
bool guest_receive(void *bytes, size_t length);

int guest_run(void);
int guest_files(const char *user);

// Ends every process that came from us, and reaps it.
void guest_end_all(void);

/* The runner as a file, built into the program: it is always the one that was made for it. */
#pragma once

extern const char runner_image[], runner_image_end[];

/* The guest as a program file, to be put into containers. */
#pragma once

extern const char guest_image[], guest_image_end[];

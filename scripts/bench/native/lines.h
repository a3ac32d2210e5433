#ifndef LINES_H
#define LINES_H

#include "reactor.h"

/* The lines of a pipe, read while everything else goes on. */
void lines_open(struct reactor *reactor, int fd);

/* The next line without its end, valid until the next call; NULL when the pipe has ended. */
const char *lines_next(struct reactor *reactor);

#endif

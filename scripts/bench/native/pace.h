#ifndef PACE_H
#define PACE_H

#include <stdint.h>

#include "reactor.h"

/* A timer that wakes its owner at moments of the owner's choice. */
struct pace {
  struct watch watch;
  void (*due)(struct pace *pace);
};

void pace_open(struct pace *pace, struct reactor *reactor, void (*due)(struct pace *pace));

/* Calls `due` once this moment of now_ns() has come; a moment in the past is now. */
void pace_wake_at(struct pace *pace, int64_t at_ns);

/* Calls `due` no more. */
void pace_close(struct pace *pace);

#endif

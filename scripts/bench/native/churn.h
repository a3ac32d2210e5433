#ifndef CHURN_H
#define CHURN_H

#include <stdint.h>

#include "client.h"
#include "reactor.h"

/* Clients that come, close as soon as they are connected, and go. */
struct churn_options {
  uint16_t port;
  const char *path;
  enum dialect dialect;
  unsigned per_second;
  int64_t for_ns;
};

struct churn_tally {
  uint64_t begun;
  uint64_t completed; /* connected, closed, answered with a close frame */
  uint64_t failed;
  uint64_t crowded_out; /* not begun, as too many were under way already */
};

/* Runs to its end. */
struct churn_tally churn(struct reactor *reactor, struct churn_options options);

#endif

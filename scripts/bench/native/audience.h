#ifndef AUDIENCE_H
#define AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "ledger.h"

/* The clients of a run: they connect once, stay, and enter what they get into the ledger. */
struct audience_options {
  size_t readers;
  size_t stalled; /* further ones, which connect and then never read */
  size_t connecting; /* connections under way at one time: fewer than the server's accept queue */
  uint16_t port;
  const char *path;
  enum dialect dialect;
};

/* Connects all; returns when they are. Fails if one cannot, or if nothing happens any more. */
void audience_connect(struct reactor *reactor, struct ledger *ledger,
                      struct audience_options options);

/* Figures since the last audience_begin(). */
struct audience_tally {
  uint64_t frames;       /* with at least one message */
  uint64_t other_frames; /* with none: heartbeats and the like */
  uint64_t bytes;        /* of all frames' payloads */
};

void audience_begin(void);
struct audience_tally audience_tally(void);

/* What the readers heard of a server that goes down. */
struct audience_farewell {
  size_t told;    /* got a frame that says so */
  size_t closed;  /* got a close frame with 1001 */
  size_t present; /* are still connected */
  int64_t last_told_ns, last_closed_ns;
};

/* From here on the end of a connection is expected, and no fault. */
void audience_expect_farewell(void);
struct audience_farewell audience_farewell(void);

#endif

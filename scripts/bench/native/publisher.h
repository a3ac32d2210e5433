#ifndef PUBLISHER_H
#define PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger.h"
#include "pace.h"
#include "reactor.h"

/*
 * Publishes messages by HTTP POST (or PUB of NATS) over one connection, a new one where the server
 * ends it with its answer; each after the answer to the one before, so that they have an order. A
 * message counts as published when it was due, not when a busy server let it be sent: what it cannot
 * keep up with shows in the times.
 */
struct publisher_options {
  uint16_t port;
  const char *path;
  const char *header; /* a whole line with its end, or "" */
  const char *prefix; /* of the body, before and after the message */
  const char *suffix;
  bool is_in_string; /* the message stands inside a JSON string: its quotes are escaped */
  bool speaks_nats; /* PUB and PING instead of POST; nothing of the above but the port counts then */
};

struct publisher {
  struct watch watch;
  struct pace pace;
  struct publisher_options options;
  struct reactor *reactor;
  struct ledger *ledger;
  char *request;
  size_t message_at; /* where in the request the message stands */
  size_t request_bytes;
  char answer[8192];
  size_t answer_bytes;
  bool is_waiting; /* for an answer */
  int64_t start_ns;
  int64_t every_ns;
  uint32_t count, done;
  unsigned streams;
  int64_t latest_lag_ns; /* how late the last message was sent */
};

void publisher_open(struct publisher *publisher, struct reactor *reactor, struct ledger *ledger,
                    struct publisher_options options);

/* Begins a series: at each tick one message of each stream, `count` messages in all. */
void publisher_start(struct publisher *publisher, double ticks_per_second, uint32_t count,
                     unsigned streams);

/* Whether all of the series was sent and answered. */
bool publisher_is_done(const struct publisher *publisher);

#endif

#include "churn.h"

#include <stdlib.h>

#include "clock.h"
#include "fail.h"

enum {
  /* Connections under way at one time. A server that falls this far behind is told as such. */
  PLACES = 2048,
  TURN_MS = 5,
};

/* What is under way at the end gets this long to finish. */
static const int64_t LAST_ONES_NS = 5LL * NS_PER_S;

/* One churn at a time. */
static struct {
  struct crowd crowd;
  struct client *clients;
  struct client *free_places[PLACES];
  size_t free_count;
  struct churn_tally tally;
} state;

static void on_open(struct client *client) { client_close(client); }

static void on_frame(struct client *client, const struct ws_frame *frame, int64_t at_ns) {
  (void)client;
  (void)frame;
  (void)at_ns; /* a heartbeat, or the value that a channel begins with */
}

static void on_end(struct client *client, enum client_end end, unsigned code) {
  (void)code;
  if (end == END_CLOSED) {
    state.tally.completed += 1;
  } else {
    state.tally.failed += 1;
  }
  state.free_places[state.free_count++] = client;
}

static void begin_one(void) {
  if (state.free_count == 0) {
    state.tally.crowded_out += 1;
    return;
  }
  state.tally.begun += 1;
  client_connect(state.free_places[--state.free_count]);
}

struct churn_tally churn(struct reactor *reactor, struct churn_options options) {
  state.crowd = (struct crowd){.reactor = reactor,
                               .port = options.port,
                               .path = options.path,
                               .dialect = options.dialect,
                               .on_open = on_open,
                               .on_frame = on_frame,
                               .on_end = on_end};
  state.tally = (struct churn_tally){0};
  state.clients = calloc(PLACES, sizeof *state.clients);
  if (state.clients == NULL) fail("out of memory");
  state.free_count = 0;
  for (uint32_t i = 0; i < PLACES; i++) {
    state.clients[i] =
        (struct client){.watch = {.fd = -1}, .number = i, .crowd = &state.crowd};
    state.free_places[state.free_count++] = &state.clients[i];
  }
  const int64_t start = now_ns();
  uint64_t wanted = 0;
  for (int64_t passed = 0; passed < options.for_ns; passed = now_ns() - start) {
    const uint64_t due = (uint64_t)(passed / NS_PER_MS) * options.per_second / 1000;
    for (; wanted < due; wanted++) begin_one();
    reactor_turn(reactor, TURN_MS);
  }
  const int64_t end = now_ns() + LAST_ONES_NS;
  while (state.free_count < PLACES && now_ns() < end) reactor_turn(reactor, TURN_MS);
  state.tally.failed += PLACES - state.free_count;
  return state.tally;
}

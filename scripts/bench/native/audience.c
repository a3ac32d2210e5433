#include "audience.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fail.h"
#include "payload.h"

enum { GOING_AWAY = 1001 };

/* A client that makes no progress for this long while connecting will make none. */
static const int64_t CONNECT_PATIENCE_NS = 10LL * NS_PER_S;

static const char FAREWELL[] = "\"SERVER_SHUTDOWN\"";

struct member {
  struct client client; /* first: events name the client, which is the member */
  bool was_told;
};

/* One audience a process. */
static struct {
  struct crowd crowd;
  struct audience_options options;
  struct ledger *ledger;
  struct member *members;
  size_t total, begun, open;
  bool expects_farewell;
  struct audience_tally tally;
  struct audience_farewell farewell;
} audience;

static void connect_next(void) {
  if (audience.begun == audience.total) return;
  client_connect(&audience.members[audience.begun++].client);
}

static void on_open(struct client *client) {
  audience.open += 1;
  if (!client->stalls) audience.farewell.present += 1;
  connect_next();
}

static void note_farewell(struct member *member, const struct ws_frame *frame, int64_t at_ns) {
  if (member->was_told || memmem(frame->payload, frame->length, FAREWELL, sizeof FAREWELL - 1) == NULL) {
    return;
  }
  member->was_told = true;
  audience.farewell.told += 1;
  audience.farewell.last_told_ns = at_ns;
}

static void on_frame(struct client *client, const struct ws_frame *frame, int64_t at_ns) {
  if (client->stalls) return; /* it came together with the greeting */
  const char *text = frame->payload;
  const char *end = text + frame->length;
  bool has_message = false;
  struct payload_found found;
  audience.tally.bytes += frame->length;
  while (payload_find(text, (size_t)(end - text), &found)) {
    has_message = true;
    if (found.intact) {
      ledger_receive(audience.ledger, client->number, found.stream, found.seq, at_ns);
    } else {
      ledger_note_altered(audience.ledger);
    }
    text = found.end;
  }
  if (has_message) {
    audience.tally.frames += 1;
  } else {
    audience.tally.other_frames += 1;
    if (audience.expects_farewell) note_farewell((struct member *)client, frame, at_ns);
  }
}

static void on_end(struct client *client, enum client_end end, unsigned code) {
  if (end == END_REFUSED) fail("client %u lost its connection while connecting", client->number);
  if (end == END_BROKEN) ledger_note_broken(audience.ledger);
  audience.farewell.present -= 1;
  if (!audience.expects_farewell) {
    ledger_note_lost_client(audience.ledger);
  } else if (code == GOING_AWAY) {
    audience.farewell.closed += 1;
    audience.farewell.last_closed_ns = now_ns();
  }
}

void audience_connect(struct reactor *reactor, struct ledger *ledger,
                      struct audience_options options) {
  audience.crowd = (struct crowd){.reactor = reactor,
                                  .port = options.port,
                                  .path = options.path,
                                  .dialect = options.dialect,
                                  .on_open = on_open,
                                  .on_frame = on_frame,
                                  .on_end = on_end};
  audience.options = options;
  audience.ledger = ledger;
  audience.total = options.readers + options.stalled;
  audience.members = calloc(audience.total + 1, sizeof *audience.members);
  if (audience.members == NULL) fail("out of memory");
  for (size_t i = 0; i < audience.total; i++) {
    audience.members[i].client = (struct client){.watch = {.fd = -1},
                                                 .number = (uint32_t)i,
                                                 .stalls = i >= options.readers,
                                                 .crowd = &audience.crowd};
  }
  for (size_t i = 0; i < options.connecting; i++) connect_next();
  size_t open = 0;
  int64_t progress_ns = now_ns();
  while (audience.open < audience.total) {
    reactor_turn(reactor, 100);
    if (audience.open != open) {
      open = audience.open;
      progress_ns = now_ns();
    } else if (now_ns() - progress_ns > CONNECT_PATIENCE_NS) {
      fail("only %zu of %zu clients could connect", audience.open, audience.total);
    }
  }
}

void audience_begin(void) { audience.tally = (struct audience_tally){0}; }

struct audience_tally audience_tally(void) { return audience.tally; }

void audience_expect_farewell(void) { audience.expects_farewell = true; }

struct audience_farewell audience_farewell(void) { return audience.farewell; }

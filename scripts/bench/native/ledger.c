#include "ledger.h"

#include <stdlib.h>

#include "clock.h"
#include "fail.h"
#include "payload.h"

enum { FIRST_ROOM = 1024 };

struct message {
  int64_t due_ns;
  int64_t complete_ns; /* 0: some client does not have it yet */
  uint32_t receivers;
};

struct stream {
  struct message *messages; /* number n is at n - 1 */
  size_t room;
  uint32_t published;
  uint32_t first; /* of the window */
  uint32_t last;  /* of the window, once it has ended */
};

struct ledger {
  struct ledger_options options;
  struct stream streams[PAYLOAD_STREAMS];
  uint32_t *latest; /* of each client and stream: the last number it got, 0 before the first */
  uint64_t deliveries, conflated, skipped, repeated, unknown;
  /* These stay from window to window: a client once lost is missed from then on. */
  uint64_t altered, broken, lost_clients;
};

static void *allocate(void *old, size_t count, size_t size) {
  void *memory = reallocarray(old, count, size);
  if (memory == NULL) fail("out of memory");
  return memory;
}

struct ledger *ledger_open(struct ledger_options options) {
  if (options.streams < 1 || options.streams > PAYLOAD_STREAMS) {
    fail("there are 1 to %d streams, not %u", PAYLOAD_STREAMS, options.streams);
  }
  struct ledger *ledger = calloc(1, sizeof *ledger);
  /* One more than needed: a ledger may have no clients. */
  uint32_t *latest = calloc(options.clients * options.streams + 1, sizeof *latest);
  if (ledger == NULL || latest == NULL) fail("out of memory");
  ledger->options = options;
  ledger->latest = latest;
  ledger_begin(ledger);
  return ledger;
}

void ledger_begin(struct ledger *ledger) {
  for (unsigned i = 0; i < ledger->options.streams; i++) {
    struct stream *stream = &ledger->streams[i];
    stream->first = stream->published + 1;
    stream->last = stream->published;
  }
  ledger->deliveries = ledger->conflated = 0;
  ledger->skipped = ledger->repeated = ledger->unknown = 0;
}

uint32_t ledger_publish(struct ledger *ledger, unsigned number, int64_t due_ns) {
  struct stream *stream = &ledger->streams[number];
  if (stream->published == stream->room) {
    stream->room = stream->room == 0 ? FIRST_ROOM : 2 * stream->room;
    stream->messages = allocate(stream->messages, stream->room, sizeof *stream->messages);
  }
  stream->messages[stream->published] = (struct message){.due_ns = due_ns};
  stream->published += 1;
  return stream->published;
}

void ledger_end(struct ledger *ledger) {
  for (unsigned i = 0; i < ledger->options.streams; i++) {
    ledger->streams[i].last = ledger->streams[i].published;
  }
}

/* Counts one more client that has this message. */
static void count_receiver(struct ledger *ledger, struct stream *stream, uint32_t seq,
                           int64_t at_ns) {
  if (seq < stream->first) return;
  struct message *message = &stream->messages[seq - 1];
  message->receivers += 1;
  if (message->receivers == ledger->options.clients) message->complete_ns = at_ns;
}

void ledger_receive(struct ledger *ledger, size_t client, unsigned number, uint32_t seq,
                    int64_t at_ns) {
  ledger->deliveries += 1;
  if (number >= ledger->options.streams || seq == 0 || seq > ledger->streams[number].published) {
    ledger->unknown += 1;
    return;
  }
  struct stream *stream = &ledger->streams[number];
  uint32_t *latest = &ledger->latest[client * ledger->options.streams + number];
  if (seq <= *latest) {
    ledger->repeated += 1;
    return;
  }
  const uint32_t passed_over = seq - *latest - 1;
  if (!ledger->options.latest_only) {
    ledger->skipped += passed_over;
    count_receiver(ledger, stream, seq, at_ns);
  } else {
    if (*latest != 0) ledger->conflated += passed_over;
    for (uint32_t each = *latest + 1; each <= seq; each++) {
      count_receiver(ledger, stream, each, at_ns);
    }
  }
  *latest = seq;
}

void ledger_note_altered(struct ledger *ledger) { ledger->altered += 1; }

void ledger_note_broken(struct ledger *ledger) { ledger->broken += 1; }

void ledger_note_lost_client(struct ledger *ledger) { ledger->lost_clients += 1; }

bool ledger_is_settled(const struct ledger *ledger) {
  for (unsigned i = 0; i < ledger->options.streams; i++) {
    const struct stream *stream = &ledger->streams[i];
    if (stream->last < stream->first) continue;
    if (stream->messages[stream->last - 1].complete_ns == 0) return false;
  }
  return true;
}

uint64_t ledger_deliveries(const struct ledger *ledger) { return ledger->deliveries; }

/* Writes the time of each complete message until the last client had it; counts the other ones. */
static uint64_t report_times(const struct ledger *ledger, FILE *out) {
  uint64_t incomplete = 0;
  const char *comma = "";
  fputs("\"completedAfterUs\":[", out);
  for (unsigned i = 0; i < ledger->options.streams; i++) {
    const struct stream *stream = &ledger->streams[i];
    for (uint32_t seq = stream->first; seq <= stream->last; seq++) {
      const struct message *message = &stream->messages[seq - 1];
      if (message->complete_ns == 0) {
        incomplete += 1;
        continue;
      }
      fprintf(out, "%s%lld", comma,
              (long long)(message->complete_ns - message->due_ns) / NS_PER_US);
      comma = ",";
    }
  }
  fputs("],", out);
  return incomplete;
}

void ledger_report(const struct ledger *ledger, FILE *out) {
  const uint64_t incomplete = report_times(ledger, out);
  uint64_t messages = 0;
  for (unsigned i = 0; i < ledger->options.streams; i++) {
    messages += ledger->streams[i].last - ledger->streams[i].first + 1;
  }
  fprintf(out, "\"messages\":%llu,\"deliveries\":%llu,\"conflated\":%llu,",
          (unsigned long long)messages, (unsigned long long)ledger->deliveries,
          (unsigned long long)ledger->conflated);
  fprintf(out,
          "\"faults\":{\"incomplete\":%llu,\"skipped\":%llu,\"repeated\":%llu,\"unknown\":%llu,"
          "\"altered\":%llu,\"broken\":%llu,\"lostClients\":%llu}",
          (unsigned long long)incomplete, (unsigned long long)ledger->skipped,
          (unsigned long long)ledger->repeated, (unsigned long long)ledger->unknown,
          (unsigned long long)ledger->altered, (unsigned long long)ledger->broken,
          (unsigned long long)ledger->lost_clients);
}

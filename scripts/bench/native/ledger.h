#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The account of what was published and who got it. Each stream numbers its messages from 1; every
 * client must get every one once, in order. Where only the latest value matters, numbers may be
 * skipped but must rise, and whoever has a later one counts as having the earlier ones.
 */
struct ledger;

struct ledger_options {
  size_t clients;
  unsigned streams;
  bool latest_only;
};

struct ledger *ledger_open(struct ledger_options options);

/* Begins a window: figures are told of what is published from here on. */
void ledger_begin(struct ledger *ledger);

/* Notes a message of this stream, due at this moment of now_ns(); returns its number. */
uint32_t ledger_publish(struct ledger *ledger, unsigned stream, int64_t due_ns);

/* What has gone out up to here must arrive; what is published later is not waited for. */
void ledger_end(struct ledger *ledger);

void ledger_receive(struct ledger *ledger, size_t client, unsigned stream, uint32_t seq,
                    int64_t at_ns);

/* A message that is not as it was sent. */
void ledger_note_altered(struct ledger *ledger);

/* Something that is no frame, or a client that lost its connection. */
void ledger_note_broken(struct ledger *ledger);
void ledger_note_lost_client(struct ledger *ledger);

/* Whether every client has the last message of the ended window; what it lacks then is lost. */
bool ledger_is_settled(const struct ledger *ledger);

/* Messages that came to any client in this window. */
uint64_t ledger_deliveries(const struct ledger *ledger);

/* Writes the members of a JSON object that tell of the window. */
void ledger_report(const struct ledger *ledger, FILE *out);

#endif

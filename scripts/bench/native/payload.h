#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The messages of a run. Each is a JSON object of the same length,
 *
 *   {"title":"bench~0~0000000017~<filling>~","level":"info"}
 *
 * whose filling differs from one message to the next and follows from its stream and number, so that
 * whoever receives it can tell whether every byte is as it was sent. It holds nothing that JSON would
 * escape: the title is the same bytes inside whatever a server wraps around it.
 */

enum {
  PAYLOAD_LEAST_BYTES = 128,
  PAYLOAD_MOST_BYTES = 32768,
  PAYLOAD_STREAMS = 10, /* streams are named by one digit */
};

/* Fails if `bytes` is outside of what is possible. Call it before the others. */
void payload_init(size_t bytes);

/* Length of each message's JSON text. */
size_t payload_bytes(void);

/* Writes the JSON text of a message, payload_bytes() long, without a closing zero. */
void payload_write(char *into, unsigned stream, uint32_t seq);

/* The same as it stands inside a JSON string: its quotes are escaped. */
size_t payload_escaped_bytes(void);
void payload_write_escaped(char *into, unsigned stream, uint32_t seq);

struct payload_found {
  unsigned stream;
  uint32_t seq;
  bool intact;     /* false: it has a number, but the rest is not as it was sent */
  const char *end; /* where the search for further messages goes on */
};

/* Finds the first message in a text; false if there is none. */
bool payload_find(const char *text, size_t length, struct payload_found *found);

#endif

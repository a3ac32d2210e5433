#include "payload.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

static const char BEFORE[] = "{\"title\":\"";
static const char AFTER[] = "\",\"level\":\"info\"}";
static const char BEFORE_ESCAPED[] = "{\\\"title\\\":\\\"";
static const char AFTER_ESCAPED[] = "\\\",\\\"level\\\":\\\"info\\\"}";
static const char MARK[] = "bench~";

enum {
  SEQ_DIGITS = 10,
  MARK_BYTES = sizeof MARK - 1,
  HEAD_BYTES = MARK_BYTES + 2 + SEQ_DIGITS + 1, /* bench~0~0000000017~ */
  TAIL_BYTES = 1,
  FRAME_BYTES = (sizeof BEFORE - 1) + HEAD_BYTES + TAIL_BYTES + (sizeof AFTER - 1),
  OFFSETS = 4093, /* a prime: a filling repeats only after as many messages */
};

/* Every filling is a stretch of this, each beginning at another place. */
static char noise[OFFSETS + PAYLOAD_MOST_BYTES];
static size_t filling_bytes;

void payload_init(size_t bytes) {
  if (bytes < PAYLOAD_LEAST_BYTES || bytes > PAYLOAD_MOST_BYTES) {
    fail("a message has %d to %d bytes, not %zu", PAYLOAD_LEAST_BYTES, PAYLOAD_MOST_BYTES, bytes);
  }
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz012345";
  uint32_t state = 0x9e3779b9;
  for (size_t i = 0; i < sizeof noise; i++) {
    state = state * 1664525 + 1013904223;
    noise[i] = alphabet[state >> 27];
  }
  filling_bytes = bytes - FRAME_BYTES;
}

size_t payload_bytes(void) { return filling_bytes + FRAME_BYTES; }

static const char *filling_of(unsigned stream, uint32_t seq) {
  return noise + ((uint64_t)seq * 37 + stream * 1021) % OFFSETS;
}

static char *put(char *into, const char *bytes, size_t length) {
  memcpy(into, bytes, length);
  return into + length;
}

static char *write_title(char *into, unsigned stream, uint32_t seq) {
  char head[HEAD_BYTES + 1];
  snprintf(head, sizeof head, "%s%u~%0*u~", MARK, stream % PAYLOAD_STREAMS, SEQ_DIGITS, seq);
  into = put(into, head, HEAD_BYTES);
  into = put(into, filling_of(stream, seq), filling_bytes);
  *into++ = '~';
  return into;
}

void payload_write(char *into, unsigned stream, uint32_t seq) {
  into = write_title(put(into, BEFORE, sizeof BEFORE - 1), stream, seq);
  put(into, AFTER, sizeof AFTER - 1);
}

size_t payload_escaped_bytes(void) {
  return payload_bytes() + (sizeof BEFORE_ESCAPED - sizeof BEFORE) +
         (sizeof AFTER_ESCAPED - sizeof AFTER);
}

void payload_write_escaped(char *into, unsigned stream, uint32_t seq) {
  into = write_title(put(into, BEFORE_ESCAPED, sizeof BEFORE_ESCAPED - 1), stream, seq);
  put(into, AFTER_ESCAPED, sizeof AFTER_ESCAPED - 1);
}

/* Reads a fixed number of digits; false if there is anything else. */
static bool read_digits(const char *text, int digits, uint32_t *value) {
  uint64_t sum = 0;
  for (int i = 0; i < digits; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    sum = sum * 10 + (uint64_t)(text[i] - '0');
  }
  *value = (uint32_t)sum;
  return sum <= UINT32_MAX;
}

bool payload_find(const char *text, size_t length, struct payload_found *found) {
  const char *end = text + length;
  for (;;) {
    const char *at = memmem(text, (size_t)(end - text), MARK, MARK_BYTES);
    if (at == NULL || end - at < HEAD_BYTES) return false;
    const char *body = at + HEAD_BYTES;
    uint32_t stream, seq;
    if (read_digits(at + MARK_BYTES, 1, &stream) && at[MARK_BYTES + 1] == '~' &&
        read_digits(at + MARK_BYTES + 2, SEQ_DIGITS, &seq) && body[-1] == '~') {
      const bool is_whole = (size_t)(end - body) > filling_bytes;
      const bool intact = is_whole && body[filling_bytes] == '~' &&
                          memcmp(body, filling_of(stream, seq), filling_bytes) == 0;
      /* After a spoilt one the search goes on at once: it may have lost its end. */
      const char *next = intact ? body + filling_bytes : body;
      *found = (struct payload_found){stream, seq, intact, next};
      return true;
    }
    text = at + MARK_BYTES;
  }
}

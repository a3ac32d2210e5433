#include "ws_frame.h"

#include <string.h>

#include "fail.h"

enum {
  FINAL = 0x80,
  RESERVED = 0x70,
  OPCODE = 0x0f,
  MASKED = 0x80,
  LENGTH = 0x7f,
  LENGTH_16 = 126, /* the length follows in two bytes */
  LENGTH_64 = 127, /* the length follows in eight bytes */
};

enum ws_verdict ws_parse(const char *bytes, size_t length, struct ws_frame *frame) {
  const unsigned char *at = (const unsigned char *)bytes;
  if (length < 2) return WS_PARTIAL;
  if (!(at[0] & FINAL) || (at[0] & RESERVED) || (at[1] & MASKED)) return WS_BROKEN;
  const unsigned opcode = at[0] & OPCODE;
  if (opcode != WS_TEXT && opcode != WS_BINARY && (opcode < WS_CLOSE || opcode > WS_PONG)) {
    return WS_BROKEN;
  }
  const unsigned short_length = at[1] & LENGTH;
  const size_t extra = short_length == LENGTH_16 ? 2 : short_length == LENGTH_64 ? 8 : 0;
  if (length < 2 + extra) return WS_PARTIAL;
  uint64_t payload = extra == 0 ? short_length : 0;
  for (size_t i = 0; i < extra; i++) payload = payload << 8 | at[2 + i];
  const size_t head = 2 + extra;
  if (payload > length - head) return WS_PARTIAL;
  *frame = (struct ws_frame){opcode, bytes + head, payload, head + payload};
  return WS_WHOLE;
}

size_t ws_write_masked(char *into, enum ws_opcode opcode, const char *payload, size_t length) {
  /* Any mask is as good as another: this is no browser, and no proxy stands between. */
  static const char mask[4] = {0x12, 0x34, 0x56, 0x78};
  if (length > WS_SHORT_BYTES) fail("a client's frame of %zu bytes is too long", length);
  into[0] = (char)(FINAL | opcode);
  into[1] = (char)(MASKED | length);
  memcpy(into + 2, mask, sizeof mask);
  for (size_t i = 0; i < length; i++) into[6 + i] = payload[i] ^ mask[i % sizeof mask];
  return 6 + length;
}

size_t ws_write_head(char *into, enum ws_opcode opcode, size_t length) {
  into[0] = (char)(FINAL | opcode);
  if (length < LENGTH_16) {
    into[1] = (char)length;
    return 2;
  }
  const size_t extra = length <= UINT16_MAX ? 2 : 8;
  into[1] = extra == 2 ? LENGTH_16 : LENGTH_64;
  for (size_t i = 0; i < extra; i++) into[2 + i] = (char)(length >> 8 * (extra - 1 - i));
  return 2 + extra;
}

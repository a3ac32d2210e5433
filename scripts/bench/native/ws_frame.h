#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* RFC 6455's frames, as far as measuring needs them: no fragments, no extensions. */

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum ws_verdict {
  WS_WHOLE,
  WS_PARTIAL, /* more bytes must come first */
  WS_BROKEN,  /* no frame that a server may send here */
};

struct ws_frame {
  enum ws_opcode opcode;
  const char *payload;
  size_t length; /* of the payload */
  size_t size;   /* of the whole frame */
};

/* Reads the frame of a server that `bytes` begins with. */
enum ws_verdict ws_parse(const char *bytes, size_t length, struct ws_frame *frame);

/* Longest message that ws_write_masked() takes: control frames have no more. */
enum { WS_SHORT_BYTES = 125, WS_SHORT_FRAME_BYTES = 2 + 4 + WS_SHORT_BYTES };

/* Writes a client's frame of at most WS_SHORT_BYTES; returns its size. */
size_t ws_write_masked(char *into, enum ws_opcode opcode, const char *payload, size_t length);

/* Room for the head of a server's frame. */
enum { WS_HEAD_BYTES = 10 };

/* Writes the head of a server's frame whose payload follows; returns its size. */
size_t ws_write_head(char *into, enum ws_opcode opcode, size_t length);

#endif

#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor.h"
#include "ws_frame.h"

/* What a server says before a client counts as connected, and how messages are dressed. */
enum dialect {
  DIALECT_PLAIN,     /* connected with the 101; a frame is a message */
  DIALECT_WELCOME,   /* connected with the first frame */
  DIALECT_SOCKET_IO, /* Engine.IO 4 over WebSocket, default namespace */
  DIALECT_NATS,      /* NATS over WebSocket: connected once the subscription is confirmed */
};

enum client_state {
  CLIENT_IDLE, /* never connected, or done */
  CLIENT_CONNECTING,
  CLIENT_UPGRADING,
  CLIENT_GREETING,
  CLIENT_OPEN,
  CLIENT_CLOSING, /* it has sent a close frame and waits for the server's */
};

/* How a connection came to its end. */
enum client_end {
  END_REFUSED, /* it was never connected */
  END_CLOSED,  /* with a close frame of the server */
  END_CUT,     /* without one */
  END_BROKEN,  /* the server sent what is no frame */
};

struct client;

/* What all clients of a run have in common. */
struct crowd {
  struct reactor *reactor;
  uint16_t port;
  const char *path;
  enum dialect dialect;
  /* The client is connected. */
  void (*on_open)(struct client *client);
  /* A frame came; `at_ns` is when its bytes were read. */
  void (*on_frame)(struct client *client, const struct ws_frame *frame, int64_t at_ns);
  /* The connection has ended; `code` is that of the server's close frame, or 0. */
  void (*on_end)(struct client *client, enum client_end end, unsigned code);
};

/* One connection over loopback; its number says which source address it takes. */
struct client {
  struct watch watch;
  enum client_state state;
  bool stalls; /* once connected it never reads again */
  uint32_t number;
  struct crowd *crowd;
  char *rest; /* the beginning of a frame whose end has not come yet */
  size_t rest_length;
};

/* Begins to connect; on_open or on_end tells what became of it. */
void client_connect(struct client *client);

/* Sends a close frame; on_end tells when the server has answered. */
void client_close(struct client *client);

#endif

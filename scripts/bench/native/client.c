#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "ws_key.h"

enum {
  /* Clients spread over this many loopback addresses: one has only some 28,000 free ports. */
  SOURCE_ADDRESSES = 16,
  FIRST_SOURCE = 0x7f000002, /* 127.0.0.2 */
  /* A stalled client's own buffer is kept small, so that the server feels it soon. */
  STALLED_RECEIVE_BYTES = 4096,
  READ_BYTES = 256 * 1024,
  MOST_FRAME_BYTES = 64 * 1024 * 1024,
};

/* One buffer for all: what is left of a frame moves to its client after each read. */
static char *scratch;
static size_t scratch_bytes;

static void keep_room(size_t bytes) {
  if (bytes <= scratch_bytes) return;
  if (bytes > MOST_FRAME_BYTES) fail("a server sent a frame of more than %d bytes", MOST_FRAME_BYTES);
  scratch = realloc(scratch, bytes);
  if (scratch == NULL) fail("out of memory");
  scratch_bytes = bytes;
}

static void end(struct client *client, enum client_end how, unsigned code) {
  reactor_close(&client->watch);
  free(client->rest);
  client->rest = NULL;
  client->rest_length = 0;
  const bool was_connected = client->state >= CLIENT_OPEN;
  client->state = CLIENT_IDLE;
  client->crowd->on_end(client, was_connected ? how : END_REFUSED, code);
}

/* Sends a few bytes, for which an idle connection always has room. */
static bool send_all(struct client *client, const char *bytes, size_t length) {
  const ssize_t sent = send(client->watch.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == (ssize_t)length) return true;
  if (sent >= 0 || errno == EAGAIN) fail("a server does not take %zu bytes of a client", length);
  end(client, END_CUT, 0);
  return false;
}

static bool send_frame(struct client *client, enum ws_opcode opcode, const char *payload,
                       size_t length) {
  char frame[WS_SHORT_FRAME_BYTES];
  return send_all(client, frame, ws_write_masked(frame, opcode, payload, length));
}

static void open_up(struct client *client) {
  client->state = CLIENT_OPEN;
  if (client->stalls) reactor_forget(client->crowd->reactor, &client->watch);
  client->crowd->on_open(client);
}

static void answer_close(struct client *client, const struct ws_frame *frame) {
  const unsigned char *code = (const unsigned char *)frame->payload;
  const unsigned value = frame->length >= 2 ? (unsigned)code[0] << 8 | code[1] : 0;
  if (client->state != CLIENT_CLOSING) {
    /* Two bytes: the code goes back. A connection that is gone already has ended all the same. */
    if (!send_frame(client, WS_CLOSE, frame->payload, frame->length >= 2 ? 2 : 0)) return;
  }
  end(client, END_CLOSED, value);
}

/* What a client of NATS says first; the PONG to its PING tells that it is subscribed. */
static const char NATS_HELLO[] =
    "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB bench 1\r\nPING\r\n";
static const char NATS_PONG[] = "PONG\r\n";
static const char NATS_ERROR[] = "-ERR";

static bool take_nats_greeting(struct client *client, const struct ws_frame *frame) {
  if (client->state != CLIENT_GREETING) return false;
  if (memmem(frame->payload, frame->length, NATS_ERROR, sizeof NATS_ERROR - 1) != NULL) {
    fail("a client was not let in: %.*s", (int)frame->length, frame->payload);
  }
  if (memmem(frame->payload, frame->length, NATS_PONG, sizeof NATS_PONG - 1) != NULL) open_up(client);
  return true;
}

static bool is_packet(const struct ws_frame *frame, char type) {
  return frame->length > 0 && frame->payload[0] == type;
}

/* Takes what the dialect itself needs; true if the frame was of that kind. */
static bool take_greeting(struct client *client, const struct ws_frame *frame) {
  const bool greets = client->state == CLIENT_GREETING;
  switch (client->crowd->dialect) {
    case DIALECT_PLAIN:
      return false;
    case DIALECT_WELCOME:
      if (greets) open_up(client);
      return greets;
    case DIALECT_SOCKET_IO:
      if (is_packet(frame, '2')) return send_frame(client, WS_TEXT, "3", 1), true;
      if (!greets) return false;
      if (is_packet(frame, '0')) return send_frame(client, WS_TEXT, "40", 2), true;
      if (frame->length > 1 && memcmp(frame->payload, "40", 2) == 0) open_up(client);
      return true;
    case DIALECT_NATS:
      return take_nats_greeting(client, frame);
  }
  return false;
}

static void take_frame(struct client *client, const struct ws_frame *frame, int64_t at_ns) {
  switch (frame->opcode) {
    case WS_CLOSE:
      answer_close(client, frame);
      return;
    case WS_PING:
      if (frame->length <= WS_SHORT_BYTES) send_frame(client, WS_PONG, frame->payload, frame->length);
      return;
    case WS_PONG:
      return;
    case WS_TEXT:
    case WS_BINARY:
      if (take_greeting(client, frame)) return;
      client->crowd->on_frame(client, frame, at_ns);
  }
}

/* Reads the answer to the upgrade; returns its length, 0 if it is not there yet. */
static size_t take_upgrade(struct client *client, const char *bytes, size_t length) {
  static const char switching[] = "HTTP/1.1 101 ";
  const char *blank = memmem(bytes, length, "\r\n\r\n", 4);
  if (blank == NULL) return 0;
  const size_t head = (size_t)(blank - bytes) + 4;
  if (head < sizeof switching || memcmp(bytes, switching, sizeof switching - 1) != 0 ||
      memmem(bytes, head, WS_ACCEPT, sizeof WS_ACCEPT - 1) == NULL) {
    const char *line_end = memmem(bytes, head, "\r\n", 2);
    fail("a client was not let in: %.*s", (int)(line_end - bytes), bytes);
  }
  client->state = CLIENT_GREETING;
  if (client->crowd->dialect == DIALECT_PLAIN) open_up(client);
  if (client->crowd->dialect == DIALECT_NATS) {
    send_frame(client, WS_BINARY, NATS_HELLO, sizeof NATS_HELLO - 1);
  }
  return head;
}

/* Takes what is whole; returns how many bytes that was. */
static size_t take(struct client *client, const char *bytes, size_t length, int64_t at_ns) {
  size_t taken = 0;
  if (client->state == CLIENT_UPGRADING) taken = take_upgrade(client, bytes, length);
  while (client->state >= CLIENT_GREETING && taken < length) {
    struct ws_frame frame;
    const enum ws_verdict verdict = ws_parse(bytes + taken, length - taken, &frame);
    if (verdict == WS_PARTIAL) break;
    if (verdict == WS_BROKEN) {
      end(client, END_BROKEN, 0);
      break;
    }
    taken += frame.size;
    take_frame(client, &frame, at_ns);
  }
  return taken;
}

static void read_some(struct client *client) {
  keep_room(client->rest_length + READ_BYTES);
  if (client->rest_length > 0) memcpy(scratch, client->rest, client->rest_length);
  const ssize_t got = recv(client->watch.fd, scratch + client->rest_length,
                           scratch_bytes - client->rest_length, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    end(client, END_CUT, 0);
    return;
  }
  const size_t length = client->rest_length + (size_t)got;
  const size_t taken = take(client, scratch, length, now_ns());
  if (client->state == CLIENT_IDLE) return;
  const size_t left = length - taken;
  if (left == 0 && client->rest_length == 0) return;
  free(client->rest);
  client->rest = NULL;
  client->rest_length = left;
  if (left == 0) return;
  client->rest = malloc(left);
  if (client->rest == NULL) fail("out of memory");
  memcpy(client->rest, scratch + taken, left);
}

static void ask_upgrade(struct client *client) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(client->watch.fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    end(client, END_REFUSED, 0);
    return;
  }
  char request[1024];
  const int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: " WS_KEY "\r\n\r\n",
                            client->crowd->path, client->crowd->port);
  if (size >= (int)sizeof request) fail("the path is too long: %s", client->crowd->path);
  client->state = CLIENT_UPGRADING;
  reactor_change(client->crowd->reactor, &client->watch, EPOLLIN);
  send_all(client, request, (size_t)size);
}

static void ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct client *client = (struct client *)watch;
  if (client->state == CLIENT_CONNECTING) {
    ask_upgrade(client);
  } else {
    read_some(client);
  }
}

static void set(int fd, int level, int name, int value) {
  if (setsockopt(fd, level, name, &value, sizeof value) != 0) fail_errno("setsockopt");
}

void client_connect(struct client *client) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail_errno("cannot open a socket (client %u)", client->number);
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (client->stalls) set(fd, SOL_SOCKET, SO_RCVBUF, STALLED_RECEIVE_BYTES);
  const struct sockaddr_in from = {
      .sin_family = AF_INET,
      .sin_addr.s_addr = htonl(FIRST_SOURCE + client->number % SOURCE_ADDRESSES)};
  if (bind(fd, (const struct sockaddr *)&from, sizeof from) != 0) fail_errno("bind");
  const struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(client->crowd->port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
    fail_errno("cannot connect to port %u", client->crowd->port);
  }
  client->watch = (struct watch){.fd = fd, .ready = ready};
  client->state = CLIENT_CONNECTING;
  reactor_add(client->crowd->reactor, &client->watch, EPOLLOUT);
}

void client_close(struct client *client) {
  static const char normal[] = {0x03, (char)0xe8}; /* 1000 */
  client->state = CLIENT_CLOSING;
  send_frame(client, WS_CLOSE, normal, sizeof normal);
}

#include "sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fail.h"
#include "payload.h"

enum { BACKLOG = 64, REQUEST_BYTES = 4096, HEAD_BYTES = 256, REPLY_BYTES = 64 };

struct connection {
  struct watch watch;
  char request[REQUEST_BYTES];
  size_t length;
};

/* One backend a process. */
static struct {
  struct watch listener;
  struct reactor *reactor;
  struct ledger *ledger;
  unsigned streams;
  uint16_t port;
} sources;

/* What stands between quotes or digits after a name, from `*at` on; `*at` goes behind it. */
static long member(const char **at, const char *end, const char *name) {
  const char *found = memmem(*at, (size_t)(end - *at), name, strlen(name));
  if (found == NULL) return -1;
  const char *digits = found + strlen(name);
  char *behind;
  const long value = strtol(digits, &behind, 10); /* ends before the body does: JSON closes */
  if (behind == digits) fail("a call's %s is no number", name);
  *at = behind;
  return value;
}

/* Answers the calls of a body with the next message of the stream that each names, in their order. */
static void answer(int fd, const char *body, const char *end) {
  static char response[HEAD_BYTES + PAYLOAD_STREAMS * (REPLY_BYTES + PAYLOAD_MOST_BYTES)];
  char *const results = response + HEAD_BYTES;
  char *into = results;
  const bool is_batch = *body == '[';
  if (is_batch) *into++ = '[';
  unsigned calls = 0;
  for (long id; (id = member(&body, end, "\"id\":")) >= 0; calls++) {
    const long stream = member(&body, end, "\"method\":\"");
    if (stream < 0 || stream >= (long)sources.streams) fail("a call asks for a stream that there is not");
    if (calls == PAYLOAD_STREAMS) fail("a batch has more calls than there are streams");
    into += snprintf(into, REPLY_BYTES, "%s{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":",
                     calls == 0 ? "" : ",", id);
    const uint32_t seq = ledger_publish(sources.ledger, (unsigned)stream, now_ns());
    payload_write(into, (unsigned)stream, seq);
    into += payload_bytes();
    *into++ = '}';
  }
  if (calls == 0) fail("a request has no calls");
  if (is_batch) *into++ = ']';
  char head[HEAD_BYTES];
  const int head_bytes = snprintf(head, sizeof head,
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                  "Content-Length: %zu\r\n\r\n",
                                  (size_t)(into - results));
  memcpy(results - head_bytes, head, (size_t)head_bytes);
  const size_t size = (size_t)head_bytes + (size_t)(into - results);
  if (send(fd, results - head_bytes, size, MSG_NOSIGNAL) != (ssize_t)size) {
    fail_errno("cannot answer a poll");
  }
}

/* Where the body begins of a request that is whole; NULL while it is not. */
static const char *whole_body(const char *request, size_t length) {
  const char *blank = memmem(request, length, "\r\n\r\n", 4);
  if (blank == NULL) return NULL;
  if (strncmp(request, "POST ", 5) != 0) {
    fail("a poll is no POST request: %.*s", (int)(length > 200 ? 200 : length), request);
  }
  const char *at = request;
  const long size = member(&at, blank + 2, "ontent-length: ");
  if (size < 0) fail("a poll does not say how long it is");
  const char *body = blank + 4;
  return (size_t)(request + length - body) < (size_t)size ? NULL : body;
}

static void request_ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct connection *connection = (struct connection *)watch;
  const ssize_t got = recv(watch->fd, connection->request + connection->length,
                           REQUEST_BYTES - connection->length, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    reactor_close(watch);
    return; /* a few bytes a connection stay: the same turn may hold another event for it */
  }
  connection->length += (size_t)got;
  if (connection->length == REQUEST_BYTES) fail("a poll is too long");
  const char *body = whole_body(connection->request, connection->length);
  if (body == NULL) return;
  const char *end = connection->request + connection->length;
  connection->length = 0;
  answer(watch->fd, body, end);
}

static void listener_ready(struct watch *watch, uint32_t events) {
  (void)events;
  const int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return; /* it was gone already */
  const int on = 1;
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) fail("out of memory");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail_errno("setsockopt");
  connection->watch = (struct watch){.fd = fd, .ready = request_ready};
  reactor_add(sources.reactor, &connection->watch, EPOLLIN);
}

void sources_open(struct reactor *reactor, struct ledger *ledger, unsigned streams) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) != 0 ||
      listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
    fail_errno("the backend cannot listen");
  }
  sources.listener = (struct watch){.fd = fd, .ready = listener_ready};
  sources.reactor = reactor;
  sources.ledger = ledger;
  sources.streams = streams;
  sources.port = ntohs(address.sin_port);
  reactor_add(reactor, &sources.listener, EPOLLIN);
}

uint16_t sources_port(void) { return sources.port; }

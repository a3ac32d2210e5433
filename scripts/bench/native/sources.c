#include "sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "fail.h"
#include "payload.h"

enum { BACKLOG = 64, REQUEST_BYTES = 4096, HEAD_BYTES = 256 };

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

static void answer(int fd, unsigned stream) {
  char response[HEAD_BYTES + PAYLOAD_MOST_BYTES];
  const int head = snprintf(response, HEAD_BYTES,
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            payload_bytes());
  const uint32_t seq = ledger_publish(sources.ledger, stream, now_ns());
  payload_write(response + head, stream, seq);
  const size_t size = (size_t)head + payload_bytes();
  if (send(fd, response, size, MSG_NOSIGNAL) != (ssize_t)size) fail_errno("cannot answer a poll");
}

/* The stream that a request asks for: the digit at the end of its path. */
static unsigned stream_of(const char *request, size_t length) {
  const char *end = memmem(request, length, " HTTP/1.1\r\n", 11);
  if (strncmp(request, "GET /", 5) != 0 || end == NULL) {
    fail("a poll is no GET request: %.*s", (int)(length > 200 ? 200 : length), request);
  }
  const unsigned stream = (unsigned)(end[-1] - '0');
  if (stream >= sources.streams) fail("a poll asks for a stream that there is not");
  return stream;
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
  const char *blank = memmem(connection->request, connection->length, "\r\n\r\n", 4);
  if (blank == NULL) return;
  const unsigned stream = stream_of(connection->request, connection->length);
  connection->length = 0;
  answer(watch->fd, stream);
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

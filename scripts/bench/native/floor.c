/*
 * The floor of `deno task bench`: a server that does the least that fan-out over WebSockets can do,
 * one write(2) of a ready-made frame for each client. `POST` publishes its body to all clients, any
 * `GET` becomes a WebSocket. Its frame is made once; what a client does not take at once waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"
#include "reactor.h"
#include "ws_frame.h"
#include "ws_key.h"

enum {
  BACKLOG = 4096,
  REQUEST_BYTES = 64 * 1024,
  /* A client for which more than this waits is dropped. */
  MOST_WAITING_BYTES = 64 * 1024 * 1024,
};

struct connection {
  struct watch watch;
  bool is_client; /* it is a WebSocket */
  size_t place;   /* among the clients */
  char *waiting;
  size_t waiting_bytes;
  struct connection *next_gone;
};

static struct reactor reactor;
static struct connection **clients;
static size_t client_count, client_room;
/* Dropped in this turn, which may hold another event for them; freed when it is over. */
static struct connection *gone;

/* What came of a request so far; only the publisher's body is long enough to come in parts. */
static struct {
  const struct connection *owner;
  char bytes[REQUEST_BYTES + 1];
  size_t length;
} request;

static void drop(struct connection *connection) {
  if (connection->watch.fd < 0) return;
  if (connection->is_client) {
    clients[connection->place] = clients[--client_count];
    clients[connection->place]->place = connection->place;
  }
  if (request.owner == connection) request.owner = NULL;
  free(connection->waiting);
  connection->waiting = NULL;
  reactor_close(&connection->watch);
  connection->next_gone = gone;
  gone = connection;
}

static void free_gone(void) {
  while (gone != NULL) {
    struct connection *connection = gone;
    gone = connection->next_gone;
    free(connection);
  }
}

static void keep(struct connection *connection, const char *bytes, size_t length) {
  if (connection->waiting_bytes + length > MOST_WAITING_BYTES) {
    drop(connection);
    return;
  }
  char *waiting = realloc(connection->waiting, connection->waiting_bytes + length);
  if (waiting == NULL) fail("out of memory");
  memcpy(waiting + connection->waiting_bytes, bytes, length);
  if (connection->waiting_bytes == 0) {
    reactor_change(&reactor, &connection->watch, EPOLLIN | EPOLLOUT);
  }
  connection->waiting = waiting;
  connection->waiting_bytes += length;
}

static void send_to(struct connection *connection, const char *bytes, size_t length) {
  if (connection->waiting_bytes > 0) {
    keep(connection, bytes, length);
    return;
  }
  const ssize_t sent = send(connection->watch.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) return; /* it is gone, which its next event tells */
  const size_t done = sent < 0 ? 0 : (size_t)sent;
  if (done < length) keep(connection, bytes + done, length - done);
}

static void send_waiting(struct connection *connection) {
  const ssize_t sent = send(connection->watch.fd, connection->waiting, connection->waiting_bytes,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return;
  connection->waiting_bytes -= (size_t)sent;
  memmove(connection->waiting, connection->waiting + sent, connection->waiting_bytes);
  if (connection->waiting_bytes > 0) return;
  free(connection->waiting);
  connection->waiting = NULL;
  reactor_change(&reactor, &connection->watch, EPOLLIN);
}

static void broadcast(const char *body, size_t length) {
  static char frame[WS_HEAD_BYTES + REQUEST_BYTES];
  const size_t head = ws_write_head(frame, WS_TEXT, length);
  memcpy(frame + head, body, length);
  /* Backwards: a client that is dropped is replaced by one that has had its turn. */
  for (size_t i = client_count; i-- > 0;) send_to(clients[i], frame, head + length);
}

static void welcome(struct connection *connection) {
  static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Accept: " WS_ACCEPT
                                  "\r\n\r\n";
  if (strstr(request.bytes, WS_KEY) == NULL) fail("the floor serves its own load client alone");
  if (client_count == client_room) {
    client_room = client_room == 0 ? 1024 : 2 * client_room;
    clients = reallocarray(clients, client_room, sizeof(struct connection *));
    if (clients == NULL) fail("out of memory");
  }
  connection->is_client = true;
  connection->place = client_count;
  clients[client_count++] = connection;
  send_to(connection, switching, sizeof switching - 1);
}

/* Takes the request if it is whole. */
static void take_request(struct connection *connection) {
  request.bytes[request.length] = '\0';
  const char *blank = strstr(request.bytes, "\r\n\r\n");
  if (blank == NULL) return;
  const char *body = blank + 4;
  if (strncmp(request.bytes, "GET ", 4) == 0) {
    welcome(connection);
  } else {
    const char *header = strcasestr(request.bytes, "\r\ncontent-length:");
    if (header == NULL) fail("a publication does not tell its length");
    const size_t length = strtoul(header + sizeof "\r\ncontent-length:" - 1, NULL, 10);
    if (request.length - (size_t)(body - request.bytes) < length) return;
    static const char done[] = "HTTP/1.1 204 No Content\r\n\r\n";
    broadcast(body, length);
    send_to(connection, done, sizeof done - 1);
  }
  request.owner = NULL;
}

static void read_request(struct connection *connection) {
  if (request.owner != connection) {
    if (request.owner != NULL) fail("two requests came in parts at one time");
    request.owner = connection;
    request.length = 0;
  }
  const ssize_t got = recv(connection->watch.fd, request.bytes + request.length,
                           REQUEST_BYTES - request.length, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    drop(connection);
    return;
  }
  request.length += (size_t)got;
  take_request(connection);
}

/* A client says nothing but its close frame, which is answered. */
static void read_client(struct connection *connection) {
  static const char closing[] = {(char)0x88, 0x02, 0x03, (char)0xe8}; /* 1000 */
  char bytes[256];
  const ssize_t got = recv(connection->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0 && (bytes[0] & 0x0f) == WS_CLOSE) send_to(connection, closing, sizeof closing);
  drop(connection);
}

static void ready(struct watch *watch, uint32_t events) {
  struct connection *connection = (struct connection *)watch;
  if (events & EPOLLOUT) send_waiting(connection);
  if (!(events & ~EPOLLOUT)) return;
  if (connection->is_client) {
    read_client(connection);
  } else {
    read_request(connection);
  }
}

static void accept_some(struct watch *listener, uint32_t events) {
  (void)events;
  for (int fd; (fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("out of memory");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail_errno("setsockopt");
    connection->watch = (struct watch){.fd = fd, .ready = ready};
    reactor_add(&reactor, &connection->watch, EPOLLIN);
  }
}

int main(void) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, length) != 0 ||
      listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
    fail_errno("cannot listen");
  }
  struct watch listener = {.fd = fd, .ready = accept_some};
  reactor = reactor_open();
  reactor_add(&reactor, &listener, EPOLLIN);
  printf("listening %u\n", ntohs(address.sin_port));
  if (fflush(stdout) != 0) fail_errno("cannot tell the port");
  for (;;) {
    reactor_turn(&reactor, -1);
    free_gone();
  }
}

#include "publisher.h"

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
#include "http_reply.h"
#include "payload.h"

/* From the order to start until the first message is due. */
enum { LEAD_NS = 20 * NS_PER_MS };

static int64_t due_of(const struct publisher *publisher, uint32_t index) {
  return publisher->start_ns + (int64_t)(index / publisher->streams) * publisher->every_ns;
}

static int connect_to(uint16_t port) {
  /* Blocking, as it is done once, or for each message if the server will have it so; what is sent
   * never fills an idle connection. */
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int on = 1;
  if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
    fail_errno("the publisher cannot connect to port %u", port);
  }
  return fd;
}

/* Connects if there is no connection: at first, and where the server has ended the last one. */
static void keep_connected(struct publisher *publisher) {
  if (publisher->watch.fd >= 0) return;
  publisher->watch.fd = connect_to(publisher->options.port);
  reactor_add(publisher->reactor, &publisher->watch, EPOLLIN);
}

static void write_message(struct publisher *publisher, unsigned stream, uint32_t seq) {
  char *into = publisher->request + publisher->message_at;
  if (publisher->options.is_in_string) {
    payload_write_escaped(into, stream, seq);
  } else {
    payload_write(into, stream, seq);
  }
}

static void send_message(struct publisher *publisher) {
  keep_connected(publisher);
  const uint32_t index = publisher->done;
  const unsigned stream = index % publisher->streams;
  const int64_t due = due_of(publisher, index);
  const uint32_t seq = ledger_publish(publisher->ledger, stream, due);
  write_message(publisher, stream, seq);
  publisher->latest_lag_ns = now_ns() - due;
  publisher->is_waiting = true;
  const ssize_t sent =
      send(publisher->watch.fd, publisher->request, publisher->request_bytes, MSG_NOSIGNAL);
  if (sent != (ssize_t)publisher->request_bytes) fail_errno("cannot publish message %u", seq);
}

/* Sends the next message if it is due, else sets the timer. */
static void go_on(struct publisher *publisher) {
  if (publisher->is_waiting || publisher_is_done(publisher)) return;
  const int64_t due = due_of(publisher, publisher->done);
  if (now_ns() >= due) {
    send_message(publisher);
  } else {
    pace_wake_at(&publisher->pace, due);
  }
}

static void due(struct pace *pace) {
  go_on((struct publisher *)((char *)pace - offsetof(struct publisher, pace)));
}

/* Takes an answer to PUB and PING; true once the PONG has come. */
static bool take_pong(struct publisher *publisher) {
  static const char pong[] = "PONG\r\n", error[] = "-ERR";
  const char *answer = publisher->answer;
  const size_t bytes = publisher->answer_bytes;
  if (memmem(answer, bytes, error, sizeof error - 1) != NULL) {
    fail("a publication was refused: %.*s", (int)bytes, answer);
  }
  return memmem(answer, bytes, pong, sizeof pong - 1) != NULL;
}

/* Takes an answer to POST; true once it is whole and says yes. */
static bool take_reply(struct publisher *publisher) {
  struct http_reply reply;
  if (!http_reply_read(publisher->answer, publisher->answer_bytes, &reply)) return false;
  if (reply.status < 200 || reply.status > 299) {
    fail("a publication was refused: %.*s", (int)reply.size, publisher->answer);
  }
  if (!publisher->is_waiting || reply.size != publisher->answer_bytes) {
    fail("the server answered more than it was asked");
  }
  if (reply.closes) reactor_close(&publisher->watch);
  return true;
}

static void ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct publisher *publisher = (struct publisher *)watch;
  const ssize_t got = recv(watch->fd, publisher->answer + publisher->answer_bytes,
                           sizeof publisher->answer - publisher->answer_bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (!publisher->is_waiting) {
      reactor_close(watch); /* a server may go once nothing is asked of it */
      return;
    }
    fail("the server cut the publisher's connection");
  }
  publisher->answer_bytes += (size_t)got;
  if (!(publisher->options.speaks_nats ? take_pong(publisher) : take_reply(publisher))) return;
  publisher->answer_bytes = 0;
  publisher->is_waiting = false;
  publisher->done += 1;
  go_on(publisher);
}

/* CONNECT may come again and again, and the PONG is the answer to all of it. */
static char *nats_head(void) {
  char *head;
  if (asprintf(&head, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPUB bench %zu\r\n",
               payload_bytes()) < 0) {
    fail("out of memory");
  }
  return head;
}

static size_t message_bytes(const struct publisher_options *options) {
  return options->is_in_string ? payload_escaped_bytes() : payload_bytes();
}

static char *http_head(const struct publisher_options *options) {
  const size_t body = strlen(options->prefix) + message_bytes(options) + strlen(options->suffix);
  char *head;
  if (asprintf(&head,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
               "Content-Type: application/json\r\n%s"
               "Content-Length: %zu\r\n\r\n%s",
               options->path, options->port, options->header, body, options->prefix) < 0) {
    fail("out of memory");
  }
  return head;
}

static void write_request(struct publisher *publisher) {
  const struct publisher_options *options = &publisher->options;
  char *head = options->speaks_nats ? nats_head() : http_head(options);
  const char *tail = options->speaks_nats ? "\r\nPING\r\n" : options->suffix;
  publisher->message_at = strlen(head);
  publisher->request_bytes = publisher->message_at + message_bytes(options) + strlen(tail);
  publisher->request = malloc(publisher->request_bytes);
  if (publisher->request == NULL) fail("out of memory");
  memcpy(publisher->request, head, publisher->message_at);
  free(head);
  memcpy(publisher->request + publisher->message_at + message_bytes(options), tail, strlen(tail));
}

void publisher_open(struct publisher *publisher, struct reactor *reactor, struct ledger *ledger,
                    struct publisher_options options) {
  *publisher = (struct publisher){.options = options, .reactor = reactor, .ledger = ledger,
                                  .watch = {.fd = -1, .ready = ready}, .streams = 1};
  write_request(publisher);
  pace_open(&publisher->pace, reactor, due);
}

void publisher_start(struct publisher *publisher, double ticks_per_second, uint32_t count,
                     unsigned streams) {
  keep_connected(publisher);
  publisher->count = count;
  publisher->done = 0;
  publisher->streams = streams;
  publisher->start_ns = now_ns() + LEAD_NS;
  publisher->every_ns = (int64_t)(NS_PER_S / ticks_per_second);
  publisher->latest_lag_ns = 0;
  go_on(publisher);
}

bool publisher_is_done(const struct publisher *publisher) {
  return !publisher->is_waiting && publisher->done >= publisher->count;
}

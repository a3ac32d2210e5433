#include "lines.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fail.h"

/* One pipe a process. */
static struct {
  struct watch watch;
  char text[4096];
  size_t length, given;
  bool has_ended;
} lines;

static void ready(struct watch *watch, uint32_t events) {
  (void)events;
  const ssize_t got = read(watch->fd, lines.text + lines.length, sizeof lines.text - lines.length);
  if (got < 0 && errno == EINTR) return;
  if (got < 0) fail_errno("cannot read commands");
  if (got == 0) {
    lines.has_ended = true;
    reactor_close(watch);
  }
  lines.length += (size_t)got;
}

void lines_open(struct reactor *reactor, int fd) {
  lines.watch = (struct watch){.fd = fd, .ready = ready};
  reactor_add(reactor, &lines.watch, EPOLLIN);
}

const char *lines_next(struct reactor *reactor) {
  lines.length -= lines.given;
  memmove(lines.text, lines.text + lines.given, lines.length);
  lines.given = 0;
  for (;;) {
    char *end = memchr(lines.text, '\n', lines.length);
    if (end != NULL) {
      *end = '\0';
      lines.given = (size_t)(end - lines.text) + 1;
      return lines.text;
    }
    if (lines.length == sizeof lines.text) fail("a command is too long");
    if (lines.has_ended) return NULL;
    reactor_turn(reactor, -1);
  }
}

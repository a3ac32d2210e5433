#include "reactor.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fail.h"

/* Events fetched by one call; the others come with the next. */
enum { EVENTS_A_TURN = 512 };

struct reactor reactor_open(void) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail_errno("epoll_create1");
  return (struct reactor){.epoll = epoll};
}

static void control(struct reactor *reactor, int operation, struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (epoll_ctl(reactor->epoll, operation, watch->fd, &event) != 0) fail_errno("epoll_ctl");
}

void reactor_add(struct reactor *reactor, struct watch *watch, uint32_t events) {
  control(reactor, EPOLL_CTL_ADD, watch, events);
}

void reactor_change(struct reactor *reactor, struct watch *watch, uint32_t events) {
  control(reactor, EPOLL_CTL_MOD, watch, events);
}

void reactor_forget(struct reactor *reactor, struct watch *watch) {
  control(reactor, EPOLL_CTL_DEL, watch, 0);
}

void reactor_close(struct watch *watch) {
  if (watch->fd < 0) return;
  close(watch->fd);
  watch->fd = -1;
}

void reactor_turn(struct reactor *reactor, int timeout_ms) {
  struct epoll_event events[EVENTS_A_TURN];
  const int count = epoll_wait(reactor->epoll, events, EVENTS_A_TURN, timeout_ms);
  if (count < 0 && errno != EINTR) fail_errno("epoll_wait");
  for (int i = 0; i < count; i++) {
    struct watch *watch = events[i].data.ptr;
    if (watch->fd >= 0) watch->ready(watch, events[i].events);
  }
}

#include "pace.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"

static void ready(struct watch *watch, uint32_t events) {
  (void)events;
  struct pace *pace = (struct pace *)watch;
  uint64_t times;
  if (read(watch->fd, &times, sizeof times) < 0) {
    if (errno == EAGAIN) return; /* it was set anew meanwhile */
    fail_errno("cannot read a timer");
  }
  pace->due(pace);
}

void pace_open(struct pace *pace, struct reactor *reactor, void (*due)(struct pace *pace)) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) fail_errno("timerfd_create");
  *pace = (struct pace){.watch = {.fd = fd, .ready = ready}, .due = due};
  reactor_add(reactor, &pace->watch, EPOLLIN);
}

void pace_wake_at(struct pace *pace, int64_t at_ns) {
  if (at_ns < 1) at_ns = 1; /* zero would disarm it */
  const struct itimerspec at = {
      .it_value = {.tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S}};
  if (timerfd_settime(pace->watch.fd, TFD_TIMER_ABSTIME, &at, NULL) != 0) {
    fail_errno("timerfd_settime");
  }
}

void pace_close(struct pace *pace) { reactor_close(&pace->watch); }

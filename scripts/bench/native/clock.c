#include "clock.h"

#include <errno.h>
#include <time.h>

#include "fail.h"

static int64_t read_clock(clockid_t clock, const char *what) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) fail_errno("cannot read %s", what);
  return (int64_t)time.tv_sec * NS_PER_S + time.tv_nsec;
}

int64_t now_ns(void) { return read_clock(CLOCK_MONOTONIC, "the clock"); }

int64_t process_cpu_ns(pid_t pid) {
  clockid_t clock;
  const int error = clock_getcpuclockid(pid, &clock);
  if (error != 0) {
    errno = error;
    fail_errno("cannot find the processor clock of process %d", (int)pid);
  }
  return read_clock(clock, "the server's processor clock");
}

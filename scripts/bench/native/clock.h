#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <sys/types.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* Monotonic time in nanoseconds. */
int64_t now_ns(void);

/*
 * Processor time that a process has taken so far with all its threads, ended ones too, user and
 * system together. The same account as utime + stime of /proc/PID/stat, which is kept in hundredths
 * of a second: too coarse for a light load.
 */
int64_t process_cpu_ns(pid_t pid);

#endif

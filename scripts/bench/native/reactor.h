#ifndef REACTOR_H
#define REACTOR_H

#include <stdint.h>

/*
 * One thread that waits for many descriptors. A watch belongs to its owner, who must keep it in
 * place while it is watched.
 */
struct watch {
  int fd; /* -1: not watched, and events that were already fetched are not delivered. */
  void (*ready)(struct watch *watch, uint32_t events);
};

struct reactor {
  int epoll;
};

struct reactor reactor_open(void);

/* `events` as for epoll: EPOLLIN, EPOLLOUT. */
void reactor_add(struct reactor *reactor, struct watch *watch, uint32_t events);
void reactor_change(struct reactor *reactor, struct watch *watch, uint32_t events);

/* Stops watching but leaves the descriptor open. */
void reactor_forget(struct reactor *reactor, struct watch *watch);

/* Closes the descriptor, which ends the watch. */
void reactor_close(struct watch *watch);

/* Waits for events at most this long (-1: without end) and delivers them. */
void reactor_turn(struct reactor *reactor, int timeout_ms);

#endif

#ifndef PROCESS_TREE_H
#define PROCESS_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than any server starts; one with more cannot be measured. */
enum { PROCESS_TREE_MOST = 64 };

/* A server's process and all that descend from it; the first is the root. */
struct process_tree {
  size_t count;
  pid_t pids[PROCESS_TREE_MOST];
};

/*
 * Finds the processes that there are now: one that is started later is not of the tree. Look once,
 * while the server is at rest, and not within what is measured.
 */
struct process_tree process_tree_of(pid_t root);

/* Processor time that all have taken so far. Fails if one of them has ended. */
int64_t process_tree_cpu_ns(const struct process_tree *tree);

#endif

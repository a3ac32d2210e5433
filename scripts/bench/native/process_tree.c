#include "process_tree.h"

#include <dirent.h>
#include <stdio.h>

#include "clock.h"
#include "fail.h"

static void add(struct process_tree *tree, pid_t pid) {
  if (tree->count == PROCESS_TREE_MOST) {
    fail("the server has more than %d processes", PROCESS_TREE_MOST);
  }
  tree->pids[tree->count++] = pid;
}

/* The kernel lists children by the thread that started them. */
static void add_children(struct process_tree *tree, pid_t parent) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
  DIR *threads = opendir(path);
  if (threads == NULL) return; /* it has ended */
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    if (thread->d_name[0] == '.') continue;
    char name[sizeof path + sizeof thread->d_name + sizeof "//children"];
    snprintf(name, sizeof name, "%s/%s/children", path, thread->d_name);
    FILE *children = fopen(name, "re");
    if (children == NULL) continue; /* so has this thread */
    for (int pid; fscanf(children, "%d", &pid) == 1;) add(tree, (pid_t)pid);
    fclose(children);
  }
  closedir(threads);
}

struct process_tree process_tree_of(pid_t root) {
  struct process_tree tree = {.count = 0};
  add(&tree, root);
  for (size_t i = 0; i < tree.count; i++) add_children(&tree, tree.pids[i]);
  return tree;
}

int64_t process_tree_cpu_ns(const struct process_tree *tree) {
  int64_t sum = 0;
  for (size_t i = 0; i < tree->count; i++) sum += process_cpu_ns(tree->pids[i]);
  return sum;
}

/*
 * The load client of `deno task bench`: publishes, plays the audience, and checks what it gets. One
 * process and one thread, so that publication and receipt are told by one clock.
 *
 * It is led by lines on standard input; to each it answers with one line of JSON.
 *
 *   connect PORT PID [PUBLISH_PORT]
 *                            connects the audience; PID is the process whose time is told,
 *                            together with that of all that descend from it
 *   storm PORT PID FRAMES    connects the audience at once; waits until each has FRAMES more frames
 *                            than the one that it counts as connected with
 *   publish RATE COUNT       publishes COUNT messages, RATE ticks a second, a message a stream a tick
 *   listen MS                for polled sources: just listens, for as long
 *   stop MS                  sends SIGTERM to PID; waits at most as long until all clients are gone
 *   churn PORT PID RATE MS   RATE clients a second come and go, for as long
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audience.h"
#include "churn.h"
#include "clock.h"
#include "fail.h"
#include "ledger.h"
#include "lines.h"
#include "payload.h"
#include "process_tree.h"
#include "publisher.h"
#include "reactor.h"
#include "sources.h"

enum { TURN_MS = 20 };

/* When nothing arrives any more for this long, what is missing is missing. */
static const int64_t NO_PROGRESS_NS = 4LL * NS_PER_S;

struct settings {
  struct audience_options audience;
  struct publisher_options publisher;
  size_t bytes;
  unsigned streams;
  bool has_sources;
};

struct load {
  struct settings settings;
  struct reactor reactor;
  struct ledger *ledger;
  struct publisher publisher;
  struct process_tree server;
};

static long number(const char *text, const char *name, long least) {
  char *end;
  const long value = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < least) {
    fail("%s must be a whole number from %ld on: it is \"%s\"", name, least, text);
  }
  return value;
}

static enum dialect dialect_named(const char *name) {
  if (strcmp(name, "plain") == 0) return DIALECT_PLAIN;
  if (strcmp(name, "welcome") == 0) return DIALECT_WELCOME;
  if (strcmp(name, "socket.io") == 0) return DIALECT_SOCKET_IO;
  if (strcmp(name, "nats") == 0) return DIALECT_NATS;
  fail("--dialect is plain, welcome, socket.io or nats, not \"%s\"", name);
}

static struct settings read_settings(int argc, char **argv) {
  struct settings settings = {
      .audience = {.path = "/", .dialect = DIALECT_PLAIN, .connecting = 100},
      .publisher = {.path = "/publish", .header = "", .prefix = "", .suffix = ""},
      .bytes = 1024,
      .streams = 1,
  };
  static const struct option options[] = {
      {"clients", required_argument, NULL, 'c'},      {"stalled", required_argument, NULL, 'z'},
      {"path", required_argument, NULL, 'p'},         {"dialect", required_argument, NULL, 'd'},
      {"bytes", required_argument, NULL, 'b'},        {"streams", required_argument, NULL, 's'},
      {"sources", no_argument, NULL, 'S'},            {"publish-path", required_argument, NULL, 'P'},
      {"publish-header", required_argument, NULL, 'H'}, {"publish-prefix", required_argument, NULL, '<'},
      {"publish-suffix", required_argument, NULL, '>'}, {"publish-in-string", no_argument, NULL, 'Q'},
      {"connecting", required_argument, NULL, 'C'},
      {NULL, 0, NULL, 0},
  };
  for (int name; (name = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (name) {
      case 'c': settings.audience.readers = (size_t)number(optarg, "--clients", 0); break;
      case 'z': settings.audience.stalled = (size_t)number(optarg, "--stalled", 0); break;
      case 'C': settings.audience.connecting = (size_t)number(optarg, "--connecting", 1); break;
      case 'p': settings.audience.path = optarg; break;
      case 'd': settings.audience.dialect = dialect_named(optarg); break;
      case 'b': settings.bytes = (size_t)number(optarg, "--bytes", 1); break;
      case 's': settings.streams = (unsigned)number(optarg, "--streams", 1); break;
      case 'S': settings.has_sources = true; break;
      case 'P': settings.publisher.path = optarg; break;
      case 'H': settings.publisher.header = optarg; break;
      case '<': settings.publisher.prefix = optarg; break;
      case '>': settings.publisher.suffix = optarg; break;
      case 'Q': settings.publisher.is_in_string = true; break;
      default: exit(1); /* getopt has said why */
    }
  }
  settings.publisher.speaks_nats = settings.audience.dialect == DIALECT_NATS;
  if (optind < argc) fail("there are no arguments but options: \"%s\"", argv[optind]);
  return settings;
}

/* Turns until every message has come, or none comes any more. */
static void settle(struct load *load) {
  uint64_t deliveries = ledger_deliveries(load->ledger);
  int64_t progress_ns = now_ns();
  while (!ledger_is_settled(load->ledger)) {
    reactor_turn(&load->reactor, TURN_MS);
    const uint64_t now = ledger_deliveries(load->ledger);
    if (now != deliveries) {
      deliveries = now;
      progress_ns = now_ns();
    } else if (now_ns() - progress_ns > NO_PROGRESS_NS) {
      return;
    }
  }
}

struct window {
  int64_t start_ns, server_ns, own_ns;
};

static struct window begin_window(struct load *load) {
  ledger_begin(load->ledger);
  audience_begin();
  return (struct window){now_ns(), process_tree_cpu_ns(&load->server), process_cpu_ns(getpid())};
}

/* Waits for what is under way and tells what the window has brought. */
static void end_window(struct load *load, struct window window, int64_t lag_ns) {
  ledger_end(load->ledger);
  settle(load);
  const int64_t server_ns = process_tree_cpu_ns(&load->server) - window.server_ns;
  const int64_t own_ns = process_cpu_ns(getpid()) - window.own_ns;
  const int64_t took_ns = now_ns() - window.start_ns;
  const struct audience_tally tally = audience_tally();
  putchar('{');
  ledger_report(load->ledger, stdout);
  printf(",\"frames\":%llu,\"otherFrames\":%llu,\"bytes\":%llu", (unsigned long long)tally.frames,
         (unsigned long long)tally.other_frames, (unsigned long long)tally.bytes);
  printf(",\"serverCpuUs\":%lld,\"loadCpuUs\":%lld,\"elapsedUs\":%lld,\"behindUs\":%lld}\n",
         (long long)server_ns / NS_PER_US, (long long)own_ns / NS_PER_US,
         (long long)took_ns / NS_PER_US, (long long)lag_ns / NS_PER_US);
}

static void publish(struct load *load, double rate, uint32_t count) {
  if (!(rate > 0)) fail("the rate must be above 0");
  const struct window window = begin_window(load);
  publisher_start(&load->publisher, rate, count, load->settings.streams);
  while (!publisher_is_done(&load->publisher)) reactor_turn(&load->reactor, TURN_MS);
  end_window(load, window, load->publisher.latest_lag_ns);
}

static void listen_for(struct load *load, long ms) {
  const struct window window = begin_window(load);
  const int64_t end = now_ns() + ms * NS_PER_MS;
  while (now_ns() < end) reactor_turn(&load->reactor, TURN_MS);
  end_window(load, window, 0);
}

static void connect_all(struct load *load, long port, long pid, long publish_port) {
  load->server = process_tree_of((pid_t)pid);
  load->settings.audience.port = (uint16_t)port;
  load->settings.publisher.port = (uint16_t)publish_port;
  publisher_open(&load->publisher, &load->reactor, load->ledger, load->settings.publisher);
  const int64_t start = now_ns();
  audience_connect(&load->reactor, load->ledger, load->settings.audience);
  printf("{\"connectedAfterUs\":%lld}\n", (long long)(now_ns() - start) / NS_PER_US);
}

static void storm(struct load *load, long port, long pid, long frames) {
  load->server = process_tree_of((pid_t)pid);
  load->settings.audience.port = load->settings.publisher.port = (uint16_t)port;
  publisher_open(&load->publisher, &load->reactor, load->ledger, load->settings.publisher);
  audience_begin();
  const uint64_t wanted = (uint64_t)frames * load->settings.audience.readers;
  const int64_t cpu_ns = process_tree_cpu_ns(&load->server);
  const int64_t start = now_ns();
  audience_connect(&load->reactor, load->ledger, load->settings.audience);
  uint64_t seen = 0;
  for (int64_t progress_ns = now_ns(); seen < wanted && now_ns() - progress_ns < NO_PROGRESS_NS;) {
    const struct audience_tally tally = audience_tally();
    if (tally.frames + tally.other_frames != seen) {
      seen = tally.frames + tally.other_frames;
      progress_ns = now_ns();
    } else {
      reactor_turn(&load->reactor, TURN_MS);
    }
  }
  printf("{\"missing\":%llu,\"servedAfterUs\":%lld,\"serverCpuUs\":%lld}\n",
         (unsigned long long)(seen < wanted ? wanted - seen : 0),
         (long long)(now_ns() - start) / NS_PER_US,
         (long long)(process_tree_cpu_ns(&load->server) - cpu_ns) / NS_PER_US);
}

static void stop(struct load *load, long ms) {
  audience_expect_farewell();
  const int64_t start = now_ns();
  if (kill(load->server.pids[0], SIGTERM) != 0) fail_errno("cannot stop the server");
  while (audience_farewell().present > 0 && now_ns() - start < ms * NS_PER_MS) {
    reactor_turn(&load->reactor, TURN_MS);
  }
  const struct audience_farewell farewell = audience_farewell();
  const int64_t told_ns = farewell.told == 0 ? 0 : farewell.last_told_ns - start;
  const int64_t closed_ns = farewell.closed == 0 ? 0 : farewell.last_closed_ns - start;
  printf("{\"told\":%zu,\"closed\":%zu,\"present\":%zu,\"lastToldAfterUs\":%lld,"
         "\"lastClosedAfterUs\":%lld}\n",
         farewell.told, farewell.closed, farewell.present, (long long)told_ns / NS_PER_US,
         (long long)closed_ns / NS_PER_US);
}

static void come_and_go(struct load *load, long port, long pid, long rate, long ms) {
  const struct process_tree server = process_tree_of((pid_t)pid);
  const int64_t cpu_ns = process_tree_cpu_ns(&server);
  const struct churn_tally tally = churn(&load->reactor, (struct churn_options){
                                                             .port = (uint16_t)port,
                                                             .path = load->settings.audience.path,
                                                             .dialect = load->settings.audience.dialect,
                                                             .per_second = (unsigned)rate,
                                                             .for_ns = ms * NS_PER_MS});
  printf("{\"begun\":%llu,\"completed\":%llu,\"failed\":%llu,\"crowdedOut\":%llu,"
         "\"serverCpuUs\":%lld}\n",
         (unsigned long long)tally.begun, (unsigned long long)tally.completed,
         (unsigned long long)tally.failed, (unsigned long long)tally.crowded_out,
         (long long)(process_tree_cpu_ns(&server) - cpu_ns) / NS_PER_US);
}

static void obey(struct load *load, const char *line) {
  double rate;
  long a, b, c, d;
  if (sscanf(line, "connect %ld %ld %ld", &a, &b, &c) == 3) connect_all(load, a, b, c);
  else if (sscanf(line, "connect %ld %ld", &a, &b) == 2) connect_all(load, a, b, a);
  else if (sscanf(line, "storm %ld %ld %ld", &a, &b, &c) == 3) storm(load, a, b, c);
  else if (sscanf(line, "publish %lf %ld", &rate, &a) == 2) publish(load, rate, (uint32_t)a);
  else if (sscanf(line, "listen %ld", &a) == 1) listen_for(load, a);
  else if (sscanf(line, "stop %ld", &a) == 1) stop(load, a);
  else if (sscanf(line, "churn %ld %ld %ld %ld", &a, &b, &c, &d) == 4) come_and_go(load, a, b, c, d);
  else fail("there is no command \"%s\"", line);
  if (fflush(stdout) != 0) fail_errno("cannot answer");
}

int main(int argc, char **argv) {
  static struct load load; /* zero, and in place as long as the process */
  load.settings = read_settings(argc, argv);
  payload_init(load.settings.bytes);
  load.reactor = reactor_open();
  load.ledger = ledger_open((struct ledger_options){.clients = load.settings.audience.readers,
                                                    .streams = load.settings.streams,
                                                    .latest_only = load.settings.has_sources});
  if (load.settings.has_sources) sources_open(&load.reactor, load.ledger, load.settings.streams);
  printf("{\"sourcesPort\":%u}\n", sources_port());
  if (fflush(stdout) != 0) fail_errno("cannot answer");
  lines_open(&load.reactor, STDIN_FILENO);
  for (const char *line; (line = lines_next(&load.reactor)) != NULL;) obey(&load, line);
  return 0;
}

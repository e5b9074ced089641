/* Commands in, one JSON line out for each: connect, run, expect, stall, release, quit. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LONGEST 8 /* a slow server is measured for so many times the time asked for */

static uint64_t connect_began_ns;
static double connect_server_s; /* what the server had used by then */

static uint64_t seconds(double s) { return (uint64_t)(s * 1e9); }

static int ms_until(uint64_t deadline_ns) {
  uint64_t now = now_ns();
  return deadline_ns <= now ? 0 : (int)((deadline_ns - now) / 1000000u) + 1;
}

/* Seconds from the beginning of each connection until it was ready, or had all it expected. */
static void print_each(int done) {
  printf("\"each_s\":[");
  const char *comma = "";
  for (int i = 0; i < connection_count; i++) {
    struct connection *c = &connections[i];
    uint64_t end_ns = done ? c->done_ns : c->ready_ns;
    if (!end_ns) continue;
    printf("%s%.6f", comma, (double)(end_ns - c->began_ns) / 1e9);
    comma = ",";
  }
  putchar(']');
}

static int failed_count(void) {
  int count = 0;
  for (int i = 0; i < connection_count; i++) count += connections[i].failed;
  return count;
}

static void print_failure(void) {
  printf("\"failure\":\"");
  for (char *at = first_failure; *at; at++) {
    if (*at == '"' || *at == '\\')
      printf("\\%c", *at);
    else
      putchar((unsigned char)*at < 32 || (unsigned char)*at > 126 ? ' ' : *at);
  }
  putchar('"');
}

/* connect: open every connection, so many handshakes at a time; done when all are ready. */
static void connect_all(int at_a_time, double timeout_s) {
  connect_began_ns = now_ns();
  uint64_t deadline = connect_began_ns + seconds(timeout_s);
  connect_server_s = usage_server_s();
  double own = usage_own_s();
  int next = 0;
  while (ready_count + ended_count < connection_count && now_ns() < deadline) {
    while (next < connection_count && handshakes_count < at_a_time) {
      net_start(&connections[next], next);
      next++;
    }
    net_pump(ms_until(deadline));
  }
  printf("{\"seconds\":%.6f,\"ready\":%d,\"failed\":%d,\"server_cpu_s\":%.3f,\"load_cpu_s\":%.3f,",
         (double)(now_ns() - connect_began_ns) / 1e9, ready_count, failed_count(),
         usage_server_s() - connect_server_s, usage_own_s() - own);
  print_each(0);
  putchar(',');
  print_failure();
  puts("}");
}

static void post_what_is_due(int in_flight, double rate, uint64_t *next_ns) {
  if (rate > 0) {
    for (uint64_t now = now_ns(); *next_ns <= now; *next_ns += seconds(1 / rate)) {
      static int turn;
      int session = turn++ % room_count;
      tally_post(&rooms[session], session);
    }
    return;
  }
  for (int i = 0; i < room_count; i++)
    for (int missing = in_flight - rooms[i].under_way; missing > 0; missing--)
      tally_post(&rooms[i], i);
}

static void print_correctness(void) {
  uint64_t disagreeing = tally_disagreeing();
  printf("\"lost\":%llu,\"duplicated\":%llu,\"reordered\":%llu,\"misrouted\":%llu,\"ended\":%d",
         (unsigned long long)tally_lost(), (unsigned long long)tally.duplicated,
         (unsigned long long)(tally.reordered + disagreeing), (unsigned long long)tally.misrouted,
         ended_count);
}

static int under_way(void) {
  for (int i = 0; i < room_count; i++)
    if (rooms[i].under_way) return 1;
  return 0;
}

/* What is under way moves in waves, and a window of less than two of them would measure chance. */
static int whole_waves(const struct tally *at_begin, int in_flight) {
  return tally.completed - at_begin->completed >= (uint64_t)in_flight * (uint64_t)room_count * 2;
}

/* run: keep so many messages of each room under way (or post at a rate over all rooms), measure
 * after the warm-up, then stop posting and wait for the rest. */
static void run(double measured_s, double warm_up_s, int in_flight, double rate, double drain_s) {
  tally_reset();
  uint64_t begin = now_ns() + seconds(warm_up_s), end = begin + seconds(measured_s);
  uint64_t latest = end + LONGEST * seconds(measured_s), next_post = now_ns(), before = 0;
  double server = 0, own = 0;
  struct tally at_begin = {0};
  net_awake = 1;
  while (1) {
    uint64_t now = now_ns();
    if (!before && now >= begin) {
      before = now;
      at_begin = tally;
      memset(tally.histogram, 0, sizeof tally.histogram);
      server = usage_server_s();
      own = usage_own_s() - net_idle_s();
    }
    if (before && now >= end && (now >= latest || whole_waves(&at_begin, in_flight))) break;
    post_what_is_due(in_flight, rate, &next_post);
    uint64_t wake = !before ? begin : now < end ? end : latest;
    if (rate > 0 && next_post < wake) wake = next_post;
    net_pump(ms_until(wake));
  }
  double measured = (double)(now_ns() - before) / 1e9;
  server = usage_server_s() - server;
  own = usage_own_s() - net_idle_s() - own;
  net_awake = 0;
  struct tally at_end = tally;
  uint64_t deadline = now_ns() + seconds(drain_s);
  while (under_way() && now_ns() < deadline) net_pump(ms_until(deadline));
  printf("{\"seconds\":%.6f,\"delivered\":%llu,\"completed\":%llu,\"posted\":%llu,"
         "\"server_cpu_s\":%.3f,\"load_cpu_s\":%.3f,",
         measured, (unsigned long long)(at_end.delivered - at_begin.delivered),
         (unsigned long long)(at_end.completed - at_begin.completed),
         (unsigned long long)(at_end.posted - at_begin.posted), server, own);
  print_correctness();
  printf(",\"latency_ns\":");
  tally_print_histogram(at_end.histogram);
  puts("}");
}

/* expect: return when every connection has got so many marks since `connect` began. */
static void expect(uint64_t each, double timeout_s) {
  uint64_t deadline = connect_began_ns + seconds(timeout_s);
  while (done_count + ended_count < connection_count && now_ns() < deadline)
    net_pump(ms_until(deadline));
  uint64_t missing = 0;
  for (int i = 0; i < connection_count; i++)
    missing += connections[i].received < each ? each - connections[i].received : 0;
  printf("{\"seconds\":%.6f,\"server_cpu_s\":%.3f,\"lost\":%llu,\"duplicated\":%llu,"
         "\"reordered\":%llu,\"done\":%d,",
         (double)(now_ns() - connect_began_ns) / 1e9, usage_server_s() - connect_server_s,
         (unsigned long long)missing, (unsigned long long)tally.duplicated,
         (unsigned long long)(tally.reordered + tally_disagreeing()), done_count);
  print_each(1);
  puts("}");
}

/* stall: from now on the last connection is not read from. release: read it to its end. */
static void stall(void) {
  struct connection *c = &connections[connection_count - 1];
  c->stalled = 1;
  rooms[c->session].members--;
  net_watch(c, 0);
  puts("{}");
}

static void release(double timeout_s) {
  struct connection *c = &connections[connection_count - 1];
  uint64_t deadline = now_ns() + seconds(timeout_s);
  net_watch(c, 1);
  while (c->state != ENDED && now_ns() < deadline) net_pump(ms_until(deadline));
  printf("{\"received\":%llu,\"ended\":%s,\"close_code\":%d}\n", (unsigned long long)c->received,
         c->state == ENDED ? "true" : "false", c->close_code);
}

static int obey(char *line) {
  if (plan_line(line)) return 1;
  double a = 0, b = 0, c = 0, d = 0, e = 0;
  char command[16] = "";
  sscanf(line, "%15s %lf %lf %lf %lf %lf", command, &a, &b, &c, &d, &e);
  if (!strcmp(command, "expecting")) {
    expected_each = (uint64_t)a;
    return 1;
  }
  if (!strcmp(command, "connect")) {
    plan_done();
    tally_reset();
    connect_all((int)a, b);
  } else if (!strcmp(command, "run")) {
    run(a, b, (int)c, d, e);
  } else if (!strcmp(command, "expect")) {
    expect((uint64_t)a, b);
  } else if (!strcmp(command, "stall")) {
    stall();
  } else if (!strcmp(command, "release")) {
    release(a);
  } else {
    return 0;
  }
  fflush(stdout);
  return 1;
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  static char input[1 << 22];
  size_t size = 0;
  net_open();
  while (1) {
    /* Between commands the connections go on: pings are answered. */
    while (!net_command_waits()) net_pump(-1);
    ssize_t n = read(0, input + size, sizeof input - size - 1);
    if (n <= 0) return 0;
    size += (size_t)n;
    char *line = input, *end;
    while ((end = memchr(line, '\n', size - (size_t)(line - input)))) {
      *end = 0;
      if (!obey(line)) return 0;
      line = end + 1;
    }
    size -= (size_t)(line - input);
    memmove(input, line, size);
  }
}

/* The operating system's account of who used the processor. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIDS_MAX 64

static int pids[PIDS_MAX], pid_count;

void usage_watch(const char *text) {
  pid_count = 0;
  for (char *end; *text && pid_count < PIDS_MAX; text = end) {
    pids[pid_count++] = (int)strtol(text, &end, 10);
    if (end == text) {
      pid_count--;
      return;
    }
  }
}

/* User and system time of all threads of the watched processes, and of their dead children. */
double usage_server_s(void) {
  unsigned long long ticks = 0;
  for (int i = 0; i < pid_count; i++) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[size] = 0;
    char *rest = strrchr(line, ')'); /* the name before it may hold anything */
    unsigned long long own_user, own_system;
    long long dead_user, dead_system;
    if (rest && sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld",
                       &own_user, &own_system, &dead_user, &dead_system) == 4)
      ticks += own_user + own_system + (unsigned long long)(dead_user + dead_system);
  }
  return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

double usage_own_s(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Sockets: opened from many loopback addresses, read in bulk, written at once. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define PORTS_OF_AN_ADDRESS 4000 /* connections from one address, far below its free ports */
#define BULK (1 << 20)
#define EVENTS_MAX 1024
#define LOOK_EVERY_NS 5000 /* looking all the time would get in the way of the server's sends */

char first_failure[512];
int ready_count, ended_count, done_count, handshakes_count;
int net_awake;
static int epoll_fd, command_waits;
static uint64_t idle_ns;
static uint8_t bulk[BULK];

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void buffer_add(struct buffer *b, const void *data, size_t size) {
  if (b->size + size > b->room) {
    b->room = (b->size + size) * 2;
    b->data = realloc(b->data, b->room);
  }
  memcpy(b->data + b->size, data, size);
  b->size += size;
}

double net_idle_s(void) { return (double)idle_ns / 1e9; }

void net_open(void) {
  epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &event);
}

static void watch(struct connection *c, int how, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll_fd, how, c->fd, &event);
}

void net_watch(struct connection *c, int add) {
  if (c->fd >= 0) watch(c, add ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, EPOLLIN);
}

/* Every process has loopback addresses of its own, so that ports which the last run left in
 * TIME_WAIT are in nobody's way. */
static void bind_source(int fd, int index) {
  struct sockaddr_in source = {.sin_family = AF_INET};
  uint32_t address = 0x7f000002u + ((uint32_t)(getpid() % 250 + 1) << 16);
  source.sin_addr.s_addr = htonl(address + (uint32_t)(index / PORTS_OF_AN_ADDRESS));
  int one = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  bind(fd, (struct sockaddr *)&source, sizeof source);
}

void net_start(struct connection *c, int index) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port)};
  inet_pton(AF_INET, server_host, &to.sin_addr);
  c->began_ns = now_ns();
  c->state = CONNECTING;
  handshakes_count++;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) {
    net_end(c, strerror(errno));
    return;
  }
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (c->receive_buffer)
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &c->receive_buffer, sizeof c->receive_buffer);
  bind_source(c->fd, index);
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
    net_end(c, strerror(errno));
    return;
  }
  watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

void net_end(struct connection *c, const char *why) {
  if (c->state == ENDED) return;
  if (c->state < READY) {
    handshakes_count--;
    c->failed = 1;
    if (!first_failure[0]) snprintf(first_failure, sizeof first_failure, "%s", why);
  }
  c->state = ENDED;
  ended_count++;
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

void connection_ready(struct connection *c) {
  c->state = READY;
  c->ready_ns = now_ns();
  handshakes_count--;
  ready_count++;
}

void net_send(struct connection *c, const void *data, size_t size) {
  if (c->fd < 0) return;
  size_t sent = 0;
  if (!c->out.size) {
    ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
      net_end(c, strerror(errno));
      return;
    }
    sent = n > 0 ? (size_t)n : 0;
  }
  if (sent < size) {
    buffer_add(&c->out, (const uint8_t *)data + sent, size - sent);
    watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }
}

static void write_waiting(struct connection *c) {
  ssize_t n = send(c->fd, c->out.data, c->out.size, MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN) net_end(c, strerror(errno));
    return;
  }
  c->out.size -= (size_t)n;
  memmove(c->out.data, c->out.data + n, c->out.size);
  if (!c->out.size) watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void connected(struct connection *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    net_end(c, strerror(error));
    return;
  }
  watch(c, EPOLL_CTL_MOD, EPOLLIN);
  c->state = UPGRADING;
  if (c->wire->polls)
    polling_begin(c);
  else
    websocket_upgrade(c);
}

static size_t take(struct connection *c, uint8_t *data, size_t size, uint64_t at_ns) {
  return c->wire->polls ? polling_take(c, data, size, at_ns) : websocket_take(c, data, size, at_ns);
}

static void readable(struct connection *c) {
  ssize_t n = recv(c->fd, bulk, BULK, 0);
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) net_end(c, n == 0 ? "closed by the server" : strerror(errno));
    return;
  }
  uint64_t at_ns = now_ns();
  if (!c->in.size) {
    size_t taken = take(c, bulk, (size_t)n, at_ns);
    if (taken < (size_t)n) buffer_add(&c->in, bulk + taken, (size_t)n - taken);
    return;
  }
  buffer_add(&c->in, bulk, (size_t)n);
  size_t taken = take(c, c->in.data, c->in.size, at_ns);
  c->in.size -= taken;
  memmove(c->in.data, c->in.data + taken, c->in.size);
}

int net_command_waits(void) {
  int waits = command_waits;
  command_waits = 0;
  return waits;
}

/* Wait without sleeping: a server that sends to a process that sleeps pays for waking it, which no
 * server does whose clients are on other machines, and how often that happens is chance. */
static int look(struct epoll_event *events, int timeout_ms) {
  uint64_t began = now_ns(), deadline = began + (uint64_t)timeout_ms * 1000000u, now = began;
  int n;
  while (!(n = epoll_wait(epoll_fd, events, EVENTS_MAX, 0)) && now < deadline) {
    sched_yield(); /* a database may share this core */
    uint64_t next = now_ns() + LOOK_EVERY_NS;
    while ((now = now_ns()) < next) continue;
  }
  idle_ns += now - began;
  return n;
}

/* Do what the sockets are ready for; return at the latest after the time given (-1: whenever). */
void net_pump(int timeout_ms) {
  static struct epoll_event events[EVENTS_MAX];
  int n = net_awake && timeout_ms > 0 ? look(events, timeout_ms)
                                      : epoll_wait(epoll_fd, events, EVENTS_MAX, timeout_ms);
  for (int i = 0; i < n; i++) {
    struct connection *c = events[i].data.ptr;
    if (!c) {
      command_waits = 1;
      continue;
    }
    if (c->state == CONNECTING) {
      connected(c);
      continue;
    }
    if (c->fd >= 0 && events[i].events & EPOLLOUT && c->out.size) write_waiting(c);
    if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
  }
}

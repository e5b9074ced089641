/* The floor: what the kernel asks for the same bytes. A WebSocket server of one idea: a text frame
 * that comes in is send()t to every socket of its room, in a loop. No JSON, no store, no checks. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOMS_MAX 65536
#define IN_MAX 65536

struct peer {
  int fd, room, upgraded;
  size_t size;
  uint8_t in[2048];
};

struct room {
  struct peer **peers;
  int count, space;
};

static struct room rooms[ROOMS_MAX];
static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void leave(struct peer *p) {
  struct room *room = &rooms[p->room];
  for (int i = 0; p->upgraded && i < room->count; i++)
    if (room->peers[i] == p) room->peers[i] = room->peers[--room->count];
  close(p->fd);
  free(p);
}

static void enter(struct peer *p) {
  struct room *room = &rooms[p->room];
  if (room->count == room->space) {
    room->space = room->space ? room->space * 2 : 16;
    room->peers = realloc(room->peers, (size_t)room->space * sizeof *room->peers);
  }
  room->peers[room->count++] = p;
  p->upgraded = 1;
}

static void broadcast(struct room *room, const uint8_t *frame, size_t size) {
  for (int i = 0; i < room->count; i++) send(room->peers[i]->fd, frame, size, MSG_NOSIGNAL);
}

static size_t take_frame(struct peer *p, uint8_t *data, size_t size) {
  static uint8_t frame[IN_MAX + 4];
  size_t length = data[1] & 0x7f, head = 2;
  if (length == 126) {
    if (size < 4) return 0;
    length = (size_t)data[2] << 8 | data[3];
    head = 4;
  }
  if (size < head + 4 + length) return 0;
  for (size_t i = 0; i < length; i++) frame[head + i] = data[head + 4 + i] ^ data[head + (i & 3)];
  memcpy(frame, data, head);
  frame[1] &= 0x7f;
  if ((data[0] & 0x0f) == 1) broadcast(&rooms[p->room], frame, head + length);
  return head + 4 + length;
}

static int readable(struct peer *p) {
  ssize_t n = recv(p->fd, p->in + p->size, sizeof p->in - p->size, MSG_DONTWAIT);
  if (n <= 0) return n < 0 && errno == EAGAIN;
  p->size += (size_t)n;
  size_t at = 0;
  if (!p->upgraded) {
    uint8_t *end = memmem(p->in, p->size, "\r\n\r\n", 4);
    if (!end) return 1;
    p->room = atoi((char *)p->in + strlen("GET /")) % ROOMS_MAX;
    at = (size_t)(end + 4 - p->in);
    enter(p);
    send(p->fd, accepted, sizeof accepted - 1, MSG_NOSIGNAL);
  }
  while (p->size - at >= 2) {
    size_t taken = take_frame(p, p->in + at, p->size - at);
    if (!taken) break;
    at += taken;
  }
  p->size -= at;
  memmove(p->in, p->in + at, p->size);
  return 1;
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  here.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listening, (struct sockaddr *)&here, sizeof here) || listen(listening, 4096)) {
    perror("floor");
    return 1;
  }
  struct epoll_event event = {.events = EPOLLIN}, events[256];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
  while (1) {
    int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; i++) {
      struct peer *p = events[i].data.ptr;
      if (p) {
        if (!readable(p)) leave(p);
        continue;
      }
      p = calloc(1, sizeof *p);
      p->fd = accept(listening, NULL, NULL);
      if (p->fd < 0) {
        free(p);
        continue;
      }
      setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      event.data.ptr = p;
      event.events = EPOLLIN;
      epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &event);
    }
  }
}

/* The load generator: what its parts share.
 *
 * One process, one thread, one epoll. It opens WebSockets (and long polls) by a plan, posts
 * messages whose content carries a mark, and holds every mark that comes back against what must
 * come: each member gets each message of its room once, each sender's in the order sent, and all
 * members of a room see the same order. It is in C because a server here reaches a delivery in a
 * microsecond, and a generator in Python would be the one that is measured.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#define MARK_START "~R"
#define MARK_DIGITS 32 /* room 4, slot 4, number 8, posted at 16 (ns, monotonic), all hexadecimal */
#define MARK_SIZE (2 + MARK_DIGITS)
#define UNDER_WAY_MAX 256 /* messages of one sender that may be under way */
#define HISTOGRAM_SIZE (64 * 32)

enum state { UNBORN, CONNECTING, UPGRADING, FIRST, GREETING, READY, ENDED };
enum polling { NOT_POLLING, OPENING, SAYING_HELLO, POLLING, PONGING };

/* How a wire's connection becomes ready, and what it answers to a ping that is a text. */
struct wire {
  int polls;
  char *first, *ready, *ping, *pong;
};

struct buffer {
  uint8_t *data;
  size_t size, room;
};

struct connection {
  int fd;
  enum state state;
  enum polling polling;
  int stalled, close_code, status, failed;
  int session, slot;
  int receive_buffer;
  struct wire *wire;
  char *path, *hello, *before, *after; /* a message is `before`, the mark, `after` */
  char *sid;
  struct buffer in, out;
  uint32_t *expected, *missing; /* per sender of the room: its next number, and holes before it */
  uint64_t received, order;
  uint64_t began_ns, ready_ns, done_ns;
};

struct sender {
  struct connection *connection;
  uint32_t next;
  uint16_t left[UNDER_WAY_MAX]; /* recipients that have not got the message yet */
};

struct room {
  int members, senders, turn, under_way;
  struct sender *sender;
};

struct tally {
  uint64_t delivered, completed, posted, duplicated, reordered, misrouted;
  uint64_t histogram[HISTOGRAM_SIZE];
};

extern struct connection *connections;
extern int connection_count;
extern struct room *rooms;
extern int room_count, slots;
extern struct wire wires[16];
extern int wire_count;
extern struct tally tally;
extern uint64_t expected_each; /* marks after which a connection is done; 0: never */
extern int ready_count, ended_count, done_count, handshakes_count;
extern char server_host[64], first_failure[512];
extern int server_port;

/* plan.c */
int plan_line(char *line); /* 0 where the line is no part of a plan */
void plan_done(void);

/* net.c */
extern int net_awake; /* look for what comes instead of sleeping until it does */
uint64_t now_ns(void);
double net_idle_s(void); /* spent awake with nothing to do */
void net_open(void);
void net_start(struct connection *c, int index);
void net_send(struct connection *c, const void *data, size_t size);
void net_end(struct connection *c, const char *why);
void net_pump(int timeout_ms);
void net_watch(struct connection *c, int add);
int net_command_waits(void);
void buffer_add(struct buffer *b, const void *data, size_t size);

/* websocket.c */
void websocket_upgrade(struct connection *c);
size_t websocket_take(struct connection *c, uint8_t *data, size_t size, uint64_t at_ns);
void websocket_text(struct connection *c, const char *text, size_t size);

/* polling.c */
void polling_begin(struct connection *c);
size_t polling_take(struct connection *c, uint8_t *data, size_t size, uint64_t at_ns);

/* tally.c */
void tally_payload(struct connection *c, const uint8_t *data, size_t size, uint64_t at_ns);
void tally_post(struct room *room, int session);
void tally_reset(void);
uint64_t tally_lost(void);
uint64_t tally_disagreeing(void);
void tally_print_histogram(const uint64_t *histogram);
void connection_ready(struct connection *c);

/* usage.c */
void usage_watch(const char *pids);
double usage_server_s(void);
double usage_own_s(void);

#endif

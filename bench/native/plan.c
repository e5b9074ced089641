/* The plan: lines of fields between tabs that say whom to connect, and as what. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection *connections;
int connection_count;
struct room *rooms;
int room_count, slots;
struct wire wires[16];
int wire_count;
char server_host[64];
int server_port;

static char *field(char **rest) { return strsep(rest, "\t"); }

/* A copy of a field; the newlines in it were written as unit separators. */
static char *copy(const char *text) {
  char *made = strdup(text ? text : "");
  for (char *at = made; (at = strchr(at, 0x1f));) *at = '\n';
  return made;
}

static void add_wire(char *rest) {
  struct wire *w = &wires[wire_count++];
  w->polls = strcmp(field(&rest), "poll") == 0;
  w->first = copy(field(&rest));
  w->ready = copy(field(&rest));
  w->ping = copy(field(&rest));
  w->pong = copy(field(&rest));
}

static void add_connection(char *rest) {
  static int room_for;
  if (connection_count == room_for) {
    room_for = room_for ? room_for * 2 : 1024;
    connections = realloc(connections, (size_t)room_for * sizeof *connections);
  }
  struct connection *c = &connections[connection_count++];
  memset(c, 0, sizeof *c);
  c->fd = -1;
  c->slot = -1;
  c->session = atoi(field(&rest));
  c->wire = &wires[atoi(field(&rest))];
  c->receive_buffer = atoi(field(&rest));
  c->path = copy(field(&rest));
  c->hello = copy(field(&rest));
  char *message = field(&rest);
  char *mark = message ? strstr(message, "%M") : NULL;
  if (mark) {
    *mark = 0;
    c->before = copy(message);
    c->after = copy(mark + 2);
  }
}

int plan_line(char *line) {
  char *rest = line;
  char *kind = field(&rest);
  if (!strcmp(kind, "server")) {
    snprintf(server_host, sizeof server_host, "%s", field(&rest));
    server_port = atoi(field(&rest));
  } else if (!strcmp(kind, "rooms")) {
    room_count = atoi(field(&rest));
    slots = atoi(field(&rest));
  } else if (!strcmp(kind, "pids")) {
    usage_watch(rest);
  } else if (!strcmp(kind, "wire")) {
    add_wire(rest);
  } else if (!strcmp(kind, "connection")) {
    add_connection(rest);
  } else {
    return 0;
  }
  return 1;
}

void plan_done(void) {
  rooms = calloc((size_t)room_count, sizeof *rooms);
  for (int i = 0; i < room_count; i++) rooms[i].sender = calloc((size_t)slots, sizeof(struct sender));
  for (int i = 0; i < connection_count; i++) {
    struct connection *c = &connections[i];
    struct room *room = &rooms[c->session];
    c->expected = calloc((size_t)slots, sizeof(uint32_t));
    c->missing = calloc((size_t)slots, sizeof(uint32_t));
    room->members++;
    if (c->before && room->senders < slots) {
      c->slot = room->senders++;
      room->sender[c->slot].connection = c;
    }
  }
}
